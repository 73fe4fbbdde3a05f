"""The indices of a statement: symbols that run over its points, and where each place is in terms of them.

A statement says by addresses what it computes; a reader wants indices. An axis along which every coordinate
grows evenly has a symbol. Where tables lead, the coordinates themselves become symbols: the points of causal
attention are then the pairs (i, j) with j <= i. What is found is checked at every point, so a formula is
never a guess.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from math import gcd, prod
from typing import Any

import numpy as np

from autograd.compiler.plan import Index

Constraint = tuple["Symbol", "Symbol", int]
"""Symbols a and b and a number m, for a <= b + m."""

LARGEST = 10_000_000
"""The most points of a box that are tried to describe which of them a statement has."""

SAMPLE = 1000
"""From so many points a form is found; whether it is right is then seen at all."""


@dataclass(eq=False)
class Symbol:
    """An index, from 0 to ``count - 1``.

    Attributes:
        count: how many numbers it may be.
        summed: whether the results do not depend on it.
        steps: whether it counts the steps of a loop, from ``first`` on.
        first: the step that is its 0.
        name: how it is written.
    """

    count: int
    summed: bool = False
    steps: bool = False
    first: int = 0
    name: str = ""

    @property
    def origin(self) -> int:
        """What its 0 is called: indices count from 1, and steps from the loop's first."""
        return 1 + self.first


@dataclass(frozen=True, eq=False)
class Coordinate:
    """A number that depends on symbols: ``first`` plus a step times each."""

    first: int
    steps: tuple[tuple[Symbol, int], ...]

    @property
    def symbol(self) -> Symbol | None:
        """The only symbol, if it is no more than that."""
        if len(self.steps) == 1 and self.first == 0 and self.steps[0][1] == 1:
            return self.steps[0][0]
        return None

    @property
    def block(self) -> "tuple[Symbol, Symbol] | None":
        """The symbols b and j of n b + j, the j-th of the b-th block of n, if it is that."""
        if self.first or len(self.steps) != 2:
            return None
        (block, width), (inner, one) = sorted(self.steps, key=lambda step: -step[1])
        return (block, inner) if one == 1 and width == inner.count else None


@dataclass
class Points:
    """The points of a statement, as symbols.

    Attributes:
        symbols: the symbols, those of irregular axes first.
        values: the number of each symbol at every point; all of one shape, to be broadcast.
        constraints: what holds of the symbols beside their ranges.
        listed: the numbers of the irregular symbols, point by point, if constraints cannot tell them.
    """

    symbols: list[Symbol]
    values: dict[Symbol, Any]
    constraints: list[Constraint] = field(default_factory=list)
    listed: Index | None = None


def refined(shape: Sequence[int], functions: Sequence[Index]) -> tuple[int, ...]:
    """Return the lengths of axes, cut into several where functions go on evenly within equal pieces only."""
    axes: list[int] = []
    for axis in range(len(shape)):
        length = shape[axis]
        inner: list[int] = []
        tables = [np.moveaxis(f, axis, 0).reshape(length, -1) for f in functions]
        while (piece := _even(tables, length)) not in (1, length):
            inner.insert(0, piece)
            tables = [table[::piece] for table in tables]
            length //= piece
        axes += [length, *inner]
    return tuple(axes)


def _even(tables: Sequence[Index], length: int) -> int:
    """Return the greatest length of equal pieces within which all tables go on evenly."""
    piece = length
    for table in tables:
        differences = np.diff(table, axis=0)
        breaks = np.flatnonzero((differences != differences[:1]).any(axis=1)) + 1
        piece = gcd(piece, *breaks.tolist())
    return piece


def find_points(
    shape: Sequence[int], summed: Sequence[bool], functions: Sequence[Index], step: Any
) -> Points:
    """Return symbols for the points of a statement.

    Args:
        shape: the lengths of the axes, as `refined` returns them.
        summed: which of them are summed over.
        functions: the coordinates of all places, of that shape.
        step: of that shape, in which step of a loop each point is computed, or None outside loops.
    """
    tables = [*([] if step is None else [step]), *functions]
    even = [all(_constant(np.diff(f, axis=axis)) for f in tables) for axis in range(len(shape))]
    if step is not None:  # one by one, or they are listed
        even = [e and bool((np.diff(step, axis=axis) <= 1).all()) for axis, e in enumerate(even)]
    points = Points([], {})
    rough = [axis for axis, is_even in enumerate(even) if not is_even]
    if rough:
        _find_irregular(points, shape, rough, tables, step)
    for axis, is_even in enumerate(even):
        if is_even and shape[axis] > 1:
            run = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))])
            steps = step is not None and bool(np.diff(step, axis=axis).any())
            symbol = Symbol(shape[axis], summed[axis], steps, int(step.min()) if steps else 0)
            points.symbols.append(symbol)
            points.values[symbol] = run
    return points


