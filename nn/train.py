"""Training: the loop over epochs and mini-batches, written to be read."""

import math
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autograd.compiler.engine import ENGINES
from nn import optim
from nn.callbacks import Run, checkpoints_last
from nn.checks import whole
from nn.data import Features, Labels, Points, minibatches, require_finite, training_points
from nn.evaluate import accuracy_of
from nn.habits import FIT, familiar
from nn.history import History
from nn.losses import Loss, targets_of
from nn.modules import Module
from nn.optim import Optimizer
from nn.progress import progress_bar
from nn.step import CompiledStep, DivergenceError, EagerStep, JaxStep, Penalty

Metric = Callable[[Any, Any], float]
COLUMNS = ("epoch", "lr", "loss", "val_loss")
"""The history's own columns, whose names a metric cannot have."""


@familiar(FIT, "fit(model, X, y, nn.mean_squared_error, nn.Adam(model.parameters(), lr=0.01))")
def fit(
    model: Module,
    X: ArrayLike,
    y: ArrayLike,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int = 100,
    batch_size: int | None = None,
    *,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    metric: Metric | None = None,
    penalty: Penalty | None = None,
    clip_norm: float | None = None,
    callbacks: Sequence[Callable[[Run], Any]] = (),
    rng: int | np.random.Generator = 0,
    progress: bool | None = None,
    compile: bool = False,  # noqa: A002 - the name of the function that does it
    engine: str = "auto",
    devices: int = 1,
    resume: str | os.PathLike[str] | None = None,
) -> History:
    """Train a model: one step of the optimiser per mini-batch, on the mean loss of its points.

    The same seed gives the same result, bit for bit. Ctrl-C ends the training with what was reached. So does
    a loss or gradient that is not finite: its step is not taken, and a warning names the first parameter.

    Args:
        model: the module to train.
        X: the points, of shape (n, inputs).
        y: the n targets: numbers, classes or rows of numbers, as the loss wants them; a column of shape
            (n, 1) is a vector.
        loss: a function of the model's output for a point and its target, as in ``nn.losses``.
        optimizer: made with ``model.parameters()``.
        epochs: how often all points are used.
        batch_size: how many points per step, drawn by chance; by default all, in their order.
        validation: points and targets that are never trained on.
        metric: a function of the outputs and the targets of many points; accuracy for the classifying losses.
        penalty: a function of the parameters that is added to the loss, as ``lambda ps: l2(ps, 1e-4)``.
        clip_norm: the largest norm of the gradient; a longer one is scaled down.
        callbacks: called with the run after every epoch; see ``nn.callbacks``.
        rng: a seed, or a source, of the order of the points.
        progress: whether to show a bar; by default on a terminal.
        resume: a file that a ``Checkpoint`` among the callbacks wrote, from which the training goes on to its
            ``epochs`` epochs in all, bit for bit; model, optimiser and callbacks are made as they were.
        compile: record one point only and run it on mini-batches as an array program, which agrees to
            rounding and is much faster. Model and loss must not branch on numbers or draw them by chance.
        engine: what runs the program: ``"wasm"`` (machine code), ``"numpy"``, by default the former where it
            can be had; or ``"jax"``, for what devices JAX has.
        devices: among how many of JAX's devices each batch is shared out.

    Returns:
        The history. An epoch's loss and metric are those of its mini-batches, each before its step.

    Raises:
        ValueError: no points, labels that do not match, a number that is not finite, a batch size less than
            1, a negative ``clip_norm``, a target that the loss refuses, a metric with the name of a column,
            an optimiser of other parameters, a file that does not fit, or with ``compile`` a branch.
        TypeError: a loss that is no Value, because it does not depend on any parameter.
        OSError: the file to go on from cannot be read.

    Example:
        >>> import random
        >>> from nn import MLP, SGD, hinge, two_moons
        >>> X, y = two_moons(40, random_state=0)
        >>> model = MLP(2, [8, 1], rng=random.Random(0))
        >>> history = fit(model, X, 2 * y - 1, hinge, SGD(model.parameters(), lr=0.5), epochs=20)
        >>> history["loss"][-1] < 0.5 * history["loss"][0]
        True
    """
    _require_things(loss, optimizer, metric, validation, callbacks)
    points, targets = _finite(X, y)
    epochs, size = whole("epochs", epochs, 0), None if batch_size is None else whole("batch_size", batch_size)
    if set(optimizer.parameters).isdisjoint(model.parameters()):
        raise ValueError("the optimizer has none of the model's parameters; make it with model.parameters()")
    held_out = _held_out(points, validation)
    metric = metric or _usual_metric(model, loss, points, targets)
    step = _step(model, loss, optimizer, penalty, clip_norm, compile=compile, engine=engine, devices=devices)
    if isinstance(step, CompiledStep):
        step.require_no_branch(points, targets)
        if held_out is not None:
            step.require_no_branch(*held_out)
    run = Run(model, optimizer, History(), np.random.default_rng(rng), checkpoints_last(callbacks))
    run.measured = frozenset({"loss"} if metric is None else {"loss", _name(metric)})
    if resume is not None:
        run.load(resume)
    steps = math.ceil(len(points) / (size or len(points)))
    try:
        try:
            with step, progress_bar((epochs - len(run.history)) * steps, progress) as tick:
                for epoch in range(len(run.history), epochs if not run.history.stopped else 0):
                    record: dict[str, float] = {"epoch": epoch, "lr": optimizer.lr, "loss": 0.0}
                    outputs: list[Any] = []
                    labels: list[Any] = []
                    run.before = [p.data for p in model.parameters()] if steps == 1 else None
                    step.begin_epoch()
                    for batch, batch_targets in minibatches(points, targets, size, rng=run.rng):
                        batch_loss, batch_outputs = step(batch, batch_targets)
                        record["loss"] += batch_loss * (len(batch) / len(points))
                        outputs.extend(batch_outputs)
                        labels.extend(batch_targets)
                        tick(f"epoch {epoch + 1}/{epochs}  {_text(run.history)}")
                    step.end_epoch()
                    if metric is not None:
                        record[_name(metric)] = float(metric(np.array(outputs), np.array(labels)))
                    if held_out is not None:
                        record |= _validated(step, held_out, metric)
                    run.history.records.append(record)
                    for callback in run.callbacks:
                        callback(run)
                    if run.history.stopped:
                        break
        except KeyboardInterrupt:
            run.stop("interrupted")
        except DivergenceError as divergence:
            run.stop(f"in epoch {len(run.history)}, {divergence}")
            warnings.warn(run.history.stopped, RuntimeWarning, stacklevel=2)
        finally:
            for callback in run.callbacks:
                if finish := getattr(callback, "finish", None):
                    finish(run)
        return run.history
    except KeyboardInterrupt:  # while callbacks finish
        run.stop("interrupted")
        return run.history


