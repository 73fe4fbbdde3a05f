"""A picture as PDF and as TikZ: the same lines and letters at the same places as in the SVG."""

import io
import re
from typing import Any

import numpy as np
import pytest

from autograd import Value, draw_dot, exp, step_through
from autograd.drawing import pdf_of, rasterise, tikz_of
from autograd.drawing.shapes import Curve, Text, sheet_of
from tests.examples import grouped, sigmoid_gate, simple

NASTY = ["$x$", "a & b", "50%", "x_1^2", "{}", "\\alpha", "#1", "~", "<i>", "é € ñ", "a  b", "x\ny", '"']
FLOWS = ["LR", "RL", "TB", "BT"]


def swept(root):
    root.backward()
    return root


def opened():
    """A picture with dashed boxes, double frames and long wires."""
    from autograd.stepping.paths import Paths
    from autograd.stepping.player import picture

    stepper = step_through(grouped())
    view = stepper.view("neuron")
    return picture(view, stepper.moves("neuron"), Paths(stepper.events))


def in_lines():
    x = Value(0.5, "x")
    for _ in range(60):
        x = exp(x) - 1.25
    return draw_dot(x)


PICTURES = [
    *(
        lambda flow=flow: draw_dot(swept(sigmoid_gate()), rankdir=flow, local_derivatives=True)
        for flow in FLOWS
    ),
    opened,
    in_lines,
]


@pytest.fixture(scope="module")
def pdfium():
    return pytest.importorskip("pypdfium2", reason="no pypdfium2 to read a PDF with")


def pixels(png):
    import matplotlib.image

    return matplotlib.image.imread(io.BytesIO(png))[..., :3]


