"""The stepper in a terminal: a key per move, breakpoints, and plain lines where there is no terminal."""

import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from autograd.stepping.events import Backward, Seed
from autograd.stepping.groups import Group
from autograd.stepping.moves import Change, Move, same_moment
from autograd.text import format_number
from autograd.value import Constant, Value

if TYPE_CHECKING:
    from rich.console import RenderableType

    from autograd.stepping.stepper import Stepper

Breakpoint = Callable[[Move], bool]

HELP = (
    "n, space, right: next    b, left: back    e: to the end    a: to the start    r: run to a breakpoint\n"
    "j: jump to a node    k: set breakpoints    x: explain    o: open a group    c: close one    q: quit"
)


def breakpoint_at(text: str, stepper: "Stepper") -> Breakpoint:
    """Return the condition on a move that a text describes.

    Args:
        text: the name of a node, an operation or a group; ``>`` and a number, for a gradient of larger
            magnitude; or ``nan``, for a number that is not one.
        stepper: whose graph it is about.

    Raises:
        ValueError: no node, operation or group has this name.

    Example:
        >>> from autograd import step_through
        >>> stepper = step_through(Value(3.0, "x") * 2.0)
        >>> [move.title for move in stepper.moves() if breakpoint_at(">1.5", stepper)(move)]
        ['backward: f -> x']
    """
    text = text.strip()
    if text == "nan":
        return lambda move: any(math.isnan(change.number) for change in move.changes)
    if match := re.fullmatch(r"(?:\|?grad\w*\|?\s*)?>\s*(\S+)", text):
        try:
            bound = float(match[1])
        except ValueError:
            raise ValueError(f"the breakpoint {text!r} needs a number after '>', such as '>10'") from None
        return lambda move: any(c.kind == "grad" and abs(c.number) > bound for c in move.changes)
    names = {event.name for event in stepper.events if not isinstance(event.node, Constant)}
    operations = {event.operation for event in stepper.events if event.operation}
    groups = {group.name for group in stepper.groups}
    if text not in names | operations | groups:
        raise ValueError(
            f"there is no node, operation or group {text!r} to stop at; nodes: {_listed(names)}; "
            f"operations: {_listed(operations)}; {f'groups: {_listed(groups)}; ' if groups else ''}"
            "or '>' and a bound for gradients, or 'nan'"
        )

    def stop(move: Move) -> bool:
        if move.block is not None and move.block.group is not None and move.block.group.name == text:
            return True
        events = move.events if move.kind != "inputs" else ()
        touched = {event.receiver if isinstance(event, Backward) else event.name for event in events}
        at_work = {event.operation for event in events if not isinstance(event, Seed)}
        return text in touched or text in at_work

    return stop


def _listed(names: Any) -> str:
    listed = sorted(names)
    return ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")


