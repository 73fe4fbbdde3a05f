"""The architecture, read from the imports: they run one way."""

import ast
import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Each level may import from those before it, and from its own where a sibling is plainly made of the other.
LEVELS = [
    ["real", "text", "scopes", "locks"],
    ["special"],
    ["row"],
    ["ops"],
    ["floats", "spelling", "symbolic"],
    ["given", "node", "formula"],
    ["questions", "writing"],
    ["leaks", "copying", "contributions"],
    ["sweeping"],
    ["value"],
    ["nested", "choosing", "expression", "files", "collector", "functions", "lazy", "variables"],
    ["notation"],
    ["control"],
    ["transforms"],
    ["check", "drawing", "compiler"],
    ["stepping"],
    ["practice"],
    ["__init__"],
]
PACKAGES = ["autograd", "nn", "chainrule"]  # each may import from those before it


def modules(package):
    return sorted((ROOT / package).rglob("*.py"))


def imports(path):
    """Yield the modules of this project that a file imports, wherever in it, except for annotations only."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            module = node.module or ""
            if module in PACKAGES:
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


def unit(name):
    """Return which part of the package a dotted name belongs to; a public name stands for the package."""
    part = name.split(".")[1] if "." in name else "__init__"
    known = (ROOT / "autograd" / part).is_dir() or (ROOT / "autograd" / f"{part}.py").exists()
    return part if known else "__init__"


def level(part):
    found = [i for i, parts in enumerate(LEVELS) if part in parts]
    assert found, f"autograd/{part} has no level; add it to LEVELS"
    return found[0]


@pytest.mark.parametrize(
    "path",
    [path for package in PACKAGES for path in modules(package)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_packages_import_one_way(path):
    own = path.relative_to(ROOT).parts[0]
    later = PACKAGES[PACKAGES.index(own) + 1 :]
    for name in imports(path):
        assert name.split(".")[0] not in later, f"{own} must not know {name}"


@pytest.mark.parametrize("path", modules("autograd"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    own = unit(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for name in imports(path):
        if name.startswith("autograd") and unit(name) != own:
            assert level(unit(name)) < level(own), f"{own} imports {name}"


def test_the_engine_knows_nothing_of_drawing_training_or_arrays():
    for name in (
        "real",
        "special",
        "ops",
        "questions",
        "leaks",
        "copying",
        "floats",
        "node",
        "sweeping",
        "value",
    ):
        top = {
            target.split(".")[0]
            for path in [ROOT / "autograd" / f"{name}.py", *(ROOT / "autograd" / name).glob("*.py")]
            if path.exists()
            for node in ast.parse(path.read_text()).body
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for target in (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            )
        }
        assert not top & {"numpy", "matplotlib", "graphviz", "rich", "nn"}


@pytest.mark.parametrize(
    "path",
    [path for package in PACKAGES for path in modules(package)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_files_are_small_enough_to_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 750


def test_no_function_hides_a_module():
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for package in PACKAGES
        for path in modules(package)
        if path.stem != "__main__"
    ]
    for name in names:
        importlib.import_module(name)
    for name in names:  # `import a.b as c` is an attribute of a
        parent, _, last = name.rpartition(".")
        found = getattr(sys.modules[parent], last) if parent else sys.modules[last]
        assert found is sys.modules[name], f"{name} is a {type(found).__name__}"


@pytest.mark.parametrize("path", sorted((ROOT / "tests").glob("test_*.py")), ids=lambda path: path.name)
def test_no_test_module_imports_another(path):
    assert [name for name in imports(path) if name.startswith("tests.test_")] == []


def test_data_sets_know_nothing_of_networks():
    known, waiting = set(), ["nn.data"]
    while waiting:
        name = waiting.pop()
        if name not in known:
            known.add(name)
            path = ROOT / (name.replace(".", "/") + ".py")
            waiting += [each for each in imports(path) if each.startswith("nn.")]
    assert known.isdisjoint({"nn.modules", "nn.losses", "nn.optim", "nn.train", "nn.evaluate"})
