"""A statement made ready for machine code: axes dropped, merged and summed, places as addresses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd.compiler.plan import Index, Place, Statement, places_of
from autograd.compiler.wasm.rows import Rows
from autograd.compiler.wasm.trace import Node, interning, leaf


@dataclass(frozen=True, eq=False)
class Access(Place):
    """A place over the axes that are left.

    Attributes:
        base: the address at the origin; 0 where there is a table.
        strides: one for each axis; 0 for those that the table covers.
        table: addresses over the first axes, or None.
        depends: a bit for each axis along which the address changes.
        key: equal for equal accesses, among those of one module.
    """

    choice: "Access | None" = None
    depends: int = 0
    key: int = 0


@dataclass(frozen=True, eq=False)
class Work:
    """A statement over its axes.

    Attributes:
        target: where results go.
        root: the expression.
        shape: the axes' lengths. Where ``sliced`` is set the first one is run by a loop over steps.
        summed: a bit for each axis that is summed over.
        adds: whether results are added.
        reads: the accesses of the expression.
        sliced: ``""``, ``"step"`` (the loop's step is the index on the first axis) or ``"range"``.
        starts: the bounds of the slices of a range.
    """

    target: Access
    root: Node
    shape: tuple[int, ...]
    summed: int
    adds: bool
    reads: tuple[Access, ...]
    sliced: str
    starts: Index | None


def prepare(
    group: Sequence[Statement], rows: Rows, sliced: str = "", starts: Index | None = None
) -> list[Work]:
    """Return statements of one shape, none of which sums, or a single one, as works with the same axes.

    Args:
        group: the statements.
        rows: where operations are looked up.
        sliced: how the first axis is run.
        starts: the bounds of the slices.

    Raises:
        TraceError: an operation cannot be read.
    """
    first = group[0]
    places: dict[int, Place] = {}
    for statement in group:
        for place in (statement.target, *places_of(statement.expression)):
            places[id(place)] = place
            if place.choice is not None:
                places[id(place.choice)] = place.choice
    axes = _axes(first, list(places.values()), sliced)
    shape = tuple(math.prod(first.shape[a] for a in merged) for merged in axes)
    made = {key: _access(place, axes, first.shape, rows.keys) for key, place in places.items()}
    kept = len(first.shape) - first.summed
    works = []
    for statement in group:
        reads: dict[Any, Access] = {}

        def read(place: Place, reads: dict[Any, Access] = reads) -> Node:
            access = made[id(place)]
            reads[access.key] = access
            if access.choice is not None:
                reads[access.choice.key] = access.choice
            return leaf("load", access, access.key)

        with interning():
            root = rows.lower(statement.expression, read)
        target = made[id(statement.target)]
        summed = sum(1 << i for i, merged in enumerate(axes) if merged[0] >= kept)
        if statement.adds:  # the points of an axis along which the target stays are summed
            free = (1 << len(axes)) - 1 & ~target.depends
            summed |= free & ~1 if sliced else free
        works.append(Work(target, root, shape, summed, statement.adds, tuple(reads.values()), sliced, starts))
    return works


def _axes(statement: Statement, places: Sequence[Place], sliced: str) -> list[list[int]]:
    """Return which axes are run as one: neighbours whose steps match in every place; those of length 1 go."""
    shape, kept = statement.shape, len(statement.shape) - statement.summed
    axes: list[list[int]] = []
    for axis, length in enumerate(shape):
        if sliced and axis == 0:
            axes.append([0])
            continue
        if length == 1:
            continue
        if axes and not (sliced and axes[-1] == [0]) and (axes[-1][0] >= kept) == (axis >= kept):
            before = axes[-1][-1]
            if all(
                place.strides[before] == place.strides[axis] * length
                and (place.table is None or not axes[-1][0] < place.table.ndim <= axis)
                for place in places
            ):
                axes[-1].append(axis)
                continue
        axes.append([axis])
    return axes


def _access(
    place: Place, axes: Sequence[Sequence[int]], shape: Sequence[int], keys: dict[Any, int]
) -> Access:
    strides = [place.strides[merged[-1]] for merged in axes]
    base, table, covered = place.base, None, 0
    if place.table is not None:
        rank = place.table.ndim
        lengths = [math.prod(shape[a] for a in merged) for merged in axes if merged[0] < rank]
        covered = len(lengths)
        table = base + place.table.astype(np.int64).reshape(lengths)
        for axis in range(covered):
            steps = strides[axis] * np.arange(lengths[axis])
            table = table + steps.reshape((-1,) + (1,) * (covered - axis - 1))
            strides[axis] = 0
        base = 0
        if covered == 0:
            base, table = int(table), None
    choice = None if place.choice is None else _access(place.choice, axes, shape, keys)
    depends = sum(1 << a for a, stride in enumerate(strides) if stride) | (1 << covered) - 1
    if choice is not None:
        depends |= choice.depends
    where = None if table is None else (table.shape, table.tobytes())
    chosen = None if choice is None else (choice.key, place.step)
    key = keys.setdefault((place.memory, base, tuple(strides), where, chosen), len(keys))
    return Access(place.memory, base, tuple(strides), table, choice, place.step, depends, key)


def overlap(one: Access, other: Access, shape: Sequence[int]) -> bool:
    """Tell whether two accesses may meet in a cell, at any two points; never wrongly that they do not."""
    if one.memory != other.memory:
        return False
    (low, high), (other_low, other_high) = one.bounds(shape), other.bounds(shape)
    if high < other_low or other_high < low:
        return False
    if one.table is None and other.table is None and one.choice is None and other.choice is None:
        common = math.gcd(*one.strides, *other.strides)
        if (one.base - other.base) % common if common else one.base != other.base:
            return False
    return True


def apart(read: Access, target: Access, shape: Sequence[int], starts: Index) -> bool:
    """Tell whether no slice of a range reads between addresses to which the same slice writes.

    The bounds of whole accesses say nothing of a loop in which a family goes on from its own earlier steps.
    """
    if read.table is not None or read.choice is not None or target.choice is not None or not read.strides[0]:
        return False
    low, high = replace(read, strides=(0, *read.strides[1:])).bounds(shape)
    written = target.addresses(shape).reshape(shape[0], -1)[starts[0] : starts[-1]]
    first, last = read.strides[0] * np.array([starts[:-1], starts[1:] - 1])[:: np.sign(read.strides[0])]
    lengths = np.diff(starts)
    first, last = np.repeat(first + low, lengths), np.repeat(last + high, lengths)
    return not ((written >= first[:, None]) & (written <= last[:, None])).any()


def one_to_one(access: Access, shape: Sequence[int]) -> bool:
    """Tell whether different points surely have different cells."""
    if access.table is not None or access.choice is not None:
        return False
    reach = 0
    for stride, length in sorted((abs(s), n) for s, n in zip(access.strides, shape, strict=True)):
        if length > 1:
            if stride <= reach:
                return False
            reach += stride * (length - 1)
    return True
