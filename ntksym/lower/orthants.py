"""The normal distribution of one and two variables in many digits: what the operations mean."""

from __future__ import annotations

from typing import Any


def _owen_t(ctx: Any, h: Any, a: Any) -> Any:
    r"""Owen's T(h, a) for |a| <= 1: $\frac1{2\pi}\sum_j (-1)^j\frac{a^{2j+1}}{2j+1}P(N \le j)$.

    N is a Poisson variable of mean $h^2/2$ (Owen 1956); with atan taken out, the terms have
    P(N > j) instead, and fall faster than any power.  Far out, the integral over 1/(1 + x^2).
    """
    half = h * h / 2
    if a == 0 or not ctx.isfinite(half):
        return ctx.zero
    if half > 500 + 2.5 * ctx.dps:  # the terms fall to exp(-half) of the first
        return ctx.exp(-half) * _over_square(ctx, half, a) / (2 * ctx.pi)
    with ctx.workprec(ctx.prec + 30 + int(1.45 * half)):  # T itself is of size exp(-half)
        mass = ctx.exp(-half)
        above, power, total, j = 1 - mass, +a, ctx.atan(a), 0
        while j < half or above > ctx.ldexp(1, 12 - ctx.prec):
            total -= power * above / (2 * j + 1)
            j, power = j + 1, -power * a * a
            mass *= half / j
            above -= mass
        total /= 2 * ctx.pi
    return +total


def _over_square(ctx: Any, half: Any, a: Any) -> Any:
    r"""$\int_0^a e^{-px^2}/(1 + x^2)\,dx$, p = `half` large, by the geometric series."""
    part = ctx.sqrt(ctx.pi / half) * ctx.erf(a * ctx.sqrt(half)) / 2
    edge, total, n = a * ctx.exp(-half * a * a), +part, 0
    while abs(part) > abs(total) * ctx.eps / 4 and n < half:
        part = -((2 * n + 1) * part - edge) / (2 * half)
        edge, total, n = -edge * a * a, total + part, n + 1
    return total


def _owen(ctx: Any, h: Any, ah: Any) -> Any:
    """T(h, ah/h), total: the argument is the product, so that h = 0 needs no division."""
    x, y = abs(h), abs(ah)
    if x == 0 and y == 0:
        return ctx.zero
    if y <= x:
        size = _owen_t(ctx, x, y / x)
    else:
        qx, qy = tail(ctx, -x), tail(ctx, -y)
        far = not ctx.isfinite(y) or (y - x) * (y + x) > 2 * ctx.prec
        back = ctx.zero if far else _owen_t(ctx, y, x / y)  # below exp(-(y^2 - x^2)/2) of qx
        size = (qx + qy) / 2 - qx * qy - back
    return size if ah >= 0 else -size


def tail(ctx: Any, z: Any) -> Any:
    """P(X <= z)."""
    return ctx.erfc(-z / ctx.sqrt(2)) / 2


def orthant(ctx: Any, h: Any, k: Any, c: Any, s: Any) -> Any:
    r"""P(X <= h, Y <= k), correlation cos of the angle with sides (c, s); Owen 1956."""
    if c == 0 and s == 0:
        s = ctx.one
    length = ctx.hypot(c, s)
    r, t = c / length, s / length
    if t == 0:
        return tail(ctx, min(h, k)) if r > 0 else max(ctx.zero, tail(ctx, h) - tail(ctx, -k))
    if h == 0 and k == 0:
        return ctx.atan2(s, -c) / (2 * ctx.pi)
    one_less = t * t / (1 + r) if r > 0 else 1 - r  # 1 - r without cancellation
    if r > 0:
        to_k, to_h = (k - h + h * one_less) / t, (h - k + k * one_less) / t
    else:
        one_more = t * t / (1 - r)
        to_k, to_h = (k + h - h * one_more) / t, (h + k - k * one_more) / t
    total = (tail(ctx, h) + tail(ctx, k)) / 2 - _toward(ctx, h, to_k) - _toward(ctx, k, to_h)
    if h * k < 0 or (h * k == 0 and h + k < 0):
        total -= ctx.mpf(1) / 2
    return max(ctx.zero, total)


def _toward(ctx: Any, h: Any, ah: Any) -> Any:
    return _owen(ctx, h, ah if h >= 0 else -ah)


def scaled_orthant(ctx: Any, a: Any, h: Any, k: Any, c: Any, s: Any) -> Any:
    r"""exp(a)*Phi2 with the relative accuracy of its tails.

    For $h + k \le 0$, $\Phi_2(h,k;r) = \int_{-1}^r \varphi_2(h,k;t)\,dt$, and with
    $y = \sqrt{(1-t)/(1+t)}$ it is
    $\frac1\pi \int_{y_r}^\infty \exp(-\tfrac{h^2+k^2}4 - \tfrac{(h-k)^2}{8y^2} -
    \tfrac{(h+k)^2 y^2}8) \frac{dy}{1+y^2}$: nothing cancels.
    """
    if h + k > 0:
        low, high = (h, k) if h < k else (k, h)
        return ctx.exp(a) * tail(ctx, low) - scaled_orthant(ctx, a, low, -high, -c, s)
    if c == 0 and s == 0:
        s = ctx.one
    if s == 0:  # one number, or two that are opposite
        return ctx.exp(a) * tail(ctx, min(h, k)) if c > 0 else ctx.zero
    length = ctx.hypot(c, s)
    start = s / (length + c) if c > 0 else (length - c) / s
    near, far = (h - k) ** 2 / 8, (h + k) ** 2 / 8
    peak = max(start, ctx.sqrt(ctx.sqrt(near / far))) if far else start
    least = far * peak * peak + (near / (peak * peak) if near else 0)

    def integrand(x: Any) -> Any:  # at most about one: `quad` stops on absolute errors
        y = ctx.exp(x)
        return y * ctx.exp(least - near / (y * y) - far * y * y) / (1 + y * y)

    # where far*y^2 + near/y^2 is within `drop` of its least: beyond, it is e^-drop of the peak
    drop = 3 * ctx.dps
    x0 = max(ctx.log(start), ctx.mpf(-60)) if start else ctx.mpf(-60)
    x1 = max(x0, 0) + 60
    if far:
        half = (least + drop) / 2
        square = half + ctx.sqrt(max(half * half - near * far, 0))
        x1 = min(x1, ctx.log(square / far) / 2)
        x0 = max(x0, ctx.log(near / square) / 2) if near else x0
    elif near:
        x0 = max(x0, ctx.log(near / (least + drop)) / 2)
    middle = ctx.log(peak) if peak else x0
    points = [x0, middle, x1] if x0 < middle < x1 else [x0, x1]
    return ctx.exp(a - (h * h + k * k) / 4 - least) * ctx.quad(integrand, points) / ctx.pi
