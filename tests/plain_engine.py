"""What a plan means: the shortest engine, point by point. The others are held against it."""

import math
from typing import Any

import numpy as np

from autograd.compiler.plan import Array, Place, Plan, Statement, Step, allocate, compute


class PlainEngine:
    """Runs a plan with one loop over points.

    Attributes:
        v: the values.
        d: the adjoints.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.v, self.d = allocate(plan)

    def forward(self) -> None:
        """Compute the values."""
        self._run(self.plan.forward)

    def reverse(self) -> None:
        """Compute the adjoints."""
        for start, stop in self.plan.cleared:
            self.d[start:stop] = 0.0
        self._run(self.plan.reverse)

    def _run(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if isinstance(step, Statement):
                self._statement(step, range(step.shape[0]) if step.shape else None)
                continue
            for t in reversed(range(step.length)) if step.backward else range(step.length):
                for statement, starts in zip(step.body, step.starts, strict=True):
                    rows = range(t, t + 1) if starts is None else range(int(starts[t]), int(starts[t + 1]))
                    self._statement(statement, rows)

    def _statement(self, statement: Statement, rows: range | None) -> None:
        kept = len(statement.shape) - statement.summed
        results = []
        for point in _points(statement.shape[:kept], rows):
            terms = [
                compute(
                    statement.expression,
                    lambda place, at=(*point, *rest): float(self._memory(place)[self._address(place, at)]),
                )
                for rest in np.ndindex(*statement.shape[kept:])
            ]
            total = math.fsum(terms) if all(map(math.isfinite, terms)) else sum(terms)
            results.append((self._address(statement.target, (*point, *[0] * statement.summed)), total))
        memory = self._memory(statement.target)
        if not statement.adds:
            assert len({address for address, _ in results}) == len(results)
        for address, total in results:
            memory[address] = memory[address] + total if statement.adds else total

    def _memory(self, place: Place) -> Array:
        return self.v if place.memory == "v" else self.d

    def _address(self, place: Place, point: tuple[int, ...]) -> int:
        address = place.base + sum(s * i for s, i in zip(place.strides, point, strict=True))
        if place.table is not None:
            address += int(place.table[point[: place.table.ndim]])
        if place.choice is not None:
            address += place.step * int(self.v[self._address(place.choice, point)])
        return address


def _points(shape: tuple[int, ...], rows: range | None) -> Any:
    if rows is None or not shape:
        return [()]
    return [(row, *rest) for row in rows for rest in np.ndindex(*shape[1:])]
