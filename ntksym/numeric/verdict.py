"""The verdict on the dual that an activation gets, closed form or not, with its evidence.

A mixture, a series, a table or a rule comes with a bound.  What is checked is what it claims: at
exact points the definition is enclosed, by code that knows none of them, and so is the
approximation; every two numbers of the two balls are within the bound, or the claim is open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import isqrt
from typing import Any

from sympy import Rational

from ..activation import Activation
from ..brief import cut
from ..dual import Dual
from ..errors import NoClosedForm, NtksymError, Undecided
from ..precision import precision
from ..verify.asked import read_digits, read_points
from ..verify.ball import Ball
from ..verify.balls import enclose_definition
from ..verify.points import collinear_points, rational_points
from ..verify.prove import Point, definitions, describe, gathered, parameters
from ..verify.prove import prove as prove_closed
from ..verify.report import Comparison, Report, Verdict
from ..verify.safe import allowed
from ..waiting import followed
from .choice import Choice, proven, read_variances
from .choose import choose
from .mixture import MixtureDual
from .patience import at_most
from .rules import Build, built
from .series import SeriesDual

SPANS = ("1", "1/2:2")
"""The variances that tables are built for where none are given."""
_MORE = 4.0
"""Seconds of one core for building those after the first, which nobody asked for."""
RHOS = tuple(
    Fraction(n, 2**k) for n, k in ((0, 0), (1, 1), (-5, 3), (2**20 - 1, 20), (1 - 2**10, 10))
)
"""Correlations: zero, two in the middle, 1e-6 below 1 and 1e-3 above -1."""
_SIZE_DIGITS = 15
_BITS = 192


def prove(
    activation: Any,
    *,
    digits: int = 30,
    points: Sequence[tuple[Any, Any, Any]] | None = None,
    progress: Callable[[str], None] | None = None,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
    build: Build = built,
) -> Report:
    """The verdict on the dual of an activation, with its evidence.

    Where there is a closed form, and no other method is asked for, that of `verify.prove`.  Else
    `ENCLOSED`: at every point, balls of `digits` digits around the definition and around the
    approximation are within its proven bound of each other.  `REFUTED`: at some point they are
    further apart, which would be a bug of this library.  `UNDECIDED`, where there is no such thing:
    the definition is enclosed at one point, if it can be, which has nothing beside it.

    Args:
        activation: as `ntksym.dual` takes it.
        digits: of the enclosures.
        points: exact (q11, q12, q22) for forms that hold for all variances.
        progress: is told what is done, one line at a time.
        method: one of `choose.METHODS`.
        error: as in `choose`.
        variances: a number or a range for which tables and rules are built; by default `SPANS`.
        build: as in `choose`.

    Raises:
        NoClosedForm: `method` does not apply.
        NotSquareIntegrable, BadActivation: there is no dual.
        BadSpec, BadCovariance: `digits` or `points` are none.
    """
    from ..language import as_activation

    act = as_activation(activation)
    digits = read_digits(digits)
    points = None if points is None else read_points(points)
    ask = partial(choose, method=method, error=error, build=build)
    with followed(f"prove {cut(act.name or str(act.expr))}", progress) as tell:
        return _proved(act, digits, points, method, variances, ask, tell)


def _proved(
    act: Activation,
    digits: int,
    points: Sequence[tuple[Any, Any, Any]] | None,
    method: str,
    variances: Any,
    ask: Callable[..., Choice],
    tell: Callable[[str], None],
) -> Report:
    said: tuple[str, ...] = ()
    if method in ("auto", "exact"):
        try:
            return prove_closed(act, digits=digits, points=points, progress=tell)
        except NoClosedForm as failed:
            if method == "exact":
                raise
            said = (failed.what,)
    try:
        found = ask(act, variances=variances)
        if isinstance(found.dual, MixtureDual | SeriesDual):
            parts = [_everywhere(found, digits, points, tell)]
        elif isinstance(found.dual, Dual):
            return prove_closed(act, digits=digits, points=points, progress=tell)
        else:
            parts = _built(act, ask, SPANS if variances is None else (variances,), digits, tell)
    except Undecided as failed:
        tell("enclosing the definition alone")
        rows = _alone(act, digits, points)
        lines = [*said, f"undecided: {failed.what}", *failed.tried[-3:], *_values(rows)]
        return Report(act.name, Verdict.UNDECIDED, tuple(lines), rows)
    lines = [line for part in parts for line in part.lines]
    comparisons = tuple(c for part in parts for c in part.comparisons)
    return Report(act.name, _verdict(comparisons), (*said, *lines), comparisons, parts[0].method)


def _put_off(span: Any) -> str:
    late = f"not built within {_MORE:.0f} s of one core"
    return f"variances {span}: {late}; --variance {span} builds it"


def _alone(
    act: Activation, digits: int, points: Sequence[tuple[Any, Any, Any]] | None
) -> tuple[Comparison, ...]:
    """The definition at the first point, which says whether more is open than a form for all."""
    a, c, b = (Rational(v) for v in (points or [(1, "1/2", 1)])[0])
    try:
        with allowed(_MORE):
            return definitions(act, (a, c, b), parameters(act, 0), digits)
    except NtksymError:
        return ()


def _values(rows: Sequence[Comparison]) -> list[str]:
    """What is known of a definition where nothing else is."""
    found = [(c, *c.definition.decimal(15)) for c in rows if c.definition is not None]
    if not found:
        return []
    said = ", ".join(f"{c.quantity} [{mid} +/- {rad}]" for c, mid, rad in found)
    where = ", ".join(map(str, rows[0].point))
    return [f"`eval` encloses the definition at exact points all the same: at ({where}) {said}"]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one mixture, series, table or rule was found to be."""

    method: str
    lines: tuple[str, ...]
    comparisons: tuple[Comparison, ...]


