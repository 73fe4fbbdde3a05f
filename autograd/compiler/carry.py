"""What a loop's first steps take for the results of steps before them.

In h[t] = f(h[t - 1], x[t]) the first step reads something from outside the loop. It gets a *slot* before
the loop's results, with a copy of that, so that every step reads its predecessor's place.
"""

import numpy as np

from autograd.compiler.families import Cycle, Family, Terms
from autograd.compiler.plan import Index


def carry(cycle: Cycle, terms: Terms) -> None:
    """Give the families of a cycle slots, and let the terms of their first steps read these.

    Args:
        cycle: the families, whose ``slots`` and ``sources`` are set.
        terms: the operands; those that become slots are replaced, and the slots are added as nodes.
    """
    count = len(terms.sort)
    family, step, place = (np.full(count, -1, dtype=np.intp) for _ in range(3))
    for number, members in enumerate(cycle.families):
        family[members.members] = -2 if members.width is None else number
        if members.width is not None:
            step[members.members] = np.repeat(np.arange(cycle.length), members.width)
            place[members.members] = np.tile(np.arange(members.width), cycle.length)
    requests = []
    for members in cycle.families:
        if members.width is None:
            continue
        operands, counts = terms.of(members.members)
        counts = counts.reshape(cycle.length, -1)
        if not (counts == counts[0]).all():
            continue
        operands = operands.reshape(cycle.length, -1)
        requests += [_requests(operands, f, family, step, place) for f in (terms.first, terms.second)]
    found = np.concatenate(requests, axis=1) if requests else np.zeros((6, 0), dtype=np.intp)
    for number, members in enumerate(cycle.families):
        _grant(members, found[:, found[0] == number], terms)


def _requests(operands: Index, factors: Index, family: Index, step: Index, place: Index) -> Index:
    """Return what first steps read: rows family, steps before the first, place, node, operand, factor.

    Only operands count that are in every later step the same member of the same family, as many steps back.
    """
    is_second = int(factors.min(initial=0) < 0)
    nodes = factors[operands]
    length = len(nodes)
    last = nodes[-1]
    lag = length - 1 - step[last]
    columns = np.flatnonzero((last >= 0) & (family[last] >= 0) & (lag > 0) & (lag <= length // 2))
    nodes, operands, lag, last = nodes[:, columns], operands[:, columns], lag[columns], last[columns]
    early = np.arange(length)[:, None] < lag
    expected = np.where(early, -1, family[last])
    regular = (family[nodes] == expected) & (
        early | ((step[nodes] == np.arange(length)[:, None] - lag) & (place[nodes] == place[last]))
    )
    early &= regular.all(axis=0)
    when, which = np.nonzero(early)
    return np.array(
        [
            family[last[which]],
            lag[which] - when,
            place[last[which]],
            nodes[when, which],
            operands[when, which],
            np.full(len(which), is_second),
        ]
    )


def _grant(family: Family, requests: Index, terms: Terms) -> None:
    """Give a family slots for what is requested of it; of two nodes for one slot the first gets it."""
    if not requests.shape[1]:
        return
    width = family.width
    assert width is not None  # or nothing would be requested of it
    _, back, place, node, operand, second = requests
    depth = int(back.max())
    slot = (depth - back) * width + place
    first = len(terms.sort)
    family.slots = np.arange(first, first + depth * width)
    family.sources = np.full(depth * width, -1, dtype=np.intp)
    family.sources[slot[::-1]] = node[::-1]
    granted = family.sources[slot] == node
    for factors, chosen in ((terms.first, granted & (second == 0)), (terms.second, granted & (second == 1))):
        factors[operand[chosen]] = first + slot[chosen]
    terms.sort = np.append(terms.sort, np.full(depth * width, terms.sort[family.members[0]]))
