r"""Refusals: what is ambiguous, unknown or broken is an error that says what, where, what to do."""

from __future__ import annotations

import pytest

from ntksym.errors import BadActivation, NtksymError, ParseError, TooLarge, UnknownName
from ntksym.language.limits import MAX_CHARS
from ntksym.latex import read_latex

AMBIGUOUS = [
    (r"1/2\pi", 4, r"1/2 \pi is ambiguous", r"\frac{1}{2} \pi or \frac{1}{2 \pi}"),
    (r"a/bc", 4, "a/b c is ambiguous", r"\frac{a}{b} c or \frac{a}{b c}"),
    (r"1/2(x+1)", 4, "1/2 (x+1) is ambiguous", r"\frac{1}{2} (x+1) or \frac{1}{2 (x+1)}"),
    (r"2/\pi\arcsin(\rho)", 6, r"2/\pi \arcsin(\rho) is ambiguous", r"\frac{2}{\pi} \arcsin(\rho)"),
    (r"e^{-1/2q}", 8, "1/2 q is ambiguous", r"\frac{1}{2} q or \frac{1}{2 q}"),
    (r"a/b\cdot cd", 11, "a product after a slash is ambiguous", r"\frac{a}{b} for the quotient"),
    (r"a/b/c", 4, "a/b/c has two slashes", "(a/b)/c"),
    (r"\sin a b", 8, r"\sin a b is ambiguous", r"\sin(a b) or \sin(a) b"),
    (r"\sin\theta/2", 11, r"\sin \theta /2 is ambiguous", r"\sin(\theta /2) or \sin(\theta) /2"),
    (r"\sin\rho(1+\rho)", 9, r"\sin \rho (1+\rho) is ambiguous", r"\sin(\rho) (1+\rho)"),
    (r"\sin 2(x+1)", 7, r"\sin 2 (x+1) is ambiguous", r"\sin(2 (x+1))"),
    (r"\arcsin\rho\sqrt{1-\rho^2}", 12, r"is ambiguous", r"\arcsin(\rho) \sqrt{1-\rho^2}"),
    (r"\operatorname{erf} x y", 22, "is ambiguous", r"\operatorname{erf}(x) y"),
    (r"\sin{x+1}", 5, "braces are not printed", r"brackets: \sin(...)"),
    (r"\exp -x", 1, r"\exp has no argument", r"\exp(z), with the brackets also around a sign"),
    (r"\max x", 1, r"\max needs its argument in brackets", r"\max(z)"),
    (r"\Phi x", 1, r"\Phi needs its argument in brackets", r"\Phi(z)"),
    (r"\sin^{-2}x", 1, "is an inverse or a reciprocal", r"(\sin x)^{-1} for the reciprocal"),
    (r"\Phi^{-1}(x)", 1, "is an inverse or a reciprocal", r"\arcsin, \arccos, \arctan for inverses"),
    (r"H_3(x)", 1, "H_n is the physicists' Hermite polynomial", "He_n(x), the probabilists'"),
    (r"\Theta(\rho)", 1, r"\Theta is the step function, or the neural tangent kernel", r"\mathbb{1}[z > 0]"),
    (r"\Theta(x,x')", 1, r"\Theta is the step function, or the neural tangent kernel", "its value"),
    (r"\theta(1-\rho)", 1, r"\theta before a bracket is the angle", r"\theta \cdot (...) for the angle"),
    (r"2 3", 3, "the number 3 after 2 is not clearly a factor", r"2 \cdot 3"),
    (r"x2", 2, "the number 2 after x is not clearly a factor", r"x^2 or x_2"),
    (r"2\frac{1}{2}", 2, "a product or a mixed number", r"\cdot between them"),
    (r"1e-3", 1, "e is Euler's number, or the exponent of a decimal", "10^{-3}"),
    (r"x^12", 4, "only the first digit of 12 is the argument", "{12}"),
    (r"q_11", 4, "only the first digit of 11 is the argument", "{11}"),
    (r"x^{(2)}", 4, "a superscript in brackets is the number of a layer", "x^2"),
    (r"(x)_-", 5, "(.)_- is max(-x, 0) for some authors", r"\max(-x, 0) or \min(x, 0)"),
    (r"\Sigma^{(l)}(x,x')+K^{(l-1)}(x,x')", 20, "the layers l and l-1 in one formula", "of the covariance of one layer"),
    (r"K^{2}(x,x')", 1, "K^{2} is a power, or the number of a layer", "the power after the bracket"),
    (r"\det(I+\Sigma^2)", 1, "the determinant of something else", r"\det\Sigma"),
    (r"\angle(x,x)", 1, r"\angle is the angle of two inputs", r"\angle(x, x')"),
    (r"a, \text{where } a^2 = b", 18, "what is defined is no letter", r"\text{where } a_1 = ..."),
    (r"a, \text{where } b > 0", 17, "what follows the formula is no definition", "conditions go into `where`"),
    (r"a, \text{where } a = b = c", 24, "two equals signs in one definition", "a comma between definitions"),
    (r"a, \text{where } a = 2b, b = a", 30, "a definition needs itself", "definitions one after the other"),
    (r"K = a, \quad L = b", 14, "L is defined and not used", "one formula for each claim"),
    (r"2 q_{11}, \quad q_{11} = 1", 17, "q_{11} = ... is a condition on the covariance", 'where = "q11 = q22"'),
    (r"2\rho, \text{ with } \rho = 1/2", 22, "is a condition on the covariance", 'where = "q11 = q22"'),
    (r"a, \quad x > 0 = b", 10, "what is defined is no letter", r"\text{where } a_1 = ..."),
    (r"c_{12}", 1, "c_{12} is a covariance for some authors", r"q_{12} or \rho"),
    (r"\frac{d}{dx}x", 1, r"\frac{d}{dx} is a derivative, or a quotient", "written out"),
    (r"|\Sigma|", 1, r"|\Sigma| is a determinant, or an absolute value", "q_{11} q_{22} - q_{12}^2"),
    (r"\sin(x)!", 5, r"\sin(x)! is ambiguous", "brackets around the function"),
    (r"\sin^2(x)^3", 7, r"\sin^2(x)^3 is ambiguous", "brackets around the function"),
    (r"H(\rho)", 1, "H before a bracket without x", r"\mathbb{1}[z > 0]"),
    (r"\Gamma x", 1, r"\Gamma needs its argument in brackets", r"\Gamma(z)"),
    (r"\Phi_3(h,k)", 1, "the index 3 of the function Phi has no meaning", r"\Phi_2(h, k; r)"),
    (r"n!^2", 1, "a factorial and a power on one thing", "(n!)^2 or (n^2)!"),
    (r"E", 1, "E is an expectation, or a name", "names={'E': 'a_name'}"),
    (r"i x", 1, "i is the imaginary unit, and formulas are real", "names={'i': 'a_name'}"),
    (r"\mathrm{i}\,x", 1, "i is the imaginary unit", "where it is a name"),
    (r"\|x\|\|y\|\|x'\|", 13, "x' and y are two names for one input", "q_{11}, q_{12}, q_{22}"),
    (r"\|a\|", 1, "the norm of a is not clear", r"\|x\|"),
    (r"\|x\|_1", 1, "only the Euclidean norm is known", r"\|x\|"),
    (r"x'+1", 1, "x' outside of a norm or an inner product", r"x^\top x'"),
    (r"x^\top", 3, "a transpose outside of an inner product", r"x^\top x'"),
    (r"\langle f\rangle", 1, "is not the inner product of two inputs", r"\langle x, x'\rangle"),
    (r"n!!!", 1, "more than two factorial signs", "(n!)!"),
    (r"J(\rho), \text{where } J(t) = h(t), h(t) = J(t)", 24, "a definition needs itself", "one after the other"),
    (r"J(\rho), \text{where } J(t) = t, h(u) = u", 34, "h(u) is defined and not used", "one formula"),
    (r"J(a, b), \text{where } J(t) = t", 2, "J has 1 parameter, not 2", "as many arguments"),
    (r"J + 1, \text{where } J(t) = t", 1, "J is a function", "J(...), with its argument"),
    (r"J^2(\rho), \text{where } J(t) = t", 1, "a power of the function J before its argument", "J(...)^2"),
    (r"J(\rho), \text{where } J(2t) = t", 26, "a parameter of a function is a letter", "J(t) = ..."),
    (r"J(\rho), \text{where } J(t, t) = t", 25, "letters, each once", "J(t) = ..."),
    (r"\theta(x', x), \text{where } \theta(x, x') = x^\top x'", 7, "the first and the second input", "the order of the definition"),
    (r"\tilde{\mathbf{x}'}", 1, r"\tilde needs one letter", r"\tilde{x}'"),
    (r"x -- y", 4, "two signs in a row", "brackets around the second"),
    (r"\sum_n x^n", 1, "the limits of a sum are its index and two whole", r"\sum_{n=0}^{\infty}"),
    (r"\sum_{n>0} x^n", 1, "a sum from a strict inequality", r"\ge"),
    (r"1+\sum_{n=0}^2", 3, "the sum has no term", r"\sum_{n=0}^{\infty} ..."),
    (r"\sum'_{n=0}^2 x^n", 1, "a sum with a mark", r"\sum_{n=0}^{\infty} ..."),
]  # fmt: skip

