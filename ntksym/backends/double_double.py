"""What texts of double-double numbers share: operations, series, numbers and how many terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from math import factorial, isfinite
from typing import Any

from ..lower.double_double import EQUAL, KNOWN
from .text import filled

ARITY = {
    **dict.fromkeys("add sub mul div div0 max min rescale expPhi".split(), 2),
    **dict.fromkeys("asin3 angle3 gap3".split(), 3),
    **dict.fromkeys("expsinh expcosh".split(), 4),
}
"""Of the operations with more operands than one."""
HALVINGS = 5
"""Of an angle up to pi: then its tangent is at most 0.0985."""
SHORTER = 3
"""Of the argument of exp, at most log(2)/2."""
_NEAR_TERMS = 44
"""Of the integral of the normal density to y < 2.5: 2.5^89/89!! is 1e-33."""
_NEAR = 2.5
_DEEP_LEVELS, _LEVELS = 100, 34
"""Of the continued fraction of Mills' ratio beyond: in doubles, then in double-double; what a level
leaves out or rounds is divided by 2^66 before it counts."""


def spelled(prefix: str, pi: str) -> dict[str, str]:
    """Every operation as a call of the function `prefix` and its name, and pi."""
    found = {}
    for op in sorted(KNOWN - {"pi"}):
        given = ", ".join(f"{{{k}}}" for k in range(ARITY.get(op, 1)))
        found[op] = f"{prefix}{op}({given})"
    return found | {"pi": pi}


def with_numbers(
    text: str,
    literal: Callable[[float], str],
    pair: Callable[[str, str], str],
    own: Mapping[str, object],
) -> str:
    """The text with its marks replaced: those of one target, and the numbers that all share."""
    shared = {name: pair(literal(high), literal(low)) for name, (high, low) in _numbers().items()}
    shared |= {
        "WHOLE": str(float(2**HALVINGS)),
        "SHARE": literal(2.0**-SHORTER),
        "EQUAL": literal(EQUAL),
        "NEAR": str(_NEAR),
        "TERMS": str(_NEAR_TERMS),
        "DEEP": str(_DEEP_LEVELS),
        "LEVELS": str(_LEVELS),
    }
    return filled(text, {f"@{mark}@": value for mark, value in {**shared, **own}.items()})


def parts(value: Fraction | float | Any) -> tuple[float, float]:
    """A number as the sum of two doubles."""
    high = float(value)
    if not isfinite(high):
        return high, 0.0
    return high, float(Fraction(value) - Fraction(high))


def exp_terms() -> tuple[float, ...]:
    """1/24, 1/120, ...: of (exp(r) - 1 - r - r^2/2 - r^3/6)/r^4."""
    return tuple(1.0 / factorial(k) for k in range(4, 16))


def atan_terms() -> tuple[float, ...]:
    """1/5, -1/7, ...: of (1/3 - (1 - atan(z)/z)/z^2)/z^2 in powers of z^2."""
    return tuple((-1.0) ** k / (2 * k + 5) for k in range(11))


@lru_cache(maxsize=1)
def _numbers() -> dict[str, tuple[float, float]]:
    """Constants: log 2, a third, a sixth, half of pi, the normal density at 0, root of 2."""
    from mpmath import MPContext

    m = MPContext()
    m.prec = 220
    found = {
        "LN2": m.log(2),
        "THIRD": m.mpf(1) / 3,
        "SIXTH": m.mpf(1) / 6,
        "HALFPI": m.pi / 2,
        "DENSITY": 1 / m.sqrt(2 * m.pi),
        "ROOT2": m.sqrt(2),
    }
    return {k: (float(v), float(v - float(v))) for k, v in found.items()}
