"""no_grad, detect_anomaly, and operations of one's own."""
# ruff: noqa: ARG005 - derivatives have the arguments of their row, used or not
# ruff: noqa: PT012 - the line that is named in the error is one of several

import asyncio
import contextvars
import gc
import math
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest

import autograd
from autograd import (
    AnomalyError,
    Operation,
    Value,
    detect_anomaly,
    exp,
    grad,
    gradients,
    group,
    hessian,
    jvp,
    log,
    no_grad,
    operation,
    scopes,
    sqrt,
)
from autograd.questions import noted


def test_nothing_is_recorded_under_no_grad():
    x = Value(3.0)
    with no_grad():
        results = [x * x, 2 + x, x.exp(), exp(x), x.clamp(0, 1), -x, autograd.maximum(x, 1.0)]
    assert all(result.parents == () for result in results)
    assert [result.data for result in results[:2]] == [9.0, 5.0]
    y = results[0] * x
    y.backward()
    assert x.grad == 9.0  # the constant 9 took no gradient
    assert (x * x).parents == (x, x)


def test_no_grad_decorates_and_nests():
    x = Value(2.0)

    @no_grad()
    def predict():
        with no_grad():
            first = x * x
        return first, x * x

    for _ in range(2):
        assert [node.parents for node in predict()] == [(), ()]
    assert (x * x).parents == (x, x)


def test_no_grad_ends_when_an_error_leaves_it():
    x = Value(2.0)
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018 - the error is what matters
    assert (x * x).parents == (x, x)
    assert not scopes.active


def test_no_grad_of_one_thread_does_not_reach_another():
    x = Value(2.0)
    inside, checked = threading.Event(), threading.Event()

    def without():
        with no_grad():
            inside.set()
            assert checked.wait(10)
            seen.append((x * x).parents)

    seen = []
    thread = threading.Thread(target=without)
    thread.start()
    assert inside.wait(10)
    seen.append((x * x).parents)
    checked.set()
    thread.join()
    assert seen == [(x, x), ()]


def test_no_grad_of_one_task_does_not_reach_another():
    x = Value(2.0)

    async def without(inside, checked):
        with no_grad():
            inside.set()
            await checked.wait()
            return (x * x).parents

    async def main():
        inside, checked = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(without(inside, checked))
        await inside.wait()
        outside = (x * x).parents
        checked.set()
        return outside, await task

    assert asyncio.run(main()) == ((x, x), ())


def recorded():
    return (Value(2.0) * 3.0).parents != ()


SWITCHES = {
    "no_grad": (no_grad, lambda: not recorded()),
    "detect_anomaly": (detect_anomaly, lambda: _raises(AnomalyError, lambda: log(Value(0.0)))),
    "group": (group("g"), lambda: noted(Value(1.0) * 2.0, "group") is not None),
}


def _raises(error, function):
    try:
        function()
    except error:
        return True
    return False


@pytest.fixture(params=list(SWITCHES))
def switch(request):
    """What is switched on and off, and a function that tells whether it is on; it is off after the test."""
    switch, on = SWITCHES[request.param]
    assert not on()
    yield switch, on
    assert not on()
    assert not scopes.active
    assert recorded()


def test_a_switch_works_with_parentheses_and_without_and_more_than_once(switch):
    switch, on = switch
    again = switch()
    for _ in range(2):
        for context in (switch, switch(), again):
            with context:
                assert on()
                with context:
                    assert on()
                assert on()
            assert not on()
    assert switch()(on)()
    assert switch(on)()
    assert switch(on).__name__ == on.__name__
    with pytest.raises(TypeError, match=r"only a function can be decorated, not float: 3\.0"):
        switch(3.0)


def test_generators_may_be_left_in_any_order(switch):
    switch, on = switch

    def generator():
        with switch():
            yield on()

    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        generators = [generator() for _ in range(3)]
        assert all(next(g) for g in generators)
        for k in order:
            assert on()
            generators[k].close()
        assert not on()


