r"""The next root of nearly parallel pairs: integrals of the derivative dual.

Once a covariance is rounded, the determinant of a nearly parallel pair keeps half of its digits,
and with it whatever has a kink at rho = 1.  So it is not formed from the covariance.  With
$d = E[(s(u) - s(v))^2]$ the next determinant is, exactly,
$\tfrac12 d\,(n_{11} + n_{22}) - \tfrac14 d^2 - \tfrac14 (n_{11} - n_{22})^2$, and an absolute error
of eps times the next angle in d is harmless.  Now $d = d_0 + 2g$: with $r_1^2 = q_{11} \le r_2^2 =
q_{22}$ and the angle $\theta$ of the pair

- $g = \int_0^\theta r_1 r_2 \sin\varphi\,\dot K(q_{11}, r_1r_2\cos\varphi, q_{22})\,d\varphi$, by
  Price's theorem; Gauss panels, halved towards 0 until the last Legendre coefficients of the
  integrand say that it is resolved (kinks away from 0 and unlike norms make layers there);
- $d_0 = E[(s(r_1z) - s(r_2z))^2] = \iint_{[r_1, r_2]^2} E[z^2 s'(rz) s'(r'z)]\,dr\,dr'$, where the
  expectation is $\partial_\mu\,\mu\dot K(\mu^2 r^2, \mu^2 rr', \mu^2 r'^2)$ at $\mu = 1$: along
  rays of constant $r/r' = e^x$ one integral is done by parts.  With $X = \log(r_2/r_1)$,
  $d_0 = 2\int_0^X \big(r_2^2e^{-x}\dot K(r_2, r_2e^{-x}) - r_1^2e^x\dot K(r_1e^x, r_1)
  - \int \mu\dot K\,d\mu\big)dx$, $\mu$ from $r_1e^{x/2}$ to $r_2e^{-x/2}$.

Only the dual that the layer has anyway is called, at points between the two inputs.  The rounding
of d is eps times its derivative, hence eps times the next angle; that of the rules is measured
(tests/test_near_root.py), not proven.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

from ..lower.near import EARLY, ODD
from .tables import legendre
from .unlike import MOST, numpy_unlike

PANEL = 8
"""Nodes of a panel: the doubles of the widest registers."""
FEW = 4
"""Nodes in the angle where smooth layers begin, and in x and mu where arrays have one rule."""
ALONG = (2, 3, 4, 5, 7)
"""Nodes in x and in mu."""
UNLIKE = (0.06, 0.15)
"""Spreads from which five and seven are taken: what four leave out is 1e-13 of d at 0.15."""
FEWER, TWO = 3, 2
"""The same where NumPy tries fewer first: in the angle, and in x and mu."""
TINY, ALIKE = 1e-4, 2e-4
"""Angles, and logarithms of ratios of norms, for which it does: there the rule of so few nodes has
errors of `ALIKE`^4/4320, the next derivatives apart."""
LARGEST_ANGLE = 0.3
LARGEST_SPREAD = 0.15
LARGEST_UNLIKE = 0.4
"""Beyond these the determinant is the difference of its terms: they are not nearly equal.  The last
is of C and NumPy, which take more nodes where norms are unlike."""
NEAR = 0.05
NEAR_FLOAT = 0.25
"""Pairs whose next angle is below: what rounding then makes of the root matters."""
YOUNG = 0.002
"""The same in layers where an angle may shrink that grows later."""
GROWING = 0.25
"""The same where the angle grows from layer to layer, and the rounding with it."""
NOISE, NOISE_FLOAT = 2.0**-48, 2.0**-19
"""What rounding may make of 1 - rho^2 after a layer: an angle grows unless it shrinks by more."""
LOUD = 64.0
"""Beyond this variance, of the next layer or of the last, a smooth activation may be like one with
kinks, and the angle is read: the derivative dual then changes with 1 - rho as the root of the
variance, and so does rounding, that of the quieter layers before too."""
TOLERANCE = 3e-14
"""Of g, relatively, divided by the angle: the kernels see the product of angle and error."""
LEVELS = 24
SMALLER = 7
"""Variances, each half of the one before, from which large ones are read off.  They are as small as
the series in 1/r^2 allows: the rounding of what cancels there grows like r^2."""
SURE = 0.05
"""Below this angle the covariance follows from the root, not the other way: what rounding made of
1 - rho would grow from layer to layer as the angle does."""

NOTE = (
    "Root       nearly parallel pairs carry their angle from layer to layer by integrals of the",
    "           derivative dual, so that its rounding is not amplified (measured, not proven).",
)
"""For the head of a file."""


def _coefficient(nodes: int, degree: int) -> tuple[float, ...]:
    """A Legendre coefficient of a function on (0, 1), as a sum over its values at the nodes."""
    row = []
    for t, w in legendre(nodes):
        before, now = 0.0, 1.0
        for j in range(1, degree + 1):
            before, now = now, ((2 * j - 1) * (2 * t - 1) * now - (j - 1) * before) / j
        row.append((2 * degree + 1) * w * now)
    return tuple(row)


@lru_cache(maxsize=2)
def rough(nodes: int = PANEL) -> tuple[tuple[float, ...], ...]:
    """The last two Legendre coefficients of a function, as sums over its values at the nodes."""
    return tuple(_coefficient(nodes, k) for k in (nodes - 2, nodes - 1))


def quartic(nodes: int) -> tuple[float, ...]:
    """What Legendre coefficients 1 and 2 say of an even function beyond A + B t^2, likewise: of t^4
    one and a half times coefficient 3, and not 0 where that is 0 by chance.
    """
    first, second = (_coefficient(nodes, k) for k in (1, 2))
    return tuple(c2 - c1 / 3.0 for c1, c2 in zip(first, second, strict=True))


def shares(count: int, step: float = 2.0) -> tuple[float, ...]:
    """By variances 1, 1/step, ... of so many: what the polynomial in 1/r^2 takes of each r d(r),
    without the factors (1/r^2 - step^j) of the other ones.
    """
    found = []
    for k in range(count):
        others = (step**k - step**j for j in range(count) if j != k)
        found.append(step ** (-0.5 * k) / prod(others))
    return tuple(found)


def _columns(nodes: int) -> list[str]:
    """The nodes and the weights of a rule, as NumPy."""
    return [f"np.array({v!r})[:, None]" for v in zip(*legendre(nodes), strict=True)]


def numpy_near(relative: float | None = None) -> str:
    """Python that defines `_near_root(slope, own, bias, state, after, plain)`.

    `slope(q11, q12, q22, root)` is the derivative dual, `own(q)` the dual of u = v; `slope.far` and
    `slope.loose` are as in `Near`.  With `relative` the integral over the angle is to that, not to
    `TOLERANCE` over the angle.
    """
    tables = ""
    for name, n in (("EIGHT", PANEL), ("THREE", FEWER)):
        rows = [*_columns(n), f"np.array({rough(n)!r})"]
        tables += f"_{name} = (\n{''.join(f'    {row},{chr(10)}' for row in rows)})\n"
    parts = (0.0, ALIKE, *UNLIKE)
    tables += "_NEAR_ALONG = (\n"
    for least, n in zip(parts, (TWO, *ALONG[2:]), strict=True):
        tables += f"    ({least!r}, {', '.join(_columns(n))}),\n"
    tables += ")\n"
    tables += f"_NEAR_SHARES = {shares(SMALLER)!r}\n"
    text = _NUMPY.strip("\n").replace("@ANGLE@", repr(LARGEST_ANGLE))
    text = text.replace("@SPREAD@", repr(LARGEST_UNLIKE)).replace("@LEVELS@", str(LEVELS))
    tolerance = f"np.full(angle.shape, {relative!r})" if relative else _LEAST
    text = text.replace("@LEAST@", tolerance).replace("@NEAR@", repr(NEAR))
    text = text.replace("@GROWING@", repr(GROWING)).replace("@LOUD@", repr(LOUD))
    text = text.replace("@NOISE@", repr(NOISE)).replace("@SURE@", repr(SURE))
    text = text.replace("@EARLY@", repr(EARLY)).replace("@YOUNG@", repr(YOUNG))
    text = text.replace("@ODD@", repr(ODD)).replace("@TINY@", repr(TINY))
    text = text.replace("@MOST@", repr(MOST))
    return f"{tables}\n\n{numpy_unlike()}\n\n\n{text}"


_LEAST = f"np.minimum(1e-3, {TOLERANCE!r} / np.where(angle > 0.0, angle, 1.0))"

_NUMPY = '''
def _near_panel(rule, slope, a, b, m, start, end):
    """The integral of r1 r2 sin(t) slope(t) over angles t, and how rough the slope is."""
    at, weight, last = rule
    t = start + (end - start) * at
    root = m * np.sin(t)
    value = slope(a, m * np.cos(t), b, root) + np.zeros(t.shape)
    rough = np.sum(abs(last @ value), axis=0) * m * end * (end - start)
    return (end - start) * np.sum(weight * (root * value), axis=0), rough


def _near_across(slope, a, b, m, angle):
    """The integral over all angles, in panels halved towards 0 where the slope is rough."""
    total, x = np.zeros(angle.shape), angle.copy()
    least = @LEAST@
    left = np.nonzero((angle > 0.0) & (angle < @TINY@))[0]
    if left.size:
        whole, rough = _near_panel(_THREE, slope, a[left], b[left], m[left], 0.0, x[left])
        done = rough <= least[left] * whole
        total[left[done]], x[left[done]] = whole[done], 0.0
    left = np.nonzero(x > 0.0)[0]
    for level in range(@LEVELS@ + 1):
        if not left.size:
            break
        whole, rough = _near_panel(_EIGHT, slope, a[left], b[left], m[left], 0.0, x[left])
        done = rough <= least[left] * (total[left] + whole)
        if level == @LEVELS@:
            done[:] = True
        total[left[done]] += whole[done]
        left = left[~done]
        if left.size:
            ends = 0.5 * x[left], x[left]
            total[left] += _near_panel(_EIGHT, slope, a[left], b[left], m[left], *ends)[0]
            x[left] *= 0.5
    return total


def _near_along(slope, lo, hi, spread):
    """E[(s(u) - s(v))^2] for parallel u and v of variances lo < hi = lo*exp(2*spread)."""
    found = np.zeros(lo.shape)
    ends = (*(rule[0] for rule in _NEAR_ALONG[1:]), np.inf)
    for (least, nodes, weights), most in zip(_NEAR_ALONG, ends):
        at = np.nonzero((spread >= least) & (spread < most))[0]
        if at.size:
            found[at] = _near_line(nodes, weights, slope, lo[at], hi[at], spread[at])
    return found


def _near_line(nodes, weights, slope, lo, hi, spread):
    """The same by these nodes in the logarithm of the ratio, and in the size."""
    zero, total = np.zeros((len(nodes), len(lo))), 0.0
    x = spread * nodes
    rest, e, g = spread - x, np.exp(-x), np.exp(x)
    up = slope(hi + zero, hi * e, np.maximum(hi * e * e, lo), zero) * (hi * e)
    down = slope(np.minimum(lo * g * g, hi), lo * g, lo + zero, zero) * (lo * g)
    for at, weight in zip(nodes[:, 0], weights[:, 0]):
        square = lo * np.exp(x + 2.0 * rest * at)
        q11, q22 = np.minimum(square * g, hi), np.maximum(square * e, lo)
        inner = slope(q11, np.sqrt(q11) * np.sqrt(q22), q22, zero)
        total = total + weight * rest * square * inner
    return 2.0 * spread * np.sum(weights * ((up - down) - total), axis=0)


def _near_apart(slope, lo, hi, spread):
    """The same where s may be two numbers with a point between them for large r: then, with the
    ratio of the variances fixed, r times that is A + B/r^2 + ..., which is read off at smaller r.
    """
    t = np.where(hi > slope.far**2, slope.far / np.sqrt(hi), 1.0)
    lo, hi = lo * t * t, hi * t * t
    total, large = _near_along(slope, lo, hi, spread), np.nonzero(t < 1.0)[0]
    if large.size:
        t, found = t[large], 0.0
        for k, share in enumerate(_NEAR_SHARES):
            less = 0.5**k
            part = _near_along(slope, less * lo[large], less * hi[large], spread[large])
            for j in range(len(_NEAR_SHARES)):
                part = part * (t * t - 2.0**j) if j != k else part * share
            found = found + part
        total[large] = t * found
    return total


def _near_mixed(unlike, own, lo, hi, spread, turned, n11, n22, size, across):
    """n11*n22 - n12^2 over n11*n22 where s is nearly homogeneous: the sums without cancellation."""
    value, ends, mixed, k, more = _near_unlike(unlike, own, lo, hi, spread)
    low, high = np.where(turned, n22, n11), np.where(turned, n11, n22)
    bias = np.maximum(low - value, 0.0)
    gap = ends + 2.0 * more * mixed + more * more * value + 2.0 * across
    most = k * value + mixed  # the covariance of parallel inputs
    det = (value / low) * (ends / high) - (mixed / size) ** 2 + (bias / size) * (gap / size)
    return det + (across / size) * ((2.0 * most - across) / size)


def _near_root(slope, own, bias, state, after, plain):
    """sqrt(n11*n22 - n12^2) after a layer for nearly parallel pairs, flat arrays.

    From d = E[(s(u) - s(v))^2] (times the variance of the weights): what unlike norms make of
    parallel inputs, and twice the integral of the derivative dual over the angle.  `bias` is a
    number where s is positively homogeneous, 0 unless of degree one, else None; `plain` is for
    other pairs.
    """
    (a, c, b, root), (n11, n22) = state, after
    r1, r2 = np.sqrt(a), np.sqrt(b)
    m, angle = r1 * r2, np.arctan2(root, c)
    lo, hi = np.minimum(a, b), np.maximum(a, b)
    s1, s2 = np.sqrt(n11), np.sqrt(n22)
    size = s1 * s2
    spread = np.where(lo > 0.0, 0.5 * np.log1p((hi - lo) / np.where(lo > 0.0, lo, 1.0)), np.inf)
    small = (angle < @ANGLE@) & ((spread < @SPREAD@) | (bias is not None))
    apart, more = small & (bias is None), slope.unlike
    mixed = np.zeros(a.shape, dtype=bool)
    if more is not None and bias is None:
        mixed = (angle < @ANGLE@) & (spread < @MOST@) & (lo >= more[1])
        small, apart = small | mixed, small & ~mixed
    small = small & ~(root > slope.loose * np.sqrt(hi))
    near, across = np.nonzero(small)[0], np.zeros(a.shape)
    if near.size:
        across[near] = _near_across(slope, a[near], b[near], m[near], angle[near])
    if bias is not None:
        det, whole = 0.0, size
        if bias != 0.0:
            scale = own(hi) / hi
            ends, whole = scale * (r1 - r2) ** 2, scale * m
            det = (bias / size) * ((ends + 2.0 * across) / size)
        det = det + (across / size) * ((2.0 * whole - across) / size)
    else:
        unlike, gap = np.nonzero(apart & small & (spread > 0.0))[0], 2.0 * across
        if unlike.size:
            gap[unlike] += _near_apart(slope, lo[unlike], hi[unlike], spread[unlike])
        d, t = gap / size, (n11 - n22) / size
        det = 0.25 * (d * (2.0 * ((n11 + n22) / size) - d) - t * t)
        at = np.nonzero(mixed)[0]
        if at.size:
            given, n = (lo[at], hi[at], spread[at]), (n11[at], n22[at], size[at])
            det[at] = _near_mixed(more, own, *given, a[at] > b[at], *n, across[at])
    return np.where(small & np.isfinite(det), np.sqrt(np.maximum(det, 0.0)) * s1 * s2, plain)


def _carried(mode, slope, own, bias, state, after, roots, last, c, plain, kept=False):
    """The next root and covariance: `plain` and c, but for pairs that are nearly parallel.

    `last`: the root of both variances after the last layer; `kept`: which pairs were nearly
    parallel from the start, and had their root from the rows.
    """
    size, before, growing = roots[0] * roots[1], np.sqrt(state[0]) * np.sqrt(state[2]), @GROWING@
    grown, was = (plain / size) ** 2 + @NOISE@, (state[3] / before) ** 2
    near = (plain < growing * size) & (grown > was)
    young = @YOUNG@ if mode & @EARLY@ else 0.0
    small = np.where(kept, growing, @NEAR@)
    loud = np.maximum(size, last) > @LOUD@
    near = near | (plain < (small if mode & 2 else np.where(loud, small, young)) * size)
    if mode & @ODD@:
        state = (state[0], abs(state[1]), *state[2:])
    else:
        near = near & (c > 0.0)
    if not near.any():
        return plain, c
    zero = np.zeros(near.shape)
    pick = [(v + zero)[near] for v in (*state, *after)]
    root = plain + zero
    with np.errstate(all="ignore"):
        found = _near_root(slope, own, bias, pick[:4], pick[4:], root[near])
        sizes, own_c = (size + zero)[near], (c + zero)[near]
        sine = found / sizes
        cosine = np.copysign(sizes * np.sqrt(np.maximum(1.0 - sine * sine, 0.0)), own_c)
    root[near], c = found, c + zero
    c[near] = np.where(sine < (@SURE@ if slope.unlike is None else @ANGLE@), cosine, own_c)
    return root, c
'''
