"""Transforms: functions that take a function and return its derivative, as a function again.

Every transform calls the function with fresh nodes, ``+x`` for each number or Value ``x`` in the arguments,
and reads the graph between them and the outputs, backward (`sweep`) or forward (`push`), with the same local
derivatives. The inputs are fresh, so a derivative is by them alone; they still hang on what was passed in, so
a transform around this one sees through. That is why transforms nest without confusing levels.

Arguments and results are numbers, Values, NumPy arrays, or nested lists, tuples and dicts of them. Results
are plain floats, unless an argument is a Value or the output depends on one from outside: on a variable that
the function closes over, or on that of a transform around this one. Then they are Values, to differentiate
further, and nodes of their own: naming one or assigning its data changes nothing else. An input on which the
output does not depend has derivative zero. No ``grad`` attribute is read or written.
"""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from math import inf
from typing import Any, SupportsIndex

from autograd import leaks, ops, scopes
from autograd.contributions import contribution, data_of, recorded
from autograd.control import forgetting, recording
from autograd.copying import retyped
from autograd.nested import Nested, flatten, matched
from autograd.node import check_fresh
from autograd.questions import noted
from autograd.row import is_real
from autograd.sweeping import (
    add_up,
    adjoints_in_place,
    poles_of,
    recorded_arguments,
    sweep,
    topological_order,
)
from autograd.text import describe
from autograd.value import Constant, Value, constant

Function = Callable[..., Any]
Rebuild = Callable[[Iterable[Any]], Any]
Argnums = SupportsIndex | Sequence[SupportsIndex]

_variables: ContextVar[frozenset[Value]] = ContextVar("variables", default=frozenset())
"""The inputs of the transforms whose functions are running: results that depend on them stay graphs."""


def grad(f: Function, argnums: Argnums = 0) -> Function:
    """Return the gradient of a function whose result is one number.

    Args:
        f: the function.
        argnums: which positional argument to differentiate by, or a sequence of several.

    Returns:
        A function of the same arguments, whose result has the nesting of that argument; for a sequence of
        ``argnums``, a tuple.

    Raises:
        TypeError: ``f`` did not return one number, or an argument contains something else than numbers.
        IndexError: ``argnums`` is out of range.

    Example:
        >>> from autograd import grad, sin
        >>> grad(lambda x: x**3)(2.0)
        12.0
        >>> grad(lambda w: w["a"] * w["b"][0])({"a": 2.0, "b": [3.0]})
        {'a': 3.0, 'b': [2.0]}
        >>> derivative = sin
        >>> for _ in range(5):
        ...     derivative = grad(derivative)
        >>> derivative(0.0)
        1.0
    """
    _require_function("grad", f)
    gradient = value_and_grad(f, argnums)
    return lambda *arguments, **keywords: gradient(*arguments, **keywords)[1]


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """Return a function that computes the value of ``f`` and its gradient together.

    Args and errors are those of `grad`.

    Returns:
        A function of the same arguments; its result is the pair (value, gradient).

    Example:
        >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
        (6.0, (3.0, 2.0))
    """
    _require_function("value_and_grad", f)

    compiled = getattr(f, "__value_and_grad__", None)  # a program's own reverse pass

    def value_and_gradient(*arguments: Any, **keywords: Any) -> tuple[Any, Any]:
        if compiled is not None:
            chosen, single = _positions(argnums, len(arguments), f"grad of {_name(f)}")
            found = compiled(chosen, arguments, keywords)
            if found is not None:
                value, derivatives = found
                return value, derivatives[0] if single else tuple(derivatives)
        call = _Call(f, arguments, keywords, argnums, "grad")
        output = call.scalar("jacobian or vjp")
        return call.finish([output])[0], call.rebuild(call.reverse([output], [1.0], call.record))

    return value_and_gradient


def vjp(f: Function, *primals: Nested) -> tuple[Any, Callable[[Nested], tuple[Any, ...]]]:
    """Return the value of ``f`` and its vector-Jacobian product, the reverse mode.

    Args:
        f: the function; its result may be nested.
        *primals: its arguments.

    Returns:
        The value, and a function that takes a cotangent in the nesting of the value and returns a tuple with
        the cotangent of each primal.

    Raises:
        TypeError: an argument or a result contains something else than numbers.
        ValueError: a cotangent has not the structure of the value.

    Example:
        >>> value, pull_back = vjp(lambda x, y: [x * y, x + y], 2.0, 3.0)
        >>> value, pull_back([1.0, 10.0])
        ([6.0, 5.0], (13.0, 12.0))
    """
    _require_function("vjp", f)
    call = _Call(f, primals, {}, range(len(primals)), "vjp")

    def pull_back(cotangent: Nested) -> tuple[Any, ...]:
        seeds = _alike(cotangent, call.result, "the cotangent", "the value")
        return tuple(call.rebuild(call.reverse(call.outputs, seeds, call.record)))

    return call.finish_nested(), pull_back


