"""Breakpoints of a walk: conditions on a move, described by a text."""

import math
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from autograd.stepping.events import Backward, Seed
from autograd.stepping.moves import Move
from autograd.value import Constant

if TYPE_CHECKING:
    from autograd.stepping.stepper import Stepper

Breakpoint = Callable[[Move], bool]


def breakpoint_at(text: str, stepper: "Stepper") -> Breakpoint:
    """Return the condition on a move that a text describes.

    Args:
        text: the name of a node, an operation or a group; ``>`` and a number, for a gradient of larger
            magnitude; or ``nan``, for a number that is not one.
        stepper: whose graph it is about.

    Raises:
        ValueError: no node, operation or group has this name.

    Example:
        >>> from autograd import Value, step_through
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
            f"there is no node, operation or group {text!r} to stop at; nodes: {listed(names)}; "
            f"operations: {listed(operations)}; {f'groups: {listed(groups)}; ' if groups else ''}"
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


def listed(names: Iterable[str]) -> str:
    """Return the names in their order, of many the first and how many more there are."""
    ordered = sorted(names)
    return ", ".join(ordered[:12]) + (f" and {len(ordered) - 12} more" if len(ordered) > 12 else "")
