"""``fit(..., compile=True)``: the same training as array programs, and never silently another one."""

import random
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, relu, sqrt
from nn import MLP, SGD, Adam, Module, fit

Table = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


@pytest.fixture
def moons():
    X, y = nn.two_moons(25, noise=0.1, random_state=0)
    return X, y


def trained(loss, X, y, nouts=(4, 1), rule=SGD, activation="relu", **settings):
    model = MLP(np.shape(X)[1], list(nouts), activation=activation, init="xavier", rng=random.Random(0))
    optimizer = rule(model.parameters(), lr=0.1)
    history = fit(model, X, y, loss, optimizer, **({"epochs": 3, "rng": 4} | settings))
    return history, list(model.state_dict().values()), [p.grad for p in model.parameters()], optimizer.steps


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "full batch": (nn.binary_cross_entropy, {}),
    "a smaller last batch": (nn.binary_cross_entropy, {"batch_size": 10, "activation": "tanh"}),
    "penalty": (nn.binary_cross_entropy, {"batch_size": 5, "penalty": lambda ps: nn.l2(ps, 0.01)}),
    "clipping": (nn.binary_cross_entropy, {"batch_size": 5, "clip_norm": 0.05}),
    "adam": (nn.binary_cross_entropy, {"batch_size": 10, "rule": Adam}),
    "classes": (nn.cross_entropy, {"batch_size": 10, "nouts": (4, 3, 2)}),
    "regression": (nn.mean_squared_error, {"batch_size": 10}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_compiled_training_agrees_with_an_eager_one(moons: Table, case):
    loss, settings = CASES[case]
    eager = trained(loss, *moons, validation=moons, **settings)
    compiled = trained(loss, *moons, validation=moons, compile=True, **settings)
    assert list(compiled[0].to_dict()) == list(eager[0].to_dict())
    for name, column in eager[0].to_dict().items():
        assert compiled[0][name] == pytest.approx(column, rel=1e-9)
    assert compiled[1] == pytest.approx(eager[1], rel=1e-9, abs=1e-12)
    assert compiled[2] == pytest.approx(eager[2], rel=1e-9, abs=1e-12)
    assert compiled[3] == eager[3]


def test_hinge_and_rows_of_targets(moons):
    X, y = moons
    rows = np.column_stack([y, 1.0 - 2.0 * y])
    for loss, targets, nouts in ((nn.hinge, 2 * y - 1, (4, 1)), (nn.half_squared_error, rows, (4, 2))):
        eager, compiled = (trained(loss, X, targets, nouts, batch_size=10, compile=c) for c in (False, True))
        assert compiled[1] == pytest.approx(eager[1], rel=1e-9, abs=1e-12)


def test_the_same_seed_gives_the_same_bits(moons: Table):
    first, again = (trained(nn.binary_cross_entropy, *moons, batch_size=10, compile=True) for _ in range(2))
    assert first[0].records == again[0].records
    assert first[1:] == again[1:]


def test_digits_are_learnt_to_95_percent_on_a_held_out_fifth():
    (X, y), held_out = nn.split(*nn.digits(), 0.2)
    model = MLP(64, [32, 10], init="kaiming", rng=random.Random(0))
    optimizer = Adam(model.parameters(), lr=0.01)
    fit(model, X / 16, y, nn.cross_entropy, optimizer, epochs=10, batch_size=32, compile=True)
    assert nn.accuracy(model, held_out[0] / 16, held_out[1]) >= 0.95


def test_callbacks_see_and_change_the_parameters(moons: Table):
    seen = []

    def halve(run):
        seen.append(run.model.state_dict())
        for p in run.model.parameters():
            p.data *= 0.5

    eager, compiled = (
        trained(nn.binary_cross_entropy, *moons, callbacks=[halve], compile=c) for c in (False, True)
    )
    assert compiled[1] == pytest.approx(eager[1], rel=1e-9)
    for one, other in zip(seen[:3], seen[3:], strict=True):
        assert list(one.values()) == pytest.approx(list(other.values()), rel=1e-9)


def test_ctrl_c_leaves_the_parameters_of_the_last_whole_step(moons):
    class Impatient(SGD):
        def direction(self, grad):
            if self.steps == 8:
                raise KeyboardInterrupt
            return grad

    X, y = moons
    eager, compiled = (
        trained(nn.hinge, X, 2 * y - 1, rule=Impatient, batch_size=5, compile=c) for c in (False, True)
    )
    assert (compiled[0].stopped, len(compiled[0])) == ("interrupted", 1)
    assert compiled[1] == pytest.approx(eager[1], rel=1e-9)


def test_a_divergence_names_the_parameter():
    model = nn.Neuron(1, nonlin=False)
    optimizer = SGD(model.parameters(), lr=1e150)
    with pytest.warns(RuntimeWarning, match=r"in epoch \d, the loss is inf, and .*lower learning rate"):
        history = fit(model, [[1.0], [3.0]], [2.0, 1.0], nn.mean_squared_error, optimizer, 100, compile=True)
    assert 0 < len(history) < 100

    class Root(nn.Module):
        def __init__(self):
            self.a, self.b = Value(1.0), Value(0.0)

        def __call__(self, x):
            return self.a * x[0] + sqrt(self.b * self.b)

    root = Root()
    with pytest.warns(RuntimeWarning, match=r"b \(data=0, grad=nan\) is the first of 1"):
        fit(root, [[1.0]], [2.0], nn.mean_squared_error, SGD(root.parameters()), 3, compile=True)
    assert root.state_dict() == {"a": 1.0, "b": 0.0}


class Branching(nn.Module):
    def __init__(self):
        self.neuron = nn.Neuron(2)

    def __call__(self, x):
        z = self.neuron(x)
        return z if z > 0.1 else 0.0 * z


def branching(score, target):
    return relu(1 - score) if target == 1 else relu(1 + score)


def test_a_branch_on_a_number_is_refused_not_frozen(moons):
    X, y = moons
    model: Module = Branching()
    with pytest.raises(ValueError, match="branch"):
        fit(model, X, y, nn.binary_cross_entropy, SGD(model.parameters()), 1, compile=True)
    model = MLP(2, [1])
    with pytest.raises(ValueError, match=r"asked .* with ==.*write the branch as an operation"):
        fit(model, X, y, branching, SGD(model.parameters()), 1, compile=True)
    fit(model, X, y, branching, SGD(model.parameters()), 1)


def test_a_loss_that_cannot_take_a_value_is_named(moons: Table):
    model = MLP(2, [2])
    with pytest.raises(ValueError, match=r"the loss takes no Value as its target .* use compile=False"):
        fit(model, *moons, lambda scores, k: -scores[k], SGD(model.parameters()), 1, compile=True)
    with pytest.raises(TypeError, match="the loss must be a Value"):
        fit(model, *moons, lambda _scores, _k: 1.0, SGD(model.parameters()), 1, compile=True)


@pytest.mark.parametrize(
    ("loss", "bad", "message"),
    [
        (nn.hinge, 0, "hinge needs a target of -1 or 1, got 0"),
        (nn.cross_entropy, 2, "class from 0 to 1, got 2"),
    ],
)
def test_a_wrong_target_is_found_before_the_first_step(moons, loss, bad, message):
    X, y = moons
    targets = np.append((2 * y - 1 if loss is nn.hinge else y)[:-1], bad)
    model = MLP(2, [4, 1 if loss is nn.hinge else 2], rng=random.Random(0))
    before = model.state_dict()
    with pytest.raises(ValueError, match=message):
        fit(model, X, targets, loss, SGD(model.parameters()), 1, 5, compile=True)
    assert model.state_dict() == before
