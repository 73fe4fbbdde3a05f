"""From the bytes of a file to rows of cells: encodings, separators, comments, quotes.

Python's ``csv`` reads the cells, in its strict mode; here it is found out what to tell it.
"""

import codecs
import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter

from chainrule.tables.cells import is_gap, number
from chainrule.tables.grid import Grid
from chainrule.terminal import CommandError, plain

SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "white space"}
"""What may separate cells, in the order of trial: a comma may be a decimal sign as well."""
COMMENTS = ("#", "%", "//")
SAMPLE = 200
"""How many lines are looked at to find the separator."""

_BYTE_ORDER_MARKS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_ARCHIVES = {b"PK\x03\x04": "a workbook or an archive", b"\xd0\xcf\x11\xe0": "an old workbook"}


@dataclass
class Cells:
    """The cells of a file.

    Attributes:
        grid: the rows that hold any; comments and empty lines count in their numbers.
        separator: a key of ``SEPARATORS``.
        encoding: how the bytes were read.
        comments: the lines above the table that are no part of it: comments and titles.
    """

    grid: Grid
    separator: str
    encoding: str
    comments: list[str] = field(default_factory=list)


def read(name: str, content: bytes, separator: str | None = None) -> Cells:
    r"""Return the cells of a file.

    Args:
        name: what to call it in errors.
        content: its bytes.
        separator: a key of ``SEPARATORS``; by default it is found out.

    Raises:
        CommandError: it is no text, there is no row in it, or a quote is not closed.

    Example:
        >>> list(read("a.csv", b"a;b\n1,5;2\n").grid)
        [['a', 'b'], ['1,5', '2']]
    """
    text, encoding = decoded(name, content)
    text = text.rstrip("\x1a\0")
    first, comments = 0, []
    for first, line in enumerate(_lines(text)):  # noqa: B007 - used below
        if line.strip() and not line.lstrip().startswith(COMMENTS) and not re.match(r"sep=.\s*$", line):
            break
        comments += [line.strip()] if line.strip() else []
    else:
        raise CommandError(f"{name}: there are no rows")
    if separator is None and comments and (said := re.match("sep=(.)", comments[-1])):
        separator = said[1]
    if separator is None:
        separator = sniffed(list(islice(_lines(text), first, first + SAMPLE)))
    grid = Grid(_parsed(name, islice(_lines(text), first, None), separator, first))
    if not len(grid):
        raise CommandError(f"{name}: there are no rows")
    width = Counter(grid.widths).most_common(1)[0][0]
    titles = 0
    for row in islice(grid, max(len(grid) - 2, 0) if width > 2 else 0):
        if not _is_title(row):
            break
        titles += 1
        comments.append(row[0])
    odd = [i for i, cells in enumerate(grid.widths) if cells != width]
    starts = grid.column(0) if odd else []
    gone = {*range(titles), *(i for i in odd if starts[i].startswith(COMMENTS))}
    comments = [line for line in comments if not line.startswith("sep=")]
    grid = grid.only(i for i in range(len(grid)) if i not in gone) if gone else grid
    return Cells(grid, separator, encoding, comments)


def _lines(text: str) -> Iterator[str]:
    """Run through the lines of a text, with their ends, and hold one at a time."""
    return (line[0] for line in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text))


def decoded(name: str, content: bytes) -> tuple[str, str]:
    r"""Return the text of a file and the name of its encoding.

    Raises:
        CommandError: it is no text.

    Example:
        >>> decoded("a.csv", "größe".encode("utf-16"))[0], decoded("a.csv", b"gr\xf6\xdfe")
        ('größe', ('größe', 'latin-1'))
    """
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            raise CommandError(f"{name}: it is compressed, and the end is missing") from None
    for mark, what in _ARCHIVES.items():
        if content.startswith(mark):
            raise CommandError(f"{name}: it is {what} and no text; save the table as CSV")
    encoding = next((e for mark, e in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    zeros = content[1::2].count(0), content[::2].count(0)
    if encoding == "utf-8" and max(zeros) > 0.3 * len(content[::2]):
        encoding = "utf-16-le" if zeros[0] > zeros[1] else "utf-16-be"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise CommandError(f"{name}: it is no text in {encoding}; save the table as CSV") from None
        text, encoding = content.decode("latin-1"), "latin-1"
        if (
            not any(map(str.isprintable, text))
            or len(re.findall("[\x00-\x08\x0e-\x1f]", text)) > len(text) / 50
        ):
            text += "\0"
    if "\0" in text.rstrip("\0"):
        raise CommandError(f"{name}: it is no CSV file: it holds bytes that are no text")
    return text, encoding.removesuffix("-sig")


def sniffed(lines: list[str]) -> str:
    r"""Return the separator that gives the most lines the same number of cells, and more than one.

    Example:
        >>> sniffed(["1,5;2,5;a\n", "2,5;3,5;b\n"]), sniffed(["1  2\n", "3 4\n"])
        (';', ' ')
    """
    best, share = ",", 0.0
    for separator in SEPARATORS:
        try:
            rows = [row for _, row in _parsed("", lines, separator, 0, strict=False)]
        except CommandError:
            continue
        body = rows[1:] or rows  # a header may have a cell less, for the row's names
        width, count = max(Counter(map(len, body)).items(), key=itemgetter(1), default=(0, 0))
        if width > 1 and count / len(body) > share:
            best, share = separator, count / len(body)
            if separator == "\t" and any(_are_numbers(cell.split()) for row in body for cell in row):
                best, share = " ", 0.0  # tabs and spaces, unless another separator does better
    return best


def _is_title(row: list[str]) -> bool:
    return bool(row[0]) and not any(row[1:]) and number(row[0]) is None and not is_gap(row[0])


def _are_numbers(parts: list[str]) -> bool:
    return len(parts) > 1 and all(number(part) is not None for part in parts)


def _parsed(
    name: str, lines: Iterable[str], separator: str, skipped: int, *, strict: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """Run through the rows that hold anything, each with its number."""
    row_lines: list[str] = []  # of the row at work, for the error

    def told() -> Iterator[str]:
        for line in lines:
            row_lines.append(line)
            yield " ".join(line.split("\t")).strip() + "\n" if separator == " " else line

    reader = csv.reader(told(), delimiter=separator, skipinitialspace=True, strict=strict)
    begins = 0
    try:
        for place, row in enumerate(reader, skipped + 1):
            row_lines.clear()
            begins = reader.line_num
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield place, cells
    except csv.Error as error:
        line = row_lines[0] if row_lines else ""
        what = str(error)
        if '"' in line:
            quoted = f"{plain(line.strip()):.40}"
            what = f"a quote is opened and not closed before a separator; close it or leave it out: {quoted}"
        raise CommandError(f"{name}: row {skipped + begins + 1}: {what}") from None
