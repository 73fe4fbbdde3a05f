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

from chainrule.terminal import CommandError, plain

COMMANDS = {
    "demo": "work through two examples of the chain rule, then train a network on two moons",
    "draw": "draw the graph of a formula, with its values and gradients",
    "step": "walk through a formula, forward and backward, one gate at a time",
    "quiz": "ask about the chain rule step by step, in random exercises or in a formula",
    "worksheet": "write a graph with boxes to fill in, and its solution, to be printed",
    "train": "train a network on a data set or on a table of your own",
    "predict": "print what a trained network says about the rows of a table",
    "train-gpt": "train a GPT on the lines of a text, such as names",
    "generate": "print new lines from a GPT that was trained",
    "play": "open the playground in a browser: Python to be typed, and walked through",
    "site": "build the playground as a folder of files that any web server hands out",
}
"""Each subcommand is the module of its name in ``chainrule.commands``, imported when it is called."""


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
    if argv is None:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # what an encoding does not have is spelled, and no error
                stream.reconfigure(errors="backslashreplace")
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments and arguments[0] in COMMANDS else ""
    program = f"chainrule {name}".strip()
    try:
        if not name:
            _parse_without_command(arguments)
        command = import_module(f"chainrule.commands.{name.replace('-', '_')}")
        parser = _Parser(prog=program, description=f"{COMMANDS[name].capitalize()}.", allow_abbrev=False)
        command.add_arguments(parser)
        parsed = parser.parse_intermixed_args(_marked(arguments[1:], parser))
        command.run(parsed)
        if sys.stdout is not None:
            sys.stdout.flush()
    except CommandError as error:
        return _fail(program, str(error), 2)
    except BrokenPipeError:
        _let_go_of_stdout()  # the reader, such as `head`, has left
        return 1
    except OSError as error:
        _let_go_of_stdout()
        place = f"{error.filename}: " if error.filename else ""
        return _fail(program, f"{place}{error.strerror or error}", 1)
    except KeyboardInterrupt:
        return _fail(program, "interrupted", 130)
    return 0


def _marked(words: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """Put a space before each word that begins with a minus and is no option, such as the formula -x.

    argparse takes what contains a space for no option.
    """
    options = [
        option for action in parser._actions for option in action.option_strings
    ]  # there is no other way

    def is_option(word: str) -> bool:
        if word.partition("=")[0] in options or word == "--":
            return True
        if word.startswith("--"):
            return re.fullmatch(r"--[a-zA-Z][\w-]+(=.*)?", word, re.DOTALL) is not None  # a slip of one
        return word[:2] in options and re.match(r"[\w./\\~]", word[2:]) is not None  # as in -ograph.svg

    return [f" {word}" if word[:1] == "-" and not is_option(word) else word for word in words]


def _let_go_of_stdout() -> None:
    """Leave nothing that Python would try to write when it ends, if the output cannot be written."""
    try:
        sys.stdout.flush()
    except (AttributeError, OSError, ValueError):
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (AttributeError, OSError, ValueError):  # there is no such stream
            return


def _fail(program: str, message: str, status: int) -> int:
    if sys.stderr is not None:
        print(f"{program}: {plain(message)}", file=sys.stderr)
    return status


def _parse_without_command(arguments: list[str]) -> NoReturn:
    """Answer ``--help``, ``--version``, an unknown command and none at all."""
    import autograd

    parser = _Parser(prog="chainrule", description="A debugger for the chain rule.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"chainrule {autograd.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        commands.add_parser(name, help=summary)
    parser.parse_args(arguments)
    parser.error("the command comes first")
