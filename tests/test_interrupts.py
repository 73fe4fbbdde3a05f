"""Interrupts and forks: whatever moment they come at, everything is as it was, or as it was to be."""

import os
import random
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

import autograd
from autograd import Value, draw_dot, sweeping
from autograd.writing import assign
from nn import MLP, SGD, Adagrad, Adam, AdamW, RMSprop, fit, mean_squared_error
from tests.interrupts import places, run_interrupted

RULES = [
    lambda ps: SGD(ps, lr=0.1),
    lambda ps: SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    lambda ps: Adagrad(ps, lr=0.1),
    lambda ps: RMSprop(ps, lr=0.1, momentum=0.5, centered=True),
    lambda ps: Adam(ps, lr=0.1),
    lambda ps: AdamW(ps, lr=0.1),
]


def memory(optimizer):
    return {
        name: np.copy(thing).tolist()
        for name, thing in vars(optimizer).items()
        if name[0] != "_" or isinstance(thing, np.ndarray)
        if name != "parameters"
    }


@pytest.mark.parametrize("rule", RULES)
def test_a_step_of_an_optimiser_is_taken_whole_or_not_at_all(rule):
    def made():
        parameters = [Value(float(k)) for k in range(5)]
        optimizer = rule(parameters)
        for k, parameter in enumerate(parameters):
            parameter.grad = 1.0 + k
        optimizer.step()
        return optimizer

    def state(optimizer):
        return [parameter.data for parameter in optimizer.parameters], memory(optimizer)

    before, after = made(), made()
    after.step()
    outcomes = set()
    for at in places(made().step, 100):
        optimizer = made()
        assert run_interrupted(optimizer.step, at) == at
        assert state(optimizer) in (state(before), state(after))
        outcomes.add(state(optimizer) == state(after))
    assert False in outcomes


def assert_nothing_is_locked():
    """Another thread may write: no interrupt has left the lock shut."""
    thread = threading.Thread(target=assign, args=([Value(0.0)], [1.0]), daemon=True)
    thread.start()
    thread.join(10.0)
    assert not thread.is_alive()


def test_a_sweep_changes_all_leaves_or_none():
    leaves = [Value(float(k)) for k in range(6)]
    root = sum(leaf * leaf for leaf in leaves)
    full = [2.0 * leaf.data for leaf in leaves]
    for at in places(root.backward, 100):
        for leaf in leaves:
            leaf.grad = 0.0
        assert run_interrupted(root.backward, at) == at
        assert [leaf.grad for leaf in leaves] in ([0.0] * 6, full)
        assert_nothing_is_locked()


def test_many_nodes_are_assigned_at_once():
    nodes = [Value(0.0) for _ in range(50)]
    for at in places(lambda: assign(nodes, [0.0] * 50), 100):
        assign(nodes, [0.0] * 50)
        assert run_interrupted(lambda: assign(nodes, range(50), [7.0] * 50), at) == at
        assert [n.data for n in nodes] in ([0.0] * 50, [float(k) for k in range(50)])
    with pytest.raises(ValueError, match="50 nodes need as many numbers, got 2"):
        assign(nodes, [1.0, 2.0])
    with pytest.raises(TypeError, match=r"Value\.data needs a real number"):
        assign(nodes[:2], [1.0, None])


def test_a_model_is_loaded_whole_or_not_at_all():
    model, other = MLP(2, [2, 1], rng=random.Random(0)), MLP(2, [2, 1], rng=random.Random(1))
    state, before = other.state_dict(), model.state_dict()
    for at in places(lambda: model.load_state_dict(state), 100):
        model.load_state_dict(before)
        assert run_interrupted(lambda: model.load_state_dict(state), at) == at
        assert model.state_dict() in (before, state)


def test_the_end_of_a_block_writes_all_leaves_or_none():
    def made():
        leaves = [Value(float(k)) for k in range(6)]
        program = autograd.compile(sum(leaf * leaf for leaf in leaves), inputs=leaves)

        def leave():
            with program:
                program()
                program.parameters -= 1.0

        return leaves, leave

    before = [float(k) for k in range(6)]
    for at in places(made()[1], 100):
        leaves, leave = made()
        run_interrupted(leave, at)
        assert [leaf.data for leaf in leaves] in (before, [number - 1.0 for number in before])


def test_the_end_of_a_block_leaves_nothing_to_be_written_later():
    """Who gives the leaves their old numbers after an interrupt finds them when the program runs next."""
    before = [float(k) for k in range(6)]
    leaves = [Value(number) for number in before]
    program = autograd.compile(sum(leaf * leaf for leaf in leaves), inputs=leaves, engine="numpy")

    def train():
        with program:
            program()
            program.parameters -= 1.0

    def restore():
        assign(leaves, before)
        program()

    for at in places(train, 300):
        restore()
        run_interrupted(train, at)
        if program._detached:  # before the end of the block has begun
            program.__exit__(None, None, None)
        restore()
        assert program.parameters.tolist() == before
        assert program() == sum(number * number for number in before)


