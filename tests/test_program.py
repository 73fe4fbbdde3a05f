"""Feeding, running and reading a compiled program; what it refuses, and what it lets go."""

import contextlib
import gc
import math
import pickle
import warnings
import weakref
from copy import copy as shallow_copy
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, log, maximum, no_grad, relu, tanh
from autograd.questions import noticed
from autograd.value import constant
from nn import SGD

pytestmark = pytest.mark.usefixtures("every_engine")


@pytest.fixture
def line():
    """Return the leaves and the program of w . x + b."""
    w, x = [Value(1.0, "w0"), Value(2.0, "w1")], [Value(3.0, "x0"), Value(4.0, "x1")]
    b = Value(0.5, "b")
    program = autograd.compile(w[0] * x[0] + w[1] * x[1] + b, inputs={"w": w, "x": x, "b": b})
    return w, x, b, program


# Running ----------------------------------------------------------------------------------------------------


def test_a_run_reads_the_leaves_sets_output_and_gradients_and_adds_nothing():
    x, y = Value(3.0), Value(4.0)
    f = x * y
    program = autograd.compile(f)
    for _ in range(2):
        assert program() == 12.0
        assert (x.grad, y.grad) == (4.0, 3.0)
    x.data = 5.0
    assert program() == f.data == 20.0
    assert (x.grad, y.grad) == (4.0, 5.0)


def test_forward_alone_leaves_the_gradients_as_they_were():
    x = Value(3.0, "x")
    y = x * x
    program = autograd.compile(y)
    x.grad = 17.0
    assert program.forward(x=4.0) == y.data == 16.0
    assert (x.data, x.grad) == (4.0, 17.0)


def test_the_results_have_the_nesting_of_the_outputs():
    x = Value(2.0)
    a, b = x * x, x + 1
    program = autograd.compile({"a": a, "b": [b, (a, x)]})
    assert program() == {"a": 4.0, "b": [3.0, (4.0, 2.0)]}
    array = autograd.compile(np.array([[a, b]], dtype=object))()
    assert array.shape == (1, 2)
    assert array.dtype == float


def test_the_gradients_of_several_outputs_are_those_of_their_sum():
    x = Value(2.0)
    a = x * x
    autograd.compile([a, a, x, tanh(a)])()
    gradient = x.grad
    fresh = Value(2.0)
    squared = fresh * fresh
    (squared + squared + fresh + tanh(squared)).backward()
    assert gradient == pytest.approx(fresh.grad, rel=1e-15)


def test_an_output_may_be_a_leaf_or_a_constant():
    x = Value(2.0)
    program = autograd.compile([x, constant(5.0)])
    x.data = 3.0
    assert program() == [3.0, 5.0]
    assert x.grad == 1.0
    assert autograd.compile(constant(5.0))() == 5.0
    assert autograd.compile(x * x, inputs=[])() == 9.0


def test_an_input_that_the_outputs_do_not_use_has_gradient_zero():
    x, unused = Value(2.0), Value(7.0)
    program = autograd.compile(x * x, inputs=[unused, x])
    unused.grad = 17.0
    assert program(1.0, 3.0) == 9.0
    assert (unused.grad, x.grad) == (0.0, 6.0)


def test_constants_and_frozen_leaves_are_left_alone():
    x, frozen = Value(2.0), Value(3.0)
    frozen.grad = 17.0
    program = autograd.compile(x * frozen, inputs=[x])
    program()
    assert program.leaves == (x,)
    assert (x.grad, frozen.grad) == (3.0, 17.0)
    frozen.data = 100.0
    assert program() == 6.0


# Feeding ----------------------------------------------------------------------------------------------------


def test_inputs_are_fed_by_key_label_or_position_singly_or_as_arrays(line):
    w, x, b, program = line
    assert program(x=[10.0, 100.0]) == 210.5
    assert [v.data for v in x] == [10.0, 100.0]
    assert program(np.array([0.0, 1.0]), np.array([5.0, 6.0]), 1.0) == 7.0
    assert [v.grad for v in (*w, *x, b)] == [5.0, 6.0, 0.0, 1.0, 1.0]
    assert program(w1=2.0, b=np.float32(0.5)) == 12.5
    assert program(w=(Fraction(1, 2), Decimal("0.25")), x=np.array([4, 8])) == 4.5


def test_what_is_not_fed_keeps_its_number(line):
    w, _, _, program = line
    program(x=[10.0, 100.0])
    w[0].data = 2.0
    assert program() == 220.5


def test_a_table_of_inputs_is_fed_as_a_table():
    X = [[Value(float(3 * i + j)) for j in range(3)] for i in range(4)]
    program = autograd.compile([sum(row) for row in X], inputs={"X": X})
    assert program(X=np.ones((4, 3))) == [3.0] * 4
    assert program(X=np.arange(24.0).reshape(4, 6)[:, ::2]) == [6.0, 24.0, 42.0, 60.0]
    with pytest.raises(ValueError, match=r"input 'X' has shape \(4, 3\).*shape \(3, 4\)"):
        program(X=np.ones((3, 4)))


