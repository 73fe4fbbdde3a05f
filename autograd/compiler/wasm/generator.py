"""From a plan's steps to functions of a module."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest

from autograd import ops
from autograd.compiler.plan import (
    Apply,
    Index,
    Loop,
    Place,
    Plan,
    Statement,
    Step,
    places_of,
    statements_of,
)
from autograd.compiler.wasm.encoder import (
    END,
    I32,
    I32_ADD,
    I32_GE,
    I32_LT,
    LANE,
    MEMORY_FILL,
    V128,
    Code,
    Module,
)
from autograd.compiler.wasm.layout import ANSWER, Layout
from autograd.compiler.wasm.live import SMALL, Live
from autograd.compiler.wasm.nest import Nest
from autograd.compiler.wasm.rows import Form, Given, Rows
from autograd.compiler.wasm.straight import Straight
from autograd.compiler.wasm.work import Work, apart, one_to_one, overlap, prepare

_FUSED = 16
"""So many statements are run point by point together at most: they share the registers."""
_FUNCTION = 6000
"""From so many bytes on a function is followed by another: compiling takes more than proportional time."""
_BODY = 60
"""A loop's body of more statements is made of functions."""
_SHORT = 64
"""A range of so many cells is cleared by stores: a call that fills memory takes as long as thirty."""

Segment = Code | tuple[Step, ...]
"""A function of the module, or steps that are left to another engine."""


class Generator:
    """Writes a module for a plan.

    Args:
        plan: the program.
        relaxed: whether products may be added without being rounded before.
        elsewhere: tells of a statement with axes, and whether it is in a loop, why it is left to another
            engine, or returns an empty text.
    """

    def __init__(self, plan: Plan, relaxed: bool, elsewhere: Callable[[Statement, bool], str]) -> None:
        self.module = Module()
        self.layout = Layout(plan.size)
        self.rows = Rows(self.module, self.layout)
        self.relaxed = relaxed
        self.parameters = plan.parameters
        self.elsewhere = elsewhere
        self.reasons: dict[Statement, str] = {}
        self.forms: dict[Statement, tuple[Form, list[Given]]] = {}

    def segments(
        self, steps: Sequence[Step], name: str, cleared: Sequence[tuple[int, int]] = ()
    ) -> list[Segment]:
        """Return what runs some steps, in order; functions are exported by the name and a number.

        Args:
            steps: the steps.
            name: what the functions are called.
            cleared: ranges of the adjoints to be set to zero first.
        """
        segments: list[Segment] = []
        waiting: list[Step] = []
        covered = [self._covers(step) for step in steps]
        adjoints = any(statement.target.memory == "d" for statement in statements_of(steps))
        live = Live(steps, self.layout, self.parameters, self._read) if adjoints else None
        first = [self._clearing(cleared)] if cleared else []

        def close() -> None:
            if waiting or first:
                code = Code()
                while first:
                    code.call(first.pop())
                writer = _Writer(self, code, live=live)
                for run in _runs(waiting):
                    writer.write(run)
                code = writer.finish()
                self.module.exports[f"{name}{len(segments)}"] = code
                segments.append(code)
                waiting.clear()

        for step, is_covered in zip(steps, covered, strict=True):
            if is_covered:
                waiting.append(step)
                continue
            close()
            if segments and isinstance(segments[-1], tuple):
                segments[-1] = (*segments[-1], step)
            else:
                segments.append((step,))
        close()
        return segments

    def _clearing(self, ranges: Sequence[tuple[int, int]]) -> Code:
        """Return a function that sets ranges of the adjoints to zero; the shorter ones by plain stores."""
        code = Code()
        code.pair(0.0)
        zeros = code.keep(V128)
        for start, stop in ranges:
            place = self.layout.address("d", start)
            if stop - start > _SHORT:
                code.integer(place)
                code.integer(0)
                code.integer(8 * (stop - start))
                code.op(MEMORY_FILL)
                continue
            for offset in range(0, stop - start, 2):
                lanes = min(2, stop - start - offset)
                code.integer(0)
                code.get(zeros)
                if lanes == 1:
                    code.op(LANE[0])
                code.store(place + 8 * offset, lanes)
        return self.module.add(code)

    def whole(self, forward: Sequence[Segment], reverse: Sequence[Segment]) -> None:
        """Export ``step``, which does both, if nothing is left to another engine."""
        code = Code()
        for segment in (*forward, *reverse):
            if not isinstance(segment, Code):
                return
            code.call(segment)
        self.module.exports["step"] = self.module.add(code)

    def _read(self, statement: Statement) -> Iterable[Given]:
        form = self.forms.get(statement)
        return places_of(statement.expression) if form is None else form[1][:-1]

    def _covers(self, step: Step) -> bool:
        covered = True
        in_loop = isinstance(step, Loop)
        for statement in step.body if isinstance(step, Loop) else (step,):
            reason = self.elsewhere(statement, in_loop) if statement.shape else ""
            if not reason:
                form = self.forms[statement] = self.rows.form(statement)
                reason = form[0].refusal
            if reason:
                self.reasons[statement] = reason
                covered = False
        return covered


def question(count: int) -> Statement:
    """Return what answers 0.0 if the first adjoints are all finite, else nan."""
    adjoint = Place("d", 0, (1,))
    return Statement(Place("v", ANSWER, (0,)), Apply(ops.sub, (adjoint, adjoint)), (count,), summed=1)


