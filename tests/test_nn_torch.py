"""The same network in PyTorch gives the same numbers, and so does the one that comes back."""

import random

import numpy as np
import pytest

import autograd
import nn
from autograd import Operation
from nn import MLP, Layer, Neuron, Sequential, load_model, predict
from nn.modules import _is_unary

torch = pytest.importorskip("torch")
from nn.torch import from_torch, to_torch  # noqa: E402 - after the skip

X = np.random.default_rng(0).normal(size=(40, 3)) * 3
KNOWN = [
    name
    for name, row in autograd.ops.TABLE.items()
    if _is_unary(row)
    and name not in ("pos", "clamp", "cbrt", "gauss", "normal_pdf", "normal_cdf", "logistic_pdf")
]


def theirs(module, X=X):
    with torch.no_grad():
        return module(torch.from_numpy(X)).numpy()


def networks():
    rng = random.Random(0)
    yield "MLP", MLP(3, [5, 4, 2], activation="tanh", rng=rng)
    yield "one output", MLP(3, [5, 1], rng=rng)
    yield "linear", MLP(3, [2], rng=rng)
    yield "layer", Layer(3, 4, activation="gelu", rng=rng)
    yield "neuron", Neuron(3, activation="sigmoid", rng=rng)
    yield "mixed", Sequential(Layer(3, 4, rng=rng), Layer(4, 3, activation="silu", rng=rng), autograd.exp)
    yield "operation first", Sequential(autograd.tanh, Layer(3, 2, rng=rng))
    yield "nested", Sequential(MLP(3, [2, 2], rng=rng), autograd.softplus, Layer(2, 2, nonlin=False, rng=rng))


NETWORKS = dict(networks())


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_equal_both_ways(name):
    model = NETWORKS[name]
    module = to_torch(model)
    ours = predict(model, X).reshape(len(X), -1)
    assert theirs(module) == pytest.approx(ours, rel=1e-12, abs=1e-12)
    back = from_torch(module)
    assert predict(back, X).reshape(len(X), -1) == pytest.approx(ours, rel=1e-12, abs=1e-12)
    assert isinstance(back, MLP) == (name in ("MLP", "one output", "linear"))


@pytest.mark.parametrize("activation", KNOWN)
def test_every_activation_that_pytorch_has_is_the_same_there(activation):
    model = Sequential(Layer(1, 1, nonlin=False), autograd.ops.TABLE[activation])
    model.layers[0].neurons[0].w[0].data = 1.0
    x = np.linspace(-45, 45, 181)[:, None]
    with np.errstate(all="ignore"):
        ours = predict(model, x)
    np.testing.assert_allclose(theirs(to_torch(model), x)[:, 0], ours, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "activation", ["relu", "tanh", "sigmoid", "softplus", "silu", "gelu", "elu", "leaky_relu"]
)
def test_an_mlp_that_comes_back_is_saved_and_made_anew(activation, tmp_path):
    model = from_torch(to_torch(MLP(3, [4, 2], activation=activation, rng=random.Random(0))))
    model.save(tmp_path / "model.json")
    assert load_model(tmp_path / "model.json")[0].state_dict() == model.state_dict()


def test_a_network_trained_in_pytorch_goes_on_here_and_the_other_way():
    names = ["0.weight", "0.bias", "2.weight", "2.bias"]
    model = MLP(2, [4, 1], activation="tanh", rng=random.Random(0))
    module = to_torch(model)
    assert list(module.state_dict()) == names
    points, y = nn.two_moons(30, noise=0.1, random_state=0)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5, momentum=0.9)
    tensors = torch.from_numpy(points), torch.from_numpy(y).double()
    for _ in range(5):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(module(tensors[0])[:, 0], tensors[1]).backward()
        optimizer.step()
    nn.fit(model, points, y, nn.binary_cross_entropy, nn.SGD(model.parameters(), 0.5, momentum=0.9), 5)
    assert list(model.state_dict().values()) == pytest.approx(
        list(from_torch(module).state_dict().values()), rel=1e-12
    )


def test_single_precision_and_no_bias_are_read():
    module = torch.nn.Sequential(torch.nn.Linear(3, 4, bias=False), torch.nn.Identity(), torch.nn.Softplus())
    ours = predict(from_torch(module), X.astype(np.float32))
    assert theirs(module, X.astype(np.float32)) == pytest.approx(ours, rel=1e-5, abs=1e-5)


@pytest.mark.filterwarnings("ignore")  # of the exporter's own code
def test_pytorch_writes_it_as_onnx(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    model = NETWORKS["MLP"]
    path = tmp_path / "model.onnx"
    torch.onnx.export(to_torch(model), (torch.zeros(*X.shape, dtype=torch.float64),), path, verbose=False)
    session = runtime.InferenceSession(path)
    (outputs,) = session.run(None, {session.get_inputs()[0].name: X})
    assert outputs == pytest.approx(predict(model, X), rel=1e-12, abs=1e-12)


class Own(nn.Module):
    def __call__(self, x):
        return x


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: to_torch(Own()), TypeError, "Own has no counterpart in PyTorch"),
        (lambda: to_torch(MLP(2, [2, 1], activation="gauss")), ValueError, "'gauss' has no counterpart"),
        (
            lambda: to_torch(MLP(2, [2, 1], activation=Operation("tanh", lambda x: x, [lambda _z, _x: 1.0]))),
            ValueError,
            "'tanh' has no counterpart",
        ),
        (lambda: from_torch(torch.nn.Conv1d(1, 1, 1)), TypeError, "Conv1d has no counterpart here"),
        (
            lambda: from_torch(torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Dropout())),
            TypeError,
            "Dropout",
        ),
        (lambda: from_torch(torch.nn.Tanh()), ValueError, "there is no Linear"),
        (
            lambda: from_torch(torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.LeakyReLU(0.2))),
            ValueError,
            r"LeakyReLU\(negative_slope=0.2\) is not our leaky_relu: at -30 it is -6 and not -0.3",
        ),
        (
            lambda: from_torch(torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.GELU("tanh"))),
            ValueError,
            "is not our gelu",
        ),
    ],
)
def test_what_has_no_counterpart_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
