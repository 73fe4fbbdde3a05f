"""``draw_dot`` and what it returns; the same for elements that are not one graph's."""

import base64
import math
import os
import re
import webbrowser
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from autograd.drawing.dot import describe
from autograd.drawing.elements import Box, Gate, Wire
from autograd.drawing.layout import layout
from autograd.drawing.lines import depth
from autograd.drawing.pdf import pdf_of
from autograd.drawing.rendering import rasterise, spelled_out, styled
from autograd.drawing.style import SIDES
from autograd.drawing.tikz import tikz_of
from autograd.files import write_file
from autograd.locks import computed_once
from autograd.sweeping import bring_up_to_date, topological_order
from autograd.value import Constant, Value
from autograd.variables import named_by_the_user

_LEGIBLE = 1.0  # the scale at which letters are 12 CSS pixels high
_WORTH_TURNING, _WORTH_CUTTING = 1.15, 1.3  # how much larger letters must be for another form than level
_LARGE = 150  # wires and gates, beyond which no form fits a page
Format = Literal["svg", "png"]
Rankdir = Literal["LR", "RL", "TB", "BT"]
FORMATS: tuple[str, ...] = get_args(Format)
SUFFIXES = (".svg", ".png", ".pdf", ".tex", ".dot")


def draw_dot(
    root: Value | Sequence[Value],
    format: Format = "svg",  # noqa: A002 - the name that micrograd gave it
    rankdir: Rankdir = "LR",
    *,
    local_derivatives: bool = False,
    limit: int | None = 2000,
) -> "Drawing":
    """Draw the graph that computed ``root``, with the data and gradients it has now.

    Args:
        root: the output of the graph, or a sequence of outputs.
        format: how the drawing shows itself in a notebook, ``"svg"`` or ``"png"``.
        rankdir: where the graph flows: ``"LR"`` (left to right), ``"RL"``, ``"TB"`` (downwards) or ``"BT"``.
        local_derivatives: write on each wire into a gate the derivative of the gate's output by that operand.
        limit: the largest number of nodes to draw; ``None`` for any number.

    Returns:
        The drawing. Operands enter a gate in their order, from the top or from the left. A graph of very many
        gates in a row is drawn in lines, as a text is; a wire from far or from another line is cut, and its
        label, or for want of one its id, is written at both ends.

    Raises:
        TypeError: ``root`` is neither a Value nor a sequence of Values.
        ValueError: an unknown ``format`` or ``rankdir``, an empty sequence, or a graph above the limit.

    Example:
        >>> from autograd import Value
        >>> x, y, z = Value(-2, "x"), Value(5, "y"), Value(-4, "z")
        >>> f = (x + y) * z
        >>> f.backward()
        >>> drawing = draw_dot(f)
        >>> drawing
        <Drawing: computation graph of 5 values>
        >>> 'class="grad">grad 3</text>' in drawing.svg()
        True
    """
    _require("format", format, FORMATS)
    _require("rankdir", rankdir, tuple(SIDES))
    roots = list(root) if isinstance(root, Iterable) else [root]
    if not roots:
        raise ValueError("there is nothing to draw: root is an empty sequence; pass at least one Value")
    for each in roots:
        if not isinstance(each, Value):
            raise TypeError(f"root must be a Value or a sequence of Values, not {type(each).__name__}")
    order = topological_order(*roots)
    bring_up_to_date(order)
    if limit is not None and len(order) > limit:
        raise ValueError(
            f"the graph has {len(order)} nodes, above the limit of {limit}; "
            f"draw a part of it, or lift the limit with limit={len(order)} or limit=None"
        )
    return draw_elements(_elements(order, local_derivatives), (), format, rankdir)


