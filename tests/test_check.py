"""The checker, checked: it fails what is wrong by 0.1%, passes what is right, refuses what it cannot know."""
# ruff: noqa: ARG005 - derivatives have the arguments of their row, used or not

import math
import random
from itertools import pairwise

import numpy as np
import pytest

from autograd import Value, atan2, clamp, exp, log, maximum, operation, ops, relu, sin, tanh
from autograd.check import Complex, GradientError, gradcheck
from tests.graphs import structured, unstructured
from tests.rows import by_name, samples


@pytest.mark.parametrize("row", ops.TABLE.values(), ids=by_name)
def test_every_row_passes_at_orders_1_2_and_3(row):
    for x in samples(row, 2, random.Random(row.name)):
        by = [x[place] for place in row.differentiable]
        assert gradcheck(lambda *a, x=x: row(*(a + x[len(a) :])), by, order=3)


def off_by(relative):
    """tanh with a first derivative that is wrong by a relative error."""
    return operation(lambda z, x: (1.0 + relative) * (1.0 - z * z), definition="tanh(x)")(_tanh)


def off_by_second(relative):
    """sin whose first derivative is right and whose second is wrong by a relative error."""
    slope = operation(lambda z, x: -(1.0 + relative) * sin(x), definition="cos(x)")(_cos)
    return operation(lambda z, x: slope(x), definition="sin(x)")(_sin)


def _tanh(x):
    return math.tanh(x)


def _cos(x):
    return math.cos(x)


def _sin(x):
    return math.sin(x)


@pytest.mark.parametrize("relative", [1e-3, -1e-3, 1e-5, 1.0, -2.0])
@pytest.mark.parametrize("definition", [True, False])
def test_a_first_derivative_that_is_wrong_by_a_thousandth_fails(relative, definition):
    wrong = off_by(relative)
    if not definition:
        wrong.definition = "unknown(x)"  # so that differences take the place of the complex step
    with pytest.raises(GradientError, match="derivatives of order 1"):
        gradcheck(lambda x, y: wrong(x) * y, (0.4, 2.0))
    assert gradcheck(lambda x, y: wrong(x) * 0.0 + y * y, (0.4, 2.0))


@pytest.mark.parametrize("relative", [1e-3, -1e-3, 1.0])
def test_a_second_derivative_that_is_wrong_by_a_thousandth_fails_at_order_2(relative):
    wrong = off_by_second(relative)
    assert gradcheck(wrong, (0.7,))
    with pytest.raises(GradientError, match="derivatives of order 2"):
        gradcheck(wrong, (0.7,), order=2)
    assert gradcheck(off_by_second(0.0), (0.7,), order=3)


def test_the_report_names_each_input_and_each_estimate():
    wrong = off_by(1e-3)
    with pytest.raises(GradientError) as caught:
        gradcheck(lambda x, y, z: wrong(x) + y * y + wrong(z), (0.5, 1.0, -0.5))
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("  output 0 by input 0 = 0.5: reverse mode 0.787234")
    assert "forward mode 0.787234" in lines[1]
    assert "complex step 0.78644773" in lines[1]
    assert lines[2].startswith("  output 0 by input 2 = -0.5:")


def test_a_gradient_that_a_program_loses_is_found_by_differences():
    with pytest.raises(GradientError, match=r"reverse mode 0\.0, forward mode 0\.0, differences 4\.0"):
        gradcheck(lambda x: float(x) * float(x) + 0.0 * x, (2.0,))
    with pytest.raises(ValueError, match="depends on none of its inputs"):
        gradcheck(lambda x: float(x) * float(x), (2.0,))


def test_arguments_and_results_may_be_nested():
    def f(p, x):
        return {"y": [tanh(p["w"] * xi + p["b"]) for xi in x], "n": p["w"] * p["w"]}

    assert gradcheck(f, ({"w": 0.3, "b": -0.1}, [1.0, 2.0]), order=2)
    w = np.array([[0.1, 0.2], [0.3, 0.4]])
    assert gradcheck(lambda w, x: np.tanh(w @ x), (w, np.array([1.0, -1.0])), order=2)


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_pass(seed):
    program = structured(random.Random(seed)) if seed % 3 == 0 else unstructured(random.Random(seed), 30)
    assert gradcheck(program, program.inputs)


@pytest.mark.parametrize(
    ("f", "inputs", "named"),
    [
        (relu, (0.0,), "'relu' node"),
        (relu, (1e-9,), "'relu' node"),
        (lambda x: ops.abs(x - 1.0), (1.0 + 1e-9,), "'abs' node"),
        (maximum, (2.0, 2.0), "'maximum' node"),
        (lambda x: clamp(x, -1.0, 1.0), (1.0,), "'clamp' node"),
        (lambda x: exp(relu(sin(x))), (0.0,), "'relu' node"),
        (atan2, (1e-9, -1.0), "'atan2' node"),
    ],
)
def test_points_within_the_step_of_a_kink_are_refused(f, inputs, named):
    with pytest.raises(ValueError, match=f"gradcheck refuses input 0 = .* {named}"):
        gradcheck(f, inputs)


