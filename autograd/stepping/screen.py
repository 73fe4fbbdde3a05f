"""What a walk looks like in a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autograd.stepping.session import Session
from autograd.text import format_number
from autograd.value import Constant

if TYPE_CHECKING:
    from rich.console import RenderableType

HELP = (
    "n, space, right: next    b, left: back    e: to the end    a: to the start    r: run to a breakpoint\n"
    "j: jump to a node    k: set breakpoints    x: explain    o: open a group    c: close one    q: quit"
)


_BARS = "▁▂▃▄▅▆▇█"


def sparkline(numbers: Sequence[float], place: int) -> str:
    """Return a curve of numbers as a line of text, with the one at a place in brackets.

    Example:
        >>> sparkline([4.0, 2.0, 1.0, float("inf")], 1)
        '█[▃]▁█'
    """
    finite = [x for x in numbers if abs(x) < float("inf")]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    steps = len(_BARS) - 1
    bars = [
        _BARS[round(steps * (x - low) / (high - low or 1.0))] if low <= x <= high else _BARS[-1]
        for x in numbers
    ]
    bars[place] = f"[{bars[place]}]"
    return "".join(bars)


def screen(session: Session, height: int) -> "RenderableType":
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
    title = session.title + f"step {session.at} of {len(session.moves)}" + (f": {move.title}" if move else "")
    left = len(rows) - room
    note = f"[dim]{left} more values; the window follows the step[/dim]" if left > 0 else ""
    return Lines(table, note, Panel(what, title=Text(title), title_align="left"), Text(message))
