"""A product of adjoints and local derivatives is right where one of these overflows and the product does not.

Every row whose derivative is a quotient is tried with arguments and adjoints of all sizes, against arithmetic
of high precision, in every way that the engine has to differentiate.
"""

import math
import sys
from itertools import product

import pytest
from mpmath import mpf

from autograd import Operation, Value, backprop_source, explain, grad, gradients, jvp, ops, steps, vjp
from autograd import compile as compiled
from autograd.contributions import data_of, taken_apart
from autograd.formula import Formula
from autograd.stepping.events import Backward
from tests.compiling import replay
from tests.oracle import derivative, to_float
from tests.rows import known

SIZES = (5e-324, 1e-310, 1e-250, 1e-160, 1e-80, 1.0, 1e80, 1e160, 1e250)
SMALLEST, LARGEST = 1e-300, 1e305


def is_quotient(row, index):
    """Tell whether a derivative of a row is one that is taken apart, other than a strong product."""
    point = [Formula(0.25) if number is None else number for number in known(row)]
    slope = row.derivatives[index](Formula(row.value(*[0.25] * row.arity)), *point)
    while isinstance(slope, Formula) and slope.operation is ops.neg:
        (slope,) = slope.arguments
    return isinstance(slope, Formula) and slope.operation is ops.div


QUOTIENTS = [
    (row, index) for row in ops.TABLE.values() for index in row.differentiable if is_quotient(row, index)
]


def overflows(row, index, order=1):
    """Yield adjoints, points and the true product where that is a float and the derivative is not."""
    for x in product(SIZES, repeat=row.arity):
        if row.kinks and min(x) < sys.float_info.min:
            continue  # such a number has too few digits to tell the distance from the kink
        z = row.value(*x)
        if not (all(low < a < high for a, (low, high) in zip(x, row.domain, strict=True)) and z):
            continue
        if not math.isfinite(z) or (order > 1 and not math.isfinite(row.derivatives[index](z, *x))):
            continue
        truth = derivative(row, x, index, order)
        if math.isfinite(to_float(truth)):
            continue
        for size in SIZES:
            if order > 1 and size < sys.float_info.min:
                continue  # nor has a product of it and a factor
            for sent in (size, -size):
                if SMALLEST < abs(mpf(sent) * truth) < LARGEST:
                    yield sent, x, to_float(mpf(sent) * truth)


def moved(row, index, x):
    """Return a function of the one argument."""
    return lambda a: row(*x[:index], a, *x[index + 1 :])


def compiled_ways(root, leaf):
    """Yield what the compiled programs say of the derivative by a leaf."""
    for engine in ("numpy", "wasm"):
        yield f"compiled, {engine}", replay(compiled(root, engine=engine), [leaf], [leaf.data])[1][0]


def ways(row, index, sent, point):
    """Yield the derivative of sent times a row by every way of the first order."""
    f, x = moved(row, index, point), point[index]
    g = lambda a: f(a) * sent  # noqa: E731
    yield "reverse", grad(g)(x)
    yield "forward", jvp(f, (x,), (sent,))[1]
    yield "by the adjoint", vjp(f, x)[1](sent)[0]
    leaf, outside = Value(x, "x"), Value(sent, "w")
    root = f(leaf) * outside
    yield "recorded", gradients(root, leaf, create_graph=True).data
    yield "forward, recorded", data_of(jvp(f, (x,), (outside,))[1])
    yield "steps", [event.after for event in steps(root) if isinstance(event, Backward)][-1]
    yield "explained", explain(root, leaf).total
    names = {}
    exec(backprop_source(root), names)
    yield "written", names["dx"]
    leaves = list(map(Value, point))
    yield from compiled_ways(row(*leaves) * sent, leaves[index])


def test_there_are_such_rows():
    assert {row.name for row, _ in QUOTIENTS} >= {"div", "log", "log2", "log10", "sqrt", "cbrt", "atan2"}
    assert sum(bool([*overflows(row, index)]) for row, index in QUOTIENTS) >= 5


