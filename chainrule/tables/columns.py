"""What a network can learn from a column: its numbers, or which of a few texts stands in it."""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.tables import cells
from chainrule.tables.table import Table
from chainrule.terminal import plain

MOST_TEXTS = 50
"""A column of more different texts than these is not turned into inputs unless asked for."""
_IDENTIFIER = re.compile(
    r"(?i:id|.*[_ .-]id|id[_ ].*|idx|index|row([_ ]?(names?|number|id))?|no\.?|nr\.?|number|key|uuid|guid)"
    r"|(?i:serial([_ ]?no\.?)?|unnamed: ?\d+)|.*[a-z]I[dD]|I[dD][A-Z].*"
)
_DATE_NAME = re.compile(r"(?i:date|datum|datetime|timestamp|.*[_ ](date|datetime|timestamp))|.*[a-z]Date")


@dataclass(frozen=True)
class Column:
    """An input column.

    Attributes:
        name: its name.
        place: where it stands in the table that the network is trained with, from 0.
        texts: the texts in it, each of which becomes an input that is 1 where it stands and else 0; none for
            a column of numbers.
    """

    name: str
    place: int
    texts: tuple[str, ...] = ()

    @property
    def features(self) -> list[str]:
        """The names of the inputs that it becomes."""
        return [f"{self.name}={text}" for text in self.texts] or [self.name]

    def encoded(self, table: Table, place: int) -> NDArray[np.float64]:
        """Return the inputs of a column, of shape (rows, inputs); a gap is a row of nan.

        Raises:
            CommandError: a cell is no finite number, or a text that is not known.
        """
        said = table.column(place)
        if not self.texts:
            return numbers(table, place).reshape(-1, 1)
        known = {text: k for k, text in enumerate(self.texts)}
        inputs = np.zeros((len(said), len(known)))
        for row, cell in enumerate(said):
            if cell in known:
                inputs[row, known[cell]] = 1.0
            elif cells.is_gap(cell):
                inputs[row] = np.nan
            else:
                raise table.mistake(
                    row,
                    place,
                    f"'{plain(cell):.40}' is not among the {len(known)} texts of the training; "
                    "put ? for it, and --missing mean fills it",
                )
        return inputs


def numbers(table: Table, place: int) -> NDArray[np.float64]:
    """Return a column of numbers; a gap is nan.

    Raises:
        CommandError: a cell is no finite number.
    """
    column, others = table.numbers_of(place)
    if others:
        name, cell = plain(table.names[place]), plain(table.column(place)[others[0]])
        raise table.mistake(
            others[0], place, f"'{cell:.40}' is not a number; correct it, put ? for it, or --drop '{name}'"
        )
    infinite = np.flatnonzero(np.isinf(column))
    if len(infinite):
        row = int(infinite[0])
        raise table.mistake(row, place, f"'{plain(table.column(place)[row]):.40}' is not a finite number")
    return column


def kind(table: Table, place: int) -> str:
    """Return what stands in a column: "numbers", "texts", "dates" or "nothing".

    A column of numbers in which some cells are none holds texts if few different texts recur in it, else
    numbers, so that a slip is not taken for a text.
    """
    column, others = table.numbers_of(place)
    if not others:
        return "nothing" if np.isnan(column).all() else "numbers"
    cells_of = table.column(place)
    said = [cell for cell in cells_of if not cells.is_gap(cell)]
    if all(map(cells.is_date, said)):
        return "dates"
    texts = Counter(cells_of[row] for row in others)
    if 2 * texts.total() > len(said):
        return "texts"
    recurring = min(texts.values()) > 1 and len(set(said)) <= min(MOST_TEXTS, len(said) // 2)
    return "texts" if recurring else "numbers"


def inputs(
    table: Table, targets: Collection[int], chosen: Collection[int] | None, dropped: Collection[int]
) -> tuple[list[Column], dict[str, str]]:
    """Return the columns to learn from, and why others are left out, by their names.

    Args:
        table: the table.
        targets: the places of the columns to predict.
        chosen: the places asked for, which are taken if that is possible at all; None for all that suit.
        dropped: the places not wanted.

    Raises:
        CommandError: a column asked for has dates or nothing in it, or no column is left.
    """
    columns: list[Column] = []
    left_out: dict[str, str] = {}
    for place, name in enumerate(table.names):
        if place in targets or place in dropped or (chosen is not None and place not in chosen):
            continue
        why = _unsuitable(table, place, asked=chosen is not None)
        if why and chosen is not None:
            raise table.mistake(0, place, f"the column holds {why}, which is no input")
        if why:
            left_out[name] = why
            continue
        texts: tuple[str, ...] = ()
        if kind(table, place) == "texts":
            texts = tuple(sorted({cell for cell in table.column(place) if not cells.is_gap(cell)}))
        columns.append(Column(name, place, texts))
    return columns, left_out


def _unsuitable(table: Table, place: int, *, asked: bool) -> str:
    """Return why a network should not learn from a column, "" if it may."""
    what, name = kind(table, place), table.names[place]
    if what in ("nothing", "dates"):
        return {"nothing": "no values", "dates": "dates"}[what]
    if asked:
        return ""
    said = [cell for cell in table.column(place) if not cells.is_gap(cell)]
    if what == "texts":
        different = len(set(said))
        if different == len(said) > 2:
            return "a different text in each row"
        if different > MOST_TEXTS or (different > 10 and 2 * different > len(said)):
            return f"{different} different texts"
        return ""
    if not _all_different(said):
        return ""
    whole = all(cell.lstrip("+-").isdecimal() for cell in said)
    if whole and _DATE_NAME.fullmatch(name):
        return "dates"
    if whole and (place in table.unnamed or _IDENTIFIER.fullmatch(name) or all(map(cells.is_code, said))):
        return "a different number in each row, as identifiers do"
    return ""


def _all_different(said: list[str]) -> bool:
    seen: set[str] = set()
    for cell in said:  # among a million numbers, two that are equal come early
        if cell in seen:
            return False
        seen.add(cell)
    return True
