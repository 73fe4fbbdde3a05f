"""Families become statements: members get cells, operands become places.

The members of a family lie in memory one after another, in the order of what they read, so that most of what
reads them is evenly spaced.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograd import ops
from autograd.choosing import Take
from autograd.compiler.axes import Space, arrange
from autograd.compiler.cells import Cells
from autograd.compiler.drafts import PARAMETERS, Draft, LoopDraft, Source, hoist
from autograd.compiler.families import CONSTANT, DATUM, LEAF, SORTS, Cycle, Family, Terms
from autograd.compiler.plan import Apply, Expression, Index, Place, Statement
from autograd.row import Operation


@dataclass
class Group:
    """The operands of a family's operation in one place, or terms of the same sorts in its sums.

    Attributes:
        factors: the nodes, in one array or two, ordered by member.
        counts: how many terms each member has.
    """

    factors: list[Index]
    counts: Index

    @property
    def terms(self) -> int | None:
        """How many terms every member has; None if they differ."""
        return int(self.counts[0]) if (self.counts == self.counts[0]).all() else None


def lower(found: Iterable[Family | Cycle], terms: Terms, cells: Cells) -> list[Draft | LoopDraft]:
    """Return the statements that compute families, in order."""
    drafts: list[Draft | LoopDraft] = []
    for part in found:
        if isinstance(part, Cycle):
            drafts += _cycle(part, terms, cells)
        else:
            single = _single(part, terms, cells)
            drafts += _family(part, terms, cells) if single is None else [single]
    return drafts


def _family(family: Family, terms: Terms, cells: Cells) -> Iterator[Draft]:
    number = cells.reserve(family)
    _sort(family, terms, cells)
    cells.settle(family, number)
    return _Lowering(family, number, terms, cells).drafts()


def _cycle(cycle: Cycle, terms: Terms, cells: Cells) -> list[Draft | LoopDraft]:
    numbers = [cells.reserve(family) for family in cycle.families]
    for _ in range(2):  # as the families of a loop read each other
        for family, number in zip(cycle.families, numbers, strict=True):
            _sort(family, terms, cells)
            cells.settle(family, number)
    inside = range(numbers[0], numbers[-1] + 1)
    parts = [
        _Lowering(family, number, terms, cells, cycle.length, inside)
        for family, number in zip(cycle.families, numbers, strict=True)
    ]
    copies = [draft for part in parts for draft in part.copies()]
    body = [draft for part in parts for draft in part.drafts()]
    return [*copies, *hoist(LoopDraft(body, cycle.length))]


def _single(family: Family, terms: Terms, cells: Cells) -> Draft | None:
    """Return the statement of one node, the short way; None for a sum of many terms."""
    if len(family.members) > 1 or isinstance(family.kind, Take):
        return None
    node = family.members[0]
    operands = range(terms.begin[node], terms.begin[node + 1])
    if len(operands) > SHORT:
        return None
    number = cells.reserve(family)
    sources: dict[Place, Source] = {}
    known: dict[int, Place] = {}

    def read(operand: int) -> Expression:
        if cells.sort[operand] == CONSTANT:
            return float(cells.numbers[operand])
        if operand not in known:
            place = known[operand] = Place("v", int(cells.address[operand]), ())
            sources[place] = cells.source_of(operand)
        return known[operand]

    factors = [[read(f) for f in (terms.first[i], terms.second[i]) if f >= 0] for i in operands]
    if family.kind == "sum":
        expression = _total(factors)
    else:
        expression = Apply(family.kind, tuple(factor for (factor,) in factors))
    region = cells.regions[number]
    statement = Statement(Place("v", region.start, ()), expression, (), name=region.name)
    reads = frozenset[int]().union(*(source.families for source in sources.values()))
    return Draft(statement, None, sources, frozenset([number]), reads - {PARAMETERS})


SHORT = 8
"""A lone sum of up to so many terms is written term by term."""

LONG = 32
"""In rows of so many an operand may be the same all along."""

FEW_TERMS = 4
"""Up to so many terms that are not evenly spaced may be operands of their own."""


def _groups(family: Family, terms: Terms) -> list[Group]:
    """Return what a family reads: a group for each operand, or for each sort of its terms."""
    members = family.members
    places, counts = terms.of(members)
    if family.kind != "sum":
        operands = terms.first[places].reshape(len(members), -1)
        ones = np.ones(len(members), dtype=np.intp)
        return [Group([operands[:, i]], ones) for i in range(operands.shape[1])]
    owner = np.repeat(np.arange(len(members)), counts)
    code = terms.code[places]
    groups = []
    for sorts in np.unique(code)[::-1].tolist():
        chosen = places[code == sorts]
        factors = [terms.first[chosen]]
        if sorts % (SORTS + 1) != SORTS:
            factors.append(terms.second[chosen])
        groups.append(Group(factors, np.bincount(owner[code == sorts], minlength=len(members))))
    return groups


def _sort(family: Family, terms: Terms, cells: Cells) -> None:
    """Put the members of a family in the order of what they read, within each step of a loop."""
    width = family.width
    count = len(family.members)
    if count == 1 or width == 1:
        return
    if width is not None:  # the last step is the pattern of all
        pattern = Family(family.kind, family.members[-width:])
        order = _order(_groups(pattern, terms), np.zeros(width, dtype=np.intp), cells)
        family.members = family.members.reshape(-1, width)[:, order].ravel()
        family.slots = family.slots.reshape(-1, width)[:, order].ravel()
        family.sources = family.sources.reshape(-1, width)[:, order].ravel()
        return
    step = np.zeros(count, dtype=np.intp)
    if family.starts is not None:
        step = np.repeat(np.arange(len(family.starts) - 1), np.diff(family.starts))
    family.members = family.members[_order(_groups(family, terms), step, cells)]


@dataclass
class Key:
    """What members may be ordered by: a number for each, from the operand that they have in one place.

    Attributes:
        numbers: where the operand lies; of constants, which row of them it is.
        constant: whether these are constants.
    """

    numbers: Index
    constant: bool

    def __post_init__(self) -> None:
        self.distinct = len(np.unique(self.numbers))


def _order(groups: Sequence[Group], step: Index, cells: Cells) -> Index:
    main = max(groups, key=lambda group: (len(group.factors), group.counts.sum()))
    products = len(main.factors) == 2
    keys = [key for group in ([main] if products else groups) for key in _keys(group, cells)]
    # Constants tell what belongs together if they come again as those of a table do. Those that are equal by
    # chance, or come beside operands that tell every member, would only put neighbours apart.
    told = any(key.distinct == len(step) for key in keys if not key.constant)
    most = 0 if told else len(step) // 2
    keys = [key for key in keys if not key.constant or key.distinct <= most]
    if not products:
        keys.sort(key=lambda key: -key.distinct)
        if len(keys) == 2 and keys[1].constant and 2 * keys[1].distinct <= keys[0].distinct:
            keys.reverse()  # a few constants run down: what they are applied to is read evenly spaced
    elif [key.constant for key in keys] == [False, True] and cells.sort[main.factors[0][0]] == LEAF:
        keys.reverse()  # data runs down, weights across
    return np.lexsort((*[key.numbers for key in reversed(keys)], step))


def _keys(group: Group, cells: Cells) -> list[Key]:
    """Return a key for each factor of the members' first term.

    Of a few lone terms all are told: two positions of a text may share their character's embedding.
    """
    count = group.terms or 0
    if len(group.factors) == 1 and 1 < count <= SHORT:
        one, columns = np.ones_like(group.counts), group.factors[0].reshape(-1, count).T
        return [key for column in columns for key in _keys(Group([column], one), cells)]
    present = group.counts > 0
    begin = (np.cumsum(group.counts) - group.counts)[present]
    keys = []
    for factor in group.factors:
        numbers = np.full(len(present), -1, dtype=np.intp)
        constant = bool(cells.sort[factor[0]] == CONSTANT)
        if not constant:
            numbers[present] = cells.address[factor[begin]]
        elif group.terms:
            numbers, _ = _ranks(factor.reshape(len(present), -1))
        keys.append(Key(numbers, constant))
    return keys


def _ranks(rows: Index) -> tuple[Index, Index]:
    """Return for each row its number among the distinct rows, by first appearance; and where these are."""
    kind = rows.dtype if rows.shape[1] == 1 else np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))
    _, first, inverse = np.unique(
        np.ascontiguousarray(rows).view(kind).ravel(), return_index=True, return_inverse=True
    )
    rank = np.empty(len(first), dtype=np.intp)
    order = np.argsort(first, kind="stable")
    rank[order] = np.arange(len(first))
    return rank[inverse.ravel()], first[order]


def _repeated(row: Index) -> tuple[slice, Index]:
    """Return which few items of a row, not all the same, are repeated, and for each item which of them it is.

    It is found as if each came as often in a row as the first, and the whole began anew where the first
    comes back; else all items are returned.
    """
    each = np.arange(len(row))
    run = int(np.argmax(row != row[0]))
    back = row[::run] == row[0]
    period = run * int(np.argmax(back[1:]) + 1 if back[1:].any() else len(back))
    first = slice(0, period, run)
    place = each % period // run
    if 2 * len(row[first]) <= len(row) and (row[first][place] == row).all():
        return first, place
    return slice(None), each


class _Lowering:
    """The statements of one family, whose cells are known.

    Args:
        family: the family.
        number: its number.
        terms: the operands.
        cells: where they are.
        length: how many steps the loop has that the family is in, or None.
        inside: the numbers of the loop's families.
    """

    def __init__(
        self,
        family: Family,
        number: int,
        terms: Terms,
        cells: Cells,
        length: int | None = None,
        inside: range = range(0),
    ) -> None:
        self.family, self.number = family, number
        self.cells = cells
        self.groups = _groups(family, terms)
        self.count = len(family.members)
        self.start = cells.regions[number].start + len(family.slots)
        self.inside = inside
        self.steps = length if family.width is not None else None
        self.cuts = family.starts if family.width is None else None
        self.name = cells.regions[number].name

    def copies(self) -> Iterator[Draft]:
        """Yield the statement that fills the slots."""
        filled = np.flatnonzero(self.family.sources >= 0)
        if len(filled):
            source = self.family.sources[filled]
            slots = self.cells.address[self.family.slots[filled]]
            space = arrange([self.cells.address[source], slots], len(filled), 1)
            read, target = space.places
            yield self._draft(Statement(target, read, space.shape, name="copy"), None, {read: source})

    def drafts(self) -> Iterator[Draft]:
        """Yield the statements that compute the family."""
        kind = self.family.kind
        if isinstance(kind, Take):
            yield self._take()
            return
        if isinstance(kind, Operation):
            yield self._elementwise(self.groups, lambda read: Apply(kind, tuple(f for (f,) in read)))
            return
        adds = False
        for part in self._parts():
            if part[0].terms:
                draft = self._elementwise(self._columns(part), _total)
            else:
                draft = self._ragged(part[0])
                if not adds:
                    yield self._zeros()
                    adds = True
            statement = replace(draft.statement, adds=adds)
            yield replace(draft, statement=statement)
            adds = True

    def _parts(self) -> list[list[Group]]:
        """Return the groups of a sum, single terms together; first those that read nothing of the loop."""
        outside: list[list[Group]] = [[]]
        inside: list[list[Group]] = [[]]
        for group in self.groups:
            side = inside if self._reads_loop(group) else outside
            if group.terms == 1:
                side[0].append(group)
            else:
                side.append([group])
        return [part for side in (outside, inside) for part in (*side[1:], side[0]) if part]

    def _columns(self, groups: list[Group]) -> list[Group]:
        """Return each of a few terms as a group of its own, if so far less has to be looked up in tables.

        In a butterfly a + b each of the two is in pieces that are evenly spaced, and both together are not.
        """
        terms = groups[0].terms
        if len(groups) > 1 or not terms or not 1 < terms <= FEW_TERMS:
            return groups
        (group,) = groups
        ones = np.ones(self.count, dtype=np.intp)
        columns = [
            Group([factor.reshape(self.count, terms)[:, term].copy() for factor in group.factors], ones)
            for term in range(terms)
        ]
        return columns if 2 * self._looked_up(columns, 1) < self._looked_up(groups, terms) else groups

    def _looked_up(self, groups: Sequence[Group], terms: int) -> int:
        """Return how many addresses some groups would have to look up."""
        space = self._arranged(self._varying(groups), terms)
        return sum(place.table.size for place in space.places if place.table is not None)

    def _varying(self, groups: Sequence[Group]) -> list[Index]:
        """Return the addresses of the factors that are no constants."""
        return [
            self.cells.address[factor]
            for group in groups
            for factor in group.factors
            if self.cells.sort[factor[0]] != CONSTANT
        ]

    def _reads_loop(self, group: Group) -> bool:
        families = (self.cells.family[factor] for factor in group.factors)
        return any(((f >= self.inside.start) & (f < self.inside.stop)).any() for f in families)

    def _elementwise(
        self, groups: Sequence[Group], combine: Callable[[list[list[Expression]]], Expression]
    ) -> Draft:
        """Return a statement for groups that all have as many terms."""
        terms = groups[0].terms
        assert terms is not None
        varying = self._varying(groups)
        read = [[self._read(group, factor, varying) for factor in group.factors] for group in groups]
        tables = [r for factors in read for r in factors if isinstance(r, np.ndarray)]
        space = self._arranged(tables, terms)
        places = iter(space.places)
        nodes: dict[Place, Index] = {}
        known: dict[bytes, Place] = {}
        expressions: list[list[Expression]] = []
        for group, factors in zip(groups, read, strict=True):
            row: list[Expression] = []
            for factor, r in zip(group.factors, factors, strict=True):
                if isinstance(r, float):
                    row.append(r)
                    continue
                place = known.setdefault(r.tobytes(), next(places))
                nodes[place] = factor
                row.append(place)
            expressions.append(row)
        target = Place("v", self.start, space.target)
        statement = Statement(target, combine(expressions), space.shape, space.summed, name=self.name)
        starts = self._starts(space)
        return self._draft(statement, starts, nodes)

    def _take(self) -> Draft:
        """Return a statement that chooses: among evenly spaced cells by an address, else one by one."""
        index, *items = (group.factors[0] for group in self.groups)
        sorts = {int(self.cells.sort[item[0]]) for item in items}
        if not {int(self.cells.sort[index[0]])} <= {LEAF, DATUM}:
            raise ValueError(
                "the index of take is computed from other Values; give it as a leaf, among data= of compile"
            )
        self.cells.choices.update((int(node), len(items)) for node in index)
        table = np.stack(items, axis=1)
        if sorts == {CONSTANT}:
            rank, first = _ranks(table)
            start = self.cells.hold(self.cells.numbers[table][first])
            addresses = start + rank[:, None] * len(items) + np.arange(len(items))
        else:
            addresses = self.cells.address[table]
        spaces = np.diff(addresses, axis=1)
        if len(sorts) > 1 or not (spaces == spaces[:1, :1]).all():
            return self._elementwise(self.groups, _chosen)
        tables = [self.cells.address[index], addresses[:, 0]]
        space = self._arranged(tables, 1)
        choice, place = space.places
        place = replace(place, choice=choice, step=int(spaces[0, 0]) if spaces.size else 0)
        statement = Statement(Place("v", self.start, space.target), place, space.shape, name=self.name)
        starts = self._starts(space)
        return self._draft(statement, starts, {place: table.ravel()})

    def _arranged(self, tables: Sequence[Index], terms: int) -> Space:
        """Return the axes along which addresses of all members' terms are evenly spaced."""
        return arrange(tables, self.count // (self.steps or 1), terms, self.steps, self.cuts)

    def _starts(self, space: Space) -> Index | None:
        """Return the bounds of a loop's steps on the first axis; for parts of a sum alike one object."""
        if self.cuts is None or space.inner == 1:
            return self.cuts
        return self.cuts // space.inner

    def _zeros(self) -> Draft:
        space = self._arranged([], 1)
        statement = Statement(Place("v", self.start, space.target), 0.0, space.shape, name="zero")
        return self._draft(statement, self._starts(space), {})

    def _ragged(self, group: Group) -> Draft:
        """Return a statement that adds terms to members one by one, as each has another number of them."""
        owner = np.repeat(np.arange(self.count), group.counts)
        target = self.start + owner
        bounds = None
        if self.family.starts is not None:
            bounds = np.concatenate([[0], np.cumsum(group.counts)])[self.family.starts]
        varying = [f for f in group.factors if self.cells.sort[f[0]] != CONSTANT]
        addresses = [self.cells.address[factor] for factor in varying]
        step = np.zeros(len(owner), dtype=np.intp)
        if bounds is not None:
            step = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
        candidates = []
        for keys in ([target], [*reversed(addresses)], addresses):
            order = np.lexsort((*keys, step))
            tables = [target[order], *(address[order] for address in addresses)]
            candidates.append((arrange(tables, len(owner), 1, None, bounds), order))
        space, order = max(candidates, key=lambda candidate: candidate[0].inner)
        places = iter(space.places)
        into = next(places)
        nodes: dict[Place, Index] = {}
        row: list[Expression] = []
        for factor in group.factors:
            if self.cells.sort[factor[0]] == CONSTANT:
                numbers = self.cells.numbers[factor[order]]
                row.append(Place("v", self.cells.hold(numbers), space.target))
                continue
            place = next(places)
            nodes[place] = factor
            row.append(place)
        statement = Statement(into, _total([row]), space.shape, adds=True, name=self.name)
        return self._draft(statement, None if bounds is None else bounds // space.inner, nodes)

    def _read(self, group: Group, factor: Index, varying: Sequence[Index]) -> float | Index:
        """Return the addresses of a factor; of constants a number if all are one, else cells of their own.

        Constants that are repeated share their cells, where the operands that vary have the axes to say so,
        and the last of these is long: in short rows NumPy reads all of them faster.
        """
        if self.cells.sort[factor[0]] != CONSTANT:
            return self.cells.address[factor]
        numbers = self.cells.numbers[factor]
        bits = numbers.view(np.int64)  # -0.0 is not 0.0, nan is nan
        if (bits == bits[0]).all():
            return float(numbers[0])
        if group.terms and group.terms > 1:
            rank, first = _ranks(factor.reshape(self.count, -1))
            rows = numbers.reshape(self.count, -1)[first]
            start = self.cells.hold(rows)
            return (start + rank[:, None] * group.terms + np.arange(group.terms)).ravel()
        few, places = _repeated(bits)
        if len(places) > len(numbers[few]):
            shapes = [self._arranged(tables, 1).shape for tables in (varying, [*varying, places])]
            if shapes[0] == shapes[1] and shapes[0][-1] >= LONG:
                return self.cells.hold(numbers[few]) + places
        return self.cells.hold(numbers) + np.arange(len(numbers))

    def _draft(self, statement: Statement, starts: Index | None, nodes: dict[Place, Index]) -> Draft:
        sources = {place: self.cells.source(table) for place, table in nodes.items()}
        reads = frozenset[int]().union(*(source.families for source in sources.values()))
        return Draft(statement, starts, sources, frozenset([self.number]), reads - {PARAMETERS})


def _chosen(read: list[list[Expression]]) -> Expression:
    """Return the item that an index names, found by comparing it with all."""
    (index,), *items = read
    result = items[-1][0]
    for k in reversed(range(len(items) - 1)):
        result = Apply(ops.where, (Apply(ops.sub, (index, float(k))), result, items[k][0]))
    return result


def _total(read: list[list[Expression]]) -> Expression:
    """Return the sum of products."""
    products = [factors[0] if len(factors) == 1 else Apply(ops.mul, tuple(factors)) for factors in read]
    result = products[0]
    for product in products[1:]:
        result = Apply(ops.add, (result, product))
    return result
