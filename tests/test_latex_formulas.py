r"""Formulas as the papers print them, against the same formulas in the language.

Both are enclosed at rational points by ball arithmetic, so that a wrong reading (a lost factor, a
misplaced square root) cannot agree by the way it is written.
"""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational

from ntksym.language import parse
from ntksym.latex import read_latex
from ntksym.verify.balls import enclose_expr

VARIABLES = ("x", "q11", "q12", "q22", "q", "m", "m1", "m2", "weight_var", "bias_var")
POINTS = (
    dict(q11="1", q12="2/5", q22="1", q1="1", q2="1", c="2/5", rho="2/5", theta="9/8", q="1", x="3/4"),
    dict(q11="7/10", q12="-1/2", q22="19/10", q1="7/10", q2="19/10", c="-1/2", rho="-3/7", theta="2", q="3/2", x="-5/4"),
    dict(q11="23/10", q12="9/10", q22="3/5", q1="23/10", q2="3/5", c="9/10", rho="3/4", theta="5/7", q="1/3", x="1/3"),
)  # fmt: skip
OTHERS = dict(
    weight_var="9/5", bias_var="1/7", m="2/7", h="1/3", k="-2/5", r="1/4", a="3/2", b="4/5", g="2/3",
    alpha="5/3", beta="6/5", lam="1/2", s="7/5", p="5/2", n="3", m1="1/5", m2="-3/8", tau="6/7",
    C11="6/5", C12="1/3", C13="-1/4", C23="1/2", C33="8/7", s0="1/3", s1="2/3", s2="5/4", gam="3/7",
    b1="1/3", b2="1/5", r1="2/3", r2="3/4", t="1/6", z="1/5", mu="2/5", phase="1/9", sigma="7/9",
    X1="2/5", X2="-3/5", ell="4/3", scale="5/6",
)  # fmt: skip

