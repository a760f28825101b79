"""Activations in wide use whose duals have no known closed form: the logistic family and others."""

from __future__ import annotations

import sympy
from sympy import Abs, Rational, exp, log, pi, sqrt

from ..activation import Activation
from ..symbols import x

sigmoid = Activation("sigmoid", 1 / (1 + exp(-x)), title="Logistic sigmoid")
tanh = Activation("tanh", sympy.tanh(x), title="Hyperbolic tangent")
softplus = Activation("softplus", log(1 + exp(x)), title="Softplus")
silu = Activation(
    "silu",
    x / (1 + exp(-x)),
    title="Sigmoid linear unit (swish)",
    refs=("hendrycks2016gaussian", "elfwing2018sigmoid"),
)
mish = Activation("mish", x * sympy.tanh(log(1 + exp(x))), title="Mish", refs=("misra2020mish",))
softsign = Activation("softsign", x / (1 + Abs(x)), title="Softsign")
atan = Activation("atan", sympy.atan(x), title="Arc tangent")
logsigmoid = Activation("logsigmoid", -log(1 + exp(-x)), title="Logarithm of the sigmoid")
tanhshrink = Activation("tanhshrink", x - sympy.tanh(x), title="x - tanh(x)")
gelu_tanh = Activation(
    "gelu_tanh",
    x * (1 + sympy.tanh(sqrt(2 / pi) * (x + Rational("0.044715") * x**3))) / 2,
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
