"""A table: its cells, the names of its columns, and errors that say where."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from pathlib import Path

from chainrule.tables import cells, reading
from chainrule.tables.cells import Said
from chainrule.tables.grid import Grid
from chainrule.terminal import CommandError, counted, plain, shown

SAMPLE = 1000
"""How many rows are looked at to guess whether the first one names the columns."""


@dataclass(frozen=True)
class Table:
    """The cells of a file and what they are called.

    Attributes:
        path: the file.
        names: the columns' names; without a header ``column 1`` and so on.
        grid: the rows below the header.
        header: whether the file names its columns.
        decimal: the decimal sign, a point or a comma.
        unnamed: the places of columns that the header gives no name.
        notes: how the file was read, for people.
        parsed: what ``numbers_of`` has read.
    """

    path: str
    names: tuple[str, ...]
    grid: Grid
    header: bool
    decimal: str = "."
    unnamed: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()
    parsed: dict[int, Said] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.grid)

    def place(self, name: str) -> int:
        """Return the place of a column, given its name or its number from 1.

        Raises:
            CommandError: there is no such column.
        """
        if name in self.names:
            return self.names.index(name)
        if name.isascii() and name.isdecimal() and len(name) < 9 and 1 <= int(name) <= len(self.names):
            return int(name) - 1
        raise CommandError(
            f"{self.path}: there is no column '{plain(name)}'; the columns are {shown(self.names)}"
        )

    def only(self, kept: Sequence[int]) -> "Table":
        """Return the table of some rows, given by their places."""
        return self if len(kept) == len(self) else replace(self, grid=self.grid.only(kept), parsed={})

    def column(self, place: int) -> list[str]:
        """Return the cells of a column."""
        return self.grid.column(place)

    def numbers_of(self, place: int) -> Said:
        """Return what the cells of a column say as numbers, and the rows that say none."""
        if place not in self.parsed:
            self.parsed[place] = cells.numbers(self.column(place), self.decimal)
        return self.parsed[place]

    def mistake(self, row: int, place: int, what: str) -> CommandError:
        """Return the error about a cell of a row, which is given by its place from 0."""
        return self.error(self.grid.numbers[row], place, what)

    def gap(self, row: int, place: int, remedy: str) -> CommandError:
        """Return the error about a cell that holds no value."""
        said, width = self.column(place)[row], self.grid.widths[row]
        what = f"'{plain(said)}' stands for no value" if said else "the cell is empty"
        if place >= width:
            first = f"{len(self.names)} in the others"
            what = f"the cell is missing: {counted(width, 'cell')} in this row, {first}"
        return self.mistake(row, place, f"{what}; {remedy}")

    def error(self, number: int, place: int, what: str) -> CommandError:
        """Return the error about the cell at a place in the row of a number, or where one should be."""
        named = self.header and place < len(self.names) and place not in self.unnamed
        name = f" ({plain(self.names[place])})" if named else ""
        return CommandError(f"{self.path}: row {number}, column {place + 1}{name}: {what}")


def read(
    path: str | os.PathLike[str],
    header: bool | None = None,
    separator: str | None = None,
    expected: Collection[str] = (),
) -> Table:
    """Read a table of text: CSV and its relatives.

    Args:
        path: the file.
        header: whether its first row names the columns; by default that is guessed and said in the notes.
        separator: what separates the cells; by default that is found out.
        expected: names that the columns should have: a first row that holds them all is a header.

    Raises:
        CommandError: the file is no text, has no rows, an unclosed quote, or a row with too many cells.
        OSError: it cannot be read.
    """
    name = os.fspath(path)
    found = reading.read(plain(name), Path(path).read_bytes(), separator)
    grid = found.grid
    notes = [reading.SEPARATORS.get(found.separator, f"'{plain(found.separator)}'")]
    decimal = "." if found.separator == "," else _decimal(grid)
    notes += ["decimal commas"] * (decimal == ",")
    notes += [found.encoding] * (found.encoding not in ("utf-8", "ascii"))
    notes += [f"{counted(len(found.comments), 'comment line')} above"] * bool(found.comments)

    guessed = header is None
    first, *body = islice(grid, SAMPLE)
    if header is None:
        header = set(expected) <= set(first) if expected else False
        header = header or names_columns(first, body, decimal)
    head, head_number = (first, grid.numbers[0]) if header else ([], 0)
    if header:
        grid = grid.only(range(1, len(grid)))
        said = f"row {head_number} is the header"
        notes += [f"{said} (guessed; --no-header if it is a point)" if guessed else said]
    elif named := _commented_names(found, len(first), decimal) if guessed else []:
        header, head, head_number = True, named, 0
        notes += ["the last comment names the columns"]
    else:
        notes += ["no header" + " (guessed; --header if row 1 names the columns)" * guessed]
    if not len(grid):
        raise CommandError(f"{plain(name)}: there are no rows below the header in row {head_number}")

    width = _width(head, grid)
    if header and len(head) == width - 1:
        head = ["", *head]  # as R writes it, with a column of row names
    names, unnamed = _names(head, width)
    repeated = len(set(filter(None, head))) < len(list(filter(None, head)))
    notes += ["repeated names are numbered"] * repeated
    table = Table(plain(name), names, grid, header, decimal, unnamed, tuple(notes))
    beyond = [row for place in range(width, max(grid.widths)) for row in _filled(grid.column(place))]
    if beyond:
        row = min(beyond)
        other = head_number or grid.numbers[0]
        what = f"a cell too many: {grid.widths[row]} in this row, {width} in row {other}"
        raise table.mistake(row, width, f"{what}; a comma within a cell needs quotes around the cell")
    return table


def _filled(column: list[str]) -> list[int]:
    return [row for row, cell in enumerate(column) if cell]


def names_columns(first: list[str], body: list[list[str]], decimal: str = ".") -> bool:
    """Guess whether a row names the columns below it.

    It does if a text stands above numbers. Otherwise it does not if a number stands in it, unless the numbers
    count up by one from 0, as the columns of an array do, or through years; or unless they are counts beside
    a text that the column below, of few texts that all recur, does not know. A row of texts above texts names
    the columns if none of them occurs below.

    Example:
        >>> names_columns(["a", "b"], [["1", "x"], ["2", "y"]])
        True
        >>> names_columns(["1", "x"], [["1", "x"], ["2", "y"]])
        False
    """

    def is_number(cell: str) -> bool:
        return cells.number(cell, decimal) is not None

    numeric = [is_number(cell) for cell in first]
    if not body:
        return not any(numeric)
    new_text = False
    for place, cell in enumerate(first):
        below = [row[place] for row in body if place < len(row) and not cells.is_gap(row[place])]
        numbers_below = bool(below) and all(map(is_number, below))
        if numbers_below and not numeric[place] and not cells.is_gap(cell):
            return True
        if below and not numbers_below and not numeric[place]:
            counts = {text: below.count(text) for text in set(below)} if len(set(below)) <= 20 else {}
            if cell in below:
                return False
            new_text = new_text or (bool(counts) and min(counts.values()) > 1)
    said = [cell for cell, is_one in zip(first, numeric, strict=True) if is_one]
    if not said:
        return True
    if not all(cell.isdecimal() and not cells.is_code(cell) for cell in said) or len(set(said)) < len(said):
        return False
    steps = {int(b) - int(a) for a, b in pairwise(said)}
    counting = steps == {1} and len(said) >= 3 and (said[0] == "0" or int(said[0]) > 1000)
    return counting or new_text


def _decimal(grid: Grid) -> str:
    """Return the decimal sign: a comma if it is one in some cell, and the point in none."""
    commas = points = 0
    for place in range(max(grid.widths)):
        for cell in grid.column(place):
            commas += "," in cell and cells.number(cell, ",") is not None
            points += "." in cell and cells.number(cell) is not None and cells.number(cell, ",") is None
    return "," if commas and not points else "."


def _commented_names(found: reading.Cells, width: int, decimal: str) -> list[str]:
    """Return the names in the last comment, as NumPy writes them, if it has one for each column."""
    if not found.comments:
        return []
    line = found.comments[-1].lstrip("#%/ ")
    names = line.split() if found.separator == " " else [n.strip() for n in line.split(found.separator)]
    numbers = any(cells.number(name, decimal) is not None for name in names)
    return names if len(names) == width > 1 and not numbers else []


def _width(head: list[str], grid: Grid) -> int:
    """Return how many columns there are: as in the header, or one more for the names of the rows."""
    if not head:
        return grid.widths[0]
    longer = set(grid.widths) == {len(head) + 1} and all(grid.column(len(head)))
    return len(head) + (longer and len(set(grid.column(0))) == len(grid) > 1)


def _names(head: list[str], width: int) -> tuple[tuple[str, ...], frozenset[int]]:
    names: list[str] = []
    for place in range(width):
        name = (head[place] if head else "") or f"column {place + 1}"
        count = 1
        while name in names:
            name = f"{head[place]}.{count}"
            count += 1
        names.append(name)
    return tuple(names), frozenset(i for i in range(width) if head and not head[i])
