"""A graph in the DOT language."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from autograd.drawing.elements import Box, Gate, Wire, uses
from autograd.drawing.lines import lines_of
from autograd.drawing.style import (
    BOX,
    COMPOSITE,
    CONSTANT,
    CORNER,
    FONT,
    GATE,
    INK_COLOUR,
    LOCAL,
    LOCAL_COLOUR,
    REFERENCE,
    ROOMY_LOCAL,
    ROOMY_VALUE,
    SIDES,
    VALUE,
    WIRE_COLOUR,
)
from autograd.locks import importing
from autograd.text import format_number, printable

_ESCAPES = {ord(c): f"&#{ord(c)};" for c in '&"{}|<> '} | {ord("\\"): r"\\"}


def describe(
    elements: Sequence[Wire | Gate],
    boxes: Sequence[Box],
    rankdir: str,
    length: int | None = None,
    rows: Sequence[Sequence[str]] = (),
) -> tuple[str, dict[str, str]]:
    """Return the graph in DOT, and the titles of the groups in its SVG.

    Args:
        elements: in the order of the flow.
        boxes: the outermost boxes.
        rankdir: where the graph flows.
        length: how many gates in a row a line has; by default a graph gets lines only if it is very long.
        rows: wires that stand in one row, in their order.
    """
    with importing:
        import graphviz

    dot = graphviz.Digraph("graph")
    gates = [element for element in elements if isinstance(element, Gate)]
    written = any(local is not None for gate in gates for *_, local in gate.operands)
    dot.attr("graph", id="graph", rankdir=rankdir, nodesep="0.15", ranksep="0.45" if written else "0.3")
    dot.attr("graph", bgcolor="white")
    # As many rounds of placing as there are nodes: enough for any usual graph, which it does not change, and
    # a bound where many wires are long; without it a node used a hundred times takes minutes.
    dot.attr("graph", nslimit="1")
    if rows:
        dot.attr("graph", remincross="false")  # Graphviz's last round forgets them
    dot.attr("node", fontname=FONT, fontsize="12", fontcolor=INK_COLOUR, color=WIRE_COLOUR)
    dot.attr("edge", fontname=FONT, fontsize="10", fontcolor=LOCAL_COLOUR, color=WIRE_COLOUR)
    count = sum(isinstance(element, Wire) for element in elements)
    titles = {"graph": f"computation graph of {count} value{'s' * (count > 1)}"}

    def group(name: str, kind: str, title: str) -> dict[str, str]:
        titles[name] = printable(title)
        return {"id": name, "class": kind}

    enter, leave = SIDES[rankdir]
    level = rankdir in ("LR", "RL")
    lines, references = lines_of(elements, length)
    labels = _labels(elements, references)
    beside: dict[str, list[str]] = {}  # the references at each gate
    # Graphviz draws at the top what is described last, and forgets the order of operands inside of a line.
    flow = elements[::-1] if lines and level else elements
    ordered = sorted(flow, key=lambda element: lines.get(element.name, 0), reverse=level)
    for name, operand, place in uses(ordered):
        if name in references:
            beside.setdefault(place, []).append(f"{name}-name")
            named = group(f"{name}-name", "reference", f"{labels[operand]}, drawn elsewhere")
            dot.node(f"{name}-name", _escaped(labels[operand]), **REFERENCE, **named)
    for element in ordered:
        if isinstance(element, Wire):
            data, grad = element.data, element.grad
            label = element.label if grad is None else labels[element.name]
            facts = [_escaped(label)] * bool(label) + [format_number(data)]
            if grad is None:
                wire = group(element.name, "value constant", f"{label or 'constant'}: data {data!r}")
                dot.node(element.name, r"\n".join(facts), **CONSTANT, **wire)
                continue
            facts.append(f"grad {format_number(grad)}")
            what = label or (f"output of {element.source}" if element.source else "leaf")
            kind = "value" if element.source else "value leaf"
            wire = group(element.name, kind, f"{what}: data {data!r}, grad {grad!r}")
            style = VALUE
            if element.written is not None:
                facts[-2:], style = map(_escaped, element.written), ROOMY_VALUE
            dot.node(element.name, _record(facts, rankdir), **style, **wire)
            continue
        kind, style = ("gate composite", COMPOSITE) if element.composite else ("gate", GATE)
        gate = group(element.name, kind, element.title)
        if boxes:  # in a cluster Graphviz forgets it, or never ends
            style = {name: value for name, value in style.items() if name != "ordering"}
        dot.node(element.name, _escaped(element.symbol), **style, **gate)
        for i, (name, operand, local) in enumerate(element.operands):
            title, text = f"operand {i + 1} of {element.title}", None
            if local is not None:
                title += f": local derivative {local!r}"
                text = local if isinstance(local, str) else f"local {format_number(local)}"
            edge = group(name, "operand", title)
            start = f"{name}-name" if name in references else f"{operand}:{leave}"
            last = 0 < i == len(element.operands) - 1
            end = f"{element.name}:{CORNER[rankdir]}" if lines and last else element.name
            if text is not None:
                edge |= (ROOMY_LOCAL if isinstance(local, str) else LOCAL) | {"headlabel": text}
            dot.edge(start, end, arrowsize="0.55", **edge)
        for name, output in element.outputs:
            edge = group(name, "output", f"output of {element.title}")
            dot.edge(element.name, f"{output}:{enter}", arrowhead="none", weight="4", **edge)
    inside = {row[0]: row[::-1] if level else row for row in rows}  # as Graphviz needs it in a cluster
    for box in boxes:
        _describe_box(dot, box, group, beside, inside)
    for row in rows if not lines else ():
        if row[0] in inside:
            _describe_row(dot, row)
    for line in sorted(set(lines.values())) if not boxes else ():
        with dot.subgraph(name=f"cluster_{'short' if length else 'line'}_{line}") as band:
            band.attr(peripheries="0", **group(f"line{line}", "line", f"line {line + 1}"))
            _put(band, (name for name in lines if lines[name] == line), beside)
    return dot.source, titles


def _labels(elements: Sequence[Wire | Gate], references: Set[str]) -> dict[str, str]:
    """Return what each wire is called; one that is referred to needs a name."""
    cut = {wire for edge, wire, _ in uses(elements) if edge in references}
    wires = [element for element in elements if isinstance(element, Wire)]
    numbers = {wire.name: format_number(wire.data) if wire.grad is None else wire.name for wire in wires}
    return {wire.name: wire.label or numbers[wire.name] * (wire.name in cut) for wire in wires}


def _describe_box(
    dot: Any,
    box: Box,
    group: Callable[[str, str, str], dict[str, str]],
    beside: Mapping[str, Sequence[str]],
    rows: dict[str, Sequence[str]],
) -> None:
    with dot.subgraph(name=f"cluster_{box.name}") as inner:
        inner.attr(label=_escaped(box.label), **BOX, **group(box.name, "box", f"the parts of {box.label}"))
        _put(inner, box.members, beside)
        for part in box.boxes:
            _describe_box(inner, part, group, beside, rows)
        for name in rows.keys() & set(box.members):
            _describe_row(inner, rows.pop(name))  # described outside, it would take its wires out of the box


def _describe_row(around: Any, row: Sequence[str]) -> None:
    with around.subgraph() as across:
        across.attr(rank="same")
        for before, after in itertools.pairwise(row):
            across.edge(before, after, style="invis")


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


def _escaped(text: str) -> str:
    """Return the DOT label, or field of a record, that is drawn as ``text``."""
    lines = printable(text).translate(_ESCAPES).split("\n")
    return r"\n".join(line or "&#160;" for line in lines)  # Graphviz drops empty lines, or fails on them
