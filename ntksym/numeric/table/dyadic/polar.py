r"""Values of a dual and its derivative from a polar rule, with all their errors: nodes of a table.

A `FanRule` asks for the activation at $e^{y}$, $y = \xi_j + \log\sin t_k + \log\sqrt q$.  On either
side $f(\pm e^y)$ is a polynomial in y on every interval of the width of a step of $\xi$: its
coefficients come from balls at Chebyshev points, its error from the bound in the sector on which
the rule rests.  So an angle $\varphi$ costs a product of matrices in doubles and one sum; their
rounding is counted term by term (`derivations/identities/quadrature.md`, section 7).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, floor, inf, log, nextafter
from typing import Any

from ....errors import Undecided
from ...arith import rounded_up
from ...patience import check
from ...quadrature.fan import FanRule, covered, fan_bounds, node_tables, size_of
from ...quadrature.lattice import deviation
from ...quadrature.sector import sides_of
from ...quadrature.subject import Curve, Subject

UNIT = 2.0**-53
_LIFT = "0.45"
"""How far from the real line a piece is bounded, at most."""
_CHUNK = 64
_ROWS = 8
_TERMS = 8192
_BITS = 128
_OFF = 40
"""Units that log sin t is off by: of the sine's argument 16, twice that of the sine, the log.

