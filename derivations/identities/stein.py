r"""
# Stein's lemma

For a Gaussian vector $w$ with means $m$ and covariance $C$, and $f$ of at most exponential growth,

$$E[w_j f(w)] = m_j E[f(w)] + \sum_k C_{jk}\, E[\partial_k f(w)],$$

with derivatives in the sense of distributions.  (Stein 1981, Lemma 1, for one variable.)

## Proof

$(w - m)_j\, p(w) = -\sum_k C_{jk}\, \partial_k p(w)$ for the density $p$ when $C$ is invertible;
integrate by parts.  For singular $C$ take the limit $C + \epsilon I$.

## Use

It removes the powers in $E[u^m v^n \prod 1\{A_i \le b_i\}]$, where $A$ is part of the same Gaussian
vector: $\partial 1\{A \le b\}/\partial A = -\delta(A - b)$, and
$E[\delta(A - b) g] = p_A(b)\,E[g \mid A = b]$, which drops that gate and lowers the dimension
(`ntksym.gaussian.expect`).
"""

from collections.abc import Iterator

from sympy import Abs, Max, exp, sin

from ntksym.claims import Claim
from ntksym.functions import Phi
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.ball import Ball
from ntksym.verify.balls import enclose_definition
from ntksym.verify.points import rational_points

PAIRS = ((Max(x, 0), Phi(x)), (sin(x), Abs(x)), (exp(-(x**2)), Max(x - 1, 0)))


THREE = (
    ("z1", ("C11", "C12", "C13")),
    ("z2", ("C12", "C22", "C23")),
    ("z3", ("C13", "C23", "C33")),
)

exponential = Claim(
    "One power against an exponential.",
    quantity="identity",
    definition="E[z1*exp(z2)]",
    covariance=(("z1", ("C11", "C12")), ("z2", ("C12", "C22"))),
    formula="C12*exp(C22/2)",
    source="stein1981estimation",
)

two_powers = Claim(
    "Two powers against an exponential.",
    quantity="identity",
    definition="E[z1*z2*exp(z3)]",
    covariance=THREE,
    formula="(C12 + C13*C23)*exp(C33/2)",
    source="stein1981estimation, twice",
)

isserlis = Claim(
    "Two powers, one of them twice.",
    quantity="identity",
    definition="E[z1*z2*z3^2]",
    covariance=THREE,
    formula="C12*C33 + 2*C13*C23",
    source="isserlis1918formula",
)

rectifier = Claim(
    "The third integral of the soft committee machine with rectifiers.",
    quantity="identity",
    activation="relu",
    definition="E[ds(z1)*z2*s(z3)]",
    covariance=THREE,
    formula="C12*sqrt(C11*C33 - C13**2)/(2*pi*C11) + C23/(2*pi)*asin(C13/sqrt(C11*C33)) + C23/4",
    source="straat2019online, I_3",
)


def checks() -> Iterator[tuple[str, Ball, Ball]]:
    """E[u f(u) g(v)] against q11 E[f'g] + q12 E[f g'], enclosed."""
    for f, g in PAIRS:
        for a, c, b in rational_points()[:3]:
            left = enclose_definition(x * f, a, c, b, other=g)
            first = enclose_definition(f.diff(x), a, c, b, other=g)
            second = enclose_definition(f, a, c, b, other=g.diff(x))
            with precision(160):
                right = Ball.from_arb(
                    first.to_arb() * int(a.p) / int(a.q) + second.to_arb() * int(c.p) / int(c.q)
                )
            yield f"{f}, {g} at ({a}, {c}, {b})", left, right
