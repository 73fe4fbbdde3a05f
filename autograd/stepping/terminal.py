"""The stepper in a terminal: a key per move, and plain lines where there is no terminal."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from autograd.stepping.breakpoints import breakpoint_at
from autograd.stepping.moves import Move
from autograd.stepping.screen import HELP, screen, sparkline
from autograd.stepping.session import Session
from autograd.text import format_number

if TYPE_CHECKING:
    from autograd.stepping.stepper import Stepper


_CURVE = 60  # passes whose losses are drawn as a line of bars
PASSES = "    ]: the next pass    [: the pass before"


def run(stepper: "Stepper", source: TextIO, target: TextIO, stops: tuple[str, ...] = ()) -> None:
    """Walk through a graph with keys if there is a terminal at both ends, else print a line per step.

    Raises:
        ValueError: an unknown breakpoint.
    """
    session = Session(stepper, stops)
    if source.isatty() and target.isatty():
        _interact([session], source)
        return
    for move in session.moves:
        hit = [text for text, stop in session.stops.items() if stop(move)]
        print(move.sentence + f"  <- breakpoint {', '.join(hit)}" * bool(hit), file=target)


def walk(passes: Sequence[tuple["Stepper", Move]], source: TextIO, target: TextIO) -> None:
    """Walk through several passes, each with the step after it, as `run` does through one."""
    losses = [stepper.root.data for stepper, _ in passes]
    sessions = []
    for k, (stepper, update) in enumerate(passes):
        curve = sparkline(losses, k) if len(losses) <= _CURVE else ""
        title = f"pass {k + 1} of {len(passes)}  {curve}  loss {format_number(losses[k])}: "
        sessions.append(Session(stepper, end=(update,), title=title))
    if source.isatty() and target.isatty():
        _interact(sessions, source)
        return
    for k, session in enumerate(sessions):
        print(f"pass {k + 1} of {len(passes)}: loss = {format_number(losses[k])}", file=target)
        for move in session.moves[:-1]:
            print(f"  {move.sentence}", file=target)
        for _, text in session.moves[-1].facts:
            print(*(f"  {line}" for line in text.splitlines()), sep="\n", file=target)


def _interact(sessions: Sequence[Session], source: TextIO) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    place = 0

    def session_at(number: int) -> Session:
        nonlocal place
        place = max(0, min(len(sessions) - 1, number))
        return sessions[place]

    def forward(session: Session) -> None:
        if session.at == len(session.moves) and place + 1 < len(sessions):
            session_at(place + 1).go(1)
        else:
            session.go(session.at + 1)

    def back(session: Session) -> None:
        if session.at <= 1 and place:
            before = session_at(place - 1)
            before.go(len(before.moves))
        else:
            session.go(session.at - 1)

    moves: dict[str, Callable[[Session], object]] = {}
    for keys, action in (
        (("n", " ", "\r", "\n", "\x1b[C"), forward),
        (("b", "\x7f", "\x1b[D"), back),
        (("e", "\x1b[F", "\x1b[4~"), lambda session: session.go(len(session.moves))),
        (("a", "\x1b[H", "\x1b[1~"), lambda session: session.go(0)),
        (("r",), Session.run),
        (("]",), lambda session: session_at(place + 1).go(session.at)),
        (("[",), lambda session: session_at(place - 1).go(session.at)),
    ):
        moves |= dict.fromkeys(keys, action)
    asked = {"j": "jump to node", "k": "breakpoint (name, operation, >bound, nan)", "x": "explain node"}
    asked |= {"o": "open group (enter: the one at work)", "c": "close group (enter: the one at work)"}
    with Live(console=console, screen=True, auto_refresh=False) as live, _raw(source) as read:
        while True:
            session = sessions[place]
            live.update(screen(session, console.height), refresh=True)
            key = read()
            session.message = ""
            if key in ("q", "", "\x04"):
                return
            if key == "\x03":
                raise KeyboardInterrupt
            if key in moves:
                moves[key](session)
            elif key in asked:
                typed = ""
                while True:
                    session.message = f"{asked[key]}: {typed}_"
                    live.update(screen(session, console.height), refresh=True)
                    pressed = read()
                    if pressed in ("\r", "\n", "\x1b", "\x03", ""):
                        break
                    typed = typed[:-1] if pressed == "\x7f" else typed + pressed * pressed.isprintable()
                session.message = ""
                if pressed in ("\r", "\n"):
                    _obey(session, key, typed.strip())
            else:
                session.message = HELP + PASSES * (len(sessions) > 1)


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
