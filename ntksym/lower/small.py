r"""Values of duals that are small beside $\sqrt{K(q_{11})K(q_{22})}$: where code looks for them.

The closed form of a kinked s of one sign has terms of the order of that size, also where the value
is far below it, for inputs that are nearly opposite.  The definition is a sum of numbers of one
sign there, so it is integrated instead (`lower.direct`).  The size is estimated by a Gauss-Hermite
rule at each of the two variances.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .direct import Direct

SMALL = 1 / 6
"""Values below this, relative to the estimated size, are integrated."""
SMALL_SLOW = 1 / 256
"""The same where means are integrals too: an entry costs thousands of times the closed form, which
loses a few hundred eps of the value before."""


def _rule() -> tuple[tuple[float, ...], tuple[float, ...]]:
    places, weights = np.polynomial.hermite_e.hermegauss(8)
    return tuple(map(float, places)), tuple(float(w) for w in weights / weights.sum())


NODES, WEIGHTS = _rule()


@lru_cache(maxsize=256)
def one_signed(rule: Direct) -> tuple[bool, bool]:
    """Whether s has one sign, and whether its slope has, jumps included; by values at places.

    Where there are parameters both may have one: the code looks at its own values.
    """
    if len(rule.point.args) > 1:
        return True, True
    marks = {k: float(v) for k, v in rule.marks.evaluate({}).items()}
    found = [
        rule.point.evaluate({"x": scale * marks["unit"] * place})
        for scale in (0.3, 1.0, 3.0, 10.0)
        for place in NODES
    ]
    slopes = [float(f["d"]) for f in found] + [v for k, v in marks.items() if k[0] == "j"]
    both = [float(f["v"]) for f in found], slopes
    value, slope = (min(some) >= 0.0 or max(some) <= 0.0 for some in both)
    return value, slope


def small_below(rule: Direct, which: int) -> float:
    """`SMALL` where the means of s, or of its slope, are closed; else `SMALL_SLOW`."""
    closed = all(
        n >= 0 for n, live in zip(rule.groups[which], rule.live[which], strict=True) if live
    )
    return SMALL if closed else SMALL_SLOW


def nowhere_zero(rule: Direct) -> bool:
    """Whether no kink is at 0, as far as that is known."""
    if len(rule.point.args) > 1:
        return True
    marks = rule.marks.evaluate({})
    return all(marks[f"k{i}"] != 0 for i in range(rule.kinks))
