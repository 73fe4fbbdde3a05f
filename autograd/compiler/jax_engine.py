"""A plan as a pure function of JAX: for GPUs, for many devices, and for what else JAX makes of functions.

The two memories are arrays that are passed on, each in two parts: cells that depend on no data, of shape
(cells, 1), and cells that do, of shape (cells, points), so that a batch is the program of one point on longer
rows. An evenly spaced place is a slice, any other one a gather; loops are `jax.lax.fori_loop`, which is a
scan; a sum of products of two places is an einsum.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from autograd import ops
from autograd.compiler.adjoint import strengthened
from autograd.compiler.forms import Call, Tree, form_at
from autograd.compiler.plan import Apply, Expression, Loop, Place, Plan, Statement, Step, statements_of
from autograd.compiler.spaces import regular
from autograd.row import Operation

Memory = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Cells:
    """A place in one part of a memory; in a loop, at a step: then base and table may be traced.

    Attributes:
        part: the name of the part.
        base: the row of the part at the origin.
        strides, table, choice, step: as of `Place`, for the axes that are left.
    """

    part: str
    base: Any
    strides: tuple[int, ...]
    table: Any
    choice: "Cells | None"
    step: int

    def step_of(self, t: Any) -> "Cells":
        """Return the cells at an index of the first axis."""
        base, table = self.base + self.strides[0] * t, self.table
        if table is not None:
            table = jnp.asarray(table)[t]
            if not table.ndim:
                base, table = base + table, None
        choice = self.choice and self.choice.step_of(t)
        return replace(self, base=base, strides=self.strides[1:], table=table, choice=choice)

    def rows_of(self, rows: Any) -> "Cells":
        """Return the cells at some indices of the first axis."""
        table = self.strides[0] * rows
        if self.table is not None:
            chosen = jnp.asarray(self.table)[rows]
            table = chosen + table.reshape(-1, *[1] * (chosen.ndim - 1))
        choice = self.choice and self.choice.rows_of(rows)
        return replace(self, strides=(0, *self.strides[1:]), table=table, choice=choice)

    def addresses(self, shape: Sequence[int]) -> Any:
        """Return the rows of all points, with axes of length 1 where they do not differ."""
        total = self.base + np.zeros((1,) * len(shape), dtype=np.intp)
        if self.table is not None:
            total = total + self.table.reshape(self.table.shape + (1,) * (len(shape) - self.table.ndim))
        for axis, stride in enumerate(self.strides):
            if stride:
                total = total + (stride * np.arange(shape[axis])).reshape(-1, *[1] * (len(shape) - axis - 1))
        return total


@dataclass(frozen=True, eq=False)
class Slice:
    """What a statement's points become at a step of a loop: index t, or the rows of which ``inside`` are."""

    t: Any = None
    rows: Any = None
    inside: Any = None

    def of(self, cells: Cells) -> Cells:
        """Return the cells at the step."""
        if self.t is not None:
            return cells.step_of(self.t)
        return cells if self.rows is None else cells.rows_of(self.rows)

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the lengths of the axes that are left."""
        if self.t is not None:
            return shape[1:]
        return shape if self.rows is None else (len(self.rows), *shape[1:])


class JaxEngine:
    """Runs a plan on memories that are passed on.

    Args:
        plan: the program of one point.

    Raises:
        TypeError: an operation has no array form that JAX can trace.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = strengthened(plan)
        self.low, self.high = plan.fixed, plan.size - len(plan.constants)
        for statement in statements_of((*self.plan.forward, *self.plan.reverse)):
            _check(statement.expression)

    def forward(self, parameters: Any, data: Any) -> Memory:
        """Return the values.

        Args:
            parameters: of shape (parameters,).
            data: of shape (data, points).
        """
        plan = self.plan
        between = jnp.zeros(self.low - plan.parameters)
        shared = jnp.concatenate([parameters, between, jnp.asarray(plan.constants)])[:, None]
        fed = jnp.concatenate([data, jnp.zeros((self.high - self.low - plan.data, data.shape[1]))])
        return self._run(plan.forward, {"v": shared, "v of points": fed})

    def reverse(self, values: Memory) -> Memory:
        """Return values and adjoints; ``d`` begins with the gradient of the sum over outputs and points."""
        adjoints = {key.replace("v", "d", 1): jnp.zeros_like(part) for key, part in values.items()}
        return self._run(self.plan.reverse, values | adjoints)

    def outputs(self, values: Memory) -> Any:
        """Return the outputs, of shape (outputs, points); of shape (1,) those that depend on no data."""
        rows = [self._cells(Place("v", address, ())) for address in self.plan.outputs]
        points = values["v of points"].shape[1]
        return jnp.stack([jnp.broadcast_to(values[at.part][at.base], (points,)) for at in rows])

    def _cells(self, place: Place) -> Cells:
        table = None if place.table is None else place.base + place.table
        first = place.base if table is None else int(table.flat[0]) if table.size else 0
        fed = self.low <= first < self.high

        def moved(address: Any) -> Any:
            return address - (self.low if fed else (self.high - self.low) * (address >= self.high))

        base = int(moved(place.base)) if table is None else 0
        table = None if table is None else moved(table)
        choice = None if place.choice is None else self._cells(place.choice)
        return Cells(place.memory + " of points" * fed, base, place.strides, table, choice, place.step)

    def _run(self, steps: Sequence[Step], memory: Memory) -> Memory:
        for step in steps:
            memory = self._loop(step, memory) if isinstance(step, Loop) else self._statement(step, memory)
        return memory

    def _loop(self, loop: Loop, memory: Memory) -> Memory:
        if not loop.length:
            return memory
        parts = {self._cells(statement.target).part for statement in loop.body}

        def body(count: Any, written: Memory) -> Memory:
            t = loop.length - 1 - count if loop.backward else count
            now = memory | written
            for statement, starts in zip(loop.body, loop.starts, strict=True):
                even = statement if starts is None else regular(statement, starts)
                if starts is None or even is not None:
                    now = self._statement(even or statement, now, Slice(t))
                elif widest := int(np.diff(starts).max()):  # rows beyond a step's end are computed, not kept
                    rows = jnp.asarray(starts)[t] + np.arange(widest)
                    inside = rows < jnp.asarray(starts)[t + 1]
                    last = statement.shape[0] - 1
                    now = self._statement(statement, now, Slice(None, jnp.minimum(rows, last), inside))
            return {part: now[part] for part in parts}

        result: Memory = lax.fori_loop(0, loop.length, body, {part: memory[part] for part in parts})
        return memory | result

    def _statement(self, statement: Statement, memory: Memory, piece: Slice = Slice()) -> Memory:
        shape = piece.shape(statement.shape)
        kept = len(shape) - statement.summed
        if not math.prod(shape[:kept]):
            return memory
        target = piece.of(self._cells(statement.target))
        target = replace(target, strides=target.strides[:kept])
        over_points = "of points" not in target.part and target.choice is None
        read = lambda place: _read(memory, piece.of(self._cells(place)), shape)  # noqa: E731
        total = partial(_sum, kept=kept, shape=shape, over_points=over_points)
        expression = statement.expression
        if _is_product(expression) and (statement.summed or over_points):
            a, b = map(read, expression.arguments)  # type: ignore[union-attr]  # as it is a product
            value = _contracted(a, b, kept, shape, over_points)
            if expression.operation is ops.strong_mul:  # type: ignore[union-attr]
                value = lax.cond(
                    jnp.isnan(value).any(), lambda: total(_applied(ops.strong_mul, [a, b])), lambda: value
                )
        else:
            value = total(_compute(expression, read))
        return _write(memory, target, shape[:kept], value, statement.adds, piece.inside)


