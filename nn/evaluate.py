"""What a trained model says: its scores, its classes, and how often it is right."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd.value import constant
from nn.arrays import as_column, as_table
from nn.losses import Loss
from nn.modules import Module


def predict(model: Callable[[Any], Any], X: ArrayLike) -> NDArray[np.float64]:
    """Return the model's outputs for every row of ``X``, without building a graph where that is possible.

    The model's own code runs once, with numbers for parameters and whole columns for inputs. Code that works
    on Values alone, such as a call of the method ``x.tanh()``, runs once per row instead.

    Args:
        model: a module, or any function of one row.
        X: the inputs, of shape (n, number of inputs).

    Returns:
        The scores, of shape (n,) for a model of one output, else (n, number of outputs).

    Raises:
        ValueError: ``X`` is not a table of numbers.

    Example:
        >>> from nn import MLP
        >>> predict(MLP(2, [8, 3]), [[0.0, 1.0], [2.0, 3.0]]).shape
        (2, 3)
    """
    X = as_table(X)
    if isinstance(model, Module) and len(X) > 1:
        try:
            with np.errstate(all="ignore"):  # overflow gives inf, as for floats
                return _table_of(model.frozen()(list(X.T)), len(X))
        except (AttributeError, TypeError, ValueError):
            pass  # not for arrays: row by row gives the outputs, or the error that the model itself makes
    return np.array([np.array(_floats(model(row))) for row in X.tolist()])


def mean_loss(model: Callable[[Any], Any], X: ArrayLike, y: ArrayLike, loss: Loss) -> float:
    """Return the mean of the loss over all points.

    Args:
        model: a module, or any function of one row.
        X: the points, of shape (n, inputs).
        y: the n targets.
        loss: a function of the model's output for a point and its target.

    Raises:
        ValueError: there are no points, or not as many targets.

    Example:
        >>> from nn import mean_squared_error
        >>> mean_loss(lambda row: row[0], [[1.0], [2.0]], [0.0, 4.0], mean_squared_error)
        2.5
    """
    return mean_loss_of(predict(model, X), y, loss)


def mean_loss_of(outputs: NDArray[np.float64], y: ArrayLike, loss: Loss) -> float:
    """Return the mean loss of outputs, as ``predict`` returns them.

    Raises:
        ValueError: there are none, or not as many targets.
    """
    targets = as_column(y).tolist()
    if not len(outputs) or len(outputs) != len(targets):
        raise ValueError(f"each point needs a target: {len(outputs)} outputs, {len(targets)} targets")
    # The loss may call methods that numbers do not have, so it is given Values.
    values = [list(map(constant, o)) if isinstance(o, list) else constant(o) for o in outputs.tolist()]
    return math.fsum(loss(v, t).data for v, t in zip(values, targets, strict=True)) / len(targets)


def accuracy(model: Callable[[Any], Any], X: ArrayLike, y: ArrayLike) -> float:
    """Return the share of points to which the model gives their class.

    A single score stands for the second class if it is positive; of several scores the largest decides.

    Args:
        model: a module, or any function of one row.
        X: the inputs, of shape (n, number of inputs).
        y: the n classes: 0 or 1, or -1 or 1, for a single score; else counted from 0.

    Raises:
        ValueError: there are no points, a label is no class, or a score is nan.

    Example:
        >>> accuracy(lambda row: row[0] - row[1], [[1.0, 0.0], [0.0, 1.0]], [1, 1])
        0.5
    """
    return accuracy_of(predict(model, X), y)


def accuracy_of(scores: ArrayLike, y: ArrayLike) -> float:
    """Return the share of scores that stand for their class; see ``accuracy``.

    Raises:
        ValueError: there are no scores, a label is no class, or a score is nan.
    """
    given, actual = classes_of(np.asarray(scores), np.asarray(y))
    return float(np.mean(given == actual))


def confusion_matrix(model: Callable[[Any], Any], X: ArrayLike, y: ArrayLike) -> NDArray[np.int64]:
    """Return how many points of each class (rows) the model gives to each class (columns).

    Args:
        model: a module, or any function of one row.
        X: the inputs, of shape (n, number of inputs).
        y: the n classes, as in ``accuracy``.

    Raises:
        ValueError: there are no points, a label is no class, or a score is nan.

    Example:
        >>> confusion_matrix(lambda row: row[0], [[1.0], [-1.0], [2.0]], [1, 1, 0]).tolist()
        [[0, 1], [1, 1]]
    """
    scores = predict(model, X)
    given, actual = classes_of(scores, np.asarray(y))
    matrix = np.zeros((max(as_column(scores).shape[1:], default=2),) * 2, dtype=np.int64)
    np.add.at(matrix, (actual, given), 1)
    return matrix


def _table_of(outputs: Any, n: int) -> NDArray[np.float64]:
    if isinstance(outputs, (list, tuple)):
        return np.column_stack([_table_of(column, n) for column in outputs])
    return np.broadcast_to(np.asarray(outputs, dtype=float), (n,)).copy()


def _floats(outputs: Any) -> Any:
    return [float(v) for v in outputs] if isinstance(outputs, (list, tuple)) else float(outputs)


def classes_of(scores: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the classes that the scores stand for, and those of the labels, counted from 0.

    Raises:
        ValueError: no scores, not as many labels, a label that is no class, or a score that is nan.
    """
    scores, y = as_column(scores), as_column(y)
    if not len(scores) or y.shape != scores.shape[:1]:
        raise ValueError(
            f"each point needs a label, and there must be one at least: {len(scores)} points, "
            f"labels of shape {y.shape}"
        )
    single = scores.ndim == 1
    known = [-1, 0, 1] if single else range(scores.shape[1])
    wrong = y[~np.isin(y, known)]
    if len(wrong):
        allowed = "-1, 0 or 1" if single else f"a class from 0 to {scores.shape[1] - 1}"
        raise ValueError(
            f"a label must be {allowed}, not {wrong.tolist()[0]!r}; "
            "classes, y = nn.encode(y) counts them from 0"
        )
    nan = np.isnan(scores.reshape(len(scores), -1)).any(axis=1)
    if nan.any():
        raise ValueError(f"the score of point {nan.argmax()} is nan, which stands for no class")
    if single:
        return (scores > 0).astype(int), (y > 0).astype(int)
    return scores.argmax(axis=1), y.astype(int)
