"""The families of ``tests/program_families.py`` as one writes them on whole arrays: NumPy by hand, and JAX.

A reference takes a family's drawing and size, makes the constants, and returns two functions of the leaves as
arrays: in NumPy the loss with its gradients, and for JAX the loss alone, in the namespace ``jax.numpy``.
"""

# ruff: noqa: ARG001, D103 - all take the same arguments, and are described where the scalar programs are

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads import Floats
from tests.program_families import Draw

ByHand = Callable[..., tuple[float, tuple[Any, ...]]]
Loss = Callable[..., Any]


@dataclass(frozen=True)
class Reference:
    """What one would write instead of scalars.

    Attributes:
        by_hand: returns loss and gradients, one for each array of leaves; None where nobody would write it.
        loss: takes ``jax.numpy`` and the leaves; None where JAX has no short form of it.
        routine: as ``by_hand``, where NumPy has a routine that gives the same by another way.
    """

    by_hand: ByHand | None
    loss: Loss | None
    routine: ByHand | None = None


# All at once ------------------------------------------------------------------------------------------------


def attention(draw: Draw, n: int, *, causal: bool = True, heads: int = 1, d: int = 4) -> Reference:
    hidden = np.triu(np.full((n, n), -np.inf), 1) if causal else np.zeros((n, n))

    def split(rows: Any) -> Any:
        return rows.reshape(n, heads, d).swapaxes(0, 1)

    def join(blocks: Any) -> Any:
        return blocks.swapaxes(0, 1).reshape(n, heads * d)

    def by_hand(x: Floats, *matrices: Floats) -> tuple[float, tuple[Any, ...]]:
        q, k, v = (split(x @ m.T) for m in matrices)
        scores = 0.5 * (q @ k.swapaxes(1, 2)) + hidden
        scores -= scores.max(2, keepdims=True)
        weights = np.exp(scores, out=scores)
        weights /= weights.sum(2, keepdims=True)
        mixed = weights @ v
        dmixed = 2.0 * mixed
        dv = weights.swapaxes(1, 2) @ dmixed
        ds = dmixed @ v.swapaxes(1, 2)
        ds -= (ds * weights).sum(2, keepdims=True)
        ds *= weights
        ds *= 0.5
        back = [join(rows) for rows in (ds @ k, ds.swapaxes(1, 2) @ q, dv)]
        dx = sum(rows @ m for rows, m in zip(back, matrices, strict=True))
        return float((mixed * mixed).sum()), (dx, *(rows.T @ x for rows in back))

    def loss(xp: Any, x: Any, *matrices: Any) -> Any:
        q, k, v = (split(x @ m.T) for m in matrices)
        scores = 0.5 * (q @ k.swapaxes(1, 2)) + hidden
        powers = xp.exp(scores - scores.max(2, keepdims=True))
        return (((powers / powers.sum(2, keepdims=True)) @ v) ** 2).sum()

    return Reference(by_hand, loss)


def sorting_network(draw: Draw, n: int) -> Reference:
    sines = np.sin(np.arange(n))
    stages = [(1 << k, 1 << j) for k in range(1, n.bit_length()) for j in reversed(range(k))]
    rising = [(np.arange(n).reshape(-1, 2, j)[:, 0] & k) == 0 for k, j in stages]

    def by_hand(a: Floats) -> tuple[float, tuple[Any, ...]]:
        crossed = []
        for (_, j), up in zip(stages, rising, strict=True):
            low, high = (pairs := a.reshape(-1, 2, j))[:, 0], pairs[:, 1]
            swap = (low > high) == up
            crossed.append(swap)
            a = np.empty_like(pairs)
            a[:, 0], a[:, 1] = np.where(swap, high, low), np.where(swap, low, high)
        value = float(sines @ a.ravel())
        d = sines
        for (_, j), swap in zip(reversed(stages), reversed(crossed), strict=True):
            low, high = (pairs := d.reshape(-1, 2, j))[:, 0], pairs[:, 1]
            d = np.empty_like(pairs)
            d[:, 0], d[:, 1] = np.where(swap, high, low), np.where(swap, low, high)
        return value, (d,)

    def routine(a: Floats) -> tuple[float, tuple[Any, ...]]:
        order = a.argsort()
        d = np.empty(n)
        d[order] = sines
        return float(d @ a), (d,)

    def loss(xp: Any, a: Any) -> Any:
        for (_, j), up in zip(stages, rising, strict=True):
            pairs = a.reshape(-1, 2, j)
            low, high = xp.minimum(pairs[:, 0], pairs[:, 1]), xp.maximum(pairs[:, 0], pairs[:, 1])
            a = xp.stack([xp.where(up, low, high), xp.where(up, high, low)], 1)
        return sines @ a.ravel()

    return Reference(by_hand, loss, routine)


