"""People's own files train as they are, or with the option that the error names; nothing goes in silence."""

import contextlib
import csv

import numpy as np
import pytest

from chainrule import cli
from nn import load_model
from tests.own_files import FILES


def run(*arguments):
    with contextlib.suppress(SystemExit):
        return cli.main(list(map(str, arguments)))


@pytest.mark.parametrize("name", FILES)
def test_a_file_trains_as_it_is_or_the_error_names_the_option(name, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("chainrule.commands.train._pictures", lambda *_results: {})  # to save time
    file = FILES[name]
    path = tmp_path / f"data{file.suffix}"
    path.write_bytes(file.content)
    training = [
        "train",
        "--data",
        path,
        *file.options,
        "--layers",
        3,
        "--epochs",
        1,
        "--out",
        tmp_path / "out",
    ]
    if file.remedy or not file.points:
        assert run(*training) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err.count("\n") == 1
        assert not (tmp_path / "out").exists()
        assert (file.remedy[0] if file.remedy else file.said) in output.err
    if not file.points:
        return
    assert run(*training, *file.remedy) == 0
    output = capsys.readouterr()
    said = output.out + output.err
    assert f": {file.points} points, " in said
    assert file.said in said
    assert "\x1b" not in said
    model, metadata = load_model(tmp_path / "out" / "model.json")
    recipe = metadata["recipe"]
    assert len(recipe["mean"]) == file.inputs == len(model.layers[0].neurons[0].w)
    assert len(recipe["classes"]) == max(file.classes, 0)
    assert len(recipe["targets"]) == (2 if file.classes == -2 else 1)
    missing = ["--missing", "mean"] if "--missing" in file.remedy else []
    told = [word for word in (*file.options, *file.remedy) if word in ("--header", "--no-header", "~")]
    told = ["--separator", "~"] if "~" in told else told
    assert run("predict", tmp_path / "out" / "model.json", path, *missing, *told) == 0
    answers = list(csv.reader(capsys.readouterr().out.splitlines()))
    if file.classes > 0:
        assert {answer for answer, *_ in answers[1:]} <= set(recipe["classes"])


def test_at_least_61_kinds_of_files_are_tried_and_nearly_all_train():
    assert len(FILES) >= 61
    assert sum(file.points > 0 for file in FILES.values()) >= len(FILES) * 55 / 61


def test_a_row_is_predicted_from_columns_in_any_order_with_the_recipe_of_the_training(tmp_path, capsys):
    """The texts of a column, its gaps and the labels are those of the training, not of the new file."""
    rng = np.random.default_rng(0)
    rows = [
        (colour, f"{x:.3f}", f"2024-01-{i % 28 + 1:02d}", "007" if (colour == "red") ^ (x > 0) else "7")
        for i, (colour, x) in enumerate(
            zip(rng.choice(["red", "blue"], 80), rng.normal(size=80), strict=True)
        )
    ]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["colour,x,day,t", *map(",".join, rows)]))
    training = ["--data", path, "--epochs", 60, "--missing", "mean", "--lr", 0.03]
    assert run("train", *training, "--out", tmp_path / "out") == 0
    capsys.readouterr()
    new = tmp_path / "new.csv"
    new.write_text("x;note;colour\n1,5;a;red\n1,5;a;blue\n-1,5;b;red\n-1,5;b;blue\n?;c;red\n")
    assert run("predict", tmp_path / "out" / "model.json", new) == 0
    said = [line.split(",")[0] for line in capsys.readouterr().out.split()]
    assert said[:5] == ["t", "7", "007", "007", "7"]
    new.write_text("x;colour\n1,5;green\n")
    assert run("predict", tmp_path / "out" / "model.json", new) == 2
    assert "row 2, column 2 (colour): 'green' is not among the 2 texts" in capsys.readouterr().err
    assert run("predict", tmp_path / "out" / "model.json", new, "--missing", "refuse") == 2


def test_early_stopping_class_weights_and_a_stratified_split(tmp_path, capsys):
    rng = np.random.default_rng(0)
    labels = np.repeat(["common", "rare"], [190, 10])
    x = rng.normal(size=200) + (labels == "rare") * 2.0
    path = tmp_path / "data.csv"
    path.write_text("x,t\n" + "".join(f"{a},{b}\n" for a, b in zip(x.tolist(), labels, strict=True)))

    def rare_found(*options):
        training = ["--data", path, "--layers", "none", "--epochs", 200, *options]
        assert run("train", *training, "--out", tmp_path / "out") == 0
        line = next(s for s in capsys.readouterr().out.splitlines() if s.split()[:1] == ["rare"])
        return list(map(int, line.split()[1:]))

    plain, balanced = rare_found(), rare_found("--class-weights", "balanced")
    assert sum(plain) == sum(balanced) == 2  # a fifth of each class
    assert balanced[1] >= plain[1]
    assert rare_found("--early-stopping", 3, "--lr", 1)
    history = (tmp_path / "out" / "history.csv").read_text().count("\n") - 1
    assert history < 200


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--early-stopping", 3, "--validation", 0], "--early-stopping watches the validation"),
        (
            ["--class-weights", "balanced", "--loss", "mean-squared-error", "--data", "n.csv"],
            "is for classes",
        ),
        (["--inputs", "a"], "--inputs chooses columns of a file; moons has its own"),
        (["--data", "n.csv", "--inputs", "a,a"], "column 'a' is given twice"),
        (["--data", "n.csv", "--inputs", "z"], "there is no column 'z'; the columns are a, b, t"),
        (["--data", "n.csv", "--drop", "a,b"], "no column is left to learn from"),
        (["--data", "n.csv", "--separator", "ab"], "'ab' separates no cells; give a sign"),
        (["--layers", ",".join(["1"] * 1_000_000)], "1,000,000 layers are too many"),
        (["--layers", "100000,100000"], "parameters, and at most 1,000,000 are made"),
    ],
)
def test_options_that_do_not_suit_are_one_line_and_nothing_is_written(
    options, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.csv").write_text("a,b,t\n1,2,0.5\n2,3,1.5\n3,5,2.25\n")
    assert run("train", *options) in (2, None)
    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""
    assert [f.name for f in tmp_path.iterdir()] == ["n.csv"]


def test_a_folder_that_cannot_be_written_is_found_before_the_training(tmp_path, capsys, monkeypatch):
    def never(*_arguments, **_keywords):
        raise AssertionError("it trained")

    monkeypatch.setattr("chainrule.commands.train.fit", never)
    (tmp_path / "file").write_text("mine")
    assert run("train", "--out", tmp_path / "file") == 1
    assert capsys.readouterr().out == ""
    assert (tmp_path / "file").read_text() == "mine"


def test_results_are_whole_or_those_of_before(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("chainrule.commands.train._png", lambda _figure: b"a picture")
    assert run("train", "--epochs", 1, "--out", tmp_path) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(_figure):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chainrule.commands.train._png", full)
    assert run("train", "--epochs", 2, "--seed", 1, "--out", tmp_path) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "name",
    [
        "$x$ in $",
        "中文",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("$", "_$\\frac$", "🚀 $")),
    ],
)
def test_names_in_pictures_are_drawn_as_they_are_written(tmp_path, name):
    rows = [f"{k % 7},{k % 5},{'no' if k % 2 else name}" for k in range(40)]
    (tmp_path / "own.csv").write_text(f"{name},b,{name} kind\n" + "\n".join(rows), encoding="utf-8")
    assert run("train", "--data", tmp_path / "own.csv", "--epochs", 1, "--out", tmp_path / "model") == 0
    assert (tmp_path / "model" / "boundary.png").stat().st_size > 5000
