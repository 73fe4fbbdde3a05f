"""Expressions that a program is written in: the operation table, interpreted as source text.

An ``Expression`` stands for a float or for an array in the program being written. The rows of the table act
on it as they act on floats and Values, so a local derivative given Expressions gives the text that computes
it.
"""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd import ops
from autograd.row import Operation
from autograd.symbolic import Symbolic

CHAIN = 100
"""The most operators in a row in one expression."""


class Writer:
    """The lines of a program being written, and the objects that its text refers to by name."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {"np": np, "inf": float("inf"), "nan": float("nan")}
        self.descriptions: dict[str, str] = {}
        self._names: dict[Any, str] = {}
        self._known: dict[str, str] = {}
        self._temporaries = 0
        self._margin = ""

    def bind(self, name: str, thing: Any) -> str:
        """Make ``thing`` available to the program under ``name``, or a name like it; return the name."""
        return self.bind_once(id(thing), name, lambda: thing)

    def bind_once(self, key: Any, name: str, make: Callable[[], Any]) -> str:
        """Make a thing, unless one was made for ``key``, and bind it; return its name."""
        if key not in self._names:
            unique, count = name, 1
            while unique in self.namespace:
                count += 1
                unique = f"{name}_{count}"
            self.namespace[unique] = make()
            self._names[key] = unique
        return self._names[key]

    def describe(self, name: str, description: str) -> None:
        """Say what a bound name is, for the head of the program."""
        self.descriptions[name] = description

    def write(self, line: str, comment: str = "") -> None:
        """Append a line."""
        line = self._margin + line
        self.lines.append(f"{line:<60}  # {comment}" if comment else line)

    @contextmanager
    def indented(self, head: str, comment: str = "") -> Iterator[None]:
        """Write the head of a loop; what is written meanwhile is its body, with temporaries of its own."""
        self.write(head, comment)
        margin, known = self._margin, dict(self._known)
        self._margin += "    "
        try:
            yield
        finally:
            self._margin, self._known = margin, known

    def once(self, text: str) -> str:
        """Return a variable that holds what ``text`` computes, written now unless one is there already."""
        if text not in self._known:
            self._temporaries += 1
            self._known[text] = f"t{self._temporaries}"
            self.write(f"{self._known[text]} = {text}")
        return self._known[text]

    def assign(self, name: str, text: str, comment: str = "") -> None:
        """Write that the variable ``name`` is what ``text`` computes.

        If that is the temporary that was written last, it is renamed.
        """
        last = self._margin + f"{text} = "
        if text == f"t{self._temporaries}" and self.lines and self.lines[-1].startswith(last):
            known = self.lines.pop().removeprefix(last)
            self._known[known], text = name, known
        self.write(f"{name} = {text}", comment)


class Expression(Symbolic):
    """Text that computes a float or an array.

    Args:
        text: Python source.
        writer: where calls within it are written as statements of their own, each once.
        array: whether it is an array; otherwise a float.
        atomic: whether the text needs no parentheses as an operand.
        boolean: whether the array holds bools, on which ``+`` and ``*`` would mean something else.
        full: whether the array has the shape of its statement, rather than one that broadcasts to it.
    """

    __slots__ = ("array", "atomic", "boolean", "full", "text", "writer")

    def __init__(
        self,
        text: str,
        writer: Writer,
        *,
        array: bool,
        atomic: bool = True,
        boolean: bool = False,
        full: bool | None = None,
    ) -> None:
        self.text = text
        self.writer = writer
        self.array = array
        self.atomic = atomic
        self.boolean = boolean
        self.full = array if full is None else full

    @property
    def operand(self) -> str:
        """The text, in parentheses if it needs them as an operand."""
        return self.text if self.atomic else f"({self.text})"

    @classmethod
    def __record__(cls, operation: Operation, arguments: Sequence[Any]) -> "Expression":
        """Return the expression that applies ``operation``: to arrays if one argument is an array."""
        writer: Writer = next(a.writer for a in arguments if isinstance(a, Expression))
        if any(isinstance(a, Expression) and a.array for a in arguments):
            return _on_arrays(writer, operation, arguments)
        texts = [_operand(a) for a in arguments]
        if _is_infix(operation) and getattr(operator, operation.value.__name__, None) is operation.value:
            return Expression(_infix(operation, texts), writer, array=False, atomic=False)
        name = writer.bind(_name(operation), operation.value)
        return Expression(writer.once(f"{name}({', '.join(map(strip, texts))})"), writer, array=False)


def _on_arrays(writer: Writer, operation: Operation, arguments: Sequence[Any]) -> Expression:
    form = operation.numpy
    ufunc = getattr(np, form) if isinstance(form, str) else None
    full = any(a.full for a in arguments if isinstance(a, Expression) and a.array)
    count = ufunc is not None and all(isinstance(a, Expression) and a.boolean for a in arguments)
    if ufunc is None:
        arguments = [as_float(a) for a in arguments]
    texts = [_operand(a) for a in arguments]
    boolean = any(signature.endswith("d->?") for signature in getattr(ufunc, "types", ()))
    if _is_infix(operation) and not count:
        text = _infix(operation, texts)
        return Expression(text, writer, array=True, atomic=False, boolean=boolean, full=full)
    if ufunc is None:
        name = writer.bind_once(("array", operation), _name(operation), lambda: operation.array_function)
    else:
        name = f"np.{form}"
    inside = [
        *map(strip, texts),
        *(["dtype=float"] if count and not boolean else []),
    ]  # bools are to count as 0, 1
    return Expression(
        writer.once(f"{name}({', '.join(inside)})"), writer, array=True, boolean=boolean, full=full
    )


def _is_infix(operation: Operation) -> bool:
    """Tell whether the row's symbol is Python's operator; a user's row may be drawn with any symbol."""
    return _is_ours(operation) and not operation.symbol.isidentifier()


def _name(operation: Operation) -> str:
    """Return a name for a row; a user's may be called anything, ``<lambda>`` and ``x1`` included."""
    return (
        operation.name if _is_ours(operation) else "op_" + re.sub(r"\W", "_", operation.name, flags=re.ASCII)
    )


def _is_ours(operation: Operation) -> bool:
    return ops.TABLE.get(operation.name) is operation


def _infix(operation: Operation, texts: list[str]) -> str:
    return f"{operation.symbol}{texts[0]}" if len(texts) == 1 else f" {operation.symbol} ".join(texts)


def as_float(argument: Any) -> Any:
    """Return an array of bools as one of floats, anything else as it is."""
    if isinstance(argument, Expression) and argument.boolean:
        text = f"1.0 * {argument.operand}"
        return Expression(text, argument.writer, array=True, atomic=False, full=argument.full)
    return argument


def _operand(argument: Any) -> str:
    if isinstance(argument, Expression):
        return argument.operand
    text = repr(float(argument))
    return f"({text})" if text.startswith("-") else text


def total(terms: list[str]) -> str:
    """Return the sum of some terms, in parts: Python's own compiler cannot nest thousands of operators."""
    while len(terms) > CHAIN:
        terms = [f"({' + '.join(terms[i : i + CHAIN])})" for i in range(0, len(terms), CHAIN)]
    return " + ".join(terms)


def strip(text: str) -> str:
    """Return an operand without the parentheses that it does not need as an argument of a call."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and place < len(text) - 1:
            return text
    return text[1:-1]
