"""Worksheets: a page with a graph to fill in, and the page with its solution."""

import html
import os
import random
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from xml.sax.saxutils import escape

from autograd.drawing import INK_COLOUR, pdf_of, rasterise, spelled_out, text_width, tikz_of
from autograd.expression import names_in
from autograd.files import write_file
from autograd.practice.exercises import Exercise
from autograd.practice.kind import kind_numbers
from autograd.practice.sheets import BLANKS, Sheet

SUFFIXES = (".pdf", ".svg", ".png", ".html", ".tex")
PAPERS = {"a4": (841.89, 595.28), "letter": (792.0, 612.0)}
"""The width and height of a page, in points: a sheet lies on its long side."""

_MARGIN = 36.0
_HEAD, _FOOT, _WORKING = 116.0, 26.0, 150.0  # above and below the picture, and for working, in points
_LEGIBLE = 0.57  # the scale at which a box is 4 mm high
_QUIET = "#555555"
_WORKING_LINES = 13.0  # points from line to line of a solution


def worksheet(
    formula: str,
    numbers: Mapping[str, float] | None = None,
    *,
    blank: str = "gradients",
    variants: int = 1,
    seed: int = 0,
    keep: Iterable[str] = (),
    paper: str = "a4",
) -> "Worksheet":
    """Return a worksheet about a formula: its graph with boxes to fill in, and the solution.

    Args:
        formula: as `autograd.expression.parse` reads it, perhaps with named steps.
        numbers: those of the first variant. What is not given is drawn by the seed, so that both passes can
            be computed without a machine where that is possible.
        blank: what to fill in: ``"values"``, ``"gradients"``, ``"locals"`` (local derivatives) or ``"all"``.
        variants: how many sheets with other numbers; each is a page.
        seed: what numbers are drawn with.
        keep: the names whose given numbers are the same in all variants.
        paper: ``"a4"`` or ``"letter"``.

    Returns:
        The worksheet; ``save`` writes it and its solution.

    Raises:
        ExpressionError: the formula cannot be read, or a given name does not occur.
        ValueError: another word for ``blank`` or ``paper``, a count that is not from 1 to 26, a name to
            keep that is not given, nothing that varies, or a graph too large for a page.

    Example:
        >>> sheets = worksheet("(x + y) * z", {"x": -2, "y": 5, "z": -4}, variants=3, seed=7)
        >>> for each in sheets.exercises:
        ...     print(each.task)
        (x + y) * z at x = -2, y = 5, z = -4
        (x + y) * z at x = 2, y = -3, z = -2
        (x + y) * z at x = 3, y = -2, z = -3
    """
    if blank not in BLANKS:
        raise ValueError(f"blank must be one of {', '.join(map(repr, BLANKS))}, not {blank!r}")
    if paper not in PAPERS:
        raise ValueError(f"paper must be one of {', '.join(map(repr, PAPERS))}, not {paper!r}")
    if (
        isinstance(variants, bool)
        or not isinstance(variants, int)
        or not 1 <= variants <= len(ascii_uppercase)
    ):
        raise ValueError(
            f"variants must be a whole number from 1 to {len(ascii_uppercase)}, not {variants!r}"
        )
    given = {name: float(x) for name, x in (numbers or {}).items()}
    names, kept = names_in(formula), dict.fromkeys(keep)
    for name in kept:
        if name not in given:
            raise ValueError(
                f"{name!r} is to be kept, but no number is given for it; give it, or leave it out of keep"
            )
    missing = [name for name in names if name not in given]
    source = random.Random(seed)
    if missing:
        (drawn,) = kind_numbers(formula, missing, source, given)
        given |= drawn
    sets = [given]
    if variants > 1:
        varying = [name for name in names if name not in kept]
        if not varying:
            raise ValueError(
                "all names are to be kept, so there are no other variants; ask for one, or keep fewer"
            )
        held = {name: given[name] for name in kept}
        sets += kind_numbers(formula, varying, source, held, variants - 1, given)
    exercises = [Exercise(formula, _in_order(names, each)) for each in sets]
    return Worksheet(exercises, blank, paper)


def _in_order(names: Sequence[str], numbers: Mapping[str, float]) -> dict[str, float]:
    known = [
        *names,
        *(name for name in numbers if name not in names),
    ]  # one too many is refused when it is read
    return {name: numbers[name] for name in known}


