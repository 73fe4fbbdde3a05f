# Set up a graph, then feed values
from autograd import Value, sigmoid

w, b = Value(1.5), Value(-0.5)


def graph(x):
    return sigmoid(w * x + b)


# Move a slider of w or b, or add a value here: each travels through the same graph.
for x in [-2.0, 0.0, 2.0]:
    w.grad = b.grad = 0.0
    out = graph(x)
    out.backward()
    print(f"x = {x:4}: output {out.data:.4f}, d/dw {w.grad:.4f}, d/db {b.grad:.4f}")