def fourier(draw: Draw, n: int) -> Reference:
    cosines = np.cos(np.arange(n))
    twists = [
        np.exp(-1j * math.pi * np.arange(m) / m)[:, None] for m in (1 << s for s in range(n.bit_length() - 1))
    ]

    def stages(xp: Any, z: Any) -> Any:
        a = z.reshape(1, n)
        for twist in twists:
            half = a.shape[1] // 2
            even, odd = a[:, :half], twist * a[:, half:]
            a = xp.concatenate([even + odd, even - odd])
        return a.ravel()

    def power(z: Any) -> Any:
        return cosines @ (z.real * z.real + z.imag * z.imag)

    def by_hand(re: Floats, im: Floats) -> tuple[float, tuple[Any, ...]]:
        z = stages(np, re + 1j * im)
        d = (2.0 * cosines * z).reshape(n, 1)
        for twist in reversed(twists):
            upper, lower = np.split(d, 2)
            d = np.concatenate([upper + lower, twist.conj() * (upper - lower)], 1)
        return float(power(z)), (d.real, d.imag)

    def routine(re: Floats, im: Floats) -> tuple[float, tuple[Any, ...]]:
        z = np.fft.fft(re + 1j * im)
        d = np.fft.ifft(2.0 * cosines * z, norm="forward")
        return float(power(z)), (d.real, d.imag)

    return Reference(by_hand, lambda xp, re, im: power(stages(xp, re + 1j * im)), routine)


def prefix_sums(draw: Draw, n: int) -> Reference:
    def by_hand(v: Floats) -> tuple[float, tuple[Any, ...]]:
        sums = v.cumsum()
        return float(sums @ sums), (2.0 * sums[::-1].cumsum()[::-1],)

    return Reference(by_hand, lambda xp, v: (xp.cumsum(v) ** 2).sum())


def lu(draw: Draw, n: int) -> Reference:
    def by_hand(x: Floats) -> tuple[float, tuple[Any, ...]]:
        a = x + n * np.eye(n)
        for k in range(n - 1):
            a[k + 1 :, k] /= a[k, k]
            a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
        pivots = a.diagonal()
        d = np.diag(1.0 / pivots)
        for k in reversed(range(n - 1)):
            factors, rest = a[k + 1 :, k], d[k + 1 :, k + 1 :]
            d[k, k + 1 :] -= factors @ rest
            back = rest @ a[k, k + 1 :] / pivots[k]
            d[k, k] += factors @ back
            d[k + 1 :, k] = -back
        return float(np.log(np.abs(pivots)).sum()), (d,)

    def routine(x: Floats) -> tuple[float, tuple[Any, ...]]:
        a = x + n * np.eye(n)
        return float(np.linalg.slogdet(a)[1]), (np.linalg.inv(a).T,)

    return Reference(by_hand, lambda xp, x: xp.linalg.slogdet(x + n * xp.eye(n))[1], routine)


def cholesky(draw: Draw, n: int) -> Reference:
    def by_hand(b: Floats) -> tuple[float, tuple[Any, ...]]:
        a = b @ b.T + n * np.eye(n)
        value = np.log(np.linalg.cholesky(a).diagonal()).sum()
        return float(value), (np.linalg.inv(a) @ b,)

    return Reference(
        by_hand, lambda xp, b: xp.log(xp.linalg.cholesky(b @ b.T + n * xp.eye(n)).diagonal()).sum()
    )


