"""The rows of sines, hyperbolas, bells, the gamma function, and activations."""

import math
from typing import Any

from autograd import real, special
from autograd.ops.arithmetic import (
    abs,  # noqa: A004 - the name in Python, NumPy and PyTorch
    clamp,
    div,
    exp,
    expm1,
    greater,
    greater_equal,
    less,
    less_equal,
    maximum,
    minimum,
    pow,  # noqa: A004 - the name in math, NumPy and PyTorch
    sqrt,
    where,
)
from autograd.real import inf, nan
from autograd.row import Operation

# The sum of exponentials ----------------------------------------------------------------------------------

logaddexp: Operation = Operation(
    "logaddexp",
    real.logaddexp,
    [lambda z, x, y: sigmoid(x - y), lambda z, x, y: sigmoid(y - x)],
    definition="log(exp(x) + exp(y))",
    edges=[
        ((1000.0, 1000.0), 1000.0 + real.LOG_2, (0.5, 0.5)),
        ((-inf, 1.0), 1.0, (0.0, 1.0)),
        ((inf, 1.0), inf, (1.0, 0.0)),
        ((-inf, -inf), -inf, (nan, nan)),
    ],
    numpy="logaddexp",
)

# Trigonometric and hyperbolic -------------------------------------------------------------------------------

sin: Operation = Operation("sin", real.sin, [lambda z, x: cos(x)], numpy="sin")
cos: Operation = Operation("cos", real.cos, [lambda z, x: -sin(x)], numpy="cos")
tan: Operation = Operation(
    "tan", real.tan, [lambda z, x: 1.0 + z * z], textbook=[lambda z, x: 1.0 + pow(z, 2.0)], numpy="tan"
)


def _one_minus_square(x: Any) -> Any:
    """Return 1 - x*x: as (1 - x)(1 + x) it keeps digits near 1, as written its derivative near 0."""
    return where(less(abs(x), 0.75), 1.0 - x * x, (1.0 - x) * (1.0 + x))


asin: Operation = Operation(
    "asin",
    real.asin,
    [lambda z, x: div(1.0, sqrt(_one_minus_square(x)))],
    textbook=[lambda z, x: div(1.0, sqrt(1.0 - pow(x, 2.0)))],
    domain=[(-1.0, 1.0)],
    numpy="arcsin",
)
acos: Operation = Operation(
    "acos",
    real.acos,
    [lambda z, x: div(-1.0, sqrt(_one_minus_square(x)))],
    textbook=[lambda z, x: div(-1.0, sqrt(1.0 - pow(x, 2.0)))],
    domain=[(-1.0, 1.0)],
    numpy="arccos",
)
# hypot(1, x) does not overflow where 1 + x*x does.
atan: Operation = Operation(
    "atan",
    math.atan,
    [lambda z, x: pow(hypot(1.0, x), -2.0)],
    textbook=[lambda z, x: div(1.0, 1.0 + pow(x, 2.0))],
    numpy="arctan",
)
hypot: Operation = Operation(
    "hypot",
    math.hypot,
    [lambda z, x, y: div(x, z), lambda z, x, y: div(y, z)],
    numpy="hypot",
    kinks=[math.hypot],
    edges=[((0.0, 0.0), 0.0, (nan, nan))],
)


def _radius(y: Any, x: Any) -> Any:
    """Return hypot(y, x), but 1 at the origin, so that a quotient by it is 0 there instead of nan."""
    r = hypot(y, x)
    return where(r, r, 1.0)


