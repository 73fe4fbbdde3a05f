"""Losses of one point: what the model said against what it should have said.

The loss of a batch is the mean over its points. Each loss is a graph of the table's operations without a
branch on the numbers, in a form that stays finite at scores of any size, so plain numbers and arrays do too.

A loss declares what its targets are, and all else follows from that: accuracy, compiled steps, the command
line, the estimators. A function that calls such a loss is known by it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import reduce, wraps
from numbers import Real
from operator import add, mul
from typing import TYPE_CHECKING, Any

from autograd.ops import abs as absolute
from autograd.ops import exp, log, maximum, relu, sigmoid, softplus
from autograd.value import Value
from nn.checks import at_least_zero

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

Loss = Callable[[Any, Any], Any]
"""A function of a model's output for a point and of the point's target."""


@dataclass(frozen=True)
class Targets:
    """What the targets of a loss are.

    Attributes:
        classes: whether they stand for classes, so that accuracy says something.
        pair: the targets of the first and the second class, for a loss of a single score; else None, and
            there is a score per class, and the targets are classes counted from 0 or rows of probabilities.
        probabilistic: whether the scores are logits.
    """

    classes: bool = False
    pair: tuple[float, float] | None = None
    probabilistic: bool = False

    def outputs(self, count: int) -> int:
        """Return how many scores ``count`` classes, or numbers to predict, need.

        Example:
            >>> BINARY.outputs(2), CLASSES.outputs(3), NUMBERS.outputs(1)
            (1, 3, 1)
        """
        return 1 if self.pair else count

    def encoded(self, classes: Any) -> Any:
        """Return the target for a class counted from 0, or the array of targets for an array of them.

        Example:
            >>> SIGNS.encoded(0), BINARY.encoded(0), CLASSES.encoded(2)
            (-1, 0, 2)
        """
        if self.pair is None:
            return classes
        low, high = self.pair
        return low + (high - low) * classes

    def probabilities(self, scores: "ArrayLike") -> "NDArray[np.float64] | None":
        """Return the probability of each class, of shape (n, classes); None if the scores say none.

        Args:
            scores: of shape (n,) for a single score, else (n, classes).

        Example:
            >>> BINARY.probabilities([0.0]).tolist(), CLASSES.probabilities([[1.0, 1.0]]).tolist()
            ([[0.5, 0.5]], [[0.5, 0.5]])
        """
        import numpy as np

        scores = np.asarray(scores, dtype=float)
        if not self.probabilistic:
            return None
        if self.pair:
            return np.column_stack([sigmoid(-scores), sigmoid(scores)])
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def weight(self, target: Any, weights: Sequence[float]) -> Any:
        """Return the weight of a target's class, as a graph if the target is one."""
        if self.pair is None:
            target = _listed(target)
            if isinstance(target, list):
                return reduce(add, map(mul, target, weights))
            return weights[_class(target, len(weights))]
        low, high = self.pair
        return weights[0] + (weights[1] - weights[0]) * ((_one(target) - low) / (high - low))


NUMBERS = Targets()
"""A number, or a row of numbers, of any size."""
CLASSES = Targets(classes=True, probabilistic=True)
"""A class counted from 0, or the probabilities of all."""
BINARY = Targets(classes=True, pair=(0, 1), probabilistic=True)
"""0 or 1, or the probability of the second class."""
SIGNS = Targets(classes=True, pair=(-1, 1))
"""-1 or 1."""

_watchers: ContextVar[tuple[list[Targets], ...]] = ContextVar("_watchers", default=())


def declares(targets: Targets) -> Callable[[Loss], Loss]:
    """Declare what the targets of a loss are.

    Example:
        >>> @declares(NUMBERS)
        ... def absolute_error(prediction, target):
        ...     return absolute(prediction - target)
        >>> absolute_error(1.0, 3.0), targets_of(absolute_error) is NUMBERS
        (2.0, True)
    """

    def declare(function: Loss) -> Loss:
        @wraps(function)
        def declared(output: Any, target: Any) -> Any:
            for seen in _watchers.get():
                seen.append(targets)
            return function(output, target)

        declared.targets = targets  # type: ignore[attr-defined]  # functions have attributes
        return declared

    return declare


def targets_of(loss: Loss, *example: Any) -> Targets | None:
    """Return what a loss, or one that it calls, declares its targets to be; None if nothing does.

    Args:
        loss: a loss.
        *example: an output and a target to call it with, if it declares nothing itself.

    Raises:
        Exception: whatever the loss raises for the example.

    Example:
        >>> def smoothed(scores, target):
        ...     return 0.9 * cross_entropy(scores, target) + 0.1 * cross_entropy(scores, [0.5, 0.5])
        >>> targets_of(smoothed, [0.0, 0.0], 1) is CLASSES
        True
    """
    declared: Targets | None = getattr(loss, "targets", None)
    if declared is not None or not example:
        return declared
    with _watched() as seen:
        loss(*example)
    return max(seen, key=lambda targets: targets.classes, default=None)


