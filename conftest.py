"""Modules that need an optional package are not collected without it; docstrings' examples leave no files."""

from importlib.util import find_spec

import pytest

OPTIONAL = {"torch": "nn/torch.py", "sklearn": "nn/sklearn.py"}
collect_ignore = [path for package, path in OPTIONAL.items() if find_spec(package) is None]


@pytest.fixture(autouse=True)
def a_folder_for_files(request):
    """Run a docstring's example in a folder of its own."""
    if isinstance(request.node, pytest.DoctestItem):
        folder = request.getfixturevalue("tmp_path")
        request.getfixturevalue("monkeypatch").chdir(folder)
