"""The micrograd demonstration, two moons, reproduced step by step."""

import random

import numpy as np
import pytest

from autograd import relu
from nn import MLP, predict, two_moons

PUBLISHED = {
    0: 0.8958441028683222,
    1: 1.7235905336972022,
    2: 0.7429006313851131,
    3: 0.7705641260584198,
    99: 0.010978370135492717,
}


@pytest.fixture(scope="module")
def trained():
    np.random.seed(1337)  # noqa: NPY002 - the published demonstration draws from the global state
    random.seed(1337)
    X, y = two_moons(n_samples=100, noise=0.1)
    rows, targets = X.tolist(), (2 * y - 1).tolist()
    model = MLP(2, [16, 16, 1])
    trajectory = []
    for k in range(100):
        scores = [model(row) for row in rows]
        hinge = sum(relu(1 - target * score) for target, score in zip(targets, scores, strict=True))
        loss = hinge / len(rows) + 1e-4 * sum(p * p for p in model.parameters())
        right = [(s.data > 0) == (t > 0) for s, t in zip(scores, targets, strict=True)]
        trajectory.append((loss.data, sum(right) / len(right)))
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
    return model, X, targets, trajectory


def test_the_network_has_337_parameters_drawn_neuron_by_neuron():
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    assert len(model.parameters()) == 337
    random.seed(1337)
    for layer in model.layers:
        for neuron in layer.neurons:
            assert [w.data for w in neuron.w] == [random.uniform(-1, 1) for _ in neuron.w]
            assert neuron.b.data == 0.0


@pytest.mark.parametrize(("step", "tolerance"), [(0, 1e-9), (1, 1e-9), (2, 1e-9), (3, 1e-9), (99, 1e-6)])
def test_the_published_losses_are_reproduced(trained, step, tolerance):
    *_, trajectory = trained
    assert trajectory[step][0] == pytest.approx(PUBLISHED[step], rel=0, abs=tolerance)


def test_the_accuracy_rises_from_50_to_100_percent(trained):
    *_, trajectory = trained
    assert (trajectory[0][1], trajectory[99][1]) == (0.5, 1.0)


def test_prediction_on_arrays_equals_the_graph_point_by_point(trained):
    model, X, targets, _ = trained
    scores = predict(model, X)
    assert scores.tolist() == [model(row).data for row in X.tolist()]
    assert np.array_equal(np.sign(scores), targets)
