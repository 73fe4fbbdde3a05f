"""Where the numbers of a block live in the program, and how statements read them and add to their adjoints.

A block is an array ``v3`` with adjoint ``d3``, or it is floats ``x0, x1, ...`` with adjoints ``dx0, ...``.
Each can be read either way. Evenly spaced operands are views of a buffer, made before the program runs;
others are gathered, and their adjoints scattered.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.flat import Flat
from autograd.compiler.structure import CONSTANT, DATA, FLOAT, GIVEN, LEAF, Block, Index, Layout
from autograd.compiler.symbols import Expression, Writer, strip

Array = NDArray[np.float64]


class Store:
    """What the program's statements need of a block; the subclasses say how it is held.

    Args:
        block: the block.
        writer: where statements are written.
        found: counts what was recognised.
    """

    def __init__(self, block: Block, writer: Writer, found: Counter[str]) -> None:
        self.block = block
        self.writer = writer
        self.found = found
        self.value, self.adjoint = f"v{block.number}", f"d{block.number}"

    def prepare(self, index: Index) -> None:
        """Learn, before anything is written, that an array statement reads the elements ``index``."""

    def read(self, index: Index) -> Expression:
        """Return the elements ``index`` as an array of its shape, or as a float where they are one float."""
        raise NotImplementedError

    def read_float(self, position: int) -> Expression:
        """Return one element as a float."""
        raise NotImplementedError

    def add(self, index: Index, contribution: Expression) -> None:
        """Write a statement that adds to the adjoints of the elements ``index``; shapes broadcast."""
        raise NotImplementedError

    def add_float(self, position: int, contribution: Expression) -> None:
        """Write a statement that adds a float to the adjoint of one element."""
        raise NotImplementedError

    def read_floats(self, positions: list[int]) -> str:
        """Return text for the list of some elements as floats."""
        raise NotImplementedError

    def add_floats(self, positions: list[int], contributions: str) -> None:
        """Write statements that add each element of a list of floats to the adjoint of an element."""
        raise NotImplementedError

    def _bind_places(self, places: list[int]) -> str:
        """Return the name of some places in a list, held as a range if they are evenly spaced."""

        def make() -> Sequence[int]:
            step = max(places[1] - places[0], 1) if len(places) > 1 else 1
            evenly = range(places[0], places[-1] + 1, step)
            return evenly if list(evenly) == places else places

        return self.writer.bind_once(("places", tuple(places)), "places", make)

    def _float(self, text: str) -> Expression:
        return Expression(text, self.writer, array=False)

    def _array(self, text: str) -> Expression:
        return Expression(text, self.writer, array=True)


class Constants(Store):
    """Numbers that never change: literals and arrays, gathered before the program runs. No adjoints."""

    def __init__(self, block: Block, writer: Writer, found: Counter[str], numbers: Sequence[float]) -> None:
        super().__init__(block, writer, found)
        self.numbers = np.array(numbers, dtype=float)

    def read(self, index: Index) -> Expression:
        """Return a literal if all elements are the same constant, else an array."""
        if _is_one(index):
            return self.read_float(int(index.flat[0]))
        return self._array(
            self.writer.bind_once(("c", index.tobytes(), index.shape), "c", lambda: self.numbers[index])
        )

    def read_floats(self, positions: list[int]) -> str:
        """Return the name of a list of constants."""
        return self.writer.bind_once(
            ("constants", tuple(positions)), "c_list", lambda: self.numbers[positions].tolist()
        )

    def read_float(self, position: int) -> Expression:
        """Return a literal."""
        text = repr(float(self.numbers[position]))
        return Expression(text, self.writer, array=False, atomic=not text.startswith("-"))

    def add(self, index: Index, contribution: Expression) -> None:
        """Do nothing: constants have no adjoints."""

    def add_float(self, position: int, contribution: Expression) -> None:
        """Do nothing: constants have no adjoints."""

    def add_floats(self, positions: list[int], contributions: str) -> None:
        """Do nothing: constants have no adjoints."""


class Large(Store):
    """A block held as an array."""

    def __init__(self, block: Block, writer: Writer, found: Counter[str]) -> None:
        super().__init__(block, writer, found)
        self.buffer: Array | None = None
        self.adjoint_buffer: Array | None = None
        self.reached = False
        self.listed = False
        self.listed_adjoint = False
        self.views: dict[tuple[int, tuple[int, ...], tuple[int, ...]], int] = {}

    def prepare(self, index: Index) -> None:
        """Get a buffer, unless the whole block is read."""
        if self.buffer is None and not self._is_whole(index):
            self.buffer, self.adjoint_buffer = np.zeros(self.block.shape), np.zeros(self.block.shape)
            self.writer.bind(self.value, self.buffer)
            self.writer.bind(self.adjoint, self.adjoint_buffer)

    def assign(self, value: str, comment: str) -> None:
        """Write the statement that computes the block."""
        if self.buffer is None:
            self.writer.assign(self.value, value, comment)
        else:
            self.writer.write(f"{self.value}[...] = {value}", comment)

    def read(self, index: Index) -> Expression:
        """Return the array, a view of it, or elements gathered from it."""
        if self._is_whole(index):
            return self._array(_shaped(self.value, self.block.shape, index.shape))
        assert self.buffer is not None  # prepare() was called for every index
        strides = _strides(index)
        if strides is None:
            self.found["gathers"] += 1
            flat = self._bind(f"{self.value}_flat", "flat", lambda: _flat(self.buffer))
            return self._array(self.writer.once(f"{flat}.take({self._bind_index(index)})"))
        return self._array(self._bind_view(self.value, self.buffer, index, strides))

    def read_float(self, position: int) -> Expression:
        """Return an element of the list of the block's floats."""
        if not self.listed:
            self.listed = True
            self.writer.write(f"{self.value}_list = {self.value}.ravel().tolist()")
        return self._float(f"{self.value}_list[{position}]")

    def add(self, index: Index, contribution: Expression) -> None:
        """Add to the whole adjoint, to a view of it, or scatter."""
        if self._is_whole(index):
            text = spread(contribution, index)
            self._add_whole(_shaped(text, index.shape, self.block.shape))
            return
        assert self.adjoint_buffer is not None  # prepare() was called for every index
        if not self.reached:
            self.writer.write(f"{self.adjoint}.fill(0.0)")
            self.reached = True
        strides = _strides(index)
        if strides is not None:
            repeated = tuple(
                axis for axis, stride in enumerate(strides) if stride == 0 and index.shape[axis] > 1
            )
            once = index[
                tuple(slice(0, 1) if axis in repeated else slice(None) for axis in range(index.ndim))
            ]
            if len(np.unique(once)) == once.size:
                view = self._bind_view(self.adjoint, self.adjoint_buffer, once, _strides(once) or ())
                text = contribution.text
                if repeated:
                    axes = repeated[0] if len(repeated) == 1 else repeated
                    text = f"np.add.reduce({strip(spread(contribution, index))}, {axes}, keepdims=True)"
                self.writer.write(f"{view} += {text}")
                return
        self.found["scatters"] += 1
        flat = self._bind(f"{self.adjoint}_flat", "flat adjoint", lambda: _flat(self.adjoint_buffer))
        places = self._bind_index(index)
        if len(np.unique(index)) == index.size:
            self.writer.write(f"{flat}[{places}] += {contribution.text}")
        else:
            text = f"np.bincount({places}.ravel(), {spread(contribution, index)}.ravel(), {self.block.size})"
            self.writer.write(f"{flat} += {text}")

    def add_float(self, position: int, contribution: Expression) -> None:
        """Add to an element of a list, which `finish` adds to the array."""
        self._begin_list()
        self.writer.write(f"{self.adjoint}_list[{position}] += {contribution.text}")

    def _begin_list(self) -> None:
        if not self.listed_adjoint:
            self.listed_adjoint = True
            self.writer.write(f"{self.adjoint}_list = [0.0] * {self.block.size}")

    def read_floats(self, positions: list[int]) -> str:
        """Return text that picks elements from the list of the block's floats."""
        whole = self.read_float(0).text.removesuffix("[0]")
        places = self._bind_places(positions)
        return f"[{whole}[place] for place in {places}]"

    def add_floats(self, positions: list[int], contributions: str) -> None:
        """Write a loop that adds to elements of the list of float contributions."""
        self._begin_list()
        places = self._bind_places(positions)
        with self.writer.indented(f"for place, contribution in zip({places}, {contributions}):"):
            self.writer.write(f"{self.adjoint}_list[place] += contribution")

    def finish(self) -> tuple[Expression, Expression]:
        """After the last contribution, return the block and its adjoint as arrays."""
        if self.listed_adjoint:
            text = f"np.array({self.adjoint}_list)"
            self._add_whole(_shaped(text, (self.block.size,), self.block.shape))
        return self._array(self.value), self._array(self.adjoint)

    def _add_whole(self, text: str) -> None:
        if self.adjoint_buffer is None:  # a new array each time, since the first may also be another block's
            self.writer.write(
                f"{self.adjoint} = {f'{self.adjoint} + {text}' if self.reached else strip(text)}"
            )
        else:
            self.writer.write(f"{self.adjoint}{' += ' if self.reached else '[...] = '}{strip(text)}")
        self.reached = True

    def _is_whole(self, index: Index) -> bool:
        return index.size == self.block.size and bool((index.ravel() == np.arange(index.size)).all())

    def _bind(self, name: str, key: str, make: Callable[[], Array]) -> str:
        return self.writer.bind_once((self.block.number, key), name, make)

    def _bind_index(self, index: Index) -> str:
        return self.writer.bind_once(("i", index.tobytes(), index.shape), "i", lambda: index)

    def _bind_view(self, name: str, buffer: Array, index: Index, strides: tuple[int, ...]) -> str:
        base = int(index.flat[0])
        number = self.views.setdefault((base, index.shape, strides), len(self.views) + 1)

        def make() -> Array:
            steps = [stride * buffer.itemsize for stride in strides]
            return np.lib.stride_tricks.as_strided(_flat(buffer)[base:], index.shape, steps)

        prefix = {"parameters": "w", "gradients": "dw"}.get(name, f"{name}_view")
        view = self.writer.bind_once((name, number), f"{prefix}{number}", make)
        self.writer.describe(view, f"{name} from {base}, shape {index.shape}, steps {strides}")
        return view