def _step(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    penalty: Penalty | None,
    clip_norm: float | None,
    *,
    compile: bool,  # noqa: A002 - as of fit
    engine: str,
    devices: int,
) -> EagerStep:
    """Return what takes the steps."""
    if engine not in (*ENGINES, "jax"):
        raise ValueError(f"engine is one of {', '.join(ENGINES)} and jax, not {engine!r}")
    if not compile and (engine, devices) != ("auto", 1):
        raise ValueError("engine and devices are those of a compiled program; write compile=True")
    if engine == "jax":
        return JaxStep(model, loss, optimizer, penalty, clip_norm, devices=whole("devices", devices))
    if devices != 1:
        raise ValueError('devices are those of JAX; write engine="jax"')
    if compile:
        return CompiledStep(model, loss, optimizer, penalty, clip_norm, engine)
    return EagerStep(model, loss, optimizer, penalty, clip_norm)


def _require_things(loss: Any, optimizer: Any, metric: Any, validation: Any, callbacks: Any) -> None:
    """Refuse names and shares where the things themselves are wanted; other libraries take those."""
    if not callable(loss):
        raise TypeError(f"loss must be a function, such as nn.mean_squared_error, not {loss!r:.60}")
    if not isinstance(optimizer, Optimizer):
        made = (
            rule for rule in vars(optim).values() if isinstance(rule, type) and issubclass(rule, Optimizer)
        )
        rules = {rule.__name__.lower(): rule.__name__ for rule in made if rule is not Optimizer}
        asked = getattr(optimizer, "__name__", optimizer)
        rule = rules.get(str(asked).lower(), "Adam")
        raise TypeError(
            f"optimizer must be an optimiser of the model's parameters, not {optimizer!r:.60}: write "
            f"nn.{rule}(model.parameters(), lr=0.01)"
        )
    if callable(callbacks) or not isinstance(callbacks, Iterable):
        raise TypeError(
            f"callbacks must be a list of functions, not {callbacks!r:.60}: write callbacks=[...]"
        )
    if metric is not None and not callable(metric):
        raise TypeError(
            f"metric must be a function of outputs and targets, not {metric!r:.60}: accuracy is measured "
            "without one for the losses of classes; otherwise write metric=nn.evaluate.accuracy_of"
        )
    if validation is not None and not (isinstance(validation, Sequence) and len(validation) == 2):
        raise TypeError(
            f"validation must be a pair of points and targets, not {validation!r:.60}: write "
            "(X, y), validation = nn.split(X, y, 0.2) before"
        )


