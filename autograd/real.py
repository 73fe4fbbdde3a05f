"""Elementary functions of plain floats, total under IEEE 754.

Python's ``math`` raises where IEEE arithmetic returns inf or nan (``1/0``, ``log(0)``, ``exp(710)``). A graph
must not stop at such a point, so every function here returns what the standard prescribes. Functions that
``math`` lacks are written for accuracy over the whole range of doubles, subnormal results included.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

inf, nan = math.inf, math.nan

SQRT_TWO = math.sqrt(2.0)
SQRT_TWO_TAIL = -9.667293313452913e-17  # sqrt(2) - SQRT_TWO, so that the pair carries 107 bits
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
INV_SQRT_TWO_PI = 0.3989422804014327
INV_SQRT_TWO_PI_TAIL = -6.247337834861335e-17  # what is missing in it, relative to it
LOG_2 = math.log(2.0)
LOG_2_HIGH = math.floor(LOG_2 * 2.0**40) / 2.0**40  # so short that its small multiples are exact
LOG_2_LOW = 7.371002565167799e-13  # log(2) - LOG_2_HIGH
LOG_10 = math.log(10.0)
DEGREE = 0.017453292519943295
DEGREE_TAIL = 2.9486522708701687e-19
RADIAN = 57.29577951308232
RADIAN_TAIL = -1.9878495670576283e-15
LOG2_E = 1.4426950408889634
LOG10_E = 0.4342944819032518
# (1 + t) exp(t*t/2) Q(t) - 15/32 as a polynomial in (t - 5) / (t + 5), where Q(t) is the probability above t
# in the standard normal distribution; made by tests/coefficients.py.
# fmt: off
UPPER_TAIL = (
    -2.7701481656827913e-10, 1.6294822123482363e-11, 4.305928346122364e-09, 2.6641470506077205e-09,
    -3.132082028087379e-08, -2.4964749749793523e-08, 1.9716412822314452e-07, 1.2687978435110762e-07,
    -1.3083296242531128e-06, -6.989850792867112e-08, 9.06032311426407e-06, -9.896216310883174e-06,
    -5.36077545074153e-05, 0.00018233416164045794, 7.791634836196445e-06, -0.00167607234514747,
    0.006522000662944827, -0.015170415402641402, 0.024536963244022193, -0.026401042966293736,
    0.010002352385218209, 0.031030368425963278, -0.09155228183400893, -0.007234170149962226,
)
# -log(erfc(t)) / t as a polynomial in t / (t + 6), made likewise.
ERF = (
    11673.149364382802, -54586.37684503844, 115623.67899038616, -141194.83333960088,
    101608.21408388093, -31580.819037038807, -14974.384058075562, 22538.919721521386,
    -11324.7561909101, 2118.064713778616, 374.78602078684514, 4.8707207553384775,
    -233.69543894732053, 79.48498708238493, 53.458842280972526, -24.019687577585554,
    -1.4898958642089715, 16.705901421627075, 5.933738037389714, 2.252809883465573,
    7.087601517898022, 7.519532353075916, 3.8197186342054867, 1.1283791670955126,
)
# fmt: on


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


def rint(x: float) -> float:
    """Return the nearest whole number, of two the even one."""
    if not 0.0 < abs(x) < 2.0**52:  # whole, infinite or nan
        return x
    return (x + 2.0**52) - 2.0**52 if x > 0.0 else -((2.0**52 - x) - 2.0**52)  # doubles are whole up there


def floor(x: float) -> float:
    """Return the largest whole number not above x."""
    nearest = rint(x)
    return nearest - 1.0 if nearest > x else nearest


def ceil(x: float) -> float:
    """Return the smallest whole number not below x."""
    nearest = rint(x)
    return -(-nearest - 1.0) if nearest < x else nearest  # -0.0 for -0.7


def mod(x: float, y: float) -> float:
    """Return what is left of x after taking off y as often as it goes, with the sign of y; nan for y = 0."""
    if y == 0.0 or math.isinf(x):
        return nan
    return x % y


def floordiv(x: float, y: float) -> float:
    """Return how often y goes into x, a whole number; inf or nan for y = 0."""
    try:
        return x // y
    except ZeroDivisionError:
        return div(x, y)


def sinpi(x: float) -> float:
    """Return sin(pi x), exactly 0 at whole numbers."""
    if not math.isfinite(x):
        return nan
    half = math.fmod(x, 2.0)  # exact
    if abs(half) > 1.0:
        half -= math.copysign(2.0, half)
    if abs(half) > 0.5:
        half = math.copysign(1.0, half) - half
    return math.sin(math.pi * half)


def cospi(x: float) -> float:
    """Return cos(pi x), exactly 0 at odd multiples of 1/2."""
    half = abs(math.fmod(x, 2.0)) if math.isfinite(x) else nan
    if half > 1.0:
        half = 2.0 - half
    return math.cos(math.pi * half) if half < 0.25 else sinpi(0.5 - half)


def deg2rad(x: float) -> float:
    """Return an angle of x degrees in radians, rounded little more than once."""
    return x * DEGREE + x * DEGREE_TAIL if math.isfinite(x) else x


def rad2deg(x: float) -> float:
    """Return an angle of x radians in degrees, rounded little more than once."""
    degrees = x * RADIAN
    # The tail's sign is the other one, so that 0.0 would come of -0.0.
    return degrees + x * RADIAN_TAIL if degrees and math.isfinite(degrees) else degrees


def logaddexp(x: float, y: float) -> float:
    """Return log(exp(x) + exp(y)) without overflow."""
    if x == y:  # infinities too
        return x + LOG_2
    return maximum(x, y) + math.log1p(exp(-abs(x - y)))


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
    x_high, x_low = halves(x)
    y_high, y_low = halves(y)
    return p, ((x_high * y_high - p) + x_high * y_low + x_low * y_high) + x_low * y_low


def halves(x: float) -> tuple[float, float]:
    """Return a double as a sum of two with half as many digits, so that products of halves are exact."""
    t = 134217729.0 * x  # 2**27 + 1
    high = t - (t - x)
    return high, x - high


def square(x: float) -> tuple[float, float]:
    """Return x*x as what is exact of it, the square of half of the digits of x, and the rest."""
    high, low = halves(x)
    return high * high, low * (x + high)


def quotient(
    numerator: float, numerator_tail: float, denominator: float, denominator_tail: float, factor: float = 1.0
) -> float:
    """Return factor * numerator / denominator, both with their tails, rounded little more than once."""
    whole = numerator / denominator
    product, product_tail = two_product(whole, denominator)
    rest = ((numerator - product) - product_tail + numerator_tail - whole * denominator_tail) / denominator
    return whole * factor + rest * factor


def gauss(x: float, amplitude: float) -> float:
    """Return amplitude * exp(-x*x), the square in double-double because exp would magnify its rounding error.

    The amplitude is a factor in here because exp(-x*x) alone may be subnormal, and short of digits, where the
    product is not.
    """
    if not abs(x) < 40.0:
        return x if x != x else 0.0 * amplitude
    return _any_bell(*square(x), amplitude)


def normal_pdf(x: float, amplitude: float) -> float:
    """Return amplitude * exp(-x*x/2) / sqrt(2 pi), the density of the standard normal distribution."""
    if not abs(x) < 56.0:
        return x if x != x else 0.0 * amplitude
    whole, tail = square(x)
    return _any_bell(0.5 * whole, 0.5 * tail - INV_SQRT_TWO_PI_TAIL, INV_SQRT_TWO_PI * amplitude)


def _bell(exponent: float, tail: float, amplitude: float, amplitude_tail: float = 0.0) -> float:
    """Return (amplitude + amplitude_tail) * exp(-(exponent + tail)), rounded little more than once.

    With exponent = n log(2) - r, reduced after Cody and Waite (1980), the last sum is amplitude + amplitude *
    expm1(r), whose second term is the smaller one, as its rounding error is. Scaling by 2**-n comes last, so
    that nothing underflows before. The amplitude is not 0, and below 1e308.
    """
    n = round(exponent * LOG2_E)
    m = near_expm1((n * LOG_2_HIGH - exponent) + (n * LOG_2_LOW - tail))
    return math.ldexp(amplitude + (amplitude * m + amplitude_tail * (1.0 + m)), -n)


def near_expm1(r: float) -> float:
    """Return exp(r) - 1 for abs(r) < 0.35: as machine code a polynomial, which needs no branch."""
    return math.expm1(r)


def _any_bell(exponent: float, tail: float, amplitude: float, amplitude_tail: float = 0.0) -> float:
    """Return `_bell` for any amplitude: its sum would lose the sign of a zero, overflow, or be inf - inf."""
    if 0.0 < abs(amplitude) < 1e308:
        return _bell(exponent, tail, amplitude, amplitude_tail)
    whole = exponent + tail
    half = math.exp(-0.5 * whole)
    return amplitude * (half - half * (tail - (whole - exponent))) * half


def _upper_tail(t: float, t_tail: float = 0.0) -> tuple[float, float]:
    """Return half the digits of exp(t*t/2) times the probability above t + t_tail, and the rest.

    That is for 0 <= t < 43.

    It is (15/32 + p) / (1 + t) with a polynomial p (Shepherd and Laframboise 1981). As |p| < 1/16 it needs no
    more digits than a double has; the rest is in double-double.
    """
    p = polynomial(UPPER_TAIL, (t - 5.0) / (t + 5.0))
    numerator = 0.46875 + p
    numerator_tail = p - (numerator - 0.46875)
    denominator = 1.0 + t
    rest = denominator - 1.0
    denominator_tail = (1.0 - (denominator - rest)) + (t - rest) + t_tail
    inverse = 1.0 / denominator
    ratio, _ = halves(numerator * inverse)
    high, low = halves(denominator)
    lacking = (numerator - ratio * high) - ratio * low + (numerator_tail - ratio * denominator_tail)
    return ratio, lacking * inverse


def erfc(x: float) -> float:
    """Return the complementary error function, to more digits in its tail than the C library's has."""
    if x < 0.45:
        return 1.0 - math.erf(x)
    if not x < 30.0:
        return x if x != x else 0.0
    t, tail = two_product(x, SQRT_TWO)
    ratio, ratio_tail = _upper_tail(t, tail + x * SQRT_TWO_TAIL)
    return _bell(*square(x), 2.0 * ratio, 2.0 * ratio_tail)


