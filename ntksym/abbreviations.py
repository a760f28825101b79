"""Long formulas with names for what repeats, as papers print them: Delta, rho, A1 and A2, Re."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

from sympy import (
    Add,
    Function,
    I,
    Integer,
    Mul,
    Pow,
    Rational,
    Symbol,
    default_sort_key,
    latex,
    preorder_traversal,
)

from .symbols import q11, q12, q22

LONG = 200
"""Formulas with fewer nodes than this (all together) are printed as they are."""

MOST = 12
"""At most so many names (a pair counts as one): a longer list is no help to a reader."""

SHORT = 5
"""What has fewer nodes than this is not worth a name; a product or power needs `SHORT` + 3."""

DIGITS = 12
"""A rational number with more digits gets a name: c1, c2, ..."""

WORTH = 8
"""A name has to save so many nodes."""

WIDE = 60
"""A sum of more nodes that is a factor of a term has a name also where it stands once: its own
terms can then go on in the next line."""

LETTERS = "ABCDFGHJLMPRUVWXYZ"
"""Without E, I, N, O, Q and S, which SymPy reads as objects of its own, and K and T (kernels)."""

_SWAP = {q11: q22, q22: q11}
_DETERMINANT = q11 * q22 - q12**2
_ROOTS = (q12, Pow(q11, Rational(-1, 2)), Pow(q22, Rational(-1, 2)))


class re(Function):
    """The real part, unevaluated: 2 re(t) stands for t and its complex conjugate.

    It has SymPy's own name for it, so that its text reads back.
    """

    def _latex(self, printer: Any) -> str:
        return rf"\operatorname{{Re}}\left({printer._print(self.args[0])}\right)"

    def spelled(self) -> Any:
        """The mean of the argument and its conjugate; every symbol is real."""
        return (self.args[0] + conjugated(self.args[0])) / 2


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
            found = tuple(_replaced(f, {symbol: definition}) for f in found)
        return tuple(f.replace(lambda e: isinstance(e, re), lambda e: e.spelled()) for f in found)

    def latex_rows(self, titles: Sequence[str], **options: Any) -> list[str]:
        """`title &= formula` for each formula, then each name; `options` go to SymPy's printer."""
        options = {"inv_trig_style": "full", **options}
        rows = [
            f"{title} &= {latex(formula, **options)}"
            for title, formula in zip(titles, self.formulas, strict=True)
        ]
        twins = dict(self.twins)
        for symbol, definition in self.names:
            if symbol in twins:
                body = rf"{latex(twins[symbol])} \text{{ with }} 1 \leftrightarrow 2"
            elif definition.is_Rational:
                body = decimal_digits(definition).replace("...", r"\ldots")
            else:
                body = latex(definition, **options)
            rows.append(f"{latex(symbol)} &= {body}")
        return rows


def abbreviate(formulas: Iterable[Any], *, taken: Iterable[str] = ()) -> Abbreviated:
    """The formulas with repeated parts named; short formulas come back as they are.

    rho = q12/sqrt(q11 q22) and Delta = q11 q22 - q12^2 come first, then what saves most, at most
    `MOST` names. Parts that differ by exchanging q11 and q22 get one letter with the indices 1
    and 2. Complex conjugate terms of a sum become 2 re(.). Rational numbers of more than `DIGITS`
    digits are c1, c2, ... also in short formulas. Names in `taken` and names of symbols of the
    formulas are not used. Equal input gives equal output.
    """
    given = tuple(map(tidied, formulas))
    used = {s.name for f in given for s in f.free_symbols} | set(taken)
    now = [_spread(f) for f in given]
    numbers = _numbers(now, used)
    now = [_replaced(f, {n: s * (-1 if n < 0 else 1) for n, s in numbers.items()}) for f in now]
    names: dict[Symbol, Any] = {s: n for n, s in numbers.items() if n > 0}
    if sum(map(_weight, given)) < LONG:
        return Abbreviated(tuple(now), tuple(names.items()), ())
    seen: set[Any] = set()
    now = [_real_parts(f, seen) for f in now]
    twins: dict[Symbol, Symbol] = {}
    for name, definition, rewrite in (
        ("Delta", _DETERMINANT, _with_determinant),
        ("rho", Mul(*_ROOTS), _with_correlation),
    ):
        symbol = Symbol(name)
        after = [rewrite(f, symbol) for f in now]
        if name not in used and sum(_count(f, symbol) for f in after) > 1:
            now, names[symbol] = after, definition
    letters = iter(c for c in LETTERS if not {c, f"{c}1", f"{c}2"} & used)
    for _, letter in zip(range(MOST), letters, strict=False):
        first, second = _widest(now)
        if first is None:
            first, second = _most_worth([*now, *names.values()], names)
        if first is None:
            break
        chosen = {Symbol(letter): first}
        if second is not None:
            chosen = {Symbol(f"{letter}1"): first, Symbol(f"{letter}2"): second}
            twins[Symbol(f"{letter}2")] = Symbol(f"{letter}1")
        parts = {**{-e: -s for s, e in chosen.items() if e.is_Add}}
        parts |= {e: s for s, e in chosen.items()}
        now = [_replaced(f, parts) for f in now]
        names = {s: _replaced(e, parts) for s, e in names.items()} | chosen
    return Abbreviated(tuple(now), tuple(_in_order(names, now)), tuple(twins.items()))


