"""Functions that are computed here for two numbers at once, because the library's take longer, one by one.

They are written as the value functions of rows are, and read in the same way by `trace`; so a number alone
and a pair go through the same operations to the same bits. For the exponential that did not pay: 5.4 ns a
number in pairs, 5.2 in the library, whose table beats a polynomial.
"""

from collections.abc import Callable
from typing import Any

from autograd.compiler.wasm.trace import as_node, near_expm1, node, number
from autograd.real import LOG2_E, LOG_2

LOG_2_HIGH = 6.93147180369123816490e-01
"""log(2) to 33 binary digits, so that its small multiples are exact."""
LOG_2_LOW = 1.90821492927058770002e-10

OF_LIBRARY = "library "
"""Before the name of a function: the library's, where there is one here of the same name."""


def expm1(x: Any) -> Any:
    """Return exp(x) - 1: the polynomial near 0, where other functions have brought their argument to."""
    x = as_node(x)
    near = node("copysign", near_expm1(x), x)
    return node("select", node("le", abs(x), number(0.5 * LOG_2)), near, node(OF_LIBRARY + "expm1", x))


def tanh(x: Any) -> Any:
    """Return e / (e + 2) for e = exp(2 abs(x)) - 1, with the sign of x; beyond 22 it is 1.

    The exponential is reduced after Cody and Waite (1980): 2 abs(x) = n log(2) + r, and what r lost when it
    was rounded is added to the smaller terms.
    """
    x = as_node(x)
    size = abs(x)
    doubled = node("select", node("gt", size, number(22.0)), number(22.0), size) * 2.0  # nan stays nan
    n = node("nearest", doubled * LOG2_E)
    t = doubled - n * LOG_2_HIGH
    r = t - n * LOG_2_LOW
    less_one = near_expm1(r, (t - r) - n * LOG_2_LOW)
    scale = node("two_to", n)
    e = scale * less_one + (scale - 1.0)
    return node("copysign", e / (e + 2.0), x)


OWN: dict[str, Callable[..., Any]] = {"expm1": expm1, "tanh": tanh}
