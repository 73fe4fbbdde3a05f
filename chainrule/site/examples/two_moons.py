# Two moons, trained to any step: move "steps", and open that step's backward pass
import math
import random

from nn import MLP, hinge

steps = 40
rate = 0.5

# The moons, and a small network.
points = []
for k in range(10):
    angle = math.pi * k / 9
    points.append(([math.cos(angle), math.sin(angle)], -1))
    points.append(([1 - math.cos(angle), 0.5 - math.sin(angle)], 1))
model = MLP(2, [4, 1], activation="tanh", rng=random.Random(3))


def mean_loss(net, data):
    return sum(hinge(net(x), label) for x, label in data) / len(data)


for _ in range(steps):
    loss = mean_loss(model, points)
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        p.data -= rate * p.grad

# The decision boundary as it is now: # and . are the two sides, 0 and 1 the points.
frozen = model.frozen()
for row in range(11):
    y = 1.25 - 0.2 * row
    line = ["#" if frozen([-1.4 + 0.1 * column, y]) > 0 else "." for column in range(39)]
    for x, label in points:
        if abs(x[1] - y) <= 0.1:
            line[round((x[0] + 1.4) / 0.1)] = "1" if label > 0 else "0"
    print("".join(line))
print(f"after {steps} steps: loss {mean_loss(frozen, points):.4f}")

# The backward pass of the next step, for one of the points.
loss = mean_loss(model.grouped(), points[4:5])
