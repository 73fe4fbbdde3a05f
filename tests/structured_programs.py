"""Random structured programs: loops, tables and folds of random bounds, put together in any order.

A program is drawn as a list of stages. Each reads vectors that are there already, of leaves, data, constants
and what earlier stages made, and makes one more. What a stage does is drawn from a seed of its own whenever
it is run, so a program does the same at any point.
"""
# ruff: noqa: ARG001 - not every stage reads both vectors

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from autograd import maximum, minimum, ops, take, where

Vector = list[Any]
SQUASH = (ops.tanh, ops.sin, ops.sigmoid, ops.atan, ops.gauss, ops.relu, ops.abs)
PAIR = (ops.add, ops.sub, ops.mul, maximum, minimum, lambda a, b: 0.5 * a - b, lambda a, b: a / (2.0 + b * b))


# Folds of a vector to a number, of any length ---------------------------------------------------------------


def _sum(x: Vector) -> Any:
    return sum(x)


def _mean(x: Vector) -> Any:
    return sum(x) / len(x)


def _squares(x: Vector) -> Any:
    return sum(a * a for a in x)


def _powers(x: Vector) -> Any:
    return sum(a**2 for a in x) - x[0]


def _product(x: Vector) -> Any:
    total = 1.0 + 0.2 * ops.tanh(x[0])
    for a in x[1:]:
        total = total * (1.0 + 0.2 * ops.tanh(a))
    return total


def _greatest(x: Vector) -> Any:
    top = x[0]
    for a in x[1:]:
        top = maximum(top, a)
    return top


def _least(x: Vector) -> Any:
    bottom = x[-1]
    for a in x[-2::-1]:
        bottom = minimum(a, bottom)
    return bottom


def _log_sum(x: Vector) -> Any:
    return ops.log(1.0 + sum(ops.exp(ops.tanh(a)) for a in x))


def _alternating(x: Vector) -> Any:
    total = 0.0
    for i, a in enumerate(x):
        total = total - a if i % 2 else total + a
    return total


def _horner(x: Vector) -> Any:
    total = 0.0
    for a in x:
        total = 0.5 * total + a
    return total


FOLDS = (_sum, _mean, _squares, _powers, _product, _greatest, _least, _log_sum, _alternating, _horner)


# Stages: from vectors to a vector ---------------------------------------------------------------------------


