"""Expressions as straight-line programs over complex balls, for thousands of evaluations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add, mul
from typing import Any

import sympy as sp
from flint import acb, arb
from sympy import Expr, Symbol

from ..errors import Undecided
from ..functions import Phi2
from ..verify.evaluate import ball, constant, rational_power
from ..verify.functions.cuts import ANALYTIC
from ..verify.rules.bivariate import phi2
from ..verify.surd import Surd

Step = tuple[int, Callable[..., Any], tuple[int, ...]]
"""The place of a value, the rule that gives it, the places of its arguments."""
PLAIN: dict[type, Callable[[Any], Any]] = {
    **{f: getattr(acb, f.__name__) for f in (sp.exp, sp.sin, sp.cos, sp.sinh, sp.cosh, sp.tanh)},
    **{f: getattr(acb, f.__name__) for f in (sp.asin, sp.acos, sp.atan, sp.erf, sp.erfc)},
}
"""Rules of `ANALYTIC` that are FLINT's own where nothing is asked of a box: no call between."""
ROOTS = {(1, 2): acb.sqrt, (-1, 2): acb.rsqrt}
"""Powers that are FLINT's own functions, by numerator and denominator."""


class Straight:
    """Several expressions in some symbols: equal parts are worked out once.

    Constants are taken at the working precision of the construction.  The last symbol is the one
    that changes most: sums and products begin without it, for `given`.
    """

    def __init__(self, exprs: Sequence[Expr], symbols: Sequence[Symbol]) -> None:
        self._last = symbols[-1]
        self._values: list[Any] = [None] * len(symbols)
        self._steps: list[Step] = []
        self._seen: dict[Expr, int] = {s: i for i, s in enumerate(symbols)}
        self._symbols = frozenset(symbols)
        self._out = tuple(self._place(e) for e in exprs)
        self._count = len(symbols)

    def __call__(self, *at: Any) -> tuple[Any, ...]:
        """The values (`acb`) at balls for the symbols."""
        values = list(self._values)
        values[: self._count] = at
        _run(self._steps, values)
        return tuple([values[i] for i in self._out])

    def given(self, *at: Any) -> Callable[[Any], tuple[Any, ...]]:
        """The values as a function of the last symbol: what the others decide is done here."""
        values = [*at, None, *self._values[self._count :]]
        open_places = {self._count - 1}
        left = []
        for place, rule, args in self._steps:
            if open_places.isdisjoint(args):
                _run([(place, rule, args)], values)
            else:
                open_places.add(place)
                left.append((place, rule, args))
        last = self._count - 1

        def of_last(value: Any) -> tuple[Any, ...]:
            values[last] = value
            _run(left, values)
            return tuple([values[i] for i in self._out])

        return of_last

    def _place(self, e: Expr) -> int:
        found = self._seen.get(e)
        if found is None:
            found = self._build(e)
            self._seen[e] = found
        return found

    def _fixed(self, value: Any) -> int:
        self._values.append(value)
        return len(self._values) - 1

    def _step(self, rule: Callable[..., Any], *args: int) -> int:
        place = self._fixed(None)
        self._steps.append((place, rule, args))
        return place

    def _build(self, e: Expr) -> int:
        if not e.free_symbols & self._symbols:
            return self._fixed(ball(constant(e, {})))
        if isinstance(e, (sp.Add, sp.Mul)):
            plus = isinstance(e, sp.Add)
            fixed = [a for a in e.args if not a.free_symbols & self._symbols]
            parts = [a for a in e.args if a.free_symbols & self._symbols]
            parts.sort(key=lambda a: self._last in a.free_symbols)
            rest = [self._place(a) for a in parts]
            if fixed:
                rest.insert(0, self._fixed(ball(constant(type(e)(*fixed), {}))))
            at = rest[0]
            for other in rest[1:]:
                at = self._step(add if plus else mul, at, other)
            return at
        if isinstance(e, sp.Pow) and not e.exp.free_symbols & self._symbols:
            return self._power(e)
        args = [self._place(a) for a in e.args]
        if isinstance(e, Phi2):
            return self._step(bivariate, *args)
        if len(args) == 1 and type(e) in PLAIN:
            return self._step(PLAIN[type(e)], *args)
        rule = ANALYTIC.get(type(e))
        if rule is None:
            raise Undecided(f"no ball arithmetic for {type(e).__name__} in {e}")
        return self._step(_applied(rule), *args)

    def _power(self, e: Expr) -> int:
        value = constant(e.exp, {})
        q = value.as_rational() if isinstance(value, Surd) else None
        if q is None:
            return self._step(acb.pow, self._place(e.base), self._fixed(ball(value)))
        rule = ROOTS.get((int(q.numer()), int(q.denom())), lambda z: rational_power(z, q, False))
        return self._step(rule, self._place(e.base))


def bivariate(h: Any, k: Any, r: Any) -> Any:
    r"""Phi2(h, k; r) for balls: at their midpoints, and what their radii can change.

    The integrator cannot get below what wide arguments leave, and r may be 1 or -1 up to its
    radius.  For real arguments the derivatives in h and k are at most $1/\sqrt{2\pi}$, and that in
    $\arcsin r$ at most $1/(2\pi)$ (Plackett 1954).
    """
    if not (h.imag.is_zero() and k.imag.is_zero() and r.is_finite()):
        return phi2(h, k, r)
    ends = [_inside(at) for at in (r.real.mid(), r.real.lower(), r.real.upper())]
    middle = ends[0]
    unit = 0 if abs(middle) < 1 else 1 if middle > 0 else -1
    value = phi2(acb(h.real.mid()), acb(k.real.mid()), acb(middle), unit)
    turn = max(abs(end.asin() - middle.asin()).upper() for end in ends[1:])
    moved = (h.real.rad() + k.real.rad()) / (2 * arb.pi()).sqrt() + turn / (2 * arb.pi())
    return value + acb(arb(0, moved.upper()))


def _inside(r: Any) -> Any:
    """An exact number in [-1, 1], the nearest to one that is outside."""
    return arb(1) if r > 1 else arb(-1) if r < -1 else r


def _run(steps: Sequence[Step], values: list[Any]) -> None:
    """Fill in what the steps give; most have one or two arguments, and a proof has 10^6 of them."""
    for place, rule, args in steps:
        if len(args) == 2:
            a, b = args
            values[place] = rule(values[a], values[b])
        elif len(args) == 1:
            values[place] = rule(values[args[0]])
        else:
            values[place] = rule(*[values[a] for a in args])


def _applied(rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: rule(list(args), False)
