"""The programs that are timed: scalar code, written once for every engine that overloads operators.

A workload's program takes a sequence of numbers, of whatever type, and the functions of that type.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn import digits, two_moons

Floats = NDArray[np.float64]
Step = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True)
class Functions:
    """What a number type offers besides operators."""

    relu: Callable[[Any], Any]
    tanh: Callable[[Any], Any]
    sin: Callable[[Any], Any]
    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]


@dataclass(frozen=True)
class Workload:
    """A program of one scalar result.

    Attributes:
        name: what the table calls it.
        point: the numbers to differentiate at, of shape (n,).
        program: scalar code.
        by_hand: the same in NumPy, with its gradient, as one would write it by hand; where one would.
    """

    name: str
    point: Floats
    program: Callable[[Sequence[Any], Functions], Any]
    by_hand: Step | None = None


def uniform(n: int, seed: int = 0) -> Floats:
    """Return so many numbers between -1 and 1."""
    return np.random.default_rng(seed).uniform(-1.0, 1.0, n)


def neurons(v: Sequence[Any], start: int, nin: int, nout: int) -> list[tuple[Sequence[Any], Any]]:
    """Return the weights and the bias of each neuron of a layer, in the order of ``MLP.parameters()``."""
    size = nin + 1
    return [(v[i : i + nin], v[i + nin]) for i in range(start, start + nout * size, size)]


def dense(layer: list[tuple[Sequence[Any], Any]], x: Sequence[Any]) -> list[Any]:
    """Return what the neurons of a layer add up, before any activation."""
    return [sum((w * a for w, a in zip(ws, x, strict=True)), b) for ws, b in layer]


# Micrograd's demonstration ----------------------------------------------------------------------------------


def moons() -> tuple[Floats, Floats]:
    """Return the 100 points of micrograd's demonstration and their labels, -1 and 1."""
    X, y = two_moons(100, noise=0.1, random_state=1337)
    return X, 2.0 * y - 1.0


def micrograd_demo() -> Workload:
    """The micrograd demonstration: a 2-16-16-1 network, hinge loss, weight decay."""
    X, y = moons()
    rows, labels = X.tolist(), y.tolist()

    def program(v: Sequence[Any], f: Functions) -> Any:
        first, second, last = neurons(v, 0, 2, 16), neurons(v, 48, 16, 16), neurons(v, 320, 16, 1)
        losses = []
        for row, label in zip(rows, labels, strict=True):
            hidden = [f.relu(z) for z in dense(first, row)]
            hidden = [f.relu(z) for z in dense(second, hidden)]
            losses.append(f.relu(1.0 - label * dense(last, hidden)[0]))
        return sum(losses) / len(rows) + 1e-4 * sum(v[i] * v[i] for i in range(337))

    def by_hand(p: Floats) -> tuple[float, Floats]:
        g = 2e-4 * p
        (w1, b1), (w2, b2), (w3, b3) = split(p)
        (dw1, db1), (dw2, db2), (dw3, db3) = split(g)
        a1 = X @ w1.T + b1
        h1 = np.maximum(a1, 0.0)
        a2 = h1 @ w2.T + b2
        h2 = np.maximum(a2, 0.0)
        margin = 1.0 - y * (h2 @ w3[0] + b3[0])
        loss = np.maximum(margin, 0.0).mean() + 1e-4 * (p @ p)
        ds = np.where(margin > 0.0, -y / len(y), 0.0)
        dw3 += ds @ h2
        db3 += ds.sum()
        da2 = np.outer(ds, w3[0]) * (a2 > 0.0)
        dw2 += da2.T @ h1
        db2 += da2.sum(0)
        da1 = (da2 @ w2) * (a1 > 0.0)
        dw1 += da1.T @ X
        db1 += da1.sum(0)
        return float(loss), g

    def split(v: Floats) -> list[tuple[Floats, Floats]]:
        layers = (v[:48].reshape(16, 3), v[48:320].reshape(16, 17), v[320:].reshape(1, 17))
        return [(layer[:, :-1], layer[:, -1]) for layer in layers]

    return Workload("micrograd's demonstration", network_point(2, 16, 16, 1), program, by_hand)


def network_point(*sizes: int) -> Floats:
    """Return the parameters of a network as micrograd draws them: uniform weights, zero biases."""
    rng = random.Random(1337)
    numbers: list[float] = []
    for nin, nout in pairwise(sizes):
        for _ in range(nout):
            numbers += [rng.uniform(-1.0, 1.0) for _ in range(nin)] + [0.0]
    return np.array(numbers)


# Digits -----------------------------------------------------------------------------------------------------


def digits_network(X: Floats, labels: NDArray[np.int64]) -> Workload:
    """A 64-32-10 network with softmax cross-entropy on handwritten digits."""
    n, targets = len(X), np.eye(10)[labels]

    def program(v: Sequence[Any], f: Functions) -> Any:
        first, last = neurons(v, 0, 64, 32), neurons(v, 2080, 32, 10)
        losses = []
        for row, label in zip(X.tolist(), labels.tolist(), strict=True):
            scores = dense(last, [f.relu(z) for z in dense(first, row)])
            losses.append(f.log(sum(map(f.exp, scores))) - scores[label])
        return sum(losses) / n

    return Workload(
        "digits", network_point(64, 32, 10) * 0.2, program, lambda p: digits_by_hand(p, X, targets)
    )


