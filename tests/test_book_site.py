"""The site: every page is well-formed, offline and linked; verdicts come from the judge alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath

import pytest
from click.testing import CliRunner
from sympy import Rational

from ntksym.book import BadBook, Book, Rendered, collect, render
from ntksym.book.plots import Curve, plot
from ntksym.check import Counterexample, Diagnosis, Judgement, check
from ntksym.claims import Claim
from ntksym.verify.ball import Ball
from ntksym.verify.report import Verdict

VOID = {"meta", "link", "br", "input", "hr", "img"}
PAGE = r'''r"""
# Toy & <ReLU>

$\sigma(x) = \max(x, 0)$, so $$E[\sigma(u)^2]
= \frac{q}{2}.$$

## Checks

## A part

## A part

See [the lemma](../identities/lemma.py).
"""
from ntksym.claims import Claim

ACTIVATIONS = ("relu", "tanh")
CONVENTION = "The factor *two* is in the weights: $\\sigma_w^2 = 2$."
half = Claim("Half of the variance & $q$.", quantity="diagonal", activation="relu", formula="q/2",
             source="he2015delving, section 2.2", note="so `weight_var = 2`")
angle = Claim("An <angle>.", quantity="derivative", activation="relu",
              latex=r"\frac{\pi - \theta}{2\pi}", source="after cho2009kernel; unpublished notes")
whole = Claim("All of it.", quantity="diagonal", activation="relu", formula="q", where="q > 0",
              source="a <script>alert(1)</script> page", erratum="Only half passes.", corrected="q/2")
several = Claim("Two values.", quantity="identity", activation="relu",
                definition={"a": "E[s(z)]", "b": "E[s(z)^2]"},
                formula={"a": "1/sqrt(2*pi)", "b": "1/2"})
broken = Claim("Not a formula.", quantity="diagonal", activation="relu", formula="q//")
'''

LEMMA = r'''r"""
# A lemma