def test_inputs_may_be_an_array_of_leaves():
    X = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    program = autograd.compile((X * X).sum(), inputs=X)
    assert program(np.ones((2, 2))) == 4.0
    assert program.gradients.tolist() == [2.0] * 4


@pytest.mark.parametrize(
    "pack", [list, np.array, lambda leaves: {"x": leaves}], ids=["list", "array", "dict"]
)
def test_data_are_fed_but_not_differentiated(pack):
    w, x = Value(2.0, "w"), [Value(0.0), Value(0.0)]
    program = autograd.compile(w * (x[0] + x[1]), inputs=[w], data=pack(x))
    x[0].data = 5.0
    assert program() == 10.0
    assert (w.grad, x[0].grad, program.gradients.tolist()) == (5.0, 0.0, [5.0])
    assert program.leaves == (w,)


def test_data_may_be_a_single_leaf_whatever_its_number():
    w, x = Value(2.0), Value(0.0)
    program = autograd.compile(w * x, inputs=[w], data=x)
    assert program(3.0) == 6.0
    autograd.compile(w * x, inputs=[w], data=x)  # nobody has asked it


def test_a_mini_batch_is_fed_into_the_leaves_that_held_the_first_one():
    """The graph is built once; values travel through it as often as one likes."""
    w, b = [Value(0.0), Value(0.0)], Value(0.0)
    X, y = [[Value(0.0), Value(0.0)] for _ in range(4)], [Value(0.0) for _ in range(4)]
    errors = [w[0] * x0 + w[1] * x1 + b - t for (x0, x1), t in zip(X, y, strict=True)]
    step = autograd.compile(sum(e * e for e in errors) / 4, inputs=[*w, b], data={"X": X, "y": y})
    rng = np.random.default_rng(0)
    with step:
        for _ in range(600):
            points = rng.uniform(-1, 1, (4, 2))
            loss = step(X=points, y=points @ [2.0, -3.0] + 1.0)
            step.parameters -= 0.2 * step.gradients
    assert loss < 1e-9
    assert [w[0].data, w[1].data, b.data] == pytest.approx([2.0, -3.0, 1.0], abs=1e-4)


@pytest.mark.parametrize(
    ("feed", "error", "message"),
    [
        (
            {"z": 1.0},
            TypeError,
            "no input is named 'z'; the names are: 'b', 'w', 'w0', 'w1', 'x', 'x0', 'x1'",
        ),
        ({"x": [1.0]}, ValueError, r"input 'x' has shape \(2,\), but the value fed to it has shape \(1,\)"),
        ({"x": 1.0}, ValueError, r"input 'x' has shape \(2,\), but the value fed to it has shape \(\)"),
        ({"b": [1.0]}, ValueError, r"input 'b' has shape \(\), but the value fed to it has shape \(1,\)"),
        ({"x": [1.0, "2"]}, TypeError, r"input 'x' needs numbers of shape \(2,\), got \[1.0, '2'\]"),
        ({"x": "ab"}, TypeError, r"input 'x' needs numbers of shape \(2,\), got 'ab'"),
        ({"b": "1"}, TypeError, "input 'b' needs numbers"),
        ({"b": None}, TypeError, "input 'b' needs numbers"),
        ({"b": 1j}, TypeError, "input 'b' needs numbers"),
        ({"b": np.array(1j)}, TypeError, "input 'b' needs numbers"),
        ({"b": Value(1.0)}, TypeError, "input 'b' needs numbers"),
        ({"b": 10**400}, OverflowError, "1.8e308"),
        ({"x": [[1.0], [2.0, 3.0]]}, TypeError, "input 'x' needs numbers"),
        ({"x": [1.0, 2.0], "x1": 3.0}, TypeError, "input 'x1' is fed twice"),
    ],
)
def test_a_wrong_feed_is_refused_and_changes_nothing(line, feed, error, message):
    w, x, b, program = line
    program()
    before = program.parameters.copy()
    for run in (program, program.forward):
        with pytest.raises(error, match=message):
            run(w=[8.0, 9.0], **feed)
    assert program.parameters.tolist() == before.tolist()
    assert [v.data for v in (*w, *x, b)] == before.tolist()


def test_too_many_positions_and_a_position_with_its_name_are_refused(line):
    *_, program = line
    with pytest.raises(TypeError, match="4 values for 3 inputs; feed one value for each item"):
        program([1.0, 1.0], [1.0, 1.0], 1.0, 1.0)
    with pytest.raises(TypeError, match="input 'w' is fed twice; give each number once"):
        program([1.0, 1.0], w=[1.0, 1.0])
    x = Value(2.0, "x")
    with pytest.raises(TypeError, match="1 values for 0 inputs; feed them by label"):
        autograd.compile(x * x)(3.0)


def test_an_ambiguous_name_is_refused_only_when_it_is_used():
    a, b, c = Value(1.0, "x"), Value(2.0, "x"), Value(3.0, "c")
    program = autograd.compile(a * b * c)
    assert program(c=5.0) == 10.0
    with pytest.raises(TypeError, match="several inputs are named 'x'; feed them by position"):
        program(x=1.0)
    both = autograd.compile(a * c, inputs={"k": a}, data={"k": c})
    with pytest.raises(TypeError, match="several inputs are named 'k'"):
        both(k=1.0)


