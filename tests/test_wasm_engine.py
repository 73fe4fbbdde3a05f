"""The machine-code engine against the plain one, the rows of the table in it against the definitions."""

import gc
import itertools
import math
import os
import platform
import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from mpmath import mpf

import autograd
from autograd import Operation, Value, ops
from autograd.compiler.adjoint import Term
from autograd.compiler.numpy_engine import NumpyEngine
from autograd.compiler.plan import Apply, Loop, Place, Plan, Statement, Step
from autograd.compiler.wasm import CannotStartError, WasmEngine
from autograd.compiler.wasm.trace import LIBRARY, TraceError, interning, leaf, trace
from tests.oracle import derivative, exact, points, ulps, unary_rows
from tests.plain_engine import PlainEngine
from tests.random_plans import SPECIAL, Maker
from tests.rows import by_name, same, samples, settled

inf, nan = math.inf, math.nan
ROWS = list(ops.TABLE.values())


def plan_of(*forward, size, reverse=(), constants=(), cleared=()):
    """Return a plan of some steps."""
    constants = np.array(constants, float)
    return Plan(
        parameters=0,
        constants=constants,
        fixed=0,
        data=0,
        size=size + len(constants),
        regions=(),
        forward=forward,
        reverse=reverse,
        cleared=cleared,
        outputs=(),
    )


def run(plan, v):
    """Return both memories after a step of the engine that begins with these values."""
    engine = WasmEngine(plan)
    engine.v[: len(v)] = v
    engine.step()
    return engine.v.copy(), engine.d.copy()


