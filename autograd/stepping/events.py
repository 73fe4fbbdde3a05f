"""The event stream of a forward and a backward pass: what happens at each gate, in order, with the numbers.

The backward events are what the engine's own sweep reports, edge by edge. All tellers - the terminal, the
notebook, the browser's player, the animation - tell this one stream.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd import leaks
from autograd.formula import Formula
from autograd.notation.printing import write, write_numbers
from autograd.stepping.formula import local_derivative, name_nodes, right_side
from autograd.stepping.printing import definition
from autograd.sweeping import bring_up_to_date, sweep, topological_order
from autograd.text import format_number
from autograd.value import Constant, Value


@dataclass(frozen=True, kw_only=True)
class Event:
    """One step of a pass.

    Attributes:
        step: its place in the stream, from 0.
        node: the node that is computed (`Forward`), begun with (`Seed`), or that sends (`Backward`).
        name: what the node is called: its label, or ``v1``, ``v2``; the root is ``f``.
        operation: the name of its operation, None for a leaf.
        formula: what its gate computes, such as ``q*z``; "" for a leaf.
        operands: the numbers that enter its gate.
        data: its number.
    """

    step: int
    node: Value
    name: str
    operation: str | None
    formula: str
    operands: tuple[float, ...]
    data: float
    _schedule: "_Schedule" = field(repr=False, compare=False)

    @property
    def waiting(self) -> tuple[Value, ...]:
        """The nodes that still wait: to be computed, or in the backward pass for more contributions."""
        return self._schedule.after(self.step)

    @property
    def sentence(self) -> str:
        """The step in words."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Forward(Event):
    """A node of the forward pass has its number.

    Attributes:
        numbers: the formula with the numbers put into it, such as ``3*(-4)``; "" for a leaf.
        definition: what the operation means, such as ``1 / (1 + exp(-s))``, where its name does not say it.
    """

    numbers: str
    definition: str

    @property
    def sentence(self) -> str:
        """The step in words, such as ``q = x + y = -2 + 5 = 3``."""
        if self.operation is not None:
            numbers = f" = {self.numbers}" * (self.numbers != format_number(self.data))
            return f"{self.name} = {self.formula}{numbers} = {format_number(self.data)}"
        if isinstance(self.node, Constant):
            number = format_number(self.data)
            return f"{self.name} = {number} is constant" if self.node.label else f"{number} is a constant"
        return f"{self.name} = {format_number(self.data)} is given"


@dataclass(frozen=True, kw_only=True)
class Seed(Event):
    """The backward pass begins: the derivative of the root by itself is 1.

    Attributes:
        gradient: 1.0.
    """

    gradient: float

    @property
    def sentence(self) -> str:
        """The step in words."""
        return f"the backward pass begins: d{self.name}/d{self.name} = {format_number(self.gradient)}"


@dataclass(frozen=True, kw_only=True)
class Backward(Event):
    """An edge of the backward pass: a gate sends upstream gradient times local gradient to one operand.

    Attributes:
        index: which operand of ``node`` receives.
        parent: the node that receives.
        receiver: what that node is called.
        upstream: the global gradient: the derivative of the root by ``node``, complete by now.
        local: the derivative of ``node`` by this operand.
        rule: where that comes from, as a textbook writes it: ``d(q*z)/dq = z``; without the right side if the
            row has none that can be read.
        local_formula: the rule with the numbers put into it, such as ``d(q*z)/dq = z = -4``.
        contribution: upstream times local; 0 where an infinity or nan meets a strong zero.
        before: the running sum in the receiving node until now.
        after: the running sum with this contribution.
    """

    index: int
    parent: Value
    receiver: str
    upstream: float
    local: float
    rule: str
    local_formula: str
    contribution: float
    before: float
    after: float

    @property
    def complete(self) -> bool:
        """Whether this is the receiving node's last contribution, so that ``after`` is its gradient."""
        return self._schedule.done[self.parent] <= self.step

    @property
    def sum(self) -> str:
        """The running sum, such as ``q.grad: 0 -> -4``."""
        return f"{self.receiver}.grad: {format_number(self.before)} -> {format_number(self.after)}"

    @property
    def product(self) -> str:
        """Local times upstream, with the numbers: ``-4 * 1 = -4``."""
        local, upstream, contribution = map(format_number, (self.local, self.upstream, self.contribution))
        return f"{local} * {f'({upstream})' if upstream.startswith('-') else upstream} = {contribution}"

    @property
    def sentence(self) -> str:
        """The step in words: the local derivative, the product, the running sum."""
        return f"{self.local_formula}; local * upstream = {self.product}; {self.sum}"


class _Schedule:
    """When each node of a pass stops waiting; shared by all events of the pass."""

    def __init__(self) -> None:
        self.done: dict[Value, int] = {}
        self._steps: list[int] = []
        self._nodes: tuple[Value, ...] = ()

    def close(self, order: Sequence[Value]) -> None:
        place = {node: k for k, node in enumerate(order)}
        waiting = sorted(self.done, key=lambda node: (self.done[node], place[node]))
        self._nodes = tuple(waiting)
        self._steps = [self.done[node] for node in waiting]

    def after(self, step: int) -> tuple[Value, ...]:
        return self._nodes[bisect_right(self._steps, step) :]


