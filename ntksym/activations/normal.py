"""The error function, the normal distribution function, and gates made of them (GELU)."""

from __future__ import annotations

import sympy
from sympy import Rational

from ..functions import Phi
from ..symbols import x
from .entry import Entry
from .parameters import rate

_GELU = ("hendrycks2016gaussian", "tsuchida2021avoiding")

erf = Entry("erf", lambda: sympy.erf(x), title="Error function", refs=("williams1997computing",))
erfc = Entry(
    "erfc",
    lambda: sympy.erfc(x),
    title="Complementary error function",
    refs=("williams1997computing",),
)
probit = Entry(
    "probit",
    lambda: Phi(x),
    title="Normal distribution function",
    refs=("williams1997computing", "sheppard1899application"),
)
gelu = Entry("gelu", lambda: x * Phi(x), title="Gaussian error linear unit", refs=_GELU)
gelu_scaled = Entry(
    "gelu_scaled", lambda: x * Phi(rate * x), title="GELU with a gate of any scale", refs=_GELU
)
x_erf = Entry("x_erf", lambda: x * sympy.erf(x), title="x erf(x), a smooth absolute value")
x2_probit = Entry("x2_probit", lambda: x**2 * Phi(x), title="x^2 Phi(x), a smooth squared ReLU")
softplus_erf = Entry(
    "smooth_relu",
    lambda: x * Phi(x) + sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi),
    title="Integral of Phi: E[max(x + Z, 0)] with Z standard normal",
)
half_erf = Entry(
    "erf_sigmoid",
    lambda: (1 + sympy.erf(x)) * Rational(1, 2),
    title="Error function as a sigmoid, from 0 to 1",
    refs=("williams1997computing",),
)

ENTRIES = (erf, erfc, probit, gelu, gelu_scaled, x_erf, x2_probit, softplus_erf, half_erf)
