"""Diagnosis: deliberately sick networks are told from healthy ones, each by its own finding."""

import math
import random
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, sqrt
from nn import MLP, Layer, Module, Sequential, diagnose

Table = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


@pytest.fixture
def moons():
    X, y = nn.two_moons(60, noise=0.1, random_state=0)
    return nn.Standardizer(X)(X), y


def network(*nouts, activation="relu", init="kaiming"):
    return MLP(2, list(nouts), activation=activation, init=init, rng=random.Random(1))


def kinds(findings):
    return [finding.kind for finding in findings]


@pytest.mark.parametrize("activation", ["relu", "tanh", "leaky_relu"])
@pytest.mark.parametrize("labels", ["0 and 1", "-1 and 1"])
def test_a_healthy_network_has_no_findings(moons, activation, labels):
    X, y = moons
    findings = diagnose(
        network(8, 1, activation=activation, init="xavier"), X, y if labels == "0 and 1" else 2 * y - 1
    )
    assert findings == []
    assert str(findings) == "nothing conspicuous was found in inputs, targets, weights, units and gradients"


def test_healthy_networks_on_real_data_have_no_findings():
    for load, scale, nin, nout in ((nn.iris, None, 4, 3), (nn.digits, 16.0, 64, 10)):
        X, y = load()
        X = X / scale if scale else nn.Standardizer(X)(X)
        assert (
            diagnose(
                MLP(nin, [16, nout], activation="tanh", init="xavier", rng=random.Random(0)), X, y, sample=50
            )
            == []
        )


def test_dead_relus_are_counted_and_named(moons):
    model = network(4, 4, 1)
    for k in (1, 3):
        model.layers[0].neurons[k].b.data = -100.0
    (finding,) = diagnose(model, *moons)
    assert (finding.kind, finding.where, finding.figure) == ("dead units", "layers.0", 0.5)
    assert "2 of 4 relu units of layers.0 have slope 0 at every point: 1, 3" in finding.message
    assert "leaky_relu" in finding.remedy


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_saturated_units_are_counted_and_named(moons, activation):
    model = network(5, 1, activation=activation, init="xavier")
    model.layers[0].neurons[2].b.data = 30.0
    (finding,) = diagnose(model, *moons)
    assert (finding.kind, finding.where, finding.figure) == ("saturated units", "layers.0", 0.2)
    assert f"1 of 5 {activation} units" in finding.message
    assert finding.message.endswith(": 2")


class Forgetful(Module):
    """Has a neuron that it never uses, and cuts the graph of another parameter."""

    def __init__(self):
        self.used = nn.Neuron(2, nonlin=False, rng=random.Random(0))
        self.idle = nn.Neuron(2)
        self.scale = Value(2.0)

    def __call__(self, x):
        return self.used(x) * self.scale.data


def test_parameters_that_the_loss_does_not_reach_are_named(moons):
    (finding,) = diagnose(Forgetful(), *moons)
    assert (finding.kind, finding.figure) == ("unreached parameters", 4)
    assert "4 of 7 parameters: idle.w.0, idle.w.1, idle.b, scale" in finding.message


def test_gradients_that_vanish_on_the_way_back(moons):
    model = network(*[4] * 12, 1, activation="sigmoid", init="xavier")
    (finding,) = diagnose(model, *moons)
    assert (finding.kind, finding.where) == ("vanishing gradients", "layers.0")
    assert finding.figure < 1e-3
    assert "times that of layers.12" in finding.message


def test_gradients_that_explode_on_the_way_back(moons):
    model = network(*[8] * 6, 1, activation="leaky_relu")
    for p in model.parameters():
        p.data *= 5.0
    for p in model.layers[-1].parameters():
        p.data *= 1e4
    (finding,) = diagnose(model, *moons)
    assert (finding.kind, finding.figure > 1e3) == ("exploding gradients", True)


@pytest.mark.parametrize(
    ("factors", "where", "figure"), [([1.0, 900.0], "column 1", 900.0), ([1e-3, 1e-3], "all columns", 1e-3)]
)
def test_unscaled_inputs(moons, factors, where, figure):
    X, y = moons
    findings = diagnose(network(4, 1, activation="leaky_relu"), X * factors, y)
    assert (findings[0].kind, findings[0].where) == ("unscaled input", where)
    assert findings[0].figure == pytest.approx(figure, rel=1e-9)
    assert "Standardizer" in findings[0].remedy


def test_numbers_that_are_not_finite():
    X, y = np.array([[1.0, math.nan], [0.0, 1.0]]), np.array([0, 1])
    findings = diagnose(network(2, 1, activation="tanh"), X, y)
    assert [(f.kind, f.where) for f in findings[:2]] == [
        ("not finite", "column 1"),
        ("not finite", "layers.0.neurons.0.w.0"),
    ]

    class Root(Module):
        def __init__(self):
            self.a = Value(0.0)

        def __call__(self, x):
            return x[0] + sqrt(self.a * self.a)

    (finding,) = diagnose(Root(), [[1.0]], [2.0])
    assert (finding.kind, finding.where) == ("not finite", "a")


def test_the_model_and_its_gradients_are_left_as_they_are(moons):
    model = network(4, 1)
    model([1.0, 2.0]).backward()
    before = model.state_dict(), [p.grad for p in model.parameters()], repr(model)
    diagnose(model, *moons)
    assert (model.state_dict(), [p.grad for p in model.parameters()], repr(model)) == before


