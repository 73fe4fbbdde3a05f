"""Nodes whose number and local derivatives the user gives, as programs for microgpt's ``Value`` make them."""

from collections.abc import Sequence
from typing import Any

from autograd.row import Operation, as_float


class Given(Operation):
    """The operation of one node, of which no more is known than its number and its local derivatives there.

    It is no function: whoever would compute it anew elsewhere, to compile it, to replay it or for its second
    derivative, is told so.

    Args:
        data: the number.
        point: the numbers of the operands.
        local_grads: the derivative by each operand.
    """

    def __init__(self, data: float, point: Sequence[float], local_grads: Sequence[float]) -> None:
        self.given = data, tuple(point), tuple(local_grads)

        def at_the_point(number: float) -> Any:
            def known(*arguments: Any) -> float:
                here = arguments[-len(point) :]
                if here != tuple(point) or any(x.__class__ is not float for x in here):  # Values: twice
                    raise ValueError(
                        "of a node made with Value(data, children, local_grads) only these numbers are "
                        "known, so it cannot be compiled, replayed at other numbers or differentiated twice; "
                        "write it with operations of autograd, or declare one with @autograd.operation"
                    )
                return number

            return known

        super().__init__(
            "given",
            at_the_point(data),
            [at_the_point(slope) for slope in local_grads],
            arguments=[f"x{k}" for k in range(len(point))],
            selects=(),
        )

    def __reduce__(self) -> Any:
        """Pickle and copy by what was given."""
        return Given, self.given


def given(data: float, children: Any, local_grads: Any) -> Given | None:
    """Return the operation of a node that is made with children and local derivatives, None without any.

    Raises:
        TypeError: the children are no Values, or the derivatives no numbers.
        ValueError: there are not as many derivatives as children.
    """
    listed, slopes = tuple(children), tuple(local_grads)
    if len(listed) != len(slopes):
        raise ValueError(
            f"Value(data, children, local_grads) needs a local derivative for each child, got {len(slopes)} "
            f"for {len(listed)}; what a node is computed from is otherwise recorded by the operation"
        )
    for child in listed:
        if not hasattr(child, "parents"):
            raise TypeError(
                f"a child is a Value, not {type(child).__name__}: {child!r:.60}; a number has no gradient, "
                "so leave it out"
            )
    if not listed:
        return None
    numbers = [as_float(slope, "Value(local_grads=)") for slope in slopes]
    return Given(data, [child.data for child in listed], numbers)
