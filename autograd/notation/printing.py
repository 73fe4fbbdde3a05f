"""One printer of formulas, and its dialects: text to be read; LaTeX is a module of its own."""

import math
import re
from collections.abc import Sequence
from typing import Any

from autograd import ops, real
from autograd.formula import Formula
from autograd.row import Operation
from autograd.text import format_number

# How tightly an operator binds; what binds less tightly than its surroundings needs parentheses.
COMPARISONS = (">", ">=", "<", "<=")
LOOSE = -1  # of a choice, which binds less than any operator
BINDING = dict.fromkeys(COMPARISONS, 0) | {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}
UNARY, ATOM = 3, 5
_CONSTANTS = {
    math.pi: "pi",
    real.LOG_2: "log(2)",
    real.LOG2_E: "1/log(2)",
    real.LOG_10: "log(10)",
    real.LOG10_E: "1/log(10)",
    real.TWO_OVER_SQRT_PI: "2/sqrt(pi)",
    real.INV_SQRT_TWO_PI: "1/sqrt(2*pi)",
}
"""What the constants of the rows are called."""


class Printer:
    """Writes formulas as text to be read; a dialect is a subclass that says what it writes otherwise.

    Args:
        numbers: write for each name the number that it stands for.

    Example:
        >>> formula = Formula(-2.0, "x") * (Formula(5.0, "y") + 1.0)
        >>> Printer().write(formula), Printer(numbers=True).write(formula)
        ('x*(y + 1)', '-2*(5 + 1)')
    """

    def __init__(self, *, numbers: bool = False) -> None:
        self.numbers = numbers

    def write(self, formula: Any) -> str:
        """Return a formula, or a number, as text."""
        return self.phrase(formula)[0]

    def phrase(self, formula: Any) -> tuple[str, int]:
        """Return the text and how tightly its outermost operator binds."""
        if not isinstance(formula, Formula):
            constant = "" if self.numbers else self.constant(float(formula))
            binding = BINDING["*"] if "/" in constant or constant.startswith("-") else ATOM
            return (constant, binding) if constant else _atom(self.number(float(formula)))
        row = formula.operation
        if row is None:
            return _atom(self.number(formula.data) if self.numbers else self.name(formula.name))
        parts = [self.phrase(argument) for argument in formula.arguments]
        if special := self.special(formula, parts):
            return special
        if not self.is_infix(formula):
            return self.call(row, [text for text, _ in parts[: _given(formula)]]), ATOM
        if row.arity == 1:
            text, binding = parts[0]
            inner = binding < BINDING["*"] or text.startswith("-")  # -(x/y) and (-x)/y are the same number
            return f"{row.symbol}{self.enclose(text, inner)}", UNARY
        binding = BINDING[row.symbol]
        (left, left_binding), (right, right_binding) = parts
        left = self.enclose(left, left_binding < binding + (row.symbol == "**"))
        right = self.enclose(right, right_binding <= binding or right_binding == UNARY)
        return f"{left}{self.infix(row.symbol)}{right}", binding

    # What a dialect may say otherwise:

    def number(self, x: float) -> str:
        """Return a number as text."""
        return format_number(x)

    def name(self, name: str) -> str:
        """Return the name of a node as text."""
        return name

    def is_infix(self, formula: Formula) -> bool:
        """Tell whether an operation is written with an operator, and not as a call."""
        return formula.operation is not None and is_operator(formula.operation)

    def infix(self, symbol: str) -> str:
        """Return the operator between two operands, and the gaps beside it."""
        return f" {symbol} " if BINDING[symbol] < BINDING["*"] else symbol

    def call(self, row: Operation, arguments: Sequence[str]) -> str:
        """Return an operation that is written as a call."""
        return f"{row.name}({', '.join(arguments)})"

    def constant(self, x: float) -> str:
        """Return what a well-known number in a rule is called, "" for any other."""
        return _CONSTANTS.get(x) or (f"-{_CONSTANTS[-x]}" if -x in _CONSTANTS else "")

    def special(self, formula: Formula, parts: Sequence[tuple[str, int]]) -> tuple[str, int] | None:
        """Return an operation that has a form of its own, such as a choice, and how tightly it binds."""
        row = formula.operation
        if is_comparison(row):
            return f"1 if {self.comparison(formula, parts)} else 0", LOOSE
        if row is ops.where:
            texts = [self.enclose(text, binding == LOOSE) for text, binding in parts]
            condition = formula.arguments[0]
            if isinstance(condition, Formula) and is_comparison(condition.operation):
                texts[0] = parts[0][0].removeprefix("1 if ").removesuffix(" else 0")
            return f"{texts[1]} if {texts[0]} else {texts[2]}", LOOSE
        return None

    def comparison(self, formula: Formula, parts: Sequence[tuple[str, int]]) -> str:
        """Return a comparison of two parts, such as ``x > 0``."""
        assert formula.operation is not None
        left, right = (self.enclose(text, binding == LOOSE) for text, binding in parts)
        return f"{left}{self.infix(formula.operation.symbol)}{right}"

    def enclose(self, text: str, needed: bool) -> str:
        """Put parentheses around a text that needs them."""
        return enclose(text, needed)


def is_comparison(row: Operation | None) -> bool:
    """Tell whether a row is one of the table's comparisons."""
    return row is not None and row.symbol in COMPARISONS and is_operator(row)


def _given(formula: Formula) -> int:
    """Return how many arguments a call needs to show: not the last ones, if they are the defaults."""
    row = formula.operation
    assert row is not None
    count = row.arity
    for argument, default in zip(reversed(formula.arguments), reversed(row.defaults), strict=False):
        if isinstance(argument, Formula) or argument != default:
            break
        count -= 1
    return count


def _atom(text: str) -> tuple[str, int]:
    return text, UNARY if re.match(r"-[\d.in\\]", text) else ATOM


_NAMES, _NUMBERS = Printer(), Printer(numbers=True)


def write(formula: Any) -> str:
    """Return a formula as text, with names.

    Example:
        >>> write(Formula(-2.0, "x") + Formula(5.0, "y"))
        'x + y'
    """
    return _NAMES.write(formula)


def write_numbers(formula: Any) -> str:
    """Return a formula with the numbers put into it.

    Example:
        >>> write_numbers(Formula(-2.0, "x") + Formula(5.0, "y"))
        '-2 + 5'
    """
    return _NUMBERS.write(formula)


def is_operator(row: Operation) -> bool:
    """Tell whether a row is written with Python's operator; a user's row may have any symbol."""
    return row.symbol in BINDING and ops.TABLE.get(row.name) is row


def enclose(text: str, needed: bool) -> str:
    """Put parentheses around a text that needs them."""
    return f"({text})" if needed else text
