r"""Half angles of waves, unwound between kinks: $2\arctan\frac{\sin u}{1+|\cos u|}$ is u, turned.

arcsin(sin u) and arccos(cos u) are so written, for all real u.  With the sign $\sigma$ of cos u the
fraction is $\tan\frac u2$ or $\tan(\frac\pi2-\frac u2)$, and it is at most 1 in size.  Between two
zeros of cos u, where u is continuous, its arctangent is therefore that angle less one multiple of
$\pi$: a triangle wave is made of straight lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy import Expr

from ...symbols import x
from ..evaluate import constant, real_ball
from ..surd import Surd
from .continuity import continuous

_OTHER: dict[Any, Any] = {sp.sin: sp.cos, sp.cos: sp.sin}


def unwound(fraction: Expr, at: Surd, sign: Callable[[Expr, Surd], int]) -> Expr | None:
    r"""The arctangent of $\pm\frac{\sin u}{1+|\cos u|}$ as an angle; None for other fractions.

    It is that near a point; sin and cos may change places.  The angle is in u as it is written,
    kinks and all.

    Args:
        fraction: in the symbol `x`.
        at: the point, at no zero of the function in the denominator.
        sign: gives the sign of a function at a point.
    """
    coefficient, rest = fraction.as_independent(x, as_Add=False)
    if coefficient not in (1, -1) or not isinstance(rest, sp.Mul) or len(rest.args) != 2:
        return None
    wave: Any = next((a for a in rest.args if isinstance(a, tuple(_OTHER))), None)
    if wave is None:
        return None
    u, other = wave.args[0], _OTHER[type(wave)](wave.args[0])
    if rest != wave / (1 + sp.Abs(other)) or not continuous(u):
        return None
    same = sign(other, at)
    if isinstance(wave, sp.sin):
        angle = u / 2 if same > 0 else (sp.pi - u) / 2
    else:
        angle = (sp.pi / 2 - u * same) / 2
    turns = real_ball(constant(angle / sp.pi, {x: at}), angle).mid()
    return coefficient * (angle - sp.pi * round(float(turns)))