def each(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """One function of every element, or one of some by its place."""
    functions = rng.choices(SQUASH, k=rng.choice((1, 1, 2, 3)))
    return [functions[i % len(functions)](a) for i, a in enumerate(x)]


def pairs(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """A function of two vectors, read with strides, either way; the shorter one repeated or cut."""
    x, y = x[rng.randrange(len(x)) :: rng.choice((1, 2, 3, -1, -2))], y[:: rng.choice((1, 1, 2, -1))]
    n = max(len(x), len(y)) if rng.random() < 0.5 else min(len(x), len(y))
    function = rng.choice(PAIR)
    return [function(x[i % len(x)], y[i % len(y)]) for i in range(n)]


def ragged(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """Folds of pieces of different lengths, which may overlap; with another vector's elements, or not."""
    fold, function = rng.choice(FOLDS), rng.choice(PAIR)
    rows = []
    for _ in range(rng.randint(1, 12)):
        start = rng.randrange(len(x))
        rows.append(x[start : start + rng.randint(1, 9)])
    if rng.random() < 0.5:
        rows = [[function(a, y[i % len(y)]) for i, a in enumerate(row)] for row in rows]
    return [fold(row) for row in rows]


def triangle(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """For every i a fold over the j before it, after it, or up to it: a triangle of pairs."""
    n, function, fold = min(len(x), len(y), 9), rng.choice(PAIR), rng.choice(FOLDS)
    bounds = rng.choice(
        (lambda i: range(i + 1), lambda i: range(i, n), lambda i: range(i), lambda i: range(i + 1, n))
    )
    rows = [[function(x[i], y[j]) for j in bounds(i)] for i in range(n)]
    return [fold(row) if row else 0.25 for row in rows]


def diagonals(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """A vector taken for a matrix: folds along its diagonals, rows and columns."""
    width = rng.randint(1, min(7, len(x)))
    height, fold = max(1, min(7, len(x) // width)), rng.choice(FOLDS)
    sign = rng.choice((1, -1))
    found: dict[int, Vector] = {}
    along = rng.choice((lambda i, j: i + sign * j, lambda i, _: i, lambda _, j: j))
    for i in range(height):
        for j in range(width):
            found.setdefault(along(i, j), []).append(x[i * width + j])
    return [fold(found[key]) for key in sorted(found)]


def stages(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """The same step again and again on permuted elements: a butterfly, a sorting network, a shuffle."""
    z, function = x[:16], rng.choice(PAIR)
    same = rng.sample(range(len(z)), len(z))
    for _ in range(rng.randint(1, 8)):
        order = same if rng.random() < 0.5 else rng.sample(range(len(z)), len(z))
        z = [ops.tanh(function(a, z[k])) for a, k in zip(z, order, strict=True)]
    return z


def gather(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """Elements at random places, some often; of two vectors and constants."""
    either = [*x, *y, 0.5]
    return [either[rng.randrange(len(either))] for _ in range(rng.choice((1, 4, 20, 45)))]


def scatter(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """Sums in random buckets."""
    buckets: Vector = [0.0] * rng.randint(1, 8)
    for i, a in enumerate(x):
        buckets[rng.randrange(len(buckets))] += a * y[i % len(y)]
    return buckets


def running(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """Partial sums, products or extremes, used again: themselves, their differences, or some of them."""
    step = rng.choice((ops.add, ops.add, maximum, minimum, lambda a, b: 0.7 * a + b, lambda a, b: a * b))
    sums = list(accumulate(x, step))
    kind = rng.randrange(4)
    if kind == 0:
        return sums
    if kind == 1:
        width = rng.randint(1, 5)
        return [b - a for a, b in zip(sums, sums[width:], strict=False)] or sums
    if kind == 2:
        return [sums[rng.randrange(len(sums))] * a for a in y]
    return [*sums[:: rng.randint(1, 4)], sums[-1] * sums[len(sums) // 2]]


def shared(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """A number computed once and used with every element; perhaps twice."""
    function, fold = rng.choice(PAIR), rng.choice(FOLDS)
    number = fold(x)
    z = [function(a, number) for a in y]
    if rng.random() < 0.5:
        other = rng.choice(FOLDS)(z)
        z = [function(other, a * number) for a in z]
    return z


def nested(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """Loops in loops of random bounds, that carry a number along."""
    p, q, decay = rng.randint(0, 3), rng.randint(0, 3), rng.choice((0.5, 0.9, -0.3))
    found: Vector = []
    state: Any = y[0]
    for i in range(rng.randint(1, 8)):
        if rng.random() < 0.3:
            state = y[i % len(y)]
        for j in range(rng.randint(0, 7)):
            state = decay * state + x[(p * i + q * j) % len(x)] * y[j % len(y)]
        found.append(ops.tanh(state) if p else state)
    return found


def lags(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """A recurrence over several earlier states, with or without an input."""
    places = sorted(rng.sample(range(1, 8), rng.randint(1, 3)))
    function = rng.choice((ops.tanh, ops.sin, lambda a: 0.5 * a, ops.relu))
    states = [x[i % len(x)] for i in range(places[-1])]
    driven, weighted = rng.random() < 0.5, rng.random() < 0.5
    for t in range(rng.choice((3, 12, 40))):
        terms = [states[-place] * (y[k % len(y)] if weighted else 0.4) for k, place in enumerate(places)]
        states.append(function(sum(terms) + (y[t % len(y)] if driven else 0.1)))
    return states


def earlier(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """A recurrence over the last state and one of any before."""
    states, kind, function = [x[0], y[0]], rng.randrange(3), rng.choice(PAIR)
    for t in range(2, rng.choice((6, 20, 50))):
        place = (t // 2, rng.randrange(t), t - 1 - (t * 7) % min(t, 5))[kind]
        states.append(ops.tanh(function(states[-1], states[place]) + 0.1 * x[t % len(x)]))
    return states


def table(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """Dynamic programming: every cell from those above and to the left of it; the last row or all."""
    height, width, best = rng.randint(1, 6), rng.randint(1, 6), rng.choice((maximum, minimum, ops.add))
    row = [y[j % len(y)] for j in range(width + 1)]
    cells: Vector = []
    for i in range(height):
        new = [x[i % len(x)]]
        for j in range(width):
            new.append(best(0.5 * row[j] + x[(i + j) % len(x)], best(0.5 * row[j + 1], 0.5 * new[j])))
        row = new
        cells += row
    return row if rng.random() < 0.5 else cells


def elimination(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """In place: from every element something of those after it, or before it, is taken off."""
    z, back = x[:10], rng.random() < 0.5
    order = range(len(z))[::-1] if back else range(len(z))
    for k in order:
        for i in range(k) if back else range(k + 1, len(z)):
            z[i] = z[i] - 0.3 * z[k] * y[(i * k) % len(y)]
        if k % 2:
            z[k] = ops.tanh(z[k])
    return z


def products(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """A matrix by a vector, or by itself."""
    n = rng.randint(1, 5)
    matrix = [[x[(i * n + j) % len(x)] for j in range(n)] for i in range(n)]
    vector = [y[i % len(y)] for i in range(n)]
    if rng.random() < 0.5:
        columns = list(zip(*matrix, strict=True))
        matrix = [[ops.tanh(sum(a * b for a, b in zip(r, c, strict=True))) for c in columns] for r in matrix]
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def chosen(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """Selections by comparisons, by the place, and clamped."""
    return [
        where(ops.greater(a, y[i % len(y)]), ops.sin(a), y[i % len(y)] * 0.5)
        if i % 3
        else ops.clamp(a, -0.5, 0.7)
        for i, a in enumerate(x)
    ]


def constants(rng: random.Random, x: Vector, y: Vector) -> Vector:
    """Constants in every place, a mixture of the same and of different ones, 0 and 1 among them."""
    few, many = rng.random() < 0.5, (0.0, 1.0, -1.0, 0.5, 2.0)
    return [
        a * (rng.choice(many) if few else rng.uniform(-1, 1)) + rng.choice((0.0, -0.0, 1.0, rng.random()))
        for a in x
    ]


STAGES = (
    each, pairs, ragged, triangle, diagonals, stages, gather, scatter, running, shared, nested, lags, earlier,
    table, elimination, products, chosen, constants,
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A random program: lengths of its vectors of parameters and of data, its stages, and what it returns.

    Attributes:
        parameters: how many there are.
        data: how many numbers a point of the data has.
        counts: for each index, which follow the data, how many items it chooses from.
        kinds: the names of the stages.
        build: from parameters, data and indices to a dict of outputs and a list of what else is computed.
    """

    parameters: int
    data: int
    counts: tuple[int, ...]
    kinds: tuple[str, ...]
    build: Callable[[Sequence[Any], Sequence[Any], Sequence[Any]], tuple[dict[str, Any], list[Any]]]

    def point(self, rng: random.Random) -> tuple[list[float], list[float], list[float]]:
        """Draw parameters, data and indices."""
        parameters = [rng.uniform(-1.0, 1.0) for _ in range(self.parameters)]
        data = [rng.uniform(-1.0, 1.0) for _ in range(self.data)]
        return parameters, data, [float(rng.randrange(count)) for count in self.counts]


def draw(rng: random.Random, longest: int = 40) -> Program:
    """Draw a program of 2 to 7 stages."""
    lengths = [rng.choice((1, 2, 5, 12, longest)) for _ in range(rng.randint(1, 3))]
    given = [rng.choice((1, 3, 8)) for _ in range(rng.randint(0, 2))]
    counts = tuple(rng.randint(1, 5) for _ in range(rng.choice((0, 0, 1, 2))))
    fixed = [[rng.choice((0.5, -1.0, rng.random())) for _ in range(6)]] if rng.random() < 0.3 else []
    recipe = [(rng.choice(STAGES), rng.randrange(10**9)) for _ in range(rng.randint(2, 7))]
    ending = rng.randrange(10**9)

    def build(
        parameters: Sequence[Any], data: Sequence[Any], indices: Sequence[Any]
    ) -> tuple[dict[str, Any], list[Any]]:
        rest = iter((*parameters, *data))
        made = [[next(rest) for _ in range(n)] for n in (*lengths, *given)] + fixed
        for stage, seed in recipe:
            own = random.Random(seed)
            x, y = (own.choice(made[-4:] if own.random() < 0.6 else made) for _ in range(2))
            z = stage(own, x, y)
            made.append([ops.tanh(a) for a in z] if own.random() < 0.3 else z[:60])
        own = random.Random(ending)
        taken = [
            take([x[k % len(x)] for k in range(count)], index)
            for count, index in zip(counts, indices, strict=True)
            for x in [own.choice(made)]
        ]
        folds = [own.choice(FOLDS)(x) for x in made[len(lengths) :]] + taken
        loss = sum(folds) + 0.0 * parameters[0]
        outputs = {"loss": loss, "folds": folds[-own.randint(1, 3) :], "element": made[-1][-1]}
        kept = {name: outputs[name] for name in own.sample(sorted(outputs), own.choice((0, 0, 1, 2)))} | {
            "loss": loss
        }
        return _values(kept), _values(made[-2][:5])

    kinds = tuple(stage.__name__ for stage, _ in recipe)
    return Program(sum(lengths), sum(given), counts, kinds, build)


def _values(nested: Any) -> Any:
    """Leave out what is a plain number and no Value."""
    if isinstance(nested, dict):
        return {key: _values(item) for key, item in nested.items() if not isinstance(item, float)}
    return [item for item in nested if not isinstance(item, float)] if isinstance(nested, list) else nested
