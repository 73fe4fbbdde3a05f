"""Scalar reverse-mode automatic differentiation.

A graph is data; everything else is an interpretation of it.
"""

from autograd import ops
from autograd.compiler import Program, compile  # noqa: A004 - the name that users know from other libraries
from autograd.operation import Operation
from autograd.ops import *  # noqa: F403 - the public functions are the rows of the table
from autograd.value import Value, topological_order

__all__ = ["Operation", "Program", "Value", "compile", "topological_order", *ops.TABLE]
__version__ = "0.1.0"
