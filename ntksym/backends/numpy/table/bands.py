"""NumPy for a dual tabulated on a range of variances: bands, and polynomials for pairs of them."""

from __future__ import annotations

from ....numeric.table.bands.banded import BandedDual
from ....numeric.table.dual import SLACK, Sheet
from ...text import bound_lines, rows_text, tuple_text
from .folded import NOTE, SINE_NOTE, folded_body, pair_data


def bands_notes(t: BandedDual) -> tuple[str, ...]:
    """The lines of the head: what is computed, the proven bounds, the range of validity."""
    lines = [
        f"Table of the dual of {t.name}, s(x) = {t.text}, valid for",
        f"  {t.low:.17g} <= q11, q22 <= {t.high:.17g}",
        "  and every |q12| <= sqrt(q11*q22); NaN elsewhere.",
    ]
    if len(t.bands) > 1:
        inner = ", ".join(f"{b.high:.6g}" for b in t.bands[:-1])
        lines.append(f"The variances are in {len(t.bands)} bands, cut at {inner};")
        lines.append("polynomials for every pair of bands, bounds of the worst of them.")
    lines.append("Proven bounds, relative to sqrt(K(q11)*K(q22)) (the derivative likewise):")
    value, dot = (
        max(sheets, key=lambda s: s.error)
        for sheets in ([p.value for p in t.pairs], [p.dot for p in t.pairs])
    )
    lines += bound_lines(value, dot)
    lines += [
        "The rounding of the evaluation in doubles is in the bound, for a root within 4 units",
        (SINE_NOTE if t.sine else NOTE)
        if t.folded
        else "of 2^-53.  Polynomials in tan(theta/2), from",
        f"{t.variances} variances and {t.terms} Hermite coefficients in ball arithmetic.",
    ]
    return tuple(lines)


def bands_numpy(t: BandedDual, stem: str) -> str:
    """Python that defines `<stem>_pairs(q11, q12, q22, root=None)` and `<stem>_diag(q)`."""
    up = stem.upper()
    text = f"{up}_RANGE = ({t.low * (1.0 - SLACK)!r}, {t.high * (1.0 + SLACK)!r})\n"
    text += f"{up}_CUTS = {tuple_text(tuple(b.high for b in t.bands[:-1]))}\n"
    text += f"{up}_AXES = (\n"  # centre, half width and pole of every band
    text += "".join(f"    {b.numbers!r},\n" for b in t.bands) + ")\n"
    names = []
    for p in t.pairs:
        if t.folded:
            lines, entry = pair_data(p, up)
            text += lines
            names.append(entry)
            continue
        name = f"{up}_{p.first}_{p.second}"
        sheets = []
        for label, sheet in (("VALUE", p.value), ("DOT", p.dot)):
            text += f"{name}_{label} = {rows_text(sheet.plus)}\n"
            below = f"{name}_{label}"
            if not sheet.parity:
                below += "_BELOW"
                text += f"{below} = {rows_text(sheet.minus)}\n"
            sheets.append(f"({name}_{label}, {below}, {float(sheet.parity or 1)!r})")
        names.append(f"    ({p.first}, {p.second}): ({p.kappa!r}, {', '.join(sheets)}),\n")
    text += f"{up}_PAIRS = {{\n{''.join(names)}}}\n"
    own = [t.pair(k, k) for k in range(len(t.bands))]
    body = _PLACE + (folded_body(t) if t.folded else _SIDED) + _PAIRS
    if t.shell is None:
        body += _DIAG
    else:
        own = []
    for label, line in (("VALUE", [p.value for p in own]), ("DOT", [p.dot for p in own])):
        if not own:  # a shell has no diagonal
            break
        text += f"{up}_{label}_DIAG = (\n{_diagonals(line)})\n"
    body = body.replace("@STEM@", stem).replace("@UP@", up).replace("@SLACK@", repr(1.0 + SLACK))
    body = body.replace("@SCALE@", "product * " if t.weighted else "")
    return text + body.replace("@OWN@", "q * " if t.weighted else "")


def _diagonals(sheets: list[Sheet]) -> str:
    return "".join(f"    {tuple_text(s.diag)},\n" for s in sheets)