def assert_agrees(plan, v):
    """Require the plain engine's values, and its adjoints as far as the caller reads them, few or all."""
    plain = PlainEngine(plan)
    plain.v[: len(v)] = v
    plain.forward()
    plain.reverse()
    for count in (0, 1, 7, plan.size // 2, plan.size) if plan.reverse else (plan.size,):
        values, adjoints = run(replace(plan, parameters=count), v)
        # Sums are in another order than the plain engine's exact one.
        np.testing.assert_allclose(values, plain.v, rtol=1e-10, atol=1e-11)
        np.testing.assert_allclose(adjoints[:count], plain.d[:count], rtol=1e-10, atol=1e-11)


# Statements and loops ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_random_plans(seed):
    maker = Maker(seed, size=(5, 40, 250)[seed % 3])
    plan = maker.plan()
    v = np.zeros(plan.size)
    maker.fill(plan, v)
    v[plan.size - len(plan.constants) :] = plan.constants
    assert_agrees(plan, v)


@pytest.mark.parametrize("seed", range(40))
def test_adjoints_are_in_memory_as_long_as_they_are_read(seed):
    """By statements of one number or of a few, by loops, and in the end by those that copy some to values."""
    rng = random.Random(seed)
    families = {1: range(60), 3: range(60, 72), 40: range(80, 200)}  # by how many are written at once
    steps: list[Step] = [Statement(Place("d", i, ()), Place("v", i, ()), ()) for i in families[1]]

    def place(now, length, points):
        first, last = (now // 2, now // 2 + 8) if length == 1 else (0, len(families[length]))
        base = rng.randrange(first, last, length) + families[length].start
        return Place("d", base, (int(length > 1),) if points else ())

    for now in range(100):
        length = rng.choice((1, 1, 3, 40))
        points = length > 1 or rng.random() < 0.2
        target = place(now, length, points)
        read = tuple(place(now, length if rng.random() < 0.95 else 1, points) for _ in range(2))
        if any(other.base == target.base for other in read):
            continue
        shape = (length,) if points else ()
        step = Statement(target, Apply(ops.sub, read), shape, adds=rng.random() < 0.5)
        looped: Step = Loop((step,), (None,), length)
        steps.append(looped if length > 1 and rng.random() < 0.5 else step)
    seen = rng.sample([*families[1], *families[3], *families[40]], 20)
    steps += [Statement(Place("v", 300 + i, ()), Place("d", cell, ()), ()) for i, cell in enumerate(seen)]
    v = [rng.uniform(-1, 1) for _ in families[1]]
    assert_agrees(plan_of(size=400, reverse=tuple(steps), cleared=((0, 400),)), v)


@pytest.mark.parametrize("terms", [0, 1, 2, 7, 16])
@pytest.mark.parametrize("layout", ["ab", "abT", "aTb", "aTbT"])
def test_matrix_products_of_every_layout_and_remainder(terms, layout):
    for rows, columns in product([1, 2, 3, 4, 5, 9], [1, 2, 3, 8, 17]):
        plan, numbers = matrix_product(rows, columns, terms, layout)
        assert_agrees(plan, numbers)


def test_relaxed_sums_of_products_agree_to_rounding():
    plan, numbers = matrix_product(9, 17, 16, "ab")
    strict, relaxed = WasmEngine(plan), WasmEngine(plan, relaxed=True)
    for engine in (strict, relaxed):
        engine.v[: len(numbers)] = numbers
        engine.step()
    np.testing.assert_allclose(relaxed.v, strict.v, rtol=1e-12, atol=1e-13)


def matrix_product(rows, columns, terms, layout):
    """Return a plan of one product of matrices, and what it begins with."""
    a = (terms, 0, 1) if "aT" not in layout else (1, 0, rows)
    b = (0, 1, columns) if "bT" not in layout else (0, terms, 1)
    half, target = 300, Place("v", 600, (columns, 1, 0))
    term = Apply(ops.mul, (Place("v", 0, a), Place("v", half, b)))
    numbers = np.random.default_rng(0).normal(size=600)
    return plan_of(Statement(target, term, (rows, columns, terms), 1), size=800), numbers


def test_a_sum_over_everything_is_added_to_one_cell():
    term = Apply(ops.mul, (Place("v", 0, (1,)), Place("v", 0, (1,))))
    adds = Statement(Place("v", 999, (0,)), term, (999,), 0, adds=True)
    assert_agrees(plan_of(adds, adds, size=1000), np.random.default_rng(0).normal(size=1000))


def test_an_elementwise_chain_reads_what_it_has_just_computed_and_what_lies_elsewhere():
    """Statements of one shape are run point by point only where that is the same as one after the other."""
    n = 50
    x, y, z = (Place("v", k * n, (1,)) for k in range(3))
    shifted = Place("v", n + 1, (1,))
    statements = [
        Statement(y, Apply(ops.sin, (x,)), (n,)),
        Statement(z, Apply(ops.mul, (y, y)), (n,)),
        Statement(Place("v", 3 * n, (1,)), Apply(ops.add, (z, Place("v", n, (0,)))), (n,)),
        Statement(Place("v", 4 * n, (1,)), shifted, (n - 1,)),
        Statement(x, 0.5, (n,)),
    ]
    assert_agrees(plan_of(*statements, size=5 * n), np.random.default_rng(0).normal(size=n))


N = 41
NUMBERS = np.random.default_rng(2).normal(size=4 * N)
NUMBERS[3 * N :] = np.random.default_rng(3).integers(0, 7, N)  # choices
ORDER, OFTEN = (np.random.default_rng(4).permutation(N), np.arange(N) // 2 * 3 % N)
APART = {
    "every second": Place("v", 1, (2,)),
    "backwards": Place("v", 2 * N, (-1,)),
    "by a table": Place("v", 0, (0,), OFTEN),
    "by choice": Place("v", N, (1,), choice=Place("v", 3 * N, (1,)), step=3),
    "side by side": Place("v", 0, (1,)),
}
TARGETS = {
    "every second": Place("d", 1, (2,)),
    "backwards": Place("d", N, (-1,)),
    "by a table": Place("d", 0, (0,), ORDER),
    "side by side": Place("d", 0, (1,)),
    "to some cells twice": Place("d", 0, (0,), OFTEN),
}


SLICES = np.cumsum([0, 0, 1, 2, 3, 0, 4, 7, 1, 12, 11])
"""The bounds of slices of ``N`` points: of none, of an odd and of an even number."""


@pytest.mark.parametrize("sliced", [False, True])
@pytest.mark.parametrize(("source", "target"), list(product(APART, TARGETS)))
def test_a_function_of_what_lies_apart_or_is_added_to_what_does(source, target, sliced):
    """They are computed for two at once, which are read one by one, and may be added to the same cell."""
    argument = Apply(ops.add, (APART[source], Place("v", N, (1,))))
    adds = Statement(TARGETS[target], Apply(ops.tanh, (argument,)), (N,), adds=True)
    twice = Apply(ops.mul, (TARGETS[target], Apply(ops.normal_cdf, (TARGETS[target],))))
    again = Statement(TARGETS[target], twice, (N,), adds=True)
    once = () if target == "to some cells twice" else (again, replace(again, adds=False))
    steps: tuple[Step, ...] = (adds, *once)
    if sliced:
        steps = tuple(Loop((step,), (SLICES,), len(SLICES) - 1) for step in (adds, *once))
    assert_agrees(plan_of(reverse=steps, size=4 * N), NUMBERS)


def test_equal_runs_give_equal_bits():
    maker = Maker(3, size=200)
    plan = maker.plan()
    v = np.zeros(plan.size)
    maker.fill(plan, v)
    first = run(plan, v)
    for memory, again in zip(first, run(plan, v), strict=True):
        assert memory.tobytes() == again.tobytes()


def all_rows_and_a_product():
    """Return the bytes of what every row of one argument gives, and of a product of matrices; nan aside."""
    at = np.array([k / 7.0 for k in range(-21, 22)] + [40.0, -40.0, 700.0, 1e-5, 1e10])
    n = len(at)
    rows = [row for row in ROWS if row.arity == 1]
    statements = [
        Statement(Place("v", (1 + k) * n, (1,)), Apply(row, (Place("v", 0, (1,)),)), (n,))
        for k, row in enumerate(rows)
    ]
    plan, numbers = matrix_product(9, 17, 16, "abT")
    found = run(plan_of(*statements, size=(1 + len(rows)) * n), at)[0]
    return np.concatenate([np.nan_to_num(found), run(plan, np.cos(np.arange(len(numbers))))[0]]).tobytes()


def test_a_processor_without_the_latest_instructions_gives_the_same_bits(monkeypatch):
    import wasmtime

    from autograd.compiler.wasm import engine

    expected = all_rows_and_a_product()
    machine = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}[
        platform.machine()
    ]
    config = wasmtime.Config()
    config.target = machine + {"linux": "-unknown-linux-gnu", "darwin": "-apple-darwin"}.get(
        sys.platform, "-pc-windows-msvc"
    )
    config.wasm_relaxed_simd = True
    plain = wasmtime.Engine(config)
    monkeypatch.setattr(engine, "_runtime", lambda: (wasmtime, plain))
    engine._library.cache_clear()
    assert all_rows_and_a_product() == expected
    engine._library.cache_clear()


def test_a_long_loop_whose_body_is_split_into_functions():
    n, steps = 100, 7
    body = [
        Statement(Place("v", 1000 * k + 1000, (1,)), Apply(ops.sin, (Place("v", 1000 * k, (1,)),)), (steps,))
        for k in range(n)
    ]
    loop = Loop(tuple(body), (None,) * n, steps)
    assert_agrees(plan_of(loop, size=1000 * (n + 1)), np.random.default_rng(0).normal(size=steps))


def test_thousands_of_statements_are_many_functions():
    rng = random.Random(0)
    statements = []
    for k in range(10, 3000):
        row = rng.choice((ops.add, ops.mul, ops.tanh, ops.relu))
        arguments = tuple(Place("v", rng.randrange(k), ()) for _ in range(row.arity))
        statements.append(Statement(Place("v", k, ()), Apply(row, arguments), ()))
    assert_agrees(plan_of(*statements, size=3000), np.random.default_rng(0).normal(size=10))


# Rows -------------------------------------------------------------------------------------------------------


def computed(row, arguments):
    """Return a row's values and local derivatives at points, computed by the engine: columns of an array."""
    if not row.constants:
        return computed_alike(row, arguments)
    found = []
    for point in arguments:  # in a program an order is a number
        found += computed_alike(row, [point]).tolist()
    return found


def computed_alike(row, arguments):
    """Return the same for points with the same numbers for arguments without a derivative."""
    arguments = np.array(arguments, float)
    count = len(arguments)
    places: list[Place | float] = [Place("v", i * count, (1,)) for i in range(row.arity)]
    for i in row.constant_places:
        places[i] = float(arguments[0, i])
    result = Place("v", row.arity * count, (1,))
    statements = [Statement(result, Apply(row, tuple(places)), (count,))]
    for i in row.differentiable:
        expression = row.derivatives[i](
            Term(result), *(Term(place) if isinstance(place, Place) else place for place in places)
        )
        expression = expression.expression if isinstance(expression, Term) else float(expression)
        statements.append(Statement(Place("v", (row.arity + 1 + i) * count, (1,)), expression, (count,)))
    v, _ = run(plan_of(*statements, size=(2 * row.arity + 1) * count), arguments.T.ravel())
    return v.reshape(-1, count)[row.arity :].T


@pytest.mark.parametrize("row", unary_rows(), ids=by_name)
def test_smooth_functions_keep_the_promise_of_the_table(row):
    at = [(x, *row.defaults) for x in points(row, 15, random.Random(2))]
    for arguments, (value, slope, *_) in zip(at, computed(row, at), strict=True):
        assert ulps(value, exact(row, arguments)) <= 2.0, arguments
        near = any(abs(crossing(*arguments)) < 0.5 for crossing in row.crossings)
        scale = mpf(arguments[0]) * derivative(row, arguments, order=2) if near else 0
        assert ulps(slope, derivative(row, arguments), scale) <= 4.0, arguments


@pytest.mark.parametrize("row", [row for row in ROWS if row.arity > 1], ids=by_name)
def test_values_and_derivatives_by_every_argument(row):
    at = samples(row, 12, random.Random(row.name))
    for arguments, (value, *slopes) in zip(at, computed(row, at), strict=True):
        assert ulps(value, exact(row, arguments)) <= 2.0, arguments
        for index in row.differentiable:
            scale = max(abs(mpf(x) * derivative(row, arguments, index, order=2)) for x in arguments)
            assert ulps(slopes[index], derivative(row, arguments, index), scale) <= 4.0, (arguments, index)


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_results_do_not_depend_on_whether_a_point_is_computed_alone_or_in_which_pair(row):
    rng = random.Random(row.name)
    at = samples(row, 40, rng) + [arguments for arguments, _, _ in row.edges]
    for size in (1.0, 30.0, 1e-9, 700.0):
        at += [tuple(rng.gauss(0.0, size) for _ in range(row.arity)) for _ in range(12)]
    at += [tuple(rng.choice(SPECIAL) for _ in range(row.arity)) for _ in range(12)]
    at = [settled(row, point) if row.constants else point for point in at]
    rng.shuffle(at)
    together = np.nan_to_num(computed(row, at), nan=7.0)
    assert np.nan_to_num(computed(row, at[1:]), nan=7.0).tobytes() == together[1:].tobytes()
    alone = [np.nan_to_num(computed(row, [point]), nan=7.0)[0] for point in at[:4]]
    assert np.array(alone).tobytes() == together[:4].tobytes()


@pytest.mark.parametrize("row", [row for row in ROWS if row.edges], ids=by_name)
def test_the_conventions_at_the_edges(row):
    at = [arguments for arguments, _, _ in row.edges]
    for (arguments, value, slopes), (mine, *mine_slopes) in zip(row.edges, computed(row, at), strict=True):
        assert same(mine, value), arguments
        for slope, expected in zip(mine_slopes, slopes, strict=True):
            assert expected is None or same(slope, expected), arguments


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_zeros_infinities_and_nan_as_on_floats(row):
    at = list(product((*SPECIAL, 0.5, -1e-310, 3.0, 710.0, -746.0), repeat=len(row.differentiable)))[:3000]
    at = [settled(row, point + row.defaults) if row.constants else point for point in at]
    for arguments, (mine, *_) in zip(at, computed(row, at), strict=True):
        expected = row.value(*arguments)
        if math.isfinite(expected) and expected != 0.0:
            assert math.isclose(mine, expected, rel_tol=1e-15, abs_tol=1e-323), arguments
        else:
            assert same(mine, expected), arguments


@pytest.mark.parametrize("exponent", [0.0, 0.5, -0.5, 1.0, -1.0, 2.0, 3.0, -2.0, inf])
def test_powers_with_constant_exponents_are_those_of_pow(exponent):
    at = [*SPECIAL, 0.5, 3.0, 1e-310, 1e-160, 1.5e300]
    statement = Statement(Place("v", 50, (1,)), Apply(ops.pow, (Place("v", 0, (1,)), exponent)), (len(at),))
    v, _ = run(plan_of(statement, size=100), np.array(at))
    for x, mine in zip(at, v[50:], strict=False):
        expected = ops.pow(x, exponent)
        assert same(mine, expected) or math.isclose(mine, expected, rel_tol=3e-16), x


# Rows of users ----------------------------------------------------------------------------------------------

SCALE = 3.0


def piecewise(x, y):
    """Use what a value function may: branches, loops over constants, other functions, the table's rows."""
    total = 0.0
    for power, factor in enumerate((0.5, -0.25, SCALE)):
        total += factor * x**power
    if x < 0.0 < y or y > 2.0:
        return max(total, math.floor(y)) + ops.tanh(y)
    return math.fmod(total, 2.0) if not math.isnan(y) else helper(x, low=-1.0)


def helper(x, low):
    return min(abs(x), low) % 3.0


def test_a_users_row_becomes_machine_code():
    row = Operation("piecewise", piecewise, [lambda *a: a[2], lambda *a: a[1]])
    at = list(product((-2.5, -0.5, 0.0, 1.25, nan), (-1.5, 0.5, 2.5, nan)))
    for arguments, (mine, *slopes) in zip(at, computed(row, at), strict=True):
        expected = piecewise(*arguments)
        assert same(mine, expected) or mine == pytest.approx(expected, rel=1e-15), arguments
        assert all(map(same, slopes, reversed(arguments)))


@pytest.mark.parametrize(
    "function", [lambda x: x if x > 0.0 else 0.25, lambda x: 1 if x > 0.0 else 2, lambda x: x > 0.0]
)
def test_a_users_row_may_return_any_number(function):
    row = Operation("chosen", function, [lambda z, _: z])
    x, z = Place("v", 0, (1,)), Place("v", 3, (1,))
    engine = WasmEngine(plan_of(Statement(z, Apply(row, (x,)), (3,)), size=6))
    assert not engine.reasons
    engine.v[:3] = -1.0, 0.0, 2.0
    engine.step()
    assert engine.v[3:].tolist() == [*map(function, (-1.0, 0.0, 2.0))]


def newton(x):
    guess = x
    while abs(guess * guess - x) > 1e-12 * x:
        guess = 0.5 * (guess + x / guess)
    return guess


def repeated(x, times):
    for _ in range(times):
        x = 0.5 * x + 0.25
    return x


def catching(x):
    try:
        return math.log(x)
    except ValueError:
        return -7.0


def test_a_row_in_which_much_is_shared_takes_no_more_than_its_length():
    def square(x):
        for _ in range(60):
            x = x * x if x > 0.0 else x * x + 0.1
        return x

    row = Operation("square", lambda x: repeated(x * x, 60) * repeated(x * x, 61), [lambda z, _: z])
    (value, _), *_ = computed(row, [(0.3,)])
    assert value == row(0.3)
    with interning(), pytest.raises(TraceError, match="more paths"):
        trace(square, [leaf("argument", 0)])


def test_a_row_that_is_nested_too_deeply_is_left_to_numpy():
    row = Operation("deep", lambda x: repeated(x, 900), [lambda z, _: z])
    plan = plan_of(Statement(Place("v", 1, ()), Apply(row, (Place("v", 0, ()),)), ()), size=2)
    assert list(WasmEngine(plan).reasons.values()) == ["an expression that is nested too deeply"]
    assert_agrees(plan, [0.25])


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (newton, "more questions|more paths"),
        (catching, "catches exceptions"),
        (lambda x: float(np.sinc(x)), "AttributeError|TypeError|needed at once"),
        (lambda x: x if isinstance(x, float) else 0.0, "isinstance of a number"),
        (lambda x: round(x, 2), "digits"),
        (lambda x: math.gamma(x), "gamma is not in the library"),
        (lambda x: [1.0, 2.0][int(x)], "int|needed at once"),
        (lambda x: float(str(x)), "str of a number"),
    ],
)
def test_what_cannot_be_read_is_left_to_another_engine_with_the_reason(function, reason):
    with interning(), pytest.raises(TraceError, match=reason):
        trace(function, [leaf("argument", 0)])
    row = Operation("strange", function, [lambda z, _: z])
    n = 30
    x, y, z = (Place("v", k * n, (1,)) for k in range(3))
    statement = Statement(y, Apply(row, (x,)), (n,), name="odd")
    plan = plan_of(statement, Statement(z, Apply(ops.add, (y, y)), (n,)), size=3 * n)
    engine = WasmEngine(plan)
    assert list(engine.reasons) == [statement]
    engine.v[:n] = np.linspace(0.5, 1.5, n)
    plain = PlainEngine(plan)
    plain.v[:n] = engine.v[:n]
    try:
        plain.forward()
    except TypeError:  # not a function of floats at all
        return
    engine.step()
    np.testing.assert_allclose(engine.v, plain.v, rtol=1e-15)


