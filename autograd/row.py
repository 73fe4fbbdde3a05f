"""What a row of the operation table is.

An operation is declared once: how to compute it, one local derivative per argument, what it looks like, and
where it is defined. Recording, differentiating, drawing, stepping, checking and compiling read these fields.
"""

import inspect
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache, wraps
from itertools import permutations, product
from math import isfinite
from numbers import Real
from types import BuiltinFunctionType, FunctionType, NoneType
from typing import Any, Protocol, TypeVar, overload

from autograd.locks import computed_once
from autograd.real import inf, nan

Interval = tuple[float, float]
Derivative = Callable[..., Any]
Edge = tuple[tuple[float, ...], float, tuple[float | None, ...]]
"""A point, the value there, and the derivative by each argument, None where nothing is promised."""


GENERAL = (-1.7, -0.6, 0.3, 1.2, 2.6)
"""Numbers at which nothing special happens."""

UNDEFINED = (ArithmeticError, ValueError, LookupError, TypeError)
"""What a function raises where it is not defined: a logarithm, a table's, or one that is complex there."""

PROBES = (0.0, -0.0, 5e-324, -5e-324, 0.5, 1.0, -1.0, 2.0, -3.0, 1e3, -1e3, 1e30, -1e30)
"""Finite numbers at which something special may happen."""


class Recording(Protocol):
    """A number type that interprets operations in its own way: it records a graph, a program or a formula."""

    @classmethod
    def __record__(cls, operation: "Operation", arguments: Sequence[Any]) -> Any:
        """Return the result of ``operation`` at ``arguments``, at least one of which is of this type."""


R = TypeVar("R", bound=Recording)


