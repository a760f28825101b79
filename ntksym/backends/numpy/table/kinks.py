"""NumPy for a `KinkTable`, and the words that the head of every generated file needs."""

from __future__ import annotations

from ....numeric.table.chebyshev import ChebyshevTable
from ....numeric.table.split.kinks import KinkTable
from ...text import bound_lines, upward
from .split import sums_text


def notes(table: KinkTable, rest: ChebyshevTable | None = None) -> tuple[str, ...]:
    """The lines of the head: what is computed, the proven bounds, the range of validity.

    `rest` are the Chebyshev sums of the text, those beyond the shells by default.
    """
    t, closed = rest or table.beyond, table.closed
    said = [
        f"  {t.low:.17g} <= q11, q22 <= {t.high:.17g}; NaN outside.  It is the closed dual of",
        f"  truncated powers (x - k)^j, j < {len(closed.value[0])}, times"
        f" exp(-{closed.alpha:g} (x - k)^2/2), at the kinks",
        "  " + ", ".join(f"{k:.17g}" for k in closed.kinks) + ",",
        "  and Chebyshev sums for the rest.",
        "Proven bounds, relative to sqrt(K(q11)*K(q22)) (the derivative likewise):",
    ]
    return (
        f"Table of the dual of {table.name}, s(x) = {table.text}, valid for",
        *said,
        *bound_lines(t.value, t.dot),
        "The rounding of the closed part is not in these bounds: measured against balls at",
        f"{table.measured[0]:.0f} points it is at most {upward(table.measured[1])}.",
        f"From {t.variances} variances and {t.terms} Hermite coefficients in ball arithmetic.",
    )


def numpy_text(table: KinkTable, stem: str) -> str:
    """Python that defines `<stem>_pairs(q11, q12, q22, root=None)` and `<stem>_diag(q)`."""
    closed, up = table.closed, stem.upper()
    rows = ["("]
    for k, c, e in zip(closed.kinks, closed.value, closed.slope, strict=True):
        rows.append(f"    ({k!r}, {(*c, 0.0)!r}, {e!r}),")
    text = f"{up}_KINKS = " + "\n".join(rows) + "\n)\n"
    return text + sums_text(table.beyond, stem, _CLOSED, _ROOT, _ADDED).replace(
        "@STEM@", stem
    ).replace("@UP@", up).replace("@ALPHA@", repr(closed.alpha))


_ROOT = "root[chosen]"

_ADDED = """    for start in range(0, known.size, 4096):
        part = np.flatnonzero((known & ~same)[start : start + 4096]) + start
        if part.size:
            out[:, part] += @STEM@_closed(q11[part], q12[part], q22[part], root[part])
"""

_CLOSED = '''

def @STEM@_edge(edge, mean, variance, peak, count):
    """E[y^j; y > 0], j < count, for y of this mean and variance, edge = P(y > 0)."""
    out = [edge, mean * edge + peak]
    for j in range(2, count):
        out.append(mean * out[j - 1] + (j - 1) * variance * out[j - 2])
    return out


def @STEM@_both(q11, q12, q22, root, one, two):
    """What a pair of kinks adds."""
    (k, c, e), (m, d, f) = one, two
    count, alpha = len(c), @ALPHA@
    det = root * root
    first, second = q11 + alpha * det, q22 + alpha * det
    size = 1.0 + alpha * (q11 + second)
    sign, r1, r2, up = np.where(q12 < 0.0, -1.0, 1.0), np.sqrt(q11), np.sqrt(q22), np.sqrt(size)
    gap, small = k * r2 - sign * m * r1, det / (r1 * r2 + np.abs(q12))
    top, bottom = sign * (r1 * gap - k * small), -r2 * gap - sign * m * small
    thin, f1, f2 = np.maximum(root, 1e-150), np.sqrt(first), np.sqrt(second)
    a, b = np.clip(top / thin / f1, -40.0, 40.0), np.clip(bottom / thin / f2, -40.0, 40.0)
    mu = (alpha * q12 * m - (1.0 + alpha * q22) * k) / size
    om = (alpha * q12 * k - (1.0 + alpha * q11) * m) / size
    fall = k * (k + alpha * (k * q22 - m * q12)) + m * (m + alpha * (m * q11 - k * q12))
    fall *= -0.5 * alpha / size
    h, g, peak = mu * up / f1, om * up / f2, 0.3989422804014327
    over, under = (np.exp(fall - 0.5 * v * v) * peak / w for v, w in ((h, f1), (g, f2)))
    s11, s12, s22 = first / size, q12 / size, second / size
    bell, turned = (np.exp(-0.5 * v * v) * peak * root / w for v, w in ((a, f1), (b, f2)))
    along = @STEM@_edge(_Phi(a), top / first, det / first, bell, count)
    across = @STEM@_edge(_Phi(b), bottom / second, det / second, turned, count)
    row = [np.exp(fall) / up * _Phi2(h, g, q12, root * up)]
    row.append(om * row[0] + s12 * over * along[0] + s22 * under * across[0])
    for j in range(2, count):
        row.append(om * row[j - 1] + s12 * over * along[j - 1] + (j - 1) * s22 * row[j - 2])
    value, dot, last, before = 0.0, 0.0, None, None
    for i in range(count):
        if i:
            before, last = last, row
            row = [mu * last[0] + s12 * under * across[i - 1]]
            for j in range(1, count):
                row.append(mu * last[j] + j * s12 * last[j - 1])
            for j in range(count):
                row[j] += s11 * over * along[j] if i == 1 else (i - 1) * s11 * before[j]
        value = value + c[i] * sum(s * t for s, t in zip(d, row))
        dot = dot + e[i] * sum(s * t for s, t in zip(f, row))
    return value, dot


def @STEM@_closed(q11, q12, q22, root):
    """The dual of what was taken out at the kinks."""
    value, dot = np.zeros_like(q12), np.zeros_like(q12)
    for one in @UP@_KINKS:
        for two in @UP@_KINKS:
            found = @STEM@_both(q11, q12, q22, root, one, two)
            value += found[0]
            dot += found[1]
    return value, dot
'''
