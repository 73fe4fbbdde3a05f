"""Backpropagation written down as LaTeX."""

from typing import Any

from autograd.notation.latex import Latex
from autograd.notation.printing import BINDING
from autograd.stepping.events import Backward, graph_of, record
from autograd.stepping.formula import local_derivative, name_nodes, right_side
from autograd.value import Value


def backprop_latex(root: Value) -> str:
    r"""Return the backpropagation through a graph as LaTeX, an ``aligned`` block for each step.

    First what each gate computes, in symbols and in numbers; then the derivative of the root by each node, a
    sum over the gates that it enters of global times local gradient, as a textbook writes it.

    Args:
        root: the output of the graph.

    Returns:
        The lines, to be put between ``$$`` and ``$$``.

    Raises:
        TypeError: ``root`` is not a Value.
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.

    Example:
        >>> from autograd import tanh
        >>> x = Value(2, "x")
        >>> print(backprop_latex(tanh(x)))
        \begin{array}{l}
        \begin{aligned}
        f &= \tanh x \\
         &= \tanh 2 \\
         &= 0.9640
        \end{aligned} \\[1ex]
        \begin{aligned}
        \frac{\partial f}{\partial f} &= 1
        \end{aligned} \\[1ex]
        \begin{aligned}
        \frac{\partial f}{\partial x} &= \frac{\partial f}{\partial f} \cdot (1 - f^{2}) \\
         &= 1 \cdot 0.07065 \\
         &= 0.07065
        \end{aligned}
        \end{array}
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

    steps = []
    for node in order:
        if node.op:
            right = right_side(node, names)
            steps.append(
                (symbols[node], [_NAMES.write(right), _NUMBERS.write(right), _NAMES.number(node.data)])
            )
    steps.append((derivative(root), ["1"]))
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
        steps.append(
            (derivative(node), [" + ".join(terms), " + ".join(numbers), _NAMES.number(received[-1].after)])
        )
    blocks = []
    for left, stages in steps:
        distinct = [stage for k, stage in enumerate(stages) if k == 0 or stage != stages[k - 1]]
        rows = " \\\\\n".join(f"{left if k == 0 else ''} &= {stage}" for k, stage in enumerate(distinct))
        blocks.append(f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}")
    return "\\begin{array}{l}\n" + " \\\\[1ex]\n".join(blocks) + "\n\\end{array}"


_NAMES, _NUMBERS = Latex(), Latex(numbers=True)


def _factor(formula: Any) -> str:
    text, binding = _NAMES.phrase(formula)
    return _NAMES.enclose(text, binding <= BINDING["+"] or text.startswith("-"))
