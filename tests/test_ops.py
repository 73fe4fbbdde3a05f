"""The operation table, every test generated from it; the truth is each row's definition in mpmath."""

import builtins
import math
import pickle
import random
from itertools import product

import numpy as np
import pytest
from mpmath import mpf

import autograd
from autograd import Operation, Value, gradients, ops, real, special
from autograd.sweeping import sweep, topological_order
from autograd.value import Constant
from tests import coefficients
from tests.oracle import derivative, exact, partial, ulps, unary_rows, worst
from tests.rows import SPECIAL, by_name, leaves, samples, settled

ROWS = list(ops.TABLE.values())


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("row", unary_rows(), ids=by_name)
def test_smooth_functions_to_the_last_digits_over_their_whole_domain(row, count):
    value_error, value_at, derivative_error, derivative_at = worst(row, count)
    assert value_error <= 2.0, f"at {value_at!r}"
    assert derivative_error <= 4.0, f"at {derivative_at!r}"


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_value_and_every_local_derivative_against_the_definition(row):
    for x in samples(row, 12, random.Random(row.name)):
        z = row.value(*x)
        assert ulps(z, exact(row, x)) <= 2.0, x
        for index in row.differentiable:
            local, slope = row.derivatives[index], derivative(row, x, index)
            scale = max(abs(mpf(xj) * derivative(row, x, index, order=2)) for xj in x)
            assert ulps(float(local(z, *x)), slope, scale) <= 4.0, (x, index)


@pytest.mark.parametrize("row", unary_rows(), ids=by_name)
def test_second_and_third_derivatives_at_the_symmetric_points_too(row):
    """A form that is accurate but not smooth, such as one written with |x|, fails at 0."""
    low, high = row.domain[0]
    for x in (0.0, -0.0, 0.5, -0.5, 0.75, 1.0, -1.0, 2.0, -2.0, 1.25, -3.0):
        if not low < x < high or any(kink(x, *row.defaults) == 0.0 for kink in row.kinks):
            continue
        arguments = (x, *row.defaults)
        leaf = Value(x)
        root = row(leaf)
        for order in (1, 2, 3):
            adjoints = sweep(topological_order(root), {root: 1.0}, record=True)
            root = autograd.add(adjoints.get(leaf, 0.0), Value(0.0))
            truth = derivative(row, arguments, order=order)
            assert root.data == pytest.approx(float(truth), rel=1e-13, abs=1e-14), (x, order)


def special_points(row):
    """The points of a grid of zeros, halves and small integers at which the row is smooth."""
    grid = (-2.0, -1.0, -0.5, 0.0, -0.0, 0.5, 1.0, 2.0, 3.0) if row.arity < 3 else (-1.0, 0.0, 0.5, 2.0)
    for point in product(grid, repeat=row.arity):
        if point != settled(row, point):
            continue
        inside = all(
            row.domain[place][0] < point[place] < row.domain[place][1] for place in row.differentiable
        )
        smooth = all(kink(*point) != 0.0 for kink in row.kinks)
        if inside and smooth and math.isfinite(row.value(*point)):
            yield point


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_all_partial_derivatives_to_third_order_at_special_points(row, every):
    """Mixed ones too, whichever argument comes first.

    A guard inside a derivative, such as ``where(y, y, 1)`` for a pole at 0, gives the right number there and
    may still have the wrong derivative.
    """
    points = list(special_points(row))
    for point in points if row.arity == 1 else points[::every]:
        at = leaves(row, point)
        found = {(): row(*at)}
        for order in (1, 2, 3):
            for by in product(row.differentiable, repeat=order):
                whole = found[by[:-1]]
                constant = isinstance(whole, Constant)
                found[by] = whole * 0.0 if constant else gradients(whole, at[by[-1]], create_graph=True)
                counts = tuple(by.count(index) for index in range(row.arity))
                truth = float(partial(row, point, counts))
                assert found[by].data == pytest.approx(truth, rel=1e-11, abs=1e-11), (point, by)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("x", [0.0, -0.0, -2.0])
def test_a_power_is_a_polynomial_at_and_below_0_too(x, exponent):
    leaf = Value(x)
    node = leaf**exponent
    for order in range(1, 5):
        node = gradients(node, leaf, create_graph=True)
        factor = math.perm(exponent, order)
        assert node.data == (factor * x ** (exponent - order) if factor else 0.0)


