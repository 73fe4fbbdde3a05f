# Backpropagation, derived and checked
from autograd import Value, group, sigmoid

i = [Value(0.3, "i1"), Value(-0.8, "i2")]
w = [[Value(0.5, "w11"), Value(-0.4, "w12")], [Value(0.9, "w21"), Value(0.1, "w22")]]
v = [Value(0.7, "v1"), Value(-0.6, "v2")]
b, c = [Value(0.1, "b1"), Value(-0.2, "b2")], Value(0.05, "c")
t = 1.0

o = []
for j in range(2):
    with group(f"hidden {j + 1}", inside=[*w[j], b[j]]):
        o.append(sigmoid(w[j][0] * i[0] + w[j][1] * i[1] + b[j]))
    o[j].label = f"o{j + 1}"
with group("output", inside=[*v, c]):
    out = sigmoid(v[0] * o[0] + v[1] * o[1] + c)
E = 0.5 * (out - t) ** 2
E.backward()

delta = (out.data - t) * out.data * (1 - out.data)
print("delta of the output:", delta, "and the engine's gradient of its bias:", c.grad)
for j in range(2):
    hidden = o[j].data * (1 - o[j].data) * delta * v[j].data
    print(f"delta of hidden {j + 1}:", hidden, "and the engine's:", b[j].grad)