UNKNOWN = [
    (r"\arcsinx", 1, r"the macro \arcsinx is not known", r"did you mean \arcsin?"),
    (r"1 + \sqr{2}", 5, r"the macro \sqr is not known", r"did you mean \sqrt?"),
    (r"\frac12 ...", 9, "dots cannot be part of a formula", "written out"),
    ("a + \u2026", 5, "dots cannot be part of a formula", "written out"),
    (r"\theta + \hat\theta", 10, r"\hat\theta occurs with and without an accent", "one letter for each quantity"),
    (r"\mathcal{N}", 1, r"\mathcal{N} is not known", r"\mathbb{1} for the indicator"),
    (r"\mathbb{E}[x]", 1, r"\mathbb{E} is not known", "an expectation is given by its value"),
    (r"\def\x{1}", 1, r"\def cannot be part of a formula", "no definitions, no files"),
    (r"\input{/etc/passwd}", 1, r"\input cannot be part of a formula", "no definitions, no files"),
    (r"x+\newcommand{\a}{b}", 3, r"\newcommand cannot be part of a formula", "no definitions"),
    (r"\def\x{} = 1", 1, r"\def cannot be part of a formula", "no definitions"),
    (r"\write18{ls}", 1, r"\write cannot be part of a formula", "no files"),
    (r"\infty", 1, r"\infty cannot be part of a formula", "infinity only above a sum"),
    (r"\int_0^1 x", 1, r"\int cannot be part of a formula", "the value of the integral"),
    (r"a \pm b", 3, r"\pm cannot be part of a formula", "one formula for each sign"),
    (r"\partial K", 1, r"\partial cannot be part of a formula", "the derivative, written out"),
    (r"\begin{case}", 1, "the environment 'case' is not known", "did you mean cases?"),
    (r"f(x)", 1, "there is no function f", r"f \cdot (...) for a product"),
    (r"K_1(x,x')", 1, "there is no function K_1", "its value, in closed form"),
    (r"\sigma(x+b)", 1, r"there is no function \sigma", "its value, in closed form"),
    (r"\kappa_1(\rho)", 1, r"there is no function \kappa_1", "its value, in closed form"),
    (r"a(x)", 1, "there is no function a", r"a \cdot (...) for a product"),
    (r"\mathrm{Erv}(x)", 1, "there is no function or name 'Erv'", r"did you mean \mathrm{erf}?"),
    (r"\phi+1", 1, r"\phi without brackets after it is a function", r"names={'\\phi': 'a_name'}"),
    (r"x_{a+b}", 5, "an index is made of letters and digits", "q_{11}"),
    (r"x_{}", 1, "the index is empty", "q_{11}"),
]  # fmt: skip

