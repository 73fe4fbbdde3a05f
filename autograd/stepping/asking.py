"""What a reader who predicts is asked at a step, and whether an answer is right."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from autograd.expression import ExpressionError, parse
from autograd.stepping.events import Backward, Forward
from autograd.text import format_number
from autograd.value import Constant, Value

TOLERANCE = 0.005
"""How much an answer may differ from the number, relative to it: three digits are enough."""

Names = Callable[[Value], str]

_LONGEST = 200  # characters of an answer
_SIGNS = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/"})  # noqa: RUF001 - as people type them
_WORDS = {"infinity": "inf", "∞": "inf"}


@dataclass(frozen=True)
class Question:
    """A number that is asked for.

    Attributes:
        kind: ``"value"`` (what a gate computes), ``"local"`` (a local derivative), ``"product"`` (of local
            and upstream gradient) or ``"sum"`` (of the messages to a node that is used several times).
        text: the question.
        answer: the number.
        hint: the rule that leads to it, "" if there is none.
    """

    kind: str
    text: str
    answer: float
    hint: str = ""

    @property
    def shown(self) -> str:
        """The answer as it is told."""
        return format_number(self.answer)

    def is_right(self, number: float) -> bool:
        """Tell whether a number answers the question, to three digits.

        Example:
            >>> question = Question("value", "1/8 = ?", 0.125)
            >>> question.is_right(0.125), question.is_right(1 / 8.01), question.is_right(0.13)
            (True, True, False)
        """
        if math.isnan(self.answer):
            return math.isnan(number)
        return number == self.answer or abs(number - self.answer) <= TOLERANCE * abs(self.answer)


def number_in(text: str) -> float:
    """Return the number that an answer says: a number, a fraction or a formula of numbers.

    It is parsed, never evaluated as Python. A decimal comma, ``^`` for a power and a typographic minus are
    read as they are meant.

    Raises:
        ValueError: it says none.

    Example:
        >>> number_in("-1/4"), number_in("2*3"), number_in("0,5"), number_in("2^-1"), number_in("exp(0)")
        (-0.25, 6.0, 0.5, 0.5, 1.0)
        >>> number_in("a quarter")
        Traceback (most recent call last):
            ...
        ValueError: 'a quarter' is no number; answer for instance -0.25, -1/4, 2*3, exp(1) or inf
    """
    typed = text.strip().lower().replace("^", "**").translate(_SIGNS)
    for word, meant in _WORDS.items():
        typed = typed.replace(word, meant)
    if "(" not in typed:
        typed = re.sub(r"(?<=\d),(?=\d)", ".", typed)
    try:
        if len(typed) > _LONGEST or "=" in typed or ";" in typed:  # a formula has steps, an answer has none
            raise ValueError
        return parse(typed, {}).data
    except (ExpressionError, ValueError):
        raise ValueError(
            f"{text.strip()[:40]!r} is no number; answer for instance -0.25, -1/4, 2*3, exp(1) or inf"
        ) from None


def about_value(event: Forward, names: Names) -> Question:
    """Ask what a gate computes.

    Args:
        event: the gate.
        names: what each value is called.
    """
    rule = event.definition or event.numbers
    hint = f"{event.name} = {rule}" * (rule != event.formula)
    return Question("value", f"{event.name} = {event.formula} = ?{_at(event, names)}", event.data, hint)


def about_message(event: Backward, names: Names, before: float | None, after: float) -> tuple[Question, ...]:
    """Ask for a gate's local derivative, for its product with the upstream gradient, and for the sum.

    Args:
        event: the message.
        names: what each value is called.
        before: the receiver's sum until now, None if this is its first message.
        after: its sum with this message.
    """
    left, equals, right = event.rule.partition(" = ")
    name = re.escape(names(event.node))
    used = re.search(rf"(?<!\w){name}(?!\w)", right) is not None  # the output, as in the rule of exp
    at = _at(event, names, output=used)
    local = Question("local", f"{left} = ?{at}", event.local, event.rule * bool(equals))
    upstream = format_number(event.upstream)
    known = f" with local = {format_number(event.local)}, upstream = {upstream}"
    text = f"to {event.receiver}: local * upstream = ?{known}"
    product = about_product(text, event.local, event.upstream, event.contribution)
    return local, product, *about_sum(event.receiver, before, event.contribution, after)


def about_product(text: str, local: float, upstream: float, product: float) -> Question:
    """Ask for what a gate sends: its local derivative times the upstream gradient."""
    return Question("product", text, product, f"{format_number(local)} * {_factor(upstream)}")


def about_sum(receiver: str, before: float | None, contribution: float, after: float) -> tuple[Question, ...]:
    """Ask for the sum of the messages to a node; nothing at its first one."""
    if before is None:
        return ()
    sent, so_far = format_number(contribution), format_number(before)
    text = f"{receiver}.grad = ? with {so_far} so far and now {sent}"
    hint = f"the messages to a node are added up: {so_far} + {_factor(contribution)}"
    return (Question("sum", text, after, hint),)


def _factor(x: float) -> str:
    text = format_number(x)
    return f"({text})" if text.startswith("-") else text


def _at(event: Forward | Backward, names: Names, *, output: bool = False) -> str:
    """Return the numbers that a question is about, but for constants that stand in the formula itself."""
    known = [*zip(event.node.parents, event.operands, strict=True), *[(event.node, event.data)] * output]
    told = {names(node): x for node, x in known if node.label or not isinstance(node, Constant)}
    listed = ", ".join(f"{name} = {format_number(x)}" for name, x in told.items())
    return f" at {listed}" * bool(listed)
