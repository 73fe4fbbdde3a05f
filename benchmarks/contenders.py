"""The engines that run a workload: each makes, from a workload, a step to time.

A step computes the loss and its gradient and returns them, in float64, so that all can be compared. An engine
that is not installed raises ImportError, a compiler that is not there FileNotFoundError.
"""

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd import Value, ops
from benchmarks.c import step_of
from benchmarks.eager import Problem
from benchmarks.scalars import peer
from benchmarks.workloads import Floats, Functions, Workload, moons

Run = Callable[[], tuple[float, Any]]
Maker = Callable[[Workload], Run]

VALUES = Functions(ops.relu, ops.tanh, ops.sin, ops.exp, ops.log)


def eager(workload: Workload) -> Run:
    """Record and sweep the graph anew with this project's engine."""
    leaves = [Value(x) for x in workload.point.tolist()]

    def run() -> tuple[float, Any]:
        loss = workload.program(leaves, VALUES)
        for leaf in leaves:
            leaf.grad = 0.0
        loss.backward()
        return loss.data, [leaf.grad for leaf in leaves]

    return run


def compiled(workload: Workload, engine: str = "auto") -> tuple[autograd.Program, list[Value]]:
    """Record and compile the graph."""
    leaves = [Value(x) for x in workload.point.tolist()]
    return autograd.compile(workload.program(leaves, VALUES), inputs=leaves, engine=engine), leaves


def compiled_leaves(workload: Workload) -> Run:
    """Replay the compiled graph; the leaves are read and written."""
    program, leaves = compiled(workload)

    def run() -> tuple[float, Any]:
        return program(), leaves

    return run


def compiled_arrays(workload: Workload, engine: str = "auto") -> Run:
    """Replay the compiled graph on its flat arrays."""
    program, _ = compiled(workload, engine)
    program.__enter__()

    def run() -> tuple[float, Any]:
        return program(), program.gradients

    return run


def compiled_numpy(workload: Workload) -> Run:
    """Replay it with NumPy."""
    return compiled_arrays(workload, "numpy")


def numpy_by_hand(workload: Workload) -> Run:
    """Run the NumPy code that one would write by hand."""
    by_hand = workload.by_hand
    if by_hand is None:
        raise ImportError("one would not write this one in NumPy")
    return lambda: by_hand(workload.point)


def casadi(workload: Workload) -> Run:
    """Run CasADi's virtual machine on its scalar graph of loss and gradient."""
    import casadi as ca

    functions = Functions(lambda z: ca.fmax(z, 0.0), ca.tanh, ca.sin, ca.exp, ca.log)
    x = ca.SX.sym("x", len(workload.point))
    loss = workload.program([x[i] for i in range(len(workload.point))], functions)
    function: Any = ca.Function("step", [x], [loss, ca.densify(ca.gradient(loss, x))])
    result, gradient = np.zeros(1), np.zeros(len(workload.point))
    buffer, trigger = function.buffer()
    buffer.set_arg(0, workload.point.data)
    buffer.set_res(0, result.data)
    buffer.set_res(1, gradient.data)

    def run(_keep: Any = (function, buffer)) -> tuple[float, Any]:
        trigger()
        return float(result[0]), gradient

    return run


def xad(workload: Workload) -> Run:
    """Record on XAD's tape and sweep it: C++ behind Python operators."""
    import xad.adj_1st
    import xad.math as xm

    functions = Functions(lambda z: xm.max(z, 0.0), xm.tanh, xm.sin, xm.exp, xm.log)
    numbers = workload.point.tolist()

    def run() -> tuple[float, Any]:
        with xad.adj_1st.Tape() as tape:
            leaves = [xad.adj_1st.Real(x) for x in numbers]
            for leaf in leaves:
                tape.registerInput(leaf)
            tape.newRecording()
            loss = workload.program(leaves, functions)
            tape.registerOutput(loss)
            loss.derivative = 1.0
            tape.computeAdjoints()
            return loss.value, [leaf.derivative for leaf in leaves]

    return run


# Micrograd's demonstration only, where every engine is at its best -----------------------------------------


def scalars(name: str) -> Callable[[Workload], Run]:
    """Return the contender that runs micrograd's own program, with its scalars or those of PyTorch."""

    def contender(workload: Workload) -> Run:
        problem = Problem(peer(name))
        parameters = problem.model.parameters()

        def run() -> tuple[float, Any]:
            loss = problem.loss()
            for p in parameters:
                p.grad = None if name == "torch" else 0.0
            loss.backward()
            gradient = [p.grad for p in parameters]
            return (loss.item() if name == "torch" else loss.data), gradient

        del workload
        return run

    return contender


def torch_tensors(workload: Workload) -> Run:
    """Run PyTorch on tensors."""
    import torch

    torch.set_num_threads(1)
    X, y = (torch.from_numpy(a) for a in moons())
    p = torch.tensor(workload.point, requires_grad=True)

    def run() -> tuple[float, Any]:
        p.grad = None
        w1, w2, w3 = p[:48].view(16, 3), p[48:320].view(16, 17), p[320:].view(1, 17)
        hidden = torch.relu(X @ w1[:, :-1].T + w1[:, -1])
        hidden = torch.relu(hidden @ w2[:, :-1].T + w2[:, -1])
        scores = hidden @ w3[0, :-1] + w3[0, -1]
        loss = torch.relu(1.0 - y * scores).mean() + 1e-4 * (p @ p)
        loss.backward()
        return loss.item(), p.grad.numpy()

    return run


def jax_jit(workload: Workload) -> Run:
    """Run JAX's just-in-time compiled program on arrays."""
    import jax

    jax.config.update("jax_enable_x64", True)
    X, y = moons()

    def loss(p: Any) -> Any:
        w1, w2, w3 = p[:48].reshape(16, 3), p[48:320].reshape(16, 17), p[320:].reshape(1, 17)
        hidden = jax.nn.relu(X @ w1[:, :-1].T + w1[:, -1])
        hidden = jax.nn.relu(hidden @ w2[:, :-1].T + w2[:, -1])
        scores = hidden @ w3[0, :-1] + w3[0, -1]
        return jax.nn.relu(1.0 - y * scores).mean() + 1e-4 * (p @ p)

    step = jax.jit(jax.value_and_grad(loss))

    def run() -> tuple[float, Any]:
        value, gradient = step(workload.point)
        return float(value), np.asarray(gradient)

    return run


def c_by_hand(workload: Workload) -> Run:
    """Run the C file, compiled with -O3."""
    step = step_of("micrograd_demo.c")
    X, y = moons()
    gradient, pointer = np.zeros(len(workload.point)), ctypes.POINTER(ctypes.c_double)
    arrays = [X, y, workload.point, gradient]
    x_at, y_at, p_at, g_at = (a.ctypes.data_as(pointer) for a in arrays)

    def run(_keep: Any = arrays) -> tuple[float, Any]:
        return step(x_at, y_at, 100, p_at, g_at), gradient

    return run


def agrees(run: Run, loss: float, gradient: Floats) -> bool:
    """Tell whether a step gives this loss and, to rounding, this gradient."""
    value, found = run()
    numbers = np.array([getattr(g, "grad", None) if isinstance(g, Value) else float(g) for g in found])
    close = np.linalg.norm(numbers - gradient) <= 1e-9 * np.linalg.norm(gradient)
    return bool(close) and math.isclose(value, loss, rel_tol=1e-9)
