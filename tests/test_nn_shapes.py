"""Targets and points in the shapes and types in which people have them."""

import math
import random

import numpy as np
import pytest

import nn
from nn import MLP, SGD, Adam, fit, losses


def network(outputs=1, seed=0):
    return MLP(2, [3, outputs], activation="tanh", rng=random.Random(seed))


X = np.random.default_rng(0).normal(size=(24, 2))
NUMBERS = X[:, 0] - 2 * X[:, 1]
CLASSES = (NUMBERS > 0).astype(int)

AS_A_COLUMN = {
    "vector": lambda y: y,
    "column": lambda y: y.reshape(-1, 1),
    "list of rows": lambda y: [[v] for v in y.tolist()],
    "objects": lambda y: y.astype(object),
    "a column of objects": lambda y: y.astype(object).reshape(-1, 1),
}


@pytest.mark.parametrize("shape", AS_A_COLUMN)
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (nn.mean_squared_error, 1, NUMBERS),
        (nn.half_squared_error, 1, NUMBERS),
        (nn.hinge, 1, 2 * CLASSES - 1),
        (nn.binary_cross_entropy, 1, CLASSES),
        (nn.cross_entropy, 2, CLASSES),
    ],
)
def test_a_column_of_targets_is_a_vector_everywhere(shape, compiled, loss, outputs, targets):
    def train(y):
        model = network(outputs)
        optimizer = SGD(model.parameters(), lr=0.1)
        records = fit(model, X, y, loss, optimizer, 3, 8, validation=(X, y), compile=compiled).records
        return records, model.state_dict()

    y = AS_A_COLUMN[shape](targets)
    assert train(y) == train(targets)
    model = network(outputs)
    assert nn.mean_loss(model, X, y, loss) == nn.mean_loss(model, X, targets, loss)
    if losses.targets_of(loss).classes:
        assert nn.accuracy(model, X, y) == nn.accuracy(model, X, targets)
        assert nn.confusion_matrix(model, X, y).tolist() == nn.confusion_matrix(model, X, targets).tolist()


def test_a_metric_sees_outputs_and_targets_of_one_shape():
    def r2(outputs, targets):
        return 1 - np.mean((outputs - targets) ** 2) / np.var(targets)

    model = nn.Neuron(2, nonlin=False)
    optimizer = Adam(model.parameters(), lr=0.1)
    history = fit(
        model, X, NUMBERS[:, None], nn.mean_squared_error, optimizer, 200, metric=r2, validation=(X, NUMBERS)
    )
    assert history["r2"][-1] > 0.99
    assert history["val_r2"][-1] > 0.99


@pytest.mark.parametrize("row", [np.array, tuple, list])
@pytest.mark.parametrize(
    "loss", [nn.mean_squared_error, nn.half_squared_error, nn.cross_entropy], ids=lambda f: f.__name__
)
def test_a_row_of_targets_may_be_an_array_a_tuple_or_a_list(loss, row):
    outputs = [0.5, -1.0]
    assert loss(outputs, row([0.25, 0.75])) == loss(outputs, [0.25, 0.75])
    assert loss(np.array(outputs, dtype=object), row([0.25, 0.75])) == loss(outputs, [0.25, 0.75])


@pytest.mark.parametrize("one", [np.array([1.0]), np.array(1.0), np.float64(1.0), [1.0], (1.0,), np.int64(1)])
@pytest.mark.parametrize(
    "loss", [nn.mean_squared_error, nn.hinge, nn.binary_cross_entropy], ids=lambda f: f.__name__
)
def test_a_single_target_may_be_wrapped(loss, one):
    assert loss(0.25, one) == loss(0.25, 1.0)


def test_texts_are_encoded_and_errors_say_how():
    labels = np.array(["no", "yes"], dtype=object)[CLASSES]
    classes, y = nn.encode(labels)
    assert (classes.tolist(), y.tolist()) == (["no", "yes"], CLASSES.tolist())
    model = network()
    for call in (
        lambda: fit(model, X, labels, nn.binary_cross_entropy, SGD(model.parameters())),
        lambda: nn.accuracy(model, X, labels),
        lambda: nn.confusion_matrix(model, X, CLASSES + 1),
    ):
        with pytest.raises(ValueError, match=r"classes, y = nn\.encode\(y\)"):
            call()


