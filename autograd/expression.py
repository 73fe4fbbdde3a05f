"""Formulas as text: parsed and recorded as a graph, never evaluated as Python.

Python's own grammar reads the text. Of its syntax tree only numbers, names, arithmetic and calls of the
operation table are accepted, so a formula can do nothing but compute. Steps may have names, separated by
semicolons: ``q = x + y; f = q * z``.
"""

import ast
import keyword
import math
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping

from autograd import ops
from autograd.row import Operation
from autograd.spelling import nearest
from autograd.value import Value, constant

CONSTANTS = {name: float(getattr(math, name)) for name in ("pi", "e", "inf", "nan")}
"""The names that a formula need not be given. A variable of the same name hides one."""

_OPERATORS: dict[type[ast.AST], Operation] = {
    ast.Add: ops.add,
    ast.Sub: ops.sub,
    ast.Mult: ops.mul,
    ast.Div: ops.div,
    ast.Pow: ops.pow,
    ast.USub: ops.neg,
    ast.UAdd: ops.pos,
}
_REMEDIES: dict[type[ast.AST], str] = {
    ast.BitXor: "write a power as x**2",
    ast.Compare: "call greater, greater_equal, less or less_equal",
    ast.IfExp: "call where(condition, x, y)",
    ast.Attribute: "write exp(x) for math.exp(x) and for x.exp()",
}
_PRODUCT = "write a product with *"
_STEP = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)\s*")
_EXCERPT = 60  # characters of a long formula that an error shows


