"""Programs for microgpt's ``Value`` run here when the import is changed."""

import copy
import math
import pickle
import random

import pytest

import autograd
from autograd import Value
from tests.scalar_gpt import Reference, train

DOCUMENTS = [[4, 0, 1, 2, 4], [4, 3, 3, 4], [4, 2, 0, 2, 1, 0, 4]]


@pytest.mark.parametrize("steps", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_a_program_for_it_has_the_same_losses_over_many_steps_of_adam(steps):
    expected = train(Reference, DOCUMENTS, steps)
    assert train(Value, DOCUMENTS, steps) == pytest.approx(expected, rel=0, abs=1e-12)
    assert expected[-1] < 0.9 * expected[0]


OPERATORS = {
    "x + y": lambda x, y: x + y,
    "2 + x": lambda x, y: 2 + x * y,
    "x - y": lambda x, y: x - y,
    "2 - x": lambda x, y: 2 - x * y,
    "-x": lambda x, y: -x * y,
    "x * 2": lambda x, y: x * 2 * y,
    "x / y": lambda x, y: x / y,
    "2 / x": lambda x, y: 2 / x + y,
    "x ** -0.5": lambda x, y: (x * y) ** -0.5,
    "exp": lambda x, y: (x * y).exp(),
    "log": lambda x, y: (x * y).log(),
    "relu": lambda x, y: (x - y).relu() + (y - x).relu(),
    "sum": lambda x, y: sum([x, y, x * y]),
    "softmax's max": lambda x, y: (x - max(v.data for v in [x, y])).exp() + y,
    "a node used twice": lambda x, y: (x * x + y) * (x * x),
    "random.choices' weights": lambda x, y: random.choices([x, y], weights=[x.data, 0.0])[0],
}


@pytest.mark.parametrize("name", OPERATORS)
def test_each_operator_agrees(name):
    results = []
    for kind in (Reference, Value):
        x, y = kind(1.75), kind(0.6)
        z = OPERATORS[name](x, y)
        z.backward()
        z.backward() if z is x else None  # a leaf accumulates in both
        results.append((z.data, x.grad if z is not x else 0, y.grad))
    assert results[1] == pytest.approx(results[0], rel=1e-14)


def tanh(kind, x):
    """Return an operation of one's own, as microgpt's readers add it."""
    t = math.tanh(x.data)
    return kind(t, (x,), (1 - t**2,))


def triple(kind, x, y, z):
    return kind(x.data * y.data * z.data, (x, y, z), (y.data * z.data, x.data * z.data, x.data * y.data))


@pytest.mark.parametrize(
    "program",
    [
        lambda kind, x, y: tanh(kind, x * y) * y,
        lambda kind, x, y: triple(kind, x, y, tanh(kind, x)),
        lambda kind, x, y: kind(x.data + y.data, (x, y), (1, 1)) * x,
        lambda kind, x, y: kind(x.data, children=(x,), local_grads=(1.0,)) + y,
        lambda kind, x, y: kind(2.0, ()) * x * kind(3.0, (), ()) * y,
    ],
)
def test_nodes_that_the_program_makes_itself(program):
    results = []
    for kind in (Reference, Value):
        x, y = kind(0.3), kind(-1.2)
        z = program(kind, x, y)
        z.backward()
        results.append((z.data, x.grad, y.grad))
    assert results[1] == pytest.approx(results[0], rel=1e-14)


def test_copies_of_such_nodes_are_swept_as_well():
    x = Value(0.3)
    z = tanh(Value, x * 2.0) * 3.0
    for twin in (copy.deepcopy(z), pickle.loads(pickle.dumps(z))):
        twin.backward()
        (leaf,) = (n for n in autograd.topological_order(twin) if n.op is None and not n.is_constant)
        assert leaf.grad == pytest.approx(6.0 * (1 - math.tanh(0.6) ** 2), rel=1e-15)


def test_of_a_node_known_at_one_point_only_nothing_is_made_up():
    def square(x):
        return Value(x.data**2, (x,), (2 * x.data,)) * 3.0

    x = Value(3.0)
    assert autograd.grad(square)(2.0) == 12.0
    for engine in ("auto", "numpy"):
        with pytest.raises(ValueError, match=r"only these numbers are known.*@autograd.operation"):
            autograd.compile(square(x), inputs=[x], engine=engine)
    with pytest.raises(ValueError, match="differentiated twice"):
        autograd.grad(autograd.grad(square))(2.0)


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ((3.0, (Value(1.0),)), ValueError, "a local derivative for each child, got 0 for 1"),
        ((3.0, (Value(1.0),), (1.0, 2.0)), ValueError, "got 2 for 1"),
        ((3.0, "x", (1.0,)), ValueError, "got 1 for 0"),
        ((3.0, (2.0,), (1.0,)), TypeError, "a child is a Value, not float: 2.0"),
        ((3.0, (Value(1.0),), ("a",)), TypeError, "needs a real number, got str"),
    ],
)
def test_children_and_derivatives_that_do_not_fit_are_refused(arguments, kind, said):
    with pytest.raises(kind, match=said):
        Value(*arguments)
