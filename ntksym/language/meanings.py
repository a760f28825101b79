"""What the functions of the language mean, one line each, for `ntksym catalogue --functions`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .. import activations
from .table import ALIASES, SPECIAL, functions

MEANINGS = {
    "max": "the largest of its arguments",
    "min": "the smallest of its arguments",
    "abs": "absolute value, also |z|",
    "sign": "-1, 0 or 1",
    "heaviside": "1 for z > 0, 0 for z < 0, 1/2 at 0 or what is given",
    "piecewise": "the value of the first condition that holds: <, <=, >, >=, and, or, not",
    "pow": "a to the power b, also a**b and a^b",
    "exp": "e to the power z",
    "expm1": "exp(z) - 1",
    "log": "natural logarithm",
    "log1p": "log(1 + z)",
    "sqrt": "square root",
    "cbrt": "real cube root, negative for z < 0",
    "sin": "sine",
    "cos": "cosine",
    "tan": "tangent; its poles are refused in activations",
    "cot": "cos(z)/sin(z); as tan",
    "sec": "1/cos(z); as tan",
    "csc": "1/sin(z); as tan",
    "sinh": "hyperbolic sine",
    "cosh": "hyperbolic cosine",
    "tanh": "hyperbolic tangent",
    "sech": "1/cosh(z)",
    "csch": "1/sinh(z); its pole at z = 0 is refused, x*csch(x) is not",
    "coth": "cosh(z)/sinh(z); as csch",
    "asinh": "inverse of sinh",
    "acosh": "inverse of cosh, where z >= 1 on the whole line",
    "atanh": "inverse of tanh, where |z| < 1 on the whole line",
    "atan": "inverse of tan, between -pi/2 and pi/2",
    "erf": "error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to z",
    "erfc": "1 - erf(z)",
    "Phi": "distribution function of the standard normal law",
    "phi": "density of the standard normal law, exp(-z^2/2)/sqrt(2*pi)",
    "Integer": "a whole number, as SymPy prints it",
    "Rational": "the quotient p/q, as SymPy prints it",
    "hermite": "Hermite polynomial He_n of the probabilists: He_2(z) = z^2 - 1",
    "monomial": "z^n",
    "rectified_power": "max(z, 0)^n",
    "asin": "inverse of sin, between -pi/2 and pi/2, where |z| <= 1 on the whole line",
    "acos": "inverse of cos, between 0 and pi, where |z| <= 1 on the whole line",
    "atan2": "angle of the point (x, y), between -pi and pi",
    "Phi2": "P(U <= h, V <= k) of two standard normal variables with correlation r",
    "hyp2f1": "Gauss's hypergeometric function 2F1(a, b; c; z)",
    "OwenT": "Owen's T: P(X > h, 0 < Y < a*X) of two independent standard normal variables",
    "gamma": "gamma function",
    "factorial": "n!",
    "factorial2": "n!!, the product n*(n - 2)*(n - 4)*...",
    "binomial": "n over k",
}
"""Every function that is no entry of the catalogue; a test compares the names."""

_USAGE = {
    "piecewise": "piecewise((a, x > 0), ..., (b, True))",
    "pow": "pow(a, b)",
}

SYNTAX = (
    ("x", "the input; every other name is a parameter"),
    ("2, 0.5, 1e-3, 1/3", "numbers, exact as written"),
    ("pi, E, EulerGamma", "constants"),
    ("+ - * / ** ^ ( ) |z|", "arithmetic; ^ is a power"),
    ("2x, (x+1)(x-1), x\u00b2, \u221ax, sin x, sin^2(x)", "as in print, where it has one meaning"),
    ("a if c else b, c ? a : b, (x > 0)*z", "choices"),
    ("lambda z: ..., f(z) = ...", "another letter for the input"),
    ("nn.ELU(alpha=2), jax.nn.gelu, np.tanh(x)", "functions of other libraries, their defaults"),
)
"""What is no function."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One function as it is listed.

    Attributes:
        name: as it is called.
        usage: how it is called.
        meaning: one line.
        kind: "function", "activation" (an entry of the catalogue) or "formula" (in the formulas of
            claims only: not real on the whole line).
        aliases: other spellings.
    """

    name: str
    usage: str
    meaning: str
    kind: str
    aliases: tuple[str, ...]


def listing() -> Iterator[Entry]:
    """Every function that text may call: functions, then activations, then those of formulas."""
    own = functions()
    rows: dict[str, list[Entry]] = {"function": [], "activation": [], "formula": []}
    for name in (*SPECIAL, *own):
        if name in MEANINGS:
            special = name in SPECIAL
            kind = "function" if special or not own[name].formula_only else "formula"
            usage, meaning = _USAGE.get(name) or own[name].usage, MEANINGS[name]
        else:
            kind, usage, meaning = "activation", own[name].usage, activations.named(name).title
        aliases = tuple(a for a, n in ALIASES.items() if n == name)
        rows[kind].append(Entry(name, usage, meaning, kind, aliases))
    for entries in rows.values():
        yield from entries
