"""What rounding is left in the sum over nodes: its terms against their sum, in doubles."""

from __future__ import annotations

from collections.abc import Mapping

from ...lower.program import Program
from .programs import MixturePrograms

AT = (1e-4, 0.01, 0.26, 0.51, 100.0)
"""The variances at which the terms are measured."""
WORTH_SAYING = 5e-15
OFFSETS = "with offsets terms of order 1 cancel at small variances where s vanishes at 0"
PLAIN = frozenset(
    {
        "add",
        "sub",
        "mul",
        "div",
        "neg",
        "abs",
        "sign",
        "sqrt0",
        "pos",
        "once",
        "pi",
        "hyproot",
        "rootdet",
        "asin3",
        "angle3",
        "div0",
        "log",
        "arc1",
        "arc3",
        "min",
        "select",
    }
)
"""Operations that doubles have."""


def rounding(m: MixturePrograms) -> float:
    """2^-53 times the largest sum of |terms| over |sum|, on the diagonal at the variances `AT`.

    An estimate, no bound: of the value and of the derivative dual.  0 where it is not measured:
    with parameters, and where the terms are more than roots and angles (offsets).
    """
    if m.params or not _plain(m):
        return 0.0
    return max(_cancellation(m, v) for v in AT) * 2.0**-53


def _plain(m: MixturePrograms) -> bool:
    """Whether there are no offsets."""
    return {let.op for p in m.programs for let in p.body} <= PLAIN


def rounding_note(m: MixturePrograms) -> str:
    """Clauses for the head of a file where terms cancel; empty where they do not."""
    if m.beside:
        return m.said
    if not m.params and not _plain(m):
        return f"{m.said}; rounding is not measured: {OFFSETS}"
    found = rounding(m)
    if found <= WORTH_SAYING:
        return m.said
    where = "measured, q = 1/10000 to 100: terms cancel"
    return f"{m.said}; rounding about {found:.1e} of the dual ({where})"


def _cancellation(m: MixturePrograms, variance: float) -> float:
    """The larger ratio of the two outputs at one variance."""
    total, size = [0.0, 0.0], [0.0, 0.0]

    def add(p: Program, weight: float, more: Mapping[str, float]) -> None:
        import mpmath

        out = p.evaluate({"q": variance, **more}, mpmath.fp)
        for k, label in enumerate(("nngp", "dot")):
            term = weight * float(out[label])
            total[k] += term
            size[k] += abs(term)

    add(m.plain[1], 1.0, {})
    for b, w in m.nodes:
        for _, single in m.singles:
            add(single, w, {"node_b": b})
        for a, v in m.nodes:
            for kind in m.pairs:
                if kind.same or kind.twice:
                    add(kind.diagonal, (2.0 if kind.twice else 1.0) * v * w, _nodes(a, b))
    return max(s / abs(t) if t else 0.0 for s, t in zip(size, total, strict=True))


def _nodes(a: float, b: float) -> dict[str, float]:
    return {"node_a": a, "node_b": b}
