"""Scalar reverse-mode automatic differentiation.

A graph is data; everything else is an interpretation of it.
"""

from autograd import ops
from autograd.check import GradientError, gradcheck
from autograd.compiler import Program, compile  # noqa: A004 - the name that users know from other libraries
from autograd.control import AnomalyError, detect_anomaly, no_grad, operation
from autograd.drawing import draw_dot
from autograd.operation import Operation
from autograd.ops import *  # noqa: F403 - the public functions are the rows of the table
from autograd.steps import backprop_latex, backprop_source, explain, group, step_through, steps
from autograd.transforms import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.value import Value, topological_order

__all__ = [
    "AnomalyError",
    "GradientError",
    "Operation",
    "Program",
    "Value",
    "backprop_latex",
    "backprop_source",
    "compile",
    "detect_anomaly",
    "draw_dot",
    "explain",
    "grad",
    "gradcheck",
    "gradients",
    "group",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "operation",
    "step_through",
    "steps",
    "topological_order",
    "value_and_grad",
    "vjp",
    *ops.TABLE,
]
__version__ = "0.1.0"
