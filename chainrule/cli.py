"""The command line: a table of subcommands, and one place where their errors become one line.

The exit status is 0 for success, 1 for a file that cannot be read or written, 2 for a mistake in the
arguments, 130 after an interrupt.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import autograd
from chainrule.commands import CommandError

COMMANDS = {
    "demo": "work through two examples of the chain rule, then train a network on two moons",
    "draw": "draw the graph of a formula, with its values and gradients",
    "step": "walk through a formula, forward and backward, one gate at a time",
    "train": "train a network on a data set or on a table of your own",
    "predict": "print what a trained network says about the rows of a table",
}
"""Each subcommand is the module ``chainrule.commands.<name>``, imported when it is called."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it in one line; argparse would print the usage as well."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``chainrule``.

    Args:
        argv: the arguments, by default those of the process.

    Returns:
        The exit status.

    Raises:
        SystemExit: after ``--help``, ``--version`` and arguments that cannot be parsed.

    Example:
        >>> import os, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     main(["draw", "x * x", "x=3", "-o", os.path.join(folder, "square.dot")])  # doctest: +ELLIPSIS
        f = 9
        df/dx = 6
        wrote ...square.dot
        0
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] not in COMMANDS:
        _parse_without_command(arguments)
    name = arguments.pop(0)
    command = import_module(f"chainrule.commands.{name}")
    parser = _Parser(
        prog=f"chainrule {name}", description=f"{COMMANDS[name].capitalize()}.", allow_abbrev=False
    )
    command.add_arguments(parser)
    # A formula such as -x*y is no option; argparse takes what contains a space for a positional argument.
    words = [f" {word}" if re.match("-[^-].", word) else word for word in arguments]
    parsed = parser.parse_intermixed_args(words)
    try:
        command.run(parsed)
        sys.stdout.flush()
    except CommandError as error:
        return _fail(parser, str(error), 2)
    except BrokenPipeError:
        # The reader, such as `head`, has left. Python must find nothing to flush into the pipe when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(parser, f"{place}{error.strerror or error}", 1)
    except KeyboardInterrupt:
        return _fail(parser, "interrupted", 130)
    return 0


def _fail(parser: argparse.ArgumentParser, message: str, status: int) -> int:
    print(f"{parser.prog}: {message}", file=sys.stderr)
    return status


def _parse_without_command(arguments: list[str]) -> NoReturn:
    """Answer ``--help``, ``--version``, an unknown command and none at all."""
    parser = _Parser(prog="chainrule", description="A debugger for the chain rule.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"chainrule {autograd.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        commands.add_parser(name, help=summary)
    parser.parse_args(arguments)
    parser.error("the command comes first")
