"""Explanations that change the formula as a whole: factor, sign, scaling, offset, power."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from ...language.syntax import Call, Name, Node, Product, Sum
from .candidate import Candidate, constant, saying
from .constants import identify, scaled
from .floats import NAN, close
from .ground import Ground
from .trees import (
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
    write,
)
from .words import factor_sentence

_EXPONENTS = (
    Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(-1, 2), Fraction(2), Fraction(-2),
    Fraction(3, 2), Fraction(-3, 2),
)  # fmt: skip


def factors(g: Ground) -> Iterator[Candidate]:
    """The definition is a constant times the formula."""
    k = constant(g.target, g.values, 400 if not g.single else 16)
    if k is None or (g.single and _rational(g.tree) and not _rational(k)):
        return
    kind, text = factor_sentence(g.claim, k)
    yield Candidate(kind, saying(text), scaled(k, g.tree))


def _rational(tree: Node) -> bool:
    """Whether a tree is arithmetic of numbers: any constant is some multiple of such a value."""
    return not any(isinstance(n, (Name, Call)) for n in everything(tree))


def scalings(g: Ground) -> Iterator[Candidate]:
    """The definition is the formula times a power of a variable or a parameter."""
    if g.single:
        return
    ratios = [t / v if v else NAN for t, v in zip(g.target, g.values, strict=True)]
    for atom, values in atoms(g):
        for e in exponents(ratios, values):
            powers = [_power(v, e) for v in values]
            k = constant(ratios, powers, 64)
            if k is None:
                continue
            part = raised(atom, e)
            yield Candidate(
                "convention" if _is_factorial(atom) else "scaling",
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
        return (
            f"another normalisation of the Hermite polynomials: the factor {write(missing)} is "
            "missing (a_n is the coefficient on He_n/sqrt(n!))"
        )
    if isinstance(part, Product) and part.factors[-1][0] < 0 and k == number(1):
        return f"a factor {write(part.factors[-1][1])} too many"
    return f"a factor {write(missing)} is missing"


def _scaled(tree: Node, k: Node, atom: Node, e: Fraction) -> Node:
    found = product(tree, raised(atom, e)) if e > 0 else divided(tree, raised(atom, -e))
    return found if k == number(1) else scaled(k, found)


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


def atoms(g: Ground) -> list[tuple[Node, list[float]]]:
    """Simple expressions with their values: names, products of variances, parts of the formula."""
    found: dict[str, tuple[Node, list[float]]] = {}

    def add(node: Node) -> None:
        text = write(node)
        if text not in found:
            values = g.vector(node)
            if not any(math.isnan(v) for v in values) and not _constant(values):
                found[text] = (node, values)

    names = [n for n in g.vocabulary if n != "n"]
    for n in names:
        add(name(n))
    lookup = {str(e): n for n, e in ((n, g.symbol(n)) for n in names) if e is not None}
    a, b, c = (lookup.get(s) for s in ("q11", "q22", "q12"))
    if a and b:
        add(product(name(a), name(b)))
    if a and b and c:
        add(total((1, product(name(a), name(b))), (-1, power(name(c), 2))))
    if "m" in names and "q" in names:
        z = quotient(name("m"), root(name("q")))
        for function in ("Phi", "phi"):
            add(call(function, z))
        add(call("exp", quotient(power(name("m"), 2), product(number(-2), name("q")))))
    if "rho" in names:
        add(total((1, number(1)), (-1, power(name("rho"), 2))))
    if g.claim.quantity == "hermite":
        n = name("n") if "n" in g.vocabulary else number(int(g.claim.n or 0))
        add(call("factorial", n))
        for values in (g.vector(call("factorial", n)),):
            found.setdefault("factorial", (call("factorial", n), values))
        add(power(number(2), n))
        add(power(number(-1), n))
    for node in everything(g.tree):
        if isinstance(node, (Call, Sum)) and size(node) <= 24:
            add(node)
    return list(found.values())


def _constant(values: list[float]) -> bool:
    return all(close(v, values[0]) for v in values) and len(values) > 1


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
    gap = [t - v for t, v in zip(g.target, g.values, strict=True)]
    for atom, values in atoms(g):
        for e in exponents(gap, values):
            k = constant(gap, [_power(v, e) for v in values], 64)
            if k is not None:
                term = product(k, raised(atom, e))
                yield _missing(g, term, 2 + size(term))


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
    gap = [t - v for t, v in zip(g.target, g.values, strict=True)]
    if any(math.isnan(d) or abs(d) < 1e-250 for d in gap) or not any(g.values):
        return
    powers_ = [
        (atom, e, vector)
        for atom, values in [*atoms(g), *_angles(g)]
        for e in _EXPONENTS[:6]
        for vector in ([_power(v, e) for v in values],)
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
                for a, e, _ in chosen:
                    term = term if e > 0 else quotient(term, raised(a, -e))
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
    "atoms", "factors", "offsets", "powers", "products", "raised", "scaled_powers", "scalings",
    "terms",
]  # fmt: skip
