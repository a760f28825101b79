"""The tables of `regimes_numeric.md`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MANY = 100_000
HEAD = """# Generated C against rigorous references

Made by `codegen/bench/regimes_numeric.py`; every number is in `regimes_numeric.json`.  Errors are
|generated - exact| / sqrt(K(q11) K(q22)) of the dual and of the derivative dual, the uncertainty of
the reference added: upper bounds at the points, not estimates.  `bound`: what is proven of the
method in its range (of exact arithmetic for a mixture), nothing for closed forms.  References:
`series`, Hermite coefficients in ball arithmetic with Parseval's remainder, or Taylor's polynomial
at rho = +-1, both summed in extended precision with a bound; `closed`, the closed form in ball
arithmetic; `definition`, the double integral in ball arithmetic.  `left out`: points for which
there was no time, made up for in the regimes where the series reaches.  With kinks and no closed
form it does not reach |rho| > 0.98: `near` and `opposite` have a few points there.  Where the
derivative has jumps its dual is compared relative to K/q.
"""


def report(records: Sequence[Any], goal: float) -> str:
    """The page."""
    parts = [HEAD, _summary(records, goal), _regimes(records), _activations(records)]
    return "\n".join(parts)


def _worst(r: Any) -> float:
    return max((max(s.nngp, s.dot) for s in r.regimes), default=0.0)


def _lost(r: Any) -> str:
    bad = sum(s.bad for s in r.regimes)
    return f", {bad} not a number" if bad else ""


def _summary(records: Sequence[Any], goal: float) -> str:
    run = [r for r in records if r.regimes]
    whole = [r for r in run if not any(s.bad for s in r.regimes)]
    within = [r for r in whole if _worst(r) <= goal]
    bounded = [r for r in whole if r.bound is not None and goal < _worst(r) <= r.bound]
    total = sum(s.checked for r in run for s in r.regimes)
    out = [
        f"{len(run)} activations, {total} points with a reference.  Within {goal:g} at every "
        f"point: {len(within)}.  With at least {MANY} points: "
        f"{sum(sum(s.checked for s in r.regimes) >= MANY for r in run)}."
    ]
    if bounded:
        said = ", ".join(f"{r.name} ({_worst(r):.1e})" for r in bounded)
        out.append(f"Built for less, and within the bound that is proven of them: {said}.")
    good = within + bounded
    beyond = sorted((r for r in run if r not in good), key=lambda r: -_worst(r))
    if beyond:
        said = ", ".join(f"{r.name} ({_worst(r):.1e}{_lost(r)})" for r in beyond)
        out.append(f"Not within it: {said}.")
    out += [f"{r.name}: {r.note}." for r in records if r.note]
    return "\n".join(out) + "\n"


def _regimes(records: Sequence[Any]) -> str:
    out = [
        "## By regime",
        "",
        "| regime | method | activations | points | worst K | worst Kdot | not a number | worst at |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    names = list(dict.fromkeys(s.regime for r in records for s in r.regimes))
    for name in names:
        for method in dict.fromkeys(r.method for r in records if r.regimes):
            found = [(r, s) for r in records if r.method == method
                     for s in r.regimes if s.regime == name]  # fmt: skip
            if not found:
                continue
            top, at = max(found, key=lambda f: max(f[1].nngp, f[1].dot))
            where = ", ".join(f"{v:.17g}" for v in at.at)
            out.append(
                f"| {name} | {method} | {len(found)} | {sum(s.checked for _, s in found)} | "
                f"{max(s.nngp for _, s in found):.1e} | {max(s.dot for _, s in found):.1e} | "
                f"{sum(s.bad for _, s in found)} | {top.name}: ({where}) |"
            )
    return "\n".join(out) + "\n"


def _activations(records: Sequence[Any]) -> str:
    out = [
        "## By activation",
        "",
        "| activation | method | bound | worst K | worst Kdot | regime | series | closed | "
        "definition | left out | not a number |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for r in sorted((r for r in records if r.regimes), key=lambda r: (r.method, -_worst(r))):
        top = max(r.regimes, key=lambda s: max(s.nngp, s.dot))
        bound = "-" if r.bound is None else f"{r.bound:.1e}"
        sums = [sum(getattr(s, f) for s in r.regimes)
                for f in ("series", "closed", "definition", "unknown", "bad")]  # fmt: skip
        out.append(
            f"| {r.name} | {r.method} | {bound} | {max(s.nngp for s in r.regimes):.1e} | "
            f"{max(s.dot for s in r.regimes):.1e} | {top.regime} | "
            + " | ".join(str(v) for v in sums)
            + " |"
        )
    return "\n".join(out) + "\n"
