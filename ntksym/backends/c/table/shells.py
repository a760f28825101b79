"""C of shells: the polynomials of a table of the whole dual, and what is beyond for the others.

Entries go through the shell of the smallest |rho|, but for blocks where it has none.  Those nearer
to rho = +-1 are collected and go through what is beyond: the next shell, or the table for all rho.
"""

from __future__ import annotations

from collections.abc import Callable

from ....numeric.table.shell.apart import AnyShell, Apart
from ...text import filled
from ..text import c_literal
from .bands import bands_text

CHUNK = 256
"""Entries beyond that go through at a time."""
EDGE = 1.0 + 2.0**-40
"""Entries so near to the edge of a shell are beyond it: there its rounding has no say."""


def shells_text(shells: tuple[AnyShell, ...], stem: str, beyond: Callable[[str], str]) -> str:
    """C99 that defines `<stem>_pairs` and `<stem>_diag`; it needs `ntksym.h`.

    `beyond` gives the text of the table for all rho, from its stem.
    """
    if not shells:
        return beyond(stem)
    shell = shells[0].shell
    assert shell is not None
    edge = shell.inner * EDGE
    text = shells_text(shells[1:], f"{stem}_beyond", beyond) + "\n"
    text += _shell(shells[0], f"{stem}_shell")
    marks = {"@STEM@": stem, "@CHUNK@": str(CHUNK), "@EDGE@": c_literal(edge * edge)}
    return text + filled(_TEXT, marks)


def _shell(shell: AnyShell, stem: str) -> str:
    if not isinstance(shell, Apart):
        return bands_text(shell, stem)
    text = bands_text(shell.value, f"{stem}_value") + bands_text(shell.dot, f"{stem}_dot")
    return text + filled(_BOTH, {"@STEM@": stem, "@CHUNK@": str(CHUNK)})


_BOTH = """/* Both duals, each from polynomials of its own. */
static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
    const double *root, double *nngp, double *dot)
{
  double unused[@CHUNK@];
  for (size_t at = 0; at < n; at += @CHUNK@) {
    const size_t b = n - at < @CHUNK@ ? n - at : @CHUNK@;
    @STEM@_value_pairs(b, q11 + at, q12 + at, q22 + at, root + at, nngp + at, unused);
    @STEM@_dot_pairs(b, q11 + at, q12 + at, q22 + at, root + at, dot + at, unused);
  }
}

"""

_TEXT = """/* Entries beyond the shell, by what is beyond. */
static void @STEM@_rest(size_t m, const size_t *slot, const double *q11, const double *q12,
    const double *q22, const double *root, double *nngp, double *dot)
{
  /* Compilers do not see that m > 0, and warn of numbers that are not there. */
  double a[@CHUNK@] = {0}, c[@CHUNK@] = {0}, b[@CHUNK@] = {0}, r[@CHUNK@] = {0};
  double value[@CHUNK@], slope[@CHUNK@];
  for (size_t i = 0; i < m; ++i) {
    a[i] = q11[slot[i]];
    c[i] = q12[slot[i]];
    b[i] = q22[slot[i]];
    r[i] = root[slot[i]];
  }
  @STEM@_beyond_pairs(m, a, c, b, r, value, slope);
  for (size_t i = 0; i < m; ++i) {
    nngp[slot[i]] = value[i];
    dot[slot[i]] = slope[i];
  }
}

static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
    const double *root, double *nngp, double *dot)
{
  enum { step = 64 };
  size_t slot[@CHUNK@], m = 0, from = 0;
  for (size_t at = 0; at < n; at += step) {
    const size_t end = n - at < step ? n : at + step;
    int some = 0, all = 1;
    for (size_t l = at; l < end; ++l) {
      const int near = root[l] * root[l] < @EDGE@ * (q11[l] * q22[l]);
      some |= near;
      all &= near;
    }
    const int full = some & (m + step > @CHUNK@);
    if (all | full | (end == n)) { /* blocks of entries beyond only do not go through the shell */
      const size_t to = all ? at : end;
      if (from < to)
        @STEM@_shell_pairs(to - from, q11 + from, q12 + from, q22 + from, root + from,
            nngp + from, dot + from);
      from = end;
    }
    if (!some) continue;
    if (full) {
      @STEM@_rest(m, slot, q11, q12, q22, root, nngp, dot);
      m = 0;
    }
    for (size_t l = at; l < end; ++l) {
      slot[m] = l;
      m += root[l] * root[l] < @EDGE@ * (q11[l] * q22[l]);
    }
  }
  if (m) @STEM@_rest(m, slot, q11, q12, q22, root, nngp, dot);
}

static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  @STEM@_beyond_diag(n, q, nngp, dot);
}

"""
