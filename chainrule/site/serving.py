"""Hand out a folder on this machine, to this machine alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing: the terminal is the reader's."""

    def handle_one_request(self) -> None:
        """Answer; a browser that has left needs no answer."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True


@contextmanager
def serving(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a folder on 127.0.0.1 during the body.

    Args:
        folder: the files.
        port: where; 0 for any that is free.

    Yields:
        The address, such as ``http://127.0.0.1:8000/``.

    Raises:
        OSError: the port is taken.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from urllib.request import urlopen
        >>> with TemporaryDirectory() as folder:
        ...     written = Path(folder, "index.html").write_text("here")
        ...     with serving(Path(folder)) as address, urlopen(address) as page:
        ...         page.read()
        b'here'
    """
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
