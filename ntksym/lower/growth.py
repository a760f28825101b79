r"""What a network makes of rounding: the growth of errors with depth, from its diagonals alone.

After a layer an input x is a vector of length $\sqrt{q}$ in a space of random functions, and
$\Sigma(x, y)$ the inner product.  Turning x by $d\theta$ turns its image by at most
$\sqrt\chi\,d\theta$, $\chi = s\,q\,\dot K(q)/q'$ (s the variance of the weights, q' the variance
after the layer), because the image moves on a sphere with that speed and angles obey the triangle
inequality.  Making x longer by $d\log\sqrt q = d\sigma$ makes the image longer by $v\,d\sigma$,
$v = d\log q'/d\log q$, and turns it by at most $\sqrt{a^2 - v^2}\,d\sigma$ with
$a^2 = s\,q\,E[z^2 s'(\sqrt q z)^2]/q'$, and $E[z^2s'^2] = (1 + 2q\,d/dq)\dot K(q)$ by parts.  So
to first order errors $(\theta, \sigma)$ of one input become at most

$$\theta' = \sqrt\chi\,\theta + \sqrt{a^2 - v^2}\,\sigma, \qquad \sigma' = |v|\,\sigma,$$

at any angle between x and y: nothing depends on y.

This is of the NNGP.  For the NTK no bound follows from the diagonals.  A layer multiplies Theta by
$s\,\dot K$, and $d\dot K/d\theta = -\sqrt{q_{11}q_{22}}\sin\theta\,E[s''(u)s''(v)]$ is not in them:
with $s_p(x) = x + p\,w(x/p)$, w a triangle wave of slopes $\pm\frac12$, $\dot K(q)$ tends to
$\frac54$ and $K(q)$ to q as p tends to 0, while $\dot K$ falls by $\frac14$ over an angle of the
order of p.  Where s'' is square-integrable that derivative is at most $\sqrt{q_{11}q_{22}}$ times
the root of $E[s''(u)^2]E[s''(v)^2]$, and of a kink by J at 0 it is $J^2/2\pi$: in n layers of ReLU
an angle changes Theta(x, y) by about $n/2\pi$ times itself, relatively.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import hypot, inf, isfinite, sqrt
from typing import Any

from .schedule import Schedule, Step

STEP = 2.0**-13
"""Of central differences in log q: their error is 1e-8."""
RANGE = (2.0**-1022, 2.0**1023)
"""Of the variances for which there are figures: beyond it doubles lose their digits."""
SETTLED = 2.0**-50
"""A relative change of the variance that is rounding: the layers after it see the same one."""


@dataclass(frozen=True, slots=True)
class Growth:
    r"""Growth of the NNGP at one variance of the first layer.

    Infinite where a derivative is, which it is where an activation jumps (an angle becomes its
    square root, whatever derivative the NTK means), or where the variances leave the range of
    doubles.  The NTK has no such bound from diagonals alone: the module says why.

    Attributes:
        variance: $\Sigma^{(1)}(x, x)$.
        angle: what becomes of a small angle between two inputs of that variance, at most.
        inputs: what becomes of a rounding of the inputs: the change of $\Sigma(x, y)$ over
            $\sqrt{\Sigma(x, x)\Sigma(y, y)}$ for a relative change of x of size one.
        layers: the same where every layer adds such a rounding.
        last: the variance after the last layer.
    """

    variance: float
    angle: float
    inputs: float
    layers: float
    last: float


def growth(schedule: Schedule, variance: float | None = None) -> Growth:
    """The growth of errors through a network of closed forms.

    Args:
        schedule: of the network.
        variance: Sigma(x, x) of the first layer; by default that of rows of mean square one.

    Figures are computed in doubles with central differences, to about four digits.
    """
    start = first_variance(schedule) if variance is None else variance
    layers = [((s.kind, s.diag_values), partial(_layer, schedule, s)) for s in schedule.steps]
    return composed(start, layers)


Figures = tuple[float, float, float, float]
"""sqrt(chi), sqrt(a^2 - v^2), |v| of a layer, and the variance after it."""


def composed(start: float, layers: Sequence[tuple[Any, Callable[[float], Figures]]]) -> Growth:
    """The growth through layers: each with a key, equal for equal layers, and its figures at q."""
    q, angle, lost = start, 1.0, False
    inputs, added = (1.0, 1.0), (1.0, 1.0)
    known: dict[Any, Figures] = {}
    for name, figures_at in layers:
        key = name, q
        if key not in known:
            known[key] = figures_at(q)
        turn, bend, stretch, q = known[key]
        angle *= turn
        inputs = (turn * inputs[0] + bend * inputs[1], stretch * inputs[1])
        added = (turn * added[0] + bend * added[1] + 1.0, stretch * added[1] + 1.0)
        if lost := start != 0.0 and not RANGE[0] < q < RANGE[1]:
            break
    if lost:
        angle = inf
        inputs = added = (inf, inf)
    found = [x if isfinite(x) else inf for x in (angle, sum(inputs), sum(added))]
    return Growth(start, found[0], found[1], found[2], q)


def first_variance(schedule: Schedule) -> float:
    """Sigma(x, x) of the first layer for rows of mean square one."""
    names = schedule.input.args[1:]
    given = dict(zip(names, schedule.input_values, strict=True))
    found = _evaluated(schedule.input, {"d": 1.0, **given})
    return float(found["nngp_slope"] + found["nngp_offset"])


def _layer(schedule: Schedule, step: Step, q: float) -> Figures:
    """The figures of a layer of closed forms."""
    p = schedule.kinds[step.kind].diag
    values = dict(zip(p.args[2:], step.diag_values, strict=True))

    def at(place: float) -> tuple[float, float]:
        """The next variance and the slope of the NTK, which is affine in the one before."""
        none, one = (_evaluated(p, {"q": place, "t12": t, **values}) for t in (0.0, 1.0))
        return float(none["nngp"]), float(one["ntk"] - none["ntk"])

    return figures(q, at, schedule.kinds[step.kind].continuous, SETTLED)


def figures(
    q: float, at: Callable[[float], tuple[float, float]], continuous: bool, settled: float
) -> Figures:
    """The figures of a layer, from the variance after it and its derivative in the covariance.

    Args:
        q: the variance before the layer.
        at: both at a variance.
        continuous: whether the activation does not jump.
        settled: a relative change of the variance that counts as none.
    """
    if not q > 0.0:
        return 0.0, 0.0, 0.0, at(q)[0]
    next_q = inf
    try:
        next_q, slope = at(q)
        (low, slow), (high, fast) = (at(q * (1.0 + h)) for h in (-STEP, STEP))
        chi = q * slope / next_q
        stretch = (high - low) / (2.0 * STEP * next_q)
        whole = chi + q * (fast - slow) / (STEP * next_q)
    except (ZeroDivisionError, OverflowError, ValueError):
        return inf, inf, inf, next_q
    if not continuous:
        return inf, 0.0, abs(stretch), next_q
    bend = sqrt(max(whole - stretch * stretch, 0.0)) if isfinite(whole) else inf
    if abs(next_q - q) <= settled * q:
        next_q = q
    return sqrt(max(chi, 0.0)), bend, abs(stretch), next_q


@lru_cache(maxsize=1)
def _contexts() -> tuple[Any, Any]:
    """Doubles with what programs ask of a context, and 20 digits."""
    from mpmath import MPContext
    from mpmath.ctx_fp import FPContext

    floats, digits = FPContext(), MPContext()
    floats.hypot = hypot
    digits.dps = 20
    return floats, digits


def _evaluated(p: Any, point: dict[str, float]) -> dict[str, Any]:
    """The outputs of a program in floats, or in 20 digits where an operation has no float form."""
    floats, digits = _contexts()
    try:
        return dict(p.evaluate(point, floats))
    except (AttributeError, TypeError):
        return dict(p.evaluate(point, digits))


def growth_lines(schedule: Schedule) -> tuple[str, ...]:
    """The growth for the head of a file; that it is unknown where it is not a number."""
    start = "Growth     "
    try:
        found = growth(schedule)
    except (ArithmeticError, TypeError, ValueError):
        return (f"{start}with depth: not known.",)
    if not RANGE[0] < found.last < RANGE[1]:
        return (f"{start}with depth: not known, the variances leave the range of doubles.",)
    if not all(schedule.kinds[step.kind].continuous for step in schedule.steps):
        return (f"{start}with depth: no bound, an activation jumps: angles become their roots.",)
    if not found.layers < inf:
        return (f"{start}with depth: no bound, the derivative dual is infinite at rho = 1.",)
    space, count = " " * len(start), len(schedule.steps)
    return (
        f"{start}rows of mean square 1, to first order: a relative error e of the rows changes",
        f"{space}nngp(x, y)/sqrt(nngp(x, x) nngp(y, y)) by at most {found.inputs:.2g} e,",
        f"{space}and errors e of all {count} layers too by {found.layers:.2g} e.",
    )
