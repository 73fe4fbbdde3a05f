"""What the tests of the table share: names of cases, points to try rows at, equality to the sign."""

import math
import random
from collections.abc import Sequence
from typing import Any

import pytest

from autograd import Value
from autograd.row import Operation

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 30.0, -40.0, 800.0, 1e200, 5e-324, math.inf, -math.inf, math.nan)


def by_name(row: Operation) -> str:
    """Return the id of a row's case."""
    return row.name


def settled(row: Operation, x: Sequence[Any]) -> tuple[Any, ...]:
    """Return a point whose constant arguments, such as an order, are their defaults, else whole numbers."""
    required = row.arity - len(row.defaults)
    point = list(x)
    for place in row.constant_places:
        point[place] = row.defaults[place - required] if place >= required else float(math.ceil(x[place]))
    return tuple(point)


def known(row: Operation) -> list[float | None]:
    """Return the numbers of the constant arguments, and None for the others."""
    numbers = settled(row, [1.0] * row.arity)
    return [number if place in row.constant_places else None for place, number in enumerate(numbers)]


def leaves(row: Operation, x: Sequence[float]) -> list[Any]:
    """Return Values to differentiate by, and numbers where there is no derivative."""
    return [Value(a) if place in row.differentiable else a for place, a in enumerate(x)]


def samples(row: Operation, count: int, rng: random.Random) -> list[tuple[float, ...]]:
    """Return moderate points of the domain, away from kinks."""
    found: list[tuple[float, ...]] = []
    while len(found) < count:
        x = settled(row, [rng.uniform(max(low, -3.0), min(high, 3.0)) for low, high in row.domain])
        if all(abs(kink(*x)) > 0.01 for kink in row.kinks):
            found.append(x)
    return found


def same(actual: float, expected: float) -> bool:
    """Tell whether two numbers are equal down to the sign of zero, and nan equal to nan."""
    if math.isnan(expected):
        return math.isnan(actual)
    return actual == expected and math.copysign(1.0, actual) == math.copysign(1.0, expected)


def first(count: int, of: int) -> list[Any]:
    """Return numbers for random programs: the first ones always, the others when slow tests are asked for."""
    return [*range(count), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(count, of))]
