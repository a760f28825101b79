"""Scatter plots of error against time, logarithmic both ways, as SVG without a library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

PANEL, HEIGHT, LEFT, TOP, BOTTOM, GAP, KEY = 320, 430, 64, 58, 52, 40, 172
FLOOR = 1e-17
"""Errors below, zero among them, are drawn here."""
OURS = (
    "#0b6e4f", "#1f5fbf", "#8a3ffc", "#0892a5", "#111111", "#6b8e23", "#5b5b9b", "#3a3a3a",
    "#7fb800", "#00a3ff", "#b266ff",
)  # fmt: skip
OUR_SHAPES = ("circle", "square", "triangle", "diamond")
"""As many as do not divide the number of colours: no two looks are the same for a while."""
PEERS = ("#f0a020", "#e8681c", "#c8330c", "#7a0c0c", "#d6006c")
PEER_SHAPES = ("cross", "cross", "cross", "cross", "plus")


@dataclass(frozen=True, slots=True)
class Mark:
    """One point: panel, name for the legend, whose it is, filled or not, time, error, title."""

    panel: str
    name: str
    peer: bool
    filled: bool
    ns: float
    error: float
    title: str


def scatter(marks: Sequence[Mark], panels: Sequence[str], title: str) -> str:
    """An SVG document: one panel each, one legend; errors that are not finite stay out."""
    shown = [m for m in marks if math.isfinite(m.error) and math.isfinite(m.ns)]
    names = tuple(dict.fromkeys(m.name for m in sorted(shown, key=lambda m: m.peer)))
    looks = _looks({m.name: m.peer for m in sorted(shown, key=lambda m: m.peer)})
    low = math.floor(math.log10(min(m.ns for m in shown)))
    high = math.ceil(math.log10(max(m.ns for m in shown)))
    bottom, top = math.log10(FLOOR), 1.0
    width = LEFT + len(panels) * (PANEL + GAP) + KEY

    def px(panel: int, ns: float) -> float:
        start = LEFT + panel * (PANEL + GAP)
        return start + (math.log10(ns) - low) / (high - low) * PANEL

    def py(error: float) -> float:
        inside = min(max(math.log10(max(error, FLOOR)), bottom), top)
        return TOP + (top - inside) / (top - bottom) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
        f'height="{HEIGHT}" font-family="Helvetica, Arial, sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15" fill="#111">{escape(title)}</text>',
    ]
    end = HEIGHT - BOTTOM
    for i, panel in enumerate(panels):
        left, right = px(i, 10.0**low), px(i, 10.0**high)
        parts.append(f'<text x="{left:.0f}" y="{TOP - 10}" fill="#111">{escape(panel)}</text>')
        for k in range(low, high + 1):
            at = px(i, 10.0**k)
            parts.append(f'<path d="M{at:.1f} {TOP}V{end}" stroke="#e4e4e4" fill="none"/>')
            if (k - low) % 2 == 0:
                parts.append(
                    f'<text x="{at:.1f}" y="{end + 17}" text-anchor="middle" fill="#333">'
                    f"{_seconds(k)}</text>"
                )
        for k in range(-16, 1, 2):
            at = py(10.0**k)
            parts.append(
                f'<path d="M{left:.1f} {at:.1f}H{right:.1f}" stroke="#e4e4e4" fill="none"/>'
            )
            if i == 0:
                parts.append(
                    f'<text x="{left - 8:.0f}" y="{at + 4:.1f}" text-anchor="end" fill="#333">'
                    f'10<tspan dy="-5" font-size="9">{k if k >= 0 else f"−{-k}"}</tspan></text>'
                )
        parts.append(f'<path d="M{left:.1f} {TOP}V{end}H{right:.1f}" stroke="#555" fill="none"/>')
        parts.append(
            f'<text x="{(left + right) / 2:.0f}" y="{HEIGHT - 14}" text-anchor="middle" '
            f'fill="#111">time per Gram entry</text>'
        )
    middle = (TOP + end) / 2
    parts.append(
        f'<text transform="translate(16 {middle:.0f}) rotate(-90)" text-anchor="middle" '
        'fill="#111">largest error, value and derivative</text>'
    )
    for m in shown:
        across, down = px(panels.index(m.panel), m.ns), py(m.error)
        parts.append(_marker(looks[m.name], m.filled, across, down, m.title))
    start = LEFT + len(panels) * (PANEL + GAP)
    for j, name in enumerate(names):
        y = TOP + 6 + 19 * j
        filled = any(m.filled for m in shown if m.name == name)
        parts.append(_marker(looks[name], filled, start + 6, y, name))
        parts.append(f'<text x="{start + 18}" y="{y + 4}" fill="#111">{escape(name)}</text>')
    y = TOP + 16 + 19 * len(names)
    parts.append(f'<text x="{start}" y="{y}" fill="#333">filled: generated C</text>')
    parts.append(f'<text x="{start}" y="{y + 17}" fill="#333">hollow: generated NumPy</text>')
    parts.append("</svg>\n")
    return "\n".join(parts)


def _seconds(power: int) -> str:
    """10^power ns in words."""
    units = ((9, "s"), (6, "ms"), (3, "µs"), (0, "ns"))
    for base, unit in units:
        if power >= base:
            return f"{10 ** (power - base)} {unit}"
    return f"{10.0**power:g} ns"


def _looks(names: dict[str, bool]) -> dict[str, tuple[str, str]]:
    """(colour, shape) by name: ours cool, the peers' warm."""
    out, counts = {}, {False: 0, True: 0}
    for name, peer in names.items():
        i = counts[peer]
        counts[peer] += 1
        colours, shapes = (PEERS, PEER_SHAPES) if peer else (OURS, OUR_SHAPES)
        out[name] = colours[i % len(colours)], shapes[i % len(shapes)]
    return out


def _marker(look: tuple[str, str], filled: bool, x: float, y: float, title: str) -> str:
    colour, shape = look
    r = 4.2
    fill = colour if filled else "none"
    style = f'fill="{fill}" fill-opacity="0.75" stroke="{colour}" stroke-width="1.3"'
    inner = f"<title>{escape(title)}</title>"
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" {style}>{inner}</circle>'
    d = {
        "square": f"M{x - r:.1f} {y - r:.1f}h{2 * r:.1f}v{2 * r:.1f}h{-2 * r:.1f}z",
        "triangle": f"M{x:.1f} {y - r - 1:.1f}L{x + r + 1:.1f} {y + r:.1f}H{x - r - 1:.1f}z",
        "diamond": f"M{x:.1f} {y - r - 1.5:.1f}L{x + r + 1.5:.1f} {y:.1f}L{x:.1f} "
        f"{y + r + 1.5:.1f}L{x - r - 1.5:.1f} {y:.1f}z",
        "cross": f"M{x - r:.1f} {y - r:.1f}l{2 * r:.1f} {2 * r:.1f}m0 {-2 * r:.1f}"
        f"l{-2 * r:.1f} {2 * r:.1f}",
        "plus": f"M{x - r - 1:.1f} {y:.1f}h{2 * r + 2:.1f}M{x:.1f} {y - r - 1:.1f}v{2 * r + 2:.1f}",
    }[shape]
    return f'<path d="{d}" {style}>{inner}</path>'
