"""The polynomial behind erfc, normal_cdf and gelu: ``python -m tests.coefficients`` prints ``real.ERFC``.

It interpolates (1 + t) exp(t*t) erfc(t) - 3/4 at the Chebyshev points of 0 <= t <= 28 in the variable
q = (t - 5) / (t + 5), which maps the long tail to an interval (Shepherd and Laframboise 1981).
"""

from mpmath import mp, mpf

DEGREE = 23
END = 28


def coefficients() -> list[float]:
    """Return the coefficients by q, the highest power first, computed to 60 digits."""
    with mp.workdps(60):
        low, high = mpf(-1), mpf(END - 5) / (END + 5)
        angles = [mp.pi * (2 * j + 1) / (2 * DEGREE + 2) for j in range(DEGREE + 1)]
        points = [(low + high) / 2 + (high - low) / 2 * mp.cos(angle) for angle in angles]
        powers = mp.matrix([[q**k for k in range(DEGREE, -1, -1)] for q in points])
        targets = mp.matrix([_target(5 * (1 + q) / (1 - q)) for q in points])
        return [float(c) for c in mp.lu_solve(powers, targets)]


def _target(t: mpf) -> mpf:
    return (1 + t) * mp.exp(t * t) * mp.erfc(t) - mpf(3) / 4


if __name__ == "__main__":
    print("ERFC =", tuple(coefficients()))
