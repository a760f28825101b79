"""Long formulas with names for what repeats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sympy import Mul, Symbol

from .arranged import factored, gathered, printed, reflected
from .rewrite import (
    DETERMINANT,
    ROOTS,
    count_of,
    long_numbers,
    re,
    real_parts,
    replaced,
    spread,
    tidied,
    weight,
    with_correlation,
    with_determinant,
)
from .worth import WIDE, in_order, most_worth, upright, widest

LONG = 150
"""Formulas with fewer nodes than this (all together) are printed as they are."""


MOST = 12
"""At most so many names (a pair counts as one): a longer list is no help to a reader."""


LETTERS = "ABCDFGHJLMPRUVWXYZ"
"""Without E, I, N, O, Q and S, which SymPy reads as objects of its own, and K and T (kernels)."""


@dataclass(frozen=True, slots=True)
class Abbreviated:
    """`formulas` in terms of the `names`, each (symbol, definition) in names before it.

    `twins` maps the second of a pair to the first: the same with q11 and q22 (and the indices 1
    and 2 of names) exchanged.
    """

    formulas: tuple[Any, ...]
    names: tuple[tuple[Symbol, Any], ...]
    twins: tuple[tuple[Symbol, Symbol], ...]

    def spelled(self) -> tuple[Any, ...]:
        """The formulas with every name replaced by what it stands for."""
        found = self.formulas
        for symbol, definition in reversed(self.names):
            found = tuple(replaced(f, {symbol: definition}) for f in found)
        return tuple(f.replace(lambda e: isinstance(e, re), lambda e: e.spelled()) for f in found)


def abbreviate(
    formulas: Iterable[Any],
    *,
    taken: Iterable[str] = (),
    known: Iterable[tuple[Symbol, Any]] = (),
    long: int = LONG,
    wide: int = WIDE,
) -> Abbreviated:
    """The formulas with repeated parts named; those of fewer than `long` nodes come back unchanged.

    rho = q12/sqrt(q11 q22) and Delta = q11 q22 - q12^2 come first, then what saves most, at most
    `MOST` names. Parts that differ by exchanging q11 and q22 get one letter with the indices 1
    and 2. Complex conjugate terms of a sum become 2 re(.). Rational numbers of more than `DIGITS`
    digits are c1, c2, ... also in short formulas. A sum of more than `wide` nodes that is a factor
    has a name in any case. Names in `taken` and names of symbols of the formulas are not used. What
    the names in `known` stand for, those of formulas before, has these names, which come back with
    none. Equal input gives equal output.
    """
    given = tuple(map(tidied, formulas))
    before = dict(known)
    used = {s.name for f in given for s in f.free_symbols} | {*taken, *(s.name for s in before)}
    now = [_with_names(spread(f), before, numbers=True) for f in given]
    numbers = long_numbers(now, used)
    now = [replaced(f, {n: s * (-1 if n < 0 else 1) for n, s in numbers.items()}) for f in now]
    names: dict[Symbol, Any] = {s: n for n, s in numbers.items() if n > 0}
    short = tuple(_with_names(f, before) for f in now)
    if sum(map(weight, short)) < long:
        return Abbreviated(short, tuple(names.items()), ())
    seen: set[Any] = set()
    now = [_with_names(real_parts(f, seen), before) for f in now]
    twins: dict[Symbol, Symbol] = {}
    for name, definition in (("Delta", DETERMINANT), ("rho", Mul(*ROOTS))):
        symbol = Symbol(name)
        after = [_named(f, symbol, definition) for f in now]
        if name not in used and sum(count_of(f, symbol) for f in after) > 1:
            now, names[symbol] = after, definition
    letters = iter(c for c in LETTERS if not {c, f"{c}1", f"{c}2"} & used)
    for _, letter in zip(range(MOST), letters, strict=False):
        first, second = widest([*now, *names.values()], wide)
        if first is None:
            first, second = most_worth([*now, *names.values()], {**before, **names})
        if first is None:
            break
        first, second = (upright([*now, *names.values()], part) for part in (first, second))
        chosen = {Symbol(letter): first}
        if second is not None:
            chosen = {Symbol(f"{letter}1"): first, Symbol(f"{letter}2"): second}
            twins[Symbol(f"{letter}2")] = Symbol(f"{letter}1")
        for symbol, part in chosen.items():
            now = [_named(f, symbol, part) for f in now]
            names = {s: _named(e, symbol, part) for s, e in names.items()}
        names |= chosen
    return Abbreviated(tuple(now), tuple(in_order(names, now, twins)), tuple(twins.items()))


def _with_names(expr: Any, names: dict[Symbol, Any], *, numbers: bool = False) -> Any:
    """The expression with names for what they stand for: those of numbers, or all others."""
    for symbol, definition in names.items():
        if definition.is_Rational == numbers:
            expr = _named(expr, symbol, definition)
    return expr


def _named(expr: Any, symbol: Symbol, definition: Any) -> Any:
    """The expression with the symbol for what it stands for, and for its negative."""
    if definition == DETERMINANT:
        return with_determinant(expr, symbol)
    if definition == Mul(*ROOTS):
        return with_correlation(expr, symbol)
    parts = {-definition: -symbol} if definition.is_Add or definition.is_Rational else {}
    return replaced(expr, {**parts, definition: symbol})


def presented(formulas: Iterable[Any], *, full: bool = False, **options: Any) -> Abbreviated:
    """The formulas as papers print them: complements as one function, and what repeats named.

    `full` gives no names; `options` are those of `abbreviate`.
    """
    given = tuple(factored(reflected(f)) for f in formulas)
    return Abbreviated(given, (), ()) if full else abbreviate(given, **options)


def arranged(expr: Any) -> Any:
    """With common factors outside, but for sums that have to go on in the next line."""
    return gathered(expr) if printed(expr) < WIDE else expr


def decimal_digits(number: Any, most: int = 18) -> str:
    """The decimal digits of a positive rational number, cut off after `most` of them."""
    tens = 0
    while abs(number) * 10**tens < 10 ** (most - 1):
        tens += 1
    digits = str(int(number * 10**tens)).rjust(tens + 1, "0")
    end = "" if (number * 10**tens).is_Integer else "..."
    whole, rest = digits[: len(digits) - tens], digits[len(digits) - tens :]
    rest = rest if end else rest.rstrip("0")
    return f"{whole}.{rest}{end}" if rest else f"{whole}{end}"
