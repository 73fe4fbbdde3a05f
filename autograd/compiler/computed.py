"""What the forward pass has computed is read by local derivatives, and not computed again.

The derivative of a sine is a cosine: where a program has both of the same number, as every rotation does, the
reverse pass finds it in the memory. So it does in the reverse pass of a derivative, which is made of what the
derivative of the function itself has computed.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from autograd import ops
from autograd.compiler.drafts import Draft, LoopDraft
from autograd.compiler.plan import Apply, Expression, Index, Place
from autograd.row import Operation

Points = tuple[tuple[int, ...], LoopDraft | None]
"""The shape of a statement and the loop that it is in."""


class Computed:
    """What a forward pass has applied operations to.

    Args:
        forward: its drafts.
    """

    def __init__(self, forward: Sequence[Draft | LoopDraft]) -> None:
        self._drafts: dict[tuple[Operation, Points], list[Draft]] = defaultdict(list)
        self._makers: dict[tuple[int, tuple[int, ...], Points], Draft] = {}
        for part in forward:
            loop = part if isinstance(part, LoopDraft) else None
            for draft in part.body if isinstance(part, LoopDraft) else [part]:
                statement = draft.statement
                if isinstance(statement.expression, Apply) and not statement.adds and not statement.summed:
                    points = statement.shape, loop
                    self._drafts[statement.expression.operation, points].append(draft)
                    if statement.target.table is None:
                        self._makers[statement.target.base, statement.target.strides, points] = draft

    def read(self, expression: Expression, draft: Draft, loop: LoopDraft | None) -> Expression:
        """Return an expression with places for what has been computed.

        To read it is taken to be faster than to compute it for all but Python's operators.

        Args:
            expression: at the points of the draft, of whose places it is made.
            draft: the draft of the forward pass.
            loop: the loop that it is in, or None.
        """
        if not isinstance(expression, Apply):
            return expression
        points = draft.statement.shape, loop
        if expression.operation.operator is None:
            for other in self._drafts.get((expression.operation, points), ()):
                if _are_same(draft.starts, other.starts) and self._agree(
                    expression, other.statement.expression, draft.starts, points
                ):
                    return other.statement.target
        arguments = tuple(self.read(argument, draft, loop) for argument in expression.arguments)
        return Apply(expression.operation, arguments)

    def _agree(self, one: Expression, other: Expression, starts: Index | None, points: Points) -> bool:
        """Tell whether two expressions are the same, if what was computed is put into the second one."""
        if not isinstance(one, Apply):
            return _are_equal(one, other)
        if isinstance(other, Place):
            maker = self._makers.get((other.base, other.strides, points))
            if maker is None or other.memory != "v" or other.table is not None or other.choice is not None:
                return False
            other = maker.statement.expression if _are_same(starts, maker.starts) else other
        if not isinstance(other, Apply) or one.operation is not other.operation:
            return False
        orders = (
            [one.arguments, one.arguments[::-1]] if one.operation in (ops.add, ops.mul) else [one.arguments]
        )
        return any(
            all(self._agree(*pair, starts, points) for pair in zip(order, other.arguments, strict=True))
            for order in orders
        )


def _are_equal(one: Expression, other: Expression) -> bool:
    """Tell whether two places are the same, or two numbers."""
    if not isinstance(one, Place) or not isinstance(other, Place):
        return isinstance(one, float) and isinstance(other, float) and repr(one) == repr(other)
    if one.choice is not None or other.choice is not None:
        return False
    return (one.memory, one.base, one.strides) == (other.memory, other.base, other.strides) and _are_same(
        one.table, other.table
    )


def _are_same(one: Index | None, other: Index | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))
