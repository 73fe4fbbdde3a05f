"""A flattened graph becomes a plan."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autograd.compiler.adjoint import reverse, simplified, sum_repeated
from autograd.compiler.carry import carry
from autograd.compiler.cells import Cells
from autograd.compiler.drafts import PARAMETERS, Draft, LoopDraft
from autograd.compiler.families import LEAF, Cycle, Family, Terms, find_families
from autograd.compiler.flat import Flat
from autograd.compiler.lowering import lower
from autograd.compiler.plan import Index, Loop, Place, Plan, Region, Statement, Step


def make_plan(
    flat: Flat, leaves: Sequence[int] | None, data: Sequence[int], seeds: int
) -> tuple[Plan, list[int]]:
    """Return the program of a graph.

    Args:
        flat: the graph.
        leaves: the nodes of the parameters, in the order in which their cells are to lie; None to choose one
            in which matrices are in one piece.
        data: those of the data.
        seeds: how many outputs, the first ones, are differentiated.

    Returns:
        The plan, and the nodes of the parameters in order.
    """
    terms = Terms(flat)
    found = find_families(flat, terms)
    leaves = _in_order_of_use(flat, terms, found) if leaves is None else list(leaves)
    for part in found:
        if isinstance(part, Cycle):
            carry(part, terms)
    cells = Cells(flat, terms, leaves, data, found)
    forward = lower(found, terms, cells)
    outputs = [_output(node, cells) for node in flat.outputs]
    sources = [node for node in flat.outputs[:seeds] if flat.active[node]]
    seeded = cells.address[sources]
    backward = reverse(forward, cells.active)
    touched = {int(cells.family[node]) for node in sources} - {-1}
    steps, cleared = _begin(backward, cells.regions, touched)
    if len(seeded):
        target = Place("d", 0, (0,), seeded)
        steps.insert(0, Statement(target, 1.0, (len(seeded),), adds=True, name="seed"))
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
    return plan, leaves


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
    nodes = nodes[np.array([kind == "leaf" for kind in flat.kinds])[nodes]]
    _, first = np.unique(nodes, return_index=True)
    order: list[int] = nodes[np.sort(first)].tolist()
    return order


def _output(node: int, cells: Cells) -> int:
    if cells.address[node] < 0:  # a constant
        return cells.hold(cells.numbers[[node]])
    return int(cells.address[node])


def _step(part: Draft | LoopDraft) -> Step:
    if isinstance(part, LoopDraft):
        body = tuple(_plain(draft.statement) for draft in part.body)
        return Loop(body, tuple(draft.starts for draft in part.body), part.length, part.backward)
    return _plain(part.statement)


def _plain(statement: Statement) -> Statement:
    return replace(statement, expression=simplified(statement.expression))


def _begin(
    backward: Sequence[Draft | LoopDraft], regions: Sequence[Region], touched: set[int]
) -> tuple[list[Step], list[tuple[int, int]]]:
    """Return the reverse pass, in which the first to add to a family assigns if it reaches all of it.

    Args:
        backward: the drafts, all of which add.
        regions: the cells of the families.
        touched: the families that have been added to before.

    Returns:
        The steps, and the ranges that have to be cleared for the others.
    """
    touched |= {PARAMETERS}
    cleared = [family for family in touched if family >= 0]
    steps: list[Step] = []
    for part in backward:
        if isinstance(part, LoopDraft):
            fresh = {family for draft in part.body for family in draft.writes} - touched
            cleared += fresh
            touched |= fresh
            loop = _step(part)
            assert isinstance(loop, Loop)
            body = tuple(sum_repeated(statement, 1) for statement in loop.body)
            steps.append(replace(loop, body=body))
            continue
        statement = sum_repeated(_plain(part.statement), 0)
        fresh = set(part.writes) - touched
        if len(part.writes) == 1 and fresh and _covers(statement, regions[min(fresh)]):
            statement = replace(statement, adds=False)
        else:
            cleared += fresh
        touched |= fresh
        steps.append(statement)
    return steps, [(regions[family].start, regions[family].stop) for family in cleared]


def _covers(statement: Statement, region: Region) -> bool:
    """Tell whether a statement's targets are all cells of a region, in order."""
    target = statement.target
    kept = len(statement.shape) - statement.summed
    if target.table is not None or target.choice is not None or target.base != region.start:
        return False
    size = 1
    for length, stride in zip(reversed(statement.shape[:kept]), reversed(target.strides[:kept]), strict=True):
        if length > 1 and stride != size:
            return False
        size *= length
    return size == region.stop - region.start


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges in order, those that touch as one."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined
