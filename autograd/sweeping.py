"""The reverse sweep: adjoint times local derivative, added up from the outputs to the leaves.

`sweep` is the plain loop, which can be read aloud; all that is recorded, observed or told goes through it.
`sweep_in_place` of `autograd.node` is the same for floats, fast, and is tested against it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from math import isfinite
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from autograd import leaks, scopes
from autograd.contributions import contribution, recorded
from autograd.node import check_fresh, keep_adjoints, order_in_place, sweep_in_place
from autograd.writing import commit

if TYPE_CHECKING:
    from autograd.value import Value

_adjoint = attrgetter("_adjoint")
_sweeping = threading.Lock()  # in a forked process it may stay shut, and sweeps take the other way


def topological_order(*roots: Value, until: Collection[Value] = ()) -> list[Value]:
    """Return every node that ``roots`` depend on, once, parents before children.

    The order is a depth-first post-order, so it depends on the graph alone.

    Args:
        *roots: the outputs.
        until: nodes at which to stop: neither they nor what only they depend on is returned.

    Example:
        >>> from autograd import Value
        >>> x = Value(2.0, "x")
        >>> [node.data for node in topological_order(x * x + x)]
        [2.0, 4.0, 6.0]
    """
    order: list[Value] = []
    seen: set[Value] = set(until)
    stack: list[Any] = list(reversed(roots))
    push, pop, visit, see = stack.append, stack.pop, order.append, seen.add
    while stack:
        node = pop()
        if node is None:  # the marker above a node whose parents are all visited
            visit(pop())
        elif node not in seen:
            see(node)
            op = node.op
            if op is None:
                visit(node)
                continue
            push(node)
            push(None)
            arity = op.arity
            if arity == 2:
                if (parent := node._y) not in seen:
                    push(parent)
                if (parent := node._x) not in seen:
                    push(parent)
            elif arity == 1:
                push(node._x)
            else:
                stack.extend(reversed(node._x))
    return order


def sweep(
    order: Sequence[Value],
    adjoints: dict[Value, Any],
    *,
    record: bool = False,
    observe: scopes.Observer | None = None,
) -> dict[Value, Any]:
    """Sweep a graph once from its outputs: adjoint times local derivative is added to each parent's adjoint.

    Args:
        order: the graph in topological order.
        adjoints: the outputs' adjoints; those of all nodes are added to it.
        record: compute with Values instead of floats, so that the adjoints are a graph themselves.
        observe: called with (node, index of the parent, local derivative, contribution, the adjoint to which
            it will be added or None) for every edge.

    Returns:
        ``adjoints``: the derivative of the outputs, weighted by their adjoints, by each node. Constants are
        left out.

    Raises:
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.
    """
    observers = scopes.observers()
    if observe is not None:
        observers = (*observers, observe)
    asked = leaks.latest()
    fixed = _fixed(order) if record or observers else set()
    poles = poles_of(order) if record else None
    for node in reversed(order):
        op = node.op
        if op is None or node in fixed or node not in adjoints:
            continue
        upstream = adjoints[node]
        if record and upstream.__class__ is float and upstream == 0.0:
            continue
        parents = node.parents
        arguments = (
            recorded_arguments(node) if record else (node._data, *[parent._data for parent in parents])
        )
        for index, (parent, derivative) in enumerate(zip(parents, op.derivatives, strict=True)):
            if parent._time > node._time:
                check_fresh(node)
            if parent.is_constant or parent in fixed:
                continue
            local = derivative(*arguments)
            if poles is None:
                sent = contribution(upstream, local, node, index)
            else:
                either = bool(poles) and index in op.selects
                sent = recorded(upstream, local, arguments, strong=node in poles, either=either)
            for watch in observers:
                watch(node, index, local, sent, adjoints.get(parent))
            adjoints[parent] = add_up(adjoints.get(parent, 0.0), sent)
    if record and leaks.latest() > asked:  # a derivative of the user's own has computed with floats
        for pending in leaks.since(asked):
            if pending.depends_on(set(order)):
                leaks.tell(pending)
    return adjoints


def backpropagate(root: Value, seed: float) -> None:
    """Do what ``backward`` does: sweep, fast if possible, and write the adjoints to the nodes' ``grad``."""
    if scopes.observers() or not _swept_in_place(root, seed):
        commit(sweep(topological_order(root), {root: seed}))


