"""A sample of the campaign; ``python -m tests.campaign`` runs it at any size."""
# ruff: noqa: ARG005 - derivatives have the arguments of their row, used or not

import doctest
import random
import re
from pathlib import Path

import pytest

from autograd import ops
from tests import campaign, poles
from tests.graphs import Line, Program, structured, unstructured, well_conditioned


def test_gradients_of_random_graphs_are_right_to_the_last_digits():
    figures = campaign.run(campaign.against_mpmath, range(150), seed=1)
    assert figures.failures == ()
    assert figures.graphs == 150
    assert figures.operations > 150 * 10
    assert figures.worst_entry > 0.0


def test_gradients_of_random_graphs_with_kinks_agree_with_pytorch():
    pytest.importorskip("torch")
    figures = campaign.run(campaign.against_torch, range(200), seed=1)
    assert figures.failures == ()
    assert figures.operations > 200 * 10


@pytest.mark.parametrize("compare", ["against_mpmath", "against_torch"])
def test_the_campaign_finds_a_derivative_that_is_wrong_by_a_billionth(monkeypatch, compare):
    if compare == "against_torch":
        pytest.importorskip("torch")
    right = ops.mul.derivatives
    monkeypatch.setattr(ops.mul, "derivatives", (lambda z, x, y: y * (1.0 + 1e-9), right[1]))
    assert campaign.run(getattr(campaign, compare), range(20), seed=1).failures


def test_random_programs_are_reproducible_and_hold_every_operation_kinks_and_repeats():
    programs = [unstructured(random.Random(seed), 100) for seed in range(60)]
    assert programs[3] == unstructured(random.Random(3), 100)
    lines = [line for program in programs for line in program.lines]
    assert {line.operation.name for line in lines} == set(ops.TABLE)
    assert any(len(set(line.arguments)) < len(line.arguments) for line in lines)
    ties = [unstructured(random.Random(seed), 50, ties=True) for seed in range(60)]
    assert any(_hits_a_kink(program) for program in ties)


def test_every_wire_of_a_random_program_counts():
    for seed in range(30):
        for program in (unstructured(random.Random(seed), 60), structured(random.Random(seed))):
            count = len(program.inputs) + len(program.lines)
            used = {a for line in program.lines for a in line.arguments if isinstance(a, int)}
            assert used == set(range(count - 1))


def test_ill_conditioned_programs_are_told_from_others():
    assert well_conditioned(unstructured(random.Random(1), 50), limit=6.0)
    assert not all(well_conditioned(structured(random.Random(seed)), limit=1.0) for seed in range(20))


def _hits_a_kink(program):
    wires = program.wires(program.inputs)
    arguments = ([wires[a] if isinstance(a, int) else a for a in line.arguments] for line in program.lines)
    return any(
        kink(*x) == 0.0
        for line, x in zip(program.lines, arguments, strict=True)
        for kink in line.operation.kinks
    )


def test_poles_under_selections_agree_with_pytorch_to_third_order_or_it_is_known_why():
    pytest.importorskip("torch")
    verdicts = poles.run(range(250), seed=1)
    assert not [verdict for verdict in verdicts if "UNEXPLAINED" in verdict]
    for order in (1, 2, 3):
        assert verdicts[f"{order}: agree"] > 40
    assert any("the branch not taken" in verdict for verdict in verdicts)


def test_the_comparison_finds_a_selection_that_multiplies(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(ops.where, "selects", ())
    monkeypatch.setattr(ops.relu, "selects", ())
    disagreements = [poles.compare(index, 1) for index in range(250)]
    right = sum("the branch not taken" in verdict for verdict in disagreements)
    monkeypatch.undo()
    assert right < sum("the branch not taken" in poles.compare(index, 1) for index in range(250))


def test_the_exact_truth_of_a_tower_of_exponentials_overflows_instead_of_filling_the_memory():
    tower = [Line(ops.cosh, (0,)), Line(ops.exp, (1,)), Line(ops.logistic_pdf, (2,))]
    assert poles.true_partial(Program((1e160,), tuple(tower)), []) == [0.0]


def test_the_programs_hold_every_row():
    programs = [poles.under_selections(random.Random(seed)) for seed in range(400)]
    rows = {line.operation for program in programs for line in program.lines}
    assert rows == {*ops.TABLE.values()} - {ops.strong_mul}  # which only a derivative is made of
    numbers = [x for program in programs for x in program.inputs]
    assert {str(x) for x in numbers} >= {"0.0", "-0.0", "inf", "-inf", "5e-324", "-1e-310"}


def test_the_page_of_differences_gives_the_reasons_that_the_campaign_knows():
    page = (Path(__file__).parent.parent / "docs" / "differences.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    given = {re.sub(r"^(`\w+`(, )?)+: ", "", cells[-1]) for cells in rows if cells[0][0].isdigit()}
    known = {value for name, value in vars(poles).items() if name.isupper() and isinstance(value, str)}
    assert len(given) > 10
    assert given <= known | set(poles.ROWS.values())
    examples = doctest.DocTestParser().get_doctest(page, {}, "page", None, 0)
    assert doctest.DocTestRunner().run(examples).failed == 0
