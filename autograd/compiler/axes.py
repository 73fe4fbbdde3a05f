"""Iteration spaces: addresses in a row become nested axes with steps, as far as they are evenly spaced."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograd.compiler.plan import Index, Place

Axes = list[tuple[int, list[int]]]


@dataclass
class Space:
    """An iteration space, and what is read at its points.

    Attributes:
        shape: the lengths of its axes.
        summed: how many of them, the last ones, run over the terms of a member.
        places: for each table of addresses the place.
        target: the steps in which consecutive members lie in memory, one for each axis.
        inner: how many members each index of the first axis stands for.
    """

    shape: tuple[int, ...]
    summed: int
    places: list[Place]
    target: tuple[int, ...]
    inner: int


def arrange(
    tables: Sequence[Index], members: int, terms: int, steps: int | None = None, cuts: Index | None = None
) -> Space:
    """Find the axes along which addresses are evenly spaced.

    Args:
        tables: addresses, each of shape (steps x members x terms,).
        members: how many members each step has, or how many there are.
        terms: how many terms each member adds up.
        steps: how many steps a loop has, if each has as many members; the first axis is then the loop's.
        cuts: places among the members that may not fall within an inner axis: the bounds of a loop's steps.
    """
    count = steps or 1
    flat = [table.reshape(count * members, terms) for table in tables]
    rest, term_axes, flat = _peel(flat, terms)
    member_axes: Axes = []
    if rest > 1:
        length = members
        leading = [table.reshape(count, members, rest) for table in flat]
    else:
        length, member_axes, peeled = _peel([table.reshape(count, members) for table in flat], members, cuts)
        leading = [table.reshape(count, length, 1) for table in peeled]
    kept = [steps is not None, length > 1 or cuts is not None, rest > 1]
    lead_shape = tuple(n for n, keep in zip((count, length, rest), kept, strict=True) if keep)
    axes = member_axes + term_axes
    shape = (*lead_shape, *(n for n, _ in axes))
    places = []
    for i, table in enumerate(leading):
        inner = tuple(strides[i] for _, strides in axes)
        strides = _even(table)
        if strides is None:
            places.append(Place("v", 0, (0,) * len(lead_shape) + inner, table.reshape(lead_shape).copy()))
        else:
            lead = tuple(s for s, keep in zip(strides, kept, strict=True) if keep)
            places.append(Place("v", int(table.flat[0]), lead + inner))
    summed = len(term_axes) + (rest > 1)
    member_shape = [n for n, _ in member_axes]
    inside = int(np.prod(member_shape, dtype=np.intp))
    target = [step for step, keep in zip((members, inside), kept, strict=False) if keep]
    target += [int(np.prod(member_shape[axis + 1 :], dtype=np.intp)) for axis in range(len(member_shape))]
    return Space(shape, summed, places, (*target, *[0] * summed), inside)


def _peel(tables: list[Index], count: int, cuts: Index | None = None) -> tuple[int, Axes, list[Index]]:
    """Take inner axes off rows of addresses, as long as all tables are evenly spaced along them.

    Returns:
        How many places are left in each row, the axes with each table's step, and the tables of what is left.
    """
    axes: Axes = []
    while count > 1:
        length = count if cuts is None else int(np.gcd.reduce(cuts, initial=count))
        steps = []
        for table in tables:
            differences = np.diff(table, axis=1)
            step = int(differences[0, 0])
            uneven = np.flatnonzero((differences != step).any(axis=0)) + 1
            length = int(np.gcd.reduce(uneven, initial=length))
            if length == 1:
                break
            steps.append(step)
        if length == 1:
            break
        axes.insert(0, (length, steps))
        tables = [table[:, ::length] for table in tables]
        count //= length
        cuts = None if cuts is None else cuts // length
    return count, axes, tables


def _even(table: Index) -> tuple[int, ...] | None:
    """Return the steps of an evenly spaced table along its axes; None if it is not evenly spaced."""
    origin = (0,) * table.ndim
    steps = []
    expected = np.asarray(table[origin])
    for axis, length in enumerate(table.shape):
        neighbour = tuple(int(a == axis) for a in range(table.ndim))
        step = int(table[neighbour] - table[origin]) if length > 1 else 0
        steps.append(step)
        expected = np.add.outer(expected, step * np.arange(length))
    return tuple(steps) if (table == expected).all() else None
