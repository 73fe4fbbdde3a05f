"""An interrupted training goes on from its file, bit for bit; one that does not fit changes nothing."""

import copy
import json
import pickle
import random
import subprocess
import sys
import zlib

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, step_through
from nn import MLP, SGD, Adagrad, Adam, AdamW, Checkpoint, RMSprop, fit, load_model, optim

X, Y = nn.two_moons(40, noise=0.1, random_state=0)

OPTIMIZERS = {
    "sgd": lambda ps: SGD(ps, lr=0.1),
    "momentum": lambda ps: SGD(ps, lr=optim.step_decay(0.2, 7, 0.5), momentum=0.9, nesterov=True),
    "adagrad": lambda ps: Adagrad(ps, lr=0.1, lr_decay=0.01),
    "rmsprop": lambda ps: RMSprop(ps, lr=0.01, centered=True, momentum=0.5),
    "adam": lambda ps: Adam(ps, lr=optim.cosine(0.1, 30)),
    "adamw": lambda ps: AdamW(ps, lr=optim.linear(0.1, 0.0, 40), weight_decay=0.1),
}


def training(optimizer, path, epochs, *, compiled=False, seed=0, extra=(), **resume):
    model = MLP(2, [4, 1], activation="tanh", rng=random.Random(seed))
    callbacks = [Checkpoint(path), nn.EarlyStopping("val_loss", 50), nn.Snapshots(2), *extra]
    made = OPTIMIZERS[optimizer](model.parameters())
    history = fit(
        model,
        X[:30],
        Y[:30],
        nn.binary_cross_entropy,
        made,
        epochs,
        8,
        validation=(X[30:], Y[30:]),
        callbacks=callbacks,
        compile=compiled,
        **resume,
    )
    _, stopping, shots = callbacks[:3]
    return {
        "history": history.records,
        "parameters": model.state_dict(),
        "optimizer": made.state_dict(),
        "best": stopping.state_dict(),
        "shots": shots.state_dict(),
    }


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_interrupted_training_goes_on_bit_for_bit(optimizer, compiled, tmp_path):
    at_once = training(optimizer, tmp_path / "whole.json", 9, compiled=compiled)
    training(optimizer, tmp_path / "run.json", 4, compiled=compiled)
    goes_on = training(
        optimizer, tmp_path / "run.json", 9, compiled=compiled, seed=5, resume=tmp_path / "run.json"
    )
    assert goes_on == at_once


def test_a_training_killed_within_an_epoch_goes_on_in_another_process(tmp_path):
    calls = 0

    class KilledError(Exception):
        pass

    def dies(_run):
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KilledError

    with pytest.raises(KilledError):
        training("adam", tmp_path / "run.json", 9, extra=[dies])
    program = (
        "import sys, json; from tests.test_nn_state import training\n"
        "result = training('adam', sys.argv[1], 9, resume=sys.argv[1])\n"
        "print(json.dumps(result))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run.json")],
        capture_output=True,
        text=True,
        check=True,
    )
    at_once = training("adam", tmp_path / "whole.json", 9)
    assert json.loads(run.stdout) == json.loads(json.dumps(at_once))


def test_a_training_that_stopped_early_has_nothing_to_go_on_with(tmp_path):
    model = nn.Neuron(1, nonlin=False)
    settings = ([[1.0]], [3.0], nn.mean_squared_error)

    def callbacks():
        return [nn.EarlyStopping("loss", 2), Checkpoint(tmp_path / "run.json")]

    optimizer = SGD(model.parameters(), lr=2.0)
    first = fit(model, *settings, optimizer, 50, callbacks=callbacks())
    again = fit(model, *settings, optimizer, 50, callbacks=callbacks(), resume=tmp_path / "run.json")
    assert again.records == first.records
    assert again.stopped == first.stopped != ""


def test_the_file_is_a_model_file_as_well(tmp_path):
    model = MLP(2, [3, 1], rng=random.Random(0))
    fit(
        model,
        X,
        Y,
        nn.binary_cross_entropy,
        Adam(model.parameters()),
        2,
        callbacks=[Checkpoint(tmp_path / "m")],
    )
    assert load_model(tmp_path / "m")[0].state_dict() == model.state_dict()


def test_only_some_epochs_are_written(tmp_path):
    model = MLP(2, [3, 1], rng=random.Random(0))
    keep = Checkpoint(tmp_path / "m", every=3)
    fit(model, X, Y, nn.binary_cross_entropy, Adam(model.parameters()), 8, callbacks=[keep])
    saved = json.loads((tmp_path / "m").read_text())
    assert len(saved["training"]["history"]["records"]) == 6


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_optimisers_state_is_json_and_takes_the_same_steps(optimizer):
    def steps(made, x, count):
        for _ in range(count):
            made.zero_grad()
            ((x[0] - 1.0) ** 2 + x[0] * x[1]).backward()
            made.step()

    first, second = [Value(3.0), Value(-2.0)], [Value(0.0), Value(0.0)]
    one, other = OPTIMIZERS[optimizer](first), OPTIMIZERS[optimizer](second)
    steps(one, first, 5)
    for mine, theirs in zip(second, first, strict=True):
        mine.data = theirs.data
    other.load_state_dict(json.loads(json.dumps(one.state_dict())))
    steps(one, first, 5)
    steps(other, second, 5)
    assert [v.data for v in first] == [v.data for v in second]
    assert one.state_dict() == other.state_dict()


