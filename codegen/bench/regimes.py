"""Accuracy of generated C in the regimes where kernels lose digits, against ball arithmetic.

    python codegen/bench/regimes.py                       2000 points in each regime
    python codegen/bench/regimes.py --points 100000 --seconds 600 --range
    python codegen/bench/regimes.py relu mish "x*tanh(exp(x))"

Every catalogue entry with a closed form, and activations without one by the method that
`ntksym.compile` takes for them.  Errors are |generated - exact| / sqrt(K(q11) K(q22)), of dual and
derivative dual, in units of 2^-52, and absolute.  References: the closed form over balls; the
Hermite series over balls; near |rho| = 1 the definition, as many as the seconds allow.  Where a
rule has a range of variances, covariances outside must give NaN.  Exit status 1 where an activation
without closed form is off by more than 1e-14 and its proven bound, or NaN comes where it should
not, or does not where it should.
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
from typing import Any

import numpy as np
from ball_references import Closed, Reference, Series, defined, narrow
from dual_methods import compiled, proven, read, say
from elementwise import REGIMES, Point, point, points
from flint import arb
from sympy import Rational

from ntksym.activation import Activation
from ntksym.activations import catalogue
from ntksym.dual import Dual, dual
from ntksym.errors import NoClosedForm, NtksymError
from ntksym.numeric.choose import choose

EPS = 2.0**-52
GOAL = 1e-14
MOST = 1e290
"""Sizes beyond this, and below its inverse, are left out: not representable as normal numbers."""
MIXED = ("tanh", "sigmoid", "silu", "softplus")
RULED = (
    "mish", "gelu_tanh", "softsign", "atan", "x*tanh(exp(x))", "max(x,0)*tanh(x-1)",
    "log(1+x**2)", "asinh(x)",
)  # fmt: skip
ONE, RANGE = (1.0, 1.0), (0.25, 4.0)
FEW = {ONE: (1.0,), RANGE: (0.25, 0.3, 0.5, 1.0, 1.7, 2.5, 3.4225, 4.0)}
"""Variances of rules: few, so that their Hermite coefficients are worked out once."""
FREE = (1e-4, 0.01, 0.09, 0.25, 0.5, 1.0, 1.7, 3.4225, 6.0, 9.0, 25.0, 100.0)
"""Variances of mixtures, whose bound is for at most 100."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Generated code and what it is compared with."""

    name: str
    act: Activation
    method: str
    rule: Any
    reference: Reference
    span: tuple[float, float] | None
    bound: float | None

    @property
    def closed(self) -> bool:
        """Whether it is a closed form."""
        return self.bound is None


@dataclass(slots=True)
class Worst:
    """What was found in one regime."""

    regime: str
    checked: int = 0
    by_definition: int = 0
    unknown: int = 0
    bad_nan: int = 0
    relative: list[float] = field(default_factory=lambda: [0.0, 0.0])
    absolute: list[float] = field(default_factory=lambda: [0.0, 0.0])
    at: list[tuple[str, ...]] = field(default_factory=lambda: [(), ()])


def numbers(act: Activation) -> Activation:
    """The activation with numbers for its parameters."""
    given = {
        p.name: Rational(-1, 300)
        if p.name == "b" and p.is_positive is None  # the rate of exp(b x^2)
        else Rational(-3 if p.is_negative else 3, 4)
        for p in act.params
    }
    return act.with_params(**given) if given else act


def closed_subjects(words: Sequence[str]) -> Iterator[Subject]:
    """The catalogue's closed forms."""
    for act in catalogue():
        if words and act.name not in words:
            continue
        try:
            found = dual(numbers(act))
        except NoClosedForm:
            continue
        rule = compiled(found.activation, found, "c")
        yield Subject(act.name, found.activation, "closed form", rule, Closed(found), None, None)


def numeric_subjects(words: Sequence[str], ranged: bool) -> Iterator[Subject]:
    """Activations without closed form, by the automatic method."""
    from ntksym.runtime.units.rule_store import kept

    known = {a.name for a in catalogue()}
    others = tuple(w for w in words if w not in (*MIXED, *RULED, *known))
    for text in (*MIXED, *RULED, *others):
        if words and text not in words:
            continue
        act = read(text)
        spans: tuple[tuple[float, float] | None, ...] = (None,)
        if text not in MIXED:
            spans = (ONE, RANGE) if ranged else (ONE,)
        for span in spans:
            exact = None if span is None else (Fraction(span[0]), Fraction(span[1]))
            try:
                made = choose(act, variances=exact, code=True, build=kept)
            except NtksymError as failed:
                say(f"{text}: {failed}")
                continue
            if isinstance(made.dual, Dual):
                say(f"{text}: has a closed form")
                continue
            where = "" if span is None else f" q={span[0]:g}" if span[0] == span[1] else " range"
            rule = compiled(act, made.dual, "c")
            bound = proven(made.dual)
            yield Subject(text, act, made.method + where, rule, Series(act), span, bound or 0.0)


