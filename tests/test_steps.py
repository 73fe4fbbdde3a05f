"""The event stream and the explanation by paths: two graphs in full, and the engine's own numbers."""

import dataclasses
import math
from typing import Any

import pytest

from autograd import Operation, Value, log, sigmoid, tanh, topological_order
from autograd.stepping import Backward, Forward, Seed, explain, steps
from tests.examples import random_graph, same, sigmoid_gate, simple


def event_of(root, index):
    """One event of a stream, of whichever kind."""
    return steps(root)[index]


def replay(events):
    """Add up the contributions of a stream."""
    gradients = {}
    for event in events:
        if isinstance(event, Seed):
            gradients[event.node] = event.gradient
        elif isinstance(event, Backward):
            gradients[event.parent] = gradients.get(event.parent, 0.0) + event.contribution
    return gradients


# Two graphs in full


def test_a_simple_graph_in_full():
    events = steps(simple())
    forward = [event for event in events if isinstance(event, Forward)]
    backward = [event for event in events if isinstance(event, Backward)]
    assert [(e.name, e.operation, e.formula, e.numbers, e.operands, e.data) for e in forward] == [
        ("x", None, "", "", (), -2.0),
        ("y", None, "", "", (), 5.0),
        ("q", "add", "x + y", "-2 + 5", (-2.0, 5.0), 3.0),
        ("z", None, "", "", (), -4.0),
        ("f", "mul", "q*z", "3*(-4)", (3.0, -4.0), -12.0),
    ]
    assert [(e.name, e.gradient) for e in events if isinstance(e, Seed)] == [("f", 1.0)]
    assert [
        (e.name, e.receiver, e.upstream, e.local, e.local_formula, e.contribution, e.sum) for e in backward
    ] == [
        ("f", "q", 1.0, -4.0, "d(q*z)/dq = z = -4", -4.0, "q.grad: 0 -> -4"),
        ("f", "z", 1.0, 3.0, "d(q*z)/dz = q = 3", 3.0, "z.grad: 0 -> 3"),
        ("q", "x", -4.0, 1.0, "d(x + y)/dx = 1", -4.0, "x.grad: 0 -> -4"),
        ("q", "y", -4.0, 1.0, "d(x + y)/dy = 1", -4.0, "y.grad: 0 -> -4"),
    ]
    assert [event.step for event in events] == list(range(10))


def test_a_simple_graph_tells_which_nodes_wait():
    waiting = [[node.label for node in event.waiting] for event in steps(simple())]
    assert waiting == [
        ["y", "q", "z", "f"],
        ["q", "z", "f"],
        ["z", "f"],
        ["f"],
        [],
        ["q", "z", "x", "y"],
        ["z", "x", "y"],
        ["x", "y"],
        ["y"],
        [],
    ]


def test_the_sigmoid_gate_in_full():
    assert [event.sentence for event in steps(sigmoid_gate())] == [
        "1 is a constant",
        "1 is a constant",
        "w0 = 2 is given",
        "x0 = -1 is given",
        "a = w0*x0 = 2*(-1) = -2",
        "w1 = -3 is given",
        "x1 = -2 is given",
        "b = w1*x1 = -3*(-2) = 6",
        "c = a + b = -2 + 6 = 4",
        "w2 = -3 is given",
        "s = c + w2 = 4 + (-3) = 1",
        "n = -s = -1",
        "u = exp(n) = exp(-1) = 0.3679",
        "v = 1 + u = 1 + 0.3679 = 1.368",
        "f = 1/v = 1/1.368 = 0.7311",
        "the backward pass begins: df/df = 1",
        "d(1/v)/dv = -1/v**2 = -1/1.368**2 = -0.5344; local * upstream = -0.5344 * 1 = -0.5344; "
        "v.grad: 0 -> -0.5344",
        "d(1 + u)/du = 1; local * upstream = 1 * (-0.5344) = -0.5344; u.grad: 0 -> -0.5344",
        "d(exp(n))/dn = u = 0.3679; local * upstream = 0.3679 * (-0.5344) = -0.1966; n.grad: 0 -> -0.1966",
        "d(-s)/ds = -1; local * upstream = -1 * (-0.1966) = 0.1966; s.grad: 0 -> 0.1966",
        "d(c + w2)/dc = 1; local * upstream = 1 * 0.1966 = 0.1966; c.grad: 0 -> 0.1966",
        "d(c + w2)/dw2 = 1; local * upstream = 1 * 0.1966 = 0.1966; w2.grad: 0 -> 0.1966",
        "d(a + b)/da = 1; local * upstream = 1 * 0.1966 = 0.1966; a.grad: 0 -> 0.1966",
        "d(a + b)/db = 1; local * upstream = 1 * 0.1966 = 0.1966; b.grad: 0 -> 0.1966",
        "d(w1*x1)/dw1 = x1 = -2; local * upstream = -2 * 0.1966 = -0.3932; w1.grad: 0 -> -0.3932",
        "d(w1*x1)/dx1 = w1 = -3; local * upstream = -3 * 0.1966 = -0.5898; x1.grad: 0 -> -0.5898",
        "d(w0*x0)/dw0 = x0 = -1; local * upstream = -1 * 0.1966 = -0.1966; w0.grad: 0 -> -0.1966",
        "d(w0*x0)/dx0 = w0 = 2; local * upstream = 2 * 0.1966 = 0.3932; x0.grad: 0 -> 0.3932",
    ]


