"""Mistakes that mypy and pyright must find: a comment that suppresses no error is an error itself."""

from autograd import Value, clamp, draw_dot, exp, maximum

x = Value(2.0)

x.tnah()  # type: ignore[attr-defined]
x.dta  # type: ignore[attr-defined]
x.tanh(1.0)  # type: ignore[call-arg]
x.clamp(low=1.0)  # type: ignore[call-overload]
exp(x, 2.0, banana=4)  # type: ignore[call-overload]
exp("text")  # type: ignore[call-overload]
exp()  # type: ignore[call-overload]
maximum(x)  # type: ignore[call-overload]
maximum(x, None)  # type: ignore[call-overload]
clamp(x, lower=0.0)  # type: ignore[call-overload]
x + "text"  # type: ignore[operator]
_ = x < "text"  # type: ignore[operator]
Value("text")  # type: ignore[arg-type]
Value(1.0, label=2)  # type: ignore[arg-type]
draw_dot(x, format="gif")  # type: ignore[arg-type]
draw_dot(x, rankdir="XY")  # type: ignore[arg-type]
draw_dot(3.0)  # type: ignore[arg-type]
