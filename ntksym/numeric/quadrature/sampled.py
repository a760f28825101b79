"""`SampledDual`: the dual of a Python callable, by two rules that are compared: nothing is proven.

What is printed as an error is the difference between a trapezoid rule and one of twice the step.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ...errors import BadSpec, Undecided
from . import sampled_rules as rules
from .between import Between, between
from .callables import REACH, Sampled, falls, sampled
from .run import LOOSE, root_of_det

DEFAULT_ERROR = 1e-8
COARSEST, FINEST, FINEST_SCALAR = 2, 5, 3
MARK = "sampled, not proven"
LONGEST = 60.0
"""Seconds that looking at the probes may take; the estimates of a slower function stay open."""
_ARRAYS = "a function that takes arrays, as np.tanh does (one of numbers gets coarser rules only); "
_PROBES = (1.0, -1.0, 0.9999, 0.95, 0.5, 0.0, -0.7)


@dataclass(frozen=True, slots=True)
class SampledDual:
    """The dual of a callable; every value carries an estimated error.

    Attributes:
        function: s.
        slope: s', or None: then the derivative dual comes from values of s.
        variances: the range (lo, hi).
        error: the largest estimate that is accepted, relative to sqrt(K(q11) K(q22)); a value with
            a larger one is NaN.
        estimate: the largest estimate seen at the probes.
    """

    function: Sampled
    slope: Sampled | None
    variances: tuple[float, float]
    error: float
    estimate: float
    method: str = "sampled"

    def __repr__(self) -> str:
        lo, hi = self.variances
        return (
            f"<SampledDual {self.function.name}: {MARK}; variances {lo:g} to {hi:g}, "
            f"estimated error {self.estimate:.1e}>"
        )

    def evaluate(self, q11: Any, q12: Any, q22: Any) -> tuple[Any, Any]:
        """(nngp, derivative dual), float64; NaN outside the range or where the estimate is large.

        Symmetric in u and v to the last bit.
        """
        nngp, dot, _, _ = self.estimated(q11, q12, q22)
        return nngp, dot

    def diagonal(self, q: Any) -> tuple[Any, Any]:
        """(E[s(u)^2], E[s'(u)^2])."""
        return self.evaluate(q, q, q)

    def estimated(self, q11: Any, q12: Any, q22: Any) -> tuple[Any, Any, Any, Any]:
        """(nngp, dot, estimated relative error of nngp, the same of dot), arrays."""
        import numpy as np

        parts = [np.asarray(v, dtype=np.float64) for v in (q11, q12, q22)]
        flat = np.broadcast_arrays(*parts, root_of_det(*parts))
        rows = zip(*(part.ravel().tolist() for part in flat), strict=True)
        found = np.array([self._entry(*row) for row in rows], dtype=np.float64).reshape(-1, 4)
        shaped = [found[:, i].reshape(flat[0].shape) for i in range(4)]
        return shaped[0], shaped[1], shaped[2], shaped[3]

    def _entry(
        self, x: float, c: float, y: float, root: float
    ) -> tuple[float, float, float, float]:
        nan = float("nan")
        large, small = (x, y) if x >= y else (y, x)
        lo, hi = self.variances
        if not (lo <= small and large <= hi and c == c and small > 0.0):
            return nan, nan, nan, nan
        a, b = large**0.5, small**0.5
        rho, sigma = c / a / b, min(root / a / b, 1.0)
        if not abs(rho) <= LOOSE:
            return nan, nan, nan, nan
        rho = min(max(rho, -1.0), 1.0)
        if sigma == 0.0:
            rho = 1.0 if rho > 0.0 else -1.0
        first, one = _refined(self.function, None, (a, b, rho, sigma), self.error)
        second, two = _refined(self.function, self.slope, (a, b, rho, sigma), self.error, dot=True)
        return (
            first if one <= self.error else nan,
            second if two <= self.error else nan,
            one,
            two,
        )

    def lines(self) -> tuple[str, ...]:
        """What it is, as lines of text."""
        lo, hi = self.variances
        apart = isinstance(self.function.function, Between)
        way = "the derivative given" if self.slope else "values of s (Stein's identity)"
        return (
            f"{self.function.name}: a Python callable, {MARK}"
            + ("; of numbers: interpolated between samples" if apart else ""),
            f"variances from {lo:g} to {hi:g}, all correlations; NaN outside",
            f"estimated relative error {self.estimate:.1e}: the difference of two trapezoid rules",
            f"the derivative dual from {way}",
            f"assumed: square integrable, and nothing between or beyond the samples ({REACH} "
            "deviations)",
        )

    def record(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "method": self.method,
            "mark": MARK,
            "activation": self.function.name,
            "variances": list(self.variances),
            "estimated_error": self.estimate,
            "derivative": "given" if self.slope else "from values",
        }


def sampled_dual(
    function: Any,
    *,
    derivative: Any = None,
    variances: tuple[float, float] = (0.01, 100.0),
    error: float = DEFAULT_ERROR,
    name: str = "",
) -> SampledDual:
    """The dual of a Python callable without an expression: estimated errors, no proof.

    Args:
        function: of one number, or element-wise of an array.
        derivative: its derivative; without it the derivative dual is computed from values of
            `function`, by differentiating the Gaussian.
        variances: the range.
        error: the largest estimated error that is accepted.
        name: for messages.

    Raises:
        BadSpec: a range or an error that is none.
        BadActivation: values that are not finite real numbers, with the x that gave one.
        NotSquareIntegrable: as far as the samples show.
        Undecided: the estimates do not come below `error`, or the function takes so long that they
            are not reached in `LONGEST` seconds; the message has the best.
    """
    lo, hi = (float(v) for v in variances)
    if not (0.0 < lo <= hi < float("inf")):
        raise BadSpec(f"variances = ({lo}, {hi}) is not a range", hint="0 < lo <= hi")
    if not 1e-13 <= error < 1:
        raise BadSpec(f"error = {error!r} cannot be estimated", hint="error=1e-8")
    far = REACH * hi**0.5 * 2.0**0.5
    s = _for_arrays(sampled(function, far, name), far)
    ds = None
    if derivative is not None:
        ds = _for_arrays(sampled(derivative, far, f"the derivative of {s.name}"), far)
    for one in (s, ds):
        if one is not None:
            falls(one, hi**0.5)
    worst = _probe(s, ds, lo, hi, error, _Clock(time.perf_counter() + LONGEST))
    if not worst <= error:
        raise Undecided(
            f"{s.name}: two rules differ by more than {error:g}",
            where=f"the best estimate of the error at a probe: {worst:.2g} (relative)",
            hint=("" if s.vectorised else _ARRAYS)
            + "a larger error; the derivative; or an expression, which is cut at its kinks",
        )
    return SampledDual(s, ds, (lo, hi), error, worst)


def _for_arrays(s: Sampled, far: float) -> Sampled:
    """A callable of numbers by interpolation, where that has its digits in time."""
    return s if s.vectorised else between(s, far, LONGEST / 4) or s


@dataclass(frozen=True, slots=True)
class _Clock:
    """Until when the probes may take."""

    until: float

    def check(self, s: Sampled, level: int, estimate: float) -> None:
        """Nothing, where there is time for the rules of a level.

        Raises:
            Undecided: there is none.
        """
        points = rules.plane(level)[0].size
        needed = 2 * (s.per_call + points * s.per_value)
        if time.perf_counter() + needed > self.until:
            known = "no estimate yet" if estimate == float("inf") else f"{estimate:.2g} (relative)"
            raise Undecided(
                f"{s.name} is slow: its error is not estimated within {LONGEST:.0f} s",
                where=f"{points} values take about {needed / 2:.2g} s; the best estimate of the "
                f"error at a probe: {known}",
                hint="a function that takes arrays (NumPy), a larger error, or an expression",
            )


def _probe(
    s: Sampled, ds: Sampled | None, lo: float, hi: float, error: float, clock: _Clock
) -> float:
    """The largest estimate over a few covariances, or the first that is too large."""
    worst = 0.0
    for q11, q22 in ((lo, lo), (hi, hi), (hi, lo)):
        for rho in _PROBES:
            entry = (q11**0.5, q22**0.5, rho, (1.0 - rho * rho) ** 0.5)
            for used, dot in ((None, False), (ds, True)):
                worst = max(worst, _refined(s, used, entry, error, dot=dot, clock=clock)[1])
                if worst > error:
                    return worst
    return worst


def _refined(
    s: Sampled,
    ds: Sampled | None,
    entry: tuple[float, float, float, float],
    error: float,
    *,
    dot: bool = False,
    clock: _Clock | None = None,
) -> tuple[float, float]:
    """(value, estimated relative error): finer until two rules agree to `error`."""
    a, b, rho, sigma = entry
    before = estimate = float("inf")
    now = float("nan")
    for level in range(COARSEST - 1, (FINEST if s.vectorised else FINEST_SCALAR) + 1):
        if clock is not None:
            clock.check(s if ds is None else ds, level, estimate)
        now = _one(s, ds, (a, b, rho, sigma), level, dot)
        size = _one(s, ds, (a, a, 1.0, 0.0), level, dot) * _one(s, ds, (b, b, 1.0, 0.0), level, dot)
        scale = abs(size) ** 0.5
        gap = abs(now - before)
        estimate = gap / scale if scale > 0.0 else (0.0 if gap == 0.0 else float("inf"))
        if level >= COARSEST and estimate <= 0.5 * error:
            break
        before = now
    return now, estimate


def _one(
    s: Sampled, ds: Sampled | None, entry: tuple[float, float, float, float], level: int, dot: bool
) -> float:
    if not dot:
        return rules.value(s, *entry, level)
    if ds is not None:
        return rules.value(ds, *entry, level)
    import numpy as np

    z, _ = rules.line(level)
    middle = float(np.median(s(entry[0] * z)))  # constants have no slope: they would be noise
    return rules.slope(lambda x: s(x) - middle, *entry, level)
