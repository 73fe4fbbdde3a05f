"""Walk through a graph: the object that ``step_through`` returns, and where it shows itself."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograd.drawing import Drawing
from autograd.files import write_file
from autograd.stepping.events import Event, graph_of, record
from autograd.stepping.formula import name_nodes
from autograd.stepping.groups import Group
from autograd.stepping.moves import Move, moves_of
from autograd.stepping.notebook import ROOM, framed
from autograd.stepping.paths import Explanation, Paths
from autograd.stepping.views import Outline, View, ancestors
from autograd.value import Value

LIMIT = 2000
"""How many values are drawn if the caller does not say."""

SUFFIXES = (".html", ".gif", ".png", ".mp4", ".pdf", ".tex")
"""In which forms a walk is written to a file."""


def step_through(root: Value, *, limit: int | None = LIMIT) -> "Stepper":
    """Walk forward and backward through the graph that computed ``root``, one gate at a time.

    In a notebook the result shows itself: the graph with buttons, a slider and keys. ``save`` writes the same
    as a file for browsers, or an animation. ``show`` walks through it in the terminal; ``print`` lists the
    steps.

    Args:
        root: the output of the graph.
        limit: how many values to draw at most; ``None`` for any number. A closed group hides those within it.

    Returns:
        The stepper. It keeps the numbers of now; no ``grad`` is read or written.

    Raises:
        TypeError: ``root`` is not a Value.
        ValueError: the graph is above the limit, or a group cannot be drawn as one gate.
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.

    Example:
        >>> x, y, z = Value(-2, "x"), Value(5, "y"), Value(-4, "z")
        >>> q = x + y
        >>> q.label = "q"
        >>> print(step_through(q * z))
        x = -2, y = 5, z = -4 are given
        q = x + y = -2 + 5 = 3
        f = q*z = 3*(-4) = -12
        the backward pass begins: df/df = 1
        d(q*z)/dq = z = -4; local * upstream = -4 * 1 = -4; q.grad: 0 -> -4
        d(q*z)/dz = q = 3; local * upstream = 3 * 1 = 3; z.grad: 0 -> 3
        d(x + y)/dx = 1; local * upstream = 1 * (-4) = -4; x.grad: 0 -> -4
        d(x + y)/dy = 1; local * upstream = 1 * (-4) = -4; y.grad: 0 -> -4
    """
    return Stepper(root, limit)


class Stepper:
    """A graph to be walked through. Made by `step_through`.

    Attributes:
        root: the output of the graph.
        events: the event stream, see `autograd.stepping.steps`.
        outline: which node belongs to which group.
        limit: how many values are drawn at most.

    Args:
        variables: names for nodes without a label; by default those that the user's program has for them.
    """

    def __init__(
        self, root: Value, limit: int | None = LIMIT, variables: Mapping[Value, str] | None = None
    ) -> None:
        order = graph_of(root)
        self.root = root
        self.limit = limit
        self.outline = Outline(order)
        view = View(self.outline)
        if limit is not None and len(view.wires) > limit:
            raise ValueError(
                f"the graph has {len(view.wires)} values to draw, above the limit of {limit}; put parts of "
                'it into groups (with autograd.group("name"):), step through a part of it, or lift the limit '
                f"with limit={len(view.wires)} or limit=None"
            )
        self.events: tuple[Event, ...] = record(order, name_nodes(order, variables))

    @property
    def name(self) -> str:
        """What the root is called."""
        return self.events[len(self.outline.order)].name

    @property
    def groups(self) -> Sequence[Group]:
        """The groups of the graph, a group before those in it."""
        return tuple(self.outline.groups)

    def view(self, opened: Iterable[Group | str] = ()) -> View:
        """Return the graph with some groups opened, and so those around them.

        Args:
            opened: groups, or their names; a name opens all groups of that name.

        Raises:
            ValueError: a group that is not in the graph.
        """
        found: set[Group] = set()
        for each in (opened,) if isinstance(opened, str) else opened:
            meant = [group for group in self.groups if each in (group, group.name)]
            if not meant:
                known = ", ".join(dict.fromkeys(group.name for group in self.groups)) or "none"
                raise ValueError(f"the graph has no group {each!r:.60} to open; it has {known:.200}")
            found.update(*map(ancestors, meant))
        return View(self.outline, found)

    def moves(self, opened: Iterable[Group | str] = ()) -> tuple[Move, ...]:
        """Return the steps with these groups opened, by default none; see `view`."""
        return moves_of(self.view(opened), self.events)

    def explain(self, node: Value, limit: int = 10) -> Explanation:
        """Return every path from the root to a node; see `autograd.explain`."""
        return Paths(self.events).explain(node, limit)

    def html(self) -> str:
        """Return the player: a page that loads nothing and opens from disk."""
        from autograd.stepping.player import page

        return page(self.outline, self.events, self.limit)

    def save(
        self, path: str | os.PathLike[str], *, seconds: float = 1.5, opened: Iterable[Group | str] = ()
    ) -> Path:
        """Write the walk to a file, in the form that its suffix names.

        Args:
            path: ends in ``.html`` (the player), ``.gif`` or ``.png`` (an animation), ``.mp4`` (a film,
                which needs ``ffmpeg``), ``.pdf`` (a page for each step) or ``.tex`` (the same as TikZ).
            seconds: how long an animation or a film shows each step.
            opened: the groups that the pictures show opened, or their names; all with
                ``opened=stepper.groups``. The reader of a page opens them.

        Returns:
            The path.

        Raises:
            ValueError: another suffix, a duration that is not positive, an unknown group, groups opened for a
                page, or a walk of too many steps.
            RuntimeError: a film without ``ffmpeg``.
            OSError: the file cannot be written; what was there before is untouched.
        """
        path = Path(path)
        suffix = suffix_of(path)
        view = self.view(opened)
        if suffix == ".html":
            if view.opened:
                raise ValueError("opened is for pictures; in a page its reader opens groups, by a click")
            content = self.html().encode()
        else:
            from autograd.stepping.animation import walk_as

            walk = view, self.events, moves_of(view, self.events)
            content = walk_as(suffix, [walk], seconds, f"{self.name}, step by step")
        write_file(path, content)
        return path

    def show(self) -> None:
        """Walk through the graph here: in a terminal with keys, otherwise as printed lines."""
        from autograd.stepping.terminal import run

        run(self, sys.stdin, sys.stdout)

    def __str__(self) -> str:
        """Return the steps, a line each."""
        return "\n".join(move.sentence for move in self.moves())

    def __repr__(self) -> str:
        """Return a line for consoles."""
        count = len(self.events)
        return f"<Stepper of {self.name}: {count} events; .show() walks through them, .save() writes a page>"

    def _display_(self) -> Any:
        """Return the player for marimo, whose cells run no script of a text's own."""
        import marimo

        return marimo.iframe(self.html(), height=f"{ROOM}px")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return the player for a notebook."""
        return framed(self.html(), self, repr(self))

    def picture(self) -> Drawing:
        """Return the picture of the last state, with all groups closed."""
        from autograd.stepping.player import picture

        view = View(self.outline)
        return picture(view, moves_of(view, self.events), Paths(self.events))


def suffix_of(path: Path) -> str:
    """Return the suffix of a file that a walk is written to.

    Raises:
        ValueError: it is none of ``SUFFIXES``.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"the suffix of the path must be one of {', '.join(map(repr, SUFFIXES))}, not {suffix!r}"
        )
    return suffix