def test_a_point_beside_another_branch_of_the_program_is_refused():
    with pytest.raises(ValueError, match="takes another branch"):
        gradcheck(lambda x: sin(x) if x > 1.0 else exp(x), (1.0,))


def test_a_function_may_close_over_values():
    w = Value(3.0)
    assert gradcheck(lambda x: w * x * x, (Value(2.0),), order=2)
    assert w.grad == 0.0


def test_a_tie_that_no_input_can_break_is_no_kink():
    assert gradcheck(lambda x: maximum(x, x) + relu(0.0 * x), (0.5,))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: gradcheck(sin, 1.0),  # type: ignore[arg-type]
            TypeError,
            "inputs of gradcheck must be a tuple of arguments, got float",
        ),
        (lambda: gradcheck(sin, (1.0,), order=0), ValueError, "order of gradcheck must be 1 or more, got 0"),
        (lambda: gradcheck(sin, ("1",)), TypeError, "gradcheck needs a real number, got str"),
        (lambda: gradcheck(lambda: 1.0, ()), ValueError, "at least one input"),
        (
            lambda: gradcheck(log, (-1.0,)),
            ValueError,
            "needs a point where the function is finite, but it is nan",
        ),
        (lambda: gradcheck(lambda x: ops.erf(1e9 * x), (0.3,)), None, None),
        (lambda: gradcheck(lambda x: ops.erf(sin(1e12 * x)), (0.3,)), ValueError, "cannot judge output 0"),
    ],
)
def test_what_cannot_be_judged_is_refused(call, error, message):
    if error is None:
        assert call()
    else:
        with pytest.raises(error, match=message):
            call()


def test_complex_numbers_follow_methods_operators_and_comparisons():
    z = Complex(0.5, 1e-30)
    for f in (
        lambda x: x.tanh() * 2,
        lambda x: 1 / (1 + (-x).exp()),
        lambda x: x**3 - 2**x,
        lambda x: +abs(-x),
    ):
        x = Value(0.5)
        f(x).backward()
        assert f(z).imag / 1e-30 == pytest.approx(x.grad, rel=1e-14)
    assert z > 0.4
    assert z <= 0.5
    assert relu(z).imag == z.imag
    assert relu(-z) == 0  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.abs(x).sum(),
        lambda x: np.linalg.norm(x),
        lambda x: np.linalg.norm(x, axis=1).sum(),
        lambda x: np.vdot(x, x),
        lambda x: np.var(x) + np.std(x),
        lambda x: (x.conj() * x).sum(),
        lambda x: np.sqrt((np.abs(x) ** 2).sum()),
        lambda x: np.max(x) - np.min(x),
        lambda x: abs(x[0, 0].item() if isinstance(x[0, 0], np.generic) else x[0, 0]),
    ],
)
@pytest.mark.parametrize("order", [1, 2])
def test_right_derivatives_pass_where_a_complex_step_means_something_else(f, order):
    x = np.array([[0.3, -1.2, 2.5], [1.7, 0.4, -0.6]])
    assert gradcheck(f, (x,), order=order)


def test_a_wrong_derivative_fails_there_too():
    wrong = off_by(1e-3)
    with pytest.raises(GradientError, match="derivatives of order 1"):
        gradcheck(lambda x: np.abs(np.array([wrong(v) for v in x])).sum(), (np.array([0.3, -0.4]),))


def test_the_second_order_of_many_inputs_takes_few_evaluations():
    """As many for 40 inputs as for 10: along random lines, not input by input."""

    def evaluations(count, order):
        calls = []

        def f(x):
            calls.append(None)
            return sum(sin(a * b) for a, b in pairwise(x))

        assert gradcheck(f, ([0.1 * k + 0.3 for k in range(count)],), order=order)
        return len(calls)

    second = [evaluations(count, 2) - evaluations(count, 1) for count in (10, 40)]
    assert second[0] == second[1] < 100


@pytest.mark.parametrize("relative", [1e-3, -1e-3, 1.0])
def test_a_wrong_second_derivative_is_found_among_many_inputs_and_named(relative):
    wrong = off_by_second(relative)
    with pytest.raises(GradientError, match="derivatives of order 2") as caught:
        gradcheck(
            lambda x: sum(sin(v) for v in x) + wrong(x[7]), ([0.1 * k + 0.3 for k in range(12)],), order=2
        )
    (line,) = str(caught.value).splitlines()[1:]
    assert line.startswith("  output 7 by input 7 = 1.0")
