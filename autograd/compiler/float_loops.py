"""Loops whose steps are small, as Python loops over floats.

In the course of a loop a term goes through a sequence of cells. If each sequence is either read only, or
written in one place and read again in the same step or the next, the loop is one over lists of numbers, with
local variables for what is carried from step to step. Else the cells are a list that it reads and writes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from autograd.compiler.floats import ATOM, Printer, costs, evenly, is_plain, points_of
from autograd.compiler.names import Names
from autograd.compiler.plan import Expression, Index, Loop, Place, places_of

LARGEST = 64
"""The most terms of a step that is written out on floats."""


@dataclass(eq=False)
class Sequence:
    """The cells that a term goes through, step by step.

    Attributes:
        number: tells it from the others of the loop.
        memory: where they are.
        addresses: their addresses, in the order in which the steps are run.
        written: whether the loop writes to them in this sequence.
    """

    number: int
    memory: str
    addresses: Index
    written: bool = False
    steady: bool = field(init=False)

    def __post_init__(self) -> None:
        self.steady = bool((self.addresses == self.addresses[0]).all())


@dataclass(eq=False)
class Result:
    """What a step computes: a sum of terms, for a sequence of cells.

    Attributes:
        target: where it goes.
        adds: whether it is added to what is there.
        expression: each term.
        terms: for each term the cells that it reads.
    """

    target: Sequence
    adds: bool
    expression: Expression
    terms: list[dict[Place, Sequence]]


def is_small(loop: Loop) -> bool:
    """Tell whether a loop is faster on floats."""
    floats, calls = 0.1, 0.0
    for statement, starts in zip(loop.body, loop.starts, strict=True):
        results, terms = points_of(statement)
        points = results * terms // loop.length
        if starts is not None or not terms or points > LARGEST or not is_plain(statement):
            return False
        on_floats, as_calls = costs(statement, points)
        floats, calls = floats + on_floats, calls + as_calls
    return floats < calls


def written(loop: Loop, names: Names) -> list[str]:
    """Return the body of a function that runs a loop."""
    results, sequences = _results(loop)
    try:
        return Columns(results, sequences, names).text()
    except ConflictError:
        return Cells(results, sequences, names).text(loop.length)


class ConflictError(Exception):
    """A sequence is neither read only nor written and read in step."""


def _results(loop: Loop) -> tuple[list[Result], list[Sequence]]:
    known: dict[tuple[str, bytes], Sequence] = {}

    def sequences(place: Place, shape: tuple[int, ...]) -> list[Sequence]:
        table = place.addresses(shape)[:: -1 if loop.backward else 1].reshape(loop.length, -1)
        found = []
        for column in np.ascontiguousarray(table.T):
            key = place.memory, column.tobytes()
            found.append(known.setdefault(key, Sequence(len(known), place.memory, column)))
        return found

    results = []
    for statement in loop.body:
        count, terms = points_of(statement)
        places = {place: sequences(place, statement.shape) for place in places_of(statement.expression)}
        targets = sequences(statement.target, statement.shape)
        for first in range(0, count // loop.length * terms, terms):
            targets[first].written = True
            cells = [
                {place: columns[at] for place, columns in places.items()}
                for at in range(first, first + terms)
            ]
            results.append(Result(targets[first], statement.adds, statement.expression, cells))
    return results, list(known.values())


class _Body:
    """What both forms of a loop have in common."""

    def __init__(self, results: list[Result], sequences: list[Sequence], names: Names) -> None:
        self.results, self.sequences, self.names = results, sequences, names
        self.printer = Printer(names)
        self.head: list[str] = []
        self.body: list[str] = []
        self.tail: list[str] = []
        self.variables: dict[str, str] = {}

    def write_body(self) -> None:
        """Write the results of a step."""
        for result in self.results:
            printed = []
            for term in result.terms:
                texts = {place: self.read(sequence) for place, sequence in term.items()}
                printed.append(self.printer.expression(result.expression, texts.__getitem__))
            total = self.printer.total(printed)
            if result.adds:
                total = self.printer.total([(self.read(result.target), ATOM), total])
            self.write(result.target, total[0])

    def read(self, sequence: Sequence) -> str:
        """Return what a term's cell is called in a step."""
        raise NotImplementedError

    def write(self, sequence: Sequence, text: str) -> None:
        """Write what computes a step's number for a cell."""
        raise NotImplementedError

    def looped(self, length: int) -> list[str]:
        """Return the lines, with the loop around the body."""
        variables, lists = list(self.variables), list(self.variables.values())
        head = f"for {', '.join(variables)} in zip({', '.join(lists)}):"
        if len(variables) < 2:
            head = f"for {variables[0]} in {lists[0]}:" if variables else f"for _ in range({length}):"
        return [*self.head, head, *(f"    {line}" for line in self.body), *self.tail]

    def cells(self, memory: str, addresses: Index) -> str:
        """Return text for some cells of a memory, as what can be read and assigned."""
        step = evenly(addresses)
        if not step:
            return f"{memory}[{self.names.table(addresses)}]"
        first, stop = int(addresses[0]), int(addresses[-1]) + (1 if step > 0 else -1)
        return f"{memory}[{first}:{stop if stop >= 0 else ''}{f':{step}' if step != 1 else ''}]"


