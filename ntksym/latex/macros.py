"""The macros that are known, by what they do; and those that are refused, each with its reason."""

from __future__ import annotations

from functools import lru_cache

from ..language.names import GREEK

SPACES = frozenset(
    r"\, \; \: \! \> \quad \qquad \enspace \thinspace \medspace \thickspace \negthinspace \space"
    r" \displaystyle \textstyle \scriptstyle \nonumber \notag \limits \nolimits \big \Big \bigg"
    r" \Bigg \left \right \bigl \bigr \Bigl \Bigr \biggl \biggr \Biggl \Biggr \bigm \middle"
    r" \hfill \allowbreak \nobreak \relax \mathstrut \strut \rm \ ".split(" ")
) - {""} | {"\\ "}
"""Macros that only move or size things."""

FUNCTIONS = {
    r"\sin": "sin",
    r"\cos": "cos",
    r"\tan": "tan",
    r"\sinh": "sinh",
    r"\cosh": "cosh",
    r"\tanh": "tanh",
    r"\arcsin": "asin",
    r"\arccos": "acos",
    r"\arctan": "atan",
    r"\exp": "exp",
    r"\log": "log",
    r"\ln": "log",
    r"\max": "max",
    r"\min": "min",
    r"\erf": "erf",
    r"\erfc": "erfc",
    r"\sgn": "sign",
    r"\sign": "sign",
    r"\sech": "sech",
    r"\arsinh": "asinh",
    r"\arcsinh": "asinh",
    r"\relu": "relu",
    r"\ReLU": "relu",
    r"\gelu": "gelu",
    r"\GELU": "gelu",
    r"\csc": "csc",
    r"\sec": "sec",
    r"\cot": "cot",
    r"\det": "det",
}
"""Macros of functions, with the names of the language (`csc`, `sec`, `cot` are 1/sin, ...)."""

OPERATORS = {
    r"\cdot": "*",
    r"\times": "*",
    r"\ast": "*",
    r"\star": "*",
    r"\div": "/",
    r"\slash": "/",
    r"\lt": "<",
    r"\gt": ">",
    r"\le": "<=",
    r"\leq": "<=",
    r"\leqslant": "<=",
    r"\ge": ">=",
    r"\geq": ">=",
    r"\geqslant": ">=",
    r"\ne": "!=",
    r"\neq": "!=",
    r"\wedge": "and",
    r"\land": "and",
    r"\vee": "or",
    r"\lor": "or",
    r"\coloneqq": "=",
    r"\triangleq": "=",
    r"\equiv": "=",
    r"\colon": ":",
}

FENCES = {
    r"\lvert": "LBAR",
    r"\rvert": "RBAR",
    r"\lVert": "LNORM",
    r"\rVert": "RNORM",
    r"\{": "LCURLY",
    r"\}": "RCURLY",
    r"\lbrace": "LCURLY",
    r"\rbrace": "RCURLY",
    r"\langle": "LANGLE",
    r"\rangle": "RANGLE",
    r"\lbrack": "LBRACK",
    r"\rbrack": "RBRACK",
    r"\vert": "BAR",
    r"\Vert": "NORM",
    r"\|": "NORM",
    "(": "LPAR",
    ")": "RPAR",
    "[": "LBRACK",
    "]": "RBRACK",
    "|": "BAR",
}

FRACTIONS = frozenset((r"\frac", r"\dfrac", r"\tfrac", r"\nicefrac", r"\sfrac"))

WORDS = frozenset(
    r"\operatorname \operatorname* \mathrm \text \textrm \mathsf \textit \mathop \mathit \mbox"
    r" \textnormal \mathtt \textsf".split()
)
"""Macros whose argument is a word: the name of a function, or "if"."""

ACCENTS = frozenset(r"\tilde \widetilde \bar \overline \hat \widehat \check \breve".split())
"""Macros whose letter is read as the letter without them."""
BOLD = frozenset(r"\mathbf \boldsymbol \bm \vec \bf".split())
"""Macros that mark a vector."""
FONTS = frozenset(r"\mathbb \mathds \mathbbm \mathcal".split()) | BOLD | ACCENTS
"""Macros that mark one letter: vectors, the indicator, and accents."""

