"""The rows that all others are made of: arithmetic, selections, rounding, powers and logarithms."""

import operator

from autograd import real
from autograd.real import inf, nan
from autograd.row import Operation

# Arithmetic -------------------------------------------------------------------------------------------------

add: Operation = Operation(
    "add",
    operator.add,
    [lambda z, x, y: 1.0, lambda z, x, y: 1.0],
    symbol="+",
    definition="x + y",
    numpy="add",
)
sub: Operation = Operation(
    "sub",
    operator.sub,
    [lambda z, x, y: 1.0, lambda z, x, y: -1.0],
    symbol="-",
    definition="x - y",
    numpy="subtract",
)
mul: Operation = Operation(
    "mul",
    operator.mul,
    [lambda z, x, y: y, lambda z, x, y: x],
    symbol="*",
    definition="x * y",
    numpy="multiply",
)
strong_mul: Operation = Operation(
    "strong_mul",
    lambda x, y: x * y if x else 0.0,
    # As those of mul, also where x is 0: the product still grows with x there. But y is not chosen then.
    [lambda z, x, y: y, lambda z, x, y: x],
    selects=[0, 1],
    definition="x * y if x else 0.0",
    numpy=lambda np, x, y: np.where(np.equal(x, 0.0), 0.0, x * y),
)
div: Operation = Operation(
    "div",
    real.div,
    [lambda z, x, y: div(1.0, y), lambda z, x, y: -div(z, y)],
    textbook=[None, lambda z, x, y: -div(x, pow(y, 2.0))],
    symbol="/",
    definition="x / y",
    numpy="divide",
    edges=[((1.0, 0.0), inf, (inf, -inf)), ((0.0, 0.0), nan, (inf, nan))],
)
neg: Operation = Operation(
    "neg", operator.neg, [lambda z, x: -1.0], symbol="-", definition="-x", numpy="negative"
)
pos: Operation = Operation(
    "pos", operator.pos, [lambda z, x: 1.0], symbol="+", definition="+x", numpy="positive"
)
pow: Operation = Operation(  # noqa: A001 - the name in math, NumPy and PyTorch
    "pow",
    real.pow,
    [
        # 0 wins over x**-1, infinite at 0 and next to it. A guard would be right to first order only.
        lambda z, x, y: strong_mul(y, pow(x, y - 1.0)),
        # At x = 0 <= y the limit is 0, where z * log(x) would be 0 * -inf.
        lambda z, x, y: z * log(where(x, x, greater_equal(y, 0.0))),
    ],
    textbook=[lambda z, x, y: y * pow(x, y - 1.0), lambda z, x, y: z * log(x)],
    symbol="**",
    domain=[(0.0, inf), (-inf, inf)],
    definition="x ** y",
    aliases=("power",),
    numpy=real.pow_of_array,
    edges=[
        ((0.0, 0.0), 1.0, (0.0, 0.0)),
        ((0.0, -1.0), inf, (-inf, -inf)),
        ((2.0, 0.0), 1.0, (0.0, real.LOG_2)),
        ((inf, 0.0), 1.0, (0.0, inf)),
        ((-2.0, 3.0), -8.0, (12.0, nan)),
        ((1e200, 2.0), inf, (2e200, None)),
        ((-2.0, 0.5), nan, (nan, nan)),
    ],
)

# Steps and selections ---------------------------------------------------------------------------------------

