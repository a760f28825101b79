r"""Slopes of duals at large variances in JAX and PyTorch: differences of values, on the host.

Closed forms of slopes cancel there (of ELU to 2e-8 at variances of 1e6); values keep their digits
(`lower.scales`).  With $M = \tfrac12\log q_{11}q_{22}$ and $X = \tfrac12\log(q_{11}/q_{22})$ the
slopes at a fixed angle are those in M and X of polynomials through a few values.  The nearest
singularity in X is $\sqrt{X^2 + \theta^2}$ away (kinks on both sides: of other ratios too), that in
the angle $\theta$ is at 0, unless no kinks meet there: nodes stay within a part of that, and about
eps over it is lost.  Values are even in X: where it is small beside the angle its square is the
variable, and nothing is lost at X = 0.  The slope in the angle is that of the derivative dual,
which is a value.

Nearer than kinks are to each other a dual is smooth on rays $(X, \theta) = \varepsilon\,(\cos\psi,
\sin\psi)$: there slopes in X are those of polynomials through values on a longer ray, whose noise
counts less (7e-11 of the kernel for rows 1e-7 apart at 1e3, where nodes about the pair give 2e-7).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from ...lower.program import Program
from ...lower.settled import OUTPUTS, Settled
from ..numpy.backend import function
from ..text import filled

PAIR = ("n_x", "n_y", "n_q", "t_x", "t_y", "t_a")
"""What every pair has: slopes in the variances at a fixed angle, in q12, in the angle."""


def settled_host(settled: Settled, stem: str) -> str:
    """NumPy's functions of one program: `<stem>_slopes`, which gives all slopes by name."""
    p = settled.program
    extra = [k for k, _ in p.outputs if k not in OUTPUTS]
    marks = {
        "@STEM@": stem,
        "@NAMES@": repr(tuple(k for k, _ in p.outputs)),
        "@EXTRA@": repr(tuple(extra)),
        "@REST@": repr(p.args[4:]),
        "@KINKS@": repr(settled.kinks),
    }
    return function(p, f"{stem}_pair", "Values.") + "\n\n" + filled(_STEM, marks).strip("\n")


def settled_names(settled: Mapping[str, Settled]) -> str:
    """What gives the slopes of each program, in a table of NumPy's functions."""
    return "".join(
        f'\n    "{stem}": lambda closed, *at: _picked({stem}_slopes, _SLOPES["{stem}"], *at),'
        for stem in settled
    )


def slope_table(settled: Mapping[str, Settled]) -> str:
    """The names of the slopes of each program."""
    rows = (f'    "{stem}": {slope_names(one.program)!r},\n' for stem, one in settled.items())
    return f"_SLOPES = {{\n{''.join(rows)}}}"


def slope_names(p: Program) -> tuple[str, ...]:
    """The names of all slopes: `PAIR`, and those of both kernels in the other inputs."""
    extra = tuple(k for k, _ in p.outputs if k not in OUTPUTS)
    own = tuple(f"{k}_of_{a}" for k in "nt" for a in p.args[4:])
    return (*PAIR, *dict.fromkeys((*extra, *own)))


def variance_text(variance: float) -> str:
    """A variance in a module of arrays."""
    return "_INF" if variance == inf else repr(variance)


def settled_dual_text(stem: str, settled: Settled) -> str:
    """The function `<stem>_far`, which chooses between closed forms of slopes and differences."""
    names = settled.program.args[4:]
    own = [f"{k}_of_{p}" for p in names for k in "nt"]
    lines = (f'        chosen(found["{k}"], closed[{n}]),\n' for n, k in enumerate(own, 5))
    marks = {
        "@STEM@": stem,
        "@NAMES@": repr(("n_x", "n_y", "t_x", "t_y", "t_a", *own)),
        "@PARAMS@": "".join(f", p{k}" for k in range(len(names))),
        "@BEYOND@": variance_text(settled.beyond),
        "@TURNING@": variance_text(settled.turning),
        "@OWN@": "".join(lines),
        "@OF_N@": repr(tuple(own[::2])),
        "@OF_T@": repr(tuple(own[1::2])),
    }
    return filled(_DUAL, marks)


