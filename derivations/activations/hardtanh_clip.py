r"""
# Clipping: hard tanh, ReLU6 and the hard gates

$\sigma(x) = \min(\max(x, a), b)$ and what is made of it: the hard sigmoid is a clipped line from 0 to 1, the hard
swish is $x$ times it, and the triangle is $\max(0, 1 - |x|)$.

## Derivative dual

$\sigma'$ is the indicator of $(a, b)$, so the derivative dual is the probability that both variables fall into
the interval: four values of the bivariate normal distribution function, one for each corner of the square.

## Dual

Bussgang's theorem covers one side: for any $\sigma$, $E[u\,\sigma(v)] = q_{12}E[\sigma'(v)]$, because
$E[u \mid v]$ is linear; for the symmetric clip this is $q_{12}\operatorname{erf}(a/\sqrt{2q_{22}})$.  For two
clipped variables the engine integrates the derivative dual: products of powers and half-planes, that is
$\Phi_2$ at the corners, and $\varphi\,\Phi$ along the edges.

## Moments

Those of a *censored* normal variable: the mass beyond a bound sits on the bound.  Clipping noise in engineering and the limiter of
Bussgang's report are the same integrals.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("hardtanh", "clip", "relu6", "hardsigmoid", "hardswish", "triangle")

SOFT_LIMITER = "min(max(x, -a), a)"
A = {"a": "positive"}

bussgang = Claim(
    "A normal variable against a soft limiter.",
    quantity="cross",
    f="x",
    g=SOFT_LIMITER,
    params=A,
    formula="c*erf(a/sqrt(2*q2))",
    source="bussgang1952crosscorrelation",
)

limiter_second_moment = Claim(
    "The power behind a soft limiter.",
    quantity="diagonal",
    activation=SOFT_LIMITER,
    params=A,
    formula="q*erf(a/sqrt(2*q)) - a*sqrt(2*q/pi)*exp(-a**2/(2*q)) + a**2*(1 - erf(a/sqrt(2*q)))",
    source="second moment of a censored normal variable",
)

limiter_mean = Claim(
    "The mean behind a soft limiter.",
    quantity="mean",
    activation=SOFT_LIMITER,
    params=A,
    formula="m*(Phi((a - m)/sqrt(q)) - Phi((-a - m)/sqrt(q)))"
    " + sqrt(q)*(phi((a + m)/sqrt(q)) - phi((a - m)/sqrt(q)))"
    " - a*Phi((-a - m)/sqrt(q)) + a*Phi((m - a)/sqrt(q))",
    source="mean of a censored normal variable",
)

hardtanh_derivative = Claim(
    "Both variables inside the interval from -1 to 1.",
    quantity="derivative",
    activation="hardtanh",
    formula="1 - 2*Phi(-1/sqrt(q1)) - 2*Phi(-1/sqrt(q2))"
    " + 2*Phi2(-1/sqrt(q1), -1/sqrt(q2), rho) + 2*Phi2(-1/sqrt(q1), -1/sqrt(q2), -rho)",
    source="plackett1954reduction, by inclusion and exclusion",
)

hardtanh_slope = Claim(
    "The squared slope on the diagonal.",
    quantity="constant",
    activation="hardtanh",
    params={"q": "positive"},
    definition="E[ds(sqrt(q)*z)^2]",
    latex=r"\operatorname{erf}\left(\frac{1}{\sqrt{2q}}\right)",
    source="poole2016exponential, chi for the hard tanh",
)

hardtanh_edge = Claim(
    "The edge of chaos of the hard tanh.",
    quantity="edge_of_chaos",
    activation="hardtanh",
    formula={
        "weight_var": "1/erf(1/sqrt(2*q))",
        "bias_var": "sqrt(2*q/pi)*exp(-1/(2*q))/erf(1/sqrt(2*q)) - 1/erf(1/sqrt(2*q)) + 1",
    },
    source="schoenholz2017deep, for the hard tanh",
)

clip_derivative = Claim(
    "Both variables inside an interval around zero.",
    quantity="derivative",
    activation="min(max(x, a), b)",
    params={"a": "negative", "b": "positive"},
    formula="Phi2(b/sqrt(q1), b/sqrt(q2), rho) - Phi2(a/sqrt(q1), b/sqrt(q2), rho)"
    " - Phi2(b/sqrt(q1), a/sqrt(q2), rho) + Phi2(a/sqrt(q1), a/sqrt(q2), rho)",
    source="plackett1954reduction",
)

relu6_derivative = Claim(
    "Both variables between zero and six.",
    quantity="derivative",
    activation="relu6",
    formula="1/4 + asin(rho)/(2*pi) - Phi2(0, -6/sqrt(q2), rho) - Phi2(-6/sqrt(q1), 0, rho)"
    " + Phi2(-6/sqrt(q1), -6/sqrt(q2), rho)",
    source="plackett1954reduction",
)

relu6_diagonal = Claim(
    "The diagonal of ReLU6.",
    quantity="diagonal",
    activation="relu6",
    formula="q*(Phi(6/sqrt(q)) - 1/2) - 6*sqrt(q)*phi(6/sqrt(q)) + 36*Phi(-6/sqrt(q))",
    source="second moment of a censored normal variable",
)

hardsigmoid_derivative = Claim(
    "The derivative dual of the hard sigmoid.",
    quantity="derivative",
    activation="hardsigmoid",
    formula="(1 - 2*Phi(-3/sqrt(q1)) - 2*Phi(-3/sqrt(q2))"
    " + 2*Phi2(-3/sqrt(q1), -3/sqrt(q2), rho) + 2*Phi2(-3/sqrt(q1), -3/sqrt(q2), -rho))/36",
    source="plackett1954reduction",
)

hardsigmoid_variance = Claim(
    "The variance of the hard sigmoid of a centred variable.",
    quantity="variance",
    activation="hardsigmoid",
    where="m = 0",
    formula="(q*erf(3/sqrt(2*q)) - 3*sqrt(2*q/pi)*exp(-9/(2*q)) + 9*(1 - erf(3/sqrt(2*q))))/36",
    source="second moment of a censored normal variable, scaled by six",
)

hardswish_mean = Claim(
    "The mean of the hard swish of a centred variable, by Stein's lemma.",
    quantity="mean",
    activation="hardswish",
    where="m = 0",
    latex=r"\frac{q}{6}\operatorname{erf}\left(\frac{3}{\sqrt{2q}}\right)",
    source="stein1981estimation, applied to x times the hard sigmoid",
)

triangle_diagonal = Claim(
    "The diagonal of the triangle.",
    quantity="diagonal",
    activation="triangle",
    formula="2*((1 + q)*(Phi(1/sqrt(q)) - 1/2) - sqrt(2*q/pi) + sqrt(q)*phi(1/sqrt(q)))",
    source="moments of a truncated normal variable",
)

triangle_derivative = Claim(
    "The derivative dual of the triangle: equal signs minus opposite signs.",
    quantity="derivative",
    activation="triangle",
    formula="2*(asin(rho)/pi - Phi2(0, -1/sqrt(q2), rho) - Phi2(-1/sqrt(q1), 0, rho)"
    " + Phi2(-1/sqrt(q1), -1/sqrt(q2), rho) + Phi2(0, -1/sqrt(q2), -rho)"
    " + Phi2(-1/sqrt(q1), 0, -rho) - Phi2(-1/sqrt(q1), -1/sqrt(q2), -rho))",
    source="plackett1954reduction",
)
