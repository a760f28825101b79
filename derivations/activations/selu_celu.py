r"""
# SELU and CELU

Two rescaled ELUs.  SELU is $\lambda\,\mathrm{elu}_\alpha$ with constants for which mean zero and variance one are a fixed
point; CELU is $\alpha\,\mathrm{elu}_1(x/\alpha)$, which has a continuous derivative for every $\alpha$.

## The constants of SELU

At $u \sim N(0, 1)$ the mean of $\mathrm{elu}_\alpha$ is
$\tfrac{1}{\sqrt{2\pi}} + \alpha\bigl(e^{1/2}\Phi(-1) - \tfrac12\bigr)$.  It vanishes for
$$\alpha = \frac{\sqrt{2/\pi}}{1 - e^{1/2}\operatorname{erfc}(1/\sqrt2)} = 1.6732632\ldots,$$
and then $\lambda$ is the inverse root of the second moment,
$\tfrac12 + \alpha^2\bigl(e^2\Phi(-2) - 2e^{1/2}\Phi(-1) + \tfrac12\bigr)$.  Both are closed, and the long decimals in
every framework are roundings of them.

## Duals

They are those of ELU with the law rescaled: $E$ for CELU at $(q_{11}, q_{12}, q_{22})$ is $\alpha^2$ times the dual of ELU at the
covariance divided by $\alpha^2$; the derivative dual has no prefactor.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("celu", "selu", "scaled_elu")

NORMAL = "piecewise((x, x > 0), (sqrt(2/pi)/(1 - exp(1/2)*erfc(1/sqrt(2)))*(exp(x) - 1), True))"
ALPHA = {"alpha": "positive"}

selu_mean = Claim(
    "The constant alpha of SELU makes the mean vanish.",
    quantity="constant",
    activation=NORMAL,
    definition="E[s(z)]",
    formula="0",
    source="klambauer2017self, eq. 14",
)

selu_scale = Claim(
    "The constant lambda of SELU makes the variance one.",
    quantity="constant",
    activation=NORMAL,
    definition="1/sqrt(E[s(z)^2])",
    formula="(1 - erfc(1/sqrt(2))*sqrt(E))*sqrt(2*pi)"
    "/sqrt(2*erfc(sqrt(2))*E^2 + pi*erfc(1/sqrt(2))^2*E"
    " - 2*(2 + pi)*erfc(1/sqrt(2))*sqrt(E) + pi + 2)",
    source="klambauer2017self, eq. 14",
)

selu_decimal = Claim(
    "The scale as frameworks print it.",
    quantity="constant",
    activation=NORMAL,
    definition="1/sqrt(E[s(z)^2])",
    formula="1.0507009873554804934193349852946",
    source="klambauer2017self, code",
)

selu_variance = Claim(
    "Variance one is a fixed point of SELU, to the digits of its constants.",
    quantity="constant",
    activation="selu",
    definition="E[s(z)^2]",
    formula="1",
    tolerance="1e-28",
    source="klambauer2017self",
)

scaled_diagonal = Claim(
    "The variance map with both constants as symbols.",
    quantity="diagonal",
    activation="piecewise((scale*x, x > 0), (scale*alpha*(exp(x) - 1), True))",
    params={"alpha": "positive", "scale": "positive"},
    formula="scale^2*(q/2 + alpha^2*(exp(2*q)*Phi(-2*sqrt(q)) - 2*exp(q/2)*Phi(-sqrt(q)) + 1/2))",
    source="klambauer2017self, eq. 5 at mean zero",
)

celu_derivative = Claim(
    "The derivative dual of CELU.",
    quantity="derivative",
    activation="piecewise((x, x > 0), (alpha*(exp(x/alpha) - 1), True))",
    params=ALPHA,
    formula="(pi - acos(rho))/(2*pi)"
    " + exp(q1/(2*alpha^2))*Phi2(-sqrt(q1)/alpha, c/(alpha*sqrt(q2)), -rho)"
    " + exp(q2/(2*alpha^2))*Phi2(c/(alpha*sqrt(q1)), -sqrt(q2)/alpha, -rho)"
    " + exp((q1 + q2 + 2*c)/(2*alpha^2))"
    "*Phi2(-(q1 + c)/(alpha*sqrt(q1)), -(q2 + c)/(alpha*sqrt(q2)), rho)",
    source="tsuchida2021avoiding, rescaled",
)

celu_diagonal = Claim(
    "The diagonal of CELU.",
    quantity="diagonal",
    activation="piecewise((x, x > 0), (alpha*(exp(x/alpha) - 1), True))",
    params=ALPHA,
    formula="q/2 + alpha^2*(exp(2*q/alpha^2)*erfc(sqrt(2*q)/alpha)/2"
    " - exp(q/(2*alpha^2))*erfc(sqrt(q/2)/alpha) + 1/2)",
    source="barron2017continuously, second moment by completing the square",
)
