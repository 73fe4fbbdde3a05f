"""The node of the graph, its operators, and the reverse sweep.

A ``Value`` knows its number, its operation and its parents, and nothing of drawing, stepping, training or
compiling. Nodes never point at their children, so a graph has no reference cycles and is freed the moment it
is dropped. No traversal recurses.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar

from autograd import copying, ops, questions, scopes
from autograd.questions import LOOK, ask, describe, note, noted
from autograd.row import Operation, as_float, is_real, not_ours
from autograd.writing import commit, writing

if TYPE_CHECKING:
    from autograd.methods import Methods  # every row is a method and perhaps an operator; see the loop below
else:
    Methods = object


class Value(Methods):
    """A scalar that remembers how it was computed.

    Args:
        data: the number; ints, bools, Fractions, Decimals and NumPy scalars become Python floats.
        label: a name for drawings, errors and formulas.

    Attributes:
        data: the number, always a Python float. Assign to change it.
        grad: the adjoint, d(root)/d(this), that ``backward`` left here. A leaf accumulates over calls, an
            interior node holds the latest sweep's.
        label: the name, "" if it has none.
        op: the operation that made this node, None for a leaf.

    Raises:
        TypeError: ``data`` is not a real number.
        OverflowError: ``data`` is an int beyond the range of doubles.

    Example:
        >>> x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
        >>> f = (x + y) * z
        >>> f.backward()
        >>> f
        Value(data=-12.0, grad=1.0)
        >>> x.grad, y.grad, z.grad
        (-4.0, -4.0, 3.0)
    """

    # _x, _y: the parents of a unary or binary operation; beyond two, _x is the tuple of all of them. Two
    # slots instead of a tuple make a node smaller and give the garbage collector half as much to trace.
    # _mark, _adjoint: the latest sweep that came by, and what it brings. _time: when the node was made or its
    # data last assigned. _notes: the rare facts (see `note`), such as
    # a label. A slot that does not apply to a node is left empty, which costs nothing.
    __slots__ = ("_data", "grad", "op", "_x", "_y", "_time", "_mark", "_adjoint", "_notes", "__weakref__")  # noqa: RUF023 - in the order of reading

    is_constant: ClassVar[bool] = False
    """Whether it is a number that has no derivatives, as the 2 in ``2 * x``."""

    _data: float
    grad: float
    op: Operation | None
    _x: Any
    _y: Any
    _time: int
    _mark: object
    _adjoint: float
    _notes: dict[str, Any]

    def __init__(self, data: float, label: str = "") -> None:
        self._data = as_float(data, "Value")
        self.grad = 0.0
        self.op = None
        self._time = questions.now
        self._mark = None
        if label or label.__class__ is not str:
            self.label = label

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
            self._time = questions.tick()

    @property
    def parents(self) -> tuple["Value", ...]:
        """The arguments of the operation, in order; the same node twice for ``x * x``; empty for a leaf."""
        if self.op is None:
            return ()
        arity = self.op.arity
        if arity == 2:
            return (self._x, self._y)
        return (self._x,) if arity == 1 else self._x

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
        if scopes.observers() or not _swept_in_place(self, seed):
            commit(sweep(topological_order(self), {self: seed}))

    def detach(self) -> "Value":
        """Return a constant with the same data: no gradient passes it, and it keeps no graph alive."""
        leaf = constant(self._data)
        if self.label:
            leaf.label = self.label
        note(leaf, "cut", "detach()")
        return leaf

    def item(self) -> float:
        """Return the number, as ``float(self)``."""
        return float(self)

    def __float__(self) -> float:
        """Return the number. What is computed with it is no part of the graph."""
        ask(self, LOOK)
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
        return int(float(self))

    def conjugate(self) -> "Value":
        """Return this node: a real number is its own. NumPy's ``var``, ``vdot`` and ``norm`` ask for it."""
        return self

    def __bool__(self) -> bool:
        """Tell whether the number is not zero."""
        ask(self, "bool()")
        return self._data != 0.0

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

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> "Value":
        """Record ``operation`` on ``arguments``; numbers among them become constants."""
        parents = tuple(a if isinstance(a, Value) else constant(a, operation.name) for a in arguments)
        node: Value = _new(Value)
        node._data = operation.value(*[parent._data for parent in parents])
        node.grad = 0.0
        node.op = operation
        if len(parents) == 2:
            node._x, node._y = parents
        else:
            node._x = parents[0] if len(parents) == 1 else parents
        node._time = questions.now
        node._mark = None
        if _scopes:
            for scope in scopes.here():
                node = scope.hook(node)
        return node


