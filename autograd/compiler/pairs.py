"""Sums over pairs of rows that tables name, by the product of all rows with all.

Attention multiplies each query with the keys before it, and adds up values by the weights: the pairs of rows
are half of all, and BLAS multiplies all of them faster than NumPy gathers half. In the terms of sparse linear
algebra these are a sampled product of two matrices, and the product of a sparse matrix with one.
"""

from dataclasses import dataclass
from textwrap import indent
from typing import TYPE_CHECKING

import numpy as np

from autograd.compiler.forms import Call, Tree
from autograd.compiler.plan import Index, Place
from autograd.compiler.spaces import Read

if TYPE_CHECKING:
    from autograd.compiler.arrays import Writer

FEWEST, SPARSEST = 64, 8
"""From so many pairs on, if there are at most so many times as many, all are multiplied."""


@dataclass
class Rows:
    """The rows that a table names.

    Attributes:
        read: where they are.
        which: for each entry of the table the number of its row.
        firsts: the addresses at which the rows begin.
        length: how many numbers a row has.
        step: the step between them.
    """

    read: Read
    which: Index
    firsts: Index
    length: int
    step: int

    def matrix(self, writer: "Writer") -> str:
        """Return the name of all rows as a matrix, gathered unless they are evenly spaced."""
        shape = len(self.firsts), self.length
        if self.is_even:
            strides = int(self.firsts[1] - self.firsts[0]) if shape[0] > 1 else 1, self.step
            return writer.lines.place(Place(self.read.memory, int(self.firsts[0]), strides), shape)
        rows = writer.lines.names.array("rows", shape, self.addresses.tobytes())
        table = writer.lines.table([self.addresses])
        writer.write_line(f'{self.read.memory}.take({table}, out={rows}, mode="clip")')
        return rows

    @property
    def is_even(self) -> bool:
        """Whether the rows are evenly spaced, so that they are a view."""
        return len(set(np.diff(self.firsts).tolist())) <= 1

    @property
    def addresses(self) -> Index:
        """The address of each number of each row."""
        return self.firsts[:, None] + self.step * np.arange(self.length)


def rows_of(writer: "Writer", tree: Tree, pairs: int, along: int) -> Rows | None:
    """Return the rows, along one axis, that a table over another names; None if it is another thing."""
    if not isinstance(tree, Read) or tree.table is None or tree.choice is not None:
        return None
    if tree.is_irregular(along) or not tree.strides[along] or not tree.is_irregular(pairs):
        return None
    (addresses,) = writer.addresses(tree, [pairs])
    firsts, which = np.unique(addresses, return_inverse=True)
    return Rows(tree, which.ravel(), firsts, writer.space.lengths[along], tree.strides[along])


def write_sampled(writer: "Writer", sides: tuple[Tree, Tree], pairs: int, along: int, out: str) -> bool:
    """Write the products of pairs of rows; tell whether they are that, and enough of all pairs."""
    left, right = (rows_of(writer, side, pairs, along) for side in sides)
    if left is None or right is None or not _pays(left, right):
        return False
    shape = len(left.firsts), len(right.firsts)
    table = writer.lines.table([left.which * shape[1] + right.which])
    everything = writer.lines.names.array("pairs", shape)
    writer.write_line(f"np.dot({left.matrix(writer)}, {right.matrix(writer)}.T, out={everything})")
    writer.write_line(f'{everything}.take({table}, out={out}, mode="clip")')
    return True


def write_spread(writer: "Writer", tree: Tree) -> bool:
    """Write an addition to rows of a factor times other rows, for pairs of them; tell whether that is it.

    A pair that there is not counts as 0 times a row, which is nan if that is not finite. Then it is done pair
    by pair after all.
    """
    target, space = writer.space.target, writer.space
    if not isinstance(tree, Call) or tree.function != "multiply" or len(writer.kept) != 2:
        return False
    if not space.adds or space.steps > 1 or space.ragged is not None or writer.sums:
        return False
    pairs, along = sorted(writer.kept, key=lambda axis: not target.is_irregular(axis))
    into = rows_of(writer, target, pairs, along)
    for factor, other in (tree.arguments, tree.arguments[::-1]):
        if not isinstance(factor, Read) or not factor.is_affine or writer.axes(factor) != {pairs}:
            continue
        rows = rows_of(writer, other, pairs, along)
        if into is None or rows is None or not _pays(into, rows):
            continue
        shape = len(into.firsts), len(rows.firsts)
        places = into.which * shape[1] + rows.which
        if len(np.unique(places)) < len(places):
            continue
        lines = writer.lines.lines
        first = len(lines)
        writer.scatter(tree)
        one_by_one = "\n".join(lines[first:])
        del lines[first:]
        weights = writer.lines.names.array("weights", (shape[0] * shape[1],), places.tobytes(), "zeros")
        sums = writer.lines.names.array("sums", (shape[0], into.length))
        numbers = writer.view(factor, [writer.dimension(factor, pairs)])
        writer.write_line(f"{weights}[{writer.lines.table([places])}] = {numbers}")
        writer.write_line(f"np.dot({weights}.reshape({shape}), {rows.matrix(writer)}, out={sums})")
        writer.write_line(f"if np.isfinite({sums}).all():")
        if into.is_even:
            place = into.matrix(writer)
            writer.write_line(f"    np.add({place}, {sums}, out={place})")
        else:
            writer.write_line(f"    {target.memory}[{writer.lines.table([into.addresses])}] += {sums}")
        writer.write_line("else:\n" + indent(one_by_one, "    "))
        return True
    return False


def _pays(left: Rows, right: Rows) -> bool:
    count = len(left.which)
    return count >= FEWEST and len(left.firsts) * len(right.firsts) <= SPARSEST * count
