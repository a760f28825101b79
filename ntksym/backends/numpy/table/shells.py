"""NumPy of shells: the polynomials of a table of the whole dual, and what is beyond."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap

from ....numeric.table.shell.apart import AnyShell, Apart, shell_errors
from ...text import filled, upward
from .bands import bands_numpy

EDGE = 1.0 + 2.0**-40
"""Entries so near to the edge of a shell are beyond it: there its rounding has no say."""
_WIDE = 92


def shells_notes(shells: tuple[AnyShell, ...], missing: str = "") -> tuple[str, ...]:
    """The lines of the head: which entries take which polynomials, and their proven bounds.

    `missing` says why no entries do.
    """
    lines = []
    if missing and not shells:
        said = f"No polynomials of the whole dual, which are faster away from rho = 1: {missing}."
        lines += wrap(said, _WIDE, break_long_words=False, break_on_hyphens=False)
    for t in shells:
        assert t.shell is not None
        value, dot = shell_errors(t)
        what = "others of the derivative" if isinstance(t, Apart) else "their derivatives"
        lines.append(
            f"For sqrt(1 - rho^2) >= {t.shell.inner:.6g} polynomials of the whole dual instead, and"
        )
        lines.append(f"{what}.  Proven bounds in the same sense, rounding counted:")
        lines.append(f"  value {upward(value)}, derivative {upward(dot)}.")
    return tuple(lines)


def _shell(shell: AnyShell, stem: str) -> str:
    if not isinstance(shell, Apart):
        return bands_numpy(shell, stem).rstrip("\n")
    both = ((shell.value, "value"), (shell.dot, "dot"))
    text = "\n\n\n".join(bands_numpy(t, f"{stem}_{name}").rstrip("\n") for t, name in both)
    return text + _BOTH.replace("@STEM@", stem)


def shells_numpy(shells: tuple[AnyShell, ...], stem: str, beyond: Callable[[str], str]) -> str:
    """Python that defines `<stem>_pairs(q11, q12, q22, root=None)` and `<stem>_diag(q)`.

    `beyond` gives the text of the table for all rho, from its stem.
    """
    if not shells:
        return beyond(stem)
    shell = shells[0].shell
    assert shell is not None
    edge = shell.inner * EDGE
    text = shells_numpy(shells[1:], f"{stem}_beyond", beyond).rstrip("\n") + "\n\n\n"
    text += _shell(shells[0], f"{stem}_shell")
    return text + filled(_TEXT, {"@STEM@": stem, "@EDGE@": repr(edge * edge)})


_BOTH = '''


def @STEM@_pairs(q11, q12, q22, root):
    """The pair (nngp, dot), each from polynomials of its own."""
    own = (f(q11, q12, q22, root)[0] for f in (@STEM@_value_pairs, @STEM@_dot_pairs))
    return tuple(own)
'''
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
