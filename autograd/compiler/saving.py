"""A program in a file: plain JSON, rebuilt from the operation table; nothing in it is executed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd import ops
from autograd.choosing import Take, taking
from autograd.compiler.plan import Apply, Expression, Index, Loop, Place, Plan, Region, Statement, Step
from autograd.compiler.sound import check_plan
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
        if type(body["version"]) is not int or not 1 <= body["version"] <= VERSION:
            raise ProgramFileError(
                f"{path} has version {body['version']!r}, and this package reads 1 to {VERSION}; upgrade it"
            )
        if outer["checksum"] != _checksum(text):
            raise ProgramFileError(f"{path} was changed since it was written; its checksum does not fit")
        plan = _Reader(body["tables"]).plan(body["plan"])
        check_plan(plan)
    except ProgramFileError:
        raise
    except UNFIT as error:
        raise unfit(path, error) from error
    return plan, body


UNFIT = (
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    RecursionError,
    OverflowError,
    MemoryError,
)
"""What is raised where a program is made of something that is none."""


def unfit(path: str | Path, error: BaseException) -> ProgramFileError:
    """Return the error that says that a file holds no program, and why."""
    return ProgramFileError(f"{path} holds no program: {type(error).__name__}: {error}")


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
    """The way back. What is read is of the kind that it should be, or refused: some of it is made source."""

    def __init__(self, tables: Any) -> None:
        self._tables = [_table(numbers, shape) for shape, numbers in _list(tables)]

    def plan(self, found: dict[str, Any]) -> Plan:
        return Plan(
            parameters=whole(found["parameters"]),
            fixed=whole(found["fixed"]),
            data=whole(found["data"]),
            constants=np.array([float.fromhex(number) for number in _list(found["constants"])], dtype=float),
            size=whole(found["size"]),
            regions=tuple(
                Region(_name(name), whole(start), tuple(map(whole, _list(shape))))
                for name, start, shape in _list(found["regions"])
            ),
            forward=tuple(map(self.step, _list(found["forward"]))),
            reverse=tuple(map(self.step, _list(found["reverse"]))),
            cleared=_pairs(found["cleared"]),
            outputs=tuple(map(whole, _list(found["outputs"]))),
            choices=_pairs(found["choices"]),
        )

    def step(self, found: dict[str, Any]) -> Step:
        if "loop" not in found:
            return self.statement(found)
        starts = tuple(None if n is None else self._tables[whole(n)] for n in _list(found["starts"]))
        body = tuple(map(self.statement, _list(found["loop"])))
        return Loop(body, starts, whole(found["length"]), _truth(found["backward"]))

    def statement(self, found: dict[str, Any]) -> Statement:
        places = [self.place(place) for place in _list(found["places"])]

        def expression(part: Any) -> Expression:
            if isinstance(part, int):
                return places[whole(part)]
            if isinstance(part, list):
                operation = self.operation(part[0], len(part) - 1)
                return Apply(operation, tuple(map(expression, part[1:])))
            return float.fromhex(part)

        return Statement(
            self.place(found["target"]),
            expression(found["expression"]),
            tuple(map(whole, _list(found["shape"]))),
            whole(found["summed"]),
            _truth(found["adds"]),
            _name(found["name"]),
            _truth(found["selects"]),
        )

    def place(self, found: dict[str, Any]) -> Place:
        table = self._tables[whole(found["table"])] if "table" in found else None
        choice = self.place(found["choice"]) if "choice" in found else None
        strides, step = tuple(map(_integer, _list(found["strides"]))), _integer(found.get("step", 0))
        return Place(_name(found["memory"]), _integer(found["base"]), strides, table, choice, step)

    @staticmethod
    def operation(name: str, count: int) -> Operation:
        if count > 1 and name == f"take {count - 1}":
            return taking(count - 1)
        if name not in ops.TABLE:
            raise ValueError(f"there is no operation {name!r} in the table")
        operation = ops.TABLE[name]
        if count != operation.arity:
            raise ValueError(f"{name} takes {operation.arity} arguments, not {count}")
        return operation


def _integer(found: Any) -> int:
    if type(found) is not int:  # nor a bool
        raise ValueError(f"{found!r:.60} stands where a whole number should")
    return found


def whole(found: Any) -> int:
    """Return a number that is whole and not negative, as it is."""
    if _integer(found) < 0:
        raise ValueError(f"{found} stands where a whole number from 0 on should")
    return int(found)


def _truth(found: Any) -> bool:
    if type(found) is not bool:
        raise ValueError(f"{found!r:.60} stands where true or false should")
    return found


def _list(found: Any) -> list[Any]:
    if type(found) is not list:
        raise ValueError(f"{found!r:.60} stands where a list should")
    return found


def _text(found: Any) -> str:
    if type(found) is not str:
        raise ValueError(f"{found!r:.60} stands where a text should")
    return found


def _name(found: Any) -> str:
    """Return a name, which may stand in a comment of the program's source, and so must be in one line."""
    if not _text(found).isprintable():
        raise ValueError(f"{found!r:.60} stands where a name should")
    return str(found)


def _pairs(found: Any) -> tuple[tuple[int, int], ...]:
    return tuple((whole(a), whole(b)) for a, b in _list(found))


def _table(numbers: Any, shape: Any) -> Index:
    addresses = [_integer(number) for number in _list(numbers)]
    return np.array(addresses, dtype=np.intp).reshape([whole(length) for length in _list(shape)])


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


def unnamed(found: Any, things: Sequence[Any] | None = None) -> Any:
    """Return the nest that `named` wrote, with things in the places of numbers if they are given.

    Raises:
        ValueError: the numbers do not count the things, or whatever is in the nest.
    """
    places: list[int] = []

    def walk(part: Any) -> Any:
        if not isinstance(part, dict):
            places.append(whole(part))
            return places[-1] if things is None else things[places[-1]]
        ((kind, parts),) = part.items()
        if kind == "dict":
            items = [(_text(key), walk(item)) for key, item in parts]
            if len(dict(items)) < len(items):
                raise ValueError("a dict has a key twice")
            return dict(items)
        if kind == "array":
            shape, contents = parts
            array = np.empty(len(contents), dtype=object)
            array[:] = [walk(place) for place in contents]
            return array.reshape(shape)
        if kind not in ("list", "tuple"):
            raise ValueError(f"there is no nest of the kind {kind!r}")
        sequence = [walk(item) for item in _list(parts)]
        return tuple(sequence) if kind == "tuple" else sequence

    made = walk(found)
    if places != [*range(len(places) if things is None else len(things))]:
        raise ValueError(f"a nest has the places {places!r:.60}, which do not count what is in it")
    return made


def nests(found: Mapping[str, Any], results: int, leaves: Sequence[Value], data: Sequence[Value]) -> Any:
    """Return outputs, aux, inputs and data as they were nested: outputs and aux by their places.

    Raises:
        ValueError: they are not those of a program with so many results.
    """
    outputs, aux = unnamed(found["outputs"]), unnamed(found["aux"])
    if len(flatten(outputs)[0]) + len(flatten(aux)[0]) != results:
        raise ValueError(f"outputs and aux do not have the program's {results} results")
    inputs = None if found["inputs"] is None else unnamed(found["inputs"], leaves)
    return outputs, aux, inputs, unnamed(found["data"], data)


def leaf_state(leaf: Value) -> list[Any]:
    """Return a leaf's number and label."""
    return [leaf.data.hex(), leaf.label]


def leaf(state: Any) -> Value:
    """Return the leaf that has a state."""
    number, label = _list(state)
    return Value(float.fromhex(number), _text(label))
