"""NumPy and Python on Values: what works on arrays of numbers works on arrays of Values."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, clamp, grad, maximum, minimum, ops, where
from tests.rows import by_name, samples


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


@pytest.mark.parametrize(
    "name", ["deg2rad", "rad2deg", "rint", "fabs", "floor", "ceil", "mod", "floor_divide", "hypot"]
)
def test_numpys_functions_of_rows_work_on_arrays_of_values(name):
    x = np.array([0.3, -1.7, 2.5])
    values = np.array([Value(number) for number in x])
    more = (2.0,) if name in ("mod", "floor_divide", "hypot") else ()
    np.testing.assert_allclose(
        numbers(getattr(np, name)(values, *more)), getattr(np, name)(x, *more), rtol=1e-15
    )
