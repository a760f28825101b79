r"""Slopes of a dual in the parameters of its activation, for duals that are no closed form.

Where $s(x) = p^m f(p^n x)$, $p\,s_p = m s + n x s'$, and the slopes of both duals in $p$ are those
in the variances at a fixed angle: $p K_p = 2mK + 2n(q_{11}K_x + q_{22}K_y)$, and
$p \dot K_p = 2(m + n)\dot K + 2n(q_{11}\dot K_x + q_{22}\dot K_y)$.  Of any other parameter, with
$K^\pm$ the duals of $s \pm c\,s_p$, $K_p = (K^+ - K^-)/2c$: values of two more duals, and no
differences that get small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Add, Expr, Rational, Symbol

from ... import symbols
from ...activation import Activation
from ...backends.array.unit import roughness
from ...backends.unit import DualUnit
from ...backends.units import unit_of
from ...errors import NtksymError
from ...lower.schedule import number
from ...numeric.choice import Choice
from ...numeric.choose import choose
from ...numeric.expected import ExpectedDual
from ..checks import Array
from ..units.layers import table_choice
from .duals import value_duals
from .fine import FINE

POWERS = tuple(Rational(n) for n in ("0", "1", "-1", "2", "-2", "1/2", "-1/2"))
"""Powers of a parameter with which it may stand at x."""
Pair = tuple[Array, ...]
"""K, D and their slopes, as `GradientDual.pair` gives them: in logarithms of the variances."""


Gaps = Callable[[Callable[..., Array]], Array]
"""From a derivative dual E[(s(u) - s(v))^2] of some pairs, as `carried.gap`."""


@dataclass(frozen=True, slots=True)
class Weight:
    """The variance of the weights, which multiplies both duals; infinity where it does not move."""

    value: float

    def gap(self, d: Array, by_m: Array, _: Gaps) -> Array:
        """The slope of E[(s(u) - s(v))^2], times the variance of the weights, over that."""
        return d / self.value


@dataclass(frozen=True, slots=True)
class Scaled:
    """The slopes in p of s(x) = p^m f(p^n x)."""

    value: float
    m: float
    n: float

    def pair(self, x: Array, c: Array, y: Array, root: Array, found: Pair) -> tuple[Array, Array]:
        """Slopes of both duals; `found` is what the dual and its slopes are at these places."""
        k, d, k1, _, k2, d1, _, d2 = found
        first, second = 2.0 * self.m * k, 2.0 * (self.m + self.n) * d
        if self.n:
            first = first + 2.0 * self.n * (k1 + k2)
            second = second + 2.0 * self.n * (d1 + d2)
        return first / self.value, second / self.value

    def side(self, q: Array, k: Array, of_k: Array) -> Array:
        """The slope of K for u = v."""
        return (2.0 * self.m * k + 2.0 * self.n * q * of_k) / self.value

    def gap(self, d: Array, by_m: Array, _: Gaps) -> Array:
        """The slope of d = E[(s(u) - s(v))^2]; `by_m` is that in M, with the lengths as exp(M)."""
        return (2.0 * self.m * d + 2.0 * self.n * by_m) / self.value


@dataclass(frozen=True, slots=True)
class Apart:
    """The slopes in p from the duals of s + c s_p and s - c s_p.

    Attributes:
        step: c.
        duals: of both, as `value_duals` gives them.
    """

    step: float
    duals: tuple[tuple[Any, Any], ...]

    def pair(self, x: Array, c: Array, y: Array, root: Array, found: Pair) -> tuple[Array, Array]:
        """Slopes of both duals."""
        (more, _), (less, _) = self.duals
        first, second = more(x, c, y, root), less(x, c, y, root)
        k, d = ((first[i] - second[i]) / (2.0 * self.step) for i in (0, 1))
        return k, d

    def side(self, q: Array, k: Array, of_k: Array) -> Array:
        """The slope of K for u = v."""
        (_, more), (_, less) = self.duals
        slope: Array = (more(q)[0] - less(q)[0]) / (2.0 * self.step)
        return slope

    def gap(self, d: Array, by_m: Array, gaps: Gaps) -> Array:
        """The slope of E[(s(u) - s(v))^2], which is bilinear like a dual."""
        (more, _), (less, _) = self.duals
        first, second = (gaps(lambda *at, f=f: f(*at)[1]) for f in (more, less))
        slope: Array = (first - second) / (2.0 * self.step)
        return slope


def scaling(expr: Expr, p: Symbol) -> tuple[float, float] | None:
    """(m, n) with s(x) = p^m f(p^n x), or None where it is not found in the expression."""
    for n in POWERS:
        left = expr.subs(symbols.x, symbols.x / p**n)
        found = {_power(term, p) for term in Add.make_args(left)}
        if len(found) == 1 and None not in found:
            return float(found.pop()), float(n)
    return None


def _power(term: Expr, p: Symbol) -> Any:
    """The r where the term is p^r times what p is not in, else None."""
    _, rest = term.as_independent(p, as_Add=False)
    base, power = rest.as_base_exp()
    if rest == 1:
        return Rational(0)
    return power if base == p and power.is_Rational else None


def scaled(act: Activation, p: Symbol, values: Mapping[str, Any]) -> Scaled | None:
    """The slopes in a parameter that scales the activation, or None."""
    value = Fraction(number(values[p.name]))
    powers = scaling(act.expr, p) if value else None
    return Scaled(float(value), *powers) if powers else None


def own_rules(
    choice: Choice, act: Activation, values: Mapping[str, Any], target: str | None
) -> tuple[dict[str, Scaled | Apart], tuple[str, ...]]:
    """What gives the slopes in each parameter of an activation, and why some have none.

    Args:
        choice: how the dual of the activation is computed.
        act: the activation with its parameters.
        values: their numbers.
        target: as of `gradient_duals`.
    """
    found: dict[str, Scaled | Apart] = {}
    notes = []
    for p in act.params:
        if (rule := scaled(act, p, values)) is not None:
            found[p.name] = rule
            continue
        step = abs(Fraction(number(values[p.name]))) or Fraction(1)
        made = _units(choice, act, values, p, step)
        if isinstance(made, str):
            notes.append(f"no derivatives in {p.name}: {made}")
        else:
            found[p.name] = Apart(float(step), value_duals(made, target))
    return found, tuple(notes)


def _units(
    choice: Choice, act: Activation, values: Mapping[str, Any], p: Symbol, step: Fraction
) -> tuple[DualUnit, ...] | str:
    """The units of s + c s_p and s - c s_p, or why there are none."""
    numbers = {q.name: values[q.name] for q in act.params}
    slope = act.expr.diff(p)
    if roughness(_with(act.name, slope, numbers))[0]:
        return f"{act.name} has a kink that moves with it"
    made = []
    for sign, word in ((1, "plus"), (-1, "minus")):
        name = f"{act.name} {word} {step} times its slope in {p.name}"
        one = _with(name, act.expr + sign * Rational(step) * slope, numbers)
        try:
            dual = _dual(one, choice)
        except NtksymError as failed:
            return failed.what
        if dual is None:
            return f"no dual of {name} was proven within seconds"
        made.append(unit_of(dual, {}))
    return tuple(made)


def _with(name: str, expr: Expr, numbers: Mapping[str, Any]) -> Activation:
    """An activation with numbers for its parameters."""
    act = Activation(name, expr)
    return act.with_params(**{q.name: numbers[q.name] for q in act.params})


def _dual(act: Activation, choice: Choice) -> Any:
    """A dual for the variances that `choice` is for; None where none is proven within seconds."""
    plain = choose(act, code=True)
    if not isinstance(plain.dual, ExpectedDual):
        return plain.dual
    if choice.variances is None:
        return None
    span = Fraction(choice.variances[0]), Fraction(choice.variances[1])
    for error in FINE:
        if (table := table_choice(act, error, span)) is not None:
            return table.dual
    return None
