"""What is wrong with a network that does not learn: each finding with its figure and a remedy."""

import copy
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd.sweeping import sweep, topological_order
from autograd.value import Value, constant
from nn.data import training_points
from nn.history import History
from nn.losses import Loss, binary_cross_entropy, cross_entropy, hinge, mean, mean_squared_error, targets_of
from nn.modules import Layer, Module, Neuron, find

SMALL_SLOPE = 0.01
"""A unit passes on next to nothing of a gradient where its activation's slope is below this."""
SATURATED_SHARE = 0.95
"""A unit is saturated if its slope is small for more than this share of the points."""
GRADIENT_RANGE = 1e3
"""Gradients vanish or explode if their size differs by more than this factor between layers."""
LARGE_INPUT, SMALL_INPUT = 10.0, 0.1
"""Inputs are unscaled if the root mean square of a column is above, or of every column below."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: ``unscaled input``, ``unscaled target``, ``one target``, ``odd labels``, ``zero weights``,
            ``identical units``, ``dead units``, ``saturated units``, ``unreached parameters``,
            ``vanishing gradients``, ``exploding gradients``, ``stuck loss`` or ``not finite``.
        where: the path of the layer or parameter, or the input's columns.
        figure: the number that shows it.
        message: what was found, in a sentence.
        remedy: what to do about it.
    """

    kind: str
    where: str
    figure: float
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}\n    remedy: {self.remedy}"


class Diagnosis(list[Finding]):
    """The findings, in the order of the signal's way through the network; printed one below the other.

    Attributes:
        examined: what was looked at.
    """

    def __init__(self, findings: Iterable[Finding] = (), examined: Sequence[str] = ()) -> None:
        super().__init__(findings)
        self.examined = tuple(examined)

    def __str__(self) -> str:
        looked = " and ".join(filter(None, (", ".join(self.examined[:-1]), *self.examined[-1:])))
        return "\n".join(map(str, self)) or f"nothing conspicuous was found in {looked}"


def diagnose(
    model: Module,
    X: ArrayLike,
    y: ArrayLike,
    loss: Loss | None = None,
    *,
    sample: int = 200,
    history: History | None = None,
) -> Diagnosis:
    """Examine a network on data: inputs, targets, weights, units, gradients, and how its training went.

    Units are found in the package's neurons, gradients in the parameters of any module. The parameters and
    their gradients are left as they are.

    Args:
        model: the network.
        X: the points, of shape (n, inputs).
        y: the n targets.
        loss: what it is trained with. By default what suits outputs and targets: cross-entropy for several
            outputs and classes, hinge for -1 and 1, binary cross-entropy for 0 and 1, else squared error.
        sample: how many points are examined, if there are more.
        history: what ``fit`` returned, to see whether the loss is stuck.

    Returns:
        The findings; an empty list if there are none. Print it: it says what was looked at.

    Raises:
        ValueError: no points, not as many targets, or targets that are not numbers.
        TypeError: a loss that is no Value, because it does not depend on any parameter.

    Example:
        >>> from nn import MLP, diagnose
        >>> print(diagnose(MLP(2, [3, 1], activation="tanh"), [[900.0, 1.0], [500.0, 0.0]], [0, 1])[0])
        unscaled input: column 0 of the inputs: root mean square up to 728
            remedy: standardise the inputs: nn.Standardizer
    """
    points, targets = training_points(X, y)
    if odd := list(_labels(targets, loss, _outputs_of(model, points))):
        return Diagnosis([*_inputs(points), *odd], ("inputs", "targets"))
    if len(points) > sample:
        chosen = np.linspace(0, len(points) - 1, sample).astype(int)
        points, targets = points[chosen], targets[chosen]
    neurons = {path: neuron for path, neuron in find(Neuron, "", model) if neuron.nonlin}
    probes = {path: _Probe(neuron) for path, neuron in neurons.items()}
    parameters = {id(p): p for p in model.parameters()}
    probed = copy.deepcopy(model, parameters | {id(neurons[path]): probe for path, probe in probes.items()})
    outputs = [probed([constant(x) for x in row]) for row in points.tolist()]
    loss = loss or _suitable_loss(outputs, targets)
    total = mean(loss(output, target) for output, target in zip(outputs, targets.tolist(), strict=True))
    adjoints = sweep(topological_order(total), {total: 1.0})
    findings = [
        *_inputs(points),
        *_targets(targets, loss),
        *_weights(model, adjoints),
        *_units(probes),
        *_gradients(model, adjoints),
    ]
    examined = ["inputs", "targets", "weights", *(["units"] if probes else []), "gradients"]
    if history is not None:
        findings += _course(history, outputs, targets, loss)
        examined.append("the course of the loss")
    return Diagnosis(findings, examined)


def _outputs_of(model: Module, points: NDArray[np.float64]) -> int:
    output = model([constant(x) for x in points[0].tolist()])
    return len(output) if isinstance(output, (list, tuple)) else 1


