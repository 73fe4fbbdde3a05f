"""Checks of settings, each a line: what is wrong is named with its value."""

from typing import Any


def whole(name: str, number: Any, least: int = 1) -> int:
    """Return a count.

    Raises:
        TypeError: it is no whole number.
        ValueError: it is less than ``least``.

    Example:
        >>> whole("batch_size", 2.5)
        Traceback (most recent call last):
        TypeError: batch_size must be a whole number, not 2.5
    """
    if isinstance(number, bool) or not hasattr(number, "__index__"):
        raise TypeError(f"{name} must be a whole number, not {number!r}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, not {number!r}")
    return int(number)


def at_least_zero(name: str, number: float) -> float:
    """Return a number that is not negative.

    Raises:
        TypeError: it is a text.
        ValueError: it is negative or nan.
    """
    if isinstance(number, str):
        raise TypeError(f"{name} must be a number, not {number!r}")
    if not number >= 0.0:
        raise ValueError(f"{name} must be at least 0, not {number!r}")
    return number


def fraction(name: str, number: float) -> float:
    """Return a number from 0 to below 1.

    Raises:
        ValueError: it is another one.
    """
    if not 0.0 <= number < 1.0:
        raise ValueError(f"{name} must be at least 0 and below 1, not {number!r}")
    return number