def bell_of_array(np: Any, exponent: Any, amplitude: Any) -> Any:
    """Return amplitude * exp(-exponent) of arrays, where exp alone may underflow.

    Args:
        np: the module ``numpy``.
        exponent: a float array.
        amplitude: a float array, or a number.
    """
    half = np.exp(-0.5 * exponent)
    return amplitude * half * half


def polynomial(coefficients: Sequence[float], q: Any) -> Any:
    """Return a polynomial of a number or an array.

    Args:
        coefficients: the highest power first.
        q: where.
    """
    p = coefficients[0] * q + coefficients[1]
    for coefficient in coefficients[2:]:
        p *= q  # of an array in place, which saves most of the time
        p += coefficient
    return p


def _upper_tail_of_array(t: Any) -> Any:
    """Return `_upper_tail` of an array, without what it lacks."""
    return (0.46875 + polynomial(UPPER_TAIL, (t - 5.0) / (t + 5.0))) / (1.0 + t)


def erfc_of_array(np: Any, x: Any) -> Any:
    """Return `erfc` of an array by the same polynomial, to rounding errors of about x*x units.

    Args:
        np: the array namespace: the module ``numpy``, or one like it.
        x: a float array.
    """
    t = np.minimum(np.abs(x), 30.0)
    tail = 2.0 * _upper_tail_of_array(SQRT_TWO * t) * np.exp(-t * t)
    return np.where(x < 0.0, 2.0 - tail, tail)


