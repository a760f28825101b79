"""Expectations that stay two-dimensional: neither function has a closed conditional mean."""

from __future__ import annotations

from typing import Any

from .lattice import lattice
from .law import Law
from .pieces import Piece
from .tensor import tensor


def planar(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Any:
    """An enclosure (`arb`) of E[f(u) g(v)] with a radius of about `tol`; q11, q22, det > 0.

    Functions analytic in a strip go to the lattice sum; with kinks, or very near correlation one,
    to Gauss-Legendre panels.
    """
    value = lattice(f, g, law, tol)
    return tensor(f, g, law, tol) if value is None else value
