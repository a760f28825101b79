"""Sines and cosines."""

from __future__ import annotations

import sympy
from sympy import pi, sqrt

from ..symbols import x
from .entry import Entry
from .parameters import a, g, phase, rate

_FEATURES = ("rahimi2007random",)

sin = Entry("sin", lambda: sympy.sin(x), title="Sine", refs=_FEATURES)
cos = Entry("cos", lambda: sympy.cos(x), title="Cosine", refs=_FEATURES)
sine = Entry(
    "sine",
    lambda: sympy.sin(a * x + phase),
    title="Sine of any frequency and phase",
    refs=_FEATURES,
)
cosine = Entry(
    "cosine",
    lambda: sympy.cos(a * x + phase),
    title="Cosine of any frequency and phase",
    refs=_FEATURES,
)
rbf = Entry(
    "rbf",
    lambda: sqrt(2) * sympy.sin(sqrt(2 * g) * x + pi / 4),
    title="Its dual is the radial basis function exp(-g (q11 + q22 - 2 q12))",
    refs=("rahimi2007random", "novak2020neural"),
)
snake = Entry(
    "snake", lambda: x + sympy.sin(rate * x) ** 2 / rate, title="Snake", refs=("ziyin2020neural",)
)
x_cos = Entry("x_cos", lambda: x * sympy.cos(x), title="x cos(x)")

ENTRIES = (sin, cos, sine, cosine, rbf, snake, x_cos)