BROKEN = [
    ("", 0, "the formula is empty", r"\frac{x}{2}"),
    ("a=", 0, "the formula is empty", r"\frac{x}{2}"),
    (r"sin(x)", 1, "'sin' in italic letters is a product of 3 names", r"\sin"),
    (r"2 kern", 3, "'kern' is a word, or a product of 4 names", "spaces between the letters"),
    (r"2rho", 2, "'rho' in italic letters is a product of 3 names", r"\rho"),
    (r"^2", 1, "^ cannot stand here", "something before ^"),
    (r"x^2^3", 4, "a second superscript", "{x^a}^b or x^{a^b}"),
    (r"x_1_2", 4, "a second subscript", "braces"),
    (r"\frac{1}", 9, "the formula ends too early", "the argument that the last macro"),
    (r"\sqrt", 6, "the formula ends too early", "the argument"),
    (r"x^(2)", 3, "the argument of a macro, or a script, needs braces", "{...}"),
    (r"x^\frac12", 3, r"\frac as an argument needs braces", "{\\frac...}"),
    (r"(x", 1, "the bracket ( is never closed", "the ) after it"),
    (r"x)", 2, "the bracket ) was never opened", "the ( before it"),
    (r"\left(x\right]", 14, "the bracket ( is closed by the bracket ]", "the ) here"),
    (r"\left.x\right|", 6, r"\left needs a bracket", r"\left( ... \right)"),
    (r"|x", 1, "the bracket | is never closed", "the | after it"),
    (r"\begin{cases}x&x>0", 1, r"\begin{cases} is never closed", r"\end"),
    (r"x & y", 3, "& outside of align and cases", "without &"),
    (r"a \\ b", 3, "the formula has more than one line", "one line"),
    (r"a=b=c", 4, "more than one equals sign", "one equation"),
    (r"=b", 1, "nothing before the equals sign", "the formula alone"),
    (r"x>0", 2, "a condition cannot stand here", r"\mathbb{1}[x>0]"),
    (r"0,5", 2, ", cannot stand here", "a decimal point is ."),
    (r"x+", 2, "the sum ends with a sign", "a term after the sign"),
    (r"\cdot x", 1, r"a factor is missing before \cdot", "a factor there"),
    (r"x\cdot\cdot y", 7, r"a factor is missing after \cdot", "a factor there"),
    (r"()", 1, "nothing between the brackets", "a number"),
    (r"\mathbb{1}", 1, "the indicator of what?", r"\mathbb{1}[x > 0]"),
    (r"\begin{cases}x&y\end{cases}", 16, "a comparison is needed", r"\text{otherwise}"),
    (r"\begin{cases}x\\y\end{cases}", 14, "a line of cases is a value and a condition", "x & x > 0"),
    (r"\begin{cases}x&x=0\\0&x>0\end{cases}", 17, "a condition is an inequality", "x > 0"),
    (r"\begin{matrix}1\end{matrix}", 1, "a matrix is not a number", "cases"),
    (r"\Phi_2(h,k)", 1, r"\Phi_2 takes 3 arguments, not 2", "Phi2(h, k, r)"),
    (r"\operatorname{atan2}(x)", 1, "takes 2 arguments, not 1", "atan2(y, x)"),
    (r"\mathrm{He}(x)", 1, "He needs its order", "He_3(x)"),
    (r"{}_3F_2(a)", 1, "only 2F1 is known", "{}_2F_1(a, b; c; z)"),
    (r"\sin'(x)", 1, "the derivative of a function", "written out"),
    (r"\varphi'(x)", 1, "the derivative of an activation, or of the normal density", r"-z\varphi(z)"),
    (r"x%y", 2, "the character '%' has no place in a formula", "without comments"),
    ("x\x00", 2, "the character U+0000 has no place in a formula", "LaTeX"),
    (r"$x", 3, "$ is never closed", "its end after the formula"),
    (r"x$", 2, "$ after the formula has begun", "one formula"),
    (r"$x$ y", 5, "text after the end of the formula", "one formula"),
    ("x\\", 2, "the text ends with a backslash", "a macro"),
    (r"\text", 1, r"\text needs a word in braces", "erf"),
]  # fmt: skip


