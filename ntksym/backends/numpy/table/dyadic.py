"""NumPy for a dyadic table, and the words that the head of every generated file needs."""

from __future__ import annotations

from ....numeric.table.dual import SLACK
from ....numeric.table.dyadic.table import DyadicTable, Lines
from ...text import bound_lines


def notes(t: DyadicTable) -> tuple[str, ...]:
    """The lines of the head: what is computed, the proven bounds, the range of validity."""
    lines = [
        f"Table of the dual of {t.name}, s(x) = {t.text}, valid for",
        f"  q11 = q22 = {t.low:.17g} (to {SLACK:.0e}) and every |q12| <= q11; NaN elsewhere.",
        "Proven bounds, relative to K(q11) (the derivative likewise):",
    ]
    return (
        *lines,
        *bound_lines(t.value, t.dot, "at most the sum of", 0.0),
        "The rounding of the evaluation in doubles is in the bound, for a root within 4 units",
        f"of 2^-53.  Polynomials in t = tan(theta/2) on {t.panels} intervals, each half of the one",
        f"before, and a constant below; from {t.nodes} correlations",
        *(line.format(t.terms) for line in _sources()[t.value.parts[0][0]]),
    )


def _sources() -> dict[str, tuple[str, ...]]:
    """What the values came from, by the first part of a bound."""
    from ....numeric.table.dyadic import build, kinks, plane_build

    return {
        kinks.SOURCE: ("by {} Hermite coefficients and closed forms at the kinks, in balls.",),
        build.SOURCE: (
            "by a polar rule of {} values; its rounding is counted, with 4 units for",
            "the sine and the logarithm.",
        ),
        plane_build.SOURCE: (
            "by a rule in the plane of about {} values; its rounding is counted, with 4 units",
            "for the exponential.",
        ),
    }


def padded(t: DyadicTable) -> tuple[Lines, Lines]:
    """Lines of nngp and of dot, of one length: those for rho >= 0, then those for rho <= 0."""
    width = max(len(line) for sheet in (t.value, t.dot) for line in (*sheet.right, *sheet.below))
    sheets = ((*s.right, *s.below) for s in (t.value, t.dot))
    value, dot = (tuple((*line, *[0.0] * (width - len(line))) for line in s) for s in sheets)
    return value, dot


def interleaved(t: DyadicTable) -> tuple[tuple[float, ...], ...]:
    """The lines with the coefficients of nngp and dot in turn."""
    pairs = zip(*padded(t), strict=True)
    return tuple(tuple(c for both in zip(k, d, strict=True) for c in both) for k, d in pairs)


def numpy_text(t: DyadicTable, stem: str) -> str:
    """Python that defines `<stem>_pairs(q11, q12, q22, root=None)` and `<stem>_diag(q)`."""
    text = ""
    for label, lines in zip(("VALUE", "DOT"), padded(t), strict=True):
        body = "".join("    (" + ", ".join(map(repr, line)) + ",),\n" for line in lines)
        body = body.replace(",,)", ",)")
        text += f"{stem.upper()}_{label} = np.array((\n{body})).T.copy()\n"
    for mark, value in {
        "@STEM@": stem,
        "@UP@": stem.upper(),
        "@LAST@": str(t.panels),
        "@BELOW@": str(t.panels + 1),
        "@Q@": repr(t.low),
        "@NEAR@": repr(t.low * SLACK),
        "@DIAG@": f"({t.value.diag!r}, {t.dot.diag!r})",
    }.items():
        text += _TEXT.replace(mark, value) if mark == "@STEM@" else ""
        text = text.replace(mark, value)
    return text


_TEXT = '''

def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast.  NaN for other variances."""
    q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
    root = _rootdet(q11, q12, q22) if root is None else np.asarray(root, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        known = (abs(q11 - @Q@) <= @NEAR@) & (abs(q22 - @Q@) <= @NEAR@)
        t = np.where(known, root / (@Q@ + np.abs(q12)), np.nan)
        # the interval of t, at most 1, by its exponent; all that is below the last is one
        line = np.where(t > 0.0, np.clip(-np.frexp(t)[1], 0, @LAST@), @LAST@)
        x = np.ldexp(t, line + 2) - 3.0
        line = line + np.where(q12 < 0.0, @BELOW@, 0)
    out = []
    for table in (@UP@_VALUE, @UP@_DOT):
        total = np.zeros_like(x)
        for column in table[::-1]:
            total *= x
            total += column[line]
        out.append(total)
    return out[0], out[1]


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    q = np.asarray(q, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        known = abs(q - @Q@) <= @NEAR@
    return tuple(np.where(known, value, np.nan) for value in @DIAG@)
'''
