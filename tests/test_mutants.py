"""A sample of the mutation report; ``python -m tests.mutants`` runs all of it."""

import pytest

from autograd import ops
from tests.mutants import Mutant, killer, makes_no_difference, mutants

ALL = list(mutants())


@pytest.mark.parametrize(
    "mutant", ALL[::30], ids=lambda mutant: f"{mutant.row.name}[{mutant.index}]: {mutant.source}"
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
