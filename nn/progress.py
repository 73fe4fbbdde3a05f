"""A progress bar on the terminal, and silence elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tick = Callable[[str], None]


@contextmanager
def progress_bar(total: int, shown: bool | None = None) -> Iterator[Tick]:
    """Show a bar with the time left while the body runs; call what it yields after each of ``total`` steps.

    Args:
        total: the number of steps.
        shown: None shows the bar if standard error is a terminal.

    Yields:
        A function of the text beside the bar; it marks one step as done.
    """
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
