"""The statements of a program: how the nodes of a graph are computed, and how their adjoints are.

Local derivatives come from the rows of the operation table, applied to expressions. The two operations known
here by name are + and *, of which a matrix product is made.
"""

import operator
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from autograd.compiler.flat import Term
from autograd.compiler.stores import FEW, Column, Memory, spread
from autograd.compiler.structure import Block, Group, Index, Operand
from autograd.compiler.symbols import Expression, Writer, as_float, strip, total
from autograd.compiler.tape import Tape
from autograd.row import Operation

N = TypeVar("N", contravariant=True)


class Statement:
    """One array statement: all members of a block."""

    def __init__(self, block: Block, memory: Memory) -> None:
        self.block = block
        self.memory = memory
        self.writer, self.found = memory.writer, memory.found

    def forward(self) -> None:
        """Write the statement."""
        block = self.block
        if block.fold:
            text = f"{self._accumulated(self._read_all(block.operands[0]))}[..., -1]"
            comment = f"{block.size} x {block.operands[0].index.shape[-1]} folded by {self._kind.name}"
            self.found["folds"] += 1
        elif isinstance(block.kind, Operation):
            text = as_float(block.kind(*map(self._read, block.operands))).text
            comment = f"{block.size} x {block.kind.name}"
        else:
            groups = list(map(self._group, block.groups))
            text = total([group.text for group in groups])
            if block.size > 1 and not any(group.array for group in groups):  # the same sum in several orders
                text = f"np.full({block.shape}, {text})"
            comment = f"{block.size} x sum of {sum(group.terms for group in block.groups)}"
        if block.size == 1:  # such as a loss: it is held as a float
            self.writer.write(f"{self.memory.read_node(self._first).text} = float({text})", comment)
        else:
            self.memory.arrays[block.number].assign(text, comment)

    def reverse(self) -> None:
        """Write what the block adds to the adjoints of its operands."""
        block = self.block
        if not self.memory.is_active(self._first):
            return
        if block.size == 1:
            value, upstream = self.memory.read_node(self._first), self.memory.adjoint_of(self._first)
        else:
            value, upstream = self.memory.arrays[block.number].finish()
        if block.fold:
            self._reverse_fold(upstream)
        elif isinstance(block.kind, Operation):
            operands = [self._read(operand) for operand in block.operands]
            for operand, derivative in zip(block.operands, block.kind.derivatives, strict=True):
                if operand.active:
                    self._add(operand, _times(upstream, derivative(value, *operands)))
        for group in block.groups:
            self._reverse_group(group, upstream)

    @property
    def _first(self) -> int:
        return int(self.block.members[0])

    @property
    def _kind(self) -> Operation:
        assert isinstance(self.block.kind, Operation)
        return self.block.kind

    def _accumulated(self, arguments: Expression) -> str:
        return self.writer.once(f"np.{self._kind.numpy}.accumulate({arguments.text}, -1)")

    def _reverse_fold(self, upstream: Expression) -> None:
        """Write the adjoints of the arguments: products of the local derivatives from the last one on."""
        (operand,) = self.block.operands
        arguments = self._read_all(operand)
        results = self._accumulated(arguments)
        parts = f"{results}[..., 1:]", f"{results}[..., :-1]", f"{arguments.operand}[..., 1:]"
        by_result, by_argument = (
            self._spread(derivative(*map(self._array, parts)), operand.index[..., 1:])
            for derivative in self._kind.derivatives
        )
        begin = f"{self._spread(upstream, operand.index[..., 0])}[..., None]"
        joined = f"np.concatenate(({begin}, {by_result}[..., ::-1]), -1)"
        adjoints = f"{self.memory[self.block.number].adjoint}_fold"
        self.writer.write(f"{adjoints} = np.multiply.accumulate({joined}, -1)[..., ::-1]")
        self.writer.write(f"{adjoints}[..., 1:] *= {strip(by_argument)}")
        self._add(operand, self._array(adjoints))

    def _spread(self, number: Any, index: Index) -> str:
        """Return text for a float, an array, or an array that broadcasts, in the full shape of an index."""
        if not isinstance(number, Expression):
            number = Expression(repr(float(number)), self.writer, array=False)
        return spread(as_float(number), index)

    def _read(self, operand: Operand) -> Expression:
        return self.memory[operand.block].read(operand.index)

    def _read_group(self, group: Group) -> list[Expression]:
        return [self._read(side) if group.terms == 1 else self._read_all(side) for side in group.operands]

    def _read_all(self, operand: Operand) -> Expression:
        """Return what has to have its last axis, to be added up along it, even if all of it is one float."""
        read = self._read(operand)
        return read if read.array else self._array(f"np.full({operand.index.shape}, {read.text})")

    def _array(self, text: str) -> Expression:
        return Expression(text, self.writer, array=True)

    def _add(self, operand: Operand, contribution: Expression) -> None:
        self.memory[operand.block].add(operand.index, contribution)

    def _group(self, group: Group) -> Expression:
        sides: list[Any] = self._read_group(group)
        if group.product:
            a, b = sides
            matrices = group.operands[0].index.ndim == group.operands[1].index.ndim == 2
            self.found["matrix products" if matrices else "dot products"] += 1
            return self._array(f"{a.operand} @ {b.operand}{'.T' if matrices else ''}")
        product = sides[0] if len(sides) == 1 else sides[0] * sides[1]
        if group.terms == 1:
            return Expression(product.text, self.writer, array=product.array)
        self.found["reductions"] += 1
        return self._array(f"np.add.reduce({product.text}, -1)")

    def _reverse_group(self, group: Group, upstream: Expression) -> None:
        sides = group.operands
        read: list[Any] = self._read_group(group)
        contributions: list[Any]
        if group.product:
            contributions = _reverse_product(upstream, sides, read)
        else:
            spread = upstream
            if group.terms > 1 and upstream.array:
                spread = Expression(f"{upstream.operand}[..., None]", self.writer, array=True, full=False)
            contributions = [spread] if len(read) == 1 else [spread * read[1], spread * read[0]]
        if _is_square(group):
            sides, contributions = sides[:1], [contributions[0] * 2.0]
        for side, contribution in zip(sides, contributions, strict=True):
            if side.active:
                self._add(side, contribution)


