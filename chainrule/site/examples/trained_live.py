# Two moons, trained live
# Press Train. Stop at any step, and walk through the backward pass of that very step.
import math
import random

from autograd import softplus
from chainrule.site.training import Training
from nn import MLP

rate = 0.5
points, labels = [], []
for k in range(20):
    angle = math.pi * k / 19
    points += [[math.cos(angle), math.sin(angle)], [1 - math.cos(angle), 0.5 - math.sin(angle)]]
    labels += [-1, 1]
model = MLP(2, [5, 1], activation="tanh", rng=random.Random(1))


def steps():
    net = model.grouped()  # the same parameters; its graph is drawn in groups
    for _ in range(3000):
        k = random.randrange(len(points))
        loss = softplus(-labels[k] * net(points[k]))  # cross-entropy
        yield loss  # before the parameters change: here one can stop
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= rate * p.grad


Training(steps(), model, points, labels)