def jvp(f: Function, primals: Sequence[Nested], tangents: Sequence[Nested]) -> tuple[Any, Any]:
    """Return the value of ``f`` and its Jacobian-vector product, the forward mode.

    Args:
        f: the function; its result may be nested.
        primals: its arguments.
        tangents: for each argument a direction in the same nesting.

    Returns:
        The value and the directional derivative, in the same nesting.

    Raises:
        TypeError: an argument or a result contains something else than numbers.
        ValueError: the tangents have not the structure of the primals.

    Example:
        >>> jvp(lambda x, y: [x * y, x + y], (2.0, 3.0), (1.0, 0.0))
        ([6.0, 5.0], [3.0, 1.0])
    """
    _require_function("jvp", f)
    directions = _directions(primals, tangents, "tangents")
    call = _Call(f, tuple(primals), {}, range(len(primals)), "jvp")
    return call.finish_nested(), call.rebuild_outputs(call.forward(call.outputs, directions, call.record))


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """Return the Jacobian of a function: row i is the gradient of output i.

    It takes the mode with fewer passes: forward if there are fewer inputs than outputs, else reverse.

    Args:
        f: the function; its result may be nested.
        argnums: which positional argument to differentiate by, or a sequence of several.

    Returns:
        A function of the same arguments. Its result has the nesting of ``f``'s result, with the nesting of
        the argument in the place of each number; of arrays of shapes s and t, an array of shape s + t. For a
        sequence of ``argnums`` it is a tuple of these.

    Raises:
        TypeError: an argument or a result contains something else than numbers.
        IndexError: ``argnums`` is out of range.

    Example:
        >>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1], 3 * v[1]])([2.0, 5.0])
        [[5.0, 2.0], [1.0, 1.0], [0.0, 3.0]]
    """
    _require_function("jacobian", f)

    def jacobian_of(*arguments: Any, **keywords: Any) -> Any:
        call = _Call(f, arguments, keywords, argnums, "jacobian")
        n, outputs = len(call.inputs), call.outputs
        if 0 < n < len(outputs):
            columns = [call.forward(outputs, _unit(i, n), call.record) for i in range(n)]
            rows: list[list[Any]] = [list(row) for row in zip(*columns, strict=True)]
        else:
            rows = [call.reverse([output], [1.0], call.record) for output in outputs]
        return call.rebuild_matrix(rows)

    return jacobian_of


def hessian(f: Function) -> Function:
    """Return the matrix of second derivatives of a function of one argument whose result is one number.

    The gradient is recorded once and swept once for each input.

    Args:
        f: the function.

    Returns:
        A function of the same argument; its result has the argument's nesting, twice: entry i, j is the
        derivative by inputs i and j. Of an array of shape s, an array of shape s + s.

    Raises:
        TypeError: ``f`` did not return one number, or the argument contains something else than numbers.

    Example:
        >>> hessian(lambda v: v[0] ** 2 * v[1])([3.0, 5.0])
        [[10.0, 6.0], [6.0, 0.0]]
    """
    _require_function("hessian", f)

    def hessian_of(*arguments: Any, **keywords: Any) -> Any:
        call = _Call(f, arguments, keywords, 0, "hessian")
        output = call.scalar("jacobian of the gradient of each output")
        gradient = call.reverse([output], [1.0], True)
        rows = [call.reverse([g], [1.0], call.record) for g in gradient]
        return call.rebuild_matrix(rows, call.rebuild)

    return hessian_of


def hvp(f: Function, primals: Sequence[Nested], vector: Sequence[Nested]) -> tuple[Any, ...]:
    """Return the Hessian of ``f`` times a vector, at the cost of a few gradients: forward over reverse.

    Args:
        f: the function, whose result is one number.
        primals: its arguments.
        vector: for each argument a direction in the same nesting.

    Returns:
        A tuple with, for each argument, that part of the product, in the same nesting.

    Raises:
        TypeError: ``f`` did not return one number, or an argument contains something else than numbers.
        ValueError: the vector has not the structure of the primals.

    Example:
        >>> hvp(lambda v: v[0] ** 2 * v[1], ([3.0, 5.0],), ([1.0, 0.0],))
        ([10.0, 6.0],)
    """
    _require_function("hvp", f)
    directions = _directions(primals, vector, "the vector")
    call = _Call(f, tuple(primals), {}, range(len(primals)), "hvp")
    output = call.scalar("vjp of jvp")
    gradient = call.reverse([output], [1.0], True)
    return tuple(call.rebuild(call.forward(gradient, directions, call.record)))


