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

from ntksym.functions import Phi, Phi2
from ntksym.symbols import x
from ntksym.verify.ball import Ball
from ntksym.verify.balls import enclose_definition, enclose_expr
from ntksym.verify.points import rational_points


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
