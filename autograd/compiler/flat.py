"""A graph of Values becomes a list of scalar statements: constants folded, sums flattened, repeats merged.

Statements are numbered in topological order. A *sum* is a tree of additions whose inner nodes nothing else
uses; its terms are nodes or products of two nodes. Everything else is an operation on nodes.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import numpy as np

from autograd import ops
from autograd.choosing import Take
from autograd.questions import LOOK, noted
from autograd.sweeping import topological_order
from autograd.text import describe
from autograd.value import Constant, Value

FROZEN = 'compile(..., branches="frozen")'

LONG = 8
"""So many subtractions from one number are a sum that is subtracted."""

Term = tuple[int, ...]
"""One term of a sum: ``(node,)``, or ``(node, node)`` for a product of two."""


@dataclass
class Flat:
    """A flattened graph.

    Attributes:
        kinds: what each node is: an ``Operation``, or ``"leaf"``, ``"data"``, ``"constant"``, ``"sum"``; None
            for a node that became part of another.
        arguments: for an operation its operands, for a sum its terms, else empty.
        data: the recorded number of each node.
        active: whether each node depends on a leaf, so that it has an adjoint.
        fed: whether each node depends on data.
        leaves: the Values of the leaves and the data, by node.
        outputs: the nodes of the outputs, then those of aux.
        size: how many Values the graph had.
    """

    kinds: list[Any] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)
    data: list[float] = field(default_factory=list)
    active: list[bool] = field(default_factory=list)
    fed: list[bool] = field(default_factory=list)
    leaves: dict[int, Value] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)
    size: int = 0

    def operands(self, node: int) -> tuple[int, ...]:
        """The nodes that a node reads, in order; of a sum the factors of its terms."""
        arguments: tuple[Any, ...] = self.arguments[node]
        return tuple(chain.from_iterable(arguments)) if self.kinds[node] == "sum" else arguments

    def uses(self) -> list[int]:
        """How often each node is read; an output twice more, since it stays a node of its own."""
        read = chain.from_iterable(
            chain.from_iterable(arguments) if kind == "sum" else arguments
            for kind, arguments in zip(self.kinds, self.arguments, strict=True)
            if kind is not None
        )
        return _counted(read, len(self.kinds), self.outputs)


def _counted(read: Iterable[int], size: int, outputs: Sequence[int]) -> list[int]:
    uses = np.bincount(np.fromiter(read, np.intp), minlength=size)
    np.add.at(uses, list(outputs), 2)
    counts: list[int] = uses.tolist()
    return counts


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
    return _activate(_merge(_subtract_sums(_fold(order, [*outputs, *aux], kind_of))))


def _refuse_branches(order: list[Value], kind_of: dict[Value, str], outputs: Sequence[Value]) -> None:
    """Refuse a graph that a branch outside it may have shaped.

    A single output may have been looked at: the whole graph was there before. Not compared: in ``y if y > 0
    else 0.1 * y`` that chooses the output. What depends on no input is exempt as well: its number is the same
    at every run. Any other node of the graph is refused if it was asked.
    What was asked beside the graph is known from the nodes that it was computed from; that is refused unless
    data was assigned between the question and the recording, as by a step of training. A detached number that
    is listed as an input is no cut, since it is fed.
    """
    exempt = noted(outputs[0], "answer") if len(outputs) == 1 else None
    if exempt is not None and exempt.how != LOOK:
        exempt = None
    noticed = [
        (node, notes)
        for node, notes in zip(order, map(getattr, order, repeat("_notes"), repeat(None)), strict=True)
        if notes and not notes.keys().isdisjoint(("answer", "answers", "cut"))
    ]
    if not noticed:
        return
    recorded = min((node._time for node in order if node.op is not None), default=0)
    varying: set[Value] = set()
    for node in order:
        if node in kind_of if node.op is None else not varying.isdisjoint(node.parents):
            varying.add(node)
    for node, notes in noticed:
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
    kinds, arguments, data = flat.kinds, flat.arguments, flat.data
    number: dict[Value, int] = {}
    constants: dict[Any, int] = {}
    constant_nodes: set[int] = set()
    for node in order:
        op = node.op
        here = len(kinds)
        if op is None:
            folded = node not in kind_of
            value = node._data
        else:
            if op.arity == 2:
                operands: tuple[int, ...] = (number[node._x], number[node._y])
                folded = operands[0] in constant_nodes and operands[1] in constant_nodes
            else:
                operands = tuple(number[parent] for parent in node.parents)
                folded = all(operand in constant_nodes for operand in operands)
            if op.__class__ is Take and operands[0] in constant_nodes:
                number[node] = operands[1 + int(data[operands[0]])]
                continue
            if folded:  # anew, since the data of a frozen leaf may have been assigned after it was recorded
                value = op.value(*[data[operand] for operand in operands])
        if folded:
            key: Any = (
                value if value != 0.0 and value == value else (math.copysign(1.0, value), value == value)
            )
            known = constants.get(key)
            if known is not None:
                number[node] = known
                continue
            constants[key] = here
            constant_nodes.add(here)
            kinds.append("constant")
            arguments.append(())
        elif op is None:
            kinds.append(kind_of[node])
            arguments.append(())
            flat.leaves[here] = node
        else:
            kinds.append(op)
            arguments.append(operands)
            value = node._data
        number[node] = here
        data.append(value)
    flat.outputs = [number[output] for output in outputs]
    return flat


def _subtract_sums(flat: Flat) -> Flat:
    """Subtract the sum of what is subtracted from one number again and again, as in ``loss -= term``.

    Only if such chains are longer than there are of them, half as long ones included: where many numbers are
    subtracted from, as in an elimination, what is left of them is the state of a loop.
    """
    found = _chains(flat)
    chains = [nodes for nodes in found if sum(flat.kinds[node] is ops.sub for node in nodes) >= LONG]
    if not chains or min(map(len, chains)) < len(found):
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
    return result


def _chains(flat: Flat) -> list[list[int]]:
    """Find chains of subtractions, and additions, from the result before, which nothing else reads."""
    kinds, arguments = flat.kinds, flat.arguments
    either = (ops.add, ops.sub)
    starts = [node for node, kind in enumerate(kinds) if kind is ops.sub]
    if sum(kinds[arguments[node][0]] in either for node in starts) < LONG - 1:
        return []
    uses, reader = _reading(flat)
    seen: set[int] = set()
    chains = []
    for start in starts:
        if start in seen:
            continue
        nodes = [start]
        while uses[start] == 1 and kinds[reader[start]] in either and arguments[reader[start]][0] == start:
            start = reader[start]
            nodes.append(start)
        seen.update(nodes)
        if len(nodes) >= LONG // 2:
            chains.append(nodes)
    return chains


def _merge(flat: Flat) -> Flat:
    """Absorb additions into sums and products into their terms; then merge what is computed twice."""
    kinds, arguments = flat.kinds, flat.arguments
    absorbed = _absorbed(flat)
    representative = list(range(len(kinds)))
    known: dict[Any, int] = {}
    pending: dict[int, deque[Term]] = {}

    def term_of(node: int) -> Term:
        if not absorbed[node]:
            return (representative[node],)
        one, other = arguments[node]
        return (representative[one], representative[other])

    for here, kind in enumerate(kinds):
        if not arguments[here]:
            continue
        if kind is ops.add:
            left, right = arguments[here]
            before, after = pending.pop(left, None), pending.pop(right, None)
            if before is not None and after is not None:
                terms = _join(before, after)
            elif before is not None:
                terms = before
                terms.append(term_of(right))
            elif after is not None:
                terms = after
                terms.appendleft(term_of(left))
            else:
                terms = deque((term_of(left), term_of(right)))
            if absorbed[here]:
                pending[here] = terms
            else:
                kinds[here], arguments[here] = "sum", _without_zero(flat, terms)
        elif not absorbed[here]:
            arguments[here] = tuple(representative[operand] for operand in arguments[here])
        if absorbed[here]:
            kinds[here] = None
            continue
        first = known.setdefault((kinds[here], arguments[here]), here)
        if first != here:
            representative[here] = first
            kinds[here] = None
    flat.outputs = [representative[output] for output in flat.outputs]
    return flat


def _absorbed(flat: Flat) -> list[bool]:
    """Tell which nodes become part of the sum that reads them: additions and products with that only use.

    Products among them are not merged with equal ones: a term shared with some other sum would hide that both
    sums are entries of one matrix product.
    """
    kinds = flat.kinds
    uses, reader = _reading(flat)
    return [
        (kind is ops.add or kind is ops.mul) and uses[here] == 1 and kinds[reader[here]] is ops.add
        for here, kind in enumerate(kinds)
    ]


def _reading(flat: Flat) -> tuple[list[int], list[int]]:
    """Return how often each node is read, and which is the last that reads it."""
    counts = np.fromiter(map(len, flat.arguments), np.intp, len(flat.kinds))
    read = np.fromiter(chain.from_iterable(flat.arguments), np.intp, int(counts.sum()))
    last = np.full(len(flat.kinds), -1, dtype=np.intp)
    last[read] = np.repeat(np.arange(len(flat.kinds)), counts)
    return _counted(read, len(flat.kinds), flat.outputs), last.tolist()


def _activate(flat: Flat) -> Flat:
    """Find the nodes that have adjoints, and those that change with the data."""
    flat.active = [kind == "leaf" for kind in flat.kinds]
    flat.fed = [kind == "data" for kind in flat.kinds]
    for marks in (flat.active, flat.fed):
        if True in marks:
            for here, kind in enumerate(flat.kinds):
                if kind is not None and not marks[here]:
                    marks[here] = any(marks[operand] for operand in flat.operands(here))
    return flat


def _join(left: deque[Term], right: deque[Term]) -> deque[Term]:
    """Concatenate, moving the shorter one, so that a long sum is built in linear time from either end."""
    if len(left) >= len(right):
        left.extend(right)
        return left
    right.extendleft(reversed(left))
    return right


def _without_zero(flat: Flat, terms: deque[Term]) -> tuple[Term, ...]:
    """Drop the constant 0 with which Python's ``sum`` begins, unless nothing else is added."""
    kept = tuple(
        term
        for term in terms
        if len(term) > 1 or flat.kinds[term[0]] != "constant" or flat.data[term[0]] != 0.0
    )
    return kept or tuple(terms)
