"""Small statements as straight-line Python on floats.

A call of NumPy takes as long as twenty operations on floats. So many small statements in a row read their
cells at the beginning, compute with local variables, and write their results back at the end.
"""

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.compiler.forms import Call, Tree, form_at, recorded
from autograd.compiler.names import Names, identifier
from autograd.compiler.plan import Apply, Expression, Index, Place, Statement, places_of
from autograd.row import Operation

Printed = tuple[str, int]
"""A text and how tightly its outermost operator binds."""

SUM, PRODUCT, SIGN, ATOM = 1, 2, 3, 4
CHAIN = 100
"""The most operators in a row in one expression: Python's compiler cannot nest thousands of them."""

_INFIX = {operator.add: ("+", SUM), operator.sub: ("-", SUM), operator.mul: ("*", PRODUCT)}
_PREFIX = {operator.neg: "-", operator.pos: "+"}


class Printer:
    """Prints expressions on floats.

    Args:
        names: names for the functions that are called.
    """

    def __init__(self, names: Names) -> None:
        self.names = names

    def expression(self, expression: Expression, read: Callable[[Place], str]) -> Printed:
        """Return an expression as text, given the texts of its places."""
        if isinstance(expression, Place):
            return read(expression), ATOM
        if not isinstance(expression, Apply):
            text = repr(float(expression))
            return text, SIGN if text.startswith("-") else ATOM
        operation = expression.operation
        printed = [self.expression(argument, read) for argument in expression.arguments]
        value: Any = operation.value
        if value in _INFIX:
            symbol, binding = _INFIX[value]
            left, right = _within(printed[0], binding), _within(printed[1], binding + 1)
            return f"{left} {symbol} {right}", binding
        if value in _PREFIX:
            return _PREFIX[value] + _within(printed[0], ATOM), SIGN
        function = self._function(operation, expression.arguments)
        return f"{function}({', '.join(text for text, _ in printed)})", ATOM

    def total(self, terms: Sequence[Printed]) -> Printed:
        """Return a sum as text."""
        if len(terms) == 1:
            return terms[0]
        texts = [terms[0][0], *(_within(term, SUM + 1) for term in terms[1:])]
        while len(texts) > CHAIN:
            texts = [f"({' + '.join(texts[i : i + CHAIN])})" for i in range(0, len(texts), CHAIN)]
        return " + ".join(texts), SUM

    def _function(self, operation: Operation, arguments: Sequence[Expression]) -> str:
        """Return the name of a row's function; one that has an order has a definition for each."""
        form = form_at(operation, arguments)
        return self.names.bind(
            f"{identifier(operation)}_of_float_",
            (operation, form),
            lambda: operation.value,
            lambda: _definition(operation, form),
        )


def _within(printed: Printed, binding: int) -> str:
    text, own = printed
    return text if own >= binding else f"({text})"


def _definition(operation: Operation, form: Tree | None) -> str:
    if form is None:
        return f"...  # the operation {operation.name!r}, of floats: define it here"
    return f"lambda {', '.join(operation.arguments)}: float({_spelled(form, operation.arguments)})"


def _spelled(tree: Tree, arguments: Sequence[str]) -> str:
    if isinstance(tree, Call):
        return (
            f"np.{tree.function}({', '.join(_spelled(argument, arguments) for argument in tree.arguments)})"
        )
    return arguments[tree] if isinstance(tree, int) else repr(tree)


def points_of(statement: Statement) -> tuple[int, int]:
    """Return how many results a statement has, and how many terms each is the sum of."""
    kept = len(statement.shape) - statement.summed
    return math.prod(statement.shape[:kept]), math.prod(statement.shape[kept:])


