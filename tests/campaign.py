"""The campaign: random programs whose gradients are compared with independent ones.

``python -m tests.campaign --graphs N --torch-graphs M`` prints the figures that the README quotes, and
``--structured N`` those of compiled programs.

*Against mpmath*: the truth is a difference quotient of the definitions in 115 digits, right to more than 50.
Each entry of the gradient must lie within 16 * 2^-53 of it, relative to the sum of the absolute contributions
of all paths, and the whole gradient within 1e-13 of its norm. Double arithmetic can promise that for programs
that magnify no rounding errors, which is how they are drawn (`tests.graphs`). A program whose contributions
cancel by more than a factor of 50 is drawn anew, and counted.

*Against PyTorch*, where it is installed, kinks and ties are hit exactly. PyTorch's own local derivatives, as
1 - z*z for tanh, have absolute errors; each is granted 2^-48. The gamma function's rows are left out.

*Compiled programs* (`tests.structured_programs`) are compared with their graphs recorded anew, in every way
that a program runs (`tests.replaying`), every other one at infinities, nan and signed zeros, too.
"""

import argparse
import math
import random
import sys
import time
from collections.abc import Callable, Container, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from mpmath import mp, mpf

from autograd import ops
from autograd.row import Operation
from autograd.sweeping import topological_order
from autograd.value import Value
from tests import replaying
from tests.graphs import ULP, Program, structured, unstructured, well_conditioned
from tests.oracle import definition

DIGITS, STEP = 115, 55
CANCELLATION = 50.0


@dataclass
class Figures:
    """What a part of the campaign found."""

    graphs: int = 0
    operations: int = 0
    redrawn: int = 0
    worst_entry: float = 0.0
    worst_norm: float = 0.0
    failures: tuple[str, ...] = ()

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.graphs + other.graphs,
            self.operations + other.operations,
            self.redrawn + other.redrawn,
            max(self.worst_entry, other.worst_entry),
            max(self.worst_norm, other.worst_norm),
            self.failures + other.failures,
        )


def draw(rng: random.Random, *, ties: bool, without: Container[Operation] = ()) -> Program:
    """Draw a program of 10 to 300 operations, of all magnitudes alike; one in ten a network."""
    if rng.random() < 0.1:
        while True:
            program = structured(rng)
            if 10 <= len(program.lines) <= 300 and well_conditioned(program):
                return program
    size = round(math.exp(rng.uniform(math.log(10.0), math.log(300.0))))
    return unstructured(rng, size, ties=ties, without=without)


def gradient(program: Program) -> tuple[Value, list[Value], list[float]]:
    """Return the output, the leaves and the engine's gradient."""
    leaves = [Value(x) for x in program.inputs]
    root = program(*leaves)
    root.backward()
    return root, leaves, [leaf.grad for leaf in leaves]


def path_sums(root: Value, leaves: Sequence[Value], grant: float = 0.0) -> list[float]:
    """Return for each leaf the sum over all paths of the product of |local derivative| + grant."""
    sums = {root: 1.0}
    for node in reversed(topological_order(root)):
        if node.op is not None:
            parents = node.parents
            arguments = (node.data, *[parent.data for parent in parents])
            for place in node.op.differentiable:
                size = abs(node.op.derivatives[place](*arguments)) + grant
                sums[parents[place]] = sums.get(parents[place], 0.0) + sums[node] * size
    return [sums.get(leaf, 0.0) for leaf in leaves]


def exact_gradient(program: Program) -> list[Any]:
    """Return the gradient to more than 50 digits, by difference quotients of the rows' definitions."""

    def run(inputs: list[Any]) -> Any:
        return program.wires(inputs, lambda operation, *arguments: definition(operation)(*arguments))[-1]

    with mp.workdps(DIGITS):
        inputs = [mpf(x) for x in program.inputs]
        h = mpf(10) ** -STEP
        value = run(inputs)
        return [(run([*inputs[:i], x + h, *inputs[i + 1 :]]) - value) / h for i, x in enumerate(inputs)]


