"""Networks of scalars: a neuron is a dot product and an activation; all else is made of neurons."""

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from autograd.operation import Operation
from autograd.ops import TABLE
from autograd.value import Constant, Value

INIT: dict[str, Callable[[int, int], float]] = {
    "uniform": lambda _nin, _nout: 1.0,
    "xavier": lambda nin, nout: (6.0 / (nin + nout)) ** 0.5,
    "kaiming": lambda nin, _nout: (6.0 / nin) ** 0.5,
}
"""How weights are drawn: uniformly between plus and minus the bound that each function of the counts gives.

``uniform`` is micrograd's. ``xavier`` keeps the variance of signals and gradients through tanh layers (Glorot
and Bengio, 2010), ``kaiming`` that of signals through ReLU layers (He et al., 2015).
"""


class Module:
    """A part of a network: whatever holds Values, or other modules, in its attributes.

    Parameters are found where they are: in attributes that are a Value, a Module, or a list, tuple or dict of
    these. Constants are not parameters. A subclass defines ``__init__`` and ``__call__``.

    Example:
        >>> class Line(Module):
        ...     def __init__(self):
        ...         self.slope, self.offset = Value(2.0), Value(1.0)
        ...     def __call__(self, x):
        ...         return self.slope * x + self.offset
        >>> line = Line()
        >>> line(3.0).backward()
        >>> [(name, p.grad) for name, p in line.named_parameters()]
        [('slope', 3.0), ('offset', 1.0)]
        >>> line.frozen()(3.0)
        7.0
    """

    def __call__(self, x: Any) -> Any:
        """Return the output for one point."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(self, x)")

    def parameters(self) -> list[Value]:
        """Return the Values to be trained, each once, in the order in which they were assigned."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield the parameters with their paths, such as ``layers.0.neurons.3.b``."""
        seen: set[Value] = set()
        for name, parameter in _parameters_in("", self):
            if parameter not in seen:
                seen.add(parameter)
                yield name, parameter

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to zero."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def frozen(self) -> Any:
        """Return a copy with the same code and plain numbers in place of the parameters.

        It builds no graph. Given a number per input it returns a number per output; given an array per input,
        the columns of a data set, it returns an array per output. It does not follow later changes.

        Example:
            >>> import numpy as np
            >>> model = MLP(2, [4, 1], rng=random.Random(0))
            >>> X = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
            >>> model.frozen()(X.T).shape
            (3,)
            >>> model.frozen()([2.0, 3.0]) == model([2.0, 3.0]).data
            True
        """
        return copy.deepcopy(self, {id(p): p.data for p in self.parameters()})

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {len(self.parameters())} parameters"


class Neuron(Module):
    """One unit: activation(w . x + b).

    Args:
        nin: how many inputs it has.
        nonlin: whether the activation is applied; without it the unit is linear.
        activation: an operation of one argument, or its name in the table.
        rng: the source of the weights, Python's ``random`` by default.
        bound: the weights are drawn uniformly from [-bound, bound]; the bias is 0.

    Raises:
        ValueError: an unknown activation, or a count that is not positive.
        TypeError: an activation that is not an operation of one argument.

    Example:
        >>> neuron = Neuron(2, activation="tanh")
        >>> neuron.w[0].data, neuron.w[1].data, neuron.b.data = 2.0, -3.0, -3.0
        >>> neuron([-1.0, -2.0]).data
        0.7615941559557649
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Operation | str = "relu",
        rng: random.Random | None = None,
        bound: float = 1.0,
    ) -> None:
        uniform = (rng or random).uniform
        self.w = [Value(uniform(-bound, bound), f"w{i}") for i in range(_count(nin, "nin"))]
        self.b = Value(0.0, "b")
        self.nonlin = nonlin
        self.activation = as_activation(activation)

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the output for ``nin`` numbers, Values or arrays.

        Raises:
            ValueError: ``x`` has another length.
        """
        w = self.w
        if len(x) != len(w):
            raise ValueError(f"{self!r} takes {len(w)} inputs, got {len(x)}")
        z = reduce(add, map(mul, w, x), self.b)
        return self.activation(z) if self.nonlin else z

    def __repr__(self) -> str:
        """Return for instance ``ReLUNeuron(2)``."""
        name = self.activation.name if self.nonlin else "linear"
        return f"{'ReLU' if name == 'relu' else name.capitalize()}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons side by side, all with the same inputs.

    Args:
        nin: how many inputs each neuron has.
        nout: how many neurons there are.
        nonlin: whether the activation is applied.
        activation: an operation of one argument, or its name in the table.
        rng: the source of the weights, Python's ``random`` by default.
        init: the rule for the weights' size, a name in ``INIT``.

    Raises:
        ValueError: an unknown name, or a count that is not positive.
        TypeError: an activation that is not an operation of one argument.

    Example:
        >>> Layer(2, 3)
        Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)]
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        *,
        activation: Operation | str = "relu",
        rng: random.Random | None = None,
        init: str = "uniform",
    ) -> None:
        if init not in INIT:
            raise ValueError(f"unknown init {init!r}; choose one of {', '.join(INIT)}")
        bound = INIT[init](_count(nin, "nin"), _count(nout, "nout"))
        self.neurons = [Neuron(nin, nonlin, activation=activation, rng=rng, bound=bound) for _ in range(nout)]

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the list of the neurons' outputs, or the single output of a layer of one.

        Raises:
            ValueError: ``x`` does not have ``nin`` entries.
        """
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(repr, self.neurons))}]"


class Sequential(Module):
    """Modules one after another, each given the outputs of the one before.

    Args:
        *layers: modules; or operations of one argument, which are applied to every output.

    Raises:
        TypeError: a layer is neither.
        ValueError: no layers.

    Example:
        >>> model = Sequential(Layer(2, 3, activation="tanh"), Layer(3, 2, activation="sigmoid"))
        >>> len(model([0.5, -0.5])), len(model.parameters())
        (2, 17)
    """

    def __init__(self, *layers: Module | Operation) -> None:
        if not layers:
            raise ValueError(f"{type(self).__name__} needs at least one layer")
        for layer in layers:
            if not isinstance(layer, (Module, Operation)):
                raise TypeError(f"a layer is a Module or an operation of one argument, not {layer!r}")
        self.layers = list(layers)

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the last layer's outputs: a list, or the single one.

        Raises:
            ValueError: a layer is given another number of inputs than it takes.
        """
        outputs = x
        for layer in self.layers:
            outputs = list(map(layer, outputs)) if isinstance(layer, Operation) else _as_list(layer(outputs))
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"{type(self).__name__} of [{', '.join(map(repr, self.layers))}]"