def test_any_label_may_be_a_name():
    labels = ["self", "values", "named", "1", "w 1", "lambda"]
    leaves = [Value(1.0, label) for label in labels]
    program = autograd.compile(sum(leaves))
    assert program(**{label: float(i) for i, label in enumerate(labels)}) == 15.0


# What compile refuses ---------------------------------------------------------------------------------------


def test_compile_wants_values():
    x = Value(2.0)
    with pytest.raises(TypeError, match=r"outputs are Values.*got float"):
        autograd.compile([x * x, 3.0])
    with pytest.raises(TypeError, match=r"outputs are Values.*got generator"):
        autograd.compile(v for v in [x])
    with pytest.raises(TypeError, match=r"inputs are Values.*got str"):
        autograd.compile(x * x, inputs=["x"])
    with pytest.raises(TypeError, match=r"data are Values.*got int"):
        autograd.compile(x * x, data={"x": 1})
    with pytest.raises(ValueError, match="outputs is empty"):
        autograd.compile([])
    with pytest.raises(ValueError, match='branches is "refuse" or "frozen", not \'no\''):
        autograd.compile(x * x, branches="no")


def test_inputs_are_leaves_each_once():
    x = Value(2.0, "x")
    y = x * x
    with pytest.raises(ValueError, match=r"inputs are leaves, but a '\*' node \(data=4.0\) is computed"):
        autograd.compile(y + 1, inputs=[y])
    with pytest.raises(ValueError, match="inputs has the same Value twice"):
        autograd.compile(y, inputs={"a": x, "b": [x]})
    with pytest.raises(ValueError, match="data has the same Value twice"):
        autograd.compile(y, data=[x, x])
    with pytest.raises(ValueError, match="the same Value is in inputs and in data"):
        autograd.compile(y, inputs=[x], data=[x])


ASK = {
    "<": lambda v: v < 1.0,
    "<=": lambda v: v <= Value(1.0),
    ">": lambda v: v > 1.0,
    ">=": lambda v: v >= 1.0,
    "bool()": lambda v: not v,
    "float()": float,
}


@pytest.mark.parametrize("how", ASK)
@pytest.mark.parametrize("where", ["leaf", "inside"])
def test_a_graph_that_a_branch_may_have_shaped_is_refused_with_node_and_remedy(how, where):
    x = Value(2.0, "x")
    h = x * x
    h.label = "h"
    asked = x if where == "leaf" else h
    ASK[how](asked)
    name = rf"{asked.label!r} \(data={asked.data}\)"
    with pytest.raises(
        ValueError, match=rf"the program asked {name} for its number with {re_escape(how)}"
    ) as caught:
        autograd.compile(h + x)
    for remedy in ("maximum(a, b)", "where(greater(a, b), ...)", 'branches="frozen"'):
        assert remedy in str(caught.value)
    assert autograd.compile(h + x, branches="frozen")() == 6.0


def re_escape(text):
    return "".join(f"\\{c}" if c in "()" else c for c in text)


def test_a_look_at_the_one_output_came_too_late_to_shape_it():
    x = Value(2.0)
    y = x * x
    assert float(y) == y.item() == 4.0
    assert autograd.compile(y)() == 4.0
    with pytest.raises(ValueError, match="asked"):
        autograd.compile([y, x + 1.0])  # the second may have been made because of the first


@pytest.mark.parametrize(
    "choose",
    [
        lambda y, z: y if y > 0.0 else z,
        lambda y, z: y if float(y) == 4.0 and y > 0.0 else z,
        lambda y, z: y or z,
        max,
        lambda y, z: min(-y, -z),
        lambda y, z: sorted([z, y])[-1],
    ],
    ids=["comparison", "look, comparison", "truth", "max", "min", "sorted"],
)
def test_a_comparison_of_the_one_output_may_have_chosen_it(choose):
    y = choose(Value(2.0) ** 2, Value(1.0) + 2.0)
    with pytest.raises(ValueError, match="asked"):
        autograd.compile(y)


def test_a_branch_on_what_no_input_changes_is_no_branch_of_the_program():
    x, label = Value(2.0), Value(1.0)
    y = x * label if label > 0.0 else x
    assert autograd.compile(y, inputs=[x])() == 2.0
    with pytest.raises(ValueError, match="asked"):
        autograd.compile(y)


@pytest.mark.parametrize("later", ["nothing", "the output is asked", "others are asked"])
@pytest.mark.parametrize("copy", [lambda y: y, deepcopy, lambda y: pickle.loads(pickle.dumps(y))])
def test_a_branch_on_a_value_beside_the_graph_is_refused(later, copy):
    x = Value(2.0)
    y = x * x if x - 1.0 > 0.0 else x + 1.0
    if later == "the output is asked":
        assert float(y) == float(y) == 4.0
    elif later == "others are asked":
        assert [float(x * n) for n in range(5)] == [0.0, 2.0, 4.0, 6.0, 8.0]
        assert float(y) == 4.0
    with pytest.raises(ValueError, match=r"the program asked a '[-*]' node \(data=.*"):
        autograd.compile(copy(y))


