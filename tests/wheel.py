"""Run Python where the compiled wheel stands in place of the source.

    python -m tests.wheel -m pytest -n 2          the whole suite
    python -m tests.wheel -m benchmarks.eager     or whatever else

The wheel is built and unpacked into a new folder, beside copies of the tests and of all else that is no
package.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = {"autograd", "nn", "chainrule"}
LEFT_OUT = {
    ".git",
    ".venv",
    ".cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    "dist",
    "build",
    "site",
}


def has_compiler() -> bool:
    """Tell whether there is a compiler and all else that a compiled wheel is built with."""
    try:
        import Cython  # noqa: F401
        import setuptools  # noqa: F401
    except ImportError:
        return False
    compiler = (sysconfig.get_config_var("CC") or "cl").split()[0]
    header = Path(sysconfig.get_path("include"), "Python.h")
    return shutil.which(compiler) is not None and header.exists()


def build(folder: Path) -> Path:
    """Build the compiled wheel into a folder and return its path."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        env=os.environ | {"CHAINRULE_COMPILE": "1"},
        stdout=subprocess.DEVNULL,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def unpack(wheel: Path, folder: Path) -> None:
    """Make a folder what the project's root is, with the wheel's packages in place of the source's."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for path in ROOT.iterdir():
        if path.name in PACKAGES or path.name in LEFT_OUT:
            continue
        if path.is_dir():
            shutil.copytree(path, folder / path.name, ignore=ignored)
        else:
            shutil.copy(path, folder)
    zipfile.ZipFile(wheel).extractall(folder)


def run(folder: Path, *arguments: str) -> int:
    """Run Python in an unpacked folder and return its status."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
        "PY_IGNORE_IMPORTMISMATCH": "1",  # pytest finds node.py, and Python the extension beside it
    }
    return subprocess.run([sys.executable, *arguments], cwd=folder, check=False, env=environment).returncode


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as unpacked:
        unpack(build(Path(made)), Path(unpacked))
        sys.exit(run(Path(unpacked), *sys.argv[1:]))