def _verdict(comparisons: Sequence[Comparison]) -> Verdict:
    if any(c.agree is False for c in comparisons):
        return Verdict.REFUTED
    whole = comparisons and all(c.agree and not c.divergent for c in comparisons)
    return Verdict.ENCLOSED if whole else Verdict.UNDECIDED


def _everywhere(
    found: Choice,
    digits: int,
    points: Sequence[tuple[Any, Any, Any]] | None,
    tell: Callable[[str], None],
) -> _Part:
    """A mixture or a series, which hold for all variances, at exact points with their own bound."""
    mixture = isinstance(found.dual, MixtureDual)
    base = (*rational_points(), *collinear_points()) if points is None else points
    chosen = [(Rational(a), Rational(c), Rational(b)) for a, c, b in base]
    if not mixture and points is None:
        chosen = [p for p in chosen if p[1] ** 2 < _SERIES * p[0] * p[2]]
    rows: list[Comparison] = []
    for number, point in enumerate(chosen):
        tell(f"enclosing at point {number + 1} of {len(chosen)}")
        values = parameters(found.activation, number)
        for c in definitions(found.activation, point, values, digits):
            rows.append(_with_claim(c, found.dual, mixture))
    head = f"{found.method}: {found.candidates[-1].reason}"
    if found.candidates[-1].cost:
        head += f"; {found.candidates[-1].cost}"
    what = "the finite sum" if mixture else "the series with its tail"
    return _Part(found.method, (head, *_lines(rows, what)), tuple(rows))


_SERIES = Rational(3, 4)
"""The squared correlation up to which a series is asked for: beyond, it gets long."""


def _with_claim(c: Comparison, dual: Any, mixture: bool) -> Comparison:
    """The comparison, with what a mixture or a series says at that point."""
    slope = c.quantity != "nngp"
    options: dict[str, Any] = {} if mixture else {"digits": c.digits}
    try:
        said = dual.enclose(*c.point, derivative=slope, params=dict(c.params), **options)
    except NtksymError as failed:
        return replace(c, divergent=False, note="; ".join((c.note, failed.what)).strip("; "))
    if not mixture:
        return replace(c, divergent=False, derived=said)
    return replace(c, divergent=False, derived=_exact(said.mid), bound=_exact(said.rad))


def _built(
    act: Activation,
    ask: Callable[..., Choice],
    spans: Sequence[Any],
    digits: int,
    tell: Callable[[str], None],
) -> list[_Part]:
    """Tables and rules, each at points of the variances that it is for."""
    values = parameters(act, 0)
    given = act.with_params(**dict(values)) if values else act
    parts: list[_Part] = []
    for span in spans:
        low, high = read_variances(span)
        tell(f"building for the variances {span}")
        try:
            with at_most(_MORE if parts else None):
                found = ask(given, variances=(low, high))
        except Undecided:
            if not parts:
                raise
            parts.append(_Part("", (_put_off(span),), ()))
            continue
        sizes: dict[tuple[Fraction, bool], Any] = {}
        rows: list[Comparison] = []
        chosen = _table_points(Fraction(float(low)), Fraction(float(high)))
        for number, point in enumerate(chosen):
            tell(f"enclosing at point {number + 1} of {len(chosen)}")
            shown = _numbers(found.dual, point)
            for c, number_ in zip(definitions(given, point, (), digits), shown, strict=True):
                rows.append(_with_number(c, number_, found, sizes))
        where = "".join(f", {name} = {value}" for name, value in values)
        head = f"{found.method}{where}: {'; '.join(proven(found.dual)[:2])}"
        lines = (head, *_lines(rows, "what its code computes"))
        parts.append(_Part(found.method, lines, tuple(rows)))
    return parts


