"""What the compiler recognises: as many statements at any size, of the kind that a person would write."""

import os
import random
import re
import subprocess
import sys
import tracemalloc
from functools import reduce
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import autograd
from autograd import Value, maximum, ops, relu, tanh
from autograd.compiler.plan import Apply, Place, places_of, statements_of
from nn import GPT, MLP, cross_entropy, digits, two_moons
from tests.compiling import assert_same, eager, replay
from tests.program_families import FAMILIES, dot, make, softmax
from tests.rows import by_name, samples

pytestmark = pytest.mark.usefixtures("every_engine")

ROOT = Path(__file__).parent.parent


def leaves(*shape):
    if not shape:
        return Value(random.uniform(-1.0, 1.0))
    return [leaves(*shape[1:]) for _ in range(shape[0])]


def found(program):
    """Return the counts of a summary: nodes, statements forward and reverse, and what was recognised."""
    text = program.summary().partition(";")[0].replace(",", "")
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


# Families of programs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_the_number_of_statements_follows_from_the_form_of_a_program_and_not_from_its_size(name):
    counts, sizes = [], []
    for size in FAMILIES[name].sizes:
        build, point = make(name, size)
        values = [Value(x) for x in point]
        (nodes, *statements), _ = found(autograd.compile(build(values), inputs=values))
        counts.append(sum(statements))
        sizes.append(nodes)
    assert sizes[1] >= 1.5 * sizes[0]
    assert counts[1] <= counts[0] <= FAMILIES[name].statements


@pytest.mark.parametrize(("name", "size"), [("lu", 30), ("sorting_network", 256), ("hidden_markov", 100)])
def test_compiling_takes_little_memory_beside_the_graph(name, size):
    build, point = make(name, size)
    values = [Value(x) for x in point]
    graph = build(values)
    autograd.compile(graph, inputs=values, engine="numpy")  # what is imported on use is not meant
    tracemalloc.start()
    try:
        program = autograd.compile(graph, inputs=values, engine="numpy")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (nodes, *_), _ = found(program)
    assert most <= 300 * nodes


def looked_up(program):
    """Return how many addresses the forward pass of a program looks up in tables."""
    tables = {
        id(place.table): place.table.size
        for statement in statements_of(program._plan.forward)
        for place in (statement.target, *places_of(statement.expression))
        if place.table is not None
    }
    return sum(tables.values())


def test_butterflies_are_read_in_pieces_and_not_number_by_number():
    build, point = make("fourier", 64)
    values = [Value(x) for x in point]
    program = autograd.compile(build(values), inputs=values)
    (nodes, *_), _ = found(program)
    assert looked_up(program) <= 0.1 * nodes


LABELS = [random.Random(i).choice((-1.0, 2.0)) for i in range(60)]
YEARS, ROOTS = [0.5 + 0.01 * i for i in range(60)], [0.1 + 0.02 * i for i in range(60)]
YEARS[30] = ROOTS[10]  # by chance


@pytest.mark.parametrize(
    "term",
    [
        lambda i, a, b, *_: (LABELS[i] * a + b).relu(),
        lambda i, a, *_: (LABELS[i] * a + 1.0).relu(),
        lambda i, a, b, *_: LABELS[i] * ops.exp(a) * ops.exp(b),
        lambda i, a, *_: ops.pow(a, LABELS[i]),
        lambda i, a, b, x, y: a * ops.exp(x * YEARS[i]) + b * ops.sin(y * ROOTS[i]),
    ],
)
def test_numbers_that_come_again_do_not_put_apart_what_lies_side_by_side(term):
    x, y, *rest = values = [Value(0.5 + 0.001 * i) for i in range(122)]
    loss = sum(term(i, a, b, x, y) for i, (a, b) in enumerate(zip(rest[:60], rest[60:], strict=True)))
    assert looked_up(autograd.compile(loss, inputs=values)) == 0