def test_a_loop_with_a_row_that_cannot_be_read_is_left_to_numpy_as_a_whole():
    row = Operation("newton", newton, [lambda z, _: z])
    x, y = Place("v", 0, (1,)), Place("v", 1, (1,))
    body = Statement(y, Apply(row, (Apply(ops.add, (x, 1.0)),)), (5,))
    before, after = Statement(Place("v", 0, ()), 2.0, ()), Statement(Place("v", 6, ()), Place("v", 5, ()), ())
    plan = plan_of(before, Loop((body,), (None,), 5), after, size=10)
    assert list(WasmEngine(plan).reasons) == [body]
    assert_agrees(plan, [])


def test_large_matrix_products_are_left_to_numpy():
    n = 40
    a, b = Place("v", 0, (n, 0, 1)), Place("v", n * n, (0, 1, n))
    statement = Statement(Place("v", 2 * n * n, (n, 1, 0)), Apply(ops.mul, (a, b)), (n, n, n), 1)
    plan = plan_of(statement, size=3 * n * n)
    assert WasmEngine(plan).reasons == {statement: "a sum of 64,000 products"}
    assert WasmEngine(plan, large=None).reasons == {}
    assert_agrees(plan, np.random.default_rng(0).normal(size=2 * n * n))


# The runtime ------------------------------------------------------------------------------------------------