def digits_by_hand(p: Floats, X: Floats, targets: Floats) -> tuple[float, Floats]:
    """Return loss and gradient of the digits network."""
    g = np.empty(p.size)
    first, last = p[:2080].reshape(32, 65), p[2080:].reshape(10, 33)
    dfirst, dlast = g[:2080].reshape(32, 65), g[2080:].reshape(10, 33)
    a = X @ first[:, :-1].T + first[:, -1]
    h = np.maximum(a, 0.0)
    scores = h @ last[:, :-1].T + last[:, -1]
    scores -= scores.max(1, keepdims=True)
    powers = np.exp(scores)
    totals = powers.sum(1, keepdims=True)
    loss = ((np.log(totals) - scores) * targets).sum() / len(X)
    ds = (powers / totals - targets) / len(X)
    dlast[:, :-1], dlast[:, -1] = ds.T @ h, ds.sum(0)
    da = (ds @ last[:, :-1]) * (a > 0.0)
    dfirst[:, :-1], dfirst[:, -1] = da.T @ X, da.sum(0)
    return float(loss), g


def digit_images(n: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return the first images of the digits, scaled to 1, and what they show."""
    X, y = digits()
    return X[:n] / 16.0, y[:n].astype(np.int64)


# Others -----------------------------------------------------------------------------------------------------


def recurrence(steps: int = 200, units: int = 4) -> Workload:
    """A tanh network over time that reads a signal; the loss is at the end."""
    signal = [float(np.sin(0.3 * k)) for k in range(steps)]

    def program(v: Sequence[Any], f: Functions) -> Any:
        w = [v[i * units : (i + 1) * units] for i in range(units)]
        u, b = v[units * units : units * (units + 1)], v[units * (units + 1) :]
        state = [0.0] * units
        for x in signal:
            state = [
                f.tanh(sum((a * h for a, h in zip(row, state, strict=True)), ui * x + bi))
                for row, ui, bi in zip(w, u, b, strict=True)
            ]
        return sum(h * h for h in state)

    def by_hand(p: Floats) -> tuple[float, Floats]:
        w, u, b = p[: units * units].reshape(units, units), p[units * units : -units], p[-units:]
        states = [np.zeros(units)]
        for x in signal:
            states.append(np.tanh(w @ states[-1] + u * x + b))
        g = np.zeros(p.size)
        dw, du, db = g[: units * units].reshape(units, units), g[units * units : -units], g[-units:]
        dh = 2.0 * states[-1]
        for k in range(steps, 0, -1):
            da = dh * (1.0 - states[k] ** 2)
            dw += np.outer(da, states[k - 1])
            du += da * signal[k - 1]
            db += da
            dh = w.T @ da
        return float(states[-1] @ states[-1]), g

    return Workload(f"recurrence, {steps} steps", uniform(units * (units + 2)), program, by_hand)


def convolution() -> Workload:
    """Four 3 x 3 kernels on an 8 x 8 image, relu, sum."""

    def program(v: Sequence[Any], f: Functions) -> Any:
        return sum(
            f.relu(
                sum(v[64 + 9 * k + 3 * a + b] * v[8 * (i + a) + j + b] for a in range(3) for b in range(3))
            )
            for k in range(4)
            for i in range(6)
            for j in range(6)
        )

    def by_hand(p: Floats) -> tuple[float, Floats]:
        image, kernels = p[:64].reshape(8, 8), p[64:].reshape(4, 9)
        windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3)).reshape(36, 9)
        z = windows @ kernels.T
        dz = (z > 0.0).astype(float)
        g = np.zeros(100)
        g[64:] = (dz.T @ windows).ravel()
        dwindows = (dz @ kernels).reshape(6, 6, 3, 3)
        dimage = g[:64].reshape(8, 8)
        for a in range(3):
            for b in range(3):
                dimage[a : a + 6, b : b + 6] += dwindows[:, :, a, b]
        return float(np.maximum(z, 0.0).sum()), g

    return Workload("convolution", uniform(100), program, by_hand)


def integrator(steps: int = 1000) -> Workload:
    """Van der Pol's oscillator by the classical method of Runge and Kutta; the end point."""

    def program(v: Sequence[Any], f: Functions) -> Any:  # noqa: ARG001 - it needs operators only
        mu, x, y = v[0], v[1], v[2]
        h = 0.01

        def slope(x: Any, y: Any) -> tuple[Any, Any]:
            return y, mu * (1.0 - x * x) * y - x

        for _ in range(steps):
            k1 = slope(x, y)
            k2 = slope(x + h / 2 * k1[0], y + h / 2 * k1[1])
            k3 = slope(x + h / 2 * k2[0], y + h / 2 * k2[1])
            k4 = slope(x + h * k3[0], y + h * k3[1])
            x = x + h / 6 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0])
            y = y + h / 6 * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1])
        return x * x + y

    return Workload(f"Runge-Kutta, {steps:,} steps", np.array([1.0, 2.0, 0.0]), program)


def unstructured(operations: int = 10_000) -> Workload:
    """A random graph: bounded operations on earlier results, most of them recent."""
    rng = random.Random(0)
    rows: tuple[Callable[[Functions, Any, Any], Any], ...] = (
        lambda _, x, y: x * y,
        lambda _, x, y: 0.5 * (x + y),
        lambda _, x, y: x - 0.5 * y,
        lambda f, x, _: f.sin(x),
        lambda f, x, y: f.tanh(x + y),
    )
    leaves, lines = 50, []
    for k in range(leaves, leaves + operations):
        recent = max(0, k - 200)
        lines.append((rng.choice(rows), rng.randrange(recent, k), rng.randrange(recent, k)))

    def program(v: Sequence[Any], f: Functions) -> Any:
        made = [v[i] for i in range(leaves)]
        for row, a, b in lines:
            made.append(row(f, made[a], made[b]))
        return sum(made[-200:])

    return Workload("no structure", uniform(leaves), program)
