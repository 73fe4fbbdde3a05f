"""Small data sets: made up ones with a seed, and real ones that come with the package."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]
Labels = NDArray[np.int64]


def two_moons(
    n_samples: int = 100, *, shuffle: bool = True, noise: float | None = None, random_state: Any = None
) -> tuple[Features, Labels]:
    """Return two interleaving half circles, exactly as scikit-learn's ``make_moons`` does.

    Args:
        n_samples: how many points in all; an odd one goes to class 1.
        shuffle: whether to mix the classes.
        noise: the standard deviation of the normal noise added to every coordinate.
        random_state: a seed, a NumPy ``RandomState`` or ``Generator``; None stands for NumPy's global state.

    Returns:
        X of shape (n_samples, 2) and the labels 0 (the upper moon) and 1.

    Raises:
        ValueError: ``n_samples`` is less than 1 or ``noise`` is negative.

    Example:
        >>> X, y = two_moons(100, noise=0.1, random_state=1337)
        >>> X.shape, y[:8].tolist()
        ((100, 2), [0, 0, 1, 0, 1, 1, 1, 1])
    """
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, not {n_samples!r}")
    n_upper = n_samples // 2
    upper, lower = np.linspace(0, np.pi, n_upper), np.linspace(0, np.pi, n_samples - n_upper)
    X = np.vstack(
        [
            np.column_stack([np.cos(upper), np.sin(upper)]),
            np.column_stack([1 - np.cos(lower), 1 - np.sin(lower) - 0.5]),
        ]
    )
    return _disturbed(X, np.repeat([0, 1], [n_upper, n_samples - n_upper]), shuffle, noise, random_state)


def _disturbed(
    X: Features, y: Labels, shuffle: bool, noise: float | None, random_state: Any
) -> tuple[Features, Labels]:
    """Shuffle the points, then add noise: scikit-learn's order of draws."""
    if noise is not None and not noise >= 0:
        raise ValueError(f"noise is a standard deviation, so it must be at least 0, not {noise!r}")
    rng = _generator(random_state)
    if shuffle:
        order = np.arange(len(X))
        rng.shuffle(order)
        X, y = X[order], y[order]
    if noise is not None:
        X = X + rng.normal(scale=noise, size=X.shape)
    return X, y


def _generator(random_state: Any) -> Any:
    """Return what draws the numbers; the module ``numpy.random`` draws from the global state."""
    if random_state is None:
        return np.random
    if hasattr(random_state, "shuffle"):
        return random_state
    return np.random.RandomState(random_state)
