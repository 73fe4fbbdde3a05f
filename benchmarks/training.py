"""What ``fit`` costs over the same loop written by hand, and what compiling it gains.

    python -m benchmarks.training [--rounds N]

The variants take turns in one run; figures are medians of the time per epoch.
"""

import argparse
import random
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from autograd.value import constant
from nn import MLP, Adam, cross_entropy, digits, fit, hinge, minibatches, two_moons
from nn.losses import Loss

Problem = tuple[str, Callable[[], MLP], Loss, np.ndarray, np.ndarray, int]


def by_hand(model: MLP, optimizer: Adam, loss: Loss, X, y, batch_size: int) -> None:
    """Train one epoch as one would write it."""
    for points, targets in minibatches(X, y, batch_size):
        optimizer.zero_grad()
        outputs = [model([constant(x) for x in row]) for row in points.tolist()]
        total = sum(loss(output, target) for output, target in zip(outputs, targets.tolist(), strict=True))
        (total / len(outputs)).backward()
        optimizer.step()


def problems() -> list[Problem]:
    """Return what is trained: name, network, loss, points, targets, batch size."""
    X, y = two_moons(100, noise=0.1, random_state=0)
    images, labels = digits()
    return [
        ("moons, 2-16-16-1", lambda: MLP(2, [16, 16, 1], rng=random.Random(0)), hinge, X, 2 * y - 1, 20),
        (
            "100 digits, 64-32-10",
            lambda: MLP(64, [32, 10], rng=random.Random(0), init="kaiming"),
            cross_entropy,
            images[:100] / 16,
            labels[:100],
            25,
        ),
    ]


def measure(problem: Problem, rounds: int) -> list[float]:
    """Return the median seconds per epoch by hand, with ``fit``, and with ``fit`` compiled."""
    _, network, loss, X, y, batch_size = problem
    times: list[list[float]] = [[], [], []]
    models = [network() for _ in times]
    optimizers = [Adam(model.parameters()) for model in models]
    for _ in range(rounds):
        start = time.perf_counter()
        by_hand(models[0], optimizers[0], loss, X, y, batch_size)
        times[0].append(time.perf_counter() - start)
        start = time.perf_counter()
        fit(models[1], X, y, loss, optimizers[1], 1, batch_size)
        times[1].append(time.perf_counter() - start)
    clock: list[float] = []
    watch = [lambda _run: clock.append(time.perf_counter())]
    fit(models[2], X, y, loss, optimizers[2], rounds + 1, batch_size, callbacks=watch, compile=True)
    times[2] = np.diff(clock).tolist()  # the first epoch records and compiles
    return [median(t) for t in times]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="epochs per variant")
    rounds = parser.parse_args().rounds
    table = Table("problem", "by hand", "fit", "overhead", "fit, compiled", "gain", title="time per epoch")
    for problem in problems():
        hand, fitted, compiled = measure(problem, rounds)
        table.add_row(
            problem[0],
            f"{hand * 1e3:.1f} ms",
            f"{fitted * 1e3:.1f} ms",
            f"{fitted / hand - 1:+.1%}",
            f"{compiled * 1e3:.2f} ms",
            f"{fitted / compiled:.0f} x",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
