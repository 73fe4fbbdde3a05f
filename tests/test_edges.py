"""The conventions at the edges, one test per point: kinks and ties as in PyTorch, IEEE values at poles."""

import math

import pytest

from autograd import Value, grad, ops
from autograd.row import Operation

inf, nan = math.inf, math.nan

EDGES = [
    # operation, arguments, value, derivatives (None: not an argument of the convention)
    ("relu", (0.0,), 0.0, (0.0,)),
    ("relu", (-0.0,), 0.0, (0.0,)),
    ("relu", (nan,), nan, (1.0,)),
    ("abs", (0.0,), 0.0, (0.0,)),
    ("abs", (-0.0,), 0.0, (0.0,)),
    ("maximum", (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("minimum", (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("maximum", (nan, 1.0), nan, (1.0, 1.0)),
    ("maximum", (1.0, nan), nan, (1.0, 1.0)),
    ("minimum", (nan, 1.0), nan, (1.0, 1.0)),
    ("minimum", (1.0, nan), nan, (1.0, 1.0)),
    ("clamp", (-1.0, -1.0, 1.0), -1.0, (1.0, 0.0, 0.0)),
    ("clamp", (1.0, -1.0, 1.0), 1.0, (1.0, 0.0, 0.0)),
    ("clamp", (0.0, 2.0, 1.0), 1.0, (0.0, 0.0, 1.0)),
    ("clamp", (0.0, 1.0, 1.0), 1.0, (0.0, 0.0, 0.0)),
    ("clamp", (1.0, 2.0, 1.0), 1.0, (0.0, 0.0, 1.0)),
    ("clamp", (nan, 2.0, 1.0), nan, (0.0, 0.0, 1.0)),
    ("clamp", (3.0, nan, 1.0), nan, (0.0, 0.0, 1.0)),
    ("greater", (1.0, 2.0), 0.0, (0.0, 0.0)),
    ("greater_equal", (2.0, 2.0), 1.0, (0.0, 0.0)),
    ("less", (1.0, 2.0), 1.0, (0.0, 0.0)),
    ("less_equal", (3.0, 2.0), 0.0, (0.0, 0.0)),
    ("leaky_relu", (0.0, 0.3), 0.0, (0.3, None)),
    ("leaky_relu", (-0.0, 0.3), -0.0, (0.3, -0.0)),
    ("elu", (0.0, 1.0), 0.0, (1.0, None)),
    ("elu", (0.0, 2.0), 0.0, (2.0, 0.0)),
    ("elu", (-0.0, 2.0), -0.0, (2.0, -0.0)),
    ("pow", (0.0, 0.0), 1.0, (0.0, 0.0)),
    ("pow", (0.0, -1.0), inf, (-inf, -inf)),
    ("pow", (2.0, 0.0), 1.0, (0.0, math.log(2.0))),
    ("pow", (inf, 0.0), 1.0, (0.0, inf)),
    ("pow", (-2.0, 3.0), -8.0, (12.0, nan)),
    ("pow", (1e200, 2.0), inf, (2e200, None)),
    ("pow", (-2.0, 0.5), nan, (nan, nan)),
    ("log", (0.0,), -inf, (inf,)),
    ("log", (-0.0,), -inf, (-inf,)),
    ("log", (-1.0,), nan, (-1.0,)),
    ("sqrt", (0.0,), 0.0, (inf,)),
    ("sqrt", (-0.0,), -0.0, (-inf,)),
    ("div", (1.0, 0.0), inf, (inf, -inf)),
    ("div", (0.0, 0.0), nan, (inf, nan)),
    ("sigmoid", (1000.0,), 1.0, (0.0,)),
    ("sigmoid", (-1000.0,), 0.0, (0.0,)),
    ("softplus", (1000.0,), 1000.0, (1.0,)),
    ("hypot", (0.0, 0.0), 0.0, (nan, nan)),
    ("atan2", (0.0, 0.0), 0.0, (0.0, -0.0)),
    ("exp", (710.0,), inf, (inf,)),
    ("exp", (-746.0,), 0.0, (0.0,)),
    ("sign", (0.0,), 0.0, (0.0,)),
    ("sign", (nan,), nan, (0.0,)),
    ("cbrt", (0.0,), 0.0, (inf,)),
    ("sinh", (-1000.0,), -inf, (inf,)),
    ("acosh", (1.0,), 0.0, (inf,)),
    ("atanh", (1.0,), inf, (inf,)),
    ("log1p", (-1.0,), -inf, (inf,)),
    ("tanh", (400.0,), 1.0, (0.0,)),
    ("silu", (-inf,), -0.0, (None,)),
    ("erfc", (-inf,), 2.0, (-0.0,)),
    ("erfc", (inf,), 0.0, (-0.0,)),
    ("normal_cdf", (-inf,), 0.0, (0.0,)),
    ("normal_cdf", (inf,), 1.0, (0.0,)),
    ("gelu", (-0.0,), -0.0, (0.5,)),
    ("gelu", (-inf,), -0.0, (None,)),
    ("gelu", (inf,), inf, (None,)),
    ("gelu", (-5e-324,), -0.0, (0.5,)),
    ("gauss", (1.0, -0.0), -0.0, (0.0, None)),
    ("gauss", (30.0, 1.7e308), 2.3196112610216605e-83, (None, 0.0)),
    ("gauss", (30.0, inf), inf, (-inf, 0.0)),
    ("where", (nan, 1.0, 2.0), 1.0, (0.0, 1.0, 0.0)),  # nan is true, as in Python
    ("where", (-0.0, 1.0, 2.0), 2.0, (0.0, 0.0, 1.0)),
]


def same(actual: float, expected: float) -> bool:
    """Equal down to the sign of zero, and nan equal to nan."""
    if math.isnan(expected):
        return math.isnan(actual)
    return actual == expected and math.copysign(1.0, actual) == math.copysign(1.0, expected)


@pytest.mark.parametrize(
    ("name", "arguments", "value", "derivatives"), EDGES, ids=[f"{edge[0]}{edge[1]}" for edge in EDGES]
)
def test_the_convention_holds(name, arguments, value, derivatives):
    row: Operation = ops.TABLE[name]
    leaves = [Value(x) for x in arguments]
    node = row(*leaves)
    node.backward()
    assert same(row(*arguments), value)
    assert same(node.data, value)
    for leaf, local, expected in zip(leaves, node.local_derivatives, derivatives, strict=True):
        if expected is not None:
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