class Constant(Value):
    """A number that an operator promoted, as the 2 in ``2 * x``, or a detached one: it has no derivatives."""

    __slots__ = ()
    is_constant = True


_new: Callable[[type[Value]], Any] = object.__new__

_scopes = scopes.active
_sweeping = threading.Lock()  # in a forked process it may stay shut, and sweeps take the other way


def constant(number: Any, context: str = "constant") -> Constant:
    """Return ``number`` as a constant node.

    Raises:
        TypeError: it is not a real number; ``context`` is named.
        OverflowError: it is beyond the range of doubles.
    """
    node: Constant = _new(Constant)
    node._data = number if number.__class__ is float else as_float(number, context)
    node.grad = 0.0
    node.op = None
    node._time = 0
    node._mark = None
    return node


def topological_order(*roots: Value, until: Collection[Value] = ()) -> list[Value]:
    """Return every node that ``roots`` depend on, once, parents before children.

    The order is a depth-first post-order, so it depends on the graph alone.

    Args:
        *roots: the outputs.
        until: nodes at which to stop: neither they nor what only they depend on is returned.

    Example:
        >>> x = Value(2.0, "x")
        >>> [node.data for node in topological_order(x * x + x)]
        [2.0, 4.0, 6.0]
    """
    order: list[Value] = []
    seen: set[Value] = set(until)
    stack: list[Any] = list(reversed(roots))
    push, pop, visit, see = stack.append, stack.pop, order.append, seen.add
    while stack:
        node = pop()
        if node is None:  # the marker above a node whose parents are all visited
            visit(pop())
        elif node not in seen:
            see(node)
            op = node.op
            if op is None:
                visit(node)
                continue
            push(node)
            push(None)
            arity = op.arity
            if arity == 2:
                if (parent := node._y) not in seen:
                    push(parent)
                if (parent := node._x) not in seen:
                    push(parent)
            elif arity == 1:
                push(node._x)
            else:
                stack.extend(reversed(node._x))
    return order


def sweep(
    order: Sequence[Value],
    adjoints: dict[Value, Any],
    *,
    record: bool = False,
    observe: scopes.Observer | None = None,
) -> dict[Value, Any]:
    """Sweep a graph once from its outputs: adjoint times local derivative is added to each parent's adjoint.

    Args:
        order: the graph in topological order.
        adjoints: the outputs' adjoints; those of all nodes are added to it.
        record: compute with Values instead of floats, so that the adjoints are a graph themselves.
        observe: called with (node, index of the parent, local derivative, contribution, the adjoint to which
            it will be added or None) for every edge.

    Returns:
        ``adjoints``: the derivative of the outputs, weighted by their adjoints, by each node. Constants are
        left out.

    Raises:
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.
    """
    observers = scopes.observers()
    if observe is not None:
        observers = (*observers, observe)
    fixed = _fixed(order) if record or observers else set()
    poles = poles_of(order) if record else None
    for node in reversed(order):
        op = node.op
        if op is None or node in fixed or node not in adjoints:
            continue
        upstream = adjoints[node]
        if record and upstream.__class__ is float and upstream == 0.0:
            continue
        parents = node.parents
        arguments = (node, *parents) if record else (node._data, *[parent._data for parent in parents])
        for index, (parent, derivative) in enumerate(zip(parents, op.derivatives, strict=True)):
            if parent._time > node._time:
                raise _stale(node)
            if parent.is_constant or parent in fixed:
                continue
            local = derivative(*arguments)
            if poles is None:
                contribution = strong_product(upstream, local, op)
            else:
                either = bool(poles) and op.selects
                contribution = recorded_product(upstream, local, strong=node in poles, either=either)
            for watch in observers:
                watch(node, index, local, contribution, adjoints.get(parent))
            adjoints[parent] = add_up(adjoints.get(parent, 0.0), contribution)
    return adjoints


def _swept_in_place(root: Value, seed: float) -> bool:
    """Try the fast loop; tell whether it has done."""
    if root.op is None or not _sweeping.acquire(blocking=False):  # by another thread, or a nested sweep
        return False
    try:
        leaves = sweep_in_place(root, seed)
        adjoints = {leaf: leaf._adjoint for leaf in leaves}
    finally:
        _sweeping.release()
    if any(adjoint != adjoint for adjoint in adjoints.values()):  # nan: perhaps a strong zero was overlooked
        return False
    commit(adjoints)
    return True


