"""Transforms: derivatives of any order, in any nesting, without confusing levels."""
# ruff: noqa: ARG005 - functions that ignore an argument are what some tests are about

import gc
import math
import random
from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from autograd import (
    Value,
    cos,
    exp,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    no_grad,
    ops,
    scopes,
    sin,
    tanh,
    topological_order,
    transforms,
    value_and_grad,
    vjp,
)
from autograd.sweeping import sweep
from tests.graphs import structured, unstructured


def test_levels_are_not_confused():
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(1.0) == 2.0
    assert grad(lambda x: x * grad(lambda y: x * y * y)(2.0))(1.0) == 8.0
    assert grad(lambda x: x * grad(lambda y: x)(2.0))(1.0) == 0.0
    assert grad(lambda x: x * grad(lambda y: x + y)(x))(3.0) == 1.0
    assert grad(lambda x: jvp(lambda y: x * y * y, (x,), (x,))[1])(2.0) == 24.0  # of 2 x^3
    assert grad(lambda x: vjp(lambda y: x * y, 2.0)[1](x)[0])(3.0) == 6.0
    assert jvp(lambda x: x * grad(lambda y: x * y * y)(2.0), (1.0,), (1.0,)) == (4.0, 8.0)


def test_five_derivatives_of_sin():
    f: Callable[[float], float] = sin
    expected: list[Callable[[float], float]] = [
        sin,
        cos,
        lambda x: -math.sin(x),
        lambda x: -math.cos(x),
        sin,
        cos,
    ]
    for g in expected:
        assert f(0.7) == pytest.approx(g(0.7), rel=1e-15)
        f = grad(f)


def test_forward_mode_nests_five_times_too():
    f: Callable[[float], float] = sin
    for _ in range(5):
        f = partial(lambda f, x: jvp(f, (x,), (1.0,))[1], f)
    assert f(0.7) == pytest.approx(math.cos(0.7), rel=1e-15)


def test_numbers_give_floats_and_values_give_values():
    f = grad(lambda x: x**3)
    assert type(f(2)) is float
    x = Value(2.0)
    derivative = f(x)
    assert type(derivative) is Value
    derivative.backward()
    assert (derivative.data, x.grad) == (12.0, 12.0)


def test_what_a_function_closes_over_can_be_differentiated_further():
    w = Value(3.0)
    slope = grad(lambda x: w * x * x)(2.0)
    slope.backward()
    assert (slope.data, w.grad) == (12.0, 4.0)
    # but a constant, detached one does not make a graph
    assert grad(lambda x: w.detach() * x)(2.0) == 3.0


def test_no_grad_attribute_is_touched():
    x, w = Value(2.0), Value(3.0)
    x.grad = w.grad = 7.0
    grad(lambda y: w * y * y)(x)
    hessian(lambda v: w * v[0] * v[1])([x, x])
    gradients(w * x, [x, w])
    assert (x.grad, w.grad) == (7.0, 7.0)


def test_gradient_through_a_gradient_descent_loop():
    """The derivative of where ten steps lead by the learning rate, against its closed form."""

    def after_descent(rate):
        w = 1.0
        for _ in range(10):
            w = w - rate * grad(lambda w: (w - 3.0) ** 2)(w)
        return w

    # w_k - 3 = (1 - 2 rate)^k (w_0 - 3)
    rate = 0.1
    assert after_descent(rate) == pytest.approx(3 - 2 * 0.8**10)
    assert grad(after_descent)(rate) == pytest.approx(-2 * 10 * 0.8**9 * -2)
    assert grad(grad(after_descent))(rate) == pytest.approx(-2 * 10 * 9 * 0.8**8 * 4)


def test_arguments_keep_their_nesting():
    def f(x, tree, scale=1.0):
        return x * tree["w"][0] * tree["b"][1] * scale

    tree = {"w": [2.0], "b": (5.0, 7.0)}
    assert grad(f, argnums=1)(3.0, tree) == {"w": [21.0], "b": (0.0, 6.0)}
    assert grad(f, argnums=(0, 1))(3.0, tree, scale=2.0) == (28.0, {"w": [42.0], "b": (0.0, 12.0)})
    assert grad(f, argnums=-2)(3.0, tree) == 14.0
    assert value_and_grad(f)(3.0, tree) == (42.0, 14.0)


def test_arrays_give_arrays():
    w = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    x = np.array([0.1, -0.2])
    result = jacobian(lambda x: np.tanh(w @ x))(x)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, (1 - np.tanh(w @ x) ** 2)[:, None] * w, rtol=1e-14)
    by_matrix = jacobian(lambda w: w @ x)(w)
    assert by_matrix.shape == (3, 3, 2)
    np.testing.assert_array_equal(by_matrix, np.einsum("ij,k->ijk", np.eye(3), x))
    gradient = grad(lambda w: ((w @ x) ** 2).sum())(w)
    np.testing.assert_allclose(gradient, 2 * np.outer(w @ x, x), rtol=1e-14)
    second = hessian(lambda x: ((w @ x) ** 2).sum())(x)
    np.testing.assert_allclose(second, 2 * w.T @ w, rtol=1e-14)
    assert jacobian(lambda x: [x.sum(), x[0]])(x)[0].tolist() == [1.0, 1.0]
    by_both = jacobian(lambda w, x: w @ x, argnums=(0, 1))(w, x)
    assert [part.shape for part in by_both] == [(3, 3, 2), (3, 2)]


def test_derivatives_of_vector_functions():
    """dh/dx = dh/dz dz/dx for h = g o f: the product of the Jacobians is the Jacobian of the composition."""

    def f(x):  # R^2 -> R^3
        return [x[0] * x[1], sin(x[0]), exp(x[1])]

    def g(z):  # R^3 -> R^2
        return [z[0] * z[1] + z[2], z[0] / z[2]]

    x = [0.5, -1.2]
    dz_dx = np.array(jacobian(f)(x))
    dh_dz = np.array(jacobian(g)(f(x)))
    dh_dx = np.array(jacobian(lambda x: g(f(x)))(x))
    assert dz_dx.shape == (3, 2)  # row i is the gradient of output i
    assert dz_dx[0].tolist() == grad(lambda x: f(x)[0])(x)
    np.testing.assert_allclose(dh_dx, dh_dz @ dz_dx, rtol=1e-14)
    # the gradient with respect to a weight matrix, of a function of R^(2 x 2)
    w = [[1.0, 2.0], [3.0, 4.0]]
    loss = grad(lambda w: sum(sum(wi * xi for wi, xi in zip(r, x, strict=True)) ** 2 for r in w))
    wx = np.array(w) @ x
    np.testing.assert_allclose(loss(w), 2 * np.outer(wx, x), rtol=1e-14)


@pytest.mark.parametrize("seed", range(20))
def test_forward_reverse_and_backward_agree_on_random_programs(seed):
    rng = random.Random(seed)
    program = structured(rng) if seed % 4 == 0 else unstructured(rng, 40)
    x = list(program.inputs)
    reverse = grad(lambda x: program(*x))(x)
    leaves = [Value(v) for v in x]
    root = program(*leaves)
    root.backward()
    assert [leaf.grad for leaf in leaves] == pytest.approx(reverse, rel=1e-12, abs=1e-14)
    assert gradients(program(*leaves), leaves) == reverse
    for i in range(len(x)):
        unit = [float(k == i) for k in range(len(x))]
        value_, slope = jvp(lambda x: program(*x), (x,), (unit,))
        assert value_ == root.data
        assert slope == pytest.approx(reverse[i], rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("seed", range(12))
def test_a_hessian_is_symmetric_and_hvp_is_its_product(seed):
    rng = random.Random(100 + seed)
    program = unstructured(rng, 25, inputs=3)
    x = list(program.inputs)
    h = np.array(hessian(lambda x: program(*x))(x))
    scale = np.abs(h).max() + 1e-300
    np.testing.assert_allclose(h, h.T, rtol=1e-9, atol=1e-11 * scale)
    v = [0.3, -1.0, 2.0]
    (product,) = hvp(lambda x: program(*x), (x,), (v,))
    np.testing.assert_allclose(product, h @ v, rtol=1e-9, atol=1e-11 * scale)
    nested = jacobian(grad(lambda x: program(*x)))(x)
    np.testing.assert_allclose(nested, h, rtol=1e-9, atol=1e-11 * scale)


def test_hvp_keeps_the_nesting_of_every_argument():
    assert hvp(lambda x, d: x * x * d["a"], (2.0, {"a": 3.0}), (1.0, {"a": 10.0})) == (46.0, {"a": 4.0})


def _nodes_visited(monkeypatch, compute):
    """Count nodes: each one recorded, and each one that a pass orders or sweeps."""
    visited = 0

    def counting(function):
        def counted(order, *arguments, **keywords):
            nonlocal visited
            visited += len(order)
            return function(order, *arguments, **keywords)

        return counted

    def ordered(*roots, until=()):
        nonlocal visited
        order = topological_order(*roots, until=until)
        visited += len(order)
        return order

    def count(node):
        nonlocal visited
        visited += 1
        return node

    with monkeypatch.context() as patch:
        patch.setattr(transforms, "sweep", counting(sweep))
        patch.setattr(transforms, "push", counting(transforms.push))
        patch.setattr(transforms, "topological_order", ordered)
        with scopes.Scope(count):
            compute()
    return visited


def _rosenbrock(x):
    return sum(100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x))


def _network(x):
    hidden = [tanh(sum(0.1 * (i + j + 1) * xj for j, xj in enumerate(x))) for i in range(6)]
    return log(sum(exp(h) for h in hidden))


def _every_row(x):
    unary = [row for row in ops.TABLE.values() if row.arity - len(row.defaults) == 1 and row.name != "acosh"]
    return sum(row(0.3 * xi + 0.4) for row in unary for xi in x)


@pytest.mark.parametrize("n", [2, 5, 10, 30])
@pytest.mark.parametrize("f", [_rosenbrock, _network, _every_row, lambda x: math.prod(x[1:], start=x[0])])
def test_a_hessian_of_n_inputs_costs_at_most_4n_gradients(monkeypatch, f, n):
    x = [0.1 + 0.5 * i / n for i in range(n)]
    one_gradient = _nodes_visited(monkeypatch, lambda: grad(f)(x))
    assert _nodes_visited(monkeypatch, lambda: hessian(f)(x)) <= 4 * n * one_gradient


def test_a_jacobian_takes_the_mode_with_fewer_passes(monkeypatch):
    wide = _nodes_visited(monkeypatch, lambda: jacobian(lambda x: [sin(x[0] * k) for k in range(50)])([1.0]))
    tall = _nodes_visited(monkeypatch, lambda: jacobian(lambda x: [sum(x)])([1.0] * 50))
    assert wide < 1000
    assert tall < 1000


