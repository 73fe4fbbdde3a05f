"""The site of the course and the reference: it builds without a warning, and all that it needs is in it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow  # it takes half a minute


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    for module in ("mkdocs", "material", "mkdocstrings", "mkdocs_jupyter"):
        pytest.importorskip(module, reason=f"no {module}; it comes with the extra docs")
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no Node.js with npm")
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr  # in strict mode a warning, such as of a dead link, is an error
    return folder


def test_every_notebook_is_a_page_with_its_players_alive(built):
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        page = (built / "notebooks" / f"{notebook.stem}.html").read_text()
        assert page.count("DecompressionStream") == notebook.read_text().count("DecompressionStream")


def test_the_reference_has_the_public_names_with_their_docstrings(built):
    engine = (built / "reference/autograd.html").read_text()
    for name in ("autograd.value.Value", "autograd.transforms.grad", "autograd.check.gradcheck"):
        assert f'id="{name}"' in engine
    assert 'id="nn.modules.MLP"' in (built / "reference/nn.html").read_text()


def test_search_finds_what_a_reader_looks_for(built):
    index = json.loads((built / "search/search_index.json").read_text())
    assert any("backward" in page["text"] and "autograd" in page["location"] for page in index["docs"])


def test_links_within_the_site_lead_somewhere(built):
    for page in built.rglob("*.html"):
        if "playground" in page.parts:
            continue
        for target in re.findall(r'(?:href|src)="([^"#?:]+)["#?]', page.read_text()):
            if not target.startswith(("/", "${", "data")) and page.name != "404.html":
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_page_loads_anything_from_elsewhere(built):
    for page in built.rglob("*.html"):
        text = page.read_text()
        assert not re.findall(r'<(?:script|img|iframe)[^>]*src="?https?:', text), page.name
        assert not re.findall(r'<link[^>]*rel="?(?:stylesheet|preconnect)[^>]*href="?https?:', text), (
            page.name
        )


def test_the_playground_is_part_of_it(built):
    assert (built / "playground/index.html").exists()
    assert 'src="playground/index.html#example=chain_rule' in (built / "playground.html").read_text()