atan2: Operation = Operation(
    "atan2",
    math.atan2,
    [
        lambda z, y, x: div(div(x, _radius(y, x)), _radius(y, x)),
        lambda z, y, x: -div(div(y, _radius(y, x)), _radius(y, x)),
    ],
    textbook=[
        lambda z, y, x: div(x, pow(x, 2.0) + pow(y, 2.0)),
        lambda z, y, x: div(-y, pow(x, 2.0) + pow(y, 2.0)),
    ],
    arguments=("y", "x"),
    kinks=[lambda y, x: y if x <= 0.0 else 1.0],  # it jumps across the negative x axis
    numpy="arctan2",
    edges=[((0.0, 0.0), 0.0, (0.0, -0.0))],
)
sinh: Operation = Operation(
    "sinh",
    real.sinh,
    [lambda z, x: cosh(x)],
    domain=[(-710.4, 710.4)],
    numpy="sinh",
    edges=[((-1000.0,), -inf, (inf,))],
)
cosh: Operation = Operation("cosh", real.cosh, [lambda z, x: sinh(x)], domain=[(-710.4, 710.4)], numpy="cosh")
tanh: Operation = Operation(
    "tanh",
    math.tanh,
    # 1 - z*z is 0 beyond |x| = 19, where the true value is 4e-18; 1/cosh(x)**2 overflows before it is 0.
    [lambda z, x: 4.0 * logistic_pdf(2.0 * x)],
    textbook=[lambda z, x: 1.0 - pow(z, 2.0)],
    numpy="tanh",
    edges=[((400.0,), 1.0, (0.0,))],
)
asinh: Operation = Operation(
    "asinh",
    math.asinh,
    [lambda z, x: div(1.0, hypot(1.0, x))],
    textbook=[lambda z, x: div(1.0, sqrt(pow(x, 2.0) + 1.0))],
    numpy="arcsinh",
)
acosh: Operation = Operation(
    "acosh",
    real.acosh,
    [lambda z, x: div(1.0, sqrt(x - 1.0) * sqrt(x + 1.0))],
    textbook=[lambda z, x: div(1.0, sqrt(pow(x, 2.0) - 1.0))],
    domain=[(1.0, inf)],
    numpy="arccosh",
    edges=[((1.0,), 0.0, (inf,))],
)
atanh: Operation = Operation(
    "atanh",
    real.atanh,
    [lambda z, x: div(1.0, _one_minus_square(x))],
    textbook=[lambda z, x: div(1.0, 1.0 - pow(x, 2.0))],
    domain=[(-1.0, 1.0)],
    numpy="arctanh",
    edges=[((1.0,), inf, (inf,))],
)

deg2rad: Operation = Operation(
    "deg2rad", real.deg2rad, [lambda z, x: real.DEGREE], definition="x * pi / 180", numpy="deg2rad"
)
rad2deg: Operation = Operation(
    "rad2deg", real.rad2deg, [lambda z, x: real.RADIAN], definition="x * 180 / pi", numpy="rad2deg"
)

# The normal distribution ------------------------------------------------------------------------------------

erf: Operation = Operation(
    "erf",
    math.erf,
    [lambda z, x: gauss(x, real.TWO_OVER_SQRT_PI)],
    textbook=[lambda z, x: real.TWO_OVER_SQRT_PI * exp(-pow(x, 2.0))],
    numpy=real.erf_of_array,
)
erfc: Operation = Operation(
    "erfc",
    real.erfc,
    [lambda z, x: gauss(x, -real.TWO_OVER_SQRT_PI)],
    textbook=[lambda z, x: -real.TWO_OVER_SQRT_PI * exp(-pow(x, 2.0))],
    domain=[(-6.0, 27.3)],
    numpy=real.erfc_of_array,
    edges=[((-inf,), 2.0, (-0.0,)), ((inf,), 0.0, (-0.0,))],
)


def _near(x: Any) -> Any:
    """Return x, but no further from 0 than 1000, as a factor of what is 0 there: infinity times 0 is nan."""
    return clamp(x, -1e3, 1e3)


