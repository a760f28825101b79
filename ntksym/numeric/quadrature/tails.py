r"""What lies outside a circle: $\int_{|z|>L}$ and the lattice sum over $|z|>L$, bounded.

With the growth certificate $|f(t)| \le c(1+|t|)^k e^{b|t|+at^2}$ and $|u|, |v| \le \sqrt q\,r$,
$|f(u)f(v)|\varphi\varphi \le g(r) = \frac{c^2}{2\pi}(1+\sqrt q\,r)^{2k} e^{2b\sqrt q\,r}
e^{-(1-4aq)r^2/2}$, whose logarithm is concave: a geometric tail.
"""

from __future__ import annotations

from typing import Any

from ...errors import NotSquareIntegrable
from .subject import Growth


def outside(growth: Growth | None, dev: Any, length: Any, step: Any) -> Any:
    """An upper bound of the integral over |z| > length and of step^2 times the lattice sum there.

    Args:
        growth: the certificate; None where there is none.
        dev: the largest standard deviation, an `arb`.
        length: the radius L.
        step: the step of the lattice, or 0 for the integral alone.

    Returns:
        An `arb`; infinite where L is too small for the bound, and without a certificate.

    Raises:
        NotSquareIntegrable: 4 a q >= 1.
    """
    from flint import arb

    from ..arith import ball

    zero, one = arb(0), arb(1)
    if growth is None:
        return arb("inf")
    a, b, c = (ball(v).upper() for v in (growth.a, growth.b, growth.c))
    steep = one - 4 * a * dev * dev
    if not steep > 0:
        raise NotSquareIntegrable(
            "the second moment is not shown to be finite at the largest variance",
            hint="a smaller range of variances: |s(x)| <= c exp(a x^2) needs 4 a q < 1",
        )

    def part(start: Any, delta: Any) -> Any:
        """2 pi g(start)(start + delta)/rate, for the integral of g(r)(r + delta) from start."""
        grown = one + dev * start
        rate = start * steep - 2 * b * dev - 2 * growth.k * dev / grown - 1 / (start + delta)
        if not (start > 0 and rate > 0):
            return arb("inf")
        log = 2 * b * dev * start - steep * start * start / 2
        return c * c * grown ** (2 * growth.k) * log.exp() * (start + delta) / rate

    total = part(length, zero)
    if step > 0:  # a node stands for its square: |w - z| <= step/sqrt(2)
        delta = step / arb(2).sqrt()
        total += part(length - 2 * delta, delta)
    return total.upper()
