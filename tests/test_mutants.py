"""A sample of the mutation report; ``python -m tests.mutants`` runs all of it."""

import ast
import math
from typing import Any

import pytest

from autograd import Operation, ops
from tests.mutants import Mutant, killer, makes_no_difference, mutants, variants

ALL = list(mutants())


@pytest.mark.parametrize(
    "mutant",
    [ALL[i] if i % 90 == 0 else pytest.param(ALL[i], marks=pytest.mark.slow) for i in range(0, len(ALL), 30)],
    ids=lambda mutant: f"{mutant.row.name}[{mutant.index}]: {mutant.source}",
)
def test_a_mutant_of_a_derivative_is_killed(mutant):
    right = mutant.row.derivatives
    assert killer(mutant) or makes_no_difference(mutant)
    assert mutant.row.derivatives is right


def test_every_derivative_has_mutants_each_once():
    for row in ops.TABLE.values():
        for index, name in enumerate(row.arguments):
            assert any(m.row is row and m.index == index for m in ALL) == (name not in row.constants)
    assert len(ALL) > 800
    assert len({(m.row.name, m.index, m.source) for m in ALL}) == len(ALL)


def test_the_right_derivative_is_not_killed_and_makes_no_difference():
    same = Mutant(ops.sin, 0, "lambda z, x: cos(x)", "none")
    assert killer(same) is None
    assert makes_no_difference(same)
    assert not makes_no_difference(Mutant(ops.sin, 0, "lambda z, x: cos(x) * 1.0000000001", "constant"))


def derivative(source):
    return ast.parse(f"lambda z, x, y: {source}", mode="eval").body


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%", "**"])
def test_every_operator_in_a_derivative_is_exchanged_and_its_sides_are(operator):
    sources = {source for _, source in variants(derivative(f"x {operator} y"))}
    expected = [f"x {other} y" for other in "+-*" if other != operator] + [f"-(x {operator} y)"]
    expected += [f"y {operator} x"] if operator not in "+*" else []
    assert sources >= {ast.unparse(derivative(source)) for source in expected}


def test_a_row_with_a_division_and_a_power_in_its_derivative_is_examined_like_any_other():
    right = "lambda z, x: (1 - z ** 2) / 2"
    row = Operation("tanh_of_half", lambda x: math.tanh(x / 2), [eval(right)], definition="tanh(x / 2)")
    function: Any = ast.parse(right, mode="eval").body
    found = [Mutant(row, 0, source, kind) for kind, source in variants(function)]
    assert all(killer(mutant) or makes_no_difference(mutant) for mutant in found)
    assert not all(makes_no_difference(mutant) for mutant in found)
