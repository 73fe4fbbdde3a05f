"""Independent truth: the definitions of the table's rows, evaluated and differentiated by mpmath.

Only a row's ``definition`` is read, never its value or derivatives. ``python -m tests.oracle --points 10000``
prints the largest error of every one-argument row, in units in the last place (ulp).
"""

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from mpmath import mp, mpf

from autograd import ops
from autograd.row import Operation


def near_zero(order: int, x: Any) -> Any:
    """Return a derivative of loggamma at a number next to 0, by its Taylor series without the pole.

    The terms are (-1)**k zeta(k) / k x**k (DLMF 5.7.3), of which a few are enough there: mpmath needs half a
    minute for loggamma(5e-324) to the thousands of digits that a third difference takes.

    Args:
        order: 0 for loggamma, n + 1 for polygamma(n, x).
        x: the number, above 0 for order 0.
    """
    with mp.workprec(mp.prec + 20):
        total = -mp.log(x) if order == 0 else (-1) ** order * mp.factorial(order - 1) / x**order
        for k in range(max(order, 1), order + 2 - mp.prec // mp.mag(x)):
            falling = mp.ff(k - 1, order - 1) if order else mpf(1) / k
            total += (-1) ** k * falling * x ** (k - order) * (mp.zeta(k) if k > 1 else mp.euler)
    return +total


@cache
def tangent_numbers(count: int) -> list[int]:
    """Return the first tangent numbers 1, 2, 16, 272, ... (Brent and Harvey, 2011, algorithm 2)."""
    numbers = [math.factorial(k) for k in range(count)]
    for k in range(1, count):
        for j in range(k, count):
            numbers[j] = (j - k) * numbers[j - 1] + (j - k + 2) * numbers[j]
    return numbers


def far_digamma(x: Any) -> Any:
    """Return digamma of a positive number, moved so far that its asymptotic series is short (DLMF 5.11.2).

    mpmath moves it a quarter as far, and finds Bernoulli's numbers anew for each precision: it needs half a
    minute to thousands of digits. Here they are whole numbers over powers of 4, 2k T(k) / (4**k (4**k - 1)).
    """
    with mp.workprec(mp.prec + 20):
        total = mpf(0)
        for _ in range(max(0, int(0.4 * mp.prec) - int(min(x, mp.prec)))):
            total -= 1 / x
            x += 1
        total += mp.log(x) - 1 / (2 * x)
        k, term = 0, mpf(1)
        while abs(term) > mp.ldexp(abs(total), -mp.prec):
            k += 1
            tangent = tangent_numbers(max(64, 1 << (k - 1).bit_length()))[k - 1]
            term = (-1) ** k * mpf(tangent) / (4**k * (4**k - 1)) / x ** (2 * k)
            total += term
    return +total


def loggamma(x: Any) -> Any:
    """Return mpmath's, by a quicker way where that is slow."""
    return near_zero(0, x) if x > 0 and is_near_zero(x) else mp.loggamma(x)


def polygamma(order: Any, x: Any) -> Any:
    """Return mpmath's, by a quicker way where that is slow."""
    if is_near_zero(x):
        return near_zero(int(order) + 1, x)
    quicker = order == 0 and 0 < x < mp.inf and mp.prec > SLOW
    return far_digamma(x) if quicker else mp.polygamma(order, x)


def is_near_zero(x: Any) -> bool:
    """Tell whether a number is so small that a few terms of a series are enough at this precision."""
    return bool(x) and mp.isfinite(x) and mp.mag(x) < min(-40, -mp.prec // 30)


SLOW = 2000
"""The precision in bits beyond which mpmath's digamma takes seconds."""

NAMES = {
    **{name: getattr(mp, name) for name in dir(mp) if not name.startswith("_")},
    "loggamma": loggamma,
    "polygamma": polygamma,
    "abs": abs,
    "erfc": lambda x: mp.erfc(x) if abs(x) < 1e5 else mpf(2 * (x < 0)),  # mpmath overflows far out
    "clamp": lambda x, low, high: min(max(x, low), high),
    "round": mp.nint,
}
TINY, HUGE = 5e-324, sys.float_info.max
DIGITS = 50


@cache
def definition(row: Operation) -> Callable[..., Any]:
    """Return a row's definition as a function of mpmath numbers."""
    function: Callable[..., Any] = eval(f"lambda {', '.join(row.arguments)}: {row.definition}", NAMES)
    return function


def evaluate(row: Operation, arguments: tuple[Any, ...]) -> Any:
    """Return a row's definition at mpmath numbers, at mpmath's present precision."""
    return mpf(definition(row)(*arguments))


def converged(function: Callable[[], Any]) -> Any:
    """Return ``function()`` to 50 digits: at doubled precisions until two results agree to that.

    A zero may be a result that is too small for the precision, so it is believed at the last one only: 480
    digits, enough for 1 + the smallest double.
    """
    previous, digits = None, 60
    while True:
        with mp.workdps(digits):
            result = function()
            if previous is not None and result and abs(result - previous) <= abs(result) * mpf(10) ** -DIGITS:
                return result
            if digits == 480:
                return result
        previous, digits = result, digits * 2


def exact(row: Operation, arguments: tuple[float, ...]) -> Any:
    """Return the value of a row to 50 digits."""
    return converged(lambda: evaluate(row, tuple(map(mpf, arguments))))


def derivative(row: Operation, arguments: tuple[float, ...], index: int = 0, order: int = 1) -> Any:
    """Return the derivative of a row by one argument to 50 digits, by differences of its definition.

    The central difference of the order, with a step so small that its error is beyond the digits, and that it
    stays on this side of a kink among the smallest doubles, and with as many more digits as that step costs.
    """
    size = min([1.0, *(abs(x) for x in arguments if x)])
    reach = int(max(abs(math.log10(abs(x) or 1.0)) for x in arguments if math.isfinite(x)))

    def difference() -> Any:
        digits = mp.dps
        x = mpf(arguments[index])
        h = mpf(10) ** -digits * size
        with mp.workdps((order + 1) * (digits + reach) + 20):
            total = mpf(0)
            for k in range(order + 1):
                moved = [mpf(a) for a in arguments]
                moved[index] = x + (mpf(order) / 2 - k) * h
                total += (-1) ** k * mp.binomial(order, k) * evaluate(row, tuple(moved))
            return total / h**order

    return converged(difference)


@cache
def partial(row: Operation, arguments: tuple[float, ...], orders: tuple[int, ...]) -> Any:
    """Return a mixed partial derivative of a row to 20 digits: of these orders by its arguments."""
    with mp.workdps(30):
        function, point = definition(row), tuple(map(mpf, arguments))
        if row.arity == 1:
            return mp.diff(lambda x: mpf(function(x)), point[0], orders[0])
        return mp.diff(lambda *x: mpf(function(*x)), point, orders)


def to_float(number: Any) -> float:
    """Return the nearest double, infinities beyond the range."""
    return math.copysign(math.inf, number) if abs(number) > HUGE * (1 + mpf(2) ** -54) else float(number)


def ulps(result: float, truth: Any, scale: Any = 0) -> float:
    """Return the error of ``result`` in units in the last place of ``truth``, or of ``scale`` if larger."""
    rounded = to_float(truth)
    if math.isinf(rounded) or math.isinf(result):
        return 0.0 if result == rounded else math.inf if abs(rounded) < HUGE / 2 else 1.0
    with mp.workdps(60):
        unit = math.ulp(max(abs(rounded), to_float(abs(mpf(scale)))))
        return float(abs(mpf(result) - truth) / mpf(unit))


def points(row: Operation, count: int, rng: random.Random) -> Iterator[float]:
    """Yield points of a one-argument row's domain: its ends, special ones, random ones of all sizes."""
    low, high = row.domain[0]
    low, high = max(low, -HUGE), min(high, HUGE)
    special = [low, high, TINY, -TINY, 2.2250738585072014e-308, 1e-310, -1e-310, 0.5, -0.5, 1.0, -1.0]
    special += [math.nextafter(low, high), math.nextafter(high, low), 1e-8, -1e-8, 1e300, -1e300]
    inside = [x for x in special if low <= x <= high and not at_singularity(row, x)]
    yield from inside
    for _ in range(count - len(inside)):
        while True:
            kind = rng.random()
            if kind < 0.4:
                x = rng.uniform(max(low, -10.0), min(high, 10.0))
            elif kind < 0.6 and high - low < math.inf:
                x = rng.uniform(low, high)
            elif kind < 0.8:
                x = rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-323.0, 308.2)
            else:  # close to an end
                end = rng.choice((low, high))
                x = end + math.copysign(10.0 ** rng.uniform(-16.0, 1.0), -end)
            if low < x < high and not at_singularity(row, x):
                break
        yield x


def at_singularity(row: Operation, x: float) -> bool:
    """Tell whether x is a kink of the row or an end of its domain at or beyond which it is undefined."""
    low, high = row.domain[0]
    beyond = {low: math.nextafter(low, -math.inf), high: math.nextafter(high, math.inf)}
    defined = all(math.isfinite(row.value(at, *row.defaults)) for at in {x, beyond.get(x, x)})
    return not defined or any(kink(x, *row.defaults) == 0.0 for kink in row.kinks)


def unary_rows() -> list[Operation]:
    """Return the rows of one argument; others have defaults."""
    return [row for row in ops.TABLE.values() if row.arity - len(row.defaults) == 1]


def worst(row: Operation, count: int, seed: int = 1) -> tuple[float, float, float, float]:
    """Return the largest value error and its point, the largest derivative error and its point."""
    of_value, of_derivative = (-1.0, 0.0), (-1.0, 0.0)
    for x in points(row, count, random.Random(seed)):
        arguments = (x, *row.defaults)
        z = row.value(*arguments)
        of_value = max(of_value, (ulps(z, exact(row, arguments)), x))
        slope, scale = derivative(row, arguments), 0
        if any(
            abs(crossing(*arguments)) < 0.5 for crossing in row.crossings
        ):  # scaled by its condition there
            scale = mpf(x) * derivative(row, arguments, order=2)
        of_derivative = max(of_derivative, (ulps(float(row.derivatives[0](z, *arguments)), slope, scale), x))
    return (*of_value, *of_derivative)


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--rows", nargs="*")
    options = parser.parse_args()
    print(f"{'row':12} {'value':>6} {'at':>24} {'derivative':>12} {'at':>24}")
    for row in unary_rows():
        if not options.rows or row.name in options.rows:
            v, xv, d, xd = worst(row, options.points)
            print(f"{row.name:12} {v:6.2f} {xv:24.17g} {d:12.2f} {xd:24.17g}", flush=True)


if __name__ == "__main__":
    main()
