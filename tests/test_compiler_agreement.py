"""A compiled program equals the engine: value and all gradients, at the recorded leaves and at new ones."""

import itertools
import math
import random
from functools import reduce

import numpy as np
import pytest

import autograd
from autograd import Operation, Value, gradients, ops
from tests import scalar_programs
from tests.compiling import PATHS, assert_agrees, assert_same, eager, force, points, replay
from tests.graphs import Program, structured, unstructured, well_conditioned
from tests.rows import first, settled

pytestmark = pytest.mark.usefixtures("every_engine")

ROWS = sorted(ops.TABLE.values(), key=lambda row: row.name)
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 1e300, 5e-324, math.inf, -math.inf, math.nan)


QUICK = ("as compiled", "one by one")
"""The paths that are always taken; the others are when slow tests are asked for."""


@pytest.fixture(params=[p if p in QUICK else pytest.param(p, marks=pytest.mark.slow) for p in PATHS])
def path(request, monkeypatch):
    force(monkeypatch, request.param)
    return request.param


def inside(row, rng):
    return settled(row, [rng.uniform(max(low, -3.0), min(high, 3.0)) for low, high in row.domain])


# Every row --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("members", [2, 100])
def test_every_row_agrees_on_every_path_in_a_batch_and_alone(row, members):
    rng = random.Random(row.name)

    def point():
        arguments = [x for _ in range(members) for x in inside(row, rng)]
        return [*arguments, *(rng.uniform(0.5, 1.5) for _ in range(members))]

    def build(v):
        results = [row(*settled(row, v[i * row.arity : (i + 1) * row.arity])) for i in range(members)]
        return sum(w * z for w, z in zip(v[members * row.arity :], results, strict=True))

    assert_agrees(build, point(), point(), point())


@pytest.mark.parametrize(
    ("row", "common"),
    [
        pytest.param(row, i, id=f"{row.name}-{name}")
        for row in ROWS
        for i, name in enumerate(row.arguments)
        if i in row.differentiable
    ],
)
def test_every_row_agrees_with_an_argument_in_common_or_constant(row, common):
    rng, n = random.Random(row.name), 100
    number = inside(row, rng)[common]

    def point():
        return [inside(row, rng)[common], *(x for _ in range(n) for x in inside(row, rng))]

    def build(v):
        total = 0.0
        for i in range(n):
            arguments = list(settled(row, v[1 + i * row.arity : 1 + (i + 1) * row.arity]))
            arguments[common] = v[0]
            total += (1.0 + i / n) * row(*arguments)
            arguments[common] = number
            total += row(*arguments) if row.arity > 1 else 0.0
        return total

    assert_agrees(build, point(), point())


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_agrees_at_poles_kinks_infinities_and_nan(row):
    values = SPECIAL if row.arity < 3 else SPECIAL[::2]
    table = list(itertools.product(values, repeat=row.arity))

    def build(v):
        return [row(*settled(row, v[i : i + row.arity])) for i in range(0, len(v), row.arity)]

    leaves = [Value(0.5) for _ in range(len(table) * row.arity)]
    program = autograd.compile(build(leaves), inputs=leaves)
    at = [x for arguments in table for x in arguments]
    for got, expected in zip(replay(program, leaves, at), eager(build, at), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-307)  # NumPy rounds subnormals its way


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("row", [row for row in ROWS if row.accumulates], ids=lambda row: row.name)
def test_every_row_agrees_that_is_applied_over_and_over(row):
    """To windows that overlap, with ties, and to rows that all begin, or go on, with the same."""
    n, rng = 60, random.Random(row.name)

    def build(v):
        windows = sum((1.0 + i / n) * reduce(row, v[i : i + 5]) for i in range(n))
        common = sum(row(row(row(row(v[0], x), v[1]), x), 0.5) for x in v)
        constant = sum(reduce(row, (x, 1.0, 1.0, 1.0)) + reduce(row, (1.0, 0.5, x, 2.0, x)) for x in v)
        parts = sum(z * z for z in itertools.accumulate(v[:50], row)) if row.name != "pow" else v[3]
        return [windows, common * v[2], constant, parts]

    smooth = [[rng.uniform(0.9, 1.1) for _ in range(n + 5)] for _ in range(2)]
    assert_agrees(build, *smooth, [rng.choice((0.5, 1.0, 1.5)) for _ in range(n + 5)])


def test_a_fold_agrees_at_infinities_and_nan():
    windows = list(itertools.product(SPECIAL[::2], repeat=4))
    for row in (ops.maximum, ops.mul):

        def build(v, row=row):
            return [reduce(row, v[i : i + 4]) for i in range(0, len(v), 4)]

        leaves = [Value(0.5) for _ in range(4 * len(windows))]
        program = autograd.compile(build(leaves), inputs=leaves)
        at = [x for window in windows for x in window]
        for got, expected in zip(replay(program, leaves, at), eager(build, at), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-307)


