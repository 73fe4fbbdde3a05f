"""Loops over the points of a statement, in registers: pairs of doubles, tiles, sums.

The axes are run in an order, outermost first. Each is cut into portions: a loop of so many steps, each of
which computes a *tile* of positions at once, and what remains, without a loop. Within a tile every load, and
every part of an expression, is computed once for the axes on which it depends: for a sum of products that is
the classical register-blocked kernel, for an elementwise chain its values in registers. What does not depend
on a loop's axis is computed before that loop.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import mul

from autograd.compiler.wasm.encoder import (
    END,
    F64,
    I32,
    I32_ADD,
    I32_AND,
    I32_GE,
    I32_LT,
    I32_MUL,
    I32_SUB,
    I32_TRUNC_F64,
    LANE,
    RELAXED_MADD,
    SET_LANE_1,
    SPLAT,
    V128,
    Code,
)
from autograd.compiler.wasm.layout import Layout
from autograd.compiler.wasm.rows import LEAVES, Rows, count_uses, in_order
from autograd.compiler.wasm.trace import COMPARISONS, Node, interning, number
from autograd.compiler.wasm.work import Access, Work

Offsets = tuple[int, ...]

_TILE, _SMALL_TILE = 24, 8
"""About so many operations of an elementwise nest are written as a tile."""
_MANY = 512
"""With fewer points in all, a nest has small tiles: it takes as long to run, and its code is made sooner."""


@dataclass(frozen=True)
class Portion:
    """A part of an axis.

    Attributes:
        axis: the axis.
        start: where it begins.
        count: how many steps it has; one is no loop, and 0 stands for those of a slice.
        positions: the positions of a step's tile, each the first of its lanes.
        width: how far a step goes.
        lanes: 2 or 1, where the axis is that of the pairs, or 0 where it is not.
    """

    axis: int
    start: int
    count: int
    positions: tuple[int, ...]
    width: int
    lanes: int = 0


class Chain:
    """A pointer that several accesses share, as it moves along the axes.

    Attributes:
        strides: in bytes, along each axis.
        start: its value at the origin.
        local: the local that holds it now, or None for 0.
    """

    def __init__(self, strides: tuple[int, ...], start: int) -> None:
        self.strides = strides
        self.start = start
        self.local: int | None = None


class Nest:
    """Writes the loops of works that have the same axes.

    Args:
        rows: the functions of rows.
        layout: where memories and tables are.
        code: the function that is written.
        works: what to compute: several that do not sum, or one.
        step: the local with the step of the loop around, for sliced works.
        relaxed: whether a product may be added without being rounded before, where the machine has that.
    """

    def __init__(
        self, rows: Rows, layout: Layout, code: Code, works: Sequence[Work], step: int | None, relaxed: bool
    ) -> None:
        self.rows, self.layout, self.code, self.works = rows, layout, code, works
        self.step, self.relaxed = step, relaxed
        self.shape = works[0].shape
        self.sliced = works[0].sliced
        self.axes = range(len(self.shape))
        self.lanes = 1
        self.tiles: list[tuple[int, ...]] = [(0,) for _ in self.axes]
        self._wide = 0  # a bit for each axis along which the tile has several positions
        self.known: dict[object, int] = {}
        self.chains: dict[tuple[tuple[int, ...], int], Chain] = {}
        self._moved: dict[int, tuple[Chain, Chain | None]] = {}
        self.uses: dict[Node, int] = {}
        for work in works:
            for what, count in count_uses(work.root).items():
                self.uses[what] = self.uses.get(what, 0) + count
        self._depends: dict[Node, int] = {}
        self._masks = [tuple(bits >> axis & 1 for axis in self.axes) for bits in range(1 << len(self.shape))]
        self.accesses: dict[int, Access] = {}
        for work in works:
            for access in (work.target, *work.reads):
                self._meet(access)
        self.vector = self._vector_axis()

    # Choosing -----------------------------------------------------------------------------------------------

    def _meet(self, access: Access) -> None:
        self.accesses[access.key] = access
        if access.choice is not None:
            self._meet(access.choice)

    def _moves(self, axis: int) -> bool:
        return not (axis == 0 and self.sliced == "step")

    def _straight(self, access: Access, axis: int) -> bool:
        """Tell whether an access has the steps 0 or 1 along an axis, and nothing else."""
        if not access.depends >> axis & 1:
            return True
        chosen = access.choice is not None and access.choice.depends >> axis & 1
        covered = access.table is not None and axis < access.table.ndim
        return access.strides[axis] == 1 and not chosen and not covered

    def _vector_axis(self) -> int | None:
        """Return the axis along which two points are computed at once, or None.

        What lies apart is read and written one by one; that pays if functions are computed for pairs.
        """
        summed = self.works[0].summed
        functions = any(self.rows.is_for_pairs(what.op) for what in self.uses)
        best: tuple[bool, bool, int] | None = None
        choice = None
        for axis in self.axes:
            length = self.shape[axis]
            if not self._moves(axis) or length < 2:
                continue
            straight = all(self._straight(access, axis) for access in self.accesses.values())
            if not straight and not functions:
                continue
            in_sum = bool(summed >> axis & 1)
            if not in_sum and not all(w.target.depends >> axis & 1 for w in self.works):
                continue
            rank = (straight, not in_sum, length)
            if best is None or rank > best:
                best, choice = rank, axis
        return choice

    def _orders(self) -> tuple[list[int], list[int]]:
        """Return the kept and the summed axes, outermost first; that of the pairs is the last of its kind."""
        summed = self.works[0].summed
        kept = [a for a in self.axes if self._moves(a) and not summed >> a & 1]
        sums = [a for a in self.axes if self._moves(a) and summed >> a & 1]
        if summed and len(kept) > 1:  # next to the innermost the axis over which most is reused
            last = self.vector if self.vector in kept else kept[-1]
            loads = self.works[0].reads

            def reused(axis: int) -> tuple[int, int]:
                return (sum(not a.depends >> axis & 1 for a in loads), self.shape[axis])

            free = [a for a in kept if a != last and not (a == 0 and self.sliced)]
            if free:
                row = max(free, key=reused)
                kept = [a for a in kept if a not in (row, last)] + [row, last]
            else:
                kept = [a for a in kept if a != last] + [last]
        for axes in (kept, sums):
            if self.vector in axes:
                axes.remove(self.vector)
                axes.append(self.vector)
        return kept, sums

    def _cost(self) -> int:
        return max(1, sum(1 for what in self.uses if what.op not in LEAVES))

    def _plan(self) -> None:
        """Cut every axis into portions."""
        self.kept, self.sums = self._orders()
        self.portions: dict[int, list[Portion]] = {}
        cost = self._cost()
        if not self.works[0].summed:
            inner = self.kept[-1] if self.kept else None
            tile = _TILE if math.prod(self.shape) >= _MANY else _SMALL_TILE
            for axis in self.kept:
                room = 1
                if axis == inner:
                    whole = self.shape[axis] * cost <= 2 * tile
                    room = self.shape[axis] if whole else max(1, tile // cost)
                self._cut(axis, room)
            return
        tiled = [a for a in self.kept if not (a == 0 and self.sliced)][-2:]
        chains = 1
        for place, axis in enumerate(reversed(tiled)):
            pairs = axis == self.vector
            length = self.shape[axis] // 2 if pairs else self.shape[axis]
            wanted = (4 if len(tiled) > 1 else 6) if place == 0 else max(2, min(4, 8 // chains))
            if cost > 6:
                wanted = 1
            tile = _divisor(length, wanted)
            chains *= tile
            self._cut(axis, 2 * tile if pairs else tile)
        for axis in self.kept:
            if axis not in self.portions:
                self._cut(axis, 1)
        inner = self.sums[-1]
        for axis in self.sums:
            if axis != inner:
                self._cut(axis, 1)
                continue
            width = 2 if axis == self.vector else 1
            if self.shape[axis] * chains * cost <= 64:
                self._cut(axis, self.shape[axis])
            else:
                self._cut(axis, width * (4 if chains < 4 and cost <= 6 else 2 if cost <= 6 else 1))
        self.split = min(4 if chains < 3 else 2 if chains < 6 else 1, len(self.portions[inner][0].positions))

    def _cut(self, axis: int, room: int) -> None:
        """Cut an axis into portions of tiles of at most so many points."""
        length = self.shape[axis]
        if axis == 0 and self.sliced == "range":
            pairs = [Portion(axis, 0, 0, (0,), 2, 2), Portion(axis, 0, 0, (0,), 1, 1)]
            self.portions[axis] = pairs if axis == self.vector else [Portion(axis, 0, 0, (0,), 1)]
            return
        portions = []
        start = 0
        if axis == self.vector:
            width = max(2, room - room % 2)
            count = length // width
            if count:
                portions.append(Portion(axis, 0, count, tuple(range(0, width, 2)), width, 2))
            start = count * width
            rest = (length - start) // 2
            if rest:
                portions.append(Portion(axis, start, 1, tuple(range(0, 2 * rest, 2)), 2 * rest, 2))
                start += 2 * rest
            if start < length:
                portions.append(Portion(axis, start, 1, (0,), 1, 1))
        else:
            width = max(1, min(room, length))
            count = length // width
            portions.append(Portion(axis, 0, count, tuple(range(width)), width))
            rest = length - count * width
            if rest:
                portions.append(Portion(axis, count * width, 1, tuple(range(rest)), rest))
        self.portions[axis] = portions

    # Running ------------------------------------------------------------------------------------------------

    def emit(self) -> None:
        """Write the loops."""
        if not all(self.shape[a] for a in self.axes if not self.works[0].summed >> a & 1):
            return
        if not all(self.shape):  # a sum of nothing
            self._nothing()
            return
        self._plan()
        if self.sliced == "range":
            self._find_bounds()
        self._make_chains()
        self._descend(self.kept, self._sum if self.works[0].summed else self._points)

    def _nothing(self) -> None:
        work = self.works[0]
        if work.adds:
            return
        with interning():
            zero = number(0.0)
        kept = tuple(length if not work.summed >> a & 1 else 1 for a, length in enumerate(work.shape))
        empty = Work(work.target, zero, kept, 0, False, (), work.sliced, work.starts)
        Nest(self.rows, self.layout, self.code, [empty], self.step, self.relaxed).emit()

    def _find_bounds(self) -> None:
        """Find the bounds of a step's slice."""
        code, starts = self.code, self.works[0].starts
        assert self.step is not None
        assert starts is not None
        address = self.layout.table(starts, 1)
        code.get(self.step)
        code.integer(4)
        code.op(I32_MUL)
        place = code.keep(I32)
        low, high = code.local(I32), code.local(I32)
        for local, offset in ((low, address), (high, address + 4)):
            code.get(place)
            code.load_integer(offset)
            code.set(local)
        self.bounds = (low, high)

    def _make_chains(self) -> None:
        code = self.code
        for access in self.accesses.values():
            chains = self._chain(access), self._table_chain(access)
            self._moved[access.key] = chains
            for chain in chains:
                if chain is None or chain.local is not None:
                    continue
                first = chain.strides[0] if self.sliced else 0
                if first:
                    code.get(self.bounds[0] if self.sliced == "range" else self.step or 0)
                    code.integer(first)
                    code.op(I32_MUL)
                    if chain.start:
                        code.integer(chain.start)
                        code.op(I32_ADD)
                    chain.local = code.keep(I32)
                elif chain.start:
                    code.integer(chain.start)
                    chain.local = code.keep(I32)

    def _chain(self, access: Access) -> Chain:
        strides = tuple(8 * stride for stride in access.strides)
        start = self.layout.address(access.memory, access.base) if min(strides, default=0) < 0 else 0
        return self.chains.setdefault((strides, start), Chain(strides, start))

    def _table_chain(self, access: Access) -> Chain | None:
        if access.table is None:
            return None
        strides = tuple(s // access.table.itemsize * 4 for s in access.table.strides)
        strides += (0,) * (len(self.shape) - len(strides))
        return self.chains.setdefault((strides, 0), Chain(strides, 0))

    def _descend(self, axes: Sequence[int], inner: Callable[[], None]) -> None:
        if not axes:
            inner()
            return
        for portion in self.portions[axes[0]]:
            self._run(portion, axes, lambda: self._descend(axes[1:], inner))

    def _run(self, portion: Portion, remaining: Sequence[int], body: Callable[[], None]) -> None:
        code, axis = self.code, portion.axis
        before = self.lanes
        if portion.lanes:
            self.lanes = portion.lanes
        if portion.count == 1:
            self._within(axis, tuple(portion.start + position for position in portion.positions), body)
            self.lanes = before
            return
        later = [*remaining, *(self.sums if axis in self.kept else [])]
        self._hoist(sum(1 << a for a in set(later)))
        counter, stop, skipped = self._enter(portion)
        moved = [chain for chain in self.chains.values() if chain.strides[axis]]
        saved = [chain.local for chain in moved]
        for chain in moved:
            shift = chain.strides[axis] * portion.start
            if chain.local is None:
                code.integer(shift)
            else:
                code.get(chain.local)
                if shift:
                    code.integer(shift)
                    code.op(I32_ADD)
            if skipped is not None:
                code.get(skipped)
                code.integer(chain.strides[axis])
                code.op(I32_MUL + I32_ADD)
            chain.local = code.keep(I32)
        code.loop()
        self._within(axis, portion.positions, body)
        for chain in moved:
            assert chain.local is not None
            code.get(chain.local)
            code.integer(chain.strides[axis] * portion.width)
            code.op(I32_ADD)
            code.set(chain.local)
        code.get(counter)
        code.integer(-1 if stop is None else portion.width)
        code.op(I32_ADD)
        code.tee(counter)
        if stop is not None:
            code.get(stop)
            code.op(I32_LT)
        code.branch_if(0)
        code.op(END if stop is None else END + END)
        for chain, local in zip(moved, saved, strict=True):
            chain.local = local
        self.lanes = before

    def _enter(self, portion: Portion) -> tuple[int, int | None, int | None]:
        """Return locals for a loop: a counter, and of a slice where it stops and how much lies before it.

        Of a slice a block is opened, too, which is left if there is nothing to do.
        """
        code = self.code
        if portion.count:
            code.integer(portion.count)
            return code.keep(I32), None, None
        low, stop = self.bounds
        skipped = None
        if portion.lanes == 2:
            code.get(stop)
            code.integer(-1)
            code.op(I32_ADD)
            stop = code.keep(I32)
        elif portion.lanes:
            code.get(stop)
            code.get(low)
            code.op(I32_SUB)
            code.integer(-2)
            code.op(I32_AND)
            skipped = code.keep(I32)
        code.block()
        code.get(low)
        if skipped is not None:
            code.get(skipped)
            code.op(I32_ADD)
        counter = code.keep_copy(I32)
        code.get(stop)
        code.op(I32_GE)
        code.branch_if(0)
        return counter, stop, skipped

    def _within(self, axis: int, tile: tuple[int, ...], body: Callable[[], None]) -> None:
        """Write what is done at a tile of an axis; what is computed there is not known behind it."""
        known, self.known = self.known, self.known.copy()
        self.tiles[axis], wide = tile, self._wide
        self._wide |= (len(tile) > 1) << axis
        body()
        self.tiles[axis], self._wide = (0,), wide
        self.known = known

    def _offsets(self, axes: Sequence[int]) -> Iterator[Offsets]:
        """Yield the positions of the current tile over some axes, 0 along the others."""
        chosen = [self.tiles[a] if a in axes else (0,) for a in self.axes]
        return itertools.product(*chosen)

    # What is computed ---------------------------------------------------------------------------------------

    def _points(self) -> None:
        for offsets in self._offsets(self.kept):
            for work in self.works:
                self._store(work, offsets, partial(self.push, work.root, offsets, self.lanes))

    def _store(self, work: Work, offsets: Offsets, push: Callable[[], None]) -> None:
        code, lanes = self.code, self.lanes
        target = work.target
        if self._is_apart(target, lanes):
            self._store_both(work, offsets, push)
            return
        offset = self._address(target, offsets)
        if work.adds:
            again = code.keep_copy(I32)
        push()
        if work.adds:
            known = self.known.get((target.key, self._restricted(offsets, target.depends), lanes))
            if known is None:
                code.get(again)
                code.load(offset, lanes)
            else:
                code.get(known)
            self.rows.apply(code, "add", 2, lanes)
        if len(self.works) > 1:
            local = code.keep_copy(F64 if lanes == 1 else V128)
            self.known[target.key, self._restricted(offsets, target.depends), lanes] = local
        code.store(offset, lanes)

    def _is_apart(self, access: Access, lanes: int) -> bool:
        """Tell whether the two of a pair do not lie side by side."""
        return lanes == 2 and self.vector is not None and not self._straight(access, self.vector)

    def _both(self, offsets: Offsets) -> tuple[Offsets, Offsets]:
        """Return the positions of a pair."""
        return offsets, tuple(offset + (axis == self.vector) for axis, offset in enumerate(offsets))

    def _store_both(self, work: Work, offsets: Offsets, push: Callable[[], None]) -> None:
        """Store a pair one after the other; both may be added to the same cell."""
        code, target = self.code, work.target
        push()
        pair = code.keep(V128)
        for lane, at in enumerate(self._both(offsets)):
            offset = self._address(target, at)
            if work.adds:
                again = code.keep_copy(I32)
            code.get(pair)
            code.op(LANE[lane])
            if work.adds:
                code.get(again)
                code.load(offset)
                self.rows.apply(code, "add", 2, 1)
            code.store(offset)
            self.known.pop((target.key, self._restricted(at, target.depends), 1), None)
        self.known.pop((target.key, self._restricted(offsets, target.depends), 2), None)

    def _sum(self) -> None:
        work, code = self.works[0], self.code
        in_sum = self.vector is not None and bool(work.summed >> self.vector & 1)
        tile = list(self._offsets(self.kept))
        kinds = (
            {portion.lanes for portion in self.portions[self.vector]}
            if in_sum and self.vector is not None
            else {self.lanes}
        )
        sums: dict[tuple[Offsets, int, int], int] = {}
        for lanes in sorted(kinds):
            for offsets in tile:
                for part in range(self.split):
                    if lanes == 1:
                        code.number(0.0)
                    else:
                        code.pair(0.0)
                    sums[offsets, lanes, part] = code.keep(F64 if lanes == 1 else V128)

        def term() -> None:
            lanes = self.lanes
            for count, summed in enumerate(self._offsets(self.sums)):
                for offsets in tile:
                    at = tuple(map(sum, zip(offsets, summed, strict=True)))
                    total = sums[offsets, lanes, count % self.split]
                    if self.relaxed and lanes == 2 and work.root.op == "mul":
                        for factor in work.root.arguments:
                            self.push(factor, at, lanes)
                        code.get(total)
                        code.op(RELAXED_MADD)
                    else:
                        code.get(total)
                        self.push(work.root, at, lanes)
                        self.rows.apply(code, "add", 2, lanes)
                    code.set(total)

        self._descend(self.sums, term)

        def total(offsets: Offsets) -> None:
            first = True
            for lanes in sorted(kinds):
                for part in range(self.split):
                    local = sums[offsets, lanes, part]
                    code.get(local)
                    if lanes == 2 and in_sum:
                        code.op(LANE[0])
                        code.get(local)
                        code.op(LANE[1])
                        self.rows.apply(code, "add", 2, 1)
                    if not first:
                        self.rows.apply(code, "add", 2, 1 if in_sum else lanes)
                    first = False

        for offsets in tile:
            self._store(work, offsets, partial(total, offsets))

    def _hoist(self, later: int) -> None:
        """Compute what does not depend on some axes, and is used by what does."""
        axes = [a for a in self.axes if not later >> a & 1]
        wanted: list[Node] = []
        for work in self.works:
            waiting, seen = [work.root], set()
            while waiting:
                what = waiting.pop()
                if what.op == "const" or what in seen:
                    continue
                seen.add(what)
                if not self.depends(what) & later:
                    wanted.append(what)
                elif what.op not in LEAVES:
                    waiting.extend(what.arguments)
        lanes = self.lanes
        if not wanted:
            return
        for offsets in self._offsets(axes):
            for what in wanted:
                key = self._key(what, offsets, lanes)
                if self.known.get(key) is None:
                    self.push(what, offsets, lanes)
                    self.known[key] = self.code.keep(self._kind(what, lanes))

    def depends(self, what: Node) -> int:
        """Return a bit for each axis on which a node depends."""
        found = self._depends.get(what)
        if found is None:
            if what.op == "load":
                found = what.arguments[0].depends
            elif what.op in LEAVES:
                found = 0
            else:
                found = 0
                for argument in what.arguments:
                    found |= self.depends(argument)
            self._depends[what] = found
        return found

    def _restricted(self, offsets: Offsets, depends: int) -> Offsets:
        return tuple(map(mul, offsets, self._masks[depends]))

    def _key(self, what: Node, offsets: Offsets, lanes: int) -> tuple[object, Offsets, int]:
        at = self._restricted(offsets, self.depends(what))
        return (what.arguments[0].key if what.op == "load" else what, at, lanes)

    def _kind(self, what: Node, lanes: int) -> int:
        return V128 if lanes == 2 else I32 if what.op in COMPARISONS else F64

    def push(self, what: Node, offsets: Offsets, lanes: int) -> None:
        """Push what a node is at a position of the tile, as a number or a pair."""
        code = self.code
        if what.op == "const":
            if lanes == 1:
                code.number(what.arguments[0])
            else:
                code.pair(what.arguments[0])
            return
        depends = self.depends(what)
        at = self._restricted(offsets, depends)
        key = (what.arguments[0].key if what.op == "load" else what, at, lanes)
        local = self.known.get(key)
        if local is not None:
            code.get(local)
            return
        if (
            lanes == 2
            and (self.vector is None or not depends >> self.vector & 1)
            and what.op not in COMPARISONS
        ):
            if what.op == "load" and self.known.get(self._key(what, offsets, 1)) is None:
                offset = self._address(what.arguments[0], offsets)
                code.load_both(offset)
            else:
                self.push(what, offsets, 1)
                code.op(SPLAT)
        elif what.op == "load" and self._is_apart(what.arguments[0], lanes):
            one, other = self._both(offsets)
            self.push(what, one, 1)
            code.op(SPLAT)
            self.push(what, other, 1)
            code.op(SET_LANE_1)
        elif what.op == "load":
            offset = self._address(what.arguments[0], offsets)
            code.load(offset, lanes)
        else:
            for argument in in_order(what, lanes):
                self.push(argument, offsets, lanes)
            self.rows.apply(code, what.op, len(what.arguments), lanes)
        if self.uses[what] > 1 or self._wide & ~depends:
            self.known[key] = code.keep_copy(self._kind(what, lanes))

    def _address(self, access: Access, offsets: Offsets) -> int:
        """Push the part of an address that moves, and return the rest."""
        code = self.code
        chain, _ = self._moved[access.key]
        offset: int = sum(map(mul, chain.strides, offsets))
        if not chain.start:
            offset += self.layout.address(access.memory, access.base)
        parts = 0
        if chain.local is not None:
            code.get(chain.local)
            parts += 1
        if access.table is not None:
            self._entry(access, offsets)
            parts += 1
        if access.choice is not None:
            self._chosen(access, offsets)
            parts += 1
        # What a load adds to an address does not wrap around: not if items that come first lie behind.
        behind = access.choice is not None and access.step < 0
        if offset < 0 or behind or not parts:
            code.integer(offset)
            parts += 1
            offset = 0
        for _ in range(parts - 1):
            code.op(I32_ADD)
        return offset

    def _entry(self, access: Access, offsets: Offsets) -> None:
        assert access.table is not None
        _, chain = self._moved[access.key]
        assert chain is not None
        rank = access.table.ndim
        at = self._restricted(offsets, (1 << rank) - 1)
        where = self.layout.table(access.table, 8)
        key = ("table", where, at)
        local = self.known.get(key)
        if local is not None:
            self.code.get(local)
            return
        if chain.local is None:
            self.code.integer(0)
        else:
            self.code.get(chain.local)
        self.code.load_integer(where + sum(map(mul, chain.strides, offsets)))
        self.known[key] = self.code.keep_copy(I32)

    def _chosen(self, access: Access, offsets: Offsets) -> None:
        choice = access.choice
        assert choice is not None
        key = ("choice", choice.key, access.step, self._restricted(offsets, choice.depends))
        local = self.known.get(key)
        if local is not None:
            self.code.get(local)
            return
        offset = self._address(choice, offsets)
        self.code.load(offset)
        self.code.op(I32_TRUNC_F64)
        self.code.integer(8 * access.step)
        self.code.op(I32_MUL)
        self.known[key] = self.code.keep_copy(I32)


def _divisor(length: int, wanted: int) -> int:
    """Return a tile of at most ``wanted`` that leaves little over."""
    return min(
        range(1, min(wanted, max(length, 1)) + 1),
        key=lambda tile: (length % tile * 2 + (wanted - tile), -tile),
    )
