"""What other libraries have under another name is answered with what to write here, and that is right."""

import ast
import contextlib
import inspect
import re
from typing import Any

import pytest

import autograd
import nn
from nn import habits

untyped: Any = nn  # what is wrong here a type checker finds, too
X, Y = [[0.0, 1.0], [1.0, 0.0]], [1.0, -1.0]
TABLES = {"fit": habits.FIT, "MLP": habits.MLP, "split": habits.SPLIT}
KINDS: dict[str, Any] = {
    "Module": nn.MLP(2, [2, 1], rng=0),
    "Optimizer": nn.SGD(nn.MLP(2, [1], rng=0).parameters()),
    "Standardizer": nn.Standardizer(X),
    "History": nn.History(),
}


def call(function: str, **named: Any) -> Any:
    if function == "MLP":
        return nn.MLP(2, [2, 1], **named)
    if function == "split":
        return nn.split(X, Y, **named)
    model = nn.MLP(2, [2, 1], rng=0)
    return nn.fit(model, X, Y, nn.hinge, nn.SGD(model.parameters()), **named)


@pytest.mark.parametrize(("function", "name"), [(f, name) for f, table in TABLES.items() for name in table])
def test_an_argument_of_another_library_is_answered_with_what_to_write(function, name):
    with pytest.raises(
        TypeError, match=re.escape(f"{function} has no argument {name!r}: {TABLES[function][name]}")
    ):
        call(function, **{name: 1})


@pytest.mark.parametrize(
    ("kind", "name"), [(k, name) for k, table in habits.ATTRIBUTES.items() for name in table]
)
def test_so_is_an_attribute(kind, name):
    asked = KINDS[kind]
    with pytest.raises(AttributeError, match=re.escape(f"{name!r}: {habits.ATTRIBUTES[kind][name]}")):
        getattr(asked, name)
    assert not hasattr(asked, name)


@pytest.mark.parametrize("name", habits.PACKAGE)
def test_so_is_a_name_of_the_package(name):
    with pytest.raises(AttributeError, match=re.escape(habits.PACKAGE[name])):
        getattr(nn, name)


def remedies():
    tables = [habits.PACKAGE, *TABLES.values(), *habits.ATTRIBUTES.values()]
    return sorted({remedy for table in tables for remedy in table.values()})


@pytest.mark.parametrize("remedy", remedies())
def test_what_is_to_be_written_exists(remedy):
    for path in re.findall(r"\b(?:nn|autograd)(?:\.\w+)+", remedy):
        module, *names = path.split(".")
        found = {"nn": nn, "autograd": autograd}[module]
        for name in names:
            found = getattr(found, name)
    model = KINDS["Module"]
    scope = {
        "nn": nn,
        "autograd": autograd,
        "model": model,
        "X": X,
        "y": Y,
        "x": X[0],
        "layers": model.layers,
    }
    scope |= {"optimizer": nn.SGD(model.parameters()), "loss": nn.hinge, "MLP": nn.MLP}
    for start in re.finditer(r"(?:write |or )(?:\w+ ?= ?)?(?=nn\.|MLP\(|model\b|len\()", remedy):
        code = call_at_the_start(remedy[start.end() :])
        if code and not re.search(r"\.\.\.|path|state\b|history", code):
            eval(code, scope)


def call_at_the_start(text):
    """Return the first call in a text that begins with code, or nothing."""
    for end in range(1, len(text) + 1):
        with contextlib.suppress(SyntaxError):
            if isinstance(ast.parse(text[:end], mode="eval").body, ast.Call):
                return text[:end]
    return ""


@pytest.mark.parametrize(("function", "known"), [("fit", nn.fit), ("MLP", nn.MLP), ("split", nn.split)])
def test_an_argument_to_be_written_is_one(function, known):
    arguments = inspect.signature(known).parameters
    for name, remedy in TABLES[function].items():
        assert name not in arguments
        for written in re.findall(r"write (?:callbacks=\[nn.\w+)?(\w+)=", remedy):
            assert written in arguments


def test_what_is_missing_is_named():
    with pytest.raises(TypeError, match=r"fit needs loss and optimizer: write fit\(model, X, y, nn\."):
        untyped.fit(nn.MLP(2, [1]), X, Y)
    with pytest.raises(TypeError, match=r"MLP needs nin: write MLP\(2, \[4, 1\]\)"):
        untyped.MLP()


def test_a_slip_is_answered_with_the_nearest_argument():
    with pytest.raises(TypeError, match="fit has no argument 'epoch': did you mean 'epochs'"):
        call("fit", epoch=3)


def test_an_attribute_that_nobody_has_is_missing_as_usual():
    with pytest.raises(AttributeError, match=r"^'MLP' object has no attribute 'frobnicate'$"):
        _ = KINDS["Module"].frobnicate


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: call("fit", callbacks=nn.EarlyStopping()), r"write callbacks=\[...\]"),
        (lambda: untyped.EarlyStopping(3), r'write EarlyStopping\("val_loss", ...\)'),
        (lambda: untyped.SGD(KINDS["Module"].parameters(), lr="0.1"), "lr must be a number, not '0.1'"),
    ],
)
def test_a_thing_of_another_kind_is_refused_with_the_remedy(act, message):
    with pytest.raises(TypeError, match=message):
        act()
