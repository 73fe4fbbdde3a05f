"""Step through the chain rule: the event stream, and what tells it.

``steps`` is the stream of a forward and a backward pass. ``step_through`` walks through it in a terminal, a
notebook, a browser page or an animation; ``explain`` says why a node has its gradient; ``group`` names parts
of a graph that are stepped as one gate; ``backprop_source`` and ``backprop_latex`` write the derivation down.
"""

from autograd.stepping.events import Backward, Event, Forward, Seed, steps
from autograd.stepping.groups import Group, group
from autograd.stepping.latex import backprop_latex
from autograd.stepping.lines import source_lines
from autograd.stepping.paths import Explanation, Path, explain
from autograd.stepping.source import backprop_source
from autograd.stepping.stepper import Stepper, step_through

__all__ = [
    "Backward",
    "Event",
    "Explanation",
    "Forward",
    "Group",
    "Path",
    "Seed",
    "Stepper",
    "backprop_latex",
    "backprop_source",
    "explain",
    "group",
    "source_lines",
    "step_through",
    "steps",
]
