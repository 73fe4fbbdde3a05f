"""Moves: the events of a pass as one view shows them, a gate or an edge at a time.

Where no group is closed, a move is an event; the leaves, whose numbers are given, are one move together. A
closed group computes in one move, and sends one message to each of its inputs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograd.stepping.asking import Question, about_message, about_product, about_sum, about_value
from autograd.stepping.events import Backward, Event, Forward, Seed
from autograd.stepping.views import Block, View
from autograd.sweeping import sweep
from autograd.text import format_number
from autograd.value import Constant, Value


@dataclass(frozen=True)
class Change:
    """A number that appears or changes in a move.

    Attributes:
        wire: whose number.
        kind: ``"data"`` or ``"grad"``.
        number: the new number.
        complete: whether it is final; a gradient may be a sum to which more will be added.
    """

    wire: Value
    kind: str
    number: float
    complete: bool = True

    @property
    def text(self) -> str:
        """The number as a picture shows it; an ellipsis tells that more will be added."""
        if self.kind == "data":
            return format_number(self.number)
        return f"grad {format_number(self.number)}{'' if self.complete else ' …'}"


@dataclass(frozen=True)
class Move:
    """What one press of a key does.

    Attributes:
        kind: ``"inputs"``, ``"forward"``, ``"seed"`` or ``"backward"``.
        title: in a few words, such as ``forward: q`` or ``backward: f -> q``.
        facts: what is to be read about it, as pairs of a term and a text.
        sentence: all of it in one line.
        events: the events that it consists of.
        changes: the numbers that change.
        block: the gate at work, None for inputs and seed.
        edges: the ids of the edges along which numbers travel; of a backward move the last leads to the
            receiver.
        local: of a backward move, the derivative of the gate's one output by what receives.
        questions: what to ask a reader who predicts, in turn.
    """

    kind: str
    title: str
    facts: tuple[tuple[str, str], ...]
    sentence: str
    events: tuple[Event, ...]
    changes: tuple[Change, ...] = ()
    block: Block | None = None
    edges: tuple[str, ...] = ()
    local: float | None = None
    questions: tuple[Question, ...] = ()


def same_moment(made: Sequence[Move], moves: Sequence[Move]) -> int:
    """Return how many moves of another view come nearest to what has happened.

    A closed group does at once what takes many moves when it is opened, and in another order; so the nearest
    moment is the one at which the fewest events differ, and of several the latest.

    Args:
        made: the moves that were made in one view.
        moves: those of another view of the same graph.
    """
    happened = {event.step for move in made for event in move.events}
    differing = nearest = len(happened)
    target = 0
    for count, move in enumerate(moves, 1):
        differing += sum(-1 if event.step in happened else 1 for event in move.events)
        if differing <= nearest:
            nearest, target = differing, count
    return target


def moves_of(view: View, events: Sequence[Event]) -> tuple[Move, ...]:
    """Return the moves of a pass in a view.

    Args:
        view: which groups are closed.
        events: the stream of `steps`.
    """
    return tuple(Teller(view, events).moves())


class Teller:
    """Tells a pass in a view.

    Args:
        view: which groups are closed.
        events: the stream of `steps`.
    """

    def __init__(self, view: View, events: Sequence[Event]) -> None:
        self.view = view
        self.forward = {event.node: event for event in events if isinstance(event, Forward)}
        self.seed = next(event for event in events if isinstance(event, Seed))
        self.sent: dict[Value, list[Backward]] = {}
        self.adjoints: dict[Value, float] = {self.seed.node: 1.0}
        self.sums: dict[Value, float] = {}
        self.arriving: dict[Value, list[Backward]] = {}  # what each node receives, in the engine's order
        self.arrived: dict[Value, int] = {}  # how much of it by now
        self.latest: dict[Value, int] = {}  # the last place in that order
        self.ranks: dict[int, int] = {}  # the place of each event in that order
        for event in events:
            if isinstance(event, Backward):
                self.sent.setdefault(event.node, []).append(event)
                arriving = self.arriving.setdefault(event.parent, [])
                self.ranks[event.step] = len(arriving)
                arriving.append(event)
                self.adjoints[event.parent] = event.after

    def name(self, node: Value) -> str:
        """Return what a node is called."""
        return self.forward[node].name

    def moves(self) -> Iterator[Move]:
        """Yield the moves."""
        given = [self.forward[wire] for wire in self.view.wires if wire.op is None]
        # What a closed group hides is given with the others, so that all views have the same events.
        leaves = tuple(event for node, event in self.forward.items() if node.op is None)
        if given:
            yield self._inputs(given, leaves)
        for k, block in enumerate(self.view.blocks):
            yield self._forward(block, leaves if k == 0 and not given else ())
        yield self._seed()
        for block in reversed(self.view.blocks):
            yield from self._backward(block) if block.group is None else self._backward_group(block)

    def _inputs(self, given: list[Forward], leaves: tuple[Forward, ...]) -> Move:
        changes = tuple(Change(event.node, "data", event.data) for event in given)
        variables = [event for event in given if not isinstance(event.node, Constant)]
        numbers = ", ".join(f"{event.name} = {format_number(event.data)}" for event in variables)
        text = (
            f"{numbers} {'is' if len(variables) == 1 else 'are'} given"
            if variables
            else "all numbers are given"
        )
        return Move("inputs", "the inputs", (("inputs", numbers or "constants only"),), text, leaves, changes)

    def _forward(self, block: Block, before: tuple[Forward, ...]) -> Move:
        events = (*before, *(self.forward[node] for node in block.nodes))
        edges = (*map(block.edge, range(len(block.inputs))), *map(block.output, range(len(block.outputs))))
        changes = tuple(Change(node, "data", self.forward[node].data) for node in block.outputs)
        outputs = ", ".join(map(self.name, block.outputs))
        if block.group is None:
            event = events[-1]
            formula, numbers, sentence = event.formula, event.numbers, event.sentence
            meaning = event.definition
            questions: tuple[Question, ...] = (about_value(event, self.name),)
        else:
            formula = _call(block.group.name, map(self.name, block.inputs))
            numbers = _call(block.group.name, (format_number(self.forward[x].data) for x in block.inputs))
            results = ", ".join(format_number(change.number) for change in changes)
            sentence = f"{outputs} = {formula} = {numbers} = {results}"
            meaning = f"a group of {len(block.nodes)} operations; open it to see them"
            questions = ()  # what it computes nobody can know who does not see its parts
        value = ", ".join(format_number(change.number) for change in changes)
        facts = [("formula", f"{outputs} = {formula}")]
        if meaning:
            facts.append(("definition" if block.group is None else "group", meaning))
        numbers = numbers if numbers != value else ""
        facts.append(("numbers", " = ".join(filter(None, (outputs, numbers, value)))))
        title = f"forward: {outputs}"
        return Move("forward", title, tuple(facts), sentence, events, changes, block, edges, None, questions)

    def _seed(self) -> Move:
        event = self.seed
        self.sums[event.node] = 1.0
        name = event.name
        facts = (("start", f"d{name}/d{name} = 1"),)
        changes = (Change(event.node, "grad", 1.0),)
        return Move("seed", f"backward: {name}", facts, event.sentence, (event,), changes)

    def _receive(self, events: Sequence[Backward]) -> tuple[Change, str]:
        """Add to the running sum of a node; wherever the engine has had the same sum, it is exactly that."""
        parent, arriving = events[0].parent, self.arriving[events[0].parent]
        before = self.sums.get(parent, 0.0)
        count = self.arrived[parent] = self.arrived.get(parent, 0) + len(events)
        ranks = [self.ranks[event.step] for event in events]
        last = self.latest[parent] = max(self.latest.get(parent, 0), *ranks)
        # The first contributions of the engine's order have all arrived, and no others.
        same = last + 1 == count
        after = arriving[last].after if same else before + sum(event.contribution for event in events)
        self.sums[parent] = after
        text = f"{self.name(parent)}.grad: {format_number(before)} -> {format_number(after)}"
        return Change(parent, "grad", after, count == len(arriving)), text

    def through(self, block: Block) -> dict[Value, float]:
        """Return the derivatives of a group's one output by its inputs; none if it has several outputs."""
        return sweep(block.nodes, {block.outputs[0]: 1.0}) if len(block.outputs) == 1 else {}

    def _backward(self, block: Block) -> Iterator[Move]:
        (node,) = block.nodes
        for event in self.sent.get(node, ()):
            before = self.sums.get(event.parent)
            change, sums = self._receive([event])
            facts = (
                ("upstream", f"d{self.seed.name}/d{event.name} = {format_number(event.upstream)}"),
                ("local", event.local_formula),
                ("product", f"local * upstream = {event.product}"),
                ("sum", sums),
            )
            yield Move(
                "backward",
                f"backward: {event.name} -> {event.receiver}",
                facts,
                f"{event.local_formula}; local * upstream = {event.product}; {sums}",
                (event,),
                (change,),
                block,
                (block.output(0), block.edge(event.index)),
                event.local,
                about_message(event, self.name, before, change.number),
            )

    def _backward_group(self, block: Block) -> Iterator[Move]:
        assert block.group is not None
        own, inputs, outer = set(block.nodes), set(block.inputs), set(block.outputs)
        messages: dict[Value, list[Backward]] = {}
        inner: list[Backward] = []
        for node in reversed(block.nodes):
            for event in self.sent.get(node, ()):
                if event.parent in own or event.parent not in inputs:
                    inner.append(event)
                else:
                    messages.setdefault(event.parent, []).append(event)
        seen: dict[Value, Change] = {}  # what is handed on and used inside as well
        for event in inner:
            change, _ = self._receive([event])
            if event.parent in outer:
                seen[event.parent] = change
        within = tuple(seen.values())
        formula = _call(block.group.name, map(self.name, block.inputs))
        outputs = ", ".join(map(self.name, block.outputs))
        root = self.seed.name
        upstream = ", ".join(
            f"d{root}/d{self.name(z)} = {format_number(self.adjoints.get(z, 0.0))}" for z in block.outputs
        )
        out = tuple(map(block.output, range(len(block.outputs))))
        locals_ = self.through(block)
        remaining = tuple(inner)
        for index, parent in enumerate(block.inputs):
            if parent not in messages:
                continue
            events = messages[parent]
            contribution = sum(event.contribution for event in events)
            before = self.sums.get(parent)
            change, sums = self._receive(events)
            facts = [("upstream", upstream)]
            if locals_:
                sent, local = format_number(contribution), format_number(locals_[parent])
                factor = format_number(self.adjoints.get(block.outputs[0], 0.0))
                factor = f"({factor})" if factor.startswith("-") else factor
                facts.append(("local", f"d({formula})/d{self.name(parent)} = {local}"))
                facts.append(("product", f"local * upstream = {local} * {factor} = {sent}"))
            else:
                terms = f"sum of local * upstream over {outputs} = {format_number(contribution)}"
                facts.append(("product", terms))
            facts.append(("sum", sums))
            # The derivatives by several outputs at once are the group's own affair.
            questions: tuple[Question, ...] = ()
            if locals_:
                upward = self.adjoints.get(block.outputs[0], 0.0)
                text = f"{facts[1][1]}; times upstream {factor} = ?"
                questions = (
                    about_product(text, locals_[parent], upward, contribution),
                    *about_sum(self.name(parent), before, contribution, change.number),
                )
            yield Move(
                "backward",
                f"backward: {block.group.name} -> {self.name(parent)}",
                tuple(facts),
                "; ".join(text for _, text in facts[1:]),
                (*remaining, *events),
                (*within, change),
                block,
                (*out, block.edge(index)),
                locals_.get(parent),
                questions,
            )
            remaining, within = (), ()
        if remaining:  # nothing but its own weights receives
            facts = [("upstream", upstream), ("inside", f"gradients of {len(remaining)} parts")]
            sentence = f"{formula}: its {len(remaining)} parts receive their gradients"
            title = f"backward: inside {block.group.name}"
            yield Move("backward", title, tuple(facts), sentence, remaining, within, block, out)


def _call(name: str, arguments: Iterator[str]) -> str:
    listed = list(arguments)
    shown = listed if len(listed) <= 6 else [*listed[:3], "...", *listed[-2:]]
    return f"{name}({', '.join(shown)})"
