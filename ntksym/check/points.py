"""Exact rational points of the domain of a statement: generic, near its edges, large and small."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from sympy import Ge, Gt, Le, Lt, Rational, Symbol, cosh, exp, false, sinh, true

from ..claims.binding import rho
from ..claims.statement import Statement
from ..symbols import m, m1, m2, q, q11, q12, q22

_R = Rational
_PAIRS = (
    (_R(1), _R(2, 5), _R(1)),
    (_R(7, 10), _R(-1, 2), _R(19, 10)),
    (_R(23, 10), _R(9, 10), _R(3, 5)),
    (_R(3), _R(-5, 2), _R(5, 2)),
    (_R(1, 30), _R(1, 70), _R(1, 50)),
    (_R(9), _R(11), _R(25)),
    (_R(1, 2), _R(-1, 50), _R(4)),
    (_R(13, 7), _R(17, 10), _R(12, 7)),
    (_R(5), _R(-4), _R(7, 2)),
    (_R(1, 9), _R(-1, 13), _R(1, 5)),
    (_R(400), _R(150), _R(90)),
    (_R(1, 2000), _R(-1, 9000), _R(1, 500)),
)
"""(q11, q12, q22): both signs of the correlation, equal and unequal variances, 1/2000 to 400."""

_CORRELATIONS = tuple(
    _R(a, b)
    for a, b in ((2, 5), (-1, 2), (9, 10), (-4, 5), (1, 50), (-19, 20), (3, 4), (-1, 9), (1, 3))
)
_VARIANCES = tuple(
    _R(a, b)
    for a, b in (
        (1, 1),
        (7, 10),
        (23, 10),
        (4, 1),
        (1, 20),
        (9, 1),
        (1, 3),
        (5, 2),
        (200, 1),
        (1, 900),
    )
)
_MEANS = tuple(_R(a, b) for a, b in ((3, 5), (-2, 3), (5, 4), (-1, 7), (2, 1), (-7, 4), (1, 3)))
_SIZES = tuple(
    _R(a, b)
    for a, b in ((3, 4), (5, 4), (2, 5), (3, 2), (1, 3), (2, 1), (7, 3), (1, 8), (3, 1), (7, 10))
)

_CANDIDATES = 400
_LARGE = 100


def candidates(statement: Statement) -> Iterator[dict[Symbol, Rational]]:
    """Different points where the conditions of the statement hold, a few hundred at most."""
    if not statement.variables:
        yield {}
        return
    seen: list[dict[Symbol, Rational]] = []
    for at in _drawn(statement):
        if at not in seen and _inside(statement, at):
            seen.append(at)
            yield at


def _drawn(statement: Statement) -> Iterator[dict[Symbol, Rational]]:
    variables = statement.variables
    random = Random(20261121)
    powers = statement.exponents
    # where exponentials grow, the mass of the integral moves away as far as the variance
    large = any(
        f is not None and f.has(exp, sinh, cosh)
        for _, e in statement.expectations
        for f in (e.f, e.g)
    )
    for turn in range(_CANDIDATES):
        at: dict[Symbol, Rational] = {}
        pair = _PAIRS[turn % len(_PAIRS)]
        if large and pair[0] > _LARGE:
            continue
        if turn >= 2 * len(_PAIRS):
            pair = _random_pair(random)
        at.update({s: value for s, value in zip((q11, q12, q22), pair, strict=True)})
        others = [s for s in variables if s not in at]
        if q12 in variables and (q11 not in variables or q22 not in variables):
            scale = pair[0] if q11 in variables else pair[2]
            r = _CORRELATIONS[turn % len(_CORRELATIONS)]
            at[q12] = r * scale if q11 in variables or q22 in variables else r
        for j, symbol in enumerate(others):
            if symbol in powers:
                at[symbol] = _power(turn + j)
            else:
                at[symbol] = _value(symbol, turn, j, random)
        if statement.matrix:
            at.update(_covariances(statement, random))
        if large and at.get(q, _R(0)) > _LARGE:
            continue
        yield {s: _within(at[s], *_bounds(statement, s)) for s in variables}


def _power(turn: int) -> Rational:
    """An exponent: whole numbers, whose integrals always converge fast, and quarters by turns."""
    return _R(1 + turn // 2 % 6) if turn % 2 == 0 else _R(3 + 2 * (turn // 2 % 6), 4)


def _covariances(statement: Statement, random: Random) -> dict[Symbol, Rational]:
    """Values of the entries of a positive definite matrix: A A' + D at random."""
    size = len(statement.matrix)
    a = [[_R(random.randint(-6, 6), 5) for _ in range(size)] for _ in range(size)]
    found: dict[Symbol, Rational] = {}
    for i, row in enumerate(statement.matrix):
        for j, entry in enumerate(row):
            if entry.is_Symbol:
                value = sum((a[i][k] * a[j][k] for k in range(size)), _R(0))
                found[entry] = value + (_R(1, 3) if i == j else 0)
    return found


