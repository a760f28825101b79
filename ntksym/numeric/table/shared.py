r"""One polynomial for both duals: of a continuous s the derivative dual is the derivative.

With $K/\sqrt{q_{11}q_{22}} = E(x) + \rho\,O(x)$ (`fold`), $w = (1+x)/2$ and
$v = 1/(1+\kappa\sigma) = 1 - \kappa w/(1+\kappa)$,
$\dot K = -4(1+\kappa)v^2E'\rho + O - 4(1+\kappa)(1-w)v\,O'$: polynomials again.  That they are near
the derivative dual is not deduced from the bound of K but proven against its own Chebyshev
coefficients (`derivations/identities/table_bound.md`, section 9).
"""

from __future__ import annotations

from typing import Any

from .dual import Sheet
from .fit import Tensor
from .fold import OFF_X, Folded, Pieces, steep
from .pack import OFF_TAU, UNIT, Rows, pack
from .sheets import Frame, refused

Line = list[Any]
SHARES = (1.0, 0.6, 0.35, 0.2, 0.1)
_OFF_FACTORS = 64
"""v^2, rho and the constants, in units: v is off by 23."""


def shared_sheets(
    frames: list[Frame], fits: list[Folded], kappa: float, shares: tuple[int, ...]
) -> tuple[Sheet, Sheet]:
    """The dual with its polynomials, and the derivative dual without: it is their derivative.

    Raises:
        Undecided: its bound is above the error.
    """
    value, dot = frames
    worst: list[Sheet] = []
    for share in SHARES:
        budgets = [frame.budget(share) for frame in frames]
        weights = _weights(len(fits[0].parts[0][1][0][0]), kappa, budgets)
        pieces = _packed(fits[0], budgets[0], weights, value.half, shares)
        first = value.sheet(pieces[0], budgets[0])
        second = dot.sheet(_slopes(fits, pieces[1], kappa, value.half), budgets[1])
        if first.error <= value.error and second.error <= dot.error:
            return first, second
        worst.append(max((first, second), key=lambda s: s.error))
    raise refused(min(worst, key=lambda s: s.error), value.error)


def _weights(points: int, kappa: float, budgets: list[Any]) -> list[list[float]]:
    """How much a coefficient of T_k weighs, about: what it adds to the derivative counts too."""
    ratio = float((budgets[0] / budgets[1]).upper())
    slope = [steep(kappa, k) for k in range(points)]
    return [
        [max(1.0, ratio * m) for m in slope],
        [max(1.0, ratio * (1 + m)) for m in slope],
    ]


def _packed(
    fit: Folded, budget: Any, weights: list[list[float]], half: float, shares: tuple[int, ...]
) -> tuple[Pieces, list[tuple[int, Rows, Any]]]:
    """The polynomials of K, and `(part, rows, blur)` of both parts."""
    kept = []
    total = sum(max(s, 1) for s in shares)
    for (part, tensor), share in zip(fit.parts, shares, strict=True):
        own = (budget * max(share, 1) / total).lower()
        kept.append((part, pack(tensor, own, half, OFF_X, weights[part], trimmed)))
    pieces = Pieces.of(kept)
    return pieces, [(part, found.rows, found.blur) for part, found in kept]


def _slopes(
    fits: list[Folded], kept: list[tuple[int, Rows, Any]], kappa: float, half: float
) -> Pieces:
    """How far the derivative dual is from the derivative of the polynomials of K."""
    from flint import arb

    dropped, rounding = arb(0), arb(0)
    grow = 4 * (1 + arb(kappa))
    truth = dict(fits[1].parts)
    for (part, tensor), (_, rows, blur) in zip(fits[0].parts, kept, strict=True):
        dropped += _difference(tensor, rows, truth[1 - part], part, kappa)
        one, two, turn, steps, plain = arb(0), arb(0), arb(0), arb(0), arb(0)
        for i, plane in enumerate(rows):
            for j, line in enumerate(plane):
                for k, m in enumerate(line):
                    size, n = abs(m), 2 * (i + j + k) + 8
                    one += k * size
                    two += k * (k - 1) * size
                    turn += (k * grow + part) * (i + j) * size
                    steps += (k * grow + part) * size * n
                    plain += part * size
        rounding += (grow + part) * blur
        rounding += steps * UNIT * 1.01 + (grow * one + plain) * _OFF_FACTORS * UNIT
        rounding += (grow * two + part * one) * OFF_X * UNIT * 1.01
        rounding += turn * (OFF_TAU + 4 / arb(half)) * UNIT * 1.01
    return Pieces((), (), dropped.upper(), rounding.upper())


def _difference(tensor: Tensor, rows: Rows, truth: Tensor, part: int, kappa: float) -> Any:
    """The sum of the sizes of the Chebyshev coefficients of what the two derivatives differ by."""
    from flint import arb

    total = arb(0)
    for i, plane in enumerate(truth):
        for j, line in enumerate(plane):
            many = len(rows[i][j]) if i < len(rows) and j < len(rows[i]) else 0
            ours = turned(trimmed(tensor[i][j], many), part, kappa) if many else []
            long = max(len(ours), len(line))
            for k in range(long):
                a = ours[k] if k < len(ours) else arb(0)
                b = line[k] if k < len(line) else arb(0)
                total += abs(a - b).upper()
    return total.upper()


def turned(line: Line, part: int, kappa: float) -> Line:
    r"""Chebyshev coefficients of what a series in x becomes in the derivative dual.

    Of a part E (0) it is $-4(1+\kappa)v^2E'$, of a part O (1) $O - 4(1+\kappa)(1-w)v\,O'$.
    """
    from flint import arb

    bent = arb(kappa) / (2 * (1 + arb(kappa)))
    steep = [-4 * (1 + arb(kappa)) * c for c in slope(line)]
    steep = _times(steep, 1 - bent, -bent)
    if not part:
        return _times(steep, 1 - bent, -bent)
    steep = _times(steep, arb(1) / 2, -arb(1) / 2)
    return [c + line[k] if k < len(line) else c for k, c in enumerate(steep)]


def trimmed(line: Line, kept: int) -> Line:
    """The series of `kept` coefficients whose derivative is the beginning of the derivative.

    Its last two coefficients take in what is cut off: so the error of the derivative is its own
    tail, not k^2 times that of the series.
    """
    from flint import arb

    out = line[:kept]
    for k in (kept - 2, kept - 1):
        if k > 0:
            lost = sum((m * line[m] for m in range(k + 2, len(line), 2)), arb(0))
            out[k] = out[k] + lost / k
    return out


def slope(line: Line) -> Line:
    """Chebyshev coefficients of the derivative."""
    from flint import arb

    out = [arb(0)] * (len(line) + 1)
    for k in range(len(line) - 1, 0, -1):
        out[k - 1] = out[k + 1] + 2 * k * line[k]
    out[0] = out[0] / 2
    return out[: max(len(line) - 1, 1)]


def _times(line: Line, a: Any, b: Any) -> Line:
    """Chebyshev coefficients of (a + b x) times a series."""
    from flint import arb

    out = [a * c for c in line] + [arb(0)]
    for k, c in enumerate(line):
        out[k + 1] = out[k + 1] + b * c / (2 if k else 1)
        if k:
            out[k - 1] = out[k - 1] + b * c / 2
    return out
