"""Sums of products as products of matrices, recognised from the axes on which the factors depend."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autograd.compiler.forms import Call, Tree
from autograd.compiler.pairs import write_sampled
from autograd.compiler.spaces import Read

if TYPE_CHECKING:
    from autograd.compiler.arrays import Dimension, Result, Writer

TINY = 64
"""A matrix product of fewer multiplications is done element by element if there are many of them."""

LONG, FEW = 8, 128
"""Products of rows with rows are matrix products if these are as long, or as few; else by ``einsum``."""

SHORT = 128
"""Up to so many numbers NumPy adds up in a row, too: what is longer it divides, and rounds less."""

WIDEST, LARGEST = 1000, 200_000
"""Up to so long rows, and so many numbers, an outer product takes 0.2 to 0.6 of a multiplication's time."""


class Product:
    """A sum of products of two sides, each a product of factors.

    Kept axes on which both sides depend are a batch; those of one side alone are rows and columns.

    Args:
        writer: writes the statement.
        tree: what is summed.

    Attributes:
        contracts: whether it is such a sum; otherwise the terms have to be computed one by one.
    """

    def __init__(self, writer: "Writer", tree: Tree) -> None:
        self.writer = writer
        self.coefficient = 1.0
        self.scale: list[Tree] = []
        groups: dict[frozenset[int], list[Tree]] = {}
        for factor in self._factors(tree):
            groups.setdefault(writer.axes(factor), []).append(factor)
        self.contracts = self._divide(groups)

    def _factors(self, tree: Tree) -> list[Tree]:
        factors, rest = [], [tree]
        while rest:
            tree = rest.pop()
            if isinstance(tree, float):
                self.coefficient *= tree
            elif isinstance(tree, Call) and tree.function == "multiply":
                rest += reversed(tree.arguments)
            elif isinstance(tree, Call) and tree.function == "negative":
                self.coefficient = -self.coefficient
                rest += tree.arguments
            else:
                factors.append(tree)
        return factors

    def _divide(self, groups: dict[frozenset[int], list[Tree]]) -> bool:
        """Divide the factors into two sides; tell whether that is possible and pays."""
        writer = self.writer
        kept, sums = frozenset(writer.kept), frozenset(writer.sums)
        while len(groups) > 2:
            pairs = [(small, large) for small in groups for large in groups if small < large]
            if pairs:
                small, large = min(pairs, key=lambda pair: [writer.space.size(axes) for axes in pair])
                groups[large] += groups.pop(small)
                continue
            scales = [axes for axes in groups if axes <= kept]
            if not scales:
                return False
            self.scale += groups.pop(scales[0])
        parts = list(groups.items())
        if len(parts) == 1:
            axes, factors = parts[0]
            parts = [(axes, factors[:1]), (axes, factors[1:])]
        if any(not factors or not sums <= axes for axes, factors in parts):
            return False
        (left, a), (right, b) = parts
        self.sides = _product(a), _product(b)
        if any(not writer.axes(factor) <= left | right for factor in self.scale):
            return False
        self.batch = sorted(left & right & kept)
        self.rows, self.columns, self.sums = sorted(left - right), sorted(right - left), sorted(sums)
        if any(
            len(axes) > 1 and writer.space.ragged in axes for axes in (self.rows, self.columns, self.sums)
        ):
            return False
        size = writer.space.size
        many = size(self.batch) > 16 and (self.rows or self.columns)
        return not (many and size(self.rows) * size(self.columns) * size(self.sums) < TINY)

    def write(self, out: "Result | None", order: Sequence[int] | None) -> "Result":
        """Write the product, into a buffer if it cannot go where it should."""
        writer = self.writer
        for tree in (*self.sides, *self.scale):
            writer.count(tree)
        axes = [*self.batch, *self.rows, *self.columns]
        target = out
        if target is None or not self._is_matrix(target):
            target = writer.buffer([axis for axis in order if axis in axes] if order else axes)
        if not self._is_matrix(target):
            target = writer.buffer(axes)
        if not self._write_pairs(target):
            self._write_sums(target)
        writer.end_sum()
        place = writer.text(target)
        for factor in self.scale:
            writer.write_line(f"np.multiply({place}, {writer.text(writer.value(factor))}, out={place})")
        if self.coefficient != 1.0:
            writer.write_scaled(target, self.coefficient, target)
        return target if target is out else writer.moved(target, out)

    def _write_matrices(self, target: "Result") -> None:
        writer, read = self.writer, _place(target)
        (a, b), first, second = self.sides, self.rows, self.columns
        ends = [_merged(writer, read, first), _merged(writer, read, second)]
        batch = [writer.dimension(read, axis) for axis in self.batch]
        transposed = ends[0] is not None and ends[1] is not None and ends[0][1] < ends[1][1]
        if (
            transposed or not first
        ):  # the product's transpose, whose rows are in one piece; or a vector on the right
            a, b, first, second, ends = b, a, second, first, ends[::-1]
        dimensions = [end for end in ends if end is not None]
        if self.batch:
            dimensions = [end or (1, 1) for end in ends]
        left, right = self._matrix(a, first, self.sums), self._matrix(b, self.sums, second)
        out = writer.view(read, [*batch, *dimensions])
        # dot is the faster of the two, for whole arrays only; nothing times nothing it leaves undone.
        whole = not self.batch and writer.space.ragged is None and _is_contiguous(dimensions)
        writer.write_line(f"np.{'dot' if whole else 'matmul'}({left}, {right}, out={out})")

    def _write_sums(self, target: "Result") -> None:
        size = self.writer.space.size
        if self.rows or self.columns or (self.batch and (size(self.sums) >= LONG or size(self.batch) <= FEW)):
            self._write_matrices(target)
        elif self.batch:
            self._write_batch(target)
        else:
            self._write_dot(target)

    def _write_pairs(self, target: "Result") -> bool:
        writer = self.writer
        if self.rows or self.columns or len(self.batch) != 1 or len(self.sums) != 1:
            return False
        if writer.space.steps > 1 or writer.space.ragged is not None:
            return False
        (pairs,), (along,) = self.batch, self.sums
        out = writer.view(_place(target), [writer.dimension(_place(target), pairs)])
        return write_sampled(writer, self.sides, pairs, along, out)

    def _write_batch(self, target: "Result") -> None:
        writer = self.writer
        axes = [*self.batch, *self.sums]
        letters = {axis: chr(ord("a") + place) for place, axis in enumerate(axes)}
        form, kept = ("".join(letters[axis] for axis in some) for some in (axes, self.batch))
        sides = []
        for side in self.sides:
            read = _place(writer.placed(side))
            sides.append(writer.view(read, [writer.dimension(read, axis) for axis in axes]))
        read = _place(target)
        out = writer.view(read, [writer.dimension(read, axis) for axis in self.batch])
        writer.write_line(f'np.einsum("{form},{form}->{kept}", {", ".join(sides)}, out={out})')

    def _write_dot(self, target: "Result") -> None:
        left, right = (self._matrix(side, [], self.sums) for side in self.sides)
        name = "dot" if self.writer.space.ragged is None else "matmul"
        self.writer.write_line(f"np.{name}({left}, {right}, out={self.writer.view(_place(target), [])})")

    def _is_matrix(self, result: "Result") -> bool:
        """Tell whether rows and columns are one axis each, and one of them in one piece, as matmul wants."""
        if result.read is None:
            return False
        ends = [_merged(self.writer, result.read, axes) for axes in (self.rows, self.columns) if axes]
        if any(end is None for end in ends):
            return False
        return _is_straight(self.writer, [end for end in ends if end is not None])

    def _matrix(self, tree: Tree, first: list[int], second: list[int]) -> str:
        """Return the name of a side as a matrix, or as a vector; it is copied where it is none yet."""
        writer, groups = self.writer, [axes for axes in (first, second) if axes]
        order = [*self.batch, *first, *second]
        result = writer.placed(tree, order)
        ends = [_merged(writer, _place(result), axes) for axes in groups]
        if None in ends or not _is_straight(writer, [end for end in ends if end is not None]):
            result = writer.moved(result, writer.buffer(order))
            ends = [_merged(writer, _place(result), axes) for axes in groups]
        dimensions = [writer.dimension(_place(result), axis) for axis in self.batch]
        if self.batch and not first:
            dimensions.append((1, 1))
        dimensions += [end for end in ends if end is not None]
        if self.batch and not second:
            dimensions.append((1, 1))
        return writer.view(_place(result), dimensions)


