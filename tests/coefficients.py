"""The polynomials behind erf, erfc, normal_cdf and gelu: ``python -m tests.coefficients`` prints them.

They interpolate at Chebyshev points in a variable q that maps the long half-line of t to an interval
(Shepherd and Laframboise 1981). ``real.ERFC`` is (1 + t) exp(t*t) erfc(t) - 3/4 for t <= 28, where
q = (t - 5) / (t + 5). ``real.ERF`` is -log(erfc(t)) / t for t <= 6, where q = t / (t + 6), for small t.
"""

from collections.abc import Callable

from mpmath import mp, mpf

DEGREE = 23


def erfc() -> list[float]:
    """Return the coefficients for erfc."""

    def target(q: mpf) -> mpf:
        t = 5 * (1 + q) / (1 - q)
        return (1 + t) * mp.exp(t * t) * mp.erfc(t) - mpf(3) / 4

    return coefficients(target, -1, 23, 33)


def erf() -> list[float]:
    """Return the coefficients for erf."""

    def target(q: mpf) -> mpf:
        t = 6 * q / (1 - q)
        return -mp.log(mp.erfc(t)) / t

    return coefficients(target, 0, 1, 2)


def coefficients(target: Callable[[mpf], mpf], low: int, numerator: int, denominator: int) -> list[float]:
    """Return the coefficients by q, the highest power first, computed to 60 digits.

    Args:
        target: the function of q.
        low: where it begins.
        numerator: of the fraction where it ends.
        denominator: of that fraction.
    """
    with mp.workdps(60):
        high = mpf(numerator) / denominator
        angles = [mp.pi * (2 * j + 1) / (2 * DEGREE + 2) for j in range(DEGREE + 1)]
        points = [(low + high) / 2 + (high - low) / 2 * mp.cos(angle) for angle in angles]
        powers = mp.matrix([[q**k for k in range(DEGREE, -1, -1)] for q in points])
        return [float(c) for c in mp.lu_solve(powers, mp.matrix([target(q) for q in points]))]


if __name__ == "__main__":
    print("ERFC =", tuple(erfc()))
    print("ERF =", tuple(erf()))
