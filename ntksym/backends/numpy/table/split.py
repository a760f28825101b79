"""NumPy for a split table, and the words that the head of every generated file needs."""

from __future__ import annotations

from ....numeric.table.chebyshev import ChebyshevTable
from ....numeric.table.dual import SLACK
from ....numeric.table.split.table import SplitTable
from ...text import bound_lines, rows_text


def notes(table: SplitTable) -> tuple[str, ...]:
    """The lines of the head: what is computed, the proven bounds, the range of validity."""
    t, head = table.far, f"Table of the dual of {table.name}, s(x) = {table.text}, valid for"
    if t is None:
        return (
            head,
            f"  {table.low:.17g} <= q11, q22 <= {table.high:.17g}; NaN outside.  Nearer to rho = 1",
            "  or -1 than below, by the quadrature rule at the end.",
            "Bounds are relative to sqrt(K(q11)*K(q22)) (the derivative likewise).",
        )
    lines = [
        head,
        f"  {t.low:.17g} <= q11, q22 <= {t.high:.17g} and |q12| <= {t.edge_rho:g}*sqrt(q11*q22),",
        "  and on the diagonal; entries nearer to rho = 1 or -1 by the quadrature rule below;",
        "  NaN outside.",
        "Proven bounds, relative to sqrt(K(q11)*K(q22)) (the derivative likewise):",
    ]
    return (
        *lines,
        *bound_lines(t.value, t.dot),
        "The rounding of the evaluation in doubles is in these bounds.  Chebyshev sums from",
        f"{t.variances} variances and {t.terms} Hermite coefficients in ball arithmetic.",
    )


def numpy_text(far: ChebyshevTable, stem: str) -> str:
    """Python that defines `<stem>_pairs(q11, q12, q22, root=None)` and `<stem>_diag(q)`."""
    return sums_text(far, stem, "", _ROOT, _NEAR)


def sums_text(far: ChebyshevTable, stem: str, before: str, root: str, added: str) -> str:
    """The Chebyshev sums; `before` are functions, `added` what follows the sums, `root` for x."""
    t, up = far, stem.upper()
    text = f"{up}_RANGE = ({t.low * (1.0 - SLACK)!r}, {t.high * (1.0 + SLACK)!r})\n"
    for label, sheet in (("VALUE", t.value), ("DOT", t.dot)):
        text += f"{up}_{label}_PLUS = {stem}_dense({rows_text(sheet.plus)})\n"
        minus = f"{up}_{label}_PLUS" if sheet.parity else f"{stem}_dense({rows_text(sheet.minus)})"
        text += f"{up}_{label}_MINUS = {minus}\n"
        text += f"{up}_{label}_DIAG = np.array([{', '.join(repr(v) for v in sheet.diag)}])\n"
    replaced = {
        "@STEM@": stem,
        "@UP@": up,
        "@CENTRE@": repr(t.centre),
        "@HALF@": repr(t.half),
        "@LIMIT@": repr(t.edge_rho),
        "@FAR@": "(size <= product)" if t.edge_rho < 1 else "(product == product)",
        "@KAPPA@": repr(t.kappa),
        "@TWICE@": repr(2.0 * (1.0 + t.kappa) * t.grow),
        "@SIGNS@": f"({float(t.value.parity or 1)!r}, {float(t.dot.parity or 1)!r})",
    }
    head, body = _DENSE, before + _TEXT.replace("@ADDED@", added).replace("@ROOT@", root)
    for mark, value in replaced.items():
        head, body = head.replace(mark, value), body.replace(mark, value)
    return head + text + body


_ROOT = "np.sqrt((p - c) * (p + c))"

_NEAR = """    near = np.flatnonzero(known & ~same & ~far)
    if near.size:
        found = @STEM@_near_pairs(q11[near], q12[near], q22[near], root[near])
        out[0, near], out[1, near] = found
"""

