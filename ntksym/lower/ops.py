"""The operations a `Program` may use, each with its meaning in mpmath.

All of them are total on the closed domain: a guard sits on the argument, never around a result.
A backend only spells them; `Op.meaning` is what the spelling is tested against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .orthants import orthant, scaled_orthant, tail

DIRECT_OPS = ("direct", "direct_dot", "direct_diag", "direct_diag_dot")
"""Operations with the same rule (`direct.Direct`)."""

FAR_OPS = ("far", "far_dot", "far_diag", "far_diag_dot", *DIRECT_OPS)
"""Operations with the same numbers (`far.Far`), and those above: spelled alike."""

FLOOR_EXPONENT = -500
"""`pos` raises its argument to 2**-500: small enough to be zero, large enough to be squared."""
ONCE_EXPONENT = -1010
"""`once` to 2**-1010: its reciprocal, times any number of a formula, is in the range of doubles."""


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: how many arguments, what it means, and what to know about it.

    Attributes:
        name: the key in `OPS`, used in `Let.op`.
        arity: the number of arguments.
        meaning: `meaning(ctx, *args)` in an mpmath context: the reference for every backend.
        note: its value where the textbook formula has none, or why it exists.
    """

    name: str
    arity: int
    meaning: Callable[..., Any]
    note: str = ""


def _sqrt0(ctx: Any, a: Any) -> Any:
    return ctx.sqrt(a) if a > 0 else a * 0


def _div0(ctx: Any, a: Any, b: Any) -> Any:
    if b != 0:
        return a / b
    return ctx.zero if a == 0 else ctx.inf * ctx.sign(a)


def _angle(ctx: Any, s: Any, c: Any) -> Any:
    return ctx.pi / 2 if s == 0 and c == 0 else ctx.atan2(s, c)


def _arc1(ctx: Any, s: Any, c: Any) -> Any:
    return s + c * _angle(ctx, s, -c)


def _gap(ctx: Any, s: Any, c: Any) -> Any:
    length = ctx.hypot(c, s)
    return s * s / (length + c) if c > 0 else length - c


def _asin3(ctx: Any, c: Any, s: Any, h: Any) -> Any:
    return h * 0 if s == 0 and c == 0 else ctx.atan2(c, s)


def _hyproot(ctx: Any, a: Any, b: Any) -> Any:
    return _sqrt0(ctx, max(a, 0) + b * b)


def _mills(ctx: Any, y: Any) -> Any:
    return _erfcx_scaled(ctx, max(y, 0) ** 2 / 2, -max(y, 0))


def _erfcx_scaled(ctx: Any, a: Any, z: Any) -> Any:
    return ctx.exp(a) * tail(ctx, z)


def _expsinh(ctx: Any, plus: Any, minus: Any, b: Any, d: Any) -> Any:
    grown = ctx.exp(_div0(ctx, max(plus, minus), d))
    return -ctx.sign(b) * grown * ctx.expm1(-2 * _div0(ctx, abs(b), d)) / 2


def _expcosh(ctx: Any, plus: Any, minus: Any, b: Any, d: Any) -> Any:
    grown = ctx.exp(_div0(ctx, max(plus, minus), d))
    return grown * (1 + ctx.exp(-2 * _div0(ctx, abs(b), d))) / 2


def _carry(ctx: Any, root: Any, q11: Any, q12: Any, q22: Any, following: Any) -> Any:
    return ctx.zero if root == 0 and q11 == q22 and q12 > 0 else following


def _exp_phi2_parts(ctx: Any, a: Any, h: Any, k: Any, c: Any, s: Any, *lows: Any) -> Any:
    return scaled_orthant(ctx, a, h + lows[0], k + lows[1], c, s)


def _hyp2f1(ctx: Any, a: Any, b: Any, c: Any, t: Any, s: Any) -> Any:
    """2F1 at z = t/(t + s); at z = 1 by Gauss's formula, infinite where c - a - b <= 0."""
    if t == 0 and s == 0:
        t = s = ctx.one
    d = c - a - b
    if s == 0 and d <= 0:
        return ctx.inf
    if s == 0:
        return ctx.gammaprod([c, d], [c - a, c - b])
    with ctx.workprec(ctx.prec + max(0, ctx.mag(t) - ctx.mag(s)) if t else ctx.prec):
        return ctx.hyp2f1(a, b, c, t / (t + s))


def _raised(exponent: int) -> Callable[..., Any]:
    return lambda ctx, a: max(a, ctx.mpf(2.0**exponent))


