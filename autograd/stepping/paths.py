"""A gradient explained: the sum over all paths of the product of local derivatives along each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograd.contributions import contribution
from autograd.stepping.events import Backward, Event, graph_of, record
from autograd.stepping.formula import name_nodes
from autograd.text import format_number
from autograd.value import Constant, Value

_Edges = tuple[Backward, Any] | None  # a linked list, so that paths share their beginnings
_Way = tuple[float, _Edges]


@dataclass(frozen=True)
class Path:
    """A way from the root to a node.

    Attributes:
        edges: the edges, from the root on.
        product: the product of their local derivatives; 1.0 for the root itself.
    """

    edges: tuple[Backward, ...]
    product: float

    def __str__(self) -> str:
        """Return for instance ``f <- q <- x: -4 * 1 = -4``."""
        if not self.edges:
            return "the root itself: 1"
        names = " <- ".join([self.edges[0].name, *(edge.receiver for edge in self.edges)])
        locals_ = [format_number(edge.local) for edge in self.edges]
        factors = " * ".join(f"({x})" if x.startswith("-") and k else x for k, x in enumerate(locals_))
        product = format_number(self.product)
        return f"{names}: {factors}" + f" = {product}" * (factors != product)


@dataclass(frozen=True)
class Explanation:
    """Why a node has its gradient.

    Attributes:
        node: the node.
        name: what it is called.
        root: what the root is called.
        gradient: the derivative of the root by the node, as the engine's sweep gives it.
        paths: the paths from the root, those of the largest products first; not more than were asked for.
        count: how many paths there are.
    """

    node: Value
    name: str
    root: str
    gradient: float
    paths: tuple[Path, ...]
    count: int

    @property
    def total(self) -> float:
        """The sum of the products of the listed paths."""
        return math.fsum(products) if all(map(math.isfinite, products := self._products)) else sum(products)

    @property
    def remainder(self) -> float:
        """What the paths that are not listed contribute together; 0.0 if all are listed."""
        return self.gradient - self.total if self.count > len(self.paths) else 0.0

    @property
    def _products(self) -> list[float]:
        return [path.product for path in self.paths]

    def __str__(self) -> str:
        """Return the paths line by line, and their sum."""
        plural = "s" * (self.count != 1)
        lines = [
            f"d{self.root}/d{self.name} = {format_number(self.gradient)}, over {self.count:,} path{plural}"
        ]
        lines += [f"  {path}" for path in self.paths]
        if left := self.count - len(self.paths):
            lines.append(f"  {left:,} more path{'s' * (left > 1)}, together {format_number(self.remainder)}")
        return "\n".join(lines)


def explain(output: Value, node: Value, limit: int = 10) -> Explanation:
    """List every path from the output of a graph to a node with its product of local derivatives.

    Their sum is the gradient. There may be very many paths: of those, the ``limit`` with the largest products
    are listed, and the rest is given as their number and sum.

    Args:
        output: the output of the graph.
        node: the node to explain.
        limit: how many paths to list at most.

    Returns:
        The explanation; ``print`` shows it line by line.

    Raises:
        TypeError: ``output`` or ``node`` is not a Value.
        ValueError: ``node`` is not in the graph, or is a constant; or ``limit`` is negative.

    Example:
        >>> x = Value(3.0, "x")
        >>> print(explain(x * x + x, x))
        df/dx = 7, over 3 paths
          f <- v1 <- x: 1 * 3 = 3
          f <- v1 <- x: 1 * 3 = 3
          f <- x: 1
    """
    order = graph_of(output)
    if not isinstance(node, Value):
        raise TypeError(f"node must be a Value of the graph, not {type(node).__name__}: {node!r:.60}")
    if node not in set(order) and output in set(graph_of(node)):
        raise ValueError(
            f"the output comes first, and it is {node!r}, which is computed from {output!r}; "
            "write explain(output, node)"
        )
    return Paths(record(order, name_nodes(order))).explain(node, limit)


class Paths:
    """The paths of a graph whose events are at hand.

    Args:
        events: the stream of `steps`.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self.order = [event.node for event in events if not isinstance(event, Backward)][:-1]
        self.names = {event.node: event.name for event in events}
        self.adjoints = {self.order[-1]: 1.0}
        self.edges: dict[Value, list[Backward]] = {}
        self._known: dict[int, tuple[dict[Value, int], dict[Value, list[_Way]]]] = {}
        for event in events:
            if isinstance(event, Backward):
                self.edges.setdefault(event.node, []).append(event)
                self.adjoints[event.parent] = event.after

    def explain(self, node: Value, limit: int) -> Explanation:
        """Explain one node; see the function `explain`."""
        if limit < 0:
            raise ValueError(f"limit must not be negative, got {limit}")
        if node not in self.names:
            known = ", ".join(name for n, name in self.names.items() if not isinstance(n, Constant))
            raise ValueError(
                f"the node {node!r} is not in the graph of {self.names[self.order[-1]]!r}, so no path leads "
                f"to it; choose one of {known:.200}"
            )
        if isinstance(node, Constant):
            raise ValueError(f"{self.names[node]} is a constant, which has no gradient; choose a variable")
        count, best = self._found(limit)
        paths = tuple(_path(edges) for _, edges in best.get(node, ()))
        name, gradient = self.names[node], self.adjoints.get(node, 0.0)
        return Explanation(node, name, self.names[self.order[-1]], gradient, paths, count.get(node, 0))

    def _found(self, limit: int) -> tuple[dict[Value, int], dict[Value, list[_Way]]]:
        """Return for each node the number of paths from the root, and the ``limit`` largest.

        A part of a largest path is a largest path itself, so each node needs to know no more than that many.
        """
        if limit not in self._known:
            root = self.order[-1]
            count = {root: 1}
            best: dict[Value, list[_Way]] = {root: [(1.0, None)]}
            for node in reversed(self.order):
                if node not in count:
                    continue
                best[node] = sorted(best[node], key=lambda way: -_size(way[0]))[:limit]
                for edge in self.edges.get(node, ()):
                    count[edge.parent] = count.get(edge.parent, 0) + count[node]
                    ways = ((_extended(size, edge), (edge, way)) for size, way in best[node])
                    best.setdefault(edge.parent, []).extend(ways)
            self._known[limit] = count, best
        return self._known[limit]


def _path(edges: _Edges) -> Path:
    listed = []
    while edges is not None:
        edge, edges = edges
        listed.append(edge)
    listed.reverse()
    product = 1.0
    for edge in listed:
        product = _extended(product, edge)
    return Path(tuple(listed), product)


def _extended(product: float, edge: Backward) -> float:
    extended: float = contribution(product, edge.local, edge.node, edge.index)
    return extended


def _size(x: float) -> float:
    """Return the magnitude; nan comes first, as what a reader looks for."""
    return math.inf if math.isnan(x) else abs(x)
