"""From Graphviz's SVG to the picture: colours, classes and titles; and from the picture to pixels."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from autograd.drawing.style import FONT, TEXT_STYLES

MAX_PIXELS = 8192
"""The longest side of a PNG; a larger picture is scaled down to it."""
_SVG = "{http://www.w3.org/2000/svg}"
_INHERITED = {  # by almost every text: said once, at the root
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
    ElementTree.register_namespace("", _SVG[1:-1])
    root = ElementTree.fromstring(svg)
    root.set("class", "computation-graph")
    root.set("font-family", f"{FONT}, Verdana, sans-serif")
    root.set("stroke-linecap", "square")  # leaves no gap where an edge meets a wire
    root.attrib.update(_INHERITED)
    level = rankdir in ("LR", "RL")
    for group in root.iter(f"{_SVG}g"):
        for title in group.findall(f"{_SVG}title"):
            title.text = titles[group.get("id", "")]
        kinds = group.get("class", "").split()
        texts = group.findall(f"{_SVG}text")
        for text, kind in zip(texts, _text_kinds(kinds, len(texts), rankdir), strict=True):
            del text.attrib["font-family"]
            for name in [name for name, common in _INHERITED.items() if text.get(name) == common]:
                del text.attrib[name]
            text.attrib.update(TEXT_STYLES[kind], **{"class": kind})
            if kind == "operation" and not (text.text or "").strip("*"):
                text.set("dy", "0.2em")  # an asterisk sits high on its line
            if kind == "local" and not level:
                text.set("dx", "0.3em")  # Graphviz leaves no gap between a wire and the text beside it
        if "value" in kinds:
            _turn_frame_into_wire(group, level)
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
    for frame in group.findall(f"{_SVG}polygon"):
        group.remove(frame)
    for line in group.findall(f"{_SVG}polyline"):
        (_, y1), (_, y2) = (point.split(",") for point in line.get("points", "").split())
        if level and y1 == y2:
            line.set("class", "wire")
        else:
            group.remove(line)


def rasterise(svg: str, scale: float) -> bytes:
    """Return an SVG as PNG, in the same pixels on every machine.

    Args:
        svg: the picture; its texts may use DejaVu Sans.
        scale: pixels per CSS pixel; less where a side would be longer than ``MAX_PIXELS``.
    """
    import resvg_py

    root = ElementTree.fromstring(svg)
    longest = max(float(root.get(side, "").rstrip("pt")) for side in ("width", "height"))
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        dpi=96,
        zoom=min(scale, MAX_PIXELS / (longest * 96 / 72)),
        font_family=FONT,
        font_files=[str(_fonts() / name) for name in ("DejaVuSans.ttf", "DejaVuSans-Oblique.ttf")],
        skip_system_fonts=True,
    )


def _fonts() -> Path:
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
