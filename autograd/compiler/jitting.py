"""Functions that are recorded and compiled at their first call, and run as programs ever after."""

import copy
import functools
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.compiler.program import Program
from autograd.control import recording
from autograd.nested import flatten
from autograd.row import as_float, is_real
from autograd.sweeping import topological_order
from autograd.value import Constant, Value, constant

MANY = 16
"""So many programs of one function are worth a warning, and each doubling of them."""


class Jitted:
    """A function whose calls run compiled programs; `jit` makes it.

    Attributes:
        programs: what was compiled, in order, by the form of the arguments it was compiled for.
        calls: how often each of them has run.
    """

    def __init__(self, function: Callable[..., Any], engine: str) -> None:
        functools.update_wrapper(self, function)
        self._function, self._engine = function, engine
        self._name = getattr(function, "__name__", type(function).__name__)
        self._known: dict[Any, str] = {}
        self._copies: dict[tuple[str, int], Program] = {}
        self.programs: dict[str, Program] = {}
        self.calls: dict[str, int] = {}

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the function's results, nested as it nests them, as plain floats.

        With a Value among the arguments the function itself is called, since a graph is wanted then.

        Raises:
            ValueError: the function branches on a number, which a program could not follow.
            TypeError: an argument that is neither a number nor hashable.
        """
        call = _Call(arguments, keywords, ())
        if call.has_values:
            return self._function(*arguments, **keywords)
        return self._program(call).forward(fed=call.fed)

    def __value_and_grad__(
        self, argnums: Sequence[int], arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[float, list[Any]] | None:
        """Return value and gradients by some arguments, or None where the function has to be recorded."""
        call = _Call(arguments, keywords, argnums)
        if call.has_values:
            return None
        program = self._program(call)
        value = program(by=call.by, fed=call.fed)
        return value, call.nested(program.gradients.tolist())

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to an instance, as a function does."""
        return self if instance is None else Bound(self, instance)

    def _program(self, call: "_Call") -> Program:
        """Return the program of a call, or this thread's copy: a program runs in one thread at a time."""
        name = self._known.get(call.form) or self._add(call)
        self.calls[name] += 1
        key = name, threading.get_ident()
        if key not in self._copies:
            self._copies[key] = copy.copy(self.programs[name])
        return self._copies[key]

    def _add(self, call: "_Call") -> str:
        """Compile a program, and return its name."""
        program = self._compile(call)
        name = self._known.get(call.form)
        if name is None:  # else another thread was faster
            name = call.description
            if name in self.programs:  # another object that is written alike
                name = f"{name} #{len(self.programs) + 1}"
            self.programs[name], self.calls[name] = program, 0
            self._copies[name, threading.get_ident()] = program
            self._known[call.form] = name
            count = len(self.programs)
            if count >= MANY and not count & (count - 1):
                warnings.warn(
                    f"{self._name} was compiled {count} times, last for {name}; floats and arrays of one "
                    "shape share a program, but every int, text and length has its own: feed what varies as "
                    "a float or an array, or pad it to few lengths",
                    RuntimeWarning,
                    stacklevel=5,
                )
        return name

    def _compile(self, call: "_Call") -> Program:
        from autograd.compiler import compile as compile_graph

        with recording():  # also where no_grad is in force: a program is made of a graph
            result = self._function(*call.arguments, **call.keywords)
        items, rebuild = flatten(result)
        outputs = [item if isinstance(item, Value) else constant(item, self._name) for item in items]
        if call.argnums and not (len(items) == 1 and result is items[0]):
            raise TypeError(
                f"grad needs a function whose result is one number, but {self._name} returned "
                f"{type(result).__name__} of {len(outputs)}; for that, use jacobian or vjp"
            )
        own = {*call.by_leaves, *call.fed_leaves}
        outside = [
            node
            for node in topological_order(*outputs)
            if node.op is None and node not in own and node.__class__ is not Constant
        ]
        data = {"fed": call.fed_leaves, "outside": outside}
        return compile_graph(rebuild(outputs), inputs={"by": call.by_leaves}, data=data, engine=self._engine)


