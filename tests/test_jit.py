"""Compiled functions: what shares a program, what has one of its own, and how they compose."""

import math
import threading
import warnings

import numpy as np
import pytest

import autograd
from autograd import Value, grad, jit, relu, tanh, value_and_grad

pytestmark = pytest.mark.usefixtures("every_engine")


def test_calls_of_one_form_share_a_program_and_others_have_their_own():
    recorded = []

    @jit
    def f(x, scale, power=2, *, name="a"):
        recorded.append(name)
        return {"sum": sum(v**power for v in x) * scale, "last": x[-1]}

    assert f([1.0, 2.0], 3.0) == {"sum": 15.0, "last": 2.0}
    assert f([5.0, 1.0], 2.0) == {"sum": 52.0, "last": 1.0}
    assert len(recorded) == 1
    assert f([1.0, 2.0, 3.0], 1.0) == {"sum": 14.0, "last": 3.0}
    assert f([1.0, 2.0], 1.0, 3) == {"sum": 9.0, "last": 2.0}
    assert f([1.0, 2.0], 1.0, name="b") == {"sum": 5.0, "last": 2.0}
    assert len(recorded) == len(f.programs) == 4
    assert list(f.calls.values()) == [2, 1, 1, 1]
    assert next(iter(f.programs)) == "([2 x float], float)"


def test_arrays_are_fed_whatever_their_kind():
    f = jit(lambda a: (a * a).sum())
    assert f(np.array([1.0, 2.0])) == f(np.array([1, 2])) == f(np.array([1, 2], dtype=np.float32)) == 5.0
    assert len(f.programs) == 1
    assert f(np.ones((2, 2))) == 4.0


@pytest.mark.parametrize("kind", [bool, int, np.bool_, np.int64])
def test_flags_of_any_kind_decide_what_is_recorded(kind):
    f = jit(lambda x, double: x * 2.0 if double else x)
    assert [f(3.0, kind(flag)) for flag in (1, 0, 1)] == [6.0, 3.0, 6.0]
    assert list(f.calls.values()) == [2, 1]


def test_texts_in_an_array_decide_what_is_recorded_as_others_do():
    f = jit(lambda names, x: x * 2.0 if names[0] == "double" else x * names[1])
    calls = [(["double", 1.0], 3.0), (["once", 1.0], 3.0), (["once", 5.0], 3.0), (["double", 7.0], 4.0)]
    found = [f(np.array(names, dtype=object), x) for names, x in calls]
    assert found == [6.0, 3.0, 15.0, 8.0]
    assert len(f.programs) == 2
    assert [f(np.array([name, "1"]), 3.0) for name in ("double", "double")] == [6.0, 6.0]


def test_parameters_that_the_function_closes_over_are_read_at_each_call():
    w = Value(2.0)
    f = jit(lambda x: w * x)
    assert f(3.0) == 6.0
    w.data = 5.0
    assert f(3.0) == 15.0
    assert (w.grad, len(f.programs)) == (0.0, 1)


def test_gradients_run_programs_and_equal_those_of_the_function_itself():
    def f(w, x, c):
        return sum(tanh(a * b) for a, b in zip(w["w"], x, strict=True)) * w["s"] + c

    point = {"w": [0.5, -0.3, 2.0], "s": 1.5}, np.array([1.0, 2.0, 3.0]), 7.0
    compiled = jit(f)
    for argnums in (0, 1, (0, 2), (2, 0), -1):
        expected, found = (value_and_grad(g, argnums)(*point) for g in (f, compiled))
        assert found[0] == pytest.approx(expected[0], rel=1e-15)
        flat, nested = (autograd.nested.flatten(side[1]) for side in (found, expected))
        assert flat[0] == pytest.approx(nested[0], rel=1e-14)
        assert type(found[1]) is type(expected[1])
    assert len(compiled.programs) == 5
    assert grad(compiled)({"w": [1.0], "s": 2}, np.array([0.0]), 0.0)["s"] == 0.0


