"""Backpropagation written down: the staged derivation of one graph, as Python or as LaTeX."""

import builtins
import keyword
import math
import re
import sys
from collections.abc import Callable
from typing import Any

from autograd import ops
from autograd.operation import Operation
from autograd.stepping.events import Backward, Forward, graph_of, record
from autograd.stepping.formula import (
    ATOM,
    BINDING,
    UNARY,
    Formula,
    enclose,
    is_infix,
    local_derivative,
    name_nodes,
    right_side,
    unique,
)
from autograd.text import format_number
from autograd.value import Constant, Value


def backprop_source(root: Value) -> str:
    """Return the backpropagation through a graph as Python: a line per gate, then a line per edge, backward.

    It runs, and gives exactly the numbers and gradients of the engine: the gradient of ``q`` is the variable
    ``dq``. Labels that are no names of Python's are changed into such.

    Args:
        root: the output of the graph.

    Returns:
        The source. It imports the functions it needs and nothing else.

    Raises:
        TypeError: ``root`` is not a Value.
        ValueError: an operation of one's own that cannot be imported, or whose derivative is not generic.
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
    order = graph_of(root)
    events = record(order, name_nodes(order))
    source = _Source(order)
    names, gradients = source.names, source.gradients
    lines = ["# Forward pass"]
    rights: dict[Value, str] = {}
    for event in events:
        node = event.node
        if not isinstance(event, Forward) or (isinstance(node, Constant) and not node.label):
            continue
        right = right_side(node, names) if node.op else Formula(node.data)
        rights[node] = source.write(right)[0] if node.op else _number(node.data)
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


class _Source:
    """Names and formulas as Python writes them."""

    def __init__(self, order: list[Value]) -> None:
        taken = {*keyword.kwlist, *dir(builtins), *ops.TABLE}
        taken |= {node.op.name for node in order if node.op}
        self.names = {node: unique(_identifier(name), taken) for node, name in name_nodes(order).items()}
        self.gradients = {node: unique(f"d{name}", taken) for node, name in self.names.items()}
        self.functions: dict[str, Operation] = {}

    def write(self, formula: Any) -> tuple[str, int]:
        """Return a formula's source and how tightly its outermost operator binds."""
        if not isinstance(formula, Formula):
            text = _number(float(formula))
            return text, UNARY if text.startswith("-") else ATOM
        row = formula.operation
        if row is None:
            return formula.name, ATOM
        parts = [self.write(argument) for argument in formula.arguments]
        if not _python_agrees(formula):
            self.functions[row.name] = row
            return f"{row.name}({', '.join(text for text, _ in parts)})", ATOM
        if row.arity == 1:
            return f"{row.symbol}{enclose(parts[0][0], parts[0][1] < ATOM)}", UNARY
        binding = BINDING[row.symbol]
        (left, left_binding), (right, right_binding) = parts
        left = enclose(left, left_binding < binding + (row.symbol == "**"))
        right = enclose(right, right_binding <= binding or right_binding == UNARY)
        return f"{left} {row.symbol} {right}", binding

    def product(self, event: Backward) -> str:
        """Return upstream times local; a factor of 1 or -1 changes no digit and is not written."""
        upstream = self.gradients[event.node]
        local = local_derivative(event.node, event.index, self.names)
        if local is None:
            raise ValueError(
                f"the derivative of {event.operation!r} is not generic in the number type, so it cannot be "
                "written as source; build it of operators and of operations from autograd.ops"
            )
        if not isinstance(local, Formula) and abs(local) == 1.0:
            return upstream if local == 1.0 else f"-{upstream}"
        text, binding = self.write(local)
        return f"{enclose(text, binding < BINDING['*'])} * {upstream}"

    def imports(self) -> list[str]:
        """Return the import lines, and an empty line if there are any."""
        modules: dict[str, list[str]] = {}
        for name, row in sorted(self.functions.items()):
            if getattr(sys.modules.get(row.__module__), name, None) is not row:
                raise ValueError(
                    f"the operation {name!r} cannot be imported from {row.__module__!r}, so no source can "
                    "use it; assign it to its own name at the top of a module"
                )
            modules.setdefault(row.__module__, []).append(name)
        lines = [f"from {module} import {', '.join(names)}" for module, names in modules.items()]
        return [*lines, ""] if lines else []


def _python_agrees(formula: Formula) -> bool:
    """Tell whether Python's operator gives what the row gives here; for ``1/0`` it would raise."""
    row = formula.operation
    assert row is not None
    if row.operator is None or not is_infix(row):
        return False
    numbers = [a.data if isinstance(a, Formula) else float(a) for a in formula.arguments]
    try:
        result = getattr(float, f"__{row.operator}__")(*numbers)
    except ArithmeticError:
        return False
    return isinstance(result, float) and (
        result == formula.data or (math.isnan(result) and math.isnan(formula.data))
    )


