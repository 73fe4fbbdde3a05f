"""Build libm.wasm, the C library's functions of doubles, from musl's sources.

They come with the compiler in the wheel ``ziglang``, which is needed for this only::

    pip install ziglang==0.14.1
    python autograd/compiler/wasm/libm/build.py

The result is a file without imports, the same on every machine. musl is under the MIT licence, see LICENSE.
"""

import subprocess
import sys
from pathlib import Path

from autograd.compiler.wasm.trace import LIBRARY

HERE = Path(__file__).parent


def build(target: Path) -> None:
    """Compile and link; the linker keeps what is exported and what that needs."""
    exports = [f"-Wl,--export={name}" for name in sorted(LIBRARY)]
    options = [
        "-O3",
        "-mexec-model=reactor",
        "-fno-sanitize=all",
        "-Wl,--no-entry,--strip-all,-z,stack-size=4096",
    ]
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi"]
    subprocess.run([*compiler, *options, *exports, str(HERE / "libm.c"), "-o", str(target)], check=True)


if __name__ == "__main__":
    build(HERE / "libm.wasm")
