"""A program as data: what to compute, in which order, on which cells of two memories.

A `Plan` is what the structure of a graph is written down in, and what engines interpret. All numbers of a
program live in one address space of cells. There are two memories with the same addresses: ``v`` holds
values, ``d`` adjoints. A `Statement` computes an expression of the operation table at every point of an
iteration space; a `Place` says which cell each point reads or writes; a `Loop` runs statements slice by
slice. That is the whole language: a matrix product is a sum of products over one axis, a ragged sum adds to a
table of targets, and the reverse pass is made of the same statements.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.row import Operation

Index = NDArray[np.intp]
Array = NDArray[np.float64]
Bounds = tuple[int, int]
"""The lowest and the highest address."""

NOWHERE, EVERYWHERE = (0, -1), (0, sys.maxsize)


@dataclass(frozen=True, eq=False)
class Place:
    """A cell for every point of a statement's iteration space.

    At the point i the address is ``base + sum(strides[a] * i[a]) + table[i[:table.ndim]]`` and, if there is a
    choice, ``+ step * int(v[choice at i])``.

    Attributes:
        memory: ``"v"``, the values, or ``"d"``, the adjoints.
        base: the address at the origin, without the table.
        strides: one for each axis of the iteration space, summed axes included.
        table: offsets for irregular places, over the first axes of the iteration space, or None.
        choice: a place in ``v`` whose number selects, as an index among evenly spaced items, or None.
        step: how far apart such items are.
    """

    memory: str
    base: int
    strides: tuple[int, ...]
    table: Index | None = None
    choice: "Place | None" = None
    step: int = 0

    @property
    def adjoint(self) -> "Place":
        """The same cells among the adjoints."""
        return Place("d", self.base, self.strides, self.table, self.choice, self.step)

    def addresses(self, shape: Sequence[int]) -> Index:
        """Return the address of every point of an iteration space, without the choice."""
        total = np.full(tuple(shape), self.base, dtype=np.intp)
        for axis, stride in enumerate(self.strides):
            if stride:
                steps = stride * np.arange(shape[axis], dtype=np.intp)
                total += steps.reshape((-1,) + (1,) * (len(shape) - axis - 1))
        if self.table is not None:
            total += self.table.reshape(self.table.shape + (1,) * (len(shape) - self.table.ndim))
        return total

    def bounds(self, shape: Sequence[int]) -> Bounds:
        """Return the lowest and the highest address in an iteration space; a choice may lead anywhere."""
        if self.choice is not None:
            return EVERYWHERE
        if self.table is not None and not self.table.size:
            return NOWHERE
        low = high = self.base
        for n, stride in zip(shape, self.strides, strict=True):
            if stride > 0:
                high += stride * (n - 1)
            else:
                low += stride * (n - 1)
        if self.table is None:
            return low, high
        return low + int(self.table.min()), high + int(self.table.max())


@dataclass(frozen=True, eq=False)
class Apply:
    """An operation on expressions."""

    operation: Operation
    arguments: tuple["Expression", ...]


Expression = float | Place | Apply
"""A number, the numbers at a place, or an operation on expressions."""


@dataclass(frozen=True, eq=False)
class Statement:
    """At every point of the axes that are not summed: target = (or +=) sum of expression over the others.

    A statement reads no cell that it writes. If it does not add, no two points have the same target.

    Attributes:
        target: where the results go; it has no stride and no table along summed axes.
        expression: what to compute.
        shape: the lengths of the iteration space's axes.
        summed: how many axes, the last ones, are summed over.
        adds: whether results are added to what is there; then several points may have one target.
        name: what it computes, for a reader.
        selects: in a reverse pass, whether a derivative of 0 says that a selection did not choose the
            operand, so that nothing is sent to it whatever the adjoint is.
    """

    target: Place
    expression: Expression
    shape: tuple[int, ...]
    summed: int = 0
    adds: bool = False
    name: str = ""
    selects: bool = False


@dataclass(frozen=True, eq=False)
class Loop:
    """Statements that are run together, step by step.

    In step t each statement of the body, in order, is run on a slice of its first axis: on index t where that
    axis has the loop's length, or on ``starts[t]:starts[t + 1]`` where starts are given. (A first axis is
    never a summed one.)

    Attributes:
        body: the statements.
        starts: for each statement None, or the bounds of its slices, of shape (length + 1,).
        length: the number of steps.
        backward: whether the steps are run from the last to the first.
    """

    body: tuple[Statement, ...]
    starts: tuple[Index | None, ...]
    length: int
    backward: bool = False


Step = Statement | Loop


@dataclass(frozen=True, eq=False)
class Region:
    """Some cells in a row that belong together, with the shape in which a reader sees them."""

    name: str
    start: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        """The address after the last cell."""
        return self.start + math.prod(self.shape)


@dataclass(frozen=True, eq=False)
class Plan:
    """A program.

    The cells come in this order: parameters; values that depend on no data; data; values that depend on data;
    constants. So everything that has a batch axis, if there is one, is in one piece.

    Attributes:
        parameters: how many cells the parameters take, from address 0 on.
        fixed: the address of the first datum.
        data: how many cells the data take.
        constants: the numbers in the last cells.
        size: how many cells there are.
        regions: names and shapes for parts of the memory, in ascending order.
        forward: computes values from parameters, constants and data.
        reverse: computes adjoints; it finds the cells of ``cleared`` zero, and assigns the others before it
            reads them. Gradients end up in ``d[:parameters]``.
        cleared: ranges (start, stop) of ``d`` to be set to zero before the reverse pass.
        outputs: the addresses of the results.
        choices: the addresses of the parameters and data that are used as an index, each with the number of
            items: they must be whole numbers below it.
    """

    parameters: int
    fixed: int
    data: int
    constants: Array
    size: int
    regions: tuple[Region, ...]
    forward: tuple[Step, ...]
    reverse: tuple[Step, ...]
    cleared: tuple[tuple[int, int], ...]
    outputs: tuple[int, ...]
    choices: tuple[tuple[int, int], ...] = ()


def statements_of(steps: Sequence[Step]) -> Iterator[Statement]:
    """Yield every statement, those in the bodies of loops included."""
    for step in steps:
        if isinstance(step, Loop):
            yield from step.body
        else:
            yield step


def slices(loop: Loop) -> tuple[Index, Index, Index]:
    """Return the slices of a loop that are not empty, in the order in which they are run.

    Returns:
        For each slice the place of its statement in the body, and its bounds on the statement's first axis.
    """
    parts = []
    for number, starts in enumerate(loop.starts):
        bounds = np.arange(loop.length + 1) if starts is None else starts
        steps = np.flatnonzero(np.diff(bounds))
        parts.append(np.stack([steps, np.full(len(steps), number), bounds[steps], bounds[steps + 1]]))
    steps, numbers, low, high = np.concatenate(parts, axis=1)
    order = np.lexsort((numbers, -steps if loop.backward else steps))
    return numbers[order], low[order], high[order]


def places_of(expression: Expression) -> Iterator[Place]:
    """Yield every place that an expression reads, in order, also where it reads a choice."""
    if isinstance(expression, Place):
        yield expression
        if expression.choice is not None:
            yield expression.choice
    elif isinstance(expression, Apply):
        for argument in expression.arguments:
            yield from places_of(argument)


def allocate(plan: Plan) -> tuple[Array, Array]:
    """Return new memories ``v`` and ``d`` for a plan, with its constants in ``v``."""
    v, d = np.zeros(plan.size), np.zeros(plan.size)
    v[plan.size - len(plan.constants) :] = plan.constants
    return v, d


def compute(expression: Expression, read: Any) -> Any:
    """Return the value of an expression, given a function that reads a place."""
    if isinstance(expression, Place):
        return read(expression)
    if isinstance(expression, Apply):
        return expression.operation.value(*(compute(argument, read) for argument in expression.arguments))
    return expression
