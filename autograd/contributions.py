"""What passes along an edge of a graph: adjoint times local derivative, or tangent times local derivative.

Two things make it more than a product. Zeros are strong: what does not matter sends nothing on, whatever the
derivatives are. And a local derivative may over- or underflow where the product does not, as 1 / x does next
to 0: there it is taken apart, and what is sent is itself divided by x. Both follow from the local derivative,
seen as an expression of the table's rows; that a row has two forms of one derivative is never necessary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite, isnan
from typing import TYPE_CHECKING, Any

from autograd import ops
from autograd.formula import Formula
from autograd.row import Operation
from autograd.symbolic import Symbolic

if TYPE_CHECKING:
    from autograd.value import Value

Choice = Callable[[Operation, Any, Callable[[], Any], Callable[[], Any]], Any]
"""Compares the size of a number with infinity by a row, and returns what the one or the other makes."""


def contribution(sent: Any, local: float, node: Value, index: int, *, strong: bool = True) -> Any:
    """Return what is sent times a local derivative that is a number.

    A node that does not matter sends nothing on, whatever its derivatives are; nor does anything pass to an
    argument that a selection, such as ``where``, has not chosen.

    Args:
        sent: the adjoint of a node, or the tangent of its parent: a number, or a node of another graph.
        local: the derivative of the node by the parent.
        node: the node.
        index: which of its parents.
        strong: whether a zero of what is sent wins over an infinity and over nan.

    Example:
        >>> from autograd import Value, log
        >>> contribution(5e-324, float("inf"), log(Value(5e-324)), 0)
        1.0
    """
    product = sent * local
    if isfinite(data_of(product)):
        return product
    assert node.op is not None  # it has parents
    if local == 0.0 and index in node.op.selects:
        return 0.0
    if strong and data_of(sent) == 0.0:
        return ops.strong_mul(sent, local)
    if is_apart(sent, local):
        try:
            derivative = node.op.derivatives[index](*[Formula(x.data) for x in (node, *node.parents)])
        except Exception:  # an operation of the user's own may compute with floats only, and fail in any way
            return product
        passed = taken_apart(sent, derivative, part=data_of)
        return product if passed is None else passed
    return product


def recorded(sent: Any, local: Any, given: Sequence[Any], *, strong: bool, either: bool) -> Any:
    """Return the product of two numbers or nodes, without recording one by the number 1 or 0.

    Args:
        sent: what is sent along an edge: an adjoint or a tangent.
        local: the derivative of the edge.
        given: what that was computed from.
        strong: whether a zero of what is sent wins, as it may meet an infinity.
        either: whether a zero of the derivative wins, too.
    """
    for one, other in ((sent, local), (local, sent)):
        if one.__class__ is float and (one == 0.0 or one == 1.0):
            return other if one else 0.0
    if is_apart(sent, local) and not (either and data_of(local) == 0.0):
        passed = taken_apart(sent, local, given)
        if passed is not None and not isnan(data_of(passed)):
            return passed
    if any(one.__class__ is float and isfinite(one) for one in (sent, local)):
        return sent * local
    if either and local.__class__ is not float and isfinite(local.data):  # an infinity is no zero
        return ops.strong_mul(local, sent)
    return ops.strong_mul(sent, local) if strong else sent * local


def is_apart(sent: Any, local: Any) -> bool:
    """Tell whether a number and a derivative have no product, while the parts of the derivative may have one.

    So it is if the derivative has overflowed, or if it is 0, by a factor of 0 or by an underflow.
    """
    size, slope = data_of(sent), data_of(local)
    return abs(slope) == inf and size != 0.0 if isfinite(size) else slope == 0.0


def data_of(number: Any) -> float:
    """Return the number that a number or a node is."""
    data: float = number if number.__class__ is float else number.data
    return data


def by_number(row: Operation, number: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """Choose by what a number is now; see ``Choice``."""
    return yes() if row.value(abs(data_of(number)), inf) else no()


def taken_apart(
    sent: Any,
    local: Any,
    given: Sequence[Any] = (),
    *,
    choose: Choice = by_number,
    part: Callable[[Any], Any] = lambda number: number,
) -> Any:
    """Return what is sent times a local derivative that may be infinite, or 0, where the product is not.

    A quotient by ``b`` divides what is sent; the factors of a product that is 0 multiply it in turn; a strong
    product has a factor whose zero wins over that, too. A choice passes it to the branch that is chosen.

    Args:
        sent: a number of any type on which the table's rows act.
        local: the derivative, an expression of rows.
        given: the nodes it was computed from, which are none of its parts.
        choose: how to choose by a number.
        part: what makes of a part of the derivative what is to be computed with.

    Returns:
        The product, or None if nothing is gained by taking the derivative apart.
    """
    row, arguments = _outermost(local, given)

    def through(inner: Any) -> Any:
        return taken_apart(sent, inner, given, choose=choose, part=part)

    def times(factor: Any, passed: Any) -> Any:
        if passed is not None:
            return passed
        if factor.__class__ is float and factor in (0.0, 1.0):  # what is not chosen sends nothing on
            return sent if factor else 0.0
        return sent * part(factor)

    def whole() -> Any:
        return sent * part(local)

    if row is ops.neg:
        passed = through(arguments[0])
        return None if passed is None else -passed
    if row is ops.strong_mul:
        first, second = map(part, arguments)
        return choose(ops.less, sent, whole, lambda: ops.strong_mul(ops.strong_mul(first, sent), second))
    if row is ops.mul:
        first, second = arguments
        inverse = ops.div(1.0, part(local))
        return choose(ops.less, inverse, whole, lambda: times(first, through(first)) * part(second))
    if row is ops.where:
        condition, *branches = arguments
        ways = list(map(through, branches))
        if all(passed is None for passed in ways):
            return None
        return ops.where(part(condition), *map(times, branches, ways))
    if row is not ops.div:
        return None
    top, bottom = arguments[0], part(arguments[1])
    factor = _constant(top)
    if factor is not None:
        passed = ops.div(sent, bottom)
        return passed if factor == 1.0 else -passed if factor == -1.0 else factor * passed
    passed = through(top)
    if passed is not None:
        return ops.div(passed, bottom)
    top = part(top)

    def in_turn() -> Any:
        share = ops.div(sent, bottom)
        return choose(ops.less, share, lambda: share * top, lambda: ops.div(sent * top, bottom))

    return choose(ops.greater_equal, local, in_turn, whole)


def _outermost(number: Any, given: Sequence[Any]) -> tuple[Operation | None, Sequence[Any]]:
    """Return the row that a number is the result of, and its arguments; None for what is given."""
    if isinstance(number, Symbolic):
        return number.operation, number.arguments
    if number.__class__ is float or any(number is one for one in given):
        return None, ()
    return number.op, number.parents


def _constant(number: Any) -> float | None:
    """Return the number that a part of every such derivative is, None for one that varies."""
    if isinstance(number, Symbolic):
        return None
    return data_of(number) if number.__class__ is float or number.is_constant else None
