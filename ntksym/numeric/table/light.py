r"""Which coefficients of a folded table generated C may keep in floats, with a proven bound.

Of $\sum m_{ijk}\tau^it^jx^k$, tau the variable of the row, those with $j \ge J_k$ are rounded to
floats and summed in floats by Horner's rule, from the highest powers down; what comes out is
widened and the rule goes on in doubles.  $J_k = 0$ from some K on, there x is a float too.  A term
passes at most $n_{ijk} = 3i + 3(j-J_k) + 3\max(k-K,0) + 6$ roundings of $2^{-24}$, those of the
variables counted for every power: the value is off by at most $\sum|m_{ijk}|\gamma_{n_{ijk}}$, the
derivative by k times that (`derivations/identities/table_bound.md`, section 14).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .pack import Rows

if TYPE_CHECKING:
    from .shared import Form

Heavy = tuple[tuple[int, ...], tuple[int, ...]]
SHARE = 0.35
"""Of the error, to the rounding of floats."""
UNIT = 2.0**-24
_SPARE = 1.01
_TINY = 2.0**-120
"""More than underflow can make of a term, with all that it passes."""
_LEAST, _MOST = 1e-16, 1e24
"""What the largest coefficients are between: far from the ends of what floats can be."""
_HALVINGS = 40
_WORTH = 0.15
"""Of the powers of x, so many have to be floats altogether: less gains nothing (measured)."""


@dataclass(frozen=True, slots=True)
class Light:
    """What floats cost.

    Attributes:
        heavy: J_k for the even and the odd part.
        value: what they can add to the value.
        dot: to the derivative.
    """

    heavy: Heavy
    value: float
    dot: float


def light(
    kept: list[tuple[int, Rows]], how: tuple[Form, float], room: tuple[float, float]
) -> Light | None:
    """The most coefficients in floats that add at most `room` to the value and to the derivative.

    `kept` has the number of a part, 0 the even one, and its coefficients as they are stored.  None
    where no coefficient may be a float, or too few to gain anything.
    """
    import numpy as np

    form, kappa = how
    grow = float(form.grow(kappa).upper())
    sizes = {part: _sizes(rows, 0) for part, rows in kept}
    turns = {part: _sizes(rows, 1) for part, rows in kept}
    largest = max((float(s.max(initial=0.0)) for s in sizes.values()), default=0.0)
    if not _LEAST < largest < _MOST or min(room) <= 0.0:
        return None
    weights = {part: [np.ones(s.shape[1]), _steep(s, part, grow)] for part, s in sizes.items()}
    each = {
        part: s * np.maximum(weights[part][0] / room[0], weights[part][1] / room[1])
        for part, s in sizes.items()
    }
    best: Light | None = None
    low, high = -60.0, 2.0
    for _ in range(_HALVINGS):
        mid = (low + high) / 2
        least = 10.0**mid / UNIT
        heavy = {part: _heavy(e > least, sizes[part] > 0.0, form.lead) for part, e in each.items()}
        lost = [0.0, 0.0]
        for part, s in sizes.items():
            steps = _steps(s.shape, heavy[part])
            for which in (0, 1):
                terms = s * steps + 3.0 * turns[part] * (steps > 0)
                terms = (terms * (UNIT * _SPARE) + steps * _TINY) * weights[part][which]
                lost[which] += float(terms.sum()) * _SPARE
        if lost[0] <= room[0] and lost[1] <= room[1]:
            low = mid
            if any(lost):
                best = Light((heavy.get(0, ()), heavy.get(1, ())), lost[0], lost[1])
        else:
            high = mid
    return best if best is not None and _worth(best.heavy) else None


def within_floats(*parts: Rows) -> bool:
    """Whether coefficients are far from the largest float."""
    return sum(abs(m) for rows in parts for plane in rows for line in plane for m in line) < _MOST


def _worth(heavy: Heavy) -> bool:
    ends = [end for part in heavy for end in part]
    return ends.count(0) >= _WORTH * len(ends)


def _sizes(rows: Rows, power: int) -> Any:
    """[j][k]: the sum over i of i^power |m_ijk|, whichever variance is the row's."""
    import numpy as np

    tall = max(len(rows), max(len(plane) for plane in rows))
    deep = max(len(line) for plane in rows for line in plane)
    full = np.zeros((tall, tall, deep))
    for i, plane in enumerate(rows):
        for j, line in enumerate(plane):
            full[i, j, : len(line)] = np.abs(line)
    count = np.arange(tall) ** power
    two = (count[:, None, None] * full).sum(axis=0), (count[None, :, None] * full).sum(axis=1)
    return np.maximum(*two) * _SPARE


def _steep(sizes: Any, part: int, grow: float) -> Any:
    """How much an error of the coefficient of x^k counts in the derivative, as in `shared`."""
    import numpy as np

    return (np.arange(sizes.shape[1]) * grow + part) * _SPARE


def _heavy(large: Any, there: Any, lead: int) -> tuple[int, ...]:
    """J_k: behind the last large one; at least 1 up to the last k that has a large one."""
    tall, deep = large.shape
    ends = [int(tall - large[::-1, k].argmax()) if large[:, k].any() else 0 for k in range(deep)]
    last = max((k for k, end in enumerate(ends) if end), default=-1)
    last = max(last, min(lead, deep - 1))
    ends = [max(end, 1) if k <= last else 0 for k, end in enumerate(ends)]
    most = [int(tall - there[::-1, k].argmax()) if there[:, k].any() else 0 for k in range(deep)]
    return tuple(end if end < m else max(m, end) for end, m in zip(ends, most, strict=True))


def _steps(shape: tuple[int, int], heavy: tuple[int, ...]) -> Any:
    """n_jk for those in floats, 0 for the others."""
    import numpy as np

    start = next((k for k, end in enumerate(heavy) if end == 0), len(heavy))
    j = np.arange(shape[0])[:, None]
    k = np.arange(shape[1])[None, :]
    ends = np.array(heavy)[None, :]
    return np.where(j >= ends, 3 * (j - ends) + 3 * np.maximum(k - start, 0) + 6, 0)
