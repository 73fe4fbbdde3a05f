"""``chainrule quiz``: an exercise is asked step by step, in the terminal or in a page."""

import argparse
import sys

from autograd.practice.exercises import LEVELS, Exercise
from autograd.practice.quizzes import Quiz, quiz
from chainrule.commands import CommandError
from chainrule.commands.draw import assignments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the level and the seed, or a formula of one's own, and a page to write instead."""
    levels = ", ".join(f"{number} {name}" for number, (name, _) in LEVELS.items())
    parser.epilog = 'Examples: chainrule quiz --level 2 --seed 7; chainrule quiz "(x + y) * z" x=-2 y=5 z=-4'
    parser.add_argument("formula", metavar="FORMULA", nargs="?", help="instead of a random exercise")
    parser.add_argument("numbers", metavar="NAME=NUMBER", nargs="*", help="a number for each name in it")
    parser.add_argument("--level", type=int, metavar="N", help=f"{levels} (default: 1)")
    parser.add_argument("--seed", type=seed, metavar="N", help="same seed, same exercise (default: 0)")
    parser.add_argument(
        "--exercises", type=positive, metavar="N", help="how many random exercises (default: 1)"
    )
    parser.add_argument(
        "--questions",
        type=_questions,
        default=16,
        metavar="N",
        help="how many of each at most, or all (default: 16)",
    )
    parser.add_argument("-o", dest="path", metavar="FILE.html", help="write a page instead of asking here")


def run(arguments: argparse.Namespace) -> None:
    """Ask, or write the page.

    Raises:
        CommandError: there is no such level, or the formula cannot be read.
        OSError: the page cannot be written.
    """
    try:
        asked = _quiz(arguments)
        if arguments.path is not None:
            print(f"wrote {asked.save(arguments.path)}")
            return
    except (ValueError, RuntimeError) as error:
        raise CommandError(str(error)) from error
    asked.run(_read, sys.stdout)


def _quiz(arguments: argparse.Namespace) -> Quiz:
    if arguments.formula is None:
        level, number, count = (
            default if given is None else given
            for given, default in ((arguments.level, 1), (arguments.seed, 0), (arguments.exercises, 1))
        )
        return quiz(level, number, exercises=count, questions=arguments.questions)
    for option in ("level", "seed", "exercises"):
        if getattr(arguments, option) is not None:
            raise CommandError(f"--{option} is for random exercises; leave it out, or the formula")
    return Quiz([Exercise(arguments.formula, assignments(arguments.numbers))], arguments.questions)


def _read() -> str:
    """Return what is typed; what comes from a file is written down, so that the output can be read."""
    print("> ", end="", flush=True)
    line = sys.stdin.readline() if sys.stdin is not None else ""
    if not line:
        raise EOFError
    if not sys.stdin.isatty():
        print(line.rstrip("\n"))
    return line


def _questions(text: str) -> int | None:
    return None if text.strip() == "all" else positive(text)


def positive(text: str) -> int:
    """Read a count."""
    return _whole(text, 1, "a whole number of at least 1")


def seed(text: str) -> int:
    """Read the seed of a source of random numbers."""
    return _whole(text, 0, "a whole number of at least 0")


def _whole(text: str, least: int, what: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and int(text) >= least):
        raise argparse.ArgumentTypeError(f"'{text}' is not {what}")
    return int(text)
