"""A worksheet's graph: boxes to write into, and the same boxes with the numbers in them."""

from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from autograd.drawing import Drawing, Gate, Wire, draw_fitting, text_width
from autograd.locks import computed_once
from autograd.practice.exercises import Exercise
from autograd.stepping.events import Backward, Forward
from autograd.stepping.paths import Paths
from autograd.stepping.stepper import LIMIT, Stepper
from autograd.stepping.views import View
from autograd.text import format_number

BLANKS = {
    "values": "Going forward, write what each gate computes into the box above its wire.",
    "gradients": "Going backward from {root}, write the derivative of {root} by each value into the box "
    "below its wire.",
    "locals": "Write into the box on each wire the derivative, by this operand, of the gate that it enters.",
    "all": "Going forward, write what each gate computes above its wire. Going backward, write the local "
    "derivatives onto the wires and the derivatives of {root} below them.",
}
"""What can be left blank, and what the reader is told to do."""

SVG = "{http://www.w3.org/2000/svg}"
_BLANK, _SHORT = "0000000", "local 0000"  # stand in the layout for boxes; no number is written like them
_BOXES = {"data": (50.0, 20.0), "grad": (50.0, 20.0), "local": (40.0, 17.0)}  # width and height, in points
_NOTHING = "\xa0"


class Sheet:
    """The graph of an exercise, with some of its numbers left blank.

    Args:
        exercise: it.
        blank: which numbers, a key of `BLANKS`.
        room: the width and height of the picture's place, in points.

    Raises:
        ExpressionError: the formula cannot be read, or a name has no number.
        ValueError: there is no operation in it, or too many to be drawn.

    Example:
        >>> sheet = Sheet(Exercise("q = x + y; q*q", {"x": 2, "y": 1}), "gradients", (700, 300))
        >>> sheet.instruction
        'Going backward from f, write the derivative of f by each value into the box below its wire.'
        >>> sheet.steps[-1]
        'd(x + y)/dy = 1;  1 * 6 = 6;  y.grad: 0 -> 6'
        >>> sheet.svg(solved=False).count("<rect"), "grad 6" in sheet.svg(solved=False)
        (3, False)
    """

    def __init__(self, exercise: Exercise, blank: str, room: tuple[float, float]) -> None:
        self.exercise, self.blank, self.room = exercise, blank, room
        self.stepper = Stepper(exercise.root(), LIMIT, {})
        if self.stepper.root.op is None:
            raise ValueError(f"{exercise.formula!r:.60} has no operation, so there is nothing to fill in")

    @property
    def instruction(self) -> str:
        """What the reader is told to do."""
        return BLANKS[self.blank].format(root=self.stepper.events[len(self.stepper.outline.order)].name)

    @property
    def steps(self) -> list[str]:
        """The solution in words, a line a step."""
        told = []
        for event in self.stepper.events:
            if isinstance(event, Forward) and event.operation and self.blank in ("values", "all"):
                told.append(event.sentence)
            elif isinstance(event, Backward) and self.blank == "locals":
                told.append(event.local_formula)
            elif isinstance(event, Backward) and self.blank in ("gradients", "all"):
                told.append(f"{event.local_formula};  {event.product};  {event.sum}")
        return told

    @computed_once
    def _elements(self) -> tuple[list[Wire | Gate], dict[tuple[str, str], str]]:
        """Return what is drawn, with boxes, and what belongs into them, by the ids of groups and by kinds."""
        events, view = self.stepper.events, View(self.stepper.outline)
        paths, gates = Paths(events), {block.nodes[0]: block for block in view.blocks}
        asked, root = self.blank, f"n{len(self.stepper.outline.order) - 1}"
        sent = (
            [event for event in events if isinstance(event, Backward)] if asked in ("locals", "all") else []
        )
        locals_ = {gates[event.node].edge(event.index): event.local for event in sent}
        numbers = {(edge, "local"): format_number(local) for edge, local in locals_.items()}
        drawn: list[Wire | Gate] = []
        for element in view.elements(paths.names, paths.adjoints, locals_):
            if isinstance(element, Gate):
                operands = [(e, wire, _SHORT if e in locals_ else None) for e, wire, _ in element.operands]
                drawn.append(replace(element, operands=tuple(operands)))
                continue
            if element.grad is None:
                drawn.append(element)
                continue
            data, grad = format_number(element.data), format_number(element.grad)
            if element.source and asked in ("values", "all"):
                numbers[element.name, "data"], data = data, _BLANK
            if asked in ("gradients", "all") and element.name != root:
                numbers[element.name, "grad"], grad = grad, _BLANK
            grad = f"grad {grad}" if asked in ("gradients", "all") else _NOTHING
            drawn.append(replace(element, written=(data, grad)))
        return drawn, numbers

    @computed_once
    def drawing(self) -> Drawing:
        """The picture as it is laid out, with room for the boxes."""
        return draw_fitting(self._elements[0], (), [self.room])

    @property
    def count(self) -> int:
        """How many boxes there are."""
        return len(self._elements[1])

    def svg(self, *, solved: bool) -> str:
        """Return the picture, with empty boxes or with the numbers in them.

        No title tells a number: a browser would show it.
        """
        ElementTree.register_namespace("", SVG[1:-1])
        root = ElementTree.fromstring(self.drawing.svg())
        numbers = self._elements[1]
        for group in root.iter(f"{SVG}g"):
            for title in group.findall(f"{SVG}title"):
                group.remove(title)
            for text in group.findall(f"{SVG}text"):
                kind = text.get("class", "")
                if (number := numbers.get((group.get("id", ""), kind))) is not None:
                    _into_box(group, text, kind, number if solved else "")
        for group in root.iter(f"{SVG}g"):
            group.attrib.pop("id", None)  # a page has several pictures
        return ElementTree.tostring(root, encoding="unicode")


def _into_box(group: Element, text: Element, kind: str, number: str) -> None:
    """Put a box in the place of a text's digits, and perhaps a number into it."""
    size, (width, height) = 10.0 if kind == "local" else 12.0, _BOXES[kind]
    x, y = float(text.get("x", 0)), float(text.get("y", 0))
    prefix = (text.text or "").rstrip("0")
    left = x - (text_width(prefix, size) + width) / 2
    colour = text.get("fill", "black")
    text.text = prefix.strip() or None
    text.attrib.update({"x": f"{left:.2f}", "text-anchor": "start", "font-size": f"{size:g}"})
    left += text_width(prefix, size)
    place = {
        "x": f"{left:.2f}",
        "y": f"{y - 0.36 * size - height / 2:.2f}",
        "width": f"{width}",
        "height": f"{height}",
    }
    SubElement(group, f"{SVG}rect", {**place, "rx": "2", "fill": "white", "stroke": colour, "class": "blank"})
    if number:
        fitting = min(12.0, 12.0 * (width - 4) / text_width(number, 12.0))
        middle = {"x": f"{left + width / 2:.2f}", "y": f"{y - 0.36 * size + 0.36 * fitting:.2f}"}
        style = {
            "fill": colour,
            "font-weight": "bold",
            "font-size": f"{fitting:.2f}",
            "text-anchor": "middle",
        }
        SubElement(group, f"{SVG}text", {**middle, **style, "class": kind}).text = number
