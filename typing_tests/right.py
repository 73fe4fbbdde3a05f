"""What users write, with the types that they get: checked by mypy and pyright, never run."""

from typing import assert_type

import autograd
from autograd import Value, clamp, exp, grad, leaky_relu, maximum, where
from nn import MLP

x, y = Value(2.0, "x"), Value(3)

assert_type(exp(2.0), float)
assert_type(exp(x), Value)
assert_type(maximum(x, 1), Value)
assert_type(maximum(1.0, 2.0), float)
assert_type(where(x.greater(0.0), x, 0.0), Value)
assert_type(clamp(x, min=0.0), Value)
assert_type(leaky_relu(x, negative_slope=0.1), Value)

assert_type(x + y, Value)
assert_type(2 * x, Value)
assert_type(1 / x, Value)
assert_type(x**2, Value)
assert_type(-x, Value)
assert_type(abs(x), Value)
assert_type(x % 2, Value)
assert_type(x < 1, bool)
assert_type(x >= y, bool)
assert_type(x > 1.0, bool)
assert_type(x == y, bool)
assert_type(x.tanh(), Value)
assert_type(x.clamp(max=1.0), Value)
assert_type(x.maximum(y).relu(), Value)
assert_type(x.data, float)
assert_type(x.grad, float)
assert_type(x.label, str)
assert_type(x.parents, tuple[Value, ...])
x.backward()

drawing = autograd.draw_dot(x * y, format="png", rankdir="TB")
drawing.save("graph.svg")
slope = grad(lambda t: t * t)(3.0)
model = MLP(2, [3, 1], activation="tanh")
