# The sigmoid as a single gate
from autograd import Value, sigmoid

w0, x0 = Value(2), Value(-1)
w1, x1 = Value(-3), Value(-2)
w2 = Value(-3)
f = sigmoid(w0 * x0 + w1 * x1 + w2)
