"""``chainrule train`` and ``chainrule predict``: from a table to a network, and from a network to answers."""

import csv
import json
import os
import re
import subprocess
import sys
import zlib

import numpy as np
import pytest

from chainrule.commands import train
from nn import fit, iris, load_model
from nn.data import IRIS_FEATURES, IRIS_SPECIES
from tests.command_line import status

PNG = b"\x89PNG\r\n"


def chainrule(*arguments, folder):
    """Run the program in a process and a folder of its own, on a terminal of 80 columns."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "80"}
    run = subprocess.run(
        [sys.executable, "-m", "chainrule", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def write(path, *rows):
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def no_pictures(monkeypatch):
    """A training draws none, which takes half the time of a short one."""
    monkeypatch.setattr(train, "_pictures", lambda *_results: {})


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    """Return a CSV file of the irises with text for classes, as a user might have it."""
    X, y = iris()
    path = tmp_path_factory.mktemp("flowers") / "flowers.csv"
    rows = [",".join([*map(str, x), IRIS_SPECIES[k]]) for x, k in zip(X.tolist(), y.tolist(), strict=True)]
    return write(path, ",".join([*IRIS_FEATURES, "species"]), *rows)


@pytest.fixture(scope="module")
def trained(flowers):
    """Train on the flowers; return the folder and what was printed."""
    folder = flowers.parent
    output = chainrule("train", "--data", flowers, "--layers", "8", "--out", folder / "out", folder=folder)
    return folder / "out", output


@pytest.mark.parametrize(
    ("data", "epochs", "accuracy"),
    [
        ("moons", 50, 0.95),
        pytest.param("circles", 50, 0.95, marks=pytest.mark.slow),
        ("spirals", 100, 0.9),
    ],
)
def test_classes_of_two_inputs_are_learnt_and_drawn(data, epochs, accuracy, tmp_path, capsys):
    assert status("train", "--data", data, "--epochs", epochs, "--out", tmp_path / "out") == 0
    assert names(tmp_path / "out") == {"model.json", "history.csv", "curves.png", "boundary.png"}
    for name in ("curves.png", "boundary.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(PNG)
    with (tmp_path / "out" / "history.csv").open() as file:
        history = list(csv.DictReader(file))
    assert len(history) == epochs
    assert float(history[-1]["val_accuracy"]) >= accuracy
    output = capsys.readouterr()
    assert output.err == ""
    assert all(f"wrote {tmp_path / 'out' / name}\n" in output.out for name in names(tmp_path / "out"))


def test_the_summary_says_what_was_trained_on_what_and_how_well(trained):
    _, output = trained
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert any(line.endswith("flowers.csv: 150 points, 120 to train on, 30 for validation") for line in lines)
    assert "inputs sepal length (cm), sepal width (cm), petal length (cm) and 1 more" in lines
    assert "target species: setosa, versicolor, virginica" in lines
    assert "network 4-8-3 tanh, 67 parameters" in lines
    assert "training cross-entropy, adam, learning rate 0.01, batches of 32" in lines
    assert "epoch loss accuracy validation loss validation accuracy" in lines
    assert "true \\ predicted setosa versicolor virginica" in lines


def test_the_summary_fits_a_terminal_of_80_columns(trained, flowers):
    _, output = trained
    assert max(map(len, output.replace(str(flowers.parent), "").splitlines())) <= 80


def test_there_is_no_boundary_to_draw_of_four_inputs_nor_one_left_of_an_earlier_model(
    trained, flowers, tmp_path, monkeypatch
):
    monkeypatch.setattr(train, "_png", lambda _figure: PNG)
    folder, _ = trained
    assert names(folder) == {"model.json", "history.csv", "curves.png"}
    status("train", "--epochs", 1, "--out", tmp_path)
    assert "boundary.png" in names(tmp_path)
    status("train", "--data", flowers, "--epochs", 1, "--out", tmp_path)
    assert "boundary.png" not in names(tmp_path)


def test_scales_and_class_names_travel_with_the_model(trained, flowers, capsys):
    folder, _ = trained
    assert status("predict", folder / "model.json", flowers) == 0
    answers = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    said = [row["species"] for row in answers]
    actual = [IRIS_SPECIES[k] for k in iris()[1]]
    assert np.mean([a == b for a, b in zip(said, actual, strict=True)]) >= 0.95
    assert all(1 / 3 <= float(row["probability"]) <= 1 for row in answers)


def test_the_scales_are_those_of_the_training_points_alone(trained):
    folder, _ = trained
    _, metadata = load_model(folder / "model.json")
    mean = iris()[0].mean(axis=0)
    assert metadata["recipe"]["mean"] != mean.tolist()
    assert metadata["recipe"]["mean"] == pytest.approx(mean, abs=0.2)


def test_columns_are_found_by_name_in_any_order_or_by_their_places(trained, flowers, tmp_path, capsys):
    folder, _ = trained
    with flowers.open() as file:
        rows = [*csv.reader(file)][:1] + [*csv.reader(flowers.read_text().splitlines())][50:54]
    variants = {
        "shuffled with a note": [["note", *(row[i] for i in (3, 0, 2, 1))] for row in rows],
        "inputs without a header": [row[:4] for row in rows[1:]],
        "all without a header": rows[1:],
    }
    variants["shuffled with a note"][1][0] = "found in spring"
    said = set()
    for name, table in variants.items():
        path = write(tmp_path / f"{name}.csv", *map(",".join, table))
        assert status("predict", folder / "model.json", path) == 0
        said.add(capsys.readouterr().out)
    assert len(said) == 1
    assert said.pop().count("\n") == 5


@pytest.mark.usefixtures("no_pictures")
def test_a_number_is_predicted_in_its_own_units(tmp_path, capsys):
    rng = np.random.default_rng(0)
    rows = [
        (a, n, 2000 * a + 10_000 * n)
        for a, n in zip(rng.uniform(40, 200, 60), rng.normal(4, 1, 60), strict=True)
    ]
    path = write(
        tmp_path / "houses.csv", "area,size,price", *[",".join(map(repr, map(float, r))) for r in rows]
    )
    arguments = ["--layers", "none", "--epochs", 200, "--batch-size", 8, "--validation", 0]
    assert status("train", "--data", path, *arguments, "--out", tmp_path / "out") == 0
    output = capsys.readouterr().out
    assert "target    price: a number\n" in output
    assert "training error of price" in output
    assert status("predict", tmp_path / "out" / "model.json", path) == 0
    header, *answers = capsys.readouterr().out.split()
    assert header == "price"
    assert [float(answer) for answer in answers] == pytest.approx([price for *_, price in rows], rel=0.01)


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("loss", ["hinge", "cross-entropy", "binary-cross-entropy"])
def test_every_loss_of_two_classes_learns_and_predicts_them(loss, tmp_path, capsys):
    rows = [f"{x},{'no' if x < 50 else 'yes'}" for x in range(0, 101, 4)]
    path = write(tmp_path / "data.csv", *rows)
    training = ["--layers", "none", "--lr", 0.3, "--batch-size", 8, "--loss", loss]
    assert status("train", "--data", path, *training, "--out", tmp_path / "out") == 0
    capsys.readouterr()
    assert status("predict", tmp_path / "out" / "model.json", write(tmp_path / "new.csv", "3", "97")) == 0
    header, *answers = capsys.readouterr().out.splitlines()
    assert header == ("column 2" if loss == "hinge" else "column 2,probability")
    assert [answer.split(",")[0] for answer in answers] == ["no", "yes"]


@pytest.mark.usefixtures("no_pictures")
def test_whole_numbers_are_classes_if_few_unless_the_loss_says_otherwise(tmp_path, capsys):
    path = write(tmp_path / "data.csv", *[f"{x},{x % 3}" for x in range(30)])
    many = write(tmp_path / "many.csv", *[f"{x},{x % 12}" for x in range(30)])
    for table, loss, expected in [
        (path, [], "target    column 2: 0, 1, 2\n"),
        (path, ["--loss", "mean-squared-error"], "target    column 2: a number\n"),
        (many, [], "target    column 2: a number\n"),
        (many, ["--loss", "cross-entropy"], "target    column 2: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"),
    ]:
        assert status("train", "--data", table, *loss, "--epochs", 1, "--out", tmp_path / "out") == 0
        assert expected in capsys.readouterr().out


@pytest.mark.usefixtures("no_pictures")
def test_the_target_may_be_any_column_by_name_or_number(tmp_path, capsys):
    path = write(tmp_path / "data.csv", "kind,x,y", *[f"{'ab'[i % 2]},{i},{i * i}" for i in range(10)])
    for target in ("kind", "1"):
        assert (
            status("train", "--data", path, "--target", target, "--epochs", 1, "--out", tmp_path / "out") == 0
        )
        assert "inputs    x, y\ntarget    kind: a, b\n" in capsys.readouterr().out
    assert status("predict", tmp_path / "out" / "model.json", write(tmp_path / "new.csv", "3,9", "4,16")) == 0
    assert capsys.readouterr().out.startswith("kind,probability\n")


@pytest.mark.usefixtures("no_pictures")
def test_the_same_seed_gives_the_same_files_and_another_one_others(tmp_path):
    for folder, seed in [("a", 1), ("b", 1), ("c", 2)]:
        assert status("train", "--epochs", 2, "--seed", seed, "--out", tmp_path / folder) == 0
    a, b, c = ([(tmp_path / f / n).read_bytes() for n in ("model.json", "history.csv")] for f in "abc")
    assert a == b
    assert a[0] != c[0]
    assert a[1] != c[1]


@pytest.mark.usefixtures("no_pictures")
def test_names_are_printed_as_they_are(tmp_path, capsys):
    path = write(
        tmp_path / "data.csv", "x,[bold]", *[f"{x},{'[red]' if x < 5 else '[/x]'}" for x in range(10)]
    )
    assert status("train", "--data", path, "--epochs", 1, "--out", tmp_path / "out") == 0
    output = capsys.readouterr().out
    assert "target    [bold]: [/x], [red]\n" in output
    assert "true \\ predicted   [/x]   [red]" in output


@pytest.mark.usefixtures("no_pictures")
def test_numbers_of_any_size_are_learnt(tmp_path, capsys):
    for size in (1e-300, 1e300):
        path = write(tmp_path / "data.csv", "a,b", *[f"{(x - 10) * size!r},{2.5 * x}" for x in range(20)])
        arguments = ["--layers", "none", "--lr", "0.1", "--validation", 0, "--batch-size", 5]
        assert status("train", "--data", path, *arguments, "--out", tmp_path / "out") == 0
        said = capsys.readouterr().out
        assert float(re.search("training error of b: ([^ ]*)", said)[1]) < 1.0


@pytest.mark.usefixtures("no_pictures")
def test_numbers_beyond_all_scales_are_one_line(tmp_path, capsys):
    path = write(tmp_path / "data.csv", *[f"{x},{x + 0.5}" for x in range(10)])
    assert (
        status("train", "--data", path, "--activation", "relu", "--epochs", 1, "--out", tmp_path / "out") == 0
    )
    capsys.readouterr()
    assert status("predict", tmp_path / "out" / "model.json", write(tmp_path / "new.csv", "1", "1e308")) == 2
    output = capsys.readouterr()
    assert output.err.startswith("chainrule predict: the network's output for point 2 is not finite")
    assert output.out == ""


@pytest.mark.usefixtures("no_pictures")
def test_what_is_wrong_with_a_network_is_told(tmp_path, capsys):
    assert status("train", "--optimizer", "sgd", "--lr", 30, "--epochs", 5, "--out", tmp_path) == 0
    assert "saturated units" in capsys.readouterr().out


BAD_TABLES = {
    "missing value": (
        ["a,b,t", "1,2,3", "1,,3"],
        "row 3, column 2 (b): the cell is empty; fill it, or choose --missing drop or --missing mean",
    ),
    "blank": (["1,2,3", "1, ,3"], "row 2, column 2: the cell is empty; fill it, or choose --missing"),
    "text": (
        ["a,b,t", "1,2,3", "1,two,3"],
        "row 3, column 2 (b): 'two' is not a number; correct it, put ? for it, or --drop 'b'",
    ),
    "nan": (["1,2,3", "1,nan,3"], "row 2, column 2: 'nan' stands for no value; fill it, or choose --missing"),
    "inf": (["1,2,3", "1,inf,3"], "row 2, column 2: 'inf' is not a finite number"),
    "short row": (
        ["a,b,t", "1,2,3", "1,2"],
        "row 3, column 3 (t): the cell is missing: 2 cells in this row, 3 in the others; fill it, or choose",
    ),
    "long row": (
        ["a,b,t", "1,2,3,4"],
        "row 2, column 4: a cell too many: 4 in this row, 3 in row 1; a comma",
    ),
    "after an empty line": (["a,t", "1,2", "", "x,3"], "row 4, column 1 (a): 'x' is not a number"),
    "nothing": ([], "there are no rows"),
    "header only": (["a,b,t"], "there are no rows below the header in row 1"),
    "one row": (["a,b,t", "1,2,3"], "there is one row only; training needs at least two"),
    "one column": (["a", "1", "2"], "there is one column only; --separator says what separates the cells"),
    "unclosed quote": (
        ["a,t", '1,"x', "2,y", '3,"x"', "4,y"],
        'row 2: a quote is opened and not closed before a separator; close it or leave it out: 1,"x',
    ),
    "unclosed last quote": (["a,t", "1,x", '2,"y'], "row 3: a quote is opened and not closed"),
    "dates to predict": (
        ["a,t", "1,2024-01-31", "2,2024-02-01"],
        "column 2 (t) holds dates, which cannot be predicted; choose another with --target",
    ),
    "nothing to learn from": (
        ["day,t", "2024-01-31,1", "2024-02-01,2"],
        "no column is left to learn from; left out 'day': dates",
    ),
    "empty target": (["a,t", "1,x", "2,"], "row 3, column 2 (t): the cell is empty"),
    "mixed target": (["a,t", "1,2.5", "2,3.5", "2,3.x"], "row 4, column 2 (t): '3.x' is not a number"),
    "one class": (
        ["a,t", "1,x", "2,x"],
        "column 2 (t) has one class only, x; there is nothing to tell apart",
    ),
    "no class": (["a,t", "1,x", "2,y", "3,z"], "column 2 (t) has 3 different values in 3 rows, too many"),
}


@pytest.mark.parametrize(("rows", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_what_is_wrong_with_a_table_is_one_line_with_row_and_column(
    rows, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "data.csv", *rows)
    assert status("train", "--data", "data.csv", "--out", "out") == 2
    output = capsys.readouterr()
    assert output.err.startswith("chainrule train: data.csv: ")
    assert message in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert names(tmp_path) == {"data.csv"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--data", "moon"],
            "unknown data set 'moon'; choose one of moons, circles, spirals, iris, digits, or",
        ),
        (["--data", "ok.csv", "--target", "z"], "ok.csv: there is no column 'z'; the columns are a, t"),
        (["--target", "2"], "--target chooses columns of a file; moons has its own"),
        (
            ["--layers", "16,x"],
            "'16,x' is no list of counts; give the units of each hidden layer, such as 16",
        ),
        (["--layers", "16,0"], "'16,0' is no list of counts"),
        (["--activation", "step"], "argument --activation: unknown activation 'step'; choose one of"),
        (["--activation", "maximum"], "argument --activation: an activation is an operation of one argument"),
        (["--loss", "hinge", "--data", "iris"], "iris has 3 classes, and hinge is for two; use --loss cross"),
        (["--loss", "mean-squared-error"], "moons has classes, and mean-squared-error is for numbers"),
        (["--optimizer", "newton"], "invalid choice: 'newton'"),
        (["--lr", "-1"], "argument --lr: '-1' is not a positive number"),
        (["--lr", "nan"], "argument --lr: 'nan' is not a positive number"),
        (["--epochs", "0"], "argument --epochs: '0' is not a whole number of at least 1"),
        (["--batch-size", "ten"], "argument --batch-size: 'ten' is not a whole number"),
        (["--validation", "1"], "argument --validation: '1' is not a share from 0 to below 1"),
        (["--l2", "-0.1"], "argument --l2: '-0.1' is not a number of at least 0"),
        (["--seed", "-1"], "argument --seed: '-1' is not a whole number from 0"),
    ],
)
def test_a_mistake_in_the_options_is_one_line_and_writes_nothing(
    arguments, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "ok.csv", "a,t", "1,2", "2,4", "3,6")
    assert status("train", *arguments) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert names(tmp_path) == {"ok.csv"}


def test_a_file_that_cannot_be_read_is_one_line(tmp_path, capsys):
    assert status("train", "--data", tmp_path / "no.csv") == 1
    assert capsys.readouterr().err == f"chainrule train: {tmp_path / 'no.csv'}: No such file or directory\n"
    (tmp_path / "picture.csv").write_bytes(PNG + bytes(range(256)) * 2)
    assert status("train", "--data", tmp_path / "picture.csv") == 2
    assert "it is no CSV file: it holds bytes that are no text" in capsys.readouterr().err


def test_a_training_that_diverges_is_an_error_and_saves_no_model(tmp_path, capsys):
    path = write(tmp_path / "data.csv", *[f"{x},{3.5 * x}" for x in range(20)])
    arguments = ["--data", path, "--layers", "none", "--optimizer", "sgd", "--lr", "1e200"]
    assert status("train", *arguments, "--out", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert error.startswith("chainrule train: the training diverged in epoch ")
    assert "use a lower learning rate" in error
    assert error.count("\n") == 1
    assert names(tmp_path / "out") == set()


@pytest.mark.usefixtures("no_pictures")
def test_ctrl_c_saves_what_was_reached(tmp_path, capsys, monkeypatch):
    def interrupt(run):
        if len(run.history) == 2:
            raise KeyboardInterrupt

    def interrupted(*arguments, callbacks, **keywords):
        return fit(*arguments, callbacks=[*callbacks, interrupt], **keywords)

    monkeypatch.setattr(train, "fit", interrupted)
    assert status("train", "--out", tmp_path / "out") == 0
    assert "stopped   interrupted" in capsys.readouterr().out
    assert (tmp_path / "out" / "history.csv").read_text().count("\n") == 1 + 2
    assert load_model(tmp_path / "out" / "model.json")


def test_ctrl_c_before_the_end_of_an_epoch_saves_nothing(tmp_path, capsys, monkeypatch):
    def interrupt(*_arguments, **_keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr("nn.train.minibatches", interrupt)
    assert status("train", "--out", tmp_path / "out") == 130
    assert capsys.readouterr().err == "chainrule train: interrupted\n"
    assert names(tmp_path / "out") == set()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["1,2,3,4,5,6"], "it has 6 columns, and the network was trained with 4 inputs"),
        (
            ["a,b,c,d", "1,2,3,4"],
            "there is no column 'sepal length (cm)', which the network was trained with",
        ),
        (["1,2,3,4", "1,2,x,4"], "row 2, column 3: 'x' is not a number"),
        ([], "there are no rows"),
    ],
)
def test_a_table_that_does_not_suit_the_network_is_one_line(rows, message, trained, tmp_path, capsys):
    folder, _ = trained
    path = write(tmp_path / "new.csv", *rows)
    assert status("predict", folder / "model.json", path) == 2
    output = capsys.readouterr()
    assert output.err.startswith(f"chainrule predict: {path}: {message}")
    assert output.err.count("\n") == 1
    assert output.out == ""


def rewritten(path, target, change):
    document = json.loads(path.read_text())
    change(document)
    content = {name: document[name] for name in ("parameters", "architecture", "metadata")}
    document["checksum"] = zlib.crc32(json.dumps(content, sort_keys=True).encode())
    target.write_text(json.dumps(document))
    return target


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d.update(metadata={}),
            "it does not say what its inputs are; make it with chainrule train",
        ),
        (lambda d: d["metadata"]["recipe"].pop("mean"), "its recipe does not fit its network"),
        (lambda d: d["metadata"]["recipe"]["mean"].pop(), "its recipe does not fit its network"),
        (lambda d: d["metadata"]["recipe"]["classes"].pop(), "its recipe does not fit its network"),
        (lambda d: d["metadata"]["recipe"].update(deviation="abcd"), "its recipe does not fit its network"),
        (lambda d: d["metadata"]["recipe"].update(loss="zero"), "its recipe does not fit its network"),
    ],
)
def test_a_model_of_another_make_is_one_line(change, message, trained, flowers, tmp_path, capsys):
    folder, _ = trained
    path = rewritten(folder / "model.json", tmp_path / "model.json", change)
    assert status("predict", path, flowers) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert str(path) in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""