@pytest.mark.parametrize("shared", [True, False])
def test_a_generator_may_be_left_in_another_thread_or_context(switch, shared):
    switch, on = switch
    one = switch()

    def generator():
        with one if shared else switch():
            yield on()

    def leave(g):
        g.close()
        seen.append(on())

    def enter(g):
        assert next(g)

    seen = []
    for enter_by, leave_by in (
        (lambda call, g: call(g), lambda call, g: _in_thread(call, g)),
        (lambda call, g: _in_thread(call, g), lambda call, g: call(g)),
        (lambda call, g: contextvars.copy_context().run(call, g), lambda call, g: call(g)),
    ):
        g = generator()
        enter_by(enter, g)
        leave_by(leave, g)
        assert seen.pop() is False
        assert not on()


def _in_thread(call, argument):
    thread = threading.Thread(target=call, args=(argument,))
    thread.start()
    thread.join()


def test_a_generator_that_is_dropped_ends_its_scope(switch):
    switch, on = switch

    def generator():
        with switch():
            yield

    g = generator()
    next(g)
    del g
    gc.collect()
    assert not on()


def test_asynchronous_generators_end_their_scopes_in_whatever_task_closes_them(switch):
    switch, on = switch

    async def generator():
        with switch():
            yield on()

    async def main():
        g = generator()
        assert await anext(g)
        await asyncio.create_task(g.aclose())
        return on()

    assert asyncio.run(main()) is False


def test_a_decorated_generator_is_switched_while_it_runs_only(switch):
    switch, on = switch

    @switch()
    def generator(first):
        try:
            second = yield first, on()
            yield second, on()
        except KeyError:
            yield "caught", on()
        return on()

    g = generator(1)
    assert next(g) == (1, True)
    assert not on()
    assert g.send(2) == (2, True)
    assert not on()
    assert g.throw(KeyError()) == ("caught", True)
    with pytest.raises(StopIteration) as stop:
        next(g)
    assert stop.value.value is True
    closed = []

    @switch
    def to_be_closed():
        try:
            yield
        finally:
            closed.append(on())

    g = to_be_closed()
    next(g)
    g.close()
    assert closed == [True]


def test_a_decorated_coroutine_and_asynchronous_generator_are_switched(switch):
    switch, on = switch

    @switch
    async def coroutine():
        await asyncio.sleep(0)
        return on()

    @switch()
    async def generator():
        try:
            yield on()
            sent = yield on()
            yield sent, on()
        except KeyError:
            yield "caught", on()

    async def main():
        assert await coroutine()
        g = generator()
        assert await anext(g)
        assert not on()
        assert await anext(g)
        assert await g.asend(7) == (7, True)
        assert await g.athrow(KeyError()) == ("caught", True)
        return [item async for item in generator()]

    with pytest.raises(StopAsyncIteration):
        asyncio.run(_exhausted(generator))
    assert asyncio.run(main()) == [True, True, (None, True)]


async def _exhausted(generator):
    g = generator()
    for _ in range(4):
        await anext(g)


def test_an_interrupt_on_entering_leaves_nothing_switched_on(switch):
    switch, on = switch

    def interrupted(at):
        """Enter the switch with an interrupt before the line number ``at`` of those that run for that."""
        count = 0

        def trace(frame, event, _):
            nonlocal count
            if frame.f_code.co_filename != scopes.__file__:
                return None
            count += event == "line"
            if count == at and event == "line":
                raise KeyboardInterrupt
            return trace

        context, before = switch(), sys.gettrace()
        sys.settrace(trace)
        try:
            context.__enter__()
        finally:
            sys.settrace(before)
        assert on()
        context.__exit__()

    interrupts = 0
    while _raises(KeyboardInterrupt, lambda at=interrupts + 1: interrupted(at)):
        interrupts += 1
        assert not on()
        assert not scopes.active
    assert interrupts > 5


