"""What a drawing shows: wires, gates, and boxes around some of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Wire:
    """A value as it is drawn.

    Attributes:
        name: the id of its group in the SVG.
        label: what is written before its numbers.
        data: the number above the wire.
        grad: the number below it; None for a constant, which has neither wire nor gradient.
        source: the name of the operation that computes it; "" for a leaf.
        written: what is written instead of data and gradient, with room for handwriting around it.
    """

    name: str
    label: str
    data: float
    grad: float | None = None
    source: str = ""
    written: tuple[str, str] | None = None


@dataclass(frozen=True)
class Gate:
    """An operation as it is drawn, or a group of operations.

    Attributes:
        name: the id of its group in the SVG.
        symbol: what is written on it.
        title: what it is called in full.
        operands: for each edge into it: its id, the wire's, and the local derivative if it is to be written,
            or what is written instead.
        outputs: for each edge out of it: its id and the wire's.
        composite: whether it is a group of operations.
    """

    name: str
    symbol: str
    title: str
    operands: tuple[tuple[str, str, float | str | None], ...]
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


def uses(elements: Sequence[Wire | Gate]) -> Iterator[tuple[str, str, str]]:
    """Yield each edge into a gate, the wire that it comes from, and the gate."""
    for element in elements:
        if isinstance(element, Gate):
            for edge, wire, _ in element.operands:
                yield edge, wire, element.name
