"""NumPy text for a quadrature dual: the same rules as the C, entry by entry."""

from __future__ import annotations

from ...lower.program import Program
from ...numeric.quadrature import QuadratureDual
from ...numeric.quadrature.close import Close
from ...numeric.quadrature.fan import FanRule, node_tables
from ...numeric.quadrature.lattice import LatticeRule
from ...numeric.quadrature.panels import PanelRule
from ...numeric.quadrature.product import LEAST_SIGMA
from ..text import tuple_text
from .backend import function


def numpy_text(dual: QuadratureDual, programs: tuple[Program, ...], stem: str) -> str:
    """Python that defines `<stem>_pairs` and `<stem>_diag`; `np` is NumPy.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    pieces = [
        function(p, f"_{stem}_piece{i}", "The activation and its derivative.")
        for i, p in enumerate(programs)
    ]
    names = "".join(f"_{stem}_piece{i}, " for i in range(len(programs)))
    rules = [level.rule for level in dual.levels]
    tables = [f"_{stem}_PIECES = ({names.rstrip()})\n"]
    rows = []
    for i, level in enumerate(dual.levels):
        rule, name = level.rule, f"_{stem}_LEVEL{i}"
        if isinstance(rule, LatticeRule):
            shown, run = _lattice(rule), f"_{stem}_lattice"
        elif isinstance(rule, FanRule):
            shown, run = _fan(rule), f"_{stem}_fan"
        else:
            shown, run = _panels(rule), f"_{stem}_panels"
        tables.append(f"{name} = {shown}\n")
        rows.append(f"({float(level.top)!r}, {run}, {name}), ")
    pieces.append("".join(tables).rstrip("\n"))
    if any(isinstance(rule, LatticeRule) for rule in rules):
        pieces.append(_LATTICE.strip("\n"))
    if any(isinstance(rule, PanelRule) for rule in rules):
        pieces.append(_PANELS.strip("\n").replace("@LEAST SIGMA@", repr(LEAST_SIGMA)))
    if any(isinstance(rule, FanRule) for rule in rules):
        pieces.append(_FAN.strip("\n"))
    pieces.append(_ROOT.strip("\n"))
    pieces.append(f"_{stem}_LEVELS = ({''.join(rows).rstrip()})")
    entry = _ENTRY.strip("\n")
    if dual.least > 0:
        least = _LEAST[dual.zero].replace("@LEAST@", repr(float(dual.least)))
        entry = entry.replace(_CHOICE, least + _CHOICE)
    if not dual.slopes:
        entry = entry.replace(_BOTH, _BOTH + "[0], nan")
    if dual.close is not None:
        entry = entry.replace(_BOTH, _MENDED)
        pieces.append(_close(dual.close))
    pieces.append(entry)
    return "\n\n\n".join(p.rstrip("\n").replace("@STEM@", stem) for p in pieces) + "\n"


def _lattice(rule: LatticeRule) -> str:
    """(step, half, rows, weights)."""
    rows = "(" + "".join(f"{k}, " for k in rule.rows).rstrip() + ")"
    return f"({rule.step!r}, {rule.half}, {rows}, {tuple_text(rule.weights)})"


def _panels(rule: PanelRule) -> str:
    """(far, width, half, cuts, rates, kinds, tables of (share, nodes, weights), blocks)."""
    kinds = "(" + "".join(f"{p.piece}, " for p in rule.intervals).rstrip() + ")"
    tables = "".join(
        f"({t.share!r}, {tuple_text(t.nodes)}, {tuple_text(t.weights)}), " for t in rule.tables
    )
    head = f"{rule.length!r}, {rule.width!r}, {rule.half}"
    head += f", {tuple_text(rule.cuts)}, {tuple_text(rule.rates)}"
    blocks = "".join(
        f"({b.first}, {b.last}, {b.low!r}, {b.high!r}, "
        + ", ".join(tuple_text(row) for row in (b.nodes, b.value, b.slope))
        + "), "
        for b in rule.blocks
    )
    return f"({head}, {kinds}, ({tables.rstrip()}), ({blocks.rstrip()}))"


def _fan(rule: FanRule) -> str:
    """(least, parity, reach, shares, weights, radii with their weights)."""
    reach = "(" + "".join(f"{k}, " for k in rule.reach).rstrip() + ")"
    tables = ", ".join(tuple_text(row) for row in node_tables(rule))
    return f"({rule.least!r}, {rule.parity}, {reach}, {tables})"


_FAN = '''
def _@STEM@_fan(rule, a, b, rho, sigma):
    """One entry in polar coordinates: u = a r sin t, v = b r sin(L - t), t = L/(1 + e^-w)."""
    least, parity, reach, shares, weights, radii = rule
    if b * b < least:
        return float("nan"), float("nan")
    counts = np.array(reach) + 1
    k = np.concatenate([np.arange(n) for n in counts])
    radius = np.repeat(np.array(radii[0::2]), counts)
    weight = np.where(k > 0, 1.0, 0.5) * np.array(weights)[k] * np.repeat(radii[1::2], counts)
    angles, nngp, dot = (np.arctan2(sigma, -rho), np.arctan2(sigma, rho)), 0.0, 0.0
    left, right = _@STEM@_PIECES
    for turned in range(2):
        if angles[turned] == 0.0:
            continue
        small = angles[turned] * np.array(shares)[k]
        near, far = radius * np.sin(small), radius * np.sin(angles[1 - turned] + small)
        for u, v in ((a * far, b * near), (a * near, b * far)):
            (fu, du), (fv, dv) = right(u), right(v)
            if parity:
                sign = 2.0 * (parity if turned else 1)
                value, slope = sign * fu * fv, (-sign if turned else sign) * du * dv
            else:
                (gu, eu), (gv, ev) = left(-u), left(-v)
                if turned:
                    value, slope = fu * gv + gu * fv, du * ev + eu * dv
                else:
                    value, slope = fu * fv + gu * gv, du * dv + eu * ev
            nngp += angles[turned] * np.sum(weight * value)
            dot += angles[turned] * np.sum(weight * slope)
    return nngp, dot
'''

_LATTICE = '''
def _@STEM@_lattice(rule, a, b, rho, sigma):
    """One entry by the trapezoid rule in the plane."""
    step, half, rows, weights = rule
    weights, s = np.array(weights), _@STEM@_PIECES[0]
    count = len(rows) - 1
    j = np.arange(0 if half else -count, count + 1)
    x = j * step
    outer = weights[np.abs(j)] * (np.where(j > 0, 2.0, 1.0) if half else 1.0)
    fu, du = s(a * x)
    if sigma == 0.0:
        fv, dv = s(b * rho * x)
        return np.sum(outer * fu * fv), np.sum(outer * du * dv)
    nngp = dot = 0.0
    for i, at, w, f, d in zip(j, x, outer, fu, du):
        k = np.arange(-rows[abs(i)], rows[abs(i)] + 1)
        fv, dv = s(b * (rho * at + sigma * (k * step)))
        inner = weights[np.abs(k)]
        nngp += w * f * np.sum(inner * fv)
        dot += w * d * np.sum(inner * dv)
    return nngp, dot
'''

_PANELS = '''
def _@STEM@_nodes(tables, share, count):
    """Nodes and weights on [0, 1], cut into `count` panels of that share."""
    chosen = tables[sum(1 for t in tables[1:] if share <= t[0])]
    flat = np.arange(count)[:, None] + 0.5 * (np.array(chosen[1]) + 1.0)
    return (flat / count).ravel(), np.tile(0.5 * np.array(chosen[2]) / count, count)


def _@STEM@_side(rule, dev, sigma, low):
    """One input: where its panels lie; its nodes, s and s' there times the weights."""
    far, width, half, cuts, rates, kinds, tables, blocks = rule
    ends, found, at, i = [], [], 0, -1
    while i < len(cuts):
        i += 1
        for first, last, start, end, *rows in blocks:
            if first == i and start / dev >= low and end / dev <= far:
                if end / dev - start / dev <= width * sigma:  # the density is smooth enough
                    found.append([np.array(row) / dev for row in rows])
                    ends.append((low, end / dev, at, at + len(rows[0])))
                    at, low, i = at + len(rows[0]), end / dev, last
                    break
        else:
            first = None
        if first is not None:
            continue
        high = min(cuts[i] / dev, far) if i < len(cuts) else far
        if not high > low:
            continue
        wide = high - low
        across = max(dev * wide * rates[i], wide / (width * sigma))
        count = int(max(1.0, np.ceil(across - 1e-9)))
        s, ws = _@STEM@_nodes(tables, across / count, count)
        f, d = _@STEM@_PIECES[kinds[i]](dev * (low + wide * s))
        found.append((low + wide * s, wide * ws * f, wide * ws * d))
        for k in range(count):
            first, last = low + wide * (k / count), low + wide * ((k + 1) / count)
            ends.append((first, last, at, at + len(s) // count))
            at += len(s) // count
        low = high
    return ends, *(np.concatenate(part) for part in zip(*found))


def _@STEM@_product(rule, a, b, rho, sigma):
    """One entry by Gauss-Legendre panels for both inputs, without those beyond far."""
    far, half = rule[0], rule[2]
    ends, y, fv, dv = _@STEM@_side(rule, b, sigma, -far)
    first, x, fu, du = _@STEM@_side(rule, a, sigma, 0.0 if half else -far)
    nngp = dot = 0.0
    for low, high, at, to in first:
        mid, wide = 0.5 * (low + high), 0.5 * (high - low)
        near = max(abs(mid) - wide, 0.0)
        left = np.sqrt(max((far - near) * (far + near), 0.0))
        reach = abs(rho) * wide + left * sigma
        within = [e for e in ends if e[1] >= rho * mid - reach and e[0] <= rho * mid + reach]
        if not within:
            continue
        own, t = slice(within[0][2], within[-1][3]), x[at:to, None]
        bell = np.exp(-0.5 * (t * t + ((y[own] - rho * t) / sigma) ** 2))
        nngp += np.sum(fu[at:to] * np.sum(bell * fv[own], axis=1))
        dot += np.sum(du[at:to] * np.sum(bell * dv[own], axis=1))
    scale = (2.0 if half else 1.0) / (2.0 * np.pi * sigma)
    return nngp * scale, dot * scale


def _@STEM@_panels(rule, a, b, rho, sigma):
    """One entry by Gauss-Legendre panels between the lines where s(u) or s(v) changes piece."""
    if sigma >= @LEAST SIGMA@ and b > 0.0:
        return _@STEM@_product(rule, a, b, rho, sigma)
    far, width, half, cuts, rates, kinds, tables, _ = rule
    edges = np.array(cuts)
    at = [-far, far, *(c / a for c in cuts if abs(c) < a * far)]
    if sigma == 0.0:
        at += [c / (b * rho) for c in cuts if abs(c) < abs(b * rho) * far]
    elif b > 0.0:
        for c in cuts:
            for z in (-sigma * far, sigma * far):
                if abs(c / b + z) < abs(rho) * far:
                    at.append((c / b + z) / rho)
    at, nngp, dot = sorted(at), 0.0, 0.0
    for x0, x1 in zip(at[:-1], at[1:]):
        dx, mid = x1 - x0, 0.5 * (x0 + x1)
        if not dx > 0.0:
            continue
        i = int(np.sum(a * mid > edges))
        if sigma == 0.0:
            k = int(np.sum(b * rho * mid > edges))
            most = max(a * rates[i], b * rates[k], 1.0 / width)
            count = int(max(1.0, np.ceil(dx * most - 1e-9)))
            s, ws = _@STEM@_nodes(tables, 1.0, count)
            x = x0 + dx * s
            fu, du = _@STEM@_PIECES[kinds[i]](a * x)
            fv, dv = _@STEM@_PIECES[kinds[k]](b * rho * x)
            w = dx * ws * np.exp(-0.5 * x * x) * np.sqrt(2.0 * np.pi)
            nngp, dot = nngp + np.sum(w * fu * fv), dot + np.sum(w * du * dv)
            continue
        low0 = low1 = -far
        for k in range(len(cuts) + 1):
            high0 = high1 = far
            if b > 0.0 and k < len(cuts):
                # beyond the strip of this cut the line is the same at both ends: where sigma is
                # 1e-16, rounding an end of the strip moves it across, and the line with it
                c = cuts[k] / b
                ends = (x0, x1) if abs((c - rho * mid) / sigma) < far else (mid, mid)
                high0, high1 = (min(max((c - rho * x) / sigma, -far), far) for x in ends)
            elif not b > 0.0 and k != int(np.sum(0.0 > edges)):
                continue
            if not (high0 > low0 or high1 > low1):
                continue
            dl, dh = low1 - low0, high1 - high0
            drift = max(abs(rho * dx + sigma * dl), abs(rho * dx + sigma * dh))
            edge = max(dx * dx + dl * dl, dx * dx + dh * dh) ** 0.5
            tall = max(high0 - low0, high1 - low1)
            across = max(a * dx * rates[i], b * drift * rates[k], edge / width)
            up = max(b * sigma * tall * rates[k], tall / width)
            columns = int(max(1.0, np.ceil(across - 1e-9)))
            lines = int(max(1.0, np.ceil(up - 1e-9)))
            s, ws = _@STEM@_nodes(tables, across / columns, columns)
            t, wt = _@STEM@_nodes(tables, up / lines, lines)
            x, start = x0 + dx * s, low0 + dl * s
            height = (high0 - low0) + ((high1 - low1) - (high0 - low0)) * s
            z = start[:, None] + height[:, None] * t
            fu, du = _@STEM@_PIECES[kinds[i]](a * x)
            fv, dv = _@STEM@_PIECES[kinds[k]](b * (rho * x[:, None] + sigma * z))
            outer, inner = dx * height * ws * np.exp(-0.5 * x * x), wt * np.exp(-0.5 * z * z)
            nngp += np.sum(outer * fu * np.sum(inner * fv, axis=1))
            dot += np.sum(outer * du * np.sum(inner * dv, axis=1))
            low0, low1 = high0, high1
    return nngp / (2.0 * np.pi), dot / (2.0 * np.pi)
'''

_ROOT = '''
def _@STEM@_root(q11, q12, q22):
    """sqrt(max(q11*q22 - q12^2, 0)), both products exact (T. J. Dekker 1971)."""

    def product(a, b):
        wide = 134217729.0 * a
        ah = wide - (wide - a)
        wide = 134217729.0 * b
        bh = wide - (wide - b)
        al, bl, ab = a - ah, b - bh, a * b
        return ab, ((ah * bh - ab) + ah * bl + al * bh) + al * bl

    k1, k2 = np.frexp(q11)[1] // 2, np.frexp(q22)[1] // 2
    c = np.ldexp(np.ldexp(q12, -k1), -k2)
    (p, p_low), (s, s_low) = product(np.ldexp(q11, -2 * k1), np.ldexp(q22, -2 * k2)), product(c, c)
    det = (p - s) + (p_low - s_low)
    return np.ldexp(np.ldexp(np.sqrt(np.where(det < 0.0, 0.0, det)), k1), k2)
'''


def _close(close: Close) -> str:
    """`Close.mended` in NumPy."""
    text = _CLOSE.strip("\n").replace("@KINKS@", repr(close.kinks))
    text = text.replace("@NODES@", tuple_text(close.nodes)).replace("@ODD@", str(close.odd))
    text = text.replace("@WEIGHTS@", tuple_text(close.weights))
    text = text.replace("@SIGMA@", repr(close.sigma))
    return text.replace("@APART@", repr(close.apart)).replace("@PARITY@", str(close.parity))


_CLOSE = '''
_@STEM@_OWN = np.array(@NODES@)
_@STEM@_OWN_WEIGHTS = np.array(@WEIGHTS@)


def _@STEM@_close(dot, a, b, rho, sigma):
    """The derivative dual of inputs next to each other: a sum for equal ones; NaN: no bound."""
    if not sigma < @SIGMA@ or b == 0.0:
        return dot
    kinks, odd, sign = np.array(@KINKS@), @ODD@, 1 if rho > 0.0 else @PARITY@
    if sigma == 0.0 and a == b and sign:
        total = np.sum(_@STEM@_OWN_WEIGHTS * np.exp(-0.5 * (_@STEM@_OWN / a) ** 2))
        return sign * total / (a * np.sqrt(2.0 * np.pi))
    near = np.abs((b if rho > 0.0 else -b) * kinks[:, None] - a * kinks) < @APART@ * a
    return float("nan") if np.any(near[:odd]) or np.any(near[:, :odd]) else dot
'''

_MENDED = """            nngp, dot = run(rule, float(a), float(b), rho, sigma)
            return nngp, _@STEM@_close(dot, float(a), float(b), rho, sigma)"""
_BOTH = "            return run(rule, float(a), float(b), rho, sigma)"
"""What an entry gives where it has a rule."""
_CHOICE = "    for top, run, rule in _@STEM@_LEVELS:\n"
_LEAST = {
    True: "    if 0.0 < small < @LEAST@ or 0.0 < large < @LEAST@:\n        return nan, nan\n",
    False: "    if small < @LEAST@:\n        return nan, nan\n",
}
"""No bound for smaller variances; 0 may have one."""
_ENTRY = '''
def _@STEM@_entry(q11, q12, q22, root):
    """One entry; the larger variance first, so that it is symmetric to the last bit."""
    nan = float("nan")
    large, small = (q11, q22) if q11 >= q22 else (q22, q11)
    if not (small >= 0.0 and q12 == q12 and root >= 0.0):
        return nan, nan
    a, b, rho, sigma = np.sqrt(large), np.sqrt(small), 0.0, 1.0
    if b > 0.0:
        rho, sigma = q12 / a / b, root / a / b
        if not abs(rho) <= 1.0 + 2.0**-30:
            return nan, nan
        rho, sigma = min(max(rho, -1.0), 1.0), min(sigma, 1.0)
        if sigma == 0.0:
            rho = 1.0 if rho > 0.0 else -1.0
    elif q12 != 0.0:
        return nan, nan
    for top, run, rule in _@STEM@_LEVELS:
        if large <= top:
            return run(rule, float(a), float(b), rho, sigma)
    return nan, nan


def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast."""
    with np.errstate(all="ignore"):
        q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
        root = _@STEM@_root(q11, q12, q22) if root is None else np.asarray(root, dtype=np.float64)
        flat = np.broadcast_arrays(q11, q12, q22, root)
        rows = zip(*(part.ravel().tolist() for part in flat))
        found = [_@STEM@_entry(*row) for row in rows]
        out = np.array(found, dtype=np.float64).reshape(-1, 2)
        return out[:, 0].reshape(flat[0].shape), out[:, 1].reshape(flat[0].shape)


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    return @STEM@_pairs(q, q, q, 0.0)
'''
