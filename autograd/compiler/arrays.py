"""A statement of a plan as calls of NumPy.

Places that are evenly spaced are views, made before the program runs; others are gathered and scattered. A
sum of products is a matrix product wherever the axes allow it. Results go where they belong, or into buffers
in one scratch memory that all statements share, so that it stays in the cache.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from textwrap import indent

import numpy as np

from autograd.compiler.floats import evenly
from autograd.compiler.forms import Call, Tree, is_boolean, is_ufunc
from autograd.compiler.names import Names, identifier, view, written
from autograd.compiler.pairs import write_spread
from autograd.compiler.plan import Index, Loop, Place, Statement
from autograd.compiler.products import Product, write_outer, write_short_sum, write_sum_of_rows
from autograd.compiler.spaces import Read, Space
from autograd.row import Operation

Dimension = tuple[int, int]
"""The length of an axis and the step along it; the length is ``RAGGED`` if it differs from step to step."""

RAGGED = -1

LONG_RUNS = 8
"""Runs of so many numbers are added up faster by ``reduceat`` than by ``bincount``."""


class Lines:
    """The lines of a block, and the sequences that they go through step by step if the block is a loop.

    Args:
        names: names for what the lines refer to.
        size: how many cells the memories have.
        steps: how many steps the loop has, or None.
    """

    def __init__(self, names: Names, size: int, steps: int | None = None) -> None:
        self.names, self.size, self.steps = names, size, steps
        self.lines: list[str] = []
        self.sequences: dict[str, str] = {}

    def write(self, line: str) -> None:
        """Append a line."""
        self.lines.append(line)

    def add(self, statement: Statement, loop: Loop | None = None, starts: Index | None = None) -> None:
        """Append the lines of a statement.

        Args:
            statement: the statement.
            loop: the loop in whose body it is, or None.
            starts: the bounds of its slices there, or None.
        """
        space = Space(statement, loop, starts)
        if not space.is_empty:
            first = len(self.lines)
            Writer(space, self).write(statement.name)
            self.lines[first:] = ["\n".join(self.lines[first:])]

    def text(self) -> list[str]:
        """Return the lines, those of a statement or a loop as one, since they share local variables."""
        if self.steps is None or not self.lines:
            return self.lines
        names, lists = ", ".join(self.sequences), ", ".join(self.sequences.values())
        head = f"for {names} in zip({lists}):" if len(self.sequences) > 1 else f"for {names} in {lists}:"
        if not self.sequences:
            head = f"for _ in range({self.steps}):"
        return [head + "\n" + indent("\n".join(self.lines), "    ")]

    def view(self, read: Read, base: int, dimensions: Sequence[Dimension], space: Space) -> str:
        """Return the name of a view of a memory, in a loop of each step's view."""
        names, memory = self.names, read.memory
        shape, strides = tuple(n for n, _ in dimensions), tuple(s for _, s in dimensions)
        starts = base + read.offsets
        ragged = RAGGED in shape
        if not ragged and (starts == starts[0]).all():
            return self.place(Place(memory, int(starts[0]), strides), shape)
        rows = space.rows if ragged else None
        key = (memory, starts.tobytes(), shape, strides, None if rows is None else rows.tobytes())
        if rows is None:
            name = names.bind(
                "w",
                key,
                lambda: [view(names.things[memory], start, shape, strides) for start in starts.tolist()],
                lambda: f"[view({memory}, i, {shape}, {strides}) for i in {_list(starts)}]",
            )
        else:
            lengths = rows.tolist()
            form = str(shape).replace(str(RAGGED), "n")
            name = names.bind(
                "w",
                key,
                lambda: [
                    view(names.things[memory], start, [n if m == RAGGED else m for m in shape], strides)
                    for start, n in zip(starts.tolist(), lengths, strict=True)
                ],
                lambda: (
                    f"[view({memory}, i, {form}, {strides}) for i, n in zip({_list(starts)}, {_list(rows)})]"
                ),
            )
        return self._step_of(name)

    def place(self, place: Place, shape: Sequence[int]) -> str:
        """Return the name of an evenly spaced place, outside loops."""
        names, strides = self.names, place.strides
        return names.bind(
            names.prefix(place.memory, place.base),
            (place.memory, place.base, shape, strides),
            lambda: view(names.things[place.memory], place.base, shape, strides),
            lambda: f"view({place.memory}, {place.base}, {shape}, {strides})",
        )

    def table(self, tables: Sequence[Index]) -> str:
        """Return the name of a table of addresses, in a loop of each step's."""
        if len(tables) == 1:
            return self.names.table(tables[0])
        return self._step_of(self.names.tables(tables))

    def _step_of(self, sequence: str) -> str:
        variable = f"{sequence}_t"
        self.sequences[variable] = sequence
        return variable


