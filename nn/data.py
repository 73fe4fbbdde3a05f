"""Small data sets, made up from a seed or real and part of the package; scaling, splitting and batching.

Every data set is a pair ``X, y``: the points, of shape (n, inputs), and n labels.
"""

from collections.abc import Iterator
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nn.arrays import as_column, as_table
from nn.checks import whole
from nn.habits import SPLIT, Familiar, familiar

Features = NDArray[np.float64]
Labels = NDArray[Any]
Points = tuple[Features, Labels]

IRIS_FEATURES = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
IRIS_SPECIES = ("setosa", "versicolor", "virginica")

GATES = {
    "not": [1, 0],
    "and": [0, 0, 0, 1],
    "or": [0, 1, 1, 1],
    "xor": [0, 1, 1, 0],
    "nand": [1, 1, 1, 0],
    "nor": [1, 0, 0, 0],
    "xnor": [1, 0, 0, 1],
}
"""The truth tables of the Boolean gates, for inputs counted up in binary."""


def two_moons(
    n_samples: int = 100, *, shuffle: bool = True, noise: float | None = None, random_state: Any = None
) -> Points:
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
    n_upper = whole("n_samples", n_samples) // 2
    upper, lower = np.linspace(0, np.pi, n_upper), np.linspace(0, np.pi, n_samples - n_upper)
    X = np.vstack(
        [
            np.column_stack([np.cos(upper), np.sin(upper)]),
            np.column_stack([1 - np.cos(lower), 1 - np.sin(lower) - 0.5]),
        ]
    )
    return _disturbed(X, np.repeat([0, 1], [n_upper, n_samples - n_upper]), shuffle, noise, random_state)


def circles(
    n_samples: int = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    random_state: Any = None,
    factor: float = 0.8,
) -> Points:
    """Return a circle around a smaller one, exactly as scikit-learn's ``make_circles`` does.

    Args:
        n_samples: how many points in all; an odd one goes to the inner circle.
        shuffle: whether to mix the classes.
        noise: the standard deviation of the normal noise added to every coordinate.
        random_state: a seed, a NumPy ``RandomState`` or ``Generator``; None stands for NumPy's global state.
        factor: the radius of the inner circle; that of the outer one is 1.

    Returns:
        X of shape (n_samples, 2) and the labels 0 (outer) and 1 (inner).

    Raises:
        ValueError: ``n_samples`` is less than 1, ``noise`` is negative, or ``factor`` is not in [0, 1).

    Example:
        >>> X, y = circles(4, shuffle=False, factor=0.5)
        >>> (X**2).sum(axis=1).tolist(), y.tolist()
        ([1.0, 1.0, 0.25, 0.25], [0, 0, 1, 1])
    """
    n_outer = whole("n_samples", n_samples) // 2
    if not 0 <= factor < 1:
        raise ValueError(f"factor is the inner radius, so it must be at least 0 and below 1, not {factor!r}")
    outer = np.linspace(0, 2 * np.pi, n_outer, endpoint=False)
    inner = np.linspace(0, 2 * np.pi, n_samples - n_outer, endpoint=False)
    X = np.vstack(
        [
            np.column_stack([np.cos(outer), np.sin(outer)]),
            np.column_stack([np.cos(inner) * factor, np.sin(inner) * factor]),
        ]
    )
    return _disturbed(X, np.repeat([0, 1], [len(outer), len(inner)]), shuffle, noise, random_state)


def spirals(
    n_samples: int = 100,
    classes: int = 2,
    *,
    turns: float = 1.0,
    shuffle: bool = True,
    noise: float | None = None,
    random_state: Any = None,
) -> Points:
    """Return interleaving spiral arms, one per class, from the origin to the unit circle.

    Args:
        n_samples: how many points in all; what is left after equal shares goes to the first classes.
        classes: how many arms.
        turns: how often an arm goes around.
        shuffle: whether to mix the classes.
        noise: the standard deviation of the normal noise added to every coordinate.
        random_state: a seed, a NumPy ``RandomState`` or ``Generator``; None stands for NumPy's global state.

    Returns:
        X of shape (n_samples, 2) and the labels from 0 to classes - 1.

    Raises:
        ValueError: ``n_samples`` or ``classes`` is less than 1, or ``noise`` is negative.

    Example:
        >>> X, y = spirals(90, classes=3, noise=0.05, random_state=0)
        >>> X.shape, np.bincount(y).tolist()
        ((90, 2), [30, 30, 30])
    """
    y = np.sort(np.arange(whole("n_samples", n_samples)) % whole("classes", classes))
    arms = [np.linspace(0.0, 1.0, count + 1)[1:] for count in np.bincount(y)]
    radius = np.concatenate(arms)
    angle = 2 * np.pi * (turns * radius + y / classes)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return _disturbed(X, y, shuffle, noise, random_state)


