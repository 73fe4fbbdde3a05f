"""Equal computations on other data are one family; families that come again and again are a loop.

Two nodes are of one family if they have the same form - the same operation on the same sorts of operands, or
sums of the same sorts of terms, however many - and the same depth: the longest way from something given. What
lies behind their operands does not matter, so computations that differ only in what fed them meet again. The
sequence of depths is searched for periods: a recurrence, a factorisation or a sorting network has the same
families at every step, on as many members as the step has.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from autograd.compiler.flat import Flat
from autograd.compiler.plan import Index

SHORTEST = 6
"""Fewer steps than this are not worth a loop."""

FEW = 4
"""Up to so many nodes are computed one by one, and into so many lengths of sums a family is split."""

LONGEST_BODY, WINDOW, TRIES = 10_000, 4, 6

CONSTANT, LEAF, DATUM, VALUE = 0, 1, 2, 3
ACTIVE, FED = 1, 2  # added to VALUE: depends on a leaf, depends on data
SORTS = VALUE + ACTIVE + FED + 1


NOTHING = np.zeros(0, dtype=np.intp)


@dataclass
class Family:
    """Nodes of one form.

    Attributes:
        kind: their ``Operation``, or ``"sum"``.
        members: the nodes, step by step if they are in a loop.
        starts: the bounds of the steps among the members, of shape (steps + 1,); None outside loops.
        slots: nodes that stand before the first step for results of steps before it (see ``carry``), as many
            for each such step as a step has members.
        sources: for each slot the node that it is a copy of, or -1.
    """

    kind: Any
    members: Index
    starts: Index | None = None
    slots: Index = field(default_factory=lambda: NOTHING)
    sources: Index = field(default_factory=lambda: NOTHING)

    @property
    def width(self) -> int | None:
        """How many members each step has; None if steps differ."""
        if self.starts is None:
            return None
        sizes = np.diff(self.starts)
        return int(sizes[0]) if (sizes == sizes[0]).all() else None


@dataclass
class Cycle:
    """Families that are computed step by step, in this order in each step."""

    families: list[Family]
    length: int


class Terms:
    """The operands of all nodes, and the terms of all sums, as arrays.

    Attributes:
        sort: for each node ``CONSTANT``, ``LEAF``, ``DATUM``, or ``VALUE`` and what it depends on.
        begin: where the operands, or terms, of a node begin; of shape (nodes + 1,).
        first: operands of operations; of sums the first factor of each term. In a product of two that is the
            one of the higher sort, so that data comes before weights.
        second: the other factor of a term, or -1.
    """

    def __init__(self, flat: Flat) -> None:
        kinds, arguments = flat.kinds, flat.arguments
        counts = np.fromiter(map(len, arguments), np.intp, len(arguments))
        counts[[kind is None for kind in kinds]] = 0
        self.begin = np.concatenate([[0], np.cumsum(counts)])
        self.sort = _sorts(flat)
        first: list[int] = []
        second: list[int] = []
        for kind, operands in zip(kinds, arguments, strict=True):
            if kind is None or not operands:
                continue
            if kind == "sum":
                first += [term[0] for term in operands]
                second += [term[-1] if len(term) == 2 else -1 for term in operands]
            else:
                first += operands
                second += [-1] * len(operands)
        self.first, self.second = np.array(first, dtype=np.intp), np.array(second, dtype=np.intp)
        swap = (self.second >= 0) & (self.sort[self.second] > self.sort[self.first])
        self.first[swap], self.second[swap] = self.second[swap], self.first[swap]
        self.code = self.sort[self.first] * (SORTS + 1) + np.where(
            self.second >= 0, self.sort[self.second], SORTS
        )

    def of(self, nodes: Index) -> tuple[Index, Index]:
        """Return the places of the nodes' operands or terms, node after node, and how many each has."""
        counts = self.begin[nodes + 1] - self.begin[nodes]
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(nodes) else counts
        return np.repeat(self.begin[nodes] - offsets, counts) + np.arange(counts.sum()), counts


def _sorts(flat: Flat) -> Index:
    """Return the sort of every node."""
    fed = flat.fed
    given = {"constant": CONSTANT, "leaf": LEAF, "data": DATUM}
    return np.array(
        [
            given[kind] if isinstance(kind, str) and kind in given else VALUE + active + FED * is_fed
            for kind, active, is_fed in zip(flat.kinds, flat.active, fed, strict=True)
        ],
        dtype=np.intp,
    )


