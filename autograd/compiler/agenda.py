"""When to compute what has no structure, so that few forms take turns seldom.

A loop in which every depth is a step computes the few nodes of each form that this depth has. But a step runs
its families one after the other, and may read what it has computed: so it goes as many depths deep as edges
lead from a family to one behind it. Engines pay for each turn of a family, not for each node.

An agenda by which the operations of such graphs are batched, one kind at a time and anew at every run, is due
to Neubig, Goldberg and Dyer (2017).
"""

from itertools import pairwise

import numpy as np

from autograd.compiler.plan import Index


def assign(family: Index, operands: Index, begin: Index, levels: Index) -> tuple[Index, Index]:
    """Return for each node the first step in which it can be computed, and the place of its family there.

    What a node reads has been computed in an earlier step, or in the same one by a family before its own.

    Args:
        family: for each node the number of its family, from 0 on.
        operands: the operands of the nodes, one node's after the other's: their places among the nodes; that
            behind the last one stands for what is known before.
        begin: where the operands of each node begin, of which it has at least one, and where all end.
        levels: the bounds of nodes in a row that do not read each other, from 0 to all.
    """
    count, known = int(family.max()) + 1, len(family)
    reader = np.repeat(np.arange(known), np.diff(begin))
    inside = operands < known
    place = _order(family[operands[inside]], family[reader[inside]], count)[family]
    time = np.full(known + 1, -1)  # the turns of families that have passed
    for low, high in pairwise(levels.tolist()):
        first, last = begin[low], begin[high]
        latest = np.maximum.reduceat(time[operands[first:last]], begin[low:high] - first)
        time[low:high] = latest + 1 + (place[low:high] - latest - 1) % count
    return time[:known] // count, place


def _order(source: Index, target: Index, count: int) -> Index:
    """Return a place for each family, so that many edges lead from a source to a target behind it.

    The family that most edges leave, less those that lead to it, comes first, and so on with the rest: after
    the heuristic of Eades, Lin and Smyth (1993) for the feedback arc set.
    """
    pairs, weight = np.unique(source * count + target, return_counts=True)
    one, other = np.divmod(pairs, count)
    surplus = np.zeros(count)
    np.add.at(surplus, one, weight)
    np.subtract.at(surplus, other, weight)
    place = np.empty(count, dtype=np.intp)
    for turn in range(count):
        first = int(np.argmax(surplus))
        place[first] = turn
        surplus[other[one == first]] += weight[one == first]
        surplus[one[other == first]] -= weight[other == first]
        surplus[first] = -np.inf
    return place