_PLACE = '''

def @STEM@_band(q):
    """The band of every variance, -1 outside the range."""
    band = np.searchsorted(@UP@_CUTS, q)
    return np.where((q >= @UP@_RANGE[0]) & (q <= @UP@_RANGE[1]), band, -1)


def @STEM@_tau(q, band):
    """A variance of a band as a number in [-1, 1]."""
    centre, half, pole = @UP@_AXES[band]
    root = np.sqrt(q)
    return (root - centre) / ((root + pole) * half)

'''

_SIDED = '''
def @STEM@_sum(rows, first, second, x):
    """The polynomial in both variances and x; powers of the first once for each of its values."""
    total = np.zeros_like(x)
    for j in reversed(range(len(rows[0]))):
        part = np.zeros_like(x)
        for k in reversed(range(len(rows[0][j]))):
            column = [p[j][k] for p in rows if j < len(p) and k < len(p[j])]
            line = column[-1]
            for m in column[-2::-1]:
                line = line * first + m
            part *= x
            part += line
        total = total * second + part
    return total


def @STEM@_block(one, two, q11, q12, q22, root):
    """The pair (nngp, dot) for variances of two bands; arrays broadcast."""
    if one > two:
        one, two, q11, q22 = two, one, q22, q11
    kappa, *sheets = @UP@_PAIRS[one, two]
    product = np.sqrt(q11) * np.sqrt(q22)
    size = np.abs(q12)
    size = np.where(size <= product * @SLACK@, size, np.nan)
    x = 2.0 * (1.0 + kappa) * root / (product + size + kappa * root) - 1.0
    first, second = @STEM@_tau(q11, one), @STEM@_tau(q22, two)
    negative = q12 < 0.0
    out = []
    for above, below, sign in sheets:
        if above is below:
            total = @STEM@_sum(above, first, second, x)
            if sign < 0.0:
                total = np.where(negative, -total, total)
        elif not np.any(negative):
            total = @STEM@_sum(above, first, second, x)
        elif np.all(negative):
            total = @STEM@_sum(below, first, second, x)
        else:
            total = @STEM@_sum(above, first, second, x)
            total = np.where(negative, @STEM@_sum(below, first, second, x), total)
        out.append(total)
    return @SCALE@out[0], out[1]

'''

_PAIRS = '''
def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast.  NaN outside the range of the table."""
    q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
    root = _rootdet(q11, q12, q22) if root is None else np.asarray(root, dtype=np.float64)
    shape = np.broadcast_shapes(q11.shape, q12.shape, q22.shape, root.shape)
    value, slope = np.full(shape, np.nan), np.full(shape, np.nan)
    one, two = @STEM@_band(q11), @STEM@_band(q22)
    grid = q11.ndim == q22.ndim == len(shape) == 2 and q11.shape[1] == q22.shape[0] == 1
    c, r = np.broadcast_to(q12, shape), np.broadcast_to(root, shape)
    if not grid:
        a, b = np.broadcast_to(q11, shape), np.broadcast_to(q22, shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        for i in np.unique(one[one >= 0]):
            for j in np.unique(two[two >= 0]):
                if grid:  # rows of one band, columns of another
                    rows, columns = np.nonzero(one[:, 0] == i)[0], np.nonzero(two[0] == j)[0]
                    at = np.ix_(rows, columns)
                    given = q11[rows], c[at], q22[:, columns], r[at]
                else:
                    at = np.broadcast_to((one == i) & (two == j), shape)
                    given = a[at], c[at], b[at], r[at]
                value[at], slope[at] = @STEM@_block(i, j, *given)
    return value[()], slope[()]
'''

_DIAG = '''

def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    q = np.asarray(q, dtype=np.float64)
    value, slope = np.full(q.shape, np.nan), np.full(q.shape, np.nan)
    band = @STEM@_band(q)
    for i in np.unique(band[band >= 0]):
        at = band == i
        tau = @STEM@_tau(q[at], i)
        for line, out in ((@UP@_VALUE_DIAG[i], value), (@UP@_DOT_DIAG[i], slope)):
            total = tau * 0.0 + line[-1]
            for m in line[-2::-1]:
                total = total * tau + m
            out[at] = total
    return (@OWN@value)[()], slope[()]
'''
