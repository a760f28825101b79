"""C for a split table: Chebyshev sums where |rho| <= edge_rho, the quadrature rule for the others.

`SplitUnit` is the dual as a `DualUnit`.  Variances of one row being equal, their polynomials are
summed once a row; then entries go through in lanes, those of either sign of q12 together.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....lower.program import Program
from ....numeric.table.split.table import SplitTable
from ...numpy.table.shells import shells_notes, shells_numpy
from ...numpy.table.split import notes, numpy_text
from ..quadrature import QuadratureUnit
from .chebyshev import sums
from .shells import shells_text


@dataclass(frozen=True, slots=True)
class SplitUnit:
    """A split table as code."""

    table: SplitTable

    @property
    def near(self) -> QuadratureUnit:
        """The rule for entries beyond the largest |rho|."""
        return QuadratureUnit(self.table.near)

    @property
    def notes(self) -> tuple[str, ...]:
        """What it is, the proven bounds, the range, and what happens beyond the largest |rho|."""
        return (
            *notes(self.table),
            *shells_notes(self.table.shells, self.table.missing),
            *self.near.notes,
        )

    @property
    def programs(self) -> tuple[Program, ...]:
        """Those of the rule."""
        return self.near.programs

    def c_functions(self, stem: str) -> str:
        """C99 that defines `<stem>_pairs` and `<stem>_diag`; it needs `ntksym.h`."""
        return shells_text(self.table.shells, stem, self._everywhere)

    def _everywhere(self, stem: str) -> str:
        far = self.table.far
        if far is None:
            return self.near.c_functions(stem)
        text = self.near.c_functions(f"{stem}_near") + "\n"
        near = (_BEYOND, "(fabs(q12[at + l]) / @LIMIT@ > p ? 2 : @SIDE@)", _ROOT, _CALL)
        return text + sums(far, stem, near, _LAST)

    def numpy_functions(self, stem: str) -> str:
        """NumPy that defines `<stem>_pairs` and `<stem>_diag`; `np` is NumPy."""
        far = self.table.far

        def beyond(own: str) -> str:
            if far is None:
                return self.near.numpy_functions(own)
            return self.near.numpy_functions(f"{own}_near") + numpy_text(far, own)

        return shells_numpy(self.table.shells, stem, beyond)


_BEYOND = """/* Entries beyond the largest |rho|, by the quadrature rule. */
static void @STEM@_beyond(size_t m, const unsigned char *slot, double q, const double *q12,
    const double *q22, const double *root, double *nngp, double *dot)
{
  double a[@LANES@], c[@LANES@], b[@LANES@], r[@LANES@], value[@LANES@], slope[@LANES@];
  for (size_t l = 0; l < m; ++l) {
    a[l] = q;
    c[l] = q12[slot[l]];
    b[l] = q22[slot[l]];
    r[l] = root[slot[l]];
  }
  @STEM@_near_pairs(m, a, c, b, r, value, slope);
  for (size_t l = 0; l < m; ++l) {
    nngp[slot[l]] = value[l];
    dot[slot[l]] = slope[l];
  }
}

"""

_CALL = """      for (size_t l = 0; l < b; ++l)
        if (kind[l] == 2) slot[m++] = (unsigned char)l;
      if (m) @STEM@_beyond(m, slot, q, q12 + at, q22 + at, root + at, nngp + at, dot + at);
"""

_LAST = "  (void)@STEM@_near_diag;\n"
_ROOT = "sqrt((p - c > 0.0 ? p - c : 0.0) * (p + c))"
