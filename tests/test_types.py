"""The types that users see: the stubs are those of the table, and mypy finds the mistakes it must find."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from autograd import Value, ops
from tests.stubs import HERE, STUBS

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", STUBS)
def test_the_stubs_are_those_that_the_table_gives(name):
    assert (HERE / name).read_text() == STUBS[name](), "run python -m tests.stubs"


def test_the_stub_of_the_table_leaves_out_no_public_name():
    stub = ast.parse((HERE / "ops" / "__init__.pyi").read_text())
    declared = {node.target.id for node in stub.body if isinstance(node, ast.AnnAssign)}
    declared |= {node.name for node in stub.body if isinstance(node, ast.FunctionDef)}
    public = {
        name
        for name, thing in vars(ops).items()
        if not name.startswith("_") and str(getattr(thing, "__module__", None)).startswith(ops.__name__)
    }
    assert public | {"TABLE"} == declared


def test_every_method_of_the_stub_is_there():
    (declared,) = [
        n for n in ast.parse((HERE / "methods.pyi").read_text()).body if isinstance(n, ast.ClassDef)
    ]
    for method in declared.body:
        assert isinstance(method, ast.FunctionDef)
        assert callable(getattr(Value, method.name))


@pytest.mark.parametrize("row", ops.TABLE.values(), ids=lambda row: row.name)
def test_a_row_says_its_signature_and_what_it_takes(row):
    parameters = inspect.signature(row).parameters.values()
    assert [p.name for p in parameters] == list(row.arguments)
    assert [p.default for p in parameters if p.default is not p.empty] == list(row.defaults)
    assert all(f"    {name}: " in row.__doc__ for name in row.arguments)


@pytest.mark.slow
def test_mypy_accepts_what_is_right_and_finds_what_is_wrong():
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "typing_tests"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout
