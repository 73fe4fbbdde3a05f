"""The cells of a table, kept so that a cell costs its characters alone: millions of rows are common."""

from array import array
from collections.abc import Iterable, Iterator
from itertools import compress

BLOCK = 4096
"""How many rows are put together."""
_BETWEEN = "\0"
"""What separates cells that are put together: ``reading`` refuses it in a file."""


class Grid:
    r"""Rows of cells, of any lengths; kept by columns, the cells of some thousand rows as one text.

    Args:
        rows: pairs of a row's number and its cells.

    Attributes:
        numbers: the number of each row as a spreadsheet shows it.
        widths: how many cells each row has.

    Example:
        >>> grid = Grid([(1, ["a", "b"]), (3, ["c"])])
        >>> len(grid), grid.column(1), list(grid), grid.numbers[1]
        (2, ['b', ''], [['a', 'b'], ['c']], 3)
    """

    def __init__(self, rows: Iterable[tuple[int, list[str]]] = ()) -> None:
        self.numbers = array("q")
        self.widths = array("q")
        self._blocks: list[tuple[int, list[str]]] = []  # how many rows, and a text per column
        waiting: list[list[str]] = []
        for number, row in rows:
            self.numbers.append(number)
            self.widths.append(len(row))
            waiting.append(row)
            if len(waiting) == BLOCK:
                self._blocks.append(_together(waiting))
                waiting = []
        if waiting:
            self._blocks.append(_together(waiting))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.widths)

    def __iter__(self) -> Iterator[list[str]]:
        """Run through the rows, each with as many cells as it came with."""
        widths = iter(self.widths)
        for count, columns in self._blocks:
            apart = [column.split(_BETWEEN) for column in columns] or [[]] * count
            for row, width in zip(zip(*apart, strict=True), widths, strict=False):
                yield list(row[:width])

    def column(self, place: int) -> list[str]:
        """Return the cells of a column, "" where a row is shorter."""
        said: list[str] = []
        for count, columns in self._blocks:
            said += columns[place].split(_BETWEEN) if place < len(columns) else [""] * count
        return said

    def only(self, kept: Iterable[int]) -> "Grid":
        """Return the grid of some rows, given by their places; their order stays."""
        chosen = bytearray(len(self))
        for row in kept:
            chosen[row] = True
        grid = Grid()
        grid.numbers.extend(compress(self.numbers, chosen))
        grid.widths.extend(compress(self.widths, chosen))
        start = 0
        for count, columns in self._blocks:
            here = chosen[start : start + count]
            start += count
            if all(here):
                grid._blocks.append((count, columns))
            elif any(here):
                left = [_BETWEEN.join(compress(column.split(_BETWEEN), here)) for column in columns]
                grid._blocks.append((sum(here), left))
        return grid


def _together(rows: list[list[str]]) -> tuple[int, list[str]]:
    width = max(map(len, rows))
    columns = zip(*(row + [""] * (width - len(row)) for row in rows), strict=True)
    return len(rows), [_BETWEEN.join(column) for column in columns]
