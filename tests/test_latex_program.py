"""Programs as formulas: what is written is what is computed."""

import random
import re

import matplotlib
import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import autograd
from autograd import Value, take
from autograd.compiler import latex
from autograd.compiler.indices import coordinate, find_points
from autograd.compiler.tensors import Tensors
from nn import GPT, MLP, cross_entropy
from tests import structured_programs
from tests.latex_reader import Reader, rows
from tests.program_families import FAMILIES, OF_THE_TABLE, make


def formulas(program, monkeypatch, **names):
    """Return a program's formulas, and a reader that has computed what they say."""
    made = []

    class Watched(Tensors):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(latex, "Tensors", Watched)
    monkeypatch.setattr(latex, "SHOWN", 10**9)
    text = program.latex(**names)
    (tensors,) = made
    addresses = {r"\mathbf{v}": np.arange(len(tensors.owner)), r"\theta": np.arange(program._plan.parameters)}
    for number, tensor in enumerate(tensors.all):
        cells = np.flatnonzero(tensors.owner == number)
        if not len(cells):
            continue
        order = sorted(range(len(tensor.shape)), key=lambda axis: axis not in tensor.upper)
        table = np.full(tensor.ordered, -1)
        table[tuple(tensors.places[cells, axis] for axis in order)] = cells if order else cells[0]
        addresses[latex._name(tensor, "v")] = table
    program()
    plan, engine = program._plan, program._running.engine
    v = np.full(plan.size, np.nan)
    for low, high in (
        (0, plan.parameters),
        (plan.fixed, plan.fixed + plan.data),
        (plan.size - len(plan.constants), plan.size),
    ):
        v[low:high] = engine.v[low:high]
    return text, Reader(text, addresses, v)


def assert_computes(program, reader):
    outputs = [reader.v[address] for address in program._plan.outputs]
    expected = [program._running.engine.v[address] for address in program._plan.outputs]
    np.testing.assert_allclose(outputs, expected, rtol=1e-10)
    gradients = reader.d[: program._plan.parameters]
    np.testing.assert_allclose(gradients, program.gradients, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("size", [4, 30, 3000])
def test_coordinates_have_forms_in_the_symbols_found_from_them_also_where_these_depend_on_each_other(size):
    """Of a, b and (a - b) / 2 each is a symbol, as a form has whole numbers; least squares would mix them."""
    for seed in range(15):
        rng = np.random.default_rng(seed)
        a, b = rng.integers(0, 3, (2, size))
        irregular = [b, a, a + b, 2 * a + b, a + 2 * b, b // 2, 3 - b]
        across = np.arange(4)
        chosen = rng.choice(len(irregular), rng.integers(2, 6), replace=False)
        functions = [irregular[k][:, None] + rng.integers(-2, 3) * across for k in chosen]
        found = find_points((size, 4), (False, False), functions, None)
        for f in functions:
            form = coordinate(f, found)
            total = form.first + sum(step * found.values[symbol] for symbol, step in form.steps)
            np.testing.assert_array_equal(np.broadcast_to(total, f.shape), f)


SLOW = (
    "sorting_network",
    "riccati",
    "heads",
    "fourier",
    "heat",
    "n_body",
    "earlier_state",
    "power_flow",
)  # whose formulas have many points


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in OF_THE_TABLE]
)
def test_the_formulas_of_a_family_compute_its_outputs_and_gradients(name, monkeypatch):
    build, point = make(name, FAMILIES[name].sizes[0])
    values = [Value(x) for x in point]
    program = autograd.compile(build(values), inputs=values)
    _, reader = formulas(program, monkeypatch)
    assert_computes(program, reader)


TOLD = (1, 10, 63, 65, 70)
"""With statements in some steps of a loop, choices from one item, or names of exponentials."""


@pytest.mark.parametrize(
    "seed", [*TOLD, *(pytest.param(k, marks=pytest.mark.slow) for k in range(80) if k not in TOLD)]
)
def test_the_formulas_of_random_programs_compute_their_outputs_and_gradients(seed, monkeypatch):
    rng = random.Random(f"formulas {seed}")
    drawn = structured_programs.draw(rng, 12)
    w, x, which = ([Value(number) for number in part] for part in drawn.point(rng))
    outputs, _ = drawn.build(w, x, which)
    program = autograd.compile(outputs, inputs=w, data={"x": x, "which": which})
    with np.errstate(all="ignore"):  # what a formula does not write is nan
        _, reader = formulas(program, monkeypatch)
    assert_computes(program, reader)


def network(batch=5):
    rng = random.Random(0)
    model = MLP(2, [4, 3], rng=rng)
    points = [[Value(rng.gauss(0, 1)) for _ in range(2)] for _ in range(batch)]
    targets = [[Value(float(k == place % 3)) for k in range(3)] for place in range(batch)]
    loss = sum(cross_entropy(model(x), y) for x, y in zip(points, targets, strict=True)) / batch
    return autograd.compile(loss, inputs=model.parameters(), data={"X": points, "Y": targets})


def test_a_network_is_what_a_textbook_writes(monkeypatch):
    program = network()
    text, reader = formulas(program, monkeypatch)
    assert_computes(program, reader)
    for line in (
        r"X &\in \mathbb{R}^{5 \times 2} \qquad \text{data}",
        r"W_{1} &\in \mathbb{R}^{4 \times 2} \qquad \text{parameter}",
        r"Z_{1} &= X W_{1}^\top + \mathbf{1} b_{1}^\top \qquad {\scriptstyle 5 \times 4}",
        r"H &= \operatorname{relu}(Z_{1}) \qquad {\scriptstyle 5 \times 4}",
        r"Z_{2} &= H W_{2}^\top + \mathbf{1} b_{2}^\top \qquad {\scriptstyle 5 \times 3}",
        r"\bar{L} &= 1",
        r"\bar{H} &= \bar{Z}_{2} W_{2}",
        r"\bar{W}_{2} &= \bar{Z}_{2}^\top H",
        r"\bar{b}_{2} &= \bar{Z}_{2}^\top \mathbf{1}",
        r"\bar{Z}_{1} &= \bar{H} \odot \mathbf{1}[H \ne 0]",
        r"\bar{W}_{1} &= \bar{Z}_{1}^\top X",
    ):
        assert line in rows(text)