abs: Operation = Operation(  # noqa: A001 - the name in Python, NumPy and PyTorch
    "abs",
    operator.abs,
    [lambda z, x: sign(x)],
    kinks=[lambda x: x],
    definition="abs(x)",
    numpy="fabs",
    edges=[((0.0,), 0.0, (0.0,)), ((-0.0,), 0.0, (0.0,))],
)
sign: Operation = Operation(
    "sign",
    real.sign,
    [lambda z, x: 0.0],
    kinks=[lambda x: x],
    numpy="sign",
    edges=[((0.0,), 0.0, (0.0,)), ((nan,), nan, (0.0,))],
)
greater: Operation = Operation(
    "greater",
    lambda x, y: float(x > y),
    [lambda z, x, y: 0.0, lambda z, x, y: 0.0],
    symbol=">",
    kinks=[lambda x, y: x - y],
    definition="1.0 if x > y else 0.0",
    numpy="greater",
    edges=[((1.0, 2.0), 0.0, (0.0, 0.0))],
)
greater_equal: Operation = Operation(
    "greater_equal",
    lambda x, y: float(x >= y),
    [lambda z, x, y: 0.0, lambda z, x, y: 0.0],
    symbol=">=",
    kinks=[lambda x, y: x - y],
    definition="1.0 if x >= y else 0.0",
    numpy="greater_equal",
    edges=[((2.0, 2.0), 1.0, (0.0, 0.0))],
)
less: Operation = Operation(
    "less",
    lambda x, y: float(x < y),
    [lambda z, x, y: 0.0, lambda z, x, y: 0.0],
    symbol="<",
    kinks=[lambda x, y: x - y],
    definition="1.0 if x < y else 0.0",
    numpy="less",
    edges=[((1.0, 2.0), 1.0, (0.0, 0.0))],
)
less_equal: Operation = Operation(
    "less_equal",
    lambda x, y: float(x <= y),
    [lambda z, x, y: 0.0, lambda z, x, y: 0.0],
    symbol="<=",
    kinks=[lambda x, y: x - y],
    definition="1.0 if x <= y else 0.0",
    numpy="less_equal",
    edges=[((3.0, 2.0), 0.0, (0.0, 0.0))],
)
where: Operation = Operation(
    "where",
    lambda condition, x, y: x if condition else y,
    [
        lambda z, condition, x, y: 0.0,
        lambda z, condition, x, y: where(condition, 1.0, 0.0),
        lambda z, condition, x, y: where(condition, 0.0, 1.0),
    ],
    arguments=("condition", "x", "y"),
    kinks=[lambda condition, x, y: condition],
    selects=[0, 1, 2],
    definition="x if condition else y",
    numpy=lambda np, condition, x, y: np.where(np.not_equal(condition, 0.0), x, y),
    edges=[((nan, 1.0, 2.0), 1.0, (0.0, 1.0, 0.0)), ((-0.0, 1.0, 2.0), 2.0, (0.0, 0.0, 1.0))],
)
maximum: Operation = Operation(
    "maximum",
    real.maximum,
    [
        # 1 above, 1/2 at a tie, 0 below; and 1 for nan, which answers no to every comparison.
        lambda z, x, y: 1.0 - 0.5 * (less(x, y) + less_equal(x, y)),
        lambda z, x, y: 1.0 - 0.5 * (less(y, x) + less_equal(y, x)),
    ],
    textbook=[lambda z, x, y: greater(x, y), lambda z, x, y: greater(y, x)],
    kinks=[lambda x, y: x - y],
    definition="x if x > y else y",
    numpy="maximum",
    edges=[((2.0, 2.0), 2.0, (0.5, 0.5)), ((nan, 1.0), nan, (1.0, 1.0)), ((1.0, nan), nan, (1.0, 1.0))],
)
minimum: Operation = Operation(
    "minimum",
    real.minimum,
    [
        lambda z, x, y: 1.0 - 0.5 * (greater(x, y) + greater_equal(x, y)),
        lambda z, x, y: 1.0 - 0.5 * (greater(y, x) + greater_equal(y, x)),
    ],
    textbook=[lambda z, x, y: less(x, y), lambda z, x, y: less(y, x)],
    kinks=[lambda x, y: x - y],
    definition="x if x < y else y",
    numpy="minimum",
    edges=[((2.0, 2.0), 2.0, (0.5, 0.5)), ((nan, 1.0), nan, (1.0, 1.0)), ((1.0, nan), nan, (1.0, 1.0))],
)
clamp: Operation = Operation(
    "clamp",
    real.clamp,
    [
        lambda z, x, lower, upper: greater_equal(x, lower) * less_equal(x, upper),
        lambda z, x, lower, upper: less(x, lower) * less(lower, upper),
        lambda z, x, lower, upper: maximum(greater(x, upper), less(upper, lower)),
    ],
    arguments=("x", "min", "max"),
    defaults=(-inf, inf),
    kinks=[
        lambda x, lower, upper: x - lower,
        lambda x, lower, upper: x - upper,
        lambda x, lower, upper: upper - lower,
    ],
    numpy=lambda np, x, lower, upper: np.minimum(np.maximum(x, lower), upper),
    edges=[
        ((-1.0, -1.0, 1.0), -1.0, (1.0, 0.0, 0.0)),
        ((1.0, -1.0, 1.0), 1.0, (1.0, 0.0, 0.0)),
        ((0.0, 2.0, 1.0), 1.0, (0.0, 0.0, 1.0)),
        ((0.0, 1.0, 1.0), 1.0, (0.0, 0.0, 0.0)),
        ((1.0, 2.0, 1.0), 1.0, (0.0, 0.0, 1.0)),
        ((nan, 2.0, 1.0), nan, (0.0, 0.0, 1.0)),
        ((3.0, nan, 1.0), nan, (0.0, 0.0, 1.0)),
    ],
)

# Rounding ---------------------------------------------------------------------------------------------------

