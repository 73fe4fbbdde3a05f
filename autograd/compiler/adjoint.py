"""The reverse pass of statements is made of statements: for each place that is read one that adds to it.

Local derivatives come from the rows of the operation table, applied to terms. What is known here by name are
the two operations of a sum of products, and those that make expressions shorter.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import inf
from typing import Any, TypeGuard

import numpy as np

from autograd import ops
from autograd.compiler.computed import Computed
from autograd.compiler.drafts import PARAMETERS, Draft, LoopDraft, hoist
from autograd.compiler.plan import Apply, Expression, Loop, Place, Plan, Statement, places_of
from autograd.contributions import taken_apart
from autograd.row import Operation
from autograd.symbolic import Symbolic


class Term(Symbolic):
    """An expression, on which Python's operators and the rows of the table act."""

    __slots__ = ("expression",)

    def __init__(self, expression: Expression) -> None:
        self.expression = expression

    @property
    def operation(self) -> Operation | None:
        """The row that is applied last, None for a place."""
        return self.expression.operation if isinstance(self.expression, Apply) else None

    @property
    def arguments(self) -> Sequence[Any]:
        """What that is applied to, terms and floats."""
        return list(map(_term, self.expression.arguments)) if isinstance(self.expression, Apply) else []

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> Any:
        """Return the term that applies ``operation``."""
        return _term(_simplified(operation, tuple(map(_expression, arguments))))


def _term(expression: Expression) -> Any:
    return expression if isinstance(expression, float) else Term(expression)


def _expression(argument: Any) -> Expression:
    return argument.expression if isinstance(argument, Term) else float(argument)


def _simplified(operation: Operation, arguments: tuple[Expression, ...]) -> Expression:
    """Return an operation's expression in a shorter form of exactly the same value, if there is one."""
    if all(isinstance(argument, float) for argument in arguments):
        number: float = operation.value(*arguments)
        return number
    if operation is ops.strong_mul and isinstance(arguments[0], float) and arguments[0]:
        operation = ops.mul
    if operation is ops.mul:
        for factor, other in (arguments, arguments[::-1]):
            if factor == 1.0 and isinstance(factor, float):
                return other
            if factor == -1.0 and isinstance(factor, float):
                return Apply(ops.neg, (other,))
            if isinstance(factor, float) and _is_twice(other):  # which may overflow where this does not
                return Apply(ops.mul, (2.0 * factor, other.arguments[0]))
    if operation is ops.where and isinstance(arguments[0], float):
        return arguments[1] if arguments[0] else arguments[2]
    if operation is ops.pow:
        base, exponent = arguments
        if exponent == 1.0:
            return base
        if exponent == 2.0:
            return Apply(ops.mul, (base, base))
        if exponent == -1.0:
            return Apply(ops.div, (1.0, base))
    return Apply(operation, arguments)


def _is_twice(expression: Expression) -> TypeGuard[Apply]:
    """Tell whether a place is added to itself."""
    if not isinstance(expression, Apply) or expression.operation is not ops.add:
        return False
    first, second = expression.arguments
    return first is second and isinstance(first, Place)


def simplified(expression: Expression) -> Expression:
    """Return an expression with shorter forms of exactly the same value in it."""
    if not isinstance(expression, Apply):
        return expression
    arguments = tuple(map(simplified, expression.arguments))
    shorter = _simplified(expression.operation, arguments)
    if not isinstance(shorter, Apply) or shorter.operation is not expression.operation:
        return shorter
    return expression if all(map(operator.is_, shorter.arguments, expression.arguments)) else shorter


def reverse(forward: Sequence[Draft | LoopDraft], active: Sequence[bool]) -> list[Draft | LoopDraft]:
    """Return the reverse pass of a forward pass.

    Args:
        forward: the drafts.
        active: whether each family has adjoints.
    """
    steps: list[Draft | LoopDraft] = []
    computed = Computed(forward)
    for part in reversed(forward):
        if isinstance(part, Draft):
            steps += contributions(part, None, active, computed)
        else:
            body = [c for draft in reversed(part.body) for c in contributions(draft, part, active, computed)]
            steps += hoist(LoopDraft(body, part.length, backward=not part.backward))
    return _widest_last(steps)


def _widest_last(steps: Sequence[Draft | LoopDraft]) -> list[Draft | LoopDraft]:
    """Move what adds to many parameters, as a penalty does, behind what adds to some of them.

    Nothing reads the parameters' adjoints. What comes first to a cell assigns, if no cell is left out; then
    there is nothing to clear, and a matrix product goes where it belongs instead of through a buffer.
    """
    places = [
        place
        for place, step in enumerate(steps)
        if isinstance(step, Draft) and step.writes == {PARAMETERS} and _extent(step.statement)
    ]
    extents = np.array([_extent(steps[place].statement) for place in places]).reshape(-1, 2)  # type: ignore[union-attr]
    low, high = extents.T
    inside = (low[:, None] <= low) & (high[:, None] >= high) & ((high - low)[:, None] > high - low)
    wide = {place for place, some in zip(places, np.triu(inside).any(axis=1), strict=True) if some}
    last = [steps[place] for place in sorted(wide)]
    return [step for place, step in enumerate(steps) if place not in wide] + last


