r"""Rules for $\int s(\sqrt q\,x)\,h_n(x)\,\varphi(x)\,dx$, the same nodes for all n below a count.

On $\mathrm{Im}\,x = b$, $|h_n(x)| \le e^{\mathrm{Re}(x)^2/4 + |b|\sqrt n}$ and
$|\varphi(x)| = \varphi(\mathrm{Re}\,x)\,e^{b^2/2}$ (derivations/identities/series.md, 1): the
integrand decays like $e^{-x^2/4}$ for every n.  Trapezoid rule where s is analytic in a strip,
Gauss-Legendre panels cut at the kinks elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...errors import Undecided
from ...symbols import x
from .recurrence import Node

MOST_NODES = 60_000
_COLUMN = 0.5
_LENGTHS = 400


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


def _tail(growth: Any, dev: Any, length: Any) -> Any:
    r"""A bound of $\int_{|x|>\ell}|s(\sqrt qx)|e^{-x^2/4}/\sqrt{2\pi}\,dx$."""
    from flint import arb

    from ...errors import NotSquareIntegrable

    g = growth.exponential(1 / dev)
    zero = arb(0)
    rate, bend = g.b.max(zero) * dev, arb(1) / 4 - g.a * dev * dev
    if not bend > 0:
        raise NotSquareIntegrable(
            "E[s(u)^2] is not finite at this variance",
            hint="smaller variances: |s(x)| <= c exp(a x^2) needs 4 a q < 1",
        )
    root, centre = bend.sqrt(), rate / (2 * bend)
    both = (root * (length - centre)).erfc()
    return (g.c * (rate * centre / 2).exp() * both / (root * arb(2).sqrt())).upper()


def _length(growth: Any, dev: Any, tol: Any) -> tuple[Any, Any]:
    from flint import arb

    for k in range(8, _LENGTHS):
        length = arb(k) / 2
        lost = _tail(growth, dev, length)
        if lost < tol:
            return length, lost
    raise Undecided("no length of the integral makes its tail small")


def _bell(lo: Any, hi: Any) -> Any:
    """The supremum of exp(-t^2/4)/sqrt(2 pi) on [lo, hi]."""
    from flint import arb

    root = (2 * arb.pi()).sqrt()
    near = lo if lo > 0 else (hi if hi < 0 else arb(0))
    return ((-near * near / 4).exp() / root).upper()


def _trapezoid(pieces: tuple[Any, ...], q: Any, count: int, tol: Any) -> Rule | None:
    """The rule on a line, None where s is analytic in no useful strip."""
    from flint import acb, arb

    from ...verify.evaluate import function
    from ...verify.growth import growth_of
    from ...verify.safe import precision
    from ...verify.strips import COVER_BITS

    growth = growth_of(pieces)
    dev = arb(q).sqrt()
    length, lost = _length(growth, dev, tol / 8)
    with precision(COVER_BITS):
        func = function(pieces[0].expr, x)
        best: tuple[Any, Any, Any] | None = None  # step, half width, columns
        half = (2 * (16 / tol).log()).sqrt()
        reach = length + 4
        for _ in range(60):
            columns = _columns(func, dev, reach, half)
            if columns is not None:
                step = _step(half, columns, count, tol)
                if best is not None and not step > best[0]:
                    break
                best = step, half, columns
            half = half * 0.8
        if best is None:
            return None
        step, half, columns = best
        step = _short(step)
        while True:
            many = int(float((length / step).upper())) + 1
            edge = (many + arb(1) / 2) * step
            if not edge < reach or many > MOST_NODES:
                return None
            line = 2 * _line(columns) * _lift(half, count)
            error = line / ((2 * arb.pi() * half / step).exp() - 1)
            ends = columns[0][2] + columns[-1][2]
            # sup |s| near the two ends, of all columns beyond `length`
            for lo, hi, size in columns:
                if abs(lo).max(abs(hi)) > length - 1:
                    ends = ends.max(2 * size)
            error += ends * _bell(edge, edge) * 2 * step / arb.pi()
            if error < tol / 2:
                break
            length += arb(1) / 2
            if not length < reach:
                return None
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
    return Rule(tuple(nodes), (error + lost).upper(), "trapezoid")


def _columns(func: Any, dev: Any, reach: Any, half: Any) -> list[tuple[Any, Any, Any]] | None:
    """`(lo, hi, sup |s|)` over columns of the strip |Im| <= half; None if s is singular."""
    from flint import arb

    from ...verify.strips import rectangle

    many = 2 * int(float((reach / _COLUMN).upper()))
    width = 2 * reach / many
    out = []
    for i in sorted(range(many), key=lambda i: abs(2 * i + 1 - many)):  # the middle first
        lo, hi = -reach + i * width, -reach + (i + 1) * width
        size = rectangle(func, dev * lo, dev * hi, dev * half, 6)
        if size is None:
            return None
        out.append((lo, hi, size))
    return sorted(out, key=lambda c: float(arb(c[0]).mid()))


def _line(columns: list[tuple[Any, Any, Any]]) -> Any:
    from flint import arb

    return sum((size * (hi - lo) * _bell(lo, hi) for lo, hi, size in columns), arb(0))


def _lift(half: Any, count: int) -> Any:
    """What leaving the real line costs, for all n < count."""
    from flint import arb

    return (half * half / 2 + half * arb(count).sqrt()).exp()


def _step(half: Any, columns: list[tuple[Any, Any, Any]], count: int, tol: Any) -> Any:
    """The step with `line / (exp(2 pi half/step) - 1)` about tol/4."""
    from flint import arb

    rate = (8 * _line(columns) * _lift(half, count) / tol + 2).log()
    slope = half / 2 + arb(count).sqrt()  # the ends: e^(t^2/2 + t sqrt n) <= e^(pi t/h)
    return (2 * arb.pi() * half / rate).min(arb.pi() / slope).min(arb(1))


def _short(step: Any) -> Any:
    """A number of five bits a little below: exact nodes, the same ones for many variances."""
    from flint import arb

    top = float(step.lower())
    exponent = 0
    while top * 2.0**exponent < 2.0**4:
        exponent += 1
    return arb((int(top * 2.0**exponent), -exponent))


def _panels(pieces: tuple[Any, ...], q: Any, count: int, tol: Any) -> Rule:
    """Gauss-Legendre panels on the half line, for s(x) and s(-x) together."""
    from flint import acb, arb

    from ...verify.evaluate import function
    from ...verify.gauss import nodes as panel_nodes
    from ...verify.gauss import panels
    from ...verify.growth import growth_of
    from ...verify.oned import kink_balls, pick, size_near
    from ...verify.safe import precision
    from ...verify.strips import COVER_BITS, ellipse

    dev = arb(q).sqrt()
    length, lost = _length(growth_of(pieces), dev, tol / 8)
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
        root_n = arb(count).sqrt()

        def bound(lo: Any, hi: Any, semi: Any, height: Any) -> Any:
            total = arb(0)
            centre = (lo + hi) / 2
            for sign in (1, -1):
                func = function(pick(pieces, sign * dev * centre.mid()).expr, x)
                size = ellipse(func, sign * dev * centre, dev * semi, dev * height)
                if size is None:
                    return None
                total += size
            lift = (height * height / 2 + height * root_n).exp()
            return total * lift * _bell(centre - semi, centre + semi)

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