ARC_COSINE = [
    (r"\frac{\sqrt{q_1 q_2}}{2\pi}\left(\rho\arccos(-\rho)+\sqrt{1-\rho^2}\right)", "sqrt(q1*q2)/(2*pi)*(rho*acos(-rho) + sqrt(1 - rho**2))"),
    (r"$\frac{1}{2\pi} \sqrt{q_{11}q_{22}} \left( \sin\theta + (\pi-\theta)\cos\theta \right)$", "sqrt(q11*q22)/(2*pi)*(sin(theta) + (pi - theta)*cos(theta))"),
    (r"K(x,x') = \frac{1}{2\pi}\|x\|\|x'\|\bigl(\sin\theta+(\pi-\theta)\cos\theta\bigr).", "sqrt(q11*q22)/(2*pi)*(sin(theta) + (pi - theta)*cos(theta))"),
    (r"\[ \frac{1}{\pi}\lVert x\rVert \lVert y\rVert\Big(\sin \theta+(\pi-\theta)\cos \theta\Big) \]", "sqrt(q11*q22)/pi*(sin(theta) + (pi - theta)*cos(theta))"),
    (r"\frac{1}{\pi}\lVert\mathbf{x}\rVert^n\lVert\mathbf{y}\rVert^n(\pi-\theta)", "q11**(n/2)*q22**(n/2)/pi*(pi - theta)"),
    (r"k_1(\mathbf{x},\mathbf{y}) = \frac{1}{\pi}\|\mathbf{x}\|\|\mathbf{y}\| J_1(\theta), \quad J_1(\theta) = \sin\theta+(\pi-\theta)\cos\theta", "sqrt(q11*q22)/pi*(sin(theta) + (pi - theta)*cos(theta))"),
    (r"J(\rho) + J(2b)^2, \text{where } J(t) = t^2 + g(t, a),\ g(u, v) = u/v,\ a = 3b", "rho**2 + rho/(3*b) + ((2*b)**2 + 2/3)**2"),
    (r"\cos\theta(x, x') + \theta, \text{ where } \theta(x, x') = \arccos(x^\top x')", "q12 + acos(q12)"),
    (r"K^{l-1}(x,x) + \cos\theta^{l-1}_{x,x'}, \quad \theta^l_{x,x'} = \cos^{-1}\left(\frac{K^l(x,x')}{\sqrt{K^l(x,x)K^l(x',x')}}\right)", "q11 + q12/sqrt(q11*q22)"),
    (r"\tilde{\mathbf{x}}^\top\Sigma\tilde{\mathbf x}'", "q12"),
    (r"\hat{\boldsymbol{x}}\cdot\hat{\boldsymbol{y}} + \|\hat{\boldsymbol{x}}\|^2", "q12 + q11"),
    (r"1-\frac{\theta}{\pi}", "1 - theta/pi"),
    (r"\frac{\pi-\arccos\rho}{2\pi}", "(pi - acos(rho))/(2*pi)"),
    (r"\frac12-\frac{1}{2\pi}\cos^{-1}\rho", "1/2 - acos(rho)/(2*pi)"),
    (r"\frac12-\frac{\cos^{-1}(\rho)}{2\pi}", "1/2 - acos(rho)/(2*pi)"),
    (r"\tfrac{1}{4}+\tfrac{1}{2\pi}\arcsin\rho", "1/4 + asin(rho)/(2*pi)"),
    (r"\frac14 + \frac{\sin^{-1}\rho}{2\pi}", "1/4 + asin(rho)/(2*pi)"),
    (r"3\sin\theta\cos\theta+(\pi-\theta)(1+2\cos^2\theta)", "3*sin(theta)*cos(theta) + (pi - theta)*(1 + 2*cos(theta)**2)"),
    (r"\frac{q_1q_2}{\pi}\left[3\rho\sqrt{1-\rho^2}+(\pi-\arccos\rho)(1+2\rho^2)\right]", "q1*q2/pi*(3*sqrt(1 - rho**2)*rho + (pi - acos(rho))*(1 + 2*rho**2))"),
    (r"\frac{\|x\|^2\|x'\|^2}{\pi}\left(3\sin\theta\cos\theta+(\pi-\theta)\left(1+2\cos^{2}\theta\right)\right)", "q11*q22/pi*(3*sin(theta)*cos(theta) + (pi - theta)*(1 + 2*cos(theta)**2))"),
    (r"\frac{2}{\pi}\sqrt{q_1q_2}\left(\rho\arcsin\rho+\sqrt{1-\rho^2}\right)", "2/pi*sqrt(q1*q2)*(rho*asin(rho) + sqrt(1 - rho**2))"),
    (r"\frac{2}{\pi}\sqrt{q_1q_2}\left(\rho\left(\arccos(-\rho)-\tfrac{\pi}{2}\right)+\sqrt{1-\rho^2}\right)", "2/pi*sqrt(q1*q2)*(rho*(acos(-rho) - pi/2) + sqrt(1 - rho**2))"),
    (r"\kappa_1(\rho) = \frac{1}{\pi}\left(\rho(\pi-\arccos(\rho))+\sqrt{1-\rho^2}\right)", "(rho*(pi - acos(rho)) + sqrt(1 - rho**2))/pi"),
    (r"\kappa_0(u):=\frac{1}{\pi}(\pi-\arccos(\rho))", "(pi - acos(rho))/pi"),
    (r"\frac{\sqrt{1-\rho^{2}}+\left(\pi-\cos^{-1}\rho\right)\rho}{\pi}", "(sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi"),
    (r"\frac{\sqrt{q_{11}q_{22}-q_{12}^2}+(\pi-\arccos\rho)\,q_{12}}{2\pi}", "(sqrt(q11*q22 - q12**2) + (pi - acos(rho))*q12)/(2*pi)"),
    (r"\frac{1}{4\pi}\left(2\sqrt{q_1q_2-c^2}+\pi c+2c\arctan\frac{c}{\sqrt{q_1q_2-c^2}}\right)", "(2*sqrt(q1*q2 - c**2) + pi*c + 2*c*atan(c/sqrt(q1*q2 - c**2)))/(4*pi)"),
    (r"\frac{1}{2\pi}\sqrt{q_1q_2-c^2}+c\left(\frac14+\frac{1}{2\pi}\tan^{-1}\frac{c}{\sqrt{q_1q_2-c^2}}\right)", "(2*sqrt(q1*q2 - c**2) + pi*c + 2*c*atan(c/sqrt(q1*q2 - c**2)))/(4*pi)"),
    (r"\sqrt{q_1q_2}\left(2\left(\frac{\pi-\arccos\rho}{\pi}\rho+\frac{\sqrt{1-\rho^2}}{\pi}\right)-\rho\right)", "sqrt(q1*q2)*(2*((pi - acos(rho))/pi*rho + sqrt(1 - rho**2)/pi) - rho)"),
    (r"\frac{\sqrt{q_1q_2}\,(\arccos(-\rho)\rho+\sqrt{1-\rho^2}-1)}{2\pi}", "sqrt(q1*q2)*(acos(-rho)*rho + sqrt(1 - rho**2) - 1)/(2*pi)"),
    (r"\sqrt{q_1q_2}\left(\frac{(1-a)^2}{2\pi}\left(\sqrt{1-\rho^2}+(\pi-\arccos\rho)\rho\right)+a\rho\right)", "sqrt(q1*q2)*((1 - a)**2/(2*pi)*(sqrt(1 - rho**2) + (pi - acos(rho))*rho) + a*rho)"),
    (r"\frac{(a-b)^2}{2\pi}\sqrt{q_1q_2-c^2}+c\left(\frac{a^2+b^2}{2}-\frac{(a-b)^2}{2\pi}\operatorname{atan2}\left(\sqrt{q_1q_2-c^2},\,c\right)\right)", "(a - b)**2/(2*pi)*sqrt(q1*q2 - c**2) + c*((a**2 + b**2)/2 - (a - b)**2/(2*pi)*atan2(sqrt(q1*q2 - c**2), c))"),
    (r"\sigma_b^2+\frac{\sigma_w^2}{2\pi}\sqrt{\Sigma_{11}\Sigma_{22}}\,\bigl(\sin\theta+(\pi-\theta)\cos\theta\bigr)", "bias_var + weight_var/(2*pi)*sqrt(q11*q22)*(sin(theta) + (pi - theta)*cos(theta))"),
    (r"\sigma_b^2+\frac{\sigma_w^2}{2\pi}\sqrt{K_{xx}K_{x'x'}}\left(\sin\theta_{xx'}+(\pi-\theta_{xx'})\cos\theta_{xx'}\right)", "bias_var + weight_var/(2*pi)*sqrt(q11*q22)*(sin(theta) + (pi - theta)*cos(theta))"),
    (r"\frac{\sigma_w^4}{4}q_{12}+\sigma_b", "weight_var**2/4*q12 + sqrt(bias_var)"),
    (r"\frac{2}{\pi\sqrt{q_1q_2-c^2}}", "2/(pi*sqrt(q1*q2 - c**2))"),
    (r"\frac{1}{2\pi\sqrt{\Sigma_{11}\Sigma_{22}-\Sigma_{12}^2}}", "1/(2*pi*sqrt(q11*q22 - q12**2))"),
    (r"\frac{x^\top x'}{2\pi}(\pi-\theta)", "q12*(pi - theta)/(2*pi)"),
    (r"\frac{\langle x,x'\rangle\,(\pi-\theta)}{2\pi}", "q12*(pi - theta)/(2*pi)"),
    (r"\frac{x\cdot x'}{2\pi}\left(\pi-\arccos\frac{x\cdot x'}{\|x\|\|x'\|}\right)", "q12/(2*pi)*(pi - acos(q12/sqrt(q11*q22)))"),
    (r"\sigma_1\sigma_2\frac{\sqrt{1-\rho^2}+(\pi-\arccos\rho)\rho}{2\pi}", "sqrt(q11*q22)*(sqrt(1 - rho**2) + (pi - acos(rho))*rho)/(2*pi)"),
    (r"\frac{2\sqrt{q_1q_2}}{\pi}(\sqrt{1-\rho^2}+(\pi-\arccos(\rho))\rho)", "2*sqrt(q1*q2)/pi*(sqrt(1 - rho**2) + (pi - acos(rho))*rho)"),
    (r"1-t+\frac{2\sqrt2}{3\pi}t^{3/2}", "1 - t + 2*sqrt(2)/(3*pi)*t**(3/2)"),
    (r"\frac{\rho(\pi-\arccos\rho)}{\pi}+\frac{\sqrt{1-\rho^2}+(\pi-\arccos\rho)\rho}{\pi}", "rho*(pi - acos(rho))/pi + (sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi"),
    (r"\frac{C_{12}\sqrt{C_{11}C_{33}-C_{13}^2}}{2\pi C_{11}}+\frac{C_{23}}{2\pi}\sin^{-1}\left(\frac{C_{13}}{\sqrt{C_{11}C_{33}}}\right)+\frac14 C_{23}", "C12*sqrt(C11*C33 - C13**2)/(2*pi*C11) + C23/(2*pi)*asin(C13/sqrt(C11*C33)) + C23/4"),
]  # fmt: skip

