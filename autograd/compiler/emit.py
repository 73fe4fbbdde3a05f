"""Blocks become a program: array statements for large blocks, plain float statements for small ones.

The forward pass computes every block from the blocks it reads; the reverse pass visits the blocks in reverse
and adds to the adjoints of what each has read. Local derivatives come from the rows of the operation table,
applied to expressions. The two operations known here by name are + and *, of which a matrix product is made.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler.flatten import Flat
from autograd.compiler.stores import Constants, Large, Leaves, Small, Store
from autograd.compiler.structure import CONSTANT, LEAF, Block, Group, Index, Operand
from autograd.compiler.symbols import Expression, Writer, as_float
from autograd.operation import Operation

SMALL = 48
"""Up to so many scalar operations a block is written as float statements.

A NumPy call costs as much as some 25 float statements, and the reverse pass needs two or three of them."""


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


def emit(flat: Flat, blocks: list[Block], outputs: list[tuple[int, int]]) -> Listing:
    """Write the program of a list of blocks.

    Args:
        flat: the graph, for its numbers.
        blocks: its blocks in order of computation; those of the leaves and the constants first.
        outputs: block and position of every output.
    """
    writer, found = Writer(), Counter[str]()
    numbers = [[flat.data[node] for node in block.members] for block in blocks[:2]]
    leaves = Leaves(blocks[LEAF], writer, found, numbers[LEAF])
    stores: list[Store] = [leaves, Constants(blocks[CONSTANT], writer, found, numbers[CONSTANT])]
    for block in blocks[2:]:
        small = block.size == 1 or _in_floats(block)
        stores.append((Small if small else Large)(block, writer, found))
    for block in blocks[2:]:
        if not _in_floats(block):
            for operand in block.references():
                stores[operand.block].prepare(operand.index)
    seeds = _by_block(outputs)
    for number, positions in seeds.items():
        stores[number].prepare(positions)
    for block in blocks[2:]:
        if _in_floats(block):
            _float_forward(block, stores)
        else:
            _array_forward(block, stores)
    results = ", ".join(stores[number].read_float(position).text for number, position in outputs)
    writer.write(f"outputs = ({results},)")
    forward, writer.lines = writer.lines, []
    if leaves.block.size:
        writer.write("gradients.fill(0.0)")
        leaves.reached = True
    for number, positions in seeds.items():
        stores[number].add(positions, Expression("1.0", writer, array=False))
    for block in reversed(blocks[2:]):
        stores[block.number].finish()
        if _in_floats(block):
            _float_reverse(block, stores)
        else:
            _array_reverse(block, stores)
    leaves.finish()
    return Listing(forward, writer.lines, writer.namespace, writer.descriptions, leaves, found)


def _in_floats(block: Block) -> bool:
    return block.work <= SMALL


def _by_block(outputs: list[tuple[int, int]]) -> dict[int, Index]:
    seeds: dict[int, list[int]] = {}
    for number, position in outputs:
        seeds.setdefault(number, []).append(position)
    return {number: np.array(positions, dtype=np.intp) for number, positions in seeds.items()}


# Array statements -------------------------------------------------------------------------------------------


def _array_forward(block: Block, stores: list[Store]) -> None:
    if isinstance(block.kind, Operation):
        value = as_float(block.kind(*(stores[operand.block].read(operand.index) for operand in block.operands)))
        stores[block.number].assign(value.text, f"{block.size} x {block.kind.name}")
    else:
        terms = [_group_forward(group, stores) for group in block.groups]
        stores[block.number].assign(" + ".join(terms), f"{block.size} x sum of {sum(g.terms for g in block.groups)}")


def _group_forward(group: Group, stores: list[Store]) -> str:
    sides = [stores[side.block].read(side.index) for side in group.operands]
    found = stores[0].found
    if group.product:
        a, b = sides
        matrices = group.operands[0].index.ndim == group.operands[1].index.ndim == 2
        found["matrix products" if matrices else "dot products"] += 1
        return f"{a.operand} @ {b.operand}{'.T' if matrices else ''}"
    product: Any = sides[0] if len(sides) == 1 else sides[0] * sides[1]
    if group.terms == 1:
        return str(product.text)
    found["reductions"] += 1
    return f"np.add.reduce({product.text}, -1)"


def _array_reverse(block: Block, stores: list[Store]) -> None:
    store = stores[block.number]
    upstream = store.read_adjoint()
    if isinstance(block.kind, Operation):
        operands = [stores[operand.block].read(operand.index) for operand in block.operands]
        value = store.read(np.arange(block.size, dtype=np.intp).reshape(block.shape))
        for operand, derivative in zip(block.operands, block.kind.derivatives, strict=True):
            if operand.block != CONSTANT:
                stores[operand.block].add(operand.index, _times(upstream, derivative(value, *operands)))
        return
    for group in block.groups:
        sides = group.operands
        read = [stores[side.block].read(side.index) for side in sides]
        if group.product:
            contributions = _product_reverse(upstream, sides, read)
        else:
            spread = upstream
            if group.terms > 1 and upstream.array:
                spread = Expression(f"{upstream.operand}[..., None]", store.writer, array=True, full=False)
            contributions = [spread] if len(read) == 1 else [spread * read[1], spread * read[0]]
        if len(sides) == 2 and sides[0].block == sides[1].block and np.array_equal(sides[0].index, sides[1].index):
            sides, contributions = sides[:1], [2.0 * contributions[0]]  # the square of a vector
        for side, contribution in zip(sides, contributions, strict=True):
            if side.block != CONSTANT:
                stores[side.block].add(side.index, contribution)


def _product_reverse(upstream: Expression, sides: list[Operand], read: list[Expression]) -> list[Expression]:
    """Return the adjoints of A and B in A @ B.T, where either may be a single row."""
    g, (a, b) = upstream, (expression.operand for expression in read)
    ranks = [side.index.ndim for side in sides]
    if ranks == [2, 2]:
        texts = [f"{g.operand} @ {b}", f"{g.operand}.T @ {a}"]
    elif ranks == [2, 1]:
        texts = [f"np.outer({g.text}, {b})", f"{g.operand} @ {a}"]
    else:
        texts = [f"{g.operand} * {b}", f"{g.operand} * {a}"]
    return [Expression(text, g.writer, array=True, atomic=False) for text in texts]


# Float statements -------------------------------------------------------------------------------------------


def _float_forward(block: Block, stores: list[Store]) -> None:
    store = stores[block.number]
    for member in range(block.size):
        if isinstance(block.kind, Operation):
            text = block.kind(*_floats(block.operands, member, stores)).text
        else:
            terms = [factors for group in block.groups for _, factors in _terms(block, group, member, stores)]
            text = " + ".join((a[0] * a[1]).text if len(a) == 2 else a[0].operand for a in terms)
        store.writer.assign(f"{store.value}_{member}", text)


def _float_reverse(block: Block, stores: list[Store]) -> None:
    for member in range(block.size):
        upstream = stores[block.number].read_adjoint_float(member)
        if isinstance(block.kind, Operation):
            operands = _floats(block.operands, member, stores)
            value = stores[block.number].read_float(member)
            for operand, derivative in zip(block.operands, block.kind.derivatives, strict=True):
                if operand.block != CONSTANT:
                    position = int(operand.index.ravel()[member])
                    contribution = _times(upstream, derivative(value, *operands))
                    stores[operand.block].add_float(position, contribution)
            continue
        for group in block.groups:
            for places, factors in _terms(block, group, member, stores):
                contributions = [upstream] if len(factors) == 1 else [upstream * factors[1], upstream * factors[0]]
                for operand, place, contribution in zip(group.operands, places, contributions, strict=True):
                    if operand.block != CONSTANT:
                        stores[operand.block].add_float(place, contribution)


def _floats(operands: list[Operand], member: int, stores: list[Store]) -> list[Expression]:
    return [stores[o.block].read_float(int(o.index.ravel()[member])) for o in operands]


def _terms(
    block: Block, group: Group, member: int, stores: list[Store]
) -> list[tuple[list[int], list[Expression]]]:
    """Return the terms of one member of a sum: the positions and the expressions of its one or two factors."""
    columns = [_row(operand.index, block, group, side, member) for side, operand in enumerate(group.operands)]
    return [
        (
            [int(place) for place in places],
            [stores[o.block].read_float(int(place)) for o, place in zip(group.operands, places, strict=True)],
        )
        for places in zip(*columns, strict=True)
    ]


def _row(index: Index, block: Block, group: Group, side: int, member: int) -> Index:
    """Return the positions of one member's terms in one operand."""
    if not group.product:
        return index.reshape(block.size, group.terms)[member]
    if index.ndim == 1:
        return index
    across = block.shape[1] if len(block.shape) == 2 else 1
    return index[member // across if side == 0 else member % across]


def _times(upstream: Expression, local: Any) -> Expression:
    """Return the contribution of one edge: adjoint times local derivative."""
    if isinstance(local, float):
        if local == 1.0:
            return upstream
        if local == -1.0:
            return -upstream
    return upstream * local