@contextmanager
def _watched() -> Iterator[list[Targets]]:
    seen: list[Targets] = []
    token = _watchers.set((*_watchers.get(), seen))
    try:
        yield seen
    finally:
        _watchers.reset(token)


def weighted(loss: Loss, weights: Sequence[float]) -> Loss:
    """Return a loss times the weight of the target's class, for classes of unequal sizes.

    Args:
        loss: one that declares its targets to be classes.
        weights: a factor per class; ``balanced(y)`` gives each class the same share.

    Raises:
        ValueError: the loss does not say which class a target is, or a weight is negative.

    Example:
        >>> rare = weighted(cross_entropy, [0.5, 2.0])
        >>> rare([0.0, 0.0], 1) == 2.0 * cross_entropy([0.0, 0.0], 1)
        True
    """
    targets, factors = targets_of(loss), [at_least_zero("a weight", float(w)) for w in weights]
    if targets is None or not targets.classes:
        raise ValueError(f"{getattr(loss, '__name__', loss)!r} has no classes to be weighted")
    if targets.pair and len(factors) != 2:
        raise ValueError(f"a loss of a single score has two classes, and {len(factors)} weights were given")

    @declares(targets)
    @wraps(loss)
    def heavier(output: Any, target: Any) -> Any:
        return targets.weight(target, factors) * loss(output, target)

    return heavier


def balanced(y: "ArrayLike") -> list[float]:
    """Return the weights n / (classes * count) of classes counted from 0, as scikit-learn's "balanced" does.

    Raises:
        ValueError: a class from 0 to the largest does not occur.

    Example:
        >>> balanced([0, 0, 0, 1])
        [0.6666666666666666, 2.0]
    """
    import numpy as np

    counts = np.bincount(np.asarray(y, dtype=int))
    if not counts.size or not counts.all():
        raise ValueError(f"class {int(counts.argmin()) if counts.size else 0} has no point to be weighted")
    weights: list[float] = (counts.sum() / (len(counts) * counts)).tolist()
    return weights


@declares(NUMBERS)
def mean_squared_error(prediction: Any, target: Any) -> Any:
    """Return the mean of (prediction - target)**2 over the outputs.

    Args:
        prediction: the model's output, or a sequence of outputs.
        target: the number it should be, or a sequence of as many.

    Raises:
        ValueError: not as many targets as outputs.

    Example:
        >>> mean_squared_error([1.0, 2.0], [1.0, 4.0])
        2.0
    """
    squares = _squares(prediction, target)
    return reduce(add, squares) / len(squares)


@declares(NUMBERS)
def half_squared_error(prediction: Any, target: Any) -> Any:
    """Return half the sum of (prediction - target)**2 over the outputs, whose derivative is the difference.

    Args:
        prediction: the model's output, or a sequence of outputs.
        target: the number it should be, or a sequence of as many.

    Raises:
        ValueError: not as many targets as outputs.

    Example:
        >>> half_squared_error([1.0, 2.0], [1.0, 4.0])
        2.0
    """
    return 0.5 * reduce(add, _squares(prediction, target))


@declares(SIGNS)
def hinge(score: Any, target: Any) -> Any:
    """Return the max-margin loss of a binary classifier: max(0, 1 - target * score).

    Args:
        score: the model's single output.
        target: the class as -1 or 1.

    Raises:
        ValueError: another target.

    Example:
        >>> hinge(0.25, 1), hinge(0.25, -1), hinge(3.0, 1)
        (0.75, 1.25, 0.0)
    """
    score, target = _one(score, "hinge"), _one(target)
    if isinstance(target, Real) and target not in (-1, 1):
        raise ValueError(
            f"hinge needs a target of -1 or 1, got {target!r}; 2 * y - 1 turns 0 and 1 into them"
        )
    return relu(1.0 - target * score)


@declares(BINARY)
def binary_cross_entropy(score: Any, target: Any) -> Any:
    """Return -(target * log(p) + (1 - target) * log(1 - p)), where p = sigmoid(score).

    With softplus(x) = log(1 + exp(x)) this is target * softplus(-score) + (1 - target) * softplus(score),
    which has no logarithm of a vanishing p.

    Args:
        score: the model's single output, a logit: any number.
        target: the class as 0 or 1, or its probability.

    Raises:
        ValueError: a target that is not from 0 to 1.

    Example:
        >>> binary_cross_entropy(0.0, 1)
        0.6931471805599453
        >>> binary_cross_entropy(-1000.0, 1), binary_cross_entropy(1000.0, 1)
        (1000.0, 0.0)
    """
    score, target = _one(score, "binary_cross_entropy"), _one(target)
    if isinstance(target, Real) and not 0.0 <= float(target) <= 1.0:
        raise ValueError(
            f"binary_cross_entropy needs a target from 0 to 1, got {target!r}; "
            "(y + 1) / 2 turns -1 and 1 into 0 and 1"
        )
    return target * softplus(-score) + (1.0 - target) * softplus(score)


