r"""
# Bussgang's theorem

For a centred Gaussian pair and any function $g$ of at most exponential growth,
$$E[u\,g(v)] = \frac{q_{12}}{q_{22}}\,E[v\,g(v)] = q_{12}\,E[g'(v)]:$$
the cross-correlation of a Gaussian signal with a distorted copy has the shape of the autocorrelation.

## Proof

$E[u \mid v] = (q_{12}/q_{22})\,v$, because the conditional mean of a Gaussian vector is linear: that is the first equation.  Stein's lemma
in one variable is the second.

## Use

It is the linear part of every dual: with $a_1 = E[z\,\sigma(\sqrt q z)]$ the dual starts with
$a_1(q_{11})a_1(q_{22})\rho$, and the constant of proportionality is a mean slope.  In random matrix theory its square is the weight of the linear spike;
in receivers it is the gain of an effective linear channel.
"""

from __future__ import annotations

from ntksym.claims import Claim

sign = Claim(
    "A hard limiter.",
    quantity="cross",
    f="x",
    g="sign(x)",
    latex=r"q_{12}\sqrt{\frac{2}{\pi q_{22}}}",
    source="bussgang1952crosscorrelation",
)

relu = Claim(
    "A half-wave rectifier.",
    quantity="cross",
    f="x",
    g="relu",
    formula="c/2",
    source="bussgang1952crosscorrelation",
)

erf = Claim(
    "A smooth limiter.",
    quantity="cross",
    f="x",
    g="erf",
    formula="2*c/sqrt(pi*(1 + 2*q2))",
    source="bussgang1952crosscorrelation",
)

cube = Claim(
    "A cubic distortion.",
    quantity="cross",
    f="x",
    g="x^3",
    formula="3*c*q2",
    source="bussgang1952crosscorrelation",
)

sine = Claim(
    "A sinusoidal distortion.",
    quantity="cross",
    f="x",
    g="sin(x)",
    formula="c*exp(-q2/2)",
    source="bussgang1952crosscorrelation",
)

absolute = Claim(
    "An even distortion is not correlated with the signal.",
    quantity="cross",
    f="x",
    g="abs(x)",
    formula="0",
    source="bussgang1952crosscorrelation",
)
