r"""Gradients of duals: derivatives in the covariance and in the parameters, as closed forms.

With $K = E[s(u)s(v)]$ and $\dot K = E[s'(u)s'(v)]$ (Price 1958):
$\partial K/\partial q_{12} = \dot K$, $\partial K/\partial q_{11} = E[s''(u)s(v)]/2$, and the same
for $\dot K$.  The forms are differentiated in the engine's canonical form, where the terms that are
infinite at $\rho = \pm 1$ cancel exactly; SymPy never sees the difference.

Where s has a kink, $\partial\dot K/\partial q_{12}$ is truly infinite at $\rho = 1$.  In the
coordinates $(q_{11}, q_{22}, \theta)$, $q_{12} = \sqrt{q_{11}q_{22}}\cos\theta$, nothing is:
$\partial_\theta = -\sqrt{\det}\,\partial_{q_{12}}$ and
$\partial_{q_{11}}|_\theta = \partial_{q_{11}} + \frac{q_{12}}{2q_{11}}\partial_{q_{12}}$.
The values at $\theta = 0$ are the limits from $\theta > 0$.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sympy import (
    Derivative,
    Expr,
    Integer,
    Subs,
    Symbol,
    hyper,
    oo,
    sqrt,
)

from .brief import Brief
from .derivation import Derivation
from .dual import Dual
from .errors import UnsupportedOp
from .gaussian import ClosedForm
from .lower.build import Builder
from .lower.edge import edge_form
from .lower.kernel import REQUIRES_DIAG, REQUIRES_PAIR
from .lower.program import Operand, Program
from .symbols import q, q11, q12, q22

ENTRIES = ("q11", "q12", "q22")
ANGLES = ("q11", "angle", "q22")
SENSES = ("distributional", "almost_everywhere")
_ROOT = sqrt(q11 * q22 - q12**2)


@dataclass(frozen=True, slots=True)
class Partial:
    """The derivatives in one variable: of the dual (`nngp`) and of its derivative (`dot`)."""

    wrt: str
    nngp: Expr
    dot: Expr


@dataclass(frozen=True, slots=True, repr=False)
class DualGradients(Brief):
    r"""The first derivatives of a dual and of its derivative dual, as SymPy expressions.

    Attributes:
        dual: what is differentiated.
        sense: of the derivative of s: "distributional" (`dual.dot`) or "almost_everywhere"
            (`dual.dot_ae`); they differ where s jumps.
        entries: derivatives in q11, q12, q22, each with the other two fixed.
        polar: derivatives in q11, angle, q22, angle = acos(rho): finite on the whole closed domain
            for every continuous activation.
        params: derivatives in the parameters of the activation, sorted by name.
        diag: derivatives in q of the diagonal forms, u = v.
        diag_params: derivatives in the parameters of the diagonal forms.
        left_out: parameters in which there is no closed form (the exponent of a real power).
    """

    dual: Dual
    sense: str
    entries: tuple[Partial, ...]
    polar: tuple[Partial, ...]
    params: tuple[Partial, ...]
    diag: Partial
    diag_params: tuple[Partial, ...]
    left_out: tuple[str, ...] = ()
    _shown = ("sense",)

    def program(self, *, polar: bool = False) -> Program:
        """The program (q11, q12, q22, parameters) -> nngp, dot and all their derivatives.

        Outputs `nngp`, `dot`, then `nngp_<v>`, `dot_<v>` for v in q11, q12, q22 (q11, angle, q22
        with `polar`) and the parameters.

        Raises:
            UnsupportedOp: a function without an operation.
        """
        dot = self.dual.dot if self.sense == "distributional" else self.dual.dot_ae
        parts = (*(self.polar if polar else self.entries), *self.params)
        builder = Builder((*ENTRIES, *self.names))
        outputs = _outputs(builder, self.dual.value, dot, parts)
        return builder.program("gradients", outputs, REQUIRES_PAIR, "a dual and its gradient")

    def planes(self) -> Program:
        """The program of `program()`, and then the derivatives of `polar`: `nngp_polar_<v>`, ...

        Raises:
            UnsupportedOp: a function without an operation.
        """
        dot = self.dual.dot if self.sense == "distributional" else self.dual.dot_ae
        b = Builder((*ENTRIES, *self.names))
        rows = _outputs(b, self.dual.value, dot, (*self.entries, *self.params))
        made = self.turned(b)
        for p in self.polar:
            rows += ((f"nngp_polar_{p.wrt}", made[p.wrt]),)
            rows += ((f"dot_polar_{p.wrt}", b.operand(edge_form(p.dot))),)
        return b.program("gradients", rows, REQUIRES_PAIR, "a dual and its gradient")

    def turned(self, b: Builder) -> dict[str, Operand]:
        """The derivatives of the dual in `ANGLES` as operands of a builder of q11, q12, q22.

        For a continuous s a sum of two finite numbers: as one expression it may be inf - inf.
        """
        d = self.dual.derivation
        if not isinstance(d, Derivation) or d.jumps:
            return {p.wrt: b.operand(edge_form(p.nngp)) for p in self.polar}
        slopes, dot = {p.wrt: p.nngp for p in self.entries}, b.operand(self.dual.dot)
        made = {"angle": b.emit("neg", b.emit("mul", b.operand(_ROOT), dot))}
        for own in ("q11", "q22"):
            turn = b.emit("div", b.emit("mul", Fraction(1, 2), "q12"), b.emit("once", own))
            slope = b.operand(edge_form(slopes[own]))
            made[own] = b.emit("add", slope, b.emit("mul", turn, dot))
        return made

    def diag_program(self) -> Program:
        """The program (q, parameters) -> nngp, dot and their derivatives in q and the parameters.

        Raises:
            UnsupportedOp: a function without an operation.
        """
        given = self.dual
        dot = given.diag_dot if self.sense == "distributional" else given.diag_dot_ae
        builder = Builder(("q", *self.names))
        outputs = _outputs(builder, given.diag, dot, (self.diag, *self.diag_params))
        return builder.program("gradients_diag", outputs, REQUIRES_DIAG, "the same, u = v")

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that the programs take, sorted."""
        return tuple(sorted(p.name for p in self.dual.activation.params))


