"""A sample of the random structured programs; ``python -m tests.campaign --structured N`` runs any number."""

import math
import random

import numpy as np
import pytest

import autograd
from autograd import Value, ops
from autograd.compiler import engine
from tests import replaying, structured_programs


@pytest.mark.parametrize("seed", range(12))
def test_a_random_structured_program_replays_in_every_way(seed):
    assert replaying.check(f"structured {seed}") >= 12


@pytest.mark.parametrize("seed", range(5))
def test_and_at_infinities_nan_and_signed_zeros(seed):
    assert replaying.check(f"poles {seed}", poles=True) >= 18


@pytest.mark.parametrize("engine_name", ["numpy", "wasm"])
def test_what_appears_twice_is_computed_once_at_a_pole_too(engine_name):
    for f, point in [
        (lambda x: ops.sqrt(x) - ops.sqrt(x), 0.0),
        (lambda x: ops.log(x) * 2.0 - 2.0 * ops.log(x), 0.0),
        (lambda x: ops.maximum(x * x, x) - ops.maximum(x * x, x) + x, math.inf),
    ]:
        leaf = Value(0.7)
        program = autograd.compile(f(leaf), inputs=[leaf], engine=engine_name)
        program.parameters = [point]
        program()
        leaf = Value(point)
        (once,) = replaying.merged([f(leaf)])
        once.backward()
        np.testing.assert_array_equal(program.gradients, [leaf.grad])


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