@pytest.mark.parametrize("copy", [shallow_copy, lambda y: pickle.loads(pickle.dumps(y))])
def test_a_copy_remembers_the_branches_of_its_graph_and_no_others(copy):
    x = Value(2.0)
    y = x * x if x - 1.0 > 0.0 else x + 1.0
    Value(1.0).data = 3.0  # the clock by which questions are told from later recordings
    with pytest.raises(ValueError, match=r"asked a '-' node"):
        autograd.compile(copy(y))
    leaf = copy(x)
    assert autograd.compile(leaf * leaf)() == 4.0


def test_a_graph_from_another_process_is_refused_for_what_was_asked_there():
    x = Value(2.0)
    stored = pickle.dumps(x * x if x - 1.0 > 0.0 else x + 1.0)
    before = set(noticed)
    try:
        noticed.clear()  # as in a process in which nothing has been asked
        with pytest.raises(ValueError, match="asked"):
            autograd.compile(pickle.loads(stored))
    finally:
        noticed.update(before)


def test_a_branch_on_what_an_inner_node_of_a_large_graph_gives_is_refused():
    x = [Value(0.1 * i) for i in range(200)]
    h = sum(x)
    y = h if h * h - 1.0 > 0.0 else 0.1 * h
    with pytest.raises(ValueError, match=r"asked a '-' node"):
        autograd.compile(y * x[0])


def test_a_score_that_was_looked_at_does_not_stand_in_the_way_of_compiling_a_loss():
    w = [Value(0.1 * i) for i in range(100)]
    assert sum(wi * 2.0 for wi in w) > 0.0
    assert autograd.compile(sum(wi * wi for wi in w))() == pytest.approx(3283.5)


def test_a_question_from_before_a_step_of_training_concerns_no_graph_recorded_after_it():
    w = Value(2.0)
    for _ in range(3):
        loss = (w - 1.0) ** 2
        assert float(loss) >= 0.0
        assert loss * 2.0 < 3.0
        loss.backward()
        w.data, w.grad = w.data - 0.1 * w.grad, 0.0
    assert autograd.compile((w - 1.0) ** 2)() == pytest.approx(0.8**6)
    assert (w - 1.0) ** 2 > 0.0
    with pytest.raises(ValueError, match="asked"):
        autograd.compile(w * w)


def test_a_number_cut_out_of_a_graph_is_refused_unless_it_is_fed():
    x = Value(2.0)
    with no_grad():
        inner = x * x
    for cut, how in ((inner, r"no_grad\(\)"), ((x * x).detach(), r"detach\(\)")):
        y = cut * x
        with pytest.raises(ValueError, match=rf"was cut out of a graph by {how}.*list it in inputs="):
            autograd.compile(y)
        assert autograd.compile(y, inputs=[cut, x])() == 8.0
        assert autograd.compile(y, branches="frozen")() == 8.0


def test_branches_inside_operations_are_no_branches():
    x = Value(-2.0, "x")
    program = autograd.compile(relu(x) + maximum(x, 1.0))
    assert (program(), program(x=5.0), x.grad) == (1.0, 10.0, 2.0)


@pytest.mark.parametrize(
    "derivative",
    [
        lambda _z, x: 1.0 if x > 0.0 else 0.0,
        lambda _z, x: 1.0 if x else 0.0,
        lambda _z, x: math.copysign(1.0, x),
    ],
    ids=["comparison", "truth", "math"],
)
def test_a_derivative_that_branches_in_python_is_refused_not_frozen(derivative):
    row = autograd.Operation("bent", abs, [derivative])
    x = Value(2.0)
    y = row(x)
    y.backward()
    assert x.grad == 1.0
    with pytest.raises(TypeError, match=r"write a branch as an operation, such as where\(greater\(x, 0.0\)"):
        autograd.compile(y * y)


# A block, arrays, memory ------------------------------------------------------------------------------------


def test_in_a_block_the_leaves_are_read_once_and_written_once():
    x, y = Value(3.0, "x"), Value(1.0, "y")
    loss = x * x + y
    program = autograd.compile(loss)
    with program as same:
        assert same is program
        assert program() == 10.0
        program.parameters -= 0.5 * program.gradients
        assert program(y=2.0) == 2.0
        assert (x.data, x.grad, y.data, loss.data) == (3.0, 0.0, 1.0, 10.0)
    assert (x.data, x.grad, y.data, y.grad, loss.data) == (0.0, 0.0, 2.0, 1.0, 2.0)


def test_sync_writes_the_leaves_within_a_block():
    x = Value(3.0)
    program = autograd.compile(x * x)
    with program:
        program()
        program.parameters[:] = 7.0
        program.sync()
        assert (x.data, x.grad) == (7.0, 6.0)


