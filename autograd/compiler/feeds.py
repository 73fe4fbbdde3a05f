"""What can be fed to a program: its inputs and data, by position and by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import copysign
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.plan import Index
from autograd.nested import Nested, flatten, shape_of
from autograd.row import as_float
from autograd.value import Value

Floats = NDArray[np.float64]

_data = attrgetter("_data")


class Bank:
    """Leaves, and the array that holds their numbers while the program runs.

    Args:
        leaves: the leaves.
        numbers: of shape (leaves,).
    """

    def __init__(self, leaves: tuple[Value, ...], numbers: Floats) -> None:
        self.leaves, self.numbers = leaves, numbers
        self._read = numbers.copy()  # what the leaves held when they were read last

    def read(self) -> None:
        """Read the leaves' numbers into the array."""
        self.numbers[:] = np.fromiter(map(_data, self.leaves), float, len(self.leaves))
        self._read[:] = self.numbers

    def write(self) -> None:
        """Write the array's numbers to the leaves, where they differ."""
        for leaf, number in zip(self.leaves, self.numbers.tolist(), strict=True):
            if not _same(leaf.data, number):
                leaf.data = number
        self._read[:] = self.numbers

    def assigned(self) -> list[Value]:
        """Return the leaves whose numbers are others than when they were read."""
        pairs = zip(self.leaves, self._read.tolist(), strict=True)
        return [leaf for leaf, number in pairs if not _same(leaf.data, number)]

    def write_changes(self) -> None:
        """Write to the leaves the numbers that have changed in the array since they were read.

        Raises:
            RuntimeError: such a leaf was assigned meanwhile; nothing is written then.
        """
        changed = np.flatnonzero(self.numbers.view(np.int64) != self._read.view(np.int64)).tolist()
        for place in changed:
            leaf, before, after = self.leaves[place], float(self._read[place]), float(self.numbers[place])
            if not _same(leaf.data, before) and not _same(leaf.data, after):
                raise RuntimeError(
                    f"{describe(leaf)} has two writers: it was {before!r} when the program read it, became "
                    f"{after!r} in the program and was assigned {leaf.data!r} meanwhile; update it in one "
                    "place, or call sync() before the other writes"
                )
        for place in changed:
            self.leaves[place].data = float(self.numbers[place])
        self._read[:] = np.fromiter(map(_data, self.leaves), float, len(self.leaves))
        self.numbers[:] = self._read


def _same(a: float, b: float) -> bool:
    """Tell whether two floats are the same, signed zeros and nan told apart from others."""
    return (a == b and (a != 0.0 or copysign(1.0, a) == copysign(1.0, b))) or (a != a and b != b)


@dataclass(frozen=True)
class Field:
    """A part of a bank that is fed at once.

    Attributes:
        name: what errors call it.
        bank: where it is.
        places: the positions in the bank, in the shape in which numbers are fed.
    """

    name: str
    bank: Bank
    places: Index

    def numbers(self, value: Any) -> Floats:
        """Return what is fed as an array of the field's shape.

        Raises:
            TypeError: it is not numeric.
            ValueError: it has another shape.
            OverflowError: a number is beyond the range of doubles.
        """
        shape = self.places.shape
        try:
            array = np.asarray(value)
            if array.dtype.kind not in "biuf":  # NumPy would read "1" as 1.0 and None as nan
                numbers = [as_float(number, self.name) for number in array.ravel().tolist()]
                array = np.array(numbers, dtype=float).reshape(array.shape)
        except (TypeError, ValueError):
            raise TypeError(f"{self.name} needs numbers of shape {shape}, got {value!r:.60}") from None
        if array.shape != shape:
            raise ValueError(
                f"{self.name} has shape {shape}, but the value fed to it has shape {array.shape}"
            )
        return array

    @cached_property
    def _view(self) -> Floats | None:
        """The part of the bank's array that is fed, if it is in one piece."""
        flat = self.places.ravel()
        if not flat.size or not (np.diff(flat) == 1).all():
            return None
        return self.bank.numbers[flat[0] : flat[-1] + 1].reshape(self.places.shape)

    def feed(self, array: Floats, *, leaves: bool) -> None:
        """Put an array into the bank, and into the leaves as well if ``leaves``."""
        if self._view is not None:
            self._view[...] = array
        else:
            self.bank.numbers[self.places] = array
        if leaves:
            for place, number in zip(self.places.ravel().tolist(), array.ravel().tolist(), strict=True):
                self.bank.leaves[place].data = number


