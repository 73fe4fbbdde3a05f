"""An operation's definition, with the names of what it is applied to."""

import re
from ast import Name, NodeTransformer, expr, parse, unparse

from autograd.notation.printing import enclose, is_operator, write
from autograd.stepping.formula import operands
from autograd.value import Value


def definition(node: Value, names: dict[Value, str]) -> str:
    """Return the definition of a gate's operation with the operands' names, "" where the name says it all.

    Example:
        >>> from autograd import sigmoid, topological_order
        >>> from autograd.stepping.formula import name_nodes
        >>> f = sigmoid(Value(1.0, "s"))
        >>> definition(f, name_nodes(topological_order(f)))
        '1 / (1 + exp(-s))'
    """
    assert node.op is not None
    if is_operator(node.op) or node.op.definition.startswith(f"{node.op.name}("):
        return ""
    # Names need not be identifiers, so they are put in after the expression is written out again.
    marks = {argument: f"operand_{i}_" for i, argument in enumerate(node.op.arguments)}
    try:
        text = unparse(_Rename(marks).visit(parse(node.op.definition, mode="eval")))
    except SyntaxError:  # in a row of the user's own it is prose, perhaps
        return node.op.definition
    texts = [write(operand) for operand in operands(node, names)]
    texts = [enclose(text, not re.fullmatch(r"\w+|\d+\.\d+", text)) for text in texts]
    return re.sub(r"operand_(\d+)_", lambda match: texts[int(match[1])], text)


class _Rename(NodeTransformer):
    def __init__(self, marks: dict[str, str]) -> None:
        self.marks = marks

    def visit_Name(self, node: Name) -> expr:
        return Name(self.marks.get(node.id, node.id), node.ctx)