def test_a_block_within_a_block_keeps_what_was_reached():
    x = Value(2.0)
    program = autograd.compile(x * x)
    with program:
        program.parameters -= 1.0
        with program:
            assert program() == 1.0
        assert program() == 1.0
        program.parameters += 4.0
    assert x.data == 5.0
    assert program() == 25.0


def test_an_exception_in_a_block_writes_the_leaves_and_goes_on():
    x = Value(3.0, "x")
    program = autograd.compile(x * x)

    def fail():
        with program:
            program()
            program.parameters[:] = 7.0
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (x.data, x.grad) == (7.0, 6.0)
    x.data = 2.0
    assert program() == 4.0  # the block is left, leaves are read again
    with pytest.raises(TypeError, match="no input"), program:
        program(z=1.0)
    assert program(x=5.0) == 25.0


def test_parameters_and_gradients_are_flat_arrays_in_the_order_of_the_inputs():
    w, b = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]], Value(5.0)
    program = autograd.compile(sum(tanh(a * a) for row in w for a in row) * b, inputs={"b": b, "w": w})
    program()
    assert program.parameters.tolist() == [5.0, 1.0, 2.0, 3.0, 4.0]
    assert program.leaves == (b, *w[0], *w[1])
    assert program.gradients.tolist() == [leaf.grad for leaf in program.leaves]
    assert program.parameters.dtype == program.gradients.dtype == np.float64
    array = program.parameters
    program.parameters = np.zeros(5)
    assert program.parameters is array
    with pytest.raises(AttributeError):
        program.gradients = np.zeros(5)  # type: ignore[misc]


@pytest.mark.parametrize("pack", [lambda y: y, lambda y: [y], lambda y: {"y": y}, lambda y: np.array([y])])
@pytest.mark.parametrize("size", [1, 100])
def test_dropping_the_outputs_frees_the_graph_and_the_program_works_on(pack, size):
    leaves = [Value(1.0) for _ in range(size)]
    gc.disable()
    try:
        terms = [tanh(x) for x in leaves]
        inner = weakref.ref(terms[0])
        outputs = pack(sum(terms))
        program = autograd.compile(outputs)
        del terms, outputs
        assert inner() is None
    finally:
        gc.enable()
    leaves[0].data = 0.0
    results, _ = autograd.nested.flatten(program())
    assert results[0] == pytest.approx((size - 1) * tanh(1.0))
    assert leaves[0].grad == 1.0
    with program:
        program.parameters[:] = 0.0
    assert leaves[-1].data == 0.0


def test_the_graph_is_stale_where_the_leaves_have_moved_on():
    x = Value(2.0)
    y = tanh(x * x) + x
    program = autograd.compile(y)
    program()
    x.data = 3.0
    program()
    with pytest.raises(RuntimeError, match=r"replay it with autograd\.compile"):
        y.backward()


@pytest.mark.parametrize("enabled", [True, False])
def test_compiling_leaves_the_garbage_collector_as_it_was(enabled):
    x = Value(2.0)
    y, z = x * x, x + 1.0
    try:
        (gc.enable if enabled else gc.disable)()
        autograd.compile(z)
        assert gc.isenabled() == enabled
        assert y > 1.0
        with pytest.raises(ValueError, match="asked"):
            autograd.compile([y, z])
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


@pytest.mark.parametrize("n", [1, 100])
def test_poles_and_overflow_warn_nobody_and_change_no_setting(n):
    leaves = [Value(1.0) for _ in range(n)]
    total = sum(log(x) + 1.0 / x + autograd.exp(1000.0 * x) for x in leaves)
    settings = np.geterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        program = autograd.compile(total, inputs={"x": leaves})
        for number in (0.0, -1.0, np.inf, np.nan):
            program(x=np.full(n, number))
            program.forward(x=np.full(n, number))
    assert np.geterr() == settings
    assert np.isnan(program())


def test_an_error_while_running_leaves_numpys_settings_alone():
    def explode(x):
        if x > 2.0:
            raise ZeroDivisionError
        return x

    row = autograd.Operation("explode", explode, [lambda *_: 1.0])
    x = Value(1.0, "x")
    program = autograd.compile(row(x))
    settings = np.geterr()
    with pytest.raises(ZeroDivisionError):
        program(x=3.0)
    assert np.geterr() == settings
    assert program(x=2.0) == 2.0


# Leaves that others write, too ------------------------------------------------------------------------------