def _inverse4(ctx: Any, a: Any) -> Any:
    least = ctx.mpf(2.0**FLOOR_EXPONENT)
    return a if ctx.isnan(a) else ctx.mpf(4) ** -(ctx.mag(min(max(a, least), 1 / least)) // 2)


def _rescale(ctx: Any, a: Any, s: Any) -> Any:
    """s*2**k with s^2*4**k*a about s^2 where a is beyond s^2; else 1."""
    if (s > 1 and s * s < a < ctx.inf) or (s < 1 and 0 < a < s * s):
        return s / ctx.mpf(2) ** (ctx.mag(a) // 2)
    return ctx.one


_TABLE = (
    Op("pi", 0, lambda m: +m.pi),
    Op("euler", 0, lambda m: +m.euler, "Euler's constant"),
    Op("inf", 0, lambda m: m.inf, "a derivative dual of a jump, on the diagonal"),
    Op("add", 2, lambda m, a, b: a + b),
    Op("sub", 2, lambda m, a, b: a - b),
    Op("mul", 2, lambda m, a, b: a * b),
    Op("div", 2, lambda m, a, b: a / b, "the denominator is positive by construction"),
    Op("div0", 2, _div0, "0 at 0/0: the denominator vanishes with the numerator when rho = +-1"),
    Op("neg", 1, lambda m, a: -a),
    Op("abs", 1, lambda m, a: abs(a)),
    Op("sign", 1, lambda m, a: m.sign(a), "0 at 0"),
    Op("max", 2, lambda m, a, b: max(a, b)),
    Op("min", 2, lambda m, a, b: min(a, b)),
    Op("clamp", 3, lambda m, a, lo, hi: min(max(a, lo), hi)),
    Op("pos", 1, _raised(FLOOR_EXPONENT), "max(a, 2**-500): a variance that is divided by"),
    Op("once", 1, _raised(ONCE_EXPONENT), "max(a, 2**-1010): where only its first power divides"),
    Op("inverse4", 1, _inverse4, "a power of 4 about 1/a: what it scales is not rounded"),
    Op(
        "rescale",
        2,
        _rescale,
        "a power of two: its square brings a variance farther from 1 than s^2, on the same side, "
        "to about s^2 (arguments a, s, a power of two); 1 for others, zero and infinity",
    ),
    Op("sqrt0", 1, _sqrt0, "0 below 0"),
    Op("pow", 2, lambda m, a, b: m.power(max(a, 0), b), "a >= 0"),
    Op("cross", 4, lambda m, a, b, c, d: a * b - c * d, "both products exact before subtraction"),
    Op(
        "rootdet",
        3,
        lambda m, a, c, b: _sqrt0(m, a * b - c * c),
        "sqrt(q11*q22 - q12^2), arguments (q11, q12, q22): no overflow, underflow or cancellation",
    ),
    Op("atan2", 2, lambda m, y, x: m.zero if y == 0 and x == 0 else m.atan2(y, x), "0 at (0, 0)"),
    Op("angle", 2, _angle, "angle of the point (c, s), s >= 0; pi/2 at (0, 0): no correlation"),
    Op("arc1", 2, _arc1, "s + c*angle(s, -c), to full relative accuracy where it cancels (c < 0)"),
    Op("gap", 2, _gap, "hypot(s, c) - c, to full relative accuracy near s = 0 (1 - cos)"),
    Op(
        "asin3",
        3,
        _asin3,
        "asin(c/h), arguments (c, s, h) with h = hypot(s, c): one division, relative accuracy "
        "everywhere; 0 at the zero triangle",
    ),
    Op("angle3", 3, lambda m, s, c, h: _angle(m, s, c), "angle(s, c), with h = hypot(s, c) known"),
    Op("arc3", 3, lambda m, s, c, h: _arc1(m, s, c), "arc1(s, c), with h = hypot(s, c) known"),
    Op("gap3", 3, lambda m, s, c, h: _gap(m, s, c), "gap(s, c), with h = hypot(s, c) known"),
    Op("hyproot", 2, _hyproot, "sqrt(max(a, 0) + b^2) without overflow: b may be a root of 1e300"),
    Op("select", 4, lambda m, a, b, x, y: x if a <= b else y, "x where a <= b, else y"),
    Op(
        "short",
        4,
        lambda m, a, b, x, y: x if a <= b and m.prec <= 64 else y,
        "x where a <= b, else y; the same number, x to the digits of doubles only",
    ),
    Op(
        "price",
        6,
        lambda m, closed, *_: closed,
        "the first operand, a closed form; where q11 or q22 is below 1/4, 1/2 or 1 the same number "
        "as base + the integral of slope over the angle, without its cancellation; the operands "
        "after the first, (q11, q12, q22, root, parameters), are those of the inner program",
    ),
    *(
        Op(
            name,
            arity,
            lambda m, closed, *_: closed,
            "the first operand, a closed form; where all standard deviations are large the same "
            f"number by a rule for {what} that does not cancel; then {given}",
        )
        for name, arity, what, given in (
            ("far", 5, "the dual", "(q11, q12, q22, root)"),
            ("far_dot", 5, "its derivative", "(q11, q12, q22, root)"),
            ("far_diag", 2, "the dual of u = v", "q"),
            ("far_diag_dot", 2, "its derivative", "q"),
        )
    ),
    *(
        Op(
            name,
            arity,
            lambda m, closed, *_: closed,
            "the first operand, a closed form; at variances where its terms are much larger than "
            f"the kernel, {what} by its definition; then {given}, parameters",
        )
        for name, arity, what, given in (
            ("direct", 5, "the dual", "(q11, q12, q22, root)"),
            ("direct_dot", 5, "its derivative", "(q11, q12, q22, root)"),
            ("direct_diag", 2, "the dual of u = v", "q"),
            ("direct_diag_dot", 2, "its derivative", "q"),
        )
    ),
    Op("exp", 1, lambda m, a: m.exp(a)),
    Op("expm1", 1, lambda m, a: m.expm1(a)),
    Op("log", 1, lambda m, a: m.log(a)),
    Op("log1p", 1, lambda m, a: m.log1p(a)),
    Op("sin", 1, lambda m, a: m.sin(a)),
    Op("cos", 1, lambda m, a: m.cos(a)),
    Op("sinh", 1, lambda m, a: m.sinh(a)),
    Op("cosh", 1, lambda m, a: m.cosh(a)),
    Op("tanh", 1, lambda m, a: m.tanh(a)),
    Op("expsinh", 4, _expsinh, "exp(a/d)*sinh(b/d), d >= 0, arguments (a + b, a - b, b, d)"),
    Op("expcosh", 4, _expcosh, "exp(a/d)*cosh(b/d), d >= 0, arguments (a + b, a - b, b, d)"),
    Op("carry", 5, _carry, "the next root, or 0 where the inputs coincide: equal stays equal"),
    Op("erf", 1, lambda m, a: m.erf(a)),
    Op("erfc", 1, lambda m, a: m.erfc(a)),
    Op("Phi", 1, tail, "erfc(-z/sqrt(2))/2: relative accuracy in the lower tail"),
    Op("gamma", 1, lambda m, a: m.gamma(a), "a > 0"),
    Op(
        "hyp2f1",
        5,
        _hyp2f1,
        "2F1(a, b; c; t/(t + s)), arguments (a, b, c, t, s), t, s >= 0: the pair keeps the digits "
        "of 1 - z; z = 1/2 at t = s = 0; c > 0, c - a > 0, c - b > 0",
    ),
    Op("expPhi", 2, _erfcx_scaled, "exp(a)*Phi(z): exp may overflow where Phi underflows"),
    Op("mills", 1, _mills, "exp(y^2/2)*Phi(-y), y >= 0: no exponent to round"),
    Op(
        "expPhi2",
        7,
        _exp_phi2_parts,
        "exp(a)*Phi2(h + dh, k + dk, c, s), arguments (a, h, k, c, s, dh, dk): exp may overflow "
        "where Phi2 underflows; dh and dk, at most 2**-30, are what rounding took away from h and "
        "k, and count where a >= 0.25 or where Phi2 is the rest of larger numbers",
    ),
    Op(
        "Phi2",
        4,
        orthant,
        "P(X <= h, Y <= k) at correlation c/hypot(c, s), s >= 0: the pair keeps the digits of rho "
        "near +-1; correlation 0 at c = s = 0",
    ),
)

OPS: dict[str, Op] = {op.name: op for op in _TABLE}
"""Every operation by name.  Read only."""

NAMES = {
    "add": "total",
    "sub": "diff",
    "mul": "prod",
    "div": "ratio",
    "div0": "ratio",
    "sqrt0": "root",
    "rootdet": "root",
    "rescale": "factor",
    "cross": "cross",
    "max": "top",
    "min": "low",
    "atan2": "angle",
    "asin3": "angle",
    "angle3": "angle",
    "arc3": "arc",
    "gap3": "gap",
    "hyproot": "root",
    "Phi": "gate",
    "Phi2": "orthant",
    "expPhi": "tail",
    "mills": "tail",
    "expsinh": "wave",
    "expcosh": "wave",
    "neg": "minus",
    "erf": "gate",
    "erfc": "tail",
    "hyp2f1": "series",
}
"""What a line is called when nothing better is known."""
