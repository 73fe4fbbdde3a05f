"""The mutation report: every single-token mutant of the table's derivatives must make the suite fail.

``python -m tests.mutants`` changes one token of one local derivative at a time - a sign, an operator, an
operand, a constant, a function, the order of two arguments - or takes the derivative by another argument. It
runs the suite's tests of that row on the mutant until one fails, prints each survivor, and ends with "N of N
mutants killed".

A change that makes no difference, such as cos(-x) for cos(x), is no mutant. It is told by the derivative and
its own derivatives, which must be the same but for rounding on a grid of infinities, nan, signed zeros, ties
and many other points (`makes_no_difference`). How many those are is printed too; ``--equivalent`` lists them.
"""

import argparse
import ast
import copy
import inspect
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from autograd import Value, gradients, ops, real
from autograd.row import Operation
from tests import campaign, test_edges, test_ops
from tests.oracle import unary_rows
from tests.rows import SPECIAL

ALTERNATIVES = {
    "less": "less_equal",
    "less_equal": "less",
    "greater": "greater_equal",
    "greater_equal": "greater",
    "maximum": "minimum",
    "minimum": "maximum",
    "sin": "cos",
    "cos": "sin",
    "sinh": "cosh",
    "cosh": "sinh",
    "exp": "expm1",
    "expm1": "exp",
    "log": "log1p",
    "sqrt": "cbrt",
    "sigmoid": "tanh",
    "gauss": "normal_pdf",
    "normal_pdf": "gauss",
    "normal_cdf": "sigmoid",
    "div": "mul",
    "sign": "relu",
    "pow": "mul",
    "hypot": "maximum",
}
CONSTANTS = [name for name, value in vars(real).items() if name.isupper() and isinstance(value, float)]


@dataclass(frozen=True)
class Mutant:
    """One change of one derivative of a row."""

    row: Operation
    index: int
    source: str
    kind: str

    @property
    def derivatives(self) -> tuple[Callable[..., Any], ...]:
        """The row's derivatives with this one mutated."""
        names = {**vars(ops), **vars(sys.modules[self.row.__module__])}
        changed: Callable[..., Any] = eval(self.source, names)
        return (*self.row.derivatives[: self.index], changed, *self.row.derivatives[self.index + 1 :])


def derivative_expressions() -> Iterator[tuple[Operation, int, ast.Lambda]]:
    """Yield each local derivative of the table as syntax."""
    modules = dict.fromkeys(sys.modules[row.__module__] for row in ops.TABLE.values())
    for statement in chain.from_iterable(ast.parse(inspect.getsource(module)).body for module in modules):
        call = statement.value if isinstance(statement, ast.AnnAssign) else None
        if isinstance(call, ast.Call) and isinstance(call.args[2], ast.List):
            row = ops.TABLE[ast.literal_eval(call.args[0])]
            for index, item in enumerate(call.args[2].elts):
                if isinstance(item, ast.Lambda):  # and not None
                    yield row, index, item


def mutants() -> Iterator[Mutant]:
    """Yield every mutant once."""
    functions = list(derivative_expressions())
    for row, index, function in functions:
        others = [other for owner, _, other in functions if owner is row]
        for kind, source in variants(function, others):
            yield Mutant(row, index, source, kind)


def variants(function: ast.Lambda, others: Sequence[ast.Lambda] = ()) -> Iterator[tuple[str, str]]:
    """Yield each change of a derivative once: its kind, and the source of what the derivative becomes."""
    seen = {ast.unparse(function)}
    names = [argument.arg for argument in function.args.args]
    changes: list[tuple[str, ast.expr]] = [("sign", ast.UnaryOp(ast.USub(), function.body))]
    changes += [("swapped derivative", other.body) for other in others]
    for position in range(sum(1 for _ in ast.walk(function.body))):
        changes += _changes(function.body, position, names)
    for kind, body in changes:
        source = ast.unparse(ast.fix_missing_locations(ast.Lambda(function.args, body)))
        if source not in seen:
            seen.add(source)
            yield kind, source


