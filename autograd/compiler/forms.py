"""Rows of the operation table as trees of NumPy's functions.

A row's array form is generic in the array namespace, so it can be recorded like any other computation: called
with `Symbol`s and a namespace that records, it returns the tree of the functions that it would have called.
So the array program can give each of them a buffer, and print them.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from autograd.row import Operation
from autograd.symbolic import Symbolic


@dataclass(frozen=True, eq=False)
class Call:
    """A function of NumPy, or the array form of an operation, applied to arguments.

    Attributes:
        function: the name of NumPy's function, or an operation whose array form cannot be recorded.
        arguments: floats, calls, and whatever hashable thing stands for an array.
    """

    function: str | Operation
    arguments: tuple["Tree", ...]


Tree = float | Call | Hashable


def is_ufunc(function: str | Operation) -> bool:
    """Tell whether a function takes ``out=`` and broadcasts."""
    return isinstance(function, str) and isinstance(getattr(np, function), np.ufunc)


@cache
def is_comparison(function: str) -> bool:
    """Tell whether NumPy's function of that name returns bools."""
    ufunc = getattr(np, function)
    if not isinstance(ufunc, np.ufunc):
        return False
    return all(types.endswith("->?") for types in ufunc.types if types.startswith("d"))


def is_boolean(tree: Tree) -> bool:
    """Tell whether a tree computes an array of bools."""
    return isinstance(tree, Call) and isinstance(tree.function, str) and is_comparison(tree.function)


def applied(operation: Operation, arguments: Sequence[Tree]) -> Tree:
    """Return an operation at some arguments as a tree of NumPy's functions.

    An argument of bools counts as the numbers 0 and 1.
    """
    if all(isinstance(argument, float) for argument in arguments):
        return float(operation.value(*arguments))
    form = form_at(operation, arguments)
    if form is None:
        return Call(operation, tuple(map(as_float, arguments)))
    return _substituted(form, tuple(arguments))


def as_float(tree: Tree) -> Tree:
    """Return a tree that computes floats, where bools would not do."""
    return Call("float64", (tree,)) if is_boolean(tree) else tree


def form_at(operation: Operation, arguments: Sequence[Any]) -> Tree | None:
    """Return the tree of an operation at some arguments, of which those without a derivative are numbers."""
    known = tuple(arguments[place] for place in operation.constant_places)
    return recorded(operation, known) if all(isinstance(number, float) for number in known) else None


@lru_cache(1024)
def recorded(operation: Operation, known: tuple[float, ...] = ()) -> Tree | None:
    """Return the tree of an operation, in which the arguments are the ints 0, 1, ...; None if it has none.

    A row without an array form has one if its value is made of operators and operations alone.

    Args:
        operation: the row.
        known: the numbers of its arguments without a derivative: an order may decide what is computed.
    """
    if len(known) < len(operation.constants):
        return None
    symbols: list[Any] = [Symbol(position) for position in range(operation.arity)]
    for place, number in zip(operation.constant_places, known, strict=True):
        symbols[place] = number
    if isinstance(operation.numpy, str):
        return Call(operation.numpy, tuple(range(operation.arity)))
    try:
        if operation.numpy is not None:
            return _tree(operation.numpy(_Namespace(), *symbols))
        form = _tree(operation.value(*symbols))
        return form if _agrees(form, operation) else None
    except Exception:
        return None


class Symbol(Symbolic):
    """Stands for an array while an array form is recorded."""

    __slots__ = ("tree",)
    __array_ufunc__ = None  # NumPy's own functions refuse it: only those of the namespace record

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> "Symbol":
        """Return the tree of an operation on trees."""
        return cls(applied(operation, [_tree(argument) for argument in arguments]))

    def _compare(name: str) -> Any:  # type: ignore[misc]  # noqa: N805 - makes the methods below
        return lambda self, other: Symbol(Call(name, (self.tree, _tree(other))))

    __lt__, __le__ = _compare("less"), _compare("less_equal")
    __gt__, __ge__ = _compare("greater"), _compare("greater_equal")
    __eq__, __ne__ = _compare("equal"), _compare("not_equal")
    __and__, __or__ = _compare("logical_and"), _compare("logical_or")
    __hash__ = None  # type: ignore[assignment]

    def __invert__(self) -> "Symbol":
        return Symbol(Call("logical_not", (self.tree,)))


class _Namespace:
    """Stands for the module ``numpy``: its functions record calls, its numbers are themselves."""

    def __getattr__(self, name: str) -> Any:
        thing = getattr(np, name)
        if isinstance(thing, float):
            return thing
        if name not in _SELECTIONS and not isinstance(thing, np.ufunc):
            raise AttributeError(name)

        def call(*arguments: Any) -> Any:
            if not any(isinstance(argument, Symbol) for argument in arguments):
                return thing(*arguments)
            return Symbol(Call(name, tuple(map(_tree, arguments))))

        return call


