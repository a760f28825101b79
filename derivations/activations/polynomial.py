r"""
# Polynomials

$\sigma(x) = \sum_k s_k x^k$: the linear network, the square, the cube, and what Table 1 of random matrix papers calls quadratic.

## Dual

All of it is Isserlis' theorem: the expectation of a product of Gaussian variables is a sum over the ways of pairing
them.  For $E[u^n v^n]$, let $j$ of the pairs join $u$ with $v$; the others pair within each side, so
$$E[u^nv^n] = \sum_{j \equiv n\ (2)} \frac{(n!)^2}{2^{n - j}\bigl(\tfrac{n - j}{2}\bigr)!^2\, j!}\; q_{12}^{\,j}\,(q_{11}q_{22})^{(n - j)/2}.$$
Powers of different order mix: in the quadratic, $s_2s_0$ appears with $q_{11} + q_{22}$.

The derivative dual of a monomial is $n^2$ times the dual of the monomial below it.

## Conventions

Code that stores coefficients from the highest power down, next to formulas that count from the
constant up, produces the erratum below.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("identity", "square", "cube")

QUADRATIC = "s2*x**2 + s1*x + s0"
S = {"s0": "real", "s1": "real", "s2": "real"}

linear = Claim(
    "A linear unit.",
    quantity="nngp",
    activation="x",
    formula="c",
    source="louart2018random, table 1",
)

linear_derivative = Claim(
    "The derivative dual of a linear unit.",
    quantity="derivative",
    activation="identity",
    formula="1",
    source="louart2018random",
)

quadratic = Claim(
    "A quadratic polynomial.",
    quantity="nngp",
    activation=QUADRATIC,
    params=S,
    formula="s2**2*(2*c**2 + q1*q2) + s1**2*c + s2*s0*(q1 + q2) + s0**2",
    source="louart2018random, table 1",
)

square = Claim(
    "The square.",
    quantity="nngp",
    activation="square",
    latex=r"q_{11}q_{22} + 2 q_{12}^2",
    source="isserlis1918formula",
)

square_derivative = Claim(
    "The derivative dual of the square.",
    quantity="derivative",
    activation="square",
    formula="4*c",
    source="isserlis1918formula",
)

cube = Claim(
    "The cube.",
    quantity="nngp",
    activation="x**3",
    formula="6*c**3 + 9*c*q1*q2",
    source="han2022fast, Monomial",
)

cube_derivative = Claim(
    "The derivative dual of the cube is nine times the dual of the square.",
    quantity="derivative",
    activation="cube",
    formula="9*(q1*q2 + 2*c^2)",
    source="novak2020neural, stax.Monomial",
)

fourth = Claim(
    "The fourth power.",
    quantity="nngp",
    activation="x**4",
    formula="3*(8*c**4 + 3*q1*q2*(8*c**2 + q1*q2))",
    source="han2022fast, Monomial",
)

fifth = Claim(
    "The fifth power.",
    quantity="nngp",
    activation="x**5",
    formula="15*c*(8*c**4 + 5*q1*q2*(8*c**2 + 3*q1*q2))",
    source="han2022fast, Monomial",
)

sixth = Claim(
    "The sixth power, which tables stop before.",
    quantity="nngp",
    activation="x**6",
    formula="720*c^6 + 5400*c^4*q1*q2 + 4050*c^2*(q1*q2)^2 + 225*(q1*q2)^3",
    source="isserlis1918formula",
)

square_mean = Claim(
    "The mean of the fourth power under a normal law with a mean.",
    quantity="mean",
    activation="x^4",
    formula="m^4 + 6*m^2*q + 3*q^2",
    source="isserlis1918formula",
)

square_variance = Claim(
    "The variance of the square under a normal law with a mean.",
    quantity="variance",
    activation="square",
    formula="2*q^2 + 4*m^2*q",
    source="noncentral chi-squared distribution",
)

square_covariance = Claim(
    "The covariance of two squares.",
    quantity="covariance",
    activation="square",
    formula="2*q12^2",
    source="isserlis1918formula",
)

mixed = Claim(
    "Different powers on the two sides.",
    quantity="cross",
    f="x^2",
    g="x^4",
    formula="3*q1*q2^2 + 12*c^2*q2",
    source="isserlis1918formula",
)

moments = Claim(
    "Coefficients of the random feature map of a quadratic polynomial.",
    quantity="constant",
    activation=QUADRATIC,
    params={**S, "tau": "positive"},
    definition={
        "d0": "E[s(sqrt(tau)*z)^2] - E[s(sqrt(tau)*z)]^2 - E[z*s(sqrt(tau)*z)]^2",
        "d1": "E[z*s(sqrt(tau)*z)]^2/tau",
        "d2": "(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4",
    },
    formula={"d0": "2*tau**2*s2**2", "d1": "s1**2", "d2": "s2**2"},
    source="liao2018spectrum, table 2",
)

moments_code = Claim(
    "The last of these coefficients as the accompanying code returns it.",
    quantity="constant",
    activation=QUADRATIC,
    params={**S, "tau": "positive"},
    definition="(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4",
    formula="s0**2",
    source="code of liao2018spectrum, poly2",
    erratum="The code counts coefficients from the highest power down and squares the last one, which is the"
    " constant term; the formula needs the coefficient of x^2.",
    corrected="s2**2",
)

fixed_point = Claim(
    "The fixed point of a linear network.",
    quantity="fixed_point",
    activation="identity",
    where="weight_var < 1, bias_var > 0",
    formula="bias_var/(1 - weight_var)",
    source="poole2016exponential, for a linear network",
)

edge = Claim(
    "The edge of chaos of a linear network.",
    quantity="edge_of_chaos",
    activation="identity",
    formula={"weight_var": "1", "bias_var": "0"},
    source="schoenholz2017deep, for a linear network",
)