def sweep_in_place(root: Value, seed: float) -> list[Value]:
    """Sweep the graph of one output as `sweep` does, to the last bit, and much faster.

    Adjoints and marks are kept in the nodes, and the commonest rows, those of + and *, are known here. It is
    for one thread at a time, the one that holds ``_sweeping``. Interior nodes have their ``grad`` afterwards;
    what leaves are to receive is in their ``_adjoint``. Where an infinity may have met the zero of a
    selection, which this loop does not look for, some leaf's is nan.

    Args:
        root: the output.
        seed: its adjoint.

    Returns:
        The leaves.

    Raises:
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.
    """
    order, leaves = _order_in_place(root)
    root._adjoint = seed
    for node in reversed(order):
        node.grad = upstream = node._adjoint
        if upstream == 0.0:
            continue
        assert node.op is not None
        derivatives = node.op.derivatives
        if derivatives is PRODUCT:
            x, y = node._x, node._y
            x._adjoint += upstream * y._data
            y._adjoint += upstream * x._data
        elif derivatives is SUM:
            node._x._adjoint += upstream
            node._y._adjoint += upstream
        elif len(derivatives) == 2:
            x, y = node._x, node._y
            z, a, b = node._data, x._data, y._data
            if x.__class__ is not Constant:
                x._adjoint += upstream * derivatives[0](z, a, b)
            if y.__class__ is not Constant:
                y._adjoint += upstream * derivatives[1](z, a, b)
        elif len(derivatives) == 1:
            x = node._x
            x._adjoint += upstream * derivatives[0](node._data, x._data)
        else:
            arguments = [parent._data for parent in node._x]
            for parent, derivative in zip(node._x, derivatives, strict=True):
                if parent.__class__ is not Constant:
                    parent._adjoint += upstream * derivative(node._data, *arguments)
    return leaves


SUM, PRODUCT = ops.add.derivatives, ops.mul.derivatives


def _order_in_place(root: Value) -> tuple[list[Value], list[Value]]:
    """Return the interior nodes of a graph in the order of `topological_order`, and its leaves apart.

    Every node is given an adjoint of 0. It is walked down the first operands, as far as it goes.
    """
    mark = object()
    order: list[Value] = []
    leaves: list[Value] = []
    stack: list[Any] = []
    push, pop, visit, see = stack.append, stack.pop, order.append, leaves.append
    time, aged = root._time, False
    node: Any = root
    while True:
        node._mark = mark
        node._adjoint = 0.0
        op = node.op
        if op is None:
            if node.__class__ is not Constant:
                see(node)
                aged = aged or node._time > time
        else:
            if node._time is not time:
                aged = True
            arity = op.arity
            if arity == 1:
                parent = node._x
                if parent._mark is not mark:
                    push(node)
                    push(None)
                    node = parent
                    continue
                visit(node)
            elif arity == 2:
                parent, other = node._x, node._y
                if parent._mark is not mark:
                    push(node)
                    push(None)
                    push(other)
                    node = parent
                    continue
                if other._mark is not mark:
                    push(node)
                    push(None)
                    node = other
                    continue
                visit(node)
            else:
                push(node)
                push(None)
                stack.extend(reversed(node._x))
        while stack:
            node = pop()
            if node is None:  # the marker above a node whose parents are all visited
                visit(pop())
            elif node._mark is not mark:
                break
        else:
            break
    if aged:  # not all nodes are of one time, so it is worth a look at each
        for node in order:
            check_fresh(node)
    return order, leaves


def _fixed(order: Sequence[Value]) -> set[Value]:
    """Return the nodes that depend on constants alone: their adjoints are of no use, and may be nan."""
    fixed: set[Value] = set()
    for node in order:
        if node.is_constant or (node.op is not None and fixed.issuperset(node.parents)):
            fixed.add(node)
    return fixed


def strong_product(upstream: float, local: float, op: Operation) -> float:
    """Return upstream times local, in which 0 is a strong zero: it wins over an infinity and over nan.

    A node that does not matter sends nothing on, whatever its derivatives are; nor does anything pass to an
    argument that a selection, such as ``where``, has not chosen.

    Args:
        upstream: the adjoint of a node.
        local: its derivative by one argument.
        op: its operation.
    """
    contribution: float = upstream * local
    if contribution != contribution and (upstream == 0.0 or (local == 0.0 and op.selects)):
        return 0.0
    return contribution


