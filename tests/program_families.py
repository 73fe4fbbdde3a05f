"""Programs as people write them, by family and size: what the compiler has to find again.

Each is a function of a random generator and sizes that returns a function of its leaves, a list of floats at
which to record it, and takes and gives what ``scalar_programs`` does not: graphs of a form that any size has.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from autograd import Operation, Value, grad, ops

Build = Callable[[Sequence[Any]], Any]


class Draw:
    """Numbers of the leaves, drawn one after another; `cut` takes them off again in the same order.

    Attributes:
        given: numbers that are drawn, too, and no leaves: data.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.point: list[float] = []
        self.shapes: list[tuple[int, ...]] = []
        self.given: list[float] = []

    def __call__(self, *shape: int, spread: float = 1.0) -> None:
        """Draw a vector or a matrix."""
        self.shapes.append(shape)
        self.point += [self.rng.gauss(0.0, spread) for _ in range(math.prod(shape))]

    def cut(self, leaves: Sequence[Any]) -> list[Any]:
        """Return the leaves as vectors and matrices."""
        rest = iter(leaves)
        return [_nest(rest, shape) for shape in self.shapes]


def _nest(rest: Any, shape: tuple[int, ...]) -> Any:
    if len(shape) == 1:
        return list(islice(rest, shape[0]))
    return [_nest(rest, shape[1:]) for _ in range(shape[0])]


def dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))


def apply(matrix: Sequence[Sequence[Any]], vector: Sequence[Any]) -> list[Any]:
    return [dot(row, vector) for row in matrix]


