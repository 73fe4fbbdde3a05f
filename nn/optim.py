"""Update rules: how parameters move against their gradients.

Names, defaults and rules are PyTorch's. Each rule is written once, for the vector of all parameters; its
memory lives in the optimiser, in the order of its parameters.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from autograd.value import Value
from autograd.writing import assign
from nn.checks import at_least_zero, fraction, whole
from nn.habits import OPTIMIZER, Familiar

Vector = NDArray[np.float64]
Schedule = Callable[[int], float]
"""The learning rate of a step, counted from 0."""


class Optimizer(Familiar):
    """What the update rules share; a subclass defines ``direction``.

    Args:
        params: the Values to train; their order is the order of all vectors here.
        lr: the learning rate: a number, or a function of the number of steps taken so far, such as
            ``cosine(0.1, 1000)``.
        weight_decay: adds this factor times the parameter to its gradient.

    Attributes:
        steps: how many steps were taken.

    Raises:
        ValueError: no parameters, one of them twice, or a hyperparameter out of range.
        TypeError: a parameter that is no Value.

    Example:
        >>> class SignDescent(Optimizer):
        ...     def direction(self, grad):
        ...         return np.sign(grad)
        >>> x = Value(3.0)
        >>> optimizer = SignDescent([x], lr=0.5)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> x.data
        2.5
    """

    def __new__(cls, *_: Any, **settings: Any) -> Self:
        """Refuse the names that other libraries have for settings, and say which are meant."""
        known = signature(cls.__init__).parameters
        for name in settings:
            meant = OPTIMIZER.get(name.lower())
            if name not in known and meant is not None and meant.partition("=")[0] in known:
                rule = cls.__name__
                raise TypeError(f"{rule} has no argument {name!r}: write {rule}(model.parameters(), {meant})")
        return super().__new__(cls)

    def __init__(self, params: Iterable[Value], lr: float | Schedule, weight_decay: float = 0.0) -> None:
        if hasattr(params, "parameters"):
            name = type(self).__name__
            raise TypeError(f"{name} takes the parameters of a model: write {name}(model.parameters(), ...)")
        self.parameters = list(params)
        self.steps = 0
        self.lr = lr
        self.weight_decay = at_least_zero("weight_decay", weight_decay)
        for parameter in self.parameters:
            if not isinstance(parameter, Value):
                raise TypeError(f"a parameter must be a Value, not {type(parameter).__name__}")
        if not self.parameters or len(set(self.parameters)) < len(self.parameters):
            raise ValueError("an optimiser needs at least one parameter, and each of them once")

    @property
    def lr(self) -> float:
        """The learning rate of the next step. Assign a number or a function of the steps taken."""
        return self._schedule(self.steps)

    @lr.setter
    def lr(self, lr: float | Schedule) -> None:
        self._schedule = lr if callable(lr) else constant(at_least_zero("lr", lr))

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next steps depend on besides the parameters, as JSON can hold it.

        Returns:
            ``class``; ``schedule``, None for a function of your own; ``settings``, the hyperparameters and
            the count of steps; ``memory``, a number per parameter for all that the rule remembers.

        Example:
            >>> SGD([Value(3.0)], lr=cosine(0.5, 100)).state_dict()["schedule"]
            {'name': 'cosine', 'arguments': {'start': 0.5, 'steps': 100, 'end': 0.0}}
        """
        own, schedule = self._own(), None
        if isinstance(self._schedule, NamedSchedule):
            schedule = {"name": self._schedule.name, "arguments": self._schedule.arguments}
        return {
            "class": type(self).__name__,
            "schedule": schedule,
            "settings": {name: thing for name, thing in own.items() if not isinstance(thing, np.ndarray)},
            "memory": {name: thing.tolist() for name, thing in own.items() if isinstance(thing, np.ndarray)},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` returned; if that is not possible, change nothing.

        A schedule that is a function of your own is not part of a state: this optimiser keeps the one it has.

        Raises:
            ValueError: the state is of another rule, or of other parameters.

        Example:
            >>> x = Value(3.0)
            >>> optimizer, again = Adam([x]), Adam([x])
            >>> optimizer.step()
            >>> again.load_state_dict(optimizer.state_dict())
            >>> again.steps
            1
        """
        kind = type(self).__name__
        try:
            if state["class"] != kind:
                raise ValueError(f"it is that of {state['class']!r:.40}, and this is {kind}")
            schedule = self._schedule
            if (said := state["schedule"]) is not None:
                schedule = SCHEDULES[said["name"]](**said["arguments"])
                schedule(0)
            memory = {name: np.array(numbers, dtype=float) for name, numbers in state["memory"].items()}
            settings = {n: tuple(v) if isinstance(v, list) else v for n, v in state["settings"].items()}
            if {*settings, *memory} != set(self._own()):
                raise ValueError("its entries are not those of the rule")
            for name, vector in memory.items():
                if vector.shape != (len(self.parameters),) or not np.isfinite(vector).all():
                    count = len(self.parameters)
                    raise ValueError(f"{name} needs a finite number for each of {count} parameters")
            for name, setting in settings.items():
                if not all(isinstance(v, (int, float, type(None))) for v in np.atleast_1d(setting).tolist()):
                    raise ValueError(f"{name} is no number: {setting!r:.40}")
            whole("steps", settings["steps"], 0)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the state does not fit the optimiser: {error}") from None
        vars(self).update(settings, **memory, _schedule=schedule)

    def _own(self) -> dict[str, Any]:
        return {n: thing for n, thing in vars(self).items() if n not in ("parameters", "_schedule")}

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to zero."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def step(self) -> None:
        """Move every parameter once, by the gradients that ``backward`` left in them.

        If it fails or is interrupted, neither a parameter nor what the rule remembers has changed.
        """
        data = np.array([parameter.data for parameter in self.parameters])
        grad = np.array([parameter.grad for parameter in self.parameters])
        ahead = copy(self)
        moved = ahead.moved(data, grad).tolist()
        assign(self.parameters, moved, also=map(vars(self).update, [vars(ahead)]))

    def moved(self, data: Vector, grad: Vector) -> Vector:
        """Take one step on vectors: return where parameters at ``data`` with gradients ``grad`` go."""
        lr = self.lr
        self.steps += 1
        if self.weight_decay:
            grad = grad + self.weight_decay * data
        with np.errstate(all="ignore"):  # overflow gives inf, as for floats
            return data - lr * self.direction(grad)

    def direction(self, grad: Vector) -> Vector:
        """Return the vector that, times the learning rate, is subtracted; keep what the rule remembers."""
        raise NotImplementedError(f"{type(self).__name__} does not define direction(self, grad)")

    def _zeros(self) -> Vector:
        return np.zeros(len(self.parameters))


class SGD(Optimizer):
    """Gradient descent: p -= lr * g; with momentum v = momentum * v + g and p -= lr * v.

    Args:
        params: the Values to train.
        lr: the learning rate, or a function of the step.
        momentum: how much of the last direction is kept.
        dampening: how much less than all of the gradient is added to it.
        weight_decay: adds this factor times the parameter to its gradient.
        nesterov: look ahead: move by g + momentum * v.

    Raises:
        ValueError: a hyperparameter out of range, or ``nesterov`` without momentum or with dampening.

    Example:
        >>> x = Value(3.0)
        >>> optimizer = SGD([x], lr=0.25)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> x.data
        1.5
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float | Schedule = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.momentum = at_least_zero("momentum", momentum)
        self.dampening, self.nesterov = dampening, nesterov
        if nesterov and (not momentum or dampening):
            raise ValueError("nesterov needs a momentum above 0 and no dampening")
        self._velocity: Vector | None = None

    def direction(self, grad: Vector) -> Vector:
        """Return the velocity, or the gradient without momentum."""
        if not self.momentum:
            return grad
        if self._velocity is None:
            self._velocity = grad
        else:
            self._velocity = self.momentum * self._velocity + (1.0 - self.dampening) * grad
        return grad + self.momentum * self._velocity if self.nesterov else self._velocity


class Adagrad(Optimizer):
    """Each parameter's rate is divided by the root of the sum of its squared gradients (Duchi et al., 2011).

    Args:
        params: the Values to train.
        lr: the learning rate, or a function of the step.
        lr_decay: the rate of step k (from 0) is lr / (1 + k * lr_decay).
        weight_decay: adds this factor times the parameter to its gradient.
        initial_accumulator_value: where the sums begin.
        eps: keeps the quotient finite.

    Raises:
        ValueError: a hyperparameter out of range.

    Example:
        >>> x = Value(3.0)
        >>> optimizer = Adagrad([x], lr=0.5)
        >>> for _ in range(2):
        ...     x.grad = 10.0
        ...     optimizer.step()
        >>> round(x.data, 4)  # the second step is shorter by the square root of 2
        2.1464
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float | Schedule = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.lr_decay, self.eps = at_least_zero("lr_decay", lr_decay), at_least_zero("eps", eps)
        start = at_least_zero("initial_accumulator_value", initial_accumulator_value)
        self._squares = self._zeros() + start

    def direction(self, grad: Vector) -> Vector:
        """Return g / (sqrt(sum of g**2) + eps), less by the decay."""
        self._squares = self._squares + grad * grad
        return grad / (np.sqrt(self._squares) + self.eps) / (1.0 + (self.steps - 1) * self.lr_decay)


class RMSprop(Optimizer):
    """Each gradient is divided by a running root mean square of it (Hinton, 2012).

    Args:
        params: the Values to train.
        lr: the learning rate, or a function of the step.
        alpha: how much of the running mean is kept.
        eps: keeps the quotient finite.
        weight_decay: adds this factor times the parameter to its gradient.
        momentum: how much of the last direction is kept.
        centered: subtract the square of the running mean, so that the divisor is a standard deviation.

    Raises:
        ValueError: a hyperparameter out of range.

    Example:
        >>> x, y = Value(3.0), Value(3.0)
        >>> x.grad, y.grad = 0.001, 1000.0
        >>> RMSprop([x, y], lr=0.1).step()
        >>> round(x.data, 3), round(y.data, 3)  # steps of one size for gradients of any
        (2.0, 2.0)
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float | Schedule = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.alpha, self.momentum = fraction("alpha", alpha), at_least_zero("momentum", momentum)
        self.eps, self.centered = at_least_zero("eps", eps), centered
        self._square, self._mean, self._velocity = self._zeros(), self._zeros(), self._zeros()

    def direction(self, grad: Vector) -> Vector:
        """Return g / (root of the running mean of g**2 + eps), or its velocity."""
        self._square = self.alpha * self._square + (1.0 - self.alpha) * grad * grad
        variance = self._square
        if self.centered:
            self._mean = self.alpha * self._mean + (1.0 - self.alpha) * grad
            variance = variance - self._mean * self._mean
        scaled = grad / (np.sqrt(variance) + self.eps)
        if not self.momentum:
            return scaled
        self._velocity = self.momentum * self._velocity + scaled
        return self._velocity


RMSProp = RMSprop  # the spelling of the lectures


class Adam(Optimizer):
    """Running means of the gradient and of its square, both unbiased (Kingma and Ba, 2015).

    Args:
        params: the Values to train.
        lr: the learning rate, or a function of the step.
        betas: how much of the two running means is kept.
        eps: keeps the quotient finite.
        weight_decay: adds this factor times the parameter to its gradient.

    Raises:
        ValueError: a hyperparameter out of range.

    Example:
        >>> x = Value(3.0)
        >>> optimizer = Adam([x], lr=cosine(0.5, 100))
        >>> for _ in range(100):
        ...     optimizer.zero_grad()
        ...     ((x - 1.0) ** 2).backward()
        ...     optimizer.step()
        >>> round(x.data, 2)
        1.01
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.betas = fraction("betas[0]", betas[0]), fraction("betas[1]", betas[1])
        self.eps = at_least_zero("eps", eps)
        self._mean, self._square = self._zeros(), self._zeros()

    def direction(self, grad: Vector) -> Vector:
        """Return mean / (sqrt(mean square) + eps), both divided by 1 - beta**steps."""
        beta1, beta2 = self.betas
        self._mean = beta1 * self._mean + (1.0 - beta1) * grad
        self._square = beta2 * self._square + (1.0 - beta2) * grad * grad
        root = np.sqrt(self._square) / math.sqrt(1.0 - beta2**self.steps)
        return self._mean / (1.0 - beta1**self.steps) / (root + self.eps)


class AdamW(Adam):
    """Adam, whose weight decay shrinks the parameters directly: p *= 1 - lr * weight_decay.

    Adam's own decay is part of the gradient and so divided by its size (Loshchilov and Hutter, 2019).

    Args:
        params: the Values to train.
        lr: the learning rate, or a function of the step.
        betas: how much of the two running means is kept.
        eps: keeps the quotient finite.
        weight_decay: the factor of the decay.

    Raises:
        ValueError: a hyperparameter out of range.

    Example:
        >>> x = Value(3.0)
        >>> AdamW([x], lr=0.1, weight_decay=0.5).step()  # no gradient, so the decay alone
        >>> round(x.data, 4)
        2.85
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps)
        self.decoupled_decay = at_least_zero("weight_decay", weight_decay)

    def moved(self, data: Vector, grad: Vector) -> Vector:
        """Shrink the parameters, then take Adam's step."""
        return super().moved(data * (1.0 - self.lr * self.decoupled_decay), grad)


@dataclass(frozen=True)
class NamedSchedule:
    """A schedule that can be saved: a function of this module and its arguments.

    Attributes:
        name: a key of ``SCHEDULES``.
        arguments: what that function was called with.
    """

    name: str
    arguments: dict[str, float]
    _rule: Schedule = field(repr=False, compare=False)

    def __call__(self, step: int) -> float:
        """Return the learning rate of a step."""
        return self._rule(step)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by name and arguments."""
        return _named_schedule, (self.name, self.arguments)


def _named_schedule(name: str, arguments: dict[str, float]) -> NamedSchedule:
    return SCHEDULES[name](**arguments)


def constant(lr: float) -> NamedSchedule:
    """Return the schedule that is always ``lr``.

    Example:
        >>> constant(0.1)(1000)
        0.1
    """
    return NamedSchedule("constant", {"lr": lr}, lambda _step: lr)


def step_decay(lr: float, every: int, factor: float = 0.1) -> NamedSchedule:
    """Return the schedule that begins at ``lr`` and is multiplied by ``factor`` after ``every`` steps.

    Raises:
        ValueError: ``every`` is less than 1.

    Example:
        >>> [step_decay(1.0, 2, 0.5)(k) for k in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    every = whole("every", every)
    return NamedSchedule(
        "step_decay",
        {"lr": lr, "every": every, "factor": factor},
        lambda step: lr * factor ** (step // every),
    )


def linear(start: float, end: float, steps: int) -> NamedSchedule:
    """Return the schedule that goes straight from ``start`` to ``end`` in ``steps`` steps, and stays there.

    Raises:
        ValueError: ``steps`` is less than 1.

    Example:
        >>> [linear(1.0, 0.0, 4)(k) for k in range(6)]
        [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    steps = whole("steps", steps)
    return NamedSchedule(
        "linear",
        {"start": start, "end": end, "steps": steps},
        lambda step: start + (end - start) * (min(step, steps) / steps),
    )


def cosine(start: float, steps: int, end: float = 0.0) -> NamedSchedule:
    """Return the schedule that goes from ``start`` to ``end`` along half a cosine, and stays there.

    Raises:
        ValueError: ``steps`` is less than 1.

    Example:
        >>> [round(cosine(1.0, 4)(k), 3) for k in range(6)]
        [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    steps = whole("steps", steps)
    return NamedSchedule(
        "cosine",
        {"start": start, "steps": steps, "end": end},
        lambda step: end + (start - end) * (1.0 + math.cos(math.pi * min(step, steps) / steps)) / 2.0,
    )


SCHEDULES: dict[str, Callable[..., NamedSchedule]] = {
    rule.__name__: rule for rule in (constant, step_decay, linear, cosine)
}
"""What a saved schedule is made anew with."""


def clip_grad_norm(parameters: Iterable[Value], max_norm: float) -> float:
    """Scale all gradients by one factor, so that their Euclidean norm is at most ``max_norm``.

    Args:
        parameters: the Values whose ``grad`` is scaled.
        max_norm: the largest norm allowed.

    Returns:
        The norm before scaling.

    Raises:
        ValueError: ``max_norm`` is negative or no number.

    Example:
        >>> x, y = Value(0.0), Value(0.0)
        >>> x.grad, y.grad = 3.0, 4.0
        >>> clip_grad_norm([x, y], 1.0)
        5.0
        >>> x.grad, y.grad
        (0.6000000000000001, 0.8)
    """
    max_norm = at_least_zero("max_norm", max_norm)
    parameters = list(parameters)
    norm = math.hypot(*(parameter.grad for parameter in parameters))
    if norm > max_norm:
        for parameter in parameters:
            parameter.grad *= max_norm / norm
    return norm
