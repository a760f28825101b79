r"""Polar rules for a weak singularity at 0, as that of |x|^p or x log|x|: section 6 of the lemmas.

On the quadrants of (u, v) in turn, $u = \sqrt{q_{11}}\,r\sin t$, $v = \sqrt{q_{22}}\,r\sin(L - t)$,
$0 < t < L$: the singular lines u = 0 and v = 0 are the ends.  With $t = L/(1 + e^{-w})$ and
$r = e^{\xi}$ the trapezoid rule converges geometrically in w and in $\xi$, for any order of the
singularity, and has one error for all correlations, $\pm1$ and their neighbourhood included.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf, log, pi
from typing import Any

from ..patience import check
from .lattice import deviation
from .sector import exponent, sector_size
from .subject import BITS, Curve, Subject

WIDE = ("0.7", "1.1")
TURN = ("0.35", "0.45", "0.55")
RATES = ("0.015625", "0.0625")
SLACK = 2.0**-40
"""How far, relatively, the least variance may be from that of the range."""
_SHARES = (1 / 8, 1 / 256, 2.0**-14)
"""Of the goal, for each part of the bound: the first that does."""
_LONGEST = 18.0
"""No radius is longer; the covers reach as far."""
_MOST = 4_000_000
_LARGE = 1e60
"""A bound beyond is of no use."""


@dataclass(frozen=True, slots=True)
class FanRule:
    r"""Nodes $w = k\,h_w$, $|k| \le$ reach[j], at the radii $e^{\xi_j}$, $\xi_j$ falling.

    Attributes:
        top: the largest variance.
        low: the least.
        step_w: $h_w$.
        step_r: that of $\xi$.
        start: $\xi_0$; the integral ends half a step above it.
        reach: for each radius the largest |k|.
        parity: 1 or -1 for an even or an odd activation, else 0.
        wide: half the width of the strip in w on which the bound rests.
        turn: the same in $\xi$.
        rate: $\gamma$ of `sector.sector_size`, times twice the largest variance.
    """

    top: Any
    low: Any
    step_w: float
    step_r: float
    start: float
    reach: tuple[int, ...]
    parity: int
    wide: str
    turn: str
    rate: str

    @property
    def nodes(self) -> int:
        """How many values of s an entry needs, at most."""
        each = sum(2 * k + 1 for k in self.reach)
        return 4 * each * (1 if self.parity else 2)

    @property
    def least(self) -> float:
        """Below this variance there is no bound."""
        return float(self.low) * (1 - SLACK)


@dataclass(frozen=True, slots=True)
class Size:
    r"""What is known of a curve: $|f| \le c|s|^\kappa e^{\gamma|s|^2/(2Q)}$ in two sectors.

    Attributes:
        power: kappa, an `fmpq`.
        wide: c in the sector of w, and on the whole line.
        turn: the same for xi.
    """

    power: Any
    wide: Any
    turn: Any


def applies(subject: Subject) -> bool:
    """Whether there is one kink, at 0."""
    return subject.kinks == (0,)


def size_of(curve: Curve, top: Any, wide: str, turn: str, rate: str) -> Size | None:
    """The bounds of a curve for variances up to `top`; None where there are none."""
    power = _power(curve)
    if power is None or not 2 * power > -1:
        return None
    one, two = _cover(curve, top, wide, rate), _cover(curve, top, turn, rate)
    return None if one is None or two is None else Size(power, one, two)


@lru_cache(maxsize=64)
def _power(curve: Curve) -> Any | None:
    from flint import arb

    from ...precision import precision

    with precision(BITS):
        return exponent(curve, arb(WIDE[-1]))


@lru_cache(maxsize=256)
def _cover(curve: Curve, top: Any, angle: str, rate: str) -> Any | None:
    """The c of a sector as far as the nodes of any rule reach, and of all larger real numbers."""
    from flint import arb

    from ...precision import precision

    with precision(BITS):
        power, dev = _power(curve), deviation(top)
        gamma = arb(rate) / (2 * dev * dev)
        reach = (dev * covered()).upper()
        far = _beyond(curve, power, gamma, reach)
        if far is None:
            return None
        size = sector_size(curve, power, gamma, arb(angle), reach)
        return None if size is None else size.max(far).upper()


def covered() -> Any:
    """How many standard deviations the bounds in sectors reach (`arb`)."""
    from flint import arb

    return (_LONGEST * _rise(arb(WIDE[-1]))).upper()


def _rise(wide: Any) -> Any:
    """The cosh of the largest |Im t|: |sin t| is at most that, and |t| times it."""
    from flint import arb

    height = arb.pi() / 2 * (wide / 2).tan()
    return ((height.exp() + (-height).exp()) / 2).upper()


def _beyond(curve: Curve, power: Any, gamma: Any, reach: Any) -> Any | None:
    """The supremum of |f| t^-power exp(-gamma t^2) for real |t| > reach; None: not shown."""
    from flint import arb

    from ...errors import NtksymError
    from ...verify.functions.growth import growth_beyond

    try:
        g = growth_beyond(curve.pieces, (reach * 0.99).lower())
    except NtksymError:
        return None
    if not g.c.is_finite():
        return None
    zero = arb(0)
    fall = 2 * (gamma - g.a.max(zero)) * reach
    grown = g.k / (1 + reach) + g.b.max(zero) + (-arb(power)).max(zero) / reach
    if not grown < fall:  # its logarithm falls from `reach` on
        return None
    top = g.b.max(zero) * reach + (g.a.max(zero) - gamma) * reach * reach
    return (g.c * (1 + reach) ** g.k * top.exp() * reach ** -arb(power)).upper()


def fan_bound(rule: FanRule, size: Size) -> Any:
    """An upper bound of |rule - expectation| for variances in [low, top], all rho (`arb`)."""
    from flint import arb

    from ..arith import ball

    kappa, (wide, turn, gamma) = arb(size.power), map(arb, (rule.wide, rule.turn, rule.rate))
    step_w, step_r = arb(rule.step_w), arb(rule.step_r)
    s = 1 + kappa if size.power >= 0 else 1 + 2 * kappa
    beta = s.gamma() * s.gamma() / (2 * s).gamma()
    least = ball(rule.low) * (1 - 2 * arb(SLACK))
    scale = deviation(rule.top) ** 2 if size.power >= 0 else least
    front = arb.pi() ** (1 + 2 * kappa) / (2 * arb.pi()) * scale**kappa
    if size.power < 0:
        front = front * (2 / arb.pi()) ** (2 * kappa)
    rise, sec = _rise(wide), 1 / (wide / 2).cos()
    lift = sec * sec * ((rise * sec) ** (2 * kappa) if size.power >= 0 else arb(1))
    calm_w, calm = arb(1) / 2 - gamma * rise * rise, arb(1) / 2 - gamma
    calm_r = (2 * turn).cos() / 2 - gamma
    if not (calm_w > 0 and calm_r > 0):
        return arb("inf")
    one, two = front * size.wide * size.wide * lift, front * size.turn * size.turn
    radial = (1 + kappa).gamma() / 2
    sums = beta + step_w * arb(4) ** -s
    end = (arb(rule.start) + step_r / 2).exp()
    total = one * beta * radial * calm_w ** -(1 + kappa) * _lines(wide, step_w)
    total += two * sums * radial * calm_r ** -(1 + kappa) * _lines(turn, step_r)
    edge = end ** (2 + 2 * kappa) * (-end * end * calm_r).exp()
    total += two * sums * edge * step_r * arb(2).log() / arb.pi()
    total += two * beta * calm ** -(1 + kappa) / 2 * (calm * end * end).gamma_upper(1 + kappa)
    for j, k in enumerate(rule.reach):
        check()
        r = (arb(rule.start) - j * step_r).exp()
        lost = 2 * (-s * k * step_w).exp() / s
        total += two * step_r * r ** (2 + 2 * kappa) * (-calm * r * r).exp() * lost
    last = arb(rule.start) - (len(rule.reach) - 1) * step_r
    total += two * sums * ((2 + 2 * kappa) * last).exp() / (2 + 2 * kappa)
    return (4 * total).upper()


def _lines(half: Any, step: Any) -> Any:
    from flint import arb

    return 2 / ((2 * arb.pi() * half / step).exp() - 1)


def fan_bounds(rule: FanRule, subject: Subject) -> tuple[Any, Any]:
    """Upper bounds of the errors of a rule for s and s' (`arb`); infinite where a cover fails."""
    from flint import arb

    from ...precision import precision

    with precision(BITS):
        out = []
        fits = applies(subject) and rule.parity in (0, parity(subject))
        fits = fits and rule.wide in WIDE and rule.turn in TURN
        fits = fits and arb(rule.start) + arb(rule.step_r) / 2 <= arb(_LONGEST).log()
        for curve in (subject.value, subject.slope):
            size = size_of(curve, rule.top, rule.wide, rule.turn, rule.rate) if fits else None
            out.append(arb("inf") if size is None else fan_bound(rule, size))
        return out[0], out[1]


