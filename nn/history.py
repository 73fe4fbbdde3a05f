"""What happened in a training: a record per epoch, and why it ended."""

import csv
import io
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autograd.files import write_file
from nn.habits import Familiar


class History(Familiar):
    """The records of a training, one per epoch.

    Attributes:
        records: a dict per epoch with ``epoch`` (from 0), ``lr``, ``loss`` and, where asked for, the metric,
            ``val_loss`` and the metric's name after ``val_``.
        stopped: why the training ended before its last epoch; "" if it did not.

    Example:
        >>> history = History()
        >>> history.records.append({"epoch": 0, "loss": 0.5})
        >>> history.records.append({"epoch": 1, "loss": 0.25})
        >>> history["loss"]
        [0.5, 0.25]
        >>> history
        <History of 2 epochs: loss 0.5 -> 0.25>
    """

    def __init__(self) -> None:
        self.records: list[dict[str, float]] = []
        self.stopped = ""

    def __getitem__(self, name: str) -> list[float]:
        """Return one column, such as ``history["loss"]``.

        Raises:
            KeyError: it was not recorded.
        """
        columns = self.to_dict()
        if name not in columns:
            raise KeyError(f"{name!r} was not recorded; there are {', '.join(columns) or 'no records'}")
        return columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.to_dict()

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def to_dict(self) -> dict[str, list[float]]:
        """Return the columns by their names.

        Example:
            >>> history = History()
            >>> history.records = [{"epoch": 0, "loss": 0.5}, {"epoch": 1, "loss": 0.25}]
            >>> history.to_dict()
            {'epoch': [0, 1], 'loss': [0.5, 0.25]}
        """
        names = list(self.records[0]) if self.records else []
        return {name: [record[name] for record in self.records] for name in names}

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a CSV file, whole or not at all: a row per epoch, and floats that read back exactly.

        Raises:
            OSError: the file cannot be written; what was there before is untouched.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.to_dict())
        writer.writerows(record.values() for record in self.records)
        write_file(Path(path), text.getvalue().encode())

    def state_dict(self) -> dict[str, Any]:
        """Return the records as JSON can hold them: a number that is not finite as its name.

        Example:
            >>> history = History()
            >>> history.records = [{"epoch": 0, "val_loss": math.inf}]
            >>> history.state_dict()
            {'records': [{'epoch': 0, 'val_loss': 'inf'}], 'stopped': ''}
        """
        records = [{name: packed(number) for name, number in record.items()} for record in self.records]
        return {"records": records, "stopped": self.stopped}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "History":
        """Return the history that ``state_dict`` was taken of.

        Raises:
            KeyError: the state has no records.
            TypeError: they are no records.
            ValueError: an entry is no number.
        """
        history = cls()
        history.records = [
            {str(name): number_of(number) for name, number in record.items()} for record in state["records"]
        ]
        history.stopped = str(state["stopped"])
        return history

    def __repr__(self) -> str:
        columns = {name: c for name, c in self.to_dict().items() if name not in ("epoch", "lr")}
        changes = ", ".join(f"{name} {c[0]:.4g} -> {c[-1]:.4g}" for name, c in columns.items())
        stopped = f"; stopped: {self.stopped}" if self.stopped else ""
        return f"<History of {len(self)} epochs{': ' if changes else ''}{changes}{stopped}>"


def packed(number: float) -> float | str:
    """Return a number as JSON can hold it."""
    return number if math.isfinite(number) else repr(float(number))


def number_of(said: Any) -> float:
    """Return the number that was packed.

    Raises:
        ValueError: it is none.
    """
    if isinstance(said, str):
        if said not in ("inf", "-inf", "nan"):
            raise ValueError(f"{said!r:.40} is no number")
        return float(said)
    if isinstance(said, bool) or not isinstance(said, (int, float)):
        raise ValueError(f"{said!r:.40} is no number")
    return said
