"""Where a command's results go, tried before the work is done."""

import secrets
from pathlib import Path


def require_writable(folder: Path) -> None:
    """Make the folder for the results, and see that a file can be written there.

    Raises:
        OSError: that is not possible.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trial = folder / f".{secrets.token_hex(8)}.part"
    trial.write_bytes(b"")
    trial.unlink()
