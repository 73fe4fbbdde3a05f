"""A program as a function of JAX says what the other engines say, under everything that JAX does to it."""

import math
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Operation, Value, ops
from autograd.compiler.adjoint import strengthened
from tests.compiling import assert_same
from tests.plain_engine import PlainEngine
from tests.program_families import FAMILIES, make
from tests.random_plans import Maker

jax = pytest.importorskip("jax", reason="no jax; it comes with the extra jax")
jnp = jax.numpy

from autograd.compiler.jax_engine import JaxEngine  # noqa: E402 - it needs what may be missing

QUICK = ("prefix_sums", "earlier_state", "matrix_products", "sorting_network")


@pytest.fixture(autouse=True)
def doubles():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES]
)
def test_every_family_of_programs_agrees(name):
    size = FAMILIES[name].sizes[0] // (4 if name in ("sorting_network", "fourier") else 2)
    build, point = make(name, size)
    leaves = [Value(x) for x in point]
    program = autograd.compile(build(leaves), inputs=leaves)
    value = program()
    output, gradients = jax.jit(program.to_jax())(np.array(point))
    assert_same([output], [value])
    assert_same(gradients, program.gradients)


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(s, marks=pytest.mark.slow) for s in range(4, 60))]
)
def test_a_random_plan_means_what_the_reference_says(seed):
    """Every kind of place, sum, addition and loop; all its cells depend on data here."""
    maker = Maker(seed)
    plan = strengthened(maker.plan())
    reference = PlainEngine(plan)
    maker.fill(plan, reference.v)
    engine = JaxEngine(replace(plan, parameters=0, fixed=0, data=maker.inputs, choices=()))

    def memories(data):
        return engine.reverse(engine.forward(jnp.zeros(0), data))

    points = np.stack([reference.v[: maker.inputs]] * 2, axis=1)
    found = jax.jit(memories)(points)
    with np.errstate(all="ignore"):
        reference.forward()
        reference.reverse()
    for memory in ("v", "d"):
        for column in np.asarray(found[f"{memory} of points"]).T:
            expected = getattr(reference, memory)[: len(column)]
            np.testing.assert_allclose(column, expected, rtol=1e-12, atol=1e-12)


Layer = namedtuple("Layer", "weights bias")


def network(width=3):
    """A small network on one point, its inputs nested in every way."""
    rng = np.random.default_rng(0)
    inputs: dict[str, Any] = {
        "hidden": Layer([[Value(x) for x in row] for row in rng.normal(size=(width, 2))], [Value(0.1)] * 0),
        "b": [Value(x) for x in rng.normal(size=width)],
        "a": [Value(x) for x in rng.normal(size=width)],
        "scale": Value(0.7),
    }
    x, y = [Value(0.5), Value(-0.3)], Value(0.2)
    hidden = [
        ops.tanh(sum(w * xi for w, xi in zip(row, x, strict=True)) + b)
        for row, b in zip(inputs["hidden"].weights, inputs["b"], strict=True)
    ]
    error = inputs["scale"] * sum(a * h for a, h in zip(inputs["a"], hidden, strict=True)) - y
    return autograd.compile(error**2, inputs=inputs, data={"x": x, "y": y})


@pytest.fixture
def net():
    return network()


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    return {"y": rng.normal(size=8), "x": rng.normal(size=(8, 2))}


