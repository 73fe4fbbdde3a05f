"""Running folds of unequal lengths, side by side, are what their loop computes step by step."""

import random

import numpy as np
import pytest

from autograd import ops
from autograd.compiler import folds
from autograd.compiler.numpy_engine import NumpyEngine
from autograd.compiler.plan import Apply, Loop, Place, Plan, Statement
from tests.plain_engine import PlainEngine
from tests.random_plans import SPECIAL

INPUTS = 40


def table(addresses):
    return Place("v", 0, (0,), np.array(addresses, dtype=np.intp))


def chains(rng, kind=""):
    """Return the rows (target, last, other) of a loop's steps: some of the chains go on in each.

    Args:
        rng: draws how long they are, and where everything is.
        kind: in which respect it is no chains, one time.
    """
    cells = list(range(INPUTS, 2 * INPUTS + 20))
    rng.shuffle(cells)
    ends = [rng.randrange(INPUTS) for _ in range(4)]
    steps, written = [], []
    for _ in range(12):
        rows, before = [], len(written)
        for chain in rng.sample(range(4), rng.randint(0, 4)):
            rows.append([cells.pop(), ends[chain], rng.randrange(INPUTS)])
            ends[chain] = rows[-1][0]
            written.append(rows[-1])
        steps.append(rows)
        inner = [row[1] for row in written[:before] if row[1] >= INPUTS]
        if kind and inner and len(written) > before:
            if kind == "forks":
                written[-1][1] = inner[0]
            elif kind == "reads a result":
                written[-1][2] = written[0][0]
            else:
                written[before][1] = cells[0]  # written later
            return [*steps, [[cells.pop(0), 0, 1]]], written
    return steps, written


def plan_of(steps, row, swapped=False):
    rows = [row for step in steps for row in step]
    target, last, other = (table(column) for column in zip(*rows, strict=True))
    starts = np.cumsum([0, *map(len, steps)])
    expression = Apply(row, (other, last) if swapped else (last, other))
    loop = Loop((Statement(target, expression, (len(rows),)),), (starts,), len(steps))
    size = 2 * INPUTS + 20
    return Plan(INPUTS, INPUTS, 0, np.zeros(0), size, (), (loop,), (), (), (0,))


def backwards(plan):
    """Return the same with the rows, and the steps, the other way round."""
    (loop,) = plan.forward
    (statement,), (starts,) = loop.body, loop.starts
    target, (last, other) = statement.target, statement.expression.arguments
    turned = [table(place.table[::-1]) for place in (target, last, other)]
    statement = Statement(turned[0], Apply(statement.expression.operation, (*turned[1:],)), statement.shape)
    bounds = starts[-1] - starts[::-1]
    return Loop((statement,), (bounds,), loop.length, backward=True)


def assert_same(plan, seed, *, accumulates):
    engine, reference = NumpyEngine(plan), PlainEngine(plan)
    assert ("accumulate" in engine.source) == accumulates
    for numbers in (SPECIAL, np.random.default_rng(seed).uniform(-2.0, 2.0, INPUTS)):
        engine.v[:INPUTS] = reference.v[:INPUTS] = np.resize(numbers, INPUTS)
        with np.errstate(all="ignore"):
            engine.forward()
            reference.forward()
        np.testing.assert_array_equal(engine.v, reference.v)


@pytest.mark.parametrize(
    "row", [ops.maximum, ops.minimum, ops.mul, ops.add, ops.sub], ids=lambda row: row.name
)
@pytest.mark.parametrize("seed", range(5))
def test_chains_of_any_lengths(seed, row):
    steps, _ = chains(random.Random(seed))
    plan = plan_of(steps, row)
    assert_same(plan, seed, accumulates=True)
    assert_same(Plan(**{**vars(plan), "forward": (backwards(plan),)}), seed, accumulates=True)


def test_the_arguments_may_change_places_where_the_function_says_the_same():
    steps, _ = chains(random.Random(1))
    assert_same(plan_of(steps, ops.maximum, swapped=True), 1, accumulates=True)
    assert_same(plan_of(steps, ops.sub, swapped=True), 1, accumulates=False)


@pytest.mark.parametrize("kind", ["forks", "reads a result", "reads what is computed later"])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_no_chain_goes_step_by_step(seed, kind, monkeypatch):
    monkeypatch.setattr(folds, "STEP", 1e9)
    steps, _ = chains(random.Random(seed), kind)
    assert_same(plan_of(steps, ops.mul), seed, accumulates=False)