def write_short_sum(writer: "Writer", numbers: "Result", target: "Result") -> bool:
    """Write a sum of a few numbers that lie evenly spaced, by BLAS, which begins sooner; tell whether."""
    if numbers.read is None or writer.space.ragged is not None:
        return False
    along = _merged(writer, numbers.read, writer.sums)
    if along is None or not 0 < along[0] <= SHORT:
        return False
    out = writer.view(_place(target), [])
    writer.write_line(f"np.dot({_ones(writer, along[0])}, {writer.view(numbers.read, [along])}, out={out})")
    return True


def write_sum_of_rows(writer: "Writer", rows: "Result", target: "Result") -> bool:
    """Write a sum over rows that lie one behind the other, by BLAS, which adds them faster; tell whether."""
    if rows.read is None or writer.space.ragged is not None:
        return False
    kept = sorted(rows.axes - frozenset(writer.sums))
    ends = [_merged(writer, rows.read, axes) for axes in (writer.sums, kept)]
    out = _merged(writer, _place(target), kept)
    if out is None or None in ends or not _is_straight(writer, [end for end in ends if end is not None]):
        return False
    (count, _), (_, step) = dimensions = [end for end in ends if end is not None]
    if step != 1:  # numbers in one piece NumPy adds fast, and with smaller rounding errors
        return False
    name = "dot" if _is_contiguous([out]) else "matmul"
    into = writer.view(_place(target), [out])
    ones, terms = _ones(writer, count), writer.view(rows.read, dimensions)
    writer.write_line(f"np.{name}({ones}, {terms}, out={into})")
    return True


