"""Functions of many numbers, made of the rows of the table: logsumexp and softmax."""

import sys
from collections.abc import Iterable
from functools import reduce
from math import inf
from typing import Any

from autograd.ops import exp, logaddexp, maximum


def logsumexp(values: Iterable[Any], axis: int | None = None) -> Any:
    """Return log(exp(x1) + ... + exp(xn)) without overflow.

    It is a fold of ``logaddexp``, so no number decides what is recorded, and a graph of it can be replayed.

    Args:
        values: numbers or Values, at least one; or an array of them, of any shape.
        axis: of an array, the axis to sum over; None for all.

    Returns:
        A number or a Value; of an array with an axis, an array without that axis.

    Raises:
        ValueError: there are no values.

    Example:
        >>> logsumexp([1000.0, 1000.0]), logsumexp([float("-inf"), 0.0])
        (1000.6931471805599, 0.0)
    """
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(values, numpy.ndarray):
        if not values.size:
            raise ValueError(f"logsumexp needs at least one value; the array has the shape {values.shape}")
        fold = numpy.logaddexp if values.dtype != object else numpy.frompyfunc(logaddexp, 2, 1)
        return fold.reduce(values.ravel() if axis is None else values, axis=0 if axis is None else axis)
    listed = list(values)
    if not listed:
        raise ValueError("logsumexp needs at least one value")
    return reduce(logaddexp, listed[1:], listed[0])


def softmax(values: Iterable[Any], axis: int = -1) -> Any:
    """Return exp(x) / (exp(x1) + ... + exp(xn)) for each x, without overflow; the shares add up to 1.

    Args:
        values: numbers or Values, at least one; or an array of them.
        axis: of an array, the axis along which the shares add up to 1.

    Returns:
        A list, or an array of the same shape.

    Raises:
        ValueError: there are no values.

    Example:
        >>> softmax([1000.0, 1000.0])
        [0.5, 0.5]
        >>> from autograd import Value
        >>> x = Value(0.0)
        >>> softmax([x, 0.0])[0].backward()
        >>> x.grad
        0.25
    """
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(values, numpy.ndarray):
        if not values.size:
            raise ValueError(f"softmax needs at least one value; the array has the shape {values.shape}")
        powers = exp(values - values.max(axis=axis, keepdims=True))
        return powers / powers.sum(axis=axis, keepdims=True)
    listed = list(values)
    if not listed:
        raise ValueError("softmax needs at least one value")
    # The maximum is recorded, since where the largest is, is data. Both folds begin with their neutral
    # element, so that one share has the form of many, and a compiled program has the same statements for all.
    top = reduce(maximum, listed, -inf)
    powers = [exp(value - top) for value in listed]
    total = sum(powers)
    return [power / total for power in powers]
