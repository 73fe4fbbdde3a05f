"""The compiled wheel: the same source, chosen by Python itself, and the same promises."""

import re
import zipfile

import pytest

from autograd.node import Clock, Node
from tests import wheel

PART = ["value", "sweep_in_place", "strong_zeros", "interrupts", "copying", "leaks", "control", "microgpt"]


def test_the_types_for_the_compiler_are_those_of_the_slots():
    text = (wheel.ROOT / "autograd" / "node.pxd").read_text()
    for kind in (Clock, Node):
        (declared,) = re.findall(rf"^cdef class {kind.__name__}:\n((?:    .+\n)+)", text, re.MULTILINE)
        names = re.findall(r"^    cdef (?:public )?(?:long )*\w+ (.+)$", declared, re.MULTILINE)
        assert sorted(", ".join(names).split(", ")) == sorted(kind.__slots__)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    if not wheel.has_compiler():
        pytest.skip("there is no compiler of C, or no Cython")
    return wheel.build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, built):
    folder = tmp_path_factory.mktemp("unpacked")
    wheel.unpack(built, folder)
    return folder


def run(folder, program):
    assert wheel.run(folder, "-W", "error", "-c", program) == 0


@pytest.mark.slow
def test_it_is_for_one_machine_and_holds_the_source_too(built):
    assert not built.name.endswith("-none-any.whl")
    core = [name for name in zipfile.ZipFile(built).namelist() if name.startswith("autograd/node.")]
    assert len(core) == 3
    assert {"autograd/node.py", "autograd/node.pxd"} < set(core)


@pytest.mark.slow
def test_python_chooses_the_compiled_core(folder):
    run(
        folder,
        "import autograd.node as node, autograd.value\n"
        "assert not node.__file__.endswith('.py'), node.__file__\n"
        "assert type(node.order_in_place).__name__ == 'cython_function_or_method'",
    )


@pytest.mark.slow
def test_a_deep_graph_is_recorded_swept_and_freed_on_a_small_stack(folder):
    run(
        folder,
        "import gc, threading\n"
        "from autograd import Value\n"
        "def deep():\n"
        "    x = Value(0.5)\n"
        "    for step in (lambda y: y * 1.0, lambda y: 1.0 + y, lambda y: (-y).clamp(-9.0, 9.0)):\n"
        "        y = x\n"
        "        for _ in range(10**6 // 2):\n"
        "            y = step(y)\n"
        "        y.backward()\n"
        "        del y\n"
        "    done.append(gc.collect())\n"
        "done = []\n"
        "gc.collect(); gc.disable()\n"
        "threading.stack_size(256 * 1024)\n"
        "thread = threading.Thread(target=deep); thread.start(); thread.join()\n"
        "assert done == [0], done",
    )


@pytest.mark.slow
def test_it_passes_the_engine_s_tests(folder):
    paths = [f"tests/test_{name}.py" for name in PART]
    assert wheel.run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths) == 0
