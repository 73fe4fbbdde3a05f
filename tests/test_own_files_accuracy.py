"""Networks trained on people's own files are about as good as scikit-learn's on the same points."""

import re

import numpy as np
import pytest

from chainrule import cli
from nn import encode, spirals, split

datasets = pytest.importorskip("sklearn.datasets")
pandas = pytest.importorskip("pandas")
MLPClassifier = pytest.importorskip("sklearn.neural_network").MLPClassifier
StandardScaler = pytest.importorskip("sklearn.preprocessing").StandardScaler

SHARE, EPOCHS = 0.4, 60


def packaged(name, rows=None):
    bunch = getattr(datasets, f"load_{name}")()
    frame = pandas.DataFrame(bunch.data[:rows], columns=getattr(bunch, "feature_names", None))
    frame.columns = frame.columns.astype(str)
    return frame.assign(kind=[f"k{label}" for label in bunch.target[:rows]])


def points(X, y):
    return pandas.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).assign(kind=[f"k{k}" for k in y])


def persons(n=500):
    """Return texts and numbers, gaps and a class that depends on all of them."""
    rng = np.random.default_rng(1)
    frame = pandas.DataFrame(
        {
            "port": rng.choice(["north", "south", "west"], n),
            "sex": rng.choice(["female", "male"], n),
            "age": rng.normal(35, 12, n).round(1),
            "fare": rng.lognormal(3, 1, n).round(2),
        }
    )
    chance = 2.0 * (frame["sex"] == "female") - 0.04 * (frame["age"] - 35) + (frame["port"] == "west") - 1
    survived = rng.random(n) < 1 / (1 + np.exp(-2 * chance))
    return frame.assign(kind=np.where(survived, "yes", "no"))


def cars():
    rng = np.random.default_rng(2)
    frame = pandas.DataFrame(
        {name: rng.choice(["low", "med", "high"], 600) for name in ("price", "safety", "room")}
    )
    grade = frame.replace({"low": 0, "med": 1, "high": 2}).astype(int)
    score = grade["safety"] * 2 - grade["price"] + (grade["room"] > 0)
    return frame.assign(kind=np.where(score > 3, "good", np.where(score > 0, "fair", "poor")))


FILES = {
    "iris": lambda: packaged("iris"),
    "wine": lambda: packaged("wine"),
    "breast cancer": lambda: packaged("breast_cancer"),
    "digits": lambda: packaged("digits", 600),
    "moons": lambda: points(*datasets.make_moons(400, noise=0.2, random_state=0)),
    "circles": lambda: points(*datasets.make_circles(400, noise=0.1, factor=0.5, random_state=0)),
    "spirals": lambda: points(*spirals(400, 3, noise=0.02, random_state=0)),
    "blobs": lambda: points(
        *datasets.make_blobs(400, centers=4, n_features=5, cluster_std=3, random_state=0)
    ),
    "persons": persons,
    "cars": cars,
}


def theirs(frame, seed):
    """Return scikit-learn's accuracy on the very points that the command line holds out."""
    X = pandas.get_dummies(frame.drop(columns="kind")).to_numpy(dtype=float)
    _, y = encode(frame["kind"])
    (X, y), (held_out, labels) = split(X, y, SHARE, rng=seed, stratify=True)
    scale = StandardScaler().fit(X)
    network = MLPClassifier(
        (16, 16), activation="tanh", batch_size=32, learning_rate_init=0.01, alpha=0.0, max_iter=EPOCHS,
        n_iter_no_change=EPOCHS, random_state=seed,
    )  # fmt: skip
    return network.fit(scale.transform(X), y).score(scale.transform(held_out), labels)


QUICK = ("moons",)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in FILES]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_accuracy_is_within_two_points_of_scikit_learns(name, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("chainrule.commands.train._pictures", lambda *_results: {})
    frame = FILES[name]()
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    mine, others = [], []
    for seed in range(6 if len(frame) < 200 else 2):  # a point is a per cent of few
        arguments = ["train", "--data", path, "--validation", SHARE, "--epochs", EPOCHS, "--seed", seed]
        assert cli.main(list(map(str, [*arguments, "--out", tmp_path / "out"]))) == 0
        said = re.search(r"validation points: (\d+) of (\d+) right", capsys.readouterr().out)
        mine.append(int(said[1]) / int(said[2]))
        others.append(theirs(frame, seed))
    print(f"{name:14} {np.mean(mine):.3f} {np.mean(others):.3f}")
    assert np.mean(mine) >= np.mean(others) - 0.02
