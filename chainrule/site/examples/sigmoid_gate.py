# The sigmoid gate, one rule at a time
from autograd import Value, exp

w0, x0 = Value(2), Value(-1)
w1, x1 = Value(-3), Value(-2)
w2 = Value(-3)
s = w0 * x0 + w1 * x1 + w2
f = 1 / (1 + exp(-s))
