"""The README does what it says: its Python runs, its commands are those that are checked, its links exist."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

from autograd import ops
from chainrule import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_the_python_blocks_run_one_after_another_and_give_what_they_show(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples, names = "\n".join(blocks("python")), {"__name__": "__main__"}
    test = doctest.DocTestParser().get_doctest(examples, names, "README.md", "README.md", 0)
    failures = []
    result = doctest.DocTestRunner().run(test, out=failures.append)
    assert result.attempted >= 20
    assert result.failed == 0, "".join(failures)


def test_two_commands_set_it_up_and_the_check_runs_the_second():
    first, second, *_ = blocks("sh")
    assert "chainrule demo" in first
    assert "pytest" in second
    assert first.count("\n") == second.count("\n") == 1
    pattern = re.search(r"grep -m 1 '(.*)' README.md", (ROOT / ".ci/run").read_text())[1]
    assert re.findall(f"{pattern}.*", README, flags=re.MULTILINE) == [second.strip()]


def test_the_picture_is_what_the_command_below_it_draws(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = next(block for block in blocks("sh") if block.startswith("chainrule draw"))
    program, *arguments = shlex.split(command)
    picture = arguments[-1]
    assert program == "chainrule"
    assert f"]({picture})" in README
    Path(picture).parent.mkdir()
    assert cli.main(arguments) == 0
    assert capsys.readouterr().err == ""
    assert Path(picture).read_bytes() == (ROOT / picture).read_bytes()


def test_the_player_is_seen_and_the_whole_is_read_in_one_sitting():
    first_screen, lines = README[: README.index("```")], README.splitlines()
    assert "](images/player.png)" in first_screen
    assert len(lines) < 250


def test_the_table_of_edges_is_that_of_the_rows():
    claims = re.findall(r"^\| `(\w+)\((.*)\)` \| (.*) \| (.*) \|$", README, flags=re.MULTILINE)
    assert len(claims) >= 8
    for name, point, value, derivatives in claims:
        at = tuple(map(float, point.split(", ")))
        (edge,) = [edge for edge in ops.TABLE[name].edges if f"{edge[0]}" == f"{at}"]
        assert (value, derivatives.split(", ")) == (f"{edge[1]:g}", [f"{slope:g}" for slope in edge[2]])


def test_every_operation_is_named():
    section = README.partition("## Operations")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", section)) | {"add", "sub", "mul", "div", "neg", "pos"}
    named |= {
        "greater",
        "greater_equal",
        "less",
        "less_equal",
        "acos",
        "atan",
        "asinh",
        "acosh",
    }  # said in words
    assert set(ops.TABLE) - named == {"strong_mul"}  # what the engine itself multiplies with


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_links_lead_somewhere(name):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text())
    assert [target for target in targets if not (ROOT / target).exists()] == []
