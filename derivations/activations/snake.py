r"""
# Snake

$\sigma(x) = x + \tfrac1a\sin^2(ax) = x + \tfrac{1}{2a}(1 - \cos 2ax)$: a line with a ripple on it.

## Dual

The line is odd, the ripple even, so they do not mix, and the dual is a sum:
$$q_{12} + \frac{1}{4a^2}\Bigl(1 - e^{-2a^2q_{11}} - e^{-2a^2q_{22}}
  + e^{-2a^2(q_{11} + q_{22})}\cosh 4a^2q_{12}\Bigr).$$
The derivative is $1 + \sin 2ax$, and the derivative dual has one hyperbolic sine.

## Scaling

The variance at unit input is not monotone in $a$: it grows from one, has a maximum near $a = 0.56$ and
falls back.  The authors pick initial gains from it; the constants below are
their stationarity condition and the standard deviation at the maximum.

## Conventions

The parameter $a$ is positive and often learned per channel.  For $a \to 0$ the ripple becomes $ax^2$ and the
function tends to the identity; for $a \to \infty$ it tends to the identity too, because the ripple's height is $1/a$.
Some code adds $10^{-9}$ to $a$ in the denominator, which is not part of the formula.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("snake",)

A = {"a": "positive"}
SNAKE = "x + sin(a*x)**2/a"

dual = Claim(
    "The dual.",
    quantity="nngp",
    activation=SNAKE,
    params=A,
    formula="c + (1 - exp(-2*a^2*q1) - exp(-2*a^2*q2) + exp(-2*a^2*(q1 + q2))*cosh(4*a^2*c))/(4*a^2)",
    source="louart2018random, line and cosine",
)

derivative = Claim(
    "The derivative dual.",
    quantity="derivative",
    activation=SNAKE,
    params=A,
    formula="1 + exp(-2*a^2*(q1 + q2))*sinh(4*a^2*c)",
    source="price1958useful",
)

second_moment = Claim(
    "The second moment at unit variance.",
    quantity="constant",
    activation=SNAKE,
    params=A,
    definition="E[s(z)^2]",
    formula="1 + (3 + exp(-8*a**2) - 4*exp(-2*a**2))/(8*a**2)",
    source="ziyin2020neural, section 5",
)

mean = Claim(
    "The mean under a normal law with a mean.",
    quantity="mean",
    activation=SNAKE,
    params=A,
    formula="m + (1 - exp(-2*a^2*q)*cos(2*a*m))/(2*a)",
    source="characteristic function of the normal law",
)

largest_std = Claim(
    "Stationarity of the variance and the standard deviation at its maximum.",
    quantity="constant",
    activation="x + sin(0.5604532115*x)^2/0.5604532115",
    f="x*sin(2*0.5604532115*x)/0.5604532115 - sin(0.5604532115*x)^2/0.5604532115^2",
    definition={
        "grad": "1 + 2*E[s(z)*f(z)] - 2*E[s(z)]*E[f(z)]",
        "std": "sqrt(E[s(z)^2] - E[s(z)]^2)",
    },
    formula={"grad": "1", "std": "1.0971017221"},
    tolerance="1e-9",
    source="public code of a fused snake kernel",
)
