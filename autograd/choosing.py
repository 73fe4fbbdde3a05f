"""Choosing by a number: the item that an index names."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from autograd.ops import where
from autograd.row import Operation, as_float
from autograd.value import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_ROW = (Mapping, str, bytes)
"""What has a length, but whose parts are no numbers."""


class Take(Operation):
    """The operation that takes one of so many items: its arguments are the index, then the items.

    Args:
        count: how many items.
    """

    def __init__(self, count: int) -> None:
        super().__init__(
            "take",
            lambda index, *items: items[int(index)],
            [lambda *_: 0.0, *map(_chosen, range(count))],
            arguments=("index", *(f"x{k}" for k in range(count))),
            selects=range(count + 1),
            definition=f"(x0, ..., x{count - 1})[index]",
            numpy=lambda np, index, *items: np.choose(np.asarray(index, dtype=int), items, mode="clip"),
        )

    def __reduce__(self) -> Any:
        """Pickle and copy by the number of items."""
        return taking, (self.arity - 1,)


def _chosen(k: int) -> Any:
    return lambda _z, index, *_items: where(index - float(k), 0.0, 1.0)


@cache
def taking(count: int) -> Take:
    """Return the operation that takes one of ``count`` items."""
    return Take(count)


def take(items: "Sequence[Any] | NDArray[Any]", index: Any) -> Any:
    """Return the item that a number names: an embedding's row, the score of a class, a table's entry.

    With a plain number it is ``items[index]``. With a Value the choice is part of the graph: a compiled
    program chooses anew at each run, if the index is among its ``data=``. The index has derivative 0.

    Args:
        items: Values or numbers, or rows of as many of them each.
        index: a whole number from 0 to ``len(items) - 1``.

    Returns:
        The item, or the list of a row's elements.

    Raises:
        IndexError: the index is no whole number, or there is no such item.
        ValueError: there are no items, or rows of different lengths.
        TypeError: the index is no number, or the items are in a dict or text, or are such.

    Example:
        >>> from autograd import Value
        >>> import autograd
        >>> scores, label = [Value(1.0), Value(5.0), Value(2.0)], Value(1.0)
        >>> chosen = take(scores, label)
        >>> chosen.data
        5.0
        >>> program = autograd.compile(chosen * 2, inputs=scores, data={"label": label})
        >>> program(label=2), program.gradients.tolist()
        (4.0, [0.0, 0.0, 2.0])
    """
    if isinstance(items, NO_ROW) or any(isinstance(item, NO_ROW) for item in items):
        raise TypeError(
            "take chooses among Values, numbers, or rows of them in lists, tuples or arrays, not dicts or "
            "texts; take from the items of each key by itself"
        )
    if not len(items):
        raise ValueError("take needs at least one item")
    number = index.data if isinstance(index, Value) else as_float(index, "take(items, index)")
    check_index(number, len(items), "the index of take")
    if not isinstance(index, Value):
        return items[int(number)]
    lengths = {None if isinstance(item, Value) else _length(item) for item in items}
    if lengths != {None}:
        if len(lengths) > 1:
            found = sorted("a number" if length is None else str(length) for length in lengths)
            raise ValueError(
                f"take needs rows of one length, got {', '.join(found)}; "
                "pad the short ones, or take from each column by itself"
            )
        return [take(column, index) for column in zip(*items, strict=True)]
    return taking(len(items))(index, *items)


def _length(item: Any) -> int | None:
    """Return the length of a row, None of a number; an array without dimensions is a number."""
    return len(item) if getattr(item, "shape", True) and hasattr(item, "__len__") else None


def check_index(number: float, count: int, name: str) -> None:
    """Refuse a number that names none of ``count`` items.

    Raises:
        IndexError: naming the number and where it was given.
    """
    if not (number % 1 == 0 and 0 <= number < count):
        raise IndexError(f"{name} must be a whole number from 0 to {count - 1}, but is {number:g}")
