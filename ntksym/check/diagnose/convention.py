"""Explanations that read the same text with other meanings of its names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from sympy import Expr

from ...language.syntax import Call, Node
from ...language.tree_text import write
from ...symbols import q, q11, q12, q22
from .candidate import Candidate, constant, same, saying
from .constants import scaled
from .ground import Ground
from .trees import (
    call,
    name,
    names_in,
    number,
    places,
    power,
    product,
    put,
    quotient,
    rename,
    root,
    total,
)

Rule = tuple[str, str, Mapping[str, Node]]
"""(kind, sentence, names to what they should be read as)."""


def conventions(g: Ground) -> Iterator[Candidate]:
    """Every rebinding of names under which the formula holds, alone or with a constant factor."""
    found = [(rule, rename(g.tree, rule[2])) for rule in (*_rebindings(g), *_swaps(g))]
    found += _arguments(g)
    vectors = [(rule, tree, g.vector(tree)) for rule, tree in found if tree != g.tree]
    for (kind, text, _), tree, values in vectors:
        if same(g.target, values):
            yield Candidate(kind, saying(text), tree, 1)
    if g.single:
        return
    for (kind, text, _), tree, values in vectors:
        k = constant(g.target, values, 64)
        if k is not None and k != number(1):
            said = f"{text}, and a factor {write(k)} is missing"
            yield Candidate(kind, saying(said), scaled(k, tree), 2)


def _rebindings(g: Ground) -> Iterator[Rule]:
    used = [n for n in names_in(g.tree) if n in g.binding.names]
    meaning = {n: g.binding.names[n] for n in used}
    variances = [n for n in used if meaning[n] in (q11, q22, q)]
    covariances = [n for n in used if meaning[n] == q12]
    both = [*variances, *covariances]
    # names that the source has for roots or squares of a variance
    own = [n for n in used if n in g.claim.names and meaning[n].free_symbols & {q, q11, q22}]
    kind = "convention"
    squares = list(dict.fromkeys([*variances, *own]))
    if squares:
        who = ", ".join(squares)
        to_root = {n: root(name(n)) for n in squares}
        to_square = {n: power(name(n), 2) for n in squares}
        yield (
            kind,
            f"standard deviation where variance is meant: {who} stands for its root",
            to_root,
        )
        yield (
            kind,
            f"variance where standard deviation is meant: {who} stands for its square",
            to_square,
        )
        if covariances:
            yield (
                kind,
                "standard deviation where variance is meant, and correlation for covariance",
                {**to_root, **_correlation(g, covariances)},
            )
            yield (
                kind,
                f"standard deviation where variance is meant: {who} stands for its square, and the "
                "correlation for the covariance",
                {**to_square, **_correlation(g, covariances)},
            )
    if covariances and "rho" in g.vocabulary:
        text = f"rho for q12: {covariances[0]} in the formula is the correlation"
        yield kind, text, _correlation(g, covariances)
    yield from _correlations(g, used)
    if both:
        doubled = {n: product(number(2), name(n)) for n in both}
        halved = {n: quotient(name(n), number(2)) for n in both}
        yield (kind, "another scale of the input: it is right with twice the covariance "
               "(x for x/sqrt(2) in the activation)", doubled)  # fmt: skip
        yield (kind, "another scale of the input: it is right with half the covariance "
               "(x/sqrt(2) for x in the activation)", halved)  # fmt: skip
    if covariances:
        yield (kind, "twice the covariance is meant",
               {n: product(number(2), name(n)) for n in covariances})  # fmt: skip
        yield (kind, "half the covariance is meant",
               {n: quotient(name(n), number(2)) for n in covariances})  # fmt: skip
    yield from _layers(g, both, used)


def _correlation(g: Ground, covariances: list[str]) -> dict[str, Node]:
    return {n: name("rho") for n in covariances} if "rho" in g.binding.names else {}


def _correlations(g: Ground, used: list[str]) -> Iterator[Rule]:
    """Correlation and angle read as each other, as the covariance, or with another orientation."""
    vocabulary = set(g.vocabulary) | set(used)
    covariance = next((n for n in ("q12", "c") if n in vocabulary), None)
    kind = "convention"
    r, t = name("rho"), name("theta")
    if "rho" in used and "theta" in g.binding.names:
        yield kind, "angle for correlation: rho in the formula is the angle", {"rho": t}
        yield (
            kind,
            "the angle is measured from the other side: rho is -rho",
            {"rho": total((-1, r))},
        )
        yield (
            kind,
            "rho in the formula is the cosine of an angle already taken",
            {"rho": call("cos", r)},
        )
        yield kind, "rho in the formula is the squared correlation", {"rho": power(r, 2)}
        yield kind, "rho in the formula is the root of the correlation", {"rho": root(r)}
    if "rho" in used and covariance and g.symbol(covariance) != g.symbol("rho"):
        text = f"q12 for rho: rho in the formula is the covariance {covariance}"
        yield kind, text, {"rho": name(covariance)}
    if "theta" in used:
        half = quotient(name("pi"), number(2))
        yield kind, "correlation for angle: theta in the formula is the correlation", {"theta": r}
        yield (kind, "the complementary angle: theta is measured from the orthogonal direction",
               {"theta": total((1, half), (-1, t))})  # fmt: skip
        yield (kind, "the supplementary angle: theta is pi - theta",
               {"theta": total((1, name("pi")), (-1, t))})  # fmt: skip
        yield kind, "the double angle", {"theta": product(number(2), t)}
        yield kind, "the half angle", {"theta": quotient(t, number(2))}


def _layers(g: Ground, both: list[str], used: list[str]) -> Iterator[Rule]:
    """Variances of weights and biases that are inside the covariance, or are not."""
    kind = "convention"
    names = g.binding.names
    bias = next((n for n in ("bias_var", "sb2") if n in names), None)
    weight = next((n for n in ("weight_var", "sw2") if n in names), None)
    shifts = (
        [(name(bias), f"the bias is added inside: the covariances plus {bias}")] if bias else []
    )
    shifts.append((number(1), "the bias is added inside: the covariances plus one"))
    for shift, text in shifts:
        if not both:
            break
        mapping = {n: total((1, name(n)), (1, shift)) for n in both}
        yield kind, text, _with_correlation(g, mapping, used)
        mapping = {n: total((1, name(n)), (-1, shift)) for n in both}
        yield kind, text.replace("plus", "minus"), _with_correlation(g, mapping, used)
    if weight and both:
        mapping = {n: product(name(weight), name(n)) for n in both}
        yield kind, "the weight variance is folded in: times the covariances", mapping
        mapping = {n: quotient(name(n), name(weight)) for n in both}
        yield kind, "the weight variance is folded in: the covariances divided by it", mapping
    if weight and bias and both:
        mapping = {n: total((1, product(name(weight), name(n))), (1, name(bias))) for n in both}
        text = "the affine layer is folded in: weight_var q + bias_var for every covariance"
        yield kind, text, _with_correlation(g, mapping, used)


def _with_correlation(g: Ground, mapping: dict[str, Node], used: list[str]) -> dict[str, Node]:
    """The mapping, with rho and theta rebuilt from the covariances where the formula has them."""
    if not {"rho", "theta"} & set(used):
        return mapping
    found: dict[Expr, Node] = {g.binding.names[n]: node for n, node in mapping.items()}
    if not g.binding.names.keys() >= {"q11", "q12", "q22"}:
        return mapping
    shift = next(iter(mapping.values()))
    sample = next(iter(mapping))
    parts = [
        found.get(symbol, rename(shift, {sample: name(text)}))
        for symbol, text in ((q11, _name(g, q11)), (q12, _name(g, q12)), (q22, _name(g, q22)))
    ]
    rho = quotient(parts[1], root(product(parts[0], parts[2])))
    return {**mapping, "rho": rho, "theta": call("acos", rho)}


def _name(g: Ground, symbol: Expr) -> str:
    return next((n for n in g.vocabulary if g.symbol(n) == symbol), str(symbol))


def _swaps(g: Ground) -> Iterator[Rule]:
    """Two names for each other everywhere, or one name everywhere for another."""
    used = [n for n in names_in(g.tree) if n in g.vocabulary and n != "n"]
    if {"m1", "m2"} <= set(used):
        pair = [n for n in used if g.symbol(n) in (q11, q22)]
        if len(pair) == 2:
            a, b = pair
            text = f"the two inputs are swapped: m1 and m2, {a} and {b}"
            yield "swap", text, _exchange(("m1", "m2"), (a, b))
    cross = g.claim.quantity == "cross"
    for a, b in combinations(used, 2):
        text = f"{a} and {b} are swapped"
        if cross and {g.symbol(a), g.symbol(b)} == {q11, q22}:
            text += ": f and g are exchanged"
        yield "swap", text, _exchange((a, b))
    others = [n for n in g.vocabulary if n != "n"]
    for pairs in combinations(list(combinations(used[:6], 2)), 2):
        if len({n for p in pairs for n in p}) == 4:
            text = " and ".join(f"{a} and {b}" for a, b in pairs) + " are swapped"
            yield "swap", text, _exchange(*pairs)
    for a in used:
        for b in others:
            if b != a:
                yield "swap", f"{a} stands where {b} is meant", {a: name(b)}


def _arguments(g: Ground) -> list[tuple[Rule, Node]]:
    """Two arguments of one call for each other."""
    out: list[tuple[Rule, Node]] = []
    for node, path in places(g.tree):
        if not isinstance(node, Call):
            continue
        for i, j in combinations(range(len(node.arguments)), 2):
            args = list(node.arguments)
            args[i], args[j] = args[j], args[i]
            if args[i] != args[j]:
                text = f"the arguments of {node.name} are swapped"
                out.append((("swap", text, {}), put(path, call(node.name, *args))))
    return out


def _exchange(*pairs: tuple[str, str]) -> dict[str, Node]:
    return {k: name(v) for a, b in pairs for k, v in ((a, b), (b, a))}


__all__ = ["conventions"]