def gradients(output: Value, inputs: Nested, create_graph: bool = False) -> Any:
    """Return the derivatives of a recorded node by other nodes of its graph, leaves or not.

    Args:
        output: the node.
        inputs: the nodes to differentiate by, nested as you like.
        create_graph: record the derivatives, to differentiate them again.

    Returns:
        The derivatives in the nesting of ``inputs``: floats, or Values with ``create_graph``; zero where the
        output does not depend on an input.

    Raises:
        TypeError: ``output`` or one of ``inputs`` is not a Value.
        ValueError: an input is a constant, or one of them was cut off as ``x.detach()`` is.
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.

    Example:
        >>> x = Value(3.0)
        >>> (first,) = gradients(x**4, [x], create_graph=True)
        >>> first.data, gradients(first, x)
        (108.0, 108.0)
    """
    nodes, rebuild = flatten(inputs)
    for node in (output, *nodes):
        if not isinstance(node, Value):
            raise TypeError(f"gradients needs Values, whose graph is recorded; got {type(node).__name__}")
        # An output may be constant: the derivative of a derivative that is a number is 0.
        if isinstance(node, Constant) and (node is not output or noted(node, "cut")):
            made = f" made by {noted(node, 'cut')}" if noted(node, "cut") else ""
            raise ValueError(
                f"{describe(node)} is a constant{made}, so nothing has a derivative by it, nor has it one by "
                "anything; take gradients of and by what was recorded"
            )
    order = topological_order(output)
    leaks.check(output, lambda: [*order, *nodes])
    with recording():
        adjoints = sweep(order, {output: 1.0}, record=create_graph)
        found = [adjoints.get(node, 0.0) for node in nodes]
        return rebuild(_own(found, order) if create_graph else found)


def push(order: Iterable[Value], tangents: dict[Value, Any], record: bool = False) -> dict[Value, Any]:
    """Push tangents forward: a node's is the sum of each local derivative times the parent's tangent.

    A node that does not move has none: an input whose tangent is 0, and what a selection has not let through.
    It moves nothing, whatever the derivatives are by it. Another tangent of 0 is an ordinary number, and nan
    times an infinite derivative; and a derivative of 0 stops any tangent. So both modes agree (see
    `contribution`). Where tangents are recorded, the form of the graph tells what may be without one.

    Args:
        order: the graph in topological order.
        tangents: the tangents of the inputs; those of all nodes that depend on them are added.
        record: compute with Values instead of floats, so that the tangents are a graph themselves.

    Returns:
        ``tangents``.

    Raises:
        RuntimeError: ``data`` of a node was assigned after another node was computed from it.
    """
    observers = scopes.observers()
    poles = poles_of(order) if record else None
    for node in [node for node, tangent in tangents.items() if tangent.__class__ is float and not tangent]:
        del tangents[node]
    selected: set[Value] = set()
    for node in order:
        parents = node.parents
        if not any(parent in tangents for parent in parents):
            continue
        check_fresh(node)
        assert node.op is not None  # it has parents
        arguments = recorded_arguments(node) if record else (node.data, *[parent.data for parent in parents])
        total: Any = 0.0
        moves = record
        for index, (parent, derivative) in enumerate(zip(parents, node.op.derivatives, strict=True)):
            if parent in tangents:
                tangent, local = tangents[parent], derivative(*arguments)
                if poles is not None:
                    if index in node.op.selects or parent in selected or not _moves(node, index, local):
                        selected.add(node)
                    poled = node in poles
                    strong = poled and parent in selected
                    term = recorded(tangent, local, arguments, strong=strong, either=poled)
                else:
                    term = contribution(tangent, local, node, index, strong=False) if local else 0.0
                    moves = moves or _moves(node, index, local)
                for watch in observers:
                    watch(node, index, local, term, total)
                total = add_up(total, term)
        if moves:
            tangents[node] = total
    return tangents


def _moves(node: Value, index: int, local: Any) -> bool:
    """Tell whether a node moves with a parent: no adjoint of it, not an infinite one, could pass else."""
    return data_of(local) != 0.0 or contribution(inf, 0.0, node, index, strong=False) != 0.0