@declares(CLASSES)
def cross_entropy(scores: Sequence[Any], target: Any) -> Any:
    """Return -log(p[target]), where p = softmax(scores): p[j] = exp(scores[j]) / sum(exp(scores)).

    The largest score is subtracted from all of them first, which leaves p as it is and keeps exp in range.

    Args:
        scores: the model's outputs, one logit per class: any numbers.
        target: the class, counted from 0; or the probabilities of all classes.

    Raises:
        ValueError: a target that is no class, a single score, or not as many probabilities as scores.

    Example:
        >>> cross_entropy([0.0, 0.0, 0.0, 0.0], 2) == cross_entropy([5.0] * 4, [0.25] * 4)
        True
        >>> cross_entropy([1000.0, -1000.0], 0), cross_entropy([1000.0, -1000.0], 1)
        (0.0, 2000.0)
    """
    scores, target = _listed(scores), _listed(target)
    if not isinstance(scores, list) or len(scores) < 2:
        raise ValueError(
            "cross_entropy needs one score per class, at least two; for a single score of two classes "
            "use binary_cross_entropy"
        )
    largest = reduce(maximum, scores)
    shifted = [score - largest for score in scores]
    log_total = log(reduce(add, map(exp, shifted)))
    if isinstance(target, Real):
        return log_total - shifted[_class(target, len(scores))]
    if not isinstance(target, list):
        raise TypeError(
            f"cross_entropy needs a class from 0 to {len(scores) - 1} or {len(scores)} probabilities, "
            f"got {target!r:.60}"
        )
    if len(target) != len(scores):
        raise ValueError(f"cross_entropy got {len(scores)} scores and {len(target)} probabilities")
    return reduce(add, [p * (log_total - s) for p, s in zip(target, shifted, strict=True)])


def mean(losses: Iterable[Any]) -> Value:
    """Return the mean of the losses of a batch.

    Raises:
        TypeError: it is no Value, so that there is nothing to differentiate.
        ValueError: there are no losses.
    """
    terms = list(losses)
    if not terms:
        raise ValueError("the mean of no losses is not defined")
    total = sum(terms) / len(terms)
    if not isinstance(total, Value):
        raise TypeError(f"the loss must be a Value that depends on the parameters, not {total!r:.60}")
    return total


def l1(parameters: Iterable[Any], strength: float = 1.0) -> Any:
    """Return strength times the sum of |p|, a penalty that makes parameters zero.

    Args:
        parameters: Values or numbers; a model's ``parameters()``.
        strength: the factor.

    Example:
        >>> l1([3.0, -4.0], 0.5)
        3.5
    """
    return strength * reduce(add, map(absolute, parameters), 0.0)


def l2(parameters: Iterable[Any], strength: float = 1.0) -> Any:
    """Return strength times the sum of p**2, a penalty that makes parameters small.

    Args:
        parameters: Values or numbers; a model's ``parameters()``.
        strength: the factor.

    Example:
        >>> l2([3.0, -4.0], 0.5)
        12.5
    """
    return strength * reduce(add, [p * p for p in parameters], 0.0)


def _squares(prediction: Any, target: Any) -> list[Any]:
    predictions, targets = _outputs(prediction), target
    if isinstance(predictions, list):
        targets = _listed(target)
        targets = targets if isinstance(targets, list) else [targets]
    else:
        predictions, targets = [predictions], [_one(_listed(target)) if _is_one(predictions) else target]
    if len(predictions) != len(targets):
        raise ValueError(f"{len(predictions)} outputs cannot be compared with {len(targets)} targets")
    return [(p - t) * (p - t) for p, t in zip(predictions, targets, strict=True)]


def _is_one(output: Any) -> bool:
    return isinstance(output, (Value, Real))


def _outputs(prediction: Any) -> Any:
    """Return several outputs as a list; an array of numbers is a column, one output for many points."""
    return prediction if _is_array_of_numbers(prediction) else _listed(prediction)


def _is_array_of_numbers(thing: Any) -> bool:
    return getattr(getattr(thing, "dtype", None), "kind", "O") != "O"


def _listed(thing: Any) -> Any:
    """Return an array, a series or a tuple as a list, a NumPy scalar as a number, all else as it is."""
    if hasattr(thing, "tolist"):
        return thing.tolist()
    return list(thing) if isinstance(thing, tuple) else thing


def _one(thing: Any, wants_one: str = "") -> Any:
    """Return the only entry of a sequence of one, all else as it is."""
    listed = _outputs(thing)
    if not isinstance(listed, list):
        return listed.item() if _is_array_of_numbers(listed) and listed.size == 1 else listed
    if len(listed) == 1:
        return _one(listed[0])
    if wants_one:
        what = f"{wants_one} needs a single score, got {len(listed)}"
        raise ValueError(f"{what}; for several use cross_entropy")
    raise ValueError(f"1 outputs cannot be compared with {len(listed)} targets")


def _class(target: Any, count: int) -> int:
    if target not in range(count):
        raise ValueError(
            f"cross_entropy needs a class from 0 to {count - 1}, got {target!r}; "
            "classes, y = nn.encode(y) counts them from 0"
        )
    return int(target)


BUILT_IN: dict[str, Loss] = {
    name: thing for name, thing in globals().items() if isinstance(getattr(thing, "targets", None), Targets)
}
"""The losses of this module by their names."""
