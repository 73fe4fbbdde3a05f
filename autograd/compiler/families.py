"""Equal computations on other data are one family; families that come again and again are a loop.

Two nodes are of one family if they have the same form - the same operation on the same sorts of operands, or
sums of the same sorts of terms, however many - and the same depth: the longest way from something given. What
lies behind their operands does not matter, so computations that differ only in what fed them meet again. The
sequence of depths is searched for periods: a recurrence, a factorisation or a sorting network has the same
families at every step, on as many members as the step has. If nothing repeats, an agenda makes steps of it.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, groupby, pairwise, permutations
from typing import Any

import numpy as np

from autograd.compiler.agenda import assign
from autograd.compiler.flat import ABSENT, ACTIVE, FED, Flat, counted
from autograd.compiler.plan import Index
from autograd.row import GENERAL, UNDEFINED, Operation

SHORTEST = 6
"""Fewer steps than this are not worth a loop."""

SHORTEST_CHAIN = 3
"""Fewer operations in a chain than this are families of their own."""

LONGEST_CHAIN = 8
"""More operations in a chain than this are not run with what has no structure, link by link."""

FEW = 4
"""Up to so many nodes are computed one by one, and into so many lengths of sums a family is split."""

MANY = 200
"""More statements than this are too many: then what has no structure is run by an agenda."""

WIDE = 10
"""Fewer nodes for each depth are few."""

LONGEST_BODY, WINDOW, TRIES = 10_000, 4, 6

CONSTANT, LEAF, DATUM, VALUE = 0, 1, 2, 3  # to the last are added the marks
SORTS = VALUE + ACTIVE + FED + 1
CODES = (SORTS + 1) ** 2  # of pairs of sorts, the second of which may be missing; fewer than a word has bits


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
        kind: for each node the place of its kind in ``kinds``.
        sort: for each node ``CONSTANT``, ``LEAF``, ``DATUM``, or ``VALUE`` and what it depends on.
        begin: where the operands, or terms, of a node begin; of shape (nodes + 1,).
        first: operands of operations; of sums the first factor of each term. In a product of two that is the
            one of the higher sort, so that data comes before weights.
        second: the other factor of a term, or `ABSENT`.
        code: for each operand or term a number for the sorts of its factors.
    """

    def __init__(self, flat: Flat) -> None:
        numbers: dict[Any, int] = {kind: number for number, kind in enumerate(dict.fromkeys(flat.kinds))}
        self.kind = np.fromiter(map(numbers.__getitem__, flat.kinds), np.intp, len(flat.kinds))
        self.kinds = list(numbers)
        given = {"constant": CONSTANT, "leaf": LEAF, "data": DATUM}
        sort = np.array([given.get(kind, VALUE) for kind in self.kinds])[self.kind]
        self.sort = np.where(sort == VALUE, VALUE + np.array(flat.marks, dtype=np.intp), sort)
        counts = np.fromiter(map(len, flat.arguments), np.intp, len(flat.arguments))
        operands = np.fromiter(chain.from_iterable(flat.arguments), np.intp, int(counts.sum()))
        of_sum = self.is_kind("sum")
        is_first = np.ones(len(operands), dtype=bool)
        in_sum = np.flatnonzero(np.repeat(of_sum, counts))
        is_first[in_sum[1::2]] = False  # every sum has an even number of them
        self.first = operands[is_first]
        self.second = np.full(len(operands), ABSENT)
        self.second[in_sum[::2]] = operands[in_sum[1::2]]
        self.second = self.second[is_first]
        counts[of_sum] //= 2
        self.begin = np.concatenate([[0], np.cumsum(counts)])
        swap = (self.second >= 0) & (self.sort[self.second] > self.sort[self.first])
        self.first[swap], self.second[swap] = self.second[swap], self.first[swap]
        self.code = self.sort[self.first] * (SORTS + 1) + np.where(
            self.second >= 0, self.sort[self.second], SORTS
        )

    def is_kind(self, *kinds: Any) -> Any:
        """Tell which nodes are of some kinds."""
        return np.array([kind in kinds for kind in self.kinds])[self.kind]

    def of(self, nodes: Index) -> tuple[Index, Index]:
        """Return the places of the nodes' operands or terms, node after node, and how many each has."""
        counts = self.begin[nodes + 1] - self.begin[nodes]
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(nodes) else counts
        return np.repeat(self.begin[nodes] - offsets, counts) + np.arange(counts.sum()), counts


def find_families(flat: Flat, terms: Terms, depths: tuple[Index, Index]) -> list[Family | Cycle]:
    """Return the families and cycles of a graph in the order in which they can be computed.

    Args:
        flat: the graph, whose ``arguments`` are not read.
        terms: its operands.
        depths: what `find_depths` returns.
    """
    ranks = _Ranks(flat, terms, depths)
    return list(_found(ranks, _stretches(ranks)))


