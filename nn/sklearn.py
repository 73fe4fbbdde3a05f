"""Multi-layer perceptrons as estimators of scikit-learn, trained by this engine.

They go wherever scikit-learn's own estimators go: pipelines, cross-validation, grid search, data frames,
classes of any kind. scikit-learn is not installed with this package: ``pip install "chainrule[sklearn]"``.
"""

import random
import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from nn.callbacks import EarlyStopping
from nn.checks import at_least_zero, whole
from nn.data import split
from nn.evaluate import predict
from nn.losses import BINARY, CLASSES, Loss, binary_cross_entropy, cross_entropy, l2, mean_squared_error
from nn.modules import MLP, Layer, Neuron
from nn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from nn.train import fit

SOLVERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


class _Perceptron(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What the classifier and the regressor share; the parameters are theirs."""

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (16, 16),
        activation: str = "tanh",
        *,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.01,
        max_iter: int = 200,
        random_state: Any = None,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.verbose = verbose

    @property
    def loss_curve_(self) -> list[float]:
        """The loss of each epoch."""
        return self.history_["loss"]

    @property
    def coefs_(self) -> list[NDArray[np.float64]]:
        """The weights of each layer, of shape (inputs, units)."""
        return [np.array([[w.data for w in n.w] for n in units]).T for units in self._units()]

    @property
    def intercepts_(self) -> list[NDArray[np.float64]]:
        """The biases of each layer."""
        return [np.array([n.b.data for n in units]) for units in self._units()]

    def _units(self) -> list[list[Neuron]]:
        return [layer.neurons for layer in self.model_.layers if isinstance(layer, Layer)]

    def _fit(self, X: NDArray[np.float64], y: NDArray[Any], outputs: int, loss: Loss, classes: bool) -> Self:
        if self.solver not in SOLVERS:
            raise ValueError(f"unknown solver {self.solver!r}; choose one of {', '.join(SOLVERS)}")
        sizes: Any = self.hidden_layer_sizes
        hidden: list[int] = list(sizes) if np.ndim(sizes) else [sizes]
        size = min(32, len(X)) if self.batch_size == "auto" else whole("batch_size", self.batch_size)
        alpha = at_least_zero("alpha", self.alpha)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        init = "kaiming" if self.activation == "relu" else "xavier"
        model = MLP(
            X.shape[1], [*hidden, outputs], activation=self.activation, rng=random.Random(seed), init=init
        )
        weights = [w for name, w in model.named_parameters() if not name.endswith(".b")]
        training, held_out, monitor = (X, y), None, "loss"
        if self.early_stopping:
            several = classes and bool(np.max(np.unique(y, return_counts=True)[1]) > 1)
            training, held_out = split(X, y, self.validation_fraction, rng=seed, stratify=several)
            monitor = "val_loss"
        patience = min(whole("n_iter_no_change", self.n_iter_no_change), whole("max_iter", self.max_iter))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of divergence, which is an error here
            self.history_ = fit(
                model,
                *training,
                loss,
                SOLVERS[self.solver](model.parameters(), lr=self.learning_rate_init),
                self.max_iter,
                size,
                validation=held_out,
                penalty=(lambda _parameters: l2(weights, 0.5 * alpha / size)) if alpha else None,
                callbacks=[EarlyStopping(monitor, patience, min_delta=self.tol)],
                rng=seed,
                progress=bool(self.verbose),
                compile=True,
            )
        stopped = self.history_.stopped
        if stopped == "interrupted" and not len(self.history_):
            raise KeyboardInterrupt
        if stopped.startswith("in epoch"):
            raise ValueError(f"the training diverged {stopped}")
        self.model_, self.n_iter_ = model, len(self.history_)
        self.n_outputs_ = outputs
        self.n_layers_ = len(hidden) + 2
        self.loss_ = self.history_["loss"][-1]
        if not stopped:
            what = f"the loss still fell after {self.n_iter_} epochs; a larger max_iter goes on"
            warnings.warn(what, ConvergenceWarning, stacklevel=3)
        return self

    def _scores(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        return predict(self.model_, validate_data(self, X, reset=False, dtype=np.float64))


class MLPClassifier(ClassifierMixin, _Perceptron):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier: a network of scalars with a score per class, or a single one for two classes.

    Args:
        hidden_layer_sizes: the units of each hidden layer.
        activation: of the hidden units: a name in the table of operations.
        solver: a key of ``SOLVERS``.
        alpha: the penalty: half of it times the sum of the squared weights, over the points of a batch.
        batch_size: points per step; "auto" for 32.
        learning_rate_init: the learning rate.
        max_iter: how often all points are used at most.
        random_state: a seed or a ``RandomState``, of the weights and the order of the points.
        tol: how much better the loss must be to count as better.
        n_iter_no_change: how many epochs may pass without a better loss.
        early_stopping: hold out some points, and watch their loss instead of that of the training.
        validation_fraction: the share of these points, of each class.
        verbose: whether to show a bar.

    Attributes:
        classes_: the classes, sorted.
        model_: the ``MLP``; ``history_`` its ``History``; ``n_iter_`` the number of epochs; ``loss_``,
            ``loss_curve_``, ``coefs_`` and ``intercepts_`` as in scikit-learn.

    Raises:
        ValueError: by ``fit``: points or labels that scikit-learn refuses, a single class, or a parameter out
            of range.

    Example:
        >>> from nn import iris
        >>> from sklearn.model_selection import cross_val_score
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> network = MLPClassifier((8,), tol=0.01, n_iter_no_change=5, random_state=0)
        >>> bool(cross_val_score(make_pipeline(StandardScaler(), network), *iris(), cv=3).mean() > 0.9)
        True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train on points of shape (n, inputs) and n labels of any kind.

        Raises:
            ValueError: see the class.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"more than one class is needed, and all labels are {self.classes_[0]!r}")
        two = len(self.classes_) == 2
        self.targets_ = BINARY if two else CLASSES
        loss = binary_cross_entropy if two else cross_entropy
        return self._fit(X, labels, self.targets_.outputs(len(self.classes_)), loss, classes=True)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, of shape (n, classes).

        Raises:
            ValueError: points unlike those of the training.
        """
        scores = self._scores(X)
        shares = self.targets_.probabilities(scores)
        assert shares is not None  # both losses are of probabilities
        return shares

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the logarithm of the probability of each class.

        Raises:
            ValueError: points unlike those of the training.
        """
        with np.errstate(divide="ignore"):
            logarithms: NDArray[np.float64] = np.log(self.predict_proba(X))
        return logarithms

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each point.

        Raises:
            ValueError: points unlike those of the training.
        """
        places = self.predict_proba(X).argmax(axis=1)
        chosen: NDArray[Any] = self.classes_[places]
        return chosen


class MLPRegressor(RegressorMixin, _Perceptron):  # type: ignore[misc]  # scikit-learn has no types
    """A regressor: a network of scalars that predicts a number, or several.

    The targets are not scaled; ``sklearn.compose.TransformedTargetRegressor`` does that.

    Args:
        hidden_layer_sizes: the units of each hidden layer.
        activation: of the hidden units: a name in the table of operations.
        solver: a key of ``SOLVERS``.
        alpha: the penalty: half of it times the sum of the squared weights, over the points of a batch.
        batch_size: points per step; "auto" for 32.
        learning_rate_init: the learning rate.
        max_iter: how often all points are used at most.
        random_state: a seed or a ``RandomState``, of the weights and the order of the points.
        tol: how much better the loss must be to count as better.
        n_iter_no_change: how many epochs may pass without a better loss.
        early_stopping: hold out some points, and watch their loss instead of that of the training.
        validation_fraction: the share of these points.
        verbose: whether to show a bar.

    Attributes:
        model_: the ``MLP``; ``history_`` its ``History``; ``n_iter_`` the number of epochs; ``loss_``,
            ``loss_curve_``, ``coefs_`` and ``intercepts_`` as in scikit-learn.

    Raises:
        ValueError: by ``fit``: points or targets that scikit-learn refuses, or a parameter out of range.

    Example:
        >>> x = np.linspace(-1, 1, 30)[:, None]
        >>> network = MLPRegressor((8,), max_iter=500, tol=0.0, learning_rate_init=0.03, random_state=0)
        >>> bool(network.fit(x, x[:, 0] ** 2).score(x, x[:, 0] ** 2) > 0.9)
        True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train on points of shape (n, inputs) and targets of shape (n,) or (n, outputs).

        Raises:
            ValueError: see the class.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        y = y.astype(float)
        return self._fit(X, y, 1 if y.ndim == 1 else y.shape[1], mean_squared_error, classes=False)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the number, or the numbers, for each point.

        Raises:
            ValueError: points unlike those of the training.
        """
        return self._scores(X)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
