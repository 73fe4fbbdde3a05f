"""A progress bar on the terminal, and silence elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Tick = Callable[[str], None]


@contextmanager
def progress_bar(total: int, shown: bool | None = None) -> Iterator[Tick]:
    """Show a bar with the time left while the body runs; call what it yields after each of ``total`` steps.

    Args:
        total: the number of steps.
        shown: None shows the bar if standard error is a terminal. True shows it elsewhere as well; in a
            notebook as a line of text that is written over, which needs no widgets.

    Yields:
        A function of the text beside the bar; it marks one step as done.
    """
    if shown and (display := _notebook_display()) is not None:
        yield from _in_a_notebook(total, display)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.table import Column

    console = Console(stderr=True)
    if not (console.is_terminal if shown is None else shown):
        yield lambda _text: None
        return
    cut = Column(ratio=1, no_wrap=True, overflow="ellipsis")  # a narrow terminal cuts the text, not the rest
    text = TextColumn("{task.description}", table_column=cut)
    columns = (BarColumn(16), TimeElapsedColumn(), TimeRemainingColumn(), text)
    with Progress(*columns, console=console, expand=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda text: progress.update(task, advance=1, description=text)


def _notebook_display() -> Callable[..., Any] | None:
    """Return what displays in a notebook, None where there is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or getattr(shell, "kernel", None) is None:
        return None
    from IPython.display import display

    shown: Callable[..., Any] = display
    return shown


def _in_a_notebook(total: int, display: Callable[..., Any]) -> Iterator[Tick]:
    """Write over one line of text, at most ten times a second."""
    begun = written = time.monotonic()
    done = 0

    def line(text: str) -> dict[str, str]:
        seconds = time.monotonic() - begun
        left = seconds / max(done, 1) * (total - done)
        bar = "\u2588" * (16 * done // max(total, 1))
        return {"text/plain": f"{bar:\u2591<16} {seconds:.0f} s, {left:.0f} s left  {text}"}

    handle = display(line(""), raw=True, display_id=True)

    def tick(text: str) -> None:
        nonlocal done, written
        done += 1
        if done == total or time.monotonic() - written > 0.1:
            written = time.monotonic()
            handle.update(line(text), raw=True)

    yield tick