Stretch = tuple[int, int, int]
"""Depths in a row: where they start, and a period and its steps; or 0 and how many depths do not repeat."""


def _stretches(ranks: "_Ranks") -> Iterator[Stretch]:
    """Yield the stretches of a graph, those that repeat and those between."""
    done = 0
    for start, period, steps in find_periods(ranks.signatures) if len(ranks.nodes) else ():
        for begin, length, turns in _regular(ranks.sized, start, period, steps):
            yield from _between(ranks, done, begin)
            yield begin, length, turns
            done = begin + length * turns
    yield from _between(ranks, done, len(ranks.levels) - 1)


def _between(ranks: "_Ranks", start: int, stop: int) -> Iterator[Stretch]:
    """Yield depths that do not repeat, those with long chains, which become cycles, by themselves."""
    edges = chain.from_iterable((at, at + 1) for at in ranks.long_chains(start, stop))
    for first, last in pairwise([start, *edges, stop]):
        if first < last:
            yield first, 0, last - first


def _found(ranks: "_Ranks", stretches: Iterable[Stretch]) -> Iterator[Family | Cycle]:
    """Yield the families and cycles of stretches; those of too many statements are joined to one cycle.

    If nothing repeats, there are about as many statements as nodes, but few forms: then the depths have these
    forms again and again, only each on other and on differently many nodes. What has so many nodes for each
    statement that it is well off as it is, stays as it is. Where depths have few nodes each, a loop over them
    takes two to three times as long as code without one, which is left until there is too much of it.
    """
    parts = [(stretch, ranks.statements(*stretch)) for stretch in stretches]
    wide = len(ranks.nodes) >= WIDE * (len(ranks.levels) - 1)
    if sum(count for _, count in parts) <= (MANY if wide else MANY * WIDE):
        for stretch, _ in parts:
            yield from ranks.stretch(*stretch)
        return

    def poor(part: tuple[Stretch, int]) -> bool:
        (start, period, steps), count = part
        share = ranks.size(start, start + steps * (period or 1)) / len(ranks.nodes)
        return count > share * MANY / 4 and not ranks.long_chains(start, start + steps * (period or 1))

    for is_poor, group in groupby(parts, poor):
        together = list(group)
        first, (start, period, steps) = together[0][0][0], together[-1][0]
        stop = start + steps * (period or 1)
        count = sum(count for _, count in together)
        if is_poor and count > 4 * ranks.forms_between(first, stop):
            yield ranks.without_structure(first, stop)
        else:
            for stretch, _ in together:
                yield from ranks.stretch(*stretch)