@pytest.mark.parametrize("exponent", [0.5, 1 / 3, 1.5, 2.5, -0.5, -1.0, -2.0, -3.0])
def test_a_root_or_pole_has_its_limits_as_derivatives_at_0(exponent):
    """The limits from above: selections in the derivative select, though infinities meet their zeros."""
    leaf = Value(0.0)
    node, factor = leaf**exponent, 1.0
    for order in range(4):
        expected = math.copysign(math.inf, factor) if exponent < order else 0.0
        assert node.data == expected, order
        node = gradients(node, leaf, create_graph=True)
        factor *= exponent - order


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_a_plain_float_gives_what_a_value_gives(row):
    rng = random.Random(row.name)
    for x in samples(row, 10, rng) + [tuple(rng.choices(SPECIAL, k=row.arity)) for _ in range(40)]:
        plain, recorded = row(*x), row(*map(Value, x))
        assert type(plain) is float
        assert type(recorded) is Value
        assert recorded.op is row
        assert math.copysign(1.0, plain) == math.copysign(1.0, recorded.data)
        assert plain == recorded.data or (math.isnan(plain) and math.isnan(recorded.data))


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_the_array_form_gives_what_the_scalar_form_gives(row):
    rng = random.Random(row.name)
    points = samples(row, 10, rng) + [tuple(rng.choices(SPECIAL, k=row.arity)) for _ in range(60)]
    columns = [np.array(column) for column in zip(*points, strict=True)]
    result = row(*columns)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, [row(*x) for x in points], rtol=4e-15, atol=1e-300)


def test_array_forms_are_generic_in_the_array_namespace():
    """In a form NumPy's own functions would refuse what JAX traces. All rows at once, to save time."""
    jax = pytest.importorskip("jax")

    def form(row):
        if isinstance(row.numpy, str):
            return getattr(jax.numpy, row.numpy)
        known = samples(row, 1, random.Random(row.name))[0]
        return lambda *arrays: row.numpy(
            jax.numpy, *(a if i in row.differentiable else known[i] for i, a in enumerate(arrays))
        )

    rows = [row for row in ROWS if row.numpy is not None]
    columns = [np.array(samples(row, 10, random.Random(row.name))).T for row in rows]
    with jax.enable_x64(True):
        results = jax.jit(lambda *xs: [form(row)(*x) for row, x in zip(rows, xs, strict=True)])(*columns)
    for row, x, result in zip(rows, columns, results, strict=True):
        np.testing.assert_allclose(result, row(*x), rtol=1e-13, atol=1e-14, err_msg=row.name)


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_the_local_derivatives_are_generic_arrays_give_the_scalar_forms(row):
    points = samples(row, 10, random.Random(row.name))
    columns = [np.array(column) for column in zip(*points, strict=True)]
    z = row(*columns)
    for local in map(row.derivatives.__getitem__, row.differentiable):
        expected = [local(row(*x), *x) for x in points]
        np.testing.assert_allclose(np.broadcast_to(local(z, *columns), len(points)), expected, rtol=1e-14)


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_no_float_makes_a_value_or_a_derivative_raise_or_turn_complex(row):
    rng = random.Random(row.name)
    mixed = [tuple(rng.choices(SPECIAL, k=row.arity)) for _ in range(200)]
    for x in [(s,) * row.arity for s in SPECIAL] + mixed:
        z = row.value(*x)
        assert type(z) is float
        assert all(type(row.derivatives[index](z, *x)) is float for index in row.differentiable), x


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_every_row_is_public_a_method_and_pickled_by_name(row):
    assert getattr(autograd, row.name) is row
    assert (row.name in autograd.__all__) != hasattr(builtins, row.name)
    assert pickle.loads(pickle.dumps(row)) is row
    x = samples(row, 1, random.Random(1))[0]
    method = getattr(Value(x[0]), row.name)
    assert method(*x[1:]).data == row(*x)
    if isinstance(row.numpy, str):
        assert getattr(Value(x[0]), row.numpy)(*x[1:]).data == row(*x)


