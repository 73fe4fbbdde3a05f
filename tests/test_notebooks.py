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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_prints_what_is_committed(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("PYTHONWARNINGS", "error::UserWarning")  # such as that a number left the graph
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


def test_the_readme_lists_every_notebook_in_order_with_its_picture():
    readme = (ROOT / "notebooks" / "README.md").read_text()
    assert re.findall(r"\[\*\*.*\*\*\]\((.*)\.ipynb\)", readme) == [path.stem for path in NOTEBOOKS]
    shown = re.findall(r"!\[\]\(pictures/(.*)\)\]", readme)
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
