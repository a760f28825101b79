r"""The three tables of a dilated table from one polar rule, where $g = cx^p$ is a polynomial.

With $F = s(\sqrt{q_0}\,\cdot)$, $G = cq_0^{p/2}x^p$ and $q = q_0e^{2l}$ the dual at q is
$(q/q_0)^p\,(K_0 + 2l\sum_na_nb_n\rho^n + l^2\sum_nb_n^2\rho^n)$, $a_n$, $b_n$ the Hermite
coefficients of F and G: $b_n = 0$ for n > p.  The derivative dual likewise, with p - 1.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import inf, nextafter
from typing import Any

from sympy import Expr

from ....activation import Activation
from ...patience import check
from ..dyadic.build import SOURCE, assembled, sums_of
from ..dyadic.polar import TURNED, Found
from ..dyadic.table import DyadicTable
from .kind import power_of, sides_of

_BITS = 128


class ShiftedSums:
    """Both duals at every angle, for one more variance."""

    step: int = 4
    """The three tables then ask for values at the same angles."""
    turned: int = TURNED

    def __init__(
        self, base: Callable[[float], tuple[Found, Found]], shift: Any, mixed: Any, power: int
    ) -> None:
        """Take the sums at q_0, q/q_0 as a ball, the (a_n, b_n) of s and s', and p."""
        self._base, self._shift, self._mixed, self._power = base, shift, mixed, power

    def at(self, tangent: float) -> tuple[Found, Found]:
        """The duals of s and s' at t = tan(theta/2)."""
        from flint import arb

        from ....precision import precision

        check()
        found = []
        with precision(_BITS):
            t = arb(tangent)
            rho, far = (1 - t * t) / (1 + t * t), self._shift.log() / 2
            for which, at in enumerate(self._base(tangent)):
                grown = self._shift ** (self._power - which)
                sides = []
                for middle, turned in ((at.plus, rho), (at.minus, -rho)):
                    total, power = arb(middle), arb(1)
                    for a, b in self._mixed[which]:
                        total += (2 * far * a * b + far * far * b * b) * power
                        power *= turned
                    sides.append(total * grown)
                plus, minus = (float(side.mid()) for side in sides)
                off = abs(sides[0] - plus).upper().max(abs(sides[1] - minus).upper())
                off = (off + grown * at.error).upper()
                found.append(Found(plus, minus, nextafter(float(off), inf)))
        return found[0], found[1]


def from_one(
    activation: Activation, three: tuple[float, ...], p: int, error: float
) -> tuple[DyadicTable, ...]:
    """The tables of three variances, the second of which has the rule.

    Raises:
        NotSquareIntegrable, Undecided: as `dyadic_table`.
    """
    from flint import arb

    from ....precision import precision
    from ..scale import ordinary, restored

    middle = three[1]
    given, power = ordinary(activation, (middle, middle))
    sums = sums_of(given.expr, middle, error)
    base = lru_cache(maxsize=None)(sums.at)
    mixed = _mixed(given.expr, middle)
    named, out = (given.name, given.expr), []
    for q in three:
        with precision(_BITS):
            shifted = ShiftedSums(base, arb(q) / arb(middle), mixed, p)
        said = (SOURCE, sums.rule.nodes)
        made = assembled(named, q, shifted, sums.rule.parity, error, said)
        out.append(restored(made, power, activation))
    return tuple(out)


def _mixed(expr: Expr, variance: float) -> list[list[tuple[Any, Any]]]:
    r"""`(a_n, b_n)`, n <= p, of s and of s' at one variance, as balls.

    With $E|Z|^r\log|Z| = \frac12(\log 2 + \psi(\frac{r+1}2))\,E|Z|^r$.
    """
    from flint import arb, fmpz_poly

    from ....precision import precision
    from ....verify.functions.pieces import number
    from ...arith import ball

    power = power_of(expr)
    assert power is not None
    p, rows = int(power), []
    with precision(2 * _BITS):
        dev = ball(Fraction(variance)).sqrt()
        numbers = [[number(c) for c in pair] for pair in sides_of(expr, power)]
        hermite = [fmpz_poly([1]), fmpz_poly([0, 1])]
        for n in range(1, p + 1):
            hermite.append(fmpz_poly([0, 1]) * hermite[n] - n * hermite[n - 1])
        for n, he in enumerate(hermite):
            a = b = arb(0)
            for j, h in enumerate(he):
                r = arb(p + j + 1) / 2
                size = arb(2) ** (r - arb(1) / 2) * r.gamma() / arb.pi().sqrt() / 2  # a half line
                bent = size * (arb(2).log() + r.digamma()) / 2
                for sign, (level, logs) in zip((-1, 1), numbers, strict=True):
                    scale = int(h) * sign**j * dev**p / arb(n + 1).gamma().sqrt()
                    a += scale * (level * size + logs * (bent + dev.log() * size))
                    b += scale * logs * size
            rows.append((a, b))
        slopes = [tuple(arb(n + 1).sqrt() * c / dev for c in rows[n + 1]) for n in range(p + 1)]
    return [rows[: p + 1], slopes]
