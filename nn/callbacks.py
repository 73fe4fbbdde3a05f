"""What can happen after each epoch: stopping early, keeping the best weights, taking snapshots."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.writing import assign
from nn import storage
from nn.checks import at_least_zero, whole
from nn.history import History, number_of, packed
from nn.modules import Module
from nn.optim import Optimizer


@dataclass
class Run:
    """A training as a callback sees it.

    Attributes:
        model: the model being trained.
        optimizer: what trains it.
        history: the records so far, the last one that of the epoch just ended.
        rng: what draws the order of the points.
        callbacks: what is called after each epoch, in this order.
        measured: the columns of the history that were measured on mini-batches, before the steps.
        before: the parameters that these columns speak of, where one step is an epoch; None for an epoch of
            several steps, whose columns speak of no parameters that ever were.
    """

    model: Module
    optimizer: Optimizer
    history: History
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    callbacks: Sequence[Callable[["Run"], Any]] = ()
    measured: frozenset[str] = frozenset()
    before: list[float] | None = None

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = reason

    def state_dict(self) -> dict[str, Any]:
        """Return all that the training depends on besides the parameters and the points, for a file."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "history": self.history.state_dict(),
            "random": self.rng.bit_generator.state,
            "callbacks": [
                {"class": type(callback).__name__, "state": callback.state_dict()}
                for callback in self.callbacks
                if isinstance(callback, Callback)
            ],
        }

    def load(self, path: str | os.PathLike[str]) -> None:
        """Go on from a file of ``Checkpoint``; if that is not possible, change nothing.

        Raises:
            ValueError: the file is damaged, of a model alone, or of another model, optimiser or callbacks.
            OSError: it cannot be read.
        """
        saved = storage.read(path)
        mine = [callback for callback in self.callbacks if isinstance(callback, Callback)]
        before = [self.optimizer.state_dict(), *(callback.state_dict() for callback in mine)]
        try:
            if saved.training is None:
                raise ValueError("it holds a model alone; nn.Checkpoint writes what a training goes on from")
            state = saved.training
            kinds, said = [type(c).__name__ for c in mine], [c["class"] for c in state["callbacks"]]
            if kinds != said:
                raise ValueError(f"its callbacks were {', '.join(said)}; these are {', '.join(kinds)}")
            history = History.from_state(state["history"])
            rng = np.random.default_rng()
            rng.bit_generator.state = state["random"]
            self.optimizer.load_state_dict(state["optimizer"])
            for callback, one in zip(mine, state["callbacks"], strict=True):
                callback.load_state_dict(one["state"])
            self.model.load_state_dict(saved.parameters)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self.optimizer.load_state_dict(before[0])
            for callback, one in zip(mine, before[1:], strict=True):
                callback.load_state_dict(one)
            what = f"it has no {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"cannot go on from {os.fspath(path)!r}: {what}") from None
        self.history, self.rng = history, rng


class Callback:
    """Called with the run after every epoch. A plain function will do as well, if it needs no end.

    Example:
        >>> from nn import SGD, Neuron, fit, mean_squared_error
        >>> def print_loss(run):
        ...     print(run.history["loss"][-1])
        >>> neuron = Neuron(1, nonlin=False)
        >>> neuron.w[0].data = 1.0
        >>> optimizer = SGD(neuron.parameters(), lr=0.125)
        >>> history = fit(neuron, [[1.0]], [3.0], mean_squared_error, optimizer, 2, callbacks=[print_loss])
        4.0
        1.0
    """

    def __call__(self, run: Run) -> None:
        """See the epoch that has just ended."""

    def finish(self, run: Run) -> None:
        """See the end of the training, however it came."""

    def state_dict(self) -> dict[str, Any]:
        """Return what it remembers from epoch to epoch, as JSON can hold it."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Remember what ``state_dict`` returned."""


