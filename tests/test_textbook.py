"""Local derivatives as a textbook writes them: equal to the accurate ones, and never shown where false."""

import math
import random
from typing import Any

import pytest

from autograd import Operation, Value, explain, ops, step_through, topological_order
from autograd.formula import Formula
from autograd.notation.latex import Latex
from autograd.notation.printing import write, write_numbers
from autograd.row import operation
from autograd.stepping import backprop_latex, backprop_source
from autograd.stepping.formula import local_derivative, name_nodes

FORMS = [
    (row, index) for row in ops.TABLE.values() for index, form in enumerate(row.textbook) if form is not None
]
# What a lecture writes, and LaTeX of it; f is the output.
FAMILIAR = {
    "div": ["1/y", "-x/y**2"],
    "pow": ["y*x**(y - 1)", "f*log(x)"],
    "maximum": ["1 if x > y else 0", "1 if y > x else 0"],
    "minimum": ["1 if x < y else 0", "1 if y < x else 0"],
    "exp": ["f"],
    "exp2": ["f*log(2)"],
    "log": ["1/x"],
    "log2": ["1/(x*log(2))"],
    "log10": ["1/(x*log(10))"],
    "sqrt": ["1/(2*f)"],
    "cbrt": ["1/(3*f**2)"],
    "sin": ["cos(x)"],
    "cos": ["-sin(x)"],
    "tan": ["1 + f**2"],
    "asin": ["1/sqrt(1 - x**2)"],
    "acos": ["-1/sqrt(1 - x**2)"],
    "atan": ["1/(1 + x**2)"],
    "atan2": ["x/(x**2 + y**2)", "-y/(x**2 + y**2)"],
    "tanh": ["1 - f**2"],
    "asinh": ["1/sqrt(x**2 + 1)"],
    "acosh": ["1/sqrt(x**2 - 1)"],
    "atanh": ["1/(1 - x**2)"],
    "erf": ["2/sqrt(pi)*exp(-x**2)"],
    "erfc": ["-2/sqrt(pi)*exp(-x**2)"],
    "normal_cdf": ["normal_pdf(x)"],
    "relu": ["1 if x > 0 else 0"],
    "leaky_relu": ["1 if x > 0 else negative_slope", "0 if x > 0 else x"],
    "elu": ["1 if x > 0 else alpha*exp(x)", "0 if x > 0 else exp(x) - 1"],
    "sigmoid": ["f*(1 - f)"],
    "softplus": ["sigmoid(x)"],
    "silu": ["sigmoid(x)*(1 + x*(1 - sigmoid(x)))"],
    "gelu": ["normal_cdf(x) + x*normal_pdf(x)"],
}


def gate(row, numbers):
    """One gate, and what its nodes are called."""
    f = row(*(Value(number, name) for number, name in zip(numbers, row.arguments, strict=True)))
    f.label = "f"
    return f, name_nodes(topological_order(f))


def samples(row, count=200):
    """Arguments in the domain that are not far out, nor near to a kink."""
    rng = random.Random(row.name)
    while count:
        numbers = [rng.uniform(max(low, -3.0), min(high, 3.0)) for low, high in row.domain]
        if all(abs(kink(*numbers)) > 0.05 for kink in row.kinks):
            count -= 1
            yield numbers


@pytest.mark.parametrize(("row", "index"), FORMS, ids=lambda each: getattr(each, "name", each))
def test_the_textbooks_form_is_the_accurate_derivative_where_both_are_well_conditioned(row, index):
    for numbers in samples(row):
        z = row.value(*numbers)
        accurate, familiar = (rule(z, *numbers) for rule in (row.derivatives[index], row.textbook[index]))
        assert familiar == pytest.approx(accurate, rel=1e-10, abs=1e-13), numbers


@pytest.mark.parametrize("name", FAMILIAR)
def test_readers_are_shown_what_a_lecture_writes(name):
    row = ops.TABLE[name]
    point = {"asin": 0.3, "acos": 0.3, "atanh": 0.3}.get(name, 1.3)
    f, names = gate(row, [point + 0.4 * i for i in range(row.arity)])
    assert [write(local_derivative(f, index, names)) for index in range(row.arity)] == FAMILIAR[name]


def test_every_step_ends_with_the_accurate_number():
    f = ops.tanh(Value(2.0, "x"))
    step: Any
    (step,) = [event for event in step_through(f).events if type(event).__name__ == "Backward"]
    assert step.local_formula == "d(tanh(x))/dx = 1 - f**2 = 1 - 0.9640**2 = 0.07065"
    assert step.local == ops.tanh.derivatives[0](f.data, 2.0)
    assert "1 - f**2" in "\n".join(text for move in step_through(f).moves() for _, text in move.facts)
    assert explain(f, f.parents[0]).gradient == step.local


