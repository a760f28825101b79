r"""The next root of nearly parallel pairs in JAX and PyTorch: `near`, without a loop that decides.

The formulas are those of `near`.  Compiled array code has no panels that are halved where the slope
is rough: the nodes are fixed, $\varphi = \theta t^3$ with Gauss-Legendre nodes t, which lie densely
towards 0, where the layers of unlike norms are.  (32 of them give the integral of
$\varphi\,E|\varphi Z + \varepsilon|$, the layer that a kink away from 0 makes, within 4e-11 for
every $\varepsilon$; 16, 24, 48: 7e-8, 1e-9, 2e-13.)  Everything is differentiable; entries that are
not near do not enter (`_chosen` of the two preambles).
"""

from __future__ import annotations

from ...lower.near import EARLY, ODD
from ..near import (
    FEW,
    GROWING,
    LARGEST_ANGLE,
    LARGEST_SPREAD,
    LOUD,
    NEAR,
    NEAR_FLOAT,
    NOISE,
    NOISE_FLOAT,
    YOUNG,
    shares,
)
from ..tables import legendre

LOST, LOST_FLOAT = 1e-7, 1e-3
"""Below this sine before a layer rounding may leave 0 after it, which has no derivative."""
NODES = 32
"""Of the angle."""
STEEP = 2.0**-6
"""Where s is two numbers with a point between them, the derivative dual is steep in the angle for
deviations given each other beyond this part of where it is so: the covariance keeps more digits
there unless the next angle is below `NEAR`."""
SMALLER, FARTHER = 3, 8.0
"""As in `near`, but fewer: all of them are computed for every entry; hence from `Near.far` times
the second number on."""


def array_near() -> str:
    """Python that defines `_carried(mode, slope, far, loose, own, bias, state, after, roots, c,
    plain, rise)`.

    `slope(q11, q12, q22, root)` is the derivative dual, `own(q)` the dual of u = v, both times the
    variance of the weights; `far` and `loose` are as in `Near`, or None where they are infinite;
    `bias` is a number where the activation is positively homogeneous, else None; `rise` is 0, but
    has the slope of a bias, or None.
    """
    nodes = [(t**3, 3.0 * t * t * w) for t, w in legendre(NODES)]
    tables = f"_NEAR_SHARES = {shares(SMALLER, 4.0)!r}\n"
    for name, rule in (("NEAR", nodes), ("FEW", legendre(FEW))):
        at, weights = zip(*rule, strict=True)
        tables += f"_{name}_AT = {at!r}\n_{name}_WEIGHT = {weights!r}\n"
    marks = {"ANGLE": LARGEST_ANGLE, "SPREAD": LARGEST_SPREAD, "GROWING": GROWING}
    marks |= {"NEAR": NEAR, "NEAR_FLOAT": NEAR_FLOAT}
    marks |= {
        "EARLY": EARLY,
        "YOUNG": YOUNG,
        "LOUD": LOUD,
        "ODD": ODD,
        "NOISE": NOISE,
        "NOISE_FLOAT": NOISE_FLOAT,
    }
    marks |= {"LOST": LOST, "LOST_FLOAT": LOST_FLOAT, "STEEP": STEEP}
    text = _TEXT
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", repr(value))
    return tables + "\n\n" + text.strip("\n")


