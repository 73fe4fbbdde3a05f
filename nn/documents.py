"""Training a GPT on documents of different lengths: one program for each length, with the tokens as data."""

import copy
import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

import numpy as np

import autograd
from autograd.collector import collector_paused
from autograd.compiler import Program
from autograd.compiler.engine import require_engine
from autograd.value import Value
from autograd.writing import assign
from nn.callbacks import Callback, Run, checkpoints_last
from nn.checks import whole
from nn.history import History
from nn.optim import Optimizer, Vector
from nn.progress import progress_bar
from nn.step import DivergenceError
from nn.transformer import GPT

Tokens = Sequence[int]


class _Gradient(Protocol):
    """Computes the loss of a document and its gradient by the parameters, at given numbers of these."""

    def __call__(self, numbers: Vector, tokens: Tokens) -> tuple[float, Vector]: ...


def fit_documents(
    model: GPT,
    documents: Sequence[Tokens],
    optimizer: Optimizer,
    steps: int = 1000,
    batch_size: int = 1,
    *,
    every: int = 100,
    callbacks: Sequence[Callable[[Run], Any]] = (),
    rng: int | np.random.Generator = 0,
    progress: bool | None = None,
    compile: bool = True,  # noqa: A002 - the name of the function that does it
    engine: str = "auto",
    resume: str | os.PathLike[str] | None = None,
) -> History:
    """Train a GPT on the mean loss of ``batch_size`` documents per step.

    All documents are used once, in an order drawn by chance, before one is used again. The same seed gives
    the same result. Ctrl-C ends the training with what was reached; so does a loss that is not finite, whose
    step is not taken.

    Args:
        model: the GPT.
        documents: the tokens of each, such as ``Tokenizer.encode`` returns: at least two, at most one more
            than the model's block.
        optimizer: made with ``model.parameters()``.
        steps: how often the parameters are moved.
        batch_size: how many documents per step.
        every: after so many steps the mean of their losses is recorded, and the callbacks are called.
        callbacks: called with the run, whose model is up to date.
        rng: a seed, or a source, of the order of the documents.
        progress: whether to show a bar; by default on a terminal.
        compile: record and compile a document of each length once, when it first occurs, and feed the tokens
            of others. False records each document anew: the same numbers to rounding, hundreds of times as
            slowly.
        engine: what runs the compiled programs, as of ``autograd.compile``.
        resume: a file that a ``Checkpoint`` among the callbacks wrote, from which the training goes on to its
            ``steps``, bit for bit as if it had not been interrupted, given the same documents and arguments.

    Returns:
        The history: for every ``every`` steps, and for those left at the end, ``epoch`` (from 0), ``lr`` (of
        the last step) and ``loss`` (the mean of the losses, each before its step).

    Raises:
        ValueError: no documents, one too short or longer than the block, a count less than 1, an optimiser
            of other parameters, an unknown engine; or the file to go on from is no such file, or of another
            training.
        CannotStartError: ``engine`` is ``"wasm"``, and that cannot be had.
        IndexError: a document has a token that the model has not.
        TypeError: a document is a text instead of its tokens.

    Example:
        >>> from nn import Adam
        >>> from nn.text import Tokenizer
        >>> tokenizer = Tokenizer("ab")
        >>> model = GPT(len(tokenizer), block=4, width=4, heads=2, rng=0)
        >>> documents = [tokenizer.encode(text) for text in ("ab", "aab", "abb")]
        >>> optimizer = Adam(model.parameters(), lr=0.02)
        >>> history = fit_documents(model, documents, optimizer, 60, every=20)
        >>> history["loss"][-1] < 0.8 * history["loss"][0]
        True
    """
    steps, size = whole("steps", steps, 0), whole("batch_size", batch_size)
    every = whole("every", every)
    _require_documents(model, documents)
    if not set(optimizer.parameters) <= set(model.parameters()):
        raise ValueError("the optimizer has other parameters than the model; make it with model.parameters()")
    require_engine(engine)
    order = _Order(len(documents))
    run = Run(model, optimizer, History(), np.random.default_rng(rng), checkpoints_last([order, *callbacks]))
    if resume is not None:
        run.load(resume)
    done = order.drawn // size
    numbers = np.array([p.data for p in optimizer.parameters])
    losses: list[float] = []
    with ExitStack() as programs:
        gradient: _Gradient = _Eager(model, optimizer)
        if compile:
            gradient = _Compiled(model, optimizer, programs, engine)
        try:
            with progress_bar(steps - done, progress) as tick:
                for step in range(done, steps if not run.history.stopped else 0):
                    drawn = [documents[order.next(run.rng)] for _ in range(size)]
                    loss, slope = _mean([gradient(numbers, tokens) for tokens in drawn])
                    if not math.isfinite(loss) or not np.isfinite(slope).all():
                        raise DivergenceError(f"the loss is {loss:g}; use a lower learning rate")
                    rate = optimizer.lr
                    numbers = optimizer.moved(numbers, slope)
                    losses.append(loss)
                    tick(f"step {step + 1}/{steps}  loss {np.mean(losses[-every:]):.4f}")
                    if len(losses) == every or step == steps - 1:
                        record = {"epoch": len(run.history), "lr": rate, "loss": float(np.mean(losses))}
                        run.history.records.append(record)
                        losses = []
                        assign(optimizer.parameters, numbers)
                        for callback in run.callbacks:
                            callback(run)
                        numbers = np.array([p.data for p in optimizer.parameters])
                        if run.history.stopped:
                            break
        except KeyboardInterrupt:
            run.stop("interrupted")
        except DivergenceError as divergence:
            run.stop(f"in step {optimizer.steps}, {divergence}")
            warnings.warn(run.history.stopped, RuntimeWarning, stacklevel=2)
        finally:
            assign(optimizer.parameters, numbers)
    return run.history