class _Ranks:
    """All nodes by depth, by their place in a chain of one operation, and by form.

    Args:
        flat: the graph.
        terms: its operands.
        depths: what `find_depths` returns.

    Attributes:
        nodes: the nodes in that order.
        signatures: for each depth a number that stands for the forms of its nodes.
        sized: the same for the forms and how many nodes and operands there are of each.
        levels: the bounds of the depths among the families.
    """

    def __init__(self, flat: Flat, terms: Terms, depths: tuple[Index, Index]) -> None:
        self.flat, self.terms = flat, terms
        depth, link = depths
        nodes = np.flatnonzero(depth > 0)
        forms = _forms(terms, nodes) if len(nodes) else nodes
        order = np.lexsort((forms, link[nodes], depth[nodes]))
        self.nodes, self.forms = nodes[order], forms[order]
        self.link, depth = link[self.nodes], depth[self.nodes]
        first = np.ones(min(1, len(nodes)), dtype=bool)
        new_depth = np.concatenate([first, depth[1:] != depth[:-1]])
        starts = np.flatnonzero(new_depth | np.concatenate([first, self._changes(self.forms, self.link)]))
        levels = np.flatnonzero(new_depth[starts])  # the first family of each depth
        self.families = np.append(starts, len(nodes))
        self.levels = np.append(levels, len(starts))
        kinds = self.forms[starts] ^ _scatter(self.link[starts]).astype(np.intp)
        _, counts = terms.of(self.nodes)
        members = np.diff(self.families)
        self.signatures = self.sized = np.zeros(0, dtype=np.uint64)
        if len(nodes):
            sizes = np.add.reduceat(counts + 1, starts) * (len(nodes) + 1) + members
            self.signatures = _signatures(kinds, levels)
            self.sized = _signatures(kinds ^ _scatter(sizes).astype(np.intp), levels)

    @staticmethod
    def _changes(*keys: Index) -> Any:
        return np.any([key[1:] != key[:-1] for key in keys], axis=0)

    def size(self, start: int, stop: int) -> int:
        """Return how many nodes the depths from ``start`` to ``stop`` have."""
        return int(self.families[self.levels[stop]] - self.families[self.levels[start]])

    def statements(self, start: int, period: int, steps: int) -> int:
        """Return about how many statements a stretch becomes."""
        if period:
            return int(self.levels[start + period] - self.levels[start])
        bounds = self.families[self.levels[start] : self.levels[start + steps] + 1]
        sizes = np.diff(bounds)
        fed = self.terms.sort[self.nodes[bounds[:-1]]] - VALUE >= FED
        return int(np.where((sizes <= FEW) & ~fed, sizes, 1).sum())

    def forms_between(self, start: int, stop: int) -> int:
        """Return how many forms the nodes of some depths have."""
        starts = self.families[self.levels[start] : self.levels[stop]]
        return len(np.unique(self.forms[starts] ^ _scatter(self.link[starts]).astype(np.intp)))

    def long_chains(self, start: int, stop: int) -> list[int]:
        """Return the depths, of some, that have long chains."""
        links = self.link[self.families[self.levels[start] : self.levels[stop]]]
        families = np.flatnonzero(links > LONGEST_CHAIN) + self.levels[start]
        depths: list[int] = np.unique(np.searchsorted(self.levels, families, "right") - 1).tolist()
        return depths

    def stretch(self, start: int, period: int, steps: int) -> list[Family | Cycle]:
        """Return the cycle of ``steps`` times ``period`` depths; or what there is at depths without one.

        There small families, and sums of different lengths, are taken apart; chains of one operation are
        cycles.
        """
        if period:
            bounds = self.families[self.levels[start : start + period * steps + 1]]
            level = np.repeat(np.arange(period * steps), np.diff(bounds))
            return [self._cycle(slice(bounds[0], bounds[-1]), level // period, level % period)]
        return self._plain(start, start + steps)

    def without_structure(self, start: int, stop: int) -> Cycle:
        """Return the cycle of what is between two depths and repeats nothing but its forms."""
        inside = slice(self.families[self.levels[start]], self.families[self.levels[stop]])
        nodes, forms, link = self.nodes[inside], self.forms[inside], self.link[inside]
        _, family = np.unique(forms ^ _scatter(link).astype(np.intp), return_inverse=True)
        position = np.full(len(self.flat.kinds) + 1, len(nodes))  # the last is that of `ABSENT`
        position[nodes] = np.arange(len(nodes))
        places, counts = self.terms.of(nodes)
        operands = np.stack([self.terms.first[places], self.terms.second[places]], axis=1).ravel()
        begin = 2 * np.concatenate([[0], np.cumsum(counts)])
        levels = self.families[self.levels[start : stop + 1]] - inside.start
        apart = np.union1d(levels, np.flatnonzero(self._changes(link)) + 1)
        step, phase = assign(family.ravel(), position[operands], begin, apart)
        return self._cycle(inside, step, phase)

    def _plain(self, start: int, stop: int) -> list[Family | Cycle]:
        """Return the families of the depths from ``start`` to ``stop``, each after those before it."""
        parts: list[Family | Cycle] = []
        for level in range(start, stop):
            families = range(self.levels[level], self.levels[level + 1])
            chains: dict[Any, list[int]] = {}
            for family in families:
                place = self.families[family]
                if self.link[place]:
                    chains.setdefault(self.flat.kinds[self.nodes[place]], []).append(family)
                else:
                    parts += self._apart(family)
            for together in chains.values():
                parts += self._chain(together)
        return parts

    def _chain(self, families: list[int]) -> list[Family | Cycle]:
        """Return the families of one operation's chains, link by link, or as a cycle over the links."""
        starts = self.families[families]
        link, form = self.link[starts], self.forms[starts]
        own = link == 1  # the first links, which may be of a form of their own
        begin = 0 if np.isin(form[own], form[~own]).any() else int(own.sum())
        if link[-1] - (begin > 0) < SHORTEST_CHAIN:
            begin = len(families)
        parts: list[Family | Cycle] = [small for family in families[:begin] for small in self._apart(family)]
        if begin == len(families):
            return parts
        rest = range(int(link[begin]), int(link[-1]) + 1)
        cycle = []
        for one in dict.fromkeys(form[begin:].tolist()):
            members = {
                int(link[i]): self.nodes[self.families[families[i]] : self.families[families[i] + 1]]
                for i in range(begin, len(families))
                if form[i] == one
            }
            steps = [members.get(step, NOTHING) for step in rest]
            nodes = np.concatenate(steps)
            cycle.append(Family(self.flat.kinds[nodes[0]], nodes, np.cumsum([0, *map(len, steps)])))
        return [*parts, Cycle(cycle, len(rest))]

    def _apart(self, family: int) -> list[Family]:
        members = self.nodes[self.families[family] : self.families[family + 1]]
        kind = self.flat.kinds[members[0]]
        fed = self.terms.sort[members[0]] - VALUE >= FED
        if len(members) <= FEW and not fed:  # of a datum's few a batch makes many
            return [Family(kind, members[[i]]) for i in range(len(members))]
        if kind == "sum":
            return [Family(kind, members[part]) for part in _lengths(self.terms, members)]
        return [Family(kind, members)]

    def _cycle(self, inside: slice, step: Index, phase: Index) -> Cycle:
        """Return the cycle of some nodes, given the step of each and its place in it."""
        steps = int(step.max()) + 1
        keys = (step, self.forms[inside], self.link[inside], phase)
        order = np.lexsort(keys)
        step, form, link, phase = (key[order] for key in keys)
        nodes = self.nodes[inside][order]
        new = (np.flatnonzero(self._changes(form, link, phase)) + 1).tolist()
        families = []
        for low, high in zip([0, *new], [*new, len(nodes)], strict=True):
            starts = np.searchsorted(step[low:high], np.arange(steps + 1))
            families.append(Family(self.flat.kinds[nodes[low]], nodes[low:high], starts))
        return Cycle(families, steps)


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


def find_depths(flat: Flat, terms: Terms) -> tuple[Index, Index]:
    """Return the depth of every node, and its place in a chain.

    The depth of what is given, or became part of another node, is 0. A chain applies one associative
    operation to its result so far and the next element, as in maximum(maximum(a, b), c): its nodes have one
    depth, whatever its length, and places 1, 2, ...; other nodes have place 0.
    """
    size = len(flat.kinds)
    depths, links = [0] * (size + 1), np.zeros(size, dtype=np.intp)  # the last is that of `ABSENT`
    ends, continued = _chained(flat, terms)
    arguments, depth_of = flat.arguments, depths.__getitem__
    for node, operands in enumerate(arguments):
        if not operands or continued[node]:
            continue
        if len(operands) == 2:
            one, other = depths[operands[0]], depths[operands[1]]
            depths[node] = 1 + (one if one > other else other)
        else:
            depths[node] = 1 + max(map(depth_of, operands))
        if not ends[node]:
            continue
        nodes = [node]
        deepest = depths[node]
        while continued[arguments[nodes[-1]][0]]:
            nodes.append(arguments[nodes[-1]][0])
            deepest = max(deepest, *(1 + depths[operand] for operand in arguments[nodes[-1]]))
        for place, link in enumerate(reversed(nodes), 1):
            depths[link], links[link] = deepest, place
    return np.array(depths[:-1], dtype=np.intp), links


def _chained(flat: Flat, terms: Terms) -> tuple[bytes, bytes]:
    """Tell which nodes end a chain, of one node at least, and which only the next operation of one reads."""
    chained = terms.is_kind(*(k for k in terms.kinds if isinstance(k, Operation) and is_associative(k)))
    continued = np.zeros(len(flat.kinds), dtype=bool)
    nodes = np.flatnonzero(chained)
    if len(nodes):
        read = np.concatenate([terms.first, terms.second[terms.second >= 0]])
        first = terms.first[terms.begin[nodes]]
        uses = counted(read, len(flat.kinds), flat.outputs)
        continued[first] = (terms.kind[first] == terms.kind[nodes]) & (uses[first] == 1)
    return bytes(chained & ~continued), bytes(continued)


@cache
def is_associative(operation: Operation) -> bool:
    """Tell whether f(f(a, b), c) = f(a, f(b, c)), as for a maximum: tried at some numbers.

    Only then do chains of different lengths say the same of different many arguments. A wrong answer costs
    speed, not truth.
    """
    f = operation.value
    try:
        return operation.arity == 2 and all(
            math.isclose(f(f(a, b), c), f(a, f(b, c)), rel_tol=1e-9) for a, b, c in permutations(GENERAL, 3)
        )
    except UNDEFINED:  # at some of them, as a choice from one item
        return False


def _forms(terms: Terms, nodes: Index) -> Index:
    """Return a number for the form of each node: hashed, since equal numbers may do no harm (see `Cycle`).

    Nodes of different kinds never have the same number: it ends with the number of the kind.
    """
    places, counts = terms.of(nodes)
    starts = np.cumsum(counts) - counts
    code = terms.code[places]
    # Of an operation the place of an operand counts, of a sum each sort of term once.
    position = np.arange(len(places)) - np.repeat(starts, counts)
    of_sum = terms.is_kind("sum")[nodes]
    with np.errstate(over="ignore"):
        total = np.add.reduceat(_scatter(code + (position + 1) * CODES), starts)
        sorts = np.bitwise_or.reduceat(np.uint64(1) << code.astype(np.uint64), starts)
        total = np.where(of_sum, _scatter(sorts), total) >> np.uint64(16)
        return (total * np.uint64(len(terms.kinds)) + terms.kind[nodes].astype(np.uint64)).astype(np.intp)


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