def mixture(draw: Draw, n: int) -> Reference:
    x = np.array(draw.given)[:, None]

    def by_hand(means: Floats, scales: Floats, weights: Floats) -> tuple[float, tuple[Any, ...]]:
        powers = np.exp(weights - weights.max())
        shares, inverse = powers / powers.sum(), np.exp(-scales)
        apart = x - means
        u = apart * inverse
        parts = np.exp(-0.5 * u * u) * (shares * inverse)
        density = parts.sum(1, keepdims=True)
        parts /= density
        du, counts = parts * u, parts.sum(0)
        dscales = counts - (du * apart).sum(0) * inverse
        return float(-np.log(density).sum()), (-du.sum(0) * inverse, dscales, n * shares - counts)

    def loss(xp: Any, means: Any, scales: Any, weights: Any) -> Any:
        powers = xp.exp(weights - weights.max())
        inverse = xp.exp(-scales)
        return -xp.log(
            (xp.exp(-0.5 * ((x - means) * inverse) ** 2) * (powers / powers.sum() * inverse)).sum(1)
        ).sum()

    return Reference(by_hand, loss)


def batch_norm(draw: Draw, n: int) -> Reference:
    sines = np.sin(np.arange(n))[:, None]

    def by_hand(x: Floats) -> tuple[float, tuple[Any, ...]]:
        apart = x - x.mean(0)
        scale = ((apart * apart).mean(0) + 1e-5) ** -0.5
        normal = apart * scale
        t = np.tanh(normal)
        d = sines * (1.0 - t * t)
        return float((sines * t).sum()), (scale * (d - d.mean(0) - normal * (d * normal).mean(0)),)

    def loss(xp: Any, x: Any) -> Any:
        apart = x - x.mean(0)
        return (sines * xp.tanh(apart * ((apart * apart).mean(0) + 1e-5) ** -0.5)).sum()

    return Reference(by_hand, loss)


def black_scholes(draw: Draw, n: int) -> Reference:
    from scipy.special import ndtr

    strikes, times = 1.5 + 0.01 * np.arange(n), 0.5 + 0.001 * np.arange(n)
    roots = np.sqrt(times)

    def value(xp: Any, normal: Any, prices: Any, pair: Any) -> Any:
        spot, sigma = prices + 2.0, pair[1] * pair[1] + 0.2
        width = sigma * roots
        d = (xp.log(spot / strikes) + (pair[0] + sigma * sigma * 0.5) * times) / width
        inside, discounted = normal(d), strikes * xp.exp(-pair[0] * times) * normal(d - width)
        return (spot * inside - discounted).sum(), spot, d, inside, discounted

    def by_hand(prices: Floats, pair: Floats) -> tuple[float, tuple[Any, ...]]:
        total, spot, d, inside, discounted = value(np, ndtr, prices, pair)
        vega = (spot * np.exp(-0.5 * d * d)) @ roots / math.sqrt(2.0 * math.pi)
        return float(total), (inside, np.array([discounted @ times, vega * 2.0 * pair[1]]))

    def loss(xp: Any, prices: Any, pair: Any) -> Any:
        from jax.scipy.special import ndtr as normal

        return value(xp, normal, prices, pair)[0]

    return Reference(by_hand, loss)


def matrix_products(draw: Draw, batch: int) -> Reference:
    def by_hand(a: Floats, b: Floats) -> tuple[float, tuple[Any, ...]]:
        t = np.tanh(a @ b.swapaxes(1, 2))
        d = 1.0 - t * t
        return float(t.sum()), (d @ b, d.swapaxes(1, 2) @ a)

    return Reference(by_hand, lambda xp, a, b: xp.tanh(a @ b.swapaxes(1, 2)).sum())


def gaussian_process(draw: Draw, n: int) -> Reference:
    y = np.array(draw.given)

    def kernel(xp: Any, places: Any, height: Any, length: Any, noise: Any) -> tuple[Any, Any]:
        apart = (places[:, None] - places) * xp.exp(-length)
        smooth = xp.exp(height - 0.5 * apart * apart)
        return apart, smooth

    def by_hand(places: Floats, hyper: Floats) -> tuple[float, tuple[Any, ...]]:
        own, near = math.exp(hyper[2]), math.exp(-hyper[1])
        apart, smooth = kernel(np, places, *hyper)
        covariance = smooth + own * np.eye(n)
        value = np.log(np.linalg.cholesky(covariance).diagonal()).sum()
        inverse = np.linalg.inv(covariance)
        solved = inverse @ y
        d = 0.5 * (inverse - np.outer(solved, solved))
        trace, d = d.trace(), d * smooth
        moved = d * apart
        dhyper = np.array([d.sum(), (moved * apart).sum(), own * trace])
        return float(0.5 * (y @ solved) + value), (-2.0 * near * moved.sum(1), dhyper)

    def loss(xp: Any, places: Any, hyper: Any) -> Any:
        from jax.scipy.linalg import solve_triangular

        factor = xp.linalg.cholesky(kernel(xp, places, *hyper)[1] + xp.exp(hyper[2]) * xp.eye(n))
        solved = solve_triangular(factor, y, lower=True)
        return 0.5 * (solved @ solved) + xp.log(factor.diagonal()).sum()

    return Reference(by_hand, loss)