def _require_documents(model: GPT, documents: Sequence[Tokens]) -> None:
    if not len(documents):
        raise ValueError("training needs at least one document")
    for place, tokens in enumerate(documents):
        if isinstance(tokens, str):
            raise TypeError(
                f"a document is a list of tokens, not the text {tokens[:30]!r}: write "
                "[tokenizer.encode(text) for text in texts]"
            )
        if not 2 <= len(tokens) <= model.block + 1:
            raise ValueError(
                f"document {place} has {len(tokens)} tokens, marks included, and the model takes from 2 to "
                f"{model.block + 1}; "
                + ("cut it, or make the GPT with a larger block" if len(tokens) > 2 else "leave it out")
            )
        for token in tokens:
            if not 0 <= token < model.token.count:
                raise IndexError(
                    f"document {place} has the token {token!r}, and the model has those from 0 to "
                    f"{model.token.count - 1}; make it with the tokenizer's length"
                )


class _Order(Callback):
    """Draws all documents in an order by chance, and again in another, without end; and knows where it is."""

    def __init__(self, count: int) -> None:
        self.count, self.drawn, self.left = count, 0, list[int]()

    def next(self, rng: np.random.Generator) -> int:
        """Return the place of the next document."""
        if not self.left:
            self.left = rng.permutation(self.count).tolist()[::-1]
        self.drawn += 1
        return self.left.pop()

    def state_dict(self) -> dict[str, Any]:
        """Return how many documents there are and were drawn, and what is left of this round."""
        return {"count": self.count, "drawn": self.drawn, "left": list(self.left)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another was.

        Raises:
            ValueError: it had another number of documents.
        """
        if state["count"] != self.count:
            raise ValueError(f"it was of {state['count']} documents, and these are {self.count}")
        self.drawn, self.left = int(state["drawn"]), [int(place) for place in state["left"]]


def _mean(found: list[tuple[float, Vector]]) -> tuple[float, Vector]:
    losses, slopes = zip(*found, strict=True)
    return float(np.mean(losses)), np.mean(slopes, axis=0)


class _Eager:
    """Records each document and sweeps it."""

    def __init__(self, model: GPT, optimizer: Optimizer) -> None:
        self.model, self.parameters = model, optimizer.parameters

    def __call__(self, numbers: Vector, tokens: Tokens) -> tuple[float, Vector]:
        assign(self.parameters, numbers)
        self.model.zero_grad()
        with collector_paused():
            loss = self.model.loss(tokens)
            loss.backward()
            number = float(loss.data)
            del loss
        return number, np.array([p.grad for p in self.parameters])


class _Compiled:
    """Records and compiles a document of each length once, and feeds the tokens of others to it.

    Each program has a copy of the model's Values, to which it writes when the training ends: the model's own
    are moved in one place only.
    """

    def __init__(self, model: GPT, optimizer: Optimizer, programs: ExitStack, engine: str) -> None:
        self.model, self.parameters, self.open = model, optimizer.parameters, programs
        self.engine = engine
        self.programs: dict[int, Program] = {}

    def __call__(self, numbers: Vector, tokens: Tokens) -> tuple[float, Vector]:
        program = self.programs.get(len(tokens))
        if program is None:
            program = self.open.enter_context(self._compiled(tokens))
            self.programs[len(tokens)] = program
        program.parameters = numbers
        return program(tokens), program.gradients.copy()

    def _compiled(self, tokens: Tokens) -> Program:
        twins = {id(p): Value(p.data) for p in self.parameters}
        twin = copy.deepcopy(self.model, dict(twins))
        data = [Value(float(token)) for token in tokens]
        with collector_paused():
            inputs = list(twins.values())
            return autograd.compile(twin.loss(data), inputs=inputs, data=(data,), engine=self.engine)
