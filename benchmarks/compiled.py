"""How fast compiled programs are, beside this engine's eager pass and its peers.

    python -m benchmarks.compiled [--seconds S] [--json FILE] [--plot FILE]

Everyone runs the same loss at the same point, in turns, on one core; figures are medians, and the losses and
gradients are compared before the clock starts. What is not installed is skipped by name.
"""

import argparse
import json
import multiprocessing
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import autograd
from autograd import Value
from benchmarks import contenders, workloads
from benchmarks.contenders import VALUES, Run
from benchmarks.timing import one_core, show, take_turns
from benchmarks.workloads import Workload
from nn import MLP, cross_entropy

OURS: dict[str, contenders.Maker] = {
    "chainrule, eager": contenders.eager,
    "chainrule, compiled": contenders.compiled_leaves,
    "chainrule, compiled, arrays": contenders.compiled_arrays,
    "chainrule, compiled, NumPy": contenders.compiled_numpy,
}
SCALAR_PEERS: dict[str, contenders.Maker] = {
    "CasADi": contenders.casadi,
    "XAD": contenders.xad,
    "NumPy by hand": contenders.numpy_by_hand,
}
ARRAY_PEERS: dict[str, contenders.Maker] = {
    "micrograd": contenders.scalars("micrograd"),
    "PyTorch, scalars": contenders.scalars("torch"),
    "PyTorch, tensors": contenders.torch_tensors,
    "JAX, jit": contenders.jax_jit,
    "C by hand, -O3": contenders.c_by_hand,
}


def measure_workload(
    workload: Workload, makers: dict[str, Callable[[Workload], Run]], seconds: float
) -> dict[str, Any]:
    """Time all contenders at a workload.

    Returns:
        ``seconds`` by contender, ``skipped`` with the reasons, and what the compiler ``recognised``.

    Raises:
        RuntimeError: a contender's loss or gradient is another.
    """
    runs, skipped = {}, {}
    for name, make in makers.items():
        try:
            runs[name] = make(workload)
        except (ImportError, FileNotFoundError) as error:
            skipped[name] = str(error)
    loss, gradient = runs["chainrule, eager"]()
    wrong = [name for name, run in runs.items() if not contenders.agrees(run, loss, np.array(gradient))]
    if wrong:
        raise RuntimeError(f"{workload.name}: the loss or gradient of {', '.join(wrong)} is another")
    program, _ = contenders.compiled(workload)
    return {
        "record and compile": take_turns({"": lambda: contenders.compiled(workload)}, 0.0)[""],
        "recognised": program.summary(),
        "seconds": take_turns(runs, seconds),
        "skipped": skipped,
    }


def measure_digits(seconds: float) -> dict[str, Any]:
    """Time steps and epochs on digits whose mini-batches are fed to one program."""
    X, labels = workloads.digit_images(1500)
    targets, size = np.eye(10)[labels], 64
    model = MLP(64, [32, 10], activation="relu", init="kaiming")
    images = [[Value(x) for x in row] for row in X[:size].tolist()]
    marks = [[Value(t) for t in row] for row in targets[:size].tolist()]
    start = time.perf_counter()
    losses = [cross_entropy(model(row), target) for row, target in zip(images, marks, strict=True)]
    step = autograd.compile(sum(losses) / size, inputs=model.parameters(), data={"X": images, "y": marks})
    built = time.perf_counter() - start
    point = step.parameters.copy()
    loss, gradient = workloads.digits_by_hand(point, X[:size], targets[:size])
    with step:
        value = step(X=X[:size], y=targets[:size])
        if not (abs(value - loss) < 1e-9 and np.linalg.norm(step.gradients - gradient) < 1e-9):
            raise RuntimeError("digits: the compiled step disagrees with NumPy by hand")
        batches = [(X[i : i + size], targets[i : i + size]) for i in range(0, 1500 - size + 1, size)]

        def epoch() -> None:
            for points, wanted in batches:
                step(X=points, y=wanted)
                step.parameters -= 1e-6 * step.gradients

        runs = {
            "chainrule, compiled, fed": lambda: step(X=X[:size], y=targets[:size]),
            "NumPy by hand": lambda: workloads.digits_by_hand(point, X[:size], targets[:size]),
            "an epoch of 1,500 digits": epoch,
        }
        return {
            "record and compile": built,
            "recognised": step.summary(),
            "seconds": take_turns(runs, seconds),
        }


def million(kind: str) -> dict[str, Any]:
    """Record and compile a graph of about a million nodes: seconds, and the peak of the process's memory."""
    if kind == "network":
        model = MLP(2, [16, 16, 1])
        points = np.random.default_rng(0).uniform(-1, 1, (1450, 2)).tolist()
        start = time.perf_counter()
        output = sum((1.0 - model(row)) ** 2 for row in points)
    else:
        workload = {
            "recurrence": lambda: workloads.integrator(16_000),
            "no structure": lambda: workloads.unstructured(700_000),
        }[kind]()
        leaves = [Value(x) for x in workload.point.tolist()]
        start = time.perf_counter()
        output = workload.program(leaves, VALUES)
    recorded = time.perf_counter()
    program = autograd.compile(output)
    end = time.perf_counter()
    return {
        "record": recorded - start,
        "compile": end - recorded,
        "peak memory": peak_memory(),
        "recognised": program.summary(),
    }


