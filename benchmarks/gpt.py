"""A document of a GPT as scalar code, which users of scalar engines run today, and what becomes of it.

    python -m benchmarks.gpt [--seconds S] [--json FILE]

Loss and gradient of one document of 8 characters, on one core, in turns: the program with a class of
microgpt's kind, with this engine, compiled, and the same by hand: in matrices for PyTorch and JAX, and in C;
then a whole training, and how far a short one is from the same one run eagerly.
"""

import argparse
import ctypes
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import autograd
from autograd import Value
from benchmarks.c import step_of
from benchmarks.scalars import Peer, peer
from benchmarks.timing import one_core, show, take_turns
from nn import GPT, Adam, Tokenizer, fit_documents, names
from nn.optim import linear

LETTERS, WIDTH, HEADS, BLOCK = 27, 16, 4, 16
HEAD = WIDTH // HEADS
MARK = 26  # begins and ends a document
STEPS = 100  # of the training that is run eagerly, too


class Document:
    """The loss of one document: one layer, 16 wide, 4 heads; about 77,000 nodes for 8 characters.

    Args:
        engine: what it is computed with.
        characters: the length of the document.
    """

    def __init__(self, engine: Peer, characters: int = 8) -> None:
        if engine.exp is None or engine.log is None or engine.relu is None:
            raise ImportError("it has no exp or log")
        self.exp, self.log, self.relu = engine.exp, engine.log, engine.relu
        self.rng = random.Random(1337)
        self.leaf = engine.leaf
        self.leaves: list[Any] = []
        self.tokens = [MARK, *(self.rng.randrange(MARK) for _ in range(characters)), MARK]
        self.token, self.position = self.matrix(LETTERS, WIDTH), self.matrix(BLOCK, WIDTH)
        self.query, self.key, self.value, self.mix = (self.matrix(WIDTH, WIDTH) for _ in range(4))
        self.widen, self.narrow = self.matrix(4 * WIDTH, WIDTH), self.matrix(WIDTH, 4 * WIDTH)
        self.out = self.matrix(LETTERS, WIDTH)

    def matrix(self, rows: int, columns: int) -> list[list[Any]]:
        """Return leaves drawn from a normal distribution."""
        made = [[self.leaf(self.rng.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]
        self.leaves += [leaf for row in made for leaf in row]
        return made

    def softmax(self, scores: Sequence[Any]) -> list[Any]:
        """Return probabilities; the scores are shifted by their maximum."""
        largest = max(score.data for score in scores)
        powers = [self.exp(score - largest) for score in scores]
        total = sum(powers)
        return [power / total for power in powers]

    def attend(self, query: Sequence[Any], keys: list[Any], values: list[Any]) -> list[Any]:
        """Return what the heads read from all positions so far."""
        found = []
        for head in range(HEADS):
            part = slice(head * HEAD, (head + 1) * HEAD)
            weights = self.softmax([dot(query[part], key[part]) * HEAD**-0.5 for key in keys])
            columns = zip(*(value[part] for value in values), strict=True)
            found += [dot(weights, column) for column in columns]
        return found

    def loss(self) -> Any:
        """Record the mean over the positions of -log of the next character's probability."""
        keys: list[Any] = []
        values: list[Any] = []
        losses = []
        for place, (here, following) in enumerate(zip(self.tokens, self.tokens[1:], strict=False)):
            x = normalised(added(self.token[here], self.position[place]))
            seen = normalised(x)
            keys.append(times(self.key, seen))
            values.append(times(self.value, seen))
            read = self.attend(times(self.query, seen), keys, values)
            x = added(x, times(self.mix, read))
            wide = [self.relu(z) for z in times(self.widen, normalised(x))]
            x = added(x, times(self.narrow, wide))
            losses.append(-self.log(self.softmax(times(self.out, x))[following]))
        return sum(losses) * (1.0 / len(losses))


def dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """Return the sum of products."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def times(matrix: list[list[Any]], x: Sequence[Any]) -> list[Any]:
    """Return a matrix times a vector."""
    return [dot(row, x) for row in matrix]


def added(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    """Return the sum of two vectors."""
    return [x + y for x, y in zip(a, b, strict=True)]


def normalised(x: Sequence[Any]) -> list[Any]:
    """Return a vector divided by the root of the mean of its squares."""
    scale = (dot(x, x) * (1.0 / len(x)) + 1e-5) ** -0.5
    return [z * scale for z in x]


Run = Callable[[], tuple[float, Any]]


def eager(name: str) -> Run:
    """Record the document with the scalars of an engine and sweep it."""
    document = Document(peer(name))

    def run() -> tuple[float, Any]:
        for leaf in document.leaves:
            leaf.grad = 0.0
        loss = document.loss()
        loss.backward()
        return loss.data, [leaf.grad for leaf in document.leaves]

    return run


def compiled(engine: str) -> Run:
    """Record and compile the document once; a step leaves the leaves alone."""
    document = Document(peer("chainrule"))
    program = autograd.compile(document.loss(), inputs=document.leaves, engine=engine)
    program.__enter__()

    def run() -> tuple[float, Any]:
        return program(), program.gradients

    return run


def with_tokens_as_data() -> Run:
    """Compile nn's GPT for any document of this length, and feed the tokens at each step."""
    document = Document(peer("chainrule"))
    model = GPT(LETTERS, BLOCK, WIDTH, HEADS)
    block, attention = model.blocks[0], model.blocks[0].attention
    parts = [model.token, model.position, attention.query, attention.key, attention.value, attention.mix]
    inputs = [p for part in (*parts, block.widen, block.narrow, model.out) for p in part.parameters()]
    for parameter, leaf in zip(inputs, document.leaves, strict=True):
        parameter.data = leaf.data
    data = [Value(float(token)) for token in document.tokens]
    program = autograd.compile(model.loss(data), inputs=inputs, data={"tokens": data})
    program.__enter__()

    def run() -> tuple[float, Any]:
        return program(tokens=document.tokens), program.gradients

    return run


def in_matrices(p: Any, here: Any, following: Any, future: Any, relu: Any, softmax: Any) -> Any:
    """Return the probabilities of the tokens that follow, in matrices by hand, for arrays of NumPy's kind.

    Args:
        p: all parameters in a row.
        here: the tokens of the positions.
        following: those that follow.
        future: minus infinity where a position would read from a later one, else 0.
        relu: of the library.
        softmax: of the library, over the last axis.
    """
    parts, start = [], 0
    for rows, columns in (
        (LETTERS, WIDTH), (BLOCK, WIDTH), *[(WIDTH, WIDTH)] * 4,
        (4 * WIDTH, WIDTH), (WIDTH, 4 * WIDTH), (LETTERS, WIDTH),
    ):  # fmt: skip
        parts.append(p[start : start + rows * columns].reshape(rows, columns))
        start += rows * columns
    token, position, query, key, value, mix, widen, narrow, out = parts
    count = len(here)

    def normal(x: Any) -> Any:
        return x * ((x * x).mean(-1)[:, None] + 1e-5) ** -0.5

    def in_heads(x: Any) -> Any:
        return x.reshape(count, HEADS, HEAD).swapaxes(0, 1)

    x = normal(token[here] + position[:count])
    seen = normal(x)
    scores = in_heads(seen @ query.T) @ in_heads(seen @ key.T).swapaxes(1, 2) * HEAD**-0.5 + future
    read = (softmax(scores) @ in_heads(seen @ value.T)).swapaxes(0, 1).reshape(count, WIDTH)
    x = x + read @ mix.T
    x = x + relu(normal(x) @ widen.T) @ narrow.T
    return softmax(x @ out.T)[np.arange(count), following]


def _future(count: int) -> Any:
    return np.triu(np.full((count, count), -np.inf), 1)


def torch_by_hand() -> Run:
    """Run PyTorch on matrices, its own engine for the gradient."""
    import torch

    torch.set_num_threads(1)
    document = Document(peer("chainrule"))
    numbers = torch.tensor([leaf.data for leaf in document.leaves], dtype=torch.float64, requires_grad=True)
    here, following = (torch.tensor(some) for some in (document.tokens[:-1], document.tokens[1:]))
    future = torch.from_numpy(_future(len(here)))

    def run() -> tuple[float, Any]:
        numbers.grad = None
        likely = in_matrices(numbers, here, following, future, torch.relu, lambda x: x.softmax(-1))
        loss = -likely.log().mean()
        loss.backward()
        assert numbers.grad is not None
        return loss.item(), numbers.grad.numpy()

    return run


def jax_by_hand() -> Run:
    """Run JAX on matrices, compiled by ``jit``."""
    import jax

    jax.config.update("jax_enable_x64", True)
    document = Document(peer("chainrule"))
    here, following = (np.array(some) for some in (document.tokens[:-1], document.tokens[1:]))
    future = _future(len(here))

    def loss(p: Any, here: Any, following: Any) -> Any:
        likely = in_matrices(p, here, following, future, jax.nn.relu, jax.nn.softmax)
        return -jax.numpy.log(likely).mean()

    step = jax.jit(jax.value_and_grad(loss))
    numbers = jax.numpy.array([leaf.data for leaf in document.leaves])

    def run() -> tuple[float, Any]:
        value, slopes = step(numbers, here, following)
        return float(value), np.asarray(slopes)

    return run


def c_by_hand() -> Run:
    """Run the C file."""
    document, step = Document(peer("chainrule")), step_of("gpt.c")
    tokens = np.array(document.tokens, dtype=np.intc)
    numbers = np.array([leaf.data for leaf in document.leaves])
    gradient = np.zeros_like(numbers)
    tokens_at = tokens.ctypes.data_as(ctypes.POINTER(ctypes.c_int))
    p_at, g_at = (a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for a in (numbers, gradient))

    def run(_keep: Any = (tokens, numbers)) -> tuple[float, Any]:
        return step(tokens_at, len(tokens) - 1, p_at, g_at), gradient

    return run


CONTENDERS: dict[str, Callable[[], Run]] = {
    "microgpt's kind": lambda: eager("microgpt's kind"),
    "chainrule, eager": lambda: eager("chainrule"),
    "chainrule, compiled for NumPy": lambda: compiled("numpy"),
    "chainrule, machine code": lambda: compiled("auto"),
    "chainrule, machine code, tokens as data": with_tokens_as_data,
    "PyTorch, matrices by hand": torch_by_hand,
    "JAX, jit of matrices by hand": jax_by_hand,
    "C by hand": c_by_hand,
}


def contenders() -> dict[str, Run]:
    """Return all that can run here, once they are seen to agree on loss and gradient.

    Raises:
        RuntimeError: they do not agree.
    """
    found: dict[str, Run] = {}
    for name, make in CONTENDERS.items():
        try:
            found[name] = make()
        except (ImportError, FileNotFoundError):
            continue  # it is not installed, and its row is missing
    loss, gradient = found["chainrule, eager"]()
    gradient = np.array(gradient)
    for name, run in found.items():
        other, slopes = run()
        if not (abs(other - loss) < 1e-12 and np.allclose(slopes, gradient, rtol=1e-9, atol=1e-14)):
            raise RuntimeError(f"{name} disagrees on the loss or the gradient of the document")
    return found


def time_compiling(rounds: int = 3) -> dict[str, float]:
    """Return the median seconds that it takes to compile the recorded document for each engine."""
    document = Document(peer("chainrule"))
    times: dict[str, list[float]] = {"numpy": [], "auto": []}
    for _ in range(rounds):
        for engine, runs in times.items():
            loss = document.loss()
            start = time.perf_counter()
            autograd.compile(loss, inputs=document.leaves, engine=engine)
            runs.append(time.perf_counter() - start)
    return {engine: median(runs) for engine, runs in times.items()}


def train(steps: int, compile: bool = True) -> tuple[float, float]:  # noqa: A002 - as fit_documents calls it
    """Train on the made-up names; return the seconds, recording and compiling included, and the last loss."""
    tokenizer = Tokenizer(names())
    documents = [tokenizer.encode(name) for name in names()]
    model = GPT(len(tokenizer), BLOCK, WIDTH, HEADS, rng=42)
    optimizer = Adam(model.parameters(), lr=linear(0.01, 0.0, steps), betas=(0.85, 0.99))
    start = time.perf_counter()
    history = fit_documents(model, documents, optimizer, steps, progress=False, compile=compile)
    return time.perf_counter() - start, history["loss"][-1]


def main() -> None:
    """Measure, print, and write the figures to a file if one is named."""
    parser = argparse.ArgumentParser(description="Measure a GPT's document.")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to take turns (default: 20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    one_core()
    times = take_turns(contenders(), arguments.seconds)
    table = Table(title="A document of 8 characters: loss and gradient", title_justify="left")
    for header in ("", "time", "times as fast as microgpt's kind"):
        table.add_column(header, justify="right" if header else "left")
    slowest = times.get("microgpt's kind", times["chainrule, eager"])
    for name, seconds in times.items():
        table.add_row(name, show(seconds), f"{slowest / seconds:,.1f}")
    console = Console(width=100)
    console.print(table)
    compiling = time_compiling()
    console.print(
        f"compiled in {compiling['numpy']:.2f} s for NumPy, in {compiling['auto']:.2f} s as machine code"
    )
    seconds, loss = train(1000)
    console.print(f"1,000 steps of training, all included: {seconds:.1f} s, loss {loss:.4f}")
    losses = [train(STEPS, compiled)[1] for compiled in (True, False)]
    console.print(
        f"after {STEPS} steps the loss differs from the eager training's by {abs(losses[0] - losses[1]):.1e}"
    )
    if arguments.json:
        results = {"document": times, "compiling": compiling, "training": {"seconds": seconds, "loss": loss}}
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