def user_operation(draw: Draw, n: int) -> Reference:
    def by_hand(x: Floats) -> tuple[float, tuple[Any, ...]]:
        shares = 1.0 / (1.0 + np.abs(x))
        sums = (x * shares).sum(1, keepdims=True)
        return float((sums * sums).sum()), (2.0 * sums * (shares * shares),)

    return Reference(by_hand, lambda xp, x: ((x / (1.0 + xp.abs(x))).sum(1) ** 2).sum())


def nested_where(draw: Draw, n: int) -> Reference:
    def by_hand(points: Floats, centre: Floats) -> tuple[float, tuple[Any, ...]]:
        e = points - centre
        above, below, twice = e > 1.0, e < -1.0, 2.0 * e
        value = np.where(above, twice - 1.0, np.where(below, -twice - 1.0, e * e)).sum()
        d = np.where(above, 2.0, np.where(below, -2.0, twice))
        return float(value), (d, [-d.sum()])

    def loss(xp: Any, points: Any, centre: Any) -> Any:
        e = points - centre
        return xp.where(e > 1.0, 2.0 * e - 1.0, xp.where(e < -1.0, -2.0 * e - 1.0, e * e)).sum()

    return Reference(by_hand, loss)


def triangular_sums(draw: Draw, n: int) -> Reference:
    def by_hand(x: Floats, y: Floats) -> tuple[float, tuple[Any, ...]]:
        products = np.outer(y, x)
        sums = np.tril(np.sin(products)).sum(1)
        d = np.tril(np.cos(products))
        d *= 2.0 * sums[:, None]
        return float(sums @ sums), (y @ d, d @ x)

    return Reference(by_hand, lambda xp, x, y: (xp.tril(xp.sin(xp.outer(y, x))).sum(1) ** 2).sum())


def residual(draw: Draw, n: int) -> Reference:
    points = (4.0 * np.arange(n) / n - 2.0)[:, None]

    def parts(xp: Any, w: Any, b: Any, out: Any) -> tuple[Any, ...]:
        t = xp.tanh(points * w + b)
        slope = 1.0 - t * t
        bent = w * w * (-2.0 * t * slope) + t
        return t, slope, bent, bent @ out

    def by_hand(w: Floats, b: Floats, out: Floats) -> tuple[float, tuple[Any, ...]]:
        t, slope, bent, wrong = parts(np, w, b, out)
        d = (2.0 / n) * wrong
        dt = (w * w * (6.0 * t * t - 2.0) + 1.0) * slope
        back = d[:, None] * dt * out
        dw = (points * back).sum(0) - 4.0 * out * w * (d @ (t * slope))
        return float(wrong @ wrong) / n, (dw, back.sum(0), d @ bent)

    return Reference(by_hand, lambda xp, *given: (parts(xp, *given)[3] ** 2).mean())


def power_flow(draw: Draw, n: int) -> Reference:
    ends = np.array(draw.given, dtype=np.intp).reshape(-1, 2).T
    i, j = ends.copy()
    fixed = 0.1 * np.sin(np.arange(n))

    def by_hand(extra: Floats, angles: Floats) -> tuple[float, tuple[Any, ...]]:
        volts, turn = 1.0 + extra, angles[i] - angles[j]
        c, s = np.cos(turn), np.sin(turn)
        both, there, back = volts[i] * volts[j], 0.3 * c + 2.0 * s, 0.3 * c - 2.0 * s
        power = fixed + np.bincount(i, both * there, n) + np.bincount(j, both * back, n)
        di, dj = 2.0 * power[i], 2.0 * power[j]
        dboth = di * there + dj * back
        dturn = both * (di * (2.0 * c - 0.3 * s) - dj * (0.3 * s + 2.0 * c))
        dvolts = np.bincount(i, dboth * volts[j], n) + np.bincount(j, dboth * volts[i], n)
        return float(power @ power), (dvolts, np.bincount(i, dturn, n) - np.bincount(j, dturn, n))

    def loss(xp: Any, extra: Any, angles: Any) -> Any:
        volts, turn = 1.0 + extra, angles[i] - angles[j]
        both, c, s = volts[i] * volts[j], 0.3 * xp.cos(turn), 2.0 * xp.sin(turn)
        return ((fixed + xp.zeros(n).at[i].add(both * (c + s)).at[j].add(both * (c - s))) ** 2).sum()

    return Reference(by_hand, loss)