@pytest.mark.usefixtures("path")
def test_a_row_of_ones_own_is_compiled_from_its_definition():
    """It needs no array form, and its name may be no name, or one that the program uses itself."""
    rows = [
        Operation("<lambda>", lambda x: x**3, [lambda _z, x: 3 * x * x]),
        Operation("x1", lambda x: x**3 + 1.0, [lambda _z, x: 3 * x * x]),
        Operation("float", lambda x, y: x - 2.0 * y, [lambda *_: 1.0, lambda *_: -2.0]),
        Operation("np", math.atan, [lambda _z, x: 1.0 / (1.0 + x * x)], numpy="arctan"),
    ]

    def build(v):
        total = 0.0
        for x, y in itertools.pairwise(v):
            total += rows[3](rows[0](x)) + rows[1](y) + rows[2](x, rows[1](x))
        return total

    rng = random.Random(0)
    for n in (3, 100):
        assert_agrees(build, *([rng.uniform(-1, 1) for _ in range(n)] for _ in range(2)))


# Random programs --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("seed", first(2, of=8))
@pytest.mark.parametrize("kind", scalar_programs.KINDS, ids=lambda kind: kind.__name__)
def test_programs_as_users_write_them_agree_on_every_path(kind, seed):
    case = kind(random.Random(f"{kind.__name__}{seed}"))
    assert_agrees(case.build, *points(case, seed))


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("seed", first(15, of=40))
def test_programs_without_structure_agree(seed):
    rng = random.Random(seed)
    program = unstructured(rng, rng.randint(1, 80), ties=seed % 2 == 0)
    at = (program.inputs, *elsewhere(program, rng))
    assert_agrees(
        lambda v: program(*v), *at, tolerance=1e-11
    )  # what reaches a single input may nearly cancel


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("seed", first(15, of=40))
def test_programs_of_layers_agree(seed):
    rng = random.Random(seed)
    program = structured(rng)
    assert_agrees(lambda v: program(*v), program.inputs, *elsewhere(program, rng))


def elsewhere(program, rng):
    """Return points where the program is as well conditioned as where it was drawn; kinks may be crossed."""
    found = []
    for size in (2.0, 1.0, 0.1, 1e-2):
        moved = Program(tuple(x + rng.uniform(-size, size) for x in program.inputs), program.lines)
        if all(math.isfinite(x) for x in moved.wires(moved.inputs)) and well_conditioned(moved, 8.0):
            found.append(moved.inputs)
    return found


def test_the_new_points_cross_kinks():
    def sides(program, at):
        wires = program.wires(at)
        return [
            kink(*[wires[a] if a.__class__ is int else a for a in line.arguments]) > 0.0
            for line in program.lines
            for kink in line.operation.kinks
        ]

    crossed = 0
    for seed in range(60):
        rng = random.Random(seed)
        program = unstructured(rng, rng.randint(1, 80), ties=seed % 2 == 0)
        crossed += any(sides(program, program.inputs) != sides(program, at) for at in elsewhere(program, rng))
    assert crossed >= 10


@pytest.mark.parametrize("special", SPECIAL[-3:])
@pytest.mark.parametrize("kind", scalar_programs.KINDS, ids=lambda kind: kind.__name__)
def test_nan_and_infinities_spread_as_in_the_engine(kind, special):
    """What is computed twice is merged, which changes nan only where two infinities of opposite sign meet."""
    case = kind(random.Random(kind.__name__))
    (start,) = points(case, 0, 1)
    leaves = [Value(x) for x in start]
    program = autograd.compile(case.build(leaves), inputs=leaves)
    rng = random.Random(1)
    for _ in range(5):
        at = [special if rng.random() < 0.1 else x for x in start]
        for got, expected in zip(replay(program, leaves, at), eager(case.build, at), strict=True):
            assert_same(got, expected)


def test_merging_duplicates_at_a_pole_gives_zero_where_the_engine_adds_two_infinities_of_opposite_sign():
    x = Value(0.0)
    y = 1.0 / x - 1.0 / x
    program = autograd.compile(y)
    y.backward()
    assert math.isnan(x.grad)
    program()
    assert x.grad == 0.0


# Kinks, higher orders, inputs -------------------------------------------------------------------------------


def test_branches_inside_operations_are_taken_anew_at_every_run():
    def build(v):
        clipped = [autograd.clamp(x, -0.5, 0.5) for x in v]
        chosen = [autograd.where(autograd.greater(x, y), x * x, y) for x, y in itertools.pairwise(v)]
        return sum(map(autograd.relu, v)) + sum(c * c for c in clipped) + sum(chosen)

    for n in (3, 100):
        up = [-1.0 + 2.0 * i / n for i in range(n)]
        assert_agrees(build, up, up[::-1], [-x for x in up], [0.0] * n, [0.5] * n)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("n", [2, 60])
