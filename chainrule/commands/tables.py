"""Tables of numbers and labels in CSV files; what is wrong with one is told with its row and column."""

import csv
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chainrule.commands import CommandError


@dataclass(frozen=True)
class Table:
    """The cells of a CSV file.

    Attributes:
        path: the file.
        names: the columns' names; without a header ``column 1`` and so on.
        rows: the cells of each row.
        numbers: the number of each row as a spreadsheet shows it: a header is row 1, empty lines count.
        header: whether the file names its columns.
    """

    path: str
    names: tuple[str, ...]
    rows: list[list[str]]
    numbers: list[int]
    header: bool

    def place(self, name: str) -> int:
        """Return the place of a column, given its name or its number from 1.

        Raises:
            CommandError: there is no such column.
        """
        if name in self.names:
            return self.names.index(name)
        if name.isdecimal() and 1 <= int(name) <= len(self.names):
            return int(name) - 1
        raise CommandError(f"{self.path}: there is no column '{name}'; the columns are {shown(self.names)}")

    def column(self, place: int) -> list[str]:
        """Return the cells of a column.

        Raises:
            CommandError: a cell is empty.
        """
        cells = [row[place] for row in self.rows]
        for number, cell in zip(self.numbers, cells, strict=True):
            if not cell:
                raise self.mistake(number, place, "the cell is empty; fill it, or leave out the row")
        return cells

    def floats(self, places: Sequence[int]) -> list[list[float]]:
        """Return columns of numbers, row by row.

        Raises:
            CommandError: a cell is empty, or is not a finite number.
        """
        for place in places:
            for number, cell in zip(self.numbers, self.column(place), strict=True):
                if not is_number(cell):
                    raise self.mistake(number, place, f"'{cell:.40}' is not a number")
                if not math.isfinite(float(cell)):
                    raise self.mistake(number, place, f"'{cell:.40}' is not a finite number")
        return [[float(row[place]) for place in places] for row in self.rows]

    def mistake(self, number: int, place: int, what: str) -> CommandError:
        """Return the error about a cell, or about where one should be."""
        name = f" ({self.names[place]})" if self.header and any(self.names[place : place + 1]) else ""
        return CommandError(f"{self.path}: row {number}, column {place + 1}{name}: {what}")


def read(path: str | os.PathLike[str]) -> Table:
    """Read a CSV file. Its first row is a header if no cell of it is a number.

    Args:
        path: the file, in UTF-8, its cells separated by commas. White space around a cell does not count.

    Raises:
        CommandError: there are no rows, they have different lengths, columns have no name or the same name,
            or the file is no text.
        OSError: it cannot be read.
    """
    name = os.fspath(path)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            lines = [(i, [cell.strip() for cell in row]) for i, row in enumerate(csv.reader(file), 1) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{name}: it is no CSV file in UTF-8 ({error})") from None
    if not lines:
        raise CommandError(f"{name}: there are no rows")
    number, first = lines[0]
    header = not any(map(is_number, first))
    names = first if header else [f"column {i + 1}" for i in range(len(first))]
    body = lines[1:] if header else lines
    table = Table(name, tuple(names), [row for _, row in body], [i for i, _ in body], header)
    for place, title in enumerate(names):
        if not title:
            raise table.mistake(number, place, "the column has no name; name it, or leave it out")
        if title in names[:place]:
            raise table.mistake(number, place, "another column has the same name; each needs its own")
    if not body:
        raise CommandError(f"{name}: there are no rows below the header in row {number}")
    for i, row in body:
        if len(row) < len(names):
            what = (
                f"the cell is missing: {_count(len(row), 'cell')} in this row, {len(names)} in row {number}"
            )
            raise table.mistake(i, len(row), what)
        if len(row) > len(names):
            what = f"a cell too many: {len(row)} in this row, {len(names)} in row {number}"
            raise table.mistake(i, len(names), f"{what}; a comma within a cell needs quotes around the cell")
    return table


def is_number(cell: str) -> bool:
    """Return whether a cell is written as a number, be it nan or infinite.

    Example:
        >>> is_number("-1.5e3"), is_number("nan"), is_number("n/a"), is_number("")
        (True, True, False, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return True


def shown(names: Iterable[str], width: int = 60) -> str:
    """Return as many names as go into one line, at least one, and how many more there are.

    Example:
        >>> shown(["setosa", "versicolor", "virginica"], width=20)
        'setosa, versicolor and 1 more'
    """
    first, *others = names
    line = first
    for i, name in enumerate(others):
        if len(line) + len(name) + 2 > width:
            return f"{line} and {len(others) - i} more"
        line += f", {name}"
    return line


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
