"""SymPy expressions to `Program` lines: own value numbering, own names, own order.

Equal subexpressions become one line because lines are looked up by (operation, operands); the
order is that of SymPy's canonical sort keys, so the same input gives the same bytes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp
from sympy import Add, Expr, Integer, Mul, Pow, Symbol, expand

from .. import symbols as S
from ..errors import UnsupportedOp
from ..functions import Phi, Phi2
from .folding import fold
from .hyper import half_angle, hyper_sides
from .ops import NAMES, OPS
from .polynomial import DET, FAR, NEAR, det_multiple, is_polynomial, positive_form, spread_form
from .program import Let, Operand, Program, live
from .stable import (
    arc_terms,
    as_sides,
    common_quotient,
    common_scale,
    sorted_terms,
    split_factors,
    split_quotient,
)

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


class Builder:
    """Collects lines; `operand(expr)` returns what stands for an expression."""

    def __init__(self, args: tuple[str, ...], root: str | None = None) -> None:
        """`root`: the argument that carries sqrt(det), or None to compute it."""
        self.args = args
        self._root = root
        self._lines: list[Let] = []
        self._seen: dict[tuple[str, tuple[Operand, ...]], str] = {}
        self._known: dict[Expr, Operand] = {}
        self._used = set(args)

    # -- lines ---------------------------------------------------------------------------------

    def emit(self, op: str, *args: Operand, hint: str = "") -> Operand:
        """The operand that holds op(args): folded, found, or a new line."""
        if (folded := fold(op, args)) is not None:
            return folded
        if op == "sqrt0" and args[0] in ("q11", "q22") and f"r{args[0][1:]}" in self.args:  # type: ignore[index]
            return f"r{args[0][1:]}"  # type: ignore[index]
        if op in ("add", "mul", "max", "min"):  # one order for commutative operations
            args = tuple(sorted(args, key=lambda a: (not isinstance(a, str), str(a))))
        key = (op, args)
        if key not in self._seen:
            name = self._fresh(hint or NAMES.get(op, op))
            self._lines.append(Let(name, op, args))
            self._seen[key] = name
        return self._seen[key]

    def _fresh(self, wanted: str) -> str:
        name, n = wanted, 1
        while name in self._used:
            n += 1
            name = f"{wanted}{n}"
        self._used.add(name)
        return name

    def program(
        self,
        name: str,
        outputs: tuple[tuple[str, Operand], ...],
        requires: tuple[str, ...] = (),
        computes: str = "",
    ) -> Program:
        """The finished program, without lines that no output needs."""
        body = live(tuple(self._lines), outputs)
        return Program(name, self.args, body, outputs, requires, computes)

    # -- expressions ---------------------------------------------------------------------------

    def operand(self, e: Expr) -> Operand:
        """The operand for an expression, by the rows of the accuracy table.

        Raises:
            UnsupportedOp: a function or a complex number that no operation stands for.
        """
        if e not in self._known:
            self._known[e] = self._lower(e)
        return self._known[e]

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
            return self._product(e)
        if isinstance(e, Pow):
            return self._product(e) if e.exp.is_negative else self._power(e.base, e.exp)
        return self._function(e)

    def _symbol(self, e: Symbol) -> Operand:
        if e == DET:
            if self._root is not None:
                return self.emit("mul", self._root, self._root, hint="det")
            crossed = self.emit("cross", "q11", "q22", "q12", "q12")
            return self.emit("max", crossed, Fraction(0), hint="det")
        if e in (NEAR, FAR):
            root = self._root or self.emit("rootdet", "q11", "q12", "q22", hint="root")
            cosine = "q12" if e == NEAR else self.emit("neg", "q12")
            return self.emit("gap", root, cosine, hint=e.name)
        if e.name not in self.args:
            raise UnsupportedOp(
                f"the symbol {e.name} is not an input of this program",
                where=", ".join(self.args),
            )
        return str(e.name)

    def _function(self, e: Expr) -> Operand:
        for kind, op in _UNARY.items():
            if isinstance(e, kind):
                return self.emit(op, self.operand(e.args[0]))
        if isinstance(e, sp.hyper) and (len(e.ap), len(e.bq)) == (2, 1):
            numbers = (self.operand(n) for n in (*e.ap, *e.bq))
            return self.emit("hyp2f1", *numbers, *hyper_sides(self, e.argument))
        if isinstance(e, sp.asin):
            return self.emit("atan2", *self._sides(e.args[0]), hint="angle")
        if isinstance(e, sp.acos):
            n, s = self._sides(e.args[0])
            return self.emit("angle", s, n)
        if isinstance(e, sp.atan):
            top, bottom = split_quotient(e.args[0])
            if all(f.is_nonnegative for f in bottom):
                return self.emit("atan2", self.operand(top), self.operand(Mul(*bottom)))
            return self.emit("atan2", self.operand(e.args[0]), Fraction(1))
        if isinstance(e, Phi2):
            h, k, r = e.args
            n, s = self._sides(r)
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

    def _sides(self, r: Expr) -> tuple[Operand, Operand]:
        """(cos side, sin side) of the correlation r, without forming r where possible."""
        sides = as_sides(r)
        if sides is None:
            c = self.operand(r)
            apart = self.emit("mul", self.emit("sub", 1, c), self.emit("add", 1, c))
            return c, self.emit("sqrt0", apart)
        return self.operand(sides[0]), self._root_of(sides[1])

    def length(self, times: int = 1) -> Operand:
        """The product of a number and sqrt(q11 q22)."""
        sides = self.emit("mul", self.emit("sqrt0", "q11"), self.emit("sqrt0", "q22"), hint="size")
        return self.emit("mul", Fraction(times), sides)

    # -- sums ----------------------------------------------------------------------------------

    def _sum(self, e: Expr) -> Operand:
        if (turn := half_angle(e)) is not None:
            return self.emit("div0", self.operand(FAR if turn > 0 else NEAR), self.length(2))
        form = positive_form(e)
        if form is not None and form != e:
            return self.operand(form)
        spread = spread_form(e)
        if spread is not None:
            return self.operand(spread)
        content, plain = e.primitive()
        if content != 1 and is_polynomial(e):  # 9*(q11 - 2*q12 + q22): the difference stays exact
            return self.emit("mul", self.operand(plain), self.operand(content))
        parts = arc_terms(sorted_terms(e))
        total: Operand = Fraction(0)
        for outer, r in parts.arcs:
            n, s = self._sides(r)
            total = self._plus(total, self._scaled(outer, self.emit("arc1", s, n)))
        for outer, r in parts.orthants:
            n, s = self._sides(r)
            angle = self.emit("angle", s, self.emit("neg", n), hint="angle")
            total = self._plus(total, self._scaled(outer, angle))
        for outer, r in parts.cooling:
            n, s = self._sides(r)
            angle = self.emit("angle", s, n, hint="angle")
            total = self._plus(total, self._scaled(-outer, angle))
        for term in parts.rest:
            total = self._plus(total, term)
        return total

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

    # -- products ------------------------------------------------------------------------------

    def _product(self, e: Expr) -> Operand:
        if e.is_number:
            return self._constant(e)
        top, bottom = split_factors(e)
        factors = sorted(top, key=sp.default_sort_key)
        number = Mul(*(f for f in factors if f.is_number))
        rest = [f for f in factors if not f.is_number]
        value: Operand = Fraction(1)
        exps = [f for f in rest if isinstance(f, sp.exp)]
        for kind, op in (
            (sp.sinh, "expsinh"),
            (sp.cosh, "expcosh"),
            (Phi, "expPhi"),
            (Phi2, "expPhi2"),
        ):
            partner = [f for f in rest if isinstance(f, kind)]
            if exps and partner and not isinstance(partner[0], sp.exp):
                value = self._joint(op, exps[0].args[0], partner[0])
                rest.remove(exps[0])
                rest.remove(partner[0])
                break
        for f in rest:
            value = self.emit("mul", value, self.operand(f))
        value = self._over(value, bottom)
        if number == 1:
            return value
        if number == -1:
            return self.emit("neg", value)
        return self.emit("mul", value, self.operand(number))

    def _joint(self, op: str, a: Expr, partner: Expr) -> Operand:
        """exp(a) times a function, over a common denominator where they have one."""
        b = partner.args[0]
        if op == "expPhi":
            return self.emit(op, self.operand(a), self.operand(b))
        if op == "expPhi2":
            pair = self._sides(partner.args[2])
            return self.emit(op, *(self.operand(z) for z in (a, b, partner.args[1])), *pair)
        (top_a, below), (top_b, below_b) = common_quotient(a), common_quotient(b)
        if below != below_b:
            top_a, top_b, below = a, b, Integer(1)
        scale, top_a, top_b = common_scale(top_a, top_b)
        divisor = self.emit("div", self.operand(below), self.operand(scale))
        plus, minus = expand(top_a + top_b), expand(top_a - top_b)
        sides = (self.operand(plus), self.operand(minus), self.operand(top_b))
        return self.emit(op, *sides, divisor)

    def _constant(self, e: Expr) -> Operand:
        """A product of numbers, as one quotient; backends print its value as one literal."""
        top: Operand = Fraction(1)
        bottom: Operand = Fraction(1)
        for f in sorted(Mul.make_args(e), key=sp.default_sort_key):
            base, exponent = f.as_base_exp()
            if base is sp.S.Exp1 or not exponent.is_Rational:
                top = self.emit("mul", top, self._power_or_function(f))
            elif f.is_Rational:
                top = self.emit("mul", top, Fraction(int(f.p), 1))
                bottom = self.emit("mul", bottom, Fraction(int(f.q), 1))
            elif exponent.is_negative:
                bottom = self.emit("mul", bottom, self.operand(Pow(base, -exponent)))
            else:
                top = self.emit("mul", top, self._power_or_function(f))
        return self.emit("div", top, bottom)

    def _power_or_function(self, f: Expr) -> Operand:
        if isinstance(f, Pow) and f.base is not sp.S.Exp1:
            return self._power(f.base, f.exp)
        return self.operand(f)

    def _over(self, value: Operand, bottom: tuple[Expr, ...]) -> Operand:
        """Value divided by the factors; 0/0 is 0 where the determinant is among them."""
        if not bottom:
            return value
        total: Operand = Fraction(1)
        vanishing = False
        for f in bottom:
            base, exponent = f.as_base_exp()
            if isinstance(base, Symbol) and base in (S.q11, S.q22, S.q):
                guarded = self.emit("pos", base.name, hint=f"{base.name}_pos")
                factor = self._operand_power(guarded, sp.Rational(exponent))
            else:
                factor = self._power(base, exponent)
                vanishing = vanishing or not _surely_positive(base)
            total = self.emit("mul", total, factor)
        return self.emit("div0" if vanishing else "div", value, total)

    # -- powers --------------------------------------------------------------------------------

    def _power(self, base: Expr, exponent: Expr) -> Operand:
        if not exponent.is_Rational:
            return self.emit("pow", self.operand(base), self.operand(exponent))
        if exponent.q == 2 and base.free_symbols:
            root = self._root_of(base)
            return self._operand_power(root, exponent * 2)
        if is_polynomial(base) and (form := positive_form(base)) is not None:
            base = form
        return self._operand_power(self.operand(base), sp.Rational(exponent))

    def _root_of(self, base: Expr) -> Operand:
        """sqrt0 of an expression; of a multiple of the determinant, through rootdet."""
        from_det = det_multiple(base.xreplace({DET: S.q11 * S.q22 - S.q12**2}))
        if from_det is not None:
            root = self._root or self.emit("rootdet", "q11", "q12", "q22", hint="root")
            if from_det == 1:
                return root
            return self.emit("mul", root, self.emit("sqrt0", self.operand(from_det)))
        numbers = [f for f in Mul.make_args(base) if not isinstance(f, Add)]
        if len(numbers) < len(Mul.make_args(base)) and len(Mul.make_args(base)) > 1:
            product: Operand = Fraction(1)
            for f in sorted(Mul.make_args(base), key=sp.default_sort_key):
                product = self.emit("mul", product, self.operand(f))
            return self.emit("sqrt0", product)
        return self.emit("sqrt0", self.operand(positive_form(base) or base))

    def _operand_power(self, value: Operand, exponent: sp.Rational) -> Operand:
        if exponent.is_negative:
            return self.emit("div", 1, self._operand_power(value, -exponent))
        if exponent.q == 2:
            return self._operand_power(self.emit("sqrt0", value), exponent * 2)
        if exponent.q == 4:
            root = self.emit("sqrt0", self.emit("sqrt0", value))
            return self._operand_power(root, exponent * 4)
        if exponent.q != 1:
            return self.emit("pow", value, Fraction(int(exponent.p), int(exponent.q)))
        n, result, square = int(exponent), None, value
        while n:
            if n & 1:
                result = square if result is None else self.emit("mul", result, square)
            n >>= 1
            if n:
                square = self.emit("mul", square, square, hint="square")
        return Fraction(1) if result is None else result


def _surely_positive(base: Expr) -> bool:
    """Positive on the closed domain: a positive form with a positive constant term."""
    form = positive_form(base)
    if form is None:
        return bool(base.is_number and base.is_positive)
    parts = Add.make_args(form)
    return any(not (t.free_symbols & {DET, S.q11, S.q12, S.q22, S.q}) for t in parts)
