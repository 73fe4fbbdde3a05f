"""Views of a graph: which groups are closed to one gate and which are opened, and the picture of it."""

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from autograd.drawing import Box, Drawing, Gate, Wire, draw_fitting
from autograd.locks import computed_once
from autograd.stepping.groups import Group, group_of
from autograd.value import Constant, Value

Chain = tuple[Group, ...]
ROOMS = (890.0, 590.0), (1250.0, 340.0)
"""The room that a page of 1280 by 720 CSS pixels has beside its text, and above it."""


class Outline:
    """What is common to all views of a graph: where each node belongs.

    Args:
        order: the graph in topological order.

    Attributes:
        order: the same.
        place: the place of each node in it.
        chains: for each node the groups it is in, the outermost first.
        groups: all groups, a group before those in it.
        consumers: for each node the gates that it enters.
    """

    def __init__(self, order: Sequence[Value]) -> None:
        self.order = order
        self.place = {node: k for k, node in enumerate(order)}
        self.consumers: dict[Value, list[Value]] = {node: [] for node in order}
        for node in order:
            for parent in dict.fromkeys(node.parents):
                self.consumers[parent].append(node)
        self.chains: dict[Value, Chain] = {}
        known: dict[Group, Chain] = {}
        for node in order:
            group = group_of(node) if node.op else None
            if group is not None and group not in known:
                known[group] = group.chain
            self.chains[node] = known[group] if group is not None else ()
        for node in order:
            if node.op is None:
                self.chains[node] = self._chain_of_leaf(node)
        self.groups = list(dict.fromkeys(group for node in order for group in self.chains[node]))
        self.groups.sort(key=lambda group: (len(group.chain), group.number))
        self.names = {group: f"c{j}" for j, group in enumerate(self.groups)}

    def _chain_of_leaf(self, leaf: Value) -> Chain:
        """Return the groups that contain all uses of a leaf, if it belongs inside of one."""
        chains = [self.chains[node] for node in self.consumers[leaf]]
        own = isinstance(leaf, Constant) or any(leaf in group.inside for chain in chains for group in chain)
        return common(chains) if own else ()


def common(chains: Sequence[Chain]) -> Chain:
    """Return the longest common beginning."""
    shared = chains[0] if chains else ()
    for chain in chains[1:]:
        length = 0
        while length < min(len(shared), len(chain)) and shared[length] is chain[length]:
            length += 1
        shared = shared[:length]
    return shared


@dataclass(frozen=True)
class Block:
    """A gate of a view: one operation, or a closed group.

    Attributes:
        name: its id in the picture.
        group: the closed group, or None.
        nodes: the nodes that it computes.
        inputs: the wires that enter it; for one operation its operands, else each wire once.
        outputs: the nodes among its own that are used outside.
    """

    name: str
    group: Group | None
    nodes: tuple[Value, ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]

    def edge(self, index: int) -> str:
        """Return the id of the edge from input ``index``."""
        return f"e{self.name[1:]}-{index}" if self.group is None else f"{self.name}-e{index}"

    def output(self, index: int) -> str:
        """Return the id of the edge to output ``index``."""
        return f"o{self.name[1:]}" if self.group is None else f"{self.name}-o{index}"


