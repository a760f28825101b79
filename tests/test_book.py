"""The book: files become pages, LaTeX becomes MathML that browsers set well, keys become papers."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ntksym.book import BadBook, MissingExtra, collect
from ntksym.book.bibliography import entry, plain, sources
from ntksym.book.mathml import BadMath, from_sympy, mathml
from ntksym.book.prose import links, prose
from ntksym.book.reproduce import command, toml
from ntksym.book.typeset import typeset, typeset_name
from ntksym.book.writing import MARKER, write_site
from ntksym.claims import Claim
from ntksym.errors import CannotWrite
from ntksym.extras import for_site as need
from ntksym.references import keys

BOOK = Path(__file__).resolve().parent.parent / "derivations"

PAGE = '''r"""
# Toy

$x$ is here.
"""
from ntksym.claims import Claim

ACTIVATIONS = ("relu",)
one = Claim("first", quantity="diagonal", activation="relu", formula="q/2", source="he2015delving")
two = Claim("second", quantity="diagonal", activation="relu", formula="q", id="own")
alias = one
MORE = (Claim("third", quantity="diagonal", activation="relu", formula="q/2"),)
TABLE = {"x": Claim("fourth", quantity="diagonal", activation="relu", formula="q/2")}
'''


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# -- collect ---------------------------------------------------------------------------------------


def test_a_page_has_title_prose_and_claims_with_full_ids(tmp_path: Path) -> None:
    write(tmp_path, "activations/toy.py", PAGE)
    write(tmp_path, "activations/README.md", "# no page")
    write(tmp_path, "activations/_helper.py", "1/0")
    write(tmp_path, "identities/lemma.md", "# A lemma\n\ntext\n")
    book = collect(tmp_path)
    assert [p.key for p in book.pages] == ["activations/toy", "identities/lemma"]
    toy = book.pages[0]
    assert (toy.title, toy.prose, toy.activations) == ("Toy", "$x$ is here.", ("relu",))
    assert [c.id for c in book.claims] == [
        "activations/toy.one",
        "activations/toy.own",
        "activations/toy.more-1",
        "activations/toy.x",
    ]
    assert not list(tmp_path.rglob("__pycache__")), "reading a book leaves nothing behind"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a/x.py", '"""no title"""', "begins with its title"),
        ("a/x.py", '"""# T"""\nimport nothing_like_this', "does not run"),
        ("a/x.py", '"""# T"""\n\n1/0', "line 3: ZeroDivisionError"),
        ("a/x.py", '"""# T"""\nACTIVATIONS = "relu"', "a tuple of names"),
        ("a/x.py", '"""# T"""\nCONVENTION = 3', "CONVENTION is text"),
        ("a/x.py", '"""# T"""\nchecks = 3', "checks is a function"),
        ("a/b c.md", "# T", "part of an address"),
        ("a/x.py", PAGE.replace('id="own"', 'id="o/../w"'), "cannot be the id"),
        ("a/x.py", PAGE.replace('id="own"', 'id="ONE"'), "used twice"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    write(tmp_path, name, text)
    with pytest.raises(BadBook) as caught:
        collect(tmp_path)
    assert words in caught.value.text and (name in caught.value.text or "a/x" in caught.value.text)


def test_no_folder_and_no_page(tmp_path: Path) -> None:
    with pytest.raises(BadBook, match="there is no folder"):
        collect(tmp_path / "none")
    with pytest.raises(BadBook, match="has no pages"):
        collect(tmp_path)


def test_the_book_of_this_project_can_be_read_and_typeset() -> None:
    book = collect(BOOK)
    assert {"price", "stein", "tilt", "orthant"} <= {p.name for p in book.pages}
    for page in book.pages:
        html = prose(page.prose, where=page.path) + prose(page.convention, where=page.path)
        assert "$" not in re.sub(r'alttext="[^"]*"', "", html)
    for claim in book.claims:
        for value in (claim.formula, claim.definition, claim.corrected, claim.latex):
            rows = list(value.values()) if isinstance(value, dict) else [value]
            for text in filter(None, rows):
                made = mathml(text if value is claim.latex else typeset(text))
                ElementTree.fromstring(made)
        assert tomllib.loads(toml(claim))["claim"][0]["id"] == claim.id


# -- mathematics -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\sqrt{q_{11}}", "<msqrt><msub><mi>q</mi><mn>11</mn></msub></msqrt>"),
        (r"\sqrt[3]{x}", "<mroot><mi>x</mi><mn>3</mn></mroot>"),
        (r"\tfrac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        (r"\operatorname{erf}(x)", "<mi>erf</mi><mo>\u2061</mo>"),
        (r"\mathrm{erf}(x)", "<mi>erf</mi><mo>\u2061</mo>"),
        (r"\erf x", '<mi>erf</mi><mspace width="0.167em"></mspace><mi>x</mi>'),
        (r"\pi\arcsin r", '<mi>π</mi><mspace width="0.167em"></mspace><mi>arcsin</mi>'),
        (r"\sin^{-1} x", '<mo form="prefix">−</mo><mn>1</mn>'),
        (r"= -x", '<mo>=</mo><mo form="prefix">−</mo>'),
        (r"a - x", "<mi>a</mi><mo>−</mo>"),
        (r"\lvert x\rvert", 'form="postfix" lspace="0" rspace="0">|</mo>'),
        (r"|x|", 'form="prefix" lspace="0" rspace="0">|</mo><mi>x</mi>'),
        (r"|f|^p", '<msup><mo stretchy="false" form="postfix" lspace="0" rspace="0">|</mo>'),
        (r"P(A|B)", 'lspace="0.28em" rspace="0.28em">|</mo>'),
        (r"\mathbb{1}_{x>0}", "<mn>𝟙</mn>"),
        (r"\mathbb E", "<mi>𝔼</mi>"),
        (r"\hat\sigma", '<mover accent="true">'),
        (r"\overline{x}", '<mo stretchy="true">‾</mo>'),
        (r"\sigma'(u)", '<mi>σ</mi><mo lspace="0" rspace="0">′</mo>'),
        (r"\Phi_2(h,k;r)", "<mo>;</mo>"),
        (r"a/b", '<mo lspace="0" rspace="0">/</mo>'),
        (r"\partial x", "<mi>∂</mi>"),
        (r"\mathrm{weight\_var}", "<mi>weight_var</mi>"),
        (r"\begin{cases} 0 & x < 0 \\ x & \text{otherwise}\end{cases}", 'class="cell-left"'),
        (r"\begin{aligned} a &= b \\ &= c\end{aligned}", 'class="cell-right"'),
        (r"\left(x\right)", 'stretchy="false"'),
        (r"\left(\frac12\right)", 'stretchy="true"'),
        (r"\lfloor x\rfloor", '<mo form="prefix" stretchy="false">⌊</mo>'),
        (r"x \tag{3}", "<mi>x</mi>"),
    ],
)  # fmt: skip
def test_what_browsers_need(latex: str, expected: str) -> None:
    made = mathml(latex)
    ElementTree.fromstring(made)
    assert expected in made
    assert "alttext=" in made and "\\" not in re.sub(r'alttext="[^"]*"', "", made)