def _constant(numbers: Any) -> bool:
    return bool((numbers == numbers.flat[0]).all()) if numbers.size else True


def _find_irregular(
    points: Points, shape: Sequence[int], rough: Sequence[int], tables: Sequence[Index], step: Any
) -> None:
    """Make symbols of the coordinates along axes where some of them are irregular."""
    corner = tuple(slice(None) if axis in rough else slice(0, 1) for axis in range(len(shape)))
    basis: list[Index] = []
    for table in tables:
        column = table[corner].ravel()
        spread = column - column.min()
        if spread.any() and combination(spread, basis) is None:
            basis.append(spread if table is step else spread // np.gcd.reduce(spread))
    if not _are_distinct(basis):
        basis.append(np.arange(prod(shape[axis] for axis in rough)))
    symbols = [Symbol(int(column.max()) + 1) for column in basis]
    grown = [shape[axis] if axis in rough else 1 for axis in range(len(shape))]
    for symbol, column in zip(symbols, basis, strict=True):
        if step is not None and (step.min() + column == step[corner].ravel()).all():
            symbol.steps, symbol.first = True, int(step.min())
        points.symbols.append(symbol)
        points.values[symbol] = column.reshape(grown)
    _describe(points, symbols, basis)


def _are_distinct(basis: Sequence[Index]) -> bool:
    return bool(basis) and len(np.unique(np.stack(basis, axis=1), axis=0)) == len(basis[0])


def _describe(points: Points, symbols: list[Symbol], basis: list[Index]) -> None:
    """Say which combinations of symbols there are: all, those that obey inequalities, or listed ones."""
    count, box = len(basis[0]), prod(symbol.count for symbol in symbols)
    if box == count and _are_distinct(basis):
        return
    found = {
        (a, b): int((basis[a] - basis[b]).max())
        for a, b in permutations(range(len(symbols)), 2)
        if int((basis[a] - basis[b]).max()) < symbols[a].count - 1
    }
    if box <= LARGEST and _are_distinct(basis):
        grid = np.indices([symbol.count for symbol in symbols]).reshape(len(symbols), -1)

        def left(constraints: Any) -> int:
            allowed = np.ones(box, dtype=bool)
            for (a, b), most in constraints.items():
                allowed &= grid[a] - grid[b] <= most
            return int(allowed.sum())

        if left(found) == count:
            for pair in list(found):
                if left(rest := {p: m for p, m in found.items() if p != pair}) == count:
                    found = rest
            points.constraints = [(symbols[a], symbols[b], most) for (a, b), most in found.items()]
            return
    points.listed = np.stack(basis, axis=1)


def combination(column: Index, basis: Sequence[Index]) -> list[int] | None:
    """Return whole numbers c with column = c[0] + c[1] basis[0] + ..., or None if none are found.

    They are found if one number of the basis suffices, and whatever is appended to the basis later.
    """
    some: Any = np.linspace(0, len(column) - 1, min(len(column), SAMPLE)).astype(np.intp)
    matrix = np.stack([np.ones(len(some)), *(b[some] for b in basis)], axis=1)
    if len(some) < len(column) and np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        some = slice(None)
        matrix = np.stack([np.ones(len(column)), *basis], axis=1)
    for chosen in _independent(matrix):
        solution = np.linalg.lstsq(matrix[:, chosen], column[some].astype(float), rcond=None)[0]
        found = [0] * (len(basis) + 1)
        for place, number in zip(chosen, np.rint(solution), strict=True):
            found[place] = int(number)
        total = np.full(len(column), found[0], dtype=np.intp)
        for step, other in zip(found[1:], basis, strict=True):
            total += step * other
        if np.array_equal(total, column):
            return found
    return None


def _independent(matrix: Any) -> Iterator[list[int]]:
    """Yield independent columns, the first among them: all, or those found from each other column on.

    Numbers that depend on each other, such as a and 2 a + b and b, have more than one combination, of which
    least squares would give a broken one.
    """
    count = matrix.shape[1]
    if np.linalg.matrix_rank(matrix) == count:
        yield [*range(count)]
        return
    for start in range(1, count):
        chosen: list[int] = []
        for column in (0, start, *(k for k in range(1, count) if k != start)):
            if np.linalg.matrix_rank(matrix[:, [*chosen, column]]) > len(chosen):
                chosen.append(column)
        yield chosen


def coordinate(f: Index, points: Points) -> Coordinate | None:
    """Return a coordinate, of the shape of the points, in terms of their symbols, if it has such a form."""
    size = f.shape
    flat = [np.broadcast_to(points.values[symbol], size).ravel() for symbol in points.symbols]
    found = combination(f.ravel(), flat)
    if found is None:
        return None
    first, *steps = found
    return Coordinate(first, tuple((s, c) for s, c in zip(points.symbols, steps, strict=True) if c))
