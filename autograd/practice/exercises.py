"""Random exercises, from sums and products to a layer of a network."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from autograd.expression import names_in, parse
from autograd.practice.kind import kind_numbers, unkindness
from autograd.sweeping import topological_order
from autograd.text import format_number
from autograd.value import Value

_FORMULAS = 8  # that are drawn at most, until one has kind numbers
_KIND = 1.2  # the cost of a value that is kind to heads


@dataclass(frozen=True)
class Exercise:
    """A formula and the numbers to put into it.

    Attributes:
        formula: as `autograd.expression.parse` reads it, perhaps with named steps.
        numbers: a number for each name.
        level: which of `LEVELS` it is of, 0 for none.
        seed: what it was drawn with, None for none.

    Example:
        >>> exercise = Exercise("q = x + y; f = q*z", {"x": -2, "y": 5, "z": -4})
        >>> exercise.task
        'q = x + y; f = q*z at x = -2, y = 5, z = -4'
        >>> exercise.root().data
        -12.0
    """

    formula: str
    numbers: Mapping[str, float]
    level: int = 0
    seed: int | None = None

    def root(self) -> Value:
        """Record its graph and return the output, with gradients of 0.

        Raises:
            ExpressionError: the formula cannot be read, or a name has no number.
        """
        return parse(self.formula, self.numbers)

    @property
    def task(self) -> str:
        """The exercise in a line."""
        numbers = ", ".join(f"{name} = {format_number(float(x))}" for name, x in self.numbers.items())
        return self.formula + f" at {numbers}" * bool(numbers)


def exercise(level: int = 1, seed: int = 0) -> Exercise:
    """Return a random exercise, whose numbers can be computed without a machine where that is possible.

    Args:
        level: 1 sums and products, 2 the chain, 3 shared nodes, 4 activations, 5 a neuron, 6 a layer.
        seed: the same level and seed give the same exercise.

    Returns:
        The exercise; its ``root()`` is the graph, to be stepped through, drawn or asked about.

    Raises:
        ValueError: there is no such level.

    Example:
        >>> exercise(3, seed=5).task
        'q = y - z; f = q*q - x at y = -3, z = -2, x = 2'
    """
    if isinstance(level, bool) or level not in LEVELS:
        known = ", ".join(f"{number} ({name})" for number, (name, _) in LEVELS.items())
        raise ValueError(f"there is no level {level!r:.30}; choose one of {known}")
    source = random.Random(f"{level} {seed}")
    _, draw = LEVELS[level]
    best, least = Exercise("", {}), math.inf
    for _ in range(_FORMULAS):
        formula = draw(source)
        (numbers,) = kind_numbers(formula, names_in(formula), source, {})
        drawn = Exercise(formula, numbers, level, seed)
        root = drawn.root()
        cost = unkindness(root) / len(topological_order(root))
        if cost < least:
            best, least = drawn, cost
        if cost <= _KIND:
            break
    return best


Draw = Callable[[random.Random], str]


def _sums_and_products(source: random.Random) -> str:
    x, y, z, w = _names(source, 4)
    plus = source.choice("+-")
    shapes = [f"({x} {plus} {y})*{z}", f"{z}*({x} {plus} {y})", f"{x}*{y} {plus} {z}", f"{z} {plus} {x}*{y}"]
    shapes += [f"{x}*{y} {plus} {z}*{w}", f"({x} {plus} {y})*({z} + {w})", f"({x}*{y} {plus} {z})*{w}"]
    return f"f = {source.choice(shapes)}"


def _chain(source: random.Random) -> str:
    x, y = _names(source, 2)
    inner = source.choice(
        [f"{source.choice('23')}*{x} {source.choice('+-')} {source.choice('123')}", f"{x}*{y}", f"{x} - {y}"]
    )
    wraps = ["{}**2", "1/{}", "sqrt({})", "exp({})", "log({})", "{}**3"]
    first, second = source.sample(wraps, 2)
    outer = [
        second.format("u"),
        f"{source.choice('23')}*u",
        f"1 - {second.format('u')}",
        f"{second.format('u')} + {source.choice('123')}",
    ]
    return f"s = {inner}; u = {first.format('s')}; f = {source.choice(outer)}"


def _shared(source: random.Random) -> str:
    x, y, z = _names(source, 3)
    plus, minus = source.choice([("+", "-"), ("-", "+")])
    inner = source.choice([f"{x} {plus} {y}", f"{x}*{y}"])
    shapes = [
        f"f = {x}*{y} {plus} {x}",
        f"f = ({x} {plus} {y})*({x} {minus} {y})",
        f"f = {x}*{x} {plus} {x}*{y}",
    ]
    shapes += [
        f"q = {inner}; f = q*{x}",
        f"q = {inner}; f = q*q {plus} {z}",
        f"q = {inner}; f = q*{z} {plus} q",
    ]
    shapes += [f"q = {inner}; f = (q {minus} {z})*q", f"q = {x}*{y}; r = q {plus} {x}; f = q*r"]
    return source.choice(shapes)


_ACTIVATIONS = ["relu({})", "relu({})", "tanh({})", "sigmoid({})", "abs({})"]


def _activations(source: random.Random) -> str:
    w, x, b = source.choice([("w", "x", "b"), ("a", "x", "b")])
    inner = source.choice([f"{w}*{x} + {b}", f"{w}*{x} - {b}", f"{x} - {b}", f"{w}*{x}"])
    act = source.choice([*_ACTIVATIONS, "maximum({}, c)"]).format("s")
    outer = source.choice(["f = h*v", "f = 1 - h", "f = v - h", "f = h**2", "f = 2*h + v"])
    return f"s = {inner}; h = {act}; {outer}"


def _neuron(source: random.Random) -> str:
    act = source.choice(["relu({})", "relu({})", "sigmoid({})", "tanh({})"]).format("s")
    loss = source.choice(["E = (o - t)**2", "E = (t - o)**2", "E = (o - t)**2/2"])
    bias = source.choice([" + b", ""])
    return f"s = w1*x1 + w2*x2{bias}; o = {act}; {loss}"


def _layer(source: random.Random) -> str:
    act = source.choice(["relu({})", "relu({})", "tanh({})", "sigmoid({})"])
    sums = source.choice([["w11*x1 + w12*x2", "w21*x1 + w22*x2"], ["w1*x + b1", "w2*x + b2"]])
    hidden = "; ".join(f"h{i} = {act.format(text)}" for i, text in enumerate(sums, 1))
    return f"{hidden}; f = v1*h1 + v2*h2"


def _names(source: random.Random, count: int) -> list[str]:
    names = list(source.choice(["xyzw", "abcd"])[:count])
    source.shuffle(names)
    return names


LEVELS: dict[int, tuple[str, Draw]] = {
    1: ("sums and products", _sums_and_products),
    2: ("the chain", _chain),
    3: ("shared nodes", _shared),
    4: ("activations", _activations),
    5: ("a neuron", _neuron),
    6: ("a layer", _layer),
}
"""For each level what it is about, and what draws a formula."""