_SELECTIONS = ("where",)
"""Functions of an array namespace that work element by element and are no ufuncs."""


def _tree(thing: Any) -> Tree:
    if isinstance(thing, Symbol):
        return thing.tree
    if isinstance(thing, (int, float, np.number)):
        return float(thing)
    raise TypeError(f"an array form returned or used {thing!r}")


def _substituted(form: Tree, arguments: tuple[Tree, ...]) -> Tree:
    done: dict[int, Tree] = {}

    def replace(tree: Tree) -> Tree:
        if isinstance(tree, int):
            return arguments[tree]
        if not isinstance(tree, Call):
            return tree
        if id(tree) not in done:
            done[id(tree)] = _simplified(tree.function, tuple(map(replace, tree.arguments)))
        return done[id(tree)]

    return replace(form)


def _simplified(function: str | Operation, arguments: tuple[Tree, ...]) -> Tree:
    """Return a call, with bools where they need not be made floats and floats where they must."""
    if isinstance(function, Operation):
        return Call(function, tuple(map(as_float, arguments)))
    first, last = arguments[0], arguments[-1]
    if function == "multiply" and (_is(first, 1.0) or _is(last, 1.0)):
        return as_float(last if _is(first, 1.0) else first)
    if function == "where" and isinstance(first, float):
        return as_float(arguments[1] if first else last)
    if function == "where" and is_boolean(first):
        if _is(arguments[1], 1.0) and _is(last, 0.0):
            return Call("float64", (first,))
        if _is(arguments[1], 0.0) and _is(last, 1.0):
            return Call("float64", (Call("logical_not", (first,)),))
    if function in ("abs", "fabs") and isinstance(
        first, Call
    ):  # so that sigmoid(x) and sigmoid(-x) share exp
        if first.function == "negative":
            return _simplified(function, first.arguments)
        factor = first.arguments[0]
        if first.function == "multiply" and isinstance(factor, float):
            return Call("multiply", (abs(factor), _simplified(function, first.arguments[1:])))
    if function == "not_equal" and _is(last, 0.0) and (inner := _converted(first)):
        return inner
    if function == "subtract" and _is(first, 1.0) and (inner := _converted(last)):
        return Call("float64", (Call("logical_not", (inner,)),))
    if all(isinstance(argument, float) for argument in arguments):
        with np.errstate(all="ignore"):
            return float(getattr(np, function)(*arguments))
    if all(map(is_boolean, arguments)) and not function.startswith("logical"):
        arguments = tuple(map(as_float, arguments))
    return Call(function, arguments)


def _is(tree: Tree, number: float) -> bool:
    return isinstance(tree, float) and tree == number  # the ints that stand for arguments are no numbers


def _converted(tree: Tree) -> Tree | None:
    """Return the bools that a tree is made of, if it is nothing but these as floats."""
    if is_boolean(tree):
        return tree
    return tree.arguments[0] if isinstance(tree, Call) and tree.function == "float64" else None


def evaluated(tree: Tree, arrays: Sequence[Any]) -> Any:
    """Return the value of a recorded form at some arrays."""
    if isinstance(tree, Call):
        arguments = (evaluated(argument, arrays) for argument in tree.arguments)
        function = tree.function.array_function if isinstance(tree.function, Operation) else None
        return (function or getattr(np, str(tree.function)))(*arguments)
    return arrays[tree] if isinstance(tree, int) else tree


_SAMPLES = (0.7, -0.3, 1.9, -2.6, 0.0, 5.5, -17.0, 1e-9)


def _agrees(form: Tree, operation: Operation) -> bool:
    """Tell whether a form made from a row's value has that value: a function may ask for a float's type."""
    for start in range(len(_SAMPLES)):
        point = [
            _within(_SAMPLES[(start + 3 * place) % len(_SAMPLES)], *interval)
            for place, interval in enumerate(operation.domain)
        ]
        with np.errstate(all="ignore"):
            found = float(evaluated(form, [np.float64(x) for x in point]))
        if not math.isclose(found, operation.value(*point), rel_tol=1e-12, abs_tol=1e-300) and found == found:
            return False
    return True


def _within(x: float, low: float, high: float) -> float:
    """Return a number in a domain."""
    if low < x < high:
        return x
    if math.isfinite(low) and math.isfinite(high):
        return low + (high - low) * (0.5 + 0.5 * math.tanh(x))
    return low + abs(x) + 0.1 if math.isfinite(low) else high - abs(x) - 0.1
