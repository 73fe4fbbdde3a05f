"""A picture as a flat list of lines and texts, for formats that are written from them: PDF and TikZ.

It is read from our own SVG, so that every picture, a drawing, a frame of an animation or a worksheet, is a
page of a PDF as well. What SVG has beyond that, such as filters, is not known here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from autograd.drawing.labels import SVG

Point = tuple[float, float]
Segment = tuple[str, tuple[Point, ...]]
"""``M`` (to a point), ``L`` (a line), ``C`` (a cubic Bézier curve: two handles, the end) or ``Z`` (close)."""

_ARC = 0.5522847498  # how long the handles of a quarter of a circle are, by its radius
_INHERITED: tuple[str, ...] = (
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-linecap",
    "font-size",
)
_INHERITED += ("font-style", "font-weight", "text-anchor")
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")


@dataclass(frozen=True)
class Curve:
    """Lines and curves, drawn and filled alike.

    Attributes:
        segments: where they lead.
        fill: a colour, None for none.
        stroke: likewise.
        width: of the stroke, in points.
        dash: the lengths of dashes and gaps; none for a solid line.
    """

    segments: tuple[Segment, ...]
    fill: str | None
    stroke: str | None
    width: float
    dash: tuple[float, ...]


@dataclass(frozen=True)
class Text:
    """A line of text.

    Attributes:
        place: where its baseline is anchored.
        text: the letters.
        size: theirs, in points.
        anchor: ``"start"``, ``"middle"`` or ``"end"``: which end of the baseline the place is.
        colour: theirs.
        halo: the colour around them, None for none.
        reach: how far the halo reaches, in points.
        italic: whether they are slanted.
        bold: whether they are heavy.
    """

    place: Point
    text: str
    size: float
    anchor: str
    colour: str
    halo: str | None
    reach: float
    italic: bool
    bold: bool


@dataclass(frozen=True)
class Sheet:
    """A picture.

    Attributes:
        width: in points.
        height: likewise.
        shapes: what is drawn, the lowest first; x to the right and y down, from the upper left corner.
    """

    width: float
    height: float
    shapes: tuple[Curve | Text, ...]


def sheet_of(svg: str) -> Sheet:
    """Return what an SVG of ours shows.

    Example:
        >>> from autograd import Value, draw_dot
        >>> sheet = sheet_of(draw_dot(Value(2.0, "x")).svg())
        >>> [shape.text for shape in sheet.shapes if isinstance(shape, Text)]
        ['x', '2', 'grad 0']
    """
    root = ElementTree.fromstring(svg)
    left, top, width, height = map(float, root.get("viewBox", "").split())
    wide = _length(root.get("width", "100%"), width)
    scale = wide / width
    reader = _Reader(width, height)
    return Sheet(wide, height * scale, tuple(reader.read(root, (scale, -left * scale, -top * scale), {})))


def _length(text: str, whole: float) -> float:
    return float(text[:-1]) / 100 * whole if text.endswith("%") else float(text.removesuffix("pt"))


class _Reader:
    def __init__(self, width: float, height: float) -> None:
        self.size = {"x": width, "y": height, "width": width, "height": height}

    def read(
        self, element: Element, place: tuple[float, float, float], style: Mapping[str, str]
    ) -> Iterator[Curve | Text]:
        """Yield the shapes of an element.

        Args:
            element: it, with those within it.
            place: the scale and the shift that lead from its coordinates to the sheet's.
            style: what it inherits.
        """
        scale, dx, dy = place
        for kind, numbers in re.findall(r"(\w+)\(([^)]*)\)", element.get("transform", "")):
            first, *others = map(float, _NUMBER.findall(numbers))
            if kind == "translate":
                dx, dy = dx + scale * first, dy + scale * (others[0] if others else 0.0)
            elif kind == "scale":
                scale *= first
        style = dict(style) | {name: element.get(name, "") for name in _INHERITED if name in element.attrib}
        place = scale, dx, dy
        tag = element.tag.removeprefix(SVG)
        if tag == "text":
            if element.text:
                yield self.text(element, place, style)
            return
        segments = tuple(self.segments(tag, element))
        fill, stroke = (_colour(style.get(name, default)) for name, default in _PAINT)
        if segments and (fill or stroke):
            width = scale * float(style.get("stroke-width", 1.0))
            dash = tuple(
                scale * float(number) for number in _NUMBER.findall(style.get("stroke-dasharray", ""))
            )
            moved = tuple(
                (verb, tuple((scale * x + dx, scale * y + dy) for x, y in to)) for verb, to in segments
            )
            yield Curve(moved, fill, stroke, width, dash)
        for part in element:
            yield from self.read(part, place, style)

    def number(self, element: Element, name: str) -> float:
        return _length(element.get(name, "0"), self.size.get(name, 0.0))

    def segments(self, tag: str, element: Element) -> Iterator[Segment]:
        if tag in ("polygon", "polyline"):
            points = _points(element.get("points", ""))
            yield "M", (points[0],)
            yield from (("L", (point,)) for point in points[1:])
            if tag == "polygon":
                yield "Z", ()
        elif tag == "path":
            for verb, numbers in re.findall(r"([MLCZz])([^MLCZz]*)", element.get("d", "")):
                points, step = _points(numbers), 3 if verb == "C" else 1
                if verb in "Zz":
                    yield "Z", ()
                for k in range(0, len(points), step):
                    yield ("L" if verb == "M" and k else verb), tuple(points[k : k + step])
        elif tag == "line":
            x1, y1, x2, y2 = (self.number(element, name) for name in ("x1", "y1", "x2", "y2"))
            yield "M", ((x1, y1),)
            yield "L", ((x2, y2),)
        elif tag == "rect":
            x, y, width, height, r = (
                self.number(element, name) for name in ("x", "y", "width", "height", "rx")
            )
            yield from _rounded(x, y, x + width, y + height, r, r)
        elif tag in ("ellipse", "circle"):
            x, y, r = (self.number(element, name) for name in ("cx", "cy", "r"))
            rx, ry = (self.number(element, name) or r for name in ("rx", "ry"))
            yield from _rounded(x - rx, y - ry, x + rx, y + ry, rx, ry)

    def text(self, element: Element, place: tuple[float, float, float], style: Mapping[str, str]) -> Text:
        scale, dx, dy = place
        size = float(style.get("font-size", "16").removesuffix("pt"))
        x, y = self.number(element, "x"), self.number(element, "y")
        y += size * float(element.get("dy", "0em").removesuffix("em"))
        halo = _colour(style.get("stroke", "none"))
        return Text(
            (scale * x + dx, scale * y + dy),
            element.text or "",
            scale * size,
            style.get("text-anchor", "start"),
            _colour(style.get("fill", "black")) or "black",
            halo,
            scale * float(style.get("stroke-width", 1.0)) if halo else 0.0,
            style.get("font-style") == "italic",
            style.get("font-weight") == "bold",
        )


_PAINT = (("fill", "black"), ("stroke", "none"))


def _colour(text: str) -> str | None:
    return None if text in ("none", "transparent") else text


def _points(text: str) -> list[Point]:
    numbers = [float(number) for number in _NUMBER.findall(text)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _rounded(x1: float, y1: float, x2: float, y2: float, rx: float, ry: float) -> Iterator[Segment]:
    """Yield a rectangle whose corners are quarters of an ellipse."""
    hx, hy = (1 - _ARC) * rx, (1 - _ARC) * ry
    corners = [
        ((x2 - rx, y1), (x2 - hx, y1), (x2, y1 + hy), (x2, y1 + ry)),
        ((x2, y2 - ry), (x2, y2 - hy), (x2 - hx, y2), (x2 - rx, y2)),
        ((x1 + rx, y2), (x1 + hx, y2), (x1, y2 - hy), (x1, y2 - ry)),
        ((x1, y1 + ry), (x1, y1 + hy), (x1 + hx, y1), (x1 + rx, y1)),
    ]
    yield "M", (corners[-1][-1],)
    for start, *curve in corners:
        yield "L", (start,)
        if rx or ry:
            yield "C", tuple(curve)
    yield "Z", ()
