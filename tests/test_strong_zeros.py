"""A branch that is not taken does not spoil the gradient: 0 wins over an infinity and over nan.

Every row is tried where its value or a derivative is not finite, behind every selection and in front of it,
in every way that the engine has to differentiate, to third order.
"""

import math
from itertools import product
from typing import Any

import pytest

from autograd import (
    Value,
    backprop_source,
    explain,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    ops,
    steps,
    value_and_grad,
    vjp,
)
from autograd.row import PROBES
from tests.rows import known, settled

ROWS = list(ops.TABLE.values())
POLES = [row for row in ROWS if row.has_pole(*known(row))]


def blow_up(row):
    """Return finite arguments at which the value or a local derivative of a row is infinite or nan."""
    ends = [end for interval in row.domain for end in interval if math.isfinite(end)]
    found = []
    tried = [[*ends, *PROBES] if number is None else [number] for number in known(row)]
    for point in product(*tried):
        z = row.value(*point)
        if not all(
            map(math.isfinite, (z, *(row.derivatives[place](z, *point) for place in row.differentiable)))
        ):
            found.append(point)
    return found[:: max(1, len(found) // 6)]


# What each makes of a number ``bad`` that it does not choose and ``good`` that it does; x is a variable.
SELECTIONS = {
    "where, first": lambda bad, good, x: ops.where(0.0 * x, bad, good),
    "where, second": lambda bad, good, x: ops.where(1.0 + 0.0 * x, good, bad),
    "where on a comparison": lambda bad, good, x: ops.where(ops.greater(x, 10.0), bad, good),
    "where on a comparison, second": lambda bad, good, x: ops.where(ops.less(x, 10.0), good, bad),
    "two of them": lambda bad, good, x: ops.where(0.0 * x, ops.where(1.0 + 0.0 * x, bad, good), good),
    "and with a factor on the way": lambda bad, good, x: ops.where(0.0 * x, 3.0 * bad * x, good),
}


def orders(f, x, highest=3):
    """Yield the derivatives of a function of one number, by every mode."""
    reverse, forward = f, f
    for _ in range(highest):
        reverse = grad(reverse)
        yield reverse(x)
        forward = along(forward)
        yield forward(x)
    yield hvp(f, (x,), (1.0,))[0]
    yield grad(along(f))(x)
    yield along(grad(along(f)))(x)
    yield hessian(lambda v: f(v[0]))([x])[0][0]
    yield jacobian(f)(x)
    yield jacobian(lambda x: [f(x), f(x)])(x)[1]
    yield vjp(f, x)[1](1.0)[0]
    leaf = Value(x)
    first = gradients(f(leaf), leaf, create_graph=True)
    yield first.data


def first_derivatives(f, x):
    """Yield the first derivative by every mode, as a number and recorded."""
    yield grad(f)(x)
    yield along(f)(x)
    yield jacobian(lambda x: [f(x), f(x)])(x)[1]
    leaf, outside = Value(x), Value(1.0)
    yield gradients(f(leaf), leaf, create_graph=True).data
    yield along(lambda x: f(x) * outside)(x).data


def along(f):
    return lambda x: jvp(f, (x,), (1.0,))[1]


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("row", POLES, ids=lambda row: row.name)
def test_a_pole_that_is_not_chosen_has_no_derivative(row, selection):
    for point in blow_up(row):

        def f(x, point=point):
            bad = row(*[xi + 0.0 * x if i in row.differentiable else xi for i, xi in enumerate(point)])
            return SELECTIONS[selection](bad, 5.0, x)

        assert list(orders(f, 0.5)) == [0.0] * 14, point


@pytest.mark.parametrize("row", POLES, ids=lambda row: row.name)
def test_a_pole_of_what_a_selection_has_fixed_has_no_derivative(row):
    for point in blow_up(row):
        fixed = [
            lambda x, xi: ops.where(0.0 * x, x, xi),
            lambda x, xi: ops.maximum(x - 1e31, xi),
            lambda x, xi: ops.minimum(xi, x + 1e31),
            lambda x, xi: ops.clamp(x + 1e31, xi - 1.0, xi),
            lambda x, xi: xi + ops.relu(x - 10.0),
            lambda x, xi: xi + ops.greater(x, 10.0) if xi else ops.greater(x, 10.0),
        ]
        for fix in fixed:
            f = lambda x, point=point, fix=fix: row(  # noqa: E731
                *[fix(x, xi) if i in row.differentiable else xi for i, xi in enumerate(point)]
            )
            assert [d for d in orders(f, 0.5) if d != 0.0] == [], point


def test_the_programs_that_everyone_writes():
    sqrt, where, greater = ops.sqrt, ops.where, ops.greater
    constant = [
        (lambda x: sqrt(ops.relu(x)), -1.0),
        (lambda x: sqrt(ops.maximum(x, 0)), -1.0),
        (lambda x: sqrt(ops.clamp(x, 0, 1)), -1.0),
        (lambda x: ops.asin(ops.clamp(x, -1, 1)), 2.0),
        (lambda x: ops.relu(x) ** 0.5, -1.0),
        (lambda x: sqrt(where(greater(x, 0), x, 0)), -1.0),
        (lambda x: where(greater(x, 0), sqrt(x), 0), 0.0),
        (lambda x: where(x, ops.sin(x) / x, 1), 0.0),
        (lambda x: greater(x, 0) * ops.log(x + 1.0), -1.0),
    ]
    for f, x in constant:
        assert [d for d in orders(f, x) if d != 0.0] == []
    softplus = lambda x: where(greater(x, 20), x, ops.log1p(ops.exp(x)))  # noqa: E731
    assert value_and_grad(softplus)(1000.0) == (1000.0, 1.0)
    assert grad(grad(softplus))(1000.0) == 0.0
    assert grad(lambda x: where(greater(x, 0), 1 / x, x**3))(-0.0) == 0.0


@pytest.mark.parametrize("x", [14.0, 100.0, 700.0, 800.0, 1000.0])
def test_far_out_softplus_is_its_argument_though_the_chain_overflows(x):
    f = lambda x: ops.softplus(ops.exp2(x))  # noqa: E731
    assert list(orders(f, x)) == pytest.approx([*orders(ops.exp2, x)], rel=1e-15)


def test_what_underflows_where_a_function_saturates_is_no_strong_zero():
    """The derivative of the first is -1, and the third of the second is -1.9e274: nan, and not 0."""
    assert math.isnan(grad(lambda x: ops.log(1.0 - ops.sigmoid(x)))(800.0))
    assert math.isnan(grad(grad(grad(lambda x: ops.softplus(1e200 * x))))(7.5e-198))


def test_a_nan_that_came_from_a_value_still_shows_in_the_value():
    x = Value(0.0)
    y = ops.where(x, x, ops.log(x - 1.0))
    y.backward()
    assert math.isnan(y.data)
    assert math.isinf(ops.where(1.0, 1 / x, x).data)


def test_a_zero_that_no_selection_made_stays_what_it_is():
    """The norm at 0: infinity times 0 is nan, as in PyTorch, since nothing says that x does not matter."""
    for f, x in (
        (lambda x: ops.sqrt(x * x), 0.0),
        (lambda x: ops.sqrt(ops.abs(x)), 0.0),
        (lambda x: ops.sqrt(0.0 * x), 2.0),
        (lambda x: 1.0 / (x * x), 0.0),
        (lambda x: ops.hypot(x, 0.0 * x), 0.0),
    ):
        assert [d for d in first_derivatives(f, x) if not math.isnan(d)] == []
    assert grad(ops.sqrt)(0.0) == along(ops.sqrt)(0.0) == math.inf


@pytest.mark.parametrize("x", [2.0, 0.0, -1.0, math.inf])
@pytest.mark.parametrize("pole", [ops.atanh, lambda z: ops.log(z - 1.0), lambda z: 1.0 / (z - 1.0)])
def test_a_power_whose_exponent_is_zero_is_constant_whatever_follows(pole, x):
    for f in (lambda x: pole(x**0.0), lambda x: pole(ops.where(x, x**0.0, 1.0))):
        assert set(first_derivatives(f, x)) == {0.0}
        assert jvp(f, (Value(x),), (1.0,))[1].data == 0.0


def test_an_input_that_does_not_move_sends_no_tangent():
    value, tangent = jvp(lambda x, y: x + ops.sqrt(y), (1.0, 0.0), (1.0, 0.0))
    assert (value, tangent) == (1.0, 1.0)
    assert jacobian(lambda v: [v[0] + ops.sqrt(v[1])] * 3)([1.0, 0.0]) == [[1.0, math.inf]] * 3


def test_a_factor_of_zero_in_a_recorded_gradient_still_has_a_derivative():
    """The adjoint of sqrt is x, 0 here, but it grows: the second derivative is that of x ** 1.5."""
    assert grad(lambda x: x * ops.sqrt(x))(0.0) == 0.0
    assert grad(grad(lambda x: x * ops.sqrt(x)))(0.0) == math.inf
    f = lambda x, y: x * ops.exp(y) + x * x / y  # noqa: E731
    assert grad(grad(f, 1), 0)(0.0, 2.0) == pytest.approx(math.exp(2.0), rel=1e-15)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: ops.sqrt(ops.relu(x)), -1.0),
        (lambda x: ops.where(x, ops.sin(x) / x, 1.0) + x * x, 0.0),
        (lambda x: ops.where(ops.greater(x, 20.0), x, ops.log1p(ops.exp(x))), 1000.0),
    ],
)
def test_events_explanations_and_written_backpropagation_say_the_same(f, x):
    truth = grad(f)(x)
    assert math.isfinite(truth)
    leaf = Value(x, "x")
    root = f(leaf)
    events: list[Any] = [event for event in steps(root) if getattr(event, "parent", None) is leaf]
    assert events[-1].after == truth
    explanation = explain(root, leaf)
    assert explanation.gradient == explanation.total == truth
    names = {}
    exec(backprop_source(root), names)
    assert names["dx"] == truth


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_without_a_pole_is_finite_at_every_finite_argument(row):
    """What a row says of itself, tried at far more points than it looks at."""
    import random

    rng = random.Random(row.name)
    kinds = [
        lambda: rng.uniform(-3.0, 3.0),
        lambda: rng.choice(PROBES),
        lambda: math.ldexp(rng.uniform(-1.0, 1.0), rng.randint(-1074, 90)),
        lambda: rng.uniform(-1e3, 1e3),
    ]
    for _ in range(3000):
        point = settled(row, [rng.choice(kinds)() for _ in range(row.arity)])
        z = row.value(*point)
        numbers = [z, *(row.derivatives[place](z, *point) for place in row.differentiable)]
        assert row.has_pole(*known(row)) or all(map(math.isfinite, numbers)), point