@pytest.mark.parametrize(
    "labels",
    [
        ["b", "a", "b"],
        [2, 1, 2],
        [True, False, True],
        [0.5, -1.0, 0.5],
        [None, "a"],
        ["a", 1, "a"],
        [[1], [2]],
    ],
)
def test_encoded_labels_come_back(labels):
    if None in np.ravel(labels).tolist():
        with pytest.raises(ValueError, match="label 0 is missing"):
            nn.encode(labels)
        return
    mixed = np.array(labels, dtype=object)
    classes, y = nn.encode(mixed)
    assert classes[y].tolist() == np.ravel(mixed).tolist()
    assert sorted(set(y.tolist())) == list(range(len(classes)))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_named_with_its_place(number):
    model, bad, y = network(), X.copy(), NUMBERS.copy()
    bad[3, 1] = y[5] = number
    optimizer = SGD(model.parameters())
    with pytest.raises(ValueError, match=rf"^X\[3, 1\] is {number:g}, the first of 1 that are not finite"):
        fit(model, bad, NUMBERS, nn.mean_squared_error, optimizer)
    with pytest.raises(ValueError, match=rf"^y\[5\] is {number:g}"):
        fit(model, X, y, nn.mean_squared_error, optimizer)
    with pytest.raises(ValueError, match=r"^validation: X\[3, 1\]"):
        fit(model, X, NUMBERS, nn.mean_squared_error, optimizer, validation=(bad, NUMBERS))


@pytest.mark.parametrize("judge", [nn.accuracy, nn.confusion_matrix])
def test_a_score_that_is_nan_stands_for_no_class(judge):
    for model in (lambda row: row[0] * math.nan, lambda row: [row[0], math.nan]):
        with pytest.raises(ValueError, match="the score of point 0 is nan, which stands for no class"):
            judge(model, [[1.0], [2.0]], [0, 1])


class FromInfinities(nn.Module):
    """Its output is nan beyond the points that it is trained on."""

    def __init__(self):
        self.line = nn.Neuron(1, nonlin=False)

    def __call__(self, x):
        return self.line(x) + (x[0] * 1e200 * 1e200 - x[0] * 1e200 * 1e200)


def test_outputs_for_the_validation_that_are_nan_end_the_training_and_say_so():
    model = FromInfinities()
    with pytest.warns(RuntimeWarning, match="output for point 1 of the validation is nan"):
        history = fit(
            model,
            [[0.0]],
            [1],
            nn.binary_cross_entropy,
            SGD(model.parameters()),
            3,
            validation=([[0.0], [1.0]], [0, 1]),
        )
    assert len(history) == 0


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"clip_norm": -1.0}, r"clip_norm must be at least 0, not -1\.0"),
        ({"clip_norm": math.nan}, "clip_norm must be at least 0, not nan"),
        ({"batch_size": -1}, "batch_size must be at least 1, not -1"),
        ({"batch_size": 2.5}, r"batch_size must be a whole number, not 2\.5"),
        ({"epochs": -1}, "epochs must be at least 0, not -1"),
        ({"epochs": 1.5}, r"epochs must be a whole number, not 1\.5"),
    ],
)
def test_settings_are_checked_before_anything_is_done(setting, message, compiled):
    model = network()
    before = model.state_dict()
    with pytest.raises((TypeError, ValueError), match=message):
        fit(
            model,
            X,
            CLASSES,
            nn.binary_cross_entropy,
            SGD(model.parameters()),
            compile=compiled,
            **({"epochs": 2} | setting),
        )
    assert model.state_dict() == before


@pytest.mark.parametrize("name", ["loss", "epoch", "lr", "val_loss"])
def test_a_metric_may_not_have_the_name_of_a_column(name):
    def metric(_outputs, _targets):
        return 0.0

    metric.__name__ = name
    model = network()
    with pytest.raises(ValueError, match=f"a metric cannot be called '{name}'"):
        fit(model, X, NUMBERS, nn.mean_squared_error, SGD(model.parameters()), 1, metric=metric)


def test_the_parameters_kept_are_those_whose_loss_was_measured():
    for lr in (0.05, 3.0):  # the larger one diverges
        model = network()
        keeper = nn.BestWeights("loss")
        history = fit(
            model, X, NUMBERS, nn.mean_squared_error, SGD(model.parameters(), lr), 6, callbacks=[keeper]
        )
        assert keeper.best == min(history["loss"])
        assert nn.mean_loss(model, X, NUMBERS, nn.mean_squared_error) == pytest.approx(keeper.best, rel=1e-12)
        validated = nn.EarlyStopping("val_loss", 2)
        history = fit(
            model,
            X,
            NUMBERS,
            nn.mean_squared_error,
            SGD(model.parameters(), lr),
            6,
            8,
            validation=(X[:9], NUMBERS[:9]),
            callbacks=[validated],
        )
        left = nn.mean_loss(model, X[:9], NUMBERS[:9], nn.mean_squared_error)
        assert left == min(history["val_loss"])


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e-20, 1.0, 1e200, 1e307])
def test_the_standardiser_is_free_of_scale(size):
    table = np.array([[1.0, 1.0], [2.0, 1.0], [4.0, 1.0], [-3.0, 1.0]])
    usual = nn.Standardizer(table)(table)
    scale = nn.Standardizer(table * size)
    assert scale(table * size) == pytest.approx(usual, rel=1e-12 if size > 1e-300 else 1e-2)
    assert scale.undo(usual) == pytest.approx(table * size, rel=1e-12 if size > 1e-300 else 1e-2)


