"""``chainrule train``: a data set or a file in; a trained network, its history and its pictures out."""

import argparse
import io
import random
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from chainrule.commands.options import MOST_PARAMETERS, OPTIMIZERS, add_arguments, choices
from chainrule.commands.recipe import OnRawRows, Recipe
from chainrule.commands.results import require_writable
from chainrule.commands.sources import LOSSES, Data, load
from chainrule.terminal import CommandError, plain, shown
from nn import MLP, EarlyStopping, History, diagnose, fit, l2, losses, plot, split
from nn.data import Points
from nn.optim import Optimizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["add_arguments", "run"]
EPOCHS_SHOWN = 6
MOST_WORK = 200_000
"""How many parameters times points a diagnosis looks at."""


def run(arguments: argparse.Namespace) -> None:
    """Train, tell how it went, and save the results."""
    if arguments.early_stopping and not arguments.validation:
        raise CommandError("--early-stopping watches the validation, so it needs a --validation above 0")
    data = load(arguments.data, choices(arguments), arguments.seed)
    training, held_out = (data.X, data.y), None
    if arguments.validation:
        several = bool(data.classes) and int(np.bincount(data.y).max()) > 1
        training, held_out = split(*training, arguments.validation, rng=arguments.seed, stratify=several)
    if arguments.class_weights and not data.classes:
        raise CommandError(f"--class-weights is for classes, and {shown(data.targets)} is a number")
    recipe = Recipe.made(data, training)
    model = _network(recipe, arguments)
    create, usual_rate = OPTIMIZERS[arguments.optimizer]
    optimizer = create(model.parameters(), lr=arguments.lr or usual_rate)
    folder: Path = arguments.out
    require_writable(folder)
    _introduce(data, recipe, model, optimizer, training, held_out, arguments)
    history = _train(model, recipe, optimizer, training, held_out, arguments)
    if history.stopped:
        print(f"stopped   {history.stopped}")

    console = Console(highlight=False, markup=False)
    _tell_epochs(console, history)
    _judge(console, model, recipe, held_out or training, "validation" if held_out else "training")
    X, y = recipe.scaled(training)
    sample = max(MOST_WORK // len(model.parameters()), 16)  # it records each point's graph
    for finding in diagnose(model, X, y, LOSSES[recipe.loss], sample=min(sample, 200)):
        print(f"{finding}\n")
    for path in _save(folder, model, recipe, history, data):
        print(f"wrote {plain(str(path))}")


def _introduce(
    data: Data,
    recipe: Recipe,
    model: MLP,
    optimizer: Optimizer,
    training: Points,
    held_out: Points | None,
    arguments: argparse.Namespace,
) -> None:
    """Tell what will be trained on what, and what was left out."""
    for warning in data.warnings:
        print(f"chainrule train: warning: {plain(warning)}", file=sys.stderr)
    sizes = "-".join(map(str, [len(recipe.features), *arguments.layers, recipe.outputs]))
    activation = f" {arguments.activation}" if arguments.layers else ""
    validation = f"{len(held_out[0])} for validation" if held_out else "none for validation"
    print(f"data      {data.name}: {len(data.X)} points, {len(training[0])} to train on, {validation}")
    if data.notes:
        print(
            textwrap.fill(", ".join(data.notes), 79, initial_indent="read as   ", subsequent_indent=" " * 10)
        )
    print(f"inputs    {shown(column.name for column in data.columns)}")
    for column in data.columns:
        if column.texts:
            print(f"one-hot   {plain(column.name)}: {shown(column.texts)}")
    if data.classes:
        print(f"target    {plain(data.targets[0])}: {shown(data.classes)}")
    elif len(data.targets) == 1:
        print(f"target    {plain(data.targets[0])}: a number")
    else:
        print(f"targets   {shown(data.targets)}: numbers")
    print(f"network   {sizes}{activation}, {len(model.parameters())} parameters")
    print(f"training  {recipe.loss}, {arguments.optimizer}, learning rate {optimizer.lr:g}", end="")
    print(f", batches of {min(arguments.batch_size, len(training[0]))}", flush=True)


def _network(recipe: Recipe, arguments: argparse.Namespace) -> MLP:
    init = "kaiming" if arguments.activation == "relu" else "xavier"
    sizes = [*arguments.layers, recipe.outputs]
    count = sum((a + 1) * b for a, b in pairwise([len(recipe.features), *sizes]))
    if count > MOST_PARAMETERS:
        raise CommandError(
            f"the network would have {count:,} parameters, and at most {MOST_PARAMETERS:,} are made; "
            "give smaller --layers or fewer --inputs"
        )
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
    loss = LOSSES[recipe.loss]
    if arguments.class_weights:
        loss = losses.weighted(loss, losses.balanced(training[1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of divergence; the error below says it
        history = fit(
            model,
            *recipe.scaled(training),
            loss,
            optimizer,
            arguments.epochs,
            arguments.batch_size,
            validation=recipe.scaled(held_out) if held_out else None,
            penalty=(lambda parameters: l2(parameters, arguments.l2)) if arguments.l2 else None,
            callbacks=[EarlyStopping(patience=arguments.early_stopping)] if arguments.early_stopping else [],
            rng=arguments.seed,
            compile=True,
        )
    if history.stopped == "interrupted" and not len(history):
        raise KeyboardInterrupt
    if history.stopped.startswith("in epoch"):
        raise CommandError(f"the training diverged {plain(history.stopped)}")
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
        errors = np.sqrt(np.mean((answers - y).reshape(len(y), -1) ** 2, axis=0)).tolist()
        for name, error in zip(recipe.targets, errors, strict=True):
            print(f"{which} error of {plain(name)}: {error:.6g} (root mean square)")
        print()
        return
    right = int(np.sum(answers == y))
    print(f"{which} points: {right} of {len(y)} right, {right / len(y):.1%}")
    counts = np.zeros((len(recipe.classes),) * 2, dtype=int)
    np.add.at(counts, (y, answers), 1)
    if len(recipe.classes) <= 10:
        names = [name if len(name) <= 12 else f"{name[:11]}…" for name in map(plain, recipe.classes)]
        rows = [[name, *map(str, row)] for name, row in zip(names, counts.tolist(), strict=True)]
        _print_table(console, ["true \\ predicted", *names], rows)


def _save(folder: Path, model: MLP, recipe: Recipe, history: History, data: Data) -> list[Path]:
    """Write all results or none; return their files."""
    pictures = _pictures(model, recipe, history, data)
    names = ["model.json", "history.csv", *pictures]
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as partial:  # all are written, or none is moved
        model.save(Path(partial, "model.json"), recipe.to_metadata())
        history.to_csv(Path(partial, "history.csv"))
        for name, picture in pictures.items():
            Path(partial, name).write_bytes(_png(picture))
        for name in names:
            Path(partial, name).replace(folder / name)
    if "boundary.png" not in pictures:
        (folder / "boundary.png").unlink(missing_ok=True)  # that of an earlier model
    return [folder / name for name in names]


def _pictures(model: MLP, recipe: Recipe, history: History, data: Data) -> dict[str, "Figure"]:
    """Return the curves of the training and, of two inputs, the map of the answers, by their files' names."""
    from matplotlib.figure import Figure

    curves = Figure(figsize=(9 if recipe.classes else 5, 3.6), layout="constrained")
    axes = curves.subplots(1, 2 if recipe.classes else 1, squeeze=False)[0]
    plot.loss_curve(history, axes[0])
    if recipe.classes:
        plot.accuracy_curve(history, axes[1])
    pictures = {"curves.png": curves}
    if recipe.classes and len(recipe.features) == len(recipe.columns) == 2:
        boundary = Figure(figsize=(6, 4.8), layout="constrained")
        ax = boundary.add_subplot()
        plot.decision_boundary(OnRawRows(model, recipe), recipe.filled(data.X), data.y, ax)
        ax.set(xlabel=plot.as_written(recipe.features[0]), ylabel=plot.as_written(recipe.features[1]))
        title = plot.as_written(recipe.targets[0])
        names = list(map(plot.as_written, recipe.classes))
        ax.legend(ax.get_legend_handles_labels()[0], names, title=title, fontsize="small")
        pictures["boundary.png"] = boundary
    return pictures


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
