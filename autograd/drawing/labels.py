"""Where local derivatives are written: beside their wire, where as little else as possible is in the way.

Graphviz would make room for a label of an edge by a rank of its own for all of them; a graph of a few hundred
values takes minutes then. So it is told of them as texts at the arrows' heads, which make no room, and
they are moved on the finished picture.
"""

import math
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

SVG = "{http://www.w3.org/2000/svg}"
_NARROW = dict.fromkeys(" .,:;'!|iljft", 0.33) | dict.fromkeys("-()[]/", 0.4)  # of DejaVu Sans, in ems
_CELL = 40.0  # the side of a square of the map of what is where, in points
_GAP = 4.0  # between a wire and what is written beside it
_PLACES = (0.0, 0.35, 0.7, 1.0)  # along a wire, of the room that a text leaves on it
_ROOM = 90.0  # how far from the gate a text may be, so that a reader sees where it belongs

_BOX = 14.0  # the size of letters that stand for a box to write into, which is not to cover a wire
_CROSSED = 30.0  # how bad that is for each point of a wire

# The weights of a cubic Bézier curve's four points, at five places of it.
_ALONG = [((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3) for t in (0.2, 0.4, 0.6, 0.8, 1.0)]

Area = tuple[float, float, float, float]  # left, top, right, bottom
Point = tuple[float, float]


def place_labels(root: Element, level: bool) -> None:
    """Move the local derivatives of a picture to where they can be read.

    Args:
        root: the picture; the classes of its groups and texts tell what they are.
        level: whether the graph flows from left to right or back.
    """
    taken = _Map()
    labels: list[tuple[Element, Element]] = []
    for group in root.iter(f"{SVG}g"):
        for text in group.findall(f"{SVG}text"):
            if text.get("class") == "local":
                labels.append((group, text))
            else:
                taken.add(_area(text, float(text.get("x", 0)), float(text.get("y", 0))))
        for gate in group.findall(f"{SVG}ellipse"):
            x, y, rx, ry = (float(gate.get(name, 0)) for name in ("cx", "cy", "rx", "ry"))
            taken.add((x - rx, y - ry, x + rx, y + ry))
    boxes = any(float(text.get("font-size", 12)) >= _BOX for _, text in labels)
    paths = root.iter(f"{SVG}path") if boxes else ()
    wires = [_points(path.get("d", "")) for path in paths if path.get("fill") == "none"]
    for group, text in labels:
        path = group.find(f"{SVG}path")
        if path is None:
            continue
        least = math.inf
        x = y = 0.0
        for place in _choices(text, _points(path.get("d", "")), level):
            area = _area(text, *place)
            overlap = taken.overlap(area) + sum(
                _CROSSED for wire in wires for point in wire if _within(point, area)
            )
            if overlap < least:
                least, (x, y) = overlap, place
            if not overlap:
                break
        text.attrib.update({"x": f"{x:.2f}", "y": f"{y:.2f}"})
        # Where a wire has to pass under it, a white edge keeps the letters legible.
        text.attrib.update({"stroke": "white", "stroke-width": "3", "paint-order": "stroke"})
        taken.add(_area(text, x, y))


def _within(point: Point, area: Area) -> bool:
    return area[0] - 2 <= point[0] <= area[2] + 2 and area[1] - 4 <= point[1] <= area[3] + 4


def _choices(text: Element, points: list[Point], level: bool) -> Iterator[Point]:
    """Yield where the middle of a text's baseline may be, the best first."""
    half, size = _width(text) / 2, float(text.get("font-size", 12))
    near = [point for point in points if math.dist(point, points[-1]) <= _ROOM]
    for share in _PLACES:
        x, y = near[round(share * (len(near) - 1))]
        if not level:
            yield x + half + _GAP, y + 0.35 * size
            yield x - half - _GAP, y + 0.35 * size
            continue
        # Above a wire that falls and below one that rises it is not in the wire's own way.
        toward = 1 if points[-1][0] >= points[0][0] else -1
        middle = x + toward * (1 - 2 * share) * (half + _GAP)
        away = 4.0 * (size >= _BOX)  # a box is higher than its letters
        sides = [y - _GAP - away, y + size + away / 2]
        yield from ((middle, side) for side in (sides if points[-1][1] >= points[0][1] - 1 else sides[::-1]))


def _points(path: str) -> list[Point]:
    """Return points of a path of cubic Bézier curves, from its beginning to its end."""
    numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", path)]
    knots = list(zip(numbers[::2], numbers[1::2], strict=True))
    points = knots[:1]
    for k in range(0, len(knots) - 3, 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = knots[k : k + 4]
        points += (
            (a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3) for a, b, c, d in _ALONG
        )
    return points


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is in DejaVu Sans, in points."""
    return size * sum(_NARROW.get(letter, 0.64) for letter in text)


def _width(text: Element) -> float:
    return text_width(text.text or "", float(text.get("font-size", 12)))


def _area(text: Element, x: float, y: float) -> Area:
    """Return what a text covers whose baseline's middle is at a point."""
    half, size = _width(text) / 2, float(text.get("font-size", 12))
    return x - half, y - 0.8 * size, x + half, y + 0.2 * size


class _Map:
    """What is where, in squares, so that a look at one place does not go through all."""

    def __init__(self) -> None:
        self._squares: dict[tuple[int, int], list[Area]] = {}

    def add(self, area: Area) -> None:
        for square in self._touched(area):
            self._squares.setdefault(square, []).append(area)

    def overlap(self, area: Area) -> float:
        """Return how much of an area is taken."""
        found = {other for square in self._touched(area) for other in self._squares.get(square, ())}
        return sum(
            max(0.0, min(area[2], other[2]) - max(area[0], other[0]))
            * max(0.0, min(area[3], other[3]) - max(area[1], other[1]))
            for other in found
        )

    @staticmethod
    def _touched(area: Area) -> Iterator[tuple[int, int]]:
        left, top, right, bottom = (math.floor(side / _CELL) for side in area)
        return ((i, j) for i in range(left, right + 1) for j in range(top, bottom + 1))
