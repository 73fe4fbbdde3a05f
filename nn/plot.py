"""Pictures of training. Each function draws on ``ax``, or on a new figure, and returns the Axes."""

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd.text import printable
from autograd.value import Value
from nn.arrays import as_column, as_table
from nn.callbacks import Snapshots
from nn.evaluate import classes_of, mean_loss, predict
from nn.history import History
from nn.losses import BINARY, CLASSES, Loss
from nn.modules import Module

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")
"""Okabe and Ito's colours, which stay apart for the three kinds of colour blindness; one per class."""


def loss_curve(history: History, ax: "Axes | None" = None) -> "Axes":
    """Draw the loss of every epoch, and that of the validation points if it was recorded.

    The scale is logarithmic where that shows more: if the losses span more than a factor of 20.

    Args:
        history: what ``fit`` returned.
        ax: where to draw.

    Returns:
        The Axes.

    Raises:
        ValueError: the history has no records.

    Example:
        >>> history = History()
        >>> history.records = [{"epoch": 0, "loss": 2.0}, {"epoch": 1, "loss": 0.05}]
        >>> loss_curve(history).get_yscale()
        'log'
    """
    axes = _curves(history, "loss", ax)
    losses = np.concatenate([line.get_ydata() for line in axes.get_lines()])
    if losses.min() > 0 and losses.max() > 20 * losses.min():
        from matplotlib.ticker import LogLocator

        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    return axes


def accuracy_curve(history: History, ax: "Axes | None" = None, *, metric: str = "accuracy") -> "Axes":
    """Draw the accuracy of every epoch, and that of the validation points if it was recorded.

    Args:
        history: what ``fit`` returned.
        ax: where to draw.
        metric: the column to draw, if it is another one.

    Returns:
        The Axes.

    Raises:
        ValueError: the history has no records, or not this column.

    Example:
        >>> history = History()
        >>> history.records = [{"epoch": 0, "accuracy": 0.5}, {"epoch": 1, "accuracy": 0.9}]
        >>> accuracy_curve(history).get_ylabel()
        'accuracy'
    """
    axes = _curves(history, metric, ax)
    if metric == "accuracy":
        axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.4g}%")
    return axes


def decision_boundary(
    model: Module, X: ArrayLike, y: ArrayLike, ax: "Axes | None" = None, *, resolution: int = 200
) -> "Axes":
    """Draw the classes that a model gives to each point of the plane, with the data on top.

    The stronger the shade, the surer the model: for one score the probability sigmoid(score), for several
    scores their softmax.

    Args:
        model: a network of two inputs and one score (its sign decides) or one per class (the largest wins).
        X: the points, of shape (n, 2).
        y: the n classes: 0 or 1, or -1 or 1, for a single score; else counted from 0.
        ax: where to draw.
        resolution: how many points of the plane are tried along each side.

    Returns:
        The Axes.

    Raises:
        ValueError: the points do not have two coordinates, there are not as many labels, or one is no class.

    Example:
        >>> from nn import MLP, two_moons
        >>> X, y = two_moons(20, random_state=0)
        >>> decision_boundary(MLP(2, [4, 1]), X, y).get_xlabel()
        'input 0'
    """
    X, y = as_table(X), as_column(y)
    if X.shape[1] != 2 or y.shape != (len(X),):
        raise ValueError(
            f"a decision boundary needs points of shape (n, 2) and n labels; got {X.shape} and {y.shape}"
        )
    _, actual = classes_of(predict(model, X), y)
    margin = 0.1 * np.ptp(X, axis=0) + 1e-6 * (1.0 + np.abs(X).max())
    left, right = X.min(axis=0) - margin, X.max(axis=0) + margin
    across, up = (np.linspace(left[i], right[i], resolution) for i in (0, 1))
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    probabilities = _probabilities(predict(model, grid)).reshape(resolution, resolution, -1)

    axes = _axes(ax)
    colours = [_rgb(COLOURS[k % len(COLOURS)]) for k in range(probabilities.shape[-1])]
    winner, chance = probabilities.argmax(axis=-1), probabilities.max(axis=-1)
    sureness = (chance - 1 / len(colours)) / (1 - 1 / len(colours))
    shade = 0.15 + 0.4 * sureness[..., None]
    picture = 1.0 - shade * (1.0 - np.array(colours)[winner])
    axes.imshow(
        picture, origin="lower", extent=(left[0], right[0], left[1], right[1]), aspect="auto", zorder=0
    )
    for k in range(len(colours)) if len(colours) > 2 else [0]:
        others = np.delete(probabilities, k, axis=-1).max(axis=-1)
        lead = probabilities[..., k] - others
        if lead.min() < 0 < lead.max():
            axes.contour(across, up, lead, levels=[0.0], colors="#222222", linewidths=1.0)
    for label in np.unique(y):
        of_class = y == label
        colour = COLOURS[actual[of_class][0] % len(COLOURS)]
        axes.scatter(X[of_class, 0], X[of_class, 1], color=colour, edgecolors="white", s=30, label=label)
    axes.set(xlabel="input 0", ylabel="input 1", xlim=(left[0], right[0]), ylim=(left[1], right[1]))
    axes.legend(title="class", loc="best", fontsize="small")
    return axes


