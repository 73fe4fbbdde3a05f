"""What surrounds a network: how raw rows become its inputs, and its outputs become answers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd.ops import sigmoid
from chainrule.commands import CommandError
from chainrule.commands.sources import LOSSES, REGRESSION, SINGLE_SCORE, Data
from nn import MLP, Module, Standardiser, predict
from nn.data import Points


@dataclass(frozen=True)
class Recipe:
    """All that a network needs besides its parameters; saved as its metadata.

    Attributes:
        features: the names of the input columns.
        target: the name of the column to predict.
        place: where that column stands in the table, from 0.
        header: whether the names are those of a table's header.
        loss: a name in ``LOSSES``.
        classes: the names of the classes; none for a number.
        mean: the mean of each input column in the training points.
        deviation: likewise the standard deviation, or 1 for a constant column.
        target_mean: the mean of the target, 0 for classes.
        target_deviation: likewise the standard deviation, 1 for classes.
    """

    features: list[str]
    target: str
    place: int
    header: bool
    loss: str
    classes: list[str]
    mean: list[float]
    deviation: list[float]
    target_mean: float = 0.0
    target_deviation: float = 1.0

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return 1 if self.loss in (*SINGLE_SCORE, *REGRESSION) else len(self.classes)

    @classmethod
    def made(cls, data: Data, training: Points) -> "Recipe":
        """Return the recipe for a data set, its scales taken from the training points alone.

        Raises:
            CommandError: numbers so large that they cannot be scaled.
        """
        X, y = training
        with np.errstate(all="ignore"):
            scale = Standardiser(X)
            target = Standardiser(y.reshape(-1, 1))
        for name, deviation in zip(
            [*data.features, data.target], [*scale.deviation, *target.deviation], strict=True
        ):
            if not np.isfinite(deviation):
                raise CommandError(
                    f"{data.name}: the numbers of '{name}' are too large; give them another unit"
                )
        recipe = cls(
            features=data.features,
            target=data.target,
            place=data.place,
            header=data.header,
            loss=data.loss,
            classes=data.classes,
            mean=scale.mean.tolist(),
            deviation=scale.deviation.tolist(),
        )
        if data.classes:
            return recipe
        return replace(recipe, target_mean=float(target.mean[0]), target_deviation=float(target.deviation[0]))

    def scaled(self, points: Points) -> Points:
        """Return points and targets as the network and its loss want them."""
        X, y = points
        if not self.classes:
            y = (y - self.target_mean) / self.target_deviation
        elif self.loss == "hinge":
            y = 2 * y - 1
        return (X - self.mean) / self.deviation, y

    def answers(self, scores: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        """Return what a network's outputs mean.

        Returns:
            The classes counted from 0, or the numbers; and the probability of each, or None if the loss
            gives no probabilities.
        """
        if not self.classes:
            return scores * self.target_deviation + self.target_mean, None
        if self.outputs == 1:
            chosen = (scores > 0).astype(int)
            return chosen, None if self.loss == "hinge" else np.asarray(sigmoid(np.abs(scores)))
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return scores.argmax(axis=1), powers.max(axis=1) / powers.sum(axis=1)

    def predict(self, model: Module, X: ArrayLike) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        """Return a network's answers for raw rows, as ``answers`` does.

        Raises:
            CommandError: an output is not finite.
        """
        with np.errstate(all="ignore"):
            scores = predict(OnRawRows(model, self), X)
            answers, probabilities = self.answers(scores)
        finite = np.isfinite(np.column_stack([scores, answers])).all(axis=1)
        if not finite.all():
            raise CommandError(
                f"the network's output for point {finite.argmin() + 1} is not finite: "
                "its inputs are far from those that it was trained with"
            )
        return answers, probabilities

    def to_metadata(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"recipe": asdict(self)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any], model: MLP) -> "Recipe":
        """Return the recipe that was saved with a network.

        Raises:
            ValueError: there is none, or one that does not fit the network.
        """
        saved = metadata.get("recipe")
        if not isinstance(saved, dict):
            raise ValueError("it does not say what its inputs are; make it with chainrule train")
        try:
            recipe = cls(**saved)
            sizes = {len(recipe.features), len(recipe.mean), len(recipe.deviation)}
            scores = predict(OnRawRows(model, recipe), np.zeros((2, len(recipe.features))))
            fits = len(sizes) == 1 and recipe.loss in LOSSES and scores[0].size == recipe.outputs
            recipe.answers(scores)
        except (TypeError, ValueError, IndexError) as error:
            raise ValueError(f"its recipe does not fit its network: {error}") from None
        if not fits:
            raise ValueError("its recipe does not fit its network")
        return recipe


class OnRawRows(Module):
    """A network that scales its inputs itself.

    Args:
        model: the network.
        recipe: the means and deviations.
    """

    def __init__(self, model: Module, recipe: Recipe) -> None:
        self.model, self.mean, self.deviation = model, recipe.mean, recipe.deviation

    def __call__(self, x: Any) -> Any:
        """Return the network's outputs for the numbers of a raw row, or for whole columns."""
        return self.model([(a - m) / d for a, m, d in zip(x, self.mean, self.deviation, strict=True)])
