"""Nested lists, tuples, dicts and arrays of Values: taken apart, and put together with other contents."""

import copy
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

Nested = Any
"""A Value, a NumPy array of numbers or Values, or a list, tuple or dict of Nested."""


def flatten(nested: Nested) -> tuple[list[Any], Callable[[Iterable[Any]], Any]]:
    """Return what a nest contains, and a function that puts as many things into a nest of the same form.

    Containers keep their types: a named tuple, an OrderedDict, a subclass of list or of NumPy's array. An
    array contains its elements; it is rebuilt as an array of floats, or of objects if not all are floats. One
    without dimensions is a number.

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
    """Append what a nest contains; return a function that builds it anew from an iterator.

    The function keeps the form alone, or it would keep the graph of what was in it alive.
    """
    if isinstance(item, Mapping):
        keys, builders = list(item), [_collect(value, contents) for value in item.values()]
        mapping = _like_mapping(item)
        return lambda rest: mapping({key: build(rest) for key, build in zip(keys, builders, strict=True)})
    if isinstance(item, (list, tuple)):
        builders, sequence = [_collect(value, contents) for value in item], _like_sequence(item)
        return lambda rest: sequence([build(rest) for build in builders])
    if _is_array(item) and item.shape:
        builders, array = [_collect(value, contents) for value in _base(item).flat], _like_array(item)
        return lambda rest: array([build(rest) for build in builders])
    contents.append(item.item() if _is_array(item) else item)
    return next


def _like_mapping(like: Mapping[Any, Any]) -> Callable[[dict[Any, Any]], Any]:
    if type(like) is dict or not isinstance(like, MutableMapping):
        return lambda items: items
    empty = copy.copy(like)  # with what its type has besides the items, such as a default factory
    empty.clear()

    def build(items: dict[Any, Any]) -> Any:
        made = copy.copy(empty)
        made.update(items)
        return made

    return build


def _like_sequence(like: Any) -> Callable[[list[Any]], Any]:
    kind = type(like)
    if kind is list:
        return lambda items: items
    if not isinstance(like, list):
        make: Callable[[list[Any]], Any] = getattr(
            kind, "_make", kind
        )  # a named tuple's fields are arguments
        return make
    empty = copy.copy(like)
    empty.clear()

    def build(items: list[Any]) -> Any:
        made = copy.copy(empty)
        made.extend(items)
        return made

    return build


def _like_array(like: Any) -> Callable[[list[Any]], Any]:
    import numpy

    kind, shape = type(like), like.shape
    pattern = None if kind is numpy.ndarray else numpy.zeros_like(like, dtype=float)

    def build(items: list[Any]) -> Any:
        if items and all(_is_array(item) and item.shape for item in items):  # one array of both shapes
            return numpy.stack([*map(_base, items)]).reshape(*shape, *items[0].shape)
        dtype = float if all(type(item) is float for item in items) else object
        array = numpy.empty(len(items), dtype=dtype)
        for i, item in enumerate(items):
            array[i] = item
        array = array.reshape(shape)
        if pattern is None:
            return array
        made = array.view(kind)
        made.__array_finalize__(pattern)  # what the subclass keeps besides the numbers
        return made

    return build


def _is_array(item: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(item, numpy.ndarray)


def _base(array: Any) -> Any:
    """Return a subclass's array as a plain one: a matrix, say, has no flat rows."""
    import numpy

    return array.view(numpy.ndarray)


def matched(nested: Nested, pattern: Nested) -> list[Any]:
    """Return what a nest contains in the order of another of the same structure.

    The order of a dict's keys does not matter. An array may stand for nested sequences of its shape, and the
    other way round.

    Raises:
        ValueError: the structures differ.

    Example:
        >>> matched({"b": 2.0, "a": 1.0}, {"a": 0.0, "b": 0.0})
        [1.0, 2.0]
    """
    return list(_matched(nested, pattern))


def _matched(nested: Any, pattern: Any) -> Iterator[Any]:
    if isinstance(pattern, Mapping):
        if not isinstance(nested, Mapping) or nested.keys() != pattern.keys():
            raise ValueError("the keys differ")
        for key in pattern:
            yield from _matched(nested[key], pattern[key])
    elif isinstance(nested, Mapping):
        raise ValueError("the structures differ")
    elif _is_array(pattern) or _is_array(nested):
        if shape_of(nested) != shape_of(pattern):
            raise ValueError("the shapes differ")
        yield from flatten(nested)[0]
    elif isinstance(pattern, (list, tuple)):
        if not isinstance(nested, list if isinstance(pattern, list) else tuple) or len(nested) != len(
            pattern
        ):
            raise ValueError("the structures differ")
        for item, part in zip(nested, pattern, strict=True):
            yield from _matched(item, part)
    elif isinstance(nested, (list, tuple)):
        raise ValueError("the structures differ")
    else:
        yield nested


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
