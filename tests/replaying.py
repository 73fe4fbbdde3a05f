"""Every way to run a compiled structured program, compared with recording and differentiating it anew."""

import math
import random
import tempfile
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np

import autograd
from autograd import Value
from autograd.nested import flatten
from autograd.sweeping import topological_order
from tests.compiling import assert_same
from tests.structured_programs import Program, draw

TOLERANCE = 1e-10
"""Of the gradient, relative to its norm."""

SPECIAL = (0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0)

Point = tuple[list[float], list[float], list[float]]
Found = tuple[list[float], list[float], list[float]]


def recorded(program: Program, point: Point, *, once: bool = False) -> Found:
    """Return outputs, aux and the gradient of the outputs' sum, of a graph recorded at a point.

    Args:
        program: what is recorded.
        point: where.
        once: whether what appears twice in the graph is computed once, as a compiled program does.
    """
    leaves, data, indices = ([Value(x) for x in part] for part in point)
    outputs, aux = program.build(leaves, data, indices)
    results, _ = flatten(outputs)
    if once:
        results = merged(results)
    sum(results).backward()
    return [r.data for r in results], [a.data for a in aux], [leaf.grad for leaf in leaves]


def merged(roots: Sequence[Value]) -> list[Value]:
    """Return the roots of a graph in which what appears twice is computed once."""
    known: dict[Any, Value] = {}
    kept: dict[Value, Value] = {}
    for node in topological_order(*roots):
        parents = [kept[parent] for parent in node.parents]
        key = (node.op, *parents) if parents else repr(node.data) if node.is_constant else node
        if key not in known:
            known[key] = Value.__record__(node.op, parents) if node.op is not None else node
        kept[node] = known[key]
    return [kept[root] for root in roots]


class Replayed:
    """A program compiled at a point."""

    def __init__(self, program: Program, point: Point, engine: str) -> None:
        leaves, data, indices = ([Value(x) for x in part] for part in point)
        outputs, aux = program.build(leaves, data, indices)
        named = {"x": data, "index": indices}
        self.program = autograd.compile(outputs, inputs=leaves, data=named, aux=aux, engine=engine)

    def from_file(self) -> "Replayed":
        """Return the program, saved and loaded."""
        again = copy(self)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "program.json"
            self.program.save(path)
            again.program = autograd.load_program(path, engine=self.program.engine)
        return again

    def __call__(self, point: Point) -> Found:
        parameters, data, indices = point
        self.program.parameters = parameters
        results, _ = flatten(self.program(x=data, index=indices))
        return results, flatten(self.program.aux)[0], self.program.gradients.tolist()

    def batch(self, parameters: Sequence[float], points: Sequence[Point]) -> Found:
        """Return the sums of the outputs over many points, aux of all points, and the gradient."""
        self.program.parameters = parameters
        rows_of = {"x": [data for _, data, _ in points], "index": [indices for *_, indices in points]}
        fed = {name: np.array(rows).reshape(len(points), -1) for name, rows in rows_of.items()}
        results, _ = flatten(self.program.batch(**fed, reduction="sum"))
        aux = np.array(flatten(self.program.aux)[0]).reshape(-1, len(points))
        return results, aux.T.ravel().tolist(), self.program.gradients.tolist()


def wobble(point: Point, rng: random.Random) -> Point:
    """Return a point that differs in the last digits."""
    parameters, data, indices = point
    return (
        [x * (1.0 + rng.uniform(-1e-13, 1e-13)) for x in parameters],
        [x * (1.0 + rng.uniform(-1e-13, 1e-13)) for x in data],
        indices,
    )


def well_conditioned(program: Program, point: Point, rng: random.Random) -> bool:
    """Say whether what a program returns hardly changes if its numbers change in the last digits."""
    try:
        for a, b in zip(recorded(program, point), recorded(program, wobble(point, rng)), strict=True):
            assert_same(a, b, TOLERANCE)
    except AssertionError:
        return False
    return True


