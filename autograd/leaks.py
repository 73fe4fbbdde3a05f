"""Numbers that left the graph: ``math.sin(x)`` takes a float from a Value, and the derivative with it.

Python's ``math``, arrays of floats and much else ask a Value for its number with ``float()``. What is
computed with it is a constant to the graph, so a gradient lacks that path. Whoever takes a derivative looks
here whether something that the graph depends on was asked so; it warns once, or refuses where nothing is left
of the graph. Looks are no leaks: comparisons, prints, formats, ``math.isnan(x)``, ``data``, ``item()``, what
a plot is made of, and ``float(x)`` whose number does not come back.
"""

import ast
import linecache
import re
import sys
import sysconfig
import warnings
from collections import deque
from collections.abc import Callable, Collection, Iterator
from functools import cached_property, lru_cache
from itertools import count, islice
from types import CodeType, FrameType
from typing import Any
from weakref import ref

from autograd import ops
from autograd.node import clock
from autograd.questions import NEAR
from autograd.text import describe

ARITHMETIC = {"numpy", "statistics", "fractions", "functools", "random"}
"""Libraries that compute with the numbers they ask for; others, such as those that plot, only show them."""

PACKAGES = {"autograd", "nn", "chainrule"}
EXPLICIT = re.compile(r"(?<![\w.])float\(|\bmap\(float\b")
LOOKS = {
    *("print", "format", "str", "repr", "display", "info", "debug", "warning", "write"),
    *("isnan", "isinf", "isfinite", "isclose", "allclose"),
}
"""Functions that show a number, or answer yes or no: nothing of the derivative passes through them."""

LIBRARIES = re.compile(rf"{re.escape(sysconfig.get_path('stdlib'))}|.*(site|dist)-packages\b")


class LeakWarning(UserWarning):
    """A number left the graph before a derivative was taken, which so lacks what was computed with it."""


