"""What a fork must not find shut: locks, and properties that are computed once."""

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def fork_safe_lock() -> AbstractContextManager[bool]:
    """Return a lock for threads, which a forked process finds open and what it guards whole.

    A child has none of its parent's other threads: a lock that one of them held would stay shut for good. So
    a fork waits for it.
    """
    lock = threading.RLock()  # so that a signal handler may fork
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


class computed_once(Generic[T]):  # noqa: N801 - used as a decorator, as property is
    """A property that is computed once for an object, and kept in its ``__dict__``.

    It is ``functools.cached_property`` without the lock that this has in Python 3.11, one for all objects,
    which would stay shut in a forked process.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, _: type[Any], name: str) -> None:
        self.name = name

    def __get__(self, thing: Any, _: type[Any] | None = None) -> T:
        result = vars(thing)[self.name] = self.compute(thing)
        return result
