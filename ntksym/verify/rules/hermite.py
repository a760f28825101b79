r"""Gauss-Hermite rules with a proved error, for a function that is analytic in a wide disc.

With $|G| \le M$ on the disc $|z| \le R$ and $R > Z_0$, the n-point rule errs, against
$E[G(Z); |Z| \le Z_0]$, by at most
$M\big[(2n-1)!!\,R^{-2n}\,(2n + \tfrac{2}{1 - Z_0/R}) + 2n\,\mathrm{erfc}(Z_0/\sqrt2)\big]$ when
all nodes lie in $|z| \le Z_0$: section 6 of `derivations/identities/enclosure.md`.
"""

from __future__ import annotations

from functools import lru_cache
from math import factorial
from typing import Any

from flint import acb, arb, ctx, fmpz_poly

MOST_POINTS = 24


@lru_cache(maxsize=256)
def _rule(n: int, bits: int) -> tuple[tuple[Any, Any], ...]:
    below, front = _polynomial(n - 1), arb(factorial(n)) / (n * n)
    roots = [root.real for root, _ in _polynomial(n).complex_roots()]  # all of them are real
    out = []
    for z in sorted(roots, key=lambda t: float(t)):
        at = below(acb(z)).real
        out.append((z, front / (at * at)))
    return tuple(out)


def _polynomial(n: int) -> Any:
    """The probabilists' Hermite polynomial: He_(k+1) = z He_k - k He_(k-1)."""
    last, here = fmpz_poly([0]), fmpz_poly([1])
    for k in range(n):
        last, here = here, fmpz_poly([0, 1]) * here - k * last
    return here


def nodes(n: int) -> tuple[tuple[Any, Any], ...]:
    """`(node, weight)` of the n-point rule for the standard normal law, in order."""
    return _rule(n, int(ctx.prec))


def fewest(size: Any, radius: Any, reach: Any, tol: Any) -> tuple[int, Any] | None:
    """`(n, error)` for the smallest n with an error below `tol`; None where there is none.

    Args:
        size: the supremum M on the disc.
        radius: R.
        reach: Z_0.
        tol: the goal.
    """
    ratio = reach / radius
    if not ratio < 1:
        return None
    beyond = (reach / arb(2).sqrt()).erfc()
    odd, scale = arb(1), arb(1)
    for n in range(1, MOST_POINTS + 1):
        odd *= 2 * n - 1
        scale /= radius * radius
        error = size * (odd * scale * (2 * n + 2 / (1 - ratio)) + 2 * n * beyond)
        if 4 * n > reach * reach:  # every root is below 2 sqrt(n)
            return None
        if n > 1 and error < tol:
            return n, error.upper()
    return None
