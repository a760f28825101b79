"""The tables of `network_regimes.md`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

HEAD = """# Networks in the regimes where kernels lose digits

Made by `codegen/bench/network_regimes.py`; every number is in `network_regimes.json`.  Networks of
equal layers, weight variance 1/E[s(z)^2] to three digits, without biases and with bias variance
1/10, from rows of 12 numbers.  Errors are |generated - exact| over the square root of the product
of the diagonals, the worse of NNGP and NTK, of pairs of rows in both orders of a call and of the
rows with themselves.  References: the recursion in ball arithmetic from the exact rows, at up to
3200 bits, midpoints between layers; pairs whose variances leave 1e-290 to 1e290 in a layer are left
out, as are those for which no ball became narrow in time.  `scales`: rows of 1e-150 to 1e150
(float32: 1e-18 to 1e18), every second pair nearly parallel.  `unlike`: parallel rows, norms apart
by 2 to 50 %.

What rounding the rows does: the exact network of the same rows, every number moved by half a unit
in the last place, up or down at random, three times over.  Where an error above the goal is at most
four times the largest change that this makes, nobody's code from these rows could be better, and
`own` is the largest error of the others.

Activations without a closed form (tanh and sigmoid: mixtures; mish: tables, 1e-10 asked for in each
layer) have rows of nearly equal norms; their references are the definition, layer by layer.
"""

DEPTHS = (3, 20, 100)
EPS = 2.0**-52
GROWTH = """## Against the growth of rounding

G: by how much the layers may enlarge a relative error of the rows, to first order and for every
pair (`k.growth().inputs`, rows of mean square 1).  Errors in units of max(G, 1) eps: one is what
rounding the rows themselves does; much more would be the layers' own.  The bound is one of the NNGP
kernel.  The NTK sees the angle of a pair in every layer.  Where that is read off a rounded
covariance its error is eps over the angle, and 100 layers add up.  gelu makes an angle of 0.04 to
0.1 of parallel rows of unlike norms; that has integrals without cancellation (`lower/unlike.py`)
for pairs that are nearly parallel from the start, up to norms five times each other.  From eight
layers on diagonals are sums of two doubles, for variances up to 4 where angles come from
covariances: gelu, x_erf and erf are measured with it here, other networks of that depth without.
"""


def report(records: Sequence[Any]) -> str:
    """The page."""
    every = [(r, w) for r in records for w in r.worst]
    checked = sum(w.checked for _, w in every)
    out = [
        HEAD,
        f"{len(records)} networks, {checked} comparisons of pairs "
        f"({sum(w.unknown for _, w in every)} left out, {sum(w.bad for _, w in every)} values not a "
        f"number).  Matrices not exactly symmetric: {sum(r.not_symmetric for r in records)}; "
        f"diagonals that are not `k.diag`: {sum(r.wrong_diagonal for r in records)}.",
    ]
    for note in dict.fromkeys(r.note for r in records if r.note):
        out += ["", f"{note}: {'; '.join(r.key for r in records if r.note == note)}."]
    columns = list(dict.fromkeys((w.target, w.dtype, w.depth) for _, w in every))
    for title in ("By network", "By regime"):
        named = [(r.key if title == "By network" else w.regime, w) for r, w in every]
        rows = list(dict.fromkeys(name for name, _ in named))
        out += ["", f"## {title}", "", "| | " + " | ".join(f"{t} {d} {n}" for t, d, n in columns)
                + " |", "| --- |" + " --- |" * len(columns)]  # fmt: skip
        for row in rows:
            cells = []
            for column in columns:
                found = [w for n, w in named if n == row and (w.target, w.dtype, w.depth) == column]
                cells.append(_cell(found))
            out.append(f"| {row} | " + " | ".join(cells) + " |")
    out += ["", GROWTH, "| | " + " | ".join(f"G {n} | c float64 {n}, nngp / ntk" for n in DEPTHS)
            + " |", "| --- |" + " --- |" * (2 * len(DEPTHS))]  # fmt: skip
    for r in records:
        if not r.growth:
            continue
        line = f"| {r.key} |"
        for depth, bound in zip(DEPTHS, r.growth, strict=True):
            seen = [w for w in r.worst if (w.target, w.dtype, w.depth) == ("c", "float64", depth)]
            worst = (max((getattr(w, k) for w in seen), default=0.0) for k in ("nngp", "ntk"))
            shares = " / ".join(f"{e / (max(bound, 1.0) * EPS):.2g}" for e in worst)
            line += f" {bound:.2g} | {shares} |"
        out.append(line)
    return "\n".join(out) + "\n"


def _cell(found: Sequence[Any]) -> str:
    """The largest error, and of it what rounding the rows does not explain."""
    if not found:
        return ""
    bad = sum(w.bad for w in found)
    worst, own = max(w.worst for w in found), max(w.own for w in found)
    less = f" (own {own:.0e})" if own < worst else ""
    return f"{worst:.0e}{less}" + (f" ({bad} no number)" if bad else "")
