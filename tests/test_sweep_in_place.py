"""The fast loop of ``backward`` is the plain sweep: the same numbers, refusals and promises."""
# ruff: noqa: ARG001, ARG005 - derivatives have the arguments of their row, used or not

import math
import random
import threading

import pytest

from autograd import Operation, Value, ops, topological_order
from autograd.node import order_in_place
from autograd.sweeping import sweep
from tests.graphs import structured, unstructured
from tests.poles import under_selections


def swept_plainly(root):
    return sweep(topological_order(root), {root: 1.0})


def same_bits(a, b):
    return (math.isnan(a) and math.isnan(b)) or a.hex() == b.hex()


DRAWN = {
    "unstructured": lambda rng: unstructured(rng, 80),
    "with ties": lambda rng: unstructured(rng, 80, ties=True),
    "structured": structured,
    "under selections": under_selections,
}


@pytest.mark.parametrize("drawn", DRAWN)
def test_it_gives_every_node_the_adjoint_of_the_plain_sweep(drawn):
    for seed in range(150 if drawn == "under selections" else 40):
        program = DRAWN[drawn](random.Random(seed))
        leaves = [Value(x) for x in program.inputs]
        root = program(*leaves)
        adjoints = swept_plainly(root)
        root.backward()
        for node in topological_order(root):
            if node in adjoints and not node.is_constant:
                assert same_bits(node.grad + 0.0, adjoints[node] + 0.0), (seed, node)


def test_it_visits_nodes_in_the_order_of_the_plain_sweep():
    for seed in range(40):
        program = unstructured(random.Random(seed), 60)
        root = program(*map(Value, program.inputs))
        order, leaves = order_in_place([root])
        both = topological_order(root)
        assert order == [node for node in both if node.op is not None]
        assert leaves == [node for node in both if node.op is None and not node.is_constant]


def test_it_refuses_exactly_the_stale_graphs():
    refused = 0
    for seed in range(300):
        rng = random.Random(seed)
        program = unstructured(rng, 12)
        leaves = [Value(x) for x in program.inputs]
        nodes = list(leaves)
        for line in program.lines:
            if rng.random() < 0.05:
                changed = rng.choice(nodes)
                changed.data = changed.data
            arguments = [nodes[a] if isinstance(a, int) else a for a in line.arguments]
            nodes.append(line.operation(*arguments))
        root = nodes[-1]
        if rng.random() < 0.2:
            leaves[0].data = 1.0
        stale = any(p._time > node._time for node in topological_order(root) for p in node.parents)
        refused += stale
        if stale:
            with pytest.raises(RuntimeError, match="was assigned after"):
                root.backward()
            assert all(leaf.grad == 0.0 for leaf in leaves)
        else:
            root.backward()
    assert 30 < refused < 270


def test_it_goes_by_the_rows_as_they_are(monkeypatch):
    x, y = Value(3.0), Value(5.0)
    monkeypatch.setattr(ops.mul, "derivatives", (lambda z, x, y: 10.0, lambda z, x, y: 20.0))
    monkeypatch.setattr(ops.add, "derivatives", (lambda z, x, y: 1.0, lambda z, x, y: 2.0))
    (x * y + y).backward()
    assert (x.grad, y.grad) == (10.0, 22.0)


def test_a_derivative_that_fails_or_is_interrupted_changes_no_leaf():
    for error in (ZeroDivisionError, KeyboardInterrupt):

        def fail(z, x, error=error):
            raise error

        bad = Operation("bad", lambda x: x, [fail])
        x, y = Value(2.0), Value(3.0)
        for _ in range(2):  # and the next sweep is not disturbed
            with pytest.raises(error):
                (bad(x * y) + y).backward()
            assert (x.grad, y.grad) == (0.0, 0.0)
        (x * y).backward()
        assert (x.grad, y.grad) == (3.0, 2.0)


def test_a_derivative_may_sweep_the_graph_that_is_being_swept():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    inner = x * y

    def nested(z, x):
        inner.backward()
        return 10.0

    row = Operation("row", lambda x: x, [nested])
    (row(inner) + inner * x).backward()
    # the outer sweep: 10 through the row, x = 2 through the product; the inner one: 1
    assert y.grad == (10.0 + 2.0) * 2.0 + 2.0
    assert x.grad == (10.0 + 2.0) * 3.0 + 6.0 + 3.0


def test_threads_that_sweep_one_graph_add_up():
    x, y = Value(1.5), Value(0.5)
    root = sum((x * y + k) * x for k in range(300))
    root.backward()
    once = (x.grad, y.grad)
    x.grad = y.grad = 0.0
    threads = [threading.Thread(target=root.backward) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad == pytest.approx(16 * once[0], rel=1e-12)
    assert y.grad == pytest.approx(16 * once[1], rel=1e-12)


def test_a_leaf_or_a_constant_alone():
    x = Value(2.0)
    x.backward(3.0)
    assert x.grad == 3.0
    (x.detach() * 2.0 + 1.0).backward()
    assert x.grad == 3.0
