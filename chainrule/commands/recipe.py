"""What surrounds a network: how raw rows become its inputs, and its outputs become answers."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.commands.sources import LOSSES, MISSING, Data, kind_of
from chainrule.tables.columns import Column
from chainrule.tables.table import Table
from chainrule.terminal import CommandError, plain, shown
from nn import MLP, Module, Standardizer, predict
from nn.data import Points


@dataclass(frozen=True)
class Recipe:
    """All that a network needs besides its parameters; saved as its metadata.

    Attributes:
        columns: what its inputs are made of.
        targets: the names of the columns to predict.
        places: where those stand in the table that it was trained with, from 0.
        width: how many columns that table has.
        header: whether the names are those of the table's header.
        loss: a name in ``LOSSES``.
        classes: the names of the classes; none for numbers.
        missing: what was done about gaps.
        mean: the mean of each input in the training points.
        deviation: likewise the standard deviation, or 1 for a constant input.
        target_mean: the mean of each target, 0 for classes.
        target_deviation: likewise the standard deviation, 1 for classes.
    """

    columns: list[Column]
    targets: list[str]
    places: list[int]
    width: int
    header: bool
    loss: str
    classes: list[str]
    missing: str
    mean: list[float]
    deviation: list[float]
    target_mean: list[float]
    target_deviation: list[float]

    @property
    def features(self) -> list[str]:
        """The names of the network's inputs."""
        return [feature for column in self.columns for feature in column.features]

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return kind_of(self.loss).outputs(len(self.classes) or len(self.targets))

    @classmethod
    def made(cls, data: Data, training: Points) -> "Recipe":
        """Return the recipe for a data set, its scales taken from the training points alone."""
        X, y = training
        known = [column[~np.isnan(column)] for column in X.T]
        mean = [Standardizer(column[:, None]).mean[0] if len(column) else 0.0 for column in known]
        scale = Standardizer(np.where(np.isnan(X), mean, X))
        target = Standardizer(np.zeros((1, 1)) if data.classes else y.reshape(len(y), -1))
        return cls(
            data.columns,
            data.targets,
            data.places,
            data.width,
            data.header,
            data.loss,
            data.classes,
            data.missing,
            scale.mean.tolist(),
            scale.deviation.tolist(),
            target.mean.tolist(),
            target.deviation.tolist(),
        )

    def filled(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return raw points with the mean where there are gaps."""
        X = np.asarray(X, dtype=float)
        return np.where(np.isnan(X), self.mean, X)

    def scaled(self, points: Points) -> Points:
        """Return points and targets as the network and its loss want them."""
        X, y = points
        inputs = Standardizer.of(self.mean, self.deviation)(self.filled(X))
        if self.classes:
            return inputs, kind_of(self.loss).encoded(y)
        scale = Standardizer.of(self.target_mean, self.target_deviation)
        return inputs, scale(y.reshape(len(y), -1)).reshape(y.shape)

    def answers(self, scores: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        """Return what a network's outputs mean.

        Returns:
            The classes counted from 0, or the numbers; and the probability of each, or None if the loss
            gives no probabilities.
        """
        if not self.classes:
            scale = Standardizer.of(self.target_mean, self.target_deviation)
            return scale.undo(scores.reshape(len(scores), -1)).reshape(scores.shape), None
        chosen = (scores > 0).astype(int) if self.outputs == 1 else scores.argmax(axis=1)
        shares = kind_of(self.loss).probabilities(scores)
        return chosen, None if shares is None else shares.max(axis=1)

    def predict(self, model: Module, X: ArrayLike) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        """Return a network's answers for raw rows, as ``answers`` does.

        Raises:
            CommandError: an output is not finite.
        """
        with np.errstate(all="ignore"):
            scores = predict(OnRawRows(model, self), self.filled(X))
            answers, probabilities = self.answers(scores)
        finite = np.isfinite(np.column_stack([scores, answers])).all(axis=1)
        if not finite.all():
            raise CommandError(
                f"the network's output for point {finite.argmin() + 1} is not finite: "
                "its inputs are far from those that it was trained with"
            )
        return answers, probabilities

    def inputs(self, table: Table, missing: str) -> NDArray[np.float64]:
        """Return the raw points of a table, whose columns may stand in any order if they have names.

        Args:
            table: the table.
            missing: "mean" to fill gaps, else they are refused.

        Raises:
            CommandError: a column is missing, there are too many columns to know, or a cell is not as it
                should be.
        """
        places = self.places_in(table)
        X = np.hstack([c.encoded(table, place) for c, place in zip(self.columns, places, strict=True)])
        if missing != "mean" and np.isnan(X).any():
            owners = [place for c, place in zip(self.columns, places, strict=True) for _ in c.features]
            row, k = np.argwhere(np.isnan(X))[0]
            raise table.gap(int(row), owners[k], "fill it, or choose --missing mean")
        return X

    def places_in(self, table: Table) -> list[int]:
        """Return where the input columns stand in a table.

        Raises:
            CommandError: one is missing, or there are too many columns to know.
        """
        width, mine = len(table.names), [column.place for column in self.columns]
        if table.header and self.header:
            missing = [column.name for column in self.columns if column.name not in table.names]
            if missing:
                raise CommandError(
                    f"{table.path}: there is no column '{plain(missing[0])}', which the network was trained "
                    f"with; the columns are {shown(table.names)}"
                )
            return [table.names.index(column.name) for column in self.columns]
        if width == self.width:
            return mine
        if width == self.width - len(self.places):
            return [place - sum(target < place for target in self.places) for place in mine]
        if width != len(mine):
            raise CommandError(
                f"{table.path}: it has {width} columns, and the network was trained with {len(mine)} inputs"
            )
        return list(range(width))

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
            columns = [Column(c["name"], c["place"], tuple(c["texts"])) for c in saved["columns"]]
            recipe = cls(**{**saved, "columns": columns})
            for part in (recipe, *columns):
                for name, kind in get_type_hints(type(part)).items():
                    if not _is(getattr(part, name), kind):
                        raise ValueError(f"{name} {getattr(part, name)!r:.60} is no {kind}")
            inputs = {len(recipe.features), len(recipe.mean), len(recipe.deviation)}
            targets = {len(recipe.targets), len(recipe.places)}
            targets |= set() if recipe.classes else {len(recipe.target_mean), len(recipe.target_deviation)}
            known = recipe.loss in LOSSES and recipe.missing in MISSING
            if not known or len(inputs) > 1 or len(targets) > 1 or not recipe.targets:
                raise ValueError("its parts do not fit each other")
            if min([recipe.width, *recipe.places, *(column.place for column in columns)]) < 0:
                raise ValueError("a place is below 0")
            if not all(deviation > 0 for deviation in (*recipe.deviation, *recipe.target_deviation)):
                raise ValueError("a deviation is not above 0")
            if len(recipe.classes) == 1 or bool(recipe.classes) != kind_of(recipe.loss).classes:
                raise ValueError(f"{len(recipe.classes)} classes do not go with the loss {recipe.loss!r}")
            scores = predict(OnRawRows(model, recipe), np.zeros((2, len(recipe.features))))
            if scores[0].size != recipe.outputs or (recipe.outputs == 1 and len(recipe.classes) > 2):
                raise ValueError(f"{scores[0].size} outputs are too many or too few")
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise ValueError(f"its recipe does not fit its network: {error}") from None
        return recipe


def _is(thing: Any, kind: Any) -> bool:
    """Tell whether a thing is of the type that an attribute is declared as; numbers must be finite floats."""
    if get_origin(kind) in (list, tuple):
        return isinstance(thing, get_origin(kind)) and all(_is(item, get_args(kind)[0]) for item in thing)
    return type(thing) is kind and (kind is not float or math.isfinite(thing))


class OnRawRows(Module):
    """A network that scales its inputs itself.

    Args:
        model: the network.
        recipe: the means and deviations.
    """

    def __init__(self, model: Module, recipe: Recipe) -> None:
        self.model, self.scale = model, Standardizer.of(recipe.mean, recipe.deviation)

    def __call__(self, x: Any) -> Any:
        """Return the network's outputs for the numbers of a raw row, or for whole columns."""
        return self.model(self.scale.row(x))