class Session:
    """Where a reader is in a walk; the keys act on this.

    Args:
        stepper: the graph.
        stops: the breakpoints, as `breakpoint_at` reads them.
    """

    def __init__(self, stepper: "Stepper", stops: tuple[str, ...] = ()) -> None:
        self.stepper = stepper
        self.names = {event.node: event.name for event in stepper.events}
        self.stops: dict[str, Breakpoint] = {}
        self.opened: frozenset[Group] = frozenset()
        self.moves = stepper.moves()
        self.at = 0
        self.message = ""
        self._made: tuple[Move, ...] = ()  # the moment that opening and closing keeps
        self._shown: tuple[tuple[Move, ...], int] = (self.moves, 0)
        for text in stops:
            self.stops[text] = breakpoint_at(text, stepper)

    @property
    def move(self) -> Move | None:
        """The move that was made last."""
        return self.moves[self.at - 1] if self.at else None

    def go(self, target: int) -> None:
        """Go to the state after so many moves."""
        self.at = max(0, min(len(self.moves), target))

    def run(self) -> None:
        """Go on to the next move at which a breakpoint stops, or to the end."""
        while self.at < len(self.moves):
            self.at += 1
            move = self.moves[self.at - 1]
            hit = [text for text, stop in self.stops.items() if stop(move)]
            if hit:
                self.message = f"stopped at the breakpoint {', '.join(hit)}"
                return
        self.message = "no further breakpoint" if self.stops else "there are no breakpoints; k sets them"

    def jump(self, name: str) -> None:
        """Go on to the next move that changes the node of this name, from the start again if there is none.

        Raises:
            ValueError: no node of the graph has this name, or none that is seen.
        """
        if name not in self.names.values():
            raise ValueError(f"there is no node {name!r}; nodes: {_listed(set(self.names.values()))}")
        for target in [*range(self.at + 1, len(self.moves) + 1), *range(1, self.at + 1)]:
            if any(self.names[change.wire] == name for change in self.moves[target - 1].changes):
                self.at = target
                return
        raise ValueError(f"the node {name!r} is inside of a closed group; open it with o")

    def explain(self, name: str) -> str:
        """Return the paths to the node of this name.

        Raises:
            ValueError: no node of the graph has this name, or it is a constant.
        """
        node = next((node for node, known in self.names.items() if known == name), None)
        if node is None:
            raise ValueError(f"there is no node {name!r}; nodes: {_listed(set(self.names.values()))}")
        return str(self.stepper.explain(node))

    def open(self, name: str = "") -> None:
        """Open the closed group of this name, by default the one at work."""
        closed = [
            g for g in self.stepper.groups if g not in self.opened and self.opened.issuperset(g.chain[:-1])
        ]
        block = self.move.block if self.move else None
        if not name and block is not None and block.group is not None:
            closed = [block.group]
        self.show(self.opened | set(self._named(closed, name, "closed")))

    def close(self, name: str = "") -> None:
        """Close the opened group of this name, by default the innermost one around the gate at work."""
        opened = [group for group in self.stepper.groups if group in self.opened]
        block = self.move.block if self.move else None
        if not name and block is not None:
            around = [g for g in self.stepper.outline.chains[block.nodes[0]] if g in self.opened]
            opened = around[-1:] or opened
        gone = set(self._named(opened, name, "opened"))
        self.show(g for g in self.opened if not gone & set(g.chain))

    def _named(self, groups: list[Group], name: str, state: str) -> list[Group]:
        found = [group for group in groups if group.name == name] if name else groups[:1]
        if not found:
            known = _listed({group.name for group in groups})
            which = f"no {state} group" + f" {name!r}" * bool(name)
            raise ValueError(which + f"; there are: {known}" * bool(known))
        return found

    def show(self, opened: Iterable[Group]) -> None:
        """Show the same moment with these groups opened."""
        if (self.moves, self.at) != self._shown:  # the reader has stepped since: that is the moment to keep
            self._made = self.moves[: self.at]
        self.opened = frozenset(opened)
        self.moves = self.stepper.moves(self.opened)
        self.at = same_moment(self._made, self.moves)
        self._shown = self.moves, self.at

    def numbers(self) -> dict[Value, dict[str, Change]]:
        """Return for each visible value the numbers that it has by now."""
        shown: dict[Value, dict[str, Change]] = {}
        for k, move in enumerate(self.moves):
            for change in move.changes:
                entry = shown.setdefault(change.wire, {})
                if k < self.at:
                    entry[change.kind] = change
        return shown


def run(stepper: "Stepper", source: TextIO, target: TextIO, stops: tuple[str, ...] = ()) -> None:
    """Walk through a graph with keys if there is a terminal at both ends, else print a line per step.

    Raises:
        ValueError: an unknown breakpoint.
    """
    session = Session(stepper, stops)
    if source.isatty() and target.isatty():
        _interact(session, source)
        return
    for move in session.moves:
        hit = [text for text, stop in session.stops.items() if stop(move)]
        print(move.sentence + f"  <- breakpoint {', '.join(hit)}" * bool(hit), file=target)


def _interact(session: Session, source: TextIO) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    moves: dict[str, Callable[[], None]] = {}
    for keys, action in (
        (("n", " ", "\r", "\n", "\x1b[C"), lambda: session.go(session.at + 1)),
        (("b", "\x7f", "\x1b[D"), lambda: session.go(session.at - 1)),
        (("e", "\x1b[F", "\x1b[4~"), lambda: session.go(len(session.moves))),
        (("a", "\x1b[H", "\x1b[1~"), lambda: session.go(0)),
        (("r",), session.run),
    ):
        moves |= dict.fromkeys(keys, action)
    asked = {"j": "jump to node", "k": "breakpoint (name, operation, >bound, nan)", "x": "explain node"}
    asked |= {"o": "open group (enter: the one at work)", "c": "close group (enter: the one at work)"}
    with Live(console=console, screen=True, auto_refresh=False) as live, _raw(source) as read:
        while True:
            live.update(_screen(session, console.height), refresh=True)
            key = read()
            session.message = ""
            if key in ("q", "", "\x04"):
                return
            if key == "\x03":
                raise KeyboardInterrupt
            if key in moves:
                moves[key]()
            elif key in asked:
                typed = ""
                while True:
                    session.message = f"{asked[key]}: {typed}_"
                    live.update(_screen(session, console.height), refresh=True)
                    pressed = read()
                    if pressed in ("\r", "\n", "\x1b", "\x03", ""):
                        break
                    typed = typed[:-1] if pressed == "\x7f" else typed + pressed * pressed.isprintable()
                session.message = ""
                if pressed in ("\r", "\n"):
                    _obey(session, key, typed.strip())
            else:
                session.message = HELP


