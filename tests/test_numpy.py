"""NumPy and Python on Values: what works on arrays of numbers works on arrays of Values."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, atan2, clamp, grad, maximum, minimum, ops, where
from tests.rows import by_name, same, samples


def numbers(array):
    return np.vectorize(lambda x: x.data if isinstance(x, Value) else x, otypes=[float])(array)


REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    "var": np.var,
    "std": np.std,
    "var of rows": lambda x: np.var(x, axis=1).sum(),
    "sample std of columns": lambda x: np.std(x, axis=0, ddof=1).sum(),
    "norm": np.linalg.norm,
    "norms of rows": lambda x: np.linalg.norm(x, axis=1).sum(),
    "vdot": lambda x: np.vdot(x, x),
    "conjugate": lambda x: (x.conj() * np.conjugate(x)).sum(),
    "mean": np.mean,
    "median": lambda x: np.median(x, axis=1).sum(),
    "trace": lambda x: np.trace(x @ x.T),
    "einsum": lambda x: np.einsum("ij,ij->", x, x),
    "fabs": lambda x: np.fabs(x).sum(),
    "abs": lambda x: np.abs(x).sum(),
    "square": lambda x: np.square(x).sum(),
    "reciprocal": lambda x: np.reciprocal(x).sum(),
    "prod": np.prod,
    "cumsum": lambda x: np.cumsum(x)[-2],
    "max": np.max,
    "ptp": np.ptp,
    "outer": lambda x: np.outer(x[0], x[1]).sum(),
    "diff": lambda x: (np.diff(x) ** 2).sum(),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_what_numpy_computes_of_numbers_it_computes_of_values(name):
    f = REDUCTIONS[name]
    x = np.array([[0.3, -1.2, 2.5], [1.7, 0.4, -0.6]])
    values = np.vectorize(Value, otypes=[object])(x)
    assert f(values).data == pytest.approx(f(x), rel=1e-14)
    h, found = 1e-6, grad(f)(x)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = h
        assert found[index] == pytest.approx((f(x + step) - f(x - step)) / (2 * h), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("row", [row for row in ops.TABLE.values() if row.arity > 1], ids=by_name)
def test_arrays_numbers_and_values_may_be_mixed_in_any_place(row):
    """Which of the arguments are arrays, of numbers or of Values, does not matter."""
    (point,) = samples(row, 1, random.Random(0))
    expected = row(*point)
    kinds = {
        "number": lambda x: x,
        "int": lambda x: np.int64(x) if x == int(x) else x,
        "Value": Value,
        "array": lambda x: np.array([x, x]),
        "Values": lambda x: np.array([Value(x), Value(x)]),
    }
    for number_of_kinds in np.ndindex((len(kinds),) * row.arity):
        chosen = [list(kinds)[k] for k in number_of_kinds]
        result = row(*[kinds[kind](x) for kind, x in zip(chosen, point, strict=True)])
        if {"array", "Values"} & set(chosen):
            assert type(result) is np.ndarray
            assert result.shape == (2,)
        np.testing.assert_allclose(numbers(result), expected, rtol=1e-14)
        recorded = {"Value", "Values"} & set(chosen)
        assert all(isinstance(item, Value) == bool(recorded) for item in np.ravel(result).tolist())


def test_selections_between_an_array_and_a_value():
    v, x = Value(1.0), np.array([0.0, 2.0])
    assert numbers(maximum(x, v)).tolist() == numbers(maximum(v, x)).tolist() == [1.0, 2.0]
    assert numbers(minimum(x, v)).tolist() == [0.0, 1.0]
    assert numbers(clamp(x, v)).tolist() == [1.0, 2.0]
    mask = np.array([True, False])
    assert numbers(where(mask, x, v)).tolist() == [0.0, 1.0]
    assert numbers(where(mask, v, x)).tolist() == [1.0, 2.0]
    assert grad(lambda t: where(mask, x, t).sum())(3.0) == 1.0


def test_a_value_is_equal_to_its_number_as_a_float_is():
    x, zero = Value(2.0), Value(-0.0)
    assert x == 2
    assert x == 2.0
    assert x == np.float32(2.0)
    assert x != 3
    assert not x == 3  # noqa: SIM201 - the operator is what is tested
    assert zero == 0
    assert 2 == x  # noqa: SIM300 - the reflected operator
    assert Value(math.nan) != math.nan
    assert x != "2"
    assert x is not None
    assert (np.array([x, zero]) == 2.0).tolist() == [True, False]

    def guarded(x):
        return 1.0 if x == 0 else x.sin() / x

    assert grad(guarded)(0.0) == 0.0
    assert guarded(zero) == 1.0


def test_two_values_are_equal_if_they_are_one():
    x, y = Value(2.0), Value(2.0)
    assert x == x
    assert x != y
    assert len({x, y}) == 2
    assert {x: 1, y: 2}[y] == 2
    assert [y, x].index(x) == 1


def test_a_comparison_with_a_number_is_a_branch_that_compile_refuses():
    import autograd

    x = Value(0.5)
    y = x * 2.0
    z = y * 3.0 if y == 1 else y
    with pytest.raises(ValueError, match="=="):
        autograd.compile(z, inputs=[x])


def test_python_takes_the_number_of_a_value():
    assert int(Value(-2.7)) == int(-2.7)
    assert list(range(5))[: int(Value(2.0))] == [0, 1]
    with pytest.raises(OverflowError):
        int(Value(math.inf))


@pytest.mark.parametrize("children", [(Value(1.0), Value(2.0)), 3.0, Value(1.0)])
def test_micrograds_children_are_no_label(children):
    with pytest.raises((TypeError, ValueError), match="recorded by the operation"):
        Value(3.0, children)
    x = Value(3.0)
    with pytest.raises(TypeError, match="a label is a string"):
        x.label = children


@pytest.mark.parametrize("number", [7.3, -7.3, 0.5, 1.0, 123456.789, -0.25])
@pytest.mark.parametrize("other", [2, 2.5, -3, 0.1, -0.7])
def test_pythons_arithmetic_of_whole_parts(number, other):
    x, y = Value(number), Value(other)
    for divided, quotient, rest in (
        (x, x // other, x % other),
        (number, number // y, number % y),
        (x, x // y, x % y),
        (x, *divmod(x, other)),
        (number, *divmod(number, y)),
    ):
        assert (quotient.data, rest.data) == divmod(number, other), divided
    assert grad(lambda x: x // other)(number) == 0.0
    assert grad(lambda x: x % other)(number) == 1.0
    assert numbers(np.array([x]) // other).tolist() == [number // other]


@pytest.mark.parametrize("digits", [None, 0, 1, 2, -1, -3])
def test_a_rounded_value_is_a_value(digits):
    for number in (7.345, -7.5, 0.5, 1234.5678, 2.5):
        rounded = round(Value(number), digits)
        assert type(rounded) is Value
        assert rounded.data == np.round(number, digits or 0)
        assert grad(lambda x: round(x, digits))(number) == 0.0
    assert numbers(np.round(np.array([Value(1.25)]), 1)).tolist() == [1.2]


UFUNCS = sorted(name for name in dir(np) if isinstance(getattr(np, name), np.ufunc))
COMMON_DIVISORS = {"gcd", "lcm"}  # of arrays of objects NumPy computes them whatever the objects are


@np.errstate(all="ignore")
@pytest.mark.parametrize("name", UFUNCS)
def test_every_function_of_numpy_computes_with_values_or_says_that_it_does_not(name):
    """NumPy knows Values as objects: it refuses where it has no loop for objects, or none for floats."""
    ufunc = getattr(np, name)
    points: Any = ([0.3, 0.7, 0.9], [-0.5, 1.5, 2.0])[: ufunc.nin]
    if ufunc.signature and "n),(n" in ufunc.signature and "m" in ufunc.signature:
        points = [np.outer(x, x) for x in points]
    arrays = [np.array(x) for x in points]
    values = [np.vectorize(Value, otypes=[object])(x) for x in points]
    try:
        expected = ufunc(*arrays)
    except TypeError:
        expected = None
    if name == "logical_xor":  # a method of that name is what no number has
        with pytest.raises(AttributeError):
            ufunc(*(array.astype(object) for array in arrays))
    elif not any("O" in types for types in ufunc.types) or expected is None:
        if name not in COMMON_DIVISORS:
            with pytest.raises(TypeError):
                ufunc(*values)
    elif expected.dtype == bool:
        assert [bool(answer) for answer in ufunc(*values)] == expected.tolist()
    else:
        found = ufunc(*values)
        np.testing.assert_allclose(numbers(found), expected, rtol=1e-14)
        recorded = [isinstance(item, Value) for item in np.ravel(found).tolist()]
        assert all(recorded) or name == "sign"  # which asks the objects, and has no derivative


X: Any = np.array([[0.3, -1.2, 2.5], [1.7, 0.4, -0.6]])
TRAPEZOID = "trapezoid" if hasattr(np, "trapezoid") else "trapz"  # before NumPy 2
ARRAY_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "clip": lambda x: np.clip(x, -1.0, 1.0),
    "where": lambda x: np.where(X > 0.0, x, 0.0),
    "select": lambda x: np.select([X > 0.0, X < -1.0], [x, x * 2.0], 0.0),
    "choose": lambda x: np.choose([0, 1, 0], x),
    "sort": lambda x: np.sort(x, axis=1),
    "partition": lambda x: np.partition(x[0], 1),
    "unique": np.unique,
    "quantile": lambda x: np.quantile(x, [0.3, 0.8]),
    "average": lambda x: np.average(x, axis=0, weights=X**2),
    "nanmean": lambda x: np.nanmean(x, axis=0),
    "tensordot": lambda x: np.tensordot(x, x, axes=([0], [0])),
    "kron": lambda x: np.kron(x[0], x[1]),
    "cross": lambda x: np.cross(x[0], x[1]),
    "convolve": lambda x: np.convolve(x[0], x[1]),
    "correlate": lambda x: np.correlate(x[0], x[1], "full"),
    "matrix power": lambda x: np.linalg.matrix_power(x @ x.T, 3),
    "multi_dot": lambda x: np.linalg.multi_dot([x, x.T, x]),
    "cumprod": np.cumprod,
    "running maximum": lambda x: np.maximum.accumulate(x[0]),
    "reduceat": lambda x: np.add.reduceat(x[0], [0, 2]),
    "norms by greatest": lambda x: np.linalg.norm(x, np.inf, axis=1),
    "norms of third order": lambda x: np.linalg.norm(x, 3, axis=1),
    "norm of third order": lambda x: np.linalg.norm(x[0], 3),
    "harmonic norm": lambda x: np.linalg.norm(x[0], -1),
    "norm of a fraction's order": lambda x: np.linalg.norm(x[0], 0.5),
    "covariance": lambda x: np.cov(x, aweights=np.ones(3)),
    "angle": lambda x: atan2(0.0, x),
    "quotient of polynomials": lambda x: np.polydiv(x[0], x[1])[0],
    "trapezoid": lambda x: getattr(np, TRAPEZOID)(x, axis=1),
    "polyval": lambda x: np.polyval(x[0], X),
    "vander": lambda x: np.vander(x[0]),
    "sinc": np.sinc,
    "fix": np.fix,
    "fmod": lambda x: np.fmod(5.0 * x, x - 0.1),
    "around": lambda x: np.around(x, 1),
    "unwrap": lambda x: np.unwrap(4.0 * x),
    "nan_to_num": np.nan_to_num,
    "linspace": lambda x: np.linspace(x[0], x[1], 5),
    "geomspace": lambda x: np.geomspace(x[0] * x[0], x[1] * x[1], 5),
    "pad": lambda x: np.pad(x, 1),
    "apply_along_axis": lambda x: np.apply_along_axis(np.sum, 1, x),
}


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@pytest.mark.parametrize("name", ARRAY_FUNCTIONS)
def test_functions_of_arrays_have_derivatives(name):
    f = ARRAY_FUNCTIONS[name]
    np.testing.assert_allclose(numbers(f(np.vectorize(Value, otypes=[object])(X))), f(X), rtol=1e-14)
    weights = np.random.default_rng(0).normal(size=np.shape(f(X)))
    weighted = lambda x: np.sum(f(x) * weights)  # noqa: E731
    h, found = 1e-6, grad(weighted)(X)
    for index in np.ndindex(X.shape):
        step = np.zeros_like(X)
        step[index] = h
        difference = (weighted(X + step) - weighted(X - step)) / (2 * h)
        assert found[index] == pytest.approx(difference, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.gradient(x[0]),
        lambda x: np.linalg.qr(x)[1],
        lambda x: np.i0(x),
        lambda x: np.linalg.det(x @ x.T),
        lambda x: np.linalg.inv(x @ x.T),
        lambda x: np.abs(np.fft.fft(x)),
        lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0]),
        lambda x: np.bincount([0, 1, 1], weights=x[0]),
        lambda x: np.logaddexp(x, 0.0),
        lambda x: np.hypot(1.0, x),
        lambda x: np.angle(x),
        lambda x: np.cov(x),
        lambda x: np.average(x, axis=0, returned=True)[0],
    ],
)
def test_what_numpy_computes_with_floats_alone_is_an_error_and_no_wrong_derivative(f):
    with pytest.raises((TypeError, ValueError, AttributeError)):
        grad(lambda x: f(x).sum())(X)


@pytest.mark.parametrize("x", [7.3, -7.3, 0.5, -0.5, 0.0, -0.0, 2.0, math.inf, -math.inf, math.nan])
def test_parts_of_numbers_on_the_way_to_zero(x):
    assert same(math.trunc(Value(x)).data, float(np.trunc(x)))
    assert grad(math.trunc)(x) == 0.0
    for y in (2.0, -2.0, 0.7, math.inf):
        with np.errstate(all="ignore"):
            expected = np.fmod(x, y)
        assert Value(x).fmod(y).data == pytest.approx(expected, rel=0.0, abs=0.0, nan_ok=True)
        assert grad(lambda x, y=y: Value.fmod(x, y))(x) == 1.0
        assert grad(lambda y, x=x: Value.fmod(Value(x), y))(2.0) == -np.trunc(x / 2.0) or not math.isfinite(x)