def _reverse_product(upstream: Expression, sides: list[Operand], read: list[Expression]) -> list[Expression]:
    """Return the adjoints of A and B in A @ B.T, where B, or both, may be a vector."""
    g, (a, b) = upstream, (expression.operand for expression in read)
    ranks = [side.index.ndim for side in sides]
    if ranks == [2, 2]:
        texts = [f"{g.operand} @ {b}", f"{g.operand}.T @ {a}"]
    elif ranks == [2, 1]:
        texts = [f"np.outer({g.text}, {b})", f"{g.operand} @ {a}"]
    else:
        texts = [f"{g.operand} * {b}", f"{g.operand} * {a}"]
    return [Expression(text, g.writer, array=True, atomic=False) for text in texts]


def _is_square(group: Group) -> bool:
    """Tell whether all products are squares, so that both factors receive the same contribution.

    A matrix times its own transpose is no such group: its sides receive G @ A and G.T @ A.
    """
    if len(group.operands) < 2:
        return False
    a, b = group.operands
    grid = group.product and a.index.ndim == b.index.ndim == 2
    return a.block == b.block and not grid and np.array_equal(a.index, b.index)


def _times(upstream: Any, local: Any) -> Any:
    """Return the contribution of one edge: adjoint times local derivative."""
    if isinstance(local, float) and abs(local) == 1.0:
        return upstream if local == 1.0 else -upstream
    return upstream * local


class Places(Protocol[N]):
    """What float statements need of what they read and write: nodes, or the places of a loop's body."""

    writer: Writer

    def is_active(self, node: N) -> bool:
        """Tell whether a node has an adjoint."""

    def read_node(self, node: N) -> Expression:
        """Return a node as a float."""

    def add_node(self, node: N, contribution: Expression) -> None:
        """Write a statement that adds to the adjoint of a node."""

    def adjoint_of(self, node: N) -> Expression:
        """Return the adjoint of a node."""


class FloatStatement(Generic[N]):
    """One node, computed as a float.

    Args:
        node: which one.
        kind: its operation, or ``"sum"``.
        arguments: its operands, or its terms.
        memory: where they are.
    """

    def __init__(self, node: N, kind: Any, arguments: Any, memory: Places[N]) -> None:
        self.node = node
        self.kind, self.arguments = kind, arguments
        self.memory = memory

    def forward(self) -> None:
        """Write the statement."""
        is_sum = self.kind == "sum"
        text = total(self.terms()) if is_sum else self.kind(*map(self._read, self.arguments)).text
        self.memory.writer.assign(self._read(self.node).text, text)

    def terms(self) -> list[str]:
        """Return the texts of a sum's terms."""
        terms = [[self._read(factor) for factor in term] for term in self.arguments]
        return [(t[0] * t[1]).text if len(t) == 2 else t[0].operand for t in terms]

    def reverse(self) -> None:
        """Write what the node adds to the adjoints of its operands."""
        if not self.memory.is_active(self.node):
            return
        upstream: Any = self.memory.adjoint_of(self.node)
        if self.kind == "sum":
            for term in self.arguments:
                if len(term) == 1:
                    self._add(term[0], upstream)
                else:
                    a, b = term
                    self._add(a, upstream * self._read(b))
                    self._add(b, upstream * self._read(a))
            return
        operands = [self._read(operand) for operand in self.arguments]
        value = self._read(self.node)
        for operand, derivative in zip(self.arguments, self.kind.derivatives, strict=True):
            if self.memory.is_active(operand):
                self._add(operand, _times(upstream, derivative(value, *operands)))

    def _read(self, node: N) -> Any:
        return self.memory.read_node(node)

    def _add(self, node: N, contribution: Expression) -> None:
        if self.memory.is_active(node):
            self.memory.add_node(node, contribution)


