"""Random programs with poles under selections, signed zeros, infinities and denormals, to third order.

``python -m tests.poles --graphs N`` compares a mixed partial derivative of each with PyTorch's and prints
how many agree, and a table of the disagreements, each with its reason. It fails on one that is not explained.
With ``--tally FILE`` the counts are added to those of earlier pieces, which ``--start`` goes on from.

PyTorch multiplies by the branch that was not taken, so that an infinity there makes nan. Its truth is what it
says of the *pruned* program, in which every selection has been replaced by what it chose. Where it disagrees
with that too, the numbers decide: a row whose own derivative differs at this point, a program whose truth,
found by mpmath, only one of the two meets.
"""

import argparse
import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

from mpmath import mp, mpf

from autograd import Value, gradients, ops, topological_order
from autograd.row import Operation
from tests.campaign import INEXACT_IN_TORCH, torch_function
from tests.graphs import Line, Program
from tests.oracle import definition

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, 5e-324, -1e-310, 1e-160, -1e160, 800.0, -800.0)
INFINITE = (math.inf, -math.inf)
SELECTING = [row for row in ops.TABLE.values() if row.selects and row is not ops.strong_mul]
ROWS_TO_DRAW = [row for row in ops.TABLE.values() if row is not ops.strong_mul]
POLES = [row for row in ROWS_TO_DRAW if row.has_pole()]
OTHERS = [row for row in ROWS_TO_DRAW if row not in (*SELECTING, *POLES)]
OTHERS += 3 * [ops.add, ops.sub, ops.mul]
TOLERANCE = 1e-8
LARGEST = 10**6
"""The exponent of 2 where numbers of mpmath overflow here: of one far beyond, no function can be computed."""
SIDE = "; mpmath sides with "
BRANCH = "PyTorch multiplies by the branch not taken; without that branch it agrees"
ZERO = "terms that cancel: both are right to the rounding of these"
NAN = "PyTorch makes nan or inf of 0 on the way"
WEAK = "an adjoint of exactly 0 meets an infinity: strong zeros beyond selections"
FACTOR = (
    "a number on the way over- or underflows, though the derivative does not, or swallows what is smaller"
)
NONE = "there is no derivative: a pole, a tie or nan on the way"
ENDS = "at the ends of the domain and beyond it, where PyTorch squares x"
SQUARES = "PyTorch squares the arguments, which over- or underflows beyond 1e154 and at infinities"
OVERFLOWS = "PyTorch's value, or its definition made of PyTorch's functions, over- or underflows far out"
LIMITS = "at 0 and infinities, where derivatives are limits and mixed ones at x = 0 conventions here"
ROWS = {  # in what the derivatives of a row differ from PyTorch's, and why
    "pow": LIMITS,
    "cbrt": "PyTorch has none; by a power of the absolute value it has no derivative at 0",
    **dict.fromkeys(["asin", "acos", "acosh", "atanh", "tanh"], ENDS),
    **dict.fromkeys(["atan2", "hypot", "atan", "asinh", "log10", "log2"], SQUARES),
    **dict.fromkeys(["gauss", "normal_pdf", "normal_cdf", "erf", "erfc"], OVERFLOWS),
    **dict.fromkeys(["mod", "floordiv"], "the sign of a remainder or quotient of 0"),
    "hardtanh": "of nan: the derivative is 0 here and 1 in PyTorch",
    "logaddexp": "far apart or at infinities, where PyTorch's second derivative is nan",
    **dict.fromkeys(["sign", "abs"], "of nan: PyTorch says 0"),
    **dict.fromkeys(["maximum", "minimum", "clamp"], "which of two equal zeros it gives, 0.0 or -0.0"),
    **dict.fromkeys(["softplus", "log1p", "expm1", "silu", "gelu", "sigmoid", "elu", "mish"], OVERFLOWS),
    "logistic_pdf": OVERFLOWS,
    **dict.fromkeys(["lgamma", "digamma"], "PyTorch's has ten digits, none near its zeros, and other limits"),
    "sinc": "PyTorch's own loses its digits near 0, and is nan at infinities and where its square overflows",
}