def test_which_rows_select_and_which_have_poles():
    assert {row.name for row in ROWS if row.selects} == {
        *("where", "maximum", "minimum", "clamp", "relu", "leaky_relu", "elu", "strong_mul", "hardtanh"),
        *(
            "sign",
            "greater",
            "greater_equal",
            "less",
            "less_equal",
            "floor",
            "ceil",
            "round",
            "mod",
            "floordiv",
        ),
    }
    assert not ops.pow.has_pole(None, 2.0)
    assert ops.pow.has_pole(None, -0.5)
    assert not ops.div.has_pole(None, 8.0)
    assert ops.div.has_pole(8.0, None)


INFINITE = {
    "a constant": (lambda x: ops.sinc(ops.maximum(x, math.inf)) * 2.0, 0.5, 0.0),
    "a factor": (lambda x: ops.maximum(ops.mul(x, -math.inf), ops.atan2(1.0, 800.0)), 2.0, 0.0),
    "a sum": (lambda x: ops.where(ops.less(x, 0.0), ops.sin(x + math.inf), x), 2.0, 1.0),
    "nan": (lambda x: ops.relu(ops.where(0.0 * x, ops.tanh(x * math.nan), 3.0)) + x, 2.0, 1.0),
    "the input": (lambda x: ops.maximum(ops.hypot(x, 2.5) * 0.0, 1.0), -math.inf, 0.0),
    "an overflow": (lambda x: ops.where(0.0 * x, ops.sin(x * 1e308 * x), x), 10.0, 1.0),
}


@pytest.mark.parametrize("name", INFINITE)
def test_an_infinity_that_no_row_has_made_is_none_to_what_is_not_chosen(name):
    f, x, slope = INFINITE[name]
    assert [d for d in first_derivatives(f, x) if d != slope] == []
