"""``chainrule train``: a data set or a CSV file in; a trained network, its history and its pictures out."""

import argparse
import io
import random
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from autograd.files import write_file
from chainrule.commands import CommandError, tables
from chainrule.commands.recipe import OnRawRows, Recipe
from chainrule.commands.sources import DATA_SETS, LOSSES, Data, load
from nn import MLP, SGD, Adagrad, Adam, AdamW, History, RMSprop, diagnose, fit, l2, plot, split
from nn.data import Points
from nn.optim import Optimizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OPTIMIZERS: dict[str, tuple[Callable[..., Optimizer], float]] = {
    "sgd": (SGD, 0.1),
    "adagrad": (Adagrad, 0.1),
    "rmsprop": (RMSprop, 0.01),
    "adam": (Adam, 0.01),
    "adamw": (AdamW, 0.01),
}
"""The update rules, and the learning rate of each unless another is given."""
EPOCHS_SHOWN = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the data, the network, the training and the folder for the results."""
    parser.epilog = "Example: chainrule train --data iris --layers 16 --epochs 50 --out iris-model"
    add = parser.add_argument_group("data").add_argument
    add(
        "--data",
        default="moons",
        metavar="NAME",
        help=f"{', '.join(DATA_SETS)}, or a CSV file (default: moons)",
    )
    add(
        "--target",
        metavar="COLUMN",
        help="what to predict: the name or number of a CSV file's column (default: the last)",
    )
    add(
        "--validation",
        type=_share,
        default=0.2,
        metavar="SHARE",
        help="the share of points to judge by, never trained on (default: 0.2)",
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
        "--optimizer",
        choices=OPTIMIZERS,
        default="adam",
        metavar="NAME",
        help=f"{', '.join(OPTIMIZERS)} (default: adam)",
    )
    rates = "; ".join(f"{name} {rate:g}" for name, (_, rate) in OPTIMIZERS.items())
    add("--lr", type=_positive, metavar="RATE", help=f"the learning rate (default: {rates})")
    add("--epochs", type=_count, default=50, metavar="N", help="how often all points are used (default: 50)")
    add("--batch-size", type=_count, default=32, metavar="N", help="points per step (default: 32)")
    add(
        "--l2",
        type=_at_least_zero,
        default=0.0,
        metavar="STRENGTH",
        help="a penalty on squared parameters (default: 0)",
    )
    add("--seed", type=_seed, default=0, metavar="N", help="same seed, same result (default: 0)")
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        default=Path("chainrule-model"),
        help="where model.json, history.csv, curves.png and, for classes of two inputs, boundary.png are "
        "saved (default: chainrule-model)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Train, tell how it went, and save the results."""
    data = load(arguments.data, arguments.target, arguments.loss, arguments.seed)
    training, held_out = (data.X, data.y), None
    if arguments.validation:
        training, held_out = split(*training, arguments.validation, seed=arguments.seed)
    recipe = Recipe.made(data, training)
    model = _network(recipe, arguments)
    create, usual_rate = OPTIMIZERS[arguments.optimizer]
    optimizer = create(model.parameters(), lr=arguments.lr or usual_rate)
    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)

    sizes = "-".join(map(str, [len(recipe.features), *arguments.layers, recipe.outputs]))
    activation = f" {arguments.activation}" if arguments.layers else ""
    validation = f"{len(held_out[0])} for validation" if held_out else "none for validation"
    print(f"data      {data.name}: {len(data.X)} points, {len(training[0])} to train on, {validation}")
    print(f"inputs    {tables.shown(recipe.features)}")
    print(f"target    {recipe.target}: {tables.shown(recipe.classes) if recipe.classes else 'a number'}")
    print(f"network   {sizes}{activation}, {len(model.parameters())} parameters")
    print(f"training  {recipe.loss}, {arguments.optimizer}, learning rate {optimizer.lr:g}", end="")
    print(f", batches of {min(arguments.batch_size, len(training[0]))}", flush=True)
    history = _train(model, recipe, optimizer, training, held_out, arguments)
    if history.stopped:
        print(f"stopped   {history.stopped}")

    console = Console(highlight=False, markup=False)
    _tell_epochs(console, history)
    _judge(console, model, recipe, held_out or training, "validation" if held_out else "training")
    X, y = recipe.scaled(training)
    for finding in diagnose(model, X, y, LOSSES[recipe.loss]):
        print(f"{finding}\n")
    for path in _save(folder, model, recipe, history, data):
        print(f"wrote {path}")


def _network(recipe: Recipe, arguments: argparse.Namespace) -> MLP:
    init = "kaiming" if arguments.activation == "relu" else "xavier"
    sizes = [*arguments.layers, recipe.outputs]
    rng = random.Random(arguments.seed)
    try:
        return MLP(len(recipe.features), sizes, activation=arguments.activation, rng=rng, init=init)
    except (TypeError, ValueError) as error:
        raise CommandError(f"argument --activation: {error}") from None


