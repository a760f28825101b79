"""Exponentials: ELU and its relatives, Laplace, exp, sinh and cosh."""

from __future__ import annotations

import sympy
from sympy import Abs, Expr, Heaviside, Piecewise, Rational

from ..symbols import x
from .entry import Entry
from .parameters import alpha, b, rate, scale

# The decimals in common use; they make mean 0, variance 1 a fixed point.
SELU_ALPHA = Rational("1.6732632423543772848170429916717")
SELU_SCALE = Rational("1.0507009873554804934193349852946")


def _elu(slope: Expr, length: Expr) -> Expr:
    return Piecewise((x, x > 0), (slope * (sympy.exp(x / length) - 1), True))


elu = Entry(
    "elu",
    lambda: _elu(alpha, sympy.Integer(1)),
    title="Exponential linear unit",
    refs=("clevert2016fast", "tsuchida2021avoiding"),
)
celu = Entry(
    "celu",
    lambda: _elu(alpha, alpha),
    title="Continuously differentiable ELU",
    refs=("barron2017continuously",),
)
selu = Entry(
    "selu",
    lambda: SELU_SCALE * _elu(SELU_ALPHA, sympy.Integer(1)),
    title="Self-normalising ELU",
    refs=("klambauer2017self",),
)
scaled_elu = Entry(
    "scaled_elu",
    lambda: scale * _elu(alpha, sympy.Integer(1)),
    title="SELU with symbolic alpha and scale",
    refs=("klambauer2017self",),
)
exp = Entry("exp", lambda: sympy.exp(x), title="Exponential", refs=("daniely2016toward",))
exponential = Entry("exponential", lambda: sympy.exp(b * x), title="Exponential of any rate")
laplace = Entry("laplace", lambda: sympy.exp(-Abs(x)), title="Two-sided exponential")
one_sided = Entry(
    "one_sided_exponential",
    lambda: Heaviside(x) * sympy.exp(-rate * x),
    title="One-sided exponential",
)
sinh = Entry("sinh", lambda: sympy.sinh(x), title="Hyperbolic sine")
cosh = Entry("cosh", lambda: sympy.cosh(x), title="Hyperbolic cosine")

ENTRIES = (elu, celu, selu, scaled_elu, exp, exponential, laplace, one_sided, sinh, cosh)
