"""Random straight-line programs over the operation table: the material of the campaign and of many tests.

A program is a list of rows and the wires they read, so it runs on any number type that the rows accept:
floats, Values, tensors, 50-digit numbers, a compiler's symbols. Its figures (`Conditioning`) are computed
beside it, because no arithmetic of doubles can agree with an exact one on a program that magnifies rounding
errors: a comparison to the last digits needs programs that do not.
"""

import math
import random
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd import ops
from autograd.row import Operation
from tests.rows import settled

ULP = 2.0**-53


STEPS = frozenset(  # rows without a derivative, so drawn rarely
    name
    for name, row in ops.TABLE.items()
    if not any(row.derivatives[i](*(row.arity + 1) * [0.4]) for i in row.differentiable)
)
PIECEWISE = frozenset(name for name, row in ops.TABLE.items() if row.kinks)
CONSTANTS = (0.5, -1.0, 2.0, 3.0, 0.1, -0.7, 1.5)
IEEE = STEPS | {"add", "sub", "mul", "div", "sqrt", "neg", "pos"}  # the same bits in every implementation
IEEE |= {"abs", "relu", "leaky_relu", "where", "maximum", "minimum", "clamp"}
AT_TIES = (0.0, 1.0, -1.0, 1.0, 0.0, 0.5)  # equal inputs and zeros, so that kinks are hit exactly


@dataclass(frozen=True)
class Line:
    """One operation; an int argument is a wire (inputs first, then the earlier lines), a float a constant."""

    operation: Operation
    arguments: tuple[int | float, ...]


@dataclass(frozen=True)
class Program:
    """A straight-line program: inputs to run it at, and its lines, the last of which is the output."""

    inputs: tuple[float, ...]
    lines: tuple[Line, ...]

    def wires(self, inputs: Sequence[Any], apply: Callable[..., Any] | None = None) -> list[Any]:
        """Return every wire; ``apply(operation, *arguments)`` interprets a line, by default by calling it."""
        wires = list(inputs)
        for line in self.lines:
            arguments = [wires[a] if a.__class__ is int else a for a in line.arguments]
            wires.append(apply(line.operation, *arguments) if apply else line.operation(*arguments))
        return wires

    def __call__(self, *inputs: Any) -> Any:
        return self.wires(inputs)[-1]


@dataclass
class Conditioning:
    """First-order estimates, in units of 2^-53, of what rounding does to a program that is being written.

    For every wire: its value, the relative error of the value, the relative error of the worst path of local
    derivatives that leads to it, and whether its bits are the same in every implementation, so that it may
    decide at a tie.
    """

    value: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    path_error: list[float] = field(default_factory=list)
    certain: list[bool] = field(default_factory=list)

    def add_input(self, x: float) -> None:
        self.value.append(x)
        self.error.append(0.0)
        self.path_error.append(0.0)
        self.certain.append(True)

    def repeat(self, wire: int) -> None:
        """Append a wire that equals another."""
        for figures in (self.value, self.error, self.path_error):
            figures.append(figures[wire])
        self.certain.append(self.certain[wire])

    def add(self, line: Line, *, ties: bool, limit: float) -> bool:
        """Append a line's figures and return True, or return False if they exceed the limits."""
        row = line.operation
        wired = [a.__class__ is int for a in line.arguments]
        x = [self.value[a] if a.__class__ is int else a for a in line.arguments]
        if any(w and name in row.constants for w, name in zip(wired, row.arguments, strict=True)):
            return False
        if any(not row.domain[place][0] < x[place] < row.domain[place][1] for place in row.differentiable):
            return False
        alike = row.arity > 1 and len(set(line.arguments)) == 1 and x[0]  # maximum(x, x) is smooth
        certain = all(self.certain[a] for a in line.arguments if a.__class__ is int)
        # At its cut, atan2 would depend on the signs of zeros, in which implementations differ.
        at_kinks = ties and certain and row is not ops.atan2
        if not (at_kinks or alike) and any(abs(kink(*x)) < 1e-3 for kink in row.kinks):
            return False
        z = row.value(*x)
        if not (1e-3 < abs(z) < 1e3 or (z == 0.0 and (ties or row.name in PIECEWISE))):
            return False
        return self.follow(line, x, z, limit)

    def follow(self, line: Line, x: list[float], z: float, limit: float) -> bool:
        """Append the figures of a line with arguments x and value z, unless they exceed the limit."""
        row = line.operation
        wires = [a if a.__class__ is int else None for a in line.arguments]
        error = [0.0 if a is None else self.error[a] for a in wires]
        places = row.differentiable
        local = [row.derivatives[i](z, *x) if i in places else 0.0 for i in range(row.arity)]
        spread = 0.0
        for d, xi, e in zip(local, x, error, strict=True):
            if not abs(d) < 1e3:
                return False
            spread += (d * xi * e) ** 2
        value_error = math.sqrt(spread) / abs(z) + 0.7 if z else 0.0
        if value_error > limit:
            return False
        worst = 0.0
        for i, a in enumerate(wires):
            if a is not None and local[i]:
                drift = self._drift(row, i, local[i], x, error)
                worst = max(worst, math.hypot(self.path_error[a], drift, 0.7))
        if worst > 1.5 * limit:
            return False
        self.value.append(z)
        self.error.append(value_error)
        self.path_error.append(worst)
        self.certain.append(row.name in IEEE and all(self.certain[a] for a in wires if a is not None))
        return True

    @staticmethod
    def _drift(row: Operation, i: int, local: float, x: list[float], error: list[float]) -> float:
        """Return by how much errors of the arguments move a local derivative, relative to it.

        An exact argument counts as wrong by the unit, as if it were rounded: the derivative is computed by a
        formula that rounds, which matters where it crosses zero, as that of gelu does.
        """
        total = 0.0
        for j, xj in enumerate(x):
            if xj:
                moved = [*x]
                moved[j] = xj * (1.0 + 1e-6)
                change = row.derivatives[i](row.value(*moved), *moved) - local
                total += (1e6 * change / local * max(error[j], 1.0)) ** 2
        return math.sqrt(total)


