"""The node and the reverse sweep: what a user of Value may rely on."""

import gc
import math
import os
import subprocess
import sys
import threading
import weakref
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from autograd import Value, exp, log, ops, topological_order
from autograd.row import as_float
from autograd.sweeping import sweep
from autograd.writing import commit


def test_the_first_example_of_the_lecture():
    x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
    q = x + y
    f = q * z
    f.label = "f"
    f.backward()
    assert (q.data, f.data) == (3.0, -12.0)
    assert (x.grad, y.grad, z.grad, q.grad) == (-4.0, -4.0, 3.0, -4.0)
    assert repr(f) == "Value(data=-12.0, grad=1.0, label='f')"


def test_the_readme_of_micrograd_runs_after_changing_its_import():
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_the_lecture_code_that_walks_the_graph_runs():
    """The tracing function of the micrograd notebooks uses _prev and _op."""

    def trace(root):
        nodes, edges = set(), set()

        def build(v):
            if v not in nodes:
                nodes.add(v)
                for child in v._prev:
                    edges.add((child, v))
                    build(child)

        build(root)
        return nodes, edges

    x = Value(1.0)
    y = (x * 2 + 1).relu()
    nodes, edges = trace(y)
    assert len(nodes) == 6
    assert len(edges) == 5
    assert (x._op, y._op, (x + 1)._op) == ("", "relu", "+")
    with pytest.raises(AttributeError):
        x._op = "+"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        x._prev = ()  # type: ignore[misc,assignment]


def test_shared_nodes_and_repeated_operands():
    x = Value(3.0)
    y = x * x
    y.backward()
    assert y.parents == (x, x)
    assert x.grad == 6.0
    a = Value(1.5)
    b = a + a
    c = b + b
    c.backward()
    assert (a.grad, b.grad, c.grad) == (4.0, 2.0, 1.0)


def test_two_backwards_are_exactly_twice_and_interior_nodes_hold_the_latest_sweep():
    x, y = Value(0.3), Value(-1.7)
    q = exp(x * y)
    f = q * q + log(q + x)
    f.backward()
    once = (x.grad, y.grad, q.grad)
    f.backward()
    assert (x.grad, y.grad, q.grad) == (2 * once[0], 2 * once[1], once[2])
    f.backward(gradient=0.5)
    assert (x.grad, q.grad) == (2.5 * once[0], 0.5 * once[2])


def test_two_outputs_accumulate_in_their_common_leaf():
    x = Value(2.0)
    (x * 3).backward()
    (x * x).backward()
    assert x.grad == 7.0


@pytest.mark.parametrize("thing", [None, "1", 1j, [1.0]])
def test_a_grad_that_is_no_number_is_refused_before_anything_is_added(thing):
    x, y = Value(2.0), Value(3.0)

    def spoil():
        y.grad = thing  # where the compiled core refuses it already
        (x * y).backward()

    with pytest.raises(TypeError, match="real number"):
        spoil()
    assert x.grad == 0.0


def test_a_leaf_is_its_own_gradient():
    x = Value(2.0)
    x.backward()
    assert x.grad == 1.0


def test_operators_mix_with_numbers_on_both_sides():
    x = Value(3.0)
    results = [x + 1, 1 + x, x - 1, 1 - x, x * 2, 2 * x, x / 2, 2 / x, x**2, 2**x, -x, +x, abs(-x)]
    assert [v.data for v in results] == [4, 4, 2, -2, 6, 6, 1.5, 2 / 3, 9, 8, -3, 3, 3]
    assert all(type(v.data) is float for v in results)


def test_augmented_assignment_makes_a_new_node():
    x = Value(3.0)
    y = x
    y += 1
    assert (x.data, y.data) == (3.0, 4.0)


def test_comparisons_are_by_data_and_equality_by_identity():
    x, y = Value(1.0), Value(1.0)
    assert x != y
    assert len({x, y, x}) == 2
    assert x <= y
    assert not x < y
    assert (x < 2) is True
    assert 2 > x  # noqa: SIM300 - the reflected comparison is what is tested
    assert (x >= Fraction(1, 2)) is True  # type: ignore[operator]
    assert bool(Value(0.0)) is False
    assert max(Value(2.0), Value(3.0)).data == 3.0
    assert not Value(math.nan) < 1.0


