r"""E[f(v)] for a function analytic in a strip, at a large variance: the trapezoid rule.

Where f changes many times within a deviation, as log(2 + sin x) at q = 10^4, the adaptive
integrator needs more values than it is given.  The error is that of the lattice in one variable
(`derivations/identities/enclosure.md`, section 5).
"""

from __future__ import annotations

from typing import Any

from flint import acb, arb

from ...precision import precision
from ...symbols import x
from ..evaluate import function
from ..functions.growth import growth_of
from ..functions.pieces import Piece
from ..functions.strips import COVER_BITS, strip
from ..law import Law, cut
from ..safe import in_time

MOST_NODES = 200_000
_NARROWER = 0.7


def line(f: Piece, mean: Any, var: Any, tol: Any) -> Any | None:
    """An enclosure (`arb`), or None where no strip serves or the nodes would be too many."""
    bound, zero = growth_of((f,)), var * 0
    one = growth_of((Piece(None, None, x**0),))
    length, lost = cut(bound, one, Law(mean, zero, var, zero, zero), tol / 4)
    dev, func = arb(var).sqrt(), function(f.expr, x)
    with precision(COVER_BITS):
        found = _step(func, arb(mean), dev, length, tol)
    if found is None:
        return None
    step, count, error = found
    func, total, unit = function(f.expr, x), arb(0), dev * step
    for j in range(-count, count + 1):
        in_time()
        t = j * step
        total += func(acb(mean + j * unit), False).real * (-t * t / 2).exp()
    value = total * step / (2 * arb.pi()).sqrt()
    return value + arb(0, (error + lost).upper())


def _step(func: Any, mean: Any, dev: Any, length: Any, tol: Any) -> tuple[Any, int, Any] | None:
    """`(step, count, error)` with the largest step, from a decreasing list of widths."""
    rate, box, best = (16 / tol).log(), length + 1, None
    half = (2 * rate).sqrt()
    while True:
        # the nodes that this width needs at least
        if half * arb.pi() * MOST_NODES < length * rate:
            return best
        columns = min(400, max(16, int(float(box / half)) + 1))
        size = strip(func, mean - dev * box, mean + dev * box, dev * half, columns)
        if size is not None:
            total = rate + (size + 1).log()
            a = half.min((2 * total).sqrt())
            step = (2 * arb.pi() * a / (total + a * a / 2) * 0.999).mid()
            count = int(float((length / step).upper())) + 1
            edge = (count + arb(1) / 2) * step
            if best is not None and not step > best[0]:
                return best
            if edge < box and 2 * count < MOST_NODES:
                lines = 2 * (a * a / 2).exp() / ((2 * arb.pi() * a / step).exp() - 1)
                ends = 4 * step / arb.pi() * (-edge * edge / 2).exp() / (2 * arb.pi()).sqrt()
                error = (size * (lines + ends)).upper()
                if error < tol:
                    best = step, count, error
        half = half * _NARROWER