# The numbers are the engine's


@pytest.mark.parametrize("seed", range(40))
def test_replaying_the_contributions_gives_exactly_the_gradients_of_backward(seed):
    root, _ = random_graph(seed)
    events = steps(root)
    assert all(node.grad == 0.0 for node in topological_order(root))
    root.backward()
    for node, gradient in replay(events).items():
        assert same(gradient, node.grad)


@pytest.mark.parametrize("seed", range(10))
def test_the_running_sums_lead_from_zero_to_the_gradient(seed):
    root, _ = random_graph(seed)
    sums = {}
    for event in steps(root):
        if isinstance(event, Backward):
            assert same(event.before, sums.get(event.parent, 0.0))
            assert same(event.contribution, event.upstream * event.local)
            sums[event.parent] = event.after
            assert event.complete == (event.parent not in event.waiting)
    root.backward()
    for node, total in sums.items():
        assert same(total, node.grad)


def test_stepping_leaves_gradients_as_they_are():
    f = simple()
    f.backward(2.0)
    before = [node.grad for node in topological_order(f)]
    steps(f)
    assert [node.grad for node in topological_order(f)] == before


def test_events_keep_the_numbers_of_their_moment_and_cannot_be_changed():
    f = simple()
    event = event_of(f, -1)
    f.parents[1].data = 100.0
    assert event.upstream == -4.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.after = 0.0


def test_a_graph_whose_leaves_were_assigned_is_stepped_with_the_numbers_that_follow():
    f = simple()
    f.parents[1].data = 100.0
    assert event_of(f, -1).after == 100.0
    assert (f.data, f.parents[0].data) == (300.0, 3.0)


# Odd graphs


def test_a_single_leaf_has_its_number_and_the_seed():
    x = Value(3.0, "x")
    assert [event.sentence for event in steps(x)] == [
        "x = 3 is given",
        "the backward pass begins: dx/dx = 1",
    ]


def test_a_node_used_twice_by_one_gate_receives_from_both_places():
    x = Value(3.0, "x")
    first, second = (event_of(x * x, i) for i in (-2, -1))
    assert first.local_formula == "d(x*x)/dx at operand 1 = x = 3"
    assert second.local_formula == "d(x*x)/dx at operand 2 = x = 3"
    assert (first.complete, second.complete) == (False, True)
    assert second.sum == "x.grad: 3 -> 6"


def test_a_node_used_a_thousand_times_receives_a_thousand_contributions():
    x = Value(1.0, "x")
    root: Any = sum(x * k for k in range(1000))
    events = steps(root)
    received = [event for event in events if isinstance(event, Backward) and event.parent is x]
    assert len(received) == 1000
    assert received[-1].after == 499500.0


def test_nan_and_inf_are_told_as_they_are():
    x = Value(0.0, "x")
    told = " ".join(event.sentence for event in steps(log(x) * 0.0))
    assert "v1 = log(x) = log(0) = -inf" in told
    assert "f = v1*0 = -inf*0 = nan" in told
    assert "d(log(x))/dx = 1/x = 1/0 = inf" in told
    assert "local * upstream = inf * 0 = 0; x.grad: 0 -> 0" in told  # a strong zero
    told = " ".join(event.sentence for event in steps((x * x) ** 0.5))
    assert "local * upstream = 0 * inf = nan; x.grad: 0 -> nan" in told


def test_a_power_shows_the_rule_that_students_know():
    x = Value(3.0, "x")
    assert event_of(x**2, -1).local_formula == "d(x**2)/dx = 2*x = 2*3 = 6"
    assert event_of(x**3, -1).local_formula == "d(x**3)/dx = 3*x**2 = 3*3**2 = 27"


def test_a_definition_is_told_where_the_name_does_not_say_it():
    x = Value(0.0, "x")
    assert event_of(sigmoid(x), 1).definition == "1 / (1 + exp(-x))"
    assert event_of(sigmoid(x + 1.0), 3).definition == "1 / (1 + exp(-v1))"
    assert event_of(tanh(x), 1).definition == ""


