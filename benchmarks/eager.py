"""How fast and how small the eager engine is, beside other scalar engines in Python.

    python -m benchmarks.eager [--rounds N] [--json FILE]

The engines take turns in one run, so that whatever else the machine does slows all of them. Figures are
medians. micrograd comes with the ``bench`` extra. ``python -m tests.wheel -m benchmarks.eager`` measures the
compiled core.
"""

import argparse
import gc
import json
import multiprocessing
import os
import platform
import random
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from autograd import Value, node
from benchmarks.gpt import Document
from benchmarks.scalars import PEERS, Peer, nodes_of, peer
from benchmarks.timing import timed
from nn import two_moons

SIZES = (10**3, 10**4, 10**5, 10**6)


class Problem:
    """Max-margin classification of two moons, micrograd's demonstration, with the published program.

    Args:
        engine: what it is computed with.
        points: how many.
        nouts: the layers of the network.
    """

    def __init__(self, engine: Peer, points: int = 100, nouts: tuple[int, ...] = (16, 16, 1)) -> None:
        random.seed(1337)
        X, y = two_moons(points, noise=0.1, random_state=1337)
        self.engine, self.rows, self.labels = engine, X.tolist(), (2 * y - 1).tolist()
        self.model = engine.network(2, list(nouts))

    def loss(self) -> Any:
        """Record the loss."""
        inputs = [list(map(self.engine.leaf, row)) for row in self.rows]
        scores = list(map(self.model, inputs))
        losses = [(1 + -label * score).relu() for label, score in zip(self.labels, scores, strict=True)]
        penalty = 1e-4 * sum(p * p for p in self.model.parameters())
        return sum(losses) * (1.0 / len(losses)) + penalty

    def step(self, rate: float) -> None:
        """Record the loss, sweep it, and move the parameters down the gradient."""
        loss = self.loss()
        self.model.zero_grad()
        loss.backward()
        for p in self.model.parameters():
            p.data -= rate * p.grad


def swept(program: Any) -> Any:
    """Record the loss of a program and sweep it."""
    loss = program.loss()
    loss.backward()
    return loss


WORKLOADS: dict[str, Callable[[Peer], Any]] = {
    "micrograd's demonstration": Problem,
    "a GPT's document": Document,
}


def time_workload(workload: str, engines: dict[str, Peer], rounds: int) -> dict[str, Any]:
    """Time one loss and its backward pass, the freeing of the graph included, the collector on and off.

    With the collector off, graphs that have cycles are not freed.

    Returns:
        For each engine that can run it the median seconds, and how many times as long as this project's they
        are.
    """
    programs = {}
    for name, engine in engines.items():
        with suppress(ImportError):
            programs[name] = WORKLOADS[workload](engine)
    losses = [float(swept(program).data) for program in programs.values()]
    if not max(losses) - min(losses) < 1e-12:
        raise RuntimeError(f"the engines disagree on the loss: {dict(zip(programs, losses, strict=True))}")
    results: dict[str, Any] = {name: {} for name in programs}
    gc.collect()
    gc.freeze()  # the collector is to trace the graphs, not the modules that happen to be imported
    for collector in ("", ", collector off"):
        times: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(rounds + 1):  # the first is to warm up
            for name, program in programs.items():
                gc.collect()
                if collector:
                    gc.disable()
                times[name].append(timed(partial(swept, program)))
                gc.enable()
        for name, runs in times.items():
            seconds = median(runs[1:])
            results[name][f"seconds{collector}"] = seconds
            results[name][f"times chainrule{collector}"] = seconds / median(times["chainrule"][1:])
    gc.unfreeze()
    return results


def memory(name: str, workload: str) -> dict[str, float | None]:
    """Measure the bytes per node after a sweep: what Python allocates, and what the process grows by."""
    program = WORKLOADS[workload](peer(name))
    nodes = len(nodes_of(swept(program)))
    gc.collect()
    before = resident()
    kept = [swept(program) for _ in range(10)]
    after = resident()
    del kept
    gc.collect()
    tracemalloc.start()
    loss = swept(program)
    gc.collect()  # what the sweep itself needed
    allocated, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del loss
    return {
        "nodes": nodes,
        "allocated bytes per node": allocated / nodes,
        "resident bytes per node": (after - before) / (10 * nodes) if before and after else None,
    }


