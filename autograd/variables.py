"""The user's variables: names for Values that have no label."""

import sys
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from autograd.value import Constant, Value

_DEEP = 3  # lists in lists whose elements are named
_MANY = 10_000  # elements that are looked at


def named_in(namespace: Mapping[str, Any]) -> dict[Value, str]:
    """Return a name for each Value that a namespace holds, also in lists, tuples and dicts.

    Names that begin with an underscore are nobody's choice, such as a notebook's ``_3``.

    Example:
        >>> x = Value(1.0)
        >>> list(named_in({"x": x, "also_x": x, "w": [Value(2.0), {"b": Value(3.0)}]}).values())
        ['x', 'w[0]', "w[1]['b']"]
    """
    names: dict[Value, str] = {}
    left = _MANY
    for name, thing in namespace.items():
        if name.startswith("_"):
            continue
        for path, value in _values(name, thing, _DEEP):
            left -= 1
            if left < 0:
                return names
            if isinstance(value, Value) and not isinstance(value, Constant):
                names.setdefault(value, path)
    return names


def _values(path: str, thing: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, (list, tuple)) and depth:
        for k, item in enumerate(thing):
            yield from _values(f"{path}[{k}]", item, depth - 1)
    elif isinstance(thing, dict) and depth:
        for key, item in thing.items():
            yield from _values(f"{path}[{key!r}]", item, depth - 1)
    else:
        yield path, thing


def named_by_the_user() -> dict[Value, str]:
    """Return the names that the calling script or notebook has for Values.

    Only the variables of the program that runs count, not those of the libraries between it and here.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") != "__main__":
        frame = frame.f_back
    if frame is None:
        return {}
    # What is local is found first, and so named first. Copies, since a thread may be adding names.
    others = {name: thing for name, thing in frame.f_globals.copy().items() if name not in frame.f_locals}
    return named_in({**frame.f_locals, **others})