# With an amplitude the bells are closed under differentiation, and no factor meets a subnormal z.
gauss: Operation = Operation(
    "gauss",
    real.gauss,
    [lambda z, x, amplitude: gauss(x, -2.0 * _near(x) * amplitude), lambda z, x, amplitude: gauss(x, 1.0)],
    textbook=[lambda z, x, amplitude: -2.0 * x * z, lambda z, x, amplitude: exp(-pow(x, 2.0))],
    arguments=("x", "amplitude"),
    defaults=(1.0,),
    domain=[(-27.3, 27.3), (-inf, inf)],
    definition="amplitude * exp(-x * x)",
    numpy=lambda np, x, amplitude: real.bell_of_array(np, x * x, amplitude),
    edges=[
        ((1.0, -0.0), -0.0, (0.0, None)),
        ((30.0, 1.7e308), 2.3196112610216605e-83, (None, 0.0)),
        ((30.0, inf), inf, (-inf, 0.0)),
    ],
)
normal_pdf: Operation = Operation(
    "normal_pdf",
    real.normal_pdf,
    [
        lambda z, x, amplitude: normal_pdf(x, -_near(x) * amplitude),
        lambda z, x, amplitude: normal_pdf(x, 1.0),
    ],
    textbook=[lambda z, x, amplitude: -x * z, None],
    arguments=("x", "amplitude"),
    defaults=(1.0,),
    domain=[(-38.6, 38.6), (-inf, inf)],
    definition="amplitude * exp(-x * x / 2) / sqrt(2 * pi)",
    numpy=lambda np, x, amplitude: real.bell_of_array(np, 0.5 * x * x, real.INV_SQRT_TWO_PI * amplitude),
)
normal_cdf: Operation = Operation(
    "normal_cdf",
    real.normal_cdf,
    [lambda z, x: normal_pdf(x)],
    domain=[(-38.5, 9.0)],
    definition="erfc(-x / sqrt(2)) / 2",
    numpy=real.normal_cdf_of_array,
    edges=[((-inf,), 0.0, (0.0,)), ((inf,), 1.0, (0.0,))],
)

# The gamma function and sinc --------------------------------------------------------------------------------

lgamma: Operation = Operation(
    "lgamma",
    special.lgamma,
    [lambda z, x: digamma(x, 0.0)],
    aliases=["gammaln"],
    definition="loggamma(x)",
    domain=[(0.0, inf)],
    numpy=special.lgamma_of_array,
    edges=[((0.0,), inf, (-inf,)), ((-0.0,), inf, (inf,)), ((-1.0,), inf, (nan,)), ((inf,), inf, (inf,))],
)
# Closed under differentiation, as no derivative is made accurately of the lower ones.
digamma: Operation = Operation(
    "digamma",
    special.digamma,
    [lambda z, x, order: digamma(x, order + 1.0), None],
    arguments=("x", "order"),
    defaults=(0.0,),
    aliases=["polygamma", "trigamma", "psi"],
    domain=[(0.0, inf), (0.0, special.HIGHEST)],
    definition="polygamma(order, x)",
    numpy=special.digamma_of_array,
    edges=[((0.0, 0.0), -inf, (inf, None)), ((-0.0, 0.0), inf, (inf, None)), ((-1.0, 0.0), nan, (inf, None))],
)
sinc: Operation = Operation(
    "sinc",
    special.sinc,
    [lambda z, x, order: sinc(x, order + 1.0), None],
    arguments=("x", "order"),
    defaults=(0.0,),
    domain=[(-inf, inf), (0.0, special.HIGHEST)],
    crossings=[lambda x, order: special.cosine_of_pi(x)[0]],
    definition="diff(lambda t: sin(pi * t) / (pi * t) if t else 1.0, x, order)",
    numpy=special.sinc_of_array,
    edges=[((0.0, 0.0), 1.0, (-0.0, None)), ((3.0, 0.0), 0.0, (None, None)), ((inf, 0.0), nan, (nan, None))],
)

# Activations ------------------------------------------------------------------------------------------------

