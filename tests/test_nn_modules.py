"""Modules: micrograd's interface, any activation, any way of being made of parts."""

import math
import random
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Operation, Value
from nn import MLP, Layer, Module, Neuron, Sequential, predict


class Tied(Module):
    """A module with a shared parameter, a dict, a tuple and a constant."""

    def __init__(self):
        self.scale = Value(2.0)
        self.parts: dict[str, Any] = {"left": Neuron(1, nonlin=False), "right": (Value(3.0), self.scale)}
        self.offset = Value(5.0).detach()

    def __call__(self, x):
        return self.parts["left"](x) * self.scale + self.offset


class Squashed(Module):
    """A module in micrograd's style: it calls a method, which numbers and arrays do not have."""

    def __init__(self):
        self.w = Value(0.5)

    def __call__(self, x):
        return (self.w * x[0]).tanh()


def test_the_same_draws_and_order_of_parameters_as_micrograd():
    micrograd = pytest.importorskip("micrograd.nn")
    random.seed(7)
    theirs = micrograd.MLP(3, [4, 1])
    random.seed(7)
    ours = MLP(3, [4, 1])
    assert [p.data for p in ours.parameters()] == [p.data for p in theirs.parameters()]
    assert repr(ours) == repr(theirs)
    assert ours([1.0, -2.0, 0.5]).data == theirs([1.0, -2.0, 0.5]).data


def test_a_private_generator_gives_the_same_network_and_leaves_the_global_one_alone():
    random.seed(3)
    state = random.getstate()
    first, again = (MLP(2, [3, 1], rng=random.Random(11)) for _ in range(2))
    assert random.getstate() == state
    assert first.state_dict() == again.state_dict()


def test_hidden_layers_have_the_activation_and_the_last_is_linear():
    model = MLP(2, [3, 3, 1], activation="tanh")
    assert [[n.nonlin for n in layer.neurons] for layer in model.layers] == [[True] * 3, [True] * 3, [False]]
    assert repr(model.layers[0].neurons[0]) == "TanhNeuron(2)"
    assert repr(model.layers[2]) == "Layer of [LinearNeuron(3)]"


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "sin", "leaky_relu", "elu", "softplus", "gelu"])
def test_any_one_argument_operation_is_an_activation(name):
    operation = getattr(autograd, name)
    by_name, by_itself = (Neuron(1, activation=a) for a in (name, operation))
    for neuron in (by_name, by_itself):
        neuron.w[0].data = 0.3
        assert neuron([2.0]).data == operation(0.6)


def test_a_users_own_operation_is_an_activation():
    cube = Operation("cube", lambda x: x * x * x, [lambda _z, x: 3 * x * x])
    neuron = Neuron(1, activation=cube)
    neuron.w[0].data = 2.0
    out = neuron([1.0])
    out.backward()
    assert (out.data, neuron.w[0].grad) == (8.0, 12.0)


@pytest.mark.parametrize(
    ("init", "bound"),
    [("uniform", 1.0), ("xavier", math.sqrt(6 / (50 + 30))), ("kaiming", math.sqrt(6 / 50))],
)
def test_initialisation_is_uniform_within_its_bound(init, bound):
    layer = Layer(50, 30, init=init, rng=random.Random(0))
    weights = np.array([w.data for neuron in layer.neurons for w in neuron.w])
    assert np.abs(weights).max() == pytest.approx(bound, rel=0.01)
    assert np.abs(weights).max() <= bound
    assert weights.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert all(neuron.b.data == 0.0 for neuron in layer.neurons)


def test_kaiming_keeps_the_size_of_signals_through_many_relu_layers():
    X = np.random.default_rng(0).normal(size=(100, 30))
    sizes = {
        init: predict(MLP(30, [30] * 8, init=init, rng=random.Random(1)), X).std()
        for init in ("uniform", "kaiming")
    }
    assert 0.3 < sizes["kaiming"] < 3.0
    assert sizes["uniform"] > 100.0


def test_parameters_are_found_wherever_they_are_and_each_once():
    model = Tied()
    names = [name for name, _ in model.named_parameters()]
    assert names == ["scale", "parts.left.w.0", "parts.left.b", "parts.right.0"]
    assert len(model.parameters()) == 4


def test_zero_grad():
    model = MLP(2, [2, 1])
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * 9


def test_sequential_feeds_layers_of_one_and_operations():
    model = Sequential(Layer(2, 1, nonlin=False), autograd.tanh, Layer(1, 3, nonlin=False), autograd.exp)
    for p in model.parameters():
        p.data = 1.0
    outputs = model([0.5, 0.25])
    assert [o.data for o in outputs] == pytest.approx([math.exp(math.tanh(1.75) + 1)] * 3)
    X = np.array([[0.5, 0.25], [0.0, 0.0], [1.0, -3.0]])
    assert predict(model, X).tolist() == [[o.data for o in model(row)] for row in X.tolist()]


@pytest.mark.parametrize(
    "model",
    [MLP(2, [5, 1, 3], activation="gelu"), MLP(2, [1]), Sequential(Layer(2, 2, activation="sigmoid"))],
    ids=repr,
)
@pytest.mark.parametrize("n", [1, 2, 7])
def test_prediction_equals_the_graph(model, n):
    X = np.random.default_rng(1).normal(size=(n, 2))
    outputs = [model(row) for row in X.tolist()]
    expected = np.array([[v.data for v in out] if isinstance(out, list) else out.data for out in outputs])
    np.testing.assert_allclose(predict(model, X), expected, rtol=1e-13)


