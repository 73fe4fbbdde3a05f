"""Elementary functions of plain floats, total under IEEE 754.

Python's ``math`` raises where IEEE arithmetic returns inf or nan (``1/0``, ``log(0)``, ``exp(710)``). A graph
must not stop at such a point, so every function here returns what the standard prescribes. Functions that
``math`` lacks are written for accuracy over the whole range of doubles, subnormal results included.
"""

import math
from collections.abc import Callable

inf, nan = math.inf, math.nan

SQRT_HALF = math.sqrt(0.5)
SQRT_HALF_TAIL = -4.833646656726457e-17  # sqrt(1/2) - SQRT_HALF, so that the pair carries 107 bits
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
INV_SQRT_TWO_PI = 0.3989422804014327
INV_SQRT_TWO_PI_TAIL = -6.247337834861335e-17  # what is missing in it, relative to it
LOG_2 = math.log(2.0)
LOG2_E = 1.4426950408889634
LOG10_E = 0.4342944819032518


def total(
    function: Callable[[float], float], poles: dict[float, float] | None = None
) -> Callable[[float], float]:
    """Make a one-argument function of ``math`` total: overflow gives an infinity, a pole its limit, else nan.

    Args:
        function: the function of ``math``; it raises ``OverflowError`` or ``ValueError`` outside its range.
        poles: the IEEE result at each pole.

    Returns:
        The same function, never raising for a float.
    """
    limits = poles or {}

    def totalled(x: float) -> float:
        try:
            return function(x)
        except OverflowError:  # only functions that grow like exp do; the odd one of them is sinh
            return -inf if x < 0.0 and function is math.sinh else inf
        except ValueError:
            return limits.get(x, nan)

    totalled.__name__ = totalled.__qualname__ = function.__name__
    return totalled


exp = total(math.exp)
expm1 = total(math.expm1)
exp2 = total(math.exp2)
log = total(math.log, {0.0: -inf})
log2 = total(math.log2, {0.0: -inf})
log10 = total(math.log10, {0.0: -inf})
log1p = total(math.log1p, {-1.0: -inf})
sin = total(math.sin)
cos = total(math.cos)
tan = total(math.tan)
asin = total(math.asin)
acos = total(math.acos)
sinh = total(math.sinh)
cosh = total(math.cosh)
acosh = total(math.acosh)
atanh = total(math.atanh, {1.0: inf, -1.0: -inf})
sqrt = total(math.sqrt)


def div(x: float, y: float) -> float:
    """Return x / y with signed infinities and nan where Python raises."""
    try:
        return x / y
    except ZeroDivisionError:
        if x == 0.0 or x != x:
            return nan
        return math.copysign(inf, x) * math.copysign(1.0, y)


