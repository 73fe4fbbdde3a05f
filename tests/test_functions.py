"""Functions of many numbers: logsumexp and softmax, on lists and arrays, of floats and of Values."""

import math

import numpy as np
import pytest
from mpmath import mp

from autograd import Value, check, grad, logsumexp, softmax

POINTS = [[0.3], [1.0, -2.0, 0.5], [1000.0, 999.0, -1000.0], [-745.0, -745.5, -746.0]]


@pytest.mark.parametrize("x", POINTS, ids=str)
def test_the_values_are_those_of_50_digit_arithmetic(x):
    with mp.workdps(50):
        total = mp.fsum(mp.exp(xi) for xi in x)
        shares = [float(mp.exp(xi) / total) for xi in x]
    assert logsumexp(x) == pytest.approx(float(mp.log(total)), rel=1e-15)
    assert softmax(x) == pytest.approx(shares, rel=1e-15, abs=1e-300)


@pytest.mark.parametrize("x", POINTS, ids=str)
def test_the_gradient_of_logsumexp_is_softmax(x):
    assert grad(logsumexp)(x) == pytest.approx(softmax(x), rel=1e-12, abs=1e-300)


def test_derivatives_pass_gradcheck_to_second_order():
    weights = [0.5, -1.0, 2.0]
    assert check.gradcheck(
        lambda x: sum(w * s for w, s in zip(weights, softmax(x), strict=True)), [[0.1, 0.7, -0.4]], order=2
    )


def test_a_masked_score_has_no_share_and_gets_no_gradient():
    x, masked = Value(0.5), Value(-math.inf)
    first, second = softmax([x, masked])
    first.backward()
    assert (first.data, second.data) == (1.0, 0.0)
    assert (x.grad, masked.grad) == (0.0, 0.0)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_arrays_are_reduced_along_an_axis(axis):
    numbers = np.array([[1.0, 2.0, 3.0], [0.0, 1000.0, -5.0]])
    values = np.array([[Value(x) for x in row] for row in numbers])
    top = numbers.max(axis=axis, keepdims=True)
    expected = np.log(np.exp(numbers - top).sum(axis=axis)) + top.squeeze(axis)
    np.testing.assert_allclose(logsumexp(numbers, axis), expected, rtol=1e-15)
    np.testing.assert_allclose([v.data for v in logsumexp(values, axis)], expected, rtol=1e-15)
    np.testing.assert_allclose(softmax(numbers, axis).sum(axis=axis), 1.0, rtol=1e-12)
    assert [v.data for v in softmax(values, axis).ravel()] == pytest.approx(
        softmax(numbers, axis).ravel().tolist()
    )


@pytest.mark.parametrize("nothing", [[], np.zeros((0, 3))])
def test_no_values_are_refused(nothing):
    for function in (logsumexp, softmax):
        with pytest.raises(ValueError, match="needs at least one value"):
            function(nothing)