@pytest.mark.parametrize(
    "term",
    [
        lambda x: ops.where(ops.greater(x, 1.0), 2.0 * x - 1.0, -3.0 * x - 1.0),
        lambda x: ops.sin(x / 2.0) * ops.sin(x / 3.0) * ops.sin(x / -0.0),
        lambda x: ops.pow(x * x, 1.5) + ops.pow(x * x, 2.5),
    ],
)
def test_what_a_few_constants_are_applied_to_stays_side_by_side(term):
    leaves = [Value(0.1 + 0.01 * i) for i in range(100)]
    program = autograd.compile(sum(map(term, leaves)), inputs=leaves)
    assert len(program._plan.constants) <= 3
    assert looked_up(program) == 0
    for statement in statements_of(program._plan.forward):
        for place in (statement.target, *places_of(statement.expression)):
            assert statement.summed or place.strides[-1:] in ((), (0,), (1,))


@pytest.mark.parametrize(
    "step",
    [
        lambda loss, x: loss - ops.sin(x),
        lambda loss, x: loss - x * ops.sin(x),
        lambda loss, x: loss + x * x - ops.sin(x),
        lambda loss, x: loss - ops.exp(x) - ops.sin(x),
    ],
)
def test_what_is_subtracted_again_and_again_is_a_sum(step):
    leaves = [Value(0.1 * i) for i in range(60)]

    def build(v):
        loss = 1.0
        for x in v:
            loss = step(loss, x)
        return ops.tanh(0.01 * loss)

    program = autograd.compile(build(leaves), inputs=leaves)
    _, kinds = found(program)
    assert "loop" not in kinds
    point = [0.2 * x.data - 3.0 for x in leaves]
    for got, expected in zip(replay(program, leaves, point), eager(build, point), strict=True):
        assert_same(got, expected)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_agrees_with_the_engine_at_the_point_where_it_was_recorded_and_at_another(name):
    build, point = make(name, FAMILIES[name].sizes[0])
    values = [Value(x) for x in point]
    program = autograd.compile(build(values), inputs=values)
    for at in (point, [1.05 * x + 0.01 for x in point]):
        for got, expected in zip(replay(program, values, at), eager(build, at), strict=True):
            assert_same(got, expected)


def no_structure(operations, reach):
    """Return a program of operations drawn at random, each on two of the results just before it."""
    rng = random.Random(operations)
    rows = (
        ops.mul,
        lambda x, y: 0.5 * (x + y),
        lambda x, y: x - 0.5 * y,
        lambda x, _: ops.sin(x),
        lambda x, y: tanh(x + y),
    )
    lines = [(rng.choice(rows), rng.randrange(reach), rng.randrange(reach)) for _ in range(operations)]

    def build(leaves):
        made = list(leaves)
        for row, i, j in lines:
            made.append(row(made[-1 - i], made[-1 - j]))
        return sum(made[-reach:])

    return build, [rng.uniform(-1.0, 1.0) for _ in range(reach)]


@pytest.mark.parametrize(
    ("operations", "reach"), [(600, 50), (3000, 5), (3000, 1), pytest.param(9000, 50, marks=pytest.mark.slow)]
)
def test_what_has_no_structure_has_as_many_statements_as_forms(operations, reach):
    build, point = no_structure(operations, reach)
    values = [Value(x) for x in point]
    program = autograd.compile(build(values), inputs=values)
    (nodes, forward, reverse), _ = found(program)
    assert nodes > operations
    assert forward + reverse <= 120
    for at in (point, [0.9 * x + 0.01 for x in point]):
        for got, expected in zip(replay(program, values, at), eager(build, at), strict=True):
            assert_same(got, expected)


def test_a_loop_within_what_has_no_structure_stays_a_loop():
    before, point = no_structure(500, 20)
    after, _ = no_structure(501, 20)

    def build(leaves):
        state = [before(leaves), *leaves[1:]]
        for _ in range(200):
            state = [tanh(x + 0.5 * y) for x, y in zip(state, [*state[1:], state[0]], strict=True)]
        return after(state)

    values = [Value(x) for x in point]
    program = autograd.compile(build(values), inputs=values)
    (_, forward, reverse), kinds = found(program)
    assert forward + reverse <= 250
    assert 3 <= kinds["loop"] <= 5
    for got, expected in zip(replay(program, values, point), eager(build, point), strict=True):
        assert_same(got, expected)


