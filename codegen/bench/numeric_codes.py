"""What `ntksym.compile` takes for an activation, as C: closed form, mixture, a rule in a range."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dual_methods import Late, native, patience, proven, say
from enclosures import Row, rows
from sympy import Rational

from ntksym.activation import Activation
from ntksym.dual import Dual
from ntksym.errors import NtksymError
from ntksym.language import parse_activation
from ntksym.numeric.choose import choose
from ntksym.numeric.mixture import MixtureDual

ONE = (1.0,)
SOME = (0.25, 1.0, 4.0)
WIDE = ((1 / 128) ** 2, (13 / 128) ** 2, 0.25, 1.0, 2.25, 9.0, 25.0, 100.0)
"""Squares of short numbers: the root of the product of two is a double, so rho = 1 is exact."""
PATIENCE = 60.0
"""Processor seconds of building one rule."""
ERRORS = (1e-14, 1e-13, 1e-12)
"""The errors that are tried for one variance."""
RANGES = (
    ("1/4 to 4", (Fraction(1, 4), Fraction(4)), (0.25, 1.0, 2.25, 4.0), (1e-14, 1e-12, 1e-10)),
    ("1/100 to 100", (Fraction(1, 100), Fraction(100)), WIDE[1:], (1e-10,)),
)
"""Name, range, the variances that are measured, the errors that are tried."""


MORE = (("tanh squared", "tanh(x)^2"), ("x tanh squared", "x*tanh(x)^2"))
"""Activations that nobody lists, whose terms cancel at 0."""


def listed(words: Sequence[str]) -> tuple[Row, ...]:
    """The activations of `enclosures.py` and `MORE`; names that contain one of the words."""
    more = tuple(Row(name, text, parse_activation(text, {}, name), {}) for name, text in MORE)
    wanted = tuple(r for r in more if not words or any(w in r.name.lower() for w in words))
    return rows(words) + wanted


@dataclass(frozen=True, slots=True)
class Code:
    """Generated C of one activation, in its range of variances."""

    name: str
    act: Activation
    method: str
    dual: Any
    rule: Any
    digest: str
    bound: float | None
    variances: tuple[float, ...]
    open: bool
    """Whether there is no range of variances."""


def code(row: Row, numeric: bool = False) -> Code | None:
    """What `ntksym.compile` takes for an activation, as C; None for a closed form with `numeric`.

    Raises:
        NtksymError: no dual, or no rule proves an error of 1e-8.
    """
    from ntksym.runtime import compile as compile_
    from ntksym.runtime.units.mixture import compile_mixture
    from ntksym.runtime.units.network import compile_unit
    from ntksym.runtime.units.rule_store import kept

    act = row.activation
    if row.params:
        act = act.with_params(**{k: Rational(v) for k, v in row.params.items()})
    found = choose(act).dual
    if numeric and isinstance(found, Dual):
        return None
    rule = not isinstance(found, Dual | MixtureDual)
    if rule:
        found = _tight(act, kept)
    made: Any
    if isinstance(found, Dual):
        made = compile_(found, "c")
    elif isinstance(found, MixtureDual):
        made = compile_mixture(found, "c")
    else:
        made = compile_unit(act, found, "c")
    method = "closed form" if isinstance(found, Dual) else str(getattr(found, "method", "rule"))
    variances = ONE if rule else SOME if isinstance(found, Dual) else WIDE
    return Code(
        row.name, act, method + (", q = 1" if rule else ""), found, native(made.sources),
        _digest(made, variances), proven(found), variances, not rule,
    )  # fmt: skip


def _tight(act: Activation, kept: Any) -> Any:
    """The rule for unit variances with the smallest of a few errors that is proven in time."""
    for error in ERRORS:
        try:
            with patience(PATIENCE):
                return choose(
                    act, method="tabulated", variances=1, error=error, code=True, build=kept
                ).dual
        except (NtksymError, Late) as failed:
            say(f"  {error:g}: {getattr(failed, 'what', f'not built in {PATIENCE:g} s')}")
            if isinstance(failed, Late):
                break
    with patience(2 * PATIENCE):
        return choose(act, variances=1, code=True, build=kept).dual


def ranged(row: Row, largest: float = 0.0) -> Iterator[Code]:
    """Tables of ranges of variances; errors below `largest` are not tried."""
    from ntksym.runtime.units.network import compile_unit
    from ntksym.runtime.units.rule_store import kept

    for label, span, variances, errors in RANGES:
        for error in (e for e in errors if e >= largest):
            try:
                with patience(2 * PATIENCE):
                    found = choose(
                        row.activation, method="tabulated", variances=span, error=error,
                        code=True, build=kept,
                    ).dual  # fmt: skip
            except (NtksymError, Late) as failed:
                say(f"  {label}, {error:g}: {getattr(failed, 'what', 'not built in time')}")
                continue
            made = compile_unit(row.activation, found, "c")
            yield Code(
                f"{row.name}, q = {label}", row.activation, "table, range", found,
                native(made.sources), _digest(made, variances), proven(found), variances, False,
            )  # fmt: skip
            break


def _digest(made: Any, variances: tuple[float, ...]) -> str:
    """Of the text; for mixtures also of the variances."""
    text = "\n".join(f.text for f in made.sources) + (str(WIDE) if variances == WIDE else "")
    return hashlib.sha256(text.encode()).hexdigest()[:16]
