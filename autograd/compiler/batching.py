"""A plan for one point becomes a plan for many: what depends on data gets an axis more.

The axis of the batch is the innermost one: the numbers of one node for all points lie in a row. What depends
on parameters alone is computed once; its adjoint, and the gradients, add up over the points.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autograd.compiler.adjoint import substituted
from autograd.compiler.engine import Running
from autograd.compiler.plan import Array, Index, Loop, Place, Plan, Region, Statement, Step, places_of

CACHE = 2**16
"""About so many numbers, values and adjoints, stay in the processor's cache while a chunk is computed."""

LARGEST = 1024
"""The most points of a chunk."""


class Batches:
    """Runs the plan of one point on any number of points, in chunks.

    Args:
        plan: the plan of one point.
        engine: what is to run it (see `engine.Running`).
    """

    def __init__(self, plan: Plan, engine: str) -> None:
        self._plan, self._engine = plan, engine
        constants = plan.size - len(plan.constants)
        size = constants - plan.fixed
        self.chunk = min(max(2 ** (CACHE // (2 * max(size, 1))).bit_length() // 2, 16), LARGEST)
        self._fed = [plan.fixed <= address < constants for address in plan.outputs]  # aux may not be
        self._running: dict[int, Running] = {}

    def run(
        self,
        parameters: Array,
        data: Array,
        feeds: Sequence[tuple[Index | slice, Array]],
        points: int,
        *,
        sweep: bool,
    ) -> tuple[Array, Array]:
        """Return the outputs of every point, and the gradient of the sum of all.

        Args:
            parameters: their numbers.
            data: the numbers of the data of a point, where nothing else is fed.
            feeds: places among the data, and what they are at each point, of shape (points, places).
            points: how many points.
            sweep: whether the gradient is wanted; else it is zero.

        Returns:
            Arrays of shape (outputs, points) and (parameters,).
        """
        every = sum(numbers.shape[1] for _, numbers in feeds) == len(data)
        results = np.empty((len(self._plan.outputs), points))
        gradient = np.zeros(len(parameters))
        for start in range(0, points, self.chunk):
            size = min(self.chunk, points - start)
            running = self._of_size(size)
            v, plan = running.v, running.plan
            v[: plan.parameters] = parameters
            table = v[plan.fixed : plan.fixed + plan.data].reshape(len(data), size)
            if not every:
                table[...] = data[:, None]
            for places, numbers in feeds:
                table[places] = numbers[start : start + size].T
            if sweep:
                running.step()
                with np.errstate(all="ignore"):  # as eager sums of infinities are silent
                    gradient += running.d[: plan.parameters]
            else:
                running.forward()
            for row, address, fed in zip(results, plan.outputs, self._fed, strict=True):
                row[start : start + size] = v[address : address + size] if fed else v[address]
        return results, gradient

    def _of_size(self, points: int) -> Running:
        if points not in self._running:
            if len(self._running) > KEPT:  # all but that of whole chunks
                self._running = {size: r for size, r in self._running.items() if size == self.chunk}
            self._running[points] = Running(batched(self._plan, points), self._engine)
        return self._running[points]


KEPT = 8
"""So many programs for the last, smaller chunks of batches are kept."""


def check_outputs(plan: Plan, count: int) -> None:
    """Refuse a batch if one of the first ``count`` outputs is the same at all points.

    Raises:
        ValueError: an output depends on no data.
    """
    for place, address in enumerate(plan.outputs[:count]):
        if not plan.fixed <= address < plan.size - len(plan.constants):
            raise ValueError(f"output {place} depends on no data, so it has no mean over points")


def batched(plan: Plan, points: int) -> Plan:
    """Return the plan of ``points`` independent points with the same parameters.

    Its data are of shape (data, points), and what it computes from them likewise: the outputs' addresses are
    those of their first points.

    Args:
        plan: the plan of one point, whose outputs all depend on data.
        points: how many.
    """
    return _Batching(plan, points).plan()


class _Batching:
    def __init__(self, plan: Plan, points: int) -> None:
        self.one, self.points = plan, points
        self.low, self.high = plan.fixed, plan.size - len(plan.constants)

    def plan(self) -> Plan:
        one = self.one
        return replace(
            one,
            size=int(self._moved(one.size)),
            data=one.data * self.points,
            regions=tuple(map(self._region, one.regions)),
            forward=tuple(new for step in one.forward for new in self._step(step)),
            reverse=tuple(new for step in one.reverse for new in self._step(step)),
            cleared=tuple((int(self._moved(start)), int(self._moved(stop))) for start, stop in one.cleared),
            outputs=tuple(int(self._moved(address)) for address in one.outputs),
        )

    def _moved(self, address: int | Index) -> Index:
        """Return where cells are: those that depend on data come ``points`` at a time, constants after."""
        here = np.asarray(address, dtype=np.intp)
        spread = np.clip(here - self.low, 0, self.high - self.low)
        return here + spread * (self.points - 1)

    def _is_fed(self, place: Place) -> bool:
        first = place.base + (int(place.table.flat[0]) if place.table is not None and place.table.size else 0)
        return self.low <= first < self.high

    def _region(self, region: Region) -> Region:
        fed = self.low <= region.start < self.high
        return Region(
            region.name, int(self._moved(region.start)), (*region.shape, self.points) if fed else region.shape
        )

    def _step(self, step: Step) -> list[Step]:
        if isinstance(step, Statement):
            return list(self._statement(step))
        body: list[Statement] = []
        starts: list[Index | None] = []
        for statement, bounds in zip(step.body, step.starts, strict=True):
            new = self._statement(statement)
            body += new
            starts += [bounds] * len(new)
        return [Loop(tuple(body), tuple(starts), step.length, step.backward)]

    def _statement(self, statement: Statement) -> list[Statement]:
        """Return a statement for all points, or two: zeros, then terms in a table, added one by one."""
        target, expression = statement.target, statement.expression
        read = list(places_of(expression))
        if not any(map(self._is_fed, (target, *read))):
            return [self._changed(statement, None, 0)]
        kept = len(statement.shape) - statement.summed
        if target.choice is not None:
            return [replace(self._changed(statement, len(statement.shape), 0), adds=True)]
        if not self._is_fed(target):  # the points are added up
            return [self._changed(statement, len(statement.shape), statement.summed + 1)]
        if all(place.table is None or place.table.ndim <= kept for place in read):
            return [self._changed(statement, kept, statement.summed)]
        added = replace(self._changed(statement, len(statement.shape), 0), adds=True)
        if statement.adds:
            return [added]
        zeros = replace(
            statement,
            target=replace(target, strides=target.strides[:kept]),
            expression=0.0,
            shape=statement.shape[:kept],
            summed=0,
        )
        return [self._changed(zeros, kept, 0), added]

    def _changed(self, statement: Statement, axis: int | None, summed: int) -> Statement:
        """Return a statement on the new cells, with the axis of the points at a place, or without one."""

        def place(old: Place) -> Place:
            fed = self._is_fed(old)
            scale = self.points if fed else 1
            strides = [stride * scale for stride in old.strides]
            if axis is not None:
                strides.insert(axis, int(fed))
            table = None if old.table is None else self._moved(old.table)
            base = old.base if table is not None else int(self._moved(old.base))
            choice = None if old.choice is None else place(old.choice)
            return replace(
                old, base=base, strides=tuple(strides), table=table, choice=choice, step=old.step * scale
            )

        shape = statement.shape
        if axis is not None:
            shape = (*shape[:axis], self.points, *shape[axis:])
        return replace(
            statement,
            target=place(statement.target),
            expression=substituted(statement.expression, place),
            shape=shape,
            summed=statement.summed if axis is None else summed,
        )
