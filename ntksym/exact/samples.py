"""Numbers for the atoms of a field: signs are read off them."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Float, Symbol

from ..symbols import c12, m, m1, m2, q, q11, q12, q22

SCALES = (0.61, 0.07, 3.1, 0.23, 9.3, 1.7)
LAW = {
    q11: (0.0113, 0.0113, 0.0041, 0.0029, 0.0017, 0.0083),
    q12: (0.0037, -0.0051, 0.0013, -0.0011, 0.0007, -0.0021),
    c12: (0.0029, -0.0047, 0.0017, -0.0007, 0.0009, -0.0013),
    q22: (0.0071, 0.0071, 0.0097, 0.0037, 0.0023, 0.0019),
    q: (0.0091, 0.0091, 0.0057, 0.0031, 0.0019, 0.0047),
    m: (0.0131, -0.0131, 0.0017, -0.0043, 0.0007, -0.0029),
    m1: (0.0131, -0.0131, 0.0017, -0.0043, 0.0007, -0.0029),
    m2: (0.0173, -0.0173, -0.0019, 0.0059, -0.0011, 0.0037),
}
"""Six sample points: small covariances (every Jacobian is near one), parameters of all sizes."""


def sample_values(
    atom: Expr, seed: int, known: Sequence[tuple[Expr, tuple[float, ...]]]
) -> tuple[float, ...]:
    """The values of an atom at the sample points, of the sign that its assumptions say.

    `seed` makes parameters differ; `known` are the atoms before it, which it may hold, with
    their values.
    """
    if atom in LAW:
        return LAW[atom]
    if isinstance(atom, Symbol):
        factor = 0.61 + 0.37 * ((seed * 7) % 5)
        signs = (1, -1, 1, -1, -1, 1)
        if atom.is_positive or atom.is_nonnegative:
            signs = (1,) * 6
        elif atom.is_negative or atom.is_nonpositive:
            signs = (-1,) * 6
        return tuple(s * factor * c for s, c in zip(signs, SCALES, strict=True))
    values = []
    for k in range(len(SCALES)):
        at = {a: Float(sample[k]) for a, sample in known if a.is_Symbol}
        for s in atom.free_symbols:
            if s not in at:
                at[s] = Float(sample_values(s, seed, known)[k])
        values.append(complex(atom.xreplace(at)).real)
    return tuple(values)