ARC_SINE = [
    (r"\frac{2}{\pi}\arcsin\rho", "2/pi*asin(rho)"),
    (r"\frac2\pi\sin^{-1}(\rho)", "2/pi*asin(rho)"),
    (r"1-\frac{2}{\pi}\arccos\rho", "1 - 2/pi*acos(rho)"),
    (r"\frac{2}{\pi}\arcsin\frac{2q_{12}}{\sqrt{(1+2q_{11})(1+2q_{22})}}", "2/pi*asin(2*q12/sqrt((1 + 2*q11)*(1 + 2*q22)))"),
    (r"\frac{2}{\pi}\sin^{-1}\left(\frac{2\Sigma_{12}}{\sqrt{(1+2\Sigma_{11})(1+2\Sigma_{22})}}\right)", "2/pi*asin(2*q12/sqrt((1 + 2*q11)*(1 + 2*q22)))"),
    (r"\frac{2}{\pi}\sin^{-1}\frac{2\,x^{T}\,x'}{\sqrt{(1+2\,x^{T}x)(1+2\,x'^{T}x')}}", "2/pi*asin(2*q12/sqrt((1 + 2*q11)*(1 + 2*q22)))"),
    (r"\frac{2}{\pi}\arcsin\left(\frac{c}{\sqrt{1+q_1}\sqrt{1+q_2}}\right)", "2/pi*asin(c/(sqrt(1 + q1)*sqrt(1 + q2)))"),
    (r"\frac{2}{\pi}\,\mathrm{arcsin}\!\left(\frac{c}{\sqrt{(q_1+1)(q_2+1)}}\right)", "2/pi*asin(c/sqrt((q1 + 1)*(q2 + 1)))"),
    (r"\frac{4}{\pi}\left((1+2q_1)(1+2q_2)-4c^2\right)^{-1/2}", "4/pi*((1 + 2*q1)*(1 + 2*q2) - 4*c**2)**(-1/2)"),
    (r"\frac{4}{\pi}\frac{1}{\sqrt{(1+2q_1)(1+2q_2)-(2c)^2}}", "4/pi/sqrt((1 + 2*q1)*(1 + 2*q2) - (2*c)**2)"),
    (r"\frac{4}{\pi\sqrt{(1+2q_1)(1+2q_2)-4c^2}}", "4/pi/sqrt((1 + 2*q1)*(1 + 2*q2) - 4*c**2)"),
    (r"\frac{2a^2}{\pi}\arctan\frac{2b^2c}{\sqrt{(1+2b^2q_1)(1+2b^2q_2)-4b^4c^2}}", "a**2*2/pi*atan2(2*b**2*c, sqrt((1 + 2*b**2*q1)*(1 + 2*b**2*q2) - 4*b**4*c**2))"),
    (r"\frac{2}{\pi}\left(1+q_1+q_2+q_1q_2-c^2\right)^{-\frac{1}{2}}", "2/pi*(1 + q1 + q2 + q1*q2 - c**2)**(-1/2)"),
    (r"\frac{2}{\pi}\frac{1}{\sqrt{(1+C_{11})(1+C_{33})-C_{13}^2}}\frac{C_{23}(1+C_{11})-C_{12}C_{13}}{1+C_{11}}", "2/pi/sqrt((1 + C11)*(1 + C33) - C13**2)*(C23*(1 + C11) - C12*C13)/(1 + C11)"),
    (r"\frac14+\frac{1}{2\pi}\arcsin\frac{\rho}{2}", "1/4 + asin(rho/2)/(2*pi)"),
    (r"1-\frac1\pi\cos^{-1}\frac{c}{\sqrt{(q_1+s^2)(q_2+s^2)}}", "1 - acos(c/sqrt((q1 + s**2)*(q2 + s**2)))/pi"),
    (r"\arcsin\left(\frac{2c}{\sqrt{(1+2q_1)(1+2q_2)}}\right)", "asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))"),
    (r"\frac{2}{\pi}\arcsin\left(\frac{\tfrac{\pi}{2}c}{\sqrt{(1+\tfrac\pi2q_1)(1+\tfrac\pi2q_2)}}\right)", "2/pi*asin(pi/2*c/sqrt((1 + pi/2*q1)*(1 + pi/2*q2)))"),
    (r"-\frac{4c^3}{\sqrt{\pi}\,(1+2q_1)^{3/2}}", "-4*c**3/(sqrt(pi)*(1 + 2*q1)**(3/2))"),
]  # fmt: skip

