"""The scalar engines that are timed beside this one, as their users write programs for them.

`Plain` is the kind of class that microgpt has made popular: local derivatives are numbers, computed when a
node is recorded, in a tuple beside the tuple of operands; there are no closures; the sweep recurses.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd
from autograd import Value
from nn import MLP

PEERS = ("chainrule", "microgpt's kind", "micrograd", "torch")


class Plain:
    """A scalar with its operands and the derivatives by them."""

    __slots__ = ("data", "grad", "parents", "slopes")

    def __init__(self, data: float, parents: tuple[Any, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data, self.grad = data, 0.0
        self.parents, self.slopes = parents, slopes

    def __add__(self, other: Any) -> "Plain":
        other = other if isinstance(other, Plain) else Plain(other)
        return Plain(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Any) -> "Plain":
        other = other if isinstance(other, Plain) else Plain(other)
        return Plain(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power: float) -> "Plain":
        return Plain(self.data**power, (self,), (power * self.data ** (power - 1.0),))

    def __neg__(self) -> "Plain":
        return self * -1.0

    def __sub__(self, other: Any) -> "Plain":
        return self + -other

    def __truediv__(self, other: Any) -> "Plain":
        return self * other**-1.0

    def __radd__(self, other: float) -> "Plain":
        return self + other

    def __rmul__(self, other: float) -> "Plain":
        return self * other

    def __rsub__(self, other: float) -> "Plain":
        return -self + other

    def exp(self) -> "Plain":
        """Return e to the power of it."""
        power = math.exp(self.data)
        return Plain(power, (self,), (power,))

    def log(self) -> "Plain":
        """Return its logarithm."""
        return Plain(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self) -> "Plain":
        """Return it or 0, whichever is larger."""
        return Plain(max(0.0, self.data), (self,), (float(self.data > 0.0),))

    def backward(self) -> None:
        """Add the derivative by each node to its ``grad``."""
        order, seen = [], set()

        def visit(node: "Plain") -> None:
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(10**6)
        try:
            visit(self)
        finally:
            sys.setrecursionlimit(limit)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad


@dataclass(frozen=True)
class Peer:
    """An engine: how it makes a leaf and a network, and what it has of the functions that a GPT needs."""

    leaf: Callable[[float], Any]
    network: Callable[[int, list[int]], Any]
    exp: Callable[[Any], Any] | None = None
    log: Callable[[Any], Any] | None = None
    relu: Callable[[Any], Any] | None = None


def peer(name: str) -> Peer:
    """Return an engine by name.

    Raises:
        ImportError: it is not installed.
    """
    if name == "chainrule":
        return Peer(Value, MLP, autograd.exp, autograd.log, autograd.relu)
    import micrograd.nn

    if name == "micrograd":
        return Peer(micrograd.nn.Value, micrograd.nn.MLP)

    def networks_of(leaf: Callable[[float], Any]) -> Callable[[int, list[int]], Any]:
        def network(nin: int, nouts: list[int]) -> Any:
            own, micrograd.nn.Value = micrograd.nn.Value, leaf  # micrograd's code, with other scalars in it
            try:
                return micrograd.nn.MLP(nin, nouts)
            finally:
                micrograd.nn.Value = own

        return network

    if name == "microgpt's kind":
        return Peer(Plain, networks_of(Plain), Plain.exp, Plain.log, Plain.relu)
    import torch

    def scalar(number: float) -> Any:
        return torch.tensor(float(number), dtype=torch.float64, requires_grad=True)

    return Peer(scalar, networks_of(scalar))


def nodes_of(root: Any) -> list[Any]:
    """Return the nodes of a graph of any of these engines but PyTorch, whose nodes are not Python's."""
    seen, stack = {root: None}, [root]
    while stack:
        node = stack.pop()
        new = node.parents if hasattr(node, "parents") else node._prev
        fresh = [parent for parent in new if parent not in seen]
        seen.update(dict.fromkeys(fresh))
        stack.extend(fresh)
    return list(seen)
