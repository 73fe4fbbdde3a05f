"""What is written for LaTeX is read by LaTeX, where there is one."""

import random
import shutil
import subprocess

import pytest

import autograd
from autograd import Value, backprop_latex, draw_dot, step_through
from autograd.drawing.tikz import PREAMBLE
from autograd.ops import TABLE
from chainrule import cli
from nn import GPT
from tests.examples import simple
from tests.rows import leaves, samples

PROGRAM = shutil.which("pdflatex")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="LaTeX is not installed")


def typeset(path):
    """Set a document; return its log, in which nothing is amiss."""
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name],
        cwd=path.parent,
        capture_output=True,
    )
    log = path.with_suffix(".log").read_text(encoding="latin-1")
    assert run.returncode == 0, "\n".join(line for line in log.splitlines() if line.startswith("!"))
    assert "Missing character" not in log
    assert "undefined" not in log
    return log


def document(path, body, preamble=PREAMBLE):
    packages = rf"\usepackage{{amsmath,amssymb}}{preamble}\pdfpageheight=300cm \pdfpagewidth=100cm"
    text = rf"\documentclass{{article}}{packages}\textheight=290cm \textwidth=90cm \begin{{document}}"
    path.write_text(f"{text}\n{body}\n\\end{{document}}\n", encoding="utf-8")
    return path


def test_a_drawing_with_names_that_latex_reads_otherwise(tmp_path):
    names = ["a_b", "50%", "x^2", "{y}", "\\z", "#1", "a&b", "~", "<t>", "$", "θ", "λ_1", "Δx"]
    root = sum((Value(float(k), name) for k, name in enumerate(names)), Value(0.0))
    drawing = draw_dot(root, local_derivatives=True)
    typeset(document(tmp_path / "drawing.tex", drawing.tikz()))


def test_a_walk_has_a_page_per_step(tmp_path):
    stepper = step_through(simple())
    log = typeset(stepper.save(tmp_path / "walk.tex"))
    assert f"({len(stepper.moves())} pages" in log


def test_a_worksheet_and_its_solution(tmp_path):
    sheet = tmp_path / "sheet.tex"
    assert cli.main(["worksheet", "tanh(x*y) + relu(-y)*1e-20", "x=1", "y=2", "-o", str(sheet)]) == 0
    assert all("(1 page" in typeset(path) for path in sorted(tmp_path.glob("*.tex")))


def test_the_backpropagation_through_every_row(tmp_path):
    rng = random.Random(0)
    steps = []
    for row in TABLE.values():
        arguments = leaves(row, samples(row, 1, rng)[0])
        for argument, name in zip(arguments, ("x", "y", "z"), strict=False):
            if isinstance(argument, Value):
                argument.label = name
        steps.append(rf"\[{backprop_latex(row(*arguments))}\]\clearpage")
    typeset(document(tmp_path / "rows.tex", "\n".join(steps)))


def test_greek_letters_are_written_by_name(tmp_path):
    x, y = Value(0.5, "θ"), Value(2.0, "Δλ")
    formulas = backprop_latex((x * y).tanh())
    assert r"\theta \cdot \mathrm{\Delta \lambda }" in formulas
    typeset(document(tmp_path / "greek.tex", rf"\[{formulas}\]"))


@pytest.mark.parametrize("name", ["a_b", "50%", "x^2", "$", "θ", "~", "Δ λ", "#"])
def test_a_program_whose_parameter_has_such_a_name(name, tmp_path):
    weight = Value(2.0, name)
    program = autograd.compile(weight * weight + weight)
    typeset(document(tmp_path / "named.tex", rf"\[{program.latex()}\]"))


def test_the_formulas_of_a_program(tmp_path):
    model = GPT(5, block=4, width=4, heads=2, rng=0)
    program = autograd.compile(model.loss([2, 0, 1, 2]), inputs=model.parameters())
    typeset(document(tmp_path / "program.tex", rf"\[{program.latex()}\]"))