@pytest.mark.parametrize(
    ("row", "numbers", "shown"),
    [
        (ops.sigmoid, [40.0], "logistic_pdf(x)"),  # 1 - f is 0, the derivative is not
        (ops.tanh, [25.0], "4*logistic_pdf(2*x)"),
        (ops.maximum, [3.0, 3.0], "1 - 0.5*((1 if x < y else 0) + (1 if x <= y else 0))"),  # 1/2 at a tie
    ],
)
def test_where_the_textbooks_form_is_false_the_accurate_one_is_shown(row, numbers, shown):
    f, names = gate(row, numbers)
    formula = local_derivative(f, 0, names)
    assert write(formula) == shown
    assert formula.data == row.derivatives[0](f.data, *numbers)


def test_numbers_are_put_into_choices():
    f, names = gate(ops.relu, [-1.5])
    assert write_numbers(local_derivative(f, 0, names)) == "1 if -1.5 > 0 else 0"
    f, names = gate(ops.clamp, [0.5, -1.0, 1.0])
    assert write(local_derivative(f, 0, names)) == "(1 if x >= min else 0)*(1 if x <= max else 0)"


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("tanh", "1 - f^{2}"),
        ("relu", r"\mathbf{1}[x > 0]"),
        ("sigmoid", r"f \cdot (1 - f)"),
        ("div", r"-\frac{x}{y^{2}}"),
        ("pow", r"f \cdot \ln x"),
        ("cos", r"-\sin x"),
        ("erf", r"\frac{2}{\sqrt{\pi}} \cdot e^{-x^{2}}"),
        ("exp2", r"f \cdot \ln 2"),
        ("elu", r"\begin{cases} 0 & \text{if } x > 0 \\ e^{x} - 1 & \text{otherwise} \end{cases}"),
        ("softplus", r"\sigma(x)"),
    ],
)
def test_latex_reads_as_a_person_writes(name, latex):
    row = ops.TABLE[name]
    f, names = gate(row, [1.3 + 0.4 * i for i in range(row.arity)])
    assert Latex().write(local_derivative(f, row.arity - 1, names)) == latex


@pytest.mark.parametrize(
    ("formula", "latex"),
    [
        (lambda x, y: ops.tanh(x + y), r"\tanh(x + y_{1})"),
        (lambda x, y: ops.tanh(x / y), r"\tanh\left(\frac{x}{y_{1}}\right)"),
        (lambda x, y: ops.log(x) ** 2.0 * y, r"(\ln x)^{2} \cdot y_{1}"),
        (lambda x, y: ops.maximum(x, y), r"\max(x, y_{1})"),
        (lambda x, y: ops.abs(x) * ops.cbrt(y), r"\left|x\right| \cdot \sqrt[3]{y_{1}}"),
        (lambda x, y: -(x / y), r"-\frac{x}{y_{1}}"),
    ],
)
def test_latex_of_functions(formula, latex):
    assert Latex().write(formula(Formula(1.0, "x"), Formula(2.0, "y1"))) == latex


@pytest.mark.parametrize("row", [r for r in ops.TABLE.values() if any(r.textbook)], ids=lambda row: row.name)
def test_the_source_with_a_textbooks_rules_runs_and_agrees(row):
    for numbers in samples(row, 5):
        f, names = gate(row, numbers)
        source = backprop_source(f, rules="textbook")
        ran = {}
        exec(source, ran)
        f.backward()
        for node, name in names.items():
            assert ran[f"d{name}"] == pytest.approx(node.grad, rel=1e-6, abs=1e-12)


def test_the_source_is_exact_unless_the_textbooks_is_asked_for():
    f = ops.tanh(Value(0.5, "x"))
    assert backprop_source(f).splitlines()[-1] == "dx = 4.0 * logistic_pdf(2.0 * x) * df"
    assert backprop_source(f, rules="textbook").splitlines()[-1] == "dx = (1.0 - f ** 2.0) * df"
    with pytest.raises(ValueError, match="rules must be 'exact' or 'textbook', not 'nice'"):
        backprop_source(f, rules="nice")


def test_an_operation_of_ones_own_may_have_a_textbooks_form():
    @operation(lambda _, x: math.exp(2.0 * x) * 2.0, textbook=[lambda z, _: 2.0 * z])  # floats only
    def exp_twice(x):
        return math.exp(2.0 * x)

    f, names = gate(exp_twice, [0.5])
    assert write(local_derivative(f, 0, names)) == "2*f"
    with pytest.raises(ValueError, match="needs 1 textbook forms, or none at all; got 2"):
        Operation("odd", math.sin, [ops.cos], textbook=[None, None])


def test_a_textbooks_form_that_is_false_is_found():
    wrong = Operation("wrong", math.sin, [lambda _, x: ops.cos(x)], textbook=[lambda _, x: -ops.cos(x)])
    f, names = gate(wrong, [0.5])
    assert write(local_derivative(f, 0, names)) == "cos(x)"


def test_latex_has_a_block_for_each_step():
    latex = backprop_latex(ops.tanh(Value(2.0, "x")) * 3.0)
    assert latex.count(r"\begin{aligned}") == latex.count(r"\end{aligned}") == 5  # 2 gates, 3 derivatives
    assert latex.startswith("\\begin{array}{l}\n")
    assert r"v_{1} &= \tanh x \\" in latex
