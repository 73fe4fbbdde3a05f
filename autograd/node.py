"""The node, and the loops that run once for each: recording, ordering and sweeping.

What a graph costs is spent in this file. It is plain Python and runs as it stands; in a wheel that is built
for one kind of machine it is compiled by Cython, which takes the types of the slots from ``node.pxd`` and
those of variables from their annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from autograd import ops, scopes
from autograd.floats import on_floats
from autograd.row import Operation, as_float, is_real, not_ours
from autograd.text import describe

if TYPE_CHECKING:
    from autograd.value import Value


class Clock:
    """How often any data was assigned so far. It stamps nodes and answers; by it a stale graph is known."""

    __slots__ = ("now",)

    now: int

    def __init__(self) -> None:
        self.now = 0

    def tick(self) -> int:
        """Advance the clock and return the new time; whoever assigns data holds a lock about both."""
        self.now += 1
        return self.now


clock = Clock()


class Node:
    """What a node of a graph holds; what a program can do with it is `autograd.value`'s."""

    # _x, _y: the parents of a binary operation; of a unary one _y is None, and beyond two _x is the tuple of
    # all of them. Two slots instead of a tuple make a node smaller and give the garbage collector half as
    # much to trace. _mark, _adjoint: the latest sweep that came by, counted from 1, and what it brings.
    # _time: when the node was made or its data last assigned. _notes: the rare facts (see `questions.note`),
    # such as a label. A slot that does not apply to a node is left empty, which costs nothing.
    __slots__ = ("_data", "grad", "op", "_x", "_y", "_time", "_mark", "_adjoint", "_notes", "__weakref__")  # noqa: RUF023 - in the order of reading

    is_constant = False
    """Whether it is a number that has no derivatives, as the 2 in ``2 * x``."""

    _data: float
    grad: float
    op: Operation | None
    _x: Any
    _y: Any
    _time: int
    _mark: int
    _adjoint: float
    _notes: dict[str, Any]

    @property
    def parents(self) -> tuple[Value, ...]:
        """The arguments of the operation, in order; the same node twice for ``x * x``; empty for a leaf."""
        if self.op is None:
            return ()
        if self._y is not None:
            return (self._x, self._y)
        return self._x if type(self._x) is tuple else (self._x,)

    def _computed_from(self, op: Operation | None, parents: Sequence[Value]) -> None:
        """Make it the result of an operation, or a leaf if there is none."""
        self.op = op
        if len(parents) == 2:
            self._x, self._y = parents
        elif parents:
            self._x = parents[0] if len(parents) == 1 else tuple(parents)
            self._y = None


# Recording --------------------------------------------------------------------------------------------------


def record(kind: type, op: Operation, parents: Sequence[Value]) -> Any:
    """Return the result of an operation as a node of a kind."""
    node: Node = kind.__new__(kind)  # type: ignore[call-overload]  # it is no metaclass
    node._data = op.value(*map(_number, parents))
    node.grad = 0.0
    node._computed_from(op, parents)
    node._time = clock.now
    node._mark = 0
    return node


_number = attrgetter("_data")


def record_constant(kind: type, number: Any, context: str) -> Any:
    """Return a number as a node of a kind that has no derivatives.

    Raises:
        TypeError: it is not a real number; ``context`` is named.
        OverflowError: it is beyond the range of doubles.
    """
    node: Node = kind.__new__(kind)  # type: ignore[call-overload]  # it is no metaclass
    node._data = number if type(number) is float else as_float(number, context)
    node.grad = 0.0
    node.op = None
    node._time = 0
    node._mark = 0
    return node


def unary(op: Operation, kind: type) -> Callable[[Any], Any]:
    """Return the method that records a row of one argument: `record`, written out."""
    value = op.value
    times: Clock = clock

    def method(self: Node) -> Any:
        if _scopes:
            return op(self)
        node: Node = kind.__new__(kind)  # type: ignore[call-overload]  # it is no metaclass
        node._data = value(self._data)
        node.grad = 0.0
        node.op = op
        node._x = self
        node._y = None
        node._time = times.now
        node._mark = 0
        return node

    return method


def binary(op: Operation, kind: type, constants: type) -> Callable[[Any, Any], Any]:
    """Return the method that records a row of two: `record`, written out; numbers become ``constants``."""
    value, symbol = op.value, op.symbol
    times: Clock = clock
    is_sum: bool = op is ops.add
    is_product: bool = op is ops.mul

    def method(self: Node, other: Any) -> Any:
        if type(other) is not kind and not isinstance(other, Node):
            if type(other) is not float and not is_real(other):
                return not_ours(op, other)
            other = record_constant(constants, other, symbol)
        if _scopes:
            return op(self, other)
        second: Node = other
        node: Node = kind.__new__(kind)  # type: ignore[call-overload]  # it is no metaclass
        if is_product:
            node._data = self._data * second._data
        elif is_sum:
            node._data = self._data + second._data
        else:
            node._data = value(self._data, second._data)
        node.grad = 0.0
        node.op = op
        node._x = self
        node._y = second
        node._time = times.now
        node._mark = 0
        return node

    return method


