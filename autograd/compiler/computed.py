"""What the forward pass has computed is read by local derivatives, and not computed again.

The derivative of a sine is a cosine: where a program has both of the same number, as every rotation does, the
reverse pass finds it in the memory.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from autograd.compiler.drafts import Draft, LoopDraft
from autograd.compiler.plan import Apply, Expression, Index, Place
from autograd.row import Operation


class Computed:
    """The functions that a forward pass applies to numbers at places.

    Args:
        forward: its drafts.
    """

    def __init__(self, forward: Sequence[Draft | LoopDraft]) -> None:
        self._drafts: dict[tuple[Operation, tuple[int, ...], LoopDraft | None], list[Draft]]
        self._drafts = defaultdict(list)
        for part in forward:
            loop = part if isinstance(part, LoopDraft) else None
            for draft in part.body if isinstance(part, LoopDraft) else [part]:
                expression = draft.statement.expression
                if isinstance(expression, Apply) and _is_read(expression) and not draft.statement.adds:
                    self._drafts[expression.operation, draft.statement.shape, loop].append(draft)

    def read(self, expression: Expression, draft: Draft, loop: LoopDraft | None) -> Expression:
        """Return an expression with places for what has been computed.

        Args:
            expression: at the points of the draft, of whose places it is made.
            draft: the draft of the forward pass.
            loop: the loop that it is in, or None.
        """
        if not isinstance(expression, Apply):
            return expression
        if _is_read(expression):
            for other in self._drafts.get((expression.operation, draft.statement.shape, loop), ()):
                same = map(_are_equal, expression.arguments, other.statement.expression.arguments)  # type: ignore[union-attr]  # an Apply, as it was put there
                if all(same) and _are_same(draft.starts, other.starts):
                    return other.statement.target
        arguments = tuple(self.read(argument, draft, loop) for argument in expression.arguments)
        return Apply(expression.operation, arguments)


def _is_read(expression: Apply) -> bool:
    """Tell whether to read it is faster than to compute it, as it is for all but Python's operators."""
    return expression.operation.operator is None and not any(
        isinstance(argument, Apply) for argument in expression.arguments
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
