r"""Terms of closed forms that are one normal probability together, times an exponential.

$$1 - \Phi(h) - \Phi(k) + \Phi_2(h, k; r) = \Phi_2(-h, -k; r), \qquad
\Phi(h) - \Phi_2(h, k; r) = \Phi_2(h, -k; -r), \qquad 1 - \Phi(h) = \Phi(-h).$$

A closed form has the arguments with one sign at a sample, for readers.  Times an exponential of the
covariance the terms on the left may overflow where their sum is small: exp(-2|x - 1|) was NaN for
variances above 350 near rho = 1.  Exponentials of one variance do not grow so.
"""

from __future__ import annotations

from sympy import Expr, Mul, exp

from .. import symbols as S
from ..functions import Phi, Phi2


def gathered(terms: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The terms, those of one probability as one."""
    left = list(terms)
    for kind in (Phi2, Phi):  # what is left of the first
        for term in terms:
            factors = Mul.make_args(term)
            gates = [f for f in factors if isinstance(f, Phi | Phi2)]
            grown = any(isinstance(f, exp) and f.has(S.q12) for f in factors)
            if len(gates) != 1 or not isinstance(gates[0], kind) or not grown or term not in left:
                continue
            outer = Mul(*(f for f in factors if f is not gates[0]))
            for parts, whole in _sums(gates[0], outer):
                if len(set(parts)) == len(parts) and all(part in left for part in parts):
                    for part in (term, *parts):
                        left.remove(part)
                    left.append(whole)
                    break
    return tuple(left)


def _sums(gate: Phi | Phi2, outer: Expr) -> tuple[tuple[tuple[Expr, ...], Expr], ...]:
    """Terms that are one with outer*gate, and that one."""
    if isinstance(gate, Phi):
        return (((-outer,), -outer * Phi(-gate.args[0])),)
    h, k, r = gate.args
    one, two = -outer * Phi(h), -outer * Phi(k)
    return (
        ((outer, one, two), outer * Phi2(-h, -k, r)),
        ((one,), -outer * Phi2(h, -k, -r)),
        ((two,), -outer * Phi2(-h, k, -r)),
    )