class LongSum:
    """A sum of more terms than are written one by one: those that lie in the same lists are added in a loop.

    Args:
        node: the sum.
        terms: its terms.
        memory: where they are.
    """

    def __init__(self, node: int, terms: Sequence[Term], memory: Memory) -> None:
        self.node, self.terms = node, terms
        self.memory, self.writer = memory, memory.writer
        self._groups: list[list[list[int]]] = []  # for each two lists, or one, the factors that are in them
        self._rest: FloatStatement[int]

    def forward(self) -> None:
        """Write the sum."""
        groups: dict[Any, list[Term]] = {}
        for term in self.terms:
            # A list may hold nodes with adjoints and, computed from data alone, nodes without.
            kinds = ((self.memory.list_of(factor), self.memory.is_active(factor)) for factor in term)
            sides = sorted(zip(kinds, term, strict=True))
            lists, factors = zip(*sides, strict=True)
            groups.setdefault(lists, []).append(factors)
        rest: list[Term] = []
        for lists, terms in groups.items():
            if len(terms) < FEW or any(name == "" for name, _ in lists):
                rest += terms
            else:
                self._groups.append([list(side) for side in zip(*terms, strict=True)])
        self._rest = FloatStatement(self.node, "sum", rest, self.memory)
        texts = [f"sum({self._products(*self._read(sides))})" for sides in self._groups]
        self.writer.assign(self.memory.read_node(self.node).text, total([*self._rest.terms(), *texts]))

    def _read(self, sides: list[list[int]]) -> list[str]:
        return [self.writer.once(self.memory.read_sequence(side)) for side in sides]

    def _products(self, first: str, *second: str) -> str:
        return f"map({self.writer.bind('mul', operator.mul)}, {first}, {second[0]})" if second else first

    def reverse(self) -> None:
        """Write what the sum adds to the adjoints of its terms."""
        if not self.memory.is_active(self.node):
            return
        self._rest.reverse()
        upstream = self.memory.adjoint_of(self.node).text
        for sides in self._groups:
            contributions = [f"[{upstream}] * {len(sides[0])}"]
            if len(sides) == 2:
                others = reversed(self._read(sides))
                contributions = [f"[{upstream} * factor for factor in {other}]" for other in others]
            for side, contribution in zip(sides, contributions, strict=True):
                if self.memory.is_active(side[0]):  # as all of the side are, or none
                    self.memory.add_sequence(side, contribution)


class Taped:
    """Many nodes, run from a tape."""

    def __init__(self, tape: Tape, name: str, memory: Memory) -> None:
        self.tape = tape
        self.memory = memory
        self.writer = memory.writer
        self.name = self.writer.bind(name, tape)
        self.values, self.adjoints = f"{self.name}_values", f"{self.name}_adjoints"
        column = Column(f"{self.values}[{{}}]", f"{self.adjoints}[{{}}]")
        for node, place in list(tape.place.items())[len(tape.externals) :]:
            memory.put(node, column, place)

    def forward(self) -> None:
        """Write the run of the tape."""
        read = ", ".join(self.memory.read_node(node).text for node in self.tape.externals)
        self.writer.write(f"{self.values} = {self.name}.forward([{read}])", f"{len(self.tape):,} floats")

    def begin_adjoints(self) -> None:
        """Write the zeros that the reverse pass adds to."""
        self.writer.write(f"{self.adjoints} = [0.0] * {len(self.tape)}")

    def reverse(self) -> None:
        """Write the tape's reverse run, and the additions to what it reads."""
        self.writer.write(f"{self.name}.reverse({self.values}, {self.adjoints})")
        for place, node in enumerate(self.tape.externals):
            if self.memory.is_active(node):
                contribution = Expression(f"{self.adjoints}[{place}]", self.writer, array=False)
                self.memory.add_node(node, contribution)
