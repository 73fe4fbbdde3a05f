"""``chainrule train-gpt`` and ``chainrule generate``: from lines of text to a model, and to new lines."""

import re

import pytest

import nn
from chainrule.commands import train_gpt
from nn import load_gpt
from tests.command_line import status

WORDS = ["abba", "baba", "ab", "cab", "bab"]
SMALL = ["--width", "4", "--heads", "2", "--block", "6", "--steps", "20"]


@pytest.fixture
def words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("".join(f"{word}\n" for word in WORDS), encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("words")
def test_lines_in_a_model_out_and_new_lines_from_it(capsys):
    assert status("train-gpt", "words.txt", *SMALL, "--batch-size", 2) == 0
    output = capsys.readouterr().out
    assert "data      words.txt: 5 documents, such as abba, baba, ab\n" in output
    assert "alphabet  3 characters: abc\n" in output
    assert "training  20 steps of adam, learning rate 0.01 to 0, 2 documents each\n" in output
    losses = [float(loss) for loss in re.findall(r"^step +\d+  loss (\S+)  ", output, re.M)]
    assert len(losses) == 10
    assert losses[-1] < losses[0]
    assert output.endswith("wrote gpt.json\n")
    model, tokenizer = load_gpt("gpt.json")
    assert (repr(model), tokenizer.characters) == (
        "GPT(vocabulary=4, block=6, width=4, heads=2, layers=1)",
        "abc",
    )
    assert status("generate", "gpt.json", "--count", 7, "--seed", 3, "--prompt", "ba") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert all(re.fullmatch("ba[abc]{0,4}", line) for line in lines)
    status("generate", "gpt.json", "--count", 7, "--seed", 3, "--prompt", "ba")
    assert capsys.readouterr().out.splitlines() == lines


def test_the_same_seed_gives_the_same_model(words):
    for seed, name in ((1, "a.json"), (1, "b.json"), (2, "c.json")):
        assert status("train-gpt", "words.txt", *SMALL, "--seed", seed, "--out", name) == 0
    a, b, c = ((words / name).read_bytes() for name in ("a.json", "b.json", "c.json"))
    assert a == b != c


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing.txt"], 1, "nothing.txt: No such file or directory"),
        (["empty.txt"], 2, "'empty.txt' holds no documents; write one a line, such as a name"),
        (["latin.txt"], 2, "'latin.txt' is no text in UTF-8 (its byte 1); save it as UTF-8"),
        (
            ["words.txt", "--block", "4"],
            2,
            "'abba' has 4 characters, and a block of 4 has room for 3 and the",
        ),
        (["words.txt", "--heads", "3"], 2, "argument --heads: heads must divide width"),
        (["words.txt", "--width", "0"], 2, "argument --width: '0' is not a whole number of at least 1"),
        (["words.txt", "--width", "4000"], 2, "192,096,000 parameters, and at most 1,000,000 are made"),
        (["words.txt", "--out", "folder"], 1, "folder: Is a directory"),
        (["words.txt", *SMALL, "--lr", "1e300"], 2, "the training diverged in step"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(words, capsys, arguments, code, said):
    (words / "empty.txt").write_text(" \n\n")
    (words / "latin.txt").write_bytes(b"\xe9t\xe9\n"[1:])
    (words / "folder").mkdir()
    before = set(words.iterdir())
    assert status("train-gpt", *arguments) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("chainrule train-gpt: ")
    assert error.count("\n") == 1
    assert set(words.iterdir()) == before


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_was_there_stays_if_the_model_is_not_written(words, monkeypatch, failure):
    (words / "gpt.json").write_text("before")

    def fail(*_arguments):
        raise failure

    monkeypatch.setattr(train_gpt, "save_gpt", fail)
    assert status("train-gpt", "words.txt", *SMALL) == (130 if failure is KeyboardInterrupt else 1)
    assert (words / "gpt.json").read_text() == "before"
    assert not [path for path in words.iterdir() if path.suffix == ".part"]


@pytest.mark.usefixtures("words")
def test_an_interrupted_training_is_saved_as_far_as_it_went(monkeypatch, capsys):
    reports = iter([["a"], KeyboardInterrupt])

    def generate(*_arguments, **_named):
        said = next(reports)
        if said is KeyboardInterrupt:
            raise said
        return said

    monkeypatch.setattr(train_gpt, "generate", generate)
    assert status("train-gpt", "words.txt", *SMALL) == 0
    assert capsys.readouterr().out.endswith("stopped   interrupted; wrote gpt.json\n")
    load_gpt("gpt.json")


def test_an_interrupted_training_goes_on_bit_for_bit(words, monkeypatch, capsys):
    assert status("train-gpt", "words.txt", *SMALL, "--batch-size", 3, "--out", "at_once.json") == 0
    whole = capsys.readouterr().out.splitlines()
    made, count = nn.generate, iter(range(100))

    def interrupted(*arguments, **named):
        if next(count) == 4:
            raise KeyboardInterrupt
        return made(*arguments, **named)

    monkeypatch.setattr(train_gpt, "generate", interrupted)
    status("train-gpt", "words.txt", *SMALL, "--batch-size", 3, "--checkpoint", "run.json")
    monkeypatch.setattr(train_gpt, "generate", made)
    load_gpt("run.json")  # is a model, too
    capsys.readouterr()
    resumed = status(
        "train-gpt", "words.txt", *SMALL, "--batch-size", 3, "--resume", "run.json", "--out", "on.json"
    )
    assert resumed == 0
    assert (words / "on.json").read_bytes() == (words / "at_once.json").read_bytes()
    steps = [line for line in whole if line.startswith("step")]
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("step")] == steps[4:]


@pytest.mark.usefixtures("words")
def test_what_runs_the_training_can_be_chosen(capsys):
    losses = []
    for engine in ("numpy", "wasm", "auto"):
        assert status("train-gpt", "words.txt", *SMALL, "--engine", engine) == 0
        losses.append([float(loss) for loss in re.findall(r"loss (\S+)", capsys.readouterr().out)])
    assert losses[0] == losses[1] == losses[2]
    assert status("train-gpt", "words.txt", "--engine", "cuda") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["words.txt", *SMALL, "--resume", "gpt.json"], "it holds a model alone; nn.Checkpoint writes what"),
        (["words.txt", *SMALL, "--width", "8", "--resume", "run.json"], "give those it began with"),
        (["others.txt", *SMALL, "--resume", "run.json"], "give those it began with"),
        (["more.txt", *SMALL, "--resume", "run.json"], "it was of 5 documents, and these are 6"),
        (["words.txt", *SMALL, "--resume", "words.txt"], "it is no complete JSON document"),
    ],
)
def test_a_training_goes_on_only_from_its_own_file(words, capsys, arguments, said):
    (words / "others.txt").write_text("xyz\n")
    (words / "more.txt").write_text("\n".join([*WORDS, "cc"]))
    assert status("train-gpt", "words.txt", *SMALL[:-1], 1, "--checkpoint", "run.json") == 0
    capsys.readouterr()
    before = (words / "run.json").read_bytes(), (words / "gpt.json").read_bytes()
    assert status("train-gpt", *arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert ((words / "run.json").read_bytes(), (words / "gpt.json").read_bytes()) == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing.json"], 1, "nothing.json: No such file or directory"),
        (["words.txt"], 2, "cannot load 'words.txt': it is no complete JSON document"),
        (
            ["gpt.json", "--prompt", "axe"],
            2,
            "the character 'x' at place 1 of 'axe' is not in the vocabulary",
        ),
        (["gpt.json", "--prompt", "aaaaaa"], 2, "the prompt has 6 characters"),
        (
            ["gpt.json", "--temperature", "-1"],
            2,
            "argument --temperature: '-1' is not a number of at least 0",
        ),
    ],
)
@pytest.mark.usefixtures("words")
def test_mistakes_in_generating_are_one_line(capsys, arguments, code, said):
    assert status("train-gpt", "words.txt", *SMALL[:-1], 1) == 0
    capsys.readouterr()
    assert status("generate", *arguments) == code
    error = capsys.readouterr().err
    assert error.startswith(f"chainrule generate: {said}")
    assert error.count("\n") == 1