@pytest.mark.parametrize(
    ("targets", "nout", "loss"),
    [
        ([0, 1], 1, nn.binary_cross_entropy),
        ([-1, 1], 1, nn.hinge),
        ([0.5, 1.5], 1, nn.mean_squared_error),
        ([1, 2], 3, nn.cross_entropy),
        ([[0.5, 1.0], [2.0, 1.0]], 2, nn.mean_squared_error),
    ],
)
def test_the_loss_is_chosen_by_outputs_and_targets(targets, nout, loss):
    X = [[50.0, 100.0], [-100.0, 3.0]]
    model = Sequential(
        Layer(2, 4, activation="tanh", rng=random.Random(0)),
        Layer(4, nout, nonlin=False, rng=random.Random(0)),
    )
    chosen, given = diagnose(model, X, targets), diagnose(model, X, targets, loss)
    assert chosen == given
    assert kinds(chosen)[0] == "unscaled input"


def test_a_finding_prints_with_its_remedy(moons):
    text = str(diagnose(Forgetful(), *moons))
    assert text.splitlines()[0].startswith("unreached parameters: the loss does not depend on")
    assert (
        text.splitlines()[1]
        == "    remedy: use them in __call__; .data, float() and comparisons cut the graph"
    )


def test_no_points_and_no_graph_are_errors(moons: Table):
    with pytest.raises(ValueError, match="X has no rows"):
        diagnose(network(1), np.zeros((0, 2)), [])
    with pytest.raises(ValueError, match="count the classes from 0"):
        diagnose(network(1), [[1.0, 2.0]], ["setosa"])
    with pytest.raises(TypeError, match="the loss must be a Value"):
        diagnose(network(1), *moons, lambda _output, _target: 1.0)


@pytest.mark.parametrize(
    ("spoil", "kind", "where"),
    [
        (
            lambda model: [setattr(p, "data", 0.0) for p in model.layers[0].parameters()],
            "zero weights",
            "layers.0",
        ),
        (lambda model: [setattr(p, "data", 0.3) for p in model.parameters()], "identical units", "layers.0"),
    ],
)
def test_weights_that_stay_equal_are_found(moons, spoil, kind, where):
    model = network(4, 4, 1, activation="tanh")
    spoil(model)
    findings = diagnose(model, *moons)
    assert (kind, where) in [(finding.kind, finding.where) for finding in findings]
    (found,) = [finding for finding in findings if (finding.kind, finding.where) == (kind, where)]
    assert "MLP(..., rng=0)" in found.remedy


def test_equal_units_whose_gradients_differ_are_not_called_identical(moons):
    model = network(2, 1, activation="tanh")
    for mine, other in zip(*(neuron.parameters() for neuron in model.layers[0].neurons), strict=True):
        other.data = mine.data
    assert "identical units" not in kinds(diagnose(model, *moons))  # the next layer tells them apart


def test_targets_that_were_never_standardised_are_found():
    X, _ = nn.two_moons(40, random_state=0)
    y = 250.0 + 30.5 * X[:, 0]
    model = network(4, 1, activation="tanh", init="xavier")
    (finding,) = [f for f in diagnose(model, X, y) if f.kind == "unscaled target"]
    assert finding.figure == pytest.approx(math.sqrt(np.mean(y**2)))
    assert "(y - y.mean()) / y.std()" in finding.remedy
    assert "unscaled target" not in kinds(diagnose(model, X, (y - y.mean()) / y.std()))


@pytest.mark.parametrize(
    ("outputs", "labels", "loss", "words"),
    [
        (1, (1, 2), None, "the targets are 1, 2, where the losses of two classes want 0 and 1, or -1 and 1"),
        (1, (0, 2), None, "the targets are 0, 2"),
        (1, (1, 2), nn.binary_cross_entropy, "the targets are 1, 2"),  # which that loss refuses itself
        (2, (1, 2), nn.cross_entropy, "counted from 1 to 2, where 2 outputs stand for 0 to 1"),
    ],
)
def test_labels_that_no_loss_of_classes_takes_are_found(moons, outputs, labels, loss, words):
    X, y = moons
    findings = diagnose(network(4, outputs), X, np.where(y == 0, *labels), loss)
    assert kinds(findings) == ["odd labels"]
    assert words in findings[0].message
    assert "nn.encode(y)" in findings[0].remedy


def test_two_numbers_are_targets_like_others_for_a_loss_of_numbers(moons):
    X, y = moons
    assert "odd labels" not in kinds(diagnose(network(4, 1), X, y + 1, nn.mean_squared_error))


def test_targets_that_are_all_the_same_are_found(moons):
    X, _ = moons
    findings = diagnose(network(4, 1, init="kaiming"), X, np.ones(len(X)))
    assert "one target" in kinds(findings)
    assert "all 60 targets are 1.0" in str(findings)


def test_a_stuck_loss_is_found_and_a_falling_one_is_not(moons):
    X, y = moons
    model = network(8, 1, activation="tanh", init="xavier")
    other = 1 - y  # for these labels the weights begin badly
    stuck = nn.fit(model, X, other, nn.binary_cross_entropy, nn.SGD(model.parameters(), lr=1e-9), epochs=20)
    (finding,) = diagnose(model, X, other, history=stuck)
    assert (finding.kind, finding.figure) == ("stuck loss", stuck["loss"][-1])
    assert "the same output for every point would give" in finding.message
    model = network(8, 1, activation="tanh", init="xavier")
    healthy = nn.fit(model, X, y, nn.binary_cross_entropy, nn.Adam(model.parameters(), lr=0.05), epochs=20)
    examined = diagnose(model, X, y, history=healthy)
    assert str(examined).endswith("weights, units, gradients and the course of the loss")
