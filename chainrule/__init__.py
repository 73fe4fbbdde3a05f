"""The command line of the distribution, ``chainrule``: a reader of the packages ``autograd`` and ``nn``.

``chainrule`` in a shell and ``python -m chainrule`` are the same program. The engine is ``import autograd``,
the networks are ``import nn``.
"""

from autograd import __version__

__all__ = ["__version__"]
