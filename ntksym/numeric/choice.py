"""The record of a choice of method: what was taken, why, what it costs and what is proven of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Expr

from ..activation import Activation
from ..brief import Brief
from ..dual import Dual
from ..errors import BadSpec
from ..functions import Phi2
from .expected import ExpectedDual
from .mixture import MixtureDual
from .pairs import Entry
from .rules import Variances

ONE = (Fraction(1), Fraction(1))
"""The variance of a series that is shown as a formula, where none is given."""
_RELU = 40
"""Multiplications of an entry for ReLU: a root and two polynomials."""
_ORTHANT = 500
"""About what the normal orthant of two correlated variables takes."""
_EXACT = "exact: a sum without end, for all variances"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method that was considered.

    Attributes:
        method: its name.
        taken: whether it was chosen.
        reason: why, or why not.
        cost: of one entry of a Gram matrix and layer, in words.
    """

    method: str
    taken: bool
    reason: str
    cost: str = ""

    @property
    def line(self) -> str:
        """One line of text."""
        cost = f" ({self.cost})" if self.cost else ""
        return f"{self.method}{cost}: {'taken: ' if self.taken else ''}{self.reason}"


@dataclass(frozen=True, slots=True, repr=False)
class Choice(Brief):
    """A dual, and why it is computed like this.

    Attributes:
        activation: s.
        dual: a `Dual`, a `MixtureDual`, an `ExpectedDual`, or the dual of a rule for code.
        method: "exact", "mixture", or the name of a rule.
        candidates: every method that was considered, in order.
        error: what was asked for; None for the default of the method.
        variances: the range that a rule is for; None where none was given.
    """

    activation: Activation
    dual: Any
    method: str
    candidates: tuple[Candidate, ...]
    error: float | None = None
    variances: Variances | None = None
    _shown = ("method", "error", "variances")

    @property
    def lines(self) -> tuple[str, ...]:
        """The reasons, one candidate on each line, and what is proven of the one taken."""
        said = [c.line for c in self.candidates]
        return (*said, *proven(self.dual, self.variances))

    def record(self) -> dict[str, Any]:
        """The reasons as data, for JSON."""
        return {
            "method": self.method,
            "error": self.error,
            "variances": None if self.variances is None else [str(v) for v in self.variances],
            "proven": list(proven(self.dual, self.variances)),
            "candidates": [
                {"method": c.method, "taken": c.taken, "reason": c.reason, "cost": c.cost}
                for c in self.candidates
            ],
        }


def proven(found: Any, variances: Variances | None = None) -> tuple[str, ...]:
    """What is proven of a dual, as lines; nothing for closed forms, which are proven otherwise."""
    if isinstance(found, MixtureDual):
        return tuple(found.mixture_bound.text())
    if isinstance(found, (Dual, ExpectedDual)):
        return ()
    if hasattr(found, "error") and hasattr(found, "low"):  # a table
        measured = getattr(found, "measured", None)
        if measured is not None:
            return (
                f"proven: relative error <= {found.error:.2g} of dual and derivative dual for "
                f"{found.low:.6g} <= q <= {found.high:.6g} and all correlations; rounding of its "
                f"closed part measured at {measured[0]} points: {measured[1]:.1g}",
            )
        one = found.low == found.high
        where = f"variance {found.low:.6g}" if one else f"{found.low:.6g} <= q <= {found.high:.6g}"
        rule = "; nearer to rho = +-1, by a rule, rounding is not counted"
        return (
            f"proven, rounding counted: relative error <= {found.error:.2g} of dual and derivative "
            f"dual for {where} and all correlations{rule if hasattr(found, 'near') else ''}",
        )
    if hasattr(found, "truncation"):  # a series as a formula
        return (_EXACT,) if found.exact else (str(found.truncation(1, variances or ONE)),)
    said = getattr(found, "lines", ())
    return tuple(said() if callable(said) else said)


