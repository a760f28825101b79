r"""The even and the odd part in rho apart: for activations that are analytic on the line.

Mehler: $K = \sum c_n\rho^n = E(\sigma) + \rho\,O(\sigma)$ with $\sigma = 1 - \rho^2$,
$E = \sum c_{2m}(1-\sigma)^m$ and $O = \sum c_{2m+1}(1-\sigma)^m$.  In
$x = 2w - 1$, $w = (1+\kappa)\sigma/(1+\kappa\sigma)$, both need about half the coefficients that a
dual needs in the angle, and one pair of polynomials serves both signs of rho; where s is odd or
even, or so but for a linear function or a constant (SiLU, softplus, GELU), one of them is all
there is.  The proof is `derivations/identities/table_bound.md`, section 9.

With kinks at 0 the variable is made from $S = \sqrt\sigma$ instead (`sine`, section 11).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from ...errors import Undecided
from ..patience import check
from . import sine
from .bands.sums import Tensor, Turned, pairs_that_count, placed, values
from .fit import POINTS, majorant, worst_tail
from .pack import Packed, Rows
from .spectra.spectrum import Spectrum
from .variable import alias, ellipse, lebesgue, nodes, transform, unmapped

OFF_X = 58
"""How many units x is off by: root 4, 1/P 5, their product 10, its square 21, w 28; twice."""
OFF_RHO = 9
"""How many units of the size of the odd part its product and its sum are off by: rho 6."""
KAPPAS = (0.0, 0.2, 0.35, 0.55, 0.8, 1.15, 1.6, 2.4)
"""The values of kappa that are tried."""
RADII = ("1.05", "1.1", "1.2", "1.35", "1.5", "1.75", "2", "2.4", "2.8", "3.3", "3.8", "4.3", "6")
_ARCS = 512
_LOOK = 96
_NOISE = 2e-14


@dataclass(frozen=True, slots=True)
class Folded:
    """Chebyshev coefficients of the two parts of one dual, as `arb`.

    Attributes:
        parts: `(0, tensor)` for the even and `(1, tensor)` for the odd part, those there are.
        tail: what the series beyond the last coefficient can add to the dual.
        aliasing: what interpolation in x can add to it.
        omitted: what the coefficients of pairs that were not computed can add to it.
    """

    parts: tuple[tuple[int, Tensor], ...]
    tail: Any
    aliasing: Any
    omitted: Any

    def along(self) -> Tensor:
        """The dual where rho = 1, as coefficients at one x: what `pack.on_diagonal` reads."""
        from flint import arb

        high, wide = len(self.parts[0][1]), len(self.parts[0][1][0])
        out: Tensor = [[[arb(0)] for _ in range(wide)] for _ in range(high)]
        for _, tensor in self.parts:
            for i, plane in enumerate(tensor):
                for j, line in enumerate(plane):
                    for k, c in enumerate(line):  # T_k(-1)
                        out[i][j][0] = out[i][j][0] - c if k % 2 else out[i][j][0] + c
        return out


class Away(Protocol):
    r"""A variable away from rho = +-1, for series in $\rho/\lambda$, $\lambda < 1$."""

    def ratio(self, x: Any) -> Any:
        r"""$(\rho/\lambda)^2$ at x, at most 1."""
        ...

    def spread(self, radius: str) -> Any:
        """A bound of it on an ellipse; None where it holds a singularity."""
        ...


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a sheet is made from: polynomials in doubles, and what they can be off by.

    Attributes:
        plus: for rho >= 0; of folded duals the even part, or the only one; empty where the
            polynomials are those of another dual.
        minus: for rho <= 0, or the odd part; empty where there is none.
        dropped: what the coefficients left out can add.
        rounding: what the doubles and their arithmetic can add.
        size: a bound of the polynomials; None where that of their coefficients is taken.
    """

    plus: Rows
    minus: Rows
    dropped: Any
    rounding: Any
    size: Any = None

    @classmethod
    def of(cls, found: list[tuple[int, Packed]], lost: Any, off: int) -> Pieces:
        """Of the parts of a folded dual: what they leave out, and units their factors are off."""
        from flint import arb

        plus: Rows = ()
        minus: Rows = ()
        dropped, rounding, total = lost, arb(0), arb(0)
        for part, packed in found:
            dropped += packed.dropped
            units, size = part * OFF_RHO + 1 + off, size_of(packed.rows)
            if packed.size is not None:  # of the series it is made from
                size = size.min(packed.size)
            total += size
            rounding += packed.rounding + size * units * 2.0**-53
            if part and len(found) > 1:
                minus = packed.rows
            else:
                plus = packed.rows
        return cls(plus, minus, dropped.upper(), rounding.upper(), total.upper())