def _ones(writer: "Writer", count: int) -> str:
    return writer.lines.names.array("ones", (count,), function="ones")


def write_outer(writer: "Writer", factors: "Sequence[Result | float]", target: "Result") -> bool:
    """Write a column times a row, by BLAS, which is faster as long as rows are short; tell whether."""
    if len(factors) != 2 or writer.space.ragged is not None or target.read is None:
        return False
    left, right = factors
    if isinstance(left, float) or isinstance(right, float) or left.read is None or right.read is None:
        return False
    order = sorted(target.axes, key=lambda axis: -_place(target).strides[axis])
    if order and order[0] in right.axes:
        left, right = right, left
    rows, columns = order[: len(left.axes)], order[len(left.axes) :]
    if not rows or not columns or left.axes != frozenset(rows) or right.axes != frozenset(columns):
        return False
    out = [_merged(writer, _place(target), axes) for axes in (rows, columns)]
    column, row = _merged(writer, _place(left), rows), _merged(writer, _place(right), columns)
    if None in out or column is None or row is None:
        return False
    dimensions = [end for end in out if end is not None]
    if not _is_contiguous(dimensions) or row[0] > WIDEST or column[0] * row[0] > LARGEST:
        return False
    factor, other = writer.view(_place(left), [column, (1, 1)]), writer.view(_place(right), [(1, 1), row])
    writer.write_line(f"np.dot({factor}, {other}, out={writer.view(_place(target), dimensions)})")
    return True


def _merged(writer: "Writer", read: Read, axes: Sequence[int]) -> "Dimension | None":
    """Return some axes as one, or None if they are not evenly spaced as one, or none."""
    if not axes:
        return None
    if len(axes) > 1 and writer.space.ragged in axes:
        return None
    length, stride = 1, read.strides[axes[-1]]
    for axis in reversed(axes):
        if read.strides[axis] != stride * length:
            return None
        length *= writer.space.lengths[axis]
    return writer.dimension(read, axes[0]) if len(axes) == 1 else (length, stride)


def _is_straight(writer: "Writer", ends: "Sequence[Dimension]") -> bool:
    if len(ends) < 2:
        return all(stride > 0 for _, stride in ends)
    (m, by_row), (n, by_column) = ends
    longest = max(writer.space.lengths, default=1)
    m, n = (longest if length < 0 else length for length in (m, n))
    return (by_column == 1 and by_row >= n) or (by_row == 1 and by_column >= m)


def _place(result: "Result") -> Read:
    assert result.read is not None  # as `Writer.placed` and `Writer.buffer` promise
    return result.read


def _product(factors: Sequence[Tree]) -> Tree:
    product = factors[0]
    for factor in factors[1:]:
        product = Call("multiply", (product, factor))
    return product


def _is_contiguous(dimensions: "Sequence[Dimension]") -> bool:
    step = 1
    for length, stride in reversed(dimensions):
        if stride != step or length < 0:
            return False
        step *= length
    return True