GELU = [
    (r"x\Phi(x)", "x*Phi(x)"),
    (r"\frac{x}{2}\left(1+\operatorname{erf}\left(\frac{x}{\sqrt{2}}\right)\right)", "x*(1 + erf(x/sqrt(2)))/2"),
    (r"\frac12x\left[1+\mathrm{erf}(x/\sqrt2)\right]", "x*(1 + erf(x/sqrt(2)))/2"),
    (r"0.5x\left(1+\tanh\left[\sqrt{2/\pi}\left(x+0.044715x^3\right)\right]\right)", "x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))"),
    (r"\frac{c}{4}+\frac{1}{2\pi}\left(\frac{c^2+q_1q_2((1+q_1)(1+q_2)-c^2)}{(1+q_1)(1+q_2)\sqrt{(1+q_1)(1+q_2)-c^2}}+c\arctan\frac{c}{\sqrt{(1+q_1)(1+q_2)-c^2}}\right)", "((c**2 + q1*q2*((1+q1)*(1+q2) - c**2))/((1+q1)*(1+q2)*sqrt((1+q1)*(1+q2) - c**2)) + c*atan2(c, sqrt((1+q1)*(1+q2) - c**2)))/(2*pi) + c/4"),
    (r"c\left(\frac14+\frac{1}{2\pi}\arcsin\frac{c}{\sqrt{(1+q_1)(1+q_2)}}\right)+\frac{q_1q_2+c^2\left(1-\frac{q_1}{1+q_1}-\frac{q_2}{1+q_2}\right)}{2\pi\sqrt{(1+q_1)(1+q_2)-c^2}}", "c*(1/4 + asin(c/sqrt((1 + q1)*(1 + q2)))/(2*pi)) + (q1*q2 + c**2*(1 - q1/(1 + q1) - q2/(1 + q2)))/(2*pi*sqrt((1 + q1)*(1 + q2) - c**2))"),
    (r"q\left(\frac14+\frac1\pi\left(\frac{q}{(q+1)\sqrt{1+2q}}+\frac12\arctan\frac{q}{\sqrt{1+2q}}\right)\right)", "q*(1/4 + (q/((q + 1)*sqrt(1 + 2*q)) + atan2(q, sqrt(1 + 2*q))/2)/pi)"),
    (r"\frac{\sigma_1^2\sigma_2^2}{2\pi}\left(\frac{\rho^2+1+\sigma_1^2+\sigma_2^2+\sigma_1^2\sigma_2^2(1-\rho^2)}{(1+\sigma_1^2)(1+\sigma_2^2)\sqrt{1+\sigma_1^2+\sigma_2^2+\sigma_1^2\sigma_2^2(1-\rho^2)}}\right)+\frac{\rho\sigma_1\sigma_2}{4}", "q11*q22/(2*pi)*(rho**2 + 1 + q11 + q22 + q11*q22*(1 - rho**2))/((1 + q11)*(1 + q22)*sqrt(1 + q11 + q22 + q11*q22*(1 - rho**2))) + rho*sqrt(q11*q22)/4"),
    (r"m\,\Phi\!\left(\frac{m}{\sqrt{1+q}}\right)+\frac{q}{\sqrt{1+q}}\,\varphi\!\left(\frac{m}{\sqrt{1+q}}\right)", "m*Phi(m/sqrt(1 + q)) + q/sqrt(1 + q)*phi(m/sqrt(1 + q))"),
    (r"\frac13+\frac{1}{2\sqrt3\pi}", "1/3 + 1/(2*sqrt(3)*pi)"),
    (r"m\Phi(m/\sqrt{q})+\sqrt{q}\,\phi(m/\sqrt{q})", "m*Phi(m/sqrt(q)) + sqrt(q)*phi(m/sqrt(q))"),
    (r"(m^2+q)\,\Phi\Big(\frac{m}{\sqrt q}\Big)+m\sqrt q\,\phi\Big(\frac{m}{\sqrt q}\Big)", "(m**2 + q)*Phi(m/sqrt(q)) + m*sqrt(q)*phi(m/sqrt(q))"),
    (r"(m^3+3mq)\Phi\left(\tfrac{m}{\sqrt{q}}\right)+(m^2\sqrt{q}+2q^{3/2})\varphi\left(\tfrac{m}{\sqrt{q}}\right)", "(m**3 + 3*m*q)*Phi(m/sqrt(q)) + (m**2*sqrt(q) + 2*q**(3/2))*phi(m/sqrt(q))"),
    (r"\frac{e^{-m^2/2}}{\sqrt{2\pi}}+m\Phi(m)", "exp(-m**2/2)/sqrt(2*pi) + m*Phi(m)"),
    (r"q\operatorname{erf}\left(\frac{a}{\sqrt{2q}}\right)-a\sqrt{\frac{2q}{\pi}}\,e^{-\frac{a^2}{2q}}+a^2\left(1-\operatorname{erf}\left(\frac{a}{\sqrt{2q}}\right)\right)", "q*erf(a/sqrt(2*q)) - a*sqrt(2*q/pi)*exp(-a**2/(2*q)) + a**2*(1 - erf(a/sqrt(2*q)))"),
    (r"a^2\,\mathrm{erfc}\left(\frac{a}{\sqrt{2q}}\right)", "a**2*(1 - erf(a/sqrt(2*q)))"),
    (r"c\,\text{erf}\left(a/\sqrt{2q_2}\right)", "c*erf(a/sqrt(2*q2))"),
    (r"\Phi(m)^2-\Phi^2(m)+\varphi^2(m)", "phi(m)**2"),
]  # fmt: skip

