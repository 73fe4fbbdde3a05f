"""Copies of graphs, made without recursion: what ``copy.deepcopy`` and ``pickle`` do with a node.

Nodes are built here from their contents, as `autograd.value`, whose class they are of, is made of this.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from autograd.node import clock
from autograd.questions import noted, noticed
from autograd.row import Operation


def copy_graph(order: Sequence[Any], memo: dict[int, Any]) -> None:
    """Copy the nodes of a graph, given in topological order, that ``memo`` has no copy of yet."""
    for node in order:
        if id(node) not in memo:
            parents = [memo[id(parent)] for parent in node.parents]
            contents = deepcopy(_attributes(node), memo)
            memo[id(node)] = restore(type(node), node.op, parents, *_state(node), contents, node._time)


def retyped(node: Any, like: Any) -> Any:
    """Return a node as one of the type of another, with the attributes that a user's type adds."""
    return restore(type(like), node.op, node.parents, *_state(node), _attributes(like), node._time)


def reduce_graph(order: Sequence[Any]) -> tuple[Any, ...]:
    """Return what pickles the last node of ``order``: a function that makes it anew, and its arguments.

    They are flat: the leaves, then a row for each node made from them. Leaves are pickled as objects of their
    own, so two pickled graphs share them as before. The copy of a stale graph is stale.
    """
    if len(order) == 1:
        (leaf,) = order
        data, grad, notes = _state(leaf)
        notes.pop("answers", None)  # of graphs that are not pickled with it
        return restore, (type(leaf), None, (), data, grad, notes, _attributes(leaf), None)
    leaves = [node for node in order if node.op is None]
    nodes = [node for node in order if node.op is not None]
    index = {node: i for i, node in enumerate(leaves + nodes)}
    rows = []
    for node in nodes:
        stale = any(parent._time > node._time for parent in node.parents)
        parents = tuple(index[parent] for parent in node.parents)
        time = -1 if stale else None
        rows.append((type(node), node.op, parents, *_state(node), _attributes(node), time))
    recorded = min(node._time for node in nodes)
    answers = (answer for leaf in leaves for answer in noted(leaf, "answers", ()))
    asked = [answer for answer in answers if answer.time >= recorded]  # the copy has another clock
    if asked:
        *_, notes, _, _ = rows[-1]
        notes["answers"] = (*noted(nodes[-1], "answers", ()), *asked)
    return regrow, (leaves, rows)


def restore(
    kind: Any,
    op: Operation | None,
    parents: Sequence[Any],
    data: float,
    grad: float,
    notes: dict[str, Any],
    attributes: dict[str, Any],
    time: int | None,
) -> Any:
    """Return a node with these contents, made now if ``time`` is None."""
    node = kind.__new__(kind)
    node._data, node.grad = data, grad
    node._computed_from(op, parents)
    if notes:
        node._notes = dict(notes)
        noticed.update(notes)
    if attributes:
        vars(node).update(attributes)
    node._mark = 0
    node._time = (0 if kind.is_constant else clock.now) if time is None else time
    return node


def regrow(leaves: list[Any], rows: list[tuple[Any, ...]]) -> Any:
    """Return the last node of a pickled graph."""
    nodes = list(leaves)
    for kind, op, parents, *state in rows:
        nodes.append(restore(kind, op, [nodes[parent] for parent in parents], *state))
    return nodes[-1]


def _state(node: Any) -> tuple[float, float, dict[str, Any]]:
    return node._data, node.grad, dict(getattr(node, "_notes", None) or ())


def _attributes(node: Any) -> dict[str, Any]:
    """Return what a node of a user's own type carries besides."""
    attributes: dict[str, Any] = getattr(node, "__dict__", {})
    return attributes