class _Call:
    """One call of a function by a transform: its fresh inputs, its outputs, and the passes between them.

    Attributes:
        inputs: the fresh nodes.
        outputs: the function's results as nodes.
        record: whether results must be graphs, because they depend on a Value from outside.
    """

    def __init__(
        self,
        f: Function,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        argnums: Argnums,
        name: str,
    ) -> None:
        self.name, self.f = name, f
        self.inputs: list[Value] = []
        chosen, self._single = _positions(argnums, len(arguments), f"{name} of {_name(f)}")
        given = list(arguments)
        rebuilds = []
        with recording():
            for number in chosen:
                items, rebuild = flatten(arguments[number])
                nodes = [_fresh(_as_value(item, f"argument {number} of {_name(f)}")) for item in items]
                given[number] = rebuild(nodes)
                rebuilds.append((rebuild, len(nodes)))
                self.inputs += nodes
            asked = leaks.latest()
            with _running(self.inputs):
                self.result = f(*given, **keywords)
        items, self.rebuild_outputs = flatten(self.result)
        self.outputs = [_as_value(item, f"the result of {_name(f)}") for item in items]
        self._rebuilds = rebuilds
        if leaks.latest() > asked:
            self._tell(leaks.since(asked))
        self.record = not forgetting() and self._depends_on_outside()

    def _tell(self, leaked: list[leaks.Leak]) -> None:
        """Warn of numbers that left the graph in the function.

        Raises:
            ValueError: the result depends on none of the inputs, so that was all there is.
        """
        order = topological_order(*self.outputs, until=self.inputs)
        dependent = set(self.inputs)
        for node in order:
            dependent.update([] if dependent.isdisjoint(node.parents) else [node])
        function = None if hasattr(self.f, "__code__") else self.f
        for pending in leaked:
            if dependent.isdisjoint(self.outputs) and pending.depends_on(dependent):
                text = pending.text(function)
                raise ValueError(f"the result of {_name(self.f)} depends on none of its inputs: {text}")
            if pending.concerns([*order, *self.inputs]):
                leaks.tell(pending, function)

    def _depends_on_outside(self) -> bool:
        if any(node.parents[0].__class__ is not Constant for node in self.inputs):
            return True
        outer = _variables.get()
        if not outer.isdisjoint(self.outputs):
            return True
        order = topological_order(*self.outputs, until=outer.union(self.inputs))
        return any(
            not outer.isdisjoint(node.parents) or (node.op is None and node.__class__ is not Constant)
            for node in order
        )

    def scalar(self, alternative: str) -> Value:
        """Return the one output.

        Raises:
            TypeError: the function did not return one number.
        """
        if isinstance(self.result, Value) or is_real(self.result) or getattr(self.result, "size", 0) == 1:
            return self.outputs[0]  # an array of one number is a number
        raise TypeError(
            f"{self.name} needs a function whose result is one number, but {_name(self.f)} returned "
            f"{type(self.result).__name__} of {len(self.outputs)}; for that, use {alternative}"
        )

    def reverse(self, outputs: list[Value], seeds: Sequence[Any], record: bool) -> list[Any]:
        """Return the derivative of the outputs, weighted by the seeds, by each input."""
        found = None if record else adjoints_in_place(outputs, seeds, self.inputs)
        if found is not None:
            return found
        adjoints: dict[Value, Any] = {}
        for output, seed in zip(outputs, seeds, strict=True):
            adjoints[output] = adjoints[output] + seed if output in adjoints else seed
        order = topological_order(*outputs, until=self.inputs)
        with recording():
            sweep(order, adjoints, record=record)
            found = [adjoints.get(node, 0.0) for node in self.inputs]
            return _own(found, (*order, *self.inputs, *seeds)) if record else found

    def forward(self, outputs: list[Value], directions: Sequence[Any], record: bool) -> list[Any]:
        """Return the derivative of each output in a direction of the inputs."""
        order = topological_order(*outputs, until=self.inputs)
        tangents = dict(zip(self.inputs, directions, strict=True))
        with recording():
            push(order, tangents, record)
            found = [tangents.get(node, 0.0) for node in outputs]
            return _own(found, (*order, *self.inputs, *directions)) if record else found

    def finish(self, outputs: list[Value]) -> list[Any]:
        """Return outputs as the user gets them: plain floats unless they depend on Values from outside."""
        return list(outputs) if self.record else [output.data for output in outputs]

    def finish_nested(self) -> Any:
        return self.rebuild_outputs(self.finish(self.outputs))

    def rebuild(self, derivatives: Iterable[Any]) -> Any:
        """Return one thing per input in the nesting of the arguments."""
        rest = iter(derivatives)
        parts = [rebuild([next(rest) for _ in range(count)]) for rebuild, count in self._rebuilds]
        return parts[0] if self._single else tuple(parts)

    def rebuild_matrix(self, rows: list[list[Any]], outer: Rebuild | None = None) -> Any:
        """Return rows of derivatives in the nesting of the outputs, each in that of one argument."""
        parts, start = [], 0
        for rebuild, count in self._rebuilds:
            part = [rebuild(row[start : start + count]) for row in rows]
            whole = (outer or self.rebuild_outputs)(part)
            if not rows and hasattr(whole, "shape"):  # an array of no outputs keeps the argument's shape, too
                whole = whole.reshape(*whole.shape, *getattr(rebuild([0.0] * count), "shape", ()))
            parts.append(whole)
            start += count
        return parts[0] if self._single else tuple(parts)