def bundle_adjustment(draw: Draw, n: int) -> Reference:
    seen = np.array(draw.given).reshape(-1, n, 2)

    def loss(xp: Any, views: Any, points: Any) -> Any:
        turn, move, focal = views[:, None, :3], views[:, None, 3:6], views[:, None, 6:]
        angle = xp.sqrt((turn * turn).sum(2, keepdims=True) + 1e-8)
        c, s = xp.cos(angle), xp.sin(angle) / angle
        along = (turn * points).sum(2, keepdims=True) * ((1.0 - c) / (angle * angle))
        there = c * points + s * xp.cross(turn, points[None]) + along * turn + move
        return (((1.0 + focal) / (there[..., 2:] + 8.0) * there[..., :2] - seen) ** 2).sum()

    return Reference(None, loss)


def convolutions(draw: Draw, batch: int, n: int = 6) -> Reference:
    images = np.array(draw.given).reshape(batch, n, n)
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), (1, 2)).reshape(-1, 9)

    def by_hand(kernels: Floats) -> tuple[float, tuple[Any, ...]]:
        z = windows @ kernels.T
        return float(np.maximum(z, 0.0).sum()), ((z > 0.0).T.astype(float) @ windows,)

    return Reference(by_hand, lambda xp, kernels: xp.maximum(windows @ kernels.T, 0.0).sum())


# Step by step -----------------------------------------------------------------------------------------------


def signal(steps: int) -> Floats:
    return np.array([[math.sin(t), math.cos(t)] for t in range(steps)])


def discounted_returns(draw: Draw, n: int) -> Reference:
    def by_hand(v: Floats) -> tuple[float, tuple[Any, ...]]:
        value, values = 0.0, []
        for reward in reversed(v.tolist()):
            value = reward + 0.9 * value
            values.append(value)
        d, back = 0.0, []
        for value in reversed(values):
            d = 2.0 * value + 0.9 * d
            back.append(d)
        return sum(x * x for x in values), (back,)

    def loss(xp: Any, v: Any) -> Any:
        from jax import lax

        def step(value: Any, reward: Any) -> Any:
            value = reward + 0.9 * value
            return value, value

        return (lax.scan(step, 0.0, v, reverse=True)[1] ** 2).sum()

    return Reference(by_hand, loss)


def rnn(draw: Draw, steps: int) -> Reference:
    x = signal(steps)

    def by_hand(w: Floats, u: Floats, b: Floats, state: Floats) -> tuple[float, tuple[Any, ...]]:
        driven = x @ u.T + b
        states, d = np.empty((steps + 1, len(b))), np.empty((steps, len(b)))
        states[0] = state
        for t in range(steps):
            states[t + 1] = state = np.tanh(w @ state + driven[t])
        first = states[1:, 0] - 0.5
        slopes, back = 1.0 - states[1:] ** 2, np.zeros(len(b))
        for t in reversed(range(steps)):
            back[0] += 2.0 * first[t]
            d[t] = back = back * slopes[t]
            back = back @ w
        return float(first @ first), (d.T @ states[:-1], d.T @ x, d.sum(0), back)

    def loss(xp: Any, w: Any, u: Any, b: Any, state: Any) -> Any:
        from jax import lax

        def step(state: Any, driven: Any) -> Any:
            state = xp.tanh(w @ state + driven)
            return state, state[0]

        return ((lax.scan(step, state, x @ u.T + b)[1] - 0.5) ** 2).sum()

    return Reference(by_hand, loss)