def test_a_gradient_can_be_compiled_and_differentiated_again(n):
    """A Hessian-vector product as a program; and its gradient, the third derivatives."""

    def build(v):
        x, direction = v[:n], v[n:]
        energy = sum(autograd.tanh(a * b) for a, b in itertools.pairwise(x)) + sum(a**3 for a in x)
        slopes = gradients(energy, list(x), create_graph=True)
        along = sum(s * d for s, d in zip(slopes, direction, strict=True))
        return gradients(along, list(x), create_graph=True)

    rng = random.Random(n)
    assert_agrees(build, *([rng.uniform(-1, 1) for _ in range(2 * n)] for _ in range(3)))


@pytest.mark.parametrize("seed", first(4, of=10))
@pytest.mark.parametrize("kind", scalar_programs.KINDS, ids=lambda kind: kind.__name__)
def test_a_subset_of_the_leaves_as_inputs_has_the_same_derivatives(kind, seed):
    case = kind(random.Random(f"{kind.__name__}{seed}"))
    rng = random.Random(seed)
    (start,) = points(case, seed, 1)
    leaves = [Value(x) for x in start]
    chosen = sorted(rng.sample(range(case.leaves), rng.randint(1, case.leaves)))
    roles = {i: rng.random() < 0.7 for i in chosen}
    program = autograd.compile(
        case.build(leaves),
        inputs=[leaves[i] for i in chosen if roles[i]],
        data=[leaves[i] for i in chosen if not roles[i]],
    )
    at = [x + rng.uniform(-0.1, 0.1) if i in roles else x for i, x in enumerate(start)]
    for i in chosen:
        leaves[i].data = at[i]
    results, _ = autograd.nested.flatten(program())
    values, adjoints = eager(case.build, at)
    assert_same(results, values)
    found = dict(zip((i for i in chosen if roles[i]), program.gradients.tolist(), strict=True))
    assert_same([found.get(i, x) for i, x in enumerate(adjoints)], adjoints)  # to the norm of the whole


def test_frozen_leaves_keep_their_number_also_if_it_was_assigned_after_recording():
    x, c = Value(2.0), Value(3.0)
    y = x * (c * c) + c
    c.data = 5.0
    program = autograd.compile(y, inputs=[x])
    c.data = 7.0
    assert program() == 55.0


def test_a_sum_in_many_orders_is_one_number():
    def build(v):
        x, y = v
        terms = [x * x, autograd.sin(x), autograd.tanh(y), autograd.exp(y), x * y]
        orders = itertools.islice(itertools.permutations(terms), 100)
        return sum(k * autograd.tanh(sum(order[1:], order[0])) for k, order in enumerate(orders))

    assert_agrees(build, [0.3, 0.4], [-0.3, 0.8])


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("n", [1, 60])
def test_an_output_may_be_a_part_of_another_output_a_sum_or_a_product(n):
    def build(v):
        x, y = v[:n], v[n:]
        sums = [a + b for a, b in zip(x, y, strict=True)]
        products = [a * b for a, b in zip(x, y, strict=True)]
        return sums, products, [s + a for s, a in zip(sums, x, strict=True)], sum(products)

    rng = random.Random(n)
    assert_agrees(build, *([rng.uniform(-1, 1) for _ in range(2 * n)] for _ in range(2)))


@pytest.mark.parametrize("n", [100, 5000])
def test_a_loss_over_a_whole_path_is_a_sum_of_any_length(n):
    def build(v):
        x, total = v[0], 0.0
        for _ in range(n):
            x = autograd.sin(x) + 0.1 * x
            total = total + x
        return total

    assert_agrees(build, [0.5], [0.8])


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("weighted", [False, True])
def test_a_long_sum_over_a_loop_that_reads_data_first_and_parameters_later(weighted):
    """The first steps have no adjoints, the later ones do, and all of them are in one list."""
    xs, ws = [Value(0.01 * i) for i in range(60)], [Value(0.3 - 0.01 * i) for i in range(60)]
    h, terms = xs[0], []
    for read in (*xs, *ws):
        h = autograd.tanh(0.5 * h + read)
        terms.append(h * ws[0] if weighted else h)
    loss = sum(terms)
    loss.backward()
    expected = [w.grad for w in ws]
    program = autograd.compile(loss, inputs=ws, data=xs)
    program()
    assert_same(program.gradients.tolist(), expected)


@pytest.mark.parametrize("length", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_chain_of_very_many_operations_is_no_deeper_than_a_loop(length, monkeypatch):
    def build(v, length=length):
        x = v[0]
        for k in range(length):
            x = x * v[1] + 0.001 if k % 7 else autograd.sin(x)
        return x

    assert_agrees(build, [0.5, 0.99], [0.4, 0.98])
    monkeypatch.setattr("autograd.compiler.families.SHORTEST", 10**9)
    assert_agrees(lambda v: build(v, 10_000), [0.5, 0.99], [0.4, 0.98])
