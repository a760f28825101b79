r"""
# Leaky ReLU and ABReLU

$\sigma(x) = a\min(x, 0) + b\max(x, 0)$: two slopes.  Leaky ReLU is $b = 1$, ReLU is $a = 0$, the absolute
value is $a = -1$, $b = 1$, the identity is $a = b = 1$.

## Dual

Write $\sigma(x) = \tfrac{a + b}{2}x + \tfrac{b - a}{2}|x|$.  The cross terms $E[u|v|]$ vanish by the symmetry
$(u, v) \to (-u, -v)$, so that the dual is a sum of two known ones:
$$E[\sigma(u)\sigma(v)] = \frac{(a + b)^2}{4}\,q_{12} + \frac{(a - b)^2}{4}\,E|u||v|,$$
and with the dual of the absolute value
$$= \frac{(a-b)^2}{2\pi}\sqrt{q_{11}q_{22} - q_{12}^2}
  + q_{12}\Bigl(\frac{a^2 + b^2}{2} - \frac{(a - b)^2}{2\pi}\,\theta\Bigr).$$

The derivative dual is the second bracket: as for every positively homogeneous function of degree one,
Euler's relation makes the dual $q_{12}\dot K$ plus a multiple of the square root of the determinant.

## Conventions

Papers on random features write $a\max(x, 0) + b\max(-x, 0)$, where the second slope has the other sign.
The gain of He et al. is the inverse root of the second moment at variance one.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("leaky_relu", "abrelu")

A = {"a": "real"}
AB = {"a": "real", "b": "real"}
ABRELU = "a*min(x, 0) + b*max(x, 0)"
LEAKY = "max(x, 0) + a*min(x, 0)"

abrelu = Claim(
    "Two slopes: the dual.",
    quantity="nngp",
    activation=ABRELU,
    params=AB,
    formula="(a - b)**2/(2*pi)*sqrt(q1*q2 - c**2)"
    " + c*((a**2 + b**2)/2 - (a - b)**2/(2*pi)*atan2(sqrt(q1*q2 - c**2), c))",
    source="novak2020neural, stax.ABRelu",
)

abrelu_derivative = Claim(
    "Two slopes: the derivative dual.",
    quantity="derivative",
    activation=ABRELU,
    params=AB,
    formula="(a**2 + b**2)/2 - (a - b)**2/(2*pi)*atan2(sqrt(q1*q2 - c**2), c)",
    source="novak2020neural, stax.ABRelu",
)

abrelu_diagonal = Claim(
    "Two slopes: the diagonal is the mean of their squares.",
    quantity="diagonal",
    activation=ABRELU,
    params=AB,
    latex=r"\frac{a^2 + b^2}{2}\, q",
    source="he2015delving",
)

leaky = Claim(
    "Leaky ReLU through the arc-cosine kernel.",
    quantity="nngp",
    activation=LEAKY,
    params=A,
    formula="sqrt(q1*q2)*((1 - a)**2/(2*pi)*(sqrt(1 - rho**2) + (pi - acos(rho))*rho) + a*rho)",
    source="tsuchida2018invariance, eq. 6",
)

leaky_tenth = Claim(
    "Slope one tenth, the derivative dual.",
    quantity="derivative",
    activation="leaky_relu(x, 1/10)",
    formula="101/200 - 81/(200*pi)*acos(rho)",
    source="novak2020neural, stax.LeakyRelu(0.1), written out",
)

gain = Claim(
    "The gain of a leaky rectifier.",
    quantity="constant",
    activation=LEAKY,
    params=A,
    definition="1/sqrt(E[s(z)^2])",
    formula="sqrt(2/(1 + a**2))",
    source="he2015delving",
)

mean = Claim(
    "The mean under a normal law that is not centred.",
    quantity="mean",
    activation=LEAKY,
    params=A,
    formula="a*m + (1 - a)*(m*Phi(m/sqrt(q)) + sqrt(q)*phi(m/sqrt(q)))",
    source="frey1999variational, with x = relu(x) - relu(-x)",
)

second_moment = Claim(
    "The second moment under a normal law that is not centred.",
    quantity="second_moment",
    activation=LEAKY,
    params=A,
    formula="a**2*(m**2 + q) + (1 - a**2)*((m**2 + q)*Phi(m/sqrt(q)) + m*sqrt(q)*phi(m/sqrt(q)))",
    source="frey1999variational, split at zero",
)

moments = Claim(
    "The coefficients of the random feature map, with the slope of the left side reversed.",
    quantity="constant",
    activation="a*max(x, 0) + b*max(-x, 0)",
    params={"a": "real", "b": "real", "tau": "positive"},
    definition={
        "d0": "E[s(sqrt(tau)*z)^2] - E[s(sqrt(tau)*z)]^2 - E[z*s(sqrt(tau)*z)]^2",
        "d1": "E[z*s(sqrt(tau)*z)]^2/tau",
        "d2": "(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4",
    },
    formula={
        "d0": "(pi - 2)/(4*pi)*(a + b)**2*tau",
        "d1": "(a - b)**2/4",
        "d2": "(a + b)**2/(8*pi*tau)",
    },
    source="liao2018spectrum, table 2",
)

pennington_worah = Claim(
    "A normalised, centred two-sided rectifier: variance one and the squared mean slope.",
    quantity="constant",
    activation="(max(x, 0) + a*max(-x, 0) - (1 + a)/sqrt(2*pi))/sqrt((1 + a**2)/2 - (1 + a)**2/(2*pi))",
    params=A,
    definition={"eta": "E[s(z)^2]", "zeta": "E[z*s(z)]^2"},
    formula={"eta": "1", "zeta": "(1 - a)**2/(2*(1 + a**2) - 2/pi*(1 + a)**2)"},
    source="pennington2017nonlinear",
)

fixed_point = Claim(
    "The length at which a signal settles below the critical weight variance.",
    quantity="fixed_point",
    activation=LEAKY,
    params=A,
    where="weight_var*(1 + a**2) < 2, bias_var > 0",
    formula="2*bias_var/(2 - weight_var*(1 + a**2))",
    source="poole2016exponential, for a leaky rectifier",
)

edge = Claim(
    "The edge of chaos of a leaky rectifier is one point for every slope.",
    quantity="edge_of_chaos",
    activation=LEAKY,
    params=A,
    formula={"weight_var": "2/(1 + a**2)", "bias_var": "0"},
    source="hayou2019impact",
)