@pytest.mark.parametrize("engine", ["numpy", "wasm"])
@pytest.mark.parametrize("run", ["__call__", "forward", "batch", "batch_forward"])
def test_an_interrupted_program_is_not_busy_for_good(engine, run):
    w, x = Value(2.0), Value(3.0)
    program = autograd.compile(w * x, inputs=[w], data={"x": x}, engine=engine)
    fed = [1.0, 4.0] if "batch" in run else 4.0
    for at in places(lambda: getattr(program, run)(x=fed), 200):
        run_interrupted(lambda: getattr(program, run)(x=fed), at)
        assert program(x=5.0) == 10.0


def test_an_interrupted_sweep_leaves_the_fast_loop_free():
    x = Value(2.0)
    root = x * x
    for at in places(root.backward, 100):
        run_interrupted(root.backward, at)
        assert not sweeping._sweeping.locked()


@pytest.mark.parametrize("compiled", [False, True])
def test_an_interrupted_training_returns_its_history_and_whole_steps(compiled):
    """Wherever it comes after the first step: the parameters are those of some step, and fit returns."""
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0])
    taken = []

    class Recorded(SGD):
        def moved(self, data, grad):
            moved = super().moved(data, grad)
            taken.append(moved.tolist())
            return moved

    def training():
        model = MLP(1, [1], rng=random.Random(0))
        taken[:] = [[p.data for p in model.parameters()]]
        optimizer = Recorded(model.parameters(), lr=0.05)

        def train():
            found.append(
                fit(model, X, y, mean_squared_error, optimizer, epochs=3, progress=False, compile=compiled)
            )

        return model, train

    found = []
    early = 0
    chosen = list(places(training()[1], 80))
    for at in chosen:
        found.clear()
        model, train = training()
        run_interrupted(train, at)
        assert_nothing_is_locked()
        assert [p.data for p in model.parameters()] in taken
        if not found:
            assert len(taken) == 1  # nothing had been trained yet
            early += 1
        elif found[0].stopped:
            assert found[0].stopped == "interrupted"
    assert early < len(chosen) / 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_while_other_threads_sweep_and_draw_leaves_the_child_free():
    done = threading.Event()

    def sweep():
        while not done.is_set():
            x = Value(2.0)
            (x * x + x).backward()
            x.data = 3.0

    def draw():
        while not done.is_set():
            draw_dot(Value(2.0) * 3.0).svg()

    threads = [threading.Thread(target=task) for task in (sweep, sweep, draw)]
    draw_dot(Value(1.0) * 2.0).svg()
    for thread in threads:
        thread.start()
    try:
        for _ in range(15):
            with warnings.catch_warnings(action="ignore"):  # that a process of threads is forked
                child = os.fork()
            if child == 0:
                try:
                    x = Value(2.0)
                    (x * x).backward()
                    x.data = 3.0
                    os._exit(0 if x.grad == 4.0 and "<svg" in draw_dot(x * x).svg() else 1)
                finally:
                    os._exit(2)
            deadline = time.monotonic() + 30
            while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
                time.sleep(0.005)
            if ended[0] == 0:
                os.kill(child, 9)
                os.waitpid(child, 0)
            assert ended == (child, 0)
    finally:
        done.set()
        for thread in threads:
            thread.join()


FORKED_WHILE_IMPORTING = """
import os, signal, sys, threading, time, warnings
import autograd
from autograd import Value

class Slow:
    begun = threading.Event()

    def find_spec(self, name, path, target=None):
        if name.startswith({module!r}) and not self.begun.is_set():
            self.begun.set()
            time.sleep(0.2)

def draw():
    return "<svg" in autograd.draw_dot(Value(2.0) * 3.0).svg()

def compiled():
    return autograd.compile(Value(2.0) * 3.0)() == 6.0

sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=lambda: {thread})
thread.start()
assert Slow.begun.wait(60.0)
warnings.simplefilter("ignore")  # that a process of threads is forked
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(0 if {child} else 1)
assert os.waitpid(child, 0)[1] == 0
thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize(
    ("module", "thread", "child"),
    [
        ("graphviz", "draw()", "draw()"),
        ("autograd.drawing", "draw()", "draw()"),
        ("numpy", "autograd.compile", "compiled()"),
    ],
)
def test_a_fork_while_another_thread_imports_on_use_leaves_the_child_free(module, thread, child):
    program = FORKED_WHILE_IMPORTING.format(module=module, thread=thread, child=child)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=150)