class Leaves(Large):
    """The leaves: the array of parameters, which the caller fills, and the array of their gradients."""

    def __init__(self, block: Block, writer: Writer, found: Counter[str], numbers: Sequence[float]) -> None:
        super().__init__(block, writer, found)
        self.value, self.adjoint = "parameters", "gradients"
        self.parameters, self.gradients = np.array(numbers, dtype=float), np.zeros(len(numbers))
        self.buffer, self.adjoint_buffer = self.parameters, self.gradients
        writer.bind(self.value, self.parameters)
        writer.bind(self.adjoint, self.gradients)

    def begin_adjoints(self) -> None:
        """Write the zeros that the reverse pass adds to."""
        if self.block.size:
            self.writer.write("gradients.fill(0.0)")
        self.reached = True


class Data(Large):
    """Leaves that are read but not differentiated by: an array, which the caller fills."""

    def __init__(self, block: Block, writer: Writer, found: Counter[str], numbers: Sequence[float]) -> None:
        super().__init__(block, writer, found)
        self.value = "data"
        self.numbers = self.buffer = np.array(numbers, dtype=float)
        writer.bind(self.value, self.numbers)


@dataclass(frozen=True)
class Column:
    """Floats that the program holds in lists: those of a tape, or one result of every step of a loop.

    Attributes:
        value: the text of one of them, with ``{}`` for its place.
        adjoint: the text of its adjoint, which begins as 0.
    """

    value: str
    adjoint: str


