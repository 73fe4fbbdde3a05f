"""A proof of the table by computer algebra: each local derivative is the derivative of the row's definition.

A row's derivatives are generic in the number type, so they are given a number type whose numbers are SymPy
expressions: every operation in a derivative becomes its definition. What selects becomes a choice, and the
proof goes through the regions in which the choices are the same. Neither the value nor the array form of any
row is used. ``python -m tests.proof`` prints how each derivative was proved.
"""

import ast
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import sympy
from sympy.core.relational import Relational

from autograd import ops
from autograd.row import Operation
from autograd.symbolic import Symbolic
from tests.rows import settled

CONSTANTS = [  # what a float that is no short fraction stands for
    sympy.log(2),
    1 / sympy.log(2),
    1 / sympy.log(10),
    sympy.log(10),
    2 / sympy.sqrt(sympy.pi),
    1 / sympy.sqrt(2 * sympy.pi),
    sympy.sqrt(2),
    sympy.pi,
    sympy.pi / 180,
    180 / sympy.pi,
]
DIGITS = 60


class Expression(Symbolic):
    """A number of which only the formula is known."""

    __slots__ = ("formula",)

    def __init__(self, formula: Any) -> None:
        self.formula = formula

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> "Expression":
        """Return the operation's definition at the arguments' formulas."""
        return cls(definition(operation)(*map(_formula, arguments)))


def _formula(number: Any) -> Any:
    return number.formula if isinstance(number, Expression) else _exact(number)


def _exact(number: float) -> Any:
    """Return the exact number that a float stands for."""
    fraction = sympy.Rational(number)
    if fraction.q <= 1024:
        return fraction
    for constant in CONSTANTS:
        for factor in (1, -1):
            if float(factor * constant) == number:
                return factor * constant
    raise ValueError(f"{number!r} is no constant that a proof knows; add what it stands for to CONSTANTS")


def _derivative(function: Callable[[Any], Any], x: Any, order: Any) -> Any:
    """Return the derivative of an order of a function at x."""
    t = sympy.Dummy("t", real=True)
    return sympy.diff(function(t), t, int(order)).subs(t, x)


def _choose(test: Any, yes: Any, no: Any) -> Any:
    if isinstance(test, sympy.Expr):  # a number, which is true where it is not 0
        test = sympy.Ne(test, 0)
    return sympy.Piecewise((yes, test), (no, True))


