"""Code without loops for statements of a few points, with the cells that it has touched in registers."""

import itertools
import math
from collections.abc import Sequence

from autograd.compiler.plan import Place, Statement
from autograd.compiler.wasm.encoder import F64, I32, I32_ADD, I32_MUL, I32_TRUNC_F64, SCALAR, Code
from autograd.compiler.wasm.layout import Layout
from autograd.compiler.wasm.live import Live
from autograd.compiler.wasm.rows import Emitter, Form, Part, Rows, count_uses
from autograd.compiler.wasm.trace import Node
from autograd.compiler.wasm.work import Access, Work

_DIRTY = 48

Cell = tuple[str, int, int]
"""A memory, how far the cell moves from one step of the loop around to the next, and its address in step
0."""


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
        self._begin = {memory: layout.address(memory, 0) for memory in ("v", "d")}
        self.cells: dict[Cell, int] = {}
        self.dirty: dict[Cell, None] = {}
        self.pointers: dict[int, int] = {}
        self.point: tuple[int, ...] = ()
        self._addresses: dict[int, list[int]] = {}
        self._point = 0

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

    def write_known(self, statement: Statement, form: Form) -> bool:
        """Write a statement whose cells are known beforehand; tell whether it was one."""
        target, shape = statement.target, statement.shape
        key, given = form
        regular = target.table is None and target.choice is None
        for place in given:
            if isinstance(place, Place) and not (place.table is None and place.choice is None):
                regular = False
                if place.choice is not None or self.step is not None:
                    return False
        if self.step is not None:
            shape = (1, *shape[1:])
        kept = terms = 1
        self._addresses = {}
        if not regular or statement.summed or math.prod(shape) != 1:
            kept = math.prod(shape[: len(shape) - statement.summed])
            if target.choice is not None or (target.table is not None and self.step is not None):
                return False
            places = [target, *(place for place in given if isinstance(place, Place))]
            self._addresses = {id(place): place.addresses(shape).ravel().tolist() for place in places}
            terms = math.prod(shape[len(shape) - statement.summed :])
        if not terms:
            return False
        parts, adds = self.rows.recipe(key).parts, statement.adds
        for point in range(0, kept * terms, terms):
            self._point = point
            cell = self._cell_of(target)
            if adds:
                self._read(cell)
            self._follow(parts, given)
            for self._point in range(point + 1, point + terms):
                self._follow(parts, given)
                self.code.op(SCALAR["add"])
            if adds:
                self.code.op(SCALAR["add"])
            self._assign(cell, adds)
        return True

    def _cell_of(self, place: Place) -> Cell:
        step = 0 if self.step is None else place.strides[0]
        if not self._addresses:
            return (place.memory, step, place.base)
        return (place.memory, step, self._addresses[id(place)][self._point])

    def _follow(self, parts: Sequence[Part], given: Sequence[Place | float]) -> None:
        """Push an expression, as its recipe says, for what is given to it."""
        code = self.code
        kept: dict[int, int] = {}
        for part in parts:
            if isinstance(part, bytes):
                code.bytes += part
            elif isinstance(part, int):
                argument = given[part]
                if isinstance(argument, Place):
                    self._read(self._cell_of(argument))
                else:
                    code.number(argument)
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
        first = access.strides[0] if self.step is not None and access.strides else 0
        address = access.base + sum(stride * i for stride, i in zip(access.strides, at, strict=True))
        if access.table is not None:
            if self.step is not None:
                return None
            address += int(access.table[tuple(at[: access.table.ndim])])
        return (access.memory, first, address)

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
            code.get(local)
            if cell in self.dirty and not self._is_needed(cell):
                del self.dirty[cell]
            return
        if self.step is not None:
            for other in self._meeting(cell):
                if other in self.dirty:
                    self._save(other)
        if cell[1]:
            code.load(self._pointer(cell))
        else:
            code.load_at(self._begin[cell[0]] + 8 * cell[2])
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
        if self.live is not None and cell[0] == "d":
            if not self._is_needed(cell):
                return
        elif not later:
            self._store(cell, local)
            return
        self.dirty[cell] = None
        if len(self.dirty) > _DIRTY:
            self._save(next(iter(self.dirty)))

    def _is_needed(self, cell: Cell) -> bool:
        """Tell whether a cell must be in memory when this statement is done."""
        return self.live is None or cell[0] == "v" or self.live.is_read_after(cell[2], self.number)

    def _meeting(self, cell: Cell) -> list[Cell]:
        """Return the other cells in registers that may be this one: those that move by other steps."""
        low, high = self._reach(cell)
        met = []
        for other in self.cells:
            if other[0] == cell[0] and other[1] != cell[1]:
                other_low, other_high = self._reach(other)
                if other_low <= high and low <= other_high:
                    met.append(other)
        return met

    def _reach(self, cell: Cell) -> tuple[int, int]:
        last = cell[2] + cell[1] * (self.length - 1)
        return min(cell[2], last), max(cell[2], last)

    def _alias(self, access: Access) -> None:
        """Store what an access may meet whose address is not known."""
        for cell in list(self.dirty):
            if cell[0] == access.memory:
                self._save(cell)

    def _forget(self, access: Access) -> None:
        for cell in [c for c in self.cells if c[0] == access.memory]:
            del self.cells[cell]

    def _save(self, cell: Cell) -> None:
        del self.dirty[cell]
        self._store(cell, self.cells[cell])

    def _store(self, cell: Cell, local: int) -> None:
        code = self.code
        if cell[1]:
            offset = self._pointer(cell)
            code.get(local)
            code.store(offset)
        else:
            code.store_at(self._begin[cell[0]] + 8 * cell[2], local)

    def _pointer(self, cell: Cell) -> int:
        """Push the part of a moving cell's address that moves, and return the rest."""
        memory, stride, address = cell
        place = self._begin[memory] + 8 * address
        local = self._multiple(8 * stride)
        self.code.get(local)
        if stride > 0:
            return place
        self.code.integer(place)
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
