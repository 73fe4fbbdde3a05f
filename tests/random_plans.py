"""Random valid plans: every kind of place, sum, addition and loop, in shapes that are small but not equal."""

import random
from typing import Any

import numpy as np

from autograd import ops
from autograd.compiler.plan import Apply, Expression, Loop, Place, Plan, Region, Statement, Step
from tests.plain_engine import PlainEngine

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, float("inf"), float("-inf"), float("nan"))
LINEAR = (ops.add, ops.sub, ops.mul, ops.neg)
TAME = (
    *LINEAR,
    ops.tanh,
    ops.sigmoid,
    ops.relu,
    ops.where,
    ops.maximum,
    ops.less_equal,
    ops.greater,
    ops.abs,
)


class Maker:
    """Makes plans.

    Every statement writes to cells that are its own, or adds to cells of the adjoints, and reads any cells
    before those it writes.

    Args:
        seed: of the random numbers.
        size: about how many points a statement has.
    """

    def __init__(self, seed: int, size: int = 40, rows: Any = TAME) -> None:
        self.rng = random.Random(seed)
        self.size = size
        self.rows = rows
        self.inputs = self.rng.randint(20, 60)
        self.top = {"v": self.inputs, "d": self.inputs}
        self.items = self.rng.randint(2, 5)  # the last inputs are small integers, to choose by
        self.regions: list[Region] = []

    def plan(self, count: int = 6) -> Plan:
        """Return a plan with so many steps forward and backward."""
        forward = [self.step("v") for _ in range(count)]
        reverse = [self.step("d") for _ in range(count)]
        constants = np.array([self.rng.uniform(-1, 1) for _ in range(self.rng.randint(0, 5))])
        size = max(self.top.values()) + 5 + len(constants)
        first = self.inputs - 10
        return Plan(
            parameters=first,
            fixed=first,
            data=10,
            constants=constants,
            size=size,
            regions=tuple(self.regions),
            forward=tuple(forward),
            reverse=tuple(reverse),
            cleared=((0, size // 2), (size // 2, size)),
            outputs=(self.top["v"] - 1,),
        )

    def fill(self, plan: Plan, v: Any, *, special: bool = False) -> None:
        """Set the parameters and the data of a memory."""
        for address in [*range(plan.parameters), *range(plan.fixed, self.inputs)]:
            v[address] = self.rng.uniform(-2, 2)
            if special and self.rng.random() < 0.2:
                v[address] = self.rng.choice(SPECIAL)
        v[self.inputs - 5 : self.inputs] = [self.rng.randrange(self.items) for _ in range(5)]

    def engines(self, before: Plan, after: Plan) -> list[PlainEngine]:
        """Return engines of a plan and of another form of it, on the same numbers."""
        engines = [PlainEngine(before), PlainEngine(after)]
        self.fill(before, engines[0].v)
        engines[1].v[:] = engines[0].v
        return engines

    def step(self, memory: str) -> Step:
        """Return a statement or a loop."""
        kind = self.rng.random()
        if kind < 0.65:
            return self.statement(memory, self.shape())
        return self.loop(memory)

    def shape(self) -> list[int]:
        """Return the lengths of some axes."""
        rank = self.rng.choice((0, 1, 1, 2, 2, 2, 3, 3, 4))
        most = max(2, round(self.size ** (1 / max(rank, 1))) + 1)
        return [self.rng.choice((1, 2, 3, self.rng.randint(1, most))) for _ in range(rank)]

    def loop(self, memory: str) -> Loop:
        """Return a loop, regular or ragged, perhaps a recurrence."""
        length, backward = self.rng.choice((1, 2, 5, 9)), self.rng.random() < 0.5
        body, starts = [], []
        for _ in range(self.rng.randint(1, 3)):
            if self.rng.random() < 0.4:
                sizes = [self.rng.choice((0, 1, 2, 4)) for _ in range(length)]
                if self.rng.random() < 0.3:
                    sizes = [2] * length
                first = self.rng.randint(0, 2)
                bounds = first + np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
                body.append(self.statement(memory, [int(bounds[-1]), *self.shape()[:2]], loop=True))
                starts.append(bounds)
            elif self.rng.random() < 0.4:
                body.append(self.recurrence(memory, length, backward=backward))
                starts.append(None)
            else:
                body.append(self.statement(memory, [length, *self.shape()[:3]], loop=True))
                starts.append(None)
        return Loop(tuple(body), tuple(starts), length, backward)

    def recurrence(self, memory: str, length: int, *, backward: bool) -> Statement:
        """Return a statement in which a step reads what the last one wrote."""
        rest = self.shape()[:2]
        width = int(np.prod(rest, dtype=int))
        base = self.top[memory]
        self.top[memory] += (length + 1) * width
        strides = _contiguous([length, *rest])
        first, second = (base + width, base) if not backward else (base, base + width)
        target, state = Place(memory, first, strides), Place(memory, second, strides)
        other = self.place(memory, [length, *rest], base)
        expression = self.rng.choice(
            (
                Apply(ops.add, (state, other)),
                Apply(ops.maximum, (state, other)),
                Apply(ops.mul, (other, state)),
                Apply(ops.add, (Apply(ops.mul, (0.5, state)), other)),
                Apply(ops.tanh, (Apply(ops.add, (state, other)),)),
                state,
            )
        )
        adds = memory == "d" and self.rng.random() < 0.5
        return Statement(target, expression, (length, *rest), 0, adds, "a recurrence")

    def statement(self, memory: str, shape: list[int], *, loop: bool = False) -> Statement:
        """Return a statement."""
        most = len(shape) - 1 if loop else len(shape)
        summed = self.rng.randint(0, most) if self.rng.random() < 0.6 else 0
        adds = memory == "d" and self.rng.random() < 0.7
        below = self.top[memory]
        if adds and self.rng.random() < 0.8:
            below = self.rng.randint(self.inputs // 2, below)
            target = self.target(memory, shape, summed, below, repeats=True)
        else:
            target = self.target(memory, shape, summed, below, repeats=adds)
            self.top[memory] = max(self.top[memory], below + _extent(target, shape, below))
        expression = self.expression(memory, shape, below)
        return Statement(target, expression, tuple(shape), summed, adds, self.rng.choice(("", "a name")))

    def target(self, memory: str, shape: list[int], summed: int, base: int, *, repeats: bool) -> Place:
        """Return a place for the results at or above an address."""
        kept = shape[: len(shape) - summed]
        order = list(range(len(kept)))
        if self.rng.random() < 0.3:
            self.rng.shuffle(order)
        strides, step = [0] * len(shape), self.rng.choice((1, 1, 1, 2))
        for axis in reversed(order):
            strides[axis] = step
            step *= shape[axis]
        if repeats:
            room = self.top[memory] - base
            for axis in range(len(kept)):
                if self.rng.random() < 0.3:
                    strides[axis] = self.rng.choice((0, 0, 1))
            if memory == "d" and room < sum(s * (n - 1) for s, n in zip(strides, shape, strict=True)) + 1:
                base = max(self.top[memory], base)
                self.top[memory] = (
                    base + sum(s * max(n - 1, 0) for s, n in zip(strides, shape, strict=True)) + 1
                )
        if kept and self.rng.random() < 0.3:
            rank = self.rng.randint(1, len(kept))
            count = int(np.prod(kept[:rank], dtype=int))
            width = max(
                1, sum(abs(s) * max(n - 1, 0) for s, n in zip(strides[rank:], shape[rank:], strict=True)) + 1
            )
            places = list(range(count))
            if repeats:
                places = [self.rng.randrange(max(1, count // 2)) for _ in range(count)]
            if self.rng.random() < 0.3:
                places.sort()
            else:
                self.rng.shuffle(places)
            table = np.array(places, dtype=np.intp).reshape(kept[:rank]) * width
            strides[:rank] = [0] * rank
            if repeats and memory == "d":
                base = self.top[memory]
                self.top[memory] += count * width + 1
            return Place(memory, base, tuple(strides), table)
        if kept and repeats and self.rng.random() < 0.1:
            return self.chosen(memory, shape, tuple(strides), len(kept))
        return Place(memory, base, tuple(strides))

    def chosen(self, memory: str, shape: list[int], strides: tuple[int, ...], kept: int) -> Place:
        """Return a place that a datum chooses."""
        width = sum(abs(s) * max(n - 1, 0) for s, n in zip(strides, shape, strict=True)) + 1
        step = self.rng.choice((width, width + 1))
        base = self.inputs
        if memory == "d":
            base = self.top["d"]
            self.top["d"] += step * self.items + 1
        axis_strides = [self.rng.choice((0, 1)) if n <= 2 and a < kept else 0 for a, n in enumerate(shape)]
        first = self.inputs - 5 + self.rng.randint(0, 4 - sum(axis_strides) if sum(axis_strides) < 4 else 0)
        return Place(memory, base, strides, None, Place("v", first, tuple(axis_strides)), step)

    def place(self, memory: str, shape: list[int], below: int) -> Place:
        """Return a place to read, all of it below an address."""
        memory = self.rng.choice(("v", memory))
        limit = min(below, self.top["v"]) if memory == "v" else below
        if memory == "v" and below > self.inputs and self.top["v"] >= below:
            limit = self.top["v"] if self.rng.random() < 0.0 else limit
        while True:
            strides = list(_contiguous(shape))
            kind = self.rng.random()
            if kind < 0.5:
                strides = [self.rng.choice((0, s, s, 1)) for s in strides]
            elif kind < 0.6:
                strides = [self.rng.choice((-1, 0, 2)) for _ in strides]
            table = None
            if shape and self.rng.random() < 0.3:
                rank = self.rng.randint(1, len(shape))
                strides[:rank] = [self.rng.choice((0, 0, 1)) for _ in range(rank)]
                factor = self.rng.choice((1, 1, 2, 4))
                count = int(np.prod(shape[:rank], dtype=int))
                values = [
                    factor * self.rng.randrange(max(1, min(limit // 2, 30) // factor)) for _ in range(count)
                ]
                if self.rng.random() < 0.2:
                    values = list(range(count))
                table = np.array(values, dtype=np.intp).reshape(shape[:rank])
            low = sum(min(s, 0) * max(n - 1, 0) for s, n in zip(strides, shape, strict=True))
            high = sum(max(s, 0) * max(n - 1, 0) for s, n in zip(strides, shape, strict=True))
            high += 0 if table is None or not table.size else int(table.max())
            if high - low < limit:
                base = self.rng.randint(-low, limit - 1 - high)
                break
            if self.rng.random() < 0.3:
                base, strides, table = self.rng.randrange(limit), [0] * len(shape), None
                break
        if memory == "v" and self.rng.random() < 0.1:
            step = self.rng.choice((1, 2, 3))
            if base + high + step * self.items < limit:
                axis_strides = [self.rng.choice((0, 1)) if n <= 2 else 0 for n in shape]
                first = self.inputs - 5
                if sum(axis_strides) <= 4:
                    return Place(
                        "v", base, tuple(strides), table, Place("v", first, tuple(axis_strides)), step
                    )
        return Place(memory, base, tuple(strides), table)

    def expression(self, memory: str, shape: list[int], below: int) -> Expression:
        """Return an expression, often a product."""
        kind = self.rng.random()
        if kind < 0.15:
            return self.place(memory, shape, below)
        if kind < 0.5:
            product: Expression = self.place(memory, shape, below)
            for _ in range(self.rng.randint(1, 2)):
                product = Apply(ops.mul, (product, self.place(memory, shape, below)))
            return product
        return self.tree(memory, shape, below, 3)

    def tree(self, memory: str, shape: list[int], below: int, depth: int) -> Expression:
        """Return a random expression."""
        if depth == 0 or self.rng.random() < 0.25:
            if self.rng.random() < 0.2:
                return self.rng.choice((0.5, -1.0, 2.0, 0.0, 1.0))
            return self.place(memory, shape, below)
        row = self.rng.choice(self.rows)
        arguments = tuple(self.tree(memory, shape, below, depth - 1) for _ in range(row.arity))
        if self.rng.random() < 0.2 and row.arity > 1:
            arguments = (arguments[0],) * row.arity
        return Apply(row, arguments)


def _contiguous(shape: list[int]) -> tuple[int, ...]:
    strides, step = [], 1
    for length in reversed(shape):
        strides.insert(0, step)
        step *= length
    return tuple(strides)


def _extent(place: Place, shape: list[int], base: int) -> int:
    addresses = place.addresses(shape)
    return int(addresses.max()) + 1 - base if addresses.size else 0
