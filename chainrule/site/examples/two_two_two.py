# A 2-2-2 network with printed numbers
from autograd import Value, group, sigmoid

inputs, targets, rate = [0.05, 0.10], [0.01, 0.99], 0.5
w = [Value(x, f"w{k + 1}") for k, x in enumerate([0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55])]


def neuron(name, weights, bias, values):
    with group(name, inside=weights):
        out = sigmoid(weights[0] * values[0] + weights[1] * values[1] + bias)
    out.label = name
    return out


h = [neuron("h1", w[0:2], 0.35, inputs), neuron("h2", w[2:4], 0.35, inputs)]
o = [neuron("o1", w[4:6], 0.60, h), neuron("o2", w[6:8], 0.60, h)]
E = 0.5 * (targets[0] - o[0]) ** 2 + 0.5 * (targets[1] - o[1]) ** 2

E.backward()
print("outputs", o[0].data, o[1].data, "error", E.data)
print("dE/dw5", w[4].grad, "dE/dw1", w[0].grad)
print("after one update:", [round(weight.data - rate * weight.grad, 9) for weight in w])