def gate(name: str) -> Points:
    """Return the truth table of a Boolean gate, a key of ``GATES``.

    Returns:
        The inputs, a row per line of the truth table, and the outputs; all are 0 or 1.

    Raises:
        ValueError: an unknown gate.

    Example:
        >>> X, y = gate("and")
        >>> X.tolist(), y.tolist()
        ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 0, 0, 1])
    """
    if name not in GATES:
        raise ValueError(f"unknown gate {name!r}; choose one of {', '.join(GATES)}")
    outputs = np.array(GATES[name])
    lines = np.arange(len(outputs))
    inputs = [lines // 2, lines % 2] if len(outputs) == 4 else [lines]
    return np.column_stack(inputs).astype(float), outputs


def xor() -> Points:
    """Return the truth table of "one or the other, not both", which no single unit can learn.

    Example:
        >>> xor()[1].tolist()
        [0, 1, 1, 0]
    """
    return gate("xor")


def iris() -> Points:
    """Return Fisher's 150 irises: four lengths in cm (``IRIS_FEATURES``), three species (``IRIS_SPECIES``).

    Source: R. A. Fisher (1936), UCI Machine Learning Repository, licence CC BY 4.0.

    Example:
        >>> X, y = iris()
        >>> X[0].tolist(), IRIS_SPECIES[y[0]]
        ([5.1, 3.5, 1.4, 0.2], 'setosa')
    """
    return _packaged("iris.csv", header=1)


def digits() -> Points:
    """Return 1797 handwritten digits: 8 x 8 pixels from 0 to 16, row by row, and the digit.

    Source: E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository, licence CC BY 4.0.

    Example:
        >>> X, y = digits()
        >>> X.shape, y[:10].tolist()
        ((1797, 64), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    return _packaged("digits.csv.gz", header=0)


class Standardizer(Familiar):
    """Scales every column to mean 0 and standard deviation 1, as they are in the points it is made from.

    Make it from the training points alone and call it on these and on all others. A constant column has no
    scale, so it is only shifted.

    Args:
        X: the points, of shape (n, inputs).

    Attributes:
        mean: the mean of each column.
        deviation: the standard deviation of each column, or 1 where that is 0.

    Raises:
        ValueError: ``X`` is no table of numbers or has no rows.

    Example:
        >>> scaled = Standardizer([[1.0, 5.0], [3.0, 5.0]])
        >>> scaled([[1.0, 5.0], [4.0, 7.0]]).tolist()
        [[-1.0, 0.0], [2.0, 2.0]]
    """

    def __init__(self, X: ArrayLike) -> None:
        table = as_table(X)
        if not len(table):
            raise ValueError("a standardiser needs at least one point")
        largest = np.abs(table).max(axis=0, initial=0.0)
        scaled = table / _unit(largest)  # so that neither sums nor squares leave the range of floats
        self.mean = scaled.mean(axis=0) * _unit(largest)
        constant = table.min(axis=0) == table.max(axis=0)
        self.deviation = np.where(constant, 1.0, scaled.std(axis=0) * _unit(largest))

    @classmethod
    def of(cls, mean: ArrayLike, deviation: ArrayLike) -> "Standardizer":
        """Return the standardiser of a mean and a deviation per column, as an earlier one had them.

        Example:
            >>> Standardizer.of([2.0], [0.5])([[3.0]]).tolist()
            [[2.0]]
        """
        made = cls.__new__(cls)
        made.mean, made.deviation = np.array(mean, dtype=float), np.array(deviation, dtype=float)
        return made

    def __call__(self, X: ArrayLike) -> Features:
        """Return the points, scaled.

        Raises:
            ValueError: ``X`` has another number of columns.
        """
        table = as_table(X)
        if table.shape[1] != len(self.mean):
            raise ValueError(f"the standardiser knows {len(self.mean)} columns, got {table.shape[1]}")
        return np.column_stack(self.row(table.T)) if table.shape[1] else table

    def row(self, x: Any) -> list[Any]:
        """Return the numbers of one point, or whole columns, scaled.

        Example:
            >>> Standardizer([[1.0, 5.0], [3.0, 5.0]]).row([4.0, 7.0])
            [2.0, 2.0]
        """
        unit = _unit(np.maximum(np.abs(self.mean), self.deviation))  # a difference of the largest floats
        parts = zip(
            x, unit.tolist(), (self.mean / unit).tolist(), (self.deviation / unit).tolist(), strict=True
        )
        return [(a / u - m) / d for a, u, m, d in parts]

    def undo(self, scaled: ArrayLike) -> Features:
        """Return the points that were scaled.

        Example:
            >>> scale = Standardizer([[1.0], [3.0]])
            >>> scale.undo(scale([[4.0]])).tolist()
            [[4.0]]
        """
        points: Features = as_table(scaled) * self.deviation + self.mean
        return points


def encode(labels: ArrayLike) -> tuple[Labels, NDArray[np.int64]]:
    """Count the classes of labels: texts, numbers, or whatever can be told apart, from 0.

    Args:
        labels: n labels; a column of shape (n, 1) will do as well.

    Returns:
        The classes, sorted, and for each label the place of its class: ``classes[y]`` are the labels again.

    Raises:
        ValueError: there are no labels, they are no column, or one is missing (None or nan).

    Example:
        >>> classes, y = encode(["no", "yes", "no"])
        >>> classes.tolist(), y.tolist(), classes[y].tolist()
        (['no', 'yes'], [0, 1, 0], ['no', 'yes', 'no'])
    """
    column = as_column(labels)
    if column.ndim != 1 or not len(column):
        raise ValueError(f"labels are a column of at least one, not an array of shape {column.shape}")
    missing = [i for i, label in enumerate(column.tolist()) if label is None or label != label]
    if missing:
        raise ValueError(f"label {missing[0]} is missing ({column[missing[0]]!r}); leave such points out")
    try:
        classes, y = np.unique(column, return_inverse=True)
    except TypeError:  # labels of several types have no order of their own
        known = sorted(set(column.tolist()), key=lambda label: (type(label).__name__, label))
        classes = np.empty(len(known), dtype=object)
        classes[:] = known
        places = {label: place for place, label in enumerate(known)}
        y = np.array([places[label] for label in column.tolist()])
    return classes, y.reshape(-1).astype(np.int64)


@familiar(SPLIT, "split(X, y, 0.2)")
def split(
    X: ArrayLike,
    y: ArrayLike,
    fraction: float = 0.2,
    *,
    rng: int | np.random.Generator = 0,
    stratify: bool = False,
) -> tuple[Points, Points]:
    """Split a data set by chance into what a model trains on and what it is judged by.

    Args:
        X: the points, of shape (n, inputs).
        y: the n labels.
        fraction: how much is held out, between 0 and 1; at least one point is on either side.
        rng: a seed, or a generator: the same seed gives the same split.
        stratify: hold out that share of each class, and leave at least one point of each to train on.

    Returns:
        The pairs ``(X, y)`` for training and for validation.

    Raises:
        ValueError: not as many labels as points, fewer than two points, a fraction not between 0 and 1, or
            no class has two points to be split.

    Example:
        >>> (X, y), (X_held_out, y_held_out) = split(*iris(), 1 / 3)
        >>> X.shape, X_held_out.shape
        ((100, 4), (50, 4))
    """
    table, labels = as_points(X, y)
    if not 0 < fraction < 1:
        raise ValueError(f"fraction is the share held out, so it must be between 0 and 1, not {fraction!r}")
    if len(table) < 2:
        raise ValueError(f"a split needs at least two points, got {len(table)}")
    order = np.random.default_rng(rng).permutation(len(table))
    n = min(max(round(len(table) * fraction), 1), len(table) - 1)
    held_out, kept = order[:n], order[n:]
    if stratify:
        _, classes = encode(labels)
        first = _first_of_shares(classes[order], fraction, n)
        held_out, kept = order[first], order[~first]
    return (table[kept], labels[kept]), (table[held_out], labels[held_out])


def minibatches(
    X: ArrayLike, y: ArrayLike, batch_size: int | None = None, *, rng: int | np.random.Generator = 0
) -> Iterator[Points]:
    """Yield the points once, in batches of chance order; without a batch size all at once, in their order.

    Args:
        X: the points, of shape (n, inputs).
        y: the n labels.
        batch_size: how many points a batch has; the last one may have fewer.
        rng: a seed, or a generator that goes on from epoch to epoch.

    Yields:
        Pairs ``(X, y)``.

    Raises:
        ValueError: not as many labels as points, or a batch size less than 1.

    Example:
        >>> [y.tolist() for _, y in minibatches([[0.0], [1.0], [2.0]], [0, 1, 2], 2, rng=1)]
        [[0, 1], [2]]
    """
    table, labels = as_points(X, y)
    if batch_size is None:
        yield table, labels
        return
    step = whole("batch_size", batch_size)
    order = np.random.default_rng(rng).permutation(len(table))
    for start in range(0, len(table), step):
        batch = order[start : start + step]
        yield table[batch], labels[batch]


def as_points(X: ArrayLike, y: ArrayLike) -> Points:
    """Return points and labels as arrays of the same length.

    Raises:
        ValueError: ``X`` is no table of numbers, or there are not as many labels as points.
    """
    table, labels = as_table(X), np.asarray(y)
    if labels.ndim == 0 or len(labels) != len(table):
        raise ValueError(f"each point needs a label: X has {len(table)} rows, y has shape {labels.shape}")
    return table, labels


def training_points(X: ArrayLike, y: ArrayLike) -> Points:
    """Return points and targets that a loss can be computed from; a column of targets is a vector.

    Raises:
        ValueError: no points, not as many targets, or targets that are not numbers.
    """
    table, targets = as_points(X, y)
    if not len(table):
        raise ValueError("there is nothing to learn from: X has no rows")
    targets = as_column(targets)
    if targets.dtype.kind not in "biuf":
        try:
            targets = np.array(targets.tolist(), dtype=float)
        except (TypeError, ValueError):
            raise ValueError(
                f"the targets must be numbers, not {targets.tolist()[0]!r}; "
                "count the classes from 0, as classes, y = nn.encode(y) does"
            ) from None
    return table, targets


def require_finite(name: str, numbers: NDArray[Any]) -> None:
    """Name the first number that is not finite, and its place.

    Raises:
        ValueError: there is one.

    Example:
        >>> require_finite("X", np.array([[1.0, 2.0], [3.0, np.nan]]))
        Traceback (most recent call last):
        ValueError: X[1, 1] is nan, the first of 1 that are not finite; fill or leave out such points
    """
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        place = ", ".join(map(str, bad[0]))
        raise ValueError(
            f"{name}[{place}] is {numbers[tuple(bad[0])]:g}, the first of {len(bad)} that are not finite; "
            "fill or leave out such points"
        )


def _first_of_shares(classes: NDArray[np.int64], fraction: float, n: int) -> NDArray[np.bool_]:
    """Return which points are among the first ``n`` if each class sends its share, but never its last."""
    counts = np.bincount(classes)
    shares = np.floor(counts * fraction).astype(int)
    rest = np.argsort(shares - counts * fraction, kind="stable")  # the largest remainders come first
    shares[rest[: max(n - shares.sum(), 0)]] += 1
    shares = np.minimum(shares, counts - 1)
    if not shares.any():
        raise ValueError("no class has two points, so that none can be held out of its class")
    taken = np.zeros(len(counts), dtype=int)
    chosen = np.zeros(len(classes), dtype=bool)
    for i, k in enumerate(classes.tolist()):
        chosen[i] = taken[k] < shares[k]
        taken[k] += chosen[i]
    return chosen


def _unit(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the powers of two near some sizes, by which a division is exact."""
    exponents = np.frexp(sizes)[1]
    powers: NDArray[np.float64] = np.ldexp(1.0, np.clip(exponents, -1000, 1000))
    return powers


def _packaged(name: str, header: int) -> Points:
    file = resources.files("nn") / "datasets" / name
    with resources.as_file(file) as path:
        table = np.loadtxt(path, delimiter=",", skiprows=header)
    return table[:, :-1], table[:, -1].astype(np.int64)


def _disturbed(X: Features, y: Labels, shuffle: bool, noise: float | None, random_state: Any) -> Points:
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
