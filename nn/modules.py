"""Networks of scalars: a neuron is a dot product and an activation; all else is made of neurons."""

import copy
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import add, mul
from typing import Any

from autograd.ops import TABLE
from autograd.row import Operation
from autograd.spelling import nearest
from autograd.stepping.groups import group
from autograd.value import Constant, Value
from autograd.writing import assign
from nn import storage
from nn.habits import MLP as MLP_HABITS
from nn.habits import Familiar, familiar

INIT: dict[str, Callable[[int, int], float]] = {
    "uniform": lambda _nin, _nout: 1.0,
    "xavier": lambda nin, nout: (6.0 / (nin + nout)) ** 0.5,
    "kaiming": lambda nin, _nout: (6.0 / nin) ** 0.5,
}
"""How weights are drawn: uniformly between plus and minus the bound that each function of the counts gives.

``uniform`` is micrograd's. ``xavier`` keeps the variance of signals and gradients through tanh layers (Glorot
and Bengio, 2010), ``kaiming`` that of signals through ReLU layers (He et al., 2015).
"""


class Module(Familiar):
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

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Return the output for one point."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(self, x)")

    def parameters(self) -> list[Value]:
        """Return the Values to be trained, each once, in the order in which they were assigned.

        Example:
            >>> len(MLP(2, [16, 16, 1]).parameters())
            337
        """
        return [parameter for _, parameter in self.named_parameters()]

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield the parameters with their paths.

        Example:
            >>> [name for name, _ in MLP(2, [1]).named_parameters()]
            ['layers.0.neurons.0.w.0', 'layers.0.neurons.0.w.1', 'layers.0.neurons.0.b']
        """
        seen: set[Value] = set()
        for name, parameter in find(Value, "", self):
            if parameter not in seen and not isinstance(parameter, Constant):
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

    def grouped(self) -> Any:
        """Return a copy with the same parameters whose calls name their groups, for ``step_through``.

        A graph that it records is drawn and stepped as one gate, which opens into layers, these into neurons,
        and these into operations. A group is named by its place, such as ``layers.0``.

        Example:
            >>> from autograd import step_through
            >>> model = MLP(2, [4, 1], rng=random.Random(0))
            >>> stepper = step_through(model.grouped()([Value(1.0, "x0"), Value(-2.0, "x1")]))
            >>> [group.name for group in stepper.groups][:4]
            ['MLP', 'layers.0', 'layers.1', 'neurons.0']
        """
        twin = copy.deepcopy(self, {id(parameter): parameter for parameter in self.parameters()})
        _name_groups(type(self).__name__, twin)
        return twin

    def state_dict(self) -> dict[str, float]:
        """Return the parameters' numbers by their paths.

        Example:
            >>> Neuron(1, rng=random.Random(0)).state_dict()
            {'w.0': 0.6888437030500962, 'b': 0.0}
        """
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set every parameter to the number of its path; if that is not possible, none.

        Raises:
            ValueError: a path is missing or unknown, or a number is not finite.
            TypeError: something is no number.

        Example:
            >>> model, other = MLP(2, [3, 1]), MLP(2, [3, 1])
            >>> other.load_state_dict(model.state_dict())
            >>> other([1.0, 2.0]).data == model([1.0, 2.0]).data
            True
        """
        parameters = dict(self.named_parameters())
        storage.check_names(parameters, state)
        numbers = {name: storage.as_number(name, state[name]) for name in parameters}
        assign(list(parameters.values()), numbers.values())

    def save(
        self,
        path: str | os.PathLike[str],
        metadata: Mapping[str, Any] | None = None,
        *,
        training: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the parameters to a JSON file, whole or not at all.

        Args:
            path: the file.
            metadata: what else to keep in it: a dict of what JSON can hold, such as the names of the classes.
            training: the state of an unfinished training, as ``Checkpoint`` writes it.

        Raises:
            ValueError: a parameter is not finite, or the metadata is not what JSON can hold.
            OSError: the file cannot be written; what was there before is untouched.

        Example:
            >>> import pathlib, tempfile
            >>> model = MLP(2, [3, 1])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = pathlib.Path(folder, "model.json")
            ...     model.save(path, {"classes": ["no", "yes"]})
            ...     again, metadata = load_model(path)
            >>> again.state_dict() == model.state_dict(), metadata
            (True, {'classes': ['no', 'yes']})
        """
        training = None if training is None else dict(training)
        content = storage.Saved(self.state_dict(), self._architecture(), dict(metadata or {}), training)
        storage.write(path, content)

    def load(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """Set the parameters from a file that ``save`` wrote; if that is not possible, none.

        Returns:
            The metadata that was saved with them.

        Raises:
            ValueError: the file is damaged, foreign, or of a model of other layers.
            OSError: it cannot be read.
        """
        saved = storage.read(path)
        try:
            self.load_state_dict(saved.parameters)
        except ValueError as error:
            raise ValueError(f"cannot load {os.fspath(path)!r}: {error}") from None
        return saved.metadata

    def summary(self) -> str:
        """Return a table of the parts: inputs, outputs, activation and number of parameters of each.

        Example:
            >>> print(MLP(2, [16, 1], activation="tanh").summary())
            part      kind   inputs  outputs  activation  parameters
            layers.0  Layer       2       16        tanh          48
            layers.1  Layer      16        1      linear          17
            total                                                 65
        """
        parts = [pair for name, part in vars(self).items() for pair in find((Module, Operation), name, part)]
        if isinstance(self, Neuron) or not parts:
            parts = [("self", self)]
        rows = [("part", "kind", "inputs", "outputs", "activation", "parameters")]
        for name, part in parts:
            if isinstance(part, Operation):
                rows.append((name, "operation", "", "", part.name, "0"))
                continue
            inputs, outputs, activation = map(str, part._facts())
            rows.append((name, type(part).__name__, inputs, outputs, activation, str(len(part.parameters()))))
        rows.append(("total", "", "", "", "", str(len(self.parameters()))))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if column < 2 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        )

    def _facts(self) -> tuple[Any, Any, Any]:
        """Return inputs, outputs and activation for the summary, "" where that is not known."""
        return "", "", ""

    def _architecture(self) -> dict[str, Any] | None:
        """Return how to make this module anew, for a file; None if only its own code knows."""
        return None

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {len(self.parameters())} parameters"


def source_of(rng: Any) -> Any:
    """Return what draws weights: Python's ``random`` for None, a source of its own for a seed.

    Raises:
        TypeError: it is neither a source nor a seed.
    """
    if rng is None:
        return random
    if isinstance(rng, int) and not isinstance(rng, bool):
        return random.Random(rng)
    if not hasattr(rng, "uniform"):
        raise TypeError(f"rng must be a random.Random or a seed, a whole number, not {rng!r:.60}")
    return rng


class Neuron(Module):
    """One unit: activation(w . x + b).

    Args:
        nin: how many inputs it has.
        nonlin: whether the activation is applied; without it the unit is linear.
        activation: an operation of one argument, or its name in the table.
        rng: the source of the weights: a ``random.Random`` or a seed for one, by default Python's ``random``.
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
        rng: random.Random | int | None = None,
        bound: float = 1.0,
    ) -> None:
        uniform = source_of(rng).uniform
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
        try:
            count = len(x)
        except TypeError:
            raise TypeError(
                f"{self!r} takes a sequence of {len(w)} inputs, not {type(x).__name__}: {x!r:.60}; "
                f"write model([{', '.join(['x'] if len(w) == 1 else ['x0', '...'])}])"
            ) from None
        if count != len(w):
            raise ValueError(f"{self!r} takes {len(w)} inputs, got {count}")
        z = reduce(add, map(mul, w, x), self.b)
        return self.activation(z) if self.nonlin else z

    def _facts(self) -> tuple[Any, Any, Any]:
        return len(self.w), 1, self.activation.name if self.nonlin else "linear"

    def __repr__(self) -> str:
        """Return for instance ``ReLUNeuron(2)``."""
        nin, _, name = self._facts()
        return f"{'ReLU' if name == 'relu' else name.capitalize()}Neuron({nin})"