def assert_equal(got: Found, expected: Found, what: str) -> None:
    for name, a, b in zip(("outputs", "aux", "gradient"), got, expected, strict=True):
        try:
            assert_same(a, b, TOLERANCE)
        except AssertionError as error:
            raise AssertionError(f"{what}, {name}: {a} for {b}: {error}") from error


def assert_alike_recorded(got: Found, program: Program, point: Point, what: str) -> None:
    """Assert that a compiled program is like its graph, or like one in which nothing is computed twice.

    Where the numbers overflow it is the second: in ``sqrt(x) - sqrt(x)`` at 0 infinity - infinity is nan,
    while the two adjoints of the one square root add up to 0, which is not sent on.
    """
    try:
        assert_alike(got, recorded(program, point), what)
    except AssertionError:
        assert_alike(got, recorded(program, point, once=True), what)


def assert_alike(got: Found, expected: Found, what: str) -> None:
    """Assert that what is finite is the same, and what is not is not finite either way."""
    for name, a, b in zip(("outputs", "aux", "gradient"), got, expected, strict=True):
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            same = abs(x - y) <= 1e-9 * (1.0 + abs(y)) if math.isfinite(y) else not math.isfinite(x)
            assert same, f"{what}, {name} {i}: {x} for {y}"


def check(seed: str, *, poles: bool = False, engines: Sequence[str] = ("numpy", "wasm")) -> int:
    """Draw a program and run it in every way: at the recorded point, at new ones, in a batch, from a file.

    Args:
        seed: of the program and of its points.
        poles: whether it is tried where some numbers are infinities, nan and signed zeros, as well.
        engines: what runs it.

    Returns:
        How many runs were compared; none if they differ and the program is badly conditioned.
    """
    rng = random.Random(seed)
    program = draw(rng)
    points = [program.point(rng) for _ in range(3)]
    odd = [spoiled(program.point(rng), rng) for _ in range(3)] if poles else []
    what, compared = f"{seed}: {' '.join(program.kinds)}", 0
    try:
        for engine in engines:
            replayed = Replayed(program, points[0], engine)
            for run in (replayed, replayed.from_file()):
                for k, point in enumerate(points):
                    assert_equal(run(point), recorded(program, point), f"{what}: {engine}, point {k}")
            for k, point in enumerate(odd):
                assert_alike_recorded(replayed(point), program, point, f"{what}: {engine}, pole {k}")
            compared += 6 + len(odd)
            if program.data or program.counts:
                compared += check_batches(replayed, points, odd, rng, f"{what}: {engine}")
    except AssertionError:
        if all(well_conditioned(program, point, rng) for point in points):
            raise
        return 0
    return compared


def spoiled(point: Point, rng: random.Random) -> Point:
    """Return a point with special numbers in some places."""
    parameters, data, indices = point
    return (
        [rng.choice(SPECIAL) if rng.random() < 0.15 else x for x in parameters],
        [rng.choice(SPECIAL) if rng.random() < 0.15 else x for x in data],
        indices,
    )


def check_batches(
    replayed: Replayed, points: Sequence[Point], odd: Sequence[Point], rng: random.Random, what: str
) -> int:
    """Compare batches with the same points one by one."""
    parameters = points[1][0]
    usual = [(parameters, *rng.choice(points)[1:]) for _ in range(rng.choice((1, 2, 5, 19)))]
    batches = [(usual, assert_equal)]
    if odd:
        batches.append(([(parameters, *point[1:]) for point in (*points, *odd)], assert_alike))
    for batch, compare in batches:
        try:
            together = replayed.batch(parameters, batch)
        except ValueError as error:
            if "depends on no data" in str(error):
                return 0
            raise
        alone = [replayed(point) for point in batch]
        sums = [sum(results) for results in zip(*(outputs for outputs, *_ in alone), strict=True)]
        aux = [number for _, numbers, _ in alone for number in numbers]
        gradient = [sum(g) for g in zip(*(gradients for *_, gradients in alone), strict=True)]
        compare(together, (sums, aux, gradient), f"{what}, batch of {len(batch)}")
    return len(batches)