def _bounds(statement: Statement, symbol: Symbol) -> tuple[Rational | None, Rational | None]:
    """What conditions such as `r > 1/2` say about one name."""
    low: Rational | None = None
    high: Rational | None = None
    for condition in statement.conditions:
        if not isinstance(condition, (Gt, Ge, Lt, Le)):
            continue
        large, small = condition.gts, condition.lts
        if large == symbol and small.is_Rational:
            low = small if low is None else max(low, small)
        if small == symbol and large.is_Rational:
            high = large if high is None else min(high, large)
        if small == symbol**2 and large == 1:
            low, high = (-_R(1) if low is None else low), (_R(1) if high is None else high)
    return low, high


def _within(value: Rational, low: Rational | None, high: Rational | None) -> Rational:
    """The value, moved into an interval that it misses."""
    if low is not None and high is not None and not low < value < high:
        share = abs(value) / (1 + abs(value))
        return low + (high - low) * share
    if low is not None and value <= low:
        return low + abs(value) + _R(1, 9)
    if high is not None and value >= high:
        return high - abs(value) - _R(1, 9)
    return value


def _random_pair(random: Random) -> tuple[Rational, Rational, Rational]:
    a, b = (_R(random.randint(1, 60), random.randint(7, 40)) for _ in range(2))
    smaller = min(a, b)
    return a, smaller * _R(random.randint(-19, 19), 20), b


def _value(symbol: Symbol, turn: int, j: int, random: Random) -> Rational:
    if symbol == rho:
        return _pick(_CORRELATIONS, turn, random)
    if symbol == q:
        return _pick(_VARIANCES, turn, random)
    if symbol in (m, m1, m2):
        return _pick(_MEANS, turn + 2 * j, random)
    if symbol.is_integer:
        return _R(1 + (turn + j) % 6)
    size = _pick(_SIZES, turn + 3 * j, random)
    if symbol.is_positive or symbol.is_nonnegative:
        return size
    if symbol.is_negative or symbol.is_nonpositive:
        return -size
    return size if (turn + j) % 3 else -size


def _pick(values: tuple[Rational, ...], turn: int, random: Random) -> Rational:
    """The list first, then anything near it: names are independent of each other."""
    if turn < 12:
        return values[turn % len(values)]
    return values[random.randrange(len(values))] * _R(random.randint(8, 14), 11)


def _inside(statement: Statement, at: dict[Symbol, Rational]) -> bool:
    for condition in statement.conditions:
        found = condition.xreplace(at)
        if found == false:
            return False
        if found != true and not _close(found):
            return False
    return True


def _close(condition: object) -> bool:
    """A comparison of irrational numbers, decided by balls."""
    from ..errors import Undecided
    from ..precision import precision
    from ..verify.evaluate import holds

    try:
        with precision(128):
            return holds(condition, {})  # type: ignore[arg-type]
    except Undecided:
        return False
