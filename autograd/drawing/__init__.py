"""Draw a computation graph: operations as gates, data above the wires, gradients below them.

The graph is written in the DOT language (``dot``, and ``lines`` for a long one), laid out by Graphviz
(``layout``), and given its colours, classes and titles on the SVG afterwards (``rendering``), because
Graphviz gives all lines of a label one colour. Heavy libraries are imported where they are used.
"""

from autograd.drawing.api import Drawing, draw_dot, draw_elements, draw_fitting
from autograd.drawing.elements import Box, Gate, Wire
from autograd.drawing.labels import text_width
from autograd.drawing.pdf import pdf_of
from autograd.drawing.rendering import MAX_PIXELS, rasterise, spelled_out
from autograd.drawing.style import (
    DATA_COLOUR,
    GRAD_COLOUR,
    INK_COLOUR,
    LOCAL_COLOUR,
    TEXT_STYLES,
    WIRE_COLOUR,
)
from autograd.drawing.tikz import tikz_of

__all__ = [
    "DATA_COLOUR",
    "GRAD_COLOUR",
    "INK_COLOUR",
    "LOCAL_COLOUR",
    "MAX_PIXELS",
    "TEXT_STYLES",
    "WIRE_COLOUR",
    "Box",
    "Drawing",
    "Gate",
    "Wire",
    "draw_dot",
    "draw_elements",
    "draw_fitting",
    "pdf_of",
    "rasterise",
    "spelled_out",
    "text_width",
    "tikz_of",
]
