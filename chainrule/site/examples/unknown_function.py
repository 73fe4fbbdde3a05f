# Recovering an unknown function: the first of three points
from autograd import Value, group, tanh

point, target = [4, 9, 1], 4
hidden = [[Value(0.5), Value(0.5), Value(0.5)], [Value(0.1), Value(0.1), Value(0.1)]]
biases = [Value(1.0, "b1"), Value(1.0, "b2")]
output, bias = [Value(1.0, "v1"), Value(1.0, "v2")], Value(1.0, "c")

units = []
for k in range(2):
    with group(f"unit {k + 1}", inside=[*hidden[k], biases[k]]):
        units.append(tanh(sum(w * x for w, x in zip(hidden[k], point)) + biases[k]))
prediction = output[0] * units[0] + output[1] * units[1] + bias
loss = 0.5 * (prediction - target) ** 2

loss.backward()
print("prediction", prediction.data)
print("the first unit is saturated, so its weights hear little:", hidden[0][0].grad)
print("the second is not:", hidden[1][0].grad)
