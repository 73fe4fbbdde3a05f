"""What ``chainrule train`` can be told, and what each word of it must be."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.commands.sources import DATA_SETS, LOSSES, MISSING, Choices
from chainrule.tables.reading import SEPARATORS
from nn import SGD, Adagrad, Adam, AdamW, RMSprop
from nn.optim import Optimizer

OPTIMIZERS: dict[str, tuple[Callable[..., Optimizer], float]] = {
    "sgd": (SGD, 0.1),
    "adagrad": (Adagrad, 0.1),
    "rmsprop": (RMSprop, 0.01),
    "adam": (Adam, 0.01),
    "adamw": (AdamW, 0.01),
}
"""The update rules, and the learning rate of each unless another is given."""
MOST_LAYERS, MOST_PARAMETERS = 1000, 1_000_000
"""A network of more layers or parameters than these is a slip."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the data, the network, the training and the folder for the results."""
    parser.epilog = "Example: chainrule train --data iris --layers 16 --epochs 50 --out iris-model"
    group = parser.add_argument_group("data")
    add = group.add_argument
    add(
        "--data",
        default="moons",
        metavar="NAME",
        help=f"{', '.join(DATA_SETS)}, or a file of rows and columns, such as CSV (default: moons)",
    )
    add(
        "--target",
        metavar="COLUMNS",
        help="what to predict: the name or number of a file's column, or several (default: the last)",
    )
    add("--inputs", metavar="COLUMNS", help="what to learn from, such as age,height (default: what suits)")
    add("--drop", metavar="COLUMNS", help="columns to leave out")
    add(
        "--missing",
        choices=MISSING,
        default="refuse",
        help="about cells with ?, NA, - or nothing: leave out their rows, put the column's mean, or refuse "
        "them (default: refuse)",
    )
    add_reading(group)
    add(
        "--validation",
        type=_share,
        default=0.2,
        metavar="SHARE",
        help="the share of points, and of each class, to judge by, never trained on (default: 0.2)",
    )
    add = parser.add_argument_group("network").add_argument
    add(
        "--layers",
        type=_layers,
        default=[16, 16],
        metavar="N,N",
        help="the hidden layers' units, or none (default: 16,16)",
    )
    add("--activation", default="tanh", metavar="NAME", help="of the hidden units (default: tanh)")
    add = parser.add_argument_group("training").add_argument
    add(
        "--loss",
        choices=LOSSES,
        metavar="NAME",
        help=f"{', '.join(LOSSES)} (default: as it suits the target)",
    )
    add(
        "--class-weights",
        choices=["balanced"],
        help="balanced: each class has the same share in the loss, however rare it is",
    )
    add(
        "--optimizer",
        choices=OPTIMIZERS,
        default="adam",
        metavar="NAME",
        help=f"{', '.join(OPTIMIZERS)} (default: adam)",
    )
    rates = "; ".join(f"{name} {rate:g}" for name, (_, rate) in OPTIMIZERS.items())
    add("--lr", type=positive, metavar="RATE", help=f"the learning rate (default: {rates})")
    add("--epochs", type=count, default=50, metavar="N", help="how often all points are used (default: 50)")
    add(
        "--early-stopping",
        type=count,
        metavar="N",
        help="end when the loss of the validation was not better for N epochs, and keep the best parameters",
    )
    add("--batch-size", type=count, default=32, metavar="N", help="points per step (default: 32)")
    add(
        "--l2",
        type=at_least_zero,
        default=0.0,
        metavar="STRENGTH",
        help="a penalty on squared parameters (default: 0)",
    )
    add("--seed", type=seed, default=0, metavar="N", help="same seed, same result (default: 0)")
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        default=Path("chainrule-model"),
        help="where model.json, history.csv, curves.png and, for classes of two inputs, boundary.png are "
        "saved (default: chainrule-model)",
    )


def add_reading(parser: Any) -> None:
    """Declare how a file is read, if it is not to be found out."""
    parser.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first row names the columns (default: that is guessed)",
    )
    parser.add_argument(
        "--separator",
        type=_separator,
        metavar="SIGN",
        help="what separates cells: a sign, or tab or space (default: that is found out)",
    )


def choices(arguments: argparse.Namespace) -> Choices:
    """Return what was asked for about the table."""
    names = ("target", "inputs", "drop", "missing", "header", "separator", "loss")
    return Choices(**{name: getattr(arguments, name) for name in names})


def _layers(text: str) -> list[int]:
    if text.strip() == "none":
        return []
    try:
        sizes = [int(part) if part.strip().isdecimal() else 0 for part in text.split(",")]
    except ValueError:
        sizes = [0]
    if len(sizes) > MOST_LAYERS:
        raise argparse.ArgumentTypeError(
            f"{len(sizes):,} layers are too many; at most {MOST_LAYERS:,} are made"
        )
    if min(sizes) < 1:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no list of counts; give the units of each hidden layer, such as 16,16, or none"
        )
    return sizes


def _number(text: str, kind: type[Any], allowed: Callable[[Any], bool], what: str) -> Any:
    text = text.strip()
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not allowed(number):
        raise argparse.ArgumentTypeError(f"'{text}' is not {what}")
    return number


def count(text: str) -> Any:
    """Read a whole number of at least 1."""
    return _number(text, int, lambda n: n >= 1, "a whole number of at least 1")


def seed(text: str) -> Any:
    """Read the seed of a source of random numbers."""
    return _number(text, int, lambda n: 0 <= n < 2**32, "a whole number from 0 to 4294967295")


def positive(text: str) -> Any:
    """Read a number above 0."""
    return _number(text, float, lambda x: 0 < x < np.inf, "a positive number")


def at_least_zero(text: str) -> Any:
    """Read a number that is not negative."""
    return _number(text, float, lambda x: 0 <= x < np.inf, "a number of at least 0")


def _share(text: str) -> Any:
    return _number(text, float, lambda x: 0 <= x < 1, "a share from 0 to below 1, such as 0.2")


def _separator(text: str) -> str:
    sign = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";"}.get(text, text)
    if len(sign) != 1 or sign in '"\r\n' or sign.isalnum():
        raise argparse.ArgumentTypeError(
            f"'{text}' separates no cells; give a sign, such as {', '.join(filter(str.strip, SEPARATORS))}, "
            "or tab or space"
        )
    return sign
