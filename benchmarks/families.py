"""What compiled programs cost, family by family, beside NumPy by hand and beside JAX.

    python -m benchmarks.families [--nodes N ...] [--seconds S] [--only NAME ...] [--alone]

The programs are those of ``tests/program_families.py``, at sizes that give about as many nodes as are asked
for; what one writes instead, on whole arrays, is in ``benchmarks/by_hand.py``. A step is a loss with its
gradients, on arrays, in the processor's time: the shortest of many turns. All losses and gradients are
compared with the engine's own before the clock starts.
"""

import argparse
import math
import multiprocessing
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import autograd
from autograd import Value, ops, topological_order
from autograd.compiler.engine import count as count_statements
from benchmarks.by_hand import REFERENCES, Reference
from benchmarks.compiled import peak_memory
from benchmarks.timing import one_core, show, take_turns
from tests.program_families import FAMILIES, drawn

OURS = ("numpy", "auto")

ENOUGH = 20_000
"""From graphs of so many nodes the size of larger ones is known by a power law."""


def size_of(name: str, nodes: int) -> int:
    """Return the size of a family at which its graph has about so many nodes."""
    low, high = FAMILIES[name].sizes
    few, many = count(name, low), count(name, high)
    while many < min(nodes, ENOUGH):
        low, few, high = high, many, high * 2
        many = count(name, high)
    size = max(
        FAMILIES[name].sizes[0], high * (nodes / many) ** (math.log(high / low) / math.log(many / few))
    )
    return int(2.0 ** round(math.log2(size))) if FAMILIES[name].doubles else round(size)


def count(name: str, size: int) -> int:
    """Return how many nodes the graph of a family's program has."""
    build, draw = drawn(name, size)
    return len(topological_order(build([Value(x) for x in draw.point])))


def arrays_of(numbers: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """Cut numbers into arrays of some shapes."""
    bounds = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    parts = np.split(np.asarray(numbers, dtype=float), bounds)
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def references(reference: Reference, leaves: Sequence[Any]) -> dict[str, Callable[[], Any]]:
    """Return the runs that a reference offers, each of which returns a loss and its gradients."""
    written = {"by hand": reference.by_hand, "routine": reference.routine}
    runs: dict[str, Callable[[], Any]] = {
        name: partial(run, *leaves) for name, run in written.items() if run is not None
    }
    if (loss := reference.loss) is not None:
        try:
            import jax
        except ImportError:
            return runs
        jax.config.update("jax_enable_x64", True)
        step = jax.jit(jax.value_and_grad(lambda given: loss(jax.numpy, *given)))
        runs["JAX"] = lambda: jax.block_until_ready(step(leaves))
    return runs


def measure(name: str, size: int, seconds: float, *, alone: bool = False) -> dict[str, Any]:
    """Measure one family, in a process of its own, or what else it did would count as memory.

    Args:
        name: the family's.
        size: its size.
        seconds: for how long the contenders take turns.
        alone: whether to compile only, and to leave the contenders out.

    Returns:
        ``nodes``, ``statements``, ``compiling`` in seconds, ``memory``, by how many bytes the largest size of
        the process grew in compiling, and the ``seconds`` of a step by contender.

    Raises:
        RuntimeError: a contender's loss or gradient is another than the engine's.
    """
    build, draw = drawn(name, size)
    leaves = [Value(x) for x in draw.point]
    graph = build(leaves)
    autograd.compile(ops.exp(Value(1.0)))()  # or what a process loads once, the library too, would be charged
    before, begin = peak_memory(), time.process_time()
    programs = {"auto": autograd.compile(graph, inputs=leaves)}
    compiling, after = time.process_time() - begin, peak_memory()
    found = len(topological_order(graph))
    statements = sum(map(count_statements, (programs["auto"]._plan.forward, programs["auto"]._plan.reverse)))
    result = {"nodes": found, "statements": statements, "compiling": compiling, "memory": None, "seconds": {}}
    if before is not None and after is not None:
        result["memory"] = after - before
    if alone:
        return result
    programs["numpy"] = autograd.compile(graph, inputs=leaves, engine="numpy")
    graph.backward()
    expected = [graph.data, *(leaf.grad for leaf in leaves)]
    del graph

    runs = references(REFERENCES[name](draw, size), arrays_of(draw.point, draw.shapes))
    for engine, program in programs.items():
        program.__enter__()
        runs[engine] = partial(lambda program: (program(), (program.gradients,)), program)

    def away(run: Callable[[], Any]) -> float:
        value, gradients = run()
        numbers = np.concatenate([np.ravel(value), *map(np.ravel, gradients)])
        return float(np.linalg.norm(numbers - expected) / np.linalg.norm(expected))

    # What is chaotic, as planets over thousands of steps are, is moved by its last digits.
    point = programs["numpy"].parameters.copy()
    programs["numpy"].parameters *= 1.0 + np.finfo(float).eps
    allowed = max(1e-9, 10.0 * away(runs["numpy"]))
    programs["numpy"].parameters = point
    for contender, run in runs.items():
        if not away(run) <= allowed:
            raise RuntimeError(f"{name}: {contender} has another loss or gradient than the engine")
    result["seconds"] = take_turns(runs, seconds, busy=True)
    for program in programs.values():
        program.__exit__(None, None, None)
    return result


def row_of(name: str, found: dict[str, Any]) -> list[str]:
    """Write a row of the table: ratios below 1 say that the compiled program is the faster one."""
    seconds, nodes, memory = found["seconds"], found["nodes"], found["memory"]
    peers = ("by hand", "routine", "JAX")
    ratios = [(engine, peer) for peer in peers for engine in (OURS if peer == "by hand" else OURS[1:])]
    return [
        name,
        f"{nodes:,}",
        f"{found['statements']:,}",
        f"{found['compiling'] * 1e3:,.0f} ms",
        f"{found['compiling'] / nodes * 1e6:.1f}",
        "-" if memory is None else f"{memory / nodes:,.0f}",
        *(show(seconds[key]) if key in seconds else "-" for key in (*peers, *OURS)),
        *(_ratio(seconds[a] / seconds[b]) if b in seconds else "-" for a, b in ratios),
    ]


def _ratio(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio < 0.1 else f"{ratio:.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure compiled programs family by family.")
    parser.add_argument("--nodes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--seconds", type=float, default=0.5, help="for each program (default: 0.5)")
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES), metavar="NAME")
    parser.add_argument("--alone", action="store_true", help="compile only: time, memory, statements")
    given = parser.parse_args(arguments)
    titles = ["family", "nodes", "statements", "compiling", "us a node", "bytes a node"]
    titles += ["by hand", "NumPy's routine", "JAX", "by NumPy", "machine code"]
    titles += ["by NumPy / by hand", "machine code / by hand", "/ routine", "/ JAX"]
    for row in (titles, ["---"] * len(titles)):
        print(written(row))
    context = multiprocessing.get_context("spawn")
    for name in given.only:
        for nodes in given.nodes:
            size = size_of(name, nodes)
            with context.Pool(1, one_core) as pool:
                found = pool.apply(measure, (name, size, given.seconds), {"alone": given.alone})
            print(written(row_of(name, found)), flush=True)


def written(row: Sequence[str]) -> str:
    """Write a row as a line of a table in Markdown."""
    return f"| {' | '.join(row)} |"


if __name__ == "__main__":
    main()
