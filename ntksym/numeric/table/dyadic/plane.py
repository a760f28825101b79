r"""Values of a dual and its derivative from a rule in the plane, with all their errors.

The `PanelRule` of one variance asks for s at $u = \sqrt q\,x$ and $v = \sqrt q(\rho x + \sigma z)$;
`plane_mesh` has s and s' as polynomials with a bound.  What the doubles of the geometry, the
weights and the sums are off by is counted
(`derivations/identities/quadrature.md`, section 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nextafter, pi, sqrt
from typing import Any

from ...arith import rounded_up
from ...patience import check
from ...quadrature.cells import cells
from ...quadrature.panels import PanelRule, panel_bounds
from ...quadrature.subject import BITS, Subject
from ...quadrature.sums import stretched
from .plane_mesh import UNIT, Mesh, mesh_of
from .polar import TURNED, Found

_SHIFT = 32
"""Units that u and v are off by, times the square root of q times the side of the square."""
_MORE = 1 + 1e-9
_CHUNK = 16_384
"""Values in one array: such arrays stay in the cache."""


@dataclass(frozen=True, slots=True)
class PlaneSums:
    """Both duals at every angle, for one variance.

    Attributes:
        rule: the cells and the points on them.
        mesh: s and s' as polynomials.
        ends: the duals of s and s' at rho = 1 and -1.
        parity: 1 or -1 where s is even or odd, else 0.
        bounds: the proven errors of the rule for the two.
        edges: what lies next to the kinks, where rounding moves a border.
    """

    rule: PanelRule
    mesh: Mesh
    ends: tuple[Found, Found]
    parity: int
    bounds: tuple[float, float]
    edges: tuple[float, float]

    @property
    def step(self) -> int:
        """As in `Sums`."""
        return 1

    @property
    def turned(self) -> int:
        """As in `Sums`."""
        return TURNED

    def at(self, tangent: float) -> tuple[Found, Found]:
        r"""The duals of s and s', $\rho = \cos\varphi \ge 0$, `tangent` is $\tan(\varphi/2)$."""
        if not tangent:
            return self.ends
        square = tangent * tangent
        rho, sigma = (1.0 - square) / (1.0 + square), 2.0 * tangent / (1.0 + square)
        plus = self._sums(rho, sigma)
        if self.parity:
            signs = self.parity, -self.parity
            minus = [(s * v, e) for s, (v, e) in zip(signs, plus, strict=True)]
        else:
            minus = self._sums(-rho, sigma)
        found = [
            Found(v, w, nextafter(max(e, d) * _MORE, inf))
            for (v, e), (w, d) in zip(plus, minus, strict=True)
        ]
        return found[0], found[1]

    def _sums(self, rho: float, sigma: float) -> list[tuple[float, float]]:
        """The duals of s and s' at rho, and their errors."""
        import numpy as np

        check()
        totals, sizes, blurs, count, most = np.zeros(2), np.zeros(2), np.zeros((2, 2)), 0, 0
        for (table, up), rows in self._rows(rho, sigma).items():
            t, wt = stretched(self.rule, table, up)
            step = max(1, _CHUNK // len(t))
            for at in range(0, rows.shape[1], step):
                value, size, blur = self._block(rows[:, at : at + step], t, wt, (rho, sigma))
                totals, sizes, blurs = totals + value, sizes + size, blurs + blur
                count += 1
            most = max(most, min(step, rows.shape[1]) + len(t))
        scale = (1 if not self.parity else 2) / (2.0 * pi)
        far = self.rule.length
        units = (16 * far * far + 64 + count + most) * UNIT
        out = []
        for which in (0, 1):
            one = self.ends[which].plus + self.ends[which].error + self.bounds[which]
            u, v = (sqrt(scale * b * _MORE) for b in blurs[:, which])
            error = sqrt(one) * (u + v) + u * v
            error += scale * float(sizes[which]) * units + self.bounds[which] + self.edges[which]
            out.append((scale * float(totals[which]), error * _MORE))
        return out

    def _rows(self, rho: float, sigma: float) -> dict[tuple[int, int], Any]:
        """By the points in z, of all values of x in all trapezoids: x, the border below, the
        height, the weight with the height, by how much that may be off, and both intervals.

        Of an even integrand only x >= 0 is taken.
        """
        import numpy as np

        dev = float(self.rule.top) ** 0.5
        found: dict[tuple[int, int], list[Any]] = {}
        for cell in cells(self.rule, dev, dev, rho, sigma, half=bool(self.parity)):
            s, ws = stretched(self.rule, cell.table_x, cell.across)
            x = cell.x0 + (cell.x1 - cell.x0) * s
            low = cell.low0 + (cell.low1 - cell.low0) * s
            first, last = cell.high0 - cell.low0, cell.high1 - cell.low1
            height = first + (last - first) * s
            rough = 1.0 + max(first, last) / height / 8.0  # it is off by 8 units of the larger
            outer = (cell.x1 - cell.x0) * height * ws * np.exp(-0.5 * x * x)
            kinds = np.full(len(s), float(cell.first)), np.full(len(s), float(cell.second))
            rows = np.stack((x, low, height, outer, rough, *kinds))
            found.setdefault((cell.table_z, cell.up), []).append(rows)
        return {key: np.concatenate(rows, axis=1) for key, rows in found.items()}

    def _block(self, rows: Any, t: Any, wt: Any, turn: tuple[float, float]) -> tuple[Any, Any, Any]:
        """For s and s': the sum, that of absolute values, those of squared errors at u and v."""
        import numpy as np

        x, low, height, outer, rough = rows[:5]
        first, second = rows[5:].astype(np.int64)
        dev, mesh, (rho, sigma) = float(self.rule.top) ** 0.5, self.mesh, turn
        z = height[:, None] * t
        z += low[:, None]
        piece, where = mesh.at(second[:, None], dev * ((rho * x)[:, None] + sigma * z))
        z *= z
        z *= -0.5
        inner = np.exp(z, out=z)
        inner *= wt
        mass = outer * inner.sum(axis=1)
        piece_u, where_u = mesh.at(first, dev * x)
        total, size, blur = np.zeros(2), np.zeros(2), np.zeros((2, 2))
        for which in (0, 1):
            terms = mesh.value(which, piece, where)
            terms *= inner
            one = outer * mesh.value(which, piece_u, where_u)
            total[which] = np.sum(one * terms.sum(axis=1))
            size[which] = np.sum(np.abs(one * rough) * np.abs(terms, out=terms).sum(axis=1))
            spoilt = np.einsum("ij,ij->i", inner, np.take(mesh.blur[which], piece))
            blur[:, which] = np.sum(mass * mesh.blur[which][piece_u]), np.sum(outer * spoilt)
        return total, size, blur


def plane_sums(
    subject: Subject, rule: PanelRule, ends: tuple[Found, Found], parity: int
) -> PlaneSums:
    """The sums of a rule for one variance.

    Args:
        subject: s and s' by their pieces.
        rule: nodes, for variances up to this one.
        ends: both duals at rho = 1 and -1.
        parity: 1 or -1 where s is even or odd, else 0.

    Raises:
        Undecided: as `mesh_of`.
    """
    from flint import arb

    from ....precision import precision
    from ...quadrature.intervals import allowed
    from ...quadrature.lattice import deviation
    from ...quadrature.panels import farthest

    with precision(BITS):
        dev = deviation(rule.top)
        sizes = allowed(subject, dev, farthest(dev, rule.length))
        bounds = [rounded_up(b) for b in panel_bounds(rule, subject, trapezoids=True)]
        shift = rounded_up(dev * arb(rule.length) * (_SHIFT * UNIT))
        edges = [rounded_up(_edges(subject, which, sizes[which], (dev, shift))) for which in (0, 1)]
    mesh = mesh_of(rule, subject, sizes, shift)
    return PlaneSums(rule, mesh, ends, parity, (bounds[0], bounds[1]), (edges[0], edges[1]))


def _edges(subject: Subject, which: int, size: Any, law: tuple[Any, float]) -> Any:
    """What moved borders can change in the dual of s or s' (`arb`)."""
    from flint import acb, arb

    from ....symbols import x
    from ....verify.evaluate import function
    from ...quadrature.intervals import kink_balls

    dev, shift = law
    total = arb(0)
    pieces = (subject.value, subject.slope)[which].pieces
    for i, kink in enumerate(kink_balls(subject)):
        near = kink + arb(0, 2 * shift)
        left, right = (function(p.expr, x)(acb(near), False).real for p in pieces[i : i + 2])
        jump = abs(right - left).upper()
        weight = (-(abs(near).lower() ** 2) / (4 * dev * dev)).exp()
        total += 6 * jump * size * weight * arb("1.2") * shift / dev
    return total
