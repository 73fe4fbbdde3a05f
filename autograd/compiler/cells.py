"""Which cell holds which node."""

from collections.abc import Sequence

import numpy as np

from autograd.compiler.drafts import PARAMETERS, Source
from autograd.compiler.families import LEAF, VALUE, Cycle, Family, Terms
from autograd.compiler.flat import ACTIVE, FED, Flat
from autograd.compiler.plan import Array, Index, Region

LEAVES, NOTHING = Source(frozenset([PARAMETERS]), True), Source(frozenset(), False)


class Cells:
    """The memory, as it is given out: every family gets a region, and its members places in it.

    Args:
        flat: the graph.
        terms: the sorts of its nodes.
        leaves: the nodes of the parameters, in order.
        data: those of the data.
        found: the families.

    Attributes:
        address: of every node; -1 if it has none yet.
        family: the number of the family of every node; -1 of what is given.
        sort: the sort of every node.
        numbers: the recorded number of every node.
        regions: the cells of each family, by number.
        active: whether each family has adjoints.
        choices: the leaves that are used as an index, and among how many items.
        fixed: the address of the first datum.
        stop: the address after the last cell that is no constant.
    """

    def __init__(
        self,
        flat: Flat,
        terms: Terms,
        leaves: Sequence[int],
        data: Sequence[int],
        found: Sequence[Family | Cycle],
    ) -> None:
        self.sort = terms.sort
        self.numbers = np.array(flat.data)
        self.address = np.full(len(terms.sort), -1, dtype=np.intp)
        self.family = np.full(len(terms.sort), -1, dtype=np.intp)
        self.regions: list[Region] = []
        self.active: list[bool] = []
        self.choices: dict[int, int] = {}
        families = [
            family for part in found for family in (part.families if isinstance(part, Cycle) else [part])
        ]
        sizes = [0, 0]
        for family in families:
            sizes[self._is_fed(family)] += len(family.slots) + len(family.members)
        self.fixed = len(leaves) + sizes[0]
        self.address[list(leaves)] = np.arange(len(leaves))
        self.address[list(data)] = self.fixed + np.arange(len(data))
        self._next = [len(leaves), self.fixed + len(data)]
        self.stop = self.fixed + len(data) + sizes[1]
        self._constants: list[Array] = []
        self._known: dict[bytes, int] = {}
        self.size = self.stop

    def _is_fed(self, family: Family) -> bool:
        return bool(self.sort[family.members[0]] - VALUE >= FED)

    def reserve(self, family: Family) -> int:
        """Give a family a region, its members in their order; return its number."""
        kind, fed = family.kind, self._is_fed(family)
        number = len(self.regions)
        size = len(family.slots) + len(family.members)
        name = kind if isinstance(kind, str) else kind.name
        self.regions.append(Region(name, self._next[fed], (size,)))
        self.active.append(bool((self.sort[family.members[0]] - VALUE) & ACTIVE))
        self._next[fed] += size
        self.settle(family, number)
        return number

    def settle(self, family: Family, number: int) -> None:
        """Put the slots and members of a family into its region, in their present order."""
        nodes = np.concatenate([family.slots, family.members])
        self.address[nodes] = self.regions[number].start + np.arange(len(nodes))
        self.family[nodes] = number

    def hold(self, numbers: Array) -> int:
        """Give constants cells in a row; return the first."""
        key = numbers.tobytes()
        if key not in self._known:
            self._known[key] = self.size
            self._constants.append(numbers.ravel())
            self.size += numbers.size
        return self._known[key]

    @property
    def constants(self) -> Array:
        """The numbers of all constants that have cells."""
        return np.concatenate([np.zeros(0), *self._constants])

    def source(self, nodes: Index) -> Source:
        """Say what some nodes of one sort are."""
        if len(nodes) == 1 or self.sort[nodes[0]] < VALUE:
            return self.source_of(int(nodes[0]))
        active = bool((self.sort[nodes[0]] - VALUE) & ACTIVE)
        return Source(frozenset(np.unique(self.family[nodes]).tolist()), active)

    def source_of(self, node: int) -> Source:
        """Say what one node is."""
        sort = int(self.sort[node])
        if sort < VALUE:
            return LEAVES if sort == LEAF else NOTHING
        return Source(frozenset([int(self.family[node])]), bool((sort - VALUE) & ACTIVE))
