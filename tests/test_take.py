"""Choosing by a datum: eager, compiled, in batches, and what it refuses."""

import pickle
import random

import numpy as np
import pytest

import autograd
from autograd import Value, exp, log, take, where

pytestmark = pytest.mark.usefixtures("every_engine")

ENGINES = ["numpy", "wasm"]


@pytest.fixture
def table():
    rng = random.Random(0)
    return [[Value(rng.gauss(0.0, 1.0), f"t{i}{j}") for j in range(3)] for i in range(5)]


def test_a_plain_index_is_a_python_index(table):
    assert take(table, 2) is table[2]
    assert take([1.0, 2.0, 3.0], np.int64(1)) == 2.0


@pytest.mark.parametrize(
    "items",
    [
        {"a": 1.0},
        "abc",
        ["abc", "bcd"],
        [b"a"],
        [{"a": Value(1.0)}, {"a": Value(2.0)}],
        [[{"a": 1.0}], [{"a": 2.0}]],
        [["ab"], ["cd"]],
    ],
)
def test_items_that_are_no_numbers_or_rows_are_refused(items):
    with pytest.raises(TypeError, match="take chooses among Values, numbers, or rows"):
        take(items, Value(0.0))


@pytest.mark.parametrize(
    "items", [[Value(1.0), [Value(2.0)]], [[1.0], 2.0], [[1.0, 2.0], [3.0]], [[[1.0]], [[2.0, 3.0]]]]
)
def test_rows_of_several_lengths_are_refused(items):
    with pytest.raises(ValueError, match="rows of one length, got"):
        take(items, Value(0.0))


def test_arrays_without_dimensions_are_numbers():
    assert take([np.array(1.0), np.array(2.0)], Value(1.0)).data == 2.0
    assert take(np.array([[1.0, 2.0], [3.0, 4.0]]), Value(1.0))[1].data == 4.0


def test_the_chosen_item_alone_receives_the_adjoint(table):
    row = take(table, Value(3.0))
    assert [v.data for v in row] == [v.data for v in table[3]]
    sum(v * v for v in row).backward()
    assert [[v.grad for v in r] for r in table] == [
        [2.0 * v.data if i == 3 else 0.0 for v in r] for i, r in enumerate(table)
    ]


