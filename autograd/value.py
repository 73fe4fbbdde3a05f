"""The node of the graph, and its operators.

A ``Value`` knows its number, its operation and its parents, and nothing of drawing, stepping, training or
compiling. Nodes never point at their children, so a graph has no reference cycles and is freed the moment it
is dropped. No traversal recurses.
"""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autograd import copying, leaks, ops, scopes
from autograd.given import given
from autograd.node import Node, binary, clock, record, record_constant, reflected, unary
from autograd.questions import LOOK, ask, note, noted
from autograd.row import Operation, as_float, is_real
from autograd.sweeping import backpropagate, sweep, topological_order
from autograd.text import describe
from autograd.writing import writing

if TYPE_CHECKING:
    from autograd.methods import Methods  # every row is a method and perhaps an operator; see the loop below
else:
    Methods = object


class Value(Node, Methods):
    """A scalar that remembers how it was computed.

    Args:
        data: the number; ints, bools, Fractions, Decimals and NumPy scalars become Python floats.
        label: a name for drawings, errors and formulas. Programs for microgpt's ``Value`` give the children
            in its place, a tuple of Values.
        local_grads: the derivative by each of the children. Such a node can be swept; as no more is known of
            it than these numbers, it cannot be compiled (`autograd.operation` makes what can).
        children: those Values, by name.

    Attributes:
        data: the number, always a Python float. Assign to change it.
        grad: the adjoint, d(root)/d(this), that ``backward`` left here. A leaf accumulates over calls, an
            interior node holds the latest sweep's.
        label: the name, "" if it has none.
        op: the operation that made this node, None for a leaf.
        parents: its arguments, in order; the same node twice for ``x * x``; empty for a leaf.
        is_constant: whether it is a number that has no derivatives, as the 2 in ``2 * x``.

    Raises:
        TypeError: ``data`` is not a real number, the label no string, or a child no Value.
        ValueError: there are not as many local derivatives as children.
        OverflowError: ``data`` is an int beyond the range of doubles.

    Example:
        >>> x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
        >>> f = (x + y) * z
        >>> f.backward()
        >>> f
        Value(data=-12.0, grad=1.0)
        >>> x.grad, y.grad, z.grad
        (-4.0, -4.0, 3.0)
        >>> square = Value(x.data**2, (x,), (2 * x.data,))  # in microgpt's way
        >>> square.backward()
        >>> x.grad
        -8.0
    """

    __slots__ = ()

    def __init__(
        self,
        data: float,
        label: str | Sequence["Value"] = "",
        local_grads: Sequence[float] = (),
        *,
        children: Sequence["Value"] = (),
    ) -> None:
        self._data = data if data.__class__ is float else as_float(data, "Value")
        self.grad = 0.0
        self.op = None
        self._time = clock.now
        self._mark = 0
        if label or children or local_grads or label.__class__ is not str:
            if isinstance(label, (tuple, list)):
                self._compute(children or label, local_grads)
            else:
                self.label = label  # type: ignore[assignment]  # which refuses what is no string
                self._compute(children, local_grads)

    @property
    def label(self) -> str:
        """The name."""
        label: str = noted(self, "label", "")
        return label

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            raise TypeError(
                f"a label is a string, not {type(label).__name__}: {label!r:.60}; what a node is computed "
                "from is recorded by the operation"
            )
        note(self, "label", label)

    @property
    def data(self) -> float:
        """The number."""
        return self._data

    @data.setter
    def data(self, data: float) -> None:
        number = as_float(data, "Value.data")
        with writing:  # or a thread could set the clock back behind another's assignment
            self._data = number
            self._time = clock.tick()

    @property
    def local_derivatives(self) -> tuple[Callable[[], float], ...]:
        """One closure per parent: the derivative of this node by that parent, at the present data.

        Example:
            >>> x = Value(3.0)
            >>> y = x * 5.0
            >>> [local() for local in y.local_derivatives]
            [5.0, 3.0]
        """
        if self.op is None:
            return ()
        op, parents = self.op, self.parents

        def closure(derivative: Callable[..., Any]) -> Callable[[], float]:
            # The value is computed anew rather than read from self, so that no closure captures its own node.
            def local() -> float:
                arguments = [parent._data for parent in parents]
                return float(derivative(op.value(*arguments), *arguments))

            return local

        return tuple(closure(derivative) for derivative in op.derivatives)

    def backward(self, gradient: float = 1.0) -> None:
        """Accumulate the derivative of this node by every leaf into that leaf's ``grad``.

        Interior nodes hold the adjoint of the latest sweep. A sweep that fails or is interrupted changes no
        leaf.

        Args:
            gradient: the adjoint of this node, with which the sweep begins.

        Raises:
            RuntimeError: ``data`` of a node was assigned after another node was computed from it.
        """
        seed = as_float(gradient, "backward(gradient)")
        if leaks.latest():
            leaks.check(self, lambda: topological_order(self))
        backpropagate(self, seed)

    def detach(self) -> "Value":
        """Return a constant with the same data: no gradient passes it, and it keeps no graph alive."""
        leaf = constant(self._data)
        if self.label:
            leaf.label = self.label
        note(leaf, "cut", "detach()")
        return leaf

    def item(self) -> float:
        """Return the number, as ``float(self)``."""
        ask(self, LOOK)
        return self._data

    def __float__(self) -> float:
        """Return the number. What is computed with it is no part of the graph (see `autograd.leaks`)."""
        ask(self, LOOK)
        leaks.leak(self, sys._getframe(1))
        return self._data

    def __index__(self) -> int:
        """Refuse: the place that a Python index names is no part of the graph.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"{describe(self)} is used as an index, and what it names would be no part of the graph; "
            "write autograd.take(items, index), or items[int(index.data)] if the choice is to stay"
        )

    def __int__(self) -> int:
        """Return the number without its fraction; what is computed with it is no part of the graph."""
        ask(self, LOOK)
        return int(self._data)

    def conjugate(self) -> "Value":
        """Return this node: a real number is its own. NumPy's ``var``, ``vdot`` and ``norm`` ask for it."""
        return self

    @property
    def dtype(self) -> Any:
        """NumPy's kind of an array of Values: it asks what comes out of one, as in ``norm(x, 3)``."""
        numpy = sys.modules.get("numpy")
        if numpy is None:
            raise AttributeError("a Value has a dtype for NumPy, which is not imported")
        return numpy.dtype(object)

    def degrees(self) -> "Value":
        """Return ``rad2deg(self)``, for which NumPy has two names."""
        return ops.rad2deg(self)

    def radians(self) -> "Value":
        """Return ``deg2rad(self)``, for which NumPy has two names."""
        return ops.deg2rad(self)

    def __round__(self, digits: int | None = None) -> "Value":
        """Round to so many decimals, as NumPy does: scaled, rounded with halves to even, and scaled back."""
        if not digits:
            return ops.round(self)
        scale = 10.0 ** abs(digits)
        return ops.round(self * scale) / scale if digits > 0 else ops.round(self / scale) * scale

    def __trunc__(self) -> "Value":
        """Return the number without its fraction, as a node; NumPy's ``trunc`` and ``fix`` ask for it."""
        return ops.where(ops.less(self, 0.0), ops.ceil(self), ops.floor(self))

    def fmod(self, other: Any) -> "Value":
        """Return what ``%`` does, with the sign of this number; NumPy's ``fmod`` asks for it."""
        divisor = ops.abs(other)
        rest: Value = ops.where(ops.less(self, 0.0), -ops.mod(-self, divisor), ops.mod(self, divisor))
        return rest

    def __divmod__(self, other: Any) -> tuple["Value", "Value"]:
        """Return ``(self // other, self % other)``."""
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple["Value", "Value"]:
        """Return ``(other // self, other % self)``."""
        return other // self, other % self

    def __bool__(self) -> bool:
        """Tell whether the number is not zero."""
        ask(self, "bool()")
        return self._data != 0.0

    if not TYPE_CHECKING:  # that of a number is a bool, that of an array an array: autograd/methods.pyi

        def __lt__(self, other: Any) -> Any:
            """Compare the numbers; the answer is a bool and no part of the graph (``less`` is)."""
            return self._compare(other, "<", float.__lt__)

        def __le__(self, other: Any) -> Any:
            """Compare the numbers (see ``less_equal``)."""
            return self._compare(other, "<=", float.__le__)

        def __gt__(self, other: Any) -> Any:
            """Compare the numbers (see ``greater``)."""
            return self._compare(other, ">", float.__gt__)

        def __ge__(self, other: Any) -> Any:
            """Compare the numbers (see ``greater_equal``)."""
            return self._compare(other, ">=", float.__ge__)

    def __eq__(self, other: object) -> bool:
        """Compare with a number; two Values are equal if they are the same node, as sets and dicts need it.

        Compare the numbers of two Values as ``x.data == y.data``.
        """
        if isinstance(other, Value) or not is_real(other):
            return NotImplemented
        equal: bool = self._compare(other, "==", float.__eq__)
        return equal

    __hash__ = object.__hash__

    def _compare(self, other: Any, symbol: str, compare: Callable[[float, float], bool]) -> Any:
        if isinstance(other, Value):
            ask(other, symbol)
            other = other._data
        elif not is_real(other):
            return NotImplemented
        ask(self, symbol)
        return compare(self._data, as_float(other, symbol))

    def __repr__(self) -> str:
        """Return for instance ``Value(data=-12.0, grad=1.0, label='f')``."""
        label = f", label={self.label!r}" if self.label else ""
        return f"{type(self).__name__}(data={self._data!r}, grad={self.grad!r}{label})"

    def __format__(self, spec: str) -> str:
        """Format the number by ``spec``; without one, as ``str`` does."""
        return format(self._data, spec) if spec else str(self)

    @property
    def _prev(self) -> frozenset["Value"]:
        """The parents under micrograd's name."""
        return frozenset(self.parents)

    @property
    def _op(self) -> str:
        """The operation's symbol under micrograd's name, "" for a leaf."""
        return self.op.symbol if self.op is not None else ""

    def _backward(self) -> None:
        """Add to the parents' gradients what this one node sends them, under micrograd's name.

        Its lecture walks through the backward pass so, a node at a time, each after those that use it.
        """
        for node, contribution in sweep((self,), {self: float(self.grad)}).items():
            if node is not self:
                node.grad += contribution

    def __deepcopy__(self, memo: dict[int, Any]) -> "Value":
        """Copy the graph of this node; what several copied things share, their copies share."""
        copying.copy_graph(topological_order(self), memo)
        copied: Value = memo[id(self)]
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the graph of this node; the copy of a stale graph is stale."""
        return copying.reduce_graph(topological_order(self))

    def _compute(self, parents: Sequence["Value"], local_grads: Sequence[float]) -> None:
        """Make a leaf the result of an operation of which no more is known than the numbers here."""
        self._computed_from(given(self._data, parents, local_grads), parents)

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> "Value":
        """Record ``operation`` on ``arguments``; numbers among them become constants."""
        for argument in arguments:
            if not isinstance(argument, Value):
                arguments = [a if isinstance(a, Value) else constant(a, operation.name) for a in arguments]
                break
        if not scopes.active and operation in _recorders:
            return _recorders[operation](*arguments)
        node: Value = record(Value, operation, arguments)
        for scope in scopes.here():
            node = scope.hook(node)
        return node


class Constant(Value):
    """A number that an operator promoted, as the 2 in ``2 * x``, or a detached one: it has no derivatives."""

    __slots__ = ()
    is_constant = True


def constant(number: Any, context: str = "constant") -> Constant:
    """Return ``number`` as a constant node.

    Raises:
        TypeError: it is not a real number; ``context`` is named.
        OverflowError: it is beyond the range of doubles.
    """
    node: Constant = record_constant(Constant, number, context)
    return node


_recorders: dict[Operation, Callable[..., Value]] = {}
"""For rows of the table a faster way to record one."""


def _general(op: Operation) -> Callable[..., Value]:
    def method(self: Value, *arguments: Any, **keywords: Any) -> Any:
        return op(self, *arguments, **keywords)

    return method


def _install(row: Operation) -> None:
    """Make a row a method of Value, under NumPy's name too, and an operator if it is one of float's."""

    def define(name: str, method: Callable[..., Any]) -> None:
        method.__name__, method.__qualname__, method.__doc__ = name, f"Value.{name}", row.__doc__
        setattr(Value, name, method)

    method = unary(row, Value) if row.arity == 1 else _general(row)
    if row.arity <= 2:
        _recorders[row] = method if row.arity == 1 else binary(row, Value, Constant)
    for name in {row.name, row.numpy} if isinstance(row.numpy, str) else {row.name}:
        define(name, method)
    if row.operator is not None and f"__{row.operator}__" not in vars(Value):
        define(f"__{row.operator}__", _recorders[row])
        if row.arity == 2:
            define(f"__r{row.operator}__", reflected(row, Value, Constant))


for _row in ops.TABLE.values():
    _install(_row)
