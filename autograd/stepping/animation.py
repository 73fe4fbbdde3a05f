"""The stepper as an animation: a frame per step, as GIF or animated PNG."""

import io
import math
import textwrap
from collections.abc import Iterator, Sequence
from copy import deepcopy
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from autograd.drawing import INK_COLOUR, rasterise, spelled_out
from autograd.stepping.events import Event
from autograd.stepping.moves import Move, moves_of
from autograd.stepping.paths import Paths
from autograd.stepping.player import picture
from autograd.stepping.views import View

MAX_FRAMES = 300
WIDTH = 1280
"""The largest width of a frame, in pixels."""

_SVG = "{http://www.w3.org/2000/svg}"
_MARK = "#ffe27a"


def animate(view: View, events: Sequence[Event], form: str, seconds: float) -> bytes:
    """Return the walk through a graph as an animation that repeats.

    Args:
        view: the graph, with the groups that are opened.
        events: its stream.
        form: ``"gif"`` or ``"png"``.
        seconds: how long each step is shown; the last one three times as long.

    Raises:
        ValueError: a duration that is not positive, or more steps than ``MAX_FRAMES``.
    """
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"seconds must be a positive number, not {seconds!r}")
    moves = moves_of(view, events)
    if len(moves) > MAX_FRAMES:
        raise ValueError(
            f"the walk has {len(moves)} steps, above the {MAX_FRAMES} that an animation shows; put parts of "
            "the graph into groups that stay closed, step through a part of it, or save a page (.html)"
        )
    from PIL import Image

    svg = picture(view, moves, Paths(events)).svg()
    frames = []
    for drawn in _frames(svg, view, moves):
        text = spelled_out(ElementTree.tostring(drawn, encoding="unicode"))
        width = float(drawn.get("width", "").rstrip("pt")) * 96 / 72
        image = Image.open(io.BytesIO(rasterise(text, min(1.5, WIDTH / width)))).convert("RGB")
        frames.append(image.quantize(64) if form == "gif" else image)
    durations = [round(1000 * seconds)] * len(frames)
    durations[-1] *= 3
    content = io.BytesIO()
    frames[0].save(
        content,
        form.upper(),
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=0,
        optimize=True,
    )
    return content.getvalue()


def _frames(svg: str, view: View, moves: Sequence[Move]) -> Iterator[Element]:
    """Yield the picture after each move, beginning with the given inputs."""
    ElementTree.register_namespace("", _SVG[1:-1])
    state = _with_caption(ElementTree.fromstring(svg))
    groups = {group.get("id", ""): group for group in state.iter(f"{_SVG}g")}
    local = {name: [text.text for text in group.findall(f"{_SVG}text")] for name, group in groups.items()}
    for group in groups.values():
        for text in group.findall(f"{_SVG}text"):
            if text.get("class") in ("data", "grad", "local"):
                text.text = ""
    for move in moves:
        for change in move.changes:
            group = groups[f"n{view.outline.place[change.wire]}"]
            for text in group.findall(f"{_SVG}text[@class='{change.kind}']"):
                text.text = change.text
        frame = deepcopy(state)
        seen = {group.get("id", ""): group for group in frame.iter(f"{_SVG}g")}
        _highlight(seen, view, move)
        if move.local is not None:
            edge = move.edges[-1]
            for text, written in zip(seen[edge].findall(f"{_SVG}text"), local[edge], strict=True):
                text.text = written
        _say(frame, move)
        yield frame


def _with_caption(root: Element) -> Element:
    """Return the picture with room for three lines below it."""
    left, top, width, height = map(float, root.get("viewBox", "").split())
    wide = max(width, 480.0)
    high = height + 5.7 * _letter(wide)
    root.set("viewBox", f"{left} {top} {wide} {high}")
    root.set("width", f"{wide}pt")
    root.set("height", f"{high}pt")
    root.insert(0, Element(f"{_SVG}rect", {"width": "100%", "height": "100%", "fill": "white"}))
    return root


def _highlight(groups: dict[str, Element], view: View, move: Move) -> None:
    """Mark what a move works on: by weight and shade, so that no colour needs to be told from another."""
    if move.block is not None:
        for shape in groups[move.block.name]:
            if shape.tag in (f"{_SVG}ellipse", f"{_SVG}path", f"{_SVG}polygon"):
                shape.attrib.update({"fill": _MARK, "stroke": "black", "stroke-width": "2.6"})
    for edge in move.edges:
        for shape in groups[edge].findall(f"{_SVG}path"):
            shape.attrib.update({"stroke": "black", "stroke-width": "2.6"})
    if move.kind == "inputs":
        return
    for change in move.changes:
        for text in groups[f"n{view.outline.place[change.wire]}"].findall(
            f"{_SVG}text[@class='{change.kind}']"
        ):
            text.attrib.update(
                {"stroke": _MARK, "stroke-width": "5", "paint-order": "stroke", "font-weight": "bold"}
            )


def _letter(width: float) -> float:
    """Return the size of the caption's letters, in points."""
    return max(11.0, width / 80)


def _say(frame: Element, move: Move) -> None:
    """Write the step below the picture: its title, and its sentence in two lines at most."""
    _, _, width, height = map(float, frame.get("viewBox", "").split())
    size = _letter(width)
    letters = int((width - 16) / (0.58 * size))
    lines = textwrap.wrap(move.sentence, letters, max_lines=2, placeholder=" ...")
    for line, text in enumerate((textwrap.shorten(move.title, letters, placeholder=" ..."), *lines)):
        place = {"x": "8", "y": f"{height - (3.9 - 1.5 * line) * size:.1f}", "font-size": f"{size:.1f}"}
        SubElement(frame, f"{_SVG}text", {**place, "fill": INK_COLOUR}).text = text
