"""What the text of a NumPy program refers to by name: views, tables, buffers and functions.

Each is made once, before the program runs, and can be written down, so that the text together with these
definitions is a program of its own.
"""

import base64
import math
import re
import zlib
from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from autograd import ops
from autograd.compiler.plan import Array, Index, Region
from autograd.row import Operation


def view(memory: Array, start: int, shape: Sequence[int], strides: Sequence[int]) -> Array:
    """Return cells of a memory, from an address on, as an array."""
    start = 0 if 0 in shape else 8 * start
    return np.ndarray(shape, memory.dtype, memory, start, [8 * stride for stride in strides])


def packed(text: str, kind: str) -> Any:
    """Return the array that was written as `text`."""
    return np.frombuffer(zlib.decompress(base64.b85decode(text)), kind).copy()


def written(array: Any) -> str:
    """Return a flat array as an expression, compressed if it is long."""
    if len(array) <= SHORT:
        return f"np.array({array.tolist()}, {'float' if array.dtype == float else 'np.intp'})"
    if array.dtype != float:
        steps = np.diff(array)
        if (steps == steps[0]).all():
            stop = int(array[-1]) + (1 if steps[0] > 0 else -1)
            if steps[0]:
                return f"np.arange({array[0]}, {stop}, {steps[0]})"
            return f"np.full({len(array)}, {array[0]})"
    kind = "<f8" if array.dtype == float else "<i8"
    data = base64.b85encode(zlib.compress(array.astype(kind).tobytes(), 9)).decode()
    return f"packed({data!r}, {kind!r})"


def identifier(operation: Operation) -> str:
    """Return a name for a row; a user's may be called anything, ``<lambda>`` and ``np`` included."""
    if ops.TABLE.get(operation.name) is operation:
        return operation.name
    return "op_" + re.sub(r"\W", "_", operation.name, flags=re.ASCII)


SHORT = 24
"""So many numbers are still written as such."""


class Names:
    """Names for the things that a program uses.

    Args:
        regions: what parts of the memory are called.

    Attributes:
        things: what is called so, once it is made.
        scratch: how many cells the memory ``s`` has, for temporaries of one statement.
        invariants: how many cells the memory ``h`` has, for what loops read and do not change.
    """

    def __init__(self, regions: Sequence[Region] = ()) -> None:
        self.things: dict[str, Any] = {}
        self.scratch = 0
        self.invariants = 0
        self._texts: dict[str, Callable[[], str]] = {}
        self._makers: dict[str, Callable[[], Any]] = {}
        self._known: dict[Hashable, str] = {}
        self._counts: dict[str, int] = {}
        named = [region for region in regions if re.match(r"[^\W\d]", region.name, flags=re.ASCII)]
        self._starts = [region.start for region in named]
        self._stops = [region.start + math.prod(region.shape) for region in named]
        self._prefixes = [re.sub(r"\W", "_", region.name, flags=re.ASCII) + "_" for region in named]

    def bind(self, prefix: str, key: Hashable, make: Callable[[], Any], text: Callable[[], str]) -> str:
        """Return the name of a thing, the same for the same key.

        Args:
            prefix: what the name begins with.
            key: what tells the thing from others.
            make: makes it.
            text: returns the expression that makes it.
        """
        key = (prefix, key)
        if key not in self._known:
            self._known[key] = self._define(self.fresh(prefix), make, text)
        return self._known[key]

    def _define(self, name: str, make: Callable[[], Any], text: Callable[[], str]) -> str:
        self._makers[name], self._texts[name] = make, text
        return name

    def number(self, number: float) -> str:
        """Return the name of a number as an array without axes, which NumPy need not make of a float anew.

        A short number is called what it is: 0.5 is ``c0p5``, -1.0 is ``cm1``.
        """
        text, short = repr(number), f"{number:g}"
        if text not in self._known:
            spelled = "c" + short.replace("-", "m").replace("+", "").replace(".", "p")
            name = spelled if repr(float(short)) == text else self.fresh("number")
            self._known[text] = self._define(name, lambda: np.array(number), lambda: f"np.array({text})")
        return self._known[text]

    def fresh(self, prefix: str) -> str:
        """Return a name that is not used yet."""
        count = self._counts[prefix] = self._counts.get(prefix, 0) + 1
        return f"{prefix}{count}"

    def prefix(self, memory: str, address: int) -> str:
        """Return what the name of a view that begins at an address begins with."""
        place = bisect_right(self._starts, address) - 1
        if memory == "s":
            return "t"
        if memory == "h" or place < 0 or address >= self._stops[place]:
            return memory
        return f"{'d' if memory == 'd' else ''}{self._prefixes[place]}"

    def make(self, memories: dict[str, Array]) -> dict[str, Any]:
        """Return everything that has a name, made on some memories; those for temporaries are added."""
        self.things = {**memories, "s": np.empty(self.scratch), "h": np.empty(self.invariants)}
        for name, maker in self._makers.items():
            self.things[name] = maker()
        return self.things

    def definitions(self) -> list[str]:
        """Return the lines that make everything that has a name."""
        memories = [(name, size) for name, size in (("s", self.scratch), ("h", self.invariants)) if size]
        return [
            *(f"{name} = np.empty({size})" for name, size in memories),
            *(f"{name} = {text()}" for name, text in self._texts.items()),
        ]

    def array(
        self, prefix: str, shape: tuple[int, ...], key: Hashable = None, function: str = "empty"
    ) -> str:
        """Return the name of an array of its own, the same for the same key, made by a function of NumPy."""
        return self.bind(
            prefix,
            (prefix, shape, key, function),
            lambda: getattr(np, function)(shape),
            lambda: f"np.{function}({shape})",
        )

    def table(self, index: Index) -> str:
        """Return the name of a table of addresses."""
        index = np.ascontiguousarray(index, dtype=np.intp)

        def text() -> str:
            flat = written(index.ravel())
            return flat if index.ndim == 1 else f"{flat}.reshape({index.shape})"

        return self.bind("i", (index.tobytes(), index.shape), lambda: index, text)

    def tables(self, tables: Sequence[Index]) -> str:
        """Return the name of a list of tables."""
        shapes = {table.shape for table in tables}
        flat = np.concatenate([table.ravel() for table in tables])
        key = (flat.tobytes(), tuple(table.shape for table in tables))

        def text() -> str:
            if len(shapes) == 1:
                return f"list({written(flat)}.reshape({(len(tables), *tables[0].shape)}))"
            cuts = np.cumsum([table.size for table in tables])[:-1]
            parts = f"np.split({written(flat)}, {written(cuts)})"
            return (
                f"[part.reshape(shape) for part, shape in zip({parts}, {[table.shape for table in tables]})]"
            )

        return self.bind("i", key, lambda: list(tables), text)
