"""Gaussians, and polynomials or waves under a Gaussian."""

from __future__ import annotations

import sympy
from sympy import Abs, Expr, exp

from ..symbols import x
from .entry import Entry
from .parameters import a, b


def _bell() -> Expr:
    return exp(-(x**2) / 2)


gaussian = Entry("gaussian", _bell, title="Gaussian", refs=("williams1997computing",))
gaussian_b = Entry(
    "gaussian_b",
    lambda: exp(b * x**2),
    title="Exponential of b x^2, any b with finite variance",
    refs=("williams1997computing",),
)
odd_gaussian = Entry("odd_gaussian", lambda: x * _bell(), title="x times a Gaussian")
abs_gaussian = Entry("abs_gaussian", lambda: Abs(x) * _bell(), title="|x| times a Gaussian")
mexican_hat = Entry(
    "mexican_hat",
    lambda: (1 - x**2) * _bell(),
    title="Mexican hat (Ricker wavelet, not normalised)",
)
gabor = Entry(
    "gabor",
    lambda: sympy.sin(x) * exp(-(x**2)),
    title="Gabor: sin(x) exp(-x^2)",
    refs=("novak2020neural",),
)
morlet = Entry("morlet", lambda: sympy.cos(a * x) * _bell(), title="Morlet: cos(a x) exp(-x^2/2)")

ENTRIES = (gaussian, gaussian_b, odd_gaussian, abs_gaussian, mexican_hat, gabor, morlet)
