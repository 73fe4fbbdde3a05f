"""Random plans: every kind of statement, place and loop, for holding engines against each other."""

import random

import numpy as np

from autograd import ops
from autograd.compiler.plan import Apply, Loop, Place, Plan, Statement

SMOOTH = [ops.add, ops.sub, ops.mul, ops.tanh, ops.sin, ops.exp, ops.sigmoid, ops.relu, ops.maximum, ops.where, ops.abs]


def plan_of(forward, reverse=(), *, size, parameters=0, constants=(), cleared=()):
    """Return a plan of some statements."""
    return Plan(
        parameters=parameters,
        constants=np.array(constants, float),
        fixed=size,
        data=0,
        size=size,
        regions=(),
        forward=tuple(forward),
        reverse=tuple(reverse),
        cleared=tuple(cleared),
        outputs=(),
    )


class Random:
    """Makes plans whose statements read the first half of the cells, or what came before, and write others.

    Args:
        seed: what the plan depends on.
    """

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.inputs = 200  # cells with small numbers
        self.indices = 20  # then cells with indices 0 to 3
        self.end = self.inputs + self.indices
        self.written = []  # (start, stop) of cells that statements have written

    def plan(self):
        """Return a plan and what its first cells hold."""
        forward = [self.step() for _ in range(self.random.randint(2, 8))]
        reverse = [self.step("d") for _ in range(self.random.randint(0, 4))]
        numbers = [self.random.uniform(-2, 2) for _ in range(self.inputs)]
        numbers += [float(self.random.randint(0, 3)) for _ in range(self.indices)]
        return plan_of(forward, reverse, size=self.end, parameters=self.end, cleared=[(0, self.end)]), np.array(numbers)

    def step(self, memory="v"):
        if self.random.random() < 0.3:
            return self.loop(memory)
        return self.statement(memory, self.shape())

    def shape(self):
        longest = self.random.choice([3, 5, 9, 20])
        return tuple(self.random.randint(1, longest) for _ in range(self.random.randint(0, 3)))

    def loop(self, memory):
        length = self.random.randint(1, 6)
        body, starts = [], []
        for _ in range(self.random.randint(1, 4)):
            if self.random.random() < 0.3:
                bounds = np.cumsum([0, *(self.random.randint(0, 4) for _ in range(length))])
                body.append(self.statement(memory, (int(bounds[-1]), *self.shape()[:2]), first_kept=True))
                starts.append(bounds.astype(np.intp))
            else:
                body.append(self.statement(memory, (length, *self.shape()[:2]), first_kept=True))
                starts.append(None)
        return Loop(tuple(body), tuple(starts), length, self.random.random() < 0.5)

    def statement(self, memory, shape, first_kept=False):
        summed = self.random.choice([0, 0, 1, 2]) if shape else 0
        summed = min(summed, len(shape) - first_kept)
        readable = list(self.written)
        expression = self.expression(shape, memory, readable, self.random.randint(0, 3))
        kept = len(shape) - summed
        adds = self.random.random() < 0.4
        target = self.target(memory, shape, kept, adds)
        return Statement(target, expression, shape, summed, adds, "random")

    def target(self, memory, shape, kept, adds):
        """Return a place of new cells; where results are added several points may share one."""
        axes = list(range(kept))
        self.random.shuffle(axes)
        strides, reach = [0] * len(shape), 1
        gap = self.random.choice([1, 1, 1, 2])
        for axis in axes:
            if adds and self.random.random() < 0.3:
                continue
            strides[axis] = reach * gap
            reach *= max(1, shape[axis])
        table = None
        if kept and self.random.random() < 0.25:
            rank = self.random.randint(1, kept)
            if adds:
                table = np.array([self.random.randrange(10) for _ in range(int(np.prod(shape[:rank])))])
            else:
                table = np.array(self.random.sample(range(2 * int(np.prod(shape[:rank]))), int(np.prod(shape[:rank]))))
                table = table * reach * gap  # other rows of cells
            table = table.reshape(shape[:rank]).astype(np.intp)
            if not adds:
                inner = [a for a in axes if a >= rank]
                strides = [0] * len(shape)
                reach = 1
                for axis in inner:
                    strides[axis] = reach * gap
                    reach *= max(1, shape[axis])
        place = Place(memory, self.end, tuple(strides), table)
        addresses = place.addresses(shape)
        last = int(addresses.max()) + 1 if addresses.size else self.end
        if strides and self.random.random() < 0.2 and table is None:  # the same cells backwards
            place = Place(memory, last - 1, tuple(-s for s in strides))
        if memory == "v" or True:
            self.written.append((memory, self.end, last))
        self.end = last
        return place

    def expression(self, shape, memory, readable, depth):
        if depth == 0 or self.random.random() < 0.2:
            if self.random.random() < 0.15:
                return self.random.choice([0.0, 1.0, -1.0, 2.0, 0.5])
            return self.place(shape, memory, readable)
        row = self.random.choice(SMOOTH)
        return Apply(row, tuple(self.expression(shape, memory, readable, depth - 1) for _ in range(row.arity)))

    def place(self, shape, memory, readable):
        """Return a place to read, with strides or a table that stay within the cells of one kind."""
        spaces = [("v", 0, self.inputs), *(space for space in readable if space[0] == "v" or memory == "d")]
        name, start, stop = self.random.choice([spaces[0], self.random.choice(spaces)])
        if stop - start <= 0:
            name, start, stop = spaces[0]
        if self.random.random() < 0.12 and name == "v" and start == 0:
            choice = self.plain("v", self.inputs, self.inputs + self.indices, shape)
            step = self.random.randint(1, 5)
            inner = self.plain("v", 0, self.inputs - 4 * step, shape)
            return Place("v", inner.base, inner.strides, inner.table, choice, step)
        return self.plain(name, start, stop, shape)

    def plain(self, name, start, stop, shape):
        room = stop - start - 1
        strides, base = [0] * len(shape), start
        axes = list(range(len(shape)))
        self.random.shuffle(axes)
        reach = 1
        for axis in axes:
            stride = self.random.choice([0, reach, reach, 1, 2, -1, 17])
            if self.random.random() < 0.6 and axis == len(shape) - 1:
                stride = 1
            far = abs(stride) * max(0, shape[axis] - 1)
            if far <= room:
                strides[axis] = stride
                room -= far
                base += far if stride < 0 else 0
                reach = abs(stride) * max(1, shape[axis]) or reach
        table = None
        if shape and self.random.random() < 0.2:
            rank = self.random.randint(1, len(shape))
            count = int(np.prod(shape[:rank]))
            table = np.array([self.random.randint(0, room) for _ in range(count)]).reshape(shape[:rank]).astype(np.intp)
        elif room:
            base += self.random.randint(0, room)
        return Place(name, base, tuple(strides), table)