def _finite(X: ArrayLike, y: ArrayLike) -> Points:
    points, targets = training_points(X, y)
    require_finite("X", points)
    require_finite("y", targets)
    return points, targets


def _held_out(points: Features, validation: tuple[ArrayLike, ArrayLike] | None) -> Points | None:
    if validation is None:
        return None
    try:
        held_out = _finite(*validation)
    except ValueError as error:
        raise ValueError(f"validation: {error}") from None
    if held_out[0].shape[1] != points.shape[1]:
        raise ValueError(
            f"validation needs points like those trained on, of shape (n, {points.shape[1]}), "
            f"not {held_out[0].shape}"
        )
    return held_out


def _usual_metric(model: Module, loss: Loss, points: Features, targets: Labels) -> Metric | None:
    """Return accuracy for a loss, or a function that calls one, whose targets are whole classes."""
    if targets.ndim > 1 or np.any(targets % 1):
        return None
    declared = targets_of(loss)
    if declared is None:
        declared = targets_of(loss, model(points[0].tolist()), targets[0].tolist())
    return accuracy_of if declared is not None and declared.classes else None


def _validated(step: EagerStep, points: Points, metric: Metric | None) -> dict[str, float]:
    outputs, loss = step.judged(*points)
    if np.isnan(outputs).any():
        place = int(np.isnan(outputs.reshape(len(outputs), -1)).any(axis=1).argmax())
        raise DivergenceError(
            f"the model's output for point {place} of the validation is nan; "
            "use a lower learning rate, clip_norm=1.0 or standardised inputs"
        )
    record = {"val_loss": loss}
    if metric is not None:
        record[f"val_{_name(metric)}"] = float(metric(outputs, points[1]))
    return record


def _name(metric: Metric) -> str:
    if metric is accuracy_of:
        return "accuracy"
    name = getattr(metric, "__name__", "metric")
    if name in COLUMNS:
        raise ValueError(f"a metric cannot be called {name!r}, as a column of the history is; rename it")
    return str(name)


def _text(history: History) -> str:
    """Return the last epoch's numbers for the progress bar."""
    last = history.records[-1] if history.records else {}
    return "  ".join(f"{name} {number:.4g}" for name, number in last.items() if name not in ("epoch", "lr"))
