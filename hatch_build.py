"""How a wheel is built: plain Python for any machine, or with the engine's core compiled for this one.

    CHAINRULE_COMPILE=1 python -m hatchling build -t wheel

Both hold the same files; the compiled one has ``autograd/node.py`` as a C extension besides, which Python
imports in its place. An editable install is always plain.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULE = "autograd.node"
OPTIONS = [] if sys.platform == "win32" else ["-O3", "-g0", "-ffp-contract=off"]  # no fused products


class CustomBuildHook(BuildHookInterface[Any]):
    """What hatchling calls about a wheel."""

    asked = os.environ.get("CHAINRULE_COMPILE", "0") not in ("", "0")

    def dependencies(self) -> list[str]:
        """Return what else the build needs."""
        return ["cython>=3.1", "setuptools>=70"] if self.asked else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the core, if that is asked for, and put it beside its source."""
        if not self.asked or version == "editable":
            return
        self.built = tempfile.TemporaryDirectory()
        extension = compiled(Path(self.root), Path(self.built.name))
        build_data["force_include"][str(extension)] = f"autograd/{extension.name}"
        build_data["pure_python"], build_data["infer_tag"] = False, True

    def finalize(self, *_: Any) -> None:
        """Remove what was made on the way."""
        if hasattr(self, "built"):
            self.built.cleanup()


def compiled(root: Path, folder: Path) -> Path:
    """Compile the core into a folder and return the extension's path.

    Args:
        root: where the packages are.
        folder: where all that is made goes.
    """
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    source = root.joinpath(*MODULE.split(".")).with_suffix(".py")
    core = Extension(MODULE, [os.path.relpath(source)], extra_compile_args=OPTIONS)
    extensions = cythonize(
        [core],
        build_dir=str(folder),
        compiler_directives={"language_level": "3", "auto_pickle": False},
        quiet=True,
    )
    build = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
    build.build_lib = build.build_temp = str(folder)
    build.ensure_finalized()
    build.run()
    (extension,) = (path for path in folder.rglob("node.*") if path.suffix in (".so", ".pyd"))
    return extension