def softmax(scores: Sequence[Any]) -> list[Any]:
    largest = scores[0]
    for score in scores[1:]:
        largest = ops.maximum(largest, score)
    powers = [ops.exp(score - largest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def attention(draw: Draw, n: int, *, causal: bool = True, heads: int = 1, d: int = 4) -> Build:
    """Dot-product attention over n positions, each of which sees those before it."""
    draw(n, d * heads)
    for _ in range(3):
        draw(d * heads, d * heads, spread=0.5)

    def build(v: Sequence[Any]) -> Any:
        x, *matrices = draw.cut(v)
        queries, keys, values = ([apply(matrix, row) for row in x] for matrix in matrices)
        total = 0.0
        for t in range(n):
            seen = t + 1 if causal else n
            for h in range(heads):
                part = slice(h * d, h * d + d)
                weights = softmax([0.5 * dot(queries[t][part], keys[u][part]) for u in range(seen)])
                mixed = [dot(weights, [values[u][part][i] for u in range(seen)]) for i in range(d)]
                total += sum(m * m for m in mixed)
        return total

    return build


def sorting_network(draw: Draw, n: int) -> Build:
    """Batcher's bitonic sorter; n is a power of 2."""
    draw(n)

    def build(v: Sequence[Any]) -> Any:
        a = list(v)
        k = 2
        while k <= n:
            j = k // 2
            while j:
                for i in range(n):
                    if i ^ j > i:
                        low, high = ops.minimum(a[i], a[i ^ j]), ops.maximum(a[i], a[i ^ j])
                        a[i], a[i ^ j] = (low, high) if i & k == 0 else (high, low)
                j //= 2
            k *= 2
        return sum(math.sin(i) * x for i, x in enumerate(a))

    return build


def fourier(draw: Draw, n: int) -> Build:
    """The power spectrum by the recursive fast Fourier transform; n is a power of 2."""
    draw(n)
    draw(n)

    def transform(re: list[Any], im: list[Any]) -> tuple[list[Any], list[Any]]:
        size = len(re)
        if size == 1:
            return re, im
        (er, ei), (odd_r, odd_i) = transform(re[::2], im[::2]), transform(re[1::2], im[1::2])
        upper, lower = [], []
        for k in range(size // 2):
            c, s = math.cos(-2.0 * math.pi * k / size), math.sin(-2.0 * math.pi * k / size)
            tr, ti = odd_r[k] * c - odd_i[k] * s, odd_r[k] * s + odd_i[k] * c
            upper.append((er[k] + tr, ei[k] + ti))
            lower.append((er[k] - tr, ei[k] - ti))
        both = upper + lower
        return [r for r, _ in both], [i for _, i in both]

    def build(v: Sequence[Any]) -> Any:
        re, im = transform(*draw.cut(v))
        return sum(math.cos(k) * (r * r + i * i) for k, (r, i) in enumerate(zip(re, im, strict=True)))

    return build


def prefix_sums(draw: Draw, n: int) -> Build:
    draw(n)

    def build(v: Sequence[Any]) -> Any:
        running, sums = 0.0, []
        for x in v:
            running = running + x
            sums.append(running)
        return sum(s * s for s in sums)

    return build


def discounted_returns(draw: Draw, n: int) -> Build:
    draw(n)

    def build(v: Sequence[Any]) -> Any:
        value, values = 0.0, []
        for reward in reversed(v):
            value = reward + 0.9 * value
            values.append(value)
        return sum(x * x for x in values)

    return build


def lu(draw: Draw, n: int) -> Build:
    """The logarithm of a determinant by elimination."""
    draw(n, n)

    def build(v: Sequence[Any]) -> Any:
        (matrix,) = draw.cut(v)
        a = [[x + float(n) if i == j else x for j, x in enumerate(row)] for i, row in enumerate(matrix)]
        for k in range(n):
            for i in range(k + 1, n):
                factor = a[i][k] / a[k][k]
                for j in range(k + 1, n):
                    a[i][j] = a[i][j] - factor * a[k][j]
        return sum(ops.log(ops.abs(a[i][i])) for i in range(n))

    return build


def cholesky(draw: Draw, n: int) -> Build:
    """The logarithm of a determinant by Cholesky's factors, as in a Gaussian process."""
    draw(n, n)

    def build(v: Sequence[Any]) -> Any:
        (b,) = draw.cut(v)
        a = [[dot(b[i], b[j]) + (float(n) if i == j else 0.0) for j in range(n)] for i in range(n)]
        factor: list[list[Any]] = [[] for _ in range(n)]
        for i in range(n):
            for j in range(i + 1):
                rest = a[i][j] - dot(factor[i][:j], factor[j][:j]) if j else a[i][j]
                factor[i].append(ops.sqrt(rest) if i == j else rest / factor[j][j])
        return sum(ops.log(factor[i][i]) for i in range(n))

    return build


def rnn(draw: Draw, steps: int, n: int = 5) -> Build:
    for shape in ((n, n), (n, 2), (n,), (n,)):
        draw(*shape, spread=0.3)

    def build(v: Sequence[Any]) -> Any:
        w, u, b, state = draw.cut(v)
        total = 0.0
        for t in range(steps):
            x = [math.sin(t), math.cos(t)]
            state = [ops.tanh(a + c + d) for a, c, d in zip(apply(w, state), apply(u, x), b, strict=True)]
            total = total + (state[0] - 0.5) ** 2
        return total

    return build


def lstm(draw: Draw, steps: int, n: int = 4) -> Build:
    for shape in ((4 * n, n), (4 * n, 2), (4 * n,), (n,), (n,)):
        draw(*shape, spread=0.3)

    def build(v: Sequence[Any]) -> Any:
        w, u, b, hidden, cell = draw.cut(v)
        total = 0.0
        for t in range(steps):
            x = [math.sin(t), math.cos(t)]
            z = [sum(terms) for terms in zip(apply(w, hidden), apply(u, x), b, strict=True)]
            gates = [ops.sigmoid(a) for a in z[: 3 * n]]
            i, f, o, g = gates[:n], gates[n : 2 * n], gates[2 * n :], [ops.tanh(a) for a in z[3 * n :]]
            cell = [f[k] * cell[k] + i[k] * g[k] for k in range(n)]
            hidden = [o[k] * ops.tanh(cell[k]) for k in range(n)]
            total = total + (sum(hidden) - 0.5) ** 2
        return total

    return build


def mixture(draw: Draw, n: int, k: int = 3) -> Build:
    """The likelihood of a mixture of normal distributions."""
    for _ in range(3):
        draw(k, spread=0.5)
    data = draw.given = [draw.rng.gauss(0.0, 2.0) for _ in range(n)]

    def build(v: Sequence[Any]) -> Any:
        means, scales, weights = draw.cut(v)
        shares, inverse = softmax(weights), [ops.exp(-s) for s in scales]
        return sum(
            -ops.log(
                sum(
                    p * i * ops.exp(-0.5 * ((x - m) * i) ** 2)
                    for p, i, m in zip(shares, inverse, means, strict=True)
                )
            )
            for x in data
        )

    return build


def batch_norm(draw: Draw, n: int, d: int = 6) -> Build:
    draw(n, d)

    def build(v: Sequence[Any]) -> Any:
        (rows,) = draw.cut(v)
        total = 0.0
        for column in zip(*rows, strict=True):
            mean = sum(column) / n
            scale = (sum((x - mean) ** 2 for x in column) / n + 1e-5) ** -0.5
            total = total + sum(math.sin(i) * ops.tanh((x - mean) * scale) for i, x in enumerate(column))
        return total

    return build


def n_body(draw: Draw, steps: int, n: int = 4) -> Build:
    draw(n, 2)
    draw(n, 2, spread=0.1)

    def build(v: Sequence[Any]) -> Any:
        place, speed = draw.cut(v)
        for _ in range(steps):
            force = [[0.0, 0.0] for _ in range(n)]
            for i in range(n):
                for j in range(n):
                    if i != j:
                        d = [place[j][k] - place[i][k] for k in range(2)]
                        near = (d[0] ** 2 + d[1] ** 2 + 0.1) ** -1.5
                        force[i] = [f + x * near for f, x in zip(force[i], d, strict=True)]
            speed = [
                [s + 0.01 * f for s, f in zip(*both, strict=True)] for both in zip(speed, force, strict=True)
            ]
            place = [
                [p + 0.01 * s for p, s in zip(*both, strict=True)] for both in zip(place, speed, strict=True)
            ]
        return sum(x * x for row in place for x in row)

    return build


def delay_equation(draw: Draw, steps: int, lag: int = 17) -> Build:
    draw(lag + 3, spread=0.1)

    def build(v: Sequence[Any]) -> Any:
        x = list(v)
        for t in range(len(x), len(x) + steps):
            x.append(x[t - 1] * 0.9 + 0.1 * ops.sin(x[t - lag]))
        return sum(a * a for a in x[-50:])

    return build


def earlier_state(draw: Draw, steps: int) -> Build:
    """A recurrence that also reads a state from long before."""
    draw(1)

    def build(v: Sequence[Any]) -> Any:
        x = list(v)
        for t in range(1, steps):
            x.append(ops.sin(x[t - 1] * 0.7 + x[t // 2] * 0.2))
        return sum(a * a for a in x[-50:])

    return build


def heat(draw: Draw, steps: int, n: int = 6) -> Build:
    draw(n, n)

    def build(v: Sequence[Any]) -> Any:
        (u,) = draw.cut(v)
        for _ in range(steps):
            u = [
                [
                    u[i][j]
                    + 0.1
                    * (u[(i + 1) % n][j] + u[i - 1][j] + u[i][(j + 1) % n] + u[i][j - 1] - 4.0 * u[i][j])
                    for j in range(n)
                ]
                for i in range(n)
            ]
        return sum(x * x for row in u for x in row)

    return build


def black_scholes(draw: Draw, n: int) -> Build:
    draw(n, spread=0.1)
    draw(2, spread=0.05)

    def build(v: Sequence[Any]) -> Any:
        prices, (rate, vol) = draw.cut(v)
        total = 0.0
        for i, price in enumerate(prices):
            spot, strike, time = price + 2.0, 1.5 + 0.01 * i, 0.5 + 0.001 * i
            sigma = vol * vol + 0.2
            width = sigma * math.sqrt(time)
            d = (ops.log(spot / strike) + (rate + sigma * sigma * 0.5) * time) / width
            discounted = strike * ops.exp(-rate * time)
            total = total + spot * ops.normal_cdf(d) - discounted * ops.normal_cdf(d - width)
        return total

    return build


def matrix_products(draw: Draw, batch: int, n: int = 5, k: int = 6, m: int = 4) -> Build:
    draw(batch, n, k)
    draw(batch, m, k)

    def build(v: Sequence[Any]) -> Any:
        a, b = draw.cut(v)
        return sum(ops.tanh(dot(row, column)) for x, y in zip(a, b, strict=True) for row in x for column in y)

    return build


def gru(draw: Draw, steps: int, n: int = 4) -> Build:
    for shape in ((3 * n, n), (3 * n, 2), (3 * n,), (n,)):
        draw(*shape, spread=0.3)

    def build(v: Sequence[Any]) -> Any:
        w, u, b, hidden = draw.cut(v)
        total = 0.0
        for t in range(steps):
            driven = [a + c for a, c in zip(apply(u, [math.sin(t), math.cos(t)]), b, strict=True)]
            fed = apply(w, hidden)
            reset = [ops.sigmoid(driven[k] + fed[k]) for k in range(n)]
            update = [ops.sigmoid(driven[n + k] + fed[n + k]) for k in range(n)]
            new = [ops.tanh(driven[2 * n + k] + reset[k] * fed[2 * n + k]) for k in range(n)]
            hidden = [new[k] + update[k] * (hidden[k] - new[k]) for k in range(n)]
            total = total + (sum(hidden) - 0.5) ** 2
        return total

    return build


def hidden_markov(draw: Draw, steps: int, k: int = 5, symbols: int = 3) -> Build:
    """The likelihood of what a hidden Markov model was seen to do, by the forward algorithm."""
    draw(k, k)
    draw(k, symbols)
    seen = [draw.rng.randrange(symbols) for _ in range(steps)]
    draw.given = [*seen]

    def build(v: Sequence[Any]) -> Any:
        moves, shows = ([softmax(row) for row in matrix] for matrix in draw.cut(v))
        states, loss = [1.0 / k] * k, 0.0
        for symbol in seen:
            states = [
                dot(states, column) * shows[j][symbol] for j, column in enumerate(zip(*moves, strict=True))
            ]
            total = sum(states)
            states = [state / total for state in states]
            loss = loss - ops.log(total)
        return loss

    return build


def riccati(draw: Draw, steps: int, n: int = 4) -> Build:
    """Euler's method for a matrix Riccati equation."""
    for _ in range(3):
        draw(n, n, spread=0.3)

    def build(v: Sequence[Any]) -> Any:
        a, s, p = draw.cut(v)
        for _ in range(steps):
            ap = [[dot(row, column) for column in zip(*p, strict=True)] for row in a]
            ps = [[dot(row, column) for column in zip(*s, strict=True)] for row in p]
            psp = [[dot(row, column) for column in zip(*p, strict=True)] for row in ps]
            p = [
                [p[i][j] + 0.01 * (ap[i][j] + ap[j][i] + float(i == j) - psp[i][j]) for j in range(n)]
                for i in range(n)
            ]
        return sum(x * x for row in p for x in row)

    return build


def gaussian_process(draw: Draw, n: int) -> Build:
    """The likelihood of data under a Gaussian process, whose places are adapted, too."""
    draw(n)
    draw(3, spread=0.2)
    heights = draw.given = [draw.rng.gauss(0.0, 1.0) for _ in range(n)]

    def build(v: Sequence[Any]) -> Any:
        places, (height, length, noise) = draw.cut(v)
        size, near, own = ops.exp(height), ops.exp(-length), ops.exp(noise)
        factor: list[list[Any]] = [[] for _ in range(n)]
        solved: list[Any] = []
        for i in range(n):
            for j in range(i + 1):
                kernel = size * ops.exp(-0.5 * ((places[i] - places[j]) * near) ** 2) + (
                    own if i == j else 0.0
                )
                rest = kernel - dot(factor[i][:j], factor[j][:j]) if j else kernel
                factor[i].append(ops.sqrt(rest) if i == j else rest / factor[j][j])
            solved.append((heights[i] - (dot(factor[i][:i], solved) if i else 0.0)) / factor[i][i])
        return 0.5 * sum(z * z for z in solved) + sum(ops.log(factor[i][i]) for i in range(n))

    return build


softsign = Operation(
    "softsign",
    lambda x: x / (1.0 + ops.abs(x)),
    [lambda z, _: (1.0 - ops.abs(z)) ** 2],
    definition="x / (1 + abs(x))",
)


def user_operation(draw: Draw, n: int, d: int = 8) -> Build:
    """An operation that is not in the table."""
    draw(n, d)

    def build(v: Sequence[Any]) -> Any:
        (rows,) = draw.cut(v)
        return sum(sum(softsign(x) for x in row) ** 2 for row in rows)

    return build


def nested_where(draw: Draw, n: int) -> Build:
    """Huber's loss, written with two selections."""
    draw(n)
    draw(1)

    def build(v: Sequence[Any]) -> Any:
        points, (centre,) = draw.cut(v)
        total = 0.0
        for x in points:
            e = x - centre
            total = total + ops.where(
                ops.greater(e, 1.0), 2.0 * e - 1.0, ops.where(ops.less(e, -1.0), -2.0 * e - 1.0, e * e)
            )
        return total

    return build


def triangular_sums(draw: Draw, n: int) -> Build:
    draw(n)
    draw(n)

    def build(v: Sequence[Any]) -> Any:
        x, y = draw.cut(v)
        return sum(sum(ops.sin(x[j] * y[i]) for j in range(i + 1)) ** 2 for i in range(n))

    return build


def residual(draw: Draw, n: int, units: int = 6) -> Build:
    """How far a network is from solving u'' = -u at n points: second derivatives are part of the loss."""
    for _ in range(3):
        draw(units)

    def build(v: Sequence[Any]) -> Any:
        w, b, out = draw.cut(v)

        def u(x: Any) -> Any:
            return sum(c * ops.tanh(a * x + s) for a, s, c in zip(w, b, out, strict=True))

        bend = grad(grad(u))
        points = [Value(4.0 * i / n - 2.0) for i in range(n)]
        return sum((bend(x) + u(x)) ** 2 for x in points) / n

    return build


def power_flow(draw: Draw, n: int) -> Build:
    """What the buses of a power grid lack, with lines in a ring and at random."""
    draw(n, spread=0.1)
    draw(n, spread=0.3)
    lines = [(i, (i + 1) % n) for i in range(n)] + [
        (draw.rng.randrange(n), draw.rng.randrange(n)) for _ in range(n // 2)
    ]
    draw.given = [float(end) for line in lines for end in line]

    def build(v: Sequence[Any]) -> Any:
        extra, angles = draw.cut(v)
        volts = [1.0 + x for x in extra]
        power: list[Any] = [0.1 * math.sin(i) for i in range(n)]
        for i, j in lines:
            both, turn = volts[i] * volts[j], angles[i] - angles[j]
            power[i] = power[i] + both * (0.3 * ops.cos(turn) + 2.0 * ops.sin(turn))
            power[j] = power[j] + both * (0.3 * ops.cos(turn) - 2.0 * ops.sin(turn))
        return sum(p * p for p in power)

    return build


def bundle_adjustment(draw: Draw, n: int, cameras: int = 4) -> Build:
    """Points in space as cameras should see them; a camera has a rotation, a place and a focal length."""
    draw(cameras, 7, spread=0.2)
    draw(n, 3)
    draw.given = [draw.rng.gauss(0.0, 0.3) for _ in range(2 * n * cameras)]

    def build(v: Sequence[Any]) -> Any:
        views, points = draw.cut(v)
        seen, total = iter(draw.given), 0.0
        for rx, ry, rz, tx, ty, tz, focal in views:
            angle = ops.sqrt(rx * rx + ry * ry + rz * rz + 1e-8)
            c, s = ops.cos(angle), ops.sin(angle) / angle
            k = (1.0 - c) / (angle * angle)
            for x, y, z in points:
                along = (rx * x + ry * y + rz * z) * k
                px = c * x + s * (ry * z - rz * y) + along * rx + tx
                py = c * y + s * (rz * x - rx * z) + along * ry + ty
                depth = c * z + s * (rx * y - ry * x) + along * rz + tz + 8.0
                far = (1.0 + focal) / depth
                total = total + (px * far - next(seen)) ** 2 + (py * far - next(seen)) ** 2
        return total

    return build


def convolutions(draw: Draw, batch: int, n: int = 6) -> Build:
    """Two kernels of 3 x 3 on a batch of images."""
    draw(2, 9, spread=0.5)
    draw.given = [draw.rng.gauss(0.0, 1.0) for _ in range(batch * n * n)]

    def build(v: Sequence[Any]) -> Any:
        (kernels,) = draw.cut(v)
        images = _nest(iter(draw.given), (batch, n, n))
        return sum(
            ops.relu(dot(kernel, [image[i + a][j + b] for a in range(3) for b in range(3)]))
            for image in images
            for kernel in kernels
            for i in range(n - 2)
            for j in range(n - 2)
        )

    return build


@dataclass(frozen=True)
class FamilyOfPrograms:
    """A family.

    Attributes:
        make: takes a `Draw` and a size, and returns the function of the leaves.
        sizes: two sizes for tests, the second with several times as many nodes.
        statements: at most so many statements has a program of any size.
        doubles: whether sizes are powers of 2.
    """

    make: Callable[..., Build]
    sizes: tuple[int, int]
    statements: int
    doubles: bool = False


def full_attention(draw: Draw, n: int) -> Build:
    return attention(draw, n, causal=False)


def heads(draw: Draw, n: int) -> Build:
    return attention(draw, n, heads=3)


FAMILIES = {
    family.make.__name__: family
    for family in (
        FamilyOfPrograms(attention, (10, 20), 60),
        FamilyOfPrograms(full_attention, (10, 16), 60),
        FamilyOfPrograms(heads, (8, 14), 60),
        FamilyOfPrograms(sorting_network, (64, 128), 30, doubles=True),
        FamilyOfPrograms(fourier, (64, 256), 150, doubles=True),
        FamilyOfPrograms(prefix_sums, (100, 1000), 20),
        FamilyOfPrograms(discounted_returns, (100, 1000), 20),
        FamilyOfPrograms(lu, (10, 16), 60),
        FamilyOfPrograms(cholesky, (10, 16), 60),
        FamilyOfPrograms(rnn, (20, 80), 60),
        FamilyOfPrograms(lstm, (20, 60), 100),
        FamilyOfPrograms(mixture, (100, 300), 100),
        FamilyOfPrograms(batch_norm, (20, 80), 60),
        FamilyOfPrograms(n_body, (12, 30), 60),
        FamilyOfPrograms(delay_equation, (150, 1000), 30),
        FamilyOfPrograms(earlier_state, (200, 1000), 30),
        FamilyOfPrograms(heat, (10, 30), 40),
        FamilyOfPrograms(black_scholes, (50, 200), 80),
        FamilyOfPrograms(matrix_products, (6, 20), 12),
        FamilyOfPrograms(gru, (20, 60), 150),
        FamilyOfPrograms(hidden_markov, (20, 60), 80),
        FamilyOfPrograms(riccati, (10, 30), 50),
        FamilyOfPrograms(gaussian_process, (10, 16), 65),
        FamilyOfPrograms(user_operation, (20, 60), 10),
        FamilyOfPrograms(nested_where, (50, 200), 22),
        FamilyOfPrograms(triangular_sums, (12, 24), 15),
        FamilyOfPrograms(residual, (16, 40), 40),
        FamilyOfPrograms(power_flow, (30, 100), 48),
        FamilyOfPrograms(bundle_adjustment, (8, 24), 135),
        FamilyOfPrograms(convolutions, (4, 12), 8),
    )
}


OF_THE_TABLE = [name for name in FAMILIES if name != "user_operation"]
"""What can be saved, or read back from formulas: all operations have a name that a reader knows."""


def drawn(name: str, size: int, seed: int = 0) -> tuple[Build, Draw]:
    """Return a family's program of a size, and what was drawn for it."""
    draw = Draw(random.Random(f"{name}{seed}"))
    return FAMILIES[name].make(draw, size), draw


def make(name: str, size: int, seed: int = 0) -> tuple[Build, list[float]]:
    """Return a family's program of a size, and the point at which to record it."""
    build, draw = drawn(name, size, seed)
    return build, draw.point
