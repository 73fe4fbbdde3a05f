"""``chainrule draw``: a formula and its numbers in, a picture of its graph out."""

import argparse
from collections.abc import Sequence
from keyword import iskeyword

from autograd import draw_dot
from autograd.expression import ExpressionError, parse
from autograd.sweeping import topological_order
from autograd.value import Constant
from chainrule.commands import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the formula, its numbers, and the file and form of the picture."""
    parser.epilog = 'Example: chainrule draw "(x + y) * z" x=-2 y=5 z=-4 -o graph.svg'
    add_formula(parser)
    parser.add_argument(
        "-o",
        dest="path",
        metavar="FILE",
        default="graph.svg",
        help="ends in .svg, .png, .pdf, .tex (TikZ) or .dot (default: graph.svg)",
    )
    parser.add_argument(
        "--rankdir",
        default="LR",
        choices=["LR", "TB", "RL", "BT"],
        help="the direction of flow (default: LR)",
    )
    parser.add_argument(
        "--limit",
        type=_limit,
        default=2000,
        metavar="N",
        help="the largest number of nodes to draw, or none (default: 2000)",
    )
    parser.add_argument(
        "--local-derivatives", action="store_true", help="write on each wire the derivative of its gate"
    )


def add_formula(parser: argparse.ArgumentParser) -> None:
    """Declare the formula and its numbers, which `assignments` reads."""
    parser.add_argument("formula", metavar="FORMULA", help='such as "(x + y) * z"')
    parser.add_argument(
        "numbers", metavar="NAME=NUMBER", nargs="*", help="a number for each name, such as x=-2"
    )


def run(arguments: argparse.Namespace) -> None:
    """Draw the graph as it is after a backward pass; print the value and the gradients."""
    numbers = assignments(arguments.numbers)
    try:
        root = parse(arguments.formula, numbers)
        nodes = list(topological_order(root))
        if arguments.limit is not None and len(nodes) > arguments.limit:
            raise CommandError(
                f"the graph has {len(nodes)} nodes, above the limit of {arguments.limit}; "
                f"draw a part of it, or lift the limit with --limit {len(nodes)} or --limit none"
            )
        root.backward()
        drawing = draw_dot(
            root, rankdir=arguments.rankdir, local_derivatives=arguments.local_derivatives, limit=None
        )
        path = drawing.save(arguments.path)
    except (ValueError, RuntimeError) as error:
        raise CommandError(str(error)) from error
    name = root.label or "output"
    print(f"{name} = {root.data:.10g}")
    for node in nodes:
        if node.op is None and not isinstance(node, Constant):
            print(f"d{name}/d{node.label} = {node.grad:.10g}")
    print(f"wrote {path}")


def assignments(arguments: Sequence[str]) -> dict[str, float]:
    """Return what ``NAME=NUMBER`` arguments give; the number may be a formula itself, such as ``pi/2``.

    Raises:
        CommandError: an argument of another form, or a name given twice.

    Example:
        >>> assignments(["x=-2", "y=1/4"])
        {'x': -2.0, 'y': 0.25}
    """
    numbers: dict[str, float] = {}
    for argument in arguments:
        name, equals, number = argument.partition("=")
        if not equals or not name.isidentifier():
            raise CommandError(f"'{argument}' is not of the form NAME=NUMBER, such as x=-2")
        if iskeyword(name):
            raise CommandError(f"'{argument}': the name is a word of Python's grammar; choose another")
        if name in numbers:
            raise CommandError(f"'{argument}': {name} is given already; give each name once")
        try:
            numbers[name] = parse(number, {}).data
        except ExpressionError as error:
            raise CommandError(f"'{argument}': {error}") from None
    return numbers


def _limit(text: str) -> int | None:
    if text.strip() == "none":
        return None
    if not (text.strip().isascii() and text.strip().isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"'{text.strip()}' is no number of nodes; give one above 0, or none")
    return int(text)