class Leak:
    """A place in the user's program that asked Values for their numbers as floats.

    Attributes:
        place: its code, and the instruction and the line in it.
        time: the clock then.
        asked: for each Value a description, its number, and references to it and to what it was computed
            from, as far as `ask` goes; none of them is kept alive.
    """

    def __init__(self, code: CodeType, instruction: int, line: int) -> None:
        self.code, self.instruction, self.line = code, instruction, line
        self.time, self.serial = clock.now, next(_serials)
        self.asked: list[tuple[str, float, list[ref[Any]]]] = []

    def add(self, node: Any) -> None:
        """Remember a node that was asked here."""
        near = [node]
        for reached in near:
            if len(near) > NEAR:
                break
            near += [parent for parent in reached.parents if parent not in near and not parent.is_constant]
        references = [ref(reached) for reached in near if len(near) <= NEAR or reached.op is not None]
        what = f"the input (data={node._data!r})" if node.op is ops.pos else describe(node)
        self.asked.append((what, node._data, references or [ref(node)]))

    @property
    def _span(self) -> tuple[int | None, int | None, int | None, int | None]:
        """The first and last line, and the first and last column, of the expression that asked."""
        return next(islice(self.code.co_positions(), self.instruction // 2, None), (None,) * 4)

    @property
    def source(self) -> str:
        """The expression that asked, else its line, "" without source."""
        line, end, first, last = self._span
        text = linecache.getline(self.code.co_filename, line or self.line)
        return text.encode()[first:last].decode() if line == end and first is not None else text.strip()

    def concerns(self, order: Collection[Any]) -> bool:
        """Tell whether the numbers, or what was computed with them, may be missing in a graph's derivative.

        Args:
            order: the nodes of the graph, and those that it is differentiated by.
        """
        if self.is_look:
            return False
        source, known = self.source, set(order)
        explicit = EXPLICIT.search(source) if source else "float" in self.code.co_names
        constants = {id(node._data) for node in order if node.is_constant and not node.label}
        return any(
            (id(number) in constants if explicit else constants) and any(near() in known for near in nears)
            for _, number, nears in self.asked
        )

    @cached_property
    def is_look(self) -> bool:
        """Whether the numbers are shown or compared there, so that nothing is computed with them."""
        line, end, first, last = self._span
        if line is None or end is None or first is None or last is None:
            return False
        lines = linecache.getlines(self.code.co_filename)
        return any(map(_looks, _around("".join(lines), (line, first), (end, last))))

    def depends_on(self, nodes: Collection[Any]) -> bool:
        """Tell whether a number with which something may be computed depends on one of some nodes."""
        return not self.is_look and any(near() in nodes for _, _, nears in self.asked for near in nears)

    def text(self, function: Any = None) -> str:
        """Tell what left, where, and what to do.

        Args:
            function: what was called, if it was not the user's program that called it.
        """
        source = self.source if function is None else f"{getattr(function, '__name__', '')}("
        where = f" ({self.code.co_filename}, line {self.line}{f', in {source}' * bool(source)})"
        called = re.search(r"(\w+)\(", source)
        names = {name: row.name for row in ops.TABLE.values() for name in (row.numpy, row.name, *row.aliases)}
        row = names.get(called[1]) if called else None
        use = f"autograd.{row}" if row else "autograd's functions, and lists or arrays of objects"
        return (
            f"{self.asked[0][0]} was asked for its number as a float{where * (function is None)}, and what "
            f"is computed with that is a constant, which the derivative lacks; use {use}, or .data if a "
            "constant is meant"
        )


@lru_cache(maxsize=1)
def _parsed(text: str) -> ast.AST | None:
    try:
        return ast.parse(text)
    except SyntaxError:  # the file has been edited since
        return None


def _around(text: str, start: tuple[int, int], end: tuple[int, int]) -> list[ast.AST]:
    """Return the expressions around a span of a source, as far as they are evaluated together with it."""
    node, around = _parsed(text), list[ast.AST]()
    while node is not None:
        node = next((inner for inner in _children(node) if _spans(inner, start, end)), None)
        if isinstance(node, (ast.stmt, ast.Lambda)):
            around = []
        elif node is not None:
            around.append(node)
    return around


def _children(node: ast.AST) -> Iterator[Any]:
    """Yield the parts of a node that have a place in the source; those of a comprehension's loop, say."""
    for child in ast.iter_child_nodes(node):
        if hasattr(child, "lineno"):
            yield child
        else:
            yield from _children(child)


def _spans(node: Any, start: tuple[int, int], end: tuple[int, int]) -> bool:
    first, last = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    return first <= start and end <= last


def _looks(node: ast.AST) -> bool:
    """Tell whether an expression shows or compares what is in it."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", getattr(node.func, "id", None)) in LOOKS
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
    return isinstance(node, (ast.Compare, ast.JoinedStr))


_serials = count(1)
_pending: deque[Leak] = deque(maxlen=64)
"""The leaks of which nobody has been told, the latest last."""


def leak(node: Any, frame: FrameType) -> None:
    """Remember that a node gave its number as a float to what runs in ``frame``."""
    asker: FrameType | None = frame
    while asker is not None and LIBRARIES.match(asker.f_code.co_filename):
        if _package(asker) not in ARITHMETIC:
            return
        asker = asker.f_back
    # These packages know what they do; but a transform may have called a function such as math.sin itself.
    if asker is None or (_package(asker) in PACKAGES and asker.f_globals["__name__"] != CALLER):
        return
    here = Leak(asker.f_code, asker.f_lasti, asker.f_lineno)
    for known in list(_pending):
        if (known.code, known.instruction) == (here.code, here.instruction):
            _pending.remove(known)
            here.asked += known.asked if known.time == here.time else []
    here.add(node)
    _pending.append(here)


CALLER = "autograd.transforms"


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]


def latest() -> int:
    """Return the serial number of the latest leak, 0 if there is none."""
    return _pending[-1].serial if _pending else 0


def since(serial: int) -> list[Leak]:
    """Return the leaks after that of a serial number."""
    return [pending for pending in _pending if pending.serial > serial]


def check(root: Any, order: Callable[[], Collection[Any]]) -> None:
    """Warn if a node of a graph was asked for its number, or one that was computed from such.

    Args:
        root: the output; that it was looked at, as losses are, is forgotten.
        order: returns the nodes of the graph.
    """
    for pending in list(_pending):
        pending.asked = [one for one in pending.asked if one[2][0]() is not root]
        if not pending.asked:
            _pending.remove(pending)
    recent = [pending for pending in _pending if pending.time >= root._time]
    if recent:
        nodes = order()
        for pending in recent:
            if pending.concerns(nodes):
                tell(pending)


def tell(pending: Leak, function: Any = None) -> None:
    """Warn of a leak, once, where the user's program takes the derivative."""
    _pending.remove(pending)
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _package(frame) in PACKAGES:
        level, frame = level + 1, frame.f_back
    warnings.warn(pending.text(function), LeakWarning, stacklevel=level)
