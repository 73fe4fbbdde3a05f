"""Every notebook runs from top to bottom on a fresh kernel, and its committed outputs are what it prints."""

import io
import os
import re
import runpy
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Those that compute for seconds; other tests have their numbers, too.
LONG = ("03", "04", "05", "06", "07", "10", "11", "12")
PICTURES = ROOT / "notebooks" / "pictures"
thumbnail = runpy.run_path(str(ROOT / "notebooks" / "thumbnails.py"))["thumbnail"]


def outputs(notebook):
    """Return what the code cells printed and drew; of plots, whose pixels may differ, that they are there."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            texts.append(output.get("text") or data.get("image/svg+xml") or data.get("text/plain"))
    return texts


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] * (path.stem[:2] in LONG))
        for path in NOTEBOOKS
    ],
)
def test_a_notebook_runs_and_prints_what_is_committed(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv(
        "PYTHONWARNINGS", "error::UserWarning,ignore::DeprecationWarning"
    )  # such as that a number left the graph
    committed = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(fresh, timeout=300, coalesce_streams=True, resources=resources)
    client.execute()
    assert outputs(fresh) == outputs(committed)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_was_run_in_order(path):
    notebook = nbformat.read(path, as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert path.stat().st_size < 500_000
    assert counts == list(range(1, len(counts) + 1))


def solutions(notebook):
    """Return the exercises' solutions, which are folded away until a reader opens them."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    folded = re.findall(r"<details>\n<summary>Solution</summary>\n\n(.*?)\n\n</details>", text, re.DOTALL)
    return [block for part in folded for block in re.findall(r"```python\n(.*?)\n```", part, re.DOTALL)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_exercises_whose_solutions_are_right(path):
    found = solutions(nbformat.read(path, as_version=4))
    assert found
    for solution in found:
        assert "assert " in solution
        exec(compile(solution, path.name, "exec"), {"__name__": "solution"})


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_picture_is_described_for_those_who_do_not_see_it(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                text = output.metadata.get("image/png", {}).get("alt", "")
                assert len(text) > 30, cell.source


def test_players_are_not_only_in_the_first_notebooks():
    with_players = [
        path.stem[:2] for path in NOTEBOOKS if "DecompressionStream" in path.read_text(encoding="utf-8")
    ]
    assert {"01", "02", "04", "09"} <= set(with_players)


def test_the_readme_lists_every_notebook_in_order_with_its_picture():
    readme = (ROOT / "notebooks" / "README.md").read_text()
    assert re.findall(r"\[\*\*.*\*\*\]\((.*)\.ipynb\)", readme) == [path.stem for path in NOTEBOOKS]
    shown = re.findall(r"!\[.+?\]\(pictures/(.*)\)\]", readme)
    assert [Path(name).stem for name in shown] == [path.stem for path in NOTEBOOKS]
    assert sorted(path.name for path in PICTURES.iterdir()) == sorted(shown)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_pictures_are_small_and_taken_from_the_notebooks(path):
    name, content = thumbnail(path)
    committed = (PICTURES / name).read_bytes()
    assert len(committed) < 30_000
    if name.endswith(".svg"):
        assert committed == content
        return
    ours, theirs = (
        np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int) for png in (committed, content)
    )
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).mean() < 4, "run python notebooks/thumbnails.py"
