"""Contenders take turns, so that whatever else the machine does slows all of them alike."""

import gc
import os
import time
from collections.abc import Callable, Mapping
from statistics import median

SLICE = 0.01
"""What is faster than this many seconds is run several times in each turn."""


UNITS = ((1.0, "s"), (1e3, "ms"), (1e6, "us"))


def take_turns(
    contenders: Mapping[str, Callable[[], object]], seconds: float, least: int = 3, *, busy: bool = False
) -> dict[str, float]:
    """Return the median seconds of each contender.

    Args:
        contenders: what to time, by name; each is called without arguments.
        seconds: for how long to take turns.
        least: how many turns everyone has at least.
        busy: whether others use the machine, too: then it is the processor's time, and the shortest turn.
    """
    gc.collect()
    gc.freeze()  # the collector is to trace what a run makes, not the modules that happen to be imported
    try:
        times = _take_turns(contenders, seconds, least, time.process_time if busy else time.perf_counter)
        return {name: (min if busy else median)(runs) for name, runs in times.items()}
    finally:
        gc.unfreeze()


def _take_turns(
    contenders: Mapping[str, Callable[[], object]],
    seconds: float,
    least: int,
    clock: Callable[[], float],
) -> dict[str, list[float]]:
    repeats = {}
    for name, run in contenders.items():
        run()  # to warm up: caches, just-in-time compilers
        start = clock()
        run()
        repeats[name] = max(1, round(SLICE / (clock() - start)))
    times: dict[str, list[float]] = {name: [] for name in contenders}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[name]) < least:
        for name, run in contenders.items():
            times[name].append(timed(run, repeats[name], clock))
    return times


def timed(
    run: Callable[[], object], repeats: int = 1, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the seconds that each of some runs in a row takes.

    What they leave to the garbage collector is collected in their own time, not in that of who comes next.
    """
    start = clock()
    for _ in range(repeats):
        run()
    end = clock()
    if gc.isenabled() and gc.collect():
        end = clock()
    return (end - start) / repeats


def show(seconds: float) -> str:
    """Write a time with three digits.

    Example:
        >>> show(6.23e-5), show(0.0123), show(12.0)
        ('62.3 us', '12.3 ms', '12.0 s')
    """
    factor, unit = next((f, u) for f, u in UNITS if seconds * f >= 1.0 or f == 1e6)
    return f"{seconds * factor:.0f} {unit}" if seconds * factor >= 100 else f"{seconds * factor:#.3g} {unit}"


def one_core() -> None:
    """Keep this process and its children on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
