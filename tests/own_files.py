"""Files as people have them: each kind once, made here, with what must come out of it."""

import gzip
import io
import zipfile
from dataclasses import dataclass

import numpy as np

from nn import iris
from nn.data import IRIS_SPECIES

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
_X, _y = iris()
_ORDER = np.random.default_rng(0).permutation(150)[:60]
ROWS = [[*map(str, _X[i].tolist()), IRIS_SPECIES[_y[i]]] for i in _ORDER]
COUNT = len(ROWS)


@dataclass(frozen=True)
class File:
    """A file and what must come out of it.

    Attributes:
        content: its bytes.
        points: how many points there are to learn from; 0 if the file must be refused.
        inputs: how many inputs the network has.
        classes: how many classes, 0 for a number, -2 for two numbers.
        options: what is asked for from the start.
        remedy: the option that the error without it must name; none if the file trains as it is.
        said: what must be printed, or be in the error of a file that is refused.
        suffix: of its name.
    """

    content: bytes
    points: int = COUNT
    inputs: int = 4
    classes: int = 3
    options: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()
    said: str = ""
    suffix: str = ".csv"


def lines(rows, separator=",", end="\n"):
    return "".join(separator.join(row) + end for row in rows)


def flowers(names=NAMES, rows=ROWS, **how):
    return lines([names, *rows] if names else rows, **how)


def with_column(place, name, cells):
    """Return the flowers with a column more."""
    rows = [[*row[:place], cell, *row[place:]] for row, cell in zip(ROWS, cells, strict=True)]
    return flowers([*NAMES[:place], name, *NAMES[place:]], rows)


def with_labels(labels):
    return flowers(rows=[[*row[:4], labels[IRIS_SPECIES.index(row[4])]] for row in ROWS])


def with_cells(said, every=10, column=1):
    """Return the flowers with another cell in some rows of a column."""
    rows = [[*row] for row in ROWS]
    for i in range(0, COUNT, every):
        rows[i][column] = said
    return flowers(rows=rows)


def commas(rows):
    return [[cell.replace(".", ",") for cell in row] for row in rows]


def text(content, encoding="utf-8", **facts):
    return File(content.encode(encoding), **facts)


def workbook():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


def many(count, *, start=0, form="{}"):
    return [form.format(start + i) for i in range(count)]


GAPS = 6
COLOURS = [["red", "green", "blue"][i % 3] for i in range(COUNT)]
CARS = [[b, d, s, "yes" if (b == "low") ^ (d == "2") else "no"] for b in ("low", "med", "high")
        for d in ("2", "4", "5more") for s in ("big", "small") for _ in range(4)]  # fmt: skip
NUMBERS = [[*row[:4], str(round(float(row[0]) * 3 - float(row[2]), 3))] for row in ROWS]

