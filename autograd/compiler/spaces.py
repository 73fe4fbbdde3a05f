"""Iteration spaces: what a statement's places look like as arrays, in as few axes as possible.

A `Space` holds the axes of a statement, and of each place that it reads or writes a `Read`. Axes of length
one go, neighbours that every place walks through as one become one, a table that is evenly spaced along an
axis becomes a stride, and an axis along which an adding statement has one target is summed over. In a loop
the space is that of one step, and a `Read` knows how it moves from step to step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler.forms import Tree, applied
from autograd.compiler.plan import Expression, Index, Loop, Place, Statement


@dataclass(eq=False)
class Read:
    """A place, in the axes of a `Space`.

    Attributes:
        memory: ``"v"`` or ``"d"``, or ``"s"``, the scratch memory.
        base: the address at the origin.
        strides: one for each axis.
        offsets: what is added to the address in each step.
        table: offsets, of shape (steps or 1, a length or 1 for each axis), or None.
        choice: the read whose number is added, times ``step``, or None.
        step: how far apart the items are among which it chooses.
    """

    memory: str
    base: int
    strides: list[int]
    offsets: Index
    table: Index | None = None
    choice: "Read | None" = None
    step: int = 0

    def varies(self, axis: int) -> bool:
        """Tell whether the address depends on an axis."""
        return self.strides[axis] != 0 or self.is_irregular(axis)

    def is_irregular(self, axis: int) -> bool:
        """Tell whether the address depends on an axis through the table or the choice."""
        return (self.table is not None and self.table.shape[axis + 1] > 1) or (
            self.choice is not None and self.choice.varies(axis)
        )

    @property
    def is_affine(self) -> bool:
        """Whether it is a view of the memory, in every step."""
        return self.table is None and self.choice is None


class Space:
    """The axes of a statement, or of one step of it in a loop.

    Attributes:
        lengths: the length of each axis.
        summed: whether each axis is summed over.
        steps: how many steps there are; 1 outside loops.
        ragged: the axis whose length differs from step to step, or None; its ``lengths`` entry is the most.
        starts: where each step's slice of that axis begins, in the order in which the steps are run.
        rows: how long each step's slice is.
        is_empty: whether there is nothing to compute; then there are no places either.
        target: where the results go.
        tree: what is computed; its leaves are `Read`s.

    Args:
        statement: the statement.
        loop: the loop in whose body it is, or None.
        starts: the bounds of its slices there, or None.
    """

    def __init__(self, statement: Statement, loop: Loop | None = None, starts: Index | None = None) -> None:
        self.adds = statement.adds
        self._order = slice(None, None, -1 if loop and loop.backward else 1)
        self._sliced = loop is not None and starts is None
        self.steps = loop.length if loop else 1
        self.ragged = None if starts is None else 0
        self.starts = np.zeros(1, dtype=np.intp)
        self.rows = self.starts
        self.lengths = list(statement.shape[1:] if self._sliced else statement.shape)
        if starts is not None:
            self.starts, self.rows = starts[:-1][self._order], np.diff(starts)[self._order]
            self.lengths[0] = int(self.rows.max(initial=0))
        rank = len(self.lengths)
        self.summed = [axis >= rank - statement.summed for axis in range(rank)]
        self.is_empty = not self.steps or not all(self.lengths[: rank - statement.summed])
        if self.is_empty:
            return
        self._known: dict[Any, Read] = {}
        self.target = self._read(statement.target)
        self.tree = self._tree(statement.expression)
        self.reads = list(self._known.values())
        self._simplify()

    def size(self, axes: Any) -> int:
        """Return how many points some axes have."""
        return math.prod(self.lengths[axis] for axis in axes)

    def _tree(self, expression: Expression) -> Tree:
        if isinstance(expression, Place):
            return self._read(expression)
        if isinstance(expression, (int, float)):
            return float(expression)
        return applied(expression.operation, [self._tree(argument) for argument in expression.arguments])

    def _read(self, place: Place) -> Read:
        choice = None if place.choice is None else self._read(place.choice)
        key = (place.memory, place.base, place.strides, id(place.table), id(choice), place.step)
        if key not in self._known:
            self._known[key] = self._new_read(place, choice)
        return self._known[key]

    def _new_read(self, place: Place, choice: Read | None) -> Read:
        strides, table = list(place.strides), place.table
        if table is not None:
            table = table.reshape(table.shape + (1,) * (len(strides) - table.ndim))
        offsets = np.zeros(self.steps, dtype=np.intp)
        if self._sliced:
            offsets = (strides.pop(0) * np.arange(self.steps))[self._order]
            table = None if table is None or not table.ndim else table[self._order]
        else:
            if self.ragged is not None:
                offsets = strides[0] * self.starts
            table = None if table is None else table[None]
        return Read(place.memory, place.base, strides, offsets, table, choice, place.step)

    # Fewer axes -------------------------------------------------------------------------------------------

    def _simplify(self) -> None:
        for read in self.reads:
            self._straighten(read)
        for axis in reversed(range(len(self.lengths))):
            if self.lengths[axis] == 1 and axis != self.ragged:
                self._drop(axis)
        if self.adds:
            self.summed = [s or not self.target.varies(axis) for axis, s in enumerate(self.summed)]
        elif self.ragged is not None and not self.target.varies(self.ragged):
            self.target.strides[self.ragged] = 1  # there is one row at most, so nothing moves
        self._sort()
        while self._merge():
            pass

    def _straighten(self, read: Read) -> None:
        """Make a table that is evenly spaced along an axis a stride."""
        table = read.table
        if table is None:
            return
        for axis in range(1, table.ndim):
            steps = np.diff(table, axis=axis)
            if steps.size and (steps == steps.flat[0]).all():
                step = int(steps.flat[0])
                read.strides[axis - 1] += step
                if axis - 1 == self.ragged:
                    read.offsets = read.offsets + step * self.starts
                table = table.take([0], axis)
        read.table = table
        if table.size == table.shape[0]:
            read.offsets = read.offsets + table.ravel()
            read.table = None

    def _drop(self, axis: int) -> None:
        del self.lengths[axis], self.summed[axis]
        if self.ragged is not None and self.ragged > axis:
            self.ragged -= 1
        for read in self.reads:
            del read.strides[axis]
            if read.table is not None:
                read.table = read.table.squeeze(axis + 1)

    def _sort(self) -> None:
        """Order the axes: those kept first, from the target's longest stride to its shortest."""

        def key(axis: int) -> tuple[bool, bool, int]:
            regular = not self.target.is_irregular(axis)
            return self.summed[axis], regular, -abs(self.target.strides[axis]) if regular else 0

        order = sorted(range(len(self.lengths)), key=key)
        self.lengths = [self.lengths[axis] for axis in order]
        self.summed = [self.summed[axis] for axis in order]
        if self.ragged is not None:
            self.ragged = order.index(self.ragged)
        for read in self.reads:
            read.strides = [read.strides[axis] for axis in order]
            if read.table is not None:
                read.table = read.table.transpose([0, *(axis + 1 for axis in order)])

    def _merge(self) -> bool:
        """Make one axis of two along which every place goes on evenly; tell whether there were such."""
        for outer in range(len(self.lengths)):
            for inner in range(len(self.lengths)):
                if outer == inner or self.summed[outer] != self.summed[inner]:
                    continue
                if self.ragged in (outer, inner) or not all(self._joins(r, outer, inner) for r in self.reads):
                    continue
                length = self.lengths[outer]
                for read in self.reads:
                    if read.table is not None and read.table.shape[outer + 1] > 1:
                        shape = list(read.table.shape)
                        shape[outer + 1], shape[inner + 1] = 1, shape[outer + 1] * shape[inner + 1]
                        read.table = read.table.reshape(shape)
                self.lengths[inner] *= length
                self._drop(outer)
                return True
        return False

    def _joins(self, read: Read, outer: int, inner: int) -> bool:
        if read.strides[outer] != read.strides[inner] * self.lengths[inner]:
            return False
        if read.table is None:
            return True
        whole = [read.table.shape[axis + 1] > 1 for axis in (outer, inner)]
        return whole == [False, False] or (whole == [True, True] and inner == outer + 1)


def regular(statement: Statement, starts: Index) -> Statement | None:
    """Return a statement whose slices in a loop are equally long with an axis for the steps; else None."""
    rows = np.diff(starts)
    if not len(rows) or not rows[0] or (rows != rows[0]).any():
        return None
    first, length = int(starts[0]), int(rows[0])

    def split(place: Place) -> Place:
        stride, *rest = place.strides
        table = place.table
        if table is not None and table.ndim:
            table = table[first : starts[-1]].reshape((len(rows), length, *table.shape[1:]))
        choice = None if place.choice is None else split(place.choice)
        strides = (stride * length, stride, *rest)
        return Place(place.memory, place.base + first * stride, strides, table, choice, place.step)

    return Statement(
        split(statement.target),
        _mapped(statement.expression, split),
        (len(rows), length, *statement.shape[1:]),
        statement.summed,
        statement.adds,
        statement.name,
    )


def _mapped(expression: Expression, change: Callable[[Place], Place]) -> Expression:
    if isinstance(expression, Place):
        return change(expression)
    if isinstance(expression, (int, float)):
        return expression
    arguments = tuple(_mapped(argument, change) for argument in expression.arguments)
    return type(expression)(expression.operation, arguments)
