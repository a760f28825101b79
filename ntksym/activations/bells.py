"""Gaussians, and polynomials or waves under a Gaussian."""

from __future__ import annotations

import sympy
from sympy import Abs, exp

from ..activation import Activation
from ..symbols import x
from .parameters import a, b

_bell = exp(-(x**2) / 2)

gaussian = Activation("gaussian", _bell, title="Gaussian", refs=("williams1997computing",))
gaussian_b = Activation(
    "gaussian_b",
    exp(b * x**2),
    title="Exponential of b x^2, any b with finite variance",
    refs=("williams1997computing",),
)
odd_gaussian = Activation("odd_gaussian", x * _bell, title="x times a Gaussian")
abs_gaussian = Activation("abs_gaussian", Abs(x) * _bell, title="|x| times a Gaussian")
mexican_hat = Activation(
    "mexican_hat", (1 - x**2) * _bell, title="Mexican hat (Ricker wavelet, not normalised)"
)
gabor = Activation(
    "gabor", sympy.sin(x) * exp(-(x**2)), title="Gabor: sin(x) exp(-x^2)", refs=("novak2020neural",)
)
morlet = Activation("morlet", sympy.cos(a * x) * _bell, title="Morlet: cos(a x) exp(-x^2/2)")

ENTRIES = (gaussian, gaussian_b, odd_gaussian, abs_gaussian, mexican_hat, gabor, morlet)
