"""A compiled graph: feed numbers to the leaves, run, read outputs and gradients."""

import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from autograd.choosing import check_index
from autograd.compiler import engine as engines
from autograd.compiler import latex, saving
from autograd.compiler.batching import Batches, check_outputs
from autograd.compiler.engine import Running
from autograd.compiler.feeds import Bank, Field, Fields, Floats, same
from autograd.compiler.numpy_engine import NumpyEngine
from autograd.compiler.plan import Array, Plan
from autograd.files import write_file
from autograd.locks import computed_once
from autograd.nested import Nested, flatten, shape_of
from autograd.node import clock
from autograd.row import as_floats
from autograd.text import describe
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.compiler.jax_program import JaxProgram

BUSY = (
    "this program is running in another thread, and its arrays are in use; "
    "give each thread a copy of the program: by copy.copy, with the same leaves, or, where with blocks write "
    "to these, by copy.deepcopy, with its own"
)


class Program:
    """A graph as a short array program, made by `autograd.compile`.

    Calling it runs the forward and the reverse pass at the leaves' present data, sets the outputs' ``data``
    and every leaf's ``grad`` (not adding to it), and returns the outputs' numbers. The gradients of several
    outputs are those of their sum.

    In a ``with program:`` block the leaves are left alone: the program reads ``parameters``, writes
    ``gradients``, and an optimiser updates all parameters in one array operation. What has changed is written
    back to the leaves when the block ends, or by `sync`.

    A program reuses its arrays, so one program runs in one thread at a time; a copy of it has its own.

    Attributes:
        engine: the engine that was asked for.

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
        plan: Plan,
        outputs: Nested,
        aux: Nested,
        inputs: Nested | None,
        data: Nested,
        leaves: Sequence[Value],
        size: int,
        engine: str,
    ) -> None:
        values, rebuild = flatten(outputs)
        besides, rebuild_aux = flatten(aux)
        self._outputs = [weakref.ref(value) for value in (*values, *besides)]
        self._nests = rebuild(range(len(values))), rebuild_aux(range(len(besides))), inputs, data
        self._leaves = tuple(leaves)
        self._plan = plan
        self._size = size
        self.engine = engine
        self._begin()

    def _begin(self) -> None:
        """Start the engine."""
        plan = self._plan
        outputs, aux, _, data = self._nests
        self._running = Running(plan, self.engine)
        self._batches = Batches(plan, self.engine)
        v, d = self._running.v, self._running.d
        self._bank = Bank(self._leaves, v[: plan.parameters])
        self._data = Bank(tuple(flatten(data)[0]), v[plan.fixed : plan.fixed + plan.data])
        self._gradients = d[: plan.parameters]
        self._places = np.array(plan.outputs, dtype=np.intp)
        numbers, self._rebuild = flatten(outputs)
        self._count = len(numbers)
        self._rebuild_aux = flatten(aux)[1]
        self._aux: Any = None
        alone = isinstance(outputs, int) and len(plan.outputs) == 1
        self._only = plan.outputs[0] if alone else None
        self._step, self._numbers = self._running.step, v.data
        self._busy = threading.Lock()
        self._detached = 0
        self._swept = self._ran = False
        self._clock = 0

    @computed_once
    def _fields(self) -> Fields:
        """What can be fed, found out when something is: of thousands of leaves that takes long."""
        _, _, inputs, data = self._nests
        fed = None if isinstance(data, tuple) and not data else data  # an empty list has a name to be fed by
        return Fields(self._bank, self._data, inputs, fed)

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
            RuntimeError: the program is running in another thread, or a leaf was assigned in a ``with`` block
                of the program, where it is not read.
        """
        busy = self._busy
        if busy.locked():  # as `_alone` does, without a call
            raise RuntimeError(BUSY)
        with busy:
            if values or named or not self._detached or self._clock != clock.now or self._plan.choices:
                self._load(values, named)
            self._step()
            self._swept = self._ran = True
            if not self._detached:
                self._write_gradients()
            elif self._only is not None:
                return self._numbers[self._only]
            return self._results()

    def forward(self, /, *values: Any, **named: Any) -> Any:
        """Feed values and run the forward pass alone; arguments, result and errors as of a call."""
        with self._alone():
            self._load(values, named)
            self._running.forward()
            self._ran = True
            return self._results()

    def batch(self, /, *values: Any, reduction: str | None = "mean", **named: Any) -> Any:
        """Run forward and backward on many points at once, each with data of its own.

        The program of one point is used; what depends on data is computed for many points together, in
        chunks that stay in the processor's cache. The leaves are read as in a call, and ``gradients`` and
        every leaf's ``grad`` become those of the result; data and outputs keep their numbers.

        Args:
            *values: what to feed, in the order of ``data=``, each with one more, leading axis for the points;
                for what was declared as a dict, a sequence of such dicts, or one of arrays with that axis.
            reduction: ``"mean"`` or ``"sum"`` over the points, or None for the outputs of every point; the
                gradients are then those of their sum.
            **named: what to feed by name. Data that are not fed keep their number at all points.

        Returns:
            The outputs' means, or sums, nested as the outputs were; without ``reduction`` arrays of shape
            (points,) instead of numbers.

        Raises:
            TypeError: as of a call; or what is fed is no datum.
            ValueError: as of a call; different numbers of points, or none; an output depends on no data.
            RuntimeError: as of a call.

        Example:
            >>> import autograd
            >>> from autograd import Value
            >>> w, x, y = Value(2.0), Value(0.0), Value(0.0)
            >>> program = autograd.compile((w * x - y) ** 2, inputs=w, data={"x": x, "y": y})
            >>> program.batch(x=[1.0, 2.0, 3.0], y=[2.0, 4.0, 9.0])
            3.0
            >>> w.grad
            -6.0
        """
        if reduction not in ("mean", "sum", None):
            raise ValueError(f'reduction is "mean", "sum" or None, not {reduction!r}')
        with self._alone():
            results, gradient, points = self._run_batch(values, named, sweep=True)
            self._gradients[:] = gradient / points if reduction == "mean" else gradient
            self._swept = True
            if not self._detached:
                self._write_gradients()
            outputs: list[Any] = [*results]
            if reduction:
                with np.errstate(all="ignore"):  # as eager sums of infinities are silent
                    totals = results[: self._count].sum(axis=1)
                outputs[: self._count] = (totals / points if reduction == "mean" else totals).tolist()
            return self._returned(outputs)

    def batch_forward(self, /, *values: Any, **named: Any) -> Any:
        """Run the forward pass on many points; arguments and errors as of `batch`.

        Returns:
            The outputs of every point, arrays of shape (points,), nested as the outputs were.
        """
        with self._alone():
            results, _, _ = self._run_batch(values, named, sweep=False)
            return self._returned([*results])

    @property
    def aux(self) -> Any:
        """What ``aux=`` asked for, as of the latest run: numbers, after a batch arrays of shape (points,)."""
        return self._aux

    def _run_batch(
        self, values: tuple[Any, ...], named: dict[str, Any], *, sweep: bool
    ) -> tuple[Array, Array, int]:
        feeds, points = self._fields.match_points(values, named)
        check_outputs(self._plan, self._count)
        if not self._detached:
            self._bank.read()
            self._data.read()
        elif self._clock != clock.now:
            self._refuse_assigned()
        for bank, place, items in self._choices():
            numbers = bank.numbers[place : place + 1]
            for field, columns in feeds if bank is self._data else ():
                for at in np.flatnonzero(field.flat == place):
                    numbers = columns[:, at]
            name = _called_index(bank.leaves[place])
            for number in set(numbers.tolist()):
                check_index(number, items, name)
        columns_at = [(field.span, columns) for field, columns in feeds]
        results, gradient = self._batches.run(
            self._bank.numbers, self._data.numbers, columns_at, points, sweep=sweep
        )
        return results, gradient, points

    @property
    def parameters(self) -> Floats:
        """The leaves' numbers, of shape (leaves,), in the order of `leaves`.

        Assigning copies into it; outside a ``with`` block the leaves are assigned, too. It refuses what is no
        real number (TypeError), beyond the range of doubles (OverflowError) or of another shape (ValueError).
        What is written into the array there, as by ``parameters[0] = 1.0``, reaches the leaves when the
        program is used next.
        """
        if not self._detached:
            self._bank.read()
        return self._bank.numbers

    @parameters.setter
    def parameters(self, numbers: Floats | Sequence[float]) -> None:
        given, own = as_floats(numbers, "program.parameters"), self._bank.numbers
        try:
            own[...] = given
        except ValueError:
            raise ValueError(
                f"program.parameters has shape {own.shape}, but got shape {given.shape}"
            ) from None
        if not self._detached:
            self._bank.write()

    @property
    def gradients(self) -> Floats:
        """The leaves' gradients after the latest run, of shape (leaves,)."""
        return self._gradients

    @property
    def leaves(self) -> tuple[Value, ...]:
        """The leaves that are differentiated by, in the order of ``inputs=`` if that was given."""
        return self._leaves

    @property
    def source(self) -> str:
        """The program as Python source that needs NumPy alone and reproduces its present numbers."""
        if isinstance(self._running.engine, NumpyEngine):
            return self._running.engine.source
        engine = NumpyEngine(self._running.short)
        engine.v[:] = self._running.v
        return engine.source

    def latex(self, names: Mapping[str, Nested] | None = None) -> str:
        r"""Return the program as formulas of matrices, forward and backward, in LaTeX.

        Where matrix notation says what a statement computes, it is written, as in :math:`Z = X W^\top`; a
        product of arrays element by element is :math:`\odot`, a fraction and a function of an array are
        element by element, too. Other statements are written with indices, which count from 1. A bar is
        the derivative of the output by what is below it, as in :math:`\bar{W}`. Upper indices in
        parentheses count the blocks of a matrix, such as the heads of attention.

        Names come from ``names``, from the keys of ``inputs=`` and ``data=`` where these are dicts, from
        labels, and else from the operation that computed something. A product with a matrix called ``W_Q``
        is called ``Q``.

        Args:
            names: what some of the program's leaves are called: nested lists of them by name, such as
                ``{"W_1": [neuron.w for neuron in layer.neurons]}``.

        Returns:
            An ``aligned`` block, for MathJax, KaTeX or a document.

        Raises:
            ValueError: ``names`` has something that is no leaf of the program, or has a leaf twice.

        Example:
            >>> import autograd
            >>> from autograd import Value
            >>> w, x = Value(2.0, "w"), Value(3.0, "x")
            >>> print(autograd.compile((w * x).exp(), inputs=[w], data={"x": x}).latex())
            \begin{aligned}
            x &\in \mathbb{R} \qquad \text{data} \\
            w &\in \mathbb{R} \qquad \text{parameter} \\
            & \textbf{forward} \\
            m &= w \, x \\
            L &= e^{m} \\
            & \textbf{backward} \\
            \bar{L} &= 1 \\
            \bar{m} &= \bar{L} \, L \\
            \bar{w} &= \bar{m} \, x
            \end{aligned}
        """
        places = {leaf: i for i, leaf in enumerate(self._leaves)}
        places |= {leaf: self._plan.fixed + i for i, leaf in enumerate(self._data.leaves)}
        labels = {place: str(leaf.label) for leaf, place in places.items()}
        given = []
        named = {**(names or {})}
        claimed = {id(leaf) for nest in named.values() for leaf in flatten(nest)[0]}
        for nest in self._nests[2:]:
            for name, part in nest.items() if isinstance(nest, Mapping) else ():
                leaves = flatten(part)[0]
                if leaves and claimed.isdisjoint(map(id, leaves)):
                    named[str(name)] = part
        taken: set[Any] = set()
        for name, nest in named.items():
            leaves = flatten(nest)[0]
            for leaf in leaves:
                if leaf not in places or leaf in taken:
                    raise ValueError(
                        f"names[{name!r}] has {describe(leaf)}, which is no leaf of the program, or "
                        "has a name; give leaves of inputs= and data=, each once"
                    )
            taken |= set(leaves)
            given.append((name, np.array([places[leaf] for leaf in leaves], dtype=np.intp), shape_of(nest)))
        return latex.write_latex(self._plan, given, lambda place: labels.get(place, ""), self._called())

    def _called(self) -> str:
        """Return the label of the only output, ``L`` if it has none."""
        output = self._outputs[0]() if self._outputs else None
        return str(output.label) if output is not None and output.label else "L"

    def to_jax(self) -> "JaxProgram":
        """Return the program as a pure function of JAX, for GPUs, many devices, `jit`, `vmap` and `grad`.

        Returns:
            A function ``(parameters, data) -> (outputs, gradients)`` with the methods ``forward``, ``batch``,
            ``batch_forward`` and ``batch_with_aux``; see `autograd.compiler.jax_program.JaxProgram`.

        Raises:
            ImportError: JAX is not installed.
            TypeError: an operation of one's own has no array form that JAX can trace.

        Example:
            ``step = jax.jit(program.to_jax().batch)``, then ``loss, gradients = step(parameters, data)``.
        """
        try:
            from autograd.compiler.jax_program import JaxProgram
        except ImportError as error:
            raise ImportError("to_jax needs JAX: pip install chainrule[jax]") from error

        outputs, aux, inputs, data = self._nests
        count, (besides, rebuild_aux) = len(flatten(outputs)[0]), flatten(aux)
        places = {leaf: i for bank in (self._leaves, self._data.leaves) for i, leaf in enumerate(bank)}
        numbered = [
            None if nest is None else rebuild(places[leaf] for leaf in leaves)
            for nest, (leaves, rebuild) in ((nest, flatten(nest)) for nest in (inputs, data))
        ]
        aux = rebuild_aux(range(count, count + len(besides)))
        return JaxProgram(self._plan, outputs, aux, *numbered)

    def summary(self) -> str:
        """Say how many scalar nodes became how many statements, what was recognised, and what runs it."""
        forward, reverse = engines.count(self._plan.forward), engines.count(self._plan.reverse)
        parts = [
            f"{number:,} {kind if number != 1 else kind[:-1]}"
            for kind, number in sorted(engines.recognised(self._plan).items())
        ]
        return (
            f"{self._size:,} scalar nodes -> {forward + reverse:,} statements "
            f"({forward:,} forward, {reverse:,} reverse)"
            + (": " + ", ".join(parts) if parts else "")
            + f"; {self._running.description}"
        )

    def save(self, path: str | Path) -> None:
        """Write the program, its leaves' numbers and labels to a file, from which `load_program` makes it.

        Args:
            path: where to; an existing file is replaced, whole or not at all.

        Raises:
            ValueError: it uses an operation of one's own, which a file could not bring back.
            TypeError: outputs, inputs or data are nested in something that JSON has not.
            OSError: the file cannot be written.
        """
        self._check_idle()
        self.sync()
        outputs, aux, inputs, data = self._nests
        state = {
            "outputs": saving.named(outputs),
            "aux": saving.named(aux),
            "inputs": None if inputs is None else saving.named(inputs),
            "data": saving.named(data),
            "leaves": [saving.leaf_state(leaf) for leaf in self._leaves],
            "data_leaves": [saving.leaf_state(leaf) for leaf in self._data.leaves],
            "nodes": self._size,
        }
        write_file(Path(path), saving.write(self._plan, state).encode())

    def sync(self) -> None:
        """Write to the leaves what has changed since the ``with`` block began or was last synchronised.

        That is numbers that differ, and gradients and results if the program has run. Outside a block it is
        what was written into the array `parameters`.

        Raises:
            RuntimeError: a leaf was assigned meanwhile as well, so that one of its two numbers would be lost.
        """
        if not self._detached:
            self._bank.read()
        else:
            self._bank.write_changes()
            self._data.write_changes()
            if self._swept:
                self._write_gradients()
            if self._ran:
                self._write_outputs()
            self._swept = self._ran = False
            self._clock = clock.now

    def __enter__(self) -> Self:
        """Read the leaves once, and leave them alone until the block ends."""
        if not self._detached:
            self._bank.read()
            self._data.read()
            self._swept = self._ran = False
            self._clock = clock.now
        self._detached += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write back what has changed, also after an error."""
        if self._detached == 1:
            try:
                self.sync()
            except RuntimeError:  # of two writers the leaf is right from here on
                for bank in (self._bank, self._data):
                    bank.hold(bank.numbers)
                raise
            except KeyboardInterrupt:  # what the block has reached is written now, not at some later use
                self.sync()
                raise
            finally:
                self._detached = 0
        else:
            self._detached -= 1

    def __repr__(self) -> str:
        """Return for instance ``<program: 68,814 scalar nodes -> 22 statements ...>``."""
        return f"<program: {self.summary()}>"

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickled program is made of: no engine, and no outputs, which are graphs."""
        self._check_idle()
        self.sync()
        state = {name: vars(self)[name] for name in ("_plan", "_nests", "_leaves", "_size", "engine")}
        return state | {"numbers": (self._bank.numbers.copy(), self._data.numbers.copy())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        numbers = state.pop("numbers")
        vars(self).update(state)
        self._outputs = []
        self._begin()
        for bank, held in zip((self._bank, self._data), numbers, strict=True):
            bank.hold(held)

    def _check_idle(self) -> None:
        if self._detached:
            raise RuntimeError("a program cannot be copied within its with block; leave the block first")

    def _alone(self) -> threading.Lock:
        """Return the lock to be held by who uses the arrays: an interrupt leaves none shut after a ``with``.

        Raises:
            RuntimeError: it is held.
        """
        if self._busy.locked():
            raise RuntimeError(BUSY)
        return self._busy

    def _results(self) -> Any:
        if not self._detached:
            self._write_outputs()
        if self._only is not None:  # a loss, most often
            return self._numbers[self._only]
        return self._returned(self._running.v[self._places].tolist())

    def _returned(self, results: list[Any]) -> Any:
        """Return the outputs in their nesting, and keep what else was computed."""
        self._aux = self._rebuild_aux(results[self._count :])
        return self._rebuild(results[: self._count])

    def _write_gradients(self) -> None:
        for leaf, gradient in zip(self._leaves, self._gradients.tolist(), strict=True):
            leaf.grad = gradient

    def _write_outputs(self) -> None:
        for reference, result in zip(self._outputs, self._running.v[self._places].tolist(), strict=False):
            output = reference()
            if output is None or output.op is None:
                continue
            stale = any(parent._time > output._time for parent in output.parents)
            if stale or not same(output.data, result):  # what is as it was makes no later graph stale
                output.data = result

    def _load(self, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Read the leaves, then the numbers that were fed; nothing changes if one of them is refused."""
        feeds = self._fields.match(values, named) if values or named else []
        if not self._detached:
            self._bank.read()
            self._data.read()
        elif self._clock != clock.now:
            self._refuse_assigned()
        if self._plan.choices:
            self._check_choices(feeds)
        for field, array in feeds:
            field.feed(array, leaves=not self._detached)

    def _check_choices(self, feeds: Sequence[tuple[Field, Floats]]) -> None:
        """Refuse a number that is used as an index and names no item, before anything is fed."""
        fed: dict[Value, float] = {}
        for field, array in feeds:
            fed.update(zip(field.leaves, array.ravel().tolist(), strict=True))
        for bank, place, count in self._choices():
            leaf = bank.leaves[place]
            check_index(fed.get(leaf, float(bank.numbers[place])), count, _called_index(leaf))

    def _choices(self) -> Iterator[tuple[Bank, int, int]]:
        """Yield where the leaves are that are used as an index, and how many items there are."""
        for address, count in self._plan.choices:
            fixed = address < self._plan.parameters
            bank, place = (self._bank, address) if fixed else (self._data, address - self._plan.fixed)
            yield bank, place, count

    def _refuse_assigned(self) -> None:
        for bank in (self._bank, self._data):
            for leaf in bank.assigned(self._clock):
                raise RuntimeError(
                    f"the data of {describe(leaf)} was assigned in a with block of the program, which does "
                    "not read the leaves there; update program.parameters, feed the number, or leave the "
                    "block first"
                )
        self._clock = clock.now


def _called_index(leaf: Value) -> str:
    return f"{leaf.label or 'a leaf'}, the index of a take,"


def load_program(path: str | Path, *, engine: str = "auto") -> Program:
    """Return a program from a file that `Program.save` wrote.

    Nothing in the file is executed: the program is rebuilt from the operation table.

    Args:
        path: the file.
        engine: what is to run it, as of `autograd.compile`.

    Returns:
        The program, with new leaves of the same numbers and labels.

    Raises:
        ProgramFileError: the file holds no program, was changed since, or is of a later version.
        ValueError: ``engine`` is unknown.
        OSError: the file cannot be read.

    Example:
        >>> import autograd
        >>> from autograd import Value
        >>> w = Value(3.0, "w")
        >>> autograd.compile(w * w, inputs=[w]).save("square.json")
        >>> program = autograd.load_program("square.json")
        >>> program(w=5.0), program.leaves[0].grad
        (25.0, 10.0)
    """
    engines.require_engine(engine)
    plan, found = saving.read(Path(path))
    try:
        leaves, data = ([saving.leaf(state) for state in found[name]] for name in ("leaves", "data_leaves"))
        nests = saving.nests(found, len(plan.outputs), leaves, data)
        if len(leaves) != plan.parameters or len(data) != plan.data:
            raise ValueError(f"{len(leaves)} leaves and {len(data)} data do not fit the program")
        program: Program = Program.__new__(Program)
        program.__setstate__(
            {
                "_plan": plan,
                "_nests": nests,
                "_leaves": tuple(leaves),
                "_size": saving.whole(found["nodes"]),
                "engine": engine,
                "numbers": tuple(np.array([leaf.data for leaf in bank]) for bank in (leaves, data)),
            }
        )
    except saving.UNFIT as error:
        raise saving.unfit(path, error) from error
    return program
