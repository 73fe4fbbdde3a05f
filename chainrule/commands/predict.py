"""``chainrule predict``: a trained network and a CSV file in, its answers as CSV out."""

import argparse
import csv
import io
import sys

import numpy as np

from chainrule.commands import CommandError, tables
from chainrule.commands.recipe import Recipe
from nn import load_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the network and the table."""
    parser.epilog = (
        "Columns are found by their names if both this table and that of the training have a header, and "
        "others are ignored; otherwise by their order, with or without the target's column."
    )
    parser.add_argument("model", metavar="MODEL.json", help="what chainrule train saved")
    parser.add_argument("table", metavar="FILE.csv", help="the rows, not scaled")


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
        raise CommandError(f"cannot use {arguments.model!r}: {error}") from None
    table = tables.read(arguments.table)
    answers, probabilities = recipe.predict(model, np.array(table.floats(places(table, recipe))))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([recipe.target] if probabilities is None else [recipe.target, "probability"])
    for i, answer in enumerate(answers.tolist()):
        said = recipe.classes[answer] if recipe.classes else f"{answer:.10g}"
        writer.writerow([said] if probabilities is None else [said, f"{probabilities[i]:.4f}"])
    sys.stdout.write(text.getvalue())


def places(table: tables.Table, recipe: Recipe) -> list[int]:
    """Return where a network's inputs stand in a table.

    Raises:
        CommandError: a column is missing, or there are too many columns to know.
    """
    features, width = recipe.features, len(table.names)
    if table.header and recipe.header:
        missing = [name for name in features if name not in table.names]
        if missing:
            raise CommandError(
                f"{table.path}: there is no column '{missing[0]}', which the network was trained with; "
                f"the columns are {tables.shown(table.names)}"
            )
        return [table.names.index(name) for name in features]
    if width == len(features) + 1:
        return [place for place in range(width) if place != recipe.place]
    if width != len(features):
        raise CommandError(
            f"{table.path}: it has {width} columns, and the network was trained with {len(features)} inputs"
        )
    return list(range(width))
