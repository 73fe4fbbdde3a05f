"""Loops whose slices are short, or often empty, on floats: one small function for each statement.

Where every depth of a graph is a step, most steps run a few of the statements, each on a few points. So the
slices that are not empty are listed once, and each calls its statement's function, which goes through rows of
addresses.
"""

from collections.abc import Iterator

import numpy as np

from autograd.compiler.adjoint import cut
from autograd.compiler.floats import Printer, costs, is_plain, points_of, primitives
from autograd.compiler.names import Names
from autograd.compiler.plan import Index, Loop, Place, Statement, places_of, slices

LENGTHY = 10_000
"""Up to so many rows are written out: that takes longer to make, and an eighth of the time to run."""

LARGEST = 64
"""The most terms of a point on the first axis that are written out on floats."""

SLICE, ROW, CELL = 0.3, 0.1, 0.03
"""The microseconds that a slice takes, a row of addresses, and a cell that is fetched and put back."""


def is_sparse(loop: Loop) -> bool:
    """Tell whether a loop with slices of its own is faster on floats, slice by slice."""
    if all(starts is None for starts in loop.starts):
        return False
    floats = calls = 0.0
    for statement, starts in zip(loop.body, loop.starts, strict=True):
        results, terms = points_of(statement)
        rows = statement.shape[0]
        if not results * terms or not is_plain(statement) or results * terms > LARGEST * rows:
            return False
        filled = loop.length if starts is None else np.count_nonzero(np.diff(starts))
        on_floats, _ = costs(statement)
        floats += on_floats + SLICE * filled + ROW * rows + CELL * results
        calls += primitives(statement) * (0.5 * loop.length + 0.001 * results * terms)
    return floats < calls


def is_short(loop: Loop) -> bool:
    """Tell whether a loop is to be written out."""
    return sum(statement.shape[0] for statement in loop.body) <= LENGTHY


def unrolled(loop: Loop) -> Iterator[Statement]:
    """Yield a statement for each slice, in the order in which they are run."""
    for number, low, high in zip(*(bounds.tolist() for bounds in slices(loop)), strict=True):
        yield cut(loop.body[number], 0, low, high)


def written(loop: Loop, names: Names) -> list[str]:
    """Return the body of a function that runs a loop."""
    tables = [_Table(statement) for statement in loop.body]
    ranges = _ranges(tables)
    lines = [f"{memory}s = {memory}[{low}:{high}].tolist()" for memory, (low, high) in ranges.items()]
    printer = Printer(names)
    for number, (statement, table) in enumerate(zip(loop.body, tables, strict=True)):
        index = names.table(table.relative(ranges))
        lines += [
            f"def run{number}(low, high):",
            f"    for {', '.join(table.names)}{',' * (len(table.names) == 1)} in {index}[low:high].tolist():",
            *(f"        {line}" for line in _results(statement, table, printer)),
        ]
    lines.append(f"runs = {', '.join(f'run{i}' for i in range(len(loop.body)))},")
    listed = names.table(np.stack(slices(loop), axis=1))
    lines += [f"for i, low, high in {listed}.tolist():", "    runs[i](low, high)"]
    changed = {statement.target.memory for statement in loop.body}
    return lines + [f"{m}[{low}:{high}] = {m}s" for m, (low, high) in ranges.items() if m in changed]


class _Table:
    """The addresses of a statement's places, a row for each point of the first axis.

    Attributes:
        columns: for each place its columns, one for each point of the other axes.
        names: what the columns are called.
    """

    def __init__(self, statement: Statement) -> None:
        rows = statement.shape[0]
        self.columns: dict[Place, list[int]] = {}
        self.memories: list[str] = []
        parts: list[Index] = []
        for place in (statement.target, *places_of(statement.expression)):
            if place in self.columns:
                continue
            addresses = place.addresses(statement.shape).reshape(rows, -1)
            first = len(self.memories)
            self.columns[place] = list(range(first, first + addresses.shape[1]))
            self.memories += [place.memory] * addresses.shape[1]
            parts.append(addresses)
        self.addresses = np.concatenate(parts, axis=1)
        self.names = [f"a{i}" for i in range(len(self.memories))]

    def relative(self, ranges: dict[str, tuple[int, int]]) -> Index:
        """Return the addresses as places in the lists of the memories' parts."""
        return self.addresses - np.array([ranges[memory][0] for memory in self.memories], dtype=np.intp)

    def cell(self, place: Place, point: int) -> str:
        """Return what a place's cell is called at a point of the other axes."""
        return f"{place.memory}s[a{self.columns[place][point]}]"


def _ranges(tables: list[_Table]) -> dict[str, tuple[int, int]]:
    """Return the part of each memory that is touched."""
    ranges: dict[str, tuple[int, int]] = {}
    for table in tables:
        if not len(table.addresses):
            continue
        for memory, column in zip(table.memories, table.addresses.T, strict=True):
            low, high = ranges.get(memory, (int(column[0]), 0))
            ranges[memory] = min(low, int(column.min())), max(high, int(column.max()) + 1)
    for table in tables:
        for memory in table.memories:
            ranges.setdefault(memory, (0, 0))
    return ranges


def _results(statement: Statement, table: _Table, printer: Printer) -> list[str]:
    """Return what computes the results of a row."""
    results, terms = points_of(statement)
    results //= max(1, statement.shape[0])
    places = set(places_of(statement.expression))
    lines = []
    for first in range(0, results * terms, terms):
        cells = [{p: table.cell(p, at) for p in places} for at in range(first, first + terms)]
        total = printer.total([printer.expression(statement.expression, c.__getitem__) for c in cells])
        lines.append(f"{table.cell(statement.target, first)} {'+=' if statement.adds else '='} {total[0]}")
    return lines
