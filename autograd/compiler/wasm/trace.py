"""A row's value function, read as data.

The value of an operation is a function of plain floats, written in Python. Here it is called once with
symbols in place of numbers: what it computes with them is recorded, and where it asks a question of one (``if
x > 0.0``) it is called again for the other answer. What comes out is an expression of a dozen primitive
instructions and the functions of the C library, with selections where the paths part. So the table stays the
only place that knows an operation, and a user's own row becomes machine code as the built-in ones do.

Python's ``math`` raises where these symbols go on with IEEE arithmetic. The functions of `autograd.real`,
which catch what it raises, are written so that both mean the same; any other function that catches exceptions
is refused.
"""

import builtins
import math
import struct
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from autograd import real
from autograd.row import Operation, as_float

_OF_ONE = """
    exp expm1 exp2 log log1p log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh
    cbrt erf erfc frexp_mantissa frexp_exponent
"""
_OF_TWO = "pow atan2 hypot fmod scaled modulo floor_divide"
LIBRARY = dict.fromkeys(_OF_ONE.split(), 1) | dict.fromkeys(_OF_TWO.split(), 2)
"""The functions of the library beside this file, and how many numbers they take."""

COMPARISONS = {"lt", "gt", "le", "ge", "eq", "ne"}
_PATHS = 64
_NODES = 4000


class TraceError(Exception):
    """A function does something with its numbers that cannot be recorded."""


