"""The steps of a derivation, as they were taken, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sympy import Expr, latex, log

from .gaussian.expect import GroupPair, group_pairs
from .symbols import u, v, x
from .terms import TermSum

if TYPE_CHECKING:
    from .derivation import Derivation
    from .powers.derivation import Part, PowerDerivation
    from .powers.logarithm import LogDerivation

MAX_PAIRS = 24


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the rules used, and both sides as LaTeX."""

    rule: str
    before: str
    after: str


def trace(d: Derivation) -> tuple[Step, ...]:
    """Decompose, each pair of terms, the collected value, Price's theorem, the diagonal."""
    steps = [Step("decompose", rf"\sigma(x) = {latex(d.activation.expr)}", latex(d.terms.expr))]
    pairs = [p for i, p in enumerate(_unordered(d)) if i < MAX_PAIRS]
    for p in pairs:
        steps.append(Step(_rules(p), rf"\mathbb{{E}}\left[{_product(p)}\right]", _tex(p)))
    steps.append(
        Step("collect", r"\mathbb{E}[\sigma(u)\,\sigma(v)]", latex(d.value.expr)),
    )
    smooth, jumps = d.slope
    smooth_part = [latex(smooth.expr)] if smooth or not jumps else []
    diracs = [_dirac(height.expr, place.expr) for place, height in jumps.items()]
    steps.append(Step("differentiate", r"\sigma'(x)", " + ".join((*smooth_part, *diracs))))
    rule = "price" if d.price_holds else "price (the two routes differ in form)"
    steps.append(
        Step(
            rule,
            r"\partial_{q_{12}}\mathbb{E}[\sigma(u)\,\sigma(v)]",
            latex(d.dot.expr),
        )
    )
    steps.append(Step("diagonal", r"\mathbb{E}[\sigma(u)^2]", latex(d.diag.expr)))
    return tuple(steps)


def trace_powers(d: PowerDerivation | LogDerivation) -> tuple[Step, ...]:
    """Half-lines, each pair of powers (Mehler and 2F1), the sum, its derivative, the diagonal."""
    from .powers.logarithm import LogDerivation  # few derivations are of powers

    head = rf"\sigma(x) = {latex(d.activation.expr)}"
    if isinstance(d, LogDerivation):
        steps = [Step("limit of powers", head, latex(d.offset + d.slope * log(abs(x))))]
        parts: tuple[Part, ...] = ()
    else:
        steps = [Step("half-lines", head, latex(d.terms.expr))]
        parts = d.parts[:MAX_PAIRS]
    for part in parts:
        signs = {"even": "{v}", "odd": r"\operatorname{{sgn}}({n})\,{v}", "half": "{n}_+"}
        second = "{n}_-" if part.turn < 0 else signs[part.family]
        first_text, second_text = (
            (text.format(n=n, v=f"|{n}|") + f"^{{{latex(power)}}}")
            for text, n, power in ((signs[part.family], "u", part.p), (second, "v", part.q))
        )
        before = rf"\mathbb{{E}}\left[{first_text}\,{second_text}\right]"
        steps.append(Step("mehler + 2F1", before, latex(part.value)))
    steps.append(Step("collect", r"\mathbb{E}[\sigma(u)\,\sigma(v)]", latex(d.value)))
    slope = r"\partial_{q_{12}}\mathbb{E}[\sigma(u)\,\sigma(v)]"
    steps.append(Step("price", slope, latex(d.dot)))
    steps.append(Step("diagonal", r"\mathbb{E}[\sigma(u)^2]", latex(d.diag)))
    return tuple(steps)


def _dirac(height: Expr, place: Expr) -> str:
    factor = "" if height == 1 else rf"\left({latex(height)}\right)"
    return rf"{factor}\delta\left({latex(x - place)}\right)"


def _unordered(d: Derivation) -> list[GroupPair]:
    seen: set[frozenset[object]] = set()
    out = []
    for p in group_pairs(d.law, d.terms, d.terms):
        kind = frozenset(p.keys)
        if kind not in seen:
            seen.add(kind)
            out.append(p)
    return out


def _rules(p: GroupPair) -> str:
    used = []
    if any(k.tilt or k.shift for k in p.keys):
        used.append("tilt")
    if any(n for poly in p.polynomials for n in poly):
        used.append("stein")
    gates = len(p.spaces)
    if gates:
        used.append({1: "half-space", 2: "orthant"}.get(gates, "orthant of dimension three"))
    return " + ".join(used) or "constant"


def _product(p: GroupPair) -> str:
    field = p.law.field
    factors: list[Expr] = []
    for key, poly, variable in zip(p.keys, p.polynomials, (u, v), strict=False):
        group = TermSum(field, {key._replace(power=n): c for n, c in poly.items()})
        factors.append(group.expr.xreplace({x: variable}))
    return r" \cdot ".join(rf"\left({latex(f)}\right)" for f in factors)


def _tex(p: GroupPair) -> str:
    return str(latex(p.value().expr))