def _extent(statement: Statement) -> tuple[int, int] | None:
    """Return the lowest and the highest address of a target that is evenly spaced."""
    target = statement.target
    if target.table is not None or target.choice is not None or 0 in statement.shape:
        return None
    return target.bounds(statement.shape)


def contributions(
    draft: Draft, loop: LoopDraft | None, active: Sequence[bool], computed: Computed
) -> Iterator[Draft]:
    """Yield the statements that add to the adjoints of what a statement reads: adjoint times derivative."""
    (family,) = draft.writes
    if not active[family]:
        return
    statement = draft.statement
    upstream = Term(statement.target.adjoint)
    for place, source in draft.sources.items():
        if not source.active:
            continue
        local, selects = _derivative(statement.expression, place, Term(statement.target))
        if local is None:
            continue
        contribution = Statement(
            place.adjoint,
            computed.read(_expression(upstream * local), draft, loop),
            statement.shape,
            adds=True,
            name=f"{statement.name}'",
            selects=selects,
        )
        yield Draft(contribution, draft.starts, {}, source.families, draft.writes)


def strengthened(plan: Plan) -> Plan:
    """Return the plan with strong zeros in its reverse pass, and with infinite derivatives taken apart.

    Both decide only where a plain product is infinite or nan, and that reaches some parameter: so the plain
    reverse pass is right, and faster, where all gradients are finite.
    """

    def strong(statement: Statement) -> Statement:
        expression = statement.expression
        if not (isinstance(expression, Apply) and expression.operation is ops.mul):
            return statement
        upstream, local = expression.arguments
        apart = taken_apart(Term(upstream), _term(local), choose=_by_size)
        if apart is not None:
            if statement.selects:
                apart = ops.where(_term(local), apart, 0.0)
            apart = ops.where(Term(upstream), apart, 0.0)
            return replace(statement, expression=_expression(apart))
        product = Apply(ops.strong_mul, (upstream, local))
        if statement.selects:
            product = Apply(ops.where, (upstream, Apply(ops.strong_mul, (local, upstream)), 0.0))
        return replace(statement, expression=product)

    steps = tuple(
        replace(step, body=tuple(map(strong, step.body))) if isinstance(step, Loop) else strong(step)
        for step in plan.reverse
    )
    return replace(plan, reverse=steps)


def _by_size(row: Operation, number: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """Choose by the size of a term; see `taken_apart`."""
    return ops.where(row(ops.abs(number), inf), yes(), no())


def _derivative(expression: Expression, place: Place, value: Any) -> tuple[Any, bool]:
    """Return the derivative of an expression by what is at a place, and whether its zero is a selection's.

    It is a term or a float; None if it is 0.
    """
    if expression is place:
        return 1.0, False
    total, selects = None, True
    if isinstance(expression, Apply):
        arguments = [_term(argument) for argument in expression.arguments]
        row = expression.operation
        for index, argument in enumerate(expression.arguments):
            if any(found is place for found in places_of(argument)):
                inner, _ = _derivative(argument, place, _term(argument))
                local = row.derivatives[index](value, *arguments)
                # A factor that is 0 is no strong zero: an infinite adjoint times it is nan, as eagerly.
                if inner is not None and (local != 0.0 or index not in row.selects):
                    total = local * inner if total is None else total + local * inner
                    selects = selects and index in row.selects
    return total, selects


def sum_repeated(statement: Statement, first: int) -> Statement:
    """Return the statement with the axes along which its target stays the same as axes to sum over.

    Args:
        statement: one that adds.
        first: the first axis that may be moved.
    """
    target, shape = statement.target, statement.shape
    places = [target, *places_of(statement.expression)]
    if target.choice is not None:
        return statement
    bound = max([first, *(place.table.ndim for place in places if place.table is not None)])
    moved = [axis for axis in range(bound, len(shape)) if target.strides[axis] == 0]
    if not moved:
        return statement
    order = [axis for axis in range(len(shape)) if axis not in moved] + moved

    def permuted(place: Place) -> Place:
        choice = None if place.choice is None else permuted(place.choice)
        return replace(place, strides=tuple(place.strides[axis] for axis in order), choice=choice)

    return replace(
        statement,
        target=permuted(target),
        expression=substituted(statement.expression, permuted),
        shape=tuple(shape[axis] for axis in order),
        summed=len(moved),
    )


def substituted(expression: Expression, change: Callable[[Place], Expression]) -> Expression:
    """Return an expression with every place changed; equal places stay one object."""
    known: dict[int, Expression] = {}

    def walk(part: Expression) -> Expression:
        if isinstance(part, Place):
            if id(part) not in known:
                known[id(part)] = change(part)
            return known[id(part)]
        if isinstance(part, Apply):
            return Apply(part.operation, tuple(map(walk, part.arguments)))
        return part

    return walk(expression)


def cut(statement: Statement, axis: int, low: int, high: int) -> Statement:
    """Return the part of a statement between two indices of an axis."""

    def part(place: Place) -> Place:
        table = place.table
        if table is not None and axis < table.ndim:
            table = table[(slice(None),) * axis + (slice(low, high),)]
        choice = None if place.choice is None else part(place.choice)
        return replace(place, base=place.base + place.strides[axis] * low, table=table, choice=choice)

    return replace(
        statement,
        target=part(statement.target),
        expression=substituted(statement.expression, part),
        shape=tuple(high - low if a == axis else n for a, n in enumerate(statement.shape)),
    )
