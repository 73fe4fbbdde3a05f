"""The numbers that a program is written with, and their sliders."""

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Number:
    """A number literal of a program, with its sign.

    Attributes:
        start: where it begins in the text, in UTF-16 code units, as a browser counts.
        end: where it ends.
        name: what it is called: the variable or the label that it is given to, or its line.
        value: the number.
        low: the least that its slider gives.
        high: the most.
        step: from one place of the slider to the next.
    """

    start: int
    end: int
    name: str
    value: float
    low: float
    high: float
    step: float


def numbers(source: str) -> list[Number]:
    r"""Return the numbers of a program that a slider can change, in the order of the text.

    Left out are those that are no data of the computation: subscripts, and what counts, as in ``range(3)``.

    Raises:
        SyntaxError: ``source`` is no Python.

    Example:
        >>> [(each.name, each.value) for each in numbers("x = Value(-2)\ny = 0.5 * x + w[0]")]
        [('x', -2.0), ('line 2', 0.5)]
    """
    lines = source.splitlines(keepends=True)
    begins = [0, *accumulate(_units(line) for line in lines)]

    def place(line: int, column: int) -> int:
        return begins[line - 1] + _units(lines[line - 1].encode()[:column].decode())

    tree = ast.parse(source)
    bases = {
        each.left for each in ast.walk(tree) if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Pow)
    }
    found = []
    for node, value, name, whole in _literals(tree):
        low, high, step = _range(value, whole)
        if node in bases:
            low = 0.0  # since -2**2 is -(2**2)
        start, end = (
            place(node.lineno, node.col_offset),
            place(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
        )
        found.append(Number(start, end, name or f"line {node.lineno}", value, low, high, step))
    return sorted(found, key=lambda number: number.start)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _range(value: float, whole: bool) -> tuple[float, float, float]:
    """Return a range around zero that holds the number, and a step of a two-hundredth of it."""
    power = math.floor(math.log10(abs(value))) + 1 if value else 1
    bound = 10.0**power
    return -bound, bound, max(1.0, bound / 100) if whole else bound / 200


COUNTING = frozenset({"range", "round", "seed", "Random", "randint", "MLP", "Layer", "Neuron", "two_moons"})
"""Functions whose numbers count something; a program with half of it more is another program."""


def _literals(tree: ast.AST) -> Iterator[tuple[ast.expr, float, str, bool]]:
    """Yield each literal with its value, its name and whether it stays a whole number."""
    stack: list[tuple[ast.AST, str, bool]] = [(tree, "", False)]
    while stack:
        node, name, given = stack.pop()
        number = _number(node)
        if number is not None and isinstance(node, ast.expr):
            yield node, float(number), name, isinstance(number, int) and not given
            continue
        match node:
            case ast.Assign(targets=[target], value=value):
                stack.extend(_pairs(target, value))
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                stack.extend(_pairs(target, value))
            case ast.Subscript(value=inner):
                stack.append((inner, "", False))
            case ast.Call(func=function) if _last(function) in COUNTING:
                pass
            case ast.Call(args=arguments, keywords=keywords, func=function):
                made = _last(function) == "Value"
                label = next((a.value for a in arguments[1:2] if isinstance(a, ast.Constant)), None)
                told = str(label) if made and isinstance(label, str) else name if made else ""
                stack.append((function, "", False))
                stack.extend((argument, told, made) for argument in arguments)
                stack.extend((each.value, told if made else each.arg or "", made) for each in keywords)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                stack.extend((item, f"{name}[{k}]" if name else "", given) for k, item in enumerate(items))
            case _:
                stack.extend((child, "", False) for child in ast.iter_child_nodes(node))


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.AST, str, bool]]:
    """Yield the parts of an assignment, each with the name that it gets."""
    many = isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List))
    if many and len(target.elts) == len(value.elts):  # type: ignore[attr-defined]  # both have them
        for each, part in zip(target.elts, value.elts, strict=True):  # type: ignore[attr-defined]  # likewise
            yield from _pairs(each, part)
        return
    plain = _number(value) is not None
    yield (
        value,
        target.id if isinstance(target, ast.Name) else "",
        plain and isinstance(_number(value), float),
    )


def _number(node: ast.AST) -> float | int | None:
    """Return the number that a literal stands for, with its sign; None for any other node."""
    negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    literal = node.operand if isinstance(node, ast.UnaryOp) and negative else node
    value = literal.value if isinstance(literal, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return -value if negative else value


def _last(function: ast.expr) -> str:
    """Return the last part of a function's name."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
