"""What can be fed to a program: its inputs and data, by position and by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import copysign
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.plan import Index
from autograd.locks import computed_once
from autograd.nested import Nested, flatten, matched, shape_of
from autograd.row import as_float, as_floats
from autograd.text import describe
from autograd.value import Value
from autograd.writing import assign

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

    def hold(self, numbers: Floats) -> None:
        """Put numbers into the array as if they had been read from the leaves."""
        self.numbers[:] = self._read[:] = numbers

    def read(self) -> None:
        """Read the leaves' numbers into the array, after what was written into it meanwhile went to them.

        Raises:
            RuntimeError: a leaf was assigned meanwhile, too; it keeps its number.
        """
        if not self.leaves:
            return
        if self.numbers.tobytes() != self._read.tobytes():
            try:
                self.write_changes()
            except RuntimeError:
                self.hold(self._read)
                raise
        self.hold(np.fromiter(map(_data, self.leaves), float, len(self.leaves)))

    def write(self, places: Sequence[int] | None = None) -> None:
        """Write the array's numbers to the leaves, or to those at some places, where they differ."""
        for place in range(len(self.leaves)) if places is None else places:
            number = float(self.numbers[place])
            if not same(self.leaves[place].data, number):
                self.leaves[place].data = number
            self._read[place] = number

    def assigned(self, since: int) -> list[Value]:
        """Return the leaves that were assigned since a time, though it were to the same number.

        An optimiser that steps by gradients which the program has not written yet assigns the same numbers.
        """
        return [leaf for leaf in self.leaves if leaf._time > since]

    def write_changes(self) -> None:
        """Write to the leaves the numbers that have changed in the array since they were read.

        Raises:
            RuntimeError: such a leaf was assigned meanwhile; nothing is written then.
        """
        changed = np.flatnonzero(self.numbers.view(np.int64) != self._read.view(np.int64)).tolist()
        for place in changed:
            leaf, before, after = self.leaves[place], float(self._read[place]), float(self.numbers[place])
            if not same(leaf.data, before) and not same(leaf.data, after):
                raise RuntimeError(
                    f"{describe(leaf)} has two writers: it was {before!r} when the program read it, became "
                    f"{after!r} in the program and was assigned {leaf.data!r} meanwhile; update it in one "
                    "place, or call sync() before the other writes"
                )
        assign([self.leaves[place] for place in changed], self.numbers[changed].tolist())
        self._read[:] = np.fromiter(map(_data, self.leaves), float, len(self.leaves))
        self.numbers[:] = self._read


def same(a: float, b: float) -> bool:
    """Tell whether two floats are the same, signed zeros and nan told apart from others."""
    return (a == b and (a != 0.0 or copysign(1.0, a) == copysign(1.0, b))) or (a != a and b != b)


@dataclass(frozen=True, eq=False)
class Field:
    """A part of a bank that is fed at once.

    Attributes:
        name: what errors call it.
        bank: where it is.
        places: the positions in the bank, in the shape in which numbers are fed.
        nest: the nesting in which numbers are fed, if that is no table; else None.
    """

    name: str
    bank: Bank
    places: Index
    nest: Nested | None = None

    @property
    def leaves(self) -> list[Value]:
        """The leaves that are fed, in the order of the numbers."""
        return [self.bank.leaves[place] for place in self.places.ravel().tolist()]

    def numbers(self, value: Any, leading: int = 0) -> Floats:
        """Return what is fed as an array of the field's shape, copied from the program's own arrays.

        Args:
            value: a number, or numbers nested as declared.
            leading: how many axes, of any length, stand before the field's own.

        Raises:
            TypeError: it is not numeric.
            ValueError: it has another shape.
            OverflowError: a number is beyond the range of doubles.
        """
        if self.nest is not None:
            return self._nested_numbers(value, leading)
        shape = self.places.shape
        try:
            array: Floats = as_floats(value, self.name)
        except (TypeError, ValueError):
            raise TypeError(f"{self.name} needs numbers of shape {shape}, got {value!r:.60}") from None
        if array.shape[leading:] != shape or array.ndim < leading:
            batch = "a batch of " if leading else ""
            raise ValueError(
                f"{self.name} has shape {shape}, but the value fed to it has {batch}shape {array.shape}"
            )
        return array.copy() if np.may_share_memory(array, self.bank.numbers) else array

    def _nested_numbers(self, value: Any, leading: int) -> Floats:
        try:
            if leading and isinstance(value, Mapping):
                return np.concatenate(self._columns(value, self.nest), axis=1)
            rows = value if leading else [value]
            found = [[as_float(number, self.name) for number in matched(row, self.nest)] for row in rows]
        except ValueError as error:
            raise ValueError(f"{self.name} is nested otherwise than the value fed to it: {error}") from None
        array = np.array(found, dtype=float).reshape(len(found), self.places.size)
        return array if leading else array[0]

    def _columns(self, value: Any, nest: Nested) -> list[Floats]:
        """Return a batch that is one dict with an array for all points at each key, in the nest's order."""
        if not isinstance(nest, Mapping):
            part = Field(self.name, self.bank, np.arange(len(flatten(nest)[0])).reshape(shape_of(nest)))
            array = part.numbers(value, leading=1)
            return [array.reshape(len(array), part.places.size)]
        if not isinstance(value, Mapping) or value.keys() != nest.keys():
            raise ValueError("the keys differ")
        return [column for key, part in nest.items() for column in self._columns(value[key], part)]

    @computed_once
    def flat(self) -> Index:
        """The positions in the bank, in a row."""
        return self.places.ravel()

    @computed_once
    def span(self) -> Index | slice:
        """The same as a slice, if they follow each other: NumPy copies into it many times as fast."""
        flat = self.flat
        if not flat.size or not (np.diff(flat) == 1).all():
            return flat
        return slice(int(flat[0]), int(flat[-1]) + 1)

    @computed_once
    def _view(self) -> Floats | None:
        """The part of the bank's array that is fed, if it is in one piece."""
        if not isinstance(self.span, slice):
            return None
        return self.bank.numbers[self.span].reshape(self.places.shape)

    def feed(self, array: Floats, *, leaves: bool) -> None:
        """Put an array into the bank, and into the leaves as well if ``leaves``."""
        if self._view is not None:
            self._view[...] = array
        else:
            self.bank.numbers[self.places] = array
        if leaves:
            self.bank.write(self.places.ravel().tolist())


