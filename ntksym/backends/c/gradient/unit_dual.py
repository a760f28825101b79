"""C of the derivatives of a dual that is a mixture, a table, a series or a rule, for an export."""

from __future__ import annotations

from ..._base import SourceFile, identifier
from ..backend import Contract
from .dual import DOC, named
from .units import UnitSlopes, unit_slopes_file

PLANES = (
    "nngp", "dot", "nngp/q11", "dot/q11", "nngp/q12", "dot/q12", "nngp/q22", "dot/q22",
    "nngp/polar q11", "dot/polar q11", "nngp/polar angle", "dot/polar angle",
    "nngp/polar q22", "dot/polar q22",
)  # fmt: skip


def gradient_file(name: str, kind: UnitSlopes, smooth: bool, contract: Contract) -> SourceFile:
    """The C file with `ntksym_<name>_gradient` and the names of its planes.

    `smooth`: the activation has no kink.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    safe = identifier(name, set()).rstrip("_")
    stem = f"ntksym_{safe}_gradient"
    text = unit_slopes_file((kind,), contract).text
    text = text.replace("void ntksym_units_", "NTKSYM_BLOCK_FUNCTION void ")
    inner = _SLOPES if kind.in_c else _TURNS.replace("@SMOOTH@", "smooth_" * smooth)
    doc = DOC.replace("@PLANES@", "\n".join(f" *   {i}: {t}" for i, t in enumerate(PLANES)))
    text += "\n" + named(stem, PLANES) + doc.replace("@COUNT@", str(len(PLANES)))
    text += _ENTRY.replace("@STEM@", stem).replace("@INNER@", inner.rstrip("\n"))
    return SourceFile(f"{safe}_gradient.c", text)


_ENTRY = r"""void @STEM@(size_t n, const double *q11, const double *q12, const double *q22,
    double *out_)
{
  enum { CHUNK = 64 };
  double root[CHUNK], k[CHUNK], d[CHUNK];
  for (size_t at = 0; at < n; at += CHUNK) {
    const size_t b = n - at < CHUNK ? n - at : CHUNK;
    const double *x = q11 + at, *c = q12 + at, *y = q22 + at;
    double *to = out_ + at;
    for (size_t i = 0; i < b; ++i) root[i] = ntksym_op_rootdet(x[i], c[i], y[i]);
    pairs0(b, x, c, y, root, k, d);
@INNER@
    for (size_t i = 0; i < b; ++i) {
      to[i] = k[i];
      to[n + i] = d[i];
    }
  }
}
"""

_SLOPES = r"""    double rows[5 * CHUNK];
    polar0(b, x, c, y, root, d, rows);
    for (size_t i = 0; i < b; ++i) {
      const double first = ntksym_op_div0(0.5 * c[i], x[i]), bend = rows[3 * b + i];
      const double second = ntksym_op_div0(0.5 * c[i], y[i]);
      to[2 * n + i] = rows[i] - first * d[i];
      to[3 * n + i] = rows[2 * b + i] - first * bend;
      to[4 * n + i] = d[i];
      to[5 * n + i] = bend;
      to[6 * n + i] = rows[b + i] - second * d[i];
      to[7 * n + i] = rows[4 * b + i] - second * bend;
      to[8 * n + i] = rows[i];
      to[9 * n + i] = rows[2 * b + i];
      to[10 * n + i] = -root[i] * d[i];
      to[11 * n + i] = -root[i] * bend;
      to[12 * n + i] = rows[b + i];
      to[13 * n + i] = rows[4 * b + i];
    }
"""
"""From the derivatives of sums over nodes."""

_TURNS = r"""    double k1[CHUNK], d1[CHUNK], k2[CHUNK], d2[CHUNK];
    double kt[CHUNK], dt[CHUNK], kc[CHUNK], dc[CHUNK];
    moves0(b, x, c, y, root, k, k1, d1);
    moves0(b, y, c, x, root, k, k2, d2);
    @SMOOTH@turns0(b, x, c, y, root, kt, dt, kc, dc);
    for (size_t i = 0; i < b; ++i) {
      const double first = 0.5 * c[i] / x[i], second = 0.5 * c[i] / y[i];
      to[2 * n + i] = k1[i] - first * d[i];
      to[3 * n + i] = d1[i] - first * dc[i];
      to[4 * n + i] = d[i];
      to[5 * n + i] = dc[i];
      to[6 * n + i] = k2[i] - second * d[i];
      to[7 * n + i] = d2[i] - second * dc[i];
      to[8 * n + i] = k1[i];
      to[9 * n + i] = d1[i];
      to[10 * n + i] = kt[i];
      to[11 * n + i] = dt[i];
      to[12 * n + i] = k2[i];
      to[13 * n + i] = d2[i];
    }
"""
"""From slopes of polynomials in the variances, and in the angle of the values."""
