r"""
# The nonlinearity

$y_i = \sigma(x_i)$, channel by channel.

## Derivation

The layer has no parameters.  It maps the covariance of a Gaussian pair to $K = E[\sigma(u)\sigma(v)]$, and the chain
rule multiplies what comes from below by $\dot K = E[\sigma'(u)\sigma'(v)]$:
$$\Sigma' = K(\Sigma),\qquad \Theta' = \dot K(\Sigma)\,\Theta.$$
Only its input is Gaussian, not its output: two nonlinearities in a row are *one* composed function, not two steps of this rule.

## An identity of the whole family

$\dot K$ is the derivative of $K$ in the covariance (Price), and the derivatives in the variances are
$\tfrac12E[\sigma''(u)\sigma(v)]$: together they are the gradient of a kernel with respect to everything below it.  The claims show the second one on
functions with an ordinary second derivative.

## Where the limit is taken

The width goes to infinity before the layer above is drawn; then the sums over channels are averages of independent pairs, and the law of
large numbers replaces them by $K$ and $\dot K$.  A second moment must exist: an activation that grows like $e^{x^2}$ has no
kernel for large variances.

## Conventions

Where the activation jumps, gradient descent sees the almost-everywhere derivative; Price's theorem, and with it the gradient of the kernel, needs the
distributional one.  The two agree for continuous activations.
"""

from __future__ import annotations

from ntksym.claims import Claim

cube = Claim(
    "The derivative in a variance is half of the expectation with a second derivative: the cube.",
    quantity="identity",
    f="6*x",
    g="x^3",
    definition="E[f(u)*g(v)]/2",
    formula="9*q12*q22",
    source="price1958useful, extended to the variances",
)

sine = Claim(
    "The same for the sine.",
    quantity="identity",
    f="-sin(x)",
    g="sin(x)",
    definition="E[f(u)*g(v)]/2",
    formula="-exp(-(q11 + q22)/2)*sinh(q12)/2",
    source="price1958useful, extended to the variances",
)
