"""What a reverse pass would only copy, or knows beforehand, is read where it is.

The adjoint of a sum is handed on to its terms as it is, and that of an output is 1. In a plan each adjoint
has cells of its own, as a reader of formulas wants to see it; the engines run one that does not write them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograd.compiler.adjoint import simplified, substituted
from autograd.compiler.plan import (
    NOWHERE,
    Bounds,
    Expression,
    Loop,
    Place,
    Plan,
    Statement,
    Step,
    places_of,
    statements_of,
)


def without_copies(plan: Plan) -> Plan:
    """Return a plan that computes the same gradients with fewer statements in its reverse pass."""
    steps = dict(enumerate(plan.reverse))
    cells = _Cells(plan.reverse)
    for at in range(len(plan.reverse)):
        copy = _copy(steps[at])
        if copy is None or copy.results[0] < plan.parameters:
            continue
        readers = cells.readers(copy, at)
        if readers is None:
            continue
        for reader in readers:
            steps[reader] = _reading(steps[reader], copy)
            cells.note(reader, steps[reader])
        del steps[at]
        cells.forget(at)
    return replace(plan, reverse=tuple(steps.values()))


@dataclass(frozen=True, eq=False)
class _Copy:
    """A statement that assigns a number, or numbers as they are.

    Attributes:
        source: what it assigns.
        first: the address of the first result.
        step: from each result to the next.
        stride: from each number at the source to the next.
        results: the lowest and the highest address of the results.
        origin: those of the source, if it is among the adjoints; else nothing.
    """

    source: float | Place
    first: int
    step: int
    stride: int
    results: Bounds
    origin: Bounds

    def is_read(self, place: Place, bounds: Bounds) -> bool:
        """Tell whether a place goes from result to result."""
        steps = [place.base - self.first, *place.strides]
        inside = self.results[0] <= bounds[0] and bounds[1] <= self.results[1]
        even = place.table is None or not (place.table % self.step).any()
        return inside and even and not any(step % self.step for step in steps)

    def read(self, place: Place) -> Expression:
        """Return where the numbers at such a place come from."""
        if isinstance(self.source, float):
            return self.source
        base, *strides = ((n // self.step) * self.stride for n in (place.base - self.first, *place.strides))
        table = None if place.table is None or not self.stride else place.table // self.step * self.stride
        return replace(self.source, base=self.source.base + base, strides=tuple(strides), table=table)


def _copy(step: Step) -> _Copy | None:
    """Return a step as a copy, if it is one whose results are evenly spaced."""
    if not isinstance(step, Statement) or step.adds or step.summed or not math.prod(step.shape):
        return None
    target, source = step.target, step.expression
    if not isinstance(source, (float, Place)) or target.memory != "d" or target.choice is not None:
        return None
    count = math.prod(step.shape)
    bounds = target.bounds(step.shape)
    order = sorted(range(len(step.shape)), key=lambda axis: -abs(target.strides[axis]))
    pace = 1 if count == 1 else _pace(target, step.shape, order)
    if not pace:
        return None
    first = bounds[0] if pace > 0 else bounds[1]
    if isinstance(source, float):
        return _Copy(source, first, pace, 0, bounds, NOWHERE)
    stride = 0 if count == 1 else _pace(source, step.shape, order)
    if stride is None or source.table is not None or source.choice is not None:
        return None
    origin = source.bounds(step.shape) if source.memory == "d" else NOWHERE
    return _Copy(source, first, pace, stride, bounds, origin)


def _pace(place: Place, shape: Sequence[int], order: Sequence[int]) -> int | None:
    """Return the step from point to point in an order of the axes; None if it is not the same everywhere."""
    axes = [(shape[axis], place.strides[axis]) for axis in order if shape[axis] > 1]
    pace, points = axes[-1][1], 1
    for n, stride in reversed(axes):
        if stride != pace * points:
            return None
        points *= n
    return None if place.table is not None else pace


class _Cells:
    """Which adjoints the steps of a reverse pass read and write.

    Args:
        steps: the steps.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._reads: list[list[tuple[Place, Bounds]]] = [[] for _ in steps]
        self._writes: list[list[Bounds]] = [[] for _ in steps]
        self._extents = np.zeros((2, 2, len(steps)), dtype=np.intp)  # all that a step reads, or writes
        for at, step in enumerate(steps):
            self.note(at, step)

    def note(self, at: int, step: Step) -> None:
        """Learn what a step is now."""
        reads: list[tuple[Place, Bounds]] = []
        writes: list[Bounds] = []
        for statement in statements_of((step,)):
            if math.prod(statement.shape):
                writes.append(statement.target.bounds(statement.shape))
                read = [place for place in places_of(statement.expression) if place.memory == "d"]
                reads += [(place, place.bounds(statement.shape)) for place in read]
        self._reads[at], self._writes[at] = reads, writes
        self._extents[:, :, at] = _extent([bounds for _, bounds in reads]), _extent(writes)

    def forget(self, at: int) -> None:
        """Learn that a step is no more."""
        self._reads[at], self._writes[at] = [], []
        self._extents[:, :, at] = NOWHERE, NOWHERE

    def readers(self, copy: _Copy, at: int) -> list[int] | None:
        """Return the steps that read the results of a copy; None if they cannot read its source instead."""
        for other in self._near(1, copy.results):
            if other != at and any(_meet(bounds, copy.results) for bounds in self._writes[other]):
                return None
        for other in self._near(1, copy.origin):
            if other > at and any(_meet(bounds, copy.origin) for bounds in self._writes[other]):
                return None
        found = []
        for other in self._near(0, copy.results):
            read = [pair for pair in self._reads[other] if _meet(pair[1], copy.results)]
            if read and (other < at or not all(copy.is_read(*pair) for pair in read)):
                return None
            found += [other] * bool(read)
        return found

    def _near(self, kind: int, bounds: Bounds) -> list[int]:
        low, high = self._extents[kind]
        near: list[int] = np.flatnonzero((low <= bounds[1]) & (high >= bounds[0])).tolist()
        return near


def _extent(ranges: Sequence[Bounds]) -> Bounds:
    """Return the bounds of some ranges together."""
    if len(ranges) == 1:
        return ranges[0]
    return (
        min((low for low, _ in ranges), default=NOWHERE[0]),
        max((high for _, high in ranges), default=NOWHERE[1]),
    )


def _meet(one: Bounds, other: Bounds) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _reading(step: Step, copy: _Copy) -> Step:
    """Return a step that reads the source of a copy instead of its results."""
    if isinstance(step, Loop):
        return replace(step, body=tuple(_reading_statement(s, copy) for s in step.body))
    return _reading_statement(step, copy)


def _reading_statement(statement: Statement, copy: _Copy) -> Statement:
    def read(place: Place) -> Expression:
        if place.memory != "d" or not math.prod(statement.shape):
            return place
        return copy.read(place) if _meet(place.bounds(statement.shape), copy.results) else place

    return replace(statement, expression=simplified(substituted(statement.expression, read)))
