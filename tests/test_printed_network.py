"""A 2-2-2 network with printed numbers."""

import pytest

from nn import Layer, Sequential


@pytest.fixture
def network():
    """The network and its eight weights in the lecture's order; the biases are fixed."""
    model = Sequential(Layer(2, 2, activation="sigmoid"), Layer(2, 2, activation="sigmoid"))
    weights = [w for layer in model.layers for neuron in layer.neurons for w in neuron.w]
    for w, number in zip(weights, [0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55], strict=True):
        w.data = number
    for layer, bias in zip(model.layers, [0.35, 0.60], strict=True):
        for neuron in layer.neurons:
            neuron.b.data = bias
    return model, weights


def error_of(model):
    outputs = model([0.05, 0.10])
    error = sum(0.5 * (target - out) ** 2 for target, out in zip([0.01, 0.99], outputs, strict=True))
    return error, [out.data for out in outputs]


def update(model, weights):
    error, _ = error_of(model)
    model.zero_grad()
    error.backward()
    for w in weights:
        w.data -= 0.5 * w.grad


def test_forward(network):
    model, _ = network
    hidden = [h.data for h in model.layers[0]([0.05, 0.10])]
    error, outputs = error_of(model)
    assert hidden == pytest.approx([0.593269992, 0.596884378], abs=1e-9)
    assert outputs == pytest.approx([0.75136507, 0.772928465], abs=1e-8)
    assert error.data == pytest.approx(0.298371109, abs=1e-9)


def test_gradients(network):
    model, weights = network
    error_of(model)[0].backward()
    assert weights[4].grad == pytest.approx(0.082167041, abs=1e-9)
    assert weights[0].grad == pytest.approx(0.000438568, abs=1e-9)


def test_one_update(network):
    model, weights = network
    update(model, weights)
    assert [w.data for w in weights] == pytest.approx(
        [0.149780716, 0.19956143, 0.24975114, 0.29950229, 0.35891648, 0.408666186, 0.511301270, 0.561370121],
        abs=1e-8,
    )


@pytest.mark.slow
def test_ten_thousand_updates(network):
    model, weights = network
    for _ in range(10_000):
        update(model, weights)
    error, outputs = error_of(model)
    assert error.data == pytest.approx(3.510187783e-05, rel=1e-8)
    assert outputs == pytest.approx([0.0159136204, 0.9840642735], abs=1e-9)
