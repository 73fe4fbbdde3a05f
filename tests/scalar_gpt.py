"""A GPT as users of microgpt's ``Value`` write it, for any class of that kind, and such a class."""

import math
import random
from itertools import pairwise


class Reference:
    """A scalar with its operands and the derivatives by them, swept in the order of their making."""

    def __init__(self, data, children=(), local_grads=()):
        self.data, self.grad = data, 0
        self._children, self._local_grads = children, local_grads

    def __add__(self, other):
        other = other if isinstance(other, Reference) else Reference(other)
        return Reference(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Reference) else Reference(other)
        return Reference(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power):
        return Reference(self.data**power, (self,), (power * self.data ** (power - 1),))

    def log(self):
        return Reference(math.log(self.data), (self,), (1 / self.data,))

    def exp(self):
        return Reference(math.exp(self.data), (self,), (math.exp(self.data),))

    def relu(self):
        return Reference(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((child, False) for child in node._children)
        self.grad = 1
        for node in reversed(order):
            for child, slope in zip(node._children, node._local_grads, strict=True):
                child.grad += slope * node.grad


def parameters(value, vocabulary, width, block, rng, layers=1):
    """Return the matrices by name, drawn as microgpt draws them."""

    def matrix(rows, columns):
        return [[value(rng.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]

    state = {"wte": matrix(vocabulary, width), "wpe": matrix(block, width), "out": matrix(vocabulary, width)}
    for i in range(layers):
        for name in ("wq", "wk", "wv", "wo"):
            state[f"{name}{i}"] = matrix(width, width)
        state[f"fc1{i}"], state[f"fc2{i}"] = matrix(4 * width, width), matrix(width, 4 * width)
    return state


def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]


def softmax(logits):
    largest = max(v.data for v in logits)
    powers = [(v - largest).exp() for v in logits]
    total = sum(powers)
    return [e / total for e in powers]


def rmsnorm(x):
    scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def gpt(state, heads, token, place, keys, values):
    """Return the scores of what follows a token."""
    x = rmsnorm([t + p for t, p in zip(state["wte"][token], state["wpe"][place], strict=True)])
    for i in range(len(keys)):
        before, x = x, rmsnorm(x)
        q = linear(x, state[f"wq{i}"])
        keys[i].append(linear(x, state[f"wk{i}"]))
        values[i].append(linear(x, state[f"wv{i}"]))
        read, size = [], len(q) // heads
        for start in range(0, len(q), size):
            part = slice(start, start + size)
            scores = [sum(a * b for a, b in zip(q[part], k[part], strict=True)) / size**0.5 for k in keys[i]]
            weights = softmax(scores)
            read += [
                sum(w * v[part][j] for w, v in zip(weights, values[i], strict=True)) for j in range(size)
            ]
        before = x = [a + b for a, b in zip(linear(read, state[f"wo{i}"]), before, strict=True)]
        x = [xi.relu() for xi in linear(rmsnorm(x), state[f"fc1{i}"])]
        x = [a + b for a, b in zip(linear(x, state[f"fc2{i}"]), before, strict=True)]
    return linear(x, state["out"])


def loss_of(state, heads, tokens, layers=1):
    """Return the loss of a document."""
    keys, values, losses = [[] for _ in range(layers)], [[] for _ in range(layers)], []
    for place, (token, target) in enumerate(pairwise(tokens)):
        probabilities = softmax(gpt(state, heads, token, place, keys, values))
        losses.append(-probabilities[target].log())
    return (1 / len(losses)) * sum(losses)


def train(value, documents, steps, *, vocabulary=5, width=4, block=6, heads=2, seed=42):
    """Train with Adam whose rate falls to 0; return the losses before each step."""
    state = parameters(value, vocabulary, width, block, random.Random(seed))
    params = [p for matrix in state.values() for row in matrix for p in row]
    m, v, losses = [0.0] * len(params), [0.0] * len(params), []
    for step in range(steps):
        loss = loss_of(state, heads, documents[step % len(documents)])
        loss.backward()
        rate = 0.01 * (1 - step / steps)
        for i, p in enumerate(params):
            m[i] = 0.85 * m[i] + (1 - 0.85) * p.grad
            v[i] = 0.99 * v[i] + (1 - 0.99) * p.grad**2
            p.data -= (
                rate * (m[i] / (1 - 0.85 ** (step + 1))) / ((v[i] / (1 - 0.99 ** (step + 1))) ** 0.5 + 1e-8)
            )
            p.grad = 0
        losses.append(loss.data)
    return losses