def _identifier(name: str) -> str:
    """Return the name with whatever Python's names cannot have replaced by ``_``."""
    text = re.sub(r"\W", "_", name)
    return text if text.isidentifier() else f"v_{text}"


def _number(x: float) -> str:
    return repr(x) if math.isfinite(x) else f'float("{x}")'


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
    symbols = {node: _latex_name(name) for node, name in names.items()}

    def derivative(node: Value) -> str:
        return rf"\frac{{\partial {symbols[root]}}}{{\partial {symbols[node]}}}"

    lines = []
    for node in order:
        if node.op:
            right = right_side(node, names)
            lines.append((symbols[node], [_latex(right), _latex_numbers(right), _latex_number(node.data)]))
    lines.append((derivative(root), ["1"]))
    for node in reversed(order):
        received = messages.get(node, ())
        if not received:
            continue
        terms, numbers = [], []
        for event in received:
            local = local_derivative(event.node, event.index, names)
            local = event.local if local is None else local
            terms.append(rf"{derivative(event.node)} \cdot {_factor(local, _latex)}")
            numbers.append(rf"{_factor(event.upstream, _latex)} \cdot {_factor(event.local, _latex)}")
        lines.append(
            (derivative(node), [" + ".join(terms), " + ".join(numbers), _latex_number(received[-1].after)])
        )
    rows = []
    for left, stages in lines:
        distinct = [stage for k, stage in enumerate(stages) if k == 0 or stage != stages[k - 1]]
        rows.append(f"{left} &= {' = '.join(distinct)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


_RELATIONS = {">=": r"\ge", "<=": r"\le", "*": r"\cdot"}
_LATEX_ESCAPES = {ord(c): rf"\{c}" for c in "{}$&#_%"} | {
    ord("\\"): r"\backslash ",
    ord("^"): r"\wedge ",
    ord("~"): r"\sim ",
    ord(" "): r"\ ",
}


def _latex(formula: Any) -> str:
    return _write_latex(formula, lambda symbol: _latex_name(symbol.name))[0]


def _latex_numbers(formula: Any) -> str:
    return _write_latex(formula, lambda symbol: _latex_number(symbol.data))[0]


def _factor(formula: Any, write: Callable[[Any], str]) -> str:
    text, binding = _write_latex(formula, lambda symbol: _latex_name(symbol.name))
    return enclose(write(formula), binding <= BINDING["+"] or text.startswith("-"))


def _write_latex(formula: Any, atom: Callable[[Formula], str]) -> tuple[str, int]:
    if not isinstance(formula, Formula) or formula.operation is None:
        text = atom(formula) if isinstance(formula, Formula) else _latex_number(float(formula))
        return text, UNARY if text.startswith("-") else ATOM
    row = formula.operation
    parts = [_write_latex(argument, atom) for argument in formula.arguments]
    texts = [text for text, _ in parts]
    if row is ops.div:
        return rf"\frac{{{texts[0]}}}{{{texts[1]}}}", ATOM
    if row is ops.pow:
        return f"{enclose(texts[0], parts[0][1] < ATOM or 'frac' in texts[0])}^{{{texts[1]}}}", BINDING["**"]
    if row is ops.sqrt:
        return rf"\sqrt{{{texts[0]}}}", ATOM
    if not is_infix(row):
        name = row.name.translate(_LATEX_ESCAPES)
        return rf"\operatorname{{{name}}}({', '.join(texts)})", ATOM
    if row.arity == 1:
        return f"{row.symbol}{enclose(texts[0], parts[0][1] <= UNARY)}", UNARY
    binding = BINDING[row.symbol]
    left = enclose(texts[0], parts[0][1] < binding)
    right = enclose(texts[1], parts[1][1] <= binding or parts[1][1] == UNARY)
    return f"{left} {_RELATIONS.get(row.symbol, row.symbol)} {right}", binding


def _latex_name(name: str) -> str:
    """Return ``w_{0}`` for ``w0``, a single letter as it is, and a word upright."""
    if match := re.fullmatch(r"([A-Za-z])_?(\d*)", name):
        return f"{match[1]}_{{{match[2]}}}" if match[2] else match[1]
    if re.fullmatch(r"-?[\d.]+(e[+-]\d+)?", name):  # a constant is called by its number
        return _latex_number(float(name))
    return rf"\mathrm{{{name.translate(_LATEX_ESCAPES)}}}"


def _latex_number(x: float) -> str:
    text = format_number(x).replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    mantissa, e, exponent = text.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if e else text
