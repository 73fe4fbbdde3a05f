"""Scopes: stretches of a program in which recording is watched or changed, as by ``no_grad``.

A scope applies to the thread or asyncio task that enters it. A generator may be left in another order, thread
or task than it was entered in, so a scope does not restore what it found: it ends itself, wherever that is.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import update_wrapper, wraps
from typing import Any, Self, TypeVar, overload

Hook = Callable[[Any], Any]
Observer = Callable[[Any, int | None, Any, Any, Any], None]
F = TypeVar("F", bound=Callable[..., Any])


class Scope:
    """One stretch of one thread or task.

    Args:
        hook: called with each node that is recorded in it; what it returns takes the node's place.
        observe: called for every edge of every sweep in it, as ``sweep`` says, and for every leaf whose
            ``grad`` is about to grow, as (leaf, None, None, adjoint, grad).
        mark: what else is to be known of it.
    """

    __slots__ = ("hook", "mark", "observe", "open")

    def __init__(self, hook: Hook, observe: Observer | None = None, mark: Any = None) -> None:
        self.hook, self.observe, self.mark = hook, observe, mark
        self.open = False

    def __enter__(self) -> Self:
        try:
            active.append(self)
            _entered.set((*here(), self))
            self.open = True
            return self
        except BaseException:  # an interrupt: the body is not reached, nor is what leaves it
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        self.open = False
        if self in active:
            active.remove(self)
        _entered.set(here())


active: list[Scope] = []
"""The scopes of all threads and tasks: while there are none, recording does not look for its own."""
_entered: ContextVar[tuple[Scope, ...]] = ContextVar("scopes", default=())


def here() -> tuple[Scope, ...]:
    """Return the scopes of this thread or task, the innermost last."""
    return tuple(scope for scope in _entered.get() if scope.open)


def observers() -> tuple[Observer, ...]:
    """Return what observes the sweeps of this thread or task."""
    return tuple(scope.observe for scope in here() if scope.observe is not None) if active else ()


@contextmanager
def without(hook: Hook) -> Iterator[None]:
    """Take the scopes of this hook out of force in the body."""
    token = _entered.set(tuple(scope for scope in here() if scope.hook is not hook))
    try:
        yield
    finally:
        _entered.reset(token)


class Switch:
    """What makes scopes: a context manager and a decorator, with parentheses and without, used often or once.

    As a decorator of a generator or coroutine function it is in force while that runs, not while it waits.

    Args:
        make: returns a new scope.
    """

    def __init__(self, make: Callable[[], Scope]) -> None:
        self._make = make
        self._open: list[Scope] = []
        update_wrapper(self, make)

    @overload
    def __call__(self) -> "Switch": ...

    @overload
    def __call__(self, function: F) -> F: ...

    def __call__(self, function: Any = None) -> Any:
        """Return a new switch, or the function decorated."""
        if function is None:
            return Switch(self._make)
        if not callable(function):
            raise TypeError(
                f"only a function can be decorated, not {type(function).__name__}: {function!r:.60}"
            )
        return _decorated(function, self._make)

    def __enter__(self) -> None:
        self._open.append(self._make().__enter__())

    def __exit__(self, *_: object) -> None:
        entered = here()  # of several, in several threads, end one of this thread
        scope = next((scope for scope in reversed(self._open) if scope in entered), self._open[-1])
        self._open.remove(scope)
        scope.__exit__()


def _decorated(function: Callable[..., Any], scope: Callable[[], Scope]) -> Callable[..., Any]:
    """Return a function that runs in a scope; a generator enters a new one each time that it is resumed."""

    @wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        with scope():
            return function(*arguments, **keywords)

    @wraps(function)
    async def call_async(*arguments: Any, **keywords: Any) -> Any:
        with scope():
            return await function(*arguments, **keywords)

    @wraps(function)
    def generate(*arguments: Any, **keywords: Any) -> Generator[Any, Any, Any]:
        generator = function(*arguments, **keywords)
        resume, argument = generator.send, None
        try:
            while True:
                try:
                    with scope():
                        item = resume(argument)
                except StopIteration as stop:
                    return stop.value
                try:
                    resume, argument = generator.send, (yield item)
                except GeneratorExit:
                    raise
                except BaseException as error:
                    resume, argument = generator.throw, error
        finally:
            with scope():
                generator.close()

    @wraps(function)
    async def generate_async(*arguments: Any, **keywords: Any) -> AsyncIterator[Any]:
        generator = function(*arguments, **keywords)
        resume, argument = generator.asend, None
        try:
            while True:
                try:
                    with scope():
                        item = await resume(argument)
                except StopAsyncIteration:
                    return
                try:
                    resume, argument = generator.asend, (yield item)
                except GeneratorExit:
                    raise
                except BaseException as error:
                    resume, argument = generator.athrow, error
        finally:
            with scope():
                await generator.aclose()

    if inspect.isasyncgenfunction(function):
        return generate_async
    if inspect.iscoroutinefunction(function):
        return call_async
    return generate if inspect.isgeneratorfunction(function) else call
