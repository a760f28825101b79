r"""What letters with indices are read as, and the notes that say so; equations and their frames."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ntksym.errors import NtksymError, UnknownName
from ntksym.latex import Reading, read_equation, read_latex


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\sigma_w^2", "weight_var"),
        (r"\sigma_w^4", "weight_var**2"),
        (r"\sigma^2_{w}", "weight_var"),
        (r"\sigma_w", "sqrt(weight_var)"),
        (r"\sigma_w^{-2}", "weight_var**(-1)"),
        (r"\frac{d-1}{d+2}", "(d - 1)/(d + 2)"),
        (r"\sigma_w^3", "sqrt(weight_var)**3"),
        (r"\sigma_b^2", "bias_var"),
        (r"\sigma_{\mathrm{b}}^2", "bias_var"),
        (r"\sigma_1^2", "q11"),
        (r"\sigma_1\sigma_2", "sqrt(q11)*sqrt(q22)"),
        (r"\sigma_{12}", "q12"),
        (r"\sigma^2", "sigma**2"),
        (r"weight_{var} + bias_{var}", "weight_var + bias_var"),
        (r"sw_{2}\,sb_{2}", "sw2*sb2"),
        (r"weight_{var} \left(q + 1\right)", "weight_var*(q + 1)"),
        (r"\Sigma_{21}", "q12"),
        (r"\Sigma_{1,2}", "q12"),
        (r"K_{x x'}", "q12"),
        (r"K_{x' x'}^2", "q22**2"),
        (r"\rho_{12}", "rho"),
        (r"\theta_{xx'}", "theta"),
        (r"q_{aa}", "q11"),
        (r"q_1", "q1"),
        (r"q^*", "q"),
        (r"\lambda", "lam"),
        (r"\gamma", "gam"),
        (r"\varepsilon", "epsilon"),
        ("\u03c1\u00b7\u03b8", "rho*theta"),
        (r"\alpha_1", "alpha1"),
        (r"a_{\text{in}}", "a_in"),
        (r"\mathbf{x}^\top\mathbf{x}'", "q12"),
        (r"{\bf x}^\top{\bf x}'/\|{\bf x}\|", "q12/sqrt(q11)"),
        (r"\frac{{\bf x}^\top {\bf y}}{2} + {\bf q}_{12}", "q12/2 + q12"),
        (r"\vec{x}\cdot\vec{x}\,'", "q12"),
        (r"x_1^\top x_2", "q12"),
        (r"x^{\mathsf T}y", "q12"),
        (r"\|x\|^2\|y\|^2", "q11*q22"),
        (r"\|x\|\,\|x'\|", "sqrt(q11)*sqrt(q22)"),
        (r"\left\|x-x'\right\|^4", "(q11 - 2*q12 + q22)**2"),
        (r"\|x\|\,\|x\prime\| + x^\top x\prime", "sqrt(q11)*sqrt(q22) + q12"),
        (r"K(x, x\prime)^2", "q12**2"),
        (r"|x|\,|x\prime|", "sqrt(q11)*sqrt(q22)"),
        (r"\|x+y\|^2", "q11 + 2*q12 + q22"),
        (r"\langle x,x\rangle", "q11"),
        (r"\mathbf{x}\cdot\mathbf{y}", "q12"),
        (r"\tilde{x}^T\Sigma\tilde{x}'", "q12"),
        (r"x_\alpha^\top x_\beta", "q12"),
        (r"\Sigma_{ij}\Sigma_{ii} + K_{\alpha\beta} K_{\beta\beta}", "q12*q11 + q12*q22"),
        (r"\rho_{ij}\theta_{\mu\nu}", "rho*theta"),
        (r"\Sigma^{(\ell)}(x,x')", "q12"),
        (r"K^{l-1}(x,x)\,K^{l-1}(x',x')", "q11*q22"),
        (r"K^{0}(x,x')^2", "q12**2"),
        (r"q^{l-1}_{12}\cos\theta^{(l-1)}_{x,x'}", "q12*cos(theta)"),
        (r"\angle(x,x')", "theta"),
        (r"\hat\theta\bar{a}", "theta*a"),
        (r"\cos\theta\,\sigma_1", "cos(theta)*sqrt(q11)"),
        (r"\det\Sigma", "q11*q22 - q12**2"),
        (r"\sqrt{\det(I+2\Sigma)}", "sqrt((1 + 2*q11)*(1 + 2*q22) - (2*q12)**2)"),
        (r"\det\left(a^2\mathbf{I} - \Lambda\right)^{-1/2}", "((a**2 - q11)*(a**2 - q22) - (-q12)**2)**(-1/2)"),
        (r"\cos\varphi, \quad\text{where }\varphi = \arccos c.", "cos(acos(c))"),
        (r"\[ K = \frac{a}{b}, \text{ where } a = 2b \text{ and } b = \sqrt{q_{11}}. \]", "(2*sqrt(q11))/sqrt(q11)"),
        (r"|x||x'|^2", "sqrt(q11)*q22"),
        (r"e^{-|x-x'|^2/2}|\rho|^2", "exp(-(q11 - 2*q12 + q22)/2)*abs(rho)**2"),
        (r"|x|^2", "abs(x)**2"),
        (r"(\mathbf{x}-\mathbf{x}')^\top(\mathbf{x}-\mathbf{x}')", "q11 - 2*q12 + q22"),
        (r"\frac{\cos t}{2},\qquad t = \arccos \frac{c}{2}", "cos(acos(c/2))/2"),
        (r"\begin{split} K ={}& a \\ &+ b \\ &\times 2 \end{split}", "a + b*2"),
        (r"ab", "a*b"),
        (r"a(x)_+ - b[-x]_+", "a*max(x, 0) - b*max(-x, 0)"),
        (r"\frac{x}{a}2^{n}", "x/a*2**n"),
        (r"a(b+c)", "a*(b + c)"),
        (r"2\pi(a+b)", "2*pi*(a + b)"),
        (r"a/b", "a/b"),
        (r"a/b\cdot c", "a/b*c"),
        (r"(a/b)/c", "a/b/c"),
        (r"a-(b-c)", "a - (b - c)"),
        (r"-x^2", "-x**2"),
        (r"(-x)^2", "(-x)**2"),
        (r"2^{-x}", "2**(-x)"),
        (r"{a^b}^c", "(a**b)**c"),
        (r"a^{b^c}", "a**(b**c)"),
        (r"\sin x^2", "sin(x**2)"),
        (r"\sin(x)^2", "sin(x)**2"),
        (r"\sin^2x", "sin(x)**2"),
        (r"\sin 2\theta", "sin(2*theta)"),
        (r"\sin\theta\cos\theta", "sin(theta)*cos(theta)"),
        (r"\log\cosh x", "log(cosh(x))"),
        (r"\sinh^{-1}x", "asinh(x)"),
        (r"e^{x}+e", "exp(x) + E"),
        (r"n!", "factorial(n)"),
        (r"2n!", "2*factorial(n)"),
        (r"\frac12", "1/2"),
        (r"\frac1{2}", "1/2"),
        (r"\frac{1}2", "1/2"),
        (r"\frac\pi2", "pi/2"),
        (r".5+0.25", "0.5 + 0.25"),
        (r"\sec x", "1/cos(x)"),
        (r"\mathbb{1}[a<x<b]", "piecewise((1, a < x < b), (0, True))"),
        (r"\mathbb{1}[0<x]", "heaviside(x, 0)"),
        (r"\begin{cases}1&x>0\\0&x<0\end{cases}", "piecewise((1, x > 0), (0, True))"),
        (r"\begin{cases}1&|x|>1 \text{ and } x<3\\0&\text{else}\end{cases}", "piecewise((1, (abs(x) > 1) and (x < 3)), (0, True))"),
    ],
)  # fmt: skip
def test_read_as(latex: str, text: str) -> None:
    assert read_latex(latex).text == text


@pytest.mark.parametrize(
    ("latex", "note"),
    [
        (r"\sigma_w^2", r"\sigma_w is a standard deviation: \sigma_w^2 is weight_var"),
        (r"\sigma_1\rho", r"\sigma_1 is a standard deviation: \sigma_1^2 is q11"),
        (r"\Sigma_{12}^2", r"\Sigma_{12} is read as q12"),
        (r"\|x\|", "norms and inner products of inputs are read as the covariance: |x|^2 = q11, x.x' = q12"),
        (r"e^x", "e is Euler's number"),
        (r"\varphi(x)", r"\varphi is the standard normal density"),
        (r"\arcsin^2 x+\sin^{-1}x", r"\sin^{-1} is the inverse function, asin"),
        (r"a(b+c)", "a(...) is read as a product"),
        (r"\sin x^2", r"\sin x^2: the function of the power"),
        (r"\sin(x)^2", r"\sin(x)^2: the power is of the value of the function"),
        (r"\cos 2\theta", r"\cos 2\theta: the function of the product"),
        (r"(x)_+", "(x)_+ is the positive part, max(., 0)"),
        (r"T(h,a)", "T(h, a) is Owen's T function"),
        (r"H(x)", "H(.) is the step function, 1/2 at 0"),
        (r"\gamma", r"\gamma is read as gam, for gamma is the gamma function"),
        (r"n!", "n! is the factorial"),
        (r"5!!", "5!! is the double factorial n (n - 2) (n - 4) ..."),
        (r"(2k-1)!!", "(2k-1)!! is the product of the odd numbers, 2^k gamma(k + 1/2)/sqrt(pi)"),
        (r"a/b\cdot c", r"a/b\cdot c is read from left to right"),
        (r"K(\rho)=\rho", r"the right-hand side of K(\rho) = ... is read"),
        (r"q^*", "q^* is read as q"),
        (r"\Sigma^{(l)}(x,x')", r"\Sigma^{(l)}(x,x') is read as q12"),
        (r"\rho^{(l)}", "the superscript l is the number of a layer"),
        (r"\cos\theta\,\sigma_1", r"\cos\theta: the function of the angle alone"),
        (r"\hat\theta", r"\hat\theta is read without its accent"),
        (r"\det\Sigma", r"\det\Sigma: Sigma = [[q11, q12], [q12, q22]]"),
    ],
)  # fmt: skip
def test_notes(latex: str, note: str) -> None:
    assert note in read_latex(latex).notes


def test_an_accent_is_noted_once() -> None:
    text = r"\frac{\tilde x^\top\Sigma\tilde x'}{\tilde x^\top\Sigma\tilde x}"
    said = [note for note in read_latex(text).notes if "accent" in note]
    assert said == [r"\tilde x is read without its accent"]


def test_nothing_to_say_about_a_plain_formula() -> None:
    assert read_latex(r"\frac{1}{2\pi}\sqrt{q_{11}}") == Reading("1/(2*pi)*sqrt(q11)", ())


@pytest.mark.parametrize(
    "latex",
    [
        r"$x+1$",
        r"$$x+1$$",
        r"\[x+1\]",
        r"\(x+1\)",
        r"\begin{equation}\label{eq:one} x+1 \end{equation}",
        r"\begin{equation*} x+1, \end{equation*}",
        "\\begin{align}\n  x+1 \\nonumber \\\\\n\\end{align}",
        r"\[\begin{aligned} x+1 \end{aligned}\]",
        r"\displaystyle x + 1.",
        r"x\,+\;1\quad;",
        r"$x+1$.",
        r"x~+~1 \tag{3}",
        r"\left( x+1 \right)",
        r"\Bigl(x+1\Bigr)",
        r"{x+1}",
    ],
)  # fmt: skip
def test_frames(latex: str) -> None:
    assert read_latex(latex).text == "x + 1"


@pytest.mark.parametrize(
    ("latex", "left", "text"),
    [
        (r"K(\rho) = \rho", r"K(\rho)", "rho"),
        (r"\mathbb{E}[\sigma(u)\sigma(v)] = q_{12}", r"\mathbb{E}[\sigma(u)\sigma(v)]", "q12"),
        (r"$\Theta^{(1)}(x,x') := q_{12}$", r"\Theta^{(1)}(x,x')", "q12"),
        (r"\begin{align} \dot\Sigma(x,x') &= \frac12 \end{align}", r"\dot\Sigma(x,x')", "1/2"),
        (r"\begin{equation}\label{a=b} k = 1 \end{equation}", "k", "1"),
        (r"\sigma(x) \coloneqq \max(x, 0)", r"\sigma(x)", "max(x, 0)"),
        (r"q_{12}", None, "q12"),
        (r"\begin{cases} 1 & x>0 \\ 0 & x \le 0 \end{cases}", None, "piecewise((1, x > 0), (0, True))"),
    ],
)  # fmt: skip
def test_equations(latex: str, left: str | None, text: str) -> None:
    found, reading = read_equation(latex)
    assert (found, reading.text) == (left, text)
    assert read_latex(latex).text == text


@pytest.mark.parametrize(
    ("names", "latex", "text"),
    [
        ({r"\tau": "q"}, r"\tau^2", "q**2"),
        ({"tau": "q"}, r"\tau^2", "q**2"),
        ({"C_{11}": "q11", "C_{12}": "q12"}, r"C_{11}C_{1 2}", "q11*q12"),
        ({r"\sigma_w": "weight"}, r"\sigma_w^2", "weight**2"),
        ({r"\sigma_{\mathrm{w}}": "weight"}, r"\sigma_{w}", "weight"),
        ({r"\phi": "angle"}, r"\cos\phi", "cos(angle)"),
        ({"i": "j"}, "i x", "j*x"),
        ({"e": "eps"}, "e^2", "eps**2"),
        ({"E": "energy"}, "E", "energy"),
        ({"K": "q12"}, r"K(1-\rho)", "q12*(1 - rho)"),
        ({"c_{12}": "rho"}, "c_{12}", "rho"),
        ({r"\gamma": "g"}, r"2\gamma", "2*g"),
        ({"kern": "q12"}, "2 kern", "2*q12"),
        ({"s'": "t"}, "s'", "t"),
    ],
)  # fmt: skip
def test_names_of_the_source(names: dict[str, str], latex: str, text: str) -> None:
    assert read_latex(latex, names=names).text == text


def test_a_name_must_be_a_name() -> None:
    with pytest.raises(UnknownName, match="is not a name"):
        read_latex("x", names={"x": "1 + x"})


def test_places_are_those_of_the_source() -> None:
    with pytest.raises(NtksymError) as caught:
        read_latex("K =\n  \\frac{1}{2} \\foo")
    assert caught.value.where == "  \\frac{1}{2} \\foo\n              ^\nline 2, column 15"


def test_the_import_is_light() -> None:
    code = "import ntksym.latex, sys; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
