"""The command line on any terminal: encodings, closed streams, interrupts, characters that steer."""

import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

from chainrule import cli
from chainrule.terminal import plain
from tests.own_files import flowers

WINDOWS = pytest.mark.skipif(os.name == "nt", reason="POSIX streams and signals")


def chainrule(*arguments, redirect="", environment=None, folder=None):
    """Run the program through a shell; return the finished process."""
    command = [sys.executable, "-m", "chainrule", *map(str, arguments)]
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirect}', "sh", *command],
        capture_output=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | (environment or {}),
    )


@pytest.mark.parametrize(
    "encoding",
    [
        "cp1252",
        "utf-8",
        pytest.param("ascii", marks=pytest.mark.slow),
        pytest.param("cp437", marks=pytest.mark.slow),
    ],
)
def test_any_output_encoding_is_enough(encoding, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(
        flowers(["длина", "幅", "größe", "é", "вид"]).replace("setosa", "щетинистый"), encoding="utf-8"
    )
    environment = {"PYTHONIOENCODING": encoding}
    training = ("train", "--data", path, "--epochs", 1, "--out", tmp_path / "out")
    run = chainrule(*training, environment=environment)
    assert (run.returncode, run.stderr) == (0, b"")
    said = run.stdout.decode(encoding)
    assert ("щетинистый" in said) == (encoding == "utf-8")
    assert ("\\u0449" in said) == (encoding != "utf-8")
    run = chainrule("predict", tmp_path / "out" / "model.json", path, environment=environment)
    assert (run.returncode, run.stderr) == (0, b"")
    run = chainrule("train", "--data", path, "--target", "ф", environment=environment)
    assert run.returncode == 2
    assert b"Traceback" not in run.stderr


@WINDOWS
@pytest.mark.parametrize(
    ("redirect", "status"),
    [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0), (">/dev/full", 1), ("| head -c 1", 0)],
)
def test_streams_may_be_closed_or_full(redirect, status, tmp_path):
    if "/dev/full" in redirect and not os.path.exists("/dev/full"):  # noqa: PTH110 - it is no file
        pytest.skip("there is no /dev/full")
    run = chainrule("draw", "x * x", "x=3", "-o", "a.dot", redirect=redirect, folder=tmp_path)
    assert run.returncode == status
    assert b"Traceback" not in run.stderr
    assert b"Exception ignored" not in run.stderr


@WINDOWS
@pytest.mark.usefixtures("control_c")
@pytest.mark.parametrize("seconds", [0.2, 0.4, 0.8])
def test_an_interrupt_at_any_moment_is_one_line(seconds, tmp_path):
    begun = "import sys; from chainrule.cli import main; print('begun', flush=True); sys.exit(main())"
    command = [sys.executable, "-c", begun, "train", "--epochs", "2000", "--out", str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert run.stdout is not None
    assert run.stdout.readline() == b"begun\n"  # until then it is Python that is interrupted
    time.sleep(seconds)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    if b"stopped   interrupted" not in out:
        assert err == b"chainrule train: interrupted\n"
        # Python ends by the signal itself if it came while a text was run, as dataclasses do; 130 to a shell.
        assert run.returncode in (130, -signal.SIGINT)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("-x", -3),
        ("-x*y", -6),
        ("-(x + y)", -5),
        ("--x", 3),
        ("---x", -3),
        ("- x", -3),
        ("-2", -2),
        ("-x**2", -9),
        ("-h*x", -3),
        ("-o*x", -3),
    ],
)
def test_a_formula_may_begin_with_a_minus(formula, value, tmp_path, capsys):
    names = [
        f"{name}={number}" for name, number in {"x": 3, "y": 2, "h": 1, "o": 1}.items() if name in formula
    ]
    for command in (["draw", formula, *names, "-o", str(tmp_path / "a.dot")],
                    ["draw", "-o", str(tmp_path / "a.dot"), formula, *names]):  # fmt: skip
        assert cli.main(command) == 0
        assert f" = {value}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("5", ""),
        ("none", ""),
        (
            "3",
            "the graph has 5 nodes, above the limit of 3; draw a part of it, or lift the limit with --limit",
        ),
        ("0", "'0' is no number of nodes"),
        ("x", "'x' is no number of nodes"),
    ],
)
def test_the_largest_graph_to_draw_can_be_told(limit, message, tmp_path, capsys):
    arguments = ["draw", "x * y + z", "x=1", "y=2", "z=3", "-o", str(tmp_path / "a.dot"), "--limit", limit]
    if message.startswith("'"):
        with pytest.raises(SystemExit):
            cli.main(arguments)
    else:
        assert cli.main(arguments) == (2 if message else 0)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--epoch", "--lrs=3", "-q"])
def test_an_option_that_there_is_not_is_named(option, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["train", option])
    assert end.value.code == 2
    assert option in capsys.readouterr().err


def test_a_notebook_shows_progress_without_widgets():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    cell = (
        "import warnings; warnings.simplefilter('error')\n"
        "from nn import MLP, SGD, fit, hinge, two_moons\n"
        "X, y = two_moons(20, random_state=0)\n"
        "model = MLP(2, [3, 1])\n"
        "history = fit(model, X, 2 * y - 1, hinge, SGD(model.parameters()), 3, progress=True)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output["output_type"] == "display_data"
    assert re.search(r"█{16} \d+ s, 0 s left  epoch 3/3  loss ", output["data"]["text/plain"])


STEERING = "\x1b[2J\x07\x9b31m\u202e\r\x00\u2028"


def test_nothing_that_steers_a_terminal_is_plain():
    said = plain(f"a{STEERING}b")
    assert said.isprintable()
    assert said.startswith("a\\x1b[2J\\x07")
    assert plain("größe 幅") == "größe 幅"


@WINDOWS
def test_no_character_of_a_file_reaches_the_terminal(tmp_path):
    steering = STEERING.replace("\x00", "").replace("\r", "").replace("\u2028", "")
    path = tmp_path / "data.csv"
    path.write_text(
        flowers([f"a{steering}", "b", "c", "d", f"t{steering}"]).replace("setosa", f"x{steering}")
    )
    steered = [b"\x1b[2J", b"\x07", b"\xc2\x9b", "\u202e".encode()]

    def on_a_terminal(*arguments):
        mine, theirs = pty.openpty()
        command = [sys.executable, "-m", "chainrule", *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "dumb"}
        run = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(mine, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            said += part
        os.close(mine)
        return run.wait(), said

    out = tmp_path / "out"
    for arguments in (
        ("train", "--data", path, "--epochs", 1, "--out", out),
        ("predict", out / "model.json", path),
        ("train", "--data", path, "--target", f"{steering}?", "--out", out),
        (
            "train",
            "--data",
            path,
            "--inputs",
            "1,5",
            "--target",
            "2",
            "--loss",
            "cross-entropy",
            "--out",
            out,
        ),
    ):
        _, said = on_a_terminal(*arguments)
        assert said
        assert not any(sign in said for sign in steered), arguments