class Bound:
    """A compiled function with an instance as its first argument, as a method has it.

    Attributes:
        programs, calls: those of the function, of all instances.
    """

    def __init__(self, function: Jitted, instance: Any) -> None:
        functools.update_wrapper(self, function, updated=())
        self._jitted, self._instance = function, instance
        self.programs, self.calls = function.programs, function.calls

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the method; see `Jitted.__call__`."""
        return self._jitted(self._instance, *arguments, **keywords)

    def __value_and_grad__(
        self, argnums: Sequence[int], arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[float, list[Any]] | None:
        """Return value and gradients; the places of arguments do not count the instance."""
        places = [place + 1 for place in argnums]
        return self._jitted.__value_and_grad__(places, (self._instance, *arguments), keywords)


class _Call:
    """The arguments of a call: their form, their numbers, and leaves in the place of these.

    Args:
        arguments: the positional arguments.
        keywords: the others.
        argnums: which positional ones to differentiate by.

    Attributes:
        form: hashable, and equal for calls that share a program.
        description: the form in words.
        has_values: whether a Value is among the arguments.
        by, fed: the numbers that are differentiated by, and the others.
        by_leaves, fed_leaves: a new leaf for each.
        arguments, keywords: those given, with the leaves in them.
    """

    def __init__(self, arguments: tuple[Any, ...], keywords: dict[str, Any], argnums: Sequence[int]) -> None:
        self.argnums = tuple(argnums)
        self.has_values = False
        self.by: list[float] = []
        self.fed: list[float] = []
        self.by_leaves: list[Value] = []
        self.fed_leaves: list[Value] = []
        self._rebuild: dict[int, tuple[Callable[..., Any], int]] = {}
        forms = []
        self.arguments = []
        for place, argument in enumerate(arguments):
            self._into = (self.by, self.by_leaves) if place in self.argnums else (self.fed, self.fed_leaves)
            before = len(self.by)
            form, made = self._walk(argument, floats=place in self.argnums)
            if place in self.argnums:
                self._rebuild[place] = flatten(argument)[1], len(self.by) - before
            forms.append(form)
            self.arguments.append(made)
        self._into = self.fed, self.fed_leaves
        named = {name: self._walk(keywords[name], floats=False) for name in sorted(keywords)}
        self.keywords = {name: made for name, (_, made) in named.items()}
        named_forms = tuple((name, form) for name, (form, _) in named.items())
        self.form = (tuple(forms), named_forms, self.argnums)
        words = [*map(_words, forms), *(f"{name}={_words(form)}" for name, form in named_forms)]
        derivatives = f", by {', '.join(map(str, self.argnums))}" if self.argnums else ""
        self.description = f"({', '.join(words)}){derivatives}"

    def nested(self, gradients: Sequence[float]) -> list[Any]:
        """Return the gradients of each argument that is differentiated by, nested as it is."""
        rest = iter(gradients)
        order = sorted(self.argnums)
        found = {}
        for place in order:
            rebuild, count = self._rebuild[place]
            found[place] = rebuild([next(rest) for _ in range(count)])
        return [found[place] for place in self.argnums]

    def _walk(self, item: Any, *, floats: bool) -> tuple[Any, Any]:
        """Return the form of an argument, and the argument with leaves in it."""
        if isinstance(item, Value):
            self.has_values = True
            return "Value", item
        if isinstance(item, Mapping):
            parts = {key: self._walk(value, floats=floats) for key, value in item.items()}
            form = tuple((key, part) for key, (part, _) in parts.items())
            return (type(item), form), {key: made for key, (_, made) in parts.items()}
        if isinstance(item, (list, tuple)):
            walked = [self._walk(part, floats=floats) for part in item]
            made: Any = [made for _, made in walked]
            if isinstance(item, tuple):
                made = getattr(type(item), "_make", tuple)(made)
            return (type(item), tuple(form for form, _ in walked)), made
        if isinstance(item, np.ndarray):
            leaves, forms = np.empty(item.size, dtype=object), []
            for place, number in enumerate(item.ravel().tolist()):
                form, leaves[place] = self._walk(number, floats=True)
                forms.append(form)
            others = () if item.dtype.kind in "biuf" else tuple(forms)  # texts, say, which stay the same
            return (np.ndarray, item.shape, *others), leaves.reshape(item.shape)
        if isinstance(item, (bool, int, np.integer, np.bool_)) and not floats:
            return ("is", type(item), int(item)), item
        if is_real(item):
            numbers, made_leaves = self._into
            numbers.append(as_float(item, "an argument of a compiled function"))
            made_leaves.append(Value(numbers[-1]))
            return float, made_leaves[-1]
        try:
            hash(item)
        except TypeError:
            raise TypeError(
                f"an argument of a compiled function is a number, an array, a nest of these, or something "
                f"hashable that stays the same; got {type(item).__name__}"
            ) from None
        return ("is", type(item), item), item


def _words(form: Any) -> str:
    """Return the form of an argument as text, such as ``[3 x float]``."""
    if form is float:
        return "float"
    if not isinstance(form, tuple):
        return str(form)
    kind, *rest = form
    if kind == "is":
        return repr(rest[1])[:40]
    if kind is np.ndarray:
        return f"array{list(rest[0])}"
    (parts,) = rest
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return "{" + ", ".join(f"{key}: {_words(part)}" for key, part in parts) + "}"
    texts = [_words(part) for part in parts]
    if len(texts) > 1 and len(set(texts)) == 1:
        return f"[{len(texts)} x {texts[0]}]"
    return f"[{', '.join(texts)}]"


def jit(function: Callable[..., Any] | None = None, *, engine: str = "auto") -> Any:
    """Compile a function of numbers: recorded at the first call of each form, run as a program afterwards.

    Calls share a program if their arguments have one form: the same nesting and lengths, arrays of the same
    shapes, and the same ints, bools and texts, which may decide what is recorded. Floats and the elements of
    arrays are fed. Values that the function closes over, such as a model's parameters, are read at each call;
    other numbers that it does not get as arguments, and which Value a name stands for, stay as they were at
    the first. Each thread runs a copy.
    `grad` and `value_and_grad` of such a function run programs, too.

    Args:
        function: the function; its result is a number or a nest of numbers.
        engine: as of `autograd.compile`.

    Returns:
        The compiled function, with ``programs`` and ``calls``; without ``function`` a decorator.

    Raises:
        TypeError: ``function`` cannot be called.

    Example:
        >>> import autograd
        >>> @autograd.jit
        ... def energy(x, scale=1.0):
        ...     return sum(v * v for v in x) * scale
        >>> energy([1.0, 2.0]), energy([3.0, 4.0]), energy([1.0, 2.0, 3.0])
        (5.0, 25.0, 14.0)
        >>> energy.calls
        {'([2 x float])': 2, '([3 x float])': 1}
        >>> autograd.grad(energy)([3.0, 4.0])
        [6.0, 8.0]
    """
    if function is None:
        return functools.partial(jit, engine=engine)
    if not callable(function):
        raise TypeError(f"jit takes a function, got {type(function).__name__}")
    return Jitted(function, engine)
