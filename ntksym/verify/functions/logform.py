"""Functions of the form a + b log|x|, read from their smooth pieces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy import Expr

from ...symbols import x
from ..evaluate import constant, real_ball
from .pieces import Piece


@dataclass(frozen=True, slots=True)
class Log:
    """offset + slope*log|x|."""

    offset: Expr
    slope: Expr

    def values(self) -> tuple[Any, Any]:
        """Both as `arb` at the working precision."""
        return tuple(real_ball(constant(e, {}), e) for e in (self.offset, self.slope))  # type: ignore[return-value]


@lru_cache(maxsize=256)
def logarithm(pieces: tuple[Piece, ...]) -> Log | None:
    """The function a + b log|x|, b != 0, or None where the pieces are anything else."""
    if len(pieces) != 2 or pieces[0].hi != 0:
        return None
    right, left = _log(pieces[1].expr, x), _log(pieces[0].expr, -x)
    return right if right is not None and right == left else None


def _log(expr: Expr, size: Expr) -> Log | None:
    offset, slope = sp.Integer(0), sp.Integer(0)
    for term in sp.Add.make_args(sp.expand(expr)):
        rest, f = term.as_independent(x, as_Add=False)
        if f == 1:
            offset += rest
            continue
        if not isinstance(f, sp.log):
            return None
        factor = f.args[0] / size
        if factor.has(x) or not factor.is_positive:
            return None
        offset, slope = offset + rest * sp.log(factor), slope + rest
    return Log(offset, slope) if slope != 0 else None