The sine, the logarithm and the arc tangent may be off by 4 units in the last place."""
TURNED = 9
"""Units that an angle is off by: of a node and of functions in doubles."""
_TERM = 64
"""Units of a term: its two values, two weights, four products, L."""
_SUMMED = 32


@dataclass(frozen=True, slots=True)
class Found:
    """The dual at one angle.

    Attributes:
        plus: at rho.
        minus: at -rho.
        error: of either, in all.
    """

    plus: float
    minus: float
    error: float


@dataclass(slots=True)
class _Side:
    """Pieces of f(e^y) from the top down: Chebyshev coefficients and bounds, grown on demand.

    Both are there as lists, and as arrays, of the coefficients by power.
    """

    expr: Any
    rows: list[Any] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    tables: tuple[Any, Any] | None = None


@dataclass(frozen=True, slots=True)
class PolarSums:
    """Sums of a polar rule for one variance.

    Attributes:
        rule: the nodes.
        sizes: of s and s', as the rule rests on them.
        bounds: the proven errors of the rule for the two.
        top: the largest y, a double.
        sides: for s and s' the functions of the distance, left and right.
        degree: of the pieces.
        radius: the parameter of the ellipse on which they are bounded.
        nodes: angles k, radii j of every term, k >= 0, and its weight.
    """

    rule: FanRule
    sizes: tuple[Any, Any]
    bounds: tuple[float, float]
    top: float
    sides: tuple[tuple[_Side, _Side], tuple[_Side, _Side]]
    degree: int
    radius: float
    nodes: tuple[Any, Any, Any, Any]

    @property
    def step(self) -> int:
        """As in `Sums`."""
        return 1

    @property
    def turned(self) -> int:
        """As in `Sums`: the arc tangent is off by 4."""
        return TURNED

    @property
    def units(self) -> float:
        """What a term and the sum of all terms are off by, relatively, but for their values."""
        depth = ceil(log(len(self.nodes[3]), _SUMMED)) + 1
        return (_TERM + 2 * (self.degree + 4) + _SUMMED * depth) * UNIT

    def at(self, tangent: float) -> tuple[Found, Found]:
        r"""The duals of s and s', $\rho = \cos\varphi \ge 0$, `tangent` is $\tan(\varphi/2)$."""
        import numpy as np

        check()
        angle = float(2.0 * np.arctan(tangent))
        totals = [[0.0, 0.0, 0.0] for _ in range(2)]
        for turned, wide in ((False, np.pi - angle), (True, angle)):
            if wide == 0.0:
                continue
            for which, (same, cross, error) in enumerate(self._quadrants(angle, turned)):
                total = totals[which]
                total[turned] += wide * same
                total[not turned] += wide * cross
                total[2] += wide * error
        found = []
        for (plus, minus, error), bound in zip(totals, self.bounds, strict=True):
            found.append(Found(plus, minus, nextafter(error * (1 + 1e-9) + bound, inf)))
        return found[0], found[1]

    def _quadrants(self, angle: float, turned: bool) -> list[tuple[float, float, float]]:
        """For s and s': the sums of equal signs and of unequal ones, and their error; over L."""
        import numpy as np

        share, k, j, weight = self.nodes
        wide = angle if turned else np.pi - angle
        near = np.sin(wide * share)
        far = np.sin(wide * (1.0 - share)) if turned else np.sin(angle + wide * share)
        step = self.rule.step_r
        out = []
        index, bases = [], []
        for sine in (near, far):
            depth = -np.log(np.minimum(sine, 1.0)) / step
            whole = np.floor(depth)
            index.append(whole.astype(np.int64)[k] + j)
            place = 2.0 * (depth - whole) - 1.0
            bases.append(np.polynomial.chebyshev.chebvander(place, self.degree))
        count = 1 + int(max(i.max() for i in index))
        where = [k * count + at for at in index]
        parity, signs = self.rule.parity, (self.rule.parity, -self.rule.parity)
        every = np.empty((2 if parity else 4, len(bases[0]), count))
        for which, (left, right) in enumerate(self.sides):
            known = [self._grown(s, which, count) for s in ((right,) if parity else (left, right))]
            for values, (table, basis) in zip(
                every, ((known_of[0], b) for known_of in known for b in bases), strict=True
            ):
                for row in range(0, len(basis), _ROWS):  # small products: one thread
                    part = slice(row, row + _ROWS)
                    np.matmul(basis[part], table[:, :count], out=values[part])
            sums = []
            for start in range(0, len(weight), _TERMS):  # small arrays: they stay in the cache
                part = slice(start, start + _TERMS)
                w, flat, at = weight[part], [i[part] for i in where], [i[part] for i in index]
                f = [np.take(v, flat[m % 2]) for m, v in enumerate(every)]
                g = [np.take(tops, i) for _, tops in known for i in at]
                if parity:
                    same, size = 2.0 * _sum(w * (f[0] * f[1])), 2.0 * _sum(w * (g[0] * g[1]))
                    sums.append((same, signs[which] * same, size))
                else:
                    same = _sum(w * (f[0] * f[1] + f[2] * f[3]))
                    cross = _sum(w * (f[0] * f[3] + f[2] * f[1]))
                    sums.append((same, cross, _sum(w * ((g[0] + g[2]) * (g[1] + g[3])))))
            same, cross, size = (_sum(column) for column in np.array(sums).T)
            out.append((same, cross, size * self.units))
        return out

    def _grown(self, side: _Side, which: int, count: int) -> tuple[Any, Any]:
        """Coefficients of the first `count` pieces, and what bounds values and their errors."""
        import numpy as np

        if side.tables is None or len(side.most) < count:
            while len(side.most) < count:
                for _ in range(_CHUNK):
                    row, most = self._piece(side, which, len(side.most))
                    side.rows.append(row)
                    side.most.append(most)
            side.tables = np.array(side.rows).T.copy(), np.array(side.most)
        return side.tables

    def _piece(self, side: _Side, which: int, index: int) -> tuple[Any, float]:
        r"""On $y = top - (index + (x + 1)/2)\,h$: coefficients and a number M.

        Values are at most M - E, and those from the doubles are off by at most `units` E.
        """
        import numpy as np
        from flint import acb, arb, arb_mat

        from ....precision import precision
        from ....verify.evaluate import function
        from ....verify.functions.ends import DISTANCE
        from ..variable import lebesgue, nodes, transform

        count = self.degree + 1
        if side.expr == 0:
            return np.zeros(count), 0.0
        size = self.sizes[which]
        bits = _BITS
        while True:
            with precision(bits):
                step = arb(self.rule.step_r)
                high = arb(self.top) - index * step
                at = [(high - (x + 1) / 2 * step).exp() for x in nodes(count, bits)]
                func = function(side.expr, DISTANCE)
                values = [func(acb(s), False).real for s in at]
                whole = max(abs(v).upper() for v in values)
                blur = max(arb(v.rad()) for v in values)
                if blur <= whole * arb(2) ** -80 or bits >= 16 * _BITS:
                    break
            bits *= 2
        with precision(_BITS):
            radius = arb(self.radius)
            reach = (radius + 1 / radius) / 2 - 1
            ends = (high + reach * step / 2).exp(), (high - (1 + reach / 2) * step).exp()
            gamma = arb(self.rule.rate) / (2 * deviation(self.rule.top) ** 2)
            power = arb(size.power)
            bound = size.wide * (ends[0] ** power).max(ends[1] ** power)
            bound = bound * (gamma * ends[0] * ends[0]).exp()
            lost = 4 * bound * radius**-self.degree / (radius - 1) + blur * lebesgue(count)
            found = transform(count, _BITS) * arb_mat([[v.mid()] for v in values])
            row = [float(found[i, 0].mid()) for i in range(count)]
            total = sum((abs(found[i, 0]).upper() for i in range(count)), arb(0))
            slope = sum((i * i * abs(found[i, 0]).upper() for i in range(count)), arb(0))
            # the recurrence of the Chebyshev polynomials: section 7 of `table_bound.md`
            steps = sum(
                (2 * (i + 1) ** 2 * abs(found[i, 0]).upper() for i in range(2, count)), total
            )
            # y is off by the error of log sin t, of the quotient and of the whole part
            off = _OFF + 4 * abs(float(self.top)) + 4 * index * self.rule.step_r
            lost += slope * (2 * off / self.rule.step_r) * UNIT + steps * UNIT
            return np.array(row), rounded_up(total + lost / self.units)


