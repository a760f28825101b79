"""Certificates: they replay, every planted error is refused, the checker is on its own."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
from certificate_cases import (
    E0,
    PAIR,
    POINT,
    E,
    R,
    at,
    dropped,
    pair,
    replant,
    replayed,
    samples,
    setter,
    walk,
)
from sympy import Abs, Integer, Max, Rational, Symbol, asin, cos, exp, log, pi, sqrt
from sympy import erf as sp_erf

from ntksym.activations import named
from ntksym.certificate import certify
from ntksym.claims.expectation import Expectation
from ntksym.dual import dual
from ntksym.errors import Undecided
from ntksym.functions import Phi, Phi2
from ntksym.replay import digest, verify
from ntksym.symbols import q11, q12, q22, x
from ntksym.verify.report import Verdict


@pytest.mark.parametrize("name", list(samples()))
def test_certificates_replay(name: str) -> None:
    result = replayed(samples()[name])
    assert result.ok, result.lines
    verdict = samples()[name]["verdict"]
    assert ("REFUTED" in result.lines[-1]) == (verdict == "refuted")
    assert any("only the enclosures" in line for line in result.lines) == (verdict == "proved")


@pytest.mark.parametrize("name", ["erf", "gelu", "tanh", "silu", "softplus", "abs", "exp", "sin"])
@pytest.mark.parametrize("slope", [False, True])
def test_a_wrong_formula_is_refuted_for_smooth_activations(name: str, slope: bool) -> None:
    data = pair(name, q12 * Rational(7, 9), Verdict.REFUTED, slope=slope)
    assert replayed(data).ok
    data["enclosures"][0]["relation"] = "overlap"
    data["verdict"] = "enclosed"
    data["enclosures"][0]["radius"] = "1"
    data["sha256"] = digest(data)
    assert not replayed(data).ok


GOLDEN = {
    "relu": "0.2653780915189423349576934850954142198",
    "tanh": "0.150919764109141725129575006882304",
    "mish": "0.1925383355596472384262838809",
    "hardswish": "0.13355335622274750462989030125",
}


@pytest.mark.parametrize("name", list(GOLDEN))
def test_known_constants_are_inside_the_recorded_balls(name: str) -> None:
    """Values of an earlier, independent computation, at (1.3, 0.4, 0.7)."""
    known = Rational(GOLDEN[name])
    data = pair(name, known + Rational(1, 10**6), Verdict.REFUTED)
    man, e, rad, f = data["enclosures"][0]["lhs"]
    gap = abs(Rational(int(man)) * Rational(2) ** e - known)
    assert gap < Rational(int(rad)) * Rational(2) ** f < Rational(1, 10**19)


# ---- planted errors -------------------------------------------------------------------------

Plant = tuple[str, str, Callable[[dict[str, Any]], None]]


def planted() -> list[Plant]:
    out: list[Plant] = []
    shift = lambda ball: [str(int(ball[0]) + abs(int(ball[0])) // 10**12 + 2), *ball[1:]]  # noqa: E731
    for name, data in samples().items():
        for side in ("lhs", "rhs"):
            out.append((name, f"{side} moved", setter((*E, side), shift)))
        out.append((name, "ball moved", setter((*R, "ball"), shift)))
        out.append((name, "ball too narrow", setter((*R, "ball", 3), lambda e: e - 80)))
        if name != "variance wrong":  # there the formula is the exact number 2
            out.append((name, "formula too narrow", setter((*E, "rhs", 3), lambda e: e - 400)))
        flip = {"refuted": "proved", "proved": "refuted", "enclosed": "refuted"}
        out.append((name, "verdict", setter(("verdict",), lambda v, f=flip: f[v])))
        out.append((name, "precision", setter((*E, "bits"), lambda b: 64)))
        if data["enclosures"][0]["point"]:
            key = min(data["enclosures"][0]["point"])
            new = {"1": "2", "2": "3"}
            out.append((name, "point", setter((*E, "point", key), lambda v, n=new: n.get(v, "1"))))
        record = at(data, R)
        for function in ("f", "g"):
            if not record[function]:
                continue
            f = (*R, function)
            if name != "sign slope":  # there the slopes are zero, and every bound is true
                out.append((name, f"{function} growth", setter((*f, "growth", 0), lambda e: e - 8)))
            if record[function]["breaks"]:
                out.append(
                    (
                        name,
                        f"{function} break",
                        setter((*f, "breaks", 0), lambda t: ["add", t, ["rat", "1", "1000000"]]),
                    )
                )
                out.append((name, f"{function} no break", dropped((*f, "breaks", 0))))
            for i, _ in enumerate(record[function]["pieces"]):
                out.append(
                    (
                        name,
                        f"{function} piece {i}",
                        setter(
                            (*f, "pieces", i), lambda t: ["add", t, ["rat", "1", "10000000000"]]
                        ),
                    )
                )
            for i, _ in enumerate(record[function].get("slopes", [])):
                out.append(
                    (
                        name,
                        f"{function} slope {i}",
                        setter(
                            (*f, "slopes", i), lambda t: ["add", t, ["rat", "1", "10000000000"]]
                        ),
                    )
                )
            for i, _ in enumerate(record[function].get("jumps", [])):
                out.append(
                    (
                        name,
                        f"{function} jump {i}",
                        setter((*f, "jumps", i), lambda t: ["add", t, ["rat", "1", "1000000"]]),
                    )
                )
        for k, part in enumerate(record["parts"]):
            p = (*R, "parts", k)
            out.append((name, f"part {k} missing", dropped(p)))
            out.append((name, f"part {k} twice", lambda d, p=p: at(d, p[:-1]).append(at(d, p))))
            out.append((name, f"part {k} tail", setter((*p, "tail"), lambda e: e - 200)))
            for side in [(*p, "u"), (*p, "v")] if part["kind"] == "plane" else [p]:
                rows = at(data, (*side, "panels"))
                out.append(
                    (
                        name,
                        f"{side[-1]} short range",
                        setter(
                            (*side, "range", 0), lambda t: str(Rational(t) / 2 + Rational(1, 64))
                        ),
                    )
                )
                out.append((name, f"{side[-1]} no cell", dropped((*side, "panels", 0))))
                cell, row = max(
                    ((i, j) for i, c in enumerate(rows) for j, _ in enumerate(c)),
                    key=lambda ij: rows[ij[0]][ij[1]][1],
                )
                panel = (*side, "panels", cell, row)
                out.append(
                    (name, f"{side[-1]} order", setter((*panel, 1), lambda n: max(2, n // 3)))
                )
                out.append((name, f"{side[-1]} bound", setter((*panel, 3), lambda e: e - 12)))
                out.append((name, f"{side[-1]} ellipse", setter((*panel, 2), lambda pq: [90, 1])))
                if len(rows[cell]) > 2:
                    out.append(
                        (
                            name,
                            f"{side[-1]} no panel",
                            dropped((*side, "panels", cell, 0 if row else 1)),
                        )
                    )
        signs = [p for p, v in walk(data["statement"]) if isinstance(v, list) and v[:1] == ["rat"]]
        signs = random.Random(len(signs)).sample(signs, min(9, len(signs)))
        for p in signs:
            path = ("statement", *p)
            if p[0] == "expectations" and p[2] == "law":
                continue
            out.append(
                (name, f"sign at {p}", setter(path, lambda t: ["rat", str(-int(t[1]) or 1), t[2]]))
            )
        if name == "variance wrong":
            out.append(
                (
                    name,
                    "law",
                    setter(("statement", "expectations", 0, "law", 0), lambda t: ["rat", "1", "2"]),
                )
            )
    return out


def test_every_planted_error_is_refused_by_mathematics() -> None:
    plants = planted()
    assert len(plants) >= 200
    missed = [(n, w) for n, w, change in plants if replayed(replant(n, change)).ok]
    assert not missed


def test_planting_nothing_is_accepted() -> None:
    assert all(replayed(replant(name, lambda d: None)).ok for name in samples())


def test_the_hash_catches_a_harmless_change() -> None:
    data = copy.deepcopy(samples()["relu"])
    data["claim"]["formula"] += " "
    assert "hash" in verify(data).lines[0]


JUNK = (None, "x", [], {}, True, 10**50, -1.5, ["rat", "1", "0"], "1/0")


def test_junk_anywhere_is_refused_without_an_exception() -> None:
    rng = random.Random(20261121)
    tried = 0
    for name, data in samples().items():
        paths = [
            p for p, _ in walk(data) if p and p[0] not in ("claim", "versions", "proof", "sha256")
        ]
        for p in rng.sample(paths, 40):
            junk = rng.choice(JUNK)
            if at(data, p) == junk:
                continue
            tried += 1
            result = verify(replant(name, setter(p, lambda _, j=junk: j)))
            assert not result.ok, (name, p, junk)
    assert tried > 200


def test_missing_keys_are_named() -> None:
    for key in ("claim", "statement", "enclosures", "verdict"):
        result = verify(replant("relu", dropped((key,))))
        assert not result.ok and repr(key) in result.lines[0]


# ---- what can be certified ------------------------------------------------------------------


def test_no_certificate_for_a_false_verdict() -> None:
    value = dual(named("relu")).value
    with pytest.raises(Undecided, match="at none of the points"):
        pair("relu", value, Verdict.REFUTED)
    with pytest.raises(Undecided, match="disjoint at one of the points"):
        pair("relu", value + q12 / 10**9, Verdict.PROVED)
    with pytest.raises(Undecided, match="no certificate for the verdict sampled"):
        pair("relu", value, Verdict.SAMPLED)


def test_a_formula_that_is_not_real_is_refuted() -> None:
    data = pair("relu", sqrt(q12 - q11), Verdict.REFUTED)
    assert data["enclosures"][0]["relation"] == "not real"
    assert replayed(data).ok
    data["enclosures"][0]["rhs"][0] = "-" + data["enclosures"][0]["rhs"][0]
    data["sha256"] = digest(data)
    assert not replayed(data).ok


def test_functions_of_the_normal_law_agree_with_those_of_the_producer() -> None:
    h, k, r = Symbol("h"), Symbol("k"), Symbol("r")
    values = ((1, 2, "1/2"), ("-1/2", "3/4", "-9/10"), ("1/3", "1/3", "99/100"), (0, 1, -1))
    for values_ in values:
        point = dict(zip((h, k, r), map(Rational, values_), strict=True))
        e = (E0, Expectation(Phi(x), None, (h, Integer(0))))
        data = certify("p", "identity", "", E0 + Phi2(h, k, r), [e], Phi(h) + Phi2(h, k, r),
                       [point], Verdict.ENCLOSED)  # fmt: skip
        assert replayed(data).ok


def test_jumps_kept_or_left_out_are_different_claims() -> None:
    s = named("sign").expr
    e = (E0, Expectation(s, s, PAIR, True, "ae"))
    data = certify("s", "derivative", "0", E0, [e], Integer(0), [POINT], Verdict.ENCLOSED)
    assert replayed(data).ok
    data["statement"]["expectations"][0]["jumps"] = "distributional"
    data["sha256"] = digest(data)
    assert not replayed(data).ok


def test_near_correlation_one_and_large_variances() -> None:
    for law in ((1, Rational(99, 100), 1), (25, 20, 17), (4, -6, 9)):
        point = dict(zip((q11, q12, q22), map(Rational, law), strict=True))
        data = certify("r", "nngp", "", E0, [(E0, Expectation(Max(x, 0), Max(x, 0), PAIR))],
                       dual(named("relu")).value, [point], Verdict.ENCLOSED)  # fmt: skip
        assert replayed(data).ok


def test_an_irrational_law_is_refused_by_name() -> None:
    e = (E0, Expectation(x**2, None, (Integer(0), sqrt(2) + q11)))
    with pytest.raises(Undecided, match="rational covariances"):
        certify("i", "mean", "", E0, [e], q11, [{q11: Rational(1)}], Verdict.REFUTED)


@pytest.mark.parametrize(
    ("function", "slope", "said"),
    [
        (log(Abs(x)), False, "finite and smooth up to their kinks: not |x|^p"),
        (log(Abs(x)), True, "d/dq12 is then that of the density, for which certificates have no"),
        (sqrt(Abs(x)), False, "certificates know functions smooth up to their kinks"),
    ],
)
def test_singular_functions_are_refused_by_name(function: Any, slope: bool, said: str) -> None:
    law = (Integer(0), Integer(0), q11, q12, q22)
    e = (E0, Expectation(function, function, law, slope, "distributional" if slope else "ae"))
    point = {q11: Integer(1), q12: Rational(1, 2), q22: Integer(1)}
    with pytest.raises(Undecided) as caught_:
        certify("i", "nngp", "", E0, [e], q12, [point], Verdict.REFUTED)
    assert said in str(caught_.value)


def test_other_functions_in_a_formula() -> None:
    rhs = exp(-q11 / 2) + sp_erf(q12) * asin(q12) / pi
    e = (E0, Expectation(cos(x), None, (Integer(0), q11)))
    assert replayed(certify("c", "mean", "", E0, [e], rhs, [POINT], Verdict.REFUTED)).ok