def test_what_is_not_chosen_may_be_infinite():
    x, y = Value(0.0), Value(2.0)
    (take([log(x), y], Value(1.0)) * 3.0).backward()
    assert (x.grad, y.grad) == (0.0, 3.0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("points", [1, 5, 40])
def test_items_lie_in_any_order(points, engine):
    a, index, x = [Value(float(k)) for k in range(1, 6)], Value(0.0), Value(1.0)
    sums = [x * a[0]]
    for v in a[1:]:
        sums.append(sums[-1] * 0.5 + v * x)
    program = autograd.compile(
        take(sums[::-1], index) + sum(sums), inputs=a, data={"index": index, "x": x}, engine=engine
    )
    chosen = [k % 5 for k in range(points)]
    alone = [program(index=k, x=2.0) for k in chosen]
    assert program.batch(index=chosen, x=[2.0] * points, reduction=None) == pytest.approx(alone)


@pytest.mark.parametrize("engine", ENGINES)
def test_there_may_be_one_item(engine):
    x, index = Value(3.0), Value(0.0, "which")
    program = autograd.compile(take([x * x], index), inputs=[x], data={"index": index}, engine=engine)
    assert (program(index=0.0), x.grad) == (9.0, 6.0)
    assert program.batch(index=[0.0, 0.0]) == 9.0
    with pytest.raises(IndexError, match="which"):
        program(index=1.0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("order", ["rows", "scattered", "numbers"])
def test_a_program_chooses_anew_at_each_run(table, order, engine):
    if order == "scattered":
        flat = [v for row in table for v in row]
        random.Random(1).shuffle(flat)
        inputs = flat
    else:
        inputs = [v for row in table for v in row]
    items = [[float(i * j) for j in range(3)] for i in range(5)] if order == "numbers" else table
    index = [Value(0.0, "first"), Value(4.0, "second")]

    def loss(index):
        a, b = take(items, index[0]), take(items, index[1])
        return sum(exp(x * y * t) for x, y, t in zip(a, b, table[0], strict=True))

    program = autograd.compile(loss(index), inputs=inputs, data={"index": index}, engine=engine)
    for chosen in ([0, 4], [2, 2], [4, 1]):
        value = program(index=chosen)
        expected = [v.grad for v in inputs]
        for v in inputs:
            v.grad = 0.0
        fresh = loss([Value(float(c)) for c in chosen])
        fresh.backward()
        assert value == pytest.approx(fresh.data, rel=1e-14)
        assert expected == pytest.approx([v.grad for v in inputs], rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_chooses_at_every_point(table, engine):
    token, target = Value(0.0, "token"), Value(0.0, "target")
    scores = [sum(w * x for w, x in zip(row, take(table, token), strict=True)) for row in table]
    loss = log(sum(map(exp, scores))) - take(scores, target)
    inputs = [v for row in table for v in row]
    program = autograd.compile(loss, inputs=inputs, data={"token": token, "target": target}, engine=engine)
    rng = np.random.default_rng(0)
    tokens, targets = rng.integers(0, 5, 40), rng.integers(0, 5, 40)
    mean = program.batch(token=tokens, target=targets)
    gradient = program.gradients.copy()
    values, total = [], np.zeros(len(inputs))
    for a, b in zip(tokens, targets, strict=True):
        values.append(program(token=a, target=b))
        total += program.gradients
    assert mean == pytest.approx(np.mean(values), rel=1e-13)
    assert gradient == pytest.approx(total / 40, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("bad", [2.5, -1.0, 5.0, float("nan"), float("inf")])
def test_an_index_that_names_nothing_is_refused_wherever_it_comes_from(table, bad):
    with pytest.raises(IndexError, match="whole number from 0 to 4, but is"):
        take(table, bad)
    with pytest.raises(IndexError, match="whole number from 0 to 4, but is"):
        take(table, Value(bad))
    index = Value(1.0, "word")
    program = autograd.compile(take(table, index)[0], data={"i": index})
    before = index.data
    with pytest.raises(IndexError, match="word, the index of a take, must be a whole number from 0 to 4"):
        program(i=bad)
    with pytest.raises(IndexError, match="word, the index of a take, must be a whole number from 0 to 4"):
        program.batch(i=[0.0, bad])
    assert index.data == before
    assert program(i=2) == table[2][0].data


def test_a_value_as_a_python_index_names_take(table):
    with pytest.raises(TypeError, match=r"'word' .*autograd.take\(items, index\)"):
        table[Value(1.0, "word")]


def test_what_cannot_be_taken_from_says_why(table):
    with pytest.raises(ValueError, match="at least one item"):
        take([], 0)
    with pytest.raises(ValueError, match="rows of one length"):
        take([[1.0], [1.0, 2.0]], Value(0.0))
    index = Value(1.0)
    with pytest.raises(ValueError, match="computed from other Values"):
        autograd.compile(take(table, index * 2.0)[0], data=[index])


def test_an_index_that_is_no_datum_is_frozen(table):
    index = Value(1.0)
    program = autograd.compile(take(table, index)[0], inputs=[v for row in table for v in row])
    index.data = 3.0
    assert program() == table[1][0].data


def test_a_chosen_node_is_copied_and_pickled():
    chosen = take([Value(1.0), Value(2.0)], Value(1.0))
    copy = pickle.loads(pickle.dumps(chosen))
    copy.backward()
    assert [p.grad for p in copy.parents] == [0.0, 0.0, 1.0]


def test_second_derivatives_pass_through_a_choice():
    def f(v):
        return take([v[0] ** 3, where(v[1], v[1], 1.0)], Value(0.0))

    assert autograd.hessian(f)([2.0, 3.0]) == [[12.0, 0.0], [0.0, 0.0]]
