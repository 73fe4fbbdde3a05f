"""Files that are written whole or not at all."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, also if the machine fails.

    A file that was there before keeps its mode, and its owner and group where the system allows it; a link
    stays a link. A device or a named pipe is written to, not replaced.

    Raises:
        OSError: the file cannot be written; what was there before is untouched.
    """
    try:
        before = _status(path)
        if before is not None and not stat.S_ISREG(before.st_mode):
            with path.open("wb") as stream:  # for a folder this is the error
                stream.write(content)
        else:
            _replace(path.resolve(), content, before)
    except OSError as error:
        reason = f"cannot write {str(path)!r}: {error.strerror}; choose a folder that exists and is writable"
        if error.errno in (errno.EACCES, errno.EPERM):
            reason = f"cannot write {str(path)!r}: {error.strerror}; choose a file that may be written"
        raise OSError(error.errno, reason) from None


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _replace(target: Path, content: bytes, before: os.stat_result | None) -> None:
    """Write a new file beside the target and put it in its place."""
    if before is not None and not (before.st_mode & 0o222 and os.access(target, os.W_OK)):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    partial = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as stream:
            if before is not None:
                _take_over(partial, before)  # before the content is there for others to read
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())  # or after a power cut the name could stand for an empty file
        partial.replace(target)
    finally:
        with suppress(OSError):  # usually it is gone already
            partial.unlink()
    with suppress(OSError):  # not every system opens folders
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _take_over(partial: Path, before: os.stat_result) -> None:
    """Give a new file the owner, group and mode of the one that it is to replace."""
    with suppress(OSError, AttributeError):  # only root gives files away; Windows has no owners
        os.chown(partial, before.st_uid, before.st_gid)
    partial.chmod(stat.S_IMODE(before.st_mode))  # last, as a change of owner takes bits away
