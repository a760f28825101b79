r"""Duals of one-sided powers near $\rho = -1$: small numbers, to full relative accuracy.

With $c = -\rho$, $\varphi = \arccos c$ and $w = \sqrt{\det}$, in polar coordinates
$$E[u_+^m v_+^n] = \frac{2^{k/2}\Gamma(k/2 + 1)}{2\pi}\,r_1^m r_2^n
\int_0^\varphi \sin^m\alpha\,\sin^n(\varphi - \alpha)\,d\alpha, \qquad k = m + n,\ r_i^2 = q_{ii},$$
of the order of $\varphi^{k+1}$, where the terms of the closed form are of that of $\varphi$; see
`sectors` for the integral.  What rounding takes away from the determinant counts k + 1 times: where
k is large it is given back.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product

from sympy import Expr, Integer, sqrt

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..dual import dual
from ..errors import NtksymError
from ..terms.cells import cells, inside
from .build import Builder
from .exponent import corrected, determinant_parts, kept, product_parts, sum_parts
from .polynomial import DET, FAR
from .program import Operand
from .sectors import series, summed

MOST = 6
"""Higher powers are left to the closed form."""
WIDEST = Fraction(3, 8)
"""Up to this z, which is rho = -1/4: there the closed form loses nothing that counts."""
DEGREE = 21
"""Of the series up to there: what is left of them is below 1e-19 of their values."""
LOSES = 5
"""From this k on rounding of the determinant counts more than 4 eps; giving it back takes as long
as four times the rest."""

Powers = dict[int, Expr]


@lru_cache(maxsize=256)
def one_sided(activation: Activation) -> tuple[Powers, Powers] | None:
    """The coefficients of s and of s' as powers of |x| on one side of 0; None for other s.

    Also None where s jumps, and where it has no power above the first: other rows are for those.
    """
    found = dual(activation).derivation
    if not isinstance(found, Derivation) or not found.centred or found.jumps:
        return None
    try:
        every = cells(found.terms)
        pieces = [inside(found.terms, c) for c in every]
    except NtksymError:
        return None
    if len(pieces) != 2 or every[0][1] is None or every[0][1] or bool(pieces[0]) == bool(pieces[1]):
        return None
    side = 1 if pieces[1] else -1
    terms = (pieces[1] if pieces[1] else pieces[0]).terms
    if any(k.tilt or k.shift or k.gates for k in terms):
        return None
    powers = {k.power: side**k.power * c.expr for k, c in terms.items()}
    if len(powers) != len(terms) or not 1 < max(powers) <= MOST:
        return None
    return powers, {n - 1: n * c for n, c in powers.items() if n}


@dataclass(frozen=True, slots=True)
class _Gap:
    """What the integrals are made of: sin phi, z, det/q, and what rounding took from these."""

    sine: Operand
    z: Operand
    narrow: dict[Expr, Operand]
    low: dict[Expr, Operand]


def _rounded(b: Builder) -> _Gap:
    root, length = b.operand(sqrt(DET)), b.length()
    z = b.emit("div0", b.operand(FAR), b.length(2), hint="half_gap")
    sine = b.emit("div0", root, length, hint="sine")
    square = b.emit("mul", root, root, hint="det")
    sides = (S.q11, S.q22)
    narrow = {q: b.emit("div0", square, q.name, hint="narrow") for q in sides}
    return _Gap(sine, z, narrow, dict.fromkeys(sides, Fraction(0)))


def _given_back(b: Builder) -> _Gap:
    """All from one rounded determinant, whose rest is known."""
    root = b.operand(sqrt(DET))
    det = determinant_parts(b, b.known_root)
    square = b.emit("mul", root, root, hint="det")
    narrow: dict[Expr, Operand] = {}
    low: dict[Expr, Operand] = {}
    for q in (S.q11, S.q22):
        narrow[q] = b.emit("div0", square, q.name, hint="narrow")
        minus = product_parts(b, (b.emit("neg", narrow[q]), Fraction(0)), (q.name, Fraction(0)))
        missing, more = sum_parts(b, det, minus)
        low[q] = kept(b, b.emit("div0", b.emit("add", missing, more), square))
    raw = b.emit("div0", narrow[S.q11], "q22")
    sine = b.emit("sqrt0", raw, hint="sine")
    turned = corrected(b, raw, low[S.q11])
    cosine = b.emit("sqrt0", b.emit("sub", Fraction(1), turned), hint="cosine")
    z = b.emit("div", turned, b.emit("mul", b.emit("add", cosine, Fraction(1)), Fraction(2)))
    return _Gap(sine, z, narrow, low)


def opposite(b: Builder, closed: Operand, powers: Powers) -> Operand:
    """The closed form; the same number by the integral where rho is at most -1/4."""
    back = 2 * max(powers) >= LOSES
    gap = _given_back(b) if back else _rounded(b)
    total: Operand = Fraction(0)
    for (m, one), (n, two) in product(powers.items(), repeat=2):
        whole = summed(b, _series(min(m, n), max(m, n)), gap.z)
        value = b.emit("mul", whole, gap.sine)
        rest = b.emit("mul", gap.low[S.q11], Fraction(1, 2)) if back else Fraction(0)
        for q, times in ((S.q11, n), (S.q22, m)):  # root/r to this power
            for _ in range(times // 2):
                value = b.emit("mul", value, gap.narrow[q])
            if times % 2:
                value = b.emit("mul", value, b.emit("sqrt0", gap.narrow[q]))
            if back:
                rest = b.emit("add", rest, b.emit("mul", gap.low[q], Fraction(times, 2)))
        value = corrected(b, value, rest)
        coefficient = one * two
        if coefficient != Integer(1):
            value = b.emit("mul", value, b.operand(coefficient))
        total = b.emit("add", total, value)
    four = b.emit("mul", "q12", 1 / (1 - 2 * WIDEST))
    return b.emit("short", four, b.emit("neg", b.length()), total, closed, hint="value")


@lru_cache(maxsize=64)
def _series(m: int, n: int) -> tuple[Fraction, ...]:
    return series(lambda x, y: x**m * y**n, m + n, WIDEST, DEGREE)
