"""NumPy for a Hermite series: coefficients per variance, one polynomial in rho per entry."""

from __future__ import annotations

from ...numeric.series.table import SeriesTable
from ..text import tuple_text


def series_functions(table: SeriesTable, stem: str) -> str:
    """`<stem>_pairs(q11, q12, q22, root=None)` and `<stem>_diag(q)`; both return (nngp, dot)."""
    text = _TEXT.strip("\n")
    name = stem.upper()
    parts = [
        f"{name}_ROWS = np.array((\n{_rows(table.rows)}))",
        f"{name}_SECOND = np.array({tuple_text(table.second)})",
    ]
    if table.slope is not None:
        parts.append(f"{name}_SLOPE = np.array({tuple_text(table.slope)})")
    lo, hi = float(table.lo), float(table.hi)
    text = text.replace("@BASIS@", (_ONE if table.lo == table.hi else _MANY).strip("\n"))
    text = text.replace("@LO@", repr(lo)).replace("@HI@", repr(hi))
    text = text.replace("@RHO@", repr(largest_rho(table)))
    text = text.replace("@SQUARE@", "rho * rho" if table.step == 2 else "rho")
    text = text.replace("@FINISH@", finish(table, "nngp", "dot", "rho"))
    slope = "np.where(np.isnan(basis[0]), np.nan, np.inf)"
    if table.slope is not None:
        slope = f"np.tensordot({name}_SLOPE, basis[: len({name}_SLOPE)], 1) / q"
    size = max(len(table.second), len(table.slope or ()))
    text = text.replace("@DOT@", slope).replace("@SIZE@", str(size))
    text = text.replace("@STEM@", stem).replace("@NAME@", name)
    return "\n".join(parts) + "\n\n\n" + text + "\n"


def largest_rho(table: SeriesTable) -> float:
    """The largest |rho| of the code: a hair above 1 for 1, because rounding may exceed it."""
    return 1.0 + 2.0**-40 if table.rho_max == 1 else float(table.rho_max)


def finish(table: SeriesTable, value: str, slope: str, rho: str) -> str:
    r"""From P(t), P'(t) to the sums: $\rho^f P(t)$ and its derivative, t = rho or rho^2.

    With f = `first`: the derivative is $f\rho^{f-1}P + \rho^f P'\,dt/d\rho$.
    """
    turn = f"2.0 * {rho} * {slope}" if table.step == 2 else slope
    f = table.first
    if f == 0:
        return f"{value}, {turn}"
    if f == 1:
        return f"{rho} * {value}, {value} + {rho} * ({turn})"
    low = " * ".join([rho] * (f - 1))
    return f"{low} * {rho} * {value}, {low} * ({f}.0 * {value} + {rho} * ({turn}))"


def _rows(rows: tuple[tuple[float, ...], ...]) -> str:
    return "".join(f"    {tuple_text(row)},\n" for row in rows)


_MANY = """
    q = np.asarray(q, dtype=np.float64)
    q = np.where((q >= @LO@) & (q <= @HI@), q, np.nan)
    low, high = np.log(@LO@), np.log(@HI@)
    t = (2.0 * np.log(q) - low - high) / (high - low)
    basis = [np.ones_like(t), t]
    while len(basis) < size:
        basis.append(2.0 * t * basis[-1] - basis[-2])
    return np.array(basis[:size])
"""

_ONE = """
    q = np.asarray(q, dtype=np.float64)
    return np.where(abs(q - @LO@) <= 2.0**-48 * @LO@, 1.0, np.nan)[np.newaxis]
"""

_TEXT = '''
def _@STEM@_basis(q, size):
    """Chebyshev polynomials in log q; NaN outside the range of the proven bound."""
@BASIS@


def _@STEM@_coefficients(q):
    """a_n(q), one row per n that is kept."""
    return np.tensordot(@NAME@_ROWS, _@STEM@_basis(q, @NAME@_ROWS.shape[1]), 1)


def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast; `root` is not needed."""
    q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(q11 * q22)
        rho = q12 / scale
        rho = np.where(abs(rho) <= @RHO@, np.where(abs(rho) < 1.0, rho, np.sign(rho)), np.nan)
    left, right = _@STEM@_coefficients(q11), _@STEM@_coefficients(q22)
    square = @SQUARE@
    nngp, dot = np.zeros(rho.shape), np.zeros(rho.shape)
    for a, b in zip(left[::-1], right[::-1], strict=True):
        dot = dot * square + nngp
        nngp = nngp * square + a * b
    nngp, dot = @FINISH@
    return nngp, dot / scale


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    q = np.asarray(q, dtype=np.float64)
    basis = _@STEM@_basis(q, @SIZE@)
    return np.tensordot(@NAME@_SECOND, basis[: len(@NAME@_SECOND)], 1), @DOT@
'''
