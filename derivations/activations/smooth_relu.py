r"""
# A smooth rectifier

$\sigma(x) = x\Phi(x) + \varphi(x) = E\max(x + Z, 0)$ with an independent standard normal $Z$: the integral of
$\Phi$, and the rectifier seen through noise.

## Dual

Noise is absorbed into the variances.  $E[\sigma(u)\sigma(v)]$ is the expectation of
$\max(u + Z, 0)\max(v + Z', 0)$ with independent $Z, Z'$, so it is the dual of ReLU with both variances larger by one and the same covariance:
$$\frac{1}{2\pi}\Bigl(\sqrt{(1 + q_{11})(1 + q_{22}) - q_{12}^2} + q_{12}\,(\pi - \vartheta)\Bigr),
\qquad \cos\vartheta = \frac{q_{12}}{\sqrt{(1 + q_{11})(1 + q_{22})}}.$$
The derivative dual is in the same way the dual of the probit.  This is the shortest route to a kernel of a smooth
unit, and it explains why GELU, which lacks the $\varphi$, has the longer formula.

## What it shows

The function lies above ReLU everywhere, by at most $\varphi(0)$ at the kink, and approaches it like the tail of
the normal law.  Noise of variance $s^2$ in place of one interpolates: $s \to 0$ gives ReLU back, and the dual has
$s^2 + q$ where it has $1 + q$ here.  The same argument smooths any activation with a known dual: the smooth
version's dual is the old one with larger variances, never a new integral.

It is not softplus, although plots of the two are hard to tell apart; softplus has no known closed dual.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("smooth_relu",)

dual = Claim(
    "The dual of ReLU with variances larger by one.",
    quantity="nngp",
    activation="x*Phi(x) + phi(x)",
    formula="(sqrt((1 + q1)*(1 + q2) - c^2) + c*(pi - acos(c/sqrt((1 + q1)*(1 + q2)))))/(2*pi)",
    source="cho2010large, the noise argument applied to ReLU",
)

derivative = Claim(
    "The derivative dual is the dual of the probit.",
    quantity="derivative",
    activation="smooth_relu",
    formula="1/4 + asin(c/sqrt((1 + q1)*(1 + q2)))/(2*pi)",
    source="cho2010large",
)

mean = Claim(
    "The mean under a normal law with a mean.",
    quantity="mean",
    activation="smooth_relu",
    latex=r"m\,\Phi\left(\frac{m}{\sqrt{1+q}}\right) + \sqrt{1+q}\;\varphi\left(\frac{m}{\sqrt{1+q}}\right)",
    source="frey1999variational, with the noise added to the variance",
)

diagonal = Claim(
    "The diagonal.",
    quantity="diagonal",
    activation="smooth_relu",
    formula="(sqrt(1 + 2*q) + q*(pi - acos(q/(1 + q))))/(2*pi)",
    source="cho2010large",
)