class BestWeights(Callback):
    """Leaves the model with the parameters whose number was the best.

    A validation column is measured at the end of an epoch, a column of the training before its step; so with
    one step per epoch the parameters before it are kept. With several steps no parameters ever had the mean
    that the column holds, and those at the end of the epoch are kept.

    Args:
        monitor: the column of the history that tells which is best.
        maximise: whether larger is better; by default it is, unless the name ends in "loss".
        min_delta: how much better counts as better.

    Attributes:
        best: the best number so far, and ``epoch`` where it was reached.

    Example:
        >>> from nn import SGD, Neuron, fit, mean_squared_error
        >>> neuron, keeper = Neuron(1, nonlin=False), BestWeights("loss")
        >>> optimizer = SGD(neuron.parameters(), lr=2.0)  # too large: the loss grows
        >>> history = fit(neuron, [[1.0]], [3.0], mean_squared_error, optimizer, 5, callbacks=[keeper])
        >>> keeper.epoch
        0
    """

    def __init__(
        self, monitor: str = "val_loss", *, maximise: bool | None = None, min_delta: float = 0.0
    ) -> None:
        if not isinstance(monitor, str):
            raise TypeError(
                f"monitor must be the name of a column of the history, not {monitor!r}: write "
                f'{type(self).__name__}("val_loss", ...)'
            )
        self.monitor, self.min_delta = monitor, at_least_zero("min_delta", min_delta)
        self.maximise = not monitor.endswith("loss") if maximise is None else maximise
        self._forget()

    def _forget(self) -> None:
        self.best = -np.inf if self.maximise else np.inf
        self.epoch = -1
        self._parameters: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        """Return the best number, its epoch and its parameters."""
        return {"best": packed(self.best), "epoch": self.epoch, "parameters": list(self._parameters)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the best so far from ``state_dict``."""
        self.best, self.epoch = number_of(state["best"]), int(state["epoch"])
        self._parameters = [float(number) for number in state["parameters"]]

    def __call__(self, run: Run) -> None:
        """Keep the parameters if this epoch is the best one.

        Raises:
            ValueError: the monitored column is not recorded.
        """
        record = run.history.records[-1]
        if len(run.history) == 1:  # a new training
            self._forget()
        if self.monitor not in record:
            raise ValueError(
                f"{type(self).__name__} monitors {self.monitor!r}, but the history has {', '.join(record)}; "
                "the columns val_... need validation=(X, y)"
            )
        number = record[self.monitor]
        gain = number - self.best if self.maximise else self.best - number
        if gain > self.min_delta:
            self.best, self.epoch = number, int(record["epoch"])
            self._parameters = [p.data for p in run.model.parameters()]
            if self.monitor in run.measured and run.before is not None:
                self._parameters = list(run.before)

    def finish(self, run: Run) -> None:
        """Restore the best parameters."""
        if self._parameters and len(run.history):
            assign(run.model.parameters(), self._parameters)


class EarlyStopping(BestWeights):
    """Stops when nothing got better for a while, and leaves the best parameters.

    Args:
        monitor: the column of the history that tells which epoch is best.
        patience: how many epochs may pass without a better one.
        maximise: whether larger is better; by default it is, unless the name ends in "loss".
        min_delta: how much better counts as better.

    Raises:
        ValueError: a patience less than 1.

    Example:
        >>> from nn import SGD, Neuron, fit, mean_squared_error
        >>> neuron = Neuron(1, nonlin=False)
        >>> neuron.w[0].data = 1.0
        >>> optimizer = SGD(neuron.parameters(), lr=0.5)  # jumps from 1 to 5 and back
        >>> stopping = EarlyStopping("loss", patience=3)
        >>> fit(neuron, [[1.0]], [3.0], mean_squared_error, optimizer, 50, callbacks=[stopping]).stopped
        'no better loss than 4 of epoch 0 for 3 epochs'
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        *,
        maximise: bool | None = None,
        min_delta: float = 0.0,
    ) -> None:
        super().__init__(monitor, maximise=maximise, min_delta=min_delta)
        self.patience = whole("patience", patience)

    def __call__(self, run: Run) -> None:
        """Keep the parameters or lose patience.

        Raises:
            ValueError: the monitored column is not recorded.
        """
        super().__call__(run)
        waited = len(run.history) - 1 - self.epoch
        if waited >= self.patience:
            run.stop(
                f"no better {self.monitor} than {self.best:.6g} of epoch {self.epoch} for {waited} epochs"
            )


