r"""
# Price's theorem

For a Gaussian pair $(u, v)$ with covariance $[[q_{11}, q_{12}], [q_{12}, q_{22}]]$ and functions
$f, g$ of at most exponential growth,

$$\frac{\partial}{\partial q_{12}} E[f(u)\,g(v)] = E[f'(u)\,g'(v)],$$

with derivatives in the sense of distributions: a jump of height $J$ at $a$ contributes
$J\,\delta_a$.  (Price 1958; Plackett 1954 for indicators.)

## Proof

Let $p$ be the density.  Its characteristic function is
$\exp(-\tfrac12(q_{11}s^2 + 2q_{12}st + q_{22}t^2))$, so
$\partial p/\partial q_{12} = \partial^2 p/\partial u\,\partial v$.  Differentiate under the
integral (the density and its derivatives decay faster than $f g$ grows) and integrate by parts
once in $u$ and once in $v$.

## Use

The derivative dual of an activation is the derivative of its dual in $q_{12}$: two routes to one
result, compared for every derivation.  And a candidate for $E[f(u)g(v)]$ is right when its
derivative in $q_{12}$ is $E[f'g']$ and its value at $q_{12} = 0$ is $E[f]\,E[g]$: the proof in
`ntksym.verify.price`.
"""

from collections.abc import Iterator

from sympy import Expr, Heaviside, Max, asin, exp, pi, sqrt

from ntksym.functions import Phi
from ntksym.symbols import q11, q12, q22, x
from ntksym.verify.ball import Ball
from ntksym.verify.balls import enclose_definition, enclose_expr
from ntksym.verify.points import rational_points

r = q12 / sqrt(q11 * q22)
DUALS: tuple[tuple[Expr, Expr], ...] = (
    (Heaviside(x), asin(r) / (2 * pi)),
    (Max(x, 0), (sqrt(q11 * q22 - q12**2) + q12 * asin(r)) / (2 * pi) + q12 / 4),
    (Phi(x), asin(q12 / sqrt((1 + q11) * (1 + q22))) / (2 * pi)),
    (exp(x), exp((q11 + 2 * q12 + q22) / 2)),
)
"""(f, E[f(u)f(v)] up to a constant): the derivative in q12 is the dual of f'."""


def checks() -> Iterator[tuple[str, Ball, Ball]]:
    """Both sides, enclosed: they must overlap."""
    for f, dual in DUALS:
        for a, c, b in rational_points()[:4]:
            left = enclose_expr(dual.diff(q12), {q11: a, q12: c, q22: b})
            right = enclose_definition(f, a, c, b, derivative=True, jumps="distributional")
            yield f"{f} at ({a}, {c}, {b})", left, right
