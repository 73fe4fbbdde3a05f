"""Groups: named parts of a graph that are drawn and stepped as one gate, or opened into their parts."""

from collections.abc import Collection, Sequence
from itertools import count

from autograd.copying import copy_graph
from autograd.questions import note, noted
from autograd.scopes import Scope, Switch, here
from autograd.text import printable
from autograd.value import Value


class Group:
    """A named part of a graph, made by one pass through the body of `group`.

    Attributes:
        name: what is written on its gate.
        parent: the group around it, or None.
        inside: leaves that are drawn inside of it only, such as the weights of a layer.
        number: counts the groups that were made, so that they can be listed in the order of the program.
    """

    __slots__ = ("inside", "name", "number", "parent")

    def __init__(self, name: str, parent: "Group | None", inside: Collection[Value]) -> None:
        self.name = printable(name)
        self.parent = parent
        self.inside = frozenset(inside)
        self.number = next(_numbers)

    @property
    def chain(self) -> tuple["Group", ...]:
        """The groups around it, the outermost first, and itself."""
        chain = []
        group: Group | None = self
        while group is not None:
            chain.append(group)
            group = group.parent
        return tuple(reversed(chain))

    def __repr__(self) -> str:
        """Return for instance ``<group layer/neuron>``."""
        return f"<group {'/'.join(group.name for group in self.chain)}>"


_numbers = count()


def group(name: str, inside: Collection[Value] = ()) -> Switch:
    """Name the operations of the body as one composite gate, for ``step_through``.

    A context manager and a decorator. It applies to the thread or asyncio task that enters it. Groups may be
    nested. Outside of a body recording costs nothing more than without groups.

    Args:
        name: what is written on the gate.
        inside: leaves that belong to it, such as weights: they are shown when it is opened. Other leaves that
            its operations use are shown as its inputs.

    Raises:
        TypeError: ``name`` is not a string, or ``inside`` holds something else than Values.
        ValueError: ``name`` is empty.

    Example:
        >>> from autograd import Value, exp, group, step_through
        >>> x = Value(1.0, "x")
        >>> with group("sigmoid"):
        ...     y = 1 / (1 + exp(-x))
        >>> y.label = "y"
        >>> print(step_through(y))
        x = 1 is given
        y = sigmoid(x) = sigmoid(1) = 0.7311
        the backward pass begins: dy/dy = 1
        d(sigmoid(x))/dx = 0.1966; local * upstream = 0.1966 * 1 = 0.1966; x.grad: 0 -> 0.1966
    """
    if not isinstance(name, str):
        raise TypeError(f"a group's name must be a string, not {type(name).__name__}: {name!r:.60}")
    if not name:
        raise ValueError("a group's name must not be empty; it is written on the gate")
    for leaf in inside:
        if not isinstance(leaf, Value):
            raise TypeError(f"inside must hold Values, not {type(leaf).__name__}: {leaf!r:.60}")

    def begin() -> Scope:
        around = [scope.mark for scope in here() if isinstance(scope.mark, Group)]
        made = Group(name, around[-1] if around else None, inside)

        def tag(node: Value) -> Value:
            note(node, "group", made)  # the innermost group's hook comes last, and stays
            return node

        return Scope(tag, mark=made)

    return Switch(begin)


def group_of(node: Value) -> Group | None:
    """Return the innermost group in which a node was recorded."""
    found = noted(node, "group")
    return found if isinstance(found, Group) else None


def frozen(order: Sequence[Value]) -> list[Value]:
    """Return a graph once more, with the numbers of now, whatever is assigned to its leaves later.

    Args:
        order: the graph in topological order.

    Returns:
        The copies in the same order; they belong to copies of the same groups.

    Example:
        >>> from autograd import topological_order
        >>> x = Value(3.0, "x")
        >>> *_, copy = frozen(topological_order(x * x))
        >>> x.data = 5.0
        >>> copy.data, copy.parents[0].data, copy.parents[0].label
        (9.0, 3.0, 'x')
    """
    memo: dict[int, Value] = {}
    copy_graph(order, memo)
    copies = [memo[id(node)] for node in order]
    groups: dict[Group, Group] = {}

    def copied(group: Group) -> Group:
        if group not in groups:
            parent = copied(group.parent) if group.parent else None
            groups[group] = Group(group.name, parent, [memo.get(id(leaf), leaf) for leaf in group.inside])
        return groups[group]

    named = {node: group for node in copies if (group := group_of(node)) is not None}
    for group in sorted(set(named.values()), key=lambda group: group.number):  # in the order of the program
        copied(group)
    for node, group in named.items():
        note(node, "group", groups[group])
    return copies
