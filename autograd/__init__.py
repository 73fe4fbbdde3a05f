"""Scalar reverse-mode automatic differentiation.

A graph is data; everything else is an interpretation of it. The interpretations are imported on use: what
only records and differentiates needs neither NumPy nor anything else outside Python.
"""

import builtins
from typing import TYPE_CHECKING

from autograd import ops
from autograd.choosing import take
from autograd.control import AnomalyError, detect_anomaly, no_grad
from autograd.lazy import import_on_use
from autograd.leaks import LeakWarning
from autograd.ops import *  # noqa: F403 - the public functions are the rows of the table
from autograd.row import Operation, operation
from autograd.spelling import nearest
from autograd.sweeping import topological_order
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.check import GradientError, gradcheck
    from autograd.compiler import Program as Program
    from autograd.compiler import ProgramFileError as ProgramFileError
    from autograd.compiler import compile as compile  # noqa: A004 - the name that users know
    from autograd.compiler import jit as jit
    from autograd.compiler import load_program as load_program
    from autograd.drawing import draw_dot
    from autograd.functions import logsumexp, softmax
    from autograd.practice import exercise, quiz, worksheet
    from autograd.stepping import backprop_latex, backprop_source, explain, group, step_through, steps
    from autograd.transforms import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp
else:
    __getattr__, __dir__ = import_on_use(
        __name__,
        {
            "autograd.check": "GradientError gradcheck",
            "autograd.compiler": "Program ProgramFileError compile jit load_program",
            "autograd.drawing": "draw_dot",
            "autograd.functions": "logsumexp softmax",
            "autograd.practice": "exercise quiz worksheet",
            "autograd.stepping": "backprop_latex backprop_source explain group step_through steps",
            "autograd.transforms": "grad gradients hessian hvp jacobian jvp value_and_grad vjp",
        },
        lambda name: f"did you mean {meant}?" if (meant := nearest(name, __all__)) else None,
    )

# Without what compiles, and without abs, pow and round: `from autograd import *` needs no NumPy, and leaves
# Python's own functions alone, of which abs, pow and round take Values as well.
__all__ = [
    "AnomalyError",
    "GradientError",
    "LeakWarning",
    "Operation",
    "Value",
    "backprop_latex",
    "backprop_source",
    "detect_anomaly",
    "draw_dot",
    "exercise",
    "explain",
    "grad",
    "gradcheck",
    "gradients",
    "group",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "logsumexp",
    "no_grad",
    "operation",
    "quiz",
    "softmax",
    "step_through",
    "steps",
    "take",
    "topological_order",
    "value_and_grad",
    "vjp",
    "worksheet",
    *(name for name in ops.TABLE if not hasattr(builtins, name)),
]
__version__ = "0.1.0"
