"""Recovering the unknown function t = 2a - b + 5c from three points."""

import pytest

from nn import MLP, Adam, fit, half_squared_error
from nn.optim import linear

POINTS = [[4.0, 9.0, 1.0], [2.0, 5.0, 6.0], [1.0, 8.0, 3.0]]
TARGETS = [2 * a - b + 5 * c for a, b, c in POINTS]


@pytest.fixture
def model():
    model = MLP(3, [2, 1], activation="tanh")
    numbers = [0.5, 0.5, 0.5, 1.0, 0.1, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0]
    for parameter, number in zip(model.parameters(), numbers, strict=True):
        parameter.data = number
    return model


def squares(model):
    return sum((model(point) - target) ** 2 for point, target in zip(POINTS, TARGETS, strict=True))


def descend(model, rate, steps):
    for _ in range(steps):
        loss = squares(model) / 2
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= rate * parameter.grad


def test_first_forward_pass(model):
    assert TARGETS == [4.0, 29.0, 9.0]
    predictions = [model(point).data for point in POINTS]
    assert predictions == pytest.approx([2.98367463, 2.98009578, 2.97574147], abs=1e-8)
    assert squares(model).data / 3 / 2 == pytest.approx(119.060003918, abs=1e-9)


def test_after_a_thousand_summed_updates_the_third_point_is_in_a_two_step_cycle(model):
    descend(model, 0.001, 1000)
    predictions = [model(point).data for point in POINTS]
    assert predictions[:2] == pytest.approx([5.54, 26.56], abs=0.02)
    descend(model, 0.001, 1)
    cycle = sorted([predictions[2], model(POINTS[2]).data])
    # The cycle itself is chaotic in its last digits: the order of a sum moves it.
    assert cycle == pytest.approx([7.78, 9.73], abs=0.1)


def test_a_smaller_rate_escapes_the_cycle(model):
    descend(model, 0.0001, 1000)
    before = [model(point).data for point in POINTS]
    descend(model, 0.0001, 1)
    assert [model(point).data for point in POINTS] == pytest.approx(before, abs=0.02)


def test_adam_with_a_falling_rate_reaches_the_targets(model):
    optimizer = Adam(model.parameters(), lr=linear(0.02, 0.0, 5000))
    fit(model, POINTS, TARGETS, half_squared_error, optimizer, epochs=5000, compile=True)
    assert [model(point).data for point in POINTS] == pytest.approx(TARGETS, abs=1e-3)