class ExpressionError(ValueError):
    """A formula that cannot be read. The message is one line that names the place and the remedy.

    Attributes:
        column: where in the text, without the spaces around it, counted from 1; None if no single place is at
            fault.
    """

    def __init__(self, problem: str, text: str, column: int | None, remedy: str = "") -> None:
        self.column = column
        start = max(0, min((column or 1) - _EXCERPT // 2, len(text) - _EXCERPT))
        end = start + _EXCERPT
        excerpt = "".join(character if character.isprintable() else "?" for character in text[start:end])
        excerpt = "..." * (start > 0) + excerpt + "..." * (end < len(text))
        place = f"at column {column} of" if column else "in"
        super().__init__(f'{problem} {place} "{excerpt}"' + (remedy and f"; {remedy}"))


def parse(text: str, variables: Mapping[str, float]) -> Value:
    """Record the graph of a formula.

    Args:
        text: numbers, names, ``+ - * / **``, parentheses and calls of the operations in ``ops.TABLE``; before
            that named steps, each ended by a semicolon.
        variables: a number for each name that is not in ``CONSTANTS``; each becomes a leaf of that label.

    Returns:
        The root of the graph, labelled as its step is named; without a name ``f``, unless it is a leaf or
        something else has that name.

    Raises:
        ExpressionError: the text is not such a formula, or a variable does not occur in it.
        TypeError: a variable's number is not a real number.

    Example:
        >>> parse("(x + y) * z", {"x": -2, "y": 5, "z": -4})
        Value(data=-12.0, grad=0.0, label='f')
        >>> parse("q = x + y; q * q", {"x": -2, "y": 5}).parents[0]
        Value(data=3.0, grad=0.0, label='q')
        >>> parse("x + yy", {"x": -2})
        Traceback (most recent call last):
            ...
        autograd.expression.ExpressionError: unknown name 'yy' at column 5 of "x + yy"; give it as yy=NUMBER
    """
    return _Reader(text, variables).read()


def names_in(text: str) -> list[str]:
    """Return the names in a formula that need a number, in the order in which they occur.

    Raises:
        ExpressionError: the text cannot be read; what only `parse` finds is not looked for.

    Example:
        >>> names_in("q = w*x + b; sigmoid(q) - pi")
        ['w', 'x', 'b']
    """
    return _Reader(text, {}).names()


class _Reader:
    def __init__(self, text: str, variables: Mapping[str, float]) -> None:
        # The grammar ends a formula at a line's end and refuses an indented one; here neither matters.
        self.text = "".join(" " if character.isspace() else character for character in text).strip()
        # The grammar reads names in this normal form, in which look-alikes are the same name.
        normal: dict[str, float] = {}
        for name, number in variables.items():
            form = unicodedata.normalize("NFKC", name)
            if form in normal:
                raise ExpressionError(f"'{name}' and another given name are one name", self.text, None)
            normal[form] = number
        self.leaves = {name: Value(number, name) for name, number in normal.items()}
        self.unused = dict.fromkeys(self.leaves, "given")
        self.part, self.start = self.text, 0  # the step at work, and where in the text it begins

    def read(self) -> Value:
        for name in self.steps():
            root = self.formula()
            if name:
                if not root.label:
                    root.label = name
                self.leaves[name] = root
                self.unused[name] = "computed"
        self.unused.pop(name, None)  # the last
        for unused, how in self.unused.items():
            raise ExpressionError(
                f"the name '{unused}' is {how} but does not occur", self.text, None, "leave it out"
            )
        if root.op is not None and not root.label and "f" not in self.leaves:
            root.label = "f"
        return root

    def names(self) -> list[str]:
        known, needed = {*CONSTANTS}, dict[str, None]()
        for name in self.steps():
            for node in _in_order(self.syntax_tree()):
                if isinstance(node, ast.Name) and node.id not in known:
                    needed[node.id] = None
            known.add(name)
        return [*needed]

    def steps(self) -> Iterator[str]:
        """Yield the name of each step in turn, "" if it has none; it is then the part at work."""
        parts, end = self.text.split(";"), 0
        if not parts[-1].strip():  # a semicolon at the end
            parts = parts[:-1] or parts
        for k, part in enumerate(parts):
            match = _STEP.match(part)
            before = match.end() if match else len(part) - len(part.lstrip())
            self.start, self.part = end + before, part[before:].rstrip()
            end += len(part) + 1
            name = unicodedata.normalize("NFKC", match[1]) if match else ""
            place = self.start - before + len(part[:before]) - len(part[:before].lstrip()) + 1
            if name and (keyword.iskeyword(name) or name in self.leaves):
                why = "is a word of Python's grammar" if keyword.iskeyword(name) else "is given already"
                raise ExpressionError(f"the name '{name}' {why},", self.text, place, "choose another")
            if not name and k < len(parts) - 1:
                raise ExpressionError(
                    "a step without a name", self.text, place, "write for instance q = x + y;"
                )
            yield name

    def formula(self) -> Value:
        # Depth first with a stack of our own. An interior node is met before its operands and after them.
        stack: list[tuple[ast.expr, bool]] = [(self.syntax_tree(), False)]
        values: list[Value] = []
        while stack:
            node, ready = stack.pop()
            leaf = self.leaf(node)
            if leaf is not None:
                values.append(leaf)
                continue
            row, operands, keywords = self.operation(node)
            if not ready:
                stack.append((node, True))
                stack.extend((operand, False) for operand in reversed(operands))
                continue
            first = len(values) - len(operands)
            arguments, values[first:] = values[first:], []
            split = len(operands) - len(keywords)
            named = dict(zip(keywords, arguments[split:], strict=True))
            try:
                values.append(row(*arguments[:split], **named))
            except TypeError as error:  # too many or too few arguments, or an unknown keyword
                raise self.error(f"{error},", node) from None
        return values.pop()

    def syntax_tree(self) -> ast.expr:
        if not self.part:
            raise ExpressionError(
                "no formula",
                self.text,
                self.start + 1 if self.start else None,
                'write for instance "(x + y) * z"',
            )
        for place, character in enumerate(self.part, self.start + 1):
            if character == "#" or not character.isprintable():
                raise ExpressionError(f"unexpected character {character!a}", self.text, place)
        try:
            with warnings.catch_warnings(action="ignore"):  # what the grammar only warns of is refused below
                return ast.parse(self.part, mode="eval").body
        except SyntaxError as error:
            place = self.start + (error.offset or len(self.part) + 1)
            remedy = _PRODUCT if "decimal literal" in error.msg else self.between(place)
            raise ExpressionError(
                error.msg.partition(";")[0].partition(".")[0], self.text, place, remedy
            ) from None
        except (RecursionError, MemoryError):
            problem = "operations nested too deeply for Python's grammar"
            raise ExpressionError(problem, self.text, None, "build the graph in Python") from None

    def between(self, place: int) -> str:
        """Return what to write instead of two things that stand beside each other, the second at a place."""
        before = re.search(r"(\w+|\))\s+$", self.text[: place - 1])
        if not before or not re.match(r"[\w(]", self.text[place - 1 :]) or keyword.iskeyword(before[1]):
            return ""
        near = nearest(before[1])
        if before[1] in self.leaves or before[1] in CONSTANTS or not near:
            return _PRODUCT
        return f"write {ops.TABLE[near].signature}"

    def leaf(self, node: ast.expr) -> Value | None:
        """Return a number or a name as a leaf of the graph, None for anything else."""
        number = node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):  # -2 is a number, not a gate
            number = node.operand
        if isinstance(number, ast.Constant):
            if isinstance(number.value, bool) or not isinstance(number.value, int | float):
                raise self.error(f"{self.quote(number)} is not a real number", node)
            try:
                return constant(float(number.value) if number is node else -float(number.value))
            except OverflowError:
                raise self.error("a number above 1.8e308, the float range,", node) from None
        if not isinstance(node, ast.Name):
            return None
        if node.id in self.leaves:
            self.unused.pop(node.id, None)
            return self.leaves[node.id]
        if node.id in CONSTANTS:
            value = constant(CONSTANTS[node.id])
            value.label = node.id
            return value
        if node.id in ops.TABLE:
            remedy = f"write {ops.TABLE[node.id].signature}"
            raise self.error(f"function '{node.id}' without its arguments", node, remedy)
        raise self.error(f"unknown name '{node.id}'", node, f"give it as {node.id}=NUMBER")

    def operation(self, node: ast.expr) -> tuple[Operation, list[ast.expr], list[str]]:
        """Return an interior node's operation and operands, and the keywords of the last operands."""
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)], [node.left, node.right], []
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)], [node.operand], []
        if isinstance(node, ast.Call):
            return self.call(node, node.func)
        kind = type(node.op) if isinstance(node, ast.BinOp) else type(node)
        remedy = _REMEDIES.get(kind, "use numbers, names, + - * / ** and functions")
        raise self.error(f"{self.quote(node)} is not part of a formula, found", node, remedy)

    def call(self, node: ast.Call, function: ast.expr) -> tuple[Operation, list[ast.expr], list[str]]:
        if not isinstance(function, ast.Name):
            remedy = _REMEDIES.get(type(function), _PRODUCT)
            raise self.error(f"{self.quote(function)} is not a function, called", node, remedy)
        name = function.id
        if name not in ops.TABLE:
            near = nearest(name)
            remedy = _PRODUCT if name in self.leaves else f"did you mean {near}?" if near else ""
            raise self.error(f"unknown function '{name}'", node, remedy)
        keywords = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
        if len(keywords) < len(node.keywords):
            raise self.error("'**' without a left operand", node)
        return ops.TABLE[name], [*node.args, *(keyword.value for keyword in node.keywords)], keywords

    def quote(self, node: ast.expr) -> str:
        segment = ast.get_source_segment(self.part, node) or ""
        return f"'{segment}'" if len(segment) <= _EXCERPT // 2 else f"'{segment[: _EXCERPT // 2]}...'"

    def error(self, problem: str, node: ast.expr, remedy: str = "") -> ExpressionError:
        before = self.part.encode()[: node.col_offset].decode()  # the grammar counts bytes
        return ExpressionError(problem, self.text, self.start + len(before) + 1, remedy)


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the operands of a formula from left to right; what is called is none."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        parts = [*ast.iter_child_nodes(node)]
        waiting += reversed(parts[1:] if isinstance(node, ast.Call) else parts)
