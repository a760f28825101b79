r"""
# Hermite polynomials

$\sigma = He_n$, the probabilists' Hermite polynomials with leading coefficient one, or $He_n/\sqrt{n!}$.

## Dual

They are orthogonal, not only under one normal law but across a correlated pair of unit variance:
$$E[He_m(u)He_n(v)] = \delta_{mn}\,n!\,\rho^n.$$
Multiply the generating functions $e^{su - s^2/2}$ and $e^{tv - t^2/2}$; the expectation is
$e^{st\rho}$, and comparing powers of $s$ and $t$ gives the statement.  This is Mehler's formula term by term, and the reason that the
dual of *every* square-integrable function is a power series with non-negative coefficients at unit variance:
$\sum_n a_n^2\rho^n$.

## Conventions

Off unit variance $He_n$ is not orthogonal to lower degrees.  Libraries that return $q_{12}^n$ for a normalised Hermite
layer assume $q_{11} = q_{22} = 1$; some warn, some do not.  The physicists' polynomials $H_n(x) = 2^{n/2}He_n(\sqrt2 x)$ belong to the weight
$e^{-x^2}$.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("hermite2", "hermite3", "hermite4", "hermite5")

second = Claim(
    "The normalised second polynomial.",
    quantity="normalised",
    activation="(x**2 - 1)/sqrt(2)",
    formula="rho**2",
    source="daniely2016toward, table 1",
)

third = Claim(
    "The normalised third polynomial.",
    quantity="normalised",
    activation="(x**3 - 3*x)/sqrt(6)",
    formula="rho**3",
    source="novak2020neural, stax.Hermite",
)

sixth = Claim(
    "The normalised sixth polynomial.",
    quantity="normalised",
    activation="(x**6 - 15*x**4 + 45*x**2 - 15)/sqrt(720)",
    formula="rho**6",
    source="novak2020neural, stax.Hermite",
)

fourth = Claim(
    "The fourth polynomial, not normalised.",
    quantity="normalised",
    activation="hermite4",
    latex=r"24 \rho^4",
    source="mehler1866entwicklung",
)

fifth_derivative = Claim(
    "The derivative dual of the normalised fifth polynomial at unit variances.",
    quantity="derivative",
    activation="(x**5 - 10*x**3 + 15*x)/sqrt(120)",
    where="q11 = 1, q22 = 1",
    formula="5*rho**4",
    source="novak2020neural, stax.Hermite",
)

second_any = Claim(
    "The second polynomial at any variances: the lower degrees come back.",
    quantity="nngp",
    activation="hermite2",
    formula="2*q12^2 + (q11 - 1)*(q22 - 1)",
    source="isserlis1918formula",
)

third_any = Claim(
    "The third polynomial at any variances.",
    quantity="nngp",
    activation="hermite3",
    formula="6*q12^3 + 9*q12*(q11 - 1)*(q22 - 1)",
    source="isserlis1918formula",
)

orthogonal = Claim(
    "Different degrees are orthogonal at unit variances.",
    quantity="cross",
    f="x^3 - 3*x",
    g="x^5 - 10*x^3 + 15*x",
    where="q11 = 1, q22 = 1",
    formula="0",
    source="mehler1866entwicklung",
)

third_off_sphere = Claim(
    "The formula of the sphere, used at any variances.",
    quantity="nngp",
    activation="(x**3 - 3*x)/sqrt(6)",
    formula="q12**3",
    source="novak2020neural, stax.Hermite, away from unit variances",
    erratum="A Hermite polynomial is orthogonal to the lower ones at unit variance only; elsewhere the linear part has a"
    " coefficient too.",
    corrected="q12**3 + 3/2*q12*(q11 - 1)*(q22 - 1)",
)