@pytest.mark.parametrize(
    "number", [2, 2.0, True, Fraction(1, 3), Decimal("0.1"), np.float32(0.5), np.int64(3), np.bool_(1)]
)
def test_every_kind_of_real_number_becomes_a_float(number):
    x = Value(number)
    assert type(x.data) is float
    assert x.data == float(number)
    assert type((Value(1.0) + number).data) is float
    assert type((number * Value(1.0)).data) is float
    x.data = number
    assert type(x.data) is float
    assert x.item() == float(x) == x.data


@pytest.mark.parametrize("thing", ["abc", None, [1.0], 1j, np.array([1.0]), Value(1.0), {}])
def test_what_is_not_a_real_number_is_refused_by_the_name_of_its_type(thing):
    with pytest.raises(TypeError, match=f"Value needs a real number, got {type(thing).__name__}"):
        Value(thing)
    x = Value(1.0)
    with pytest.raises(TypeError, match=r"Value\.data needs a real number"):
        x.data = thing
    assert x.data == 1.0
    with pytest.raises(TypeError, match=r"backward\(gradient\) needs a real number"):
        x.backward(thing)


def test_an_int_beyond_the_doubles_is_refused_with_its_size():
    with pytest.raises(OverflowError, match="an int of 3,322 bits"):
        Value(10**1000)
    with pytest.raises(OverflowError, match="an int of 3,322 bits"):
        Value(1.0) + 10**1000


@pytest.mark.parametrize(
    "number", [Decimal("1e400"), Decimal("-1e400"), Fraction(10**400), np.longdouble("1e400")]
)
def test_a_finite_number_of_any_kind_is_never_taken_for_infinity(number):
    if number == math.inf:
        pytest.skip("a long double is a double here")
    for take in (Value, lambda number: Value(1.0) * number, ops.sin):
        with pytest.raises(OverflowError, match=r"below 1\.8e308"):
            take(number)
    assert as_float(Decimal("inf"), "x") == math.inf
    assert math.isnan(as_float(Decimal("nan"), "x"))


@pytest.mark.parametrize(
    ("foreign", "remedy"),
    [
        ("a", r"not str: 'a'; write float\(text\)"),
        ([1.0], r"write \[x . y for y in values\]"),
        ((1.0,), r"numpy.array\(values\)"),
        (None, "a function without return returns None"),
        (math.exp, "call it, and compute with what it returns"),
        (exp, "call it"),
        ({}, "not dict"),
    ],
)
def test_an_operator_with_what_is_no_number_says_what_to_write(foreign, remedy):
    x = Value(1.0)
    for combine in (lambda: x + foreign, lambda: x * foreign, lambda: foreign * x, lambda: foreign - x):
        with pytest.raises(TypeError, match=f"needs a number or a Value, .*{remedy}"):
            combine()


@pytest.mark.parametrize("foreign", [object(), 1j])
def test_an_operator_with_a_foreign_type_raises_pythons_own_error(foreign):
    x = Value(1.0)
    for combine in (lambda: x + foreign, lambda: foreign * x, lambda: x**foreign, lambda: x < foreign):
        with pytest.raises(TypeError, match=r"unsupported operand|not supported between|can't multiply"):
            combine()
    assert x.__add__(foreign) is NotImplemented
    assert x.__rsub__(foreign) is NotImplemented
    assert x.__lt__(foreign) is NotImplemented


def test_local_derivatives_are_one_closure_per_parent_at_the_present_data():
    x, y = Value(3.0), Value(5.0)
    z = x * y
    assert [local() for local in z.local_derivatives] == [5.0, 3.0]
    y.data = 7.0
    assert [local() for local in z.local_derivatives] == [7.0, 3.0]
    assert x.local_derivatives == ()
    gone = weakref.ref(z)
    closures = z.local_derivatives
    del z
    assert gone() is None  # a closure does not keep its node alive
    assert closures[0]() == 7.0


def test_detach_stops_the_gradient_and_keeps_no_graph():
    x = Value(2.0)
    y = x * x
    z = y.detach() * x
    z.backward()
    assert x.grad == 4.0
    assert z.parents[0].parents == ()


