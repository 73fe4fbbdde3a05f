"""A twin of a graph for the browser's player: its rows and nodes as data, so that new inputs need no Python.

A row's value is its array form, called with a module and arguments that write down what is done with them, or
else its definition; its local derivatives are the row's own. All become trees such as ``["mul", 2.0, "x"]``,
whose heads are rows, or functions of NumPy's where they begin with ``np.``; player.js evaluates them.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd import ops
from autograd.row import Operation
from autograd.symbolic import Symbolic
from autograd.value import Constant, Value


class Tree(Symbolic):
    """What was done with the arguments of a function.

    Args:
        content: a name, or a list of a head and its arguments.

    Example:
        >>> x = Tree("x")
        >>> (2.0 * x + 1.0).content
        ['add', ['mul', 2.0, 'x'], 1.0]
    """

    __slots__ = ("content",)

    def __init__(self, content: Any) -> None:
        self.content = content

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> "Tree":
        """Return the call of a row."""
        if ops.TABLE.get(operation.name) is not operation:
            raise TypeError(f"{operation.name} is no row of the table")  # its name may mean two operations
        numbers = [arguments[place] for place in operation.constant_places]
        if not all(isinstance(number, float) for number in numbers):
            raise TypeError(f"the numbers of {operation.name} that decide what it computes are not known")
        return cls([_head(operation, numbers), *map(_plain, arguments)])

    def __lt__(self, other: Any) -> Any:
        return ops.less(self, other)

    def __le__(self, other: Any) -> Any:
        return ops.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return ops.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return ops.greater_equal(self, other)


class _NumPy:
    """The module that an array form is called with."""

    def __getattr__(self, name: str) -> Callable[..., Tree]:
        return lambda *arguments: Tree([f"np.{name}", *map(_plain, arguments)])


def _plain(thing: Any) -> Any:
    """Return a tree, a number or a sequence of numbers as JSON can hold it."""
    if isinstance(thing, Tree):
        return thing.content
    if isinstance(thing, (list, tuple)):
        return ["list", *map(_plain, thing)]
    number = float(thing)
    return number if math.isfinite(number) else ["number", str(number)]


def _head(operation: Operation, numbers: Sequence[float]) -> str:
    """Return what a row is called whose arguments without a derivative are these numbers."""
    return " ".join([operation.name, *map(repr, numbers)])


def row_of(operation: Operation, numbers: Sequence[float] = ()) -> dict[str, Any] | None:
    """Return a row as data: its arguments, value and local derivatives; None if it cannot be written down.

    Where a textbook writes a derivative otherwise, that is there as well.

    Args:
        operation: the row.
        numbers: those of its arguments that have no derivative, such as an order.

    Example:
        >>> row_of(ops.mul)
        {'arguments': ['x', 'y'], 'value': ['np.multiply', 'x', 'y'], 'local': ['y', 'x']}
        >>> row_of(ops.tanh)["textbook"]
        [['sub', 1.0, ['pow', 'z', 2.0]]]
    """
    arguments: list[Any] = [Tree(name) for name in operation.arguments]
    for place, number in zip(operation.constant_places, numbers, strict=True):
        arguments[place] = number
    value = _value_of(operation, arguments)
    if value is None:
        return None
    try:
        local = [
            _plain(rule(Tree("z"), *arguments) if place in operation.differentiable else 0.0)
            for place, rule in enumerate(operation.derivatives)
        ]
        known = [
            _plain(rule(Tree("z"), *arguments)) if rule is not None else None for rule in operation.textbook
        ]
    except Exception:  # a derivative of the user's own may compute with floats only, and fail in any way
        return None
    row = {"arguments": list(operation.arguments), "value": value, "local": local}
    return row | ({"textbook": known} if any(known) else {})


def _value_of(operation: Operation, arguments: Sequence[Any]) -> Any:
    if isinstance(operation.numpy, str):
        return [f"np.{operation.numpy}", *map(_plain, arguments)]
    names = dict(zip(operation.arguments, arguments, strict=True))
    forms: list[Callable[[], Any]] = []
    if operation.numpy is not None:
        form = operation.numpy
        forms.append(lambda: form(_NumPy(), *arguments))
    if operation.name not in operation.definition:  # else it says no more than the name
        forms.append(
            lambda: eval(operation.definition, {"__builtins__": {}, "pi": math.pi, **ops.TABLE}, names)
        )
    for write in forms:
        try:
            return _plain(write())
        except Exception:  # the form of a row of the user's own may need what only arrays have, or be prose
            continue
    return None


def twin_of(order: Sequence[Value], names: dict[Value, str]) -> dict[str, Any] | None:
    """Return a graph as data from which its numbers and gradients can be computed anew.

    Args:
        order: the graph in topological order.
        names: what the nodes are called.

    Returns:
        ``rows``: the rows that it needs, by name; ``graph``: for each node its number, or its row and the
        places of its parents; ``constants``: the places of those that receive no gradient; ``inputs``: the
        places and names of the others that are given. None if a row cannot be written down.
    """
    place = {node: k for k, node in enumerate(order)}
    operations = {node.op.name: node.op for node in order if node.op}
    if any(node.op is not None and operations[node.op.name] is not node.op for node in order):
        return None  # two operations of one name
    heads: dict[Value, str] = {}
    waiting: dict[str, tuple[Operation, list[float]]] = {}
    for node in order:
        if node.op is not None:
            deciding = [node.parents[k] for k in node.op.constant_places]
            if not all(isinstance(parent, Constant) for parent in deciding):
                return None  # another number would make it another function
            numbers = [parent.data for parent in deciding]
            heads[node] = _head(node.op, numbers)
            waiting[heads[node]] = node.op, numbers
    rows: dict[str, Any] = {}
    nodes = set(waiting)
    while waiting:
        head, (operation, numbers) = waiting.popitem()
        row = row_of(operation, numbers)
        if row is None:
            return None
        if head not in nodes:  # called by another row, for its value
            row = {"arguments": row["arguments"], "value": row["value"], "local": []}
        rows[head] = row
        for called in _heads(list(row.values())):
            name, *said = called.split(" ")
            if called not in rows and name in ops.TABLE:
                waiting[called] = ops.TABLE[name], list(map(float, said))
    return {
        "rows": rows,
        "graph": [
            [heads[node], *(place[parent] for parent in node.parents)] if node.op else _plain(node.data)
            for node in order
        ],
        "constants": [k for k, node in enumerate(order) if isinstance(node, Constant)],
        "inputs": [
            [k, names[node]] for k, node in enumerate(order) if not node.op and not isinstance(node, Constant)
        ],
    }


def _heads(tree: Any) -> Iterable[str]:
    if isinstance(tree, list):
        if tree and isinstance(tree[0], str):
            yield tree[0]
        for part in tree:
            yield from _heads(part)
