"""The search for what is wrong: families of explanations, cheap and telling ones first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import process_time

from ...claims.claim import Claim
from ...errors import NtksymError
from ...language.tree_text import write
from ...verify.report import Verdict
from ..judge import Finding
from ..judgement import Diagnosis
from .candidate import Candidate
from .convention import conventions
from .elsewhere import activations, jumps, quantities
from .ground import Ground, ground
from .holes import holes
from .near import approximations
from .part import parts_of_the_domain
from .slip import mistaken, slips
from .tidy import tidy
from .whole import factors, offsets, powers, products, scaled_powers, scalings, terms

_MOST_TRIED = 6
_MOST = 4

_ORDER = (
    "sign", "factor", "derivative_convention", "square", "root", "inverse", "convention", "swap",
    "scaling", "other_quantity", "other_activation", "offset", "slip", "approximation",
    "half_domain", "equal_variances_only", "normalised_only", "special_case", "centred_only",
)  # fmt: skip
"""Most telling first."""


def diagnose(
    claim: Claim, finding: Finding, text: str, *, seconds: float = 1.2
) -> tuple[Diagnosis, ...]:
    """What is wrong with a refuted formula, most telling first; each verified.

    Args:
        claim: the claim.
        finding: what `judge` said of the statement of the formula.
        text: the formula in the language, as it was read.
        seconds: the time for the search; families that do not fit in are left out.

    Returns:
        Diagnoses.  One with a `formula` was verified by the enclosures of the definition at every
        sample, and by a proof where its verdict says so; the others speak of another definition
        or a part of the domain, for which the formula as printed was judged.
    """
    if finding.verdict is not Verdict.REFUTED:
        return ()
    try:
        g = ground(claim, finding, text, process_time() + seconds)
    except NtksymError:
        return ()
    if g is None:
        return ()
    found = _repairs(g)
    repaired = bool(found)
    found += _where_it_is_right(g, {d.kind for d in found})
    if not repaired:
        found += approximations(g)
    ordered = sorted(found, key=lambda d: _ORDER.index(d.kind))
    return tuple(ordered[:_MOST])


def _where_it_is_right(g: Ground, kinds: set[str]) -> list[Diagnosis]:
    """Other definitions, or parts of the domain, for which the formula as printed holds."""
    if kinds & {"factor", "sign"}:
        return []
    found: list[Diagnosis] = []
    for family in (jumps, quantities, activations, parts_of_the_domain):
        if not g.late:
            found += family(g)
    return found


Family = Callable[[Ground], Iterator[Candidate]]


def _repairs(g: Ground) -> list[Diagnosis]:
    """Repairs of the text: of each kind the first that is verified."""
    found: list[Diagnosis] = []
    kinds: set[str] = set()
    whole, names = ("factor", "sign"), ("convention", "scaling", "swap")
    families: tuple[tuple[Family, tuple[str, ...]], ...] = (
        (factors, ()),
        (conventions, whole),
        (powers, whole),
        (scalings, whole),
        (mistaken, (*whole, *names)),
        (offsets, (*whole, *names, "slip")),
        (slips, (*whole, *names, "offset")),
        (holes, (*whole, *names, "slip", "square", "offset")),
        (terms, (*whole, *names, "slip", "square", "offset")),
        (scaled_powers, (*whole, *names, "slip", "square", "offset", "inverse", "root")),
        (products, (*whole, *names, "slip", "square", "offset", "inverse", "root")),
    )  # fmt: skip
    for family, simpler in families:
        if kinds & set(simpler) or g.late:
            continue
        tried = 0
        for c in sorted(family(g), key=lambda c: c.weight):
            if c.kind in kinds or write(c.tree) in {d.formula for d in found}:
                continue
            tried += 1
            for tree in dict.fromkeys((tidy(c.tree, g.tree), c.tree)):
                verdict = g.verified(tree)
                if verdict is not None:
                    kinds.add(c.kind)
                    found.append(Diagnosis(c.kind, c.say(), verdict, write(tree)))
                    break
            if tried == _MOST_TRIED or g.late:
                break
    return found


__all__ = ["diagnose"]