@pytest.mark.parametrize(
    "latex",
    [r"\frac{1}", r"\foo{x}", r"\left( x", r"\href{https://x.org}{x}", r"\begin{cases} x", "x" * 50_000,
     r"\def\a{\a}\a", r"\style{color:red}{x}", "{" * 3000 + "}" * 3000],
)  # fmt: skip
def test_latex_that_cannot_be_shown_is_refused(latex: str) -> None:
    with pytest.raises(BadMath):
        mathml(latex)


def test_html_in_latex_is_text() -> None:
    made = mathml(r"\text{<script>alert(1)</script>} < x")
    assert "<script" not in made and "&lt;script" in made


def test_sympy_latex_in_the_notation_of_the_site() -> None:
    assert from_sympy(r"\theta\left(x\right)") == r"\operatorname{step}\left(x\right)"
    assert from_sympy(r"\operatorname{acos}{\left(x \right)}") == r"\arccos{\left(x \right)}"
    assert from_sympy(r"\theta \left(x\right)") == r"\theta \left(x\right)"


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("rho*acos(-rho)", r"\rho \arccos(-\rho)"),
        ("sqrt(q1*q2)/(2*pi)*(1 - rho**2)", r"\frac{\sqrt{q_{1} q_{2}}}{2 \pi} (1 -\rho^{2})"),
        ("-a/b", r"-\frac{a}{b}"),
        ("a - (b - c)", r"a -(b -c)"),
        ("a/(b/c)", r"\frac{a}{\frac{b}{c}}"),
        ("a/b/c", r"\frac{a}{b c}"),
        ("2*3", r"2 \cdot 3"),
        ("x*2", r"x \cdot 2"),
        ("(a*b)**2", "(a b)^{2}"),
        ("(-a)**2", "(-a)^{2}"),
        ("a**b**c", "a^{b^{c}}"),
        ("(a**b)**c", "(a^{b})^{c}"),
        ("exp(-m**2/(2*q))", "e^{-m^{2}/(2 q)}"),
        ("exp(x)**2", "(e^{x})^{2}"),
        ("sin(x)^2", r"\sin^{2}(x)"),
        ("E[s(z)^2]", r"E[\sigma(z)^{2}]"),
        ("Phi2(h, k, r)", r"\Phi_2(h, k; r)"),
        ("He(n, x)", r"\mathrm{He}_{n}(x)"),
        ("0.5*x", "0.5 x"),
        ("1e-3*x", r"1 \cdot 10^{-3} x"),
        ("abs(x)", r"\left|x\right|"),
        ("Piecewise((0, x < 0), (x, True))", r"\begin{cases}0 & x < 0 \\ x & \text{otherwise}\end{cases}"),
        ("sw2**2", r"(\sigma_w^2)^{2}"),
    ],
)  # fmt: skip
def test_text_is_set_in_its_own_order(text: str, latex: str) -> None:
    assert typeset(text) == latex
    mathml(latex)