def polar_sums(subject: Subject, variance: Any, rule: FanRule) -> PolarSums:
    """The sums of a rule for one variance q (an exact number).

    Raises:
        Undecided: the rule reaches farther than the bounds in its sectors.
    """
    import numpy as np
    from flint import arb

    from ....precision import precision
    from ...quadrature.subject import BITS

    share, weights, radii = node_tables(rule)
    k = np.concatenate([np.arange(most + 1) for most in rule.reach])
    j = np.concatenate([np.full(most + 1, i) for i, most in enumerate(rule.reach)])
    weight = np.array(weights)[k] * np.array(radii[1::2])[j] * np.where(k > 0, 2.0, 1.0)
    curves: tuple[Curve, Curve] = subject.value, subject.slope
    with precision(BITS):
        sizes = [size_of(c, rule.top, rule.wide, rule.turn, rule.rate) for c in curves]
        assert sizes[0] is not None and sizes[1] is not None
        bounds = [rounded_up(b) for b in fan_bounds(rule, subject)]
        top = float((arb(rule.start) + deviation(variance).log()).mid())
        lift = min(float(_LIFT), float(rule.wide))
        semi = arb(lift) / (arb(rule.step_r) / 2)
        radius = floor(float((semi + (semi * semi + 1).sqrt()).lower()) * 1024) / 1024
        farthest = ((arb(radius) + 1 / arb(radius)) / 2 - 1) * arb(rule.step_r) / 2 + rule.start
        if not farthest.exp() < covered():
            raise Undecided("the rule reaches beyond what is known of the activation")
    spread = max(float(s.wide) for s in sizes if s is not None)
    degree = max(6, ceil((log(4 * spread + 4) + 40.0) / log(radius)))
    sides = [tuple(_Side(e) for e in sides_of(c)) for c in curves]
    return PolarSums(
        rule,
        (sizes[0], sizes[1]),
        (bounds[0], bounds[1]),
        top,
        ((sides[0][0], sides[0][1]), (sides[1][0], sides[1][1])),
        degree,
        radius,
        (np.array(share), k, j, weight),
    )


def _sum(terms: Any) -> float:
    """The sum, in groups: whatever the order inside, at most `_SUMMED` roundings a group."""
    import numpy as np

    while terms.size > 1:
        more = -terms.size % _SUMMED
        terms = np.append(terms, np.zeros(more)).reshape(-1, _SUMMED).sum(axis=1)
    return float(terms[0])