class _Writer:
    """Writes steps into a function, and goes on in another when that is long.

    Args:
        generator: what it writes for.
        code: the first function.
        step: the local with the step of the loop around, a parameter of every further function.
        loop: that loop.
        splits: whether to go on in another function at all.
        live: until when adjoints are read, outside loops.
    """

    def __init__(
        self,
        generator: Generator,
        code: Code,
        step: int | None = None,
        loop: Loop | None = None,
        splits: bool = True,
        live: Live | None = None,
    ) -> None:
        self.generator, self.code, self.step, self.loop = generator, code, step, loop
        self.splits, self.live = splits, live
        self.full: list[Code] = []
        self._straight: Straight | None = None

    def write(self, run: "Run") -> None:
        """Write statements that go together, or a loop."""
        if self.splits and len(self.code.bytes) > _FUNCTION:
            self.leave()
            self.full.append(self.code)
            self.code = Code(self.code.parameters)
        if isinstance(run, Loop):
            self.leave()
            self._loop(run)
            return
        generator = self.generator
        sliced, starts, statements = run
        points = math.prod(statements[0].shape[sliced == "step" :])
        few = sliced != "range" and 0 < points <= SMALL
        if few:
            form, given = generator.forms[statements[0]]
            if points > 1 and form.calls:
                few = False  # better two points at once
            elif self._part(statements[0]).write_known(statements[0], form, given):
                return
        works = prepare(statements, generator.rows, sliced, starts)
        if few and len(works) == 1:
            self._part(statements[0]).write(works[0])
            return
        self.leave()
        for group in _fused(works):
            Nest(generator.rows, generator.layout, self.code, group, self.step, generator.relaxed).emit()

    def _part(self, statement: Statement) -> Straight:
        """Return what writes a statement of a few points."""
        if self._straight is None:
            generator, length = self.generator, self.loop.length if self.loop else 1
            self._straight = Straight(
                generator.rows, generator.layout, self.code, self.step, length, self.live
            )
        if self.live is not None:
            self._straight.number = self.live.number[statement]
        return self._straight

    def finish(self) -> Code:
        """Return the function that does all."""
        self.leave()
        module = self.generator.module
        module.add(self.code)
        if not self.full:
            return self.code
        whole = Code(self.code.parameters)
        for code in (*self.full, self.code):
            if code is not self.code:
                module.add(code)
            if self.step is not None:
                whole.get(0)
            whole.call(code)
        return module.add(whole)

    def leave(self) -> None:
        if self._straight is not None:
            self._straight.flush()
            self._straight = None

    def _loop(self, loop: Loop) -> None:
        if not loop.length:
            return
        code = self.code
        runs = _runs(loop.body, loop.starts, sliced=True)
        step = code.local(I32)
        code.integer(loop.length - 1 if loop.backward else 0)
        code.set(step)
        code.loop()
        if len(loop.body) <= _BODY:
            writer = _Writer(self.generator, code, step, loop, splits=False)
            for run in runs:
                writer.write(run)
            writer.leave()
        else:
            writer = _Writer(self.generator, Code([I32]), 0, loop)
            for run in runs:
                writer.write(run)
            code.get(step)
            code.call(writer.finish())
        code.get(step)
        code.integer(-1 if loop.backward else 1)
        code.op(I32_ADD)
        code.tee(step)
        code.integer(0 if loop.backward else loop.length)
        code.op(I32_GE if loop.backward else I32_LT)
        code.branch_if(0)
        code.op(END)


Run = Loop | tuple[str, Index | None, list[Statement]]
"""A loop, or how the first axis is run and statements of one shape, none of which sums, or a single one."""


def _runs(steps: Iterable[Step], starts: Iterable[Index | None] = (), sliced: bool = False) -> Iterator[Run]:
    last: tuple[str, Index | None, list[Statement]] | None = None
    for step, slices in zip_longest(steps, starts):
        if isinstance(step, Loop):
            if last:
                yield last
                last = None
            yield step
            continue
        shape = step.shape
        how = "" if not sliced else "step" if slices is None else "range"
        if (
            last
            and shape
            and not step.summed
            and not last[2][0].summed
            and (last[0], last[2][0].shape) == (how, shape)
            and last[1] is slices
            and (how == "range" or math.prod(shape[how == "step" :]) > SMALL)
        ):
            last[2].append(step)
            continue
        if last:
            yield last
        last = (how, slices, [step])
    if last:
        yield last


def _fused(works: Sequence[Work]) -> Iterator[list[Work]]:
    group: list[Work] = []
    for work in works:
        if group and (len(group) >= _FUSED or not all(_together(other, work) for other in group)):
            yield group
            group = []
        group.append(work)
    yield group


def _together(first: Work, second: Work) -> bool:
    """Tell whether two works may be run point by point instead of one after the other."""
    if first.summed or second.summed:
        return False
    shape = (1, *first.shape[1:]) if first.sliced == "step" else first.shape
    pairs = [(read, first.target) for read in second.reads]
    pairs += [(read, second.target) for read in first.reads]
    ranged = first.starts if first.sliced == "range" else None
    if ranged is None or not first.adds or not second.adds:
        pairs.append((first.target, second.target))
    return all(
        not overlap(one, other, first.shape)
        or (one.key == other.key and one_to_one(other, shape))
        or (ranged is not None and apart(one, other, first.shape, ranged))
        for one, other in pairs
    )
