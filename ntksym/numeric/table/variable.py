r"""The variable: $w = (1+\kappa)t/(1+\kappa t)$, $t = \tan(\theta/2)$, $|\rho| = \cos\theta$.

One polynomial in $x = 2w - 1$ serves $\rho \ge 0$, another $\rho \le 0$.  With
$P = \sqrt{q_{11}q_{22}}$ and $R = \sqrt{P^2 - q_{12}^2}$ it is
$w = (1+\kappa)R/(P + |q_{12}| + \kappa R)$: one division and no cancellation, and kinks at 0 are
analytic in it.  A larger kappa gives more of the interval to rho near 1.

Chebyshev interpolation of a function that is analytic and bounded by M inside the Bernstein
ellipse with parameter r errs by at most $4Mr^{-d}/(r-1)$ with a polynomial of degree d.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

KAPPAS = (0.5, 1.0, 2.0, 4.0)
"""The values of kappa that are tried."""
RADII = ("1.05", "1.1", "1.2", "1.35", "1.5", "1.75", "2", "2.4", "2.8", "3.3", "3.8", "4.3")
"""The parameters of ellipses that are tried, where the ellipse holds no singularity."""
_ARCS = 64


@lru_cache(maxsize=32)
def nodes(count: int, bits: int) -> tuple[Any, ...]:
    """The Chebyshev points cos((2i+1)pi/(2 count)), as `arb` at `bits` bits."""
    from flint import arb, fmpq

    from ...precision import precision

    with precision(bits):
        return tuple(arb.cos_pi_fmpq(fmpq(2 * i + 1, 2 * count)) for i in range(count))


@lru_cache(maxsize=32)
def transform(count: int, bits: int) -> Any:
    """The matrix (`arb_mat`) from values at `nodes(count)` to Chebyshev coefficients."""
    from flint import arb, arb_mat, fmpq

    from ...precision import precision

    with precision(bits):
        table = [arb.cos_pi_fmpq(fmpq(k, 2 * count)) for k in range(4 * count)]
        rows = []
        for k in range(count):
            scale = arb(1 if k == 0 else 2) / count
            rows.append([scale * table[k * (2 * i + 1) % (4 * count)] for i in range(count)])
        return arb_mat(rows)


def unmapped(x: Any, kappa: float) -> Any:
    """The number in [0, 1] that the variable x stands for, of `arb`, `acb` and arrays."""
    w = (1 + x) / 2
    return w / (1 + kappa * (1 - w))


def correlation(t: Any, sign: int) -> Any:
    """The correlation sign (1 - t^2)/(1 + t^2), for `arb` and `acb`."""
    return sign * (1 - t * t) / (1 + t * t)


def ellipse(radius: Any, arcs: int = _ARCS) -> list[Any]:
    """Boxes (`acb`) that cover the upper half of the ellipse with parameter `radius`."""
    from flint import acb, arb

    out = []
    for i in range(arcs):
        angle = arb.pi() * (arb(i).union(arb(i + 1))) / arcs
        out.append(
            acb(
                (radius + 1 / radius) / 2 * angle.cos(),
                (radius - 1 / radius) / 2 * angle.sin(),
            )
        )
    return out


def free(radius: str, kappa: float) -> bool:
    """Whether t = i, -i and infinity are outside the ellipse."""
    from flint import acb, arb

    r, far = arb(radius), 1 + arb(2) / kappa  # x where t is infinite
    w = (1 + arb(kappa)) * acb(0, 1) / (1 + kappa * acb(0, 1))
    x = 2 * w - 1
    sum_of_distances = abs(x - 1) + abs(x + 1)  # 2a on the ellipse with semi-axis a
    return bool(r + 1 / r < 2 * far and r + 1 / r < sum_of_distances)


@lru_cache(maxsize=64)
def spread(radius: str, kappa: float) -> Any:
    """A bound of |rho| on an ellipse (`arb`), at least 1; None where it holds a singularity."""
    from flint import arb

    from ...precision import precision

    with precision(64):
        if not free(radius, kappa):
            return None
        most = arb(1)
        for box in ellipse(arb(radius), 512):
            most = most.max(abs(correlation(unmapped(box, kappa), 1)).upper())
        return most if most.is_finite() else None


def alias(radius: Any, degree: int) -> Any:
    """The factor of M in the error of interpolation with `degree`: 4 r^-d/(r - 1)."""
    return 4 * radius**-degree / (radius - 1)


def lebesgue(count: int) -> Any:
    """A bound of the Lebesgue constant of `count` Chebyshev points (Rivlin 1974)."""
    from flint import arb

    return 1 + 2 / arb.pi() * arb(count).log()
