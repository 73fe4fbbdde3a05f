"""What was meant by a name that no operation has."""

from collections.abc import Iterable

from autograd.ops import TABLE

_ELSEWHERE = {
    "swish": "silu",
    "expit": "sigmoid",
    "logistic": "sigmoid",
    "ndtr": "normal_cdf",
    "square": "pow",
}
"""What other libraries call rows, where no letters tell."""


def nearest(name: str, others: Iterable[str] = ()) -> str | None:
    """Return the name of the operation that is likely meant by one that is none, or None.

    Args:
        name: what was written.
        others: names of other things that may be meant.

    Example:
        >>> nearest("rellu"), nearest("ln"), nearest("arcsin"), nearest("swish"), nearest("frobnicate")
        ('relu', 'log', 'asin', 'silu', None)
    """
    from difflib import get_close_matches  # which takes as long to import as a package of ours

    names = {
        called: row.name
        for row in TABLE.values()
        for called in (row.name, *row.aliases, *([row.numpy] if isinstance(row.numpy, str) else []))
    }
    names |= _ELSEWHERE | {other: other for other in others}
    transposed = [called for called in names if sorted(called) == sorted(name.lower())]
    close = transposed or get_close_matches(name.lower(), names, 1)
    return names[close[0]] if close else None
