"""A graph in lines is laid out line by line, in time that grows with their number and not with its square."""

import re
from collections.abc import Callable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

_SVG = "{http://www.w3.org/2000/svg}"
_GAP = 10.0  # points between two lines
# A long line is a cluster for Graphviz, too: it forgets the order of operands there and so needs less height.
_BAND = re.compile(r"^\tsubgraph cluster_(line|short)_(\d+) \{\n(.*?)^\t\}\n", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r'^\t+"?([^\s":\[]+)"?')


def lines_in(source: str) -> dict[str, str]:
    """Return a graph in DOT as one graph for each of its lines, by their ids; nothing if it has none.

    No edge leads from one line to another: a wire between them is cut.
    """
    bands = {number: (kind, body) for kind, number, body in _BAND.findall(source)}
    if not bands:
        return {}
    line_of = {}
    for number, (_, body) in bands.items():
        for statement in body.splitlines():
            if "=" not in statement and (found := _NAME.match(statement)):
                line_of[found[1]] = number
    head: list[str] = []
    parts: dict[str, list[str]] = {number: [] for number in bands}
    for statement in _BAND.sub("", source).splitlines()[1:-1]:
        found = _NAME.match(statement)
        parts.get(line_of.get(found[1], "") if found else "", head).append(statement)
    for number, (kind, body) in bands.items():
        if kind == "line":
            parts[number] += ["\tsubgraph cluster_line {", body.rstrip("\n"), "\t}"]
    ordered = sorted(parts, key=int)
    return {
        f"line{number}": "\n".join(["digraph graph_ {", *head, *parts[number], "}", ""]) for number in ordered
    }


def stacked(parts: dict[str, str], layout: Callable[[str], bytes]) -> bytes:
    """Lay out each line and put them below one another, or side by side if the graph flows down or up.

    Args:
        parts: what `lines_in` returned.
        layout: returns Graphviz's SVG of a graph in DOT.
    """
    ElementTree.register_namespace("", _SVG[1:-1])
    drawn = {name: ElementTree.fromstring(layout(source)) for name, source in parts.items()}
    direction = re.findall(r"rankdir=(\w+)", next(iter(parts.values())))[0]
    level = direction in ("LR", "RL")
    sizes = {name: tuple(map(float, svg.get("viewBox", "").split()[2:])) for name, svg in drawn.items()}
    across = max(size[not level] for size in sizes.values())
    along = sum(size[level] for size in sizes.values()) + _GAP * (len(sizes) - 1)
    width, height = (across, along) if level else (along, across)
    root = Element(f"{_SVG}svg", {"width": f"{width:.0f}pt", "height": f"{height:.0f}pt"})
    root.set("viewBox", f"0.00 0.00 {width:.2f} {height:.2f}")
    graph = SubElement(root, f"{_SVG}g", {"id": "graph", "class": "graph"})
    SubElement(graph, f"{_SVG}title").text = "graph"
    corners = f"0,0 {width:.2f},0 {width:.2f},{height:.2f} 0,{height:.2f} 0,0"
    SubElement(graph, f"{_SVG}polygon", {"fill": "white", "stroke": "none", "points": corners})
    place = 0.0
    for name, svg in drawn.items():
        (group,) = svg.findall(f"{_SVG}g")
        dx, dy = map(float, re.findall(r"translate\((\S+) (\S+)\)", group.get("transform", ""))[0])
        rest = (
            across - sizes[name][not level] if direction in ("RL", "BT") else 0.0
        )  # lines begin at one edge
        dx, dy = (dx + rest, dy + place) if level else (dx + place, dy + rest)
        line = SubElement(graph, f"{_SVG}g", {"id": name, "class": "cluster line"})
        SubElement(line, f"{_SVG}title").text = name
        for part in group.findall(f"{_SVG}g"):
            if "cluster" not in part.get("class", ""):
                _move(part, dx, dy)
                line.append(part)
        place += sizes[name][level] + _GAP
    return ElementTree.tostring(root)


def _move(part: Element, dx: float, dy: float) -> None:
    """Add to all coordinates, so that they can be compared from line to line."""
    for element in part.iter():
        for names, shift in ((("x", "cx"), dx), (("y", "cy"), dy)):
            for name in names:
                if (number := element.get(name)) is not None:
                    element.set(name, f"{float(number) + shift:.2f}")
        for name in ("points", "d"):
            if (path := element.get(name)) is not None:
                moved = re.sub(
                    r"(-?[\d.]+),(-?[\d.]+)",
                    lambda pair: f"{float(pair[1]) + dx:.2f},{float(pair[2]) + dy:.2f}",
                    path,
                )
                element.set(name, moved)
