"""The C of the closed dual of truncated powers, of which tables with kinks away from 0 are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from unit_cases import call, compiled, exported

from ntksym.backends.c.table.kinks import KinkUnit
from ntksym.numeric.table.chebyshev import ChebyshevTable
from ntksym.numeric.table.dual import Sheet
from ntksym.numeric.table.split.closed import Closed, Digits
from ntksym.numeric.table.split.kinks import KinkTable
from ntksym.numeric.table.variances import Axis

LOW, HIGH = 0.25, 4.0
CLOSED = Closed(
    (-0.5, 0.0, 1.5),
    2.0,
    ((0.0, 1.0, -0.5), (0.5, 0.25, 1.0), (0.0, -1.0, 0.75)),
    ((1.0, -1.0, -2.0, 1.0), (0.25, 1.0, -0.5, -2.0), (-1.0, 1.5, 2.0, -1.5)),
)


def alone(closed: Closed) -> KinkTable:
    """A table with nothing beside the closed part."""
    axis, nothing = Axis.over(LOW, HIGH), Sheet((((0.0,),),), (), 1, (0.0,), 0.0, ())
    ends = LOW, HIGH, axis.centre, axis.half, 1.0, 1.0
    return KinkTable("p", "p", ChebyshevTable(*ends, nothing, nothing, 2, 2), closed, (0, 0.0))


def test_pairs_of_kinks_are_the_closed_form(tmp_path: Path) -> None:
    """Either side of 0, at 0, and of two places, up to entries that are nearly proportional."""
    text = exported(KinkUnit(alone(CLOSED)))
    lib, where = Digits(25), []
    for q11, q22 in ((0.25, 4.0), (1.0, 1.0), (2.0, 2.0625), (4.0, 3.5)):
        for sine, sign in ((1e-6, 1), (0.02, 1), (0.2, -1), (0.7, 1), (1e-4, -1)):
            exact = [lib.mp.mpf(v) for v in (q11, q22)]
            product = lib.mp.sqrt(exact[0] * exact[1])
            q12 = sign * float(product * lib.mp.sqrt(1 - lib.mp.mpf(sine) ** 2))
            root = lib.mp.sqrt(exact[0] * exact[1] - lib.mp.mpf(q12) ** 2)
            where.append((exact[0], lib.mp.mpf(q12), exact[1], root))
    right = np.array([[float(v) for v in CLOSED.at(*entry, lib)] for entry in where]).T
    columns: Any = np.array([[float(v) for v in entry] for entry in where]).T
    found = np.array(call(compiled(text, tmp_path), "run", *columns))
    assert np.max(np.abs(found - right)) < 2e-15


def test_what_pairs_of_kinks_share_is_made_once() -> None:
    """The orthant has the tails and densities that the moments at its edges need."""
    text = KinkUnit(alone(CLOSED)).c_functions("unit")
    assert "ntksym_block_tails(" not in text
    assert text.count("ntksym_block_Phi2(") == 1 and "if ((k == 0.0) & (m == 0.0))" in text