def test_the_first_nan_forward_names_operation_operands_and_line():
    x = Value(-1.0, "x")
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        y = x + 0.5
        log(y) * 0  # the line
    message = str(caught.value)
    assert message.startswith("log(x=a '+' node (data=-0.5)) is nan; recorded at ")
    assert __file__ in message
    assert message.endswith(": log(y) * 0  # the line")


def test_the_first_infinity_backward_names_operation_operands_and_line():
    x = Value(0.0, "x")
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        y = sqrt(x) * 2.0
        y.backward()
    message = str(caught.value)
    assert message.startswith(
        "the derivative of sqrt(x='x' (data=0.0)) by x is inf, and what flows through it is inf;"
    )
    assert message.endswith(": y = sqrt(x) * 2.0")
    assert x.grad == 0.0


def test_finite_contributions_whose_sum_is_not_are_an_anomaly_at_a_leaf():
    x, y = Value(0.0, "x"), Value(0.0)
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        first = x * 1e308 + y  # the line
        z = first + x * 1.5e308
        z.backward()
    message = str(caught.value)
    assert message.startswith(
        "the derivative of mul(x='x' (data=0.0), y=a leaf (data=1e+308)) by x is 1e+308, and what flows "
        "through it is 1e+308, which plus the 1.5e+308 of other paths is inf; recorded at "
    )
    assert message.endswith(": first = x * 1e308 + y  # the line")
    assert (x.grad, y.grad) == (0.0, 0.0)


def test_finite_contributions_whose_sum_is_not_are_an_anomaly_at_an_interior_node():
    x = Value(0.0, "x")
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        middle = x * 0.5
        middle.label = "middle"
        z = middle * 1e308 + middle * 1e308  # the line
        z.backward()
    message = str(caught.value)
    assert "mul(x='middle' (data=0.0), y=a leaf (data=1e+308)) by x" in message
    assert "1e+308, which plus the 1e+308 of other paths is inf" in message
    assert message.endswith(": z = middle * 1e308 + middle * 1e308  # the line")
    assert (middle.grad, x.grad) == (0.0, 0.0)


@pytest.mark.parametrize(("grad", "total"), [(1e308, "inf"), (math.inf, "inf"), (math.nan, "nan")])
def test_a_grad_that_would_not_stay_finite_is_an_anomaly_and_no_leaf_has_changed(grad, total):
    first, x, last = Value(1.0), Value(1.0, "x"), Value(1.0)
    x.grad = grad
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        z = first * x * last * 1e308  # the line
        z.backward()
    message = str(caught.value)
    assert message.startswith(
        f"the grad of 'x' (data=1.0), which is {grad!r}, plus the 1e+308 of this sweep is {total}; "
        "last used by what was recorded at "
    )
    assert message.endswith(": z = first * x * last * 1e308  # the line")
    assert (first.grad, last.grad) == (0.0, 0.0)
    assert x.grad == grad or math.isnan(x.grad)


def test_sums_that_stay_finite_are_no_anomaly():
    x = Value(0.0)
    x.grad = -1e308
    with detect_anomaly():
        (x * 1e308 - x * 1.5e308 + x * 1.5e308).backward()
    assert x.grad == 0.0


def test_a_graph_from_before_is_checked_backward_without_a_line():
    x = Value(0.0)
    y = sqrt(x)
    with pytest.raises(AnomalyError, match="recorded before detect_anomaly"), detect_anomaly():
        y.backward()


