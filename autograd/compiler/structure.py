"""Scalar statements become blocks: the same computation on other data is one block.

Every node gets a structural class: its kind and the classes of its operands, where all leaves are one class
and all constants another. The members of a class are one block, an array; operands are index arrays into other
blocks. If the two sides of a sum's products pair every distinct row of one index array with every distinct row
of the other, the sum is a matrix product, and the members are put in the order in which its result comes out.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.flatten import Flat
from autograd.operation import Operation

Index = NDArray[np.intp]

LEAF, CONSTANT = 0, 1


@dataclass
class Operand:
    """One operand of a block: which element of which block each member reads.

    Attributes:
        block: the number of the block that is read.
        index: positions in that block; the member's axes come first, a sum's terms last.
    """

    block: int
    index: Index


@dataclass
class Group:
    """Terms of a sum that have the same structure: single nodes, or products of two.

    Attributes:
        operands: one operand or two, with indices of shape (block's shape, terms); without the last axis if
            there is one term; of a matrix product each side's distinct rows, of shape (rows, terms) or (terms,).
        terms: how many terms of this structure each member adds.
        product: whether it is a matrix product.
    """

    operands: list[Operand]
    terms: int
    product: bool = False


@dataclass
class Block:
    """All nodes of one structural class.

    Attributes:
        number: its place in the order of computation; 0 is the leaves, 1 the constants.
        kind: an ``Operation`` or ``"sum"``, ``"leaf"``, ``"constant"``.
        members: the nodes, in the order in which the array holds them.
        shape: the array's shape.
        operands: of an operation.
        groups: of a sum.
    """

    number: int
    kind: Operation | str
    members: Index
    shape: tuple[int, ...]
    operands: list[Operand] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The number of members."""
        return len(self.members)

    @property
    def work(self) -> int:
        """The number of scalar operations that the block stands for."""
        if self.kind == "sum":
            return self.size * sum(group.terms * len(group.operands) for group in self.groups)
        return self.size

    def references(self) -> list[Operand]:
        """Every operand, those of all groups of a sum included."""
        return self.operands + [operand for group in self.groups for operand in group.operands]


@dataclass
class _Class:
    """A class while it is collected: nodes, and one column of operand nodes per place."""

    kind: Any
    places: tuple[Any, ...]
    members: list[int] = field(default_factory=list)
    columns: list[list[int]] = field(default_factory=list)


def blocks(flat: Flat, leaf_order: list[int] | None) -> list[Block]:
    """Return the blocks of a flattened graph in an order of computation.

    Args:
        flat: the graph.
        leaf_order: the leaves in the order in which their array is to hold them; None to choose the order
            that makes most operands contiguous.

    Returns:
        The leaves' block, the constants' block, and the others.
    """
    classes = _classify(flat)
    position = np.full(len(flat.kinds), -1, dtype=np.intp)
    result = [Block(number, cls.kind, np.array(cls.members, dtype=np.intp), ()) for number, cls in enumerate(classes)]
    for block, cls in zip(result[2:], classes[2:], strict=True):
        _arrange(block, cls, position, result)
        position[block.members] = np.arange(block.size)
    _place(result[LEAF], result, position, leaf_order)
    _place(result[CONSTANT], result, position, None)
    for block in result[2:]:
        for operand in block.references():
            operand.index = position[operand.index]
        for group in block.groups:
            if block.size == 1 and group.terms > 1:  # the order of a lone sum's terms is free
                ascending = np.argsort(group.operands[0].index, kind="stable")
                for operand in group.operands:
                    operand.index = operand.index[ascending]
    return result


def _classify(flat: Flat) -> list[_Class]:
    """Collect the members and the operand nodes of every class; classes are in topological order."""
    classes = [_Class("leaf", ()), _Class("constant", ())]
    numbers: dict[Any, int] = {}
    class_of = [-1] * len(flat.kinds)
    for node, (kind, arguments) in enumerate(zip(flat.kinds, flat.arguments, strict=True)):
        if kind is None:
            continue
        if kind.__class__ is str and kind != "sum":
            number = LEAF if kind == "leaf" else CONSTANT
            class_of[node] = number
            classes[number].members.append(node)
            continue
        columns: list[list[int]]
        if kind == "sum":
            groups: dict[tuple[int, ...], tuple[list[int], ...]] = {}
            for term in arguments:
                if len(term) == 2:
                    a, b = term
                    place = (class_of[a], class_of[b])
                    if place[0] > place[1]:
                        a, b, place = b, a, (place[1], place[0])
                    group = groups.get(place)
                    if group is None:
                        groups[place] = ([a], [b])
                    else:
                        group[0].append(a)
                        group[1].append(b)
                else:
                    place1 = (class_of[term[0]],)
                    group = groups.get(place1)
                    if group is None:
                        groups[place1] = ([term[0]],)
                    else:
                        group[0].append(term[0])
            ordered = sorted(groups.items())
            places = tuple((place, len(columns[0])) for place, columns in ordered)
            columns = [column for _, group in ordered for column in group]
        else:
            places = tuple(class_of[operand] for operand in arguments)
            columns = [[operand] for operand in arguments]
        key = (kind, places)
        number = numbers.get(key, -1)
        if number < 0:
            number = numbers[key] = len(classes)
            classes.append(_Class(kind, places, columns=[[] for _ in columns]))
        cls = classes[number]
        class_of[node] = number
        cls.members.append(node)
        for collected, column in zip(cls.columns, columns, strict=True):
            collected.extend(column)
    return classes


def _arrange(block: Block, cls: _Class, position: Index, result: list[Block]) -> None:
    """Choose the order of a block's members and its shape, and build its operands (still by node)."""
    size = block.size
    tables = [np.array(column, dtype=np.intp).reshape(size, -1) for column in cls.columns]
    cls.columns = []
    if cls.kind == "sum":
        sources: list[int] = []
        pairs: list[tuple[int, int]] = []
        for place, _ in cls.places:
            if len(place) == 2:
                pairs.append((len(sources), len(sources) + 1))
            sources.extend(place)
    else:
        sources = list(cls.places)
        pairs = [(0, 1)] if len(sources) == 2 else []
    order, shape = _order(tables, sources, pairs, position, result)
    block.members, block.shape = block.members[order], shape
    tables = [table[order] for table in tables]
    operands = [
        Operand(source, table.reshape(*shape, -1) if cls.kind == "sum" else table.reshape(shape))
        for source, table in zip(sources, tables, strict=True)
    ]
    if cls.kind != "sum":
        block.operands = operands
        return
    for place, _ in cls.places:
        sides = [operands.pop(0) for _ in place]
        group = Group(sides, sides[0].index.shape[-1])
        if group.terms == 1:
            for side in sides:
                side.index = side.index[..., 0]
        elif len(place) == 2:
            _recognise_product(group, shape)
        block.groups.append(group)


def _order(
    tables: list[Index], sources: list[int], pairs: list[tuple[int, int]], position: Index, result: list[Block]
) -> tuple[Index, tuple[int, ...]]:
    """Return an order of the members, and a shape, in which operands fall into place.

    If the rows of a pair of operands form a complete grid, it is that grid. Otherwise the members follow the
    positions of the operand that varies most, in the shape of its block if they exhaust that.
    """
    size = len(tables[0])
    if size == 1:
        return np.zeros(1, dtype=np.intp), ()
    rows = [_distinct_rows(table, source, position) for table, source in zip(tables, sources, strict=True)]
    for a, b in sorted(pairs, key=lambda pair: -tables[pair[0]].shape[1]):
        (rank_a, count_a), (rank_b, count_b) = rows[a], rows[b]
        if count_a * count_b != size or min(count_a, count_b) == 1:
            continue
        # Data runs down, weights across: the side that is computed, else the one with more rows, comes first.
        computed_a, computed_b = sources[a] > CONSTANT, sources[b] > CONSTANT
        swap = computed_b > computed_a or (computed_a == computed_b and count_b > count_a)
        key = rank_b * count_a + rank_a if swap else rank_a * count_b + rank_b
        if len(np.unique(key)) == size:
            return np.argsort(key, kind="stable"), (count_b, count_a) if swap else (count_a, count_b)
    best = max(range(len(rows)), key=lambda i: (rows[i][1], sources[i] > CONSTANT))
    order = np.lexsort((*(rank for rank, _ in rows), rows[best][0]))
    source = result[sources[best]]
    if rows[best][1] == size and tables[best].shape[1] == 1 and source.size == size and sources[best] > CONSTANT:
        return order, source.shape
    return order, (size,)


def _distinct_rows(table: Index, source: int, position: Index) -> tuple[Index, int]:
    """Return the rank of each member's row among the distinct rows, and how many there are.

    Rows of a computed block are ranked by position, rows of leaves and constants by first appearance.
    """
    row = table.dtype if table.shape[1] == 1 else np.dtype((np.void, table.dtype.itemsize * table.shape[1]))
    flat = np.ascontiguousarray(table).view(row).ravel()
    _, first, inverse = np.unique(flat, return_index=True, return_inverse=True)
    keys = position[table[first, 0]] if source > CONSTANT else first
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(keys, kind="stable")] = np.arange(len(first))
    return rank[inverse.ravel()], len(first)