$1 = 1$.
"""
from ntksym.verify.ball import Ball


def checks():
    yield "one is one", Ball(1, 0, 0, 0), Ball(1, 0, 0, 0)
    yield "one is two", Ball(1, 0, 0, 0), Ball(2, 0, 0, 0)
    yield "wide", Ball(1, 0, 1, 0), Ball(1, 0, 0, 0)
'''


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    root = tmp_path_factory.mktemp("book")
    for name, text in (("activations/toy.py", PAGE), ("identities/lemma.py", LEMMA)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return collect(root)


def fake(claims: tuple[Claim, ...]) -> tuple[Judgement, ...]:
    """Verdicts that no one else gives, so that the pages can only have them from here."""
    base = {
        c.id.partition(".")[2]: Judgement(c, Verdict.UNDECIDED, error="open: x") for c in claims
    }
    half, third = Ball(1, -1, 1, -99), Ball(6004799503160661, -54, 1, -99)
    base["half"] = replace(
        base["half"], verdict=Verdict.SAMPLED, error="", evidence=("seen <twice>",), digits=7,
        definition_latex=r"E[\sigma(u)^2]", formula_latex=r"\frac{q}{2}", seconds=1.25,
    )  # fmt: skip
    base["angle"] = replace(base["angle"], verdict=Verdict.PROVED, error="", definition_latex="D")
    base["whole"] = replace(
        base["whole"], verdict=Verdict.REFUTED, error="", definition_latex=r"E[\sigma(u)^2]",
        counterexample=Counterexample((("q", Rational(3, 7)),), half, third),
        diagnosis=(Diagnosis("factor", "The formula is 2 times the value.", Verdict.PROVED, "q/2"),),
        corrected="q/2", corrected_latex=r"\frac{q}{2}",
    )  # fmt: skip
    return tuple(base[c.id.partition(".")[2]] for c in claims)


@pytest.fixture(scope="module")
def site(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "site"
    done = render(book, out, judge=fake)
    assert isinstance(done, Rendered) and set(done.files) == {
        p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} - {".ntksym-site"}  # fmt: skip
    assert [j.claim.id.partition(".")[2] for j in done.unexpected] == ["half", "several", "broken"]
    return out


class Lint(HTMLParser):
    """Tags, ids, links and loaded resources of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.errors: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.count: dict[str, int] = {}
        self.lang = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in VOID:
            if (
                self.open
                and self.open[-1] == "p"
                and tag in ("p", "div", "pre", "ul", "table", "section")
            ):
                self.errors.append(f"<{tag}> in <p>")
            self.open.append(tag)
        if "id" in found:
            self.ids.append(found["id"] or "")
        if tag == "a" and found.get("href"):
            self.links.append(found["href"] or "")
        if tag == "html":
            self.lang = found.get("lang") or ""
        for name in ("src", "srcset", "data", "poster", "action", "xlink:href"):
            if found.get(name):
                self.loaded.append(found[name] or "")
        if tag in ("link", "image", "use") and found.get("href"):
            self.loaded.append(found["href"] or "")
        if any(name.startswith("on") for name in found):
            self.errors.append(f"a handler on <{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.errors.append(f"</{tag}> at {self.getpos()}")


def lint(text: str) -> Lint:
    page = Lint()
    page.feed(text)
    page.close()
    return page


def pages(site: Path) -> Iterator[tuple[str, Lint]]:
    for path in sorted(site.rglob("*.html")):
        yield path.relative_to(site).as_posix(), lint(path.read_text(encoding="utf-8"))


def check_links(site: Path) -> int:
    found = dict(pages(site))
    seen = 0
    for name, page in found.items():
        assert not page.errors and not page.open, (name, page.errors, page.open)
        assert page.lang == "en", name
        assert len(set(page.ids)) == len(page.ids), f"{name}: an id twice"
        assert page.count["h1"] == page.count["main"] == page.count["head"] == 1, name
        for target in page.loaded:
            assert ":" not in target and not target.startswith("/"), f"{name} loads {target}"
            assert (site / normpath(join(dirname(name), target))).is_file()
        for link in page.links:
            if link.startswith(("https://", "mailto:")):
                continue
            file, _, part = link.partition("#")
            address = normpath(join(dirname(name), file)) if file else name
            assert address in found, f"{name}: {link}"
            assert not part or part in found[address].ids, f"{name}: {link}"
            seen += 1
    return seen


def test_every_page_is_well_formed_offline_and_linked(site: Path) -> None:
    assert check_links(site) > 60
    math = {name: page.count.get("math", 0) for name, page in pages(site)}
    assert all(math[n] for n in math if n not in ("papers.html",)), math
    css = (site / "style.css").read_text()
    assert "url(" not in css and "@import" not in css and "prefers-color-scheme: dark" in css
    assert "@media print" in css and "max-width" in css


def test_the_lint_can_fail() -> None:
    assert lint("<p><b>x</p></b>").errors and lint("<p><div></div></p>").errors
    assert lint('<img src="https://x.org/y.png">').loaded == ["https://x.org/y.png"]


def test_verdicts_come_from_the_judge(site: Path, book: Book, tmp_path: Path) -> None:
    board = (site / "status.html").read_text()
    for word in ("sampled", "proved", "refuted", "undecided"):
        assert f'data-verdict="{word}"' in board
    assert 'data-verdict="enclosed"' not in board
    render(book, tmp_path / "s", judge=lambda cs: tuple(Judgement(c, Verdict.ENCLOSED) for c in cs))
    board = (tmp_path / "s" / "status.html").read_text()
    assert board.count('data-verdict="enclosed"') == 5 and 'data-verdict="proved"' not in board


def test_a_formula_page_says_everything(site: Path) -> None:
    text = (site / "activations/toy.half.html").read_text()
    for part in (
        "seen &lt;twice&gt;", "Both sides were enclosed to 7 digits", "he2015delving", "@inproceedings{he2015delving",
        "ntksym check --activation relu --quantity diagonal --formula q/2", "[[claim]]", "activations/toy.half",
        "<code>weight_var = 2</code>", "section 2.2", "This is not the verdict that the book expects",
        "Half of the variance &amp; <math",
    ):  # fmt: skip
        assert part in text, part
    assert '\\overset{?}{=} \\frac{q}{2}"' in text, "what is only sampled is not written as equal"
    angle = (site / "activations/toy.angle.html").read_text()
    assert 'alttext="D = \\frac{\\pi - \\theta}{2\\pi}"' in angle
    assert "An &lt;angle&gt;." in angle and "papers.html#cho2009kernel" in angle


def test_an_erratum_is_never_shown_as_an_equation(site: Path) -> None:
    for name in ("errata.html", "activations/toy.whole.html"):
        text = (site / name).read_text()
        for part in (
            "q = 3/7",
            "0.<b>500000",
            "<b>3333333333333333",
            "Only half passes.",
            "2 times the value",
            "q/2",
        ):
            assert part in text, (name, part)
        assert r"E[\sigma(u)^2] \ne q" in text and r"E[\sigma(u)^2] = q" not in text
    assert "<script>alert" not in (site / "papers.html").read_text()


def test_what_cannot_be_read_is_shown_as_it_is(site: Path) -> None:
    text = (site / "activations/toy.broken.html").read_text()
    assert '<code class="tex">q//</code>' in text and "open: x" in text


def test_identity_checks_are_run(site: Path) -> None:
    text = (site / "identities/lemma.html").read_text()
    assert "1 of 3 checks" in text
    assert text.count('class="badge refuted"') == 1 and text.count('class="badge undecided"') == 1


def test_activations_are_derived_and_drawn(site: Path) -> None:
    text = (site / "activations/toy.html").read_text()
    assert text.count("<svg") == 4 and "arcsin" in text and "Hermite coefficients" in text
    assert "No closed form" in text and "The derivation, in 6 steps" in text
    assert 'href="../identities/lemma.html"' in text


@pytest.mark.parametrize("end", [3.0, 1.0, 0.7, 4.2])
def test_the_marks_of_a_plot_are_inside_it(end: float) -> None:
    """-4 and 4 stood beside a plot from -3 to 3."""
    text = plot([Curve("s", ((-end, 0.0), (0.0, 0.0), (end, end)))], x="x", title="t", anchor="a")
    frame = re.search(r'<rect x="(\d+)" y="\d+" width="(\d+)"', text)
    assert frame is not None
    left, right = int(frame[1]), int(frame[1]) + int(frame[2])
    marks = [float(m) for m in re.findall(r'class="grid" d="M(-?[\d.]+) [\d.]+V', text)]
    assert len(marks) >= 3 and all(left <= m <= right for m in marks)


def test_the_same_input_gives_the_same_bytes(book: Book, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests'); from test_book_site import fake; from ntksym.book import render;"
        f"render({str(book.folder)!r}, sys.argv[1], judge=fake, timings=False)"
    )
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        root = Path(__file__).resolve().parent.parent
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / seed)], check=True, env=env, cwd=root
        )
    one, two = ({p.relative_to(tmp_path / s): p.read_bytes() for p in (tmp_path / s).rglob("*") if p.is_file()}
                for s in ("1", "2"))  # fmt: skip
    assert one == two
    assert b"seconds" not in one[Path("status.html")].split(b"<script>")[0]


