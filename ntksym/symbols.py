"""The symbols every stage shares, with their assumptions.

`x` is the input of an activation.  `(u, v)` is the Gaussian pair of pre-activations with means
`(m1, m2)` and covariance `[[q11, q12], [q12, q22]]`.  Variances are positive: the degenerate
values (a zero variance, a correlation of one) are limits, taken by the rules that need them.
"""

from __future__ import annotations

from sympy import Symbol

x = Symbol("x", real=True)
u = Symbol("u", real=True)
v = Symbol("v", real=True)

q11 = Symbol("q11", positive=True)
q12 = Symbol("q12", real=True)
q22 = Symbol("q22", positive=True)
q = Symbol("q", positive=True)
"""The one variance of a diagonal expression: q = q11 = q22 = q12."""

m1 = Symbol("m1", real=True)
m2 = Symbol("m2", real=True)
m = Symbol("m", real=True)
"""The one mean of a diagonal expression."""

c12 = Symbol("c12", real=True)
"""A covariance of its own, for proofs that vary it while the rest of a tilted law stays fixed."""

t12 = Symbol("t12", real=True)
"""The neural tangent kernel Theta(x, x') that enters a layer."""

weight_var = Symbol("weight_var", nonnegative=True)
bias_var = Symbol("bias_var", nonnegative=True)

RESERVED = frozenset(
    s.name for s in (x, u, v, q11, q12, q22, q, m1, m2, m, c12, t12, weight_var, bias_var)
)
"""Names that cannot be parameters of an activation."""
