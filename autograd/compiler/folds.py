"""Loops in which each step applies one of NumPy's functions to the last result: running folds.

Where all steps are alike, NumPy accumulates in place. Else each chain of results is a column of a padded
matrix: a softmax over what causal attention sees takes a running maximum for each position, longer by one
than that of the position before, and its reverse pass a running product of local derivatives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograd.compiler.plan import Apply, Expression, Index, Loop, Place, Statement

STEP, CHAIN, CELL = 4.0, 0.04, 0.01
"""The microseconds that a step of a loop takes, a column of the matrix, and a cell of it."""


def running_fold(loop: Loop) -> tuple[str, Place, Statement | None] | None:
    """Recognise a loop in which each step applies one of NumPy's functions to the last result.

    Returns:
        The function's name; the results in the order of the steps, after the one before the first step; and
        the statement that puts the other arguments in their places, if they are not there. None if it is no
        such loop.
    """
    if len(loop.body) != 1 or loop.starts[0] is not None or not loop.length:
        return None
    (statement,) = loop.body
    target, expression = statement.target, statement.expression
    step = -target.strides[0] if loop.backward else target.strides[0]
    origin = target.base + (loop.length - 1) * target.strides[0] if loop.backward else target.base
    if statement.summed or target.table is not None or target.choice is not None:
        return None
    results = Place(target.memory, origin - step, (step, *target.strides[1:]))
    before = Place(target.memory, target.base - step, target.strides)
    addresses = results.addresses((loop.length + 1, *statement.shape[1:]))
    if len(np.unique(addresses)) < addresses.size:
        return None
    if statement.adds:
        return ("add", results, None) if _same(expression, before) else None
    for function, last, other in _applied(expression):
        if not _same(last, before) or not isinstance(other, (Place, float)):
            continue
        if isinstance(other, Place) and (
            other.choice or (other.memory == target.memory and _meet(other, statement.shape, addresses))
        ):
            continue
        return function, results, replace(statement, expression=other)
    return None


@dataclass(frozen=True, eq=False)
class Chains:
    """Running folds side by side, of any lengths.

    Attributes:
        function: the name of NumPy's function.
        memories: where the chains begin, and where the other arguments are.
        cells: the addresses of a matrix with a column for each chain: the first row is where it begins, the
            others are the other arguments; what is below the end of a chain does not matter.
        results: for each point of the statement its place in the accumulated matrix.
    """

    function: str
    memories: tuple[str, str]
    cells: Index
    results: Index


def find_chains(loop: Loop) -> Chains | None:
    """Return the chains that a loop's results are, if they are and NumPy accumulates them faster."""
    if len(loop.body) != 1:
        return None
    (statement,), (starts,) = loop.body, loop.starts
    bounds = np.arange(loop.length + 1) if starts is None else starts
    if statement.summed or statement.adds or bounds[0] or bounds[-1] != statement.shape[0]:
        return None
    for function, last, other in _applied(statement.expression):
        if not isinstance(last, Place) or not isinstance(other, Place):
            continue
        if any(place.choice for place in (statement.target, last, other)):
            continue
        target, before, beside = (
            place.addresses(statement.shape).reshape(bounds[-1], -1)
            for place in (statement.target, last, other)
        )
        if last.memory != statement.target.memory or len(np.unique(target)) < target.size:
            continue
        point = np.full(max(int(a.max(initial=0)) for a in (target, before, beside)) + 1, -1)
        point[target] = np.arange(target.size).reshape(target.shape)
        if other.memory == last.memory and (point[beside] >= 0).any():
            continue
        order = np.arange(loop.length)[:: -1 if loop.backward else 1]
        found = _places(point[before], [slice(*bounds[step : step + 2]) for step in order])
        if found is None:
            continue
        depth, chain = found
        shape = int(depth.max()) + 1, int(chain.max()) + 1
        if STEP * loop.length < CHAIN * shape[1] + CELL * shape[0] * shape[1]:
            continue
        cells = np.full(shape, beside.flat[0])
        cells[depth, chain] = beside
        heads = depth == 1
        cells[0, chain[heads]] = before[heads]
        results = (depth * shape[1] + chain).reshape(statement.shape)
        return Chains(function, (last.memory, other.memory), cells, results)
    return None


def _places(before: Index, steps: Sequence[slice]) -> tuple[Index, Index] | None:
    """Return for each point how far along its chain it is, from 1, and the number of that chain.

    Args:
        before: for each point, in rows, the one before it in its chain, or -1.
        steps: the rows of each step, in the order in which they are run.

    Returns:
        None if these are no chains, each point of which is computed in a later step than the one before it.
    """
    inner = before[before >= 0]
    if len(np.unique(inner)) < len(inner) or not len(inner):
        return None
    depth, chain = np.zeros_like(before), np.zeros_like(before)
    chain[before < 0] = np.arange(before.size - len(inner))
    for rows in steps:
        joined = before[rows] >= 0
        points = before[rows][joined]
        if not depth.flat[points].all():
            return None
        depth[rows] = 1
        depth[rows][joined] += depth.flat[points]
        chain[rows][joined] = chain.flat[points]
    return depth, chain


def _applied(expression: Expression) -> Iterator[tuple[str, Expression, Expression]]:
    """Yield a function of NumPy's that accumulates, and its arguments, in each order that gives the same."""
    if isinstance(expression, Apply) and len(expression.arguments) == 2 and expression.operation.accumulates:
        first, second = expression.arguments
        function = str(expression.operation.numpy)
        yield function, first, second
        if _commutes(function):
            yield function, second, first


def _same(expression: Expression, place: Place) -> bool:
    return (
        isinstance(expression, Place)
        and (expression.memory, expression.base, expression.strides)
        == (place.memory, place.base, place.strides)
        and expression.table is None
        and expression.choice is None
    )


def _meet(place: Place, shape: tuple[int, ...], addresses: Index) -> bool:
    return bool(np.isin(place.addresses(shape), addresses).any())


def _commutes(function: str) -> bool:
    points = np.array([0.3, -1.7, 2.5])
    ufunc = getattr(np, function)
    return bool((ufunc.outer(points, points) == ufunc.outer(points, points).T).all())
