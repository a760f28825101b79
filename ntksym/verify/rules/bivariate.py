r"""The bivariate normal distribution function as a ball, for every correlation.

$$\Phi_2(h,k;r) = \Phi(h)\Phi(k) + \frac{1}{2\pi}\int_0^{\arcsin r}
  \exp\Big(-\frac{(h-k)^2}{2\cos^2 t} - \frac{hk}{1+\sin t}\Big)\,dt$$

(Plackett 1954, with the exponent written so that nothing cancels as r tends to 1; for r < 0 it is
$-\frac{(h+k)^2}{2\cos^2 t} + \frac{hk}{1-\sin t}$, the same for r tending to -1), and near r = 1

$$\Phi_2(h,k;r) = \Phi(\min(h,k)) - \frac{1}{2\pi}\int_0^{\arccos r}
  \exp\Big(-\frac{(h-k)^2}{2\sin^2 \tau} - \frac{hk}{1+\cos \tau}\Big)\,d\tau .$$

Both by series where h and k are real and moderate (bivariate_series.py), by quadrature elsewhere.

Of complex h and k the first has terms of the size $e^{(b^2 + c^2)/2}$, b and c the imaginary parts,
which may be larger than $\Phi_2$ by thousands of bits.  Then, with $\sigma^2 = 1 - r^2$, it is

$$\Phi_2(h,k;r) = \int_0^\infty \varphi(h-s)\,\Phi\Big(\frac{k - r(h-s)}\sigma\Big)\,ds,$$

on a line where the imaginary parts stay: $|\varphi(x + ib)| = e^{b^2/2}\varphi(x)$ and
$|\Phi(x + i\beta)| \le e^{\beta^2/2}\Phi(x)$, so that no value is larger than the density at
(ib, ic), and what lies beyond s = L is at most $e^{(b^2+\beta^2)/2}\,\Phi(\mathrm{Re}\,h - L)$.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from typing import Any

from flint import acb, arb, ctx

from ...errors import BadActivation, Undecided
from ..safe import integral
from .bivariate_series import cdf, summed

_LOSS = 32
"""Bits that the product of two distribution functions may take, before a line is cheaper."""

_DEEP = -40
"""Both arguments below this: the value is so small that only its own precision will do."""
_CLEAR = 0.99
_KNOWN = 16


def phi2(h: Any, k: Any, r: Any, unit: int = 0) -> Any:
    """An enclosure (`acb`) of Phi2(h, k; r) for `acb` arguments, r real.

    `unit` is 1 or -1 when r is exactly that.  Real h, k:
    every r in [-1, 1].  Complex h, k: |r| < 1.

    Raises:
        BadActivation: |r| is certainly larger than one.
        Undecided: |r| < 1 is open, or complex arguments at |r| = 1.
    """
    real = h.imag.is_zero() and k.imag.is_zero()
    if not (h.is_finite() and k.is_finite() and r.is_finite()):
        return acb("nan")
    rho = r.real
    if abs(rho) > 1:
        raise BadActivation(f"Phi2 has no value at the correlation {rho}: it is beyond one")
    if unit or not abs(rho) < 1:
        if not real or not unit:
            raise Undecided(f"Phi2 at the correlation {rho}: not certainly inside (-1, 1)")
        if unit > 0:
            return acb(cdf(h.real.min(k.real)))
        return acb((cdf(h.real) - cdf(-k.real)).max(arb(0)))
    if real and h.real < _DEEP and k.real < _DEEP and abs(rho) < _CLEAR:
        if (deep := _deep(h.real, k.real, rho)) is not None:
            return acb(deep)
    if real and rho < 0:  # P(X <= h) - P(X <= h, Y > k)
        return cdf(h) - _real(h.real, -k.real, -rho)
    if real:
        return acb(_real(h.real, k.real, rho))
    if abs(h.imag).mid() < abs(k.imag).mid():  # the line costs less where h is the larger wave
        h, k = k, h
    below = h.imag.mid() < 0
    if below:
        h, k = h.conjugate(), k.conjugate()
    ends = tuple(end.man_exp() for z in (h.real, h.imag, k.real, k.imag, rho) for end in _ends(z))
    value = _complex(ends, int(ctx.prec))
    return value.conjugate() if below else value


def _ends(z: Any) -> tuple[Any, Any]:
    return z.mid(), z.rad()


@lru_cache(maxsize=256)
def _complex(ends: tuple[tuple[Any, Any], ...], bits: int) -> Any:
    """Of complex arguments as exact numbers: waves between kinks ask for each several times."""
    parts = [arb(m) * arb(2) ** e for m, e in ends]
    a, b, c, d, rho = (arb(m, r) for m, r in zip(parts[::2], parts[1::2], strict=True))
    h, k = acb(a, b), acb(c, d)
    front, size = cdf(h) * cdf(k), _peak(h, k, rho)
    if abs(front).upper() > size * 2**_LOSS:
        return _on_line(h, k, rho, size)
    return front + _plackett(h, k, rho)


def _peak(h: Any, k: Any, rho: Any) -> Any:
    """A bound of the values of `_on_line` but for the real normal density and distribution."""
    beta = (k.imag - rho * h.imag) / (1 - rho * rho).sqrt()
    return ((h.imag * h.imag + beta * beta) / 2).exp().upper()


def _on_line(h: Any, k: Any, rho: Any, size: Any) -> Any:
    """The integral over s, cut off where the normal tail is below the working precision."""
    sigma = (1 - rho * rho).sqrt()
    goal = _goal() * size * (-((h.real.min(arb(0))) ** 2) / 2).exp()
    length = arb(1)
    while not size * cdf(h.real - length) < goal:
        length += 1

    def density(s: Any, analytic: bool) -> Any:
        at = h - s
        return (-at * at / 2).exp() * cdf((k - rho * at) / sigma)

    root = (2 * arb.pi()).sqrt()
    lost = (size * cdf(h.real - length)).upper()
    return integral(density, arb(0), length, tol=goal, slack=64) / root + acb(
        arb(0, lost), arb(0, lost)
    )


def _goal() -> Any:
    return arb(2) ** -int(ctx.prec)


def _plackett(h: Any, k: Any, rho: Any) -> Any:
    sign = -1 if rho < 0 else 1
    gap, prod = (h - sign * k) ** 2 / 2, sign * h * k

    def density(t: Any, analytic: bool) -> Any:
        return (-gap / t.cos() ** 2 - prod / (1 + sign * t.sin())).exp()

    end = rho.asin()
    # complex h and k make the integrand large at one of the ends: what a sum of such sizes has lost
    # no subdivision brings back, but more bits do
    sizes = [abs(density(acb(t), False)).upper() for t in (arb(0), end)]
    goal = _goal() * reduce(arb.max, (size for size in sizes if size.is_finite()), arb(1))
    return integral(density, arb(0), end, tol=goal, slack=64) / (2 * arb.pi())


def _deep(h: Any, k: Any, rho: Any) -> Any | None:
    """The line of real h and k far below 0, to the working precision of the value itself.

    From the lesser of both on the integrand only falls: its value at s = 0 over |h| is the scale.
    None for balls so wide that this is hardly known.
    """
    if h.mid() > k.mid():
        h, k = k, h
    sigma = (1 - rho * rho).sqrt()
    first = (-h * h / 2).exp() * cdf((k - rho * h) / sigma)
    if first.rel_accuracy_bits() < _KNOWN:
        return None
    goal = (_goal() * first.lower() / (1 + abs(h)).upper()).lower()
    length = arb(1)
    while not cdf(h.upper() - length) < goal:
        length *= 2

    def density(s: Any, analytic: bool) -> Any:
        at = h - s
        return (-at * at / 2).exp() * cdf((k - rho * at) / sigma)

    value = integral(density, arb(0), length, tol=goal, slack=64).real / (2 * arb.pi()).sqrt()
    lost = cdf(h - length).upper() / 2
    return value + arb(lost, lost)


def _real(h: Any, k: Any, rho: Any) -> Any:
    found = summed(h, k, rho)
    if found is not None:
        return found
    if not rho > 0.7:
        return (cdf(h) * cdf(k) + _plackett(acb(h), acb(k), rho)).real
    return cdf(h.min(k)) - _complement(h, k, rho) / (2 * arb.pi())


def _complement(h: Any, k: Any, rho: Any) -> Any:
    """The integral from 0 to arccos(rho), with the essential singularity at 0 cut off by hand."""
    top, bits = ((1 - rho) * (1 + rho)).sqrt().asin(), int(ctx.prec)
    gap, prod = abs(h - k), h * k

    def smooth(t: Any, analytic: bool) -> Any:
        return (-prod / (1 + t.cos())).exp()

    if not gap > 0 or gap.upper() < arb(2) ** (-bits + 8):
        # 0 <= int (1 - exp(-gap^2/(2 sin^2))) dt <= gap pi^{3/2}/sqrt(8), as sin t >= 2t/pi
        most = (-prod / 2).exp().max((-prod / (1 + top.cos())).exp()).upper()
        lost = gap.upper() * arb.pi() * (arb.pi() / 8).sqrt() * most
        return integral(smooth, arb(0), top, tol=_goal(), slack=64).real - arb(
            lost / 2, (lost / 2).upper()
        )

    def density(t: Any, analytic: bool) -> Any:
        return (-(gap**2) / (2 * t.sin() ** 2) - prod / (1 + t.cos())).exp()

    # below the cut the integrand is at most exp(-gap^2/(2 cut^2)) max(exp(-hk/2), exp(-hk/(1+cos)))
    cut = (gap.lower() / (2 * arb(bits + 8) * arb(2).log()).sqrt()).lower()
    if not cut < top:
        cut = top.upper()
    most = (-prod / 2).exp().max((-prod / (1 + cut.cos())).exp())
    rest = (cut * most * (-(gap**2) / (2 * cut**2)).exp()).upper()
    total, left = arb(rest / 2, (rest / 2).upper()), cut
    while left < top:
        right = 2 * left if 4 * left < top else top
        total += integral(density, left, right, tol=_goal(), slack=64).real
        left = right
    return total