def refused(latex: str) -> NtksymError:
    with pytest.raises(NtksymError) as caught:
        read_latex(latex)
    return caught.value


@pytest.mark.parametrize(
    ("latex", "column", "what", "hint"), AMBIGUOUS + BROKEN, ids=[r[0] for r in AMBIGUOUS + BROKEN]
)
def test_refused(latex: str, column: int, what: str, hint: str) -> None:
    error = refused(latex)
    assert isinstance(error, ParseError)
    assert what in error.what
    assert hint in error.hint
    if column:
        line, mark, place = error.where.split("\n")
        assert place == f"column {column}"
        assert mark == " " * (column - 1) + "^"
        assert line.replace("?", "") == latex.replace("\x00", "")


@pytest.mark.parametrize(("latex", "column", "what", "hint"), UNKNOWN, ids=[r[0] for r in UNKNOWN])
def test_unknown(latex: str, column: int, what: str, hint: str) -> None:
    error = refused(latex)
    assert isinstance(error, UnknownName)
    assert what in error.what
    assert hint in error.hint
    assert error.where.endswith(f"column {column}")


@pytest.mark.parametrize(
    ("latex", "what"),
    [
        ("x+" * MAX_CHARS, f"the LaTeX text has {2 * MAX_CHARS} characters"),
        ("x" * 10**7, "the LaTeX text has 10000000 characters"),
        ("{" * 1000 + "x" + "}" * 1000, "nested deeper than 64 levels"),
        ("{" * 10000 + "x" + "}" * 10000, "characters"),
        (r"\sin" * 1000 + " x", "nested deeper than 64 levels"),
        (r"\sqrt{" * 500 + "x" + "}" * 500, "nested deeper than 64 levels"),
        ("x+" * 2000 + "x", "more than 512 parts"),
        ("9" * 500, "a number of 500 digits"),
        ("0." + "0" * 500 + "1", "a number of 503 digits"),
    ],
)
def test_too_large(latex: str, what: str) -> None:
    error = refused(latex)
    assert isinstance(error, TooLarge)
    assert what in error.what


def test_the_message_is_whole() -> None:
    assert refused(r"1/2\pi").text == (
        "1/2 \\pi is ambiguous\n"
        "  1/2\\pi\n"
        "     ^\n"
        "  column 4\n"
        "  use:   \\frac{1}{2} \\pi or \\frac{1}{2 \\pi}"
    )


def test_only_text() -> None:
    with pytest.raises(BadActivation, match="text is needed, not bytes"):
        read_latex(b"x")  # type: ignore[arg-type]
