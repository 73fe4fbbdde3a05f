"""Losses of one point: what the model said against what it should have said.

The loss of a batch is the mean over its points. Each loss is a graph of the table's operations without a
branch on the numbers, in a form that stays finite at scores of any size, so plain numbers and arrays do too.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from numbers import Real
from operator import add
from typing import Any

from autograd.ops import abs as absolute
from autograd.ops import exp, log, maximum, relu, softplus
from autograd.value import Value

Loss = Callable[[Any, Any], Any]
"""A function of a model's output for a point and of the point's target."""


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
    _one_score("hinge", score)
    if isinstance(target, Real) and target not in (-1, 1):
        raise ValueError(
            f"hinge needs a target of -1 or 1, got {target!r}; 2 * y - 1 turns 0 and 1 into them"
        )
    return relu(1.0 - target * score)


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
    _one_score("binary_cross_entropy", score)
    if isinstance(target, Real) and not 0.0 <= float(target) <= 1.0:
        raise ValueError(
            f"binary_cross_entropy needs a target from 0 to 1, got {target!r}; "
            "(y + 1) / 2 turns -1 and 1 into 0 and 1"
        )
    return target * softplus(-score) + (1.0 - target) * softplus(score)


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
    if not isinstance(scores, (list, tuple)) or len(scores) < 2:
        raise ValueError(
            "cross_entropy needs one score per class, at least two; for a single score of two classes "
            "use binary_cross_entropy"
        )
    largest = reduce(maximum, scores)
    shifted = [score - largest for score in scores]
    log_total = log(reduce(add, map(exp, shifted)))
    if isinstance(target, Real):
        return log_total - shifted[_class(target, len(scores))]
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


CLASSIFYING = (hinge, binary_cross_entropy, cross_entropy)
"""The losses whose targets are classes, so that accuracy says something."""


def _squares(prediction: Any, target: Any) -> list[Any]:
    predictions = prediction if isinstance(prediction, (list, tuple)) else [prediction]
    targets = target if isinstance(target, (list, tuple)) else [target]
    if len(predictions) != len(targets):
        raise ValueError(f"{len(predictions)} outputs cannot be compared with {len(targets)} targets")
    return [(p - t) * (p - t) for p, t in zip(predictions, targets, strict=True)]


def _one_score(name: str, score: Any) -> None:
    if isinstance(score, (list, tuple)):
        raise ValueError(f"{name} needs a single score, got {len(score)}; for several use cross_entropy")


def _class(target: Any, count: int) -> int:
    if target not in range(count):
        raise ValueError(f"cross_entropy needs a class from 0 to {count - 1}, got {target!r}")
    return int(target)