class Snapshots(Callback):
    """Keeps the parameters and the gradients of some epochs, for pictures of them over time.

    Args:
        every: keep each epoch whose number is a multiple of this.

    Attributes:
        names: the parameters' paths.
        epochs: the numbers of the epochs kept.
        weights: per epoch kept a vector, in the order of the names.
        gradients: likewise, of the epoch's last mini-batch.

    Raises:
        ValueError: ``every`` is less than 1.

    Example:
        >>> from nn import SGD, Neuron, fit, mean_squared_error
        >>> neuron, shots = Neuron(1, nonlin=False), Snapshots(every=2)
        >>> optimizer = SGD(neuron.parameters(), lr=0.1)
        >>> history = fit(neuron, [[1.0]], [3.0], mean_squared_error, optimizer, 5, callbacks=[shots])
        >>> shots.epochs, shots.names, shots.weights[0].shape
        ([0, 2, 4], ['w.0', 'b'], (2,))
    """

    def __init__(self, every: int = 1) -> None:
        self.every = whole("every", every)
        self._forget()

    def _forget(self) -> None:
        self.names: list[str] = []
        self.epochs: list[int] = []
        self.weights: list[NDArray[np.float64]] = []
        self.gradients: list[NDArray[np.float64]] = []

    def __call__(self, run: Run) -> None:
        """Keep this epoch's numbers if it is one of those to be kept."""
        if len(run.history) == 1:  # a new training
            self._forget()
        epoch = int(run.history.records[-1]["epoch"])
        if epoch % self.every == 0:
            parameters = dict(run.model.named_parameters())
            self.names = list(parameters)
            self.epochs.append(epoch)
            self.weights.append(np.array([p.data for p in parameters.values()]))
            self.gradients.append(np.array([p.grad for p in parameters.values()]))

    def state_dict(self) -> dict[str, Any]:
        """Return all that was kept."""
        return {
            "names": self.names,
            "epochs": self.epochs,
            "weights": [vector.tolist() for vector in self.weights],
            "gradients": [vector.tolist() for vector in self.gradients],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what was kept from ``state_dict``."""
        self.names, self.epochs = list(state["names"]), list(state["epochs"])
        self.weights = [np.array(vector, dtype=float) for vector in state["weights"]]
        self.gradients = [np.array(vector, dtype=float) for vector in state["gradients"]]


class Checkpoint(Callback):
    """Writes a file after an epoch from which the training goes on, bit for bit: ``fit(..., resume=path)``.

    The file is a model file, which ``load_model`` reads as well, with the state of the optimiser, its
    schedule, the history, the random numbers and the other callbacks. It is written whole or not at all.

    Args:
        path: the file.
        every: write after each epoch whose number is one less than a multiple of this.
        metadata: what else to keep in the file, as of ``Module.save``.

    Raises:
        ValueError: ``every`` is less than 1.

    Example:
        >>> import pathlib, tempfile
        >>> from nn import SGD, Neuron, fit, mean_squared_error
        >>> def train(epochs, path, **resume):
        ...     neuron = Neuron(1, nonlin=False)
        ...     neuron.w[0].data = 1.0
        ...     optimizer = SGD(neuron.parameters(), lr=0.125, momentum=0.9)
        ...     keep = [Checkpoint(path)]
        ...     return fit(
        ...         neuron, [[1.0]], [3.0], mean_squared_error, optimizer, epochs, callbacks=keep, **resume
        ...     )["loss"]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "run.json")
        ...     at_once, interrupted = train(5, path), train(2, path)
        ...     at_once == train(5, path, resume=path)
        True
    """

    def __init__(
        self, path: str | os.PathLike[str], every: int = 1, metadata: Mapping[str, Any] | None = None
    ) -> None:
        self.path, self.every, self.metadata = path, whole("every", every), metadata

    def __call__(self, run: Run) -> None:
        """Write the file if it is time.

        Raises:
            ValueError: a parameter or the memory of the optimiser is not finite.
            OSError: the file cannot be written; what was there before is untouched.
        """
        if len(run.history) % self.every == 0:
            run.model.save(self.path, self.metadata, training=run.state_dict())


def checkpoints_last(callbacks: Sequence[Callable[[Run], Any]]) -> list[Callable[[Run], Any]]:
    """Return the callbacks with the checkpoints after the others, whose states they write."""
    return sorted(callbacks, key=lambda callback: isinstance(callback, Checkpoint))
