"""Piecewise linear activations with thresholds: steps, clips, shrinkage."""

from __future__ import annotations

from sympy import Abs, Heaviside, Integer, Max, Min, Piecewise, Rational, sign

from ..symbols import x
from .entry import Entry
from .parameters import cut, high, lam, low, value

sign_ = Entry("sign", lambda: sign(x), title="Sign", refs=("williams1997computing",))
step = Entry(
    "step",
    lambda: Heaviside(x),
    title="Unit step (1/2 at zero)",
    refs=("cho2009kernel", "sheppard1899application"),
)
hardtanh = Entry("hardtanh", lambda: Min(Max(x, -1), 1), title="Hard tanh")
relu6 = Entry("relu6", lambda: Min(Max(x, 0), 6), title="ReLU capped at 6")
hardsigmoid = Entry(
    "hardsigmoid",
    lambda: Min(Max(x / 6 + Rational(1, 2), 0), 1),
    title="Hard sigmoid: relu6(x + 3)/6",
)
hardswish = Entry(
    "hardswish",
    lambda: x * Min(Max(x / 6 + Rational(1, 2), 0), 1),
    title="Hard swish: x relu6(x + 3)/6",
    refs=("howard2019searching",),
)
softshrink = Entry(
    "softshrink",
    lambda: Max(x - lam, 0) + Min(x + lam, 0),
    title="Soft shrinkage with threshold lam",
)
hardshrink = Entry(
    "hardshrink",
    lambda: Piecewise((x, x > lam), (x, x < -lam), (Integer(0), True)),
    title="Hard shrinkage with threshold lam",
)
threshold = Entry(
    "threshold",
    lambda: Piecewise((x, x > cut), (value, True)),
    title="x beyond the cut, a constant value before it",
)
triangle = Entry("triangle", lambda: Max(0, 1 - Abs(x)), title="Triangle (hat)")
clip = Entry("clip", lambda: Min(Max(x, low), high), title="Clip to [a, b], a < 0 < b")

ENTRIES = (
    sign_,
    step,
    hardtanh,
    relu6,
    hardsigmoid,
    hardswish,
    softshrink,
    hardshrink,
    threshold,
    triangle,
    clip,
)
