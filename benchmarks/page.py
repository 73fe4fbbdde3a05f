"""The playground in headless Chromium: how long it takes to start, and to follow what is typed and dragged.

    python -m benchmarks.page [--visits N] [--moves N] [--site DIR] [--json FILE]

The site is built and served on this machine. A first visit is made with a browser that has stored nothing,
a second one with the same browser later; both end when the first example is drawn, and count from the first
byte of the page. Then a slider is moved, and a program typed: each move ends when the player has written
its numbers. As other programs only ever add to a time, the least is told beside the median. The seconds of
processor time are of all of the browser's processes and threads: they may exceed the seconds that passed,
and say more on a busy machine.
Debian's ``chromium`` (or another Chromium), Playwright's Python package and Node.js must be installed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.player import browser
from chainrule.site.build import build
from chainrule.site.serving import serving

TWENTY = """from autograd import Value, exp
w0, x0, w1, x1, w2 = (Value(v, n) for v, n in ((2.5, "w0"), (-1, "x0"), (-3, "w1"), (-2, "x1"), (-3, "w2")))
f = (1 / (1 + exp(-1 * (w0 * x0 + w1 * x1 + w2))) - 1) ** 2
"""
NETWORK = """import random
from autograd import Value
from nn import MLP
model = MLP(3, [9, 9, 1], rng=random.Random(0)){grouped}
x = [Value(0.15, "x0"), Value(0.25, "x1"), Value(0.35, "x2")]
f = (model(x) - 1.0) ** 2
"""
CHAIN = """from autograd import Value
x = Value(0.5, "x")
f = x
for k in range(266):
    f = f * 1.01 if k % 2 else f + x
"""
PROGRAMS = {
    "20 nodes": TWENTY,
    "395, in groups": NETWORK.format(grouped=".grouped()"),
    "395, flat": NETWORK.format(grouped=""),
    "400, a chain": CHAIN,
}
_LISTEN = """
window.told = { begun: performance.now(), steps: [] };
addEventListener("message", ({ data }) => { if (data?.kind === "step") told.steps.push(performance.now()); });
"""
# Until the memory that the next visit starts from is kept.
_KEPT = """async () => {
    const kept = async () => (await (await caches.open("chainrule")).keys()).length; // anew: it is replaced
    while (!(await kept())) await new Promise((done) => setTimeout(done, 100));
}"""
_DRAWN = "() => told.steps.length && document.documentElement.dataset.state === 'idle'"
_START = """() => {
    const [visit] = performance.getEntriesByType("navigation");
    return told.steps[0] - visit.responseStart;
}"""
# A move is over when the player has told its step, and the frame with it has been painted.
_FOLLOW = """
const told_next = async () => {
    const before = told.steps.length;
    const heard = (done) => addEventListener("message", done, { once: true });
    while (told.steps.length === before) await new Promise(heard);
};
const frame = () => new Promise(requestAnimationFrame);
const idle = async () => { while (document.documentElement.dataset.state !== "idle") await frame(); };
"""
_DRAG = f"""async (moves) => {{ {_FOLLOW}
    const sliders = [...document.querySelectorAll("#numbers input")], times = [];
    const slider = sliders.find((each) => Number(each.step) < 1);
    const first = Number(slider.value);
    for (let k = 0; k < moves; k++) {{
        slider.value = first + Number(slider.step) * (1 + (k % 7));
        const begun = performance.now(), next = told_next();
        slider.dispatchEvent(new Event("input", {{ bubbles: true }}));
        await next;
        times.push(performance.now() - begun);
        await frame();
    }}
    const next = told_next();
    slider.dispatchEvent(new Event("change", {{ bubbles: true }}));
    await next;
    await idle();
    return times;
}}"""
_TYPE = f"""async (moves) => {{ {_FOLLOW}
    const content = document.querySelector(".cm-content"), times = [];
    content.focus();
    getSelection().selectAllChildren(content);
    getSelection().collapseToEnd();
    for (let k = 0; k < moves; k++) {{
        const begun = performance.now(), next = told_next();
        document.execCommand("insertText", false, k % 2 ? "1" : "\\nf = f * 1");
        await next;
        times.push(performance.now() - begun);
        await idle();
    }}
    return times;
}}"""


def cpu_of_children() -> float:
    """Return the processor time, in seconds, of this process's children and theirs (on Linux)."""
    times: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").iterdir():
        try:
            facts = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else None
        except OSError:  # it has ended
            continue
        if facts:
            times[int(entry.name)] = (int(facts[1]), sum(map(int, facts[11:15])))
    ours, ticks = {os.getpid()}, 0
    for process, (parent, used) in sorted(times.items()):  # a parent is older than its children
        if parent in ours:
            ours.add(process)
            ticks += used
    return ticks / os.sysconf("SC_CLK_TCK")