def _labels(targets: NDArray[Any], loss: Loss | None, outputs: int) -> Iterator[Finding]:
    """Find labels that losses of classes do not take, so that nothing else can be told."""
    if targets.ndim > 1 or not np.isfinite(targets).all() or np.any(targets % 1):
        return
    values = np.unique(targets)
    declared = targets_of(loss) if loss is not None else None
    if declared is not None and not declared.classes:
        return
    told = ", ".join(f"{value:g}" for value in values)
    if outputs == 1 and len(values) == 2 and set(values.tolist()) not in ({0, 1}, {-1, 1}):
        yield Finding(
            "odd labels",
            "targets",
            float(values[0]),
            f"the targets are {told}, where the losses of two classes want 0 and 1, or -1 and 1",
            f"write y == {values[1]:g} for 0 and 1, or nn.encode(y)",
        )
    elif outputs > 1 and len(values) > 1 and values[-1] == outputs and values[0] >= 1:
        yield Finding(
            "odd labels",
            "targets",
            float(values[-1]),
            f"the classes are counted from {values[0]:g} to {values[-1]:g}, where {outputs} outputs stand "
            f"for 0 to {outputs - 1}",
            "subtract 1: y - 1, or nn.encode(y)",
        )


def _targets(targets: NDArray[Any], loss: Loss) -> Iterator[Finding]:
    declared = targets_of(loss)
    if len(targets) > 1 and (targets == targets[0]).all():
        message = f"all {len(targets)} targets are {np.asarray(targets[0]).tolist()}"
        remedy = "give points of every class, or with targets that differ; is it the right column?"
        yield Finding("one target", "targets", 1.0, message, remedy)
    elif declared is None or not declared.classes:
        size = float(np.sqrt(np.mean(np.square(targets))))
        if size > LARGE_INPUT or 0.0 < size < SMALL_INPUT:
            message = f"the targets have a root mean square of {size:.3g}, which the network has to grow to"
            remedy = "standardise the targets, too: (y - y.mean()) / y.std(), and undo it in predictions"
            yield Finding("unscaled target", "targets", size, message, remedy)


def _weights(model: Module, adjoints: dict[Value, float]) -> Iterator[Finding]:
    """Find layers whose weights are zero, and units that are the same and will stay so."""
    for path, layer in find(Layer, "", model):
        remedy = "draw the weights by chance: MLP(..., rng=0), or nn.Layer's init"
        rows = [[p.data for p in neuron.w] for neuron in layer.neurons]
        if not any(map(any, rows)):
            message = f"all weights of {path} are 0, so nothing passes through it, forward or backward"
            yield Finding("zero weights", path, 0.0, message, remedy)
            continue
        groups: dict[tuple[float, ...], list[int]] = defaultdict(list)
        for number, neuron in enumerate(layer.neurons):
            own = [*neuron.w, neuron.b]
            groups[(*(p.data for p in own), *(adjoints.get(p, 0.0) for p in own))].append(number)
        largest = max(groups.values(), key=len)
        if len(largest) > 1:
            yield Finding(
                "identical units",
                path,
                len(largest) / len(layer.neurons),
                f"{len(largest)} of {len(layer.neurons)} units of {path} have the same weights and the same "
                f"gradients, so they stay the same: {_list(largest)}",
                remedy,
            )