class Worksheet:
    """Exercises on paper. Made by `worksheet`, or from exercises of one's own.

    Args:
        exercises: the variants, each of which is a page.
        blank: what to fill in, a key of `BLANKS`.
        paper: a key of `PAPERS`.

    Raises:
        ExpressionError: a formula cannot be read.
        ValueError: a graph without an operation, or one too large for a page.
    """

    def __init__(self, exercises: Iterable[Exercise], blank: str = "gradients", paper: str = "a4") -> None:
        self.exercises = tuple(exercises)
        self.blank = blank
        self.size = PAPERS[paper]
        width, height = self.size[0] - 2 * _MARGIN, self.size[1] - _HEAD - _FOOT
        self.sheets = []
        for each in self.exercises:
            sheet = Sheet(each, blank, (width, height - _WORKING))
            if self._scale(sheet) < _LEGIBLE:
                count = sum(
                    event.operation is not None
                    for event in sheet.stepper.events[: len(sheet.stepper.outline.order)]
                )
                raise ValueError(
                    f"a graph of {count} operations is too large for a page: its boxes would be lower than "
                    "4 mm; take a part of the formula"
                )
            self.sheets.append(sheet)

    def _room(self, sheet: Sheet) -> tuple[float, float]:
        """Return the width and height of the place of a picture; a large one takes that of the working."""
        width, height = sheet.room
        wide, high = sheet.drawing.size
        whole = min(width / wide, (height + _WORKING) / high)
        return (
            (width, height)
            if min(width / wide, height / high) >= min(1.0, whole)
            else (width, height + _WORKING)
        )

    def _scale(self, sheet: Sheet) -> float:
        return min(
            1.6, *(room / size for room, size in zip(self._room(sheet), sheet.drawing.size, strict=True))
        )

    def title(self, number: int, *, solved: bool) -> str:
        """Return what a page is called."""
        variant = f", variant {ascii_uppercase[number]}" * (len(self.sheets) > 1)
        return f"Worksheet{variant}" + ": solution" * solved

    def pages(self, *, solved: bool = False) -> list[str]:
        """Return a page for each variant, as SVG.

        Args:
            solved: whether the numbers stand in the boxes.
        """
        return [self._page(number, solved=solved) for number in range(len(self.sheets))]

    def _page(self, number: int, *, solved: bool) -> str:
        sheet, (width, height) = self.sheets[number], self.size
        lines = [_text(_MARGIN, 50, self.title(number, solved=solved), 18, weight="bold")]
        if not solved:
            for label, left, right in (("Name", 0.5, 0.76), ("Date", 0.8, 1.0)):
                x, end = (_MARGIN + share * (width - 2 * _MARGIN) for share in (left, right))
                lines.append(_text(x, 50, label, 11))
                lines.append(_line(x + text_width(label, 11) + 8, 52, end, 52))
        for k, part in enumerate(_wrapped(sheet.exercise.task, 13, width - 2 * _MARGIN)[:2]):
            lines.append(_text(_MARGIN, 76 + 17 * k, part, 13))
        below = 76 + 17 * len(_wrapped(sheet.exercise.task, 13, width - 2 * _MARGIN)[:2])
        for k, part in enumerate(_wrapped(sheet.instruction, 10.5, width - 2 * _MARGIN)):
            lines.append(_text(_MARGIN, below + 3 + 14 * k, part, 10.5, colour=_QUIET))
        scale, (wide, high) = self._scale(sheet), sheet.drawing.size
        room = self._room(sheet)
        x, y = (width - scale * wide) / 2, _HEAD + (room[1] - scale * high) / 2
        place = f"translate({x:.2f} {y:.2f}) scale({scale:.4f})"
        lines.append(f'<g transform="{place}">{_inside(sheet.svg(solved=solved))}</g>')
        if solved:
            lines += self._told(sheet, _HEAD + room[1] + 14)
        elif room[1] == sheet.room[1]:
            lines.append(_text(_MARGIN, _HEAD + room[1] + 12, "Room for your working", 9, colour=_QUIET))
        lines.append(
            _text(
                _MARGIN, height - 18, f"{sheet.count} boxes" if sheet.count > 1 else "1 box", 9, colour=_QUIET
            )
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
            f'viewBox="0 0 {width} {height}" font-family="DejaVu Sans, Verdana, sans-serif">'
            f'<rect width="100%" height="100%" fill="white"/>{"".join(lines)}</svg>'
        )

    def _told(self, sheet: Sheet, top: float) -> list[str]:
        """Return the steps of the solution in columns, as far as there is room for all of them."""
        room = int((self.size[1] - _FOOT - top) / _WORKING_LINES)
        longest = max(text_width(step, 8.5) for step in sheet.steps)
        columns = max(1, int((self.size[0] - 2 * _MARGIN + 16) / (longest + 16)))
        if room < 1 or len(sheet.steps) > room * columns:
            return []
        rows = -(-len(sheet.steps) // columns)
        return [
            _text(_MARGIN + (k // rows) * (longest + 16), top + (k % rows) * _WORKING_LINES, step, 8.5)
            for k, step in enumerate(sheet.steps)
        ]

    def html(self, *, solved: bool = False) -> str:
        """Return the pages as a page for browsers, to be printed; its texts can be read aloud."""
        parts = []
        for number, sheet in enumerate(self.sheets):
            steps = "".join(f"<li>{html.escape(step)}</li>" for step in sheet.steps)
            label = f"computation graph with {sheet.count} boxes" + ", filled in" * solved
            picture = sheet.svg(solved=solved).replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
            name = '<p class="name">Name <span></span> Date <span></span></p>' * (not solved)
            parts.append(
                f"<section>\n<h2>{html.escape(self.title(number, solved=solved))}</h2>\n{name}"
                f'<p class="task">{html.escape(sheet.exercise.task)}</p>\n'
                f"<p>{html.escape(sheet.instruction)}</p>\n"
                f"{picture}\n" + f"<ol>{steps}</ol>\n" * solved + "</section>"
            )
        title = "Solution" if solved else "Worksheet"
        page = (Path(__file__).parent / "sheet.html").read_text(encoding="utf-8")
        page = page.replace("%%TITLE%%", title).replace("%%WIDTH%%", f"{self.size[0]}")
        return page.replace("%%SECTIONS%%", "\n".join(parts))

    def tex(self, *, solved: bool = False) -> str:
        """Return the pages as a document for LaTeX, which needs TikZ."""
        paper = "a4paper" if self.size == PAPERS["a4"] else "letterpaper"
        parts = []
        for number, sheet in enumerate(self.sheets):
            name = r"\hfill Name \underline{\hspace{5cm}} Date \underline{\hspace{3cm}}" * (not solved)
            lines = [
                rf"\noindent\textbf{{\Large {_tex(self.title(number, solved=solved))}}}{name}\par\medskip",
                rf"\noindent\texttt{{{_tex(sheet.exercise.task)}}}\par\smallskip",
                rf"\noindent {_tex(sheet.instruction)}\par\bigskip",
                r"\begin{center}",
                tikz_of(sheet.svg(solved=solved), round(self._scale(sheet), 3)),
                r"\end{center}",
            ]
            if solved:
                lines += [r"\begin{flushleft}\scriptsize\ttfamily"]
                lines += [rf"{_tex(step)}\\" for step in sheet.steps]
                lines += [r"\end{flushleft}"]
            parts.append("\n".join(lines))
        return (
            f"\\documentclass[11pt]{{article}}\n\\usepackage[{paper},landscape,margin=10mm]{{geometry}}\n"
            "\\usepackage[T1]{fontenc}\n\\usepackage{tikz}\n\\pagestyle{empty}\n\\begin{document}\n"
            + "\n\\clearpage\n".join(parts)
            + "\n\\end{document}\n"
        )

    def save(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write the worksheet, and its solution beside it: ``sheet.pdf`` and ``sheet-solution.pdf``.

        Args:
            path: ends in ``.pdf``, ``.html`` or ``.tex``, which have a page for each variant, or in ``.svg``
                or ``.png``, of which there is a file for each: ``sheet-A.svg``, ``sheet-A-solution.svg``.

        Returns:
            The paths of the files.

        Raises:
            ValueError: another suffix.
            OSError: a file cannot be written; what was there before is untouched.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise ValueError(
                f"the suffix of the path must be one of {', '.join(map(repr, SUFFIXES))}, not {suffix!r}"
            )
        contents: dict[Path, bytes] = {}
        for solved in (False, True):
            end = "-solution" * solved
            if suffix in (".svg", ".png"):
                for number, page in enumerate(self.pages(solved=solved)):
                    letter = f"-{ascii_uppercase[number]}" * (len(self.sheets) > 1)
                    name = path.with_name(f"{path.stem}{letter}{end}{path.suffix}")
                    contents[name] = page.encode() if suffix == ".svg" else rasterise(spelled_out(page), 1.5)
            else:
                name = path.with_name(f"{path.stem}{end}{path.suffix}")
                if suffix == ".pdf":
                    contents[name] = pdf_of(self.pages(solved=solved), "Solution" if solved else "Worksheet")
                else:
                    text = self.html(solved=solved) if suffix == ".html" else self.tex(solved=solved)
                    contents[name] = text.encode()
        for name, content in contents.items():
            write_file(name, content)
        return [*contents]

    def _repr_svg_(self) -> str:
        return self.pages()[0]

    def __repr__(self) -> str:
        """Return a line for consoles."""
        count = len(self.sheets)
        return f"<Worksheet: {count} page{'s' * (count > 1)}; .save() writes it and its solution>"


def _text(x: float, y: float, text: str, size: float, *, colour: str = INK_COLOUR, weight: str = "") -> str:
    bold = f' font-weight="{weight}"' * bool(weight)
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{bold}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1}" x2="{x2:.1f}" y2="{y2}" stroke="{_QUIET}" stroke-width="0.8"/>'


def _wrapped(text: str, size: float, width: float) -> list[str]:
    whole = re.sub(r" = (?=-?\d)", "\xa0=\xa0", text)  # a name stays on the line of its number
    return [line.replace("\xa0", " ") for line in textwrap.wrap(whole, int(width / (0.58 * size)))]


def _inside(svg: str) -> str:
    """Return what a picture consists of, without the element around it."""
    return re.sub(r"^<svg[^>]*>|</svg>\s*$", "", svg)


def _tex(text: str) -> str:
    escapes = {ord(c): rf"\{c}" for c in "{}$&#_%"} | {ord("\\"): r"\textbackslash{}", ord("^"): r"\^{}"}
    escapes |= {ord("~"): r"\~{}", ord("<"): r"\textless{}", ord(">"): r"\textgreater{}"}
    return text.translate(escapes)
