# Two moons, trained live: press Train, stop at any step, and walk through its backward pass
import math
import random

from chainrule.site.training import Training
from nn import MLP, hinge

rate = 0.3
batch = 5

# Two moons of 20 points each.
points, labels = [], []
for k in range(20):
    angle = math.pi * k / 19
    points += [[math.cos(angle), math.sin(angle)], [1 - math.cos(angle), 0.5 - math.sin(angle)]]
    labels += [-1, 1]
model = MLP(2, [8, 1], activation="tanh", rng=random.Random(3))


def steps():
    net = model.grouped()  # the same parameters; the graph is drawn in groups
    for step in range(1000):
        chosen = random.sample(range(40), batch)
        loss = sum(hinge(net(points[k]), labels[k]) for k in chosen) / batch
        yield loss  # here the page stops: it is the graph of this very step
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= rate * p.grad


Training(steps(), model, points, labels)
