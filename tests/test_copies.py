"""The engines read what a reverse pass would only copy where it is, and numbers that are known as such."""

import numpy as np
import pytest

import autograd
from autograd import Value, ops
from autograd.compiler.copies import without_copies
from autograd.compiler.engine import count
from autograd.compiler.plan import Apply, Loop, Place, Plan, Statement, statements_of
from tests.plain_engine import PlainEngine
from tests.program_families import FAMILIES, make
from tests.random_plans import Maker

SIZE = 40


def d(base, *strides, table=None):
    return Place("d", base, strides, None if table is None else np.array(table, dtype=np.intp))


def assign(target, expression, *shape, adds=False, summed=0):
    return Statement(target, expression, shape, summed, adds)


def twice(place):
    return Apply(ops.mul, (place, Place("v", 1, (0,) * len(place.strides))))


def plan(*reverse):
    return Plan(4, 4, 0, np.zeros(0), SIZE, (), (), reverse, (), (0,))


def assert_equal_gradients(engines):
    expected, got = (engine.d[: engine.plan.parameters] for engine in engines)
    np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-14)


def assert_same_gradients(before, after):
    engines = [PlainEngine(before), PlainEngine(after)]
    for engine in engines:
        engine.v[:] = np.linspace(0.5, 2.5, before.size)
        engine.d[:] = np.linspace(-1.0, 1.0, before.size)
        engine.reverse()
    assert_equal_gradients(engines)


def left(*reverse):
    """Return how many statements are left, which compute the same gradients."""
    before = plan(*reverse)
    after = without_copies(before)
    assert_same_gradients(before, after)
    return len(after.reverse)


READS = assign(d(0, 1), twice(d(10, 1)), 4)


def test_a_copy_of_a_copy_is_read_where_it_began():
    assert left(assign(d(20, 1), d(30, 1), 4), assign(d(10, 1), d(20, 1), 4), READS) == 1


def test_a_number_for_all_and_a_number_that_is_known():
    assert left(assign(d(10, 1), d(30, 0), 4), READS) == 1
    assert left(assign(d(10, 1), 0.25, 4), READS) == 1
    assert left(assign(d(0, 0, table=[15]), 1.0, 1), assign(d(10, 1), d(15, 0), 4), READS) == 1


def test_what_is_not_next_to_each_other():
    assert left(assign(d(10, 1), d(20, 3), 4), READS) == 1
    assert left(assign(d(10, 3), d(20, 2), 4), assign(d(0, 1), twice(d(10, 6)), 2)) == 1
    assert left(assign(d(13, -1), d(20, 2), 4), READS) == 1
    assert left(assign(d(10, 2, 1), d(20, 6, 3), 2, 2), READS) == 1
    assert left(assign(d(10, 1, 2), d(20, 6, 3), 2, 2), READS) == 2  # turned round


def test_reads_of_parts_through_tables_and_sums():
    table = d(10, 0, table=[3, 0, 0, 2])
    assert left(assign(d(10, 1), d(20, 2), 4), assign(d(0, 1), twice(table), 4)) == 1
    assert left(assign(d(10, 1), d(20, 2), 4), assign(d(0, 1), twice(d(11, 1)), 3)) == 1
    assert left(assign(d(10, 1), d(20, 2), 4), assign(d(0, 0), twice(d(10, 1)), 4, summed=1)) == 1
    assert left(assign(d(10, 1), 3.0, 4), assign(d(0, 0), twice(d(10, 1)), 4, summed=1)) == 1


def test_reads_in_a_loop():
    starts = np.array([0, 1, 3, 4])
    assert left(assign(d(10, 1), d(20, 2), 4), Loop((READS,), (starts,), 3)) == 1


@pytest.mark.parametrize(
    "reverse",
    [
        [assign(d(0, 1), d(10, 1), 4)],
        [assign(d(10, 1), d(20, 1), 4, adds=True), READS],
        [assign(d(10, 1), d(20, 1), 4), assign(d(12), 2.0, adds=True), READS],
        [assign(d(10, 1), d(20, 1), 4), assign(d(22), twice(d(30)), adds=True), READS],
        [assign(d(10, 1), d(20, 1), 3), READS],
        [READS, assign(d(10, 1), d(20, 1), 4), assign(d(0, 1), twice(d(10, 1)), 4, adds=True)],
        [assign(d(10, 2), d(20, 1), 4), assign(d(0, 1), twice(d(11, 2)), 3)],
    ],
    ids=[
        "it is a gradient",
        "it adds",
        "another adds to it",
        "its source changes before it is read",
        "a reader goes beyond it",
        "a reader comes before it",
        "a reader reads what is between its cells",
    ],
)
def test_what_has_to_stay(reverse):
    assert left(*reverse) == len(reverse)


@pytest.mark.parametrize("seed", range(40))
def test_a_random_plan_has_the_same_gradients(seed):
    maker = Maker(seed, size=12)
    before = maker.plan()
    engines = maker.engines(before, without_copies(before))
    for engine in engines:
        engine.forward()
        engine.reverse()
    assert_equal_gradients(engines)


@pytest.mark.parametrize("name", FAMILIES)
def test_no_copies_are_left_but_to_gradients_and_what_has_several_sources(name):
    build, point = make(name, FAMILIES[name].sizes[0])
    leaves = [Value(x) for x in point]
    before = autograd.compile(build(leaves), inputs=leaves)._plan
    after = without_copies(before)
    assert count(after.reverse) < count(before.reverse)
    for statement in statements_of(after.reverse):
        assert not isinstance(statement.expression, float) or statement.target.base < before.parameters
    engines = [PlainEngine(before), PlainEngine(after)]
    for engine in engines:
        engine.v[: len(point)] = point
        engine.forward()
        engine.reverse()
    assert_equal_gradients(engines)
