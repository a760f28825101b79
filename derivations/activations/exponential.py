r"""
# Exponentials

$e^{bx}$, $\sinh$, $\cosh$, and the decaying exponentials $e^{-|x|}$ and $H(x)e^{-ax}$.

## Dual

$E\,e^{b(u + v)}$ is the moment generating function of $u + v$ at $b$:
$$E[e^{bu}e^{bv}] = \exp\bigl(\tfrac{b^2}{2}(q_{11} + 2q_{12} + q_{22})\bigr).$$
Its derivative in $q_{12}$ is $b^2$ times itself.  Even and odd parts give
$e^{(q_{11} + q_{22})/2}\cosh q_{12}$ for $\cosh$ and the same with $\sinh$.

The one-sided exponential keeps a half-plane: the tilt moves the law by minus the covariance and the rest is a quadrant
probability.  The two-sided $e^{-|x|}$ has two kinds of quadrants, equal signs and opposite signs.

## Conventions

Daniely, Frostig and Singer normalise: $e^{x - 1}$ has unit second moment at unit variance, and its dual
activation is $e^{\rho - 1}$.  The "normalised Gaussian kernel" of convolutional kernel papers is the same with a rate; it is usually stated
without any activation.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("exp", "exponential", "sinh", "cosh", "laplace", "one_sided_exponential")

AB = {"a": "real", "b": "real"}

stax = Claim(
    "Amplitude and rate.",
    quantity="nngp",
    activation="a*exp(b*x)",
    params=AB,
    formula="a**2*exp(b**2*((q1 + q2)/2 + c))",
    source="novak2020neural, stax.Exp",
)

stax_derivative = Claim(
    "Amplitude and rate: the derivative dual.",
    quantity="derivative",
    activation="a*exp(b*x)",
    params=AB,
    formula="a**2*b**2*exp(b**2*((q1 + q2)/2 + c))",
    source="novak2020neural, stax.Exp",
)

daniely = Claim(
    "The dual activation of the normalised exponential.",
    quantity="normalised",
    activation="exp(x - 1)",
    latex=r"e^{\rho - 1}",
    source="daniely2016toward, table 1",
)

exp_normalized = Claim(
    "An activation for the normalised Gaussian kernel at unit variances.",
    quantity="normalised",
    activation="exp(sqrt(g)*x - g)",
    params={"g": "positive"},
    formula="exp(g*(rho - 1))",
    source="shankar2020neural; novak2020neural, stax.ExpNormalized",
)

square_root_scale = Claim(
    "An exponential with a length scale.",
    quantity="nngp",
    activation="exp(x/s)",
    params={"s": "positive"},
    formula="exp((q1 + q2 + 2*rho*sqrt(q1*q2))/(2*s**2))",
    source="code of yang2021tensor, F00ExpSqrt",
)

mean = Claim(
    "The mean of a lognormal variable.",
    quantity="mean",
    activation="exp",
    formula="exp(m + q/2)",
    source="lognormal distribution",
)

variance = Claim(
    "The variance of a lognormal variable.",
    quantity="variance",
    activation="exp",
    latex=r"(e^{q} - 1)\,e^{2m + q}",
    source="lognormal distribution",
)

covariance = Claim(
    "The covariance of two lognormal variables.",
    quantity="covariance",
    activation="exp",
    formula="exp((q11 + q22)/2)*(exp(q12) - 1)",
    source="lognormal distribution",
)

hermite = Claim(
    "Hermite coefficients at any variance, for every order.",
    quantity="hermite",
    activation="exp",
    formula="exp(q/2)*q^(n/2)/sqrt(factorial(n))",
    source="generating function of the Hermite polynomials",
)

sinh = Claim(
    "The dual of the hyperbolic sine.",
    quantity="nngp",
    activation="sinh",
    formula="exp((q11 + q22)/2)*sinh(q12)",
    source="odd part of the moment generating function",
)

cosh = Claim(
    "The dual of the hyperbolic cosine.",
    quantity="nngp",
    activation="cosh",
    formula="exp((q11 + q22)/2)*cosh(q12)",
    source="even part of the moment generating function",
)

edge = Claim(
    "The edge of chaos of the exponential.",
    quantity="edge_of_chaos",
    activation="exp",
    formula={"weight_var": "exp(-2*q)", "bias_var": "q - 1"},
    source="schoenholz2017deep, for the exponential",
)

laplace_dual = Claim(
    "The two-sided exponential: quadrants of equal and of opposite signs.",
    quantity="nngp",
    activation="exp(-abs(x))",
    formula="2*exp((q1 + q2)/2 + c)*Phi2(-(q1 + c)/sqrt(q1), -(q2 + c)/sqrt(q2), rho)"
    " + 2*exp((q1 + q2)/2 - c)*Phi2(-(q1 - c)/sqrt(q1), -(q2 - c)/sqrt(q2), -rho)",
    source="moment generating function of a truncated bivariate normal, Tallis 1961",
)

laplace_diagonal = Claim(
    "The diagonal of the two-sided exponential.",
    quantity="diagonal",
    activation="laplace",
    formula="exp(2*q)*erfc(sqrt(2*q))",
    source="moment generating function of the half-normal law",
)

one_sided_dual = Claim(
    "The one-sided exponential.",
    quantity="nngp",
    activation="heaviside(x)*exp(-a*x)",
    params={"a": "positive"},
    formula="exp(a^2*(q1 + q2 + 2*c)/2)*Phi2(-a*(q1 + c)/sqrt(q1), -a*(q2 + c)/sqrt(q2), rho)",
    source="moment generating function of a truncated bivariate normal, Tallis 1961",
)

one_sided_mean = Claim(
    "The mean of the one-sided exponential.",
    quantity="mean",
    activation="heaviside(x)*exp(-a*x)",
    params={"a": "positive"},
    formula="exp(a^2*q/2 - a*m)*Phi((m - a*q)/sqrt(q))",
    source="exponentially modified normal law",
)
