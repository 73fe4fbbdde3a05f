"""The NumPy engine against the reference engine, which goes point by point."""

import random
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Operation, Value, ops
from autograd.compiler import arrays, float_loops, float_slices, numpy_engine, pairs
from autograd.compiler.numpy_engine import NumpyEngine, compile_steps
from autograd.compiler.plan import Apply, Place, Plan, Statement, allocate
from tests.plain_engine import PlainEngine
from tests.program_families import make
from tests.random_plans import SPECIAL, Maker
from tests.rows import by_name, leaves, samples

ROWS = list(ops.TABLE.values())
EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 30.0, -40.0, 800.0, np.inf, -np.inf, np.nan)


def assert_equal_memories(engine, reference):
    for memory in ("v", "d"):
        actual, expected = getattr(engine, memory), getattr(reference, memory)
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def run(engine, times=2):
    with np.errstate(all="ignore"):
        for _ in range(times):
            engine.forward()
            engine.reverse()


@pytest.fixture(params=["as chosen", "arrays only", "slice by slice", "written out"])
def path(request, monkeypatch):
    """Small statements and loops are also run as the large ones are."""
    if request.param == "arrays only":
        monkeypatch.setattr(numpy_engine, "SMALL", -1)
        monkeypatch.setattr(numpy_engine, "BLOCK", 6)
        monkeypatch.setattr(numpy_engine, "PART", 3)
        monkeypatch.setattr(arrays, "LONG_RUNS", 1)
        monkeypatch.setattr(pairs, "FEWEST", 1)
        monkeypatch.setattr(pairs, "SPARSEST", 10**6)
        monkeypatch.setattr(float_loops, "LARGEST", -1)
        monkeypatch.setattr(float_slices, "LARGEST", -1)
    elif request.param != "as chosen":
        monkeypatch.setattr(float_slices, "SLICE", -1e9)
        monkeypatch.setattr(float_slices, "LARGEST", 10**9)
        monkeypatch.setattr(float_slices, "LENGTHY", 0 if request.param == "slice by slice" else 10**9)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("seed", range(50))
def test_a_random_plan_means_what_the_reference_says(seed):
    special = seed % 2 == 1
    maker = Maker(seed)
    plan = maker.plan()
    reference = PlainEngine(plan)
    maker.fill(plan, reference.v, special=special)
    engine = NumpyEngine(plan)
    engine.v[:] = reference.v
    run(reference)
    run(engine)
    assert_equal_memories(engine, reference)
    run(reference, 1)
    engine.step()
    assert_equal_memories(engine, reference)


