"""Steps of training to be walked through: forward, backward, the update by its formula, forward again."""

import math
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autograd.formula import Formula
from autograd.notation.printing import write, write_numbers
from autograd.stepping.passes import Pass, Recording, Update
from autograd.stepping.stepper import LIMIT
from autograd.text import format_number
from autograd.value import Value, constant
from nn.checks import whole
from nn.data import require_finite, training_points
from nn.losses import Loss, mean
from nn.modules import Module
from nn.optim import Optimizer


class Recorder(Recording):
    """Records the passes of a training loop of one's own.

    Args:
        optimizer: what moves the parameters.
        limit: how many values to draw at most; ``None`` for any number.

    Example:
        >>> from nn import SGD
        >>> w = Value(1.0, "w")
        >>> recorder = Recorder(SGD([w], lr=0.1))
        >>> loss = (w * 3.0 - 2.0) ** 2
        >>> loss.label = "loss"
        >>> recorder.step(loss)
        >>> print(recorder)
        pass 1 of 1: loss = 1
          w = 1 is given
          v1 = w*3 = 1*3 = 3
          v2 = v1 - 2 = 3 - 2 = 1
          loss = v2**2 = 1**2 = 1
          the backward pass begins: dloss/dloss = 1
          d(v2**2)/dv2 = 2*v2 = 2*1 = 2; local * upstream = 2 * 1 = 2; v2.grad: 0 -> 2
          d(v1 - 2)/dv1 = 1; local * upstream = 1 * 2 = 2; v1.grad: 0 -> 2
          d(w*3)/dw = 3; local * upstream = 3 * 2 = 6; w.grad: 0 -> 6
          w = w - lr*w.grad = 1 - 0.1*6 = 0.4000
    """

    def __init__(self, optimizer: Optimizer, limit: int | None = LIMIT) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"a Recorder is made with the optimiser that moves the parameters, such as "
                f"nn.SGD(model.parameters(), lr=0.1), not {optimizer!r:.60}"
            )
        super().__init__(limit)
        self.optimizer = optimizer

    def step(self, loss: Value) -> None:
        """Sweep a loss backward, keep its graph, and take the optimiser's step.

        Args:
            loss: the output of a forward pass. Gradients of before are set to zero.

        Raises:
            TypeError: ``loss`` is not a Value.
            ValueError: the graph is above the limit, or has none of the optimiser's parameters; no step is
                taken then.
        """
        if not isinstance(loss, Value):
            raise TypeError(f"loss must be a Value, the output of a graph, not {type(loss).__name__}")
        stepper, copies = self.kept(loss)
        optimizer = self.optimizer
        used = [k for k, parameter in enumerate(optimizer.parameters) if parameter in copies]
        if not used:
            raise ValueError("the loss depends on none of the optimiser's parameters, so no step changes it")
        optimizer.zero_grad()
        loss.backward()
        names = {event.node: event.name for event in stepper.events}
        called = [
            names[copies[parameter]] if parameter in copies else parameter.label
            for parameter in optimizer.parameters
        ]
        lines = update_formulas(optimizer, called)
        optimizer.step()
        updates = tuple(
            Update(copies[parameter], called[k], parameter.data, lines[k])
            for k, parameter in enumerate(optimizer.parameters)
            if parameter in copies
        )
        self.passes.append(Pass(stepper, updates, type(optimizer).__name__))


def step_training(
    model: Module,
    X: ArrayLike,
    y: ArrayLike,
    loss: Loss,
    optimizer: Optimizer,
    steps: int = 5,
    *,
    limit: int | None = LIMIT,
) -> Recording:
    """Train a model for a few steps, each on all points, and return the passes to be walked through.

    Group a model of more than a few neurons, as ``model.grouped()``, so that the picture shows it as one
    gate that opens into layers and neurons.

    Args:
        model: the module to train.
        X: the points, of shape (n, inputs); a few, as each has its own part of the graph.
        y: the n targets.
        loss: a function of the model's output for a point and its target, as in ``nn.losses``.
        optimizer: made with ``model.parameters()``.
        steps: how many.
        limit: how many values to draw at most; ``None`` for any number.

    Returns:
        The passes. In a notebook they show themselves; ``save`` writes a page, ``show`` walks through them in
        the terminal.

    Raises:
        ValueError: no points, labels that do not match, a number that is not finite, less than one step, a
            graph above the limit, or an optimiser of other parameters.
        TypeError: ``loss`` or ``optimizer`` is something else.

    Example:
        >>> import random
        >>> from nn import MLP, SGD, mean_squared_error
        >>> model = MLP(1, [1], rng=random.Random(0))
        >>> optimizer = SGD(model.parameters(), lr=0.1)
        >>> recording = step_training(model, [[1.0], [2.0]], [2.0, 4.0], mean_squared_error, optimizer, 3)
        >>> recording
        <Recording of 3 passes: loss 4.298 -> 0.07444; .save() writes a page>
        >>> print(*recording.passes[0].updates[0].lines)
        w0 = w0 - lr*w0.grad = 0.6888 - 0.1*(-6.556) = 1.344
    """
    if not callable(loss):
        raise TypeError(f"loss must be a function, such as nn.mean_squared_error, not {loss!r:.60}")
    points, targets = training_points(X, y)
    require_finite("X", points)
    require_finite("y", targets)
    recorder = Recorder(optimizer, limit)
    for _ in range(whole("steps", steps)):
        outputs = [model([constant(x) for x in row]) for row in points.tolist()]
        total = mean(loss(output, target) for output, target in zip(outputs, targets.tolist(), strict=True))
        total.label = "loss"
        recorder.step(total)
    return recorder


