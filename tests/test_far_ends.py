"""The table where numbers are huge, tiny, subnormal or signed zeros, to third order, against 50 digits.

Formulas go wrong there that are right everywhere else: a square overflows, infinity meets 0, a sum turns -0.0
into 0.0.
"""

import math
import operator
from itertools import product

import numpy as np
import pytest
from mpmath import mp, mpf

from autograd import Value, gradients, ops
from autograd.row import UNDEFINED
from autograd.value import Constant
from tests.oracle import derivative, evaluate, exact, to_float, unary_rows
from tests.rows import by_name, same

# 50 digits of the gamma function's derivatives take minutes here; tests of their own have other oracles.
ROWS = [row for row in ops.TABLE.values() if row is not ops.lgamma and not row.constants]
ALL = (0.0, 5e-324, 1e-310, 1e-160, 1e-103, 0.5, 30.0, 41.0, 800.0, 1e103, 1e160, 1.7e308)
MORE = {1: ALL, 2: (0.0, 1e-310, 1e-160, 0.5, 41.0, 1e160), 3: (0.0, 1e-160, 1e160)}
FEW = {1: (0.0, 1e-310, 0.5, 1e160), 2: (0.0, 1e-310, 1e160), 3: (0.0, 1e160)}
EACH = [pytest.param(FEW, id="some"), pytest.param(MORE, marks=pytest.mark.slow, id="all")]


def points(row, sizes):
    """Yield the points made of these sizes and signs at which the row is smooth and defined."""
    numbers = [s * x for x in sizes[row.arity] for s in (1.0, -1.0)]
    for point in product(numbers, repeat=row.arity):
        smooth = all(0.0 < abs(kink(*point)) < math.inf for kink in row.kinks)
        if smooth and not any(map(operator.contains, row.domain, point)):
            try:
                if mp.isfinite(evaluate(row, tuple(map(mpf, point)))):
                    yield point
            except UNDEFINED:
                continue


def agree(found, truth, near):
    """Tell whether a number is the truth to 8 digits, or to ``near`` or the smallest doubles, absolutely."""
    return found == truth or abs(found - truth) <= max(1e-8 * min(abs(found), abs(truth)), near, 1e-300)


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_a_zero_has_the_sign_of_the_numbers_next_to_it(row):
    """As in NumPy; and 50 digits say which sign they have, for scalars and arrays alike."""
    grid = (0.0, -0.0, 1.0, -1.0) if row.arity < 3 else (0.0, -0.0, 1.0)
    places = list(product(grid, repeat=row.arity))
    columns = [np.array(column) for column in zip(*places, strict=True)]
    with np.errstate(all="ignore"):
        forms = [row(*columns)]
        if isinstance(row.numpy, str) and row.name not in ("maximum", "minimum"):  # of 0.0 and -0.0 either
            forms.append(getattr(np, row.numpy)(*columns).astype(float))
    for point, *others in zip(places, *(form.tolist() for form in forms), strict=True):
        z = row.value(*point)
        if z == 0.0 in point and row.name not in ("maximum", "minimum"):
            assert all(map(same, others, [z] * len(others))), point
            near = tuple(math.copysign(abs(x) or 1e-300, x) for x in point)
            smooth = all(kink(*point) for kink in row.kinks) and row is not ops.strong_mul  # 0.0 is its rule
            truth = exact(row, near) if smooth and row.value(*near) == row.value(*near) else 0.0
            assert truth == 0.0 or same(z, math.copysign(0.0, truth)), point


@pytest.mark.parametrize("sizes", EACH)
@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_first_derivatives_are_right_at_all_sizes_of_numbers(row, sizes):
    for point in points(row, sizes):
        if row is ops.pow and point[0] < (1e-300 if 0.0 < abs(point[1]) < 1e-100 else 0.0):
            continue  # x ** -1 overflows, though y times it would not; or it is complex next to it
        z = row.value(*point)
        assert agree(z, to_float(exact(row, point)), 0.0), point
        for index in row.differentiable:
            truth = to_float(derivative(row, point, index))
            assert agree(row.derivatives[index](z, *point), truth, 0.0), (point, index, truth)


def higher(row, point, index):
    """Yield the first three derivatives by one argument, as the engine records them."""
    leaves = [Value(x) if k == index else x for k, x in enumerate(point)]
    node = row(*leaves)
    for _ in range(3):
        node = 0.0 * node if isinstance(node, Constant) else gradients(node, leaves[index], create_graph=True)
        yield node.data


@pytest.mark.parametrize("sizes", EACH)
@pytest.mark.parametrize("row", [row for row in ROWS if row in unary_rows() and not row.kinks], ids=by_name)
def test_second_and_third_derivatives_are_right_at_all_sizes_of_numbers(row, sizes):
    """Where one crosses 0, as a second derivative may at 0, it may be a difference of two numbers near 1."""
    amplitudes = [(1.0,), (-1e-160,), (1e3,)] if row.defaults else [()]
    for size, sign, amplitude in product(sizes[1], (1.0, -1.0), amplitudes):
        x, *_ = point = (sign * size, *amplitude)
        if row.arity == 1 and point not in points(row, {1: (size,)}):
            continue
        near = 1e-15 * max(map(abs, amplitude), default=1.0) if abs(x) < 1e-8 or row.crossings else 0.0
        for order, found in enumerate(higher(row, point, 0), 1):
            truth = to_float(derivative(row, point, 0, order))
            assert agree(found, truth, near), (point, order, found, truth)
