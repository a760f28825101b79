r"""
# Networks of smooth units

The recursion for the error function, the wave of the radial basis function, and the exponential, where one layer is short
enough to print.

## Derivation

One hidden layer has $\Sigma = \sigma_w^2K + \sigma_b^2$ and $\Theta = \Sigma + \sigma_w^2\dot K\,\Theta^{(0)}$ with
$\Theta^{(0)}$ the kernel of the input layer.  For the wave $\dot K = 2\gamma K$, so the tangent kernel is a Gaussian times a line in
the covariance.  For the error function an arc sine is joined by the inverse root that is its derivative.

For the exponential $\dot K = K$ at unit rate, and the same line appears with the growing exponential.  Two layers of sines put one
hyperbolic sine into another: the covariance after the first layer is
$e^{-(q_{11} + q_{22})/2}\sinh q_{12}$, the variances are $\tfrac12(1 - e^{-2q})$, and the second layer reads these as its own
$q_{11}, q_{12}, q_{22}$.  Nothing else is ever needed: a deep kernel is a composition of duals.

## Conventions

Weight variance one and no bias throughout; `depth` counts nonlinearities.  The input layer has the same weight variance as the others, so
$\Theta^{(0)} = q_{12}$ here.
"""

from __future__ import annotations

from ntksym.claims import Claim

erf = Claim(
    "One hidden layer of error functions.",
    quantity="ntk",
    network="mlp:erf:depth=1,weight_var=1",
    formula="2/pi*asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2))) + 4*c/(pi*sqrt((1 + 2*q1)*(1 + 2*q2) - 4*c^2))",
    source="lee2019wide; williams1997computing",
)

wave = Claim(
    "One hidden layer whose kernel is a radial basis function.",
    quantity="ntk",
    network="mlp:'sqrt(2)*sin(x + pi/4)':depth=1,weight_var=1",
    formula="(1 + c)*exp(-(q1 + q2 - 2*c)/2)",
    source="rahimi2007random; novak2020neural, stax.Rbf",
)

exponential = Claim(
    "One hidden layer of exponentials.",
    quantity="ntk",
    network="mlp:exp:depth=1,weight_var=1",
    formula="(1 + c)*exp((q1 + q2 + 2*c)/2)",
    source="novak2020neural, stax.Exp",
)

sine_nngp = Claim(
    "Two hidden layers of sines: the Gaussian process kernel.",
    quantity="recursion",
    network="mlp:sin:depth=2,weight_var=1",
    formula="exp(-(1 - exp(-2*q1) + 1 - exp(-2*q2))/4)*sinh(exp(-(q1 + q2)/2)*sinh(c))",
    source="louart2018random, applied twice",
)
