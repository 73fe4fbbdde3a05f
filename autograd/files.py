"""Files that are written whole or not at all."""

import secrets
from contextlib import suppress
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: the file cannot be written; what was there before is untouched.
    """
    target = path.resolve()  # a link stays a link
    partial = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        reason = f"cannot write {str(path)!r}: {error.strerror}; choose a folder that exists and is writable"
        raise OSError(error.errno, reason) from None
    finally:
        with suppress(OSError):  # usually it is gone already
            partial.unlink()
