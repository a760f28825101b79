"""Replay certificates: every number of every enclosure again, then what they are said to show."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import acb, arb, ctx

from .balls import Interval, read_ball
from .exact import Exact
from .exact import exact as exact_number
from .expectation import Parts, Setting, expectation, read_factor
from .integrals import Law
from .panels import fraction
from .problem import BadCertificate, NotConfirmed
from .reading import field, integer, rational
from .tree import Tree, read_tree, show
from .value import Env, Value, ball, value

SCHEMA = "ntksym/certificate/1"
VERDICTS = ("refuted", "enclosed", "proved")
RELATIONS = ("disjoint", "overlap", "not real")
_MOST = 64


@dataclass(frozen=True, slots=True)
class Result:
    """What the replay found.

    Attributes:
        ok: every certificate was confirmed, and there was at least one.
        lines: what was confirmed, and what was not.
    """

    ok: bool
    lines: tuple[str, ...]


def verify(data: Any) -> Result:
    """Replay a certificate, or a file of certificates, as read from JSON.

    Never raises for wrong input: what is wrong is said in the lines.
    """
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        return Result(False, (f"not a certificate: the schema is not {SCHEMA!r}",))
    items = data.get("certificates", [data])
    if type(items) is not list or not items or len(items) > 10_000:
        return Result(False, ("'certificates' is not a list with at least one certificate",))
    results = [_one(item) for item in items]
    return Result(all(r.ok for r in results), tuple(line for r in results for line in r.lines))


def _one(data: Any) -> Result:
    name = _name(data)
    before = ctx.prec
    try:
        lines = _replay(data)
    except (BadCertificate, NotConfirmed) as error:
        word = "malformed" if isinstance(error, BadCertificate) else "NOT CONFIRMED"
        return Result(False, (f"{name}: {word}: {error}",))
    except (ArithmeticError, ValueError, RecursionError, MemoryError) as error:
        return Result(False, (f"{name}: NOT CONFIRMED: {type(error).__name__}: {error}",))
    finally:
        ctx.prec = before
    return Result(True, (f"{name}: confirmed", *("  " + line for line in lines)))


def _name(data: Any) -> str:
    claim = data.get("claim") if isinstance(data, dict) else None
    name = claim.get("id") if isinstance(claim, dict) else None
    return name[:200] if type(name) is str and name else "a certificate without a name"


def digest(data: dict[str, Any]) -> str:
    """SHA-256 of the certificate without its own hash, in canonical JSON."""
    body = {k: v for k, v in data.items() if k != "sha256"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _replay(data: Any) -> list[str]:
    if field(data, "schema", str, "") != SCHEMA:
        raise BadCertificate("another schema")
    if field(data, "sha256", str, "") != digest(data):
        raise NotConfirmed("the hash is not that of the content")
    verdict = field(data, "verdict", str, "")
    if verdict not in VERDICTS:
        raise BadCertificate(f"the verdict {verdict[:40]!r}")
    claim = field(data, "claim", dict, "")
    statement = field(data, "statement", dict, "")
    enclosures = field(data, "enclosures", list, "")
    if not 0 < len(enclosures) <= _MOST:
        raise BadCertificate("no enclosures, or too many")
    lines = [f"claim: {field(claim, 'quantity', str, 'claim')} = {claim.get('formula')}"]
    relations = []
    for i, record in enumerate(enclosures):
        relation, found = _enclosure(statement, record, f"enclosures[{i}]")
        relations.append(relation)
        lines += found if i == 0 else found[-1:]
    if verdict == "refuted":
        if all(r == "overlap" for r in relations):
            raise NotConfirmed("nothing refutes the formula: the intervals overlap everywhere")
        return [*lines, "so the formula is not the value of the definition: REFUTED"]
    if any(r != "overlap" for r in relations):
        raise NotConfirmed(f"the intervals are disjoint, so the verdict is not {verdict!r}")
    lines.append(f"both sides enclosed at {len(relations)} exact points, and the intervals overlap")
    if verdict == "proved":
        lines.append(
            "the proof of equality at every point is the producer's word: only the enclosures "
            "were replayed"
        )
    return lines


def _enclosure(statement: Any, record: Any, where: str) -> tuple[str, list[str]]:
    ctx.prec = integer(field(record, "bits", int, where), 64, 2000, where)
    point = field(record, "point", dict, where)
    if len(point) > _MOST:
        raise BadCertificate("too many variables", where)
    env: dict[str, Value] = {}
    for name, text in point.items():
        if not name.isidentifier() or len(name) > 60 or name == "x":
            raise BadCertificate(f"{name[:40]!r} is not the name of a variable", where)
        env[name] = exact_number(fraction(rational(text, where)))
    names = frozenset(env)
    claims = field(statement, "expectations", list, "statement")
    rows = field(record, "expectations", list, where)
    if len(claims) != len(rows) or len(rows) > _MOST:
        raise BadCertificate("the expectations do not match those of the statement", where)
    lines = []
    values: dict[str, Value] = dict(env)
    for j, (claim, row) in enumerate(zip(claims, rows, strict=True)):
        symbol, found, text = _expectation(claim, row, env, names, f"{where}.expectations[{j}]")
        if symbol in values:
            raise BadCertificate(f"{symbol!r} is defined twice", where)
        values[symbol] = acb(found)
        lines.append(text)
    left = read_tree(statement.get("lhs"), "statement.lhs", frozenset(values))
    right = read_tree(statement.get("rhs"), "statement.rhs", names)
    lines += [f"definition: {show(left)[:400]}", f"formula: {show(right)[:400]}"]
    relation, text = _compare(left, right, values, env, record, where)
    at = ", ".join(f"{k} = {point[k]}" for k in sorted(point))
    return relation, [*lines, f"at {at or 'no variables'}: {text}"]


def _expectation(
    claim: Any, row: Any, env: Env, names: frozenset[str], where: str
) -> tuple[str, Any, str]:
    symbol = field(claim, "symbol", str, where)
    if not symbol.isidentifier() or symbol == "x":
        raise BadCertificate("an expectation without a proper symbol", where)
    slope = field(claim, "slope", bool, where)
    jumps = field(claim, "jumps", str, where)
    if jumps not in ("ae", "distributional"):
        raise BadCertificate("'jumps' is neither 'ae' nor 'distributional'", where)
    inner = names | {"x"}
    at = Setting(env, names, where)
    masses = jumps == "distributional"
    first = read_tree(claim.get("f"), f"{where}.f", inner)
    second = None if claim.get("g") is None else read_tree(claim["g"], f"{where}.g", inner)
    law = _law(claim, second is not None, env, names, where)
    f = read_factor(row, first, slope, masses, at, "f")
    g = None
    if second is not None:
        same = second == first and row.get("g") is None
        g = f if same else read_factor(row, second, slope, masses, at, "g")
    parts = Parts(field(row, "parts", list, where), where)
    found = expectation(f, g, law, parts, at)
    parts.finish()
    recorded = read_ball(row.get("ball"), f"{where}.ball")
    if not recorded.contains(found):
        raise NotConfirmed(
            f"{where}: the recorded ball {recorded.text()} does not contain {found.str(20)}"
        )
    mark = "'" if slope else ""
    body = f"f{mark}(u)" + ("" if g is None else f" g{mark}(v)")
    text = f"{symbol} = E[{body}], f(x) = {show(first)[:200]}"
    if second is not None and second != first:
        text += f", g(x) = {show(second)[:200]}"
    if slope:
        text += f", derivatives {'with' if masses else 'without'} the masses of jumps"
    return symbol, found, text


def _law(claim: Any, pair: bool, env: Env, names: frozenset[str], where: str) -> Law:
    trees = field(claim, "law", list, where)
    if len(trees) != (5 if pair else 2):
        raise BadCertificate("a law is (m1, m2, q11, q12, q22), or (m, q) for one variable", where)
    numbers = []
    for tree in trees:
        v = value(read_tree(tree, f"{where}.law", names), env)
        r = v.rational() if isinstance(v, Exact) else None
        if r is None:
            raise NotConfirmed(f"{where}: a mean or covariance is not a rational number")
        numbers.append(r)
    if pair:
        law = Law(*numbers)
    else:
        m, q = numbers
        law = Law(m, m, q, q * 0, q * 0)
    if law.q11 < 0 or law.q22 < 0 or law.det < 0:
        raise NotConfirmed(f"{where}: not a covariance")
    return law


def _compare(
    left: Tree, right: Tree, values: Env, env: Env, record: Any, where: str
) -> tuple[str, str]:
    relation = field(record, "relation", str, where)
    if relation not in RELATIONS:
        raise BadCertificate(f"the relation {relation[:40]!r}", where)
    lhs, rhs = read_ball(record.get("lhs"), where), read_ball(record.get("rhs"), where)
    _confirm(lhs, ball(value(left, values)), "definition", where)
    formula = ball(value(right, env))
    if relation == "not real":
        if not rhs.contains(formula.imag) or rhs.low <= 0 <= rhs.high:
            raise NotConfirmed(f"{where}: the formula is not shown to be not real")
        return relation, f"the formula is not real: its imaginary part is {rhs.text()}"
    _confirm(rhs, formula, "formula", where)
    text = f"definition {lhs.text()}, formula {rhs.text()}"
    if relation == "disjoint":
        if lhs.overlaps(rhs):
            raise NotConfirmed(f"{where}: the intervals are not disjoint")
        return relation, f"{text}: DISJOINT"
    radius = rational(record.get("radius"), where)
    if not lhs.overlaps(rhs) or max(lhs.radius, rhs.radius) > radius:
        raise NotConfirmed(f"{where}: the intervals are disjoint, or wider than said")
    _check_narrow(lhs, rhs, radius, where)
    return relation, f"{text}: overlap"


def _check_narrow(lhs: Interval, rhs: Interval, radius: Fraction, where: str) -> None:
    """Wide intervals that overlap say nothing: at least eight digits, or 10^-20."""
    size = max(abs(lhs.low), abs(lhs.high), abs(rhs.low), abs(rhs.high))
    if radius > max(size * Fraction(1, 10**8), Fraction(1, 10**20)):
        raise NotConfirmed(f"{where}: the intervals are too wide to say anything")


def _confirm(recorded: Interval, found: Any, what: str, where: str) -> None:
    real_part = found.real if found.is_finite() and found.imag.contains(0) else arb("nan")
    if not recorded.contains(real_part):
        raise NotConfirmed(
            f"{where}: the recorded ball of the {what}, {recorded.text()}, "
            f"does not contain {found.str(20)}"
        )
