"""What is recorded and how it is watched: no_grad and detect_anomaly."""

import linecache
import math
import sys
from contextlib import AbstractContextManager
from typing import Any

from autograd.questions import note, noted
from autograd.scopes import Scope, Switch, here, without
from autograd.text import describe
from autograd.value import Value


def _forget(node: Value) -> Value:
    constant = node.detach()
    note(constant, "cut", "no_grad()")
    return constant


@Switch
def no_grad() -> Scope:
    """Record nothing in the body: what is computed there are constants that keep no graph alive.

    A context manager and a decorator, of generator and coroutine functions too. It applies to the thread or
    asyncio task that enters it. A transform called in the body, such as ``grad``, still differentiates its
    function, and its results are plain floats.

    Example:
        >>> from autograd import Value, no_grad
        >>> x = Value(3.0)
        >>> with no_grad():
        ...     y = x * x
        >>> y.data, y.parents
        (9.0, ())
        >>> @no_grad()
        ... def predict(x):
        ...     return x * x
        >>> predict(x).parents
        ()
    """
    return Scope(_forget)


def forgetting() -> bool:
    """Tell whether ``no_grad`` is in force here."""
    return any(scope.hook is _forget for scope in here())


def recording() -> AbstractContextManager[None]:
    """Record in the body although ``no_grad`` is in force outside."""
    return without(_forget)


class AnomalyError(ArithmeticError):
    """The first nan or infinity of a computation, found by `detect_anomaly`."""


@Switch
def detect_anomaly() -> Scope:
    """Raise at the first nan or infinity that is produced in the body, forward or backward.

    A sum of finite contributions that overflows is found too, also where it is a leaf's ``grad`` that they
    are added to; no leaf has changed then. Nodes recorded in the body remember the line of the program that
    made them, which costs time and memory.

    Raises:
        AnomalyError: naming the operation, its operands and the line that recorded it; of a leaf, the line
            that last used it.

    Example:
        >>> from autograd import Value, detect_anomaly, log
        >>> with detect_anomaly():  # doctest: +ELLIPSIS
        ...     y = log(Value(0.0, "x"))
        Traceback (most recent call last):
        autograd.control.AnomalyError: log(x='x' (data=0.0)) is -inf; recorded at ...
    """
    return Scope(_check_value, _check_flow)


def _check_value(node: Value) -> Value:
    note(node, "source", _user_line())
    if not math.isfinite(node.data):
        raise AnomalyError(f"{_formula(node)} is {node.data!r}; {_source(node)}")
    return node


def _check_flow(node: Value, index: int | None, local: Any, contribution: Any, before: Any) -> None:
    term = _number(contribution)
    total = term if before is None else _number(before) + term
    if index is None or node.op is None:  # a leaf whose grad is about to grow
        if not math.isfinite(total):
            raise AnomalyError(
                f"the grad of {describe(node)}, which is {before!r}, plus the {term!r} of this sweep is "
                f"{total!r}; last used by what was {_source(node, 'used')}"
            )
        return
    if not math.isfinite(total):
        flow = f"what flows through it is {term!r}"
        if math.isfinite(term):
            flow += f", which plus the {_number(before)!r} of other paths is {total!r}"
        raise AnomalyError(
            f"the derivative of {_formula(node)} by {node.op.arguments[index]} is {_number(local)!r}, and "
            f"{flow}; {_source(node)}"
        )
    parent = node.parents[index]
    if parent.op is None:
        note(parent, "used", noted(node, "source"))


def _number(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)


def _formula(node: Value) -> str:
    if node.op is None:  # no_grad has cut it from its operands
        return describe(node)
    operands = zip(node.op.arguments, node.parents, strict=True)
    return f"{node.op.name}({', '.join(f'{name}={describe(parent)}' for name, parent in operands)})"


def _source(node: Value, key: str = "source") -> str:
    source = noted(node, key)
    if source is None:
        return "recorded before detect_anomaly() began; put the forward pass under it too to learn where"
    file, line = source
    return f"recorded at {file}, line {line}: {linecache.getline(file, line).strip()}"


def _user_line() -> tuple[str, int]:
    """Return file and number of the innermost running line that is not in these packages."""
    frame = sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__")).partition(".")[0] in (
        "autograd",
        "nn",
        "chainrule",
    ):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