def poles_of(order: Iterable[Value]) -> set[Value]:
    """Return the nodes whose numbers or derivatives may be infinite or nan though the leaves are finite.

    It depends on the form of the graph alone, so that a recorded sweep can be replayed on other numbers.
    """
    poles: set[Value] = set()
    for node in order:
        if node.op is not None and (
            not poles.isdisjoint(node.parents)
            or (
                node.op.has_pole()
                and node.op.has_pole(*[p._data if p.is_constant else None for p in node.parents])
            )
        ):
            poles.add(node)
    return poles


def recorded_product(sent: Any, local: Any, *, strong: bool, either: bool) -> Any:
    """Return the product of two numbers or nodes, without recording one by the number 1 or 0.

    Args:
        sent: what is sent along an edge: an adjoint or a tangent.
        local: the derivative of the edge.
        strong: whether a zero of what is sent wins, as it may meet an infinity.
        either: whether a zero of the derivative wins, too.
    """
    for one, other in ((sent, local), (local, sent)):
        if one.__class__ is float:
            if one == 0.0 or one == 1.0:
                return other if one else 0.0
            if isfinite(one):
                return sent * local
    if either and local.__class__ is not float and isfinite(local._data):  # an infinity is no zero
        return ops.strong_mul(local, sent)
    return ops.strong_mul(sent, local) if strong or either else sent * local


def add_up(total: Any, contribution: Any) -> Any:
    """Return the sum of two numbers or nodes, without recording that 0 is added."""
    for number, other in ((total, contribution), (contribution, total)):
        if number.__class__ is float and number == 0.0 and other.__class__ is not float:
            return other
    return total + contribution


def check_fresh(node: Value) -> None:
    """Refuse a node whose parents' data was assigned after it was computed.

    Raises:
        RuntimeError: naming the parent.
    """
    for parent in node.parents:
        if parent._time > node._time:
            raise _stale(node)


def _stale(node: Value) -> RuntimeError:
    parent = next(parent for parent in node.parents if parent._time > node._time)
    return RuntimeError(
        f"the data of {describe(parent)} was assigned after {describe(node)} was computed from it, so this "
        "graph no longer describes one computation; compute it again, or replay it with autograd.compile"
    )


def _unary(op: Operation) -> Callable[[Value], Value]:
    value = op.value

    def method(self: Value) -> Value:
        if _scopes:
            return Value.__record__(op, (self,))
        node: Value = _new(Value)
        node._data = value(self._data)
        node.grad = 0.0
        node.op = op
        node._x = self
        node._time = questions.now
        node._mark = None
        return node

    return method


def _binary(op: Operation) -> Callable[[Value, Any], Value]:
    value = op.value

    def method(self: Value, other: Any) -> Any:
        if other.__class__ is not Value and not isinstance(other, Value):
            if other.__class__ is not float and not is_real(other):
                return not_ours(op, other)
            other = constant(other, op.symbol)
        if _scopes:
            return Value.__record__(op, (self, other))
        node: Value = _new(Value)
        node._data = value(self._data, other._data)
        node.grad = 0.0
        node.op = op
        node._x = self
        node._y = other
        node._time = questions.now
        node._mark = None
        return node

    return method


def _reflected(op: Operation) -> Callable[[Value, Any], Value]:
    binary = _binary(op)

    def method(self: Value, other: Any) -> Any:
        return binary(constant(other, op.symbol), self) if is_real(other) else not_ours(op, other)

    return method


def _general(op: Operation) -> Callable[..., Value]:
    def method(self: Value, *arguments: Any, **keywords: Any) -> Any:
        return op(self, *arguments, **keywords)

    return method


def _install(row: Operation) -> None:
    """Make a row a method of Value, under NumPy's name too, and an operator if it is one of float's."""

    def define(name: str, method: Callable[..., Any]) -> None:
        method.__name__, method.__qualname__, method.__doc__ = name, f"Value.{name}", row.__doc__
        setattr(Value, name, method)

    make = _unary if row.arity == 1 else _general
    for name in {row.name, row.numpy} if isinstance(row.numpy, str) else {row.name}:
        define(name, make(row))
    if row.operator is not None:
        define(f"__{row.operator}__", _unary(row) if row.arity == 1 else _binary(row))
        if row.arity == 2:
            define(f"__r{row.operator}__", _reflected(row))


for _row in ops.TABLE.values():
    _install(_row)
