"""Long formulas with names for what repeats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Mul, Symbol

from .arranged import factored, gathered, printed, reflected
from .printers import latex
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

    def latex_rows(self, titles: Sequence[str], **options: Any) -> list[str]:
        """`title &= formula` for each formula, then each name; `options` go to SymPy's printer."""
        rows = [
            f"{title} &= {latex(arranged(formula), **options)}"
            for title, formula in zip(titles, self.formulas, strict=True)
        ]
        twins = dict(self.twins)
        for symbol, definition in self.names:
            if symbol in twins:
                body = rf"{latex(twins[symbol])} \text{{ with }} 1 \leftrightarrow 2"
            elif definition.is_Rational:
                body = decimal_digits(definition).replace("...", r"\ldots")
            else:
                body = latex(arranged(definition), **options)
            rows.append(f"{latex(symbol)} &= {body}")
        return rows


def abbreviate(
    formulas: Iterable[Any], *, taken: Iterable[str] = (), long: int = LONG
) -> Abbreviated:
    """The formulas with repeated parts named; those of fewer than `long` nodes come back unchanged.

    rho = q12/sqrt(q11 q22) and Delta = q11 q22 - q12^2 come first, then what saves most, at most
    `MOST` names. Parts that differ by exchanging q11 and q22 get one letter with the indices 1
    and 2. Complex conjugate terms of a sum become 2 re(.). Rational numbers of more than `DIGITS`
    digits are c1, c2, ... also in short formulas. Names in `taken` and names of symbols of the
    formulas are not used. Equal input gives equal output.
    """
    given = tuple(map(tidied, formulas))
    used = {s.name for f in given for s in f.free_symbols} | set(taken)
    now = [spread(f) for f in given]
    numbers = long_numbers(now, used)
    now = [replaced(f, {n: s * (-1 if n < 0 else 1) for n, s in numbers.items()}) for f in now]
    names: dict[Symbol, Any] = {s: n for n, s in numbers.items() if n > 0}
    if sum(map(weight, given)) < long:
        return Abbreviated(tuple(now), tuple(names.items()), ())
    seen: set[Any] = set()
    now = [real_parts(f, seen) for f in now]
    twins: dict[Symbol, Symbol] = {}
    for name, definition, rewrite in (
        ("Delta", DETERMINANT, with_determinant),
        ("rho", Mul(*ROOTS), with_correlation),
    ):
        symbol = Symbol(name)
        after = [rewrite(f, symbol) for f in now]
        if name not in used and sum(count_of(f, symbol) for f in after) > 1:
            now, names[symbol] = after, definition
    letters = iter(c for c in LETTERS if not {c, f"{c}1", f"{c}2"} & used)
    for _, letter in zip(range(MOST), letters, strict=False):
        first, second = widest(now)
        if first is None:
            first, second = most_worth([*now, *names.values()], names)
        if first is None:
            break
        first, second = (upright([*now, *names.values()], part) for part in (first, second))
        chosen = {Symbol(letter): first}
        if second is not None:
            chosen = {Symbol(f"{letter}1"): first, Symbol(f"{letter}2"): second}
            twins[Symbol(f"{letter}2")] = Symbol(f"{letter}1")
        parts = {**{-e: -s for s, e in chosen.items() if e.is_Add}}
        parts |= {e: s for s, e in chosen.items()}
        now = [replaced(f, parts) for f in now]
        names = {s: replaced(e, parts) for s, e in names.items()} | chosen
    return Abbreviated(tuple(now), tuple(in_order(names, now)), tuple(twins.items()))


def presented(
    formulas: Iterable[Any], *, full: bool = False, taken: Iterable[str] = (), long: int = LONG
) -> Abbreviated:
    """The formulas as papers print them: complements as one function, and what repeats named.

    `full` gives no names.
    """
    given = tuple(factored(reflected(f)) for f in formulas)
    return Abbreviated(given, (), ()) if full else abbreviate(given, taken=taken, long=long)


def arranged(expr: Any) -> Any:
    """With common factors outside, but for sums that have to go on in the next line."""
    return gathered(expr) if printed(expr) < WIDE else expr


def latex_rows(rows: Sequence[tuple[str, Any]], *, full: bool = False) -> list[str]:
    """`name &= formula` in LaTeX for formulas that are read together, with what repeats named.

    `full` writes everything out.
    """
    short = presented((expr for _, expr in rows), full=full)
    return short.latex_rows([name for name, _ in rows])


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
