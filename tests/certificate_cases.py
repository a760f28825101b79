"""Certificates of every kind that the tests replay and damage."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sympy import Expr, Integer, Max, Rational, Symbol, pi, sqrt

from ntksym.activations import named
from ntksym.certificate import certify
from ntksym.claims.expectation import Expectation
from ntksym.dual import dual
from ntksym.functions import Phi
from ntksym.replay import digest, parse, verify
from ntksym.symbols import q11, q12, q22, x
from ntksym.verify.report import Verdict

ROOT = Path(__file__).resolve().parent.parent
E0, E1 = Symbol("E0"), Symbol("E1")
PAIR = (Integer(0), Integer(0), q11, q12, q22)
POINT = {q11: Rational(13, 10), q12: Rational(2, 5), q22: Rational(7, 10)}


def point_of(expr: Expr) -> dict[Symbol, Rational]:
    """The point, and distinct values for the parameters."""
    params = sorted((s for s in expr.free_symbols if s != x), key=str)
    return {**POINT, **{s: Rational(3 + 2 * i, 4) for i, s in enumerate(params)}}


def pair(name: str, rhs: Expr, verdict: Verdict, *, slope: bool = False) -> dict[str, Any]:
    s = named(name).expr
    jumps = "distributional" if slope else "ae"
    e = (E0, Expectation(s, s, PAIR, slope, jumps))
    return certify(name, "nngp", str(rhs), E0, [e], rhs, [point_of(s)], verdict)


@cache
def samples() -> dict[str, dict[str, Any]]:
    relu, sign = dual(named("relu")), dual(named("sign"))
    variance = (E0, Expectation(x**2 * Phi(x), None, (Rational(1, 3), q11)))
    mean = (E1, Expectation(x * Phi(x), None, (Rational(1, 3), q11)))
    line = {q11: Rational(1), q12: Rational(-1), q22: Rational(1)}
    return {
        "relu": pair("relu", relu.value, Verdict.PROVED),
        "relu wrong": pair("relu", relu.value + q12 / 10**14, Verdict.REFUTED),
        "relu slope": pair("relu", relu.dot, Verdict.ENCLOSED, slope=True),
        "sign slope": pair("sign", sign.dot, Verdict.ENCLOSED, slope=True),
        "hardtanh": pair("hardtanh", dual(named("hardtanh")).value, Verdict.ENCLOSED),
        "elu slope": pair("elu", dual(named("elu")).dot, Verdict.ENCLOSED, slope=True),
        "variance wrong": certify(
            "v", "variance", "", E0 - E1**2, [variance, mean], q11, [{q11: Rational(2)}],
            Verdict.REFUTED,
        ),
        "step on a line": certify(
            "h", "nngp", "", E0, [(E0, Expectation(Max(x, 0) ** 2, Max(1 - x, 0), PAIR))],
            Rational(1, 2) + sqrt(2 / pi), [line], Verdict.ENCLOSED,
        ),
    }  # fmt: skip


def replayed(data: Any) -> Any:
    return verify(parse(json.dumps(data).encode()))


# ---- damage ----------------------------------------------------------------------------------

Path_ = tuple[Any, ...]


def walk(data: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    yield path, data
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in items:
        yield from walk(value, (*path, key))


def put(data: Any, path: Path_, value: Any) -> None:
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = value


def at(data: Any, path: Path_) -> Any:
    for key in path:
        data = data[key]
    return data


E = ("enclosures", 0)

R = (*E, "expectations", 0)


def setter(path: Path_, change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    return lambda data: put(data, path, change(at(data, path)))


def dropped(path: Path_) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        del at(data, path[:-1])[path[-1]]

    return change


def replant(name: str, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    data = copy.deepcopy(samples()[name])
    change(data)
    data["sha256"] = digest(data)
    return data
