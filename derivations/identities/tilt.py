r"""
# The tilt

Let $w \sim N(m, Q)$, $T$ a diagonal matrix and $s$ a complex vector, with $I + QT$ having positive
eigenvalues.  Then for every $f$ for which either side exists

$$E\big[e^{s^T w - w^T T w/2} f(w)\big] = c\; E'[f(w)], \qquad w \sim N(m', Q') \text{ under } E',$$

with $Q' = (I + QT)^{-1}Q$, $m' = (I + QT)^{-1}(m + Qs)$ and

$$c = \det(I + QT)^{-1/2} \exp\big(-\tfrac12 m^T T (I + QT)^{-1} m + s^T (I + QT)^{-1} m
      + \tfrac12 s^T Q' s\big).$$

## Proof

For invertible $Q$ complete the square:
$s^Tw - \tfrac12 w^T T w - \tfrac12 (w-m)^T Q^{-1} (w-m)
 = -\tfrac12 (w - m')^T (Q^{-1} + T)(w - m') + \text{const}$, with
$Q' = (Q^{-1} + T)^{-1} = (I + QT)^{-1} Q$ and $m' = Q'(Q^{-1} m + s)$; the constant follows, and
the ratio of the normalisations is $\det(I + QT)^{-1/2}$.  $Q^{-1} + T$ is positive definite exactly
when $I + QT$ has positive eigenvalues (it is similar to $I + Q^{1/2} T Q^{1/2}$).  Both sides are
continuous in $Q$, so the formula holds for singular $Q$: the diagonal $u = v$ needs no other one.
For complex $s$ both sides are entire in $s$; $N(m', Q')$ with complex $m'$ stands for the analytic
continuation in $m'$ of the expectation of the gates and powers that are left.

## Use

Exponentials, Gaussians, sines and cosines (complex $s$) disappear from a product before its
powers and gates are treated.  The condition on $I + QT$ is the condition of validity that is
returned with a dual.
"""

from collections.abc import Iterator

from sympy import Max, Rational, cos, exp, sqrt

from ntksym.claims import Claim
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.ball import Ball
from ntksym.verify.balls import enclose_definition, enclose_expr
from ntksym.verify.points import rational_points

one_variable = Claim(
    "One variable: a Gaussian times an exponential.",
    quantity="identity",
    definition="E[exp(a*z - t*z^2/2)]",
    params={"a": "real", "t": "positive"},
    latex=r"\frac{1}{\sqrt{1 + t}}\exp\left(\frac{a^2}{2(1 + t)}\right)",
    source="completing the square",
)

shift = Claim(
    "An exponential shifts the mean.",
    quantity="identity",
    definition="E[exp(a*z)*Phi(z)]",
    params={"a": "real"},
    formula="exp(a^2/2)*Phi(a/sqrt(2))",
    source="Cameron and Martin 1944; Girsanov 1960",
)

gate = Claim(
    "A Gaussian shrinks the variance under a gate.",
    quantity="identity",
    definition="E[exp(-t*z^2/2)*Phi(k + z)]",
    params={"k": "real", "t": "positive"},
    formula="Phi(k*sqrt((1 + t)/(2 + t)))/sqrt(1 + t)",
    source="owen1980table, 10,010.8 under a tilted law",
)


def times(a: Ball, b: Ball) -> Ball:
    """The product, enclosed."""
    with precision(160):
        return Ball.from_arb(a.to_arb() * b.to_arb())


def checks() -> Iterator[tuple[str, Ball, Ball]]:
    """A Gaussian factor and an exponential, against the law they are absorbed into."""
    for a, c, b in rational_points()[:3]:
        t = Rational(1, 2)
        det = a * b - c * c
        jac = (1 + a * t) * (1 + b * t) - c * c * t * t
        left = enclose_definition(Max(x, 0) * exp(-t * x**2 / 2), a, c, b)
        moved = enclose_definition(Max(x, 0), (a + t * det) / jac, c / jac, (b + t * det) / jac)
        scale = enclose_expr(1 / sqrt(jac), {})
        yield f"tilt at ({a}, {c}, {b})", left, times(moved, scale)
        left = enclose_definition(exp(x / 2), a, c, b, other=Max(x, 0))
        moved = enclose_definition(1 + 0 * x, a, c, b, other=Max(x, 0), means=(0, c / 2))
        scale = enclose_expr(exp(a / 8), {})
        yield f"shift at ({a}, {c}, {b})", left, times(moved, scale)
        wave = enclose_definition(cos(x), a, c, b)
        yield (
            f"imaginary shift at ({a}, {c}, {b})",
            wave,
            enclose_expr((exp(-(a + b) / 2 - c) + exp(-(a + b) / 2 + c)) / 2, {}),
        )
