"""Values of closed forms in ball arithmetic: what the engine writes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from sympy import (
    Add,
    E,
    Expr,
    Integer,
    Mul,
    Pow,
    Rational,
    Symbol,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cos,
    cosh,
    erf,
    exp,
    log,
    pi,
    sech,
    sin,
    sinh,
    tan,
    tanh,
)

from ..errors import UnsupportedOp
from ..functions import Phi, Phi2

_METHODS = {
    kind: kind.__name__
    for kind in (
        acosh, asin, asinh, atan, atanh, cos, cosh, erf, exp, log, sech, sin, sinh, tan, tanh,
    )
}  # fmt: skip
"""Functions that `flint.arb` has under the same name; most occur in constants only."""


Step = tuple[Callable[[list[Any]], Any] | None, Any]
"""A rule and the places of its arguments among the earlier steps; None and a symbol."""


def ball_value(e: Expr, values: Mapping[Symbol, Any]) -> Any:
    """A `flint.arb` that contains the value of `e` at balls for its symbols.

    Raises:
        UnsupportedOp: a function that closed forms of mixtures do not have.
    """
    found: list[Any] = []
    for rule, at in _steps(e):
        found.append(values[at] if rule is None else rule([found[i] for i in at]))
    return found[-1]


def ball_row(e: Expr, values: Mapping[Symbol, Any], symbol: Symbol, balls: Sequence[Any]) -> Any:
    """The list of `ball_value` for many balls of one symbol; what does not hold it is done once.

    A sum is taken as one of few products that hold the symbol, each with a coefficient that does
    not: of a polynomial of a thousand terms as many are left as it has powers of the symbol.

    Raises:
        UnsupportedOp: as `ball_value`.
    """
    steps = _steps(e, symbol)
    moving = _moving(e, symbol)
    found: list[Any] = [None] * len(steps)
    row = []
    for n, z in enumerate(balls):
        for k in moving if n else range(len(steps)):
            rule, at = steps[k]
            if rule is None:
                found[k] = z if at == symbol else values[at]
            else:
                found[k] = rule([found[i] for i in at])
        row.append(found[-1])
    return row


@lru_cache(maxsize=512)
def _steps(e: Expr, symbol: Symbol | None = None) -> tuple[Step, ...]:
    """Every different part of an expression once, arguments first.

    With a symbol, what does not hold it in a sum or a product is a part of its own.
    """
    steps: list[Step] = []
    place: dict[Any, int] = {}

    def put(key: Any, make: Callable[[], Step]) -> int:
        if key not in place:
            step = make()  # which puts the arguments first
            steps.append(step)
            place[key] = len(steps) - 1
        return place[key]

    def product(factors: tuple[Expr, ...]) -> int:
        if len(factors) == 1:
            return walk(factors[0])
        if not factors:
            return walk(Integer(1))
        return put((Mul, factors), lambda: (_product, tuple([walk(f) for f in factors])))

    def term(fixed: Sequence[tuple[Expr, ...]], moving: tuple[Expr, ...]) -> int:
        """(the sum of the products `fixed`) times the product `moving`."""
        first = tuple([product(f) for f in fixed])
        front = first[0] if len(first) == 1 else put((Add, first), lambda: (_total, first))
        if not moving:
            return front
        if fixed == [()]:
            return product(moving)
        places = front, product(moving)
        return put((Mul, places), lambda: (_product, places))

    def collected(part: Expr) -> Step:
        groups: dict[tuple[Expr, ...], list[tuple[Expr, ...]]] = {}
        for a in Add.make_args(part):
            factors = Mul.make_args(a)
            moving = tuple([f for f in factors if symbol in f.free_symbols])
            fixed = tuple([f for f in factors if f not in moving])
            groups.setdefault(moving, []).append(fixed)
        return _total, tuple([term(fixed, moving) for moving, fixed in groups.items()])

    def walk(part: Expr) -> int:
        apart = isinstance(part, (Add, Mul)) and symbol in part.free_symbols
        return put(part, lambda: collected(part) if apart else _step(part, walk))

    walk(e)
    return tuple(steps)


@lru_cache(maxsize=512)
def _moving(e: Expr, symbol: Symbol) -> tuple[int, ...]:
    """The steps of `ball_row` that depend on a symbol, in order."""
    moving: set[int] = set()
    steps = _steps(e, symbol)
    for k, (rule, at) in enumerate(steps):
        if at == symbol if rule is None else any(i in moving for i in at):
            moving.add(k)
    return tuple(sorted(moving))


def _step(e: Expr, walk: Callable[[Expr], int]) -> Step:
    if isinstance(e, Symbol):
        return None, e
    if isinstance(e, Rational):
        return partial(_fraction, int(e.p), int(e.q)), ()
    if e is pi or e is E:
        return _pi if e is pi else _euler, ()
    if isinstance(e, Pow) and isinstance(e.exp, Rational):
        return partial(_power, int(e.exp.p), int(e.exp.q)), (walk(e.base),)
    if isinstance(e, Pow):
        return _general_power, (walk(e.base), walk(e.exp))
    places = tuple([walk(a) for a in e.args])
    if isinstance(e, Add):
        return _total, places
    if isinstance(e, Mul):
        return _product, places
    if type(e) in _METHODS:
        return partial(_method, _METHODS[type(e)]), places
    if isinstance(e, Phi):
        return _normal, places
    if isinstance(e, Phi2):
        return _bivariate, places
    raise UnsupportedOp(f"{type(e).__name__} has no ball arithmetic here", where=str(e))


def _fraction(whole: int, half: int, _: list[Any]) -> Any:
    from flint import arb

    return arb(whole) / half


def _pi(_: list[Any]) -> Any:
    from flint import arb

    return arb.pi()


def _euler(_: list[Any]) -> Any:
    from flint import arb

    return arb(1).exp()


def _total(terms: list[Any]) -> Any:
    return sum(terms[1:], terms[0])


def _product(factors: list[Any]) -> Any:
    total = factors[0]
    for z in factors[1:]:
        total = total * z
    return total


def _general_power(args: list[Any]) -> Any:
    return args[0] ** args[1]


def _method(name: str, args: list[Any]) -> Any:
    return getattr(args[0], name)()


def _normal(args: list[Any]) -> Any:
    from ..verify.rules.bivariate_series import cdf

    return cdf(args[0])


def _bivariate(args: list[Any]) -> Any:
    from flint import acb

    from ..verify.rules.bivariate import phi2

    return phi2(*map(acb, args)).real


def _power(whole: int, half: int, args: list[Any]) -> Any:
    base = args[0]
    if half == 1:
        return base**whole
    if half == 2:
        return base.sqrt() ** whole
    return (base.log() * whole / half).exp()