def steps(root: Value) -> tuple[Event, ...]:
    """Return what happens in a forward and a backward pass, step by step.

    First a `Forward` per node in topological order, then the `Seed`, then a `Backward` per edge in the order
    of the engine's sweep; constants receive nothing. Adding up the contributions gives exactly the gradients
    that ``backward()`` gives to a graph whose gradients are zero. No ``grad`` is read or written.

    Args:
        root: the output of the graph.

    Returns:
        The events. They are immutable and keep the numbers of now.

    Raises:
        TypeError: ``root`` is not a Value.
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.

    Example:
        >>> x, y, z = Value(-2, "x"), Value(5, "y"), Value(-4, "z")
        >>> q = x + y
        >>> q.label = "q"
        >>> for event in steps(q * z):
        ...     print(event.sentence)
        x = -2 is given
        y = 5 is given
        q = x + y = -2 + 5 = 3
        z = -4 is given
        f = q*z = 3*(-4) = -12
        the backward pass begins: df/df = 1
        d(q*z)/dq = z = -4; local * upstream = -4 * 1 = -4; q.grad: 0 -> -4
        d(q*z)/dz = q = 3; local * upstream = 3 * 1 = 3; z.grad: 0 -> 3
        d(x + y)/dx = 1; local * upstream = 1 * (-4) = -4; x.grad: 0 -> -4
        d(x + y)/dy = 1; local * upstream = 1 * (-4) = -4; y.grad: 0 -> -4
    """
    order = graph_of(root)
    return record(order, name_nodes(order))


def graph_of(root: Value) -> list[Value]:
    """Return the nodes of a graph in topological order, with the numbers that follow from its leaves.

    Raises:
        TypeError: ``root`` is not a Value.
    """
    if not isinstance(root, Value):
        raise TypeError(
            f"root must be a Value, the output of a graph, not {type(root).__name__}: {root!r:.60}"
        )
    order = topological_order(root)
    leaks.check(root, lambda: order)
    bring_up_to_date(order)
    return order


def record(order: Sequence[Value], names: dict[Value, str]) -> tuple[Event, ...]:
    """Return the events of a graph whose nodes are ordered and named already."""
    forward, backward = _Schedule(), _Schedule()
    events: list[Event] = []

    def facts(node: Value, schedule: _Schedule) -> dict[str, Any]:
        return {
            "step": len(events),
            "node": node,
            "name": names[node],
            "operation": node.op.name if node.op else None,
            "formula": formulas[node],
            "operands": tuple(parent.data for parent in node.parents),
            "data": node.data,
            "_schedule": schedule,
        }

    formulas: dict[Value, str] = {}
    for node in order:
        forward.done[node] = len(events)
        right = right_side(node, names) if node.op else None
        formulas[node] = write(right) if right is not None else ""
        numbers = write_numbers(right) if right is not None else ""
        meaning = definition(node, names) if node.op else ""
        events.append(Forward(**facts(node, forward), numbers=numbers, definition=meaning))

    root = order[-1]
    adjoints = {root: 1.0}
    backward.done[root] = len(events)
    events.append(Seed(**facts(root, backward), gradient=1.0))

    def observe(
        node: Value, index: int | None, local: float, contribution: float, before: float | None
    ) -> None:
        assert index is not None  # an edge
        parent = node.parents[index]
        backward.done[parent] = len(events)
        rule, formula = _local_formulas(node, index, names, formulas[node], float(local))
        event = Backward(
            **facts(node, backward),
            index=index,
            parent=parent,
            receiver=names[parent],
            upstream=adjoints[node],
            local=float(local),
            rule=rule,
            local_formula=formula,
            contribution=float(contribution),
            before=0.0 if before is None else before,
            after=float(contribution if before is None else before + contribution),
        )
        events.append(event)

    sweep(order, adjoints, observe=observe)
    forward.close(order)
    backward.close(order)
    return tuple(events)


def _local_formulas(
    node: Value, index: int, names: dict[Value, str], formula: str, local: float
) -> tuple[str, str]:
    """Return for instance ``d(q*z)/dq = z`` and ``d(q*z)/dq = z = -4``: in symbols, then in numbers."""
    derivative = local_derivative(node, index, names)
    parent = node.parents[index]
    left = f"d({formula})/d{names[parent]}"
    if node.parents.count(parent) > 1:  # x*x has two derivatives by x, one for each place
        left += f" at operand {index + 1}"
    known = [write(derivative)] if derivative is not None else []
    stages = [left, *known]
    if isinstance(derivative, Formula) and derivative.operation is not None:
        stages.append(write_numbers(derivative))
    stages.append(format_number(local))
    told = " = ".join(stage for k, stage in enumerate(stages) if k == 0 or stage != stages[k - 1])
    return " = ".join([left, *known]), told
