r"""
# Gabor

$\sigma(x) = \sin(x)\,e^{-x^2}$: a wave under a bell.

## Dual

The bell is absorbed into the law, the wave becomes a pair of imaginary shifts.  Under the weight $e^{-u^2 - v^2}$ the
covariance becomes $Q' = (1 + 2Q)^{-1}Q$ and the factor $\det(1 + 2Q)^{-1/2}$ comes out; the rest is the dual of the sine,
$$E[\sigma(u)\sigma(v)] = \frac{1}{\sqrt{D}}\,e^{-(q'_{11} + q'_{22})/2}\sinh q'_{12},\qquad
D = 1 + 2(q_{11} + q_{22}) + 4(q_{11}q_{22} - q_{12}^2).$$
With $q'_{12} = q_{12}/D$ and $q'_{11} + q'_{22} = (q_{11} + q_{22} + 4\det Q)/D$ the published form appears, where the two
exponentials of the hyperbolic sine are merged with the prefactor and one is taken out as a common factor.

The derivative dual follows by differentiation in $q_{12}$, which $D$ also contains: a quotient with $D^{5/2}$ below.

## What it shows

For small inputs $D \to 1$ and the kernel is that of the sine, for large ones the bell wins and the
diagonal falls off like $q^{-1/2}$: a unit that answers to inputs of moderate size only.  The dual is odd in
$q_{12}$ as the activation is odd, and there is no linear growth anywhere, so a deep network of such units
forgets its input unless the weight variance grows.

## Conventions

Other Gabor functions carry a frequency, a phase or the bell $e^{-x^2/2}$; the page on Gaussians has the
even one, which is called a Morlet wavelet there.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("gabor",)

published = Claim(
    "The dual as published.",
    quantity="nngp",
    activation="exp(-x**2)*sin(x)",
    formula="exp(-(q1 + q2 + 4*(q1*q2 - c**2) + 2*c)/(2*(2*(q1 + q2) + 4*(q1*q2 - c**2) + 1)))"
    "*(exp(2*c/(2*(q1 + q2) + 4*(q1*q2 - c**2) + 1)) - 1)"
    "/(2*sqrt(2*(q1 + q2) + 4*(q1*q2 - c**2) + 1))",
    source="han2022fast, Gabor",
)

sine_form = Claim(
    "The dual as a hyperbolic sine under the tilted law.",
    quantity="nngp",
    activation="gabor",
    formula="exp(-(q1 + q2 + 4*(q1*q2 - c^2))/(2*(1 + 2*(q1 + q2) + 4*(q1*q2 - c^2))))"
    "*sinh(c/(1 + 2*(q1 + q2) + 4*(q1*q2 - c^2)))/sqrt(1 + 2*(q1 + q2) + 4*(q1*q2 - c^2))",
    source="louart2018random, the dual of the sine under a tilted law",
)

derivative = Claim(
    "The derivative dual.",
    quantity="derivative",
    activation="gabor",
    formula="exp(-(q1 + q2 + 4*(q1*q2 - c^2) + 2*c)/(2*(2*(q1 + q2) + 4*(q1*q2 - c^2) + 1)))"
    "*((1 + 2*(q1 + q2) + 4*(c^2 + q1*q2) - 4*c*(4*(q1*q2 - c^2) + 3*(q1 + q2) + 2))"
    " + exp(2*c/(2*(q1 + q2) + 4*(q1*q2 - c^2) + 1))"
    "*(1 + 2*(q1 + q2) + 4*(c^2 + q1*q2) + 4*c*(4*(q1*q2 - c^2) + 3*(q1 + q2) + 2)))"
    "/(2*(2*(q1 + q2) + 4*(q1*q2 - c^2) + 1)^(5/2))",
    source="han2022fast, Gabor; novak2020neural, stax.Gabor",
)

diagonal = Claim(
    "The diagonal.",
    quantity="diagonal",
    activation="gabor",
    formula="(1 - exp(-2*q/(1 + 4*q)))/(2*sqrt(1 + 4*q))",
    source="novak2020neural, stax.Gabor",
)

mean = Claim(
    "The mean under a normal law with a mean.",
    quantity="mean",
    activation="gabor",
    formula="exp(-(2*m^2 + q)/(2*(1 + 2*q)))*sin(m/(1 + 2*q))/sqrt(1 + 2*q)",
    source="characteristic function under a tilted law",
)
