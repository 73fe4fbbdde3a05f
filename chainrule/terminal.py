"""What goes to a terminal: one line stays one line, and no character of a file steers the screen."""

from collections.abc import Iterable


class CommandError(Exception):
    """What the user must put right: one line that names the value and the remedy."""


def plain(text: str) -> str:
    r"""Spell control characters, and others that a terminal does not print, as Python does.

    Example:
        >>> print(plain("red\x1b[31m\n"))
        red\x1b[31m\n
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shown(names: Iterable[str], width: int = 60) -> str:
    """Return as many names as go into one line, at least one, and how many more there are.

    Example:
        >>> shown(["setosa", "versicolor", "virginica"], width=20)
        'setosa, versicolor and 1 more'
    """
    first, *others = map(plain, names)
    line = first
    for i, name in enumerate(others):
        if len(line) + len(name) + 2 > width:
            return f"{line} and {len(others) - i} more"
        line += f", {name}"
    return line


def counted(number: int, thing: str) -> str:
    """Return a count with its noun.

    Example:
        >>> counted(1, "row"), counted(2, "row")
        ('1 row', '2 rows')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"
