"""What the nodes of a graph are called, and what its gates compute and pass on, as formulas."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autograd.formula import Formula
from autograd.row import Derivative
from autograd.text import format_number, printable
from autograd.value import Constant, Value
from autograd.variables import named_by_the_user

_SAME = 1e-6
"""How much, relative to it, a textbook's form may differ from the accurate number to be shown for it."""


def name_nodes(order: Sequence[Value], variables: Mapping[Value, str] | None = None) -> dict[Value, str]:
    """Name every node of a graph, each differently: by its label, its variable, or ``v1``, ``v2``.

    A root that has neither is called ``f``, and a constant without a label by its number.

    Args:
        order: the graph in topological order, the root last.
        variables: names for nodes without a label; by default those that the user's program has for them.

    Example:
        >>> from autograd import topological_order
        >>> x = Value(3.0, "x")
        >>> list(name_nodes(topological_order(2 * (x * x))).values())
        ['2', 'x', 'v1', 'f']
    """
    names: dict[Value, str] = {}
    taken = Names()
    for node in order:
        if label := printable(str(node.label)).replace("\n", r"\n"):
            names[node] = taken.unique(label)
        elif isinstance(node, Constant):
            names[node] = format_number(node.data)
    known = named_by_the_user() if variables is None else variables
    for node in order:
        if node not in names and node in known and (name := printable(known[node])) not in taken:
            names[node] = taken.unique(name)
    if order[-1] not in names and "f" not in taken:
        names[order[-1]] = taken.unique("f")
    count = 0
    for node in order:
        while node not in names:
            count += 1
            if f"v{count}" not in taken:
                names[node] = taken.unique(f"v{count}")
    return {node: names[node] for node in order}


class Names:
    """Names that are taken, so that each is given once.

    Args:
        taken: names that are not to be given.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._count: dict[str, int] = {}  # how often each was asked for, so that none is tried twice

    def __contains__(self, name: str) -> bool:
        return name in self._taken

    def unique(self, name: str) -> str:
        """Return ``name``, or with ``_2``, ``_3`` after it if that is taken; take it."""
        choice = name
        while choice in self._taken:
            self._count[name] = self._count.get(name, 1) + 1
            choice = f"{name}_{self._count[name]}"
        self._taken.add(choice)
        return choice


def operands(node: Value, names: dict[Value, str]) -> list[Any]:
    """Return what a gate computes with: a Formula per operand, and constants as the numbers they are."""
    return [
        parent.data
        if isinstance(parent, Constant) and not parent.label
        else Formula(parent.data, names[parent])
        for parent in node.parents
    ]


def right_side(node: Value, names: dict[Value, str]) -> Formula:
    """Return what a gate computes, such as ``q*z``."""
    assert node.op is not None
    return Formula(node.data, "", node.op, operands(node, names))


def local_derivative(node: Value, index: int, names: dict[Value, str], *, textbook: bool = True) -> Any:
    """Return the derivative of a gate's output by one operand, as its row says it.

    Args:
        node: the gate's output.
        index: which operand.
        names: what the nodes are called.
        textbook: take the textbook's form where there is one and it gives the same number. Far out it may
            have lost its digits, and at a kink or a tie it may say something else; there the accurate form
            is taken.

    Returns:
        A Formula or a number; None for a row whose derivative is not generic in the number type.
    """
    assert node.op is not None
    arguments = Formula(node.data, names[node]), *operands(node, names)
    accurate = _applied(node.op.derivatives[index], arguments)
    familiar = _applied(node.op.textbook[index], arguments) if textbook else None
    return accurate if familiar is None or not _agree(familiar, accurate) else familiar


def _applied(rule: Derivative | None, arguments: Sequence[Any]) -> Any:
    try:
        return rule(*arguments) if rule is not None else None
    except Exception:  # an operation of the user's own may compute with floats only, and fail in any way
        return None


def _agree(familiar: Any, accurate: Any) -> bool:
    if accurate is None:
        return True  # the derivative is a function of floats, beside which a form to be read was written
    x, y = (
        formula.data if isinstance(formula, Formula) else float(formula) for formula in (familiar, accurate)
    )
    return x == y or abs(x - y) <= _SAME * abs(y) or (math.isnan(x) and math.isnan(y))