def parity(subject: Subject) -> int:
    """1 or -1 for an even or an odd activation, by its expression; else 0."""
    from ...symbols import x

    mirrored = subject.expr.xreplace({x: -x})
    return 1 if mirrored == subject.expr else -1 if mirrored == -subject.expr else 0


def choose_fan(subject: Subject, low: Any, top: Any, goals: tuple[Any, Any]) -> FanRule | None:
    """The rule with about the fewest nodes whose bounds for s and s' are below the goals."""
    from ...precision import precision

    if not applies(subject):
        return None
    best: FanRule | None = None
    with precision(BITS):
        for wide in WIDE:
            for turn in TURN:
                for rate in RATES:
                    for share in _SHARES:
                        rule = _fitted(subject, (low, top), goals, (wide, turn, rate), share)
                        if rule is not None:
                            break
                    if rule is not None and (best is None or rule.nodes < best.nodes):
                        best = rule
    return best if best is not None and best.nodes <= _MOST else None


def _fitted(
    subject: Subject,
    span: tuple[Any, Any],
    goals: tuple[Any, Any],
    names: tuple[str, str, str],
    share: float,
) -> FanRule | None:
    """A rule whose parts of the bound are about a share of the goals; None: it misses them."""
    check()
    low, top = span
    wide, turn, gamma = map(float, names)
    known = []
    for curve, goal in zip((subject.value, subject.slope), goals, strict=True):
        size = size_of(curve, top, *names)
        if size is None or not goal > 0 or (size.power < 0 and not low > 0):
            return None
        if not size.wide.max(size.turn) < _LARGE:
            return None
        kappa = float(size.power.p) / float(size.power.q)
        scale = (float(top) if kappa >= 0 else float(low)) ** kappa
        front = 4 * pi ** (2 * kappa) * scale
        known.append((kappa, front * float(size.turn) ** 2, front * float(size.wide) ** 2, goal))
    step_w = step_r = 1.0
    start, reached = 0.0, 0.0
    rise = float(_rise(float_ball(wide)))
    if gamma * rise * rise > 0.4 or gamma > 0.45 * _cosine(2 * turn):
        return None
    radii: list[tuple[float, float, float, float]] = []
    for kappa, small, large, goal in known:
        part = float(goal) * share
        s = 1 + kappa if kappa >= 0 else 1 + 2 * kappa
        more = 8 / s * (rise * 2) ** max(2 * kappa, 0)
        calm = 0.5 - gamma * rise * rise
        step_w = min(step_w, 2 * pi * wide / log(2 + large * more / calm ** (1 + kappa) / part))
        calm_r = _cosine(2 * turn) / 2 - gamma
        step_r = min(step_r, 2 * pi * turn / log(2 + small * 8 / s / calm_r ** (1 + kappa) / part))
        end = 1.0
        while small * 4 / s * end ** (2 + 2 * kappa) * exp(-calm_r * end * end) > part:
            end += 1 / 16
            if end > _LONGEST:
                return None
        start = max(start, log(end))
        reached = max(reached, log(small * 4 / s / part) / (2 + 2 * kappa))
        radii.append((kappa, small, s, part))
    start = min(start, log(_LONGEST) - 1e-6) - step_r / 2
    count = max(1, int((start + reached) / step_r) + 2)
    reach = []
    for j in range(count):
        r, most = exp(start - j * step_r), 0
        for kappa, small, s, part in radii:
            size_here = 2 * small * step_r * r ** (2 + 2 * kappa) * exp(-(0.5 - gamma) * r * r) / s
            need = log(max(size_here * count / part, 1.0)) / s / step_w
            most = max(most, int(need) + 1)
        reach.append(most)
    low = low if any(kappa < 0 for kappa, *_ in radii) else low * 0
    rule = FanRule(top, low, step_w, step_r, start, tuple(reach), parity(subject), *names)
    found = fan_bounds(rule, subject)
    return rule if all(b < g for b, g in zip(found, goals, strict=True)) else None


def float_ball(value: float) -> Any:
    """The `arb` of a double."""
    from flint import arb

    return arb(value)


def _cosine(angle: float) -> float:
    from math import cos

    return cos(angle)


def node_tables(rule: FanRule) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    r"""Doubles: $1/(1+e^{kh})$ with k from 0; the weight of k; the radii with theirs.

    The weight of k is $h\,\sigma(kh)\sigma(-kh)$, that of a radius $h\,r^2e^{-r^2/2}/(2\pi)$.
    """
    from flint import arb

    from ...precision import precision

    with precision(2 * BITS):
        step_w, step_r = arb(rule.step_w), arb(rule.step_r)
        shares, weights, radii = [], [], []
        for k in range(max(rule.reach) + 1):
            e = (-step_w * k).exp()
            shares.append(float((e / (1 + e)).mid()))
            weights.append(float((step_w * e / (1 + e) ** 2).mid()))
        for j in range(len(rule.reach)):
            r = (arb(rule.start) - j * step_r).exp()
            radii.append(float(r.mid()))
            radii.append(float((step_r * r * r * (-r * r / 2).exp() / (2 * arb.pi())).mid()))
    assert inf > max(radii)
    return tuple(shares), tuple(weights), tuple(radii)
