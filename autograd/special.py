"""The logarithm of the gamma function, sinc, and their derivatives of any order, of floats and of arrays.

Python's ``math.lgamma`` has lost its digits near 1 and 2, where it is 0, and there is no digamma. None of
their derivatives is made of the others without loss, so the order is an argument: as rows of the table they
are closed under differentiation.
"""

import math
from functools import cache
from typing import Any

from autograd import real
from autograd.real import inf, nan, polynomial, quotient, two_product

INVERSE_E = 0.36787944117144233
INVERSE_E_TAIL = -1.2428753672788363e-17
PI_TAIL = 1.2246467991473532e-16  # pi - math.pi
STIRLING = 0.4189385332046727  # (log(2 pi) - 1) / 2
ROOT = 1.4616321449683622  # where digamma is 0
ROOT_TAIL = 9.549995429965697e-17
HIGHEST = 170.0  # the highest order, whose factorial is a float
# The polynomials are made by tests/coefficients.py.
# fmt: off
# log(gamma(x)) / ((x - 1) (x - 2)) - 1/2 for 1/2 <= x <= 3, in (x - 5/4) / (x + 1).
LGAMMA = (
    -0.0017523541982789035, -0.0019533072037404174, -0.0009763920088109312, -6.777769629423284e-06,
    -0.0013901569809766268, -0.0009641601953011427, -0.002050492281683022, -0.0006620341072130209,
    -0.002838543350293366, -0.0004950217528845482, -0.0042635981427044, 5.048067241674864e-05,
    -0.0067372184401051395, 0.0012867068971606707, -0.01133000989021038, 0.0040186801721956555,
    -0.02052142248469185, 0.010139290516611853, -0.041162266797021896, 0.024703385633860472,
    -0.09876754712654406, 0.06348268380928156, -0.4152563649828363, 0.02411646091633686,
)
# What (x - 1/2) (log(x) - 1) + STIRLING lacks of log(gamma(x)), times x, for x >= 3, in 1 / x**2.
LGAMMA_TAIL = (
    -1.2591741378706647, 1.0364376287210755, -0.41302940091672014, 0.11229667461420963,
    -0.02591763548428459, 0.006266355072207451, -0.0019135564194573535, 0.000841678862598761,
    -0.0005952373063227016, 0.0007936507891020488, -0.002777777777767353, 0.08333333333333333,
)
# digamma(x) / (x - ROOT) - 1 for 1 <= x <= 3, in (x - 7/4) / (x + 1).
DIGAMMA = (
    -0.0007775581020971924, -0.001444891588629894, -0.0011934206510683762, -0.0011921683302480925,
    -0.0011695634897986179, -0.0017860786993196423, -0.0013349873260320628, -0.0027707195362529874,
    -0.0010630699394876867, -0.005080843598172019, 0.0006259297711537565, -0.011103651250946275,
    0.00706282012293974, -0.02803866006325056, 0.028536390483772812, -0.07801057498052548,
    0.09576842147769929, -0.2320415659304703, 0.2910206305875302, -0.8972002266372907, -0.14181678287370048,
)
# (digamma(x) - log(y)) y**2 with y = x - 1/2 for x >= 3, in 1 / y**2.
DIGAMMA_TAIL = (
    -138.07520736822343, 172.679311035671, -100.25784862487436, 36.415101580165725, -9.53604730931845,
    2.0167632460788187, -0.39152145803337496, 0.0813593455631479, -0.0210289579166399, 0.007559979097570569,
    -0.004134103495732076, 0.003844245965044988, -0.007291666666505817, 0.0416666666666666,
)
# fmt: on
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)
"""B_2, B_4, ... of the Euler-Maclaurin formula."""


def is_order(order: float) -> bool:
    """Tell whether there is a derivative of that order: a whole number from 0 to 170."""
    return 0.0 <= order <= HIGHEST and order == math.floor(order)


def sine_of_pi(x: float) -> tuple[float, float]:
    """Return sin(pi x) of a finite x, exactly 0 at whole numbers, and what its rounded angle lacks in it."""
    half = x - 2.0 * round(0.5 * x)  # exact, between -1 and 1
    if abs(half) > 0.5:
        half = math.copysign(1.0, half) - half
    angle, tail = two_product(math.pi, half)
    return math.sin(angle), (tail + PI_TAIL * half) * math.cos(angle)