def _table_points(low: Fraction, high: Fraction) -> list[Point]:
    """Points that are doubles: what code computes there is one exact number."""
    pairs = [((low, high), rho) for rho in RHOS]
    if low < high:
        middle = Fraction(float((low + high) / 2))
        pairs += [((middle, low), rho) for rho in RHOS[1:3]]
        pairs += [((high, low), RHOS[3])]
    pairs += [((high, high), Fraction(s)) for s in (1, -1)]
    out = []
    for (a, b), rho in pairs:
        cross = a if a == b else _root(a * b)
        out.append(tuple(Rational(v) for v in (a, _double(rho * cross), b)))
    return out


def _double(value: Fraction) -> Fraction:
    return Fraction(float(value))


def _root(value: Fraction) -> Fraction:
    """The square root, rounded down, with more digits than a double has."""
    scale = 2 ** (2 * _BITS)
    return Fraction(isqrt(value.numerator * scale // value.denominator), 2**_BITS)


def _numbers(dual: Any, point: Point) -> tuple[float, float]:
    """(value, derivative) in doubles, as the code of a table or of a rule computes them."""
    a, c, b = (Fraction(int(v.p), int(v.q)) for v in point)
    root = float(_root(a * b - c * c))
    numbers = float(a), float(c), float(b)
    if hasattr(dual, "at"):
        value, dot = dual.at(*numbers, root)
    elif hasattr(dual, "evaluate"):
        value, dot = dual.evaluate(*numbers, root=root)
    else:
        raise Undecided(f"a {type(dual).__name__} has no evaluation of its own to check")
    return float(value), float(dot)


def _with_number(
    c: Comparison, number: float, found: Choice, sizes: dict[tuple[Fraction, bool], Any]
) -> Comparison:
    """The comparison, with a number of code and its bound: the error times sqrt(K(q11) K(q22))."""
    slope = c.quantity != "nngp"
    if number != number:
        return replace(c, divergent=False, note="its code gives no number here")
    try:
        ends = [_size(found.activation, c.point[i], slope, sizes) for i in (0, 2)]
    except Undecided as failed:
        return replace(c, divergent=False, note=f"the bound is open: {failed.what}")
    with precision(_BITS):
        bound = (ends[0].to_arb() * ends[1].to_arb()).sqrt() * float(found.dual.error)
        claim = Ball.from_arb(bound)
    return replace(c, divergent=False, derived=_exact(Fraction(number)), bound=claim)


def _size(
    act: Activation, variance: Any, slope: bool, known: dict[tuple[Fraction, bool], Any]
) -> Any:
    """A ball around E[s(u)^2] or E[s'(u)^2]."""
    if (variance, slope) not in known:
        at = (variance, variance, variance)
        known[variance, slope] = enclose_definition(act, *at, derivative=slope, digits=_SIZE_DIGITS)
    return known[variance, slope]


def _exact(value: Fraction) -> Ball:
    """The ball of one dyadic number."""
    return Ball(value.numerator, 1 - value.denominator.bit_length(), 0, 0)


def _lines(rows: Sequence[Comparison], what: str) -> list[str]:
    """What the comparisons say, in words."""
    agreed = [c for c in rows if c.agree]
    out = []
    if agreed:
        widest = max(float(c.definition.rad) for c in agreed if c.definition is not None)
        line = (
            f"{len(agreed)} enclosures of the definition, {agreed[0].digits} digits, "
            f"widest radius {widest:.1e}"
        )
        if any(c.bound is not None for c in agreed):
            bounds = [float(c.bound.mid + c.bound.rad) for c in agreed if c.bound is not None]
            used = max(c.used for c in agreed)
            line += (
                f": {what} is within its bound of each, {max(bounds):.1e} at most; "
                f"the largest distance is {used:.2g} of it"
            )
        else:
            line += f", overlap {what}"
        out.append(line)
    out += [f"disjoint balls: {describe(c)}" for c in rows if c.agree is False]
    return out + gathered("undecided", [c for c in rows if c.agree is None])
