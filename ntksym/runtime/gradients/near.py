r"""Directions of nearly parallel pairs after a layer with kinks away from 0, in doubles.

The next angle of such a pair, and the way it moves, are small differences of covariances.  They are
integrals instead, of the derivative dual and of its slopes: with $d = E[(s(u) - s(v))^2]$ the next
determinant is $\tfrac12 d(n_{11} + n_{22}) - \tfrac14d^2 - \tfrac14(n_{11} - n_{22})^2$, and
$d = d_0 + 2g$ as `backends.near` says.  In a direction,

- $\partial_{q_{11}} g = \int_0^\theta r_1r_2\sin\varphi\,(\dot K/(2q_{11}) +
  \partial_{q_{11}}\dot K)\,d\varphi$ at fixed $\varphi$, and $\partial_\theta d$ is
  $2r_1r_2\sin\theta\,\dot K$;
- $\partial_{r_1} d_0 = 2\int_{r_2}^{r_1} E[z^2s'(rz)s'(r_1z)]\,dr$, where the expectation is
  $\dot K + 2r^2\partial_{q_{11}}\dot K + 2r_1^2\partial_{q_{22}}\dot K$ of parallel inputs (Euler);
- $n_{11} - n_{22}$ is the integral of the slope of the diagonal.

Every factor is as small as the pair is near, so that rounding is eps times the angle.  The rules
are Gauss-Legendre's; their error is measured, not proven.

The slopes of the derivative dual are functions of the ratio of $X = \log(r_1/r_2)$ to $\theta$,
which doubles of a near pair do not tell.  They are smooth on the ray
$(X, \theta) = \varepsilon\,(\cos\psi, \sin\psi)$, so their values at larger $\varepsilon$ are
interpolated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backends.near import LARGEST_ANGLE, LARGEST_SPREAD
from ...backends.tables import legendre
from .gap import SHARED
from .layers import KINKED, Layer
from .steps import CLOSE_ENTRY, Doubles, Numeric

LARGEST_SINE = 0.3
"""Of the next angle: beyond, its digits are those of the covariance."""
FEW = 5
"""Nodes between the two lengths."""
RAY, SHARE, NODES = 0.2, 0.1, 12
"""The length of the rays, also in gaps of kinks over the standard deviation: a longer ray would see
two kinks at once.  The Chebyshev nodes on one."""
SHORTER, SHORTEST, RESOLVED = 0.25, 1e-5, 1e-13
"""The next ray's part of one on which the last coefficients are beyond `RESOLVED` of the largest
value, and the length that is not tried: doubles lose the digits of angles there."""
ACROSS = 48
"""Nodes of the angle, at the cubes of Gauss's: dense towards 0, where unlike norms make layers."""


OTHERS = ("t_a", "t_t", *(f"t_of_{p}" for p in SHARED))
"""Slopes of the NTK without a slope of the derivative dual, and that in the angle, which follows
from that in q12."""


@dataclass(frozen=True, slots=True)
class Near:
    """Nearly parallel pairs after a layer.

    Attributes:
        chosen: for which pairs the rest is meant.
        root: the next root.
        diff: the next difference of lengths.
        d: E[(s(u) - s(v))^2] times the variance of the weights.
        unlike: the next n11 - n22.
        slopes: derivatives of d: "x", "y" and hyper-parameters by name, and "a", that in the angle
            over the root.
    """

    chosen: Any
    root: Any
    diff: Any
    d: Any
    unlike: Any
    slopes: Mapping[str, Any]

    def turned(
        self,
        name: str,
        move: Mapping[str, Any],
        turn_by: Any,
        after: Mapping[str, Any],
        n: Mapping[str, Any],
    ) -> Any:
        """The direction of the next angle; `n` is the next state, `turn_by` is `steps.swing`."""
        s = self.slopes
        along = s["x"] * move["q11"] + s["a"] * turn_by + s["y"] * move["q22"]
        along = along + s.get(f"of_{name}", 0.0)
        n11, n22, root = n["q11"], n["q22"], n["root"]
        level = after["q11"] / (2 * n11) + after["q22"] / (2 * n22)
        rise = along * (n11 + n22) + self.d * (after["q11"] + after["q22"])
        rise = 0.5 * (rise - self.d * along - self.unlike * (after["q11"] - after["q22"]))
        none = root == 0.0
        turn = 0.5 * rise / np.where(none, 1.0, root) - root * level
        return np.where(none, 0.0, turn / n["q12"])


