"""The estimators are scikit-learn's in all but the engine: its own checks are the specification."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier as Theirs
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from nn import iris
from nn.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL: dict[str, Any] = {"hidden_layer_sizes": (8,), "max_iter": 60, "random_state": 0}


@parametrize_with_checks([MLPClassifier(**SMALL), MLPRegressor(**SMALL)])
@pytest.mark.filterwarnings("ignore")  # each check says itself which warnings there must be
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_nothing_of_the_parameters_is_lost():
    network = MLPClassifier((3, 4), activation="relu", solver="sgd", alpha=0.5, random_state=3)
    assert clone(network).get_params() == network.get_params()
    assert set(network.get_params()) <= set(Theirs().get_params())


def test_a_data_frame_with_texts_and_string_classes_goes_through_a_pipeline():
    pandas = pytest.importorskip("pandas")
    compose = pytest.importorskip("sklearn.compose")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame({"colour": rng.choice(["red", "blue"], 120), "x": rng.normal(size=120)})
    labels = np.where((frame["colour"] == "red") ^ (frame["x"] > 0), "warm", "cold")
    columns = compose.make_column_transformer(
        (OneHotEncoder(), ["colour"]), (StandardScaler(), ["x"]), sparse_threshold=0
    )
    pipeline = make_pipeline(columns, MLPClassifier(**SMALL | {"max_iter": 100}))
    search = GridSearchCV(pipeline, {"mlpclassifier__hidden_layer_sizes": [(), (8,)]}, cv=3)
    search.fit(frame, labels)
    assert search.best_params_ == {"mlpclassifier__hidden_layer_sizes": (8,)}
    assert search.score(frame, labels) > 0.9
    assert set(search.predict(frame)) == {"cold", "warm"}


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_it_classifies_about_as_well_as_scikit_learns(activation):
    def score(network):
        return cross_val_score(make_pipeline(StandardScaler(), network), *iris(), cv=3).mean()

    settings: dict[str, Any] = {
        "hidden_layer_sizes": (8,),
        "activation": activation,
        "learning_rate_init": 0.01,
        "batch_size": 32,
    }
    mine = score(MLPClassifier(**settings, max_iter=100, random_state=0))
    assert mine >= score(Theirs(**settings, max_iter=100, random_state=0)) - 0.02


def test_the_loss_and_its_penalty_are_scikit_learns():
    """One layer, from the same weights: the loss of the first batch is the same number."""
    X, y = iris()
    X = StandardScaler().fit_transform(X)
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (),
        "alpha": 2.0,
        "batch_size": 150,
        "max_iter": 1,
        "solver": "sgd",
    }
    mine = MLPClassifier(**settings, learning_rate_init=1e-9, random_state=0).fit(X, y)
    theirs = Theirs(**settings, learning_rate_init=1e-9, warm_start=True, random_state=0).fit(X, y)
    theirs.coefs_, theirs.intercepts_ = mine.coefs_, mine.intercepts_
    theirs.fit(X, y)
    assert mine.loss_curve_[0] == pytest.approx(theirs.loss_curve_[-1], rel=1e-6)
    assert mine.predict_proba(X) == pytest.approx(theirs.predict_proba(X), abs=1e-6)


def test_several_numbers_are_predicted_at_once():
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.column_stack([X.sum(axis=1), X[:, 0] - X[:, 1]])
    network = MLPRegressor((), max_iter=300, tol=0.0, learning_rate_init=0.05, random_state=0).fit(X, y)
    assert network.predict(X).shape == (60, 2)
    assert network.score(X, y) > 0.99


def test_early_stopping_watches_points_held_out():
    X, y = iris()
    network = MLPClassifier(
        (8,), early_stopping=True, n_iter_no_change=3, learning_rate_init=0.1, random_state=0
    )
    network.fit(X, y)
    assert "val_loss" in network.history_
    assert network.n_iter_ < 200


def test_a_training_that_is_not_over_warns():
    with pytest.warns(ConvergenceWarning, match="a larger max_iter goes on"):
        MLPClassifier((2,), max_iter=2, random_state=0).fit(*iris())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"solver": "lbfgs"}, "unknown solver 'lbfgs'; choose one of sgd, adagrad"),
        ({"activation": "step"}, "unknown activation 'step'"),
        ({"alpha": -1}, "alpha must be at least 0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"hidden_layer_sizes": (0,)}, "must be at least 1"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"solver": "sgd", "learning_rate_init": 1e200}, "the training diverged in epoch"),
    ],
)
def test_a_parameter_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**settings).fit(*iris())