def test_numpy_arrays_of_values():
    w = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    x = np.array([Value(0.5), Value(-1.0)])
    h = np.tanh(w @ x)
    loss = (h * h).sum()
    loss.backward()
    plain = np.array([[1.0, 2.0], [3.0, 4.0]]) @ [0.5, -1.0]
    delta = 2 * np.tanh(plain) * (1 - np.tanh(plain) ** 2)
    assert loss.data == pytest.approx((np.tanh(plain) ** 2).sum(), rel=1e-15)
    gradients = [[v.grad for v in row] for row in w]
    np.testing.assert_allclose(gradients, np.outer(delta, [0.5, -1.0]), rtol=1e-13)
    np.testing.assert_allclose([v.grad for v in x], plain * 0 + delta @ [[1.0, 2.0], [3.0, 4.0]], rtol=1e-13)


@pytest.mark.parametrize("scalar", [np.float64(2.0), np.float32(2.0), np.int32(2)])
def test_numpy_scalars_on_the_left(scalar):
    x = Value(3.0)
    for result, expected in [(scalar * x, 6.0), (scalar - x, -1.0), (scalar**x, 8.0), (scalar / x, 2 / 3)]:
        assert type(result) is Value
        assert result.data == expected
    assert scalar < x


@pytest.mark.parametrize(
    "name", ["exp", "sqrt", "arctan", "arcsinh", "log1p", "cbrt", "absolute", "negative"]
)
def test_numpys_functions_find_the_methods(name):
    x = np.array([Value(0.5), Value(0.25)])
    result = getattr(np, name)(x)
    assert [v.data for v in result] == pytest.approx(getattr(np, name)(np.array([0.5, 0.25])), rel=1e-15)


def test_topological_order_puts_parents_first_and_each_node_once():
    x, y = Value(1.0), Value(2.0)
    a = x * y
    b = a + x
    c = b * a
    order = topological_order(c, a)
    assert len(order) == len(set(order)) == 5
    for node in order:
        assert all(order.index(parent) < order.index(node) for parent in node.parents)


MANY = pytest.mark.parametrize("n", [200_000, pytest.param(1_000_000, marks=pytest.mark.slow)])


@MANY
def test_a_chain_of_a_million_operations_at_the_default_recursion_limit(n):
    limit = sys.getrecursionlimit()
    x = Value(1.0)
    y = x
    for _ in range(n):
        y = y + 1.0
    y.backward()
    assert (y.data, x.grad) == (1.0 + n, 1.0)
    assert sys.getrecursionlimit() == limit
    gone = weakref.ref(y.parents[0])
    del y
    assert gone() is None


@MANY
def test_a_sum_of_a_million_leaves(n):
    leaves = [Value(1.0) for _ in range(n)]
    total = sum(leaves)
    total.backward()
    assert total.data == n
    assert all(leaf.grad == 1.0 for leaf in leaves)
    del total


def test_a_deep_chain_of_three_argument_operations():
    x = Value(0.5)
    y = x
    for _ in range(100_000):
        y = y.clamp(0.0, 1.0)
    y.backward()
    assert x.grad == 1.0
    del y


def test_dropping_the_last_reference_frees_a_graph_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        x = Value(2.0)
        y = exp(x) * x + x.clamp(0.0, 3.0)
        nodes = [weakref.ref(node) for node in topological_order(y)]
        y.backward()
        locals_of_y = y.local_derivatives
        del locals_of_y, y, x
        assert [ref() for ref in nodes] == [None] * len(nodes)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_thousand_training_steps_leave_nothing_for_the_garbage_collector():
    w = Value(0.1)
    gc.collect()
    gc.disable()
    try:
        for _ in range(1000):
            loss = (w * 3.0 - 1.0) ** 2
            w.grad = 0.0
            loss.backward()
            w.data -= 0.01 * w.grad
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert w.data == pytest.approx(1 / 3)


def test_a_graph_whose_data_changed_after_it_was_computed_is_refused():
    x, y = Value(2.0, "x"), Value(3.0)
    z = x * y
    x.data = 5.0
    with pytest.raises(RuntimeError, match=r"the data of 'x' \(data=5\.0\) was assigned after a '\*' node"):
        z.backward()
    assert (x.grad, y.grad) == (0.0, 0.0)


