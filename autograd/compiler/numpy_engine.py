"""The engine that is always there: a plan as a program of NumPy calls.

The program is text, made from the plan and compiled once by Python. What it refers to, views of the memories
and tables of addresses, is made before; `NumpyEngine.source` writes that down, too.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from itertools import groupby
from textwrap import indent
from typing import Any

import numpy as np

from autograd.compiler import float_loops, float_slices
from autograd.compiler import names as helpers
from autograd.compiler.arrays import Lines
from autograd.compiler.floats import Straight, costs, is_plain, points_of, primitives
from autograd.compiler.folds import Chains, find_chains, running_fold
from autograd.compiler.invariants import hoisted
from autograd.compiler.names import Names
from autograd.compiler.plan import Array, Loop, Place, Plan, Region, Statement, Step, allocate, places_of
from autograd.compiler.spaces import regular

PART = 300
"""The most statements in one function: Python needs more than proportional time for longer ones."""

STRAIGHT = 300
"""The same for lines on floats, each of which makes a local variable."""

SMALL = 24
"""The most terms of a statement that is written out on floats."""

BLOCK = 8192
"""The points of a block of a large statement: few such arrays fill the fast cache of a core."""

CROSSING, CALLING, CELL = 2.5, 0.4, 0.05
"""The microseconds that it takes to fetch numbers from the memories and put them back: at most; for the call;
and for each number."""


class NumpyEngine:
    """Runs a plan with NumPy.

    Args:
        plan: the program.
        v: the memory of values, given by another engine, or None for a new one.
        d: the memory of adjoints, or None.

    Attributes:
        plan: the program.
        v: the values, of shape (plan.size,).
        d: the adjoints, of shape (plan.size,).
        forward: computes the values.
        reverse: computes the adjoints.
        step: does both, and returns whether a gradient is infinite or nan.
    """

    forward: Callable[[], None]
    reverse: Callable[[], None]
    step: Callable[[], bool]

    def __init__(self, plan: Plan, v: Array | None = None, d: Array | None = None) -> None:
        self.plan = plan
        new_v, new_d = allocate(plan) if v is None or d is None else (v, d)
        self.v, self.d = new_v if v is None else v, new_d if d is None else d
        program = _Program(plan.size, plan.regions)
        forward = program.parts(plan.forward)
        clear = [f"d[{start}:{stop}] = 0.0" for start, stop in plan.cleared]
        reverse = program.parts(plan.reverse, clear)
        program.function("values", program.divided(forward))
        program.function("adjoints", program.divided(reverse))
        program.define("forward", ["values()"])
        program.define("reverse", ["adjoints()"])
        program.define("step", ["values()", "adjoints()"])
        self._program = program
        things = program.run(self.v, self.d)
        self.forward, self.reverse = things["forward"], things["reverse"]
        self.step = _asking(things["values"], things["adjoints"], self.d[: plan.parameters])

    @property
    def source(self) -> str:
        """The program as Python source that needs NumPy alone, with the present numbers."""
        plan, written = self.plan, helpers.written
        given = [(0, plan.parameters), (plan.fixed, plan.fixed + plan.data)]
        given.append((plan.size - len(plan.constants), plan.size))
        return "\n".join(
            [
                "import numpy as np",
                "",
                *self._program.functions,
                "# The memories of values and adjoints, and what the functions above refer to.",
                *self._program.imports(),
                f"v, d = np.zeros({plan.size}), np.zeros({plan.size})",
                *(f"v[{a}:{b}] = {written(self.v[a:b])}" for a, b in given if a < b),
                *self._program.names.definitions(),
                "",
                'if __name__ == "__main__":',
                "    step()",
                f"    print({', '.join(f'v[{address}]' for address in plan.outputs)})",
                "",
            ]
        )


def _asking(values: Callable[[], None], adjoints: Callable[[], None], gradients: Array) -> Callable[[], bool]:
    """Return a function that makes a step and returns whether a gradient is infinite or nan."""
    product, room, isfinite = gradients.dot, np.zeros(()), math.isfinite

    def step() -> bool:
        values()
        adjoints()
        # The fastest question: a sum of squares that is finite has no other terms.
        return not isfinite(product(gradients, room)) and not np.isfinite(gradients).all()

    return _silently(step)


def _silently(function: Callable[[], bool]) -> Callable[[], bool]:
    """Return a function that does the same while NumPy warns of nothing, as in `np.errstate`.

    NumPy keeps how it warns in a variable of the context, and makes anew at each call what that is set to.
    Here it is made once. NumPy 1 has no such variable.
    """
    before = copy_context()
    with np.errstate(all="ignore"):
        changed = [(name, state) for name, state in copy_context().items() if before.get(name) is not state]
    if len(changed) != 1:
        return np.errstate(all="ignore")(function)
    ((warnings, silent),) = changed

    def silently() -> bool:
        token = warnings.set(silent)
        try:
            return function()
        finally:
            warnings.reset(token)

    return silently


def compile_steps(steps: Sequence[Step], v: Array, d: Array) -> Callable[[], None]:
    """Return a function that runs some steps of a plan on memories that another engine holds.

    Args:
        steps: the statements and loops, in order.
        v: the values.
        d: the adjoints.
    """
    program = _Program(len(v), ())
    program.function("steps", program.divided(program.parts(steps)))
    program.define("run", ["steps()"])
    run: Callable[[], None] = program.run(v, d)["run"]
    return run


def _runs(steps: Sequence[Step]) -> Iterator[tuple[list[Any], bool]]:
    """Divide steps into runs, and say of each whether it consists of statements that are faster on floats."""
    run: list[Any]
    for small, group in groupby(((step, _gain(step)) for step in steps), lambda pair: pair[1] > 0.0):
        run, gains = map(list, zip(*group, strict=True))
        yield run, small and sum(gains) > _crossing(run)


def _crossing(statements: Sequence[Statement]) -> float:
    """Return about how many microseconds it takes some statements on floats to read and to write."""
    cells = 0
    for statement in statements:
        results, terms = points_of(statement)
        cells += results + results * terms * sum(1 for _ in places_of(statement.expression))
    return min(CROSSING, CALLING + CELL * cells)


def _gain(step: Step) -> float:
    """Return about how many microseconds a step is faster on floats than as calls of NumPy."""
    if isinstance(step, Loop) or not is_plain(step):
        return -1.0
    results, terms = points_of(step)
    if results * terms > SMALL:
        return -1.0
    floats, calls = costs(step)
    return calls - floats


def _blocked(statement: Statement) -> Loop | None:
    """Return a long computation on large arrays in blocks, so that what is in between stays in the cache."""
    target, shape = statement.target, statement.shape
    if (
        statement.summed
        or math.prod(shape) < 2 * BLOCK
        or target.table is not None
        or target.choice is not None
    ):
        return None
    if primitives(statement) < 4 or not all(n == 1 or s for n, s in zip(shape, target.strides, strict=True)):
        return None
    rows = max(1, BLOCK // math.prod(shape[1:]))
    count = shape[0] // rows
    if count < 2:
        return None
    starts = np.append(np.arange(count) * rows, shape[0])
    return Loop((statement,), (starts,), count)


class _Program:
    """The functions of a program and the names that they refer to."""

    def __init__(self, size: int, regions: Sequence[Region]) -> None:
        self.size = size
        self.names = Names(regions)
        self.functions: list[str] = []

    def parts(self, steps: Sequence[Step], begin: Sequence[str] = ()) -> list[str]:
        """Write some steps as functions, and return the lines that call them."""
        lines = list(begin)
        for run, small in _runs(steps):
            if small:
                lines += self._straight(run)
                continue
            block = Lines(self.names, self.size)
            for step in run:
                blocks = _blocked(step) if isinstance(step, Statement) else None
                if isinstance(step, Statement) and blocks is None:
                    block.add(step)
                    continue
                lines += block.text()
                block = Lines(self.names, self.size)
                lines += self._loop(step) if blocks is None else self._steps(blocks)
            lines += block.text()
        return lines

    def _straight(self, statements: Sequence[Statement]) -> list[str]:
        """Write small statements as functions on floats."""
        calls, block = [], Straight(self.names)
        for place, statement in enumerate(statements, 1):
            block.add(statement)
            if len(block.lines) >= STRAIGHT or place == len(statements):
                name = self.names.fresh("floats")
                self.function(name, block.text())
                calls.append(f"{name}()")
                block = Straight(self.names)
        return calls

    def _loop(self, loop: Loop) -> list[str]:
        """Write a loop, after what it need not do in every step."""
        before, loop, self.names.invariants = hoisted(loop, self.names.invariants)
        lines = self.parts(before) if before else []
        if not loop.length:
            return []
        if (fold := running_fold(loop)) is not None:
            return [*lines, *self._fold(*fold, (loop.length + 1, *loop.body[0].shape[1:]))]
        if (chains := find_chains(loop)) is not None:
            return [*lines, *self._chains(loop.body[0], chains)]
        if float_loops.is_small(loop):
            name = self.names.fresh("loop")
            self.function(name, float_loops.written(loop, self.names))
            return [*lines, f"{name}()"]
        if float_slices.is_sparse(loop):
            if float_slices.is_short(loop):
                return [*lines, *self._straight(list(float_slices.unrolled(loop)))]
            name = self.names.fresh("slices")
            self.function(name, float_slices.written(loop, self.names))
            return [*lines, f"{name}()"]
        return [*lines, *self._steps(loop)]

    def _steps(self, loop: Loop) -> list[str]:
        block = Lines(self.names, self.size, loop.length)
        for statement, starts in zip(loop.body, loop.starts, strict=True):
            even = None if starts is None else regular(statement, starts)
            block.add(even or statement, loop, None if even else starts)
        return block.text()

    def _fold(self, function: str, place: Place, fill: Statement | None, shape: tuple[int, ...]) -> list[str]:
        block = Lines(self.names, self.size)
        if fill is not None:
            block.add(fill)
        results = block.place(place, shape)
        return [*block.text(), f"np.{function}.accumulate({results}, 0, out={results})"]

    def _chains(self, statement: Statement, chains: Chains) -> list[str]:
        block = Lines(self.names, self.size)
        (begin, beside), cells = chains.memories, chains.cells
        matrix = self.names.array("chains", cells.shape)
        parts = (
            [(begin, "", cells)]
            if begin == beside
            else [(begin, "[0]", cells[0]), (beside, "[1:]", cells[1:])]
        )
        for memory, rows, places in parts:
            block.write(f'{memory}.take({block.table([places])}, out={matrix}{rows}, mode="clip")')
        block.write(f"np.{chains.function}.accumulate({matrix}, 0, out={matrix})  # {statement.name}")
        target, results = statement.target, block.table([chains.results])
        if target.table is None:
            out = block.place(target, statement.shape)
            block.write(f'{matrix}.take({results}, out={out}, mode="clip")')
        else:
            addresses = block.table([target.addresses(statement.shape)])
            block.write(f"{target.memory}[{addresses}] = {matrix}.take({results})")
        return block.text()

    def define(self, name: str, lines: Sequence[str]) -> None:
        """Write a function that is called from outside."""
        self.functions.append('@np.errstate(all="ignore")')  # in half the time that a with block takes
        self.function(name, lines)

    def divided(self, lines: Sequence[str]) -> Sequence[str]:
        """Return lines that do the same, but are not too many for one function."""
        while len(lines) > PART:
            calls = []
            for first in range(0, len(lines), PART):
                name = self.names.fresh("part")
                self.function(name, lines[first : first + PART])
                calls.append(f"{name}()")
            lines = calls
        return lines

    def function(self, name: str, lines: Sequence[str]) -> None:
        """Write a function."""
        self.functions += [f"def {name}():", indent("\n".join(lines or ["pass"]), "    "), "", ""]

    def imports(self) -> list[str]:
        """Return the definitions that every program's names are made with."""
        return [
            "import base64, zlib",
            "from numpy import inf, nan",
            inspect.getsource(helpers.view)
            .replace(": Array", "")
            .replace(": Sequence[int]", "")
            .replace(" -> Array", ""),
            inspect.getsource(helpers.packed).replace(": str", "").replace(" -> Any", ""),
        ]

    def run(self, v: Array, d: Array) -> dict[str, Any]:
        """Return everything that the program defines, on some memories."""
        things = self.names.make({"v": v, "d": d})
        things.update(np=np, inf=np.inf, nan=np.nan)
        exec(compile("\n".join(self.functions), "<compiled>", "exec"), things)
        return things
