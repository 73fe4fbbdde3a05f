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
    _locks.append(lock)
    return lock


_locks: list[threading.RLock] = []
_taken: list[list[threading.RLock]] = []
importing = fork_safe_lock()
"""To be held where a module is imported on use: Python's own lock of a module stays shut in a child."""


def _before_fork() -> None:
    with importing:  # once it is had, no module that is imported makes another lock
        taken = list(_locks)
        for lock in taken:
            lock.acquire()
        _taken.append(taken)


def _after_fork() -> None:
    for lock in reversed(_taken.pop()):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


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