def _course(history: History, outputs: list[Any], targets: NDArray[Any], loss: Loss) -> Iterator[Finding]:
    """Find a loss that no longer falls although a constant output would be as good."""
    losses = [x for x in history["loss"] if math.isfinite(x)]
    half = losses[len(losses) // 2 :]
    if len(half) < 5:
        return
    fallen = (half[0] - half[-1]) / abs(half[0]) if half[0] else 0.0
    table = np.array([[float(x) for x in (o if isinstance(o, (list, tuple)) else [o])] for o in outputs])
    middle = table.mean(axis=0).tolist()
    always = [loss(middle if len(middle) > 1 else middle[0], target) for target in targets.tolist()]
    constant_loss = float(np.mean([float(x) for x in always]))
    if fallen < 0.01 and half[-1] > 0.95 * constant_loss:
        yield Finding(
            "stuck loss",
            "history",
            half[-1],
            f"the loss fell by {max(fallen, 0.0):.2%} in the last {len(half)} epochs, to {half[-1]:.3g}, and "
            f"the same output for every point would give {constant_loss:.3g}",
            "try another learning rate (ten times as much, or a tenth), other weights to start from, and "
            "standardised inputs; or the inputs tell nothing of the targets",
        )


def _inputs(points: NDArray[np.float64]) -> Iterator[Finding]:
    finite = np.isfinite(points).all(axis=0)
    if not finite.all():
        where = _columns(np.flatnonzero(~finite))
        message = f"{where} of the inputs: an entry is nan or infinite"
        yield Finding("not finite", where, math.nan, message, "leave out such points, or fill the gaps")
        return
    sizes = np.sqrt(np.mean(points**2, axis=0))
    size = float(sizes.max())
    if size > LARGE_INPUT or 0.0 < size < SMALL_INPUT:
        where = _columns(np.flatnonzero(sizes > LARGE_INPUT)) if size > LARGE_INPUT else "all columns"
        message = f"{where} of the inputs: root mean square up to {size:.3g}"
        yield Finding("unscaled input", where, size, message, "standardise the inputs: nn.Standardizer")


class _Probe(Module):
    """A neuron that remembers the slope of its activation at each point."""

    def __init__(self, neuron: Neuron) -> None:
        self.activation = neuron.activation
        self.linear = copy.copy(neuron)
        self.linear.nonlin = False
        self.slopes: list[float] = []

    def __call__(self, x: Any) -> Any:
        z = self.linear(x)
        output = self.activation(z)
        arguments = self.activation.bind([z.data], {})
        self.slopes.append(abs(self.activation.derivatives[0](output.data, *arguments)))
        return output


def _units(probes: dict[str, _Probe]) -> Iterator[Finding]:
    layers: dict[str, list[tuple[str, _Probe]]] = defaultdict(list)
    for path, probe in probes.items():
        if not probe.slopes:  # never used: its parameters are reported as not reached
            continue
        layer, _, number = path.rpartition(".neurons.")
        layers[layer or path].append((number, probe))
    for layer, units in layers.items():
        name = units[0][1].activation.name
        dead, saturated = [], []
        for number, probe in units:
            if probe.activation.kinks:  # a slope of 0 is its right, unless it has no other
                if not any(probe.slopes):
                    dead.append(number)
            elif np.mean(np.array(probe.slopes) < SMALL_SLOPE) > SATURATED_SHARE:
                saturated.append(number)
        if dead:
            yield Finding(
                "dead units",
                layer,
                len(dead) / len(units),
                f"{len(dead)} of {len(units)} {name} units of {layer} have slope 0 at every point: "
                f"{_list(dead)}",
                "start anew with init='kaiming' and a lower learning rate, or use activation='leaky_relu'",
            )
        if saturated:
            yield Finding(
                "saturated units",
                layer,
                len(saturated) / len(units),
                f"{len(saturated)} of {len(units)} {name} units of {layer} have a slope below {SMALL_SLOPE} "
                f"at more than {SATURATED_SHARE:.0%} of the points: {_list(saturated)}",
                "start anew with smaller weights, init='xavier', and standardised inputs; or use relu",
            )


def _gradients(model: Module, adjoints: dict[Value, float]) -> Iterator[Finding]:
    names = dict(model.named_parameters())
    unreached = [name for name, p in names.items() if p not in adjoints]
    if unreached:
        yield Finding(
            "unreached parameters",
            unreached[0],
            len(unreached),
            f"the loss does not depend on {len(unreached)} of {len(names)} parameters: {_list(unreached)}",
            "use them in __call__; .data, float() and comparisons cut the graph",
        )
    sick = [name for name, p in names.items() if not math.isfinite(adjoints.get(p, 0.0))]
    if sick:
        yield Finding(
            "not finite",
            sick[0],
            adjoints[names[sick[0]]],
            f"{len(sick)} gradients are not finite: {_list(sick)}",
            "start anew with a lower learning rate, clip_norm=1.0 and standardised inputs",
        )
        return
    sizes = {
        path: math.sqrt(np.mean([adjoints.get(p, 0.0) ** 2 for p in layer.parameters()]))
        for path, layer in find(Layer, "", model)
    }
    *_, last = sizes or [""]
    ratios = {path: size / sizes[last] for path, size in sizes.items() if size and sizes[last]}
    for kind, ratio_of, remedy in (
        ("vanishing gradients", min, "use init='xavier' with tanh or 'kaiming' with relu, or fewer layers"),
        ("exploding gradients", max, "use smaller weights, init='xavier' or 'kaiming', and clip_norm=1.0"),
    ):
        path = ratio_of(ratios, key=ratios.__getitem__, default="")
        ratio = ratios.get(path, 1.0)
        if max(ratio, 1.0 / ratio) > GRADIENT_RANGE:
            message = f"the gradient of {path} is {ratio:.2g} times that of {last} (root mean squares)"
            yield Finding(kind, path, ratio, message, remedy)


def _suitable_loss(outputs: list[Any], targets: NDArray[Any]) -> Loss:
    classes = targets.ndim == 1 and not np.any(targets % 1)
    if isinstance(outputs[0], (list, tuple)):
        return cross_entropy if classes else mean_squared_error
    if set(targets.flat) <= {-1, 1}:
        return hinge
    return binary_cross_entropy if set(targets.flat) <= {0, 1} else mean_squared_error


def _columns(indices: NDArray[Any]) -> str:
    return f"column{'s' * (len(indices) > 1)} {_list(indices)}"


def _list(names: Iterable[Any]) -> str:
    few = list(map(str, names))
    return ", ".join(few[:8]) + ", ..." * (len(few) > 8)
