"""Nested lists, tuples, dicts and arrays of Values: taken apart, and put together with other contents."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Nested = Any
"""A Value, a NumPy array of numbers or Values, or a list, tuple or dict of Nested."""


def flatten(nested: Nested) -> tuple[list[Any], Callable[[Iterable[Any]], Any]]:
    """Return what a nest contains, and a function that puts as many things into a nest of the same form.

    An array contains its elements; it is rebuilt as an array of floats, or of objects if not all are floats.

    Example:
        >>> contents, rebuild = flatten({"a": 1, "b": [2, (3, 4)]})
        >>> contents
        [1, 2, 3, 4]
        >>> rebuild(10 * x for x in contents)
        {'a': 10, 'b': [20, (30, 40)]}
    """
    contents: list[Any] = []
    build = _collect(nested, contents)
    return contents, lambda things: build(iter(things))


def _collect(item: Any, contents: list[Any]) -> Callable[[Any], Any]:
    """Append what a nest contains; return a function that builds it anew from an iterator."""
    if isinstance(item, Mapping):
        keys, builders = list(item), [_collect(value, contents) for value in item.values()]
        return lambda rest: {key: build(rest) for key, build in zip(keys, builders, strict=True)}
    if isinstance(item, (list, tuple)):
        builders = [_collect(value, contents) for value in item]
        kind = list if isinstance(item, list) else tuple
        return lambda rest: kind(build(rest) for build in builders)
    if _is_array(item):
        builders, shape = [_collect(value, contents) for value in item.flat], item.shape
        return lambda rest: _array([build(rest) for build in builders], shape)
    contents.append(item)
    return next


def _is_array(item: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(item, numpy.ndarray)


def _array(items: list[Any], shape: tuple[int, ...]) -> Any:
    import numpy

    if items and all(isinstance(item, numpy.ndarray) for item in items):  # one array of both shapes
        return numpy.stack(items).reshape(*shape, *items[0].shape)
    array = numpy.empty(len(items), dtype=float if all(type(item) is float for item in items) else object)
    for i, item in enumerate(items):
        array[i] = item
    return array.reshape(shape)


def shape_of(nested: Nested) -> tuple[int, ...]:
    """Return the shape that nested sequences or arrays have; of a dict or a ragged nest, how many items.

    Example:
        >>> shape_of([[1, 2, 3], [4, 5, 6]]), shape_of(1.0), shape_of([[1], [2, 3]])
        ((2, 3), (), (3,))
    """
    if isinstance(nested, (list, tuple)):
        shapes = {shape_of(item) for item in nested}
        if len(shapes) == 1 and not any(isinstance(item, Mapping) for item in nested):
            return (len(nested), *shapes.pop())
    elif not isinstance(nested, Mapping) and not _is_array(nested):
        return ()
    items = flatten(nested)[0]
    return nested.shape if _is_array(nested) and len(items) == nested.size else (len(items),)
