r"""Chebyshev coefficients of a bilinear series in doubles, with a bound of all rounding.

$R = \sum_n(b_nb_n' + a_nb_n' + b_na_n')\rho^n$, b and a known at the nodes of the variance.  They
are turned into Chebyshev coefficients in the variance first: those fall, so that few pairs (i, j)
matter, and errors of pairs add up instead of being enlarged by interpolation.  Where the sums over
n would lose too much in doubles they are products of matrices of integers, and exact
(`derivations/identities/table_bound.md`, section 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....errors import Undecided
from ...patience import check
from ..bands.sums import Tensor
from ..fit import POINTS, Fit
from ..variable import RADII, alias, correlation, lebesgue, nodes, spread, transform, unmapped

_UNIT = 2.0**-53
_BLOCK = 256
_WIDE = 512
"""Products of two slices are integers whose sums over so many terms are below 2^53."""
_SLICE = 20
_SLICES = 3
_LEFT = 4.3 * 2.0 ** (-_SLICE * _SLICES)
"""Of the product of the largest numbers, to a term: products of late slices, and what is left."""
_BITS = 64
_FINE = 128


@dataclass(frozen=True, slots=True)
class _Turned:
    """Chebyshev coefficients in the variance, doubles.

    Attributes:
        b: of the smooth part, a row for each.
        both: of that and twice what was taken out.
        sizes: the norms of the rows of b, rounded up.
        wide: the same of both.
    """

    b: Any
    both: Any
    sizes: Any
    wide: Any

    @property
    def most(self) -> Any:
        """For every pair a bound of the size of its sum, whatever the correlation."""
        import numpy as np

        cross = np.outer(self.wide, self.sizes)
        return (cross + cross.T) / 2 * (1 + 1e-12)


def bilinear_fits(b: Any, a: Any, kappa: float, goal: Any) -> list[Fit]:
    """The coefficients for rho = (1-t^2)/(1+t^2), and for the opposite correlations.

    Args:
        b: coefficients of the smooth part at the nodes, rows of doubles.
        a: the same of what was taken out.
        kappa: of the variable x.
        goal: for what interpolation in x may add, an `arb`; for rounding, which `aliasing` holds
            too, the same.

    Raises:
        Undecided: more points in x than `fit.POINTS` would be needed.
    """
    import numpy as np
    from flint import arb

    from ....precision import precision

    with precision(_BITS):
        scale = lebesgue(len(b)) ** 2
        reach = _reach(b, a, kappa)
        for points in POINTS:
            lost = min((alias(r, points - 1) * m).upper() for r, m in reach) * scale
            if lost < goal:
                break
        else:
            raise Undecided(f"interpolation in rho: {float(lost):.1e} with {POINTS[-1]} points")
        turned, more = _turned(b, a), lebesgue(points)
        limit = float((goal / more).lower())
        most = turned.most
        kept = np.triu(most > limit / (16 * most.size))
        kept[0, 0] = True
        omitted = float(most[~(kept | kept.T)].sum()) * (1 + 1e-9)
        exact = _plain(turned) > limit
        even, odd, off = _values(turned, kappa, points, exact)
        rounding = arb(off) * more
        where = np.argwhere(kept).tolist()
        out = []
        for values in (even + odd, even - odd):
            tensor = _tensor(values, where)
            left = (arb(omitted) * more).upper()
            out.append(Fit(tensor, arb(0), (lost + rounding).upper(), points, left, kappa))
    return out


def _turned(b: Any, a: Any) -> _Turned:
    import numpy as np
    from flint import arb_mat

    from ....precision import precision

    with precision(_FINE):
        turn = transform(len(b), _FINE)
        one = turn * arb_mat([[float(v) for v in row] for row in b])
        two = turn * arb_mat([[float(v) for v in row] for row in b + 2 * a])
        ours = [np.array([[float(v.mid()) for v in row] for row in m.tolist()]) for m in (one, two)]
    sizes = [np.sqrt((m**2).sum(axis=1)) * (1 + 1e-12) for m in ours]
    return _Turned(ours[0], ours[1], sizes[0], sizes[1])


def _plain(turned: _Turned) -> float:
    """What sums of doubles in blocks are off by, of all pairs together."""
    units = _BLOCK + len(turned.b[0]) / _BLOCK + 1
    total = float(turned.most.sum()) * 1.01
    return total * units * _UNIT


def _reach(b: Any, a: Any, kappa: float) -> list[tuple[Any, Any]]:
    """`(r, M)`: bounds on ellipses of x."""
    import numpy as np
    from flint import arb

    one, two = np.abs(b).max(axis=0), np.abs(a).max(axis=0)
    sizes = (one * one + 2 * one * two) * (1 + 1e-12)
    out = []
    for text in RADII:
        grow = spread(text, kappa)
        if grow is None:
            break
        last = float(np.flatnonzero(sizes).max(initial=0))
        if last * float(grow.log().upper()) > 600:
            break
        powers = float(grow.upper()) ** np.arange(len(sizes)) * (1 + 1e-10)
        out.append((arb(text), arb(float((sizes * powers).sum() * (1 + 1e-10)))))
    return out


def _values(turned: _Turned, kappa: float, points: int, exact: bool) -> tuple[Any, Any, float]:
    """The even and the odd terms at [point, i, j], and a bound of all errors of a point together.

    Doubles that stand for the coefficients are off by a unit; b + 2a, its product with a power,
    and the power by one each; sums of slices and of blocks by two and by one a block; the mean of
    both orders, and the sum of both parities, by one more.
    """
    import numpy as np

    many, count = turned.b.shape
    out = np.zeros((2, points, many, many))
    lost = 0.0
    steps = [_slices(turned.b[:, parity::2]) for parity in (0, 1)] if exact else []
    for p, y in enumerate(nodes(points, _BITS)):
        check()
        weighted = turned.both * _powers(correlation(unmapped(y, kappa), 1), count)
        for parity in (0, 1):
            mine = weighted[:, parity::2]
            if exact:
                found, off = _product(_slices(mine), steps[parity])
                lost = max(lost, 2 * off)  # of the even and of the odd terms
            else:
                found = _blocks(mine, turned.b[:, parity::2])
            out[parity, p] = (found + found.T) / 2
    units = float(turned.most.sum()) * (10 + count / _WIDE) * _UNIT
    return out[0], out[1], 1.01 * (units + (lost if exact else _plain(turned)))


def _powers(rho: Any, count: int) -> Any:
    """The powers of a correlation in doubles, each rounded once."""
    import numpy as np
    from flint import arb

    from ....precision import precision

    with precision(_FINE):
        power, out = arb(1), np.zeros(count)
        for n in range(count):
            out[n] = float(power.mid())
            if out[n] < 1e-40:  # it is nothing beside what the others are off by
                break
            power = power * rho
    return out


def _blocks(mine: Any, theirs: Any) -> Any:
    import numpy as np

    total = np.zeros((len(mine), len(theirs)))
    for start in range(0, mine.shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        total += mine[:, part] @ theirs[:, part].T
    return total


def _slices(table: Any) -> list[tuple[list[Any], Any]]:
    """For every block of terms three matrices of integers of 20 bits, and the scale of each row.

    A row is the scale times the first, 2^-20 of the second and 2^-40 of the third, but for 2^-60
    of the scale.
    """
    import numpy as np

    out = []
    for start in range(0, table.shape[1], _WIDE):
        part = table[:, start : start + _WIDE]
        most = np.abs(part).max(axis=1)
        scale = 2.0 ** (np.frexp(most)[1] - _SLICE)
        rest, found = part / scale[:, None], []
        for _ in range(_SLICES):
            found.append(np.trunc(rest))
            rest = (rest - found[-1]) * 2.0**_SLICE
        out.append((found, scale))
    return out


def _product(one: Any, two: Any) -> tuple[Any, float]:
    """The products of all rows, and a bound of what late slices leave out, of all together."""
    import numpy as np

    total: Any = 0.0
    off = 0.0
    for (mine, our), (its, their) in zip(one, two, strict=True):
        sums = 0.0
        for order in reversed(range(_SLICES)):  # every sum is exact; so few of them are added
            exact = sum(mine[k] @ its[order - k].T for k in range(order + 1))
            sums = sums + exact * 2.0 ** (-_SLICE * order)
        total = total + sums * np.outer(our, their)
        size = float(our.sum()) * float(their.sum()) * 2.0 ** (2 * _SLICE)
        off += size * mine[0].shape[1] * _LEFT
    return total, off


def _tensor(values: Any, where: list[list[int]]) -> Tensor:
    """Chebyshev coefficients [i][j][k] in balls; zero where a pair is not among `where`."""
    from flint import arb, arb_mat

    points, many, _ = values.shape
    nothing = [arb(0)] * points
    out: Tensor = [[nothing] * many for _ in range(many)]
    flat = arb_mat([[float(plane[i, j]) for i, j in where] for plane in values])
    check()
    rows = (transform(points, _BITS) * flat).transpose().tolist()
    for (i, j), line in zip(where, rows, strict=True):
        out[i][j] = out[j][i] = line
    return out
