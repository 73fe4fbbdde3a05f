"""How fast and how small the eager engine is, beside micrograd (and PyTorch scalars, if installed).

    python -m benchmarks.eager [--rounds N] [--json FILE]

The engines take turns in one run, so that whatever else the machine does slows all of them. Figures are
medians, with the garbage collector on. micrograd comes with the ``bench`` extra.
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
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from autograd import Value, topological_order
from nn import MLP, two_moons

PEERS = ("chainrule", "micrograd", "torch")
SIZES = (10**3, 10**4, 10**5, 10**6)


@dataclass(frozen=True)
class Peer:
    """An engine: how it makes a leaf and a network."""

    leaf: Callable[[float], Any]
    network: Callable[[int, list[int]], Any]


def peer(name: str) -> Peer:
    """Return an engine by name.

    Raises:
        ImportError: it is not installed.
    """
    if name == "chainrule":
        return Peer(Value, MLP)
    import micrograd.nn
    from micrograd.engine import Value as MicrogradValue

    if name == "micrograd":
        return Peer(MicrogradValue, micrograd.nn.MLP)
    import torch

    def scalar(number: float) -> Any:
        return torch.tensor(float(number), dtype=torch.float64, requires_grad=True)

    def network(nin: int, nouts: list[int]) -> Any:
        micrograd.nn.Value = scalar  # its code, with scalars of PyTorch in place of its own
        try:
            return micrograd.nn.MLP(nin, nouts)
        finally:
            micrograd.nn.Value = MicrogradValue

    return Peer(scalar, network)


class Problem:
    """Max-margin classification of two moons, exercise 11, with the published program.

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


def size_of(root: Any) -> int:
    """Count the nodes of a graph of chainrule or micrograd."""
    if isinstance(root, Value):
        return len(topological_order(root))
    seen, stack = {root}, [root]
    while stack:
        new = [parent for parent in stack.pop()._prev if parent not in seen]
        seen.update(new)
        stack.extend(new)
    return len(seen)


def time_exercise_11(engines: dict[str, Peer], rounds: int) -> dict[str, Any]:
    """Time one loss and its backward pass, the freeing of the graph included."""
    problems = {name: Problem(engine) for name, engine in engines.items()}
    times: dict[str, list[float]] = {name: [] for name in engines}
    losses = {}
    for _ in range(rounds + 1):  # the first is to warm up
        for name, problem in problems.items():
            start = time.perf_counter()
            loss = problem.loss()
            loss.backward()
            losses[name] = loss.item() if name == "torch" else loss.data
            del loss
            times[name].append(time.perf_counter() - start)
    spread = max(losses.values()) - min(losses.values())
    if not spread < 1e-12:
        raise RuntimeError(f"the engines disagree on the loss: {losses}")
    seconds = {name: median(t[1:]) for name, t in times.items()}
    return {name: {"seconds": s, "times chainrule": s / seconds["chainrule"]} for name, s in seconds.items()}


def memory(name: str) -> dict[str, float | None]:
    """Measure the bytes per node after a sweep: what Python allocates, and what the process grows by."""
    problem = Problem(peer(name))

    def swept() -> Any:
        loss = problem.loss()
        loss.backward()
        return loss

    nodes = size_of(swept())
    gc.collect()
    before = resident()
    kept = [swept() for _ in range(10)]
    after = resident()
    del kept
    gc.collect()
    tracemalloc.start()
    loss = swept()
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


def time_chains(rounds: int, collector: bool = True) -> dict[int, dict[str, float]]:
    """Time chains of operations of several lengths, in turns: seconds per operation."""
    gc.freeze()  # the collector is to trace the chains, not the modules that happen to be imported
    (gc.enable if collector else gc.disable)()
    runs: dict[int, list[tuple[float, ...]]] = {n: [] for n in SIZES}
    for _ in range(rounds // 2 + 1):
        for n in SIZES:
            runs[n] += [time_chain(n) for _ in range(max(1, 10**5 // n))]
    parts = ("record", "sweep", "free", "all")
    return {n: dict(zip(parts, map(median, zip(*r, strict=True)), strict=True)) for n, r in runs.items()}


def time_chain(n: int) -> tuple[float, float, float, float]:
    """Return the seconds per operation to record a chain of ``n``, to sweep it, to free it, and in all."""
    x, factor = Value(1.0), Value(1.0 + 1e-9)
    t0 = time.perf_counter()
    y = x
    for _ in range(n):
        y = y * factor
    t1 = time.perf_counter()
    y.backward()
    t2 = time.perf_counter()
    del y
    t3 = time.perf_counter()
    if not abs(x.grad - factor.data**n) < 1e-6:
        raise RuntimeError(f"the gradient of a chain of {n} factors is wrong: {x.grad}")
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
    }
    with console.status("one loss and its backward pass, in turns"):
        results["exercise 11"] = time_exercise_11(engines, rounds)
    scalars = [name for name in engines if name != "torch"]  # PyTorch's nodes are not Python's to count
    with console.status("memory, each engine in a process of its own"):
        context = multiprocessing.get_context("spawn")
        for name in scalars:
            with context.Pool(1) as pool:
                results["exercise 11"][name] |= pool.apply(memory, (name,))
    with console.status("1,000 steps of training without the garbage collector"):
        results["garbage"] = {name: garbage(engines[name]) for name in scalars}
    # In a process of its own, where the collector does not also trace the objects of PyTorch.
    with console.status("chains of up to a million operations"), context.Pool(1) as pool:
        results["chains"] = pool.apply(time_chains, (rounds,))
        results["chains, collector off"] = pool.apply(time_chains, (rounds, False))
        results["sum"] = pool.apply(time_sums, (rounds,))
    return results


def report(results: dict[str, Any], console: Console) -> None:
    """Print the measurements as tables."""
    console.print(f"\nPython {results['python']}, {results['machine']}, medians, garbage collector on\n")
    table = Table(title="Exercise 11: one loss and its backward pass", title_justify="left")
    for header in (
        "",
        "time",
        "times chainrule",
        "nodes",
        "bytes per node",
        "resident",
        "garbage of 1,000 steps",
    ):
        table.add_column(header, justify="right" if header else "left")
    for name, row in results["exercise 11"].items():
        table.add_row(
            name,
            f"{row['seconds'] * 1e3:.1f} ms",
            f"{row['times chainrule']:.1f}",
            _number(row.get("nodes")),
            _number(row.get("allocated bytes per node")),
            _number(row.get("resident bytes per node")),
            _number(results["garbage"].get(name)),
        )
    console.print(table)
    table = Table(title="chainrule: nanoseconds per node", title_justify="left")
    for header in ("", "record", "sweep", "free", "all", "all, collector off"):
        table.add_column(header, justify="right" if header else "left")
    for n, row in results["chains"].items():
        times = [row[part] for part in ("record", "sweep", "free", "all")]
        times.append(results["chains, collector off"][n]["all"])
        table.add_row(f"a chain of {n:,} operations", *(_number(1e9 * t) for t in times))
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
    console = Console()
    results = measure(arguments.rounds, console)
    report(results, console)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