class Columns(_Body):
    """A loop over lists of what each step reads, which collects lists of what each step computes."""

    def __init__(self, results: list[Result], sequences: list[Sequence], names: Names) -> None:
        super().__init__(results, sequences, names)
        self._now: dict[Sequence, str] = {}
        self._lags: list[tuple[str, Sequence]] = []
        size = max((int(s.addresses.max()) for s in sequences), default=0) + 1
        self._owner = {memory: np.full(size, -1) for memory in {s.memory for s in sequences}}
        for sequence in sequences:
            if sequence.written:
                self._own(sequence)

    def _own(self, sequence: Sequence) -> None:
        owner, addresses = self._owner[sequence.memory], sequence.addresses
        if (owner[addresses] >= 0).any():
            raise ConflictError
        if not sequence.steady and len(np.unique(addresses)) < len(addresses):
            raise ConflictError
        owner[addresses] = sequence.number

    def read(self, sequence: Sequence) -> str:
        """Return a local variable."""
        if sequence not in self._now:
            self._now[sequence] = self._first(sequence)
        return self._now[sequence]

    def _first(self, sequence: Sequence) -> str:
        number, memory, addresses = sequence.number, sequence.memory, sequence.addresses
        owner = self._owner[memory][addresses]
        if sequence.steady and (sequence.written or owner[0] < 0):
            name = f"y{number}" if sequence.written else f"c{number}"
            self.head.append(f"{name} = {memory}.item({addresses[0]})")
            return name
        if sequence.written or (owner < 0).all():
            self.variables[f"x{number}"] = f"{self.cells(memory, addresses)}.tolist()"
            return f"x{number}"
        source = self.sequences[owner[-1]] if owner[-1] >= 0 else sequence
        lags = not source.steady and (addresses[1:] == source.addresses[:-1]).all()
        first = self.sequences[owner[0]] if owner[0] >= 0 else None
        begins = first is None or (not first.steady and first.addresses[0] != addresses[0])
        if not (lags and begins):
            raise ConflictError
        self.head.append(f"p{number} = {memory}.item({addresses[0]})")
        self._lags.append((f"p{number}", source))
        return f"p{number}"

    def write(self, sequence: Sequence, text: str) -> None:
        """Write an assignment to a local variable."""
        name = f"y{sequence.number}"
        self._now[sequence] = name
        self.body.append(f"{name} = {text}")

    def text(self) -> list[str]:
        """Return the body of a function."""
        self.write_body()
        for sequence in self.sequences:
            if not sequence.written:
                continue
            name, number = self._now[sequence], sequence.number
            if sequence.steady:
                self.tail.append(f"{sequence.memory}[{sequence.addresses[0]}] = {name}")
                continue
            self.head += [f"ys{number} = []", f"keep{number} = ys{number}.append"]
            self.body.append(f"keep{number}({name})")
            self.tail.append(f"{self.cells(sequence.memory, sequence.addresses)} = ys{number}")
        self.body += [f"{name} = {self._now[source]}" for name, source in self._lags]
        return self.looped(len(self.sequences[0].addresses))


class Cells(_Body):
    """A loop over the places of a list of cells."""

    def __init__(self, results: list[Result], sequences: list[Sequence], names: Names) -> None:
        super().__init__(results, sequences, names)
        self._touched = {
            memory: np.unique(_joined(s.addresses for s in sequences if s.memory == memory))
            for memory in sorted({s.memory for s in sequences})
        }
        self._now: dict[Sequence, str] = {}

    def read(self, sequence: Sequence) -> str:
        """Return an element of the list of cells, or a local variable that holds it."""
        return self._now.get(sequence) or self._cell(sequence)

    def _cell(self, sequence: Sequence) -> str:
        places = np.searchsorted(self._touched[sequence.memory], sequence.addresses)
        cells = f"{sequence.memory}s"
        if sequence.steady:
            return f"{cells}[{places[0]}]"
        name = f"at{sequence.number}"
        if name not in self.variables:
            step = evenly(places)
            if step:
                stop = int(places[-1]) + (1 if step > 0 else -1)
                self.variables[name] = f"range({places[0]}, {stop}, {step})"
            else:
                self.variables[name] = f"{self.names.table(places)}.tolist()"
        return f"{cells}[{name}]"

    def write(self, sequence: Sequence, text: str) -> None:
        """Write an assignment to an element of the list of cells."""
        for other in list(self._now):
            if other.memory == sequence.memory and (other.addresses == sequence.addresses).any():
                del self._now[other]
        name = f"y{sequence.number}"
        self.body.append(f"{self._cell(sequence)} = {name} = {text}")
        self._now[sequence] = name

    def text(self, length: int) -> list[str]:
        """Return the body of a function."""
        self.write_body()
        for memory, touched in self._touched.items():
            if not len(touched):
                continue
            cells = self.cells(memory, touched)
            self.head.append(f"{memory}s = {cells}.tolist()")
            own = [s.addresses for s in self.sequences if s.memory == memory and s.written]
            if not own:
                continue
            changed = np.unique(_joined(own))
            if len(changed) == len(touched):
                self.tail.append(f"{cells} = {memory}s")
                continue
            places = np.searchsorted(touched, changed)
            step = evenly(places)
            part = f"np.array({memory}s)[{self.names.table(places)}]"
            if step:
                part = f"{memory}s[{places[0]}:{int(places[-1]) + 1}:{step}]"
            self.tail.append(f"{self.cells(memory, changed)} = {part}")
        return self.looped(length)


def _joined(parts: Iterable[Index]) -> Index:
    return np.concatenate([np.zeros(0, dtype=np.intp), *parts])
