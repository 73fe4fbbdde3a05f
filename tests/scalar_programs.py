"""Scalar programs as users write them, drawn at random: what the compiler is to find structure in.

A ``Case`` is a function of a list of leaves, so it runs on Values at any point, again and again.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import Any

from autograd import maximum, minimum, ops, where
from tests.graphs import unstructured

SMOOTH = (ops.tanh, ops.sin, ops.sigmoid, ops.softplus, ops.atan, ops.gauss, ops.silu)
KINKED = (ops.relu, ops.abs, ops.leaky_relu, ops.elu)


@dataclass(frozen=True)
class Case:
    """How many leaves a program has, and the program: from a list of them to nested outputs."""

    leaves: int
    build: Callable[[Sequence[Any]], Any]

    def point(self, rng: random.Random) -> list[float]:
        return [rng.uniform(-1.0, 1.0) for _ in range(self.leaves)]


class Shelf:
    """Counts leaves while a case is drawn; hands them out, in the same order, when it is built."""

    def __init__(self) -> None:
        self.count = 0

    def vector(self, n: int) -> slice:
        self.count += n
        return slice(self.count - n, self.count)

    def matrix(self, rows: int, columns: int) -> list[slice]:
        return [self.vector(columns) for _ in range(rows)]


def dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))


def softmax(scores: Sequence[Any]) -> list[Any]:
    top = scores[0]
    for score in scores[1:]:
        top = maximum(top, score)
    powers = [ops.exp(score - top) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def cut(leaves: Sequence[Any], table: list[slice]) -> list[Sequence[Any]]:
    return [leaves[row] for row in table]


def dense(rows: Sequence[Any], bias: Sequence[Any], x: Sequence[Any]) -> list[Any]:
    return [dot(row, x) + b for row, b in zip(rows, bias, strict=True)]


# Networks ---------------------------------------------------------------------------------------------------


def perceptron(rng: random.Random) -> Case:
    """A classifier with softmax cross-entropy and a penalty; the data are leaves or constants."""
    shelf, sizes, batch = Shelf(), [rng.randint(1, 6) for _ in range(rng.randint(2, 4))], rng.randint(1, 20)
    layers = [(shelf.matrix(m, n), shelf.vector(m)) for n, m in pairwise(sizes)]
    given = rng.random() < 0.5
    data = [[rng.uniform(-1, 1) for _ in range(sizes[0])] for _ in range(batch)]
    slots = shelf.matrix(batch, sizes[0]) if given else []
    labels = [rng.randrange(sizes[-1]) for _ in range(batch)]
    activation = rng.choice(SMOOTH + KINKED)

    def build(v: Sequence[Any]) -> Any:
        losses = []
        for x, label in zip(cut(v, slots) if given else data, labels, strict=True):
            for depth, (rows, bias) in enumerate(layers):
                x = dense(cut(v, rows), v[bias], x)
                if depth < len(layers) - 1:
                    x = [activation(h) for h in x]
            losses.append(-ops.log(softmax(x)[label]))
        weights = [w for rows, _ in layers for row in cut(v, rows) for w in row]
        return sum(losses) / batch + 1e-2 * sum(w * w for w in weights)

    return Case(shelf.count, build)


def residual(rng: random.Random) -> Case:
    """Residual blocks that share their weights or not, behind batch statistics."""
    shelf, n, batch, depth = Shelf(), rng.randint(2, 5), rng.randint(2, 12), rng.randint(1, 4)
    shared = rng.random() < 0.5
    blocks = [(shelf.matrix(n, n), shelf.vector(n)) for _ in range(1 if shared else depth)] * (
        depth if shared else 1
    )
    points, activation = shelf.matrix(batch, n), rng.choice(SMOOTH + KINKED)

    def build(v: Sequence[Any]) -> Any:
        hidden = cut(v, points)
        for rows, bias in blocks:
            means = [sum(column) / batch for column in zip(*hidden, strict=True)]
            variances = [
                sum((x - m) ** 2 for x in column) / batch
                for column, m in zip(zip(*hidden, strict=True), means, strict=True)
            ]
            normal = [
                [(x - m) / ops.sqrt(s + 0.1) for x, m, s in zip(row, means, variances, strict=True)]
                for row in hidden
            ]
            hidden = [
                [x + activation(z) for x, z in zip(row, dense(cut(v, rows), v[bias], row), strict=True)]
                for row in normal
            ]
        return {"mean": sum(map(sum, hidden)) / batch, "squares": [dot(row, row) for row in hidden]}

    return Case(shelf.count, build)


def attention(rng: random.Random) -> Case:
    """Every position looks at every other; with or without projections, with or without a causal mask."""
    shelf, n, d = Shelf(), rng.randint(2, 7), rng.randint(1, 4)
    points = shelf.matrix(n, d)
    projections = [shelf.matrix(d, d) for _ in range(3)] if rng.random() < 0.6 else []
    causal, target = rng.random() < 0.4, [rng.uniform(-1, 1) for _ in range(d)]

    def build(v: Sequence[Any]) -> Any:
        x = cut(v, points)
        queries, keys, values = (
            ([[dot(row, p) for row in cut(v, table)] for p in x] for table in projections)
            if projections
            else (x, x, x)
        )
        loss = 0
        for i, query in enumerate(queries):
            seen = i + 1 if causal else n
            weights = softmax([dot(query, key) / d for key in keys[:seen]])
            mixed = [dot(weights, column) for column in zip(*values[:seen], strict=True)]
            loss = loss + (i + 1.0) * sum((m - t) ** 2 for m, t in zip(mixed, target, strict=True))
        return loss / n

    return Case(shelf.count, build)


def convolution(rng: random.Random) -> Case:
    """Kernels slide over an image or a signal, with a stride; then relu, pooling, a linear read-out."""
    shelf, channels = Shelf(), rng.randint(1, 4)
    height, width = (1, rng.randint(6, 20)) if rng.random() < 0.4 else (rng.randint(4, 8), rng.randint(4, 8))
    kh, kw, stride = min(height, 3), 3, rng.randint(1, 2)
    image, kernels = shelf.matrix(height, width), [shelf.matrix(kh, kw) for _ in range(channels)]
    bias = shelf.vector(channels)
    rows, columns = range(0, height - kh + 1, stride), range(0, width - kw + 1, stride)
    readout, pool = shelf.vector(channels * len(rows) * len(columns)), rng.random() < 0.5

    def build(v: Sequence[Any]) -> Any:
        pixels, features = cut(v, image), []
        for kernel, b in zip(kernels, v[bias], strict=True):
            k = cut(v, kernel)
            features.append(
                [
                    ops.relu(sum(k[a][c] * pixels[i + a][j + c] for a in range(kh) for c in range(kw)) + b)
                    for i in rows
                    for j in columns
                ]
            )
        if pool:
            features = [[maximum(a, b) for a, b in zip(f, f[1:] + f[:1], strict=True)] for f in features]
        return ops.tanh(dot(v[readout], [x for f in features for x in f])) + sum(f[0] for f in features)

    return Case(shelf.count, build)


def embedding(rng: random.Random) -> Case:
    """Rows of a table, looked up by number, some of them often; their sums and differences."""
    shelf, words, d = Shelf(), rng.randint(3, 9), rng.randint(1, 4)
    table, weights = shelf.matrix(words, d), shelf.matrix(3, d)
    text = [rng.randrange(words) for _ in range(rng.randint(4, 40))]

    def build(v: Sequence[Any]) -> Any:
        rows, w = cut(v, table), cut(v, weights)
        loss = 0.0
        for a, b in pairwise(text):
            hidden = [ops.tanh(x - y) for x, y in zip(rows[a], rows[b], strict=True)]
            loss -= ops.log(softmax([dot(row, hidden) for row in w])[a % 3])
        return loss / len(text)

    return Case(shelf.count, build)


def recurrent(rng: random.Random) -> Case:
    """A network over time: inputs are leaves, constants or none; the loss reads the last state or all."""
    shelf, n, steps = Shelf(), rng.randint(1, 4), rng.choice((3, 12, 40))
    w, u, b = shelf.matrix(n, n), shelf.vector(n), shelf.vector(n)
    kind, every = rng.choice(("leaves", "constants", "none")), rng.random() < 0.5
    inputs = shelf.vector(steps if kind == "leaves" else 0)
    series = [rng.uniform(-1, 1) for _ in range(steps)]
    activation = rng.choice((ops.tanh, ops.sigmoid, ops.relu))

    def build(v: Sequence[Any]) -> Any:
        xs = {"leaves": v[inputs], "constants": series, "none": [1.0] * steps}[kind]
        state, states = [0.0] * n, []
        for x in xs:
            state = [
                activation(0.5 * dot(row, state) + ui * x + bi)
                for row, ui, bi in zip(cut(v, w), v[u], v[b], strict=True)
            ]
            states.append(state)
        if not every:
            return dot(state, state)
        return sum((s[0] - x) ** 2 for s, x in zip(states, series, strict=True))

    return Case(shelf.count, build)


# Numerical programs -----------------------------------------------------------------------------------------


def integrator(rng: random.Random) -> Case:
    """Van der Pol's oscillator by Runge and Kutta's method; the last point, or the path."""
    steps, h, path = rng.choice((2, 10, 60)), 0.05, rng.random() < 0.5

    def build(v: Sequence[Any]) -> Any:
        mu, x, y = v

        def f(x: Any, y: Any) -> tuple[Any, Any]:
            return y, mu * (1.0 - x * x) * y - x

        points = []
        for _ in range(steps):
            a = f(x, y)
            b = f(x + h / 2 * a[0], y + h / 2 * a[1])
            c = f(x + h / 2 * b[0], y + h / 2 * b[1])
            d = f(x + h * c[0], y + h * c[1])
            x, y = (z + h / 6 * (a[i] + 2 * b[i] + 2 * c[i] + d[i]) for i, z in enumerate((x, y)))
            points.append((x, y))
        return [[x, y] for x, y in points[::7]] if path else x * x + y

    return Case(3, build)


def descent(rng: random.Random) -> Case:
    """Gradient descent with momentum, unrolled; the derivative by its rate among others."""
    n, steps = rng.randint(1, 4), rng.choice((2, 9, 30))

    def build(v: Sequence[Any]) -> Any:
        rate, x, scales = 0.05 * ops.sigmoid(v[0]), list(v[1 : 1 + n]), v[1 + n :]
        speed = [0.0] * n
        for _ in range(steps):
            slopes = [ops.sin(a + b * b) + a for a, b in zip(x, scales, strict=True)]
            speed = [0.9 * s - rate * g for s, g in zip(speed, slopes, strict=True)]
            x = [a + s for a, s in zip(x, speed, strict=True)]
        return dot(x, x) + 1.0

    return Case(1 + 2 * n, build)


def bodies(rng: random.Random) -> Case:
    """The energy of bodies that attract each other: all pairs, each once or twice."""
    n, d, twice = rng.randint(2, 9), rng.randint(1, 3), rng.random() < 0.5

    def build(v: Sequence[Any]) -> Any:
        places = [v[i * d : (i + 1) * d] for i in range(n)]
        masses = [ops.exp(m) for m in v[n * d :]]
        pairs = [(i, j) for i in range(n) for j in range(n) if (i != j if twice else i < j)]
        return sum(
            masses[i]
            * masses[j]
            / ops.sqrt(0.1 + sum((a - b) ** 2 for a, b in zip(places[i], places[j], strict=True)))
            for i, j in pairs
        )

    return Case(n * (d + 1), build)


def matrices(rng: random.Random) -> Case:
    """Products of matrices, transposed ones, a matrix by itself, a form x.A.x."""
    shelf, n, m = Shelf(), rng.randint(1, 6), rng.randint(1, 6)
    a, b, x = shelf.matrix(n, m), shelf.matrix(m, n), shelf.vector(n)
    mode = rng.choice(("AB", "AAt", "AtA", "tied", "power"))

    def product(p: Any, q: Any) -> Any:
        columns = list(zip(*q, strict=True))
        return [[dot(row, column) for column in columns] for row in p]

    def build(v: Sequence[Any]) -> Any:
        p, q = [list(r) for r in cut(v, a)], [list(r) for r in cut(v, b)]
        turned = [list(r) for r in zip(*p, strict=True)]
        if mode == "AB":
            c = product(p, q)
        elif mode == "AAt":
            c = product(p, turned)
        elif mode == "AtA":
            c = product(turned, p)
        elif mode == "tied":
            c = [[ops.tanh(z) for z in row] for row in product(product(p, turned), p)]
        else:
            c = product(p, q)
            c = product(c, c)
        weighted = sum((1.0 + 2.0 * i - j) * ops.sin(z) for i, row in enumerate(c) for j, z in enumerate(row))
        form = dot(v[x], [dot(row, v[x][: len(row)]) for row in product(p, q)])
        return weighted, form

    return Case(shelf.count, build)


def series(rng: random.Random) -> Case:
    """Windows on a signal: strides, reversals, running sums, differences, neighbours."""
    n, activation = rng.randint(8, 60), rng.choice(SMOOTH + KINKED)
    step, width = rng.randint(1, 3), rng.randint(2, 4)

    def build(v: Sequence[Any]) -> Any:
        signal = [activation(x) for x in v[1:]]
        windows = [sum(signal[i : i + width]) / width for i in range(0, n - width, step)]
        mirrored = dot(signal, signal[::-1])
        running, sums = 0, []
        for x in signal:
            running = 0.5 * running + x
            sums.append(running)
        jumps = sum(abs(b - a) for a, b in zip(signal[::2], signal[1::2], strict=False))
        picked = dot(signal[:: step + 1], v[1 :: step + 1])
        return [
            sum(w * w for w in windows) * v[0],
            mirrored,
            jumps + picked,
            sums[-1],
            sums[n // 2] * sums[1],
        ]

    return Case(n + 1, build)


def trajectory(rng: random.Random) -> Case:
    """Long sums over the steps of recurrences: of states, squares, errors, products."""
    n, first, other = rng.choice((40, 130, 300)), rng.choice(SMOOTH), rng.choice(SMOOTH + KINKED)
    kinds = rng.sample("s2ewpcm", 3)

    def build(v: Sequence[Any]) -> Any:
        h, g = v[0], v[1]
        steps = []
        for t in range(n):
            h = first(v[2] * h + v[3])
            g = other(0.5 * g + v[6 + t % 20] * h)
            steps.append((t, h, g))
        terms = {
            "s": [h for _, h, _ in steps],
            "2": [g * g for _, _, g in steps],
            "e": [(h - v[6 + t % 20]) * (h - v[6 + t % 20]) for t, h, _ in steps],
            "w": [v[6 + t % 20] * g for t, _, g in steps],
            "p": [g * h for _, h, g in steps],
            "c": [(0.1 * t) * h for t, h, _ in steps[:: 2 if n > 200 else 1]],
            "m": [(h, g, h * g, v[4] * h)[t % 4] for t, h, g in steps],
        }
        mixed = sum(term for kind in kinds for term in terms[kind])
        return [mixed, sum(terms[kinds[0]]) * v[5], sum(ops.sin(term) for term in terms[kinds[1]])]

    return Case(26, build)


def oddities(rng: random.Random) -> Case:
    """Operands and terms repeated, the same sum in many orders, constants in every place, dead ends."""
    k, n = rng.randint(2, 70), rng.randint(1, 60)

    def build(v: Sequence[Any]) -> Any:
        a, b, c = v[0], ops.sin(v[1]), ops.exp(v[2])
        many = [ops.tanh(x) for x in v[3:]]
        same = a
        for _ in range(k):
            same = same + a
        squares = sum(b * b for _ in range(k)) + sum(x * x + x * a + a for x in many) + a * b + b * a
        parts = [a * b, ops.cos(a), c, b, ops.tanh(c)]
        orders = [sum(order[1:], order[0]) for order, _ in zip(permutations(parts), range(k), strict=False)]
        constants = sum((0.0 * x + 1.0) * 3.0 - x / 2.0 + 2.0**x + (x + 2.0) ** 2 + 0.0 for x in many)
        mixed = [minimum(c, x) * where(a, x, b) + 0.5 for x in many]
        _ = [ops.sin(x) for x in many]
        sums = sum((i + 1.0) * ops.sin(total) for i, total in enumerate(orders))
        negated, twice = -a, squares / k
        return [same, twice, sums / k, constants, sum(mixed), +a, many[0] - many[-1], -negated, a, a, twice]

    return Case(3 + n, build)


# Random programs on vectors, and in batches -----------------------------------------------------------------


def vectors(rng: random.Random) -> Case:
    """A random program on vectors: maps, slices, gathers, products, reductions, broadcasts, loops."""
    shelf = Shelf()
    pool = [shelf.vector(rng.choice((1, 3, 8, 30, 60))) for _ in range(rng.randint(2, 4))]
    recipe = [
        (rng.choice("uubbbbmgsrcodpkx"), rng.random(), rng.random(), rng.randrange(10**9))
        for _ in range(rng.randint(4, 12))
    ]
    matrix = shelf.vector(64)

    def build(v: Sequence[Any]) -> Any:
        made = [list(v[s]) for s in pool]
        w = v[matrix]
        for kind, p, q, seed in recipe:
            x, y = made[int(p * len(made))], made[int(q * len(made))]
            draw = random.Random(seed)
            row: Any
            if kind == "u":
                row = draw.choice(SMOOTH + KINKED)
                z = [row(a) for a in x]
            elif kind == "b":
                row = draw.choice(
                    (ops.add, ops.sub, ops.mul, ops.maximum, ops.minimum, ops.hypot, ops.mul, ops.add)
                )
                n = max(len(x), len(y)) if 1 in (len(x), len(y)) else min(len(x), len(y))
                z = [row(x[i % len(x)], y[i % len(y)]) for i in range(n)]
            elif kind == "m":
                n, m = min(len(x), 8), draw.randint(1, 8)
                z = [ops.tanh(dot(w[8 * i : 8 * i + n], x[:n])) for i in range(m)]
            elif kind == "g":
                z = [x[draw.randrange(len(x))] for _ in range(draw.choice((1, 5, 50)))]
            elif kind == "s":
                z = x[draw.randrange(len(x)) :: draw.choice((1, 1, 2, -1, -2))]
            elif kind == "r":
                z = [sum(x) / len(x)]
            elif kind == "c":
                z = (x + y)[:60]
            elif kind == "o":
                z = [a * b + draw.choice((0.0, 0.5)) for a in x[:8] for b in y[:8]]
            elif kind == "d":
                n = min(len(x), len(y))
                z = [dot(x[:n], y[:n]) / n]
            elif kind == "p":
                z = softmax(x[:12])
            elif kind == "k":
                c = draw.choice((0.5, -1.0, 2.0))
                z = [draw.choice((a * c, a + c, c - a, a, ops.tanh(a), c * a + 1.0)) for a in x]
            else:
                state, z = y[0], []
                for a in x[:30]:
                    state = ops.tanh(state * 0.5 + a * w[0] + w[1])
                    z.append(state)
            made.append(z)
        return [sum(x) / len(x) for x in made[len(pool) :]]

    return Case(shelf.count, build)


def batch(rng: random.Random) -> Case:
    """A program without structure, run for many points with some leaves in common: arrays of anything."""
    program = unstructured(rng, rng.randint(3, 25))
    points = rng.choice((2, 30, 60))
    common = [rng.random() < 0.4 for _ in program.inputs]
    noise = random.Random(rng.random())
    own = [[x + noise.uniform(-1e-3, 1e-3) for x in program.inputs] for _ in range(points)]

    def build(v: Sequence[Any]) -> Any:
        rows = [
            [v[i] * 1e-3 + (program.inputs[i] if c else own[k][i]) for i, c in enumerate(common)]
            for k in range(points)
        ]
        return sum((1.0 + 0.1 * k) * program(*row) for k, row in enumerate(rows)) / points

    return Case(len(program.inputs), build)


KINDS = (
    perceptron,
    residual,
    attention,
    convolution,
    embedding,
    recurrent,
    integrator,
    descent,
    bodies,
    matrices,
    series,
    trajectory,
    oddities,
    vectors,
    batch,
)