@contextmanager
def _running(inputs: Collection[Value]) -> Iterator[None]:
    token = _variables.set(_variables.get().union(inputs))
    try:
        yield
    finally:
        _variables.reset(token)


def _as_value(item: Any, place: str) -> Value:
    if isinstance(item, Value):
        return item
    if not is_real(item):
        raise TypeError(f"{place} contains {type(item).__name__}; only numbers and Values may be in it")
    return constant(item, place)


def _fresh(item: Value) -> Value:
    """Return ``+item`` for the function to compute with, of the type of a user's own Value."""
    node: Value = ops.pos(item)
    return node if type(item) in (Value, Constant) else retyped(node, item)


def _own(derivatives: Iterable[Any], known: Iterable[Any]) -> list[Value]:
    """Return derivatives as Values of their own: one that is a known node, as y is of x * y, as ``+node``."""
    seen = {node for node in known if isinstance(node, Value)}
    owned = []
    for derivative in derivatives:
        node = derivative if isinstance(derivative, Value) else constant(derivative)
        node = ops.pos(node) if node in seen else node
        seen.add(node)
        owned.append(node)
    return owned


def _alike(nested: Nested, pattern: Nested, what: str, of: str) -> list[Any]:
    """Return the numbers and Values of a nest in the order of another, whose structure it must have."""
    try:
        items = matched(nested, pattern)
    except ValueError:
        raise ValueError(
            f"{what} must have the structure of {of}: {_structure(pattern)}, where * is a number; "
            f"got {_structure(nested)}"
        ) from None
    return [item if isinstance(item, Value) else _as_value(item, what).data for item in items]


def _positions(argnums: Any, count: int, what: str) -> tuple[list[int], bool]:
    """Return the positions that are meant, and whether a single one was given."""
    numbers, single = argnums, False
    try:
        with suppress(TypeError):  # then it is a sequence
            numbers, single = [operator.index(argnums)], True
        numbers = [operator.index(number) for number in numbers]
    except TypeError:
        raise TypeError(f"argnums of {what} must be an int or a sequence of ints, got {argnums!r}") from None
    for number in numbers:
        if not -count <= number < count:
            raise IndexError(
                f"{what} was asked for argument {number}, but the call has {count} positional arguments; "
                "argnums counts them from 0"
            )
    positions = [number % count for number in numbers]
    if len(set(positions)) < len(positions):
        raise ValueError(f"argnums of {what} names an argument twice: {argnums!r}")
    return positions, single


def _unit(i: int, n: int) -> list[float]:
    return [float(i == k) for k in range(n)]


def _directions(primals: Sequence[Nested], tangents: Sequence[Nested], what: str) -> list[Any]:
    for given, kind in ((primals, "primals"), (tangents, what)):
        if not isinstance(given, (list, tuple)):
            raise TypeError(f"{kind} must be a tuple with one item per argument, got {type(given).__name__}")
    return _alike(tuple(tangents), tuple(primals), what, "the primals")


def _structure(nested: Nested) -> str:
    if isinstance(nested, Mapping):
        return "{" + ", ".join(f"{key!r}: {_structure(item)}" for key, item in nested.items()) + "}"
    if isinstance(nested, (list, tuple)):
        items = ", ".join(map(_structure, nested))
        return f"[{items}]" if isinstance(nested, list) else f"({items})"
    return f"array{nested.shape}" if hasattr(nested, "shape") and nested.shape else "*"


def _require_function(transform: str, f: Any) -> None:
    if not callable(f):
        raise TypeError(
            f"{transform} needs a function, not {type(f).__name__}: {f!r:.60}; write {transform}(f) with a "
            "function f, or call y.backward() for the gradients of a Value y that is there already"
        )


def _name(f: Function) -> str:
    return repr(getattr(f, "__name__", f))