_VARIANTS = {
    r"\varphi": "phi",
    r"\varepsilon": "epsilon",
    r"\vartheta": "theta",
    r"\varrho": "rho",
    r"\lambda": "lam",
    r"\Lambda": "Lam",
    r"\ell": "ell",
    # `gamma` is the gamma function of the language.
    r"\gamma": "gam",
}

LETTERS = {
    "\\" + name: name for name in sorted(set(GREEK.values())) if not name.lower().startswith("lam")
} | _VARIANTS
"""Greek letters with the names of the language."""

UNICODE = {
    char: next(m for m, n in LETTERS.items() if n == {"gamma": "gam"}.get(name, name))
    for char, name in GREEK.items()
}
"""Greek letters typed as such."""

MARKS = dict.fromkeys((r"\top", r"\intercal", r"\transpose"), r"\top")
MARKS |= {r"\prime": "'"} | {macro: macro for macro in (r"\angle", r"\sum", r"\infty")}

UNSAFE = tuple(
    (
        r"\def \edef \gdef \xdef \let \newcommand \renewcommand \providecommand \newenvironment"
        r" \DeclareMathOperator \csname \catcode \input \include \openin \openout \read \write"
        r" \immediate \special \usepackage \loop \expandafter \futurelet \output \url \href"
        r" \includegraphics \directlua \begingroup"
    ).split()
)
"""Macros that define things or touch files."""

REFUSED = {
    **dict.fromkeys(UNSAFE, "no definitions, no files: the formula written out"),
    r"\infty": "finite numbers; infinity only above a sum",
    r"\int": "the value of the integral, in closed form",
    r"\iint": "the value of the integral, in closed form",
    r"\prod": "the product written out",
    r"\lim": "the value of the limit",
    r"\partial": "the derivative, written out",
    r"\nabla": "the derivative, written out",
    r"\pm": "one formula for each sign",
    r"\mp": "one formula for each sign",
    r"\approx": "one formula; an approximation is a claim with a tolerance",
    r"\sim": "one formula",
    r"\propto": "one formula with its constant factor",
    r"\dots": "the formula written out",
    r"\ldots": "the formula written out",
    r"\cdots": "the formula written out",
    r"\over": r"\frac{a}{b}",
    r"\choose": "the number",
    r"\imath": "a real formula: no complex numbers",
    r"\jmath": "a real formula: no complex numbers",
    r"\Re": "a real formula: no complex numbers",
    r"\Im": "a real formula: no complex numbers",
    r"\circ": "the functions applied one by one, with brackets",
    r"\odot": r"\cdot",
    r"\mid": r"| for absolute values",
    r"\Pr": "the probability in closed form",
    r"\iff": "one formula",
    r"\implies": "one formula",
    r"\color": "the formula without colours",
    r"\textcolor": "the formula without colours",
    r"\dot": "the formula without time derivatives",
    r"\lfloor": "a formula without rounding",
    r"\lceil": "a formula without rounding",
    r"\substack": "the formula on one line",
}
"""Macros with a meaning that a formula of the language does not have, and what to write instead."""

FRAMES = ("equation", "equation*", "align", "align*", "aligned", "gather", "gather*", "displaymath")
FRAMES_MORE = ("split", "math", "eqnarray", "eqnarray*", "multline", "multline*", "gathered")
TABLES = {"cases": "cases", "dcases": "cases", "matrix": "matrix"}


@lru_cache(maxsize=1)
def known() -> frozenset[str]:
    """Every macro that is read, for the nearest one in an error."""
    read = {*FUNCTIONS, *OPERATORS, *FENCES, *FRACTIONS, *WORDS, *FONTS, *LETTERS, *MARKS}
    return frozenset(m for m in read | {r"\sqrt", r"\left", r"\right"} if m.startswith("\\"))
