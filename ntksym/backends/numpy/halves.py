"""NumPy for the series of the two halves of a function with a kink at 0: see `lower.halves`."""

from __future__ import annotations

from math import pi, sqrt

from ...lower.halves import Halves, half_moment
from ..text import filled


def halves_text(series: Halves, name: str) -> str:
    """The function `name`_series of (q11, q12, q22, root), one-dimensional arrays."""
    moments = tuple(half_moment(n) / sqrt(2 * pi) for n in range(len(series.right)))
    marks = {
        "@NAME@": name,
        "@RIGHT@": repr(series.right),
        "@LEFT@": repr(series.left),
        "@USED@": repr(series.used),
        "@MOMENTS@": repr(moments),
        "@STEPS@": repr(tuple((float(v), n) for v, n in series.steps)),
    }
    return filled(_TEXT.strip("\n"), marks)


SERIES_TAKEN = """    near = small & (given[1] <= @BELOW@) & (given[3] <= @BELOW@)
    if near.any():  # both small: the series, no integral
        at = [v[near] for v in given[1:5]]
        found = np.empty(at[0].size)
        for k in range(0, found.size, 2048):
            found[k : k + 2048] = @NAME@_series(*(v[k : k + 2048] for v in at))
        value[near] = found
        small &= ~near
        if not small.any():
            return value
"""
_TEXT = '''
@NAME@_HALVES = (
    np.array(@RIGHT@),
    np.array(@LEFT@),
)
@NAME@_USED = @USED@
@NAME@_MOMENTS = np.array(@MOMENTS@)
@NAME@_STEPS = @STEPS@


def @NAME@_series(q11, q12, q22, root):
    """The dual by the series of its halves."""
    most = max(float(q11.max()), float(q22.max()))
    count = next(n for v, n in @NAME@_STEPS if most <= v)
    a, b = @NAME@_HALVES
    same, other = @NAME@_USED
    total = @NAME@_sums(count, same, (a, b), (a, b), q11, q12, q22, root)
    return total + @NAME@_sums(count, other, (a, b), (b, a), q11, -q12, q22, root)


def @NAME@_sums(count, used, left, right, q11, q12, q22, root):
    """The sums of left_m right_n h_mn over m + n <= count, n < used[m]."""
    moment = @NAME@_MOMENTS
    r1, r2 = np.sqrt(q11), np.sqrt(q22)
    c1, c2 = q12 / np.where(q11 > 0.0, q11, 1.0), q12 / np.where(q22 > 0.0, q22, 1.0)
    t1, t2 = root / np.where(r1 > 0.0, r1, 1.0), root / np.where(r2 > 0.0, r2, 1.0)
    rows, sums, f = [], [], r2
    for m in range(count + 1):
        end = min(used[m], count - m + 1)
        if end <= 0:
            break
        row = np.empty((end, q11.size))
        if m == 0:
            row[0] = np.arctan2(root, -q12) * 0.15915494309189535
            row[0][(root == 0.0) & (q12 == 0.0)] = 0.25
            e = r1
            for n in range(1, end):
                before = r2 * moment[0] if n == 1 else q22 * row[n - 2]
                row[n] = (before + c1 * (e * moment[n - 1])) / n
                e = e * t1
        else:
            before = r1 * moment[0] if m == 1 else q11 * rows[m - 2][0]
            row[0] = (before + c2 * (f * moment[m - 1])) / m
            f = f * t2
            np.multiply(q12, rows[m - 1][: end - 1], out=row[1:])
            if m == 1:
                e = r1
                for n in range(1, end):
                    e = e * t1
                    row[n] += e * moment[n]
            else:
                row[1:] += q11 * rows[m - 2][1:end]
                row[1:] *= 1.0 / m
                rows[m - 2] = None
        rows.append(row)
        weight = sum(one[m] * two[:end] for one, two in zip(left, right, strict=True))
        sums.append(np.einsum("n,ni->i", weight[::-1], row[::-1]))
    return sum(reversed(sums), np.zeros(q11.size))
'''