def under_selections(rng: random.Random) -> Program:
    """Draw a program of 3 to 14 operations, in which poles meet selections and special numbers."""
    inputs = [number(rng) for _ in range(rng.randint(1, 3))]
    lines: list[Line] = []

    def append(row: Operation, *arguments: int | float) -> int:
        lines.append(Line(row, arguments))
        return len(inputs) + len(lines) - 1

    def wire() -> int:
        return rng.randrange(len(inputs) + len(lines))

    def argument() -> int | float:
        return wire() if rng.random() < 0.7 else number(rng)

    def apply(row: Operation) -> int:
        return append(row, wire(), *[0.0 if a in row.constants else argument() for a in row.arguments[1:]])

    def guarded() -> int:
        """A pole in one branch, and a condition that may or may not keep it out."""
        condition = apply(rng.choice([ops.greater, ops.less, ops.greater_equal, ops.less_equal]))
        condition = condition if rng.random() < 0.7 else wire()
        branches = [apply(rng.choice(POLES)), argument()]
        rng.shuffle(branches)
        return append(ops.where, condition, *branches)

    def fed() -> int:
        """A pole of what a selection gives."""
        chosen = apply(rng.choice(SELECTING))
        row = rng.choice(POLES)
        if row.constants:  # an order
            return append(row, chosen, *row.defaults)
        rest = [argument() for _ in range(row.arity - 1)]
        return append(row, *rng.sample([chosen, *rest], row.arity))

    makers: list[Callable[[], int]] = [guarded, fed, lambda: apply(rng.choice(OTHERS + SELECTING + POLES))]
    ends = [rng.choices(makers, (3, 2, 4))[0]() for _ in range(rng.randint(1, 4))]
    while len(ends) > 1:
        ends.append(append(rng.choice([ops.add, ops.mul, ops.maximum, ops.sub]), ends.pop(0), ends.pop(0)))
    return Program(tuple(inputs), tuple(lines))


def number(rng: random.Random) -> float:
    """Draw an ordinary number, a special one, or rarely an infinity."""
    kind = rng.random()
    return rng.uniform(-3.0, 3.0) if kind < 0.5 else rng.choice(SPECIAL if kind < 0.97 else INFINITE)


def chosen(row: Operation, x: Sequence[float]) -> Any:
    """Return what a row comes to at these numbers if it selects and there is no tie, None otherwise.

    Returns:
        The place of the argument chosen, a constant as a float, or a row and the places it is computed by.
    """
    if row is ops.where:
        return 1 if x[0] else 2
    if row.name in ("greater", "greater_equal", "less", "less_equal"):
        return row.value(*x)
    if row in (ops.floor, ops.ceil, ops.round):  # at a jump a difference would find infinity
        return row.value(*x)
    if any(map(math.isnan, x)):
        return None
    if row is ops.sign:
        return row.value(*x)
    if row in (ops.maximum, ops.minimum):
        return None if x[0] == x[1] else 1 - int((x[0] > x[1]) == (row is ops.maximum))
    if row is ops.relu:
        return 0 if x[0] > 0.0 else 0.0
    if row is ops.leaky_relu:
        return 0 if x[0] > 0.0 else (ops.mul, (0, 1)) if x[0] else None
    if row is ops.elu:
        return 0 if x[0] > 0.0 else None
    if row is ops.clamp and x[1] < x[2] and x[0] not in x[1:]:
        return 1 if x[0] < x[1] else 2 if x[0] > x[2] else 0
    return None


def in_torch(program: Program, *, pruned: bool) -> tuple[Any, list[Any]]:
    """Return the output and the inputs of a program as PyTorch computes it."""
    import torch

    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in program.inputs]

    def apply(row: Operation, *arguments: Any) -> Any:
        tensors = [a if torch.is_tensor(a) else torch.tensor(a, dtype=torch.float64) for a in arguments]
        choice = chosen(row, [t.item() for t in tensors]) if pruned else None
        if choice is None:
            pairs = zip(row.arguments, tensors, strict=True)
            return torch_function(row)(*[int(t) if name in row.constants else t for name, t in pairs])
        if isinstance(choice, int):
            return tensors[choice]
        if isinstance(choice, float):
            return torch.tensor(choice, dtype=torch.float64)
        return torch_function(choice[0])(*[tensors[i] for i in choice[1]])

    return program.wires(inputs, apply)[-1], inputs


