r"""
# ReLU with its kink elsewhere

$\sigma(x) = \max(x - b, 0)$: a threshold inside the activation is the same as a mean $-b$ of the input.

## Dual

$\sigma'$ is a step at $b$, so by Price's theorem the derivative dual is a quadrant probability that is no
longer centred: $P(u > b, v > b) = \Phi_2(-b/\sqrt{q_{11}}, -b/\sqrt{q_{22}}; \rho)$.  The dual itself follows from Stein's
lemma: write $E[(u - b)_+(v - b)_+] = E[(u-b)(v-b)\,1\{u > b, v > b\}]$ and remove the powers one at a time.
Each removal leaves either the same probability, or the density of one variable at the threshold times a
conditional probability of the other; the last one leaves the joint density at $(b, b)$:
$$(q_{12} + b^2)\,\Phi_2(h, k; \rho) - b\sqrt{q_{22}}\,\varphi(k)\,\Phi\!\left(\tfrac{h - \rho k}{\sqrt{1-\rho^2}}\right)
 - b\sqrt{q_{11}}\,\varphi(h)\,\Phi\!\left(\tfrac{k - \rho h}{\sqrt{1-\rho^2}}\right)
 + \sqrt{q_{11}q_{22}}\,(1 - \rho^2)\,\varphi_2(h, k; \rho),$$
with $h = -b/\sqrt{q_{11}}$ and $k = -b/\sqrt{q_{22}}$.  At $b = 0$ this is the arc-cosine kernel.

## What it shows

A threshold makes features sparse: a share $\Phi(-b/\sqrt q)$ of the units is active.  For $b \to -\infty$ the unit is linear and the
dual becomes $q_{12} + b^2$; for $b \to \infty$ it vanishes like the tail of a normal law.  Because the
threshold has a scale, the dual is no longer homogeneous, and no initialisation keeps every variance.

## Conventions

A negative $b$ is a positive bias.  Papers on covariance propagation move the shift into the mean of the law; the two pages
of this book, with a mean and with a threshold, are the same integrals.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("shifted_relu",)

SHIFTED = "max(x - b, 0)"
B = {"b": "real"}

dual = Claim(
    "The dual, through truncated moments.",
    quantity="nngp",
    activation=SHIFTED,
    params=B,
    formula="(q12 + b^2)*Phi2(-b/sqrt(q11), -b/sqrt(q22), rho)"
    " - b*sqrt(q22)*phi(b/sqrt(q22))*Phi((rho*b/sqrt(q22) - b/sqrt(q11))/sqrt(1 - rho^2))"
    " - b*sqrt(q11)*phi(b/sqrt(q11))*Phi((rho*b/sqrt(q11) - b/sqrt(q22))/sqrt(1 - rho^2))"
    " + sqrt(q11*q22 - q12^2)/(2*pi)"
    "*exp(-b^2*(q11 + q22 - 2*q12)/(2*(q11*q22 - q12^2)))",
    source="rosenbaum1961moments",
)

derivative = Claim(
    "The derivative dual is a quadrant probability off the origin.",
    quantity="derivative",
    activation=SHIFTED,
    params=B,
    formula="Phi2(-b/sqrt(q11), -b/sqrt(q22), rho)",
    source="plackett1954reduction",
)

diagonal = Claim(
    "The diagonal: the second moment of a censored normal variable.",
    quantity="diagonal",
    activation=SHIFTED,
    params=B,
    formula="(b^2 + q)*Phi(-b/sqrt(q)) - b*sqrt(q)*phi(b/sqrt(q))",
    source="frey1999variational, with mean -b",
)

mean = Claim(
    "The mean under a normal law with mean m.",
    quantity="mean",
    activation=SHIFTED,
    params=B,
    formula="(m - b)*Phi((m - b)/sqrt(q)) + sqrt(q)*phi((m - b)/sqrt(q))",
    source="frey1999variational, with mean m - b",
)
