# Jacobians, and the chain rule as their product
from autograd import Value, exp, jacobian, sin


def f(x):
    return [x[0] * x[1], sin(x[0]), x[1] ** 2]


def g(y):
    return [y[0] + y[1] * y[2], exp(-y[0])]


x = [0.5, -1.2]
Jf, Jg = jacobian(f)(x), jacobian(g)(f(x))
product = [[sum(Jg[i][k] * Jf[k][j] for k in range(3)) for j in range(2)] for i in range(2)]
print("Jg Jf      =", product)
print("J of g o f =", jacobian(lambda x: g(f(x)))(x))

# One row of it, step by step: the first output of g o f.
a, b = Value(x[0]), Value(x[1])
h = g(f([a, b]))[0]
