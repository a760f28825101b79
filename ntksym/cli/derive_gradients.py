"""`ntksym derive --gradients`: first derivatives of the closed forms, as formulas."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sympy import Expr

    from ..dual import Dual
    from ..gradients import DualGradients, Partial

Rows = list[tuple[str, str, "Expr"]]
"""(name, name in LaTeX, expression)."""
Names = tuple[tuple[str, str], tuple[str, str]]
_PAIR = (
    ("E[s(u)s(v)]", r"\mathbb{E}[\sigma(u)\,\sigma(v)]"),
    ("E[s'(u)s'(v)]", r"\mathbb{E}[\sigma'(u)\,\sigma'(v)]"),
)
_DIAGONAL = (
    ("E[s(u)^2]", r"\mathbb{E}[\sigma(u)^2]"),
    ("E[s'(u)^2]", r"\mathbb{E}[\sigma'(u)^2]"),
)


def gradients_of(d: Dual) -> DualGradients:
    """The derivatives of what `derive` prints: where s jumps, those of s' off the jumps.

    Raises:
        UnsupportedOp: as `dual_gradients`.
    """
    from ..gradients import dual_gradients

    return dual_gradients(d, "distributional" if d.continuous else "almost_everywhere")


def pair_rows(g: DualGradients) -> Rows:
    """Those of what is finite, of a pair, in q11, q12 and the parameters; q22 is as q11.

    Without d/dq12 E[s(u)s(v)]: it is among the formulas of the dual (Price's theorem).
    """
    given = [p for p in (*g.entries, *g.params) if p.wrt != "q22"]
    return [row for row in _rows(g, given, _PAIR) if row[0] != f"d/dq12 {_PAIR[0][0]}"]


def diagonal_rows(g: DualGradients) -> Rows:
    """Those of what is finite, of the diagonal, in the variance q and the parameters."""
    return _rows(g, [g.diag, *g.diag_params], _DIAGONAL)


def exchanged(means: bool) -> str:
    """What is said of the derivatives in q22."""
    return f"in q22: those in q11 with q11 and q22{', m1 and m2' if means else ''} exchanged"


def payload(g: DualGradients) -> dict[str, Any]:
    """As data, by variable; the diagonal in q11, as every formula of the object.

    What has no finite value of which there are derivatives is null.
    """
    from ..display import linear
    from ..symbols import m, m1, q, q11

    finite = _finite(g)
    slope = "derivative" if g.dual.continuous else "derivative_almost_everywhere"

    def said(parts: tuple[Partial, ...], of: Names) -> dict[str, dict[str, str | None]]:
        keys = [(key, name in finite) for key, (name, _) in zip(("nngp", slope), of, strict=True)]
        found: dict[str, dict[str, str | None]] = {}
        for p in parts:
            shown = [linear(e.xreplace({q: q11, m: m1})) for e in (p.nngp, p.dot)]
            found[p.wrt] = {k: e if ok else None for (k, ok), e in zip(keys, shown, strict=True)}
        return found

    return {
        "gradients": said((*g.entries, *g.params), _PAIR),
        "diagonal_gradients": said((replace(g.diag, wrt="q11"), *g.diag_params), _DIAGONAL),
        "gradients_left_out": list(g.left_out),
    }


def _finite(g: DualGradients) -> set[str]:
    return {name for name, _, expr in g.dual.rows if expr.is_finite is not False}


def _rows(g: DualGradients, parts: list[Partial], of: Names) -> Rows:
    from sympy import Symbol, latex

    finite = _finite(g)
    return [
        (f"d/d{p.wrt} {name}", rf"\partial_{{{latex(Symbol(p.wrt))}}}{shown}", getattr(p, which))
        for (name, shown), which in zip(of, ("nngp", "dot"), strict=True)
        for p in parts
        if name in finite
    ]
