"""Loops, found again in a graph that has unrolled them.

A recurrence - a network over time, an integrator, gradient descent - is recorded as the same statements over
and over, each step reading the one before. Such a run of nodes becomes a `Recurrence`: one body, and what it
reads besides itself: nodes of the step before, outside nodes that are the same at every step, and outside
nodes that differ from step to step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.flat import Flat

SHORTEST = 8
"""Fewer steps than this are not worth a loop."""

LONGEST_BODY, WINDOW, TRIES = 10_000, 32, 4

Codes = NDArray[np.intp]

Key = tuple[str, int]
"""What a body reads: ``("same", j)`` or ``("before", j)``, the result of its statement j in this step or the
one before; ``("fixed", i)`` or ``("table", i)``, an outside node or an outside sequence of nodes."""


@dataclass
class Recurrence:
    """A body of statements, repeated.

    Attributes:
        begin: the nodes of the step before the loop, whose results its first step reads.
        steps: the nodes of the loop, a list for each step.
        arguments: for each statement of the body what it reads, as `Key`s (of a sum, nested in terms).
        fixed: the outside nodes that every step reads.
        tables: for each sequence the outside nodes that the steps read, one a step.
    """

    begin: list[int]
    steps: list[list[int]]
    arguments: list[Any] = field(default_factory=list)
    fixed: list[int] = field(default_factory=list)
    tables: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def carried(self) -> list[int]:
        """The statements whose results the next step reads."""
        read = {key for arguments in self.arguments for key in _keys(arguments)}
        return sorted(j for kind, j in read if kind == "before")


def find_recurrences(flat: Flat, nodes: Sequence[int]) -> list[list[int] | Recurrence]:
    """Split a run of nodes into recurrences and what lies between them, in topological order."""
    nodes = sorted(nodes)
    index = {node: place for place, node in enumerate(nodes)}
    codes = _codes(flat, nodes, index)
    parts: list[list[int] | Recurrence] = []
    done = start = misses = 0
    while start + SHORTEST <= len(nodes):
        for period, steps in _periods(codes, start):
            recurrence = _recognise(flat, nodes, index, start, period, steps)
            if recurrence is not None:
                recurrence = _begin_earlier(flat, nodes, index, recurrence, done)
                begin = index[recurrence.begin[0]]
                parts += [nodes[done : begin + period], recurrence]
                done = start = begin + period * (len(recurrence.steps) + 1)
                misses = 0
                break
        else:
            misses += 1
            start += 1 + misses // 16  # ever larger steps, so that a long run without loops costs little
    return [part for part in [*parts, nodes[done:]] if not isinstance(part, list) or part]


def _begin_earlier(
    flat: Flat, nodes: list[int], index: dict[int, int], recurrence: Recurrence, done: int
) -> Recurrence:
    """Add steps before the first, whose codes differ because what all steps read is near to them."""
    start, period = index[recurrence.begin[0]], len(recurrence.begin)
    kinds = [_kind(flat, node) for node in recurrence.begin]
    earlier = 0
    while (place := start - (earlier + 1) * period) >= done and earlier <= WINDOW:
        if [_kind(flat, node) for node in nodes[place : place + period]] != kinds:
            break
        earlier += 1
    for steps in range(earlier, max(earlier - TRIES, 0), -1):
        longer = _recognise(
            flat, nodes, index, start - steps * period, period, len(recurrence.steps) + 1 + steps
        )
        if longer is not None:
            return longer
    return recurrence


def _codes(flat: Flat, nodes: Sequence[int], index: dict[int, int]) -> Codes:
    """Return a number for each node that tells what it computes from which operands, if they are near."""
    numbers: dict[Any, int] = {}
    codes = []
    for place, node in enumerate(nodes):
        near = tuple(min(place - index.get(operand, -WINDOW), WINDOW) for operand in flat.operands(node))
        codes.append(numbers.setdefault((_kind(flat, node), near), len(numbers)))
    return np.array(codes, dtype=np.intp)


def _kind(flat: Flat, node: int) -> Any:
    """Return what a node computes: its operation, or of a sum how many factors each term has."""
    kind = flat.kinds[node]
    return tuple(map(len, flat.arguments[node])) if kind == "sum" else kind


def _periods(codes: Codes, start: int) -> Iterator[tuple[int, int]]:
    """Yield (period, steps) with which the codes repeat from ``start`` on, short periods first.

    A window of codes that comes again is the sign of a period; nothing else is compared in full.
    """
    low, high = start + 1, min(len(codes) - SHORTEST, start + LONGEST_BODY)
    places = np.flatnonzero(codes[low:high] == codes[start]) + low
    for offset in range(1, WINDOW):
        places = places[places + offset < len(codes)]
        places = places[codes[places + offset] == codes[start + offset]] if len(places) else places
    for period in (places - start).tolist()[:TRIES]:
        equal = codes[start:-period] == codes[start + period :]
        length = len(equal) if equal.all() else int(np.argmin(equal))
        if length // period + 1 >= SHORTEST:
            yield period, length // period + 1


def _recognise(
    flat: Flat, nodes: list[int], index: dict[int, int], start: int, period: int, count: int
) -> Recurrence | None:
    """Return the recurrence of ``count`` steps from ``start`` on, or None if it is irregular."""
    steps = [nodes[start + t * period : start + (t + 1) * period] for t in range(1, count)]
    first = start + period  # where the loop begins; the step before it begins the carried results
    columns = [list(zip(*(flat.operands(step[j]) for step in steps), strict=True)) for j in range(period)]
    recurrence = Recurrence(nodes[start:first], steps)
    slots: dict[Any, int] = {}
    for j, operands in enumerate(columns):
        keys = []
        for sequence in operands:
            places = [index.get(node, -1) for node in sequence]
            lags = {first + t * period + j - place for t, place in enumerate(places)}
            if len(lags) == 1 and (j - min(lags)) // period in (0, -1) and max(places) >= first:
                distance = j - lags.pop()
                keys.append(("same", distance) if distance >= 0 else ("before", distance + period))
            elif max(places) >= first:
                return None
            elif len(set(sequence)) == 1:
                place = slots.setdefault(sequence[0], len(recurrence.fixed))
                if place == len(recurrence.fixed):
                    recurrence.fixed.append(sequence[0])
                keys.append(("fixed", place))
            else:
                place = slots.setdefault(sequence, len(recurrence.tables))
                if place == len(recurrence.tables):
                    recurrence.tables.append(sequence)
                keys.append(("table", place))
        recurrence.arguments.append(_nest(keys, flat.arguments[steps[0][j]]))
    return recurrence if recurrence.carried else None


def _nest(keys: list[Key], arguments: Any) -> Any:
    """Return keys in the form of a node's arguments: flat, or in terms of one or two."""
    if not arguments or not isinstance(arguments[0], tuple):
        return tuple(keys)
    rest = iter(keys)
    return tuple(tuple(next(rest) for _ in term) for term in arguments)


def _keys(arguments: Any) -> Iterator[Key]:
    for argument in arguments:
        if isinstance(argument[0], str):
            yield argument
        else:
            yield from argument
