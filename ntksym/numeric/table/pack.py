r"""From Chebyshev coefficients in balls to few doubles: what is dropped and rounded is bounded.

Coefficients below a threshold are dropped ($|T_k| \le 1$), the rest becomes a polynomial
$\sum m_{ijk}\,\tau_1^i\tau_2^jx^k$ in doubles.  Evaluation by Horner's rule in any order, with or
without fused operations, errs by at most $\sum|m_{ijk}|\,\gamma_{2(i+j+k)+3}$ (Higham 2002, section
5.1), and arguments that are off by $\delta$ by $\delta$ times the slopes (`argument`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log10
from typing import Any

from .argument import slopes_of
from .fit import Tensor

Cut = Callable[[list[Any], int], list[Any]]
Rows = tuple[tuple[tuple[float, ...], ...], ...]
UNIT = 2.0**-53
OFF_X = 24
"""How many UNIT x is off by: the root 4, P 3, the sums 2, product and quotient 2; twice."""
OFF_X_SINGLE = 18
"""The same where P is a constant."""
OFF_SCALE = 5
"""What the product with sqrt(q11 q22) is off by: two roots and two products, each rounded."""
_OFF_TAU = 8


@dataclass(frozen=True, slots=True)
class Packed:
    """A polynomial in doubles, [i][j][k], and what it can be away from the Chebyshev series.

    Attributes:
        rows: the coefficients; rows get shorter with i, and entries of a row with j.
        dropped: coefficients left out.
        rounding: coefficients to doubles, arguments, and the arithmetic of the evaluation.
        blur: what rounding the coefficients adds to the derivative in x.
        size: an upper bound of the polynomial on the cube; None where it is part of a sum.
    """

    rows: Rows
    dropped: Any
    rounding: Any
    blur: Any = None
    size: Any = None


def off_tau(half: float) -> Any:
    """How many UNIT tau is off by: a root, a difference, a sum, a product and a quotient.

    The rounding of the root, and that of the centre of a panel, count once over the half width.
    """
    from flint import arb

    return _OFF_TAU + 2 / arb(half)


def pack(
    tensor: Tensor,
    budget: Any,
    half: float,
    off: int | None = None,
    weights: list[float] | None = None,
    cut: Cut | None = None,
    lead: int = 0,
    kappa: float = 0.0,
) -> Packed:
    """The polynomial whose dropped coefficients add up to at most `budget` (an `arb`).

    `half` is the half width of the axis of variances, 0 for a single variance; `off` is how many
    units x is off by, where it is not the variable of the angle with this `kappa`.  With weights,
    for every k, a coefficient of T_k counts so many times.  `cut` makes the series of so many
    coefficients that stands for a longer one; otherwise it is its beginning.  The first `lead`
    coefficients of a
    line are no part of its series.
    """
    import numpy as np

    sizes = np.array([[[float(abs(c).upper()) for c in row] for row in plane] for plane in tensor])
    if weights is not None:
        sizes = sizes * np.array(weights)
    shape = shape_within(sizes, float(budget.lower()), nested if weights is None else _columns)
    off = off if off is not None else OFF_X if half else OFF_X_SINGLE
    # of the balls only the middles are kept: the way to powers would enlarge their radii
    lines = [
        [[c.mid() for c in (cut or _begun)(tensor[i][j], kept)] for j, kept in enumerate(row)]
        for i, row in enumerate(shape)
    ]
    return _rounded(lines, shape, _dropped(tensor, lines), (half, off, lead, kappa))


def _begun(line: list[Any], kept: int) -> list[Any]:
    return line[:kept]


def shape_within(sizes: Any, limit: float, choose: Callable[[Any, float], Any]) -> list[list[int]]:
    """How many coefficients of every (i, j) are kept where the others add up to the limit at most.

    `choose` says it for a least size of coefficients; the largest such size is looked for.
    """
    import numpy as np

    sums = np.zeros((*sizes.shape[:2], sizes.shape[2] + 1))  # what is left out from k on
    sums[:, :, :-1] = np.cumsum(sizes[:, :, ::-1], axis=2)[:, :, ::-1]
    high = log10(max(limit, 1e-300)) + 1.0
    low = high - 40.0
    for _ in range(40):
        mid = (low + high) / 2
        kept = choose(sizes, 10.0**mid)
        if np.take_along_axis(sums, kept[:, :, None], axis=2).sum() <= limit:
            low = mid
        else:
            high = mid
    return [[int(k) for k in row] for row in choose(sizes, 10.0**low)]


def nested(sizes: Any, least: float) -> Any:
    """How many coefficients of every (i, j) are kept: all that are large, and those below them."""
    import numpy as np

    large = sizes > least
    kept = np.where(large.any(axis=2), sizes.shape[2] - large[:, :, ::-1].argmax(axis=2), 0)
    for axis in (0, 1):
        kept = np.flip(np.maximum.accumulate(np.flip(kept, axis), axis=axis), axis)
    kept[0, 0] = max(kept[0, 0], 1)
    return kept


def _columns(sizes: Any, least: float) -> Any:
    """The same where a number costs an entry as much for one power of a row's tau as for all.

    A coefficient (j, k) is there for every i, or for none, as far as (i, k) is there.
    """
    import numpy as np

    ends = []
    for axis in (0, 1):
        large = sizes.sum(axis=axis) > least
        many = np.where(large.any(axis=1), sizes.shape[2] - large[:, ::-1].argmax(axis=1), 0)
        ends.append(np.flip(np.maximum.accumulate(np.flip(many))))
    ends[0][0], ends[1][0] = max(ends[0][0], 1), max(ends[1][0], 1)
    return np.minimum(ends[1][:, None], ends[0][None, :])


def _dropped(tensor: Tensor, lines: Tensor) -> Any:
    from flint import arb

    total = arb(0)
    for plane, ours in zip(tensor, lines, strict=True):
        for line, kept in zip(plane, ours, strict=True):
            for a, b in zip(line, kept, strict=False):
                total += abs(a - b).upper()
            for c in line[len(kept) :]:
                total += abs(c).upper()
    return total.upper()


def monomials(coefficients: list[Any]) -> list[Any]:
    """Coefficients of powers from Chebyshev coefficients (balls)."""
    from flint import arb

    out = [arb(0)] * len(coefficients)
    before, now = [1], [0, 1]
    for k, c in enumerate(coefficients):
        row = [1] if k == 0 else now
        for power, integer in enumerate(row):
            if integer:
                out[power] = out[power] + integer * c
        if k:
            step = [0, *(2 * n for n in now)]
            for power, integer in enumerate(before):
                step[power] -= integer
            before, now = now, step
    return out


def _rounded(
    lines: Tensor, shape: list[list[int]], dropped: Any, how: tuple[float, int, int, float]
) -> Packed:
    from flint import arb

    half, off, lead, kappa = how
    known = None if lead else _doubles(lines)
    steep = None if known is None else slopes_of(known, off, kappa)
    table = [[line[:lead] + monomials(line[lead:]) for line in plane] for plane in lines]
    for i, row in enumerate(shape):  # powers of tau_2
        for k in range(row[0]):
            deep = sum(1 for kept in row if kept > k)
            column = monomials([table[i][j][k] for j in range(deep)])
            for j in range(deep):
                table[i][j][k] = column[j]
    for j in range(len(shape[0])):  # powers of tau_1
        for k in range(shape[0][j]):
            deep = sum(1 for row in shape if row[j] > k)
            column = monomials([table[i][j][k] for i in range(deep)])
            for i in range(deep):
                table[i][j][k] = column[i]
    error, slope_x, slope_tau, blur, turn = arb(0), arb(0), arb(0), arb(0), arb(0)
    rows = []
    for i, plane in enumerate(table):
        out_row = []
        for j, line in enumerate(plane):
            out = []
            for k, m in enumerate(line):
                value = float(m.mid())
                size = abs(m).upper()
                steps = 2 * (i + j + k) + 3
                blur += k * abs(m - value).upper()
                turn += (i + j) * abs(m - value).upper()
                error += abs(m - value).upper() + size * steps * UNIT / (1 - steps * UNIT)
                slope_x += k * size
                slope_tau += (i + j) * size
                out.append(value)
            if out:
                out_row.append(tuple(out))
        if out_row:
            rows.append(tuple(out_row))
    if steep is not None:  # that of the series, and of the rounding of the coefficients
        slope_x = slope_x.min(steep.x / off + blur)
        slope_tau = slope_tau.min(steep.tau + turn)
    error += slope_x * (off * UNIT * 1.01)
    if half:
        error += slope_tau * (off_tau(half) * UNIT * 1.01)
    size = None if known is None else (arb(float(abs(known).sum())) * 1.001 + error).upper()
    return Packed(tuple(rows), dropped, error.upper(), blur.upper(), size)


def _doubles(lines: Tensor) -> Any:
    """Lines of different lengths as one array."""
    import numpy as np

    many, deep = max(len(plane) for plane in lines), max(len(m) for plane in lines for m in plane)
    out = np.zeros((len(lines), many, deep))
    for i, plane in enumerate(lines):
        for j, line in enumerate(plane):
            out[i, j, : len(line)] = [float(c) for c in line]
    return out


def on_diagonal(tensor: Tensor) -> Tensor:
    """The Chebyshev series in tau of the dual at rho = 1 and equal variances."""
    from flint import arb

    many = len(tensor)
    out = [arb(0)] * (2 * many - 1)
    for i in range(many):
        for j in range(many):
            value = arb(0)
            for k, c in enumerate(tensor[i][j]):
                value = value - c if k % 2 else value + c  # T_k(-1)
            out[i + j] = out[i + j] + value / 2
            out[abs(i - j)] = out[abs(i - j)] + value / 2
    return [[[c] for c in out]]


def least(tensor: Tensor) -> Any:
    """A lower bound of a Chebyshev series in tau (as `on_diagonal` gives it) on [-1, 1].

    Its values at a few angles, less the distance to them times a bound of the derivative.
    """
    from flint import arb

    from ...precision import precision

    with precision(64):
        coefficients = [+line[0] for line in tensor[0]]
        tail, steep = arb(0), arb(0)
        while len(coefficients) > 1:  # what is too small to matter: only its size
            size = abs(coefficients[-1]).upper()
            if not size < abs(coefficients[0]) * 1e-6:
                break
            tail += size
            coefficients.pop()
        for k in range(1, len(coefficients)):
            steep += k * abs(coefficients[k]).upper()
        parts = 64 * len(coefficients) if len(coefficients) > 1 else 1
        low = None
        for i in range(parts):
            angle = arb.pi() * (2 * i + 1) / (2 * parts)
            total = coefficients[0]
            for k in range(1, len(coefficients)):
                total = total + coefficients[k] * (k * angle).cos()
            low = total.lower() if low is None else low.min(total.lower())
        return (low - tail - steep * arb.pi() / (2 * parts)).lower()