def resident() -> int | None:
    """Return the resident size of this process in bytes, where the system tells it as Linux does."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def garbage(engine: Peer, steps: int = 1000) -> int:
    """Count the objects that only the garbage collector could free after many steps of training."""
    problem = Problem(engine, points=4, nouts=(2, 1))
    gc.collect()
    gc.disable()
    try:
        for _ in range(steps):
            problem.step(0.1)
        return gc.collect()
    finally:
        gc.enable()


CHAINS: dict[str, Callable[[Value, Value], Value]] = {
    "products": lambda y, factor: y * factor,
    "tanh, a unary row": lambda y, _: y.tanh(),
}


def time_chains(rounds: int, step: str, collector: bool = True) -> dict[int, dict[str, float]]:
    """Time chains of operations of several lengths, in turns: seconds per operation."""
    gc.freeze()  # the collector is to trace the chains, not the modules that happen to be imported
    (gc.enable if collector else gc.disable)()
    sizes = SIZES if step == "products" else SIZES[:-1]
    runs: dict[int, list[tuple[float, ...]]] = {n: [] for n in sizes}
    for _ in range(rounds // 2 + 1):
        for n in sizes:
            runs[n] += [time_chain(n, CHAINS[step]) for _ in range(max(1, 10**5 // n))]
    parts = ("record", "sweep", "free", "all")
    return {n: dict(zip(parts, map(median, zip(*r, strict=True)), strict=True)) for n, r in runs.items()}


def time_chain(n: int, step: Callable[[Value, Value], Value]) -> tuple[float, float, float, float]:
    """Return the seconds per operation to record a chain of ``n``, to sweep it, to free it, and in all."""
    x, factor = Value(1.0), Value(1.0 + 1e-9)
    t0 = time.perf_counter()
    y = x
    for _ in range(n):
        y = step(y, factor)
    t1 = time.perf_counter()
    y.backward()
    t2 = time.perf_counter()
    del y
    t3 = time.perf_counter()
    if not 0.0 < x.grad < 1.1:
        raise RuntimeError(f"the gradient of a chain of {n} operations is wrong: {x.grad}")
    return (t1 - t0) / n, (t2 - t1) / n, (t3 - t2) / n, (t3 - t0) / n


def time_sums(rounds: int) -> dict[int, float]:
    """Time sums of leaves: seconds per node to make the leaves, and to sum, sweep and free them."""
    gc.freeze()
    runs: dict[int, list[float]] = {n: [] for n in (SIZES[0], SIZES[-1])}
    for _ in range(rounds // 4 + 1):
        for n, times in runs.items():
            times += [time_sum(n) for _ in range(max(1, 10**5 // n))]
    return {n: median(times) for n, times in runs.items()}


def time_sum(n: int) -> float:
    """Return the seconds per node of a sum of ``n`` leaves."""
    start = time.perf_counter()
    leaves = [Value(1.0) for _ in range(n)]
    total = sum(leaves)
    total.backward()
    checked = time.perf_counter()
    if not all(leaf.grad == 1.0 for leaf in leaves):
        raise RuntimeError("the gradient of a sum by a leaf is not 1")
    start += time.perf_counter() - checked
    del total, leaves
    return (time.perf_counter() - start) / (2 * n)


def measure(rounds: int, console: Console) -> dict[str, Any]:
    """Take all measurements."""
    engines = {}
    for name in PEERS:
        try:
            engines[name] = peer(name)
        except ImportError as error:
            console.print(f"{name} is skipped: {error}")
    results: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "recursion limit": sys.getrecursionlimit(),
        "core": "plain Python" if node.__file__.endswith(".py") else "compiled",
    }
    context = multiprocessing.get_context("spawn")
    for workload in WORKLOADS:
        with console.status(f"{workload}: one loss and its backward pass, in turns"):
            found = results[workload] = time_workload(workload, engines, rounds)
        with console.status("memory, each engine in a process of its own"):
            for name in found:
                if name != "torch":  # its nodes are not Python's to count
                    with context.Pool(1) as pool:
                        found[name] |= pool.apply(memory, (name, workload))
    with console.status("1,000 steps of training without the garbage collector"):
        results["garbage"] = {name: garbage(engines[name]) for name in engines if name != "torch"}
    # In a process of its own, where the collector does not also trace the objects of PyTorch.
    with console.status("chains of up to a million operations"), context.Pool(1) as pool:
        for step in CHAINS:
            results[f"chains, {step}"] = pool.apply(time_chains, (rounds, step))
            results[f"chains, {step}, collector off"] = pool.apply(time_chains, (rounds, step, False))
        results["sum"] = pool.apply(time_sums, (rounds,))
    return results


def report(results: dict[str, Any], console: Console) -> None:
    """Print the measurements as tables."""
    console.print(
        f"\nPython {results['python']}, {results['machine']}, medians; chainrule's core {results['core']}\n"
    )
    for workload in WORKLOADS:
        table = Table(title=f"{workload[0].upper()}{workload[1:]}: one loss and its backward pass")
        table.title_justify = "left"
        for header in ("", "time", "times", "off", "times", "nodes", "bytes a node", "resident", "garbage"):
            table.add_column(header, justify="right" if header else "left")
        for name, row in results[workload].items():
            table.add_row(
                name,
                *(
                    text
                    for off in ("", ", collector off")
                    for text in (
                        f"{row[f'seconds{off}'] * 1e3:.1f} ms",
                        f"{row[f'times chainrule{off}']:.2f}",
                    )
                ),
                _number(row.get("nodes")),
                _number(row.get("allocated bytes per node")),
                _number(row.get("resident bytes per node")),
                _number(results["garbage"].get(name)),
            )
        console.print(table)
    console.print(
        "off: with the garbage collector off; garbage: objects that only it frees, of 1,000 steps\n"
    )
    table = Table(title="chainrule: nanoseconds per node", title_justify="left")
    for header in ("", "record", "sweep", "free", "all", "all, collector off"):
        table.add_column(header, justify="right" if header else "left")
    for step in CHAINS:
        for n, row in results[f"chains, {step}"].items():
            times = [row[part] for part in ("record", "sweep", "free", "all")]
            times.append(results[f"chains, {step}, collector off"][n]["all"])
            table.add_row(f"a chain of {n:,} ({step})", *(_number(1e9 * t) for t in times))
    for n, seconds in results["sum"].items():
        table.add_row(f"a sum of {n:,} leaves", "", "", "", _number(1e9 * seconds))
    console.print(table)


def _number(number: float | None) -> str:
    return "" if number is None else f"{number:,.0f}"


def main() -> None:
    """Measure, print, and write the figures to a file if one is named."""
    parser = argparse.ArgumentParser(description="Measure the eager engine beside its peers.")
    parser.add_argument(
        "--rounds", type=int, default=9, help="how often each engine takes its turn (default: 9)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    console = Console() if sys.stdout.isatty() else Console(width=120)
    results = measure(arguments.rounds, console)
    report(results, console)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
