"""A number that leaves the graph does not take the derivative with it in silence."""

import math
import statistics
import warnings
from fractions import Fraction

import numpy as np
import pytest

import autograd
from autograd import Value, grad, gradients, hessian, jacobian, jvp, operation, value_and_grad, vjp
from autograd.leaks import LeakWarning


def into_an_array(v):
    out = np.zeros(len(v))
    for i, x in enumerate(v):
        out[i] = x**2
    return out.sum()


# Each loses a path of the derivative; what the message names, and what it says to use.
PARTLY = {
    "math.sin": (lambda x: x * math.sin(x), "in math.sin(x)", "use autograd.sin,"),
    "of an expression": (lambda x: x + math.tanh(2 * x + 1), "in math.tanh(2 * x + 1)", "use autograd.tanh,"),
    "another name": (lambda x: x * math.acos(x / 9), "in math.acos(x / 9)", "use autograd.acos,"),
    "not in the table": (lambda x: x * math.gamma(x), "in math.gamma(x)", "use autograd's functions,"),
    "an array of floats": (
        lambda x: x * np.asarray([x, x], float)[0],
        "np.asarray([x, x], float)",
        "objects",
    ),
    "astype": (lambda x: x * np.array([x, x]).astype(float)[0], ".astype(float)", "arrays of objects"),
    "an entry of an array": (lambda x: x * into_an_array([x, x]), "in out[i]", "arrays of objects"),
    "np.interp": (lambda x: x * np.interp(x, [0.0, 9.0], [0.0, 3.0]), "np.interp(x,", "autograd's functions"),
    "math.fsum": (lambda x: x * math.fsum([x, 1.0]), "in math.fsum([x, 1.0])", "autograd's functions"),
    "statistics": (lambda x: x * statistics.fmean([x, 1.0]), "statistics.fmean([x, 1.0])", "autograd's"),
    "float": (lambda x: x * float(x), "in float(x)", "or .data if a constant is meant"),
}


@pytest.mark.parametrize("name", PARTLY)
def test_a_backward_pass_warns_once_and_says_what_and_where_and_what_to_do(name):
    f, source, remedy = PARTLY[name]
    x = Value(2.0, "x")
    y = f(x)
    with pytest.warns(LeakWarning) as caught:
        y.backward()
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "(data=" in message
    assert f"{__file__}, line " in message
    assert source in message
    assert remedy in message
    assert caught[0].filename == __file__
    y.backward()  # an error in these tests if it warned again


@pytest.mark.parametrize("name", PARTLY)
@pytest.mark.parametrize(
    "transform",
    [
        lambda f: grad(f)(2.0),
        lambda f: value_and_grad(f)(2.0),
        lambda f: jvp(f, (2.0,), (1.0,)),
        lambda f: vjp(f, 2.0)[1](1.0),
        lambda f: jacobian(f)(2.0),
        lambda f: hessian(f)(2.0),
    ],
)
def test_a_transform_warns(transform, name):
    f, source, remedy = PARTLY[name]
    with pytest.warns(LeakWarning) as caught:
        transform(f)
    assert len(caught) == 1
    assert source in str(caught[0].message)
    assert remedy in str(caught[0].message)


CONSTANT = [
    math.sin,
    lambda x: math.sin(x),
    lambda x: float(x) ** 2,
    lambda x: into_an_array([x, x]),
    statistics.NormalDist().cdf,
]


@pytest.mark.parametrize("f", CONSTANT)
@pytest.mark.parametrize("transform", [grad, hessian, jacobian])
def test_a_transform_whose_result_depends_on_none_of_its_inputs_any_more_is_an_error(f, transform):
    with pytest.raises(ValueError, match=r"none of its inputs: .*was asked for its number"):
        transform(f)(0.5)


def test_the_error_names_the_function_to_use():
    with pytest.raises(ValueError, match=r"the result of 'sin' .*; use autograd\.sin, or \.data"):
        grad(math.sin)(1.0)


def test_a_derivative_of_ones_own_that_uses_math_is_told_at_the_second_order():
    row = operation(lambda z, x: x * math.cos(x))(lambda x: math.sin(x))  # noqa: ARG005 - a row's arguments
    assert grad(row)(1.0) == math.cos(1.0)
    x = Value(1.0)
    with pytest.warns(LeakWarning, match=r"in math.cos\(x\).*use autograd.cos"):
        gradients(row(x), x, create_graph=True)


