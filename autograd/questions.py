"""What is known of a node beside its computation: when it was made, what was noted of it, what it was asked.

A graph records what was computed with Values. A number that a Value gives away, to an ``if`` or to a function
of plain floats, leaves it; whoever replays or differentiates the graph may need to know. Nodes are told here
by what they have (``op``, ``parents``, ``label``, ``data``), as `autograd.value` is made of this.
"""

from dataclasses import dataclass
from typing import Any

from autograd.node import clock
from autograd.text import describe

LOOK = "float()"
"""The question that is asked to print a number as well as to branch on it; the others compare."""

NEAR = 32
"""A question concerns the leaves of an expression of at most so many nodes."""


noticed: set[str] = set()
"""The keys of all facts that were attached to any node: what is not among them need not be looked for."""


def note(node: Any, key: str, fact: Any) -> None:
    """Attach a rare fact to a node, such as that a branch of the user's program asked for its number."""
    noticed.add(key)
    notes = getattr(node, "_notes", None)
    if notes is None:
        node._notes = {key: fact}
    else:
        notes[key] = fact


def noted(node: Any, key: str, default: Any = None) -> Any:
    """Return a fact that was attached to a node."""
    try:
        return node._notes.get(key, default)
    except AttributeError:
        return default


@dataclass(slots=True, eq=False)
class Answer:
    """A number that a Value gave to the user's program, which may have gone on by it.

    Attributes:
        how: the first question, such as ``>``; ``float()`` if there was no other.
        what: a description of the Value.
        time: when it was asked last.
    """

    how: str
    what: str
    time: int


def ask(node: Any, how: str) -> None:
    """Remember that the user's program asked a node for its number.

    What is asked is often computed for the question alone, as ``x - 1`` in ``if x - 1 > 0``. So all that a
    small expression is computed from remembers the answer too, and of a large one the nodes next to it, but
    no leaf: a score or a loss that is only looked at would else mark the whole model.
    """
    answer: Answer | None = noted(node, "answer")
    if answer is not None and answer.how == LOOK:
        answer.how = how
    if answer is not None and answer.time == clock.now:
        return
    if answer is None:
        note(node, "answer", answer := Answer(how, describe(node), clock.now))
    answer.time = clock.now
    near, seen = [node], {node}
    for reached in near:
        if len(near) > NEAR:
            break
        for parent in reached.parents:
            if parent not in seen and not parent.is_constant:
                seen.add(parent)
                near.append(parent)
    for reached in near:
        if reached.op is not None or len(near) <= NEAR:
            # Two are enough: the latest, and the latest that is not the graph's own output.
            others = [other for other in noted(reached, "answers", ()) if other is not answer]
            note(reached, "answers", (*others[-1:], answer))