relu: Operation = Operation(
    "relu",
    real.relu,
    [lambda z, x: where(z, 1.0, 0.0)],
    textbook=[lambda z, x: greater(x, 0.0)],
    kinks=[lambda x: x],
    definition="0.0 if x <= 0 else x",
    numpy=lambda np, x: np.maximum(x, 0.0),
    edges=[((0.0,), 0.0, (0.0,)), ((-0.0,), 0.0, (0.0,)), ((nan,), nan, (1.0,))],
)
hardtanh: Operation = Operation(
    "hardtanh",
    real.clamp,
    [
        lambda z, x, lower, upper: greater(x, lower) * less(x, upper),
        lambda z, x, lower, upper: less_equal(x, lower) * less(lower, upper),
        lambda z, x, lower, upper: maximum(greater_equal(x, upper), less_equal(upper, lower)),
    ],
    arguments=("x", "min_val", "max_val"),
    defaults=(-1.0, 1.0),
    kinks=clamp.kinks,
    definition="(min_val if x <= min_val else x) if (x if x > min_val else min_val) < max_val else max_val",
    edges=[
        ((1.0, -1.0, 1.0), 1.0, (0.0, 0.0, 1.0)),
        ((-1.0, -1.0, 1.0), -1.0, (0.0, 1.0, 0.0)),
        ((nan, 2.0, 1.0), nan, (0.0, 0.0, 1.0)),
        ((nan, -1.0, 1.0), nan, (0.0, 0.0, 0.0)),
        ((2.0, nan, 1.0), nan, (0.0, 0.0, 1.0)),
        *[((x, 1.0, 1.0), 1.0, (0.0, 0.0, 1.0)) for x in (0.0, 1.0, 2.0)],
    ],
    numpy=clamp.numpy,
)
leaky_relu: Operation = Operation(
    "leaky_relu",
    real.leaky_relu,
    [
        lambda z, x, slope: where(greater(x, 0.0), 1.0, slope),
        lambda z, x, slope: where(greater(x, 0.0), 0.0, x),
    ],
    arguments=("x", "negative_slope"),
    defaults=(0.01,),
    kinks=[lambda x, slope: x],
    definition="x if x > 0 else negative_slope * x",
    numpy=lambda np, x, slope: np.where(x > 0.0, x, slope * x),
    edges=[((0.0, 0.3), 0.0, (0.3, None)), ((-0.0, 0.3), -0.0, (0.3, -0.0))],
)
elu: Operation = Operation(
    "elu",
    real.elu,
    [
        # The minimum keeps the branch that is not taken finite, or 0 * inf would be nan. It is by 1: at 0 its
        # own kink would spoil the second derivative.
        lambda z, x, alpha: where(greater(x, 0.0), 1.0, alpha * exp(minimum(x, 1.0))),
        lambda z, x, alpha: where(greater(x, 0.0), 0.0, expm1(minimum(x, 1.0))),
    ],
    textbook=[
        lambda z, x, alpha: where(greater(x, 0.0), 1.0, alpha * exp(x)),
        lambda z, x, alpha: where(greater(x, 0.0), 0.0, exp(x) - 1.0),
    ],
    arguments=("x", "alpha"),
    defaults=(1.0,),
    kinks=[lambda x, alpha: x],
    definition="x if x > 0 else alpha * expm1(x)",
    numpy=lambda np, x, alpha: np.where(x > 0.0, x, alpha * np.expm1(np.minimum(x, 1.0))),
    edges=[((0.0, 1.0), 0.0, (1.0, None)), ((0.0, 2.0), 0.0, (2.0, 0.0)), ((-0.0, 2.0), -0.0, (2.0, -0.0))],
)
sigmoid: Operation = Operation(
    "sigmoid",
    real.sigmoid,
    # z * (1 - z) has lost every digit beyond x = 37, where 1 - z rounds to 0.
    [lambda z, x: logistic_pdf(x)],
    textbook=[lambda z, x: z * (1.0 - z)],
    definition="1 / (1 + exp(-x))",
    numpy=real.sigmoid_of_array,
    edges=[((1000.0,), 1.0, (0.0,)), ((-1000.0,), 0.0, (0.0,))],
)
# As a product of two sigmoids it would have a difference as its derivative, without digits next to 0.
logistic_pdf: Operation = Operation(
    "logistic_pdf",
    real.logistic_pdf,
    [lambda z, x: -tanh(0.5 * x) * z],
    definition="exp(-x) / (1 + exp(-x)) ** 2",
    numpy=real.logistic_pdf_of_array,
    edges=[((-inf,), 0.0, (0.0,)), ((inf,), 0.0, (-0.0,))],
)
softplus: Operation = Operation(
    "softplus",
    real.softplus,
    # Far out it selects x, and its higher derivatives are 0 however much a chain magnifies them: exp(-1e4)
    # times ten of the largest floats is 0 still. Nearer, a derivative that underflows is an ordinary 0.
    [lambda z, x: sigmoid(minimum(x, 1e4))],
    textbook=[lambda z, x: sigmoid(x)],
    definition="log(1 + exp(x))",
    numpy=real.softplus_of_array,
    edges=[((1000.0,), 1000.0, (1.0,))],
)
silu: Operation = Operation(
    "silu",
    real.silu,
    # The same factor in two forms, each of which adds little to what it rounds on its side of 0.
    [lambda z, x: sigmoid(x) * where(less(x, 0.0), 1.0 + x - x * sigmoid(x), 1.0 + x * sigmoid(-x))],
    textbook=[lambda z, x: sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)))],
    definition="x / (1 + exp(-x))",
    numpy=lambda np, x: np.maximum(x, -800.0) * real.sigmoid_of_array(np, x),  # -inf * 0 would be nan
    crossings=[lambda x: x + 1.2784645427610738],
    edges=[((-inf,), -0.0, (None,))],
)


