r"""Closed forms as SymPy expressions a referee would accept.

Conjugate exponentials become cos and sin; exponentials that differ by the sign of q12 become
cosh and sinh; coefficients are factored; one term per transcendental.
"""

from __future__ import annotations

from sympy import Add, Expr, Mul, asin, cos, cosh, exp, sin, sinh

from ..exact import Exact
from ..functions import Phi, Phi2
from ..symbols import q12
from .closed import Atom, ClosedForm, orientation

_FUNCTIONS = {"asin": asin, "Phi": Phi, "Phi2": Phi2}


def to_sympy(form: ClosedForm) -> Expr:
    """The sum, in canonical order (SymPy's own order of terms)."""
    waves: dict[tuple[Exact, Exact, Atom], tuple[Exact, Exact]] = {}
    loose: list[Expr] = []
    zero = form.field.integer(0)
    for (exponent, atom), c in form.terms.items():
        if not all(a.is_real for a in atom.args):
            loose.append(Mul(c.expr, exp(exponent.expr), _atom_expr(atom)))
            continue
        growth, phase = exponent.split_imaginary()
        real, imag = c.split_imaginary()
        # Re[(a + ib) e^{i p}] = a cos p - b sin p; the imaginary parts cancel in a real sum
        turn = orientation(phase)
        if turn < 0:
            phase, imag = -phase, -imag
        a, b = waves.get((growth, phase, atom), (zero, zero))
        waves[growth, phase, atom] = (a + real, b - imag if turn else b + imag)
    terms = list(loose)
    for wave in _paired(waves):
        terms.append(wave)
    return Add(*terms)


def _atom_expr(atom: Atom) -> Expr:
    if atom.kind in ("1", "Phi*Phi"):
        return Mul(*(Phi(a.expr) for a in atom.args))
    return _FUNCTIONS[atom.kind](*(a.expr for a in atom.args))


def _paired(waves: dict[tuple[Exact, Exact, Atom], tuple[Exact, Exact]]) -> list[Expr]:
    out: list[Expr] = []
    done: set[tuple[Exact, Exact, Atom]] = set()
    for key, (a, b) in waves.items():
        if key in done:
            continue
        growth, phase, atom = key
        done.add(key)
        mirrored = growth.flip(q12) if atom.kind == "1" else None
        twin = None if mirrored is None else (mirrored, phase, atom)
        if twin is not None and twin != key and twin in waves and twin not in done:
            done.add(twin)
            a2, b2 = waves[twin]
            half = growth.field.rational(1, 2)
            middle = (growth + twin[0]) * half
            spread = (growth - twin[0]) * half
            if orientation(spread) < 0:
                spread, (a, b), (a2, b2) = -spread, (a2, b2), (a, b)
            for trig, one, two in ((cos, a, a2), (sin, b, b2)):
                for hyper, c in ((cosh, one + two), (sinh, one - two)):
                    if c:
                        wave = _wave(trig, phase)
                        out.append(
                            Mul(c.expr, exp(middle.expr), hyper(spread.expr), wave)
                        )
            continue
        for trig, c in ((cos, a), (sin, b)):
            if c:
                factor = Mul(exp(growth.expr), _wave(trig, phase), _atom_expr(atom))
                out += [Mul(p.expr, factor) for p in _summands(c, factor)]
    return out


def _summands(c: Exact, factor: Expr) -> list[Exact]:
    """A coefficient that stands alone is printed as its summands; one of a function in one piece."""
    return c.pieces() if factor == 1 else [c]


def _wave(trig: type, phase: Exact) -> Expr:
    value: Expr = trig(phase.expr)
    return value