class Floats(Store):
    """The nodes held as floats: ``x0, x1, ...`` with adjoints ``dx0, ...``, or elements of columns."""

    def __init__(self, block: Block, writer: Writer, found: Counter[str]) -> None:
        super().__init__(block, writer, found)
        self.value, self.adjoint = "x", "dx"
        self.columns: dict[int, tuple[Column, int]] = {}
        self.reached: set[int] = set()

    def put(self, position: int, column: Column, place: int) -> None:
        """Learn that a number is in a column."""
        self.columns[position] = (column, place)
        self.reached.add(position)

    def read(self, index: Index) -> Expression:
        """Return a float, or an array packed from floats."""
        if _is_one(index):
            return self.read_float(int(index.flat[0]))
        listed, back = self._listed(index.ravel().tolist())
        text = _shaped(f"np.array({listed}){back}", (index.size,), index.shape)
        return self._array(self.writer.once(text))

    def read_floats(self, positions: list[int]) -> str:
        """Return text for the list of some floats."""
        listed, back = self._listed(positions)
        return f"np.array({listed}){back}.tolist()" if back else listed

    def _listed(self, positions: list[int]) -> tuple[str, str]:
        """Return text for a list of some floats, each column together, and for an index that undoes it."""
        parts, order = [], []
        for column, elements in self._by_column(positions).items():
            order += elements
            if column is None:
                names = (self.read_float(positions[element]).text for element in elements)
                parts.append(f"[{', '.join(names)}]")
            else:
                places = self._bind_places([self.columns[positions[element]][1] for element in elements])
                parts.append(f"[{column.value.format('place')} for place in {places}]")
        if len(parts) == 1:
            return parts[0], ""
        back = np.argsort(order)
        name = self.writer.bind_once(("i", back.tobytes(), back.shape), "i", lambda: back)
        return " + ".join(parts), f"[{name}]"

    def _by_column(self, positions: list[int]) -> dict[Column | None, list[int]]:
        """Return which elements of ``positions`` each column holds; None if a column is not worth a loop."""
        elements: dict[Column | None, list[int]] = {}
        for element, position in enumerate(positions):
            elements.setdefault(self.columns.get(position, (None, 0))[0], []).append(element)
        few = [column for column, found in elements.items() if column is not None and len(found) < FEW]
        if few:
            rest = [element for column in [None, *few] for element in elements.pop(column, [])]
            elements[None] = sorted(rest)
        return elements

    def read_float(self, position: int) -> Expression:
        """Return the float's name."""
        column, place = self.columns.get(position, (_NAMED, position))
        return self._float(column.value.format(place))

    def read_adjoint_float(self, position: int) -> Expression:
        """Return the name of a float's adjoint."""
        column, place = self.columns.get(position, (_NAMED, position))
        return self._float(column.adjoint.format(place))

    def add(self, index: Index, contribution: Expression) -> None:
        """Add to one float the sum of the contributions, or to each its own."""
        if not _is_one(index):
            text = contribution.text
            if contribution.array:
                text = f"{spread(contribution, index)}.ravel().tolist()"
            self.add_floats(index.ravel().tolist(), text, same=not contribution.array)
            return
        text = contribution.text
        if index.size > 1:
            text = f"float({spread(contribution, index)}.sum())"
        elif contribution.array:
            text = f"float({text})"
        self.add_float(int(index.flat[0]), self._float(text))

    def add_floats(self, positions: list[int], contributions: str, *, same: bool = False) -> None:
        """Add the elements of a list to adjoints, or one float to all of them; in a loop for each column."""
        text = contributions if same else self.writer.once(contributions)
        for column, elements in self._by_column(positions).items():
            if column is None:
                for element in elements:
                    self.add_float(positions[element], self._float(text if same else f"{text}[{element}]"))
                continue
            places = self._bind_places([self.columns[positions[element]][1] for element in elements])
            adjoint = column.adjoint.format("place")
            if same:
                with self.writer.indented(f"for place in {places}:"):
                    self.writer.write(f"{adjoint} += {text}")
            else:
                whole = len(elements) == len(positions)
                part = text if whole else f"[{text}[place] for place in {self._bind_places(elements)}]"
                with self.writer.indented(f"for place, contribution in zip({places}, {part}):"):
                    self.writer.write(f"{adjoint} += contribution")

    def add_float(self, position: int, contribution: Expression) -> None:
        """Begin or continue the sum of an adjoint."""
        sign = "+=" if position in self.reached else "="
        self.reached.add(position)
        self.writer.write(f"{self.read_adjoint_float(position).text} {sign} {contribution.text}")


