"""C for a dyadic table: an interval by the exponent of t, value and slope in one Horner's rule.

`DyadicUnit` is the dual as a `DualUnit`.  The rounding of the arithmetic is part of the bound that
the table states.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....lower.program import Program
from ....numeric.table.dual import SLACK
from ....numeric.table.dyadic.table import DyadicTable
from ...numpy.table.dyadic import interleaved, notes, numpy_text
from ...text import filled
from ..text import array, c_literal

LANES = 64


@dataclass(frozen=True, slots=True)
class DyadicUnit:
    """A dyadic table as code."""

    table: DyadicTable

    @property
    def notes(self) -> tuple[str, ...]:
        """What it is, the proven bounds, the variance."""
        return notes(self.table)

    @property
    def programs(self) -> tuple[Program, ...]:
        """None: there is no straight-line program inside."""
        return ()

    def c_functions(self, stem: str) -> str:
        """C99 that defines `<stem>_pairs` and `<stem>_diag`; it needs `ntksym.h`."""
        t = self.table
        rows = interleaved(t)
        text = array(f"{stem}_rows", [v for row in rows for v in row], per_line=len(rows[0]))
        steps = "".join(
            f"      k = NTKSYM_MADD(k, x, row[{m}]);\n      d = NTKSYM_MADD(d, x, row[{m + 1}]);\n"
            for m in range(len(rows[0]) - 4, -1, -2)
        )
        text += _TEXT.replace("@STEPS@", steps)
        return filled(
            text,
            {
                "@STEM@": stem,
                "@LAST@": str(t.panels),
                "@BELOW@": str(t.panels + 1),
                "@WIDTH@": str(len(rows[0])),
                "@TOP@": str(len(rows[0]) - 2),
                "@LANES@": str(LANES),
                "@Q@": c_literal(t.low),
                "@NEAR@": c_literal(t.low * SLACK),
                "@VALUE@": c_literal(t.value.diag),
                "@SLOPE@": c_literal(t.dot.diag),
            },
        )

    def numpy_functions(self, stem: str) -> str:
        """NumPy that defines `<stem>_pairs` and `<stem>_diag`; `np` is NumPy."""
        return numpy_text(self.table, stem)


_TEXT = """
/* t = tan(theta/2) in [2^-(i+1), 2^-i] has the line i, coefficients of nngp and dot in turn; all
   below the last interval has the last line; those of q12 < 0 come after. */
static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *nngp, double *dot)
{
  double xs[@LANES@];
  int at[@LANES@];
  for (size_t start = 0; start < n; start += @LANES@) {
    const size_t b = n - start < @LANES@ ? n - start : @LANES@;
    const double *c = q12 + start, *r = root + start, *u = q11 + start, *v = q22 + start;
    double t[@LANES@];
    uint64_t bits[@LANES@];
    for (size_t l = 0; l < b; ++l) {
      const int ok = (fabs(u[l] - @Q@) <= @NEAR@) & (fabs(v[l] - @Q@) <= @NEAR@);
      t[l] = ok ? r[l] / (@Q@ + fabs(c[l])) : NAN;
    }
    memcpy(bits, t, b * sizeof *bits);
    for (size_t l = 0; l < b; ++l) {
      int i = 1022 - (int)((bits[l] >> 52) & 2047);
      i = i < 0 ? 0 : i > @LAST@ ? @LAST@ : i;
      const uint64_t power = (uint64_t)(1025 + i) << 52;
      double scale;
      memcpy(&scale, &power, sizeof scale);
      xs[l] = scale * t[l] - 3.0;
      at[l] = i + (c[l] < 0.0 ? @BELOW@ : 0);
    }
    for (size_t l = 0; l < b; ++l) {
      const double x = xs[l], *row = @STEM@_rows + @WIDTH@ * at[l];
      double k = row[@TOP@], d = row[@TOP@ + 1];
@STEPS@      nngp[start + l] = k;
      dot[start + l] = d;
    }
  }
}

static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  for (size_t l = 0; l < n; ++l) {
    const int ok = fabs(q[l] - @Q@) <= @NEAR@;
    nngp[l] = ok ? @VALUE@ : NAN;
    dot[l] = ok ? @SLOPE@ : NAN;
  }
}
"""
