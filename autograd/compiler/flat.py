"""A graph of Values becomes a list of scalar statements: constants folded, sums flattened, repeats merged.

Statements are numbered in topological order. A *sum* is a tree of additions whose inner nodes nothing else
uses; its terms are nodes or products of two nodes. Everything else is an operation on nodes.

What is done for each node is done here in one loop for each step; what can be told of all at once is told by
arrays. Numbers of nodes are shared, not made anew, as a graph of a million nodes has millions of them.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain, islice, repeat
from operator import or_
from typing import Any

import numpy as np

from autograd import ops
from autograd.choosing import Take
from autograd.questions import LOOK, noted, noticed
from autograd.sweeping import topological_order
from autograd.text import describe
from autograd.value import Constant, Value

FROZEN = 'compile(..., branches="frozen")'

LONG = 8
"""So many subtractions from one number are a sum that is subtracted."""

ACTIVE, FED = 1, 2
"""Marks of a node: it depends on a leaf, so that it has an adjoint; it depends on data."""

ABSENT = -1
"""Stands for the other factor of a term that is no product."""

OTHER, SUB, ADD, MUL = range(4)
KINDS: dict[Any, int] = {ops.sub: SUB, ops.add: ADD, ops.mul: MUL}


@dataclass
class Flat:
    """A flattened graph.

    Attributes:
        kinds: what each node is: an ``Operation``, or ``"leaf"``, ``"data"``, ``"constant"``, ``"sum"``; None
            for a node that became part of another.
        arguments: for an operation its operands; for a sum the two factors of each term, one after the other,
            the second `ABSENT` if the term is a node; else empty.
        data: the recorded number of each node.
        marks: whether each node depends on a leaf, and on data: ``ACTIVE``, ``FED``, their sum, or 0.
        leaves: the Values of the leaves and the data, by node.
        outputs: the nodes of the outputs, then those of aux.
        size: how many Values the graph had.
    """

    kinds: list[Any] = field(default_factory=list)
    arguments: list[tuple[int, ...]] = field(default_factory=list)
    data: list[float] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    leaves: dict[int, Value] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)
    size: int = 0


def flatten(
    outputs: Sequence[Value],
    inputs: Sequence[Value] | None,
    data: Sequence[Value],
    branches: str,
    aux: Sequence[Value] = (),
) -> Flat:
    """Flatten the graph of ``outputs``.

    Args:
        outputs: the roots.
        inputs: the leaves to differentiate by; None for all others that are not constants.
        data: the leaves to read without differentiating by them.
        branches: ``"refuse"`` or ``"frozen"``: what to do with a node whose number a branch has asked for.
        aux: roots that are computed, too.

    Raises:
        ValueError: a node was asked for its number and branches are refused.
    """
    order = topological_order(*outputs, *aux, *(inputs or ()), *data)  # with those that no output depends on
    fed = set(data)
    if inputs is None:
        inputs = [
            node for node in order if node.op is None and node.__class__ is not Constant and node not in fed
        ]
    kind_of = dict.fromkeys(inputs, "leaf") | dict.fromkeys(data, "data")
    if branches != "frozen":
        _refuse_branches(order, kind_of, outputs)
    return _merge(_subtract_sums(_fold(order, [*outputs, *aux], kind_of)))


def _refuse_branches(order: list[Value], kind_of: dict[Value, str], outputs: Sequence[Value]) -> None:
    """Refuse a graph that a branch outside it may have shaped.

    A single output may have been looked at: the whole graph was there before. Not compared: in ``y if y > 0
    else 0.1 * y`` that chooses the output. What depends on no input is exempt as well: its number is the same
    at every run. Any other node of the graph is refused if it was asked.
    What was asked beside the graph is known from the nodes that it was computed from; that is refused unless
    data was assigned between the question and the recording, as by a step of training. A detached number that
    is listed as an input is no cut, since it is fed.
    """
    facts = ("answer", "answers", "cut")
    if noticed.isdisjoint(facts):
        return
    exempt = noted(outputs[0], "answer") if len(outputs) == 1 else None
    if exempt is not None and exempt.how != LOOK:
        exempt = None
    found = [
        (node, notes)
        for node, notes in zip(order, map(getattr, order, repeat("_notes"), repeat(None)), strict=True)
        if notes and not notes.keys().isdisjoint(facts)
    ]
    if not found:
        return
    recorded = min((node._time for node in order if node.op is not None), default=0)
    varying: set[Value] = set()
    for node in order:
        if node in kind_of if node.op is None else not varying.isdisjoint(node.parents):
            varying.add(node)
    for node, notes in found:
        if node not in varying:
            if "cut" in notes:
                raise ValueError(
                    f"{describe(node)} was cut out of a graph by {notes['cut']}, so a replay could not "
                    f"follow what it was computed from; list it in inputs=, or keep its number with {FROZEN}"
                )
            continue
        asked = [notes.get("answer"), *notes.get("answers", ())]
        if node.op is None:
            asked[1:] = (answer for answer in asked[1:] if answer.time >= recorded)
        for answer in asked:
            if answer not in (None, exempt):
                raise ValueError(
                    f"the program asked {answer.what} for its number with {answer.how}, and what it did with "
                    "the answer is not in the graph; write the branch as an operation, such as "
                    "maximum(a, b) or where(greater(a, b), ...), or keep the branches as recorded with "
                    f"{FROZEN}"
                )


def _fold(order: list[Value], outputs: Sequence[Value], kind_of: dict[Value, str]) -> Flat:
    """Number the nodes; fold operations on constants alone, and merge constants of equal value."""
    flat = Flat(size=len(order))
    kinds, arguments, data, marks = flat.kinds, flat.arguments, flat.data, flat.marks
    number: dict[Value, int] = {}
    constants: dict[Any, int] = {}
    given = {"leaf": ACTIVE, "data": FED, "constant": 0}
    operands: tuple[int, ...]
    for node in order:
        op: Any = node.op
        if op is None:
            op = kind_of.get(node, "constant")
            value, operands, mark = node._data, (), given[op]
        else:
            arity = op.arity
            if arity == 2:
                first, second = operands = number[node._x], number[node._y]
                mark = marks[first] | marks[second]
            elif arity == 1:
                operands = (number[node._x],)
                mark = marks[operands[0]]
            else:
                operands = tuple([number[parent] for parent in node.parents])
                mark = reduce(or_, [marks[operand] for operand in operands], 0)
            if op.__class__ is Take and not marks[operands[0]]:
                number[node] = operands[1 + int(data[operands[0]])]
                continue
            value = node._data
            if not mark:  # anew, since the data of a frozen leaf may have been assigned after it was recorded
                value = op.value(*[data[operand] for operand in operands])
        here = len(kinds)
        if not mark:
            key: Any = (
                value if value != 0.0 and value == value else (math.copysign(1.0, value), value == value)
            )
            known = constants.setdefault(key, here)
            if known != here:
                number[node] = known
                continue
            op, operands = "constant", ()
        elif not operands:
            flat.leaves[here] = node
        kinds.append(op)
        arguments.append(operands)
        data.append(value)
        marks.append(mark)
        number[node] = here
    flat.outputs = [number[output] for output in outputs]
    return flat


def _subtract_sums(flat: Flat) -> Flat:
    """Subtract the sum of what is subtracted from one number again and again, as in ``loss -= term``.

    Only if such chains are longer than there are of them, half as long ones included: where many numbers are
    subtracted from, as in an elimination, what is left of them is the state of a loop.
    """
    chains = _chains(flat)
    if not chains:
        return flat
    kinds, arguments = flat.kinds, flat.arguments
    new = np.arange(len(kinds))
    differences = {}
    for nodes in chains:
        left, taken = arguments[nodes[0]][0], -1
        for node in nodes:
            term = arguments[node][1]
            if kinds[node] is ops.add:
                arguments[node], left = (left, term), node
            elif taken < 0:
                kinds[node], arguments[node], taken = None, (), term
            else:
                kinds[node], arguments[node], taken = ops.add, (taken, term), node
        new[nodes[-1] :] += 1  # behind it, and read instead of it, comes the difference of the two sums
        differences[nodes[-1]] = (left, taken)
    numbers = new.tolist()
    result = Flat(leaves={numbers[node]: leaf for node, leaf in flat.leaves.items()}, size=flat.size)
    result.outputs = [numbers[node] for node in flat.outputs]
    for node, kind in enumerate(kinds):
        result.kinds.append(kind)
        result.arguments.append(tuple([numbers[operand] for operand in arguments[node]]))
        result.data.append(flat.data[node])
        if node in differences:
            result.kinds.append(ops.sub)
            result.arguments.append(tuple([numbers[part] - (part == node) for part in differences[node]]))
            result.data.append(flat.data[node])
    result.marks = _marked(result)
    return result


def _marked(flat: Flat) -> list[int]:
    """Return the marks of every node."""
    given = {"leaf": ACTIVE, "data": FED}
    marks: list[int] = []
    for kind, operands in zip(flat.kinds, flat.arguments, strict=True):
        marks.append(reduce(or_, [marks[operand] for operand in operands], given.get(kind, 0)))
    return marks


def _chains(flat: Flat) -> list[list[int]]:
    """Find the chains to take apart: of subtractions, and additions, of a result that nothing else reads."""
    kinds, reading = _codes(flat), _Reading(flat)
    steps = np.flatnonzero((kinds == SUB) | (kinds == ADD))
    subtracts = kinds[steps] == SUB
    before = reading.first(steps)
    if np.isin(kinds[before[subtracts]], (SUB, ADD)).sum() < LONG - 1:
        return []
    place = np.full(len(kinds), -1, dtype=np.intp)
    place[steps] = np.arange(len(steps))
    after = place[reading.last[steps]]  # the step that reads each step, where it may be the next of its chain
    after[(reading.uses[steps] != 1) | (after < 0) | (before[after] != steps)] = -1
    # From every step to the end of its chain, by ever longer leaps, with the steps and subtractions between.
    follows = after >= 0
    end = np.where(follows, after, np.arange(len(steps)))
    lengths, subtractions = follows.astype(np.intp), (follows & subtracts).astype(np.intp)
    while (end != (further := end[end])).any():
        lengths, subtractions = lengths + lengths[end], subtractions + subtractions[end]
        end = further
    lengths, subtractions = lengths + 1, subtractions + subtracts[end]
    starts = np.flatnonzero(subtracts)  # a chain starts with its first subtraction
    starts = starts[np.lexsort((-lengths[starts], end[starts]))]
    starts = starts[np.diff(end[starts], prepend=-1) != 0]
    long = starts[subtractions[starts] >= LONG]
    if not len(long) or lengths[long].min() < (lengths[starts] >= LONG // 2).sum():
        return []
    chains = []
    for start in np.sort(long).tolist():
        nodes = [start]
        while after[nodes[-1]] >= 0:
            nodes.append(int(after[nodes[-1]]))
        chains.append(steps[nodes].tolist())
    return chains


def _codes(flat: Flat) -> Any:
    """Return for each node which of ``KINDS`` it is."""
    return np.fromiter((KINDS.get(kind, OTHER) for kind in flat.kinds), np.int8, len(flat.kinds))


class _Reading:
    """Who reads whom, before there are sums.

    Attributes:
        uses: how often each node is read; an output twice more, since it stays a node of its own.
        last: the last node that reads each, or -1.
    """

    def __init__(self, flat: Flat) -> None:
        size = len(flat.kinds)
        counts = np.fromiter(map(len, flat.arguments), np.intp, size)
        self._read = np.fromiter(chain.from_iterable(flat.arguments), np.intp, int(counts.sum()))
        self._begin = np.cumsum(counts) - counts
        self.uses = counted(self._read, size, flat.outputs)
        self.last = np.full(size, -1, dtype=np.intp)
        self.last[self._read] = np.repeat(np.arange(size), counts)

    def first(self, nodes: Any) -> Any:
        """Return the first operands of some operations."""
        return self._read[self._begin[nodes]]


def counted(read: Any, size: int, outputs: Sequence[int]) -> Any:
    """Return how often each node is read; an output twice more, since it stays a node of its own."""
    uses = np.bincount(read, minlength=size)
    np.add.at(uses, list(outputs), 2)
    return uses


def _merge(flat: Flat) -> Flat:
    """Absorb additions into sums and products into their terms; then merge what is computed twice."""
    kinds, arguments = flat.kinds, flat.arguments
    absorbed = _absorbed(flat)
    zeros = {node for node, kind in enumerate(kinds) if kind == "constant" and flat.data[node] == 0.0}
    merged: dict[int, int] = {}  # what is computed twice, and the node that stands for it
    known: dict[Any, dict[tuple[int, ...], int]] = {kind: {} for kind in {*kinds, "sum"}}
    pending: dict[int, deque[int]] = {}

    def term_of(node: int) -> tuple[int, ...]:
        if not absorbed[node]:
            return (merged.get(node, node), ABSENT)
        one, other = arguments[node]
        arguments[node] = ()
        return (merged.get(one, one), merged.get(other, other))

    for here, kind in enumerate(kinds):
        operands = arguments[here]
        if not operands:
            continue
        if kind is ops.add:
            left, right = operands
            before, after = pending.pop(left, None), pending.pop(right, None)
            if before is not None and after is not None:
                terms: Any = _join(before, after)
            elif before is not None:
                terms = before
                terms.extend(term_of(right))
            elif after is not None:
                terms = after
                terms.extendleft(reversed(term_of(left)))
            else:
                terms = (*term_of(left), *term_of(right))
            if absorbed[here]:
                pending[here] = terms if terms.__class__ is deque else deque(terms)
                kinds[here], arguments[here] = None, ()
                continue
            kind = kinds[here] = "sum"
            operands = arguments[here] = tuple(_without_zeros(terms, zeros))
        elif absorbed[here]:
            kinds[here] = None
            continue
        elif merged and not merged.keys().isdisjoint(operands):
            operands = arguments[here] = tuple([merged.get(operand, operand) for operand in operands])
        first = known[kind].setdefault(operands, here)
        if first != here:
            merged[here] = first
            kinds[here], arguments[here] = None, ()
    flat.outputs = [merged.get(output, output) for output in flat.outputs]
    return flat


def _absorbed(flat: Flat) -> bytes:
    """Tell which nodes become part of the sum that reads them: additions and products with that only use.

    Products among them are not merged with equal ones: a term shared with some other sum would hide that both
    sums are entries of one matrix product.
    """
    kinds, reading = _codes(flat), _Reading(flat)
    either = (kinds == ADD) | (kinds == MUL)
    return bytes(either & (reading.uses == 1) & (kinds[reading.last] == ADD))


def _join(left: deque[int], right: deque[int]) -> deque[int]:
    """Concatenate, moving the shorter one, so that a long sum is built in linear time from either end."""
    if len(left) >= len(right):
        left.extend(right)
        return left
    right.extendleft(reversed(left))
    return right


def _without_zeros(terms: Sequence[int], zeros: set[int]) -> Sequence[int]:
    """Drop the constant 0 with which Python's ``sum`` begins, unless nothing else is added."""
    if zeros.isdisjoint(terms):
        return terms
    pairs = zip(islice(terms, 0, None, 2), islice(terms, 1, None, 2), strict=True)
    kept = [pair for pair in pairs if pair[1] != ABSENT or pair[0] not in zeros]
    return list(chain.from_iterable(kept)) or terms