def test_higher_derivatives_and_graphs_see_through_a_compiled_function():
    f = jit(lambda x: x**4)
    assert grad(grad(f))(2.0) == 48.0
    x = Value(2.0)
    y = f(x) * 3.0
    y.backward()
    assert (y.data, x.grad) == (48.0, 96.0)
    second = jit(grad(lambda x: x**4))
    assert second(2.0) == 32.0
    assert second(3.0) == 108.0


def test_methods_and_engines():
    class Model:
        def __init__(self, w):
            self.w = w

        @jit(engine="numpy")
        def score(self, x):
            return relu(self.w * x)

    a, b = Model(2.0), Model(3.0)
    assert (a.score(5.0), b.score(5.0), a.score(-1.0)) == (10.0, 15.0, 0.0)
    assert {program.engine for program in Model.score.programs.values()} == {"numpy"}


def test_gradients_of_a_method_run_programs_too():
    class Model:
        def __init__(self, w):
            self.w, self.calls = Value(w), 0

        @jit
        def loss(self, x, y):
            self.calls += 1
            return sum((self.w * a - y) ** 2 for a in x)

    model, other = Model(2.0), Model(3.0)
    assert value_and_grad(model.loss)([1.0, 2.0], 1.0) == (10.0, [4.0, 12.0])
    assert value_and_grad(model.loss, argnums=(1, 0))([3.0, 2.0], 1.0) == (34.0, (-16.0, [20.0, 12.0]))
    model.w.data = 1.0
    assert grad(model.loss)([1.0, 2.0], 1.0) == [0.0, 2.0]
    assert grad(other.loss)([1.0, 2.0], 1.0) == [12.0, 30.0]
    assert (model.calls, other.calls) == (2, 1)
    assert model.loss.programs is Model.loss.programs
    assert len(Model.loss.programs) == 3
    assert model.loss.__name__ == "loss"


def test_what_is_recorded_under_no_grad_is_recorded_all_the_same():
    """As `grad` does: a program needs the graph, whoever calls first."""
    w = Value(3.0)
    f = jit(lambda x: w * x * x)
    with autograd.no_grad():
        assert (f(2.0), f(3.0), grad(f)(2.0)) == (12.0, 27.0, 12.0)
    assert (f(1.0), grad(f)(1.0)) == (3.0, 6.0)


def test_threads_call_one_function_at_a_time_or_at_once():
    f = jit(lambda x, n: sum(tanh(v * n) for v in x))
    expected = {k: sum(math.tanh(v * k) for v in range(40)) for k in range(8)}
    wrong = []

    def call(k):
        for _ in range(60):
            value, slopes = value_and_grad(f)([float(v) for v in range(40)], float(k))
            if not math.isclose(value, expected[k]) or slopes[0] != k:
                wrong.append((k, value))

    threads = [threading.Thread(target=call, args=(k,)) for k in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert list(f.calls) == ["([40 x float], float), by 0"]


def test_a_branch_on_a_number_is_refused():
    f = jit(lambda x: x if x > 0 else -x)
    with pytest.raises(ValueError, match=r"asked a leaf .* for its number with >"):
        f(1.0)


def test_many_programs_of_one_function_are_worth_a_warning():
    f = jit(lambda x, n: x * n)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(15):
            f(1.0, n)
    with pytest.warns(RuntimeWarning, match=r"compiled 16 times, last for \(float, 15\)"):
        f(1.0, 15)


def test_what_cannot_be_compiled_says_why():
    with pytest.raises(TypeError, match="jit takes a function, got float"):
        jit(1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="number, an array, a nest of these, or something hashable"):
        jit(lambda x: x)(bytearray(b"x"))
    with pytest.raises(TypeError, match=r"one number, but .* returned list of 2"):
        grad(jit(lambda x: [x, x]))(1.0)


def test_a_function_of_no_numbers_is_a_constant():
    assert jit(lambda: math.pi)() == math.pi
    assert jit(lambda n: [n, 2 * n])(3) == [3.0, 6.0]
