"""The formulas of backpropagation, derived by hand, equal the engine's gradients."""

import random
from itertools import pairwise

import numpy as np
import pytest

from nn import Layer, Sequential, half_squared_error

POINT, TARGETS = [0.3, -0.8, 0.5], [0.9, 0.2]


@pytest.fixture
def network():
    """Sigmoid layers of 3, 4 and 2 units on three inputs, and what each layer gave out."""
    rng = random.Random(4)
    sizes = [3, 3, 4, 2]
    model = Sequential(*(Layer(nin, nout, activation="sigmoid", rng=rng) for nin, nout in pairwise(sizes)))
    outputs = [POINT]
    for layer in model.layers:
        outputs.append(layer(outputs[-1]))
    half_squared_error(outputs[-1], TARGETS).backward()
    return model, outputs


def numbers(values):
    return np.array([float(v) for v in values])


def weights(layer):
    return np.array([numbers(neuron.w) for neuron in layer.neurons])


def weight_gradients(layer):
    return np.array([[w.grad for w in neuron.w] for neuron in layer.neurons])


def bias_gradients(layer):
    return np.array([neuron.b.grad for neuron in layer.neurons])


def test_the_derivative_of_a_weighted_sum_by_a_weight_is_its_input(network):
    layer = network[0].layers[0]
    neuron = layer.neurons[1]
    neuron.nonlin = False
    network[0].zero_grad()
    neuron(POINT).backward()
    assert [w.grad for w in neuron.w] == POINT
    assert neuron.b.grad == 1.0


def test_the_delta_of_an_output_node(network):
    model, outputs = network
    o = numbers(outputs[-1])
    delta = (o - TARGETS) * o * (1 - o)
    assert bias_gradients(model.layers[-1]) == pytest.approx(delta, rel=0, abs=1e-12)
    expected = np.outer(delta, numbers(outputs[-2]))
    assert weight_gradients(model.layers[-1]) == pytest.approx(expected, rel=0, abs=1e-12)


def test_the_delta_of_a_hidden_node(network):
    model, outputs = network
    o, delta_above = numbers(outputs[-2]), bias_gradients(model.layers[-1])
    delta = o * (1 - o) * [sum(delta_above * column) for column in weights(model.layers[-1]).T]
    assert bias_gradients(model.layers[-2]) == pytest.approx(delta, rel=0, abs=1e-12)
    assert [h.grad for h in outputs[-2]] == pytest.approx(delta / (o * (1 - o)), rel=0, abs=1e-12)


def test_the_layer_wise_algorithm_with_two_hidden_layers(network):
    model, outputs = network
    a = [numbers(layer) for layer in outputs]
    delta = np.diag(a[3] * (1 - a[3])) @ (a[3] - TARGETS)
    for k in (3, 2, 1):
        layer = model.layers[k - 1]
        assert weight_gradients(layer) == pytest.approx(np.outer(delta, a[k - 1]), rel=0, abs=1e-12)
        assert bias_gradients(layer) == pytest.approx(delta, rel=0, abs=1e-12)
        delta = np.diag(a[k - 1] * (1 - a[k - 1])) @ weights(layer).T @ delta
