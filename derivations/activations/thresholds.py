r"""
# Shrinkage and thresholds

Soft shrinkage pulls towards zero, hard shrinkage cuts a hole around zero, and a threshold replaces everything
below a cut by one value.

## Duals

Soft shrinkage is continuous, and its derivative is the indicator of $|x| > \lambda$; four tails of the bivariate
normal law make its derivative dual.  Hard shrinkage and the threshold jump, so that the two senses of the derivative
differ: the distributional one has $\varphi_2$ at the jumps, scaled by their height.

When the cut is at zero the threshold is homogeneous up to the constant it is replaced by, and the dual
is elementary: the arc-cosine kernels of orders one and zero with a mixed term.

For the hard shrinkage, $v\,\sigma(v) = \sigma(v)^2$, so Bussgang's coefficient is the second moment divided by the variance.

## Where they come from

In denoising, the two shrinkages are the estimators of Donoho and Johnstone, and their second moments at mean zero are the risks of
thresholding pure noise; the formulas below are those risks.  As activations they make sparse features: a share
$2\Phi(-\lambda/\sqrt q)$ of the units is active.

## Conventions

At the cut itself the value does not matter, the law has no atoms.  The derivative of a function that jumps does matter: the
claims say which sense they use, and the almost-everywhere derivative of the hard shrinkage is that of the soft one.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("softshrink", "hardshrink", "threshold")

LAM = {"lam": "positive"}
SOFT = "max(x - lam, 0) + min(x + lam, 0)"
HARD = "piecewise((x, x > lam), (x, x < -lam), (0, True))"

soft_derivative = Claim(
    "Both variables beyond the threshold.",
    quantity="derivative",
    activation=SOFT,
    params=LAM,
    formula="2*Phi2(-lam/sqrt(q1), -lam/sqrt(q2), rho) + 2*Phi2(-lam/sqrt(q1), -lam/sqrt(q2), -rho)",
    source="plackett1954reduction",
)

soft_diagonal = Claim(
    "The second moment behind soft shrinkage.",
    quantity="diagonal",
    activation=SOFT,
    params=LAM,
    formula="2*((q + lam^2)*Phi(-lam/sqrt(q)) - lam*sqrt(q)*phi(lam/sqrt(q)))",
    source="risk of soft thresholding at zero, Donoho and Johnstone 1994",
)

soft_bussgang = Claim(
    "A normal variable against soft shrinkage.",
    quantity="cross",
    f="x",
    g=SOFT,
    params=LAM,
    formula="c*erfc(lam/sqrt(2*q2))",
    source="bussgang1952crosscorrelation",
)

hard_diagonal = Claim(
    "The second moment behind hard shrinkage.",
    quantity="diagonal",
    activation=HARD,
    params=LAM,
    formula="q*erfc(lam/sqrt(2*q)) + lam*sqrt(2*q/pi)*exp(-lam^2/(2*q))",
    source="risk of hard thresholding at zero, Donoho and Johnstone 1994",
)

hard_bussgang = Claim(
    "A normal variable against hard shrinkage.",
    quantity="cross",
    f="x",
    g=HARD,
    params=LAM,
    formula="c*(erfc(lam/sqrt(2*q2)) + lam*sqrt(2/(pi*q2))*exp(-lam^2/(2*q2)))",
    source="bussgang1952crosscorrelation",
)

hard_derivative_ae = Claim(
    "The derivative dual of hard shrinkage almost everywhere is that of soft shrinkage.",
    quantity="derivative",
    derivative="almost_everywhere",
    activation=HARD,
    params=LAM,
    formula="2*Phi2(-lam/sqrt(q1), -lam/sqrt(q2), rho) + 2*Phi2(-lam/sqrt(q1), -lam/sqrt(q2), -rho)",
    source="plackett1954reduction",
)

threshold_at_zero = Claim(
    "A threshold at zero with a value.",
    quantity="nngp",
    activation="piecewise((x, x > 0), (k, True))",
    params={"k": "real"},
    formula="sqrt(q1*q2)/(2*pi)*(sqrt(1 - rho^2) + (pi - acos(rho))*rho)"
    " + k*(sqrt(q1) + sqrt(q2))*(1 - rho)/(2*sqrt(2*pi)) + k^2*(pi - acos(rho))/(2*pi)",
    source="cho2009kernel, orders zero and one, with the mixed term",
)

threshold_diagonal = Claim(
    "The diagonal of a threshold anywhere.",
    quantity="diagonal",
    activation="piecewise((x, x > h), (k, True))",
    params={"h": "real", "k": "real"},
    formula="q*Phi(-h/sqrt(q)) + h*sqrt(q)*phi(h/sqrt(q)) + k^2*Phi(h/sqrt(q))",
    source="moments of a truncated normal variable",
)