def _is_product(expression: Expression) -> bool:
    if not (isinstance(expression, Apply) and expression.operation in (ops.mul, ops.strong_mul)):
        return False
    return all(isinstance(argument, Place) for argument in expression.arguments)


def _check(expression: Expression) -> None:
    if isinstance(expression, Apply):
        tree = form_at(expression.operation, expression.arguments)
        if tree is None or any(isinstance(call.function, Operation) for call in _calls(tree)):
            raise TypeError(
                f"operation {expression.operation.name!r} has no array form that JAX can trace; give its row "
                "one with numpy=..., a function (numpy, *arguments) that calls functions of numpy alone"
            )
        for argument in expression.arguments:
            _check(argument)


def _calls(tree: Tree) -> list[Call]:
    return [tree, *(c for a in tree.arguments for c in _calls(a))] if isinstance(tree, Call) else []


def _compute(expression: Expression, read: Any) -> Any:
    if isinstance(expression, Place):
        return read(expression)
    if isinstance(expression, Apply):
        return _applied(expression.operation, [_compute(a, read) for a in expression.arguments])
    return expression


def _applied(operation: Operation, arguments: list[Any]) -> Any:
    """Return an operation at arrays, by the same functions as NumPy's."""

    def walk(tree: Tree) -> Any:
        if isinstance(tree, Call):
            return getattr(jnp, str(tree.function))(*map(walk, tree.arguments))
        return arguments[tree] if isinstance(tree, int) else tree

    return jnp.asarray(walk(form_at(operation, arguments)), dtype=float)