def open_page(context: Any, address: str) -> tuple[Any, dict[str, float]]:
    """Open the playground; return the page, and the seconds and bytes until its first picture."""
    page = context.new_page()
    page.add_init_script(_LISTEN)
    session, received = context.new_cdp_session(page), []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    before = cpu_of_children()
    page.goto(address)
    page.wait_for_function(_DRAWN, timeout=120_000)
    facts = {
        "cpu": cpu_of_children() - before,
        "seconds": page.evaluate(_START) / 1e3,
        "bytes": sum(received),
    }
    return page, facts


def visits(running: Any, address: str, count: int) -> Iterator[dict[str, dict[str, float]]]:
    """Visit the page for the first and the second time, with a browser that has stored nothing."""
    for _ in range(count):
        context = running.new_context(viewport={"width": 1280, "height": 800})
        page, first = open_page(context, address)
        page.wait_for_function(
            "async () => (await (await caches.open('chainrule')).keys()).length", timeout=120_000
        )
        page.close()
        page, second = open_page(context, address)
        context.close()
        yield {"first": first, "second": second}


def follow(running: Any, address: str, moves: int) -> dict[str, dict[str, list[float]]]:
    """Return the milliseconds from each move of a slider, and each key, to the numbers in the picture."""
    page, _ = open_page(running.new_context(viewport={"width": 1280, "height": 800}), address)
    results: dict[str, dict[str, list[float]]] = {}
    for name, program in PROGRAMS.items():
        page.click(".cm-content")
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(program)
        page.wait_for_function("() => document.documentElement.dataset.state === 'busy'")
        page.wait_for_function(_DRAWN, timeout=120_000)
        results[name] = {}
        for place, key in (("at the start", "Home"), ("at the end", "End")):
            page.frame_locator("#player").locator("#canvas").press(key)
            results[name][f"drag, {place}"] = page.evaluate(_DRAG, moves)
        results[name]["type"] = page.evaluate(_TYPE, min(moves, 12))
    return results


def import_time(runs: int = 9) -> float:
    """Return the least processor seconds that ``import autograd`` adds to a start of Python."""

    def least(code: str) -> float:
        script = f"import time; begin = time.process_time(); {code}; print(time.process_time() - begin)"
        return min(
            float(
                subprocess.run(
                    [sys.executable, "-c", script], capture_output=True, text=True, check=True
                ).stdout
            )
            for _ in range(runs)
        )

    return least("import autograd")


def report(results: dict[str, Any], console: Console) -> None:
    """Print the measurements as tables."""
    table = Table(title="The first picture", title_justify="left")
    for header in ("", "seconds: least", "median", "processor: least", "over the wire"):
        table.add_column(header, justify="right" if header else "left")
    for visit in ("first", "second"):
        rows = [each[visit] for each in results["visits"]]
        seconds, wire = [row["seconds"] for row in rows], max(row["bytes"] for row in rows)
        cpu = min(row["cpu"] for row in rows)
        numbers = (f"{min(seconds):.2f}", f"{median(seconds):.2f}", f"{cpu:.2f}", f"{wire / 1e6:.2f} MB")
        table.add_row(f"{visit} visit", *numbers)
    console.print(table)
    table = Table(title="From a move to the numbers in the picture, milliseconds", title_justify="left")
    for header in ("", "", "moves", "least", "median", "slowest"):
        table.add_column(header, justify="right" if header else "left")
    for name, row in results["follow"].items():
        for move, times in row.items():
            table.add_row(name, move, str(len(times)), *(f"{each(times):.0f}" for each in (min, median, max)))
            name = ""
    console.print(table)
    console.print(f"import autograd: {results['import'] * 1e3:.0f} ms of processor time")


def main() -> None:
    """Measure, print, and write the figures to a file if one is named."""
    parser = argparse.ArgumentParser(description="Measure the playground's page.")
    parser.add_argument("--visits", type=int, default=3, help="how often a fresh browser visits (default: 3)")
    parser.add_argument(
        "--moves", type=int, default=40, help="moves of a slider in each program (default: 40)"
    )
    parser.add_argument("--site", type=Path, metavar="DIR", help="a site that is built already")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    console = Console(width=120)
    results: dict[str, Any] = {"import": import_time()}
    with tempfile.TemporaryDirectory() as folder, browser() as running:
        if running is None:
            raise SystemExit("Chromium or Playwright's package is not installed")
        with serving(arguments.site or build(folder)) as address:
            results["visits"] = list(visits(running, address, arguments.visits))
            results["follow"] = follow(running, address, arguments.moves)
    report(results, console)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
