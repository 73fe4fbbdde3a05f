"""Where ``chainrule train`` gets its points, from the package or a CSV file, and which losses suit them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.commands import CommandError, tables
from nn import (
    binary_cross_entropy,
    circles,
    cross_entropy,
    digits,
    half_squared_error,
    hinge,
    iris,
    mean_squared_error,
    spirals,
    two_moons,
)
from nn.data import IRIS_FEATURES, IRIS_SPECIES, Points
from nn.losses import Loss

LOSSES: dict[str, Loss] = {
    "binary-cross-entropy": binary_cross_entropy,
    "cross-entropy": cross_entropy,
    "hinge": hinge,
    "mean-squared-error": mean_squared_error,
    "half-squared-error": half_squared_error,
}
SINGLE_SCORE = ("binary-cross-entropy", "hinge")
"""The losses of two classes whose network has one score, positive for the second class."""
REGRESSION = ("mean-squared-error", "half-squared-error")
"""The losses of targets that are numbers."""
MOST_CLASSES = 10
"""A target of more different whole numbers than these is a number to predict, not a class."""


@dataclass(frozen=True)
class Data:
    """A data set.

    Attributes:
        name: what to call it.
        X: the points, of shape (n, inputs).
        y: the classes counted from 0, or the numbers to predict.
        features: the names of the inputs.
        target: the name of the target.
        place: where the target's column stands in the table, from 0.
        header: whether the names are those of a table's header.
        classes: the names of the classes; none for numbers.
        loss: the name of the loss, as asked for or as it suits the target.
    """

    name: str
    X: NDArray[np.float64]
    y: NDArray[Any]
    features: list[str]
    target: str
    place: int
    header: bool
    classes: list[str]
    loss: str


MADE_UP = ("x1", "x2")
DATA_SETS: dict[str, tuple[Callable[[int], Points], tuple[str, ...], tuple[str, ...]]] = {
    "moons": (lambda seed: two_moons(200, noise=0.1, random_state=seed), MADE_UP, ("upper", "lower")),
    "circles": (
        lambda seed: circles(200, noise=0.05, factor=0.5, random_state=seed),
        MADE_UP,
        ("outer", "inner"),
    ),
    "spirals": (lambda seed: spirals(300, 3, noise=0.02, random_state=seed), MADE_UP, ("0", "1", "2")),
    "iris": (lambda _seed: iris(), IRIS_FEATURES, IRIS_SPECIES),
    "digits": (lambda _seed: digits(), tuple(f"pixel {i}" for i in range(64)), tuple("0123456789")),
}
"""The data sets of the package: their points, given a seed, and the names of inputs and classes."""


def load(name: str, target: str | None, loss: str | None, seed: int) -> Data:
    """Return a data set.

    Args:
        name: a key of ``DATA_SETS`` or a CSV file.
        target: the column to predict, by name or by number from 1; by default the last one.
        loss: the name of a loss; by default one that suits the target. It decides whether a target of numbers
            is a class. Without it, at most ``MOST_CLASSES`` different whole numbers are classes.
        seed: of data sets that are drawn by chance.

    Raises:
        CommandError: there is no such data set or column, a cell is not as it should be, or the loss does not
            suit the target.
        OSError: the file cannot be read.
    """
    if name in DATA_SETS:
        if target is not None:
            raise CommandError(f"--target chooses a column of a CSV file; {name} has its own target")
        draw, features, classes = DATA_SETS[name]
        X, y = draw(seed)
        chosen = _loss(loss, list(classes), name)
        return Data(name, X, y, list(features), "class", len(features), True, list(classes), chosen)
    if not Path(name).suffix and not Path(name).exists():
        raise CommandError(f"unknown data set '{name}'; choose one of {', '.join(DATA_SETS)}, or a CSV file")
    return _from_table(tables.read(name), target, loss)


def _from_table(table: tables.Table, target: str | None, loss: str | None) -> Data:
    if len(table.names) < 2:
        raise CommandError(f"{table.path}: there is one column only; commas must separate inputs and target")
    if len(table.rows) < 2:
        raise CommandError(f"{table.path}: there is one row only; training needs at least two")
    place = len(table.names) - 1 if target is None else table.place(target)
    inputs = [i for i in range(len(table.names)) if i != place]
    features, name = [table.names[i] for i in inputs], table.names[place]
    X = np.array(table.floats(inputs))
    cells = table.column(place)
    y: NDArray[Any] = np.array(cells)
    if any(map(tables.is_number, cells)):
        y = np.array(table.floats([place]))[:, 0]
        if loss in REGRESSION or (loss is None and not _are_classes(y)):
            return Data(table.path, X, y, features, name, place, table.header, [], loss or REGRESSION[0])
    kinds, labels = np.unique(y, return_inverse=True)
    classes = [kind if isinstance(kind, str) else f"{kind:.17g}" for kind in kinds.tolist()]
    where = f"{table.path}: column {place + 1} ({name})"
    if 2 * len(classes) > len(cells):
        raise CommandError(
            f"{where} has {len(classes)} different values in {len(cells)} rows, too many for classes; "
            "choose another column with --target, or another --loss"
        )
    return Data(
        table.path, X, labels, features, name, place, table.header, classes, _loss(loss, classes, where)
    )


def _are_classes(y: NDArray[np.float64]) -> bool:
    return not np.any(y % 1) and len(np.unique(y)) <= min(MOST_CLASSES, len(y) // 2)


def _loss(asked: str | None, classes: list[str], where: str) -> str:
    """Return the name of the loss for classes."""
    if len(classes) < 2:
        raise CommandError(f"{where} has one class only, {classes[0]}; there is nothing to tell apart")
    if asked is None:
        return "binary-cross-entropy" if len(classes) == 2 else "cross-entropy"
    if asked in REGRESSION:
        raise CommandError(f"{where} has classes, and {asked} is for numbers; use --loss cross-entropy")
    if asked in SINGLE_SCORE and len(classes) > 2:
        raise CommandError(
            f"{where} has {len(classes)} classes, and {asked} is for two; use --loss cross-entropy"
        )
    return asked