def simple(n=100):
    statement = Statement(Place("v", n, (1,)), Apply(ops.tanh, (Place("v", 0, (1,)),)), (n,))
    return plan_of(statement, size=2 * n)


def test_the_library_needs_nothing_and_has_every_function():
    from autograd.compiler.wasm.engine import _library

    assert not _library().imports
    assert {export.name for export in _library().exports} >= set(LIBRARY)


def test_the_memory_lives_as_long_as_a_view_of_it():
    engine = WasmEngine(simple())
    view = engine.v[10:20]
    view[:] = 1.5
    del engine
    gc.collect()
    others = [WasmEngine(simple()) for _ in range(5)]
    assert view.tolist() == [1.5] * 10
    assert len(others) == 5


def test_every_thread_may_have_an_engine():
    results = {}

    def work(k):
        engine = WasmEngine(simple())
        for _ in range(50):
            engine.v[:100] = k
            engine.step()
            time.sleep(0)
        results[k] = set(engine.v[100:].tolist())

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {k: len(found) for k, found in results.items()} == dict.fromkeys(range(4), 1)


@pytest.mark.parametrize("parameters", [0, 1, 7, 16, 17, 100])
@pytest.mark.parametrize("large", [None, 0])
def test_a_step_tells_whether_a_gradient_is_not_finite(parameters, large):
    """Also if NumPy runs the reverse pass, and of nothing but the gradients."""
    n = parameters
    term = Apply(ops.mul, (Place("v", 0, (1, 0)), Place("v", n, (0, 0))))
    reverse = Statement(Place("d", 0, (1, 0)), term, (n, 1), summed=1)
    plan = replace(plan_of(size=n + 1, reverse=(reverse,)), parameters=n)
    for engine in (WasmEngine(plan, large=large), NumpyEngine(plan)):
        engine.v[:], engine.d[n] = 1.0, nan
        assert not engine.step()
        engine.v[:n], engine.v[n] = -1e308, 1.0
        assert not engine.step()
        for place, number in itertools.product(range(n), (nan, inf, -inf)):
            engine.v[:] = 1.0
            engine.v[place] = number
            assert engine.step()
            assert np.flatnonzero(~np.isfinite(engine.d)).tolist() == [place, n]


