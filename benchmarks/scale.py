"""An epoch of a 64-32-10 network on more and more points: time and memory, which should grow with them.

    python -m benchmarks.scale [--points N ...] [--json FILE]

Every contender runs in a process of its own, on the same points in the same order, in float64, with the same
first parameters: batches of 100 points and a step of gradient descent after each. Their last losses are
compared. NumPy, machine code and PyTorch have one core; JAX takes what it gets, as one device or as two
virtual ones between which the points of a batch are shared out.
"""

import argparse
import json
import math
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import autograd
from autograd import Program, Value, logsumexp, take
from benchmarks.timing import one_core
from nn import MLP

BATCH, RATE = 100, 0.05
Step = Callable[[np.ndarray, np.ndarray], Any]
"""Takes a step on a batch of points and classes; returns the mean loss before it."""


def points_of(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return made points of 64 numbers, and the classes that a random network gives them."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((count, 64))
    inner, outer = rng.standard_normal((64, 16)), rng.standard_normal((16, 10))
    y = np.empty(count)
    for start in range(0, count, 10_000):  # a table of all hidden units would be in the way of the memory
        piece = slice(start, start + 10_000)
        y[piece] = (np.tanh(X[piece] @ inner) @ outer).argmax(axis=1)
    return X, y


def network() -> MLP:
    """Return the network, the same in every process."""
    return MLP(64, [32, 10], rng=random.Random(0), init="kaiming")


def program_of(engine: str = "auto") -> Program:
    """Return the program of one point."""
    model = network()
    x, label = [Value(0.1 * k) for k in range(64)], Value(0.0)
    scores = model(x)
    loss = logsumexp(scores) - take(scores, label)
    return autograd.compile(loss, inputs=model.parameters(), data={"x": x, "label": label}, engine=engine)


def compiled(engine: str) -> Step:
    """Run the program of one point on batches."""
    program = program_of(engine)
    program.__enter__()

    def step(points: np.ndarray, labels: np.ndarray) -> float:
        loss = program.batch(x=points, label=labels)
        program.parameters -= RATE * program.gradients
        return loss

    return step


def jax_devices(devices: int) -> Step:
    """Run the same program by JAX, the points of a batch shared out among devices."""
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
    import jax
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    jax.config.update("jax_enable_x64", True)
    mesh = jax.make_mesh((devices,), ("points",), axis_types=(AxisType.Auto,))
    shared_out = NamedSharding(mesh, PartitionSpec("points"))
    program = program_of()
    run = program.to_jax().batch

    @jax.jit
    def move(parameters: Any, data: Any) -> Any:
        loss, gradients = run(parameters, data)
        return loss, parameters - RATE * gradients

    parameters = jax.device_put(program.parameters, NamedSharding(mesh, PartitionSpec()))

    def step(points: np.ndarray, labels: np.ndarray) -> Any:
        nonlocal parameters
        data = jax.device_put({"x": points, "label": labels}, shared_out)
        loss, parameters = move(parameters, data)
        if devices > 1:
            # XLA has as many threads as there are cores. Steps in its queue may hold all of them while a sum
            # over devices waits for the other one's part, and after 40 s XLA ends the process.
            loss.block_until_ready()
        return loss

    return step


def pytorch() -> Step:
    """Run the network as one writes it with PyTorch."""
    import torch

    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)).double()
    numbers = iter(network().parameters())
    with torch.no_grad():
        for layer in (model[0], model[2]):
            for weights, bias in zip(layer.weight, layer.bias, strict=True):
                for k in range(len(weights)):
                    weights[k] = next(numbers).data
                bias.fill_(next(numbers).data)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)

    def step(points: np.ndarray, labels: np.ndarray) -> Any:
        scores = model(torch.from_numpy(points))
        loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(labels).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


CONTENDERS: dict[str, Callable[[], Step]] = {
    "NumPy": lambda: compiled("numpy"),
    "machine code": lambda: compiled("wasm"),
    "JAX, one device": lambda: jax_devices(1),
    "JAX, two virtual devices": lambda: jax_devices(2),
    "PyTorch by hand": pytorch,
}


def epoch(name: str, count: int) -> dict[str, float]:
    """Train for an epoch in this process; return what it took.

    Returns:
        The seconds until the first step was done, those of the epoch, by the clock and of the processors, the
        last batch's loss, and the largest resident memory in bytes, the data and the libraries included.
    """
    if not name.startswith("JAX"):
        one_core()
    begin = time.perf_counter()
    X, y = points_of(count)
    made = time.perf_counter()
    step = CONTENDERS[name]()
    first = float(step(X[:BATCH], y[:BATCH]))
    ready, busy = time.perf_counter(), time.process_time()
    loss = first
    for start in range(BATCH, count, BATCH):
        loss = step(X[start : start + BATCH], y[start : start + BATCH])
    last = float(loss)
    done, busy = time.perf_counter(), time.process_time() - busy
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # kilobytes, on Linux
    steps = math.ceil(count / BATCH)
    share = steps / max(steps - 1, 1)
    return {
        "data": made - begin,
        "ready": ready - made,
        "epoch": (done - ready) * share,
        "processors": busy * share,
        "loss": last,
        "memory": memory,
    }


def measure(counts: list[int]) -> dict[str, dict[int, dict[str, float]]]:
    """Return what every contender took for each number of points; one that cannot run is left out."""
    found: dict[str, dict[int, dict[str, float]]] = {name: {} for name in CONTENDERS}
    for count in counts:
        for name in CONTENDERS:
            command = [sys.executable, "-m", "benchmarks.scale", "--one", name, "--points", str(count)]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode:
                said = [line for line in ran.stderr.splitlines() if "Error" in line] or [ran.stderr]
                print(f"{name} is skipped: {said[-1]}", file=sys.stderr)
                continue
            found[name][count] = json.loads(ran.stdout)
        losses = [runs[count]["loss"] for runs in found.values() if count in runs]
        if losses and not np.allclose(losses, losses[0], rtol=1e-9):
            raise ArithmeticError(f"the losses after {count} points differ: {losses}")
    return found


def report(found: dict[str, dict[int, dict[str, float]]], console: Console) -> None:
    """Print a line per contender and number of points."""
    table = Table(title="an epoch of a 64-32-10 network, batches of 100 points", highlight=False)
    for title in ("", "points", "first step after", "epoch", "processors", "a point", "memory"):
        table.add_column(title, justify="right" if title else "left")
    for name, runs in found.items():
        for count, figures in runs.items():
            table.add_row(
                name,
                f"{count:,}",
                f"{figures['ready']:.2f} s",
                f"{figures['epoch']:.3f} s",
                f"{figures['processors']:.3f} s",
                f"{figures['processors'] / count * 1e6:.2f} µs",
                f"{figures['memory'] / 2**20:.0f} MB",
            )
        table.add_section()
    console.print(table)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, nargs="+", default=[10**3, 10**4, 60_000, 10**5, 10**6])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(epoch(arguments.one, arguments.points[0])))
        return
    found = measure(arguments.points)
    report(found, Console())
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
