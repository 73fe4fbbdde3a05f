"""A walk told with places instead of numbers, so that it need not be told again when numbers change.

A place is written as a key between two marks: ``v3`` is the value of node 3; ``u7``, ``l7``, ``c7``, ``b7``
and ``s7`` are the upstream gradient, the local derivative and the contribution of edge 7 of the backward
pass, and the receiver's running sum before and after it; ``wc2:9:5`` is the derivative of node 9, which the
group ``c2`` computes, by node 5; ``c7+c9`` is a sum. What a textbook's rule says of an edge is between marks
of its own, as it is left out where its digits are lost. The player puts the numbers in, see numbers.js.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from autograd.copying import restore
from autograd.questions import noted
from autograd.stepping.events import Backward, Event, Forward, record
from autograd.stepping.moves import Move, Teller
from autograd.stepping.views import Block, View
from autograd.sweeping import sweep
from autograd.text import Written
from autograd.value import Constant, Value

OPEN, CLOSE = "\ue000", "\ue001"
RULE, END = "\ue002", "\ue003"


class Place(Written):
    """A number that is written as the place where such a number will stand.

    Example:
        >>> total = 0.0 + Place(2.0, "c7") + Place(3.0, "c9")
        >>> float(total), total.key
        (5.0, 'c7+c9')
    """

    __slots__ = ("key",)

    key: str

    def __new__(cls, number: float, key: str) -> "Place":
        """Make the place of a number."""
        made = super().__new__(cls, number, f"{OPEN}{key}{CLOSE}")
        made.key = key
        return made

    def __add__(self, other: float) -> Any:
        if isinstance(other, Place):
            return Place(float(self) + float(other), f"{self.key}+{other.key}")
        return float(self) + other

    def __radd__(self, other: float) -> Any:
        return self if other == 0.0 else other + float(self)


def with_places(events: Sequence[Event]) -> tuple[Event, ...]:
    """Return the same events, of the same nodes, with places instead of numbers."""
    order = [event.node for event in events if isinstance(event, Forward)]
    names = {event.node: event.name for event in events}
    copies: dict[Value, Value] = {}
    for k, node in enumerate(order):
        data = node.data if isinstance(node, Constant) and not node.label else Place(node.data, f"v{k}")
        parents = [copies[parent] for parent in node.parents]
        copies[node] = restore(type(node), node.op, parents, data, 0.0, _notes(node), {}, node._time)
    nodes = {copy: node for node, copy in copies.items()}
    told = record(list(copies.values()), {copies[node]: name for node, name in names.items()})
    result: list[Event] = []
    edge = 0
    for event in told:
        node = nodes[event.node]
        if isinstance(event, Backward):
            local = Place(event.local, f"l{edge}")
            what, _, rule = event.local_formula.rpartition(" = ")[0].partition(" = ")
            rule = f" = {rule}" * bool(rule)
            if event.node.op and event.node.op.textbook[event.index] is not None:
                rule = f"{RULE}{edge}:{rule}{END}" * bool(rule)
            result.append(
                replace(
                    event,
                    node=node,
                    parent=nodes[event.parent],
                    upstream=Place(event.upstream, f"u{edge}"),
                    local=local,
                    local_formula=f"{what}{rule} = {local.text}",
                    contribution=Place(event.contribution, f"c{edge}"),
                    before=Place(event.before, f"b{edge}"),
                    after=Place(event.after, f"s{edge}"),
                )
            )
            edge += 1
        else:
            result.append(replace(event, node=node))
    return tuple(result)


def moves_with_places(view: View, events: Sequence[Event]) -> tuple[Move, ...]:
    """Return the moves of a pass in a view, told with places.

    Args:
        view: which groups are closed.
        events: what `with_places` returned.
    """
    return tuple(_Teller(view, events).moves())


class _Teller(Teller):
    def through(self, block: Block) -> dict[Value, float]:
        place = self.view.outline.place
        found = super().through(block)
        key = f"w{block.name}:{place[block.outputs[0]]}"
        return {node: Place(local, f"{key}:{place[node]}") for node, local in found.items()}


def numbers_of(events: Sequence[Event]) -> dict[str, list[Any]]:
    """Return the numbers of a walk: the values of all nodes, and the local derivatives of all edges.

    The player computes the others from them, by the same products and sums as the engine. Where what an edge
    passes on is not the product, it stands beside the local derivative.
    """
    return {
        "values": [plain(event.data) for event in events if isinstance(event, Forward)],
        "locals": [
            _local(event.upstream, event.local, event.contribution)
            for event in events
            if isinstance(event, Backward)
        ],
    }


def numbers_in(order: Sequence[Value]) -> dict[str, list[Any]]:
    """Return the same numbers of a graph whose walk is not told: for one in the form of another that was."""
    locals_: list[Any] = []
    adjoints = {order[-1]: 1.0}

    def observe(node: Value, _: int | None, local: float, contribution: float, __: float | None) -> None:
        locals_.append(_local(adjoints[node], float(local), float(contribution)))

    sweep(order, adjoints, observe=observe)
    return {"values": [plain(node.data) for node in order], "locals": locals_}


def edges_of(events: Sequence[Event]) -> list[list[int]]:
    """Return the edges of the backward pass: the places of who sends and who receives, and which operand.

    An operand among those that a row selects from has a strong zero: it is marked by a 1 at the end.
    """
    place = {event.node: k for k, event in enumerate(events) if isinstance(event, Forward)}
    edges = []
    for event in events:
        if isinstance(event, Backward):
            assert event.node.op is not None  # it sends to an operand
            strong = [1] if event.index in event.node.op.selects else []
            edges.append([place[event.node], place[event.parent], event.index, *strong])
    return edges


def _local(upstream: float, local: float, contribution: float) -> Any:
    if isfinite(contribution) and not isfinite(upstream * local):
        return [plain(local), contribution]
    return plain(local)


def plain(x: float) -> Any:
    """Return a number as JSON can hold it: what is not finite as its name."""
    return x if x - x == 0.0 else str(x)


def _notes(node: Value) -> dict[str, Any]:
    return {"label": node.label} if noted(node, "label") else {}