def weight_histograms(
    snapshots: Snapshots, part: str = "", ax: "Axes | None" = None, *, bins: int = 40
) -> "Axes":
    """Draw how the weights of a part of the model are distributed, from epoch to epoch.

    Each column of the picture is a histogram, darker where more weights are; the line is the median. The most
    extreme percent is cut off.

    Args:
        snapshots: the callback that kept them.
        part: the beginning of the parameters' paths, such as ``layers.0``; all of them by default.
        ax: where to draw.
        bins: how many intervals a histogram has.

    Returns:
        The Axes.

    Raises:
        ValueError: nothing was kept, or no parameter has such a path.

    Example:
        >>> from nn import MLP, SGD, fit, hinge
        >>> model, shots = MLP(1, [4, 1]), Snapshots()
        >>> history = fit(model, [[1.0]], [1], hinge, SGD(model.parameters()), 3, callbacks=[shots])
        >>> weight_histograms(shots, "layers.0").get_title()
        'layers.0'
    """
    return _histograms(snapshots, snapshots.weights, "weights", part, ax, bins)


def gradient_histograms(
    snapshots: Snapshots, part: str = "", ax: "Axes | None" = None, *, bins: int = 40
) -> "Axes":
    """Draw how the gradients of a part of the model are distributed, as ``weight_histograms`` does.

    Args:
        snapshots: the callback that kept them.
        part: the beginning of the parameters' paths, such as ``layers.0``; all of them by default.
        ax: where to draw.
        bins: how many intervals a histogram has.

    Returns:
        The Axes.

    Raises:
        ValueError: nothing was kept, or no parameter has such a path.

    Example:
        >>> from nn import MLP, SGD, fit, hinge
        >>> model, shots = MLP(1, [4, 1]), Snapshots()
        >>> history = fit(model, [[1.0]], [1], hinge, SGD(model.parameters()), 3, callbacks=[shots])
        >>> gradient_histograms(shots).get_ylabel()
        'gradients'
    """
    return _histograms(snapshots, snapshots.gradients, "gradients", part, ax, bins)