# The three that are published -------------------------------------------------------------------------------


def micrograd_demo():
    model = MLP(2, [16, 16, 1])
    X, y = two_moons(100, noise=0.1, random_state=1337)
    scores = [model(row) for row in X.tolist()]
    losses = [relu(1 + -t * score) for t, score in zip((2 * y - 1).tolist(), scores, strict=True)]
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters()), model


def test_the_moons_network_is_two_matrix_products_and_a_matrix_times_a_vector():
    loss, model = micrograd_demo()
    program = autograd.compile(loss, inputs=model.parameters())
    (nodes, forward, reverse), kinds = found(program)
    assert nodes > 65_000
    assert kinds == {"matrix product": 2, "dot product": 2, "reduction": 1}
    assert forward + reverse <= 40
    assert len(program.parameters) == 337


def test_the_digits_network_is_two_matrix_products_with_fed_data():
    X, y = digits()
    model = MLP(64, [32, 10])
    images = [[Value(x) for x in row] for row in (X[:32] / 16).tolist()]
    targets = [[Value(float(c == label)) for c in range(10)] for label in y[:32]]
    outputs = [model(row) for row in images]
    loss = sum(map(cross_entropy, outputs, targets)) / 32
    program = autograd.compile(loss, inputs=model.parameters(), data={"X": images, "y": targets})
    (nodes, forward, reverse), kinds = found(program)
    assert nodes > 150_000
    assert kinds == {"matrix product": 2, "dot product": 1, "loop": 1, "reduction": 1}
    assert forward + reverse <= 60


def test_a_convolution_is_one_sum_of_gathered_windows():
    image, kernels = leaves(8, 8), leaves(4, 3, 3)
    windows = [[image[i + a][j + b] for a in range(3) for b in range(3)] for i in range(6) for j in range(6)]
    loss = sum(
        relu(dot([w for row in kernel for w in row], window)) for kernel in kernels for window in windows
    )
    (nodes, forward, reverse), _ = found(autograd.compile(loss))
    assert nodes > 3000
    assert forward + reverse <= 10


def test_a_gpt_whose_tokens_are_fed_has_as_few_statements_for_a_document_of_any_length():
    model = GPT(27, rng=1337)
    counts = []
    for length in (3, 9, 14):
        tokens = [Value(float(random.randrange(27))) for _ in range(length)]
        program = autograd.compile(model.loss(tokens), inputs=model.parameters(), data={"tokens": tokens})
        (_, *statements), kinds = found(program)
        counts.append(sum(statements))
        assert kinds["matrix product"] >= 5
    assert max(counts) <= 150


# One kind of structure at a time ----------------------------------------------------------------------------


def test_a_dot_product():
    x, y = leaves(100), leaves(100)
    program = autograd.compile(dot(x, y), inputs=[x, y])
    assert found(program)[1] == {"dot product": 1}
    assert found(program)[0][1:] == (1, 3)


@pytest.mark.parametrize("order", ["rows", "columns", "mixed"])
def test_a_matrix_product_in_whatever_order_its_entries_are_written(order):
    a, b = leaves(8, 5), leaves(5, 7)
    places = [(i, j) for i in range(8) for j in range(7)]
    places.sort(key={"rows": None, "columns": lambda p: p[::-1], "mixed": lambda p: hash(p)}[order])
    entries = {(i, j): dot(a[i], [row[j] for row in b]) for i, j in places}
    program = autograd.compile(sum(tanh(entry) for entry in entries.values()), inputs=[a, b])
    assert found(program)[1]["matrix product"] == 1


