"""A compiled graph: feed numbers to the leaves, run, read outputs and gradients."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.listing import Listing
from autograd.compiler.structure import Index
from autograd.nested import Nested, flatten, shape_of
from autograd.value import Value

Floats = NDArray[np.float64]

_data = attrgetter("_data")


class Program:
    """A graph as a short array program, made by `autograd.compile`.

    Calling it runs the forward and the reverse pass at the leaves' present data, sets the outputs' ``data``
    and every leaf's ``grad`` (not adding to it), and returns the outputs' numbers. The gradients of several
    outputs are those of their sum.

    In a ``with program:`` block the leaves are left alone: the program reads ``parameters``, writes
    ``gradients``, and an optimiser updates all parameters in one array operation. The leaves are written back
    when the block ends, or by `sync`.

    A program reuses its arrays, so one program runs in one thread at a time.

    Attributes:
        source: the program, as it is executed.

    Example:
        >>> import autograd
        >>> from autograd import Value
        >>> x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
        >>> program = autograd.compile((x + y) * z)
        >>> program()
        -12.0
        >>> x.grad, y.grad, z.grad
        (-4.0, -4.0, 3.0)
        >>> program(x=1.0, z=2.0)
        12.0
        >>> with program:
        ...     for _ in range(100):
        ...         value = program()
        ...         program.parameters -= 0.01 * program.gradients
        >>> round(x.data, 3)
        -1.459
    """

    def __init__(
        self,
        listing: Listing,
        outputs: Nested,
        inputs: Nested | None,
        leaves: Sequence[Value],
        size: int,
    ) -> None:
        self._listing = listing
        self._leaves = tuple(leaves)
        self._size = size
        values, self._rebuild = flatten(outputs)
        self._outputs = [weakref.ref(value) for value in values]
        self._results = tuple(value.data for value in values)
        self._parameters = listing.leaves.parameters
        self._gradients = listing.leaves.gradients
        self._place = {leaf: place for place, leaf in enumerate(self._leaves)}
        self._fields = self._name_fields(inputs)
        self._detached = 0
        self._step = self._define("step", listing.forward + listing.reverse)
        self._forward: Callable[[], tuple[float, ...]] | None = None

    def __call__(self, *values: Any, **named: Any) -> Any:
        """Feed values, run forward and backward, and return the outputs' numbers.

        Args:
            *values: what to feed the first inputs, in the order and with the shapes of ``inputs=``.
            **named: what to feed inputs by name: a key of ``inputs=``, if it was a dict, or a leaf's label.

        Returns:
            The outputs' numbers, nested as the outputs were.

        Raises:
            TypeError: an unknown or ambiguous name, too many values, or a value that is not numeric.
            ValueError: a value of another shape than the input.
        """
        self._load(values, named)
        with np.errstate(all="ignore"):
            self._results = self._step()
        if not self._detached:
            for leaf, gradient in zip(self._leaves, self._gradients.tolist(), strict=True):
                leaf.grad = gradient
            self._write_outputs()
        return self._rebuild(self._results)

    def forward(self, *values: Any, **named: Any) -> Any:
        """Feed values and run the forward pass alone; arguments, result and errors as of a call."""
        if self._forward is None:
            self._forward = self._define("forward", self._listing.forward)
        self._load(values, named)
        with np.errstate(all="ignore"):
            self._results = self._forward()
        if not self._detached:
            self._write_outputs()
        return self._rebuild(self._results)

    @property
    def parameters(self) -> Floats:
        """The leaves' numbers, of shape (leaves,), in the order of `leaves`. Assigning copies into it."""
        return self._parameters

    @parameters.setter
    def parameters(self, numbers: Floats) -> None:
        self._parameters[...] = numbers

    @property
    def gradients(self) -> Floats:
        """The leaves' gradients after the latest run, of shape (leaves,)."""
        return self._gradients

    @property
    def leaves(self) -> tuple[Value, ...]:
        """The leaves, in the order of ``inputs=`` if that was given."""
        return self._leaves

    @property
    def source(self) -> str:
        """The program as Python source, with a line for each view of the parameters and gradients."""
        views = [f"# {name}: {text}" for name, text in self._listing.descriptions.items()]
        return "\n".join([*views, self._text("step", [*self._listing.forward, "", *self._listing.reverse])])

    def summary(self) -> str:
        """Say how many scalar nodes became how many statements, and what was recognised."""
        found = self._listing.found
        forward, reverse = len(self._listing.forward) - 1, len(self._listing.reverse)
        parts = [f"{count:,} {kind if count != 1 else kind[:-1]}" for kind, count in sorted(found.items())]
        return (
            f"{self._size:,} scalar nodes -> {forward + reverse:,} statements "
            f"({forward:,} forward, {reverse:,} reverse)" + (": " + ", ".join(parts) if parts else "")
        )

    def sync(self) -> None:
        """Write parameters and gradients to the leaves, and the latest results to the outputs."""
        for leaf, number, gradient in zip(
            self._leaves, self._parameters.tolist(), self._gradients.tolist(), strict=True
        ):
            leaf.data = number
            leaf.grad = gradient
        self._write_outputs()

    def __enter__(self) -> Self:
        """Read the leaves once, and leave them alone until the block ends."""
        self._read()
        self._detached += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the leaves back, also after an error."""
        self._detached -= 1
        self.sync()

    def __repr__(self) -> str:
        """Return for instance ``<program: 68,814 scalar nodes -> 22 statements ...>``."""
        return f"<program: {self.summary()}>"

    def _read(self) -> None:
        self._parameters[:] = np.fromiter(map(_data, self._leaves), float, len(self._leaves))

    def _write_outputs(self) -> None:
        for reference, result in zip(self._outputs, self._results, strict=True):
            output = reference()
            if output is not None and output.op is not None:
                output.data = result

    def _load(self, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Read the leaves, then the numbers that were fed; nothing changes if one of them is refused."""
        feeds = [(self._field(name), value) for name, value in named.items()]
        if values:
            positional = [field for name, field in self._fields.items() if isinstance(name, int)]
            if len(values) > len(positional):
                raise TypeError(
                    f"{len(values)} values for {len(positional)} inputs; "
                    + ("feed them by label" if not positional else "feed one value for each item of inputs=")
                )
            feeds += list(zip(positional, values, strict=False))
        arrays = [_numbers(value, places, name) for (name, places), value in feeds]
        if not self._detached:
            self._read()
        for ((_, places), _), array in zip(feeds, arrays, strict=True):
            self._parameters[places] = array
            if not self._detached:
                for place, number in zip(places.ravel().tolist(), array.ravel().tolist(), strict=True):
                    self._leaves[place].data = number

    def _field(self, name: str) -> tuple[str, Index]:
        described, places = self._fields.get(name, (None, None))
        if described is None:
            known = ", ".join(sorted(repr(key) for key in self._fields if isinstance(key, str)))
            raise TypeError(f"no input is named {name!r}; the names are: {known or 'none'}")
        if places is None:
            raise TypeError(f"several leaves are labelled {name!r}; feed them by position or give them a key")
        return described, places

    def _name_fields(self, inputs: Nested | None) -> dict[str | int, Any]:
        """Return what can be fed: items of ``inputs`` by position and key, leaves by label."""
        fields: dict[str | int, Any] = {}
        for place, leaf in enumerate(self._leaves):
            if leaf.label:
                places = None if leaf.label in fields else np.array(place, dtype=np.intp)
                fields[leaf.label] = (f"input {leaf.label!r}", places)
        if inputs is None:
            return fields
        items = inputs if isinstance(inputs, (list, tuple, Mapping)) else [inputs]
        keys = list(items) if isinstance(items, Mapping) else range(len(items))
        for position, key in enumerate(keys):
            item = items[key]
            leaves, _ = flatten(item)
            places = np.array([self._place[leaf] for leaf in leaves], dtype=np.intp).reshape(shape_of(item))
            fields[position] = (f"input {key!r}", places)
            if isinstance(key, str):
                fields[key] = fields[position]
        return fields

    def _text(self, name: str, lines: list[str]) -> str:
        body = "".join(f"    {line}\n" if line else "\n" for line in lines)
        return f"def {name}():\n{body}    return outputs\n"

    def _define(self, name: str, lines: list[str]) -> Callable[[], tuple[float, ...]]:
        # The bound names become default arguments: locals are faster than globals, and `w += x` needs one.
        head = ", ".join(f"{bound}={bound}" for bound in self._listing.namespace)
        text = self._text(name, lines).replace("()", f"(*, {head})", 1)
        namespace = dict(self._listing.namespace)
        exec(compile(text, f"<compiled {name}>", "exec"), namespace)
        function: Callable[[], tuple[float, ...]] = namespace[name]
        return function


def _numbers(value: Any, places: Index, name: str) -> Floats:
    """Return what is fed to an input as an array of its shape.

    Raises:
        TypeError: it is not numeric.
        ValueError: it has another shape.
    """
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} needs numbers of shape {places.shape}, got {value!r:.60}") from None
    if array.shape != places.shape:
        raise ValueError(f"{name} has shape {places.shape}, but the value fed to it has shape {array.shape}")
    return array
