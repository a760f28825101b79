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

from flint import arb
from sympy import Dummy, Expr

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..digits import digits
from ..dual import dual
from ..errors import NtksymError
from ..gaussian import expect
from ..precision import precision
from .build import Builder
from .kernel import REQUIRES_DIAG, REQUIRES_PAIR, parameters
from .likes import RuleLike
from .program import Program
from .reach import leading
from .rough import Sizes, bits_of
from .scales import settle, settles

CORRELATED = 0.75
"""The square of the correlation of s and h up to which the sums are taken: two bits are lost."""
_SMALLEST, _LARGEST = -20, 40
"""Exponents of two of the standard deviations at which it is measured."""
_POINTS, _WIDEST, _ROUGH = 24, 1.6, 1e-8
"""The kernel of h must be a polynomial of the logarithm of the ratio of norms, up to this part of
it, as far as `backends.unlike` goes: Gauss rules would not see waves and narrow bells far out."""

_UNDER = arb(2) ** -1200
"""Kernels below this are 0 in doubles: nothing is lost there, and balls may not tell more."""


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
    least = _least(value, kernel, mixed) if _smooth(kernel, degree) else None
    return None if least is None else (degree, least, value, kernel, mixed, h)


def _least(value: Expr, kernel: Expr, mixed: Expr) -> float | None:
    """`Unlike.least`; None where s and h are correlated at all variances."""
    pair = _sizes(("q11", "q12", "q22", "root"), (kernel,), 100)
    one = _sizes(("q",), (value, mixed), 100)

    def low(j: int) -> bool:
        q = 4.0**j
        own, both = one({"q": q})
        if abs(own) <= _UNDER:
            return True
        (rest,) = pair({"q11": q, "q12": q, "q22": q, "root": 0.0})
        with precision(bits_of(100)):
            return bool(both * both <= CORRELATED * own * rest)

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
    ctx, more = digits(30), digits(60)
    pair = _sizes(("q11", "q12", "q22", "root"), (kernel,), 30)
    angles = [ctx.pi * (k + ctx.mpf(1) / 2) / _POINTS for k in range(_POINTS)]
    places = [_WIDEST * (1 + ctx.cos(t)) / 2 for t in angles]
    ratios = [more.convert(ctx.exp(y)) for y in places]
    shares = [arb(ctx.exp(-degree * y)) for y in places]
    waves = [[arb(ctx.cos(n * t)) for t in angles] for n in (_POINTS - 2, _POINTS - 1)]
    for j in range(20, -5, -2):  # where digits are lost, the first ones tell
        q = more.ldexp(1, 2 * j)
        rows = ({"q11": q, "q12": q * r, "q22": q * r * r, "root": 0.0} for r in ratios)
        found = [pair(row)[0] for row in rows]
        with precision(bits_of(30)):
            values = [v * share for v, share in zip(found, shares, strict=True)]
            most = max(map(abs, values))
            for wave in waves:
                last = sum(v * c for v, c in zip(values, wave, strict=True))
                if not abs(2 * last / _POINTS) <= _ROUGH * most:
                    return False
    return True


def _sizes(args: tuple[str, ...], values: tuple[Expr, ...], digits: int) -> Sizes:
    b = Builder(args, root="root" if "root" in args else None)
    ends = tuple((f"v{k}", b.operand(e)) for k, e in enumerate(values))
    return Sizes(b.program("sizes", ends), digits)
