"""What an import brings with it: the packages start fast, and work where there is nothing but Python."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import autograd
import nn

HEAVY = {"numpy", "matplotlib", "graphviz", "rich", "wasmtime", "PIL", "resvg_py"}


def python(program):
    """Run a program in a fresh interpreter; return what it prints."""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("package", ["autograd", "nn"])
def test_importing_a_package_imports_nothing_heavy(package):
    loaded = python(f"import sys, {package}; print(*sys.modules)").split()
    assert {name.partition(".")[0] for name in loaded}.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "program",
    [
        "x = Value(3.0, 'x'); f = (x * x).exp(); f.backward(); print(x.grad)",
        "print(grad(lambda x: x**3)(2.0), hessian(lambda x: x[0] * x[1])([1.0, 2.0]))",
        "print(step_through(Value(2.0, 'x') * 3))",
        "print(len(step_through(Value(2.0, 'x') * 3).html()))",
        "print(gradcheck(sin, [1.0]))",
        "model = nn.MLP(2, [3, 1]); loss = nn.hinge(model([1.0, 2.0]), 1); loss.backward(); print(loss)",
    ],
)
def test_what_computes_no_array_works_without_numpy(program):
    blocked = "import sys; sys.modules['numpy'] = sys.modules['matplotlib'] = None\n"
    assert python(f"{blocked}import nn\nfrom autograd import *\nfrom autograd import grad\n{program}")


def lazy_names(package):
    """The home of each lazy name of a package, and where its type checkers are told it is."""
    tree = ast.parse(Path(package.__file__).read_text())
    block: Any
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    told = {alias.name: node.module for node in block.body for alias in node.names}
    table = ast.literal_eval(block.orelse[0].value.args[1])
    return {name: module for module, names in table.items() for name in names.split()}, told


@pytest.mark.parametrize("package", [autograd, nn], ids=["autograd", "nn"])
class TestLazyNames:
    def test_every_name_is_there(self, package):
        for name in {*package.__all__, *lazy_names(package)[0]}:
            assert getattr(package, name) is not None
            assert name in dir(package)

    def test_no_name_is_that_of_a_module_which_would_replace_it_when_imported(self, package):
        modules = {path.stem for path in Path(package.__file__).parent.iterdir()}
        assert lazy_names(package)[0].keys() & modules == set()

    def test_type_checkers_are_told_the_same_homes(self, package):
        homes, told = lazy_names(package)
        modules = {name for name, home in told.items() if home == package.__name__}
        assert {name: home for name, home in told.items() if name not in modules} == homes


@pytest.mark.parametrize("name", ["compile", "abs", "pow", "round"])
def test_a_star_import_leaves_python_s_own_functions_alone(name):
    assert "built-in" in python(f"from autograd import *; print({name})")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'gard'"):
        autograd.gard  # type: ignore[attr-defined]  # noqa: B018 - the access is the test
    with pytest.raises(ImportError, match="cannot import name 'MPL' from 'nn'"):
        exec("from nn import MPL")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ln", "log"),
        ("tahn", "tanh"),
        ("arctan", "atan"),
        ("grads", "grad"),
        ("Valu", "Value"),
        ("jit2", None),
    ],
)
def test_a_name_that_is_not_there_is_told_the_nearest_that_is(name, meant):
    told = f"did you mean {meant}\\?" if meant else f"'{name}'$"
    with pytest.raises(AttributeError, match=told):
        getattr(autograd, name)
    assert not hasattr(autograd, "__lo__")