def _swept_in_place(root: Value, seed: float) -> bool:
    """Try the fast loop for ``backward``; tell whether it has done."""
    if root.op is None or _sweeping.locked():  # by another thread, or a nested sweep
        return False
    with _sweeping:
        order, leaves = order_in_place([root])
        root._adjoint += seed
        sweep_in_place(order)
        adjoints = dict(zip(leaves, map(_adjoint, leaves), strict=True))
        if _overlooked(adjoints.values()):
            return False
        keep_adjoints(order)
    commit(adjoints)
    return True


def adjoints_in_place(
    roots: Sequence[Value], seeds: Sequence[float], inputs: Sequence[Value]
) -> list[float] | None:
    """Return the adjoints of some nodes by the fast loop, None where the plain sweep has to do it.

    Args:
        roots: the outputs.
        seeds: their adjoints.
        inputs: the nodes, at which the sweep ends.
    """
    if not roots or scopes.observers() or any(seed.__class__ is not float for seed in seeds):
        return None
    if _sweeping.locked():
        return None
    with _sweeping:
        order, _ = order_in_place(roots, until=inputs)
        for root, seed in zip(roots, seeds, strict=True):
            root._adjoint += seed
        sweep_in_place(order)
        adjoints = list(map(_adjoint, inputs))
    return None if _overlooked(adjoints) else adjoints


def _overlooked(adjoints: Iterable[float]) -> bool:
    """Tell whether the fast loop may have met an infinity of which nothing should be left.

    It is that of a local derivative, and something is infinite or nan then.
    """
    return not all(map(isfinite, adjoints))


def _fixed(order: Sequence[Value]) -> set[Value]:
    """Return the nodes that depend on constants alone: their adjoints are of no use, and may be nan."""
    fixed: set[Value] = set()
    for node in order:
        if node.is_constant or (node.op is not None and fixed.issuperset(node.parents)):
            fixed.add(node)
    return fixed


def recorded_arguments(node: Value) -> tuple[Any, ...]:
    """Return what a local derivative that is recorded is applied to: the node and its parents.

    A constant parent without a derivative, such as an order, is the number it is: that of the derivative, one
    more, is a number again, and no node whose derivative somebody may ask for.
    """
    assert node.op is not None
    arguments: list[Any] = [node, *node.parents]
    for place in node.op.constant_places:
        if node.parents[place].is_constant:
            arguments[1 + place] = node.parents[place]._data
    return tuple(arguments)


def poles_of(order: Iterable[Value]) -> set[Value]:
    """Return the nodes whose numbers or derivatives are infinite or nan, or may be at finite leaves.

    What may be depends on the form of the graph alone, so that a recorded sweep can be replayed on other
    numbers.
    """
    poles: set[Value] = set()
    for node in order:
        if not isfinite(node._data) or (
            node.op is not None
            and (
                not poles.isdisjoint(node.parents)
                or (
                    node.op.has_pole()
                    and node.op.has_pole(*[p._data if p.is_constant else None for p in node.parents])
                )
            )
        ):
            poles.add(node)
    return poles


def add_up(total: Any, contribution: Any) -> Any:
    """Return the sum of two numbers or nodes, without recording that 0 is added."""
    for number, other in ((total, contribution), (contribution, total)):
        if number.__class__ is float and number == 0.0 and other.__class__ is not float:
            return other
    return total + contribution


def bring_up_to_date(order: Iterable[Value]) -> None:
    """Compute anew what was computed from data that has been assigned since, before a graph is looked at.

    After a compiled program ran, for instance, leaves and outputs have new numbers and what lies between has
    not. Adjoints stay those of the latest sweep.

    Args:
        order: the graph in topological order.

    Example:
        >>> from autograd import Value
        >>> x = Value(2.0)
        >>> y = x * x
        >>> x.data = 3.0
        >>> bring_up_to_date(topological_order(y))
        >>> y.data
        9.0
    """
    for node in order:
        if node.op is not None:
            latest = max(parent._time for parent in node.parents)
            if latest > node._time:
                node._data = node.op.value(*(parent._data for parent in node.parents))
                node._time = latest