def inputs(s: Subject, regime: str, count: int) -> list[Point]:
    """Covariances of a regime, from the variances that a rule is for."""
    if s.closed:
        return list(points(regime, count))
    few = FREE if s.span is None else FEW[s.span]
    rng = np.random.default_rng((1, REGIMES.index(regime)))
    out: list[Point] = []
    for _ in range(count):
        a, b = (float(v) for v in rng.choice(few, 2))
        rho = float(rng.uniform(-0.999, 0.999))
        if regime == "equal":
            b, rho = a, 1.0
        elif regime == "parallel":
            a, b, rho = 0.25, 3.4225, 1.0
        elif regime.startswith("near"):
            rho = math.cos(float(regime.split()[1]) * float(rng.uniform(0.5, 2.0)))
        elif regime == "opposite":
            rho = -1.0 if rng.uniform() < 0.5 else -math.cos(10.0 ** rng.uniform(-8, 0))
        elif regime == "orthogonal":
            rho = 0.0 if rng.uniform() < 0.5 else 1e-17
        elif regime == "zero":
            a, b, rho = 0.0, b, 0.0
        elif regime == "scales":
            a = b = few[0] if rng.uniform() < 0.5 else few[-1]
        elif regime == "mixed":
            a, b = few[0], few[-1]
        out.append(point(a, rho, b))
    return out


def applies(s: Subject, regime: str) -> bool:
    """Whether a regime is inside the range of variances."""
    if s.span == ONE and regime in ("parallel", "scales", "mixed"):
        return False
    return s.closed or s.span is None or regime != "zero"


def measure(s: Subject, regime: str, count: int, seconds: float) -> Worst:
    """The worst errors of one subject in one regime, in a sample that takes so long."""
    rows = inputs(s, regime, count)
    columns = [np.ascontiguousarray(c) for c in np.array(rows).T]
    got = [np.array(v) for v in s.rule(*columns)]
    out = Worst(regime)
    for v in () if s.closed else {v for row in rows for v in (row[0], row[2])}:
        s.reference.diagonal(v)  # coefficients, once and not on the clock
    end = time.perf_counter() + seconds
    seen: set[Point] = set()
    for i, row in enumerate(rows):
        if row in seen:
            continue
        if time.perf_counter() > end:
            break
        seen.add(row)
        sizes = scales(s, row)
        exact = s.reference.pair(*row)
        if not all(narrow(e, z) for e, z in zip(exact, sizes, strict=True) if usable(z)):
            if time.perf_counter() > end - seconds / 2:
                out.unknown += 1
                continue
            out.by_definition += 1
            exact = defined(s.act, *row, s.reference.continuous)
        out.checked += 1
        for k in range(2):
            note(out, k, float(got[k][i]), exact[k], sizes[k], row)
    return out


def scales(s: Subject, row: Point) -> list[Any]:
    """sqrt(K(q11) K(q22)) and the same of the derivative."""
    sides = [s.reference.diagonal(v) for v in (row[0], row[2])]
    out = [(sides[0][k] * sides[1][k]).sqrt() for k in range(2)]
    if not out[1].is_finite():  # a jump: the derivative dual is infinite on the diagonal
        product = arb(row[0]) * arb(row[2])
        out[1] = out[0] / product.sqrt() if product > 0 else arb("nan")
    if 0.0 in (row[0], row[2]):  # a zero row may have the kernel zero: the other one is the scale
        out = [
            z if usable(z) else sides[0][k].max(sides[1][k]) if sides[0][k].is_finite() else z
            for k, z in enumerate(out)
        ]
    return out


def usable(size: Any) -> bool:
    """Whether something of this size has 53 bits as a double."""
    return bool(size.is_finite() and size > 1 / MOST and size < MOST)


def note(out: Worst, k: int, found: float, exact: Any, size: Any, row: Point) -> None:
    """Count one value."""
    if not usable(size) or not exact.is_finite():
        return
    if not math.isfinite(found):
        out.bad_nan += 1
        out.at[k] = tuple(v.hex() for v in row)
        return
    error = abs(arb(found) - exact)
    relative = float((error / size.max(abs(exact)) if k and exact > size else error / size).mid())
    out.absolute[k] = max(out.absolute[k], float(error.mid()))
    if relative > out.relative[k]:
        out.relative[k] = relative
        out.at[k] = tuple(v.hex() for v in row)


