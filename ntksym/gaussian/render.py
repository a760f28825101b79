r"""Closed forms as SymPy expressions a referee would accept.

Conjugate exponentials become cos and sin; exponentials that differ by the sign of q12 become
cosh and sinh; coefficients are factored; one term per transcendental.
"""

from __future__ import annotations

from sympy import Add, Expr, I, Mul, asin, cos, cosh, exp, sin, sinh

from ..exact import Exact
from ..functions import Phi, Phi2
from ..symbols import q12
from .closed import Atom, ClosedForm, orientation

_FUNCTIONS = {"asin": asin, "Phi": Phi, "Phi2": Phi2}


Waves = dict[tuple[Exact, Exact, Atom], tuple[Exact, Exact]]
"""{(growth, phase, atom): (a, b)}: exp(growth) * (a cos(phase) + b sin(phase)) * atom."""


def to_sympy(form: ClosedForm) -> Expr:
    """The sum, in canonical order (SymPy's own order of terms).

    A form whose Phi and Phi2 have real arguments prints without the imaginary unit: the imaginary
    parts of its terms cancel.  Otherwise they cancel against those of the complex atoms only, and
    all of them are printed; the sum is real.
    """
    real: Waves = {}
    imaginary: Waves = {}
    terms: list[Expr] = []
    zero = form.field.integer(0)
    for (exponent, atom), c in form.terms.items():
        if not all(a.is_real for a in atom.args):
            terms.append(Mul(c.expr, exp(exponent.expr), _atom_expr(atom)))
            continue
        growth, phase = exponent.split_imaginary()
        a, b = c.split_imaginary()
        turn = orientation(phase)
        if turn < 0:
            phase = -phase
        # (a + ib) e^{+-ip} = (a cos p -+ b sin p) + i (b cos p +- a sin p)
        sine = b if turn < 0 else -b
        other = -a if turn < 0 else a
        for waves, pair in ((real, (a, sine)), (imaginary, (b, other))):
            cosine, sines = waves.get((growth, phase, atom), (zero, zero))
            waves[growth, phase, atom] = (cosine + pair[0], sines + (pair[1] if turn else zero))
    terms += _paired(real)
    terms += [Mul(I, w) for w in _paired(imaginary)]
    return Add(*terms)


def _atom_expr(atom: Atom) -> Expr:
    if atom.kind in ("1", "Phi*Phi"):
        return Mul(*(Phi(a.expr) for a in atom.args))
    return _FUNCTIONS[atom.kind](*(a.expr for a in atom.args))


def _paired(waves: Waves) -> list[Expr]:
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
                        out.append(Mul(c.expr, exp(middle.expr), hyper(spread.expr), wave))
            continue
        for trig, c in ((cos, a), (sin, b)):
            if c:
                factor = Mul(exp(growth.expr), _wave(trig, phase), _atom_expr(atom))
                out += [Mul(p.expr, factor) for p in _summands(c, factor)]
    return out


def _summands(c: Exact, factor: Expr) -> list[Exact]:
    """A coefficient that stands alone is printed as its summands, that of a function whole."""
    return c.pieces() if factor == 1 else [c]


def _wave(trig: type, phase: Exact) -> Expr:
    value: Expr = trig(phase.expr)
    return value