def update_formulas(optimizer: Optimizer, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what the next step of an optimiser computes for each of its parameters.

    The optimiser's own rule is run on formulas instead of numbers; so it is told of any rule, a subclass of
    one's own included, that computes with operators and functions of NumPy's that rows of the table have.

    Args:
        optimizer: with the gradients in its parameters. Nothing of it is changed.
        names: what the parameters are called.

    Returns:
        For each parameter the lines, one for each number that the rule remembers and one for the parameter.

    Example:
        >>> from nn import SGD
        >>> w = Value(1.0)
        >>> w.grad = 2.0
        >>> optimizer = SGD([w], lr=0.1, momentum=0.5)
        >>> optimizer.step()
        >>> print(*update_formulas(optimizer, ["w"])[0], sep="; ")
        velocity = 0.5*velocity + w.grad = 0.5*2 + 2 = 3; w = w - lr*velocity = 0.8 - 0.1*3 = 0.5
    """
    data = [parameter.data for parameter in optimizer.parameters]
    grad = [parameter.grad for parameter in optimizer.parameters]
    with np.errstate(all="ignore"):
        after = copy(optimizer).moved(np.array(data), np.array(grad)).tolist()
    try:
        told = _traced(optimizer, names, data, grad)
    except Exception:  # a rule of the user's own may compute in ways that formulas have not
        told = {}
    lines = []
    for k, name in enumerate(names):
        if k in told and _same(told[k][1], after[k]):
            lines.append(told[k][0])
        else:
            before, slope, now = map(format_number, (data[k], grad[k], after[k]))
            lines.append((f"{name} = {before} with gradient {slope} becomes {now}",))
    return lines


def _traced(
    optimizer: Optimizer, names: Sequence[str], data: Sequence[float], grad: Sequence[float]
) -> dict[int, tuple[tuple[str, ...], float]]:
    ahead = copy(optimizer)
    rate = Formula(optimizer.lr, "lr")
    ahead.lr = lambda _step: rate  # type: ignore[assignment,return-value]  # a formula for the number
    memory = {n: thing for n, thing in vars(ahead).items() if isinstance(thing, np.ndarray)}
    for attribute, numbers in memory.items():
        setattr(ahead, attribute, _formulas(numbers.tolist(), [attribute.strip("_")] * len(names)))
    moved = ahead.moved(_formulas(data, names), _formulas(grad, [f"{name}.grad" for name in names]))
    kept = {
        n.strip("_"): t for n, t in vars(ahead).items() if isinstance(t, np.ndarray) and t.dtype == object
    }
    told = {}
    for k, name in enumerate(names):
        known: dict[int, Formula] = {}
        lines = []
        for what, formulas in kept.items():
            formula = formulas[k]
            if not isinstance(formula, Formula):
                continue
            if formula.operation is not None:
                lines.append(_line(what, _named(formula, known)))
                known[id(formula)] = Formula(formula.data, what)
        lines.append(_line(name, _named(moved[k], known)))
        told[k] = tuple(lines), moved[k].data
    return told


def _formulas(numbers: Sequence[float], names: Sequence[str]) -> Any:
    made = np.empty(len(numbers), dtype=object)
    made[:] = [Formula(number, name) for number, name in zip(numbers, names, strict=True)]
    return made


def _named(formula: Any, known: Mapping[int, Formula]) -> Any:
    """Return a formula with the names of what is known in the places of it."""
    if id(formula) in known:
        return known[id(formula)]
    if not isinstance(formula, Formula) or formula.operation is None:
        return formula
    parts = [_named(argument, known) for argument in formula.arguments]
    return Formula(formula.data, formula.name, formula.operation, parts)


def _line(name: str, formula: Any) -> str:
    """Return for instance ``w = w - lr*w.grad = 1 - 0.1*2 = 0.8``."""
    stages = [name, write(formula), write_numbers(formula), format_number(formula.data)]
    return " = ".join(stage for k, stage in enumerate(stages) if k == 0 or stage != stages[k - 1])


def _same(x: float, y: float) -> bool:
    return x == y or math.isclose(x, y, rel_tol=1e-12) or (math.isnan(x) and math.isnan(y))
