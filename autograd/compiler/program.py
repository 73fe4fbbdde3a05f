"""A compiled graph: feed numbers to the leaves, run, read outputs and gradients."""

import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from autograd.compiler.feeds import Bank, Fields, Floats
from autograd.compiler.listing import Listing
from autograd.nested import Nested, flatten
from autograd.value import Value


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
        >>> w = Value(0.0)
        >>> descent = autograd.compile((w - 3) ** 2)
        >>> with descent:
        ...     for _ in range(100):
        ...         loss = descent()
        ...         descent.parameters -= 0.1 * descent.gradients
        >>> round(w.data, 6)
        3.0
    """

    def __init__(
        self,
        listing: Listing,
        outputs: Nested,
        inputs: Nested | None,
        data: Nested,
        leaves: Sequence[Value],
        size: int,
    ) -> None:
        self._listing = listing
        self._size = size
        values, self._rebuild = flatten(outputs)
        self._outputs = [weakref.ref(value) for value in values]
        self._results = tuple(value.data for value in values)
        self._bank = Bank(tuple(leaves), listing.leaves.parameters)
        self._data = Bank(tuple(flatten(data)[0]), listing.data)
        self._gradients = listing.leaves.gradients
        self._fields = Fields(self._bank, self._data, inputs, data if self._data.leaves else None)
        self._detached = 0
        self._step = self._define("step", listing.forward + listing.reverse)
        self._forward: Callable[[], tuple[float, ...]] | None = None

    def __call__(self, /, *values: Any, **named: Any) -> Any:
        """Feed values, run forward and backward, and return the outputs' numbers.

        Args:
            *values: what to feed, in the order and with the shapes of ``data=``, or of ``inputs=`` if there
                is no data.
            **named: what to feed by name: a key of ``data=`` or ``inputs=``, if they were dicts, or a label.

        Returns:
            The outputs' numbers, nested as the outputs were.

        Raises:
            TypeError: an unknown or ambiguous name, too many values, a leaf fed twice, or a value that is not
                numeric.
            ValueError: a value of another shape than the input.
            OverflowError: a number beyond the range of doubles.
        """
        self._load(values, named)
        with np.errstate(all="ignore"):
            self._results = self._step()
        if not self._detached:
            self._write_gradients()
            self._write_outputs()
        return self._rebuild(self._results)

    def forward(self, /, *values: Any, **named: Any) -> Any:
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
        return self._bank.numbers

    @parameters.setter
    def parameters(self, numbers: Floats) -> None:
        self._bank.numbers[...] = numbers

    @property
    def gradients(self) -> Floats:
        """The leaves' gradients after the latest run, of shape (leaves,)."""
        return self._gradients

    @property
    def leaves(self) -> tuple[Value, ...]:
        """The leaves that are differentiated by, in the order of ``inputs=`` if that was given."""
        return self._bank.leaves

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
        self._bank.write()
        self._data.write()
        self._write_gradients()
        self._write_outputs()

    def __enter__(self) -> Self:
        """Read the leaves once, and leave them alone until the block ends."""
        if not self._detached:
            self._bank.read()
            self._data.read()
        self._detached += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the leaves back, also after an error."""
        self._detached -= 1
        if not self._detached:
            self.sync()

    def __repr__(self) -> str:
        """Return for instance ``<program: 68,814 scalar nodes -> 22 statements ...>``."""
        return f"<program: {self.summary()}>"

    def _write_gradients(self) -> None:
        for leaf, gradient in zip(self._bank.leaves, self._gradients.tolist(), strict=True):
            leaf.grad = gradient

    def _write_outputs(self) -> None:
        for reference, result in zip(self._outputs, self._results, strict=True):
            output = reference()
            if output is not None and output.op is not None:
                output.data = result

    def _load(self, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Read the leaves, then the numbers that were fed; nothing changes if one of them is refused."""
        feeds = self._fields.match(values, named) if values or named else []
        if not self._detached:
            self._bank.read()
            self._data.read()
        for field, array in feeds:
            field.feed(array, leaves=not self._detached)

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
