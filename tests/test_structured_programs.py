"""A sample of the random structured programs; ``python -m tests.campaign --structured N`` runs any number."""

import random

import pytest

from autograd.compiler import engine
from tests import replaying, structured_programs


@pytest.mark.parametrize("seed", range(12))
def test_a_random_structured_program_replays_in_every_way(seed):
    assert replaying.check(f"structured {seed}") >= 12


@pytest.mark.parametrize("seed", range(5))
def test_and_at_infinities_nan_and_signed_zeros(seed):
    assert replaying.check(f"poles {seed}", poles=True) >= 18


def test_most_programs_are_well_conditioned_and_every_stage_is_drawn():
    programs = [structured_programs.draw(random.Random(f"structured {seed}")) for seed in range(60)]
    assert {kind for p in programs for kind in p.kinds} == {s.__name__ for s in structured_programs.STAGES}
    points = [(program, program.point(random.Random(seed))) for seed, program in enumerate(programs)]
    good = [replaying.well_conditioned(program, point, random.Random(1)) for program, point in points]
    assert sum(good) > 50


def test_the_comparison_sees_a_sum_that_misses_a_term(monkeypatch):
    step = engine.Running.step

    def wrong(self):
        step(self)
        self.d[0] += 1e-6

    monkeypatch.setattr(engine.Running, "step", wrong)
    with pytest.raises(AssertionError, match="gradient"):
        replaying.check("structured 0")
