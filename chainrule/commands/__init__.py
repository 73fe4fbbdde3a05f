"""The subcommands of ``chainrule``, a module each.

A module named in ``chainrule.cli.COMMANDS`` has two functions: ``add_arguments(parser)`` declares its
arguments, ``run(arguments)`` does the work. A mistake of the user's is raised as a ``CommandError``.
"""


class CommandError(Exception):
    """What the user must put right: one line that names the value and the remedy."""
