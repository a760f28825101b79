"""Beyond which variance slopes in modules of arrays are differences of values, as measured.

Closed forms of slopes are compared with differences (`backends.array.settled`) where pairs are far
from parallel: where the two disagree the closed forms are not right.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import Any

import numpy as np

from ..backends import SourceFile
from ..backends.array.settled import COMMON, settled_host
from ..backends.numpy.backend import used_helpers
from ..backends.numpy.helpers import helpers
from ..backends.numpy.scales import scale_functions
from ..dual import Dual
from ..gradients import dual_gradients
from ..lower import lower_dual_diag
from ..lower.direct_where import numbers_for
from ..lower.program import Program
from ..lower.settled import Settled, kink_places, settled_dual
from ..runtime.engines import load_module
from ..runtime.gradients.steps import numeric

DEVIATIONS = 2.0 ** np.concatenate([np.arange(1, 16), np.arange(16, 80, 4), np.arange(80, 480, 25)])
"""Standard deviations that are tried."""
COSINES = np.array([[0.4], [-0.7]])
UNLIKE = 1.25
"""Ratio of the two standard deviations."""
LOST = 5e-13
"""Difference, in units of the kernel's size over the variances, from which digits are lost."""


def settled_of(found: Dual) -> Settled | None:
    """What slopes of a dual need at large variances; None where closed forms hold at any.

    Parameters have the numbers of `numbers_for`.
    """
    program = settled_dual(found)
    return settled_as(program, found) if program is not None else None


def settled_as(program: Program, found: Dual) -> Settled | None:
    """The same with another program of the same dual."""
    beyond = beyond_which(found)
    return Settled(program, *beyond, kink_places(found)) if min(beyond) < inf else None


@lru_cache(maxsize=128)
def beyond_which(found: Dual) -> tuple[float, float]:
    """`Settled.beyond` and `Settled.turning`; infinity: closed forms hold as far as was tried."""
    program = settled_dual(found)
    if program is None:
        return inf, inf
    numbers = {k: float(v) for k, v in numbers_for(found.activation.params).items()}
    given = tuple(numbers[a] for a in program.args[4:])
    r11, cosine = np.broadcast_arrays(DEVIATIONS, COSINES)
    r22 = UNLIKE * r11
    x, y, length = r11 * r11, r22 * r22, r11 * r22
    c, root = cosine * length, np.sqrt(1.0 - cosine * cosine) * length
    closed, diagonal = dual_gradients(found).program(), lower_dual_diag(found)
    with np.errstate(all="ignore"):
        right = _slopes(Settled(program, inf, inf))(x, c, y, root, *(0.0 * x + v for v in given))
        at = {"q11": x, "q12": c, "q22": y, **{k: np.asarray(v) for k, v in numbers.items()}}
        run = numeric((closed, diagonal))
        o = run(closed, at)
        ends = [run(diagonal, {"q": q, **at}) for q in (x, y)]
        lost = np.zeros(c.shape, dtype=bool)
        for k, name in (("n", "nngp"), ("t", "dot")):
            size = np.sqrt(ends[0][name]) * np.sqrt(ends[1][name])
            unit = np.maximum(abs(right["dot"]) if k == "t" else 0.0, size)
            bend = o["dot"] if k == "n" else -right["t_a"] / root
            for label, q, variable in (("x", x, "q11"), ("y", y, "q22")):
                off = abs(o[f"{name}_{variable}"] + 0.5 * c / q * bend - right[f"{k}_{label}"]) * q
                lost |= ~(off <= LOST * unit)
        unit = np.maximum(abs(right["t_a"]), unit * (root / length))
        turned = ~(abs(o["dot_q12"] * root + right["t_a"]) <= LOST * unit)
    return _until(lost | turned), _until(turned)


def _until(lost: Any) -> float:
    """The largest variance before any of these is lost."""
    bad = lost.any(axis=0)
    first = int(np.argmax(bad))
    return float(DEVIATIONS[first - 1] ** 2 if first else 0.0) if bad.any() else inf


def _slopes(settled: Settled) -> Any:
    """The function of slopes by differences that the modules have."""
    programs = (settled.program,)
    pieces = ["import numpy as np", helpers(used_helpers(programs)), *scale_functions(programs)]
    pieces += [COMMON.strip("\n"), settled_host(settled, "_dual")]
    text = "\n\n\n".join(filter(None, pieces)) + "\n"
    slopes: Any = load_module(SourceFile("settled.py", text), keep=False)._dual_slopes
    return slopes