def test_the_standardiser_takes_the_whole_range_of_floats():
    table = np.array([[1.7e308], [-1.7e308]])
    assert nn.Standardizer(table)(table).tolist() == [[1.0], [-1.0]]


def smoothed(scores, target):
    return 1.0 * nn.cross_entropy(scores, target)


def doubled(score, target):
    return 2.0 * nn.binary_cross_entropy(score, target)


def margins(score, target):
    return nn.hinge(score, target) ** 2


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (smoothed, 2, CLASSES),
        (doubled, 1, CLASSES),
        (margins, 1, 2 * CLASSES - 1),
        (losses.weighted(nn.cross_entropy, [1.0, 3.0]), 2, CLASSES),
        (losses.weighted(nn.binary_cross_entropy, [1.0, 3.0]), 1, CLASSES),
        (losses.weighted(nn.hinge, [1.0, 3.0]), 1, 2 * CLASSES - 1),
        (losses.weighted(smoothed_declared := losses.declares(losses.CLASSES)(smoothed), [1, 2]), 2, CLASSES),
    ],
    ids=lambda thing: getattr(thing, "__name__", ""),
)
def test_a_loss_is_known_by_what_it_declares_or_calls(loss, outputs, targets):
    def train(compiled):
        model = network(outputs)
        return fit(
            model,
            X,
            targets,
            loss,
            Adam(model.parameters(), 0.05),
            5,
            8,
            validation=(X, targets),
            compile=compiled,
        )

    eager, compiled = train(False), train(True)
    assert "accuracy" in eager
    assert list(eager.to_dict()) == list(compiled.to_dict())
    for name in eager.to_dict():
        assert compiled[name] == pytest.approx(eager[name], rel=1e-9)


def test_weights_of_classes_multiply_their_losses():
    for loss, targets in [(nn.binary_cross_entropy, (0, 1)), (nn.hinge, (-1, 1))]:
        heavier = losses.weighted(loss, [0.5, 4.0])
        assert heavier(0.3, targets[0]) == pytest.approx(0.5 * loss(0.3, targets[0]))
        assert heavier(0.3, targets[1]) == pytest.approx(4.0 * loss(0.3, targets[1]))
    soft = losses.weighted(nn.cross_entropy, [1.0, 3.0])
    assert soft([0.0, 1.0], [0.5, 0.5]) == pytest.approx(2.0 * nn.cross_entropy([0.0, 1.0], [0.5, 0.5]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.weighted(nn.mean_squared_error, [1, 1]), "has no classes to be weighted"),
        (lambda: losses.weighted(smoothed, [1, 1]), "has no classes to be weighted"),
        (lambda: losses.weighted(nn.hinge, [1, 1, 1]), "has two classes, and 3 weights"),
        (lambda: losses.weighted(nn.hinge, [1, -1]), "a weight must be at least 0"),
        (lambda: losses.balanced([0, 2]), "class 1 has no point"),
    ],
)
def test_weights_that_cannot_be_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_balanced_weights_are_scikit_learns():
    compute = pytest.importorskip("sklearn.utils.class_weight").compute_class_weight
    y = np.random.default_rng(0).choice(3, 100, p=[0.7, 0.2, 0.1])
    assert losses.balanced(y) == pytest.approx(compute("balanced", classes=np.arange(3), y=y))


@pytest.mark.parametrize("counts", [[50, 50], [90, 10], [97, 3], [1, 9], [2, 2], [33, 33, 34], [1, 1, 2]])
@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_a_stratified_split_holds_out_each_class_by_its_share(counts, fraction):
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    (kept, kept_y), (out, out_y) = nn.split(np.arange(len(y))[:, None], y, fraction, rng=1, stratify=True)
    assert sorted([*kept[:, 0], *out[:, 0]]) == list(range(len(y)))
    assert (y[kept[:, 0].astype(int)] == kept_y).all()
    assert len(out) >= 1
    for k, count in enumerate(counts):
        assert (kept_y == k).sum() >= 1
        assert abs((out_y == k).sum() - count * fraction) <= 1


def test_data_frames_and_series_are_points_and_targets():
    pandas = pytest.importorskip("pandas")
    frame, series = pandas.DataFrame(X, columns=["a", "b"]), pandas.Series(CLASSES, index=range(5, 29))

    def train(points, targets):
        model = network()
        fit(model, points, targets, nn.binary_cross_entropy, SGD(model.parameters(), 0.1), 2, 8)
        return model.state_dict(), nn.accuracy(model, points, targets)

    assert train(frame, series) == train(X, CLASSES)
    assert nn.encode(series.map({0: "no", 1: "yes"}))[1].tolist() == CLASSES.tolist()
    (kept, _), (out, _) = nn.split(frame, series, 0.25, stratify=True)
    assert (len(kept), len(out)) == (18, 6)


def test_a_boundary_is_drawn_for_a_column_of_labels():
    axes = nn.decision_boundary(network(), X, CLASSES[:, None], resolution=5)
    assert len(axes.collections) >= 2
