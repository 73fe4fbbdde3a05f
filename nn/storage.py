"""Models as JSON files: exact floats, a versioned schema, written whole or not at all, never pickled."""

import json
import math
import os
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

from autograd.files import write_file

FORMAT = "chainrule model"
VERSION = 1


@dataclass(frozen=True)
class Saved:
    """What a model file holds.

    Attributes:
        parameters: the numbers by their paths in the model.
        architecture: how to make the model anew, None if it is not made of the package's parts alone.
        metadata: whatever the user saved with it, such as the names of the classes.
        training: the state of an unfinished training, None if there is none.
    """

    parameters: dict[str, float]
    architecture: dict[str, Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] | None = None


def write(path: str | os.PathLike[str], saved: Saved) -> None:
    """Write a model file. The shortest decimal that reads back as the same double stands for each number.

    Raises:
        ValueError: a parameter is not finite, or metadata or state are not what JSON can hold.
        OSError: the file cannot be written; what was there before is untouched.
    """
    for name, number in saved.parameters.items():
        if not math.isfinite(number):
            raise ValueError(f"parameter {name} is {number}, and a model file holds finite numbers only")
    try:
        content = asdict(saved)
        if saved.training is None:
            del content["training"]
        checksum = _checksum(content)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"metadata and state cannot be written as JSON: {error}") from None
    document = {"format": FORMAT, "version": VERSION, "checksum": checksum, **content}
    write_file(Path(path), (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())


def read(path: str | os.PathLike[str]) -> Saved:
    """Read a model file.

    Raises:
        ValueError: the file is truncated, changed, of another format or of a newer version.
        OSError: it cannot be read.
    """
    try:
        document = json.loads(
            Path(path).read_bytes(),
            parse_constant=_no_constant,
            parse_float=_float,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, f"it is no complete JSON document ({error})") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _unreadable(path, f'it is not a model that this package saved: it has no "format": "{FORMAT}"')
    version = document.get("version")
    if version != VERSION or type(version) is not int:
        raise _unreadable(path, f"its version is {version!r:.40}, this package reads {VERSION}")
    content = {key: document.get(key) for key in ("parameters", "architecture", "metadata")}
    if "training" in document:
        content["training"] = document["training"]
    if unknown := sorted(document.keys() - content.keys() - {"format", "version", "checksum"}):
        raise _unreadable(path, f"this package does not know its key {unknown[0]!r:.40}")
    if "checksum" not in document:
        raise _unreadable(path, "it has no checksum, so it is not whole; save the model again")
    try:
        checksum = _checksum(content)
    except RecursionError:
        raise _unreadable(path, "it is nested too deeply to be a model") from None
    if document["checksum"] != checksum:
        raise _unreadable(path, "its checksum does not match, so it was changed; save the model again")
    parameters, architecture, metadata = (content[key] for key in ("parameters", "architecture", "metadata"))
    training = content.get("training")
    if not (
        isinstance(parameters, dict)
        and isinstance(metadata, dict)
        and isinstance(architecture, dict | None)
        and isinstance(training, dict | None)
    ):
        raise _unreadable(path, "its parameters, architecture and metadata are not three JSON objects")
    try:
        numbers = {name: as_number(name, number) for name, number in parameters.items()}
    except (TypeError, ValueError) as error:
        raise _unreadable(path, str(error)) from None
    return Saved(numbers, architecture, metadata, training)


def check_names(expected: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Compare the names of parameters.

    Raises:
        ValueError: some are missing or not known.
    """
    missing = [name for name in expected if name not in given]
    unknown = [name for name in given if name not in expected]
    complaints = [
        f"{len(names)} are {what} ({', '.join(map(str, names[:3]))}{', ...' if len(names) > 3 else ''})"
        for what, names in (("missing", missing), ("unknown", unknown))
        if names
    ]
    if complaints:
        raise ValueError(
            f"the parameters do not fit the model: {' and '.join(complaints)}; "
            "load them into a model of the same layers"
        )


def as_number(name: str, number: Any) -> float:
    """Return a parameter's number as a finite float.

    Raises:
        TypeError: it is no number.
        ValueError: it is not finite.
    """
    if isinstance(number, bool) or not isinstance(number, Real):
        raise TypeError(f"parameter {name} must be a number, not {number!r:.40}")
    try:
        as_double = float(number)
    except OverflowError:
        as_double = math.inf
    if not math.isfinite(as_double):
        raise ValueError(f"parameter {name} is {number!r:.40}; it must be finite, and below 1.8e308")
    return as_double


def _checksum(content: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(content, sort_keys=True, allow_nan=False).encode())


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits:.40} is beyond the range of floats")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, in which no name may stand twice: readers differ in which one they believe."""
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r:.40} stands twice in an object")
    return entries


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _unreadable(path: str | os.PathLike[str], reason: str) -> ValueError:
    return ValueError(f"cannot load {os.fspath(path)!r}: {reason}")
