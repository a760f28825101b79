r"""E[f(u) g(v)] for two functions analytic in a strip: a lattice sum, one polynomial product.

With $x = jh$, $y = kh$ the density of correlation r > 0 is, up to a constant,
$e^{-x^2/(2(1+r))}\,e^{-y^2/(2(1+r))}\,e^{-r (x-y)^2/(2(1-r^2))}$, so the double sum is
$\sum_m T_m \sum_{j-k=m} F_j G_k$ and costs one multiplication of polynomials.  The error of the
trapezoid rule is the contour lemma of `derivations/identities/enclosure.md`, section 5.

In a strip exp(x) and sin(x^2) grow along the real axis; where no strip with a plain bound serves,
the bound is $M e^{\kappa x^2}$, and the density pays for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import acb, arb, fmpz, fmpz_poly
from sympy import Expr

from ...dyadic import scaled
from ...errors import Undecided
from ...precision import precision
from ...symbols import x
from ..evaluate import function
from ..functions.growth import growth_of
from ..functions.pieces import Piece
from ..functions.strips import COVER_BITS, outward, rectangle
from ..law import Law, cut
from ..safe import in_time

MOST_NODES = 100_000
MOST_TILTED = 600_000
"""The same where the bound grows: cos(x^3) oscillates, which no other rule bears better."""
_ROUND = 0.999
"""A hair below the computed step, so that rounding does not spoil the goal."""
_TILTS = (arb(0), arb(1) / 2, arb(3) / 4)
"""Shares of the largest tilt; at one the density would pay all it has."""
_NARROWER, _NEAR = 0.8205, 1.01
"""Seven times the first is a quarter: what the first widths of `_SHRINKS` end with comes again."""
_SHRINKS = tuple(2.0**-k for k in range(12))
"""A narrower strip has a smaller bound at its ends: e^h for sin(x)/x and a half width of h."""
_ROOM = 1.4
"""How much further out a tilted bound is looked for: its ends weigh more."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """|f| <= size exp(tilt x^2) on |Im x| <= half (x the real part, in deviations), |x| <= box."""

    half: Any
    size: Any


@dataclass(frozen=True, slots=True)
class _Weight:
    """What exp(tilt (x^2 + y^2)) makes of the density of correlation r > 0."""

    r: Any
    sigma: Any
    tilt: Any

    @property
    def most(self) -> int:
        """How many nodes are allowed."""
        return MOST_TILTED if self.tilt > 0 else MOST_NODES

    @property
    def spare(self) -> Any:
        """1 - 2 tilt (1 + r) > 0: what is left of the decay where it is slowest."""
        return 1 - 2 * self.tilt * (1 + self.r)

    @property
    def total(self) -> Any:
        """The integral over the plane."""
        return 1 / (self.spare * (1 - 2 * self.tilt * (1 - self.r))).sqrt()

    @property
    def line(self) -> Any:
        """1/sqrt(1 - 2 tilt sigma^2): the integral over y at x = 0, divided by the density."""
        return 1 / (1 - 2 * self.tilt * self.sigma**2).sqrt()

    def edge(self, length: Any) -> Any:
        """The same at x = length, divided by `line`."""
        rise = self.tilt * length**2 * (1 + (self.r * self.line) ** 2)
        return (rise - length**2 / 2).exp() / (2 * arb.pi()).sqrt()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A bound of a function on a strip of a height and half a length, None where there is none."""

    height: Any
    box: Any
    tilt: Any
    size: Any | None

    def tells(self, height: Any, box: Any, tilt: Any) -> bool:
        """Whether it is one for another strip, or says that there hardly is one."""
        if self.size is None:
            return bool(height >= self.height and box >= self.box)
        same = self.box == box and self.tilt == tilt
        return bool(same and height <= self.height < _NEAR * height)


@dataclass(frozen=True, slots=True)
class Lattice:
    """A lattice that serves: `nodes` of it on each axis, and `error` of all but its sum."""

    f: Piece
    g: Piece
    law: Law
    step: Any
    count: int
    error: Any
    tol: Any

    @property
    def nodes(self) -> int:
        """How often each function is called."""
        return 2 * self.count + 1

    def value(self) -> Any:
        """The enclosure (`arb`)."""
        return _sum(self) + arb(0, self.error)


