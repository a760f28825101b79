r"""What unlike norms make of parallel inputs where s is nearly homogeneous, without cancellation.

With $s_i = s(r_iz)$, $r_1 \le r_2$, and $\kappa = (r_2/r_1)^n$ the Gram determinant of $s_1, s_2$
is that of $s_1, e$ with $e = s_2 - \kappa s_1$.  For $h(x) = x s'(x) - n s(x)$, which is 0 where s
is homogeneous of degree n,
$$e = r_2^n\int_{r_1}^{r_2} \frac{h(rz)}{r^{n+1}}\,dr, \qquad
\frac{k(r_2)}{r_2^{2n}} - \frac{k(r_1)}{r_1^{2n}}
  = 2\int_{r_1}^{r_2} \frac{E[s(rz)h(rz)]}{r^{2n+1}}\,dr, \qquad k(r) = E[s(rz)^2],$$
and with D the second difference times $r_2^{2n}$, $E[s_1e] = (D - E[e^2])/2\kappa$.  So the
determinant of parallel inputs is $k_1E[e^2] - E[s_1e]^2$, both terms as small as h; what is lost
there is the square of the correlation of s(rz) and h(rz), which is measured here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sympy import Dummy, Expr

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..dual import dual
from ..errors import NtksymError
from ..gaussian import expect
from .build import Builder
from .kernel import REQUIRES_DIAG, REQUIRES_PAIR, parameters
from .likes import RuleLike
from .program import Program
from .reach import leading
from .scales import settle, settles

CORRELATED = 0.75
"""The square of the correlation of s and h up to which the sums are taken: two bits are lost."""
_SMALLEST, _LARGEST = -20, 40
"""Exponents of two of the standard deviations at which it is measured."""
_POINTS, _WIDEST, _ROUGH = 24, 1.6, 1e-8
"""The kernel of h must be a polynomial of the logarithm of the ratio of norms, up to this part of
it, as far as `backends.unlike` goes: Gauss rules would not see waves and narrow bells far out."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """The kernels of h, times the variance of the weights.

    Attributes:
        degree: n.
        least: the standard deviation from which on it is used.
        pair: q11, q12, q22, root, parameters -> E[h(u) h(v)].
        mixed: q, parameters -> E[s(u) h(u)].
    """

    degree: int
    least: float
    pair: Program
    mixed: Program


def lower_unlike(rule: RuleLike, pair: Expr, own: Expr) -> Unlike | None:
    """The programs, from the kernels of a layer without what is common to all; None where s is not
    nearly homogeneous of a positive degree, or they have no closed form.
    """
    with suppress(NtksymError):
        found = _kernels(rule.activation)
        if found is None:
            return None
        degree, least, value, kernel, mixed, h = found
        place = Dummy("kernel")
        factor = own.subs(value, place)
        weight = factor.coeff(place, 1)
        if factor - weight * place != 0 or weight.free_symbols & {S.q, place}:
            return None
        kernel, mixed = weight * kernel, weight * mixed
        b = Builder(("q11", "q12", "q22", "root", *parameters((kernel,), _PAIR)), root="root")
        if (stand := settles(h)) is not None:
            settle(b, stand)
        d = Builder(("q", *parameters((mixed,), (S.q,))))
        return Unlike(
            degree,
            least,
            b.program("unlike", (("value", b.operand(kernel)),), REQUIRES_PAIR, "h of a pair"),
            d.program("unlike_mixed", (("value", d.operand(mixed)),), REQUIRES_DIAG, "s and h"),
        )
    return None


_PAIR = (S.q11, S.q12, S.q22)


@lru_cache(maxsize=64)
def _kernels(act: Activation) -> tuple[int, float, Expr, Expr, Expr, Activation] | None:
    """n, `Unlike.least`, E[s(u)^2], E[h(u)h(v)], E[s(u)h(u)], h; None as above."""
    degree = None if act.params else leading(act)
    if not degree:
        return None
    derived = Derivation.of(act)
    slope, jumps = derived.slope
    if jumps:
        return None
    of, field = derived.terms, derived.field
    rest = type(of).power(field, 1) * slope - of.scale(field.integer(degree))
    if not rest:
        return None
    h = Activation(f"{act.name}_rest", rest.expr)
    order = leading(h)
    if order is None or order >= degree:
        return None
    kernel, value = dual(h).value, dual(act).diag
    mixed = expect(derived.single, of * rest).expr
    least = _least(value, kernel, mixed)
    return (
        None
        if least is None or not _smooth(kernel, degree)
        else (degree, least, value, kernel, mixed, h)
    )


def _least(value: Expr, kernel: Expr, mixed: Expr) -> float | None:
    """`Unlike.least`; None where s and h are correlated at all variances."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 100
    b = Builder(("q11", "q12", "q22", "root"), root="root")
    pair = b.program("pair", (("value", b.operand(kernel)),))
    d = Builder(("q",))
    one = d.program("one", (("value", d.operand(value)), ("mixed", d.operand(mixed))))

    def low(j: int) -> bool:
        q: Any = ctx.ldexp(1, 2 * j)
        of = one.evaluate({"q": q}, ctx)
        rest = pair.evaluate({"q11": q, "q12": q, "q22": q, "root": ctx.zero}, ctx)["value"]
        return bool(of["mixed"] ** 2 <= CORRELATED * of["value"] * rest)

    last = None
    for j in range(_LARGEST, _SMALLEST - 1, -1):
        if not low(j):
            break
        last = j
    if last is None:
        return None
    return 0.0 if last == _SMALLEST else 2.0**last


def _smooth(kernel: Expr, degree: int) -> bool:
    """Whether the last Chebyshev coefficients of E[h(rz) h(r e^y z)] e^(-degree y) in y are small,
    for r from 1/16 to 2^20.
    """
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 30
    b = Builder(("q11", "q12", "q22", "root"), root="root")
    pair = b.program("pair", (("value", b.operand(kernel)),))
    angles = [ctx.pi * (k + ctx.mpf(1) / 2) / _POINTS for k in range(_POINTS)]
    for j in range(-4, 21, 2):
        q, values = ctx.ldexp(1, 2 * j), []
        for t in angles:
            y = _WIDEST * (1 + ctx.cos(t)) / 2
            ratio = ctx.exp(y)
            given = {"q11": q, "q12": q * ratio, "q22": q * ratio * ratio, "root": ctx.zero}
            values.append(pair.evaluate(given, ctx)["value"] * ctx.exp(-degree * y))
        most = max(map(abs, values))
        for n in (_POINTS - 2, _POINTS - 1):
            last = sum(v * ctx.cos(n * t) for v, t in zip(values, angles, strict=True))
            if not abs(2 * last / _POINTS) <= _ROUGH * most:
                return False
    return True
