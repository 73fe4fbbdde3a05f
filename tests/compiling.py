"""How the tests compare a compiled program with the engine it replays."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Value
from autograd.compiler import Program, families
from autograd.compiler.feeds import Floats
from autograd.nested import flatten

TOLERANCE = 1e-12
"""Relative to the norm: sums may be added up in another order."""

NEVER = 10**9
PATHS = {
    "as compiled": {},
    "all loops": {"SHORTEST": 2},
    "no loops": {"SHORTEST": NEVER},
    "one by one": {"SHORTEST": NEVER, "FEW": NEVER, "MANY": NEVER},
    "as if without structure": {"SHORTEST": NEVER, "MANY": 0},
    "families only": {"FEW": 0},
}
"""The thresholds with which a graph takes each path through the compiler."""


def force(monkeypatch: Any, path: str) -> None:
    for name, threshold in PATHS[path].items():
        monkeypatch.setattr(families, name, threshold)


def eager(build: Callable[[Sequence[Value]], Any], point: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the outputs' numbers and the gradient of their sum, recorded anew."""
    leaves = [Value(x) for x in point]
    outputs, _ = flatten(build(leaves))
    for output in outputs:
        output.backward()
    return [output.data for output in outputs], [leaf.grad for leaf in leaves]


def replay(
    program: Program, leaves: Sequence[Value], point: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return the same of a program, read from the leaves."""
    for leaf, x in zip(leaves, point, strict=True):
        leaf.data, leaf.grad = x, 17.0  # what was there is replaced, not added to
    results, _ = flatten(program())
    return results, [leaf.grad for leaf in leaves]


def assert_same(
    got: Floats | Sequence[float], expected: Floats | Sequence[float], tolerance: float = TOLERANCE
) -> None:
    """Assert equality to the tolerance, relative to the norm; nan and infinities in the same places."""
    a, b = np.array(got, dtype=float), np.array(expected, dtype=float)
    finite = np.isfinite(b)
    assert np.array_equal(a[~finite], b[~finite], equal_nan=True)
    assert np.isfinite(a[finite]).all()
    error, norm = np.linalg.norm(a[finite] - b[finite]), np.linalg.norm(b[finite])
    assert error <= tolerance * norm, f"relative error {error / norm if norm else error:.1e}"


def assert_agrees(
    build: Callable[[Sequence[Value]], Any], *points: Sequence[float], tolerance: float = TOLERANCE
) -> Program:
    """Assert that a program compiled at the first point equals the engine there and at all others."""
    leaves = [Value(x) for x in points[0]]
    program = autograd.compile(build(leaves), inputs=leaves)
    for point in points:
        results, gradient = replay(program, leaves, point)
        values, adjoints = eager(build, point)
        assert_same(results, values, tolerance)
        assert_same(gradient, adjoints, tolerance)
    return program


def points(case: Any, seed: int, count: int = 3) -> list[list[float]]:
    rng = random.Random(seed)
    return [case.point(rng) for _ in range(count)]