@pytest.mark.parametrize("tokens", [(0, 1, 2, 3), (0, 1, 1, 0), (2, 2, 2, 2)])
def test_positions_that_share_an_embedding_are_rows_of_one_matrix_product(tokens):
    width = 5
    table, places, weights = ([[Value(0.1) for _ in range(width)] for _ in range(4)] for _ in range(3))
    rows = [[a + b for a, b in zip(table[t], places[p], strict=True)] for p, t in enumerate(tokens)]
    products = [sum(w * x for w, x in zip(row, here, strict=True)) for here in rows for row in weights]
    plan = autograd.compile(sum(p * p for p in products))._plan
    (product,) = [s for s in statements_of(plan.forward) if s.summed == 1 and len(s.shape) == 3]
    assert all(place.table is None for place in places_of(product.expression))


def test_attention_is_products_with_all_pairs():
    queries, keys, values = leaves(8, 4), leaves(8, 4), leaves(8, 4)
    mixed = []
    for query in queries:
        weights = softmax([dot(query, key) for key in keys])
        mixed += [dot(weights, column) for column in zip(*values, strict=True)]
    program = autograd.compile(sum(m * m for m in mixed), inputs=[queries, keys, values])
    assert found(program)[1]["matrix product"] == 2


@pytest.mark.parametrize("row", [maximum, autograd.minimum, autograd.hypot])
def test_an_operation_applied_over_and_over_is_one_loop_over_its_arguments(row):
    def pools(width):
        return found(autograd.compile(sum(reduce(row, window) for window in leaves(64, width))))

    assert pools(5)[0][1:] == pools(50)[0][1:]
    assert pools(5)[1]["loop"] == 1


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


def test_what_a_loop_computes_for_others_is_computed_for_all_its_steps_at_once():
    """The loss of every step, and the gradient of the weights, are statements beside the loop."""
    build, point = make("rnn", 40)
    values = [Value(x) for x in point]
    source = autograd.compile(build(values), inputs=values)._plan
    loops = [step for step in (*source.forward, *source.reverse) if hasattr(step, "body")]
    assert [len(loop.body) for loop in loops] == [2, 2]


def test_constants_are_folded_and_what_is_computed_twice_is_computed_once():
    x = Value(0.5)
    two = autograd.value.constant(2.0)
    program = autograd.compile(tanh(x * (two * 3.0)) + tanh(x * 6.0))
    assert found(program)[0][1] == 3
    assert "6.0" in program.source


def functions_of(program):
    """Return the rows, but Python's operators, that a reverse pass applies to what is in the memory."""

    def applied(expression):
        if isinstance(expression, Apply):
            if all(isinstance(argument, Place) for argument in expression.arguments):
                yield expression.operation
            for argument in expression.arguments:
                yield from applied(argument)

    statements = statements_of(program._plan.reverse)
    return {row for s in statements for row in applied(s.expression) if row.operator is None}


def compiled_at_samples(row, function):
    points = [(Value(x),) for (x,) in samples(row, 30, random.Random(row.name))]
    return autograd.compile(sum(function(*point) for point in points)), points


NEEDED = [
    (row, other)
    for row in ops.TABLE.values()
    if row.arity == 1
    for other in sorted(functions_of(compiled_at_samples(row, row)[0]), key=by_name)
    if other is not row
]
"""Rows, and what their derivatives apply to the same number."""


@pytest.mark.parametrize(("row", "other"), NEEDED, ids=by_name)
def test_what_a_derivative_needs_and_the_forward_pass_has_is_not_computed_again(row, other):
    program, points = compiled_at_samples(row, lambda x: row(x) * other(x))
    assert other not in functions_of(program)
    program()
    got = [x.grad for (x,) in points]
    _, expected = eager(lambda xs: sum(row(x) * other(x) for x in xs), [x.data for (x,) in points])
    assert_same(got, expected)