class TestParametersAndData:
    def test_the_flat_array_is_that_of_the_program(self, net):
        value, gradients = jax.jit(net.to_jax())(net.parameters, {"x": [0.5, -0.3], "y": 0.2})
        assert float(value) == pytest.approx(net(), rel=1e-14)
        assert_same(gradients, net.gradients)

    def test_nested_parameters_have_gradients_nested_likewise(self, net):
        net()
        p, g = net.parameters.copy(), net.gradients.copy()
        nested = {  # keys in another order, arrays for lists
            "scale": p[12],
            "a": jnp.array(p[9:12]),
            "b": list(p[6:9]),
            "hidden": Layer(jnp.array(p[:6].reshape(3, 2)), []),
        }
        _, gradients = jax.jit(net.to_jax())(nested, {"x": jnp.array([0.5, -0.3]), "y": 0.2})
        assert type(gradients["hidden"]) is Layer
        assert gradients["hidden"].weights.shape == (3, 2)
        assert type(gradients["b"]) is list
        found = [gradients["hidden"].weights.ravel(), *gradients["b"], gradients["a"], gradients["scale"]]
        assert_same(np.concatenate([np.atleast_1d(part) for part in found]), g)

    def test_an_optimiser_maps_over_both(self, net, batch):
        step = jax.jit(net.to_jax().batch)
        parameters = {
            "hidden": Layer(jnp.full((3, 2), 0.5), []),
            "a": jnp.ones(3),
            "b": jnp.zeros(3),
            "scale": jnp.array(1.0),
        }
        losses = []
        for _ in range(30):
            loss, gradients = step(parameters, batch)
            losses.append(float(loss))
            parameters = jax.tree.map(lambda p, g: p - 0.05 * g, parameters, gradients)
        assert losses[-1] < 0.7 * losses[0]

    def test_several_outputs_keep_their_nesting(self):
        x, y = Value(2.0), Value(3.0)
        function = autograd.compile({"sum": x + y, "both": [x * y, x]}, inputs=[x, y]).to_jax()
        outputs, gradients = function(np.array([2.0, 3.0]))
        assert jax.tree.map(float, outputs) == {"sum": 5.0, "both": [6.0, 2.0]}
        assert gradients.tolist() == [5.0, 3.0]

    def test_what_does_not_fit_is_named(self, net, batch):
        function = net.to_jax()
        with pytest.raises(ValueError, match=r"parameters needs numbers .* got shape \(3,\)"):
            function(np.zeros(3), {"x": [0.5, 0.1], "y": 0.2})
        with pytest.raises(ValueError, match=r"data\['x'\] needs numbers of shape \(2,\)"):
            function(net.parameters, {"x": np.zeros(3), "y": 0.2})
        with pytest.raises(ValueError, match=r"data has the keys \['x', 'y'\], not \['x'\]"):
            function(net.parameters, {"x": np.zeros(2)})
        with pytest.raises(ValueError, match="same number of points"):
            function.batch(net.parameters, batch | {"y": np.zeros(7)})

    @pytest.mark.parametrize("empty", [{"x": np.zeros((0, 2)), "y": np.zeros(0)}, np.zeros((0, 3))])
    def test_a_batch_of_no_points_is_refused_in_any_form(self, net, empty):
        function = net.to_jax()
        for run in (function.batch, function.batch_forward):
            with pytest.raises(ValueError, match="at least 1, in all data"):
                run(net.parameters, empty)

    @pytest.mark.parametrize("none", [[], np.zeros(0)])
    def test_a_program_without_parameters_has_a_gradient_without_numbers(self, none):
        x = Value(2.0)
        function = autograd.compile(x * x, inputs=[], data=[x]).to_jax()
        for run in (function, jax.jit(function)):
            output, gradient = run(none, [3.0])
            assert (float(output), len(gradient)) == (9.0, 0)
        assert function.batch(none, [np.arange(3.0)])[0] == pytest.approx(5 / 3)

    def test_a_batch_has_no_mean_of_what_depends_on_no_data(self):
        w, x = Value(2.0), Value(1.0)
        function = autograd.compile([w * w, w * x], inputs=w, data={"x": x}).to_jax()
        with pytest.raises(ValueError, match="output 0 depends on no data"):
            function.batch(np.array([2.0]), {"x": np.ones(3)})

    @pytest.mark.parametrize("of", [complex, np.asarray, jnp.asarray])
    def test_complex_numbers_are_refused(self, of):
        w, x = Value(2.0), Value(3.0)
        function = autograd.compile(w * x, inputs=w, data={"x": x}).to_jax()
        with pytest.raises(TypeError, match="parameters need real numbers"):
            function(of(1j), {"x": 1.0})
        with pytest.raises(TypeError, match="data need real numbers"):
            jax.jit(function.forward)(1.0, {"x": of(1j)})

    def test_32_bits_are_refused(self, net):
        with jax.enable_x64(False), pytest.raises(RuntimeError, match="jax_enable_x64"):
            net.to_jax()(net.parameters, {"x": [0.5, -0.3], "y": 0.2})

    def test_a_row_that_jax_cannot_trace_is_named(self):
        row = Operation("odd", lambda x: float(int(x) % 2), [lambda *_: 0.0])
        x = Value(3.0)
        program = autograd.compile(row(x) * x, inputs=[x])
        with pytest.raises(TypeError, match=r"'odd' has no array form .*numpy="):
            program.to_jax()

    def test_a_row_of_ones_own_made_of_operators_needs_no_array_form(self):
        row = Operation("cube", lambda x: x * x * x, [lambda _z, x: 3.0 * x * x])
        x = Value(2.0)
        function = autograd.compile(row(x), inputs=[x]).to_jax()
        assert [float(part[0]) for part in jax.tree.map(jnp.atleast_1d, function(np.array([2.0])))] == [
            8.0,
            12.0,
        ]

    def test_without_jax_the_error_says_how_to_get_it(self):
        program = """
            import sys
            sys.modules["jax"] = None
            from autograd import Value, compile
            try:
                compile(Value(1.0) * 2).to_jax()
            except ImportError as error:
                print(error)
        """
        run = subprocess.run(
            [sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True
        )
        assert "pip install chainrule[jax]" in run.stdout


class TestTransformations:
    def test_grad_of_forward_is_the_gradient(self, net):
        function, data = net.to_jax(), {"x": [0.5, -0.3], "y": 0.2}
        gradient = jax.jit(jax.grad(function.forward))(jnp.array(net.parameters), data)
        net()
        assert_same(gradient, net.gradients)

    def test_vmap_over_points_is_the_batch(self, net, batch):
        function = net.to_jax()
        values, gradients = jax.jit(jax.vmap(function, (None, 0)))(net.parameters, batch)
        loss = net.batch(**batch)
        assert_same([values.mean()], [loss])
        assert_same(gradients.mean(axis=0), net.gradients)
        mean, gradient = jax.jit(function.batch)(net.parameters, batch)
        assert_same([mean], [loss])
        assert_same(gradient, net.gradients)
        assert_same(jax.jit(function.batch_forward)(net.parameters, batch), values)

    def test_vmap_over_parameters(self, net):
        data = {"x": [0.5, -0.3], "y": 0.2}
        many = jnp.stack([net.parameters, 2.0 * net.parameters])
        values = jax.jit(jax.vmap(net.to_jax().forward, (0, None)))(many, data)
        net.parameters = many[1]
        assert_same(values[1:], [net()])


def test_a_batch_chooses_at_every_point():
    table = [[Value(0.1 * i - 0.3 * j) for j in range(2)] for i in range(4)]
    token, target = Value(0.0), Value(0.0)
    row = autograd.take(table, token)
    scores = [sum(w * x for w, x in zip(other, row, strict=True)) for other in table]
    loss = autograd.log(sum(map(autograd.exp, scores))) - autograd.take(scores, target)
    inputs = [v for each in table for v in each]
    program = autograd.compile(loss, inputs=inputs, data={"token": token, "target": target})
    data: dict[str, Any] = {"token": np.array([0, 3, 3, 1, 2]), "target": np.array([1, 0, 2, 2, 3])}
    mean = program.batch(**data)
    function = program.to_jax()
    step = jax.jit(function.batch)
    value, gradients = step(program.parameters, data)
    assert_same([value], [mean])
    assert_same(gradients, program.gradients)
    values, each = jax.jit(jax.vmap(function, (None, 0)))(program.parameters, data)
    assert_same([values.mean()], [mean])
    assert_same(each.mean(axis=0), program.gradients)
    for wrong in (4, -1, 0.5):
        value, gradients = step(program.parameters, data | {"token": np.array([0, wrong, 3, 1, 2])})
        assert math.isnan(value)
        assert np.isnan(gradients).all()


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: ops.sqrt(ops.relu(x)), -1.0),
        (lambda x: ops.where(x, ops.sin(x) / x, 1.0), 0.0),
        (lambda x: ops.where(ops.greater(x, 20.0), x, ops.log1p(ops.exp(x))), 1000.0),
    ],
)
def test_a_branch_that_is_not_taken_does_not_spoil_the_gradient(f, x):
    leaf = Value(x)
    function = jax.jit(autograd.compile(f(leaf), inputs=[leaf]).to_jax())
    assert float(function(np.array([x]))[1][0]) == autograd.grad(f)(x)


