"""What was meant by a name that no operation has."""

from difflib import get_close_matches

from autograd.ops import TABLE


def nearest(name: str) -> str | None:
    """Return the name of the operation that is likely meant by one that is none, or None.

    Example:
        >>> nearest("rellu"), nearest("ln"), nearest("arcsin"), nearest("Tanh"), nearest("frobnicate")
        ('relu', 'log', 'asin', 'tanh', None)
    """
    names = {
        called: row.name
        for row in TABLE.values()
        for called in (row.name, *row.aliases, *([row.numpy] if isinstance(row.numpy, str) else []))
    }
    close = get_close_matches(name.lower(), names, 1)
    return names[close[0]] if close else None