def pow(x: float, y: float) -> float:  # noqa: A001 - the name that math and the operation table use
    """Return x ** y as C's ``pow``: never complex, never raising."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0.0 and y % 2.0 == 1.0 else inf
    except ValueError:
        if x == 0.0:  # and y < 0: a pole, signed where the exponent is an odd integer
            return math.copysign(inf, x) if y % 2.0 == 1.0 else inf
        return nan


def sign(x: float) -> float:
    """Return -1, 0 or 1; nan for nan."""
    return float((x > 0.0) - (x < 0.0)) if x == x else nan


def maximum(x: float, y: float) -> float:
    """Return the larger; nan if either is nan."""
    return x if x > y or x != x else y


def minimum(x: float, y: float) -> float:
    """Return the smaller; nan if either is nan."""
    return x if x < y or x != x else y


def clamp(x: float, lower: float, upper: float) -> float:
    """Return min(max(x, lower), upper)."""
    return minimum(maximum(x, lower), upper)


def cbrt(x: float) -> float:
    """Return the real cube root, refined by one Newton step with an exact residual.

    The system's ``cbrt`` may be wrong by several units in the last place, and the derivative 1/(3 z**2)
    doubles that.
    """
    z = math.cbrt(x)
    if z == 0.0 or not math.isfinite(z):
        return z
    mantissa, exponent = math.frexp(x)
    shift = exponent % 3
    scaled, root = math.ldexp(mantissa, shift), math.ldexp(z, (shift - exponent) // 3)
    square, square_tail = two_product(root, root)
    cube, cube_tail = two_product(square, root)
    residual = (cube - scaled) + (cube_tail + square_tail * root)
    return math.ldexp(root - residual / (3.0 * square), (exponent - shift) // 3)


def two_product(x: float, y: float) -> tuple[float, float]:
    """Return p, e with p = fl(x y) and p + e = x y exactly (Dekker 1971), for arguments far from overflow."""
    p = x * y
    t = 134217729.0 * x  # 2**27 + 1 splits a double into two halves whose products are exact
    x_high = t - (t - x)
    x_low = x - x_high
    t = 134217729.0 * y
    y_high = t - (t - y)
    y_low = y - y_high
    return p, ((x_high * y_high - p) + x_high * y_low + x_low * y_high) + x_low * y_low


def gauss(x: float, amplitude: float) -> float:
    """Return amplitude * exp(-x*x), the square in double-double because exp would magnify its rounding error.

    The amplitude is a factor in here because exp(-x*x) alone may be subnormal, and short of digits, where the
    product is not.
    """
    if abs(x) > 40.0:
        return 0.0 * amplitude
    square, tail = two_product(x, x)
    return _bell(square, tail, amplitude)


def normal_pdf(x: float, amplitude: float) -> float:
    """Return amplitude * exp(-x*x/2) / sqrt(2 pi), the density of the standard normal distribution."""
    if abs(x) > 56.0:
        return 0.0 * amplitude
    square, tail = two_product(x, x)
    return _bell(0.5 * square, 0.5 * tail - INV_SQRT_TWO_PI_TAIL, INV_SQRT_TWO_PI * amplitude)


def _bell(exponent: float, tail: float, amplitude: float) -> float:
    """Return amplitude * exp(-(exponent + tail)) for a small tail, with no intermediate that underflows."""
    if exponent < 700.0:
        e = math.exp(-exponent)
        return amplitude * (e - e * tail)
    half = math.exp(-0.5 * exponent)
    return (amplitude - amplitude * tail) * half * half


def normal_cdf(x: float) -> float:
    """Return erfc(-x/sqrt(2)) / 2, the distribution function of the standard normal distribution.

    The argument's rounding error would be magnified by x*x; it is carried along and corrected for with
    one term of the Taylor series.
    """
    if not abs(x) < 40.0:
        return nan if x != x else float(x > 0.0)
    t, tail = two_product(-x, SQRT_HALF)
    tail -= x * SQRT_HALF_TAIL
    return 0.5 * (math.erfc(t) - tail * TWO_OVER_SQRT_PI * math.exp(-t * t))


def gelu(x: float) -> float:
    """Return x times the normal distribution function at x.

    Where that distribution function would be subnormal, its asymptotic series (Abramowitz & Stegun 26.2.12)
    gives the product directly.
    """
    if x > -36.0 or x != x:
        return x * normal_cdf(x)
    series, term, inverse_square = 1.0, 1.0, 1.0 / (x * x)
    for k in range(1, 15, 2):
        term *= -k * inverse_square
        series += term
    return normal_pdf(x, -series)


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)) without overflow, keeping the subnormal tail."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def softplus(x: float) -> float:
    """Return log(1 + exp(x)) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


def silu(x: float) -> float:
    """Return x / (1 + exp(-x)), also where exp(-x) would overflow."""
    if x > -709.0 or x != x:
        return x / (1.0 + math.exp(-x))
    half = math.exp(0.5 * x)
    return x * half * half if half else -0.0


def relu(x: float) -> float:
    """Return max(x, 0), nan for nan."""
    return 0.0 if x <= 0.0 else x


def leaky_relu(x: float, negative_slope: float) -> float:
    """Return x where positive, else negative_slope * x."""
    return x if x > 0.0 else negative_slope * x


def elu(x: float, alpha: float) -> float:
    """Return x where positive, else alpha * (exp(x) - 1)."""
    return x if x > 0.0 else alpha * math.expm1(x)