def latex_rows(rows: Sequence[tuple[str, Any]], *, full: bool = False) -> list[str]:
    """`name &= formula` in LaTeX for formulas that are read together, with what repeats named.

    `full` writes everything out.
    """
    exprs = tuple(tidied(expr) for _, expr in rows)
    short = Abbreviated(exprs, (), ()) if full else abbreviate(exprs)
    return short.latex_rows([name for name, _ in rows])


def tidied(expr: Any) -> Any:
    """The expression with numbers that the terms of a factor share in front of its product.

    `(-2*q - 2)*f/2` prints as `-(q + 1)*f`: SymPy multiplies numbers into sums by itself.
    """
    if not getattr(expr, "args", ()):
        return expr
    expr = _rebuilt(expr, [tidied(a) for a in expr.args])
    sums = [a for a in expr.args if a.is_Add] if expr.is_Mul else []
    if not sums or len(sums) == len(expr.args) - expr.args[0].is_Number == 1:
        return expr
    number, rest = Integer(1), []
    for factor in expr.args:
        if factor.is_Add:
            content, whole = factor.primitive()
            # a fraction goes only where one stands: asin/pi + 1/2, not (2*asin/pi + 1)/2
            if content.is_Integer or expr.args[0].is_Number:
                number, factor = number * content, whole
            if 2 * sum(t.could_extract_minus_sign() for t in factor.args) > len(factor.args):
                number, factor = -number, Add(*(-t for t in factor.args))
        rest.append(factor)
    return expr if number == 1 else Mul(number, *rest)


def conjugated(expr: Any) -> Any:
    """The complex conjugate: I changes its sign, every symbol is real."""
    return _replaced(expr, {I: -I})


@lru_cache(maxsize=65536)
def _weight(expr: Any) -> int:
    return 1 + sum(map(_weight, expr.args))


def _count(expr: Any, part: Any) -> int:
    return sum(bool(node == part) for node in preorder_traversal(expr))


def _rebuilt(expr: Any, args: list[Any]) -> Any:
    """The same head on other arguments; a number is not multiplied into a sum."""
    if list(expr.args) == args:
        return expr
    found = expr.func(*args)
    if expr.is_Mul and found.is_Add:
        sums = [a for a in args if a.is_Add]
        number = Mul(*(a for a in args if not a.is_Add))
        return sums[0] if number == 1 else Mul(number, *sums, evaluate=False)
    return found


def _replaced(expr: Any, parts: dict[Any, Any]) -> Any:
    if expr in parts:
        return parts[expr]
    if not expr.args:
        return expr
    return _rebuilt(expr, [_replaced(a, parts) for a in expr.args])


def _with_determinant(expr: Any, symbol: Symbol) -> Any:
    """Delta in sums that hold q11 q22 - q12^2 or its negative beside other terms."""
    if not expr.args:
        return expr
    expr = _rebuilt(expr, [_with_determinant(a, symbol) for a in expr.args])
    if expr.is_Add:
        terms = list(expr.args)
        for sign in (1, -1):
            pair = (sign * q11 * q22, -sign * q12**2)
            if all(t in terms for t in pair):
                return Add(sign * symbol, *(t for t in terms if t not in pair))
    return expr


def _with_correlation(expr: Any, symbol: Symbol) -> Any:
    """Rho in products that hold q12/(sqrt(q11) sqrt(q22))."""
    if not expr.args:
        return expr
    if expr.is_Mul and all(r in expr.args for r in _ROOTS):
        rest = [_with_correlation(a, symbol) for a in expr.args if a not in _ROOTS]
        return Mul(symbol, *rest, evaluate=not any(a.is_Add for a in rest))
    return _rebuilt(expr, [_with_correlation(a, symbol) for a in expr.args])


def _is_long(node: Any) -> bool:
    return bool(node.is_Rational) and len(str(node).strip("-")) > DIGITS


def _spread(expr: Any) -> Any:
    """Long numbers before sums with long numbers multiplied out: fewer and readable ones."""
    if not expr.args:
        return expr
    expr = _rebuilt(expr, [_spread(a) for a in expr.args])
    if not expr.is_Mul or not _is_long(expr.args[0]):
        return expr
    number, *rest = expr.args
    for i, factor in enumerate(rest):
        if factor.is_Add and any(_is_long(n) for n in preorder_traversal(factor)):
            rest[i] = Add(*(number * term for term in factor.args))
            return Mul(*rest)
    return expr