def _list(numbers: Index) -> str:
    return f"{written(numbers)}.tolist()"


@dataclass(eq=False)
class Result:
    """An array that the program has at hand.

    Attributes:
        name: what it is called, if it was made by NumPy, or the text of a number.
        axes: the axes along which it varies; along the others its length is 1.
        read: where it is, or None.
        slot: the order of its axes and its address, if it is a buffer.
    """

    name: str
    axes: frozenset[int]
    read: Read | None = None
    slot: tuple[tuple[int, ...], int] | None = None


class Writer:
    """Writes one statement.

    Args:
        space: its axes and places.
        lines: where it is written.
    """

    def __init__(self, space: Space, lines: Lines) -> None:
        self.space, self.lines = space, lines
        self.rank = len(space.lengths)
        self.kept = [axis for axis in range(self.rank) if not space.summed[axis]]
        self.sums = [axis for axis in range(self.rank) if space.summed[axis]]
        self._left = list(range(self.rank))
        self._steady = np.zeros(space.steps, dtype=np.intp)
        self._used = 0
        self._free: dict[tuple[int, ...], list[int]] = {}
        self._numbers: dict[Hashable, Tree] = {}
        self._axes: dict[int, frozenset[int]] = {}
        self._uses: Counter[int] = Counter()
        self._results: dict[int, Result] = {}

    def write(self, comment: str) -> None:
        """Write the statement."""
        space, first = self.space, len(self.lines.lines)
        tree = self._unique(space.tree, {})
        if any(not space.lengths[axis] for axis in self.sums):
            tree, self.sums = 0.0, []
        self.count(tree)
        self._store(tree)
        self.lines.names.scratch = max(self.lines.names.scratch, self._used)
        if comment and len(self.lines.lines) > first:
            self.lines.lines[first] += f"  # {' '.join(comment.split())}"  # as a row's name may have lines

    def write_line(self, line: str) -> None:
        """Write a line."""
        self.lines.write(line)

    # Trees ------------------------------------------------------------------------------------------------

    def _unique(self, tree: Tree, done: dict[int, Tree]) -> Tree:
        """Return a tree in which equal parts are the same object."""
        if not isinstance(tree, Call):
            return tree
        if id(tree) not in done:
            arguments = tuple(self._unique(argument, done) for argument in tree.arguments)
            key = (tree.function, *(a if isinstance(a, float) else id(a) for a in arguments))
            key = (*key, *(repr(a) for a in arguments if isinstance(a, float)))  # 0.0 is not -0.0
            done[id(tree)] = self._numbers.setdefault(key, Call(tree.function, arguments))
        return done[id(tree)]

    def count(self, tree: Tree) -> None:
        """Learn that a tree is to be computed, and so how often each part of it is read."""
        self._uses[id(tree)] += 1
        if isinstance(tree, Call) and self._uses[id(tree)] == 1:
            for argument in tree.arguments:
                self.count(argument)

    def axes(self, tree: Tree) -> frozenset[int]:
        """Return the axes on which a tree depends."""
        if isinstance(tree, float):
            return frozenset()
        if id(tree) not in self._axes:
            if isinstance(tree, Read):
                found = frozenset(axis for axis in range(self.rank) if tree.varies(axis))
            else:
                found = frozenset().union(*map(self.axes, tree.arguments))  # type: ignore[attr-defined]
            self._axes[id(tree)] = found
        return self._axes[id(tree)]

    # Arrays -----------------------------------------------------------------------------------------------

    def _length(self, axis: int) -> int:
        return RAGGED if axis == self.space.ragged else self.space.lengths[axis]

    def text(self, result: Result) -> str:
        """Return what an array is called in the axes that are left, of length 1 where it is steady."""
        if result.read is None:
            return result.name
        return self.view(result.read, [self.dimension(result.read, axis) for axis in self._left])

    def _operand(self, result: Result) -> str:
        """Return what an operand is called; one number has no axes, which is faster than axes of length 1."""
        return self.text(result) if result.axes or result.read is None else self.view(result.read, [])

    def view(self, read: Read, dimensions: Sequence[Dimension]) -> str:
        """Return the name of an evenly spaced place with other axes than the space's."""
        return self.lines.view(read, read.base, dimensions, self.space)

    def buffer(self, order: Sequence[int]) -> Result:
        """Return a buffer over some axes, in the order in which they are to lie in the memory."""
        key = order = self._laid(order)
        size = max(self.space.size(order), 1)
        if self._free.get(key):
            base = self._free[key].pop()
        else:
            base, self._used = self._used, self._used + size
        strides, step = [0] * self.rank, 1
        for axis in reversed(order):
            strides[axis] = step
            step *= self.space.lengths[axis]
        read = Read("s", base, strides, self._steady)
        return Result("", frozenset(order), read, (key, base))

    def _laid(self, order: Sequence[int]) -> tuple[int, ...]:
        """Return the order in which axes lie in a buffer: first the one that differs from step to step."""
        return tuple(sorted(order, key=lambda axis: axis != self.space.ragged))

    def _release(self, tree: Tree) -> None:
        self._uses[id(tree)] -= 1
        result = self._results.get(id(tree))
        if result is not None and result.slot and not self._uses[id(tree)]:
            del self._results[id(tree)]
            key, base = result.slot
            self._free.setdefault(key, []).append(base)

    def value(self, tree: Tree, out: Result | None = None, order: Sequence[int] | None = None) -> Result:
        """Write what computes a tree.

        Args:
            tree: the tree; not a number.
            out: where the result is to go, or None.
            order: how a buffer for the result is to lie in the memory.
        """
        if id(tree) in self._results:
            return self.moved(self._results[id(tree)], out)
        if isinstance(tree, Read):
            result = Result("", self.axes(tree), tree) if tree.is_affine else self._gather(tree, order)
            self._results[id(tree)] = result
            return self.moved(result, out)
        assert isinstance(tree, Call)
        result = self._call(tree, out, order)
        if self._uses[id(tree)] > 1 or result.slot:
            self._results[id(tree)] = result
        return result

    def moved(self, result: Result, out: Result | None) -> Result:
        """Write a copy of an array to where it is to go, if it is to go somewhere."""
        if out is None:
            return result
        self.write_line(f"np.copyto({self.text(out)}, {self.text(result)})")
        return out

    def _call(self, tree: Call, out: Result | None, order: Sequence[int] | None) -> Result:
        function, axes = tree.function, self.axes(tree)
        if out is not None and out.axes != axes:
            return self.moved(self.value(tree, None, order), out)
        operands = self._operands(tree)
        arguments = [a if isinstance(a, float) else self.value(a) for a in operands]
        texts = [self.lines.names.number(a) if isinstance(a, float) else self._operand(a) for a in arguments]
        for argument in operands:
            self._release(argument)
        boolean = is_boolean(tree)
        order = sorted(axes) if order is None else order
        if boolean or (function == "where" and out is None):
            name = self.lines.names.fresh("b" if boolean else "y")
            self.write_line(f"{name} = {self._function(function)}({', '.join(texts)})")
            return self.moved(Result(name, axes), out)
        target = out or self.buffer(order)
        if function == "multiply" and write_outer(self, arguments, target):
            return target
        if is_ufunc(function):
            self.write_line(f"np.{function}({', '.join(texts)}, out={self.text(target)})")
        elif function == "float64":
            self.write_line(f"np.copyto({self.text(target)}, {texts[0]})")
        else:
            name = self._function(function)
            self.write_line(f"{self.text(target)}[...] = {name}({', '.join(texts)})")
        return target

    def _operands(self, tree: Call) -> list[Tree]:
        """Return a call's arguments; beside a float a ufunc takes bools as they are."""
        if not is_ufunc(tree.function) or all(map(_bools, tree.arguments)):
            return list(tree.arguments)
        return [_bools(argument) or argument for argument in tree.arguments]

    def _function(self, function: str | Operation) -> str:
        if isinstance(function, str):
            return f"np.{function}"
        return self.lines.names.bind(
            f"{identifier(function)}_",
            function,
            lambda: function.array_function,
            lambda: f"...  # the array form of the operation {function.name!r}: define it here",
        )

    # Gathers and scatters ---------------------------------------------------------------------------------

    def _gather(self, read: Read, order: Sequence[int] | None) -> Result:
        """Write a gather: of numbers, or of rows where the last axes are evenly spaced and in one piece."""
        source, index, irregular, rows = self._items(
            read, sorted(self.axes(read)) if order is None else order
        )
        buffer = self.buffer([*irregular, *rows])
        into = self._items_of(buffer, irregular, rows)
        along = "0, " if rows else ""
        self.write_line(f'{source}.take({index.text}, {along}out={into}, mode="clip")')
        return buffer

    def _items(self, read: Read, axes: Sequence[int]) -> tuple[str, "_Index", list[int], list[int]]:
        """Return a memory, or its rows, the index in it, and the axes through items and along rows."""
        regular = sorted((a for a in axes if not read.is_irregular(a)), key=lambda a: abs(read.strides[a]))
        rows: list[int] = []
        width = 1
        for axis in regular:
            if read.strides[axis] != width or axis == self.space.ragged:
                break
            rows.insert(0, axis)
            width *= self.space.lengths[axis]
        if rows and not read.step % width:
            irregular = [axis for axis in axes if axis not in rows]
            tables = self.addresses(read, irregular)
            low = min(int(table.min(initial=self.lines.size)) for table in tables)
            places = [table - low for table in tables]
            if not any((table % width).any() for table in places):
                end = self.lines.size if read.choice else max(int(t.max(initial=low)) for t in tables) + width
                steady = Read(read.memory, low, [], np.zeros(1, dtype=np.intp))
                dimensions = [((end - low) // width, width), (width, 1)]
                source = self.lines.view(steady, low, dimensions, self.space)
                index = self._index(read, irregular, [table // width for table in places], read.step // width)
                return source, index, irregular, rows
        tables = self.addresses(read, axes)
        return read.memory, self._index(read, axes, tables, read.step), list(axes), []

    def addresses(self, read: Read, axes: Sequence[int]) -> list[Index]:
        """Return the addresses along some axes, in a loop for each step; without the choice."""
        space, table = self.space, read.table
        moves = (read.offsets != read.offsets[0]).any() or (table is not None and table.shape[0] > 1)
        moves = moves or space.ragged in axes
        found = []
        for step in range(space.steps if moves else 1):
            lengths = [
                int(space.rows[step]) if a == space.ragged else space.lengths[a] for a in range(self.rank)
            ]
            total = np.full([lengths[axis] for axis in axes], read.base + read.offsets[step], dtype=np.intp)
            for place, axis in enumerate(axes):
                steps = read.strides[axis] * np.arange(lengths[axis])
                total += steps.reshape((-1,) + (1,) * (len(axes) - place - 1))
            if table is not None:
                part = table[step if table.shape[0] > 1 else 0]
                if space.ragged is not None and part.shape[space.ragged] > 1:
                    first = int(space.starts[step])
                    part = part.take(np.arange(first, first + lengths[space.ragged]), space.ragged)
                rest = tuple(axis for axis in range(self.rank) if axis not in axes)
                total += part.squeeze(rest).transpose(np.argsort(np.argsort(axes)))
            found.append(total if axes else total.reshape(1))
        return found

    def _index(self, read: Read, axes: Sequence[int], tables: list[Index], step: int) -> "_Index":
        if read.choice is None:
            repeats = any(len(np.unique(table)) < table.size for table in tables)
            return _Index(self.lines.table(tables), tables, repeats=repeats)
        number = self.value(read.choice)
        assert number.read is not None
        choice = self.view(number.read, [self.dimension(number.read, axis) for axis in axes] or [(1, 1)])
        first = self.lines.table(tables)
        times = "" if step == 1 else f" * {step}"
        return _Index(f"{choice}.astype(np.intp){times} + {first}", None, repeats=True)

    def dimension(self, read: Read, axis: int) -> Dimension:
        """Return an axis of a place, of length 1 where it is steady."""
        return (self._length(axis), read.strides[axis]) if read.strides[axis] else (1, 0)

    def _items_of(self, buffer: Result, irregular: Sequence[int], rows: Sequence[int]) -> str:
        assert buffer.read is not None
        dimensions = [self.dimension(buffer.read, axis) for axis in irregular] or [(1, 1)]
        return self.view(buffer.read, [*dimensions, (self.space.size(rows), 1)] if rows else dimensions)

    def scatter(self, tree: Tree) -> None:
        """Write what sends results to the places of a table or of a choice."""
        target, write = self.space.target, self.lines.write
        source, index, irregular, rows = self._items(target, self.kept)
        order = [*irregular, *rows]
        result = self._produce(tree, None, order)
        repeated = self.space.adds and index.repeats and index.tables is not None and len(index.tables) == 1
        if not self._lies(result, order, order if repeated else rows):
            result = self.moved(result, self.buffer(order))
        items = self._items_of(result, irregular, rows)
        if not self.space.adds:
            write(f"{source}[{index.text}] = {items}")
        elif not index.repeats:
            write(f"{source}[{index.text}] += {items}")
        elif index.tables is not None and repeated:
            self._add_repeated(source, index.tables[0].ravel(), result, rows)
        else:
            write(f"np.add.at({source}, {index.text}, {items})")

    def _lies(self, result: Result, axes: Sequence[int], together: Sequence[int]) -> bool:
        """Tell whether a result lies in a memory along all of some axes, and along others in one piece."""
        if result.read is None or not all(result.read.strides[axis] for axis in axes):
            return False
        step = 1
        for axis in reversed(together):
            if result.read.strides[axis] != step:
                return False
            step *= self.space.lengths[axis]
        return True

    def _add_repeated(self, source: str, index: Index, result: Result, rows: Sequence[int]) -> None:
        """Write an addition to items of which some are named several times."""
        assert result.read is not None
        table, write = self.lines.names.table, self.lines.write
        unique, inverse = np.unique(index, return_inverse=True)
        dimensions = [(len(index), self.space.size(rows)), (self.space.size(rows), 1)][: 2 if rows else 1]
        items = self.view(result.read, dimensions)
        if rows or ((np.diff(index) >= 0).all() and len(index) >= LONG_RUNS * len(unique)):
            order = np.argsort(index, kind="stable")
            if (np.diff(order) < 0).any():
                items = f"{items}.take({table(order)}, 0)"
            starts = np.flatnonzero(np.diff(index[order], prepend=-1))
            sums = f"np.add.reduceat({items}, {table(starts)}, 0)"
        else:
            sums = f"np.bincount({table(inverse)}, {items}, {len(unique)})"
        if not rows and (step := evenly(unique)) is not None:
            place = self.lines.place(Place(source, int(unique[0]), (step,)), (len(unique),))
            write(f"np.add({place}, {sums}, out={place})")
        else:
            write(f"{source}[{table(unique)}] += {sums}")

    # Statements -------------------------------------------------------------------------------------------

    def _store(self, tree: Tree) -> None:
        target = self.space.target
        if not (target.is_affine and self._is_injective(target)):
            if not write_spread(self, tree):
                self.scatter(tree)
            return
        out = Result("", frozenset(self.kept), target)
        if not self.space.adds:
            self._produce(tree, out)
            return
        sign = "add"
        if isinstance(tree, Call) and tree.function == "negative":
            sign, tree = "subtract", tree.arguments[0]
        result = self._produce(tree, None)
        self.write_line(f"np.{sign}({self.text(out)}, {self.text(result)}, out={self.text(out)})")

    def _is_injective(self, read: Read) -> bool:
        extent = 0
        for stride, length in sorted(
            (abs(read.strides[axis]), self.space.lengths[axis]) for axis in self.kept
        ):
            if stride <= extent and length > 1:
                return False
            extent += stride * (length - 1)
        return True

    def _produce(self, tree: Tree, out: Result | None, order: Sequence[int] | None = None) -> Result:
        """Write what computes the results of the statement, sums included."""
        if self.sums:
            return self._sum(tree, out, order)
        if not isinstance(tree, float):
            return self.value(tree, out, order)
        if out is None:
            return self._constant(tree)
        self.write_line(f"{self.text(out)}.fill({tree!r})")
        return out

    def write_scaled(self, result: Result, factor: float, target: Result) -> None:
        """Write a product of an array and a number."""
        number = self.lines.names.number(factor)
        self.write_line(f"np.multiply({self.text(result)}, {number}, out={self.text(target)})")

    def _constant(self, number: float) -> Result:
        return Result(self.lines.names.number(number), frozenset())

    def _sum(self, tree: Tree, out: Result | None, order: Sequence[int] | None) -> Result:
        """Write a sum over axes."""
        if self.space.ragged in self.sums and self.space.ragged not in self.axes(tree):
            return self._sum_of_steady(tree, out, order)
        present = [axis for axis in self.sums if axis in self.axes(tree)]
        if len(present) < len(self.sums):
            count = float(self.space.size(axis for axis in self.sums if axis not in present))
            self._sum_only(present)
            if isinstance(tree, float):
                return self._produce(tree * count, out, order)
            result = self._produce(tree, out, order)
            target = result if result is out or result.slot else self.buffer(sorted(result.axes))
            self.write_scaled(result, count, target)
            return target
        axes = self.axes(tree) & frozenset(self.kept)
        if out is not None and out.axes != axes:
            return self.moved(self._sum(tree, None, order), out)
        product = Product(self, tree)
        if product.contracts:
            self._uses.clear()
            return product.write(out, order)
        return self._reduced(self.value(tree), axes, out, order)

    def _sum_of_steady(self, tree: Tree, out: Result | None, order: Sequence[int] | None) -> Result:
        """Write a sum over an axis that only says how often the same is added, in each step anew."""
        terms = self._constant(tree) if isinstance(tree, float) else self.value(tree)
        assert self.space.ragged is not None
        spread = self.moved(terms, self.buffer([self.space.ragged, *sorted(terms.axes)]))
        others = self.space.size(axis for axis in self.sums if axis not in spread.axes)
        self._sum_only([axis for axis in self.sums if axis in spread.axes])
        axes = spread.axes & frozenset(self.kept)
        result = self._reduced(spread, axes, None, order)
        if others > 1:
            self.write_scaled(result, float(others), result)
        return self.moved(result, out)

    def _reduced(
        self, terms: Result, axes: frozenset[int], out: Result | None, order: Sequence[int] | None
    ) -> Result:
        target = out or self.buffer([axis for axis in order if axis in axes] if order else sorted(axes))
        if (write_sum_of_rows if axes else write_short_sum)(self, terms, target):
            self.end_sum()
            return target
        along = ", ".join(str(self._left.index(axis)) for axis in self.sums)
        along = f"({along})" if len(self.sums) > 1 else along
        line = f"np.add.reduce({self.text(terms)}, {along}"
        self.end_sum()
        self.write_line(f"{line}, out={self.text(target)})")
        return target

    def _sum_only(self, axes: list[int]) -> None:
        self.sums = axes
        self._left = [axis for axis in self._left if axis in self.kept or axis in axes]

    def end_sum(self) -> None:
        """Learn that from now on arrays have the kept axes only."""
        self._left = self.kept

    def placed(self, tree: Tree, order: Sequence[int] | None = None) -> Result:
        """Write what computes a tree, and return where it is in a memory."""
        result = self.value(tree, None, order)
        if result.read is None:
            result = self.moved(result, self.buffer(order or sorted(result.axes)))
        return result


def _bools(tree: Tree) -> Tree | None:
    """Return the bools that a tree only makes floats of."""
    return tree.arguments[0] if isinstance(tree, Call) and tree.function == "float64" else None


@dataclass(eq=False)
class _Index:
    """An index as text, the tables that it is made of unless it depends on numbers, and if items repeat."""

    text: str
    tables: list[Index] | None
    repeats: bool