def test_a_choice_beyond_the_memory_is_an_error_and_the_engine_goes_on():
    wasmtime = pytest.importorskip("wasmtime")
    chosen = Place("v", 0, (), None, Place("v", 9, ()), 100)
    engine = WasmEngine(plan_of(Statement(Place("v", 10, ()), chosen, ()), size=20))
    engine.v[9] = 1e5
    with pytest.raises(wasmtime.Trap, match="out of bounds"):
        engine.step()
    engine.v[0], engine.v[9] = 3.0, 0.0
    engine.step()
    assert engine.v[10] == 3.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_process_runs_its_programs_and_makes_new_ones():
    program = """
import os, signal
from tests.test_wasm_engine import WasmEngine, run, simple
engine = WasmEngine(simple())
engine.step()
child = os.fork()
if not child:
    signal.alarm(60)  # it would wait forever for threads that the parent has
    engine.v[:100] = 0.5
    engine.step()
    v, _ = run(simple(), [0.5] * 100)
    os._exit(int(engine.v[150] != v[150] or v[150] == 0.0))
raise SystemExit(os.waitpid(child, 0)[1])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_shared_is_given_back_before_the_interpreter_ends():
    """Later wasmtime could not: parts of it are gone, and each engine and module would complain of that."""
    program = """
