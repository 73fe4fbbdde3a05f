"""What a loop computes anew in each step though nothing in the loop changes it; and running folds.

In a reverse pass all local derivatives are such: they read values, while the loop writes adjoints. Computed
before the loop, for all steps at once, they are a few operations on large arrays.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.plan import Apply, Expression, Index, Loop, Place, Statement, places_of

MEMORY = "h"
"""The memory that holds the invariants of loops."""


def hoisted(loop: Loop, first: int) -> tuple[list[Statement], Loop, int]:
    """Move what does not change out of a loop, into a memory of its own.

    Args:
        loop: the loop.
        first: the first address in that memory that is free.

    Returns:
        The statements to run before the loop, the loop that reads their results, and the next free address.
    """
    if loop.length < 2 or any(statement.target.choice for statement in loop.body):
        return [], loop, first  # of a choice there is no telling which cells it changes
    mover = _Mover(loop, first)
    body = tuple(replace(statement, expression=mover.moved(statement)) for statement in loop.body)
    return mover.before, replace(loop, body=body), mover.free


class _Mover:
    def __init__(self, loop: Loop, free: int) -> None:
        self.before: list[Statement] = []
        self.free = free
        targets = [(s.target.memory, s.target.addresses(s.shape)) for s in loop.body if math.prod(s.shape)]
        size = max((int(addresses.max()) for _, addresses in targets), default=0) + 1
        self.changed: dict[str, NDArray[np.bool_]] = {}
        for memory, addresses in targets:
            self.changed.setdefault(memory, np.zeros(size, dtype=bool))[addresses] = True

    def moved(self, statement: Statement) -> Expression:
        """Return a statement's expression, with places for what has been moved out of it."""
        return self._moved(statement.expression, statement.shape)[0]

    def _moved(self, expression: Expression, shape: tuple[int, ...]) -> tuple[Expression, bool]:
        """Return an expression without its steady parts, and whether it is steady as a whole."""
        if isinstance(expression, Place):
            return expression, self._is_steady(expression, shape)
        if not isinstance(expression, Apply):
            return expression, True
        arguments = [self._moved(argument, shape) for argument in expression.arguments]
        if all(steady for _, steady in arguments):
            return expression, True
        parts = tuple(self._placed(part, shape) if steady else part for part, steady in arguments)
        return Apply(expression.operation, parts), False

    def _is_steady(self, place: Place, shape: tuple[int, ...]) -> bool:
        if place.choice is not None:
            return False
        changed = self.changed.get(place.memory)
        if changed is None or not math.prod(shape):
            return True
        addresses = place.addresses(shape)
        return not changed[addresses[addresses < len(changed)]].any()

    def _placed(self, expression: Expression, shape: tuple[int, ...]) -> Expression:
        """Return a place for what is computed before the loop."""
        if not isinstance(expression, Apply):
            return expression
        varies = [any(_varies(place, axis) for place in places_of(expression)) for axis in range(len(shape))]
        lengths = tuple(length if v else 1 for length, v in zip(shape, varies, strict=True))
        strides = tuple(math.prod(lengths[axis + 1 :]) if v else 0 for axis, v in enumerate(varies))
        place = Place(MEMORY, self.free, strides)
        self.before.append(Statement(place, expression, lengths))
        self.free += math.prod(lengths)
        return place


def _varies(place: Place, axis: int) -> bool:
    return place.strides[axis] != 0 or (place.table is not None and axis < place.table.ndim)


def running_fold(loop: Loop) -> tuple[str, Place, Statement | None] | None:
    """Recognise a loop in which each step applies one of NumPy's functions to the last result.

    Returns:
        The function's name; the results in the order of the steps, after the one before the first step; and
        the statement that puts the other arguments in their places, if they are not there. None if it is no
        such loop.
    """
    if len(loop.body) != 1 or loop.starts[0] is not None or not loop.length:
        return None
    (statement,) = loop.body
    target, expression = statement.target, statement.expression
    step = -target.strides[0] if loop.backward else target.strides[0]
    origin = target.base + (loop.length - 1) * target.strides[0] if loop.backward else target.base
    if statement.summed or target.table is not None or target.choice is not None:
        return None
    results = Place(target.memory, origin - step, (step, *target.strides[1:]))
    before = Place(target.memory, target.base - step, target.strides)
    addresses = results.addresses((loop.length + 1, *statement.shape[1:]))
    if len(np.unique(addresses)) < addresses.size:
        return None
    if statement.adds:
        return ("add", results, None) if _same(expression, before) else None
    if (
        not isinstance(expression, Apply)
        or len(expression.arguments) != 2
        or not expression.operation.accumulates
    ):
        return None
    last, other = expression.arguments
    function = str(expression.operation.numpy)
    if _commutes(function) and _same(other, before):
        last, other = other, last
    if not _same(last, before) or not isinstance(other, (Place, float)):
        return None
    if isinstance(other, Place) and (
        other.choice or (other.memory == target.memory and _meet(other, statement.shape, addresses))
    ):
        return None
    return function, results, replace(statement, expression=other)


def _same(expression: Expression, place: Place) -> bool:
    return (
        isinstance(expression, Place)
        and (expression.memory, expression.base, expression.strides)
        == (place.memory, place.base, place.strides)
        and expression.table is None
        and expression.choice is None
    )


def _meet(place: Place, shape: tuple[int, ...], addresses: Index) -> bool:
    return bool(np.isin(place.addresses(shape), addresses).any())


def _commutes(function: str) -> bool:
    points = np.array([0.3, -1.7, 2.5])
    ufunc = getattr(np, function)
    return bool((ufunc.outer(points, points) == ufunc.outer(points, points).T).all())
