"""Activations in wide use whose duals have no known closed form: the logistic family and others."""

from __future__ import annotations

import sympy
from sympy import Abs, Rational, exp, log, pi, sqrt

from ..symbols import x
from .entry import Entry

sigmoid = Entry("sigmoid", lambda: 1 / (1 + exp(-x)), title="Logistic sigmoid")
tanh = Entry("tanh", lambda: sympy.tanh(x), title="Hyperbolic tangent")
softplus = Entry("softplus", lambda: log(1 + exp(x)), title="Softplus")
silu = Entry(
    "silu",
    lambda: x / (1 + exp(-x)),
    title="Sigmoid linear unit (swish)",
    refs=("hendrycks2016gaussian", "elfwing2018sigmoid"),
)
mish = Entry("mish", lambda: x * sympy.tanh(log(1 + exp(x))), title="Mish", refs=("misra2020mish",))
softsign = Entry("softsign", lambda: x / (1 + Abs(x)), title="Softsign")
atan = Entry("atan", lambda: sympy.atan(x), title="Arc tangent")
logsigmoid = Entry("logsigmoid", lambda: -log(1 + exp(-x)), title="Logarithm of the sigmoid")
tanhshrink = Entry("tanhshrink", lambda: x - sympy.tanh(x), title="x - tanh(x)")
gelu_tanh = Entry(
    "gelu_tanh",
    lambda: x * (1 + sympy.tanh(sqrt(2 / pi) * (x + Rational("0.044715") * x**3))) / 2,
    title="GELU in the tanh approximation",
    refs=("hendrycks2016gaussian",),
)

ENTRIES = (
    sigmoid,
    tanh,
    softplus,
    silu,
    mish,
    softsign,
    atan,
    logsigmoid,
    tanhshrink,
    gelu_tanh,
)