def erf_of_array(np: Any, x: Any) -> Any:
    """Return `erf` of an array as 1 - exp(-t Q(t)), t = abs(x), accurate for small ones too with expm1.

    Args:
        np: the array namespace: the module ``numpy``, or one like it.
        x: a float array.
    """
    t = np.minimum(np.abs(x), 6.0)
    return np.copysign(np.expm1(-t * polynomial(ERF, t / (t + 6.0))), x)


def normal_cdf_of_array(np: Any, x: Any) -> Any:
    """Return `normal_cdf` of an array; arguments as of `erfc_of_array`."""
    t = np.minimum(np.abs(x), 40.0)
    tail = _upper_tail_of_array(t) * np.exp(-0.5 * t * t)
    return np.where(x > 0.0, 1.0 - tail, tail)


def sigmoid_of_array(np: Any, x: Any) -> Any:
    """Return `sigmoid` of an array; arguments as of `erfc_of_array`."""
    return np.exp(np.minimum(x, 0.0)) / (1.0 + np.exp(-np.abs(x)))


def logistic_pdf_of_array(np: Any, x: Any) -> Any:
    """Return `logistic_pdf` of an array; arguments as of `erfc_of_array`."""
    e = np.exp(-np.abs(x))
    d = 1.0 + e
    return e / (d * d)