def test_an_operation_of_ones_own_is_told_by_its_row():
    cube = Operation("cube", lambda x: x**3, [lambda _, x: 3 * x * x], symbol="box", definition="x ** 3")
    event = event_of(cube(Value(2.0, "x")), -1)
    assert event.local_formula == "d(cube(x))/dx = 3*x*x = 3*2*2 = 12"


def test_a_derivative_that_is_not_generic_is_told_as_its_number():
    odd = Operation("odd", math.sin, [lambda _, x: math.cos(x)])
    assert event_of(odd(Value(0.0, "x")), -1).local_formula == "d(odd(x))/dx = 1"
    branch = Operation("branch", abs, [lambda _, x: 1.0 if x > 0 else -1.0])
    assert event_of(branch(Value(2.0, "x")), -1).local_formula == "d(branch(x))/dx = 1"


def test_names_differ_where_labels_do_not():
    a, b = Value(1.0, "w"), Value(2.0, "w")
    names = {event.node: event.name for event in steps((a + b) * (a - b) * Value(3.0, "v1"))}
    assert sorted(names.values()) == ["f", "v1", "v2", "v3", "v4", "w", "w_2"]


def test_something_else_than_a_graph_is_refused():
    with pytest.raises(TypeError, match=r"root must be a Value, the output of a graph, not float: 3\.0"):
        steps(3.0)  # type: ignore[arg-type]


# Paths


def test_a_gradient_is_the_sum_over_its_paths():
    x, y = Value(3.0, "x"), Value(2.0, "y")
    f = (x + y) * x + y
    explanation = explain(f, x)
    assert [(path.product, [edge.receiver for edge in path.edges]) for path in explanation.paths] == [
        (5.0, ["v2", "x"]),
        (3.0, ["v2", "v1", "x"]),
    ]
    assert (explanation.total, explanation.gradient, explanation.remainder) == (8.0, 8.0, 0.0)
    assert str(explanation) == (
        "df/dx = 8, over 2 paths\n  f <- v2 <- x: 1 * 5 = 5\n  f <- v2 <- v1 <- x: 1 * 3 * 1 = 3"
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_sum_of_all_paths_is_the_gradient(seed):
    root, leaves = random_graph(seed)
    root.backward()
    for leaf in leaves:
        explanation = explain(root, leaf, limit=100_000)
        assert len(explanation.paths) == explanation.count
        scale = sum(abs(path.product) for path in explanation.paths)
        assert abs(explanation.total - leaf.grad) <= 1e-12 * scale


def test_paths_beyond_the_limit_are_counted_and_summed():
    x = Value(1.0, "x")
    f = x
    for _ in range(100):
        f = f * 0.75 + f * 0.25
    explanation = explain(f, x, limit=3)
    assert explanation.count == 2**100
    assert [path.product for path in explanation.paths] == [
        pytest.approx(0.75**100),
        pytest.approx(0.75**99 * 0.25),
        pytest.approx(0.75**99 * 0.25),
    ]
    assert explanation.remainder == pytest.approx(1.0 - explanation.total)
    assert f"{2**100 - 3:,} more paths, together" in str(explanation)


def test_the_root_and_a_leaf_without_influence_explain_themselves():
    x = Value(1.0, "x")
    f = x * 2.0
    assert str(explain(f, f)) == "df/df = 1, over 1 path\n  the root itself: 1"
    assert str(explain(f, x)) == "df/dx = 2, over 1 path\n  f <- x: 2"


@pytest.mark.parametrize(
    ("node", "error", "message"),
    [
        (
            Value(1.0, "stranger"),
            ValueError,
            "label='stranger'.* is not in the graph of 'f'.*choose one of x",
        ),
        (3.0, TypeError, "node must be a Value of the graph, not float: 3.0"),
    ],
)
def test_a_node_that_is_not_in_the_graph_is_refused(node, error, message):
    with pytest.raises(error, match=message):
        explain(simple(), node)


def test_an_output_that_comes_last_is_told_where_it_belongs():
    x = Value(2.0, "x")
    with pytest.raises(ValueError, match=r"the output comes first.*write explain\(output, node\)"):
        explain(x, x * x)


def test_a_constant_and_a_negative_limit_are_refused():
    f = Value(1.0, "x") * 2.0
    with pytest.raises(ValueError, match="2 is a constant, which has no gradient; choose a variable"):
        explain(f, f.parents[1])
    with pytest.raises(ValueError, match="limit must not be negative, got -1"):
        explain(f, f, limit=-1)