def test_strong_zeros_in_a_sum_of_products():
    """The adjoint of a branch that is not taken is 0, and what it is multiplied by is infinite."""
    w, x = [Value(1.0) for _ in range(4)], [Value(1.0) for _ in range(4)]
    dot = sum(a * ops.div(1.0, b) for a, b in zip(w, x, strict=True))
    program = autograd.compile(ops.where(x[0], dot, w[0]), inputs=w, data={"x": x})
    points = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 4.0, 8.0]])
    program.batch(x=points)
    _, gradients = jax.jit(program.to_jax().batch)(program.parameters, {"x": points})
    assert np.isfinite(program.gradients).all()
    assert_same(gradients, program.gradients)


DEVICES = """
    import os
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax, numpy as np
    from jax.sharding import NamedSharding, PartitionSpec as P
    jax.config.update("jax_enable_x64", True)
    from tests.test_jax import network
    net = network()
    rng = np.random.default_rng(1)
    data = {"y": rng.normal(size=8), "x": rng.normal(size=(8, 2))}
    loss = net.batch(**data)
    truth = np.array([loss, *net.gradients])
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("points",))
    batch = net.to_jax().batch
    parameters = jax.device_put(net.parameters, NamedSharding(mesh, P()))
    sharded = jax.device_put(data, NamedSharding(mesh, P("points")))

    def average(parameters, data):
        return jax.lax.pmean(batch(parameters, data), "points")

    each = jax.shard_map(average, mesh=mesh, in_specs=(P(), P("points")), out_specs=P())
    for name, function in (("sharded", batch), ("shard_map", each)):
        compiled = jax.jit(function).lower(parameters, sharded).compile()
        text = compiled.as_text()
        value, gradient = compiled(parameters, sharded)
        error = abs(np.array([value, *gradient]) - truth).max()
        print(name, error < 1e-14, text.count(" all-reduce("), text.count(" all-gather("))
"""


