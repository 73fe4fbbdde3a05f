"""The same network in PyTorch, and back.

PyTorch is not installed with this package: ``pip install "chainrule[torch]"``.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.ops import TABLE
from autograd.row import Operation
from nn.modules import MLP, Layer, Module, Neuron, Sequential, as_activation

if TYPE_CHECKING:
    import torch

SETTINGS: dict[str, dict[str, float]] = {
    "softplus": {"threshold": 40.0},  # from 20 on, its default, PyTorch's is off by 2e-9
}
"""What an activation of PyTorch must be told to agree with the operation of that name."""
PLACES = np.concatenate([np.linspace(-30.0, 30.0, 121), [-1e-9, 1e-9]])
"""Where an activation of PyTorch is compared with an operation."""


def to_torch(model: Module) -> "torch.nn.Sequential":
    """Return the same network as modules of PyTorch, in double precision.

    Its state dict has PyTorch's names, such as ``0.weight`` and ``0.bias``. Where one of ours returns a
    single number, PyTorch's returns a column of one. Neither follows later changes of the other.

    From there ``torch.onnx.export(module, (torch.zeros(1, inputs, dtype=torch.float64),), path)`` writes it
    as ONNX.

    Args:
        model: an ``MLP``, or a ``Layer``, a ``Neuron`` or a ``Sequential`` of these and of operations.

    Raises:
        ImportError: PyTorch is not installed.
        TypeError: a part is of another kind.
        ValueError: an activation has no counterpart in PyTorch.

    Example:
        >>> list(to_torch(MLP(2, [3, 1])).state_dict())
        ['0.weight', '0.bias', '2.weight', '2.bias']
    """
    import torch

    modules: list[torch.nn.Module] = []
    for part in _parts(model):
        if isinstance(part, Operation):
            modules.append(_activation(part))
            continue
        linear = torch.nn.Linear(len(part[0].w), len(part), dtype=torch.float64)
        with torch.no_grad():
            weights = [[w.data for w in neuron.w] for neuron in part]
            linear.weight.copy_(torch.tensor(weights, dtype=torch.float64))
            linear.bias.copy_(torch.tensor([neuron.b.data for neuron in part], dtype=torch.float64))
        modules.append(linear)
    return torch.nn.Sequential(*modules)


def from_torch(module: "torch.nn.Module") -> Sequential:
    """Return the same network as modules of this package: an ``MLP`` if it is one.

    A ``Linear`` without bias becomes neurons with a bias of 0.

    Args:
        module: a ``torch.nn.Linear``, or a ``torch.nn.Sequential`` of these and of activations.

    Raises:
        TypeError: a part is of another kind.
        ValueError: an activation differs from the operation of its name, such as a ``LeakyReLU`` of another
            slope; or there is no ``Linear``.

    Example:
        >>> import torch
        >>> from_torch(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)))
        MLP of [Layer of [TanhNeuron(2), TanhNeuron(2), TanhNeuron(2)], Layer of [LinearNeuron(3)]]
    """
    import torch

    layers: list[Layer | Operation] = []
    for part in _flattened(module):
        if isinstance(part, torch.nn.Linear):
            weights = part.weight.detach().double().tolist()
            biases = [0.0] * len(weights) if part.bias is None else part.bias.detach().double().tolist()
            layer = Layer(part.in_features, part.out_features, nonlin=False)
            for neuron, row, bias in zip(layer.neurons, weights, biases, strict=True):
                for weight, number in zip((*neuron.w, neuron.b), (*row, bias), strict=True):
                    weight.data = number
            layers.append(layer)
        elif layers and isinstance(layers[-1], Layer) and not layers[-1].neurons[0].nonlin:
            for neuron in layers[-1].neurons:
                neuron.nonlin, neuron.activation = True, _operation(part)
        else:
            layers.append(_operation(part))
    if not any(isinstance(layer, Layer) for layer in layers):
        raise ValueError("there is no Linear in it, so nothing to be trained")
    return _as_mlp(layers) or Sequential(*layers)


def _parts(model: Any) -> Iterator[Operation | list[Neuron]]:
    """Yield what a network does one after another: neurons side by side, and activations."""
    if isinstance(model, Sequential):
        for layer in model.layers:
            yield from _parts(layer)
    elif isinstance(model, Operation):
        yield model
    elif isinstance(model, (Layer, Neuron)):
        neurons = model.neurons if isinstance(model, Layer) else [model]
        yield neurons
        if neurons[0].nonlin:
            yield neurons[0].activation
    else:
        raise TypeError(
            f"{type(model).__name__} has no counterpart in PyTorch; Neuron, Layer, MLP, Sequential and "
            "operations have"
        )


def _flattened(module: "torch.nn.Module") -> Iterator["torch.nn.Module"]:
    import torch

    if isinstance(module, torch.nn.Sequential):
        for part in module:
            yield from _flattened(part)
    elif not isinstance(module, torch.nn.Identity):
        yield module


def _activation(operation: Operation) -> "torch.nn.Module":
    """Return PyTorch's module of an operation's name, or one that calls its function of that name."""
    import torch

    kinds = {name.lower(): thing for name, thing in vars(torch.nn).items() if isinstance(thing, type)}
    kind = kinds.get(operation.name.replace("_", ""))
    function: Any = getattr(torch, operation.name, None)

    class Elementwise(torch.nn.Module):  # type: ignore[misc]  # as if it had no types
        def forward(self, x: "torch.Tensor") -> "torch.Tensor":
            result: torch.Tensor = function(x)
            return result

    Elementwise.__name__ = Elementwise.__qualname__ = operation.name.capitalize()
    made = Elementwise() if kind is None else kind(**SETTINGS.get(operation.name, {}))
    if _disagreement(made, operation, 1e-12) != "":
        raise ValueError(f"the operation {operation.name!r} has no counterpart in PyTorch")
    assert isinstance(made, torch.nn.Module)
    return made


def _operation(module: "torch.nn.Module") -> Operation:
    """Return the operation of a module's name, if it does the same."""
    names = {name.replace("_", ""): name for name in TABLE}
    name = names.get(type(module).__name__.lower())
    if name is None:
        raise TypeError(
            f"{type(module).__name__} has no counterpart here; Linear, Sequential and activations have"
        )
    operation = as_activation(name)
    # PyTorch's softplus, by default, is off by 2e-9.
    if what := _disagreement(module, operation, 1e-9):
        raise ValueError(f"{module} is not our {name}: {what}")
    return operation


