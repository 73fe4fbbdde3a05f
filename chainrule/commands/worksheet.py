"""``chainrule worksheet``: a formula's graph with boxes to fill in, and its solution."""

import argparse

from autograd.practice.sheets import BLANKS
from autograd.practice.worksheets import PAPERS, worksheet
from chainrule.commands import CommandError
from chainrule.commands.draw import add_formula, assignments
from chainrule.commands.quiz import positive, seed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the formula, its numbers, what is left blank, and the file."""
    parser.epilog = (
        'Example: chainrule worksheet "(x + y) * z" x=-2 y=5 z=-4 -o sheet.pdf --blank gradients. '
        "The solution is written beside it, as sheet-solution.pdf. Numbers that are not given are drawn by "
        "the seed."
    )
    add_formula(parser)
    parser.add_argument(
        "-o",
        dest="path",
        metavar="FILE",
        default="worksheet.pdf",
        help="ends in .pdf, .html, .tex (LaTeX with TikZ), .svg or .png (default: worksheet.pdf)",
    )
    parser.add_argument(
        "--blank", choices=BLANKS, default="gradients", help="what to fill in (default: gradients)"
    )
    parser.add_argument(
        "--variants", type=positive, default=1, metavar="N", help="sheets with other numbers (default: 1)"
    )
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="same seed, same numbers (default: 0)"
    )
    parser.add_argument(
        "--keep", default="", metavar="NAME,NAME", help="names whose numbers are the same in all variants"
    )
    parser.add_argument("--paper", choices=PAPERS, default="a4", help="the size of a page (default: a4)")


def run(arguments: argparse.Namespace) -> None:
    """Write the worksheet and its solution.

    Raises:
        CommandError: the formula cannot be read, or an option does not fit it.
        OSError: a file cannot be written.
    """
    numbers = assignments(arguments.numbers)
    try:
        sheets = worksheet(
            arguments.formula,
            numbers,
            blank=arguments.blank,
            variants=arguments.variants,
            seed=arguments.seed,
            keep=[name.strip() for name in arguments.keep.split(",") if name.strip()],
            paper=arguments.paper,
        )
        paths = sheets.save(arguments.path)
    except (ValueError, RuntimeError) as error:
        raise CommandError(str(error)) from error
    for path in paths:
        print(f"wrote {path}")
