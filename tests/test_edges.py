"""The conventions at the edges, one test per edge: kinks and ties as in PyTorch, IEEE values at poles."""

import math

import pytest

from autograd import Value, grad, ops
from tests.rows import same

inf, nan = math.inf, math.nan

EDGES = [(row, *edge) for row in ops.TABLE.values() for edge in row.edges]


@pytest.mark.parametrize(
    ("row", "arguments", "value", "derivatives"), EDGES, ids=[f"{edge[0].name}{edge[1]}" for edge in EDGES]
)
def test_the_convention_holds(row, arguments, value, derivatives):
    leaves = [
        x if name in row.constants else Value(x) for name, x in zip(row.arguments, arguments, strict=True)
    ]
    node = row(*leaves)
    node.backward()
    assert same(row(*arguments), value)
    assert same(node.data, value)
    for leaf, local, expected in zip(leaves, node.local_derivatives, derivatives, strict=True):
        if expected is not None and isinstance(leaf, Value):
            assert same(local(), expected)
            # Adding to a leaf's 0.0 loses the sign of a zero, as in every engine.
            assert same(leaf.grad, expected + 0.0)


def test_the_constant_function_x_to_the_0_has_derivative_0_at_0():
    x = Value(0.0)
    y = x**0
    y.backward()
    assert (y.data, x.grad) == (1.0, 0.0)


def test_the_second_derivative_of_elu_at_0_is_its_left_one():
    assert grad(grad(lambda x: ops.elu(x, 2.0)))(0.0) == 2.0
    assert grad(grad(lambda x: ops.elu(x, 2.0)))(1e-9) == 0.0


def test_one_over_zero_by_its_denominator_alone():
    y = Value(0.0)
    z = 1 / y
    z.backward()
    assert (z.data, y.grad) == (inf, -inf)


def test_a_squared_overflow_keeps_its_derivative():
    x = Value(1e200)
    y = x**2
    y.backward()
    assert (y.data, x.grad) == (inf, 2e200)


@pytest.mark.parametrize("name", ["abs", "relu", "leaky_relu", "elu", "maximum", "minimum", "clamp"])
def test_kinks_and_ties_agree_with_pytorch(name):
    row = ops.TABLE[name]
    torch = pytest.importorskip("torch")
    function = getattr(torch, row.name, None) or getattr(torch.nn.functional, row.name)
    for x in (0.0, 1.0, -1.0):
        arguments = (x, *row.defaults) if row.defaults else (x,) * row.arity
        count = 1 if row.defaults else row.arity
        tensors = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arguments[:count]]
        function(*tensors, *arguments[count:]).backward()
        leaves = [Value(a) for a in arguments[:count]]
        row(*leaves, *arguments[count:]).backward()
        assert [leaf.grad for leaf in leaves] == [t.grad.item() for t in tensors]