def pow_of_array(np: Any, x: Any, y: Any) -> Any:
    """Return `pow` of arrays; of one exponent 0.5 NumPy takes the root, which differs at -0.0 and -inf."""
    power = np.power(x, y)
    return np.where(np.equal(y, 0.5), np.where(np.equal(x, -inf), inf, np.abs(power)), power)


def softplus_of_array(np: Any, x: Any) -> Any:
    """Return `softplus` of an array; arguments as of `erfc_of_array`."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def normal_cdf(x: float) -> float:
    """Return erfc(-x/sqrt(2)) / 2, the distribution function of the standard normal distribution."""
    if not abs(x) < 40.0:
        return x if x != x else float(x > 0.0)
    whole, rest = square(x)
    tail = _bell(0.5 * whole, 0.5 * rest, *_upper_tail(abs(x)))
    return 1.0 - tail if x > 0.0 else tail


def gelu(x: float) -> float:
    """Return x times the normal distribution function at x."""
    if not abs(x) < 40.0:
        return -0.0 if x < 0.0 else x
    whole, rest = square(x)
    ratio, ratio_tail = _upper_tail(abs(x))
    high, low = halves(x)
    tail = _any_bell(0.5 * whole, 0.5 * rest, ratio * high, ratio * low + ratio_tail * x)
    return x - tail if x > 0.0 else tail


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)) without overflow, keeping the subnormal tail."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def logistic_pdf(x: float) -> float:
    """Return exp(-x) / (1 + exp(-x))**2, which is even, rounded little more than once."""
    e = math.exp(-abs(x))
    growth = e * (2.0 + e)
    square = 1.0 + growth  # of 1 + e; what it lacks is taken off in the last line
    z = e / square
    return z - z * (growth - (square - 1.0)) / square


def softplus(x: float) -> float:
    """Return log(1 + exp(x)) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


def silu(x: float) -> float:
    """Return x / (1 + exp(-x)), also where exp(-x) would overflow."""
    if x > -709.0 or x != x:
        return x / (1.0 + math.exp(-x))
    half = math.exp(0.5 * x)
    return x * half * half if half else -0.0


def mish(x: float) -> float:
    """Return x * tanh(log(1 + exp(x))), which is silu far below 0."""
    if x == 0.0 or not -40.0 < x < 40.0:  # a sum would lose the sign of a zero
        return silu(x)
    # With e = exp(-|x|) it is x e (e + 2) / (e (e + 2) + 2) for x < 0, else x (2 e + 1) / (2 e (e + 1) + 1).
    e = math.exp(-abs(x))
    if x < 0.0:
        top, tail = two_product(e, e + 2.0)
        tail += e * (e - ((e + 2.0) - 2.0))
        bottom = top + 2.0
        bottom_tail = top - (bottom - 2.0) + tail
    else:
        top = 2.0 * e + 1.0
        tail = 2.0 * e - (top - 1.0)
        bottom = 2.0 * e * e + top
        bottom_tail = 2.0 * e * e - (bottom - top) + tail
    product, product_tail = two_product(x, top)
    return quotient(product, product_tail + x * tail, bottom, bottom_tail)


def relu(x: float) -> float:
    """Return max(x, 0), nan for nan."""
    return 0.0 if x <= 0.0 else x


def leaky_relu(x: float, negative_slope: float) -> float:
    """Return x where positive, else negative_slope * x."""
    return x if x > 0.0 else negative_slope * x


def elu(x: float, alpha: float) -> float:
    """Return x where positive, else alpha * (exp(x) - 1)."""
    return x if x > 0.0 else alpha * math.expm1(x)
