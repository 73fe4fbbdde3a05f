"""Backpropagation written down as Python: the staged derivation of one graph, which runs."""

import builtins
import keyword
import math
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from autograd import ops
from autograd.choosing import Take, take
from autograd.contributions import taken_apart
from autograd.formula import Formula
from autograd.notation.printing import BINDING, Printer, enclose, is_operator
from autograd.row import Operation
from autograd.stepping.events import Backward, Forward, graph_of, record
from autograd.stepping.formula import Names, local_derivative, name_nodes, right_side
from autograd.value import Constant, Value


def backprop_source(root: Value, *, rules: str = "exact") -> str:
    """Return the backpropagation through a graph as Python: a line per gate, then a line per edge, backward.

    It runs, and gives exactly the numbers and gradients of the engine: the gradient of ``q`` is the variable
    ``dq``. Labels that are no names of Python's are changed into such.

    Args:
        root: the output of the graph.
        rules: ``"exact"`` for the engine's local derivatives, to the last digit; ``"textbook"`` for those
            that a lecture writes, such as ``1.0 - f ** 2.0`` through ``f = tanh(x)``, which may round
            otherwise. Where a textbook's form has lost its digits, and at a kink, the exact one is written.

    Returns:
        The source. It imports the functions it needs and nothing else.

    Raises:
        TypeError: ``root`` is not a Value.
        ValueError: other ``rules``; an operation of one's own that cannot be imported, or whose derivative is
            not generic.
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.

    Example:
        >>> x, y, z = Value(-2, "x"), Value(5, "y"), Value(-4, "z")
        >>> q = x + y
        >>> q.label = "q"
        >>> print(backprop_source(q * z))
        # Forward pass
        x = -2.0
        y = 5.0
        q = x + y
        z = -4.0
        f = q * z
        <BLANKLINE>
        # Backward pass
        df = 1.0
        # through f = q * z
        dq = z * df
        dz = q * df
        # through q = x + y
        dx = dq
        dy = dq
    """
    if rules not in ("exact", "textbook"):
        raise ValueError(f"rules must be 'exact' or 'textbook', not {rules!r}")
    order = graph_of(root)
    events = record(order, name_nodes(order))
    source = _Source(order, textbook=rules == "textbook")
    names, gradients = source.names, source.gradients
    lines = ["# Forward pass"]
    rights: dict[Value, str] = {}
    for event in events:
        node = event.node
        if not isinstance(event, Forward) or (isinstance(node, Constant) and not node.label):
            continue
        rights[node] = source.write(right_side(node, names) if node.op else node.data)
        lines.append(f"{names[node]} = {rights[node]}")
    lines += ["", "# Backward pass", f"{gradients[root]} = 1.0"]
    begun, gate = {root}, None
    for event in events:
        if not isinstance(event, Backward):
            continue
        if event.node is not gate:
            gate = event.node
            lines.append(f"# through {names[gate]} = {rights[gate]}")
        sign = "+=" if event.parent in begun else "="
        begun.add(event.parent)
        lines.append(f"{gradients[event.parent]} {sign} {source.product(event)}")
    return "\n".join([*source.imports(), *lines])