def lstm(draw: Draw, steps: int) -> Reference:
    x = signal(steps)

    def by_hand(
        w: Floats, u: Floats, b: Floats, hidden: Floats, cell: Floats
    ) -> tuple[float, tuple[Any, ...]]:
        n = len(cell)
        driven = x @ u.T + b
        hiddens, cells = np.empty((steps + 1, n)), np.empty((steps + 1, n))
        gates, squashed = np.empty((steps, 4 * n)), np.empty((steps, n))
        hiddens[0], cells[0] = hidden, cell
        for t in range(steps):
            z, gate = w @ hidden + driven[t], gates[t]
            gate[: 3 * n] = 1.0 / (1.0 + np.exp(-z[: 3 * n]))
            gate[3 * n :] = np.tanh(z[3 * n :])
            cells[t + 1] = cell = gate[n : 2 * n] * cell + gate[:n] * gate[3 * n :]
            squashed[t] = np.tanh(cell)
            hiddens[t + 1] = hidden = gate[2 * n : 3 * n] * squashed[t]
        error = hiddens[1:].sum(1) - 0.5
        slopes = gates * (1.0 - gates)
        slopes[:, 3 * n :] = 1.0 - gates[:, 3 * n :] ** 2
        bends = gates[:, 2 * n : 3 * n] * (1.0 - squashed * squashed)
        d = np.empty((steps, 4 * n))
        dhidden = dcell = np.zeros(n)
        for t in reversed(range(steps)):
            dhidden = dhidden + 2.0 * error[t]
            dcell = dcell + dhidden * bends[t]
            gate, row = gates[t], d[t]
            row[:n], row[n : 2 * n] = dcell * gate[3 * n :], dcell * cells[t]
            row[2 * n : 3 * n], row[3 * n :] = dhidden * squashed[t], dcell * gate[:n]
            row *= slopes[t]
            dcell = dcell * gate[n : 2 * n]
            dhidden = row @ w
        return float(error @ error), (d.T @ hiddens[:-1], d.T @ x, d.sum(0), dhidden, dcell)

    def loss(xp: Any, w: Any, u: Any, b: Any, hidden: Any, cell: Any) -> Any:
        from jax import lax, nn

        def step(state: Any, driven: Any) -> Any:
            i, f, o, g = xp.split(w @ state[0] + driven, 4)
            cell = nn.sigmoid(f) * state[1] + nn.sigmoid(i) * xp.tanh(g)
            hidden = nn.sigmoid(o) * xp.tanh(cell)
            return (hidden, cell), hidden.sum()

        return ((lax.scan(step, (hidden, cell), x @ u.T + b)[1] - 0.5) ** 2).sum()

    return Reference(by_hand, loss)


def n_body(draw: Draw, steps: int) -> Reference:
    def by_hand(place: Floats, speed: Floats) -> tuple[float, tuple[Any, ...]]:
        kept = []
        for _ in range(steps):
            apart = place - place[:, None]
            square = (apart * apart).sum(2, keepdims=True) + 0.1
            near = square**-1.5
            kept.append((apart, square, near))
            speed = speed + 0.01 * (apart * near).sum(1)
            place = place + 0.01 * speed
        value = float((place * place).sum())
        dplace, dspeed = 2.0 * place, np.zeros_like(speed)
        for apart, square, near in reversed(kept):
            dspeed = dspeed + 0.01 * dplace
            dforce = (0.01 * dspeed)[:, None]
            dnear = (dforce * apart).sum(2, keepdims=True)
            dapart = dforce * near - (3.0 * dnear * near / square) * apart
            dplace = dplace + dapart.sum(0) - dapart.sum(1)
        return value, (dplace, dspeed)

    def loss(xp: Any, place: Any, speed: Any) -> Any:
        from jax import lax

        def step(state: Any, _: Any) -> Any:
            place, speed = state
            apart = place - place[:, None]
            near = ((apart * apart).sum(2, keepdims=True) + 0.1) ** -1.5
            speed = speed + 0.01 * (apart * near).sum(1)
            return (place + 0.01 * speed, speed), None

        return (lax.scan(step, (place, speed), None, steps)[0][0] ** 2).sum()

    return Reference(by_hand, loss)


