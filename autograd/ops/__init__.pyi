# Written by `python -m tests.stubs` from the rows of autograd/ops: add a row there, and run it.
from typing import Any, overload

from numpy.typing import NDArray

from autograd.row import Operation, R

class _Of_x_y(Operation):
    @overload
    def __call__(self, x: float, y: float) -> float: ...
    @overload
    def __call__(self, x: R | float, y: R | float) -> R: ...
    @overload
    def __call__(self, x: R | float | NDArray[Any], y: R | float | NDArray[Any]) -> NDArray[Any]: ...

class _Of_x(Operation):
    @overload
    def __call__(self, x: float) -> float: ...
    @overload
    def __call__(self, x: R) -> R: ...
    @overload
    def __call__(self, x: NDArray[Any]) -> NDArray[Any]: ...

class _Of_condition_x_y(Operation):
    @overload
    def __call__(self, condition: float, x: float, y: float) -> float: ...
    @overload
    def __call__(self, condition: R | float, x: R | float, y: R | float) -> R: ...
    @overload
    def __call__(self, condition: R | float | NDArray[Any], x: R | float | NDArray[Any], y: R | float | NDArray[Any]) -> NDArray[Any]: ...

class _Of_x_min_max(Operation):
    @overload
    def __call__(self, x: float, min: float = ..., max: float = ...) -> float: ...
    @overload
    def __call__(self, x: R | float, min: R | float = ..., max: R | float = ...) -> R: ...
    @overload
    def __call__(self, x: R | float | NDArray[Any], min: R | float | NDArray[Any] = ..., max: R | float | NDArray[Any] = ...) -> NDArray[Any]: ...

class _Of_y_x(Operation):
    @overload
    def __call__(self, y: float, x: float) -> float: ...
    @overload
    def __call__(self, y: R | float, x: R | float) -> R: ...
    @overload
    def __call__(self, y: R | float | NDArray[Any], x: R | float | NDArray[Any]) -> NDArray[Any]: ...

class _Of_x_amplitude(Operation):
    @overload
    def __call__(self, x: float, amplitude: float = 1.0) -> float: ...
    @overload
    def __call__(self, x: R | float, amplitude: R | float = 1.0) -> R: ...
    @overload
    def __call__(self, x: R | float | NDArray[Any], amplitude: R | float | NDArray[Any] = 1.0) -> NDArray[Any]: ...

class _Of_x_order(Operation):
    @overload
    def __call__(self, x: float, order: float = 0.0) -> float: ...
    @overload
    def __call__(self, x: R | float, order: float = 0.0) -> R: ...
    @overload
    def __call__(self, x: R | float | NDArray[Any], order: float = 0.0) -> NDArray[Any]: ...

class _Of_x_min_val_max_val(Operation):
    @overload
    def __call__(self, x: float, min_val: float = -1.0, max_val: float = 1.0) -> float: ...
    @overload
    def __call__(self, x: R | float, min_val: R | float = -1.0, max_val: R | float = 1.0) -> R: ...
    @overload
    def __call__(self, x: R | float | NDArray[Any], min_val: R | float | NDArray[Any] = -1.0, max_val: R | float | NDArray[Any] = 1.0) -> NDArray[Any]: ...

class _Of_x_negative_slope(Operation):
    @overload
    def __call__(self, x: float, negative_slope: float = 0.01) -> float: ...
    @overload
    def __call__(self, x: R | float, negative_slope: R | float = 0.01) -> R: ...
    @overload
    def __call__(self, x: R | float | NDArray[Any], negative_slope: R | float | NDArray[Any] = 0.01) -> NDArray[Any]: ...

class _Of_x_alpha(Operation):
    @overload
    def __call__(self, x: float, alpha: float = 1.0) -> float: ...
    @overload
    def __call__(self, x: R | float, alpha: R | float = 1.0) -> R: ...
    @overload
    def __call__(self, x: R | float | NDArray[Any], alpha: R | float | NDArray[Any] = 1.0) -> NDArray[Any]: ...

add: _Of_x_y
sub: _Of_x_y
mul: _Of_x_y
strong_mul: _Of_x_y
div: _Of_x_y
neg: _Of_x
pos: _Of_x
pow: _Of_x_y
abs: _Of_x
sign: _Of_x
greater: _Of_x_y
greater_equal: _Of_x_y
less: _Of_x_y
less_equal: _Of_x_y
where: _Of_condition_x_y
maximum: _Of_x_y
minimum: _Of_x_y
clamp: _Of_x_min_max
floor: _Of_x
ceil: _Of_x
round: _Of_x
mod: _Of_x_y
floordiv: _Of_x_y
exp: _Of_x
expm1: _Of_x
exp2: _Of_x
log: _Of_x
log1p: _Of_x
log2: _Of_x
log10: _Of_x
sqrt: _Of_x
cbrt: _Of_x
logaddexp: _Of_x_y
sin: _Of_x
cos: _Of_x
tan: _Of_x
asin: _Of_x
acos: _Of_x
atan: _Of_x
hypot: _Of_x_y
atan2: _Of_y_x
sinh: _Of_x
cosh: _Of_x
tanh: _Of_x
asinh: _Of_x
acosh: _Of_x
atanh: _Of_x
deg2rad: _Of_x
rad2deg: _Of_x
erf: _Of_x
erfc: _Of_x
gauss: _Of_x_amplitude
normal_pdf: _Of_x_amplitude
normal_cdf: _Of_x
lgamma: _Of_x
digamma: _Of_x_order
sinc: _Of_x_order
relu: _Of_x
hardtanh: _Of_x_min_val_max_val
leaky_relu: _Of_x_negative_slope
elu: _Of_x_alpha
sigmoid: _Of_x
logistic_pdf: _Of_x
softplus: _Of_x
silu: _Of_x
mish: _Of_x
gelu: _Of_x

TABLE: dict[str, Operation]
