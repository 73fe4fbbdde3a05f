"""Backpropagation written down: source that runs and gives the engine's gradients, and balanced LaTeX."""

import math
import random
import re
from typing import Any

import pytest

from autograd import Operation, Value, exp, log, neg, ops, relu, sigmoid, sqrt, take, topological_order
from autograd.stepping import backprop_latex, backprop_source
from autograd.stepping.formula import name_nodes
from tests.examples import same, sigmoid_gate, simple
from tests.graphs import structured, unstructured
from tests.rows import by_name, leaves, samples

cube = Operation("cube", lambda x: x * x * x, [lambda _, x: 3.0 * x * x])


def run(source):
    namespace = {}
    exec(source, namespace)
    return namespace


def check(root):
    """Run the source of a graph; compare every number and gradient with the engine's."""
    ran = run(backprop_source(root))
    root.backward()
    order = topological_order(root)
    for node, name in name_nodes(order).items():
        if name in ran:
            assert same(ran[name], node.data)
            if f"d{name}" in ran:
                assert same(ran[f"d{name}"], node.grad)
    return ran


def test_the_sigmoid_gate_is_written_as_on_the_blackboard():
    assert backprop_source(sigmoid_gate()).splitlines()[-23:] == [
        "",
        "# Backward pass",
        "df = 1.0",
        "# through f = 1.0 / v",
        "dv = -f / v * df",
        "# through v = 1.0 + u",
        "du = dv",
        "# through u = exp(n)",
        "dn = u * du",
        "# through n = -s",
        "ds = -dn",
        "# through s = c + w2",
        "dc = ds",
        "dw2 = ds",
        "# through c = a + b",
        "da = dc",
        "db = dc",
        "# through b = w1 * x1",
        "dw1 = x1 * db",
        "dx1 = w1 * db",
        "# through a = w0 * x0",
        "dw0 = x0 * da",
        "dx0 = w0 * da",
    ]
    ran = check(sigmoid_gate())
    assert ran["dx1"] == pytest.approx(-0.5898, abs=5e-5)


@pytest.mark.parametrize("seed", range(60))
def test_the_source_runs_and_gives_exactly_the_gradients_of_backward(seed):
    rng = random.Random(seed)
    program = structured(rng) if seed % 4 == 0 else unstructured(rng, 20, ties=seed % 2 == 1)
    ran = check(program(*(Value(number) for number in program.inputs)))
    assert "df" in ran


@pytest.mark.parametrize(
    "graph",
    [
        lambda x, _: 1.0 / (x - x),
        lambda x, y: log(x - x) * y,
        lambda x, y: (-x) ** y,
        lambda x, _: exp(x * 1000.0) - exp(x * 1000.0),
        lambda x, y: (x - y) - (y - x) - (x / (y / x)) ** 2,
        lambda x, y: x * math.inf + y * math.nan,
        lambda x, y: neg(-x) * -y,
        lambda x, _: x + -3.0,
        lambda x, _: relu(x) * x,
        lambda x, y: cube(x) + y,
        lambda x, _: x,
    ],
)
def test_the_source_is_total_where_python_would_raise(graph):
    check(graph(Value(1.5, "x"), Value(2.5, "y")))


def test_labels_become_names_that_clash_with_nothing():
    labels = ["exp", "lambda", "dx", "x", "x", "2nd", "a b", "", "print", "<script>", "größe"]
    leaves = [Value(float(k + 1), label) for k, label in enumerate(labels)]
    root: Any = exp(sum(leaves) * 1e-3)
    ran = run(backprop_source(root))
    root.backward()
    assert ran["f"] == root.data
    gradients = sorted(value for name, value in ran.items() if name.startswith("d") and name != "dx")
    assert gradients.count(leaves[0].grad) == len(leaves) + len(leaves)  # each leaf's, and each partial sum's


