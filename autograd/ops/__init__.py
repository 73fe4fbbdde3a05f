"""The operation table: one row is the only place that knows an operation.

Each row gives the value on floats, one local derivative per argument and what the operation looks like.
The derivatives are functions ``(z, *arguments)`` of the output and the arguments, generic in the number type:
floats give floats, Values record a graph (and so have derivatives themselves), arrays give arrays.

Two rules make them right everywhere. They contain no ``if``, because a branch would go stale when a graph is
replayed: a comparison is an operation. And where a textbook form loses digits another one is used, which must
also be smooth, or the higher derivatives are wrong; the reason stands beside it. At kinks and ties they
follow PyTorch. All derivatives of smooth one-argument rows are within 4 units in the last place. The textbook
form stands beside it, for readers.

The rows are in the modules of this package, and a new one needs nothing but to be written in either.
"""

from autograd.ops import arithmetic, transcendental
from autograd.row import Operation

TABLE = {
    name: row
    for module in (arithmetic, transcendental)
    for name, row in vars(module).items()
    if isinstance(row, Operation)
}
"""Every row by its name: what tests, the command line and the methods of Value are generated from."""

__all__ = [*TABLE]
globals().update(TABLE)