def test_a_frozen_copy_computes_with_numbers_and_stays_as_it_was():
    model = MLP(2, [3, 1], rng=random.Random(0))
    frozen, before = model.frozen(), model([1.0, -2.0]).data
    for p in model.parameters():
        p.data += 1.0
    assert type(frozen([1.0, -2.0])) is float
    assert frozen([1.0, -2.0]) == before != model([1.0, -2.0]).data
    assert frozen.parameters() == []


def test_prediction_runs_the_models_code_once_for_all_rows(monkeypatch):
    calls = []
    original = MLP.__call__
    monkeypatch.setattr(MLP, "__call__", lambda self, x: calls.append(x) or original(self, x))
    assert predict(MLP(2, [3, 1]), np.zeros((50, 2))).shape == (50,)
    assert len(calls) == 1


def test_prediction_falls_back_on_values_for_code_that_needs_them():
    assert predict(Squashed(), [[1.0], [2.0]]).tolist() == [math.tanh(0.5), math.tanh(1.0)]


def test_predicting_marks_no_parameter_and_changes_nothing():
    model = MLP(2, [3, 1])
    before = model.state_dict()
    predict(model, [[1.0, 2.0], [3.0, 4.0]])
    assert model.state_dict() == before
    assert all(p.grad == 0.0 for p in model.parameters())


def test_summary_of_parts():
    text = Sequential(Layer(2, 3), autograd.tanh, MLP(3, [4, 1])).summary()
    assert [line.split() for line in text.splitlines()] == [
        ["part", "kind", "inputs", "outputs", "activation", "parameters"],
        ["layers.0", "Layer", "2", "3", "relu", "9"],
        ["layers.1", "operation", "tanh", "0"],
        ["layers.2", "MLP", "21"],
        ["total", "30"],
    ]
    assert Neuron(5).summary().splitlines()[1].split() == ["self", "Neuron", "5", "1", "relu", "6"]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: MLP(3, [4, 1])([1.0, 2.0]), ValueError, r"takes 3 inputs, got 2"),
        (lambda: MLP(3, [4, 1])([1.0]), ValueError, r"takes 3 inputs, got 1"),
        (lambda: predict(MLP(3, [1]), [[1.0, 2.0]] * 2), ValueError, r"takes 3 inputs, got 2"),
        (lambda: MLP(2, []), ValueError, "at least one layer"),
        (lambda: MLP(2, [0]), ValueError, "nout must be at least 1, not 0"),
        (lambda: MLP(2.0, [1]), TypeError, "nin must be a whole number, not 2.0"),  # type: ignore[arg-type]
        (
            lambda: MLP(2, [1], activation="rellu"),
            ValueError,
            "unknown activation 'rellu'; did you mean 'relu'\\? Others are .*tanh",
        ),
        (lambda: MLP(2, [1], activation="mul"), TypeError, "an operation of one argument"),
        (lambda: MLP(2, [1], activation=math.tanh), TypeError, "an operation of one argument"),  # type: ignore[arg-type]
        (
            lambda: MLP(2, [1], init="he"),
            ValueError,
            "unknown init 'he'; choose one of uniform, xavier, kaiming",
        ),
        (lambda: Sequential(3), TypeError, "a Module or an operation"),  # type: ignore[arg-type]
        (lambda: Module()(1.0), NotImplementedError, "does not define __call__"),
    ],
)
def test_mistakes_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("mistake", "remedy"),
    [
        (lambda: MLP(1, [4])(1.0), r"takes a sequence of 1 inputs, not float: 1.0; write model\(\[x\]\)"),  # type: ignore[arg-type]
        (lambda: MLP(2, [4])(3), r"write model\(\[x0, ...\]\)"),  # type: ignore[arg-type]
        (lambda: MLP(2, [1])(1.0, 2.0), r"one point, a sequence: write model\(\[1.0, 2.0\]\)"),  # type: ignore[arg-type]
        (lambda: MLP(2, 1), r"write MLP\(2, \[1\]\)"),  # type: ignore[arg-type]
        (lambda: MLP(2, 3, 1), r"write MLP\(2, \[3, 1\]\)"),  # type: ignore[arg-type]
        (lambda: MLP([2, 3, 1]), r"write MLP\(2, \[3, 1\]\)"),  # type: ignore[arg-type]
        (lambda: MLP(2), r"write MLP\(2, \[1\]\)"),
        (lambda: MLP(2, [1], rng="a"), "rng must be a random.Random or a seed, a whole number, not 'a'"),  # type: ignore[arg-type]
        (lambda: MLP(2, [1], rng=0.5), "rng must be a random.Random or a seed"),  # type: ignore[arg-type]
        (lambda: nn.Adam(MLP(2, [1])), r"write Adam\(model.parameters\(\), ...\)"),  # type: ignore[arg-type]
    ],
)
def test_a_beginners_mistake_is_told_what_to_write(mistake, remedy):
    with pytest.raises(TypeError, match=remedy):
        mistake()


@pytest.mark.parametrize("make", [lambda rng: MLP(2, [3, 1], rng=rng), lambda rng: Layer(2, 3, rng=rng)])
def test_a_seed_is_a_source_of_weights(make):
    drawn = [[p.data for p in make(rng).parameters()] for rng in (7, 7, random.Random(7), 8)]
    assert drawn[0] == drawn[1] == drawn[2] != drawn[3]
    assert len({*drawn[0]} - {0.0}) == len(drawn[0]) - drawn[0].count(0.0)  # each weight is drawn anew
