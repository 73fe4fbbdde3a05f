"""``chainrule step``: walk through a formula forward and backward, one gate at a time."""

import argparse
import sys

from autograd.expression import parse
from autograd.stepping import step_through
from autograd.stepping.stepper import LIMIT
from autograd.stepping.terminal import run as walk
from chainrule.commands import CommandError
from chainrule.commands.draw import add_formula, assignments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the formula, its numbers, breakpoints, and a file to write instead."""
    parser.epilog = 'Example: chainrule step "(x + y) * z" x=-2 y=5 z=-4. In a terminal, h shows the keys.'
    add_formula(parser)
    parser.add_argument(
        "--break",
        dest="stops",
        metavar="WHERE",
        action="append",
        default=[],
        help="stop at a name, an operation, '>10' (a gradient's magnitude) or nan; repeatable",
    )
    parser.add_argument(
        "-o",
        dest="path",
        metavar="FILE",
        help="write a page (.html), an animation (.gif, .png), a film (.mp4), or a picture for each step "
        "(.pdf, .tex) instead of walking here",
    )
    parser.add_argument(
        "--limit", type=int, default=LIMIT, help=f"how many values at most (default: {LIMIT})"
    )


def run(arguments: argparse.Namespace) -> None:
    """Walk through the graph in the terminal, print its steps, or write them to a file."""
    numbers = assignments(arguments.numbers)
    try:
        stepper = step_through(parse(arguments.formula, numbers), limit=arguments.limit)
        if arguments.path is None:
            walk(stepper, sys.stdin, sys.stdout, tuple(arguments.stops))
        else:
            print(f"wrote {stepper.save(arguments.path)}")
    except (ValueError, RuntimeError) as error:
        raise CommandError(str(error)) from error