def test_transforms_are_watched_too():
    with pytest.raises(AnomalyError, match="derivative of sqrt"), detect_anomaly():
        grad(sqrt)(0.0)
    with pytest.raises(AnomalyError, match="derivative of sqrt"), detect_anomaly():
        jvp(sqrt, (0.0,), (1.0,))
    overflow = "which plus the 1e\\+308 of other paths is inf"
    for create_graph in (False, True):
        x = Value(0.0)
        with pytest.raises(AnomalyError, match=overflow), detect_anomaly():
            gradients(x * 1e308 + x * 1e308, [x], create_graph=create_graph)
    with pytest.raises(AnomalyError, match=overflow), detect_anomaly():
        jvp(lambda x, y: x + y, (0.0, 0.0), (1e308, 1e308))
    with pytest.raises(AnomalyError, match=r"div\(x=.*\) is inf"), detect_anomaly():
        grad(grad(lambda x: sqrt(x) + 0 * x))(0.0)


def test_a_healthy_computation_passes_whatever_constants_would_give():
    """The derivative of (-2)**3 by its constant exponent is nan, but nobody asks for it."""
    x = Value(-2.0)
    with detect_anomaly():
        (x**3).backward()
        assert x.grad == 12.0
        assert grad(grad(grad(lambda x: x**3)))(-2.0) == 6.0
        assert hessian(lambda v: v[0] ** 2 * v[1] ** 3)([-1.0, -2.0]) == [[-16.0, -24.0], [-24.0, -12.0]]
        assert x.clamp(max=5.0).data == -2.0  # the infinite default bound is no anomaly


@pytest.mark.parametrize("contexts", [(no_grad, detect_anomaly), (detect_anomaly, no_grad)])
def test_anomalies_are_found_under_no_grad_too(contexts):
    outer, inner = contexts
    x = Value(-1.0)
    with pytest.raises(AnomalyError, match="nan"), outer(), inner():
        log(x)


def test_nothing_is_watched_after_detect_anomaly():
    with detect_anomaly():
        pass
    assert math.isnan(log(Value(-1.0)).data)
    assert not scopes.active


@operation(
    lambda z, x, k: k * log_cosh_slope(x, k),
    lambda z, x, k: x * log_cosh_slope(x, k),
    definition="log(cosh(k * x))",
    symbol="lncosh",
)
def log_cosh(x, sharpness=1.0):
    """Return log(cosh(sharpness * x))."""
    y = abs(sharpness * x)
    return y + math.log1p(math.exp(-2.0 * y)) - math.log(2.0)


def log_cosh_slope(x, sharpness):
    return autograd.tanh(sharpness * x)


def test_an_operation_of_ones_own_is_a_row_like_any_other():
    assert (log_cosh.name, log_cosh.symbol, log_cosh.arguments) == ("log_cosh", "lncosh", ("x", "sharpness"))
    assert log_cosh.__doc__ == "Return log(cosh(sharpness * x))."
    assert log_cosh(0.0) == pytest.approx(0.0, abs=1e-16)
    assert log_cosh(1.0, sharpness=2.0) == pytest.approx(math.log(math.cosh(2.0)))
    x = Value(0.3)
    y = log_cosh(x)
    y.backward()
    assert y.op is log_cosh
    assert x.grad == pytest.approx(math.tanh(0.3))


def test_it_has_derivatives_of_any_order():
    f: Callable[[float], float] = log_cosh
    tanh = math.tanh(0.3)
    for expected in (tanh, 1 - tanh**2, -2 * tanh * (1 - tanh**2)):
        f = grad(f)
        assert f(0.3) == pytest.approx(expected, rel=1e-13)


def test_it_draws_works_on_arrays_and_is_pickled_by_name():
    import pickle

    import numpy as np

    from autograd import draw_dot

    assert "lncosh" in draw_dot(log_cosh(Value(1.0))).source
    np.testing.assert_allclose(log_cosh(np.array([0.0, 1.0])), [0.0, math.log(math.cosh(1.0))], atol=1e-15)
    assert pickle.loads(pickle.dumps(log_cosh)) is log_cosh


def test_a_wrong_number_of_derivatives_is_refused():
    with pytest.raises(TypeError, match=r"has the arguments \(x, y\), so it needs 2 derivatives.*got 1"):

        @operation(lambda z, x, y: y)
        def product(x, y):
            return x * y