def find_families(flat: Flat, terms: Terms) -> list[Family | Cycle]:
    """Return the families and cycles of a graph in the order in which they can be computed."""
    depth = np.array(_depths(flat), dtype=np.intp)
    nodes = np.flatnonzero(depth > 0)
    if not len(nodes):
        return []
    forms = _forms(flat, terms, nodes)
    order = np.lexsort((forms, depth[nodes]))
    nodes, forms, depth = nodes[order], forms[order], depth[nodes[order]]
    new_depth = np.concatenate([[True], depth[1:] != depth[:-1]])
    new_family = new_depth | np.concatenate([[True], forms[1:] != forms[:-1]])
    family_starts = np.flatnonzero(new_family)
    levels = np.flatnonzero(new_depth[family_starts])  # the first family of each depth
    family_bounds = np.append(family_starts, len(nodes))
    level_bounds = np.append(levels, len(family_starts))
    signatures = _signatures(forms[family_starts], levels)
    _, counts = terms.of(nodes)
    sizes = np.add.reduceat(counts + 1, family_starts) * (len(nodes) + 1) + np.diff(family_bounds)
    sized = _signatures(forms[family_starts] ^ _scatter(sizes).astype(np.intp), levels)
    found: list[Family | Cycle] = []
    done = 0
    for start, period, steps in find_periods(signatures):
        for begin, length, turns in _regular(sized, start, period, steps):
            found += _plain(flat, terms, nodes, family_bounds, range(level_bounds[done], level_bounds[begin]))
            found.append(_cycle(flat, nodes, forms, family_bounds, level_bounds, begin, length, turns))
            done = begin + length * turns
    found += _plain(flat, terms, nodes, family_bounds, range(level_bounds[done], level_bounds[-1]))
    return found


def _signatures(forms: Index, levels: Index) -> Any:
    """Return a number for the set of forms that each depth has."""
    with np.errstate(over="ignore"):
        return np.add.reduceat(_scatter(forms), levels)