def test_inputs_on_which_the_output_does_not_depend_have_derivative_zero():
    assert grad(lambda x, y: y, argnums=(0, 1))(1.0, 2.0) == (0.0, 1.0)
    assert grad(lambda x: 5.0)(1.0) == 0.0
    assert grad(lambda x: 5)([1.0, 2.0]) == [0.0, 0.0]
    assert jacobian(lambda x: [x[0], 3.0])([1.0, 2.0]) == [[1.0, 0.0], [0.0, 0.0]]
    assert jacobian(lambda x: [x, 3.0, 2 * x])(1.0) == [1.0, 0.0, 2.0]
    assert hessian(lambda x: x[0])([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert jvp(lambda x: 1.0, (2.0,), (1.0,)) == (1.0, 0.0)
    assert gradients(Value(1.0) * 2, [Value(3.0)]) == [0.0]


def test_the_same_value_may_be_input_twice():
    x = Value(3.0)
    by_both = grad(lambda a, b: a * a * b, argnums=(0, 1))(x, x)
    assert [d.data for d in by_both] == [18.0, 9.0]


def test_gradients_by_interior_nodes_too():
    x = Value(2.0)
    y = x * x
    z = y * y + x
    assert gradients(z, {"x": x, "y": [y]}) == {"x": 33.0, "y": [8.0]}


def test_a_vjp_can_be_pulled_back_often_and_through_nests():
    value_, pull_back = vjp(lambda x: {"a": x[0] * x[1], "b": [x[0], x[0]]}, [2.0, 3.0])
    assert value_ == {"a": 6.0, "b": [2.0, 2.0]}
    assert pull_back({"a": 1.0, "b": [0.0, 0.0]}) == ([3.0, 2.0],)
    assert pull_back({"a": 0.0, "b": [1.0, 10.0]}) == ([11.0, 0.0],)


VALUES = [  # results of a function, and for each a cotangent of as many numbers that does not fit
    ([0.0, 0.0], (1.0, 1.0)),
    ([0.0, 0.0], {"a": 1.0, "b": 1.0}),
    ([0.0, [0.0, 0.0]], [[1.0, 1.0], 1.0]),
    ({"a": 0.0, "b": 0.0}, {"a": 1.0, "c": 1.0}),
    ({"a": 0.0, "b": 0.0}, [1.0, 1.0]),
    (np.zeros((2, 3)), np.ones((3, 2))),
    (np.zeros((2, 3)), np.ones(6)),
    (np.zeros((2, 1)), [1.0, 1.0]),
    ([np.zeros(2), np.zeros(1)], [np.ones(1), np.ones(2)]),
    (0.0, [1.0]),
    ([0.0], 1.0),
]


@pytest.mark.parametrize(("value_", "cotangent"), VALUES)
def test_a_cotangent_or_tangent_of_another_structure_is_refused(value_, cotangent):
    with pytest.raises(ValueError, match="the cotangent must have the structure of the value"):
        vjp(lambda x: x, value_)[1](cotangent)
    with pytest.raises(ValueError, match="tangents must have the structure of the primals"):
        jvp(lambda x: x, (value_,), (cotangent,))
    with pytest.raises(ValueError, match="the vector must have the structure of the primals"):
        hvp(lambda x: 1.0, (value_,), (cotangent,))


def test_the_order_of_keys_is_no_structure():
    assert vjp(lambda x: x, {"a": 1.0, "b": 2.0})[1]({"b": 20.0, "a": 10.0}) == ({"a": 10.0, "b": 20.0},)
    assert jvp(lambda x: x["a"], ({"a": 1.0, "b": 2.0},), ({"b": 20.0, "a": 10.0},))[1] == 10.0
    assert hvp(lambda x: x["a"] ** 3, ({"a": 1.0, "b": 2.0},), ({"b": 9.0, "a": 1.0},)) == (
        {"a": 6.0, "b": 0.0},
    )


def test_nested_lists_stand_for_an_array_of_their_shape():
    assert vjp(lambda x: 2.0 * x, np.ones((2, 1)))[1]([[1.0], [2.0]])[0].tolist() == [[2.0], [4.0]]
    assert vjp(lambda x: [2.0 * x[0], x[1]], [1.0, 1.0])[1](np.array([1.0, 2.0])) == ([2.0, 2.0],)


Pair = namedtuple("Pair", "weight bias")


class Row(list[float]):
    """A user's list."""


class Labelled(np.ndarray):
    """A user's array that carries a unit."""

    def __array_finalize__(self, like):
        self.unit = getattr(like, "unit", None)


def labelled(numbers):
    array = np.array(numbers).view(Labelled)
    array.unit = "m"
    return array


@pytest.mark.parametrize(
    "nest",
    [
        Pair(2.0, [3.0]),
        OrderedDict(b=2.0, a=3.0),
        defaultdict(list, b=2.0, a=3.0),  # type: ignore[arg-type]
        Row([2.0, 3.0]),
        np.ma.array([2.0, 3.0], mask=[False, True]),
        labelled([2.0, 3.0]),
        [Pair(1.0, 2.0), {"a": OrderedDict(x=labelled([1.0]))}],
    ],
    ids=lambda nest: type(nest).__name__,
)
def test_containers_keep_their_types(nest):
    seen = []

    def f(x):
        seen.append(x)
        return x

    value_, pull_back = vjp(f, nest)
    (pulled,) = pull_back(nest)
    for thing in (*seen, value_, pulled, jvp(f, (nest,), (nest,))[1], grad(lambda x: 1.0)(nest)):
        _same_types(thing, nest)
    if isinstance(nest, defaultdict):
        assert pulled.default_factory is list


def _same_types(thing, like):
    assert type(thing) is type(like) or isinstance(thing, Value)
    if isinstance(like, np.ndarray):
        assert thing.shape == like.shape
        assert getattr(thing, "unit", None) == getattr(like, "unit", None)
    elif isinstance(like, dict):
        assert list(thing) == list(like)
        for key in like:
            _same_types(thing[key], like[key])
    elif isinstance(like, (list, tuple)):
        for one, other in zip(thing, like, strict=True):
            _same_types(one, other)


class Parameter(Value):
    """A user's own kind of Value."""

    rate: float

    def decay(self):
        return self.rate * self


def test_a_function_gets_values_of_the_users_own_type():
    w = Parameter(3.0, "w")
    w.rate = 0.5
    assert grad(lambda x: x.decay() * x)(w).data == 3.0
    assert type(vjp(lambda x: x, w)[0]) is Parameter


@pytest.mark.parametrize(
    "number", [np.array(3.0), np.float64(3.0), np.int32(3), Value(3.0), np.array(Value(3.0))]
)
def test_an_array_without_dimensions_is_a_number(number):
    assert float(grad(lambda x: x.tanh() + (x if x > 0 else 0))(number)) == 2.0 - math.tanh(3.0) ** 2
    assert float(Value(np.array(3.0)).data) == 3.0  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_result_of_one_number_in_an_array_is_a_number(shape):
    f = lambda x: np.array(x * x).reshape(shape)  # noqa: E731 - named, as it is used thrice
    assert grad(f)(3.0) == 6.0
    assert value_and_grad(f)(3.0) == (9.0, 6.0)
    assert hessian(f)(3.0) == 2.0


def test_jacobians_of_nothing():
    assert jacobian(lambda x: [1.0, 2.0])([]) == [[], []]
    assert jacobian(lambda x: [])([1.0, 2.0]) == []
    assert jacobian(lambda x: np.ones(2))(np.zeros(0)).shape == (2, 0)
    assert jacobian(lambda x: x[:0])(np.zeros(3)).shape == (0, 3)
    assert jacobian(lambda x, y: x[:0], (0, 1))(np.zeros(3), 1.0)[1].shape == (0,)
    assert hessian(lambda x: 1.0)(np.zeros(0)).shape == (0, 0)
    assert grad(lambda x: 1.0)({}) == {}


def test_argnums_may_be_numpy_integers():
    for number in (np.int64(1), np.array(1)):
        assert grad(lambda x, y: x * y * y, argnums=number)(2.0, 3.0) == 12.0
    assert grad(lambda x, y: x * y, argnums=np.arange(2))(2.0, 3.0) == (3.0, 2.0)


def test_a_derivative_is_a_node_of_its_own():
    """The derivative of x * y by x is y, but not the user's own leaf: naming it would rename that."""
    a, b, w = Value(2.0, "a"), Value(3.0, "b"), Value(5.0, "w")
    total = (a + b) * w
    outside = grad(lambda x: w * x)(2.0)
    results = [
        *gradients(a * b, [a, b], create_graph=True),
        *gradients(total, [a, b, w], create_graph=True),
        outside,
        *grad(lambda x, y: x * y, (0, 1))(a, b),
        *grad(lambda x, y: w * (x + y), (0, 1))(1.0, 2.0),
        *vjp(lambda x, y: [x, y], a, b)[1]([w, w]),
        *jvp(lambda x: [x, x], (a,), (w,))[1],
        *hvp(lambda x, y: w * x * y, (1.0, 1.0), (a, a)),
    ]
    assert len({*results, a, b, w, total, *total.parents}) == len(results) + 5
    for k, result in enumerate(results):
        result.label = f"d{k}"
    assert [a.label, b.label, w.label] == ["a", "b", "w"]
    assert gradients(outside, w) == 1.0


def test_gradients_by_what_was_cut_off_are_refused():
    x = Value(3.0)
    with no_grad():
        forgotten = x * x
    for cut, made in ((x.detach(), "detach"), (forgotten, "no_grad")):
        with pytest.raises(ValueError, match=made):
            gradients(x * cut, cut)
        with pytest.raises(ValueError, match=made):
            gradients(cut, x)
    two = 2.0 * x
    with pytest.raises(ValueError, match="is a constant, so nothing has a derivative by it"):
        gradients(two, two.parents[0])
    assert gradients(gradients(two, x, create_graph=True), x) == 0.0  # of a derivative that is a number


def test_a_transform_inside_no_grad_still_differentiates():
    x = Value(3.0)
    with no_grad():
        assert grad(lambda x: x * x)(2.0) == 4.0
        assert hessian(lambda x: x[0] ** 3)([2.0]) == [[12.0]]
        assert grad(lambda x: x * x)(x) == 6.0  # a plain number: nothing is recorded outside the transform
    with_constant = grad(lambda x: x * no_grad()(lambda: x * x)())
    assert with_constant(3.0) == 9.0


def test_branches_and_loops_of_the_program_are_followed():
    def f(x):
        while x < 100:
            x = x * x if x > 2 else x + 1
        return x

    assert grad(f)(1.5) == pytest.approx(8 * 2.5**7)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(lambda x: [x, x])(1.0), TypeError, "returned list of 2; for that, use jacobian or vjp"),
        (lambda: grad(lambda x: None)(1.0), TypeError, "the result of '<lambda>' contains NoneType"),
        (
            lambda: hessian(lambda x: [x])(1.0),
            TypeError,
            "hessian needs a function whose result is one number",
        ),
        (
            lambda: grad(sin, argnums=1)(1.0),
            IndexError,
            "grad of 'sin' was asked for argument 1, but the call",
        ),
        (lambda: grad(sin, argnums=-2)(1.0), IndexError, "asked for argument -2"),
        (lambda: grad(sin, argnums="0")(1.0), TypeError, "argnums of grad of 'sin' must be an int"),  # type: ignore[arg-type]
        (lambda: grad(pow, argnums=(0, -2))(1.0, 2.0), ValueError, "names an argument twice"),
        (lambda: grad(sin)("a"), TypeError, "argument 0 of 'sin' contains str"),
        (lambda: grad(sum)([1.0, [None]]), TypeError, "argument 0 of 'sum' contains NoneType"),
        (
            lambda: jvp(sin, (1.0,), ([1.0],)),
            ValueError,
            r"primals: \(\*\), where \* is a number; got \(\[\*\]\)",
        ),
        (lambda: jvp(sum, ([1.0, 2.0],), ([1.0],)), ValueError, r"\(\[\*, \*\]\), where"),
        (
            lambda: jvp(sin, 1.0, 1.0),  # type: ignore[arg-type]
            TypeError,
            "primals must be a tuple with one item per argument, got float",
        ),
        (lambda: jvp(sin, (1.0,), ("a",)), TypeError, "tangents contains str"),
        (lambda: hvp(sin, (1.0,), (1.0, 2.0)), ValueError, "the vector must have the structure"),
        (
            lambda: vjp(lambda x: [x, x], 1.0)[1]([1.0]),
            ValueError,
            r"cotangent must have the structure of the value: \[\*, \*\], where \* is a number; got \[\*\]",
        ),
        (lambda: gradients(3.0, []), TypeError, "gradients needs Values, whose graph is recorded; got float"),  # type: ignore[arg-type]
        (lambda: gradients(Value(1.0), [2.0]), TypeError, "got float"),
    ],
)
def test_bad_input_is_told_what_came_back_and_what_to_use(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_stale_graph_is_refused_in_forward_mode_as_well():
    w = Value(2.0, "w")
    with pytest.raises(RuntimeError, match="the data of 'w'"):
        jvp(lambda x: _assigning(x * w, w), (1.0,), (1.0,))
    with pytest.raises(RuntimeError, match="the data of 'w'"):
        grad(lambda x: _assigning(x * w, w))(1.0)


def _assigning(result, leaf):
    leaf.data = 5.0
    return result


def test_transforms_leave_nothing_for_the_garbage_collector():
    def use_them_all(x):
        grad(lambda v: v["a"] * v["b"][0])(x)
        hessian(lambda v: v["a"] * v["b"][0])(x)
        jacobian(lambda v: [v["a"], v["b"][0]])(x)
        vjp(lambda v: [v["a"]], x)[1]([1.0])
        hvp(lambda v: v["a"] * v["b"][0], (x,), (x,))

    use_them_all({"a": 2.0, "b": [3.0]})
    while gc.collect():  # what earlier tests left may leave more when it is finalised
        pass
    gc.disable()
    try:
        use_them_all({"a": 2.0, "b": [3.0]})
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("number", [3.0, Value(3.0), [1.0]])
@pytest.mark.parametrize(
    "transform",
    [grad, value_and_grad, jacobian, hessian, lambda f: vjp(f, 1.0), lambda f: jvp(f, [1.0], [1.0])],
)
def test_a_transform_of_what_is_no_function_says_what_to_write(transform, number):
    with pytest.raises(
        TypeError, match=r"needs a function, not \w+: .*; write \w+\(f\) with .* call y.backward\(\)"
    ):
        transform(number)
