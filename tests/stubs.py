"""The types of the table for mypy, pyright and editors: ``python -m tests.stubs`` writes them from the rows.

``autograd/ops/__init__.pyi`` says what each row takes as a function, and ``autograd/methods.pyi`` as a method
and as an operator of `Value`. A test holds both to the table.
"""

import math
from pathlib import Path

import autograd
from autograd import ops
from autograd.row import Operation

HERE = Path(autograd.__file__).parent
HEAD = "# Written by `python -m tests.stubs` from the rows of autograd/ops: add a row there, and run it.\n"
RESULTS = {"float": "float", "R | float": "R", "R | float | NDArray[Any]": "NDArray[Any]"}
REFLECTED = {"add", "sub", "mul", "truediv", "pow", "mod", "floordiv"}


def parameters(row: Operation, kind: str, skip: int = 0) -> str:
    """Return the parameters after ``self``, each of a kind, the last ones with their defaults."""
    required = row.arity - len(row.defaults)
    texts = []
    for place, name in enumerate(row.arguments[skip:], skip):
        default = row.defaults[place - required] if place >= required else None
        taken = "float" if name in row.constants else kind
        text = f"{name}: {taken}"
        if default is not None:
            text += f" = {default!r}" if math.isfinite(default) else " = ..."
        texts.append(text)
    return ", ".join(["self", *texts])


def kind_of(row: Operation) -> str:
    """Return the name of the class of all rows that are called alike."""
    return "_Of_" + "_".join(row.arguments)


def functions() -> str:
    """Return ``ops/__init__.pyi``: a class for each way of being called, and the rows."""
    lines = [
        HEAD + "from typing import Any, overload\n",
        "from numpy.typing import NDArray\n",
        "from autograd.row import Operation, R\n",
    ]
    kinds = {(kind_of(row), row.defaults): row for row in ops.TABLE.values()}
    for (name, _), row in kinds.items():
        lines.append(f"class {name}(Operation):")
        for kind, result in RESULTS.items():
            if row.arity == 1:  # one argument decides
                kind = result
            lines += [
                "    @overload",
                f"    def __call__({parameters(row, kind)}) -> {result}: ...",
            ]
        lines.append("")
    lines += [f"{row.name}: {kind_of(row)}" for row in ops.TABLE.values()]
    lines += ["", "TABLE: dict[str, Operation]", ""]
    return "\n".join(lines)


def methods() -> str:
    """Return ``methods.pyi``: the base class of `Value` that has each row as a method."""
    lines = [
        HEAD + "from typing import Any, overload\n",
        "from numpy.typing import NDArray\n",
        "from autograd.value import Value\n",
        "class Methods:",
    ]
    for row in ops.TABLE.values():
        names = dict.fromkeys([row.name, row.numpy] if isinstance(row.numpy, str) else [row.name])
        if row.operator is not None:
            names[f"__{row.operator}__"] = None
            if row.operator in REFLECTED:
                names[f"__r{row.operator}__"] = None
        for name in names:
            if row.arity == 1:
                lines.append(f"    def {name}(self) -> Value: ...")
                continue
            for kind, result in (
                ("Value | float", "Value"),
                ("Value | float | NDArray[Any]", "NDArray[Any]"),
            ):
                lines += ["    @overload", f"    def {name}({parameters(row, kind, 1)}) -> {result}: ..."]
    for name in ("__lt__", "__le__", "__gt__", "__ge__"):
        for taken, result in (("Value | float", "bool"), ("NDArray[Any]", "NDArray[Any]")):
            lines += ["    @overload", f"    def {name}(self, other: {taken}) -> {result}: ..."]
    return "\n".join([*lines, ""])


STUBS = {"ops/__init__.pyi": functions, "methods.pyi": methods}

if __name__ == "__main__":
    for name, text in STUBS.items():
        (HERE / name).write_text(text())