@pytest.mark.parametrize("thing", [max, 3.0, lambda *xs: 0.0])
def test_what_has_no_plain_arguments_cannot_be_an_operation(thing):
    with pytest.raises(TypeError, match="positional arguments"):
        operation(lambda z, x: 1.0)(thing)


@pytest.mark.parametrize("result", [None, 1j, "1", [1.0], (1.0,), np.array([1.0, 2.0])])
def test_what_an_operation_of_ones_own_returns_must_be_a_number(result):
    bad = Operation("bad", lambda x: result, [lambda z, x: 1.0])
    for call in (lambda: bad(1.0), lambda: bad(Value(1.0)), lambda: bad(np.array([1.0, 2.0]))):
        with pytest.raises(TypeError, match="the value of operation 'bad' needs a real number, got"):
            call()
    sloped = Operation("sloped", lambda x, y: x * y, [lambda z, x, y: y, lambda z, x, y: result])
    for call in (
        lambda: sloped(2.0, Value(1.0)).backward(),
        lambda: grad(lambda y: sloped(2.0, y))(1.0),
        lambda: grad(grad(lambda y: sloped(2.0, y)))(1.0),
        lambda: jvp(lambda y: sloped(2.0, y), (1.0,), (1.0,)),
    ):
        with pytest.raises(TypeError, match="derivative of operation 'sloped' by 'y' needs a real number"):
            call()


def test_an_operation_of_ones_own_computes_with_its_arguments_alone():
    other = Value(3.0)
    bad = Operation("bad", lambda x: other * x, [lambda z, x: other])
    for call in (lambda: bad(1.0), lambda: bad(Value(1.0)), lambda: grad(bad)(1.0)):
        with pytest.raises(TypeError, match="the value of operation 'bad' at plain numbers is a Value"):
            call()
    sloped = Operation("sloped", lambda x: 3.0 * x, [lambda z, x: other])
    for call in (lambda: sloped(Value(1.0)).backward(), lambda: grad(sloped)(1.0)):
        with pytest.raises(TypeError, match="derivative of operation 'sloped' by 'x' at plain numbers is a"):
            call()


@pytest.mark.parametrize(
    "number", [2, True, np.float32(2.0), np.float64(2.0), np.int8(2), np.bool_(1), np.array(2.0)]
)
def test_numbers_of_other_kinds_become_floats(number):
    row = Operation("row", lambda x: number, [lambda z, x: number])
    x = Value(1.0)
    y = row(x)
    y.backward()
    assert type(row(1.0)) is type(y.data) is type(x.grad) is float
    assert y.data == x.grad == float(number)
    assert type(grad(row)(1.0)) is float


@pytest.mark.parametrize(
    ("value", "derivatives", "message"),
    [
        (
            lambda x: x,
            [lambda x: 1.0],
            r"derivative of operation 'row' by 'x' must be a function of \(z, x\), but takes \(x\)",
        ),
        (
            lambda x, y: x,
            [lambda z, x, y: 1.0, lambda z, x: 1.0],
            r"by 'y' must be a function of \(z, x, y\)",
        ),
        (lambda x, y: x, [lambda z, x: 1.0], r"the value of operation 'row' must be a function of \(x\)"),
        (lambda: 1.0, [lambda z, x: 1.0], r"must be a function of \(x\), but takes \(\)"),
    ],
)
def test_a_function_of_other_arguments_is_refused_when_the_operation_is_declared(value, derivatives, message):
    with pytest.raises(TypeError, match=message):
        Operation("row", value, derivatives)


def test_what_the_function_itself_raises_is_passed_on():
    row = Operation("row", lambda x: 1.0 / x, [lambda z, x: 1.0])
    with pytest.raises(ZeroDivisionError):
        row(Value(0.0))
