"""Irreducible factors of polynomials in several variables, whatever the size of their numbers."""

from __future__ import annotations

from typing import Any

from ..errors import NoClosedForm

Poly = Any  # a flint.fmpz_mpoly, as in `field`


def factors(p: Poly) -> tuple[int, list[tuple[Poly, int]]]:
    """Content and irreducible factors with multiplicities.

    python-flint sorts the factors that FLINT found, and raises OverflowError where coefficients
    that it compares differ by more than a machine integer.  Then the square-free factors are
    factored one by one.  NoClosedForm where that is no help: forms with reducible radicands
    are not canonical.
    """
    try:
        content, parts = p.factor()
        return int(content), [(f, int(e)) for f, e in parts]
    except OverflowError:
        content, parts = p.factor_squarefree()
    whole = int(content)
    fine: list[tuple[Poly, int]] = []
    for f, e in parts:
        try:
            inner, finer = f.factor()
        except OverflowError as error:
            raise NoClosedForm(
                "a polynomial with integers of"
                f" {max(int(c).bit_length() for c in f.coeffs())} bits has no factors here;"
                " measure the input in other units, so that its numbers are nearer to one"
            ) from error
        whole *= int(inner) ** int(e)
        fine.extend((g, int(e) * int(m)) for g, m in finer)
    return whole, fine
