"""The micrograd demonstration, two moons, reproduced step by step."""

import random

import numpy as np
import pytest

from autograd import compile, relu  # noqa: A004 - the package's name for it
from nn import MLP, predict, two_moons

PUBLISHED = {
    0: 0.8958441028683222,
    1: 1.7235905336972022,
    2: 0.7429006313851131,
    3: 0.7705641260584198,
    99: 0.010978370135492717,
}


def demonstration(recorded_steps):
    """A hundred steps of the demonstration: the first on recorded graphs, the others by a program."""
    np.random.seed(1337)  # noqa: NPY002 - the published demonstration draws from the global state
    random.seed(1337)
    X, y = two_moons(n_samples=100, noise=0.1)
    rows, targets = X.tolist(), (2 * y - 1).tolist()
    model = MLP(2, [16, 16, 1])

    def recorded():
        scores = [model(row) for row in rows]
        hinge = sum(relu(1 - target * score) for target, score in zip(targets, scores, strict=True))
        return hinge / len(rows) + 1e-4 * sum(p * p for p in model.parameters()), scores

    def step(k):
        if k < recorded_steps:
            model.zero_grad()
            loss, scores = recorded()
            loss.backward()
            return loss.data, [score.data for score in scores]
        if k == recorded_steps:
            loss, scores = recorded()
            programs.append(compile(loss, inputs=model.parameters(), aux=scores))
        model.zero_grad()
        return programs[0](), programs[0].aux

    programs, trajectory = [], []
    for k in range(100):
        loss, scores = step(k)
        right = [(score > 0) == (target > 0) for score, target in zip(scores, targets, strict=True)]
        trajectory.append((loss, sum(right) / len(right)))
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
    return model, X, targets, trajectory


@pytest.fixture(scope="module", params=[5, pytest.param(100, marks=pytest.mark.slow)])
def trained(request):
    return demonstration(request.param)


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
