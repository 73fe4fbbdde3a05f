"""The command line, run within the tests, and programs that are watched and typed to in a terminal."""

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator
from typing import Any

from chainrule import cli


def status(*arguments: Any) -> Any:
    """Run the command line here; return the exit status."""
    try:
        return cli.main(list(map(str, arguments)))
    except SystemExit as end:
        return end.code


class Terminal:
    """A pseudo-terminal (POSIX) with a program in it.

    Args:
        file: the terminal's descriptor.
    """

    def __init__(self, file: int) -> None:
        self.file = file

    def type(self, keys: bytes) -> None:
        os.write(self.file, keys)

    def until(self, text: str) -> None:
        """Wait until the program has written a text, and forget what it has written."""
        seen, end = "", time.monotonic() + 60
        while text not in seen:
            assert time.monotonic() < end, seen
            if select.select([self.file], [], [], 1.0)[0]:
                seen += os.read(self.file, 4096).decode(errors="replace")


@contextlib.contextmanager
def in_a_terminal(*arguments: str) -> Iterator[Terminal]:
    """Run Python with these arguments in a terminal of 100 columns; at the end it must have ended well."""
    import pty

    process, file = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm", COLUMNS="100", LINES="30")
        os.execv(sys.executable, [sys.executable, *arguments])
    yield Terminal(file)
    with contextlib.suppress(OSError):  # the terminal is gone when the program is
        while os.read(file, 4096):
            pass
    assert os.waitpid(process, 0)[1] == 0