def loss_along_line(
    model: Module,
    X: ArrayLike,
    y: ArrayLike,
    loss: Loss,
    start: Mapping[str, float],
    end: Mapping[str, float],
    ax: "Axes | None" = None,
    *,
    steps: int = 61,
    margin: float = 0.25,
) -> "Axes":
    """Draw the mean loss along the straight line between two vectors of parameters.

    Source: I. Goodfellow, O. Vinyals and A. Saxe (2015), Qualitatively characterizing neural network
    optimization problems.

    Args:
        model: the model; its own parameters are not touched.
        X: the points, of shape (n, inputs).
        y: the n targets.
        loss: a function of the model's output for a point and its target.
        start: the parameters at 0, such as ``model.state_dict()`` before training.
        end: the parameters at 1.
        ax: where to draw.
        steps: at how many places the loss is evaluated.
        margin: how far the line goes on beyond both ends.

    Returns:
        The Axes.

    Raises:
        ValueError: the states do not fit the model, or the labels not the points.

    Example:
        >>> from nn import Neuron, half_squared_error
        >>> line, start, end = Neuron(1, nonlin=False), {"w.0": 0.0, "b": 0.0}, {"w.0": 3.0, "b": 0.0}
        >>> axes = loss_along_line(line, [[1.0]], [3.0], half_squared_error, start, end)
        >>> axes.get_lines()[1].get_ydata().tolist()  # at the start and at the end
        [4.5, 0.0]
    """
    walker = copy.deepcopy(model, {id(p): Value(p.data) for p in model.parameters()})
    places = np.linspace(-margin, 1.0 + margin, steps)
    losses = []
    for place in [*places, 0.0, 1.0]:
        walker.load_state_dict(
            {name: (1.0 - place) * a + place * end[name] for name, a in start.items() if name in end}
        )
        losses.append(mean_loss(walker, X, y, loss))
    axes = _axes(ax)
    axes.plot(places, losses[:-2], color=COLOURS[0])
    axes.plot([0.0, 1.0], losses[-2:], "o", color=COLOURS[1])
    axes.set(xlabel="place on the line", ylabel="mean loss")
    axes.set_xticks([0.0, 0.5, 1.0], ["start", "half way", "end"])
    return axes


def as_written(text: str) -> str:
    r"""Return a text that matplotlib draws as it is: no formula between dollars, no box for a missing letter.

    Example:
        >>> as_written("price in $"), as_written("a_b\x07")
        ('price in \\$', 'a_b\\x07')
    """
    from autograd.drawing import spelled_out

    return spelled_out(printable(text)).replace("$", r"\$")


def _curves(history: History, name: str, ax: "Axes | None") -> "Axes":
    if name not in history:
        raise ValueError(
            f"there is no {name!r} to draw: the history has {len(history)} epochs of "
            f"{', '.join(history.to_dict()) or 'nothing'}"
        )
    axes = _axes(ax)
    axes.plot(history["epoch"], history[name], color=COLOURS[0], label="training")
    if f"val_{name}" in history:
        axes.plot(history["epoch"], history[f"val_{name}"], color=COLOURS[1], label="validation")
    axes.set(xlabel="epoch", ylabel=as_written(name))
    axes.legend()
    return axes


def _histograms(
    snapshots: Snapshots,
    vectors: list[NDArray[np.float64]],
    what: str,
    part: str,
    ax: "Axes | None",
    bins: int,
) -> "Axes":
    chosen = [
        i for i, name in enumerate(snapshots.names) if f"{name}.".startswith(f"{part}." if part else "")
    ]
    if not chosen:
        raise ValueError(
            f"no snapshot has a parameter below {part!r}; there are {', '.join(snapshots.names[:3])}..."
        )
    table = np.array(vectors)[:, chosen]
    edges = np.histogram_bin_edges(table, bins, tuple(np.quantile(table, [0.005, 0.995])))
    counts = np.array([np.histogram(row, edges)[0] for row in table]).T
    epochs = np.array(snapshots.epochs)
    left = epochs - 0.5 * snapshots.every
    axes = _axes(ax)
    axes.pcolormesh(np.append(left, left[-1] + snapshots.every), edges, np.sqrt(counts), cmap="Blues")
    axes.plot(epochs, np.median(table, axis=1), color=COLOURS[1], label="median")
    axes.set(xlabel="epoch", ylabel=what, title=as_written(part) or "all parameters")
    axes.legend()
    return axes


def _probabilities(scores: Any) -> Any:
    """Return the probabilities that the scores would be of, whatever loss the model was trained with."""
    return (BINARY if scores.ndim == 1 else CLASSES).probabilities(scores)


def _axes(ax: "Axes | None") -> "Axes":
    """Return ``ax``, or the Axes of a new figure; matplotlib takes long to import, so only now."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _rgb(colour: str) -> tuple[float, float, float]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]  # three of them