class Fields:
    """Everything that can be fed.

    Args:
        parameters: the leaves that are differentiated by.
        data: the leaves that are not.
        inputs: how the user nested the former, or None.
        nest: how the user nested the latter, or None.
    """

    def __init__(self, parameters: Bank, data: Bank, inputs: Nested | None, nest: Nested | None) -> None:
        self._data = data
        self._apart: set[tuple[Field, ...]] = set()  # that have been found to have no leaf in common
        self._named: dict[str, Field | None] = {}
        for bank in (parameters, data):
            for place, leaf in enumerate(bank.leaves):
                if label := leaf.label:
                    field = Field(f"input {label!r}", bank, np.array(place, dtype=np.intp))
                    self._named[label] = None if label in self._named else field  # several have that name
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
        return [(field, field.numbers(value)) for field, value in self._fed(values, named)]

    def match_points(
        self, values: Sequence[Any], named: Mapping[str, Any]
    ) -> tuple[list[tuple[Field, Floats]], int]:
        """Return which data are fed what at each of many points, of shape (points, data), and their number.

        Raises:
            TypeError, ValueError, OverflowError: as of `match`.
        """
        feeds: list[tuple[Field, Floats]] = []
        counts: dict[int, str] = {}
        for field, value in self._fed(values, named):
            if field.bank is not self._data:
                raise TypeError(
                    f"{field.name} is no datum: parameters are the same for all points of a batch; list it "
                    "in data= of compile to feed it"
                )
            array = field.numbers(value, leading=1)
            counts.setdefault(len(array), field.name)
            feeds.append((field, array.reshape(len(array), field.places.size)))
        if len(counts) != 1 or 0 in counts:
            found = [f"{name} has {count:,}" for count, name in counts.items()]
            raise ValueError(
                "a batch needs the same number of points, at least 1, in all that is fed; "
                f"{', '.join(found) or 'nothing is fed'}"
            )
        return feeds, next(iter(counts))

    def _fed(self, values: Sequence[Any], named: Mapping[str, Any]) -> list[tuple[Field, Any]]:
        if len(values) > len(self._positional):
            remedy = "feed one value for each item" if self._positional else "feed them by label"
            raise TypeError(f"{len(values)} values for {len(self._positional)} inputs; {remedy}")
        feeds = list(zip(self._positional, values, strict=False))
        feeds += [(self._field(name), value) for name, value in named.items()]
        fields = tuple(field for field, _ in feeds)
        if fields not in self._apart:
            _refuse_repeats(fields)
            self._apart.add(fields)
        return feeds

    def _field(self, name: str) -> Field:
        if name not in self._named:
            known = ", ".join(sorted(map(repr, self._named)))
            raise TypeError(f"no input is named {name!r}; the names are: {known or 'none'}")
        field = self._named[name]
        if field is None:
            raise TypeError(f"several inputs are named {name!r}; feed them by position or give each a key")
        return field


def _refuse_repeats(fields: Sequence[Field]) -> None:
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
        values, rebuild = flatten(items[key])
        places = np.array([place[leaf] for leaf in values], dtype=np.intp)
        shape = shape_of(items[key])
        table = len(shape) != 1 or _is_row(items[key])
        nest = None if table else rebuild(range(len(values)))
        fields[key] = Field(f"input {key!r}", bank, places.reshape(shape), nest)
    return fields


def _is_row(item: Any) -> bool:
    """Tell whether a nest is a mere sequence of Values, and not a dict or a ragged nest of some."""
    return not isinstance(item, Mapping) and all(isinstance(value, Value) for value in item)