def test_a_block_writes_back_only_what_changed_in_it():
    w = Value(0.0)
    train, check = autograd.compile((w - 3) ** 2), autograd.compile((w - 3) ** 2 * 2)
    with check, train:
        for _ in range(100):
            train()
            train.parameters -= 0.1 * train.gradients
    assert w.data == pytest.approx(3.0)
    w.grad = 17.0
    with check:
        check.forward()
    assert w.grad == 17.0
    y = w * 2.0
    with check:
        pass
    y.backward()  # nothing was assigned, so the graph is as fresh as it was
    assert w.grad == 19.0


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    ("numbers", "error"),
    [
        (np.array([np.longdouble("1e400"), 1.0]), OverflowError),
        ([10**400, 1.0], OverflowError),
        (["1", "2"], TypeError),
        ([None, 1.0], TypeError),
        ([1j, 1.0], TypeError),
        ([1.0, 2.0, 3.0], ValueError),
    ],
)
def test_parameters_are_refused_as_feeds_are_and_keep_their_numbers(numbers, error, inside):
    if error is OverflowError and np.longdouble("1e400") == np.inf:
        pytest.skip("a long double is a double here")
    x, y = Value(3.0), Value(4.0)
    program = autograd.compile(x * y)
    with program if inside else contextlib.nullcontext():
        with pytest.raises(error, match=r"^program.parameters "):
            program.parameters = numbers
        assert program.parameters.tolist() == [3.0, 4.0]
        program.parameters = np.array([5, 6], dtype=np.longdouble)
    assert (x.data, y.data) == (5.0, 6.0)


def test_two_writers_of_one_leaf_are_told_so_and_neither_number_is_lost():
    w = Value(1.0, "w")
    program = autograd.compile(w * w)
    program.__enter__()
    program.parameters += 1.0
    w.data = 5.0
    with pytest.raises(RuntimeError, match=r"'w' .* has two writers: .* became 2.0 .* assigned 5.0"):
        program.__exit__(None, None, None)
    assert w.data == 5.0
    assert program() == 25.0


def test_an_optimiser_of_leaves_in_a_block_is_refused_not_lost():
    w = Value(1.0, "w")
    program = autograd.compile(w * w)
    with program:
        program()
        program.sync()
        w.data = 0.5
        with pytest.raises(RuntimeError, match=r"'w' .* was assigned in a with block"):
            program()
    assert w.data == 0.5


def test_a_step_by_gradients_that_the_block_has_not_written_is_refused_too():
    w = Value(1.0, "w")
    program = autograd.compile(w * w)
    optimizer = SGD([w], lr=0.1)
    with program:
        program()
        optimizer.step()  # the leaf's gradient is 0 yet, so its number stays the same
        with pytest.raises(RuntimeError, match=r"'w' .* was assigned in a with block"):
            program()


def test_parameters_assigned_outside_a_block_reach_the_leaves():
    w = Value(1.0)
    program = autograd.compile(w * w)
    program()
    program.parameters -= 0.25 * program.gradients
    assert w.data == 0.5
    w.data = 10.0
    assert program.parameters.tolist() == [10.0]
    program.sync()
    assert w.data == 10.0


@pytest.mark.parametrize(
    "use",
    [
        lambda p: p(),
        lambda p: p.forward(),
        lambda p: p.batch([1.0, 1.0]),
        lambda p: p.parameters,
        lambda p: p.sync(),
        shallow_copy,
        deepcopy,
    ],
)
def test_what_is_written_into_the_array_of_parameters_outside_a_block_is_not_lost(use):
    a, b, x = Value(1.0), Value(2.0), Value(1.0)
    program = autograd.compile((a * 10 + b) * x, inputs=[a, b], data=[x])
    program()
    program.parameters[0] = 4.0
    np.subtract(program.parameters, [0.0, 1.0], out=program.parameters)
    use(program)
    assert (a.data, b.data) == (4.0, 1.0)
    assert program() == shallow_copy(program)() == 41.0


def test_a_parameter_with_two_writers_outside_a_block_is_told_once_and_keeps_what_the_leaf_was_assigned():
    w = Value(1.0)
    program = autograd.compile(w * w)
    program.parameters[0] = 4.0
    w.data = 5.0
    with pytest.raises(RuntimeError, match=r"two writers: it was 1\.0 .* became 4\.0 .* assigned 5\.0"):
        program()
    assert program() == 25.0


def test_a_batch_of_dicts_is_a_dict_of_batches():
    d: dict[str, Any] = {"a": {"b": Value(1.0), "c": [[Value(2.0), Value(3.0)]]}, "e": Value(4.0)}
    output = d["a"]["b"] * d["a"]["c"][0][0] + d["a"]["c"][0][1] * d["e"]
    program = autograd.compile(output, inputs=[], data={"d": d})
    rows = [{"a": {"b": k, "c": [[k + 1, k + 2]]}, "e": 3 * k} for k in range(5)]
    expected = program.batch_forward(d=rows)
    assert expected.tolist() == [k * (k + 1) + (k + 2) * 3 * k for k in range(5)]
    k = np.arange(5)
    columns = {"e": 3 * k, "a": {"c": np.stack([k + 1, k + 2], axis=1)[:, None], "b": k.tolist()}}
    assert program.batch_forward(d=columns).tolist() == expected.tolist()
    for wrong in (
        columns | {"e": k[:4]},
        columns | {"e": k[:, None]},
        columns | {"f": k},
        columns | {"a": k},
        columns | {"e": 1.0},
    ):
        with pytest.raises(ValueError, match="'d' is nested otherwise than the value fed to it"):
            program.batch(d=wrong)
    with pytest.raises(ValueError, match="at least 1"):
        program.batch(d={"e": [], "a": {"b": [], "c": np.zeros((0, 1, 2))}})


