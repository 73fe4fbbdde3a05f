# XOR with one hidden layer, and the perceptron that cannot learn it
from autograd import Value, group, tanh

points = [([0, 0], -1), ([0, 1], 1), ([1, 0], 1), ([1, 1], -1)]

# The perceptron's rule never comes to rest: at least one of four points stays wrong.
w, bias = [0.0, 0.0], 0.0
for _ in range(100):
    wrong = 0
    for x, label in points:
        if label * (w[0] * x[0] + w[1] * x[1] + bias) <= 0:
            w, bias = [w[0] + label * x[0], w[1] + label * x[1]], bias + label
            wrong += 1
print("perceptron, mistakes in the last of 100 epochs:", wrong)

# One hidden layer of two units, trained by plain gradient descent.
u = [Value(v, f"u{k + 1}") for k, v in enumerate([1.0, -1.0, 0.5, -1.0, 1.0, 0.5, 1.0, 1.0, 0.1])]


def network(x):
    with group("first", inside=u[0:3]):
        first = tanh(u[0] * x[0] + u[1] * x[1] - u[2])
    with group("second", inside=u[3:6]):
        second = tanh(u[3] * x[0] + u[4] * x[1] - u[5])
    return u[6] * first + u[7] * second + u[8]


for _ in range(60):
    loss = sum((network(x) - label) ** 2 for x, label in points) / 4
    for p in u:
        p.grad = 0.0
    loss.backward()
    for p in u:
        p.data -= 0.2 * p.grad
print("network:", [round(network(x).data, 3) for x, _ in points])
score = network([0, 1])