def torch_partial(program: Program, by: Sequence[int], *, pruned: bool) -> list[float]:
    """Return PyTorch's gradient of the mixed partial derivative by some inputs."""
    import torch

    output, inputs = in_torch(program, pruned=pruned)
    for index in (*by, None):
        if not output.requires_grad:
            return [0.0] * len(inputs)
        found = torch.autograd.grad(
            output, inputs, create_graph=index is not None, allow_unused=True, materialize_grads=True
        )
        if index is None:
            return [g.item() for g in found]
        output = found[index]
    raise AssertionError


def our_partial(program: Program, by: Sequence[int]) -> list[float]:
    """Return the engine's: of the first order by the sweep of ``backward``, of higher ones recorded."""
    leaves = [Value(x) for x in program.inputs]
    output = program(*leaves)
    for index in by:
        output = gradients(output, leaves[index], create_graph=True)
    output.backward()
    return [leaf.grad for leaf in leaves]


def same(a: float, b: float) -> bool:
    """Tell whether two numbers agree: nan with nan, an infinity with itself, others nearly."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or (math.isfinite(a) and math.isfinite(b) and abs(a - b) <= TOLERANCE * max(abs(a), abs(b)))


def alike(a: Sequence[float], b: Sequence[float]) -> bool:
    """Tell whether two gradients agree."""
    return all(map(same, a, b))


def compare(index: int, seed: int = 0) -> str:
    """Return in what way a random program's derivative agrees with PyTorch's or not."""
    import torch

    torch.set_num_threads(1)
    rng = random.Random(f"poles {seed} {index}")
    program = under_selections(rng)
    order = rng.choice((1, 1, 2, 3))
    by = [rng.randrange(len(program.inputs)) for _ in range(order - 1)]
    ours, theirs = our_partial(program, by), torch_partial(program, by, pruned=False)
    if alike(ours, theirs):
        return f"{order}: agree"
    pruned = torch_partial(program, by, pruned=True)
    if alike(ours, pruned):
        return f"{order}: {BRANCH}"
    return f"{order}: {reason(program, by, ours, pruned)}"


def reason(program: Program, by: Sequence[int], ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Return why the engine disagrees with PyTorch's derivative of the pruned program."""
    for line, x in at_work(program):
        for row, point in rows_of(line.operation, x):
            found = row_disagrees(row, point, len(by) + 1)
            if found:
                return found
    by_rounding = [max(1e-9, 1e-13 * size if size < math.inf else 0.0) for size in added_up(program, by)]
    if all(same(a, b) or abs(a - b) < r for a, b, r in zip(ours, theirs, by_rounding, strict=True)):
        return ZERO
    side = sides(ours, theirs, true_partial(program, by))
    if side == "the engine":
        return NAN + SIDE + side
    if weak(program, by, theirs):
        return WEAK
    if extreme(program):
        return FACTOR + (SIDE + side) * (side != "neither")
    return "UNEXPLAINED" if side == "PyTorch" else NONE


def added_up(program: Program, by: Sequence[int]) -> list[float]:
    """Return the sizes of what is added up to each number of a derivative: all paths, without their signs."""
    leaves = [Value(x) for x in program.inputs]
    output = program(*leaves)
    for index in by:
        output = gradients(output, leaves[index], create_graph=True)
    sizes: dict[Value, float] = dict.fromkeys(leaves, 0.0) | {output: 1.0}
    for node in reversed(topological_order(output)):
        if node.op is not None:
            numbers = [parent.data for parent in node.parents]
            for parent, derivative in zip(node.parents, node.op.derivatives, strict=True):
                if not parent.is_constant:
                    size = sizes.get(node, 0.0) * abs(derivative(node.data, *numbers))
                    sizes[parent] = sizes.get(parent, 0.0) + size
    return [sizes[leaf] for leaf in leaves]


def sides(ours: Sequence[float], theirs: Sequence[float], truth: Sequence[float]) -> str:
    """Return who is right where two gradients differ: the engine, PyTorch, or neither."""
    differ = [(a, b, t) for a, b, t in zip(ours, theirs, truth, strict=True) if not same(a, b)]
    if any(math.isnan(t) for _, _, t in differ):
        return "neither"
    if all(same(a, t) or abs(a - t) < 1e-300 for a, _, t in differ):
        return "the engine"
    return "PyTorch" if all(same(b, t) for _, b, t in differ) else "neither"