_TEXT = '''
def _near_along(lo, hi, spread):
    """The places (q11, q12, q22) and the weights of E[(s(u) - s(v))^2] over the derivative dual,
    for parallel u and v of variances lo < hi = lo*exp(2*spread).
    """
    x, each = spread * _column(_FEW_AT, lo), 2.0 * spread * _column(_FEW_WEIGHT, lo)
    rest, e, g = spread - x, _exp(-x), _exp(x)
    low, high = lo + 0.0 * x, hi + 0.0 * x
    parts = [(high, hi * e, _max(hi * e * e, low), each * (hi * e))]
    parts.append((_min(lo * g * g, high), lo * g, low, -each * (lo * g)))
    for at, share in zip(_FEW_AT, _FEW_WEIGHT):
        square = lo * _exp(x + 2.0 * rest * at)
        q11, q22 = _min(square * g, high), _max(square * e, low)
        parts.append((q11, _sqrt(q11) * _sqrt(q22), q22, -each * (share * rest * square)))
    return (_joined(part) for part in zip(*parts))


def _near_apart(far, lo, hi, spread):
    """The same where s may be two numbers with a point between them for large r: then, with the
    ratio of the variances fixed, r times that is A + B/r^2 + ..., which is read off at smaller r.
    """
    large = hi > far * far
    t = _where(large, far / _sqrt(_where(large, hi, 1.0 + 0.0 * hi)), 1.0 + 0.0 * hi)
    lo, hi, parts = lo * t * t, hi * t * t, []
    for k, share in enumerate(_NEAR_SHARES):
        *given, weight = _near_along(0.25**k * lo, 0.25**k * hi, spread)
        for j in range(len(_NEAR_SHARES)):
            weight = weight * (t * t - 4.0**j if j != k else share * t)
        parts.append((*given, weight))
    return (_joined(part) for part in zip(*parts))


def _near_root(slope, far, own, bias, a, c, b, root, n11, n22, plain, rise=None):
    """sqrt(n11*n22 - n12^2) after a layer for nearly parallel pairs, flat arrays.

    From d = E[(s(u) - s(v))^2] (times the variance of the weights): what unlike norms make of
    parallel inputs, and twice the integral of the derivative dual over the angle.  A bias that is 0
    may have a slope: `rise`, where it takes opposite outputs off their line.
    """
    r1, r2 = _sqrt(a), _sqrt(b)
    m, angle = r1 * r2, _atan20(root, c)
    lo, hi = _min(a, b), _max(a, b)
    s1, s2 = _sqrt(n11), _sqrt(n22)
    size, spread = s1 * s2, 0.5 * _log1p((hi - lo) / lo)
    t = angle * _column(_NEAR_AT, a)
    sine = m * _sin(t)
    at, weight = (a + 0.0 * t, m * _cos(t), b + 0.0 * t), angle * _column(_NEAR_WEIGHT, a) * sine
    if bias is None:
        small = (angle < @ANGLE@) & (spread < @SPREAD@)
        held = _where(small, spread, 0.0 * spread)
        given = lo, _where(small, hi, lo), held
        *more, along = _near_along(*given) if far is None else _near_apart(far, *given)
        flat = 0.0 * more[0]  # not -0.0
        at, sine = (_joined(two) for two in zip(at, more)), _joined((sine, flat))
        weight = _joined((2.0 * weight, along))
        d = (weight * slope(*at, sine)).sum(0) / size
        gap = (n11 - n22) / size
        det = 0.25 * (d * (2.0 * ((n11 + n22) / size) - d) - gap * gap)
        ahead = 0.5 * ((n11 + n22) / size - d)
    else:
        across = (weight * slope(*at, sine)).sum(0)
        small, det, whole = angle < @ANGLE@, 0.0, size
        if bias != 0.0:
            scale = own(hi) / hi
            ends, whole = scale * (r1 - r2) ** 2, scale * m
            det = (bias / size) * ((ends + 2.0 * across) / size)
        det = det + (across / size) * ((2.0 * whole - across) / size)
        ahead = (whole - across) / size
    if rise is not None:
        det = det + 4.0 * (rise / size) * (ahead - rise / size)
    good = small & (det - det == 0.0)
    return _where(good, _sqrt0(_where(good, det, 0.0 * det)) * s1 * s2, plain)


def _carried(mode, slope, far, loose, own, bias, state, after, roots, c, plain, rise=None):
    """The next root: `plain`, but from `_near_root` for pairs that are nearly parallel."""
    a, before, b, root = state
    rx, ry, sx, sy = roots
    size, small = sx * sy, @NEAR@ if _double(root) else @NEAR_FLOAT@
    lost = root < (@LOST@ if _double(root) else @LOST_FLOAT@) * (rx * ry)
    noise, grown, was = @NOISE@ if _double(root) else @NOISE_FLOAT@, plain / size, root / (rx * ry)
    near = (plain < @GROWING@ * size) & (lost | (grown * grown + noise > was * was))
    least = @YOUNG@ if mode & @EARLY@ else 0.0
    least = small if mode & 2 else _where(size > @LOUD@, small + 0.0 * size, least + 0.0 * size)
    near = near | (plain < least * size)
    if mode & @ODD@:
        before = _abs(before)
    else:
        near = near & (c > 0.0) & (before > 0.0)
    near = near & ~((root == 0.0) & (a == b))
    if far is not None:
        near = near & ~((root > @STEEP@ * far * _max(rx, ry)) & (plain > small * size))
    if loose is not None:
        near = near & ~(root > loose * _max(rx, ry))

    def mended(*given):
        return _near_root(slope, far, own, bias, *given)

    given = a, before, b, root, *after, plain
    if rise is not None:  # of outputs that are opposite: what is equal stays so
        given = *given, _where(c < 0.0, rise + 0.0 * plain, 0.0 * plain)
    return _chosen(near, mended, given, (1, 1, 1, 0, 1, 1, 0, 0)[: len(given)], plain)
'''