def _recognise_product(group: Group, shape: tuple[int, ...]) -> None:
    """Mark a group as a matrix product if one side depends on the rows of the grid alone, the other on columns.

    A grid with one column is a matrix times a vector, with one member a dot product.
    """
    a, b = (operand.index for operand in group.operands)
    if len(shape) == 2:
        if (b == b[:, :1]).all() and (a == a[:1, :]).all():
            group.operands.reverse()
            a, b = b, a
        if not ((a == a[:, :1]).all() and (b == b[:1, :]).all()):
            return
        a, b = a[:, 0], b[0]
    elif len(shape) == 1:
        if (a == a[:1]).all():
            group.operands.reverse()
            a, b = b, a
        if not (b == b[:1]).all():
            return
        b = b[0]
    group.product = True
    group.operands[0].index, group.operands[1].index = a, b


def _place(block: Block, result: list[Block], position: Index, order: list[int] | None) -> None:
    """Give every leaf, or every constant, its position, by default so that matrices are in one piece each.

    What is used in more places comes first: weights before data, so that a penalty on all weights is a view.
    """
    if order is None:
        uses = np.zeros(len(position), dtype=np.intp)
        tables = []
        for other in result[2:]:
            for operand in other.references():
                if operand.block == block.number:
                    tables.append(operand.index)
                    uses[np.unique(operand.index)] += 1
        tables.sort(key=lambda table: (-uses[table.flat[0]], -(min(table.shape, default=1) > 1) * table.ndim))
        nodes = np.concatenate([*(table.ravel() for table in tables), block.members])
        _, first = np.unique(nodes, return_index=True)
        block.members = nodes[np.sort(first)]
    else:
        block.members = np.array(order, dtype=np.intp)
    block.shape = (block.size,)
    position[block.members] = np.arange(block.size)