class Memory:
    """The stores of all blocks, by number; and every node by itself.

    Args:
        flat: the graph.
        layout: its blocks.
    """

    def __init__(self, flat: Flat, layout: Layout) -> None:
        self.writer, self.found = Writer(), Counter[str]()
        self._block_of, self._position = layout.block_of, layout.position
        blocks = layout.blocks
        common = self.writer, self.found
        self._active = flat.active
        numbers = [[flat.data[node] for node in block.members] for block in blocks[: len(GIVEN)]]
        self.leaves = Leaves(blocks[LEAF], *common, numbers[LEAF])
        constants = Constants(blocks[CONSTANT], *common, numbers[CONSTANT])
        data = Data(blocks[DATA], *common, numbers[DATA])
        self.data = data.numbers
        self._floats = Floats(blocks[FLOAT], *common)
        self.arrays = {block.number: Large(block, *common) for block in blocks[len(GIVEN) :]}
        self._stores: list[Store] = [self.leaves, constants, data, self._floats, *self.arrays.values()]
        for block in blocks:
            for operand in block.references():
                self[operand.block].prepare(operand.index)

    def __getitem__(self, number: int) -> Store:
        """Return a block's store."""
        return self._stores[number]

    def is_active(self, node: int) -> bool:
        """Tell whether a node has an adjoint."""
        return self._active[node]

    def read_node(self, node: int) -> Expression:
        """Return a node as a float."""
        return self._stores[self._block_of[node]].read_float(self._position[node])

    def add_node(self, node: int, contribution: Expression) -> None:
        """Write a statement that adds to the adjoint of a node."""
        self._stores[self._block_of[node]].add_float(self._position[node], contribution)

    def read_sequence(self, nodes: Sequence[int]) -> str:
        """Return text for the list of some nodes' floats."""
        stores, places = self._located(nodes)
        if len(stores) == 1:
            return stores.pop().read_floats(places)
        return f"[{', '.join(self.read_node(node).text for node in nodes)}]"

    def add_sequence(self, nodes: Sequence[int], contributions: str) -> None:
        """Write statements that add each element of a list to the adjoint of a node."""
        stores, places = self._located(nodes)
        if len(stores) == 1 and all(map(self.is_active, nodes)):
            stores.pop().add_floats(places, contributions)
            return
        listed = self.writer.once(contributions)
        for place, node in enumerate(nodes):
            if self.is_active(node):
                self.add_node(node, Expression(f"{listed}[{place}]", self.writer, array=False))

    def list_of(self, node: int) -> str:
        """Return the text of the list that `read_sequence` would read a node from; "" for a lone float."""
        if self._block_of[node] != FLOAT:
            return self._stores[self._block_of[node]].value
        column, _ = self._floats.columns.get(self._position[node], (None, 0))
        return column.value if column else ""

    def _located(self, nodes: Sequence[int]) -> tuple[set[Store], list[int]]:
        return {self._stores[self._block_of[node]] for node in nodes}, [
            self._position[node] for node in nodes
        ]

    def adjoint_of(self, node: int) -> Expression:
        """Return the adjoint of a node that is held as a float."""
        return self._floats.read_adjoint_float(self._position[node])

    def put(self, node: int, column: Column, place: int) -> None:
        """Learn that a node is in a column."""
        self._floats.put(self._position[node], column, place)


FEW = 8
"""Fewer elements of a column than this are written out one by one."""

_NAMED = Column("x{}", "dx{}")


def _is_one(index: Index) -> bool:
    return bool((index == index.flat[0]).all())


def _flat(buffer: Array | None) -> Array:
    assert buffer is not None
    return buffer.reshape(-1)


def _strides(index: Index) -> tuple[int, ...] | None:
    """Return the steps of an evenly spaced index along its axes; None if it is not evenly spaced."""
    origin = (0,) * index.ndim
    steps, expected = [], np.asarray(index[origin])
    for axis, length in enumerate(index.shape):
        neighbour = tuple(int(a == axis) for a in range(index.ndim))
        step = int(index[neighbour] - index[origin]) if length > 1 else 0
        steps.append(step)
        expected = np.add.outer(expected, step * np.arange(length))
    return tuple(steps) if (index == expected).all() else None


def _shaped(text: str, shape: tuple[int, ...], target: tuple[int, ...]) -> str:
    return text if shape == target else f"{text}.reshape({target})"


def spread(contribution: Expression, index: Index) -> str:
    """Return text for a contribution as an array of the index's full shape."""
    if contribution.full:
        return contribution.operand
    return f"np.broadcast_to({contribution.text}, {index.shape})"
