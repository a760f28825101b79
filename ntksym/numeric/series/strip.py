r"""Trapezoid rules for $\int s(\sqrt q\,x)\,h_n(x)\,\varphi(x)\,dx$, for all n and q of a range.

One variance is a range too.  On $\mathrm{Im}\,x = b$, $|h_n(x)| \le e^{\mathrm{Re}(x)^2/4 +
|b|\sqrt n}$ and $|\varphi(x)| = \varphi(\mathrm{Re}\,x)\,e^{b^2/2}$
(derivations/identities/series.md, 1): the integrand decays like $e^{-x^2/4}$ for every n.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...errors import NotSquareIntegrable, Undecided
from ...symbols import x

MOST_NODES = 60_000
THINNER = 0.7
"""The factor by which the widths of the strips fall that are tried."""
_COLUMN = 0.5
_LENGTHS = 400
_TRIES = 60
Columns = list[tuple[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Span:
    r"""The least and the largest sqrt(q) (`arb`), and the pieces of the function.

    With `squared` rules are for $\int s(\sqrt q\,x)^2\varphi(x)\,dx$, for a `count` of 0: the
    function is $s^2e^{-x^2/4}$, and on $\mathrm{Im}\,x = b$ the exponential grows by $e^{b^2/2}$.
    """

    pieces: tuple[Any, ...]
    low: Any
    high: Any
    squared: bool = False

    def ends(self, lo: Any, hi: Any) -> tuple[Any, Any]:
        """What sqrt(q) [lo, hi] sweeps."""
        return (self.low * lo).min(self.high * lo), (self.low * hi).max(self.high * hi)

    def tail(self, length: Any) -> Any:
        r"""A bound of $\int_{|x|>\ell}|s(\sqrt q x)|e^{-x^2/4}/\sqrt{2\pi}\,dx$ for all q.

        With `squared` of $\int_{|x|>\ell}s(\sqrt q x)^2e^{-x^2/2}/\sqrt{2\pi}\,dx$.

        Raises:
            NotSquareIntegrable: E[s(u)^2] is infinite at the largest variance.
        """
        from flint import arb

        g, power = _growth(self.pieces).exponential(1 / self.high), 1 + self.squared
        rate = power * g.b.max(arb(0)) * self.high
        bend = arb(1) / 4 - (g.a * self.high * self.high).max(g.a * self.low * self.low)
        bend = power * bend
        if not bend > 0:
            raise NotSquareIntegrable(
                "E[s(u)^2] is not finite at this variance",
                hint="smaller variances: |s(x)| <= c exp(a x^2) needs 4 a q < 1",
            )
        root, centre = bend.sqrt(), rate / (2 * bend)
        both = (root * (length - centre)).erfc()
        return (g.c**power * (rate * centre / 2).exp() * both / (root * arb(2).sqrt())).upper()

    def size(self, most: Any, lo: Any, hi: Any) -> Any:
        """A bound of the function on the x with a real part in [lo, hi], |s| being at most `most`.

        The factor that leaving the real line costs, and that of `bell`, are left out.
        """
        from flint import arb

        if not self.squared:
            return most
        return (most * most * bell(lo, hi) * (2 * arb.pi()).sqrt()).upper()

    def length(self, tol: Any) -> tuple[Any, Any]:
        """Where the integral is cut, and what that loses.

        Raises:
            Undecided: no length does.
        """
        from flint import arb

        for k in range(8, _LENGTHS):
            if (lost := self.tail(arb(k) / 2)) < tol:
                return arb(k) / 2, lost
        raise Undecided("no length of the integral makes its tail small")


@lru_cache(maxsize=64)
def _growth(pieces: tuple[Any, ...]) -> Any:
    """A certificate of growth, kept: many lengths are tried."""
    from ...verify.functions.growth import growth_of

    return growth_of(pieces)


def bell(lo: Any, hi: Any) -> Any:
    """The supremum of exp(-t^2/4)/sqrt(2 pi) on [lo, hi]."""
    from flint import arb

    near = lo if lo > 0 else (hi if hi < 0 else arb(0))
    return ((-near * near / 4).exp() / (2 * arb.pi()).sqrt()).upper()


def lift(half: Any, count: int) -> Any:
    """What leaving the real line costs, for all n < count."""
    from flint import arb

    return (half * half / 2 + half * arb(count).sqrt()).exp()


def equal_steps(span: Span, count: int, tol: Any, thinner: float) -> tuple[Any, int, Any] | None:
    """`(step, J, error)` of the rule at j step, |j| <= J; None where no strip is useful.

    Strips whose widths fall by the factor `thinner` are tried.

    Raises: as `Span.length`.
    """
    from flint import arb

    from ...precision import precision
    from ...verify.evaluate import function
    from ...verify.functions.strips import COVER_BITS

    length, lost = span.length(tol / 8)
    with precision(COVER_BITS):
        func = function(span.pieces[0].expr, x)
        best: tuple[Any, Any, Columns] | None = None
        half, reach = (2 * (16 / tol).log()).sqrt(), length + 4
        for _ in range(_TRIES):
            columns = _columns(func, span, reach, half)
            if columns is not None:
                step = _step(half, columns, count, tol)
                if best is not None and not step > best[0]:
                    break
                best = step, half, columns
            half = half * thinner
        if best is None:
            return None
        step, half, columns = _short(best[0]), best[1], best[2]
        line = 2 * _line(columns) * lift(half, count)
        while True:
            many = int(float((length / step).upper())) + 1
            edge = (many + arb(1) / 2) * step
            if not edge < reach or many > MOST_NODES:
                return None
            ends = columns[0][2] + columns[-1][2]
            for lo, hi, size in columns:  # sup |s| near the two ends
                if abs(lo).max(abs(hi)) > length - 1:
                    ends = ends.max(2 * size)
            error = line / ((2 * arb.pi() * half / step).exp() - 1)
            error += ends * bell(edge, edge) * 2 * step / arb.pi()
            if error < tol / 2:
                return step, many, (error + lost).upper()
            length += arb(1) / 2
            if not length < reach:
                return None


def widest(span: Span, tol: Any, thinner: float) -> Any | None:
    """Half the widest strip of those `equal_steps` tries in which s is analytic, None for none."""
    from ...precision import precision
    from ...verify.evaluate import function
    from ...verify.functions.strips import COVER_BITS

    reach = span.length(tol / 8)[0] + 4
    with precision(COVER_BITS):
        func = function(span.pieces[0].expr, x)
        half = (2 * (16 / tol).log()).sqrt()
        for _ in range(_TRIES):
            if _columns(func, span, reach, half) is not None:
                return half
            half = half * thinner
    return None


def decay(pieces: tuple[Any, ...], dev: Any, tol: Any) -> float:
    r"""About the r of $a_n^2\approx e^{-r\sqrt n}$ at one deviation, from the widest strip.

    It is rather too large; 0 with kinks, or where no strip is shown.
    """
    half = widest(Span(pieces, dev, dev), tol, THINNER) if len(pieces) == 1 else None
    return 0.0 if half is None else 2 * float(half) / THINNER


def _columns(func: Any, span: Span, reach: Any, half: Any) -> Columns | None:
    """`(lo, hi, sup |s|)` over columns of the strip |Im| <= half; None if s is singular."""
    from ...verify.functions.strips import rectangle

    many = 2 * int(float((reach / _COLUMN).upper()))
    width = 2 * reach / many
    out = []
    for i in sorted(range(many), key=lambda i: abs(2 * i + 1 - many)):  # the middle first
        lo, hi = -reach + i * width, -reach + (i + 1) * width
        size = rectangle(func, *span.ends(lo, hi), span.high * half, 6)
        if size is None:
            return None
        out.append((i, (lo, hi, span.size(size, lo, hi))))
    return [column for _, column in sorted(out, key=lambda pair: pair[0])]


def _line(columns: Columns) -> Any:
    from flint import arb

    return sum((size * (hi - lo) * bell(lo, hi) for lo, hi, size in columns), arb(0))


def _step(half: Any, columns: Columns, count: int, tol: Any) -> Any:
    """The step with `line / (exp(2 pi half/step) - 1)` about tol/4."""
    from flint import arb

    rate = (8 * _line(columns) * lift(half, count) / tol + 2).log()
    slope = half / 2 + arb(count).sqrt()  # the ends: e^(t^2/2 + t sqrt n) <= e^(pi t/h)
    return (2 * arb.pi() * half / rate).min(arb.pi() / slope).min(arb(1))


def _short(step: Any) -> Any:
    """A number of five bits a little below: exact nodes, the same ones for many variances."""
    from flint import arb

    top, exponent = float(step.lower()), 0
    while top * 2.0**exponent < 2.0**4:
        exponent += 1
    return arb((int(top * 2.0**exponent), -exponent))
