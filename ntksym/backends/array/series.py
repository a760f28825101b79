r"""A Hermite series for JAX, PyTorch and NumPy gradients: polynomials in rho and their derivatives.

$K = \sum_n a_n(q_{11})a_n(q_{22})\rho^n$, $\dot K = K_\rho/\sqrt{q_{11}q_{22}}$, and with
$W = \sum_n a_n'(q_{11})a_n(q_{22})\rho^n$:
$\partial_{q_{11}}K = W - \frac{q_{12}}{2q_{11}}\dot K$.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...numeric.series.table import SeriesTable
from ..text import tuple_text


@dataclass(frozen=True, slots=True)
class ArraySeries:
    """A series as functions of arrays with derivatives."""

    table: SeriesTable

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the series, and what is known of the derivatives."""
        said = (
            "Derivatives: that of the value in q12 is the derivative dual; the others",
            "differentiate the polynomials: no bound is proven for them.",
        )
        return (*self.table.lines(), *said)

    def text(self, stem: str) -> str:
        """Python: `<stem>_value`, `<stem>_partials`, `<stem>_diag_value`, `<stem>_diag_partials`.

        The first two take (q11, q12, q22, root), the others q.
        """
        t, up = self.table, stem.upper()
        lo, hi = float(t.lo), float(t.hi)
        rows = "".join(f"    {tuple_text(row)},\n" for row in t.rows)
        head = f"{up}_RANGE = ({lo!r}, {hi!r})\n{up}_ROWS = (\n{rows})\n"
        head += f"{up}_SECOND = {tuple_text(t.second)}\n"
        if t.slope is not None:
            head += f"{up}_SLOPE = {tuple_text(t.slope)}\n"
        body = _TEXT.replace("@BASIS@", _ONE if t.lo == t.hi else _MANY)
        body = body.replace("@DOT@", _INFINITE if t.slope is None else _FINITE)
        body = body.replace("@DIAG@", _STEEP if t.slope is None else _SLOPED)
        size = max(len(t.second), len(t.slope or ()))
        body = body.replace("@SIZE@", str(size)).replace("@RHO@", repr(float(t.rho_max)))
        body = body.replace("@LOOSE@", repr(16.0 * t.value_relative))
        body = body.replace("@FIRST@", str(t.first)).replace("@STEP@", str(t.step))
        return head + body.replace("@STEM@", stem).replace("@UP@", up)


_MANY = """low, high = @UP@_RANGE
    inside = (q >= low * (1.0 - _slack(q))) & (q <= high * (1.0 + _slack(q)))
    safe = _where(inside, q, high + 0.0 * q)
    nil = _where(inside, 0.0 * safe, float("nan") + 0.0 * safe)
    one = 1.0 + nil
    width = 0.5 * (_log(high + 0.0 * one) - _log(low + 0.0 * one))
    t = (_log(safe / low) - width) / width
    rate = 1.0 / (safe * width)
    basis, slopes = [one, t], [nil, rate + nil]
    while len(basis) < size:
        slopes.append(2.0 * rate * basis[-1] + 2.0 * t * slopes[-1] - slopes[-2])
        basis.append(2.0 * t * basis[-1] - basis[-2])
    return basis[:size], slopes[:size]"""

_ONE = """inside = _abs(q - @UP@_RANGE[0]) <= _slack(q) * @UP@_RANGE[0]
    nil = _where(inside, 0.0 * q, float("nan") + 0.0 * q)
    return [1.0 + nil], [nil]"""

_FINITE = """part = _dotted(@UP@_SLOPE, basis)
    return _dotted(@UP@_SECOND, basis), part / q"""

_INFINITE = """return _dotted(@UP@_SECOND, basis), _INF + 0.0 * q"""

_SLOPED = """part, rate = (_dotted(@UP@_SLOPE, each) for each in (basis, slopes))
    return (own,), (rate / q - part / (q * q),)"""

_STEEP = """return (own,), (_INF + 0.0 * q,)"""

DOTTED = '''
def _dotted(row, basis):
    """The sum of coefficients times functions."""
    total = 0.0 * basis[0]
    for c, b in zip(row, basis):
        total = total + c * b
    return total
'''
"""A helper that all series of a module share."""

_TEXT = '''

def _@STEM@_basis(q, size):
    """Chebyshev polynomials in log q and their derivatives in q; NaN outside the range."""
    @BASIS@


def _@STEM@_coefficients(q):
    """a_n(q) and their derivatives, for every n that is kept."""
    basis, slopes = _@STEM@_basis(q, max(len(row) for row in @UP@_ROWS))
    return [[_dotted(row, each) for row in @UP@_ROWS] for each in (basis, slopes)]


def _@STEM@_sum(left, right, rho):
    """The sum of left[n] right[n] rho**n, its derivative, and half of its second derivative."""
    total = slope = half = 0.0 * rho
    for a, b in zip(reversed(left), reversed(right)):
        for _ in range(@STEP@):
            half = half * rho + slope
            slope = slope * rho + total
            total = total * rho
        total = total + a * b
    for _ in range(@FIRST@):
        half = half * rho + slope
        slope = slope * rho + total
        total = total * rho
    return total, slope, half


def _@STEM@_rho(q11, q12, q22):
    """The correlation and the scale; NaN beyond the range of the series."""
    scale = _sqrt(q11) * _sqrt(q22)
    rho = q12 / scale
    inside = _abs(rho) <= @RHO@ * (1.0 + @LOOSE@ + _slack(rho))
    return _where(inside, rho, float("nan") + 0.0 * rho), scale


def @STEM@_value(q11, q12, q22, root):
    """The pair (nngp, dot); NaN outside the range of the series."""
    rho, scale = _@STEM@_rho(q11, q12, q22)
    left, right = _@STEM@_coefficients(q11)[0], _@STEM@_coefficients(q22)[0]
    total, slope, _ = _@STEM@_sum(left, right, rho)
    return total, slope / scale


def @STEM@_partials(q11, q12, q22, root):
    """The derivatives of nngp and of dot in q11, q12, q22; none in root."""
    _, dot = _@STEM@(q11, q12, q22, root)
    rho, scale = _@STEM@_rho(q11, q12, q22)
    (a, a1), (b, b1) = _@STEM@_coefficients(q11), _@STEM@_coefficients(q22)
    _, _, half = _@STEM@_sum(a, b, rho)
    first, first_slope, _ = _@STEM@_sum(a1, b, rho)
    second, second_slope, _ = _@STEM@_sum(a, b1, rho)
    bend = 2.0 * half / (scale * scale)
    turn1, turn2 = 0.5 * q12 / q11, 0.5 * q12 / q22
    of_nngp = first - turn1 * dot, dot, second - turn2 * dot, 0.0 * rho
    of_dot = (
        first_slope / scale - 0.5 * dot / q11 - turn1 * bend,
        bend,
        second_slope / scale - 0.5 * dot / q22 - turn2 * bend,
        0.0 * rho,
    )
    return of_nngp, of_dot


def @STEM@_diag_value(q):
    """The pair (nngp, dot) for u = v with variance q."""
    basis, _ = _@STEM@_basis(q, @SIZE@)
    @DOT@


def @STEM@_diag_partials(q):
    """Their derivatives in q."""
    basis, slopes = _@STEM@_basis(q, @SIZE@)
    own = _dotted(@UP@_SECOND, slopes)
    @DIAG@
'''
