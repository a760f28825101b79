r"""Duals of a bell times a function: those of the function, at the covariance that the bell leaves.

With $s(x) = e^{-\alpha x^2/2} f(x)$, $\alpha > 0$, the two bells and the joint density are together
a normal density,

$$E_\Sigma[s(u)s(v)] = D^{-1/2} E_{\Sigma'}[f(u)f(v)], \qquad
\Sigma' = (\Sigma^{-1} + \alpha I)^{-1} = \frac1D
\begin{pmatrix} q_{11} + \alpha\det & q_{12} \\ q_{12} & q_{22} + \alpha\det \end{pmatrix},$$

$D = 1 + \alpha(q_{11} + q_{22}) + \alpha^2\det$ and $\det' = \det/D$; the derivative dual likewise
with $f' - \alpha x f$ for f.  The variances $\Sigma'$ are below $1/\alpha$: nothing overflows and
there is no regime of large ones.  The closed form in q11, q12, q22 is a quotient of polynomials of
both signs over high powers of D, which cancels for nearly parallel inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from sympy import Abs, Add, Expr, Heaviside, Integer, Max, Min, Mul, exp, expand, sign, sqrt

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..dual import Dual, dual
from ..errors import NtksymError
from ..symbols import x
from .packet import Packet, packet
from .polynomial import DET
from .products import Products
from .program import Operand, Program
from .reciprocal import excess

_WIDE, _APART = Fraction(2**200), Fraction(2**225)
"""The roots of what variances and the root of the determinant are brought down to."""


@dataclass(frozen=True, slots=True)
class Tilt:
    """The rate of the bell, and the duals of f and of f' - rate x f."""

    rate: Expr
    value: Dual
    slope: Dual


@lru_cache(maxsize=256)
def tilt(activation: Activation) -> Tilt | None:
    """The parts of a bell times a function; None where it is none, or jumps, or is a bell alone.

    A bell alone, and one at 0 times x, have short closed forms without cancellation; of a bell
    elsewhere the exponential at the tilted covariance would be large: see `packet`.
    """
    found = _split(activation.expr)
    if found is None or found[1] in (Integer(1), x) or packet(activation, *found) is not None:
        return None
    rate, f = found
    try:
        own = dual(activation).derivation
        if not isinstance(own, Derivation) or own.jumps:
            return None
        value = dual(Activation("f", f))
        slope = expand(_derivative(value) - rate * x * f)
        return Tilt(rate, value, dual(Activation("g", slope)))
    except NtksymError:
        return None


def bell_elsewhere(activation: Activation) -> Packet | None:
    """A polynomial times a bell that is not about 0, or None."""
    found = _split(activation.expr)
    return packet(activation, *found) if found is not None else None


def _derivative(d: Dual) -> Expr:
    """The derivative of f off the kinks: of steps SymPy knows Dirac masses only."""
    f = d.activation.expr
    if not f.has(Heaviside, Abs, sign, Max, Min):
        return f.diff(x)
    own = d.derivation
    assert isinstance(own, Derivation)
    return own.slope[0].expr


def _split(e: Expr) -> tuple[Expr, Expr] | None:
    """(rate, f) with e = exp(-rate x^2/2) f, one positive rate for all terms; or None."""
    rates: set[Expr] = set()
    terms = []
    for term in Add.make_args(e):
        exponent: Expr = Integer(0)
        rest: list[Expr] = []
        for f in Mul.make_args(term):
            if isinstance(f, exp):
                exponent += f.args[0]
            else:
                rest.append(f)
        exponent = expand(exponent)
        square = exponent.coeff(x, 2)
        rates.add(-2 * square)
        terms.append(Mul(*rest, exp(expand(exponent - square * x**2))))
    rate = rates.pop()
    if rates or not rate.is_positive:
        return None
    return rate, Add(*terms)


def tilted(b: Products, rate: Expr, p: Program) -> dict[str, Operand]:
    """The outputs of a program with arguments (q11, q12, q22, root), under a bell, over D^(1/2)."""
    known = b.known_root
    root = b.operand(sqrt(DET))
    rest = 1 + rate * (S.q11 + S.q22)
    below = b.emit("hyproot", b.operand(rest), b.emit("mul", b.operand(rate), root))
    t = b.emit("div", Fraction(1), below, hint="over")
    short = b.emit("mul", t, t)
    low, of_square = excess(b, (rest, rate**2), known, t, short)
    once = b.emit("add", Fraction(1), b.emit("mul", low, Fraction(1, 2)))
    twice = b.emit("add", Fraction(1), low)
    square = b.emit("add", short, b.emit("mul", short, of_square))
    narrow = b.emit("mul", root, t)
    spread = b.emit("mul", b.emit("mul", narrow, narrow), b.emit("mul", b.operand(rate), twice))
    at: dict[str, Operand] = {
        **{q: b.emit("add", b.emit("mul", q, square), spread) for q in ("q11", "q22")},
        "q12": b.emit("mul", "q12", square),
        "root": b.emit("mul", narrow, once),
    }
    return _placed(b, p, at, b.emit("mul", t, once))


def tilted_diagonal(b: Products, rate: Expr, p: Program) -> dict[str, Operand]:
    """The same on the diagonal, from (q,)."""
    below = b.operand(1 + 2 * rate * S.q)
    at: dict[str, Operand] = {"q": b.emit("div", "q", below)}
    return _placed(b, p, at, b.emit("div", Fraction(1), b.emit("sqrt0", below)))


def brought_down(b: Products, p: Program) -> dict[str, Operand]:
    r"""The outputs of a program with arguments (q11, q12, q22, root) of a function under a bell.

    Evaluated where no product of variances leaves the range of doubles.  From a large variance of
    one input on the density of that input is constant where s is not 0, and all else is decided by
    the ratio of the entries and by the conditional deviations, R over a root of a variance:
    $K(q_{11}, q_{12}, q_{22}, R) = t K(t^2 q_{11}, t^2 q_{12}, t^2 q_{22}, t R)$, also for the
    derivative, to less than rounding of $\sqrt{K(q_{11})K(q_{22})}$.  t is a power of two.
    """
    root = b.operand(sqrt(DET))
    first = b.emit("rescale", b.emit("max", "q11", "q22"), _WIDE)
    half = b.emit("rescale", b.emit("mul", root, first), _APART)
    t = b.emit("mul", b.emit("mul", first, half), half, hint="t")
    at = {q: b.emit("mul", b.emit("mul", q, t), t, hint="scaled") for q in ("q11", "q12", "q22")}
    return _placed(b, p, {**at, "root": b.emit("mul", root, t, hint="scaled")}, t)


def _placed(b: Products, p: Program, at: dict[str, Operand], factor: Operand) -> dict[str, Operand]:
    made = b.again(p, at)
    return {label: b.emit("mul", value, factor) for label, value in made.items()}
