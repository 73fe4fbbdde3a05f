"""The command line: what it prints and writes, and the one line it says about a mistake."""

import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from chainrule import cli
from tests.command_line import status

GATE = "1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))"
NUMBERS = ["w0=2", "x0=-1", "w1=-3", "x1=-2", "w2=-3"]
STRICT = ["-W", "error::UserWarning", "-W", "ignore::DeprecationWarning"]  # the latter are of libraries
PNG = b"\x89PNG\r\n"


def chainrule(*arguments):
    """Run the program as its users do, in a process of its own, where no number may leave the graph."""
    command = [sys.executable, *STRICT, "-m", "chainrule", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_draw_prints_the_value_and_gradients_and_writes_the_picture(tmp_path, capsys):
    path = tmp_path / "gate.svg"
    assert status("draw", GATE, *NUMBERS, "-o", str(path)) == 0
    assert capsys.readouterr().out == (
        "f = 0.7310585786\n"
        "df/dw0 = -0.1966119332\n"
        "df/dx0 = 0.3932238665\n"
        "df/dw1 = -0.3932238665\n"
        "df/dx1 = -0.5898357997\n"
        "df/dw2 = 0.1966119332\n"
        f"wrote {path}\n"
    )
    texts = {element.text for element in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")}
    assert {"w0", "0.7311", "grad -0.5898", "exp"} <= texts


def test_draw_chooses_the_form_by_the_suffix(tmp_path, capsys):
    assert status("draw", "x * x", "x=3", "-o", str(tmp_path / "a.png")) == 0
    assert status("draw", "x * x", "x=3", "-o", str(tmp_path / "a.dot")) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(PNG)
    assert (tmp_path / "a.dot").read_text().startswith("digraph")
    assert capsys.readouterr().err == ""


def test_draw_writes_local_derivatives_on_request(tmp_path):
    path = tmp_path / "a.dot"
    status("draw", "x * y", "x=3", "y=7", "-o", str(path))
    assert "local" not in path.read_text()
    status("draw", "x * y", "x=3", "y=7", "-o", str(path), "--local-derivatives", "--rankdir", "TB")
    assert "local 7" in path.read_text()
    assert "rankdir=TB" in path.read_text()


def test_options_may_stand_among_the_numbers(tmp_path, capsys):
    assert status("draw", "x * y", "x=3", "-o", str(tmp_path / "a.svg"), "y=7") == 0
    assert "f = 21\n" in capsys.readouterr().out


def test_a_formula_may_begin_with_a_minus_sign(tmp_path, capsys):
    assert status("draw", "-x*y", "x=3", "y=-7", "-o", str(tmp_path / "a.svg")) == 0
    assert status("draw", "-(x + 1)", "x=3", "-o", str(tmp_path / "a.svg")) == 0
    assert capsys.readouterr().out.count("f = 21\n") == 1


def test_a_number_may_be_a_formula(tmp_path, capsys):
    assert status("draw", "sin(x)", "x=pi/2", "-o", str(tmp_path / "a.svg")) == 0
    assert capsys.readouterr().out.startswith("f = 1\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "chainrule: the following arguments are required: COMMAND; see chainrule --help"),
        (["drow"], "chainrule: argument COMMAND: invalid choice: 'drow' (choose from"),
        (["--verbose", "draw"], "chainrule: unrecognized arguments: --verbose"),
        (["--", "draw"], "chainrule: "),
        (["draw"], "chainrule draw: the following arguments are required: FORMULA"),
        (["draw", "x", "--colour"], "chainrule draw: unrecognized arguments: --colour"),
        (["draw", "x + w3", "x=1"], "unknown name 'w3' at column 5 of \"x + w3\"; give it as w3=NUMBER"),
        (["draw", " -x * w3", "x=1"], "unknown name 'w3' at column 6 of \"-x * w3\""),
        (["draw", "x +", "x=1"], 'chainrule draw: invalid syntax at column 4 of "x +"'),
        (["draw", "open('x')"], "unknown function 'open'"),
        (["draw", "x", "x"], "'x' is not of the form NAME=NUMBER, such as x=-2"),
        (["draw", "x", "2=x"], "'2=x' is not of the form NAME=NUMBER"),
        (["draw", "x", "x="], "'x=': no formula"),
        (["draw", "x", "x=two"], "'x=two': unknown name 'two'"),
        (["draw", "x", "x=1", "x=2"], "'x=2': x is given already; give each name once"),
        (["draw", "x", "x=1", "y=2"], "the name 'y' is given but does not occur in \"x\""),
        (["draw", "x", "lambda=1"], "the name is a word of Python's grammar; choose another"),
        (["draw", "x", "x=1", "-o", "x.gif"], "'.svg', '.png', '.pdf', '.tex', '.dot', not '.gif'"),
        (["draw", " * ".join(["(" + "x + " * 500 + "x)"] * 5), "x=1"], "above the limit of 2000"),
    ],
)
def test_a_mistake_is_one_line_on_standard_error_and_status_2(
    arguments, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert status(*arguments) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.err.startswith("chainrule")
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["missing/a.svg", "file/a.svg", "folder.svg"])
def test_an_unwritable_path_is_one_line_and_nothing_is_written(path, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("a file, not a folder")
    (tmp_path / "folder.svg").mkdir()
    assert status("draw", "x", "x=1", "-o", path) == 1
    output = capsys.readouterr()
    assert output.err.startswith(f"chainrule draw: cannot write '{path}': ")
    assert output.err.count("\n") == 1
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "folder.svg"}


def test_a_demo_without_a_place_for_its_folder_is_one_line(capsys, tmp_path):
    (tmp_path / "file").write_text("a file, not a folder")
    assert status("demo", "--out", str(tmp_path / "file")) == 1
    assert capsys.readouterr().err == f"chainrule demo: {tmp_path / 'file'}: File exists\n"


def test_an_interrupt_is_one_line(capsys, monkeypatch):
    def interrupt(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("chainrule.commands.draw.run", interrupt)
    assert status("draw", "x", "x=1") == 130
    assert capsys.readouterr().err == "chainrule draw: interrupted\n"


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    read, write = os.pipe()
    os.close(read)
    try:
        run = subprocess.run(
            [sys.executable, "-m", "chainrule", "draw", "x", "x=1", "-o", str(tmp_path / "a.dot")],
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)
    assert run.stderr == b""


def test_python_m_autograd_is_chainrule():
    assert chainrule("--version").stdout == "chainrule 0.1.0\n"
    run = chainrule("draw", "x + y", "x=1")
    assert run.returncode == 2
    assert run.stderr == ("chainrule draw: unknown name 'y' at column 5 of \"x + y\"; give it as y=NUMBER\n")


def test_help_lists_every_command_and_imports_no_large_library():
    program = (
        "import sys; sys.argv = ['chainrule', '--help']\ntry:\n    from chainrule.cli import main; main()\n"
    )
    program += "finally:\n    print(*{'matplotlib', 'rich', 'nn'} & sys.modules.keys(), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert all(name in run.stdout for name in cli.COMMANDS)
    assert run.stderr == "\n"


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_a_help(command, capsys):
    assert status(command, "--help") == 0
    assert capsys.readouterr().out.startswith(f"usage: chainrule {command}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "pictures"
    run = chainrule("demo", "--out", str(folder))
    assert run.returncode == 0, run.stderr
    return run.stdout, folder


def rows(output):
    """Return every line without the padding of its columns."""
    return [" ".join(line.split()) for line in output.splitlines()]


def test_the_demo_works_through_a_simple_graph(demo):
    output, _ = demo
    assert "q = x + y -2 + 5 3" in rows(output)
    assert "f = q * z 3 * -4 -12" in rows(output)
    assert "f = q * z df/dq -4 1 -4" in rows(output)
    assert "df/dz 3 1 3" in rows(output)
    assert "q = x + y dq/dx 1 -4 -4" in rows(output)
    assert "dq/dy 1 -4 -4" in rows(output)


def test_the_demo_works_through_the_sigmoid_gate_in_two_ways(demo):
    output, _ = demo
    assert "f = 1 / v 1 / 1.368 0.7311" in rows(output)
    assert "u = exp(n) du/dn 0.3679 -0.5344 -0.1966" in rows(output)
    assert "f = sigmoid(s) df/ds 0.1966 1 0.1966" in rows(output)
    expected = {"w0": -0.1966, "x0": 0.3932, "w1": -0.3932, "x1": -0.5898, "w2": 0.1966}
    for name, gradient in expected.items():
        assert f"df/d{name} {gradient} {gradient}" in rows(output)


def test_the_demo_trains_to_98_percent_and_says_so(demo):
    output, _ = demo
    assert "accuracy  98%" in output
    assert "98 of 100 points are on the right side" in output


def test_the_demo_saves_its_pictures_where_it_says(demo):
    output, folder = demo
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("simple-example.svg", "simple-example.png", "sigmoid-of-gates.svg", "sigmoid-of-gates.png"),
        *("sigmoid-as-gate.svg", "sigmoid-as-gate.png", "two-moons.png"),
    }
    assert all(f"{folder / name}\n" in output for name in names)
    assert all((folder / name).read_bytes().startswith(PNG) for name in names if name.endswith(".png"))


def test_the_demo_fits_a_terminal_of_80_columns(demo):
    output, folder = demo
    assert max(map(len, output.replace(str(folder), "pictures").splitlines())) <= 80
