"""Where a reader is in a walk through a graph, and what moves them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from autograd.stepping.breakpoints import Breakpoint, breakpoint_at, listed
from autograd.stepping.groups import Group
from autograd.stepping.moves import Change, Move, same_moment
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.stepping.stepper import Stepper


class Session:
    """Where a reader is in a walk; the keys act on this.

    Args:
        stepper: the graph.
        stops: the breakpoints, as `breakpoint_at` reads them.
        end: what comes after the walk, such as the update of the parameters.
        title: what is said of the walk as a whole, such as which of several it is.
    """

    def __init__(
        self, stepper: "Stepper", stops: tuple[str, ...] = (), end: tuple[Move, ...] = (), title: str = ""
    ) -> None:
        self.stepper = stepper
        self.end = end
        self.title = title
        self.names = {event.node: event.name for event in stepper.events}
        self.stops: dict[str, Breakpoint] = {}
        self.opened: frozenset[Group] = frozenset()
        self.moves = (*stepper.moves(), *end)
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
            raise ValueError(f"there is no node {name!r}; nodes: {listed(set(self.names.values()))}")
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
            raise ValueError(f"there is no node {name!r}; nodes: {listed(set(self.names.values()))}")
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
            known = listed({group.name for group in groups})
            which = f"no {state} group" + f" {name!r}" * bool(name)
            raise ValueError(which + f"; there are: {known}" * bool(known))
        return found

    def show(self, opened: Iterable[Group]) -> None:
        """Show the same moment with these groups opened."""
        if (self.moves, self.at) != self._shown:  # the reader has stepped since: that is the moment to keep
            self._made = self.moves[: self.at]
        self.opened = frozenset(opened)
        self.moves = (*self.stepper.moves(self.opened), *self.end)
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
