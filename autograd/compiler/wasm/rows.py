"""Expressions of a plan as instructions on doubles and on pairs of doubles.

A row of the operation table is read by `autograd.compiler.wasm.trace`. What is short and asks nothing of the
library is written in place, with both branches of a selection computed; anything else becomes a function of
the module, which computes only the branch that is taken. There is one for a number and one for a pair, which
calls the former twice where the two numbers take different branches.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from struct import pack, unpack
from typing import Any

from autograd.compiler.plan import Apply, Expression, Place, Statement
from autograd.compiler.wasm.encoder import (
    ALL_TRUE,
    ANY_TRUE,
    DROP,
    ELSE,
    END,
    F64,
    I32_EQZ,
    LANE,
    RETURN,
    SCALAR,
    SET_LANE_1,
    SPLAT,
    V128,
    VECTOR,
    Code,
    Module,
)
from autograd.compiler.wasm.functions import OF_LIBRARY, OWN
from autograd.compiler.wasm.layout import Layout
from autograd.compiler.wasm.trace import (
    COMPARISONS,
    LIBRARY,
    Node,
    TraceError,
    interning,
    leaf,
    node,
    number,
    trace,
)
from autograd.row import Operation

_INLINE = 24
_SHORT = (8, 32)
"""Branches of at most so many instructions, of a number and of a pair, are both computed."""
LEAVES = {"const", "argument", "load"}

Key = tuple[object, ...]
"""Of a form: operations before their arguments, None for what is given, the bytes of other numbers."""

Cell = int | tuple[int, int]
"""An address; of a cell that moves, the one in step 0 of the loop around, and how far it goes in a step."""

Given = Place | Cell | float
"""What is given to a form: a number, a place, or the cell that a place without axes is."""

Part = bytes | int | Code | str | tuple[bool, int]
"""Of a form: instructions; an argument; a function to call; a number to keep, or one that was kept."""

Pattern = Sequence[float | None]
"""For each argument of a row the number that it is, or None."""


class Rows:
    """The rows that a module needs, each traced once.

    Args:
        module: where functions are added.
        layout: where cells are.

    Attributes:
        keys: a number for every access.
    """

    def __init__(self, module: Module, layout: Layout) -> None:
        self.module, self._layout = module, layout
        self.keys: dict[Any, int] = {}
        self._templates: dict[object, Node] = {}
        self._pairs: dict[str, Code] = {}
        self._forms: dict[Key, Form] = {}
        self._free: dict[Operation, bool] = {}
        self._bodies: dict[str, tuple[Node, Sequence[Node]]] = {}
        self._functions: dict[str, Code] = {}

    def lower(self, expression: Expression, read: Callable[[Place], Node]) -> Node:
        """Return the node of an expression, given how places become nodes.

        Raises:
            TraceError: a row cannot be read.
        """
        if isinstance(expression, Apply):
            return self._applied(expression.operation, [self.lower(a, read) for a in expression.arguments])
        if isinstance(expression, Place):
            return read(expression)
        return number(float(expression))

    def _check(self, expression: Expression) -> float | None:
        """Return the number that an expression is, or None if it depends on places.

        Raises:
            TraceError: a row cannot be read.
        """
        if not isinstance(expression, Apply):
            return None if isinstance(expression, Place) else float(expression)
        pattern = [None if isinstance(a, Place) else self._check(a) for a in expression.arguments]
        template = self._find(expression.operation, pattern)
        return template.arguments[0] if template.op == "const" else None

    def _find(self, operation: Operation, pattern: Pattern) -> Node:
        key = _key(operation, pattern)
        template = self._templates.get(key)
        if template is None:
            try:
                with interning():
                    template = self._templates[key] = self._template(operation, pattern)
            except RecursionError:
                raise TraceError("an expression that is nested too deeply") from None
        return template

    def form(self, statement: Statement) -> tuple["Form", list[Given]]:
        """Return the form of what a statement computes; what is given to it, and last the target."""
        outline: list[object] = []
        given: list[Given] = []
        expression, target = statement.expression, statement.target
        if isinstance(expression, Apply):
            self._outline(expression, outline, given)
        else:
            outline.append(None)
            given.append(self._cell(expression) if isinstance(expression, Place) else float(expression))
        given.append(target if target.strides else self._cell(target))
        key = tuple(outline)
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = Form(self, key, self._refusal(expression))
        return form, given

    def _outline(self, expression: Apply, outline: list[object], given: list[Given]) -> None:
        operation = expression.operation
        outline.append(operation)
        for argument in expression.arguments:
            if isinstance(argument, Place):
                outline.append(None)
                given.append(argument if argument.strides else self._cell(argument))
            elif isinstance(argument, Apply):
                self._outline(argument, outline, given)
            elif self._is_free(operation):
                outline.append(None)
                given.append(float(argument))
            else:
                outline.append(pack("<d", argument))

    def _cell(self, place: Place) -> Place | Cell:
        """Return the cell that a place is; a place with axes, a table or a choice stays what it is."""
        if place.choice is not None or place.strides or place.table is not None:
            return place
        return self._layout.address(place.memory, place.base)

    def _refusal(self, expression: Expression) -> str:
        """Return why an expression cannot be read, or an empty text."""
        try:
            self._check(expression)
        except TraceError as error:
            return str(error)
        return ""

    def template(self, key: Key) -> Node:
        """Return the node of the expressions of a form, in arguments."""
        with interning():
            return self._node(iter(key), itertools.count())

    def _node(self, key: Iterator[object], count: Iterator[int]) -> Node:
        """Return the node of the expression that comes next in a key."""
        what = next(key)
        if isinstance(what, Operation):
            return self._applied(what, [self._node(key, count) for _ in range(what.arity)])
        if isinstance(what, bytes):
            return number(unpack("<d", what)[0])
        return leaf("argument", next(count))

    def _applied(self, operation: Operation, arguments: Sequence[Node]) -> Node:
        pattern = [a.arguments[0] if a.op == "const" else None for a in arguments]
        return _substituted(self._find(operation, pattern), arguments, {})

    def _is_free(self, operation: Operation) -> bool:
        """Tell whether a row is one instruction, so that it is the same for every number."""
        found = self._free.get(operation)
        if found is None:
            try:
                template = self._find(operation, [None] * operation.arity)
            except TraceError:
                found = False
            else:
                found = template.op in SCALAR and all(a.op == "argument" for a in template.arguments)
            self._free[operation] = found
        return found

    def _template(self, operation: Operation, pattern: Pattern) -> Node:
        arguments = [leaf("argument", i) if x is None else number(x) for i, x in enumerate(pattern)]
        tree = merged(trace(operation.value, arguments))
        called = [n for n in distinct(tree) if n.op in LIBRARY]
        if len(called) <= 2 and len(distinct(tree)) <= _INLINE and always(tree, {}).issuperset(called):
            return tree
        taken = [a for a in arguments if a.op == "argument"]
        if not taken:
            return tree
        op = f"row {operation.name}.{len(self._bodies)}"
        self._bodies[op] = (tree, taken)
        return node(op, *taken)

    def function(self, op: str) -> Code | str:
        """Return the function of doubles that an operation of a node calls."""
        body = self._body(op)
        if body is None:
            return op.removeprefix(OF_LIBRARY)
        code = self._functions.get(op)
        if code is None:
            code = self._functions[op] = _Body(self, op, *body).written()
        return code

    def pair(self, op: str, arity: int) -> Code:
        """Return the function that applies a function of doubles to both of a pair."""
        code = self._pairs.get(op)
        if code is None:
            body = self._body(op)
            if body is None:
                code = Code([V128] * arity, [V128])
                self.one_by_one(self.module.add(code), op, arity)
            else:
                code = _Body(self, op, *body, lanes=2).written()
            self._pairs[op] = code
        return code

    def one_by_one(self, code: Code, op: str, arity: int) -> None:
        """Push a function of both of a pair, which are the parameters, computed one after the other."""
        for lane in (0, 1):
            for argument in range(arity):
                code.get(argument)
                code.op(LANE[lane])
            code.call(self.function(op))
            code.op(SPLAT if lane == 0 else SET_LANE_1)

    def is_for_pairs(self, op: str) -> bool:
        """Tell whether an operation of a node is a function that is computed for two numbers at once."""
        return op not in SCALAR and op not in LEAVES and self._body(op) is not None

    def _body(self, op: str) -> tuple[Node, Sequence[Node]] | None:
        """Return what a function computes, and its arguments; None for a function of the library."""
        if op in OWN and op not in self._bodies:
            with interning():
                arguments = [leaf("argument", i) for i in range(LIBRARY[op])]
                self._bodies[op] = (OWN[op](*arguments), arguments)
        return self._bodies.get(op)

    def apply(self, code: Code, op: str, arity: int, lanes: int) -> None:
        """Append the instruction for what is on the stack."""
        if op in SCALAR:
            code.op((SCALAR if lanes == 1 else VECTOR)[op])
        elif lanes == 1:
            code.call(self.function(op))
        else:
            code.call(self.pair(op, arity))


def _key(operation: Operation, pattern: Pattern) -> object:
    """Return what is equal for equal rows of arguments that are the same numbers, to the sign of a zero."""
    if pattern.count(None) == len(pattern):
        return operation
    return (operation, *[None if x is None else pack("<d", x) for x in pattern])


class Form:
    """What expressions are but for their places, and for numbers where any would do as well.

    Args:
        rows: the functions of rows.
        key: what such expressions have in common.
        refusal: why they cannot be read.

    Attributes:
        refusal: likewise, or an empty text.
    """

    def __init__(self, rows: Rows, key: Key, refusal: str) -> None:
        self.refusal = refusal
        self._rows, self._key = rows, key

    @cached_property
    def parts(self) -> "list[Part]":
        """What to write for one double, in order."""
        return _Recipe(self._rows, self._rows.template(self._key)).parts

    @cached_property
    def calls(self) -> bool:
        """Whether there are functions among the parts that are computed for two numbers at once."""
        return any(isinstance(part, Code) for part in self.parts)


class _Recipe:
    """An expression as instructions for one double, made once and written many times.

    Args:
        rows: the functions of rows.
        template: the expression, in arguments.

    Attributes:
        parts: what to write, in order.
    """

    def __init__(self, rows: Rows, template: Node) -> None:
        self.parts: list[Part] = []
        self._rows, self._kept = rows, dict[Node, int]()
        self._uses = count_uses(template)
        self._walk(template)

    def _walk(self, what: Node) -> None:
        if what.op == "const":
            self._add(b"\x44" + pack("<d", what.arguments[0]))
        elif what.op == "argument":
            self.parts.append(what.arguments[0])
        elif what in self._kept:
            self.parts.append((False, self._kept[what]))
        else:
            for argument in in_order(what, 1):
                self._walk(argument)
            if what.op in SCALAR:
                self._add(SCALAR[what.op])
            else:
                self.parts.append(self._rows.function(what.op))
            if self._uses[what] > 1 and what.op not in COMPARISONS:
                self._kept[what] = len(self._kept)
                self.parts.append((True, self._kept[what]))

    def _add(self, code: bytes) -> None:
        last = self.parts[-1] if self.parts else None
        if isinstance(last, bytes):
            self.parts[-1] = last + code
        else:
            self.parts.append(code)


class Emitter:
    """Writes nodes into a function; a number that is needed twice is kept in a local.

    Args:
        rows: the functions of rows.
        code: the function that is written.
        known: the locals of nodes that have been computed.
        lanes: 1, or 2 for pairs of numbers.
    """

    def __init__(self, rows: Rows, code: Code, known: dict[Node, int] | None = None, lanes: int = 1) -> None:
        self.rows = rows
        self.lanes = lanes
        self.code = code
        self.known = {} if known is None else known
        self.uses: dict[Node, int] = {}

    def push(self, root: Node) -> None:
        """Push the number that a node is."""
        self.uses = count_uses(root)
        self._push(root)

    def _push(self, what: Node) -> None:
        code = self.code
        if what.op == "const":
            if self.lanes == 1:
                code.number(what.arguments[0])
            else:
                code.pair(what.arguments[0])
            return
        local = self.known.get(what)
        if local is not None:
            code.get(local)
            return
        self.compute(what)
        if self.uses[what] > 1 and what.op not in COMPARISONS:
            self.known[what] = code.keep_copy(F64 if self.lanes == 1 else V128)

    def compute(self, what: Node) -> None:
        """Push the number, which has not been computed yet."""
        if what.op == "load":
            self.load(what)
            return
        for argument in in_order(what, self.lanes):
            self._push(argument)
        self.rows.apply(self.code, what.op, len(what.arguments), self.lanes)

    def load(self, what: Node) -> None:
        """Push the number in memory."""
        raise NotImplementedError


class _Body(Emitter):
    """The body of a function: of a selection only the branch that is taken is computed, if it is long.

    Of a pair both must take the same branch; if they do not, the function is computed one by one.

    Args:
        rows: the functions of rows.
        op: what the function is called in nodes.
        tree: what it computes.
        arguments: the nodes of its parameters.
        lanes: 1, or 2 for a function of pairs.
    """

    def __init__(self, rows: Rows, op: str, tree: Node, arguments: Sequence[Node], lanes: int = 1) -> None:
        self.kind = F64 if lanes == 1 else V128
        code = Code([self.kind] * len(arguments), [self.kind])
        super().__init__(rows, code, {a: i for i, a in enumerate(arguments)}, lanes)
        self.op, self.tree = op, tree
        self._always: dict[Node, set[Node]] = {}

    def written(self) -> Code:
        """Write it, add it to the module and return it."""
        self.push(self.tree)
        return self.rows.module.add(self.code)

    def compute(self, what: Node) -> None:
        if what.op == "select":
            self._share(*what.arguments[1:])
        if what.op != "select" or all(map(self._is_short, what.arguments[1:])):
            super().compute(what)
            return
        condition, x, y = what.arguments
        code = self.code
        # What a branch shares with the rest is computed in each: what is known there is not known behind it.
        self._push(condition)
        before = self.known
        if self.lanes == 2:
            mask = code.keep_copy(V128)
            code.op(ANY_TRUE)
        code.if_(self.kind)
        if self.lanes == 2:
            code.get(mask)
            code.op(ALL_TRUE + I32_EQZ)
            code.if_()
            self.rows.one_by_one(code, self.op, len(code.parameters))
            code.op(RETURN + END)
        for branch, closing in ((x, ELSE), (y, END)):
            self.known = dict(before)
            self._push(branch)
            code.op(closing)
        self.known = before

    def _share(self, x: Node, y: Node) -> None:
        """Compute what both branches of a selection need in any case."""
        both = always(x, self._always) & always(y, self._always)
        seen, waiting = set(self.known), [x]
        while waiting and both:
            what = waiting.pop()
            if what in seen or what.op in LEAVES:
                continue
            seen.add(what)
            if what in both and what.op not in COMPARISONS:
                self._push(what)
                self.code.op(DROP)
            elif what.op != "select":
                waiting += what.arguments

    def _is_short(self, root: Node) -> bool:
        """Tell whether what is left to be computed of a branch takes no longer than a wrong guess would."""
        found, waiting = set[Node](), [root]
        while waiting:
            what = waiting.pop()
            if what in found or what in self.known or what.op in LEAVES:
                continue
            found.add(what)
            if len(found) > _SHORT[self.lanes - 1] or what.op not in SCALAR:
                return False
            waiting += what.arguments
        return True


def in_order(what: Node, lanes: int) -> tuple[Node, ...]:
    """Return a node's arguments in the order in which its instruction finds them on the stack.

    Of a sum or a product what takes longer to compute comes first, and then waits for less; a number or a
    load comes last, where a processor's instruction takes it from the memory.
    """
    arguments: tuple[Node, ...] = what.arguments
    if what.op == "select":
        return (*arguments[1:], arguments[0])
    if what.op in ("add", "mul"):
        return arguments if _weight(arguments[0]) >= _weight(arguments[1]) else arguments[::-1]
    return arguments[::-1] if what.op == "copysign" and lanes == 2 else arguments


def _weight(what: Node) -> int:
    """Return a rough measure of how long a number takes."""
    if what.op in LEAVES:
        return 0 if what.op == "const" else 1
    return 2 if what.op in SCALAR else 3


def count_uses(root: Node) -> dict[Node, int]:
    """Return how often each node is used in an expression."""
    uses: dict[Node, int] = {root: 1}
    waiting = [root]
    while waiting:
        what = waiting.pop()
        if what.op in LEAVES:
            continue
        for argument in what.arguments:
            if argument in uses:
                uses[argument] += 1
            else:
                uses[argument] = 1
                waiting.append(argument)
    return uses


def distinct(root: Node) -> set[Node]:
    """Return the nodes of an expression."""
    return set(count_uses(root))


def always(root: Node, known: dict[Node, set[Node]]) -> set[Node]:
    """Return the nodes that are needed whatever a selection selects, given those that are known of parts."""

    def needed(what: Node) -> set[Node]:
        if what not in known:
            parts = [] if what.op in LEAVES else [needed(argument) for argument in what.arguments]
            if what.op == "select":
                parts = [parts[0], parts[1] & parts[2]]
            known[what] = {what}.union(*parts)
        return known[what]

    return needed(root)


def merged(root: Node) -> Node:
    """Return an expression in which a function that both branches of a selection call is called once.

    ``f(x) + 1 if c else f(y) - 1`` becomes ``z + 1 if c else z - 1`` with ``z = f(x if c else y)``.
    """
    done: dict[Node, Node] = {}

    def walk(what: Node) -> Node:
        if what.op in LEAVES:
            return what
        if what not in done:
            whole = node(what.op, *map(walk, what.arguments))
            done[what] = _hoisted(*whole.arguments) if whole.op == "select" else whole
        return done[what]

    return walk(root)


def _hoisted(condition: Node, x: Node, y: Node) -> Node:
    calls = [_outer_calls(branch) for branch in (x, y)]
    if [len(found) for found in calls] != [1, 1] or calls[0][0].op != calls[1][0].op:
        return node("select", condition, x, y)
    (one,), (other,) = calls
    inner = zip(one.arguments, other.arguments, strict=True)
    call = node(one.op, *(_hoisted(condition, *both) for both in inner))
    return node("select", condition, _replaced(x, {one: call}), _replaced(y, {other: call}))


def _outer_calls(root: Node) -> list[Node]:
    """Return the calls of library functions that are in no other one."""
    found, seen, waiting = [], {root}, [root]
    while waiting:
        what = waiting.pop()
        if what.op in LIBRARY:
            found.append(what)
        elif what.op not in LEAVES:
            waiting += [argument for argument in what.arguments if argument not in seen]
            seen.update(what.arguments)
    return found


def _replaced(what: Node, done: dict[Node, Node]) -> Node:
    if what.op in LEAVES:
        return what
    if what not in done:
        done[what] = node(what.op, *(_replaced(argument, done) for argument in what.arguments))
    return done[what]


def _substituted(template: Node, arguments: Sequence[Node], done: dict[Node, Node]) -> Node:
    if template.op == "argument":
        argument: Node = arguments[template.arguments[0]]
        return argument
    if template.op == "const":
        return number(template.arguments[0])
    found = done.get(template)
    if found is None:
        found = done[template] = node(
            template.op, *(_substituted(argument, arguments, done) for argument in template.arguments)
        )
    return found


__all__ = ["Emitter", "Rows", "count_uses", "distinct", "interning"]