def _mish_slope(x: Any) -> Any:
    """Return the derivative of mish in exp(x) and in exp(-x), each form accurate on its side."""
    x = _near(x)
    e, f = exp(minimum(x, 1.0)), exp(minimum(-x, 2.0))  # their kinks are on the other side
    h, a = e + 0.5 * e * e, 0.5 + f * (1.0 + f)
    left = div(e, 1.0 + h * (2.0 + h)) * (1.0 + x + e * (1.5 + x + e * (1.0 + 0.25 * e)))
    right = div(0.5 + f + x * div(f * f * (1.0 + f), a), a)
    return where(less(x, -0.875), left, right)


mish: Operation = Operation(
    "mish",
    real.mish,
    [lambda z, x: _mish_slope(x)],
    definition="x * tanh(log(1 + exp(x)))",
    crossings=[lambda x: x + 1.1924306404],
    edges=[((0.0,), 0.0, (None,)), ((1000.0,), 1000.0, (1.0,)), ((-inf,), -0.0, (None,))],
    numpy=lambda np, x: np.maximum(x, -800.0) * np.tanh(real.softplus_of_array(np, x)),
)
gelu: Operation = Operation(
    "gelu",
    real.gelu,
    [lambda z, x: normal_cdf(x) + normal_pdf(x, _near(x))],
    textbook=[lambda z, x: normal_cdf(x) + x * normal_pdf(x)],
    definition="x * erfc(-x / sqrt(2)) / 2",
    crossings=[lambda x: x + 0.7517915246935645],
    numpy=lambda np, x: np.maximum(x, -40.0) * real.normal_cdf_of_array(np, x),  # -inf * 0 would be nan
    edges=[
        ((-0.0,), -0.0, (0.5,)),
        ((-inf,), -0.0, (0.0,)),
        ((inf,), inf, (1.0,)),
        ((-5e-324,), -0.0, (0.5,)),
    ],
)