def _sum(value: Any, *, kept: int, shape: tuple[int, ...], over_points: bool) -> Any:
    value = jnp.asarray(value, dtype=float)
    value = value.reshape(value.shape or (1,) * (len(shape) + 1))
    value = jnp.broadcast_to(value, (*value.shape[:kept], *shape[kept:], value.shape[-1]))
    value = value.sum(tuple(range(kept, len(shape))))
    return value.sum(-1, keepdims=True) if over_points else value


def _contracted(a: Any, b: Any, kept: int, shape: tuple[int, ...], over_points: bool) -> Any:
    """Return the sum of a product: axes of length 1 are left out, and points are one more axis."""
    axes = len(shape) + 1
    own = [[axis for axis in range(axes) if x.shape[axis] > 1] for x in (a, b)]
    result = [axis for axis in range(axes) if axis < kept or (axis == axes - 1 and not over_points)]
    left = [axis for axis in result if axis in own[0] or axis in own[1]]
    squeezed = [
        x.reshape([x.shape[axis] for axis in axis_list]) for x, axis_list in zip((a, b), own, strict=True)
    ]
    value = jnp.einsum(squeezed[0], own[0], squeezed[1], own[1], left)
    repeats = math.prod(shape[axis] for axis in range(kept, len(shape)) if axis not in own[0] + own[1])
    lengths = [max(a.shape[axis], b.shape[axis]) if axis in left else 1 for axis in (*range(kept), axes - 1)]
    return (value if repeats == 1 else value * repeats).reshape(lengths)


def _read(memory: Memory, cells: Cells, shape: tuple[int, ...]) -> Any:
    """Return what is at some cells, of shape (*shape, points), or with lengths of 1 where nothing differs."""
    part = memory[cells.part]
    if cells.choice is not None:
        rows = _chosen(memory, cells, shape)
        return part[rows, np.arange(part.shape[1])]
    if cells.table is None and (block := _block(part, cells, shape)) is not None:
        return block
    return part[cells.addresses(shape)]


def _chosen(memory: Memory, cells: Cells, shape: tuple[int, ...]) -> Any:
    """Return the rows that are chosen at all points, of shape (*shape, points)."""
    assert cells.choice is not None
    numbers = _read(memory, cells.choice, (*shape, *[1] * (len(cells.choice.strides) - len(shape))))
    numbers = numbers.reshape(*numbers.shape[: len(shape)], numbers.shape[-1])
    return cells.addresses(shape)[..., None] + cells.step * numbers.astype(int)


