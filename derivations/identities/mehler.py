r"""
# Mehler's formula

The density of a standard pair with correlation $\rho$, divided by the product of its margins, is
$$\frac{\varphi_2(x, y; \rho)}{\varphi(x)\varphi(y)} = \sum_{n \ge 0}\frac{\rho^n}{n!}He_n(x)He_n(y).$$

## Proof

The Hermite polynomials are orthogonal with $E[He_m(z)He_n(z)] = \delta_{mn}n!$, and their generating function
is $e^{sx - s^2/2}$.  Under the pair, $E[e^{su - s^2/2}e^{tv - t^2/2}] = e^{st\rho}$.  The power $s^mt^n$ on both sides
gives $E[He_m(u)He_n(v)] = \delta_{mn}\,n!\,\rho^n$, and these are the coefficients of the expansion.

## Use

For $a_n(q) = E[\sigma(\sqrt q z)He_n(z)]/\sqrt{n!}$ the dual is $\sum_n a_n(q_{11})a_n(q_{22})\rho^n$.  All coefficients at equal
variances are squares: the dual is positive definite in every dimension.  A derivative shifts the index,
$a_n(\sigma') = \sqrt{(n + 1)/q}\;a_{n+1}(\sigma)$.
"""

from __future__ import annotations

from ntksym.claims import Claim

STANDARD = (("u", ("1", "r")), ("v", ("r", "1")))
R = {"r": "real"}

fourth = Claim(
    "Equal degrees.",
    quantity="identity",
    definition="E[He(4, u)*He(4, v)]",
    covariance=STANDARD,
    params=R,
    formula="24*r^4",
    source="mehler1866entwicklung",
)

different = Claim(
    "Different degrees.",
    quantity="identity",
    definition="E[He(3, u)*He(5, v)]",
    covariance=STANDARD,
    params=R,
    formula="0",
    source="mehler1866entwicklung",
)

generating = Claim(
    "The generating function under one normal law.",
    quantity="identity",
    definition="E[exp(a*z - a^2/2)*He(3, z)]",
    params={"a": "real"},
    formula="a^3",
    source="generating function of the Hermite polynomials",
)

square_norm = Claim(
    "The norm of a Hermite polynomial.",
    quantity="identity",
    definition="E[He(6, z)^2]",
    formula="720",
    source="orthogonality of the Hermite polynomials",
)

shift = Claim(
    "Differentiation shifts the index: the first coefficient of the step is the second of ReLU.",
    quantity="identity",
    activation="relu",
    definition="E[ds(z)*z] - E[s(z)*He(2, z)]",
    formula="0",
    source="daniely2016toward",
)

sign_seventh = Claim(
    "A single coefficient: the seventh of the sign.",
    quantity="hermite",
    n=7,
    activation="sign",
    formula="-15*sqrt(2/pi)/sqrt(5040)",
    source="odonnell2014analysis, chapter 11",
)

bell_all = Claim(
    "All coefficients of the bell at any variance.",
    quantity="hermite",
    activation="gaussian",
    formula="(q/(1 + q))^(n/2)*cos(n*pi/2)*factorial2(n - 1)/sqrt((1 + q)*factorial(n))",
    source="generating function of the Hermite polynomials",
)

sine_all = Claim(
    "All coefficients of the sine at any variance.",
    quantity="hermite",
    activation="sin",
    formula="q^(n/2)*exp(-q/2)*sin(n*pi/2)/sqrt(factorial(n))",
    source="generating function of the Hermite polynomials",
)
