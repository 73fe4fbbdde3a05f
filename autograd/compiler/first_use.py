"""The first addition to a cell that is zero is an assignment: then the cell need not be cleared either."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from autograd.compiler.adjoint import cut, sum_repeated
from autograd.compiler.plan import Index, Loop, Place, Plan, Statement, Step, places_of

NEVER = np.iinfo(np.intp).max


def assigned(plan: Plan) -> Plan:
    """Return a plan in which the reverse pass assigns what it would add to zeros.

    Args:
        plan: the plan.

    Returns:
        The same program, which clears fewer cells. Only the sign of a zero may differ.
    """
    cells = _Cells(plan)
    reverse: list[Step] = []
    for step in plan.reverse:
        reverse += cells.loop(step) if isinstance(step, Loop) else [cells.alone(step)]
    ranges = []
    for start, stop in plan.cleared:
        places = np.flatnonzero(cells.needed[start:stop])
        if places.size:
            ranges.append((start + int(places[0]), start + int(places[-1]) + 1))
    return replace(plan, reverse=tuple(reverse), cleared=tuple(ranges))


class _Cells:
    """The cells of the adjoints, in the course of a reverse pass.

    Attributes:
        clean: those that are zero and have not been read or written yet.
        needed: those that have to be cleared.
    """

    def __init__(self, plan: Plan) -> None:
        self.clean = np.zeros(plan.size, dtype=bool)
        for start, stop in plan.cleared:
            self.clean[start:stop] = True
        self.needed = self.clean.copy()
        self._mark = np.zeros(plan.size, dtype=np.intp)
        self._first = np.full(plan.size, NEVER)

    def alone(self, statement: Statement) -> Statement:
        """Return a statement that assigns, if all its targets are clean."""
        if not statement.shape and not any(
            place.choice or place.table is not None for place in _adjoints(statement)
        ):
            return self._lone(statement)
        if statement.adds:
            statement = sum_repeated(statement, 0)
        if not math.prod(statement.shape):
            return statement
        if _may_assign(statement):
            statement = self._assigning(statement, _addresses(statement.target, statement))
        for place in _adjoints(statement):
            self.clean[:] &= place.choice is None
            self.clean[_addresses(place, statement)] = False
        return statement

    def _lone(self, statement: Statement) -> Statement:
        """Return the same of a statement of one number, the short way."""
        target = statement.target.base
        assigns = statement.adds and self.clean[target]
        for place in _adjoints(statement):
            self.clean[place.base] = False
        if not assigns:
            return statement
        self.needed[target] = False
        return replace(statement, adds=False)

    def loop(self, loop: Loop) -> list[Step]:
        """Return a loop whose statements assign, if in every step they are the first to use their targets.

        A single statement that is the first in all steps but the last one is a loop over those, and then that
        step, as at the end of a chain that begins with a leaf.
        """
        body = [sum_repeated(statement, 1) if statement.adds else statement for statement in loop.body]
        touched: list[Index] = []
        for number, statement in enumerate(body):
            if not math.prod(statement.shape):
                continue
            rows, times = _run(loop, number)
            for place in _adjoints(statement):
                self.clean[:] &= place.choice is None
                addresses = _addresses(place, statement)[rows]
                touched.append(addresses)
                np.minimum.at(self._first, addresses, (times + (place is statement.target))[:, None])
        steps: list[Step] = []
        for number, statement in enumerate(body):
            if math.prod(statement.shape) and _may_assign(statement):
                rows, times = _run(loop, number)
                addresses = _addresses(statement.target, statement)[rows]
                first = (self._first[addresses] == times[:, None] + 1).all(axis=1)
                if first.all():
                    body[number] = self._assigning(statement, addresses)
                if len(body) == 1 and body[0].adds and loop.length > 1:
                    others = times < 2 * (loop.length - 1)
                    if first[others].all():
                        rest, last = _without_last(replace(loop, body=(statement,)))
                        assigning = self._assigning(rest.body[0], addresses[others])
                        steps = [] if assigning.adds else [replace(rest, body=(assigning,)), last]
        for addresses in touched:
            self.clean[addresses] = False
            self._first[addresses] = NEVER
        return steps or [replace(loop, body=tuple(body))]

    def _assigning(self, statement: Statement, addresses: Index) -> Statement:
        """Return a statement as an assignment, if its targets are clean and no two the same."""
        numbers = np.arange(addresses.size).reshape(addresses.shape)
        self._mark[addresses] = numbers
        if not self.clean[addresses].all() or (self._mark[addresses] != numbers).any():
            return statement
        self.needed[addresses] = False
        return replace(statement, adds=False)


def _run(loop: Loop, number: int) -> tuple[slice, Index]:
    """Return which rows of a body's statement are run, and when each of them is: at an even time."""
    starts = loop.starts[number]
    bounds = np.arange(loop.length + 1) if starts is None else starts
    step = np.repeat(np.arange(loop.length), np.diff(bounds))
    if loop.backward:
        step = loop.length - 1 - step
    return slice(bounds[0], bounds[-1]), 2 * (step * len(loop.body) + number)


def _without_last(loop: Loop) -> tuple[Loop, Statement]:
    """Return a loop over one statement without the step that is run last, and the statement of that step."""
    (statement,), (starts,) = loop.body, loop.starts
    bounds = np.arange(loop.length + 1) if starts is None else starts
    kept, last = (bounds[1:], bounds[:2]) if loop.backward else (bounds[:-1], bounds[-2:])
    rest = cut(statement, 0, int(kept[0]), int(kept[-1]))
    others = None if starts is None else kept - kept[0]
    loop = replace(loop, body=(rest,), starts=(others,), length=loop.length - 1)
    return loop, cut(statement, 0, *last.tolist())


def _may_assign(statement: Statement) -> bool:
    """Tell whether an adding statement's targets are known, and all of them are different by their form."""
    target, kept = statement.target, statement.shape[: len(statement.shape) - statement.summed]
    table = 0 if target.table is None else target.table.ndim
    repeats = any(n > 1 and not target.strides[a] for a, n in enumerate(kept[table:], table))
    return statement.adds and target.choice is None and not repeats


def _adjoints(statement: Statement) -> Iterator[Place]:
    """Yield the places of a statement that may be cells of adjoints."""
    for place in (statement.target, *places_of(statement.expression)):
        if place.memory == "d":
            yield place


def _addresses(place: Place, statement: Statement) -> Index:
    """Return all addresses of a place, each once along axes on which it stays.

    Returns:
        Rows for the points of the first axis if that is not summed over, else one row.
    """
    table = 0 if place.table is None else place.table.ndim
    rows = statement.shape[0] if len(statement.shape) > statement.summed else 1
    lengths = [n if a < table or place.strides[a] else 1 for a, n in enumerate(statement.shape)]
    if len(statement.shape) > statement.summed:
        lengths[0] = rows
    return place.addresses(lengths).reshape(rows, -1)
