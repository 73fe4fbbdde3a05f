"""The first addition to a cell that is zero is an assignment."""

import numpy as np
import pytest

from autograd.compiler.first_use import assigned
from autograd.compiler.plan import Loop, Place, Plan, Statement
from tests.plain_engine import PlainEngine
from tests.random_plans import Maker

V = Place("v", 0, (1,))


def plan(*reverse, cleared=((0, 8),)):
    return Plan(4, 4, 0, np.zeros(0), 8, (), (), reverse, cleared, (7,))


def add(base, value=V, shape=(4,), strides=(1,), table=None):
    return Statement(Place("d", base, strides, table), value, shape, adds=True)


def kinds(result):
    return [step.adds for step in result.reverse]


def test_only_the_first_addition_is_an_assignment_and_its_cells_are_not_cleared():
    result = assigned(plan(add(0), add(0), add(4)))
    assert kinds(result) == [False, True, False]
    assert result.cleared == ()


def test_cells_that_were_read_before_stay_zero():
    result = assigned(plan(add(4, Place("d", 0, (1,))), add(0)))
    assert kinds(result) == [False, True]
    assert result.cleared == ((0, 4),)


def test_a_target_that_is_named_twice_is_added_to():
    table = np.array([0, 1, 1, 2], dtype=np.intp)
    assert kinds(assigned(plan(add(0, table=table, strides=(0,))))) == [True]
    assert kinds(assigned(plan(add(0, table=table[[0, 1, 3, 3]] + np.arange(4), strides=(0,))))) == [False]


def test_what_is_not_cleared_is_added_to():
    assert kinds(assigned(plan(add(0), cleared=((0, 3),)))) == [True]


def test_after_a_choice_any_cell_may_have_been_used():
    choice = Place("d", 0, (0,), None, Place("v", 3, (0,)), 1)
    assert kinds(assigned(plan(Statement(choice, 1.0, (4,), adds=True), add(0)))) == [True, True]


def test_what_adds_up_along_an_axis_is_a_sum_that_is_assigned():
    result = assigned(plan(add(0, strides=(0,)), add(4, Place("v", 0, (2, 0)), (2, 3), (1, 0))))
    assert kinds(result) == [False, False]
    assert [getattr(step, "summed", None) for step in result.reverse] == [1, 1]
    engine = PlainEngine(result)
    engine.v[:4] = 1.0, 2.0, 4.0, 8.0
    engine.reverse()
    assert engine.d.tolist() == [15.0, 0.0, 0.0, 0.0, 3.0, 12.0, 0.0, 0.0]


def loop(*body, starts=None, backward=False):
    return Loop(tuple(body), tuple(starts or [None] * len(body)), 4, backward)


def body_kinds(result):
    return [statement.adds for statement in result.reverse[0].body]


def test_in_a_loop_what_every_step_adds_to_first_is_assigned():
    later = add(0, Place("d", 4, (1,)))
    assert body_kinds(assigned(plan(loop(add(4), add(4), later)))) == [False, True, False]


def test_in_a_loop_what_another_step_has_used_before_is_added_to():
    ahead = Place("d", 1, (1,))
    assert body_kinds(assigned(plan(loop(add(0, ahead, strides=(1,)))))) == [True]
    assert body_kinds(assigned(plan(loop(add(0, ahead, strides=(1,)), backward=True)))) == [False]
    behind = add(1, Place("d", 0, (1,)))
    assert body_kinds(assigned(plan(loop(behind)))) == [False]
    assert body_kinds(assigned(plan(loop(behind, add(0))))) == [False, True]


def test_only_the_rows_that_a_loop_runs_count():
    starts = np.array([1, 1, 2, 3, 3])
    result = assigned(plan(loop(add(0), starts=[starts])))
    assert body_kinds(result) == [False]
    assert result.cleared == ((0, 8),)


def test_a_chain_that_begins_with_what_was_used_before_is_assigned_but_for_its_end():
    chain = add(0, Place("d", 1, (1,)))
    result = assigned(plan(add(0, shape=()), loop(chain, backward=True)))
    _, rest, last = result.reverse
    assert [rest.body[0].adds, last.adds] == [False, True]
    assert [rest.length, rest.body[0].shape, last.shape] == [3, (3,), (1,)]
    ragged = loop(chain, starts=[np.array([0, 1, 1, 2, 3])], backward=True)
    _, rest, last = assigned(plan(add(0, shape=()), ragged)).reverse
    assert [rest.length, rest.starts[0].tolist(), last.shape] == [3, [0, 0, 1, 2], (1,)]


@pytest.mark.parametrize("seed", range(60))
def test_a_random_plan_means_the_same(seed):
    maker = Maker(seed, size=12)
    before = maker.plan()
    engines = maker.engines(before, assigned(before))
    for engine in engines:
        engine.forward()
        engine.d[: before.parameters] = 7.0
        for start, stop in before.cleared:  # what is not cleared any more is assigned
            engine.d[start:stop] = 3.0
        engine.reverse()
    np.testing.assert_allclose(engines[1].d, engines[0].d, rtol=1e-12, atol=1e-12)
