"""The words of a diagnosis: what a referee would write."""

from __future__ import annotations

import math

from ...claims.claim import Claim
from ...language.syntax import Node
from ...language.tree_text import write
from .constants import identify
from .floats import Place, close
from .trees import negative, number, quotient

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_LONG = 48


def ordinal(index: int) -> str:
    """The ordinal number of a place counted from zero."""
    return _ORDINALS[index] if index < len(_ORDINALS) else f"{index + 1}th"


def short(node: Node) -> str:
    """The text of a node, cut where it is long."""
    text = write(node)
    return text if len(text) <= _LONG else text[: _LONG - 3] + "..."


def inverse(constant: Node) -> Node:
    """1/K, as it would be printed."""
    value = Place({}).value(constant)
    return identify(1 / value) or quotient(number(1), constant)


def factor_sentence(claim: Claim, constant: Node) -> tuple[str, str]:
    """(kind, sentence) for: the definition is `constant` times the formula."""
    value = Place({}).value(constant)
    if value == -1:
        return "sign", "the sign of the whole formula is wrong"
    folded = _hermite(claim, abs(value))
    if folded:
        return "convention", folded
    sign = " and the sign is wrong" if value < 0 else ""
    size = constant if value > 0 else negative(constant)
    if abs(value) < 1:
        text = f"too large by a factor {write(inverse(size))}"
    else:
        text = f"too small by a factor {write(size)}"
    note = _convention(claim, abs(value))
    return "factor", f"{text}{sign}{note}"


def _hermite(claim: Claim, value: float) -> str:
    """The normalisation of Hermite coefficients that a factor stands for, or nothing."""
    if claim.quantity != "hermite" or claim.n is None or claim.n < 2:
        return ""
    n, whole = claim.n, math.factorial(claim.n)
    for number_, said in (
        (whole**0.5, f"sqrt({n}!)"), (whole**-0.5, f"1/sqrt({n}!)"), (whole, f"{n}!"),
        (1 / whole, f"1/{n}!"), (2 ** (n / 2), f"2**({n}/2)"), (2 ** (-n / 2), f"2**(-{n}/2)"),
    ):  # fmt: skip
        if close(value, number_):
            return NORMALISATION.format(said)
    return ""


NORMALISATION = (
    "another normalisation of the Hermite polynomials: the factor {} is missing (a_n is the "
    "coefficient on He_n/sqrt(n!))"
)

_SQUARES = (
    "nngp",
    "derivative",
    "normalised",
    "diagonal",
    "second_moment",
    "covariance",
    "variance",
)


def _convention(claim: Claim, value: float) -> str:
    """The convention that a factor is known for."""
    if claim.quantity in _SQUARES:
        folded = identify(value**-0.5)
        name = claim.activation if len(claim.activation) <= 30 else "the activation"
        if abs(value - 0.5) < 1e-9:
            note = ": the He factor 2 (sqrt(2) in the activation) is folded in"
            if _rectified(claim):
                note += "; an arc-cosine kernel is twice the dual"
            return note
        if abs(value - 2) < 1e-9:
            return ": the He factor 2 (sqrt(2) in the activation) is left out"
        if folded is not None:
            return f": it is right for {write(folded)} times {name}"
        return ""
    if claim.quantity in ("mean", "hermite"):
        found = identify(1 / value)
        if found is not None:
            return f": it is right for {write(found)} times the activation"
    return ""


def _rectified(claim: Claim) -> bool:
    text = claim.activation.lower()
    return any(w in text for w in ("max(", "relu", "heaviside", "step", "rectified"))
