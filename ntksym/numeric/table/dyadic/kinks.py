r"""One variance and kinks away from 0: values of the dual in balls, for a `DyadicTable`.

$K(\rho) = \langle p, M_\rho p\rangle + \sum_n(b_n^2 + 2a_nb_n)\rho^n$: truncated powers in closed
form (`elsewhere`), and what is left of the activation as a series.  Nothing else is needed: every
dual is analytic in the disc, and at most K(1) there (`derivations/identities/quadrature.md`, 7).
"""

from __future__ import annotations

from typing import Any

from sympy import Expr

from ....errors import Undecided
from ...arith import rounded_up
from ...patience import check
from ..spectra.elsewhere import pair_dual, power_norm
from ..spectra.source import Source
from ..spectra.spectrum import Spectrum, pair_tail
from .polar import Found
from .table import DyadicTable

SOURCE = "series beyond its last term"
"""Of the first part of a bound: where the values at the nodes come from."""
FLOOR = 8e-15, "with kinks away from 0"
"""The rounding of an angle leaves no less in a dyadic table; `dual.refuse_below` says so."""
_END = 2.0**-100
_SPARE = 160


class SeriesSums:
    """Both duals at every angle, from spectra at one variance."""

    step: int = 1
    turned: int = 1
    """A ball around a node: only the node is rounded."""

    def __init__(self, sources: list[Source]) -> None:
        """Take the spectra of the dual and of the derivative dual."""
        from flint import arb_poly

        from ....precision import precision

        self._spectra = [s.spectra[0] for s in sources]
        self._bits = max(s.bits for s in sources) + _SPARE
        self._halves = []
        with precision(self._bits):
            for s in self._spectra:
                terms = list(s.series)
                if s.kink:
                    pairs = zip(s.series, s.kink_series, strict=True)
                    terms = [b * (b + 2 * a) for b, a in pairs]
                else:
                    terms = [b * b for b in terms]
                self._halves.append((arb_poly(terms[::2]), arb_poly(terms[1::2])))

    def at(self, tangent: float) -> tuple[Found, Found]:
        """The dual and the derivative dual at t = tan(theta/2), and at the opposite correlation."""
        from flint import arb

        from ....precision import precision

        check()
        with precision(self._bits):
            t = arb(tangent) if tangent else arb(_END)
            both = zip(self._spectra, self._halves, strict=True)
            first, second = (self._one(s, parts, t, not tangent) for s, parts in both)
        return first, second

    def _one(self, s: Spectrum, parts: tuple[Any, Any], t: Any, end: bool) -> Found:
        from flint import arb

        rho = (1 - t * t) / (1 + t * t)
        even, odd = (part(rho * rho) for part in parts)
        values = [even + rho * odd, even - rho * odd]
        if s.kink:
            values = [v + _kinks(s, t, sign) for v, sign in zip(values, (1, -1), strict=True)]
        error = pair_tail(s, s)
        if end:  # K(-1) is as near to K(-rho) as K(1) to K(rho)
            one = parts[0](arb(1)) + parts[1](arb(1))
            one += power_norm(list(s.kink), s.places) if s.kink else 0
            error += abs(one - values[0]) + 2 * error
            values[0] = one
        if not all(v.is_finite() for v in values):
            raise Undecided("a value of the dual has no finite enclosure")
        plus, minus = (float(v.mid()) for v in values)
        off = max(abs(v - w).upper() for v, w in zip(values, (plus, minus), strict=True)) + error
        return Found(plus, minus, rounded_up(off) if off > 0 else 0.0)


def _kinks(s: Spectrum, t: Any, sign: int) -> Any:
    """What the truncated powers contribute."""
    from flint import arb

    total = arb(0)
    for i, (b, left) in enumerate(zip(s.places, s.kink, strict=True)):
        for k, (c, right) in enumerate(zip(s.places[: i + 1], s.kink, strict=False)):
            part = pair_dual(b, left, c, right, t, sign)
            total += part if i == k else 2 * part  # (c, b) is as much as (b, c)
    return total


def dyadic_of(
    named: tuple[str, Expr], sources: list[Source], q: float, error: float
) -> DyadicTable:
    """The table of one variance: `sources` are the dual and the derivative dual, not weighted.

    Raises:
        Undecided: the bound is not reached; the message has the best one.
    """
    from ..draft import mirrored
    from .build import assembled

    said = (SOURCE, max(s.terms for s in sources))
    return assembled(named, q, SeriesSums(sources), mirrored(named[1]), error, said)
