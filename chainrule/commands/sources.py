"""Where ``chainrule train`` gets its points, from the package or from a file, and which losses suit them."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables import cells, columns, table
from chainrule.tables.columns import Column
from chainrule.tables.table import Table
from chainrule.terminal import CommandError, counted, plain
from nn import circles, digits, encode, iris, spirals, two_moons
from nn.data import IRIS_FEATURES, IRIS_SPECIES, Points
from nn.losses import BUILT_IN, Loss, Targets, targets_of

LOSSES: dict[str, Loss] = {name.replace("_", "-"): loss for name, loss in BUILT_IN.items()}
MOST_CLASSES = 10
"""A target of more different whole numbers than these is a number to predict, not a class."""
MISSING = ("refuse", "drop", "mean")
"""What may be done about cells that hold no value."""


@dataclass(frozen=True)
class Data:
    """A data set.

    Attributes:
        name: what to call it.
        X: the points, of shape (n, inputs), with nan for gaps to be filled.
        y: the classes counted from 0; or the numbers to predict, of shape (n,) or (n, targets).
        columns: what the inputs are made of.
        targets: the names of the targets.
        places: where the targets' columns stand in the table, from 0.
        width: how many columns the table has.
        header: whether the names are those of a table's header.
        classes: the names of the classes; none for numbers.
        loss: the name of the loss, as asked for or as it suits the target.
        missing: what was done about gaps, a word of ``MISSING``.
        notes: how the table was read.
        warnings: what was left out of it.
    """

    name: str
    X: NDArray[np.float64]
    y: NDArray[Any]
    columns: list[Column]
    targets: list[str]
    places: list[int]
    width: int
    header: bool
    classes: list[str]
    loss: str
    missing: str = "refuse"
    notes: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Choices:
    """What was asked for about a table.

    Attributes:
        target: the columns to predict, by name or by number from 1, separated by commas; None for the last.
        inputs: likewise those to learn from; None for all others that suit.
        drop: likewise those to leave out.
        missing: a word of ``MISSING``.
        header: whether the first row names the columns; None to guess it.
        separator: what separates cells; None to find out.
        loss: the name of a loss; by default one that suits the target. It decides whether a target of numbers
            is a class. Without it, at most ``MOST_CLASSES`` different whole numbers are classes.
    """

    target: str | None = None
    inputs: str | None = None
    drop: str | None = None
    missing: str = "refuse"
    header: bool | None = None
    separator: str | None = None
    loss: str | None = None


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


def kind_of(loss: str) -> Targets:
    """Return what the targets of a loss are, given its name."""
    targets = targets_of(LOSSES[loss])
    assert targets is not None  # BUILT_IN holds those that declare it
    return targets


def load(name: str, choices: Choices, seed: int) -> Data:
    """Return a data set.

    Args:
        name: a key of ``DATA_SETS`` or a file.
        choices: what was asked for.
        seed: of data sets that are drawn by chance.

    Raises:
        CommandError: there is no such data set or column, a cell is not as it should be, or the loss does not
            suit the target.
        OSError: the file cannot be read.
    """
    if name in DATA_SETS:
        for option in ("target", "inputs", "drop"):
            if getattr(choices, option) is not None:
                raise CommandError(f"--{option} chooses columns of a file; {name} has its own")
        draw, features, classes = DATA_SETS[name]
        X, y = draw(seed)
        chosen = _class_loss(choices.loss, list(classes), name)
        made_of = [Column(feature, place) for place, feature in enumerate(features)]
        width = len(features) + 1
        return Data(name, X, y, made_of, ["class"], [width - 1], width, True, list(classes), chosen)
    if not Path(name).suffix and not Path(name).exists():
        raise CommandError(f"unknown data set '{name}'; choose one of {', '.join(DATA_SETS)}, or a file")
    return _from_table(table.read(name, choices.header, choices.separator), choices)


def _from_table(read: Table, choices: Choices) -> Data:
    if len(read.names) < 2:
        raise CommandError(
            f"{read.path}: there is one column only; --separator says what separates the cells"
        )
    places = [_last_of_values(read)] if choices.target is None else _places(read, choices.target)
    chosen = None if choices.inputs is None else _places(read, choices.inputs)
    dropped = [] if choices.drop is None else _places(read, choices.drop)
    made_of, left_out = columns.inputs(read, places, chosen, dropped)
    warnings = [
        f"left out '{plain(name)}': {why}" + "; --inputs takes it in" * (why not in ("dates", "no values"))
        for name, why in left_out.items()
    ]
    if not made_of:
        raise CommandError(f"{read.path}: no column is left to learn from; {'; '.join(warnings)}")
    used = [*(column.place for column in made_of), *places]
    read, gaps = _without_gaps(read, used, places, choices.missing)
    warnings += gaps
    if len(read) < 2:
        raise CommandError(f"{read.path}: there is one row only; training needs at least two")
    X = np.hstack([column.encoded(read, column.place) for column in made_of])
    y, classes, loss = _target(read, places, choices.loss)
    return Data(
        read.path,
        X,
        y,
        made_of,
        [read.names[place] for place in places],
        places,
        len(read.names),
        read.header,
        classes,
        loss,
        choices.missing,
        read.notes,
        warnings,
    )


def _last_of_values(read: Table) -> int:
    """Return the last column in which anything stands: lines that end with a separator add an empty one."""
    last = len(read.names) - 1
    return next((place for place in range(last, -1, -1) if columns.kind(read, place) != "nothing"), last)


def _places(read: Table, names: str) -> list[int]:
    """Return the places of columns, given their names or numbers, separated by commas."""
    if names in read.names:
        return [read.place(names)]
    found = [read.place(name.strip()) for name in next(csv.reader([names], skipinitialspace=True))]
    for place in found:
        if found.count(place) > 1:
            raise CommandError(f"{read.path}: column '{plain(read.names[place])}' is given twice")
    return found


def _without_gaps(read: Table, used: list[int], targets: list[int], missing: str) -> tuple[Table, list[str]]:
    """Return the rows that can be learnt from, and what was done about the others."""
    gaps = {place: [i for i, cell in enumerate(read.column(place)) if cells.is_gap(cell)] for place in used}
    if missing == "refuse" and any(gaps.values()):
        row, place = min((rows[0], place) for place, rows in gaps.items() if rows)
        raise read.gap(row, place, "fill it, or choose --missing drop or --missing mean")
    # What is to be predicted cannot be filled.
    gone = {row for place in (targets if missing == "mean" else used) for row in gaps[place]}
    kept = [row for row in range(len(read)) if row not in gone]
    if gone and len(kept) < 2:
        worst = max(used, key=lambda place: len(gaps[place]))
        raise CommandError(
            f"{read.path}: {counted(len(kept), 'row')} of {len(read)} would be left without gaps; "
            "choose --missing mean, or leave out the column that has the most of them with "
            f"--drop '{plain(read.names[worst])}'"
        )
    filled = sum(len(set(rows) - gone) for rows in gaps.values())
    said = [f"left out {counted(len(gone), 'row')} of {len(read)} with gaps"] * bool(gone)
    said += [f"filled {counted(filled, 'gap')} with the column's mean"] * bool(filled)
    return read.only(kept), said


def _target(read: Table, places: list[int], loss: str | None) -> tuple[NDArray[Any], list[str], str]:
    """Return the targets, the names of their classes if they are classes, and the loss."""
    kinds = [columns.kind(read, place) for place in places]
    for place, kind in zip(places, kinds, strict=True):
        if kind == "dates":
            raise CommandError(
                f"{_where(read, place)} holds dates, which cannot be predicted; choose another with --target"
            )
        if kind == "texts" and len(places) > 1:
            raise CommandError(
                f"{_where(read, place)} holds texts; several targets must all be numbers, so choose one"
            )
    wants_numbers = loss is not None and not kind_of(loss).classes
    if len(places) > 1:
        if loss is not None and not wants_numbers:
            raise CommandError(f"{loss} is for one target of classes; use --loss mean-squared-error")
        y = np.column_stack([columns.numbers(read, place) for place in places])
        return y, [], loss or "mean-squared-error"
    (place,), said = places, read.column(places[0])
    codes = any(map(cells.is_code, set(said)))
    if kinds[0] == "numbers" and (not codes or wants_numbers):
        y = columns.numbers(read, place)
        if wants_numbers or (loss is None and not _are_classes(y)):
            return y, [], loss or "mean-squared-error"
        _, labels = encode(y)
        # A class is called as it is written first: 1.0 and 1 are one class.
        first = np.unique(labels, return_index=True)[1]
        classes = [said[i] for i in first.tolist()]
    else:
        texts, labels = encode(said)
        classes = texts.tolist()
    where = _where(read, place)
    if 2 * len(classes) > len(said):
        raise CommandError(
            f"{where} has {len(classes)} different values in {len(said)} rows, too many for classes; "
            "choose another column with --target, or another --loss"
        )
    return labels, classes, _class_loss(loss, classes, where)


def _where(read: Table, place: int) -> str:
    return f"{read.path}: column {place + 1} ({plain(read.names[place])})"


def _are_classes(y: NDArray[np.float64]) -> bool:
    return not np.any(y % 1) and len(np.unique(y)) <= min(MOST_CLASSES, len(y) // 2)


def _class_loss(asked: str | None, classes: list[str], where: str) -> str:
    """Return the name of the loss for classes."""
    if len(classes) < 2:
        raise CommandError(
            f"{where} has one class only, {plain(classes[0])}; there is nothing to tell apart; "
            "choose another column with --target"
        )
    if asked is None:
        return "binary-cross-entropy" if len(classes) == 2 else "cross-entropy"
    if not kind_of(asked).classes:
        raise CommandError(f"{where} has classes, and {asked} is for numbers; use --loss cross-entropy")
    if kind_of(asked).pair and len(classes) > 2:
        raise CommandError(
            f"{where} has {len(classes)} classes, and {asked} is for two; use --loss cross-entropy"
        )
    return asked
