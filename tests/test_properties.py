"""Laws that hold for every program, point and order of events, searched for counter-examples."""
# ruff: noqa: ARG005 - the functions of one list have the same arguments, used or not

import math
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from autograd import (
    Value,
    exp,
    grad,
    gradients,
    hessian,
    jvp,
    log,
    no_grad,
    ops,
    sqrt,
    tanh,
    topological_order,
)
from autograd.sweeping import sweep
from tests.graphs import structured, unstructured

many = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])

numbers = st.floats(-3.0, 3.0)
seeds = st.integers(0, 2**32)


@st.composite
def programs(draw, most=30, ties=True):
    rng = random.Random(draw(seeds))
    if draw(st.integers(0, 4)) == 0:
        return structured(rng)
    return unstructured(rng, draw(st.integers(3, most)), ties=ties and draw(st.booleans()))


def derivatives(program, seed=1.0):
    leaves = [Value(x) for x in program.inputs]
    root = program(*leaves)
    root.backward(seed)
    return [leaf.grad for leaf in leaves]


def close(actual, expected, scale=None):
    scale = max(map(abs, [*actual, *expected])) if scale is None else scale
    return all(abs(a - e) <= 1e-12 * scale + 1e-300 for a, e in zip(actual, expected, strict=True))


@many
@given(programs())
def test_floats_and_values_compute_the_same_numbers(program):
    plain = program.wires(program.inputs)
    recorded = program.wires([Value(x) for x in program.inputs])
    assert [w.data if isinstance(w, Value) else w for w in recorded] == plain


@many
@given(programs(), st.integers(-8, 8))
def test_the_gradient_is_linear_in_the_seed(program, exponent):
    """Exactly so for powers of two, which round nothing."""
    seed = 2.0**exponent
    assert derivatives(program, seed) == [seed * g for g in derivatives(program)]


@many
@given(programs())
def test_two_backwards_are_exactly_twice(program):
    leaves = [Value(x) for x in program.inputs]
    root = program(*leaves)
    root.backward()
    once = [leaf.grad for leaf in leaves]
    interior = {n: n.grad for n in topological_order(root) if n.op is not None}
    root.backward()
    assert [leaf.grad for leaf in leaves] == [2.0 * g for g in once]
    assert all(node.grad == g for node, g in interior.items())


@many
@given(programs(), programs(), numbers, numbers)
def test_the_sum_rule(f, g, a, b):
    n = max(len(f.inputs), len(g.inputs))
    x = [0.3 + 0.1 * i for i in range(n)]
    x[: len(f.inputs)] = f.inputs

    def at(program, x):
        return program(*x[: len(program.inputs)])

    df, dg = grad(lambda x: at(f, x))(x), grad(lambda x: at(g, x))(x)
    assume(all(map(math.isfinite, df + dg)))
    both = grad(lambda x: a * at(f, x) + b * at(g, x))(x)
    expected = [a * p + b * q for p, q in zip(df, dg, strict=True)]
    paths = [_path_sum(replace(p, inputs=tuple(x[: len(p.inputs)]))) for p in (f, g)]
    assume(all(map(math.isfinite, paths)))
    assert close(both, expected, abs(a) * paths[0] + abs(b) * paths[1])


@many
@given(programs(), programs())
def test_the_chain_rule(f, g):
    """The gradient of g at f's value, by f's input, is the product of the two derivatives."""
    rest = list(g.inputs[1:])
    inner = f(*f.inputs)
    outer = grad(lambda y: g(y, *rest))(inner)
    assume(math.isfinite(outer))
    composed = grad(lambda x: g(f(*x), *rest))(list(f.inputs))
    scale = _path_sum(f) * _path_sum(replace(g, inputs=(inner, *rest)))  # a derivative may cancel to nothing
    assume(math.isfinite(scale))
    assert close(composed, [outer * d for d in derivatives(f)], scale)


