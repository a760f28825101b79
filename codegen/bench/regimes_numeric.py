"""Generated C against rigorous references, by whole arrays: every activation, hard regimes.

    python codegen/bench/regimes_numeric.py                        all; goes on where it stopped
    python codegen/bench/regimes_numeric.py --points 1000 mish elu       names that contain a word
    python codegen/bench/regimes_numeric.py --ranges mish "gelu (tanh)"  tables of ranges
    python codegen/bench/regimes_numeric.py --report                     the table again

The activations are those of `enclosures.py`: the frameworks' and the catalogue's.  Each runs as
`ntksym.compile` would run it: closed form, mixture, or a rule for unit variances, for which an
error of 1e-14 is asked.  Errors are |generated - exact| / sqrt(K(q11) K(q22)), the uncertainty of
the reference added.  References: `long_series.py` (thousands of correlations of a few pairs of
variances), the closed form in ball arithmetic at any covariance, the definition in ball
arithmetic; how many points each gave is in the table.  Exit status 1 where a mixture or a rule is
off by more than 1e-14 and its own bound, or gives no number inside its range.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from ball_references import Closed, defined
from dual_methods import Late, say
from elementwise import REGIMES
from enclosures import Row
from flint import arb
from long_series import References, extended
from numeric_codes import PATIENCE, Code, code, listed, ranged
from numeric_report import report
from regimes import Subject, measure

from ntksym.activation import Activation
from ntksym.dual import Dual
from ntksym.errors import NotSquareIntegrable, NtksymError
from ntksym.numeric.arith import ball
from ntksym.precision import precision
from ntksym.verify.balls import enclose_definition

OUT = Path(__file__).with_name("regimes_numeric.json")
SCHEMA = "ntksym/regimes-numeric/1"
GOAL = 1e-14
UNEQUAL = 4
"""Pairs of different variances in a regime."""
ALONE = ("equal", "parallel", "zero")
"""Regimes with one correlation for two variances: few points."""
MOST_AGAIN = 8
LEAST = 64


@dataclass(slots=True)
class Seen:
    """What was found in one regime; `at` is the worst covariance."""

    regime: str
    series: int = 0
    closed: int = 0
    definition: int = 0
    unknown: int = 0
    bad: int = 0
    nngp: float = 0.0
    dot: float = 0.0
    at: tuple[float, ...] = ()

    @property
    def checked(self) -> int:
        """Points with a reference."""
        return self.series + self.closed + self.definition

    def note(self, which: int, errors: Any, columns: Sequence[Any]) -> None:
        """The largest of `errors`; NaN counts as bad."""
        self.bad += int(np.count_nonzero(np.isnan(errors)))
        if np.isnan(errors).all():
            return
        i = int(np.nanargmax(errors))
        worst = float(errors[i])
        if worst > max(self.nngp, self.dot):
            self.at = tuple(float(c[i]) for c in columns)
        if which == 0:
            self.nngp = max(self.nngp, worst)
        else:
            self.dot = max(self.dot, worst)


@dataclass(slots=True)
class Record:
    """One activation."""

    name: str
    method: str
    digest: str
    bound: float | None
    points: int
    seconds: float
    note: str = ""
    regimes: list[Seen] = field(default_factory=list)


def pairs(variances: Sequence[float], regime: str) -> list[tuple[float, float]]:
    """The pairs of variances of a regime."""
    same = [(v, v) for v in variances]
    if len(variances) == 1:
        return same if regime not in ("parallel", "zero", "scales", "mixed") else []
    low, high = variances[0], variances[-1]
    others = [(low, high), (high, variances[-2]), (variances[1], high), (variances[-2], low)]
    return {
        "equal": same,
        "parallel": others[:UNEQUAL],
        "zero": [],
        "scales": [(low, low), (high, high)],
        "mixed": [(low, high), (high, low)],
    }.get(regime, same + others[:UNEQUAL])


def correlations(regime: str, count: int, seed: int) -> Any:
    """Correlations of a regime."""
    rng = np.random.default_rng((seed, REGIMES.index(regime)))
    if regime in ("equal", "parallel"):
        return np.ones(1)
    if regime.startswith("near"):
        return np.cos(float(regime.split()[1]) * rng.uniform(0.5, 2.0, count))
    if regime == "opposite":
        return np.concatenate([[-1.0], -np.cos(10.0 ** rng.uniform(-8, 0, count - 1))])
    if regime == "orthogonal":
        return np.concatenate([[0.0, 1e-17, -1e-17], rng.uniform(-1e-3, 1e-3, count - 3)])
    return rng.uniform(-0.999, 0.999, count)


def by_arrays(
    c: Code, known: References, regime: str, count: int, seconds: float, again: int = 0
) -> Seen:
    """A regime by `long_series`, and by the definition where that does not reach.

    `again` counts the times before with the same regime: other correlations are drawn, and what
    the series does not reach is left out.
    """
    out = Seen(regime)
    chosen = pairs(c.variances, regime)
    end = time.process_time() + seconds
    for number, (a, b) in enumerate(chosen):
        seed = number + len(chosen) * again
        q12 = correlations(regime, -(-count // len(chosen)), seed) * math.sqrt(a * b)
        columns = [np.full(len(q12), a), q12, np.full(len(q12), b)]
        got = [np.array(v) for v in c.rule(*columns)]
        found, sizes = known.at(a, q12, b), known.sizes(a, b)
        for k, (middle, bound) in enumerate((found.nngp, found.dot)):
            if math.isfinite(sizes[k]) and found.known.any():
                errors = (np.abs(got[k] - middle) + bound).astype(float) / sizes[k]
                out.note(k, errors[found.known], [v[found.known] for v in columns])
        out.series += int(found.known.sum())
        if again:
            continue
        left = np.unique(q12[~found.known])
        share = end - (end - time.process_time()) * (1 - 1 / (len(chosen) - number))
        np.random.default_rng(number).shuffle(left)
        done = 0
        for value in left:
            if time.process_time() > share:
                break
            place = int(np.flatnonzero(q12 == value)[0])
            _defined(c, out, (a, float(value), b), [g[place] for g in got], sizes)
            done += 1
        out.unknown += len(left) - done
    return out


def _defined(
    c: Code, out: Seen, row: tuple[float, float, float], got: Sequence[Any], sizes: Sequence[float]
) -> None:
    """One covariance by the definition."""
    exact = defined(c.act, *row, math.isfinite(sizes[1]))
    out.definition += 1
    for k in range(2):
        if exact[k].is_finite() and math.isfinite(sizes[k]):
            error = abs(arb(float(got[k])) - exact[k]).upper() if math.isfinite(got[k]) else None
            worst = math.nan if error is None else float(error) / sizes[k]
            out.note(k, np.array([worst]), [np.array([v]) for v in row])


def at_zero(c: Code) -> Seen:
    """A row that is zero, beside others: by the definition."""
    out = Seen("zero")
    for b in (0.0, *c.variances):
        row = (0.0, 0.0, b)
        got = c.rule(*(np.array([v]) for v in row))
        one = enclosed(c.act, (0.0, 0.0, 0.0)), enclosed(c.act, (b, b, b)), enclosed(c.act, row)
        sizes = [math.sqrt(abs(float(u.mid() * v.mid()))) for u, v in zip(*one[:2], strict=True)]
        for k in range(2):  # the kernel of the zero row may be zero: the other row's is the scale
            size = sizes[k] or float(one[1][k].mid()) or 1.0
            worst = float(abs(arb(float(got[k][0])) - one[2][k]).upper()) / size
            out.note(k, np.array([worst]), [np.array([v]) for v in row])
        out.definition += 1
    return out


def enclosed(act: Activation, row: tuple[float, float, float]) -> list[Any]:
    """Balls of both duals from the definition; smooth functions only."""
    exact = [Fraction(v) for v in row]
    found = [enclose_definition(act, *exact, derivative=d, digits=18) for d in (False, True)]
    with precision(120):
        return [ball(Fraction(f.mid)) + arb(0, ball(Fraction(f.rad)).upper()) for f in found]


def by_balls(c: Code, regime: str, count: int, seconds: float) -> Seen:
    """A regime of a closed form at any covariances, by the same form over balls."""
    subject = Subject(c.name, c.act, c.method, c.rule, Closed(c.dual), None, None)
    found = measure(subject, regime, count, seconds)
    where = found.at[int(found.relative[1] > found.relative[0])]
    return Seen(
        regime, 0, found.checked - found.by_definition, found.by_definition, found.unknown,
        found.bad_nan, *found.relative, tuple(float.fromhex(v) for v in where),
    )  # fmt: skip


def joined(one: Seen, two: Seen) -> Seen:
    """Both, of one regime."""
    worse = one if max(one.nngp, one.dot) > max(two.nngp, two.dot) else two
    return Seen(
        one.regime,
        *(getattr(one, f) + getattr(two, f)
          for f in ("series", "closed", "definition", "unknown", "bad")),
        max(one.nngp, two.nngp), max(one.dot, two.dot), worse.at,
    )  # fmt: skip


def measured(c: Code, points: int, seconds: float) -> Iterator[Seen]:
    """All regimes of one activation, together at least `points` with a reference.

    A regime gets its share; what the slow references have no time for is made up where the series
    reaches.
    """
    known = References(c.act)
    closed = isinstance(c.dual, Dual)
    many = [r for r in REGIMES if r not in ALONE and pairs(c.variances, r)]
    each = -(-points // len(many))
    out: dict[str, Seen] = {}
    for regime in REGIMES:
        found = Seen(regime)
        if closed:
            found = by_balls(c, regime, each, seconds)
        if pairs(c.variances, regime):
            try:
                found = joined(found, by_arrays(c, known, regime, each, seconds))
            except (NtksymError, NotSquareIntegrable) as failed:
                say(f"  {regime}: {failed.what}")
        elif not closed and c.open and regime == "zero":
            found = at_zero(c)
        if found.checked or found.unknown:
            out[regime] = found
    reached = [r for r in many if r in out and out[r].series > each / 2]
    for again in range(1, MOST_AGAIN):
        missing = points - sum(s.checked for s in out.values())
        if missing <= 0 or not reached:
            break
        for regime in reached:
            share = max(-(-missing // len(reached)), LEAST)
            more = by_arrays(c, known, regime, share, 0.0, again)
            out[regime] = joined(out[regime], more)
    yield from out.values()


def stored(path: Path = OUT) -> dict[str, Record]:
    """What is there already, by name."""
    if not path.exists():
        return {}
    out = {}
    for entry in json.loads(path.read_text(encoding="utf-8"))["results"]:
        seen = [Seen(**{**s, "at": tuple(s["at"])}) for s in entry.pop("regimes")]
        out[entry["name"]] = Record(**entry, regimes=seen)
    return out


def write(records: dict[str, Record], path: Path = OUT) -> None:
    """The records and the report beside them, in the order of the list."""
    text = json.dumps(
        {"schema": SCHEMA, "goal": GOAL, "results": [asdict(r) for r in records.values()]}, indent=1
    )
    fresh = path.with_suffix(".tmp")
    fresh.write_text(text + "\n", encoding="utf-8")
    fresh.replace(path)
    path.with_suffix(".md").write_text(report(tuple(records.values()), GOAL), encoding="utf-8")


def main() -> int:
    """Measure what is not there yet; write; say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*", help="only activations with one of these in the name")
    parser.add_argument("--points", type=int, default=100_000, help="of each, all regimes together")
    parser.add_argument("--seconds", type=float, default=1.0, help="of slow references, a regime")
    parser.add_argument("--again", action="store_true", help="also what is there already")
    parser.add_argument("--numeric", action="store_true", help="only those without closed form")
    parser.add_argument("--ranges", action="store_true", help="tables of ranges of variances")
    parser.add_argument("--error", type=float, default=0.0, help="the least that ranges try")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if not extended():
        print("long doubles are doubles here: no references", file=sys.stderr)
        return 2
    records = stored(options.out)
    for row in () if options.report else listed([w.lower() for w in options.words]):
        for c in ranged(row, options.error) if options.ranges else _one(row, options, records):
            began = time.process_time()
            old = records.get(c.name)
            same = old is not None and old.digest == c.digest and old.points >= options.points
            if same and not options.again:
                continue
            made = Record(c.name, c.method, c.digest, c.bound, options.points, options.seconds)
            made.regimes = list(measured(c, options.points, options.seconds))
            records[c.name] = made
            write(records, options.out)
            worst = max((max(s.nngp, s.dot) for s in made.regimes), default=0.0)
            checked, bad = sum(s.checked for s in made.regimes), sum(s.bad for s in made.regimes)
            took = time.process_time() - began
            say(f"{c.name:38s} {c.method:18s} {worst:8.1e} {checked:7d} bad {bad} {took:6.1f} s")
    wrong = [r.name for r in records.values() if _wrong(r)]
    write(records, options.out)
    print(f"{len(records)} activations; wrong: {', '.join(wrong) or 'none'}")
    return 1 if wrong else 0


def _one(row: Row, options: argparse.Namespace, records: dict[str, Record]) -> Iterator[Code]:
    """The code of one activation; a record where there is none."""
    try:
        c = code(row, options.numeric)
    except (NtksymError, Late) as failed:
        what = getattr(failed, "what", f"no rule in {3 * PATIENCE:g} s")
        records[row.name] = Record(row.name, "none", "", None, 0, 0.0, what)
        say(f"{row.name}: {what}")
        write(records, options.out)
        return
    if c is not None:
        yield c


def _wrong(r: Record) -> bool:
    """Whether a mixture or a rule is beyond its bound and the goal, or gives no number."""
    if r.bound is None:
        return False
    limit = GOAL + r.bound
    return any(s.bad or not max(s.nngp, s.dot) <= limit for s in r.regimes)


if __name__ == "__main__":
    sys.exit(main())
