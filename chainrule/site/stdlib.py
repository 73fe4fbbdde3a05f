"""Python's library for the page: what each start imports is compiled, what no page can use is left out.

It runs in the page's own Python, at build time, since compiled files fit one version of Python only.
"""

import io
import sys
import zipfile
from importlib._bootstrap_external import _code_to_timestamp_pyc  # type: ignore[attr-defined]  # as py_compile uses it

USELESS = {
    *("curses/", "pty.py", "tty.py"),
    *("concurrent/futures/process.py", "ensurepip/", "multiprocessing/", "venv/"),
    *("ftplib.py", "imaplib.py", "mailbox.py", "netrc.py", "nturl2path.py", "poplib.py", "smtplib.py"),
    *("http/server.py", "wsgiref/", "xmlrpc/"),
    *("encodings/cp", "encodings/iso8859_", "encodings/koi8_", "encodings/mac_"),
}
"""Of mail, servers, terminals, other processes: a page has none of them. And old alphabets."""


def compact(archive: bytes) -> bytes:
    """Return the library's zip file for the page.

    Args:
        archive: the zip file that this Python was started from. What has been imported from it by now is
            compiled, without its docstrings; of the rest the sources are kept, which are smaller.
    """
    imported = {
        str(origin).partition(".zip/")[2]
        for module in list(sys.modules.values())
        if (origin := getattr(module, "__file__", None))
    }
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(packed, "w") as new,
    ):
        for name in sorted(old.namelist()):
            if name.endswith("/") or (name.startswith(tuple(USELESS)) and name not in imported):
                continue
            content = old.read(name)
            if name in imported and name.endswith(".py"):
                # The path is not known before the import, which puts it into what it says of errors.
                code = compile(content, name, "exec", dont_inherit=True, optimize=2)
                name, content = f"{name}c", bytes(_code_to_timestamp_pyc(code, 0, 0))
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()