@pytest.mark.parametrize("name", coefficients.TABLES)
def test_the_polynomials_are_those_that_their_script_prints(name):
    module = real if hasattr(real, name) else special
    assert list(getattr(module, name)) == coefficients.TABLES[name]()


def test_defaults_and_keywords():
    assert ops.leaky_relu(-2.0) == -0.02
    assert ops.leaky_relu(-2.0, negative_slope=0.5) == ops.leaky_relu(-2.0, 0.5) == -1.0
    assert ops.clamp(3.0, max=2.0) == 2.0
    assert Value(-3.0).clamp(min=-1.0).data == -1.0
    assert ops.elu(Value(-1.0), alpha=Value(2.0)).data == 2.0 * math.expm1(-1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.exp(), r"exp\(x\) takes 1 arguments, got 0"),  # type: ignore[call-overload]
        (lambda: ops.exp(1.0, 2.0), r"exp\(x\) takes 1 arguments, got 2"),  # type: ignore[call-overload]
        (lambda: ops.clamp(1.0, low=2.0), "unexpected or repeated argument 'low'"),  # type: ignore[call-overload]
        (lambda: ops.clamp(1.0, 2.0, min=2.0), "unexpected or repeated argument 'min'"),  # type: ignore[call-overload]
        (lambda: ops.exp("1"), "exp needs a real number, got str: '1'"),  # type: ignore[call-overload]
        (lambda: ops.maximum(1.0, None), "maximum needs a real number, got NoneType"),
        (lambda: ops.add(Value(1.0), [1.0]), "add needs a real number, got list"),  # type: ignore[call-overload]
        (lambda: ops.sin(1j), "sin needs a real number, got complex"),  # type: ignore[call-overload]
    ],
)
def test_bad_calls_name_the_operation_and_the_argument(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("selects", [True, 1, [True], [2], [-1], ["x"], [0.5]])
def test_a_row_selects_among_places_of_its_arguments(selects):
    with pytest.raises(ValueError, match=r"operation 'pick': selects holds the places .* below 2; got"):
        Operation("pick", max, ops.maximum.derivatives, selects=selects)


def test_a_row_whose_parts_do_not_match_is_refused():
    with pytest.raises(ValueError, match="2 derivatives, so it needs 2 argument names"):
        Operation("bad", max, ops.add.derivatives, arguments=("x",))


def test_integer_arrays_are_computed_as_floats():
    assert ops.pow(np.array([1, 2, 4]), -1).tolist() == [1.0, 0.5, 0.25]
    assert ops.exp(np.array([0, 0])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("row", ops.TABLE.values(), ids=by_name)
def test_an_array_of_what_is_no_double_is_refused_as_a_number_is(row):
    wide = np.longdouble("1e400")
    for item, error in ((wide, OverflowError), ("1", TypeError), (1j, TypeError)):
        if item is not wide or wide != np.inf:  # where it is a double, it is infinite
            with pytest.raises(error, match=row.name):
                row(*[np.array([item])] * row.arity)
    few = np.array([0.5], dtype=np.longdouble)
    assert row(*[few] * row.arity).dtype == np.float64


def test_object_arrays_are_recorded_element_by_element():
    x = np.array([Value(0.5), Value(2.0)])
    for result in (ops.tanh(x), np.tanh(x)):
        assert [v.op.name for v in result] == ["tanh", "tanh"]
    assert [v.op.name for v in ops.maximum(x, 1.0)] == ["maximum", "maximum"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.arity == 2], ids=by_name)
@pytest.mark.parametrize("place", [0, 1])
def test_an_array_and_a_number_are_what_two_numbers_are_at_special_ones_too(row, place):
    """NumPy may take another way for a single number than for an array of them, as it does for x ** 0.5."""
    for number in {*SPECIAL, 0.5, -0.5, 2.0}:
        arguments = [np.array(SPECIAL), number][:: 1 if place else -1]
        for x, found in zip(SPECIAL, row.on_arrays(*arguments).tolist(), strict=True):
            expected = row.value(*[x, number][:: 1 if place else -1])
            assert found == pytest.approx(expected, rel=1e-15, abs=1e-320, nan_ok=True), (x, number)
            assert found != 0.0 or math.copysign(1.0, found) == math.copysign(1.0, expected), (x, number)
