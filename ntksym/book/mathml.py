r"""LaTeX to MathML that browsers set well (MathML Core).

`latex2mathml` reads the LaTeX.  Its output is then put right where browsers would set it badly:
names of functions become identifiers with the spaces of TeX around them, a sign in front of a
number is no operation between two, bars pair up, accents sit close, letters of other alphabets are
characters and not the attribute `mathvariant`, which browsers ignore.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ..errors import NtksymError
from ..extras import for_site as need
from .mathtidy import tidy

MAX_LENGTH = 40_000
"""Longer LaTeX is refused: no reader has use for it, and the converter is recursive."""


class BadMath(NtksymError):
    """LaTeX that cannot be shown as MathML."""

    code, exit_status = "E102", 2


_ARITY = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2} | {
    "msubsup": 3, "munderover": 3
}  # fmt: skip
_REFUSED = re.compile(
    r"\\(href|url|class|style|cssId|data|require|unicode|newcommand|renewcommand|def|gdef|let"
    r"|includegraphics|input|include|write|csname|color|textcolor|colorbox|fcolorbox)(?![A-Za-z])"
)
_DROPPED = re.compile(r"\\(?:tag|label)\*?\{[^{}]*\}|\\(?:nonumber|notag|allowbreak)(?![A-Za-z])")
_NAME = re.compile(r"\\(?:mathrm|mathop|mathsf|rm)\s*\{\s*\\?([A-Za-z]{2,}(?:\\_[A-Za-z]+)*)\s*\}")
_ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|alignedat|align|split|eqnarray|alignat)\*?\}")
_GATHERED = re.compile(r"\\(begin|end)\{(?:gathered|gather|multline|multlined)\*?\}")
_ALPHABET = re.compile(r"\\(mathbb|mathcal|mathbf|mathfrak|mathscr)\s+([A-Za-z0-9])")
_WORDS = {
    "erf": "erf", "erfc": "erfc", "sgn": "sgn", "sign": "sgn", "relu": "relu", "ReLU": "ReLU",
    "gelu": "gelu", "GELU": "GELU", "sech": "sech", "arsinh": "arsinh", "arcsinh": "arsinh",
    "Var": "Var", "Cov": "Cov", "E": "E", "argmax": "argmax", "argmin": "argmin",
}  # fmt: skip
_WORD = re.compile(r"\\(" + "|".join(_WORDS) + r")(?![A-Za-z])")
_SYNONYMS = (
    (re.compile(r"\\(?:nicefrac|sfrac)(?![A-Za-z])"), r"\\tfrac"),
    (re.compile(r"\\(?:mathbbm|mathds)(?![A-Za-z])"), r"\\mathbb"),
    (re.compile(r"\\bm(?![A-Za-z])"), r"\\boldsymbol"),
    (re.compile(r"\\slash(?![A-Za-z])"), "/"),
)

_SYMPY = (
    (re.compile(r"\\operatorname\{a(sin|cos|tan)\}"), r"\\arc\1"),
    (re.compile(r"\\operatorname\{a(sin|cos|tan)h\}"), r"\\operatorname{ar\1h}"),
    (re.compile(r"\\theta(?=\\left\()"), r"\\operatorname{step}"),
    (re.compile(r"\\operatorname\{sign\}"), r"\\operatorname{sgn}"),
    (re.compile(r"\b(weight|bias)_\{var\}"), r"\\mathrm{\1\\_var}"),
    (re.compile(r"\\text\{for\}\\: "), r"\\text{for }"),
    (re.compile(r"\\mathbb\{E\}"), "E"),
    (re.compile(r"\{\{\}_\{(\d)\}F_\{(\d)\}"), r"\\,{{}_{\1}F_{\2}"),
)


def from_sympy(latex: str) -> str:
    """The LaTeX of SymPy in the notation of the site: arccos, step and sgn by name."""
    for pattern, better in _SYMPY:
        latex = pattern.sub(better, latex)
    return latex


def prepare(latex: str) -> str:
    r"""LaTeX that the converter reads: environments and names it does not know are replaced.

    Raises:
        BadMath: too long, a null character, or a macro that is not mathematics (`\href`, ...).
    """
    if len(latex) > MAX_LENGTH:
        raise BadMath(f"LaTeX of {len(latex)} characters is too long", hint="split the formula")
    if found := _REFUSED.search(latex):
        raise BadMath(f"{found[0]} is not mathematics", where=_near(latex, found.start()))
    text = _DROPPED.sub("", latex.replace("\x00", ""))
    for pattern, better in _SYNONYMS:
        text = pattern.sub(better, text)
    text = _WORD.sub(lambda m: rf"\operatorname{{{_WORDS[m[1]]}}}", text)
    text = _NAME.sub(_name, text)
    text = _ALIGNED.sub(r"\\\1{align*}", text)
    text = _GATHERED.sub(r"\\\1{matrix}", text)
    text = _ALPHABET.sub(r"\\\1{\2}", text)
    return text.strip()


def _name(found: re.Match[str]) -> str:
    plain = found[1].replace("\\_", "_")
    return rf"\text{{{plain}}}" if "_" in plain else rf"\operatorname{{{plain}}}"


@lru_cache(maxsize=4096)
def mathml(latex: str, *, block: bool = False) -> str:
    r"""A `<math>` element, as text; the LaTeX is its `alttext`.

    Args:
        latex: without dollar signs.
        block: on a line of its own.

    Raises:
        BadMath: the converter cannot read it.
        MissingExtra: `latex2mathml` is not installed.
    """
    converter: Any = need("latex2mathml.converter", "latex2mathml")
    text = prepare(latex)
    try:
        root: Element = converter.convert_to_element(text, display="block" if block else "inline")
    except RecursionError as error:
        raise BadMath("LaTeX that is nested too deeply", where=_near(latex, 0)) from error
    except _errors() as error:
        raise BadMath(
            "LaTeX that cannot be read", where=f"{_near(latex, 0)}\n{type(error).__name__}"
        ) from error
    tidy(root, block=block)
    for e in root.iter():
        if (e.text or "").startswith("\\"):
            raise BadMath(f"{e.text} is not known", where=_near(latex, latex.find(e.text or "")))
        if len(e) != _ARITY.get(e.tag, len(e)):
            raise BadMath(
                "LaTeX that cannot be read: an argument is missing", where=_near(latex, 0)
            )
    root.attrib.pop("xmlns", None)
    root.set("alttext", " ".join(latex.split()))
    if not block:
        root.attrib.pop("display", None)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


def _errors() -> tuple[type[BaseException], ...]:
    found: Any = need("latex2mathml.exceptions", "latex2mathml")
    own = (e for e in vars(found).values() if isinstance(e, type) and issubclass(e, BaseException))
    return (*own, IndexError, KeyError, ValueError, TypeError, AttributeError, StopIteration)


def _near(latex: str, start: int) -> str:
    return " ".join(latex[max(0, start - 20) : start + 80].split())