def size_of(*all_rows: Rows) -> Any:
    """The sum of the sizes of the coefficients (`arb`), an upper bound of the polynomials."""
    from flint import arb

    sizes = (abs(m) for rows in all_rows for plane in rows for line in plane for m in line)
    return arb(sum(sizes)) * 1.001


def applies(spectra: list[Spectrum]) -> bool:
    """Whether the whole dual is its series: no kinks anywhere."""
    return not any(s.kink for s in spectra)


@lru_cache(maxsize=64)
def spread(radius: str, kappa: float) -> Any:
    """A bound of |1 - sigma| on an ellipse (`arb`); None where it holds the pole."""
    from flint import arb

    from ...precision import precision

    with precision(64):
        r = arb(radius)
        if kappa and not r + 1 / r < 2 * (1 + arb(2) / kappa):
            return None
        most = max(abs(1 - unmapped(box, kappa)).upper() for box in ellipse(r, _ARCS))
        return most if most.is_finite() else None


def wanted(parity: int) -> tuple[int, ...]:
    """Which parts there are: 0 the even, 1 the odd one."""
    return (0, 1) if not parity else (0,) if parity > 0 else (1,)


def steep(kappa: float, k: int, kinked: bool = False) -> float:
    """About what a coefficient of T_k adds to the derivative in rho."""
    if kinked:
        return 2.0 * (1.0 + kappa) ** 2 * (1 + 2 * k)
    return 8.0 * (1.0 + kappa) * k


def missed(kappa: float, kinked: bool, k: int) -> float:
    r"""About what a coefficient of T_k adds to the derivative in rho that K lacks from the start.

    With kinks $T_k$ less its tangent at S = 0 is divided by $w^2$ (`sine`): that is $k^4$ times
    as large, $T_k''(-1) = k^2(k^2-1)/3$, and 33 coefficients of a function of the size 1 that left
    out 1e-16 were off by half of 1e-10.
    """
    return 2.0 * (1.0 + kappa) ** 2 * k**4 if kinked else 4.0 * (1.0 + kappa) * k**2


def counts(
    one: Spectrum,
    two: Spectrum,
    parity: int,
    budget: float,
    ratio: float,
    bits: int,
    kappa: float,
) -> tuple[int, ...]:
    """About, to choose: how many coefficients the parts need with this kappa.

    `ratio` is how much an error of the derivative weighs; `bits` are those of the spectra.
    """
    import numpy as np

    kinked = bool(one.kink)
    if kinked:
        lines = _kinked_lines(one, two, parity, kappa, budget, bits)
    else:
        lines = _smooth_lines(one, two, parity, kappa)
    found = []
    for size in lines:
        weight = [max(1.0, ratio * steep(kappa, k, kinked)) for k in range(len(size))]
        rest = np.cumsum((size * weight)[::-1])[::-1]
        found.append(int((rest > budget).sum()) + kinked)
    return tuple(found)


def downhill(many: int, start: int, cost: Callable[[int], int]) -> list[int]:
    """Which of `many` numbers to try, the best first: about that of the least cost.

    The cost falls towards one of them: it is looked at from `start` on, down to where both
    neighbours cost more.  The others come last, the nearest first.
    """
    known = {start: cost(start)}
    best = start
    while new := [k for k in (best - 1, best + 1) if 0 <= k < many and k not in known]:
        known |= {k: cost(k) for k in new}
        best = min(known, key=lambda k: (known[k], k))
    rest = sorted(set(range(many)) - set(known), key=lambda k: (abs(k - best), k))
    return [*sorted(known, key=lambda k: (known[k], k)), *rest]


def _smooth_lines(one: Spectrum, two: Spectrum, parity: int, kappa: float) -> list[Any]:
    """The sizes of the coefficients of the parts, in doubles."""
    import numpy as np

    a, b = (np.array([float(v) for v in s.series]) for s in (one, two))
    where = np.cos(np.pi * (2 * np.arange(_LOOK) + 1) / (2 * _LOOK))
    turn = np.cos(np.outer(np.arange(_LOOK), np.arccos(where))) * 2 / _LOOK
    out = []
    for part in wanted(parity):
        values = np.polynomial.polynomial.polyval(1 - unmapped(where, kappa), (a * b)[part::2])
        size = np.abs(turn @ values)
        out.append(np.where(size > _NOISE * abs(values).max(), size, 0.0))
    return out