def _numbers(exprs: Iterable[Any], used: set[str]) -> dict[Any, Symbol]:
    """A name for the size of each long rational number, in order of appearance."""
    found: dict[Any, Symbol] = {}
    names = (Symbol(f"c{i}", positive=True) for i in count(1) if f"c{i}" not in used)
    for expr in exprs:
        for node in preorder_traversal(expr):
            if _is_long(node) and abs(node) not in found:
                found[abs(node)] = next(names)
    return {**found, **{-n: s for n, s in found.items()}}


def _real_parts(expr: Any, seen: set[Any]) -> Any:
    """A sum with each term and its conjugate together as 2 re(term).

    Of the two the one is printed that has more in common with those `seen` before, or their
    mirror images: what repeats can then have a name.
    """
    if not expr.is_Add or not expr.has(I):
        return expr
    terms = sorted(expr.args, key=default_sort_key)
    kept: list[Any] = []
    while terms:
        term = terms.pop(0)
        other = conjugated(term)
        if term.has(I) and other != term and other in terms:
            terms.remove(other)
            term = max(term, other, key=lambda t: sum(_weight(n) for n in _complex_parts(t) & seen))
            seen |= _complex_parts(term) | _complex_parts(_replaced(term, _SWAP))
            real = [f for f in Mul.make_args(term) if not f.has(I)]
            rest = [f for f in Mul.make_args(term) if f.has(I)]
            term = 2 * Mul(*real) * re(Mul(*rest, evaluate=False) if rest[1:] else rest[0])
        kept.append(term)
    return Add(*kept)


def _complex_parts(expr: Any) -> set[Any]:
    return {n for n in preorder_traversal(expr) if n.args and n.has(I)}


def _widest(exprs: list[Any]) -> tuple[Any, Any]:
    """The largest sum that is a factor of a term of the formulas, and its mirror image there."""
    wide = {
        f
        for e in exprs
        for term in Add.make_args(e)
        for f in Mul.make_args(term)
        if f.is_Add and f != e and _weight(f) > WIDE
    }
    if not wide:
        return None, None
    found = max(wide, key=lambda f: (_weight(f), default_sort_key(f)))
    mirror = _replaced(found, _SWAP)
    first, *second = sorted({found, mirror} & wide, key=_order)
    return first, second[0] if second else None


def _most_worth(exprs: list[Any], names: dict[Symbol, Any]) -> tuple[Any, Any]:
    """The repeated part whose name saves most nodes, and its mirror image if that is another."""
    counts = Counter(n for e in exprs for n in preorder_traversal(e) if _may_be_named(n))
    for whole in exprs:
        counts.pop(whole, None)
    mirrored = {**_SWAP, **{s: _sibling(s, names) for s in names}}

    def times(node: Any) -> int:
        return counts[node] + (counts[-node] if node.is_Add else 0)

    found: list[tuple[int, tuple[Any, ...]]] = []
    for node in counts:
        pair: tuple[Any, ...] = (node,)
        if times(node) > 0:
            mirror = _replaced(node, mirrored)
            if mirror != node and mirror in counts:
                pair = (node, mirror)
        saved = (sum(map(times, pair)) - len(pair)) * (_weight(node) - 1)
        found.append((saved, pair))
    best = max((saved for saved, _ in found), default=0)
    if best < WORTH:
        return None, None
    ties = [sorted(pair, key=_order) for saved, pair in found if saved == best]
    first, *second = min(ties, key=lambda pair: [default_sort_key(p) for p in pair])
    return first, second[0] if second else None


def _sibling(symbol: Symbol, names: dict[Symbol, Any]) -> Symbol:
    """A2 for A1 and A1 for A2; a name without a mirror image is its own."""
    stem, digit = symbol.name[:-1], symbol.name[-1:]
    other = Symbol(stem + {"1": "2", "2": "1"}.get(digit, digit))
    return other if other in names else symbol


def _may_be_named(node: Any) -> bool:
    """Whether a name would save more than it hides: no numbers, nothing short, no monomials."""
    least = SHORT + (3 if node.is_Mul or node.is_Pow else 0)
    if not (node.args and _weight(node) >= least and node.free_symbols):
        return False
    return not all(
        f.as_base_exp()[0].is_Atom and f.as_base_exp()[1].is_Integer for f in Mul.make_args(node)
    )


def _order(expr: Any) -> tuple[Any, ...]:
    """Formulas of u before those of v: more q11 than q22, else SymPy's order."""
    return (_count(expr, q22) - _count(expr, q11), default_sort_key(expr))


def _in_order(names: dict[Symbol, Any], shown: list[Any]) -> Iterator[tuple[Symbol, Any]]:
    """Each name that is used, after those that its definition needs."""
    done: set[Symbol] = set()

    def visit(symbol: Symbol) -> Iterator[tuple[Symbol, Any]]:
        if symbol in done:
            return
        done.add(symbol)
        for inner in sorted(names[symbol].free_symbols & names.keys(), key=default_sort_key):
            yield from visit(inner)
        yield symbol, names[symbol]

    used = set().union(*(f.free_symbols for f in shown)) & names.keys()
    for symbol in sorted(used, key=lambda s: list(names).index(s)):
        yield from visit(symbol)


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
