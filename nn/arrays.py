"""Points and targets as arrays."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


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


def as_column(y: ArrayLike) -> NDArray[Any]:
    """Return targets as an array, a column of shape (n, 1) as a vector.

    Example:
        >>> as_column([[1], [2]]).tolist(), as_column([[1, 2]]).tolist()
        ([1, 2], [[1, 2]])
    """
    targets = np.asarray(y)
    return targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets
