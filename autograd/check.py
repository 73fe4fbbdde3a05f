"""A derivative against an independent one.

The engine's derivatives, reverse and forward, are compared with one that uses none of the table's: a complex
step where the function allows it, else central differences.
"""

import cmath
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import CodeType
from typing import Any

from autograd import ops
from autograd.nested import Nested, flatten
from autograd.row import Operation, as_float, is_real
from autograd.sweeping import topological_order
from autograd.text import describe
from autograd.transforms import Function, jacobian, jvp, vjp
from autograd.value import Value

TOLERANCE = 1e-6  # relative; the independent derivative's own uncertainty is added
COMPLEX, COMPLEX_STEP = "complex step", 1e-30
DIRECTIONS = 2  # in which derivatives of higher order are examined
FIRST_STEP = 2.0**-9  # of the differences, relative to the input or to 1; the best of five steps is taken


class GradientError(ArithmeticError):
    """Derivatives that differ; the message reports every input for which they do."""


@dataclass(frozen=True)
class Estimate:
    """An independent derivative: its value, its uncertainty, how it was found and how far it looked."""

    value: float
    error: float
    method: str
    step: float


def gradcheck(f: Function, inputs: Sequence[Nested], order: int = 1) -> bool:
    """Check the derivatives of a function, in both modes, against an independent derivative.

    The independent one is a complex step (Squire & Trapp 1998), exact to the last digits, where the function
    is made of operations that complex numbers have; else it is Richardson-extrapolated central differences,
    which also confirm it before an error is raised. Order 2 checks the derivatives of the derivatives too,
    of more than a few inputs along random lines, and so on.

    Args:
        f: a function of numbers, with one result or a nest of them.
        inputs: its arguments, where to check it.
        order: the highest order of derivative to check.

    Returns:
        True; if a check fails it raises.

    Raises:
        GradientError: derivatives differ by more than 1e-6 of their size; all that do are reported.
        ValueError: the point is within the step of a kink or of another branch of the program, the function
            is not finite there, or differences are too uncertain to judge; so no statement is made.
        TypeError: ``inputs`` is not a sequence of arguments, or contains something else than numbers.

    Example:
        >>> from autograd import exp
        >>> gradcheck(lambda x, y: exp(x) * y, (0.5, 2.0), order=2)
        True
    """
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(f"inputs of gradcheck must be a tuple of arguments, got {type(inputs).__name__}")
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"order of gradcheck must be 1 or more, got {order!r}")
    items, rebuild = flatten(tuple(inputs))
    point = [item.data if isinstance(item, Value) else as_float(item, "gradcheck") for item in items]
    if not point:
        raise ValueError("gradcheck needs at least one input")
    name = getattr(f, "__name__", repr(f))
    for level in range(1, order + 1):
        if level > 1 and _right_in_some_directions(f, point, rebuild):
            f = jacobian(f, argnums=range(len(inputs)))
            continue
        failures = list(_failures(f, point, rebuild))
        if failures:
            raise GradientError(
                "\n".join([f"the derivatives of order {level} of {name!r} are wrong:", *failures])
            )
        f = jacobian(f, argnums=range(len(inputs)))
    return True


def _right_in_some_directions(f: Function, point: list[float], rebuild: Callable[..., Any]) -> bool:
    """Tell whether f's derivatives are right along random lines through the point.

    A wrong entry of a Jacobian shows in almost all directions. So a few of them do for all inputs, whose
    number the time then does not depend on; only if they show something, or cannot judge, is each examined.
    """
    if len(point) <= DIRECTIONS:
        return False
    rng = random.Random(len(point))
    for _ in range(DIRECTIONS):
        line = [rng.choice((-1.0, 1.0)) * rng.uniform(0.5, 1.0) * max(abs(x), 1.0) for x in point]

        def along(t: Any, line: list[float] = line) -> Any:
            return f(*rebuild([x + t * slope for x, slope in zip(point, line, strict=True)]))

        try:
            if any(_failures(along, [0.0], tuple)):
                return False
        except ValueError:
            return False
    return True