@dataclass(frozen=True, repr=False)
class Drawing:
    """A picture of a graph as it was when ``draw_dot`` was called.

    In the SVG, the value at place ``k`` of the topological order is drawn by the groups ``n{k}`` (its label,
    numbers and wire), ``g{k}`` (the gate that computes it), ``e{k}-{i}`` (from its parent ``i`` to the gate)
    and ``o{k}`` (from the gate to the wire); where a wire is cut, ``e{k}-{i}-name`` is its name at the gate.
    Their classes are ``value`` (with ``leaf`` or ``constant``), ``gate``, ``operand``, ``output`` and
    ``reference``; those of the texts are ``label``, ``data``, ``grad``, ``local`` and
    ``operation``. The title of a group has its numbers in full precision.

    Attributes:
        source: the graph in the DOT language.
        format: ``"svg"`` or ``"png"``, the form that a notebook shows.
        rankdir: where the graph flows.
        titles: the title of each group, by its id.
    """

    source: str
    format: str
    rankdir: str
    titles: Mapping[str, str]

    def svg(self) -> str:
        """Return the picture as SVG.

        Raises:
            RuntimeError: Graphviz could not lay out the graph; so for the other forms.
        """
        return self._svg(self.source)

    def png(self, scale: float = 2.0) -> bytes:
        """Return the picture as PNG.

        A character that its font, DejaVu Sans, does not have is written as its code, such as ``[U+1F680]``.

        Args:
            scale: pixels per CSS pixel (1/96 inch); less where a side would be longer than ``MAX_PIXELS``.

        Raises:
            ValueError: ``scale`` is not a positive number.
        """
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f"scale must be a positive number, not {scale!r}")
        return rasterise(self._svg(spelled_out(self.source)), scale)

    def pdf(self) -> bytes:
        """Return the picture as a PDF of one page. Its texts can be searched.

        A character that its font, DejaVu Sans, does not have is written as its code, such as ``[U+1F680]``.
        """
        return pdf_of([self._svg(spelled_out(self.source))], self.titles["graph"])

    def tikz(self) -> str:
        """Return the picture as a ``tikzpicture`` environment, for a document in LaTeX that loads TikZ."""
        return tikz_of(self.svg())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the form that its suffix names.

        Args:
            path: ends in ``.svg``, ``.png``, ``.pdf``, ``.tex`` (a ``tikzpicture`` for LaTeX) or ``.dot``.

        Returns:
            The path.

        Raises:
            ValueError: another suffix.
            OSError: the file cannot be written; what was there before is untouched.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        _require("the suffix of the path", suffix, SUFFIXES)
        if suffix == ".png":
            content = self.png()
        elif suffix == ".pdf":
            content = self.pdf()
        elif suffix == ".tex":
            content = f"{self.tikz()}\n".encode()
        else:
            content = (self.source if suffix == ".dot" else self.svg()).encode()
        write_file(path, content)
        return path

    def render(
        self,
        filename: str | os.PathLike[str] = "graph",
        *,
        format: str | None = None,  # noqa: A002 - the name that Graphviz's package gave it
        cleanup: bool = False,
        view: bool = False,
    ) -> str:
        """Write the DOT source and the picture, as `graphviz.Digraph.render` does for lecture code.

        Args:
            filename: of the source; the picture's has the format's suffix after it.
            format: ``"svg"``, ``"png"``, ``"pdf"`` or ``"tex"``; by default the drawing's own.
            cleanup: keep the picture only.
            view: open the picture with the system's viewer.

        Returns:
            The picture's path.

        Raises:
            ValueError: another format; otherwise as for `save`.

        Example:
            >>> import os, tempfile
            >>> from autograd import Value
            >>> dot = draw_dot(Value(2.0) * Value(3.0))
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = dot.render(os.path.join(folder, "gout"))
            ...     sorted(os.listdir(folder))
            ['gout', 'gout.svg']
        """
        form = self.format if format is None else format
        _require("format", form, tuple(suffix[1:] for suffix in SUFFIXES if suffix != ".dot"))
        picture = self.save(f"{os.fspath(filename)}.{form}")
        if not cleanup:
            write_file(Path(filename), self.source.encode())
        if view:
            webbrowser.open(picture.absolute().as_uri())
        return str(picture)

    def __repr__(self) -> str:
        """Return a line for consoles."""
        return f"<Drawing: {self.titles['graph']}>"

    def _repr_svg_(self) -> str | None:
        return self.svg() if self.format == "svg" else None

    def _repr_png_(self) -> bytes | None:
        return self.png() if self.format == "png" else None

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str] | tuple[dict[str, str], dict[str, Any]]:
        if self.format == "svg":
            return {"image/svg+xml": self.svg()}
        scale = 2.0
        png = self.png(scale)
        width = int.from_bytes(png[16:20]) / scale  # fine pixels at the size of the SVG
        return {"image/png": base64.b64encode(png).decode()}, {"image/png": {"width": width}}

    @computed_once
    def _laid_out(self) -> bytes:
        return layout(self.source)

    @property
    def size(self) -> tuple[float, float]:
        """The width and height, in points."""
        width, height = re.findall(rb' (?:width|height)="([\d.]+)pt"', self._laid_out[:1000])
        return float(width), float(height)

    def _svg(self, source: str) -> str:
        laid_out = self._laid_out if source == self.source else layout(source)
        return styled(laid_out, self.rankdir, self.titles)