class Node:
    """A number that is not known yet: an instruction and what it is applied to.

    Nodes are equal only if they are the same; `node` returns the same for the same.

    Attributes:
        op: the name of an instruction, of a function of the library, or ``"const"``, ``"argument"``,
            ``"load"``.
        arguments: nodes, or for the last three the number, the index or the place.
    """

    __slots__ = ("arguments", "op")
    arguments: Any
    op: str

    def __init__(self, op: str, arguments: tuple[Any, ...]) -> None:
        self.op = op
        self.arguments = arguments

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> "Node":
        """Read the value function of a row that another one uses."""
        return as_node(_traced(operation.value)(*arguments))

    def __add__(self, other: Any) -> Any:
        return _binary("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return _binary("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return _binary("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _binary("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return _binary("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _binary("mul", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _binary("div", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _binary("div", other, self)

    def __pow__(self, other: Any) -> Any:
        return _binary("pow", self, other)

    def __rpow__(self, other: Any) -> Any:
        return _binary("pow", other, self)

    def __mod__(self, other: Any) -> Any:
        return _binary("modulo", self, other)

    def __rmod__(self, other: Any) -> Any:
        return _binary("modulo", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _binary("floor_divide", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _binary("floor_divide", other, self)

    def __neg__(self) -> "Node":
        return node("neg", self)

    def __pos__(self) -> "Node":
        return self

    def __abs__(self) -> "Node":
        return node("abs", self)

    def __round__(self, digits: int | None = None) -> "Node":
        if digits is not None:
            raise TraceError("rounding to digits")
        return node("add", node("nearest", self), number(0.0))

    def __lt__(self, other: Any) -> Any:
        return _binary("lt", self, other)

    def __gt__(self, other: Any) -> Any:
        return _binary("gt", self, other)

    def __le__(self, other: Any) -> Any:
        return _binary("le", self, other)

    def __ge__(self, other: Any) -> Any:
        return _binary("ge", self, other)

    def __eq__(self, other: object) -> Any:
        return _binary("eq", self, other)

    def __ne__(self, other: object) -> Any:
        return _binary("ne", self, other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        path = _PATH.get()
        if path is None:
            raise TraceError("a question about a number outside a trace")
        condition = self if self.op in COMPARISONS else node("ne", self, number(0.0))
        if condition.op == "const":
            return bool(condition.arguments[0])
        return path.decide(condition)

    def _refuse(self, *_: Any) -> Any:
        raise TraceError("a number is needed at once")

    __float__ = __int__ = __index__ = __trunc__ = __floor__ = __ceil__ = _refuse
    __iter__ = __len__ = __getitem__ = __call__ = _refuse


class _Path:
    """The answers that one call of a function is given, in the order of its questions."""

    def __init__(self, answers: Sequence[bool]) -> None:
        self.answers = answers
        self.conditions: list[Node] = []
        self.known: dict[Node, bool] = {}

    def decide(self, condition: Node) -> bool:
        if condition in self.known:
            return self.known[condition]
        count = len(self.conditions)
        if count >= _PATHS:
            raise TraceError("more questions than can be followed")
        answer = self.answers[count] if count < len(self.answers) else True
        self.conditions.append(condition)
        self.known[condition] = answer
        return answer


_PATH: ContextVar[_Path | None] = ContextVar("path", default=None)
_INTERNED: ContextVar[dict[Any, Node]] = ContextVar("interned")


def number(value: float) -> Node:
    """Return the node of a constant."""
    return _interned("const", (value,), ("const", struct.pack("<d", value)))


def leaf(op: str, what: Any, key: Any = None) -> Node:
    """Return the node of an argument or a place, the same for the same key."""
    return _interned(op, (what,), (op, what if key is None else key))


def node(op: str, *arguments: Node) -> Node:
    """Return the node that applies an instruction, simplified where that is exact."""
    if all(argument.op == "const" for argument in arguments):
        return number(_evaluate(op, [argument.arguments[0] for argument in arguments]))
    if op == "mul":
        one, other = arguments
        if one.op == "const":
            return node("mul", other, one)
        if other.op == "const" and other.arguments[0] in (1.0, -1.0):
            return one if other.arguments[0] == 1.0 else node("neg", one)
    elif op == "exp":
        arguments = (_size(arguments[0]),)
    elif op == "abs":  # of what differs in its sign only is the same
        inner: Node = arguments[0]
        if inner.op in ("neg", "abs"):
            return node("abs", inner.arguments[0])
        if inner.op == "mul" and inner.arguments[1].op == "const":
            return node("mul", node("abs", inner.arguments[0]), number(abs(inner.arguments[1].arguments[0])))
    elif op == "neg" and arguments[0].op == "neg":
        opposite: Node = arguments[0].arguments[0]
        return opposite
    elif op == "neg" and arguments[0].op == "mul" and arguments[0].arguments[1].op == "const":
        factor, other = arguments[0].arguments
        return node("mul", factor, number(-other.arguments[0]))
    elif op == "div" and arguments[1].op == "const" and arguments[1].arguments[0] in (1.0, -1.0):
        return node("mul", *arguments)
    elif op == "select":
        condition, x, y = arguments
        if condition.op == "const":
            return x if condition.arguments[0] else y
        if x is y:
            return x
    elif op == "ne" and arguments[1].op == "const" and arguments[1].arguments[0] == 0.0:
        truth = arguments[0]  # of a comparison, whose result is 1.0 or 0.0
        if truth.op == "select" and all(
            x.op == "const" and x.arguments[0] == y
            for x, y in zip(truth.arguments[1:], (1.0, 0.0), strict=True)
        ):
            comparison: Node = truth.arguments[0]
            return comparison
    elif op == "pow" and arguments[1].op == "const":
        simple = _power(arguments[0], arguments[1].arguments[0])
        if simple is not None:
            return simple
    return _interned(op, arguments, (op, *map(id, arguments)))


def _size(what: Node) -> Node:
    """Return ``-abs(x)`` for ``-x if x >= 0.0 else x`` and the like: only the sign of a zero differs."""
    if what.op == "select":
        condition, x, y = what.arguments
        if condition.op in ("lt", "le"):
            x, y = y, x
        if condition.op in ("ge", "gt", "le", "lt") and condition.arguments[1] is number(0.0):
            of = condition.arguments[0]
            if (x is of and y is node("neg", of)) or (y is of and x is node("neg", of)):
                return node("abs", of) if x is of else node("neg", node("abs", of))
    return what


def as_node(value: Any) -> Node:
    """Return a number, a truth or a node as a node that is a number."""
    if isinstance(value, Node):
        return node("select", value, number(1.0), number(0.0)) if value.op in COMPARISONS else value
    if isinstance(value, (bool, int, float)):
        return number(float(value))
    raise TraceError(f"a result of type {type(value).__name__}")


def trace(function: Callable[..., Any], arguments: Sequence[Node]) -> Node:
    """Return what a function of floats computes from nodes.

    Args:
        function: a function of plain floats.
        arguments: what it is applied to.

    Raises:
        TraceError: it does something else with its numbers than arithmetic, comparisons, the functions of
            ``math``, and calls of such functions; or it has too many paths.
    """
    try:
        table = _INTERNED.get()
        traced, runs, before = _traced(function), 0, len(table)
        numbers = [a.arguments[0] if a.op == "const" else a for a in arguments]

        def grow(answers: list[bool]) -> Node:
            nonlocal runs
            runs += 1
            if runs > _PATHS or len(table) - before > _NODES:
                raise TraceError("more paths than can be followed")
            path = _Path(answers)
            token = _PATH.set(path)
            try:
                result = as_node(traced(*numbers))
            finally:
                _PATH.reset(token)
            if len(path.conditions) == len(answers):
                return result
            grown = [grow([*answers, answer]) for answer in (True, False)]
            return node("select", path.conditions[len(answers)], *grown)

        return grow([])
    except TraceError:
        raise
    except Exception as error:  # a user's function may do anything with a number that is none
        raise TraceError(f"{type(error).__name__}: {error}") from error


@contextmanager
def interning() -> Iterator[None]:
    """Find equal nodes among those that are made within."""
    token = _INTERNED.set({})
    try:
        yield
    finally:
        _INTERNED.reset(token)


def _interned(op: str, arguments: tuple[Any, ...], key: Any) -> Node:
    table = _INTERNED.get()
    found = table.get(key)
    if found is None:
        found = table[key] = Node(op, arguments)
    return found


def _binary(op: str, x: Any, y: Any) -> Any:
    if not all(isinstance(operand, (Node, int, float)) for operand in (x, y)):
        return NotImplemented
    return node(op, as_node(x), as_node(y))


def _power(x: Node, exponent: float) -> Node | None:
    """Return a power that needs no logarithm, as exact as the library's at every double."""
    if exponent == 1.0:
        return x
    if exponent == 2.0:
        return node("mul", x, x)
    if exponent == -1.0:
        return node("div", number(1.0), x)
    if exponent in (0.5, -0.5):  # pow differs from sqrt at -0.0, whose power is that of 0.0, and at -inf
        root = node("sqrt", node("add", x, number(0.0)))
        power = root if exponent > 0.0 else node("div", number(1.0), root)
        return node(
            "select", node("eq", x, number(-real.inf)), number(real.inf if exponent > 0.0 else 0.0), power
        )
    return None


_FOLDED: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": real.div,
    "neg": lambda x: -x,
    "abs": abs,
    "sqrt": real.sqrt,
    "nearest": lambda x: math.copysign(float(round(x)), x) if math.isfinite(x) else x,
    "floor": lambda x: float(math.floor(x)) if math.isfinite(x) else x,
    "ceil": lambda x: math.copysign(float(math.ceil(x)), x) if math.isfinite(x) else x,
    "trunc": lambda x: math.copysign(float(math.trunc(x)), x) if math.isfinite(x) else x,
    "copysign": math.copysign,
    "lt": lambda x, y: x < y,
    "gt": lambda x, y: x > y,
    "le": lambda x, y: x <= y,
    "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "select": lambda condition, x, y: x if condition else y,
    "pow": real.pow,
    "modulo": real.mod,
    "floor_divide": real.floordiv,
    "fmod": math.fmod,
    "scaled": lambda x, n: math.ldexp(x, int(n)),
    "frexp_mantissa": lambda x: math.frexp(x)[0],
    "frexp_exponent": lambda x: float(math.frexp(x)[1]),
}


def _evaluate(op: str, numbers: list[float]) -> float:
    function = _FOLDED.get(op) or getattr(real, op, None) or getattr(math, op)
    return float(function(*numbers))


# Functions with ``math`` replaced ---------------------------------------------------------------------------


def _of_library(name: str) -> Callable[..., Any]:
    def applied(*arguments: Any) -> Any:
        if len(arguments) != LIBRARY[name]:
            raise TraceError(f"math.{name} of {len(arguments)} numbers")
        return node(name, *map(as_node, arguments))

    return applied


def _instruction(op: str) -> Callable[..., Any]:
    return lambda *arguments: node(op, *map(as_node, arguments))


def _integer(op: str) -> Callable[..., Any]:
    """Return a function whose result is an int in Python, which has no negative zero."""
    return lambda x: node("add", node(op, as_node(x)), number(0.0))


def _frexp(x: Any) -> tuple[Node, Node]:
    return node("frexp_mantissa", as_node(x)), node("frexp_exponent", as_node(x))


def _is_finite(x: Any) -> Any:
    return node("lt", node("abs", as_node(x)), number(real.inf))


def _is_inf(x: Any) -> Any:
    return node("eq", node("abs", as_node(x)), number(real.inf))


def _is_nan(x: Any) -> Any:
    return node("ne", as_node(x), as_node(x))


def polynomial(coefficients: Sequence[float], q: Any) -> Any:
    """Return a polynomial, the highest power first, in Estrin's order.

    In Horner's every step waits for the one before, which takes a processor several times as long.
    """
    terms: list[Any] = [*reversed(coefficients)]
    while len(terms) > 1:
        rest = terms[-1:] if len(terms) % 2 else []
        terms = [low + high * q for low, high in zip(terms[::2], terms[1::2], strict=False)] + rest
        q = q * q
    return terms[0]


def _ldexp(x: Any, n: Any) -> Any:
    """Return x * 2**n, rounded once: by a product, if 2**n is a normal number."""
    x, n = as_node(x), as_node(n)
    by_library = node("scaled", x, n)
    if n.op == "const":
        return by_library
    return node("select", node("le", abs(n), number(1022.0)), x * node("two_to", n), by_library)


INVERSE_FACTORIALS = tuple(1.0 / math.factorial(k) for k in range(13, 1, -1))


def near_expm1(r: Any, tail: Any = None) -> Any:
    """Return exp(r + tail) - 1 for abs(r) < 0.35 and a small tail, but for the sign of a zero.

    The polynomial is Taylor's, whose rest is below the rounding errors.
    """
    rest = r * r * polynomial(INVERSE_FACTORIALS, r)
    return r + (rest if tail is None else tail + rest)


_MATH: dict[str, Any] = {name: _of_library(name) for name in LIBRARY if hasattr(math, name)} | {
    "sqrt": _instruction("sqrt"),
    "fabs": _instruction("abs"),
    "copysign": _instruction("copysign"),
    "floor": _integer("floor"),
    "ceil": _integer("ceil"),
    "trunc": _integer("trunc"),
    "frexp": _frexp,
    "ldexp": _ldexp,
    "isfinite": _is_finite,
    "isinf": _is_inf,
    "isnan": _is_nan,
}
_BUILTIN: dict[Any, Any] = {getattr(math, name): function for name, function in _MATH.items()} | {
    float: as_node,
    as_float: lambda number, _: as_node(number),
    real.polynomial: polynomial,
    real.near_expm1: near_expm1,
}


class _Namespace:
    """A module whose functions are traced."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return _traced(getattr(self._module, name))


def _traced(value: Any) -> Any:
    """Return a function that does with nodes what it does with floats; other things as they are."""
    if isinstance(value, types.ModuleType):
        return _Namespace(value)
    if isinstance(value, (types.BuiltinFunctionType, types.FunctionType, type)) and value in _BUILTIN:
        return _BUILTIN[value]
    if isinstance(value, types.BuiltinFunctionType):
        if value.__module__ == "math":
            return _only_numbers(value)
        return value
    if not isinstance(value, types.FunctionType):
        return value
    code = value.__code__
    if code.co_exceptiontable and value.__module__ != real.__name__:
        raise TraceError(f"{value.__name__} catches exceptions")
    if code.co_flags & (0x20 | 0x80 | 0x200):
        raise TraceError(f"{value.__name__} is a generator or a coroutine")
    names = {"__builtins__": builtins, "float": as_node} | {name: _refusing(name) for name in _OF_KINDS}
    for name in code.co_names:
        if name in value.__globals__:
            held = value.__globals__[name]
            names[name] = _lazily(held) if isinstance(held, types.FunctionType) else _traced(held)
    closure = value.__closure__ and tuple(
        types.CellType(_traced(cell.cell_contents)) for cell in value.__closure__
    )
    traced = types.FunctionType(code, names, value.__name__, value.__defaults__, closure)
    traced.__kwdefaults__ = value.__kwdefaults__
    return traced


_OF_KINDS = ("isinstance", "type", "id", "hash", "repr", "str", "format", "callable", "hasattr", "getattr")
"""Functions that would give away that a node is not a float."""


def _refusing(name: str) -> Callable[..., Any]:
    function = getattr(builtins, name)

    def applied(*arguments: Any) -> Any:
        if any(isinstance(argument, Node) for argument in arguments):
            raise TraceError(f"{name} of a number")
        return function(*arguments)

    return applied


def _lazily(function: types.FunctionType) -> Callable[..., Any]:
    """Trace a function when it is called, since it may call itself."""
    return lambda *arguments, **keywords: _traced(function)(*arguments, **keywords)


def _only_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    def applied(*arguments: Any) -> Any:
        if any(isinstance(argument, Node) for argument in arguments):
            raise TraceError(f"math.{function.__name__} is not in the library")
        return function(*arguments)

    return applied
