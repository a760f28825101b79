r"""
# Orthant probabilities

For standard normal $X, Y$ with correlation $r$ (Sheppard 1899)

$$P(X \le 0, Y \le 0) = \frac14 + \frac{\arcsin r}{2\pi},$$

and for three centred variables

$$P(X \le 0, Y \le 0, Z \le 0) = \frac18 + \frac{\arcsin r_{12} + \arcsin r_{13} + \arcsin r_{23}}{4\pi}.$$

## Proof

Two variables: by Price's theorem the derivative in $r$ is the joint density at the origin,
$1/(2\pi\sqrt{1 - r^2})$, and the value at $r = 0$ is $1/4$.  Three variables: with
$p_i = P(X_i \le 0) = \tfrac12$, $p_{ij}$ as above, inclusion and exclusion of the complements and
the symmetry $X \to -X$ give $2 p_{123} = 1 - \sum p_i + \sum p_{ij}$.

Four and more have no such formula (Schläfli's functions); a derivation that meets them says so.

## Gates

$\Phi(a u + b) = P(Z - a u \le b)$ with $Z$ an independent standard normal: a Phi gate is a
half-space of a larger Gaussian vector, as a step is.  So

$$E[\Phi(u)\Phi(v)] = \frac14 + \frac1{2\pi}\arcsin\frac{q_{12}}{\sqrt{(1 + q_{11})(1 + q_{22})}}.$$

## Reflection

$\Phi(-h) = 1 - \Phi(h)$ and $\Phi_2(h, k; r) = \Phi(k) - \Phi_2(-h, k; -r)$ turn every argument to
one side: the canonical form of `ntksym.gaussian.closed`.
"""

from collections.abc import Iterator

from sympy import Heaviside, Integer, Rational, asin, pi, sqrt

from ntksym.claims import Claim
from ntksym.functions import Phi, Phi2
from ntksym.symbols import x
from ntksym.verify.ball import Ball
from ntksym.verify.balls import enclose_definition, enclose_expr
from ntksym.verify.points import rational_points

STANDARD = {"r": "real"}

two = Claim(
    "Two half-spaces.",
    quantity="identity",
    definition="E[heaviside(z1)*heaviside(z2)]",
    covariance=(("z1", ("1", "r")), ("z2", ("r", "1"))),
    params=STANDARD,
    latex=r"\frac{1}{4} + \frac{\arcsin r}{2\pi}",
    source="sheppard1899application",
)

three = Claim(
    "Three half-spaces: a step and two probit gates of one variable.",
    quantity="identity",
    definition="E[heaviside(z)*Phi(a*z)*Phi(b*z)]",
    params={"a": "real", "b": "real"},
    formula="1/8 + (asin(a/sqrt(1 + a^2)) + asin(b/sqrt(1 + b^2))"
    " + asin(a*b/sqrt((1 + a^2)*(1 + b^2))))/(4*pi)",
    source="plackett1954reduction, with the three correlations of the gates",
)

gates = Claim(
    "Two probit gates are a quadrant of noisy variables.",
    quantity="identity",
    definition="E[Phi(a + b*z)]",
    params={"a": "real", "b": "real"},
    formula="Phi(a/sqrt(1 + b^2))",
    source="owen1980table, 10,010.8",
)

reflection = Claim(
    "The bivariate normal distribution function, reflected.",
    quantity="identity",
    definition="Phi2(-h, k, -r)",
    params={"h": "real", "k": "real", "r": "real"},
    where="r < 1, r > -1",
    formula="Phi(k) - Phi2(h, k, r)",
    source="owen1956tables",
)

at_origin = Claim(
    "The bivariate normal distribution function at the origin.",
    quantity="identity",
    definition="Phi2(0, 0, r)",
    params={"r": "real"},
    where="r < 1, r > -1",
    formula="1/2 - acos(r)/(2*pi)",
    source="sheppard1899application",
)

owen_equal = Claim(
    "Equal limits: Owen's function.",
    quantity="identity",
    definition="Phi2(h, h, r)",
    params={"h": "real", "r": "real"},
    where="r < 1, r > -1",
    formula="Phi(h) - 2*OwenT(h, sqrt((1 - r)/(1 + r)))",
    source="owen1956tables",
)

owen_one = Claim(
    "Owen's function at a = 1.",
    quantity="identity",
    definition="OwenT(h, 1)",
    params={"h": "real"},
    formula="Phi(h)*Phi(-h)/2",
    source="owen1956tables",
)

owen_zero = Claim(
    "Owen's function at h = 0 is an angle.",
    quantity="identity",
    definition="OwenT(0, a)",
    params={"a": "real"},
    latex=r"\frac{\arctan a}{2\pi}",
    source="owen1956tables",
)

owen_zero_limit = Claim(
    "One limit at zero.",
    quantity="identity",
    definition="Phi2(h, 0, r)",
    params={"h": "positive", "r": "real"},
    where="r < 1, r > -1",
    formula="Phi(h)/2 - OwenT(h, -r/sqrt(1 - r^2))",
    source="owen1956tables",
)


def checks() -> Iterator[tuple[str, Ball, Ball]]:
    """Steps, Phi gates, three gates on the diagonal, and the reflection."""
    for a, c, b in rational_points()[:5]:
        yield (
            f"Sheppard at ({a}, {c}, {b})",
            enclose_definition(Heaviside(x), a, c, b),
            enclose_expr(Rational(1, 4) + asin(c / sqrt(a * b)) / (2 * pi), {}),
        )
        yield (
            f"Phi gates at ({a}, {c}, {b})",
            enclose_definition(Phi(x), a, c, b),
            enclose_expr(Rational(1, 4) + asin(c / sqrt((1 + a) * (1 + b))) / (2 * pi), {}),
        )
    one = Integer(1)
    r12, r13 = 1 / sqrt(Integer(2)), Rational(1, 2)  # H(u), Phi(u), Phi(u) with q = 1
    yield (
        "three half-spaces: E[H(u) Phi(u)^2]",
        enclose_definition(Heaviside(x) * Phi(x), one, one, one, other=Phi(x)),
        enclose_expr(Rational(1, 8) + (2 * asin(r12) + asin(r13)) / (4 * pi), {}),
    )
    h, k, r = Rational(3, 10), Rational(-7, 5), Rational(2, 3)
    yield (
        "reflection",
        enclose_expr(Phi2(h, k, r), {}),
        enclose_expr(Phi(k) - Phi2(-h, k, -r), {}),
    )