def small_gpt():
    model = GPT(5, block=6, width=4, heads=2, rng=0)
    tokens = [Value(float(token)) for token in (4, 0, 2, 3, 1, 1, 4)]
    program = autograd.compile(model.loss(tokens), inputs=model.parameters(), data={"tokens": tokens})
    attention = model.blocks[0].attention
    parts = {"W_Q": attention.query, "W_K": attention.key, "W_V": attention.value, "W_O": attention.mix}
    names = {"E": model.token.w, "P": model.position.w} | {name: part.w for name, part in parts.items()}
    return program, names


def test_attention_is_found_again_in_a_gpt_of_scalars(monkeypatch):
    program, names = small_gpt()
    text, reader = formulas(program, monkeypatch, names=names)
    assert_computes(program, reader)
    for found in (
        r"T_{ij} &= E_{\mathrm{tokens}_{i} + 1,\,j}",
        r"Q &= M_{2} W_{Q}^\top",
        r"K &= M_{2} W_{K}^\top",
        r"V &= M_{2} W_{V}^\top",
        r"Q &= \left[Q^{(1)} \; \dots \; Q^{(2)}\right]",
        r"&= \left[Q^{(j)} K^{(j)\top}\right]_{ik} \qquad (k \le i)",
        r"= \operatorname{softmax}_{k} D^{(j)}_{ik} \qquad (k \le i)",
        r"&= A_{1}^{(j)} V^{(j)}",
        r"\bar{W}_{Q} &= \bar{Q}^\top M_{2}",
        r"\bar{M}_{2} &= \bar{Q} W_{Q} + \bar{K} W_{K} + \bar{V} W_{V}",
    ):
        assert found in text


def test_a_gpt_has_as_many_lines_for_a_document_of_any_length():
    def lines(length):
        model = GPT(14, width=4, heads=2, rng=0)
        tokens = [Value(float(k)) for k in range(length)]
        program = autograd.compile(model.loss(tokens), inputs=model.parameters(), data={"tokens": tokens})
        return len(rows(program.latex()))

    assert lines(13) <= lines(8) + 8  # the last sum of few terms is written term by term
    assert lines(8) < 150


def test_leaves_are_called_by_their_labels_and_the_result_by_its_own():
    w, x = Value(2.0, "w"), Value(3.0, "x")
    y = (w * x).tanh()
    y.label = "y"
    text = autograd.compile(y, inputs=[w], data=[x]).latex()
    assert r"m &= w \, x" in text.replace("x \\, w", "w \\, x")
    assert r"y &= \tanh m" in text
    assert r"\bar{y} &= 1" in text


def test_an_index_is_not_called_as_what_is_given():
    decay, i = Value(0.9, "t"), Value(0.3, "i")
    state = Value(0.0)
    for _ in range(30):
        state = (state * decay + i).tanh()
    text = autograd.compile(state, inputs=[decay], data=[i]).latex()
    assert r"\text{for } \tau = 1" in text
    assert r"_{\tau+1}" in text
    assert "_{i" not in text
    assert "_{j" in text


def test_what_reads_a_row_chosen_by_a_datum_says_so(monkeypatch):
    rng = random.Random(3)
    table = [[Value(rng.gauss(0, 1)) for _ in range(3)] for _ in range(5)]
    which = [Value(4.0), Value(1.0)]
    loss = sum(x * x for k in which for x in take(table, k))
    program = autograd.compile(loss, inputs={"E": table}, data={"which": which})
    text, reader = formulas(program, monkeypatch)
    assert r"E_{\mathrm{which}_{" in text
    assert_computes(program, reader)


def test_a_gpt_of_few_positions_whose_choices_lead_from_one_array_to_others(monkeypatch):
    model = GPT(5, block=4, width=4, heads=2, rng=0)
    tokens = [Value(float(token)) for token in (4, 0, 2, 4)]
    program = autograd.compile(model.loss(tokens), inputs=model.parameters(), data={"tokens": tokens})
    _, reader = formulas(program, monkeypatch)
    assert_computes(program, reader)


def test_names_are_for_leaves_of_the_program():
    w, stranger = Value(2.0, "w"), Value(1.0, "stranger")
    program = autograd.compile(w * w)
    with pytest.raises(ValueError, match=r"stranger.*no leaf of the program"):
        program.latex({"A": [stranger]})
    with pytest.raises(ValueError, match="has a name"):
        program.latex({"A": [w], "B": [w]})


def test_every_line_of_a_network_is_drawn_by_a_typesetter():
    parser = MathTextParser("path")
    with matplotlib.rc_context({"mathtext.fontset": "dejavusans"}):
        for row in rows(
            network().latex().removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
        ):
            formula = row.replace("&", "").replace(r"\textbf", r"\mathbf")
            formula = re.sub(r"\{\\scriptstyle (.*?)\}", r"\1", formula).replace(r"\mathrel{+}=", "+=")
            formula = (
                re.sub(r"\\text\{(.*?)\}", r"\\mathrm{\1}", formula)
                .replace(r"\top", "T")
                .replace(r"\le ", r"\leq ")
            )
            parser.parse(f"${formula}$")