def lattice(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Lattice | None:
    """The lattice to sum over, or None when the method does not apply or would be too large."""
    if len(f) > 1 or len(g) > 1 or law.q12 == 0:
        return None
    bound_f, bound_g = growth_of(f), growth_of(g)
    length, lost_x = cut(bound_f, bound_g, law, tol / 4)
    length_y, lost_y = cut(bound_g, bound_f, law.swapped(), tol / 4)
    length = length.max(length_y)
    s = law.scales()
    sigma = s.rest / s.s2
    same = f == g and law.q11 == law.q22 and law.m1 == law.m2
    r = abs(s.slope) / s.s2
    with precision(COVER_BITS):
        seen: tuple[list[_Seen], ...] = ([], [])
        for share in _TILTS:
            weight = _Weight(r, sigma, share / (2 * (1 + r)))
            box = (length + 4) * (1 if share == 0 else _ROOM / weight.spare.sqrt())
            for shrink in _SHRINKS:
                first = _strip(f[0], (s.m1, s.s1), weight, tol, box, shrink, seen[0])
                second = first
                if first is not None and not same:
                    second = _strip(g[0], (s.m2, s.s2), weight, tol, box, shrink, seen[1])
                if first is None or second is None:
                    break
                grid = _grid(first, second, weight, length, box, tol)
                if grid is not None:
                    step, count, error = grid
                    lost = (error + lost_x + lost_y).upper()
                    return Lattice(f[0], g[0], law, step, count, lost, tol)
    return None


def _grid(
    first: _Strip, second: _Strip, weight: _Weight, length: Any, box: Any, tol: Any
) -> tuple[Any, int, Any] | None:
    """`(step, count, error)`, or None where the box or the number of nodes is too small."""
    sizes, sigma = first.size * second.size, weight.sigma
    rate = (16 * (sizes + 1) / tol).log()
    step = _step(first, sigma, rate).min(_step(second, sigma, rate))
    step = (step.min(arb(1)) * _ROUND).mid()  # any exact number will do
    while length < box:  # the half-integer edges must be far enough for the ends of the contour
        count = int(float((length / step).mid())) + 1
        edge = (count + arb(1) / 2) * step
        if 2 * count + 1 > weight.most or not edge < box:
            return None
        error = _errors(first, second, step, edge, weight) * sizes
        if error < tol:
            return step, count, error
        length += arb(1) / 2
    return None


def _strip(
    piece: Piece,
    centre: tuple[Any, Any],
    weight: _Weight,
    tol: Any,
    box: Any,
    shrink: float,
    seen: list[_Seen],
) -> _Strip | None:
    """The strip that allows the largest step, from a decreasing list of widths.

    Of the mean and the deviation in `centre`.  Bounds of strips are added to `seen`.
    """
    mean, dev = centre
    even = mean == 0 and _parity(piece.expr) != 0  # then |f| is, and one half tells
    func, rate = function(piece.expr, x), (16 / tol).log()
    sigma, tilt = weight.sigma, weight.tilt
    half = sigma * (2 * rate).sqrt() * shrink
    best: _Strip | None = None
    best_step = arb(0)
    least = box * rate / (arb.pi() * weight.most)  # narrower, there would be too many nodes
    while half > least:
        if _useless(func, mean, dev * box, dev * half, 4 * rate, tilt * box**2):
            half = half * _NARROWER
            continue
        columns = min(160, max(16, int(float(box / half)) + 1)) // (2 if even else 1)
        height = dev * half
        found = [s for s in seen if s.tells(height, box, tilt)]
        if not found:
            size = _bound(func, mean, dev, (0 if even else -box, box), height, columns, tilt)
            found = [_Seen(height, box, tilt, size)]
            seen += found
        size = found[0].size
        if size is not None:
            candidate = _Strip(half.lower(), size)
            step = _step(candidate, sigma, rate + (size + 1).log())
            if best is None or step > best_step:
                best, best_step = candidate, step
            elif (best.size + 1).log() < 4 * rate:  # else a bound without use
                return best
        half = half * _NARROWER
    return best


def _bound(
    func: Any, mean: Any, dev: Any, ends: tuple[Any, Any], height: Any, columns: int, tilt: Any
) -> Any | None:
    """The supremum of |f| exp(-tilt x^2) on the strip, or None where f may be singular."""
    lo, hi = ends
    most, width = arb(0), (hi - lo) / columns
    for i in outward(mean / dev + lo, width, columns):
        left, right = lo + i * width, lo + (i + 1) * width
        part = rectangle(func, mean + dev * left, mean + dev * right, height, 6)
        if part is None:
            return None
        near = left.lower().max(-right.upper()).max(arb(0))
        most = most.max((part * (-tilt * near**2).exp()).upper())
    return most


def _useless(func: Any, mean: Any, reach: Any, height: Any, most: Any, tilt: Any) -> bool:
    """Whether |f| is too large somewhere on the upper edge: no bound on this strip serves."""
    for n in range(-8, 9):
        value = abs(func(acb(mean + reach * n / 8, height), False))
        if value.is_finite() and value.lower() > 1 and value.log() - tilt * (n / 8) ** 2 > most:
            return True
    return False


def _step(s: _Strip, sigma: Any, rate: Any) -> Any:
    """The step h with 2 pi a/h - a^2/(2 sigma^2) = rate."""
    a = s.half.min(sigma * (2 * rate).sqrt())
    return 2 * arb.pi() * a / (rate + a**2 / (2 * sigma**2))


def _errors(first: _Strip, second: _Strip, h: Any, length: Any, weight: _Weight) -> Any:
    """The trapezoid error divided by the two sizes: both variables, lines and ends."""
    pi, root, sigma = arb.pi(), (2 * arb.pi()).sqrt(), weight.sigma
    edge = weight.edge(length)
    total = arb(0)
    for s, mass, end_mass in (
        (first, weight.total, weight.line),
        (second, weight.total + h * weight.line / root, weight.line + h / (root * sigma)),
    ):
        a = s.half.min((2 * pi * sigma**2 / h).lower())
        line = 2 * (a**2 / (2 * sigma**2)).exp() / ((2 * pi * a / h).exp() - 1)
        total += line * mass + 4 * h / pi * edge * end_mass
    return total.upper()


def _sum(grid: Lattice) -> Any:
    law, h, count = grid.law, grid.step, grid.count
    s = law.scales()
    r, sigma = abs(s.slope) / s.s2, s.rest / s.s2
    weight = 1 / (2 * (1 + r))
    damp = [(-weight * (j * h) ** 2).exp() for j in range(count + 1)]

    def samples(piece: Piece, mean: Any, dev: Any) -> list[Any]:
        func, unit, out = function(piece.expr, x), dev * h, []
        parity = _parity(piece.expr) if mean == 0 else 0
        for j in range(-count, 1 if parity else count + 1):
            in_time()
            out.append(func(acb(mean + j * unit), False).real * damp[abs(j)])
        return out + [parity * value for value in out[-2::-1]] if parity else out

    fs = samples(grid.f, s.m1, s.s1)
    same = grid.f.expr == grid.g.expr and law.q11 == law.q22 and law.m1 == law.m2
    gs = fs if same else samples(grid.g, s.m2, s.s2)
    scale, quad = h**2 / (2 * arb.pi() * sigma), r * h**2 / (2 * sigma**2)
    turned = gs if law.q12 < 0 else gs[::-1]
    return _weighted(fs, turned, quad, grid.tol / scale / 8) * scale


def _parity(expr: Expr) -> int:
    """1 or -1 where the expression is seen to be even or odd, else 0."""
    turned = expr.subs(x, -x)
    return 1 if turned == expr else -1 if turned == -expr else 0


def _weighted(fs: list[Any], gs: list[Any], quad: Any, tol: Any) -> Any:
    """The sum over j, k of f_j g_k exp(-quad (j + k - last)^2), to about `tol`.

    The samples are rounded to a common power of two, so that their product is one of integer
    polynomials, which the wide range of the samples does not slow down; the error is bounded by
    sums of the moduli (section 5 of the lemmas).
    """
    size_f, size_g = (sum((abs(t) for t in ts), arb(0)).upper() for ts in (fs, gs))
    if not (size_f.is_finite() and size_g.is_finite()):
        raise Undecided("the activation has no finite value at a node")
    fine = tol / (8 * (size_f + size_g + 1) * len(fs))
    bits = max(8, 4 - int(float((fine.log() / arb(2).log()).lower())))
    ints_f, lost_f = _rounded(fs, bits)
    ints_g, lost_g = (ints_f, lost_f) if gs is fs else _rounded(gs, bits)
    product = (fmpz_poly(ints_f) * fmpz_poly(ints_g)).coeffs()
    error = lost_f * size_g + (size_f + lost_f) * lost_g
    centre, total, unit = len(fs) - 1, arb(0), arb(2) ** (-2 * bits)
    least = arb(2) ** (-2 * bits)
    for m in range(centre + 1):
        t = (-quad * m * m).exp()
        if t < least:
            error += t.upper() * size_f * size_g
            break
        pair = [product[n] for n in {centre + m, centre - m} if n < len(product)]
        total += t * int(sum(pair, fmpz(0)))
    return total * unit + arb(0, error.upper())


def _rounded(values: list[Any], bits: int) -> tuple[list[int], Any]:
    """Integers near 2^bits times the values, and a bound of the sum of the errors."""
    out, lost = [], arb(len(values)) * arb(2) ** -bits
    for value in values:
        out.append(scaled(value, bits))
        lost += value.rad()
    return out, lost.upper()
