"""Formulas that are right for something else: another activation, quantity, or derivative."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from ...claims.claim import QUANTITIES, Claim
from ...claims.statement import Statement, state
from ...errors import NtksymError
from ...language.syntax import Node
from ...language.tree_text import write
from ...verify.report import Verdict
from ..judge import take
from ..judgement import Diagnosis
from .candidate import ratio
from .closed import closed_text
from .constants import identify
from .grid import Pair, Single, closed_entries
from .ground import Ground, restated, settled
from .trees import number, quotient

_PAIRS = ("nngp", "normalised", "derivative", "covariance")
_SINGLES = ("diagonal", "mean", "second_moment", "variance")


def right_for(g: Ground, other: Claim) -> tuple[Node, Verdict] | None:
    """(K, verdict) where the formula is K times what another claim is about, or None."""
    try:
        first = _statement(g, other, write(g.tree))
        sample = take(first, 12, 1)[0][0]
        if sample.formula is None or sample.definition.mid == 0 or sample.formula.mid == 0:
            return None
        k = identify(float(sample.formula.mid / sample.definition.mid), 64)
        if k is None:
            return None
        statement = first
        if k != number(1):
            if not first.variables:
                return None
            statement = _statement(g, other, write(quotient(g.tree, k)))
        verdict = settled(statement)
    except (NtksymError, IndexError):
        return None
    return None if verdict is None else (k, verdict)


def _statement(g: Ground, other: Claim, text: str) -> Statement:
    many = isinstance(other.definition, dict) and g.part
    formula: str | dict[str, str] = {g.part: text} if many else text
    return state(replace(other, formula=formula, latex=""))[0]


def jumps(g: Ground) -> list[Diagnosis]:
    """The other meaning of the derivative of a function with jumps."""
    claim = g.claim
    if claim.quantity != "derivative" or len(g.siblings) > 1:
        return []
    almost = claim.derivative == "almost_everywhere"
    word = "distributional" if almost else "almost_everywhere"
    try:
        (other,) = restated(replace(claim, derivative=word), g.part, write(g.tree))
        verdict = settled(other)
    except (NtksymError, ValueError):
        return []
    if verdict is None:
        return []
    text = (
        "distributional for a.e. derivative: the formula is right for the distributional "
        "derivative, which counts the jumps; the derivative almost everywhere is meant"
        if almost
        else "a.e. for distributional derivative: the formula is right for the derivative almost "
        "everywhere, which leaves out the jumps; the distributional derivative is meant"
    )
    return [Diagnosis("derivative_convention", text, verdict, closed_text(g))]


def quantities(g: Ground) -> list[Diagnosis]:
    """Another quantity of the same activation or network."""
    best: Diagnosis | None = None
    for words, other in _others(g):
        if g.late:
            break
        found = right_for(g, other)
        if found is None:
            continue
        k, verdict = found
        times = "" if k == number(1) else f"{write(k)} times "
        text = f"right for another quantity: the formula is {times}{words}"
        said = Diagnosis("other_quantity", text, verdict, closed_text(g))
        if not times:
            return [said]
        best = best or said
    # a multiple says something only where it would be so for any activation
    return [best] if best is not None and g.claim.network else []


_RELATED = {
    "nngp": ("derivative", "covariance"),
    "derivative": ("nngp",),
    "covariance": ("nngp", "derivative"),
    "cross": ("covariance",),
    "normalised": (),
    "diagonal": ("mean", "variance"),
    "mean": ("second_moment", "variance"),
    "second_moment": ("variance", "mean"),
    "variance": ("second_moment", "mean"),
    "gradient": ("nngp", "derivative"),
    "identity": ("nngp", "derivative"),
}

_CONSTANTS = (
    "E[s(z)]", "E[s(z)^2]", "E[s(z)^2] - E[s(z)]^2", "1/sqrt(E[s(z)^2])",
    "1/sqrt(E[s(z)^2] - E[s(z)]^2)", "sqrt(E[s(z)^2])", "sqrt(E[s(z)^2] - E[s(z)]^2)",
    "E[ds(z)^2]", "1/E[ds(z)^2]", "1/sqrt(E[ds(z)^2])", "E[z*s(z)]", "E[z*s(z)]^2",
)  # fmt: skip


def _others(g: Ground) -> Iterator[tuple[str, Claim]]:
    claim = g.claim
    bare = replace(claim, definition="", derivative="", by="", n=None, network="")
    for quantity in _RELATED.get(claim.quantity, ()):
        if claim.activation or (claim.f and claim.g):
            yield QUANTITIES[quantity], replace(bare, quantity=quantity)
    if claim.quantity == "normalised":
        where = ", ".join(w for w in (claim.where, "q11 = 1, q22 = 1") if w)
        yield QUANTITIES["derivative"], replace(bare, quantity="derivative", where=where)
    if claim.quantity == "gradient":
        for by in ("q11", "q12", "q22"):
            words = f"the derivative in {by}"
            if by != claim.by:
                yield words, replace(claim, by=by)
    if claim.quantity == "hermite" and claim.n is not None:
        for n in (claim.n - 1, claim.n + 1):
            if n >= 0:
                yield f"the coefficient of index {n}", replace(claim, n=n)
    if claim.quantity in ("constant", "identity") and claim.activation and g.single:
        for text in _CONSTANTS:
            yield text, replace(claim, definition=text, formula="0", latex="")
    if claim.quantity in ("ntk", "recursion"):
        yield from _networks(claim)


def _networks(claim: Claim) -> Iterator[tuple[str, Claim]]:
    both = {"ntk": "recursion", "recursion": "ntk"}
    names = {"ntk": "the neural tangent kernel", "recursion": "the NNGP kernel"}
    other = both[claim.quantity]
    yield f"{names[other]} of the same network", replace(claim, quantity=other)
    found = re.search(r"depth\s*=\s*(\d+)", claim.network)
    if not found:
        return
    depth = int(found[1])
    for near in (depth - 1, depth + 1):
        if near >= 1:
            network = claim.network[: found.start(1)] + str(near) + claim.network[found.end(1) :]
            for quantity in (claim.quantity, other):
                words = f"{names[quantity]} of the network of depth {near}"
                yield words, replace(claim, network=network, quantity=quantity)


def activations(g: Ground) -> list[Diagnosis]:
    """Another activation of the catalogue, at the same quantity."""
    if g.claim.f or g.claim.g or not g.claim.activation:
        return []
    for label, text in _candidates(g):
        if g.late:
            break
        if text == g.claim.activation:
            continue
        found = right_for(g, replace(g.claim, activation=text))
        if found is None:
            continue
        k, verdict = found
        times = "" if k == number(1) else f", times {write(k)}"
        said = f"right for another activation: the formula is {_quantity(g)} of {label}{times}"
        return [Diagnosis("other_activation", said, verdict, closed_text(g))]
    return []


def _quantity(g: Ground) -> str:
    return QUANTITIES[g.claim.quantity].split(",")[0]


def _candidates(g: Ground) -> Iterator[tuple[str, str]]:
    """Activations whose value is proportional to the formula at two points, in floats."""
    rules = _laws(g)
    if not rules:
        return
    exact: list[tuple[str, str]] = []
    scaled: list[tuple[str, str]] = []
    for label, text, tree in closed_entries():
        if g.late:
            break
        try:
            values = [rule(tree) for _, rule in rules]
        except OverflowError:
            continue
        goal = [g.values[i] for i, _ in rules]
        k = ratio(goal, values, exact=False)
        if k is None or not math.isfinite(k):
            continue
        (exact if abs(k - 1) < 1e-3 else scaled).append((label, text))
    yield from (*exact, *scaled)


def _laws(g: Ground) -> list[tuple[int, Callable[[Node], float]]]:
    """For two or three samples: the value of the quantity as a function of the activation."""
    quantity = g.claim.quantity
    out: list[tuple[int, Callable[[Node], float]]] = []
    for i, place in enumerate(g.places):
        at = place.names
        if not math.isfinite(g.values[i]):
            continue
        if quantity in _PAIRS:
            law = _pair(at, quantity)
            if law is not None:
                out.append((i, law))
        elif quantity in _SINGLES and "q" in at:
            out.append((i, _single(at, quantity, "m" in g.vocabulary)))
        if len(out) == 3:
            break
    return out if len(out) == 3 else []


def _pair(at: dict[str, float], quantity: str) -> Callable[[Node], float] | None:
    a, b = (at.get(n, 1.0) for n in ("q11", "q22"))
    c = at.get("rho") if quantity == "normalised" else at.get("q12")
    if c is None or c * c > 0.7 * a * b or max(a, b) > 6 or min(a, b) < 0.2:
        return None
    law = Pair(a, c, b)
    if quantity == "covariance":
        one, two = Single(a), Single(b)
        return lambda f: law.expect(f) - one.expect(f, 1) * two.expect(f, 1)
    return lambda f: law.expect(f, slope=quantity == "derivative")


def _single(at: dict[str, float], quantity: str, mean: bool) -> Callable[[Node], float]:
    law = Single(at["q"], at.get("m", 0.0) if mean and quantity != "diagonal" else 0.0)
    if quantity == "mean":
        return lambda f: law.expect(f, 1)
    if quantity == "variance":
        return lambda f: law.expect(f, 2) - law.expect(f, 1) ** 2
    return lambda f: law.expect(f, 2)


__all__ = ["activations", "jumps", "quantities", "right_for"]