def price(found: Any, otherwise: str) -> str:
    """What an entry of a table costs, counted from its polynomials; else `otherwise`."""
    count = getattr(found, "products", None) or _products(found)
    if count is None:
        return otherwise
    said = f"about {count} multiplications an entry, {count / _RELU:.2g} times as many as for ReLU"
    missing = getattr(found, "missing", "")
    return f"{said}; no table of the whole dual, which is faster: {missing}" if missing else said


def _products(found: Any) -> int | None:
    """Multiplications of an entry of a row; those of tau_1 are done once a row."""
    if hasattr(found, "pairs") and hasattr(found, "bands"):
        known = [n for n in map(_products, found.pairs) if n is not None]
        return round(sum(known) / len(known)) if known else None
    if getattr(found, "shells", ()):  # what most entries take
        first = found.shells[0]
        each = [_products(t) for t in getattr(first, "tables", (first,))]
        return sum(n for n in each if n is not None) or None
    table = getattr(found, "far", found)
    sheets = [getattr(table, name, None) for name in ("value", "dot")]
    rows: list[Any] = [getattr(sheet, "plus", ()) for sheet in sheets]
    if rows[0] and not rows[1]:  # folded: the derivative is that of the same polynomials
        both = [rows[0], getattr(sheets[0], "minus", ())]
        return sum(sum(map(len, p[0])) + 2 * max(map(len, p[0])) for p in both if p)
    if not all(rows):
        return None
    count = sum(len(line) + 1 for plane in rows for line in plane[0])
    count += max(len(plane[0][0]) for plane in rows)
    closed = getattr(found, "closed", None)
    if closed is not None:
        count += len(closed.kinks) ** 2 * (_ORTHANT + 5 * len(closed.slope[0]) ** 2)
    return count


def is_slow(found: Any) -> bool:
    """Whether an entry takes a microsecond or more: a mixture, or a closed form with `Phi2`."""
    if isinstance(found, MixtureDual):
        return True
    return isinstance(found, Dual) and any(_has_phi2(e) for e in (found.value, found.dot))


def _orthants(entries: tuple[Entry, ...]) -> bool:
    return any(_has_phi2(e.value) or _has_phi2(e.dot) for e in entries)


def _has_phi2(e: Expr) -> bool:
    return bool(e.has(Phi2))


def cost(found: Any) -> str:
    """The time of an entry and layer in generated C, in words: a class, not a measurement."""
    if isinstance(found, MixtureDual):
        count = len(found.mixture)
        nodes, f = f"{count * count} pairs of nodes", found.forms
        if _orthants(f.pairs):
            return f"{nodes} with Phi2: a hundred microseconds an entry or more"
        if _orthants((f.plain, *f.single)):
            return f"{nodes}, Phi2 beside them: about ten microseconds an entry"
        return f"{nodes}: about a microsecond an entry"
    if isinstance(found, Dual):
        return "about a microsecond an entry" if is_slow(found) else "nanoseconds an entry"
    return ""


def read_variances(given: Any) -> Variances:
    """(low, high), exact: from a number, a pair of numbers, or text such as `0.5:4`.

    Raises:
        BadSpec: not numbers, not positive, or low above high.
    """
    hint = "a positive number, or a range such as 0.5:4"
    given = given.strip() if isinstance(given, str) else given
    if isinstance(given, str):
        parts: tuple[Any, ...] = tuple(given.split(":"))
    else:
        parts = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    if len(parts) not in (1, 2):
        raise BadSpec(f"variance {given!r} is neither a number nor a range", hint=hint)
    try:
        ends = tuple(_fraction(part) for part in parts)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise BadSpec(f"variance {given!r} is not a number", hint=hint) from None
    low, high = ends[0], ends[-1]
    if low <= 0 or high < low:
        raise BadSpec(f"variance {given!r}: not 0 < low <= high", hint=hint)
    return low, high


def _fraction(value: Any) -> Fraction:
    """Text is a decimal or a quotient; a float is exactly what it is."""
    if isinstance(value, str):
        if len(value) > 60:
            raise ValueError
        return Fraction(value.strip())
    if isinstance(value, (int, float, Fraction)) and not isinstance(value, bool):
        return Fraction(value)
    return Fraction(str(value))