FILES = {
    # headers
    "a header": text(flowers()),
    "no header": text(flowers(None), said="no header (guessed"),
    "a header of counts and names": text(flowers(["60", "4", "setosa", "versicolor", "virginica"])),
    "a header of numbers": text(
        flowers(["1", "2", "3", "4", "species"]), said="row 1 is the header (guessed"
    ),
    "a header of numbers, told": text(flowers(["1", "2", "3", "4", "5"]), options=("--header",)),
    "numbered columns": text(flowers(["0", "1", "2", "3", "4"], NUMBERS), classes=0),
    "years for names": text(flowers(["1990", "1991", "1992", "1993", "1994"], NUMBERS), classes=0),
    "no header, told": text(flowers(None), options=("--no-header",), said="read as   commas, no header\n"),
    "a repeated name": text(flowers(["a", "a", "b", "b", "t"]), said="repeated names are numbered"),
    "a column without a name": text(flowers(["a", "", "b", "c", "t"])),
    "names in other scripts": text(flowers(["длина", "幅", "größe", "é", "вид"])),
    "texts above texts": text(
        lines([["buying", "doors", "boot", "class"], *CARS]), points=72, inputs=8, classes=2
    ),
    "texts without a header": text(lines(CARS), points=72, inputs=8, classes=2, said="no header"),
    # separators
    "semicolons": text(flowers(separator=";"), said="semicolons"),
    "tabs": text(flowers(separator="\t"), said="tabs", suffix=".tsv"),
    "bars": text(flowers(separator="|"), said="bars"),
    "spaces": text(flowers(separator="   "), said="white space", suffix=".data"),
    "spaces before and behind": text("".join(f"  {' '.join(r)} \n" for r in ROWS), suffix=".data"),
    "tabs and spaces": text(
        "".join(f'{" ".join(row[:4])}\t"the {row[4]} flower"\n' for row in ROWS), suffix=".data"
    ),
    "a space after each comma": text(flowers(separator=", ")),
    "decimal commas": text(flowers(rows=commas(ROWS), separator=";"), said="decimal commas"),
    "decimal commas and tabs": text(flowers(rows=commas(ROWS), separator="\t"), said="decimal commas"),
    "thousands with points": text(
        flowers(
            rows=[["1." + row[0].replace(".", "") + "0,5", *commas([row])[0][1:]] for row in ROWS],
            separator=";",
        ),
        said="decimal commas",
    ),
    "a first line that names the separator": text("sep=;\n" + flowers(separator=";")),
    "a separator of one's own": text(flowers(separator="~"), remedy=("--separator", "~")),
    # encodings and line ends
    "a byte order mark": text(flowers(), "utf-8-sig"),
    "UTF-16": text(flowers(), "utf-16", said="utf-16"),
    "UTF-16 without a mark": text(flowers(), "utf-16-le", said="utf-16-le"),
    "UTF-16, big end first, without a mark": text(flowers(), "utf-16-be"),
    "UTF-32": text(flowers(), "utf-32"),
    "Latin-1": text(flowers(["länge", "größe", "b", "c", "art"]), "latin-1", said="latin-1"),
    "Windows' line ends": text(flowers(end="\r\n")),
    "old line ends": text(flowers(end="\r")),
    "no line end at the end": text(flowers().rstrip("\n")),
    "blank lines at the end": text(flowers() + "\n\n"),
    "a line of spaces at the end": text(flowers() + "   \n"),
    "blank lines between": text(flowers(end="\n\n")),
    "a row of separators at the end": text(flowers() + ",,,,\n"),
    "a separator at the end of each line": text(flowers(end=",\n"), said="left out 'column 6': no values"),
    "DOS's end of file": text(flowers() + "\x1a"),
    "compressed": File(gzip.compress(flowers().encode()), suffix=".csv.gz"),
    # comments
    "comments above": text("# Iris\n# by Fisher\n" + flowers(), said="2 comment lines above"),
    "comments of percent signs": text("% Iris\n%\n" + flowers(None), suffix=".data"),
    "a title above": text("Measurements of irises\n\n" + flowers(), said="1 comment line above"),
    "a title above in a cell": text("Irises,,,,\n" + flowers(), said="1 comment line above"),
    "NumPy's header": text("# " + flowers(), said="the last comment names the columns"),
    "comments below": text(flowers() + "# the end\n"),
    "a comment that has a quote": text('# "Iris\n' + flowers()),
    # columns that say nothing
    "pandas' index": text(
        lines([["", *NAMES], *[[str(i), *row] for i, row in enumerate(ROWS)]]), said="left out"
    ),
    "R's row names": text(
        lines([[f'"{n}"' for n in NAMES], *[[f'"{i}"', *row] for i, row in enumerate(ROWS, 1)]], " "),
        said="left out 'column 1'",
        suffix=".txt",
    ),
    "an index that was saved again": text(
        with_column(0, "Unnamed: 0", many(COUNT)), said="left out 'Unnamed: 0'"
    ),
    "identifiers": text(with_column(0, "FlowerId", many(COUNT, start=1000)), said="left out 'FlowerId'"),
    "identifiers of 20 digits": text(
        with_column(0, "code", many(COUNT, start=10**19)), said="left out 'code': a different number"
    ),
    "names": text(
        with_column(2, "who", many(COUNT, form="Flower {}")), said="left out 'who': a different text"
    ),
    "dates": text(with_column(0, "day", many(COUNT, form="2024-01-{:02d}")), said="left out 'day': dates"),
    "dates with points": text(
        with_column(0, "tag", many(COUNT, form="{}.3.1998")), said="left out 'tag': dates"
    ),
    "dates and times": text(with_column(0, "at", many(COUNT, form="2024-01-31 12:{:02d}:00")), said="dates"),
    "times": text(with_column(0, "at", many(COUNT, form="12:{:02d}")), said="dates"),
    "dates of digits": text(with_column(0, "date", many(COUNT, start=20240101)), said="dates"),
    "an empty column": text(with_column(3, "note", [""] * COUNT), said="left out 'note': no values"),
    "a constant column": text(with_column(3, "version", ["1"] * COUNT), inputs=5),
    "columns dropped": text(flowers(), options=("--drop", "petal_length,2"), inputs=2),
    "columns chosen": text(flowers(), options=("--inputs", "petal_length, petal_width"), inputs=2),
    # texts as inputs
    "a column of texts": text(
        with_column(0, "colour", COLOURS), inputs=7, said="one-hot   colour: blue, green, red"
    ),
    "true and false": text(with_column(0, "wild", ["True", "False"] * (COUNT // 2)), inputs=6),
    "ranges": text(with_column(0, "age", ["20-29", "30-39", "40-49"] * (COUNT // 3)), inputs=7),
    "numbers and few texts": text(with_column(0, "doors", ["2", "3", "4", "5more"] * (COUNT // 4)), inputs=8),
    "texts in quotes": text(lines([[f'"{cell}"' for cell in row] for row in [NAMES, *ROWS]])),
    "commas within quotes": text(with_column(0, "colour", [f'"{c}, dark"' for c in COLOURS]), inputs=7),
    "line ends within quotes": text(with_column(0, "colour", [f'"{c}\nor so"' for c in COLOURS]), inputs=7),
    "quotes within quotes": text(with_column(0, "colour", [f'"a ""{c}"" one"' for c in COLOURS]), inputs=7),
    "control characters": text(with_labels(["\x1b[31mred", "b\x07", "c"]), said=r"\x1b[31mred"),
    # labels
    "labels of numbers": text(with_labels(["0", "1", "2"])),
    "labels 1 and 2": text(with_labels(["1", "2", "2"]), classes=2),
    "labels -1 and 1": text(with_labels(["-1", "1", "1"]), classes=2),
    "labels that begin with 0": text(with_labels(["007", "7", "08"]), said="target    species: 007, 08, 7"),
    "labels with a line below": text(
        with_labels(["1_1", "11", "1_2"]), said="target    species: 11, 1_1, 1_2"
    ),
    "labels of 20 digits": text(with_labels([str(10**19 + k) for k in range(3)]), said=str(10**19)),
    "labels true and false": text(with_labels(["True", "False", "False"]), classes=2),
    "a class of one": text(
        flowers(rows=[[*r[:4], "odd"] if i == 5 else r for i, r in enumerate(ROWS)]), classes=4
    ),
    "a number to predict": text(flowers(rows=NUMBERS), classes=0),
    "the target first": text(flowers(NAMES[::-1], [r[::-1] for r in ROWS]), options=("--target", "species")),
    "the target in the middle": text(
        flowers([*NAMES[:2], NAMES[4], *NAMES[2:4]], [[*r[:2], r[4], *r[2:4]] for r in ROWS]),
        options=("--target", "3"),
    ),
    "two targets": text(flowers(rows=NUMBERS), options=("--target", "1,species"), inputs=3, classes=-2),
    "names as the last column": text(
        flowers([*NAMES, "name"], [[*row, f"flower {i}"] for i, row in enumerate(ROWS)]),
        remedy=("--target", "species"),
    ),
    "a date as the last column": text(
        flowers([*NAMES, "day"], [[*row, f"2024-02-{i:02d}"] for i, row in enumerate(ROWS)]),
        remedy=("--target", "species"),
    ),
    "one value as the last column": text(
        flowers([*NAMES, "source"], [[*row, "field"] for row in ROWS]),
        inputs=5,
        remedy=("--target", "species"),
    ),
    # gaps
    "question marks": text(with_cells("?"), remedy=("--missing", "drop"), points=COUNT - GAPS),
    "NA": text(with_cells("NA"), remedy=("--missing", "mean"), said="filled 6 gaps"),
    "dashes": text(with_cells("-"), remedy=("--missing", "mean")),
    "blanks": text(
        with_cells(" "), remedy=("--missing", "drop"), points=COUNT - GAPS, said="left out 6 rows of 60"
    ),
    "nan": text(with_cells("NaN"), remedy=("--missing", "mean")),
    "gaps in the target": text(with_cells("?", column=4), remedy=("--missing", "mean"), points=COUNT - GAPS),
    "gaps among texts": text(
        with_column(0, "colour", ["?" if i % 10 == 0 else c for i, c in enumerate(COLOURS)]),
        inputs=7,
        remedy=("--missing", "mean"),
    ),
    "short rows": text(flowers() + "5,3\n5,3\n", remedy=("--missing", "drop")),
    "a gap that has a name of its own": text(
        with_cells("unknown", every=60), inputs=3, remedy=("--drop", "2")
    ),
    # numbers
    "per cent": text(flowers(rows=[[f"{row[0]}%", *row[1:]] for row in ROWS])),
    "money": text(flowers(rows=[[f'"$1,{row[0].replace(".", "")}0.50"', *row[1:]] for row in ROWS])),
    "powers of ten": text(flowers(rows=[[f"{float(row[0]) * 1e-7:.3E}", *row[1:]] for row in ROWS])),
    "sizes beyond squares": text(
        flowers(rows=[[f"{float(r[0]) * 1e200!r}", f"{float(r[1]) * 1e-200!r}", *r[2:]] for r in ROWS])
    ),
    "plus signs and bare points": text(
        flowers(rows=[["+" + row[0], row[1].lstrip("0"), *row[2:]] for row in ROWS])
    ),
    "many columns": text(
        flowers([f"c{i}" for i in range(120)] + ["t"], [[*(row[:4] * 30), row[4]] for row in ROWS]),
        inputs=120,
    ),
    # what no option mends
    "an unclosed quote": text(
        flowers().replace(",setosa", ',"setosa', 1), points=0, said="a quote is opened and not"
    ),
    "a row too long": text(flowers() + "1,2,3,4,5,6\n", points=0, said="row 62, column 6: a cell too many"),
    "a workbook": File(workbook(), points=0, said="a workbook or an archive and no text", suffix=".xlsx"),
    "a picture": File(
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, points=0, said="it holds bytes that are no text"
    ),
    "nothing": File(b"", points=0, said="there are no rows"),
}
