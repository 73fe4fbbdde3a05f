r"""A program as formulas of matrices: what a student should see after the scalars.

Each statement is a line. Where indices say no more than matrix notation, that is written, as in
:math:`Z = X W^\top`; elsewhere the indices are, and they count from 1. So every statement has a formula, and
none says more or less than the program does.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd import ops
from autograd.compiler.indices import Constraint, Coordinate, Symbol
from autograd.compiler.plan import Apply, Expression, Loop, Place, Plan, Step
from autograd.compiler.tensors import Access, Indexed, Tensor, Tensors
from autograd.formula import Formula
from autograd.notation.latex import ESCAPES, Latex
from autograd.notation.printing import ATOM, BINDING

LETTERS = "ijklmnpqrsuvwxyz"
STEPS = ("t", r"\tau", "t'")
SHOWN = 12
"""So many of listed combinations of indices are shown."""


class _Dialect(Latex):
    """Formulas of tensors, whose names are LaTeX already.

    Args:
        arrays: whether names stand for arrays, which are multiplied element by element.
        scalars: the names of which that is not so.
    """

    def __init__(self, *, arrays: bool = False, scalars: Any = ()) -> None:
        super().__init__()
        self.arrays, self.scalars = arrays, scalars

    def number(self, x: float) -> str:
        """Return a number with all its digits."""
        text = repr(float(x)).removesuffix(".0").replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
        mantissa, e, exponent = text.partition("e")
        if not e:
            return text
        power = f"10^{{{int(exponent)}}}"
        return power if mantissa == "1" else rf"{mantissa} \cdot {power}"

    def name(self, name: str) -> str:
        """Return a name as it is."""
        return name

    def special(self, formula: Formula, parts: Sequence[tuple[str, int]]) -> tuple[str, int] | None:
        """Return products of arrays, element by element, and powers of what has indices in parentheses."""
        row = formula.operation
        if row is ops.mul and self.arrays and not any(map(self._is_scalar, formula.arguments)):
            sides = [self.enclose(text, binding < BINDING["*"]) for text, binding in parts]
            sides[1] = self.enclose(sides[1], needed=re.match(r"[-\d]", sides[1]) is not None)
            return rf"{sides[0]} \odot {sides[1]}", BINDING["*"]
        if row is ops.mul and not self.arrays and re.match(r"[^\d-]", parts[1][0]):
            sides = [self.enclose(text, binding < BINDING["*"]) for text, binding in parts]
            return rf"{sides[0]} \, {sides[1]}", BINDING["*"]
        if row is ops.pow and re.search(r"[\^_]", parts[0][0]):
            base = self.enclose(parts[0][0], needed=not parts[0][0].startswith("("))
            return f"{base}^{{{parts[1][0]}}}", BINDING["**"]
        return super().special(formula, parts)

    def _is_scalar(self, part: Any) -> bool:
        if not isinstance(part, Formula):
            return True
        if part.operation is None:
            return part.name in self.scalars
        return all(map(self._is_scalar, part.arguments))


@dataclass
class _Line:
    """A formula: its sides, whether it adds, what holds of the indices, and the shape of what is new."""

    left: str
    adds: bool
    right: str
    where: str = ""
    indent: int = 0
    text: str = ""
    tensor: Tensor | None = None
    shape: tuple[int, ...] = ()


def write_latex(plan: Plan, given: Any, label: Any, result: str) -> str:
    """Return a plan as LaTeX.

    Args:
        plan: the program.
        given: names, cells and shapes of what has a name (see `Tensors`).
        label: returns the label of the leaf at an address.
        result: what the only output is called.
    """
    tensors = Tensors(plan, given, label, result)
    writer = _Writer(tensors)
    forward = writer.lines(plan.forward)
    backward = writer.lines(plan.reverse)
    rows = [
        *writer.legend(),
        r"\textbf{forward}",
        *map(_row, forward),
        r"\textbf{backward}",
        *map(_row, backward),
    ]
    inner = " \\\\\n".join(row if "&" in row else f"& {row}" for row in rows)
    return f"\\begin{{aligned}}\n{inner}\n\\end{{aligned}}"


def _row(line: _Line) -> str:
    gap = r"\quad " * line.indent
    if line.text:
        return f"& {gap}{line.text}"
    sign = r"\mathrel{+}=" if line.adds else "="
    where = rf" \qquad ({line.where})" if line.where else ""
    shape = rf" \qquad {{\scriptstyle {_times(line.shape)}}}" if line.shape else ""
    return f"{gap}{line.left} &{sign} {line.right}{where}{shape}"


def _times(shape: Sequence[int]) -> str:
    return r" \times ".join(map(str, shape))


class _Writer:
    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors
        self.sets: list[tuple[str, Any, int]] = []
        self.blocks: dict[tuple[Tensor, int], int] = {}
        self.begun = np.zeros(tensors.plan.size, dtype=bool)
        self.makers: dict[Tensor, Indexed] = {}
        # What is given keeps its name: an index has another one.
        given = {tensor.letter.partition("_")[0] for tensor in tensors.all if tensor.kind != "computed"}
        self.letters = [x for x in LETTERS if x not in given] + [f"{x}'" for x in LETTERS]
        self.step = next(x for x in STEPS if x not in given or x == STEPS[-1])

    def legend(self) -> list[str]:
        """Say what is given, of which shapes, and what blocks and listed indices are."""
        rows = []
        for tensor in self.tensors.used:
            if tensor.kind != "computed":
                space = f"^{{{_times(tensor.shape)}}}" if tensor.shape else ""
                rows.append(rf"{_name(tensor, 'v')} &\in \mathbb{{R}}{space} \qquad \text{{{tensor.kind}}}")
        for (tensor, axis), count in self.blocks.items():
            name, gap = _name(tensor, "v"), r" \; \dots \; " if axis else r";\; \dots;\; "
            rows.append(rf"{name} &= \left[{name}^{{(1)}}{gap}{name}^{{({count})}}\right]")
        for alias, tensor in self.tensors.hidden():
            names = [Symbol(n, name=letter) for n, letter in zip(tensor.shape, self.letters, strict=False)]
            coordinates = tuple(Coordinate(0, ((symbol, 1),)) for symbol in names)
            left = _element(Access(tensor, "v", coordinates, np.zeros(0, dtype=np.intp)), set())
            found = self.tensors.addresses(tensor, names)
            place = r"\dots" if found is None else _index(found)
            rows.append(rf"{left} &= {_name(alias, 'v')}_{{{place}}}")
        for name, listed, count in self.sets:
            shown = ", ".join("(" + ",".join(str(int(n) + 1) for n in row) + ")" for row in listed[:SHOWN])
            more = r", \dots" if count > SHOWN else ""
            rows.append(rf"{name} &= \{{{shown}{more}\}} \qquad \text{{{count} in all}}")
        return rows

    def lines(self, steps: Sequence[Step]) -> list[_Line]:
        """Return the lines of some steps; what is computed in several statements in a row is one line."""
        self.begun[:] = False
        lines: list[_Line] = []
        for step in steps:
            if not isinstance(step, Loop):
                for indexed in self.tensors.indexed(step, None, None):
                    self._add(lines, indexed, 0)
                continue
            low, high = (step.length, 1) if step.backward else (1, step.length)
            lines.append(_Line("", False, "", text=rf"\text{{for }} {self.step} = {low}, \dots, {high}:"))
            for statement, starts in zip(step.body, step.starts, strict=True):
                for indexed in self.tensors.indexed(statement, step, starts):
                    self._add(lines, indexed, 1)
        return lines

    def _add(self, lines: list[_Line], indexed: Indexed, indent: int) -> None:
        names = _Naming(indexed, self.letters, self.step)
        adds, target = indexed.statement.adds, indexed.target
        if target.memory == "d" and target.covers and not indent and not self.begun[target.cells].any():
            adds = False  # to zeros
        self.begun[target.cells if target.choice is None else self.tensors.cells(target.tensor)] = True
        for access in indexed.accesses:
            for axis, found in enumerate(access.coordinates):
                if found.block is not None and found.block[0] in names.counting and _spans(access, axis):
                    self.blocks[access.tensor, axis] = found.block[0].count
        new = target.tensor not in self.makers and target.memory == "v"
        self.makers.setdefault(target.tensor, indexed)
        line = _Line(*self._written(names, adds), indent=indent, tensor=target.tensor)
        line.shape = target.tensor.ordered if new else ()
        before = lines[-1] if lines else _Line("", False, "")
        if adds and target.covers and before.tensor is line.tensor and before.right == "0":
            line.adds, line.shape = False, before.shape
            lines[-1] = line
        elif adds and (before.left, before.where, before.indent) == (line.left, line.where, indent):
            plus = " - " + line.right[1:] if line.right.startswith("-") else f" + {line.right}"
            before.right += plus
        else:
            lines.append(line)

    def _written(self, names: "_Naming", adds: bool) -> tuple[str, bool, str, str]:
        found = names.as_matrices()
        if found is not None:
            left, right, where = found
            where = _also([*[where] * bool(where), *names.turns()])
            return left, adds, right + self._softmax(names), where
        left, right, where, listed = names.with_indices()
        if listed is not None:
            name = rf"D_{{{len(self.sets) + 1}}}"
            self.sets.append((name, listed, len(listed)))
            where = _also([*[where] * bool(where), rf"({names.irregular()}) \in {name}"])
        return left, adds, right + self._softmax(names), where

    def _softmax(self, names: "_Naming") -> str:
        """Return what a quotient is also called, if it is exp(x) by a sum of exp(x)."""
        indexed, expression = names.indexed, names.indexed.statement.expression
        if not (isinstance(expression, Apply) and expression.operation is ops.div):
            return ""
        power, total = (indexed.reads[p] if isinstance(p, Place) else None for p in expression.arguments)
        if power is None or total is None or self.tensors.sums.get(total.tensor) is not power.tensor:
            return ""
        made = self.makers.get(power.tensor)
        if made is None or not isinstance(made.statement.expression, Apply):
            return ""
        (argument, *_), operation = made.statement.expression.arguments, made.statement.expression.operation
        if operation is not ops.exp or not isinstance(argument, Place):
            return ""
        over = {s for c in power.coordinates for s, _ in c.steps} - {
            s for c in total.coordinates for s, _ in c.steps
        }
        score = self._unshifted(made.reads[argument])
        if len(over) != 1 or [_key(c) for c in made.target.coordinates] != [
            _key(c) for c in made.reads[argument].coordinates
        ]:
            return ""
        text = names.element(replace(power, tensor=score))
        return rf" = \operatorname{{softmax}}_{{{over.pop().name}}} {text}"

    def _unshifted(self, access: Access) -> Tensor:
        """Return what a score was before the same number, such as a maximum, was subtracted from each."""
        made = self.makers.get(access.tensor)
        if made is None:
            return access.tensor
        expression = made.statement.expression
        if isinstance(expression, Apply) and expression.operation is ops.sub:
            first, second = (made.reads[p] if isinstance(p, Place) else None for p in expression.arguments)
            if first is not None and second is not None:
                keys = [_key(c) for c in first.coordinates]
                fewer = {s for c in second.coordinates for s, _ in c.steps} < {
                    s for c in first.coordinates for s, _ in c.steps
                }
                if keys == [_key(c) for c in made.target.coordinates] and fewer:
                    return first.tensor
        return access.tensor


def _name(tensor: Tensor, memory: str) -> str:
    letter, _, sub = tensor.letter.partition("_")
    if not letter.startswith("\\"):
        escaped = letter.translate(ESCAPES)
        letter = escaped.strip() if len(letter) == 1 else rf"\mathrm{{{escaped}}}"
    below = sub.translate(ESCAPES)
    subs = [below if sub.isdigit() or len(sub) < 2 else rf"\mathrm{{{below}}}"] * bool(sub)
    subs += [str(tensor.number)] * bool(tensor.number)
    name = rf"\bar{{{letter}}}" if memory == "d" else letter
    return name + (f"_{{{','.join(subs)}}}" if subs else "")


def _also(conditions: Iterable[str]) -> str:
    return r",\; ".join(conditions)


class _Naming:
    """The text of one statement."""

    def __init__(self, indexed: Indexed, letters: Iterable[str], step: str) -> None:
        self.indexed = indexed
        self.points, self.counting = indexed.points, indexed.counting
        letters = iter(letters)
        order = [s for c in indexed.target.coordinates for s, _ in c.steps]
        order += [s for s in self.points.symbols if s not in order]
        for symbol in dict.fromkeys(order):
            symbol.name = step if symbol.steps else next(letters)

    # With indices -----------------------------------------------------------------------------------------

    def with_indices(self) -> tuple[str, str, str, Any]:
        """Return left side, right side, what holds of the indices, and listed combinations if need be."""
        indexed = self.indexed
        text, binding = _Dialect().phrase(self._formula(indexed.statement.expression, self.element))
        constraints = list(self.points.constraints)
        signs: list[str] = []
        for symbol in reversed(self.indexed.summed):  # an inner sum's bounds may have the outer ones' indices
            if self.points.listed is not None and symbol in self._rough():
                signs.insert(0, rf"\sum_{{{symbol.name}}}")
                continue
            low, high = self._bounds(symbol, [c for c in constraints if symbol in c[:2]])
            signs.insert(0, rf"\sum_{{{symbol.name}={low}}}^{{{high}}}")
            constraints = [c for c in constraints if symbol not in c[:2]]
        if signs:
            text = " ".join(signs) + " " + _Dialect().enclose(text, binding <= BINDING["+"])
        conditions = [(a, b, self._inequality(a, b, most)) for a, b, most in constraints]
        where = [c for _, _, c in conditions]
        rough = set(self._rough()) if self.points.listed is not None else set()
        rough |= {a for a, b, most in self.points.constraints if b.count + most <= a.count}  # b bounds a
        written = [indexed.target, *([indexed.target.choice[2]] if indexed.target.choice else [])]
        for access, axis, found in ((a, k, c) for a in written for k, c in enumerate(a.coordinates)):
            blocks = found.block is not None and found.block[0] in self.counting
            told = _spans(access, axis) and (len(found.steps) == 1 or blocks)
            for symbol, _ in found.steps:
                if not told and not symbol.steps and symbol not in rough:
                    where.append(rf"{symbol.name} \le {symbol.count}")
        where += self.turns()
        listed = self.points.listed
        if listed is not None:
            listed = listed + np.array([symbol.first for symbol in self._rough()])
        return self.element(indexed.target), text, _also(dict.fromkeys(where)), listed

    def turns(self) -> list[str]:
        """Say in which steps of the loop there is something to compute, unless listed combinations do."""
        turns = self.indexed.turns
        if turns is None:
            return []
        first, last = int(turns[0]) + 1, int(turns[-1]) + 1
        if first == last:
            return [f"t = {first}"]
        return [rf"{first} \le t"] * (first > 1) + [rf"t \le {last}"]

    def _bounds(self, symbol: Symbol, constraints: Sequence[Constraint]) -> tuple[str, str]:
        """Return from where to where a symbol goes, given others."""
        low, high = ["1"], [str(symbol.count)]
        for a, b, most in constraints:
            if a is symbol:
                end = _shifted(b.name, most + a.first - b.first)
                high = [end] if b.count + most <= symbol.count else [*high, end]
            else:
                begin = _shifted(a.name, -most - a.first + b.first)
                low = [begin] if most <= 0 else [*low, begin]
        return (
            low[0] if len(low) == 1 else rf"\max({', '.join(low)})",
            high[0] if len(high) == 1 else rf"\min({', '.join(high)})",
        )

    def _rough(self) -> list[Symbol]:
        listed = self.points.listed
        return (
            self.points.symbols[: listed.shape[1]]
            if listed is not None
            else [s for a, b, _ in self.points.constraints for s in (a, b)]
        )

    def irregular(self) -> str:
        """Return the names of the symbols whose combinations are listed."""
        return ",".join(symbol.name for symbol in self._rough())

    def _inequality(self, a: Symbol, b: Symbol, most: int) -> str:
        most += a.first - b.first
        if most == -1:
            return f"{a.name} < {b.name}"
        return rf"{a.name} \le {_shifted(b.name, most)}"

    def element(self, access: Access) -> str:
        """Return an element of a tensor by its indices."""
        return _element(access, self.counting)

    def _formula(self, expression: Expression, write: Any) -> Any:
        if isinstance(expression, Place):
            return Formula(0.0, write(self.indexed.reads[expression]))
        if isinstance(expression, Apply):
            parts = [self._formula(argument, write) for argument in expression.arguments]
            return Formula(0.0, "", expression.operation, parts)
        return expression

    # As matrices ------------------------------------------------------------------------------------------

    def as_matrices(self) -> tuple[str, str, str] | None:
        """Return both sides in matrix notation, and what holds of the indices, if that says the same."""
        points = self.points
        if points.listed is not None or any(s.steps for s in points.symbols):
            return None
        accesses = self.indexed.accesses
        if any(a.choice is not None for a in accesses) or not all(map(self._is_whole, accesses)):
            return None
        if not any(s.summed for s in points.symbols):
            found = self._elementwise() or self._outer()
            return (*found, "") if found else None
        return self._product()

    def _is_whole(self, access: Access) -> bool:
        """Tell whether each coordinate is one symbol that takes all its values, or a block of them."""
        for axis, found in enumerate(access.coordinates):
            if (found.symbol is None and found.block is None) or not _spans(access, axis):
                return False
        symbols = [s for c in access.coordinates for s, _ in c.steps]
        return len(set(symbols)) == len(symbols)

    def _elementwise(self) -> tuple[str, str] | None:
        target = self.indexed.target
        shape = [_key(c) for c in target.coordinates]
        scalars = set()
        for access in self.indexed.reads.values():
            keys = [_key(c) for c in access.coordinates]
            if keys == shape and access.covers and access.tensor.size == len(target.cells):
                continue
            if keys:
                return None
            scalars.add(_name(access.tensor, access.memory))
        if not target.covers or (shape and scalars and not self._scales()):
            return None
        formula = self._formula(self.indexed.statement.expression, lambda a: _name(a.tensor, a.memory))
        return _name(target.tensor, target.memory), _Dialect(arrays=bool(shape), scalars=scalars).write(
            formula
        )

    def _scales(self) -> bool:
        """Tell whether numbers multiply arrays, and there is an array."""
        expression = self.indexed.statement.expression
        arrays = any(access.coordinates for access in self.indexed.reads.values())
        return arrays and isinstance(expression, Apply) and expression.operation in (ops.mul, ops.div)

    def _outer(self) -> tuple[str, str] | None:
        """Return a row that is the same for all rows, or a product of a column and a row."""
        target, expression = self.indexed.target, self.indexed.statement.expression
        shape = [c.symbol for c in target.coordinates]
        if None in shape or self.points.constraints or not target.covers or target.tensor.upper:
            return None
        if 1 <= len(shape) <= 2 and not any(a.coordinates for a in self.indexed.reads.values()):
            number = self._formula(expression, lambda a: _name(a.tensor, a.memory))
            text, binding = _Dialect().phrase(number)
            ones = r"\mathbf{1}" + r" \mathbf{1}^\top" * (len(shape) - 1)
            return _name(
                target.tensor, target.memory
            ), rf"{_Dialect().enclose(text, binding < ATOM)} \, {ones}"
        if len(shape) != 2:
            return None
        parts: list[Any] = [expression]
        if isinstance(expression, Apply) and expression.operation is ops.mul:
            parts = list(expression.arguments)
        sides: dict[Any, str] = {}
        factor = ""
        for part in parts:
            if isinstance(part, float):
                factor = _Dialect().number(part) + r" \, "
                continue
            if not isinstance(part, Place):
                return None
            access = self.indexed.reads[part]
            symbols = [c.symbol for c in access.coordinates]
            if len(symbols) != 1 or symbols[0] in sides or symbols[0] is None:
                return None
            sides[symbols[0]] = _name(access.tensor, access.memory)
        if not sides:
            return None
        column, row = sides.get(shape[0], r"\mathbf{1}"), sides.get(shape[1], r"\mathbf{1}")
        return _name(target.tensor, target.memory), rf"{factor}{column} {row}^\top"

    def _product(self) -> tuple[str, str, str] | None:
        """Return a product of two matrices or vectors, perhaps of blocks of them; or sums along an axis."""
        target = self.indexed.target
        summed = self.indexed.summed
        if len(summed) != 1:
            return None
        (over,) = summed
        corner = {s for a, b, _ in self.points.constraints for s in (a, b)}
        partial = bool(corner) and over not in corner
        if (
            corner
            and not partial
            and not any(a.covers and corner <= set(self._symbols(a)) for a in self.indexed.reads.values())
        ):
            return None  # what is left out is no tensor's missing part, which counts as zero
        if not partial and not target.covers:
            return None
        factors = _factors(self.indexed.statement.expression)
        numbers = [f for f in factors if isinstance(f, float)]
        places = [f for f in factors if isinstance(f, Place)]
        if len(numbers) + len(places) != len(factors) or not 1 <= len(places) <= 2:
            return None
        accesses = [self.indexed.reads[place] for place in places]
        shared = [self._symbols(a) for a in [target, *accesses]]
        batch = [s for s in shared[0] if all(s in self._above(a) for a in [target, *accesses])]
        rows = [[s for s in symbols if s not in batch] for symbols in shared]
        if any(len(row) > 2 for row in rows) or any(over not in row for row in rows[1:]):
            return None
        texts = [self._sliced(access, batch) for access in [target, *accesses]]
        if any(text is None for text in texts):
            return None
        left, *sides = (str(text) for text in texts)
        factor = "".join("-" if number == -1.0 else _Dialect().number(number) + r" \, " for number in numbers)
        first = rows[1]
        second = rows[2] if len(rows) > 2 else [over]
        sides += [r"\mathbf{1}"] * (2 - len(sides))
        wanted = rows[0]
        free = [[s for s in row if s is not over] for row in (first, second)]
        if len(wanted) == 2 and free[0] == [wanted[1]] and free[1] == [wanted[0]]:
            first, second, sides, free = second, first, sides[::-1], free[::-1]
        if [*free[0], *free[1]] != wanted:
            return None
        if not free[0] and free[1]:  # a matrix times a vector
            first, second, sides, free = second, first, sides[::-1], free[::-1]
        a = sides[0] if not free[0] or first == [free[0][0], over] else _transposed(sides[0])
        if not free[0]:
            a = _transposed(sides[0])
        b = sides[1] if not free[1] or second == [over, free[1][0]] else _transposed(sides[1])
        if partial:
            below = "".join(s.name for s in wanted)
            conditions = _also(self._inequality(*constraint) for constraint in self.points.constraints)
            return self.element(target), rf"\left[{factor}{a} {b}\right]_{{{below}}}", conditions
        return left, f"{factor}{a} {b}", ""

    def _above(self, access: Access) -> list[Symbol]:
        """Return the symbols that count blocks."""
        found = [access.coordinates[axis].symbol for axis in sorted(access.tensor.upper)]
        blocks = (c.block[0] for c in access.coordinates if c.block is not None)
        return [*(s for s in found if s), *(s for s in blocks if s in self.counting)]

    def _symbols(self, access: Access) -> list[Symbol]:
        return [s for c in access.coordinates for s, _ in sorted(c.steps, key=lambda step: -step[1])]

    def _sliced(self, access: Access, batch: list[Symbol]) -> str | None:
        """Return the name of the part of a tensor that some symbols choose."""
        name = _name(access.tensor, access.memory)
        chosen = [s for s in self._symbols(access) if s in batch]
        for found in access.coordinates:
            if found.block is not None and found.block[0] not in batch:
                return None
        if any(s not in batch for s in self._above(access)):
            return None
        return name + (f"^{{({','.join(s.name for s in chosen)})}}" if chosen else "")


def _shifted(name: str, number: int) -> str:
    return f"{name}{number:+d}" if number else name


def _factors(expression: Expression) -> list[Any]:
    if isinstance(expression, Apply) and expression.operation is ops.mul:
        return [factor for argument in expression.arguments for factor in _factors(argument)]
    if isinstance(expression, Apply) and expression.operation is ops.neg:
        return [-1.0, *_factors(expression.arguments[0])]
    return [expression]


def _transposed(name: str) -> str:
    return name[:-1] + r"\top}" if name.endswith(")}") else rf"{name}^\top"


def _key(found: Coordinate) -> Any:
    return found.first, tuple((id(s), c) for s, c in sorted(found.steps, key=lambda step: -step[1]))


def _element(access: Access, counting: set[Symbol]) -> str:
    name = _name(access.tensor, access.memory)
    above, below = [], []
    for axis, found in enumerate(access.coordinates):
        text = _index(found)
        if axis in access.tensor.upper:
            above.append(text)
            continue
        if found.block is not None and found.block[0] in counting and _spans(access, axis):
            above.append(_shifted(found.block[0].name, -found.block[0].first))
            text = found.block[1].name
        if access.choice is not None and access.choice[0] == axis:
            times = "" if access.choice[1] == 1 else rf"{access.choice[1]} \, "
            chosen = times + _element(access.choice[2], counting)
            text = f"{chosen} + {text}" if text != "0" else chosen
        below.append(text)
    if "_" in name and below:
        name = rf"({name})"
    power = f"^{{({','.join(above)})}}" if above else ""
    indices = ("" if all(len(text) == 1 for text in below) else r",\,").join(below)
    return name + power + (f"_{{{indices}}}" if below else "")


def _spans(access: Access, axis: int) -> bool:
    """Tell whether a coordinate takes as many numbers as there are."""
    steps = access.coordinates[axis].steps
    return sum(abs(c) * (s.count - 1) for s, c in steps) + 1 == access.tensor.shape[axis]


def _index(found: Coordinate) -> str:
    """Return an index that counts from 1."""
    first = found.first + 1 - sum(c * symbol.origin for symbol, c in found.steps)
    text = ""
    for symbol, step in sorted(found.steps, key=lambda pair: -pair[1]):
        sign = ("-" if step < 0 else "+") if text else ("-" if step < 0 else "")
        text += f"{sign}{abs(step) if abs(step) != 1 else ''}{symbol.name}"
    if not text:
        return str(first)
    return text + (f"{first:+d}" if first else "")