def _failures(f: Function, point: list[float], rebuild: Callable[..., Any]) -> Iterator[str]:
    """Yield a line for each entry of the Jacobian that differs."""
    value, pull_back = vjp(f, *rebuild(point))
    outputs, (_, rebuild_outputs) = _floats(value), flatten(value)
    if not all(map(math.isfinite, outputs)):
        raise ValueError(f"gradcheck needs a point where the function is finite, but it is {value} there")
    count = len(outputs)
    reverse = [_floats(pull_back(rebuild_outputs(_unit(k, count)))) for k in range(count)]
    for i, x in enumerate(point):
        forward = _floats(jvp(f, rebuild(point), rebuild(_unit(i, len(point))))[1])
        estimates = _complex_step(f, point, rebuild, i, outputs) or _differences(f, point, rebuild, i)
        _refuse_kinks(f, point, rebuild, i, max(estimate.step for estimate in estimates))
        witnesses: list[Estimate] = []
        for k, estimate in enumerate(estimates):
            derivatives, natural = (reverse[k][i], forward[k]), abs(outputs[k]) / max(abs(x), 1.0)
            if _uncertain(estimate, natural):
                raise ValueError(
                    f"gradcheck cannot judge output {k} at input {i} = {x!r}: differences give "
                    f"{estimate.value:.6g} +- {estimate.error:.1g}; choose a point where it varies less"
                )
            if _agree(derivatives, estimate):
                continue
            if estimate.method == COMPLEX:
                # NumPy takes complex numbers for what they are: np.abs is their modulus, which has no complex
                # derivative. So a complex step may acquit, but not condemn alone.
                witnesses = witnesses or _differences(f, point, rebuild, i)
                if not _uncertain(witnesses[k], natural) and _agree(derivatives, witnesses[k]):
                    continue
            yield (
                f"  output {k} by input {i} = {x!r}: reverse mode {reverse[k][i]!r}, forward mode "
                f"{forward[k]!r}, {estimate.method} {estimate.value!r} (+- {estimate.error:.1g})"
            )


def _uncertain(estimate: Estimate, natural: float) -> bool:
    return estimate.error > 1e-4 * max(abs(estimate.value), natural)


def _agree(derivatives: Sequence[float], estimate: Estimate) -> bool:
    scale = max(map(abs, (estimate.value, *derivatives)))
    slack = TOLERANCE * scale + 4.0 * estimate.error
    return all(abs(derivative - estimate.value) <= slack for derivative in derivatives)


def _differences(f: Function, point: list[float], rebuild: Callable[..., Any], i: int) -> list[Estimate]:
    """Return the derivative of each output by input i: central differences, extrapolated from three steps."""

    def at(x: float) -> list[float]:
        return _floats(f(*rebuild([*point[:i], x, *point[i + 1 :]])))

    trials: list[list[Estimate]] = []
    for shrink in range(5):
        h = FIRST_STEP * max(abs(point[i]), 1.0) / 8.0**shrink
        above, below = zip(*((at(point[i] + h / n), at(point[i] - h / n)) for n in (1, 2, 4)), strict=True)
        found = []
        for high, low in zip(zip(*above, strict=True), zip(*below, strict=True), strict=True):
            first = [(high[n] - low[n]) / (2.0 * h / 2**n) for n in range(3)]
            second = [(4.0 * first[n + 1] - first[n]) / 3.0 for n in range(2)]
            third = (16.0 * second[1] - second[0]) / 15.0
            rounding = 2.0**-50 * (abs(high[2]) + abs(low[2])) / h
            error = abs(third - second[1]) + rounding
            found.append(Estimate(third, error if math.isfinite(error) else math.inf, "differences", h))
        trials.append(found)
    return [_most_certain(steps) for steps in zip(*trials, strict=True)]


def _most_certain(trials: Sequence[Estimate]) -> Estimate:
    """Return the best trial: one that a neighbour confirms, which fails where a function swings too fast."""
    confirmed = []
    for k, trial in enumerate(trials):
        distance = min(
            abs(trial.value - t.value) for t in (*trials[max(k - 1, 0) : k], *trials[k + 1 : k + 2])
        )
        error = trial.error + distance if math.isfinite(distance) else math.inf
        confirmed.append(replace(trial, error=error))
    return min(confirmed, key=lambda trial: trial.error)