def cosine_of_pi(x: float) -> tuple[float, float]:
    """Return cos(pi x) of a finite x, exactly 0 at odd halves, and what its rounded angle lacks in it."""
    return sine_of_pi(0.5 - abs(x - 2.0 * round(0.5 * x)))


# The gamma function -----------------------------------------------------------------------------------------


def lgamma(x: float) -> float:
    """Return log(abs(gamma(x))), accurate relative to itself for x > -1/2, else relative to 1."""
    if not abs(x) < inf:
        return abs(x)
    if x > -0.5:
        return _lgamma(x)
    sine, _ = sine_of_pi(x)
    return real.log(real.div(math.pi, abs(x * sine))) - _lgamma(-x) if sine else inf


def _lgamma(x: float) -> float:
    """Return log(abs(gamma(x))) for -1/2 < x < inf."""
    if x >= 3.0:
        # (x - 1/2) log(x / e) + ..., where 2**-30 keeps the exact products from overflowing.
        small = x * 2.0**-30
        ratio, tail = two_product(small, INVERSE_E)
        logarithm = math.log(ratio * 2.0**30)
        product, rest = two_product((x - 0.5) * 2.0**-30, logarithm)
        rest += (x - 0.5) * 2.0**-30 * ((tail + small * INVERSE_E_TAIL) / ratio)
        inverse = 1.0 / x
        correction: float = polynomial(LGAMMA_TAIL, inverse * inverse) * inverse
        return product * 2.0**30 + (rest * 2.0**30 + (STIRLING + correction))
    low = x < 0.5  # then gamma(x) = gamma(x + 1) / x
    y = x + 1.0 if low else x
    zeros, tail = two_product(x if low else x - 1.0, x - 1.0 if low else x - 2.0)
    p: float = polynomial(LGAMMA, (y - 1.25) / (y + 1.0))
    value = 0.5 * zeros + (zeros * p + tail * (0.5 + p))
    return value - real.log(abs(x)) if low else value


def digamma(x: float, order: float) -> float:
    """Return the derivative of an order of digamma, which is that of `lgamma`."""
    if not is_order(order):
        return nan
    if order:
        return _polygamma(x, int(order))
    if not abs(x) < inf:
        return x if x > 0.0 else nan
    if x > 0.0:
        return _digamma(x)
    if x == 0.0:
        return real.div(-1.0, x)
    sine, _ = sine_of_pi(x)
    return _digamma(1.0 - x) - math.pi * (cosine_of_pi(x)[0] / sine) if sine else nan


def _digamma(x: float) -> float:
    """Return digamma for 0 < x < inf."""
    if x >= 3.0:
        y = x - 0.5
        inverse = 1.0 / y
        square = inverse * inverse
        tail: float = square * polynomial(DIGAMMA_TAIL, square)
        return math.log(y) + tail
    low = x < 1.0
    y = x + 1.0 if low else x
    lost = x - (y - 1.0) if low else 0.0
    p: float = polynomial(DIGAMMA, (y - 1.75) / (y + 1.0))
    value = (y - ROOT) + ((y - ROOT) * p + (lost - ROOT_TAIL) * (1.0 + p))
    return (x * value - 1.0) / x if low else value


def _polygamma(x: float, n: int) -> float:
    """Return the derivative of order n > 0 of digamma."""
    even = n % 2 == 0
    if not abs(x) < inf:
        return (-0.0 if even else 0.0) if x > 0.0 else nan
    if x > 0.0:
        return -_hurwitz(x, n) if even else _hurwitz(x, n)
    if x == 0.0:
        return -math.copysign(inf, x) if even else inf
    sine, _ = sine_of_pi(x)
    if sine == 0.0:
        return nan if even else inf
    cotangent = real.div(cosine_of_pi(x)[0], sine)
    slope: float = polynomial(cotangent_slope(n), cotangent)
    return -_hurwitz(1.0 - x, n) - math.pi ** (n + 1) * slope


