r"""
# Gains

The constant that keeps a signal alive from layer to layer: $1/\sqrt{E\,\sigma(z)^2}$ for weights of variance
$1/n$, where $z$ is standard normal.

## Derivation

With $q = 1$ before the layer and weight variance $g^2$, the next variance is $g^2E\,\sigma(z)^2$, and it is one
again for $g = 1/\sqrt{E\,\sigma(z)^2}$.  For ReLU half of the second moment passes, $g = \sqrt2$: the initialisation of
He et al.  Where the mean is subtracted as well (normaliser-free networks, kernel shaping) the constant is
$1/\sqrt{\operatorname{Var}\sigma(z)}$.

Random-feature theory names the parts of the second moment: $\mu_0 = E\sigma$, $\mu_1 = E z\sigma$, and
$\mu_\star^2 = E\sigma^2 - \mu_0^2 - \mu_1^2$, the energy beyond the linear part.

## Decimals

Frameworks ship such numbers as decimals.  Some are roundings of closed forms, some are averages over samples and are wrong in the fourth digit,
one is a double written out with more digits than it has.  A decimal of six or more digits is judged to its last printed place.
"""

from __future__ import annotations

from ntksym.claims import Claim

GAIN = "1/sqrt(E[s(z)^2])"
NORMALISER = "1/sqrt(E[s(z)^2] - E[s(z)]^2)"

relu = Claim(
    "The gain of ReLU.",
    quantity="constant",
    activation="relu",
    definition=GAIN,
    formula="sqrt(2)",
    source="he2015delving",
)

selu_like = Claim(
    "The gain of the error function.",
    quantity="constant",
    activation="erf",
    definition=GAIN,
    formula="sqrt(pi/(2*asin(2/3)))",
    source="williams1997computing, at unit variance",
)

sine = Claim(
    "The gain of the sine.",
    quantity="constant",
    activation="sin",
    definition=GAIN,
    latex=r"\sqrt{\frac{2}{1 - e^{-2}}}",
    source="characteristic function of the normal law",
)

relu_normaliser = Claim(
    "The normaliser of the centred ReLU.",
    quantity="constant",
    activation="relu",
    definition=NORMALISER,
    latex=r"\sqrt{\frac{2}{1 - 1/\pi}}",
    source="brock2021high, in closed form",
)

relu_sampled = Claim(
    "The normaliser of ReLU as shipped.",
    quantity="constant",
    activation="relu",
    definition=NORMALISER,
    formula="1.7139588594436646",
    source="brock2021high, code",
    erratum="An average over samples, 0.064 per cent off; the value has a closed form.",
    corrected="sqrt(2/(1 - 1/pi))",
)

gelu_sampled = Claim(
    "The normaliser of GELU as shipped.",
    quantity="constant",
    activation="gelu",
    definition=NORMALISER,
    formula="1.7015043497085571",
    source="brock2021high, code",
    erratum="An average over samples, wrong from the fourth digit on.",
    corrected="1/sqrt(1/3 + 1/(2*sqrt(3)*pi) - 1/(4*pi))",
)

leaky_sampled = Claim(
    "The normaliser of leaky ReLU with slope 0.01 as shipped.",
    quantity="constant",
    activation="max(x, 0) + min(x, 0)/100",
    definition=NORMALISER,
    formula="1.70590341091156",
    source="brock2021high, code",
    erratum="An average over samples, 0.063 per cent off.",
    corrected="1/sqrt((1 + 1/10000)/2 - (99/100)**2/(2*pi))",
)

maximal_slope = Claim(
    "The largest slope of the normalised, centred correlation map of ReLU at one.",
    quantity="constant",
    activation="relu",
    definition="E[ds(z)^2]/(E[s(z)^2] - E[s(z)]^2)",
    formula="pi/(pi - 1)",
    source="martens2021rapid",
)

maximal_slope_decimal = Claim(
    "The same constant in the accompanying code.",
    quantity="constant",
    activation="relu",
    definition="E[ds(z)^2]/(E[s(z)^2] - E[s(z)]^2)",
    formula="1.466942206924260361",
    source="code of martens2021rapid",
    erratum="A double printed with nineteen digits, of which sixteen are right.",
    corrected="pi/(pi - 1)",
)

mei_montanari = Claim(
    "The constants of the random features model for ReLU.",
    quantity="constant",
    activation="relu",
    definition={
        "mu0sq": "E[s(z)]^2",
        "mu1sq": "E[z*s(z)]^2",
        "mustarsq": "E[s(z)^2] - E[s(z)]^2 - E[z*s(z)]^2",
    },
    formula={"mu0sq": "1/(2*pi)", "mu1sq": "1/4", "mustarsq": "1/4 - 1/(2*pi)"},
    source="mei2022generalization",
)

convolution = Claim(
    "The prefactor of a convolutional tangent kernel with three by three patches.",
    quantity="constant",
    activation="relu",
    definition={"check": "2*E[s(z)^2]/9", "nine_pi": "9*pi"},
    formula={"check": "1/9", "nine_pi": "28.274333882308138"},
    source="code of arora2019exact",
)

orthogonal_gain = Claim(
    "The gain that keeps the slope at one: dynamical isometry of the error function at unit variance.",
    quantity="constant",
    activation="erf",
    definition="1/sqrt(E[ds(z)^2])",
    formula="sqrt(pi*sqrt(5))/2",
    source="schoenholz2017deep, for the error function",
)
