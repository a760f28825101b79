r"""
# ELU

$\sigma(x) = x$ for $x > 0$ and $\alpha(e^x - 1)$ otherwise.

## Derivative dual

$\sigma'$ is one on the right and $\alpha e^x$ on the left, so the expectation of the product splits over the four quadrants.  An
exponential moves the law (the tilt with zero curvature): under the weight $e^u$ the mean of $(u, v)$ moves by
$(q_{11}, q_{12})$ and a factor $e^{q_{11}/2}$ comes out, which leaves probabilities of shifted quadrants:
$$E[\sigma'(u)\sigma'(v)] = \frac{\pi - \theta}{2\pi}
 + \alpha\Bigl(e^{q_{11}/2}\Phi_2\bigl(-\sqrt{q_{11}}, \tfrac{q_{12}}{\sqrt{q_{22}}}; -\rho\bigr) + (1 \leftrightarrow 2)\Bigr)
 + \alpha^2 e^{(q_{11} + q_{22})/2 + q_{12}}\,\Phi_2\bigl(-\tfrac{q_{11} + q_{12}}{\sqrt{q_{11}}},
   -\tfrac{q_{22} + q_{12}}{\sqrt{q_{22}}}; \rho\bigr).$$

## Dual

The same splitting; where one factor is the linear piece, Stein's lemma removes its power.  At the
shifted threshold the conditional mean of the other variable is zero, which is why one of the univariate functions is just
$\tfrac12$ and the result is shorter than the general truncated moment.

## Conventions

The paper of Tsuchida and others gives the derivative dual for equal variances only and divides by the variance;
the libraries of Gaussian processes evaluate it in logarithms, because $e^{q/2}$ overflows
while $\Phi_2$ underflows.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("elu",)

ELU1 = "piecewise((x, x > 0), (exp(x) - 1, True))"
ELU = "piecewise((x, x > 0), (alpha*(exp(x) - 1), True))"
ALPHA = {"alpha": "positive"}

lambda3 = Claim(
    "The derivative dual at equal variances.",
    quantity="derivative",
    activation=ELU1,
    where="q22 = q11",
    formula="(pi - acos(rho))/(2*pi) + 2*exp(q1/2)*Phi2(-sqrt(q1), sqrt(q1)*rho, -rho)"
    " + exp(q1 + c)*Phi2(-sqrt(q1)*(1 + rho), -sqrt(q1)*(1 + rho), rho)",
    source="tsuchida2021avoiding, lambda_3 for ELU",
)

derivative = Claim(
    "The derivative dual.",
    quantity="derivative",
    activation=ELU,
    params=ALPHA,
    formula="(pi - acos(rho))/(2*pi)"
    " + alpha*(exp(q1/2)*Phi2(-sqrt(q1), c/sqrt(q2), -rho) + exp(q2/2)*Phi2(c/sqrt(q1), -sqrt(q2), -rho))"
    " + alpha^2*exp((q1 + q2)/2 + c)*Phi2(-(q1 + c)/sqrt(q1), -(q2 + c)/sqrt(q2), rho)",
    source="tsuchida2021avoiding, for unequal variances and any alpha",
)

dual = Claim(
    "The dual for any alpha.",
    quantity="nngp",
    activation=ELU,
    params=ALPHA,
    formula="sqrt(q1*q2)/(2*pi)*(sqrt(1 - rho^2) + (pi - acos(rho))*rho)"
    " + alpha^2*(exp((q1 + q2)/2 + c)*Phi2(-(q1 + c)/sqrt(q1), -(q2 + c)/sqrt(q2), rho)"
    " - exp(q1/2)*Phi2(-sqrt(q1), -c/sqrt(q2), rho)"
    " - exp(q2/2)*Phi2(-c/sqrt(q1), -sqrt(q2), rho) + 1/4 + asin(rho)/(2*pi))"
    " + alpha*(exp(q2/2)*(sqrt(q1)*phi(c/sqrt(q1))*Phi(-sqrt(q2 - c^2/q1))"
    " + c*(Phi(-sqrt(q2)) - Phi2(-c/sqrt(q1), -sqrt(q2), rho))) - sqrt(q1/(8*pi)))"
    " + alpha*(exp(q1/2)*(sqrt(q2)*phi(c/sqrt(q2))*Phi(-sqrt(q1 - c^2/q2))"
    " + c*(Phi(-sqrt(q1)) - Phi2(-c/sqrt(q2), -sqrt(q1), rho))) - sqrt(q2/(8*pi)))",
    source="tsuchida2021avoiding, the ELU kernel, rearranged",
)

diagonal = Claim(
    "The diagonal.",
    quantity="diagonal",
    activation=ELU,
    params=ALPHA,
    formula="q/2 + alpha^2*(exp(2*q)*Phi(-2*sqrt(q)) - 2*exp(q/2)*Phi(-sqrt(q)) + 1/2)",
    source="tsuchida2021avoiding, diagonal",
)

mean = Claim(
    "The mean under a normal law with a mean.",
    quantity="mean",
    activation=ELU,
    params=ALPHA,
    formula="m*Phi(m/sqrt(q)) + sqrt(q)*phi(m/sqrt(q))"
    " + alpha*(exp(m + q/2)*Phi(-m/sqrt(q) - sqrt(q)) - Phi(-m/sqrt(q)))",
    source="moments of the truncated lognormal and normal distributions",
)
