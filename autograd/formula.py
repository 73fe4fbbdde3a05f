"""Formulas: the operation table, interpreted as mathematics to be read.

A ``Formula`` stands for a number of the graph. The rows of the table act on it as they act on floats and
Values, so a row's local derivative, given Formulas, is the formula of that derivative, and knows its number.
"""

from collections.abc import Sequence
from typing import Any

from autograd import ops
from autograd.row import Operation
from autograd.symbolic import Symbolic


class Formula(Symbolic):
    """A name, or an operation on formulas and numbers, with the number that it stands for.

    Args:
        data: the number.
        name: what it is called, unless it is the result of an operation.
        operation: the operation it is the result of.
        arguments: the operation's arguments: formulas and numbers.

    Example:
        >>> from autograd.notation.printing import write
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
        self.operation = operation  # type: ignore[misc]  # a slot, which overrides the property
        self.arguments = tuple(arguments)  # type: ignore[misc]  # a slot, too

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
