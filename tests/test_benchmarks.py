"""The contenders of the benchmarks compute the same; what they are timed at is nobody's business here."""

import numpy as np
import pytest

from benchmarks import compiled, contenders, workloads
from benchmarks.timing import show, take_turns

SMALL = {
    "exercise 11": workloads.exercise_11,
    "digits": lambda: workloads.digits_network(*workloads.digit_images(8)),
    "recurrence": lambda: workloads.recurrence(20),
    "convolution": workloads.convolution,
    "integrator": lambda: workloads.integrator(20),
    "unstructured": lambda: workloads.unstructured(300),
}


@pytest.mark.parametrize("name", SMALL)
def test_all_that_are_installed_agree_on_loss_and_gradient(name):
    workload = SMALL[name]()
    loss, gradient = contenders.eager(workload)()
    makers = compiled.OURS | compiled.SCALAR_PEERS
    if name == "exercise 11":
        makers |= {key: make for key, make in compiled.ARRAY_PEERS.items() if key != "JAX, jit"}
    for make in makers.values():
        try:
            run = make(workload)
        except (ImportError, FileNotFoundError):
            continue
        assert contenders.agrees(run, loss, np.array(gradient))


def test_a_contender_that_computes_something_else_is_found_out():
    workload = workloads.convolution()
    loss, gradient = contenders.eager(workload)()
    wrong = np.array(gradient) * (1.0 + 1e-6)
    assert not contenders.agrees(lambda: (loss, wrong), loss, np.array(gradient))
    assert not contenders.agrees(lambda: (loss * (1.0 + 1e-6), gradient), loss, np.array(gradient))


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
