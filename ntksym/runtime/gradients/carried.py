r"""Nearly parallel pairs of a network of units: their next angle, and how it moves.

The determinant of rounded covariances keeps what eps over the square of the angle leaves of it, and
slopes of derivative duals see the angle itself.  It is made of $d = E[(s(u) - s(v))^2]$ instead,
times the variance of the weights, as `backends.near` says:
$\det' = \tfrac12d(n_{11} + n_{22}) - \tfrac14d^2 - \tfrac14(n_{11} - n_{22})^2$, and $d$ is
integrals of the derivative dual, right to a part of itself.  So are its slopes in
$M = \tfrac12\log q_{11}q_{22}$ and $X = \tfrac12\log(q_{11}/q_{22})$, differences of its values.
Where variances are large all of these are had, and with them

- the slopes of K, as $2K = K(q_{11}) + K(q_{22}) - d$, and of the derivative dual, with the $d$ of
  s': differences of values lose eps over the distance of the nearest singularity;
- what a direction makes of the next covariance beside what the variances make of it at a fixed
  angle: with $\lambda$ the direction of the logarithm of the product of the next lengths it is
  $(\lambda\det' - \tfrac12\partial\det')/n_{12}$.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...backends.c.gradient.large import LARGE, WIDTH
from ...backends.near import SURE
from ...backends.tables import legendre
from ...backends.unit_schedule import UnitStep
from ..checks import Array
from .apart import ALIKE, Gap, Slope, gap, gap_slopes
from .duals import GradientDual
from .large import Large, bend_of
from .own import Apart, Scaled, Weight
from .unlike import Unlike

NEARLY = 0.1
"""The sine up to which a pair is nearly parallel, after a layer and in front of one: from there on
the determinant of covariances keeps 14 digits."""
SPREAD = 0.3
"""The largest |X|."""
FEW = 5
"""Nodes between two variances."""
LIKE_ENDS = 0.02
"""Below this part of the next variances their difference is an integral between the two before."""
CLOSE = 0.1
"""Pairs closer than that, or than the width of a gate, are those of which covariances and
differences of their values lose more than two digits."""
EDGE, NOISY = 60.0, 8.0
"""What slopes in X lose, in units of 1e-13: a reciprocal distance, more by as much at the end of an
interval of squares; and from which on they are mended."""
BETTER = 2e-3
"""The rise of d over the distance, in units of the variances, up to which its slopes are nearer
than covariances."""
CHUNK = 1 << 10
"""Pairs at a time."""


class Nearly:
    """The nearly parallel pairs in front of a layer, as flat arrays.

    Attributes:
        chosen: which pairs of a matrix.
        large: which of these have large variances, and everything there is.
    """

    def __init__(
        self,
        dual: GradientDual,
        step: UnitStep,
        mirror: int,
        state: tuple[Array, ...],
        unlike: Array,
    ) -> None:
        """Find them.

        Args:
            dual: of the layer.
            step: its numbers.
            mirror: as in `unit_plan.DenseRules.mirrors`.
            state: q11, q12, q22, root in front of the layer.
            unlike: q11 - q22, not from these.
        """
        x, c, y, root, unlike = np.broadcast_arrays(*state, unlike)
        m = np.sqrt(x) * np.sqrt(y)
        least = np.minimum(x, y)
        near = (root < NEARLY * m) & (least > 0.0) & ((c > 0.0) | (mirror != 0)) & (root >= 0.0)
        near &= (root > 0.0) | (unlike != 0.0)
        near &= abs(unlike) < np.expm1(2.0 * SPREAD) * least
        self.chosen = near if step.carried or dual.large else np.zeros_like(near)
        self._dual, self._step, self._mirror = dual, step, mirror
        self._x, c, self._y, root, self._unlike, self._m, least = (
            v[self.chosen] for v in (x, c, y, root, unlike, m, least)
        )
        self._back = c < 0.0
        self._angle = np.arctan2(root, abs(c))
        self._apart = np.copysign(0.5 * np.log1p(abs(self._unlike) / least), self._unlike)
        self._wide = wide = np.sqrt(np.maximum(self._x, self._y))
        self._gap: Gap | None = None
        self._unlike_det: Gap | None = None
        self.large = noisy = np.zeros(wide.shape, dtype=bool)
        self._scale = wide
        if dual.large:
            size = np.maximum(root / self._m, WIDTH / (dual.large.steep * wide))
            self.large = (wide * wide > LARGE) & (size < CLOSE)
            self._scale = np.hypot(size, self._apart)
            loss = np.minimum(EDGE * abs(self._apart) / size**2, 1.0 / self._scale)
            noisy = loss > NOISY
        self._noisy = noisy & self.large

    @property
    def any(self) -> bool:
        """Whether there are some."""
        return bool(self._x.size)

    @property
    def _more(self) -> Large:
        assert self._dual.large is not None
        return self._dual.large

    def _slope(self, x: Array, c: Array, y: Array, root: Array) -> Array:
        found: Array = self._dual.both(x, c, y, root)[1]
        return found

    def _large_gaps(self) -> Gap:
        """Of the pairs of large variances."""
        if self._gap is None:
            self._gap = self._gaps_of(self._slope, self._step.far, self.large)
        return self._gap

    def _large_dets(self) -> Gap | None:
        """The determinants of the dual of these pairs, NaN where lengths are alike.

        None where they all are, and where s is not nearly homogeneous.
        """
        if not (abs(self._apart[self.large]) > ALIKE).any():
            return None
        if self._unlike_det is None and (rest := self._more.rest()) is not None:
            made = Unlike(self._slope, self._step.far, self._own, rest)
            self._unlike_det = self._by_parts(lambda at, _: made.slopes(*at), self.large)
        return self._unlike_det

    def _own(self, q: Array) -> Array:
        found: Array = self._dual.both(*np.broadcast_arrays(q, q, q, 0.0 * q))[0]
        return found

    def _gaps_of(self, slope: Slope, far: float, which: Any, together: bool = True) -> Gap:
        """The same of other pairs and by another derivative dual; slopes in M with `together`."""
        steep = self._more.steep
        return self._by_parts(lambda at, w: gap_slopes(slope, far, steep, at, w, together), which)

    def _by_parts(
        self, made: Callable[[tuple[Array, Array, Array], Array], Gap], which: Any
    ) -> Gap:
        """What is made of pairs (M, X, angle) and the larger deviations, some at a time."""
        given = self._m, self._apart, self._angle, self._wide
        m, apart, angle, wide = (v[which] for v in given)
        parts = []
        for k in range(0, len(wide), CHUNK):
            some = slice(k, k + CHUNK)
            parts.append(made((m[some], apart[some], angle[some]), wide[some]))
        rows = zip(*((p.d, p.by_m, p.by_x) for p in parts), strict=True)
        return Gap(*(np.concatenate(v) for v in rows))

    def mended(self, given: tuple[Array, ...]) -> tuple[Array, ...]:
        """What `GradientDual.pair` gave, with the slopes in X of pairs of large variances."""
        noisy = self._noisy
        if not noisy.any():
            return given
        place = np.zeros_like(self.chosen)
        place[self.chosen] = noisy
        made = [np.array(np.broadcast_to(v, place.shape)) for v in given]
        x, y = self._x[noisy], self._y[noisy]
        ends = [self._dual.side(q) for q in (x, y)]
        back = self._back[noisy]
        by_x = self._large_gaps().by_x[noisy[self.large]]
        mends = [(2, by_x, np.where(back, self._mirror, 1), np.ones(x.shape, dtype=bool))]
        if (bend := self._more.bend()) is not None:
            slopes = self._gaps_of(partial(bend_of, self._dual.both, bend), bend.far, noisy, False)
            like = slopes.d < np.abs(made[1][place])  # what is more keeps digits as it is
            mends.append((5, slopes.by_x, np.where(back, -self._mirror, 1), like))
        for k, by_x, sign, like in mends:
            first, second = (q * e[2 + (k > 2)] for q, e in zip((x, y), ends, strict=True))
            old = made[k][place], made[k + 2][place]
            turned = 0.5 * sign * (first - second - by_x)
            for i, w in ((k, 0.5), (k + 2, -0.5)):
                made[i][place] = np.where(like, 0.5 * sum(old) + w * turned, made[i][place])
        return tuple(made)

    def after(
        self, ends: tuple[Array, Array], c: Array, root: Array, unlike: Array
    ) -> tuple[Array, Array, Array]:
        """The next covariance, root and n11 - n22, these of nearly parallel pairs by integrals.

        Args:
            ends: n11 and n22.
            c: the next covariance.
            root: the next root, from covariances.
            unlike: n11 - n22.
        """
        made = [np.array(np.broadcast_to(v, self.chosen.shape)) for v in (c, root, unlike)]
        if not self.any or not self._step.carried:
            return made[0], made[1], made[2]
        n11, n22 = (self._of(v) for v in ends)
        size = np.sqrt(n11) * np.sqrt(n22)
        few, share = (np.array(v)[:, None] for v in zip(*legendre(FEW), strict=True))
        slope = self._dual.side(self._y + self._unlike * few)[2]
        away = self._unlike * self._step.pair[1] * np.sum(share * slope, axis=0)
        away = np.where(abs(away) < LIKE_ENDS * size, away, n11 - n22)
        bias = self._step.pair[0]
        if self._step.straight:
            across = 0.5 * self._gap_of(0.0 * self._apart) / size
            part, whole, det = 0.0 * size, 1.0, 0.0
            if bias:
                scale = (np.where(self._apart > 0.0, n11, n22) - bias) / self._wide**2
                whole = scale * (self._m / size)
                lengths = np.sqrt(self._x) + np.sqrt(self._y)
                ends_apart = scale * ((self._unlike / lengths) ** 2 / size)
                det = (bias / size) * (ends_apart + 2.0 * across)
            det = det + across * (2.0 * whole - across)
        else:
            part, tilt = self._gap_of(self._apart) / size, away / size
            det = 0.25 * (part * (2.0 * ((n11 + n22) / size) - part) - tilt * tilt)
            if (dets := self._large_dets()) is not None:
                weight = self._step.pair[1]
                sure = (weight / size[self.large]) ** 2 * dets.d + (bias / size * part)[self.large]
                det[self.large] = np.where(np.isnan(sure), det[self.large], sure)
        det = np.maximum(det, 0.0)
        sine = np.sqrt(det)
        kept = (sine < 2.0 * NEARLY) & np.isfinite(det)
        self._next = (n11, n22, size, part, away, det, kept)
        place = self.chosen.copy()
        place[self.chosen] = kept
        cosine = np.copysign(size * np.sqrt(np.maximum(1.0 - det, 0.0)), self._of(c))
        made[0][place] = np.where(sine < SURE, cosine, self._of(c))[kept]
        made[1][place] = (sine * size)[kept]
        made[2][place] = away[kept]
        return made[0], made[1], made[2]

    def _parted(self, slope: Slope) -> Array:
        """The gap of pairs of large variances by another derivative dual."""
        m, apart, angle = (v[self.large] for v in (self._m, self._apart, self._angle))
        return gap(slope, self._step.far, m, apart, angle)

    def _of(self, v: Array) -> Array:
        found: Array = np.broadcast_to(v, self.chosen.shape)[self.chosen]
        return found

    def _gap_of(self, apart: Array) -> Array:
        """E[(s(u) - s(v))^2] times the variance of the weights, at these X."""
        found: Array = np.empty_like(self._m)
        rest = ~self.large
        if rest.any():
            m, apart, angle = (v[rest] for v in (self._m, apart, self._angle))
            found[rest] = gap(self._slope, self._step.far, m, apart, angle)
        if self.large.any():
            found[self.large] = self._large_gaps().d
        found *= self._step.pair[1]
        return found

    def turned(
        self,
        turn: Array,
        logs: tuple[Array, Array],
        dot: Array,
        after: tuple[Array, Array],
        rule: Weight | Scaled | Apart,
        found: Array,
        steady: bool = True,
    ) -> Array:
        """A direction: what it makes of the next covariance beside what the variances make.

        Args:
            turn: the same in front of the layer.
            logs: the directions of the logarithms of q11 and q22.
            dot: the derivative dual.
            after: the directions of n11 and n22.
            rule: the direction of d in a hyper-parameter.
            found: the same from covariances, which all but pairs of large variances keep.
            steady: whether the variance of the bias stays.
        """
        if not self.large.any() or not self._step.carried:
            return found
        large, gaps, weight = self.large, self._large_gaps(), self._step.pair[1]
        back = self._back[large]
        first, second, dot, turn = (self._of(v)[large] for v in (*logs, dot, turn))
        dot = np.where(back, -self._mirror, 1) * dot
        turn = np.where(back, -1, 1) * turn
        n11, n22, size, part, away, det, kept = (v[large] for v in self._next)
        steep = weight * dot * (self._m[large] / size)
        kept = kept & (steep * self._scale[large] < BETTER)
        along_d = 0.5 * (gaps.by_m * (first + second) + gaps.by_x * (first - second))
        along_d = weight * (
            (along_d + rule.gap(gaps.d, gaps.by_m, self._parted)) / size - 2.0 * dot * (turn / size)
        )
        one, two = (self._of(v)[large] for v in after)
        total, rise = (n11 + n22) / size, (one + two) / size
        rise = along_d * total + part * rise - part * along_d - (away / size) * ((one - two) / size)
        if isinstance(rule, Weight) and steady and (dets := self._large_dets()) is not None:
            along_det = 0.5 * (dets.by_m * (first + second) + dets.by_x * (first - second))
            along_det = along_det + 2.0 * dets.d / rule.value
            bias, cosine = self._step.pair[0] / size, np.sqrt(np.maximum(1.0 - det, 0.5))
            sure = (weight / size) ** 2 * along_det + bias * along_d
            sure = 2.0 * (sure - 2.0 * weight * dot * (turn / size) * (cosine - bias))
            rise = np.where(np.isnan(sure), rise, sure)
        level = 0.5 * (one / n11 + two / n22)
        moved = (det * level - 0.25 * rise) / np.sqrt(np.maximum(1.0 - det, 0.5)) * size
        made = np.array(np.broadcast_to(found, self.chosen.shape))
        place = np.zeros_like(self.chosen)
        place[self.chosen] = large
        place[place] = kept
        made[place] = (np.where(back, self._mirror, 1) * moved)[kept]
        return made