def _kinked_lines(
    one: Spectrum, two: Spectrum, parity: int, kappa: float, budget: float, bits: int
) -> list[Any]:
    """The same of G: kinks and series nearly cancel, which doubles do not stand."""
    import numpy as np
    from flint import arb

    from ...precision import precision

    with precision(bits + 64):
        both = Turned.of([one], bits), Turned.of([two], bits)
        how = parity, kappa, POINTS[1], arb(budget), bits
        found, _ = _tensors([one], [two], both, *how)
        lines = [sine.deflated(tensor[0][0])[1] for _, tensor in found]
        return [np.array([abs(float(c)) for c in line]) for line in lines]


def kappas(kinked: bool) -> tuple[float, ...]:
    """The values of kappa that are tried."""
    return sine.KAPPAS if kinked else KAPPAS


def _square(x: Any, kappa: float, kinked: bool, away: Away | None) -> Any:
    """rho^2 from x, for `arb`, `acb` and arrays; of an `Away` what its series has for it."""
    if away is not None:
        return away.ratio(x)
    if not kinked:
        return 1 - unmapped(x, kappa)
    s = unmapped(x, kappa)
    return 1 - s * s


def fold(
    spectra: list[Spectrum],
    others: list[Spectrum] | None,
    parity: int,
    kappa: float,
    goal: Any,
    bits: int,
    turned: tuple[Turned, Turned],
    away: Away | None = None,
) -> Folded:
    """Both parts with interpolation errors in x below `goal` each; arguments as `fit.fit`.

    `turned` has the spectra, and the others, in the variable of the variance.  `away`: x is the
    variable of a shell, and the spectra are weighted for it.

    Raises:
        Undecided: more points in x than `POINTS` would be needed.
    """
    from ...precision import precision

    with precision(bits + 64):
        second = spectra if others is None else others
        scale = lebesgue(len(spectra)) * lebesgue(len(second))
        tail = (worst_tail(spectra, others) * scale).upper()
        points, lost = _points(spectra, second, parity, kappa, goal, scale, away)
        how = parity, kappa, points, goal, bits
        tensors, omitted = _tensors(spectra, others, turned, *how, away)
        return Folded(tensors, tail, lost, omitted)


def _points(
    spectra: list[Spectrum],
    others: list[Spectrum],
    parity: int,
    kappa: float,
    goal: Any,
    scale: Any,
    away: Away | None,
) -> tuple[int, Any]:
    """The fewest points that do, and what interpolation adds to the dual: |rho| <= 1."""
    from flint import arb

    sizes, kinked = majorant(spectra, others), bool(spectra[0].kink)
    reach: list[list[tuple[Any, Any]]] = []
    for part in wanted(parity):
        line = []
        for text in RADII:
            if away is not None:
                grow = away.spread(text)
            else:
                grow = (sine.spread if kinked else spread)(text, kappa)
            if grow is None:
                break
            power, total = arb(1), arb(0)
            for m in sizes[part::2]:
                total += m * power
                power = power * grow
            line.append((arb(text), total.upper()))
        reach.append(line)
        if kinked:
            reach.append(sine.reach(spectra, others, kappa, part))
    for points in POINTS:
        check()
        lost = arb(0)
        for line in reach:
            lost += min((alias(r, points - 1) * m).upper() for r, m in line)
        lost = (lost * scale).upper()
        if lost < goal:
            return points, lost
    raise Undecided(f"interpolation in rho^2: {float(lost):.1e} with {POINTS[-1]} points")


def _tensors(
    spectra: list[Spectrum],
    others: list[Spectrum] | None,
    turned: tuple[Turned, Turned],
    parity: int,
    kappa: float,
    points: int,
    goal: Any,
    bits: int,
    away: Away | None = None,
) -> tuple[tuple[tuple[int, Tensor], ...], Any]:
    """The coefficients of the parts, and a bound of the pairs (i, j) that were left out."""
    one, two = turned
    shape, symmetric = (len(spectra), len(others or spectra)), others is None
    where, omitted = pairs_that_count(one, two, symmetric, 2 * lebesgue(points), goal)
    out, kinked = [], bool(one.kink)
    squares = tuple(_square(y, kappa, kinked, away) for y in nodes(points, bits + 64))
    for part in wanted(parity):
        found = values(one, two, where, squares, (part, 2), goal)
        found = transform(points, bits + 64) * found
        tensor = placed(found, where, shape, symmetric)
        if kinked:
            sine.add(tensor, spectra, others or spectra, part, kappa, points, bits)
        out.append((part, tensor))
    return tuple(out), omitted
