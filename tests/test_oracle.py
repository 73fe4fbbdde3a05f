"""The oracle's own ways to the gamma function, where mpmath is slow, are mpmath's where it is not."""

import pytest
from mpmath import mp, mpf

from tests import oracle


def agrees(ours, theirs):
    """Compare a number at the present precision with mpmath's at a much higher one."""
    found = ours()
    with mp.workprec(mp.prec + 1200):
        truth = theirs()
    return abs(found - truth) <= mp.ldexp(abs(truth), 4 - mp.prec)


@pytest.mark.parametrize("x", [1e-13, 1e-20, 1e-50, 3e-200, 5e-324, -1e-13, -1e-50, -5e-324])
@pytest.mark.parametrize("prec", [100, 300])
def test_the_gamma_functions_rows_next_to_0(x, prec):
    with mp.workprec(prec):
        assert oracle.is_near_zero(mpf(x))
        assert x < 0 or agrees(lambda: oracle.near_zero(0, mpf(x)), lambda: mp.loggamma(mpf(x)))
        for order in range(4):
            near = agrees(
                lambda n=order: oracle.polygamma(n, mpf(x)), lambda n=order: mp.polygamma(n, mpf(x))
            )
            assert near


@pytest.mark.parametrize("x", [0.3, 1.0, 3.0, 20.0, 744.44, 1e10, 1e160])
@pytest.mark.parametrize("prec", [53, 300])
def test_digamma_moved_far(x, prec):
    with mp.workprec(prec):
        assert agrees(lambda: oracle.far_digamma(mpf(x)), lambda: mp.polygamma(0, mpf(x)))


def test_a_row_of_the_gamma_function_takes_these_ways_and_keeps_its_poles():
    with mp.workprec(3000):
        assert mp.almosteq(oracle.loggamma(mpf(5e-324)), -mp.log(mpf(5e-324)), 1e-300)
        assert mp.almosteq(oracle.polygamma(0, mpf(1.0)), -mp.euler)
    with pytest.raises(ValueError, match="pole"):
        oracle.polygamma(0, mpf(0))


def test_the_tangent_numbers_are_those_of_bernoullis():
    for k, tangent in enumerate(oracle.tangent_numbers(64), 1):
        numerator, denominator = mp.bernfrac(2 * k)
        assert 2 * k * tangent * denominator == abs(numerator) * 4**k * (4**k - 1)
