# One neuron, one hidden unit, one update
from autograd import Value, maximum

w1, w2, w3, w4 = Value(1), Value(1), Value(1), Value(1)
x1, x2, x3 = 1, 1, 1
target, rate = 2, 0.1

o1 = maximum(w1 * x1 + w2 * x2 + w3 * x3, 0)
y = w4 * o1
error = (target - y) ** 2

error.backward()
print("d error / d w1 =", w1.grad)
print("w1 after one update:", w1.data - rate * w1.grad)
