"""Interrupts at every place where they may come: before each line that a package runs."""

import linecache
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PACKAGES = tuple(f"{Path(__file__).parent.parent / name}/" for name in ("autograd", "nn"))


def run_interrupted(function: Callable[[], Any], at: int) -> int:
    """Call a function; raise KeyboardInterrupt before the line number ``at`` of the packages that it runs.

    The lines of ``with`` statements are left out: at their ends Python calls ``__exit__`` for sure.

    Returns:
        How many lines it ran. The interrupt itself is not passed on.
    """
    count = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGES):
            return None
        if event == "line" and not linecache.getline(code.co_filename, frame.f_lineno).lstrip().startswith(
            "with"
        ):
            count += 1
            if count == at:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return count


def places(function: Callable[[], Any], most: int, seed: int = 0) -> Iterator[int]:
    """Yield up to ``most`` places, counted from 1, at which an interrupt may come when it is called again."""
    function()  # the first call may make what later ones keep
    every = range(1, run_interrupted(function, 0) + 1)
    yield from every if len(every) <= most else sorted(random.Random(seed).sample(every, most))
