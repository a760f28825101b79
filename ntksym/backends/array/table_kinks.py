r"""A `KinkTable` for JAX, PyTorch and NumPy gradients: Chebyshev sums, a closed part with slopes.

The closed part is $E[p(u)p(v)]$, p truncated powers with a cutoff, from the table of moments
$M_{ij} = E[w\,(u-k)_+^i(v-m)_+^j]$ (`numeric/table/split/closed.py`).  With $f'$ the derivative
almost everywhere and $f_k$ the jump at k, so that $Df = f' + \sum f_k\delta_k$,

- $\partial_{q_{12}}E[f(u)f(v)] = E[Df(u)Df(v)]$ (R. Price 1958),
- $2q_{11}\partial_{q_{11}}E[f(u)f(v)] = E[u\,Df(u)f(v)] - q_{12}\partial_{q_{12}}$ (dilation of u),

and $u f'(u)$ has the coefficients of $f'$ times k, and shifted.  The law of v where u = k is one of
the two that the moments need.  f is p for the value, $p'$ for the derivative dual.  Where u and v
have the same kink and coincide, $\delta_k(u)\delta_m(v)$ is infinite: 0 is taken, the mean of the
two one-sided limits in the angle.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from ...numeric.table.split.kinks import KinkTable
from ..numpy.table.kinks import notes
from .chebyshev import CHEBYSHEV
from .table import table_text

_ENTRIES = 4096
"""Pairs of kinks times entries that are worked on at once."""


@dataclass(frozen=True, slots=True)
class ArrayKinks:
    """A table of kinks away from 0 as functions of arrays with derivatives.

    Attributes:
        table: the numbers.
    """

    table: KinkTable

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the table, and what is known of the derivatives."""
        jumps = any(row[0] for row in self.table.closed.value)
        said = "" if jumps else "that of the value in q12 is the derivative dual; "
        return (
            *notes(self.table, self.table.far),
            f"Derivatives: {said}those of the closed part",
            "are closed, all others differentiate the sums: no bound is proven for them.",
        )

    def text(self, stem: str) -> str:
        """Python: `<stem>_value`, `<stem>_partials`, `<stem>_diag_value`, `<stem>_diag_partials`.

        The first two take (q11, q12, q22, root), the others q.
        """
        closed, up = self.table.closed, stem.upper()
        pairs = tuple(product(range(len(closed.kinks)), repeat=2))
        jumps = any(row[0] for row in closed.value)
        text = table_text(
            self.table.far, f"{stem}_far", CHEBYSHEV, (False, False), kinks=False, jumps=jumps
        )
        text += f"\n\n_{stem}_far = _pair_rule({stem}_far_value, {stem}_far_partials)\n"
        places = tuple(tuple(closed.kinks[pair[side]] for pair in pairs) for side in (0, 1))
        text += f"{up}_PLACES = {places!r}\n{up}_PAIRS = {pairs!r}\n"
        turns = tuple(_slope(row, closed.alpha) for row in closed.slope)
        for label, rows in (("VALUE", closed.value), ("DOT", closed.slope), ("TURN", turns)):
            text += f"{up}_OF_{label} = {rows!r}\n"
        body = _TEXT.replace("@ORDER@", str(len(closed.slope[0]))).replace(
            "@BLOCK@", str(max(_ENTRIES // len(pairs), 64))
        )
        body = body.replace("@ALPHA@", repr(closed.alpha))
        return text + body.replace("@STEM@", stem).replace("@UP@", up)


def _slope(row: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    """The coefficients of the derivative almost everywhere of y_+^j exp(-alpha y^2/2)."""
    out = [0.0] * (len(row) + 1)
    for j, c in enumerate(row):
        if j:
            out[j - 1] += j * c
        out[j + 1] -= alpha * c
    return tuple(out)


_TEXT = '''

def _@STEM@_filled(rows, wide):
    return [(*row, *(0.0,) * (wide - len(row))) for row in rows]


def _@STEM@_grown(rows):
    """The coefficients of u times a function of these."""
    kinks = @UP@_PLACES[1][: len(rows)]  # of the pairs of the first kink
    lines = [zip((*row, 0.0), (0.0, *row)) for row in rows]
    return [tuple(k * a + b for a, b in line) for k, line in zip(kinks, lines)]


def _@STEM@_paired(tables, side, wide, like):
    """The coefficients [table, power, pair], of the kink of u (side 0) or of v."""
    filled = [_@STEM@_filled(table, wide) for table in tables]
    rows = [[[f[pair[side]][j] for pair in @UP@_PAIRS] for j in range(wide)] for f in filled]
    return _constants(rows, like)


def _@STEM@_held(top, over, root, dev):
    """The mean of v where u is at its kink, over its deviation: a large number for infinity."""
    some = root > 0.0
    edge = _where(top > 0.0, 40.0, _where(top < 0.0, -40.0, 0.0)) + 0.0 * over
    inside = _max(_min(_where(some, top, 0.0) * over / dev, 40.0), -40.0)
    return _where(some, inside, edge)


def _@STEM@_edge(at, mean, variance, dev, count):
    """E[y^j; y > 0], j < count, for y of this mean and variance, at = mean/dev."""
    def step(j, now, last):
        return mean * now + (j - 1) * variance * last

    none = _Phi(at)
    one = mean * none + dev * 0.3989422804014327 * _exp(-0.5 * at * at)
    return _sequence(count, step, none, one)


def _@STEM@_moments(wide, q11, q12, q22, root):
    """The moments [i, j, pair, entry]; the densities at the kinks, and the laws beside them."""
    k, m = (_along(places, root) for places in @UP@_PLACES)
    over_root = _where(root > 0.0, 1.0 / _where(root > 0.0, root, 1.0 + 0.0 * root), 0.0 * root)
    det = root * root
    first, second = q11 + @ALPHA@ * det, q22 + @ALPHA@ * det
    size = 1.0 + @ALPHA@ * (q11 + second)
    sign = _where(q12 < 0.0, -1.0 + 0.0 * q12, 1.0 + 0.0 * q12)
    r1, r2, f1, f2, up = (_sqrt(v) for v in (q11, q22, first, second, size))
    gap, level = k * r2 - sign * m * r1, 1.0 / (r1 * r2 + _abs(q12))
    top = sign * (r1 * gap - k * det * level)
    bottom = -r2 * gap - sign * m * det * level
    a = _@STEM@_held(top, over_root, root, f1)
    b = _@STEM@_held(bottom, over_root, root, f2)
    mu = (@ALPHA@ * q12 * m - (1.0 + @ALPHA@ * q22) * k) / size
    om = (@ALPHA@ * q12 * k - (1.0 + @ALPHA@ * q11) * m) / size
    fall = k * (k + @ALPHA@ * (k * q22 - m * q12)) + m * (m + @ALPHA@ * (m * q11 - k * q12))
    fall = -0.5 * @ALPHA@ * fall / size
    h, g = mu * up / f1, om * up / f2
    over = 0.3989422804014327 * _exp(fall - 0.5 * h * h) / f1
    under = 0.3989422804014327 * _exp(fall - 0.5 * g * g) / f2
    s11, s12, s22 = first / size, q12 / size, second / size
    along = _@STEM@_edge(a, top / first, det / first, root / f1, wide)
    across = _@STEM@_edge(b, bottom / second, det / second, root / f2, wide)
    none = _exp(fall) / up * _Phi2(h, g, q12 + 0.0 * h, root * up + 0.0 * h)
    powers = _along([float(j) for j in range(wide)], none)
    lowest = _along([1.0] + [0.0] * (wide - 1), none)

    def across_the_row(j, now, last):
        return om * now + s12 * over * along[j - 1] + (j - 1) * s22 * last

    def grown(i, row, more):
        lower = powers * _joined((0.0 * row[:1], row[:-1]))
        return mu * row + s12 * lower + more + lowest * (s12 * under * across[i - 1])

    one = om * none + s12 * over * along[0] + s22 * under * across[0]
    row = _sequence(wide, across_the_row, none, one)
    second = grown(1, row, s11 * over * along)
    rows = _sequence(wide, lambda i, now, last: grown(i, now, (i - 1) * s11 * last), row, second)
    apart = _max(_min(gap * over_root, 100.0), -100.0)
    both = 0.15915494309189535 * over_root * _exp(-0.5 * apart * apart - sign * k * m * level)
    return rows, over, under, both, along, across


def _@STEM@_closed(*at):
    """The duals of what was taken out at the kinks."""
    table, like = _@STEM@_moments(@ORDER@, *at)[0], at[3]
    tables = @UP@_OF_VALUE, @UP@_OF_DOT
    left, right = (_@STEM@_paired(tables, side, @ORDER@, like) for side in (0, 1))
    return _einsum("tijp,ijpn->tn", _einsum("tip,tjp->tijp", left, right), table)


def _@STEM@_slopes(*at):
    """For both: the slope in q12, and E[u Df(u) f(v)], E[f(u) v Df(v)]."""
    wide, like = @ORDER@ + 2, at[3]
    table, over, under, both, along, across = _@STEM@_moments(wide, *at)
    kinks = [_along(places, like) for places in @UP@_PLACES]
    out = []
    for f, turned in ((@UP@_OF_VALUE, @UP@_OF_DOT), (@UP@_OF_DOT, @UP@_OF_TURN)):
        grown = _@STEM@_grown(turned)
        left = _@STEM@_paired((turned, grown, f), 0, wide, like)
        right = _@STEM@_paired((turned, f, grown), 1, wide, like)
        smooth = _einsum("tijp,ijpn->tn", _einsum("tip,tjp->tijp", left, right), table)
        with_k = over * _einsum("tjp,jpn->tpn", right[:2], along)
        with_m = under * _einsum("tip,ipn->tpn", _joined((left[:1], left[2:])), across)
        jump, other = (_@STEM@_paired((f,), side, wide, like)[0, 0][:, None] for side in (0, 1))
        slope = jump * with_k[0] + other * with_m[0] + jump * other * both
        out.append(smooth[0] + slope.sum(0))
        out.append(smooth[1] + (kinks[0] * jump * with_k[1]).sum(0))
        out.append(smooth[2] + (kinks[1] * other * with_m[1]).sum(0))
    return _stacked(out)


def @STEM@_value(q11, q12, q22, root):
    """The pair (nngp, dot); NaN outside the range of the table."""
    nngp, dot = _@STEM@_far(q11, q12, q22, root)
    more = _in_blocks(_@STEM@_closed, (q11, q12, q22, root), @BLOCK@)
    return nngp + more[0], dot + more[1]


def @STEM@_partials(q11, q12, q22, root):
    """The derivatives of nngp and of dot in q11, q12, q22; none in root, which follows."""
    root = _held(root, q11, q12, q22)
    far = @STEM@_far_partials(q11, q12, q22, root)
    near = _in_blocks(_@STEM@_slopes, (q11, q12, q22, root), @BLOCK@)
    return tuple(
        (
            of[0] + 0.5 * (with_u - q12 * slope) / q11,
            of[1] + slope,
            of[2] + 0.5 * (with_v - q12 * slope) / q22,
            0.0 * root,
        )
        for of, (slope, with_u, with_v) in zip(far, (near[:3], near[3:]))
    )


def @STEM@_diag_value(q):
    """The pair (nngp, dot) for u = v with variance q."""
    return @STEM@_far_diag_value(q)


def @STEM@_diag_partials(q):
    """Their derivatives in q."""
    return @STEM@_far_diag_partials(q)
'''
