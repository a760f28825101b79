r"""Two functions of the normal law, each by one integral of an analytic function.

$$\Phi_2(h,k;r) = \int_{-\infty}^{h} \varphi(t)\,\Phi\Big(\frac{k-rt}{\sqrt{1-r^2}}\Big)dt,\qquad
T(h,a) = \frac{1}{2\pi}\int_0^a \frac{e^{-h^2(1+t^2)/2}}{1+t^2}dt .$$

FLINT's integrator is called through a guard: python-flint loses exceptions of an integrand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import acb, arb, ctx

from .problem import NotConfirmed


def cdf(z: Any) -> Any:
    """The standard normal distribution function of a ball."""
    return (-z / arb(2).sqrt()).erfc() / 2


def integral(func: Callable[[Any], Any], lower: Any, upper: Any) -> Any:
    """The integral of an entire function, or one that answers NaN where not analytic, as `arb`.

    Raises:
        NotConfirmed: no convergence.
    """
    kept: list[BaseException] = []

    def guarded(z: Any, analytic: bool) -> Any:
        if kept:
            return acb("nan")
        try:
            return func(z)
        except BaseException as error:
            kept.append(error)
            return acb("nan")

    goal = arb(2) ** -int(ctx.prec)
    found = acb.integral(guarded, lower, upper, abs_tol=goal, rel_tol=0, eval_limit=200_000)
    if kept:
        raise kept[0]
    if not found.is_finite():
        raise NotConfirmed("an integral did not converge")
    return found.real


def bivariate(h: Any, k: Any, r: Any, one: bool, minus_one: bool) -> Any:
    """Phi2 at real balls; `one` and `minus_one` say that r is exactly that.

    Raises:
        NotConfirmed: r not certainly inside (-1, 1).
    """
    if one:
        return cdf(h.min(k))
    if minus_one:
        return (cdf(h) - cdf(-k)).max(arb(0))
    if not abs(r) < 1:
        raise NotConfirmed("a correlation is not certainly inside (-1, 1)")
    root = (1 - r * r).sqrt()
    far = -arb(2 + int((2 * 0.6932 * int(ctx.prec)) ** 0.5))
    if not h > far:
        half = cdf(h).upper() / 2  # 0 <= Phi2(h, k; r) <= Phi(h)
        return arb(half, half.upper())
    density = 1 / (2 * arb.pi()).sqrt()

    def inner(t: Any) -> Any:
        return (-t * t / 2).exp() * cdf((k - r * t) / root) * density

    top = h.min(-far)
    value = integral(inner, far, top.mid())
    end = arb(0, top.rad()) * density  # |integrand| <= 1/sqrt(2 pi) between mid and the true end
    return value + end + arb(0, 2 * cdf(far).upper())  # left of `far`, right of -far


def owen_t(h: Any, a: Any) -> Any:
    """Owen's T at real balls."""

    def inner(t: Any) -> Any:
        w = 1 + t * t
        return (-h * h * w / 2).exp() / w

    if not a.is_finite():
        raise NotConfirmed("Owen's T at an argument that is not finite")
    value = integral(inner, arb(0), a.mid())
    return (value + arb(0, a.rad())) / (2 * arb.pi())