def dual_gradients(dual: Any, sense: str = "distributional") -> DualGradients:
    r"""The gradients of a dual, of an activation or of its text, in q11, q12, q22 and parameters.

    Derived in the engine's canonical forms (Price's theorem); for real powers from
    $\partial_{q_{11}} K = (pK - q_{12}\dot K)/(2q_{11})$ (Euler) and SymPy's derivative of 2F1.

    Args:
        dual: a `Dual`, or what `ntksym.dual` takes.
        sense: of the derivative dual where s jumps: "distributional" (Price's theorem), or
            "almost_everywhere".

    Raises:
        NoClosedForm: the activation has no closed form.
        UnsupportedOp: a dual that is not a closed form, or an unknown sense.
    """
    if sense not in SENSES:
        raise UnsupportedOp(f"unknown sense {sense!r}", hint="one of: " + ", ".join(SENSES))
    if not isinstance(dual, Dual):
        if hasattr(dual, "mixture_bound") or hasattr(dual, "diag_dot"):
            raise UnsupportedOp(
                f"the gradient of a {type(dual).__name__} is not a closed form",
                hint="an activation with a closed form",
            )
        from .dual import dual as derive

        dual = derive(dual)
    return _gradients(dual, sense)


@lru_cache(maxsize=128)
def _gradients(dual: Dual, sense: str) -> DualGradients:
    if isinstance(dual.derivation, Derivation):
        return _engine(dual, dual.derivation, sense)
    return _plain(dual, sense)


def _engine(dual: Dual, d: Derivation, sense: str) -> DualGradients:
    """By the derivation's exact forms."""
    field = d.field
    value = d.value
    dot = d.dot if sense == "distributional" or not d.jumps else d.dot_ae
    root = field.of(sqrt(q11 * q22 - q12**2))
    cosine = field.of(q12)
    bend = dot.diff(q12)
    entries = [Partial("q12", d.dot.expr, bend.expr)]
    polar = [Partial("angle", d.dot.scale(-root).expr, bend.scale(-root).expr)]
    for own in (q11, q22):
        turn = cosine / (field.of(own) * 2)
        slope, steep = value.diff(own), dot.diff(own)
        entries.append(Partial(own.name, slope.expr, steep.expr))
        if d.jumps:
            along = (slope + d.dot.scale(turn)).expr
        else:  # both are finite: their sum has no common denominator to lose digits in
            along = slope.expr + d.dot.expr * q12 / (2 * own)
        polar.append(Partial(own.name, along, (steep + bend.scale(turn)).expr))
    finite = not d.jumps or sense == "almost_everywhere"
    diag, diag_dot = d.diag, d.diag_dot_ae
    own_diag = Partial("q", diag.diff(q).expr, diag_dot.diff(q).expr if finite else oo)
    known = sorted(dual.activation.params, key=lambda s: str(s.name))
    return DualGradients(
        dual,
        sense,
        _ordered(entries, ENTRIES),
        _ordered(polar, ANGLES),
        tuple(_partial(p, value, dot) for p in known),
        own_diag,
        tuple(
            Partial(p.name, diag.diff(p).expr, diag_dot.diff(p).expr if finite else oo)
            for p in known
        ),
    )


