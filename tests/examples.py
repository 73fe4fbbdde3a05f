"""Graphs that the tests of the stepper share."""

import math
import random

from autograd import Value, exp, group
from tests.graphs import structured, unstructured


def simple():
    """f = (x + y) z."""
    x, y, z = Value(-2, "x"), Value(5, "y"), Value(-4, "z")
    q = x + y
    q.label = "q"
    f = q * z
    f.label = "f"
    return f


def sigmoid_gate():
    """f = 1 / (1 + exp(-(w0 x0 + w1 x1 + w2))), each gate named."""
    w0, x0, w1, x1, w2 = (Value(v, n) for v, n in ((2, "w0"), (-1, "x0"), (-3, "w1"), (-2, "x1"), (-3, "w2")))
    a = w0 * x0
    b = w1 * x1
    c = a + b
    s = c + w2
    n = -s
    u = exp(n)
    v = 1 + u
    f = 1 / v
    for node, name in ((a, "a"), (b, "b"), (c, "c"), (s, "s"), (n, "n"), (u, "u"), (v, "v"), (f, "f")):
        node.label = name
    return f


def grouped():
    """The sigmoid gate: a neuron, in which a sigmoid."""
    w0, x0, w1, x1, w2 = (Value(v, n) for v, n in ((2, "w0"), (-1, "x0"), (-3, "w1"), (-2, "x1"), (-3, "w2")))
    with group("neuron", inside=[w0, w1, w2]):
        s = w0 * x0 + w1 * x1 + w2
        s.label = "s"
        with group("sigmoid"):
            f = 1 / (1 + exp(-s))
    f.label = "f"
    return f


def random_graph(seed):
    """Record a random program of the table's rows."""
    rng = random.Random(seed)
    program = structured(rng) if seed % 4 == 0 else unstructured(rng, 20)
    leaves = [Value(number) for number in program.inputs]
    return program(*leaves), leaves


def same(a, b):
    """Tell whether two numbers are equal, as nan is to nan; -0.0 is 0.0."""
    return a == b or (math.isnan(a) and math.isnan(b))