PHI2 = [
    (r"\Phi_2(h,k;r)", "Phi2(h, k, r)"),
    (r"\Phi_{2}\left(\frac{a}{\sqrt{q_1}},\frac{b}{\sqrt{q_2}};\rho\right)", "Phi2(a/sqrt(q1), b/sqrt(q2), rho)"),
    (r"\Phi_\rho\left(\frac{a}{\sqrt{q_1}},\frac{b}{\sqrt{q_2}}\right)", "Phi2(a/sqrt(q1), b/sqrt(q2), rho)"),
    (r"\frac{\pi-\arccos\rho}{2\pi}+2e^{q_1/2}\,\Phi_2\left(-\sqrt{q_1},\sqrt{q_1}\rho;-\rho\right)+e^{q_1+c}\,\Phi_2\left(-\sqrt{q_1}(1+\rho),-\sqrt{q_1}(1+\rho);\rho\right)", "(pi - acos(rho))/(2*pi) + 2*exp(q1/2)*Phi2(-sqrt(q1), sqrt(q1)*rho, -rho) + exp(q1 + c)*Phi2(-sqrt(q1)*(1 + rho), -sqrt(q1)*(1 + rho), rho)"),
    (r"\Phi_2\left(\frac{b_1}{\sqrt{1+r_1^2}},\frac{b_2}{\sqrt{1+r_2^2}};\frac{\rho r_1r_2}{\sqrt{(1+r_1^2)(1+r_2^2)}}\right)", "Phi2(b1/sqrt(1 + r1**2), b2/sqrt(1 + r2**2), rho*r1*r2/sqrt((1 + r1**2)*(1 + r2**2)))"),
    (r"\frac12\Phi(h)-T(h,a)", "Phi(h)/2 - OwenT(h, a)"),
    (r"\operatorname{OwenT}(h, a)", "OwenT(h, a)"),
    (r"\frac{\exp\left(-\frac{h^2-2rhk+k^2}{2(1-r^2)}\right)}{2\pi\sqrt{1-r^2}}", "exp(-(h**2 - 2*r*h*k + k**2)/(2*(1 - r**2)))/(2*pi*sqrt(1 - r**2))"),
    (r"\alpha^2e^{\frac{q_{11}+2q_{12}+q_{22}}{2}}\Phi_2\left(-\frac{q_{11}+q_{12}}{\sqrt{q_{11}}},-\frac{q_{12}+q_{22}}{\sqrt{q_{22}}};\frac{q_{12}}{\sqrt{q_{11}q_{22}}}\right)", "alpha**2*exp((q11 + 2*q12 + q22)/2)*Phi2(-(q11 + q12)/sqrt(q11), -(q12 + q22)/sqrt(q22), q12/sqrt(q11*q22))"),
]  # fmt: skip

