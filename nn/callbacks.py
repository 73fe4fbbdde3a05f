"""What can happen after each epoch: stopping early, keeping the best weights, taking snapshots."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn.history import History
from nn.modules import Module
from nn.optim import Optimizer


@dataclass
class Run:
    """A training as a callback sees it.

    Attributes:
        model: the model being trained.
        optimizer: what trains it.
        history: the records so far, the last one that of the epoch just ended.
    """

    model: Module
    optimizer: Optimizer
    history: History

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = reason


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


class BestWeights(Callback):
    """Leaves the model with the parameters of its best epoch.

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
        self.monitor, self.min_delta = monitor, min_delta
        self.maximise = not monitor.endswith("loss") if maximise is None else maximise
        self._forget()

    def _forget(self) -> None:
        self.best = -np.inf if self.maximise else np.inf
        self.epoch = -1
        self._state: dict[str, float] = {}

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
            self._state = run.model.state_dict()

    def finish(self, run: Run) -> None:
        """Restore the best parameters."""
        if self._state and len(run.history):
            run.model.load_state_dict(self._state)


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
        if patience < 1:
            raise ValueError(f"patience must be at least 1 epoch, not {patience!r}")
        self.patience = patience

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
        if every < 1:
            raise ValueError(f"every must be at least 1 epoch, not {every!r}")
        self.every = every
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
