"""Pictures as TikZ, for documents in LaTeX, whose font their letters have."""

import re
from collections.abc import Callable

from autograd.drawing.shapes import Curve, Point, Text, sheet_of
from autograd.notation.latex import GREEK, variable

PREAMBLE = "\\usepackage{tikz}"
"""What a document that shows such a picture needs to load."""

_ESCAPES = {ord(c): rf"\{c}" for c in "{}$&#_%"}
_ESCAPES |= {ord(c): rf"\text{name}{{}}" for c, name in {"~": "asciitilde", "^": "asciicircum"}.items()}
_ESCAPES |= {
    ord(c): rf"\text{name}{{}}" for c, name in {"\\": "backslash", "<": "less", ">": "greater"}.items()
}
_ESCAPES |= {ord("…"): r"\dots{}", ord("*"): r"$\ast$", ord("|"): r"\textbar{}"}
_ESCAPES |= {ord(letter): f"${command}$" for letter, command in GREEK.items()}
_NAMES = {"black": "black", "white": "white"}
_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}


def tikz_of(svg: str, scale: float = 1.0) -> str:
    r"""Return a picture as a ``tikzpicture`` environment.

    Args:
        svg: a picture of ours.
        scale: how much larger than the SVG it is; so are its letters.

    Example:
        >>> from autograd import Value, draw_dot
        >>> print(tikz_of(draw_dot(Value(2.0, "x0")).svg()))
        \begin{tikzpicture}[x=1bp, y=-1bp, inner sep=0pt, line width=1bp, line cap=rect]
        \definecolor{c1}{HTML}{222222}
        \definecolor{c2}{HTML}{00664F}
        \definecolor{c3}{HTML}{777777}
        \definecolor{c4}{HTML}{D43D10}
        \node[anchor=base, text=c1, font=\fontsize{12}{12}\selectfont] at (14.97,25.38) {$x_{0}$};
        \node[anchor=base, text=c2, font=\fontsize{12}{12}\selectfont] at (49.02,16.74) {$2$};
        \path[draw=c3] (25.94,21.78) -- (72.11,21.78);
        \node[anchor=base, text=c4, font=\fontsize{12}{12}\selectfont] at (49.02,34.02) {grad $0$};
        \end{tikzpicture}
    """
    colours: dict[str, str] = {}

    def colour(text: str) -> str:
        return _NAMES.get(text) or colours.setdefault(text, f"c{len(colours) + 1}")

    shapes = sheet_of(svg).shapes
    if isinstance(shapes[0], Curve) and (shapes[0].fill, shapes[0].stroke) == ("white", None):
        shapes = shapes[1:]  # the paper is white
    lines = [
        _curve(shape, scale, colour) if isinstance(shape, Curve) else _text(shape, scale, colour)
        for shape in shapes
    ]
    known = [rf"\definecolor{{{name}}}{{HTML}}{{{text[1:].upper()}}}" for text, name in colours.items()]
    begin = r"\begin{tikzpicture}[x=1bp, y=-1bp, inner sep=0pt, line width=1bp, line cap=rect]"
    return "\n".join([begin, *known, *lines, r"\end{tikzpicture}"])


def _curve(shape: Curve, scale: float, colour: Callable[[str], str]) -> str:
    paint = {"draw": shape.stroke, "fill": shape.fill}
    options = [f"{name}={colour(text)}" for name, text in paint.items() if text]
    if shape.stroke and scale * shape.width != 1.0:
        options.append(f"line width={_number(scale * shape.width)}bp")
    if shape.dash:
        marks = (f"{('on', 'off')[k % 2]} {_number(scale * x)}bp" for k, x in enumerate(shape.dash))
        options.append(f"dash pattern={' '.join(marks)}")
    path = ""
    for verb, to in shape.segments:
        points = [_point(point, scale) for point in to]
        if verb == "M":
            path += f" {points[0]}"
        elif verb == "L":
            path += f" -- {points[0]}"
        elif verb == "C":
            path += f" .. controls {points[0]} and {points[1]} .. {points[2]}"
        else:
            path += " -- cycle"
    return rf"\path[{', '.join(options)}]{path};"


def _text(shape: Text, scale: float, colour: Callable[[str], str]) -> str:
    size = _number(scale * shape.size)
    font = rf"\fontsize{{{size}}}{{{size}}}\selectfont" + r"\bfseries" * shape.bold
    options = f"anchor={_ANCHORS[shape.anchor]}, text={colour(shape.colour)}, font={font}"
    return rf"\node[{options}] at {_point(shape.place, scale)} {{{_letters(shape.text, shape.italic)}}};"


def _letters(text: str, italic: bool) -> str:
    """Return a text as LaTeX writes it: names and numbers are mathematics, words are not."""
    if italic and (name := variable(text)):
        return f"${name}$"
    words = [
        f"${word}$" if re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?|[-+/]", word) else word.translate(_ESCAPES)
        for word in text.split(" ")
    ]
    return rf"\textit{{{' '.join(words)}}}" if italic else " ".join(words)


def _point(point: Point, scale: float) -> str:
    return f"({','.join(_number(scale * number) for number in point)})"


def _number(x: float) -> str:
    return f"{x:.2f}".rstrip("0").rstrip(".")
