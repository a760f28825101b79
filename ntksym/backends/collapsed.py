r"""A collapsed network in numbers, as both backends take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..lower.program import Program

TOLERANCE = 1e-13
"""How far variances of doubles may be from that of the sphere, relatively."""


class SideLike(Protocol):
    """What the code of a side is made from."""

    @property
    def scale(self) -> float:
        """The c of w = s/(s + c)."""
        ...

    @property
    def top(self) -> float:
        """The largest w."""
        ...

    @property
    def nngp(self) -> tuple[float, ...]:
        """Coefficients of 1, u, v, u v, v^2, u v^2, ...; u = 2 w/top - 1, v = 2 u^2 - 1."""
        ...

    @property
    def ntk(self) -> tuple[float, ...]:
        """The same for the tangent kernel."""
        ...


@dataclass(frozen=True, slots=True)
class CollapsedProgram:
    r"""A collapsed network: two polynomials on each side of rho = 0.

    Attributes:
        name: an identifier.
        input: the program d -> slopes and offsets of the affine first layer.
        input_values: the numbers of its parameters, after `d`.
        sides: for rho >= 0 and rho < 0.
        ends: the kernels at rho = 1.
        power: P of the scale $(q_{11}q_{22})^{P/2}$; 0 on a sphere.
        variance: $\Sigma^{(1)}(x, x)$ on a sphere, else 0.
        notes: lines for the head of the file.
        tolerance: how far a variance may be from that of the sphere, relatively, before the
            result is NaN.
    """

    name: str
    input: Program
    input_values: tuple[float, ...]
    sides: tuple[SideLike, SideLike]
    ends: tuple[float, float]
    power: float
    variance: float
    notes: tuple[str, ...]
    tolerance: float = TOLERANCE

    def table(self, which: int, least: float = 0.0) -> tuple[tuple[float, float], ...]:
        """Per term the coefficients (for rho >= 0, for rho < 0), times the kernel at rho = 1.

        Args:
            which: 0 for nngp, 1 for ntk.
            least: leave out the last terms whose sizes add up to less, relatively.
        """
        series = [_trimmed((s.nngp, s.ntk)[which], least) for s in self.sides]
        n = max(map(len, series))
        full = [[c * self.ends[which] for c in s] + [0.0] * (n - len(s)) for s in series]
        return tuple(zip(*full, strict=True))

    @property
    def maps(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Per side (c, 2/top) of u = (2/top) s/(s + c) - 1."""
        first, second = ((s.scale, 2.0 / s.top) for s in self.sides)
        return first, second


def _trimmed(series: tuple[float, ...], least: float) -> tuple[float, ...]:
    total, n = 0.0, len(series)
    while n > 2 and total + abs(series[n - 1]) < least:
        n -= 1
        total += abs(series[n])
    return series[:n]
