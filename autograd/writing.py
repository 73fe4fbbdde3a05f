"""Writing to many nodes at one instant, whatever other threads do and whenever an interrupt comes."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from autograd import scopes
from autograd.locks import fork_safe_lock
from autograd.node import clock
from autograd.row import as_float

writing = fork_safe_lock()
"""Held by whoever writes data or leaves' gradients."""


def commit(adjoints: Mapping[Any, float]) -> None:
    """Write the adjoints of a sweep to the nodes' ``grad``: added at leaves, replaced at interior nodes.

    Threads that sweep graphs with common leaves take turns; an interrupt leaves every leaf as it was.
    """
    with writing:
        _commit(adjoints)


def _commit(adjoints: Mapping[Any, float]) -> None:
    """Do so under the lock, apart from it: an interrupt in a comprehension leaves it shut in Python 3.13."""
    leaves = [node for node in adjoints if node.op is None]
    # Apart, as pairs would be objects for the collector to trace. Users assign what they like.
    grads = [g if type(g := leaf.grad) is float else as_float(g, "Value.grad") for leaf in leaves]
    for watch in scopes.observers():
        for leaf, grad in zip(leaves, grads, strict=True):
            watch(leaf, None, None, adjoints[leaf], grad)
    totals = [grad + adjoints[leaf] for leaf, grad in zip(leaves, grads, strict=True)]
    _at_once(_set("grad", adjoints, adjoints.values()), _set("grad", leaves, totals))


def assign(
    nodes: Sequence[Any],
    numbers: Iterable[float],
    grads: Iterable[float] = (),
    also: Iterable[Any] = (),
) -> None:
    """Set the data of many nodes at one instant: who interrupts finds all of them assigned, or none.

    Args:
        nodes: the nodes.
        numbers: the data of each.
        grads: the ``grad`` of each, if that is to be set too.
        also: what else is to be done at that instant: a map of a function that is written in C.

    Raises:
        TypeError: something is no real number.
        ValueError: there are not as many numbers as nodes.

    Example:
        >>> from autograd import Value
        >>> x, y = Value(0.0), Value(0.0)
        >>> assign([x, y], [1.0, 2.0])
        >>> x.data, y.data
        (1.0, 2.0)
    """
    floats = [as_float(number, "Value.data") for number in numbers]
    if len(floats) != len(nodes):
        raise ValueError(f"{len(nodes)} nodes need as many numbers, got {len(floats)}")
    with writing:
        times = repeat(clock.tick())
        _at_once(_set("_time", nodes, times), _set("_data", nodes, floats), _set("grad", nodes, grads), also)


def _set(name: str, nodes: Iterable[Any], contents: Iterable[Any]) -> Iterable[None]:
    return map(setattr, nodes, repeat(name), contents)


def _at_once(*maps: Iterable[Any]) -> None:
    """Exhaust maps of functions written in C: Python sees to interrupts between its own instructions only."""
    deque(chain(*maps), maxlen=0)
