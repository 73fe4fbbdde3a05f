"""What the compiler recognises: a regression in it fails here, and the program is the same text each time."""

import os
import random
import re
import subprocess
import sys
from functools import reduce
from itertools import accumulate
from pathlib import Path

import pytest

import autograd
from autograd import Value, maximum, relu, tanh
from nn import MLP, cross_entropy, digits, two_moons
from tests.scalar_programs import dot, softmax

ROOT = Path(__file__).parent.parent


def leaves(*shape):
    if not shape:
        return Value(random.uniform(-1.0, 1.0))
    return [leaves(*shape[1:]) for _ in range(shape[0])]


def found(program):
    """Return the counts of a summary: nodes, statements forward and reverse, and what was recognised."""
    text = program.summary().replace(",", "")
    nodes, forward, reverse = map(
        int,
        re.match(r"(\d+) scalar nodes? -> \d+ statements? \((\d+) forward (\d+) reverse\)", text).groups(),
    )
    kinds = {
        kind: int(count)
        for count, kind in re.findall(r"(\d+) ([a-z ]+?)s?(?= \d|$)", text.partition(": ")[2])
    }
    return (nodes, forward, reverse), kinds


@pytest.fixture(autouse=True)
def _seeded():
    random.seed(1337)


# The three that are published -------------------------------------------------------------------------------


def exercise_11():
    model = MLP(2, [16, 16, 1])
    X, y = two_moons(100, noise=0.1, random_state=1337)
    scores = [model(row) for row in X.tolist()]
    losses = [relu(1 + -t * score) for t, score in zip((2 * y - 1).tolist(), scores, strict=True)]
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters()), model


def test_exercise_11_is_two_matrix_products_and_a_matrix_times_a_vector():
    loss, _ = exercise_11()
    (nodes, forward, reverse), kinds = found(autograd.compile(loss))
    assert nodes > 65_000
    assert kinds == {"matrix product": 2, "dot product": 2, "reduction": 1}
    assert (forward, reverse) == (10, 18)


def test_exercise_11_reads_its_parameters_where_they_lie():
    """No copy of a weight is made: every operand is a view or the array itself."""
    loss, model = exercise_11()
    program = autograd.compile(loss)
    assert "take(" not in program.source
    assert "parameters @ parameters" in program.source
    assert len(program.parameters) == len(model.parameters()) == 337


def test_the_digits_network_is_two_matrix_products_with_fed_data():
    X, y = digits()
    model = MLP(64, [32, 10])
    images = [[Value(x) for x in row] for row in (X[:64] / 16).tolist()]
    targets = [[Value(float(c == label)) for c in range(10)] for label in y[:64]]
    outputs = [model(row) for row in images]
    loss = sum(map(cross_entropy, outputs, targets)) / 64
    program = autograd.compile(loss, inputs=model.parameters(), data={"X": images, "y": targets})
    (nodes, forward, reverse), kinds = found(program)
    assert nodes > 300_000
    assert kinds == {"matrix product": 2, "dot product": 1, "reduction": 1, "fold": 1}
    assert (forward, reverse) == (13, 25)


def test_a_convolution_is_one_matrix_product_of_gathered_windows():
    image, kernels = leaves(8, 8), leaves(4, 3, 3)
    windows = [[image[i + a][j + b] for a in range(3) for b in range(3)] for i in range(6) for j in range(6)]
    loss = sum(
        relu(dot([w for row in kernel for w in row], window)) for kernel in kernels for window in windows
    )
    (nodes, forward, reverse), kinds = found(autograd.compile(loss))
    assert nodes > 3000
    assert kinds == {"matrix product": 1, "gather": 2, "reduction": 1, "scatter": 1}
    assert (forward, reverse) == (4, 6)


# One kind of structure at a time ----------------------------------------------------------------------------


def test_a_dot_product():
    x, y = leaves(100), leaves(100)
    program = autograd.compile(dot(x, y), inputs=[x, y])
    assert found(program)[1] == {"dot product": 1}
    assert found(program)[0][1:] == (1, 4)


@pytest.mark.parametrize("order", ["rows", "columns", "mixed"])
def test_a_matrix_product_in_whatever_order_its_entries_are_written(order):
    a, b = leaves(8, 5), leaves(5, 7)
    places = [(i, j) for i in range(8) for j in range(7)]
    places.sort(key={"rows": None, "columns": lambda p: p[::-1], "mixed": lambda p: hash(p)}[order])
    entries = {(i, j): dot(a[i], [row[j] for row in b]) for i, j in places}
    program = autograd.compile(sum(tanh(entry) for entry in entries.values()))
    assert found(program)[1]["matrix product"] == 1


