"""What a table is read as: whatever the bytes, a table comes out, or one line says why not."""

import contextlib
import csv
import io
import tracemalloc
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.commands.sources import Choices, load
from chainrule.tables import cells, reading, table
from chainrule.tables.grid import Grid
from chainrule.terminal import CommandError

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: f"{x:.4f}")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs"]), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "data.csv"


def gives_points_or_one_line(path, choices):
    with contextlib.suppress(CommandError):
        data = load(str(path), choices, 0)
        assert len(data.X) == len(data.y) >= 2


@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_give_a_table_or_one_line(path, content):
    path.write_bytes(content)
    for choices in (Choices(), Choices(missing="mean"), Choices(missing="drop", header=True)):
        gives_points_or_one_line(path, choices)


@given(text=st.text(st.sampled_from('1,;\t "\n#a-?.'), max_size=60))
def test_any_text_of_separators_and_quotes_gives_a_table_or_one_line(path, text):
    path.write_text(text)
    gives_points_or_one_line(path, Choices(missing="mean"))


@given(
    rows=st.lists(st.tuples(NUMBERS, WORDS, NUMBERS), min_size=4, max_size=12),
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_by_the_book_is_read_to_the_letter(path, rows, separator, quoting, encoding, end):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerow(["first", "word", "last"])
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    read = table.read(path, separator=separator)
    assert read.header
    assert read.names == ("first", "word", "last")
    kept = [row for row in rows if not row[0].startswith(reading.COMMENTS)]
    assert [tuple(row) for row in read.grid] == [tuple(cell.strip() for cell in row) for row in kept]


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_exactly_in_both_notations(number):
    said = repr(number)
    assert cells.number(said) == number
    assert cells.number(said.replace(".", ","), decimal=",") == number


@pytest.mark.parametrize(
    "cell",
    ["1_000", "0x10", "1e", "e5", ".", "+", "1.2.3", "--1", "1 2", "٣", "\uff11", "1,23", "12,34,567", "²"],
)
def test_what_is_no_number_is_none(cell):
    assert cells.number(cell) is None


@pytest.mark.parametrize(
    ("first", "below", "named"),
    [
        (["a", "b"], [["1", "2"]], True),
        (["1", "2"], [["1", "2"]], False),
        (["a", "b"], [["c", "d"], ["e", "f"]], True),
        (["c", "d"], [["c", "e"], ["e", "f"]], False),
        (["0", "1", "2"], [["5", "6", "7"]], True),
        (["1", "2", "3"], [["5", "6", "7"]], False),
        (["2001", "2002", "2003"], [["5", "6", "7"]], True),
        (["1.5", "x"], [["2.5", "y"]] * 3, False),
        (["1", "kind"], [["2", "y"], ["3", "z"]] * 3, True),
        (["150", "4", "setosa"], [["5.1", "3.5", "0"]] * 3, True),
        (["", "a"], [["0", "1"], ["1", "2"]], True),
        (["a", "?"], [["1", "2"]], True),
        (["?", "2"], [["1", "2"]], False),
        (["a"], [], True),
        (["1"], [], False),
    ],
)
def test_a_header_is_guessed(first, below, named):
    assert table.names_columns(first, below) == named


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)


@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=9), data=st.data())
def test_a_grid_holds_rows_of_any_length(rows, data):
    numbered = list(enumerate(rows, 1))
    kept = [place for place in range(len(rows)) if data.draw(st.booleans())]
    with mock.patch("chainrule.tables.grid.BLOCK", 2):
        grid = Grid(numbered)
    assert list(grid) == rows
    assert list(grid.only(kept)) == [rows[place] for place in kept]
    assert list(grid.only(kept).numbers) == [place + 1 for place in kept]
    assert grid.column(2) == [([*row, "", "", ""])[2] for row in rows]


def test_a_cell_costs_its_characters():
    rows = 50_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        grid = Grid((row, [f"{row}.25", "some text", "?"]) for row in range(rows))
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    characters = sum(len(cell) + 1 for row in grid for cell in row)
    assert grown < characters + 24 * rows
