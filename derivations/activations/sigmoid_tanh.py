r"""
# Sigmoid, tanh and other functions without a closed form

The logistic family has poles off the real line, and no closed form is known for its means or its duals.

## What is printed instead

*Probit matching.*  The sigmoid is close to $\Phi(\sqrt{\pi/8}\,x)$, which has the same slope at zero, and the mean of that
is known; inserting the sigmoid again gives MacKay's $1/(1 + e^{-m/\sqrt{1 + \pi q/8}})$.  Wang and Manning's formula for the
mean of $\tanh$ is the same idea.  Both are approximations, good to a few per cent, and they are errata here only because code and papers
quote them with an equality sign.

*Error function instead of tanh.*  With the slope matched, $\tanh x \approx \operatorname{erf}(\sqrt\pi x/2)$, and Williams' arc sine
follows.

*Sampled constants.*  Gains and normalisers of these activations are published as decimals; how good they are is
a question with an answer, because the definition can be enclosed to any number of digits.

## What is exact

Symmetry: $\sigma(x) = \tfrac12(1 + \tanh\tfrac x2)$ has mean one half under every centred law, and
$\operatorname{softplus}(x) - \operatorname{softplus}(-x) = x$, so softplus and the logarithm of the sigmoid have the same variance, and
$E[u\,\operatorname{softplus}(v)] = q_{12}/2$ by Stein's lemma.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("sigmoid", "tanh", "softplus", "silu", "logsigmoid")

mackay = Claim(
    "The mean of a sigmoid by probit matching.",
    quantity="mean",
    activation="1/(1 + exp(-x))",
    formula="1/(1 + exp(-m/sqrt(1 + pi*q/8)))",
    source="mackay1992evidence",
    erratum="An approximation, exact only for m = 0 and in the limit of small variance; no closed form is known.",
)

wang_manning = Claim(
    "The mean of tanh by slope matching.",
    quantity="mean",
    activation="tanh",
    formula="tanh(m/sqrt(1 + pi*q/2))",
    source="wang2013fast",
    erratum="An approximation of a few per cent; no closed form is known.",
)

tanh_as_erf = Claim(
    "The kernel of the error function with tanh's slope at zero.",
    quantity="nngp",
    activation="tanh",
    formula="2/pi*asin(pi/2*c/sqrt((1 + pi/2*q1)*(1 + pi/2*q2)))",
    source="issue 15 of google/neural-tangents, with the slopes matched",
    erratum="The arc sine is exact for erf(sqrt(pi) x/2), which is another function than tanh.",
)

tanh_surrogate = Claim(
    "The same formula for the function that it belongs to.",
    quantity="nngp",
    activation="erf(sqrt(pi)*x/2)",
    formula="2/pi*asin(pi/2*c/sqrt((1 + pi/2*q1)*(1 + pi/2*q2)))",
    source="williams1997computing, rescaled",
)

sigmoid_mean = Claim(
    "By symmetry, one half for every centred law.",
    quantity="mean",
    activation="sigmoid",
    where="m = 0",
    formula="1/2",
    source="symmetry of the logistic function",
)

softplus_bussgang = Claim(
    "A normal variable against softplus.",
    quantity="cross",
    f="x",
    g="softplus",
    formula="q12/2",
    source="bussgang1952crosscorrelation, with a mean slope of one half",
)

tanh_gain = Claim(
    "The gain of tanh that frameworks use.",
    quantity="constant",
    activation="tanh",
    definition="1/sqrt(E[s(z)^2])",
    formula="5/3",
    source="torch.nn.init.calculate_gain('tanh')",
    erratum="Five thirds comes from a rescaled tanh of the nineties.  The gain that keeps the second moment at one is"
    " smaller by 4.7 per cent.",
    corrected="1.5925374197228312",
)

silu_gamma = Claim(
    "The normaliser of SiLU, sampled.",
    quantity="constant",
    activation="silu",
    definition="1/sqrt(E[s(z)^2] - E[s(z)]^2)",
    formula="1.7881293296813965",
    tolerance="1e-3",
    source="brock2021high, code",
)

softplus_gamma = Claim(
    "The normaliser of softplus, sampled.",
    quantity="constant",
    activation="softplus",
    definition="1/sqrt(E[s(z)^2] - E[s(z)]^2)",
    formula="1.9203323125839233",
    tolerance="2e-3",
    source="brock2021high, code",
)

sigmoid_gamma = Claim(
    "The normaliser of the sigmoid, sampled.",
    quantity="constant",
    activation="sigmoid",
    definition="1/sqrt(E[s(z)^2] - E[s(z)]^2)",
    formula="4.803835391998291",
    tolerance="2e-3",
    source="brock2021high, code",
)

log_sigmoid_gamma = Claim(
    "The normaliser of the logarithm of the sigmoid, sampled; the exact one is that of softplus.",
    quantity="constant",
    activation="logsigmoid",
    definition="1/sqrt(E[s(z)^2] - E[s(z)]^2)",
    formula="1.9193484783172607",
    tolerance="2e-3",
    source="brock2021high, code",
)
