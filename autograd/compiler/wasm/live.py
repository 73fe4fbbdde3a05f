"""Until when adjoints are read: what is not read again need not be stored."""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from autograd.compiler.plan import Loop, Place, Statement, Step, statements_of
from autograd.compiler.wasm.layout import Layout
from autograd.compiler.wasm.rows import Given

SMALL = 16
"""Statements of at most so many terms are written without loops."""


class Live:
    """The last reads of adjoints by some steps.

    Args:
        steps: the steps, in order.
        layout: where cells are.
        kept: how many cells, the first ones, the caller reads in the end.
        read: returns the places and cells that a statement reads, among other things. What it adds to is of
            no use if none reads the sum.

    Attributes:
        number: of every statement outside loops its first place among the steps.
        last: of every adjoint the number of the last step that may read it, -1 if none does; more than any
            number where that is not looked at step by step, and of what the caller reads.
    """

    def __init__(
        self, steps: Sequence[Step], layout: Layout, kept: int, read: Callable[[Statement], Iterable[Given]]
    ) -> None:
        self.number: dict[Statement, int] = {}
        numbers = np.full(layout.size, -1, np.int32)
        self.last = last = numbers.data
        ranges = [(0, kept - 1)]
        for number, step in enumerate(steps):
            if not isinstance(step, Loop):
                self.number.setdefault(step, number)
            for statement in statements_of((step,)):
                for what in read(statement):
                    if isinstance(what, int):
                        if what >= layout.adjoints:
                            last[(what - layout.adjoints) // 8] = number
                    elif isinstance(what, Place) and what.memory == "d":
                        shape = statement.shape
                        if statement is step and what.choice is None and math.prod(shape) <= SMALL:
                            numbers[what.addresses(shape)] = number
                        else:
                            ranges.append(what.bounds(shape))
        for low, high in ranges:
            numbers[max(low, 0) : high + 1] = len(steps)
