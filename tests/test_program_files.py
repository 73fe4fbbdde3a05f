"""Programs that outlive their session: saved, loaded, pickled, copied; and files that hold none."""

import copy
import hashlib
import json
import pickle
import random
import threading
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Operation, ProgramFileError, Value, load_program, take
from tests.program_families import FAMILIES, OF_THE_TABLE, make
from tests.rows import first

pytestmark = pytest.mark.usefixtures("every_engine")


@pytest.mark.parametrize("name", OF_THE_TABLE)
def test_a_saved_program_gives_the_same_bits(tmp_path, name):
    build, point = make(name, FAMILIES[name].sizes[0])
    leaves = [Value(x) for x in point]
    program = autograd.compile(build(leaves), inputs=leaves)
    program.save(tmp_path / "program.json")
    loaded = load_program(tmp_path / "program.json")
    assert loaded() == program()
    assert loaded.gradients.tobytes() == program.gradients.tobytes()
    assert loaded.summary() == program.summary()


def test_nesting_names_labels_and_numbers_are_kept(tmp_path):
    w: dict[str, Any] = {"w": [Value(1.5, "first"), Value(-0.0)], "b": Value(float("inf"), "b")}
    x, word = np.array([Value(1.0), Value(2.0)]), Value(1.0, "word")
    score = w["w"][0] * x[0] + take([w["w"][1], x[1]], word)
    program = autograd.compile(
        {"a": score, "b": (score * 2, [w["b"]])}, inputs=w, data={"x": x, "i": word}, aux=[score]
    )
    program.save(tmp_path / "p.json")
    loaded = load_program(tmp_path / "p.json", engine="numpy")
    assert loaded(x=[3.0, 4.0], i=1) == program(x=[3.0, 4.0], i=1) == {"a": 8.5, "b": (17.0, [float("inf")])}
    assert [leaf.label for leaf in loaded.leaves] == ["first", "", "b"]
    assert loaded.aux == [8.5]
    assert loaded(first=2.0)["a"] == 10.0
    assert np.signbit(loaded.parameters[1])
    with pytest.raises(IndexError):
        loaded(i=2)


def changed(path, change, *, sign=True):
    """Write a program file with something else in it."""
    body = json.loads(path.read_text())["program"]
    body = change(body) or body
    checksum = hashlib.sha256(json.dumps(body, separators=(",", ":")).encode()).hexdigest() if sign else "0"
    other = path.with_name("changed.json")
    other.write_text(json.dumps({"checksum": checksum, "program": body}))
    return other