class Straight:
    """Statements, one number after the other.

    Args:
        names: names for what the text refers to.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.printer = Printer(names)
        self.lines: list[str] = []
        self._read: dict[tuple[str, int], None] = {}
        self._written: dict[tuple[str, int], None] = {}

    def add(self, statement: Statement) -> None:
        """Append the lines of a statement."""
        results, terms = points_of(statement)
        shape = statement.shape
        addresses = {place: _addresses(place, shape) for place in places_of(statement.expression)}
        targets = _addresses(statement.target, shape)
        for result in range(results):
            printed = []
            for point in range(result * terms, (result + 1) * terms):
                cells = {place: self._cell(place.memory, at[point]) for place, at in addresses.items()}
                printed.append(self.printer.expression(statement.expression, cells.__getitem__))
            total = self.printer.total(printed) if printed else ("0.0", ATOM)
            key = (
                statement.target.memory,
                targets[result * terms] if terms else self._target(statement, result),
            )
            if statement.adds:
                total = self.printer.total([(self._cell(*key), ATOM), total])
            self._written[key] = None
            self.lines.append(f"{key[0]}{key[1]} = {total[0]}")

    def _target(self, statement: Statement, result: int) -> int:
        kept = statement.shape[: len(statement.shape) - statement.summed]
        place = statement.target
        whole = Place(place.memory, place.base, place.strides[: len(kept)], place.table)
        return int(whole.addresses(kept).ravel()[result])

    def _cell(self, memory: str, address: int) -> str:
        key = memory, address
        if key not in self._written:
            self._read[key] = None
        return f"{memory}{address}"

    def text(self) -> list[str]:
        """Return the body of a function that runs the statements."""
        head: list[str] = []
        tail: list[str] = []
        for memory in sorted({memory for memory, _ in (*self._read, *self._written)}):
            head += self._loads(memory, sorted(a for m, a in self._read if m == memory))
            tail += self._stores(memory, sorted(a for m, a in self._written if m == memory))
        return [*head, *self.lines, *tail]

    def _loads(self, memory: str, addresses: list[int]) -> Iterator[str]:
        if len(addresses) <= FEW:
            yield from (f"{memory}{address} = {memory}.item({address})" for address in addresses)
        else:
            names = ", ".join(f"{memory}{address}" for address in addresses)
            yield f"{names} = {memory}{self._at(addresses, '.take({})')}.tolist()"

    def _stores(self, memory: str, addresses: list[int]) -> Iterator[str]:
        if len(addresses) <= FEW:
            yield from (f"{memory}[{address}] = {memory}{address}" for address in addresses)
        else:
            names = ", ".join(f"{memory}{address}" for address in addresses)
            yield f"{memory}{self._at(addresses, '[{}]')} = {names}"

    def _at(self, addresses: list[int], form: str) -> str:
        first, last = addresses[0], addresses[-1]
        if last - first + 1 == len(addresses):
            return f"[{first}:{last + 1}]"
        return form.format(self.names.table(np.array(addresses)))


def _addresses(place: Place, shape: tuple[int, ...]) -> list[int]:
    if not shape and place.table is None:
        return [place.base]
    return place.addresses(shape).ravel().tolist()


FEW = 6
"""So many cells are read or written one by one."""


def is_plain(statement: Statement) -> bool:
    """Tell whether all addresses are known before the program runs."""
    return all(place.choice is None for place in (statement.target, *places_of(statement.expression)))


def costs(statement: Statement, points: int | None = None) -> tuple[float, float]:
    """Return about how many microseconds a statement takes on floats, and as calls of NumPy.

    Args:
        statement: the statement.
        points: how many terms it computes, if not all at once.
    """
    results, terms = points_of(statement)
    count = results * terms if points is None else points
    results = count // terms if terms else results
    infix = reads = 0
    calls = 0.0
    for part in _parts(statement.expression):
        if isinstance(part, Apply):
            value: Any = part.operation.value
            plain = value in _INFIX or value in _PREFIX
            infix += plain
            calls += 0.0 if plain else 0.1 + 0.04 * _primitives(part.operation)
        else:
            reads += 1
    floats = count * (0.035 * infix + calls + 0.02 * reads) + 0.07 * results
    return floats, primitives(statement) * (0.5 + 0.001 * count)


def primitives(statement: Statement) -> int:
    """Return about how many calls of NumPy a statement is."""
    count = 1 + statement.adds + (statement.summed > 0)
    for part in _parts(statement.expression):
        count += _primitives(part.operation) if isinstance(part, Apply) else part.table is not None
    return count


def _parts(expression: Expression) -> Iterator[Apply | Place]:
    stack = [expression]
    while stack:
        part = stack.pop()
        if isinstance(part, Apply):
            stack += part.arguments
        if isinstance(part, (Apply, Place)):
            yield part


@lru_cache(1024)
def _primitives(operation: Operation) -> int:
    form = recorded(operation)
    return 6 if form is None else _size(form)


def _size(tree: Tree) -> int:
    return 1 + sum(map(_size, tree.arguments)) if isinstance(tree, Call) else 0


def evenly(addresses: Index) -> int | None:
    """Return the step between addresses, or None if they are not evenly spaced."""
    if len(addresses) < 2:
        return 1
    steps = np.diff(addresses)
    return int(steps[0]) if (steps == steps[0]).all() else None