def _hurwitz(x: float, n: int) -> float:
    """Return the sum of n! / (x + k)**(n + 1) over k >= 0 for x > 0, by Euler and Maclaurin after some."""
    steps = n + 10
    far = x >= steps
    y = x if far else x + steps
    u = 1.0 / (y * y)
    first = _term(y, n - 1)
    tail: float = first + first * (0.5 * n / y + polynomial(euler_maclaurin(n), u) * u)
    if far:
        return tail
    total, lost = tail, 0.0
    for k in range(steps - 1, 0, -1):
        s = x + k
        part = s - x
        term = _term(s, n)
        term -= term * ((n + 1) * ((x - (s - part)) + (k - part)) / s)  # the rounding of x + k
        sum_ = total + term
        part = sum_ - total
        lost += (total - (sum_ - part)) + (term - part)
        total = sum_
    return _term(x, n) + (total + lost)


def _term(s: float, n: int) -> float:
    """Return n! / s**(n + 1)."""
    if n <= 20:
        return math.factorial(n) * real.pow(s, -(n + 1.0))
    product: float = 1.0 / s
    for k in range(1, n + 1):
        product *= k / s  # neither of the two would be a float
    return product


@cache
def euler_maclaurin(n: int) -> tuple[float, ...]:
    """Return the coefficients of 1 / y**2 of what follows (n - 1)! / y**n, relative to it, by powers."""
    terms = enumerate(BERNOULLI, 1)
    return tuple(float(b * math.comb(n + 2 * k - 1, 2 * k)) for k, b in terms)[::-1]