def _refuse_kinks(f: Function, point: list[float], rebuild: Callable[..., Any], i: int, step: float) -> None:
    """Record the function at both ends of the step: no kink may lie between, and no other branch be taken."""

    def recorded(x: float) -> list[Value]:
        leaves = [Value(item) for item in [*point[:i], x, *point[i + 1 :]]]
        outputs = [item for item in flatten(f(*rebuild(leaves)))[0] if isinstance(item, Value)]
        return topological_order(*outputs)

    here, low, high = recorded(point[i]), recorded(point[i] - step), recorded(point[i] + step)
    if not [n.op for n in here] == [n.op for n in low] == [n.op for n in high]:
        raise ValueError(
            f"gradcheck refuses input {i} = {point[i]!r}: the program takes another branch within {step:.1g}"
        )
    for nodes in zip(here, low, high, strict=True):
        op = nodes[0].op
        for kink in op.kinks if op is not None else ():
            sides = [_sign(kink(*[parent.data for parent in node.parents])) for node in nodes]
            if len(set(sides)) > 1:
                raise ValueError(
                    f"gradcheck refuses input {i} = {point[i]!r}: {describe(nodes[0])} has a kink within "
                    f"{step:.1g}, where no derivative exists"
                )


def _floats(nested: Nested) -> list[float]:
    return [float(item) for item in flatten(nested)[0]]


def _sign(x: float) -> int:
    return (x > 0.0) - (x < 0.0)


def _unit(i: int, n: int) -> list[float]:
    return [float(i == k) for k in range(n)]


# The complex step: f(x + ih) = f(x) + ih f'(x) + O(h^2), with no cancellation whatever h is. ----------------


def _complex_step(
    f: Function, point: list[float], rebuild: Callable[..., Any], i: int, outputs: Sequence[float]
) -> list[Estimate]:
    """Return the derivative of each output by input i, or nothing where complex numbers cannot go."""
    items: list[Any] = [*point]
    items[i] = Complex(point[i], COMPLEX_STEP)
    try:
        results = [complex(result) for result in flatten(f(*rebuild(items)))[0]]
    except Exception:  # any refusal will do: the function itself has proved sound on Values before
        return []
    estimates = []
    for result, expected in zip(results, outputs, strict=True):
        if not abs(result.real - expected) <= 1e-9 * max(abs(expected), 1.0):
            return []  # another branch of a complex function
        slope = result.imag / COMPLEX_STEP
        estimates.append(Estimate(slope, 1e-11 * abs(slope), COMPLEX, 1e-8 * max(abs(point[i]), 1.0)))
    return estimates


class Complex(complex):
    """A complex number that the operations take, by their definitions; it is ordered by its real part."""

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> "Complex":
        """Return ``operation``'s definition at complex arguments."""
        names = dict(zip(operation.arguments, (Complex(a) for a in arguments), strict=True))
        return Complex(eval(_code(operation.definition), _COMPLEX_NAMES, names))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return an operation as a method, as Value has it."""
        row = ops.TABLE.get(name)
        if row is None:
            raise AttributeError(f"complex numbers have no {name!r}")
        return lambda *arguments, **keywords: row(self, *arguments, **keywords)

    def __lt__(self, other: Any) -> bool:
        return self.real < complex(other).real

    def __le__(self, other: Any) -> bool:
        return self.real <= complex(other).real

    def __gt__(self, other: Any) -> bool:
        return self.real > complex(other).real

    def __ge__(self, other: Any) -> bool:
        return self.real >= complex(other).real

    def __bool__(self) -> bool:
        return self.real != 0.0

    def __abs__(self) -> Any:
        return self if self.real >= 0.0 else -self


def _wrapped(name: str) -> Callable[..., Any]:
    arithmetic = getattr(complex, name)

    def method(self: Complex, *others: Any) -> Any:
        if not all(is_real(other) or isinstance(other, complex) for other in others):
            return NotImplemented
        result = arithmetic(self, *others)
        return result if result is NotImplemented else Complex(result)

    return method


for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Complex, f"__{_name}__", _wrapped(f"__{_name}__"))
    setattr(Complex, f"__r{_name}__", _wrapped(f"__r{_name}__"))
for _name in ("neg", "pos"):
    setattr(Complex, f"__{_name}__", _wrapped(f"__{_name}__"))

_COMPLEX_NAMES: dict[str, Any] = {
    **{name: getattr(cmath, name) for name in ("exp", "log", "sqrt", "pi")},
    **{name: getattr(cmath, name) for name in ops.TABLE if hasattr(cmath, name)},
    "abs": abs,
    "__builtins__": {},
}


@cache
def _code(definition: str) -> CodeType:
    return compile(definition, definition, "eval")