def _regular(sized: Any, start: int, period: int, steps: int) -> Iterator[tuple[int, int, int]]:
    """Yield the parts of a run: a long stretch whose steps are of equal size apart from what surrounds it."""
    stop = start + period * steps
    for longer in range(period, min(8 * period, period * steps // SHORTEST) + 1, period):
        equal = np.concatenate(
            [[False], sized[start : stop - longer] == sized[start + longer : stop], [False]]
        )
        edges = np.flatnonzero(np.diff(equal.astype(np.int8)))
        if not len(edges):
            continue
        begins, lengths = edges[::2] + start, np.diff(edges)[::2] + longer
        best = int(np.argmax(lengths))
        begin, turns = int(begins[best]), int(lengths[best]) // longer
        if turns >= SHORTEST and 2 * turns * longer >= stop - start:
            begin += -(begin - start) % period  # the same phase as the run's
            turns = min(turns, (int(begins[best]) + int(lengths[best]) - begin) // longer)
            before = (begin - start) // period
            if before >= SHORTEST:
                yield start, period, before
            if turns >= SHORTEST:
                yield begin, longer, turns
            after = (stop - begin - longer * turns) // period
            if after >= SHORTEST:
                yield begin + longer * turns, period, after
            return
    yield start, period, steps


def _plain(flat: Flat, terms: Terms, nodes: Index, bounds: Index, families: range) -> list[Family | Cycle]:
    """Return families outside loops, small ones and sums of different lengths in parts."""
    parts: list[Family | Cycle] = []
    for family in families:
        members = nodes[bounds[family] : bounds[family + 1]]
        kind = flat.kinds[members[0]]
        if len(members) <= FEW and terms.sort[members[0]] - VALUE < FED:  # a batch makes few many
            parts += [Family(kind, members[[i]]) for i in range(len(members))]
        elif kind == "sum":
            parts += [Family(kind, members[part]) for part in _lengths(terms, members)]
        else:
            parts.append(Family(kind, members))
    return parts


def _lengths(terms: Terms, members: Index) -> list[Index]:
    """Return which sums have as many terms of each sort, or all together if there are many lengths."""
    places, counts = terms.of(members)
    present, code = np.unique(terms.code[places], return_inverse=True)
    table = np.zeros((len(members), len(present)), dtype=np.intp)
    np.add.at(table, (np.repeat(np.arange(len(members)), counts), code.ravel()), 1)
    lengths, which = np.unique(table, axis=0, return_inverse=True)
    if len(lengths) > FEW:
        return [np.arange(len(members))]
    return [np.flatnonzero(which.ravel() == i) for i in range(len(lengths))]


def _cycle(
    flat: Flat,
    nodes: Index,
    forms: Index,
    family_bounds: Index,
    level_bounds: Index,
    start: int,
    period: int,
    steps: int,
) -> Cycle:
    """Return the cycle of ``steps`` times ``period`` depths."""
    families: list[Family] = []
    first = family_bounds[level_bounds[start]]
    last = family_bounds[level_bounds[start + period * steps]]
    levels = np.repeat(
        np.arange(period * steps),
        np.diff(family_bounds[level_bounds[start : start + period * steps + 1]]),
    )
    phase, step = levels % period, levels // period
    inside, form = nodes[first:last], forms[first:last]
    order = np.lexsort((step, form, phase))
    inside, form, phase, step = inside[order], form[order], phase[order], step[order]
    new = np.flatnonzero((np.diff(form) != 0) | (np.diff(phase) != 0)) + 1
    for low, high in zip([0, *new.tolist()], [*new.tolist(), len(inside)], strict=True):
        starts = np.searchsorted(step[low:high], np.arange(steps + 1))
        families.append(Family(flat.kinds[inside[low]], inside[low:high], starts))
    return Cycle(families, steps)


def _depths(flat: Flat) -> list[int]:
    """Return the depth of every node, 0 for what is given or became part of another node."""
    depths = [0] * len(flat.kinds)
    for node, (kind, arguments) in enumerate(zip(flat.kinds, flat.arguments, strict=True)):
        if kind is None or not arguments:
            continue
        operands = chain.from_iterable(arguments) if kind == "sum" else arguments
        depths[node] = 1 + max([depths[operand] for operand in operands])
    return depths


def _forms(flat: Flat, terms: Terms, nodes: Index) -> Index:
    """Return a number for the form of each node: hashed, since equal numbers may do no harm (see `Cycle`).

    Nodes of different kinds never have the same number: it ends with the number of the kind.
    """
    kinds: dict[Any, int] = {}
    kind = np.array([kinds.setdefault(flat.kinds[node], len(kinds)) for node in nodes.tolist()])
    places, counts = terms.of(nodes)
    owner = np.repeat(np.arange(len(nodes)), counts)
    is_sum = kind[owner] == kinds.get("sum", -1)
    # Of an operation the place of an operand counts, of a sum each sort of term once.
    position = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    codes = terms.code[places] + np.where(is_sum, 0, (position + 1) * (SORTS + 1) ** 2)
    _, once = np.unique(owner * (int(codes.max()) + 1) + codes, return_index=True)
    total = np.zeros(len(nodes), dtype=np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(total, owner[once], _scatter(codes[once]))
        scaled = (total >> np.uint64(16)) * np.uint64(len(kinds)) + kind.astype(np.uint64)
    return scaled.astype(np.intp)


def _scatter(numbers: Index) -> Any:
    """Return 64 well-mixed bits for each number (the finaliser of MurmurHash3, Appleby 2011)."""
    with np.errstate(over="ignore"):
        h = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            h = (h ^ (h >> np.uint64(33))) * np.uint64(factor)
        return h ^ (h >> np.uint64(33))


def find_periods(signatures: Any) -> Iterator[tuple[int, int, int]]:
    """Yield (start, period, steps) of the runs in a sequence that repeat, from left to right.

    Among the periods that fit at a place the one whose run is longest is taken.
    """
    start = misses = 0
    while start + SHORTEST <= len(signatures):
        length, period, steps = _longest_run(signatures, start)
        if length:
            yield start, period, steps
            start += period * steps
            misses = 0
        else:
            misses += 1
            start += 1 + misses // 64  # ever larger steps, so that a long run without loops costs little


def _longest_run(signatures: Any, start: int) -> tuple[int, int, int]:
    """Return (length, period, steps) of the longest run that begins at ``start``, or zeros."""
    high = min(len(signatures), start + LONGEST_BODY)
    periods = np.flatnonzero(signatures[start + 1 : high] == signatures[start]) + 1
    for offset in range(1, min(WINDOW, len(signatures) - start)):
        periods = periods[start + periods + offset < len(signatures)]
        periods = periods[signatures[start + periods + offset] == signatures[start + offset]]
    best = (0, 0, 0)
    for _ in range(TRIES):
        periods = periods[periods >= best[0]]  # within the run lie multiples of its own period
        if not len(periods):
            break
        period = int(periods[0])
        length = _run(signatures, start, period)
        if length // period >= SHORTEST and length > best[0]:
            best = (length, period, length // period)
        periods = periods[1:]
    return best


def _run(signatures: Any, start: int, period: int) -> int:
    """Return how many elements from ``start`` on repeat with a period, the first time included."""
    length, chunk = period, 64
    while start + length < len(signatures):
        here = signatures[start + length : start + length + chunk]
        equal = here == signatures[start + length - period : start + length - period + len(here)]
        if not equal.all():
            return length + int(np.argmin(equal))
        length += len(here)
        chunk *= 2
    return length