class NearDoubles(Doubles):
    """Doubles that mend what nearly parallel pairs lose."""

    def __init__(self, programs: Numeric) -> None:
        super().__init__(programs)
        self._few = tuple(np.array(v)[:, None] for v in zip(*legendre(FEW), strict=True))
        rule = [(t**3, 3.0 * t * t * w) for t, w in legendre(ACROSS)]
        self._across = tuple(np.array(v)[:, None] for v in zip(*rule, strict=True))
        at = (2 * np.arange(NODES) + 1) * np.pi / (2 * NODES)
        self._ray = np.sin(at / 2) ** 2
        self._weight = np.sin(at) * (-1.0) ** np.arange(NODES)
        self._last = np.cos(np.outer([NODES - 2, NODES - 1], at)) * (2.0 / NODES)

    def mends(self, layer: Layer, state: Mapping[str, Any]) -> Any:
        """Not those of opposite inputs where a jump meets a kink: of parallel ones the meeting of
        jumps with themselves is nearly all that there is, of these it may be little.
        """
        ahead = state["q12"] > 0.0
        return True if layer.kinks is None else ahead | ~layer.kinks.met(ahead)

    def sharp(self, layer: Layer, given: Mapping[str, Any], o: dict[str, Any]) -> dict[str, Any]:
        """The outputs of a pair, with the slopes of nearly collinear pairs by interpolation."""
        if layer.kind != KINKED or layer.kinks is None:
            return o
        every = np.broadcast_arrays(*(np.asarray(given[a], dtype=float) for a in layer.pair.args))
        state = dict(zip(layer.pair.args, every, strict=True))
        lengths = state["r11"] * state["r22"]
        spread = np.log1p(abs(state["diff"]) / np.minimum(state["r11"], state["r22"]))
        spread = np.copysign(spread, state["diff"])
        angle = np.arctan2(state["root"], abs(state["q12"]))
        size = np.hypot(angle, spread)
        reach = np.minimum(RAY, SHARE * layer.kinks.gap / np.sqrt(lengths))
        chosen = (size < np.minimum(CLOSE_ENTRY, reach)) & (angle > 0.0)
        if not chosen.any():
            return o
        picked = {k: v[chosen] for k, v in state.items()}
        found = self._on_rays(layer, picked, angle[chosen], spread[chosen], reach[chosen])
        made = dict(o)
        for k, v in found.items():
            whole = np.array(np.broadcast_to(o[k], chosen.shape), dtype=float)
            whole[chosen] = v
            made[k] = whole
        return made

    def _on_rays(
        self, layer: Layer, picked: Mapping[str, Any], angle: Any, spread: Any, reach: Any
    ) -> dict[str, Any]:
        """Slopes of the NTK of pairs whose rays are `reach` long.

        That in q12 times the root is what kinks make of it, which may be little or nothing, and on
        the ray a number times its length.
        Where the last coefficients of the polynomial say that it bends too much on the ray, as it
        does where s bends on a scale of its own (exponentials, bells), the ray is made shorter;
        each slope is taken from the ray that it is best resolved on.
        """
        lengths = picked["r11"] * picked["r22"]
        size = np.hypot(angle, spread)
        peak, met = self._peak(layer, picked, lengths, angle / size)
        best: dict[str, Any] = {}
        left = np.arange(len(size))
        while len(left):
            some = {k: v[left] for k, v in picked.items()}
            r, s, m = reach[left], size[left], lengths[left]
            ray = np.outer(self._ray, r)
            half, turn = 0.5 * ray / s * spread[left], ray / s * angle[left]
            r11, r22 = (np.sqrt(m) * np.exp(sign * half) for sign in (1.0, -1.0))
            root, cosine = m * np.sin(turn), np.copysign(m * np.cos(turn), some["q12"])
            there = {"q11": r11 * r11, "q12": cosine, "q22": r22 * r22, "r11": r11, "r22": r22}
            there |= {"root": root, "diff": 2.0 * np.sqrt(m) * np.sinh(half)}
            found = self.program(layer.pair, {**some, **there})
            gap = s - ray
            share = self._weight[:, None] / np.where(gap == 0.0, 1e-300, gap)
            share /= np.sum(share, axis=0)
            bent = np.zeros(len(left), dtype=bool)
            found["t_q"] = (found["t_q"] * root - peak[left]) / np.where(met[left], 1.0, ray)
            for k, v in found.items():
                if not k.startswith("t_") or k in OTHERS:
                    continue
                v = np.broadcast_to(v, ray.shape)
                most = np.max(np.abs(v), axis=0)
                if k == "t_q":
                    most = most + np.abs(peak[left]) / s
                lost = np.max(np.abs(self._last @ v), axis=0) / np.where(most == 0.0, 1.0, most)
                if k not in best:
                    best[k] = np.full((2, len(size)), np.inf)
                better = lost < best[k][1, left]
                best[k][0, left] = np.where(better, np.sum(share * v, axis=0), best[k][0, left])
                best[k][1, left] = np.where(better, lost, best[k][1, left])
                bent |= best[k][1, left] > RESOLVED
            reach = reach * SHORTER
            left = left[bent & (reach[left] > size[left]) & (reach[left] > SHORTEST)]
        made = {k: v[0] for k, v in best.items()}
        turned = peak + np.where(met, 1.0, size) * made["t_q"]
        return made | {"t_q": turned / picked["root"], "t_a": -turned}

    @staticmethod
    def _peak(layer: Layer, picked: Mapping[str, Any], lengths: Any, sine: Any) -> tuple[Any, Any]:
        """What the NTK's slope in q12 times the root is where a ray begins, and where jumps meet so
        that it is not known: 0 there.
        """
        assert layer.kinks is not None
        ahead = picked["q12"] > 0.0
        met = layer.kinks.met(ahead)
        rate = float(layer.values["weight_var"]) * picked["t12"]
        return np.where(met, 0.0, rate * layer.kinks.peak(lengths, sine, ahead)), met

    def near(
        self, layer: Layer, state: Mapping[str, Any], o: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Near | None:
        """What is known of nearly parallel pairs; None where no pair is one."""
        if layer.near is None:
            return None
        names = ("q11", "q12", "q22", "root", "diff")
        x, c, y, root, diff = np.broadcast_arrays(*(state[k] for k in names))
        n11, n22 = np.broadcast_arrays(after["q11"], after["q22"])
        r1, r2 = np.sqrt(x), np.sqrt(y)
        angle, spread = np.arctan2(root, c), np.log1p(abs(diff) / np.minimum(r1, r2))
        chosen = (angle < LARGEST_ANGLE) & (spread < LARGEST_SPREAD)
        chosen &= (n11 > 0.0) & (n22 > 0.0)
        if not chosen.any():
            return None
        at = tuple(v[chosen] for v in (x, y, r1, r2, diff, angle))
        d, slopes = self._apart(layer, at)
        slopes["a"] = 2.0 * np.broadcast_to(o["n_q"], chosen.shape)[chosen]
        slopes["of_weight_var"] = d / float(layer.values["weight_var"])
        unlike = self._unlike(layer, at)
        one, two = n11[chosen], n22[chosen]
        det = 0.25 * (d * (2.0 * (one + two) - d) - unlike**2)
        whole = np.sqrt(np.maximum(det, 0.0))
        bad = ~(whole < LARGEST_SINE * np.sqrt(one) * np.sqrt(two)) | ~np.isfinite(whole)
        gap = unlike / (np.sqrt(one) + np.sqrt(two))

        def spread_out(v: Any, otherwise: Any) -> Any:
            full = np.array(np.broadcast_to(otherwise, chosen.shape), dtype=float)
            full[chosen] = np.where(bad, full[chosen], v)
            return full

        kept = chosen.copy()
        kept[chosen] = ~bad
        return Near(
            kept,
            spread_out(whole, after["root"]),
            spread_out(gap, after["diff"]),
            spread_out(d, 0.0),
            spread_out(unlike, 0.0),
            {k: spread_out(v, 0.0) for k, v in slopes.items()},
        )

    def _duals(self, layer: Layer, x: Any, c: Any, y: Any, root: Any) -> dict[str, Any]:
        assert layer.near is not None
        given = {"q11": x, "q12": c, "q22": y, "root": root, **layer.values}
        found = self.program(layer.near, given)
        shape = np.broadcast_shapes(*(np.shape(v) for v in (x, c, y, root)))
        return {k: np.broadcast_to(v, shape) for k, v in found.items()}

    def _apart(self, layer: Layer, at: tuple[Any, ...]) -> tuple[Any, dict[str, Any]]:
        """E[(s(u) - s(v))^2] and its derivatives in the variances and the parameters."""
        x, y, r1, r2, diff, angle = at
        m = r1 * r2
        t, w = self._across
        phi = angle * t
        root = m * np.sin(phi)
        found = self._duals(layer, x, m * np.cos(phi), y, root)
        weight = 2.0 * w * angle * root
        slope = found.pop("slope")
        moved = {"x": found.pop("slope_x") + slope / (2.0 * x)}
        moved["y"] = found.pop("slope_y") + slope / (2.0 * y)
        moved |= {k.removeprefix("slope_"): v for k, v in found.items()}
        slopes = {k: np.sum(weight * v, axis=0) for k, v in moved.items()}
        total = np.sum(weight * slope, axis=0)
        along = self._along(layer, r1, r2, diff)
        total = total + along.pop("slope")
        for k, v in along.items():
            slopes[k] = slopes[k] + v
        return total, slopes

    def _along(self, layer: Layer, r1: Any, r2: Any, diff: Any) -> dict[str, Any]:
        """The same for parallel inputs of these lengths."""
        few, share = self._few
        low = np.minimum(r1, r2)
        high, spread = low + abs(diff), np.log1p(abs(diff) / low)
        u = spread * few
        rest, e, g = spread - u, np.exp(-u), np.exp(u)

        def parallel(first: Any, second: Any) -> dict[str, Any]:
            return self._duals(layer, first * first, first * second, second * second, 0.0 * first)

        up, down = parallel(high + 0.0 * u, high * e), parallel(low * g, low + 0.0 * u)
        found = {}
        for k in up:
            if k.startswith("slope_of_"):
                found[k] = up[k] * high**2 * e - down[k] * low**2 * g
        for t, v in zip(few[:, 0], share[:, 0], strict=True):
            size = low * np.exp(rest * t)
            inner = parallel(size * g, size)  # from low*exp(u/2) to high*exp(-u/2), geometrically
            for k in found:
                found[k] = found[k] - v * rest * (size * size * g) * inner[k]
        made = {
            k.removeprefix("slope_"): 2.0 * np.sum(share * spread * v, axis=0)
            for k, v in found.items()
        }

        def square(r: Any, end: Any) -> Any:
            """E[z^2 s'(rz) s'(end z)]."""
            p = parallel(r, end + 0.0 * r)
            return p["slope"] + 2.0 * (r * r * p["slope_x"] + end * end * p["slope_y"])

        for k, end, sign in (("x", r1, 1.0), ("y", r2, -1.0)):
            made[k] = sign * diff / end * np.sum(share * square(r2 + diff * few, end), axis=0)
        total = 0.0
        for t, v in zip(few[:, 0], share[:, 0], strict=True):
            end = r2 + diff * t
            total = total + v * t * np.sum(share * square(r2 + diff * t * few, end), axis=0)
        made["slope"] = 2.0 * diff * diff * total
        return made

    def _unlike(self, layer: Layer, at: tuple[Any, ...]) -> Any:
        """The next n11 - n22."""
        _, y, r1, r2, diff, _ = at
        few, share = self._few
        between = diff * (r1 + r2)
        given = {"q": y + between * few, "t12": 0.0, **layer.values}
        slope = self.program(layer.side, given).get("n_q", 0.0) + 0.0 * between * few
        return between * np.sum(share * slope, axis=0)