EXPONENTIAL = [
    (r"e^{-\frac{q_1+q_2}{2}}\cosh c", "exp(-(q1 + q2)/2)*cosh(c)"),
    (r"\exp\left(-\tfrac12(q_1+q_2)\right)\sinh(c)", "exp(-(q1 + q2)/2)*sinh(c)"),
    (r"\mathrm{e}^{-(q_1+q_2)/2}\sinh c", "exp(-(q1 + q2)/2)*sinh(c)"),
    (r"\frac{1}{\sqrt{(1+q_1)(1+q_2)-c^2}}", "1/sqrt((1 + q1)*(1 + q2) - c**2)"),
    (r"\bigl[(1+q_1)(1+q_2)-c^2\bigr]^{-1/2}", "1/sqrt((1 + q1)*(1 + q2) - c**2)"),
    (r"\exp\{-g\cdot(q_1+q_2-2c)\}", "exp(-g*(q1 + q2 - 2*c))"),
    (r"2\gamma e^{-\gamma\|x-x'\|^2}", "2*gam*exp(-gam*(q11 + q22 - 2*q12))"),
    (r"e^{-\frac{\lVert x-x'\rVert_2^2}{2\ell^2}}", "exp(-(q11 + q22 - 2*q12)/(2*ell**2))"),
    (r"a^2\exp\left(b^2\left(\frac{q_1+q_2}{2}+c\right)\right)", "a**2*exp(b**2*((q1 + q2)/2 + c))"),
    (r"\frac{a^2}{2}\left(e^{b^2\left(c-\frac{q_1+q_2}{2}\right)}-e^{-b^2\left(c+\frac{q_1+q_2}{2}\right)}\cos2k\right)", "a**2/2*(exp(b**2*(c - (q1 + q2)/2)) - exp(-b**2*(c + (q1 + q2)/2))*cos(2*k))"),
    (r"\frac{a^2}{\sqrt{(1+2bq_1)(1+2bq_2)-4b^2c^2}}", "a**2/sqrt((1 + 2*b*q1)*(1 + 2*b*q2) - 4*b**2*c**2)"),
    (r"\frac{4a^2b^2c}{\left((1+2bq_1)(1+2bq_2)-4b^2c^2\right)^{3/2}}", "a**2*4*b**2*c/((1 + 2*b*q1)*(1 + 2*b*q2) - 4*b**2*c**2)**(3/2)"),
    (r"e^{g(\rho-1)}", "exp(g*(rho - 1))"),
    (r"\frac{\sinh(a^2\rho)}{\sinh a^2}", "sinh(a**2*rho)/sinh(a**2)"),
    (r"1+\frac{3+e^{-8a^2}-4e^{-2a^2}}{8a^2}", "1 + (3 + exp(-8*a**2) - 4*exp(-2*a**2))/(8*a**2)"),
    (r"\frac12(1-e^{-2q})", "(1 - exp(-2*q))/2"),
    (r"\frac{1-e^{-2q}}2", "(1 - exp(-2*q))/2"),
    (r"(\cos m+\sin m)e^{-q/2}", "(cos(m) + sin(m))*exp(-q/2)"),
    (r"\frac{1+e^{-2\tau}}{2}-e^{-\tau}", "(1 + exp(-2*tau))/2 - exp(-tau)"),
    (r"\frac{\sqrt{\pi}\sqrt{g}}{2}\left(e^{gX_1X_2}-1\right)e^{-\frac{g}{4}X_2^2-\frac{g}{2}X_1X_2-\frac{g}{4}X_1^2}", "sqrt(pi)*sqrt(g)*(exp(g*X1*X2) - 1)*exp(-g*X2**2/4 - g*X1*X2/2 - g*X1**2/4)/2"),
    (r"\frac{1}{1+e^{-m/\sqrt{1+\pi q/8}}}", "1/(1 + exp(-m/sqrt(1 + pi*q/8)))"),
    (r"\tanh\left(\frac{m}{\sqrt{1+\frac{\pi q}{2}}}\right)", "tanh(m/sqrt(1 + pi*q/2))"),
    (r"\cos^2\theta+\sin^2\theta+\log\cosh x", "1 + log(cosh(x))"),
    (r"\ln(1+e^{x})", "log(1 + exp(x))"),
    (r"\log_2 q", "log(q)/log(2)"),
]  # fmt: skip

