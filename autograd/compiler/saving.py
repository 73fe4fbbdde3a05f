"""A program in a file: plain JSON, rebuilt from the operation table; nothing in it is executed."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd import ops
from autograd.choosing import Take, taking
from autograd.compiler.plan import (
    Apply,
    Expression,
    Index,
    Loop,
    Place,
    Plan,
    Region,
    Statement,
    Step,
    places_of,
    statements_of,
)
from autograd.nested import flatten
from autograd.row import Operation
from autograd.value import Value

VERSION = 1
"""Of the file's form; a file of a later one is refused."""


class ProgramFileError(ValueError):
    """A file holds no program that can be rebuilt; the message names the file and the reason."""


def write(plan: Plan, state: Mapping[str, Any]) -> str:
    """Return a program as text.

    Args:
        plan: the program.
        state: what else belongs to it, of JSON's kinds.

    Raises:
        ValueError: it uses an operation that is not in this package's table.
    """
    writer = _Writer()
    body = {
        "version": VERSION,
        "kind": "autograd program",
        "plan": writer.plan(plan),
        "tables": writer.tables,
        **state,
    }
    text = json.dumps(body, separators=(",", ":"))
    return json.dumps({"checksum": _checksum(text), "program": body}, separators=(",", ":"))


def read(path: Path) -> tuple[Plan, dict[str, Any]]:
    """Return the plan and the rest of what `write` made.

    Raises:
        ProgramFileError: the file is no such text, was changed, or is of a later version.
        OSError: it cannot be read.
    """
    try:
        outer = json.loads(path.read_bytes())
        body = outer["program"]
        text = json.dumps(body, separators=(",", ":"))
        if not isinstance(body, dict) or body["kind"] != "autograd program":
            raise ProgramFileError(f"{path} is no program file")
        if type(body["version"]) is not int or body["version"] > VERSION:
            raise ProgramFileError(
                f"{path} has version {body['version']!r}, and this package reads up to {VERSION}; upgrade it"
            )
        if outer["checksum"] != _checksum(text):
            raise ProgramFileError(f"{path} was changed since it was written; its checksum does not fit")
        plan = _Reader(body["tables"]).plan(body["plan"])
        check(plan)
    except ProgramFileError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ProgramFileError(f"{path} holds no program: {type(error).__name__}: {error}") from error
    return plan, body


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _Writer:
    """Turns a plan into JSON's kinds; tables of addresses are kept once each."""

    def __init__(self) -> None:
        self.tables: list[Any] = []
        self._known: dict[bytes, int] = {}

    def plan(self, plan: Plan) -> dict[str, Any]:
        return {
            "parameters": plan.parameters,
            "fixed": plan.fixed,
            "data": plan.data,
            "constants": [number.hex() for number in plan.constants.tolist()],
            "size": plan.size,
            "regions": [[region.name, region.start, list(region.shape)] for region in plan.regions],
            "forward": [self.step(step) for step in plan.forward],
            "reverse": [self.step(step) for step in plan.reverse],
            "cleared": [list(bounds) for bounds in plan.cleared],
            "outputs": list(plan.outputs),
            "choices": [list(choice) for choice in plan.choices],
        }

    def step(self, step: Step) -> dict[str, Any]:
        if isinstance(step, Statement):
            return self.statement(step)
        return {
            "loop": [self.statement(statement) for statement in step.body],
            "starts": [None if starts is None else self.table(starts) for starts in step.starts],
            "length": step.length,
            "backward": step.backward,
        }

    def statement(self, statement: Statement) -> dict[str, Any]:
        known: dict[int, int] = {}
        places: list[Any] = []

        def expression(part: Expression) -> Any:
            if isinstance(part, Place):
                if id(part) not in known:
                    known[id(part)] = len(places)
                    places.append(self.place(part))
                return known[id(part)]
            if isinstance(part, Apply):
                return [self.operation(part.operation), *map(expression, part.arguments)]
            return part.hex()

        return {
            "target": self.place(statement.target),
            "expression": expression(statement.expression),
            "places": places,
            "shape": list(statement.shape),
            "summed": statement.summed,
            "adds": statement.adds,
            "name": statement.name,
            "selects": statement.selects,
        }

    def place(self, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {
            "memory": place.memory,
            "base": place.base,
            "strides": list(place.strides),
        }
        if place.table is not None:
            found["table"] = self.table(place.table)
        if place.choice is not None:
            found |= {"choice": self.place(place.choice), "step": place.step}
        return found

    def table(self, table: Index) -> int:
        key = str(table.shape).encode() + table.tobytes()
        if key not in self._known:
            self._known[key] = len(self.tables)
            self.tables.append([list(table.shape), table.ravel().tolist()])
        return self._known[key]

    @staticmethod
    def operation(operation: Operation) -> str:
        if isinstance(operation, Take):
            return f"take {operation.arity - 1}"
        if ops.TABLE.get(operation.name) is not operation:
            raise ValueError(
                f"the program uses {operation.name!r}, which is not in autograd's table, so a file could not "
                "say what it computes; write it with operations of the table, or pickle the program"
            )
        return operation.name


class _Reader:
    """The way back."""

    def __init__(self, tables: list[Any]) -> None:
        self._tables = [np.array(numbers, dtype=np.intp).reshape(shape) for shape, numbers in tables]

    def plan(self, found: dict[str, Any]) -> Plan:
        return Plan(
            parameters=found["parameters"],
            fixed=found["fixed"],
            data=found["data"],
            constants=np.array([float.fromhex(number) for number in found["constants"]], dtype=float),
            size=found["size"],
            regions=tuple(Region(name, start, tuple(shape)) for name, start, shape in found["regions"]),
            forward=tuple(map(self.step, found["forward"])),
            reverse=tuple(map(self.step, found["reverse"])),
            cleared=tuple((start, stop) for start, stop in found["cleared"]),
            outputs=tuple(found["outputs"]),
            choices=tuple((address, count) for address, count in found["choices"]),
        )

    def step(self, found: dict[str, Any]) -> Step:
        if "loop" not in found:
            return self.statement(found)
        starts = tuple(None if number is None else self._tables[number] for number in found["starts"])
        return Loop(tuple(map(self.statement, found["loop"])), starts, found["length"], found["backward"])

    def statement(self, found: dict[str, Any]) -> Statement:
        places = [self.place(place) for place in found["places"]]

        def expression(part: Any) -> Expression:
            if isinstance(part, int):
                return places[part]
            if isinstance(part, list):
                operation = self.operation(part[0])
                if len(part) != operation.arity + 1:
                    raise ValueError(f"{part[0]} takes {operation.arity} arguments, not {len(part) - 1}")
                return Apply(operation, tuple(map(expression, part[1:])))
            return float.fromhex(part)

        return Statement(
            self.place(found["target"]),
            expression(found["expression"]),
            tuple(found["shape"]),
            found["summed"],
            found["adds"],
            found["name"],
            found["selects"],
        )

    def place(self, found: dict[str, Any]) -> Place:
        table = self._tables[found["table"]] if "table" in found else None
        choice = self.place(found["choice"]) if "choice" in found else None
        strides = tuple(found["strides"])
        return Place(found["memory"], found["base"], strides, table, choice, found.get("step", 0))

    @staticmethod
    def operation(name: str) -> Operation:
        if name.startswith("take "):
            return taking(int(name.removeprefix("take ")))
        if name not in ops.TABLE:
            raise ValueError(f"there is no operation {name!r} in the table")
        return ops.TABLE[name]


def check(plan: Plan) -> None:
    """Refuse a plan that would read or write outside its memory.

    Raises:
        ValueError: naming the statement.
    """
    choices = dict(plan.choices)
    for steps in (plan.forward, plan.reverse):
        for step in steps:
            for statement in statements_of([step]):
                for place in (statement.target, *places_of(statement.expression)):
                    _check_place(place, statement, plan, choices)
            if isinstance(step, Loop):
                _check_loop(step)
    for address in (*plan.outputs, *choices, *(bound - 1 for bounds in plan.cleared for bound in bounds)):
        if not -1 <= address < plan.size:
            raise ValueError(f"address {address} is outside the {plan.size} cells")


def _check_place(place: Place, statement: Statement, plan: Plan, choices: Mapping[int, int]) -> None:
    if place.memory not in ("v", "d") or len(place.strides) != len(statement.shape):
        raise ValueError(f"a place of {statement.name!r} does not fit its statement")
    if place.table is not None and place.table.shape != statement.shape[: place.table.ndim]:
        raise ValueError(f"a table of {statement.name!r} has another shape than its statement")
    addresses = place.addresses(statement.shape)
    reach = 0
    if place.choice is not None:
        counts = {choices.get(int(a), 0) for a in np.unique(place.choice.addresses(statement.shape))}
        if 0 in counts:
            raise ValueError(f"a choice of {statement.name!r} is read from what is no index")
        reach = place.step * (max(counts) - 1)
    if addresses.size:
        low = int(addresses.min()) + min(reach, 0)
        high = int(addresses.max()) + max(reach, 0)
        if low < 0 or high >= plan.size:
            raise ValueError(f"{statement.name!r} reaches cells {low} to {high} of {plan.size}")


def _check_loop(loop: Loop) -> None:
    for statement, starts in zip(loop.body, loop.starts, strict=True):
        rows = statement.shape[0] if statement.shape else 0
        if starts is None:
            fits = rows == loop.length
        else:
            rises = bool((np.diff(starts) >= 0).all())
            fits = len(starts) == loop.length + 1 and starts[0] >= 0 and starts[-1] <= rows and rises
        if not fits:
            raise ValueError(f"the steps of {statement.name!r} do not fit its loop")


def named(nest: Any) -> Any:
    """Return a nest with the places of its contents in the order of `flatten`, of JSON's kinds.

    Raises:
        TypeError: a container other than lists, tuples, dicts with text keys, and arrays.
    """
    items, rebuild = flatten(nest)
    return _plain(rebuild([*range(len(items))]))


def _plain(nest: Any) -> Any:
    if isinstance(nest, Mapping):
        if not all(isinstance(key, str) for key in nest):
            raise TypeError("a program file keeps dicts whose keys are texts; use such keys")
        return {"dict": [[key, _plain(value)] for key, value in nest.items()]}
    if isinstance(nest, np.ndarray):
        return {"array": [list(nest.shape), [int(place) for place in nest.ravel()]]}
    if isinstance(nest, (list, tuple)):
        return {"tuple" if isinstance(nest, tuple) else "list": [_plain(item) for item in nest]}
    return int(nest)


def unnamed(found: Any, make: Callable[[int], Any]) -> Any:
    """Return the nest that `named` wrote, with things in the places of numbers."""
    if isinstance(found, int):
        return make(found)
    ((kind, parts),) = found.items()
    if kind == "dict":
        return {key: unnamed(part, make) for key, part in parts}
    if kind == "array":
        array = np.empty(len(parts[1]), dtype=object)
        array[:] = [make(place) for place in parts[1]]
        return array.reshape(parts[0])
    items = [unnamed(part, make) for part in parts]
    return tuple(items) if kind == "tuple" else items


def leaf_state(leaf: Value) -> list[Any]:
    """Return a leaf's number and label."""
    return [leaf.data.hex(), leaf.label]