class _Source(Printer):
    """Names and formulas as Python writes them."""

    def __init__(self, order: list[Value], *, textbook: bool) -> None:
        super().__init__()
        self.textbook = textbook
        taken = {*keyword.kwlist, *dir(builtins), *ops.TABLE}
        names = Names(taken | {node.op.name for node in order if node.op})
        self.names = {node: names.unique(_identifier(name)) for node, name in name_nodes(order).items()}
        self.gradients = {node: names.unique(f"d{name}") for node, name in self.names.items()}
        self.functions: dict[str, Callable[..., Any]] = {}

    def number(self, x: float) -> str:
        """Return the exact number."""
        return repr(x) if math.isfinite(x) else f'float("{x}")'

    def is_infix(self, formula: Formula) -> bool:
        """Tell whether Python's operator gives what the row gives here; for ``1/0`` it would raise."""
        row = formula.operation
        if row is None or row.operator is None or not is_operator(row):
            return False
        numbers = [a.data if isinstance(a, Formula) else float(a) for a in formula.arguments]
        try:
            result = getattr(float, f"__{row.operator}__")(*numbers)
        except ArithmeticError:
            return False
        return isinstance(result, float) and (
            result == formula.data or (math.isnan(result) and math.isnan(formula.data))
        )

    def infix(self, symbol: str) -> str:
        """Return the operator between two gaps."""
        return f" {symbol} "

    def constant(self, x: float) -> str:  # noqa: ARG002 - a dialect's
        """Return "": all numbers are written out."""
        return ""

    def special(self, formula: Formula, parts: Sequence[tuple[str, int]]) -> None:
        """Return None: what has no operator is a call."""

    def call(self, row: Operation, arguments: Sequence[str]) -> str:
        """Return a call, and remember to import the function."""
        if isinstance(row, Take):  # a row for each number of items, and one function for all
            self.functions["take"] = take
            index, *items = arguments
            return f"take([{', '.join(items)}], {index})"
        self.functions[row.name] = row
        return super().call(row, arguments)

    def product(self, event: Backward) -> str:
        """Return upstream times local; a factor of 1 or -1 changes no digit and is not written.

        Where a zero meets an infinity or nan, the product is `ops.strong_mul`, and a local derivative that
        over- or underflows is taken apart, as in the engine.
        """
        upstream = self.gradients[event.node]
        local = local_derivative(event.node, event.index, self.names, textbook=self.textbook)
        if local is None:
            raise ValueError(
                f"the derivative of {event.operation!r} is not generic in the number type, so it cannot be "
                "written as source; build it of operators and of operations from autograd.ops"
            )
        if not isinstance(local, Formula) and abs(local) == 1.0:
            return upstream if local == 1.0 else f"-{upstream}"
        text, binding = self.phrase(local)
        product = event.upstream * event.local
        if product != event.contribution and not math.isnan(event.contribution):
            apart = self._apart(event)
            if apart is not None and apart.data == event.contribution:
                return self.phrase(apart)[0]
        if math.isnan(product) and event.contribution == 0.0:  # a strong zero
            zero_first = [upstream, text] if event.upstream == 0.0 else [text, upstream]
            return self.call(ops.strong_mul, zero_first)
        return f"{enclose(text, binding < BINDING['*'])} * {upstream}"

    def _apart(self, event: Backward) -> Formula | None:
        """Return a product whose local derivative alone is infinite; constants are names, not folded."""
        node = event.node
        assert node.op is not None  # it sends to an operand
        given = [
            Formula(x.data, self.number(x.data) if isinstance(x, Constant) and not x.label else self.names[x])
            for x in (node, *node.parents)
        ]
        upstream = Formula(event.upstream, self.gradients[node])
        apart: Formula | None = taken_apart(upstream, node.op.derivatives[event.index](*given))
        return apart

    def imports(self) -> list[str]:
        """Return the import lines, and an empty line if there are any."""
        modules: dict[str, list[str]] = {}
        for name, function in sorted(self.functions.items()):
            module = ops.__name__ if ops.TABLE.get(name) is function else function.__module__
            if getattr(sys.modules.get(module), name, None) is not function:
                raise ValueError(
                    f"the operation {name!r} cannot be imported from {module!r}, so no source can "
                    "use it; assign it to its own name at the top of a module"
                )
            modules.setdefault(module, []).append(name)
        lines = [f"from {module} import {', '.join(names)}" for module, names in modules.items()]
        return [*lines, ""] if lines else []


def _identifier(name: str) -> str:
    """Return the name with whatever Python's names cannot have replaced by ``_``.

    It is in the normal form in which Python reads names: two that are one in it would be one variable.
    """
    normal = unicodedata.normalize("NFKC", name)
    text = "".join(character if f"v{character}".isidentifier() else "_" for character in normal)
    return text if text.isidentifier() else f"v_{text}"
