r"""C for the slopes of a table of a range in the first variance, at a fixed correlation.

A table's values are linear in a row of coefficients, polynomials in $\tau(\sqrt{q_{11}})$.  With
their derivatives in place of the row, the code of the values gives derivatives of both duals:
`<stem>_moves` is `<stem>_pairs` with another row.  Those in the second variance are the same with
the two inputs exchanged.
"""

from __future__ import annotations

from ....numeric.table.bands.banded import BandedDual
from ...unit import DualUnit
from ..table.bands import WIDE as BANDS_WIDE
from ..table.bands import band_of
from ..table.folded import WIDE as FOLDED_WIDE
from ..table.point import TableUnit


def moving_table(unit: DualUnit) -> BandedDual | None:
    """The table of a unit whose polynomials have slopes in the variances, or None."""
    if not isinstance(unit, TableUnit) or unit.table.single:
        return None
    return unit.table if isinstance(unit.table, BandedDual) else BandedDual.of(unit.table)


def moved_text(table: BandedDual, stem: str, values: str) -> str:
    r"""C99 that defines `<stem>_moved`; `values` is the code of the table, which comes first.

    `<stem>_moved(n, q11, q12, q22, root, nngp, of_nngp, of_dot)`: from K, `nngp`, the derivatives
    in $q_{11}$ of K and of the derivative dual, at fixed $q_{22}$ and angle; NaN outside the range.
    """
    start = values.index(
        f"static void {stem}_group(" if table.folded else f"static void {stem}_pairs("
    )
    pairs = values[start : values.index(f"static const double {stem}_diag_k")]
    names = ("pairs", "moves"), ("row", "move"), *((("group", "steps"),) if table.folded else ())
    for old, new in names:
        pairs = pairs.replace(f"{stem}_{old}(", f"{stem}_{new}(")
    for part in (0, 1):  # parts that are one number
        pairs = pairs.replace(f"e->more[{part}]", "0.0")
    row, wide = (_FOLDED, FOLDED_WIDE) if table.folded else (_BANDS, BANDS_WIDE)
    last = _LAST.replace("@BAND@", band_of(table, "q11[l]"))
    last = last.replace("@OWN@", "0.5 * nngp[l] / q11[l] + " if table.weighted else "")
    return (
        (row + pairs.rstrip("\n") + "\n" + last)
        .replace("@WIDE@", str(wide))
        .replace("@STEM@", stem)
    )


_FOLDED = """
/* The derivatives in tau of the powers of a row. */
NTKSYM_FUSED static void @STEM@_move(const @STEM@_entry *e, double tau, double *row,
    float *low)
{
  enum { parts = @WIDE@ / (int)(sizeof(ntksym_lanes) / sizeof(double)) };
  const ntksym_lanes zero = {0.0};
  const int wide = e->wide, wide_low = e->low_wide;
  for (int v = 0; v < wide; v += @WIDE@) {
    ntksym_lanes sum[parts], slope[parts], next;
    const int deep = e->depth[v / @WIDE@];
    const double *from = e->from + v + deep * wide;
    for (int u = 0; u < parts; ++u) sum[u] = slope[u] = zero;
    for (int i = 0; i < deep; ++i) {
      from -= wide;
      for (int u = 0; u < parts; ++u) {
        memcpy(&next, from + u * @STEM@_many, sizeof next);
        slope[u] = slope[u] * tau + sum[u];
        sum[u] = sum[u] * tau + next;
      }
    }
    for (int u = 0; u < parts; ++u) memcpy(row + v + u * @STEM@_many, &slope[u], sizeof next);
  }
  enum { small = 2 * @WIDE@ / @STEM@_floats };
  const ntksym_floats none = {0.0f};
  const float tau_low = (float)tau;
  for (int v = 0; v < wide_low; v += 2 * @WIDE@) {
    ntksym_floats sum[small], slope[small], next;
    const int deep = e->low_depth[v / (2 * @WIDE@)];
    const float *from = e->low + v + deep * wide_low;
    for (int u = 0; u < small; ++u) sum[u] = slope[u] = none;
    for (int i = 0; i < deep; ++i) {
      from -= wide_low;
      for (int u = 0; u < small; ++u) {
        memcpy(&next, from + u * @STEM@_floats, sizeof next);
        slope[u] = slope[u] * tau_low + sum[u];
        sum[u] = sum[u] * tau_low + next;
      }
    }
    for (int u = 0; u < small; ++u) memcpy(low + v + u * @STEM@_floats, &slope[u], sizeof next);
  }
}

"""

_BANDS = """
/* The derivatives in tau of the powers of a row. */
NTKSYM_FUSED static void @STEM@_move(const @STEM@_entry *e, double tau, double *row)
{
  enum { parts = @WIDE@ / (int)(sizeof(ntksym_lanes) / sizeof(double)) };
  const unsigned char *depth = e->depth;
  const ntksym_lanes zero = {0.0};
  for (int j = 0; j < e->powers; ++j) {
    const double *from = e->from + j * e->outer;
    for (int v = 0; v < e->vectors; ++v) {
      ntksym_lanes sum[parts], slope[parts], next;
      for (int u = 0; u < parts; ++u) sum[u] = slope[u] = zero;
      for (int i = *depth++; i-- > 0;) {
        for (int u = 0; u < parts; ++u) {
          memcpy(&next, from + i * e->inner + u * @STEM@_many, sizeof next);
          slope[u] = slope[u] * tau + sum[u];
          sum[u] = sum[u] * tau + next;
        }
      }
      for (int u = 0; u < parts; ++u) memcpy(row + u * @STEM@_many, &slope[u], sizeof next);
      row += @WIDE@;
      from += @WIDE@;
    }
  }
}

"""

_LAST = """
/* From K, the derivatives in q11 of K and of its derivative dual at fixed q22 and angle. */
static void @STEM@_moved(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, const double *nngp, double *of_nngp, double *of_dot)
{
  @STEM@_moves(n, q11, q12, q22, root, of_nngp, of_dot);
  for (size_t l = 0; l < n; ++l) {
    const double s = sqrt(q11[l]), *axis = @STEM@_axis[@BAND@], apart = s + axis[2];
    const double rate = 0.5 * (axis[0] + axis[2]) / (s * apart * apart * axis[1]);
    of_nngp[l] = @OWN@rate * of_nngp[l];
    of_dot[l] = rate * of_dot[l];
  }
}
"""
