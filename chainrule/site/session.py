"""Between the reader's program and the player: runs the one, and makes what the other shows.

It runs in the page, where `serve` is called with each request, and just as well in any Python.
"""

import ast
import importlib
import io
import json
import linecache
import random
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from types import TracebackType
from typing import Any

from autograd.drawing import layout
from autograd.stepping.events import graph_of
from autograd.stepping.formula import name_nodes
from autograd.stepping.groups import Group
from autograd.stepping.lines import source_lines
from autograd.stepping.player import contents, view_told
from autograd.stepping.stepper import Stepper
from autograd.stepping.templates import numbers_in
from autograd.stepping.views import Outline
from autograd.value import Constant, Value
from autograd.variables import named_in
from chainrule.site.numbers import numbers
from chainrule.site.training import Training

FILE = "<program>"
"""What the reader's program is called in tracebacks."""

LIMIT = 600
"""How many values are drawn at most, in all views together."""

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_SCOPES += (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)  # type: ignore[assignment]  # longer
_OUTPUT = 20_000  # characters that a program may print


class Session:
    r"""The page's reader, who runs a program again and again.

    Example:
        >>> session = Session()
        >>> answer = session.run("x = Value(-2, 'x')\nf = 3 * x\nprint(f.data)")
        >>> answer["output"], answer["values"], answer["shown"]
        ('-6.0\n', ['x', 'f'], 'f')
        >>> session.run("f = 1 +")["error"]["line"]
        1
    """

    def __init__(self) -> None:
        self._form: Any = None  # of the graph that the player has
        self._stepper: Stepper | None = None  # of the same
        self._program: _Program | None = None  # the one that ran last

    def run(
        self,
        source: str,
        show: str = "",
        dragging: bool = False,
        view: int = 0,
        train: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Run a program and return what there is to be seen of it.

        Args:
            source: the program. It finds the public names of ``autograd``, and starts with the same random
                numbers each time.
            show: the variable to show; by default the last expression or the last Value that was assigned.
            dragging: whether a number of the program is being moved: of a graph of the same form as the one
                before nothing but the numbers is told.
            view: the view that the player has open, to be told beside the first.
            train: how to go on with the training that the program ends in: ``to``, the step to stop at;
                ``seconds``, after which to stop in any case; ``known``, how many losses need not be told;
                ``open``, whether to show the step's graph. An earlier step than the present one is reached
                from the start.

        Returns:
            ``output``: what was printed. ``error``: None, or its ``line`` and ``message``. Without an error
            also ``values``: the variables that can be shown; ``shown``: the one that is; ``numbers``: the
            literals; ``player``: what the player shows, None if there is no Value; instead of that
            ``moved``: the numbers that it puts into what it has; ``training``: how far it is, None if the
            program does not end in one.
        """
        program = self._program
        self._program = None  # unless all goes well
        known = train["known"] if train else 0
        if not (train and program and program.source == source and program.step <= train["to"]):
            program, known = _Program(source), 0
        try:
            with redirect_stdout(program.output), source_lines():
                if not program.begun:
                    program.begin()
                if train:
                    program.train(train["to"], train["seconds"])
                answer = program.told(known)
            if not train or (train["open"] and (program.ended or program.step == train["to"])):
                answer |= self._describe(program, show, dragging, view)
            self._program = program
        except BaseException as error:  # whatever the program does, also exit() and an interrupt
            answer = {"error": _told(error)}
        return {"error": None, "output": program.output.getvalue(), **answer}

    def look(self, view: int) -> dict[str, Any]:
        """Return a view of the graph that the player has: what is told of it, see `view_told`.

        There is an ``error`` if Python has been started anew since, or has trained on.
        """
        if self._stepper is None:
            return {"error": "the graph is gone"}
        try:
            return view_told(self._stepper.outline, self._stepper.events, LIMIT, view)
        except (IndexError, RuntimeError) as error:
            return {"error": str(error)}

    def _describe(self, program: "_Program", show: str, dragging: bool, view: int) -> dict[str, Any]:
        variables, last = program.variables, program.last
        stored = _assigned(program.tree)
        values = {name: variables[name] for name in stored if isinstance(variables.get(name), Value)}
        made = [name for name, value in values.items() if value.op is not None]
        shown = show if show in values else ""
        if not shown and not isinstance(last, Value):
            shown = (made or [*values] or [""])[-1]
        root = values[shown] if shown else last
        answer: dict[str, Any] = {"values": [*values], "shown": shown, "player": None}
        answer["numbers"] = [asdict(number) for number in numbers(program.source)]
        if not isinstance(root, Value):
            return answer
        order, names = graph_of(root), named_in(variables)
        form = _form(order, name_nodes(order, names))
        if dragging and form == self._form:
            return answer | {"moved": numbers_in(order)}
        self._form = self._stepper = None  # unless all goes well
        stepper = Stepper(root, LIMIT, names)
        answer["player"] = contents(stepper.outline, stepper.events, LIMIT, only={0, view})
        self._form, self._stepper = form, stepper
        return answer


class _Program:
    """A program of the reader, from its beginning to the step of its training that it has come to.

    Attributes:
        source: its text.
        tree: the same, parsed.
        variables: what it has assigned.
        last: the value of the expression at its end; of a training the loss of the present step.
        output: what it has printed.
        begun: whether it has been run.
        training: what the expression at its end is, if it is that.
        losses: of all steps until now.
        ended: whether there are no more.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.output = _Output()
        self.begun = False
        self.training: Training | None = None
        self.losses: list[float] = []
        self.ended = False
        self._steps: Iterator[Any] = iter(())

    @property
    def step(self) -> int:
        """How many times the parameters have been changed."""
        return max(0, len(self.losses) - (not self.ended))

    def begin(self) -> None:
        """Run it; a training, to its first loss."""
        self.begun = True
        self.tree = ast.parse(self.source, FILE)
        self.variables, self.last = _execute(self.tree, self.source)
        if isinstance(self.last, Generator):
            self.last = Training(self.last)
        if isinstance(self.last, Training):
            self.training, self._steps = self.last, iter(self.last)
            self._next()

    def train(self, to: int, seconds: float) -> None:
        """Go on with the training."""
        end = time.perf_counter() + seconds
        while not self.ended and self.step < to:
            self._next()
            if time.perf_counter() > end:
                return

    def _next(self) -> None:
        loss = next(self._steps, None)
        if loss is None:
            self.ended = True
        elif not isinstance(loss, Value):
            raise TypeError(
                f"a step of a training must yield its loss, a Value, not {type(loss).__name__}: {loss!r:.60}"
            )
        else:
            self.last = loss
            self.losses.append(loss.data)

    def told(self, known: int) -> dict[str, Any]:
        """Return how far the training is."""
        if self.training is None:
            return {"training": None}
        facts = {"step": self.step, "ended": self.ended, "known": known, "losses": self.losses[known:]}
        return {"training": facts | self.training.told()}


def prepare() -> None:
    """Import what the first program will need: then it is part of the memory that is kept."""
    importlib.import_module("graphviz")
    importlib.import_module("xml.etree.ElementTree")
    exec("from autograd import *", {})


def begin(render: Callable[[str], str]) -> Callable[[str], str]:
    """Begin a session in the page.

    Args:
        render: lays out a graph in the DOT language, and returns the SVG.

    Returns:
        A function that answers requests: JSON in, JSON out.
    """
    layout.ENGINES.clear()
    layout.ENGINES["Graphviz in this page"] = lambda source: render(source).encode()
    session = Session()

    def answer(request: str) -> str:
        asked = json.loads(request)
        return json.dumps(session.look(**asked) if "source" not in asked else session.run(**asked))

    return answer


def _execute(tree: ast.Module, source: str) -> tuple[dict[str, Any], Any]:
    """Run a program in a fresh namespace; return that, and the value of an expression at its end."""
    linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
    random.seed(0)
    variables: dict[str, Any] = {"__name__": "__main__"}
    exec("from autograd import *", variables)
    body, last = tree.body, None
    if body and isinstance(body[-1], ast.Expr):
        exec(compile(ast.Module(body[:-1], []), FILE, "exec"), variables)
        last = eval(compile(ast.Expression(body[-1].value), FILE, "eval"), variables)
    else:
        exec(compile(tree, FILE, "exec"), variables)
    return variables, last


def _assigned(tree: ast.Module) -> list[str]:
    """Return the names that the program itself assigns outside of functions, the last assigned at the end."""
    names: dict[str, None] = {}
    for name in _stored(tree):
        names.pop(name, None)
        names[name] = None
    return [*names]


def _stored(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        if not isinstance(child, _SCOPES):
            yield from _stored(child)


def _form(order: Sequence[Value], names: Mapping[Value, str]) -> list[tuple[Any, ...]]:
    """Return what the walk through a graph depends on, but for the numbers of its leaves and what follows."""
    place = {node: k for k, node in enumerate(order)}
    chains = Outline(order).chains
    known: dict[Group, int] = {}
    return [
        (
            node.op,
            isinstance(node, Constant) and (node.label or repr(node.data)),
            names[node],
            tuple(place[parent] for parent in node.parents),
            tuple((known.setdefault(group, len(known)), group.name) for group in chains[node]),
        )
        for node in order
    ]


def _told(error: BaseException) -> dict[str, Any]:
    """Return the line of the program at which an error arose, and what it says."""
    message = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return {"line": error.lineno or 1, "message": f"{type(error).__name__}: {error.msg}"}
    return {"line": _line(error.__traceback__), "message": message}


def _line(trace: TracebackType | None) -> int | None:
    """Return the innermost line of the program in a traceback."""
    lines = [line for frame, line in traceback.walk_tb(trace) if frame.f_code.co_filename == FILE]
    return lines[-1] if lines else None


class _Output(io.StringIO):
    """What a program prints, up to a limit."""

    def write(self, text: str) -> int:
        left = _OUTPUT - self.tell()
        if left > 0:
            super().write(text if len(text) <= left else f"{text[:left]}\n... (more was printed)\n")
        return len(text)