@many
@given(programs(), st.randoms(use_true_random=False))
def test_the_order_in_which_leaves_are_made_does_not_matter(program, shuffler):
    leaves: list[Any] = [None] * len(program.inputs)
    places = list(range(len(leaves)))
    shuffler.shuffle(places)
    for place in places:
        leaves[place] = Value(program.inputs[place])
    root = program(*leaves)
    shuffler.shuffle(places)
    assert gradients(root, [leaves[p] for p in places]) == [derivatives(program)[p] for p in places]


@many
@given(programs())
def test_reverse_and_forward_mode_agree(program):
    reverse = derivatives(program)
    x = list(program.inputs)
    units = np.eye(len(x)).tolist()
    forward = [jvp(lambda x: program(*x), (x,), (unit,))[1] for unit in units]
    assert close(forward, reverse, _path_sum(program))


@many
@given(programs())
def test_recording_a_sweep_gives_the_numbers_of_a_plain_one(program):
    leaves = [Value(x) for x in program.inputs]
    root = program(*leaves)
    order = topological_order(root)
    recorded = sweep(order, {root: 1.0}, record=True)
    for leaf, expected in zip(leaves, derivatives(program), strict=True):
        adjoint = recorded.get(leaf, 0.0)
        assert float(adjoint) == expected


def _path_sum(program):
    """The sum of the absolute contributions of all paths: what rounding errors are relative to."""
    leaves = [Value(x) for x in program.inputs]
    root = program(*leaves)
    total = {root: 1.0}
    for node in reversed(topological_order(root)):
        for parent, local in zip(node.parents, node.local_derivatives, strict=True):
            if parent.is_constant:  # which may be an order, by which there is no derivative
                continue
            total[parent] = total.get(parent, 0.0) + total[node] * abs(local())
    return max(total.get(leaf, 0.0) for leaf in leaves)


@given(programs(most=15, ties=False))
@settings(max_examples=50)
def test_a_hessian_is_symmetric(program):
    h = np.array(hessian(lambda x: program(*x))(list(program.inputs)))
    assume(np.isfinite(h).all())
    np.testing.assert_allclose(h, h.T, rtol=1e-9, atol=1e-10 * np.abs(h).max())


HOMOGENEOUS = [
    (lambda x, y, z: x * y * z, 3),
    (lambda x, y, z: x * x / y + z, 1),
    (lambda x, y, z: ops.hypot(x, y) * z, 2),
    (lambda x, y, z: ops.maximum(x, y) - ops.minimum(y, z), 1),
    (lambda x, y, z: sqrt(x * x + y * y + z * z), 1),
    (lambda x, y, z: ops.atan2(x, y) + z / x, 0),
    (lambda x, y, z: ops.cbrt(x * y * z), 1),
    (lambda x, y, z: ops.abs(x) ** 1.5 / ops.leaky_relu(y) ** 2, -0.5),
    (lambda x, y, z: log(ops.abs(x / y)) * tanh(z / y), 0),
]


@many
@given(st.sampled_from(HOMOGENEOUS), st.tuples(*3 * [numbers.filter(lambda x: abs(x) > 0.01)]))
def test_eulers_identity_for_homogeneous_functions(case, point):
    f, degree = case
    x = list(point)
    terms = [xi * d for xi, d in zip(x, grad(lambda x: f(*x))(x), strict=True)]
    assert abs(sum(terms) - degree * f(*x)) <= 1e-13 * (sum(map(abs, terms)) + abs(f(*x)))


ROUND_TRIPS = [
    (log, exp, (-5.0, 5.0)),
    (exp, log, (0.01, 50.0)),
    (sqrt, lambda x: x * x, (0.01, 5.0)),
    (lambda x: x**3, ops.cbrt, (0.01, 5.0)),
    (ops.asin, ops.sin, (-1.4, 1.4)),
    (ops.acos, ops.cos, (0.1, 3.0)),
    (ops.atan, ops.tan, (-1.4, 1.4)),
    (ops.asinh, ops.sinh, (-5.0, 5.0)),
    (ops.acosh, ops.cosh, (0.1, 5.0)),
    (ops.atanh, ops.tanh, (-2.0, 2.0)),
    (ops.log1p, ops.expm1, (-4.0, 5.0)),
    (ops.log2, ops.exp2, (-5.0, 5.0)),
    (lambda x: log(x / (1.0 - x)), ops.sigmoid, (-4.0, 4.0)),
    (lambda y: log(ops.expm1(y)), ops.softplus, (-4.0, 5.0)),
]


