"""One step of training on a mini-batch: recorded anew each time, or compiled once and replayed."""

import math
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

import autograd
from autograd.collector import collector_paused
from autograd.compiler import Program
from autograd.value import Value, constant
from nn.checks import at_least_zero
from nn.data import Features, Labels
from nn.evaluate import mean_loss_of, predict
from nn.losses import Loss, mean, targets_of
from nn.modules import Module
from nn.optim import Optimizer, clip_grad_norm

MOST_TARGETS = 100
"""How many different targets are tried to see whether a loss branches on them."""

Penalty = Callable[[list[Value]], Any]


class DivergenceError(ArithmeticError):
    """The loss or a gradient is not finite."""


@dataclass(eq=False)
class EagerStep:
    """Records the graph of each mini-batch, sweeps it, and moves the parameters.

    Call it with points and targets in a ``with`` block, which brings the parameters up to date at its end.

    Args:
        model: the module to train.
        loss: a function of the model's output for a point and its target.
        optimizer: what moves the parameters.
        penalty: a function of the parameters that is added to the loss, or None.
        clip_norm: the largest norm of the gradient, or None.

    Raises:
        ValueError: ``clip_norm`` is negative or no number.
    """

    model: Module
    loss: Loss
    optimizer: Optimizer
    penalty: Penalty | None = None
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        self.clip_norm = None if self.clip_norm is None else at_least_zero("clip_norm", self.clip_norm)

    def __call__(self, points: Features, targets: Labels) -> tuple[float, list[Any]]:
        """Take the step; return the mean loss before it, and the model's outputs as plain numbers.

        Raises:
            DivergenceError: the loss or a gradient is not finite; the step is not taken.
        """
        self.optimizer.zero_grad()
        with collector_paused():
            outputs = [self.model([constant(x) for x in row]) for row in points.tolist()]
            total = self.total(outputs, targets.tolist())
            total.backward()
            loss, numbers = total.data, [_numbers(output) for output in outputs]
            del outputs, total
        if not math.isfinite(loss) or not math.isfinite(sum(p.grad for p in self.optimizer.parameters)):
            self.require_finite(loss)
        if self.clip_norm is not None:
            clip_grad_norm(self.optimizer.parameters, self.clip_norm)
        self.optimizer.step()
        return loss, numbers

    def total(self, outputs: Iterable[Any], targets: Iterable[Any]) -> Value:
        """Return the loss of a batch with its penalty."""
        return self._penalised(
            mean(self.loss(output, target) for output, target in zip(outputs, targets, strict=True))
        )

    def _penalised(self, loss: Value) -> Value:
        return loss if self.penalty is None else loss + self.penalty(self.model.parameters())

    def judged(self, points: Features, targets: Labels) -> tuple[Features, float]:
        """Return the model's outputs for points that are not trained on, and their mean loss."""
        outputs = predict(self.model, points)
        return outputs, mean_loss_of(outputs, targets, self.loss)

    def require_finite(self, loss: float) -> None:
        """Name what is not finite, if the loss or a gradient is not.

        Raises:
            DivergenceError: with the first such parameter and the remedies.
        """
        sick = [
            f"{name} (data={p.data:g}, grad={p.grad:g})"
            for name, p in self.model.named_parameters()
            if not math.isfinite(p.grad) or not math.isfinite(p.data)
        ]
        if sick or not math.isfinite(loss):
            where = f"{sick[0]} is the first of {len(sick)} that are not" if sick else "all parameters are"
            raise DivergenceError(
                f"the loss is {loss:g}, and {where} finite; "
                "use a lower learning rate, clip_norm=1.0 or standardised inputs"
            )

    def begin_epoch(self) -> None:
        """Read the parameters, which a callback may have changed."""

    def end_epoch(self) -> None:
        """Bring the parameters up to date."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Bring the parameters up to date."""


