r"""Formulas written twice by one recipe, in LaTeX and in the language: they must mean the same."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sympy import Rational

from ntksym.errors import BadActivation, ParseError
from ntksym.language import parse
from ntksym.language.real import NotReal, approximate
from ntksym.latex import read_latex

NAMES = {"a": "a", "b_1": "b1", r"\rho": "rho", "q_{12}": "q12", r"\lambda": "lam", r"\Sigma_{11}": "q11", r"\sigma_w^2": "weight_var", "m": "m"}  # fmt: skip
VARIABLES = ("q11", "q12", "q22", "m", "weight_var")
VALUES = dict(a="3/7", b1="5/9", rho="2/5", q12="-1/3", lam="4/3", q11="8/7", weight_var="9/5", m="-6/7")  # fmt: skip

CALLS = [
    (r"\sin", "sin"),
    (r"\cos", "cos"),
    (r"\arctan", "atan"),
    (r"\tan^{-1}", "atan"),
    (r"\tanh", "tanh"),
    (r"\operatorname{erf}", "erf"),
    (r"\mathrm{erf}", "erf"),
    (r"\Phi", "Phi"),
    (r"\varphi", "phi"),
]

Pair = tuple[str, str]
"""LaTeX and text; both can be a factor, a base and an argument."""


def names() -> st.SearchStrategy[Pair]:
    return st.sampled_from(sorted(NAMES.items()))


def grow(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    marks = st.sampled_from(
        [("(", ")"), (r"\left(", r"\right)"), (r"\bigl[", r"\bigr]"), (r"\left\{", r"\right\}")]
    )

    def bracketed(signs: list[str], parts: list[Pair], marks: tuple[str, str]) -> Pair:
        lead = "-" if signs[0] == "-" else ""
        latex = lead + parts[0][0] + "".join(s + p[0] for s, p in zip(signs[1:], parts[1:], strict=False))  # fmt: skip
        text = lead + parts[0][1] + "".join(s + p[1] for s, p in zip(signs[1:], parts[1:], strict=False))  # fmt: skip
        return f"{marks[0]}{latex}{marks[1]}", f"({text})"

    sums = st.builds(
        bracketed,
        st.lists(st.sampled_from("+-"), min_size=3, max_size=3),
        st.lists(inner, min_size=1, max_size=3),
        marks,
    )
    products = st.builds(
        lambda n, p, r, dot: (rf"({n} {p[0]}{dot}{r[0]})", f"({n}*{p[1]}*{r[1]})"),
        st.integers(2, 9),
        inner,
        # What follows a name must not be a bracket with one thing in it, or it would be a call.
        inner.filter(lambda p: p[0][0] not in "(\\"),
        st.sampled_from([" ", r"\,", r"\cdot ", r" \times "]),
    )
    slashes = st.builds(lambda p, r: (f"({p[0]}/{r[0]})", f"({p[1]}/{r[1]})"), inner, inner)
    fractions = st.builds(
        lambda p, r, f: (rf"{f}{{{p[0]}}}{{{r[0]}}}", f"({p[1]}/{r[1]})"),
        inner,
        inner,
        st.sampled_from([r"\frac", r"\tfrac", r"\dfrac"]),
    )
    powers = st.builds(
        lambda p, n: (f"{{{p[0]}}}^{n}", f"({p[1]})**{n}"), inner, st.sampled_from("23")
    )
    roots = st.builds(lambda p: (rf"\sqrt{{1+{p[0]}^2}}", f"sqrt(1 + {p[1]}**2)"), names())
    roots = roots.filter(lambda p: r"\sigma_w^2" not in p[0])
    calls = st.builds(
        lambda f, p: (rf"{f[0]}\left({p[0]}\right)", f"{f[1]}({p[1]})"),
        st.sampled_from(CALLS),
        inner,
    )
    squares = st.builds(
        lambda f, p: (rf"\{f}^2({p[0]})", f"({f}({p[1]})**2)"),
        st.sampled_from(["sin", "cos"]),
        inner,
    )
    bare = st.builds(lambda f, p: (rf"\{f} {p[0]}", f"{f}({p[1]})"), st.sampled_from(["sin", "tanh"]), names())  # fmt: skip
    bare = bare.map(lambda p: (f"({p[0]})", p[1]))
    bars = st.builds(lambda p: (rf"\lvert {p[0]}\rvert", f"abs({p[1]})"), inner)
    plus = st.builds(lambda p: (rf"[{p[0]}]_+", f"max({p[1]}, 0)"), inner)
    cases = st.builds(
        lambda p, r: (
            rf"\begin{{cases}}{p[0]} & \text{{if }} {r[0]}>0 \\ {r[0]} & \text{{otherwise}}\end{{cases}}",
            f"piecewise(({p[1]}, {r[1]} > 0), ({r[1]}, True))",
        ),
        inner,
        names(),
    )
    return st.one_of(
        sums, products, slashes, fractions, powers, roots, calls, squares, bare, bars, plus, cases
    )


FORMULAS = st.recursive(names(), grow, max_leaves=8)


@settings(
    max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(FORMULAS)
def test_written_twice(pair: Pair) -> None:
    latex, text = pair
    try:
        meant = parse(text, variables=VARIABLES, formula=True)
    except (ParseError, BadActivation):
        return
    found = parse(read_latex(latex).text, variables=VARIABLES, formula=True)
    if found == meant:
        return
    assert found.free_symbols == meant.free_symbols
    point = {s: Rational(VALUES[s.name]) for s in meant.free_symbols}
    try:
        expected = approximate(meant, point)
    except (NotReal, OverflowError):
        return
    assert abs(approximate(found, point) - expected) <= 1e-9 * (1 + abs(expected)), latex
