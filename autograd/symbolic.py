"""Number types that interpret the operation table in their own way.

A ``Symbolic`` stands for a number that is not there: a name in a formula, a variable of a program. Python's
operators on it are the rows of the table, as they are on Values, so that a row's local derivative, which is
generic in the number type, works on it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from autograd import ops
from autograd.row import Operation


class Symbolic:
    """The base of such a type. A subclass says in ``__record__`` what an operation on it gives."""

    __slots__ = ()

    @property
    def operation(self) -> Operation | None:
        """The row it is the result of, None for what is given."""
        return None

    @property
    def arguments(self) -> Sequence[Any]:
        """What the row was applied to."""
        return ()

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> Any:
        """Return the result of ``operation`` at ``arguments``, at least one of which is of this type."""
        raise NotImplementedError

    def _refuse(self, *_: Any) -> Any:
        raise TypeError(
            "a local derivative asked an argument for its number, but here it has none; write a branch as an "
            "operation, such as where(greater(x, 0.0), ...), and use autograd's functions rather than math's"
        )

    __bool__ = __float__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse

    if TYPE_CHECKING:  # the operators are rows of the table; see the loop below

        def __add__(self, other: Any) -> Self: ...
        def __mul__(self, other: Any) -> Self: ...
        def __neg__(self) -> Self: ...


def _method(row: Operation, *, reflected: bool = False) -> Callable[..., Any]:
    if row.arity == 1:
        return lambda self: row(self)
    return (lambda self, other: row(other, self)) if reflected else (lambda self, other: row(self, other))


def _function(row: Operation) -> Callable[..., Any]:
    return lambda self, *others: row(self, *others)


for _row in ops.TABLE.values():
    if _row.operator is not None:
        setattr(Symbolic, f"__{_row.operator}__", _method(_row))
        if _row.arity == 2:
            setattr(Symbolic, f"__r{_row.operator}__", _method(_row, reflected=True))
    for _name in {_row.name, _row.numpy} if isinstance(_row.numpy, str) else {_row.name}:
        setattr(Symbolic, _name, _function(_row))  # what NumPy's functions look for, as in np.cos(x)
