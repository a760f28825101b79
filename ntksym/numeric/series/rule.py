r"""Rules for $\int s(\sqrt q\,x)\,h_n(x)\,\varphi(x)\,dx$, the same nodes for all n below a count.

Trapezoid rule where s is analytic in a strip (`strip`), Gauss-Legendre panels cut at the kinks
elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...errors import Undecided
from ...symbols import x
from .recurrence import Node
from .strip import MOST_NODES, Span, bell, equal_steps, lift

_THINNER = 0.8


@dataclass(frozen=True, slots=True)
class Rule:
    """Nodes on the half line, and a bound of the error of every one of the integrals (`arb`)."""

    nodes: tuple[Node, ...]
    error: Any
    kind: str


def rule(pieces: tuple[Any, ...], q: Any, count: int, tol: Any) -> Rule:
    """A rule for n < count whose error is about `tol`; q is an `fmpq` > 0.

    Raises:
        Undecided: no growth certificate, a singularity that no panel resolves, too many nodes.
        NotSquareIntegrable: E[s(u)^2] is infinite at this variance.
    """
    found = _trapezoid(pieces, q, count, tol) if len(pieces) == 1 else None
    return found or _panels(pieces, q, count, tol)


def _trapezoid(pieces: tuple[Any, ...], q: Any, count: int, tol: Any) -> Rule | None:
    """The rule on a line, None where s is analytic in no useful strip."""
    from flint import acb, arb

    from ...verify.evaluate import function

    dev = arb(q).sqrt()
    found = equal_steps(Span(pieces, dev, dev), count, tol, _THINNER)
    if found is None:
        return None
    step, many, error = found
    exact = function(pieces[0].expr, x)
    nodes = []
    for j in range(many + 1):
        at = j * step
        weight = step * (-at * at / 4).exp() / (2 * arb.pi()).sqrt()
        right = exact(acb(dev * at), False).real
        if j == 0:
            nodes.append(Node(at, weight * right, arb(0)))
            continue
        left = exact(acb(-dev * at), False).real
        nodes.append(Node(at, weight * (right + left), weight * (right - left)))
    return Rule(tuple(nodes), error, "trapezoid")


def _panels(pieces: tuple[Any, ...], q: Any, count: int, tol: Any) -> Rule:
    """Gauss-Legendre panels on the half line, for s(x) and s(-x) together."""
    from flint import acb, arb

    from ...precision import precision
    from ...verify.evaluate import function
    from ...verify.functions.strips import COVER_BITS, ellipse
    from ...verify.rules.gauss import nodes as panel_nodes
    from ...verify.rules.gauss import panels
    from ...verify.rules.oned import kink_balls, pick, size_near

    dev = arb(q).sqrt()
    length, lost = Span(pieces, dev, dev).length(tol / 8)
    error = lost
    cuts = [arb(0)]
    clusters: list[Any] = []
    kinks = sorted((abs(k) / dev for k in kink_balls(pieces)), key=lambda k: float(k.mid()))
    while any(k.overlaps(length) for k in kinks):  # a longer integral leaves a smaller tail
        length += arb(1) / 2
    for k in kinks:
        if clusters and clusters[-1].overlaps(k):
            clusters[-1] = clusters[-1].union(k)
        elif k < length:
            clusters.append(k)
    for c in clusters:  # cut at the exact middle; what that can move is added
        if not c.is_exact():
            for sign in (1, -1):
                error += (4 * arb(c.rad()) * size_near(pieces, sign * dev * c)).upper()
        if c.mid() > 0:
            cuts.append(c.mid())
    ends = list(pairwise([*cuts, length]))
    with precision(COVER_BITS):

        def bound(lo: Any, hi: Any, semi: Any, height: Any) -> Any:
            total = arb(0)
            centre = (lo + hi) / 2
            for sign in (1, -1):
                func = function(pick(pieces, sign * dev * centre.mid()).expr, x)
                size = ellipse(func, sign * dev * centre, dev * semi, dev * height)
                if size is None:
                    return None
                total += size
            return total * lift(height, count) * bell(centre - semi, centre + semi)

        parts = panels(ends, bound, tol / 256, 2.0)
        error += sum((p.error for p in parts), arb(0))
        if sum(p.points for p in parts) > MOST_NODES:
            raise Undecided("too many nodes for the Hermite coefficients")
    nodes = []
    root = (2 * arb.pi()).sqrt()
    for part in parts:
        middle = ((part.a + part.b) / 2).mid()
        right = function(pick(pieces, dev * middle).expr, x)
        left = function(pick(pieces, -dev * middle).expr, x)
        for at, w in panel_nodes(part):
            weight = w * (-at * at / 4).exp() / root
            up, down = right(acb(dev * at), False).real, left(acb(-dev * at), False).real
            nodes.append(Node(at, weight * (up + down), weight * (up - down)))
    return Rule(tuple(nodes), arb(error).upper(), "panels")