def _train(
    model: MLP,
    recipe: Recipe,
    optimizer: Optimizer,
    training: Points,
    held_out: Points | None,
    arguments: argparse.Namespace,
) -> History:
    """Train the network; an interrupt after the first epoch ends it with what was reached.

    Raises:
        CommandError: the training diverged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of divergence; the error below says it
        history = fit(
            model,
            *recipe.scaled(training),
            LOSSES[recipe.loss],
            optimizer,
            arguments.epochs,
            arguments.batch_size,
            validation=recipe.scaled(held_out) if held_out else None,
            penalty=(lambda parameters: l2(parameters, arguments.l2)) if arguments.l2 else None,
            seed=arguments.seed,
            compile=True,
        )
    if history.stopped == "interrupted" and not len(history):
        raise KeyboardInterrupt
    if history.stopped not in ("", "interrupted"):
        raise CommandError(f"the training diverged {history.stopped}")
    return history


def _tell_epochs(console: Console, history: History) -> None:
    """Print the numbers of some epochs, evenly spread, the first and the last among them."""
    chosen = np.unique(np.linspace(0, len(history) - 1, EPOCHS_SHOWN).round().astype(int))
    names = [name for name in history.to_dict() if name not in ("epoch", "lr")]
    titles = [name.replace("val_", "validation ") for name in names]
    rows = []
    for record in (history.records[i] for i in chosen):
        shares = [f"{record[n]:.1%}" if "accuracy" in n else f"{record[n]:.4g}" for n in names]
        rows.append([f"{record['epoch']:.0f}", *shares])
    _print_table(console, ["epoch", *titles], rows)


def _judge(console: Console, model: MLP, recipe: Recipe, points: Points, which: str) -> None:
    """Print how good the answers are for some points."""
    X, y = points
    answers, _ = recipe.predict(model, X)
    if not recipe.classes:
        error = float(np.sqrt(np.mean((answers - y) ** 2)))
        print(f"{which} error of {recipe.target}: {error:.6g} (root mean square)\n")
        return
    right = int(np.sum(answers == y))
    print(f"{which} points: {right} of {len(y)} right, {right / len(y):.1%}")
    counts = np.zeros((len(recipe.classes),) * 2, dtype=int)
    np.add.at(counts, (y, answers), 1)
    if len(recipe.classes) <= 10:
        names = [name if len(name) <= 12 else f"{name[:11]}…" for name in recipe.classes]
        rows = [[name, *map(str, row)] for name, row in zip(names, counts.tolist(), strict=True)]
        _print_table(console, ["true \\ predicted", *names], rows)


def _save(folder: Path, model: MLP, recipe: Recipe, history: History, data: Data) -> list[Path]:
    from matplotlib.figure import Figure

    curves = Figure(figsize=(9 if recipe.classes else 5, 3.6), layout="constrained")
    axes = curves.subplots(1, 2 if recipe.classes else 1, squeeze=False)[0]
    plot.loss_curve(history, axes[0])
    if recipe.classes:
        plot.accuracy_curve(history, axes[1])
    pictures = {"curves.png": curves}
    if recipe.classes and len(recipe.features) == 2:
        boundary = Figure(figsize=(6, 4.8), layout="constrained")
        ax = boundary.add_subplot()
        plot.decision_boundary(OnRawRows(model, recipe), data.X, data.y, ax)
        ax.set(xlabel=recipe.features[0], ylabel=recipe.features[1])
        ax.legend(ax.get_legend_handles_labels()[0], recipe.classes, title=recipe.target, fontsize="small")
        pictures["boundary.png"] = boundary
    else:
        (folder / "boundary.png").unlink(missing_ok=True)  # that of an earlier model
    model.save(folder / "model.json", recipe.to_metadata())
    history.to_csv(folder / "history.csv")
    for name, picture in pictures.items():
        write_file(folder / name, _png(picture))
    return [folder / name for name in ("model.json", "history.csv", *pictures)]


def _png(figure: "Figure") -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, dpi=150)
    return picture.getvalue()


def _print_table(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for title in titles:
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(*row)
    console.print()
    console.print(Padding(table, (0, 1), expand=False))
    console.print()


def _layers(text: str) -> list[int]:
    if text.strip() == "none":
        return []
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = [0]
    if min(sizes) < 1:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no list of counts; give the units of each hidden layer, such as 16,16, or none"
        )
    return sizes


def _number(text: str, kind: type[Any], allowed: Callable[[Any], bool], what: str) -> Any:
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not allowed(number):
        raise argparse.ArgumentTypeError(f"'{text}' is not {what}")
    return number


def _count(text: str) -> Any:
    return _number(text, int, lambda n: n >= 1, "a whole number of at least 1")


def _seed(text: str) -> Any:
    return _number(text, int, lambda n: 0 <= n < 2**32, "a whole number from 0 to 4294967295")


def _positive(text: str) -> Any:
    return _number(text, float, lambda x: 0 < x < np.inf, "a positive number")


def _at_least_zero(text: str) -> Any:
    return _number(text, float, lambda x: 0 <= x < np.inf, "a number of at least 0")


def _share(text: str) -> Any:
    return _number(text, float, lambda x: 0 <= x < 1, "a share from 0 to below 1, such as 0.2")
