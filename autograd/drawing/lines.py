"""A long graph in lines, as a text is: which line each element is on, and which wires are cut."""

from collections.abc import Sequence, Set

from autograd.drawing.elements import Gate, Wire, uses

_DEEP = 80  # gates in a row, beyond which a graph is drawn in several lines
_LONG = 4_000  # gates that all its wires pass together, likewise
_LINE = 16  # gates in a row of one line
_FAR = 4  # gates that a wire passes in it


def lines_of(elements: Sequence[Wire | Gate], length: int | None = None) -> tuple[dict[str, int], Set[str]]:
    """Return the line of each element, and the edges that refer to a wire by its name; nothing for one line.

    A graph of many gates in a row is drawn in lines, as a text is. As one line it would be wider than anyone
    follows a wire; and Graphviz makes way for a wire at every gate that it passes, which for a value used a
    hundred times takes minutes. A wire from far or from another line is cut: its name stands at the gate.

    Args:
        elements: what is drawn.
        length: how many gates in a row a line has; without it a graph gets lines only if it is very long.
    """
    ranks = _ranks(elements)
    lengths = {edge: ranks[gate] - ranks[wire] for edge, wire, gate in uses(elements) if gate in ranks}
    if length is None and max(ranks.values()) <= _DEEP and sum(lengths.values()) <= _LONG:
        return {}, frozenset()
    computed = {element.name for element in elements if isinstance(element, Gate)} | _made(elements)
    # A gate is on the line of the wires that it makes, a leaf on that of the gate that it enters first.
    lines = {name: (rank - (name in computed)) // (length or _LINE) for name, rank in ranks.items()}
    far = {
        edge
        for edge, wire, gate in uses(elements)
        if gate in ranks and (lengths[edge] > (length or _FAR) or lines[wire] != lines[gate])
    }
    return lines, far


def depth(elements: Sequence[Wire | Gate]) -> int:
    """Return how many gates are in a row."""
    return max(_ranks(elements).values())


def _made(elements: Sequence[Wire | Gate]) -> set[str]:
    return {output for gate in elements if isinstance(gate, Gate) for _, output in gate.outputs}


def _ranks(elements: Sequence[Wire | Gate]) -> dict[str, int]:
    """Return how many gates in a row lead to each element; of a leaf, those that lead to its first use."""
    gates = [element for element in elements if isinstance(element, Gate)]
    leaves = {element.name for element in elements if isinstance(element, Wire)} - _made(elements)
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