POLYNOMIAL = [
    (r"2c^2+q_1q_2", "2*c**2 + q1*q2"),
    (r"s_2^2\left(2c^2+q_1q_2\right)+s_1^2c+s_2s_0(q_1+q_2)+s_0^2", "s2**2*(2*c**2 + q1*q2) + s1**2*c + s2*s0*(q1 + q2) + s0**2"),
    (r"6c^3+9c\,q_1q_2", "6*c**3 + 9*c*q1*q2"),
    (r"3\left(8c^4+3q_1q_2(8c^2+q_1q_2)\right)", "3*(8*c**4 + 3*q1*q2*(8*c**2 + q1*q2))"),
    (r"15c\left(8c^4+5q_1q_2\left(8c^2+3q_1q_2\right)\right)", "15*c*(8*c**4 + 5*q1*q2*(8*c**2 + 3*q1*q2))"),
    (r"\frac{x^3-3x}{\sqrt6}", "(x**3 - 3*x)/sqrt(6)"),
    (r"\frac{He_3(x)}{\sqrt{3!}}", "(x**3 - 3*x)/sqrt(6)"),
    (r"\frac{1}{\sqrt{6!}}\mathrm{He}_6(x)", "(x**6 - 15*x**4 + 45*x**2 - 15)/sqrt(720)"),
    (r"\operatorname{He}_{5}(x)", "x**5 - 10*x**3 + 15*x"),
    (r"5\rho^4", "5*rho**4"),
    (r"n\rho^{n-1}", "n*rho**(n - 1)"),
    (r"5!!\,q^3", "15*q**3"),
    (r"\frac{(2n-1)!!}{2}q^n", "15*q**n/2"),
    (r"(2n+1)!!", "105 + 0*n"),
    (r"\binom{4}{2}c^2", "6*c**2"),
    (r"\frac{2^{p-1}\Gamma\left(p+\frac12\right)}{\sqrt{\pi}}q^{p}", "2**(p - 1)*gamma(p + 1/2)/sqrt(pi)*q**p"),
    (r"\frac{2^p\,\Gamma\left(\frac{p+1}{2}\right)^2}{\pi}\,{}_2F_1\left(-\tfrac p2,-\tfrac p2;\tfrac12;\rho^2\right)", "2**p*gamma((p + 1)/2)**2/pi*hyp2f1(-p/2, -p/2, 1/2, rho**2)"),
    (r"-\frac{1}{\sqrt{2\pi\cdot24}}", "-1/sqrt(2*pi*24)"),
    (r"-15\frac{\sqrt{2/\pi}}{\sqrt{5040}}", "-15*sqrt(2/pi)/sqrt(5040)"),
    (r"\left(\frac14-\frac{1}{2\pi}\right)\tau", "(1/4 - 1/(2*pi))*tau"),
    (r"\frac{\pi-2}{4\pi}(a+b)^2\tau", "(pi - 2)/(4*pi)*(a + b)**2*tau"),
    (r"\frac{(1-a)^2}{2(1+a^2)-\frac2\pi(1+a)^2}", "(1 - a)**2/(2*(1 + a**2) - 2/pi*(1 + a)**2)"),
    (r"\sqrt{\frac{2}{1+a^2}}", "sqrt(2/(1 + a**2))"),
    (r"\frac{\pi}{\pi-1}", "pi/(pi - 1)"),
    (r"1.466942206924260361", "1.466942206924260361"),
    (r"c\sqrt{\frac{2}{\pi q_2}}", "c*sqrt(2/(pi*q2))"),
    (r"\sqrt[3]{q}+\sqrt[4]{q}", "q**(1/3) + q**(1/4)"),
    (r"4\,\Sigma_{12}", "4*q12"),
]  # fmt: skip