@pytest.mark.parametrize("seed", range(12))
def test_the_source_is_a_program_of_its_own(seed, capsys):
    maker = Maker(seed)
    plan = maker.plan()
    engine = NumpyEngine(plan)
    maker.fill(plan, engine.v)
    source = engine.source
    engine.step()
    pasted: dict[str, Any] = {"__name__": "__main__"}
    exec(source, pasted)
    np.testing.assert_allclose(pasted["v"], engine.v, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(pasted["d"], engine.d, rtol=1e-12, atol=1e-12)
    assert float(capsys.readouterr().out) == pytest.approx(engine.v[plan.outputs[0]], rel=1e-12)


@pytest.mark.parametrize("name", ["attention", "heads"])
@pytest.mark.parametrize("number", [0.0, np.inf, -np.inf, np.nan])
def test_pairs_of_rows_are_multiplied_all_with_all_and_those_that_there_are_not_say_nothing(name, number):
    build, point = make(name, 16)
    leaves = [Value(x) for x in point]
    plan = autograd.compile(build(leaves), inputs=leaves)._plan
    engine, reference = NumpyEngine(plan), PlainEngine(plan)
    assert "pairs1" in engine.source
    assert "weights1" in engine.source
    numbers = np.array(point)
    run(engine, 1)  # what is left of the numbers before must not matter either
    for place in (None, len(numbers) - 1, 60, 0):
        for memory in (engine.v, reference.v):
            memory[: len(numbers)] = numbers
            if place is not None:
                memory[place] = number
        run(engine, 1)
        run(reference, 1)
        assert_equal_memories(engine, reference)


def test_steps_run_on_the_memories_of_another_engine():
    maker = Maker(3)
    plan = maker.plan()
    engine = NumpyEngine(plan)
    maker.fill(plan, engine.v)
    v, d = allocate(plan)
    v[:] = engine.v
    engine.forward()
    compile_steps(plan.forward[:2], v, d)()
    compile_steps(plan.forward[2:], v, d)()
    np.testing.assert_array_equal(v, engine.v)
    shared = NumpyEngine(plan, v, d)
    assert shared.v is v
    assert shared.d is d


def column(row, points, add=None):
    """A plan that applies a row to points, the columns of which lie one after the other."""
    count = len(points)
    arguments = tuple(Place("v", j * count, (1,)) for j in range(row.arity))
    expression = Apply(row, arguments)
    if add is not None:
        expression = Apply(ops.add, (expression, add))
    target = Place("v", row.arity * count, (1,))
    size = (row.arity + 1) * count
    statement = Statement(target, expression, (count,))
    return Plan(
        row.arity * count, row.arity * count, 0, np.zeros(0), size, (), (statement,), (), (), (size - 1,)
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("add", [None, 0.0], ids=["alone", "within an expression"])
def test_every_row_of_the_table(row, add):
    rng = random.Random(row.name)
    points = [tuple(rng.choices(EDGES, k=row.arity)) for _ in range(150)]
    points += [tuple(rng.uniform(-3.0, 3.0) for _ in range(row.arity)) for _ in range(50)]
    engine = NumpyEngine(column(row, points, add))
    engine.v[: -len(points)] = np.array(points).T.ravel()
    engine.forward()
    expected = [row.value(*point) for point in points]
    np.testing.assert_allclose(engine.v[-len(points) :], expected, rtol=4e-15, atol=1e-300)


@pytest.mark.parametrize("row", [ops.less, ops.greater_equal], ids=lambda row: row.name)
def test_comparisons_are_numbers_in_sums_and_products(row):
    a, b = Place("v", 0, (1,)), Place("v", 8, (1,))
    test = Apply(row, (a, b))
    both = Apply(ops.add, (test, Apply(ops.mul, (test, test))))
    statements = [
        Statement(Place("v", 16, (1,)), both, (8,)),
        Statement(Place("v", 24, (0,)), test, (8,), 1),
        Statement(Place("v", 25, (0,)), Apply(ops.mul, (test, both)), (8,), 1),
        Statement(Place("v", 26, (1,)), test, (8,)),
    ]
    plan = Plan(16, 16, 0, np.zeros(0), 40, (), tuple(statements), (), (), (25,))
    reference, engine = PlainEngine(plan), NumpyEngine(plan)
    reference.v[:16] = engine.v[:16] = [random.Random(5).choice(SPECIAL) for _ in range(16)]
    run(reference)
    run(engine)
    assert_equal_memories(engine, reference)


USERS = [
    Operation("cube", lambda x: x**3, [lambda _z, x: 3.0 * x * x]),
    Operation("<lambda>", lambda x: x if x > 0.25 else -2.0 * x, [lambda *_: 1.0]),
    Operation("np", lambda x: float(x > 0.0), [lambda *_: 0.0], numpy=lambda _np, x: x > 0.0),
    Operation("floor", lambda x: float(int(x)), [lambda *_: 0.0], numpy=lambda _np, x: x.astype(int)),
    Operation("kind", lambda x: x if isinstance(x, float) else x + 1.0, [lambda *_: 1.0]),
    Operation("seen", lambda x: 2.0 * x if x == x else x, [lambda *_: 2.0]),
]


@pytest.mark.parametrize("row", USERS, ids=lambda row: row.name)
def test_a_row_of_ones_own_is_a_float_whatever_its_array_form_returns(row):
    points = [(x,) for x in (0.5, -1.5, 0.0, 3.25, 0.2)]
    engine = NumpyEngine(column(row, points))
    engine.v[:5] = np.array(points).ravel()
    engine.forward()
    assert engine.v[5:].tolist() == [row.value(*point) for point in points]


def test_a_value_made_of_operators_is_an_array_program_too():
    """It need not be called number by number, also where it is defined for some numbers only."""
    rows = [
        Operation("cube", lambda x: x**3, [lambda _z, x: 3.0 * x * x]),
        Operation("root", lambda x: x**0.5, [lambda z, _x: 0.5 / z], domain=[(0.0, np.inf)]),
        Operation("scaled", lambda x, y: -ops.tanh(x) / (1.0 + y * y), [lambda *_: 1.0, lambda *_: 1.0]),
    ]
    for row in rows:
        assert "define it here" not in NumpyEngine(column(row, [(1.0,) * row.arity] * 30)).source
        assert row.name not in NumpyEngine(column(row, [(1.0,) * row.arity] * 30)).source


@pytest.mark.parametrize("members", [2, 30])
@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_every_row_has_a_source_of_its_own_alone_and_in_arrays(row, members, capsys):
    """Rows with an order, and those whose derivatives have one, among them."""
    points = [leaves(row, point) for point in samples(row, members, random.Random(row.name))]
    values = [x for point in points for x in point if isinstance(x, Value)]
    program = autograd.compile(sum(row(*point) for point in points), inputs=values, engine="numpy")
    expected, source = program(), program.source
    pasted: dict[str, Any] = {"__name__": "__main__"}
    exec(source, pasted)
    assert float(capsys.readouterr().out) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(pasted["d"][: len(values)], program.gradients, rtol=1e-11)


def test_the_source_says_which_functions_of_ones_own_it_needs():
    source = NumpyEngine(column(USERS[1], [(1.0,)] * 20)).source
    assert "the array form of the operation '<lambda>': define it here" in source
    assert "define it here" not in NumpyEngine(column(USERS[0], [(1.0,)] * 20)).source


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0.0, "c0"),
        (-0.0, "cm0"),
        (0.5, "c0p5"),
        (-1e-05, "cm1em05"),
        (1e300, "c1e300"),
        (np.inf, "cinf"),
        (1.0 / 3.0, "number1"),
    ],
)
def test_a_short_number_is_called_what_it_is_in_the_source(number, name, capsys):
    doubled = Apply(ops.mul, (Place("v", 0, (1,)), number))
    plan = Plan(
        30, 30, 0, np.zeros(0), 60, (), (Statement(Place("v", 30, (1,)), doubled, (30,)),), (), (), (30,)
    )
    engine = NumpyEngine(plan)
    engine.v[:30] = 1.0
    assert f"np.multiply(v1, {name}, out=v2)" in engine.source
    exec(engine.source, {"__name__": "__main__"})
    assert float(capsys.readouterr().out) == number
