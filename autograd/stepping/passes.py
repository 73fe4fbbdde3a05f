"""Several passes of a training to be walked through: forward, backward, update, forward again.

The graph of a pass is kept with its numbers, as the update changes them. A page shares the pictures and texts
of all passes whose graphs are equal but for their numbers.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograd.files import write_file
from autograd.stepping.groups import frozen
from autograd.stepping.moves import Change, Move
from autograd.stepping.notebook import ROOM, framed
from autograd.stepping.stepper import LIMIT, Stepper, suffix_of
from autograd.sweeping import bring_up_to_date, topological_order
from autograd.text import format_number
from autograd.value import Constant, Value
from autograd.variables import named_by_the_user

_LISTED = 60  # parameters whose formulas are told


@dataclass(frozen=True)
class Update:
    """How an optimiser moves a parameter.

    Attributes:
        node: the parameter as it is in the graph of the pass, with its number before.
        name: what it is called there.
        after: its new number.
        lines: the rule, a line for each number that it computes, in symbols and with numbers.
    """

    node: Value
    name: str
    after: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Pass:
    """A forward and a backward pass, and the update that follows.

    Attributes:
        stepper: the graph with the numbers of this pass.
        updates: what the update does to each parameter of the graph.
        rule: what the optimiser is called.
    """

    stepper: Stepper
    updates: tuple[Update, ...]
    rule: str

    @property
    def loss(self) -> float:
        """The number of the root."""
        return self.stepper.root.data

    @property
    def update(self) -> Move:
        """The update as a step."""
        facts = [(update.name, "\n".join(update.lines)) for update in self.updates[:_LISTED]]
        if (left := len(self.updates) - len(facts)) > 0:
            facts.append(("and", f"{left} more parameters"))
        moved = [
            f"{update.name}: {format_number(update.node.data)} -> {format_number(update.after)}"
            for update in self.updates
        ]
        shown = "; ".join(moved[:_LISTED]) + f"; and {left} more" * (left > 0)
        changes = tuple(Change(update.node, "data", update.after) for update in self.updates)
        return Move("update", f"update: {self.rule}", tuple(facts), f"{self.rule} moves {shown}", (), changes)


class Recording:
    """The passes of a training, to be walked through.

    In a notebook it shows itself, as a `Stepper` does; the curve of the losses leads to each pass. ``save``
    writes a page, ``show`` walks through it in the terminal, ``print`` lists the steps.

    Attributes:
        passes: the passes by now.
        limit: how many values are drawn at most.
    """

    def __init__(self, limit: int | None = LIMIT) -> None:
        self.passes: list[Pass] = []
        self.limit = limit

    def kept(self, root: Value) -> tuple[Stepper, dict[Value, Value]]:
        """Return a stepper of a graph with the numbers of now, and each node's copy in it.

        Raises:
            ValueError: the graph is above the limit.
        """
        order = topological_order(root)
        bring_up_to_date(order)
        copies = dict(zip(order, frozen(order), strict=True))
        known = named_by_the_user()
        names = {copies[node]: known[node] for node in order if node in known}
        return Stepper(copies[root], self.limit, names), copies

    @property
    def losses(self) -> list[float]:
        """The loss of each pass."""
        return [each.loss for each in self.passes]

    def html(self) -> str:
        """Return the page: it loads nothing and opens from disk.

        Raises:
            ValueError: there is no pass yet.
        """
        from autograd.stepping.player import contents, shell
        from autograd.stepping.templates import numbers_of, plain

        graphs: list[dict[str, Any]] = []
        forms: dict[Any, int] = {}
        passes = []
        for each in self._require_passes():
            stepper = each.stepper
            form = form_of(stepper)
            if form not in forms:
                forms[form] = len(graphs)
                graphs.append(contents(stepper.outline, stepper.events, self.limit))
            move, place = each.update, stepper.outline.place
            told: dict[str, Any] = {
                "kind": move.kind,
                "title": move.title,
                "facts": move.facts,
                "sentence": move.sentence,
            }
            told["changes"] = [[place[c.wire], c.kind, c.text, repr(c.number)] for c in move.changes]
            passes.append(
                {
                    "graph": forms[form],
                    "loss": plain(each.loss),
                    "numbers": numbers_of(stepper.events),
                    "update": told | {"events": []},
                }
            )
        picture = graphs[0]["views"][0].pop("svg")
        return shell(self._title, picture, {"graphs": graphs, "passes": passes})

    def save(self, path: str | os.PathLike[str], *, seconds: float = 1.5) -> Path:
        """Write the passes to a file, in the form that its suffix names.

        Args:
            path: as for `Stepper.save`.
            seconds: how long an animation or a film shows each step.

        Returns:
            The path.

        Raises:
            ValueError: another suffix, a duration that is not positive, too many steps for pictures, or there
                is no pass yet.
            RuntimeError: a film without ``ffmpeg``.
            OSError: the file cannot be written; what was there before is untouched.
        """
        path = Path(path)
        suffix = suffix_of(path)
        if suffix == ".html":
            content = self.html().encode()
        else:
            from autograd.stepping.animation import walk_as

            walks = [
                (each.stepper.view(), each.stepper.events, (*each.stepper.moves(), each.update))
                for each in self._require_passes()
            ]
            content = walk_as(suffix, walks, seconds, self._title)
        write_file(path, content)
        return path

    def show(self) -> None:
        """Walk through the passes here: in a terminal with keys, otherwise as printed lines."""
        from autograd.stepping.terminal import walk

        walk([(each.stepper, each.update) for each in self._require_passes()], sys.stdin, sys.stdout)

    def lines(self) -> Iterator[str]:
        """Yield the steps of all passes, a line each."""
        for number, each in enumerate(self._require_passes(), 1):
            yield f"pass {number} of {len(self.passes)}: loss = {format_number(each.loss)}"
            yield from (f"  {move.sentence}" for move in each.stepper.moves())
            for update in each.updates:
                yield from (f"  {line}" for line in update.lines)

    def __str__(self) -> str:
        """Return the steps of all passes, a line each."""
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        """Return a line for consoles."""
        if not self.passes:
            return "<Recording of no passes yet>"
        first, last = format_number(self.losses[0]), format_number(self.losses[-1])
        count = len(self.passes)
        return (
            f"<Recording of {count} pass{'es' * (count > 1)}: loss {first} -> {last}; .save() writes a page>"
        )

    @property
    def _title(self) -> str:
        count = len(self.passes)
        return f"{self.passes[0].stepper.name}, {count} step{'s' * (count > 1)} of training"

    def _require_passes(self) -> Sequence[Pass]:
        if not self.passes:
            raise ValueError("there is no pass to walk through yet; record at least one step of training")
        return self.passes

    def _display_(self) -> Any:
        """Return the page for marimo, whose cells run no script of a text's own."""
        import marimo

        return marimo.iframe(self.html(), height=f"{ROOM}px")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return the page for a notebook."""
        if not self.passes:
            return {"text/plain": repr(self)}
        return framed(self.html(), self.passes[-1].stepper, repr(self))


def form_of(stepper: Stepper) -> tuple[Any, ...]:
    """Return what the pictures and texts of a graph depend on, but for its numbers."""
    outline = stepper.outline
    return tuple(
        (
            node.op,
            node.data if isinstance(node, Constant) and not node.label else event.name,
            tuple(outline.place[parent] for parent in node.parents),
            tuple((outline.names[group], group.name) for group in outline.chains[node]),
        )
        for node, event in zip(outline.order, stepper.events, strict=False)
    )
