# A GPT from scalars: one head of attention
import random

from autograd import Value, exp, group

width = 3


def draw(name):
    return [[Value(random.gauss(0, 0.5), f"{name}{i}{j}") for j in range(width)] for i in range(width)]


query, key, value = draw("q"), draw("k"), draw("v")
tokens = [[0.9, -0.3, 0.2], [-0.5, 0.8, 0.1], [0.3, 0.4, -0.9]]  # what the positions hold so far


def times(matrix, vector, name):
    with group(name, inside=[w for row in matrix for w in row]):
        return [sum(w * x for w, x in zip(row, vector)) for row in matrix]


q = times(query, tokens[-1], "query")  # the last position looks at all of them
with group("scores"):
    scores = [
        sum(a * b for a, b in zip(q, times(key, token, f"key {t}"))) / width**0.5
        for t, token in enumerate(tokens)
    ]
with group("softmax"):
    powers = [exp(score) for score in scores]
    total = sum(powers)
    weights = [power / total for power in powers]
for t, weight in enumerate(weights):
    weight.label = f"weight {t}"
values = [times(value, token, f"value {t}") for t, token in enumerate(tokens)]
with group("mix"):
    attended = sum(weight * each[0] for weight, each in zip(weights, values))