COMMON = '''
def _slope_rule(count, place=0.0):
    """(weight, node) of the slope of a polynomial through values at Chebyshev nodes in [-1, 1]."""
    turn = (2.0 * np.arange(count) + 1.0) * np.pi / (2 * count)
    place = np.asarray(place) + 0.0
    before, now = np.ones_like(place), place
    first, slope = np.zeros_like(place), np.ones_like(place)
    weights = [np.cos(t) * slope for t in turn]
    for n in range(2, count):
        first, slope = slope, 2.0 * now + 2.0 * place * slope - first
        before, now = now, 2.0 * place * now - before
        weights = [w + np.cos(n * t) * slope for w, t in zip(weights, turn)]
    return [(2.0 / count * w, np.cos(t)) for w, t in zip(weights, turn)]


def _slopes_of(f, count, half, place=0.0):
    """The slopes of what f gives at steps within `half`, in the middle or at a place in [-1, 1]."""
    return sum(w * f(half * t) for w, t in _slope_rule(count, place)) / half


def _value_rule(count, place):
    """The weights of the values at the nodes of `_slope_rule` in the value at a place."""
    turn = (2.0 * np.arange(count) + 1.0) * np.pi / (2 * count)
    at = np.arccos(np.clip(place, -1.0, 1.0))
    every = range(1, count)
    return [(1.0 + 2.0 * sum(np.cos(n * t) * np.cos(n * at) for n in every)) / count for t in turn]


def _ray_slopes(values, length, side, unlike, angle, reach):
    """Slopes in X of nearly parallel pairs; values(q11, q12, q22, root) gives both kernels.

    Each is a polynomial on a ray of length `reach`, and in the direction of it, up to a part of
    the way to that of parallel inputs.  The first has no slopes at equal inputs.
    """
    size, psi = np.hypot(unlike, angle), np.arctan2(angle, unlike)
    half = 0.25 * np.minimum(psi, np.pi - psi)
    turns = _slope_rule(8)
    steps = np.array([0.0] + [t for _, t in turns])[:, None] * half
    along = np.array([0.5 * (1.0 + t) for _, t in _slope_rule(7)])[:, None, None] * reach
    spread, bent = along * np.cos(psi + steps), np.abs(along * np.sin(psi + steps))
    pair = length * np.exp(spread), side * length * np.cos(bent)
    found = values(*pair, length * np.exp(-spread), length * np.sin(bent))  # (2, 7, 9, pairs)
    straight = found[:, :, 0]
    turned = sum(w * found[:, :, k + 1] for k, (w, _) in enumerate(turns)) / half

    def rises(place):
        weights = np.array([w for w, _ in _slope_rule(7, place)])
        return [np.sum(weights * f, axis=1) * (2.0 / reach) for f in (straight, turned)]

    def level(place):
        return np.sum(np.array(_value_rule(7, place)) * turned, axis=1)

    place, none = 2.0 * size / reach - 1.0, -1.0 + 0.0 * size
    (by_size, _), (off, lean) = rises(place), rises(none)
    by_turn = (level(place) - level(none)) / size
    by_size[0], by_turn[0] = by_size[0] - off[0], by_turn[0] - lean[0]
    return by_size * np.cos(psi) - by_turn * np.sin(psi)


def _near_slopes(pair, rest, at, near, reach):
    """`_ray_slopes` where `near`."""
    x, c, y, root = (v[near] for v in at)
    given = [(v + 0.0 * at[0])[near] for v in rest]

    def values(*places):
        places = np.broadcast_arrays(*places)
        own = [np.broadcast_to(v, places[0].shape).ravel() for v in given]
        found = pair(*(v.ravel() for v in places), *own)
        return np.array([(v + 0.0 * places[0].ravel()).reshape(places[0].shape) for v in found[:2]])

    r1, r2 = np.sqrt(x), np.sqrt(y)
    side, angle = np.where(c < 0.0, -1.0, 1.0), np.arctan2(root, np.abs(c))
    return _ray_slopes(values, r1 * r2, side, np.log(r1 / r2), angle, reach[near])


def _pair_slopes(pair, rest, names, kinks, x, c, y, root):
    """All slopes of a pair by name; pair(q11, q12, q22, root, *rest) gives what `names` say."""

    def values(*at):
        return pair(*at, *rest)

    r1, r2 = np.sqrt(x), np.sqrt(y)
    unlike, sine = np.log(r1 / r2), np.minimum(1.0, root / r1 / r2)
    meet = [np.log(abs(a / b)) for a in kinks for b in kinks if a and b] or [0.0]
    size = np.minimum(1.0, np.hypot(np.min([abs(unlike - t) for t in meet], axis=0), sine))
    apart_by = np.array([abs(a / r1 - np.copysign(b, c) / r2) for a in kinks for b in kinks])
    gap = np.min(apart_by, axis=0) if kinks else 0.0 * sine
    like = unlike * unlike <= 4e-4 * sine * sine  # an end of squares loses more
    middle = np.where(like, 0.15 * sine * sine, 0.0)
    half = np.where(like, middle, 0.15 * size)
    half, place = np.where(half > 0.0, half, 1.0), np.where(like, unlike * unlike, 0.0)
    place = np.where(like & (middle > 0.0), place / half - 1.0, 0.0)

    def moved(step, other):
        m, n = np.exp(step), np.exp(other)
        found = values(x * (m * n), c * m, y * (m / n), root * m)
        return np.array([found[0] + 0.0 * x, found[1] + 0.0 * x])

    def apart(step):  # X itself, or its square from 0 on
        square = np.where(middle > 0.0, np.sqrt(np.maximum(middle + step, 0.0)), 0.0)
        return moved(0.0, np.where(like, np.copysign(square, unlike) - unlike, step))

    def turned(step):
        cos, sin = np.cos(step), np.sin(step)
        found = values(x, c * cos - root * sin, y, abs(root * cos + c * sin))
        return found[names.index("dot")] + 0.0 * x

    both = dict(zip(names, values(x, c, y, root)))
    by_m = _slopes_of(lambda step: moved(step, 0.0), 12, 0.2)
    by_x = _slopes_of(apart, 12, half, place) * np.where(like, 2.0 * unlike, 1.0)
    turn = np.where(sine < 0.05 * gap, 0.05 * gap, 0.12 * sine)
    around = _slopes_of(turned, 12, np.where(turn > 0.0, turn, 1.0))
    places = {sign * a for a in kinks for sign in (1.0, -1.0)}
    least = min([1.0, *(abs(a - b) for a in places for b in places if a != b)])
    reach = 0.1 * least / np.sqrt(r1 * r2)
    near = (np.hypot(unlike, sine) < 0.5 * reach) & (root > 0.0) & ~like
    if kinks and near.any():
        at = np.broadcast_arrays(x, c, y, root)
        by_x[:, near] = _near_slopes(pair, rest, at, near, reach)
    found = {k: both[k] for k in names[2:]}
    for k, m, n in zip("nt", by_m, by_x):
        found[f"{k}_x"], found[f"{k}_y"] = 0.5 * (m + n) / x, 0.5 * (m - n) / y
    found["t_a"] = both["t_Kdot"] * around - both["t_K"] * (root * both["dot"])
    return found


def _picked(slopes, names, *at):
    """The slope of each entry that its number says; one by one they are the same entries."""
    *at, which = at
    found = np.full(len(which), np.nan)
    for k, name in enumerate(names):
        wanted = which == k
        if wanted.any():
            found[wanted] = _slopes_once(slopes, *(v[wanted] for v in at))[name]
    return found


_known = {}


def _slopes_once(slopes, *at):
    """What `slopes` gives, kept for the next name that is asked for at the same place."""
    key = tuple(v.tobytes() for v in at)
    last = _known.get(slopes)
    if last is None or last[0] != key:
        with np.errstate(all="ignore"):
            last = _known[slopes] = key, slopes(*at)
    return last[1]
'''
"""What all programs share, in the scope of NumPy's rules."""

