"""C and NumPy for a dilated table: three dyadic tables, weighed by the logarithms of the variances.

`DilatedUnit` is the dual as a `DualUnit`.  The rounding of the arithmetic is part of the bound that
the table states.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....lower.program import Program
from ....numeric.table.dilated.table import DilatedTable, others
from ....numeric.table.dual import SLACK
from ...numpy.table.dyadic import notes as dyadic_notes
from ...text import filled, upward
from ..text import c_literal
from .dyadic import LANES, DyadicUnit


def notes(t: DilatedTable, beyond: str) -> tuple[str, ...]:
    """The lines of the head; `beyond` says what a covariance beyond its bound is."""
    three = ", ".join(f"{one.low:.6g}" for one in t.tables)
    return (
        f"Table of the dual of {t.name}, s(x) = {t.text}, valid for",
        f"  {t.low:.17g} <= q11, q22 <= {t.high:.17g} and every |q12| <= sqrt(q11*q22).  Variances",
        f"outside are NaN; a covariance beyond its bound is {beyond}.",
        "Proven bounds, relative to sqrt(K(q11)*K(q22)) (the derivative likewise), rounding",
        f"counted: value {upward(t.bounds[0])}, derivative {upward(t.bounds[1])}.",
        f"s(t x) = t^{t.power:g} (f(x) + g(x) log t): K is known for all variances from K at",
        f"variances of {three}, of which there are tables; that of the middle:",
        *(f"  {line}" for line in dyadic_notes(t.tables[1])[2:]),
    )


@dataclass(frozen=True, slots=True)
class DilatedUnit:
    """A dilated table as code."""

    table: DilatedTable

    @property
    def notes(self) -> tuple[str, ...]:
        """What it is, the proven bounds, the range of variances."""
        return notes(self.table, "brought to it")

    @property
    def programs(self) -> tuple[Program, ...]:
        """None: there is no straight-line program inside."""
        return ()

    def c_functions(self, stem: str) -> str:
        """C99 that defines `<stem>_pairs` and `<stem>_diag`; it needs `ntksym.h`."""
        t = self.table
        text = "".join(
            DyadicUnit(one).c_functions(f"{stem}_at{k}") for k, one in enumerate(t.tables)
        )
        steps = "".join(self._step(k, c_literal, _STEP) for k in range(3))
        ends = "".join(self._step(k, c_literal, _END) for k in range(3))
        body = _C.replace("@STEPS@", steps).replace("@ENDS@", ends).replace("@STEM@", stem)
        low, high = t.low * (1 - SLACK), t.high * (1 + SLACK)
        body = filled(
            body,
            {
                "@LOW@": c_literal(low),
                "@HIGH@": c_literal(high),
                "@POWER@": c_literal(t.power - 1.0),
                "@LANES@": str(LANES),
            },
        )
        return text + body

    def numpy_functions(self, stem: str) -> str:
        """NumPy that defines `<stem>_pairs` and `<stem>_diag`; `np` is NumPy."""
        t = self.table
        parts = [
            DyadicUnit(one).numpy_functions(f"{stem}_at{k}").strip("\n")
            for k, one in enumerate(t.tables)
        ]
        steps = "".join(self._step(k, repr, _NUMPY_STEP) for k in range(3))
        ends = "".join(self._step(k, repr, _NUMPY_END) for k in range(3))
        body = _NUMPY.strip("\n").replace("@STEPS@", steps).replace("@ENDS@", ends)
        body = filled(
            body,
            {
                "@STEM@": stem,
                "@LOW@": repr(t.low * (1 - SLACK)),
                "@HIGH@": repr(t.high * (1 + SLACK)),
                "@POWER@": repr(t.power - 1.0),
            },
        )
        for k in range(3):
            parts[k] = parts[k].replace("@STEM@", f"{stem}_at{k}")
        return "\n\n\n".join((*parts, body)) + "\n"

    def _step(self, k: int, spell: object, text: str) -> str:
        """One table's share, with its numbers."""
        assert callable(spell)
        t, (i, j) = self.table, others(k)
        first, second = t.factors[k]
        return filled(
            text,
            {
                "@K@": str(k),
                "@Q@": spell(t.tables[k].low),
                "@I@": spell(t.places[i]),
                "@J@": spell(t.places[j]),
                "@FIRST@": spell(first),
                "@SECOND@": spell(second),
            },
        )