@pytest.mark.parametrize("row", list(dict.fromkeys(row for row, _ in NEEDED)), ids=by_name)
def test_the_reverse_pass_of_a_derivative_reads_what_the_derivative_has_computed(row):
    def slope(x):
        z = row(x)
        return z, row.derivatives[0](z, x)

    def functions(function):
        program, _ = compiled_at_samples(row, function)
        waiting, count = [s.expression for s in statements_of(program._plan.reverse)], 0
        while waiting:
            if isinstance(part := waiting.pop(), Apply):
                waiting += part.arguments
                count += part.operation.operator is None
        return count

    def both(x):
        z, dz = slope(x)
        return z * dz

    assert functions(both) <= functions(lambda x: slope(x)[1])
    program, points = compiled_at_samples(row, both)
    program()
    _, expected = eager(lambda xs: sum(map(both, xs)), [x.data for (x,) in points])
    assert_same([x.grad for (x,) in points], expected)


def test_sines_and_cosines_are_each_others_derivatives():
    assert {(ops.sin, ops.cos), (ops.cos, ops.sin)} <= set(NEEDED)


# The text ---------------------------------------------------------------------------------------------------


def test_the_source_runs_with_numpy_alone_and_reproduces_the_numbers(tmp_path):
    loss, model = micrograd_demo()
    program = autograd.compile(loss, inputs=model.parameters())
    value = program()
    file = tmp_path / "program.py"
    file.write_text(program.source)
    code = f"import runpy, json\nnames = runpy.run_path({str(file)!r})\nnames['step']()\n" + (
        "print(json.dumps(names['d'][:337].tolist()))"
    )
    run = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True, capture_output=True)
    (gradients,) = map(eval, run.stdout.decode().splitlines()[-1:])
    assert_same(gradients, program.gradients.tolist())
    assert value == loss.data


def test_the_source_depends_on_the_graph_alone():
    code = (
        "import random, autograd; from tests import scalar_programs as s\n"
        "for kind in s.KINDS[::3]:\n"
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
    assert len(texts.pop()) > 5_000


def test_the_summary_counts_in_words():
    x = Value(2.0)
    program = autograd.compile(x * x, engine="wasm")
    assert program.summary() == "2 scalar nodes -> 3 statements (1 forward, 2 reverse); run as machine code"
    numpy = autograd.compile(x * x, engine="numpy")
    assert numpy.summary().endswith("; run by NumPy")
    assert repr(program) == f"<program: {program.summary()}>"


# What the statements become as calls of NumPy ---------------------------------------------------------------


def network(points, *sizes):
    """Return the loss, with weight decay, of a network on points, and its parameters, neuron by neuron."""
    layers = [[(leaves(fan_in), leaves()) for _ in range(fan_out)] for fan_in, fan_out in pairwise(sizes)]
    parameters = [w for layer in layers for ws, b in layer for w in (*ws, b)]
    loss = 0.0
    for _ in range(points):
        x = [random.uniform(-1.0, 1.0) for _ in range(sizes[0])]
        for layer in layers:
            x = [relu(dot(ws, x) + b) for ws, b in layer]
        loss = loss + x[0]
    return loss + 0.01 * dot(parameters, parameters), parameters


def test_a_penalty_is_added_last_so_that_nothing_is_cleared_and_products_go_where_they_belong():
    loss, parameters = network(50, 3, 8, 8, 1)
    program = autograd.compile(loss, inputs=parameters, engine="numpy")
    assert program._plan.cleared == ()
    assert program._plan.reverse[-1].target.base == 0
    assert sum(s.adds for s in statements_of(program._plan.reverse)) == 1
    program()
    gradients = [p.grad for p in parameters]
    for p in parameters:
        p.grad = 0.0
    loss.backward()
    np.testing.assert_allclose(gradients, [p.grad for p in parameters], rtol=1e-12)


def test_a_column_times_a_row_is_a_product_of_matrices_and_a_derivative_of_relu_one_comparison():
    loss, parameters = network(50, 3, 8, 8, 1)
    source = autograd.compile(loss, inputs=parameters, engine="numpy").source
    assert len(re.findall(r"np\.dot\(|np\.matmul\(", source)) == 13  # two of them are sums
    assert "logical_not" not in source
    assert len(re.findall(r"^    np\.|^    \w+ = np\.", source, flags=re.MULTILINE)) <= 31