def _obey(session: Session, key: str, text: str) -> None:
    """Do what a key asked for; a mistake becomes the message."""
    if not text and key in "jkx":
        return
    try:
        if key == "j":
            session.jump(text)
        elif key == "k" and session.stops.pop(text, None) is not None:
            session.message = f"breakpoint {text} removed"
        elif key == "k":
            session.stops[text] = breakpoint_at(text, session.stepper)
            session.message = (
                f"breakpoints: {', '.join(session.stops)} (r runs to the next; k again removes one)"
            )
        elif key == "x":
            session.message = session.explain(text)
        else:
            (session.open if key == "o" else session.close)(text)
    except ValueError as error:
        session.message = str(error)


def _screen(session: Session, height: int) -> "RenderableType":
    """Return the picture of a session: the values as a table, the move at work, the message."""
    from rich import box
    from rich.console import Group as Lines
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    move = session.move
    lit = {change.wire for change in move.changes} if move and move.kind != "inputs" else set()
    active = set(move.block.outputs) if move and move.block else set()
    numbers = session.numbers()
    rows = [wire for wire in numbers if wire.label or not isinstance(wire, Constant)]
    facts = [*move.facts] if move else [("", "press n or the right arrow to begin")]
    message = session.message or HELP
    room = max(3, height - len(facts) - 2 * len(message.splitlines()) - 9)
    focus = next((k for k, wire in enumerate(rows) if wire in lit), 0)
    start = max(0, min(focus - room // 2, len(rows) - room))
    table = Table(box=box.SIMPLE_HEAD, expand=True, show_edge=False)
    for header in ("", "value", "formula"):
        table.add_column(header, no_wrap=True)
    for header in ("data", "grad"):
        table.add_column(header, no_wrap=True, justify="right")
    forward = [each for each in session.moves if each.kind == "forward"]
    formulas = {
        wire: dict(each.facts)["formula"] for each in forward if each.block for wire in each.block.outputs
    }
    for wire in rows[start : start + room]:
        mark = ">" if wire in lit else "*" if wire in active else " "
        data, grad = (numbers[wire].get(kind) for kind in ("data", "grad"))
        style = "bold reverse" if wire in lit else "bold" if wire in active else ""
        formula = formulas.get(wire, "")
        none = "" if isinstance(wire, Constant) else "."
        gradient = format_number(grad.number) + " ..." * (not grad.complete) if grad else none
        table.add_row(
            mark,
            Text(session.names[wire]),
            Text(formula.partition(" = ")[2]),
            Text(format_number(data.number) if data else ".", "" if style else "green"),
            Text(gradient, "" if style else "red"),
            style=style,
        )
    what = Table.grid(padding=(0, 2))
    for term, text in facts:
        what.add_row(Text(term, "dim"), Text(text, "bold" if (term, text) == facts[-1] else ""))
    title = f"step {session.at} of {len(session.moves)}" + (f": {move.title}" if move else "")
    left = len(rows) - room
    note = f"[dim]{left} more values; the window follows the step[/dim]" if left > 0 else ""
    return Lines(table, note, Panel(what, title=Text(title), title_align="left"), Text(message))


@contextmanager
def _raw(source: TextIO) -> Iterator[Callable[[], str]]:
    """Yield a function that waits for one key and returns it, an arrow key as its escape sequence."""
    if sys.platform == "win32":
        import msvcrt

        arrows = {"M": "\x1b[C", "K": "\x1b[D", "O": "\x1b[F", "G": "\x1b[H"}

        def read_windows() -> str:
            key = msvcrt.getwch()
            return (
                arrows.get(msvcrt.getwch(), "?")
                if key in ("\x00", "\xe0")
                else "\x7f"
                if key == "\b"
                else key
            )

        yield read_windows
        return
    import os
    import select
    import termios
    import tty

    descriptor = source.fileno()
    before = termios.tcgetattr(descriptor)

    def read() -> str:
        data = os.read(descriptor, 1)
        if data == b"\x1b":  # of an arrow key the rest follows at once
            while len(data) < 8 and select.select([descriptor], [], [], 0.03)[0]:
                data += os.read(descriptor, 1)
                if re.fullmatch(rb"\x1b[\[O][\d;]*[A-Za-z~]", data):
                    break
            return re.sub(r"^\x1bO", "\x1b[", data.decode(errors="replace"))
        while len(data) < 4 and _unfinished(data):
            data += os.read(descriptor, 1)
        return data.decode(errors="replace")

    try:
        tty.setcbreak(descriptor)
        yield read
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _unfinished(data: bytes) -> bool:
    """Tell whether bytes are the beginning of a character of several."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False
