"""A unit of a range of variances that also takes rows of zeros, with their own polynomials."""

from __future__ import annotations

from dataclasses import dataclass

from ..lower.program import Program
from ..numeric.table.dual import SLACK
from ..numeric.table.zero import MeanBand, ZeroRow
from .c.backend import C
from .point_unit import TOLERANCE
from .text import upward
from .unit import DualUnit


@dataclass(frozen=True, slots=True)
class ZeroRowsUnit:
    """A `DualUnit` where a variance may also be exactly zero.

    Attributes:
        inner: the unit of the range; it gives NaN for a variance of zero.
        rows: what a row of zeros has with the others.
    """

    inner: DualUnit
    rows: ZeroRow

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the unit, and the bounds for rows of zeros."""
        r = self.rows
        return (
            *self.inner.notes,
            "A variance of exactly 0 is taken too: K = s(0) E[s(v)], and for the derivative",
            f"s'(0) E[s'(v)] with s'(0) = {r.slope:.6g}, at a kink the mean of its two sides; with",
            f"proven errors of at most {upward(r.error)} and {upward(r.slope_error)}, absolute.",
        )

    @property
    def programs(self) -> tuple[Program, ...]:
        """Those of the unit."""
        return self.inner.programs

    def c_functions(self, stem: str) -> str:
        """As in `DualUnit`."""
        body = ""
        for i, band in enumerate(self.rows.bands):
            last = i == len(self.rows.bands) - 1
            head = "  {" if last else f"  if (q <= {C.literal(band.high)}) {{"
            body += f"{head}\n{_band(band)}    return;\n  }}\n"
        text = _C.replace("@BANDS@", body)
        for key, value in self._numbers().items():
            text = text.replace(key, C.literal(value))
        return self.inner.c_functions(f"{stem}_some") + "\n" + text.replace("@STEM@", stem)

    def numpy_functions(self, stem: str) -> str:
        """As in `DualUnit`."""
        rows = "".join(
            f"    ({b.high!r}, {b.centre!r}, {b.half!r}, {b.value!r}, {b.slope!r}),\n"
            for b in self.rows.bands
        )
        text = _NUMPY.strip("\n").replace("@BANDS@", rows)
        for key, value in self._numbers().items():
            text = text.replace(key, repr(value))
        inner = self.inner.numpy_functions(f"{stem}_some").strip("\n")
        return f"{inner}\n\n\n{text}\n".replace("@STEM@", stem)

    def _numbers(self) -> dict[str, float]:
        r = self.rows
        slack = TOLERANCE if r.low == r.high else SLACK
        return {
            "@LOW@": r.low * (1.0 - slack),
            "@HIGH@": r.high * (1.0 + slack),
            "@VALUE@": r.value,
            "@SLOPE@": r.slope,
            "@OWN@": r.value * r.value,
            "@OWNDOT@": r.slope * r.slope,
        }


def _band(band: MeanBand) -> str:
    text = ""
    if band.half:
        centre, half = C.literal(band.centre), C.literal(band.half)
        text += f"    const double t = (sqrt(q) - {centre}) / ((sqrt(q) + {centre}) * {half});\n"
    for name, row in (("value", band.value), ("slope", band.slope)):
        text += f"    *{name} = {C.literal(row[-1])};\n"
        for c in row[-2::-1]:
            text += f"    *{name} = *{name} * t + {C.literal(c)};\n"
    return text


_C = """/* E[s(v)] and E[s'(v)] for v of variance q; NaN outside the range. */
static void @STEM@_mean(double q, double *value, double *slope)
{
  *value = *slope = NAN;
  if (!(q >= @LOW@ && q <= @HIGH@)) return;
@BANDS@}

/* A row of zeros with a row of variance q, which may be zero too. */
static void @STEM@_zero(double q, double *nngp, double *dot)
{
  double value, slope;
  if (q == 0.0) {
    *nngp = @OWN@;
    *dot = @OWNDOT@;
    return;
  }
  @STEM@_mean(q, &value, &slope);
  *nngp = @VALUE@ * value;
  *dot = @SLOPE@ * slope;
}

static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *nngp, double *dot)
{
  @STEM@_some_pairs(n, q11, q12, q22, root, nngp, dot);
  for (size_t i = 0; i < n; ++i)
    if (((q11[i] == 0.0) | (q22[i] == 0.0)) & (q12[i] == 0.0))
      @STEM@_zero(q11[i] == 0.0 ? q22[i] : q11[i], &nngp[i], &dot[i]);
}

static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  @STEM@_some_diag(n, q, nngp, dot);
  for (size_t i = 0; i < n; ++i)
    if (q[i] == 0.0) @STEM@_zero(0.0, &nngp[i], &dot[i]);
}
"""

_NUMPY = '''
@STEM@_MEANS = (
@BANDS@)
"""(largest variance, c, tau_0, coefficients of E[s(v)], of E[s'(v)]) by bands."""


def @STEM@_zero(q):
    """A row of zeros with rows of variance q, which may be zero too; NaN outside the range."""
    nngp, dot = np.full_like(q, np.nan), np.full_like(q, np.nan)
    low = @LOW@
    for k, (high, centre, half, value, slope) in enumerate(@STEM@_MEANS):
        high = @HIGH@ if k == len(@STEM@_MEANS) - 1 else high
        here = (q >= low) & (q <= high)
        low = np.nextafter(high, np.inf)
        root = np.sqrt(q[here])
        t = (root - centre) / ((root + centre) * half) if half else 0.0 * root
        for out, row, scale in ((nngp, value, @VALUE@), (dot, slope, @SLOPE@)):
            total = 0.0 * t + row[-1]
            for c in row[-2::-1]:
                total = total * t + c
            out[here] = scale * total
    nngp[q == 0.0], dot[q == 0.0] = @OWN@, @OWNDOT@
    return nngp, dot


def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast."""
    found = @STEM@_some_pairs(q11, q12, q22, root)
    none = ((q11 == 0.0) | (q22 == 0.0)) & (q12 == 0.0)
    if not np.any(none):
        return found
    shape = np.shape(found[0])
    none = np.broadcast_to(none, shape)
    other = np.broadcast_to(np.where(q11 == 0.0, q22, q11), shape)[none]
    out = tuple(np.array(f) for f in found)
    out[0][none], out[1][none] = @STEM@_zero(other)
    return out


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    nngp, dot = (np.array(f) for f in @STEM@_some_diag(q))
    none = np.broadcast_to(q == 0.0, np.shape(nngp))
    nngp[none], dot[none] = @OWN@, @OWNDOT@
    return nngp, dot
'''
