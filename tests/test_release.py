"""What is published: the archives are whole, and no link of the index's page leads into a folder."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import autograd
import chainrule

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_stands_in_one_place():
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "autograd/__init__.py"
    assert chainrule.__version__ == autograd.__version__


def test_the_address_of_the_source_is_the_same_everywhere():
    source = PROJECT["project"]["urls"]["Source"]
    text = (ROOT / "pyproject.toml").read_text()
    name = source.removeprefix("https://github.com/")
    assert set(re.findall(r"github(?:usercontent)?\.com/([\w.-]+/[\w.-]+)", text)) == {name}


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return folder


@pytest.mark.slow
def test_the_source_archive_holds_every_file_of_the_project(archives):
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("this is no git checkout, which knows what belongs to the project")
    (archive,) = archives.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert set(tracked.stdout.split("\n")) - {""} <= names


@pytest.mark.slow
def test_the_wheel_holds_the_packages_with_their_types_and_data(archives):
    (archive,) = archives.glob("*.whl")
    names = set(zipfile.ZipFile(archive).namelist())
    packages = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert packages == {"autograd", "nn", "chainrule"}
    for package in packages:
        files = [p.relative_to(ROOT).as_posix() for p in (ROOT / package).rglob("*") if p.is_file()]
        assert {name for name in files if "__pycache__" not in name} <= names


@pytest.mark.slow
def test_the_index_s_page_is_accepted_and_has_absolute_links_only(archives):
    check = [sys.executable, "-m", "twine", "check", "--strict", *map(str, archives.iterdir())]
    run = subprocess.run(check, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    (archive,) = archives.glob("*.whl")
    wheel = zipfile.ZipFile(archive)
    (metadata,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    links = re.findall(r"\]\(([^)\s]+)\)", wheel.read(metadata).decode())
    assert len(links) > 5
    assert [link for link in links if not link.startswith("https://")] == []
