"""Pictures of training. Each function draws on ``ax``, or on a new figure, and returns the Axes."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from autograd import sigmoid
from nn.evaluate import as_table, predict
from nn.modules import Module

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")
"""Okabe and Ito's colours, which stay apart for the three kinds of colour blindness; one per class."""


def decision_boundary(
    model: Module, X: ArrayLike, y: ArrayLike, ax: "Axes | None" = None, *, resolution: int = 200
) -> "Axes":
    """Draw the classes that a model gives to each point of the plane, with the data on top.

    The stronger the shade, the surer the model: for one score the probability sigmoid(score), for several
    scores their softmax.

    Args:
        model: a network of two inputs and one score (its sign decides) or one per class (the largest wins).
        X: the points, of shape (n, 2).
        y: the n labels; of two, the larger one is where a single score is positive. Scores of several classes
            belong to the labels in ascending order.
        ax: where to draw.
        resolution: how many points of the plane are tried along each side.

    Returns:
        The Axes.

    Raises:
        ValueError: the points do not have two coordinates, or there are not as many labels.

    Example:
        >>> from nn import MLP, two_moons
        >>> X, y = two_moons(20, random_state=0)
        >>> decision_boundary(MLP(2, [4, 1]), X, y).get_xlabel()
        'input 0'
    """
    X, y = as_table(X), np.asarray(y)
    if X.shape[1] != 2 or y.shape != (len(X),):
        raise ValueError(
            f"a decision boundary needs points of shape (n, 2) and n labels; got {X.shape} and {y.shape}"
        )
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
    for k, label in enumerate(np.unique(y)):
        of_class = y == label
        axes.scatter(
            X[of_class, 0],
            X[of_class, 1],
            color=COLOURS[k % len(COLOURS)],
            edgecolors="white",
            s=30,
            label=label,
        )
    axes.set(xlabel="input 0", ylabel="input 1", xlim=(left[0], right[0]), ylim=(left[1], right[1]))
    axes.legend(title="class", loc="best", fontsize="small")
    return axes


def _probabilities(scores: Any) -> Any:
    if scores.ndim == 1:
        positive = np.asarray(sigmoid(scores))
        return np.stack([1.0 - positive, positive], axis=-1)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _axes(ax: "Axes | None") -> "Axes":
    """Return ``ax``, or the Axes of a new figure; matplotlib takes long to import, so only now."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _rgb(colour: str) -> tuple[float, float, float]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]  # three of them