class View:
    """A graph with some groups opened; a group in a closed one is not seen.

    Args:
        outline: the graph.
        opened: the opened groups.

    Raises:
        ValueError: a closed group that is left and entered again along a path, so it cannot be one gate.

    Attributes:
        blocks: the gates in topological order.
        wires: the visible values in topological order.
    """

    def __init__(self, outline: Outline, opened: Collection[Group] = ()) -> None:
        self.outline = outline
        self.opened = frozenset(opened)
        self._hidden = frozenset(leaf for leaf in outline.order if leaf.op is None and self._within(leaf))
        keys: dict[Value, Value | Group] = {}
        members: dict[Value | Group, list[Value]] = {}
        for node in outline.order:
            keys[node] = self.closed(node) or node
            if node.op is not None:
                members.setdefault(keys[node], []).append(node)
        found = {key: self._block(key, nodes, keys) for key, nodes in members.items()}
        self.blocks = self._sorted(found, keys)
        made = {output for block in self.blocks for output in block.outputs}
        leaves = (
            node
            for node in outline.order
            if node.op is None and keys[node] is node and node not in self._hidden
        )
        self.wires = sorted({*made, *leaves}, key=outline.place.__getitem__)

    def _within(self, leaf: Value) -> bool:
        """Return whether all that uses a leaf are closed groups to which it belongs.

        So are the weights of a layer that is called for several positions.
        """
        users = self.outline.consumers[leaf]
        return bool(users) and all(
            any(leaf in group.inside for group in self.outline.chains[user] if self._hides(group))
            for user in users
        )

    def _hides(self, group: Group) -> bool:
        return not self.opened.issuperset(group.chain)

    def closed(self, node: Value) -> Group | None:
        """Return the outermost closed group that hides a node, or None."""
        return next((group for group in self.outline.chains[node] if group not in self.opened), None)

    def _block(self, key: Value | Group, nodes: list[Value], keys: dict[Value, Value | Group]) -> Block:
        if isinstance(key, Value):
            return Block(f"g{self.outline.place[key]}", None, (key,), key.parents, (key,))
        entering = (
            parent
            for node in nodes
            for parent in node.parents
            if keys[parent] is not key and parent not in self._hidden
        )
        root = self.outline.order[-1]
        outputs = tuple(
            node
            for node in nodes
            if node is root or any(keys[user] is not key for user in self.outline.consumers[node])
        )
        return Block(self.outline.names[key], key, tuple(nodes), tuple(dict.fromkeys(entering)), outputs)

    def _sorted(self, found: dict[Value | Group, Block], keys: dict[Value, Value | Group]) -> list[Block]:
        """Return the blocks in topological order, of those that are ready always the earliest."""
        missing = {
            key: len({keys[i] for i in block.inputs if i.op is not None}) for key, block in found.items()
        }
        rank = {key: self.outline.place[block.nodes[-1]] for key, block in found.items()}
        ready = [(rank[key], key) for key, count in missing.items() if not count]
        heapq.heapify(ready)  # ranks differ, so that keys are never compared
        blocks: list[Block] = []
        while ready:
            _, key = heapq.heappop(ready)
            blocks.append(found[key])
            users = {keys[user] for output in found[key].outputs for user in self.outline.consumers[output]}
            for user in users - {key}:
                missing[user] -= 1
                if not missing[user]:
                    heapq.heappush(ready, (rank[user], user))
        if len(blocks) < len(found):
            names = sorted({repr(key.name) for key, n in missing.items() if n and isinstance(key, Group)})
            raise ValueError(
                f"the groups {', '.join(names)} cannot be drawn as one gate each, because a path leaves a "
                "group and enters it again; open them, or put what lies between into the group as well"
            )
        return blocks

    def draw(
        self, names: dict[Value, str], gradients: dict[Value, float], local_derivatives: dict[str, float]
    ) -> Drawing:
        """Return the picture.

        Args:
            names: what is written on the wires.
            gradients: what is written below them.
            local_derivatives: what is written on the edges, by their ids.
        """
        return draw_fitting(self.elements(names, gradients, local_derivatives), self.boxes, ROOMS, self.rows)

    def elements(
        self, names: dict[Value, str], gradients: dict[Value, float], local: dict[str, float]
    ) -> Iterator[Wire | Gate]:
        """Yield what the picture is made of; the arguments are those of `draw`."""
        place = self.outline.place
        by_output = {block.outputs[0]: block for block in self.blocks}
        for wire in self.wires:
            if isinstance(wire, Constant):
                yield Wire(f"n{place[wire]}", wire.label, wire.data)
                continue
            source = wire.op.name if wire.op else ""
            yield Wire(f"n{place[wire]}", names[wire], wire.data, gradients.get(wire, 0.0), source)
            if (block := by_output.get(wire)) is not None:
                edges = map(block.edge, range(len(block.inputs)))
                operands = (
                    (e, f"n{place[x]}", local.get(e)) for e, x in zip(edges, block.inputs, strict=True)
                )
                outputs = ((block.output(i), f"n{place[z]}") for i, z in enumerate(block.outputs))
                symbol, title = _title(block)
                composite = block.group is not None
                yield Gate(block.name, symbol, title, tuple(operands), tuple(outputs), composite)

    @computed_once
    def boxes(self) -> tuple[Box, ...]:
        """The frames around what is opened."""
        members: dict[Chain, list[str]] = {}
        for block in self.blocks:
            chain = block.group.chain[:-1] if block.group else self.outline.chains[block.nodes[0]]
            members.setdefault(chain, []).append(block.name)
        for wire in self.wires:
            members.setdefault(self._home(wire), []).append(f"n{self.outline.place[wire]}")
        chains = {chain[:length] for chain in members for length in range(1, len(chain) + 1)}

        def inside(outer: Chain) -> tuple[Box, ...]:
            within = [c for c in chains if len(c) == len(outer) + 1 and c[:-1] == outer]
            within.sort(key=lambda chain: self.outline.groups.index(chain[-1]))
            return tuple(
                Box(f"b{self.outline.names[c[-1]][1:]}", c[-1].name, tuple(members.get(c, ())), inside(c))
                for c in within
            )

        return inside(())

    @computed_once
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The wires and gates that stand in one row across the flow, in the order of the program.

        So do the parts of a group that work side by side, such as the neurons of a layer, what they hand on,
        and the inputs of the same groups.
        """
        bits = {group: 1 << k for k, group in enumerate(self.outline.groups)}
        through: dict[Value, int] = {}  # for each wire the groups that it came through
        needs: dict[Group, int] = dict.fromkeys(self.outline.groups, 0)
        made: dict[Group, list[str]] = {group: [] for group in self.outline.groups}
        gates: dict[Group, str] = {}
        entered: dict[str, list[str]] = {}  # for each input the closed groups that it enters
        for block in self.blocks:
            came = 0
            for wire in block.inputs:
                came |= through.get(wire, 0)
                if block.group is not None and wire.op is None:
                    entered.setdefault(self._name(wire), []).append(block.name)
            chain = self.outline.chains[block.nodes[0]]
            if block.group is not None:
                chain = block.group.chain
                gates[block.group] = block.name
            for group in chain:
                needs[group] |= came
                came |= bits[group]
            for wire in block.outputs:
                through[wire] = came
                home = len(self._home(wire))
                if len(chain) > home:  # what leaves several groups at once is handed on by the outermost
                    made[chain[home]].append(self._name(wire))
        runs: list[list[Group]] = []
        latest: dict[Group | None, list[Group]] = {}  # of the parts of a group
        for group in self.outline.groups:
            run = latest.get(group.parent)
            if run is None or any(needs[group] & bits[other] for other in run):
                run = latest[group.parent] = []
                runs.append(run)
            run.append(group)
        inputs: dict[tuple[str, ...], list[str]] = {}
        for name, users in entered.items():
            inputs.setdefault(tuple(users), []).append(name)
        rows = [[gates[group] for group in run if group in gates] for run in runs]
        rows += [[name for group in run for name in made[group]] for run in runs]
        rows += inputs.values()
        return self._possible([tuple(row) for row in rows if len(row) > 1])

    def _possible(self, rows: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
        """Leave out the rows that cannot be, because some of what is in them is computed from the rest."""
        bits = {name: 1 << k for k, row in enumerate(rows) for name in row}
        through: dict[Value, int] = {}  # for each wire the rows that it came through
        needs = dict.fromkeys(bits.values(), 0)
        for block in self.blocks:
            came = 0
            for wire in block.inputs:
                came |= through.get(wire, bits.get(self._name(wire), 0))
            for name in (block.name, *map(self._name, block.outputs)):
                if name in bits:
                    needs[bits[name]] |= came
            came |= bits.get(block.name, 0)
            for wire in block.outputs:
                through[wire] = came | bits.get(self._name(wire), 0)
        left = sum(needs)
        while ready := [bit for bit in needs if bit & left and not needs[bit] & left]:
            left -= sum(ready)
        return tuple(row for row in rows if not bits[row[0]] & left)

    def _name(self, wire: Value) -> str:
        return f"n{self.outline.place[wire]}"

    def _home(self, wire: Value) -> Chain:
        """Return the opened groups that contain a wire and all its uses."""
        if wire is self.outline.order[-1]:
            return ()
        users = [self.outline.chains[user] for user in self.outline.consumers[wire]]
        chain = common([self.outline.chains[wire], *users])
        return tuple(group for group in chain if group in self.opened)


def _title(block: Block) -> tuple[str, str]:
    if block.group is not None:
        count = len(block.nodes)
        return block.group.name, f"{block.group.name}, a group of {count} operation{'s' * (count > 1)}"
    op = block.nodes[0].op
    assert op is not None
    return op.symbol, op.name


def ancestors(group: Group) -> frozenset[Group]:
    """Return what must be opened to see the parts of a group: itself and the groups around it."""
    return frozenset(group.chain)
