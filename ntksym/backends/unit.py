"""What a generated network needs of a dual that is not one straight-line program."""

from __future__ import annotations

from typing import Protocol

from ..lower.program import Program


class DualUnit(Protocol):
    """A dual as code: text in C and in NumPy with two functions each.

    The activation's parameters are numbers by then.  Outside the range where its bound holds, a
    unit gives NaN; NaN in gives NaN out.
    """

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for the head of the file: formula, proven bound, range of validity."""
        ...

    @property
    def programs(self) -> tuple[Program, ...]:
        """The straight-line programs inside, so that their operations get their support code."""
        ...

    def c_functions(self, stem: str) -> str:
        """C99 that defines `static void <stem>_pairs` and `static void <stem>_diag`.

        `<stem>_pairs(size_t n, const double *q11, const double *q12, const double *q22,
        const double *root, double *nngp, double *dot)`, where root is an accurate
        sqrt(q11*q22 - q12^2), and `<stem>_diag(size_t n, const double *q, double *nngp,
        double *dot)`.  The file includes `ntksym.h`.
        """
        ...

    def numpy_functions(self, stem: str) -> str:
        """Python that defines `<stem>_pairs(q11, q12, q22, root=None)` and `<stem>_diag(q)`.

        Both broadcast and return (nngp, dot); `np` is NumPy, and `_rootdet(q11, q12, q22)` is
        there.
        """
        ...
