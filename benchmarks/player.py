"""The stepper's page: how long it takes to build, how large it is, and how long a step takes in a browser.

    python -m benchmarks.player [--walks N] [--json FILE]

The page is built by a script of its own, from a cold start of Python; the time is the processor's, so that
other programs do not count. It is opened in headless Chromium, until all of its script has run, and walked
through: at fifty places of the walk a button is pressed in a frame, and `performance.now()` tells when the
layout is there, and when the page's main thread is free again after painting the frame. A walk is repeated.
As other programs only ever add to a time, the figures of a step are of its fastest press; the slowest of all
presses is told beside them.
Debian's ``chromium`` (or another Chromium) and Playwright's Python package must be installed.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FRAME = 16.0
"""What a step may take, in milliseconds: a frame at 60 Hz."""

_NEURON = """
from autograd import Value, exp
w0, x0, w1, x1, w2 = (Value(v, n) for v, n in ((2, "w0"), (-1, "x0"), (-3, "w1"), (-2, "x1"), (-3, "w2")))
root = (1 / (1 + exp(-1 * (w0 * x0 + w1 * x1 + w2))) - 1) ** 2
"""
_NETWORK = """
import random
from autograd import Value
from nn import MLP
model = MLP(3, [9, 9, 1], rng=random.Random(0)){grouped}
root = (model([Value(0.1 * i, f"x{{i}}") for i in range(3)]) - 1.0) ** 2
"""
_GPT = """
from nn import GPT
root = GPT(4, block=3, width=4, heads=1, rng=0).grouped().loss([2, 0, 1, 2])
"""
_CHAIN = """
from autograd import Value
x = Value(0.5, "x")
root = x
for k in range(266):
    root = root * 1.01 if k % 2 else root + x
"""
GRAPHS = {
    "a neuron": _NEURON,
    "MLP, in groups": _NETWORK.format(grouped=".grouped()"),
    "MLP, flat": _NETWORK.format(grouped=""),
    "a chain": _CHAIN,
    "GPT, in groups": _GPT,
}
_SAVE = """
import sys
from autograd import step_through, topological_order
step_through(root).save(sys.argv[1])
print(len(topological_order(root)))
"""

# A frame's script ends with its microtasks; the message that it sends arrives after style, layout and paint.
_SCRIPT = """
const get = (id) => document.getElementById(id);
const frame = () => new Promise(requestAnimationFrame);
async function time(act) {
    await frame();
    const start = performance.now();
    act();
    get("canvas").getBoundingClientRect();
    const laid = performance.now() - start;
    await new Promise((done) => {
        const channel = new MessageChannel();
        channel.port1.onmessage = done;
        channel.port2.postMessage(null);
    });
    return [laid, performance.now() - start];
}
const press = (button) => () => get(button).click();
const enter = (control, kind, value) => () => {
    get(control).value = value;
    get(control).dispatchEvent(new Event(kind, { bubbles: true }));
};
const slide = (step) => enter("slider", "input", step), choose = (view) => enter("view", "change", view);
const end = Number(get("slider").max), go = (step) => slide(step)();
async function walk(button) {
    const times = [], count = Math.min(end, 50);
    for (let k = 0; k < count; k++) {
        go(Math.floor((k * end) / count) + (button === "back"));
        await frame();
        times.push(await time(press(button)));
    }
    return times;
}
"""
_ACTIONS = {
    "next": "return await walk('next')",
    "back": "return await walk('back')",
    "to the end": "go(0); await frame(); return [await time(press('last'))]",
    "to the start": "go(end); await frame(); return [await time(press('first'))]",
    "slider, to 20 places": """
        const times = [];
        for (let k = 1; k <= 20; k++) times.push(await time(slide(Math.round(end * ((k * 7) % 20) / 20))));
        return times;
    """,
}
_VIEWS = """
    const times = [];
    for (const { value } of document.querySelectorAll("#view option")) times.push(await time(choose(value)));
    return times;
