"""Backpropagation written down as LaTeX."""

import re
from collections.abc import Sequence
from typing import Any

from autograd import ops
from autograd.row import Operation
from autograd.stepping.events import Backward, graph_of, record
from autograd.stepping.formula import local_derivative, name_nodes, right_side
from autograd.stepping.printing import ATOM, BINDING, Printer, enclose
from autograd.text import format_number
from autograd.value import Value


def backprop_latex(root: Value) -> str:
    r"""Return the backpropagation through a graph as the lines of a LaTeX ``aligned`` environment.

    First what each gate computes, in symbols and in numbers; then the derivative of the root by each node, a
    sum over the gates that it enters of global times local gradient.

    Args:
        root: the output of the graph.

    Returns:
        The lines, to be put between ``$$`` and ``$$``.

    Raises:
        TypeError: ``root`` is not a Value.
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.

    Example:
        >>> x, y = Value(2, "x"), Value(5, "y")
        >>> print(backprop_latex(x * y))
        \begin{aligned}
        f &= x \cdot y = 2 \cdot 5 = 10 \\
        \frac{\partial f}{\partial f} &= 1 \\
        \frac{\partial f}{\partial y} &= \frac{\partial f}{\partial f} \cdot x = 1 \cdot 2 = 2 \\
        \frac{\partial f}{\partial x} &= \frac{\partial f}{\partial f} \cdot y = 1 \cdot 5 = 5
        \end{aligned}
    """
    order = graph_of(root)
    names = name_nodes(order)
    messages: dict[Value, list[Backward]] = {}
    for event in record(order, names):
        if isinstance(event, Backward):
            messages.setdefault(event.parent, []).append(event)
    symbols = {node: _NAMES.name(name) for node, name in names.items()}

    def derivative(node: Value) -> str:
        return rf"\frac{{\partial {symbols[root]}}}{{\partial {symbols[node]}}}"

    lines = []
    for node in order:
        if node.op:
            right = right_side(node, names)
            lines.append(
                (symbols[node], [_NAMES.write(right), _NUMBERS.write(right), _NAMES.number(node.data)])
            )
    lines.append((derivative(root), ["1"]))
    for node in reversed(order):
        received = messages.get(node, ())
        if not received:
            continue
        terms, numbers = [], []
        for event in received:
            local = local_derivative(event.node, event.index, names)
            local = event.local if local is None else local
            terms.append(rf"{derivative(event.node)} \cdot {_factor(local)}")
            numbers.append(rf"{_factor(event.upstream)} \cdot {_factor(event.local)}")
        lines.append(
            (derivative(node), [" + ".join(terms), " + ".join(numbers), _NAMES.number(received[-1].after)])
        )
    rows = []
    for left, stages in lines:
        distinct = [stage for k, stage in enumerate(stages) if k == 0 or stage != stages[k - 1]]
        rows.append(f"{left} &= {' = '.join(distinct)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


_RELATIONS = {">=": r"\ge", "<=": r"\le", "*": r"\cdot"}
_ESCAPES = {ord(c): rf"\{c}" for c in "{}$&#_%"} | {
    ord("\\"): r"\backslash ",
    ord("^"): r"\wedge ",
    ord("~"): r"\sim ",
    ord(" "): r"\ ",
}


class Latex(Printer):
    """Formulas as LaTeX writes them."""

    def number(self, x: float) -> str:
        """Return a number; ``1e-07`` as a power of ten."""
        text = format_number(x).replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
        mantissa, e, exponent = text.partition("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}" if e else text

    def name(self, name: str) -> str:
        """Return ``w_{0}`` for ``w0``, a single letter as it is, and a word upright."""
        if match := re.fullmatch(r"([A-Za-z])_?(\d*)", name):
            return f"{match[1]}_{{{match[2]}}}" if match[2] else match[1]
        if re.fullmatch(r"-?[\d.]+(e[+-]\d+)?", name):  # a constant is called by its number
            return self.number(float(name))
        return rf"\mathrm{{{name.translate(_ESCAPES)}}}"

    def infix(self, symbol: str) -> str:
        """Return the operator between two gaps."""
        return f" {_RELATIONS.get(symbol, symbol)} "

    def call(self, row: Operation, arguments: Sequence[str]) -> str:
        """Return a call with the function's name upright."""
        return rf"\operatorname{{{row.name.translate(_ESCAPES)}}}({', '.join(arguments)})"

    def special(self, row: Operation, parts: Sequence[tuple[str, int]]) -> tuple[str, int] | None:
        """Return fractions, powers and roots."""
        texts = [text for text, _ in parts]
        if row is ops.div:
            return rf"\frac{{{texts[0]}}}{{{texts[1]}}}", ATOM
        if row is ops.pow:
            base = enclose(texts[0], parts[0][1] < ATOM or "frac" in texts[0])
            return f"{base}^{{{texts[1]}}}", BINDING["**"]
        if row is ops.sqrt:
            return rf"\sqrt{{{texts[0]}}}", ATOM
        return None


_NAMES, _NUMBERS = Latex(), Latex(numbers=True)


def _factor(formula: Any) -> str:
    text, binding = _NAMES.phrase(formula)
    return enclose(text, binding <= BINDING["+"] or text.startswith("-"))
