"""Piecewise linear activations with thresholds: steps, clips, shrinkage."""

from __future__ import annotations

from sympy import Abs, Heaviside, Integer, Max, Min, Piecewise, Rational, sign

from ..activation import Activation
from ..symbols import x
from .parameters import cut, high, lam, low, value

sign_ = Activation("sign", sign(x), title="Sign", refs=("williams1997computing",))
step = Activation(
    "step",
    Heaviside(x),
    title="Unit step (1/2 at zero)",
    refs=("cho2009kernel", "sheppard1899application"),
)
hardtanh = Activation("hardtanh", Min(Max(x, -1), 1), title="Hard tanh")
relu6 = Activation("relu6", Min(Max(x, 0), 6), title="ReLU capped at 6")
hardsigmoid = Activation(
    "hardsigmoid", Min(Max(x / 6 + Rational(1, 2), 0), 1), title="Hard sigmoid: relu6(x + 3)/6"
)
hardswish = Activation(
    "hardswish",
    x * Min(Max(x / 6 + Rational(1, 2), 0), 1),
    title="Hard swish: x relu6(x + 3)/6",
    refs=("howard2019searching",),
)
softshrink = Activation(
    "softshrink", Max(x - lam, 0) + Min(x + lam, 0), title="Soft shrinkage with threshold lam"
)
hardshrink = Activation(
    "hardshrink",
    Piecewise((x, x > lam), (x, x < -lam), (Integer(0), True)),
    title="Hard shrinkage with threshold lam",
)
threshold = Activation(
    "threshold",
    Piecewise((x, x > cut), (value, True)),
    title="x beyond the cut, a constant value before it",
)
triangle = Activation("triangle", Max(0, 1 - Abs(x)), title="Triangle (hat)")
clip = Activation("clip", Min(Max(x, low), high), title="Clip to [a, b], a < 0 < b")

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