def test_what_is_asked_in_another_graph_or_before_an_update_is_no_leak():
    x, y = Value(1.0), Value(2.0)
    math.sin(x)
    (y * 3.0).backward()
    x.data = 1.5
    (x * 3.0).backward()
    math.sin(x)
    (x * y).backward()  # no number came in


def test_looking_is_no_leak(capsys):
    w, seen = Value(2.0, "w"), []
    for _ in range(3):
        loss = (w * 2.0 - 3.0) ** 2
        seen.append(float(loss))
        total = math.fsum(seen)
        math.isfinite(loss)
        if w > 0 and loss < 100 and bool(w):
            print(w, f"{w:.2f} {float(w)}", format(w, "g"), round(float(w), 2), total)
            print("%.1f" % w)  # noqa: UP031 - an old format asks for a float
        w.grad = 0.0
        loss.backward()
        seen.append(float(loss))
        w.data -= 0.1 * w.grad
        seen += [float(w), w.item(), w.data]
        Fraction(w.data)
    assert capsys.readouterr().out
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grad(lambda x: x * x.data)(3.0) == 3.0
        assert grad(lambda x: x * x.item())(3.0) == 3.0
        assert grad(lambda x: x * 2.0 if float(x) > 1.0 else x)(3.0) == 2.0
        assert grad(lambda x: autograd.sin(x) + len(f"{float(x)}"))(0.0) == 1.0


LOOKS = {
    "a guard": lambda x: 0.0 * x if math.isnan(x) or math.isinf(x) or not math.isfinite(x) else 2.0 * x,
    "nearness": lambda x: 0.0 * x if math.isclose(x, 9.0) else 2.0 * x,
    "of an array": lambda x: 2.0 * x if np.isfinite(np.asarray([x, x], float)).all() else 0.0 * x,
    "a comparison": lambda x: 2.0 * x if math.hypot(x, 1.0) > 1.0 else 0.0 * x,
    "in a comprehension": lambda x: sum(2.0 * y for y in [x] if not math.isnan(y)),
    "an old format": lambda x: 2.0 * x + len("%.1f" % x) - 3.0,  # noqa: UP031
    "a formatted function": lambda x: 2.0 * x + len(f"{math.sqrt(x):.1f}") - 3.0,
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_number_that_is_compared_or_shown_is_no_leak_whatever_was_computed_with_it(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grad(LOOKS[name])(2.0) == 2.0
        assert grad(lambda x: LOOKS[name](x) and 5.0)(2.0) == 0.0  # and may be all that there is


def test_a_function_that_only_looks_at_its_inputs_may_be_constant(capsys):
    def shown(x):
        print(float(x), math.sqrt(x))
        return 3.0 if math.isfinite(x) else 0.0

    assert grad(shown)(4.0) == 0.0
    assert capsys.readouterr().out == "4.0 2.0\n"


def test_what_is_shown_on_the_same_line_hides_no_leak():
    with pytest.warns(LeakWarning, match="in math.sin"):
        print(grad(lambda x: x * math.sin(x))(2.0))
    with pytest.raises(ValueError, match="none of its inputs"):
        print(grad(lambda x: math.sin(x))(2.0) > 0.0)


@pytest.mark.parametrize("taken", [autograd.steps, autograd.backprop_source, autograd.backprop_latex])
def test_a_derivation_that_is_written_down_warns_too(taken):
    x = Value(2.0, "x")
    with pytest.warns(LeakWarning, match="use autograd.sin"):
        taken(x * math.sin(x))


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_of_a_graph_warn(create_graph):
    x = Value(2.0, "x")
    f = x * math.sin(x)
    with pytest.warns(LeakWarning, match="use autograd.sin"):
        gradients(f, [x], create_graph=create_graph)


def test_plots_are_no_leaks():
    figure = pytest.importorskip("matplotlib.figure")
    w = [Value(2.0), Value(3.0)]
    axes = figure.Figure().subplots()
    axes.plot(w)
    axes.scatter(w, w)
    (w[0] * 2.0 + w[1] * 3.0).backward()


def test_remembering_a_leak_keeps_no_graph_alive():
    import weakref

    x = Value(1.0)
    y = x * 3.0
    math.sin(y)
    gone = weakref.ref(y)
    del y
    assert gone() is None