def _block(part: Any, cells: Cells, shape: tuple[int, ...]) -> Any:
    """Return evenly spaced cells, not gathered; None if strides do not nest or too much lies between."""
    axes = [
        axis for axis, (n, stride) in enumerate(zip(shape, cells.strides, strict=True)) if n != 1 and stride
    ]
    axes.sort(key=lambda axis: -abs(cells.strides[axis]))
    steps, lengths = [abs(cells.strides[axis]) for axis in axes], [shape[axis] for axis in axes]
    if not all(s >= t * n for s, t, n in zip(steps, steps[1:], lengths[1:], strict=False)):
        return None
    extent = 1 + sum((n - 1) * s for n, s in zip(lengths, steps, strict=True))
    if not math.prod(lengths) or extent > 8 * math.prod(lengths):
        return None
    base = cells.base + sum(
        cells.strides[axis] * (shape[axis] - 1) for axis in axes if cells.strides[axis] < 0
    )
    points = part.shape[1]
    block = lax.dynamic_slice_in_dim(part, base, extent) if _is_traced(base) else part[base : base + extent]
    for done, (n, s) in enumerate(zip(lengths, steps, strict=True)):
        there = block.shape[done]
        if there < n * s:
            block = jnp.pad(block, [(0, n * s - there if axis == done else 0) for axis in range(block.ndim)])
        else:
            block = lax.slice_in_dim(block, 0, n * s, axis=done)
        block = block.reshape(*lengths[:done], n, s, points)
    block = block[(slice(None),) * len(lengths) + (0,)]
    for place, axis in enumerate(axes):
        block = jnp.flip(block, place) if cells.strides[axis] < 0 else block
    block = block.transpose([*np.argsort(axes), len(axes)])
    return block.reshape(*(n if axis in axes else 1 for axis, n in enumerate(shape)), points)


def _write(
    memory: Memory, cells: Cells, shape: tuple[int, ...], value: Any, adds: bool, inside: Any
) -> Memory:
    """Return the memory with results, of shape (*shape, points or 1), put or added to some cells."""
    part = memory[cells.part]
    order = sorted(range(len(shape)), key=lambda axis: -cells.strides[axis])
    packed = [math.prod(shape[axis] for axis in order[place + 1 :]) for place in range(len(order))]
    even = all(shape[axis] == 1 or cells.strides[axis] == s for axis, s in zip(order, packed, strict=True))
    if cells.table is None and cells.choice is None and even:
        value = jnp.broadcast_to(value, (*shape, part.shape[1]))
        rows = value.transpose([*order, len(shape)]).reshape(-1, part.shape[1])
        if adds:
            rows = rows + lax.dynamic_slice_in_dim(part, cells.base, len(rows))
        return memory | {cells.part: lax.dynamic_update_slice_in_dim(part, rows, cells.base, 0)}
    points = part.shape[1]
    where: tuple[Any, ...]
    if cells.choice is None:
        where = (jnp.broadcast_to(cells.addresses(shape), shape),)
    else:
        rows = _chosen(memory, cells, shape)
        points = max(rows.shape[-1], value.shape[-1], points)
        columns = np.arange(points) if part.shape[1] > 1 else np.zeros(points, dtype=int)
        where = (jnp.broadcast_to(rows, (*shape, points)), columns)
    value = jnp.broadcast_to(value, (*shape, points))
    if inside is not None:
        mask = inside.reshape(-1, *[1] * (where[0].ndim - 1))
        where = (jnp.where(mask, where[0], len(part)), *where[1:])
    at = part.at[where]
    return memory | {cells.part: (at.add if adds else at.set)(value, mode="drop")}


def _is_traced(base: Any) -> bool:
    return isinstance(base, jax.Array)  # as tracers are
