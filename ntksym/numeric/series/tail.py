r"""What the terms from N on can add: Cauchy-Schwarz on Parseval's remainders.

With $R_N(q) = \sum_{n\ge N}a_n(q)^2$ and $R'_N(q) = \sum_{n\ge N}n\,a_n(q)^2/q$, the tail of
the dual is at most $|\rho|^N\sqrt{R_N(q_{11})R_N(q_{22})}$ and that of the derivative dual at
most $|\rho|^{N-1}\sqrt{R'_NR'_N}$ (where s' is square integrable), and, for every s and $|\rho|
< 1$, at most $\sup_{n\ge N}n|\rho|^{n-1}\sqrt{R_NR_N}/\sqrt{q_{11}q_{22}}$.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log
from typing import Any


@dataclass(frozen=True, slots=True)
class Rest:
    """Upper bounds (`arb`) of what is left at one variance.

    Attributes:
        value: of R_N(q).
        slope: of R'_N(q), or None where s jumps.
        variance: q, or a lower bound of it.
    """

    value: Any
    slope: Any | None
    variance: Any


def value_tail(rho: Any, terms: int, first: Rest, second: Rest) -> Any:
    """A bound of the terms n >= `terms` of the dual, for |rho| <= the upper end of `rho`."""
    return (_power(rho, terms) * _mean(first.value, second.value)).upper()


def slope_tail(rho: Any, terms: int, first: Rest, second: Rest) -> Any:
    """The same for the derivative dual; infinite for a jump at |rho| = 1."""
    from flint import arb

    best = arb("inf")
    r = rho.upper()
    if first.slope is not None and second.slope is not None:
        best = (_power(rho, max(terms - 1, 0)) * _mean(first.slope, second.slope)).upper()
    if r > 0 and r < 1 and first.variance > 0 and second.variance > 0:
        # (N + k) rho^k <= N + 1/(e |log rho|)
        factor = _power(rho, max(terms - 1, 0)) * (terms - 1 / (arb(1).exp() * r.log()))
        scale = (first.variance * second.variance).sqrt()
        other = (factor * _mean(first.value, second.value) / scale).upper()
        best = best.min(other)
    return best.upper()


def _power(rho: Any, n: int) -> Any:
    from flint import arb

    return arb(1) if n == 0 else rho.upper() ** n


def _mean(a: Any, b: Any) -> Any:
    from flint import arb

    zero = arb(0)
    return a.upper().max(zero).sqrt() * b.upper().max(zero).sqrt()


FAR = 1e6
"""Longer series are not told apart."""


def foretold(count: int, gain: float, wanted: float, rate: float) -> float:
    r"""About how many terms it takes until the rest is $e^{-w}$ times what `count` terms leave.

    It has fallen by the factor $e^g$ since half of them, and is taken for $n^{-p}e^{-r\sqrt n}$
    with the `rate` r of the nearest singularities, 0 for none known: they look like kinks until
    then.  Infinite where more than `FAR` would be needed.
    """
    power = max(gain - rate * (count**0.5 - (count / 2) ** 0.5), -log(2)) / log(2)

    def short(n: float) -> bool:
        return bool(power * log(n / count) + rate * (n**0.5 - count**0.5) < wanted)

    low, high = float(count), FAR
    if short(high):
        return inf
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (middle, high) if short(middle) else (low, middle)
    return high