class MLP(Sequential):
    """A multi-layer perceptron: fully connected layers, the last one linear.

    Args:
        nin: how many inputs it has.
        nouts: how many neurons each layer has.
        activation: of the hidden layers: an operation of one argument, or its name in the table.
        rng: the source of the weights, Python's ``random`` by default.
        init: the rule for the weights' size, a name in ``INIT``.

    Raises:
        ValueError: an unknown name, no layers, or a count that is not positive.
        TypeError: an activation that is not an operation of one argument.

    Example:
        >>> model = MLP(2, [16, 16, 1], rng=random.Random(1337))
        >>> len(model.parameters())
        337
        >>> model([1.0, -2.0, 3.0])
        Traceback (most recent call last):
        ValueError: ReLUNeuron(2) takes 2 inputs, got 3
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        *,
        activation: Operation | str = "relu",
        rng: random.Random | None = None,
        init: str = "uniform",
    ) -> None:
        sizes = [nin, *nouts]
        last = len(sizes) - 2
        super().__init__(
            *(
                Layer(sizes[i], sizes[i + 1], nonlin=i < last, activation=activation, rng=rng, init=init)
                for i in range(last + 1)
            )
        )


def as_activation(activation: Operation | str) -> Operation:
    """Return an operation that can be called with one argument, given itself or its name in the table.

    Raises:
        ValueError: no operation has this name.
        TypeError: not an operation, or one that needs more arguments.
    """
    operation = TABLE.get(activation) if isinstance(activation, str) else activation
    if operation is None:
        known = ", ".join(name for name, row in TABLE.items() if _is_unary(row))
        raise ValueError(f"unknown activation {activation!r}; choose one of {known}")
    if not isinstance(operation, Operation) or not _is_unary(operation):
        raise TypeError(f"an activation is an operation of one argument or its name, not {activation!r}")
    return operation


def _is_unary(operation: Operation) -> bool:
    return operation.arity - len(operation.defaults) <= 1 <= operation.arity


def _count(number: Any, name: str) -> int:
    if isinstance(number, bool) or not hasattr(number, "__index__"):
        raise TypeError(f"{name} must be a whole number, not {number!r}")
    if number < 1:
        raise ValueError(f"{name} must be at least 1, not {number}")
    return int(number)


def _as_list(outputs: Any) -> Any:
    """Undo the unwrapping of a single output, which may be an array and so look like many."""
    return outputs if isinstance(outputs, (list, tuple)) else [outputs]


def _parameters_in(path: str, thing: Any) -> Iterator[tuple[str, Value]]:
    if isinstance(thing, Value):
        if not isinstance(thing, Constant):
            yield path, thing
        return
    if isinstance(thing, Module):
        thing = vars(thing)
    if isinstance(thing, (list, tuple)):
        thing = dict(enumerate(thing))
    if isinstance(thing, dict):
        for name, item in thing.items():
            yield from _parameters_in(f"{path}.{name}" if path else str(name), item)
