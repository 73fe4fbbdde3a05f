"""Scalar reverse-mode automatic differentiation.

A graph is data; everything else is an interpretation of it.
"""

from autograd import ops
from autograd.operation import Operation
from autograd.ops import *  # noqa: F403 - the public functions are the rows of the table
from autograd.value import Value, topological_order

__all__ = ["Operation", "Value", "topological_order", *ops.TABLE]
__version__ = "0.1.0"
