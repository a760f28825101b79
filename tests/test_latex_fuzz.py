r"""Random, hostile and half-right LaTeX: an error of this library or a reading, and quickly."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntksym.errors import NtksymError
from ntksym.language import parse
from ntksym.language.parser import read_tree
from ntksym.latex import macros, read_latex

BOUND = 1.0
QUIET = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

PIECES = (
    *sorted(macros.known()),
    *sorted(macros.SPACES),
    *sorted(macros.REFUSED),
    *("\\begin{cases}", "\\end{cases}", "\\begin{align}", "\\end{align}", "\\\\", "\\[", "\\]", "$"),
    *"abcefiqxyzEHKT0123456789+-*/^_{}()[]|!'.,;:=<>&~ ",
    *("{}_2F_1", "q_{11}", "x^\\top x'", "\\text{if}", "He_3", "\\sigma_w^2", "\\frac12", "lam", "_+"),
)  # fmt: skip

HOSTILE = [
    "|" * 4000,
    "\\|" * 2000,
    "x|" * 2000,
    "{" * 4000,
    "}" * 4000,
    "(" * 4000,
    "[" * 4000,
    "^" * 4000,
    "x^" * 2000,
    "x_" * 2000,
    "x'" * 2000,
    "x!" * 2000,
    "!" * 4000,
    "x" + "!" * 4000,
    "x" + "'" * 4000,
    "-" * 4000,
    "- x" * 1300,
    "x/" * 2000,
    "=" * 4000,
    "$" * 4000,
    "&" * 4000,
    "\\" * 4001,
    "\\\\" * 2000,
    "\\" + "a" * 4000,
    "a" * 4000,
    "\\frac" * 800,
    "\\frac1" * 650,
    "\\sqrt" * 800,
    "\\sqrt[" * 600,
    "\\sin" * 1000,
    "\\sin 2" * 600,
    "\\sin^" * 800,
    "\\left(" * 600,
    "\\left|" * 600,
    "\\left" * 800,
    "\\begin{cases}" * 300,
    "\\begin{cases}" + "x&x>0\\\\" * 400 + "\\end{cases}",
    "\\begin{equation}" * 250,
    "\\mathrm{" * 500,
    "\\mathbb{1}" * 400,
    "\\mathbb{1}_{" * 300,
    "\\Phi(" * 800,
    "\\max(" * 650,
    "{}_2F_1" * 500,
    "e^{" * 60 + "x" + "}" * 60,
    "9^{" * 60 + "9" + "}" * 60,
    "9^{9^{9^9}}",
    "\\binom{9999999}{999}",
    "99999999!",
    "(((((9!)!)!)!)!)!",
    "He_{99999}(x)",
    "1" * 4000,
    "." * 4000,
    "1." * 2000,
    "\x00\x1b[2J",
    "\ud800",
    "\u202e\u0661\u00b2",
    "\\csname foo\\endcsname",
    "\\catcode`\\{=12",
    "\\def\\a{\\a\\a}\\a",
    "\\loop\\iftrue\\repeat",
    "\\expandafter\\input\\jobname",
    "__import__('os').system('true')",
    "\\operatorname{eval}(x)",
    "\\text{__import__('os')}(x)",
    "\\mathrm{exec}(x)",
]


def read(latex: str) -> None:
    start = time.process_time()
    try:
        text = read_latex(latex).text
    except NtksymError as error:
        assert error.what
        assert not any(c for c in error.text if not c.isprintable() and c != "\n")
    else:
        read_tree(text)
    assert time.process_time() - start < BOUND


@pytest.mark.parametrize("latex", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile(latex: str) -> None:
    read(latex)
    try:
        parse(read_latex(latex).text, formula=True)
    except NtksymError:
        pass


@QUIET
@given(st.text(max_size=60))
def test_any_text(latex: str) -> None:
    read(latex)


@QUIET
@given(st.lists(st.sampled_from(PIECES), max_size=25), st.sampled_from(["", " "]))
def test_pieces_of_latex(pieces: list[str], space: str) -> None:
    read(space.join(pieces))


@QUIET
@given(st.data())
def test_a_formula_with_one_change(data: st.DataObject) -> None:
    formula = (
        r"\frac{\sigma_w^2}{2\pi}\sqrt{q_{11}q_{22}}\left(\sin\theta+(\pi-\theta)\cos\theta\right)"
        r"+\max\{0,x\}^2\Phi_2(h,k;r)-\begin{cases}x&x>0\\0&\text{otherwise}\end{cases}"
    )
    at = data.draw(st.integers(0, len(formula) - 1))
    width = data.draw(st.integers(0, 4))
    piece = data.draw(st.sampled_from(PIECES))
    read(formula[:at] + piece + formula[at + width :])