@pytest.mark.parametrize("index", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("x", [4.0, -4.0])
def test_a_choice_by_a_datum_is_written_as_take(index, x):
    def graph(x, chosen):
        return take([sqrt(x), x * 3.0, sqrt(x) * take([x, 2.0], Value(1.0))], chosen) * x

    root = graph(Value(x, "x"), Value(index, "i"))
    assert "from autograd.choosing import take\n" in backprop_source(root)
    check(root)


@pytest.mark.parametrize("row", ops.TABLE.values(), ids=by_name)
def test_rows_are_imported_from_the_table_wherever_they_are_written(row):
    point = samples(row, 1, random.Random(0))[0]
    source = backprop_source(row(*leaves(row, point)))
    lines = [line for line in source.splitlines() if line.startswith("from ")]
    assert all(line.startswith("from autograd.ops import ") for line in lines)


def test_an_operation_that_no_import_finds_is_refused():
    lost = Operation("lost", lambda x: x, [lambda *_: 1.0])
    with pytest.raises(
        ValueError, match=r"the operation 'lost' cannot be imported from 'tests.test_written'"
    ):
        backprop_source(lost(Value(1.0, "x")))


def test_a_derivative_that_is_not_generic_is_refused():
    odd = Operation("odd", math.sin, [lambda _, x: math.cos(x)])
    with pytest.raises(ValueError, match="the derivative of 'odd' is not generic in the number type"):
        backprop_source(odd(Value(1.0, "x")))


def test_latex_sums_over_the_gates_that_a_node_enters():
    x, y = Value(2.0, "x"), Value(5.0, "y1")
    steps = backprop_latex(x * y + x).split(r" \\[1ex]")
    assert [step.split("\n")[-2] for step in steps[:-1]] == [
        " &= 10", " &= 12", r"\frac{\partial f}{\partial f} &= 1", " &= 1", " &= 2",
    ]  # fmt: skip
    assert steps[-1].splitlines()[1:] == [
        r"\begin{aligned}",
        r"\frac{\partial f}{\partial x} &= \frac{\partial f}{\partial f} \cdot 1 "
        r"+ \frac{\partial f}{\partial v_{1}} \cdot y_{1} \\",
        r" &= 1 \cdot 1 + 1 \cdot 5 \\",
        " &= 6",
        r"\end{aligned}",
        r"\end{array}",
    ]


@pytest.mark.parametrize("label", [r"a_b^c", "100%", "{", r"\alpha", "a&b", "~", "$x$", "é"])
def test_latex_shows_a_label_as_text(label):
    latex = backprop_latex(sigmoid(Value(1e-7, label)) / 3.0)
    bare = re.sub(r"\\[{}$&#_%]", "", latex)
    assert bare.count("{") == bare.count("}")
    assert all(character not in bare for character in "$#%~")
    assert bare.count("&") == bare.count(" &= ")
    assert r"1 \times 10^{-7}" in latex


def test_latex_shows_infinity_and_nan():
    x = Value(0.0, "x")
    assert "\\ln 0 \\\\\n &= -\\infty" in backprop_latex(log(x) * 0.0)
    assert r"&= \mathrm{nan}" in backprop_latex(log(x) * 0.0)


def test_latex_of_a_simple_graph():
    assert backprop_latex(simple()).splitlines()[-7:] == [
        r"\end{aligned} \\[1ex]",
        r"\begin{aligned}",
        r"\frac{\partial f}{\partial x} &= \frac{\partial f}{\partial q} \cdot 1 \\",
        r" &= (-4) \cdot 1 \\",
        " &= -4",
        r"\end{aligned}",
        r"\end{array}",
    ]


LABELS = [  # and beside each that Python normalises, what it is then
    *("\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}", "x²", "x2", "w₁", "w1", "a b", "a_b", "1x", "lambda"),
    *("\N{LATIN SMALL LIGATURE FI}", "fi", "\N{ANGSTROM SIGN}", "A\N{COMBINING RING ABOVE}", "dx", "ª"),
    *("\N{BLACK-LETTER CAPITAL H}", "H", "\N{ARABIC-INDIC DIGIT THREE}"),
]


def test_labels_that_python_reads_alike_are_different_names_in_the_source():
    """µ (micro) and μ (mu) are one name to Python, x² and w₁ none at all."""
    for k, first in enumerate(LABELS):
        for second in LABELS[k:]:
            x, y = Value(2.0, first), Value(3.0, second)
            root = x * y + x
            root.label = "total"
            ran = run(backprop_source(root))
            assert ran["total"] == 8.0
            root.backward()
            gradients = [number for name, number in ran.items() if name.startswith("d") and name != "dx"]
            assert {x.grad, y.grad} <= {*gradients, ran.get("dx")}


def test_a_source_of_many_labels_is_right():
    leaves = [Value(float(k + 2), label) for k, label in enumerate(LABELS)]
    root = leaves[0]
    for leaf in leaves[1:]:
        root = root * 0.5 + leaf * leaf
    root.label = "total"
    ran = run(backprop_source(root))
    root.backward()
    assert ran["total"] == root.data
    numbers = list(ran.values())
    assert all(leaf.data in numbers and leaf.grad in numbers for leaf in leaves)
