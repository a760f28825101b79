r"""From Chebyshev coefficients in balls to few doubles: what is dropped and rounded is bounded.

Coefficients below a threshold are dropped ($|T_k| \le 1$), the rest becomes a polynomial
$\sum m_{ijk}\,\tau_1^i\tau_2^jx^k$ in doubles.  Evaluation by Horner's rule in any order, with or
without fused operations, errs by at most $\sum|m_{ijk}|\,\gamma_{2(i+j+k)+3}$ (Higham 2002, section
5.1), and arguments that are off by $\delta$ by $\delta$ times the slopes (`argument`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import log10
from typing import Any

from .argument import slopes_of
from .bands.sums import Tensor, sizes_of

Cut = Callable[[list[Any], int], list[Any]]
Rows = tuple[tuple[tuple[float, ...], ...], ...]
UNIT = 2.0**-53
OFF_X = 24
"""How many UNIT x is off by: the root 4, P 3, the sums 2, product and quotient 2; twice."""
OFF_X_SINGLE = 26
"""The same where P is a constant, and inputs are scaled to it: 4 more of the root, none of P."""
OFF_SCALE = 5
"""What the product with sqrt(q11 q22) is off by: two roots and two products, each rounded."""
_OFF_TAU = 8
SLACK = 1 + 1e-9
"""More than rounding takes away from a sum of a million doubles of one sign, and underflow."""
TINY = 1e-290


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
    coefficients of a line are no part of its series.
    """
    import numpy as np

    sizes = sizes_of(tensor)
    if weights is not None:
        sizes = sizes * np.array(weights)
    shape = shape_within(sizes, float(budget.lower()), nested if weights is None else _columns)
    angle = kappa if off is None else None
    off = off if off is not None else OFF_X if half else OFF_X_SINGLE
    # of the balls only the middles are kept: the way to powers would enlarge their radii
    lines = [
        [[c.mid() for c in (cut or _begun)(tensor[i][j], kept)] for j, kept in enumerate(row)]
        for i, row in enumerate(shape)
    ]
    return _rounded(lines, shape, _dropped(tensor, lines), (half, off, lead, angle))


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

    total = 0.0
    for plane, ours in zip(tensor, lines, strict=True):
        for line, kept in zip(plane, ours, strict=True):
            total += sum(float(abs(a - b).upper()) for a, b in zip(line, kept, strict=False))
            total += sum(float(abs(c).upper()) for c in line[len(kept) :])
    return arb(total * SLACK + TINY).upper()


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


@lru_cache(maxsize=128)
def _to_powers(count: int) -> Any:
    """The integers of T_0 .. T_{count-1}: row k has the coefficients of T_k."""
    from flint import fmpz_mat

    rows = [[1], [0, 1]]
    for _ in range(2, count):
        step = [0, *(2 * n for n in rows[-1])]
        for power, integer in enumerate(rows[-2]):
            step[power] -= integer
        rows.append(step)
    return fmpz_mat([row + [0] * (count - len(row)) for row in rows[:count]])


def _in_powers(lines: Tensor, lead: int) -> Tensor:
    """Coefficients of powers of all three variables; lines are no longer in either direction.

    As products of matrices: one coefficient at a time took most of the building of wide tables.
    """
    from flint import arb, arb_mat

    high, wide, long = len(lines), len(lines[0]), max(len(lines[0][0]) - lead, 0)
    deep, zero = lead + long, arb(0)
    full = [
        [*plane, *[[] for _ in range(wide - len(plane))]] if len(plane) < wide else plane
        for plane in lines
    ]
    flat = [line for plane in full for line in plane]
    begun = [line[:lead] + [zero] * (lead - len(line)) for line in flat]
    if long:
        rest = [line[lead:] + [zero] * (deep - max(len(line), lead)) for line in flat]
        turned = (arb_mat(rest) * arb_mat(_to_powers(long))).tolist()
        begun = [a + b for a, b in zip(begun, turned, strict=True)]
    table = [begun[i * wide : (i + 1) * wide] for i in range(high)]
    for _ in range(2):  # the second variable turned, and put first; then the other one
        size = len(table[0])
        across = [[c for plane in table for c in plane[j]] for j in range(size)]
        if size > 1:
            across = (arb_mat(_to_powers(size)).transpose() * arb_mat(across)).tolist()
        many = len(table)
        table = [[row[i * deep : (i + 1) * deep] for i in range(many)] for row in across]
    return table


def _rounded(
    lines: Tensor, shape: list[list[int]], dropped: Any, how: tuple[float, int, int, float | None]
) -> Packed:
    from flint import arb

    half, off, lead, kappa = how
    known = None if lead else _doubles(lines)
    steep = None if known is None else slopes_of(known, off, kappa)
    table = _in_powers(lines, lead)
    error, slope_x, slope_tau, blur, turn = 0.0, 0.0, 0.0, 0.0, 0.0
    rows = []
    for i, plane in enumerate(shape):
        out_row = []
        for j, kept in enumerate(plane):
            out = []
            for k, m in enumerate(table[i][j][:kept]):
                value = float(m.mid())
                size, gap = float(abs(m).upper()), float(abs(m - value).upper())
                steps = (2 * (i + j + k) + 3) * UNIT
                blur += k * gap
                turn += (i + j) * gap
                error += gap + size * steps / (1 - steps)
                slope_x += k * size
                slope_tau += (i + j) * size
                out.append(value)
            if out:
                out_row.append(tuple(out))
        if out_row:
            rows.append(tuple(out_row))
    sums = (error, slope_x, slope_tau, blur, turn)
    total, along, across, blurred, turned = (arb(v * SLACK + TINY).upper() for v in sums)
    if steep is not None:  # that of the series, and of the rounding of the coefficients
        along = along.min(steep.x / off + blurred)
        across = across.min(steep.tau + turned)
    total += along * (off * UNIT * 1.01)
    if half:
        total += across * (off_tau(half) * UNIT * 1.01)
    whole = None if known is None else (arb(float(abs(known).sum())) * 1.001 + total).upper()
    return Packed(tuple(rows), dropped, total.upper(), blurred, whole)


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
