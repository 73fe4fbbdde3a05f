"""What a loop computes anew in each step though nothing in the loop changes it.

In a reverse pass all local derivatives are such: they read values, while the loop writes adjoints. Computed
before the loop, for all steps at once, they are a few operations on large arrays.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.plan import Apply, Expression, Loop, Place, Statement, places_of

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