def sizes(program: Program) -> list[float]:
    """Return the absolute values of the numbers that occur in a program."""
    numbers = [abs(x) for _, arguments in at_work(program) for x in arguments]
    return numbers + list(map(abs, program.wires(program.inputs)))


def extreme(program: Program) -> bool:
    """Tell whether numbers occur in a program whose products over- or underflow."""
    return any(x > 1e75 or 0.0 < x < 1e-75 for x in sizes(program))


def digits_for(program: Program) -> int:
    """Return with how many digits to differentiate: so many that a quotient overflows at a pole.

    The gamma function takes minutes to as many: there they are what differences of the smallest number need.
    """
    if all(line.operation not in INEXACT_IN_TORCH for line in program.lines):
        return 700
    magnitudes = [abs(math.log10(x)) for x in sizes(program) if 0.0 < x < math.inf]
    return 50 + 2 * round(max(magnitudes, default=0.0))


def at_work(program: Program) -> list[tuple[Line, tuple[float, ...]]]:
    """Return each line with the numbers it computes with."""
    wires = program.wires(program.inputs)
    return [
        (line, tuple(wires[a] if a.__class__ is int else float(a) for a in line.arguments))
        for line in program.lines
    ]


def rows_of(row: Operation, x: tuple[float, ...]) -> list[tuple[Operation, tuple[float, ...]]]:
    """Return what a line computes after pruning."""
    choice = chosen(row, x)
    if choice is None:
        return [(row, x)]
    return [(choice[0], tuple(x[i] for i in choice[1]))] if isinstance(choice, tuple) else []


@cache
def row_disagrees(row: Operation, x: tuple[float, ...], order: int) -> str:
    """Return in what a row alone disagrees with PyTorch at a point, up to an order; "" if in nothing."""
    varied = len(row.differentiable)  # an order, as any constant argument, comes last
    alone = Program(x[:varied], (Line(row, (*range(varied), *x[varied:])),))
    place = f"{row.name}: {ROWS.get(row.name, 'UNEXPLAINED')}"
    ours, theirs = row.value(*x), in_torch(alone, pruned=False)[0].item()
    if not same(ours, theirs):
        return place
    if ours == 0.0 and math.copysign(1.0, ours) != math.copysign(1.0, theirs):
        return place
    size = min(max([0.01, *map(abs, x)]), 1000.0)
    ways: list[list[int]] = [[]]
    for _ in range(order):
        for by in ways:
            a, b = our_partial(alone, by), torch_partial(alone, by, pruned=False)
            left = 1e-14 * max(1.0, size) * max(1.0, 1.0 / size) ** (len(by) + 1)  # by rounding, of 0
            if any(not same(p, q) and not abs(p - q) < left for p, q in zip(a, b, strict=True)):
                side = sides(a, b, true_partial(alone, by))
                return place + (SIDE + side) * (side != "neither")
        ways = [[*by, i] for by in ways for i in range(varied)]
    return ""


def true_partial(program: Program, by: Sequence[int]) -> list[float]:
    """Return the gradient of the mixed partial derivative of the pruned program, nan where there is none."""

    def run(*inputs: Any) -> Any:
        wires = list(inputs)
        for line, x in at_work(program):
            arguments = [wires[a] if a.__class__ is int else mpf(a) for a in line.arguments]
            choice = chosen(line.operation, x)
            if choice is None:
                result = definition(line.operation)(*arguments)
            elif isinstance(choice, int):
                result = arguments[choice]
            elif isinstance(choice, float):
                result = mpf(choice)
            else:
                result = definition(choice[0])(*[arguments[i] for i in choice[1]])
            if isinstance(result, mp.mpc):
                if result.imag:
                    raise ValueError("complex, so undefined")
                result = result.real
            overflows = mp.isfinite(result) and mp.mag(result) > LARGEST
            wires.append(mp.inf * mp.sign(result) if overflows else result)
        return wires[-1]

    digits, found = digits_for(program), []
    for last in range(len(program.inputs)):
        counts = [0] * len(program.inputs)
        for index in (*by, last):
            counts[index] += 1
        try:
            with mp.workdps(digits):
                result = mp.diff(run, tuple(map(mpf, program.inputs)), tuple(counts))
                found.append(float(result))
        except (ArithmeticError, ValueError):  # mpmath raises at poles, and has complex results
            found.append(math.nan)
    return found


