"""The contenders of the benchmarks compute the same; what they are timed at is nobody's business here."""

import io
import re
from importlib.util import find_spec

import numpy as np
import pytest
from rich.console import Console

from autograd import Value
from benchmarks import compiled, contenders, families, gpt, scale, workloads
from benchmarks.by_hand import REFERENCES
from benchmarks.eager import Problem
from benchmarks.gpt import Document
from benchmarks.scalars import PEERS, nodes_of, peer
from benchmarks.timing import show, take_turns
from tests.program_families import FAMILIES, drawn


def test_the_families_are_measured(capsys):
    families.main(["--nodes", "300", "--seconds", "0", "--only", "prefix_sums"])
    assert "prefix_sums" in capsys.readouterr().out


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_written_on_arrays_has_the_same_loss_and_gradients(name):
    size = FAMILIES[name].sizes[0]
    build, draw = drawn(name, size)
    leaves = [Value(x) for x in draw.point]
    build(leaves).backward()
    runs = families.references(REFERENCES[name](draw, size), families.arrays_of(draw.point, draw.shapes))
    runs.pop("JAX", None)  # a second to compile each; the benchmark itself compares them
    for run in runs.values():
        _, gradients = run()
        np.testing.assert_allclose(
            np.concatenate([*map(np.ravel, gradients)]), [leaf.grad for leaf in leaves], rtol=1e-8, atol=1e-10
        )


SMALL = {
    "micrograd's demonstration": workloads.micrograd_demo,
    "digits": lambda: workloads.digits_network(*workloads.digit_images(4)),
    "recurrence": lambda: workloads.recurrence(20),
    "convolution": workloads.convolution,
    "integrator": lambda: workloads.integrator(20),
    "unstructured": lambda: workloads.unstructured(300),
}


LONG = "micrograd's demonstration"


@pytest.mark.parametrize(
    "name", [name if name != LONG else pytest.param(name, marks=pytest.mark.slow) for name in SMALL]
)
def test_all_that_are_installed_agree_on_loss_and_gradient(name):
    workload = SMALL[name]()
    loss, gradient = contenders.eager(workload)()
    makers = compiled.OURS | compiled.SCALAR_PEERS
    if name == LONG:
        makers |= {key: make for key, make in compiled.ARRAY_PEERS.items() if key != "JAX, jit"}
    for make in makers.values():
        try:
            run = make(workload)
        except (ImportError, FileNotFoundError):
            continue
        assert contenders.agrees(run, loss, np.array(gradient))


@pytest.mark.parametrize(
    "workload", [lambda engine: Problem(engine, 20, (4, 1)), lambda engine: Document(engine, 3)]
)
def test_the_scalar_engines_agree_on_loss_and_gradient(workload):
    found = {}
    for name in PEERS:
        try:
            program = workload(peer(name))
        except ImportError:
            continue
        loss = program.loss()
        loss.backward()
        leaves = program.leaves if hasattr(program, "leaves") else program.model.parameters()
        gradient = [0.0 if leaf.grad is None else float(leaf.grad) for leaf in leaves]
        found[name] = (loss.item() if name == "torch" else loss.data, gradient)
    loss, gradient = found["chainrule"]
    assert len(found) > 1
    assert any(gradient)
    for other, theirs in found.values():
        assert other == pytest.approx(loss, rel=1e-12)
        assert theirs == pytest.approx(gradient, rel=1e-9, abs=1e-15)


def test_the_document_has_as_many_nodes_as_it_is_said_to_have():
    document = Document(peer("chainrule"))
    assert len(document.leaves) == 4192
    loss = document.loss()
    assert 76_000 < len(nodes_of(loss)) < 78_000
    assert loss.data == pytest.approx(3.3, abs=0.3)


def test_a_contender_that_computes_something_else_is_found_out():
    workload = workloads.convolution()
    loss, gradient = contenders.eager(workload)()
    wrong = np.array(gradient) * (1.0 + 1e-6)
    assert not contenders.agrees(lambda: (loss, wrong), loss, np.array(gradient))
    assert not contenders.agrees(lambda: (loss * (1.0 + 1e-6), gradient), loss, np.array(gradient))


def test_every_time_is_printed_below_who_took_it():
    makers = {**compiled.OURS, **compiled.ARRAY_PEERS, **compiled.SCALAR_PEERS}
    taken = {name: float(place) for place, name in enumerate(makers, 1)}
    facts = {"skipped": {}, "recognised": "", "record and compile": 1.0}
    results = {
        "python": "",
        "machine": "",
        "workloads": {"micrograd's demonstration": {"seconds": taken, **facts}},
        "digits": {"seconds": {"chainrule, compiled, fed": 1.0, "NumPy by hand": 1.0}, **facts},
        "million": {},
    }
    console = Console(record=True, width=300, file=io.StringIO())
    compiled.report(results, console)
    lines = console.export_text().split("All programs")[1].splitlines()
    heads, times = ([cell.strip() for cell in re.split("[┃│]", lines[at])[2:-1]] for at in (2, 4))
    found = dict(zip(heads, times, strict=True))
    for name in (*compiled.OURS, *compiled.SCALAR_PEERS):
        assert found[name.removeprefix("chainrule, ").removeprefix("compiled, ")] == show(taken[name])


def test_contenders_take_turns():
    calls = []
    times = take_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, seconds=0.0, least=2)
    assert list(times) == ["a", "b"]
    assert "".join(dict.fromkeys(calls)) == "ab"
    assert "ab" in "".join(calls)
    assert "ba" in "".join(calls)


@pytest.mark.parametrize(
    ("seconds", "text"), [(12.0, "12.0 s"), (0.123, "123 ms"), (6.23e-5, "62.3 us"), (5e-7, "0.500 us")]
)
def test_times_have_three_digits(seconds, text):
    assert show(seconds) == text


def test_all_that_compute_a_gpts_document_agree():
    found = gpt.contenders()  # which compares them
    assert {"chainrule, eager", "chainrule, compiled for NumPy", "chainrule, machine code"} <= found.keys()
    for library, name in (
        ("jax", "JAX, jit of matrices by hand"),
        ("torch", "PyTorch, matrices by hand"),
    ):
        assert (find_spec(library) is not None) == (name in found)


def test_an_epoch_ends_with_the_same_loss_whoever_runs_it():
    losses = [scale.epoch(name, 250)["loss"] for name in ("NumPy", "machine code")]
    assert losses == pytest.approx(losses[:1] * 2, rel=1e-9)


@pytest.mark.slow
def test_who_is_measured_on_more_and_more_points_agrees_in_a_process_of_its_own(capsys):
    scale.report(scale.measure([250, 300]), Console())
    assert "300" in capsys.readouterr().out
