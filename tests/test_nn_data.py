"""Data sets: the same points as their sources, and the same again from the same seed."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from nn import two_moons


@pytest.mark.parametrize("n", [1, 2, 7, 100])
@pytest.mark.parametrize("noise", [None, 0.0, 0.1])
@pytest.mark.parametrize("shuffle", [True, False])
def test_two_moons_equal_scikit_learns_bit_for_bit(n, noise, shuffle):
    make_moons = pytest.importorskip("sklearn.datasets").make_moons
    for seed in (0, 1337):
        ours = two_moons(n, shuffle=shuffle, noise=noise, random_state=seed)
        theirs = make_moons(n, shuffle=shuffle, noise=noise, random_state=seed)
        for mine, reference in zip(ours, theirs, strict=True):
            assert_array_equal(mine, reference)


def test_without_a_seed_two_moons_draw_from_numpys_global_state():
    make_moons = pytest.importorskip("sklearn.datasets").make_moons
    np.random.seed(1337)  # noqa: NPY002 - the global state is the subject
    X, y = two_moons(100, noise=0.1)
    np.random.seed(1337)  # noqa: NPY002 - the global state is the subject
    reference = make_moons(100, noise=0.1)
    assert_array_equal(X, reference[0])
    assert_array_equal(y, reference[1])


def test_impossible_sizes_and_noise_are_named():
    with pytest.raises(ValueError, match="n_samples must be at least 1, not 0"):
        two_moons(0)
    with pytest.raises(ValueError, match=r"noise .* at least 0, not -0\.1"):
        two_moons(10, noise=-0.1)
