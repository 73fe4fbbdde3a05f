"""A training that a page runs a step at a time, so that it can be watched, stopped and looked into."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.value import Value

COLUMNS, ROWS = 32, 24
"""How fine the picture of a model is: it asks for so many points of the plane, each time it is drawn."""

_MARGIN = 0.25  # beyond the points, as a share of their range


@dataclass(frozen=True)
class Training:
    """The steps of a training, and what is to be seen of it beside the losses.

    At the end of a program the playground runs it, a step at a time. Everywhere else it is an iterable of the
    losses.

    Attributes:
        steps: yields the loss of each step *before* the parameters are changed: while the steps are at a stop
            there, the loss is walked through as it was computed.
        model: a function from a point, two numbers, to a score: the page draws where it is positive. None for
            the losses alone.
        points: pairs of numbers.
        labels: for each point a number; those above 0 are one class, the others another.

    Raises:
        TypeError: ``steps`` is not iterable, or ``model`` is not a function.
        ValueError: a point has not two numbers, or there are more or fewer labels than points.

    Example:
        >>> w = Value(0.0, "w")
        >>> def descend():
        ...     while True:
        ...         loss = (w - 1) ** 2
        ...         yield loss
        ...         w.grad = 0.0
        ...         loss.backward()
        ...         w.data -= 0.25 * w.grad
        >>> training = Training(descend(), lambda point: w.data * point[0], [[0, 0], [1, 2]], [-1, 1])
        >>> [loss.data for loss, _ in zip(training, range(3))]
        [1.0, 0.25, 0.0625]
    """

    steps: Iterable[Value]
    model: Callable[[Sequence[float]], Any] | None = None
    points: Sequence[Sequence[float]] = ()
    labels: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Check what would otherwise fail in the middle of the training."""
        if not isinstance(self.steps, Iterable):
            raise TypeError(
                f"steps must yield the losses, such as a call of a function with `yield loss`, not "
                f"{type(self.steps).__name__}: {self.steps!r:.60}"
            )
        if self.model is not None and not callable(self.model):
            raise TypeError(f"model must be a function of a point, not {type(self.model).__name__}")
        if len(self.points) != len(self.labels):
            raise ValueError(
                f"every point needs a label: there are {len(self.labels)} for {len(self.points)} points"
            )
        for point in self.points:
            if len(point) != 2:
                raise ValueError(f"a point in the plane has two numbers, which {point!r:.60} has not")

    def __iter__(self) -> Iterator[Value]:
        """Return the losses, one for each step."""
        return iter(self.steps)

    def told(self) -> dict[str, Any]:
        """Return what the page draws.

        Returns:
            ``scene``: what does not change: the points with their labels, and the part of the plane that is
            drawn. ``scores``: the model's on a grid, row by row from above, in the middle of each cell.
            ``right``: how many points are on their side.
        """
        points = [[float(number) for number in point] for point in self.points]
        labels = [float(label) for label in self.labels]
        left, right, low, high = box = self._box
        scene = {"points": points, "labels": labels, "box": box, "columns": COLUMNS, "rows": ROWS}
        if self.model is None:
            return {"scene": scene, "scores": [], "right": 0}
        # A module's copy without a graph is as good, and fast.
        model = self.model.frozen() if hasattr(self.model, "frozen") else self.model
        across = [left + (right - left) * (k + 0.5) / COLUMNS for k in range(COLUMNS)]
        down = [high - (high - low) * (k + 0.5) / ROWS for k in range(ROWS)]
        return {
            "scene": scene,
            "scores": [_number(model([x, y])) for y in down for x in across],
            "right": sum(
                (_number(model(point)) > 0) == (label > 0)
                for point, label in zip(points, labels, strict=True)
            ),
        }

    @property
    def _box(self) -> list[float]:
        """The least and greatest number in each direction."""
        box = []
        for numbers in zip(*self.points, strict=True) if self.points else [(-1.0, 1.0)] * 2:
            low, high = float(min(numbers)), float(max(numbers))
            margin = _MARGIN * (high - low) or 1.0
            box += [low - margin, high + margin]
        return box


def _number(score: Any) -> float:
    if isinstance(score, (list, tuple)):
        if len(score) != 1:
            raise ValueError(f"a model that is drawn must give one score for a point, not {len(score)}")
        (score,) = score
    return float(score.data if isinstance(score, Value) else score)