def _changes(body: ast.expr, position: int, names: list[str]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the body with each mutation of the node at a position of the walk."""

    def changed(change: Callable[[Any], None], replacement: ast.expr | None = None) -> ast.expr:
        twin = ast.Expression(copy.deepcopy(body))
        node = list(ast.walk(twin))[position + 1]
        change(node)
        if replacement is not None:
            for parent in ast.walk(twin):
                for name, value in ast.iter_fields(parent):
                    if value is node:
                        setattr(parent, name, replacement)
                    elif isinstance(value, list) and node in value:
                        value[value.index(node)] = replacement
        return twin.body

    node = list(ast.walk(body))[position]
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        for value in {node.value + 1, -node.value, 0.5 * node.value} - {node.value}:
            yield "constant", changed(partial(_set, name="value", value=value))
    elif isinstance(node, ast.Name) and node.id in names:
        for other in names:
            if other != node.id:
                yield "operand", changed(partial(_set, name="id", value=other))
        yield "sign", changed(_keep, ast.UnaryOp(ast.USub(), ast.Name(node.id)))
    elif isinstance(node, ast.Attribute) and node.attr in CONSTANTS:
        following = CONSTANTS[(CONSTANTS.index(node.attr) + 1) % len(CONSTANTS)]
        yield "constant", changed(partial(_set, name="attr", value=following))
    elif isinstance(node, ast.BinOp):
        for operator in (ast.Add, ast.Sub, ast.Mult):
            if not isinstance(node.op, operator):
                yield "operator", changed(partial(_set, name="op", value=operator()))
        if not isinstance(node.op, (ast.Add, ast.Mult)):
            yield "swapped argument", changed(_swap_sides)
    elif isinstance(node, ast.UnaryOp):
        yield "sign", changed(_keep, copy.deepcopy(node.operand))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in ALTERNATIVES:
            yield "function", changed(partial(_rename, name=ALTERNATIVES[node.func.id]))
        for i in range(len(node.args) - 1):
            yield "swapped argument", changed(partial(_swap, i=i))


def _keep(node: Any) -> None:
    """Change nothing: the node is replaced as a whole."""


def _set(node: Any, name: str, value: Any) -> None:
    setattr(node, name, value)


def _rename(node: ast.Call, name: str) -> None:
    node.func = ast.Name(name)


def _swap(node: ast.Call, i: int) -> None:
    node.args[i], node.args[i + 1] = node.args[i + 1], node.args[i]


def _swap_sides(node: ast.BinOp) -> None:
    node.left, node.right = node.right, node.left


def makes_no_difference(mutant: Mutant) -> bool:
    """Tell whether the changed derivative equals the right one everywhere, its own derivatives included."""
    row, rng = mutant.row, random.Random(0)
    points = [tuple(rng.choices(SPECIAL, k=row.arity)) for _ in range(1000)]
    points += [tuple(rng.gauss(0.0, 2.0) for _ in range(row.arity)) for _ in range(500)]
    points += [(x,) * row.arity for x in SPECIAL]
    right, changed = row.derivatives[mutant.index], mutant.derivatives[mutant.index]
    return all(_figures(row, right, x) == _figures(row, changed, x) for x in points)


def _figures(row: Operation, derivative: Callable[..., Any], x: tuple[float, ...]) -> list[str]:
    """Return a derivative and its derivatives by each argument, as text."""
    leaves = [Value(xi) for xi in x]
    try:
        result = derivative(row(*leaves), *leaves)
    except Exception as error:
        return [repr(error)]
    if not isinstance(result, Value):
        return [repr(result)]
    return [f"{result.data:.13g}", *(f"{d + 0.0:.11g}" for d in gradients(result, leaves))]


def tests_of(row: Operation) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the suite's tests of a row, the cheap ones first."""
    for edge in test_edges.EDGES:
        if edge[0] is row:
            yield f"edge {edge[1]}", partial(test_edges.test_the_convention_holds, *edge)
    for name, test in vars(test_edges).items():
        if name.startswith("test_") and test.__code__.co_argcount == 0:
            yield name, test
    if row.arity == 1 or row in unary_rows():
        yield (
            "generic",
            partial(test_ops.test_the_local_derivatives_are_generic_arrays_give_the_scalar_forms, row),
        )
    yield "definition", partial(test_ops.test_value_and_every_local_derivative_against_the_definition, row)
    if row in unary_rows():
        yield (
            "orders 2 and 3",
            partial(test_ops.test_second_and_third_derivatives_at_the_symmetric_points_too, row),
        )
        yield (
            "whole domain",
            partial(test_ops.test_smooth_functions_to_the_last_digits_over_their_whole_domain, row, 60),
        )
    yield (
        "no float raises",
        partial(test_ops.test_no_float_makes_a_value_or_a_derivative_raise_or_turn_complex, row),
    )
    yield "campaign", _sample


def _sample() -> None:
    assert campaign.run(campaign.against_mpmath, range(100), seed=1).failures == ()


def killer(mutant: Mutant) -> str | None:
    """Return the test that fails on a mutant, None if none does."""
    row, right = mutant.row, mutant.row.derivatives
    row.derivatives = mutant.derivatives
    try:
        for name, test in tests_of(row):
            try:
                test()
            except Exception:  # an assertion or any error: the suite fails either way
                return name
    finally:
        row.derivatives = right
    return None


def main() -> int:
    """Run the report."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rows", nargs="*", help="only these rows")
    parser.add_argument("--equivalent", action="store_true", help="list the changes that make no difference")
    options = parser.parse_args()
    killed, equivalent, survivors = Counter[str](), 0, []
    for mutant in mutants():
        if options.rows and mutant.row.name not in options.rows:
            continue
        name = killer(mutant)
        if name is None and makes_no_difference(mutant):
            equivalent += 1
            if options.equivalent:
                print(f"no difference: {mutant.row.name}[{mutant.index}]: {mutant.source}")
        elif name is None:
            survivors.append(mutant)
            print(f"SURVIVED {mutant.row.name}[{mutant.index}] {mutant.kind}: {mutant.source}", flush=True)
        else:
            killed[mutant.kind] += 1
    for kind, count in sorted(killed.items()):
        print(f"{kind:18} {count:4} killed")
    total = killed.total() + len(survivors)
    print(f"{killed.total()} of {total} mutants killed; {equivalent} more changes make no difference")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
