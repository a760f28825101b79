r"""
# Order, chaos and the edge

How a deep network treats two inputs is decided by one number.

## Derivation

The variance of a layer is a map of one variable, $q \mapsto \sigma_w^2E[\sigma(\sqrt q z)^2] + \sigma_b^2$, with a fixed
point $q^*$.  There the correlation of two inputs obeys a map of its own, which fixes $1$; its slope at one is
$$\chi = \sigma_w^2\,E[\sigma'(\sqrt{q^*}z)^2].$$
For $\chi < 1$ nearby inputs merge with depth (order), for $\chi > 1$ they part (chaos), and $\chi = 1$ is
the edge, where information travels furthest.  Solving $\chi = 1$ for $\sigma_w^2$ and the fixed-point equation for $\sigma_b^2$
gives a curve with $q^*$ as its parameter; each activation's page has its own.

## How fast

At the edge a smooth activation has $1 - \rho_\ell \approx 2/(\beta\ell)$ with
$\beta = \sigma_w^2q^*E[\sigma''(\sqrt{q^*}z)^2]$; the rectifier is not smooth at $\rho = 1$ and has
$9\pi^2/(2\ell^2)$ instead.  The curvature for the error function is among the claims.
"""

from __future__ import annotations

from ntksym.claims import Claim

erf_chi = Claim(
    "The slope chi of the error function, per unit of weight variance.",
    quantity="constant",
    activation="erf",
    params={"q": "positive"},
    definition="E[ds(sqrt(q)*z)^2]",
    formula="4/(pi*sqrt(1 + 4*q))",
    source="schoenholz2017deep, for the error function",
)

erf_curvature = Claim(
    "The curvature of the correlation map of the error function at one, times q.",
    quantity="identity",
    params={"q": "positive"},
    f="-4*x*exp(-x^2)/sqrt(pi)",
    definition="q*E[f(sqrt(q)*z)^2]",
    formula="16*q^2/(pi*(1 + 4*q)^(3/2))",
    source="hayou2019impact",
)

relu_chi = Claim(
    "The slope chi of ReLU is half of the weight variance, at every variance.",
    quantity="constant",
    activation="relu",
    params={"q": "positive"},
    definition="E[ds(sqrt(q)*z)^2]",
    formula="1/2",
    source="hayou2019impact",
)

gaussian_chi = Claim(
    "The slope chi of the bell.",
    quantity="constant",
    activation="gaussian",
    params={"q": "positive"},
    definition="E[ds(sqrt(q)*z)^2]",
    latex=r"\frac{q}{(1 + 2q)^{3/2}}",
    source="poole2016exponential, for the bell",
)

sine_chi = Claim(
    "The slope chi of the sine.",
    quantity="constant",
    activation="sin",
    params={"q": "positive"},
    definition="E[ds(sqrt(q)*z)^2]",
    formula="(1 + exp(-2*q))/2",
    source="poole2016exponential, for the sine",
)

squared_relu = Claim(
    "The edge of the squared ReLU: one weight variance for each variance.",
    quantity="edge_of_chaos",
    activation="squared_relu",
    formula={"weight_var": "1/(2*q)", "bias_var": "q/4"},
    source="schoenholz2017deep, for the squared ReLU",
)
