"""Identifiers: which names may become symbols, and with which assumptions."""

from __future__ import annotations

import keyword
import re

from sympy import Symbol

from .. import symbols
from ..errors import BadActivation

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")

ASSUMPTIONS = ("real", "positive", "negative", "nonnegative", "nonzero")
"""The words that can follow a parameter's name, as in `alpha=positive`."""

CONSTANTS = ("pi", "E", "EulerGamma", "oo", "I", "True", "False")
"""Names with a meaning of their own."""

NO_NUMBERS = ("nan", "inf", "infinity", "zoo")
"""What other languages write for values that are no numbers, in any case of letters."""

# Generated code spells parameters as they are written, so the words of its languages are out.
_C_WORDS = """
alignas alignof asm atomic_cancel auto bool break case catch char class const const_cast constexpr
continue co_await co_return co_yield decltype default delete do double dynamic_cast else enum
explicit export extern false float for friend goto if inline int int32_t int64_t long main mutable
namespace new noexcept nullptr operator private protected public register reinterpret_cast requires
restrict return short signed size_t sizeof static static_assert static_cast struct switch template
this thread_local throw true try typedef typeid typename typeof uint32_t uint64_t union unsigned
using virtual void volatile wchar_t while
"""
WORDS = frozenset(keyword.kwlist) | frozenset(_C_WORDS.split())
"""Reserved words of Python, C and C++."""

_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lam mu nu xi omicron pi rho "
    "sigma_final sigma tau upsilon phi chi psi omega"
).split()
GREEK = (
    {chr(0x3B1 + k): name for k, name in enumerate(_GREEK) if name != "sigma_final"}
    | {chr(0x391 + k): name.capitalize() for k, name in enumerate(_GREEK) if name != "sigma_final"}
    | {"\u03d5": "phi", "\u03f5": "epsilon", "\u03d1": "theta"}
)
"""Greek letters and the names that they stand for (`lambda` is a word of Python: `lam`)."""


def fault(name: str) -> str:
    """Why `name` cannot be a parameter, as the end of a sentence; "" where it can."""
    if not IDENTIFIER.fullmatch(name):
        return "is not an identifier: letters, digits and _, at most 63 of them"
    if "__" in name:
        return "has a double underscore"
    if name in WORDS:
        return "is a reserved word of Python, C or C++"
    if name in symbols.RESERVED:
        return "is taken: " + ", ".join(sorted(symbols.RESERVED)) + " have a meaning"
    if name in CONSTANTS:
        return "is a constant"
    if name.lower() in NO_NUMBERS:
        return "is not a number to calculate with"
    return ""


def assumption(name: str, word: str) -> Symbol:
    """The real symbol `name` with the assumption `word`.

    Raises:
        BadActivation: a word that is not one of `ASSUMPTIONS`.
    """
    if word not in ASSUMPTIONS:
        raise BadActivation(
            f"the parameter {name!r} cannot be {word!r}", hint="one of: " + ", ".join(ASSUMPTIONS)
        )
    return Symbol(name, **{"real": True, word: True})


def variable(name: str) -> Symbol:
    """The shared symbol of that name, or a real symbol where `ntksym.symbols` has none."""
    found = getattr(symbols, name, None)
    return found if isinstance(found, Symbol) else Symbol(name, real=True)
