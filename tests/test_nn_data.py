"""Data sets: the same points as their sources, and the same again from the same seed."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from nn import data, two_moons


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


@pytest.mark.parametrize("n", [1, 2, 7, 100])
@pytest.mark.parametrize("noise", [None, 0.1])
@pytest.mark.parametrize("shuffle", [True, False])
def test_circles_equal_scikit_learns_bit_for_bit(n, noise, shuffle):
    make_circles = pytest.importorskip("sklearn.datasets").make_circles
    ours = data.circles(n, shuffle=shuffle, noise=noise, random_state=5, factor=0.4)
    theirs = make_circles(n, shuffle=shuffle, noise=noise, random_state=5, factor=0.4)
    for mine, reference in zip(ours, theirs, strict=True):
        assert_array_equal(mine, reference)


@pytest.mark.parametrize(("name", "load"), [("load_iris", data.iris), ("load_digits", data.digits)])
def test_real_data_equal_scikit_learns_copies(name, load):
    bunch = getattr(pytest.importorskip("sklearn.datasets"), name)()
    X, y = load()
    assert_array_equal(X, bunch.data)
    assert_array_equal(y, bunch.target)


@pytest.mark.parametrize("make", [data.two_moons, data.circles, data.spirals])
def test_made_up_data_are_the_same_again_from_the_same_seed(make):
    first, again = make(50, noise=0.1, random_state=3), make(50, noise=0.1, random_state=3)
    other, generator = make(50, noise=0.1, random_state=4), make(50, random_state=np.random.default_rng(3))
    assert_array_equal(first[0], again[0])
    assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])
    assert generator[0].shape == (50, 2)


def test_spiral_arms_wind_from_the_middle_to_the_unit_circle():
    X, y = data.spirals(60, classes=3, turns=0.75, shuffle=False)
    for k in range(3):
        arm = X[y == k]
        radius, angle = np.hypot(*arm.T), np.unwrap(np.arctan2(*arm.T[::-1]))
        assert np.all(np.diff(radius) > 0)
        assert radius[-1] == pytest.approx(1.0)
        assert np.diff(angle) == pytest.approx(0.75 * 2 * np.pi / 20)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("and", lambda a, b: a and b),
        ("or", lambda a, b: a or b),
        ("xor", lambda a, b: a != b),
        ("nand", lambda a, b: not (a and b)),
        ("nor", lambda a, b: not (a or b)),
        ("xnor", lambda a, b: a == b),
        ("not", lambda a: not a),
    ],
)
def test_gates(name, rule):
    X, y = data.gate(name)
    assert [bool(v) for v in y] == [bool(rule(*map(bool, row))) for row in X]
    assert len({tuple(row) for row in X}) == len(X) == 2 ** X.shape[1]


def test_standardised_columns_have_mean_0_and_deviation_1_on_the_training_points_only():
    (X, _), (held_out, _) = data.split(*data.iris(), 1 / 3)
    scaled = data.Standardizer(X)
    assert scaled(X).mean(axis=0) == pytest.approx(0.0, abs=1e-12)
    assert scaled(X).std(axis=0) == pytest.approx(1.0)
    assert_array_equal(scaled(held_out), (held_out - X.mean(axis=0)) / X.std(axis=0))


def test_a_constant_column_is_shifted_even_if_its_mean_is_rounded():
    scaled = data.Standardizer([[0.1, 1.0]] * 3)
    assert scaled([[0.1, 3.0]]) == pytest.approx(np.array([[0.0, 2.0]]), abs=1e-15)


def test_a_split_and_the_batches_of_an_epoch_have_every_point_once():
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10)
    (kept, kept_y), (held_out, held_out_y) = data.split(X, y, 0.3, rng=1)
    assert (len(kept), len(held_out)) == (7, 3)
    assert sorted([*kept_y, *held_out_y]) == list(range(10))
    batches = list(data.minibatches(X, y, 4, rng=1))
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    assert sorted(label for _, labels in batches for label in labels) == list(range(10))
    for points, labels in [(kept, kept_y), (held_out, held_out_y), *batches]:
        assert_array_equal(points, X[labels])


def test_batches_differ_from_epoch_to_epoch_and_not_from_run_to_run():
    def epochs():
        rng = np.random.default_rng(7)
        return [
            [y.tolist() for _, y in data.minibatches(np.zeros((9, 1)), range(9), 4, rng=rng)]
            for _ in range(2)
        ]

    assert epochs() == epochs()
    assert epochs()[0] != epochs()[1]


def test_one_batch_of_all_points_keeps_their_order():
    ((points, labels),) = data.minibatches([[3.0], [1.0]], [0, 1])
    assert (points.tolist(), labels.tolist()) == ([[3.0], [1.0]], [0, 1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: two_moons(0), "n_samples must be at least 1, not 0"),
        (lambda: two_moons(10, noise=-0.1), r"noise .* at least 0, not -0\.1"),
        (lambda: data.circles(10, factor=1.0), r"factor .* below 1, not 1\.0"),
        (lambda: data.spirals(10, classes=0), "classes must be at least 1, not 0"),
        (lambda: data.gate("nxor"), "unknown gate 'nxor'; choose one of not, and, or"),
        (lambda: data.split([[1.0]], [1]), "at least two points, got 1"),
        (lambda: data.split([[1.0], [2.0]], [1, 2], 1.5), r"between 0 and 1, not 1\.5"),
        (lambda: data.split([[1.0], [2.0]], [1]), r"X has 2 rows, y has shape \(1,\)"),
        (lambda: next(data.minibatches([[1.0]], [1], 0)), "batch_size must be at least 1, not 0"),
        (lambda: data.Standardizer([1.0, 2.0]), r"X must be a table .* not of shape \(2,\)"),
        (lambda: data.Standardizer([["a", "b"]]), "X must be a table of numbers"),
        (lambda: data.Standardizer(np.zeros((0, 2))), "at least one point"),
        (lambda: data.Standardizer([[1.0, 2.0]])([[1.0]]), "knows 2 columns, got 1"),
    ],
)
def test_impossible_requests_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