floor: Operation = Operation(
    "floor",
    real.floor,
    [lambda z, x: 0.0],
    kinks=[real.sinpi],
    edges=[((2.0,), 2.0, (0.0,)), ((-0.5,), -1.0, (0.0,)), ((-0.0,), -0.0, (0.0,)), ((inf,), inf, (0.0,))],
    numpy="floor",
)
ceil: Operation = Operation(
    "ceil",
    real.ceil,
    [lambda z, x: 0.0],
    kinks=[real.sinpi],
    edges=[((2.0,), 2.0, (0.0,)), ((-0.5,), -0.0, (0.0,)), ((nan,), nan, (0.0,))],
    numpy="ceil",
)
round: Operation = Operation(  # noqa: A001 - the name in Python, NumPy and PyTorch
    "round",
    real.rint,
    [lambda z, x: 0.0],
    kinks=[real.cospi],
    edges=[((0.5,), 0.0, (0.0,)), ((1.5,), 2.0, (0.0,)), ((-0.5,), -0.0, (0.0,)), ((-inf,), -inf, (0.0,))],
    numpy="rint",
)
mod: Operation = Operation(
    "mod",
    real.mod,
    [lambda z, x, y: 1.0, lambda z, x, y: -floordiv(x, y)],
    symbol="%",
    kinks=[lambda x, y: real.sinpi(real.div(x, y))],
    definition="x - y * floor(x / y)",
    edges=[
        ((4.0, 2.0), 0.0, (1.0, -2.0)),
        ((-1.0, 3.0), 2.0, (1.0, 1.0)),
        ((1.0, -3.0), -2.0, (1.0, 1.0)),
        ((1.0, 0.0), nan, (1.0, -inf)),
        ((1.0, -inf), -inf, (1.0, 1.0)),
        ((inf, 1.0), nan, (1.0, nan)),
    ],
    numpy="mod",
)
floordiv: Operation = Operation(
    "floordiv",
    real.floordiv,
    [lambda z, x, y: 0.0, lambda z, x, y: 0.0],
    symbol="//",
    kinks=[lambda x, y: real.sinpi(real.div(x, y))],
    definition="floor(x / y)",
    edges=[
        ((4.0, 2.0), 2.0, (0.0, 0.0)),
        ((-1.0, 3.0), -1.0, (0.0, 0.0)),
        ((1.0, 0.1), 9.0, (0.0, 0.0)),  # 0.1 is a little more than a tenth
        ((1.0, 0.0), inf, (0.0, 0.0)),
        ((0.0, 0.0), nan, (0.0, 0.0)),
    ],
    numpy="floor_divide",
)

# Exponentials and logarithms --------------------------------------------------------------------------------

exp: Operation = Operation(
    "exp",
    real.exp,
    [lambda z, x: z],
    domain=[(-745.2, 709.8)],
    numpy="exp",
    edges=[((710.0,), inf, (inf,)), ((-746.0,), 0.0, (0.0,))],
)
expm1: Operation = Operation(
    "expm1", real.expm1, [lambda z, x: exp(x)], domain=[(-745.2, 709.8)], numpy="expm1"
)
exp2: Operation = Operation(
    "exp2",
    real.exp2,
    [lambda z, x: real.LOG_2 * z],
    textbook=[lambda z, x: z * real.LOG_2],
    domain=[(-1075.0, 1024.0)],
    definition="2 ** x",
    numpy="exp2",
)
log: Operation = Operation(
    "log",
    real.log,
    [lambda z, x: div(1.0, x)],
    aliases=["ln"],
    domain=[(0.0, inf)],
    numpy="log",
    edges=[((0.0,), -inf, (inf,)), ((-0.0,), -inf, (-inf,)), ((-1.0,), nan, (-1.0,))],
)
log1p: Operation = Operation(
    "log1p",
    real.log1p,
    [lambda z, x: div(1.0, 1.0 + x)],
    domain=[(-1.0, inf)],
    numpy="log1p",
    edges=[((-1.0,), -inf, (inf,))],
)
log2: Operation = Operation(
    "log2",
    real.log2,
    # A product x log(2) would be subnormal, and lose digits, before the quotient is.
    [lambda z, x: div(real.LOG2_E, x)],
    textbook=[lambda z, x: div(1.0, x * real.LOG_2)],
    domain=[(0.0, inf)],
    definition="log(x) / log(2)",
    numpy="log2",
)
log10: Operation = Operation(
    "log10",
    real.log10,
    [lambda z, x: div(real.LOG10_E, x)],
    textbook=[lambda z, x: div(1.0, x * real.LOG_10)],
    domain=[(0.0, inf)],
    numpy="log10",
)
sqrt: Operation = Operation(
    "sqrt",
    real.sqrt,
    [lambda z, x: div(0.5, z)],
    textbook=[lambda z, x: div(1.0, 2.0 * z)],
    domain=[(0.0, inf)],
    numpy="sqrt",
    edges=[((0.0,), 0.0, (inf,)), ((-0.0,), -0.0, (-inf,))],
)
cbrt: Operation = Operation(
    "cbrt",
    real.cbrt,
    # Divided twice: where its derivatives overflow, they are sums of infinities of one sign, and not nan.
    [lambda z, x: div(div(1.0, z), 3.0 * z)],
    textbook=[lambda z, x: div(1.0, 3.0 * pow(z, 2.0))],
    kinks=[lambda x: x],
    definition="sign(x) * root(abs(x), 3)",
    numpy="cbrt",
    edges=[((0.0,), 0.0, (inf,))],
)
