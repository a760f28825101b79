r"""
# The activation of the radial basis function

$\sigma(x) = \sqrt2\,\sin(\sqrt{2\gamma}\,x + \tfrac\pi4)$.

## Dual

Of the two terms of a wave's dual, the one with $u + v$ carries $\cos 2\phi$, which is zero at the phase $\pi/4$.  What is left depends
on $u - v$ alone, hence on the distance of the inputs:
$$E[\sigma(u)\sigma(v)] = e^{-\gamma(q_{11} + q_{22} - 2q_{12})} = e^{-\gamma\,|x - x'|^2/d}.$$
This is Rahimi and Recht's random Fourier feature with a fixed phase in place of a uniform one, and the network of infinite
width *is* the Gaussian kernel.  The diagonal is one for every input.

The derivative dual is $2\gamma$ times the dual: the same kernel up to scale, so the tangent kernel of one
hidden layer is $(1 + 2\gamma\,q_{12})$ times a Gaussian.

## What it shows

A kernel of the distance alone is rare among duals: by Schoenberg's theorem it must be a mixture of Gaussians of the
distance, and a single wave with the right phase gives a single Gaussian.  At unit variances the dual is
$e^{2\gamma(\rho - 1)}$, the same function of the correlation as that of the normalised exponential.  Two
activations as different as a wave and an exponential have one dual there, so a dual does not determine its activation:
only the absolute values of the Hermite coefficients can be read off.

## Conventions

The rate $\gamma$ is per *normalised* squared distance $|x - x'|^2/d$; a library that does not divide by
the dimension has $\gamma/d$ in its place.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("rbf",)

RBF = "sqrt(2)*sin(sqrt(2*g)*x + pi/4)"
G = {"g": "positive"}

dual = Claim(
    "The radial basis function.",
    quantity="nngp",
    activation=RBF,
    params=G,
    formula="exp(-g*(q1 + q2 - 2*c))",
    source="rahimi2007random; novak2020neural, stax.Rbf",
)

derivative = Claim(
    "The derivative dual.",
    quantity="derivative",
    activation=RBF,
    params=G,
    formula="2*g*exp(-g*(q1 + q2 - 2*c))",
    source="novak2020neural, stax.Rbf",
)

diagonal = Claim(
    "Every input has unit variance.",
    quantity="diagonal",
    activation=RBF,
    params=G,
    formula="1",
    source="novak2020neural, stax.Rbf",
)

half = Claim(
    "The kernel of unit length scale.",
    quantity="nngp",
    activation="sqrt(2)*sin(x + pi/4)",
    latex=r"e^{-\frac{1}{2}(q_{11} - 2 q_{12} + q_{22})}",
    source="rahimi2007random",
)

gradient = Claim(
    "The derivative of the dual in the first variance.",
    quantity="gradient",
    by="q11",
    activation=RBF,
    params=G,
    formula="-g*exp(-g*(q1 + q2 - 2*c))",
    source="differentiation of the dual",
)

hermite_unit = Claim(
    "At unit variances the dual is an exponential of the correlation.",
    quantity="normalised",
    activation="sqrt(2)*sin(x + pi/4)",
    formula="exp(rho - 1)",
    source="daniely2016toward, table 1, exponential row, realised by a wave",
)