_DENSE = '''

def @STEM@_dense(rows):
    """Coefficients as an array [i, j, k], zero where there are none."""
    size = (len(rows), len(rows[0]), len(rows[0][0]))
    out = np.zeros(size)
    for i, plane in enumerate(rows):
        for j, line in enumerate(plane):
            out[i, j, : len(line)] = line
    return out


'''

_TEXT = '''

def @STEM@_axis(q):
    """The variance as a number in [-1, 1], NaN outside the range."""
    inside = (q >= @UP@_RANGE[0]) & (q <= @UP@_RANGE[1])
    q = np.where(inside, q, np.nan)
    return (np.sqrt(q) - @CENTRE@) / ((np.sqrt(q) + @CENTRE@) * @HALF@)


def @STEM@_basis(x, count):
    """T_0(x), T_1(x), ... as the first axis."""
    out = np.ones((max(count, 2), *x.shape))
    out[1] = x
    for k in range(2, count):
        np.multiply(x, out[k - 1], out=out[k])
        out[k] *= 2.0
        out[k] -= out[k - 2]
    return out[:count]


def @STEM@_sum(table, first, which, second, x):
    """The Chebyshev sum of entries; `which` are indices of `first`, sorted."""
    rows = np.tensordot(@STEM@_basis(first, table.shape[0]), table, axes=(0, 0))
    across = @STEM@_basis(second, table.shape[1])
    steps = @STEM@_basis(x, table.shape[2])
    total = np.empty_like(x)
    ends = np.searchsorted(which, np.arange(len(first) + 1))
    for i in range(len(first)):
        here = slice(ends[i], ends[i + 1])
        inner = np.ascontiguousarray(rows[i].T) @ across[:, here]
        inner *= steps[:, here]
        np.sum(inner, axis=0, out=total[here])
    return total


def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast.  NaN outside the range of the table."""
    q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
    root = _rootdet(q11, q12, q22) if root is None else np.asarray(root, dtype=np.float64)
    q11, q12, q22, root = np.broadcast_arrays(q11, q12, q22, root)
    shape = q12.shape
    q11, q12, q22, root = (np.ravel(q) for q in (q11, q12, q22, root))
    out = np.full((2, q12.size), np.nan)
    with np.errstate(invalid="ignore"):
        first, second = @STEM@_axis(q11), @STEM@_axis(q22)
        product, size = np.sqrt(q11) * np.sqrt(q22), np.abs(q12) / @LIMIT@
        known = (first == first) & (second == second) & (q12 == q12)
        same = known & (root == 0.0) & (q11 == q22) & (q12 > 0.0)
        far = known & ~same & @FAR@
    if np.any(same):
        out[0, same], out[1, same] = @STEM@_diag(q11[same])
    tables = ((@UP@_VALUE_PLUS, @UP@_VALUE_MINUS), (@UP@_DOT_PLUS, @UP@_DOT_MINUS))
    for side in (0, 1):
        chosen = np.flatnonzero(far & ((q12 < 0.0) == bool(side)))
        if not chosen.size:
            continue
        groups, which = np.unique(first[chosen], return_inverse=True)
        order = np.argsort(which, kind="stable")
        chosen, which = chosen[order], which[order]
        p, c = product[chosen], size[chosen]
        r = @ROOT@
        x = @TWICE@ * r / (p + c + @KAPPA@ * r) - 1.0
        for row, (pair, sign) in enumerate(zip(tables, @SIGNS@)):
            total = @STEM@_sum(pair[side], groups, which, second[chosen], x)
            out[row, chosen] = total * sign if side else total
@ADDED@    return out[0].reshape(shape), out[1].reshape(shape)


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    q = np.asarray(q, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        tau = @STEM@_axis(q)
    lines = (@UP@_VALUE_DIAG, @UP@_DOT_DIAG)
    return tuple(np.tensordot(line, @STEM@_basis(tau, len(line)), axes=(0, 0)) for line in lines)
'''