class Operation:
    """One row of the operation table; call it on numbers, Values or arrays.

    Args:
        name: the public name, as in Python's ``math`` or the field.
        value: the function of plain floats. It must be total: IEEE results instead of exceptions.
        derivatives: for each argument the local derivative, a function ``(z, *arguments)`` of the output and
            the arguments. It is generic in the number type, so it uses operators and operations only and has
            no ``if``. Where floats would raise, it uses ``div`` and ``pow`` instead of ``/`` and ``**``. None
            for an argument by which there is no derivative, such as an order: it must be a constant.
        symbol: what a drawing shows on the gate; the name by default.
        arguments: the arguments' names, for keywords and formulas.
        defaults: the default values of the last arguments.
        textbook: for each argument the local derivative as a textbook writes it, a function like those of
            ``derivatives``, where the accurate form is another; None where it is the same. It is what
            readers are shown; numbers come from ``derivatives`` alone.
        domain: one interval per argument (default: all numbers), from which tests sample.
        kinks: functions of the arguments that change sign, or are 0, where the operation is not smooth.
        edges: what holds at kinks, ties, poles and infinities: for each such point ``(arguments, value,
            derivatives)``, None for a derivative of which nothing is promised. The tests hold it to them.
        crossings: functions of the arguments that change sign where the derivative does, of an operation
            whose derivative is there accurate only to a few units of what it is nearby.
        selects: the places of the arguments among which the operation selects, so that a local derivative of
            exactly 0 says that such an argument was not chosen (see `selects`, found out by default).
        aliases: what else it is called, as ``ln`` for ``log``: who uses such a name is told this one.
        definition: the mathematical definition as a Python expression in the arguments, where the name alone
            does not say it (``exp`` does, ``softplus`` does not). It is documentation and the tests' oracle.
        numpy: the array form: the name of NumPy's function, or a function ``(numpy, *arguments)``, in which
            an argument without a derivative is a number. Without it the operation is applied element by
            element.

    Example:
        >>> from autograd import Value, Operation
        >>> cube = Operation("cube", lambda x: x * x * x, [lambda z, x: 3 * x * x], definition="x ** 3")
        >>> cube(2.0)
        8.0
        >>> x = Value(2.0)
        >>> cube(x).backward()
        >>> x.grad
        12.0
    """

    def __init__(
        self,
        name: str,
        value: Callable[..., float],
        derivatives: Sequence[Derivative | None],
        *,
        symbol: str | None = None,
        arguments: Sequence[str] = ("x", "y", "w"),
        defaults: Sequence[float] = (),
        textbook: Sequence[Derivative | None] = (),
        domain: Sequence[Interval] | None = None,
        kinks: Sequence[Callable[..., Any]] = (),
        edges: Sequence[Edge] = (),
        aliases: Sequence[str] = (),
        crossings: Sequence[Callable[..., Any]] = (),
        selects: Sequence[int] | None = None,
        definition: str | None = None,
        numpy: str | Callable[..., Any] | None = None,
    ) -> None:
        self.name = self.__name__ = self.__qualname__ = name
        # Where the row is written: pickle finds it there by its name.
        self.__module__ = sys._getframe(1).f_globals.get("__name__", "__main__")
        self.value = value
        self.arity = len(derivatives)
        self.symbol = name if symbol is None else symbol
        self.arguments = tuple(arguments[: self.arity])
        self.defaults = tuple(defaults)
        self.textbook = tuple(textbook) or (None,) * self.arity
        self.domain = tuple(domain) if domain is not None else ((-inf, inf),) * self.arity
        self.kinks = tuple(kinks)
        self.edges = tuple(edges)
        self.crossings = tuple(crossings)
        self.aliases = tuple(aliases)
        if selects is not None:
            self.selects = _places(name, selects, self.arity)
        self.definition = definition or f"{name}({', '.join(self.arguments)})"
        self.numpy = numpy
        needed: dict[str, tuple[object, ...]] = {
            "argument names": self.arguments,
            "domain intervals": self.domain,
            "textbook forms, or none at all": self.textbook,
        }
        for what, given in needed.items():
            if len(given) != self.arity:
                raise ValueError(
                    f"operation {name!r} has {self.arity} derivatives, so it needs {self.arity} {what}; "
                    f"got {len(given)}"
                )
        self.constants = tuple(a for a, d in zip(self.arguments, derivatives, strict=True) if d is None)
        self.differentiable = tuple(i for i, derivative in enumerate(derivatives) if derivative is not None)
        self.constant_places = tuple(i for i, derivative in enumerate(derivatives) if derivative is None)
        self.derivatives: tuple[Derivative, ...] = tuple(
            _refuse(name, a) if d is None else d for a, d in zip(self.arguments, derivatives, strict=True)
        )
        if not self._of_the_table:  # what its rows return, the tests examine
            self.value = _checked(value, f"the value of operation {name!r}", self.arguments)
            self.derivatives = tuple(
                _checked(d, f"the derivative of operation {name!r} by {a!r}", ("z", *self.arguments))
                for a, d in zip(self.arguments, self.derivatives, strict=True)
            )
        self.__signature__ = inspect.Signature(self._parameters())
        self.__doc__ = self._help()

    @overload
    def __call__(self, *arguments: float, **keywords: float) -> float: ...  # type: ignore[overload-overlap]  # no Recording is a float

    @overload
    def __call__(self, *arguments: R | float, **keywords: R | float) -> R: ...

    @overload
    def __call__(self, *arguments: Any, **keywords: Any) -> Any: ...

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the operation's value: a float for numbers, a Value if any argument is one, or an array."""
        if keywords or len(arguments) != self.arity:
            arguments = self.bind(arguments, keywords)
        record = None
        for argument in arguments:
            if argument.__class__ is not float:
                found = getattr(argument.__class__, "__record__", None)
                if found is None:
                    return self._dispatch(arguments)
                record = record or found
        return record(self, arguments) if record is not None else self.value(*arguments)

    def bind(self, arguments: Sequence[Any], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """Return all arguments in order, with keywords and defaults filled in.

        Raises:
            TypeError: too many, missing, repeated or unknown arguments.
        """
        bound = dict(zip(self.arguments[self.arity - len(self.defaults) :], self.defaults, strict=True))
        bound.update(zip(self.arguments, arguments, strict=False))
        for name in keywords:
            if name not in self.arguments[len(arguments) :]:
                raise TypeError(f"{self.signature} got an unexpected or repeated argument {name!r}")
        bound.update(keywords)
        if len(arguments) > self.arity or len(bound) < self.arity:
            given = len(arguments) + len(keywords)
            raise TypeError(f"{self.signature} takes {self.arity} arguments, got {given}")
        return tuple(bound[name] for name in self.arguments)

    @property
    def signature(self) -> str:
        """The call as text, such as ``leaky_relu(x, negative_slope=0.01)``."""
        optional = dict(zip(reversed(self.arguments), reversed(self.defaults), strict=False))
        names = (f"{a}={optional[a]:g}" if a in optional else a for a in self.arguments)
        return f"{self.name}({', '.join(names)})"

    def _parameters(self) -> list[inspect.Parameter]:
        required = [inspect.Parameter.empty] * (self.arity - len(self.defaults))
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return [
            inspect.Parameter(name, kind, default=default)
            for name, default in zip(self.arguments, (*required, *self.defaults), strict=True)
        ]

    def _help(self) -> str:
        """Return what ``help()`` says of the row."""
        lines = [f"Return {self.definition}, for numbers, Values or arrays.", "", "Args:"]
        for name, (low, high) in zip(self.arguments, self.domain, strict=True):
            span = "any number" if (low, high) == (-inf, inf) else f"from {low:g} to {high:g}"
            lines.append(
                f"    {name}: {span}"
                + "; a constant: there is no derivative by it" * (name in self.constants)
            )
        if self.edges:
            lines += ["", "At the edges:"]
        for point, value, derivatives in self.edges:
            known = [
                f"d/d{name} = {slope:g}"
                for name, slope in zip(self.arguments, derivatives, strict=True)
                if slope is not None
            ]
            call = f"{self.name}({', '.join(f'{x:g}' for x in point)})"
            lines.append(f"    {call} = {value:g}" + f", {', '.join(known)}" * bool(known))
        return "\n".join(lines)

    @property
    def _of_the_table(self) -> bool:
        return self.__module__.startswith(f"{__package__}.ops.")

    @property
    def operator(self) -> str | None:
        """The name of Python's operator that this row is, such as ``add`` for ``__add__``, or None."""
        name = {"div": "truediv"}.get(self.name, self.name)
        return name if hasattr(float, f"__{name}__") else None

    @computed_once
    def selects(self) -> tuple[int, ...]:
        """The places of the arguments in which the operation is constant over a region, as ``relu`` below 0.

        There it has not chosen the argument, and its local derivative of exactly 0 is a strong zero: what
        flows back is 0 though the upstream adjoint is infinite or nan. It is found out at points in general
        position, where the derivative of ``abs``, 0 only at its kink, is not 0. Nor is that of ``elu`` by its
        first argument, which far below 0 underflows: such a zero is an ordinary number.

        Example:
            >>> from autograd import abs, elu, relu
            >>> relu.selects, abs.selects, elu.selects
            ((0,), (), (1,))
        """
        found = filter(None, map(self._derivatives_at, permutations(GENERAL, self.arity)))
        by_place = zip(self.differentiable, zip(*found, strict=True), strict=False)  # no point may be defined
        return tuple(place for place, slopes in by_place if 0.0 in slopes)

    @lru_cache(maxsize=4096)  # noqa: B019 - rows live as long as the program
    def has_pole(self, *known: float | None) -> bool:
        """Tell whether the value or a local derivative may be infinite or nan where all arguments are finite.

        An overflow counts, as that of ``exp`` at 1000, but not that of a sum or product of huge numbers. A
        graph of rows without poles has no infinity for an adjoint of 0 to meet. It is found out by trying
        the arguments where it happens: 0 and next to it, 1, the ends of the domain, far out. Of a row that is
        not this package's own it is assumed.

        Args:
            *known: for each argument the number that it always has, if it is a constant; None if it varies.

        Example:
            >>> from autograd import div, sin
            >>> div.has_pole(), div.has_pole(None, 100.0), sin.has_pole()
            (True, False, False)
        """
        if not self._of_the_table:
            return True
        fixed = known or (None,) * self.arity
        ends = ([end for end in interval if isfinite(end)] for interval in self.domain)
        tried = [[*PROBES, *more] if x is None else [x] for x, more in zip(fixed, ends, strict=True)]
        wanted = [self.derivatives[i] for i in self.differentiable if fixed[i] is None]
        for point in product(*tried):
            z = self.value(*point)
            if not (isfinite(z) and all(isfinite(derivative(z, *point)) for derivative in wanted)):
                return True
        return False

    def _derivatives_at(self, point: tuple[float, ...]) -> list[float]:
        """Return the local derivatives at a point, none if it lies outside of where they are defined."""
        if not all(low <= x <= high for x, (low, high) in zip(point, self.domain, strict=True)):
            return []
        try:
            z = self.value(*point)
            return [self.derivatives[i](z, *point) for i in self.differentiable]
        except UNDEFINED:  # a user's function, beyond a domain that the row does not tell
            return []

    def _dispatch(self, arguments: tuple[Any, ...]) -> Any:
        records = [r for a in arguments if (r := getattr(type(a), "__record__", None)) is not None]
        numpy = sys.modules.get("numpy")
        if numpy is not None and any(isinstance(a, numpy.ndarray) for a in arguments):
            if records or any(isinstance(a, numpy.ndarray) and a.dtype == object for a in arguments):
                return numpy.frompyfunc(self, self.arity, 1)(*arguments)
            return self.on_arrays(*arguments)
        if records:
            return records[0](self, arguments)
        return self.value(*(as_float(a, self.name) for a in arguments))

    def on_arrays(self, *arguments: Any) -> Any:
        """Return the operation on float arrays, element by element with NumPy's broadcasting.

        Args:
            *arguments: arrays or numbers, of shapes that broadcast.

        Returns:
            A float64 array. NumPy's warnings at poles and overflows are silenced for this call.

        Raises:
            TypeError, OverflowError: of `as_floats`.
        """
        import numpy

        floats = [as_floats(argument, self.name) for argument in arguments]
        with numpy.errstate(all="ignore"):
            return numpy.asarray(self.array_function(*floats), dtype=float)

    @property
    def accumulates(self) -> bool:
        """Whether NumPy can apply the operation along an axis: to the result so far and the next element."""
        import numpy

        ufunc = getattr(numpy, self.numpy) if isinstance(self.numpy, str) else None
        return isinstance(ufunc, numpy.ufunc) and "dd->d" in ufunc.types

    @property
    def array_function(self) -> Callable[..., Any]:
        """The operation as a function of arrays, in the form that NumPy has or the row gives."""
        import numpy

        if isinstance(self.numpy, str):
            return getattr(numpy, self.numpy)  # type: ignore[no-any-return]  # NumPy's ufuncs are looked up by name
        if self.numpy is not None:
            if self.constants:
                return self._at_numbers
            form = self.numpy
            return lambda *arguments: form(numpy, *arguments)
        by_element = numpy.frompyfunc(lambda *a: self.value(*map(float, a)), self.arity, 1)
        return lambda *arguments: numpy.asarray(by_element(*arguments), dtype=float)

    def _at_numbers(self, *arguments: Any) -> Any:
        """Return the array form, in which an argument without a derivative is a number, at arrays of them."""
        import numpy

        form: Any = self.numpy
        given = list(numpy.broadcast_arrays(*arguments))
        kinds = numpy.stack([given[place].ravel() for place in self.constant_places], axis=-1)
        kinds, which = numpy.unique(kinds, axis=0, return_inverse=True)
        which = which.reshape(given[0].shape)
        result = numpy.empty(given[0].shape)
        for kind, numbers in enumerate(kinds.tolist()):
            chosen = which == kind
            here = [argument[chosen] for argument in given]
            for place, number in zip(self.constant_places, numbers, strict=True):
                here[place] = number
            result[chosen] = form(numpy, *here)
        return result

    def __reduce__(self) -> str:
        """Pickle and copy by name, as a function is."""
        return self.name

    def __repr__(self) -> str:
        """Return for instance ``<operation tanh(x)>``."""
        return f"<operation {self.signature}>"


def _checked(function: Callable[..., Any], what: str, arguments: Sequence[str]) -> Callable[..., Any]:
    """Return a user's function, whose results are examined: a float, or what records or holds numbers.

    Raises:
        TypeError: it cannot be called with these arguments.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of many functions in C it is not known
        pass
    else:
        try:
            signature.bind(*arguments)
        except TypeError:
            raise TypeError(
                f"{what} must be a function of ({', '.join(arguments)}), but takes {signature}"
            ) from None

    @wraps(function)
    def checked(*arguments: Any) -> Any:
        result = function(*arguments)
        if result.__class__ is float:
            return result
        if _records(result):
            if not any(map(_records, arguments)):
                raise TypeError(
                    f"{what} at plain numbers is a {type(result).__name__}, so it was computed with one "
                    "that is no argument, and has no derivative by it; make it an argument, or use its .data"
                )
            return result
        # Arrays of arrays, also of other libraries, are the compiler's business.
        if getattr(result, "shape", ()) and any(getattr(a, "shape", ()) for a in arguments):
            return result
        return as_float(result, what)

    return checked


def _records(thing: Any) -> bool:
    return hasattr(thing.__class__, "__record__")


def _refuse(operation: str, argument: str) -> Derivative:
    """Return what stands for a derivative that does not exist."""

    def refuse(*_: Any) -> Any:
        raise TypeError(
            f"{operation} has no derivative by its argument {argument!r}; pass a number there, or a Value "
            "that nothing is differentiated by, such as value.detach()"
        )

    return refuse


def operation(*derivatives: Derivative | None, **fields: Any) -> Callable[[Callable[..., float]], Operation]:
    """Make a function of floats an operation of one's own: the same row as those of the table.

    Any order of derivative, drawing, stepping, checking and compiling follow from the row.

    Args:
        *derivatives: for each argument the local derivative, a function ``(z, *arguments)`` of the output and
            the arguments, built of operators and operations so that it can be differentiated again; None for
            an argument that is always a constant.
        **fields: the other fields of a row: ``symbol``, ``textbook``, ``domain``, ``kinks``, ``edges``,
            ``crossings``, ``definition``, ``numpy``; see `Operation`. The arguments' names and defaults are
            the function's own.

    Returns:
        A decorator that turns a total function of floats into an `Operation`.

    Raises:
        TypeError: the function has not one named argument per derivative.

    Example:
        >>> from autograd import Value, operation
        >>> @operation(lambda z, x: 3 * x * x, definition="x ** 3")
        ... def cube(x):
        ...     return x * x * x
        >>> x = Value(2.0)
        >>> cube(x).backward()
        >>> cube(2.0), x.grad
        (8.0, 12.0)
    """

    def decorate(function: Callable[..., float]) -> Operation:
        name = getattr(function, "__name__", repr(function))
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        if not parameters or any(p.kind is not p.POSITIONAL_OR_KEYWORD for p in parameters):
            raise TypeError(f"operation needs a function of named positional arguments, got {name}")
        names = [p.name for p in parameters]
        if len(names) != len(derivatives):
            raise TypeError(
                f"operation {name!r} has the arguments ({', '.join(names)}), so it needs "
                f"{len(names)} derivatives, one for each; got {len(derivatives)}"
            )
        defaults = [p.default for p in parameters if p.default is not p.empty]
        row = Operation(name, function, derivatives, arguments=names, defaults=defaults, **fields)
        row.__module__ = function.__module__
        row.__doc__ = function.__doc__ or row.__doc__
        return row

    return decorate


def as_float(number: Any, context: str) -> float:
    """Return a real number of any kind as a float.

    Args:
        number: an int, float, bool, Fraction, Decimal, NumPy scalar or array without dimensions.
        context: what the number is for, the error's first word.

    Raises:
        TypeError: it is not a real number.
        OverflowError: it is beyond the range of doubles.
    """
    if isinstance(number, float):
        return float(number)
    if not isinstance(number, int) and getattr(number, "shape", None) == () and hasattr(number, "item"):
        number = number.item()  # an array without dimensions is a number
    if not is_real(number):
        raise TypeError(f"{context} needs a real number, got {type(number).__name__}: {number!r:.60}")
    try:
        result = float(number)
    except OverflowError:
        result = nan
    # Some kinds say infinity of what is too large.
    if result != number and number == number and not isfinite(result):
        size = f"an int of {number.bit_length():,} bits" if isinstance(number, int) else type(number).__name__
        raise OverflowError(f"{context} needs a number below 1.8e308, the float range; got {size}")
    return result


def as_floats(numbers: Any, context: str) -> Any:
    """Return real numbers of any kind as a float64 array, which may be the one that is given.

    Args:
        numbers: an array or whatever NumPy makes one of.
        context: what the numbers are for, the error's first word.

    Raises:
        TypeError: they are not real numbers.
        OverflowError: one is beyond the range of doubles.
    """
    import numpy

    if hasattr(numbers, "mask") and numpy.ma.is_masked(
        numbers
    ):  # what is below a mask would be taken for a number
        raise TypeError(f"{context} needs real numbers, but some are masked; fill them or leave them out")
    array = numpy.asarray(numbers)
    if array.dtype.kind in "biuf" and array.dtype.itemsize <= 8:
        return numpy.asarray(array, dtype=float)
    # NumPy would read "1" as 1.0, None as nan and a long double of 1e400 as inf, and drop an imaginary part.
    return numpy.array([as_float(n, context) for n in array.ravel().tolist()], float).reshape(array.shape)


def is_real(number: Any) -> bool:
    """Tell whether ``number`` is a single real number of a kind that becomes a float."""
    if isinstance(number, (float, int, Real, Decimal)):  # the commonest first: abstract classes answer slowly
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(number, numpy.bool_)


def not_ours(op: Operation, other: Any) -> Any:
    """Return NotImplemented, so that the other's operator is asked.

    Raises:
        TypeError: the other has none for numbers: it is a text, a list, a function.
    """
    kinds = (str, bytes, list, tuple, dict, set, NoneType, FunctionType, BuiltinFunctionType, Operation)
    if not isinstance(other, kinds):
        return NotImplemented
    remedy = ""
    if isinstance(other, str):
        remedy = "; write float(text) for a number in a text"
    elif isinstance(other, (list, tuple)):
        remedy = f"; write [x {op.symbol} y for y in values], or make it an array with numpy.array(values)"
    elif other is None:
        remedy = "; a function without return returns None"
    elif callable(other):
        remedy = "; call it, and compute with what it returns"
    raise TypeError(
        f"{op.symbol} needs a number or a Value, not {type(other).__name__}: {other!r:.60}{remedy}"
    )


def _places(name: str, given: Sequence[int], arity: int) -> tuple[int, ...]:
    if not isinstance(given, Sequence) or not all(
        type(place) is int and 0 <= place < arity for place in given
    ):
        raise ValueError(
            f"operation {name!r}: selects holds the places of arguments, counted from 0 and below {arity}; "
            f"got {given!r}"
        )
    return tuple(given)