def against_mpmath(index: int, seed: int = 0) -> Figures:
    """Compare one graph with mpmath."""
    rng = random.Random(f"mpmath {seed} {index}")
    found = Figures(graphs=1)
    while True:
        program = draw(rng, ties=False)
        root, leaves, ours = gradient(program)
        sums = path_sums(root, leaves)
        if 0.0 < math.hypot(*sums) <= CANCELLATION * math.hypot(*ours):
            break
        found.redrawn += 1
    truth = exact_gradient(program)
    errors = [float(abs(mpf(g) - t)) for g, t in zip(ours, truth, strict=True)]
    found.operations = len(program.lines)
    found.worst_entry = max(e / (s * ULP) if s else e and math.inf for e, s in zip(errors, sums, strict=True))
    found.worst_norm = math.hypot(*errors) / math.hypot(*map(float, truth))
    if not (found.worst_entry <= 16.0 and found.worst_norm <= 1e-13):
        found.failures = (
            f"mpmath graph {index}: entry {found.worst_entry:.1f}, norm {found.worst_norm:.2g}",
        )
    return found


INEXACT_IN_TORCH = (ops.lgamma, ops.digamma)
"""Rows that PyTorch cannot judge: its digamma loses digits near its zero, its trigamma has ten."""


@cache
def torch_function(row: Operation) -> Callable[..., Any]:
    """Return PyTorch's function of a row's name, or the row's definition made of PyTorch's functions."""
    import torch

    functional = torch.nn.functional
    if row.name == "where":
        return lambda condition, x, y: torch.where(condition != 0.0, x, y)
    if row.name == "strong_mul":  # the same where both factors are finite
        return torch.mul
    if row.name == "softplus":  # by default it is linear beyond 20; its exponential overflows beyond 709
        return lambda x: functional.softplus(x, threshold=700.0)
    if row.name in ("greater", "greater_equal", "less", "less_equal"):
        compare = getattr(torch, row.name)
        return lambda x, y: compare(x, y).double()
    if row.name == "sinc":
        return _torch_sinc
    if row.name == "floordiv":  # the quotient alone would be rounded up to a whole number
        return lambda x, y: torch.div(x, y, rounding_mode="floor")
    name = {"pos": "positive", "mod": "remainder"}.get(row.name, row.name)
    if row.name == "clamp" or not row.defaults:
        for module in (torch, functional):
            if hasattr(module, name):
                return getattr(module, name)
    names = {
        **vars(torch),
        "pi": math.pi,
        "sqrt": lambda x: math.sqrt(x) if isinstance(x, (int, float)) else torch.sqrt(x),
        "root": lambda x, n: x ** (1.0 / n),
    }
    return eval(f"lambda {', '.join(row.arguments)}: {row.definition}", names)


def _torch_sinc(x: Any, _: Any) -> Any:
    """Return sinc, exactly 0 at whole numbers, and near 0 with the digits that PyTorch's has lost there.

    It is (-1)**k (x - k) / x sinc(x - k) with the nearest whole k, and there a product of cosines.
    """
    import torch

    nearest = torch.round(x.detach())
    at_zero = nearest == 0.0
    rest = x - nearest
    factor = torch.where(at_zero, 1.0, rest / torch.where(at_zero, 1.0, x))
    angle = (math.pi / 64.0) * rest
    square = angle * angle
    product = 1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0)))
    for k in range(1, 7):
        product = product * torch.cos(math.pi / 2.0**k * rest)
    return torch.where(nearest % 2.0 == 0.0, product, -product) * factor