def draw_elements(
    elements: Iterable[Wire | Gate],
    boxes: Sequence[Box] = (),
    form: str = "svg",
    rankdir: str = "LR",
    length: int | None = None,
    rows: Sequence[Sequence[str]] = (),
) -> "Drawing":
    """Draw wires and gates, with boxes around some of them.

    Args:
        elements: in the order of the flow; an edge may lead to a wire that is still to come.
        boxes: the outermost boxes.
        form: ``"svg"`` or ``"png"``, the form that a notebook shows.
        rankdir: where the graph flows.
        length: how many gates in a row a line has; by default a graph gets lines only if it is very long.
        rows: names of wires that stand in one row across the flow, in their order from the top or from the
            left. No wire of a row may be computed from another.
    """
    source, titles = describe(list(elements), boxes, rankdir, length, rows)
    return Drawing(source, form, rankdir, titles)


def draw_fitting(
    elements: Iterable[Wire | Gate],
    boxes: Sequence[Box],
    rooms: Sequence[tuple[float, float]],
    rows: Sequence[Sequence[str]] = (),
) -> "Drawing":
    """Draw wires and gates so that they can be read on a page.

    From left to right, if letters are large enough then; else downwards or in lines, as a text is, if they
    are larger so.

    Args:
        elements: as for `draw_elements`.
        boxes: the outermost boxes; a picture with boxes is not drawn in lines.
        rooms: the width and height, in points, of each place where the picture may be put.
        rows: as for `draw_elements`; a picture in lines has none.
    """
    elements = list(elements)

    def scale(drawing: Drawing) -> float:
        width, height = drawing.size
        return max(min(wide / width, high / height) for wide, high in rooms)

    level = draw_elements(elements, boxes, rows=rows)
    row = depth(elements)
    if scale(level) >= _LEGIBLE or row < 2 or len(elements) > _LARGE:
        return level
    down = draw_elements(elements, boxes, rankdir="TB", rows=rows)
    choices = [(scale(level), level), (scale(down) / _WORTH_TURNING, down)]
    if not boxes:
        width, height = level.size
        count = max(
            range(2, row // 2 + 1),
            key=lambda n: max(min(wide * n / width, high / height / n) for wide, high in rooms),
            default=1,
        )
        for n in {count, count + 1} - {1}:
            lines = draw_elements(elements, length=-(-row // n))
            choices.append((scale(lines) / _WORTH_CUTTING, lines))
    return max(choices, key=lambda choice: choice[0])[1]


def _elements(order: Sequence[Value], local_derivatives: bool) -> Iterator["Wire | Gate"]:
    """Yield every value and gate of a graph, with the numbers they have now."""
    place = {id(value): k for k, value in enumerate(order)}
    variables = named_by_the_user()
    for k, value in enumerate(order):
        op, data, grad = value.op, value.data, float(value.grad)
        label = str(value.label) or variables.get(value, "")
        if isinstance(value, Constant):
            yield Wire(f"n{k}", label, data)
            continue
        yield Wire(f"n{k}", label, data, grad, op.name if op else "")
        if op is None:
            continue
        operands = []
        for i, (parent, local) in enumerate(zip(value.parents, value.local_derivatives, strict=True)):
            shown = local_derivatives and not isinstance(parent, Constant)
            operands.append((f"e{k}-{i}", f"n{place[id(parent)]}", local() if shown else None))
        yield Gate(f"g{k}", op.symbol, op.name, tuple(operands), ((f"o{k}", f"n{k}"),))


def _require(name: str, value: object, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")