@pytest.mark.parametrize("make", [lambda x: x.exp(), lambda x: x + 1, lambda x: x.clamp(0, 9)])
def test_every_arity_refuses_a_stale_graph_recorded_or_not(make):
    x = Value(2.0)
    y = make(x)
    x.data = 2.0  # the same number is an assignment too
    for record in (False, True):
        with pytest.raises(RuntimeError, match="was assigned after"):
            sweep(topological_order(y), {y: 1.0}, record=record)


def test_assigning_before_the_graph_or_to_an_unrelated_leaf_is_fine():
    x, other = Value(2.0), Value(1.0)
    x.data = 3.0
    y = x * x
    other.data = 4.0
    y.backward()
    assert x.grad == 6.0
    x.data = 5.0
    z = x * x
    z.backward()
    assert x.grad == 16.0


class Interrupting(float):
    """An adjoint that is interrupted while it is added to a leaf."""

    def __radd__(self, other):
        raise KeyboardInterrupt


def test_an_interrupt_while_gradients_are_written_leaves_every_leaf_as_it_was():
    leaves = [Value(1.0) for _ in range(5)]
    for i, leaf in enumerate(leaves):
        leaf.grad = float(i)
    adjoints = dict.fromkeys(leaves, 1.0)
    adjoints[leaves[3]] = Interrupting(1.0)
    with pytest.raises(KeyboardInterrupt):
        commit(adjoints)
    assert [leaf.grad for leaf in leaves] == [0.0, 1.0, 2.0, 3.0, 4.0]
    commit({leaves[0]: 1.0})  # and the lock is free again
    assert leaves[0].grad == 1.0


def test_an_interrupt_during_the_sweep_leaves_every_leaf_as_it_was(monkeypatch):
    x = Value(2.0)
    y = x.exp()
    z = x * y + x
    z.backward()
    before = x.grad

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(y.op, "derivatives", (interrupted,))
    with pytest.raises(KeyboardInterrupt):
        z.backward()
    assert x.grad == before


def test_eight_threads_on_shared_leaves_agree_with_one():
    leaves = [Value(0.1 * i + 0.05) for i in range(10)]

    def work():
        total = Value(0.0)
        for _ in range(30):
            for a, b in pairwise(leaves):
                total = total + exp(a * b).tanh()
        total.backward()

    work()
    once = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = 0.0
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [leaf.grad for leaf in leaves] == pytest.approx([8 * g for g in once], rel=1e-14)


def test_threads_that_assign_data_of_their_own_leaves_do_not_disturb_each_other():
    failures = []

    def work():
        try:
            x = Value(1.0)
            for i in range(2000):
                x.data = i
                x.grad = 0.0
                (x * x).backward()
                assert x.grad == 2.0 * i
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert failures == []


def test_results_are_bit_for_bit_equal_across_processes_and_hash_seeds():
    program = (
        "import random; from autograd import Value; from tests.graphs import unstructured\n"
        "rng = random.Random(5)\n"
        "for _ in range(5):\n"
        "    p = unstructured(rng, 60); x = [Value(v) for v in p.inputs]; y = p(*x); y.backward()\n"
        "    print(y.data.hex(), [v.grad.hex() for v in x])\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "random")
    }
    assert len(outputs) == 1
    assert len(next(iter(outputs)).splitlines()) == 5


def test_the_lectures_backward_pass_node_by_node_gives_what_backward_gives():
    def neuron():
        x1, x2, w1, w2, b = (Value(v) for v in (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
        n = x1 * w1 + x2 * w2 + b
        o = n.tanh() * n * n  # n is used three times
        return o, (x1, x2, w1, w2, b)

    o, leaves = neuron()
    topo, visited = [], set()

    def build_topo(v):
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build_topo(child)
            topo.append(v)

    build_topo(o)
    o.grad = 1.0
    for node in reversed(topo):
        node._backward()
    again, others = neuron()
    again.backward()
    assert [leaf.grad for leaf in leaves] == pytest.approx([leaf.grad for leaf in others], rel=1e-15)
    Value(2.0)._backward()  # a leaf sends nothing