_STEP = """    for (size_t l = 0; l < b; ++l) {
      q[l] = ok[l] ? @Q@ : NAN;
      c[l] = @Q@ * cosine[l];
      r[l] = @Q@ * sine[l];
    }
    @STEM@_at@K@_pairs(b, q, c, q, r, k, d);
    for (size_t l = 0; l < b; ++l) {
      const double i1 = one[l] - @I@, j2 = two[l] - @J@, j1 = one[l] - @J@, i2 = two[l] - @I@;
      const double weight = 0.5 * (i1 * j2 + j1 * i2);
      value[l] += weight * @FIRST@ * k[l];
      slope[l] += weight * @SECOND@ * d[l];
    }
"""

_END = """    one = @Q@;
    @STEM@_at@K@_diag(1, &one, &k, &d);
    weight = (at - @I@) * (at - @J@);
    value += weight * @FIRST@ * k;
    slope += weight * @SECOND@ * d;
"""

_C = """
static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *nngp, double *dot)
{
  double last = NAN, known = NAN;
  for (size_t start = 0; start < n; start += @LANES@) {
    const size_t b = n - start < @LANES@ ? n - start : @LANES@;
    const double *u = q11 + start, *v = q22 + start;
    double q[@LANES@], c[@LANES@], r[@LANES@], k[@LANES@], d[@LANES@];
    double cosine[@LANES@], sine[@LANES@], one[@LANES@], two[@LANES@], size[@LANES@];
    double value[@LANES@], slope[@LANES@];
    int ok[@LANES@];
    for (size_t l = 0; l < b; ++l) {
      ok[l] = (u[l] >= @LOW@) & (u[l] <= @HIGH@) & (v[l] >= @LOW@) & (v[l] <= @HIGH@);
      size[l] = sqrt(u[l] * v[l]);
      cosine[l] = q12[start + l] / size[l];
      sine[l] = root[start + l] / size[l];
      value[l] = slope[l] = 0.0;
    }
    for (size_t l = 0; l < b; ++l) {
      if (!(u[l] == last)) {
        last = u[l];
        known = ok[l] ? 0.5 * log(last) : NAN;
      }
      one[l] = known;
      two[l] = ok[l] ? 0.5 * log(v[l]) : NAN;
    }
@STEPS@    for (size_t l = 0; l < b; ++l) {
      const double grown = @POWER@ == 0.0 ? 1.0 : exp(@POWER@ * (one[l] + two[l]));
      nngp[start + l] = value[l] * grown * size[l];
      dot[start + l] = slope[l] * grown;
    }
  }
}

static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  for (size_t l = 0; l < n; ++l) {
    const int ok = (q[l] >= @LOW@) & (q[l] <= @HIGH@);
    const double at = ok ? 0.5 * log(q[l]) : NAN, grown = exp(@POWER@ * 2.0 * at);
    double value = 0.0, slope = 0.0, weight, one, k, d;
@ENDS@    nngp[l] = value * grown * q[l];
    dot[l] = slope * grown;
  }
}
"""

_NUMPY_STEP = """        q = @Q@ + 0.0 * size
        part = @STEM@_at@K@_pairs(q, @Q@ * cosine, q, @Q@ * sine)
        weight = 0.5 * ((one - @I@) * (two - @J@) + (one - @J@) * (two - @I@))
        value += weight * @FIRST@ * part[0]
        slope += weight * @SECOND@ * part[1]
"""

_NUMPY_END = """        part = @STEM@_at@K@_diag(@Q@ + 0.0 * at)
        weight = (at - @I@) * (at - @J@)
        value += weight * @FIRST@ * part[0]
        slope += weight * @SECOND@ * part[1]
"""

_NUMPY = '''
def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast.  NaN outside the range of variances."""
    q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
    root = _rootdet(q11, q12, q22) if root is None else np.asarray(root, dtype=np.float64)
    with np.errstate(all="ignore"):
        known = (q11 >= @LOW@) & (q11 <= @HIGH@) & (q22 >= @LOW@) & (q22 <= @HIGH@)
        size = np.where(known, np.sqrt(q11 * q22), np.nan)
        cosine, sine = q12 / size, root / size
        one, two = 0.5 * np.log(q11), 0.5 * np.log(q22)
        value = slope = 0.0
@STEPS@        grown = np.exp(@POWER@ * (one + two))
    return value * grown * size, slope * grown


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    q = np.asarray(q, dtype=np.float64)
    with np.errstate(all="ignore"):
        at = np.where((q >= @LOW@) & (q <= @HIGH@), 0.5 * np.log(q), np.nan)
        grown = np.exp(@POWER@ * 2.0 * at)
        value = slope = 0.0
@ENDS@    return value * grown * q, slope * grown
'''
