"""Blocks become a program: array statements for large blocks, plain float statements for small ones.

The forward pass computes every block from the blocks it reads; the reverse pass visits the blocks in reverse
and adds to the adjoints of what each has read. Local derivatives come from the rows of the operation table,
applied to expressions. The two operations known here by name are + and *, of which a matrix product is made.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from autograd.compiler.flatten import Flat
from autograd.compiler.stores import Constants, Floats, Large, Leaves, Store
from autograd.compiler.structure import CONSTANT, FLOAT, LEAF, Block, Group, Index, Layout, Operand
from autograd.compiler.symbols import Expression, Writer, as_float
from autograd.compiler.tape import Tape
from autograd.operation import Operation

LONG = 20_000
"""More nodes than this in a row without structure become a tape instead of statements."""


@dataclass
class Listing:
    """A program as text.

    Attributes:
        forward: the statements of the forward pass; the last sets ``outputs``.
        reverse: the statements of the reverse pass, which add to ``gradients``.
        namespace: what the statements refer to.
        descriptions: what the views among them are.
        leaves: the store of the leaves, with the arrays ``parameters`` and ``gradients``.
        found: what was recognised, counted.
    """

    forward: list[str]
    reverse: list[str]
    namespace: dict[str, Any]
    descriptions: dict[str, str]
    leaves: Leaves
    found: Counter[str]


class _Piece(Protocol):
    """A step of the schedule: it writes its forward statements, and later its reverse statements."""

    def forward(self) -> None: ...
    def reverse(self) -> None: ...


def emit(flat: Flat, layout: Layout) -> Listing:
    """Write the program of a graph.

    Args:
        flat: the graph.
        layout: its blocks, and the order in which to compute them.
    """
    writer, found = Writer(), Counter[str]()
    blocks = layout.blocks
    numbers = [[flat.data[node] for node in blocks[number].members] for number in (LEAF, CONSTANT)]
    leaves = Leaves(blocks[LEAF], writer, found, numbers[0])
    stores: list[Store] = [leaves, Constants(blocks[CONSTANT], writer, found, numbers[1])]
    stores.append(Floats(blocks[FLOAT], writer, found))
    stores += [Large(block, writer, found) for block in blocks[len(stores) :]]
    for block in blocks:
        for operand in block.references():
            stores[operand.block].prepare(operand.index)
    outputs = [(layout.block_of[node], layout.position[node]) for node in flat.outputs]
    seeds = _by_block(outputs)
    for number, positions in seeds.items():
        stores[number].prepare(positions)
    pieces: list[_Piece] = []
    for step in layout.schedule:
        if isinstance(step, Block):
            pieces.append(Statement(step, stores, layout))
        elif len(step) > LONG:
            pieces.append(Taped(Tape(flat, step), f"tape{len(pieces)}", stores, layout))
        else:
            pieces += [FloatStatement(node, flat, stores, layout) for node in step]
    for piece in pieces:
        piece.forward()
    results = ", ".join(stores[number].read_float(position).text for number, position in outputs)
    writer.write(f"outputs = ({results},)")
    forward, writer.lines = writer.lines, []
    if leaves.block.size:
        writer.write("gradients.fill(0.0)")
        leaves.reached = True
    for piece in pieces:
        if isinstance(piece, Taped):
            piece.begin_adjoints()
    for number, positions in seeds.items():
        stores[number].add(positions, Expression("1.0", writer, array=False))
    for piece in reversed(pieces):
        piece.reverse()
    leaves.finish()
    return Listing(forward, writer.lines, writer.namespace, writer.descriptions, leaves, found)


def _by_block(outputs: list[tuple[int, int]]) -> dict[int, Index]:
    seeds: dict[int, list[int]] = {}
    for number, position in outputs:
        seeds.setdefault(number, []).append(position)
    return {number: np.array(positions, dtype=np.intp) for number, positions in seeds.items()}


class Statement:
    """One array statement: all members of a block."""

    def __init__(self, block: Block, stores: list[Store], layout: Layout) -> None:
        self.block = block
        self.stores = stores
        self.writer, self.found = stores[LEAF].writer, stores[LEAF].found
        self.store = stores[block.number]
        # A block of one member, such as a loss, is held as a float.
        self.place = layout.position[int(block.members[0])] if block.size == 1 else None

    def forward(self) -> None:
        """Write the statement."""
        block = self.block
        if isinstance(block.kind, Operation):
            text = as_float(block.kind(*map(self._read, block.operands))).text
            comment = f"{block.size} x {block.kind.name}"
        else:
            text = " + ".join(map(self._group, block.groups))
            comment = f"{block.size} x sum of {sum(group.terms for group in block.groups)}"
        if self.place is not None:
            name = self.stores[FLOAT].read_float(self.place).text
            self.writer.write(f"{name} = float({text})", comment)
        elif isinstance(self.store, Large):
            self.store.assign(text, comment)

    def reverse(self) -> None:
        """Write what the block adds to the adjoints of its operands."""
        block = self.block
        if self.place is not None:
            upstream = self.stores[FLOAT].read_adjoint_float(self.place)
            value = self.stores[FLOAT].read_float(self.place)
        else:
            self.store.finish()
            upstream = Expression(self.store.adjoint, self.writer, array=True)
            value = Expression(self.store.value, self.writer, array=True)
        if isinstance(block.kind, Operation):
            operands = [self._read(operand) for operand in block.operands]
            for operand, derivative in zip(block.operands, block.kind.derivatives, strict=True):
                if operand.block != CONSTANT:
                    self._add(operand, _times(upstream, derivative(value, *operands)))
        for group in block.groups:
            self._reverse_group(group, upstream)

    def _read(self, operand: Operand) -> Expression:
        return self.stores[operand.block].read(operand.index)

    def _read_group(self, group: Group) -> list[Expression]:
        read = [self._read(side) for side in group.operands]
        if group.terms == 1:
            return read
        # What is added up, or multiplied as a vector, has to have its terms' axis even if all terms are one float.
        return [
            side if side.array else Expression(f"np.full({operand.index.shape}, {side.text})", self.writer, array=True)
            for operand, side in zip(group.operands, read, strict=True)
        ]

    def _add(self, operand: Operand, contribution: Expression) -> None:
        self.stores[operand.block].add(operand.index, contribution)

    def _group(self, group: Group) -> str:
        sides: list[Any] = self._read_group(group)
        if group.product:
            a, b = sides
            matrices = group.operands[0].index.ndim == group.operands[1].index.ndim == 2
            self.found["matrix products" if matrices else "dot products"] += 1
            return f"{a.operand} @ {b.operand}{'.T' if matrices else ''}"
        product = sides[0] if len(sides) == 1 else sides[0] * sides[1]
        if group.terms == 1:
            return str(product.text)
        self.found["reductions"] += 1
        return f"np.add.reduce({product.text}, -1)"

    def _reverse_group(self, group: Group, upstream: Expression) -> None:
        sides = group.operands
        read: list[Any] = self._read_group(group)
        contributions: list[Any]
        if group.product:
            contributions = _reverse_product(upstream, sides, read)
        else:
            spread = upstream
            if group.terms > 1 and upstream.array:
                spread = Expression(f"{upstream.operand}[..., None]", self.writer, array=True, full=False)
            contributions = [spread] if len(read) == 1 else [spread * read[1], spread * read[0]]
        if len(sides) == 2 and sides[0].block == sides[1].block and np.array_equal(sides[0].index, sides[1].index):
            sides, contributions = sides[:1], [2.0 * contributions[0]]  # the square of a vector
        for side, contribution in zip(sides, contributions, strict=True):
            if side.block != CONSTANT:
                self._add(side, contribution)


def _reverse_product(upstream: Expression, sides: list[Operand], read: list[Expression]) -> list[Expression]:
    """Return the adjoints of A and B in A @ B.T, where B, or both, may be a vector."""
    g, (a, b) = upstream, (expression.operand for expression in read)
    ranks = [side.index.ndim for side in sides]
    if ranks == [2, 2]:
        texts = [f"{g.operand} @ {b}", f"{g.operand}.T @ {a}"]
    elif ranks == [2, 1]:
        texts = [f"np.outer({g.text}, {b})", f"{g.operand} @ {a}"]
    else:
        texts = [f"{g.operand} * {b}", f"{g.operand} * {a}"]
    return [Expression(text, g.writer, array=True, atomic=False) for text in texts]


def _times(upstream: Any, local: Any) -> Any:
    """Return the contribution of one edge: adjoint times local derivative."""
    if isinstance(local, float) and abs(local) == 1.0:
        return upstream if local == 1.0 else -upstream
    return upstream * local


class FloatStatement:
    """One node, computed as a float."""

    def __init__(self, node: int, flat: Flat, stores: list[Store], layout: Layout) -> None:
        self.node = node
        self.kind, self.arguments = flat.kinds[node], flat.arguments[node]
        self.stores, self.layout = stores, layout

    def forward(self) -> None:
        """Write the statement."""
        if self.kind == "sum":
            terms = [[self._read(factor) for factor in term] for term in self.arguments]
            text = " + ".join((t[0] * t[1]).text if len(t) == 2 else t[0].operand for t in terms)
        else:
            text = self.kind(*map(self._read, self.arguments)).text
        writer = self.stores[FLOAT].writer
        writer.assign(self._read(self.node).text, text)

    def reverse(self) -> None:
        """Write what the node adds to the adjoints of its operands."""
        upstream: Any = self.stores[FLOAT].read_adjoint_float(self.layout.position[self.node])
        if self.kind == "sum":
            for term in self.arguments:
                if len(term) == 1:
                    self._add(term[0], upstream)
                else:
                    a, b = term
                    self._add(a, upstream * self._read(b))
                    self._add(b, upstream * self._read(a))
            return
        operands = [self._read(operand) for operand in self.arguments]
        value = self._read(self.node)
        for operand, derivative in zip(self.arguments, self.kind.derivatives, strict=True):
            if self.layout.block_of[operand] != CONSTANT:
                self._add(operand, _times(upstream, derivative(value, *operands)))

    def _read(self, node: int) -> Any:
        return self.stores[self.layout.block_of[node]].read_float(self.layout.position[node])

    def _add(self, node: int, contribution: Expression) -> None:
        self.stores[self.layout.block_of[node]].add_float(self.layout.position[node], contribution)


class Taped:
    """Many nodes, run from a tape."""

    def __init__(self, tape: Tape, name: str, stores: list[Store], layout: Layout) -> None:
        self.tape = tape
        self.stores, self.layout = stores, layout
        self.writer = stores[FLOAT].writer
        self.name = self.writer.bind(name, tape)
        self.values, self.adjoints = f"{name}_values", f"{name}_adjoints"
        floats = stores[FLOAT]
        outside = set(tape.externals)
        for node, place in tape.place.items():
            if node not in outside and isinstance(floats, Floats):
                floats.on_tape(layout.position[node], f"{self.values}[{place}]", f"{self.adjoints}[{place}]")

    def forward(self) -> None:
        """Write the run of the tape."""
        block_of, position = self.layout.block_of, self.layout.position
        read = [self.stores[block_of[node]].read_float(position[node]).text for node in self.tape.externals]
        self.writer.write(f"{self.values} = {self.name}.forward([{', '.join(read)}])", f"{len(self.tape)} x tape")

    def begin_adjoints(self) -> None:
        """Write the zeros that the reverse pass adds to."""
        self.writer.write(f"{self.adjoints} = [0.0] * {len(self.tape)}")

    def reverse(self) -> None:
        """Write the tape's reverse run, and the additions to what it reads."""
        self.writer.write(f"{self.name}.reverse({self.values}, {self.adjoints})")
        for place, node in enumerate(self.tape.externals):
            number, position = self.layout.block_of[node], self.layout.position[node]
            contribution = Expression(f"{self.adjoints}[{place}]", self.writer, array=False)
            self.stores[number].add_float(position, contribution)
