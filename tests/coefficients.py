"""The polynomials behind erf, erfc, normal_cdf, gelu, lgamma and digamma.

``python -m tests.coefficients`` prints them. They interpolate at Chebyshev points in a variable q that maps a
long half-line to an interval (Shepherd and Laframboise 1981). ``real.UPPER_TAIL`` is
(1 + t) exp(t*t/2) Q(t) - 15/32 for t <= 39, where Q(t) is the probability above t in the standard normal
distribution and q = (t - 5) / (t + 5). ``real.ERF`` is -log(erfc(t)) / t for t <= 6, where q = t / (t + 6),
for small t. What those of ``special`` are is said beside them.
"""

from collections.abc import Callable
from fractions import Fraction

from mpmath import mp, mpf


def upper_tail() -> list[float]:
    """Return the coefficients for normal_cdf, gelu and erfc."""

    def target(q: mpf) -> mpf:
        t = 5 * (1 + q) / (1 - q)
        return (1 + t) * mp.exp(t * t / 2) * mp.erfc(t / mp.sqrt(2)) / 2 - mpf(15) / 32

    return coefficients(target, -1, Fraction(17, 22))


def erf() -> list[float]:
    """Return the coefficients for erf."""

    def target(q: mpf) -> mpf:
        t = 6 * q / (1 - q)
        return -mp.log(mp.erfc(t)) / t

    return coefficients(target, 0, Fraction(1, 2))


def lgamma() -> list[float]:
    """Return the coefficients for lgamma between 1/2 and 3."""

    def target(q: mpf) -> mpf:
        x = (mpf(5) / 4 + q) / (1 - q)
        return mp.loggamma(x) / ((x - 1) * (x - 2)) - mpf(1) / 2

    return coefficients(target, Fraction(-1, 2), Fraction(7, 16))


def lgamma_tail() -> list[float]:
    """Return the coefficients for lgamma from 3 on."""

    def target(u: mpf) -> mpf:
        x = 1 / mp.sqrt(u)
        return (mp.loggamma(x) - (x - mpf(1) / 2) * (mp.log(x) - 1) - (mp.log(2 * mp.pi) - 1) / 2) * x

    return coefficients(target, 0, Fraction(1, 9), degree=11)


def digamma() -> list[float]:
    """Return the coefficients for digamma between 1 and 3."""

    def target(q: mpf) -> mpf:
        x = (mpf(7) / 4 + q) / (1 - q)
        return mp.digamma(x) / (x - mp.findroot(mp.digamma, 1.46)) - 1

    return coefficients(target, Fraction(-3, 8), Fraction(5, 16), degree=20)


def digamma_tail() -> list[float]:
    """Return the coefficients for digamma from 3 on."""

    def target(u: mpf) -> mpf:
        y = 1 / mp.sqrt(u)
        return (mp.digamma(y + mpf(1) / 2) - mp.log(y)) * y * y

    return coefficients(target, 0, Fraction(4, 25), degree=13)


def coefficients(
    target: Callable[[mpf], mpf], low: int | Fraction, high: Fraction, degree: int = 23
) -> list[float]:
    """Return the coefficients by q, the highest power first, computed to 60 digits.

    Args:
        target: the function of q.
        low: where it begins.
        high: where it ends.
        degree: the highest power.
    """
    with mp.workdps(60):
        first, last = (mpf(end.numerator) / end.denominator for end in (low, high))
        angles = [mp.pi * (2 * j + 1) / (2 * degree + 2) for j in range(degree + 1)]
        points = [(first + last) / 2 + (last - first) / 2 * mp.cos(angle) for angle in angles]
        powers = mp.matrix([[q**k for k in range(degree, -1, -1)] for q in points])
        return [float(c) for c in mp.lu_solve(powers, mp.matrix([target(q) for q in points]))]


TABLES = {
    "UPPER_TAIL": upper_tail,
    "ERF": erf,
    "LGAMMA": lgamma,
    "LGAMMA_TAIL": lgamma_tail,
    "DIGAMMA": digamma,
    "DIGAMMA_TAIL": digamma_tail,
}
"""What the polynomials are called in `autograd.real` and `autograd.special`, and what computes them."""

if __name__ == "__main__":
    for name, compute in TABLES.items():
        print(name, "=", tuple(compute()))