@cache
def cotangent_slope(n: int) -> tuple[float, ...]:
    """Return the derivative of order n of cot as a polynomial in cot, of degree n + 1."""
    ascending = [0, 1]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(ascending)][1:]
        ascending = [-a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    return tuple(map(float, ascending[::-1]))


# Sinc -------------------------------------------------------------------------------------------------------


def sinc(x: float, order: float) -> float:
    """Return the derivative of an order of sin(pi x) / (pi x)."""
    if not (is_order(order) and abs(x) < inf):
        return nan
    n = int(order)
    if abs(x) < reach(n):
        series: float = polynomial(sinc_series(n), x * x)
        return series * x if n % 2 else series
    sine, sine_tail = sine_of_pi(x)
    angle, angle_tail = two_product(math.pi, x * 2.0**-30)
    value = quotient(sine, sine_tail, angle, angle_tail + PI_TAIL * (x * 2.0**-30)) * 2.0**-30
    cosine, cosine_tail = cosine_of_pi(x)
    for k in range(1, n + 1):  # x sinc(x) is sin(pi x) / pi, whose derivatives are these waves
        wave, tail = (cosine, cosine_tail) if k % 2 else (-sine, -sine_tail)
        scale = (-1.0) ** ((k - 1) // 2) * math.pi ** (k - 1)
        value = (scale * wave + (scale * tail - k * value)) / x
    return value


def reach(n: int) -> float:
    """Return up to where the derivative of order n of sinc is computed by its series about 0."""
    return 2.0**-27 if n == 0 else 0.5 if n == 1 else max(1.0, n / 6.0)


@cache
def sinc_series(n: int) -> tuple[float, ...]:
    """Return the coefficients of the derivative of order n of sinc: of x**2, for odd n beside a factor x."""
    k = (n + 1) // 2
    term, last = (-1.0) ** k * math.pi ** (2 * k) / (2 * k + 1), 2 * k + 24 + int(12.0 * reach(n))
    terms = []
    while 2 * k < last:
        terms.append(term)
        term *= -(math.pi**2) * (2 * k + 1) / ((2 * k + 3) * (2 * k + 1 - n) * (2 * k + 2 - n))
        k += 1
    return tuple(terms[::-1])


# Of arrays --------------------------------------------------------------------------------------------------


def waves_of_array(np: Any, x: Any) -> tuple[Any, Any]:
    """Return sin(pi x), exactly 0 at whole numbers, and cos(pi x) of an array."""
    half = x - 2.0 * np.rint(0.5 * x)
    folded = np.where(np.abs(half) > 0.5, np.copysign(1.0, half) - half, half)
    return np.sin(math.pi * folded), np.sin(math.pi * (0.5 - np.abs(half)))


def lgamma_of_array(np: Any, x: Any) -> Any:
    """Return `lgamma` of an array.

    Args:
        np: the array namespace: the module ``numpy``, or one like it.
        x: a float array.
    """
    sine, _ = waves_of_array(np, np.where(np.abs(x) < inf, x, 0.0))
    t = np.where(x > -0.5, x, -x)
    low = t < 0.5
    near, far = np.minimum(np.where(low, t + 1.0, t), 3.0), np.maximum(t, 3.0)
    zeros = np.where(low, t * (t - 1.0), (near - 1.0) * (near - 2.0))
    value = zeros * (0.5 + polynomial(LGAMMA, (near - 1.25) / (near + 1.0)))
    stirling = (far - 0.5) * (np.log(far) - 1.0)
    stirling = stirling + (STIRLING + polynomial(LGAMMA_TAIL, 1.0 / far / far) / far)
    value = np.where(t < 3.0, value - np.log(np.where(low, np.abs(t), 1.0)), stirling)
    reflected = np.where(sine == 0.0, inf, np.log(math.pi / np.abs(x * sine)) - value)
    return np.where(x > -0.5, value, np.where(x == x, reflected, x))


def digamma_of_array(np: Any, x: Any, order: float) -> Any:
    """Return `digamma` of an array and an order, a number; arguments as of `lgamma_of_array`."""
    if not is_order(order):
        return x * nan
    n = int(order)
    sine, cosine = waves_of_array(np, np.where(np.abs(x) < inf, x, 0.0))
    t = np.where(x < 0.0, 1.0 - x, x)
    if n:
        value = _hurwitz_of_array(np, t, n)
        slope = math.pi ** (n + 1) * polynomial(cotangent_slope(n), cosine / sine)
        if n % 2:
            return np.where(
                x > 0.0, value, np.where(sine == 0.0, np.where(x > -inf, inf, nan), -value - slope)
            )
        pole = np.where(x == 0.0, -np.copysign(inf, x), nan)
        return np.where(x > 0.0, -value, np.where(sine == 0.0, pole, -value - slope))
    low = t < 1.0
    near, far = np.minimum(np.where(low, t + 1.0, t), 3.0), np.maximum(t, 3.0) - 0.5
    value = (near - ROOT - ROOT_TAIL) * (1.0 + polynomial(DIGAMMA, (near - 1.75) / (near + 1.0)))
    square = 1.0 / far / far
    value = np.where(t < 3.0, value, np.log(far) + square * polynomial(DIGAMMA_TAIL, square))
    value = np.where(low, (t * value - 1.0) / t, value)
    return np.where(x < 0.0, np.where(sine == 0.0, nan, value - math.pi * (cosine / sine)), value)


def _hurwitz_of_array(np: Any, x: Any, n: int) -> Any:
    steps = n + 10
    near = x < steps
    y = np.where(near, x + steps, x)
    u = 1.0 / y / y
    first = _term_of_array(np, y, n - 1)
    total = first + first * (0.5 * n / y + polynomial(euler_maclaurin(n), u) * u)
    for k in range(steps - 1, -1, -1):
        total = total + np.where(near, _term_of_array(np, x + k, n), 0.0)
    return total


def _term_of_array(np: Any, s: Any, n: int) -> Any:
    if n <= 20:
        return math.factorial(n) * np.power(s, -(n + 1.0))
    product = 1.0 / s
    for k in range(1, n + 1):
        product = product * (k / s)
    return product


def sinc_of_array(np: Any, x: Any, order: float) -> Any:
    """Return `sinc` of an array and an order, a number; arguments as of `lgamma_of_array`."""
    if not is_order(order):
        return x * nan
    n = int(order)
    near = np.abs(x) < reach(n)
    inside, outside = np.where(near, x, 0.0), np.where(near, 1.0, x)
    series = polynomial(sinc_series(n), inside * inside)
    sine, cosine = waves_of_array(np, outside)
    value = sine / (math.pi * outside)
    for k in range(1, n + 1):
        scale = (-1.0) ** ((k - 1) // 2) * math.pi ** (k - 1)
        value = (scale * (cosine if k % 2 else -sine) - k * value) / outside
    return np.where(near, series * inside if n % 2 else series, value)
