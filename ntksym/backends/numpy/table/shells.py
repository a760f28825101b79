"""NumPy of shells: the polynomials of a table of the whole dual, and what is beyond."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap

from ....numeric.table.bands.banded import BandedDual
from ...text import filled, upward
from .bands import bands_numpy

EDGE = 1.0 + 2.0**-40
"""Entries so near to the edge of a shell are beyond it: there its rounding has no say."""
_WIDE = 92


def shells_notes(shells: tuple[BandedDual, ...], missing: str = "") -> tuple[str, ...]:
    """The lines of the head: which entries take which polynomials, and their proven bounds.

    `missing` says why no entries do.
    """
    lines = []
    if missing and not shells:
        said = f"No polynomials of the whole dual, which are faster away from rho = 1: {missing}."
        lines += wrap(said, _WIDE, break_long_words=False, break_on_hyphens=False)
    for t in shells:
        assert t.shell is not None
        value, dot = (max(sheets) for sheets in _errors(t))
        lines.append(
            f"For sqrt(1 - rho^2) >= {t.shell.inner:.6g} polynomials of the whole dual instead, and"
        )
        lines.append("their derivatives.  Proven bounds in the same sense, rounding counted:")
        lines.append(f"  value {upward(value)}, derivative {upward(dot)}.")
    return tuple(lines)


def _errors(t: BandedDual) -> tuple[list[float], list[float]]:
    return [p.value.error for p in t.pairs], [p.dot.error for p in t.pairs]


def shells_numpy(shells: tuple[BandedDual, ...], stem: str, beyond: Callable[[str], str]) -> str:
    """Python that defines `<stem>_pairs(q11, q12, q22, root=None)` and `<stem>_diag(q)`.

    `beyond` gives the text of the table for all rho, from its stem.
    """
    if not shells:
        return beyond(stem)
    shell = shells[0].shell
    assert shell is not None
    edge = shell.inner * EDGE
    text = shells_numpy(shells[1:], f"{stem}_beyond", beyond).rstrip("\n") + "\n\n\n"
    text += bands_numpy(shells[0], f"{stem}_shell").rstrip("\n")
    return text + filled(_TEXT, {"@STEM@": stem, "@EDGE@": repr(edge * edge)})


_TEXT = '''


def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast.  NaN outside the range of the table."""
    q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
    root = _rootdet(q11, q12, q22) if root is None else np.asarray(root, dtype=np.float64)
    value, dot = (np.array(v) for v in @STEM@_shell_pairs(q11, q12, q22, root))
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.broadcast_to(root * root < @EDGE@ * (q11 * q22), value.shape)
    if np.any(near):
        given = (np.broadcast_to(v, value.shape)[near] for v in (q11, q12, q22, root))
        value[near], dot[near] = @STEM@_beyond_pairs(*given)
    return value[()], dot[()]


@STEM@_diag = @STEM@_beyond_diag
'''
