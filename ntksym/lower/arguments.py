r"""Arguments of tails in two doubles: what rounding took away from $z = n/\sqrt d$.

A tail $\Phi(z)$, $z < 0$, changes by $|z|$ times the change of z: a rounding error of z by
$|z|\,2^{-53}$ is one of $z^2\,2^{-53}$ of the tail, 20 units in the last place at z = -4.5, and
exponentials that grow keep such tails in sight.  With the rounded z at hand,

$$\delta = \frac n{\sqrt d} - z = \frac{n^2 - z^2 d}{2 z d}\,(1 + O(\delta/z)),$$

and the numerator is a difference of products in two doubles (T. J. Dekker 1971) of the inputs.
Then $\Phi(z + \delta) = \Phi(z) + \varphi(z)\,\delta$ up to $\delta^2$.  In exact arithmetic it
is zero.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from sympy import Expr, Integer, Mul, Pow, expand

from .exponent import grows, is_rest, kept, linear_parts, polynomial_parts, product_parts, sum_parts
from .folding import fold
from .lines import Lines
from .polynomial import is_polynomial
from .program import Let, Operand, Program, live
from .stable import split_factors


def argument_low(b: Lines, e: Expr, z: Operand) -> Operand:
    """The rest of z = e, as rounded: e - z; 0 where it is not known.

    Known where $e^2$ is a quotient of polynomials whose roots are of degree one in the covariance.
    """
    found = _excess(b, e, z)
    if found is None:
        return Fraction(0)
    excess, below = found
    low = b.emit("div0", excess, b.emit("mul", b.emit("mul", z, below), Fraction(2)))
    return kept(b, low)


def tail_low(b: Lines, e: Expr, z: Operand, exponent: Expr) -> Operand:
    r"""What $\Phi(z)$ lacks relative to $\Phi(e)$ where z < 0, to first order; 0 for z >= 0.

    The tail's relative slope $\varphi/\Phi$ is taken for -z: what is left is less than the
    rounding error itself.  Beside an exponential that grows it is known of polynomials
    of any degree; their products overflow earlier, and it is 0 there.
    """
    found = _excess(b, e, z, bent=grows(exponent))
    if found is None:
        return Fraction(0)
    excess, below = found
    low = b.emit("div0", excess, b.emit("mul", below, Fraction(-2)))
    return b.emit("select", z, Fraction(0), kept(b, low), Fraction(0), hint="lost")


def mills_argument(a: Expr, e: Expr) -> Expr | None:
    r"""The y with $e^a\Phi(e) = e^{y^2/2}\Phi(-y)$ and y >= 0, if that is so: Mills' ratio.

    It changes by less than y does, relatively: neither an exponent nor a square is rounded.
    """
    number, rest = e.as_coeff_Mul()
    if not number.is_negative or not all(map(_nonnegative, Mul.make_args(rest))):
        return None
    return -e if expand(2 * a - e**2) == 0 else None


def _nonnegative(f: Expr) -> bool:
    """Whether a factor is a root, or known not to be negative."""
    base, n = f.as_base_exp()
    return bool(f.is_nonnegative) or bool(n.is_Rational and n.q == 2 and base.free_symbols)


def rough(p: Program) -> Program:
    """The same in exact arithmetic, with every rest 0: what rounding takes away stays away."""
    known: dict[str, Operand] = {}
    body: list[Let] = []

    def now(a: Operand) -> Operand:
        return known.get(a, a) if isinstance(a, str) else a

    for let in p.body:
        if is_rest(let):
            known[let.name] = Fraction(0)
            continue
        args = tuple(map(now, let.args))
        if (folded := fold(let.op, args)) is not None:
            known[let.name] = folded
        else:
            body.append(replace(let, args=args))
    outputs = tuple((label, now(a)) for label, a in p.outputs)
    return replace(p, body=live(tuple(body), outputs), outputs=outputs)


def _excess(b: Lines, e: Expr, z: Operand, *, bent: bool = False) -> tuple[Operand, Operand] | None:
    """(n^2 - z^2 d, d) for e = n/sqrt(d)."""
    if not isinstance(z, str):
        return None
    split = _quotient(e)
    if split is None:
        return None
    top, below = (polynomial_parts(b, part) if bent else linear_parts(b, part) for part in split)
    if top is None or below is None:
        return None
    if b.known_root is not None:  # what q12 lacks may be as large as what is left of the entries
        top = sum_parts(b, (top[0], Fraction(0)), (top[1], Fraction(0)))
    first = product_parts(b, top, top)
    second = product_parts(b, product_parts(b, (z, Fraction(0)), (z, Fraction(0))), below)
    high = b.emit("sub", first[0], second[0])
    return b.emit("add", high, b.emit("sub", first[1], second[1])), below[0]


def _quotient(e: Expr) -> tuple[Expr, Expr] | None:
    """(n, d) with e = n/sqrt(d), n and d polynomials; numbers go where they are rational."""
    top, bottom = split_factors(e)
    above: Expr = Integer(1)
    below: Expr = Integer(1)
    for f in top:
        if f.is_number and not f.is_Rational:
            square = f**2
            if not square.is_Rational or not f.is_positive:
                return None
            below = below / square
        elif isinstance(f, Pow) and f.exp == Integer(1) / 2:  # of a variance, over its own root
            above, below = above * f.base, below * f.base
        else:
            above = above * f
    for f in bottom:
        base, n = f.as_base_exp()
        if n == Integer(1) / 2:
            below = below * base
        elif n.is_Integer:
            below = below * Pow(base, 2 * n)
        else:
            return None
    above, below = expand(above), expand(below)
    known = (is_polynomial(p) or p.is_Rational for p in (above, below))
    return (above, below) if all(known) else None
