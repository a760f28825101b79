r"""Exact coefficients of functions that are powers of |x| on each half-line.

$E[|Z|^p\,He_{2k}(Z)] = E|Z|^p\,p(p-2)\cdots(p-2k+2)$ and $E[\mathrm{sgn}(Z)|Z|^p\,He_{2k+1}(Z)]
= E|Z|^{p+1}\,(p-1)(p-3)\cdots(p-2k+1)$, for p > -1: by Stein's lemma, $E[|Z|^pHe_n] =
p\,E[\mathrm{sgn}(Z)|Z|^{p-1}He_{n-1}]$, and analytic continuation in p.
"""

from __future__ import annotations

from typing import Any


def power_coefficients(lines: Any, q: Any, count: int) -> tuple[Any, ...]:
    """Balls of a_0 .. a_{count-1} for `functions.radial.HalfLines` at variance q (an `fmpq` > 0).

    Raises:
        Undecided: an exponent of -1 or less.
    """
    from flint import arb

    from ...verify.functions.radial import moment

    total = [arb(0)] * count
    for side, powers in ((1, lines.right), (-1, lines.left)):
        for term in powers:
            p = term.power
            scale = term.factor * arb(q) ** arb(p / 2)
            # E[Z_+^p He_n] is half of the even and of the odd function
            even, odd = scale * moment(p), scale * side * moment(p + 1)
            norm = arb(1)
            for n in range(count):
                if n:
                    norm = norm / arb(n).sqrt()
                if n % 2 == 0:
                    total[n] += even * norm
                    even = even * arb(p - n)
                else:
                    total[n] += odd * norm
                    odd = odd * arb(p - n)
    return tuple(total)


def log_coefficients(log: Any, q: Any, count: int) -> tuple[Any, ...]:
    r"""Balls of a_0 .. a_{count-1} for `logform.Log`, the limit p -> 0 of $(|x|^p - 1)/p$.

    $E[\log|Z|] = -(\gamma + \log 2)/2$ and $E[\log|Z|\,He_{2k}(Z)] = (-2)(-4)\cdots(-2k+2)$.
    """
    from flint import arb

    offset, slope = log.values()
    out = [arb(0)] * count
    mean = (arb(q).log() - arb.const_euler() - arb(2).log()) / 2
    out[0] = offset + slope * mean
    now = slope
    for n in range(2, count, 2):  # a_2 = slope/sqrt(2), a_{n+2} = -n a_n/sqrt((n+1)(n+2))
        now = now / arb(2).sqrt() if n == 2 else now * arb(2 - n) / (arb(n - 1) * n).sqrt()
        out[n] = now
    return tuple(out)
