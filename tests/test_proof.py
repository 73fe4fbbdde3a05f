"""Every local derivative of the table, proved by computer algebra from the definition of its row."""

import pytest

from autograd import Operation, ops
from tests.proof import prove

LONG = ("mish",)
"""What takes computer algebra half a minute."""
ROWS = [
    pytest.param(row, marks=[pytest.mark.slow] * (row.name in LONG), id=row.name)
    for row in ops.TABLE.values()
    if not all(argument in row.constants for argument in row.arguments)
]


@pytest.mark.parametrize("row", ROWS)
def test_every_local_derivative_is_the_derivative_of_the_definition(row):
    for index in row.differentiable:
        assert list(prove(row, index))


@pytest.mark.parametrize(
    "row",
    [
        row if k % 4 == 0 else pytest.param(*row.values, marks=pytest.mark.slow, id=row.id)
        for k, row in enumerate(ROWS)
    ],
)
def test_a_derivative_that_is_wrong_by_a_thousandth_is_refuted(row):
    index = row.differentiable[-1]
    right = row.derivatives[index]
    derivatives = [d if i in row.differentiable else None for i, d in enumerate(row.derivatives)]
    derivatives[index] = lambda z, *x: right(z, *x) + 0.0009765625 * x[index]
    fields = {name: getattr(row, name) for name in ("arguments", "defaults", "domain", "definition")}
    with pytest.raises(AssertionError, match="the derivative is"):
        list(prove(Operation(row.name, row.value, derivatives, **fields), index))


def test_a_definition_with_another_branch_is_told_apart_region_by_region():
    shifted = Operation(
        "shifted",
        lambda x: x if x > 1.0 else 0.0,
        [lambda z, x: ops.greater(x, 0.0)],  # noqa: ARG005 - a derivative has all arguments
        definition="x if x > 1 else 0.0",
    )
    with pytest.raises(AssertionError, match=r"at {x: .* the derivative is 0, not 1"):
        list(prove(shifted, 0))
