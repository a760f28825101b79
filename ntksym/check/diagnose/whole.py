"""Explanations that change the formula as a whole: factor, sign, scaling, offset, power."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from ...language.syntax import Call, Name, Node, Product
from ...language.tree_text import write
from .atoms import atoms
from .candidate import Candidate, constant, saying
from .constants import identify, scaled
from .floats import NAN, close
from .ground import Ground
from .trees import (
    at_zero,
    call,
    divided,
    everything,
    name,
    number,
    power,
    product,
    quotient,
    root,
    size,
    total,
    with_child,
)
from .words import NORMALISATION, factor_sentence

_EXPONENTS = (
    Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(-1, 2), Fraction(2), Fraction(-2),
    Fraction(3, 2), Fraction(-3, 2),
)  # fmt: skip


def factors(g: Ground) -> Iterator[Candidate]:
    """The definition is a constant times the formula."""
    if not any(g.target):
        yield Candidate("offset", saying("the value is zero"), number(0))
        return
    k = constant(g.target, g.values, 16 if g.single and g.claim.quantity != "hermite" else 400)
    if k is None or (g.single and _rational(g.tree) and not _rational(k)):
        return
    kind, text = factor_sentence(g.claim, k)
    yield Candidate(kind, saying(text), scaled(k, g.tree))


def _rational(tree: Node) -> bool:
    """Whether a tree is arithmetic of numbers: any constant is some multiple of such a value."""
    return not any(isinstance(n, (Name, Call)) for n in everything(tree))


def scalings(g: Ground) -> Iterator[Candidate]:
    """The definition is the formula times a power of a variable or a parameter."""
    if g.single or not any(g.target):
        return
    ratios = [t / v if v and t else NAN for t, v in zip(g.target, g.values, strict=True)]
    for atom, values in atoms(g):
        for e in exponents(ratios, values):
            powers = [_power(v, e) for v in values]
            k = constant(ratios, powers, 64)
            if k is None:
                continue
            plain = k == number(1) and not any(map(_is_factorial, everything(atom)))
            under = _under_a_root(g.tree, atom, e) if plain else None
            if under is not None:
                yield Candidate("slip", saying(f"the root of {write(atom)} is missing"), under)
                continue
            part = raised(atom, e)
            yield Candidate(
                "convention" if any(map(_is_factorial, everything(atom))) else "scaling",
                saying(_scaling(g, part, k)),
                _scaled(g.tree, k, atom, e),
                size(part),
            )


def exponents(values: list[float], base: list[float]) -> tuple[Fraction, ...]:
    """The exponent e with values = K base^e that two points suggest, a multiple of a half."""
    known = [
        (v, b)
        for v, b in zip(values, base, strict=True)
        if v and b and math.isfinite(v) and math.isfinite(b)
    ]
    for v, b in known[1:]:
        step = math.log(abs(b / known[0][1]))
        if abs(step) > 1e-3:
            e = 2 * math.log(abs(v / known[0][0])) / step
            near = round(e)
            return (Fraction(near, 2),) if near and abs(e - near) < 1e-6 and abs(near) < 13 else ()
    return ()


def _is_factorial(atom: Node) -> bool:
    return isinstance(atom, Call) and atom.name == "factorial"


def _scaling(g: Ground, part: Node, k: Node) -> str:
    missing = part if k == number(1) else product(k, part)
    if g.claim.quantity == "hermite" and any(_is_factorial(n) for n in everything(part)):
        return NORMALISATION.format(write(missing))
    if isinstance(part, Product) and part.factors[-1][0] < 0 and k == number(1):
        return f"a factor {write(part.factors[-1][1])} too many"
    return f"a factor {write(missing)} is missing"


def _scaled(tree: Node, k: Node, atom: Node, e: Fraction) -> Node:
    found = product(tree, raised(atom, e)) if e > 0 else divided(tree, raised(atom, -e))
    return found if k == number(1) else scaled(k, found)


def _under_a_root(tree: Node, atom: Node, e: Fraction) -> Node | None:
    """With sqrt(atom) for the factor or divisor atom, where that is `tree*atom**e`; else None."""
    tree, atom = at_zero(tree), at_zero(atom)
    if abs(e) == Fraction(1, 2) and isinstance(tree, Product):
        for i, (sign, f) in enumerate(tree.factors):
            if f == atom and sign * e < 0:
                return with_child(tree, i, root(atom))
    return None


def raised(atom: Node, e: Fraction) -> Node:
    """`atom**e`, roots written as roots."""
    if e < 0:
        return quotient(number(1), raised(atom, -e))
    whole, half = divmod(e, 1)
    parts = []
    if whole:
        parts.append(atom if whole == 1 else power(atom, int(whole)))
    if half:
        parts.append(root(atom))
    return product(*parts)


def _power(v: float, e: Fraction) -> float:
    if math.isnan(v) or (v < 0 and e.denominator != 1) or (v == 0 and e < 0):
        return NAN
    try:
        return float(v**e.numerator if e.denominator == 1 else v ** float(e))
    except OverflowError:
        return NAN


def powers(g: Ground) -> Iterator[Candidate]:
    """The definition is a power, a root or the inverse of the formula."""
    return (c for c in _powers_and_factors(g) if c.weight == 1)


def scaled_powers(g: Ground) -> Iterator[Candidate]:
    """The same with a constant factor."""
    return (c for c in _powers_and_factors(g) if c.weight > 1)


def _powers_and_factors(g: Ground) -> Iterator[Candidate]:
    tree, values = g.tree, list(g.values)
    forms = (
        ("square", "the square is missing", power(tree, 2), 2.0),
        ("root", "the square root is missing", root(tree), 0.5),
        ("inverse", "the inverse is meant", quotient(number(1), tree), -1.0),
        ("inverse", "the inverse root is meant", quotient(number(1), root(tree)), -0.5),
        ("inverse", "the inverse square is meant", quotient(number(1), power(tree, 2)), -2.0),
    )
    for kind, text, new, e in forms:
        vector = [_power(v, Fraction(e)) for v in values]
        k = constant(g.target, vector, 64 if not g.single else 8)
        if k is None:
            continue
        said = text if k == number(1) else f"{text}, with the factor {write(k)}"
        yield Candidate(kind, saying(said), scaled(k, new), 1 if k == number(1) else 2)


def offsets(g: Ground) -> Iterator[Candidate]:
    """The definition differs from the formula by a constant, or is the complement."""
    gap = [t - v for t, v in zip(g.target, g.values, strict=True)]
    if all(abs(d) < 1e-12 for d in gap) or not any(g.values):
        return
    ones = [1.0] * len(gap)
    k = constant(gap, ones, 400 if not g.single else 24)
    if k is not None and not (g.single and (_rational(g.tree) or not _rational(k))):
        yield Candidate("offset", saying(_offset(k)), total((1, g.tree), (1, k)))
    if g.single:
        return
    both = [t + v for t, v in zip(g.target, g.values, strict=True)]
    k2 = constant(both, ones, 64)
    if k2 is not None:
        yield Candidate(
            "offset",
            saying(f"the complement is meant: {write(k2)} minus the formula"),
            total((1, k2), (-1, g.tree)),
        )
    yield from _affine(g)


def terms(g: Ground) -> Iterator[Candidate]:
    """The definition differs from the formula by one simple term."""
    if g.single or not any(g.values):
        return
    gap = _gaps(g)
    for atom, values in atoms(g):
        for e in exponents(gap, values):
            k = constant(gap, [_power(v, e) for v in values], 64)
            if k is not None:
                term = product(k, raised(atom, e))
                yield _missing(g, term, 2 + size(term))


def _gaps(g: Ground) -> list[float]:
    """Target minus formula, where that is not lost in rounding."""
    return [
        t - v if abs(t - v) > 1e-6 * abs(t) else NAN
        for t, v in zip(g.target, g.values, strict=True)
    ]


def _missing(g: Ground, term: Node, weight: int) -> Candidate:
    shown = write(term)
    text = f"the term {shown} is missing"
    if shown.startswith("-"):
        text = f"the term {shown[1:]} is not subtracted"
    return Candidate("offset", saying(text), total((1, g.tree), (1, term)), weight)


def _offset(k: Node) -> str:
    shown = write(k)
    if shown.startswith("-"):
        return f"too large by the constant {shown[1:]}"
    return f"too small by the constant {shown}"


def _affine(g: Ground) -> Iterator[Candidate]:
    """The definition is a + b formula with constants a and b."""
    good = [
        (t, v)
        for t, v in zip(g.target, g.values, strict=True)
        if not (math.isnan(t) or math.isnan(v))
    ]
    if len(good) < 4:
        return
    (t0, v0), (t1, v1) = good[0], good[1]
    if close(v0, v1, 1e-4):
        return
    slope = (t1 - t0) / (v1 - v0)
    start = t0 - slope * v0
    if not all(close(t, start + slope * v, 1e-9) for t, v in good):
        return
    a, b = identify(start, 64), identify(slope, 64)
    if a is None or b is None:
        return
    new = total((1, a), (1, scaled(b, g.tree)))
    text = f"off by a constant and a factor: {write(a)} + {write(b)}*(formula) holds"
    yield Candidate("offset", saying(text), new, 4)


def products(g: Ground) -> Iterator[Candidate]:
    """The definition differs from the formula by a product of up to three simple factors."""
    if g.single:
        return
    good = [i for i, d in enumerate(_gaps(g)) if not math.isnan(d)]
    if len(good) < 4 or not any(g.values):
        return
    gap = [g.target[i] - g.values[i] for i in good]
    powers_ = [
        (atom, e, vector)
        for atom, values in [*atoms(g), *_angles(g)]
        for e in _EXPONENTS[:6]
        for vector in ([_power(values[i], e) for i in good],)
        if not any(math.isnan(v) or v == 0 for v in vector)
    ]
    keys: dict[int, list[tuple[int, int]]] = {}
    logs = [math.log(abs(v[0] / v[1])) for _, _, v in powers_]
    for i, a in enumerate(logs):
        for j in range(i, len(logs)):
            if powers_[i][0] is powers_[j][0]:
                continue
            keys.setdefault(round((a + logs[j]) * 1e8), []).append((i, j))
    goal = math.log(abs(gap[0] / gap[1]))
    singles = [(None, 0.0), *enumerate(logs)]
    for third, log in singles:
        key = round((goal - log) * 1e8)
        for i, j in (p for d in (0, -1, 1) for p in keys.get(key + d, ())):
            chosen = [powers_[n] for n in (i, j, third) if n is not None]
            vector = [math.prod(values) for values in zip(*(c[2] for c in chosen), strict=True)]
            k = constant(gap, vector, 64)
            if k is not None:
                term = product(k, *(raised(a, e) for a, e, _ in chosen if e > 0))
                for below, exponent, _ in chosen:
                    term = term if exponent > 0 else quotient(term, raised(below, -exponent))
                yield _missing(g, term, 3 + size(term))
        if g.late:
            return


def _angles(g: Ground) -> list[tuple[Node, list[float]]]:
    if "rho" not in g.vocabulary:
        return []
    r = name("rho")
    nodes = [call("asin", r), call("acos", r), call("acos", total((-1, r))), root(_unit())]
    used = {write(n) for n in everything(g.tree)}
    return [(n, g.vector(n)) for n in nodes if write(n) not in used]


def _unit() -> Node:
    return total((1, number(1)), (-1, power(name("rho"), 2)))


__all__ = [
    "factors", "offsets", "powers", "products", "raised", "scaled_powers", "scalings",
    "terms",
]  # fmt: skip
