"""``chainrule generate``: a trained GPT in, new documents out."""

import argparse
import sys

from chainrule.commands.options import at_least_zero, count, seed
from chainrule.terminal import CommandError, plain
from nn import generate, load_gpt


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the model and how its documents are drawn."""
    parser.add_argument("model", metavar="MODEL.json", help="what chainrule train-gpt saved")
    parser.add_argument("--count", type=count, default=10, metavar="N", help="how many lines (default: 10)")
    parser.add_argument(
        "--temperature",
        type=at_least_zero,
        default=0.5,
        metavar="T",
        help="below 1 the likely is drawn more often, at 0 always (default: 0.5)",
    )
    parser.add_argument("--prompt", default="", metavar="TEXT", help="how each line begins")
    parser.add_argument("--seed", type=seed, metavar="N", help="same seed, same lines (default: by chance)")


def run(arguments: argparse.Namespace) -> None:
    """Print a document a line.

    Raises:
        CommandError: the file holds no GPT, or the prompt does not suit it.
        OSError: the file cannot be read.
    """
    try:
        model, tokenizer = load_gpt(arguments.model)
        documents = generate(
            model,
            tokenizer,
            arguments.count,
            temperature=arguments.temperature,
            rng=arguments.seed,
            prompt=arguments.prompt.strip(),
        )
    except (ArithmeticError, ValueError) as error:
        raise CommandError(plain(str(error))) from None
    on_screen = sys.stdout is not None and sys.stdout.isatty()
    for document in documents:
        print(plain(document) if on_screen else document)