def delay_equation(draw: Draw, steps: int, lag: int = 17) -> Reference:
    def by_hand(v: Floats) -> tuple[float, tuple[Any, ...]]:
        x = v.tolist()
        for t in range(len(x), len(x) + steps):
            x.append(x[t - 1] * 0.9 + 0.1 * math.sin(x[t - lag]))
        d = [0.0] * (len(x) - 50) + [2.0 * a for a in x[-50:]]
        for t in reversed(range(len(v), len(x))):
            d[t - 1] += 0.9 * d[t]
            d[t - lag] += 0.1 * d[t] * math.cos(x[t - lag])
        return sum(a * a for a in x[-50:]), (d[: len(v)],)

    def loss(xp: Any, v: Any) -> Any:
        from jax import lax

        def step(recent: Any, _: Any) -> Any:
            new = recent[-1] * 0.9 + 0.1 * xp.sin(recent[0])
            return xp.append(recent[1:], new), new

        return (lax.scan(step, v[-lag:], None, steps)[1][-50:] ** 2).sum()

    return Reference(by_hand, loss)


def earlier_state(draw: Draw, steps: int) -> Reference:
    def by_hand(v: Floats) -> tuple[float, tuple[Any, ...]]:
        x = v.tolist()
        for t in range(1, steps):
            x.append(math.sin(x[t - 1] * 0.7 + x[t // 2] * 0.2))
        d = [0.0] * (steps - 50) + [2.0 * a for a in x[-50:]]
        for t in range(steps - 1, 0, -1):
            slope = d[t] * math.cos(x[t - 1] * 0.7 + x[t // 2] * 0.2)
            d[t - 1] += 0.7 * slope
            d[t // 2] += 0.2 * slope
        return sum(a * a for a in x[-50:]), (d[:1],)

    return Reference(by_hand, None)  # the whole past would be carried, and kept, from step to step


def heat(draw: Draw, steps: int) -> Reference:
    def move(xp: Any, u: Any) -> Any:
        around = xp.roll(u, -1, 0) + xp.roll(u, 1, 0) + xp.roll(u, -1, 1) + xp.roll(u, 1, 1)
        return u + 0.1 * (around - 4.0 * u)

    def by_hand(u: Floats) -> tuple[float, tuple[Any, ...]]:
        for _ in range(steps):
            u = move(np, u)
        d = 2.0 * u
        for _ in range(steps):
            d = move(np, d)
        return float((u * u).sum()), (d,)

    def loss(xp: Any, u: Any) -> Any:
        from jax import lax

        return (lax.scan(lambda u, _: (move(xp, u), None), u, None, steps)[0] ** 2).sum()

    return Reference(by_hand, loss)


def gru(draw: Draw, steps: int) -> Reference:
    x = signal(steps)

    def by_hand(w: Floats, u: Floats, b: Floats, hidden: Floats) -> tuple[float, tuple[Any, ...]]:
        n = len(hidden)
        driven = x @ u.T + b
        hiddens, fed = np.empty((steps + 1, n)), np.empty((steps, 3 * n))
        gates, news = np.empty((steps, 2 * n)), np.empty((steps, n))
        hiddens[0] = hidden
        for t in range(steps):
            z = np.matmul(w, hidden, out=fed[t])
            gates[t] = gate = 1.0 / (1.0 + np.exp(-(driven[t, : 2 * n] + z[: 2 * n])))
            news[t] = new = np.tanh(driven[t, 2 * n :] + gate[:n] * z[2 * n :])
            hiddens[t + 1] = hidden = new + gate[n:] * (hidden - new)
        error = hiddens[1:].sum(1) - 0.5
        slopes, bends, apart = gates * (1.0 - gates), 1.0 - news * news, hiddens[:-1] - news
        d, dz = np.empty((steps, 3 * n)), np.empty((steps, 3 * n))
        dhidden = np.zeros(n)
        for t in reversed(range(steps)):
            dhidden = dhidden + 2.0 * error[t]
            reset, update = gates[t, :n], gates[t, n:]
            dnew = dhidden * (1.0 - update) * bends[t]
            d[t, :n], d[t, n : 2 * n], d[t, 2 * n :] = dnew * fed[t, 2 * n :], dhidden * apart[t], dnew
            d[t, : 2 * n] *= slopes[t]
            dz[t] = d[t]
            dz[t, 2 * n :] *= reset
            dhidden = dhidden * update + dz[t] @ w
        return float(error @ error), (dz.T @ hiddens[:-1], d.T @ x, d.sum(0), dhidden)

    def loss(xp: Any, w: Any, u: Any, b: Any, hidden: Any) -> Any:
        from jax import lax, nn

        n = len(hidden)

        def step(hidden: Any, driven: Any) -> Any:
            z = w @ hidden
            gate = nn.sigmoid(driven[: 2 * n] + z[: 2 * n])
            new = xp.tanh(driven[2 * n :] + gate[:n] * z[2 * n :])
            hidden = new + gate[n:] * (hidden - new)
            return hidden, hidden.sum()

        return ((lax.scan(step, hidden, x @ u.T + b)[1] - 0.5) ** 2).sum()

    return Reference(by_hand, loss)


def hidden_markov(draw: Draw, steps: int) -> Reference:
    seen = np.array(draw.given, dtype=np.intp)

    def softmax(xp: Any, logits: Any) -> Any:
        powers = xp.exp(logits - logits.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)

    def by_hand(*logits: Floats) -> tuple[float, tuple[Any, ...]]:
        moves, shows = (softmax(np, each) for each in logits)
        k = len(moves)
        shown = shows.T[seen]
        states, moved = np.empty((steps + 1, k)), np.empty((steps, k))
        totals = np.empty(steps)
        states[0] = 1.0 / k
        for t in range(steps):
            moved[t] = states[t] @ moves
            new = moved[t] * shown[t]
            totals[t] = new.sum()
            states[t + 1] = new / totals[t]
        dmoved, dnews, back = np.empty((steps, k)), np.empty((steps, k)), np.zeros(k)
        for t in reversed(range(steps)):
            dnews[t] = (back - back @ states[t + 1] - 1.0) / totals[t]
            dmoved[t] = dnews[t] * shown[t]
            back = moves @ dmoved[t]
        dshows = np.zeros_like(shows.T)
        np.add.at(dshows, seen, dnews * moved)
        shares = [
            share * (d - (d * share).sum(1, keepdims=True))
            for share, d in ((moves, states[:-1].T @ dmoved), (shows, dshows.T))
        ]
        return float(-np.log(totals).sum()), tuple(shares)

    def loss(xp: Any, *logits: Any) -> Any:
        from jax import lax

        moves, shows = (softmax(xp, each) for each in logits)

        def step(states: Any, shown: Any) -> Any:
            states = (states @ moves) * shown
            total = states.sum()
            return states / total, xp.log(total)

        return -lax.scan(step, xp.full(len(moves), 1.0 / len(moves)), shows.T[seen])[1].sum()

    return Reference(by_hand, loss)


def riccati(draw: Draw, steps: int) -> Reference:
    def by_hand(a: Floats, s: Floats, p: Floats) -> tuple[float, tuple[Any, ...]]:
        own, kept = np.eye(len(a)), []
        for _ in range(steps):
            ap, ps = a @ p, p @ s
            kept.append((p, ps))
            p = p + 0.01 * (ap + ap.T + own - ps @ p)
        value = float((p * p).sum())
        d, da, ds = 2.0 * p, np.zeros_like(a), np.zeros_like(s)
        for p, ps in reversed(kept):
            step = 0.01 * d
            dap, dps = step + step.T, step @ p.T
            da += dap @ p.T
            ds -= p.T @ dps
            d = d + a.T @ dap - dps @ s.T - ps.T @ step
        return value, (da, ds, d)

    def loss(xp: Any, a: Any, s: Any, p: Any) -> Any:
        from jax import lax

        def step(p: Any, _: Any) -> Any:
            ap = a @ p
            return p + 0.01 * (ap + ap.T + xp.eye(len(a)) - p @ s @ p), None

        return (lax.scan(step, p, None, steps)[0] ** 2).sum()

    return Reference(by_hand, loss)


REFERENCES: dict[str, Callable[[Draw, int], Reference]] = {
    "full_attention": partial(attention, causal=False),
    "heads": partial(attention, heads=3),
} | {
    make.__name__: make
    for make in (
        attention,
        sorting_network,
        fourier,
        prefix_sums,
        discounted_returns,
        lu,
        cholesky,
        rnn,
        lstm,
        mixture,
        batch_norm,
        n_body,
        delay_equation,
        earlier_state,
        heat,
        black_scholes,
        matrix_products,
        gru,
        hidden_markov,
        riccati,
        gaussian_process,
        user_operation,
        nested_where,
        triangular_sums,
        residual,
        power_flow,
        bundle_adjustment,
        convolutions,
    )
}