def weak(program: Program, by: Sequence[int], theirs: Sequence[float]) -> bool:
    """Tell whether the engine would say what PyTorch says if 0 times infinity were nan in it."""

    def product(sent: Any, local: Any, *_: Any, **__: Any) -> Any:
        return sent * local

    with mock.patch.multiple("autograd.sweeping", contribution=product, recorded=product):
        return alike(weak_partial(program, by), theirs)


def weak_partial(program: Program, by: Sequence[int]) -> list[float]:
    """Return the engine's derivative of the pruned program; for `weak`."""
    leaves = [Value(x) for x in program.inputs]

    def apply(row: Operation, *arguments: Any) -> Any:
        choice = chosen(row, [a.data if isinstance(a, Value) else float(a) for a in arguments])
        if choice is None:
            return row(*arguments)
        if isinstance(choice, int):
            return arguments[choice]
        return choice if isinstance(choice, float) else choice[0](*[arguments[i] for i in choice[1]])

    output = program.wires(leaves, apply)[-1]
    if not isinstance(output, Value):
        return [0.0] * len(leaves)
    for index in by:
        output = gradients(output, leaves[index], create_graph=True)
    return list(gradients(output, leaves))


def run(indices: Sequence[int], seed: int) -> Counter[str]:
    """Compare several programs; name those that are not explained."""
    found = Counter[str]()
    for index in indices:
        verdict = compare(index, seed)
        found[f"{verdict} (graph {index})" if "UNEXPLAINED" in verdict else verdict] += 1
    return found


def table(total: Counter[str]) -> str:
    """Return the counts of each kind of disagreement, by order and by the side that 50 digits take.

    Args:
        total: how often each verdict was given.

    Returns:
        A table in Markdown, the commonest first.
    """
    counts: dict[str, Counter[str]] = {}
    names: dict[str, set[str]] = {}
    for verdict, count in total.items():
        text, _, side = verdict[3:].partition(SIDE)
        name, _, why = text.partition(": ")
        known = ROWS.get(name) == why
        counts.setdefault(why if known else text, Counter()).update(
            {"all": count, verdict[0]: count, side: count}
        )
        names.setdefault(why if known else text, set()).update([name] * known)
    agree = counts.pop("agree", Counter())
    lines = [
        f"{agree['all']:,} of {total.total():,} agree with PyTorch "
        f"({', '.join(f'order {order}: {agree[order]:,}' for order in '123')}). Where they do not:",
        "",
        "| programs | order 1 | order 2 | order 3 | chainrule is right | PyTorch is right | why |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for why, found in sorted(counts.items(), key=lambda item: -item[1]["all"]):
        rows = ", ".join(f"`{name}`" for name in sorted(names[why]))
        cells = [f"{found[column]:,}" for column in ("all", *"123", "the engine", "PyTorch")]
        lines.append(f"| {' | '.join(cells)} | {rows}{': ' * bool(rows)}{why} |")
    return "\n".join(lines)


def tally(path: Path, found: Counter[str]) -> Counter[str]:
    """Return the counts of all pieces so far, having added one to the file that keeps them."""
    total = Counter(json.loads(path.read_text())) if path.exists() else Counter[str]()
    total += found
    path.write_text(json.dumps(total, indent=1))
    return total


def main() -> int:
    """Run the comparison and print its table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--graphs", type=int, default=1000)
    parser.add_argument("--start", type=int, default=0, help="the first graph, to go on where one stopped")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--tally", type=Path, help="a file that keeps the counts of all pieces")
    options = parser.parse_args()
    end = options.start + options.graphs
    blocks = [range(start, min(start + 200, end)) for start in range(options.start, end, 200)]
    total, began = Counter[str](), time.monotonic()
    with ProcessPoolExecutor(options.processes) as pool:
        for found in pool.map(partial(run, seed=options.seed), blocks):
            total += found
    if options.tally:
        total = tally(options.tally, total)
    print(table(total))
    print(f"{total.total():,} graphs in {time.monotonic() - began:.0f} s")
    return int(any("UNEXPLAINED" in text for text in total))


if __name__ == "__main__":
    sys.exit(main())