def test_attention_is_products_with_all_pairs():
    queries, keys, values = leaves(8, 4), leaves(8, 4), leaves(8, 4)
    mixed = []
    for query in queries:
        weights = softmax([dot(query, key) for key in keys])
        mixed += [dot(weights, column) for column in zip(*values, strict=True)]
    program = autograd.compile(sum(m * m for m in mixed))
    assert found(program)[1]["matrix product"] == 2


def test_a_recurrence_is_a_loop_whatever_its_length():
    def states(n):
        w, x = leaves(3, 3), [1.0, 0.0, 0.0]
        for _ in range(n):
            x = [tanh(dot(row, x)) for row in w]
        return autograd.compile(dot(x, x))

    short, long = found(states(100)), found(states(1000))
    assert short[0][1:] == long[0][1:]
    assert short[1] == long[1] == {"loop": 1}


@pytest.mark.parametrize("row", [maximum, autograd.minimum, autograd.hypot])
def test_an_operation_applied_over_and_over_is_one_fold(row):
    def pools(width):
        return found(autograd.compile(sum(reduce(row, window) for window in leaves(64, width))))

    assert pools(5)[0][1:] == pools(50)[0][1:]
    assert pools(5)[1] == {"fold": 1, "reduction": 1}


def test_a_chain_whose_parts_are_read_elsewhere_is_no_fold():
    tops = []
    for row in leaves(64, 6):
        tops += accumulate(row, maximum)
    assert "fold" not in found(autograd.compile(sum(top * top for top in tops)))[1]


@pytest.mark.parametrize("term", ["h", "h * h", "(h - y[t]) ** 2", "h * y[t]", "h * g", "0.1 * t * g"])
def test_a_sum_over_the_steps_of_a_loop_is_as_short_as_the_loop(term):
    def total(n):
        w, b, h, g = leaves(4)
        y = leaves(n)
        terms = []
        for t in range(n):
            h = tanh(w * h + b)
            g = 0.5 * g + h
            terms.append(eval(term, {"h": h, "g": g, "y": y, "t": t}))
        return found(autograd.compile(sum(terms)))

    short, long = total(200), total(2000)
    assert short[0][1:] == long[0][1:]
    assert sum(short[0][1:]) < 100
    assert short[1]["loop"] == long[1]["loop"] == 1


def test_what_has_no_structure_becomes_floats_or_a_tape(monkeypatch):
    x = Value(0.5)
    y = x
    for k in range(300):
        y = (tanh, autograd.sin, autograd.atan, relu)[hash((k, k * k)) % 4](y) * (0.5 + 0.001 * (k * k % 37))
    program = autograd.compile(y)
    assert found(program)[0][1] > 100
    assert "np." not in program.source.partition("gradients.fill")[0]
    monkeypatch.setattr("autograd.compiler.listing.LONG", 100)
    assert found(autograd.compile(y))[0][1] < 30


def test_constants_are_folded_and_what_is_computed_twice_is_computed_once():
    x = Value(0.5)
    two = autograd.value.constant(2.0)
    program = autograd.compile(tanh(x * (two * 3.0)) + tanh(x * 6.0))
    assert program.source.count("tanh(") == 1
    assert "6.0" in program.source


def test_a_square_is_one_product_and_its_reverse_twice_one():
    x = leaves(100)
    program = autograd.compile(sum(a * a for a in x))
    assert "parameters @ parameters" in program.source
    assert found(program)[0][1:] == (1, 3)


# The text ---------------------------------------------------------------------------------------------------


def test_the_source_is_the_program_that_runs():
    loss, _ = exercise_11()
    program = autograd.compile(loss)
    value = program()
    expected = program.gradients.copy()
    program.gradients[:] = 0.0
    names = dict(program._listing.namespace)
    bound = ", ".join(f"{name}={name}" for name in names)  # what its text refers to
    exec(program.source.replace("def step():", f"def step({bound}):"), names)
    assert names["step"]() == (value,)
    assert program.gradients.tolist() == expected.tolist()


def test_the_source_depends_on_the_graph_alone():
    code = (
        "import random, autograd; from tests import scalar_programs as s\n"
        "for kind in s.KINDS:\n"
        "    case = kind(random.Random(kind.__name__))\n"
        "    leaves = [autograd.Value(x) for x in case.point(random.Random(0))]\n"
        "    print(autograd.compile(case.build(leaves)).source)\n"
    )
    texts = set()
    for seed in ("0", "1"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        texts.add(
            subprocess.run(
                [sys.executable, "-c", code], env=environment, cwd=ROOT, check=True, capture_output=True
            ).stdout
        )
    assert len(texts) == 1
    assert len(texts.pop()) > 10_000


def test_the_summary_counts_in_words():
    x = Value(2.0)
    program = autograd.compile(x * x)
    assert program.summary() == "2 scalar nodes -> 8 statements (2 forward, 6 reverse)"
    assert repr(program) == f"<program: {program.summary()}>"