def peak_memory() -> int | None:
    """Return the largest resident size of this process in bytes, where the system tells it."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(seconds: float, console: Console) -> dict[str, Any]:
    """Take all measurements; ``seconds`` is how long the turns of each workload last."""
    results: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "workloads": {},
        "million": {},
    }
    everyone = OURS | ARRAY_PEERS | SCALAR_PEERS
    for make in (
        workloads.micrograd_demo,
        lambda: workloads.digits_network(*workloads.digit_images(64)),
        workloads.recurrence,
        workloads.convolution,
        workloads.integrator,
        workloads.unstructured,
    ):
        workload = make()
        with console.status(workload.name):
            makers = everyone if workload.name == "micrograd's demonstration" else OURS | SCALAR_PEERS
            results["workloads"][workload.name] = measure_workload(workload, makers, seconds)
    with console.status("digits, fed"):
        results["digits"] = measure_digits(seconds / 2)
    context = multiprocessing.get_context("spawn")
    for kind in ("network", "recurrence", "no structure"):
        with console.status(f"a million nodes: {kind}"), context.Pool(1) as pool:
            results["million"][kind] = pool.apply(million, (kind,))
    return results


def report(results: dict[str, Any], console: Console) -> None:
    """Print the measurements as tables."""
    console.print(f"\nPython {results['python']}, {results['machine']}, one core, medians of turns\n")
    first = results["workloads"]["micrograd's demonstration"]
    ours = list(OURS)[1:]
    table = Table(
        "", "a step", *(f"x {name}" for name in ours), title="Micrograd's demonstration: loss and gradient"
    )
    for name, seconds in sorted(first["seconds"].items(), key=lambda item: -item[1]):
        table.add_row(name, show(seconds), *(_ratio(seconds / first["seconds"][other]) for other in ours))
    _print(table, console)
    for name, reason in first["skipped"].items():
        console.print(f"{name} is skipped: {reason}")

    shorter = [name.rpartition(", ")[2] for name in OURS]
    table = Table("", *shorter, *SCALAR_PEERS, "eager / compiled", title="All programs")
    for name, result in results["workloads"].items():
        seconds = result["seconds"]
        times = [show(seconds[other]) if other in seconds else "" for other in [*OURS, *SCALAR_PEERS]]
        gain = seconds["chainrule, eager"] / seconds["chainrule, compiled"]
        table.add_row(name, *times, _ratio(gain))
    _print(table, console)

    digits = results["digits"]
    times = digits["seconds"]
    table = Table("", "", title="Digits, fed in batches of 64")
    for name, seconds in times.items():
        table.add_row(name, show(seconds))
    table.add_row(
        "compiled / NumPy by hand", _ratio(times["chainrule, compiled, fed"] / times["NumPy by hand"])
    )
    _print(table, console)

    table = Table("", "record", "compile", "peak memory", title="A million nodes")
    for kind, row in results["million"].items():
        memory = "" if row["peak memory"] is None else f"{row['peak memory'] / 1e9:.2f} GB"
        table.add_row(kind, show(row["record"]), show(row["compile"]), memory)
    _print(table, console)

    console.print("What was recognised:")
    named = results["workloads"] | {"digits, fed": digits}
    named |= {f"a million nodes, {kind}": row for kind, row in results["million"].items()}
    for name, result in named.items():
        built = result.get("record and compile")
        took = "" if built is None else f", in {show(built)}"
        console.print(f"  {name}: {result['recognised']}{took}", soft_wrap=True, highlight=False)


def _print(table: Table, console: Console) -> None:
    table.title_justify = "left"
    for i, column in enumerate(table.columns):
        column.justify, column.no_wrap = "right" if i else "left", True
    console.print(table)
    console.print()


def _ratio(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def plot(results: dict[str, Any], file: Path) -> None:
    """Draw the times of micrograd's demonstration on a logarithmic scale."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    result = results["workloads"]["micrograd's demonstration"]
    seconds, nodes = result["seconds"], result["recognised"].split()[0]
    names = sorted(seconds, key=seconds.__getitem__)
    figure = Figure(figsize=(7.0, 0.34 * len(names) + 0.9), layout="constrained")
    axes = figure.add_subplot()
    colours = ["#c0392b" if name.startswith("chainrule") else "#8fa3b5" for name in names]
    bars = axes.barh(names, [seconds[name] for name in names], color=colours, height=0.7)
    axes.bar_label(bars, [show(seconds[name]).replace("us", "µs") for name in names], padding=4, fontsize=9)
    axes.set_xscale("log")
    low, high = min(seconds.values()), max(seconds.values())
    axes.set_xlim(low / 2.0, high * 6.0)
    axes.set_xlabel("seconds for one loss and its gradient (log scale)")
    axes.set_title(f"Micrograd's demonstration: {nodes} scalar nodes", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    with mpl.rc_context({"svg.hashsalt": "speed"}):  # the same figures give the same file
        figure.savefig(file, dpi=110, metadata={"Date": None} if file.suffix == ".svg" else None)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this part."""
    parser.add_argument(
        "--seconds", type=float, default=8.0, help="how long the turns of each program last (default: 8)"
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw the times of micrograd's demonstration, .svg or .png"
    )


def main() -> None:
    """Measure, print, and write the figures and the picture to files if these are named."""
    parser = argparse.ArgumentParser(description="Measure compiled programs beside their peers.")
    add_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    one_core()
    console = wide_console()
    results = measure(arguments.seconds, console)
    report(results, console)
    if arguments.plot:
        plot(results, arguments.plot)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


def wide_console() -> Console:
    """Return a console with room for the tables, also where the output goes to a file."""
    return Console(width=None if sys.stdout.isatty() else 120)


if __name__ == "__main__":
    main()
