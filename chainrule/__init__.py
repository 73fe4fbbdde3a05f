"""The command line of the distribution, ``chainrule``: a reader of the packages ``autograd`` and ``nn``.

``chainrule`` in a shell and ``python -m chainrule`` are the same program. The engine is ``import autograd``,
the networks are ``import nn``.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Import the engine when its version is asked for: an interrupt before ``main`` shows its traceback."""
    if name == "__version__":
        from autograd import __version__

        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["__version__"]
