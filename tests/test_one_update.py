"""One neuron, one hidden unit, one update - as scalars, as modules and as matrices."""

import numpy as np

from autograd import Value, maximum, relu
from nn import Neuron


def test_by_hand():
    w1, w2, w3, w4 = (Value(1.0, f"w{i}") for i in (1, 2, 3, 4))
    x1 = x2 = x3 = 1.0
    o1 = maximum(w1 * x1 + w2 * x2 + w3 * x3, 0)
    y = w4 * o1
    error = (2 - y) ** 2
    error.backward()
    assert (o1.data, y.data, error.data, w1.grad) == (3.0, 3.0, 1.0, 2.0)
    w1.data -= 0.1 * w1.grad
    assert w1.data == 0.8


def test_with_two_neurons():
    hidden, output = Neuron(3), Neuron(1, nonlin=False)
    for w in hidden.w + output.w:
        w.data = 1.0
    y = output([hidden([1.0, 1.0, 1.0])])
    error = (2 - y) ** 2
    error.backward()
    assert (y.data, error.data) == (3.0, 1.0)
    assert [w.grad for w in hidden.w] == [2.0, 2.0, 2.0]
    assert output.w[0].grad == 6.0


def test_in_matrix_form():
    w_1 = np.array([[Value(1.0), Value(1.0), Value(1.0)]])
    w_2 = np.array([[Value(1.0)]])
    o = relu(w_1 @ np.ones(3))
    (y,) = w_2 @ o
    error = (2 - y) ** 2
    error.backward()
    assert (o[0].data, y.data, error.data) == (3.0, 3.0, 1.0)
    assert [w.grad for w in w_1.flat] == [2.0, 2.0, 2.0]