def _partial(p: Symbol, value: ClosedForm, dot: ClosedForm) -> Partial:
    return Partial(p.name, value.diff(p).expr, dot.diff(p).expr)


def _plain(dual: Dual, sense: str) -> DualGradients:
    """By SymPy's derivative in q12, and Euler's identity for what is homogeneous."""
    value = dual.value
    dot = dual.dot if sense == "distributional" else dual.dot_ae
    degree = _degree(value, dual.diag)
    bend = dot.diff(q12)
    entries = [Partial("q12", dual.dot, bend)]
    polar = [Partial("angle", *(-sqrt(q11 * q22 - q12**2) * e for e in (dual.dot, bend)))]
    for own in (q11, q22):
        if degree is None:
            slopes = value.diff(own), dot.diff(own)
            turned = [
                e + q12 * b / (2 * own) for e, b in zip(slopes, (dual.dot, bend), strict=True)
            ]
        else:  # s(cx) = c^p s(x): K is a function of rho times (q11*q22)^(p/2)
            turned = [degree * value / (2 * own), (degree - 1) * dot / (2 * own)]
            slopes = tuple(
                e - q12 * b / (2 * own) for e, b in zip(turned, (dual.dot, bend), strict=True)
            )
        entries.append(Partial(own.name, *slopes))
        polar.append(Partial(own.name, *turned))
    finite = dual.diag_dot != oo or sense == "almost_everywhere"
    diag_dot = dual.diag_dot if sense == "distributional" else dual.diag_dot_ae
    own_diag = Partial("q", dual.diag.diff(q), diag_dot.diff(q) if finite else oo)
    kept, kept_diag, left = [], [], []
    for p in sorted(dual.activation.params, key=lambda s: str(s.name)):
        if any(p in h.free_symbols - h.argument.free_symbols for h in value.atoms(hyper)) or any(
            _exponent_has(e, p) for e in (value, dual.diag)
        ):
            left.append(str(p.name))
            continue
        kept.append(Partial(p.name, value.diff(p), dot.diff(p)))
        kept_diag.append(Partial(p.name, dual.diag.diff(p), diag_dot.diff(p) if finite else oo))
    return DualGradients(
        dual,
        sense,
        _ordered(entries, ENTRIES),
        _ordered(polar, ANGLES),
        tuple(kept),
        own_diag,
        tuple(kept_diag),
        tuple(left),
    )


def _exponent_has(e: Expr, p: Symbol) -> bool:
    """Whether a parameter is in an exponent or in a function of numbers (a real power)."""
    found = e.diff(p)
    return bool(found.atoms(Derivative, Subs)) or any(
        p in w.exp.free_symbols
        for w in e.atoms() | set(_powers(e))
        if hasattr(w, "exp") and hasattr(w, "base")
    )


def _powers(e: Expr) -> list[Expr]:
    return [w for w in _walk(e) if getattr(w, "is_Pow", False)]


def _walk(e: Expr) -> list[Expr]:
    found = [e]
    for a in e.args:
        found += _walk(a)
    return found


def _degree(value: Expr, diag: Expr) -> Expr | None:
    """The p of s(cx) = c^p s(x), c > 0, or None: read off the diagonal, C*q^p."""
    constant, power = diag.as_independent(q, as_Add=False)
    base, exponent = power.as_base_exp()
    return exponent if base == q and not constant.has(q) else None


def _ordered(parts: list[Partial], order: tuple[str, ...]) -> tuple[Partial, ...]:
    return tuple(sorted(parts, key=lambda p: order.index(p.wrt)))


def _outputs(
    b: Builder, value: Expr, dot: Expr, parts: tuple[Partial, ...]
) -> tuple[tuple[str, Operand], ...]:
    rows: list[tuple[str, Operand]] = [("nngp", b.operand(value)), ("dot", b.operand(dot))]
    for p in parts:
        for label, e in (("nngp", p.nngp), ("dot", p.dot)):
            rows.append((f"{label}_{p.wrt}", b.operand(edge_form(Integer(0) + e))))
    return tuple(rows)