"""


def build(script: str, path: Path, runs: int) -> dict[str, float]:
    """Build a page from a cold start of Python; return the least seconds, its bytes and the nodes."""
    seconds = []
    for _ in range(runs):
        before = _used_by_children()
        command = [sys.executable, "-c", script + _SAVE, str(path)]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds.append(_used_by_children() - before)
    return {"nodes": int(run.stdout), "seconds": min(seconds), "bytes": path.stat().st_size}


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def browser() -> Iterator[Any]:
    """Yield a running browser, or None where there is none."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        yield None
        return
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


def measure(page: Any, action: str, walks: int) -> dict[str, Any]:
    """Repeat an action on a page; return what its presses took, in milliseconds."""
    code = f"async () => {{ {_SCRIPT} {action} }}"
    repeats = [page.evaluate(code) for _ in range(walks)]
    presses = [[min(times) for times in zip(*each, strict=True)] for each in zip(*repeats, strict=True)]
    laid, painted = map(sorted, zip(*presses, strict=True))
    every = [painted for walk in repeats for _, painted in walk]
    return {
        "presses": len(presses),
        "laid out": {"median": median(laid), "worst": laid[-1]},
        "painted": {
            "median": median(painted),
            "p99": painted[int(0.99 * len(painted))],
            "worst": painted[-1],
        },
        "slowest of all": max(every),
        "over a frame": sum(press > FRAME for press in every) / len(every),
    }


def opening(running: Any, path: Path, runs: int) -> float:
    """Return the least seconds from the browser's being asked for a page until its script has run."""
    seconds = []
    for _ in range(runs):
        page = running.new_page(viewport={"width": 1280, "height": 720})
        page.goto(path.as_uri())
        seconds.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1e3)
        page.close()
    return min(seconds)


def walk_through(running: Any, path: Path, walks: int) -> dict[str, dict[str, Any]]:
    """Return the times of all actions on a page; of one with groups, with all of them open."""
    page = running.new_page(viewport={"width": 1280, "height": 720})
    page.goto(path.as_uri())
    results = {}
    count = page.locator("#view option").count()
    if count > 1:
        results["another view"] = measure(page, _VIEWS, walks)
        page.select_option("#view", index=count - 1)
    for name, action in _ACTIONS.items():
        results[name] = measure(page, action, walks)
    page.close()
    return results


def report(results: dict[str, Any], console: Console) -> None:
    """Print the measurements as tables."""
    table = Table(title="The page, from a cold start of Python", title_justify="left")
    for header in ("", "nodes", "built in", "size", "opened in"):
        table.add_column(header, justify="right" if header else "left")
    for name, row in results.items():
        built = row["page"]
        size = f"{built['bytes'] / 1e3:,.0f} kB"
        opened = f"{built['opened']:.2f} s" if "opened" in built else "-"
        table.add_row(name, str(built["nodes"]), f"{built['seconds']:.2f} s", size, opened)
    console.print(table)
    table = Table(title="In the browser, milliseconds per press", title_justify="left")
    headers = (
        "laid out: median",
        "worst",
        "painted: median",
        "p99",
        "worst",
        "slowest of all",
        f"over {FRAME:.0f} ms",
    )
    for header in ("", "", "presses", *headers):
        table.add_column(header, justify="right" if header else "left")
    for name, row in results.items():
        for action, times in row["browser"].items():
            numbers = [*times["laid out"].values(), *times["painted"].values(), times["slowest of all"]]
            slow = f"{times['over a frame']:.1%}"
            table.add_row(name, action, str(times["presses"]), *(f"{number:.1f}" for number in numbers), slow)
            name = ""
    console.print(table)


def main() -> None:
    """Measure, print, and write the figures to a file if one is named."""
    parser = argparse.ArgumentParser(description="Measure the stepper's page.")
    parser.add_argument("--walks", type=int, default=3, help="how often a walk is repeated (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    console = Console(width=150)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, browser() as running:
        if running is None:
            console.print(
                "steps in the browser are skipped: Chromium or Playwright's package is not installed"
            )
        for name, script in GRAPHS.items():
            path = Path(folder, "page.html")
            results[name] = {"page": build(script, path, arguments.walks), "browser": {}}
            if running is not None:
                results[name]["page"]["opened"] = opening(running, path, arguments.walks)
                results[name]["browser"] = walk_through(running, path, arguments.walks)
    report(results, console)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
