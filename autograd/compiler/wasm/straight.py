"""Code without loops for statements of a few points, with the cells that it has touched in registers."""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

from autograd.compiler.plan import Place, Statement
from autograd.compiler.wasm.encoder import F64, GET, I32, I32_ADD, I32_MUL, I32_TRUNC_F64, SCALAR, Code
from autograd.compiler.wasm.layout import Layout
from autograd.compiler.wasm.live import Live
from autograd.compiler.wasm.rows import Cell, Emitter, Form, Given, Rows, count_uses
from autograd.compiler.wasm.trace import Node
from autograd.compiler.wasm.work import Access, Work

_DIRTY = 48


class Straight(Emitter):
    """Writes a function's part that has no loop of its own.

    Args:
        rows: the functions of rows.
        layout: where memories and tables are.
        code: the function that is written.
        step: the local with the step of the loop around, or None.
        length: how many steps that loop has.
        live: until when adjoints are read, or None for ever.

    Attributes:
        number: that of the statement that is written, as ``live`` counts them.
    """

    def __init__(
        self, rows: Rows, layout: Layout, code: Code, step: int | None, length: int, live: Live | None
    ) -> None:
        super().__init__(rows, code)
        self.layout, self.step, self.length, self.live = layout, step, length, live
        self.number = 0
        self._adjoints = layout.adjoints
        self.cells: dict[Cell, int] = {}
        self.dirty: dict[Cell, None] = {}
        self.pointers: dict[int, int] = {}
        self.point: tuple[int, ...] = ()

    def write(self, work: Work) -> None:
        """Write a work, point by point."""
        code = self.code
        axes = range(len(work.shape))
        first = 1 if work.sliced else 0
        kept = [
            range(n) if a >= first and not work.summed >> a & 1 else (0,) for a, n in enumerate(work.shape)
        ]
        sums = [range(work.shape[a]) if work.summed >> a & 1 else (0,) for a in axes]
        uses = count_uses(work.root)
        for at in itertools.product(*kept):
            terms = [tuple(map(sum, zip(at, more, strict=True))) for more in itertools.product(*sums)]
            cell = self.cell(work.target, at)
            if cell is None:
                self._alias(work.target)
                offset = self._moving(work.target, at)
                pointer = code.keep(I32)
                code.get(pointer)
                if work.adds:
                    code.get(pointer)
                    code.load(offset)
            elif work.adds:
                self._read(cell)
            for count, self.point in enumerate(terms):
                self.known, self.uses = {}, uses
                self._push(work.root)
                if count:
                    code.op(SCALAR["add"])
            if not terms and not (work.adds and cell is not None):
                code.number(0.0)
            if work.adds and terms:
                code.op(SCALAR["add"])
            if cell is None:
                code.store(offset)
                self._forget(work.target)
            else:
                self._assign(cell, work.adds)

    def write_known(self, statement: Statement, form: Form, given: Sequence[Given]) -> bool:
        """Write a statement whose cells are known beforehand; tell whether it was one.

        Args:
            statement: the statement.
            form: what it computes.
            given: the cells, places and numbers of its expression, and last its target's.
        """
        if Place not in map(type, given):
            self._write_point(form, (given,), statement.adds)
            return True
        shape = statement.shape if self.step is None else (1, *statement.shape[1:])
        columns = [self._column(what, shape) for what in given]
        if not all(columns):
            return False
        points = list(zip(*columns, strict=True))
        terms = math.prod(shape[len(shape) - statement.summed :])
        for first in range(0, len(points), terms):
            self._write_point(form, points[first : first + terms], statement.adds)
        return True

    def _write_point(self, form: Form, terms: Sequence[Sequence[Any]], adds: bool) -> None:
        """Write what is computed for a cell, given the cells and numbers of every term, and last its own."""
        code = self.code
        target = terms[0][-1]
        if adds:
            self._read(target)
        for count, term in enumerate(terms):
            self._follow(form, term)
            if count:
                code.op(SCALAR["add"])
        if adds:
            code.op(SCALAR["add"])
        self._assign(target, adds)

    def _column(self, what: Given, shape: Sequence[int]) -> Sequence[Cell | float]:
        """Return the cells at the points of a shape, or nothing if they are known only when it runs."""
        if not isinstance(what, Place):
            return [what] * math.prod(shape)
        if what.choice is not None or (what.table is not None and self.step is not None):
            return []
        begin = self.layout.address(what.memory, 0)
        cells: list[int] = (begin + 8 * what.addresses(shape)).ravel().tolist()
        moves = 0 if self.step is None else 8 * what.strides[0]
        return [(cell, moves) for cell in cells] if moves else cells

    def _follow(self, form: Form, term: Sequence[Any]) -> None:
        """Push an expression for the cells and numbers of a term."""
        code, out = self.code, self.code.bytes
        cells, dirty = self.cells, self.dirty
        kept: dict[int, int] = {}
        for part in form.parts:
            if isinstance(part, int):
                argument = term[part]
                if isinstance(argument, float):
                    code.number(argument)
                elif argument in cells and argument not in dirty:
                    out += GET[cells[argument]]
                else:
                    self._read(argument)
            elif isinstance(part, bytes):
                out += part
            elif not isinstance(part, tuple):
                code.call(part)
            elif part[0]:
                kept[part[1]] = code.keep_copy(F64)
            else:
                code.get(kept[part[1]])

    def flush(self) -> None:
        """Store what is not in memory yet."""
        for cell in list(self.dirty):
            self._save(cell)

    # Cells --------------------------------------------------------------------------------------------------

    def cell(self, access: Access, at: Sequence[int]) -> Cell | None:
        """Return the cell of an access at a point, or None if its address is known only when it runs."""
        if access.choice is not None:
            return None
        moves = 8 * access.strides[0] if self.step is not None and access.strides else 0
        address = access.base + sum(stride * i for stride, i in zip(access.strides, at, strict=True))
        if access.table is not None:
            if self.step is not None:
                return None
            address += int(access.table[tuple(at[: access.table.ndim])])
        address = self.layout.address(access.memory, address)
        return (address, moves) if moves else address

    def load(self, what: Node) -> None:
        """Push a cell: its register, if it has one."""
        access: Access = what.arguments[0]
        cell = self.cell(access, self.point)
        if cell is None:
            self._alias(access)
            self.code.load(self._moving(access, self.point))
            return
        self._read(cell)

    def _read(self, cell: Cell) -> None:
        """Push a cell: its register, which it has from now on."""
        code = self.code
        local = self.cells.get(cell)
        if local is not None:
            code.bytes += GET[local]
            if cell in self.dirty and not self._is_needed(cell):
                del self.dirty[cell]
            return
        if self.step is not None:
            for other in self._meeting(cell):
                if other in self.dirty:
                    self._save(other)
        if isinstance(cell, int):
            code.load_at(cell)
        else:
            code.load(self._pointer(cell))
        self.cells[cell] = code.keep_copy(F64)

    def _assign(self, cell: Cell, later: bool) -> None:
        local = self.code.keep(F64)
        if self.step is not None:
            for other in self._meeting(cell):
                if other in self.dirty:
                    self._save(other)
                del self.cells[other]
        self.cells[cell] = local
        self.dirty.pop(cell, None)
        if self.live is not None and self._is_adjoint(cell):
            if not self._is_needed(cell):
                return
        elif not later:
            self._store(cell, local)
            return
        self.dirty[cell] = None
        if len(self.dirty) > _DIRTY:
            self._save(next(iter(self.dirty)))

    def _is_adjoint(self, cell: Cell) -> bool:
        return (cell if isinstance(cell, int) else cell[0]) >= self._adjoints

    def _is_needed(self, cell: Cell) -> bool:
        """Tell whether a cell must be in memory when this statement is done."""
        if self.live is None or not isinstance(cell, int) or cell < self._adjoints:
            return True
        return self.live.last[(cell - self._adjoints) // 8] > self.number

    def _meeting(self, cell: Cell) -> list[Cell]:
        """Return the other cells in registers that may be this one: those that move by other steps."""
        (low, high), moves = self._reach(cell), _moves(cell)
        met = []
        for other in self.cells:
            if _moves(other) != moves:
                other_low, other_high = self._reach(other)
                if other_low <= high and low <= other_high:
                    met.append(other)
        return met

    def _reach(self, cell: Cell) -> tuple[int, int]:
        if isinstance(cell, int):
            return cell, cell
        first, last = cell[0], cell[0] + cell[1] * (self.length - 1)
        return min(first, last), max(first, last)

    def _alias(self, access: Access) -> None:
        """Store what an access may meet whose address is not known."""
        for cell in self._among(self.dirty, access):
            self._save(cell)

    def _forget(self, access: Access) -> None:
        for cell in self._among(self.cells, access):
            del self.cells[cell]

    def _among(self, cells: Iterable[Cell], access: Access) -> list[Cell]:
        """Return those of some cells that are in the memory of an access."""
        return [cell for cell in cells if self._is_adjoint(cell) == (access.memory == "d")]

    def _save(self, cell: Cell) -> None:
        del self.dirty[cell]
        self._store(cell, self.cells[cell])

    def _store(self, cell: Cell, local: int) -> None:
        code = self.code
        if isinstance(cell, int):
            code.store_at(cell, local)
        else:
            offset = self._pointer(cell)
            code.get(local)
            code.store(offset)

    def _pointer(self, cell: tuple[int, int]) -> int:
        """Push the part of a moving cell's address that moves, and return the rest."""
        address, moves = cell
        self.code.get(self._multiple(moves))
        if moves > 0:
            return address
        self.code.integer(address)
        self.code.op(I32_ADD)
        return 0

    def _multiple(self, factor: int) -> int:
        local = self.pointers.get(factor)
        if local is None:
            self.code.get(self.step or 0)
            self.code.integer(factor)
            self.code.op(I32_MUL)
            local = self.pointers[factor] = self.code.keep(I32)
        return local

    def _moving(self, access: Access, at: Sequence[int]) -> int:
        """Push the address of a cell that depends on a table or a choice; return 0."""
        code = self.code
        address = access.base + sum(stride * i for stride, i in zip(access.strides, at, strict=True))
        code.integer(self.layout.address(access.memory, address))
        if self.step is not None and access.strides and access.strides[0]:
            code.get(self._multiple(8 * access.strides[0]))
            code.op(I32_ADD)
        table = access.table
        if table is not None:
            where = self.layout.table(table, 8)
            steps = [s // table.itemsize * 4 for s in table.strides]
            where += sum(s * i for s, i in zip(steps, at, strict=False))
            if self.step is None:
                code.integer(0)
            else:
                code.get(self._multiple(steps[0]))
            code.load_integer(where)
            code.op(I32_ADD)
        if access.choice is not None:
            self._alias(access.choice)
            cell = self.cell(access.choice, at)
            if cell is None:
                code.load(self._moving(access.choice, at))
            else:
                self._read(cell)
            code.op(I32_TRUNC_F64)
            code.integer(8 * access.step)
            code.op(I32_MUL)
            code.op(I32_ADD)
        return 0


def _moves(cell: Cell) -> int:
    return 0 if isinstance(cell, int) else cell[1]
