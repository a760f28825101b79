"""One trapezoid rule for a whole range of variances: what code without branches by entry takes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from ...errors import Undecided
from .dual import QuadratureDual, quadrature_dual, rated
from .lattice import choose_lattice
from .subject import subject_of


@lru_cache(maxsize=32)
def single_lattice(text: str, lo: Fraction, hi: Fraction, error: float) -> QuadratureDual:
    """The dual of a smooth activation by one `LatticeRule`, its bounds proven.

    Args:
        text: the activation.
        lo: the least variance of the relative bounds.
        hi: the largest variance.
        error: as in `quadrature_dual`.

    Raises:
        Undecided: the activation has kinks, or no such rule reaches the error.
        BadActivation, NotSquareIntegrable: as `quadrature_dual`.
    """
    whole = quadrature_dual(text, variances=(hi, hi), error=error)
    subject = subject_of(whole.activation, {})
    if not subject.smooth:
        raise Undecided(f"{subject.expr} is no smooth function: the trapezoid rule has no bound")
    level = rated(subject, (lo, lo, hi), error, lambda goals: choose_lattice(subject, hi, goals))
    return replace(whole, subject=subject, variances=(lo, hi), levels=(level,))