ACTIVATIONS = [
    (r"\sigma(x)=\max(0,x)", "max(0, x)"),
    (r"\max\{0,x\}", "max(0, x)"),
    (r"[x]_+", "max(x, 0)"),
    (r"(x)_+^2", "max(x, 0)**2"),
    (r"x_+^3", "max(x, 0)**3"),
    (r"(x-b)^+", "max(x - b, 0)"),
    (r"\lvert x\rvert", "abs(x)"),
    (r"\left|x\right|^{p}", "abs(x)**p"),
    (r"|x|e^{-|x|}", "abs(x)*exp(-abs(x))"),
    (r"\operatorname{sgn}(x)", "sign(x)"),
    (r"\mathrm{sign}\,x", "sign(x)"),
    (r"\mathbb{1}[x>0]", "heaviside(x)"),
    (r"\mathbb{1}_{x>0}\,x^2", "max(x, 0)**2"),
    (r"\mathbf{1}_{\{x\ge 0\}}", "heaviside(x)"),
    (r"\mathbb 1\{|x|<1\}", "piecewise((1, abs(x) < 1), (0, True))"),
    (r"1_{x>b}", "heaviside(x - b)"),
    (r"\Theta(x)", "heaviside(x)"),
    (r"H(x-b)", "heaviside(x - b)"),
    (r"\begin{cases} x & x>0 \\ \alpha(e^{x}-1) & \text{otherwise}\end{cases}", "piecewise((x, x > 0), (alpha*(exp(x) - 1), True))"),
    (r"\begin{cases} x, & \text{if } x\geq0,\\ \alpha\left(\exp(x)-1\right), & \text{if } x<0.\end{cases}", "elu(x, alpha)"),
    (r"\lambda\begin{cases} x & \text{if } x>0\\ \alpha e^{x}-\alpha & \text{if } x\le 0\end{cases}", "lam*elu(x, alpha)"),
    (r"\begin{dcases} -1 & x<-1\\ x & -1\le x\le 1\\ 1 & x>1\end{dcases}", "clip(x, -1, 1)"),
    (r"\max(-1,\min(1,x))", "clip(x, -1, 1)"),
    (r"\min\left\{\max\{0,x\},6\right\}", "relu6(x)"),
    (r"\max(0,x)+\alpha\min(0,x)", "leaky_relu(x, alpha)"),
    (r"x+\frac1a\sin^2(ax)", "x + sin(a*x)**2/a"),
    (r"\sin{\left(a x + phase \right)}", "sin(a*x + phase)"),
    (r"\frac{x}{1+|x|}", "x/(1 + abs(x))"),
    (r"\frac{x}{1+e^{-x}}", "silu(x)"),
    (r"e^{-x^2}\sin x", "exp(-x**2)*sin(x)"),
    (r"a\erf(bx)+k", "a*erf(b*x) + k"),
    (r"\mathrm{ReLU}(x)^2", "max(x, 0)**2"),
    (r"\operatorname{sign}(x)\max(|x|-\lambda,0)", "softshrink(x, lam)"),
    (r"\begin{cases}x & |x|>\lambda\\0&\text{otherwise}\end{cases}", "hardshrink(x, lam)"),
]  # fmt: skip

FORMULAS = ARC_COSINE + ARC_SINE + GELU + PHI2 + EXPONENTIAL + POLYNOMIAL + ACTIVATIONS


def values(point: dict[str, str], symbols) -> dict:
    table = OTHERS | point
    return {s: Rational(table[s.name]) for s in symbols}


@pytest.mark.parametrize(("latex", "text"), FORMULAS, ids=range(len(FORMULAS)))
def test_printed_formula_means_the_formula(latex: str, text: str) -> None:
    read = parse(read_latex(latex).text, variables=VARIABLES, formula=True)
    meant = parse(text, variables=VARIABLES, formula=True)
    for point in POINTS:
        a = enclose_expr(read, values(point, read.free_symbols), digits=20)
        b = enclose_expr(meant, values(point, meant.free_symbols), digits=20)
        assert a.overlaps(b), (read, meant, point)


STYLES = (
    {},
    {"inv_trig_style": "full"},
    {"inv_trig_style": "power", "mul_symbol": "dot", "fold_short_frac": True},
    {"mul_symbol": "times", "root_notation": False, "ln_notation": True, "fold_frac_powers": True},
    {"mode": "equation", "long_frac_ratio": 1},
)


@pytest.mark.parametrize("style", STYLES, ids=range(len(STYLES)))
def test_every_style_of_sympy_reads_back(style: dict[str, object]) -> None:
    for _, text in FORMULAS:
        meant = parse(text, variables=VARIABLES, formula=True)
        printed = sympy.latex(meant, **style)
        read = parse(read_latex(printed).text, variables=VARIABLES, formula=True)
        if read == meant:
            continue
        point = values(POINTS[0], read.free_symbols | meant.free_symbols)
        a, b = (enclose_expr(e, point, digits=15) for e in (read, meant))
        assert a.overlaps(b), printed


def test_there_are_enough_formulas() -> None:
    assert len({latex for latex, _ in FORMULAS}) == len(FORMULAS) >= 150