def test_a_schedule_of_ones_own_stays_with_its_optimiser():
    x = Value(1.0)
    one, other = SGD([x], lr=lambda step: 1.0 / (1 + step)), SGD([x], lr=lambda step: 2.0 / (1 + step))
    one.step()
    other.load_state_dict(one.state_dict())
    assert (other.steps, other.lr) == (1, 1.0)


WRONG_STATES = {
    "of another rule": lambda s: {**s, "class": "SGD"},
    "without memory": lambda s: {**s, "memory": {}},
    "of more parameters": lambda s: {**s, "memory": {n: [*v, 0.0] for n, v in s["memory"].items()}},
    "not finite": lambda s: {**s, "memory": {n: [float("nan")] for n in s["memory"]}},
    "a text": lambda s: {**s, "settings": {**s["settings"], "eps": "x"}},
    "negative steps": lambda s: {**s, "settings": {**s["settings"], "steps": -1}},
    "an unknown schedule": lambda s: {**s, "schedule": {"name": "eval", "arguments": {}}},
    "a schedule of other arguments": lambda s: {**s, "schedule": {"name": "cosine", "arguments": {"x": 1}}},
    "nothing": lambda _s: {},
    "a list": lambda s: {**s, "memory": [1, 2]},
}


@pytest.mark.parametrize("wrong", WRONG_STATES)
def test_a_state_that_does_not_fit_changes_nothing(wrong):
    optimizer = Adam([Value(1.0)], lr=0.1)
    optimizer.step()
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match="the state does not fit the optimiser: "):
        optimizer.load_state_dict(WRONG_STATES[wrong](before))
    assert optimizer.state_dict() == before


def edited(path, change):
    document = json.loads(path.read_text())
    change(document)
    content = {
        n: document[n] for n in ("parameters", "architecture", "metadata", "training") if n in document
    }
    document["checksum"] = zlib.crc32(json.dumps(content, sort_keys=True).encode())
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("training"), "it holds a model alone; nn.Checkpoint writes"),
        (lambda d: d["training"].pop("random"), "it has no 'random'"),
        (lambda d: d["training"]["random"].update(bit_generator="MT19937"), "cannot go on"),
        (lambda d: d["training"]["history"]["records"].append({"loss": "x"}), "'x' is no number"),
        (lambda d: d["training"].update(callbacks=[]), "its callbacks were ; these are EarlyStopping"),
        (lambda d: d["training"]["callbacks"][0]["state"].pop("best"), "it has no 'best'"),
        (lambda d: d["training"]["optimizer"].update({"class": "SGD"}), "it is that of 'SGD'"),
        (lambda d: d["parameters"].popitem(), "1 are missing"),
    ],
)
def test_a_file_that_does_not_fit_leaves_all_as_it_was(change, message, tmp_path):
    path = tmp_path / "run.json"
    training("adam", path, 2)
    edited(path, change)
    model = MLP(2, [4, 1], activation="tanh", rng=random.Random(9))
    optimizer = OPTIMIZERS["adam"](model.parameters())
    callbacks = [Checkpoint(tmp_path / "new.json"), nn.EarlyStopping("val_loss", 50), nn.Snapshots(2)]
    before = model.state_dict(), optimizer.state_dict(), callbacks[1].state_dict()
    with pytest.raises(ValueError, match=message):
        fit(
            model,
            X,
            Y,
            nn.binary_cross_entropy,
            optimizer,
            5,
            validation=(X, Y),
            callbacks=callbacks,
            resume=path,
        )
    assert (model.state_dict(), optimizer.state_dict(), callbacks[1].state_dict()) == before
    assert not (tmp_path / "new.json").exists()


def test_numbers_of_a_history_that_are_not_finite_come_back():
    history = nn.History()
    history.records = [{"epoch": 0, "loss": 0.1, "val_loss": float("inf")}, {"epoch": 1, "loss": np.pi}]
    state = json.loads(json.dumps(history.state_dict(), allow_nan=False))
    assert nn.History.from_state(state).records == history.records


THINGS = {
    "module": lambda model: model,
    "grouped model": lambda model: model.grouped(),
    "optimizer": lambda model: Adam(model.parameters(), lr=0.1),
    "optimizer with a schedule": lambda model: SGD(model.parameters(), lr=optim.cosine(0.1, 10)),
    "schedule": lambda _: optim.step_decay(0.1, 2),
    "program": lambda model: autograd.compile(model([0.5, -1.0]) ** 2, inputs=model.parameters()),
}


@pytest.mark.parametrize("copied", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
@pytest.mark.parametrize("name", THINGS)
def test_what_holds_a_model_is_pickled_and_copied_with_it(name, copied):
    model = MLP(2, [3, 1], rng=0)
    thing = THINGS[name](model)
    before = [parameter.data for parameter in model.parameters()]
    again = copied(thing)
    if name.startswith("optimizer"):
        (-sum(p * p for p in again.parameters)).backward()
        again.step()
        assert all(p.data != old for p, old in zip(again.parameters, before, strict=True) if old)
        assert again.state_dict().keys() == thing.state_dict().keys()
    elif name == "schedule":
        assert [again(k) for k in range(6)] == [thing(k) for k in range(6)]
    elif name == "program":
        again.parameters = again.parameters + 1.0
        assert again() != thing()
    else:
        assert again([0.5, -1.0]).data == model([0.5, -1.0]).data
        names = [g.name for g in step_through(again([Value(0.5), Value(-1.0)])).groups]
        assert names == [g.name for g in step_through(thing([Value(0.5), Value(-1.0)])).groups]
        assert bool(names) == (name == "grouped model")
        again.parameters()[0].data = 5.0
    assert [parameter.data for parameter in model.parameters()] == before
