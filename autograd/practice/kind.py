"""Numbers that are kind to heads: small integers and halves, with which both passes need no machine."""

import math
import random
from collections.abc import Mapping, Sequence
from operator import ne

from autograd.expression import parse
from autograd.sweeping import sweep, topological_order
from autograd.text import format_number
from autograd.value import Constant, Value

_NUMBERS = (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0, 5.0, -4.0, -5.0, 0.5, -0.5)
_WEIGHTS = (3, 4, 4, 4, 4, 4, 3, 2, 2, 1, 2, 2)
_TRIES = 60  # sets that are drawn for each that is wanted
_POOL = 6  # sets among which each is chosen


def kind_numbers(
    formula: str,
    names: Sequence[str],
    source: random.Random,
    kept: Mapping[str, float],
    count: int = 1,
    unlike: Mapping[str, float] | None = None,
) -> list[dict[str, float]]:
    """Draw numbers for the names of a formula.

    Of many that are drawn, those are taken at which the fewest digits have to be written in both passes.
    Points at kinks, and with values or gradients that are not finite, are not taken.

    Args:
        formula: as `parse` reads it.
        names: those that numbers are drawn for.
        source: of random numbers.
        kept: the numbers of the other names.
        count: how many different sets of numbers.
        unlike: a set that they are to differ from.

    Returns:
        The sets, with the numbers that are kept.

    Raises:
        ValueError: not so many were found.
        ExpressionError: the formula cannot be read.
    """
    found: dict[tuple[float, ...], tuple[float, tuple[float, ...]]] = {}  # by what is to be answered
    for _ in range(_TRIES * (count + 1)):
        drawn = tuple(source.choices(_NUMBERS, _WEIGHTS, k=len(names)))
        root = parse(formula, {**kept, **dict(zip(names, drawn, strict=True))})
        cost, answers = _examined(root)
        if cost < min(math.inf, found.get(answers, (math.inf, ()))[0]):
            found[answers] = cost, drawn
    known = tuple(unlike[name] for name in names) if unlike is not None else None
    usable = [drawn for _, drawn in sorted(found.values(), key=lambda each: each[0]) if drawn != known]
    if len(usable) < count:
        raise ValueError(
            f"{len(usable)} of {count} different sets of numbers were found at which all values and "
            "gradients are finite and no gate is at a kink; give the numbers, such as x=2, or ask for fewer"
        )
    chosen = [known] if known is not None else [usable.pop(0)]
    pool = usable[: _POOL * count]
    while len(chosen) < count + (known is not None):
        # Of the kind ones, the one that has the fewest numbers in common with those there are.
        different = [min(sum(map(ne, each, other)) for other in chosen) for each in pool]
        chosen.append(pool.pop(different.index(max(different))))
    return [{**kept, **dict(zip(names, each, strict=True))} for each in chosen[known is not None :]]


def unkindness(root: Value) -> float:
    """Return how much there is to be written in a forward and a backward pass; inf for what is not asked.

    Example:
        >>> x = Value(2.0, "x")
        >>> unkindness(x * 3) < unkindness(x / 3), unkindness(x / 0)
        (True, inf)
    """
    return _examined(root)[0]


def _examined(root: Value) -> tuple[float, tuple[float, ...]]:
    """Return the unkindness, and what is to be found: values, local derivatives, messages and their sums."""
    order = topological_order(root)
    cost, answers, inputs = 0.0, list[float](), set[float]()
    for node in order:
        if node.op is not None:
            answers.append(node.data)
            if any(not kink(*(parent.data for parent in node.parents)) for kink in node.op.kinks):
                cost = math.inf
        elif not isinstance(node, Constant):  # two inputs of one number are not told apart by an answer
            cost += _length(node.data) + 0.8 * (abs(node.data) == 1) + 0.7 * (node.data in inputs)
            inputs.add(node.data)

    def observe(_: Value, index: int | None, local: float, sent: float, before: float | None) -> None:
        if index is not None:
            answers.extend((float(local), float(sent), float(sent if before is None else before + sent)))

    sweep(order, {root: 1.0}, observe=observe)
    return cost + sum(map(_length, answers)), tuple(answers)


def _length(x: float) -> float:
    """Return the cost of a number: none for small integers; 0 is easy, but a pass of zeros teaches little."""
    if not math.isfinite(x):
        return math.inf
    digits = len(format_number(abs(x)).replace(".", "").strip("0")) if x else 0
    return 1.5 if x == 0 else max(0.0, digits - 1.0) + (x % 1 != 0) + 3.0 * (digits > 3)