@dataclass(eq=False)
class CompiledStep(EagerStep):
    """Records and compiles the loss of one point, and runs it on mini-batches of any size.

    Parameters and gradients are arrays from the beginning of an epoch to its end.

    Args:
        model: the module to train.
        loss: a function of the model's output for a point and its target.
        optimizer: what moves the parameters.
        penalty: a function of the parameters that is added to the loss, or None.
        clip_norm: the largest norm of the gradient, or None.
        engine: what runs the program, as of `autograd.compile`.

    Raises:
        ValueError: ``clip_norm`` is negative or no number.
    """

    engine: str = "auto"
    _program: Program | None = field(default=None, init=False)
    _width: int = field(default=1, init=False)
    _by_index: bool = field(default=False, init=False)  # whether the loss takes a class as its score's place
    _open: ExitStack = field(default_factory=ExitStack, init=False)

    def __call__(self, points: Features, targets: Labels) -> tuple[float, list[Any]]:
        """Take the step; return the mean loss before it, and the model's outputs as plain numbers.

        Raises:
            DivergenceError: the loss or a gradient is not finite; the step is not taken.
            ValueError: the graph depends on a branch that the model or the loss took on a number.
        """
        if self._program is None:
            self._program = self._compiled(points[0], targets[:1])
            self.begin_epoch()
        loss, gradient, outputs = self._run(points, self._encoded(targets))
        norm = math.hypot(*gradient.tolist())
        if not math.isfinite(loss) or not math.isfinite(norm):
            self.end_epoch()
            self.require_finite(loss)
            self.begin_epoch()
        if self.clip_norm is not None and norm > self.clip_norm:
            gradient *= self.clip_norm / norm
        self._program.parameters = self.optimizer.moved(self._program.parameters, gradient)
        return loss, _table(outputs).tolist()

    def judged(self, points: Features, targets: Labels) -> tuple[Features, float]:
        """Return the model's outputs for points that are not trained on, and their mean loss."""
        if self._program is None:  # as no step was taken
            return super().judged(points, targets)
        self._program.batch_forward(points=points, targets=self._encoded(targets))
        outputs, losses = self._program.aux
        return _table(outputs), float(np.mean(losses))

    def _run(self, points: Features, targets: Labels) -> tuple[float, Features, Any]:
        """Return the mean loss of a batch, its gradient and the model's outputs."""
        assert self._program is not None
        loss = self._program.batch(points=points, targets=targets)
        return loss, self._program.gradients, self._program.aux[0]

    def require_no_branch(self, points: Features, targets: Labels) -> None:
        """Compare the loss of each target as a number with that of a Value of the same number.

        Such a branch would not be seen by the compiler, as ``target == 1`` is not asked of the Value.

        Raises:
            ValueError: they differ, so the loss branches on the number; or the loss refuses a target.
            TypeError: the loss is no Value.
        """
        output = self.model(points[0].tolist())
        single = not isinstance(output, (list, tuple))
        self._width = 1 if single else len(output)
        numbers = [constant(math.sin(1 + k)) for k in range(self._width)]  # of no special value
        output = numbers[0] if single else numbers
        declared = targets_of(self.loss, output, targets[0].tolist())
        self._by_index = declared is not None and declared.classes and declared.pair is None
        kinds = np.unique(targets, axis=0)
        some = np.unique(np.linspace(0, len(kinds) - 1, MOST_TARGETS).astype(int))
        for kind in kinds[some]:
            plain = mean([self.loss(output, kind.tolist())]).data
            try:
                recorded = mean([self.loss(output, _values(self._encoded(kind[None])[0].tolist()))]).data
            except TypeError as error:
                raise ValueError(
                    f"the loss takes no Value as its target ({error}); use compile=False"
                ) from error
            if not math.isclose(plain, recorded, rel_tol=1e-9, abs_tol=1e-12):
                raise ValueError(
                    f"the loss branches on its target (it is {plain:g} for {kind.tolist()!r} as a number and "
                    f"{recorded:g} as a Value), and a compiled graph would keep one branch for all; "
                    "write it with where or another operation, or use compile=False"
                )

    def begin_epoch(self) -> None:
        """Read the parameters."""
        if self._program is not None:
            self._open.enter_context(self._program)

    def end_epoch(self) -> None:
        """Write parameters and gradients to the Values."""
        self._open.close()

    def __exit__(self, *_: object) -> None:
        """Bring the parameters up to date, also in the midst of an epoch."""
        self.end_epoch()

    def _compiled(self, point: Features, target: Labels) -> Program:
        row = [Value(x) for x in point.tolist()]
        output = self.model(row)
        goal = _values(self._encoded(target)[0].tolist())
        batch = {"points": row, "targets": goal}
        loss = mean([self.loss(output, goal)])
        total = self._penalised(loss)
        inputs = self.optimizer.parameters
        return autograd.compile(total, inputs=inputs, data=batch, aux=(output, loss), engine=self.engine)

    def _encoded(self, targets: Labels) -> Labels:
        """Return the targets as data: a class as a row of probabilities, since an index would be a branch."""
        if self._by_index and targets.ndim == 1:
            targets = np.eye(self._width)[targets.astype(int)]
        return targets


@dataclass(eq=False)
class JaxStep(CompiledStep):
    """Runs the program of one point by JAX, on one device or with each batch shared out among several.

    A batch that the devices cannot share evenly, as the last one may be, is computed by each of them.

    Args:
        model: the module to train.
        loss: a function of the model's output for a point and its target.
        optimizer: what moves the parameters.
        penalty: a function of the parameters that is added to the loss, or None.
        clip_norm: the largest norm of the gradient, or None.
        devices: how many devices.

    Raises:
        ImportError: JAX is not installed.
        ValueError: JAX has fewer devices; ``clip_norm`` is negative or no number.
    """

    devices: int = 1
    _function: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Check the settings, and choose the devices."""
        super().__post_init__()
        try:
            import jax
        except ImportError as error:
            raise ImportError('engine="jax" needs JAX: pip install chainrule[jax]') from error
        count, found = self.devices, len(jax.devices())
        if not 1 <= count <= found:
            raise ValueError(f"JAX has {found} devices here, so devices must be 1 to {found}, not {count}")
        self._mesh = jax.make_mesh(
            (count,), ("points",), (jax.sharding.AxisType.Auto,), devices=jax.devices()[:count]
        )

    def _run(self, points: Features, targets: Labels) -> tuple[float, Features, Any]:
        import jax
        from jax.sharding import NamedSharding, PartitionSpec

        assert self._program is not None
        with jax.enable_x64(True):
            if self._function is None:
                self._function = jax.jit(self._program.to_jax().batch_with_aux)
            axis = "points" if len(points) % self.devices == 0 else None
            shares = NamedSharding(self._mesh, PartitionSpec(axis))  # type: ignore[no-untyped-call]  # JAX's
            data = jax.device_put({"points": points, "targets": targets}, shares)
            loss, (outputs, _), gradient = self._function(self._program.parameters, data)
            return float(loss), np.array(gradient), jax.tree.map(np.asarray, outputs)


def _table(outputs: Any) -> Features:
    """Return a model's outputs for many points, of shape (points,) or (points, outputs)."""
    return np.stack(outputs, axis=-1) if isinstance(outputs, (list, tuple)) else outputs


def _values(targets: Any) -> Any:
    return [_values(t) for t in targets] if isinstance(targets, list) else Value(targets)


def _numbers(output: Any) -> Any:
    return [v.data for v in output] if isinstance(output, (list, tuple)) else output.data
