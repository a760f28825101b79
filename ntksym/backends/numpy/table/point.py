"""NumPy for a tabulated dual, and the words that the head of every generated file needs."""

from __future__ import annotations

from ....numeric.table import TableDual
from ....numeric.table.dual import SLACK
from ...text import bound_lines, rows_text, tuple_text


def notes(t: TableDual) -> tuple[str, ...]:
    """The lines of the head: what is computed, the proven bound, the range of validity."""
    where = (
        f"q11 = q22 = {t.low:.17g} (to {SLACK:.0e})"
        if t.single
        else f"{t.low:.17g} <= q11, q22 <= {t.high:.17g}"
    )
    lines = [
        f"Table of the dual of {t.name}, s(x) = {t.text}, valid for",
        f"  {where} and every |q12| <= sqrt(q11*q22); NaN elsewhere.",
        "Proven bounds, relative to sqrt(K(q11)*K(q22)) (the derivative likewise):",
    ]
    lines += bound_lines(t.value, t.dot)
    lines += [
        "The rounding of the evaluation in doubles is in the bound, for a root within 4 units",
        f"of 2^-53.  Polynomials in tan(theta/2), rational map kappa = {t.kappa:g}, from",
        f"{t.variances} variance{'s' * (t.variances > 1)} and {t.terms} Hermite coefficients "
        "in ball arithmetic.",
    ]
    if t.single:
        lines.append(
            "Variances that differ from it by less than the tolerance count as equal to it."
        )
    return tuple(lines)


def numpy_text(t: TableDual, stem: str) -> str:
    """Python that defines `<stem>_pairs(q11, q12, q22, root=None)` and `<stem>_diag(q)`."""
    up = stem.upper()
    text = f"{up}_RANGE = ({t.low * (1.0 - SLACK)!r}, {t.high * (1.0 + SLACK)!r})\n"
    names = []
    for label, sheet in (("VALUE", t.value), ("DOT", t.dot)):
        text += f"{up}_{label}_PLUS = {rows_text(sheet.plus)}\n"
        if sheet.parity:
            text += f"{up}_{label}_MINUS = {up}_{label}_PLUS\n"
        else:
            text += f"{up}_{label}_MINUS = {rows_text(sheet.minus)}\n"
        text += f"{up}_{label}_DIAG = {tuple_text(sheet.diag)}\n"
        names.append(label)
    signs = f"({float(t.value.parity or 1)!r}, {float(t.dot.parity or 1)!r})"
    replaced = _TEXT.replace("@STEM@", stem).replace("@UP@", up).replace("@SIGNS@", signs)
    replaced = replaced.replace("@TAU@", _axis(t)).replace("@KAPPA@", repr(t.kappa))
    replaced = replaced.replace(
        "@PRODUCT@", repr(t.low) if t.single else "np.sqrt(q11) * np.sqrt(q22)"
    )
    replaced = replaced.replace("@SCALE@", "product * " if t.weighted else "")
    replaced = replaced.replace("@OWN@", "q * " if t.weighted else "")
    return text + replaced.replace("@SLACK@", repr(1.0 + SLACK))


def _axis(t: TableDual) -> str:
    if t.single:
        return "np.zeros_like(q)"
    return f"(np.sqrt(q) - {t.centre!r}) / ((np.sqrt(q) + {t.centre!r}) * {t.half!r})"


_TEXT = '''

def @STEM@_axis(q):
    """The variance as a number in [-1, 1], NaN outside the range."""
    inside = (q >= @UP@_RANGE[0]) & (q <= @UP@_RANGE[1])
    q = np.where(inside, q, np.nan)
    return @TAU@ + (q - q)


def @STEM@_row(rows, tau):
    """The polynomials of one row: powers of tau by Horner's rule."""
    out = []
    for j in range(len(rows[0])):
        line = []
        for k in range(len(rows[0][j])):
            column = [p[j][k] for p in rows if j < len(p) and k < len(p[j])]
            total = column[-1]
            for m in column[-2::-1]:
                total = total * tau + m
            line.append(total)
        out.append(line)
    return out


def @STEM@_sum(rows, first, second, x):
    """The polynomial in both variances and x."""
    if first.size > 1 and np.all(first == first.flat[0]):
        first = first.flat[0]
    total = np.zeros_like(x)
    for line in reversed(@STEM@_row(rows, first)):
        part = np.zeros_like(x) + line[-1]
        for m in line[-2::-1]:
            part *= x
            part += m
        total = total * second + part
    return total


def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast.  NaN outside the range of the table."""
    q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
    root = _rootdet(q11, q12, q22) if root is None else np.asarray(root, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        first, second = @STEM@_axis(q11), @STEM@_axis(q22)
        product = @PRODUCT@
        size = np.abs(q12)
        size = np.where(size <= product * @SLACK@, size, np.nan)
        x = 2.0 * (1.0 + @KAPPA@) * root / (product + size + @KAPPA@ * root) - 1.0
    x = x + (first - first) + (second - second)
    first, second = np.broadcast_to(first, x.shape), np.broadcast_to(second, x.shape)
    negative = np.broadcast_to(q12 < 0.0, x.shape)
    out = []
    tables = ((@UP@_VALUE_PLUS, @UP@_VALUE_MINUS), (@UP@_DOT_PLUS, @UP@_DOT_MINUS))
    for (plus, minus), sign in zip(tables, @SIGNS@):
        if not np.any(negative):
            total = @STEM@_sum(plus, first, second, x)
        elif plus is minus:
            total = @STEM@_sum(plus, first, second, x) * np.where(negative, sign, 1.0)
        else:
            above = @STEM@_sum(plus, first, second, x)
            total = np.where(negative, @STEM@_sum(minus, first, second, x), above)
        out.append(total)
    return @SCALE@out[0], out[1]


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    q = np.asarray(q, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        tau = @STEM@_axis(q)
    out = []
    for line in (@UP@_VALUE_DIAG, @UP@_DOT_DIAG):
        total = tau * 0.0 + line[-1]
        for m in line[-2::-1]:
            total = total * tau + m
        out.append(total)
    return @OWN@out[0], out[1]
'''