import atexit
atexit.register(lambda: print([each.cache_info().currsize for each in shared]))  # the last to be called
from autograd.compiler.wasm import engine
shared = engine._runtime, engine._library
print([bool(each()) for each in shared])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "[True, True]\n[0, 0]\n", done.stderr


def test_a_program_too_large_for_its_addresses_is_refused():
    with pytest.raises(CannotStartError, match="WebAssembly addresses"):
        WasmEngine(plan_of(size=2**28))


def test_without_wasmtime_the_reason_is_given(monkeypatch):
    from autograd.compiler.wasm import engine

    engine._begin_anew()
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    with pytest.raises(CannotStartError, match="wasmtime cannot be imported"):
        WasmEngine(simple())
    engine._begin_anew()


def test_a_summary_is_one_line_whatever_wasmtime_says(monkeypatch):
    def refuse(_):
        raise CannotStartError("wasmtime refuses: no room\n\nCaused by:\n    Cannot allocate memory\n")

    monkeypatch.setattr("autograd.compiler.engine.WasmEngine", refuse)
    summary = autograd.compile(Value(1.0) * 2.0).summary()
    assert summary.endswith("wasmtime refuses: no room Caused by: Cannot allocate memory")


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_it_runs_where_the_address_space_is_limited():
    program = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
from tests.test_wasm_engine import simple, run
import math
v, _ = run(simple(), [0.5] * 100)
assert abs(v[150] - math.tanh(0.5)) < 1e-15
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_not_cleared_keeps_what_the_caller_wrote():
    copy = Statement(Place("v", 0, (1,)), Place("d", 0, (1,)), (300,))
    engine = WasmEngine(plan_of(size=300, reverse=(copy,), cleared=((1, 2), (4, 7), (100, 299))))
    engine.d[:] = 1.0
    engine.step()
    assert np.flatnonzero(engine.v == 0.0).tolist() == [1, 4, 5, 6, *range(100, 299)]
