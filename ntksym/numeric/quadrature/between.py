"""A callable of numbers as a function of arrays: Chebyshev interpolants on parts of its range."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from .callables import Sampled

DEGREE = 15
_FIRST = 64
"""Parts at the start; one that the interpolant does not follow is halved."""
_NARROWEST = 2.0**-44
"""Of the range: a part with a kink in it is not halved further."""
_MISS = 1e-14
"""Of the largest value on a part: what the interpolant may miss between its nodes."""
_ROUNDED = 4e-16
_MOST = 300_000
"""Values of the callable."""
_BETWEEN = (-0.93, -0.41, 0.37, 0.89)
_PER_VALUE = 2e-7
"""About the seconds that a value between samples takes."""


@dataclass(frozen=True, slots=True)
class Between:
    """Values of a function between those at the Chebyshev nodes of each part.

    Attributes:
        ends: of the parts, in order.
        coefficients: of the Chebyshev polynomials, a row for each degree.
    """

    ends: Any
    coefficients: Any

    def __call__(self, x: Any) -> Any:
        """The interpolated values, of the shape of x."""
        import numpy as np

        part = np.clip(np.searchsorted(self.ends, x, "right") - 1, 0, len(self.ends) - 2)
        low, high = self.ends[part], self.ends[part + 1]
        twice = 2.0 * ((x - low) - (high - x)) / (high - low)
        one = two = np.zeros_like(twice)
        for row in self.coefficients[:0:-1]:
            one, two = row[part] + twice * one - two, one
        return self.coefficients[0][part] + 0.5 * twice * one - two


def between(function: Sampled, far: float, seconds: float) -> Sampled | None:
    """The callable of numbers by its interpolants on [-far, far]; None where these take too long.

    What an interpolant misses is seen at a few places between its nodes, no more: it is no bound.
    """
    import numpy as np

    nodes, to_coefficients, at_between = _basis()
    left = min(float(_MOST), seconds / max(function.per_value, 1e-9))
    edges = np.linspace(-far, far, _FIRST + 1)
    todo = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    done: list[tuple[float, float, Any]] = []
    while todo:
        left -= len(nodes) + len(_BETWEEN)
        if left < 0:
            return None
        low, high = todo.pop()
        mid, half = 0.5 * (low + high), 0.5 * (high - low)
        places = mid + half * np.concatenate((nodes, _BETWEEN))
        values = function(places)
        found = to_coefficients @ values[: len(nodes)]
        miss = np.max(np.abs(at_between @ found - values[len(nodes) :]))
        moved = _ROUNDED * (abs(mid) + half) * float(np.ptp(values)) / half  # by rounded places
        if miss <= _MISS * np.max(np.abs(values)) + moved or half <= _NARROWEST * far:
            done.append((low, high, found))
        else:
            todo += [(low, mid), (mid, high)]
    done.sort(key=lambda part: part[0])
    ends = np.array([*(low for low, _, _ in done), far])
    table = Between(ends, np.array([c for _, _, c in done]).T.copy())
    return replace(function, function=table, vectorised=True, per_call=0.0, per_value=_PER_VALUE)


@lru_cache(maxsize=1)
def _basis() -> tuple[Any, Any, Any]:
    """Nodes, the matrix from values there to coefficients, that from these to `_BETWEEN`."""
    import numpy as np

    k = np.arange(DEGREE + 1)
    angle = (k + 0.5) * np.pi / (DEGREE + 1)
    matrix = np.cos(np.outer(k, angle)) * (2.0 / (DEGREE + 1))
    matrix[0] *= 0.5
    return np.cos(angle), matrix, np.cos(np.outer(np.arccos(np.array(_BETWEEN)), k))
