"""Steps for what has no structure: as early as its operands and the order of the families allow."""

from collections.abc import Callable

import numpy as np
import pytest

import autograd
from autograd import Value, sin, tanh
from autograd.compiler.agenda import assign
from autograd.compiler.plan import Loop


def drawn(seed):
    """Return the families and the operands of random nodes; their number stands for what is known."""
    rng = np.random.default_rng(seed)
    size, families = int(rng.integers(1, 60)), int(rng.integers(1, 7))
    operands = []
    for node in range(size):
        read = rng.integers(max(0, node - 10), node + 1, rng.integers(1, 4)).tolist()
        operands.append([size if other == node else other for other in read])
    return rng.permutation(rng.integers(0, families, size)), operands


def assigned(family, operands):
    begin = np.cumsum([0, *map(len, operands)])
    return assign(np.array(family), np.concatenate(operands), begin, np.arange(len(family) + 1))


@pytest.mark.parametrize("seed", range(100))
def test_a_node_is_computed_at_the_first_turn_of_its_family_after_its_operands(seed):
    family, operands = drawn(seed)
    step, place = assigned(family, operands)
    turns = list(zip(step.tolist(), place.tolist(), strict=True))
    for node, read in enumerate(operands):
        before = max((turns[other] for other in read if other < len(turns)), default=(-1, 99))
        assert before < turns[node] <= (before[0] + 1, before[1])


@pytest.mark.parametrize("seed", range(100))
def test_a_family_has_one_place(seed):
    family, operands = drawn(seed)
    _, place = assigned(family, operands)
    pairs = set(zip(family.tolist(), place.tolist(), strict=True))
    assert len(pairs) == len(set(family.tolist())) == len(set(place.tolist()))


def test_a_step_goes_as_deep_as_the_families_follow_each_other():
    length = 40
    step, place = assigned([1, 2, 0, 3] * (length // 4), [[length], *([node] for node in range(length - 1))])
    assert step.max() + 1 == length // 4
    assert place[:4].tolist() == [0, 1, 2, 3]


def test_nodes_that_do_not_read_each_other_may_be_one_level():
    family, operands = np.array([0, 0, 1, 1]), [4, 4, 0, 1, 1, 4]
    step, place = assign(family, np.array(operands), np.array([0, 1, 2, 4, 6]), np.array([0, 2, 4]))
    assert (step.tolist(), place.tolist()) == ([0, 0, 0, 0], [0, 0, 1, 1])


def test_a_program_without_structure_has_fewer_steps_than_depths():
    rng = np.random.default_rng(0)
    made = [Value(x) for x in rng.uniform(-1, 1, 50)]
    depth = dict.fromkeys(made, 0)
    rows: tuple[Callable[[Value, Value], Value], ...] = (
        lambda x, y: x * y,
        lambda x, y: x - y,
        lambda x, _: sin(x),
        lambda x, _: tanh(x),
    )
    for number in range(50, 3000):
        x, y = (made[i] for i in rng.integers(max(0, number - 200), number, 2))
        made.append(rows[rng.integers(4)](x, y))
        depth[made[-1]] = 1 + max(depth[x], depth[y])
    (loop,) = (step for step in autograd.compile(made[-200:])._plan.forward if isinstance(step, Loop))
    assert loop.length < 0.6 * max(depth.values())
