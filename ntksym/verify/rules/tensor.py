r"""E[f(u) g(v)] with kinks, or very near correlation one: tensor Gauss-Legendre panels.

Where the line $v = m_2 + s_2(rx + \sigma z)$, $|z| \le Z$, stays clear of the kinks of g, the
variables are (x, z): no scale of size sigma is left.  Near the kinks of g they are (x, y),
cut at the kinks, with panels of a few sigma.  Bounds: section 6 of
`derivations/identities/enclosure.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import acb, arb

from ...errors import Undecided
from ...precision import precision
from ...symbols import x
from ..evaluate import function
from ..functions.growth import growth_of
from ..functions.pieces import Piece
from ..functions.strips import COVER_BITS, ellipse, rectangle
from ..law import Law, Scales, cut
from ..safe import Exhausted, in_time
from . import hermite
from .gauss import Panel, nodes, panels
from .oned import kink_balls, pick

MOST_PAIRS = 1_000_000
MOST_VALUES = 100_000
"""Values of the activation away from its kinks, where each node needs one of its own."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every part of the computation needs."""

    f: tuple[Piece, ...]
    g: tuple[Piece, ...]
    s: Scales
    r: Any
    sigma: Any
    far_x: Any
    far_z: Any
    tol: Any


def tensor(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Any:
    """An enclosure (`arb`); q11, q22, det > 0.

    Raises:
        Undecided: too many nodes, or a singularity at a kink.
    """
    bound_f, bound_g = growth_of(f), growth_of(g)
    far_x, lost_x = cut(bound_f, bound_g, law, tol / 8)
    far_z, lost_z = cut(bound_f, bound_g, law, tol / 8, inner=True)
    far_z = far_z + 1  # room for the tails of polynomials in the rules of `hermite`
    s = law.scales()
    frame = Frame(f, g, s, s.slope / s.s2, s.rest / s.s2, far_x, far_z, tol)
    total = arb(0, (lost_x + lost_z).upper())
    spans = windows(frame, [(k - s.m2) / s.s2 / frame.r for k in kink_balls(g)])
    left = -far_x
    for a, b in [*spans, (far_x, far_x)]:
        if left < a:
            total += clear(frame, left, a)
        if a < b:
            total += _window(frame, a, b)
        left = b
    return total


def windows(frame: Frame, centres: list[Any], room: int = 64) -> list[tuple[Any, Any]]:
    """Disjoint intervals of x, in order, around the centres: as far as v - E[v | x] reaches.

    They are wider than that by their length over `room`, on both sides.
    """
    far = frame.far_x
    reach = abs(frame.sigma * frame.far_z / frame.r)
    spans: list[tuple[Any, Any]] = []
    for centre in centres:
        pad = reach * (1 + arb(2) / room)
        lo, hi = (centre - pad).mid().max(-far), (centre + pad).mid().min(far)
        if lo < hi:
            spans.append((lo, hi))
    spans.sort(key=lambda span: float(span[0]))
    out: list[tuple[Any, Any]] = []
    for lo, hi in spans:
        if out and lo <= out[-1][1]:
            out[-1] = (out[-1][0], out[-1][1].max(hi))
        else:
            out.append((lo, hi))
    return out


def _split(a: Any, b: Any, kinks: list[Any]) -> list[tuple[Any, Any]]:
    """[a, b] cut at the kinks inside; the ends of the pieces may be balls.

    Raises:
        Undecided: a kink too close to another or to an end.
    """
    ends = [a]
    for k in sorted(kinks, key=lambda k: float(k.mid())):
        if k > a and k < b:
            ends.append(k)
        elif not (k < a or k > b or (k.is_exact() and (k == a or k == b))):
            raise Undecided("a kink is too close to the end of a panel for this precision")
    return list(zip(ends, [*ends[1:], b], strict=True))


def _normal(lo: Any, hi: Any) -> Any:
    """The supremum of exp(-t^2/2) on [lo, hi]."""
    if lo > 0:
        return (-(lo.lower() ** 2) / 2).exp().upper()
    return (-(hi.upper() ** 2) / 2).exp().upper() if hi < 0 else arb(1)


def _edge(f: tuple[Piece, ...], mean: Any, dev: Any, a: Any, b: Any) -> Any:
    """The smooth expression on the panel [a, b] of the standard variable, as a callable."""
    return function(pick(f, mean + dev * ((a + b) / 2).mid()).expr, x)


def _window(frame: Frame, a: Any, b: Any) -> Any:
    """The part with x in [a, b] in the variables (x, y)."""
    s, r, sigma = frame.s, frame.r, frame.sigma
    reach = sigma * frame.far_z
    low = ((r * a).min(r * b) - reach).lower()
    high = ((r * a).max(r * b) + reach).upper()
    norm = 1 / (2 * arb.pi() * sigma)
    cuts_x = _split(a, b, [(k - s.m1) / s.s1 for k in kink_balls(frame.f)])
    cuts_y = _split(low, high, [(k - s.m2) / s.s2 for k in kink_balls(frame.g)])
    with precision(COVER_BITS):
        wide = float((8 * sigma).mid())

        def bounded(pieces: tuple[Piece, ...], mean: Any, dev: Any) -> Any:
            def bound(lo: Any, hi: Any, semi: Any, height: Any) -> Any:
                func, c = _edge(pieces, mean, dev, lo, hi), (lo + hi) / 2
                size = ellipse(func, mean + dev * c, dev * semi, dev * height)
                if size is None:
                    return None
                lift = (height**2 / (2 * sigma**2)).exp() * norm
                return size * lift * _normal(c - semi, c + semi)

            return bound

        sup_f = _largest(frame.f, s.m1, s.s1, cuts_x)
        sup_g = _largest(frame.g, s.m2, s.s2, cuts_y)
        if sup_f == 0 or sup_g == 0:
            return arb(0)
        goal_x = frame.tol / (64 * (high - low) * (sup_g + 1))
        goal_y = frame.tol / (64 * (b - a) * (sup_f + 1))
        px = panels(cuts_x, bounded(frame.f, s.m1, s.s1), goal_x, wide)
        py = panels(cuts_y, bounded(frame.g, s.m2, s.s2), goal_y, wide)
        error = sum((p.error for p in px), arb(0)) * (high - low) * sup_g
        error += sum((p.error for p in py), arb(0)) * (b - a) * sup_f
        steep = (
            float(
                (2 * (sup_f * sup_g * norm * (b - a) * (high - low) * 64 / frame.tol).log())
                .max(arb(1))
                .sqrt()
                .upper()
            )
            + 1.0
        )
        skipped = sup_f * sup_g * norm * (b - a) * (high - low) * (-(arb(steep) ** 2) / 2).exp()
    xs = _weighted(px, frame.f, s.m1, s.s1)
    ys = _weighted(py, frame.g, s.m2, s.s2)
    value = banded(xs, ys, r, sigma, steep * 1.001)
    return value * norm + arb(0, (error + skipped).upper())


def _largest(pieces: tuple[Piece, ...], mean: Any, dev: Any, cuts: list[tuple[Any, Any]]) -> Any:
    """The supremum of |f| on real intervals, by subdivision."""
    most = arb(0)
    for lo, hi in cuts:
        func = _edge(pieces, mean, dev, lo, hi)
        step = (hi - lo) / 16
        for i in range(16):
            left, right = mean + dev * (lo + i * step), mean + dev * (lo + (i + 1) * step)
            size = rectangle(lambda z, _, f=func: f(z, False), left, right, arb(0), 12)  # type: ignore[misc]
            if size is None:
                raise Undecided("the activation is not bounded on an interval between its kinks")
            most = most.max(size)
    return most


def _weighted(parts: list[Panel], pieces: tuple[Piece, ...], mean: Any, dev: Any) -> list[Any]:
    """`(node, float of node, weight * value)` for all panels, in order."""
    out = []
    for panel in parts:
        func = _edge(pieces, mean, dev, panel.a, panel.b)
        for t, w in nodes(panel):
            out.append((t, float(t.mid()), w * func(acb(mean + dev * t), False).real))
    out.sort(key=lambda item: item[1])
    return out


def banded(
    xs: list[Any], ys: list[Any], r: Any, sigma: Any, steep: float, most: int = MOST_PAIRS
) -> Any:
    """Sums f_i g_j exp(-x_i^2/2 - (y_j - r x_i)^2/(2 sigma^2)) over a band of y - r x."""
    from bisect import bisect_left, bisect_right

    if not ys:  # a function of which a bound is all there is
        return arb(0)
    keys = [y for _, y, _ in ys]
    slope, reach = float(r), steep * float(sigma) + 1e-14 * (1 + abs(keys[0]) + abs(keys[-1]))
    quad, total, pairs = -1 / (2 * sigma * sigma), arb(0), 0
    for t, where, weight in xs:
        in_time()
        first = bisect_left(keys, slope * where - reach)
        last = bisect_right(keys, slope * where + reach)
        pairs += last - first
        if pairs > most:
            raise Exhausted("too many nodes for the panels at this correlation")
        line, row = r * t, arb(0)
        for y, _, value in ys[first:last]:
            gap = y - line
            row += value * (quad * gap * gap).exp()
        total += weight * row * (-t * t / 2).exp()
    return total


def clear(frame: Frame, a: Any, b: Any) -> Any:
    """The part with x in [a, b], away from the kinks of g, in the variables (x, z)."""
    s, far = frame.s, frame.far_z
    cuts = _split(a, b, [(k - s.m1) / s.s1 for k in kink_balls(frame.f)])
    middle = s.m2 + s.slope * ((a + b) / 2).mid()
    piece = pick(frame.g, middle)
    lo, hi = piece.ends()
    for end in (a, b):
        y = s.m2 + s.slope * end
        for z in (-far, far):
            v = y + s.rest * z
            if (lo is not None and not v > lo) or (hi is not None and not v < hi):
                raise Undecided("a window around a kink came out too small")
    root = (2 * arb.pi()).sqrt()
    with precision(COVER_BITS):
        inner = function(piece.expr, x)
        fat = s.rest * far

        def bound_x(left: Any, right: Any, semi: Any, height: Any) -> Any:
            c = (left + right) / 2
            outer = _edge(frame.f, s.m1, s.s1, left, right)
            size = ellipse(outer, s.m1 + s.s1 * c, s.s1 * semi, s.s1 * height)
            if size is None:
                return None
            k = abs(s.slope)
            other = ellipse(inner, s.m2 + s.slope * c, k * semi, k * height, fat)
            if other is None:
                return None
            return size * other * (height**2 / 2).exp() * _normal(c - semi, c + semi)

        goal = frame.tol / (256 * far)
        px = panels(cuts, bound_x, goal, 4.0)
        error = sum((p.error for p in px), arb(0)) * 2 * far / root
    total, left_over = arb(0), MOST_VALUES
    for panel in px:
        value, lost, cost = _strip(frame, panel, inner, piece, left_over)
        total += value
        left_over -= cost
        error += lost
    return total / root + arb(0, (error / root).upper())


def _strip(frame: Frame, panel: Panel, inner: Any, piece: Piece, most: int) -> tuple[Any, Any, int]:
    """One panel of x against all z: the value, the error, and how often g was called."""
    s, far = frame.s, frame.far_z
    root = (2 * arb.pi()).sqrt()
    with precision(COVER_BITS):
        outer = _edge(frame.f, s.m1, s.s1, panel.a, panel.b)
        sup_f = _largest(frame.f, s.m1, s.s1, [(panel.a, panel.b)])
        c, half = ((panel.a + panel.b) / 2), ((panel.b - panel.a) / 2)
        fat = abs(s.slope) * half

        def bound_z(left: Any, right: Any, semi: Any, height: Any) -> Any:
            mid = (left + right) / 2
            centre = s.m2 + s.slope * c + s.rest * mid
            size = ellipse(inner, centre, s.rest * semi, s.rest * height, fat)
            if size is None:
                return None
            return size * (height**2 / 2).exp() * _normal(mid - semi, mid + semi)

        goal = frame.tol / (256 * 2 * half * (sup_f + 1))
        short = _few(frame, inner, s.m2 + s.slope * c, fat, goal)
        if short is None:
            pz = panels([(-far, far)], bound_z, goal, 8.0)
            lost = sum((p.error for p in pz), arb(0)) * 2 * half * sup_f
        else:
            lost = short[1] * 2 * half * sup_f
    outer = _edge(frame.f, s.m1, s.s1, panel.a, panel.b)
    exact = function(piece.expr, x)
    if short is None:
        zs = [(s.rest * z, w * (-z * z / 2).exp()) for p in pz for z, w in nodes(p)]
    else:
        zs = [(s.rest * z, root * w) for z, w in hermite.nodes(short[0])]
    cost = panel.points * len(zs)
    if cost > most:
        raise Exhausted("the activation changes too fast for a certificate: too many nodes")
    total = arb(0)
    for t, w in nodes(panel):
        in_time()
        base, row = s.m2 + s.slope * t, arb(0)
        for shift, weight in zs:
            row += weight * exact(acb(base + shift), False).real
        total += w * outer(acb(s.m1 + s.s1 * t), False).real * (-t * t / 2).exp() * row
    return total / root, lost, cost


def _few(frame: Frame, inner: Any, centre: Any, fat: Any, tol: Any) -> tuple[int, Any] | None:
    """`(n, error)` of a Gauss-Hermite rule in z, where g is analytic far around; else None."""
    rest, reach = frame.s.rest, frame.far_z
    best: tuple[int, Any] | None = None
    radius = (fat * 2 / rest).mid()
    for _ in range(8):
        if not radius > 2 * reach:
            break
        spread = rest * radius
        lo, hi = (centre - fat - spread).lower(), (centre + fat + spread).upper()
        size = rectangle(inner, lo, hi, spread.upper(), 6)
        if size is not None and size.is_finite():
            found = hermite.fewest(size, radius, reach, tol)
            if best is not None and (found is None or found[0] >= best[0]):
                break
            best = found
        radius = (radius * 5 / 8).mid()
    return best
