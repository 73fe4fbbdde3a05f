"""Formulas: the operation table, interpreted as mathematics to be read.

A ``Formula`` stands for a number of the graph. The rows of the table act on it as they act on floats and
Values, so a row's local derivative, given Formulas, is the formula of that derivative, and knows its number.
"""

from collections.abc import Sequence
from typing import Any

from autograd import ops
from autograd.row import Operation
from autograd.symbolic import Symbolic
from autograd.text import format_number, printable
from autograd.value import Constant, Value


class Formula(Symbolic):
    """A name, or an operation on formulas and numbers, with the number that it stands for.

    Args:
        data: the number.
        name: what it is called, unless it is the result of an operation.
        operation: the operation it is the result of.
        arguments: the operation's arguments: formulas and numbers.

    Example:
        >>> from autograd.stepping.printing import write
        >>> x = Formula(3.0, "x")
        >>> square = x * x + 1.0
        >>> write(square), square.data
        ('x*x + 1', 10.0)
    """

    __slots__ = ("arguments", "data", "name", "operation")

    def __init__(
        self,
        data: float,
        name: str = "",
        operation: Operation | None = None,
        arguments: Sequence[Any] = (),
    ) -> None:
        self.data = data
        self.name = name
        self.operation = operation
        self.arguments = tuple(arguments)

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> Any:
        """Return the formula that applies ``operation``; a product by 1 or a first power is left out."""
        numbers = [a.data if isinstance(a, Formula) else float(a) for a in arguments]
        if operation is ops.mul and 1.0 in arguments:
            return arguments[1] if arguments[0] == 1.0 else arguments[0]
        if operation in (ops.pow, ops.div) and arguments[1] == 1.0:
            return arguments[0]
        if operation is ops.where and not isinstance(arguments[0], Formula):  # a constant has chosen
            return arguments[1] if arguments[0] else arguments[2]
        return cls(operation.value(*numbers), "", operation, arguments)


def name_nodes(order: Sequence[Value]) -> dict[Value, str]:
    """Name every node of a graph, each differently: by its label, or ``v1``, ``v2``; the root is ``f``.

    A constant without a label is called by its number.

    Args:
        order: the graph in topological order, the root last.

    Example:
        >>> from autograd import topological_order
        >>> x = Value(3.0, "x")
        >>> list(name_nodes(topological_order(2 * (x * x))).values())
        ['2', 'x', 'v1', 'f']
    """
    names: dict[Value, str] = {}
    taken: set[str] = set()
    for node in order:
        if label := printable(str(node.label)).replace("\n", r"\n"):
            names[node] = unique(label, taken)
        elif isinstance(node, Constant):
            names[node] = format_number(node.data)
    if order[-1] not in names and "f" not in taken:
        names[order[-1]] = unique("f", taken)
    count = 0
    for node in order:
        while node not in names:
            count += 1
            if f"v{count}" not in taken:
                names[node] = unique(f"v{count}", taken)
    return {node: names[node] for node in order}


def unique(name: str, taken: set[str]) -> str:
    """Return ``name``, or with ``_2``, ``_3`` after it if that is taken; take it."""
    choice, count = name, 1
    while choice in taken:
        count += 1
        choice = f"{name}_{count}"
    taken.add(choice)
    return choice


def operands(node: Value, names: dict[Value, str]) -> list[Any]:
    """Return what a gate computes with: a Formula per operand, and constants as the numbers they are."""
    return [
        parent.data
        if isinstance(parent, Constant) and not parent.label
        else Formula(parent.data, names[parent])
        for parent in node.parents
    ]


def right_side(node: Value, names: dict[Value, str]) -> Formula:
    """Return what a gate computes, such as ``q*z``."""
    assert node.op is not None
    return Formula(node.data, "", node.op, operands(node, names))


def local_derivative(node: Value, index: int, names: dict[Value, str]) -> Any:
    """Return the derivative of a gate's output by one operand, as its row says it.

    Returns:
        A Formula or a number; None for a row whose derivative is not generic in the number type.
    """
    assert node.op is not None
    try:
        return node.op.derivatives[index](Formula(node.data, names[node]), *operands(node, names))
    except Exception:  # an operation of the user's own may compute with floats only, and fail in any way
        return None
