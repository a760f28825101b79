"""The value of an expression at exact numbers: exact where it can be, else a complex ball."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from flint import acb, arb, ctx, fmpq

from .exact import NOTHING, UNIT, Exact, exact
from .normal_law import bivariate, owen_t
from .problem import NotConfirmed
from .tree import Tree

Value: TypeAlias = Exact | Any
"""An `Exact`, or an `acb`."""
Env: TypeAlias = Mapping[str, Value]

NAN = acb("nan")


def ball(v: Value) -> Any:
    """The `acb`."""
    return v.ball() if isinstance(v, Exact) else v


def real(v: Value) -> Any:
    """The real part as an `arb`; the imaginary part must be able to be zero.

    Raises:
        NotConfirmed: certainly not real.
    """
    z = ball(v)
    if z.is_finite() and not z.imag.contains(0):
        raise NotConfirmed("a value that has to be real is not real")
    return z.real


def sign(v: Value) -> int:
    """The sign of a real number.

    Raises:
        NotConfirmed: open at this precision.
    """
    if isinstance(v, Exact):
        return v.sign
    r = real(v)
    if r > 0:
        return 1
    if r < 0:
        return -1
    if r.is_zero():
        return 0
    raise NotConfirmed("the sign of a number is open at this precision")


def value(tree: Tree, env: Env) -> Value:
    """The value of the tree; NaN balls where it has none.

    Raises:
        NotConfirmed: a comparison that is open.
    """
    head, *args = tree
    if head == "rat":
        return exact(fmpq(args[0], args[1]))
    if head == "sym":
        return env[args[0]]
    if head in CONSTANT:
        return CONSTANT[head]()
    if head == "piecewise":
        for _, branch, condition in args:
            if holds(condition, env):
                return value(branch, env)
        raise NotConfirmed("no case of a piecewise expression applies")
    parts = [value(a, env) for a in args]
    if head == "add":
        return total(parts)
    if head == "mul":
        return product(parts)
    if head == "pow":
        return power(parts[0], parts[1])
    if head in SPECIAL:
        return SPECIAL[head](*parts)
    return plain(head, [ball(p) for p in parts])


def holds(condition: Tree, env: Env) -> bool:
    """Whether a condition holds.

    Raises:
        NotConfirmed: open at this precision.
    """
    head, *args = condition
    if head in ("true", "false"):
        return bool(head == "true")
    if head == "and":
        return all(holds(a, env) for a in args)
    if head == "or":
        return any(holds(a, env) for a in args)
    if head == "not":
        return not holds(args[0], env)
    s = sign(total([value(args[0], env), product([exact(-1), value(args[1], env)])]))
    return {"lt": s < 0, "le": s <= 0, "gt": s > 0, "ge": s >= 0, "eq": s == 0, "ne": s != 0}[head]


def total(parts: list[Value]) -> Value:
    """The sum."""
    kept, rest = NOTHING, acb(0)
    inexact = False
    for p in parts:
        joined = kept.plus(p) if isinstance(p, Exact) else None
        if joined is not None:
            kept = joined
        else:
            rest, inexact = rest + ball(p), True
    return rest + kept.ball() if inexact else kept


def product(parts: list[Value]) -> Value:
    """The product; zero times a finite number is zero."""
    kept, rest = UNIT, acb(1)
    inexact = False
    for p in parts:
        joined = kept.times(p) if isinstance(p, Exact) else None
        if joined is not None:
            kept = joined
        else:
            rest, inexact = rest * ball(p), True
    if kept.sign == 0 and rest.is_finite():
        return NOTHING
    return rest * kept.ball() if inexact else kept


def power(base: Value, exponent: Value) -> Value:
    """The principal power."""
    e = exponent.rational() if isinstance(exponent, Exact) else None
    if e is not None:
        if e == 0:
            return UNIT
        kept = base.power(e) if isinstance(base, Exact) else None
        return kept if kept is not None else rational_power(ball(base), e)
    if isinstance(base, Exact) and base.sign > 0:
        return (ball(base).log() * ball(exponent)).exp()
    return ball(base).pow(ball(exponent))


def rational_power(z: Any, e: Any, analytic: bool = False) -> Any:
    """z^e for an `acb` and an `fmpq`; NaN on a branch cut if `analytic`."""
    if e.denom() == 1 and abs(e) <= 4096:
        n = abs(int(e.numer()))
        w = z if e > 0 else 1 / z
        result, square = acb(1), w
        while n:  # products only: a ball power of a ball around zero may be NaN
            if n & 1:
                result = result * square
            n >>= 1
            if n:
                square = square * square
        return result
    if e == fmpq(1, 2):
        return z.sqrt(analytic=analytic)
    if e == fmpq(-1, 2):
        return 1 / z.sqrt(analytic=analytic)
    return z.pow(acb(arb(e)), analytic=analytic)


def _absolute(v: Value) -> Value:
    return Exact(abs(v.sign), v.square) if isinstance(v, Exact) else acb(abs(v))


def _heaviside(v: Value, at_zero: Value) -> Value:
    s = sign(v)
    return at_zero if s == 0 else (UNIT if s > 0 else NOTHING)


def _largest(factor: int) -> Callable[..., Value]:
    def choose(*parts: Value) -> Value:
        best = parts[0]
        for p in parts[1:]:
            if isinstance(p, Exact) and isinstance(best, Exact):
                best = p if sign(total([p, product([exact(-1), best])])) == factor else best
            else:
                a, b = real(p), real(best)
                best = acb(a.max(b) if factor > 0 else a.min(b))
        return best

    return choose


def _atan2(y: Value, x: Value) -> Value:
    if isinstance(y, Exact) and y.sign == 0 and isinstance(x, Exact) and x.sign:
        return NOTHING if x.sign > 0 else acb(arb.pi())
    return acb(arb.atan2(real(y), real(x)))


def _phi2(h: Value, k: Value, r: Value) -> Value:
    rho = r.rational() if isinstance(r, Exact) else None
    return acb(bivariate(real(h), real(k), real(r), rho == 1, rho == -1))


def _hyp2f1(a: Value, b: Value, c: Value, z: Value) -> Value:
    parts = [ball(v) for v in (a, b, c, z)]
    if any(not abs(p) < 1000 for p in parts):
        raise NotConfirmed("a hypergeometric function outside the range of this checker")
    return parts[3].hypgeom_2f1(*parts[:3])


CONSTANT: dict[str, Callable[[], Any]] = {
    "pi": lambda: acb(arb.pi()),
    "E": lambda: acb(arb.const_e()),
    "I": lambda: acb(0, 1),
    "EulerGamma": lambda: acb(arb.const_euler()),
}
SPECIAL: dict[str, Callable[..., Value]] = {
    "abs": _absolute,
    "sign": lambda v: exact(sign(v)),
    "heaviside": _heaviside,
    "max": _largest(1),
    "min": _largest(-1),
    "atan2": _atan2,
    "Phi2": _phi2,
    "OwenT": lambda h, a: acb(owen_t(real(h), real(a))),
    "hyp2f1": _hyp2f1,
}


def plain(head: str, args: list[Any]) -> Any:
    """A function of one complex ball, principal branch."""
    z = args[0]
    if head == "Phi":
        return (-z / arb(2).sqrt()).erfc() / 2
    if head == "re":
        return acb(z.real)
    if head == "im":
        return acb(z.imag)
    if head == "conj":
        return z.conjugate()
    if not (z.is_finite() and abs(z) < arb(2) ** (4 * int(ctx.prec))):
        return NAN  # also keeps towers of exponentials cheap
    return getattr(z, head)()
