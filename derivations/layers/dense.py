r"""
# The dense layer

$y = \sigma_wWx/\sqrt n + \sigma_bb$: the only layer that mixes channels, and the one that makes the next layer Gaussian.

## Derivation

Given the outputs of the layer below, $y$ and $y'$ are sums of $n$ independent terms, so in the limit a Gaussian pair with covariance
$\sigma_w^2\,\tfrac1n\sum x_ix'_i + \sigma_b^2$, which is $\sigma_w^2K + \sigma_b^2$ by the law of large numbers.  The gradient
with respect to this layer's own parameters contributes the same number to the tangent kernel, and the
parameters below contribute $\sigma_w^2\Theta$:
$$\Sigma' = \sigma_w^2K + \sigma_b^2,\qquad \Theta' = \Sigma' + \sigma_w^2\,\Theta.$$
The first layer sees the inputs themselves, and $\Sigma = \Theta = \sigma_w^2\,x^Tx'/d + \sigma_b^2$.

## Conventions

The tangent parametrisation keeps $\sigma_w/\sqrt n$ outside of the trained parameter; the standard one keeps it inside, and its kernel has the width as a
factor.  A documentation string of a well-known library divides by the number of *outputs* where its code, rightly, has the inputs.
"""

from __future__ import annotations

from ntksym.claims import Claim

linear_depth_one = Claim(
    "Two dense layers with nothing between them but the identity.",
    quantity="ntk",
    network="mlp:identity:depth=1",
    formula="2*sw2*(sw2*c + sb2) + sb2",
    source="novak2020neural, Dense",
    note="Each of the two layers contributes weight_var (weight_var q12 + bias_var), and the last one its bias.",
)

constant_feature = Claim(
    "A layer of constants: only the last layer learns.",
    quantity="ntk",
    network="mlp:'0*x + 1':depth=1",
    formula="sw2 + sb2",
    source="novak2020neural, Dense",
)