BAD = {
    "another version": (lambda b: b.update(version=2), "version 2.*upgrade"),
    "a version that is no number": (lambda b: b.update(version=True), "version True"),
    "another kind": (lambda b: b.update(kind="model"), "no program file"),
    "an unknown operation": (
        lambda b: b["plan"]["forward"][0].update(expression=["system", 0, 0]),
        "no operation 'system'",
    ),
    "too many arguments": (
        lambda b: b["plan"]["forward"][0].update(expression=["mul", 0, 0, 0]),
        "takes 2 arguments",
    ),
    "an address beyond the memory": (lambda b: b["plan"]["forward"][0]["target"].update(base=10**9), "cells"),
    "a negative address": (lambda b: b["plan"]["forward"][0]["target"].update(base=-1), "cells"),
    "an output beyond": (lambda b: b["plan"].update(outputs=[10**6]), "outside"),
    "too few leaves": (lambda b: b.update(leaves=[]), "holds no program"),
    "a key that is missing": (lambda b: b.pop("tables") and None, "KeyError"),
    "no dict": (lambda b: [b], "no program"),
    "a name of several lines": (
        lambda b: b["plan"]["forward"][0].update(name="x\nraise SystemExit"),
        "where a name should",
    ),
    "a write to what is given": (lambda b: b["plan"]["forward"][0]["target"].update(base=0), "writes to"),
    "an operation of very many arguments": (
        lambda b: b["plan"]["forward"][0].update(expression=["take 1000000000", 0, 0]),
        "no operation",
    ),
    "a nest of other things": (lambda b: b.update(inputs={"list": [0, 0]}), "places"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_file_is_one_clear_error_that_names_it(tmp_path, bad):
    x, y = Value(2.0), Value(3.0)
    path = tmp_path / "good.json"
    autograd.compile(x * y + x, inputs=[x, y]).save(path)
    change, message = BAD[bad]
    other = changed(path, change)
    with pytest.raises(ProgramFileError, match=message) as error:
        load_program(other)
    assert str(other) in str(error.value)


JUNK = (None, True, -1, 0.5, 10**30, "1", "x\nraise SystemExit", [], [0], {}, {"list": [0, 0]})


@pytest.mark.parametrize("seed", first(1, of=12))
def test_whatever_stands_in_a_file_instead_it_is_refused_or_a_program_that_runs(tmp_path, seed):
    """Parts of a file are replaced by what they should not be; nothing in it is executed."""
    x, index = [Value(2.0, "x"), Value(3.0), Value(0.5)], Value(1.0, "i")
    h = Value(0.25)
    for _ in range(12):
        h = autograd.tanh(h * x[0] + x[1])
    path, other = tmp_path / "good.json", tmp_path / "bad.json"
    autograd.compile([h * take(x, index)], inputs=x, data={"i": index, "t": [Value(1.0)]}).save(path)
    body = json.loads(path.read_text())["program"]

    def parts(found):
        yield from found.items() if isinstance(found, dict) else enumerate(found)

    def places(found, at=()):
        for key, part in parts(found):
            yield (*at, key)
            if isinstance(part, (dict, list)):
                yield from places(part, (*at, key))

    every = [(at, junk) for at in places(body) for junk in JUNK]
    drawn = random.Random(seed).sample(every, 200)
    refused = 0
    for at, junk in drawn:
        changed_body = json.loads(json.dumps(body))
        within = changed_body
        for key in at[:-1]:
            within = within[key]
        within[at[-1]] = junk
        text = json.dumps(changed_body, separators=(",", ":"))
        checksum = hashlib.sha256(text.encode()).hexdigest()
        other.write_text(f'{{"checksum":"{checksum}","program":{text}}}')
        try:
            program = load_program(other, engine="numpy")  # the size may be beyond WebAssembly's
        except ProgramFileError:
            refused += 1
            continue
        assert isinstance(program(i=0), list)
        assert "SystemExit" not in program.source
    assert refused > 0.85 * len(drawn)


def test_a_name_of_several_lines_is_no_line_of_the_source():
    row = Operation("twice\nraise SystemExit", lambda x: 2 * x, [lambda *_: 2.0], numpy=lambda _np, x: 2 * x)
    xs = [Value(0.1 * i) for i in range(100)]
    program = autograd.compile(sum(row(x) for x in xs), inputs=xs)
    assert program() == pytest.approx(sum(0.2 * i for i in range(100)))
    compile(program.source, "source", "exec")
    assert "\nraise" not in program.source


def test_a_changed_file_and_one_that_is_none_are_refused(tmp_path):
    x = Value(2.0)
    path = tmp_path / "good.json"
    autograd.compile(x * x).save(path)
    with pytest.raises(ProgramFileError, match="checksum"):
        load_program(changed(path, lambda _: None, sign=False))
    for content in (b"", b"\xff\xfe", b"[1, 2]", b"[" * 100_000, b"null"):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(ProgramFileError, match="other holds no program"):
            load_program(tmp_path / "other")
    with pytest.raises(FileNotFoundError):
        load_program(tmp_path / "missing")
    with pytest.raises(ValueError, match="engine is one of"):
        load_program(path, engine="cuda")


def test_an_operation_of_ones_own_is_not_saved_in_silence(tmp_path):
    row = Operation("cube", lambda x: x**3, [lambda _z, x: 3 * x * x])
    with pytest.raises(ValueError, match="'cube', which is not in autograd's table"):
        autograd.compile(row(Value(2.0))).save(tmp_path / "cube.json")
    assert not (tmp_path / "cube.json").exists()


# Copies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_a_program_is_copied_and_pickled_with_its_leaves(copied):
    w, x = Value(2.0, "w"), Value(3.0)
    program = autograd.compile(w * x, inputs=[w], data={"x": x})
    other = copied(program)
    assert other(w=5.0, x=7.0) == 35.0
    assert (w.data, x.data) == (2.0, 3.0)
    assert program() == 6.0
    assert other() == 35.0


def test_a_copy_shares_the_leaves_and_runs_in_another_thread():
    build, point = make("lstm", 20)
    leaves = [Value(x) for x in point]
    programs = [autograd.compile(build(leaves), inputs=leaves)]
    programs += [copy.copy(programs[0]) for _ in range(3)]
    expected = programs[0]()
    results: list[list[float]] = [[] for _ in programs]

    def run(program, found):
        with program:
            for _ in range(50):
                found.append(program())

    threads = [threading.Thread(target=run, args=pair) for pair in zip(programs, results, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {value for found in results for value in found} == {expected}
    assert programs[1].leaves == tuple(leaves)


def test_a_program_that_is_running_refuses_to_be_run_besides():
    programs, refused = [], []

    def inside(x):
        for program in programs:
            with pytest.raises(RuntimeError, match="running in another thread") as error:
                program.forward()
            refused.append(error)
        return float(x)  # of a plain number: nothing that an engine could see through

    row = Operation("asks", inside, [lambda *_: 1.0])
    programs.append(autograd.compile(row(Value(1.0)), engine="numpy"))
    assert programs[0].forward() == 1.0
    assert len(refused) == 1
