"""Products, quotients and powers: what belongs to one data point first, then the pair."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from sympy import Add, Expr, Integer, Mul, Pow, Symbol, expand

from .. import symbols as S
from ..functions import Phi, Phi2
from .arguments import argument_low, mills_argument, tail_low
from .exponent import Parts, corrected, decays, quotient_parts, two_parts
from .lines import FIRST, PAIR, SECOND, Lines
from .polynomial import (
    DET,
    degree,
    det_multiple,
    is_polynomial,
    may_overflow,
    positive_form,
    surely_positive,
)
from .program import Operand
from .reciprocal import LEAST, missing, over_power
from .stable import (
    as_sides,
    common_quotient,
    common_scale,
    levelled,
    split_factors,
    split_quotient,
)

_CUBE = 3
"""Powers of roots from which on they are divided by one after the other."""


class Products(Lines):
    """The part of a `Builder` that lowers `Mul` and `Pow`."""

    def __init__(
        self, args: tuple[str, ...], root: str | None = None, bounded: bool = False
    ) -> None:
        """`root`: the argument that carries sqrt(det), or None to compute it.

        `bounded`: whether no product of entries overflows.
        """
        super().__init__(args)
        self.known_root = root
        self._bounded = bounded
        self._squares: dict[Operand, tuple[Expr, Expr]] = {}
        self._lacks: set[Operand] = set()
        self._degrees: dict[Operand, int] = {}

    def operand(self, e: Expr) -> Operand:
        """The operand for an expression."""
        raise NotImplementedError

    def _sides(self, r: Expr) -> tuple[Operand, Operand, Operand]:
        """(cos side, sin side, length) of the correlation r, without forming r if possible."""
        sides = as_sides(r)
        if sides is None:
            c = self.operand(r)
            apart = self.emit("mul", self.emit("sub", 1, c), self.emit("add", 1, c))
            return c, self.emit("sqrt0", apart), Fraction(1)
        length: Operand = Fraction(1)
        for factor in split_quotient(r)[1]:
            length = self.emit("mul", length, self._power(*factor.as_base_exp()), hint="length")
        return self.operand(sides[0]), self._root_of(sides[1]), length

    def two_parts(self, e: Expr) -> Parts | None:
        """As `exponent.two_parts`; with a root, None where their rounding does not count."""
        if self.known_root is not None and (self._bounded or decays(e)):
            return None
        return two_parts(self, e)

    def exponent(self, e: Expr) -> Parts:
        """An exponent as the rounded value and the rest, 0 where it is not known."""
        if (found := self.two_parts(e)) is None and not self._bounded:
            found = quotient_parts(self, e, self.operand)
        return found or (self.operand(e), Fraction(0))

    # -- products ------------------------------------------------------------------------------

    def _product(self, e: Expr) -> Operand:
        if e.is_number:
            return self._constant(e)
        top, bottom = split_factors(e)
        factors = sorted(top, key=sp.default_sort_key)
        number = Mul(*(f for f in factors if f.is_number))
        levels = [levelled(f) for f in factors if not f.is_number]
        number, rest = Mul(number, *(c for c, _ in levels)), [f for _, f in levels]
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
        lone = bool(exps) and value == 1
        damping = self.operand(exps[0]) if lone else None if value == 1 else value
        if lone and S.q12 in rest and not decays(exps[0].args[0]):
            damping = "q12"  # of unlike inputs
        elif not may_overflow(rest, bottom):
            damping = None
        made = self._arranged(value, rest, bottom, number)
        if damping is None or self._bounded:
            return made
        size = self.emit("abs", damping)
        return self.emit("select", size, Fraction(0), Fraction(0), made)  # not 0*inf

    def _arranged(
        self, value: Operand, top: list[Expr], bottom: tuple[Expr, ...], number: Expr
    ) -> Operand:
        """value*number*top/bottom, what belongs to one point first.

        The quotient of one point's factors is computed once per point and is of moderate size
        where numerator and denominator of the whole overflow.
        """
        up: dict[int, list[tuple[Operand, int]]] = {FIRST: [], SECOND: [], PAIR: [], 0: []}
        down: dict[int, list[tuple[Operand, int, bool]]] = {k: [] for k in up}
        guard = "once" if value == 1 and _divided_once(top, bottom) else "pos"
        for f in bottom:
            if _roots(f) and (difference := next((t for t in top if _forms(t)), None)) is not None:
                # first: its product with other factors may overflow
                ratio = self.emit("div0", self.operand(difference), self._divisor(f)[0])
                up[self.side(ratio)].append((ratio, 1))
                top = [t for t in top if t is not difference]
                bottom = tuple(g for g in bottom if g is not f)
        for f in top:
            base, n = f.as_base_exp()
            if not (n.is_Integer and n.is_positive and not base.is_number):
                base, n = f, Integer(1)
            a = self.operand(base) if n == 1 else self._powered(base)
            self._degrees[a] = degree(base)
            up[self.side(a)].append((a, int(n)))
        for f in bottom:
            a, n, safe = self._divisor(f, guard)
            down[self.side(a)].append((a, n, safe))
        if number == -1:
            lead: Operand = Fraction(1)
        else:
            lead = self.operand(number) if number != 1 else Fraction(1)
        sides = []
        for k in (0, FIRST, SECOND):
            sides.append(self._quotient(lead, up[k], down[k]))
            lead = Fraction(1)
        for factor in sides:
            value = self.emit("mul", value, factor)
        value = self._quotient(value, up[PAIR], down[PAIR])
        return self.emit("neg", value) if number == -1 else value

    def _quotient(
        self,
        value: Operand,
        up: list[tuple[Operand, int]],
        down: list[tuple[Operand, int, bool]],
    ) -> Operand:
        """Value times powers over powers; equal powers of two quantities as one ratio."""
        up, down = list(up), list(down)
        for high in [d for d in down if d[1] >= _CUBE and d[0] in self._squares]:
            value = self._divided(value, up, high[0], high[1])
            up = []
            down.remove(high)
        for i, (a, n) in enumerate(up):
            for j, (b, m, safe) in enumerate(down):
                if n >= 2 and m >= 2:
                    k = min(n, m)
                    ratio = self.emit("div" if safe else "div0", a, b)
                    for _ in range(k):  # not as a power, which may overflow
                        value = self.emit("mul", value, ratio)
                    up[i], down[j] = (a, n - k), (b, m - k, safe)
                    n -= k
        vanishing = [d for d in down if d[1] and not d[2]]
        paired = min(len(vanishing), len(up)) if len(vanishing) > 1 else 0
        for (a, n), (b, m, _) in zip(up[:paired], vanishing[:paired], strict=True):
            # one after the other: the product of several that vanish may underflow
            value = self.emit("mul", value, self._operand_power(a, sp.Integer(n)) if n else 1)
            value = self.emit("div0", value, self._operand_power(b, sp.Integer(m)))
        up = up[paired:]
        down = [d for d in down if d not in vanishing[:paired]]
        for a, n in up:
            for _ in range(n if n <= 2 else 1):
                value = self.emit(
                    "mul", value, a if n <= 2 else self._operand_power(a, sp.Integer(n))
                )
        below: Operand = Fraction(1)
        for b, m, _ in down:
            below = self.emit("mul", below, self._operand_power(b, sp.Integer(m)))
        return self.emit("div" if all(s for *_, s in down) else "div0", value, below)

    def _divided(
        self, value: Operand, up: list[tuple[Operand, int]], root: Operand, power: int
    ) -> Operand:
        """Value times powers over a power of a root, the factors over as many roots each.

        A power of the root overflows where the value is far inside the range of doubles.
        """
        if power >= (_CUBE if root in self._lacks else LEAST):  # what is lost of them is added
            self._lacks.add(root)
            factors = [(a, self._degrees.get(a, 0)) for a, n in up for _ in range(n)]
            square = self._squares[root]
            return over_power(self, value, factors, square, self.told_root, root, power)
        left = power
        for a, n in up:
            for _ in range(n):
                factor = a
                for _ in range(min(left, self._degrees.get(a, 0))):
                    factor = self.emit("div", factor, root)
                    left -= 1
                value = self.emit("mul", value, factor)
        for _ in range(left):
            value = self.emit("div", value, root)
        return value

    def _divisor(self, f: Expr, guard: str = "pos") -> tuple[Operand, int, bool]:
        """(operand, power, whether it cannot vanish) of a factor of a denominator."""
        base, exponent = f.as_base_exp()
        if isinstance(base, Symbol) and base in (S.q11, S.q22, S.q):
            guarded = self.emit(guard, base.name, hint=f"{base.name}_{guard}")
            if exponent.is_Integer:
                return guarded, int(exponent), True
            return self._operand_power(guarded, sp.Rational(exponent)), 1, True
        safe = surely_positive(base)
        if exponent.is_Integer:
            return self._powered(base), int(exponent), safe
        if exponent.is_Rational and exponent.q == 2 and base.free_symbols:
            return self._root_of(base), int(exponent * 2), safe
        return self._power(base, exponent), 1, safe

    def _powered(self, base: Expr) -> Operand:
        """The operand of a base, in its positive form where there is one."""
        if is_polynomial(base) and (form := positive_form(base)) is not None:
            base = form
        return self.operand(base)

    def _joint(self, op: str, a: Expr, partner: Expr) -> Operand:
        """exp(a) times a function, over a common denominator where they have one."""
        b = partner.args[0]
        if op == "expPhi" and (y := mills_argument(a, b)) is not None:
            return self.emit("mills", self.operand(y))
        if op in ("expPhi", "expPhi2"):
            high, low = self.exponent(a)
            small = self._bounded and self.known_root is not None
            if op == "expPhi":
                z = self.operand(b)
                low = self.emit("add", low, Fraction(0) if small else tail_low(self, b, z, a))
                return corrected(self, self.emit(op, high, z), low)
            ends = [self.operand(z) for z in partner.args[:2]]
            known = zip(partner.args[:2], ends, strict=True)
            lows = [Fraction(0) if small else argument_low(self, e, z) for e, z in known]
            angle = self._sides(partner.args[2])[:2]
            return corrected(self, self.emit(op, high, *ends, *angle, *lows), low)
        sums = (self.two_parts(expand(a + b)), self.two_parts(expand(a - b)))
        if sums[0] is not None and sums[1] is not None:
            (plus, low), (minus, other) = sums[0], sums[1]
            middle = self.operand(b)
            low = low if low == other else self.emit("select", Fraction(0), middle, low, other)
            return corrected(self, self.emit(op, plus, minus, middle, Fraction(1)), low)
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
        return self._arranged(value, [], bottom, Integer(1))

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
            root = self.known_root or self.emit("rootdet", "q11", "q12", "q22", hint="root")
            if from_det == 1:
                return root
            return self.emit("mul", root, self.emit("sqrt0", self.operand(from_det)))
        form = positive_form(base) if is_polynomial(base) else None
        if form is not None and all(DET in t.free_symbols for t in Add.make_args(expand(form))):
            root = self.known_root or self.emit("rootdet", "q11", "q12", "q22", hint="root")
            return self.emit("mul", root, self._root_of(expand(form / DET)))  # det may underflow
        if (spread := self._spread_root(base)) is not None:
            return spread
        numbers = [f for f in Mul.make_args(base) if not isinstance(f, Add)]
        if len(numbers) < len(Mul.make_args(base)) and len(Mul.make_args(base)) > 1:
            product: Operand = Fraction(1)
            for f in sorted(Mul.make_args(base), key=sp.default_sort_key):
                product = self.emit("mul", product, self.operand(f))
            return self.emit("sqrt0", product)
        return self.emit("sqrt0", self.operand(positive_form(base) or base))

    def _spread_root(self, base: Expr) -> Operand | None:
        """sqrt(a + b*det) by the root of the determinant, where a, b >= 0 and b is no variance."""
        form = positive_form(base) if is_polynomial(base) else None
        if form is None or DET not in form.free_symbols:
            return None
        form = expand(form)
        slope = form.coeff(DET, 1)
        rest = expand(form - slope * DET)
        if slope.free_symbols & {S.q11, S.q12, S.q22} or rest.free_symbols & {DET, S.q12}:
            return None
        found = self.emit("hyproot", self.operand(rest), self._root_of(slope * DET))
        self._squares[found] = rest, slope
        return found

    def lost_of_square(self, root: Operand) -> Operand:
        """What the square of sqrt(a + b*det), as rounded, lacks; 0 for other roots."""
        known = self._squares.get(root)
        return Fraction(0) if known is None else missing(self, *known, self.told_root, root)

    def _operand_power(self, value: Operand, exponent: sp.Rational) -> Operand:
        if exponent.is_negative:
            return self.emit("div", 1, self._operand_power(value, -exponent))
        if exponent.q == 2:
            whole, root = exponent - sp.Rational(1, 2), self.emit("sqrt0", value)  # once: it rounds
            return self.emit("mul", self._operand_power(value, whole), root) if whole else root
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


def _divided_once(top: list[Expr], bottom: tuple[Expr, ...]) -> bool:
    """Whether a term that vanishes with its variances is divided by one of them at most once.

    Numbers over a standard deviation are arguments of tails: those are squared.
    """
    entries = {S.q11, S.q12, S.q22, S.q, DET}
    powers = [f.as_base_exp() for f in bottom]
    total = sum((n for b, n in powers if b in (S.q11, S.q22, S.q)), Integer(0))
    return bool(total <= 1 and any(f.free_symbols & entries for f in top))


def _roots(f: Expr) -> bool:
    """Whether it is a sum of multiples of both standard deviations, which vanish together."""
    if not isinstance(f, Add) or len(f.args) != 2:
        return False
    found = [t.as_coeff_Mul()[1] for t in f.args]
    return set(found) == {Pow(S.q11, sp.Rational(1, 2)), Pow(S.q22, sp.Rational(1, 2))}


def _forms(f: Expr) -> bool:
    """Whether it is linear in both variances, without a constant."""
    entries = {S.q11, S.q22}
    return isinstance(f, Add) and all(t.as_coeff_Mul()[1] in entries for t in f.args)
