"""What compiled programs cost, family by family: statements, time to compile, and time of a step.

    python -m benchmarks.families [--nodes N ...] [--seconds S] [--only NAME ...]

The programs are those of ``tests/program_families.py``, at sizes that give about as many nodes as are asked
for. A step is a loss with its gradients, on arrays; the engine's own pass records the graph anew.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

import autograd
from autograd import Value, topological_order
from benchmarks.timing import show, take_turns
from tests.program_families import FAMILIES, make


def size_of(name: str, nodes: int) -> int:
    """Return a size of a family at which its graph has about so many nodes."""
    size = FAMILIES[name].sizes[1]
    grown = size
    while count(name, grown) < nodes and grown < 2**20:
        size, grown = grown, grown * 2
    return min((size, grown), key=lambda s: abs(count(name, s) - nodes))


def count(name: str, size: int) -> int:
    """Return how many nodes the graph of a family's program has."""
    build, point = make(name, size)
    return len(topological_order(build([Value(x) for x in point])))


def measure(name: str, nodes: int, seconds: float) -> dict[str, Any]:
    """Measure one family at about so many nodes."""
    build, point = make(name, size_of(name, nodes))
    leaves = [Value(x) for x in point]
    graph = build(leaves)
    found = len(topological_order(graph))
    programs, compiling = {}, {}
    for engine in ("numpy", "wasm"):
        begin = time.process_time()
        programs[engine] = autograd.compile(graph, inputs=leaves, engine=engine)
        compiling[engine] = time.process_time() - begin

    def eager() -> None:
        build(leaves).backward()

    runs: dict[str, Callable[[], Any]] = {"eager": eager}
    for engine, program in programs.items():
        program.__enter__()
        runs[engine] = program
    taken = take_turns(runs, seconds)
    for program in programs.values():
        program.__exit__(None, None, None)
    statements = int(programs["numpy"].summary().split("-> ")[1].split(" ")[0].replace(",", ""))
    return {"nodes": found, "statements": statements, "compiling": compiling, "seconds": taken}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure compiled programs family by family.")
    parser.add_argument("--nodes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--seconds", type=float, default=0.5, help="for each program (default: 0.5)")
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES), metavar="NAME")
    given = parser.parse_args(arguments)
    table = Table("family", "nodes", "statements", "compiling, us a node", "eager", "NumPy", "machine code")
    for name in given.only:
        for nodes in given.nodes:
            row = measure(name, nodes, given.seconds)
            compiling = row["compiling"]["wasm"] / row["nodes"] * 1e6
            times = [show(row["seconds"][engine]) for engine in ("eager", "numpy", "wasm")]
            table.add_row(name, f"{row['nodes']:,}", f"{row['statements']:,}", f"{compiling:.1f}", *times)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
