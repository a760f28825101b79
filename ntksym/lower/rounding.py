r"""What a program of a dual loses to rounding: it is run with each line rounded to a double.

The operations are taken as correctly rounded, so that what is seen is the form of the program and
not a backend.  The points are far from each other in the variances and near $\rho = \pm 1$, where
values are much smaller than $\sqrt{K(q_{11})K(q_{22})}$.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, sqrt
from typing import Any

from ..digits import bits
from .ops import OPS
from .program import Operand, Program

VARIANCES = (
    (1.0, 1.0),
    (1e-5, 1e-5),
    (1e-3, 7.0),
    (400.0, 1e-2),
    (2e3, 4e3),
    (1e6, 1e4),
    (1e-42, 1e37),
    (1e70, 1e114),
    (1e126, 1e104),
    (1e150, 1e150),
    (1e-150, 1e-150),
)
CORRELATIONS = (0.4, -0.7, 1 - 2.0**-8, 2.0**-12 - 1, 2.0**-26 - 1, 1 - 2.0**-50)
_BITS, _MORE = 53, 300
_LARGEST, _LEAST = 1024, -1022
_COUNTED = -900
"""Values below two to this are left out: their factors may be no doubles."""


def of_value(p: Program, numbers: Mapping[str, float], enough: float) -> float:
    """The largest error of the outputs relative to the outputs, in units of 2^-52.

    Infinite where an output is no number, or a line on the way to it leaves the range of doubles.
    `numbers` are those of the parameters; no more is looked for than `enough`.
    """
    double, more = bits(_BITS), bits(_MORE)
    worst = 0.0
    for a, c in VARIANCES:
        for rho in CORRELATIONS:
            at = {"q11": a, "q12": rho * sqrt(a) * sqrt(c), "q22": c, **numbers}
            exact = p.evaluate({k: at[k] for k in p.args}, more)
            try:
                found = _rounded(p, at, double, more)
            except (ZeroDivisionError, ValueError, OverflowError):
                return inf
            for label, value in exact.items():
                if not more.isfinite(found[label]):
                    return inf
                if value and more.mag(value) > _COUNTED:
                    error = float(abs(found[label] / value - 1)) * 2.0 ** (_BITS - 1)
                    worst = max(worst, error)
            if worst > enough:
                return worst
    return worst


def _rounded(p: Program, at: Mapping[str, float], double: Any, more: Any) -> dict[str, Any]:
    values = {a: more.convert(at[a]) for a in p.args}

    def value(a: Operand) -> Any:
        return values[a] if isinstance(a, str) else more.convert(float(a))

    for let in p.body:
        result = +double.convert(OPS[let.op].meaning(more, *map(value, let.args)))
        if result and more.isfinite(result) and not _LEAST < more.mag(result) <= _LARGEST:
            result = more.sign(result) * more.inf if more.mag(result) > 0 else more.zero
        values[let.name] = more.convert(result)
    return {name: value(operand) for name, operand in p.outputs}
