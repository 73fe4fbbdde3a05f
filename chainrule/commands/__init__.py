"""The subcommands of ``chainrule``, a module each.

A module named in ``chainrule.cli.COMMANDS`` has two functions: ``add_arguments(parser)`` declares its
arguments, ``run(arguments)`` does the work. A mistake of the user's is raised as a ``CommandError``.
"""

from chainrule.terminal import CommandError

__all__ = ["CommandError"]
