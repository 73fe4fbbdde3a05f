"""Copies of graphs: independent, working, at any depth."""
# ruff: noqa: ARG005 - derivatives have the arguments of their row, used or not

import copy
import pickle

import pytest

from autograd import Value, exp, grad, log, no_grad, operation, topological_order


def by_pickle(thing):
    return pickle.loads(pickle.dumps(thing))


COPIES = pytest.mark.parametrize("copied", [copy.deepcopy, by_pickle])


def make():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    q = exp(x * y) / (1 + x.clamp(0.0, 9.0)) - 2 * x
    q.label = "q"
    f = q * q + log(y)
    return x, y, q, f


@COPIES
def test_a_copy_has_the_same_numbers_labels_and_structure(copied):
    *_, f = make()
    f.backward()
    twin = copied(f)
    original, copies = topological_order(f), topological_order(twin)
    assert len(original) == len(copies)
    for node, other in zip(original, copies, strict=True):
        assert node is not other
        assert (node.data, node.grad, node.label, node.op, type(node)) == (
            other.data,
            other.grad,
            other.label,
            other.op,
            type(other),
        )
        positions = [original.index(parent) for parent in node.parents]
        assert positions == [copies.index(parent) for parent in other.parents]


@COPIES
def test_a_copy_is_independent_and_works(copied):
    x, y, q, f = make()
    x2, y2, f2 = copied((x, y, f))
    f2.backward()
    assert (x.grad, y.grad, q.grad) == (0.0, 0.0, 0.0)
    f.backward()
    assert (x2.grad, y2.grad) == (x.grad, y.grad)
    x2.data = 7.0
    assert x.data == 2.0
    (f2 * x2.detach()).data  # noqa: B018 - new operations on the copy work


@COPIES
def test_two_graphs_copied_together_share_their_leaves(copied):
    x = Value(2.0)
    a, b = copied([exp(x), x * x])
    assert a.parents[0] is b.parents[0]


def test_a_deep_copy_shares_interior_nodes_as_well():
    x = Value(2.0)
    h = exp(x)
    h2, a2, b2 = copy.deepcopy((h, h * 2, h + 1))
    assert a2.parents[0] is b2.parents[0] is h2


@COPIES
def test_a_graph_of_ten_thousand_nodes_is_copied_without_recursion(copied):
    x = Value(0.5)
    y = x
    for _ in range(5_000):
        y = (y * 0.5).sin()
    twin = copied(y)
    twin.backward()
    y.backward()
    assert topological_order(twin)[0].grad == x.grad


@COPIES
def test_the_copy_of_a_stale_graph_is_stale_and_of_a_fresh_one_fresh(copied):
    x = Value(1.0)
    x.data = 2.0
    fresh = x * 3.0 + 1.0
    assert copied(fresh).backward() is None
    x.data = 5.0
    with pytest.raises(RuntimeError, match="was assigned after"):
        copied(fresh).backward()


@COPIES
def test_constants_stay_constants(copied):
    x = Value(3.0)
    with no_grad():
        c = x * x
    twin = copied(c * x)
    twin.backward()
    assert [parent.grad for parent in twin.parents] == [0.0, 9.0]


@COPIES
def test_a_copy_can_be_differentiated_to_any_order(copied):
    assert grad(grad(lambda x: copied(x * x * x)))(2.0) == 0.0  # a copy no longer depends on the original x
    x = Value(2.0)
    twin = copied([x, x * x * x])
    slope = grad(lambda y: y * twin[1])(1.0)
    slope.backward()
    assert twin[0].grad == 12.0


@operation(lambda z, x: 3 * x * x, definition="x ** 3")
def cube(x):
    return x * x * x


@COPIES
def test_operations_of_ones_own_are_copied_by_name(copied):
    assert copied(cube(Value(2.0))).op is cube


def test_a_shallow_copy_of_a_leaf_is_a_new_leaf():
    x = Value(2.0, "x")
    y = copy.copy(x)
    assert y is not x
    assert (y.data, y.label) == (2.0, "x")


class Weight(Value):
    """A user's own kind of Value."""

    history: list[float]


@COPIES
def test_a_users_own_kind_of_value_is_copied_with_what_it_carries(copied):
    w = Weight(3.0, "w")
    w.history = [1.0]
    for twin in (copied(w), copied(2.0 * w).parents[1]):
        assert type(twin) is Weight
        assert (twin.data, twin.label, twin.history) == (3.0, "w", [1.0])
        assert twin.history is not w.history