class Floor(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """The largest whole number not above x: between two jumps a constant, which SymPy's own does not say."""

    is_integer = True

    @classmethod
    def eval(cls, x: Any) -> Any:
        return sympy.floor(x) if x.is_number else None

    def fdiff(self, argindex: int = 1) -> Any:  # noqa: ARG002 - SymPy's signature
        return sympy.Integer(0)


NAMES: dict[str, Any] = {
    **{name: getattr(sympy, name) for name in dir(sympy) if not name.startswith("_")},
    "abs": lambda x: _choose(x > 0, x, -x),
    "sign": lambda x: _choose(x > 0, 1, _choose(x < 0, -1, 0)),
    "clamp": lambda x, low, high: _choose(_choose(x > low, x, low) < high, _choose(x > low, x, low), high),
    "root": lambda x, n: x ** (sympy.Integer(1) / n),
    "expm1": lambda x: sympy.exp(x) - 1,
    "log1p": lambda x: sympy.log(1 + x),
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "hypot": lambda x, y: sympy.sqrt(x * x + y * y),
    "choose": _choose,
    "exact": _exact,
    "diff": lambda function, x, order: _derivative(function, x, order),
    "floor": Floor,
    "ceil": lambda x: -Floor(-x),
    "round": lambda x: Floor(x + sympy.Rational(1, 2)),
}


class _Exactly(ast.NodeTransformer):
    """Writes a definition with choices for conditional expressions and exact numbers for floats."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        parts = [self.visit(part) for part in (node.test, node.body, node.orelse)]
        return ast.Call(ast.Name("choose", ast.Load()), parts, [])

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Call(ast.Name("exact", ast.Load()), [node], [])


@cache
def definition(row: Operation) -> Callable[..., Any]:
    """Return a row's definition as a function of SymPy expressions."""
    tree = ast.parse(f"lambda {', '.join(row.arguments)}: {row.definition}", mode="eval")
    code = compile(ast.fix_missing_locations(_Exactly().visit(tree)), row.name, "eval")
    function: Callable[..., Any] = eval(code, NAMES)
    return function


def prove(row: Operation, index: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Yield for each region, named by its choices, how the derivative by an argument was proved there.

    The regions are found by points of the domain; arguments other than that one are 0 at some of them.

    Raises:
        AssertionError: it is another function than the derivative of the definition.
    """
    symbols = [
        sympy.Symbol(name, positive=True) if low == 0.0 else sympy.Symbol(name, real=True)
        for name, (low, _) in zip(row.arguments, row.domain, strict=True)
    ]
    for place in row.constant_places:  # numbers, and as they are
        symbols[place] = sympy.Integer(int(settled(row, [1.0] * row.arity)[place]))
    arguments = [Expression(s) if isinstance(s, sympy.Symbol) else float(s) for s in symbols]
    value = sympy.sympify(definition(row)(*symbols))
    slope = sympy.sympify(_formula(row.derivatives[index](Expression(value), *arguments)))
    choices = sorted(value.atoms(Relational) | slope.atoms(Relational), key=str)
    regions: dict[Any, list[dict[Any, Any]]] = {}
    for point in _points(row, symbols, index, random.Random(seed)):
        zeros = tuple(symbol for symbol in point if point[symbol] == 0)
        if value.subs(point).is_finite:
            regions.setdefault((zeros, *(bool(choice.subs(point)) for choice in choices)), []).append(point)
    for (zeros, *taken), points in regions.items():
        chosen = {choice: sympy.sympify(side) for choice, side in zip(choices, taken, strict=True)}
        fixed = dict.fromkeys(zeros, sympy.Integer(0))
        truth = sympy.diff(value.xreplace(chosen), symbols[index]).subs(fixed)
        claim = slope.xreplace(chosen).subs(fixed)
        names = [f"{zero} = 0" for zero in zeros]
        names += [str(c if side else ~c) for c, side in zip(choices, taken, strict=True)]
        yield ", ".join(names), _agree(truth, claim, points)


def _points(
    row: Operation, symbols: Sequence[Any], index: int, rng: random.Random
) -> Iterator[dict[Any, Any]]:
    for _ in range(40):
        point = {}
        for k in row.differentiable:
            symbol, (low, high) = symbols[k], row.domain[k]
            zero = k != index and low < 0.0 < high and rng.random() < 0.2
            number = 0.0 if zero else rng.uniform(max(low, -3.0), min(high, 3.0))
            point[symbol] = sympy.Rational(round(number * 997), 997)
        yield point


def _agree(truth: Any, claim: Any, points: Sequence[dict[Any, Any]]) -> str:
    difference = truth - claim
    for method in (sympy.expand, sympy.simplify, lambda e: sympy.simplify(e.rewrite(sympy.exp))):
        if method(difference) == 0:
            return "symbolically"
    for point in points:
        exactly, found = (sympy.N(side.subs(point), DIGITS) for side in (truth, claim))
        assert abs(found - exactly) <= abs(exactly) * sympy.Float(10) ** (5 - DIGITS), (
            f"at {point} the derivative is {sympy.N(exactly, 20)}, not {sympy.N(found, 20)}"
        )
    return f"to {DIGITS - 5} digits"


def main() -> None:
    for row in ops.TABLE.values():
        for index, argument in enumerate(row.arguments):
            for region, how in prove(row, index):
                print(f"d {row.name + ' / d ' + argument:32} {how:15} {region}", flush=True)


if __name__ == "__main__":
    main()
