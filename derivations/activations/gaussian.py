r"""
# Gaussians

$e^{-x^2/2}$, $e^{bx^2}$, and a Gaussian under a line, an absolute value, a parabola or a wave.

## Dual

$E\,e^{-(u^2 + v^2)/2}$ is a Gaussian integral in two dimensions: the ratio of two determinants,
$$E[\sigma(u)\sigma(v)] = \det(1 + Q)^{-1/2} = \frac{1}{\sqrt{(1 + q_{11})(1 + q_{22}) - q_{12}^2}}.$$
Price's theorem read backwards produces a family.  The derivative of the bell is $-x e^{-x^2/2}$, so the
dual of *that* is $\partial_{q_{12}}$ of this one, and the Mexican hat, the second derivative up to sign, has the
second derivative.

Other factors under the bell are handled by the tilt.  With $D = \det(1 + Q)$ and $\Delta = \det Q$, the law under the weight has
$$Q' = \frac1D\begin{pmatrix} q_{11} + \Delta & q_{12} \\ q_{12} & q_{22} + \Delta\end{pmatrix},$$
and the dual of $|x|e^{-x^2/2}$ is $D^{-1/2}$ times the dual of $|x|$ at $Q'$; the same for a cosine.

## Domain

For $b > 0$ the function $e^{bx^2}$ has a finite second moment only where $4bq < 1$: the formula holds there and the
expectation is infinite elsewhere.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("gaussian", "gaussian_b", "odd_gaussian", "abs_gaussian", "mexican_hat", "morlet")

AB = {"a": "real", "b": "negative"}

half = Claim(
    "The dual of the bell.",
    quantity="nngp",
    activation="gaussian",
    latex=r"\frac{1}{\sqrt{(1 + q_{11})(1 + q_{22}) - q_{12}^2}}",
    source="louart2018random, table 1; williams1997computing",
)

stax = Claim(
    "Any height and any rate.",
    quantity="nngp",
    activation="a*exp(b*x**2)",
    params=AB,
    where="b < 0",
    formula="a**2/sqrt((1 - 2*b*q1)*(1 - 2*b*q2) - 4*b**2*c**2)",
    source="novak2020neural, stax.Gaussian",
)

stax_derivative = Claim(
    "Any height and any rate: the derivative dual.",
    quantity="derivative",
    activation="a*exp(b*x**2)",
    params=AB,
    where="b < 0",
    formula="a**2*4*b**2*c/((1 - 2*b*q1)*(1 - 2*b*q2) - 4*b**2*c**2)**(3/2)",
    source="novak2020neural, stax.Gaussian",
)

diagonal = Claim(
    "The diagonal.",
    quantity="diagonal",
    activation="gaussian",
    formula="1/sqrt(1 + 2*q)",
    source="williams1997computing",
)

mean = Claim(
    "The mean under a normal law with a mean.",
    quantity="mean",
    activation="gaussian",
    latex=r"\frac{1}{\sqrt{1+q}}\exp\left(-\frac{m^2}{2(1+q)}\right)",
    source="convolution of two Gaussians",
)

odd = Claim(
    "x times the bell.",
    quantity="nngp",
    activation="odd_gaussian",
    formula="q12/((1 + q11)*(1 + q22) - q12^2)^(3/2)",
    source="price1958useful, applied to the bell",
)

mexican_hat = Claim(
    "The Mexican hat.",
    quantity="nngp",
    activation="mexican_hat",
    formula="((1 + q11)*(1 + q22) + 2*q12^2)/((1 + q11)*(1 + q22) - q12^2)^(5/2)",
    source="price1958useful, applied twice to the bell",
)

absolute = Claim(
    "The absolute value under the bell.",
    quantity="nngp",
    activation="abs_gaussian",
    formula="2/(pi*sqrt((1 + q1)*(1 + q2) - c^2))"
    "*(sqrt((q1*q2 - c^2)/((1 + q1)*(1 + q2) - c^2)) + c/((1 + q1)*(1 + q2) - c^2)"
    "*asin(c/sqrt((q1 + q1*q2 - c^2)*(q2 + q1*q2 - c^2))))",
    source="louart2018random, the dual of |x| under a tilted law",
)

morlet = Claim(
    "A cosine under the bell.",
    quantity="nngp",
    activation="cos(a*x)*exp(-x^2/2)",
    params={"a": "real"},
    formula="exp(-a^2*(q1 + q2 + 2*(q1*q2 - c^2))/(2*((1 + q1)*(1 + q2) - c^2)))"
    "*cosh(a^2*c/((1 + q1)*(1 + q2) - c^2))/sqrt((1 + q1)*(1 + q2) - c^2)",
    source="louart2018random, the dual of the cosine under a tilted law",
)

gradient = Claim(
    "The derivative of the dual in the first variance.",
    quantity="gradient",
    by="q11",
    activation="gaussian",
    formula="-(1 + q22)/(2*((1 + q11)*(1 + q22) - q12^2)^(3/2))",
    source="differentiation of the dual",
)

hermite = Claim(
    "Hermite coefficients at unit variance.",
    quantity="constant",
    activation="gaussian",
    definition={
        "h0": "E[s(z)]",
        "h2": "E[s(z)*He(2, z)]/sqrt(2)",
        "h4": "E[s(z)*He(4, z)]/sqrt(24)",
    },
    formula={"h0": "1/sqrt(2)", "h2": "-1/4", "h4": "3/(4*sqrt(48))"},
    source="generating function of the Hermite polynomials",
)