def reflected(op: Operation, kind: type, constants: type) -> Callable[[Any, Any], Any]:
    """Return the method that records a row of two whose first argument is a number."""
    method = binary(op, kind, constants)

    def swapped(self: Node, other: Any) -> Any:
        if not is_real(other):
            return not_ours(op, other)
        return method(record_constant(constants, other, op.symbol), self)

    return swapped


_scopes = scopes.active

# Ordering ---------------------------------------------------------------------------------------------------


_sweeps = 0


def order_in_place(roots: Sequence[Any], until: Sequence[Any] = ()) -> tuple[list[Any], list[Any]]:
    """Return the interior nodes of a graph in the order of `topological_order`, and its leaves apart.

    Every node is given an adjoint of 0. The graph is walked down the first operands, as far as it goes.

    Args:
        roots: the outputs, at least one.
        until: nodes at which to stop.

    Raises:
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.
    """
    global _sweeps
    node: Node
    x: Node
    y: Node
    order: list[Any] = []
    leaves: list[Any] = []
    stack: list[Any] = list(reversed(roots))
    _sweeps = mark = _sweeps + 1
    first: Node = roots[0]
    time, aged = first._time, False
    for node in until:
        node._mark = mark
        node._adjoint = 0.0
        aged = aged or node._time > time
    while stack:
        top = stack.pop()
        if top is None:  # the marker above a node whose parents are all visited
            order.append(stack.pop())
            continue
        node = top
        while node._mark is not mark:
            node._mark = mark
            node._adjoint = 0.0
            if node.op is None:
                if not node.is_constant:
                    leaves.append(node)
                    aged = aged or node._time > time
                break
            if node._time is not time:
                aged = True
            if node._y is not None:
                x = node._x
                y = node._y
                if x._mark is mark and y._mark is mark:
                    order.append(node)
                    break
                stack.append(node)
                stack.append(None)
                if x._mark is mark:
                    node = y
                else:
                    stack.append(y)
                    node = x
            elif type(node._x) is not tuple:
                x = node._x
                if x._mark is mark:
                    order.append(node)
                    break
                stack.append(node)
                stack.append(None)
                node = x
            else:
                stack.append(node)
                stack.append(None)
                stack.extend(reversed(node._x))
                break
    if aged:  # not all nodes are of one time, so it is worth a look at each
        for node in order:
            check_fresh(node)
    return order, leaves


def check_fresh(node: Any) -> None:
    """Refuse a node whose parents' data was assigned after it was computed.

    Raises:
        RuntimeError: naming the parent.
    """
    for parent in node.parents:
        if parent._time > node._time:
            raise RuntimeError(
                f"the data of {describe(parent)} was assigned after {describe(node)} was computed from it, "
                "so this graph no longer describes one computation; compute it again, or replay it with "
                "autograd.compile"
            )


# Sweeping ---------------------------------------------------------------------------------------------------


def sweep_in_place(order: Sequence[Any]) -> None:
    """Sweep a graph as `sweep` does, to the last bit, and much faster: the adjoints are kept in the nodes.

    It knows the commonest rows, those of + and *. It does not look for infinities that meet the zero of a
    selection, but where that has happened, the adjoint of some leaf is nan.

    Args:
        order: what `order_in_place` returns, the outputs' adjoints added.
    """
    node: Node
    x: Node
    y: Node
    upstream: float
    slope: float
    total = ops.add if ops.add.derivatives is OF_SUM else None
    product = ops.mul if ops.mul.derivatives is OF_PRODUCT else None
    for node in reversed(order):
        upstream = node._adjoint
        if upstream == 0.0:
            continue
        op = node.op
        if op is product:
            x = node._x
            y = node._y
            slope = y._data
            x._adjoint += upstream * slope
            slope = x._data
            y._adjoint += upstream * slope
        elif op is total:
            x = node._x
            y = node._y
            x._adjoint += upstream
            y._adjoint += upstream
        else:
            assert op is not None
            derivatives = on_floats[op.derivatives]
            if node._y is not None:
                x = node._x
                y = node._y
                by_x, by_y = derivatives
                if not x.is_constant:
                    slope = by_x(node._data, x._data, y._data)
                    x._adjoint += upstream * slope
                if not y.is_constant:
                    slope = by_y(node._data, x._data, y._data)
                    y._adjoint += upstream * slope
            elif type(node._x) is not tuple:
                x = node._x
                slope = derivatives[0](node._data, x._data)
                x._adjoint += upstream * slope
            else:
                arguments = [parent._data for parent in node._x]
                for x, derivative in zip(node._x, derivatives, strict=True):
                    if not x.is_constant:
                        slope = derivative(node._data, *arguments)
                        x._adjoint += upstream * slope


OF_SUM, OF_PRODUCT = ops.add.derivatives, ops.mul.derivatives


def keep_adjoints(order: Sequence[Any]) -> None:
    """Let the ``grad`` of interior nodes be what a sweep has brought them."""
    node: Node
    for node in order:
        node.grad = node._adjoint
