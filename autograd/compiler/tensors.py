"""The memories of a program as a reader sees them: tensors with names, and coordinates for their cells."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np

from autograd import ops
from autograd.compiler.adjoint import cut
from autograd.compiler.indices import (
    Coordinate,
    Points,
    Symbol,
    combination,
    coordinate,
    find_points,
    refined,
)
from autograd.compiler.plan import Apply, Expression, Index, Loop, Place, Plan, Statement, Step, places_of

RANK = 8
"""The most coordinates that a cell has."""


@dataclass(eq=False)
class Tensor:
    """Cells that are called by one name.

    Attributes:
        letter: what it is called, without a number that tells it from others.
        shape: how many numbers each coordinate may be.
        size: how many cells there are; fewer than the shape has places if some combinations do not occur.
        kind: what it is, in words.
        number: tells it from others of its letter; 0 if there are none.
        upper: the coordinates that are written above: they count blocks, such as heads.
    """

    letter: str
    shape: tuple[int, ...]
    size: int
    kind: str
    number: int = 0
    upper: set[int] = field(default_factory=set)

    @property
    def is_full(self) -> bool:
        """Whether there is a cell for each combination of coordinates."""
        return self.size == prod(self.shape)

    @property
    def ordered(self) -> tuple[int, ...]:
        """The shape with the coordinates first that are written above."""
        axes = range(len(self.shape))
        return tuple(self.shape[axis] for axis in sorted(axes, key=lambda axis: axis not in self.upper))


@dataclass(frozen=True, eq=False)
class Access:
    """A place, as a tensor with indices.

    Attributes:
        tensor: the tensor.
        memory: ``"v"`` or ``"d"``.
        coordinates: one for each of the tensor's.
        cells: the addresses that the statement reads or writes here, apart from the choice.
        choice: to which coordinate a number is added, how many times, and where that number is; or None.
    """

    tensor: Tensor
    memory: str
    coordinates: tuple[Coordinate, ...]
    cells: Index
    choice: "tuple[int, int, Access] | None" = None

    @property
    def covers(self) -> bool:
        """Whether that is the whole tensor."""
        return self.choice is None and len(self.cells) == self.tensor.size


@dataclass(eq=False)
class Indexed:
    """A statement in terms of tensors and symbols.

    Attributes:
        statement, points: the statement and its points.
        target, reads: where its places are.
        turns: the steps of its loop in which it has points; None if that is all of them.
    """

    statement: Statement
    points: Points
    target: Access
    reads: dict[Place, Access]
    turns: Index | None = None

    @property
    def summed(self) -> list[Symbol]:
        """The symbols to sum over."""
        return [symbol for symbol in self.points.symbols if symbol.summed]

    @property
    def accesses(self) -> list[Access]:
        """The target, and what is read."""
        return [self.target, *self.reads.values()]

    @property
    def counting(self) -> set[Symbol]:
        """The symbols that count blocks: of a tensor in a sum for each of them, or above some tensor."""
        found: set[Symbol] = set()
        if self.summed:
            kept = {symbol for c in self.target.coordinates for symbol, _ in c.steps}
            blocks = ([c.block for c in access.coordinates if c.block] for access in self.accesses)
            found = {some[0][0] for some in blocks if len(some) == 1 and some[0][0] in kept}
        above = (access.coordinates[axis].symbol for access in self.accesses for axis in access.tensor.upper)
        return found | {symbol for symbol in above if symbol is not None}


class Tensors:
    """Gives every cell of a plan a tensor and coordinates in it.

    Args:
        plan: the program.
        given: cells in the order of an array, its shape and its name, for what has a name.
        label: returns the label of the leaf at an address.
    """

    def __init__(
        self, plan: Plan, given: Iterable[tuple[str, Index, tuple[int, ...]]], label: Any, result: str
    ) -> None:
        self.plan, self.label = plan, label
        self.all: list[Tensor] = []
        self._choices = dict(plan.choices)
        self._alias = Tensor(r"\mathbf{v}", (plan.size,), plan.size, "all cells")
        self._leaves = Tensor(r"\theta", (plan.parameters,), plan.parameters, "all parameters, in a row")
        self.sums: dict[Tensor | None, Tensor | None] = {}
        self.owner = np.full(plan.size, -1, dtype=np.intp)
        self.places = np.zeros((plan.size, RANK), dtype=np.intp)
        for name, cells, shape in given:
            kind = "parameter" if len(cells) and cells[0] < plan.parameters else "data"
            self._claim(cells, _grid(shape), name, kind)
        self._given = {tensor.letter for tensor in self.all}
        self._find_matrices()
        if len(plan.outputs) == 1 and self.owner[plan.outputs[0]] < 0:
            self._result = plan.outputs[0], result
        else:
            self._result = -1, ""
        self._widths = {
            statement.target.base: statement.target.strides[0]
            for loop in plan.forward
            if isinstance(loop, Loop)
            for statement, starts in zip(loop.body, loop.starts, strict=True)
            if starts is None and statement.target.table is None
        }
        for step in plan.forward:
            self._frame(step)
        for statement in (s for step in plan.forward for s in _body(step)):
            self._frame_statement(statement, None, None, plainly=True)
        self.used: list[Tensor] = []
        self._aliased: dict[Tensor, Index] = {}
        self._number()
        self._raise()

    def _claim(self, cells: Index, coordinates: Any, letter: str, kind: str) -> Tensor:
        if coordinates.shape[1] > RANK:
            coordinates = np.arange(len(cells))[:, None]
        shape = tuple(int(n) + 1 for n in coordinates.max(axis=0)) if len(cells) else ()
        tensor = Tensor(letter, shape, len(cells), kind)
        self.owner[cells] = len(self.all)
        self.places[cells, : len(shape)] = coordinates
        self.all.append(tensor)
        return tensor

    def _number(self) -> None:
        letters: dict[str, list[Tensor]] = {}
        present = set(np.unique(self.owner).tolist())
        for place, tensor in enumerate(self.all):
            if place in present and place >= len(self._given):
                letters.setdefault(tensor.letter, []).append(tensor)
        for letter, same in letters.items():
            for number, tensor in enumerate(same, 1):
                tensor.number = number if len(same) > 1 or letter in self._given else 0

    def _raise(self) -> None:
        """Find the coordinates that count blocks: for each some statement has a block of another tensor."""
        statements = list(self._all_indexed())
        before = -1
        while before < (before := sum(len(tensor.upper) for tensor in self.all)):
            for indexed in statements:
                for access in indexed.accesses:
                    for axis, found in enumerate(access.coordinates):
                        if found.symbol in indexed.counting:
                            access.tensor.upper.add(axis)

    def _all_indexed(self) -> Iterator[Indexed]:
        for step in (*self.plan.forward, *self.plan.reverse):
            if isinstance(step, Loop):
                for statement, starts in zip(step.body, step.starts, strict=True):
                    yield from self.indexed(statement, step, starts)
            else:
                yield from self.indexed(step, None, None)

    # What is given ----------------------------------------------------------------------------------------

    def _find_matrices(self) -> None:
        """Find arrays among the parameters, data and constants, from how sums and others read them."""
        plan = self.plan
        bounds = [
            (0, plan.parameters, "w", "parameter"),
            (plan.fixed, plan.fixed + plan.data, "x", "data"),
            (plan.size - len(plan.constants), plan.size, "c", "constant"),
        ]
        counts = dict(plan.choices)
        for start, stop, letter, kind in bounds:
            found: list[tuple[Any, ...]] = []
            for statement in (s for step in plan.forward for s in _body(step)):
                for place in places_of(statement.expression):
                    if start <= place.base < stop and place.table is None:
                        axes = {
                            (n, s) for n, s in zip(statement.shape, place.strides, strict=True) if n > 1 and s
                        }
                        if place.choice is not None:
                            axes.add((counts.get(place.choice.base, 1), place.step))
                        found.append((place.base, tuple(sorted(axes, key=lambda axis: -abs(axis[1])))))
            for base, axes in sorted(dict.fromkeys(found), key=lambda patch: -len(patch[1])):
                shape = tuple(n for n, _ in axes)
                cells = base + _grid(shape) @ np.array([s for _, s in axes], dtype=np.intp)
                inside = (cells >= start).all() and (cells < stop).all()
                if inside and (self.owner[cells] < 0).all() and len(np.unique(cells)) == len(cells):
                    self._claim(cells, _grid(shape), self._called(cells, letter, len(shape)), kind)
            rest = start + np.flatnonzero(self.owner[start:stop] < 0)
            if len(rest):
                self._claim(rest, np.arange(len(rest))[:, None], letter, kind)

    def _called(self, cells: Index, letter: str, rank: int) -> str:
        """Return a name for leaves, from their labels if these differ in digits alone."""
        labels = {self.label(int(cell)) for cell in cells[:1000]}
        if len(cells) == 1 and (only := labels.pop()):
            return str(only)
        stems = {label.rstrip("0123456789_.,[] ") for label in labels}
        stem = stems.pop() if len(stems) == 1 else ""
        if stem:
            letter = stem
        return letter.upper() if rank > 1 and len(letter) == 1 else letter

    # What is computed -------------------------------------------------------------------------------------

    def _frame(self, step: Step) -> None:
        if isinstance(step, Statement):
            self._frame_statement(step, None, None)
            return
        for statement, starts in zip(step.body, step.starts, strict=True):
            self._frame_statement(statement, step, starts)

    def _frame_statement(
        self, statement: Statement, loop: Loop | None, starts: Index | None, *, plainly: bool = False
    ) -> None:
        """Give the cells that a statement is the first to write coordinates, after what it reads."""
        if not prod(statement.shape) or (statement.name in ("zero", "copy") and not plainly):
            return
        for part in self._divided(statement, loop):
            target = part.target.addresses(part.shape)
            if (self.owner[target] >= 0).any():
                continue
            reads = list(places_of(part.expression))
            functions = [f for place in reads for f in self._functions(place, part.shape)]
            shape = part.shape if plainly else self._refined(part, functions, loop)
            functions = [f.reshape(shape) for f in functions]
            points = self._points(part, shape, functions, loop, starts)
            target = target.reshape(shape)
            symbols = self._kept(points, target, self._order(reads, part.shape, shape, points))
            if not symbols:
                cells, coordinates = target.ravel()[:1], np.zeros((1, 0), dtype=np.intp)
            else:
                columns = self._columns(points, symbols, shape, functions)
                coordinates = np.stack([np.broadcast_to(c, shape).ravel() for c in columns], axis=1)
                cells, first = np.unique(target.ravel(), return_index=True)
                coordinates = coordinates[first]
            if starts is None:
                cells, coordinates = self._with_slots(part, symbols, cells, coordinates)
            tensor = self._claim(cells, coordinates, self._letter(part, len(symbols), cells), "computed")
            if isinstance(part.expression, Place) and any(symbol.summed for symbol in points.symbols):
                self.sums[tensor] = self._owner(part.expression, part.shape)
            if loop is not None and starts is not None:
                self._take_over(part, tensor)

    def _letter(self, statement: Statement, rank: int, cells: Index) -> str:
        if len(cells) == 1 and cells[0] == self._result[0]:
            return self._result[1]
        expression, letter = statement.expression, statement.name[:1] or "v"
        if self._is_share(expression, statement.shape):
            letter = "a"
        reads = [self._owner(place, statement.shape) for place in places_of(expression)]
        named = [
            t.letter[2:] for t in reads if t is not None and t.letter[:2] == "W_" and t.letter[2:].isalpha()
        ]
        if isinstance(expression, Apply):
            if statement.summed and named:
                return named[0]  # queries are the product with W_Q
            if statement.summed and len(reads) == 2:
                letter = "z"
            elif len(expression.arguments) == 1 and reads and reads[0] is not None and reads[0].letter == "Z":
                letter = "h"
        if not letter.isalpha() or (letter == "e" and rank < 2):
            letter = "v"  # e with something above it would be read as an exponential
        return letter.upper() if rank > 1 else letter.lower()

    def _is_share(self, expression: Expression, shape: Sequence[int]) -> bool:
        """Tell whether something is divided by a sum of its kind, as in a softmax."""
        if not (isinstance(expression, Apply) and expression.operation is ops.div):
            return False
        owners = [self._owner(p, shape) if isinstance(p, Place) else None for p in expression.arguments]
        return None not in owners and self.sums.get(owners[1]) is owners[0]

    def _owner(self, place: Place, shape: Sequence[int]) -> Tensor | None:
        owners = np.unique(self.owner[place.addresses(shape)])
        return self.all[owners[0]] if len(owners) == 1 and owners[0] >= 0 else None

    def _kept(self, points: Points, target: Index, order: Sequence[Symbol]) -> list[Symbol]:
        """Return the symbols that the target depends on, in the order in which what is read has them."""
        kept = [symbol for symbol in points.symbols if not symbol.summed]
        full = {s: np.broadcast_to(points.values[s], target.shape).ravel() for s in kept}
        for symbol in list(kept):
            key = np.column_stack(
                [np.zeros(target.size, dtype=np.intp), *(full[s] for s in kept if s is not symbol)]
            )
            if len(np.unique(key, axis=0)) == len(np.unique(np.column_stack([key, target.ravel()]), axis=0)):
                kept.remove(symbol)
                symbol.summed = True
        return sorted(kept, key=lambda symbol: order.index(symbol) if symbol in order else len(order))

    def _order(
        self, reads: Sequence[Place], shape: Sequence[int], new: Sequence[int], points: Points
    ) -> list[Symbol]:
        """Return the symbols as they occur in what is read: data and results before parameters."""
        chosen = [place.choice for place in reads if place.choice is not None]
        ordered = sorted(reads, key=lambda place: place.base < self.plan.parameters)
        found = [
            coordinate(f.reshape(new), points)
            for place in dict.fromkeys([*chosen, *ordered])
            for f in self._functions(place, shape)
        ]
        steps = [sorted(c.steps, key=lambda step: -step[1]) for c in found if c is not None]
        return list(dict.fromkeys(symbol for some in steps for symbol, _ in some))

    def _columns(
        self, points: Points, symbols: list[Symbol], shape: Sequence[int], functions: Sequence[Index]
    ) -> list[Any]:
        """Return the coordinates: a symbol each, or two as one where what is read has them as one."""
        joined = set()
        for f in functions:
            found = coordinate(np.broadcast_to(f, tuple(shape)), points)
            if found is not None and found.first == 0 and len(found.steps) == 2:
                (a, m), (b, n) = sorted(found.steps, key=lambda step: -step[1])
                if n == 1 and m == b.count:
                    joined.add((a, b))
        columns: list[Any] = []
        place = 0
        while place < len(symbols):
            symbol = symbols[place]
            column = points.values[symbol]
            if place + 1 < len(symbols) and (symbol, symbols[place + 1]) in joined:
                place += 1
                column = column * symbols[place].count + points.values[symbols[place]]
            columns.append(column)
            place += 1
        return columns

    def _with_slots(
        self, statement: Statement, symbols: list[Symbol], cells: Index, coordinates: Any
    ) -> tuple[Index, Any]:
        """Add the cells before a loop's results, which stand for results of steps before the first."""
        width = self._widths.get(statement.target.base, 0)
        start = max((r.start for r in self.plan.regions if r.start <= statement.target.base), default=0)
        count = (statement.target.base - start) // width if width > 0 else 0
        if not count or not symbols:
            return cells, coordinates
        order = np.argsort(cells, kind="stable")
        first = coordinates[order[:width]]
        steps = [axis for axis in range(first.shape[1]) if _is_one(first[:, axis])]
        if not steps or not (cells[order[:width]] == statement.target.base + np.arange(width)).all():
            return cells, coordinates
        axis = next(
            (k for k in steps if len(cells) == width or coordinates[order[width], k] > first[0, k]), steps[0]
        )
        parts = [(cells, coordinates)]
        for back in range(1, count + 1):
            earlier = first.copy()
            earlier[:, axis] -= back
            parts.append((cells[order[:width]] - back * width, earlier))
        more, places = (np.concatenate(part) for part in zip(*parts, strict=True))
        if len(np.unique(places, axis=0)) < len(places):
            return cells, coordinates  # steps are in another order than coordinates
        places[:, axis] += count
        return more, places

    def _take_over(self, statement: Statement, tensor: Tensor) -> None:
        """Let a chain's first links, which some other statement computes, be of the chain's tensor."""
        index, rank = self.all.index(tensor), len(tensor.shape)
        target = statement.target.addresses(statement.shape)
        for place in places_of(statement.expression):
            read = place.addresses(statement.shape)
            own = self.owner[read] == index
            owners = set(np.unique(self.owner[read[~own]]).tolist())
            if not own.any() or len(owners) != 1 or -1 in owners:
                continue
            (other,) = owners
            delta = np.unique(self.places[read[own]][:, :rank] - self.places[target[own]][:, :rank], axis=0)
            if len(delta) != 1:
                continue
            wanted = self.places[target[~own]][:, :rank] + delta[0]
            old = self.places[:, : len(self.all[other].shape)]
            cells = np.flatnonzero(self.owner == other)
            matrix = np.column_stack([np.ones(len(read[~own]), int), old[read[~own]]])
            change = np.rint(np.linalg.lstsq(matrix, wanted, rcond=None)[0]).astype(np.intp)
            if not (matrix @ change == wanted).all():
                continue
            new = np.column_stack([np.ones(len(cells), int), old[cells]]) @ change
            own_cells = np.flatnonzero(self.owner == index)
            all_cells = np.concatenate([cells, own_cells])
            places = np.concatenate([new, self.places[own_cells][:, :rank]])
            places -= places.min(axis=0)
            if len(np.unique(places, axis=0)) == len(places):
                self.owner[cells] = index
                self.places[all_cells, :rank] = places
                tensor.shape = tuple(int(n) + 1 for n in places.max(axis=0))
                tensor.size = len(all_cells)
                return

    def hidden(self) -> list[tuple[Tensor, Tensor]]:
        """Return the tensors whose cells are also called by their place among all, and among which all."""
        return [
            (alias, self.all[owner])
            for alias, cells in self._aliased.items()
            for owner in np.unique(self.owner[cells]).tolist()
            if owner >= 0
        ]

    def cells(self, tensor: Tensor) -> Index:
        """Return the addresses of a tensor's elements, in ascending order."""
        if tensor in (self._leaves, self._alias):
            return np.arange(tensor.size)
        return np.flatnonzero(self.owner == self.all.index(tensor))

    def addresses(self, tensor: Tensor, symbols: list[Symbol]) -> Coordinate | None:
        """Return where a tensor's elements are among all, in terms of its indices, if that is regular."""
        cells = self.cells(tensor)
        found = combination(cells, [self.places[cells, axis] for axis in range(len(symbols))])
        if found is None:
            return None
        first, *steps = found
        return Coordinate(first, tuple((s, c) for s, c in zip(symbols, steps, strict=True) if c))

    # Statements -------------------------------------------------------------------------------------------

    def indexed(self, statement: Statement, loop: Loop | None, starts: Index | None) -> Iterator[Indexed]:
        """Yield a statement in terms of tensors; several, if it computes parts of what has several names."""
        if not prod(statement.shape):
            return
        for part in self._divided(statement, loop):
            places = [part.target, *places_of(part.expression)]
            if part.target.choice is not None:
                places.append(part.target.choice)
            functions = {place: self._functions(place, part.shape) for place in places}
            flat = [f for found in functions.values() for f in found]
            shape = self._refined(part, flat, loop)
            points = self._points(part, shape, [f.reshape(shape) for f in flat], loop, starts)
            accesses: dict[Place, Access] = {}
            for place in reversed(places):  # a choice before what it chooses from
                accesses[place] = self._access(place, part.shape, shape, points, accesses)
            target = accesses.pop(part.target)
            needed = {s for c in target.coordinates for s, _ in c.steps}
            if target.choice is not None:
                needed |= {s for c in target.choice[2].coordinates for s, _ in c.steps}
            once = target.choice is None and len(target.cells) == prod(part.shape)
            for symbol in points.symbols:
                symbol.summed = symbol not in needed and not symbol.steps and not once
            turns = None if starts is None else np.flatnonzero(np.diff(starts))
            if loop is not None and turns is not None and len(turns) == loop.length:
                turns = None
            yield Indexed(part, points, target, accesses, turns)

    def _divided(self, statement: Statement, loop: Loop | None) -> Iterator[Statement]:
        """Yield a statement in parts each place of which is in one tensor, as far as an axis can be cut."""
        for place in [statement.target, *places_of(statement.expression)]:
            owner = self.owner[place.addresses(statement.shape)]
            if place.choice is not None or _is_one(owner):
                continue
            for axis in range(1 if loop else 0, len(statement.shape)):
                along = np.moveaxis(owner, axis, 0).reshape(owner.shape[axis], -1)
                cuts = np.flatnonzero(np.diff(along[:, 0])) + 1
                once = len(cuts) + 1 == len(np.unique(along[:, 0]))  # or its parts are interleaved
                if once and (along == along[:, :1]).all():
                    adds = axis >= len(statement.shape) - statement.summed
                    for low, high in zip([0, *cuts], [*cuts, owner.shape[axis]], strict=True):
                        part = cut(statement, axis, int(low), int(high))
                        part = replace(part, adds=part.adds or (adds and low > 0))
                        yield from self._divided(part, loop)
                    return
        yield statement

    def _functions(self, place: Place, shape: Sequence[int]) -> list[Index]:
        """Return the coordinates of a place at all points."""
        return self._home(place, place.addresses(shape))[1]

    def _home(self, place: Place, cells: Index) -> tuple[Tensor | None, list[Index], tuple[int, int]]:
        """Return where some cells are: the tensor, their coordinates, and how a choice goes on from them.

        That is by which axis, and how far for each item. What is in several tensors is called by its address.
        """
        owner = self.owner[cells]
        if (owner < 0).any():
            return None, [], (0, 0)
        if _is_one(owner):
            tensor = self.all[owner.flat[0]]
            moved = self._moved(place, cells)
            if moved is not None:
                return tensor, [self.places[cells][..., k] for k in range(len(tensor.shape))], moved
        last = cells + place.step * (self._items(place) - 1)
        leaves = max(int(cells.max()), int(last.max())) < self.plan.parameters
        return self._leaves if leaves else self._alias, [cells], (0, place.step)

    def _items(self, place: Place) -> int:
        return self._choices.get(place.choice.base, 1) if place.choice is not None else 1

    def _moved(self, place: Place, cells: Index) -> tuple[int, int] | None:
        """Return the axis along which a choice goes on, and how far; None if it leaves the tensor."""
        if place.choice is None:
            return 0, 0
        axis, far = 0, 0
        for item in range(1, self._items(place)):
            others = cells + item * place.step
            if others.min() < 0 or others.max() >= self.plan.size:
                return None
            if (self.owner[others] != self.owner[cells]).any():
                return None
            change = self.places[others] - self.places[cells]
            if item == 1:
                axis = int(np.argmax(np.abs(change).reshape(-1, RANK)[0]))
                far = int(change[..., axis].flat[0])
            if (change[..., axis] != item * far).any() or np.delete(change, axis, -1).any():
                return None
        return axis, far

    def _refined(
        self, statement: Statement, functions: Sequence[Index], loop: Loop | None
    ) -> tuple[int, ...]:
        shape = statement.shape
        if loop is None:
            return refined(shape, functions)
        return (shape[0], *refined(shape[1:], [np.moveaxis(f, 0, -1) for f in functions]))

    def _points(
        self,
        statement: Statement,
        shape: tuple[int, ...],
        functions: Sequence[Index],
        loop: Loop | None,
        starts: Index | None,
    ) -> Points:
        kept = prod(statement.shape[: len(statement.shape) - statement.summed])
        summed, size = [], 1
        for length in shape:
            size *= length
            summed.append(size > kept)
        step = None
        if loop is not None:
            turns = (
                np.arange(loop.length)
                if starts is None
                else np.repeat(np.arange(loop.length), np.diff(starts))
            )
            step = np.broadcast_to(turns.reshape((-1,) + (1,) * (len(shape) - 1)), shape)
        return find_points(shape, summed, functions, step)

    def _access(
        self,
        place: Place,
        old: Sequence[int],
        shape: tuple[int, ...],
        points: Points,
        known: Mapping[Place, Access],
    ) -> Access:
        cells = place.addresses(old).reshape(shape)
        tensor, functions, moved = self._home(place, cells)
        assert tensor is not None  # as every cell has one by now
        if tensor in (self._leaves, self._alias):
            every = [cells + item * place.step for item in range(self._items(place))]
            self._aliased[tensor] = np.unique(
                np.concatenate([self._aliased.get(tensor, cells), *every], axis=None)
            )
        if tensor not in self.used:
            self.used.append(tensor)
        found = []
        for f in functions:
            one = coordinate(f, points)
            assert one is not None  # as the symbols were found from all functions
            found.append(one)
        choice = None if place.choice is None or not moved[1] else (*moved, known[place.choice])
        return Access(tensor, place.memory, tuple(found), np.unique(cells), choice)


def _body(step: Step) -> tuple[Statement, ...]:
    return step.body if isinstance(step, Loop) else (step,)


def _grid(shape: Sequence[int]) -> Any:
    """Return the coordinates of all places of an array, of shape (places, axes)."""
    size = prod(shape)
    return np.indices(shape).reshape(len(shape), size).T if shape else np.zeros((1, 0), dtype=np.intp)


def _is_one(owner: Any) -> bool:
    return bool((owner == owner.flat[0]).all())
