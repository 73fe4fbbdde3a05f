"""How numbers and names are written for people."""

import math
import re
from typing import Any, Self

_UNPRINTABLE = re.compile("[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Written(float):
    """A number that brings the text it is written with, such as a place in which numbers are put later.

    Example:
        >>> x = Written(2.0, "[x]")
        >>> format_number(x), x + 1.0
        ('[x]', 3.0)
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, number: float, text: str) -> Self:
        """Make the number."""
        made = super().__new__(cls, number)
        made.text = text
        return made

    def __repr__(self) -> str:
        """Return the text."""
        return self.text


def format_number(x: float) -> str:
    """Write a number in about four significant digits; trailing zeros tell that it was rounded.

    Example:
        >>> [format_number(x) for x in (-12.0, 0.5, 0.7310585786300049, 0.99999, 1e-05, 123456.0, -0.0)]
        ['-12', '0.5', '0.7311', '1.000', '1e-05', '123456', '0']
    """
    if isinstance(x, Written):
        return x.text
    if float(x).is_integer() and abs(x) < 1e6:
        return f"{x + 0.0:.0f}"  # a reader of -0 looks for an error; added to 0.0 it is 0.0
    text = f"{x:.4g}"
    if math.isnan(x) or float(text) == x:
        return text
    text = f"{x:#.4g}"
    return f"{x:.1f}" if text.endswith(".") else text


def printable(text: str) -> str:
    r"""Spell what SVG cannot hold, such as control characters, as Python does: ``\x00``."""
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def describe(node: Any) -> str:
    """Name a node in an error: its label, else its operation, with its data."""
    name = repr(node.label) if node.label else "a leaf" if node.op is None else f"a {node.op.symbol!r} node"
    return f"{name} (data={node.data!r})"
