# A multi-layer perceptron: one point, one hinge loss
from nn import MLP, hinge, l2

model = MLP(2, [4, 4, 1])
x, label = [1.0, -0.5], 1

score = model.grouped()(x)
loss = hinge(score, label)

regularised = hinge(model(x), label) + l2(model.parameters(), 0.01)
regularised.backward()
print(f"{len(model.parameters())} parameters, loss with L2 {regularised.data:.6f}")
for p in model.parameters():
    p.data -= 0.1 * p.grad
again = hinge(model(x), label) + l2(model.parameters(), 0.01)
print(f"after a step of 0.1 against the gradient: {again.data:.6f}")
for p in model.parameters():
    p.data += 0.1 * p.grad  # back, so that the graph above is as it was
loss = hinge(model.grouped()(x), label)
