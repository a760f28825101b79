"""SymPy expressions to `Program` lines: own value numbering, own names, own order.

Equal subexpressions become one line because lines are looked up by (operation, operands); the
order is that of SymPy's canonical sort keys, so the same input gives the same bytes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp
from sympy import Add, Expr, Mul, Pow, Symbol

from .. import symbols as S
from ..errors import UnsupportedOp
from ..functions import Phi, Phi2
from .apart import Apart
from .calm import calm
from .exponent import OF_DOUBLES, corrected, kept
from .gates import gathered
from .hyper import half_angle, hyper_sides
from .ops import OPS
from .polynomial import (
    DET,
    FAR,
    NEAR,
    det_part,
    is_polynomial,
    linear,
    positive_form,
    spread_form,
)
from .products import Products
from .program import Inner, Operand
from .separate import separated
from .stable import (
    arc_terms,
    coarse,
    sorted_terms,
    split_quotient,
)
from .waves import APART, Waves, about, risen, turned, wave_sum

_UNARY: dict[Any, str] = {
    sp.exp: "exp",
    sp.log: "log",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.sinh: "sinh",
    sp.cosh: "cosh",
    sp.tanh: "tanh",
    sp.erf: "erf",
    sp.erfc: "erfc",
    sp.gamma: "gamma",
    sp.Abs: "abs",
    sp.sign: "sign",
    Phi: "Phi",
}

_MANY = 8
"""More terms of a sum are added in pairs."""
_NEAR_ZERO = sp.Rational(1, 2)
"""Hyperbolic functions of smaller arguments stay what they are."""


class Builder(Products):
    """Collects lines; `operand(expr)` returns what stands for an expression."""

    def __init__(
        self,
        args: tuple[str, ...],
        root: str | None = None,
        most: Expr | None = None,
        apart: str | None = None,
    ) -> None:
        """`root`: the argument that carries sqrt(det), or None to compute it.

        `most`: what all covariance entries are below, or None.  `apart`: the argument that carries
        sqrt(q11) - sqrt(q22), or None to compute it.
        """
        super().__init__(args, root, most is not None)
        self._most = most
        self._apart = Apart(apart) if apart else None
        self._known: dict[Expr, Operand] = {}
        self._products: list[Mul] = []

    # -- expressions ---------------------------------------------------------------------------

    def operand(self, e: Expr) -> Operand:
        """The operand for an expression, by the rows of the accuracy table.

        Raises:
            UnsupportedOp: a function or a complex number that no operation stands for.
        """
        if e not in self._known:
            value = self._known[e] = self._lower(e)
            if self._apart is not None:
                self._apart.note(e, value)
        return self._known[e]

    def emit(self, op: str, *args: Operand, hint: str = "", inner: Inner | None = None) -> Operand:
        """As of `Lines`; a quotient that is sqrt(q11) - sqrt(q22), where that is known, by it."""
        if self._apart is not None and op in ("div", "div0"):
            factor = self._apart.quotient(*args)
            if factor is not None:
                return self.emit("mul", self._apart.name, self.operand(factor), hint=hint)
        return super().emit(op, *args, hint=hint, inner=inner)

    def replace(self, e: Expr, value: Operand) -> None:
        """Let an operand stand for an expression, and for it in products, from now on."""
        self._known[e] = value
        if isinstance(e, Mul):
            self._products.append(e)

    def _lower(self, e: Expr) -> Operand:
        if e.is_Rational:
            return Fraction(int(e.p), int(e.q))
        if isinstance(e, Symbol):
            return self._symbol(e)
        if e is sp.S.Pi:
            return self.emit("pi")
        if e is sp.S.EulerGamma:
            return self.emit("euler")
        if e is sp.S.Exp1:
            return self.emit("exp", Fraction(1))
        if e is sp.S.Infinity:
            return self.emit("inf")
        if e is sp.I:
            raise UnsupportedOp(
                "the closed form has Phi or Phi2 of complex arguments, which no backend spells",
                hint="`ntksym eval` for its values with a bound",
            )
        if isinstance(e, Add):
            return self._sum(e)
        if isinstance(e, Mul):
            return self._multiple(e) or self._turned(e) or self._product(e)
        if isinstance(e, Pow):
            return self._product(e) if e.exp.is_negative else self._power(e.base, e.exp)
        return self._function(e)

    def _multiple(self, e: Mul) -> Operand | None:
        """A product that has all factors of a replaced one, by that; else None."""
        number, whole = e.as_coeff_Mul()
        for known in self._products:
            own, part = known.as_coeff_Mul()
            left = list(Mul.make_args(whole))
            if all(f in left for f in Mul.make_args(part)):
                for f in Mul.make_args(part):
                    left.remove(f)
                return self.emit("mul", self._known[known], self.operand(Mul(number / own, *left)))
        return None

    def _turned(self, e: Mul) -> Operand | None:
        """A polynomial times an exponential that it cancels beside, see `waves`; else None."""
        if (found := turned(e)) is None:
            return None
        value = plain = self.operand(found.plain)
        for symbol, entry, t in found.symbols:
            times = self.operand(t)
            self.replace(symbol, self.emit("cross", entry, Fraction(1), times, "q12"))
        factor, form = self.operand(found.rest), self.operand(found.form)
        for n, (_, entry, t) in enumerate(found.symbols):  # of small or unlike inputs it cancels
            least = self.emit("max", self.emit("abs", self.operand(t * S.q12)), Fraction(1))
            twice = self.emit("mul", entry, Fraction(2))
            value = self.emit("select", least, twice, value if n else form, plain)
        made = self.emit("mul", factor, value)
        if self._bounded:
            return made
        return self.emit("select", self.emit("abs", factor), Fraction(0), Fraction(0), made)

    def _symbol(self, e: Symbol) -> Operand:
        if e == DET:
            root = self.known_root or self.emit("rootdet", "q11", "q12", "q22", hint="root")
            return self.emit("mul", root, root, hint="det")
        if e in (NEAR, FAR):
            root = self.known_root or self.emit("rootdet", "q11", "q12", "q22", hint="root")
            cosine = "q12" if e == NEAR else self.emit("neg", "q12")
            return self.emit("gap3", root, cosine, self.length(), hint=e.name)
        if e.name not in self.args:
            raise UnsupportedOp(
                f"the symbol {e.name} is not an input of this program",
                where=", ".join(self.args),
            )
        return str(e.name)

    def _function(self, e: Expr) -> Operand:
        if isinstance(e, sp.exp):
            high, low = self.exponent(e.args[0])
            return corrected(self, self.emit("exp", high), low)
        for kind, op in _UNARY.items():
            if isinstance(e, kind):
                return self.emit(op, self.operand(e.args[0]))
        if isinstance(e, sp.hyper) and (len(e.ap), len(e.bq)) == (2, 1):
            numbers = (self.operand(n) for n in (*e.ap, *e.bq))
            return self.emit("hyp2f1", *numbers, *hyper_sides(self, e.argument))
        if isinstance(e, sp.asin):
            return self.emit("asin3", *self._sides(e.args[0]), hint="angle")
        if isinstance(e, sp.acos):
            n, s, h = self._sides(e.args[0])
            return self.emit("angle3", s, n, h)
        if isinstance(e, sp.atan):
            top, bottom = split_quotient(e.args[0])
            if all(f.is_nonnegative for f in bottom):
                return self.emit("atan2", self.operand(top), self.operand(Mul(*bottom)))
            return self.emit("atan2", self.operand(e.args[0]), Fraction(1))
        if isinstance(e, Phi2):
            h, k, r = e.args
            n, s, _ = self._sides(r)
            return self.emit("Phi2", self.operand(h), self.operand(k), n, s)
        if isinstance(e, (sp.Max, sp.Min)):
            op = "max" if isinstance(e, sp.Max) else "min"
            first, *others = sorted(e.args, key=sp.default_sort_key)
            best = self.operand(first)
            for a in others:
                best = self.emit(op, best, self.operand(a))
            return best
        raise UnsupportedOp(
            f"no operation for {e.func.__name__ if e.args else e}",
            where=str(e)[:200],
            hint="one of: " + ", ".join(sorted(OPS)),
        )

    def length(self, times: int = 1) -> Operand:
        """The product of a number and sqrt(q11 q22)."""
        sides = self.emit("mul", self.emit("sqrt0", "q11"), self.emit("sqrt0", "q22"), hint="size")
        return self.emit("mul", Fraction(times), sides)

    # -- sums ----------------------------------------------------------------------------------

    def _sum(self, e: Expr) -> Operand:
        if (turn := half_angle(e)) is not None:
            return self.emit("div0", self.operand(FAR if turn > 0 else NEAR), self.length(2))
        if (found := wave_sum(e)) is not None:
            return self._waves(found)
        form = positive_form(e)
        if form is not None and form != e:
            return self.operand(form)
        spread = spread_form(e)
        if spread is not None:
            return self.operand(spread)
        split = det_part(e) if is_polynomial(e) else None
        whole = split is not None and linear(split[0])  # exact differences, and the determinant
        if not whole and (apart := separated(e)) is not None:
            if (form := calm(e, apart)) is not None:
                return self.operand(form)
            return self._terms(apart) if isinstance(apart, Add) else self.operand(apart)
        if split is not None:
            multiple = self.emit("mul", self.operand(DET), self.operand(split[1]))
            return self.emit("add", self.operand(split[0]), multiple)
        if (form := calm(e)) is not None:
            return self.operand(form)
        if (left := risen(e)) is not None:
            value, power, rest = left
            rise = self.emit("expm1", self.operand(power))
            total = self.emit("mul", rise, self.operand(value))
            return self._plus(total, rest) if rest != 0 else total
        content, plain = e.primitive()
        if content != 1 and is_polynomial(e) and not coarse(plain):
            # 9*(q11 - 2*q12 + q22): the difference stays exact
            return self.emit("mul", self.operand(plain), self.operand(content))
        return self._terms(e)

    def _terms(self, e: Expr) -> Operand:
        parts = arc_terms(sorted_terms(e))
        total: Operand = Fraction(0)
        for outer, r in parts.arcs:
            n, s, h = self._sides(r)
            arc = self.emit("arc3", s, n, h)
            total = self._plus(total, self._scaled(outer, self._arc_of(arc, s, h)))
        for outer, r in parts.orthants:
            n, s, h = self._sides(r)
            angle = self.emit("angle3", s, self.emit("neg", n), h, hint="angle")
            total = self._plus(total, self._scaled(outer, angle))
        for outer, r in parts.cooling:
            n, s, h = self._sides(r)
            angle = self.emit("angle3", s, n, h, hint="angle")
            total = self._plus(total, self._scaled(-outer, angle))
        rest = gathered(parts.rest)
        if len(rest) > _MANY:
            return self._plus(total, self._in_pairs(rest))
        for term in rest:
            total = self._plus(total, term)
        return total

    def _arc_of(self, arc: Operand, s: Operand, h: Operand) -> Operand:
        """An arc of a dual without what rounding its side s made of it: if short, 3 times as much.

        ds, of a root of a sum, changes it by (s/h)^2 ds.
        """
        missing = self.lost_of_square(s) if self.told_root is None else Fraction(0)
        if missing == 0:
            return arc
        twice = self.emit("mul", self.emit("mul", h, h), Fraction(2))
        part = kept(self, self.emit("div0", missing, twice), OF_DOUBLES)
        return self.emit("add", arc, self.emit("mul", s, part))

    def _in_pairs(self, terms: tuple[Expr, ...]) -> Operand:
        """The sum of two halves of the terms, each formed so: few roundings of its size."""
        if len(terms) == 1:
            return self.operand(terms[0])
        half = len(terms) // 2
        first, second = terms[:half], terms[half:]
        if len(second) == 1:
            return self._plus(self._in_pairs(first), second[0])
        return self.emit("add", self._in_pairs(first), self._in_pairs(second))

    def _waves(self, w: Waves) -> Operand:
        """A sum of hyperbolic functions; apart from b = 0 by the exponentials: see `waves`."""
        total = self._terms(w.terms)
        if self._most is None or not (_NEAR_ZERO - w.size * self._most).is_nonnegative:
            side = self.emit("abs", self.operand(w.b))
            total = self.emit("select", side, Fraction(1, 2), total, self._exponentials(w))
        return self._plus(total, w.rest) if w.rest != 0 else total

    def _exponentials(self, w: Waves) -> Operand:
        whole: Operand = Fraction(0)
        for sign in (1, -1):
            high, low = self.exponent(sp.expand(w.a + sign * w.b))
            grown = corrected(self, self.emit("exp", high), low)
            for symbol, entry in APART[sign]:
                self.replace(symbol, self.emit("sub" if sign > 0 else "add", entry, "q12"))
            half = about((w.cosine + sign * w.sine) / 2, sign)
            value = self.emit("mul", grown, self.operand(half))
            if self._most is None:
                size = self.emit("abs", grown)
                value = self.emit("select", size, Fraction(0), Fraction(0), value)  # not 0*inf
            whole = self.emit("add", whole, value)
        return whole

    def _plus(self, total: Operand, term: Expr | Operand) -> Operand:
        if isinstance(term, Expr):
            coeff, _ = term.as_coeff_Mul()
            if coeff.is_negative and total != 0:
                return self.emit("sub", total, self.operand(-term))
            term = self.operand(term)
        return self.emit("add", total, term)

    def _scaled(self, outer: Expr, value: Operand) -> Operand:
        if outer.is_number:
            return self.emit("mul", value, self.operand(outer))
        top, bottom = split_quotient(outer)
        scaled = self.emit("mul", value, self.operand(top))
        return self._over(scaled, bottom)


def number_of(e: Expr, ctx: Any) -> Any:
    """The number that an expression without symbols is, in the arithmetic of `ctx`."""
    b = Builder(())
    return b.program("number", (("value", b.operand(e)),)).evaluate({}, ctx)["value"]
