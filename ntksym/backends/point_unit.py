"""A unit for one variance, for variances that are that number up to the rounding of data."""

from __future__ import annotations

from dataclasses import dataclass

from ..lower.program import Program
from .c.backend import C
from .tolerance import TOLERANCE as TOLERANCE
from .unit import DualUnit

_LANES = 64


@dataclass(frozen=True, slots=True)
class PointUnit:
    r"""A `DualUnit` of one variance $q_0$, with a tolerance.

    Inputs of variances $q_{11}, q_{22}$ within `TOLERANCE` of $q_0$, relatively, are scaled to it:
    the values are exactly those of inputs that differ by less than that.  The factor
    $q_0/\sqrt{q_{11}q_{22}}$ is $2 - (q_{11} + q_{22})/(2q_0)$ up to the square of the tolerance.

    Attributes:
        inner: the unit at $q_0$.
        variance: $q_0$.
    """

    inner: DualUnit
    variance: float

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the unit, the tolerance, and what a covariance that is none becomes."""
        said = (
            f"Variances within {TOLERANCE:g} of {self.variance:.17g}, relatively, count as it: the "
            "inputs are scaled.",
            "A covariance beyond its bound, |q12| > q11, is not NaN but brought to it.",
        )
        return (*self.inner.notes, *said)

    @property
    def programs(self) -> tuple[Program, ...]:
        """Those of the unit."""
        return self.inner.programs

    def c_functions(self, stem: str) -> str:
        """As in `DualUnit`."""
        text = _C.replace("@Q@", C.literal(self.variance))
        text = text.replace("@HALF@", C.literal(0.5 / self.variance))
        text = text.replace("@NEAR@", C.literal(self.variance * TOLERANCE))
        text = text.replace("@LANES@", str(_LANES)).replace("@STEM@", stem)
        return self.inner.c_functions(f"{stem}_one") + "\n" + text

    def numpy_functions(self, stem: str) -> str:
        """As in `DualUnit`."""
        text = _NUMPY.strip("\n").replace("@Q@", repr(self.variance))
        text = text.replace("@HALF@", repr(0.5 / self.variance))
        text = text.replace("@NEAR@", repr(self.variance * TOLERANCE)).replace("@STEM@", stem)
        inner = self.inner.numpy_functions(f"{stem}_one").strip("\n")
        return f"{inner}\n\n\n{text}\n"


_C = """static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *nngp, double *dot)
{
  double q[@LANES@], c[@LANES@], r[@LANES@];
  for (size_t at = 0; at < n; at += @LANES@) {
    const size_t b = n - at < @LANES@ ? n - at : @LANES@;
    for (size_t l = 0; l < b; ++l) {
      const double a = q11[at + l], e = q22[at + l], scale = 2.0 - (a + e) * @HALF@;
      const double m = q12[at + l] * scale;
      const int near = (fabs(a - @Q@) <= @NEAR@) & (fabs(e - @Q@) <= @NEAR@);
      q[l] = near ? @Q@ : NAN;
      c[l] = m > @Q@ ? @Q@ : m < -@Q@ ? -@Q@ : m;
      r[l] = root[at + l] * scale;
    }
    @STEM@_one_pairs(b, q, c, q, r, nngp + at, dot + at);
  }
}

static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  double one[@LANES@];
  for (size_t at = 0; at < n; at += @LANES@) {
    const size_t b = n - at < @LANES@ ? n - at : @LANES@;
    for (size_t l = 0; l < b; ++l) one[l] = fabs(q[at + l] - @Q@) <= @NEAR@ ? @Q@ : NAN;
    @STEM@_one_diag(b, one, nngp + at, dot + at);
  }
}
"""

_NUMPY = '''
def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast."""
    root = _rootdet(q11, q12, q22) if root is None else root
    near = (abs(q11 - @Q@) <= @NEAR@) & (abs(q22 - @Q@) <= @NEAR@)
    scale = 2.0 - (q11 + q22) * @HALF@
    q = np.where(near, @Q@, np.nan)
    return @STEM@_one_pairs(q, np.clip(q12 * scale, -@Q@, @Q@), q, root * scale)


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    return @STEM@_one_diag(np.where(abs(q - @Q@) <= @NEAR@, @Q@, np.nan))
'''
