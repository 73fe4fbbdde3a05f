"""What a trained model says: its scores, its classes, and how often it is right."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
            return _table_of(model.frozen()(list(X.T)), len(X))
        except (AttributeError, TypeError, ValueError):
            pass  # not for arrays: row by row gives the outputs, or the error that the model itself makes
    return np.array([np.array(_floats(model(row))) for row in X.tolist()])


def as_table(X: ArrayLike) -> NDArray[np.float64]:
    """Return ``X`` as a table of floats, a row per point.

    Raises:
        ValueError: it has not two dimensions, or an entry is no number.
    """
    try:
        table = np.asarray(X, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must be a table of numbers, a row per point: {error}") from None
    if table.ndim != 2:
        raise ValueError(f"X must be a table of shape (points, inputs), not of shape {table.shape}")
    return table


def _table_of(outputs: Any, n: int) -> NDArray[np.float64]:
    if isinstance(outputs, (list, tuple)):
        return np.column_stack([_table_of(column, n) for column in outputs])
    return np.broadcast_to(np.asarray(outputs, dtype=float), (n,)).copy()


def _floats(outputs: Any) -> Any:
    return [float(v) for v in outputs] if isinstance(outputs, (list, tuple)) else float(outputs)