def against_torch(index: int, seed: int = 0) -> Figures:
    """Compare one graph with PyTorch."""
    import torch

    torch.set_num_threads(1)
    rng = random.Random(f"torch {seed} {index}")
    program = draw(rng, ties=rng.random() < 0.5, without=INEXACT_IN_TORCH)
    root, leaves, ours = gradient(program)
    sums = path_sums(root, leaves)
    granted = path_sums(root, leaves, grant=2.0**-48)
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in program.inputs]
    constants: dict[float, Any] = {}

    def apply(operation: Operation, *arguments: Any) -> Any:
        for a in arguments:
            if a.__class__ is float and a not in constants:
                constants[a] = torch.tensor(a, dtype=torch.float64)
        return torch_function(operation)(*[constants[a] if a.__class__ is float else a for a in arguments])

    output = program.wires(tensors, apply)[-1]
    if output.requires_grad:
        output.backward()
    theirs = [0.0 if tensor.grad is None else tensor.grad.item() for tensor in tensors]
    found = Figures(graphs=1, operations=len(program.lines))
    for i, (g, t) in enumerate(zip(ours, theirs, strict=True)):
        allowed = 16.0 * ULP * sums[i] + (granted[i] - sums[i])
        error = abs(g - t)
        found.worst_entry = max(found.worst_entry, error / allowed if allowed else error and math.inf)
    found.worst_norm = math.dist(ours, theirs) / (math.hypot(*sums) or 1.0)
    if not found.worst_entry <= 1.0:
        found.failures = (f"torch graph {index}: {found.worst_entry:.2g} of what is allowed",)
    return found


def structured_program(index: int, seed: int = 0) -> Figures:
    """Compare one compiled structured program with its graph; its runs are what counts as operations."""
    name = f"structured {seed} {index}"
    try:
        compared = replaying.check(name, poles=index % 2 == 1)
    except Exception as error:  # of whatever kind it is, it is found and reported
        return Figures(graphs=1, failures=(f"{name}: {type(error).__name__}: {error}",))
    return Figures(graphs=1, operations=compared, redrawn=not compared)


def run(compare: Callable[..., Figures], indices: Iterable[int], seed: int) -> Figures:
    """Compare several graphs."""
    return sum((compare(index, seed) for index in indices), Figures())


def campaign(compare: Callable[..., Figures], graphs: int, seed: int, processes: int) -> Figures:
    """Compare many graphs in several processes, printing how far it has come."""
    size = max(1, min(500, graphs // (4 * processes)))
    blocks = [range(start, min(start + size, graphs)) for start in range(0, graphs, size)]
    total, began, told = Figures(), time.monotonic(), 0
    with ProcessPoolExecutor(processes) as pool:
        for figures in pool.map(partial(run, compare, seed=seed), blocks):
            total += figures
            for failure in figures.failures:
                print("FAILED", failure, flush=True)
            if total.graphs * 10 // graphs > told:
                told = total.graphs * 10 // graphs
                print(
                    f"  {total.graphs:,} graphs after {time.monotonic() - began:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )
    return total


def main() -> int:
    """Run the campaign and print its figures."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--graphs", type=int, default=1000, help="how many against mpmath")
    parser.add_argument(
        "--torch-graphs", type=int, default=None, help="how many against PyTorch (default: 10 x)"
    )
    parser.add_argument("--structured", type=int, default=0, help="how many compiled programs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    failures = 0
    if options.graphs:
        f = campaign(against_mpmath, options.graphs, options.seed, options.processes)
        failures += len(f.failures)
        print(
            f"mpmath: {f.graphs:,} graphs, {f.operations:,} operations, {len(f.failures)} failures; "
            f"worst entry {f.worst_entry:.2f} * 2^-53 * path sum (16 allowed), "
            f"worst norm-relative error {f.worst_norm:.2g} (1e-13 allowed); "
            f"{f.redrawn:,} drawn anew for cancellation"
        )
    count = 10 * options.graphs if options.torch_graphs is None else options.torch_graphs
    if count:
        f = campaign(against_torch, count, options.seed, options.processes)
        failures += len(f.failures)
        print(
            f"torch: {f.graphs:,} graphs, {f.operations:,} operations, {len(f.failures)} failures; "
            f"worst entry {f.worst_entry:.2f} of what is allowed, "
            f"worst difference {f.worst_norm:.2g} of the path sums, in the norm"
        )
    if options.structured:
        f = campaign(structured_program, options.structured, options.seed, options.processes)
        failures += len(f.failures)
        print(
            f"compiled: {f.graphs:,} structured programs, {f.operations:,} runs, {len(f.failures)} failures; "
            f"{f.redrawn:,} left out as badly conditioned"
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
