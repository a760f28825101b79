r"""Exponents that have their limits at $\rho = \pm 1$: those of joint densities."""

from __future__ import annotations

from sympy import (
    Add,
    Expr,
    Integer,
    Max,
    Mul,
    cosh,
    exp,
    expand,
    expand_mul,
    sign,
    sinh,
    sqf_list,
    sqrt,
)

from ..symbols import q11, q12, q22
from .polynomial import FAR, NEAR, spread_form


def edge_form(e: Expr) -> Expr:
    r"""The expression for `Builder`, with exponents that have their limits at $\rho = \pm 1$.

    A joint density has $-N/(2\det)$, N a linear form that vanishes with det:
    $N = (\sqrt\alpha r_1 - \sqrt\gamma r_2)^2 + \beta\,$`NEAR`, and `NEAR`/det = 1/`FAR`.
    """
    if not e.has(exp):
        return e
    steep = [w for w in e.atoms(sinh, cosh) if _over_det(w.args[0]) is not None]
    if steep:  # exp(a/det)*cosh(b/det): the exponents have limits only together
        table = {w: w.rewrite(exp) for w in steep}
        flat = Add(*(expand_mul(t, deep=False) for t in Add.make_args(e.xreplace(table))))
        e = Add(*map(_joined, Add.make_args(flat)))
    return e.replace(lambda w: isinstance(w, exp), lambda w: exp(_split(w.args[0])))


def _joined(term: Expr) -> Expr:
    """The term with one exponential."""
    factors = Mul.make_args(term)
    exponents = [f.args[0] for f in factors if isinstance(f, exp)]
    return Mul(exp(Add(*exponents)), *(f for f in factors if not isinstance(f, exp)))


def _over_det(e: Expr) -> Expr | None:
    """N of e = N/det, a linear form; or None."""
    inverse = 1 / (q11 * q22 - q12**2)
    terms = Add.make_args(e)
    if not all(inverse in Mul.make_args(t) for t in terms):
        return None
    return expand(Add(*(t / inverse for t in terms)))


def _split(e: Expr) -> Expr:
    found = _over_det(e)
    if found is None:
        return e
    content: Expr = Integer(1)
    form = spread_form(found)
    if form is None:  # a threshold squared in front of every term
        content = found.coeff(q11)
        plain = q11 + q22
        for turn in (2 * q12, -2 * q12):
            if expand(found - content * (plain + turn)) == 0:
                form = spread_form(plain + turn)
    if form is None:
        return _meeting(found) or e
    form = expand_mul(form, deep=False)
    parts: list[Expr] = []
    for term in Add.make_args(form):
        for gap, other in ((NEAR, FAR), (FAR, NEAR)):
            if term.has(gap):
                parts.append(content * term.xreplace({gap: Integer(1)}) / other)
                break
        else:
            parts.append(content * term / (q11 * q22 - q12**2))
    return Add(*parts)


def _meeting(n: Expr) -> Expr | None:
    r"""N/det with its limits where two thresholds with parameters meet; None for other forms.

    $N = h^2q_{22} - 2hkq_{12} + k^2q_{11}$ is
    $(hr_2 - \sigma kr_1)^2 + 2\sigma hk(r_1r_2 - |q_{12}|)$, $\sigma = \pm 1$ the sign of
    $q_{12}$, times a number, and $\det = (r_1r_2 - |q_{12}|)(r_1r_2 + |q_{12}|)$.  Whether
    $h = \sigma k$ is not known before the parameters are.
    """
    at = {s: n.coeff(s) for s in (q11, q12, q22)}
    if expand(n - Add(*(c * s for s, c in at.items()))) != 0:
        return None
    for number in (Integer(1), Integer(-1)):
        lead = number / at[q11].as_coeff_Mul()[0].as_numer_denom()[1]
        h, k = _square_root(expand(at[q22] / lead)), _square_root(expand(at[q11] / lead))
        if h is None or k is None:
            continue
        for side in (k, -k):
            if expand(at[q12] + 2 * lead * h * side) == 0:
                turn = sign(2 * sign(q12) + 1)
                apart = h * sqrt(q22) - turn * side * sqrt(q11)
                length = Max(NEAR, FAR)
                return lead * (
                    apart**2 / (q11 * q22 - q12**2) + 2 * turn * expand(h * side) / length
                )
    return None


def _square_root(e: Expr) -> Expr | None:
    """A polynomial in parameters whose square it is; None where there is none."""
    number, factors = sqf_list(e)
    if any(n % 2 for _, n in factors) or not number.is_nonnegative:
        return None
    return Mul(sqrt(number), *(f ** (n // 2) for f, n in factors))