@pytest.mark.parametrize(
    "make",
    [pytest.param(make, marks=[pytest.mark.slow] * (k in (1, 2))) for k, make in enumerate(PICTURES)],
)
def test_a_pdf_looks_as_the_png(pdfium, make):
    drawing = make()
    page = pdfium.PdfDocument(drawing.pdf())[0]
    assert page.get_size() == pytest.approx(drawing.size, abs=1)
    here = pixels(drawing.png(1.0))
    there = np.asarray(page.render(scale=96 / 72).to_pil())[..., :3] / 255
    height, width = (min(a, b) for a, b in zip(here.shape, there.shape, strict=True) if a > 3)
    here, there = (image[:height, :width].mean(axis=2) for image in (here, there))
    # Edges of letters differ by a pixel's shade; what is left out or moved differs in whole blocks.
    blocks = [
        image[: height - height % 8, : width - width % 8]
        .reshape(height // 8, 8, width // 8, 8)
        .mean(axis=(1, 3))
        for image in (here, there)
    ]
    assert np.abs(blocks[0] - blocks[1]).max() < 0.15


def test_a_pdf_has_its_letters_as_text(pdfium):
    page = pdfium.PdfDocument(draw_dot(swept(simple()), local_derivatives=True).pdf())[0]
    words = page.get_textpage().get_text_bounded().split()
    for word in ("x", "-2", "q", "f", "-12", "grad", "local", "+", "*"):
        assert word in words


@pytest.mark.parametrize("label", NASTY)
def test_a_label_is_written_in_a_pdf_as_it_is(pdfium, label):
    page = pdfium.PdfDocument(draw_dot(Value(1, label)).pdf())[0]
    read = "".join(page.get_textpage().get_text_bounded().split())
    assert "".join(label.split()) in read


def test_a_letter_that_the_font_lacks_is_spelled_with_room_for_it(pdfium):
    page = pdfium.PdfDocument(draw_dot(Value(1, "🚀")).pdf())[0]
    assert "[U+1F680]" in page.get_textpage().get_text_bounded()


def test_each_picture_is_a_page_of_its_own_size(pdfium):
    drawings = [draw_dot(simple()), draw_dot(sigmoid_gate(), rankdir="TB")]
    document = pdfium.PdfDocument(pdf_of([drawing.svg() for drawing in drawings], "two pictures"))
    assert [page.get_size() for page in document] == [pytest.approx(each.size, abs=1) for each in drawings]
    assert document.get_metadata_dict()["Title"] == "two pictures"


def test_the_same_picture_gives_the_same_bytes(tmp_path):
    drawing = draw_dot(simple())
    assert drawing.save(tmp_path / "f.PDF").read_bytes() == drawing.pdf() == drawing.pdf()


def test_what_svg_says_by_percent_scale_and_inheritance_is_read():
    svg = """<svg xmlns="http://www.w3.org/2000/svg" width="200pt" height="100pt" viewBox="10 0 100 50">
    <rect width="100%" height="100%" fill="white"/>
    <g transform="translate(10 5) scale(2)" fill="#112233" stroke="black" stroke-width="3" font-size="4">
    <line x1="0" y1="0" x2="5" y2="5" stroke-dasharray="1,2"/><circle cx="1" cy="2" r="3" fill="none"/>
    <text x="1" y="2" stroke="none" text-anchor="end" font-weight="bold" dy="0.5em">a</text></g></svg>"""
    sheet = sheet_of(svg)
    shapes: Any = sheet.shapes
    ground, line, circle, text = shapes
    assert (sheet.width, sheet.height) == (200, 100)
    assert ground.segments[1] == ("L", ((180.0, 0.0),))
    assert line.segments == (("M", ((0.0, 10.0),)), ("L", ((20.0, 30.0),)))
    assert (line.stroke, line.width, line.dash) == ("black", 12.0, (4.0, 8.0))
    assert (circle.fill, circle.stroke) == (None, "black")
    assert text == Text((4.0, 26.0), "a", 16.0, "end", "#112233", None, 0.0, italic=False, bold=True)


@pytest.mark.parametrize("make", PICTURES)
def test_tikz_has_every_line_and_letter_at_its_place(make):
    svg = make().svg()
    _, *shapes = sheet_of(svg).shapes  # the first is the ground, and paper is white
    _, *lines, _ = (line for line in tikz_of(svg).split("\n") if "definecolor" not in line)
    assert len(lines) == len(shapes)
    for line, shape in zip(lines, shapes, strict=True):
        numbers = [tuple(map(float, pair)) for pair in re.findall(r"\((-?[\d.]+),(-?[\d.]+)\)", line)]
        points = [p for _, to in shape.segments for p in to] if isinstance(shape, Curve) else [shape.place]
        assert line.startswith(r"\path[" if isinstance(shape, Curve) else r"\node[")
        assert np.allclose(numbers, points, atol=0.006)


@pytest.mark.parametrize("label", NASTY)
def test_tikz_spells_what_latex_reads_otherwise(label):
    written = tikz_of(draw_dot(Value(1, label)).svg())
    bare = re.sub(r"\\[{}$&#_%]|\\text\w+\{\}", "", written)
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"[&#%~^]|\\alpha", bare)
    assert bare.count("$") % 2 == 0


def test_tikz_writes_names_and_numbers_as_mathematics():
    x = Value(-2.0, "w_1")
    written = tikz_of(draw_dot(swept(x * 0.5)).svg())
    for text in ("{$w_{1}$}", "{$-2$}", "{grad $0.5$}", r"{$\ast$}"):
        assert text in written


def test_a_frame_of_an_animation_is_a_page_too(pdfium):
    svg = """<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="30pt" viewBox="0 0 90 30">
    <rect width="100%" height="100%" fill="white"/>
    <text x="5" y="20" stroke="#ffe27a" stroke-width="5" paint-order="stroke">done</text></svg>"""
    page = pdfium.PdfDocument(pdf_of([svg]))[0]
    assert page.get_textpage().get_text_bounded().strip() == "done"
    there = np.asarray(page.render(scale=96 / 72).to_pil()).mean() / 255
    assert there == pytest.approx(pixels(rasterise(svg, 1.0)).mean(), abs=0.02)
