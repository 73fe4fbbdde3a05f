"""What a cell says: a number, nothing, a date, or a text."""

import math
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GAPS = frozenset(
    ("", "?", "-", "--", ".", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None")
)
"""What stands for no value, after white space is cut off."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"([+-]?\d{1,3})((?:,\d{3})+)(\.\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(inf|infinity)", re.IGNORECASE)
_DATES = [
    r"\d{4}([-/.])\d{1,2}\1\d{1,2}([T ]TIME)?",
    r"\d{1,2}([-/.])\d{1,2}\1(\d{4}|\d{2})([T ,]+TIME)?",
    r"\d{1,2}[- ](MONTH)[- ](\d{4}|\d{2})",
    r"(MONTH) \d{1,2},? \d{4}",
    r"\d{4}[- ](MONTH)",
    r"(MONTH)[- ]\d{2,4}",
    r"TIME",
]
_TIME = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?"
_MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_PATTERNS = [re.compile(d.replace("TIME", _TIME).replace("MONTH", _MONTH), re.ASCII) for d in _DATES]
_PLAIN = frozenset("0123456789+-.eE")
_EXCHANGED = str.maketrans(",.", ".,")


def is_gap(cell: str) -> bool:
    """Return whether a cell holds no value.

    Example:
        >>> is_gap("?"), is_gap(""), is_gap("0")
        (True, True, False)
    """
    return cell in GAPS


def number(cell: str, decimal: str = ".") -> float | None:
    """Return the number that a cell says, None if it says none.

    ``$``, ``€``, ``£`` before and ``%`` behind a number are not part of it; groups of three digits may be
    separated by commas, or by points where the comma is the decimal sign. Only digits are digits: ``1_1``,
    which Python would read as 11, is a text.

    Example:
        >>> number("-1.5e3"), number("1,234.5"), number("12 %"), number("1_1"), number("n/a")
        (-1500.0, 1234.5, 12.0, None, None)
        >>> number("1.234,5", decimal=",")
        1234.5
    """
    if decimal == ",":
        cell = cell.translate(_EXCHANGED)
    if _NUMBER.fullmatch(cell):
        return float(cell)
    bare = cell.lstrip("$€£").removesuffix("%").strip()
    if _NUMBER.fullmatch(bare) or _NOT_FINITE.fullmatch(bare):
        return float(bare)
    return float(bare.replace(",", "")) if _THOUSANDS.fullmatch(bare) else None


class Said(NamedTuple):
    """What a column says as numbers.

    Attributes:
        numbers: a number for each cell; nan for a gap and for what is no number.
        others: the rows, from 0, whose cells are neither a number nor a gap.
    """

    numbers: NDArray[np.float64]
    others: list[int]


def numbers(column: list[str], decimal: str = ".") -> Said:
    """Return what the cells of a column say as numbers.

    Example:
        >>> numbers(["1", "?", "x"])
        Said(numbers=array([ 1., nan, nan]), others=[2])
    """
    if decimal == "." and _PLAIN.issuperset("".join(column)):  # where the notation of ``number`` is Python's
        try:
            return Said(np.fromiter(map(float, column), float, len(column)), [])
        except ValueError:  # a cell such as - or 1.2.3
            pass
    parsed = [math.nan if is_gap(cell) else number(cell, decimal) for cell in column]
    return Said(np.array(parsed, dtype=float), [row for row, said in enumerate(parsed) if said is None])


def is_code(cell: str) -> bool:
    """Return whether digits are a name and no quantity: 0 is the first, or a float cannot hold them.

    Example:
        >>> is_code("007"), is_code("12345678901234567890"), is_code("0.5"), is_code("10")
        (True, True, False, False)
    """
    digits = cell.lstrip("+-")
    return digits.isdecimal() and ((digits[0] == "0" and len(digits) > 1) or len(digits) > 15)


def is_date(cell: str) -> bool:
    """Return whether a cell is a date or a time of day in one of the common spellings.

    Example:
        >>> [is_date(c) for c in ("2024-01-31", "31.1.2024 12:30", "3-Feb-98", "12:30", "20-29", "1.5")]
        [True, True, True, True, False, False]
    """
    return any(pattern.fullmatch(cell) for pattern in _PATTERNS)
