"""Plots as SVG, without a library: small, the same bytes everywhere, legible on dark pages.

Lines take their colours from the style sheet (`.curve-a`, `.curve-b`), text and axes the colour of
the text; the two curves differ in dashes too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 44


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot.

    Attributes:
        name: for the legend, plain text.
        points: (x, y), x increasing; a gap is a point with a y that is not finite.
        kind: `a`, `b` or `c`: the colour and the dashes.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    kind: str = "a"


def plot(curves: Sequence[Curve], *, x: str, title: str, anchor: str) -> str:
    """An `<svg>` element with axes, labels and a description for those who cannot see it.

    Args:
        curves: at least one, with at least one finite point.
        x: the label of the horizontal axis, plain text.
        title: the accessible name.
        anchor: makes ids unique on a page.
    """
    xs = [p[0] for c in curves for p in c.points if math.isfinite(p[1])]
    low, high = _range([p[1] for c in curves for p in c.points if math.isfinite(p[1])])
    left, right = min(xs), max(xs)
    ticks_x = [t for t in _ticks(left, right, 5) if left <= t <= right]
    ticks_y = _ticks(low, high, 5)
    low, high = min(low, ticks_y[0]), max(high, ticks_y[-1])

    def px(value: float) -> float:
        return LEFT + (value - left) / (right - left) * (WIDTH - LEFT - RIGHT)

    def py(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{anchor}-t {anchor}-d">',
        f'<title id="{anchor}-t">{escape(title)}</title>',
        f'<desc id="{anchor}-d">{escape(_described(curves, x))}</desc>',
        f'<clipPath id="{anchor}-c"><rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" '
        f'height="{HEIGHT - TOP - BOTTOM}"></rect></clipPath>',
    ]
    bottom, end = HEIGHT - BOTTOM, WIDTH - RIGHT
    for t in ticks_x:
        parts.append(f'<path class="grid" d="M{px(t):.1f} {TOP}V{bottom}"></path>')
        parts.append(
            f'<text class="tick" x="{px(t):.1f}" y="{bottom + 17}" text-anchor="middle">'
            f"{_number(t)}</text>"
        )
    for t in ticks_y:
        parts.append(f'<path class="grid" d="M{LEFT} {py(t):.1f}H{end}"></path>')
        parts.append(
            f'<text class="tick" x="{LEFT - 8}" y="{py(t) + 4:.1f}" text-anchor="end">'
            f"{_number(t)}</text>"
        )
    if low < 0 < high:
        parts.append(f'<path class="axis" d="M{LEFT} {py(0):.1f}H{end}"></path>')
    if left < 0 < right:
        parts.append(f'<path class="axis" d="M{px(0):.1f} {TOP}V{bottom}"></path>')
    parts.append(
        f'<text class="label" x="{(LEFT + end) / 2:.0f}" y="{HEIGHT - 8}" '
        f'text-anchor="middle">{escape(x)}</text>'
    )
    for c in curves:
        parts.append(
            f'<path class="curve curve-{c.kind}" clip-path="url(#{anchor}-c)" '
            f'd="{_path(c, px, py)}"></path>'
        )
    parts.append("</svg>")
    return "".join(parts)


def _path(curve: Curve, px: object, py: object) -> str:
    assert callable(px) and callable(py)
    out, pen = [], "M"
    for x, y in curve.points:
        if not math.isfinite(y):
            pen = "M"
            continue
        out.append(f"{pen}{px(x):.1f} {max(-9999.0, min(9999.0, py(y))):.1f}")
        pen = "L"
    return "".join(out)


def _range(values: Sequence[float]) -> tuple[float, float]:
    """The range to show: everything, but for the top of a curve that runs away at its ends."""
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    inner = ordered[len(ordered) * 9 // 10]
    first = ordered[len(ordered) // 10]
    spread = max(inner - first, 1e-12)
    if high - inner > 4 * spread:
        high = inner + spread
    if first - low > 4 * spread:
        low = first - spread
    if 0 < low < 0.6 * high:
        low = 0.0
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    return low, high


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers that cover the range."""
    step = 10.0 ** math.floor(math.log10((high - low) / count))
    for factor in (1, 2, 2.5, 5, 10):
        if (high - low) / (step * factor) <= count:
            step *= factor
            break
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, last + 1)]


def _number(value: float, digits: int = 6) -> str:
    text = f"{value:.{digits}g}"
    return "0" if text in ("-0", "0") else text.replace("-", "\u2212")


def _described(curves: Sequence[Curve], x: str) -> str:
    """The curves in words: values at the ends and at zero."""
    said = []
    for c in curves:
        finite = [p for p in c.points if math.isfinite(p[1])]
        middle = min(finite, key=lambda p: abs(p[0]))
        rows = (finite[0], middle, finite[-1])
        said.append(
            f"{c.name}: "
            + ", ".join(f"{_number(round(b, 9), 4)} at {_number(a, 3)}" for a, b in rows)
        )
    return f"Over {x}. " + "; ".join(said) + "."
