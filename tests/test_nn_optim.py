"""Update rules: PyTorch's trajectories, schedules, clipping, and what a bad setting says."""

import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import Value
from nn import optim

RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"lr": 0.01}),
    "momentum": ("SGD", {"lr": 0.005, "momentum": 0.9}),
    "dampened": ("SGD", {"lr": 0.005, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    "nesterov": ("SGD", {"lr": 0.005, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    "adagrad": (
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.1, "initial_accumulator_value": 0.1},
    ),
    "rmsprop": ("RMSprop", {"lr": 0.01, "weight_decay": 0.1}),
    "rmsprop_centered": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "momentum": 0.5, "centered": True}),
    "adam": ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    "adamw": ("AdamW", {"lr": 0.05, "betas": (0.8, 0.99), "weight_decay": 0.2}),
}
START = [-1.5, 2.0, 0.3]
RECORDED = json.loads(Path(__file__).with_name("torch_trajectories.json").read_text())


def bumpy(x, y, z):
    """A function with a curved valley, so that rules that differ go different ways."""
    return (1 - x) ** 2 + 5 * (y - x * x) ** 2 + x * z + z**4


def ours(name):
    rule, settings = RULES[name]
    parameters = [Value(number) for number in START]
    optimizer = getattr(optim, rule)(parameters, **settings)
    path = []
    for _ in range(100):
        optimizer.zero_grad()
        bumpy(*parameters).backward()
        optimizer.step()
        path.append([p.data for p in parameters])
    return path


def torchs(name):
    import torch

    rule, settings = RULES[name]
    parameters = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in START]
    optimizer = getattr(torch.optim, rule)(parameters, **settings)
    path = []
    for _ in range(100):
        optimizer.zero_grad()
        bumpy(*parameters).backward()
        optimizer.step()
        path.append([p.item() for p in parameters])
    return path


@pytest.mark.parametrize("name", RULES)
def test_a_hundred_steps_are_those_recorded_from_pytorch(name):
    path = ours(name)
    assert [path[k - 1] for k in (1, 2, 10, 100)] == pytest.approx(np.array(RECORDED[name]), rel=0, abs=1e-10)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.filterwarnings("ignore")  # PyTorch's own
@pytest.mark.parametrize("name", RULES)
def test_a_hundred_steps_are_pytorchs(name):
    np.testing.assert_allclose(ours(name), torchs(name), rtol=0, atol=1e-10)


def test_an_optimizer_keeps_its_state_to_itself():
    x = Value(1.0)
    first, second = optim.Adam([x], lr=0.1), optim.Adam([x], lr=0.1)
    x.grad = 1.0
    first.step()
    first.step()
    before = x.data
    second.step()
    assert x.data == pytest.approx(before - 0.1)
    assert (first.steps, second.steps) == (2, 1)


def test_a_schedule_gives_each_steps_rate():
    x = Value(0.0)
    optimizer = optim.SGD([x], lr=lambda step: 1.0 - 0.9 * step / 100)
    rates = []
    for _ in range(3):
        rates.append(optimizer.lr)
        x.grad = 1.0
        before = x.data
        optimizer.step()
        assert x.data == before - rates[-1]
    assert rates == [1.0, 0.991, 0.982]
    optimizer.lr = 0.5
    assert optimizer.lr == 0.5


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (optim.constant(0.1), [0.1] * 6),
        (optim.step_decay(1.0, every=2, factor=0.5), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]),
        (optim.linear(1.0, 0.2, steps=4), [1.0, 0.8, 0.6, 0.4, 0.2, 0.2]),
        (
            optim.cosine(1.0, steps=4, end=0.2),
            [0.2 + 0.4 * (1 + math.cos(math.pi * k / 4)) for k in range(5)] + [0.2],
        ),
    ],
)
def test_schedules(schedule, rates):
    assert [schedule(step) for step in range(6)] == pytest.approx(rates, rel=1e-15)


def test_clipping_scales_all_gradients_by_one_factor():
    x, y = Value(0.0), Value(0.0)
    x.grad, y.grad = 30.0, -40.0
    assert optim.clip_grad_norm([x, y], 5.0) == 50.0
    assert [x.grad, y.grad] == pytest.approx([3.0, -4.0])
    assert optim.clip_grad_norm([x, y], 6.0) == pytest.approx(5.0)
    assert [x.grad, y.grad] == pytest.approx([3.0, -4.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: optim.SGD([]), "at least one parameter"),
        (lambda x: optim.SGD([x, x]), "each of them once"),
        (lambda x: optim.SGD([x], lr=-0.1), r"lr must be at least 0, not -0\.1"),
        (lambda x: optim.SGD([x], lr=math.nan), "lr must be at least 0, not nan"),
        (lambda x: optim.SGD([x], momentum=-1), "momentum must be at least 0"),
        (lambda x: optim.SGD([x], nesterov=True), "nesterov needs a momentum above 0"),
        (lambda x: optim.Adam([x], betas=(0.9, 1.0)), r"betas\[1\] must be at least 0 and below 1, not 1\.0"),
        (lambda x: optim.RMSprop([x], alpha=2.0), "alpha must be at least 0 and below 1"),
        (lambda x: optim.AdamW([x], weight_decay=-1), "weight_decay must be at least 0"),
        (lambda _: optim.linear(1.0, 0.1, 0), "steps must be at least 1, not 0"),
        (lambda x: optim.clip_grad_norm([x], -1.0), "max_norm must be at least 0"),
    ],
)
def test_an_impossible_setting_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make(Value(1.0))


def test_a_parameter_must_be_a_value():
    with pytest.raises(TypeError, match="a parameter must be a Value, not float"):
        optim.SGD([1.0])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("rule", "name", "meant"),
    [
        (optim.SGD, "learning_rate", r"SGD\(model.parameters\(\), lr=0.01\)"),
        (optim.Adam, "beta_1", r"Adam\(model.parameters\(\), betas=\(0.9, 0.999\)\)"),
        (optim.Adam, "epsilon", "eps=1e-8"),
        (optim.RMSprop, "rho", "alpha=0.99"),
    ],
)
def test_the_name_of_another_library_is_told_what_is_meant(rule, name, meant):
    with pytest.raises(TypeError, match=f"has no argument '{name}': write .*{meant}"):
        rule([Value(1.0)], **{name: 0.1})


def test_a_rule_of_ones_own_may_have_such_a_name_itself():
    class Mine(optim.SGD):
        def __init__(self, params, learning_rate):
            super().__init__(params, lr=learning_rate)

    assert Mine([Value(1.0)], learning_rate=0.5).lr == 0.5
