"""The first addition to a cell that is zero is an assignment: then the cell need not be cleared either."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from autograd.compiler.plan import (
    Apply,
    Expression,
    Index,
    Place,
    Plan,
    Statement,
    Step,
    places_of,
    statements_of,
)


def assigned(plan: Plan) -> Plan:
    """Return a plan in which the reverse pass assigns what it would add to zeros.

    Args:
        plan: the plan.

    Returns:
        The same program, which clears fewer cells. Only the sign of a zero may differ.
    """
    clean = np.zeros(plan.size, dtype=bool)  # cells that are zero and have not been read or written yet
    for start, stop in plan.cleared:
        clean[start:stop] = True
    needed = clean.copy()
    steps: list[Step] = []
    for step in plan.reverse:
        if isinstance(step, Statement) and step.adds and _is_first(step := _summing(step), clean):
            addresses = _addresses(step.target, step.shape)
            needed[addresses] = False
            step = replace(step, adds=False)
        _use(step, clean)
        steps.append(step)
    ranges = []
    for start, stop in plan.cleared:
        places = np.flatnonzero(needed[start:stop])
        if places.size:
            ranges.append((start + int(places[0]), start + int(places[-1]) + 1))
    return replace(plan, reverse=tuple(steps), cleared=tuple(ranges))


def _summing(statement: Statement) -> Statement:
    """Return a statement that sums over the axes along which it adds to one target; without tables."""
    target, rank = statement.target, len(statement.shape)
    places = list(_places(statement))
    if any(place.table is not None or place.choice is not None for place in places):
        return statement
    order = sorted(range(rank), key=lambda axis: axis >= rank - statement.summed or not target.strides[axis])

    def moved(expression: Expression) -> Expression:
        if isinstance(expression, Place):
            return replace(expression, strides=tuple(expression.strides[axis] for axis in order))
        if isinstance(expression, Apply):
            return replace(expression, arguments=tuple(map(moved, expression.arguments)))
        return expression

    return replace(
        statement,
        target=replace(target, strides=tuple(target.strides[axis] for axis in order)),
        expression=moved(statement.expression),
        shape=tuple(statement.shape[axis] for axis in order),
        summed=sum(not stride for stride in target.strides),
    )


def _is_first(statement: Statement, clean: Index) -> bool:
    """Tell whether each result of an adding statement has a target of its own that is still zero."""
    kept = statement.shape[: len(statement.shape) - statement.summed]
    if statement.target.choice is not None or not math.prod(statement.shape):
        return False
    addresses = _addresses(statement.target, statement.shape)
    if addresses.size < math.prod(kept) or not clean[addresses].all():
        return False
    return len(np.unique(addresses)) == addresses.size


def _use(step: Step, clean: Index) -> None:
    for statement in statements_of([step]):
        if not math.prod(statement.shape):
            continue
        for place in _places(statement):
            if place.choice is not None:
                clean[:] = False
            elif place.memory == "d":
                clean[_addresses(place, statement.shape)] = False


def _places(statement: Statement) -> Iterable[Place]:
    yield statement.target
    yield from places_of(statement.expression)


def _addresses(place: Place, shape: tuple[int, ...]) -> Index:
    """Return all addresses of a place, each once if it differs along no axis."""
    table = 0 if place.table is None else place.table.ndim
    lengths = [n if axis < table or place.strides[axis] else 1 for axis, n in enumerate(shape)]
    return place.addresses(lengths).ravel()