def _disagreement(module: "torch.nn.Module", operation: Operation, tolerance: float) -> str:
    """Return where a module differs from an operation, "" if it does nowhere."""
    import torch

    ours = np.array([operation(place) for place in PLACES.tolist()])
    try:
        theirs = module(torch.from_numpy(PLACES)).detach().numpy()
    except (RuntimeError, TypeError) as error:  # of other arguments, or not there
        return str(error)
    if np.allclose(theirs, ours, rtol=tolerance, atol=1e-12, equal_nan=True):
        return ""
    worst = int(np.abs(theirs - ours).argmax())
    return f"at {PLACES[worst]:g} it is {theirs[worst]:g} and not {ours[worst]:g}"


def _as_mlp(layers: list[Layer | Operation]) -> MLP | None:
    """Return the layers as an MLP: one activation after all of them but the last."""
    *hidden, last = layers
    if not isinstance(last, Layer) or last.neurons[0].nonlin:
        return None
    plain = [layer for layer in hidden if isinstance(layer, Layer) and layer.neurons[0].nonlin]
    kinds = {layer.neurons[0].activation for layer in plain}
    fits = all(len(a.neurons) == len(b.neurons[0].w) for a, b in pairwise([*plain, last]))
    if len(plain) < len(hidden) or len(kinds) > 1 or not fits:
        return None
    activation = kinds.pop() if kinds else "relu"
    nouts = [len(layer.neurons) for layer in (*plain, last)]
    model = MLP(len((plain or [last])[0].neurons[0].w), nouts, activation=activation)
    model.layers = [*plain, last]
    return model