def test_numbers_below_a_mask_are_not_taken_for_numbers():
    x = [Value(1.0), Value(2.0)]
    program = autograd.compile(x[0] * x[1], inputs=[], data={"x": x})
    masked, whole = np.ma.array([3.0, 4.0], mask=[False, True]), np.ma.array([3.0, 4.0])
    for use in (
        lambda: program(x=masked),
        lambda: program.batch(x=masked[None]),
        lambda: autograd.exp(masked),
        lambda: autograd.maximum(1.0, masked),
    ):
        with pytest.raises(TypeError, match="masked"):
            use()
    assert program(x=whole) == 12.0


def test_views_of_the_parameters_are_fed_as_they_were():
    a, b = Value(1.0), Value(2.0)
    program = autograd.compile(a * 10 + b, inputs={"a": [a], "b": [b]})
    assert program(a=program.parameters[1:2], b=program.parameters[0:1]) == 21.0


def test_what_is_declared_so_is_fed_so():
    x: dict[str, Any] = {"p": [Value(1.0), Value(2.0)], "q": Value(3.0)}
    ragged = [[Value(1.0)], [Value(2.0), Value(3.0)]]
    total = sum(x["p"]) * x["q"] + sum(v for row in ragged for v in row)
    program = autograd.compile(total, inputs=[], data={"x": x, "ragged": ragged, "none": []})
    fed = {"q": 10.0, "p": [1.0, 1.0]}
    assert program(x=fed, ragged=[[1.0], [1.0, 2.0]], none=[]) == 24.0
    with pytest.raises(ValueError, match="'x' is nested otherwise"):
        program(x={"p": [1.0], "q": 1.0})
    assert program.batch(x=[fed, fed], ragged=[[[0.0], [0.0, 0.0]]] * 2) == 20.0
    with pytest.raises(OverflowError, match=r"below 1\.8e308"):
        program(ragged=[[10**400], [0, 0]])
    with pytest.raises(OverflowError, match=r"below 1\.8e308"):
        program(ragged=[[Decimal("1e400")], [0, 0]])


@pytest.mark.parametrize("engine", ["numpy", "wasm"])
@pytest.mark.parametrize("count", [1, 60])
def test_a_factor_that_is_zero_makes_nan_of_an_infinite_adjoint_as_eagerly(count, engine):
    x = [Value(1.0 + k) for k in range(count)]
    loss = sum(log(0.0 * a) for a in x)
    loss.backward()
    assert all(math.isnan(a.grad) for a in x)
    autograd.compile(loss, inputs=x, engine=engine)()
    assert all(math.isnan(a.grad) for a in x)


def _logarithm(x, y):
    return math.log(x) * y


def _quotient(x, y):
    return y / max(x, 0.0)


def _entry(x, y):
    return (2.0, 3.0)[round(abs(x))] * y


def _power(x, y):
    return x**0.5 * y  # complex below 0


@pytest.mark.parametrize("engine", ["numpy", "wasm"])
@pytest.mark.parametrize("function", [_logarithm, _quotient, _entry, _power], ids=lambda f: f.__name__[1:])
def test_an_operation_of_ones_own_need_not_be_defined_everywhere(function, engine):
    row = autograd.operation(lambda z, x, y: 0.0, lambda z, x, y: z / y)(function)  # noqa: ARG005 - a row's
    x, y = Value(1.2), Value(2.0)
    program = autograd.compile(row(x, row(x, y)), inputs=[x, y], engine=engine)
    once = function(1.2, 1.0)
    assert program() == pytest.approx(2.0 * once**2)
    assert y.grad == pytest.approx(once**2)


# Batches ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["numpy", "wasm"])
@pytest.mark.parametrize("points", [1, 7, 1500])
def test_a_batch_is_the_mean_over_its_points(points, engine):
    rng = np.random.default_rng(0)
    w = [Value(x) for x in rng.normal(size=6)]
    x, y = [Value(0.0), Value(0.0)], Value(0.0)
    score = tanh(w[0] * x[0] + w[1] * x[1] + w[2]) * w[3] + w[4]
    loss = (score - y) ** 2 + 0.1 * sum(p * p for p in w)
    program = autograd.compile(loss, inputs=w, data={"x": x, "y": y}, aux=[score], engine=engine)
    X, targets = rng.normal(size=(points, 2)), rng.normal(size=points)
    losses, scores, total = [], [], np.zeros(6)
    for a, b in zip(X, targets, strict=True):
        losses.append(program(x=a, y=b))
        scores.append(program.aux[0])
        total += program.gradients
    assert program.batch(x=X, y=targets) == pytest.approx(np.mean(losses), rel=1e-12)
    assert program.gradients == pytest.approx(total / points, rel=1e-11)
    assert [v.grad for v in w] == program.gradients.tolist()
    assert program.aux[0] == pytest.approx(scores, rel=1e-13)
    assert program.batch(X, targets, reduction="sum") == pytest.approx(sum(losses), rel=1e-12)
    assert program.gradients == pytest.approx(total, rel=1e-11)
    assert program.batch(x=X, y=targets, reduction=None) == pytest.approx(losses, rel=1e-13)
    assert program.batch_forward(x=X, y=targets) == pytest.approx(losses, rel=1e-13)


