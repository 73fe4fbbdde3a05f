"""Scalar statements become blocks: the same computation on other data is one block.

Every node gets a structural class: its kind and the classes of its operands, where all leaves are one class
and all constants another. The members of a class are one block, an array; operands are index arrays into
other blocks. If the two sides of a sum's products pair every distinct row of one index array with every
distinct row of the other, the sum is a matrix product, and the members are put in the order in which its
result comes out. A chain of classes that applies one operation over and over is one block, a fold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.flat import Flat
from autograd.row import Operation

Index = NDArray[np.intp]

LEAF, CONSTANT, DATA, FLOAT = range(4)
GIVEN = ("leaf", "constant", "data", "float")  # the kinds of the blocks of these numbers

SMALL = 40
"""A class of up to so many scalar operations (of a sum: to each group of terms) is computed as floats.

A NumPy call costs as much as some 25 float statements, and the reverse pass needs two or three of them."""


@dataclass
class Operand:
    """One operand of a block: which element of which block each member reads.

    Attributes:
        block: the number of the block that is read.
        index: positions in that block; the member's axes come first, a sum's terms last.
        active: whether what is read has an adjoint.
    """

    block: int
    index: Index
    active: bool


@dataclass
class Group:
    """Terms of a sum that have the same structure: single nodes, or products of two.

    Attributes:
        operands: one operand or two, with indices of shape (block's shape, terms); without the last axis if
            there is one term; of a matrix product each side's distinct rows, of shape (rows, terms) or
            (terms,).
        terms: how many terms of this structure each member adds.
        product: whether it is a matrix product.
    """

    operands: list[Operand]
    terms: int
    product: bool = False


@dataclass
class Block:
    """All nodes of one structural class, computed by one array statement.

    Attributes:
        number: which block it is.
        kind: an ``Operation`` or ``"sum"``, or one of ``GIVEN`` for the first three blocks.
        members: the nodes, in the order in which the array holds them.
        shape: the array's shape.
        operands: of an operation.
        groups: of a sum.
        fold: whether the operation is applied over and over, as in maximum(maximum(a, b), c): its one operand
            has the arguments along the last axis.
    """

    number: int
    kind: Operation | str
    members: Index
    shape: tuple[int, ...] = ()
    operands: list[Operand] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    fold: bool = False

    @property
    def size(self) -> int:
        """The number of members."""
        return len(self.members)

    def references(self) -> list[Operand]:
        """Every operand, those of all groups of a sum included."""
        return self.operands + [operand for group in self.groups for operand in group.operands]


@dataclass
class Layout:
    """Where every node of a graph is computed and held.

    Attributes:
        blocks: leaves, constants, the nodes held as floats, and the arrays.
        schedule: what to compute, in order: an array's block, or a list of nodes to be computed as floats.
        block_of: the block that holds a node.
        position: the place of a node in its block.
    """

    blocks: list[Block]
    schedule: list[Block | list[int]]
    block_of: list[int]
    position: list[int]


def lay_out(flat: Flat, leaf_order: list[int] | None, data_order: list[int]) -> Layout:
    """Find the blocks of a flattened graph, and give every node a place.

    Args:
        flat: the graph.
        leaf_order: the leaves in the order in which their array is to hold them; None to choose the order
            that makes most operands contiguous.
        data_order: the same for the data.
    """
    class_of, work = _classify(flat)
    members: list[list[int]] = [[] for _ in work]
    for node, number in enumerate(class_of):
        if number >= 0:
            members[number].append(node)
    position = np.full(len(class_of), -1, dtype=np.intp)
    block_of = np.full(len(class_of), -1, dtype=np.intp)
    blocks = [Block(n, kind, np.array(members[n], dtype=np.intp)) for n, kind in enumerate(GIVEN)]
    for block in blocks:
        block_of[block.members] = block.number
    floats: list[int] = []
    schedule: list[Block | list[int]] = []
    folded, folds = _find_folds(flat, class_of, members)
    for number in range(len(GIVEN), len(work)):
        if number in folded:
            continue
        nodes = members[number]
        small = work[number] <= SMALL
        if small or len(nodes) == 1:
            for place, node in enumerate(nodes, len(floats)):
                position[node], block_of[node] = place, FLOAT
            floats += nodes
        if small:
            if not schedule or isinstance(schedule[-1], Block):
                schedule.append([])
            schedule[-1] += nodes  # type: ignore[operator]  # it is a list
            continue
        block = Block(len(blocks), flat.kinds[nodes[0]], np.array(nodes, dtype=np.intp))
        block.fold = number in folds
        tables = [[folds[number]]] if block.fold else _columns(flat, block.members, class_of)
        _arrange(block, tables, flat, position, block_of, blocks)
        if block.size > 1:
            position[block.members], block_of[block.members] = np.arange(block.size), block.number
        blocks.append(block)
        schedule.append(block)
    blocks[FLOAT].members = np.array(floats, dtype=np.intp)
    _place(blocks[LEAF], blocks, position, leaf_order)
    _place(blocks[CONSTANT], blocks, position, None)
    _place(blocks[DATA], blocks, position, data_order)
    for block in blocks[len(GIVEN) :]:
        _resolve(block, position)
    return Layout(blocks, schedule, block_of.tolist(), position.tolist())


def _classify(flat: Flat) -> tuple[list[int], list[float]]:
    """Return the class of every node, and for each class how many scalar operations a NumPy call would do.

    Classes are in topological order; the first three are those of the given blocks.
    """
    numbers: dict[Any, int] = {kind: number for number, kind in enumerate(GIVEN)}
    work = [0.0] * len(GIVEN)
    class_of = [-1] * len(flat.kinds)
    for node, (kind, arguments) in enumerate(zip(flat.kinds, flat.arguments, strict=True)):
        if kind is None:
            continue
        cost = 1.0
        key: Any
        if kind == "sum":
            places: dict[tuple[int, ...], int] = {}
            for term in arguments:
                place = _place_of(term, class_of)
                places[place] = places.get(place, 0) + 1
                cost += len(term)
            cost /= max(len(places), 1)
            key = tuple(sorted(places.items()))
        else:
            key = (kind, *[class_of[operand] for operand in arguments]) if arguments else kind
        number = numbers.setdefault(key, len(work))
        if number == len(work):
            work.append(0.0)
        work[number] += cost
        class_of[node] = number
    return class_of, work


def _find_folds(
    flat: Flat, class_of: list[int], members: list[list[int]]
) -> tuple[set[int], dict[int, Index]]:
    """Find classes that apply one operation to the result of the class before and to more of the same class.

    Returns:
        The classes that became part of another; and for each class that is the end of such a chain, its
        arguments, of shape (members, arguments).
    """
    links: dict[int, int] = {}  # for each class that may continue a chain, the class that it would continue
    for number, nodes in enumerate(members[len(GIVEN) :], len(GIVEN)):
        kind = flat.kinds[nodes[0]]
        if len(nodes) > SMALL and isinstance(kind, Operation) and kind.accumulates:
            first = flat.arguments[nodes[0]][0]
            if flat.kinds[first] is kind and len(members[class_of[first]]) == len(nodes):
                links[number] = class_of[first]
    if not links:
        return set(), {}
    uses = flat.uses()
    before: dict[int, int] = {}
    for number, earlier in links.items():
        same = len({class_of[flat.arguments[members[n][0]][1]] for n in (number, earlier)}) == 1
        if same and all(uses[node] == 1 for node in members[earlier]):
            before[number] = earlier
    folded: set[int] = set()
    folds: dict[int, Index] = {}
    for last in sorted(set(before) - set(before.values()), reverse=True):
        chain = [last]
        while chain[-1] in before:
            chain.append(before[chain[-1]])
        columns = []
        nodes = members[last]
        for _ in chain:
            columns.append([flat.arguments[node][1] for node in nodes])
            nodes = [flat.arguments[node][0] for node in nodes]
        if class_of[nodes[0]] == class_of[columns[0][0]] and len(chain) >= SHORTEST_FOLD:
            folded.update(chain[1:])
            folds[last] = np.array([nodes, *reversed(columns)], dtype=np.intp).T
    return folded, folds


SHORTEST_FOLD = 3
"""Fewer operations in a chain than this stay statements of their own."""


def _place_of(term: tuple[int, ...], class_of: Sequence[int]) -> tuple[int, ...]:
    """Return the classes of a term's factors, in ascending order because products commute."""
    if len(term) == 1:
        return (class_of[term[0]],)
    a, b = class_of[term[0]], class_of[term[1]]
    return (a, b) if a <= b else (b, a)


def _columns(flat: Flat, nodes: Index, class_of: Sequence[int]) -> list[list[Index]]:
    """Return, for each place of a class, one table of operand nodes per factor, of shape (members, terms)."""
    if flat.kinds[nodes[0]] != "sum":
        table = np.array([flat.arguments[node] for node in nodes], dtype=np.intp)
        return [[table[:, [i]]] for i in range(table.shape[1])]
    collected: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for node in nodes:
        for term in flat.arguments[node]:
            swap = len(term) == 2 and class_of[term[0]] > class_of[term[1]]
            collected.setdefault(_place_of(term, class_of), []).append(term[::-1] if swap else term)
    tables = []
    for place in sorted(collected):
        terms = np.array(collected[place], dtype=np.intp).reshape(len(nodes), -1, len(place))
        tables.append([terms[:, :, factor] for factor in range(len(place))])
    return tables


def _arrange(
    block: Block,
    places: list[list[Index]],
    flat: Flat,
    position: Index,
    block_of: Index,
    blocks: list[Block],
) -> None:
    """Choose the order of a block's members and its shape, and build its operands (still by node).

    Args:
        block: its members in any order.
        places: for each operand, or group of terms, a table of nodes per factor, of shape (members, terms).
        flat: the graph.
        position: the place of every node that has one, in its block.
        block_of: that block.
        blocks: the blocks so far.
    """
    tables = [table for place in places for table in place]
    sources = [int(block_of[table.flat[0]]) for table in tables]
    if block.kind == "sum":
        starts = np.cumsum([0] + [len(place) for place in places]).tolist()
        pairs = [(start, start + 1) for start, place in zip(starts, places, strict=False) if len(place) == 2]
    else:
        pairs = [(0, 1)] if len(tables) == 2 else []
    order, block.shape = _order(tables, sources, pairs, position, blocks)
    block.members = block.members[order]
    operands = [
        Operand(
            source, np.ascontiguousarray(table[order]).reshape(*block.shape, -1), flat.active[table.flat[0]]
        )
        for source, table in zip(sources, tables, strict=True)
    ]
    for place in places if block.kind == "sum" else []:
        sides = [operands.pop(0) for _ in place]
        group = Group(sides, sides[0].index.shape[-1])
        if group.terms == 1:
            _drop_last_axis(sides)
        elif len(place) == 2:
            _recognise_product(group, block.shape)
        block.groups.append(group)
    if not block.fold:
        _drop_last_axis(operands)
    block.operands = operands


def _drop_last_axis(operands: list[Operand]) -> None:
    for operand in operands:
        operand.index = operand.index[..., 0]


def _resolve(block: Block, position: Index) -> None:
    """Turn a block's operands from nodes to positions."""
    for operand in block.references():
        operand.index = position[operand.index]
    for group in block.groups:
        if block.size == 1 and group.terms > 1:  # the order of a lone sum's terms is free
            ascending = np.argsort(group.operands[0].index, kind="stable")
            for operand in group.operands:
                operand.index = operand.index[ascending]


def _order(
    tables: list[Index],
    sources: list[int],
    pairs: list[tuple[int, int]],
    position: Index,
    blocks: list[Block],
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
        computed_a, computed_b = sources[a] > DATA, sources[b] > DATA
        swap = computed_b > computed_a or (computed_a == computed_b and count_b > count_a)
        key = rank_b * count_a + rank_a if swap else rank_a * count_b + rank_b
        if len(np.unique(key)) == size:
            return np.argsort(key, kind="stable"), (count_b, count_a) if swap else (count_a, count_b)
    best = max(range(len(rows)), key=lambda i: (rows[i][1], sources[i] > DATA))
    order = np.lexsort((*(rank for rank, _ in rows), rows[best][0]))
    source = blocks[sources[best]]
    if rows[best][1] == size and tables[best].shape[1] == 1 and source.size == size and sources[best] > FLOAT:
        return order, source.shape
    return order, (size,)


def _distinct_rows(table: Index, source: int, position: Index) -> tuple[Index, int]:
    """Return the rank of each member's row among the distinct rows, and how many there are.

    Rows of a computed block are ranked by position, rows of leaves and constants by first appearance.
    """
    row = table.dtype if table.shape[1] == 1 else np.dtype((np.void, table.dtype.itemsize * table.shape[1]))
    flat = np.ascontiguousarray(table).view(row).ravel()
    _, first, inverse = np.unique(flat, return_index=True, return_inverse=True)
    keys = position[table[first, 0]] if source > DATA else first
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(keys, kind="stable")] = np.arange(len(first))
    return rank[inverse.ravel()], len(first)


def _recognise_product(group: Group, shape: tuple[int, ...]) -> None:
    """Mark a group as a matrix product if one side depends on the grid's rows, the other on its columns.

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


def _place(block: Block, blocks: list[Block], position: Index, order: list[int] | None) -> None:
    """Give every leaf, or every constant, its position, by default so that matrices are in one piece each.

    What is used in more places comes first: weights before data, so that a penalty on all weights is a view.
    """
    if order is None:
        uses = np.zeros(len(position), dtype=np.intp)
        tables = []
        for other in blocks[FLOAT + 1 :]:
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