@pytest.mark.parametrize(("row", "index"), QUOTIENTS, ids=lambda case: getattr(case, "name", case))
def test_a_derivative_that_overflows_divides_what_is_sent(row, index):
    cases = [*overflows(row, index)]
    for sent, x, truth in cases[:: max(1, len(cases) // 5)]:
        for way, result in ways(row, index, sent, x):
            assert result == pytest.approx(truth, rel=1e-12), (way, sent, x)


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize(("row", "index"), QUOTIENTS, ids=lambda case: getattr(case, "name", case))
def test_and_so_it_does_at_higher_orders(row, index, order):
    cases = [*overflows(row, index, order)]
    for sent, x, truth in cases[:: max(1, len(cases) // 5)]:
        f = moved(row, index, x)
        reverse = lambda a, f=f, sent=sent: f(a) * sent  # noqa: E731
        for _ in range(order):
            reverse = grad(reverse)

        leaf = Value(x[index])
        root = f(leaf) * sent
        for _ in range(order - 1):
            root = gradients(root, leaf, create_graph=True)
        for way, result in (("reverse", reverse(x[index])), *compiled_ways(root, leaf)):
            assert result == pytest.approx(truth, rel=1e-12), (way, sent, x)


def test_an_exponent_of_zero_makes_a_power_constant_whatever_is_sent():
    """The zero of its derivative is that of a selection, at every order; that of x * 0 is a plain one."""
    for x, y, sent in product((0.0, 5e-324, 0.5, -2.0, 1e300, math.inf), (0.0, -0.0), (math.inf, math.nan)):
        for z in (y, Value(y)):
            assert grad(lambda x, z=z, sent=sent: ops.pow(x, z) * sent)(x) == 0.0, (x, y, sent)
        assert jvp(lambda x, y=y: ops.pow(x, y), (x,), (sent,))[1] == 0.0
        leaf, exponent = Value(x), Value(y)
        root = ops.pow(leaf, exponent) * sent
        slope = gradients(root, leaf, create_graph=True)
        assert getattr(slope, "data", slope) == 0.0, (x, y, sent)
        for z in (y, exponent):
            constant = gradients(ops.pow(leaf, z) * sent, leaf, create_graph=True)
            twice = gradients(constant, leaf) if isinstance(constant, Value) else 0.0
            assert twice == 0.0, (x, y, sent)
            for engine in ("numpy", "wasm"):
                program = compiled(ops.pow(leaf, z) * sent, engine=engine)
                assert replay(program, [leaf], [x])[1][0] == 0.0, (x, y, sent, engine)
    assert math.isnan(grad(lambda x: x * 0.0 * math.inf)(1.0))
    assert grad(lambda y: ops.pow(2.0, y) * math.inf)(0.0) == math.inf
    assert grad(grad(lambda x, y: ops.pow(x, y)), 1)(0.5, 0.0) == 2.0


def underflows(row, index):
    """Return points at which a derivative of a row is 0 and the true one is not."""
    return [
        x
        for x in product((5e-324, -0.5, 800.0, -800.0), repeat=row.arity)
        if math.isfinite(z := row.value(*x))
        and row.derivatives[index](z, *x) == 0.0
        and all(kink(*x) for kink in row.kinks)
        and derivative(row, x, index)
    ]


@pytest.mark.parametrize("row", [row for row in ops.TABLE.values() if row.selects], ids=lambda row: row.name)
def test_a_derivative_that_underflows_is_no_zero_of_a_selection(row):
    for index in row.differentiable:
        for x in underflows(row, index):
            f = moved(row, index, x)
            assert math.isnan(jvp(lambda a, f=f: f(a) * math.inf, (x[index],), (1.0,))[1]), x
            for way, result in ways(row, index, math.inf, x):
                # A tangent that is sent moves the argument, and a derivative of 0 stops it at once.
                assert math.isnan(result) or way.startswith("forward"), (way, x)


def test_factors_of_a_derivative_that_underflows_meet_an_infinity_one_by_one():
    for way, result in ways(ops.elu, 0, math.inf, (-1.0, 5e-324)):
        assert result == math.inf or way.startswith("forward"), way
    assert grad(lambda x: ops.elu(x, 5e-324) * math.inf)(-1.0) == math.inf


def test_which_rows_select_and_underflow():
    rows = [row for row in ops.TABLE.values() if row.selects]
    found = [(row.name, index) for row in rows for index in row.differentiable if underflows(row, index)]
    assert found == [("elu", 0)]


def test_an_operation_of_the_users_own_is_taken_apart_too():
    inverse = Operation("inverse", lambda x: ops.div(-1.0, x), [lambda _, x: ops.div(1.0, x * x)])
    assert grad(lambda x: inverse(x) * 1e-200)(1e-155) == pytest.approx(1e110)
    floats = Operation("floats", lambda x: ops.div(-1.0, x), [lambda _, x: ops.div(1.0, float(x * x))])
    assert grad(lambda x: floats(x) * 1e-200)(1e-155) == math.inf


def test_what_is_no_quotient_is_left_alone():
    x = Formula(0.5, "x")
    assert taken_apart(2.0, ops.exp(x)) is None
    assert taken_apart(2.0, 1.0) is None
    given = Value(3.0) / Value(7.0)
    assert taken_apart(Value(2.0), given, [given]) is None  # the quotient is the user's
