"""The derivatives of the table for floats alone, which a sweep calls: they ask no argument for its type."""

import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from autograd import ops
from autograd.row import Operation

Derivatives = tuple[Callable[..., Any], ...]


class _OnFloats(dict[Derivatives, Derivatives]):
    def __missing__(self, derivatives: Derivatives) -> Derivatives:
        self[derivatives] = tuple(map(_on_floats, derivatives))
        return self[derivatives]


on_floats = _OnFloats()
"""For the derivatives of a row the same functions, with the values of rows in place of the rows they call.

Example:
    >>> on_floats[ops.log.derivatives][0](0.0, 0.0)
    inf
"""


def _on_floats(function: Any) -> Any:
    """Return a function of the table for floats alone, and others, such as a user's, as they are."""
    if not isinstance(function, FunctionType) or function.__module__ not in _FLOATS:
        return function
    return FunctionType(
        function.__code__,
        _FLOATS[function.__module__],
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )


def _value(thing: Any) -> Any:
    """Return the value of a row, unless it may be called with fewer arguments."""
    return thing.value if isinstance(thing, Operation) and not thing.defaults else _on_floats(thing)


_FLOATS: dict[str, dict[str, Any]] = {row.__module__: {} for row in ops.TABLE.values()}
"""For each module of rows the names that its derivatives see."""

for _module, _names in _FLOATS.items():
    _names.update({name: _value(thing) for name, thing in vars(sys.modules[_module]).items()})
