"""``chainrule predict``: a trained network and a CSV file in, its answers as CSV out."""

import argparse
import csv
import io
import sys

from chainrule.commands.options import add_reading
from chainrule.commands.recipe import Recipe
from chainrule.tables import table
from chainrule.terminal import CommandError, plain
from nn import load_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the network and the table."""
    parser.epilog = (
        "Columns are found by their names if both this table and that of the training have a header, and "
        "others are ignored; otherwise by their order, with or without the target's column."
    )
    parser.add_argument("model", metavar="MODEL.json", help="what chainrule train saved")
    parser.add_argument("table", metavar="FILE.csv", help="the rows, not scaled")
    parser.add_argument(
        "--missing",
        choices=["refuse", "mean"],
        help="about cells with ?, NA, - or nothing: refuse them, or put the mean of the training (default: "
        "as in the training)",
    )
    add_reading(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print a row per row: the answer and, if the loss gives probabilities, how probable it is.

    Raises:
        CommandError: the network was not saved by ``chainrule train``, or the table is not as it should be.
        OSError: a file cannot be read.
    """
    try:
        model, metadata = load_model(arguments.model)
    except ValueError as error:
        raise CommandError(str(error)) from None
    try:
        recipe = Recipe.from_metadata(metadata, model)
    except ValueError as error:
        raise CommandError(f"cannot use {arguments.model!r}: {plain(str(error))}") from None
    names = [column.name for column in recipe.columns] if recipe.header else []
    rows = table.read(arguments.table, arguments.header, arguments.separator, names)
    answers, probabilities = recipe.predict(model, recipe.inputs(rows, arguments.missing or recipe.missing))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*recipe.targets, *["probability"] * (probabilities is not None)])
    for i, answer in enumerate(answers.tolist()):
        if recipe.classes:
            said = [recipe.classes[answer]]
        else:
            said = [f"{number:.10g}" for number in (answer if isinstance(answer, list) else [answer])]
        writer.writerow(said if probabilities is None else [*said, f"{probabilities[i]:.4f}"])
    lines = text.getvalue()
    if sys.stdout is not None and sys.stdout.isatty():  # no character of a file steers the screen
        lines = "".join(f"{plain(line)}\n" for line in lines.split("\n")[:-1])
    sys.stdout.write(lines)