_STEM = '''
def @STEM@_slopes(q11, q12, q22, root, *rest):
    """Slopes of both kernels by name; in the other inputs by relative steps."""
    at = q11, q12, q22, root
    found = _pair_slopes(@STEM@_pair, rest, @NAMES@, @KINKS@, *at)
    for k, name in enumerate(@REST@):
        if all(f"{w}_of_{name}" in found for w in "nt") or name == "t12":
            continue
        unit = np.where(rest[k] == 0.0, 1.0, np.abs(rest[k]))

        def along(step):
            moved = (*rest[:k], rest[k] + unit * step, *rest[k + 1 :])
            both = @STEM@_pair(*at, *moved)
            return np.array([both[0] + 0.0 * q11, both[1] + 0.0 * q11])

        for w, slope in zip("nt", _slopes_of(along, 12, 0.15)):
            found.setdefault(f"{w}_of_{name}", slope / unit)
    return found
'''

_DUAL = '''
def @STEM@_far(closed, dot, q11, q12, q22@PARAMS@):
    """Slopes in q11, q22 of nngp, in all three of dot, in parameters; `closed` are closed forms.

    Where variances are large they are differences of values.
    """
    root = _rootdet(q11, q12, q22)
    high = _max(q11, q22)
    used = (_min(q11, q22) > 0.0) & (high < _INF) & (_abs(q12) < _INF)
    used, turned = used & (high > @BEYOND@), used & (high > @TURNING@)
    names = @NAMES@
    none = [float("nan") + 0.0 * root] * len(names)
    needed = [turned if k == "t_a" else used for k in names]
    at = q11, q12, q22, root@PARAMS@
    found = dict(zip(names, _slopes_by_numpy("@STEM@", names, needed, at, none)))

    def chosen(value, plain):
        return _where(used & (value == value), value, plain)

    edge = root == 0.0
    turn = found["t_a"]
    some = turn == turn  # no quotient of NaN: not even 0 times its derivative is 0
    turn = _where(some, turn, 0.0) / _where(edge, 1.0, root)
    turn = _where(edge, 0.0, _where(some, turn, -closed[3]))
    first, second = (0.5 * q12 / _where(used, q, 1.0) for q in (q11, q22))
    return (
        chosen(found["n_x"] - first * dot, closed[0]),
        chosen(found["n_y"] - second * dot, closed[1]),
        chosen(found["t_x"] + first * turn, closed[2]),
        _where(turned, -turn, closed[3]),
        chosen(found["t_y"] + second * turn, closed[4]),
@OWN@    )


def @STEM@_same(nngp, dot, q@PARAMS@):
    """The same for u = v: slopes in q and in parameters of both; given are closed forms."""
    used = (q > @BEYOND@) & (q < _INF)
    of_n, of_t = ("n_x", *@OF_N@), ("t_x", *@OF_T@)
    at, names = (q, q, q, 0.0 * q@PARAMS@), of_n + of_t
    none = [float("nan") + 0.0 * q] * len(names)
    slopes = dict(zip(names, _slopes_by_numpy("@STEM@", names, [used] * len(names), at, none)))

    def found(name, plain):
        value = slopes[name]
        value = 2.0 * value if name.endswith("_x") else value  # both variances move
        return _where(used & (value == value), value, plain)

    nngp = tuple(map(found, of_n, nngp if isinstance(nngp, tuple) else (nngp,)))
    return nngp, tuple(map(found, of_t, dot if isinstance(dot, tuple) else (dot,)))
'''
