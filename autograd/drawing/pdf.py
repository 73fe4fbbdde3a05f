"""Pictures as a PDF, a page each, written by matplotlib: lines stay lines and texts can be searched."""

import io
from collections.abc import Iterable
from typing import Any

from autograd.drawing.rendering import spelled_out
from autograd.drawing.shapes import Curve, Point, Sheet, Text, sheet_of
from autograd.drawing.style import FONT
from autograd.locks import importing

_VERBS = {"M": 1, "L": 2, "C": 4, "Z": 79}  # as matplotlib's Path numbers them


def pdf_of(svgs: Iterable[str], title: str = "") -> bytes:
    """Return pictures as a PDF. The same pictures give the same bytes.

    A character that its font, DejaVu Sans, does not have is written as its code, such as ``[U+1F680]``.

    Args:
        svgs: pictures of ours, as SVG, one for each page. A page has its picture's size.
        title: the document's.

    Example:
        >>> from autograd import Value, draw_dot
        >>> pdf_of([draw_dot(Value(2.0, "x")).svg()])[:5]
        b'%PDF-'
    """
    with importing:
        from matplotlib import rc_context
        from matplotlib.backends.backend_pdf import PdfPages

    content = io.BytesIO()
    facts = {"Creator": "chainrule", "Producer": "matplotlib", "CreationDate": None, "Title": title or None}
    with rc_context({"pdf.fonttype": 42, "font.family": FONT}), PdfPages(content, metadata=facts) as pages:
        for svg in svgs:
            pages.savefig(_figure(sheet_of(spelled_out(svg))))
    return content.getvalue()


def _figure(sheet: Sheet) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(sheet.width / 72, sheet.height / 72))
    for k, shape in enumerate(sheet.shapes):
        artists = _curve(shape, sheet, figure) if isinstance(shape, Curve) else _text(shape, sheet, figure)
        for artist in artists:
            artist.set_zorder(k)
            figure.add_artist(artist)
    return figure


def _curve(shape: Curve, sheet: Sheet, figure: Any) -> list[Any]:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    points: list[Point] = []
    codes: list[int] = []
    for verb, to in shape.segments:
        points += to or ((0.0, 0.0),)
        codes += [_VERBS[verb]] * max(1, len(to))
    patch = PathPatch(
        Path(points, codes),
        facecolor=shape.fill or "none",
        edgecolor=shape.stroke or "none",
        linewidth=shape.width if shape.stroke else 0.0,
        linestyle=(0, [length / shape.width for length in shape.dash]) if shape.dash else "solid",
        joinstyle="miter",
    )
    to_inches = Affine2D().scale(1 / 72, -1 / 72).translate(0.0, sheet.height / 72)
    patch.set_transform(to_inches + figure.dpi_scale_trans)
    return [patch]


def _text(shape: Text, sheet: Sheet, figure: Any) -> list[Any]:
    from matplotlib.patheffects import Stroke
    from matplotlib.text import Text as Letters

    x, y = shape.place
    common = {
        "x": x / 72,
        "y": (sheet.height - y) / 72,
        "text": shape.text,
        "fontsize": shape.size,
        "fontstyle": "italic" if shape.italic else "normal",
        "fontweight": "bold" if shape.bold else "normal",
        "ha": {"start": "left", "middle": "center", "end": "right"}[shape.anchor],
        "va": "baseline",
        "parse_math": False,  # a dollar sign is one
        "transform": figure.dpi_scale_trans,
    }
    letters = Letters(**common, color=shape.colour)
    if shape.halo is None:
        return [letters]
    # What has effects is outlines and no text, so the letters themselves come after it.
    around = Letters(**common, color=shape.halo)
    around.set_path_effects([Stroke(linewidth=shape.reach, foreground=shape.halo)])
    return [around, letters]