def test_names() -> None:
    assert [typeset_name(n) for n in ("q11", "rho", "s_max", "a_1", "abc", "lam")] == [
        "q_{11}", r"\rho", r"s_{\mathrm{max}}", "a_{1}", r"\mathrm{abc}", r"\lambda"]  # fmt: skip


# -- prose and sources -----------------------------------------------------------------------------


def test_prose_keeps_displays_whole_and_shows_html_as_text() -> None:
    html = prose("Let\n$$a\n+ b\n= c$$\nbe. <b>x</b> [p](price.py#use)", address=links(
        {"i/price.py": "i/price.html", "i/x.md": "i/x.html"}, "i/x.md"))  # fmt: skip
    assert "<li>" not in html and "<h1" not in html and html.count("<math") == 1
    assert prose("so $x^2$, then").count('<span class="nb"><math') == 1
    assert "&lt;b&gt;" in html and 'href="price.html#use"' in html


def test_prose_refuses_bad_mathematics_and_images() -> None:
    with pytest.raises(BadBook, match="cannot be read") as caught:
        prose(r"see $\frac{1}$", where="a/b.py")
    assert "a/b.py" in caught.value.text
    with pytest.raises(BadBook, match="no images"):
        prose("![x](https://example.org/x.png)")
    assert "<a" not in prose("[x](javascript:alert)")


def test_every_entry_of_the_bibliography_reads() -> None:
    for key in keys():
        e = entry(key)
        assert e.authors and e.title and re.fullmatch(r"\d{4}", e.year), key
        assert not set("{}\\$") & set(e.title + e.venue + "".join(e.authors)), key
        assert e.bibtex.startswith("@")


def test_sources_are_keys_or_text() -> None:
    one, two = sources("cho2009kernel, eq. 6; some text, p. 3; more")
    assert (one.key, one.place) == ("cho2009kernel", "eq. 6")
    assert two.text == "some text, p. 3; more" and not two.key
    assert plain(r"Erd{\H{o}}s, {\'E}. and M{\"u}ller, 3--4") == "Erdős, É. and Müller, 3–4"


# -- reproduction ----------------------------------------------------------------------------------


def test_toml_comes_back() -> None:
    claim = Claim(
        quantity="nngp", latex=r"\frac{1}{\pi}'", formula={"d 0": 'x "q"', "d1": "\x7f\n"},
        params={"alpha": "positive"}, n=3, covariance=(("z1", ("1", "r")),), id="a/b.c",
    )  # fmt: skip
    row = tomllib.loads(toml(claim))["claim"][0]
    assert row["latex"] == claim.latex and row["formula"] == claim.formula and row["n"] == 3
    assert row["covariance"] == {"z1": ["1", "r"]} and "title" not in row
    assert command(claim) == ""


def test_a_simple_claim_is_one_command() -> None:
    claim = Claim(quantity="diagonal", activation="relu", formula="q/2; rm")
    assert (
        command(claim) == "ntksym check --activation relu --quantity diagonal --formula 'q/2; rm'"
    )


# -- writing ---------------------------------------------------------------------------------------


def test_a_site_is_written_whole_and_replaced(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "site"
    write_site({"a.html": "1", "b/c.html": "2"}, out)
    write_site({"a.html": "3"}, out)
    assert (out / "a.html").read_text() == "3" and not (out / "b").exists()
    assert sorted(p.name for p in out.parent.iterdir()) == ["site"], "nothing is left beside it"


@pytest.mark.parametrize("kind", ["foreign", "added", "file", "link"])
def test_files_of_others_are_never_touched(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "site"
    if kind == "file":
        out.write_text("mine")
    elif kind == "link":
        (tmp_path / "real").mkdir()
        out.symlink_to(tmp_path / "real")
    else:
        out.mkdir()
        if kind == "added":
            out.rmdir()
            write_site({"a.html": "1"}, out)
        (out / "mine.txt").write_text("mine")
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    with pytest.raises(CannotWrite):
        write_site({"a.html": "2"}, out)
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before
    if kind == "added":
        assert (out / "a.html").read_text() == "1" and (out / MARKER).exists()


def test_a_failure_leaves_the_old_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "site"
    write_site({"a.html": "1"}, out)
    calls: list[Path] = []
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) == 2:  # the new site, after the old one has moved away
            raise OSError("disk full")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(CannotWrite, match="disk full"):
        write_site({"a.html": "2"}, out)
    assert (out / "a.html").read_text() == "1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["site"]


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    monkeypatch.setitem(sys.modules, "latex2mathml", None)
    with pytest.raises(MissingExtra) as caught:
        need("latex2mathml.converter", "latex2mathml")
    assert caught.value.exit_status == 5
    assert (
        "latex2mathml" in caught.value.what and "pip install 'ntksym[render]'" in caught.value.hint
    )


def test_collecting_needs_no_library_of_the_extra() -> None:
    code = (
        "import sys; from ntksym.book import collect, render; "
        "sys.exit(bool({'jinja2', 'markdown_it', 'latex2mathml', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
