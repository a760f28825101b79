"""Arrays of covariances through the rules of a `QuadratureDual`, entry by entry."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...doubles import two_product
from .floats import Arrays, array_function
from .subject import Subject
from .sums import entry

if TYPE_CHECKING:
    from .dual import QuadratureDual

LOOSE = 1.0 + 2.0**-30
"""A correlation above this is no rounding: the covariance is not positive semi-definite."""


@lru_cache(maxsize=64)
def functions(subject: Subject) -> tuple[Arrays, ...]:
    """The pieces as functions of arrays."""
    pairs = zip(subject.value.pieces, subject.slope.pieces, strict=True)
    return tuple(array_function(value.expr, slope.expr) for value, slope in pairs)


def evaluate(dual: QuadratureDual, q11: Any, q12: Any, q22: Any, root: Any) -> tuple[Any, Any]:
    """(nngp, dot), float64 arrays of the broadcast shape."""
    import numpy as np

    q11, q12, q22 = (np.asarray(v, dtype=np.float64) for v in (q11, q12, q22))
    root = root_of_det(q11, q12, q22) if root is None else np.asarray(root, dtype=np.float64)
    flat = np.broadcast_arrays(q11, q12, q22, root)
    nngp, dot = np.empty(flat[0].size), np.empty(flat[0].size)
    pieces = functions(dual.subject)
    for i, (x, c, y, r) in enumerate(zip(*(part.ravel().tolist() for part in flat), strict=True)):
        nngp[i], dot[i] = _one(dual, pieces, x, c, y, r)
    if not dual.slopes:
        dot[:] = np.nan
    return nngp.reshape(flat[0].shape), dot.reshape(flat[0].shape)


def _one(
    dual: QuadratureDual, pieces: tuple[Arrays, ...], x: float, c: float, y: float, root: float
) -> tuple[float, float]:
    import numpy as np

    nan = (float("nan"), float("nan"))
    large, small = (x, y) if x >= y else (y, x)  # one order for both: symmetric to the last bit
    if not (small >= 0.0 and c == c and root >= 0.0):
        return nan
    if dual.least > 0 and any(q < dual.least and not (q == 0.0 and dual.zero) for q in (x, y)):
        return nan
    level = dual.level(large)
    if level is None:
        return nan
    a, b = float(np.sqrt(large)), float(np.sqrt(small))
    if b == 0.0:
        return entry(level.rule, pieces, a, 0.0, 0.0, 1.0) if c == 0.0 else nan
    rho, sigma = c / a / b, root / a / b
    if not abs(rho) <= LOOSE:
        return nan
    rho = min(max(rho, -1.0), 1.0)
    if sigma == 0.0:
        rho = 1.0 if rho > 0.0 else -1.0
    nngp, dot = entry(level.rule, pieces, a, b, rho, min(sigma, 1.0))
    return nngp, dot if dual.close is None else dual.close.mended(dot, a, b, rho, sigma)


def root_of_det(q11: Any, q12: Any, q22: Any) -> Any:
    """sqrt(max(q11 q22 - q12^2, 0)), both products exact before the subtraction (Dekker)."""
    import numpy as np

    with np.errstate(all="ignore"):
        k1, k2 = np.frexp(q11)[1] // 2, np.frexp(q22)[1] // 2
        c = np.ldexp(np.ldexp(q12, -k1), -k2)
        first, low1 = two_product(np.ldexp(q11, -2 * k1), np.ldexp(q22, -2 * k2))
        second, low2 = two_product(c, c)
        det = (first - second) + (low1 - low2)
        return np.ldexp(np.ldexp(np.sqrt(np.where(det < 0.0, 0.0, det)), k1), k2)