@pytest.mark.slow  # a process of its own, and a workflow's
def test_data_on_two_devices_average_their_gradients():
    run = subprocess.run([sys.executable, "-c", dedent(DEVICES)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = {name: rest for name, *rest in map(str.split, run.stdout.splitlines())}
    assert found["shard_map"] == ["True", "1", "0"]
    assert found["sharded"][0] == "True"
    assert found["sharded"][2] == "0"


TRAINING = """
    import os
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    os.environ["JAX_PLATFORMS"] = "cpu"
    import random, nn
    from tests.test_nn_train import histories
    X, y = nn.two_moons(30, noise=0.1, random_state=0)
    for devices in (1, 2):  # batches of 6, and a last one of 2
        network = lambda: nn.MLP(2, [4, 1], rng=random.Random(1))
        chosen = {"compile": True, "engine": "jax", "devices": devices}
        (expected, history), (got, other) = histories(network, X, 2 * y - 1, nn.hinge, **chosen)
        print(max(abs(a - b) for a, b in zip(got, expected)) < 1e-10,
              abs(other["val_loss"][-1] - history["val_loss"][-1]) < 1e-10,
              other["accuracy"] == history["accuracy"])
"""


@pytest.mark.slow
def test_fit_shares_batches_out_among_devices():
    run = subprocess.run(
        [sys.executable, "-c", dedent(TRAINING)], capture_output=True, text=True, check=False
    )
    assert run.stdout.splitlines() == ["True True True"] * 2, run.stderr


def test_what_is_computed_besides_comes_for_every_point():
    w, x = Value(2.0), Value(3.0)
    program = autograd.compile(w * x * x, inputs=[w], data={"x": x}, aux={"square": x * x, "score": [w * x]})
    batch = np.array([1.0, 2.0, 3.0])
    loss, aux, gradient = program.to_jax().batch_with_aux(jnp.array([2.0]), {"x": batch})
    assert loss == pytest.approx(2 * (batch**2).mean())
    assert gradient == pytest.approx((batch**2).mean())
    assert aux["square"] == pytest.approx(batch**2)
    assert aux["score"][0] == pytest.approx(2 * batch)