class Layer(Module):
    """Neurons side by side, all with the same inputs.

    Args:
        nin: how many inputs each neuron has.
        nout: how many neurons there are.
        nonlin: whether the activation is applied.
        activation: an operation of one argument, or its name in the table.
        rng: the source of the weights: a ``random.Random`` or a seed for one, by default Python's ``random``.
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
        rng: random.Random | int | None = None,
        init: str = "uniform",
    ) -> None:
        rng = source_of(rng)
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

    def _facts(self) -> tuple[Any, Any, Any]:
        nin, _, activation = self.neurons[0]._facts()
        return nin, len(self.neurons), activation

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

    def __call__(self, x: Sequence[Any], *more: Any) -> Any:
        """Return the last layer's outputs: a list, or the single one.

        Raises:
            ValueError: a layer is given another number of inputs than it takes.
            TypeError: the inputs are not given as one sequence.
        """
        if more:
            written = ", ".join(f"{each!r:.20}" for each in (x, *more))
            raise TypeError(f"{type(self).__name__} takes one point, a sequence: write model([{written}])")
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
        rng: the source of the weights: a ``random.Random`` or a seed for one, by default Python's ``random``.
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

    @familiar(MLP_HABITS, "MLP(2, [4, 1])")
    def __init__(
        self,
        nin: int,
        nouts: Sequence[int] | None = None,
        *more: int,
        activation: Operation | str = "relu",
        rng: random.Random | int | None = None,
        init: str = "uniform",
    ) -> None:
        if nouts is None or more or isinstance(nouts, (int, str)) or isinstance(nin, (list, tuple)):
            given = (nin, *([] if nouts is None else [nouts]), *more)
            flat = [n for each in given for n in (each if isinstance(each, (list, tuple)) else [each])]
            written = f"MLP({flat[0]}, [{', '.join(map(str, flat[1:])) or 1}])"
            raise TypeError(
                f"MLP takes the number of inputs and the list of its layers' sizes: write {written}"
            )
        rng = source_of(rng)
        sizes = [nin, *nouts]
        last = len(sizes) - 2
        super().__init__(
            *(
                Layer(sizes[i], sizes[i + 1], nonlin=i < last, activation=activation, rng=rng, init=init)
                for i in range(last + 1)
            )
        )

    def _architecture(self) -> dict[str, Any] | None:
        layers = [layer for layer in self.layers if isinstance(layer, Layer)]
        if len(layers) < len(self.layers):
            return None
        activation = layers[0].neurons[0].activation
        if TABLE.get(activation.name) is not activation:
            return None
        nin, nouts = len(layers[0].neurons[0].w), [len(layer.neurons) for layer in layers]
        plain = MLP(nin, nouts, activation=activation, rng=random.Random(0))
        if repr(plain) != repr(self):  # its layers were exchanged
            return None
        return {"class": "MLP", "nin": nin, "nouts": nouts, "activation": activation.name}


def load_model(path: str | os.PathLike[str]) -> tuple[MLP, dict[str, Any]]:
    """Make an MLP anew from the file that its ``save`` wrote.

    Returns:
        The model and the metadata that was saved with it.

    Raises:
        ValueError: the file is damaged, foreign, or of another kind of model, which ``load`` may read.
        OSError: it cannot be read.
    """
    saved = storage.read(path)
    try:
        model = _made(saved)
        model.load_state_dict(saved.parameters)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cannot load {os.fspath(path)!r}: {error}") from None
    return model, saved.metadata


def _made(saved: storage.Saved) -> MLP:
    architecture = saved.architecture or {}
    if architecture.get("class") != "MLP":
        raise ValueError("it does not say how to make its model; make that first, then call its load method")
    nin, nouts = architecture.get("nin"), architecture.get("nouts")
    sizes = [nin, *nouts] if isinstance(nouts, list) else []
    if len(sizes) < 2 or not all(type(size) is int and size > 0 for size in sizes):
        raise ValueError(f"its layers are no counts of neurons: nin {nin!r:.40}, nouts {nouts!r:.40}")
    count = sum((nin + 1) * nout for nin, nout in pairwise(sizes))
    if count != len(saved.parameters):
        raise ValueError(f"its layers have {count} parameters, and it holds {len(saved.parameters)}")
    return MLP(sizes[0], sizes[1:], activation=architecture.get("activation", ""), rng=random.Random(0))


def as_activation(activation: Operation | str) -> Operation:
    """Return an operation that can be called with one argument, given itself or its name in the table.

    Raises:
        ValueError: no operation has this name.
        TypeError: not an operation, or one that needs more arguments.
    """
    operation = TABLE.get(activation) if isinstance(activation, str) else activation
    if operation is None:
        known = ", ".join(name for name, row in TABLE.items() if _is_unary(row))
        near = nearest(str(activation))
        meant = f"; did you mean {near!r}? Others are" if near else "; choose one of"
        raise ValueError(f"unknown activation {activation!r}{meant} {known}")
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


def _name_groups(name: str, module: Module) -> None:
    """Make the calls of a module, and of the modules in it, record groups; the first one gets ``name``."""
    for attribute, thing in vars(module).items():
        for path, part in find(Module, attribute, thing):
            _name_groups(path, part)
    _name_group(name, module)


def _name_group(name: str, module: Module) -> None:
    kind = type(module)
    parameters = module.parameters()

    def call(self: Module, *arguments: Any) -> Any:
        with group(name, inside=parameters):
            return kind.__call__(self, *arguments)

    def reduce(self: Module) -> tuple[Any, ...]:
        return _named_again, (name, kind, vars(self))

    own = {"__call__": call, "__reduce__": reduce, "__module__": kind.__module__}
    module.__class__ = type(kind.__name__, (kind,), own)


def _named_again(name: str, kind: type[Module], contents: dict[str, Any]) -> Module:
    """Return a copy of a module whose calls record a group, made of copies of what is in it."""
    module = kind.__new__(kind)
    vars(module).update(contents)
    _name_group(name, module)
    return module


def find(kinds: Any, path: str, thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield the things of some kinds with their paths, outermost first, from modules and containers."""
    if isinstance(thing, kinds):
        yield path, thing
        return
    if isinstance(thing, Module):
        thing = vars(thing)
    elif isinstance(thing, (list, tuple)):
        thing = dict(enumerate(thing))
    if isinstance(thing, dict):
        for name, item in thing.items():
            yield from find(kinds, f"{path}.{name}" if path else str(name), item)
