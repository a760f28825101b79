r"""
# Linear networks

$\sigma(x) = x$: nothing bends, and the recursion is a sum.

## Derivation

$K = q_{12}$ and $\dot K = 1$, so with unit weights and no biases $\Sigma^{(\ell)} = q_{12}$ for every layer, and
$\Theta^{(\ell + 1)} = q_{12} + \Theta^{(\ell)}$.  With $L$ hidden layers there are $L + 1$ weight matrices, each of
which contributes $q_{12}$: $\Theta = (L + 1)\,q_{12}$.

With weight variance $w$ every contribution carries $w^{L + 1}$, because the product of all variances multiplies the input and
the matrix that is differentiated has its scale taken outside of the trained parameter.  Biases of variance $b$ add a geometric sum.

## What it shows

The tangent kernel of a linear network is a multiple of the kernel of linear regression at every depth: depth changes how
fast gradient descent moves, not what it can learn in the limit of infinite width.  Deep linear networks of finite width do learn
differently, and that is a correction this limit does not see.

At $w = 1$, $b = 0$ every variance is a fixed point and the slope of the correlation map is one: the whole line is critical, and
no pair of inputs is ever drawn together or torn apart.

## Conventions

A paper that counts matrices calls three hidden layers depth four, and prints $L$ for $L + 1$.
"""

from __future__ import annotations

from ntksym.claims import Claim

three_layers = Claim(
    "Three hidden layers, four matrices.",
    quantity="ntk",
    network="mlp:identity:depth=3,weight_var=1",
    formula="4*c",
    source="jacot2018neural, for a linear network",
)

weighted = Claim(
    "Two hidden layers with any weight variance.",
    quantity="ntk",
    network="mlp:identity:depth=2,bias_var=0",
    formula="3*weight_var^3*q12",
    source="lee2019wide, for a linear network",
)

nngp_bias = Claim(
    "Two hidden layers with biases: a geometric sum.",
    quantity="recursion",
    network="mlp:identity:depth=2",
    formula="weight_var^3*q12 + bias_var*(1 + weight_var + weight_var^2)",
    source="lee2018deep, for a linear network",
)
