"""The stepper as a picture for each step: an animation, a film, the pages of a PDF or of a LaTeX document."""

import io
import math
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from autograd.drawing import INK_COLOUR, pdf_of, rasterise, spelled_out, tikz_of
from autograd.locks import importing
from autograd.stepping.events import Event
from autograd.stepping.moves import Move, moves_of
from autograd.stepping.paths import Paths
from autograd.stepping.player import picture
from autograd.stepping.views import View

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_FRAMES = 300
WIDTH = 1280
"""The largest width of a frame, in pixels."""

_SVG = "{http://www.w3.org/2000/svg}"
_MARK = "#ffe27a"


Walk = tuple[View, Sequence[Event], Sequence[Move]]
"""A graph with the groups that are opened, its stream, and the moves to be shown."""


def walk_as(form: str, walks: Sequence[Walk], seconds: float, title: str) -> bytes:
    """Return a walk, or several in a row, as a file with a picture for each step.

    Args:
        form: a key of ``FORMS``.
        walks: what is walked through.
        seconds: how long each step is shown, where the form has time; the last one three times as long.
        title: the document's.

    Raises:
        ValueError: a duration that is not positive, or more steps than ``MAX_FRAMES``.
        RuntimeError: a film without ``ffmpeg``.
    """
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"seconds must be a positive number, not {seconds!r}")
    count = sum(len(moves) for *_, moves in walks)
    if count > MAX_FRAMES:
        raise ValueError(
            f"the walk has {count} steps, above the {MAX_FRAMES} that a file of pictures shows; put parts of "
            "the graph into groups that stay closed, step through a part of it, or save a page (.html)"
        )
    return FORMS[form](list(frames(walks)), seconds, title)


def frames(walks: Sequence[Walk]) -> Iterator[str]:
    """Yield the picture after each move as SVG, with the step in words below it."""
    for view, events, moves in walks:
        svg = picture(view, moves_of(view, events), Paths(events)).svg()
        yield from (ElementTree.tostring(drawn, encoding="unicode") for drawn in _frames(svg, view, moves))


def _pixels(svgs: Sequence[str]) -> list["Image"]:
    """Return pictures in pixels, all of one size, whose sides are even as films want them."""
    with importing:
        import PIL.Image

    images = []
    for svg in svgs:
        width = float(ElementTree.fromstring(svg).get("width", "").rstrip("pt")) * 96 / 72
        png = rasterise(spelled_out(svg), min(1.5, WIDTH / width))
        images.append(PIL.Image.open(io.BytesIO(png)).convert("RGB"))
    size = tuple(max(image.size[side] for image in images) for side in (0, 1))
    even = (size[0] + size[0] % 2, size[1] + size[1] % 2)
    whole = []
    for image in images:
        page = PIL.Image.new("RGB", even, "white")
        page.paste(image, (0, 0))
        whole.append(page)
    return whole


def _animation(svgs: Sequence[str], seconds: float, form: str) -> bytes:
    images = _pixels(svgs)
    if form == "GIF":
        images = [image.quantize(64) for image in images]
    durations = [round(1000 * seconds)] * len(images)
    durations[-1] *= 3
    content = io.BytesIO()
    images[0].save(
        content,
        form,
        save_all=True,
        append_images=images[1:],
        duration=durations,
        loop=0,
        optimize=True,
    )
    return content.getvalue()


def _film(svgs: Sequence[str], seconds: float, title: str) -> bytes:
    """Return a film, made by the program ``ffmpeg`` in a form that all players and projectors know."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise RuntimeError(
            "a film is made by the program `ffmpeg`, which is not installed; install it "
            "(https://ffmpeg.org/download.html), or choose .gif or .png, which are animations as well"
        )
    images = _pixels(svgs)
    content = io.BytesIO()
    for image in (*images, *images[-1:] * 2):
        image.save(content, "PNG")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "walk.mp4")
        command = [program, "-loglevel", "error", "-f", "image2pipe", "-framerate", f"{1 / seconds:.9g}"]
        command += ["-c:v", "png", "-i", "-", "-r", "10", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
        command += ["-metadata", f"title={title}", str(path)]
        run = subprocess.run(command, input=content.getvalue(), capture_output=True, check=False)
        if run.returncode:
            said = run.stderr.decode(errors="replace").strip().splitlines() or [f"status {run.returncode}"]
            raise RuntimeError(f"`ffmpeg` cannot make the film: {said[-1]:.200}; choose .gif or .png instead")
        return path.read_bytes()


def _document(svgs: Sequence[str], title: str) -> bytes:
    """Return a document in LaTeX with a page for each step, to be included page by page or compiled."""
    head = rf"""% {title}: a page for each step.
% Compiled, its pages are included as \includegraphics[page=3]{{...}}, in beamer with \only<3>{{...}}.
\documentclass[tikz, border=4pt]{{standalone}}
\usepackage[T1]{{fontenc}}
\begin{{document}}"""
    pages = [tikz_of(svg) for svg in svgs]
    return "\n".join([head, *pages, r"\end{document}", ""]).encode()


FORMS: dict[str, Callable[[Sequence[str], float, str], bytes]] = {
    ".gif": lambda svgs, seconds, _: _animation(svgs, seconds, "GIF"),
    ".png": lambda svgs, seconds, _: _animation(svgs, seconds, "PNG"),
    ".mp4": _film,
    ".pdf": lambda svgs, _, title: pdf_of(svgs, title),
    ".tex": lambda svgs, _, title: _document(svgs, title),
}
"""How pictures of steps, as SVG, become a file, by its suffix."""


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