def well_conditioned(program: Program, limit: float = 3.0) -> bool:
    """Tell whether no wire of a program has an estimated relative error beyond the limit."""
    figures = Conditioning()
    for x in program.inputs:
        figures.add_input(x)
    for line in program.lines:  # a line at a time, since most programs fail early
        arguments = [figures.value[a] if a.__class__ is int else a for a in line.arguments]
        if not figures.follow(line, arguments, line.operation.value(*arguments), limit):
            return False
    return True


def unstructured(
    rng: random.Random,
    operations: int,
    *,
    ties: bool = False,
    limit: float = 3.0,
    inputs: int | None = None,
    without: Container[Operation] = (),
) -> Program:
    """Draw a program of about so many operations: shared wires, repeated operands, constants, kinks.

    Args:
        rng: the source of randomness; the same state gives the same program.
        operations: how many lines to draw; the few that join unused wires at the end are among them.
        ties: draw zeros and equal inputs too, so that kinks are hit exactly.
        limit: the largest estimated relative error of a wire, in units of 2^-53.
        inputs: how many, by default 1 to 6.
        without: rows that are left out.
    """
    rows = [row for name, row in ops.TABLE.items() if name not in STEPS and row not in without]
    rows += 4 * [ops.add, ops.sub, ops.mul, ops.div]
    steps = [ops.TABLE[name] for name in sorted(STEPS)]
    figures = Conditioning()
    count = inputs or rng.randint(1, 6)
    start = tuple(
        rng.choice(AT_TIES) if ties and rng.random() < 0.5 else rng.uniform(-2.0, 2.0) for _ in range(count)
    )
    for x in start:
        figures.add_input(x)
    lines: list[Line] = []
    unused = list(range(count))

    def append(row: Operation, arguments: tuple[int | float, ...], limit: float) -> bool:
        line = Line(row, arguments)
        if not figures.add(line, ties=ties, limit=limit):
            return False
        for a in set(arguments):
            if a in unused and a.__class__ is int:
                unused.remove(a)
        unused.append(count + len(lines))
        lines.append(line)
        return True

    def argument(first: bool) -> int | float:
        if not first and rng.random() < 0.15:
            return rng.choice(CONSTANTS)
        return rng.choice(unused) if rng.random() < 0.7 else rng.randrange(count + len(lines))

    tries = 0
    while len(lines) + len(unused) - 1 < operations and tries < 100 * operations:
        tries += 1
        row = rng.choice(rows) if rng.random() < 0.97 else rng.choice(steps)
        first = argument(True)
        rest = [first if rng.random() < 0.1 else argument(False) for _ in range(row.arity - 1)]
        append(row, settled(row, (first, *rest)), limit)
    while len(unused) > 1:  # join what is left, shallowly: the earliest two first
        a, b = unused[:2]
        for row in (*rng.sample((ops.add, ops.sub, ops.mul), 3), ops.hypot):
            if append(row, (a, b), 2.0 * limit):
                break
        else:  # a wire that no joining takes, such as 0 + 0, goes into the next by a select
            lines.append(Line(ops.where, (1.0, a, b)))
            figures.repeat(a)
            unused[:2] = []
            unused.append(count + len(lines) - 1)
    return Program(start, tuple(lines))


def structured(rng: random.Random) -> Program:
    """Draw a program as a network writes it: dense layers with shared inputs, activations, a reduced loss."""
    activations = [ops.tanh, ops.sigmoid, ops.relu, ops.softplus, ops.silu, ops.gelu, ops.sin, ops.atan]
    sizes = [rng.randint(1, 4) for _ in range(rng.randint(2, 3))]
    values: list[float] = []
    lines: list[Line] = []

    def new(n: int) -> list[int]:
        values.extend(rng.uniform(-1.0, 1.0) for _ in range(n))
        return list(range(len(values) - n, len(values)))

    weights = [
        [(new(nin), new(1)[0]) for _ in range(nout)] for nin, nout in zip(sizes, [*sizes[1:], 1], strict=True)
    ]
    rows = [new(sizes[0]) for _ in range(rng.randint(1, 3))]

    def emit(row: Operation, *arguments: int | float) -> int:
        lines.append(Line(row, arguments))
        return len(values) + len(lines) - 1

    activation = rng.choice(activations)
    losses = []
    for row in rows:
        layer = row
        for depth, neurons in enumerate(weights):
            sums = []
            for w, b in neurons:
                total = b
                for wi, xi in zip(w, layer, strict=True):
                    total = emit(ops.add, total, emit(ops.mul, wi, xi))
                sums.append(total)
            layer = sums if depth == len(weights) - 1 else [emit(activation, s) for s in sums]
        difference = emit(ops.sub, layer[0], rng.choice(CONSTANTS))
        losses.append(emit(ops.mul, difference, difference))
    total = losses[0]
    for loss in losses[1:]:
        total = emit(ops.add, total, loss)
    emit(ops.div, total, float(len(rows)))
    return Program(tuple(values), tuple(lines))
