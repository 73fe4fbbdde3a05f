"""A layout becomes a program: the forward pass in the order of the schedule, the reverse pass in reverse."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler.flat import Flat
from autograd.compiler.loops import Loop, find_exports
from autograd.compiler.recurrence import Recurrence, find_recurrences
from autograd.compiler.statements import FloatStatement, LongSum, Statement, Taped
from autograd.compiler.stores import Array, Leaves, Memory
from autograd.compiler.structure import Block, Index, Layout
from autograd.compiler.symbols import CHAIN, Expression
from autograd.compiler.tape import Tape

REPEATED = 200
"""In a row of at least so many nodes without structure, loops are looked for."""

LONG = 20_000
"""More nodes than this in a row without structure become a tape instead of statements."""

_Step = Statement | FloatStatement[int] | LongSum | Loop | Taped


@dataclass
class Listing:
    """A program as text.

    Attributes:
        forward: the statements of the forward pass; the last sets ``outputs``.
        reverse: the statements of the reverse pass, which add to ``gradients``.
        namespace: what the statements refer to.
        descriptions: what the views among them are.
        leaves: the store of the leaves, with the arrays ``parameters`` and ``gradients``.
        data: the array of the data.
        found: what was recognised, counted.
    """

    forward: list[str]
    reverse: list[str]
    namespace: dict[str, Any]
    descriptions: dict[str, str]
    leaves: Leaves
    data: Array
    found: Counter[str]


def emit(flat: Flat, layout: Layout) -> Listing:
    """Write the program of a graph.

    Args:
        flat: the graph.
        layout: its blocks, and the order in which to compute them.
    """
    memory = Memory(flat, layout)
    writer = memory.writer
    for number, positions in _by_block(layout, flat.outputs).items():
        memory[number].prepare(positions)
    steps = [step for part in layout.schedule for step in _steps(part, flat, memory)]
    find_exports(flat, [step for step in steps if isinstance(step, Loop)])
    for step in steps:
        step.forward()
    writer.write(f"outputs = ({', '.join(memory.read_node(node).text for node in flat.outputs)},)")
    forward, writer.lines = writer.lines, []
    memory.leaves.begin_adjoints()
    for step in steps:
        if isinstance(step, (Loop, Taped)):
            step.begin_adjoints()
    for number, positions in _by_block(layout, [node for node in flat.outputs if flat.active[node]]).items():
        memory[number].add(positions, Expression("1.0", writer, array=False))
    for step in reversed(steps):
        step.reverse()
    memory.leaves.finish()
    return Listing(
        forward, writer.lines, writer.namespace, writer.descriptions, memory.leaves, memory.data, memory.found
    )


def _steps(part: Block | list[int], flat: Flat, memory: Memory) -> list[_Step]:
    """Return the steps of a part of the schedule: an array statement, or loops, tapes, float statements."""
    if isinstance(part, Block):
        return [Statement(part, memory)]
    steps: list[_Step] = []
    for piece in find_recurrences(flat, part) if len(part) >= REPEATED else [part]:
        if isinstance(piece, Recurrence):
            steps.append(Loop(piece, flat, memory))
        elif len(piece) > LONG:
            steps.append(Taped(Tape(flat, piece), "tape", memory))
        else:
            steps += [_float_step(node, flat, memory) for node in piece]
    return steps


def _float_step(node: int, flat: Flat, memory: Memory) -> LongSum | FloatStatement[int]:
    kind, arguments = flat.kinds[node], flat.arguments[node]
    if kind == "sum" and len(arguments) > CHAIN:
        return LongSum(node, arguments, memory)
    return FloatStatement(node, kind, arguments, memory)


def _by_block(layout: Layout, outputs: list[int]) -> dict[int, Index]:
    """Return the positions of the outputs in each block that holds some."""
    places: dict[int, list[int]] = {}
    for node in outputs:
        places.setdefault(layout.block_of[node], []).append(layout.position[node])
    return {number: np.array(positions, dtype=np.intp) for number, positions in places.items()}