def outside(s: Subject) -> int:
    """How many covariances outside the range do not give NaN."""
    if s.span is None:
        return 0
    low, high = s.span
    beyond = (0.0, 5e-324, low * 0.5, low * (1 - 1e-9), high * (1 + 1e-9), high * 100, 1e300,
              math.inf, math.nan, -1.0)  # fmt: skip
    rows = [(v, 0.1 * min(low, abs(v)) if v == v else 0.1, low) for v in beyond]
    rows += [(b, c, a) for a, c, b in rows]
    columns = [np.ascontiguousarray(c) for c in np.array(rows).T]
    return int(sum(np.count_nonzero(~np.isnan(v)) for v in s.rule(*columns)))


@dataclass(frozen=True, slots=True)
class Summary:
    """One subject: its worst over all regimes."""

    name: str
    method: str
    bound: float | None
    regimes: tuple[Worst, ...]
    not_nan: int

    @property
    def worst(self) -> float:
        """The largest relative error."""
        return max((max(w.relative) for w in self.regimes), default=0.0)

    @property
    def wrong(self) -> str:
        """What fails, or nothing."""
        nans = sum(w.bad_nan for w in self.regimes)
        said = []
        if nans:
            said.append(f"{nans} NaN or infinite")
        if self.not_nan:
            said.append(f"{self.not_nan} values outside the range are not NaN")
        if self.bound is not None and not self.worst <= GOAL + self.bound:
            said.append(f"beyond {GOAL + self.bound:.2g}")
        return ", ".join(said)

    def line(self) -> str:
        """One line of the table."""
        top = max(self.regimes, key=lambda w: max(w.relative))
        k = int(top.relative[1] > top.relative[0])
        eps = [max(w.relative[j] for w in self.regimes) / EPS for j in range(2)]
        absolute = max(max(w.absolute) for w in self.regimes)
        checked = sum(w.checked for w in self.regimes)
        bound = "-" if self.bound is None else f"{self.bound:.1e}"
        tail = f"  {self.wrong.upper()}" if self.wrong else ""
        return (
            f"{self.name:22s} {self.method:16s} {eps[0]:9.3g} {eps[1]:9.3g} {self.worst:9.1e} "
            f"{absolute:9.1e} {bound:>8s} {checked:7d}  {top.regime}: ({', '.join(top.at[k])}){tail}"
        )


def main() -> int:
    """Measure, print the table sorted by the worst error."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="catalogue names or formulas; all by default")
    parser.add_argument("--points", type=int, default=2000, help="in each regime")
    parser.add_argument("--seconds", type=float, default=1.0, help="of references, each regime")
    parser.add_argument("--range", action="store_true", help="rules for [1/4, 4] too: slow to make")
    parser.add_argument("--numeric", action="store_true", help="only those without closed form")
    parser.add_argument("--regimes", action="store_true", help="a line for every regime too")
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    options = parser.parse_args()
    found = []
    subjects = [] if options.numeric else [closed_subjects(options.names)]
    for source in (*subjects, numeric_subjects(options.names, options.range)):
        for s in source:
            results = tuple(
                measure(s, regime, options.points, options.seconds)
                for regime in REGIMES
                if applies(s, regime)
            )
            found.append(Summary(s.name, s.method, s.bound, results, outside(s)))
            say(found[-1].line())
    found.sort(key=lambda f: -f.worst)
    wrong = [f for f in found if f.wrong]
    if options.json:
        rows = [{**asdict(f), "worst": f.worst, "wrong": f.wrong} for f in found]
        print(json.dumps({"schema": "ntksym/regimes/1", "results": rows}, indent=1))
        return 1 if any(f.bound is not None for f in wrong) else 0
    print(
        f"{'activation':22s} {'method':16s} {'K/eps':>9s} {'Kdot/eps':>9s} {'relative':>9s} "
        f"{'absolute':>9s} {'bound':>8s} {'checked':>7s}  worst input (q11, q12, q22)"
    )
    for f in found:
        print(f.line())
        for w in f.regimes if options.regimes else ():
            eps = " ".join(f"{v / EPS:9.3g}" for v in w.relative)
            print(
                f"    {w.regime:12s} {eps} checked {w.checked} "
                f"({w.by_definition} by definition, {w.unknown} left out, {w.bad_nan} NaN)"
            )
    print(f"{len(found)} rows; wrong: {len(wrong)}")
    for f in wrong:
        print(f"  {f.name}, {f.method}: {f.wrong}")
    return 1 if any(f.bound is not None for f in wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
