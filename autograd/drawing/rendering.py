"""From Graphviz's SVG to the picture: colours, classes and titles; and from the picture to pixels."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from autograd.drawing.labels import SVG, place_labels
from autograd.drawing.style import FONT, TEXT_STYLES
from autograd.locks import importing

MAX_PIXELS = 8192
"""The longest side of a PNG; a larger picture is scaled down to it."""
_LEGIBLE = 7.0  # pixels of a letter's size, below which digits cannot be told apart
_INHERITED = {  # by almost every text: said once, at the graph's group, so that a caption inherits none of it
    "font-size": "12.00",
    "text-anchor": "middle",
    "{http://www.w3.org/XML/1998/namespace}space": "preserve",
}


def styled(svg: bytes, rankdir: str, titles: Mapping[str, str]) -> str:
    """Put colours, classes and titles on Graphviz's SVG.

    Args:
        svg: what Graphviz made of a graph in DOT, whose groups have ids and classes.
        rankdir: where the graph flows.
        titles: the title of each group, by its id.
    """
    ElementTree.register_namespace("", SVG[1:-1])
    root = ElementTree.fromstring(svg)
    root.set("class", "computation-graph")
    root.set("font-family", f"{FONT}, Verdana, sans-serif")
    graph = root.find(f"{SVG}g")
    assert graph is not None  # Graphviz puts all of a graph into one group
    graph.set("stroke-linecap", "square")  # leaves no gap where an edge meets a wire
    graph.attrib.update(_INHERITED)
    level = rankdir in ("LR", "RL")
    for group in root.iter(f"{SVG}g"):
        for title in group.findall(f"{SVG}title"):
            title.text = titles[group.get("id", "")]
        kinds = group.get("class", "").split()
        texts = group.findall(f"{SVG}text")
        for text, kind in zip(texts, _text_kinds(kinds, len(texts), rankdir), strict=True):
            del text.attrib["font-family"]
            for name in [name for name, common in _INHERITED.items() if text.get(name) == common]:
                del text.attrib[name]
            text.attrib.update(TEXT_STYLES[kind], **{"class": kind})
            if kind == "operation" and not (text.text or "").strip("*"):
                text.set("dy", "0.2em")  # an asterisk sits high on its line
        if "value" in kinds:
            _turn_frame_into_wire(group, level)
    place_labels(root, level)
    return ElementTree.tostring(root, encoding="unicode")


def _text_kinds(kinds: Sequence[str], count: int, rankdir: str) -> Iterable[str]:
    """Return the class of each of a group's ``count`` texts, in Graphviz's order."""
    if "value" not in kinds:
        return [
            "operation" if "gate" in kinds else "label" if {"box", "reference"} & {*kinds} else "local"
        ] * count
    numbers = ["data"] if "constant" in kinds else ["data", "grad"]
    labels = ["label"] * (count - len(numbers))  # one text for each line
    return numbers + labels if rankdir == "RL" and len(numbers) == 2 else labels + numbers


def _turn_frame_into_wire(group: Element, level: bool) -> None:
    """Of a record's lines, leave the one between data and grad if the flow is level, and none otherwise."""
    for frame in group.findall(f"{SVG}polygon"):
        group.remove(frame)
    for line in group.findall(f"{SVG}polyline"):
        (_, y1), (_, y2) = (point.split(",") for point in line.get("points", "").split())
        if level and y1 == y2:
            line.set("class", "wire")
        else:
            group.remove(line)


def rasterise(svg: str, scale: float) -> bytes:
    """Return an SVG as PNG, in the same pixels on every machine.

    Args:
        svg: the picture; its texts may use DejaVu Sans.
        scale: pixels per CSS pixel; less where a side would be longer than ``MAX_PIXELS``, with a warning if
            the digits cannot be read then.
    """
    with importing:
        import resvg_py

    root = ElementTree.fromstring(svg)
    longest = max(float(root.get(side, "").rstrip("pt")) for side in ("width", "height")) * 96 / 72
    zoom = min(scale, MAX_PIXELS / longest)
    letters = 16 * zoom  # 12 points
    if zoom < scale and letters < _LEGIBLE:
        warnings.warn(
            f"the picture is {longest:,.0f} pixels long, above the {MAX_PIXELS} of a PNG, so its letters are "
            f"{letters:.1f} pixels high and cannot be read; save it as .svg, draw a part of it, or put parts "
            "into groups and step through it",
            stacklevel=3,
        )
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        dpi=96,
        zoom=zoom,
        font_family=FONT,
        font_files=[str(_fonts() / name) for name in ("DejaVuSans.ttf", "DejaVuSans-Oblique.ttf")],
        skip_system_fonts=True,
    )


def _fonts() -> Path:
    with importing:
        import matplotlib

    return Path(matplotlib.get_data_path(), "fonts", "ttf")


def spelled_out(source: str) -> str:
    """Replace each character that the font lacks by its code."""
    if source.isascii():
        return source
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(_fonts() / "DejaVuSans.ttf"))
    missing = {ord(c) for c in source if not c.isascii()} - font.get_charmap().keys()
    return source.translate({code: f"[U+{code:04X}]" for code in missing})
