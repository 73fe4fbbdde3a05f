"""What runs a plan: an engine holds the two memories and computes in them."""

from collections import Counter
from typing import Protocol

from autograd import ops
from autograd.compiler.adjoint import strengthened
from autograd.compiler.copies import without_copies
from autograd.compiler.numpy_engine import NumpyEngine
from autograd.compiler.plan import Apply, Array, Loop, Place, Plan, Statement, Step, places_of, statements_of
from autograd.compiler.wasm import CannotStartError, WasmEngine
from autograd.locks import computed_once


class Engine(Protocol):
    """A plan, ready to run, by one thread at a time.

    Attributes:
        v: the memory of values, of shape (plan.size,); the caller writes parameters and data into it.
        d: the memory of adjoints.
    """

    v: Array
    d: Array

    def forward(self) -> object:
        """Compute the values."""

    def reverse(self) -> object:
        """Compute the adjoints."""

    def step(self) -> float | None:
        """Compute the values, then the adjoints.

        Returns:
            0.0 if all gradients, that is ``d[:plan.parameters]``, are finite; None if there are none.
        """


ENGINES = ("auto", "wasm", "numpy")


def require_engine(name: str) -> None:
    """Refuse what is not one of ``ENGINES``.

    Raises:
        ValueError: with those that there are.
    """
    if name not in ENGINES:
        raise ValueError(f"engine is one of {', '.join(map(repr, ENGINES))}, not {name!r}")


def start(plan: Plan, engine: str) -> tuple[Engine, str]:
    """Return an engine for a plan, and in words what runs it and why.

    Args:
        plan: the program.
        engine: one of ``ENGINES``; ``"auto"`` is machine code where that can be had, else NumPy.

    Raises:
        CannotStartError: ``engine`` is ``"wasm"`` and cannot be had.
    """
    if engine == "numpy":
        return NumpyEngine(plan), "run by NumPy"
    try:
        machine = WasmEngine(plan)
    except CannotStartError as error:
        if engine == "wasm":
            raise
        reason = " ".join(str(error).split())  # wasmtime's own have several lines
        return NumpyEngine(plan), f"run by NumPy, as machine code cannot be had: {reason}"
    left = Counter(machine.reasons.values())
    by_numpy = ", ".join(f"{count:,} by NumPy ({reason})" for reason, count in sorted(left.items()))
    return machine, "run as machine code" + (f", {by_numpy}" if by_numpy else "")


class Running:
    """A plan on an engine, with strong zeros in its reverse pass where these may decide.

    Args:
        plan: the program.
        engine: one of ``ENGINES``.

    Attributes:
        short: the program that is run, without copies.
        v: the memory of values.
        d: the memory of adjoints.
        forward: computes the values.
        description: what runs it and why, in words.
    """

    def __init__(self, plan: Plan, engine: str) -> None:
        self.plan = plan
        self.short = without_copies(plan)
        self.engine, self.description = start(self.short, engine)
        self.v, self.d = self.engine.v, self.engine.d
        self.forward, self._step = self.engine.forward, self.engine.step

    def step(self) -> None:
        """Compute the values, then the adjoints."""
        if self._step():
            self._strong.reverse()

    @computed_once
    def _strong(self) -> Engine:
        """The reverse pass with strong zeros, on the same memory."""
        return NumpyEngine(strengthened(self.plan), self.v, self.d)


def recognised(plan: Plan) -> Counter[str]:
    """Count what a forward pass is made of: matrix products, reductions, loops, gathers and scatters."""
    found: Counter[str] = Counter()
    for step in plan.forward:
        found["loops"] += isinstance(step, Loop)
    for statement in statements_of(plan.forward):
        found[_sum_of(statement)] += statement.summed > 0
        found["gathers"] += any(place.table is not None for place in places_of(statement.expression))
        found["scatters"] += statement.target.table is not None
    return +found


def _sum_of(statement: Statement) -> str:
    """Name a sum: products of two places are a matrix product if each has an axis of its own."""
    expression = statement.expression
    if not (isinstance(expression, Apply) and expression.operation is ops.mul):
        return "reductions"
    kept = len(statement.shape) - statement.summed
    own = [_axes(place, kept) for place in expression.arguments if isinstance(place, Place)]
    if len(own) == 2 and own[0] - own[1] and own[1] - own[0]:
        return "matrix products"
    return "dot products"


def _axes(place: Place, kept: int) -> frozenset[int]:
    """Return the axes, of those that are not summed, along which a place differs."""
    strided = {axis for axis in range(kept) if place.strides[axis]}
    return frozenset(strided | set(range(min(kept, place.table.ndim if place.table is not None else 0))))


def count(steps: tuple[Step, ...]) -> int:
    """Return how many statements there are, those in loops included."""
    return sum(1 for _ in statements_of(steps))
