"""Until when adjoints are read: what is not read again need not be stored."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from autograd.compiler.plan import Loop, Place, Statement, Step
from autograd.compiler.wasm.work import bounds

SMALL = 16
"""Statements of at most so many terms are written without loops."""


class Live:
    """The last reads of adjoints by some steps.

    Args:
        steps: the steps, in order.
        kept: how many of the cells, the first ones, the caller reads in the end.
        read: returns the places that a statement reads. What it adds to is of no use if none reads the sum.

    Attributes:
        number: of every statement outside loops its first place among the steps.
    """

    def __init__(
        self, steps: Sequence[Step], kept: int, read: Callable[[Statement], Iterable[Place]]
    ) -> None:
        self.number: dict[Statement, int] = {}
        self._last: dict[int, int] = {}
        ranges: list[tuple[float, float]] = [(0, kept - 1)]  # what is in one may be read at any time
        for number, step in enumerate(steps):
            if isinstance(step, Loop):
                for statement in step.body:
                    ranges += [bounds(p, statement.shape) for p in read(statement) if p.memory == "d"]
                continue
            self.number.setdefault(step, number)
            small = math.prod(step.shape) <= SMALL
            for place in read(step):
                if place.memory != "d":
                    continue
                if not step.shape and place.table is None and place.choice is None:
                    self._last[place.base] = number
                elif small and place.choice is None:
                    for cell in place.addresses(step.shape).ravel().tolist():
                        self._last[cell] = number
                else:
                    ranges.append(bounds(place, step.shape))
        self._starts: list[float] = []
        self._ends: list[float] = []
        for low, high in sorted(ranges):
            if self._ends and low <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], high)
            elif low <= high:
                self._starts.append(low)
                self._ends.append(high)

    def is_read_after(self, cell: int, number: int) -> bool:
        """Tell whether an adjoint may be read by a step after the one of this number, or by the caller."""
        if self._last.get(cell, -1) > number:
            return True
        place = bisect_right(self._starts, cell)
        return place > 0 and cell <= self._ends[place - 1]