@pytest.mark.parametrize("engine", ["numpy", "wasm"])
def test_what_a_batch_computes_besides_may_depend_on_no_data(engine):
    w, x, five = [Value(2.0), Value(3.0)], Value(0.0), Value(5.0)
    aux = {"parameter": w[0], "penalty": w[0] * w[1], "frozen": five, "score": w[0] * x}
    program = autograd.compile(w[0] * x + w[1], inputs=w, data={"x": x}, aux=aux, engine=engine)
    expected = {"parameter": [2.0] * 3, "penalty": [6.0] * 3, "frozen": [5.0] * 3, "score": [2.0, 4.0, 6.0]}
    for run in (program.batch, program.batch_forward):
        run(x=[1.0, 2.0, 3.0])
        assert {name: found.tolist() for name, found in program.aux.items()} == expected


@pytest.mark.parametrize("engine", ["numpy", "wasm"])
@pytest.mark.parametrize("largest", [1e308, math.inf])
def test_a_batch_overflows_in_silence_as_numbers_one_by_one_do(largest, engine):
    w, x = Value(1.0), Value(0.0)
    program = autograd.compile(w * x, inputs=[w], data={"x": x}, engine=engine)
    many = [largest] * program._batches.chunk + [largest] * 3
    assert program.batch(x=many, reduction="sum") == w.grad == math.inf
    many[-3:] = [-math.inf] * 3
    assert math.isnan(program.batch(x=many, reduction="sum"))
    assert math.isnan(w.grad)


def test_a_batch_refuses_what_makes_none():
    w, x, y = Value(1.0, "w"), Value(2.0), Value(3.0)
    program = autograd.compile(w * x + y, inputs={"w": w}, data={"x": x, "y": y})
    assert program.batch(x=[1.0, 2.0]) == 4.5
    with pytest.raises(ValueError, match=r"same number of points.*'x' has 2, input 'y' has 3"):
        program.batch(x=[1.0, 2.0], y=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="at least 1"):
        program.batch(x=[])
    with pytest.raises(ValueError, match="nothing is fed"):
        program.batch()
    with pytest.raises(ValueError, match=r"has shape \(\), but .* batch of shape \(\)"):
        program.batch(x=1.0)
    with pytest.raises(TypeError, match="no datum: parameters are the same for all points"):
        program.batch(w=[1.0, 2.0])
    with pytest.raises(ValueError, match='"mean", "sum" or None'):
        program.batch(x=[1.0], reduction="max")
    with pytest.raises(ValueError, match="output 1 depends on no data"):
        autograd.compile([w * x, w * w], inputs=[w], data={"x": x}).batch(x=[1.0])


def test_a_graph_that_a_program_ran_is_drawn_and_stepped_with_its_present_numbers():
    x = Value(2.0, "x")
    inner = x * 3.0
    y = inner + 1.0
    program = autograd.compile(y)
    program(x=10.0)
    autograd.draw_dot(y)
    assert (inner.data, y.data) == (30.0, 31.0)
    x.data = 5.0
    autograd.steps(y)
    assert (inner.data, y.data) == (15.0, 16.0)


def test_a_run_that_changes_nothing_makes_no_later_graph_stale():
    x = Value(1.0)
    f = autograd.exp(x)
    program = autograd.compile(f)
    later = f * 2.0 + x
    program()
    later.backward()
    assert x.grad == pytest.approx(2.0 * math.e + 1.0 + math.e)  # added to what the program left
    x.data = 0.0
    with pytest.raises(RuntimeError, match="was assigned after"):
        f.backward()
    program()
    x.grad = 0.0
    f.backward()
    assert (f.data, x.grad) == (1.0, 1.0)


@pytest.mark.parametrize("engine", ["numpy", "wasm"])
@pytest.mark.parametrize("members", [1, 3, 300])
def test_operations_of_ones_own_in_whatever_way_they_are_written(members, engine):
    rows = [
        autograd.Operation("positive", lambda x: float(x > 0), [lambda *_: 0.0], numpy=lambda _np, x: x > 0),
        autograd.Operation(
            "whole", lambda x: float(int(x)), [lambda *_: 0.0], numpy=lambda _, x: x.astype(int)
        ),
        autograd.Operation("sine", math.sin, [lambda _z, x: np.cos(x)], numpy="sin"),
        autograd.Operation("cubed", lambda x: x**3, [lambda _z, x: 3 * x**2]),
    ]
    values = [Value(0.5 + 0.01 * i) for i in range(members)]
    for row in rows:
        total = sum(row(v) * (i + 1) for i, v in enumerate(values))
        program = autograd.compile(total + row(values[0]) * 0.0, inputs=values, engine=engine)
        total.backward()
        expected = [v.grad for v in values]
        assert program() == pytest.approx(total.data, rel=1e-13)
        assert [v.grad for v in values] == pytest.approx(expected, rel=1e-13)
        for v in values:
            v.grad = 0.0
