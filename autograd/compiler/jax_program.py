"""A program as a pure function of JAX, on numbers nested as the user nested the leaves."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from autograd.compiler.batching import check_outputs
from autograd.compiler.jax_engine import JaxEngine, Memory
from autograd.compiler.plan import Plan
from autograd.nested import Nested, flatten, shape_of


class JaxProgram:
    """A program as a pure function ``(parameters, data) -> (outputs, gradients)``, made by `Program.to_jax`.

    It computes in float64 with strong zeros, whatever device holds the arrays; what `jax.jit`, `vmap`, `grad`
    and `shard_map` do with functions, they do with it and its methods. What `jax.grad` makes of ``forward``
    follows JAX's rules at ties and poles, where a zero is not strong; the gradients that a call returns
    follow the table's. The parameters are one array of shape (parameters,), in the order of
    ``program.leaves``, or are nested as ``inputs=`` was, where arrays may stand for sequences of their shape;
    the gradients then are nested likewise. Data are one array of shape (data,) or nested as ``data=`` was. An
    index of `take` that names no item makes all results nan.

    Args:
        plan: the program.
        outputs: places of the outputs, nested as they are returned.
        aux: places of what is computed besides, nested; they follow those of the outputs.
        inputs: places of the parameters, nested, or None.
        data: places of the data, nested.
    """

    def __init__(self, plan: Plan, outputs: Nested, aux: Nested, inputs: Nested | None, data: Nested) -> None:
        self._engine = JaxEngine(plan)
        self._outputs, self._aux, self._inputs, self._data = outputs, aux, inputs, data
        self._count = len(flatten(outputs)[0])

    def __call__(self, parameters: Any, data: Any = ()) -> tuple[Any, Any]:
        """Return the outputs of one point, and the gradients of their sum.

        Raises:
            TypeError: they have complex numbers.
            ValueError: parameters or data have another structure or shape than declared.
            RuntimeError: JAX computes in 32 bits.
        """
        return self._both(parameters, data, 0)[::2]

    def forward(self, parameters: Any, data: Any = ()) -> Any:
        """Return the outputs of one point; errors as of a call."""
        return _nested(self._outputs, self._values(parameters, data, 0)[1][:, 0])

    def batch(self, parameters: Any, data: Any) -> tuple[Any, Any]:
        """Return the outputs' means over points, and the means' gradients.

        Args:
            parameters: as of a call.
            data: as of a call, with one more, leading axis for the points in every array. It may be sharded
                along that axis of a mesh with automatic axes: then gradients are added up across the
                devices, statement by statement. In `jax.shard_map`, ``jax.lax.pmean`` of what a device
                returns for equally many points is one all-reduce.

        Raises:
            ValueError: as of a call; different numbers of points, or an output depends on no data.
            TypeError, RuntimeError: as of a call.
        """
        return self._both(parameters, data, 1)[::2]

    def batch_with_aux(self, parameters: Any, data: Any) -> tuple[Any, Any, Any]:
        """Return the outputs' means, what ``aux=`` asked for, of shape (points,), and the means' gradients.

        Arguments and errors as of `batch`.
        """
        return self._both(parameters, data, 1)

    def batch_forward(self, parameters: Any, data: Any) -> Any:
        """Return the outputs of every point, of shape (points,); arguments and errors as of `batch`."""
        return _nested(self._outputs, self._values(parameters, data, 1)[1])

    def _both(self, parameters: Any, data: Any, leading: int) -> tuple[Any, Any, Any]:
        values, outputs, valid, nest = self._values(parameters, data, leading)
        gradient = self._engine.reverse(values)["d"][: self._engine.plan.parameters, 0] / outputs.shape[1]
        if valid is not None:
            gradient = jnp.where(valid.all(), gradient, jnp.nan)
        gradients = gradient if nest is None else jax.tree.map(lambda places: gradient[places], nest)
        aux = _nested(self._aux, outputs if leading else outputs[:, 0])
        return _nested(self._outputs, outputs[: self._count].mean(axis=1)), aux, gradients

    def _values(self, parameters: Any, data: Any, leading: int) -> tuple[Memory, Any, Any, Any]:
        if jnp.result_type(float) != np.float64:
            raise RuntimeError(
                "a program computes in float64, but JAX is set to 32 bits; "
                'call jax.config.update("jax_enable_x64", True) before the first computation'
            )
        plan = self._engine.plan
        if leading:
            check_outputs(plan, self._count)
        flat, nest = _flat(parameters, self._inputs, plan.parameters, 0, "parameters")
        fed, _ = _flat(data, self._data, plan.data, leading, "data")
        values = self._engine.forward(flat[0], fed.T)
        outputs = self._engine.outputs(values)
        valid = None
        for address, items in plan.choices:
            number = flat[:, address] if address < plan.parameters else fed[:, address - plan.fixed]
            named = (number >= 0) & (number < items) & (number == jnp.floor(number))
            valid = named if valid is None else valid & named
        if valid is not None:
            outputs = jnp.where(valid, outputs, jnp.nan)
        return values, outputs, valid, nest


def _nested(places: Nested, results: Any) -> Any:
    return jax.tree.map(lambda place: results[np.asarray(place, dtype=int)], places)


def _flat(given: Any, places: Nested | None, count: int, leading: int, what: str) -> tuple[Any, Any]:
    """Return numbers as an array of shape (points, count), and their places, None if they are flat."""
    shape = getattr(given, "shape", None)
    if shape is not None and len(shape) == leading + 1 and shape[leading] == count:
        _require_points({shape[0]} if leading else {1}, what)
        return _reals(given, what).reshape(shape[0] if leading else 1, count), None
    if places is None:
        raise ValueError(f"{what} are an array of shape ({count},), but got {given!r:.60}")
    nest = _places(given, places, leading, what)
    arrays = [_reals(leaf, what) for leaf in jax.tree.leaves(given)]
    indices = jax.tree.leaves(nest)
    if not arrays:
        return jnp.zeros((1, 0)), nest
    points = {array.shape[0] for array in arrays} if leading else {1}
    _require_points(points, what)
    (rows,) = points
    flat = jnp.concatenate([a.reshape(rows, -1) for a in arrays], axis=1)
    order = np.concatenate([index.ravel() for index in indices])
    return (flat if (order == np.arange(count)).all() else flat[:, np.argsort(order)]), nest


def _reals(numbers: Any, what: str) -> Any:
    """Return numbers as an array of JAX; of complex ones it would keep the real part."""
    if isinstance(numbers, complex) or getattr(numbers, "dtype", np.dtype(float)).kind == "c":
        raise TypeError(f"{what} need real numbers, got complex ones")
    return jnp.asarray(numbers, dtype=float)


def _require_points(points: set[int], what: str) -> None:
    if len(points) != 1 or 0 in points:
        raise ValueError(
            f"a batch needs the same number of points, at least 1, in all {what}, not {sorted(points)}"
        )


def _places(given: Any, places: Nested, leading: int, where: str) -> Any:
    """Return the places of numbers, nested as the numbers are given; arrays may stand for sequences."""
    if isinstance(places, Mapping) and isinstance(given, Mapping):
        if given.keys() != places.keys():
            raise ValueError(f"{where} has the keys {[*places]}, not {[*given]}")
        kind: Any = type(given)
        return kind({k: _places(given[k], places[k], leading, f"{where}[{k!r}]") for k in given})
    if isinstance(given, (list, tuple)) and isinstance(places, (list, tuple, np.ndarray)):
        if len(given) == len(places):
            rest = [
                _places(g, p, leading, f"{where}[{i}]")
                for i, (g, p) in enumerate(zip(given, places, strict=True))
            ]
            return type(given)(*rest) if hasattr(given, "_fields") else type(given)(rest)
    elif not isinstance(given, Mapping) and not isinstance(places, Mapping):
        wanted = shape_of(places)
        if np.shape(given)[leading:] == wanted and np.ndim(given) >= leading:
            return np.array(flatten(places)[0], dtype=int).reshape(wanted)
    batch = "a batch of " if leading else ""
    got = f"shape {np.shape(given)}" if hasattr(given, "shape") else f"{given!r:.60}"
    raise ValueError(
        f"{where} needs {batch}numbers of shape {shape_of(places)}, nested as declared; got {got}"
    )
