# The micrograd demonstration, one of its points
import random

from autograd import relu
from nn import MLP

random.seed(1337)
model = MLP(2, [16, 16, 1])
point, label = [1.1211, 0.4567], 1

score = model.grouped()(point)
margin = relu(1 - label * score)
print(len(model.parameters()), "parameters, in groups: a click on a group opens it")
loss = margin + 1e-4 * sum(p * p for p in model.layers[-1].parameters())