@many
@given(st.sampled_from(ROUND_TRIPS), st.floats(0.0, 1.0))
def test_a_function_after_its_inverse_has_derivative_1_and_no_curvature(case, t):
    outer, inner, (low, high) = case
    x = low + t * (high - low)
    assert abs(outer(inner(x)) - x) <= 1e-12 * max(1.0, abs(x))
    assert abs(grad(lambda x: outer(inner(x)))(x) - 1.0) <= 1e-11
    assert abs(grad(grad(lambda x: outer(inner(x))))(x)) <= 1e-8


class Life(RuleBasedStateMachine):
    """Build, mutate, go backward, zero and forget, in any order, beside a model that never shares state.

    The model of a node is its formula over leaf numbers, evaluated anew by forward mode.
    """

    values = Bundle("values")

    def __init__(self):
        super().__init__()
        self.leaves = []
        self.grads = {}  # the model's gradient of each leaf
        self.made = {}  # node -> (row, arguments, leaf data at the time)
        self.versions = {}  # leaf -> how often it was assigned

    @rule(target=values, x=numbers)
    def new_leaf(self, x):
        leaf = Value(x)
        self.leaves.append(leaf)
        self.grads[leaf] = 0.0
        self.versions[leaf] = 0
        return leaf

    @rule(target=values, name=st.sampled_from(["add", "mul", "sub", "maximum", "atan2"]), a=values, b=values)
    def combine(self, name, a, b):
        return self._made(ops.TABLE[name](a, b), a, b)

    @rule(target=values, name=st.sampled_from(["tanh", "sin", "relu", "softplus", "neg"]), a=values)
    def apply(self, name, a):
        return self._made(ops.TABLE[name](a), a)

    @rule(target=values, a=values, b=values)
    def combine_under_no_grad(self, a, b):
        with no_grad():
            node = a * b
        assert node.parents == ()
        self.made[node] = ()
        return node

    def _made(self, node, *parents):
        self.made[node] = [(leaf, self.versions[leaf]) for leaf in self._leaves_of(parents)]
        return node

    def _leaves_of(self, nodes):
        return [leaf for leaf in topological_order(*nodes) if leaf in self.grads]

    @rule(data=st.data(), x=numbers)
    def assign(self, data, x):
        if self.leaves:
            leaf = data.draw(st.sampled_from(self.leaves))
            leaf.data = x
            self.versions[leaf] += 1

    @rule(root=values, seed=st.sampled_from([1.0, -2.0, 0.5]))
    def backward(self, root, seed):
        leaves = self._leaves_of([root])
        if self._stale(root):
            with pytest.raises(RuntimeError, match="was assigned after"):
                root.backward(seed)
            return
        root.backward(seed)
        for leaf in leaves:
            self.grads[leaf] += seed * self._slope(root, leaf) if root is not leaf else seed

    def _stale(self, root):
        """Some node that is swept saw another number of one of its leaves; constants are not swept."""
        return any(
            self.versions[leaf] != version
            for node in topological_order(root)
            for leaf, version in self.made.get(node, ())
        )

    @staticmethod
    def _slope(root, leaf):
        tangents = {leaf: 1.0}
        for node in topological_order(root):
            if node.op is not None:
                pairs = zip(node.parents, node.local_derivatives, strict=True)
                tangents[node] = sum(tangents.get(parent, 0.0) * local() for parent, local in pairs)
        return tangents.get(root, 0.0)

    @rule(data=st.data())
    def zero(self, data):
        if self.leaves:
            leaf = data.draw(st.sampled_from(self.leaves))
            leaf.grad = self.grads[leaf] = 0.0

    @invariant()
    def every_leaf_holds_the_models_gradient(self):
        for leaf, expected in self.grads.items():
            assert math.isclose(leaf.grad, expected, rel_tol=1e-9, abs_tol=1e-9) or (
                not math.isfinite(expected) or abs(expected) > 1e9
            )


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestLife = Life.TestCase