def test_the_judge_must_answer_every_claim(book: Book, tmp_path: Path) -> None:
    with pytest.raises(BadBook, match="did not answer every claim"):
        render(book, tmp_path / "s", judge=lambda claims: fake(claims)[1:])
    assert not (tmp_path / "s").exists()


def test_the_real_judge(book: Book, tmp_path: Path) -> None:
    done = render(book, tmp_path / "s", judge=lambda claims: check(claims))
    verdict = {j.claim.id.partition(".")[2]: j.verdict for j in done.judgements}
    assert verdict == {
        "half": Verdict.PROVED, "angle": Verdict.PROVED, "whole": Verdict.REFUTED,
        "several": Verdict.PROVED, "broken": Verdict.UNDECIDED,
    }  # fmt: skip
    assert check_links(tmp_path / "s") > 60
    text = (tmp_path / "s" / "activations/toy.several.html").read_text()
    assert r"E[\sigma(z)] &amp;= \frac{1}{\sqrt{2 \pi}}" in text


def test_the_command(book: Book, tmp_path: Path) -> None:
    from ntksym.cli.outcome import View
    from ntksym.cli.render import command, work

    out = tmp_path / "s"
    assert "--out" in CliRunner().invoke(command, ["--help"]).output
    options = {
        "folder": str(book.folder),
        "out": str(out),
        "timings": False,
        "claim_limit": 0.0,
        "board": "",
    }
    outcome = work(options, View())
    assert outcome.payload["schema"] == "ntksym/render/1" and outcome.status == 3
    assert outcome.payload["verdicts"] == {
        "proved": 3, "enclosed": 0, "sampled": 0, "undecided": 1, "refuted": 1}  # fmt: skip
    assert [row["id"] for row in outcome.payload["unexpected"]] == ["activations/toy.broken"]
    assert (out / "index.html").is_file()


def test_a_plot_is_small_and_says_what_it_shows() -> None:
    curve = Curve("a < b", tuple((k / 10, (k / 10) ** 2) for k in range(-10, 11)))
    run = Curve("runs away", ((-1.0, 0.1), (0.0, 0.2), (0.9, float("nan")), (1.0, 0.3)), "b")
    svg = plot((curve, run), x="x", title="T & T", anchor="p")
    assert len(svg) < 6000 and "nan" not in svg and "a &lt; b" in svg and "T &amp; T" in svg
    page = lint(svg)
    assert not page.errors and not page.open and {"p-t", "p-d", "p-c"} == set(page.ids)
    assert "1 at −1, 0 at 0, 1 at 1" in svg