class Fields:
    """Everything that can be fed.

    Args:
        parameters: the leaves that are differentiated by.
        data: the leaves that are not.
        inputs: how the user nested the former, or None.
        nest: how the user nested the latter, or None.
    """

    def __init__(self, parameters: Bank, data: Bank, inputs: Nested | None, nest: Nested | None) -> None:
        self._named: dict[str, Field | None] = {}
        for bank in (parameters, data):
            for place, leaf in enumerate(bank.leaves):
                field = Field(f"input {leaf.label!r}", bank, np.array(place, dtype=np.intp))
                if leaf.label:  # None marks a name that several have
                    self._named[leaf.label] = None if leaf.label in self._named else field
        by_key = [_items(parameters, inputs), _items(data, nest)]
        self._positional = list((by_key[1] or by_key[0]).values())
        for fields in by_key:
            self._named.update({key: field for key, field in fields.items() if isinstance(key, str)})
        ambiguous = by_key[0].keys() & by_key[1].keys()
        self._named.update({key: None for key in ambiguous if isinstance(key, str)})

    def match(self, values: Sequence[Any], named: Mapping[str, Any]) -> list[tuple[Field, Floats]]:
        """Return what is fed where; nothing is changed yet.

        Raises:
            TypeError: an unknown or ambiguous name, too many values, a leaf fed twice, or no number.
            ValueError: a value of another shape than its field.
            OverflowError: a number is beyond the range of doubles.
        """
        if len(values) > len(self._positional):
            remedy = "feed one value for each item" if self._positional else "feed them by label"
            raise TypeError(f"{len(values)} values for {len(self._positional)} inputs; {remedy}")
        feeds = list(zip(self._positional, values, strict=False))
        feeds += [(self._field(name), value) for name, value in named.items()]
        _refuse_repeats([field for field, _ in feeds])
        return [(field, field.numbers(value)) for field, value in feeds]

    def _field(self, name: str) -> Field:
        if name not in self._named:
            known = ", ".join(sorted(map(repr, self._named)))
            raise TypeError(f"no input is named {name!r}; the names are: {known or 'none'}")
        field = self._named[name]
        if field is None:
            raise TypeError(f"several inputs are named {name!r}; feed them by position or give each a key")
        return field


def _refuse_repeats(fields: list[Field]) -> None:
    """Refuse a leaf that is fed twice: as an item twice, or as an item and by its label."""
    items = {id(field) for field in fields if field.places.ndim}  # which are disjoint
    if len(items) == len(fields):
        return
    fed: set[Value] = set()
    for field in fields:
        leaves = {field.bank.leaves[place] for place in field.places.ravel().tolist()}
        if not fed.isdisjoint(leaves):
            raise TypeError(f"{field.name} is fed twice; give each number once, by position or by name")
        fed |= leaves


def _items(bank: Bank, nest: Nested | None) -> dict[str | int, Field]:
    """Return the items of a nest as fields, by key or position; a nest of one item is that item."""
    if nest is None:
        return {}
    items: Any = nest if isinstance(nest, (list, tuple, Mapping)) else [nest]
    keys = list(items) if isinstance(items, Mapping) else range(len(items))
    place = {leaf: i for i, leaf in enumerate(bank.leaves)}
    fields: dict[str | int, Field] = {}
    for key in keys:
        places = np.array([place[leaf] for leaf in flatten(items[key])[0]], dtype=np.intp)
        fields[key] = Field(f"input {key!r}", bank, places.reshape(shape_of(items[key])))
    return fields
