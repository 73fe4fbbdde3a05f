"""A flattened graph becomes a plan."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autograd.compiler.adjoint import reverse, simplified
from autograd.compiler.carry import carry
from autograd.compiler.cells import Cells
from autograd.compiler.drafts import PARAMETERS, Draft, Families, LoopDraft
from autograd.compiler.families import LEAF, Cycle, Family, Terms, find_depths, find_families
from autograd.compiler.first_use import assigned
from autograd.compiler.flat import ACTIVE, Flat
from autograd.compiler.lowering import lower
from autograd.compiler.plan import Index, Loop, Place, Plan, Statement, Step


def make_plan(
    flat: Flat, leaves: Sequence[int] | None, data: Sequence[int], seeds: int
) -> tuple[Plan, list[int]]:
    """Return the program of a graph.

    Args:
        flat: the graph; its ``arguments`` are taken away.
        leaves: the nodes of the parameters, in the order in which their cells are to lie; None to choose one
            in which matrices are in one piece.
        data: those of the data.
        seeds: how many outputs, the first ones, are differentiated.

    Returns:
        The plan, and the nodes of the parameters in order.
    """
    terms = Terms(flat)
    depths = find_depths(flat, terms)
    flat.arguments.clear()  # terms has them from here on, and they take more memory than all else
    found = find_families(flat, terms, depths)
    leaves = _in_order_of_use(flat, terms, found) if leaves is None else list(leaves)
    for part in found:
        if isinstance(part, Cycle):
            carry(part, terms)
    cells = Cells(flat, terms, leaves, data, found)
    forward = lower(found, terms, cells)
    outputs = [_output(node, cells) for node in flat.outputs]
    sources = [node for node in flat.outputs[:seeds] if flat.marks[node] & ACTIVE]
    seeded = cells.address[sources]
    backward = reverse(forward, cells.active)
    steps = [_step(part) for part in backward]
    if len(seeded):
        target = Place("d", 0, (0,), seeded)
        steps.insert(0, Statement(target, 1.0, (len(seeded),), adds=True, name="seed"))
    families = {int(cells.family[node]) for node in sources}.union(*map(_written, backward)) - {PARAMETERS}
    cleared = [(cells.regions[family].start, cells.regions[family].stop) for family in families]
    if leaves:
        cleared.append((0, len(leaves)))
    plan = Plan(
        parameters=len(leaves),
        fixed=cells.fixed,
        data=len(data),
        constants=cells.constants,
        size=cells.size,
        regions=tuple(sorted(cells.regions, key=lambda region: region.start)),
        forward=tuple(_step(part) for part in forward),
        reverse=tuple(steps),
        cleared=tuple(_joined(cleared)),
        outputs=tuple(outputs),
        choices=tuple((int(cells.address[node]), count) for node, count in cells.choices.items()),
    )
    return assigned(plan), leaves


def _in_order_of_use(flat: Flat, terms: Terms, found: Sequence[Family | Cycle]) -> list[int]:
    """Return the leaves in the order of the sums of products that read them, longest first, then others."""
    tables: list[tuple[float, Index]] = []
    for part in found:
        for family in part.families if isinstance(part, Cycle) else [part]:
            members = np.sort(family.members)
            places, counts = terms.of(members)
            products = terms.second[places] >= 0
            for factors, others in ((terms.first, terms.second), (terms.second, terms.first)):
                nodes = factors[places]
                chosen = (nodes >= 0) & (terms.sort[nodes] == LEAF)
                # A product of two leaves, as in a penalty, says nothing of how they belong together.
                paired = chosen & products & (terms.sort[others[places]] != LEAF)
                tables.append((-float(counts.max()), nodes[paired]))
                tables.append((0.0, nodes[chosen & ~paired]))
    tables.sort(key=lambda table: table[0])
    nodes = np.concatenate([*(nodes for _, nodes in tables), np.array([*flat.leaves], dtype=np.intp)])
    nodes = nodes[terms.sort[nodes] == LEAF]
    _, first = np.unique(nodes, return_index=True)
    order: list[int] = nodes[np.sort(first)].tolist()
    return order


def _output(node: int, cells: Cells) -> int:
    if cells.address[node] < 0:  # a constant
        return cells.hold(cells.numbers[[node]])
    return int(cells.address[node])


def _written(part: Draft | LoopDraft) -> Families:
    """Return the families to which some statements write."""
    if isinstance(part, Draft):
        return part.writes
    return frozenset[int]().union(*(draft.writes for draft in part.body))


def _step(part: Draft | LoopDraft) -> Step:
    if isinstance(part, LoopDraft):
        body = tuple(_plain(draft.statement) for draft in part.body)
        return Loop(body, tuple(draft.starts for draft in part.body), part.length, part.backward)
    return _plain(part.statement)


def _plain(statement: Statement) -> Statement:
    expression = simplified(statement.expression)
    return statement if expression is statement.expression else replace(statement, expression=expression)


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges in order, those that touch as one."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined
